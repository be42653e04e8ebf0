"""Khoros Care and V-Spark land in both stores: every format whole, what isn't the report never."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, TaskDeferred

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.reports import khoros_care_report, vspark_stats
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.sandboxes import connected
from tests.transfers.conftest import StateStore, Store, context

Key = Callable[[str], str]
WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
SUNDAY = {"start": "2024-05-05T00:00:00Z", "end": "2024-05-06T00:00:00Z"}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with connected(monkeypatch, options={"khoros_care": {"ladder": [], "rows": 40}}) as sandbox:
        yield sandbox


def export(**values: Any) -> Any:
    return khoros_care_report("conversation", **{**WINDOW, **values})


def stats(**values: Any) -> Any:
    return vspark_stats(company="DocTestCo", organization="DocTestCo-DocTesting", **{**WINDOW, **values})


REPORTS = {
    "khoros csv": (export, "csv", 40),
    "khoros json": (export, "json", 40),
    "vspark json": (stats, "json", 3),
}


@pytest.mark.parametrize("case", REPORTS)
def test_a_file_lands_byte_for_byte(sandbox: Sandbox, store: Store, key: Key, case: str) -> None:
    report, file_format, rows = REPORTS[case]
    name = key(file_format)
    delivery = store.operator(name, report=report(file_format=file_format)).execute(context())
    [served] = sandbox.served()
    landed = store.object(name)
    assert hashlib.sha256(landed).hexdigest() == served["sha256"] == delivery["sha256"]
    assert (delivery["rows"], delivery["complete"], delivery["vendor_total"]) == (rows, True, None)
    assert delivery["content_type"] == store.content_type(name)
    json.dumps(delivery)


@pytest.mark.parametrize("report", [export, stats])
def test_json_lines_land_as_the_documents_elements(
    sandbox: Sandbox, store: Store, key: Key, report: Any
) -> None:
    lines, document = key("jsonl"), key("json")
    delivery = store.operator(lines, report=report(file_format="jsonl")).execute(context())
    store.operator(document, report=report(file_format="json")).execute(context())
    made = [json.loads(line) for line in store.object(lines).splitlines()]
    assert made == json.loads(store.object(document))
    assert (delivery["rows"], delivery["complete"]) == (len(made), True)


@pytest.mark.parametrize("empty_as", ["[]", "{}", "nothing"])
@pytest.mark.parametrize("on_empty", ["publish", "skip", "fail"])
def test_a_day_without_calls_is_what_on_empty_says(
    sandbox: Sandbox, store: Store, key: Key, empty_as: str, on_empty: str
) -> None:
    sandbox.set_options("vspark", empty_as=empty_as)
    name = key("json")
    operator = store.operator(name, report=stats(**SUNDAY), on_empty=on_empty)
    if on_empty == "publish":
        delivery = operator.execute(context())
        assert delivery["rows"] == 0
        assert delivery["complete"] is (None if empty_as == "nothing" else True)
        assert store.object(name) == (b"" if empty_as == "nothing" else empty_as.encode())
        return
    expected = AirflowSkipException if on_empty == "skip" else exceptions.ContactCenterEmptyError
    with pytest.raises(expected):
        operator.execute(context())
    assert not store.exists(name)


INCOMPLETE = exceptions.ContactCenterIncompleteError
FAILED = exceptions.ContactCenterReportFailedError
UNAVAILABLE = exceptions.ContactCenterUnavailableError
DENIED = exceptions.ContactCenterAuthenticationError
BROKEN: dict[str, tuple[type[Exception], Any, dict[str, Any], dict[str, Any]]] = {
    "khoros fails": (FAILED, export, {"end": "CLOSED/FAILED"}, {}),
    "khoros sends json for csv": (INCOMPLETE, export, {"served_format": "json"}, {}),
    "khoros sends pages": (INCOMPLETE, export, {}, {"operation": "storage", "fault": "html"}),
    "khoros sends an envelope": (
        FAILED,
        export,
        {},
        {
            "operation": "download",
            "fault": "status",
            "status": 200,
            "body": '{"status": "FAIL", "message": "x"}',
        },
    ),
    "khoros sends nothing with 204": (
        UNAVAILABLE,
        export,
        {},
        {"operation": "download", "fault": "status", "status": 204},
    ),
    "khoros sends nothing with 202": (
        UNAVAILABLE,
        export,
        {},
        {"operation": "download", "fault": "status", "status": 202},
    ),
    "khoros cuts": (UNAVAILABLE, export, {}, {"operation": "storage", "fault": "cut"}),
    "vspark sends pages": (UNAVAILABLE, stats, {}, {"operation": "stats", "fault": "html"}),
    "vspark sends text": (DENIED, stats, {"error_http": "200", "companies": {}}, {}),
    "vspark cuts": (INCOMPLETE, stats, {}, {"operation": "stats", "fault": "cut", "framing": "none"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_the_report_leaves_nothing_under_the_key(
    sandbox: Sandbox, store: Store, key: Key, case: str
) -> None:
    error, report, options, fault = BROKEN[case]
    vendor = case.split()[0].replace("khoros", "khoros_care")
    sandbox.set_options(vendor, **options)
    if fault:
        sandbox.add_fault(vendor=vendor, count=None, **fault)
    name = key("bin")
    with pytest.raises(error) as raised:
        store.operator(name, report=report()).execute(context())
    assert type(raised.value) is error
    assert not store.exists(name)
    assert store.dangling() == []


def test_vspark_never_defers_for_it_is_ready_at_once(sandbox: Sandbox, store: Store, key: Key) -> None:
    memory = StateStore()
    delivery = store.operator(key("json"), report=stats(), deferrable=True).execute(context(memory))
    assert delivery["job"]["job_id"] is None
    assert len(sandbox.journal(vendor="vspark")) == 1
    assert memory == {}


def test_a_deferred_export_holds_no_secret_in_its_trigger(sandbox: Sandbox, store: Store, key: Key) -> None:
    sandbox.set_options("khoros_care", ladder=[["RUNNING", 60, 99]])
    memory = StateStore()
    with pytest.raises(TaskDeferred) as deferred:
        store.operator(key("csv"), report=export(), deferrable=True).execute(context(memory))
    kept = json.dumps([deferred.value.trigger.serialize(), memory])
    assert sandbox.jobs("khoros_care")[0]["id"] in kept
    for word in ("sandbox-company-key", "sandbox:password", "analyticsAccessToken", "companyKey"):
        assert word not in kept


def test_a_retry_takes_up_the_export_that_an_earlier_try_submitted(
    sandbox: Sandbox, store: Store, key: Key
) -> None:
    memory = StateStore()
    sandbox.set_options("khoros_care", ladder=[["RUNNING", 60, 99]])
    with pytest.raises(TaskDeferred):
        store.operator(key("csv"), report=export(), deferrable=True).execute(context(memory))
    sandbox.add_fault(vendor="khoros_care", operation="status", fault="status", status=503)
    sandbox.hold(sandbox.jobs("khoros_care")[0]["id"], "CLOSED/COMPLETED")
    delivery = store.operator(key("csv"), report=export()).execute(context(memory, try_number=2))
    assert delivery["rows"] == 40
    assert len(sandbox.journal(operation="submit")) == 1


def test_a_failed_export_is_submitted_again_by_a_retry(sandbox: Sandbox, store: Store, key: Key) -> None:
    memory = StateStore()
    refused = json.dumps({"status": "FAIL", "message": "lost it", "result": None})
    sandbox.add_fault(vendor="khoros_care", operation="status", fault="status", status=200, body=refused)
    with pytest.raises(exceptions.ContactCenterReportFailedError, match="lost it"):
        store.operator(key("csv"), report=export()).execute(context(memory))
    delivery = store.operator(key("csv"), report=export()).execute(context(memory, try_number=2))
    assert delivery["rows"] == 40
    assert len(sandbox.journal(operation="submit")) == 2
