"""Voci V-Spark ``/stats``: daily statistics of folders, one JSON answer labelled text/html. No jobs.

Sources: seed 003 (docs.vocitec.com, "Reference for the /stats API") and, for what it leaves open, the pages
"endpoints", "token types", "/list" and "possible error codes" of the Voci and Medallia manuals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from airflow_provider_contactcenter.nouns import Job, Report, Span, Status, new_job, span_of
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import (
    Answer,
    Operation,
    Request,
    excerpt,
    quoted,
    starting,
)
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind

TITLE = "V-Spark"

#: Errors are text, which says more than the status: a bad token is a 400 here ("possible error codes").
_MEANINGS: Sequence[tuple[str, RefusalKind]] = (
    (r"\btoken\b", "authentication"),
    (r"\bnot found\b", "missing"),
)


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: API base, http where the host names no scheme ("endpoints"), and the token."""
    return Settings(
        vendor="vspark",
        conn_id=fields.conn_id,
        base_url=fields.url(scheme="http"),
        password=fields.need("password", "the root token or the company's token"),
        **fields.transport(),
    )


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the token to the query, the only place where the API takes it."""
    return replace(request, params=[*request.params, ("token", str(settings.password))])


def submit(report: Report, label: str | None) -> Operation[Job]:
    """There is nothing to submit."""
    yield from ()
    return new_job(report, None)


def status(job: Job) -> Operation[Status]:
    """Statistics are there at any time."""
    yield from ()
    return Status(state="ready", vendor_status=None, reason=None)


def daterange(span: Span, timezone: str) -> str:
    """The window's whole days in ``timezone`` as ``START-END``, the last day included.

    Both ends are always sent, equal ones for one day: the two manuals differ about every other form.
    """
    zone = ZoneInfo(timezone)
    start, end = (bound.astimezone(zone).date() for bound in (span.start, span.end))
    return f"{start:%Y%m%d}-{end - timedelta(days=1):%Y%m%d}"


def content(job: Job) -> File:
    """The answer byte for byte, or a line for each of its elements; its shape is documented nowhere."""
    params = job["report"]["params"]
    names = [params[name] for name in ("company", "organization", "folder") if params[name]]
    request = Request(
        "GET",
        "/stats/" + "/".join(quoted(name) for name in names),
        params=[("daterange", daterange(span_of(job["report"]), params["timezone"]))],
        stream=True,
    )
    return File(
        open=lambda: _ask(request),
        file_format=params["file_format"],
        lines_from="" if params["file_format"] == "jsonl" else None,
        rows_at=None,
        blank="the vendor answered with an empty body, which was taken for no calls in the whole window",
    )


def _ask(request: Request) -> Operation[Answer]:
    """Send a request; what comes with HTTP 200 and is not JSON is an error all the same."""
    try:
        answer = yield request
    except Refusal as refusal:
        if refusal.kind != "invalid" or not refusal.answered:
            raise
        raise refusal.but(_meaning(refusal.words)) from None
    head = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if answer.status < 300 and head and not head.startswith((b"[", b"{")):
        text = excerpt(head)
        # A page may come from a proxy and speak of anything, a line of text is V-Spark's own.
        kind = None if head.startswith(b"<") else _meaning(text)
        shown = text if kind else starting(head)  # perhaps no error at all, but rows in another format
        raise Refusal(
            kind or "unavailable", f"HTTP {answer.status} and no JSON: {shown}", status=answer.status
        )
    if said := _error_in(head):
        text = excerpt(said.encode())
        raise Refusal(_meaning(text) or "unavailable", f"HTTP {answer.status} and an error: {text}")
    return answer


def _error_in(head: bytes) -> str | None:
    """The words of a JSON error: an object that begins with them, or has them and nothing that has parts.

    Errors are text here as far as the documents go, so this is for what may stand in front of the API.
    """
    if begins := _ERROR.match(head):
        return begins[1].decode("utf-8", "replace")
    try:
        found = json.loads(head) if head.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None  # longer than the first look, or broken, which shows when it is read
    if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
        return None
    return next((said for name in _ERRORS if isinstance(said := found.get(name), str) and said), None)


#: members that hold the words of a JSON error
_ERRORS = ("error_description", "error", "errors", "message")
_ERROR = re.compile(rb'\{\s*"(?:error|errors|message)"\s*:\s*"((?:[^"\\]|\\.)+)"')


def _meaning(text: str) -> RefusalKind | None:
    return next((kind for words, kind in _MEANINGS if re.search(words, text, re.IGNORECASE)), None)


def list_folders(company: str, organization: str) -> Operation[list[str]]:
    """The folders of an organization; the depth of the answer's nesting varies with that of the path."""
    target = f"/list/{quoted(company)}/{quoted(organization)}/folders"
    body = (yield from _ask(Request("GET", target))).json()
    for name in (company, organization):
        if isinstance(body, Mapping) and name in body:
            body = body[name]
    if not isinstance(body, list) or not all(isinstance(name, str) for name in body):
        raise Refusal("unavailable", "the list of folders is no list of names")
    return body


def probe(settings: Settings) -> Operation[str]:
    """List the companies that the token may read: any valid token may, and only the token can be wrong."""
    body = (yield from _ask(Request("GET", "/list"))).json()
    names = ", ".join(sorted(str(name) for name in body)) if isinstance(body, list | Mapping) else ""
    return f"{TITLE} at {settings.base_url} takes the token, which may read {names or 'no company'}"
