"""Dags of tests/real_airflow/test_partitions.py: days as partitions, and what follows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    CronPartitionTimetable,
    PartitionedAssetTimetable,
    RollupMapper,
    StartOfDayMapper,
    StartOfWeekMapper,
    WeekWindow,
    task,
)

from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window, look_back, plan_windows

ZONE = "Europe/Berlin"
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
COMMON: dict[str, Any] = {"deferrable": False, "poll_interval": 0.5, "settle_delay": timedelta(0)}


def calls_of_a_day() -> Any:
    """The run's day, with its times on the clocks of the zone."""
    return talkdesk_report("calls", timezone=ZONE, **day_window(ZONE))


def consumer(dag_id: str, asset: Asset, mapper: Any) -> None:
    """A Dag that tells which partition it ran for, and which days' events made it."""
    with DAG(
        dag_id,
        schedule=PartitionedAssetTimetable(assets=asset, default_partition_mapper=mapper),
        start_date=BEGIN,
        catchup=False,
    ):

        @task
        def use(partition_key: Any = None, triggering_asset_events: Any = None) -> dict[str, Any]:
            events = sorted(triggering_asset_events[asset], key=lambda event: event.timestamp)
            return {
                "partition": partition_key,
                "days": [event.partition_key for event in events],
                "rows": {event.partition_key: event.extra["rows"] for event in events},
            }

        use()


day = StartOfDayMapper(input_format="%Y-%m-%d", timezone=ZONE)
week = StartOfWeekMapper(input_format="%Y-%m-%d", output_format="%Y-%m-%d", timezone=ZONE)

calls = Asset(name="lake_calls", uri="s3://contactcenter/lake/calls")
with DAG(
    "lake_land",
    schedule=CronPartitionTimetable("0 0 * * *", timezone=ZONE, run_offset=-1, key_format="%Y-%m-%d"),
    start_date=BEGIN,
    end_date=datetime(2024, 4, 30, tzinfo=UTC),
    catchup=False,
):
    ContactCenterToS3Operator(
        task_id="calls",
        report=calls_of_a_day(),
        s3_key=f"s3://contactcenter/lake/calls/{day_key(ZONE)}.csv",
        outlets=[calls],
        **COMMON,
    )
consumer("lake_day", calls, day)
consumer("lake_week", calls, RollupMapper(upstream_mapper=week, window=WeekWindow()))
consumer("lake_week_so_far", calls, week)

# Three nights, each of which lands the two days before again.
corrected = Asset(name="lake_corrected", uri="s3://contactcenter/lake/corrected")
with DAG(
    "lake_look_back",
    schedule=CronDataIntervalTimetable("@daily", timezone=ZONE),
    start_date=datetime(2024, 6, 1, tzinfo=UTC) - timedelta(hours=2),
    end_date=datetime(2024, 6, 3, 12, tzinfo=UTC),
    catchup=True,
    max_active_runs=1,
):
    ContactCenterToS3Operator.partial(
        task_id="calls",
        s3_key=f"s3://contactcenter/lake/corrected/{day_key(ZONE, of='report')}.csv",
        partition_key=day_key(ZONE, of="report"),
        outlets=[corrected],
        **COMMON,
    ).expand(report=look_back(calls_of_a_day(), days=2, timezone=ZONE))
consumer("lake_corrected_day", corrected, day)

# A range in windows, as many at a time as the pool has slots; what has landed is skipped.
with DAG("lake_history", schedule=None, start_date=BEGIN):
    ContactCenterToS3Operator.partial(
        task_id="calls",
        s3_key=f"s3://contactcenter/lake/history/{day_key(ZONE, of='report')}.csv",
        pool="talkdesk",
        replace=False,
        on_exists="skip",
        deferrable=True,
        poll_interval=0.5,
    ).expand(
        report=plan_windows(
            calls_of_a_day(),
            start="2024-02-29T23:00:00Z",
            end="2024-03-31T22:00:00Z",
            every="week",
            timezone=ZONE,
        )
    )
