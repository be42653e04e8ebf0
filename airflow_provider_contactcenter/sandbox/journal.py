"""The journal: every request that reached the sandbox, and how it was answered."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

#: longer bodies are cut in the journal; no vendor's request comes near
BODY_LIMIT = 16_384
#: older entries fall off the end
ENTRY_LIMIT = 200_000

FIELDS = (
    "number",
    "time",
    "origin",
    "vendor",
    "operation",
    "method",
    "target",
    "headers",
    "body",
    "status",
    "fault",
    "job",
)

#: those that hold numbers
NUMBERS = frozenset({"number", "status"})


class Journal:
    """The requests, oldest first. Secrets are kept: they are the sandbox's own, and what tests search for."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=ENTRY_LIMIT)
        self._count = 0

    def open(
        self,
        time: datetime,
        origin: str,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> dict[str, Any]:
        """Write down a request before it is answered; the caller fills in the rest as it learns it."""
        self._count += 1
        entry: dict[str, Any] = dict.fromkeys(FIELDS)
        entry |= {
            "number": self._count,
            "time": time.isoformat(),
            "origin": origin,
            "method": method,
            "target": target,
            "headers": [list(header) for header in headers],
            "body": body[:BODY_LIMIT].decode("utf-8", "backslashreplace"),
        }
        self._entries.append(entry)
        return entry

    def asked(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        """The entries that a query names, whose values are text whatever the field holds."""
        values: dict[str, Any] = dict(filters)
        for name in NUMBERS & values.keys():
            if not values[name].isdecimal():
                raise ValueError(f"The journal's field {name!r} holds whole numbers, not {values[name]!r}.")
            values[name] = int(values[name])
        return self.entries(**values)

    def entries(self, **filters: Any) -> list[dict[str, Any]]:
        """The entries whose fields equal `filters`."""
        unknown = sorted(set(filters) - set(FIELDS))
        if unknown:
            raise ValueError(f"The journal has no field {unknown[0]!r}; it has {', '.join(FIELDS)}.")
        return [
            copy.deepcopy(entry)
            for entry in self._entries
            if all(entry[name] == value for name, value in filters.items())
        ]

    def clear(self) -> None:
        """Start an empty journal."""
        self._entries.clear()
        self._count = 0
