"""Acme from submit to file, as its distribution is installed: nothing of the provider was changed for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acme_contactcenter import sandbox as acme
from acme_contactcenter.reports import acme_agents, acme_calls
from acme_contactcenter.vendor import VENDOR

from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.reports import describe
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.vendors.conformance import complaints

DAY = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(vendors=[acme.VENDOR], rows=250) as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


def test_its_description_is_complete() -> None:
    assert complaints(VENDOR) == []


def test_a_report_is_submitted_watched_and_streamed(sandbox: Sandbox) -> None:
    report = acme_calls(**DAY)
    hook = hook_for(report)
    assert hook.test_connection()[0]
    job = hook.submit(report)
    assert [hook.get_status(job)["state"] for _ in range(2)] == ["running", "ready"]
    stream = hook.stream(job)
    rows = [json.loads(line) for line in b"".join(stream).splitlines()]
    assert [row["id"] for row in rows] == list(range(250))
    assert (stream.rows, stream.complete) == (250, True)
    assert describe(report)["key"] == ["id"]


@pytest.mark.parametrize("report", [acme_calls(**DAY), acme_agents()], ids=["calls", "agents"])
def test_a_report_lands_in_a_folder(report: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "landed.jsonl"
    operator = ContactCenterToFileOperator(
        task_id="land", report=report, path=str(path), poll_interval=0.05, deferrable=False
    )
    ti = SimpleNamespace(
        dag_id="acme",
        task_id="land",
        run_id="now",
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
        xcom_push=lambda key, value: None,
    )
    delivery = operator.execute({"ti": ti, "outlet_events": {}})
    assert (delivery["rows"], delivery["complete"]) == (250, True)
    assert len(path.read_text().splitlines()) == 250
