"""What the harness's own tests run: plain tasks, a deferred one, mapped ones, and one that fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable


@task
def window(data_interval_start: Any = None, data_interval_end: Any = None, params: Any = None) -> Any:
    return {"start": data_interval_start.isoformat(), "end": data_interval_end.isoformat(), **params}


@task
def double(number: int) -> int:
    return 2 * number


@task
def fail() -> None:
    raise ValueError("this one fails")


with DAG(
    "daily",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
):
    window() >> double.expand(number=[1, 2])

with DAG("by_hand", schedule=None, params={"word": "none"}):
    window() >> fail()

with DAG("deferred", schedule=None):
    # Counted from the end of the data interval, which for a run by hand is the moment it was started.
    TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=12), deferrable=True)
