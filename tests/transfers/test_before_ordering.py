"""What is wrong with the store's side of a transfer shows before the vendor is asked for anything."""

from __future__ import annotations

import json
import sys

import pytest
from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

from .conftest import calls, context


def test_a_key_without_a_bucket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    operator = ContactCenterToS3Operator(task_id="calls", report=calls(), s3_key="talkdesk/calls.csv")
    with pytest.raises(ContactCenterInvalidReportError, match="s3_bucket"):
        operator.execute(context())
    assert sandbox.journal() == []


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
