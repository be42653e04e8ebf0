"""The rows of 8x8's detailed reports in the Contact Center.

Source: *guide* is the vendor's guide on detailed reports (the kinds of values, and its samples).

One template for each of `UNIT` interactions is made, into which a row's times and ids are written: pages of
a thousand rows with sixty fields in each have to leave quickly.

Invented, because no document says so: which fields hold lists; what an ongoing interaction has in place of
its end (null), and that every tenth is one; values.
"""

from __future__ import annotations

import json
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from .. import data
from ..instants import Stamp, milliseconds
from .search import Search, fitting_number, fitting_text, shown
from .tables import PREDEFINED, fields, label

#: a year in milliseconds: however long a search wants an interaction to be, its end can be written
LONGEST = 365 * 86_400_000
#: so many rows differ in more than their times and ids
UNIT = 500


@dataclass(frozen=True)
class DetailedPlan:
    """A detailed report, as it was submitted."""

    seed: int
    report: str
    version: int
    start: datetime
    end: datetime
    timezone: str
    metrics: tuple[str, ...]
    search: tuple[Search, ...]
    participants: bool
    ongoing: bool
    durations: str
    """``object`` or ``text``: the guide's samples have both."""
    spread: int
    """How many rows the range has when it is over."""
    until: datetime
    """When the report was submitted, or the range's end if that was before: what is later isn't in it."""

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        return bisect_right(range(self.spread), milliseconds(self.until), key=self.at)

    def at(self, index: int) -> int:
        """The time of a row in epoch milliseconds; rows are in the order of their times.

        The first and the last one lie on the range's ends, which both belong to it (seed).
        """
        low, high = milliseconds(self.start), milliseconds(self.end)
        return low + (high - low) * index // max(self.spread - 1, 1)


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


def _mark(what: int | str) -> str:
    return f"{_OPEN}{what}{_CLOSE}"


class _Interaction:
    """One interaction: what its row's fields are."""

    def __init__(self, plan: DetailedPlan, unit: int) -> None:
        self.plan = plan
        self.unit = unit
        # Not of the metrics: a field has the same value whichever others were asked for.
        self.draw = random.Random(f"{plan.seed}|8x8|{plan.report}|{unit}")  # noqa: S311
        self.searches: dict[str, list[Search]] = {}
        for search in plan.search:
            self.searches.setdefault(search.field, []).append(search)
        length = self.number("interactionDuration", self.draw.randrange(1_000, 1_800_000))
        self.length = min(length, LONGEST)
        self.ongoing = plan.ongoing and unit % 10 == 9

    def values(self) -> dict[str, Any]:
        """All fields of the report type, in their order."""
        known = fields(self.plan.report, self.plan.version)
        found = {name: self.value(name, kind) for name, kind in known.items()}
        for name, searches in self.searches.items():
            if any(search.operator == "is-empty" for search in searches):
                found[name] = None
            elif name in LISTS:
                # None stands for the empty list, which passes only where a null would.
                items = {fitting_text(name, searches, item, self.unit) for item in found[name] or [None]}
                found[name] = sorted(item for item in items if item is not None)
            elif known[name] == "text":
                found[name] = fitting_text(name, searches, found[name], self.unit)
        return found

    def value(self, name: str, kind: str) -> Any:
        if kind == "time":
            return self.moment(name)
        if kind == "duration":
            drawn = self.number(name, self.draw.randrange(0, 600_000))
            return self.duration(drawn, name == "interactionDuration")
        if kind == "number":
            return str(self.number(name, self.draw.randrange(5)))
        words = PREDEFINED.get(name, "").split()
        if name in LISTS:
            return [self.text(name, words) for _ in range(self.draw.randrange(3))]
        if self.draw.random() < 0.15 and not name.endswith("interactionId"):
            return None
        return self.text(name, words)

    def number(self, name: str, drawn: int) -> int:
        return fitting_number(self.searches.get(name, ()), drawn)

    def within(self) -> int:
        """A time between start and end, as an offset."""
        return self.draw.randrange(max(self.length, 1))

    def moment(self, name: str) -> Any:
        offsets = {"time": 0, "creationTime": 0, "finishedTime": self.length}
        moment = _mark(offsets.get(name, self.within()))
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
                "participantOfferTime": _mark(self.within()),
                "participantHandlingDuration": self.duration(self.draw.randrange(600_000)),
                "participantHoldDuration": 0,
                "wrapUpCode": ["Sold"] * (number % 2),
            }
            for number in range(1, self.draw.randrange(1, 4))
        ]


@lru_cache(maxsize=8)
def units(plan: DetailedPlan) -> tuple[dict[str, Any], ...]:
    """The fields of the interactions that rows are made from, with marks in them."""
    interactions = [_Interaction(plan, unit) for unit in range(min(plan.count, UNIT))]
    found = []
    for interaction in interactions:
        values = interaction.values()
        row = {name: values[name] for name in plan.metrics}
        if plan.participants:
            row["participants"] = interaction.participants()
        found.append(row)
    return tuple(found)


class Template(NamedTuple):
    """Bytes with a ``%b`` for each mark."""

    text: bytes
    marks: tuple[int | str, ...]


def template(text: str) -> Template:
    """The template for a text with marks."""
    marks = tuple(int(mark) if mark.lstrip("-").isdecimal() else mark for mark in _MARK.findall(text))
    return Template(_MARK.sub("%b", text.replace("%", "%%")).encode(), marks)


def filled(template: Template, clock: Stamp, at: int, index: int) -> bytes:
    """A row's bytes."""
    return template.text % tuple(
        clock(at + mark) if isinstance(mark, int) else ROW_IDS[mark](at, index) for mark in template.marks
    )


ROW_IDS: Mapping[str, Callable[[int, int], bytes]] = {
    "interactionId": lambda at, index: b"int-%x-%x-phone-01-sandbox01" % (at, index),
    "transactionId": lambda at, index: b"%d" % (40_000 + index),
    "recordId": lambda at, index: b"rec-%x" % index,
}


@lru_cache(maxsize=8)
def _json_templates(plan: DetailedPlan) -> tuple[Template, ...]:
    return tuple(
        template(
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
        for unit in units(plan)
    )


@lru_cache(maxsize=8)
def clock(timezone: str) -> Stamp:
    """How times of a zone are written here."""
    return Stamp(timezone, colon=True)


def detailed_page(plan: DetailedPlan, first: int, last: int) -> bytes:
    """A page of a detailed report's rows, as JSON."""
    templates, written = _json_templates(plan), clock(plan.timezone)
    rows = (
        filled(templates[index % len(templates)], written, plan.at(index), index)
        for index in range(first, last)
    )
    return b"[" + b",".join(rows) + b"]"
