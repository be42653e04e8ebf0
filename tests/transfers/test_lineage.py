"""Rows and bytes reach the outlets' events and OpenLineage."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_contactcenter.sandbox import Sandbox
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
    assert (report.namespace, report.name) == ("talkdesk://talkdesk_default", "report/calls")
    assert (landed.namespace, landed.name) == (f"{store.scheme}://contactcenter", name)
    assert landed.outputFacets["outputStatistics"].rowCount == delivery["rows"] == 40
    assert landed.outputFacets["outputStatistics"].size == delivery["bytes"]
