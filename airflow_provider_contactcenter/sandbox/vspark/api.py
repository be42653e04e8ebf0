"""Voci V-Spark: daily statistics of folders, and the lists of companies, organizations and folders.

Sources: *seed* is the vendor's page "Reference for the /stats API", which has authority; *list*, *request*,
*transcribe* are the reference pages of those APIs in the same manual; *newer* is the manual under the new
owner's name, which differs in the defaults of ``daterange``.

Invented, because no document that could be read describes it: **the whole shape of the statistics** (the
documents tell what they include, not how: volume of calls, average duration, agents where calls name them);
every error but the words "Invalid token was provided" and 'Missing "token" field' (transcribe) and "Auth
token doesn't match", "Company not found" and "Organization NAME not found" (request), which are taken to hold
here too; that days are those of the option ``timezone``; that there are no calls before 2015, after today or
on Sundays; the content type of lists; ``/list/CO/folders``, ``/list/CO/users``, ``/list/CO/ORG/apps``; users
and apps.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .. import data
from ..data import Content, Layout, content_of
from ..model import (
    Connections,
    Handler,
    Option,
    Reply,
    Request,
    Route,
    Vendor,
    choice,
    flag,
    json_reply,
    texts,
)
from ..state import VendorState

#: newer: tokens are 32 hexadecimal digits
ROOT_TOKEN = "0facade0" * 4
FIRST_DAY = date(2015, 1, 1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
AGENTS = ("001", "0042", "Vale, Iris", "José Nuñez", "agent 7", "calls")

#: company -> organization -> folders
Companies = Mapping[str, Mapping[str, list[str]]]
COMPANIES: Companies = {
    "DocTestCo": {
        "DocTestCo-DocTesting": ["Test01", "Agent Scorecard", "Prüfung – 日本"],
        "DocTestCo-Empty": [],
    },
    "OtherCo": {"OtherCo-Support": ["Test01"]},
}


def company_token(number: int) -> str:
    """The token of a company, by its place in the option `companies`."""
    return f"c0ffee{number:02x}" * 4


def _are_companies(given: Any) -> bool:
    return isinstance(given, dict) and all(
        isinstance(organizations, dict)
        and all(
            isinstance(folders, list) and all(isinstance(folder, str) for folder in folders)
            for folders in organizations.values()
        )
        for organizations in given.values()
    )


def _is_zone(given: Any) -> bool:
    try:
        return isinstance(given, str) and bool(ZoneInfo(given))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


OPTIONS = {
    "companies": Option(COMPANIES, "an object: company to organization to a list of folders", _are_companies),
    # daterange
    "manual": choice("seed", "newer"),  # whose defaults a missing side of daterange gets
    "timezone": Option("UTC", "an IANA time zone", _is_zone),  # whose days count; newer: the organization's
    "quiet_weekdays": texts(["Sunday"]),  # days without calls
    # the body
    "body": choice("array", "object"),  # both invented
    "empty_as": choice("shape", "[]", "{}", "nothing"),  # no data; shape: [] or {} after `body`
    "agents": choice("some", "all", "none"),  # seed: where calls name them
    # seed: text/html
    "content_type": choice("text/html", "text/html; charset=utf-8", "application/json"),
    "list_content_type": choice("application/json", "text/html"),  # undocumented
    # errors
    "revoked": flag(False),  # no token is valid any more
    "bad_token": choice(400, 401, 403),  # transcribe: 400
    "other_company": choice(400, 404),  # the answer to another company's token; request: 400
    "unknown_folder": choice("error", "empty"),  # undocumented
    "error_http": choice("code", "200"),  # the code that fits, or 200
    "error_shape": choice("text", "page", "nothing"),  # seed: text/html; a page of HTML is invented
}


def connections(base_url: str) -> Connections:
    """The default connection, with the token of the first company."""
    return {
        "vspark_default": {
            "conn_type": "vspark",
            "host": base_url,
            "login": None,
            "password": company_token(0),
            "extra": {},
        }
    }


# Errors (seed: text/html).


class Refused(Exception):
    """The API says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def reply(self, options: Mapping[str, Any]) -> Reply:
        """The refusal in one of its shapes."""
        words = str(self)
        bodies = {
            "text": words,
            "page": f"<!DOCTYPE html>\n<html><title>Error</title><body>{escape(words)}</body></html>\n",
            "nothing": "",
        }
        status = 200 if options["error_http"] == "200" else self.status
        return Reply(status, bodies[options["error_shape"]].encode(), {"Content-Type": "text/html"})


def answering(handler: Handler) -> Handler:
    """`handler`, refusals turned into replies."""

    def answer(state: VendorState, request: Request) -> Reply:
        try:
            return handler(state, request)
        except Refused as refused:
            return refused.reply(state.options)

    return answer


def _visible(state: VendorState, request: Request) -> Companies:
    """The companies that the token opens: all for the root token, its own for a company's (seed)."""
    token = dict(request.query).get("token")
    if not token:
        raise Refused(state.options["bad_token"], 'Missing "token" field')
    companies: Companies = state.options["companies"]
    if not state.options["revoked"]:
        if token == ROOT_TOKEN:
            return companies
        for number, (name, organizations) in enumerate(companies.items()):
            if token == company_token(number):
                return {name: organizations}
    raise Refused(state.options["bad_token"], "Invalid token was provided")


def _organizations(state: VendorState, request: Request) -> Mapping[str, list[str]]:
    """The organizations of the company in the path."""
    company, companies = request.segments["company"], _visible(state, request)
    if company not in state.options["companies"] or (
        company not in companies and state.options["other_company"] == 404
    ):
        raise Refused(404, "Company not found")
    if company not in companies:
        raise Refused(400, "Auth token doesn't match")
    return companies[company]


def _folders(state: VendorState, request: Request) -> list[str]:
    """The folders of the organization in the path."""
    organization, organizations = request.segments["organization"], _organizations(state, request)
    if organization not in organizations:
        raise Refused(404, f"Organization {organization} not found")
    return organizations[organization]


# Statistics (seed).


def stats(state: VendorState, request: Request) -> Reply:
    """``GET /stats/{company}/{organization}[/{folder}]``; days without calls aren't in it."""
    folders = _folders(state, request)
    folder = request.segments.get("folder")
    if folder is not None and folder not in folders and state.options["unknown_folder"] == "error":
        raise Refused(404, f"Folder {folder} not found")
    chosen = tuple(name for name in folders if folder in (None, name))
    today = state.now().astimezone(ZoneInfo(state.options["timezone"])).date()
    first, last = READERS[state.options["manual"]](dict(request.query).get("daterange", ""), today)
    place = f"{state.seed}|vspark|{request.segments['company']}|{request.segments['organization']}"
    quiet = frozenset(state.options["quiet_weekdays"])
    records = _records(place, chosen, max(first, FIRST_DAY), min(last, today), quiet, state.options["agents"])
    return Reply(200, _body(state.options, records), {"Content-Type": state.options["content_type"]})


#: first and last day; nothing lies in it where the first comes after the last
Span = tuple[date, date]
NOTHING: Span = (date.max, date.min)


def _seed_span(daterange: str, today: date) -> Span:
    """START missing: today; END missing: START's day alone; both: today."""
    start, _, end = daterange.partition("-")
    first = _day(start, r"\d{8}", today)
    last = _day(end, r"\d{8}", first)
    return (first, last) if first and last else NOTHING


def _newer_span(daterange: str, today: date) -> Span:
    """START missing: 1900; END missing: today; a time of day may follow, and changes nothing here."""
    start, hyphen, end = daterange.partition("-")
    form = r"\d{8}(\d{6})?"
    first = _day(start, form, date(1900, 1, 1) if hyphen else today)
    # Without its hyphen, which the manual requires and its own sample leaves out, it is one day.
    last = _day(end, form, today if hyphen else first)
    return (first, last) if first and last else NOTHING


READERS = {"seed": _seed_span, "newer": _newer_span}


def _day(side: str, form: str, default: date | None) -> date | None:
    if not side:
        return default
    if not re.fullmatch(form, side, re.ASCII):
        return None
    try:
        return datetime.strptime(side, "%Y%m%d%H%M%S" if len(side) > 8 else "%Y%m%d").date()
    except ValueError:
        return None


Record = dict[str, Any]


@lru_cache(maxsize=16)
def _records(
    place: str, folders: tuple[str, ...], first: date, last: date, quiet: frozenset[str], agents: str
) -> tuple[Record, ...]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(
        record
        for day in days
        if WEEKDAYS[day.weekday()] not in quiet
        for record in _day_records(place, day, folders, agents)
    )


def _day_records(place: str, day: date, folders: tuple[str, ...], agents: str) -> Iterator[Record]:
    for folder in folders:
        draw = random.Random(f"{place}|{folder}|{day}")  # noqa: S311 - data, the same each time
        named = {name: _calls(draw) for name in AGENTS if draw.random() < 0.6}
        calls = [length for lengths in named.values() for length in lengths] + _calls(draw)
        record = {"date": f"{day:%Y%m%d}", "folder": folder, **_figures(calls)}
        if agents == "all" or (agents == "some" and draw.random() < 0.8):
            record["agents"] = {name: _figures(lengths) for name, lengths in named.items()}
        yield record


def _calls(draw: random.Random) -> list[int]:
    """The lengths of one or more calls, in seconds."""
    return [draw.randrange(5, 7_200) for _ in range(draw.randrange(1, 9))]


def _figures(calls: list[int]) -> Record:
    # appstats, of the same manual: durations are strings, H:MM:SS
    return {"calls": len(calls), "avgduration": str(timedelta(seconds=sum(calls) // len(calls)))}


def _body(options: Mapping[str, Any], records: tuple[Record, ...]) -> Content:
    """The options `rows` and `bytes` count for arrays; without them, the range decides."""
    count, size = options["rows"], options["bytes"]
    if not records or count == 0:
        shapes = {"shape": "[]" if options["body"] == "array" else "{}", "nothing": ""}
        form = options["empty_as"]
        empty = content_of(shapes.get(form, form).encode(), options["content_type"], "json")
        return Content(empty.pieces, empty.content_type, empty.file_format, 0)
    if options["body"] == "object":
        content = content_of(data.json_line(_by_day(records)), options["content_type"], "json")
        return Content(content.pieces, content.content_type, content.file_format, len(records))
    lines = [data.json_line(record) for record in records]
    total = len(lines) if count is None else int(count)
    layout = Layout(b"[", b",", b"]")
    return data.fill(
        lines, layout, total, None if size is None else int(size), options["content_type"], "json"
    )


def _by_day(records: tuple[Record, ...]) -> dict[str, dict[str, Record]]:
    days: dict[str, dict[str, Record]] = {}
    for record in records:
        figures = {name: value for name, value in record.items() if name not in ("date", "folder")}
        days.setdefault(record["date"], {})[record["folder"]] = figures
    return days


# Lists (list): the shape depends on how much the path leaves open.

USERS = ["joe.user"]
APPS = ["Manager App"]


def list_all(state: VendorState, request: Request) -> Reply:
    """``GET /list``, ``/list/orgs``, ...: over all companies that the token opens."""
    companies, what = _visible(state, request), request.segments.get("what")
    shapes: dict[str | None, Any] = {
        None: list(companies),
        "orgs": {name: list(organizations) for name, organizations in companies.items()},
        "folders": companies,
        "users": dict.fromkeys(companies, USERS),
        "apps": {name: dict.fromkeys(organizations, APPS) for name, organizations in companies.items()},
    }
    return _list_reply(state, shapes[what])


def list_company(state: VendorState, request: Request) -> Reply:
    """``GET /list/{company}``, ``.../orgs`` (the same), ...: apps without their organizations."""
    organizations = _organizations(state, request)
    shapes = {"folders": organizations, "users": USERS, "apps": APPS}
    return _list_reply(state, shapes.get(request.segments.get("what", "orgs"), list(organizations)))


def list_organization(state: VendorState, request: Request) -> Reply:
    """``GET /list/{company}/{organization}``, ``.../folders`` (the same), ``.../apps``."""
    folders = _folders(state, request)
    return _list_reply(state, APPS if request.segments.get("what") == "apps" else folders)


def _list_reply(state: VendorState, value: Any) -> Reply:
    return json_reply(value, headers={"Content-Type": state.options["list_content_type"]})


COMPANY = r"(?P<company>[^/]+)"
ORGANIZATION = COMPANY + r"/(?P<organization>[^/]+)"
WHAT = r"(/(?P<what>orgs|folders|users|apps))?"

VENDOR = Vendor(
    name="vspark",
    prefix="/vspark",
    routes=(
        Route("stats", "GET", f"/stats/{ORGANIZATION}(/(?P<folder>[^/]+))?/?", answering(stats)),
        # The words before the names: /list/orgs isn't a company.
        Route("list", "GET", f"/list{WHAT}/?", answering(list_all)),
        Route("list", "GET", f"/list/{COMPANY}{WHAT}/?", answering(list_company)),
        Route(
            "list", "GET", f"/list/{ORGANIZATION}(/(?P<what>folders|apps))?/?", answering(list_organization)
        ),
    ),
    connections=connections,
    options=OPTIONS,
    not_found=Reply(404, b"Not found", {"Content-Type": "text/html"}),
)
