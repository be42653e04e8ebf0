"""What a transfer's asset outlets are told of the object that landed: their events, and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Delivery

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import Context

try:
    from airflow.sdk.execution_time.context import OutletEventAccessor
except ImportError:
    HAS_PARTITIONS = False
else:
    HAS_PARTITIONS = hasattr(OutletEventAccessor, "add_partitions")

try:
    from airflow.sdk.definitions.asset import AssetRef
except ImportError:  # Airflow 2.11 has no references

    class AssetRef:  # type: ignore[no-redef]
        """No outlet is one."""


#: of a delivery, what an event's ``extra`` holds
TOLD = (
    "uri",
    "rows",
    "bytes",
    "sha256",
    "file_format",
    "window",
    "vendor_total",
    "complete",
    "provisional",
    "schema_fingerprint",
    "manifest",
)
#: characters of a partition key that Airflow stores
LONGEST_KEY = 250
#: where an asset's state (Airflow 3.3) keeps the columns that landed last
COLUMNS_KEY = "contactcenter_columns"


def check_partition_key(value: Any, outlets: Sequence[Any]) -> str | None:
    """The key as text, as the events take it.

    :raises InvalidValue: this Airflow has no partitions, the key can't be one, or an outlet can't have one.
    """
    if value is None:
        return None
    if not HAS_PARTITIONS:
        raise InvalidValue(
            f"partition_key={value!r} is not allowed: this Airflow has no partitions (3.3 brings them); "
            "leave it out."
        )
    key = str(value)
    if not key.strip() or len(key) > LONGEST_KEY:
        raise InvalidValue(
            f"partition_key={value!r} is not allowed: give a key of 1 to {LONGEST_KEY} characters that isn't "
            "blank."
        )
    if aliases := [outlet for outlet in outlets if isinstance(outlet, AssetAlias)]:
        raise InvalidValue(
            f"partition_key={value!r} is not allowed with the outlet {aliases[0]!r}: the events of an alias "
            "take no key; give the asset itself as the outlet."
        )
    return key


def tell(
    delivery: Delivery, outlets: Sequence[Any], partition_key: str | None, context: Context, log: Logger
) -> None:
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
                if partition_key is not None:
                    context["outlet_events"][outlet].add_partitions(partition_key)
        except Exception:
            log.exception("%s has landed, but the event of %r could not be told.", delivery["uri"], outlet)


def compare_columns(delivery: Delivery, outlets: Sequence[Any], context: Context, log: Logger) -> None:
    """Warn where an asset's columns are not those that landed last; its state (Airflow 3.3) keeps them.

    The object stands by now, so whatever goes wrong here is logged and fails nothing.
    """
    stores: Any = context.get("asset_state_store")
    fingerprint, columns = delivery["schema_fingerprint"], delivery["columns"]
    if stores is None or fingerprint is None or columns is None:
        return
    for outlet in outlets:
        if not isinstance(outlet, Asset | AssetRef):
            continue
        try:
            last = stores[outlet].get(COLUMNS_KEY)
            if isinstance(last, dict) and last.get("schema_fingerprint") == fingerprint:
                continue
            if isinstance(last, dict):
                log.warning(
                    "The columns of %s are not those that landed last in %s (%s): %s.",
                    delivery["uri"],
                    getattr(outlet, "name", None) or getattr(outlet, "uri", outlet),
                    last.get("uri"),
                    _difference(last.get("columns") or [], columns),
                )
            stores[outlet].set(
                COLUMNS_KEY,
                {"schema_fingerprint": fingerprint, "columns": columns, "uri": delivery["uri"]},
            )
        except Exception:
            log.warning(
                "%s has landed, but its columns could not be compared with those that landed last in %r.",
                delivery["uri"],
                outlet,
                exc_info=True,
            )


def _difference(before: Sequence[str], after: Sequence[str]) -> str:
    """What came and went, in words."""
    came = [repr(name) for name in after if name not in before]
    went = [repr(name) for name in before if name not in after]
    parts = [f"{', '.join(names)} {word}" for names, word in ((came, "came"), (went, "went")) if names]
    if not parts:
        parts = ["their types changed" if list(before) == list(after) else "their order changed"]
    return "; ".join(parts)
