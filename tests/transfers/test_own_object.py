"""``replace=False`` and a try that ended just after its object was published: the next one finishes it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, Asset

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import eight_by_eight_call_legs
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.stores.base import ObjectExists
from airflow_provider_contactcenter.stores.file import FileStore
from airflow_provider_contactcenter.transfers import manifest
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.transfers.conftest import StateStore, calls, context

ASSET = Asset("file:///lake/calls")


class Killed(BaseException):
    """The worker is gone."""


def killed_after(monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> None:
    """Let the next upload be the last thing that happens in its try."""
    put = FileStore.put

    def and_then_nothing(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(FileStore, "put", put)
        put(*args, **options)
        raise error or Killed

    monkeypatch.setattr(FileStore, "put", and_then_nothing)


class Task:
    """One task over its tries, with all that Airflow keeps of it."""

    def __init__(self, path: Path, **values: Any) -> None:
        self.memory = StateStore()
        self.event = SimpleNamespace(extra={})
        self.values = {"report": calls(), "path": str(path), "replace": False, "deferrable": False, **values}

    def run(self, try_number: int, **values: Any) -> Any:
        surroundings = context(self.memory, try_number=try_number, **values)
        surroundings["outlet_events"] = {ASSET: self.event}
        task = ContactCenterToFileOperator(
            task_id="calls", outlets=[ASSET], poll_interval=0.05, **self.values
        )
        return task.execute(surroundings)


@pytest.fixture
def task(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task whose first try was killed just after its object was published."""
    task = Task(tmp_path / "calls.csv", manifest=str(tmp_path / "calls.json"))
    killed_after(monkeypatch)
    with pytest.raises(Killed):
        task.run(1)
    assert {path.name for path in tmp_path.iterdir()} == {"calls.csv"}
    return task


@pytest.mark.parametrize("on_exists", ["fail", "skip"])
def test_a_retry_finishes_what_a_killed_try_landed(
    sandbox: Sandbox, tmp_path: Path, task: Task, on_exists: str
) -> None:
    task.values["on_exists"] = on_exists
    landed = (tmp_path / "calls.csv").read_bytes()
    delivery = task.run(2)
    assert (delivery["rows"], delivery["bytes"]) == (40, len(landed))
    assert (tmp_path / "calls.csv").read_bytes() == landed
    assert json.loads((tmp_path / "calls.json").read_text())["sha256"] == delivery["sha256"]
    assert task.event.extra["sha256"] == delivery["sha256"]
    assert len(sandbox.jobs("talkdesk")) == len(sandbox.served()) == 1
    assert task.memory == {}


def test_the_delivery_is_the_one_that_was_lost(sandbox: Sandbox, tmp_path: Path, task: Task) -> None:
    again = Task(tmp_path / "other.csv", manifest=str(tmp_path / "other.json")).run(1)
    same = ("rows", "columns", "schema_fingerprint", "window", "complete", "caveats", "content_type")
    found = task.run(2)
    assert {name: found[name] for name in same} == {name: again[name] for name in same}
    assert list(found) == list(again)


def test_a_job_of_another_task(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ContactCenterReportOperator(task_id="order", report=calls(), deferrable=False).execute(context())
    task = Task(tmp_path / "calls.csv", report=None, job=json.loads(json.dumps(job)))
    killed_after(monkeypatch)
    with pytest.raises(Killed):
        task.run(1)
    assert task.run(2)["job"]["job_id"] == job["job_id"]


def test_a_report_without_a_job_in_a_shape_and_packed(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    report = dict(eight_by_eight_call_legs(pbx_id="allpbxes", **window))
    own = shape(file_format="csv", select=["callId", "direction"])
    task = Task(tmp_path / "legs.csv.gz", report=report, shape=own, compression="gzip")
    killed_after(monkeypatch)
    with pytest.raises(Killed):
        task.run(1)
    delivery = task.run(2)
    assert delivery["columns"] == ["callId", "direction"]
    assert gzip.decompress((tmp_path / "legs.csv.gz").read_bytes()).startswith(b"callId,direction")


def test_an_upload_whose_answer_was_lost(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(tmp_path / "calls.csv")
    killed_after(monkeypatch, ConnectionResetError("the server went away"))
    with pytest.raises(exceptions.ContactCenterStoreError, match="the server went away"):
        task.run(1)
    assert task.run(2)["rows"] == 40


def test_a_manifest_that_could_not_be_written_is_written_by_a_retry(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(said: Any) -> Any:
        raise OSError("the disk is full")

    task = Task(tmp_path / "calls.csv", manifest=str(tmp_path / "calls.json"))
    with monkeypatch.context() as full:
        full.setattr(manifest, "body", broken)
        with pytest.raises(
            exceptions.ContactCenterStoreError, match="a retry of the task writes the manifest"
        ):
            task.run(1)
    assert task.run(2)["manifest"] == f"file://{tmp_path}/calls.json"
    assert json.loads((tmp_path / "calls.json").read_text())["rows"] == 40


@pytest.mark.parametrize("other", ["longer", "shorter", "as long"])
def test_an_object_of_another_writer_stays_one(
    sandbox: Sandbox, tmp_path: Path, task: Task, other: str
) -> None:
    path = tmp_path / "calls.csv"
    mine = path.read_bytes()
    theirs = {"longer": mine + b"\n", "shorter": mine[:-1], "as long": mine[:-1] + b"?"}[other]
    path.write_bytes(theirs)
    with pytest.raises(exceptions.ContactCenterObjectExistsError, match="replace=False"):
        task.run(2)
    assert path.read_bytes() == theirs
    assert (len(sandbox.served()), task.event.extra) == (1, {})


@pytest.mark.parametrize(
    "changed", [{"shape": shape(drop=["Caller"])}, {"compression": "gzip"}, {"report": calls(name="another")}]
)
def test_a_dag_that_was_changed_between_two_tries_asks_for_something_else(
    sandbox: Sandbox, task: Task, changed: dict[str, Any]
) -> None:
    task.values |= changed
    with pytest.raises(exceptions.ContactCenterObjectExistsError):
        task.run(2)


def test_a_clear_meets_its_object_as_any_other(sandbox: Sandbox, task: Task) -> None:
    with pytest.raises(exceptions.ContactCenterObjectExistsError):
        task.run(2, max_tries=3)


def test_who_came_second_stays_second_even_with_the_same_report(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, path = FileStore.put, tmp_path / "calls.csv"

    def too_late(*args: Any, **options: Any) -> Any:
        put(*args, **options)
        raise ObjectExists(f"file://{path}")

    task = Task(path)
    with monkeypatch.context() as late:
        late.setattr(FileStore, "put", too_late)
        with pytest.raises(exceptions.ContactCenterObjectExistsError):
            task.run(1)
    with pytest.raises(exceptions.ContactCenterObjectExistsError):
        task.run(2)


@pytest.mark.parametrize("on_exists", ["fail", "skip"])
def test_an_object_that_cannot_be_read_is_neither_taken_nor_passed_over(
    sandbox: Sandbox, task: Task, on_exists: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(store: FileStore) -> Iterator[bytes]:
        raise PermissionError("AccessDenied")

    task.values["on_exists"] = on_exists
    with monkeypatch.context() as locked:
        locked.setattr(FileStore, "read", refused)
        sentence = r"could not be read .*AccessDenied.*\nAn earlier try of this task may have landed it"
        with pytest.raises(exceptions.ContactCenterStoreError, match=sentence):
            task.run(2)
    assert task.run(3)["rows"] == 40


@pytest.mark.parametrize("on_exists", ["fail", "skip"])
def test_without_memory_the_message_says_what_may_be_and_what_to_do(
    sandbox: Sandbox, task: Task, on_exists: str
) -> None:
    task.values |= {"durable": False, "on_exists": on_exists}
    expected = {"fail": exceptions.ContactCenterObjectExistsError, "skip": AirflowSkipException}[on_exists]
    sentence = "If an earlier try of this task landed it .* remove it and clear the task"
    with pytest.raises(expected, match=sentence):
        task.run(2)
    with pytest.raises(expected) as first:
        task.run(1)
    assert "earlier try" not in str(first.value)


def test_a_memory_that_is_away_does_not_keep_a_report_from_landing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Away(StateStore):
        def set(self, key: str, value: Any) -> None:
            if "landing" in value:
                raise RuntimeError("the API server is away")
            super().set(key, value)

    task = Task(tmp_path / "calls.csv")
    task.memory = Away()
    assert task.run(1)["rows"] == 40
    assert "What lands could not be remembered" in capsys.readouterr().out


def test_what_may_be_replaced_is_not_remembered(sandbox: Sandbox, tmp_path: Path) -> None:
    class Watched(StateStore):
        def set(self, key: str, value: Any) -> None:
            assert "landing" not in value
            super().set(key, value)

    task = Task(tmp_path / "calls.csv", replace=True)
    task.memory = Watched()
    task.run(1)
