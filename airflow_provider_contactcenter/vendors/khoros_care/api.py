"""Khoros Care Analytics Reports: start a workflow, poll it, fetch its file behind a redirect.

Sources: seed 001 (the Quick Start) and, for what it leaves open, the pages "About Care Analytics Reports"
and "Care Reporting API development kit" on developer.khoros.com.

The answers name URLs on hosts of their own choice, with an access token or the company key in the query.
No such URL is ever called: every request goes to the connection's own base, built from the job's ids.
Of the vendor's URLs only the access token is used, within one operation, and it is never returned.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from airflow_provider_contactcenter.nouns import Job, Report, Span, State, Status, new_job, span_of
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import (
    Answer,
    Operation,
    Request,
    is_json,
    quoted,
    starting,
    words_of,
)
from airflow_provider_contactcenter.vendors.protocol.refusals import NO_FILE, Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of

TITLE = "Khoros Care Analytics Reports"

#: ``runnerState``, and ``detail`` too once it is CLOSED (seed). Closed with any other detail has failed.
STATES: Mapping[str, State] = {
    "running": "running",
    "closed completed": "ready",
    "closed failed": "failed",
    "closed canceled": "cancelled",
    "closed cancelled": "cancelled",
}

_REPORTS = "/api/public/reports"

#: access tokens tried for one file
_TOKENS = 2

#: bytes of an envelope that came in place of a file
_LONGEST_ENVELOPE = 64 * 1024


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: API base, user and password, company key."""
    login = fields.need("login", "the user name, an e-mail address")
    if ":" in login:
        raise Refusal(
            "authentication", "the connection's login holds ':', which Basic authentication forbids"
        )
    password = fields.need("password", "the user's password")
    return Settings(
        vendor="khoros_care",
        conn_id=fields.conn_id,
        base_url=fields.url(),
        login=login,
        password=password,
        secret={
            "company_api_key": fields.need("company_api_key", "the company key, sent as companyKey"),
            # A vendor may repeat the header that it was sent.
            "basic": base64.b64encode(f"{login}:{password}".encode()).decode(),
        },
        **fields.transport(),
    )


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the Basic header, and the company key unless the query has its substitute, the access token.

    A redirect on the API's own host leads to an absolute URL, whose query is the vendor's and stays as it is.
    """
    credentials = settings.secret["basic"]
    params = list(request.params)
    if "://" not in request.target and "analyticsAccessToken=" not in request.target:
        params.append(("companyKey", settings.secret["company_api_key"]))
    return replace(
        request, params=params, headers={**request.headers, "Authorization": f"Basic {credentials}"}
    )


def bounds(span: Span) -> dict[str, int]:
    """The window in epoch milliseconds, as given: whether ``endTime`` is included is documented nowhere.

    A fraction of a millisecond widens the window rather than cut a row off.
    """
    epoch, millisecond = datetime.fromtimestamp(0, UTC), timedelta(milliseconds=1)
    start, end = span.start - epoch, span.end - epoch
    return {"startTime": start // millisecond, "endTime": -(-end // millisecond)}


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Start the export. It has no name at the vendor, so ``label`` is not sent.

    What a POST carries its parameters in is documented nowhere; they stay in the query.
    """
    params = report["params"]
    query = [
        ("reportFormat", "csv" if params["file_format"] == "csv" else "json"),
        ("locale", params["locale"]),
        *((name, str(value)) for name, value in bounds(span_of(report)).items()),
        *(("reportMetrics", metric) for metric in params["metrics"] or ()),
        *((name, value) for name, values in (params["filters"] or {}).items() for value in values),
    ]
    answer = yield Request(
        params["method"],
        f"{_REPORTS}/{params['path']}/{quoted(params['export_id'])}",
        params=query,
        headers={"Accept": "application/json"},
        idempotent=False,
    )
    try:
        envelope = _envelope(answer)
    except Refusal as refusal:
        # Whatever was answered, the export may have been started.
        raise refusal.but("lost") from None
    if words := _no(envelope):
        raise Refusal("invalid", words, status=answer.status)
    # The seed's answer to a submit is bare; its answers about the same job wrap it in jobInfo and a list.
    entries = _entries(envelope.get("result"))
    entry = entries[0] if len(entries) == 1 else {}
    made = _mapping(entry.get("jobInfo")) or entry
    workflow_id, run_id = made.get("workflowId"), made.get("runId")
    if not workflow_id or not run_id or "/" in str(workflow_id):
        raise Refusal(
            "lost",
            f"the export was accepted, but the answer holds no workflowId and runId; it says: "
            f"{words_of(answer)}",
            status=answer.status,
        )
    return new_job(report, f"{workflow_id}/{run_id}")


def status(job: Job) -> Operation[Status]:
    """Poll. ``downloadUrl`` alone means nothing: it is empty for a failed job as for a running one."""
    found, _ = yield from _poll(job)
    return found


def _poll(job: Job) -> Operation[tuple[Status, str | None]]:
    """The job's status and, if the answer gives one, the query with which its file may be fetched."""
    answer = yield Request("GET", _path(job, "status"), headers={"Accept": "application/json"})
    envelope = _envelope(answer)
    if _no(envelope):
        return Status(state="failed", vendor_status=str(envelope["status"]), reason=_message(envelope)), None
    entry = _entry_of(job, envelope.get("result"))
    runner = _mapping(entry.get("result"))
    state, detail = (str(runner.get(name) or "").strip() for name in ("runnerState", "detail"))
    said, message = (str(source or "").strip() for source in (runner.get("reason"), envelope.get("message")))
    if state.lower() != "closed":
        return status_of(STATES, state or None, said or detail or None), None
    found = status_of(STATES, f"{state} {detail}".strip(), said or message or None)
    if found["state"] == "running":  # no list has this word: whatever it is, nothing will come any more
        found["state"] = "failed"
    return found, _token_query(job, entry)


def _entry_of(job: Job, result: Any) -> Mapping[str, Any]:
    """The job's part of a status answer, which is an object or a list with one (seed has both).

    Nothing at all (null, an empty list) says nothing about the job: it counts as running.
    """
    entries, ids = _entries(result), _ids(job)
    for entry in entries:
        info = _mapping(entry.get("jobInfo"))
        if (str(info.get("workflowId")), str(info.get("runId"))) == ids:
            return entry
    if len(entries) > 1:
        raise Refusal("unavailable", f"the answer tells of {len(entries)} workflows, none of them this one")
    return entries[0] if entries else {}


def _entries(result: Any) -> list[Mapping[str, Any]]:
    return [_mapping(entry) for entry in (result if isinstance(result, list) else [result])]


def _token_query(job: Job, entry: Mapping[str, Any]) -> str | None:
    """The query of ``downloadUrl`` as it stands, if it is this job's and holds an access token."""
    url = str(_mapping(entry.get("jobInfo")).get("downloadUrl") or "")
    path, _, query = url.partition("?")
    ours = unquote(path).endswith(unquote(_path(job, "download")))
    return query if ours and re.fullmatch(r"[!-\"$-~]*\banalyticsAccessToken=[!-\"$-~]+", query) else None


def _path(job: Job, resource: str) -> str:
    # Samples and commands of the seed have this one path for the jobs of all exports.
    workflow_id, run_id = _ids(job)
    return f"{_REPORTS}/report/{quoted(workflow_id)}/{quoted(run_id)}/{resource}"


def _ids(job: Job) -> tuple[str, str]:
    """Workflow id and run id; the first holds no slash, the second (base64) may."""
    workflow_id, _, run_id = str(job["job_id"]).partition("/")
    if not workflow_id or not run_id:
        raise Refusal("invalid", f"the job_id {job['job_id']!r} is not <workflowId>/<runId>")
    return workflow_id, run_id


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _envelope(answer: Answer) -> Mapping[str, Any]:
    """What every answer but a file is wrapped in."""
    body = answer.json()
    if not isinstance(body, Mapping) or body.get("status") is None:
        raise Refusal(
            "unavailable",
            "the answer has no status, which says PASS or not in every answer of the vendor's; it says: "
            f"{words_of(answer)}",
            status=answer.status,
        )
    return body


def _message(envelope: Mapping[str, Any]) -> str:
    return str(envelope.get("message") or "it gives no message")


def _no(envelope: Mapping[str, Any]) -> str | None:
    """The vendor's words if the envelope says something else than PASS."""
    word = str(envelope["status"])
    return None if word.strip().upper() == "PASS" else f"{word}: {_message(envelope)}"


def content(job: Job) -> File:
    """The export's file, byte for byte, or JSON lines made of its array."""
    file_format = job["report"]["params"]["file_format"]
    return File(
        open=lambda: _open(job, file_format),
        file_format=file_format,
        lines_from="" if file_format == "jsonl" else None,
    )


def _open(job: Job, file_format: str) -> Operation[Answer]:
    """Ask for the newest access token, then for the file.

    Lifetime and rules of that token are documented nowhere. Where it is refused, with a status or with an
    envelope, a newer one is asked for once; then the company key may still do, as in the seed's own command.
    """
    path, tried = _path(job, "download"), set[str]()
    for _ in range(_TOKENS):
        found, token_query = yield from _poll(job)
        if found["state"] != "ready":
            said = (
                f"{found['vendor_status']} ({found['reason']})" if found["reason"] else found["vendor_status"]
            )
            raise Refusal(NO_FILE[found["state"]], f"the workflow's status is {said}, so it has no file")
        if token_query is None or token_query in tried:
            break
        tried.add(token_query)
        try:
            return _checked((yield _download(f"{path}?{token_query}")), file_format)
        except Refusal as refusal:
            if refusal.passing or refusal.kind in {"incomplete", "undecodable"}:
                raise
    return _checked((yield _download(path)), file_format)


def _download(target: str) -> Request:
    return Request("GET", target, headers={"Accept": "*/*"}, redirects="followed", stream=True)


#: how an answer starts that is an envelope; exports are arrays or CSV
_ENVELOPE = re.compile(rb'\s*\{\s*"(status|request|message|result)"\s*:')


def _is_envelope(head: bytes) -> bool:
    """Tell an envelope from a file; one with keys of its own in front is short enough to be read whole."""
    if _ENVELOPE.match(head):
        return True
    try:
        found = json.loads(head) if head.lstrip().startswith(b"{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, Mapping) and {"status", "message"} <= found.keys()


def _checked(answer: Answer, file_format: str) -> Answer:
    """Refuse what is not the file, and which the file's format alone would let pass."""
    head = answer.body.removeprefix(b"\xef\xbb\xbf")
    if _is_envelope(head):
        body = b"".join(_first(answer.chunks or iter((answer.body,)), _LONGEST_ENVELOPE))
        if words := _no(_envelope(replace(answer, body=body))):
            raise Refusal("failed", words, status=answer.status)
        raise Refusal("unavailable", "the download answered with the workflow instead of its file")
    if file_format == "csv" and is_json(head):
        raise Refusal("incomplete", f"CSV was asked for and JSON came: {starting(head)}")
    if file_format == "jsonl" and re.match(rb"\s*\{", head):
        raise Refusal(
            "incomplete",
            "the export is no array of rows, so there are no lines to make of it; file_format='json' lands "
            f"it as it is: {starting(head)}",
        )
    return answer


def _first(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


#: a job that no vendor has
_NO_JOB = f"{_REPORTS}/report/00000000-0000-0000-0000-000000000000/0/status"


def probe(settings: Settings) -> Operation[str]:
    """Ask for the status of a job that doesn't exist: there is no call that only tests credentials.

    401 and 403 say that user or password are wrong; any other answer of the API says that they aren't.
    Whether the company key is right shows only where the vendor's words speak of it.
    """
    try:
        answer = yield Request("GET", _NO_JOB, headers={"Accept": "application/json"})
    except Refusal as refusal:
        if refusal.kind not in {"missing", "invalid"} or not refusal.answered:
            raise
        said, status = refusal.words, refusal.status
    else:
        status = answer.status
        said = _no(_envelope(answer)) or "PASS"
    if "<" in said[:20]:
        raise Refusal(
            "invalid", f"{settings.base_url} answered with a web page ({said}): is it the API's URL?"
        )
    if re.search(r"compan|credential|password|unauthori[sz]ed|denied", said, re.IGNORECASE):
        raise Refusal("authentication", said, status=status)
    return (
        f"{TITLE} at {settings.base_url} takes the user and the password (asked about a job that does not "
        f"exist, it said {said}); a wrong company key may show only with the first export"
    )
