"""What lands in a store is the whole report, or nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.transfers.conftest import StateStore, Store, calls, context

Key = Callable[[str], str]
#: S3's parts have 8 MiB
MORE_THAN_A_PART = 9_000_000


@pytest.mark.parametrize("file_format", ["csv", "json", "json_bulk"])
def test_a_file_lands_byte_for_byte(sandbox: Sandbox, store: Store, key: Key, file_format: str) -> None:
    name = key(file_format)
    report = calls(file_format=file_format)
    delivery = store.operator(name, report=report).execute(context())
    [served] = sandbox.served()
    landed = store.object(name)
    assert hashlib.sha256(landed).hexdigest() == served["sha256"] == delivery["sha256"]
    assert delivery["bytes"] == len(landed) == served["bytes"]
    assert delivery["rows"] == served["rows"] == 40
    assert delivery["uri"] == f"{store.scheme}://contactcenter/{name}"
    assert delivery["window"] == {"start": "2024-05-01T00:00:00+00:00", "end": "2024-05-02T00:00:00+00:00"}
    assert delivery["complete"] is True
    assert delivery["job"]["job_id"] == served["job"]
    assert store.content_type(name) == delivery["content_type"]
    json.dumps(delivery)


def test_json_lines_hold_the_vendors_rows_one_by_one(sandbox: Sandbox, store: Store, key: Key) -> None:
    name, document = key("jsonl"), key("json")
    delivery = store.operator(name, report=calls(file_format="jsonl")).execute(context())
    store.operator(document, report=calls(file_format="json")).execute(context())
    rows = [json.loads(line) for line in store.object(name).splitlines()]
    assert rows == json.loads(store.object(document))["entries"]
    assert (delivery["rows"], delivery["vendor_total"], delivery["complete"]) == (40, 40, True)
    assert delivery["content_type"] == "application/x-ndjson"


def test_gzip_gives_the_same_bytes_each_time_and_the_key_as_given(
    sandbox: Sandbox, store: Store, key: Key
) -> None:
    plain, first, second = key("csv"), key("csv"), key("csv")
    store.operator(plain, report=calls()).execute(context())
    deliveries = [
        store.operator(name, report=calls(), compression="gzip").execute(context())
        for name in (first, second)
    ]
    assert store.object(first) == store.object(second)
    assert gzip.decompress(store.object(first)) == store.object(plain)
    assert {delivery["content_type"] for delivery in deliveries} == {"application/gzip"}
    assert deliveries[0]["sha256"] == hashlib.sha256(store.object(first)).hexdigest()
    assert deliveries[0]["rows"] == 40


def test_a_report_of_many_parts_lands_whole(sandbox: Sandbox, store: Store, key: Key) -> None:
    name = key("csv")
    sandbox.set_options("talkdesk", bytes=30_000_000)
    delivery = store.operator(name, report=calls()).execute(context())
    [served] = sandbox.served()
    assert delivery["bytes"] == served["bytes"] > 26_000_000
    assert delivery["sha256"] == served["sha256"] == hashlib.sha256(store.object(name)).hexdigest()
    assert delivery["rows"] == served["rows"]
    assert store.dangling() == []


BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "total says more": ({"json_total": "wrong"}, {}),
    "entries are missing": ({"json_entries": "missing"}, {}),
    "cut in every try, with a length": (
        {},
        {"fault": "cut", "framing": "length", "after": 0.95, "count": None},
    ),
    "cut in every try, in chunks": ({}, {"fault": "cut", "framing": "chunked", "after": 0.5, "count": None}),
    "cut with neither": ({}, {"fault": "cut", "framing": "none", "after": 0.5, "count": None}),
    "a page instead of the file": ({}, {"fault": "html", "status": 200, "count": None}),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_incomplete_report_fails_and_leaves_what_was_there(
    sandbox: Sandbox, store: Store, key: Key, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, fault = BROKEN[broken]
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    sandbox.set_options("talkdesk", bytes=MORE_THAN_A_PART, **options)
    if fault:
        sandbox.add_fault(vendor="talkdesk", operation="storage", **fault)
    fresh, old = key("json"), key("json")
    store.put(old, b"last night's")
    for name in (fresh, old):
        with pytest.raises(
            (exceptions.ContactCenterIncompleteError, exceptions.ContactCenterUnavailableError)
        ):
            store.operator(name, report=calls(file_format="json")).execute(context())
    assert not store.exists(fresh)
    assert store.object(old) == b"last night's"
    assert store.dangling() == []


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_breaks_off_is_asked_for_again_and_lands_whole(
    sandbox: Sandbox, store: Store, key: Key, framing: str
) -> None:
    name = key("csv")
    sandbox.set_options("talkdesk", bytes=13_000_000)
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="cut", framing=framing, after=0.7)
    delivery = store.operator(name, report=calls()).execute(context())
    assert delivery["sha256"] == hashlib.sha256(store.object(name)).hexdigest()
    assert delivery["sha256"] == sandbox.served()[-1]["sha256"]
    assert len(sandbox.journal(operation="create")) == 1


def test_an_expired_link_is_asked_for_again(sandbox: Sandbox, store: Store, key: Key) -> None:
    name = key("csv")
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="expired_link")
    assert store.operator(name, report=calls()).execute(context())["rows"] == 40
    assert len(sandbox.journal(operation="storage")) == 2


def test_the_storage_origin_sees_no_credential_of_the_vendor(
    sandbox: Sandbox, store: Store, key: Key
) -> None:
    store.operator(key("csv"), report=calls()).execute(context())
    [request] = sandbox.journal(operation="storage")
    names = {name.lower() for name, _ in request["headers"]}
    assert request["origin"] == "storage"
    assert "authorization" not in names
    assert "cookie" not in names


@pytest.mark.parametrize(
    ("on_empty", "error"),
    [("skip", AirflowSkipException), ("fail", exceptions.ContactCenterEmptyError)],
)
@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
def test_an_empty_report_can_skip_or_fail(
    sandbox: Sandbox, store: Store, key: Key, file_format: str, on_empty: Any, error: type[Exception]
) -> None:
    sandbox.set_options("talkdesk", rows=0)
    name = key(file_format)
    operator = store.operator(name, report=calls(file_format=file_format), on_empty=on_empty)
    memory = StateStore()
    with pytest.raises(error, match="no rows") as ended:
        operator.execute(context(memory))
    assert not store.exists(name)
    [job] = sandbox.jobs("talkdesk")
    assert f"Talkdesk Explore (connection talkdesk_default, job {job['id']})" in str(ended.value)
    # A task that is skipped is over; one that failed takes its job up again.
    assert bool(memory) is (on_empty == "fail")


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_an_empty_report_is_published_unless_told_otherwise(
    sandbox: Sandbox, store: Store, key: Key, file_format: str
) -> None:
    sandbox.set_options("talkdesk", rows=0)
    name = key(file_format)
    delivery = store.operator(name, report=calls(file_format=file_format)).execute(context())
    assert delivery["rows"] == 0
    assert store.exists(name)
    assert len(store.object(name)) == delivery["bytes"]


def test_an_object_that_is_there_stops_the_task_before_anything_is_submitted(
    sandbox: Sandbox, store: Store, key: Key
) -> None:
    name = key("csv")
    store.put(name, b"last night's")
    with pytest.raises(exceptions.ContactCenterObjectExistsError, match="replace=False"):
        store.operator(name, report=calls(), replace=False).execute(context())
    assert sandbox.journal() == []
    assert store.object(name) == b"last night's"
    store.operator(name, report=calls()).execute(context())
    assert store.object(name) != b"last night's"


def test_an_object_that_appears_meanwhile_is_not_replaced(
    sandbox: Sandbox, store: Store, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = key("csv")
    operator = store.operator(name, report=calls(), replace=False)
    submit = TalkdeskHook.submit_checked

    def meanwhile(*args: Any) -> Any:
        store.put(name, b"other")
        return submit(*args)

    monkeypatch.setattr(TalkdeskHook, "submit_checked", meanwhile)
    with pytest.raises(exceptions.ContactCenterObjectExistsError):
        operator.execute(context())
    assert store.object(name) == b"other"


def test_a_job_that_another_task_submitted_is_landed(sandbox: Sandbox, store: Store, key: Key) -> None:
    from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator

    job = ContactCenterReportOperator(task_id="order", report=calls()).execute(context())
    delivery = store.operator(key("csv"), job=json.loads(json.dumps(job))).execute(context())
    assert delivery["job"]["job_id"] == job["job_id"]
    assert len(sandbox.journal(operation="create")) == 1


def test_nothing_is_remembered_after_success(sandbox: Sandbox, store: Store, key: Key) -> None:
    memory = StateStore()
    store.operator(key("csv"), report=calls()).execute(context(memory))
    assert memory == {}
