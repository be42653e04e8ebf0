"""What the events of a task's outlets say, and that nothing about them fails a task whose object stands."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import new_job
from airflow_provider_contactcenter.transfers import events
from airflow_provider_contactcenter.transfers.events import check_partition_key, tell
from tests.transfers.conftest import calls

LOG = logging.getLogger(__name__)
DELIVERY: Any = {
    "uri": "s3://lake/calls.csv",
    "rows": 40,
    "bytes": 900,
    "sha256": "ab",
    "file_format": "csv",
    "window": {"start": "2024-05-01T00:00:00+00:00", "end": "2024-05-02T00:00:00+00:00"},
    "vendor_total": None,
    "complete": True,
    "provisional": None,
    "schema_fingerprint": None,
    "manifest": None,
    "job": new_job(calls(), "1"),
}
needs_partitions = pytest.mark.skipif(not events.HAS_PARTITIONS, reason="Airflow 3.3 brings partitions")


def outlet_events() -> Any:
    accessors = pytest.importorskip("airflow.sdk.execution_time.context").OutletEventAccessors
    return accessors()


def test_an_alias_gets_the_object_as_its_asset_with_its_numbers() -> None:
    alias, told = AssetAlias("landed"), outlet_events()
    tell(DELIVERY, [alias], None, {"outlet_events": told}, LOG)  # type: ignore[typeddict-item]
    [event] = told[alias].asset_alias_events
    assert event.dest_asset_key.uri == "s3://lake/calls.csv"
    assert event.extra["rows"] == 40
    assert event.extra["window"] == DELIVERY["window"]


def test_what_is_no_asset_is_passed_over() -> None:
    asset, told = Asset("s3://lake/calls"), outlet_events()
    others = [SimpleNamespace(url="file:///x"), "s3://lake/x", None]
    tell(DELIVERY, [*others, asset], None, {"outlet_events": told}, LOG)  # type: ignore[typeddict-item]
    assert told[asset].extra["sha256"] == "ab"
    assert len(told) == 1


def test_an_event_that_cannot_be_told_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    tell(DELIVERY, [Asset("s3://lake/calls")], None, {}, LOG)  # type: ignore[typeddict-item]
    assert "s3://lake/calls.csv has landed, but the event" in caplog.text


@needs_partitions
def test_the_events_of_assets_get_the_key() -> None:
    asset, told = Asset("s3://lake/calls"), outlet_events()
    tell(DELIVERY, [asset], "2024-05-01", {"outlet_events": told}, LOG)  # type: ignore[typeddict-item]
    assert told[asset].partition_keys == {"2024-05-01"}


@needs_partitions
@pytest.mark.parametrize(
    ("key", "outlets", "sentence"),
    [
        ("  ", [], "partition_key='  ' is not allowed: give a key of 1 to 250 characters"),
        ("x" * 251, [], "give a key of 1 to 250 characters"),
        ("2024", [AssetAlias("a")], "the events of an alias take no key"),
    ],
)
def test_a_key_that_no_event_can_have_is_refused(key: str, outlets: list[Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        check_partition_key(key, outlets)


def test_a_key_is_refused_where_airflow_has_no_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HAS_PARTITIONS", False)
    with pytest.raises(InvalidValue, match="this Airflow has no partitions"):
        check_partition_key("2024-05-01", [])
    assert check_partition_key(None, []) is None
