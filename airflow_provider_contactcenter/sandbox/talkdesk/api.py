"""Talkdesk Explore (data reports): token, create, poll, download, list, delete.

Sources: *seed* is docs.talkdesk.com/reference/check-a-report-status, which has authority; *docs* are its
sibling pages execute-a-report, download-a-report and cc-basic; *legacy* are the pages on the predecessor
"Reporting API", of the same design; *clients* is what public third-party clients send and accept. They
contradict each other in places; each reading is an option, and the default is the one that the most sources
bear out.

Invented, because no document that could be read describes it: the codes and words of error messages; the
answer to another Content-Type than the documented one (400); the answer of the files endpoint for a job
without a file (404); whether an offset in from/to or ``timezone`` wins where both are given (the offset); the
default format (csv); the quoting and line ends of csv; the whole of json_bulk (one JSON object per line); the
columns of reports that aren't in `files.REPORTS`; ``invalid_scope``; that a null in the request counts as
left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

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
from .files import FORMATS, file_of

CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
#: docs: tokens come from the account's host at talkdeskid.com, so not from where the reports are
TOKEN = "/talkdeskid/oauth/token"  # noqa: S105
READ, WRITE = "data-reports:read", "data-reports:write"

OPTIONS = {
    # token
    "expires_in": number(599),  # life of a token in seconds; the docs give no number, clients use 599
    "granted_scopes": texts([READ, WRITE]),  # what the client was granted
    # create
    "create_status": choice(202, 200, 201),  # docs: 202; a client accepts all three
    "create_body": choice("both", "wrapped", "flat"),  # wrapped in job (clients), flat (docs), or both
    "report_types": texts(None),  # the report types that exist; null: every one
    "default_format": choice(*FORMATS),  # the format where the request names none
    "max_days": number(31),  # docs: the longest timespan
    "max_running": number(15),  # docs: reports executing or enqueued at a time, beyond it 429
    "quota_retry_after": number(None),  # Retry-After of that 429, in seconds; undocumented
    # poll
    # the way to `end`
    "ladder": ladder(("created", 0.2, 0), ("processing", 0.6, 0), ("uploading", 0.2, 0)),
    "end": text("done"),  # a new job's last word: done, failed, canceled, deleted, or any other
    "status_case": choice("lower", "upper"),  # the seed has both
    "waiting_as": choice("job", "204", "empty"),  # the answer before the end; 204 is known from a client
    "poll_body": choice("wrapped", "flat"),  # seed: wrapped in job
    "done_as": choice(303, 300, 302, 307, 200),  # seed: 300; docs, legacy and clients: 303 or 302
    # of answers to a poll; a client takes the first Content-Length for the file's
    "job_framing": choice(
        "chunked",
        "length",
    ),
    # seed: relative, and not required
    "location": choice("relative", "absolute", "documented", "missing"),
    "links_host": choice("own", "docs"),  # whose host _links names: docs is http://api-docs.talkdesk.org
    # seed: code and message; docs: code and description
    "error_shape": choice("message", "description"),
    # file
    "late_seconds": number(300),  # docs: so late rows come; an older page has 60
    # docs: to the storage; clients: 200; docs: 200 with job
    "download": choice("redirect", "direct", "job"),
    "download_status": choice(303, 302, 307),  # docs: 303; legacy: 302
    "gzip": flag(False),  # Content-Encoding: gzip on the files endpoint's own answer; invented
    "file_days": number(30),  # docs: how long a file is kept
    "json_total": choice("right", "wrong", "missing"),
    "json_entries": choice("present", "missing"),
    "json_order": choice("entries_first", "total_first"),  # docs: the order of keys varies
    "csv_line_end": choice("\r\n", "\n"),
    "csv_bom": flag(False),
}


def connections(base_url: str) -> Connections:
    """The default connection."""
    return {
        "talkdesk_default": {
            "conn_type": "talkdesk",
            "host": base_url,
            "login": CLIENT_ID,
            "password": CLIENT_SECRET,
            "extra": {"account": "sandbox", "auth_url": f"{base_url}{TOKEN}"},
        }
    }


# Token (docs: cc-basic). Credentials come in the Basic header, or as form fields, or as an assertion; the
# grant in the form, or in the query with an empty body (clients).

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def token(state: VendorState, request: Request) -> Reply:
    """``POST /oauth/token``, on a host of its own."""
    given = {**dict(request.query), **request.form}
    credentials = request.basic() or (given.get("client_id"), given.get("client_secret"))
    if given.get("client_assertion_type") == ASSERTION:
        known = _asserted(state, given.get("client_assertion", ""))
    else:
        known = credentials == (CLIENT_ID, state.secret or CLIENT_SECRET)
    if not known:
        return _token_error(401, "invalid_client", "Client authentication failed")
    if "grant_type" not in given:
        return _token_error(400, "invalid_request", "Missing parameter: grant_type")
    if given["grant_type"] != "client_credentials":
        return _token_error(400, "unsupported_grant_type", f"Unsupported grant type: {given['grant_type']}")
    granted = state.options["granted_scopes"]
    scopes = given.get("scope", "").split() or granted
    if not set(scopes) <= set(granted):
        return _token_error(400, "invalid_scope", "The requested scope exceeds what the client was granted")
    lifetime = state.options["expires_in"]
    issued = state.tokens.issue(state.now(), lifetime, scopes)
    return json_reply(
        {
            "access_token": issued.value,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scopes),
        },
        headers={"Cache-Control": "no-store"},
    )


def _asserted(state: VendorState, assertion: str) -> bool:
    """Whether a JWT names the client, a token endpoint and an end that is to come.

    Its signature isn't looked at: no public key was ever handed in here.
    """
    try:
        head, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in assertion.split(".")[:2]
        )
        return bool(
            head["alg"] == "ES256"
            and head["kid"]
            and claims["iss"] == claims["sub"] == CLIENT_ID
            # A client may take it from the account's name, whatever URL it was given.
            and claims["aud"].endswith("/oauth/token")
            and claims["exp"] > state.now().timestamp()
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _token_error(status: int, error: str, description: str) -> Reply:
    return json_reply({"error": error, "error_description": description}, status)


# Errors of the data API: seed and docs disagree on which of message and description is there.


class Refused(Exception):
    """The data API says no."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field
        self.headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}

    def reply(self, shape: str) -> Reply:
        """The refusal in one of its two shapes."""
        body: dict[str, Any] = {"code": self.code, shape: str(self)}
        if self.field:
            body["fields"] = [{"name": self.field, "description": str(self)}]
        return json_reply(body, self.status, self.headers)


def guarded(scope: str, handler: Handler) -> Handler:
    """`handler` behind the bearer token and its scope, refusals turned into replies."""

    def guard(state: VendorState, request: Request) -> Reply:
        try:
            found = state.tokens.find(request.bearer(), state.now())
            if found is None:
                raise Refused(
                    401, "1400002", "Unauthorized access: the access token is missing, wrong or expired"
                )
            if scope not in found.scopes:
                raise Refused(403, "1400003", f"Forbidden access: the scope {scope} is missing")
            return handler(state, request)
        except Refused as refused:
            return refused.reply(state.options["error_shape"])

    return guard


# Create (docs: execute-a-report).


def create(state: VendorState, request: Request) -> Reply:
    """``POST /data/reports/{type}/jobs``."""
    report = _report_type(state, request)
    body = _json_object(request)
    details = _details(state, report, body)
    if state.running() >= state.options["max_running"]:
        wait = state.options["quota_retry_after"]
        raise Refused(429, "1400029", "Too many simultaneous reports for this account", retry_after=wait)
    job = state.add_job(report, details, state.options["end"])
    answer = _job_body(state, job, state.word(job), state.options["create_body"])
    return json_reply(answer, state.options["create_status"], job=job.id)


def _report_type(state: VendorState, request: Request) -> str:
    report = request.segments["type"]
    known = state.options["report_types"]
    if (known is not None and report not in known) or not re.fullmatch(r"[\w-]+", report):
        raise Refused(400, "1400001", f"The report type {report} is invalid", "type")
    return report


def _json_object(request: Request) -> dict[str, Any]:
    if request.media_type != "application/json":
        raise Refused(400, "1400010", "The Content-Type must be application/json")
    try:
        body = request.json()
    except ValueError:
        raise Refused(400, "1400010", "The request body is malformed") from None
    if not isinstance(body, dict):
        raise Refused(400, "1400010", "The request body must be an object")
    return body


def _details(state: VendorState, report: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a job keeps of the request. Unknown keys are ignored, inside the timespan too (clients).

    Null counts as left out.
    """
    body = {name: value for name, value in body.items() if value is not None}
    timespan = body.get("timespan")
    if not isinstance(timespan, dict):
        raise Refused(400, "1400011", "The mandatory field timespan is missing", "timespan")
    timezone = body.get("timezone", "UTC")
    if not isinstance(timezone, str) or timezone not in _timezones():
        raise Refused(400, "1400012", f"{timezone} is not an IANA time zone", "timezone")
    file_format = body.get("format", state.options["default_format"])
    if file_format not in FORMATS:
        raise Refused(400, "1400013", f"{file_format} is not one of {', '.join(FORMATS)}", "format")
    name = body.get("name", "")
    if not isinstance(name, str) or len(name) > 256:
        raise Refused(400, "1400014", "must be a string of at most 256 characters", "name")
    start = _instant(timespan, "from", timezone)
    end = _instant(timespan, "to", timezone)
    if end <= start:
        raise Refused(400, "1400015", "must be after from", "timespan.to")
    if end > state.now():
        raise Refused(400, "1400016", "must not be in the future", "timespan.to")
    if end - start > timedelta(days=state.options["max_days"]):
        raise Refused(
            400, "1400017", f"must be at most {state.options['max_days']} days after from", "timespan.to"
        )
    return {
        "type": report,
        "name": name,
        "timezone": timezone,
        "format": file_format,
        "from": timespan["from"],
        "to": timespan["to"],
        "start": start,
        "end": end,
        "size": state.size,
        "until": state.now() - timedelta(seconds=state.options["late_seconds"]),
    }


@lru_cache(maxsize=1)
def _timezones() -> set[str]:
    return available_timezones()


def _instant(timespan: Mapping[str, Any], bound: str, timezone: str) -> datetime:
    """An ISO 8601 date-time; one without a zone is taken in the report's (clients send such)."""
    field = f"timespan.{bound}"
    if bound not in timespan:
        raise Refused(400, "1400011", f"The mandatory field {field} is missing", field)
    value = timespan[bound]
    if not isinstance(value, str) or "T" not in value:
        raise Refused(400, "1400018", f"{value} is not an ISO 8601 date-time", field)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(400, "1400018", f"{value} is not an ISO 8601 date-time", field) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(timezone))


# Poll (seed).


def poll(state: VendorState, request: Request) -> Reply:
    """``GET /data/reports/{type}/jobs/{id}``: 200 on the way and after a bad end, a redirect when done."""
    job = _job(state, request)
    word = _aged(state, job, state.poll(job))
    if word == "done" and state.options["done_as"] != 200:
        headers = _location(state, job)
        return _job_reply(state, job, word, state.options["done_as"], headers)
    waiting = word in {step.word for step in job.steps}
    if waiting and state.options["waiting_as"] != "job":
        return Reply(204 if state.options["waiting_as"] == "204" else 200, job=job.id)
    return _job_reply(state, job, word)


def _job(state: VendorState, request: Request) -> Job:
    report = _report_type(state, request)
    job = state.jobs.get(request.segments["id"])
    if job is None or job.kind != report:
        raise Refused(404, "1400004", "The report job was not found")
    return job


def _aged(state: VendorState, job: Job, word: str) -> str:
    """A file is kept for 30 days (docs); that the job is `deleted` afterwards is a guess."""
    kept = timedelta(days=state.options["file_days"])
    return "deleted" if word == "done" and state.now() > job.over_since() + kept else word


def _location(state: VendorState, job: Job) -> dict[str, str]:
    path = f"/data/reports/{quote(job.kind)}/files/{job.id}"
    # A relative Location is relative to the host, so the sandbox's prefix belongs to it.
    prefix = state.vendor.prefix
    places = {"relative": prefix + path, "absolute": state.base_url + path, "documented": path}
    place = places.get(state.options["location"])
    return {"Location": place} if place else {}


def _job_reply(
    state: VendorState, job: Job, word: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    body = _job_body(state, job, word, state.options["poll_body"])
    framing = {"Transfer-Encoding": "chunked"} if state.options["job_framing"] == "chunked" else {}
    return json_reply(body, status, {**framing, **(headers or {})}, job.id)


def _job_body(state: VendorState, job: Job, word: str, form: str) -> dict[str, Any]:
    fields = _job_fields(state, job, word)
    host = state.base_url if state.options["links_host"] == "own" else "http://api-docs.talkdesk.org"
    place = f"{host}/data/reports/{quote(job.kind)}"
    links = {"self": {"href": f"{place}/jobs/{job.id}"}, "files": {"href": f"{place}/files/{job.id}"}}
    forms: dict[str, dict[str, Any]] = {
        "wrapped": {"job": fields},
        "flat": fields,
        "both": {"job": fields, **fields},
    }
    return {**forms[form], "_links": links}


def _job_fields(state: VendorState, job: Job, word: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.details["name"],
        "type": job.kind,
        "timezone": job.details["timezone"],
        "status": word.upper() if state.options["status_case"] == "upper" else word,
        "format": job.details["format"],
        "created_at": f"{job.created:%Y-%m-%dT%H:%M:%S}",
        "timespan": {"from": job.details["from"], "to": job.details["to"]},
    }


# Download and delete (docs: download-a-report; legacy).


def download(state: VendorState, request: Request) -> Reply:
    """``GET /data/reports/{type}/files/{id}``: to the storage, or the file, or (docs' other 200) the job."""
    job = _job(state, request)
    word = _aged(state, job, state.word(job))
    if word != "done":
        raise Refused(404, "1400005", f"The report file was not found: the job is {word}")
    how = state.options["download"]
    if how == "job":
        return _job_reply(state, job, word)
    content = file_of(state, job)
    if how == "redirect":
        link = state.link(content, f"{job.kind}/{job.id}.{job.details['format']}", job)
        return _job_reply(state, job, word, state.options["download_status"], {"Location": link})
    headers = {"Content-Type": content.content_type}
    if state.options["gzip"]:
        headers["Content-Encoding"] = "gzip"
    return Reply(200, content, headers, job.id)


def delete(state: VendorState, request: Request) -> Reply:
    """``DELETE /data/reports/{type}/files/{id}`` (legacy): 204, and 403 the second time."""
    job = _job(state, request)
    word = _aged(state, job, state.word(job))
    if word != "done":
        raise Refused(403, "1400006", f"The report file can't be deleted: the job is {word}")
    job.held = "deleted"
    return Reply(204, job=job.id)


def list_jobs(state: VendorState, request: Request) -> Reply:
    """``GET /data/reports/{type}/jobs`` (clients; the shape is legacy's): newest first, in pages."""
    report = _report_type(state, request)
    page, per_page = (_page_number(request, name, most) for name, most in (("page", None), ("per_page", 200)))
    jobs = [job for job in reversed(state.jobs.values()) if job.kind == report]
    shown = jobs[(page - 1) * per_page : page * per_page]
    place = f"{state.base_url}/data/reports/{quote(report)}/jobs"
    links: dict[str, Any] = {
        "self": {"href": f"{place}?page={page}&per_page={per_page}"},
        "page": {"templated": True, "href": place + "{?page,per_page,order_by,order}"},
    }
    if page * per_page < len(jobs):
        links["next"] = {"href": f"{place}?page={page + 1}&per_page={per_page}"}
    return json_reply(
        {
            "_embedded": {
                "jobs": [_job_fields(state, job, _aged(state, job, state.word(job))) for job in shown]
            },
            "total": len(jobs),
            "page": page,
            "per_page": per_page,
            "_links": links,
        }
    )


def _page_number(request: Request, name: str, most: int | None) -> int:
    value = dict(request.query).get(name, "1" if name == "page" else "20")
    if not value.isdecimal() or int(value) < 1 or (most is not None and int(value) > most):
        raise Refused(
            400, "1400019", f"{name} must be a whole number from 1" + (f" to {most}" if most else ""), name
        )
    return int(value)


JOBS = r"/data/reports/(?P<type>[^/]+)/jobs/?"
JOB = r"/data/reports/(?P<type>[^/]+)/jobs/(?P<id>[^/]+)"
FILE = r"/data/reports/(?P<type>[^/]+)/files/(?P<id>[^/]+)"

VENDOR = Vendor(
    name="talkdesk",
    prefix="/talkdesk",
    routes=(
        Route("token", "POST", TOKEN, token),
        Route("create", "POST", JOBS, guarded(WRITE, create)),
        Route("poll", "GET", JOB, guarded(READ, poll)),
        Route("file", "GET", FILE, guarded(READ, download)),
        Route("list", "GET", JOBS, guarded(READ, list_jobs)),
        Route("delete", "DELETE", FILE, guarded(WRITE, delete)),
    ),
    connections=connections,
    options=OPTIONS,
    # Whichever of the two is required, it is there.
    not_found=json_reply({"code": "1400007", **dict.fromkeys(("message", "description"), "Not found")}, 404),
)
