"""8x8 Work Analytics: token, call legs and call records by scroll, summaries.

Sources: *seed* is the guide "Call Legs", which has authority; *openapi* is the vendor's OpenAPI document;
*guide* are the sibling pages; *support* are the vendor's support articles; *clients* is what public
third-party clients report.

Invented, because no document that could be read describes it: the body of every refusal but those of a wrong
key, an unknown user, a broken token and a PBX without access; that a wrong password, a form that doesn't say
that it is one, and a user who has never opened Analytics, are answered like an unknown user; that a page size
beyond 7,000, a missing or malformed parameter, more than 125 extensions, ``callerOrCallee`` beside the
others, a broken or terminal ``scrollId`` and a window that ends before it starts are refused (400), and an
unknown PBX like one without access; the shape of the answer with code 105-400-038; which instant a repeated
wall-clock hour means; that both bounds belong to the window; that call records are found by their start.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ..data import Content, json_line
from ..instants import milliseconds
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
    number,
    texts,
)
from ..state import VendorState
from . import rows
from .rows import Query

API_KEY = "eght_sandbox-work-key"
USER = "sandbox.user@example.com"
#: with the characters that have to be encoded in a form
PASSWORD = "sandbox-pass^&+%=word"  # noqa: S105
MOST_ROWS_OF_A_PAGE = 7_000
MOST_EXTENSIONS = 125

OPTIONS = {
    # token
    "expires_in": number(1800),  # life of a token in seconds
    "opened_analytics": flag(True),  # seed: a user has to have opened Analytics in a browser once
    "key_on_data": flag(True),  # whether data calls need 8x8-apikey (curl sample, openapi)
    # PBXes
    "pbxes": texts(["acmecorppbx", "acmecorp", "acmecorp2"]),  # the customer's PBXes
    "forbidden_pbxes": texts([]),  # those of them that the user has no access to
    "forbidden_as": choice("403", "400"),  # openapi: 403; support: 400 with code 105-400-038
    # window
    "every": number(None, 0.001),  # seconds between two legs of a fixed grid; null: `rows` per window
    "bounds": choice("[]", "[)", "(]", "()"),  # which bounds belong to the window, with `every`
    "records_by": choice("start", "connect", "disconnect"),  # the time that call records are found by
    "repeated_hour": choice("first", "second"),  # which one a wall-clock time in a repeated hour means
    "retention_years": number(2),  # seed: older data isn't there
    # scroll
    "page_key": flag(True),  # seed: on later pages the size may be called pageKey
    "scroll": choice("next", "repeated"),  # repeated: the cursor that was sent comes back
    # how a client learns of the end
    "scroll_end": choice("no_data", "null", "missing", "empty", "last_page"),
    "total_count": choice("right", "wrong"),  # totalRecordCount; wrong: seven too many
    "leg_count": choice("string", "integer"),  # callLegCount: sample and openapi differ
    # summaries
    "ext_id": choice("required", "optional"),  # of rgsum-members; guide: required
}


def connections(base_url: str) -> Connections:
    """The default connection."""
    return {
        "eight_by_eight_work_default": {
            "conn_type": "eight_by_eight_work",
            "host": base_url,
            "login": USER,
            "password": PASSWORD,
            "extra": {"api_key": API_KEY, "auth_url": f"{base_url}/analytics/work/v1/oauth/token"},
        }
    }


# Refusals. Each of the documented ones has a shape of its own.

WRONG_KEY = json_reply(
    {
        "status": 400,
        "message": "Invalid 8x8-apikey",
        "code": "SHA001",
        "details": [
            {
                "type": "invalidValue",
                "location": "header",
                "path": ["8x8-apikey"],
                "hint": "Send the key that was generated for this customer.",
            }
        ],
    },
    400,
)
WRONG_USER = json_reply({"error_description": "USER_NOTFOUND_ERROR", "error": "invalid_grant"}, 400)
WRONG_TOKEN = json_reply(
    {"error": "invalid_token", "error_description": "Cannot convert access token to JSON"}, 401
)


class Refused(Exception):
    """The API says no."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


def _refusal(state: VendorState, request: Request, status: int, error: str, message: str) -> Refused:
    """The shape that openapi shows for 403. It names the path behind the gateway."""
    stamp = f"{state.now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"
    path = request.path.replace("/analytics/work/", "/api/analytics/report/external/", 1)
    members = {
        "timeStamp": stamp,
        "status": status,
        "error": error,
        "exception": message,
        "message": message,
        "path": path,
    }
    return Refused(json_reply(members, status))


def bad(state: VendorState, request: Request, message: str) -> Refused:
    """A bad request."""
    return _refusal(state, request, 400, "Bad Request", message)


# Token (seed): no grant type, no Basic.


def token(state: VendorState, request: Request) -> Reply:
    """``POST /analytics/work/v1/oauth/token``."""
    if request.headers.get("8x8-apikey") != API_KEY:
        return WRONG_KEY
    form = request.form
    if (form.get("username"), form.get("password")) != (USER, state.secret or PASSWORD):
        return WRONG_USER
    if not state.options["opened_analytics"]:
        return WRONG_USER
    lifetime = state.options["expires_in"]
    issued = state.tokens.issue(state.now(), lifetime, value=_jwt(state, lifetime))
    return json_reply({"access_token": issued.value, "token_type": "bearer", "expires_in": lifetime})


def _jwt(state: VendorState, lifetime: float) -> str:
    """A token of three parts (seed), in which a client can read its end (openapi's sample)."""
    now = state.now().timestamp()
    parts = (
        {"alg": "RS256"},
        {
            "iss": "https://platform.8x8.com",
            "iat": int(now),
            "exp": int(now + lifetime),
            "jti": f"sandbox-{state.random.getrandbits(64):016x}",
        },
        "signed by nobody",
    )
    pieces = (json.dumps(part, separators=(",", ":")).encode() for part in parts)
    return ".".join(base64.urlsafe_b64encode(text).decode().rstrip("=") for text in pieces)


def guarded(handler: Handler) -> Handler:
    """`handler` behind key and token; refusals turned into replies."""

    def guard(state: VendorState, request: Request) -> Reply:
        if state.options["key_on_data"] and request.headers.get("8x8-apikey") != API_KEY:
            return WRONG_KEY
        if state.tokens.find(request.bearer(), state.now()) is None:
            return WRONG_TOKEN
        try:
            return handler(state, request)
        except Refused as refused:
            return refused.reply

    return guard


# Parameters.

Given = Mapping[str, str]
WALL_CLOCK = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def _required(state: VendorState, request: Request, given: Given, name: str) -> str:
    if not given.get(name):
        raise bad(state, request, f"Required parameter '{name}' is not present")
    return given[name]


def _pbxes(state: VendorState, request: Request, given: Given) -> tuple[str, ...]:
    known, forbidden = state.options["pbxes"], state.options["forbidden_pbxes"]
    asked = [name.strip() for name in _required(state, request, given, "pbxId").split(",")]
    names = list(known) if asked == ["allpbxes"] else asked
    for name in names:
        if name not in known or name in forbidden:
            raise _no_access(state, request, name)
    return tuple(dict.fromkeys(names))


def _no_access(state: VendorState, request: Request, pbx: str) -> Refused:
    if state.options["forbidden_as"] == "403":
        message = f"user({USER}) does not have access to pbxId({pbx}) to make this request."
        return _refusal(state, request, 403, "Access Denied", message)
    message = f"user({USER}) does not have access to api category(CDR) for pbxId([{pbx}])."
    return Refused(json_reply({"status": 400, "message": message, "code": "105-400-038"}, 400))


def _window(state: VendorState, request: Request, given: Given) -> tuple[int, int, str]:
    """The window in epoch milliseconds, and its zone. Of what is too old, only the rest is left (seed)."""
    zone = _required(state, request, given, "timeZone")
    if zone not in _timezones():
        raise bad(state, request, f"Invalid value '{zone}' for parameter 'timeZone'")
    low, high = (_instant(state, request, given, name, zone) for name in ("startTime", "endTime"))
    if high < low:
        raise bad(state, request, "Parameter 'endTime' must not be before 'startTime'")
    # Whole days: the pages of one query must not slide apart.
    midnight = state.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = min(365.25 * state.options["retention_years"], 365.25 * 1_000)
    oldest = milliseconds(midnight - timedelta(days=days))
    return max(low, oldest), max(high, oldest), zone


@lru_cache(maxsize=1)
def _timezones() -> set[str]:
    return available_timezones()


def _instant(state: VendorState, request: Request, given: Given, name: str, zone: str) -> int:
    text = _required(state, request, given, name)
    try:
        if not re.fullmatch(WALL_CLOCK, text, re.ASCII):
            raise ValueError
        wall = datetime.fromisoformat(text)
        if not 1970 <= wall.year < 2200:
            raise ValueError
    except ValueError:
        raise bad(
            state, request, f"Invalid value '{text}' for parameter '{name}': use YYYY-MM-DD HH:MM:SS"
        ) from None
    fold = 1 if state.options["repeated_hour"] == "second" else 0
    return milliseconds(wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC))


def _boolean(state: VendorState, request: Request, given: Given, name: str, default: bool = False) -> bool:
    value = given.get(name, "true" if default else "false").lower()
    if value not in ("true", "false"):
        raise bad(state, request, f"Invalid value '{value}' for parameter '{name}'")
    return value == "true"


def _page_size(state: VendorState, request: Request, given: Given) -> int:
    if state.options["page_key"] and "scrollId" in given and "pageKey" in given:
        given = {"pageSize": given["pageKey"], **given}
    text = _required(state, request, given, "pageSize")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= MOST_ROWS_OF_A_PAGE:
        raise bad(state, request, f"Parameter 'pageSize' must be from 1 to {MOST_ROWS_OF_A_PAGE}")
    return int(text)


def _parties(state: VendorState, request: Request, given: Given) -> list[frozenset[str]]:
    """Extensions, compared exactly (openapi)."""
    if "callerOrCallee" in given and ("caller" in given or "callee" in given):
        raise bad(state, request, "Parameter 'callerOrCallee' can't be combined with 'caller' or 'callee'")
    found = []
    for name in ("caller", "callee", "callerOrCallee"):
        values = [value.strip() for value in given.get(name, "").split(",") if value.strip()]
        if len(values) > MOST_EXTENSIONS:
            raise bad(state, request, f"Parameter '{name}' takes at most {MOST_EXTENSIONS} values")
        found.append(frozenset(values))
    return found


# Call legs and call records (seed).


def call_legs(state: VendorState, request: Request) -> Reply:
    """``GET /v2/call-legs``, or v1."""
    return _page(state, request, "legs")


def call_records(state: VendorState, request: Request) -> Reply:
    """``GET /v2/call-records``, or v1."""
    return _page(state, request, "records")


def cdr(state: VendorState, request: Request) -> Reply:
    """``GET /v1/cdr``, deprecated: one of the two, as ``isCallRecord`` says."""
    records = _boolean(state, request, dict(request.query), "isCallRecord")
    return _page(state, request, "records" if records else "legs")


def _page(state: VendorState, request: Request, kind: str) -> Reply:
    given = dict(request.query)
    query = _query(state, request, given, kind)
    size = _page_size(state, request, given)
    keys = rows.found(query)
    scroll = given.get("scrollId")
    first = 0 if scroll is None else _place(state, request, query, keys, scroll)
    shown = keys[first : first + size]
    total = len(keys) + (7 if state.options["total_count"] == "wrong" else 0)
    if not shown:
        return _envelope(ENDS[state.options["scroll_end"]](total, scroll), b"", 0)
    next_scroll = _encoded(rows.cursor(query, shown[-1]))
    if state.options["scroll"] == "repeated":
        next_scroll = scroll or next_scroll
    if state.options["scroll_end"] == "last_page" and first + size >= len(keys):
        next_scroll = NO_DATA
    meta = {"totalRecordCount": total, "scrollId": next_scroll}
    return _envelope(meta, rows.rendered(query, shown), len(shown))


NO_DATA = "No Data"


def _no_data(total: int, scroll: str | None) -> dict[str, Any]:
    return {"totalRecordCount": 0, "scrollId": NO_DATA}


#: the seed's answer behind the last page, and what else clients take for the end
ENDS: Mapping[str, Callable[[int, str | None], dict[str, Any]]] = {
    "no_data": _no_data,
    "last_page": _no_data,
    "null": lambda total, scroll: {"totalRecordCount": 0, "scrollId": None},
    "missing": lambda total, scroll: {"totalRecordCount": 0},
    "empty": lambda total, scroll: {"totalRecordCount": total, "scrollId": scroll},
}


def _envelope(meta: Mapping[str, Any], body: bytes, count: int) -> Reply:
    head = b'{"meta":' + json_line(meta) + b',"data":['
    content = Content(((head, 1), (body, 1), (b"]}", 1)), "application/json", "json", count)
    return Reply(200, content, {"Content-Type": "application/json"})


def _query(state: VendorState, request: Request, given: Given, kind: str) -> Query:
    options = state.options
    low, high, zone = _window(state, request, given)
    callers, callees, either = _parties(state, request, given)
    # Connect time and simplification are for legs only (seed).
    by_connect = _boolean(state, request, given, "isConnectTime")
    simplified = _boolean(state, request, given, "isSimplified")
    every = options["every"]
    return Query(
        seed=state.seed,
        kind=kind,
        low=low,
        high=high,
        bounds=options["bounds"],
        until=min(high, milliseconds(state.now())),
        timezone=zone,
        pbxes=_pbxes(state, request, given),
        all_pbxes=tuple(options["pbxes"]),
        by=options["records_by"] if kind == "records" else ("connect" if by_connect else "disconnect"),
        simplified=simplified and kind == "legs",
        callers=callers,
        callees=callees,
        either=either,
        count=state.size[0],
        every=None if every is None else max(int(every * 1000), 1),
        leg_count=options["leg_count"],
    )


def _encoded(text: str) -> str:
    """Base64 without padding, like the seed's samples."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _place(state: VendorState, request: Request, query: Query, keys: Sequence[Any], scroll: str) -> int:
    try:
        padded = scroll + "=" * (-len(scroll) % 4)
        return rows.after(query, keys, base64.b64decode(padded, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise bad(state, request, f"Invalid value '{scroll}' for parameter 'scrollId'") from None


# Summaries (openapi; guide): no pages.

TIME_OF_DAY = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?"


def _summary(kind: str) -> Handler:
    def answer(state: VendorState, request: Request) -> Reply:
        given = dict(request.query)
        low, high, _ = _window(state, request, given)
        pbxes = _pbxes(state, request, given)
        for name in ("intraStartTime", "intraEndTime"):
            if name in given and not re.fullmatch(TIME_OF_DAY, given[name], re.ASCII):
                raise bad(state, request, f"Invalid value '{given[name]}' for parameter '{name}'")
        ring_group = given.get("extId", "")
        if kind == "members":
            if state.options["ext_id"] == "required":
                _required(state, request, given, "extId")
            # Openapi spells it with a space behind.
            for name in ("collapse", "collapse "):
                _boolean(state, request, given, name, default=True)
        count = state.size[0] if high > low and low <= milliseconds(state.now()) else 0
        content = rows.summary(state.seed, kind, (low, high), pbxes, count, ring_group)
        return Reply(200, content, {"Content-Type": "application/json"})

    return answer


def rgsum(state: VendorState, request: Request) -> Reply:
    """``GET /v2/rgsum``, deprecated: the members of a group where one is named, else the groups."""
    kind = "members" if dict(request.query).get("extId") else "groups"
    return _summary(kind)(state, request)


BASE = "/analytics/work"

VENDOR = Vendor(
    name="eight_by_eight_work",
    prefix="/8x8",
    routes=(
        Route("token", "POST", BASE + "/v1/oauth/token", token),
        # The seed's table of paths says v1, its table of migrated URLs v2.
        Route("call_legs", "GET", BASE + "/v[12]/call-legs", guarded(call_legs)),
        Route("call_records", "GET", BASE + "/v[12]/call-records", guarded(call_records)),
        Route("cdr", "GET", BASE + "/v1/cdr", guarded(cdr)),
        Route("compsum", "GET", BASE + "/v1/compsum", guarded(_summary("company"))),
        Route("extsum", "GET", BASE + "/v[12]/extsum", guarded(_summary("extensions"))),
        Route("rgsum_groups", "GET", BASE + "/v2/rgsum-groups", guarded(_summary("groups"))),
        Route("rgsum_members", "GET", BASE + "/v2/rgsum-members", guarded(_summary("members"))),
        Route("rgsum", "GET", BASE + "/v2/rgsum", guarded(rgsum)),
    ),
    connections=connections,
    options=OPTIONS,
    private_headers=("8x8-apikey",),
)
