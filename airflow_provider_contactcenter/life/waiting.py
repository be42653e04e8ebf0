"""How a job is waited for: one pure state machine, run by the operator, the sensor and the trigger.

:func:`wait` yields what is to be done (look at the job, or sleep) and returns an event: a plain dict that
says how the waiting ended and holds all that the rest of the task needs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

from airflow_provider_contactcenter.nouns import Job, State, Status
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind

#: A trigger's first event comes no sooner than this after the deferral: triggers that fired within a few
#: seconds lost tasks to the scheduler's race between the executor's and the trigger's event.
SHORTEST_DEFERRAL = timedelta(seconds=10)

#: what the log says of a job whose task is ended
RUNS_ON = "The task was ended; job %s runs on at the vendor, which has no way to cancel it."

#: seconds between two looks at the least, whatever the arguments say
SHORTEST_PAUSE = 0.05
GROWTH = 1.5
JITTER = 0.1


class Event(TypedDict):
    """How the waiting ended.

    ``status`` is a job's state, ``timeout`` (the deadline passed) or ``refused`` (the vendor's answer ends
    the wait; ``refusal`` says of which kind it was). New keys may be added, none is ever renamed.
    """

    version: int
    status: State | Literal["timeout", "refused"]
    job: Job
    vendor_status: str | None
    reason: str | None
    refusal: RefusalKind | None


def event(
    job: Job,
    status: State | Literal["timeout", "refused"],
    vendor_status: str | None = None,
    reason: str | None = None,
    refusal: RefusalKind | None = None,
) -> Event:
    """Make an event of this release's version."""
    return Event(
        version=1,
        status=status,
        job=job,
        vendor_status=vendor_status,
        reason=reason,
        refusal=refusal,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the vendor for the job's status; answered with a Status or a Refusal."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Sleep for so many seconds."""

    seconds: float


def jittered(seconds: float) -> float:
    """The same, 10 % more or less."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def utcnow() -> datetime:
    """The wall clock, in UTC: deadlines are shared by processes on different machines."""
    return datetime.now(UTC)


def wait(
    job: Job,
    *,
    poll_interval: float,
    max_poll_interval: float,
    deadline: datetime,
    first_look: float = 0.0,
    note: Callable[[str], None] = lambda line: None,
    now: Callable[[], datetime] = utcnow,
) -> Generator[Look | Sleep, Status | Refusal | None, Event]:
    """Look at a job until it is over, the vendor's answer ends the wait, or the deadline passes.

    Blips (no connection, timeouts, 408, 425, 429, 5xx, unreadable bodies) never end the wait. There is a
    sleep between any two looks.

    :param poll_interval: seconds before the second look; it grows by half with each look.
    :param max_poll_interval: seconds between looks at the most, unless the vendor asks for more; a
        ``poll_interval`` above it stays as it is.
    :param deadline: aware instant at which the wait ends with ``timeout``.
    :param first_look: seconds before the first look.
    :param note: is given a line for the log whenever the job's state changes or a look fails.
    """
    interval, pause = poll_interval, first_look
    last: str | None = None
    trouble: str | None = None
    while True:
        left = (deadline - now()).total_seconds()
        if pause > 0 and left > 0:
            yield Sleep(max(SHORTEST_PAUSE, min(pause, left)))
        if now() >= deadline and pause > 0:
            return event(job, "timeout", last, trouble)
        found = yield Look()
        asked, trouble = 0.0, None
        if isinstance(found, Refusal):
            if not found.passing:
                return event(job, "refused", last, found.words, found.kind)
            note(f"a look at job {job['job_id']} failed and will be repeated: {found.words}")
            asked, trouble = found.retry_after or 0.0, found.words
        elif found is not None:
            if found["vendor_status"] != last:
                last = found["vendor_status"]
                note(f"job {job['job_id']} is {found['state']} (the vendor says {last})")
            if found["state"] not in ("queued", "running"):
                return event(job, found["state"], last, found["reason"])
        if now() >= deadline:
            return event(job, "timeout", last, trouble)
        pause = max(SHORTEST_PAUSE, asked, jittered(interval))
        interval = max(interval, min(interval * GROWTH, max_poll_interval))
