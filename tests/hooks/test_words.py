"""What hooks say in the vendor's and the form's own words."""

from __future__ import annotations

import pytest

from airflow_provider_contactcenter.hooks import connection
from airflow_provider_contactcenter.hooks.khoros_care import KhorosCareHook
from airflow_provider_contactcenter.hooks.vspark import VSparkHook
from airflow_provider_contactcenter.nouns import Job, new_job
from airflow_provider_contactcenter.reports import khoros_care_report
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

DAY = {"start": "2024-05-01T00:00:00+00:00", "end": "2024-05-02T00:00:00+00:00"}


def workflow() -> Job:
    return new_job(khoros_care_report("conversation", **DAY), "12/ab")


def test_khoros_errors_speak_of_a_workflow() -> None:
    error = KhorosCareHook().error(Refusal("missing", "HTTP 404: gone"), workflow())
    assert "(connection khoros_care_default, workflow 12/ab): HTTP 404: gone." in str(error)
    assert "export_id" in str(error)


def test_v_spark_errors_speak_of_its_folders() -> None:
    error = VSparkHook().error(Refusal("missing", "HTTP 400: folder not found"))
    assert str(error).endswith("Check the report's company, organization and folder.")


def test_an_extra_that_means_nothing_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "_unknown", set())
    monkeypatch.setenv(
        "AIRFLOW_CONN_TYPO",
        '{"conn_type": "vspark", "host": "https://vspark.example.com", "password": "fake-token", '
        '"extra": {"timout": 5, "timeout": 7, "colour": "sentinel-value"}}',
    )
    assert [VSparkHook("typo").settings.timeout for _ in range(2)] == [7.0, 7.0]
    said = capsys.readouterr().out
    [typo, colour] = [line for line in said.splitlines() if "does not know" in line]
    assert "has the extra 'timout', which its type vspark does not know" in typo
    assert "Did you mean 'timeout'?" in typo
    assert "'colour'" in colour and "Did you mean" not in colour
    assert "sentinel-value" not in said
