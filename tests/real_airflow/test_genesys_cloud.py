"""Genesys Cloud on a real Airflow: reports of several windows in two stores; jobs whose tasks a user ends."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.dags.genesys import WINDOWS
from tests.driving import DrivenAirflow
from tests.sandbox.genesys_cloud import VENDOR, Genesys

pytestmark = pytest.mark.slow

BUCKET = "contactcenter"
SUBJECTS = ("conversations", "users")


# -- what lands --------------------------------------------------------------------------------------------


def interval(start: datetime, end: datetime) -> str:
    return "/".join(f"{bound:%Y-%m-%dT%H:%M:%S}.000Z" for bound in (start, end))


def test_both_reports_land_in_both_stores_in_each_window_that_the_vendor_counts_them_to(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server, gcs_server: GCSServer
) -> None:
    sandbox.set_options(VENDOR, rows=25, requests_per_minute=100_000)
    run = local_airflow.trigger_dag("genesys_windows")
    state = local_airflow.wait_for_run("genesys_windows", run, timeout=400)
    assert state == "success"
    sandbox.set_options(VENDOR, ladder=[])
    own: dict[tuple[str, int], list[Any]] = {}
    for subject in SUBJECTS:
        client = Genesys(sandbox, subject)
        for index, window in enumerate(WINDOWS):
            own[subject, index] = client.rows(interval(*window))
            for scheme, store in (("s3", s3_server), ("gcs", gcs_server)):
                landed = b"".join(store.stream(BUCKET, f"real/genesys_{subject}/{index}.jsonl"))
                rows = [json.loads(line) for line in landed.splitlines()]
                assert rows == own[subject, index]
                task = f"genesys_{subject}_to_{scheme}"
                delivery = local_airflow.rest.xcom("genesys_windows", run, task, map_index=index)
                told = (delivery["rows"], delivery["complete"], delivery["provisional"])
                assert told == (len(rows), True, False)
    assert min(len(rows) for rows in own.values()) > 20
    conversations = [{row["conversationId"] for row in own["conversations", index]} for index in range(4)]
    first, second, new_york, third = conversations
    ends = {row["conversationId"]: row["conversationEnd"] for row in own["conversations", 1]}
    [over_midnight] = [ident for ident in first & second if ends[ident] < "2024-04-19"]
    assert over_midnight in new_york
    # The thread of thirty days has messages on the first two, and none on the third.
    [thread] = [ident for ident in first & second if ends[ident] > "2024-05"]
    assert thread in new_york - third


# -- what a user ends --------------------------------------------------------------------------------------


class Stage:
    """One run of ``genesys_end_deferred`` or ``genesys_end_sync``, whose job stays on its way."""

    def __init__(self, airflow: DrivenAirflow, sandbox: Sandbox, store: S3Server, mode: str) -> None:
        self.airflow = airflow
        self.sandbox = sandbox
        self.store = store
        self.dag_id = f"genesys_end_{mode}"
        sandbox.set_options(VENDOR, hold="PENDING")
        self.run_id = airflow.trigger_dag(self.dag_id, run_id=f"{mode}-{os.urandom(4).hex()}")
        self.becomes("deferred" if mode == "deferred" else "running")
        # A worker looks once before it defers; a trigger that never ran is told nothing.
        wait_for(lambda: len(self.asked("poll")) > 1, 60, "no poll came")

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return self.sandbox.journal(vendor=VENDOR, operation=operation)

    def becomes(self, *states: str) -> None:
        state = self.airflow.wait_for_task(self.dag_id, self.run_id, "land", set(states), timeout=90)
        assert state in states

    def clear(self) -> None:
        self.airflow.clear_task(self.dag_id, self.run_id, "land")

    def goes_on(self) -> None:
        self.sandbox.set_options(VENDOR, hold=None)

    def is_cancelled(self) -> None:
        wait_for(lambda: bool(self.asked("cancel")), 40, "nothing was cancelled")

    @property
    def jobs(self) -> list[str]:
        return [str(job["id"]) for job in self.sandbox.jobs(VENDOR)]

    @property
    def cancelled(self) -> list[str]:
        return [str(entry["job"]) for entry in self.asked("cancel")]

    def lands(self) -> str:
        """The job that landed."""
        assert self.airflow.wait_for_run(self.dag_id, self.run_id, timeout=120) == "success"
        delivery = self.airflow.rest.xcom(self.dag_id, self.run_id, "land")
        stored = b"".join(self.store.stream(BUCKET, f"real/genesys_end/{self.run_id}.jsonl"))
        assert stored.count(b"\n") == delivery["rows"] > 0
        return str(delivery["job"]["job_id"])


@pytest.fixture
def stage(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    stage = Stage(local_airflow, sandbox, s3_server, request.param)
    yield stage
    stage.goes_on()
    with contextlib.suppress(requests.HTTPError):  # it has ended
        local_airflow.set_task_state(stage.dag_id, stage.run_id, "land", "failed")


BOTH = pytest.mark.parametrize("stage", ["deferred", "sync"], indirect=True)
DEFERRED = pytest.mark.parametrize("stage", ["deferred"], indirect=True)


@BOTH
def test_a_task_that_a_user_marks_as_failed_cancels_its_job(stage: Stage) -> None:
    stage.airflow.set_task_state(stage.dag_id, stage.run_id, "land", "failed")
    stage.is_cancelled()
    assert stage.cancelled == stage.jobs
    assert len(stage.jobs) == 1


@BOTH
def test_a_clear_cancels_the_old_job_and_never_the_new_one(stage: Stage) -> None:
    """The new try begins a second before the old trigger is told: what it submits must be another job."""
    stage.clear()
    stage.is_cancelled()
    wait_for(lambda: len(stage.jobs) == 2, 90, "the cleared task submitted nothing")
    old, new = stage.jobs
    stage.goes_on()
    assert stage.lands() == new
    assert stage.cancelled == [old]


@DEFERRED
@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_job_that_goes_from_triggerer_to_triggerer_is_not_cancelled(stage: Stage, kill: bool) -> None:
    stage.airflow.restart_component("triggerer", kill=kill)
    polls = len(stage.asked("poll"))
    wait_for(lambda: len(stage.asked("poll")) > polls, 60, "the next triggerer doesn't poll")
    stage.goes_on()
    [job] = stage.jobs
    assert stage.lands() == job
    assert stage.cancelled == []


@DEFERRED
def test_a_cleared_task_does_not_mind_that_its_old_job_cannot_be_cancelled(stage: Stage) -> None:
    stage.sandbox.add_fault(vendor=VENDOR, operation="cancel", fault="status", status=500, count=None)
    stage.clear()
    stage.is_cancelled()
    wait_for(lambda: len(stage.jobs) == 2, 90, "the cleared task submitted nothing")
    stage.goes_on()
    assert stage.lands() == stage.jobs[1]
