"""8x8 Contact Center Historical Analytics: summary and detailed reports.

Sources: seed 000 ("CC Historical Analytics Summary Report", developer.8x8.com) and, for what it leaves open,
the vendor's pages "OAuth Authentication for 8x8 XCaaS APIs" and "CC Historical Analytics Detailed Report".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

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
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.asking import JSON, PRODUCT, ask, path_of
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.offer import (
    check_offered,
    definition_of,
    report_types,
)
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.pages import detailed_page, summary_page
from airflow_provider_contactcenter.vendors.protocol.connection import (
    ConnectionFields,
    Settings,
    Token,
)
from airflow_provider_contactcenter.vendors.protocol.content import File, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import (
    Answer,
    Operation,
    Request,
    is_json,
    words_of,
)
from airflow_provider_contactcenter.vendors.protocol.oauth import (
    bearer,
    client_credentials,
    granted,
    token_of,
)
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of

TITLE = "8x8 Contact Center"

#: region of the tenant -> what stands in the path (seed 000); the token's endpoint has no region
REGIONS = {"us": "", "eu": "/eu", "au": "/au", "ca": "/ca"}

#: seed 000; QUEUED is in the vendor's OpenAPI only
STATES: Mapping[str, State] = {
    "queued": "queued",
    "in_progress": "running",
    "done": "ready",
    "failed": "failed",
}

#: file format -> what to accept at ``/download`` (seed 000, "6b"; the second is the OpenAPI's)
DOWNLOADS = {"csv": ("text/csv",), "xlsx": ("text/xlsx", "application/vnd.ms-excel")}

# --- connection ---------------------------------------------------------------------------------------------


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: the API below host, region and version; the token beside it, without a region."""
    region = (fields.optional("region") or "us").lower()
    if region not in REGIONS:
        raise Refusal(
            "invalid", f"the connection's region {region!r} is not known: it is one of {', '.join(REGIONS)}"
        )
    version = (fields.optional("api_version") or "v8").lower()
    if not re.fullmatch(r"v?\d+", version, re.ASCII):
        raise Refusal("invalid", f"the connection's api_version {version!r} is no version such as v8")
    root = fields.url(default="https://api.8x8.com")
    if "/analytics" in urlsplit(root).path:
        raise Refusal(
            "invalid",
            f"the connection's host {root!r} holds the API's path: give the host alone, such as "
            "https://api.8x8.com, and the extras region and api_version",
        )
    tenant = fields.optional("tenant_id")
    return Settings(
        vendor="eight_by_eight_cc",
        conn_id=fields.conn_id,
        base_url=f"{root}{REGIONS[region]}/analytics/cc/v{version.lstrip('v')}/historical-metrics",
        auth_url=fields.auth_url(f"{root}/oauth/v2/token"),
        login=fields.need("login", "the API key"),
        password=fields.need("password", "the API key's secret"),
        extra={"tenant_id": tenant} if tenant else {},
        **fields.transport(),
    )


def authenticate(settings: Settings) -> Operation[Token]:
    """Client credentials: Basic header, form body. Numbers come as strings; there is no refresh token."""
    try:
        answer = yield client_credentials(settings)
    except Refusal as refusal:
        # The token endpoint has 400 for what is wrong with the credentials too.
        if refusal.passing or not refusal.answered:
            raise
        raise refusal.advised(
            f"Login is the API key, password its secret. {PRODUCT}", "authentication"
        ) from None
    return token_of(granted(answer), 1799.0)  # the lifetime that the vendor's page shows


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the bearer token and, where the connection names one, the tenant."""
    headers = {**request.headers, **bearer(token)}
    if tenant := settings.extra.get("tenant_id"):
        headers["X-Tenant-Info"] = str(tenant)
    return replace(request, headers=headers)


def probe(settings: Settings) -> Operation[str]:
    """Ask for the report types, which takes a token, the right product and the right tenant."""
    types = yield from report_types()
    return f"{TITLE} offers {len(types)} report types at {settings.base_url}"


# --- submitting ---------------------------------------------------------------------------------------------


def date_range(span: Span) -> dict[str, str]:
    """8x8's bounds: both are included, at millisecond precision, so the end is sent as ``end - 1 ms``."""
    span = in_milliseconds(span)
    return {"start": _bound(span.start), "end": _bound(span.end - timedelta(milliseconds=1))}


def _bound(instant: datetime) -> str:
    moment = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def title_of(params: Mapping[str, Any], label: str | None) -> str:
    """The report's title, made of the label if it has none: the vendor allows few characters."""
    made = re.sub(r"[^A-Za-z0-9 !\-_.*'()]+", "-", label or params["report_type"])[:200].strip(" -")
    return str(params["title"] or made or "report")


def body_of(report: Report, label: str | None) -> dict[str, Any]:
    """The body that submits a report."""
    params = report["params"]
    body: dict[str, Any] = {
        "type": params["report_type"],
        "title": title_of(params, label),
        "dateRange": date_range(span_of(report)),
    }
    optional = {
        "timezone": params["timezone"],
        "intraDayTimeRange": params["intraday"],
        "metrics": params["metrics"],
    }
    body |= {name: value for name, value in optional.items() if value}
    if report["kind"] == "summary":
        body |= _summary_body(params)
    else:
        body |= _detailed_body(params)
    extra = params["extra_body"] or {}
    # None leaves out what is only sent by default.
    return {name: value for name, value in {**body, **extra}.items() if value is not None}


def _summary_body(params: Mapping[str, Any]) -> dict[str, Any]:
    filters = [{"name": name, "values": values} for name, values in (params["filters"] or {}).items()]
    return {
        "granularity": params["granularity"],
        "groupBy": {"name": params["group_by"], "filters": filters},
        "includeSubTotal": params["include_subtotals"],
        "includeGrandTotal": params["include_grand_total"],
    }


def _detailed_body(params: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if params["search"]:
        body["searchQuery"] = params["search"]
    if params["include_participants"]:
        body["includeParticipants"] = True
    shown = {
        "showOngoingInteractions": params["show_ongoing"],
        "showInteractionsStateInTime": params["show_state_in_time"],
    }
    if any(shown.values()):
        body["reportSettings"] = shown
    if params["file_format"] in DOWNLOADS and params["report_type"] != "script-paths":
        # The vendor's OpenAPI demands it of every report that is submitted there; script-paths refuses it.
        body["granularity"] = "none"
    return body


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Compare the report with what the tenant offers, then create it; a 200 carries id and status."""
    params = report["params"]
    definition = yield from definition_of(params["report_type"])
    check_offered(report["kind"], params, definition)
    path = "/detailed-reports" if _synchronous(report) else ""
    answer = yield from _created(path, body_of(report, label))
    made = _object_in(answer)
    if _status_in(made)["state"] == "failed":
        which = "the report" if made.get("id") in (None, "") else f"report {made['id']}"
        reason = made.get("reason") or "the vendor gives no reason"
        raise Refusal("failed", f"{which} is {made['status']}: {reason}")
    if made.get("id") in (None, ""):  # 0 is an int64 like any other
        raise Refusal(
            "lost",
            f"the report was accepted, but the answer holds no id; it says: {words_of(answer)}",
            status=answer.status,
        )
    return new_job(report, str(made["id"]))


def _created(path: str, body: Mapping[str, Any]) -> Operation[Answer]:
    """Submit; once more with a slash at the end of the address, as in the OpenAPI, if it wants one."""
    request = Request("POST", path, headers=JSON, json=body, redirects="told", idempotent=False)
    try:
        answer = yield from ask(request)
    except Refusal as refusal:
        if path or refusal.status not in {404, 405}:
            raise
    else:
        if not 300 <= answer.status < 400:
            return answer
        if path or urlsplit(answer.link or "").path != f"{urlsplit(answer.url).path}/":
            raise Refusal(
                "invalid",
                f"the API redirects (HTTP {answer.status}) instead of taking the report",
                status=answer.status,
                advice="Correct the connection's host.",
            )
    return (yield from _created("/", body))


def _synchronous(report: Report) -> bool:
    """Detailed reports as JSON are made while the vendor answers, and read by other pages."""
    return report["kind"] == "detailed" and report["params"]["file_format"] == "jsonl"


def _object_in(answer: Answer) -> Mapping[str, Any]:
    """The object in a body; the OpenAPI of detailed reports wraps it into a list of one."""
    try:
        body = answer.json()
    except Refusal:
        return {}
    if isinstance(body, list) and body:
        body = body[0]
    return body if isinstance(body, Mapping) else {}


def _status_in(body: Mapping[str, Any]) -> Status:
    word, reason = body.get("status"), body.get("reason")
    return status_of(STATES, str(word) if word else None, str(reason) if reason else None)


def status(job: Job) -> Operation[Status]:
    """Poll. Where a synchronous report's id is unknown there, its data tell: they are there or not."""
    try:
        answer = yield from ask(Request("GET", f"{path_of(job)}/status", headers=JSON))
    except Refusal as refusal:
        if not _synchronous(job["report"]) or refusal.kind not in {"missing", "invalid"}:
            raise
        look = Request("GET", f"/detailed-reports{path_of(job)}/data", params=(("size", "1"),), headers=JSON)
        try:
            yield from ask(look)
        except Refusal as refused:
            if refused.kind != "missing":
                raise
            # It was there when it was submitted.
            raise refused.but("expired", f"the report is gone: {refused.words}") from None
        return Status(state="ready", vendor_status="DONE", reason=None)
    body = _object_in(answer)
    if not body.get("status"):
        raise Refusal(
            "unavailable", f"the answer holds no status; it says: {words_of(answer)}", status=answer.status
        )
    return _status_in(body)


# --- fetching -----------------------------------------------------------------------------------------------


def content(job: Job) -> File | Pages:
    """CSV and XLSX come as one file; JSON lines are made of pages."""
    file_format = job["report"]["params"]["file_format"]
    if file_format in DOWNLOADS:
        return File(open=lambda: _download(job, file_format), file_format=file_format)
    if _synchronous(job["report"]):
        return Pages(page=lambda cursor: detailed_page(job, cursor))
    return Pages(page=lambda cursor: summary_page(job, cursor))


def _download(job: Job, file_format: str) -> Operation[Answer]:
    for media in DOWNLOADS[file_format]:
        try:
            answer = yield from ask(
                Request(
                    "GET",
                    f"{path_of(job)}/download",
                    headers={"Accept": media},
                    redirects="followed",
                    stream=True,
                )
            )
        except Refusal as refusal:
            if refusal.status != 406 or media == DOWNLOADS[file_format][-1]:
                raise
        else:
            break
    if is_json(answer.body):
        said = f"the download answered with JSON instead of the file: {words_of(answer)}"
        raise Refusal("unavailable", said)
    if answer.chunks is not None and not answer.body:
        next(answer.chunks, None)  # raises what broke the body off, if something did
        # Without rows there are still the columns' names ("6b", and the guide "download").
        raise Refusal("unavailable", "the download is empty: not even the columns' names came")
    return answer
