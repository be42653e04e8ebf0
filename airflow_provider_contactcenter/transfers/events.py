"""What the events of a transfer's asset outlets say of the object that landed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_contactcenter.nouns import Delivery

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import Context

try:
    from airflow.sdk.definitions.asset import AssetRef
except ImportError:  # Airflow 2.11 has no references

    class AssetRef:  # type: ignore[no-redef]
        """No outlet is one."""


#: of a delivery, what an event's ``extra`` holds
TOLD = ("uri", "rows", "bytes", "sha256", "window", "complete")


def tell(delivery: Delivery, outlets: Sequence[Any], context: Context, log: Logger) -> None:
    """Put the numbers into the events of the task's outlets.

    An alias gets the object as its asset; what is neither asset nor alias has no events and is passed over.
    The object stands by now, so whatever goes wrong here is logged and fails nothing.
    """
    extra = {name: value for name, value in delivery.items() if name in TOLD}
    for outlet in outlets:
        try:
            if isinstance(outlet, AssetAlias):
                context["outlet_events"][outlet].add(Asset(uri=delivery["uri"]), extra=extra)
            elif isinstance(outlet, Asset | AssetRef):
                context["outlet_events"][outlet].extra.update(extra)
        except Exception:
            log.exception(
                "The event of %r could not be told of %s, which has landed.", outlet, delivery["uri"]
            )
