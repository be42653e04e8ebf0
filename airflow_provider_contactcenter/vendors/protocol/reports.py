"""What every builder of reports does with its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_contactcenter.checks import Check, InvalidValue, pending, text
from airflow_provider_contactcenter.nouns import Report


def make_report(vendor: str, kind: str, table: Mapping[str, Check], arguments: Mapping[str, Any]) -> Report:
    """Make the report of a builder's arguments: its ``locals()`` before it has any other.

    Each value that is there is normalised by its check; what Airflow fills in later stays as it is.

    :param table: parameter -> its check; ``conn_id`` needs none.
    :raises InvalidValue: values that can't be used, with a sentence for each.
    """
    table = {**table, "conn_id": text}
    params: dict[str, Any] = {}
    complaints: list[str] = []
    for name, value in arguments.items():
        try:
            params[name] = value if pending(value) else table[name](name, value)
        except InvalidValue as invalid:
            complaints += invalid.complaints
    if complaints:
        raise InvalidValue(*complaints)
    return Report(vendor=vendor, kind=kind, conn_id=params.pop("conn_id"), params=params)
