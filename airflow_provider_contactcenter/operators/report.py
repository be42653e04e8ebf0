"""The operator that submits a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.life.run import Run


class ContactCenterReportOperator(ContactCenterBaseOperator):
    """Submits a report and returns its job.

    :param report: what to ask; the dict that a builder in ``reports`` returns (templated).
    :param wait_for_completion: end only when the job is ready.

    The waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`.
    """

    template_fields = ("report",)

    # What the base takes is repeated so that editors, type checkers and signatures show it.
    def __init__(
        self,
        *,
        report: Report,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            report=report,
            deferrable=deferrable,
            poll_interval=poll_interval,
            max_poll_interval=max_poll_interval,
            report_timeout=report_timeout,
            settle_delay=settle_delay,
            durable=durable,
            cancel_on_kill=cancel_on_kill,
            **kwargs,
        )
        self.wait_for_completion = wait_for_completion

    def goal(self, context: Context) -> Submitted:
        """The job."""
        return Submitted(waits=self.wait_for_completion)


@dataclass
class Submitted:
    """The goal of a task that only submits: the job itself."""

    waits: bool

    def check(self, run: Run) -> None:
        """Nothing to refuse."""

    def reach(self, run: Run, job: Job) -> Job:
        """The job."""
        return job

    def stop(self) -> None:
        """Nothing to stop."""
