"""Days as partitions on a real Airflow: backfill, a failure, a clear, a look back, and what follows them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.stores import S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers import events
from tests.driving import DrivenAirflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not events.HAS_PARTITIONS, reason="Airflow 3.3 brings partitions"),
]

#: Monday to Wednesday of the week after; the clocks go forward on the 31st
DAYS = [(date(2024, 3, 25) + timedelta(days=number)).isoformat() for number in range(10)]
CONSUMERS = ("lake_day", "lake_week", "lake_week_so_far")


def rows_of(store: S3Server, key: str) -> list[dict[str, str]]:
    text = b"".join(store.stream("contactcenter", key)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def used(airflow: DrivenAirflow, dag_id: str) -> list[dict[str, Any]]:
    """What each run of a consumer said that it was for."""
    runs = airflow.rest.dag_runs(dag_id)
    assert {run["state"] for run in runs} <= {"success"}
    return [airflow.rest.xcom(dag_id, run["dag_run_id"], "use") for run in runs]


def partitions(airflow: DrivenAirflow, dag_id: str) -> Counter[str]:
    return Counter(said["partition"][:10] for said in used(airflow, dag_id))


def seen(airflow: DrivenAirflow, dag_id: str) -> Counter[str]:
    """How many events of each day a consumer's runs were made by."""
    return Counter(day for said in used(airflow, dag_id) for day in said["days"])


def settle(airflow: DrivenAirflow, expected: dict[str, Counter[str]]) -> None:
    """Wait until each consumer has seen what it is to see, and all of its runs are over."""

    def done() -> bool:
        over = all(run["state"] == "success" for dag in expected for run in airflow.rest.dag_runs(dag))
        return over and all(seen(airflow, dag).total() >= days.total() for dag, days in expected.items())

    wait_for(done, 120, "the consumers did not follow", interval=1)
    assert {dag: seen(airflow, dag) for dag in expected} == expected


def runs_by_day(airflow: DrivenAirflow) -> dict[str, dict[str, Any]]:
    return {run["partition_key"]: run for run in airflow.rest.dag_runs("lake_land")}


def wait_for_days(airflow: DrivenAirflow, states: set[str]) -> dict[str, dict[str, Any]]:
    wait_for(
        lambda: (
            len(runs := airflow.rest.dag_runs("lake_land")) == len(DAYS)
            and all(run["state"] in states for run in runs)
        ),
        180,
        "the days did not land",
        interval=1,
    )
    return runs_by_day(airflow)


def test_consumers_run_for_the_days_that_changed_and_for_no_others(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server
) -> None:
    airflow = local_airflow
    sandbox.set_options("talkdesk", ladder=[], rows=40)
    airflow.wait_for_dags(["lake_land", *CONSUMERS])
    for dag_id in ("lake_land", *CONSUMERS):
        airflow.rest.unpause(dag_id)

    # Ten days, of which the vendor refuses one of the first six.
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=403, skip=3, count=1)
    airflow.rest.request(
        "POST",
        "backfills",
        json={
            "dag_id": "lake_land",
            "from_date": f"{DAYS[0]}T00:00:00",
            "to_date": f"{DAYS[-1]}T00:00:00",
            "max_active_runs": 3,
            "reprocess_behavior": "none",
            "run_backwards": False,
            "dag_run_conf": {},
        },
    )
    runs = wait_for_days(airflow, {"success", "failed"})
    assert sorted(runs) == DAYS
    [refused] = [day for day, run in runs.items() if run["state"] == "failed"]
    assert refused in DAYS[:7]
    landed = Counter(day for day in DAYS if day != refused)
    settle(airflow, {"lake_day": landed, "lake_week_so_far": landed})
    assert partitions(airflow, "lake_day") == landed
    assert partitions(airflow, "lake_week") == {}

    # The one again: now the week is whole.
    airflow.clear_task("lake_land", runs[refused]["dag_run_id"], "calls")
    wait_for_days(airflow, {"success"})
    landed = Counter(DAYS)
    settle(airflow, {"lake_day": landed, "lake_week_so_far": landed, "lake_week": Counter(DAYS[:7])})
    assert partitions(airflow, "lake_week") == {DAYS[0]: 1}

    # Three days again: the vendor has one more row for each of them.
    again = DAYS[4:7]
    sandbox.set_options("talkdesk", rows=41)
    airflow.rest.request(
        "POST",
        "dags/lake_land/clearDagRuns",
        json={
            "dry_run": False,
            "partition_date_start": f"{again[0]}T00:00:00",
            "partition_date_end": f"{again[-1]}T00:00:00",
        },
    )
    wait_for_days(airflow, {"success"})
    landed = Counter([*DAYS, *again])
    settle(airflow, {"lake_day": landed, "lake_week_so_far": landed})
    assert partitions(airflow, "lake_day") == landed
    assert set(partitions(airflow, "lake_week_so_far")) == {DAYS[0], DAYS[7]}
    assert partitions(airflow, "lake_week") == {DAYS[0]: 1}  # a roll-up never corrects a week

    for day in DAYS:
        rows = rows_of(s3_server, f"lake/calls/{day}.csv")
        assert {row["start_at"][:10] for row in rows} == {day}
        assert len(rows) == (41 if day in again else 40)
    assert len(airflow.rest.dag_runs("lake_land")) == len(DAYS)

    # The asset remembers the columns that landed last.
    [kept] = airflow.query(
        "select value from asset_state_store join asset on id = asset_id where name = 'lake_calls'"
    )
    assert json.loads(kept["value"])["columns"] == list(rows[0])


def test_a_row_that_the_vendor_corrects_is_right_the_night_after(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server
) -> None:
    airflow = local_airflow
    sandbox.set_options("talkdesk", ladder=[], rows=20)
    airflow.wait_for_dags(["lake_look_back", "lake_corrected_day"])
    airflow.rest.unpause("lake_corrected_day")
    airflow.rest.unpause("lake_look_back")

    def nights() -> list[dict[str, Any]]:
        return [
            run for run in airflow.rest.dag_runs("lake_look_back") if run["state"] in {"success", "failed"}
        ]

    wait_for(lambda: bool(nights()), 90, "the first night did not end", interval=0.2)
    sandbox.set_options("talkdesk", rows=21)  # every day has a late row, and times that have changed
    wait_for(lambda: len(nights()) == 3, 120, "the third night did not end", interval=1)

    landed: Counter[str] = Counter()
    deliveries = []
    for run in nights():
        assert run["state"] == "success"
        reports = airflow.rest.xcom("lake_look_back", run["dag_run_id"], "look_back")
        assert len(reports) == 3
        for index in range(3):
            delivery = airflow.rest.xcom("lake_look_back", run["dag_run_id"], "calls", map_index=index)
            day = delivery["uri"][-14:-4]
            landed[day] += 1
            deliveries.append((day, delivery["rows"]))
    assert landed == {
        "2024-05-30": 1,
        "2024-05-31": 2,
        "2024-06-01": 3,
        "2024-06-02": 2,
        "2024-06-03": 1,
    }
    first, *_, last = [rows for day, rows in deliveries if day == "2024-06-01"]
    assert (first, last) == (20, 21)
    rows = rows_of(s3_server, "lake/corrected/2024-06-01.csv")
    assert len({row["call_id"] for row in rows}) == len(rows) == 21
    for day in landed:
        assert {row["start_at"][:10] for row in rows_of(s3_server, f"lake/corrected/{day}.csv")} == {day}
    # One event for each day that landed, with that day's own rows; the newest is right.
    settle(airflow, {"lake_corrected_day": landed})
    newest = [
        said["rows"]["2024-06-01"]
        for said in used(airflow, "lake_corrected_day")
        if "2024-06-01" in said["rows"]
    ]
    assert newest[-1] == 21


def test_windows_are_mapped_within_a_pool_and_a_second_run_skips_what_has_landed(
    local_airflow: DrivenAirflow, sandbox: Sandbox, s3_server: S3Server
) -> None:
    airflow = local_airflow
    sandbox.set_options("talkdesk", rows=20, max_running=2)
    airflow.rest.request("POST", "pools", json={"name": "talkdesk", "slots": 2, "include_deferred": True})
    run = airflow.trigger_dag("lake_history")
    assert airflow.wait_for_run("lake_history", run, timeout=180) == "success"
    weeks = ["2024-03-01", "2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25"]
    for week, after in zip(weeks, [*weeks[1:], "2024-04-01"], strict=True):
        rows = rows_of(s3_server, f"lake/history/{week}.csv")
        assert len(rows) == 20
        assert all(week <= row["start_at"][:10] < after for row in rows)
    submitted = sandbox.journal(operation="create")
    assert [entry["status"] for entry in submitted] == [202] * len(weeks)  # the quota was never met

    s3_server.client().delete_object(Bucket="contactcenter", Key=f"lake/history/{weeks[2]}.csv")
    run = airflow.trigger_dag("lake_history")
    assert airflow.wait_for_run("lake_history", run, timeout=180) == "success"
    states = [airflow.task_states("lake_history", run)[f"calls[{index}]"] for index in range(len(weeks))]
    assert states == ["skipped", "skipped", "success", "skipped", "skipped"]
    assert len(sandbox.journal(operation="create")) == len(weeks) + 1
    assert len(rows_of(s3_server, f"lake/history/{weeks[2]}.csv")) == 20
