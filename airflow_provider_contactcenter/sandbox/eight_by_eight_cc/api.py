"""8x8 Contact Center Historical Analytics: token, report types, create, status, data, download, links.

Sources: *seed* is the guide "CC Historical Analytics Summary Report", which has authority; *guide* are its
sibling pages (authentication, detailed reports, script paths, glossary); *openapi* is the vendor's OpenAPI
document; *realtime* is the sibling API for real-time metrics, the only one of the family whose error bodies
are documented. They contradict each other in places; each reading is an option, and the default is the
seed's.

Invented, because no document that could be read describes it: the shape of error bodies (realtime's), and
their words except for the two about X-Tenant-Info, the one about `size` and the one about `page`; the words
of the token's errors; that 401, 403, 404, 405 and 406 have a body at all; 403 for a key without the API
product; what is refused beside what the seed's tables forbid: a Content-Type that isn't theirs, a range whose
end is before its start, an intraday range of no length, an unknown filter or metric, a wrap-up filter that
isn't a pair, a zone that isn't configured; that an unknown id in a filter gives no rows; 400 for data or file
before the end; 404 for a report's data at the other's address; the answer of ``/data`` for a detailed type
that was submitted as a file (400); that the JSON of a detailed report has no file; the region in which a
tenant lives answering 404 elsewhere; the numbers of script paths; XML beyond the names of its roots and the
attributes of links.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..data import Content
from ..model import (
    Connections,
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
from ..state import Job, Step, VendorState
from . import body as read
from . import files, rows, tables
from .body import Body
from .detailed import DetailedPlan, detailed_page
from .files import CSV, XLSX, Style
from .rows import Plan
from .wire import (
    DETAILED_ROWS,
    PRODUCT,
    REPORT_ROWS,
    Refused,
    accepted,
    bad,
    guarded,
    rendered,
    version_of,
    wanted,
)

CLIENT_ID = "eght_sandbox-key"
CLIENT_SECRET = "sandbox-8x8-secret"  # noqa: S105
#: the seed's sample id; later ones follow it
FIRST_ID = 2710192
TIMEZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/London",
    "UTC",
)

OPTIONS = {
    # token
    "expires_in": number(1799),  # guide: 1799; openapi: 3600; a string either way
    "token_body": choice("guide", "openapi"),  # the members of the token's answer
    "api_products": texts([PRODUCT]),  # what the key may use; without the right one: 403 (invented)
    "unauthorized_body": choice("message", "empty", "html"),  # of 401; undocumented
    # tenant
    "region": choice(None, "us", "eu", "au", "ca"),  # where the tenant lives; null: everywhere
    "tenants": texts([]),  # the ids of a multitenant customer's tenants; none: single tenant
    "timezones": texts(list(TIMEZONES)),  # the tenant's zones, the default first
    # report types
    "metrics_key": choice("metrics", "value"),  # of definitions; seed: prose says value, samples metrics
    # create
    "required": choice("guide", "openapi"),  # guide: six fields (detailed: four); openapi: three (two)
    "date_format": choice("fraction", "lenient"),  # lenient: fraction may be missing, offset be any
    # how long a month is; either: 28 to 31 days fit both
    "month": choice("either", "calendar", "30", "31"),
    "boolean_strings": flag(True),  # seed: "true" is as good as true; openapi: it isn't
    "string_operators": choice("glossary", "prose"),  # prose: without in and not-in
    "search_fields": choice("filterable", "all"),  # what definitions list; a guide's sample lists all
    "detailed_granularity": choice("optional", "required"),  # of a detailed type submitted as a file
    "detailed_create": choice("object", "array"),  # guide: object; openapi: array of one
    "detailed_ladder": ladder(),  # the way of a detailed report; guide: there is none
    "script_paths_timezone": choice("required", "optional"),  # the guide says both
    # status
    "ladder": ladder(("IN_PROGRESS", 0.6, 0)),  # the way to `end`; openapi has QUEUED too
    "end": text("DONE"),  # a new report's last word: DONE, FAILED, or any other
    "reason": text(None),  # openapi: the reason of FAILED
    "link_form": choice("seed", "standard", "broken", "markdown", "missing"),  # the form of Link headers
    "link_host": choice("own", "vendor"),  # whose host links name
    "script_paths_links": choice("download", "status"),  # guide: only download; elsewhere: status always
    # data
    "not_ready_status": choice(400, 404, 409),  # of data and file before the end
    "items": choice("list", "object", "mixed"),  # the seed has both
    "total_key": choice("total", "totals"),  # seed: total; openapi: totals
    "total_when": choice("always", "requested"),  # seed: samples show null; prose: only where requested
    "none_times": flag(False),  # whether rows have times with granularity none
    "cap": number(10_000),  # seed: so many rows of a report come as JSON
    "total_elements": choice("all", "capped"),  # whether X-Total-Elements knows the cap
    "past_cap": choice("400", "empty"),  # a page beyond the cap
    "empty_pages": choice(1, 0),  # X-Total-Pages of an empty report
    # detailed data
    "durations": choice("object", "text"),  # the guide's samples have both
    "cursor_form": choice("raw", "encoded"),  # Last-Document-Id as it is, or percent-encoded
    # repeated: the cursor that was sent comes back; missing: none; stripped: no total either
    "cursor": choice(
        "next",
        "repeated",
        "missing",
        "stripped",
    ),
    # file
    "download_without_accept": choice("406", "csv", "xlsx"),  # where Accept names neither type
    # seed, openapi, and what it is
    "xlsx_type": choice(
        "text/xlsx",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "csv_header": choice("label", "key"),
    "csv_line_end": choice("\r\n", "\n"),
    "csv_bom": flag(False),
}


def connections(base_url: str) -> Connections:
    """The default connection."""
    return {
        "eight_by_eight_cc_default": {
            "conn_type": "eight_by_eight_cc",
            "host": base_url,
            "login": CLIENT_ID,
            "password": CLIENT_SECRET,
            "extra": {"region": "us", "auth_url": f"{base_url}/oauth/v2/token"},
        }
    }


# Token (guide: OAuth for XCaaS APIs). The host has no region.


def token(state: VendorState, request: Request) -> Reply:
    """``POST /oauth/v2/token``."""
    if request.basic() != (CLIENT_ID, state.secret or CLIENT_SECRET):
        return _problem(401, "invalid_client", "Client credentials are invalid")
    grant = request.form.get("grant_type", "")
    if grant != "client_credentials":
        return _problem(400, "invalid_request", f"Unsupported grant type : {grant}")
    now, lifetime = state.now(), state.options["expires_in"]
    products = list(state.options["api_products"])
    issued = state.tokens.issue(now, lifetime, products)
    seconds = f"{lifetime:g}"
    guide = {
        "access_token": issued.value,
        "token_type": "BearerToken",
        "api_product_list": f"[{', '.join(products)}]",
        "api_product_list_json": products,
        "status": "approved",
        "scope": "",
        "expires_in": seconds,
        "issued_at": str(int(now.timestamp() * 1000)),
        "refresh_token_expires_in": "0",
        "refresh_count": "0",
        "developer.email": "deprecated",
        "client_id": "deprecated",
    }
    openapi = {
        "organization_name": "sandbox",
        "application_name": "sandbox",
        "api_product_list": products,
    }
    dropped = ("api_product_list_json", "developer.email")
    bodies = {
        "guide": guide,
        "openapi": {key: value for key, value in guide.items() if key not in dropped} | openapi,
    }
    return json_reply(bodies[state.options["token_body"]])


def _problem(status: int, code: str, message: str) -> Reply:
    """The token endpoint's errors (openapi)."""
    headers = {"Content-Type": "application/problem+json"}
    return json_reply({"ErrorCode": code, "Error": message}, status, headers)


# Report types (seed).


def report_types(state: VendorState, request: Request) -> Reply:
    """``GET /report-types``."""
    return rendered(request, list(_definitions(state, request).values()), "ApiReportTypeResponse")


def report_type(state: VendorState, request: Request) -> Reply:
    """``GET /report-types/{type}``."""
    found = _definitions(state, request).get(request.segments["type"])
    if found is None:
        raise Refused(404, "Not found")
    return rendered(request, found, "ApiReportTypeResponse")


def _definitions(state: VendorState, request: Request) -> dict[str, dict[str, Any]]:
    """What the version offers, by type."""
    names = {"metrics": state.options["metrics_key"]}
    known = tables.definitions(version_of(request), state.options["search_fields"])
    return {
        report: {names.get(name, name): value for name, value in definition.items()}
        for report, definition in known.items()
    }


# Create (seed).


def create(state: VendorState, request: Request) -> Reply:
    """``POST`` to the base, with or without a slash at its end (guides, openapi)."""
    body, version = read.json_object(request), version_of(request)
    report = read.report_type(body)
    if report not in tables.definitions(version, "all"):
        raise bad(f"Report type '{report}' is not available")
    details = {"title": read.title(body), "definition": body, "size": state.size[1]}
    kinds: Mapping[bool, Callable[[], dict[str, Any]]] = {
        report in tables.SUMMARY_METRICS: lambda: _summary(state, body, version),
        report in tables.DETAILED_FIELDS: lambda: _detailed_file(state, body, version),
        report == tables.SCRIPT_PATHS: lambda: _script_paths(state, body, version),
    }
    job = _add(state, report, {**details, **kinds[True]()}, state.options["ladder"])
    word = state.word(job)
    headers = _link_header(state, request, [("status", _place(state, request, job, "status"))], create=True)
    return rendered(request, _status(state, job, word), "ResourceOfStatusResponse", headers, job.id)


def _add(state: VendorState, report: str, details: dict[str, Any], steps: Sequence[Any]) -> Job:
    number = state.memory["report"] = state.memory.get("report", FIRST_ID - 1) + 1
    job = state.add_job(report, details, state.options["end"], str(number))
    job.steps = [Step(*step) for step in steps]
    return job


def _summary(state: VendorState, body: Body, version: int) -> dict[str, Any]:
    options, report = state.options, body["type"]
    start, end = read.date_range(options, body, state.now())
    granularity = read.granularity(options, body, start, end)
    dimensions, filters = read.grouping(options, body, report)
    plan = Plan(
        seed=state.seed,
        report=report,
        start=start,
        end=end,
        granularity=granularity,
        dimensions=dimensions,
        filters=filters,
        timezone=read.timezone(options, body),
        intraday=read.intraday(body, version, 15),
        metrics=read.metrics(body, tables.metrics(report, version)),
        subtotals=read.boolean(options, body, "includeSubTotal"),
        grand_total=read.boolean(options, body, "includeGrandTotal"),
        times=granularity != "none" or options["none_times"],
        count=state.size[0],
        until=min(state.now(), end),
    )
    return {"kind": "summary", "plan": plan, "relations": ("data", "download")}


def _detailed_file(state: VendorState, body: Body, version: int) -> dict[str, Any]:
    """A detailed type, submitted as a file through the ordinary create (guide)."""
    read.any_granularity(body, state.options["detailed_granularity"] == "required")
    plan = read.detailed_plan(state, body, version)
    return {"kind": "detailed-file", "plan": plan, "relations": ("download",)}


#: guide: rejected in a request for script paths
FORBIDDEN = (
    "groupBy",
    "granularity",
    "metrics",
    "includeSubTotal",
    "includeGrandTotal",
    "includeParticipants",
)


def _script_paths(state: VendorState, body: Body, version: int) -> dict[str, Any]:
    """Script paths (guide, v8)."""
    for name in FORBIDDEN:
        if name in body:
            raise bad(f"Field '{name}' is not allowed for script-paths")
    start, _ = read.date_range(state.options, body, state.now())
    if "timezone" not in body and state.options["script_paths_timezone"] == "required":
        raise bad("Field 'timezone' is required")
    read.timezone(state.options, body)
    read.intraday(body, version, 15)
    for search in read.searches(body):
        if search.get("field") not in ("script", "queue", "agent", "channel"):
            raise bad(f"Field '{search.get('field')}' can't be searched in script-paths")
        if search.get("operator") != "in":
            raise bad("Only the operator 'in' is allowed for script-paths")
    count = state.size[0] if start <= state.now() else 0
    return {"kind": "script-paths", "plan": count, "relations": ("download",)}


# Status, links, definition.


def status(state: VendorState, request: Request) -> Reply:
    """``GET /{id}/status``: the Link header is there only when the report is DONE (seed)."""
    job = _job(state, request)
    word = state.poll(job)
    headers = _link_header(state, request, _relations(state, request, job)) if word == "DONE" else {}
    return rendered(request, _status(state, job, word), "ResourceOfStatusResponse", headers, job.id)


def _job(state: VendorState, request: Request) -> Job:
    job = state.jobs.get(request.segments["id"])
    if job is None:
        raise Refused(404, "Not found")
    return job


def _status(state: VendorState, job: Job, word: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": int(job.id), "status": word}
    if word == "FAILED" and state.options["reason"] is not None:
        answer["reason"] = state.options["reason"]
    return answer


def _base(state: VendorState, request: Request) -> str:
    host = state.base_url if state.options["link_host"] == "own" else "https://api.8x8.com"
    return host + request.path.partition("/historical-metrics")[0] + "/historical-metrics"


def _place(state: VendorState, request: Request, job: Job, relation: str) -> str:
    query = "?page=0&size=100" if relation == "data" else ""
    return f"{_base(state, request)}/{job.id}/{relation}{query}"


def _relations(state: VendorState, request: Request, job: Job) -> list[tuple[str, str]]:
    if job.details["kind"] == "detailed":
        return [("data", f"{_base(state, request)}/detailed-reports/{job.id}/data?size=100")]
    return [(relation, _place(state, request, job, relation)) for relation in job.details["relations"]]


#: the seed prints the bracket behind the relation in one place, the later guides mangle hosts and ends
LINK_FORMS: Mapping[str, str] = {
    "standard": '<{url}>; rel="{rel}"',
    "broken": '<{url}; rel="{rel}">',
    "markdown": '[{url}]({url})>; rel="{rel}"`',
}


def _link_header(
    state: VendorState, request: Request, links: Sequence[tuple[str, str]], create: bool = False
) -> dict[str, str]:
    """The Link header. The seed breaks the line between two links, which no header can."""
    form = state.options["link_form"]
    if form == "missing" or not links:
        return {}
    if form == "seed":
        form = "broken" if create else "standard"
    return {"Link": ", ".join(LINK_FORMS[form].format(url=url, rel=relation) for relation, url in links)}


def links(state: VendorState, request: Request) -> Reply:
    """``GET /{id}/links``: status always, the others when the report is DONE (seed)."""
    job = _job(state, request)
    found = [("status", _place(state, request, job, "status"))]
    if state.word(job) == "DONE":
        found += _relations(state, request, job)
        if job.details["kind"] == "script-paths" and state.options["script_paths_links"] == "download":
            found = found[1:]
    answer = [{"relation": relation, "link": url} for relation, url in found]
    return rendered(request, answer, "List", job=job.id)


def definition(state: VendorState, request: Request) -> Reply:
    """``GET /{id}`` (openapi only): what was submitted, and an id that is a string here."""
    job = _job(state, request)
    answer = {"id": job.id, **job.details["definition"], "status": state.word(job)}
    return rendered(request, answer, "ReportDefinitionResponse", job=job.id)


# Data of a summary report (seed; realtime for the two error messages).


def data(state: VendorState, request: Request) -> Reply:
    """``GET /{id}/data``."""
    job = _ready(state, request)
    if job.details["kind"] != "summary":
        raise bad(f"Reports of the type {job.kind} have no JSON data here")
    options = state.options
    found = rows.table(job.details["plan"])
    size = _size(request)
    page = _whole_number(request, "page", 0, least=0)
    reach = min(found.elements, int(options["cap"]))
    pages = math.ceil(reach / size)
    total = reach if options["total_elements"] == "capped" else found.elements
    beyond = page >= max(pages, 1)
    if beyond and (options["past_cap"] == "400" or page * size >= found.elements):
        raise bad(
            "Field 'page' must be greater than or equal to 0 and less than the total number of pages, "
            f"which is {max(pages, options['empty_pages'])} for this request"
        )
    plan = job.details["plan"]
    totals = options["total_when"] == "always" or plan.subtotals or plan.grand_total
    first, last = page * size, min((page + 1) * size, reach)
    answer = rows.json_rows(found, first, last, options["items"], options["total_key"], totals)
    headers = {
        "X-Page": str(page),
        "X-Page-Size": str(size),
        "X-Total-Pages": str(math.ceil(total / size) or options["empty_pages"]),
        "X-Total-Elements": str(total),
    }
    if page + 1 < pages:
        after = f"{_base(state, request)}/{job.id}/data?page={page + 1}&size={size}"
        headers |= _link_header(state, request, [("next", after)])
    return rendered(request, answer, REPORT_ROWS, headers, job.id)


def _ready(state: VendorState, request: Request) -> Job:
    job = _job(state, request)
    word = state.word(job)
    if word != "DONE":
        raise Refused(state.options["not_ready_status"], f"Bad request: The report status is {word}")
    return job


def _size(request: Request) -> int:
    size = _whole_number(request, "size", 100, least=1)
    if size > 1000:
        raise bad("Field 'size' must be less than or equal to 1000")
    return size


def _whole_number(request: Request, name: str, default: int, least: int) -> int:
    """A parameter of the query; one without a value has the default (seed)."""
    value = dict(request.query).get(name) or str(default)
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or int(value) < least:
        raise bad(f"Field '{name}' must be greater than or equal to {least}")
    return int(value)


# File (seed): as long as it gets, without pages and without a cap.

_FILES = {"text/csv": CSV, "text/xlsx": XLSX, "application/vnd.ms-excel": XLSX}


def download(state: VendorState, request: Request) -> Reply:
    """``GET /{id}/download``: the Accept header says in which form."""
    job = _ready(state, request)
    kind = job.details["kind"]
    if kind == "detailed":
        raise Refused(404, "Not found")
    options = state.options
    form = next((_FILES[kind] for kind in accepted(request) if kind in _FILES), None)
    form = form or options["download_without_accept"]
    if (kind, form) not in WRITERS:
        raise Refused(406, "Not acceptable")
    style = Style(options["csv_header"], options["csv_line_end"], options["csv_bom"])
    content = WRITERS[kind, form](job.details["plan"], style, job.details["size"])
    title = re.sub(r"\s", " ", job.details["title"])
    headers = {
        "Content-Type": options["xlsx_type"] if form == XLSX else content.content_type,
        "Content-Disposition": f'attachment; filename="{title}.{form}"',
    }
    return Reply(200, content, headers, job.id)


WRITERS: Mapping[tuple[str, str], Callable[[Any, Style, int | None], Content]] = {
    ("summary", CSV): files.summary_csv,
    ("summary", XLSX): lambda plan, style, size: files.summary_xlsx(plan, style.header),
    ("detailed-file", CSV): files.detailed_csv,
    ("detailed-file", XLSX): lambda plan, style, size: files.detailed_xlsx(plan, style.header),
    ("script-paths", CSV): files.script_paths_csv,
}


# Detailed reports as JSON (guide).


def create_detailed(state: VendorState, request: Request) -> Reply:
    """``POST /detailed-reports``: done at once."""
    body, version = read.json_object(request), version_of(request)
    report = read.report_type(body)
    if report not in tables.DETAILED_FIELDS or not tables.fields(report, version):
        raise bad(f"Report type '{report}' is not a detailed report type")
    details = {
        "kind": "detailed",
        "title": read.title(body),
        "definition": body,
        "plan": read.detailed_plan(state, body, version),
    }
    job = _add(state, report, details, state.options["detailed_ladder"])
    word = state.word(job)
    answer = _status(state, job, word)
    headers = _link_header(state, request, _relations(state, request, job)) if word == "DONE" else {}
    shown = [answer] if state.options["detailed_create"] == "array" else answer
    return rendered(request, shown, "ResourceOfStatusResponse", headers, job.id)


#: the second number in a cursor is a document's; the guide's sample begins like this
FIRST_DOCUMENT = 94_501_000_000


def _cursor(plan: DetailedPlan, index: int) -> str:
    after = {"searchAfter": [plan.at(index), FIRST_DOCUMENT + index]}
    return base64.b64encode(json.dumps(after, separators=(",", ":")).encode()).decode()


def _after(cursor: str, plan: DetailedPlan) -> int:
    """The index of the row behind the one that the cursor names."""
    try:
        moment, document = json.loads(base64.b64decode(cursor, validate=True))["searchAfter"]
        index = int(document) - FIRST_DOCUMENT
        if 0 <= index < plan.count and plan.at(index) == moment:
            return index + 1
    except (ValueError, KeyError, TypeError):
        pass
    raise bad("Field 'lastDocumentId' is invalid")


def detailed_data(state: VendorState, request: Request) -> Reply:
    """``GET /detailed-reports/{id}/data``: pages by cursor; on the last one there is none, and no Link."""
    job = _ready(state, request)
    if job.details["kind"] != "detailed":
        raise Refused(404, "Not found")
    plan: DetailedPlan = job.details["plan"]
    size, given = _size(request), dict(request.query).get("lastDocumentId")
    first = 0 if given is None else _after(given, plan)
    last = min(first + size, plan.count)
    headers = {
        "X-Page-Size": str(size),
        "X-Total-Pages": str(math.ceil(plan.count / size) or state.options["empty_pages"]),
        "X-Total-Elements": str(plan.count),
    }
    if state.options["cursor"] == "stripped":
        headers.clear()
    elif last < plan.count and state.options["cursor"] != "missing":
        after = _cursor(plan, last - 1)
        if state.options["cursor"] == "repeated":
            after = given or after
        encoded = quote(after, safe="")
        headers["Last-Document-Id"] = encoded if state.options["cursor_form"] == "encoded" else after
        place = f"{_base(state, request)}/detailed-reports/{job.id}/data?size={size}&lastDocumentId={encoded}"
        headers |= _link_header(state, request, [("next", place)])
    body = detailed_page(plan, first, last)
    if wanted(request) == "xml":
        return rendered(request, json.loads(body), DETAILED_ROWS, headers, job.id)
    content = Content(((body, 1),), "application/json", "json", last - first)
    headers["Content-Type"] = "application/json;charset=UTF-8"
    return Reply(200, content, headers, job.id)


BASE = r"(?:/(?P<region>eu|au|ca))?/analytics/cc/(?P<version>v\d{1,3})/historical-metrics"
REPORT = BASE + r"/(?P<id>\d+)"

ROUTES = (
    Route("token", "POST", "/oauth/v2/token/?", token),
    Route("report_types", "GET", BASE + "/report-types/?", guarded(report_types)),
    Route("report_type", "GET", BASE + "/report-types/(?P<type>[^/]+)/?", guarded(report_type)),
    Route("create", "POST", BASE + "/?", guarded(create)),
    Route("create_detailed", "POST", BASE + "/detailed-reports/?", guarded(create_detailed)),
    Route(
        "detailed_data",
        "GET",
        BASE + r"/detailed-reports/(?P<id>\d+)/data/?",
        guarded(detailed_data),
    ),
    Route("definition", "GET", REPORT + "/?", guarded(definition)),
    Route("status", "GET", REPORT + "/status/?", guarded(status)),
    Route("data", "GET", REPORT + "/data/?", guarded(data)),
    Route("download", "GET", REPORT + "/download/?", guarded(download)),
    Route("links", "GET", REPORT + "/links/?", guarded(links)),
)


def wrong_method(state: VendorState, request: Request) -> Reply:
    """Openapi declares 405 for every operation, without a body."""
    return json_reply({"message": "Method not allowed"}, 405)


def _wrong_methods() -> tuple[Route, ...]:
    allowed = {(route.method, route.pattern) for route in ROUTES}
    patterns = dict.fromkeys(route.pattern for route in ROUTES if route.pattern.startswith(BASE))
    return tuple(
        Route("wrong_method", method, pattern, guarded(wrong_method))
        for pattern in patterns
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
        if (method, pattern) not in allowed
    )


VENDOR = Vendor(
    name="eight_by_eight_cc",
    prefix="/8x8",
    routes=(*ROUTES, *_wrong_methods()),
    connections=connections,
    options=OPTIONS,
    private_headers=("X-Tenant-Info",),
    not_found=json_reply({"message": "Not found"}, 404),
)
