"""Rows and bytes reach the outlets' events and OpenLineage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowSkipException,
    Asset,
    AssetAlias,
    HookLineageCollector,
    TaskDeferred,
)

from airflow_provider_contactcenter.exceptions import ContactCenterEmptyError
from airflow_provider_contactcenter.hooks import base
from airflow_provider_contactcenter.life.waiting import event
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers import landing
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.events import TOLD
from tests.transfers.conftest import Store, calls, context


def test_outlets_get_the_numbers_of_what_landed(
    sandbox: Sandbox, store: Store, key: Callable[[str], str]
) -> None:
    outlet = Asset("s3://contactcenter/calls")
    task_context = context()
    task_context["outlet_events"] = {outlet: SimpleNamespace(extra={"mine": 1})}
    delivery = store.operator(key("csv"), report=calls(), outlets=[outlet]).execute(task_context)
    told = task_context["outlet_events"][outlet].extra
    assert {"uri", "rows", "bytes", "sha256", "window", "complete", "provisional"} <= set(TOLD)
    assert told == {
        "mine": 1,
        **{name: delivery[name] for name in TOLD},
    }


def extracted(operator: Any, when: str) -> Any:
    """What OpenLineage's own extractor makes of a task."""
    extractor = pytest.importorskip("airflow.providers.openlineage.extractors.base").DefaultExtractor(
        operator
    )
    return extractor.extract() if when == "start" else getattr(extractor, f"extract_on_{when}")(None)


def tenant(sandbox: Sandbox) -> str:
    return urlsplit(sandbox.connections["talkdesk_default"]["extra"]["auth_url"]).netloc


def names(datasets: Any) -> list[tuple[str, str]]:
    return [(dataset.namespace, dataset.name) for dataset in datasets]


def test_openlineage_is_told_of_report_and_object(
    sandbox: Sandbox, store: Store, key: Callable[[str], str]
) -> None:
    name = key("csv")
    operator = store.operator(name, report=calls())
    report = [(f"talkdesk://{tenant(sandbox)}", "report/calls")]
    started = extracted(operator, "start")
    assert names(started.inputs) == report
    assert names(started.outputs) == [(f"{store.scheme}://contactcenter", name)]
    assert started.outputs[0].outputFacets == {}
    delivery = operator.execute(context())
    done = extracted(operator, "complete")
    [landed] = done.outputs
    assert names(done.inputs) == report and names([landed]) == names(started.outputs)
    assert landed.outputFacets["outputStatistics"].rowCount == delivery["rows"] == 40
    assert landed.outputFacets["outputStatistics"].size == delivery["bytes"]
    assert [field.name for field in landed.facets["schema"].fields] == delivery["columns"]
    assert "symlinks" not in landed.facets
    assert done.run_facets["externalQuery"].externalQueryId == delivery["job"]["job_id"]
    assert done.run_facets["externalQuery"].source == sandbox.connections["talkdesk_default"]["host"]


def test_an_asset_outlet_is_the_output_and_names_the_object(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("airflow.providers.openlineage", reason="needs the extra 'openlineage'")
    path, strange = tmp_path / "calls.csv", AssetAlias("strange")
    operator = to_file(path, outlets=[Asset("s3://lake/talkdesk/calls"), strange])
    asset = [("s3://lake", "talkdesk/calls")]
    assert names(extracted(operator, "start").outputs) == asset
    task_context = context()
    task_context["outlet_events"] = {outlet: SimpleNamespace(extra={}) for outlet in operator.outlets}
    delivery = operator.execute(task_context)
    [landed] = extracted(operator, "complete").outputs
    assert names([landed]) == asset
    assert landed.outputFacets["outputStatistics"].rowCount == delivery["rows"]
    [place] = landed.facets["symlinks"].identifiers
    assert (place.namespace, place.name) == ("file", str(path))


def test_a_shape_tells_types_and_the_vendors_columns(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serde = pytest.importorskip("openlineage.client.serde").Serde
    pytest.importorskip("airflow.providers.openlineage", reason="needs the extra 'openlineage'")
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("AIRFLOW_CONN_PEPPER", '{"conn_type": "generic", "password": "grains"}')
    shaped = shape(
        file_format="parquet",
        select=["call_id", "user_name", "wait_time", "talk_time"],
        rename={"call_id": "id", "talk_time": "talked"},
        hash=["user_name"],
        hash_conn_id="pepper",
        types={"talk_time": "int64", "wait_time": "float64"},
    )
    operator = to_file(tmp_path / "calls.parquet", shape=shaped, replace=False)
    assert "lifecycleStateChange" not in extracted(operator, "start").outputs[0].facets
    operator.execute(context())
    [landed] = extracted(operator, "complete").outputs
    facets = serde.to_dict(landed)["facets"]
    assert [(field["name"], field.get("type")) for field in facets["schema"]["fields"]] == [
        ("id", "string"),
        ("user_name", "string"),
        ("wait_time", "float64"),
        ("talked", "int64"),
    ]
    origins = {
        name: [(each["field"], *each["transformations"]) for each in field["inputFields"]]
        for name, field in facets["columnLineage"]["fields"].items()
    }
    same = {"type": "DIRECT", "subtype": "IDENTITY", "masking": False}
    hashed = {
        "type": "DIRECT",
        "subtype": "TRANSFORMATION",
        "masking": True,
        "description": "hmac-sha256",
    }
    assert origins == {
        "id": [("call_id", same)],
        "user_name": [("user_name", hashed)],
        "wait_time": [("wait_time", same)],
        "talked": [("talk_time", same)],
    }
    [origin] = facets["columnLineage"]["fields"]["id"]["inputFields"]
    assert (origin["namespace"], origin["name"]) == (f"talkdesk://{tenant(sandbox)}", "report/calls")
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"


def test_lineage_names_no_type_that_nobody_declared(sandbox: Sandbox, tmp_path: Path) -> None:
    for values in ({}, {"shape": shape(types={"talk_time": "int64"})}):
        operator = to_file(tmp_path / "calls.csv", **values)
        delivery = operator.execute(context())
        [landed] = extracted(operator, "complete").outputs
        types = {field.name: field.type for field in landed.facets["schema"].fields}
        assert list(types) == delivery["columns"]
        declared = {"talk_time": "int64"} if values else {}
        assert {name: type_ for name, type_ in types.items() if type_} == declared
        assert ("columnLineage" in landed.facets) is bool(values)
        assert "lifecycleStateChange" not in landed.facets, "whether it was there before is not known"


def to_file(path: Path, **values: Any) -> ContactCenterToFileOperator:
    return ContactCenterToFileOperator(
        **{"task_id": "calls", "report": calls(), "path": str(path), "deferrable": False, **values}
    )


def test_a_task_that_failed_or_was_skipped_has_read_a_report_and_written_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_options("talkdesk", rows=0)
    for on_empty, ending in (("skip", "complete"), ("fail", "failure")):
        operator = to_file(tmp_path / "calls.csv", on_empty=on_empty)
        with pytest.raises((AirflowSkipException, ContactCenterEmptyError)):
            operator.execute(context())
        lineage = extracted(operator, ending)
        assert [dataset.name for dataset in lineage.inputs] == ["report/calls"]
        assert lineage.outputs == []


@pytest.mark.parametrize("deferrable", [False, True])
def test_operator_sensor_and_transfer_name_the_report_in_both_modes(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool
) -> None:
    report = [(f"talkdesk://{tenant(sandbox)}", "report/calls")]
    submit = ContactCenterReportOperator(
        task_id="submit", report=calls(), wait_for_completion=True, deferrable=deferrable
    )
    sandbox.set_options("talkdesk", ladder=[["processing", 0, 3]] if deferrable else [])
    job = run(submit, deferrable)
    wait = ContactCenterReportSensor(task_id="wait", job=job, deferrable=deferrable)
    land = to_file(tmp_path / "calls.csv", report=None, job=job, deferrable=deferrable)
    for operator in (submit, wait, land):
        if operator is not submit:
            assert names(extracted(operator, "start").inputs) == report
            run(operator, deferrable)
        for when in ("start", "complete", "failure"):
            lineage = extracted(operator, when)
            assert names(lineage.inputs) == report
            assert lineage.run_facets["externalQuery"].externalQueryId == job["job_id"]
            landed = [] if operator is not land or when == "failure" else [str(tmp_path / "calls.csv")]
            assert [dataset.name for dataset in lineage.outputs] == landed


def run(operator: Any, deferrable: bool) -> Any:
    """Run a task to its end; where it defers, resume it with the event of a job that is ready."""
    try:
        result = operator.execute(context())
        assert not deferrable
        return result
    except TaskDeferred as deferred:
        job = deferred.trigger.serialize()[1]["job"]
        return operator.execute_complete(context(), event(job, "ready"))


def test_a_connection_that_is_missing_keeps_lineage_silent(tmp_path: Path) -> None:
    operator = to_file(tmp_path / "calls.csv", report=calls(conn_id="nowhere"))
    for when in ("start", "complete", "failure"):
        assert extracted(operator, when).inputs == []


@pytest.mark.skipif(
    not hasattr(HookLineageCollector, "add_input_asset"),
    reason="Airflow 2.11's collector takes datasets; the common-compat provider translates, not this package",
)
def test_hook_lineage_names_report_and_object(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = HookLineageCollector()
    for module in (base, landing):
        monkeypatch.setattr(module, "get_hook_lineage_collector", lambda: collector)
    to_file(tmp_path / "calls.csv").execute(context())
    told = collector.collected_assets
    assert [each.asset.uri for each in told.inputs] == [f"talkdesk://{tenant(sandbox)}/report/calls"]
    assert [each.asset.uri for each in told.outputs] == [f"file://{tmp_path}/calls.csv"]
