"""How a task hands its wait over to the triggerer."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_contactcenter.triggers.report import (
    ContactCenterReportTrigger,
    ContactCenterTimerTrigger,
    ContactCenterWatermarkTrigger,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.clock import Clock
    from airflow_provider_contactcenter.life.run import Terms
    from airflow_provider_contactcenter.nouns import Job, Report

#: A trigger's first event comes no sooner than this after the deferral: triggers that fired within a few
#: seconds lost tasks to the scheduler's race between the executor's and the trigger's event.
SHORTEST_DEFERRAL = timedelta(seconds=10)
#: seconds over which the first looks of many tasks are spread
FIRST_SPREAD = 2.0
#: Airflow's own timeout of a deferral comes this much after the deadline, for when no trigger runs at all.
BACKSTOP = timedelta(minutes=30)


class Deferral:
    """Ends the execution; ``execute_complete`` or ``execute_again`` of the task is called after the wait.

    Both are told which try it was that deferred, and ask :func:`is_over` whether it still is that one.
    """

    def __init__(self, clock: Clock, context: Context) -> None:
        self._clock = clock
        self._told = {"deferred_by": context["ti"].try_number}

    def watch(self, job: Job, terms: Terms, deadline: datetime) -> NoReturn:
        """Wait for a job, no longer than the deadline."""
        now = self._clock.now()
        # The first look comes early; of many tasks not in the same moment.
        spread = timedelta(seconds=random.uniform(0, min(FIRST_SPREAD, terms.poll_interval)))  # noqa: S311
        raise TaskDeferred(
            trigger=ContactCenterReportTrigger(
                job=job,
                poll_interval=terms.poll_interval,
                max_poll_interval=terms.max_poll_interval,
                deadline=deadline.isoformat(),
                not_before=(now + SHORTEST_DEFERRAL + spread).isoformat(),
                cancel_on_kill=terms.cancel_on_kill,
            ),
            method_name="execute_complete",
            kwargs=self._told,
            timeout=max(deadline - now, timedelta(0)) + BACKSTOP,
        )

    def watermark(self, report: Report, deadline: datetime, payload: dict[str, Any]) -> NoReturn:
        """Wait until the vendor has the whole window, no longer than the deadline."""
        now = self._clock.now()
        raise TaskDeferred(
            trigger=ContactCenterWatermarkTrigger(
                report=report, deadline=deadline.isoformat(), payload=payload
            ),
            method_name="execute_again",
            kwargs=self._told,
            timeout=max(deadline - now, timedelta(0)) + BACKSTOP,
        )

    def until(self, moment: datetime, payload: dict[str, Any] | None = None) -> NoReturn:
        """Wait for an instant; the payload comes back in the event."""
        now = self._clock.now()
        moment = max(moment, now + SHORTEST_DEFERRAL)
        raise TaskDeferred(
            trigger=ContactCenterTimerTrigger(moment=moment.isoformat(), payload=payload),
            method_name="execute_again",
            kwargs=self._told,
            timeout=moment - now + BACKSTOP,
        )


def is_over(deferred_by: int | None, context: Context) -> bool:
    """Whether the try that deferred has ended, and its event comes to a retry once more.

    Airflow 3.0, and 3.1 before 3.1.1, let each retry of a task that failed behind its deferral resume with
    the event of the first one, instead of executing it again.

    :param deferred_by: number of the try that deferred; None if another release deferred it.
    """
    return deferred_by is not None and deferred_by != context["ti"].try_number
