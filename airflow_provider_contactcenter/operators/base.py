"""What the operators share towards Airflow: parameters, entry points, and the run behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.life import ending
from airflow_provider_contactcenter.life.memory import Memory
from airflow_provider_contactcenter.life.run import Current, Goal, Run, Terms, Waited
from airflow_provider_contactcenter.links import JOB_ID, VendorDocsLink
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.operators.lineage import LineageMixin
from airflow_provider_contactcenter.operators.rendering import RenderingMixin
from airflow_provider_contactcenter.triggers.deferral import Deferral, is_over
from airflow_provider_contactcenter.vendors.intake import check_early, check_job, check_report

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ContactCenterBaseOperator(LineageMixin, RenderingMixin, BaseOperator):
    """Submits a report (or takes a job) and waits for it.

    :param report: what to ask; the dict that a builder in ``reports`` returns (templated).
    :param job: a job that was submitted by another task (templated). Exactly one of ``report`` and ``job``
        is given.
    :param deferrable: wait in the triggerer instead of on a worker; ``[operators] default_deferrable``
        unless given.
    :param poll_interval: seconds between the first looks; grows by half with each look.
    :param max_poll_interval: seconds between looks at most; a ``poll_interval`` above it stays as it is.
    :param report_timeout: how long after its submission a report may take (after the start of this try if
        the job was submitted before it). ``execution_timeout`` counts too, deferred or not.
    :param settle_delay: the report is submitted no earlier than the window's end plus this; the vendor's own
        unless given, as its page in the docs says: minutes, a day, or nothing. Where the vendor tells how
        far its data is complete, the report waits for that instead; ``timedelta(0)`` turns any wait off.
    :param durable: remember the job across retries (Airflow 3.3 and newer), so that no retry submits the
        report a second time.
    :param cancel_on_kill: where the vendor can cancel a job, a user who ends the task, on a worker or
        deferred, cancels it; a restart or a hand-over between triggerers doesn't.
    """

    template_fields: Sequence[str] = ("report", "job")
    template_fields_renderers: ClassVar[dict[str, str]] = {"report": "json", "job": "json"}
    ui_color = "#e3f1f5"
    operator_extra_links: Sequence[Any] = (VendorDocsLink(),)
    clock: ClassVar[Clock] = Clock()

    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report = report
        self.job = job
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.report_timeout = report_timeout
        self.settle_delay = settle_delay
        self.durable = durable
        self.cancel_on_kill = cancel_on_kill
        self.current = Current()
        check_seconds("poll_interval", poll_interval)
        check_seconds("max_poll_interval", max_poll_interval)
        check_span("report_timeout", report_timeout, timedelta(microseconds=1))
        if settle_delay is not None:
            check_span("settle_delay", settle_delay, timedelta(0))
        if (report is None) == (job is None):
            raise InvalidValue(
                f"{'neither' if report is None else 'both'} of report and job given to task "
                f"{self.task_id!r}: give exactly one of them."
            )
        for name, value in (("report", report), ("job", job)):
            if value is not None and not isinstance(value, dict) and not checks.pending(value):
                raise InvalidValue(f"{name}={value!r} is not allowed: give a dict.")
        # A mapped task is made of its values when it runs, where `execute` refuses them for good.
        if report is not None and not getattr(self, "_BaseOperator__from_mapped", False):
            check_early(report)

    def report_day(self, timezone: str = "UTC") -> str:
        """The day in which the report (or the job's) begins, for templates: see :func:`.windows.day_key`."""
        with self._refusing():
            report = self.report if self.report is not None else cast("Job", self.job)["report"]
            start = checks.instant("start", report["params"]["start"])
            return checks.day_of(start, checks.zone("timezone", timezone)).isoformat()

    def goal(self, context: Context) -> Goal:
        """What an execution is for; made once for each.

        :raises InvalidValue: a parameter can't be used.
        """
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Submit, wait, reach the goal; may defer."""
        return self._submitting(context).start()

    def execute_again(
        self, context: Context, event: dict[str, Any] | None = None, deferred_by: int | None = None
    ) -> Any:
        """Resume after a timer: the window has settled, or the vendor may take the report now."""
        if is_over(deferred_by, context):
            return self._start_over(context)
        waited = Waited.of((event or {}).get("payload"), self.clock.now())
        return self._submitting(context).start(waited)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, deferred_by: int | None = None
    ) -> Any:
        """Resume after the trigger's event; an event that isn't one fails the task."""
        if is_over(deferred_by, context):
            return self._start_over(context)
        ended = ending.heard(event)
        with self._refusing():
            run = self._run(context, None, ended["job"])
        return run.resume(ended)

    def _start_over(self, context: Context) -> Any:
        """Execute as if the try had not been resumed; its ``start_date`` is the first one's then."""
        return self._submitting(context, began=self.clock.now()).start()

    def on_kill(self) -> None:
        """Let go of what is local, and say what becomes of the job."""
        if self.current.run is not None:
            self.current.run.kill()

    def _submitting(self, context: Context, began: datetime | None = None) -> Run:
        with self._refusing():
            if self.report is not None:
                return self._run(context, check_report(self.report, now=self.clock.now()), None, began)
            return self._run(context, None, check_job(self.job), began)

    def _run(
        self, context: Context, report: Report | None, job: Job | None, began: datetime | None = None
    ) -> Run:
        ti = context["ti"]
        run = Run(
            report=report,
            job=job,
            goal=self.goal(context),
            terms=Terms(
                poll_interval=self.poll_interval,
                max_poll_interval=self.max_poll_interval,
                report_timeout=self.report_timeout,
                execution_timeout=self.execution_timeout,
                settle_delay=self.settle_delay,
                cancel_on_kill=self.cancel_on_kill,
            ),
            memory=Memory(context, self.durable, self.log),
            clock=self.clock,
            hand_over=Deferral(self.clock, context) if self.deferrable else None,
            label=label_of(ti),
            began=began or getattr(ti, "start_date", None),
            log=self.log,
            announce=lambda job: self._announce(ti, job),
        )
        self.current.run = run
        return run

    def _announce(self, ti: Any, job: Job) -> None:
        """Let the job's id be seen before the wait ends."""
        if job["job_id"] is None or not self.do_xcom_push:
            return
        try:
            ti.xcom_push(key=JOB_ID, value=job["job_id"])
        except Exception as error:  # the report is submitted, which matters more
            self.log.warning("The XCom %s can't be written (%s).", JOB_ID, type(error).__name__)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Within the block, a value that can't be used is a task's final error, which names the task."""
        try:
            yield
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None


def label_of(ti: Any) -> str:
    """What a job is called at a vendor that names jobs: the task, and which of it where it is mapped."""
    place = [str(ti.map_index)] if ti.map_index >= 0 else []
    return " ".join([ti.dag_id, ti.task_id, ti.run_id, *place])


def check_seconds(name: str, value: float) -> None:
    """Refuse an interval that would hammer the vendor or never end."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidValue(f"{name}={value!r} is not allowed: give a number of seconds above 0.")


def check_span(name: str, value: timedelta, least: timedelta) -> None:
    """Refuse what is no timedelta, or too short a one."""
    if not isinstance(value, timedelta) or value < least:
        allowed = "of at least nothing" if not least else "above 0"
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give a timedelta {allowed}, such as timedelta(hours=1)."
        )
