"""Processes that die, users who change their minds: on a real Airflow, with jobs and with pages."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.demo import verify
from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.stores import S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.driving import DrivenAirflow
from tests.faults import running
from tests.stores.servers import multipart_uploads
from tests.transfers.conftest import BUCKET

pytestmark = pytest.mark.slow

TWICE = "may have been submitted twice"


class Stage:
    """One run of a Dag with the task ``land``, and what became of it."""

    def __init__(self, airflow: DrivenAirflow, sandbox: Sandbox, store: S3Server, dag_id: str) -> None:
        self.airflow = airflow
        self.sandbox = sandbox
        self.store = store
        self.dag_id = dag_id
        self.run_id = airflow.trigger_dag(dag_id, run_id=f"{dag_id}-{os.urandom(4).hex()}")

    def becomes(self, *states: str, timeout: float = 90) -> None:
        state = self.airflow.wait_for_task(self.dag_id, self.run_id, "land", set(states), timeout=timeout)
        assert state in states

    def succeeds(self) -> None:
        assert self.airflow.wait_for_run(self.dag_id, self.run_id, timeout=120) == "success"

    def kill_worker(self) -> None:
        """End the task's process as the kernel does that is out of memory."""
        [row] = self.airflow.query("select pid from task_instance where run_id = ?", [self.run_id])
        os.kill(row["pid"], signal.SIGKILL)

    def log(self, number: int) -> str:
        """The log of one try; nothing if it hasn't begun."""
        try:
            return self.airflow.rest.task_log(self.dag_id, self.run_id, "land", number)
        except requests.HTTPError:
            return ""

    @property
    def landed(self) -> bytes | None:
        """The object, None if there is none."""
        return self.stored()

    def stored(self, name: str = "") -> bytes | None:
        """What is under the run's key, or below it."""
        key = f"faults/{self.run_id}{name}"
        if not self.store.client().list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents"):
            return None
        return b"".join(self.store.stream(BUCKET, key))

    def is_whole(self, name: str = "") -> bool:
        """Whether the object is what the sandbox served for the job that the delivery names."""
        delivery = self.airflow.rest.xcom(self.dag_id, self.run_id, "land")
        landed = self.stored(name)
        assert landed is not None
        digest, size = verify.digest([landed])
        assert (delivery["sha256"], delivery["bytes"]) == (digest, size)
        served = self.sandbox.served(job=delivery["job"]["job_id"])
        return digest in {file["sha256"] for file in served}


Play = Callable[[str], Stage]


@pytest.fixture
def shared(shared_sandbox: Sandbox) -> Sandbox:
    """The sandbox that the Airflow's connections lead to, as at the start."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def play(local_airflow: DrivenAirflow, shared: Sandbox, s3_server: S3Server) -> Iterator[Play]:
    yield lambda dag_id: Stage(local_airflow, shared, s3_server, dag_id)
    assert multipart_uploads(s3_server, BUCKET) == []


def until_asked(sandbox: Sandbox, operation: str, count: int = 1) -> None:
    wait_for(
        lambda: len(sandbox.journal(operation=operation)) >= count, 60, f"{count} {operation} were not asked"
    )


def stall(sandbox: Sandbox, operation: str, **more: Any) -> None:
    """Hold whoever asks next."""
    sandbox.add_fault(operation=operation, fault="stall", seconds=300, **more)


def test_a_worker_killed_before_the_order_was_sent_orders_in_the_next_try(
    play: Play, shared: Sandbox
) -> None:
    stall(shared, "token", vendor="talkdesk")
    stage = play("break_working")
    until_asked(shared, "token")
    stage.kill_worker()
    stage.succeeds()
    assert stage.is_whole()
    assert len(shared.jobs()) == 1
    assert TWICE in stage.log(2)


def test_a_worker_killed_during_the_order_orders_twice_and_says_so(play: Play, shared: Sandbox) -> None:
    stall(shared, "create")
    stage = play("break_working")
    until_asked(shared, "create")
    stage.kill_worker()
    stage.succeeds()
    assert stage.is_whole()
    assert len(shared.jobs()) == 2
    assert TWICE in stage.log(2)


def test_a_worker_killed_after_the_order_takes_the_job_up(play: Play, shared: Sandbox) -> None:
    shared.set_options("talkdesk", hold="processing")
    stage = play("break_working")
    until_asked(shared, "poll")
    stage.kill_worker()
    # The second try has looked at the job.
    wait_for(lambda: "which an earlier try" in stage.log(2), 60, "the job was not taken up", interval=1)
    shared.set_options("talkdesk", hold=None)
    stage.succeeds()
    assert stage.is_whole()
    assert len(shared.jobs()) == 1


@pytest.mark.parametrize(
    ("dag_id", "operation", "more"),
    [
        ("break_working", "storage", {"when": "body"}),
        ("break_pages", "call_legs", {"skip": 1}),
    ],
)
def test_a_worker_killed_in_mid_download_or_mid_scroll_lands_in_the_next_try(
    play: Play, shared: Sandbox, dag_id: str, operation: str, more: dict[str, Any]
) -> None:
    stall(shared, operation, **more)
    stage = play(dag_id)
    until_asked(shared, operation, 1 + more.get("skip", 0))
    assert stage.landed is None
    stage.kill_worker()
    since = len(shared.served()) if dag_id == "break_pages" else 0
    stage.succeeds()
    if dag_id == "break_pages":
        served = shared._ask(lambda world: [one.content for one in world.served[since:] if one.complete])
        landed = stage.landed
        assert landed is not None
        assert verify.same_rows([landed], [running._Page(content) for content in served])
    else:
        assert stage.is_whole()
        assert len(shared.jobs()) == 1


def test_a_worker_killed_in_mid_upload_lands_in_the_next_try(play: Play, shared: Sandbox) -> None:
    """What the store keeps of the first upload is under no key, and is the bucket's to throw away."""
    shared.set_options("talkdesk", bytes=24 << 20)
    stall(shared, "storage", when="body", after=0.9)
    stage = play("break_working")
    begun: list[dict[str, Any]] = []
    client = stage.store.client()

    def parts_are_up() -> bool:
        begun[:] = client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return any(
            client.list_parts(Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"]).get("Parts")
            for one in begun
        )

    wait_for(parts_are_up, 60, "no part came")
    stage.kill_worker()
    stage.succeeds()
    assert stage.is_whole()
    assert len(shared.jobs()) == 1
    [left] = begun
    client.abort_multipart_upload(Bucket=BUCKET, Key=left["Key"], UploadId=left["UploadId"])


def test_a_worker_killed_between_object_and_manifest_knows_its_object_in_the_next_try(
    play: Play, shared: Sandbox
) -> None:
    """``replace=False``: nothing is submitted, fetched or stored again, and the manifest is written."""
    stage = play("break_committed")
    stage.succeeds()
    assert "is what an earlier try of this task landed before it ended" in stage.log(2)
    manifest = stage.stored("/manifest.json")
    assert manifest is not None
    delivery = stage.airflow.rest.xcom(stage.dag_id, stage.run_id, "land")
    told = json.loads(manifest)
    assert {name: told[name] for name in ("uri", "sha256", "rows")} == {
        name: delivery[name] for name in ("uri", "sha256", "rows")
    }
    assert told["try_number"] == 2
    assert stage.is_whole("/calls.csv")
    assert len(shared.jobs()) == len(shared.served()) == 1


def test_a_clear_while_the_task_runs_submits_again(
    play: Play, shared: Sandbox, local_airflow: DrivenAirflow
) -> None:
    shared.set_options("talkdesk", hold="processing")
    stage = play("break_working")
    until_asked(shared, "poll")
    local_airflow.clear_task(stage.dag_id, stage.run_id, "land")
    wait_for(lambda: len(shared.jobs()) == 2, 60, "the cleared task was not submitted again")
    shared.set_options("talkdesk", hold=None)
    stage.succeeds()
    assert stage.is_whole()
    assert len(shared.jobs()) == 2
    assert "runs on at the vendor" in stage.log(1)
    assert "was cleared" in stage.log(2)


def made_by_triggerer(sandbox: Sandbox) -> int:
    """How many looks a triggerer has taken."""
    return sum(
        any(name.lower() == "user-agent" and "aiohttp" in value for name, value in entry["headers"])
        for entry in sandbox.journal(operation="poll")
    )


def looked_again(sandbox: Sandbox, count: int) -> None:
    before = made_by_triggerer(sandbox)
    wait_for(lambda: made_by_triggerer(sandbox) >= before + count, 90, "no look came from a triggerer")


def test_waiting_survives_every_process_and_obeys_the_user(
    play: Play, shared: Sandbox, local_airflow: DrivenAirflow
) -> None:
    """Three tasks wait at a time: one for all deaths, one that is marked failed, one that is cleared."""
    shared.set_options("talkdesk", hold="processing")
    lasting, ended, cleared = (play("break_waiting") for _ in range(3))
    for stage in (lasting, ended, cleared):
        stage.becomes("deferred")
    looked_again(shared, 1)
    assert len(shared.jobs()) == 3

    # A user marks one failed: nothing lands, its job runs on.
    local_airflow.set_task_state(ended.dag_id, ended.run_id, "land", "failed")
    wait_for(
        lambda: "runs on at the vendor" in ended.log(1),
        30,
        "the log does not say that the job runs on",
        interval=1,
    )

    # A user clears one: it is submitted again.
    local_airflow.clear_task(cleared.dag_id, cleared.run_id, "land")
    wait_for(lambda: len(shared.jobs()) == 4, 60, "the cleared task was not submitted again")
    cleared.becomes("deferred")

    # The triggerer is killed, then ended in order; the scheduler is killed.
    for component, kill in (("triggerer", True), ("triggerer", False), ("scheduler", True)):
        local_airflow.restart_component(component, kill=kill)
        looked_again(shared, 2)
        lasting.becomes("deferred")
    assert len(shared.jobs()) == 4

    shared.set_options("talkdesk", hold=None)
    for stage in (lasting, cleared):
        stage.succeeds()
        assert stage.is_whole()
    assert len(shared.jobs()) == 4
    assert ended.landed is None
    assert lasting.log(1).count("Submitted job") == 1
    for stage in (lasting, cleared):
        kept = (
            "select * from task_state_store join dag_run on dag_run.id = dag_run_id where dag_run.run_id = ?"
        )
        assert local_airflow.query(kept, [stage.run_id]) == []

    # A user clears one that has landed: submitted again, replaced.
    first = local_airflow.rest.xcom(lasting.dag_id, lasting.run_id, "land")
    shared.set_options("talkdesk", rows=7)
    local_airflow.clear_task(lasting.dag_id, lasting.run_id, "land")
    wait_for(lambda: len(shared.jobs()) == 5, 60, "the cleared task wasn't submitted again")
    lasting.succeeds()
    second = local_airflow.rest.xcom(lasting.dag_id, lasting.run_id, "land")
    assert second["job"]["job_id"] != first["job"]["job_id"]
    assert (first["rows"], second["rows"]) == (100, 7)
    assert lasting.is_whole()
