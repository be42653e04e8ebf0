"""The rows and files of 8x8's Contact Center reports.

Sources: *seed* is the summary guide (the dimensions media, channel, queue and queueId; buckets that aren't
clipped to the range, times without seconds, null dimensions in total rows); *guide* is the vendor's guide on
detailed reports (the kinds of values).

Invented, because no document says so: the columns of all other dimensions; milliseconds as the unit of
durations in summary reports; that an index range in `total` counts all rows of the report from 0; what a
subtotal sums up (one bucket and the first dimension of the grouping); the order of rows; how csv is quoted
and ends its lines, and that total rows stand in files too; the sheet of an xlsx; which detailed fields hold
lists; what an ongoing interaction has in place of its end (null); values in general.
"""

from __future__ import annotations

import io
import json
import math
import random
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from . import data
from .data import Content, Layout
from .eight_by_eight_cc_tables import PREDEFINED, fields, label
from .eight_by_eight_clock import Clock, milliseconds

#: so many rows of a report differ; a longer one repeats them, without totals
MOST_ROWS = 20_000
#: so many detailed rows differ in more than their times and ids
UNIT = 500

CSV, XLSX = "csv", "xlsx"


@dataclass(frozen=True)
class Plan:
    """A summary report, as it was ordered."""

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
    """The intervals that the range touches."""
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


@lru_cache(maxsize=8)
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
            yield (place, ids[0] if ids else ""), Line(None, cells)


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
            kept = (2 if plan.times else 0) + len(DIMENSIONS[plan.dimensions[0]].keys)
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


# Detailed reports: one template for each of `UNIT` interactions, into which a row's times and ids go.


@dataclass(frozen=True)
class DetailedPlan:
    """A detailed report, as it was ordered."""

    seed: int
    report: str
    version: int
    start: datetime
    end: datetime
    timezone: str
    metrics: tuple[str, ...]
    search: tuple[tuple[str, tuple[str | None, ...]], ...]
    """Fields and the values that a filter leaves them."""
    participants: bool
    ongoing: bool
    durations: str
    """``object`` or ``text``: the guide's samples have both."""
    count: int

    def at(self, index: int) -> int:
        """The time of a row in epoch milliseconds; rows are in the order of their times."""
        low, high = milliseconds(self.start), milliseconds(self.end)
        return low + (high - low) * (2 * index + 1) // (2 * self.count)


# In a template a mark stands for what differs from row to row: an offset from the row's time, or its id.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}(-?\\w+){_CLOSE}")

LISTS = (
    "interactionLabels",
    "participantName",
    "participantId",
    "participantGroupName",
    "participantGroupId",
    "wrapUpCode",
    "wrapUpCodeId",
    "wrapUpCodeList",
    "wrapUpCodeListId",
    "wrapUpCodeText",
    "wrapUpShortCode",
    "transfers",
    "recordingFileNames",
)
#: values of the media and directions in rows, unlike in filters: `phone` there, `Phone` here (guide)
DIRECTIONS = {"inbound": "InboundDir", "outbound": "OutboundDir"}
CAPITALISED = ("mediaType", "chatType")


def shown(field: str, value: str) -> str:
    """A predefined filter value as rows have it."""
    if field == "direction":
        return DIRECTIONS.get(value, value)
    return value[:1].upper() + value[1:] if field in CAPITALISED else value


def _mark(what: int | str) -> str:
    return f"{_OPEN}{what}{_CLOSE}"


class _Interaction:
    """One interaction: what its row's fields are."""

    def __init__(self, plan: DetailedPlan, unit: int) -> None:
        self.plan = plan
        self.unit = unit
        # Not of the metrics: a field has the same value whichever others were asked for.
        self.draw = random.Random(f"{plan.seed}|8x8|{plan.report}|{unit}")  # noqa: S311
        self.length = self.draw.randrange(1_000, 1_800_000)
        self.ongoing = plan.ongoing and unit % 10 == 9
        self.search = dict(plan.search)

    def values(self) -> dict[str, Any]:
        """All fields of the report type, in their order."""
        found = {
            name: self.value(name, kind) for name, kind in fields(self.plan.report, self.plan.version).items()
        }
        for name, allowed in self.search.items():
            if not allowed:
                continue
            value = allowed[self.unit % len(allowed)]
            found[name] = [value] if name in LISTS and value is not None else value
        return found

    def value(self, name: str, kind: str) -> Any:
        if kind == "time":
            return self.moment(name)
        if kind == "duration":
            return self.duration(self.draw.randrange(0, 600_000), name == "interactionDuration")
        if kind == "number":
            return str(self.draw.randrange(5))
        words = PREDEFINED.get(name, "").split()
        if name in LISTS:
            return [self.text(name, words) for _ in range(self.draw.randrange(3))]
        if self.draw.random() < 0.15 and not name.endswith("interactionId"):
            return None
        return self.text(name, words)

    def moment(self, name: str) -> Any:
        offsets = {"time": 0, "creationTime": 0, "finishedTime": self.length}
        moment = _mark(offsets.get(name, self.draw.randrange(self.length)))
        if name != "finishedTime" or self.plan.durations == "text":
            return moment
        return {"value": None if self.ongoing else moment, "ongoing": self.ongoing}

    def duration(self, length: int, whole: bool = False) -> Any:
        length = self.length if whole else length
        if self.plan.durations == "text":
            return str(timedelta(seconds=length // 1000))
        return {"value": length, "ongoing": self.ongoing and whole}

    def text(self, name: str, words: Sequence[str]) -> str:
        if words:
            return shown(name, self.draw.choice(words))
        if name in ("interactionId", "transactionId", "recordId"):
            return _mark(name)
        if name.endswith("Id"):
            return str(self.draw.randrange(100, 9_999))
        if "ueueName" in name:
            return self.draw.choice(data.QUEUES)
        if "Name" in name or name == "agent":
            return self.draw.choice(data.NAMES)
        if re.search(r"Phone$|origination|destination", name):
            return f"+1415555{self.draw.randrange(10_000):04d}"
        return str(data.AWKWARD[self.draw.randrange(len(data.AWKWARD))] or "")

    def participants(self) -> list[dict[str, Any]]:
        """Mixed values, and a bare 0 beside objects (guide)."""
        return [
            {
                "participantAssignNumber": number,
                "participantId": f"ag{319798 + number}",
                "participantName": self.draw.choice(data.NAMES),
                "participantType": "agent",
                "participantOfferAction": "accepted",
                "participantOfferTime": _mark(self.draw.randrange(self.length)),
                "participantHandlingDuration": self.duration(self.draw.randrange(600_000)),
                "participantHoldDuration": 0,
                "wrapUpCode": ["Sold"] * (number % 2),
            }
            for number in range(1, self.draw.randrange(1, 4))
        ]


@lru_cache(maxsize=8)
def _units(plan: DetailedPlan) -> tuple[dict[str, Any], ...]:
    interactions = [_Interaction(plan, unit) for unit in range(min(plan.count, UNIT))]
    found = []
    for interaction in interactions:
        values = interaction.values()
        row = {name: values[name] for name in plan.metrics}
        if plan.participants:
            row["participants"] = interaction.participants()
        found.append(row)
    return tuple(found)


class _Template(NamedTuple):
    """Bytes with a ``%b`` for each mark."""

    text: bytes
    marks: tuple[int | str, ...]


def _template(text: str) -> _Template:
    marks = tuple(int(mark) if mark.lstrip("-").isdecimal() else mark for mark in _MARK.findall(text))
    return _Template(_MARK.sub("%b", text.replace("%", "%%")).encode(), marks)


def _filled(template: _Template, clock: Clock, at: int, index: int) -> bytes:
    return template.text % tuple(
        clock(at + mark) if isinstance(mark, int) else ROW_IDS[mark](at, index) for mark in template.marks
    )


ROW_IDS: Mapping[str, Callable[[int, int], bytes]] = {
    "interactionId": lambda at, index: b"int-%x-%x-phone-01-sandbox01" % (at, index),
    "transactionId": lambda at, index: b"%d" % (40_000 + index),
    "recordId": lambda at, index: b"rec-%x" % index,
}


@lru_cache(maxsize=8)
def _json_templates(plan: DetailedPlan) -> tuple[_Template, ...]:
    return tuple(
        _template(
            json.dumps(
                {
                    "total": None,
                    "items": [
                        {"key": key, "label": label(key), "value": value} for key, value in unit.items()
                    ],
                },
                ensure_ascii=False,
                separators=(",", ":"),
            )
        )
        for unit in _units(plan)
    )


@lru_cache(maxsize=8)
def _clock(timezone: str) -> Clock:
    return Clock(timezone, colon=True)


def detailed_page(plan: DetailedPlan, first: int, last: int) -> bytes:
    """A page of a detailed report's rows, as JSON."""
    templates, clock = _json_templates(plan), _clock(plan.timezone)
    rows = (
        _filled(templates[index % len(templates)], clock, plan.at(index), index)
        for index in range(first, last)
    )
    return b"[" + b",".join(rows) + b"]"


# Files.

CSV_HEADERS: Mapping[str, Callable[[str], str]] = {"label": label, "key": lambda key: key}


class Style(NamedTuple):
    """How a csv file is written."""

    header: str
    line_end: str
    bom: bool

    def layout(self, names: Iterable[str]) -> Layout:
        """A file with this head."""
        bom = b"\xef\xbb\xbf" if self.bom else b""
        return Layout(head=bom + data.csv_line(map(CSV_HEADERS[self.header], names), self.line_end))


def summary_csv(plan: Plan, style: Style, size: int | None) -> Content:
    """A summary report as csv: of any length, without a cap (seed)."""
    found = table(plan)
    lines = [data.csv_line(line.cells, style.line_end) for line in found.lines]
    return _file(lines, style.layout(found.keys), found.elements, size)


def detailed_csv(plan: DetailedPlan, style: Style, size: int | None) -> Content:
    """A detailed report as csv."""
    templates = [
        _template(data.csv_line(map(_cell, unit.values()), style.line_end).decode()) for unit in _units(plan)
    ]
    clock = _clock(plan.timezone)
    lines = [
        _filled(templates[index % len(templates)], clock, plan.at(index), index)
        for index in range(min(plan.count, MOST_ROWS))
    ]
    return _file(lines, style.layout(_columns(plan)), plan.count, size)


def script_paths_csv(count: int, style: Style, size: int | None) -> Content:
    """Paths through scripts: columns as the v8 guide lists them, whatever the style says about headers."""
    lines = [data.csv_line(_path(index), style.line_end) for index in range(min(count, MOST_ROWS))]
    return _file(lines, style._replace(header="key").layout(SCRIPT_PATH_COLUMNS), count, size)


SCRIPT_PATH_COLUMNS = (
    "Path ID",
    "Parent Path ID",
    "Script ID",
    "Script Name",
    "Node Type",
    "Node Label",
    "Depth",
    "Count",
    "Terminal",
)


def _path(index: int) -> tuple[Any, ...]:
    depth = index % 5
    return (
        f"path-{index}",
        f"path-{index - 1}" if depth else None,
        f"{501 + index // 5}",
        data.QUEUES[index // 5 % len(data.QUEUES)],
        ("Entry", "Menu", "Say", "ForwardToQueue", "HangUp")[depth],
        data.AWKWARD[index % len(data.AWKWARD)],
        depth,
        1_000 // (depth + 1),
        depth == 4,
    )


def _file(lines: Sequence[bytes], layout: Layout, count: int, size: int | None) -> Content:
    if not lines:
        return Content(((layout.head, 1),), "text/csv", CSV, 0)
    return data.fill(lines, layout, count, size, "text/csv", CSV)


def _columns(plan: DetailedPlan) -> list[str]:
    return [*plan.metrics, *(["participants"] if plan.participants else [])]


def _cell(value: Any) -> Any:
    """A detailed value as one cell of a file."""
    if isinstance(value, dict):
        return value["value"]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value


@lru_cache(maxsize=4)
def summary_xlsx(plan: Plan, header: str) -> Content:
    """A summary report as xlsx."""
    found = table(plan)
    rows = (found.lines[index % len(found.lines)].cells for index in range(found.elements))
    return _workbook(map(CSV_HEADERS[header], found.keys), rows, found.elements)


@lru_cache(maxsize=4)
def detailed_xlsx(plan: DetailedPlan, header: str) -> Content:
    """A detailed report as xlsx."""
    units, clock = _units(plan), _clock(plan.timezone)

    def written(value: Any, index: int) -> Any:
        cell = _cell(value)
        if not isinstance(cell, str | list):
            return cell
        text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
        return _filled(_template(text), clock, plan.at(index), index).decode()

    rows = (
        [written(value, index) for value in units[index % len(units)].values()] for index in range(plan.count)
    )
    return _workbook(map(CSV_HEADERS[header], _columns(plan)), rows, plan.count)


#: the first instant that a zip archive can name
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def _workbook(head: Iterable[str], rows: Iterable[Sequence[Any]], count: int) -> Content:
    """A real xlsx, the same bytes for the same rows."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Report")

    def literal(value: Any) -> Any:
        if not (isinstance(value, str) and value.startswith("=")):
            return value
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"  # text, not a formula
        return cell

    sheet.append(list(head))
    for row in rows:
        sheet.append([literal(value) for value in row])
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)
    raw = io.BytesIO()
    book.save(raw)
    return Content(((_without_times(raw), 1),), "text/xlsx", XLSX, count)


def _without_times(raw: io.BytesIO) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(raw) as given, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as written:
        for name in given.namelist():
            body = given.read(name)
            if name == "docProps/core.xml":  # openpyxl writes the time of saving
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", body)
            written.writestr(zipfile.ZipInfo(name, _NO_TIME), body, zipfile.ZIP_DEFLATED)
    return result.getvalue()
