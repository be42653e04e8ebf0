"""What lineage is told of a transfer: the report as input; what is to land, or has landed, as output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_contactcenter.nouns import Delivery, Report, called

if TYPE_CHECKING:
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook
    from airflow_provider_contactcenter.life.run import Run


def on_complete(run: Run | None) -> Any:
    """Both, with rows, bytes and columns, if the task has landed something; else the input alone."""
    from airflow.providers.common.compat.openlineage.facet import (
        ExternalQueryRunFacet,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_contactcenter.transfers.landing import Landing

    if run is None or not isinstance(run.goal, Landing):
        return OperatorLineage()
    inputs = _inputs(run)
    delivery: Delivery | None = run.result
    if delivery is None:  # the task was skipped
        return OperatorLineage(inputs=inputs)
    numbers = OutputStatisticsOutputDatasetFacet(
        rowCount=delivery["rows"], size=delivery["bytes"], fileCount=1
    )
    columns = [SchemaDatasetFacetFields(name=name) for name in delivery["columns"] or ()]
    namespace, name = run.goal.store.dataset
    landed = OutputDataset(
        namespace=namespace,
        name=name,
        facets={"schema": SchemaDatasetFacet(fields=columns)} if columns else {},
        outputFacets={"outputStatistics": numbers},
    )
    job_id = delivery["job"]["job_id"]
    asked = {"externalQuery": ExternalQueryRunFacet(externalQueryId=job_id, source=_host(run.hook))}
    return OperatorLineage(inputs=inputs, outputs=[landed], run_facets=asked if job_id else {})


def on_failure(run: Run | None) -> Any:
    """The input alone: nothing has landed."""
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(inputs=[] if run is None else _inputs(run))


def _inputs(run: Run) -> list[Any]:
    from airflow.providers.common.compat.openlineage.facet import Dataset

    report: Report | None = run.report if run.job is None else run.job["report"]
    if report is None:
        return []
    return [Dataset(namespace=f"{report['vendor']}://{_host(run.hook)}", name=called(report))]


def _host(hook: ContactCenterHook) -> str:
    """The tenant, as far as a host names it: Talkdesk's and others' token endpoints do, their APIs don't.

    The name of a connection would be the same for two customers, and another for one account.
    """
    return urlsplit(hook.settings.auth_url or hook.settings.base_url).netloc
