"""The links on a task in the UI, and the job's id before the wait."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import XCom

from airflow_provider_contactcenter import links
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.stores.gcs import GCSStore
from airflow_provider_contactcenter.stores.s3 import S3Store
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.vendors import registry
from tests.transfers.conftest import calls, context, sandbox

__all__ = ["sandbox"]

DOCS = registry.vendor("talkdesk").docs


@pytest.fixture
def xcoms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the task has pushed, as its links find it."""
    pushed: dict[str, Any] = {}
    monkeypatch.setattr(XCom, "get_value", lambda *, ti_key, key: pushed.get(key))
    return pushed


def pushing(xcoms: dict[str, Any]) -> dict[str, Any]:
    given = context()
    given["ti"].xcom_push = lambda key, value: xcoms.__setitem__(key, value)
    return given


def link(operator: Any, name: str) -> str:
    [found] = [each for each in operator.operator_extra_links if each.name == name]
    url: str = found.get_link(operator, ti_key=SimpleNamespace())
    return url


def test_the_vendors_documentation_is_linked_from_each_kind_of_task(xcoms: dict[str, Any]) -> None:
    job = {"vendor": "talkdesk", "kind": "report", "conn_id": "c", "job_id": "1", "report": calls()}
    for operator in (
        ContactCenterReportOperator(task_id="a", report=calls()),
        ContactCenterReportSensor(task_id="b", job={**job, "submitted_at": "2024-05-02T00:00:00Z"}),
        ContactCenterToFileOperator(task_id="c", report=calls(), path="/data/calls.csv"),
    ):
        assert link(operator, "Vendor's documentation") == DOCS


def test_a_worker_asks_for_no_xcom_since_a_missing_one_is_an_error_in_the_log(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(XCom, "get_value", lambda **_: pytest.fail("an XCom was asked for"))
    path = str(tmp_path / "calls.csv")
    operator = ContactCenterToFileOperator(task_id="c", report=calls(), path=path, deferrable=False)
    for _ in range(2):
        assert (link(operator, "Landed object"), link(operator, "Vendor's documentation")) == ("", DOCS)
        operator.execute(context())


def test_the_webserver_of_211_reads_the_landed_objects_address_from_xcom(xcoms: dict[str, Any]) -> None:
    serialised = SimpleNamespace(operator_extra_links=[links.LandedObjectLink()])
    assert link(serialised, "Landed object") == ""
    xcoms[links.OBJECT] = "https://console.example/calls.csv"
    assert link(serialised, "Landed object") == "https://console.example/calls.csv"


def test_where_the_operator_says_nothing_the_documentation_is_that_of_what_it_returned(
    xcoms: dict[str, Any],
) -> None:
    operator = ContactCenterReportSensor(task_id="b", job="{{ ti.xcom_pull('a') }}")
    assert link(operator, "Vendor's documentation") == ""
    xcoms["return_value"] = {"vendor": "talkdesk"}
    assert link(operator, "Vendor's documentation") == DOCS
    xcoms["return_value"] = {"uri": "s3://lake/calls.csv", "job": {"vendor": "talkdesk"}}
    assert link(operator, "Vendor's documentation") == DOCS


def test_the_jobs_id_is_seen_before_the_wait(sandbox: Sandbox, xcoms: dict[str, Any]) -> None:
    seen = []

    class Slow(ContactCenterReportOperator):
        clock = SimpleNamespace(now=ContactCenterReportOperator.clock.now)  # type: ignore[assignment]

    def sleep(seconds: float) -> None:
        seen.append(dict(xcoms))
        raise InterruptedError

    Slow.clock.sleep = sleep  # type: ignore[method-assign]
    sandbox.set_options("talkdesk", ladder=[["created", 600.0, 1]])
    operator = Slow(task_id="a", report=calls(), wait_for_completion=True, deferrable=False)
    with pytest.raises(InterruptedError):
        operator.execute(pushing(xcoms))
    assert seen[0]["job_id"]


def test_a_job_id_that_cannot_be_pushed_fails_nothing(sandbox: Sandbox) -> None:
    given = context()

    def refuse(key: str, value: Any) -> None:
        raise RuntimeError("the API server is away")

    given["ti"].xcom_push = refuse
    assert ContactCenterReportOperator(task_id="a", report=calls(), deferrable=False).execute(given)["job_id"]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    def connect(region: str | None, **extra: Any) -> None:
        values = {
            "conn_type": "aws",
            "login": "key",
            "password": "fake",
            "extra": {**extra, **({"region_name": region} if region else {})},
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(values))

    return connect


@pytest.mark.parametrize(
    ("region", "place"),
    [
        ("eu-central-1", "https://console.aws.amazon.com/s3/object/lake?region=eu-central-1&"),
        ("cn-north-1", "https://console.amazonaws.cn/s3/object/lake?region=cn-north-1&"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com/s3/object/lake?region=us-gov-west-1&"),
    ],
)
def test_an_object_in_s3_is_shown_in_the_console_of_its_partition(region: str, place: str, aws: Any) -> None:
    aws(region)
    assert S3Store("s3://lake/a b/#1?+.csv").console == f"{place}prefix=a%20b%2F%231%3F%2B.csv"


def test_a_store_at_an_endpoint_of_its_own_has_no_console(aws: Any) -> None:
    aws("eu-central-1", endpoint_url="http://127.0.0.1:9000")
    assert S3Store("s3://lake/calls.csv").console is None


def test_an_object_in_gcs_is_shown_in_its_console_unless_an_emulator_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    store = GCSStore("lake", "a b/#1.csv")
    hook = SimpleNamespace(get_conn=lambda: Client(project="p", credentials=AnonymousCredentials()))
    vars(store)["_hook"] = hook
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    assert store.console == "https://console.cloud.google.com/storage/browser/_details/lake/a%20b/%231.csv"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    assert store.console is None


def test_the_landed_object_is_linked_once_it_has_landed(
    sandbox: Sandbox, xcoms: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_contactcenter.stores.file import FileStore

    operator = ContactCenterToFileOperator(
        task_id="c", report=calls(), path=str(tmp_path / "calls.csv"), deferrable=False
    )
    assert link(operator, "Landed object") == ""
    operator.execute(pushing(xcoms))
    assert link(operator, "Landed object") == ""  # a folder has no console
    monkeypatch.setattr(FileStore, "console", "https://console.example/calls.csv")
    operator.execute(pushing(xcoms))
    assert xcoms[links.OBJECT] == link(operator, "Landed object") == "https://console.example/calls.csv"
