"""What is wrong with the store's side of a transfer shows before the vendor is asked for anything."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import (
    ContactCenterInvalidReportError,
    ContactCenterShapeError,
)
from airflow_provider_contactcenter.reports import eight_by_eight_summary_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
    ContactCenterToAzureBlobOperator,
)
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator

from .conftest import Store, calls, context


def test_a_key_without_a_bucket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    operator = ContactCenterToS3Operator(task_id="calls", report=calls(), s3_key="talkdesk/calls.csv")
    with pytest.raises(ContactCenterInvalidReportError, match="s3_bucket"):
        operator.execute(context())
    assert sandbox.journal() == []


S3, GCS = ContactCenterToS3Operator, ContactCenterToGCSOperator
Azure, SFTP, Folder = (
    ContactCenterToAzureBlobOperator,
    ContactCenterToSFTPOperator,
    ContactCenterToFileOperator,
)
BLOB = {"container_name": "lake", "blob_name": "calls.csv"}


@pytest.mark.parametrize(
    ("operator_class", "values", "sentence"),
    [
        (S3, {"s3_key": "s3://lake"}, "s3_key='s3://lake' with s3_bucket=None is not allowed"),
        (S3, {"s3_key": "", "s3_bucket": "lake"}, "s3_key='' with s3_bucket='lake' is not allowed"),
        (S3, {"s3_key": "s3://lake/{{ ds }}"}, "s3_key='{{ ds }}' is not allowed: it holds a template"),
        (S3, {"s3_key": "gs://lake/x", "s3_bucket": "lake"}, "s3_key='gs://lake/x' is not allowed"),
        (S3, {"s3_key": "x", "s3_bucket": "s3://lake"}, "s3_bucket='s3://lake' is not allowed"),
        (GCS, {"bucket_name": "lake", "object_name": ""}, "object_name='' is not allowed"),
        (GCS, {"bucket_name": "gs://lake", "object_name": "x"}, "bucket_name='gs://lake' is not allowed"),
        (GCS, {"bucket_name": "lake", "object_name": "{% x"}, "object_name='{% x' is not allowed"),
        (Azure, {**BLOB, "container_name": "http://lake"}, "container_name='http://lake' is not allowed"),
        (Azure, {**BLOB, "container_name": "abfss://lake@a"}, "container_name='abfss://lake@a' is not"),
        (Azure, {**BLOB, "blob_name": ""}, "blob_name='' is not allowed"),
        (S3, {"s3_key": "s3://lake/calls/"}, "s3_key='calls/' is not allowed: give the name of an object"),
        (S3, {"s3_key": "s3://lake/a/../b"}, "s3_key='a/../b' is not allowed: give the name of an object"),
        (
            GCS,
            {"bucket_name": "lake", "object_name": "./x"},
            "object_name='./x' is not allowed: give",
        ),
        (
            GCS,
            {"bucket_name": "lake", "object_name": "a\ud83d"},
            "object_name='a\\ud83d' is not allowed",
        ),
        (
            Azure,
            {**BLOB, "blob_name": "../up"},
            "blob_name='../up' is not allowed: give",
        ),
        (SFTP, {"remote_path": "in/calls.csv"}, "remote_path='in/calls.csv' is not allowed"),
        (Folder, {"path": "calls.csv"}, "path='calls.csv' is not allowed"),
    ],
)
def test_a_place_where_nothing_can_land(
    sandbox: Sandbox, operator_class: Any, values: dict[str, Any], sentence: str
) -> None:
    operator = operator_class(task_id="calls", report=calls(), **values)
    with pytest.raises(ContactCenterInvalidReportError, match=f"^Task calls: {re.escape(sentence)}"):
        operator.execute(context())
    assert sandbox.journal() == []


def test_native_rendering_may_make_a_number_of_a_name(sandbox: Sandbox, store: Store) -> None:
    values = {
        "s3": {"s3_bucket": "contactcenter", "s3_key": 20240501},
        "gs": {"bucket_name": "contactcenter", "object_name": 20240501},
    }[store.scheme]
    operator_class: Any = S3 if store.scheme == "s3" else GCS
    delivery = operator_class(task_id="calls", report=calls(), **values).execute(context())
    assert delivery["uri"] == f"{store.scheme}://contactcenter/20240501"
    assert len(store.object("20240501")) == delivery["bytes"]


@pytest.mark.parametrize("chunk_size", [0, -262144, 5, "262144", 262144.0])
def test_a_chunk_size_that_google_does_not_take(chunk_size: Any) -> None:
    with pytest.raises(InvalidValue, match=r"chunk_size=.* is not allowed: give a multiple of 256 KiB"):
        GCS(task_id="calls", report=calls(), bucket_name="b", object_name="o", chunk_size=chunk_size)


@pytest.mark.parametrize(
    ("operator_class", "values", "connection", "sentence"),
    [
        (Azure, BLOB, {}, "wasb_conn_id='somewhere' is not allowed: the connection names no account"),
        (Azure, BLOB, {"host": "acme"}, "the connection names no account; give its name as login"),
        (
            Azure,
            BLOB,
            {"extra": {"connection_string": "sentinel"}},
            "the connection is incomplete (Connection string is either blank or malformed.)",
        ),
        (
            Azure,
            BLOB,
            {"login": "acme", "extra": {"tenant_id": "t"}},
            "wasb_conn_id='somewhere' is not allowed: the connection is incomplete",
        ),
        (SFTP, {"remote_path": "/a.csv"}, {}, "sftp_conn_id='somewhere' is not allowed: the connection is"),
    ],
)
@pytest.mark.parametrize("manifest", [False, True])
def test_a_connection_that_leads_nowhere(
    sandbox: Sandbox,
    operator_class: Any,
    values: dict[str, Any],
    connection: dict[str, Any],
    sentence: str,
    manifest: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, parameter = ("wasb", "wasb_conn_id") if operator_class is Azure else ("sftp", "sftp_conn_id")
    monkeypatch.setenv("AIRFLOW_CONN_SOMEWHERE", json.dumps({"conn_type": kind, **connection}))
    more = {parameter: "somewhere"} | ({"manifest": "/calls.json"} if manifest else {})
    operator = operator_class(task_id="calls", report=calls(), **values, **more)
    with pytest.raises(ContactCenterInvalidReportError, match=re.escape(sentence)) as refused:
        operator.execute(context())
    assert "sentinel" not in str(refused.value)
    assert sandbox.journal() == []


SHAPED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"select": ["a"], "drop": ["b"]}, ContactCenterInvalidReportError, "together with select"),
    ({"types": {"a": "int"}}, ContactCenterInvalidReportError, "types['a']='int' is not allowed"),
    ({"hash": ["a"]}, ContactCenterInvalidReportError, "without hash_conn_id"),
    ({"file_format": "parquet"}, ContactCenterShapeError, "airflow-provider-contactcenter[parquet]"),
]


@pytest.mark.parametrize(("written", "error", "sentence"), SHAPED, ids=[str(one[0]) for one in SHAPED])
@pytest.mark.parametrize("whose", ["operator", "report"])
def test_a_shape_that_cannot_be(
    sandbox: Sandbox,
    tmp_path: Path,
    written: dict[str, Any],
    error: type[Exception],
    sentence: str,
    whose: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    operator = Folder(task_id="calls", report=calls(), path=str(tmp_path / "calls"))
    if whose == "operator":
        operator.shape = written  # as a template leaves it there
    else:
        operator.report["shape"] = written
    with pytest.raises(error, match=re.escape(sentence)):
        operator.execute(context())
    assert sandbox.journal() == []


@pytest.mark.parametrize("whose", ["operator", "template", "report"])
def test_parquet_in_gzip(sandbox: Sandbox, tmp_path: Path, whose: str) -> None:
    own, report = shape(file_format="parquet"), calls()
    values = {"task_id": "calls", "path": str(tmp_path / "calls"), "compression": "gzip"}
    sentence = r"compression='gzip' is not allowed with Parquet.*leave it out"
    if whose == "operator":
        with pytest.raises(InvalidValue, match=sentence):
            Folder(report=report, shape=own, **values)
        return
    if whose == "report":
        report["shape"] = own
    operator = Folder(report=report, **values)
    if whose == "template":
        operator.shape = own
    with pytest.raises(ContactCenterInvalidReportError, match=sentence):
        operator.execute(context())
    assert sandbox.journal() == []


def test_a_spreadsheet_in_a_shape(sandbox: Sandbox, tmp_path: Path) -> None:
    report = eight_by_eight_summary_report(
        "queue-interactions-summary",
        granularity="hour",
        group_by="media-and-channel-and-queue",
        file_format="xlsx",
        start="2024-05-01T00:00:00Z",
        end="2024-05-02T00:00:00Z",
    )
    own = shape(drop=["Queue"])
    operator = Folder(task_id="calls", report=report, path=str(tmp_path / "calls"), shape=own)
    with pytest.raises(ContactCenterShapeError, match="ask for csv"):
        operator.execute(context())
    assert sandbox.journal() == []


EXTRAS: list[tuple[str, str, Any]] = [
    ("amazon", "airflow.providers.amazon.aws.hooks.s3", {"s3_key": "s3://lake/calls.csv"}),
    ("google", "airflow.providers.google.cloud.hooks.gcs", {"bucket_name": "b", "object_name": "o"}),
    ("azure", "airflow.providers.microsoft.azure.hooks.wasb", BLOB),
    ("sftp", "airflow.providers.sftp.hooks.sftp", {"remote_path": "/calls.csv"}),
]


@pytest.mark.parametrize(("extra", "module", "values"), EXTRAS, ids=[one[0] for one in EXTRAS])
def test_a_missing_extra(
    sandbox: Sandbox, extra: str, module: str, values: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    operator_class: Any = {"amazon": S3, "google": GCS, "azure": Azure, "sftp": SFTP}[extra]
    operator = operator_class(task_id="calls", report=calls(), **values)
    with pytest.raises(AirflowOptionalProviderFeatureException, match=rf"\[{extra}\]"):
        operator.execute(context())
    assert sandbox.journal() == []
