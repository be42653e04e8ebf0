"""Users: their presences and routing statuses, as fragments of which one user has many.

A user's day is cut into slots. In each the user has one presence, and a few routing statuses while on a
queue; the last slot of a day ends in the first of the next, so a status goes over midnight. The last of the
users is offline from Friday's last slot to Monday's first: a status of several days, which is kept on its
first and on its last day.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from .pool import DAY, USERS, Style, uuid

PRESENCES = ("ON_QUEUE", "AVAILABLE", "ON_QUEUE", "MEAL", "ON_QUEUE", "MEETING", "BREAK", "TRAINING")
STATUSES = ("IDLE", "INTERACTING", "COMMUNICATING", "NOT_RESPONDING")
PRESENCE_IDS = {name: uuid(random.Random(name)) for name in (*PRESENCES, "OFFLINE")}  # noqa: S311
FRIDAY, SATURDAY, SUNDAY = 1, 2, 3
#: so long a status may have begun before the day that it ends on
LONGEST = 4 * DAY


class Key(NamedTuple):
    """A fragment: one user's slot."""

    start: int
    end: int
    user: int
    kind: str
    day: int
    slot: int
    again: int = 0
    changed: str = ""


def _begin(seed: int, day: int, user: int, slot: int, slots: int) -> int:
    """When a slot begins."""
    draw = random.Random(f"{seed}|genesys user|{user}|{day}|{slot}")  # noqa: S311
    return day * DAY + int(DAY / slots * (slot + 0.05 + draw.random() * 0.8))


def on_day(seed: int, day: int, count: int) -> Iterator[Key]:
    """The fragments that are kept on a day since the epoch."""
    users = min(count, len(USERS))
    weekday = day % 7  # 1970 began with a Thursday
    for index in range(count):
        user, slot = index % users, index // users
        slots = len(range(user, count, users))
        free = user == users - 1 and users > 1
        if free and weekday in (SATURDAY, SUNDAY):
            continue
        start = _begin(seed, day, user, slot, slots)
        last = slot == slots - 1
        if free and weekday == FRIDAY and last:
            yield Key(start, _begin(seed, day + 3, user, 0, slots), user, "days", day, slot)
            continue
        end = _begin(seed, day + 1, user, 0, slots) if last else _begin(seed, day, user, slot + 1, slots)
        if free and weekday == (SUNDAY + 1) and slot == 0:
            friday = _begin(seed, day - 3, user, slots - 1, slots)
            yield Key(friday, start, user, "days", day, slot)
        yield Key(start, end, user, "slot", day, slot)


def touching(seed: int, start: int, end: int, per_day: int, match: str, multi_day: str) -> Iterator[Key]:
    """The fragments of a window, half-open: user after user within the order of their starts."""
    seen: set[tuple[int, int]] = set()
    for day in range(start // DAY - 1, -(-end // DAY)):
        for key in sorted(on_day(seed, day, per_day)):
            kept_here = day * DAY < end and (day + 1) * DAY > start
            if not (key.start < end and key.end > start) or (key.kind == "days" and not kept_here):
                continue
            if match == "left_out" and key.start < start:
                continue
            if key.kind == "days":
                if multi_day == "once" and (key.user, key.start) in seen:
                    continue
                seen.add((key.user, key.start))
            yield key


def row(seed: int, key: Key, style: Style, until: int, window: tuple[int, int] | None) -> dict[str, Any]:
    """The fragment as it is known at the watermark `until`, clipped to the window if one is given."""
    draw = random.Random(f"{seed}|genesys fragment|{key.user}|{key.day}|{key.slot}")  # noqa: S311
    name = "OFFLINE" if key.kind == "days" else PRESENCES[(key.slot + key.user) % len(PRESENCES)]
    low, high = window or (key.start, key.end)

    def span(start: int, end: int) -> dict[str, str] | None:
        start, end = max(start, low), min(end, high)
        if start >= until or start >= end:
            return None
        over = {"endTime": style.at(end)} if end <= until else {}
        return {"startTime": style.at(start), **over}

    presence = span(key.start, key.end)
    extra = {"sandboxField": True} if style.novelties else {}
    whole: dict[str, Any] = {"userId": USERS[key.user], **extra}
    if presence:
        word = "ON_THE_MOON" if style.novelties else name
        whole["primaryPresence"] = [
            {**presence, "systemPresence": word, "organizationPresenceId": PRESENCE_IDS[name]}
        ]
    statuses = []
    if name == "ON_QUEUE":
        cuts = [key.start + int((key.end - key.start) * part) for part in (0, 0.3, 0.5, 0.9, 1)]
        for number, (start, end) in enumerate(pairwise(cuts)):
            found = span(start, end)
            if found:
                word = STATUSES[(number + draw.randrange(2)) % len(STATUSES)]
                statuses.append({**found, "routingStatus": "DAYDREAMING" if style.novelties else word})
    else:
        found = span(key.start, key.end)
        if found:
            statuses.append({**found, "routingStatus": "OFF_QUEUE"})
    if statuses:
        whole["routingStatus"] = statuses
    return whole
