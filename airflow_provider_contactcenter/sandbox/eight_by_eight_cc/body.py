"""The body of a request that submits a report to 8x8's Contact Center, and what is wrong with it.

Sources and inventions: see `eight_by_eight_cc`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from ..model import Request
from ..state import VendorState
from . import tables
from .detailed import DetailedPlan
from .search import AMOUNT, Search
from .wire import bad

Body = Mapping[str, Any]
Options = Mapping[str, Any]

GRANULARITIES = ("15m", "30m", "hour", "day", "week", "month", "year", "none")
#: the seed's table: up to a week, up to a month, beyond
WEEK = ("15m", "30m", "hour", "day", "none")
MONTH = ("none", "hour", "day", "week")
LONGER = ("none", "month", "year")
TITLE = r"[A-Za-z0-9\s!\-_.*'()]+"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z"
DAY_TIME = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?"


def json_object(request: Request) -> dict[str, Any]:
    """The body of a request."""
    if request.media_type != "application/json":
        raise bad("The Content-Type must be application/json")
    try:
        body = request.json()
    except ValueError:
        raise bad("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise bad("The request body must be an object")
    return body


def member(body: Body, name: str, kind: type | tuple[type, ...], what: str) -> Any:
    """A member of the body; None where it is missing or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise bad(f"Field '{name}' must be {what}")
    return value


def report_type(body: Body) -> str:
    """The report type, known or not."""
    report = member(body, "type", str, "a string")
    if report is None:
        raise bad("Field 'type' is required")
    return str(report)


def title(body: Body) -> str:
    """The title: letters, digits, white space and ``! - _ . * ' ( )``."""
    title = member(body, "title", str, "a string")
    if title is None:
        raise bad("Field 'title' is required")
    if not re.fullmatch(TITLE, title, re.ASCII) or not title.strip():
        raise bad("Field 'title' contains characters that are not allowed")
    return str(title)


def date_range(options: Options, body: Body, now: datetime) -> tuple[datetime, datetime]:
    """Both ends of the range."""
    given = member(body, "dateRange", dict, "an object")
    if given is None and options["required"] == "openapi":
        # Openapi doesn't say which range it is then. The last whole day.
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=1), midnight - timedelta(milliseconds=1)
    if given is None:
        raise bad("Field 'dateRange' is required")
    start, end = (_instant(options, given, bound) for bound in ("start", "end"))
    if end < start:
        raise bad("Field 'dateRange.end' must not be before 'dateRange.start'")
    return start, end


def _instant(options: Options, given: Body, bound: str) -> datetime:
    name = f"dateRange.{bound}"
    value = given.get(bound)
    if value is None:
        raise bad(f"Field '{name}' is required")
    expected = bad(f"Field '{name}' must have the format YYYY-MM-DDTHH:MM:SS.SSSZ")
    if not isinstance(value, str):
        raise expected
    if options["date_format"] == "fraction" and not re.fullmatch(INSTANT, value, re.ASCII):
        raise expected
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise expected from None
    if moment.tzinfo is None or not 1970 <= moment.year < 2200:
        raise expected
    return moment.astimezone(UTC)


def timezone(options: Options, body: Body) -> str:
    """One of the tenant's zones."""
    configured = options["timezones"]
    given = member(body, "timezone", str, "a string")
    if given is None:
        return str(configured[0] if configured else "UTC")
    if given not in configured or given not in _all_timezones():
        raise bad(f"Timezone '{given}' is not configured for the tenant")
    return str(given)


@lru_cache(maxsize=1)
def _all_timezones() -> set[str]:
    return available_timezones()


def intraday(body: Body, version: int, least: int) -> tuple[time, time] | None:
    """The range within each day, which has to be `least` minutes long."""
    given = member(body, "intraDayTimeRange", dict, "an object")
    if given is None:
        return None
    for bound in ("start", "end"):
        if not isinstance(given.get(bound), str) or not re.fullmatch(DAY_TIME, given[bound], re.ASCII):
            raise bad(f"Field 'intraDayTimeRange.{bound}' must have the format hh:mm:ss")
    start, end = time.fromisoformat(given["start"]), time.fromisoformat(given["end"])
    length = _seconds(end) - _seconds(start)
    if length < 0 and version >= 6:
        length += 86_400
    if length < least * 60:
        raise bad(f"Field 'intraDayTimeRange.end' must be at least {least} minutes after the start")
    return start, end


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def boolean(options: Options, body: Body, name: str) -> bool:
    """True, false or one of the two as a string."""
    value = body.get(name, False)
    if options["boolean_strings"] and value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise bad(f"Field '{name}' must be true or false")
    return value


def metrics(body: Body, known: Sequence[str]) -> tuple[str, ...]:
    """All of them where none is named, in an empty list too (seed); one named twice counts once (guide)."""
    given = member(body, "metrics", list, "an array") or []
    for name in given:
        if name not in known:
            raise bad(f"Metric '{name}' is not available for this report type")
    return tuple(dict.fromkeys(given)) or tuple(known)


def granularity(options: Options, body: Body, start: datetime, end: datetime) -> str:
    """The granularity, which the length of the range has to allow."""
    given = any_granularity(body, required=True)
    allowed = _allowed(options["month"], start, end)
    if given not in allowed:
        raise bad(f"Granularity '{given}' is not allowed for this date range: use {', '.join(allowed)}")
    return given


def any_granularity(body: Body, required: bool) -> str:
    """One of the eight words."""
    given = body.get("granularity")
    if given is None and not required:
        return "none"
    if given is None:
        raise bad("Field 'granularity' is required")
    if given not in GRANULARITIES:
        raise bad(f"Field 'granularity' must be one of {', '.join(GRANULARITIES)}")
    return str(given)


def _allowed(month: str, start: datetime, end: datetime) -> Sequence[str]:
    """The row, or rows, of the seed's table. It doesn't say how long a month is."""
    length = end - start
    if length <= timedelta(days=7):
        return WEEK
    if month == "either":
        short, long = length <= timedelta(days=31), length > timedelta(days=28)
        return tuple(dict.fromkeys([*(MONTH if short else ()), *(LONGER if long else ())]))
    return MONTH if end <= MONTHS[month](start) else LONGER


def _next_month(start: datetime) -> datetime:
    first = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(start.day, last.day))


MONTHS: Mapping[str, Callable[[datetime], datetime]] = {
    "calendar": _next_month,
    "30": lambda start: start + timedelta(days=30),
    "31": lambda start: start + timedelta(days=31),
}


def grouping(
    options: Options, body: Body, report: str
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Dimensions and filters."""
    known = tables.groupings(report)
    given = member(body, "groupBy", dict, "an object")
    if given is None and options["required"] == "openapi":
        return next(iter(known.values())), ()
    name = member(given or {}, "name", str, "a string")
    if name is None:
        raise bad("Field 'groupBy.name' is required")
    if name not in known:
        raise bad(f"Grouping '{name}' is not available for this report type")
    dimensions = known[name]
    return dimensions, _filters(given or {}, tables.filters(dimensions))


def _filters(grouping: Body, allowed: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for given in member(grouping, "filters", list, "an array") or []:
        if not isinstance(given, dict):
            raise bad("Field 'groupBy.filters' must be an array of objects")
        name: Any = given.get("name")
        values: Any = given.get("values")
        if name not in allowed:
            raise bad(f"Filter '{name}' is not available for this grouping")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise bad(f"Filter '{name}' must have an array of strings as its values")
        if name == "wrap-up-code" and not all(re.fullmatch(r"\d+-\d+", value) for value in values):
            raise bad("Filter 'wrap-up-code' takes values of the form <list-id>-<item-id>")
        found.append((name, tuple(values)))
    return tuple(found)


def detailed_plan(state: VendorState, body: Body, version: int) -> DetailedPlan:
    """A detailed report, from what was asked for."""
    options, report = state.options, body["type"]
    start, end = date_range(options, body, state.now())
    settings = member(body, "reportSettings", dict, "an object") or {}
    participants = boolean(options, body, "includeParticipants")
    if participants and report != "detailed-reports-interaction-details":
        raise bad("Field 'includeParticipants' is only allowed for detailed-reports-interaction-details")
    intraday(body, version, 5)
    boolean(options, settings, "showInteractionsStateInTime")
    known = tables.fields(report, version)
    return DetailedPlan(
        seed=state.seed,
        report=report,
        version=version,
        start=start,
        end=end,
        timezone=timezone(options, body),
        metrics=metrics(body, tuple(known)),
        search=tuple(_search(options, search, known) for search in searches(body)),
        participants=participants,
        ongoing=boolean(options, settings, "showOngoingInteractions"),
        durations=options["durations"],
        spread=state.size[0],
        until=min(state.now(), end),
    )


def searches(body: Body) -> list[Body]:
    """The searches of a detailed report or of script paths."""
    searches = member(body, "searchQuery", list, "an array") or []
    for search in searches:
        if not isinstance(search, dict):
            raise bad("Field 'searchQuery' must be an array of objects")
    return searches


def _search(options: Options, search: Body, known: Mapping[str, str]) -> Search:
    """One search of a detailed report."""
    field: Any = search.get("field")
    operator, value = search.get("operator"), search.get("value")
    if not isinstance(field, str) or field not in known:
        raise bad(f"Field '{field}' can't be searched in this report type")
    kind = known[field]
    allowed = tables.KIND_OPERATORS[kind]
    if kind == "text" and options["string_operators"] == "prose":
        allowed = ("contains", "is-empty", "is-not-empty")
    if operator not in allowed:
        raise bad(f"Operator '{operator}' is not allowed for the field '{field}'")
    if operator in ("is-empty", "is-not-empty"):
        return Search(field, operator, ())
    values: list[Any] = value if isinstance(value, list) and operator in ("in", "not-in") else [value]
    if not values or not all(isinstance(item, str) for item in values):
        raise bad(
            f"The value for the field '{field}' must be a string, or a list of strings with in and not-in"
        )
    if kind in ("number", "duration") and not re.fullmatch(AMOUNT, values[0], re.ASCII):
        raise bad(f"The value for the field '{field}' must be a number or a duration such as 10s")
    return Search(field, str(operator), tuple(values))
