"""Khoros Care Analytics Reports: submit, status, download.

Sources: *seed* is the vendor's page "Analytics Reports API Quick Start", which has authority; *about*, *kit*,
*auth* and *user* are its sibling pages About Care Analytics Reports, Care Reporting API development kit,
Basic authentication and Create a Reporting API user account; *client* is a public third-party client. Where
they contradict each other, or leave more than one reading open, each reading is an option.

A job's word is ``RUNNER_STATE/DETAIL``, or ``RUNNER_STATE`` alone where the detail is empty: ``RUNNING``,
``CLOSED/COMPLETED``, ``CLOSED/FAILED``. Its id here is the workflow's.

Invented, because no document that could be read describes it: everything about errors (codes, the envelope's
word and message, 404 for an id or a file that isn't there, 401 before 403, 405); other runner states and
details, such as Amazon SWF's TIMED_OUT; what ``reason``, the counts and ``lastAcknowledgeTime`` hold when
they aren't null; how long an access token lives, and that it opens one job; where a redirect leads and how;
that a window is read as half-open and holds nothing before September 2001 (seconds sent for milliseconds give
an empty file) or after now; that filters other than the documented ones change which rows there are; the
parameters of a POST in its body; how csv is written; content types; all columns but those three that the
seed names.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote

from ..model import (
    Connections,
    Handler,
    Reply,
    Request,
    Route,
    Vendor,
    choice,
    flag,
    json_reply,
    ladder,
    number,
    text,
    texts,
)
from ..state import Job, VendorState
from .files import METRICS, columns, file_of

USER = "sandbox@example.com"
PASSWORD = "sandbox:password"  # noqa: S105 - the colon is there on purpose
COMPANY_KEY = "sandbox-company-key"
REPORTS = "/api/public/reports"
#: what the seed's URLs begin with
VENDOR_URL = "https://analytics-api.app.lithium.com"
BASE64 = string.ascii_letters + string.digits + "+/"
COMPLETED = ("CLOSED", "COMPLETED")
#: 10**12 ms: no earlier instant has as many digits in milliseconds as today's
EARLIEST = datetime.fromtimestamp(10**9, UTC)

OPTIONS = {
    # submit
    "methods": choice("both", "GET", "POST"),  # seed: GET; about: POST for nearly all exports
    "paths": texts(None),  # what stands between /api/public/reports/ and the export id; null: all four
    "post_parameters": choice("either", "query", "body"),  # where a POST may have them; undocumented
    "exports": texts(None),  # the export ids that exist; null: every one
    "known_metrics_only": flag(False),  # refuse a metric that isn't in the sandbox's own list
    "require_locale": flag(False),  # it is in every example; whether it has to be is undocumented
    "check_window": flag(False),  # refuse a start after the end; kit: it passes
    "run_id": choice("short", "every_character"),  # 23 and 44 characters (seed), or all 64 and =
    "exact_encoding": flag(False),  # an id must arrive encoded byte for byte as in the returned URLs
    # the returned URLs
    "submit_urls": choice("company_key", "token"),  # what they carry; seed: companyKey
    "status_urls": choice("token", "company_key"),  # what they carry; seed: analyticsAccessToken
    "urls_host": text("own"),  # own, vendor (the seed's), storage (our second origin), or any base URL
    "access_token_seconds": number(3600),  # how long an analyticsAccessToken lives; undocumented
    "expired_as": choice(403, 404),  # the answer to one that is over; undocumented
    "basic": choice("always", "unless_token"),  # seed: always; unless_token: the access token is enough
    # status
    "ladder": ladder(("RUNNING", 1, 0)),  # the way to `end`
    "end": text("CLOSED/COMPLETED"),  # a new job's last word: CLOSED/FAILED (seed), or any other
    "status_result": choice("seed", "object", "list"),  # seed: an object when completed, else a list
    "hollow": choice("empty_list", "null"),  # the result of hollow answers
    "hollow_polls": number(0),  # so many answers to a job's first polls are hollow
    "empty_detail": choice("", None),  # detail where there is none; seed: an empty string
    "download_url": choice("completed", "late", "empty"),  # late: not yet in the first completed answer
    "reason": text(None),  # the reason of a job that is closed without being completed; seed: null
    "counts": choice("null", "numbers"),  # currentCount, totalCount, lastAcknowledgeTime; seed: null
    # errors
    "error_http": choice("code", "200"),  # the code that fits, or 200 with the envelope alone
    "error_shape": choice("envelope", "html", "empty"),
    "error_word": text("FAIL"),  # status of an envelope that isn't PASS
    # file
    "download": choice("redirect", "direct"),  # seed: curl -L; to the storage, or 200 with the file
    "download_status": choice(302, 301, 303, 307),
    "hops": number(0),  # so many redirects on the own host come first
    "location": choice("absolute", "relative"),  # those on the own host
    "served_format": choice("asked", "csv", "json"),  # the format that comes, whatever was asked
    "content_type": choice("right", "octet-stream"),
    "csv_line_end": choice("\r\n", "\n"),
    "csv_bom": flag(False),
}


def connections(base_url: str) -> Connections:
    """The default connection."""
    return {
        "khoros_care_default": {
            "conn_type": "khoros_care",
            "host": base_url,
            "login": USER,
            "password": PASSWORD,
            "extra": {"company_api_key": COMPANY_KEY},
        }
    }


# Errors.


class Refused(Exception):
    """The API says no."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}

    def reply(self, options: Mapping[str, Any]) -> Reply:
        """The refusal in one of its shapes."""
        status = 200 if options["error_http"] == "200" else self.status
        shape = options["error_shape"]
        if shape == "empty":
            return Reply(status, b"", self.headers)
        if shape == "html":
            words = escape(str(self))
            page = f"<html><head><title>Error {self.status}</title></head><body>{words}</body></html>"
            return Reply(status, page.encode(), {"Content-Type": "text/html", **self.headers})
        return json_reply(_envelope(None, options["error_word"], str(self)), status, self.headers)


def _envelope(result: Any, status: str = "PASS", message: str | None = None) -> dict[str, Any]:
    return {"status": status, "request": None, "message": message, "result": result}


def answering(handler: Handler) -> Handler:
    """`handler`, refusals turned into replies."""

    def answer(state: VendorState, request: Request) -> Reply:
        try:
            return handler(state, request)
        except Refused as refused:
            return refused.reply(state.options)

    return answer


def _admit(state: VendorState, request: Request, job: Job | None = None) -> None:
    """Basic (seed, auth) and, in the query, the company key or an access token (seed)."""
    given = dict(request.query)
    token = state.tokens.find(given.get("analyticsAccessToken"), state.now())
    opened = token is not None and job is not None and job.id in token.scopes
    enough = opened and state.options["basic"] == "unless_token"
    if not enough and request.basic() != (USER, state.secret or PASSWORD):
        raise Refused(401, "Bad credentials", {"WWW-Authenticate": 'Basic realm="analytics"'})
    if opened or given.get("companyKey") == COMPANY_KEY:
        return
    if "analyticsAccessToken" in given:
        raise Refused(state.options["expired_as"], "The analytics access token is wrong or expired")
    raise Refused(403, "The company key is missing or wrong, or you may not use it")


# Submit (seed; POST: about).

#: parameter -> what it has to look like, and the words for it
INTEGER = (r"-?\d{1,17}", "a whole number")
FORMS = {
    "startTime": (INTEGER[0], "the epoch time in milliseconds"),
    "endTime": (INTEGER[0], "the epoch time in milliseconds"),
    "timezoneOffset": INTEGER,  # kit
    "locale": (r"[a-z]{2}_[A-Z]{2}", "a locale such as en_US"),
    "reportFormat": (r"csv|json", "csv or json"),
}
#: parameters that choose no rows
NO_FILTERS = {*FORMS, "companyKey", "analyticsAccessToken", "reportMetrics"}


def submit(state: VendorState, request: Request) -> Reply:
    """``GET`` or ``POST`` of one of the four paths with the export's id."""
    options = state.options
    _admit(state, request)
    if options["methods"] not in ("both", request.method):
        raise Refused(405, f"Request method '{request.method}' not supported", {"Allow": options["methods"]})
    export = _export(options, request)
    details = _details(state, export, _parameters(options, request))
    # The seed's four workflow ids are UUIDs made from names, version 3.
    workflow = state.new_id(version=3)
    job = state.add_job(export, {**details, "run_id": _run_id(state)}, options["end"], workflow)
    result = {
        "workflowId": job.id,
        "runId": job.details["run_id"],
        "downloadUrl": "",
        "statusUrl": _url(state, job, "status", options["submit_urls"]),
    }
    return json_reply(_envelope(result), job=job.id)


def _export(options: Mapping[str, Any], request: Request) -> str:
    export = request.segments["export"]
    exports, paths = options["exports"], options["paths"]
    path = request.path.removeprefix(f"{REPORTS}/").rpartition("/")[0]
    if (exports is not None and export not in exports) or (paths is not None and path not in paths):
        raise Refused(404, f"There is no report {export}")
    return export


def _parameters(options: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    if request.method == "GET":
        return request.query
    where = options["post_parameters"]
    query = request.query if where != "body" else []
    return query + (_body_parameters(request) if where != "query" else [])


def _body_parameters(request: Request) -> list[tuple[str, str]]:
    """A form, or a JSON object whose lists are repeated keys."""
    try:
        value = request.json()
    except ValueError:
        return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    members = value.items() if isinstance(value, dict) else ()
    return [
        (name, str(item))
        for name, given in members
        for item in (given if isinstance(given, list) else [given])
    ]


def _details(state: VendorState, export: str, parameters: list[tuple[str, str]]) -> dict[str, Any]:
    """What a job keeps of the request. Unknown parameters are filters (seed, about)."""
    given = dict(parameters)
    required = ["startTime", "endTime", *(["locale"] if state.options["require_locale"] else [])]
    for name in required:
        if name not in given:
            raise Refused(400, f"Required parameter '{name}' is not present")
    for name, value in parameters:
        form, words = FORMS.get(name, (".*", ""))
        if not re.fullmatch(form, value, re.ASCII | re.DOTALL):
            raise Refused(400, f"Parameter '{name}' must be {words}, not '{value}'")
    start, end = (_instant(name, given[name]) for name in ("startTime", "endTime"))
    if end < start and state.options["check_window"]:
        raise Refused(400, "Parameter 'startTime' must not lie after 'endTime'")
    metrics = [value for name, value in parameters if name == "reportMetrics" and value]
    unknown = [name for name in metrics if name not in METRICS]
    if unknown and state.options["known_metrics_only"]:
        raise Refused(400, f"Parameter 'reportMetrics' has no value '{unknown[0]}'")
    return {
        "export": export,
        "format": given.get("reportFormat", "json"),
        "start": max(start, EARLIEST),
        "end": min(end, state.now()),
        "columns": tuple(columns(export, metrics).items()),
        "filters": tuple(sorted(pair for pair in parameters if pair[0] not in NO_FILTERS)),
        "size": state.size,
    }


def _instant(name: str, milliseconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds))
    except OverflowError:
        raise Refused(400, f"Parameter '{name}' is out of range: '{milliseconds}'") from None


def _run_id(state: VendorState) -> str:
    """Like the seed's: ``23`` and, in base64, 32 bytes; ``+`` and ``/`` are in it each time, on purpose."""
    draw = state.random
    if state.options["run_id"] == "every_character":
        return "23" + "".join(draw.sample(BASE64, 64)) + "w="
    characters = [*draw.choices(BASE64, k=40), "+", "/"]
    draw.shuffle(characters)
    return "23" + "".join(characters) + draw.choice("AEIMQUYcgkosw048") + "="


def _path(job: Job, verb: str) -> str:
    return f"{REPORTS}/report/{job.id}/{quote(job.details['run_id'], safe='')}/{verb}"


def _url(state: VendorState, job: Job, verb: str, carrying: str) -> str:
    hosts = {"own": state.base_url, "vendor": VENDOR_URL, "storage": state.storage.url + state.vendor.prefix}
    host = hosts.get(state.options["urls_host"], state.options["urls_host"].rstrip("/"))
    if carrying == "company_key":
        return f"{host}{_path(job, verb)}?companyKey={COMPANY_KEY}"
    return f"{host}{_path(job, verb)}?analyticsAccessToken={quote(_access_token(state, job), safe='')}"


def _access_token(state: VendorState, job: Job) -> str:
    """Like the seed's, 16 bytes in base64; easy to search for, and worthless unless it is encoded right."""
    draw = state.random
    value = "sandbox+/" + "".join(draw.choices(BASE64, k=12)) + draw.choice("AQgw") + "=="
    seconds = 0 if state.links_dead else state.options["access_token_seconds"]
    return state.tokens.issue(state.now(), seconds, (job.id,), value).value


# Status (seed).


def status(state: VendorState, request: Request) -> Reply:
    """``GET .../{workflowId}/{runId}/status``."""
    job = _job(state, request)
    hollow = job.polls < state.options["hollow_polls"]
    word = state.poll(job)
    if hollow:
        return json_reply(_envelope({"empty_list": [], "null": None}[state.options["hollow"]]), job=job.id)
    runner_state, _, detail = word.partition("/")
    completed = (runner_state, detail) == COMPLETED
    element = {
        "jobInfo": _job_info(state, job, completed),
        "result": _runner(state, job, runner_state, detail),
    }
    shape = state.options["status_result"]
    as_object = shape == "object" or (shape == "seed" and completed)
    return json_reply(_envelope(element if as_object else [element]), job=job.id)


def _job(state: VendorState, request: Request) -> Job:
    """The job of the path, for a client that may see it; its ids count as decoded once."""
    job = state.jobs.get(request.segments["workflow"])
    if job is not None and job.details["run_id"] != request.segments["run"]:
        job = None
    _admit(state, request, job)
    if job is None:
        raise Refused(404, "There is no such workflow or run")
    encoded = quote(job.details["run_id"], safe="")
    if state.options["exact_encoding"] and f"/{encoded}/" not in request.path:
        raise Refused(404, "The run id isn't encoded as it was handed out")
    return job


def _job_info(state: VendorState, job: Job, completed: bool) -> dict[str, Any]:
    carrying = state.options["status_urls"]
    shown = completed and state.options["download_url"] != "empty"
    if shown and state.options["download_url"] == "late" and not job.details.get("announced"):
        job.details["announced"] = True
        shown = False
    return {
        "workflowId": job.id,
        "runId": job.details["run_id"],
        "downloadUrl": _url(state, job, "download", carrying) if shown else "",
        "statusUrl": _url(state, job, "status", carrying),
    }


def _runner(state: VendorState, job: Job, runner_state: str, detail: str) -> dict[str, Any]:
    closed, completed = runner_state == "CLOSED", (runner_state, detail) == COMPLETED
    total = job.details["size"][0]
    counted = state.options["counts"] == "numbers"
    return {
        "runnerState": runner_state,
        "reason": state.options["reason"] if closed and not completed else None,
        "detail": detail or state.options["empty_detail"],
        "currentCount": (total if completed else total // 2) if counted else None,
        "totalCount": total if counted else None,
        "lastAcknowledgeTime": int(state.now().timestamp() * 1000) if counted else None,
    }


# Download (seed: "curl -L").


def download(state: VendorState, request: Request) -> Reply:
    """``GET .../{workflowId}/{runId}/download``: `hops` redirects here, then the storage, or the file."""
    job = _job(state, request)
    if tuple(state.word(job).partition("/")[::2]) != COMPLETED:
        raise Refused(404, "The report has no file (yet)")
    given = dict(request.query)
    hop = int(given["hop"]) if given.get("hop", "").isdecimal() else 0
    if hop < state.options["hops"]:
        return _redirect(state, job, _next_hop(state, request, hop))
    content = file_of(state, job)
    if state.options["download"] == "direct":
        return Reply(200, content, {"Content-Type": content.content_type}, job.id)
    name = f"{job.kind}/{job.id}.{content.file_format}"
    return _redirect(state, job, state.link(content, name, job))


def _next_hop(state: VendorState, request: Request, hop: int) -> str:
    kept = [part for part in request.raw_query.split("&") if part and not part.startswith("hop=")]
    base = state.base_url if state.options["location"] == "absolute" else state.vendor.prefix
    return f"{base}{request.path}?{'&'.join([*kept, f'hop={hop + 1}'])}"


def _redirect(state: VendorState, job: Job, location: str) -> Reply:
    return Reply(state.options["download_status"], b"", {"Location": location}, job.id)


SUBMIT = rf"{REPORTS}/(report|report/report|report/marketing|marketing)/(?P<export>[^/]+)"
RUN = rf"{REPORTS}/report/(?P<workflow>[^/]+)/(?P<run>[^/]+)"

VENDOR = Vendor(
    name="khoros_care",
    prefix="/khoros",
    routes=(
        Route("submit", "GET", SUBMIT, answering(submit)),
        Route("submit", "POST", SUBMIT, answering(submit)),
        Route("status", "GET", f"{RUN}/status", answering(status)),
        Route("download", "GET", f"{RUN}/download", answering(download)),
    ),
    connections=connections,
    options=OPTIONS,
    not_found=json_reply(_envelope(None, "FAIL", "Not Found"), 404),
)
