"""The rows of 8x8's Work Analytics: call legs, call records, summaries; made for pages of thousands.

Sources: *seed* is the guide "Call Legs" (the fields of a leg, in its order, and their sample values);
*openapi* is the vendor's OpenAPI document (call records and summaries).

A leg is a template, one of `UNIT`, into which its ids and times are written. Where option ``every`` is null a
query finds as many legs as ``rows`` says, spread over its window, whatever the window; otherwise calls lie
on a grid of the clock, so that windows which overlap share legs and windows which tile share none.

Invented, because no document says so: values of an answered leg (no sample shows one); what ``isSimplified``
leaves out beyond child calls; which legs a call has; the unit and values of ``answeredTime``,
``abandonedTime`` and ``ringDuration`` (milliseconds); the members of an extension's summary between the
documented ones; all numbers.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from .. import data
from ..data import Content, Layout
from ..instants import Stamp

#: so many legs differ in more than ids and times; a multiple of `BLOCK`
UNIT = 500
#: legs come in blocks: a leg's place in one is the number of its call and its leg id
LEGS = ((0, 1), (1, 1), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (5, 1), (5, 2))
BLOCK, CALLS = len(LEGS), 1 + max(call for call, _ in LEGS)
#: places of the legs that the service made to several agents at once
CHILDREN = frozenset({3, 4, 9})
#: where the call ids of the grid begin; without it they begin with the window
GRID_CALLS = 1_600_000_000_000
LONGEST = 1_900_000


@dataclass(frozen=True)
class Query:
    """What a client asked for, except the page."""

    seed: int
    kind: str
    """``legs`` or ``records``."""
    low: int
    high: int
    """The window in epoch milliseconds."""
    bounds: str
    """Which of them belong to it, as in ``[)``."""
    until: int
    """Its end, or the present where that comes first: what is later isn't there yet."""
    timezone: str
    pbxes: tuple[str, ...]
    all_pbxes: tuple[str, ...]
    by: str
    """The time that has to lie in the window: ``start``, ``connect`` or ``disconnect``."""
    simplified: bool
    callers: frozenset[str]
    callees: frozenset[str]
    either: frozenset[str]
    count: int
    every: int | None
    """Milliseconds between the ends of two legs of the grid."""
    leg_count: str


class Template(NamedTuple):
    """What a unit's legs, or records, share."""

    text: bytes
    ring: int
    length: int
    answered: bool
    caller: str
    callee: str


class Times(NamedTuple):
    """The three times of a leg in epoch milliseconds."""

    start: int
    connect: int
    disconnect: int


# Templates.

# In the JSON of a template these values are marks, in this order: bytes and whole numbers.
MARKS = {
    "callId": "%b",
    "startTimeUTC": "%d",
    "startTime": "%b",
    "connectTimeUTC": "%d",
    "connectTime": "%b",
    "disconnectedTimeUTC": "%d",
    "disconnectedTime": "%b",
    "parentCallId": "%b",
    "pbxId": "%b",
}

EXTENSIONS = tuple(str(2001 + index) for index in range(40))
DEPARTMENTS = ("Sales Engineering", "East Office", "Claims, EU", "Überlauf 🌊")
BRANCHES = ("Central", "East Coast", 'The "Annex"')


@lru_cache(maxsize=8)
def templates(seed: int, kind: str, leg_count: str) -> tuple[Template, ...]:
    """The templates of legs or of records."""
    draw = random.Random(f"{seed}|8x8 work|legs")  # noqa: S311
    return tuple(_template(draw, unit, kind, leg_count) for unit in range(UNIT))


def _template(draw: random.Random, unit: int, kind: str, leg_count: str) -> Template:
    answered = unit > 1 and draw.random() < 0.7
    ring = draw.randrange(0, 60_000)
    talk = draw.randrange(1_000, 1_800_000) if answered else draw.randrange(0, 40_000)
    if unit < 2:  # the seed's two samples
        ring, talk = ((40, 24_714), (197, 1_696_320))[unit]
    fields = _fields(draw, unit, answered, ring, talk)
    made = MAKERS[kind](fields, unit, leg_count)
    text = json.dumps(
        made | {name: f"@{name}@" for name in MARKS if name in made},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    text = text.replace("%", "%%")
    for name, mark in MARKS.items():
        # Only the two of type %b that are always strings stay in quotes; a parent may be null.
        quoted = f'"{mark}"' if mark == "%b" and name != "parentCallId" else mark
        text = text.replace(f'"@{name}@"', quoted)
    return Template(text.encode(), ring, ring + talk, answered, fields["caller"], fields["callee"])


def _clock(length: int) -> str:
    hours, rest = divmod(length // 1000, 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _fields(draw: random.Random, unit: int, answered: bool, ring: int, talk: int) -> dict[str, Any]:
    """A leg, with the members of the seed's sample and in their order."""
    direction = ("Incoming", "Outgoing", "Internal", "Incoming")[unit % 4]
    outside = f"+1555555{draw.randrange(10_000):04d}"
    inside, other = draw.sample(EXTENSIONS, 2)
    caller, callee = {
        "Incoming": (outside, inside),
        "Outgoing": (inside, outside),
        "Internal": (inside, other),
    }[direction]
    name = data.NAMES[unit % len(data.NAMES)]
    hold = draw.randrange(talk) if answered and unit % 3 == 0 else 0
    abandoned = not answered and unit % 2 == 1
    note = data.AWKWARD[unit % len(data.AWKWARD)]
    leg = LEGS[unit % BLOCK][1]
    fields: dict[str, Any] = {
        "callId": "",
        "legId": str(leg),
        "startTimeUTC": 0,
        "startTime": "",
        "connectTimeUTC": 0,
        "connectTime": "",
        "disconnectedTimeUTC": 0,
        "disconnectedTime": "",
        "talkTimeMS": talk if answered else 0,
        "talkTime": _clock(talk if answered else 0),
        "caller": caller,
        "callerName": name,
        "callee": callee,
        "calleeName": data.NAMES[(unit + 3) % len(data.NAMES)],
        "lra": callee,
        "direction": direction,
        "parentCallId": "",
        "transferToCallId": None,
        "dnis": f"1{draw.randrange(2_000_000_000, 9_999_999_999)}",
        "status": "Completed",
        "callerDeviceId": None,
        "calleeDeviceId": None if unit % 2 else f"{draw.getrandbits(48):012x}",
        "callerDeviceModel": "",
        "calleeDeviceModel": "" if unit % 2 else "Poly VVX 450",
        "callerId": f"{name},{caller}",
        "missed": "-" if answered else "Missed",
        "abandoned": "Abandoned" if abandoned else "-",
        "answered": "Answered" if answered else "-",
        "cause": ("Normal", "Redirected", "Transfer", "Conference")[unit % 4]
        if answered or abandoned
        else "Ring No Answer",
        "callerSvcName": None,
        "callerSvcType": None,
        "calleeSvcName": None if answered else "VMadvanced",
        "calleeSvcType": None if answered else "Custom",
        "lraType": 4 if abandoned else 1,
        "calleeHoldDurationMS": hold,
        "calleeHoldDuration": _clock(hold),
        "calleeDisconnectOnHold": "",
        "callerDisconnectOnHold": "",
        "pbxId": "",
        "sipCallId": f"{draw.getrandbits(32):08x}@192.0.2.14",
        "departments": [DEPARTMENTS[unit % len(DEPARTMENTS)]] if unit % 7 else [],
        "branches": [BRANCHES[unit % len(BRANCHES)]] if unit % 11 else [],
        "recordServiceOn": "",
        "bargeServiceOn": "",
        "masterSlaveExts": "",
        "propsLastPartyDisp": "Answered" if answered else ("Missed" if abandoned else "Voicemail"),
        "accountCode": "0042" if unit % 5 == 0 else "",
        "aaPath": note or "",
        "callTime": ring + talk,
    }
    return {**fields, **(SAMPLES[unit] if unit < len(SAMPLES) else {})}


#: what the seed's two legs have in common with no other
SAMPLES: Sequence[Mapping[str, Any]] = (
    {
        "caller": "+15555551220",
        "callerName": "MARK SMITH",
        "callee": "120088",
        "calleeName": "Jane Li",
        "lra": "120088",
        "direction": "Incoming",
        "dnis": "12025555720",
        "calleeDeviceId": None,
        "calleeDeviceModel": "",
        "callerId": "MARK SMITH,+15555551220",
        "abandoned": "-",
        "cause": "Ring No Answer",
        "lraType": 1,
        "sipCallId": "user@example.com",
        "departments": ["Sales Engineering"],
        "branches": ["Central"],
        "propsLastPartyDisp": "Voicemail",
        "accountCode": "",
        "aaPath": "",
    },
    {
        "caller": "+15551234567",
        "callerName": "15551234567",
        "callee": "CallQueue",
        "calleeName": "Test Queue",
        "lra": "110081",
        "direction": "Incoming",
        "dnis": "15554441212",
        "calleeDeviceId": None,
        "calleeDeviceModel": "",
        "callerId": "14164666541,+14164666541",
        "abandoned": "Abandoned",
        "cause": "Normal",
        "calleeSvcName": "ACDOperatorService",
        "lraType": 4,
        "sipCallId": "user@example.com",
        "departments": ["East Office"],
        "branches": ["East Coast"],
        "propsLastPartyDisp": "Missed",
        "accountCode": "",
        "aaPath": "",
    },
)


def _names(prefix: str, words: str) -> list[str]:
    return [prefix + word for word in words.split()]


RECORD_FIELDS = _names(
    "",
    """
    dnis aaDestination callId startTimeUTC startTime connectTimeUTC connectTime disconnectedTimeUTC
    disconnectedTime talkTimeMS talkTime caller callerName callee calleeName direction callerId missed
    abandoned answered answeredTime calleeDisconnectOnHold callerDisconnectOnHold pbxId sipCallId
    lastLegDisposition callLegCount callTime ringDuration abandonedTime calleeHoldDurationMS
    calleeHoldDuration waitTimeMS waitTime departments branches""",
)


def _record(leg: Mapping[str, Any], unit: int, leg_count: str) -> dict[str, Any]:
    count = 1 + unit % 3
    ring = leg["callTime"] - leg["talkTimeMS"]
    more: dict[str, Any] = {
        "aaDestination": "",
        "answeredTime": ring if leg["answered"] != "-" else 0,
        "lastLegDisposition": leg["propsLastPartyDisp"],
        "callLegCount": count if leg_count == "integer" else str(count),
        "ringDuration": ring,
        "abandonedTime": ring if leg["abandoned"] != "-" else 0,
        "waitTimeMS": ring,
        "waitTime": _clock(ring),
    }
    return {name: more[name] if name in more else leg[name] for name in RECORD_FIELDS}


MAKERS: Mapping[str, Callable[[dict[str, Any], int, str], dict[str, Any]]] = {
    "legs": lambda leg, unit, leg_count: leg,
    "records": _record,
}


# The rows that a query finds, newest start first (the cursors in the seed's samples say so).

Key = tuple[int, int]


@lru_cache(maxsize=6)
def found(query: Query) -> Sequence[Key]:
    """The rows as pairs of minus start and minus number.

    The pairs are in ascending order, so that a cursor's place among them is found by bisection.
    """
    made = templates(query.seed, query.kind, query.leg_count)
    # The number breaks ties, so that every row has one place.
    return sorted((-times.start, -number) for number, times in _candidates(query, made))


def _candidates(query: Query, made: Sequence[Template]) -> Iterator[tuple[int, Times]]:
    wanted = [_wanted(query, unit, template) for unit, template in enumerate(made)]
    for number in _numbers(query):
        if wanted[number % UNIT]:
            times = _times(query, made[number % UNIT], number)
            if getattr(times, query.by) > query.until:
                continue
            if query.every is None or (_inside(query, times) and _pbx(query, number) in query.pbxes):
                yield number, times


def _wanted(query: Query, unit: int, template: Template) -> bool:
    parties = {template.caller, template.callee}
    return not (
        (query.simplified and unit % BLOCK in CHILDREN)
        or (query.callers and template.caller not in query.callers)
        or (query.callees and template.callee not in query.callees)
        or (query.either and not parties & query.either)
    )


def _numbers(query: Query) -> range:
    if query.every is None:
        return range(query.count if query.high > query.low else 0)
    return range(query.low // query.every, (query.high + LONGEST) // query.every + 1)


def _inside(query: Query, times: Times) -> bool:
    at = getattr(times, query.by)
    above = at >= query.low if query.bounds[0] == "[" else at > query.low
    below = at <= query.high if query.bounds[1] == "]" else at < query.high
    return bool(above and below)


def _times(query: Query, template: Template, number: int) -> Times:
    if query.every is None:
        at = query.low + (query.high - query.low) * (2 * number + 1) // (2 * query.count)
        by = query.by
    else:
        at, by = number * query.every, "disconnect"
    start = at - {"start": 0, "connect": template.ring, "disconnect": template.length}[by]
    return Times(start, start + template.ring, start + template.length)


def _pbx(query: Query, number: int) -> str:
    names = query.pbxes if query.every is None else query.all_pbxes
    return names[number // BLOCK % len(names)]


def _call_id(query: Query, number: int) -> int:
    first = query.low if query.every is None else GRID_CALLS
    if query.kind == "records":
        return first + number
    block, place = divmod(number, BLOCK)
    return first + block * CALLS + LEGS[place][0]


def cursor(query: Query, key: Key) -> str:
    """A row's place, as the decoded samples have it: PBX, call, leg, start; records without the leg."""
    number = -key[1]
    leg = [str(LEGS[number % BLOCK][1])] if query.kind == "legs" else []
    return "_".join([_pbx(query, number), str(_call_id(query, number)), *leg, str(-key[0])])


def after(query: Query, keys: Sequence[Key], text: str) -> int:
    """The index of the first row behind a cursor; ValueError where it is none."""
    parts = text.rsplit("_", 3 if query.kind == "legs" else 2)[1:]
    call, *leg, start = (int(part) for part in parts)
    call -= query.low if query.every is None else GRID_CALLS
    number = call
    if query.kind == "legs":
        block, place = divmod(call, CALLS)
        number = block * BLOCK + LEGS.index((place, leg[0]))
    return bisect_right(keys, (-start, -number))


def rendered(query: Query, keys: Iterable[Key]) -> bytes:
    """Rows as JSON, separated by commas."""
    # A page has thousands of rows: what can be is looked up outside of the loop.
    made, clock, legs = (
        templates(query.seed, query.kind, query.leg_count),
        _clocks(query.timezone),
        query.kind == "legs",
    )
    first_call = query.low if query.every is None else GRID_CALLS
    names = query.pbxes if query.every is None else query.all_pbxes
    pbxes = [json.dumps(name)[1:-1].encode() for name in names]
    rows = []
    for negative, negative_number in keys:
        start, number = -negative, -negative_number
        text, ring, length, answered, _, _ = made[number % UNIT]
        connect, end = start + ring, start + length
        block, place = divmod(number, BLOCK)
        pbx = pbxes[block % len(pbxes)]
        if legs:
            of_block = first_call + block * CALLS
            call = b"%d" % (of_block + LEGS[place][0])
            parent = b'"%d"' % of_block if place in CHILDREN else b"null"
            rows.append(
                text % (call, start, clock(start), connect, clock(connect), end, clock(end), parent, pbx)
            )
        else:
            call = b"%d" % (first_call + number)
            connection = (connect, clock(connect)) if answered else (0, b"0")
            rows.append(text % (call, start, clock(start), *connection, end, clock(end), pbx))
    return b",".join(rows)


@lru_cache(maxsize=8)
def _clocks(timezone: str) -> Stamp:
    return Stamp(timezone, colon=False)


# Summaries (openapi): arrays, whose durations are milliseconds.


COMPANY_FIELDS = [
    *("inboundTotal", "outboundTotal"),
    *_names("externalInbound", "Total Answered Abandoned Missed"),
    "percentExternalInboundAnswered",
    *_names("externalOutbound", "Total Answered Abandoned Missed"),
    "percentExternalOutboundAnswered",
    *_names("internalInbound", "Total Answered Abandoned Missed"),
    *_names("internalOutbound", "Total Answered Abandoned"),
    *_names("inbound", "Answered Abandoned Missed"),
    *_names("outbound", "Answered Abandoned"),
    *_names("total", "Answered Abandoned Missed RingTime TalkTime Call AbandonedTime CallTime Vm"),
    *_names("avg", "RingTime TalkTime CallTime AbandonedTime"),
    *("totalExtToExt", *_names("totalExtToExt", "Abandoned Answered Missed")),
]
EXTENSION_FIELDS = [
    *_names("External_Inbound_", "Total Answered Abandoned Missed"),
    *_names("External_Outbound_", "Total Answered Abandoned Missed"),
    *_names("Internal_Inbound_", "Total Answered Abandoned Missed"),
    *_names("Internal_Outbound_", "Total Answered Abandoned Missed"),
    *_names("Total_", "Answered Abandoned Missed Calls Ring_Time"),
    *("Avg_Talk_Time", "Inbound_Talk_Time", "Outbound_Talk_Time", "Avg_Abandoned_Time"),
]
GROUP_FIELDS = _names(
    "",
    """
    totalMembers totalInbound totalAbandoned totalAnswered totalMissed totalCallsToVM totalAdvanced
    totalRgTime totalTalkTime totalCalls avgAbandonedTime avgRgTime avgRingTime avgTalkTime
    totalAbandonedTime totalRingTime""",
)
MEMBER_FIELDS = _names(
    "",
    """
    totalAnswered totalAdvanced totalTalkTime totalRingTime totalCalls avgRingTime avgTalkTime
    offered""",
)


def _figures(draw: random.Random, names: Iterable[str]) -> dict[str, Any]:
    return {
        # openapi: percentages are integers, too
        name: draw.randrange(101 if name.startswith("percent") else 3_600_000 if "Time" in name else 500)
        for name in names
    }


def _company(draw: random.Random, pbx: str, index: int, ring_group: str) -> dict[str, Any]:
    return {"pbxId": pbx, **_figures(draw, COMPANY_FIELDS)}


def _extension(draw: random.Random, pbx: str, index: int, ring_group: str) -> dict[str, Any]:
    first, _, last = data.NAMES[index % len(data.NAMES)].partition(" ")
    user = index % 5 != 4
    return {
        "PbxId": pbx,
        "Extension": str(2001 + index),
        "ServiceType": "UE",
        "FirstName": first,
        "LastName": last,
        "Branch": BRANCHES[index % len(BRANCHES)],
        "Department": DEPARTMENTS[index % len(DEPARTMENTS)],
        **_figures(draw, EXTENSION_FIELDS),
        "Email": f"user{index}@example.com" if user else "N/A",
        "UserName": f"user{index}" if user else "N/A",
    }


#: the extension of the first ring group
FIRST_GROUP = 5001


def _group_name(index: int) -> str:
    return data.QUEUES[index % len(data.QUEUES)]


def _group(draw: random.Random, pbx: str, index: int, ring_group: str) -> dict[str, Any]:
    return {
        "pbxId": pbx,
        "site": BRANCHES[index % len(BRANCHES)],
        "name": _group_name(index),
        "extension": str(FIRST_GROUP + index),
        **_figures(draw, GROUP_FIELDS),
    }


def _member(draw: random.Random, pbx: str, index: int, ring_group: str) -> dict[str, Any]:
    # One group has one name; where none was asked for, the members are those of all.
    group = int(ring_group) - FIRST_GROUP if ring_group.isdecimal() else index
    first, _, last = data.NAMES[index % len(data.NAMES)].partition(" ")
    return {
        "pbxId": pbx,
        "site": BRANCHES[index % len(BRANCHES)],
        "firstName": first,
        "lastName": last,
        "ringGroupName": _group_name(group),
        "ringGroupExtension": ring_group or str(FIRST_GROUP + group),
        "extension": str(2001 + index),
        **_figures(draw, MEMBER_FIELDS),
    }


SUMMARIES: Mapping[str, Callable[[random.Random, str, int, str], dict[str, Any]]] = {
    "company": _company,
    "extensions": _extension,
    "groups": _group,
    "members": _member,
}


@lru_cache(maxsize=16)
def summary(
    seed: int, kind: str, window: tuple[int, int], pbxes: tuple[str, ...], count: int, ring_group: str
) -> Content:
    """A summary; that of the company has one row for each PBX."""
    draw = random.Random(f"{seed}|8x8 work|{kind}|{window}|{ring_group}")  # noqa: S311
    count = len(pbxes) if kind == "company" else count
    lines = [
        data.json_line(SUMMARIES[kind](draw, pbxes[index % len(pbxes)], index, ring_group))
        for index in range(min(count, data.UNIT_ROWS))
    ]
    layout = Layout(b"[", b",", b"]")
    if not lines:
        return Content(((b"[]", 1),), "application/json", "json", 0)
    return data.fill(lines, layout, count, None, "application/json", "json")
