"""How a job is waited for: one pure state machine, run by the operator, the sensor and the trigger.

:func:`wait` yields what is to be done (look at the job, or sleep) and returns an event: a plain dict that
says how the wait ended and holds all that the rest of the task needs. :data:`LIFE` says what follows from
each state and each end of a wait. Nothing here does I/O or knows Airflow.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from airflow_provider_contactcenter.nouns import Job, State, Status
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind

#: a state of the job, or one of the two other ways in which a wait ends
Outcome = State | Literal["timeout", "refused"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an outcome."""

    #: The wait is over.
    over: bool
    #: The job is still good: a retry takes it up, and doesn't submit the report again.
    kept: bool


#: The life of a job. A retry begins with a look at the job that is remembered, a clear submits again.
LIFE: Mapping[Outcome, Rule] = {
    "queued": Rule(over=False, kept=True),
    "running": Rule(over=False, kept=True),
    "ready": Rule(over=True, kept=True),  # until its file has landed
    "failed": Rule(over=True, kept=False),
    "cancelled": Rule(over=True, kept=False),
    "expired": Rule(over=True, kept=False),
    "timeout": Rule(over=True, kept=True),  # our deadline: the job runs on
    "refused": Rule(over=True, kept=True),  # the vendor's answer to a look: the job may be fine
}

#: what the log says of a job whose task is ended
RUNS_ON = "The task was ended; job %s runs on at the vendor."
CANCELLED = "The task was ended, and job %s with it."

#: seconds between two looks at the least, whatever the arguments say
SHORTEST_PAUSE = 0.05
GROWTH = 1.5
#: seconds for which nothing is said while a state lasts
SILENCE = 600.0
JITTER = 0.1
#: seconds between two questions for a vendor's watermark; doubled each time
WATERMARK_PAUSE, LONGEST_WATERMARK_PAUSE = 60.0, 900.0


class Event(TypedDict):
    """How the waiting ended.

    ``status`` is a job's state, ``timeout`` (the deadline passed) or ``refused`` (the vendor's answer ends
    the wait; ``refusal`` says of which kind it was, ``advice`` what to do about it if more is known than that
    kind). New keys may be added, none is ever renamed.
    """

    version: int
    status: Outcome
    job: Job
    vendor_status: str | None
    reason: str | None
    refusal: RefusalKind | None
    advice: str | None


def event(
    job: Job,
    status: Outcome,
    vendor_status: str | None = None,
    reason: str | None = None,
    refusal: RefusalKind | None = None,
    advice: str | None = None,
) -> Event:
    """Make an event of this release's version."""
    return Event(
        version=1,
        status=status,
        job=job,
        vendor_status=vendor_status,
        reason=reason,
        refusal=refusal,
        advice=advice,
    )


def outcome(job: Job, found: Status | Refusal) -> Event:
    """How a wait ends if this was the last look: with ``timeout`` where looking again may help."""
    if isinstance(found, Refusal):
        if found.passing:
            return event(job, "timeout", None, found.words)
        return event(job, "refused", None, found.words, found.kind, found.advice)
    if LIFE[found["state"]].over:
        return event(job, found["state"], found["vendor_status"], found["reason"])
    return event(job, "timeout", found["vendor_status"])


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the vendor for the job's status; answered with a Status or a Refusal."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Sleep for so many seconds."""

    seconds: float


def seen_line(job: Job, found: Status) -> str:
    """For the log, when a job's state changes."""
    return f"job {job['job_id']} is {found['state']} (the vendor says {found['vendor_status']})"


def still_line(job: Job, state: str, now: datetime, pause: float, deadline: datetime) -> str:
    """For the log, while a state lasts."""
    since = datetime.fromisoformat(job["submitted_at"])
    elapsed = timedelta(seconds=int((now - since).total_seconds()))
    return (
        f"job {job['job_id']} is still {state} after {elapsed}; next look in {pause:.0f} s, "
        f"deadline {deadline.isoformat(timespec='seconds')}"
    )


def jittered(seconds: float) -> float:
    """The same, 10 % more or less."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def wait(
    job: Job,
    *,
    poll_interval: float,
    max_poll_interval: float,
    deadline: datetime,
    first_look: float = 0.0,
    now: Callable[[], datetime],
    note: Callable[[str], None] = lambda line: None,
) -> Generator[Look | Sleep, Status | Refusal | None, Event]:
    """Look at a job until it is over, the vendor's answer ends the wait, or the deadline passes.

    Blips (no connection, timeouts, 408, 425, 429, 5xx, unreadable bodies) never end the wait. There is a
    sleep between any two looks.

    :param poll_interval: seconds before the second look; it grows by half with each look.
    :param max_poll_interval: seconds between looks at most, unless the vendor asks for more; a
        ``poll_interval`` above it stays as it is.
    :param deadline: aware instant at which the wait ends with ``timeout``.
    :param first_look: seconds before the first look.
    :param now: the clock.
    :param note: is given a line for the log whenever the job's state changes or a look fails, and one in ten
        minutes while a state lasts.
    """
    interval, pause = poll_interval, first_look
    said = now()
    state = "not seen yet"
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
        if found is not None:
            seen = outcome(job, found)
            if isinstance(found, Refusal):
                asked, trouble = found.retry_after or 0.0, found.words
            elif found["vendor_status"] != last:
                last, state, said = found["vendor_status"], found["state"], now()
                note(seen_line(job, found))
            if seen["status"] != "timeout":
                return {**seen, "vendor_status": last}
            if trouble is not None:
                note(f"a look at job {job['job_id']} failed and will be repeated: {trouble}")
        if now() >= deadline:
            return event(job, "timeout", last, trouble)
        pause = max(SHORTEST_PAUSE, asked, jittered(interval))
        if (now() - said).total_seconds() >= SILENCE:
            said = now()
            note(still_line(job, state, said, min(pause, (deadline - said).total_seconds()), deadline))
        interval = max(interval, min(interval * GROWTH, max_poll_interval))
