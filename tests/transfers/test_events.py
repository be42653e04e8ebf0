"""What the events of a task's outlets say, and that nothing about them fails a task whose object stands."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.nouns import new_job
from airflow_provider_contactcenter.pipeline.transform import schema_fingerprint
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers import events
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.events import check_partition_key, compare_columns, tell
from tests.transfers.conftest import StateStore, calls, context

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
    try:
        from airflow.sdk.execution_time.context import OutletEventAccessors
    except ImportError:  # Airflow 2.11
        from airflow.utils.context import OutletEventAccessors  # type: ignore[no-redef,attr-defined]
    return OutletEventAccessors()


def test_an_alias_gets_the_object_as_its_asset_with_its_numbers() -> None:
    alias, told = AssetAlias("landed"), outlet_events()
    tell(DELIVERY, [alias], None, {"outlet_events": told}, LOG)  # type: ignore[typeddict-item]
    if hasattr(told[alias], "asset_alias_events"):
        [event] = told[alias].asset_alias_events
        uri, extra = event.dest_asset_key.uri, event.extra
    else:  # Airflow 2.11
        [event] = told[alias].dataset_alias_events
        uri, extra = event["dest_dataset_uri"], event["extra"]
    assert uri == "s3://lake/calls.csv"
    assert extra["rows"] == 40
    assert extra["window"] == DELIVERY["window"]


def test_what_is_no_asset_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    asset, told = Asset("s3://lake/calls"), outlet_events()
    others = [SimpleNamespace(url="file:///x"), "s3://lake/x", None]
    tell(DELIVERY, [*others, asset], None, {"outlet_events": told}, LOG)  # type: ignore[typeddict-item]
    assert told[asset].extra["sha256"] == "ab"
    assert len(told) == 1
    assert caplog.records == [], "nor is it an event that could not be told"


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


def test_a_key_without_partitions_costs_no_report(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HAS_PARTITIONS", False)
    task = ContactCenterToFileOperator(
        task_id="calls", report=calls(), path=str(tmp_path / "calls.csv"), partition_key="2024-05-01"
    )
    with pytest.raises(ContactCenterInvalidReportError, match=r"^Task calls: .* \(3\.3 brings them\)"):
        task.execute(context())
    assert sandbox.journal() == []


class AssetStates(dict[str, StateStore]):
    """Airflow's asset state stores, as far as they are used."""

    def __getitem__(self, asset: Any) -> StateStore:
        return self.setdefault(asset.uri, StateStore())


def with_columns(*names: str) -> Any:
    fingerprint = schema_fingerprint([{"name": name, "type": "string"} for name in names])
    return {**DELIVERY, "columns": list(names), "schema_fingerprint": fingerprint}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["id", "agent", "mood"], "s3://lake/calls: 'mood' came."),
        (["id"], "'agent' went."),
        (["id", "agent_name"], "'agent_name' came; 'agent' went."),
        (["agent", "id"], "their order changed."),
    ],
)
def test_a_change_of_columns_is_a_warning_that_names_what_came_and_went(
    names: list[str], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    asset, states = Asset("s3://lake/calls"), AssetStates()
    context: Any = {"asset_state_store": states}
    for _ in range(2):
        compare_columns(with_columns("id", "agent"), [asset], context, LOG)
    assert caplog.text == ""
    compare_columns(with_columns(*names), [asset], context, LOG)
    assert sentence.removeprefix("s3://lake/calls: ") in caplog.text
    [record] = caplog.records
    assert record.levelname == "WARNING"
    compare_columns(with_columns(*names), [asset], context, LOG)
    assert len(caplog.records) == 1


def test_a_change_of_types_alone_is_a_warning_too(caplog: pytest.LogCaptureFixture) -> None:
    asset, context = Asset("s3://lake/calls"), cast("Any", {"asset_state_store": AssetStates()})
    compare_columns(with_columns("id"), [asset], context, LOG)
    compare_columns({**with_columns("id"), "schema_fingerprint": "other"}, [asset], context, LOG)
    assert "their types changed." in caplog.text


@pytest.mark.parametrize("states", [None, {}])
def test_columns_that_cannot_be_compared_fail_nothing(states: Any, caplog: pytest.LogCaptureFixture) -> None:
    context: Any = {} if states is None else {"asset_state_store": states}
    compare_columns(with_columns("id"), [Asset("s3://lake/calls")], context, LOG)
    assert ("could not be compared" in caplog.text) == (states is not None)


def test_an_object_whose_columns_nobody_saw_leaves_the_last_ones() -> None:
    asset, states = Asset("s3://lake/calls"), AssetStates()
    context: Any = {"asset_state_store": states}
    compare_columns(with_columns("id"), [asset], context, LOG)
    before = dict(states[asset])
    compare_columns({**DELIVERY, "columns": None}, [asset], context, LOG)
    assert states[asset] == before


def test_a_transfer_remembers_the_columns_that_landed(sandbox: Sandbox, tmp_path: Path) -> None:
    asset, states = Asset("s3://lake/calls"), AssetStates()
    for dropped in ([], ["mood"]):
        task = ContactCenterToFileOperator(
            task_id="calls",
            report=calls(),
            path=str(tmp_path / "calls.csv"),
            shape=shape(drop=dropped) if dropped else None,
            outlets=[asset],
            deferrable=False,
        )
        told: Any = {"asset_state_store": states, "outlet_events": outlet_events()}
        delivery = task.execute({**context(), **told})
        kept = states[asset][events.COLUMNS_KEY]
        assert kept["columns"] == delivery["columns"]
        assert ("mood" in kept["columns"]) == (not dropped)
