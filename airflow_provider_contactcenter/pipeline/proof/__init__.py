"""How a file of each format is counted and proved whole, on the vendor's own bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from airflow_provider_contactcenter.pipeline.formats import unknown_format
from airflow_provider_contactcenter.pipeline.proof.csv import CsvMeter
from airflow_provider_contactcenter.pipeline.proof.json import JsonMeter
from airflow_provider_contactcenter.pipeline.proof.json_bulk import JsonBulkMeter
from airflow_provider_contactcenter.pipeline.proof.json_lines import JsonLinesMeter
from airflow_provider_contactcenter.pipeline.proof.meter import Meter
from airflow_provider_contactcenter.pipeline.proof.xlsx import XlsxMeter

__all__ = ["Meter", "meter_for"]

_METERS: Final[Mapping[str, Callable[[str | None], Meter]]] = {
    "csv": lambda _: CsvMeter(),
    "xlsx": lambda _: XlsxMeter(),
    "json": JsonMeter,
    "jsonl": lambda _: JsonLinesMeter(),
    "json_bulk": JsonBulkMeter,
}


def meter_for(file_format: str, *, rows_at: str | None = "entries") -> Meter:
    """A new meter for a file of this format: ``csv``, ``xlsx``, ``json``, ``jsonl`` or ``json_bulk``.

    :param rows_at: for the two JSON formats: the member of a top-level object that holds the array of rows;
        None where the vendor's objects have no such member.
    :raises ValueError: nobody knows the format.
    """
    if file_format not in _METERS:
        raise unknown_format(file_format, _METERS)
    return _METERS[file_format](rows_at)
