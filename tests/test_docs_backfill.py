"""What ``docs/windows.md`` says of Airflow's own backfill: of a Dag with intervals, of one with partitions.

Airflow makes the runs, in a database and a process of their own; no scheduler runs them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from airflow_provider_contactcenter.transfers import events
from airflow_provider_contactcenter.windows import day_key
from tests.test_docs import DOCS, ROOT, blocks
from tests.test_windows import render, window

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not events.HAS_PARTITIONS, reason="the page has a partitioned Dag: Airflow 3.3"),
]

INTERVALS, PARTITIONS, BY_HAND = DAGS = "talkdesk_calls_of_a_day", "land_calls", "never_by_hand"
#: as the page has it
LIMIT = 'allowed_run_types=["scheduled", "backfill"]'
ZONE = "Europe/Berlin"
#: the clocks go forward on the 31st
DAYS = ["2024-03-30", "2024-03-31", "2024-04-01"]
#: the dates as the page gives them, by the Dag that they are for
DATES = {
    INTERVALS: rf"--dag-id {INTERVALS} --from-date (\S+) --to-date (\S+)",
    PARTITIONS: r"on its own clocks: `--from-date (\S+) --to-date ([\d-]+)`",
}

SCRIPT = """
import json
import sys
from datetime import UTC, datetime

from airflow.api.common.trigger_dag import trigger_dag
from airflow.cli.cli_config import parsedate
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.backfill import Backfill, ReprocessBehavior, _create_backfill
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType, DagRunType

initdb()
folder, dates = sys.argv[1], json.loads(sys.argv[2])
intervals, partitions, by_hand = dates
with create_session() as session:
    session.add(DagBundleModel(name="docs"))
bag = DagBag(dag_folder=folder, bundle_name="docs")
assert not bag.import_errors, bag.import_errors
sync_bag_to_db(bag, "docs", None)


def backfill(dag_id, behavior):
    first, last = dates[dag_id]
    _create_backfill(
        dag_id=dag_id,
        from_date=parsedate(first),
        to_date=parsedate(last),
        max_active_runs=2,
        reverse=False,
        dag_run_conf={},
        triggering_user_name=None,
        reprocess_behavior=behavior,
    )
    with create_session() as session:
        runs = [
            {
                "type": run.run_type,
                "state": run.state,
                "cleared": run.clear_number,
                **{
                    name: getattr(run, name) and getattr(run, name).isoformat()
                    for name in ("data_interval_start", "data_interval_end", "partition_date")
                },
            }
            for run in session.query(DagRun).filter_by(dag_id=dag_id).order_by(DagRun.id)
        ]
        session.query(DagRun).update({"state": "success"})
        session.query(Backfill).update({"completed_at": datetime.now(UTC)})
    return runs


told = {
    dag_id: [backfill(dag_id, behavior) for behavior in (ReprocessBehavior.NONE, ReprocessBehavior.COMPLETED)]
    for dag_id in (intervals, partitions)
}
try:
    trigger_dag(
        by_hand, triggered_by=DagRunTriggeredByType.CLI, triggering_user_name=None, run_type=DagRunType.MANUAL
    )
    told["refused"] = None
except ValueError as error:
    told["refused"] = str(error)
told["bare"] = backfill(by_hand, ReprocessBehavior.NONE)
print("told", json.dumps(told, default=str))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The runs that Airflow made of each Dag, first, and when they were to be done again."""
    home = tmp_path_factory.mktemp("home")
    (home / "dags").mkdir()
    for dag_id in (INTERVALS, PARTITIONS):
        [printed] = [b.code for b in blocks(DOCS / "windows.md") if f'    "{dag_id}",\n' in b.code]
        (home / "dags" / f"{dag_id}.py").write_text(printed)
        if dag_id == INTERVALS:
            limited = printed.replace(INTERVALS, BY_HAND).replace("catchup=False", f"catchup=False, {LIMIT}")
            (home / "dags" / f"{BY_HAND}.py").write_text(limited)
    page = (DOCS / "windows.md").read_text()
    dates = {dag_id: re.search(pattern, page).groups() for dag_id, pattern in DATES.items()}  # type: ignore[union-attr]
    dates[BY_HAND] = (DAYS[0], DAYS[-1])  # without offsets: what the page warns of
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, home / "dags", json.dumps(dates)],
        env={
            **environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("told ")]
    return dict(json.loads(line.removeprefix("told ")))


def moment(value: str) -> Any:
    """As Airflow gives it to templates."""
    return pendulum.instance(datetime.fromisoformat(value)).in_timezone("UTC")


def landed(run: dict[str, Any]) -> str:
    """The day of a run's window, which is the whole day, by the name of the key."""
    names = ("data_interval_start", "data_interval_end", "partition_date")
    context = {name: moment(run[name]) for name in names if run[name]}
    day = render(day_key(ZONE), **context)
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(ZONE))
    assert window(ZONE, **context) == (start, start + timedelta(days=1))  # on the clocks of the zone
    return day


@pytest.mark.parametrize("dag_id", [INTERVALS, PARTITIONS])
def test_a_backfill_has_a_run_for_each_day_with_its_own_window_and_key(told: Any, dag_id: str) -> None:
    first, _ = told[dag_id]
    assert [landed(run) for run in first] == DAYS
    assert {(run["type"], run["state"]) for run in first} == {("backfill", "queued")}
    assert [bool(run["data_interval_start"]) for run in first] == [dag_id == INTERVALS] * 3


def test_a_dag_with_intervals_does_its_runs_again(told: Any) -> None:
    _, again = told[INTERVALS]
    assert [landed(run) for run in again] == DAYS
    assert {(run["state"], run["cleared"]) for run in again} == {("queued", 1)}


def test_a_dag_with_partitions_gets_a_second_run_beside_the_first(told: Any) -> None:
    _, again = told[PARTITIONS]
    assert [landed(run) for run in again] == [*DAYS, *DAYS]
    assert [run["state"] for run in again] == ["success"] * 3 + ["queued"] * 3


def test_a_dag_may_refuse_runs_by_hand(told: Any) -> None:
    assert LIMIT in (DOCS / "windows.md").read_text()
    assert "manual" in told["refused"]
    assert {run["type"] for run in told["bare"]} == {"backfill"}


def test_dates_without_an_offset_leave_out_a_day_of_a_zone_east_of_greenwich(told: Any) -> None:
    assert [landed(run) for run in told["bare"]] == DAYS[1:]
