"""8x8 Contact Center Historical Analytics: summary and detailed reports.

Sources: seed 000 ("CC Historical Analytics Summary Report", developer.8x8.com) and, for what it leaves open,
the vendor's pages "OAuth Authentication for 8x8 XCaaS APIs" and "CC Historical Analytics Detailed Report".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from airflow_provider_contactcenter.nouns import Job, Report, Span, State, Status, new_job, span_of
from airflow_provider_contactcenter.vendors.protocol.connection import (
    ConnectionFields,
    Settings,
    Token,
)
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
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
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of
from airflow_provider_contactcenter.vendors.protocol.written import raw

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

#: rows of a page at most, of summary and detailed reports alike
PAGE_SIZE = 1000
#: where the vendor cuts a summary report's JSON, without a word (seed 000, "6a")
CAP = 10_000

#: marks the rows of a summary report that sum up others; no column of the vendor's begins with "_"
TOTAL_MARK = "_total"

#: file format -> what to accept at ``/download`` (seed 000, "6b")
DOWNLOADS = {"csv": "text/csv", "xlsx": "text/xlsx"}

#: The vendor also speaks XML.
_JSON = {"Accept": "application/json"}

_PRODUCT = (
    "The API key needs the product 'analytics realtime-api' (8x8 Admin Console, API keys), and a new key "
    "works after some minutes"
)
#: words of a refusal, or its status -> what to do about it
_ADVICE = (
    (
        "x-tenant-info",
        "The connection's extra 'tenant_id' (sent as X-Tenant-Info) has to hold the id of the tenant",
    ),
    (
        "time ?zone",
        "The report's timezone has to be the tenant's default zone or one of its configured optional zones",
    ),
    ("^http (401|403)", _PRODUCT),
)


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
            f"Login is the API key, password its secret. {_PRODUCT}", "authentication"
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


def _ask(request: Request) -> Operation[Answer]:
    """Send a request; a refusal gets what to do about it."""
    try:
        answer = yield request
    except Refusal as refusal:
        advice = [text for words, text in _ADVICE if re.search(words, refusal.words, re.IGNORECASE)]
        if refusal.passing or not advice:
            raise
        raise refusal.advised(advice[0]) from None
    return answer


# --- what there is ------------------------------------------------------------------------------------------


def report_types() -> Operation[list[dict[str, Any]]]:
    """The definitions of all report types that the tenant offers, summary and detailed."""
    answer = yield from _ask(Request("GET", "/report-types", headers=_JSON))
    types = answer.json()
    if not isinstance(types, list):
        raise Refusal("unavailable", f"the answer to report-types is no list; it says: {words_of(answer)}")
    return [definition for definition in types if isinstance(definition, dict)]


def _definition(report_type: str) -> Operation[Mapping[str, Any]]:
    try:
        answer = yield from _ask(Request("GET", f"/report-types/{quoted(report_type)}", headers=_JSON))
    except Refusal as refusal:
        if refusal.kind not in {"missing", "invalid"} or "x-tenant-info" in refusal.words.lower():
            raise
        types = []
    else:
        body = answer.json()
        types = [found for found in (body if isinstance(body, list) else [body]) if isinstance(found, dict)]
    if not types:
        types = yield from report_types()
    for definition in types:
        if definition.get("type", report_type) == report_type:
            return definition
    raise _not_offered("report_type", report_type, [str(found.get("type")) for found in types])


def _not_offered(name: str, value: str, offered: Collection[str]) -> Refusal:
    return Refusal(
        "invalid",
        f"{name}={value!r} is not offered to this tenant, which has {', '.join(offered) or 'none'}",
    )


def check_offered(kind: str, params: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Compare a report with the definition of its type.

    What a definition leaves out isn't compared: the documents show two shapes and may add more.

    :raises Refusal: (invalid) the tenant doesn't offer what the report asks for; names what it does.
    """
    groupings = dict(_grouping(found) for found in definition.get("groupBy") or ())
    searches = definition.get("searchQuery")
    searches = searches if isinstance(searches, Mapping) else {}
    detailed = bool(searches) and not groupings
    if detailed != (kind == "detailed") and (groupings or searches):
        other = "detailed" if detailed else "summary"
        raise Refusal(
            "invalid",
            f"report_type={params['report_type']!r} is a {other} report: ask for it with "
            f"eight_by_eight_{other}_report",
        )
    wanted: list[tuple[str, Sequence[str], Collection[str]]] = [
        # The seed's prose calls the list "value", its example "metrics".
        ("metrics", params["metrics"] or (), _names(definition.get("metrics") or definition.get("value"))),
    ]
    if kind == "summary":
        wanted.append(("group_by", [params["group_by"]], groupings))
        filters = groupings.get(params["group_by"])
        for name in params["filters"] or {}:
            if filters is not None and name not in filters:
                raise _not_offered(f"with group_by={params['group_by']!r} the filter", name, filters)
    else:
        terms = params["search"] or ()
        for one, several in (("field", "fields"), ("operator", "operators")):
            wanted.append((f"search {one}", [term[one] for term in terms], _names(searches.get(several))))
    for name, values, offered in wanted:
        for value in values:
            if offered and value not in offered:
                raise _not_offered(name, value, offered)


def _grouping(found: Any) -> tuple[str, list[str] | None]:
    """The name of a grouping and its filters; None where the definition doesn't speak of any."""
    if not isinstance(found, Mapping):
        return str(found), None
    filters = found.get("filters")
    return str(found.get("name")), None if filters is None else _names(filters)


def _names(found: Any) -> list[str]:
    """What a definition lists: plain strings, or objects with a name, as its groupings are."""
    return [str(item.get("name") if isinstance(item, Mapping) else item) for item in found or ()]


# --- submitting ---------------------------------------------------------------------------------------------


def date_range(span: Span) -> dict[str, str]:
    """8x8's bounds: both are included, at millisecond precision, so the end is sent as ``end - 1 ms``."""
    return {"start": _bound(span.start), "end": _bound(span.end - timedelta(milliseconds=1))}


def _bound(instant: datetime) -> str:
    moment = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"  # cuts start and end alike


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
    definition = yield from _definition(params["report_type"])
    check_offered(report["kind"], params, definition)
    answer = yield from _ask(
        Request(
            "POST",
            "/detailed-reports" if _synchronous(report) else "",
            headers=_JSON,
            json=body_of(report, label),
            idempotent=False,
        )
    )
    made = _object_in(answer)
    if made.get("id") in (None, ""):  # 0 is an int64 like any other
        raise Refusal(
            "lost",
            f"the report was accepted, but the answer holds no id; it says: {words_of(answer)}",
            status=answer.status,
        )
    if _status_in(made)["state"] == "failed":
        reason = made.get("reason") or "the vendor gives no reason"
        raise Refusal("failed", f"report {made['id']} is {made['status']}: {reason}")
    return new_job(report, str(made["id"]))


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
        answer = yield from _ask(Request("GET", f"{_path(job)}/status", headers=_JSON))
    except Refusal as refusal:
        if not _synchronous(job["report"]) or refusal.kind not in {"missing", "invalid"}:
            raise
        yield from _ask(
            Request("GET", f"/detailed-reports{_path(job)}/data", params=(("size", "1"),), headers=_JSON)
        )
        return Status(state="ready", vendor_status="DONE", reason=None)
    body = _object_in(answer)
    if not body.get("status"):
        raise Refusal(
            "unavailable", f"the answer holds no status; it says: {words_of(answer)}", status=answer.status
        )
    return _status_in(body)


def _path(job: Job) -> str:
    return f"/{quoted(str(job['job_id']))}"


# --- fetching -----------------------------------------------------------------------------------------------


def content(job: Job) -> File | Pages:
    """CSV and XLSX come as one file; JSON lines are made of pages."""
    file_format = job["report"]["params"]["file_format"]
    if file_format in DOWNLOADS:
        return File(open=lambda: _download(job, file_format), file_format=file_format)
    if _synchronous(job["report"]):
        return Pages(page=lambda cursor: _detailed_page(job, cursor))
    return Pages(page=lambda cursor: _summary_page(job, cursor))


def _download(job: Job, file_format: str) -> Operation[Answer]:
    answer = yield from _ask(
        Request(
            "GET",
            f"{_path(job)}/download",
            headers={"Accept": DOWNLOADS[file_format]},
            redirects="followed",
            stream=True,
        )
    )
    if is_json(answer.body):
        said = f"the download answered with JSON instead of the file: {words_of(answer)}"
        raise Refusal("unavailable", said)
    if answer.chunks is not None and not answer.body:
        next(answer.chunks, None)  # raises what broke the body off, if something did
        # Without rows there are still the columns' names ("6b", and the guide "download").
        raise Refusal("unavailable", "the download is empty: not even the columns' names came")
    return answer


@dataclass(frozen=True)
class Summarized:
    """How far the pages of a summary report have been read."""

    #: the page to ask for
    number: int = 0
    #: rows of the pages before
    rows: int = 0
    #: how many of them sum up others
    sums: int = 0
    #: whether a link led here
    linked: bool = False
    #: the total that the vendor gave first
    total: int | None = None


def _summary_page(job: Job, cursor: Summarized | None) -> Operation[Page]:
    """A page by its number."""
    before = cursor or Summarized()
    number = before.number
    answer = yield from _page_asked(
        Request(
            "GET",
            f"{_path(job)}/data",
            params=(("page", str(number)), ("size", str(PAGE_SIZE))),
            headers=_JSON,
        ),
        begun=number > 0,
    )
    params = job["report"]["params"]
    rows, new_sums = _rows_in(answer, marked=params["include_subtotals"] or params["include_grand_total"])
    total, pages = _number(answer, "x-total-elements"), _number(answer, "x-total-pages")
    walked, sums = before.rows + len(rows), before.sums + new_sums
    if max(walked, total or 0) >= CAP:
        raise Refusal(
            "capped",
            f"the vendor cuts its JSON at {CAP:,} rows, and this report has {max(walked, total or 0):,}; use "
            'file_format="csv", which has no cap',
        )
    if _number(answer, "x-page") not in (None, number):
        raise Refusal("incomplete", f"page {number} was asked for, page {answer.headers['x-page']} came")
    full, link = _is_full(answer, rows), "next" in _links_in(answer)
    signs = [
        # "Will not be present if there are no more pages" ("6a"): true of a vendor that sends links at all,
        # and no proof that a full page was the last.
        link or (False if before.linked and not full else None),
        None if pages is None else number + 1 < pages,
        None if total is None else walked < total,
    ]
    # Where nothing is said about further pages, a full one may have a successor.
    more = any(signs) if any(sign is not None for sign in signs) else bool(rows) and full
    if more and not rows:
        raise Refusal("incomplete", f"page {number} is empty, though more rows were announced")
    first = total if before.total is None else before.total
    if more:
        return Page(rows, Summarized(number + 1, walked, sums, link, first))
    # No document says whether rows that sum up others are among the vendor's elements.
    return Page(rows, None, walked if first == walked - sums else first)


def _is_full(answer: Answer, rows: Sequence[Any]) -> bool:
    """Whether a page holds as many rows as a page may: if nothing else is said, others may follow."""
    return len(rows) >= (_number(answer, "x-page-size") or PAGE_SIZE)


def _page_asked(request: Request, *, begun: bool) -> Operation[Answer]:
    """Ask for a page. Once rows have come, a refusal isn't one of the report's parameters."""
    try:
        return (yield from _ask(request))
    except Refusal as refusal:
        if not (begun and refusal.answered and refusal.kind in {"invalid", "missing"}):
            raise
        raise refusal.but("incomplete", f"the pages broke off: {refusal.words}") from None


def _detailed_page(job: Job, cursor: str | None) -> Operation[Page]:
    """A page by the last row's id, which the first page must not name; the last page gives none."""
    params = [("size", str(PAGE_SIZE))]
    if cursor is not None:
        params.append(("lastDocumentId", cursor))
    answer = yield from _page_asked(
        Request("GET", f"/detailed-reports{_path(job)}/data", params=params, headers=_JSON),
        begun=cursor is not None,
    )
    rows, _ = _rows_in(answer)
    last, link = answer.headers.get("last-document-id", "").strip(), _links_in(answer).get("next")
    if not last and link:
        last = parse_qs(urlsplit(link.replace("+", "%2B")).query).get("lastDocumentId", [""])[0]
    if "%" in last:
        last = unquote(last)  # base64 has none, so it came percent-encoded
    if link and not (rows and last):
        raise Refusal("incomplete", "the vendor names a next page, but this one has no rows or no cursor")
    total = _number(answer, "x-total-elements")
    if rows and not last and total is None and _is_full(answer, rows):
        # The documents give each page a total, so that a full one may be the last; here headers went missing.
        raise Refusal(
            "incomplete",
            f"a full page of {len(rows)} rows came without Last-Document-Id and X-Total-Elements, so that "
            "more may follow; see whether a proxy strips headers of the vendor's",
        )
    return Page(rows, last or None if rows else None, total)


class _Item(msgspec.Struct, gc=False):
    key: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Row(msgspec.Struct, gc=False):
    items: list[_Item] | dict[str, msgspec.Raw] | None
    total: Any = None
    totals: Any = None


_PAGE = msgspec.json.Decoder(list[_Row])


def _rows_in(answer: Answer, *, marked: bool = False) -> tuple[list[Any], int]:
    """The rows of a page, a hundred values each, and how many of them sum up others.

    They are read at once, or one by one where something is odd.
    """
    page = answer.decoded(_PAGE)
    rows = [] if page is None else [flat(row, marked=marked) for row in page]
    odd = page is None or any(msgspec.UNSET in row.values() for row in rows)
    if odd:
        body = answer.written()
        if not isinstance(body, list):
            raise Refusal(
                "unavailable", f"the answer to data is no list of rows; it says: {words_of(answer)}"
            )
        try:
            rows = [flat(_row_of(row), marked=marked) for row in body]
        except (AttributeError, KeyError, TypeError):
            raise Refusal("unavailable", "a row is not made of items with key and value") from None
    sums = sum(1 for row in rows if row.get(TOTAL_MARK))
    return [raw(row) for row in rows] if odd else rows, sums


def _row_of(row: Any) -> _Row:
    """A row of a page that has been read as a whole."""
    items: Any = row["items"] or {}
    if not isinstance(items, dict):
        items = [_Item(item["key"], _value_of(item)) for item in items]
    return _Row(items, row.get("total"), row.get("totals"))


def _value_of(item: Mapping[str, Any]) -> Any:
    """An item's value; where there is nothing but key and label, a null was left out."""
    return None if item.keys() <= {"key", "label"} else item["value"]


def flat(row: _Row, *, marked: bool = False) -> dict[str, Any]:
    """One object of a row, whose ``items`` are a list of key, label and value, or an object already.

    Rows that sum up others hold the vendor's ``total`` under ``_total``, before their columns; with
    ``marked`` all rows do, the others with None. Where a key comes again with another value, that one
    is kept as ``<key>#2``.
    """
    items, total = row.items or {}, row.total or row.totals
    start: dict[str, Any] = {TOTAL_MARK: total} if marked or total is not None else {}
    made = start | (items if isinstance(items, dict) else {item.key: item.value for item in items})
    if len(made) == len(start) + len(items):
        return made
    made = start
    pairs = items.items() if isinstance(items, dict) else [(item.key, item.value) for item in items]
    for key, value in pairs:
        name, count = key, 1
        while name in made and made[name] != value:
            count += 1
            name = f"{key}#{count}"
        made[name] = value
    return made


def _number(answer: Answer, header: str) -> int | None:
    value = answer.headers.get(header, "").strip()
    return int(value) if value.isascii() and value.isdigit() else None


def _links_in(answer: Answer) -> dict[str, str]:
    """The links of a header by their relation. The seed closes one bracket behind the relation."""
    link = r'<\s*([^<>;,\s]+)\s*(?:>\s*)?;\s*rel\s*=\s*"?([A-Za-z]+)"?'
    return {relation: url for url, relation in re.findall(link, answer.headers.get("link", ""))}
