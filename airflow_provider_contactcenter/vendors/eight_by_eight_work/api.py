"""8x8 Work Analytics Historical: call legs and call records by scroll pages, summaries in one array.

Sources: seed 002 ("Call Legs", developer.8x8.com) and, for what it leaves open, the vendor's Work Analytics
guides and OpenAPI. There are no jobs: what is asked for is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from airflow_provider_contactcenter.checks import wall_clock
from airflow_provider_contactcenter.nouns import Job, Report, Span, Status, new_job, span_of
from airflow_provider_contactcenter.vendors.eight_by_eight_work import reports
from airflow_provider_contactcenter.vendors.protocol.connection import (
    ConnectionFields,
    Settings,
    Token,
    number,
)
from airflow_provider_contactcenter.vendors.protocol.content import Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import (
    Answer,
    Operation,
    Request,
    starting,
    words_of,
)
from airflow_provider_contactcenter.vendors.protocol.oauth import bearer, granted, token_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind
from airflow_provider_contactcenter.vendors.protocol.written import raw

TITLE = "8x8 Work Analytics"

#: what is asked for -> path. v1/cdr, which served legs and records, is deprecated (seed 002).
PAGED = {"call_legs": "/v2/call-legs", "call_records": "/v2/call-records"}
SUMMARIES = {
    "company": "/v1/compsum",
    "extension": "/v2/extsum",
    "ring-group": "/v2/rgsum-groups",
    "ring-group-member": "/v2/rgsum-members",
}

#: the cursor behind the last page (seed 002)
END = "no data"

_USER = "The user must exist, have access to Work Analytics, and have opened it in a browser at least once"
_ACCESS = "The user needs a licence for Work Analytics and access to every PBX that is asked for"
#: words of a refusal, in lower case -> its kind, what to do about it. The API has 400 for credentials too.
_MEANINGS: tuple[tuple[str, RefusalKind, str], ...] = (
    (
        "8x8-apikey",
        "authentication",
        "The connection's extra 'api_key' has to be a key with Work Analytics (8x8 Admin Console, API keys)",
    ),
    (
        "invalid_grant",
        "authentication",
        _USER,
    ),
    (
        "does not have access",
        "permission",
        _ACCESS,
    ),
    ("http 403", "permission", _ACCESS),
)


# --- connection ---------------------------------------------------------------------------------------------


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: one host for all regions."""
    root = fields.url(default="https://api.8x8.com")
    if "/analytics" in urlsplit(root).path:
        raise Refusal(
            "invalid",
            f"the connection's host {root!r} holds the API's path: give the host alone, such as "
            "https://api.8x8.com",
        )
    base_url = f"{root}/analytics/work"
    return Settings(
        vendor="eight_by_eight_work",
        conn_id=fields.conn_id,
        base_url=base_url,
        auth_url=fields.auth_url(f"{base_url}/v1/oauth/token"),
        login=fields.need("login", "the name of a user with access to Work Analytics"),
        password=fields.need("password", "that user's password"),
        secret={"api_key": fields.need("api_key", "the key made in 8x8 Admin Console")},
        **fields.transport(),
    )


def authenticate(settings: Settings) -> Operation[Token]:
    """User name and password as a form, beside the API key; there is no grant type and no refresh token."""
    try:
        answer = yield Request(
            "POST",
            str(settings.auth_url),
            headers={"8x8-apikey": settings.secret["api_key"], "Accept": "application/json"},
            form={"username": str(settings.login), "password": str(settings.password)},
            signed=False,
        )
    except Refusal as refusal:
        if refusal.passing or not refusal.answered:
            raise
        # The vendor's words for a user who never opened Analytics are documented nowhere.
        explained = _explained(refusal)
        if explained is refusal:
            explained = refusal.advised(_USER)
        raise explained.but("authentication") from None
    return token_of(granted(answer), 1800.0)  # the lifetime that the seed shows


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the bearer token and the API key: the seed's table of headers lacks the key, its example has it."""
    return replace(
        request,
        headers={
            **request.headers,
            **bearer(token),
            "8x8-apikey": settings.secret["api_key"],
        },
    )


def probe(settings: Settings) -> Operation[str]:
    """Ask for a token. Which PBXes the user may see shows only when one is asked for."""
    yield from authenticate(settings)
    return f"{TITLE} issued a token for {settings.base_url}"


def _explained(refusal: Refusal) -> Refusal:
    for words, kind, advice in _MEANINGS:
        # The token's refusal comes by here again with the request that wanted the token: explained once.
        if words in refusal.words.lower() and not refusal.passing and refusal.advice is None:
            return refusal.advised(advice, kind)
    return refusal


# --- a report without a job ---------------------------------------------------------------------------------


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Nothing is submitted: the job is ready from the start."""
    return new_job(report, None)
    yield


def status(job: Job) -> Operation[Status]:
    """Ready, without a request."""
    return Status(state="ready", vendor_status=None, reason=None)
    yield


def content(job: Job) -> Pages:
    """Pages; a summary is one."""
    report = job["report"]
    caveat = retention_caveat(report["params"]["start"], job["submitted_at"])
    if report["kind"] == "summary":
        return Pages(page=lambda _: _summary(report), caveat=caveat)
    return Pages(page=lambda cursor: _scroll(report, cursor), caveat=caveat)


def retention_caveat(start: str, now: str) -> str | None:
    """What to say of a window that starts before the vendor's two years; None if it doesn't."""
    kept = reports.kept_since(datetime.fromisoformat(now))
    if datetime.fromisoformat(start) >= kept:
        return None
    return (
        f"The window starts at {start}, and 8x8 Work Analytics keeps {reports.RETENTION} years: it "
        f"leaves out what is older than about {kept:%Y-%m-%d} without a word."
    )


# --- requests -----------------------------------------------------------------------------------------------


def wall_clock_bounds(span: Span, timezone: str) -> dict[str, str]:
    """8x8 Work's bounds: wall-clock time in a zone, without an offset.

    Whether they are included is documented nowhere, so both are sent as they are.
    """
    return {
        "startTime": wall_clock("start", span.start, timezone),
        "endTime": wall_clock("end", span.end, timezone),
    }


def parameters(report: Report) -> list[tuple[str, str]]:
    """The query that asks for a report; every page repeats it."""
    params = report["params"]
    bounds = wall_clock_bounds(span_of(report), params["timezone"])
    query: dict[str, Any] = {"pbxId": params["pbx_id"], **bounds, "timeZone": params["timezone"]}
    query["pageSize"] = params.get("page_size")
    query["isConnectTime"] = params.get("by_connect_time")
    query["isSimplified"] = params.get("simplified")
    query["caller"] = params.get("caller")
    query["callee"] = params.get("callee")
    query["callerOrCallee"] = params.get("caller_or_callee")
    query["extId"] = params.get("extension")
    query |= intraday_bounds(params.get("intraday"))
    return [(name, _written(value)) for name, value in query.items() if value is not None]


def intraday_bounds(hours: Mapping[str, str] | None) -> dict[str, str]:
    """The hours of each day that ring groups are summed up for, on the clocks of the report's zone."""
    return {"intraStartTime": hours["start"], "intraEndTime": hours["end"]} if hours else {}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _ask(path: str, params: Sequence[tuple[str, str]]) -> Operation[Answer]:
    try:
        answer = yield Request("GET", path, params=params, headers={"Accept": "application/json"})
    except Refusal as refusal:
        raise _explained(refusal) from None
    return answer


@dataclass(frozen=True, slots=True)
class Scrolled:
    """How far a scroll has been walked."""

    #: what the next page is asked for by
    scroll_id: str
    #: how many rows the first page said there are, None if it didn't
    total: int | None


def _scroll(report: Report, cursor: Scrolled | None) -> Operation[Page]:
    """A page behind a cursor. The page after the last one has no rows and the cursor ``No Data``."""
    query = parameters(report)
    if cursor is not None:
        query.append(("scrollId", cursor.scroll_id))
    try:
        answer = yield from _ask(PAGED[report["kind"]], query)
    except Refusal as refusal:
        if cursor is None or not refusal.answered or refusal.kind not in {"invalid", "missing"}:
            raise
        # Not the end: the rows behind this cursor are missing, and the same scroll can't go on.
        raise refusal.but("incomplete", f"the scroll broke off: {refusal.words}") from None
    meta, rows = _scrolled(answer)
    # Behind the last page the total is 0, so the first page's counts.
    total = _total_in(meta, rows) if cursor is None else cursor.total
    following = str(meta.get("scrollId") or "").strip()
    told = following.lower() == END
    if rows and following and not told:
        return Page(rows, Scrolled(following, total), total)
    if rows and not told and total is None and len(rows) >= report["params"]["page_size"]:
        # The documents give each page with rows a scrollId, the last one too, and the total.
        raise Refusal("incomplete", f"a full page of {len(rows)} rows came without scrollId and total")
    return Page(rows, None, total, caveat=None if told or total is not None else NO_END)


#: said of a scroll that ended in a way that no document shows, where no total proves it
NO_END = (
    "The scroll ended without the cursor No Data, which is the vendor's word for its end, and no total says "
    "how many rows there are: some may be missing."
)


def _total_in(meta: Mapping[str, Any], rows: Sequence[Any]) -> int | None:
    """How many rows the first page says there are; beside rows, 0 says nothing."""
    total = number(meta.get("totalRecordCount"))
    return int(total) if total is not None and (total > 0 or not rows) else None


class _Scrolled(msgspec.Struct):
    meta: dict[str, Any]
    data: list[msgspec.Raw] | None = None


# Rows stay as they are written.
_PAGE = msgspec.json.Decoder(_Scrolled)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


def _are_objects(rows: Sequence[msgspec.Raw]) -> bool:
    return all(memoryview(row)[0] == ord("{") for row in rows)


def _scrolled(answer: Answer) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """The ``meta`` and the rows of a page."""
    page = answer.decoded(_PAGE)
    if page is not None and _are_objects(page.data or ()):
        return page.meta, page.data or ()
    body = answer.written()
    meta, rows = (body.get("meta"), body.get("data")) if isinstance(body, Mapping) else (None, None)
    if not isinstance(meta, Mapping) or not isinstance(rows, list | None):
        raise Refusal("unavailable", f"the answer has no meta and data; it says: {words_of(answer)}")
    if not all(isinstance(row, Mapping) for row in rows or ()):
        raise Refusal("unavailable", "a row is no object")
    return meta, [raw(row) for row in rows or ()]


def _summary(report: Report) -> Operation[Page]:
    """One array; the company's is said to be a single record in one place."""
    summary = report["params"]["summary"]
    answer = yield from _ask(SUMMARIES[summary], parameters(report))
    written = answer.decoded(_ROWS)
    if written is not None and _are_objects(written):
        return Page(written, None)
    body = answer.written()
    # Any other object is no row: a message, or something that holds the rows.
    single = summary == "company" and isinstance(body, Mapping) and "pbxId" in body
    rows = [body] if single else body
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Refusal("unavailable", f"the answer is no array of rows, {starting(answer.body)}")
    return Page([raw(row) for row in rows], None)
