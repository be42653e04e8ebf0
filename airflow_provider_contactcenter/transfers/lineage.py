"""What OpenLineage is told of what a transfer writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset

from airflow_provider_contactcenter.pipeline.reshape.base import HASHED

if TYPE_CHECKING:
    from airflow_provider_contactcenter.nouns import Delivery
    from airflow_provider_contactcenter.stores.base import Store


def outputs(
    store: Store,
    outlets: Sequence[Any],
    delivery: Delivery | None,
    *,
    report: tuple[str, str] | None = None,
    shaped: Sequence[Mapping[str, Any]] | None = None,
    created: bool = False,
) -> list[Any]:
    """The assets of the task's outlets, or the object itself where there is none; the same at start and end.

    A dataset for each day would let a lineage backend grow without end, and nobody who reads the asset
    would find the numbers: so the asset has them, and names the object.

    :param delivery: what landed; None before anything has.
    :param report: namespace and name of the vendor's report, of whose columns those of ``shaped`` were made.
    :param shaped: the columns that a shape made: name, type, origin and treatment of each.
    :param created: the store itself made sure that there was no such object before.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Identifier,
        LifecycleStateChange,
        LifecycleStateChangeDatasetFacet,
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
            types = _types(shaped or (), delivery["file_format"])
            fields = [
                SchemaDatasetFacetFields(name=name, type=types.get(name)) for name in delivery["columns"]
            ]
            facets["schema"] = SchemaDatasetFacet(fields=fields)
        if report and shaped:
            facets["columnLineage"] = _origins(report, shaped)
    written = []
    for namespace, name in dict.fromkeys(assets) or [place]:
        own = dict(facets)
        if (namespace, name) != place:
            landed = Identifier(namespace=place[0], name=place[1], type="FILE")
            own["symlinks"] = SymlinksDatasetFacet(identifiers=[landed])
        elif created and delivery is not None:
            # Of an object that may be replaced nobody knows; an asset isn't new because its object is.
            own["lifecycleStateChange"] = LifecycleStateChangeDatasetFacet(LifecycleStateChange.CREATE)
        written.append(OutputDataset(namespace=namespace, name=name, facets=own, outputFacets=dict(numbers)))
    return written


def _types(shaped: Sequence[Mapping[str, Any]], file_format: str) -> dict[str, str]:
    """The types of columns by name, in the words of a shape; texts have one in Parquet alone."""
    return {
        column["name"]: column["type"]
        for column in shaped
        if file_format == "parquet" or column["type"] not in {"string", "json"}
    }


def _origins(report: tuple[str, str], shaped: Sequence[Mapping[str, Any]]) -> Any:
    """Which of the vendor's columns each one was made of, and whether its values still are the vendor's."""
    from airflow.providers.common.compat.openlineage.facet import (
        ColumnLineageDatasetFacet,
        Fields,
        InputField,
    )
    from openlineage.client.generated.column_lineage_dataset import Transformation

    namespace, name = report
    fields = {}
    for column in shaped:
        treatment = column["treatment"]
        done = Transformation(
            type="DIRECT",
            subtype="TRANSFORMATION" if treatment else "IDENTITY",
            description=treatment,
            masking=treatment == HASHED,  # of what is masked in part, the rest is still to be read
        )
        origin = InputField(namespace=namespace, name=name, field=column["from"], transformations=[done])
        fields[column["name"]] = Fields(inputFields=[origin])
    return ColumnLineageDatasetFacet(fields=fields)


def _dataset(outlet: Any) -> tuple[str, str] | None:
    """Namespace and name of an outlet; None where OpenLineage knows no dataset for it."""
    from airflow.providers.common.compat.openlineage.utils.utils import translate_airflow_asset

    if not isinstance(outlet, Asset):
        return None
    found = translate_airflow_asset(outlet, None)
    return None if found is None else (found.namespace, found.name)
