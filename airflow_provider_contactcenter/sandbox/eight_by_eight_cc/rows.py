"""The rows of 8x8's summary reports in the Contact Center.

Source: *seed* is the summary guide (the dimensions media, channel, queue and queueId; buckets that aren't
clipped to the range, times without seconds, null dimensions in total rows, both shapes of items).

Invented, because no document says so: the columns of all other dimensions; milliseconds as the unit of
durations; that an index range in `total` counts all rows of the report from 0; what a subtotal sums up (one
bucket, and one value of the first dimension where there are several); the order of rows; values.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from .. import data
from .tables import label

#: so many rows of a report differ; a longer one repeats them, without totals
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Plan:
    """A summary report, as it was submitted."""

    seed: int
    report: str
    start: datetime
    end: datetime
    granularity: str
    dimensions: tuple[str, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    timezone: str
    intraday: tuple[time, time] | None
    metrics: tuple[str, ...]
    subtotals: bool
    grand_total: bool
    times: bool
    """Whether the rows have startTime and endTime."""
    count: int
    until: datetime
    """When the report was submitted, or the range's end if that was before: what is later isn't in it."""


class Line(NamedTuple):
    """One row: what it totals, if anything, and its cells."""

    total: dict[str, Any] | None
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A summary report's rows, or the first of them."""

    keys: tuple[str, ...]
    lines: tuple[Line, ...]
    elements: int
    """How many rows there are in all, totals included."""


# Buckets: whole hours, days, weeks from Monday ..., in the report's zone, not clipped to the range (seed).

STEPS = {"15m": timedelta(minutes=15), "30m": timedelta(minutes=30), "hour": timedelta(hours=1)}


def buckets(plan: Plan) -> list[tuple[datetime, datetime]]:
    """The intervals that the range touches, as far as they have begun."""
    return [(low, high) for low, high in _buckets(plan) if max(low, plan.start) <= plan.until]


def _buckets(plan: Plan) -> list[tuple[datetime, datetime]]:
    zone = ZoneInfo(plan.timezone)
    start, end = plan.start.astimezone(zone), plan.end.astimezone(zone)
    if plan.granularity == "none":
        return [(start, end)]
    if plan.granularity in STEPS:
        return list(_clock_buckets(start, end, STEPS[plan.granularity], plan.intraday))
    return list(_calendar_buckets(start, end, plan.granularity))


def _clock_buckets(
    start: datetime, end: datetime, step: timedelta, intraday: tuple[time, time] | None
) -> Iterator[tuple[datetime, datetime]]:
    zone = start.tzinfo
    minutes = int(step.total_seconds() // 60)
    # Steps are made in UTC, so that a repeated hour comes twice and a missing one not at all.
    low = start.replace(minute=start.minute // minutes * minutes, second=0, microsecond=0).astimezone(UTC)
    while low <= end:
        local = low.astimezone(zone)
        if intraday is None or _touches(local, minutes, intraday):
            yield local, (low + step).astimezone(zone)
        low += step


def _touches(local: datetime, minutes: int, intraday: tuple[time, time]) -> bool:
    low = local.hour * 60 + local.minute
    first, last = (bound.hour * 60 + bound.minute + bound.second / 60 for bound in intraday)
    if first < last:
        return low < last and low + minutes > first
    return low < last or low + minutes > first


def _calendar_buckets(start: datetime, end: datetime, unit: str) -> Iterator[tuple[datetime, datetime]]:
    midnight = datetime(start.year, start.month, start.day, tzinfo=start.tzinfo)
    low = FLOORS[unit](midnight)
    while low <= end:
        high = NEXT[unit](low)
        yield low, high
        low = high


#: wall-clock arithmetic: a day of 25 hours is one day
FLOORS: Mapping[str, Callable[[datetime], datetime]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "year": lambda day: day.replace(month=1, day=1),
}
NEXT: Mapping[str, Callable[[datetime], datetime]] = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=7),
    "month": lambda day: (day + timedelta(days=32)).replace(day=1),
    "year": lambda day: day.replace(year=day.year + 1),
}


# Dimensions: a value is found by its number; the ids of some are endless, so that there can be any number of
# rows. A filter's values take the place of the numbers.

MEDIA = ("Phone", "Chat", "Email", "VoiceMail")
#: a filter may name the direction in place of the medium (seed; the last two: v8 guide)
MEDIA_FILTERS = {
    **{name: name for name in MEDIA},
    "InboundPhone": "Phone",
    "OutboundPhone": "Phone",
    "InboundEmail": "Email",
    "OutboundEmail": "Email",
}
CHANNELS = ("web-main", "+1 408 555 0100", "claims, EU", 'the "new" line', "Überlauf 🌊")
STATUS_CODES = ("Lunch", "Training; external", "=Break", "Team meeting", "line\nbreak")
WRAP_UPS = ("Sold", "Call back", "Wrong number", 'Said "no"', "Complaint, serious")


class Dimension(NamedTuple):
    """How a dimension's values look: the columns, and the ids that it has or that a filter may name."""

    keys: tuple[str, ...]
    ids: Sequence[str] | Callable[[int], str]
    cells: Callable[[str], tuple[str | None, ...]]
    known: Callable[[str], bool]


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text) or 0)


def _of(names: Sequence[str], text: str) -> str:
    return names[_number(text) % len(names)]


DIMENSIONS: Mapping[str, Dimension] = {
    "media": Dimension(
        ("media",), MEDIA, lambda name: (MEDIA_FILTERS[name],), lambda name: name in MEDIA_FILTERS
    ),
    "channel": Dimension(
        ("channel",),
        lambda index: CHANNELS[index] if index < len(CHANNELS) else f"channel-{index:02d}",
        lambda name: (name,),
        lambda name: True,
    ),
    "queue": Dimension(
        ("queue", "queueId"),
        lambda index: str(101 + index),
        lambda queue: (f"{_of(data.QUEUES, queue)} {queue}", queue),
        str.isdecimal,
    ),
    "agent": Dimension(
        ("agent", "agentId"),
        lambda index: f"ag{319798 + index}",
        lambda agent: (_of(data.NAMES, agent), agent),
        lambda agent: re.fullmatch(r"ag\w+", agent) is not None,
    ),
    "group": Dimension(
        ("group", "groupId"),
        lambda index: str(401 + index),
        lambda group: (f"Group {_of(data.QUEUES, group)} {group}", group),
        str.isdecimal,
    ),
    "status-code": Dimension(
        ("statusCode", "statusCodeId"),
        tuple(str(900 + index) for index in range(len(STATUS_CODES))),
        lambda code: (_of(STATUS_CODES, code), code),
        str.isdecimal,
    ),
    "wrap-up-code": Dimension(
        ("wrapUpCode", "wrapUpCodeListId", "wrapUpCodeId"),
        tuple(f"170-{1201 + index}" for index in range(len(WRAP_UPS))),
        lambda code: (_of(WRAP_UPS, code), *code.split("-")),
        lambda code: re.fullmatch(r"\d+-\d+", code) is not None,
    ),
}


def _combinations(plan: Plan, wanted: int) -> list[tuple[str, ...]]:
    """Up to `wanted` combinations of ids, the first dimension changing slowest."""
    filtered = dict(plan.filters)
    ids: list[Sequence[str] | Callable[[int], str]] = []
    for name in plan.dimensions:
        dimension = DIMENSIONS[name]
        given = [value for value in filtered.get(name, ()) if dimension.known(value)]
        ids.append(given if filtered.get(name) else dimension.ids)
    finite = math.prod(len(values) for values in ids if not callable(values))
    endless = sum(callable(values) for values in ids)
    each = math.ceil((wanted / finite) ** (1 / endless) - 1e-9) if endless and finite else 0
    domains = [
        [values(index) for index in range(max(each, 1))] if callable(values) else values for values in ids
    ]
    return list(islice(product(*domains), wanted))


# The table of a summary report.


@lru_cache(maxsize=4)
def table(plan: Plan) -> Table:
    """The rows of a summary report: the same plan gives the same rows."""
    spans = buckets(plan)
    count = min(plan.count, MOST_ROWS)
    combinations = _combinations(plan, math.ceil(count / len(spans))) if spans and count else []
    count = min(count, len(spans) * len(combinations))
    repeated = plan.count > MOST_ROWS and count == MOST_ROWS
    plain = list(_plain_lines(plan, spans, combinations, count))
    lines = plain if repeated else _with_totals(plan, plain)
    times = ("startTime", "endTime") if plan.times else ()
    dimensions = tuple(key for name in plan.dimensions for key in DIMENSIONS[name].keys)
    return Table(
        (*times, *dimensions, *plan.metrics),
        tuple(line for _, line in lines),
        plan.count if repeated else len(lines),
    )


Grouped = tuple[tuple[int, str], Line]


def _plain_lines(
    plan: Plan,
    spans: Sequence[tuple[datetime, datetime]],
    combinations: Sequence[tuple[str, ...]],
    count: int,
) -> Iterator[Grouped]:
    draw = random.Random(f"{plan.seed}|8x8|{plan.report}|{plan.start}|{plan.end}|{plan.timezone}")  # noqa: S311
    makers = [_metric(name) for name in plan.metrics]
    for place, (start, end) in enumerate(spans):
        times = (f"{start:%Y-%m-%dT%H:%M}{_offset(start)}", f"{end:%Y-%m-%dT%H:%M}{_offset(end)}")
        mine = (place + 1) * count // len(spans) - place * count // len(spans)
        for ids in combinations[:mine]:
            named = [DIMENSIONS[name].cells(value) for name, value in zip(plan.dimensions, ids, strict=True)]
            cells = (
                *(times if plan.times else ()),
                *(cell for several in named for cell in several),
                *(maker(draw) for maker in makers),
            )
            yield (place, ids[0] if len(ids) > 1 else ""), Line(None, cells)


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:5]}"


def _metric(name: str) -> Callable[[random.Random], float]:
    if "Percent" in name:
        return lambda draw: _percentage(draw.random() * 100)
    if re.search(r"Time|Duration|Speed", name):
        return lambda draw: int(draw.random() * 3_600_000)
    return lambda draw: int(draw.random() * 200)


def _percentage(value: float) -> float:
    rounded = round(value, 2)
    return int(rounded) if rounded.is_integer() else rounded  # 39 in every file format, not 39.0 in some


def _with_totals(plan: Plan, plain: Sequence[Grouped]) -> list[Grouped]:
    lines: list[Grouped] = []
    first = 0
    open_lines: list[Line] = []
    for place, (group, line) in enumerate(plain):
        lines.append((group, line))
        open_lines.append(line)
        ends = place + 1 == len(plain) or plain[place + 1][0] != group
        if plan.subtotals and ends:
            total = {"type": "subtotal", "startIndex": first, "endIndex": len(lines) - 1}
            first_keys = DIMENSIONS[plan.dimensions[0]].keys if len(plan.dimensions) > 1 else ()
            kept = (2 if plan.times else 0) + len(first_keys)
            lines.append((group, Line(total, _sum(plan, open_lines, kept))))
            first, open_lines = len(lines), []
    if plan.grand_total and plain:
        total = {"type": "grandtotal", "startIndex": None, "endIndex": None}
        lines.append(((-1, ""), Line(total, _sum(plan, [line for _, line in plain], 0))))
    return lines


def _sum(plan: Plan, lines: Sequence[Line], kept: int) -> tuple[Any, ...]:
    """One row out of several: the first `kept` cells are theirs, the other dimensions are null (seed)."""
    cells = list(lines[0].cells)
    dimensions = len(cells) - len(plan.metrics)
    cells[kept:dimensions] = [None] * (dimensions - kept)
    for place, name in enumerate(plan.metrics, dimensions):
        values = [line.cells[place] for line in lines]
        if "longest" in name:
            cells[place] = max(values)
        elif "Percent" in name:
            cells[place] = _percentage(sum(values) / len(values))
        else:
            cells[place] = sum(values) // len(values) if name.startswith("avg") else sum(values)
    return tuple(cells)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def json_rows(found: Table, first: int, last: int, items: str, total_key: str, totals: bool) -> list[Any]:
    """Rows as `/data` has them.

    :param items: ``list`` of key, label and value, which is always a string; ``object``, of typed values, in
        plain rows (the seed's second sample); ``mixed``: one like this, one like that
    :param totals: whether plain rows have the member that says what they total
    """
    labels = [label(key) for key in found.keys]
    rows: list[Any] = []
    for index in range(first, last):
        line = found.lines[index % len(found.lines)]
        as_object = line.total is None and (items == "object" or (items == "mixed" and index % 2))
        shown: Any = (
            dict(zip(found.keys, line.cells, strict=True))
            if as_object
            else [
                {"key": key, "label": name, "value": _text(value)}
                for key, name, value in zip(found.keys, labels, line.cells, strict=True)
            ]
        )
        rows.append({**({total_key: line.total} if totals else {}), "items": shown})
    return rows
