"""Rows and bytes reach the outlets' events and OpenLineage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, Asset

from airflow_provider_contactcenter.exceptions import ContactCenterEmptyError
from airflow_provider_contactcenter.sandbox import Sandbox
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


def test_openlineage_is_told_of_report_and_object(
    sandbox: Sandbox, store: Store, key: Callable[[str], str]
) -> None:
    pytest.importorskip("airflow.providers.openlineage", reason="needs the extra 'openlineage'")
    name = key("csv")
    operator = store.operator(name, report=calls())
    delivery = operator.execute(context())
    lineage = operator.get_openlineage_facets_on_complete(None)
    [report], [landed] = lineage.inputs, lineage.outputs
    assert (report.namespace, report.name) == (f"talkdesk://{tenant(sandbox)}", "report/calls")
    assert (landed.namespace, landed.name) == (f"{store.scheme}://contactcenter", name)
    assert landed.outputFacets["outputStatistics"].rowCount == delivery["rows"] == 40
    assert landed.outputFacets["outputStatistics"].size == delivery["bytes"]
    assert [field.name for field in landed.facets["schema"].fields] == delivery["columns"]
    assert lineage.run_facets["externalQuery"].externalQueryId == delivery["job"]["job_id"]


def tenant(sandbox: Sandbox) -> str:
    return urlsplit(sandbox.connections["talkdesk_default"]["extra"]["auth_url"]).netloc


def test_a_task_that_failed_or_was_skipped_has_read_a_report_and_written_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    pytest.importorskip("airflow.providers.openlineage", reason="needs the extra 'openlineage'")
    sandbox.set_options("talkdesk", rows=0)
    for on_empty in ("skip", "fail"):
        operator = ContactCenterToFileOperator(
            task_id="calls",
            report=calls(),
            path=str(tmp_path / "calls.csv"),
            on_empty=on_empty,  # type: ignore[arg-type]
            deferrable=False,
        )
        with pytest.raises((AirflowSkipException, ContactCenterEmptyError)):
            operator.execute(context())
        ended = operator.get_openlineage_facets_on_complete, operator.get_openlineage_facets_on_failure
        lineage = ended[on_empty == "fail"](None)
        assert [dataset.name for dataset in lineage.inputs] == ["report/calls"]
        assert lineage.outputs == []
