"""Checks of single values: each returns the value in its one normal form or raises one sentence.

Pure functions, shared by every report builder. A sentence names the parameter, the value and what
is allowed.
"""

from __future__ import annotations

import ast
import json
import linecache
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Check = Callable[[str, Any], Any]


class InvalidValue(ValueError):
    """Parameters that can't be used: a sentence for each, with its name, its value and what is allowed."""

    def __init__(self, *complaints: str) -> None:
        super().__init__(*complaints)
        self.complaints = complaints
        if line := users_line():
            self.add_note(line)  # a traceback ends in it, where Airflow shows our own frames alone

    def __str__(self) -> str:
        return " ".join(self.complaints)


#: the first parts of the names of modules that aren't the user's
_NOT_THE_USERS = {__name__.partition(".")[0], "airflow"}


def users_line() -> str | None:
    """The line of the DAG file, or of whatever else calls this package, that is being carried out."""
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_USERS:
        frame = frame.f_back
    if frame is None:
        return None
    file, number = frame.f_code.co_filename, frame.f_lineno
    written = linecache.getline(file, number).strip()
    return f"{file}, line {number}: {written}" if written else None


def pending(value: object) -> bool:
    """Tell whether Airflow still has to fill in ``value``: a Jinja template or an XComArg, at any depth."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(pending(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return any(pending(item) for item in value)
    # XComArg, MappedArgument and DagParam have no common base on all supported versions; all have these two.
    return all(callable(getattr(value, method, None)) for method in ("resolve", "iter_references"))


def unrendered(value: object, path: str) -> tuple[str, object] | None:
    """The first value in ``value`` that Airflow should have filled in, with its path, if there is one."""
    if isinstance(value, Mapping):
        children = [(f"{path}[{key!r}]", item) for key, item in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        children = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return (path, value) if pending(value) else None
    return next((found for name, item in children if (found := unrendered(item, name))), None)


def text(name: str, value: Any) -> str:
    """A non-empty string; a number becomes one, because native rendering turns ``"103"`` into 103."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue(f"{name}={value!r} is not allowed: give a non-empty string.")
    return str(value)


def segment(name: str, value: Any) -> str:
    """A string that is one segment of a URL's path: no slash, no dot-only name, no control character."""
    value = text(name, value)
    if value in {".", ".."} or re.search(r"[/\\?#\x00-\x1f\x7f\ud800-\udfff]", value):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it becomes one path segment of a URL, so give a name "
            "without '/', '\\', '?', '#' or control characters."
        )
    return str(value)


def flag(name: str, value: Any) -> bool:
    """A boolean; ``"true"`` and ``"false"`` count, because templates render to strings."""
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise InvalidValue(f"{name}={value!r} is not allowed: give True or False.")
    return bool(value)


def zone(name: str, value: Any) -> str:
    """The name of an IANA time zone, such as ``Europe/London``."""
    value = text(name, value)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give the name of an IANA time zone, such as 'UTC' or "
            "'America/New_York'."
        ) from None
    return str(value)


def instant(name: str, value: Any) -> str:
    """An aware datetime or an ISO 8601 string with an offset, as an ISO 8601 string in UTC."""
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give an aware datetime or an ISO 8601 string with an "
            "offset, such as '2024-05-01T00:00:00+00:00'."
        )
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it has no time zone; give an aware datetime or an ISO "
            "8601 string with an offset, such as '2024-05-01T00:00:00+00:00'."
        )
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it lies outside the years 1 to 9999 in UTC."
        ) from None


def spelled(span: timedelta) -> str:
    """A length of time in words, such as ``31 days and 1 hour``."""
    seconds, parts = abs(span) // timedelta(seconds=1), []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
    if left := abs(span).microseconds:
        parts.append(f"{left:,} microsecond{'' if left == 1 else 's'}")
    *most, last = parts or ["no time"]
    return f"{', '.join(most)} and {last}" if most else last


def moment(value: str) -> datetime:
    """The aware datetime behind a normalised instant."""
    return datetime.fromisoformat(value)


def one_of(allowed: Collection[str]) -> Check:
    """A check for one of a few words."""

    def check(name: str, value: Any) -> str:
        if value not in allowed:
            words = ", ".join(repr(word) for word in allowed)
            raise InvalidValue(f"{name}={value!r} is not allowed: give one of {words}.")
        return str(value)

    return check


def integer(lowest: int, highest: int) -> Check:
    """A check for a whole number in a closed range; digits in a string count."""

    def check(name: str, value: Any) -> int:
        number = value
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            number = int(value)
        if isinstance(number, bool) or not isinstance(number, int) or not lowest <= number <= highest:
            raise InvalidValue(
                f"{name}={value!r} is not allowed: give a whole number from {lowest} to {highest}."
            )
        return number

    return check


def limited(check: Check, longest: int) -> Check:
    """A check that also limits the length of a string."""

    def limited_check(name: str, value: Any) -> Any:
        value = check(name, value)
        if len(value) > longest:
            raise InvalidValue(
                f"{name}={value!r} is not allowed: it has {len(value)} characters, give at most {longest}."
            )
        return value

    return limited_check


def optional(check: Check) -> Check:
    """The same check, but None passes."""

    def optional_check(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return optional_check


def matching(pattern: str, allowed: str) -> Check:
    """A check for a string that matches ``pattern`` as a whole; ``allowed`` says so in words."""

    def matching_check(name: str, value: Any) -> str:
        value = text(name, value)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise InvalidValue(f"{name}={value!r} is not allowed: give {allowed}.")
        return str(value)

    return matching_check


def unquoted(value: Any) -> Any:
    """The list or dict that a template rendered to a string; any other value as it is."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(value.strip())
            except (ValueError, SyntaxError, RecursionError):
                continue
    return value


def listed(check: Check, least: int = 0, most: int | None = None) -> Check:
    """A check for one value or a list of them; the normal form is a list."""

    def listed_check(name: str, value: Any) -> list[Any]:
        values = unquoted(value)
        values = [values] if isinstance(values, str | int) else values
        if not isinstance(values, list | tuple):
            raise InvalidValue(f"{name}={value!r} is not allowed: give a string or a list of strings.")
        if len(values) < least:
            raise InvalidValue(f"{name}={value!r} is not allowed: give at least {least}.")
        if most is not None and len(values) > most:
            raise InvalidValue(
                f"{name}={values[0]!r} and {len(values) - 1} more is not allowed: give at most {most}."
            )
        return [check(f"{name}[{index}]", item) for index, item in enumerate(values)]

    return listed_check


def named(check: Check) -> Check:
    """A check for a dict of names, each with what ``check`` takes."""

    def named_check(name: str, value: Any) -> dict[str, Any]:
        values = unquoted(value)
        if not isinstance(values, Mapping):
            raise InvalidValue(f"{name}={value!r} is not allowed: give a dict.")
        return {text(f"a name in {name}", key): check(f"{name}[{key!r}]", values[key]) for key in values}

    return named_check


def plain(name: str, value: Any) -> Any:
    """Whatever JSON can hold, as it comes back from there: a report is kept as JSON."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give what JSON can hold, which is strings, numbers, booleans, "
            "None, lists and dicts."
        ) from None


def clock_range(shortest: timedelta) -> Check:
    """A check for ``{"start": "20:00:00", "end": "06:00:00"}``, a range that may cross midnight."""

    def clock_range_check(name: str, value: Any) -> dict[str, str]:
        bounds = unquoted(value)
        if not isinstance(bounds, Mapping) or set(bounds) != {"start", "end"}:
            raise InvalidValue(
                f"{name}={value!r} is not allowed: give a dict with 'start' and 'end', each hh:mm:ss."
            )
        clock = {key: _clock(f"{name}[{key!r}]", bounds[key]) for key in ("start", "end")}
        start, end = (
            timedelta(hours=shown.hour, minutes=shown.minute, seconds=shown.second)
            for shown in clock.values()
        )
        if (end - start) % timedelta(days=1) < shortest:
            raise InvalidValue(
                f"{name}={value!r} is not allowed: its end must be at least {spelled(shortest)} after "
                f"its start (a range may cross midnight; leave {name} out for whole days)."
            )
        return {key: shown.isoformat() for key, shown in clock.items()}

    return clock_range_check


def _clock(name: str, value: Any) -> time:
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d\d:\d\d(:\d\d)?", value.strip(), re.ASCII):
        try:
            return time.fromisoformat(value.strip())
        except ValueError:
            pass
    raise InvalidValue(
        f"{name}={value!r} is not allowed: give a time of day as hh:mm:ss, in quotes (YAML takes "
        "20:00:00 for a number)."
    )


def wall_clock(name: str, instant: datetime, timezone: str) -> str:
    """An aware instant as ``YYYY-MM-DD HH:MM:SS`` on the clocks of a zone.

    :raises InvalidValue: the notation can't say it: the clocks there show that time twice, or it has a
        fraction of a second.
    """
    local = instant.astimezone(ZoneInfo(timezone))
    shown = instant.isoformat()
    if local.microsecond:
        raise InvalidValue(
            f"{name}={shown!r} is not allowed: the vendor takes whole seconds, so give a bound without a "
            "fraction."
        )
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        raise InvalidValue(
            f"{name}={shown!r} is not allowed: the clocks of timezone={timezone!r} show "
            f"{local:%Y-%m-%d %H:%M:%S} twice, and the vendor takes no offset to tell which is meant; give "
            "timezone='UTC'."
        )
    return f"{local:%Y-%m-%d %H:%M:%S}"


def first_instant(day: date, timezone: str) -> datetime:
    """The instant at which a day begins on the clocks of a zone, in UTC.

    Where the clocks skip midnight, the offset before the gap makes it the end of the day before; where they
    repeat it, the first of the two is meant.
    """
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def day_of(instant: str, timezone: str) -> date:
    """The day of a normalised instant on the clocks of a zone."""
    return moment(instant).astimezone(ZoneInfo(timezone)).date()


def check_midnight(name: str, instant: str, timezone: str) -> None:
    """Refuse a normalised instant that isn't the first of a day in ``timezone``."""
    if first_instant(day_of(instant, timezone), timezone) != moment(instant):
        local = moment(instant).astimezone(ZoneInfo(timezone))
        raise InvalidValue(
            f"{name}={instant!r} is not allowed: it is {local:%Y-%m-%d %H:%M:%S} in timezone={timezone!r}, "
            "and the vendor counts whole days; give a bound that is midnight there, as a daily timetable in "
            "that zone does."
        )


EMPTY_WINDOW_CAUSE = (
    "an empty window usually means a plain cron schedule or a manual run on Airflow 3, where "
    "data_interval_start equals data_interval_end: use "
    "schedule=CronDataIntervalTimetable('@daily', timezone='UTC') or set "
    "[scheduler] create_cron_data_intervals = True"
)


def check_window(params: Mapping[str, Any], longest: timedelta | None = None) -> None:
    """Refuse a window whose start is not before its end or that is longer than ``longest``.

    A bound that Airflow still has to fill in is left for the run.
    """
    start, end = params["start"], params["end"]
    if pending(start) or pending(end):
        return
    if start == end:
        raise InvalidValue(
            f"start={start!r} is not allowed: it equals end={end!r}, and the window [start, end) must hold "
            f"some time; {EMPTY_WINDOW_CAUSE}."
        )
    span = moment(end) - moment(start)
    if span < timedelta(0):
        raise InvalidValue(f"start={start!r} is not allowed: it lies after end={end!r}; give start < end.")
    if longest is not None and span > longest:
        raise InvalidValue(
            f"end={end!r} is not allowed: the window from start={start!r} spans {spelled(span)}, and "
            f"the vendor takes at most {spelled(longest)} in one report; cut it into several reports."
        )
