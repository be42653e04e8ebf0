"""What the searches of a detailed report in 8x8's Contact Center leave in its fields.

Sources: *guide* and *glossary* as in `eight_by_eight_cc`. Searches are joined by AND (guide).

A search changes values, never how many rows there are: what doesn't pass is replaced by what does.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .. import data
from .tables import PREDEFINED

#: a number, or a duration as the guide writes it: 10s, 10m, 3h, 7d
AMOUNT = r"(\d{1,9})([smhd]?)"
MILLISECONDS = {"": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

#: values of the media and directions in rows, unlike in filters: `phone` there, `Phone` here (guide)
DIRECTIONS = {"inbound": "InboundDir", "outbound": "OutboundDir"}
CAPITALISED = ("mediaType", "chatType")


def shown(field: str, value: str) -> str:
    """A predefined filter value as rows have it."""
    if field == "direction":
        return DIRECTIONS.get(value, value)
    return value[:1].upper() + value[1:] if field in CAPITALISED else value


class Search(NamedTuple):
    """One search: a field, an operator, and the values that it names."""

    field: str
    operator: str
    values: tuple[str, ...]

    def passes(self, text: str | None) -> bool:
        """Whether it lets a string through."""
        values = [shown(self.field, value) for value in self.values]
        match self.operator:
            case "in":
                return text in values
            case "not-in":
                return text not in values
            case "contains":
                return text is not None and values[0] in text
            case "is-empty":
                return not text
            case _:
                return bool(text)


def fitting_text(field: str, searches: Sequence[Search], given: str | None, turn: int) -> str | None:
    """`given` if all searches let it through, else a value that they do; `turn` chooses among several."""

    def passes(text: str | None) -> bool:
        return all(search.passes(text) for search in searches)

    if passes(given):
        return given
    named = [shown(field, value) for search in searches for value in search.values]
    others = [*(shown(field, word) for word in PREDEFINED.get(field, "").split()), *data.QUEUES, *data.NAMES]
    for pool in (named, others):
        allowed = list(filter(passes, pool))
        if allowed:
            return allowed[turn % len(allowed)]
    return None


COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def fitting_number(searches: Sequence[Search], given: int) -> int:
    """`given` if all searches let it through, else a number that they do; durations are in milliseconds."""
    limits = [
        (COMPARISONS[search.operator], amount(search.values[0]))
        for search in searches
        if search.operator in COMPARISONS
    ]
    # If anything passes at all, something at a limit or next to one does.
    near = [limit + step for _, limit in limits for step in (0, 1, -1)]
    for number in [given, *near]:
        if number >= 0 and all(holds(number, limit) for holds, limit in limits):
            return number
    return given


def amount(text: str) -> int:
    """A number, or the milliseconds of a duration; ValueError where it is neither."""
    match = re.fullmatch(AMOUNT, text, re.ASCII)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * MILLISECONDS[match[2]]
