"""Triggers: wait for a job, or for an instant, without holding a worker slot.

They only read, may run twice and in two places, and their arguments hold no secret. Arguments are only
ever added, with defaults, and unknown ones are tolerated, so that tasks deferred by another release
resume.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, ClassVar, cast

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.life.waiting import (
    CANCELLED,
    LONGEST_WATERMARK_PAUSE,
    RUNS_ON,
    WATERMARK_PAUSE,
    Event,
    Sleep,
    event,
    jittered,
    wait,
)
from airflow_provider_contactcenter.nouns import Job, Report, Status
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: After a restart all triggers of a triggerer start at once; their first looks spread over so many seconds.
SPREAD = 10.0
#: seconds that one look may take, waiting for a connection and a token included
LONGEST_LOOK = 300.0
SHORTEST_LOOK = 10.0
#: seconds for a cancellation, of the thirty that Airflow gives
LONGEST_CANCEL = 20.0


class ContactCenterReportTrigger(BaseTrigger):
    """Polls one job until it is over, the vendor's answer ends the wait, or the deadline passes.

    Fires one event: see :class:`airflow_provider_contactcenter.life.waiting.Event`.

    :param job: the job, as ``ContactCenterReportOperator`` returns it.
    :param poll_interval: seconds between the first looks.
    :param max_poll_interval: seconds between looks at most.
    :param deadline: ISO 8601 instant in UTC at which the trigger fires ``timeout``, the same after any
        number of restarts.
    :param not_before: ISO 8601 instant in UTC before which no look is taken and no event fires.
    :param cancel_on_kill: cancel the job if a user ends the task, where the vendor can.
    """

    clock: ClassVar[Clock] = Clock()

    def __init__(
        self,
        job: Job,
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        deadline: str = "9999-12-31T00:00:00+00:00",
        not_before: str = "1970-01-01T00:00:00+00:00",
        cancel_on_kill: bool = False,
        **later_releases: Any,
    ) -> None:
        super().__init__()
        self.cancel_on_kill = cancel_on_kill
        self.job = job
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.deadline = deadline
        self.not_before = not_before

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, all JSON."""
        return (
            f"{ContactCenterReportTrigger.__module__}.{ContactCenterReportTrigger.__qualname__}",
            {
                "job": self.job,
                "poll_interval": self.poll_interval,
                "max_poll_interval": self.max_poll_interval,
                "deadline": self.deadline,
                "not_before": self.not_before,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, then fire one event."""
        fired = await self._wait()
        # A deadline may lie before not_before; the event still keeps the scheduler's safety distance.
        await self.clock.pause(max(0.0, self._seconds_to(self.not_before)))
        yield TriggerEvent(dict(fired))

    async def _wait(self) -> Event:
        from airflow_provider_contactcenter.exceptions import ContactCenterError
        from airflow_provider_contactcenter.hooks import shared_hook_for

        looks: list[Callable[[Job], Awaitable[Status]]] = []
        found: Status | Refusal | None = None
        spread = random.uniform(0, min(self.poll_interval, SPREAD))  # noqa: S311
        steps = wait(
            self.job,
            poll_interval=self.poll_interval,
            max_poll_interval=self.max_poll_interval,
            deadline=datetime.fromisoformat(self.deadline),
            first_look=max(self._seconds_to(self.not_before), spread),
            note=self.log.info,
            now=self.clock.now,
        )
        async with AsyncExitStack() as opened:
            while True:
                try:
                    step = steps.send(found)
                except StopIteration as stop:
                    return cast("Event", stop.value)
                found = None
                if isinstance(step, Sleep):
                    await self.clock.pause(step.seconds)
                    continue
                try:
                    async with asyncio.timeout(self._longest_look()):
                        if not looks:
                            # The first hook of a process is imported, which takes half a second.
                            hook = await asyncio.to_thread(shared_hook_for, self.job)
                            looks.append(await opened.enter_async_context(hook.polling()))
                        found = await looks[0](self.job)
                except Refusal as refusal:
                    found = refusal
                except TimeoutError:
                    found = Refusal("unavailable", "the answer took too long")
                except ContactCenterError as error:
                    return event(self.job, "refused", reason=str(error), refusal="invalid")

    def _longest_look(self) -> float:
        """Seconds for one look, whatever trickles in: the deadline holds."""
        return min(LONGEST_LOOK, max(SHORTEST_LOOK, self._seconds_to(self.deadline)))

    def _seconds_to(self, instant: str) -> float:
        return (datetime.fromisoformat(instant) - self.clock.now()).total_seconds()

    async def on_kill(self) -> None:
        """A user ends the task (no restart, no hand-over to another triggerer): take the job back."""
        taken = self.cancel_on_kill and await self._cancel()
        self.log.warning(CANCELLED if taken else RUNS_ON, self.job["job_id"])

    async def _cancel(self) -> bool:
        from airflow_provider_contactcenter.exceptions import ContactCenterError
        from airflow_provider_contactcenter.hooks import shared_hook_for

        try:
            async with asyncio.timeout(LONGEST_CANCEL):
                hook = await asyncio.to_thread(shared_hook_for, self.job)
                return await hook.cancel_async(self.job)
        except (Refusal, ContactCenterError, TimeoutError) as error:
            self.log.warning("Job %s could not be cancelled: %s", self.job["job_id"], error)
            return False


class ContactCenterTimerTrigger(BaseTrigger):
    """Fires at an instant: before a window has settled, or while the vendor takes no more reports.

    :param moment: ISO 8601 instant in UTC.
    :param payload: comes back in the event as it is.
    """

    clock: ClassVar[Clock] = Clock()

    def __init__(self, moment: str, payload: dict[str, Any] | None = None, **later_releases: Any) -> None:
        super().__init__()
        self.moment = moment
        self.payload = payload or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, all JSON."""
        return (
            f"{ContactCenterTimerTrigger.__module__}.{ContactCenterTimerTrigger.__qualname__}",
            {"moment": self.moment, "payload": self.payload},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep, then fire."""
        left = (datetime.fromisoformat(self.moment) - self.clock.now()).total_seconds()
        await self.clock.pause(max(0.0, left))
        yield TriggerEvent({"version": 1, "payload": self.payload})


class ContactCenterWatermarkTrigger(BaseTrigger):
    """Fires when the vendor has all rows of a report's window, or the deadline has passed.

    What a worker has to decide (the watermark may not be seen, the connection is gone) fires too: it asks
    again.

    :param report: the report that waits to be submitted.
    :param deadline: ISO 8601 instant in UTC.
    :param payload: comes back in the event as it is.
    """

    clock: ClassVar[Clock] = Clock()

    def __init__(
        self, report: Report, deadline: str, payload: dict[str, Any] | None = None, **later_releases: Any
    ) -> None:
        super().__init__()
        self.report = report
        self.deadline = deadline
        self.payload = payload or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, all JSON."""
        return (
            f"{ContactCenterWatermarkTrigger.__module__}.{ContactCenterWatermarkTrigger.__qualname__}",
            {"report": self.report, "deadline": self.deadline, "payload": self.payload},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask with growing pauses, then fire."""
        pause, end = WATERMARK_PAUSE, datetime.fromisoformat(self.report["params"]["end"])
        while True:
            left = (datetime.fromisoformat(self.deadline) - self.clock.now()).total_seconds()
            await self.clock.pause(max(SHORTEST_LOOK, min(jittered(pause), left)))
            if left <= pause or await self._passed(end):
                break
            pause = min(pause * 2, LONGEST_WATERMARK_PAUSE)
        yield TriggerEvent({"version": 1, "payload": self.payload})

    async def _passed(self, end: datetime) -> bool:
        """Whether there is nothing to wait for any more; a transient trouble is."""
        from airflow_provider_contactcenter.exceptions import ContactCenterError
        from airflow_provider_contactcenter.hooks import shared_hook_for

        try:
            async with asyncio.timeout(LONGEST_LOOK):
                hook = await asyncio.to_thread(shared_hook_for, self.report)
                watermark = await hook.available_until_async(self.report)
        except Refusal as refusal:
            return not refusal.passing
        except TimeoutError:
            return False
        except ContactCenterError:
            return True
        if watermark is not None and watermark < end:
            self.log.info("The vendor's data is complete until %s.", watermark.isoformat())
            return False
        return True
