"""What OpenLineage is told of a task: the vendor's report as input, what it writes as output.

OpenLineage asks when a task starts (and again when it resumes behind a deferral), when it is done or skipped,
and when it has failed. Where a method tells nothing at all, it takes the task's inlets and outlets instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterError
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.vendors.intake import check_job, check_report

if TYPE_CHECKING:
    from airflow_provider_contactcenter.life.run import Current
    from airflow_provider_contactcenter.nouns import Delivery, Job, Report


class LineageMixin:
    """For operators and sensor: the methods that the OpenLineage provider calls."""

    current: Current

    def lineage_outputs(self, delivery: Delivery | None) -> list[Any]:
        """The datasets that the task writes; without a delivery those that it is going to."""
        return []

    def get_openlineage_facets_on_start(self) -> Any:
        """The report, and what is going to be written."""
        return self._lineage(self.lineage_outputs(None))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """The report, and what has been written with rows, bytes and columns; nothing if it was skipped."""
        run = self.current.run
        delivery = None if run is None else run.result
        return self._lineage([] if delivery is None else self.lineage_outputs(delivery))

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """The report alone: nothing has landed."""
        return self._lineage([])

    def _lineage(self, outputs: list[Any]) -> Any:
        from airflow.providers.common.compat.openlineage.facet import Dataset, ExternalQueryRunFacet
        from airflow.providers.openlineage.extractors import OperatorLineage

        run = self.current.run
        try:
            report, job = self._asked()
            hook = hook_for(report) if run is None else run.hook
            namespace, name = hook.dataset(report)
            source = hook.settings.base_url
        except (InvalidValue, ContactCenterError):
            return OperatorLineage(outputs=outputs)  # the task's own error says why
        asked = {}
        if job is not None and job["job_id"] is not None:
            asked["externalQuery"] = ExternalQueryRunFacet(externalQueryId=job["job_id"], source=source)
        return OperatorLineage(
            inputs=[Dataset(namespace=namespace, name=name)], outputs=outputs, run_facets=asked
        )

    def _asked(self) -> tuple[Report, Job | None]:
        """The report, and its job as soon as there is one."""
        run = self.current.run
        report = getattr(self, "report", None) if run is None else run.report
        job = getattr(self, "job", None) if run is None else run.job
        if job is not None:
            checked = check_job(job)
            return checked["report"], checked
        return check_report(report), None
