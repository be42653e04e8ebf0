"""What stands beside the object, and what an object that is there already does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from tests.transfers.conftest import StateStore, Store, calls, context

Key = Callable[[str], str]


def test_a_manifest_says_what_landed_and_holds_no_parameter(sandbox: Sandbox, store: Store, key: Key) -> None:
    name, manifest = key("csv"), key("json")
    report = calls(name="sentinel-caller")
    delivery = store.operator(name, report=report, manifest=manifest).execute(context())
    said = json.loads(store.object(manifest))
    assert delivery["manifest"] == f"{store.scheme}://contactcenter/{manifest}"
    assert said["entries"] == [
        {
            "url": delivery["uri"],
            "mandatory": True,
            "meta": {"content_length": len(store.object(name)), "record_count": 40},
        }
    ]
    same = ("uri", "bytes", "rows", "sha256", "store", "window", "complete", "provisional")
    assert {name: said[name] for name in same} == {name: delivery[name] for name in same}
    assert delivery["store"]
    assert said["report"]["fingerprint"].startswith("sha256:")
    assert "sentinel" not in json.dumps(said)


def test_an_old_manifest_is_gone_while_its_data_change(sandbox: Sandbox, store: Store, key: Key) -> None:
    name, manifest = key("json"), key("json")
    store.put(manifest, b"{}")
    sandbox.set_options("talkdesk", json_total="wrong")
    with pytest.raises(exceptions.ContactCenterIncompleteError):
        store.operator(name, report=calls(file_format="json"), manifest=manifest).execute(context())
    assert not store.exists(manifest)
    assert not store.exists(name)


@pytest.mark.parametrize(
    ("values", "what_to_do"),
    [
        ({}, "a retry of the task lands both again"),
        ({"replace": False}, "a retry of the task writes the manifest"),
        ({"replace": False, "durable": False}, "remove it first"),
    ],
)
def test_a_manifest_that_cannot_be_written_fails_the_task(
    sandbox: Sandbox,
    store: Store,
    key: Key,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, Any],
    what_to_do: str,
) -> None:
    from airflow_provider_contactcenter.transfers import manifest

    def broken(said: Any) -> Any:
        raise OSError("the disk is full")

    monkeypatch.setattr(manifest, "body", broken)
    sentence = f"readers of manifests don't see it; .*{what_to_do}"
    with pytest.raises(exceptions.ContactCenterStoreError, match=sentence):
        store.operator(key("csv"), report=calls(), manifest=key("json"), **values).execute(context())


def test_a_manifest_under_the_reports_own_key_is_refused(sandbox: Sandbox, store: Store, key: Key) -> None:
    name = key("csv")
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match="the report itself lands there"):
        store.operator(name, report=calls(), manifest=name).execute(context())
    assert sandbox.journal() == []


@pytest.mark.parametrize("manifest", ["", "{{ ds }}", "calls/"])
def test_a_manifest_that_cannot_be_written_there_is_refused_by_its_own_parameter(
    sandbox: Sandbox, store: Store, key: Key, manifest: str
) -> None:
    said = f"^Task calls: manifest={manifest!r} is not allowed: (give|it holds)"
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match=said):
        store.operator(key("csv"), report=calls(), manifest=manifest).execute(context())
    assert sandbox.journal() == []


def test_an_object_that_is_there_can_skip_the_task(sandbox: Sandbox, store: Store, key: Key) -> None:
    name, memory = key("csv"), StateStore()
    store.put(name, b"last night's")
    with pytest.raises(AirflowSkipException, match="It stays as it is"):
        store.operator(name, report=calls(), replace=False, on_exists="skip").execute(context(memory))
    assert sandbox.journal() == []
    assert memory == {}
    assert store.object(name) == b"last night's"


def test_a_store_that_cannot_be_written_costs_no_report(
    sandbox: Sandbox, store: Store, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Any, *, replace: bool = True) -> None:
        raise PermissionError("AccessDenied")

    operator = store.operator(key("csv"), report=calls())
    monkeypatch.setattr(type(operator.store()), "check", refused)
    with pytest.raises(exceptions.ContactCenterStoreError, match="Nothing was submitted"):
        operator.execute(context())
    assert sandbox.journal() == []


def test_to_skip_what_is_overwritten_makes_no_sense() -> None:
    with pytest.raises(InvalidValue, match="on_exists='skip' is not allowed with replace=True"):
        ContactCenterToS3Operator(task_id="a", report=calls(), s3_key="s3://a/b", on_exists="skip")


def test_a_delivery_tells_the_vendors_bytes_and_columns(sandbox: Sandbox, store: Store, key: Key) -> None:
    delivery = store.operator(key("csv"), report=calls()).execute(context())
    assert (delivery["complete"], delivery["caveats"]) == (True, [])
    [served] = sandbox.served()
    source = delivery["source"]
    assert (source["sha256"], source["bytes"], source["rows"]) == (served["sha256"], served["bytes"], 40)
    assert (source["file_format"], delivery["file_format"]) == ("csv", "csv")
    assert delivery["columns"] == store.object(delivery["uri"].rpartition("/")[2]).decode().splitlines()[
        0
    ].split(",")
    assert delivery["schema_fingerprint"].startswith("sha256:")
