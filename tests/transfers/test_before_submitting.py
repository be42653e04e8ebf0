"""What is wrong with the store's side of a transfer shows before the vendor is asked for anything."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

from .conftest import Store, calls, context


def test_a_key_without_a_bucket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    operator = ContactCenterToS3Operator(task_id="calls", report=calls(), s3_key="talkdesk/calls.csv")
    with pytest.raises(ContactCenterInvalidReportError, match="s3_bucket"):
        operator.execute(context())
    assert sandbox.journal() == []


S3, GCS = ContactCenterToS3Operator, ContactCenterToGCSOperator


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


@pytest.mark.parametrize("extra", ["amazon", "google"])
def test_a_missing_extra(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.amazon.aws.hooks.s3", None)
    monkeypatch.setitem(sys.modules, "airflow.providers.google.cloud.hooks.gcs", None)
    operator = (
        ContactCenterToS3Operator(task_id="calls", report=calls(), s3_key="s3://lake/calls.csv")
        if extra == "amazon"
        else ContactCenterToGCSOperator(
            task_id="calls", report=calls(), bucket_name="lake", object_name="calls.csv"
        )
    )
    with pytest.raises(AirflowOptionalProviderFeatureException, match=rf"\[{extra}\]"):
        operator.execute(context())
    assert sandbox.journal() == []
