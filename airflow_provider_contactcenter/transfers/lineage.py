"""What lineage is told of a transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.nouns import Delivery, called

if TYPE_CHECKING:
    from airflow_provider_contactcenter.life.run import Run


def on_complete(run: Run | None) -> Any:
    """The report as input; the object as output with rows and bytes, if the task has landed one."""
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_contactcenter.transfers.landing import Landing

    if run is None or not isinstance(run.goal, Landing):
        return OperatorLineage()
    report = run.report if run.job is None else run.job["report"]
    inputs = []
    if report is not None:
        inputs.append(Dataset(namespace=f"{report['vendor']}://{report['conn_id']}", name=called(report)))
    delivery: Delivery | None = run.result
    if delivery is None:  # the task was skipped
        return OperatorLineage(inputs=inputs)
    numbers = OutputStatisticsOutputDatasetFacet(rowCount=delivery["rows"], size=delivery["bytes"])
    namespace, name = run.goal.store.dataset
    landed = OutputDataset(namespace=namespace, name=name, outputFacets={"outputStatistics": numbers})
    return OperatorLineage(inputs=inputs, outputs=[landed])
