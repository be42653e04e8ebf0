"""A folder as the store: the whole way of a report without a server, in every shape of landing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.pipeline.reshape.hashing import key_fingerprint
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    khoros_care_report,
    vspark_stats,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.stores.file import FileStore
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.transfers.conftest import StateStore, calls, context


def landed(path: Path, **values: Any) -> Any:
    task = ContactCenterToFileOperator(
        task_id="calls",
        path=str(path),
        deferrable=False,
        poll_interval=0.05,
        **{"report": calls(), **values},
    )
    return task.execute(context())


def test_a_report_lands_in_a_folder_with_its_manifest(sandbox: Sandbox, tmp_path: Path) -> None:
    delivery = landed(tmp_path / "calls.csv", manifest=str(tmp_path / "calls.json"))
    assert (tmp_path / "calls.csv").read_bytes()
    assert delivery["uri"] == f"file://{tmp_path}/calls.csv"
    assert json.loads((tmp_path / "calls.json").read_text())["sha256"] == delivery["sha256"]
    assert {path.name for path in tmp_path.iterdir()} == {"calls.csv", "calls.json"}


class Broken:
    """Whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is away")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("the API server is away")


def test_nothing_behind_the_upload_fails_a_task_whose_object_stands(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Records(StateStore):
        def delete(self, key: str) -> None:
            raise RuntimeError("the API server is away")

    monkeypatch.setattr("airflow_provider_contactcenter.transfers.landing.get_hook_lineage_collector", Broken)
    monkeypatch.setattr(FileStore, "console", property(lambda store: Broken().console))
    surroundings = context(Records())
    surroundings |= {"outlet_events": Broken(), "asset_state_store": Broken()}
    surroundings["ti"].xcom_push = Broken()
    task = ContactCenterToFileOperator(
        task_id="calls",
        report=calls(),
        path=str(tmp_path / "calls.csv"),
        deferrable=False,
        outlets=[Asset("s3://lake/calls"), AssetAlias("landed")],
    )
    delivery = task.execute(surroundings)
    assert delivery["bytes"] == len((tmp_path / "calls.csv").read_bytes())
    assert len(sandbox.jobs("talkdesk")) == len(sandbox.served()) == 1


def test_a_folder_that_is_not_there_costs_no_report(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(exceptions.ContactCenterStoreError, match="Nothing was submitted"):
        landed(tmp_path / "missing" / "calls.csv")
    assert sandbox.journal() == []


def test_a_shape_keeps_columns_out_and_hashes_others(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = landed(tmp_path / "plain.csv")
    first, second, *others = plain["columns"]
    monkeypatch.setenv("AIRFLOW_CONN_KEY", json.dumps({"conn_type": "generic", "password": "sentinel-key"}))
    own = shape(drop=[first], hash=[second], hash_conn_id="key", rename="snake")
    path = tmp_path / "calls.csv"
    delivery = landed(path, shape=own, manifest=str(tmp_path / "calls.json"))
    header = path.read_text().splitlines()[0]
    assert delivery["columns"] == header.split(",")
    assert len(delivery["columns"]) == len(others) + 1
    assert delivery["source"]["rows"] == delivery["rows"] == 40
    said = json.loads((tmp_path / "calls.json").read_text())
    assert said["columns"][0]["treatment"] == "hmac-sha256"
    assert said["schema_fingerprint"] == delivery["schema_fingerprint"] != plain["schema_fingerprint"]
    assert said["key_fingerprint"] == key_fingerprint(b"sentinel-key")
    assert "sentinel" not in path.read_text() + json.dumps([delivery, said])


@pytest.mark.parametrize(
    ("connection", "error"),
    [
        # What Airflow 3 says of a connection that isn't there, it says of one that can't be read for now.
        (None, exceptions.ContactCenterUnavailableError),
        ({"conn_type": "generic"}, exceptions.ContactCenterShapeError),
    ],
)
def test_a_hash_without_a_key_costs_no_report(
    sandbox: Sandbox, tmp_path: Path, connection: Any, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_KEY", json.dumps(connection))
    with pytest.raises(error, match="'key', whose password is the key"):
        landed(tmp_path / "calls.csv", shape=shape(hash=["caller"], hash_conn_id="key"))
    assert sandbox.journal() == []
    assert list(tmp_path.iterdir()) == []


def test_a_shape_that_the_reports_format_cannot_have_costs_no_report(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    task = ContactCenterToFileOperator(
        task_id="calls",
        report=calls(file_format="json_bulk"),
        path=str(tmp_path / "calls"),
        shape=shape(drop=["caller"]),
        deferrable=False,
    )
    with pytest.raises(exceptions.ContactCenterShapeError, match="in json_bulk can't be reshaped"):
        task.execute(context())
    assert sandbox.journal() == []


def test_a_report_lands_as_parquet(sandbox: Sandbox, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    delivery = landed(tmp_path / "calls.parquet", shape=shape(file_format="parquet"))
    assert delivery["file_format"] == "parquet"
    assert delivery["content_type"] == "application/vnd.apache.parquet"
    table = parquet.read_table(tmp_path / "calls.parquet")
    assert (table.num_rows, table.column_names) == (40, delivery["columns"])


def test_a_file_that_breaks_off_near_its_end_is_not_fetched_from_its_start_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_options("talkdesk", bytes=2_000_000)
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="cut", after=0.9)
    delivery = landed(tmp_path / "calls.csv")
    first, second = sandbox.served()
    assert (second["start"], second["sent"]) == (first["sent"], first["bytes"] - first["sent"])
    assert [entry["status"] for entry in sandbox.journal(operation="storage")] == [200, 206]
    asked = [dict(entry["headers"]).get("Range") for entry in sandbox.journal(operation="storage")]
    assert asked == [None, f"bytes={first['sent']}-"]
    assert delivery["sha256"] == first["sha256"]
    assert (delivery["rows"], delivery["complete"]) == (first["rows"], True)


def test_a_file_that_breaks_off_is_fetched_again_where_the_storage_has_no_ranges(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_options("talkdesk", bytes=2_000_000, ranges=False)
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="cut", after=0.9)
    delivery = landed(tmp_path / "calls.csv")
    assert [file["start"] for file in sandbox.served()] == [0, 0]
    assert delivery["sha256"] == sandbox.served()[0]["sha256"]


DAY = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
#: what comes in place of a report -> the report, and the fault
IN_PLACE: dict[str, tuple[Any, dict[str, Any]]] = {
    "khoros sends JSON for CSV": (
        khoros_care_report("conversation", **DAY),
        {"vendor": "khoros_care", "operation": "storage", "body": '[{"caller": "sentinel 555-0100"}]'},
    ),
    "khoros sends an object for lines": (
        khoros_care_report("conversation", file_format="jsonl", **DAY),
        {"vendor": "khoros_care", "operation": "storage", "body": '{"caller": "sentinel 555-0100"}'},
    ),
    "vspark sends text": (
        vspark_stats(company="DocTestCo", organization="DocTestCo-DocTesting", **DAY),
        {"vendor": "vspark", "operation": "stats", "body": "caller;number sentinel;555-0100"},
    ),
    "8x8 sends half a page": (
        eight_by_eight_call_legs(pbx_id="allpbxes", **DAY),
        {"vendor": "eight_by_eight_work", "operation": "call_legs", "body": '{"data": [{"x": "sentinel'},
    ),
}


@pytest.mark.parametrize("shaped", [True, False], ids=["in a shape", "as it comes"])
@pytest.mark.parametrize("case", IN_PLACE)
def test_what_comes_in_place_of_a_report_is_not_shown_where_it_has_a_shape(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str, shaped: bool
) -> None:
    report, fault = IN_PLACE[case]
    sandbox.set_options("khoros_care", ladder=[])
    sandbox.add_fault(fault="status", status=200, count=None, **fault)
    with pytest.raises(exceptions.ContactCenterError) as failed:
        landed(tmp_path / "landed", report=dict(report), shape=shape(drop=["caller"]) if shaped else None)
    said = str(failed.value)
    assert ("isn't shown, as the report has a shape" in said) is shaped
    assert ("sentinel" in said + capsys.readouterr().out) is not shaped


def test_a_vendors_own_error_is_shown_in_a_shape_too(sandbox: Sandbox, tmp_path: Path) -> None:
    report, fault = IN_PLACE["vspark sends text"]
    sandbox.add_fault(fault="status", status=200, count=None, **{**fault, "body": "Company not found"})
    with pytest.raises(exceptions.ContactCenterNotFoundError, match="Company not found"):
        landed(tmp_path / "landed", report=dict(report), shape=shape(drop=["caller"]))
