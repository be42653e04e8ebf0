"""Talkdesk on a real Airflow: scheduler, LocalExecutor, triggerer, S3, and the sandbox as the vendor."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.stores import S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.driving import DrivenAirflow

pytestmark = pytest.mark.slow

BUCKET = "contactcenter"


def landed(store: S3Server, key: str) -> bytes:
    return b"".join(store.stream(BUCKET, key))


def keys(store: S3Server, prefix: str) -> list[str]:
    listed = store.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", ())]


def made_by(journal: list[dict[str, Any]], client: str) -> list[dict[str, Any]]:
    """Requests whose User-Agent names a client library: aiohttp is the triggerer's."""
    return [
        entry
        for entry in journal
        if any(name.lower() == "user-agent" and client in value for name, value in entry["headers"])
    ]


def test_a_deferred_report_holds_no_slot_and_lands_when_the_vendor_is_done(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server
) -> None:
    sandbox.set_options("talkdesk", hold="processing")
    run = local_airflow.trigger_dag("land_deferred")
    assert local_airflow.wait_for_task("land_deferred", run, "land", {"deferred"}) == "deferred"
    pool = local_airflow.pool()
    assert pool["occupied_slots"] == 0
    [trigger] = local_airflow.query("select classpath from trigger")
    assert trigger["classpath"].endswith("ContactCenterReportTrigger")
    wait_for(lambda: bool(made_by(sandbox.journal(operation="poll"), "aiohttp")), 30, "no poll came")
    assert keys(s3_server, "real/land_deferred/") == []

    sandbox.set_options("talkdesk", hold=None)
    assert local_airflow.wait_for_run("land_deferred", run) == "success"
    [served] = sandbox.served()
    content = landed(s3_server, "real/land_deferred/calls.csv")
    assert hashlib.sha256(content).hexdigest() == served["sha256"]
    delivery = local_airflow.rest.xcom("land_deferred", run, "land")
    assert (delivery["rows"], delivery["sha256"]) == (served["rows"], served["sha256"])

    assert len(sandbox.journal(operation="create")) == 1
    asked = sandbox.journal(operation="token")
    # The worker that submits, the triggerer, the worker that streams.
    assert (len(made_by(asked, "python-requests")), len(made_by(asked, "aiohttp"))) == (2, 1)
    assert local_airflow.query("select * from task_state_store") == []


def test_a_report_in_three_tasks_maps_over_five_windows(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server
) -> None:
    run = local_airflow.trigger_dag("three_tasks_mapped")
    assert local_airflow.wait_for_run("three_tasks_mapped", run, timeout=180) == "success"
    states = local_airflow.task_states("three_tasks_mapped", run)
    assert len(states) == 15
    assert set(states.values()) == {"success"}
    assert len(sandbox.journal(operation="create")) == 5
    served = {entry["job"]: entry["sha256"] for entry in sandbox.served()}
    for index in range(5):
        delivery = local_airflow.rest.xcom("three_tasks_mapped", run, "land", map_index=index)
        content = landed(s3_server, f"real/mapped/{index}.csv")
        assert delivery["window"]["start"] == f"2024-05-{index + 1:02}T00:00:00+00:00"
        assert hashlib.sha256(content).hexdigest() == served[delivery["job"]["job_id"]]


def test_a_plain_cron_schedule_has_an_empty_window_and_the_task_says_why(
    local_airflow: DrivenAirflow, sandbox: Sandbox
) -> None:
    local_airflow.wait_for_dags(["plain_cron"])
    local_airflow.rest.unpause("plain_cron")
    wait_for(lambda: bool(local_airflow.rest.dag_runs("plain_cron")), 30, "no run appeared")
    run = local_airflow.rest.dag_runs("plain_cron")[0]["dag_run_id"]
    assert local_airflow.wait_for_run("plain_cron", run) == "failed"
    log = local_airflow.rest.task_log("plain_cron", run, "land")
    assert "equals end=" in log
    assert "CronDataIntervalTimetable" in log
    assert "create_cron_data_intervals" in log
    assert sandbox.journal(operation="create") == []


@pytest.fixture
def without_scope(sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", granted_scopes=["data-reports:read"])


@pytest.fixture
def only_contacts(sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", report_types=["contacts"])


@pytest.fixture
def gone(sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor="talkdesk", operation="poll", fault="status", status=404, count=None)


FAILURES = {
    "wrong secret": (None, {"conn_id": "talkdesk_wrong_secret"}, "ContactCenterAuthenticationError"),
    "missing scope": ("without_scope", {}, "ContactCenterPermissionError"),
    "unknown report type": ("only_contacts", {}, "ContactCenterInvalidReportError"),
    "job gone": ("gone", {}, "ContactCenterNotFoundError"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_final_refusal_is_not_retried_and_passes_on_the_vendors_words(
    local_airflow: DrivenAirflow,
    sandbox: Sandbox,
    s3_server: S3Server,
    request: pytest.FixtureRequest,
    failure: str,
) -> None:
    fixture, conf, error = FAILURES[failure]
    if fixture:
        request.getfixturevalue(fixture)
    before = keys(s3_server, "real/")
    runs = {mode: local_airflow.trigger_dag(f"land_{mode}", conf=conf) for mode in ("deferred", "sync")}
    for mode, run in runs.items():
        assert local_airflow.wait_for_run(f"land_{mode}", run) == "failed"
        [task] = local_airflow.rest.task_instances(f"land_{mode}", run)
        assert task["try_number"] == 1
        log = local_airflow.rest.task_log(f"land_{mode}", run, "land")
        assert error in log
        assert "Talkdesk Explore (connection talkdesk_" in log
    assert keys(s3_server, "real/") == before
    assert shown(local_airflow, sandbox) == []


def secrets(sandbox: Sandbox) -> Iterator[str]:
    """Everything that no one may see: client secrets, tokens, Basic headers, signed queries."""
    yield "sandbox-client-secret"
    yield "sentinel-wrong-secret"
    for entry in sandbox.journal():
        if entry["origin"] == "storage" and "?" in entry["target"]:
            yield entry["target"].split("?", 1)[1]
        for name, value in entry["headers"]:
            if name.lower() == "authorization":
                yield value.split(" ", 1)[1]


def test_no_secret_is_stored_or_logged_whether_a_report_lands_or_fails(
    local_airflow: DrivenAirflow, sandbox: Sandbox
) -> None:
    sandbox.set_options("talkdesk", hold="processing")
    good = {mode: local_airflow.trigger_dag(f"land_{mode}") for mode in ("deferred", "sync")}
    bad = {
        mode: local_airflow.trigger_dag(f"land_{mode}", conf={"conn_id": "talkdesk_wrong_secret"})
        for mode in ("deferred", "sync")
    }
    assert local_airflow.wait_for_task("land_deferred", good["deferred"], "land", {"deferred"}) == "deferred"
    wait_for(lambda: bool(made_by(sandbox.journal(operation="poll"), "aiohttp")), 30, "no poll came")
    while_deferred = dump(local_airflow)
    sandbox.set_options("talkdesk", hold=None)
    for mode, run in good.items():
        assert local_airflow.wait_for_run(f"land_{mode}", run) == "success"
    for mode, run in bad.items():
        assert local_airflow.wait_for_run(f"land_{mode}", run) == "failed"
    # Two links that die before their file is fetched: the log tells of each.
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="expired_link", count=2)
    expired = local_airflow.trigger_dag("land_sync")
    assert local_airflow.wait_for_run("land_sync", expired) == "success"

    # The search would find something: the logs are there, at DEBUG, and tell of the requests.
    assert re.search(r"debug", logs(local_airflow), re.IGNORECASE)
    assert "/data/reports/calls/jobs" in logs(local_airflow)
    assert shown(local_airflow, sandbox, while_deferred) == []
    assert "ContactCenterReportTrigger" in while_deferred


def dump(airflow: DrivenAirflow) -> str:
    """The whole database as text: trigger rows, XCom, task state, rendered fields."""
    with sqlite3.connect(f"file:{airflow.database}?mode=ro", uri=True, timeout=30) as connection:
        return "\n".join(connection.iterdump())


def logs(airflow: DrivenAirflow) -> str:
    """All that the tasks and the components wrote."""
    return "\n".join(path.read_text(errors="replace") for path in airflow.folder.rglob("*.log"))


def shown(airflow: DrivenAirflow, sandbox: Sandbox, *dumps: str) -> list[str]:
    """The secrets that are found in logs, in the database, or in earlier dumps of it."""
    places = [logs(airflow), dump(airflow), *dumps]
    return [secret for secret in set(secrets(sandbox)) if any(secret in place for place in places)]
