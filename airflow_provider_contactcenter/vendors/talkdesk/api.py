"""Talkdesk Explore, data reports: create a job, poll it, fetch its file over one or two redirects.

Sources: seed 004 ("check a report status", docs.talkdesk.com) and, for what it leaves open, the pages
"execute a report", "download a report" and "client credentials, basic" on docs.talkdesk.com.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from airflow_provider_contactcenter.nouns import (
    Job,
    Report,
    Span,
    State,
    Status,
    in_milliseconds,
    new_job,
    span_of,
)
from airflow_provider_contactcenter.vendors.protocol.connection import (
    ConnectionFields,
    Settings,
    Token,
)
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import (
    Answer,
    Operation,
    Request,
    is_json,
    quoted,
    words_of,
)
from airflow_provider_contactcenter.vendors.protocol.oauth import (
    bearer,
    client_credentials,
    granted,
    token_of,
)
from airflow_provider_contactcenter.vendors.protocol.refusals import NO_FILE, Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of

TITLE = "Talkdesk Explore"

#: Rows of the last five minutes may still be missing ("execute a report", newer capture).
SETTLE_DELAY = timedelta(minutes=5)

#: region -> (API base, token host of an account): "how to guarantee your app works in all regions",
#: "client credentials, basic". Canada's names have no dot before "ca".
REGIONS = {
    "us": ("https://api.talkdeskapp.com", "https://{account}.talkdeskid.com/oauth/token"),
    "eu": ("https://api.talkdeskapp.eu", "https://{account}.talkdeskid.eu/oauth/token"),
    "ca": ("https://api.talkdeskappca.com", "https://{account}.talkdeskidca.com/oauth/token"),
}

#: The seed prints two lists that differ in case and length; this is their union. "sending" comes from the
#: predecessor API, "cancelled" is the other spelling.
STATES: Mapping[str, State] = {
    "created": "queued",
    "processing": "running",
    "uploading": "running",
    "sending": "running",
    "done": "ready",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "deleted": "expired",
}

#: characters of a report's name ("execute a report", older capture)
LONGEST_NAME = 256

_SCOPES = ("data-reports:read", "data-reports:write")


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: API base from host or region, token host from account and region or auth_url."""
    region = (fields.optional("region") or "us").lower()
    if region not in REGIONS:
        raise Refusal(
            "invalid", f"the connection's region {region!r} is not known: it is one of {', '.join(REGIONS)}"
        )
    api_base, token_host = REGIONS[region]
    auth_url = fields.auth_url()
    if auth_url is None:
        account = fields.need("account", "the account's sub-domain, the first part of the token host's name")
        if not re.fullmatch(r"[A-Za-z0-9-]+", account):
            raise Refusal("invalid", f"the connection's account {account!r} is no sub-domain")
        auth_url = token_host.format(account=account)
    return Settings(
        vendor="talkdesk",
        conn_id=fields.conn_id,
        base_url=fields.url(default=api_base),
        auth_url=auth_url,
        login=fields.need("login", "the OAuth client id"),
        password=fields.need("password", "the OAuth client secret"),
        extra={"scope": scope} if (scope := fields.optional("scope")) else {},
        **fields.transport(),
    )


def authenticate(settings: Settings) -> Operation[Token]:
    """Client credentials: Basic header, form body. There is no refresh token."""
    grant = yield from _ask_for_token(settings)
    # The documents give no lifetime; 599 s is what the vendor's clients fall back to.
    return token_of(grant, 599.0)


def _ask_for_token(settings: Settings) -> Operation[Mapping[str, Any]]:
    """What the token endpoint grants."""
    try:
        answer = yield client_credentials(settings, settings.extra.get("scope"))
    except Refusal as refusal:
        # The token endpoint says 400 where others say 401 ("client credentials").
        if refusal.passing or not refusal.answered:
            raise
        raise refusal.but("authentication") from None
    return granted(answer)


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the bearer token."""
    return replace(request, headers={**request.headers, **bearer(token)})


def timespan(span: Span, timezone: str) -> dict[str, str]:
    """Talkdesk's bounds: ``from`` is included, ``to`` is not, like the window's own.

    Which wins, an offset in the bounds or ``timezone``, is documented nowhere. Bounds written in that
    zone with its offset mean the same instant either way.
    """
    zone, span = ZoneInfo(timezone), in_milliseconds(span)
    return {"from": _bound(span.start, zone), "to": _bound(span.end, zone)}


def _bound(instant: datetime, zone: ZoneInfo) -> str:
    moment = instant.astimezone(zone)
    written = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return re.sub(r"\+00:00$", "Z", written) if moment.utcoffset() == UTC.utcoffset(None) else written


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Create the report job; 202 carries it at the top level or under ``job``."""
    params = report["params"]
    body: dict[str, Any] = {
        "timezone": params["timezone"],
        "format": "json" if params["file_format"] == "jsonl" else params["file_format"],
        "timespan": timespan(span_of(report), params["timezone"]),
    }
    if name := params["name"] or label:
        body["name"] = name[:LONGEST_NAME]
    answer = yield Request(
        "POST",
        f"/data/reports/{quoted(params['report_type'])}/jobs",
        headers={"Accept": "application/json"},
        json=body,
        redirects="told",
        idempotent=False,
    )
    try:
        job_id = _job_in(answer.json()).get("id")
    except Refusal:
        job_id = None
    if not isinstance(job_id, str | int) or not str(job_id).strip():
        # No body, or none that tells: the place of the new job tells too.
        place = re.search(r"/jobs/([^/]+)/?$", urlsplit(answer.link or "").path)
        job_id = unquote(place[1]) if place else None
    if job_id is None and answer.status >= 300:
        raise Refusal(
            "invalid",
            f"the API redirects (HTTP {answer.status}) instead of taking the report",
            status=answer.status,
            advice="Correct the connection's host.",
        )
    if job_id is None:
        raise Refusal(
            "lost",
            f"the report was accepted (HTTP {answer.status}), but the answer holds no job id; it says: "
            f"{words_of(answer)}",
            status=answer.status,
        )
    return new_job(report, str(job_id))


def _job_in(body: Any) -> Mapping[str, Any]:
    """The job in a body that wraps it, as the seed has it, or doesn't, as "execute a report" has it."""
    if not isinstance(body, Mapping):
        return {}
    job = body.get("job")
    return job if isinstance(job, Mapping) else body


def status(job: Job) -> Operation[Status]:
    """Poll: a redirect means done (the seed prints 300, its sibling page 303); so does 200 with ``done``."""
    found, _ = yield from _poll(job)
    return found


def _poll(job: Job) -> Operation[tuple[Status, str | None]]:
    """The job's status and, when it is ready, where its file is said to be (an absolute URL)."""
    answer = yield Request(
        "GET", _path(job, "jobs"), headers={"Accept": "application/json"}, redirects="told"
    )
    # A redirect to the job itself (another spelling of its address, a loop) says nothing about it.
    itself = _leads_to(answer.link, _path(job, "jobs"))
    # Neither does a 304, with which a cache speaks of itself.
    redirect = 300 <= answer.status < 400 and answer.status != 304 and not itself
    # The file itself, as an endpoint (or a proxy that follows its redirect) would answer with it at once.
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    file = bool(answer.body.strip()) and media in _FILE_TYPES
    try:
        body = answer.json() if answer.body.strip() else {}
    except Refusal:
        if answer.status < 300 and not file:
            raise
        body = {}
    word = _job_in(body).get("status")
    word = str(word) if word else None
    if word is None and (redirect or file or (isinstance(body, Mapping) and "entries" in body)):
        return Status(state="ready", vendor_status=str(answer.status), reason=None), answer.link
    found = status_of(STATES, word)
    if redirect and found["state"] in ("queued", "running"):
        found["state"] = "ready"
    return found, answer.link


#: what object storage calls a file, and no endpoint a job
_FILE_TYPES = frozenset({"text/csv", "application/csv", "application/octet-stream", "binary/octet-stream"})


def _leads_to(link: str | None, path: str) -> bool:
    """Whether a link names this path, below whatever prefix and however it is percent-encoded."""
    return link is not None and unquote(urlsplit(link).path).rstrip("/").endswith(unquote(path))


def _path(job: Job, resource: str) -> str:
    report_type = job["report"]["params"]["report_type"]
    if not job["job_id"]:
        raise Refusal("invalid", "the job has no job_id, which every Talkdesk report has")
    return f"/data/reports/{quoted(report_type)}/{resource}/{quoted(str(job['job_id']))}"


def content(job: Job) -> File:
    """The report's file, byte for byte, or JSON lines made from json's ``entries``."""
    file_format = job["report"]["params"]["file_format"]
    return File(
        open=lambda: _open(job, file_format),
        file_format=file_format,
        lines_from="entries" if file_format == "jsonl" else None,
    )


def _open(job: Job, file_format: str) -> Operation[Answer]:
    """Follow the finished poll to the file.

    Each hop may name another host than the connection's (documents do). The files endpoint is always asked
    for at the connection's own base; anything else is object storage and gets no credentials.
    """
    found, location = yield from _poll(job)
    if found["state"] != "ready":
        raise Refusal(
            NO_FILE[found["state"]], f"the job's status is {found['vendor_status']}, so it has no file"
        )
    target = _path(job, "files")
    if location and not _leads_to(location, target) and not _leads_to(location, _path(job, "jobs")):
        target = location
    answer = yield Request("GET", target, headers={"Accept": "*/*"}, redirects="followed", stream=True)
    if _is_job(answer.body):
        # "download a report" also lists a 200 whose body is the job, which can't be the file.
        raise Refusal("unavailable", "the files endpoint answered with the job instead of its file")
    if file_format == "csv" and is_json(answer.body):
        said = f"CSV was asked for and JSON came: {words_of(answer)}"
        raise Refusal("unavailable", said, status=answer.status)
    return answer


def _is_job(head: bytes) -> bool:
    """Tell the job from its file: like a submit's answer it may be wrapped, or stand at the top level."""
    if re.match(rb'\s*\{\s*"(job|_links)"\s*:', head):
        return True
    try:
        found = json.loads(head) if head.startswith(b"{") and head.rstrip().endswith(b"}") else None
    except (ValueError, RecursionError):
        return False  # longer than a job, or several lines
    return isinstance(found, dict) and "entries" not in found and _job_in(found).keys() >= _JOB


#: what a job has, and a row of a report doesn't
_JOB = {"id", "status", "timespan"}


def probe(settings: Settings) -> Operation[str]:
    """Ask for a token and compare its scope with what reports need."""
    grant = yield from _ask_for_token(settings)
    granted = str(grant.get("scope") or "").split()
    missing = [scope for scope in _SCOPES if granted and scope not in granted]
    if missing:
        raise Refusal(
            "permission", f"the client lacks the scope {' and '.join(missing)}; it has {' '.join(granted)}"
        )
    return f"{TITLE} issued a token for {settings.base_url}"
