"""A folder as the store: the whole way of a report without a server, in every shape of landing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
    ContactCenterToAzureBlobOperator,
)
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator
from tests.transfers.conftest import calls, context


def landed(path: Path, **values: Any) -> Any:
    task = ContactCenterToFileOperator(
        task_id="calls", report=calls(), path=str(path), deferrable=False, poll_interval=0.05, **values
    )
    return task.execute(context())


def test_a_report_lands_in_a_folder_with_its_manifest(sandbox: Sandbox, tmp_path: Path) -> None:
    delivery = landed(tmp_path / "calls.csv", manifest=str(tmp_path / "calls.json"))
    assert (tmp_path / "calls.csv").read_bytes()
    assert delivery["uri"] == f"file://{tmp_path}/calls.csv"
    assert json.loads((tmp_path / "calls.json").read_text())["sha256"] == delivery["sha256"]
    assert {path.name for path in tmp_path.iterdir()} == {"calls.csv", "calls.json"}


def test_a_folder_that_is_not_there_costs_no_report(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(exceptions.ContactCenterStoreError, match="Nothing was submitted"):
        landed(tmp_path / "missing" / "calls.csv")
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("operator_class", "place"),
    [
        (ContactCenterToFileOperator, {"path": "calls.csv"}),
        (ContactCenterToSFTPOperator, {"remote_path": "calls.csv"}),
        (ContactCenterToAzureBlobOperator, {"container_name": "abfss://lake", "blob_name": "calls.csv"}),
    ],
)
def test_a_place_that_cannot_be_is_refused(sandbox: Sandbox, operator_class: Any, place: Any) -> None:
    operator = operator_class(task_id="calls", report=calls(), **place)
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match="^Task calls: .* is not allowed"):
        operator.execute(context())
    assert sandbox.journal() == []
