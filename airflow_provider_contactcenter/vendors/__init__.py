"""One module per vendor API: pure functions and tables, no I/O. ``VENDORS`` is the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_contactcenter.vendors.registry import VENDORS as VENDORS


def __getattr__(name: str) -> Any:
    # On demand: parsing a DAG file loads a part of this package, and needs none of the vendors.
    if name == "VENDORS":
        from airflow_provider_contactcenter.vendors.registry import VENDORS

        return VENDORS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
