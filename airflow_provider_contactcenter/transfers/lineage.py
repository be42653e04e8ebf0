"""What OpenLineage is told of what a transfer writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset

if TYPE_CHECKING:
    from airflow_provider_contactcenter.nouns import Delivery
    from airflow_provider_contactcenter.stores.base import Store


def outputs(store: Store, outlets: Sequence[Any], delivery: Delivery | None) -> list[Any]:
    """The assets of the task's outlets, or the object itself where there is none; the same at start and end.

    A dataset for each day would let a lineage backend grow without end, and nobody who reads the asset
    would find the numbers: so the asset has them, and names the object.

    :param delivery: what landed; None before anything has.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Identifier,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
        SymlinksDatasetFacet,
    )

    place = store.dataset
    assets = [dataset for outlet in outlets if (dataset := _dataset(outlet)) is not None]
    facets: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    if delivery is not None:
        numbers["outputStatistics"] = OutputStatisticsOutputDatasetFacet(
            rowCount=delivery["rows"], size=delivery["bytes"], fileCount=1
        )
        if delivery["columns"]:
            fields = [SchemaDatasetFacetFields(name=name) for name in delivery["columns"]]
            facets["schema"] = SchemaDatasetFacet(fields=fields)
    written = []
    for namespace, name in dict.fromkeys(assets) or [place]:
        own = dict(facets)
        if (namespace, name) != place:
            landed = Identifier(namespace=place[0], name=place[1], type="FILE")
            own["symlinks"] = SymlinksDatasetFacet(identifiers=[landed])
        written.append(OutputDataset(namespace=namespace, name=name, facets=own, outputFacets=dict(numbers)))
    return written


def _dataset(outlet: Any) -> tuple[str, str] | None:
    """Namespace and name of an outlet; None where OpenLineage knows no dataset for it."""
    from airflow.providers.common.compat.openlineage.utils.utils import translate_airflow_asset

    if not isinstance(outlet, Asset):
        return None
    found = translate_airflow_asset(outlet, None)
    return None if found is None else (found.namespace, found.name)
