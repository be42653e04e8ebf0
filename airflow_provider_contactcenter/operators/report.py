"""The operator that orders a report."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ContactCenterReportOperator(ContactCenterBaseOperator):
    """Orders a report and returns its job.

    :param report: what to ask; the dict that a builder in ``reports`` returns.
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
        deferrable: bool | None = None,
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
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
            **kwargs,
        )
        self.wait_for_completion = wait_for_completion
        self.waits = wait_for_completion

    def finish(self, job: Job, context: Context) -> Job:
        """Return the job."""
        return job
