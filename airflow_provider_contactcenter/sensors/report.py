"""The sensor that waits for a job which another task ordered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
)

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterError, ContactCenterInvalidReportError
from airflow_provider_contactcenter.life.waiting import (
    RUNS_ON,
    SHORTEST_DEFERRAL,
    Event,
    event,
    jittered,
    utcnow,
)
from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.operators.base import (
    BACKSTOP,
    check_waiting,
    conclusion,
    default_deferrable,
    ending,
    execution_deadline,
)
from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger
from airflow_provider_contactcenter.vendors.intake import check_job
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.hooks.base import ContactCenterHook

try:
    from airflow.sdk.exceptions import TaskDeferralTimeout
except ImportError:  # Airflow 2.11 has one class for all that can go wrong with a deferral
    from airflow.exceptions import TaskDeferralError as TaskDeferralTimeout


class ContactCenterReportSensor(BaseSensorOperator):
    """Waits until a job is ready and returns the job.

    ``poke_interval``, ``timeout``, ``mode`` and ``soft_fail`` are those of any sensor. ``soft_fail`` skips
    on a timeout only: a report that failed, a vendor's refusal, or a connection that can't be used fails the
    task whatever it says. ``execution_timeout`` counts too, deferred or not.

    :param job: what ``ContactCenterReportOperator`` returned.
    :param deferrable: wait in the triggerer; ``[operators] default_deferrable`` unless given.
    :param max_poll_interval: seconds between looks at the most, when deferred: there the interval grows
        from ``poke_interval``. A ``poke_interval`` above it stays as it is.
    """

    template_fields: Sequence[str] = ("job",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"job": "json"}
    ui_color = "#e3f1f5"

    def __init__(
        self,
        *,
        job: Job,
        deferrable: bool | None = None,
        max_poll_interval: float = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.max_poll_interval = max_poll_interval
        check_waiting(self.poke_interval, max_poll_interval)
        self._ended: Event | None = None
        self._unusable: ContactCenterError | None = None

    def execute(self, context: Context) -> Job:
        """Look; wait here or deferred; return the job."""
        try:
            self.job = check_job(self.job)
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None
        if self.deferrable:
            if not self.poke(context):
                self._defer(context)
        else:
            try:
                super().execute(context)
            except AirflowSensorTimeout:
                if self._ended is None:  # silent_fail: no look was ever taken
                    raise
                raise AirflowSensorTimeout(str(self._error())) from None  # which names the job
        return self._conclude()

    def poke(self, context: Context) -> bool:
        """Look once. Never raises: BaseSensorOperator would turn some errors into a skip."""
        try:
            status = self._hook.look(self.job)
        except Refusal as refusal:
            if refusal.passing:
                self.log.info("A look at the job failed and will be repeated: %s", refusal.words)
                self._ended = event(self.job, "timeout", reason=refusal.words)
                return False
            self._ended = event(self.job, "refused", None, refusal.words, refusal.kind)
            return True
        except ContactCenterError as error:
            self._unusable = error
            return True
        if status["state"] in {"queued", "running"}:
            # How the waiting ends if this was the last look.
            self._ended = event(self.job, "timeout", status["vendor_status"])
            return False
        self._ended = event(self.job, status["state"], status["vendor_status"], status["reason"])
        return True

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Job:
        """Resume after the trigger's event; an event that isn't one fails the task."""
        self._ended = ending(event)
        self.job = self._ended["job"]
        return self._conclude()

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume; unlike any sensor's, a failed report isn't skipped by ``soft_fail``."""
        try:
            return super(BaseSensorOperator, self).resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as timeout:
            if "timeout" not in str(timeout):  # Airflow 2.11's one class, and a trigger that crashed
                raise
            self._time_out(f"The sensor timed out, and no trigger said so: {timeout}")

    def on_kill(self) -> None:
        """Tell the user who ends the task: no vendor here documents a way to cancel a report."""
        self.log.warning(RUNS_ON, self.job["job_id"])

    def _defer(self, context: Context) -> None:
        deadline = min(utcnow() + timedelta(seconds=self.timeout), execution_deadline(self, context))
        pause = timedelta(seconds=jittered(self.poke_interval))
        self.defer(
            trigger=ContactCenterReportTrigger(
                job=self.job,
                poll_interval=self.poke_interval,
                max_poll_interval=self.max_poll_interval,
                deadline=deadline.isoformat(),
                not_before=(utcnow() + max(pause, SHORTEST_DEFERRAL)).isoformat(),
            ),
            method_name="execute_complete",
            timeout=max(deadline - utcnow(), timedelta(0)) + BACKSTOP,
        )

    def _conclude(self) -> Job:
        if self._unusable is not None:
            raise self._unusable
        ended = self._ended
        assert ended is not None  # noqa: S101 - execute and execute_complete set it
        if ended["status"] == "ready":
            return ended["job"]
        # Of the two deadlines of a deferral, the sooner one has ended it.
        own = self.execution_timeout is None or timedelta(seconds=self.timeout) <= self.execution_timeout
        if ended["status"] == "timeout" and own:
            self._time_out(str(self._error()))
        raise self._error()

    def _error(self) -> ContactCenterError:
        assert self._ended is not None  # noqa: S101 - whoever waited has looked
        return conclusion(self._hook, self._ended, "timeout or execution_timeout")

    @cached_property
    def _hook(self) -> ContactCenterHook:
        from airflow_provider_contactcenter.hooks import hook_for

        return hook_for(self.job)

    def _time_out(self, sentence: str) -> None:
        if self.soft_fail:
            raise AirflowSkipException(sentence)
        raise AirflowSensorTimeout(sentence)
