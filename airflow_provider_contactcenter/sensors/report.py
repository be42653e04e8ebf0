"""The sensor that waits for a job which another task submitted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    conf,
)

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.exceptions import (
    ContactCenterError,
    ContactCenterInvalidReportError,
    ContactCenterUnavailableError,
)
from airflow_provider_contactcenter.life import ending
from airflow_provider_contactcenter.life.memory import Memory
from airflow_provider_contactcenter.life.run import Current, Run, Terms
from airflow_provider_contactcenter.life.waiting import Event
from airflow_provider_contactcenter.links import VendorDocsLink
from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.operators.base import check_seconds
from airflow_provider_contactcenter.operators.lineage import LineageMixin
from airflow_provider_contactcenter.operators.rendering import RenderingMixin
from airflow_provider_contactcenter.operators.report import Submitted
from airflow_provider_contactcenter.triggers.deferral import Deferral, is_over
from airflow_provider_contactcenter.vendors.intake import check_job

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

try:
    from airflow.sdk.exceptions import TaskDeferralTimeout
except ImportError:  # Airflow 2.11 has one class for all that can go wrong with a deferral
    from airflow.exceptions import TaskDeferralError as TaskDeferralTimeout


class ContactCenterReportSensor(LineageMixin, RenderingMixin, BaseSensorOperator):
    """Waits until a job is ready and returns the job.

    ``poke_interval``, ``timeout``, ``mode`` and ``soft_fail`` are those of any sensor. ``soft_fail`` skips
    on a timeout only: a report that failed, a vendor's refusal, or a connection that can't be used fails the
    task whatever it says; ``never_fail`` is refused. ``execution_timeout`` counts too, deferred or not.
    On a worker the interval grows if ``exponential_backoff`` says so; deferred it always does. ``max_wait``
    bounds it in both modes.

    :param job: what ``ContactCenterReportOperator`` returned (templated).
    :param deferrable: wait in the triggerer; ``[operators] default_deferrable`` unless given.
    :param max_poll_interval: seconds between looks at most, when deferred: there the interval grows
        from ``poke_interval``. A ``poke_interval`` above it stays as it is.
    """

    template_fields: Sequence[str] = ("job",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"job": "json"}
    ui_color = "#e3f1f5"
    operator_extra_links: Sequence[Any] = (VendorDocsLink(),)
    clock: ClassVar[Clock] = Clock()

    def __init__(
        self,
        *,
        job: Job,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        max_poll_interval: float = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.deferrable = deferrable
        self.max_poll_interval = max_poll_interval
        self.current = Current()
        check_seconds("poke_interval", self.poke_interval)
        check_seconds("max_poll_interval", max_poll_interval)
        if self.never_fail:
            raise InvalidValue(
                "never_fail=True is not allowed: a report that failed fails the sensor; soft_fail=True skips "
                "on a timeout, and trigger_rule='all_done' lets the tasks behind run all the same."
            )
        if not isinstance(job, dict) and not checks.pending(job):
            raise InvalidValue(f"job={job!r} is not allowed: give what ContactCenterReportOperator returned.")

    def execute(self, context: Context) -> Job:
        """Look; wait here or deferred; return the job."""
        return self._look(context)

    def _look(self, context: Context) -> Job:
        run = self._run(context, self.job)
        self.log.info("%s", run.awaited())
        if not self.deferrable:
            return self._wait_here(run, context)
        if not run.glance():
            Deferral(self.clock, context).watch(run.known, run.terms, run.deadline(self.clock.now()))
        return self._conclude(run, run.stand)

    def poke(self, context: Context) -> bool:
        """Look once. Never raises: BaseSensorOperator would turn some errors into a skip."""
        run = self.current.run or self._run(context, self.job)
        try:
            return run.glance()
        except ContactCenterUnavailableError as away:  # the connection can't be read
            if looked_before(context):
                self.log.warning("A look failed and will be repeated: %s", away)
                return False
            run.unusable = away
            return True
        except ContactCenterError as error:
            run.unusable = error
            return True

    def _get_next_poke_interval(self, started_at: Any, *stand: Any, **options: Any) -> float:
        """Any sensor's, backoff and ``max_wait`` included; the log has it now and then."""
        seconds: float = super()._get_next_poke_interval(started_at, *stand, **options)
        if self.current.run is not None:
            # With mode="reschedule" it is the instant of the first look, else a clock's reading.
            self.current.run.pausing(seconds, started_at if isinstance(started_at, datetime) else None)
        return seconds

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, deferred_by: int | None = None
    ) -> Job:
        """Resume after the trigger's event; an event that isn't one fails the task."""
        if is_over(deferred_by, context):
            return self._look(context)
        ended = ending.heard(event)
        return self._conclude(self._run(context, ended["job"]), ended)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume; unlike any sensor's, a failed report isn't skipped by ``soft_fail``."""
        try:
            return super(BaseSensorOperator, self).resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as timeout:
            if "timeout" not in str(timeout):  # Airflow 2.11's one class, and a trigger that crashed
                raise
            self._time_out(f"The sensor timed out, and no trigger said so: {timeout}")

    def on_kill(self) -> None:
        """Say what becomes of the job."""
        if self.current.run is not None:
            self.current.run.kill()

    def _run(self, context: Context, job: object) -> Run:
        try:
            checked = check_job(job)
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None
        longest = self.max_poll_interval
        if self.max_wait is not None:
            longest = min(longest, self.max_wait.total_seconds())
        run = Run(
            report=None,
            job=checked,
            goal=Submitted(waits=True),
            terms=Terms(
                poll_interval=self.poke_interval,
                max_poll_interval=longest,
                report_timeout=timedelta(seconds=self.timeout),
                execution_timeout=self.execution_timeout,
                limits="timeout or execution_timeout",
            ),
            memory=Memory(context, durable=False, log=self.log),
            clock=self.clock,
            hand_over=None,
            label="",
            began=getattr(context["ti"], "start_date", None),
            log=self.log,
        )
        self.current.run = run
        return run

    def _wait_here(self, run: Run, context: Context) -> Job:
        """Poke as any sensor does, in either mode."""
        try:
            super().execute(context)
        except AirflowSensorTimeout:
            if run.stand is None:  # silent_fail: no look was ever taken
                raise
            raise AirflowSensorTimeout(str(run.error(run.stand))) from None  # which names the job
        if run.unusable is not None:
            raise run.unusable
        return self._conclude(run, run.stand)

    def _conclude(self, run: Run, ended: Event | None) -> Job:
        assert ended is not None  # noqa: S101 - somebody has looked
        # Of the two deadlines of a deferral, the sooner one has ended it.
        own = self.execution_timeout is None or timedelta(seconds=self.timeout) <= self.execution_timeout
        if ended["status"] == "timeout" and own:
            self._time_out(str(run.error(ended)))
        return run.conclude(ended)

    def _time_out(self, sentence: str) -> NoReturn:
        if self.soft_fail:
            raise AirflowSkipException(sentence)
        raise AirflowSensorTimeout(sentence)


def looked_before(context: Context) -> bool:
    """Whether a sensor with ``mode="reschedule"`` has looked before: its connection was there then.

    Airflow 2.11 tells only with a query, so there it is never known.
    """
    since = getattr(context["ti"], "get_first_reschedule_date", None)
    return since is not None and since(context) is not None
