"""8x8 Contact Center Historical Analytics.

``VENDOR`` is loaded when it is asked for: a DAG file needs the builders only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_contactcenter.vendors.eight_by_eight_cc.vendor import VENDOR as VENDOR


def __getattr__(name: str) -> object:
    if name != "VENDOR":
        raise AttributeError(name)
    from airflow_provider_contactcenter.vendors.eight_by_eight_cc.vendor import VENDOR

    return VENDOR
