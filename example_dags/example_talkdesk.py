"""Yesterday's Talkdesk calls in S3 and GCS: in three file formats, as an asset in Parquet, in three tasks."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Asset, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()
#: gets an event when the calls have landed as Parquet
CALLS = Asset(f"s3://{S3_BUCKET}/talkdesk/calls")


def calls(file_format: str) -> dict:
    return talkdesk_report(
        "calls",
        **day_window(),
        file_format=file_format,
    )


# On Airflow 3 a plain "@daily" has an empty data interval, so the timetable is named.
with DAG(
    "example_talkdesk",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for file_format in ("csv", "json", "jsonl"):
        ContactCenterToS3Operator(
            task_id=f"calls_{file_format}_to_s3",
            report=calls(file_format),
            s3_key=f"s3://{S3_BUCKET}/talkdesk/calls/{DAY}.{file_format}",
            deferrable=True,
            poll_interval=10,
        )
        ContactCenterToGCSOperator(
            task_id=f"calls_{file_format}_to_gcs",
            report=calls(file_format),
            bucket_name=GCS_BUCKET,
            object_name=f"talkdesk/calls/{DAY}.{file_format}",
            deferrable=True,
            poll_interval=10,
        )

    # The calls without the callers' numbers, typed, and a small file that says what landed.
    ContactCenterToS3Operator(
        task_id="calls_parquet_to_s3",
        report=calls("csv"),
        shape=shape(
            file_format="parquet",
            select=["call_id", "type", "start_at", "total_time", "user_name", "team_name"],
            types={"total_time": "int64"},
        ),
        s3_key=f"s3://{S3_BUCKET}/talkdesk/calls/{DAY}.parquet",
        manifest=f"s3://{S3_BUCKET}/talkdesk/manifests/calls/{DAY}.json",
        outlets=[CALLS],
        deferrable=True,
        poll_interval=10,
    )

# What loads the calls runs when they have landed, and is told of them by the event.
with DAG(
    "example_talkdesk_asset",
    schedule=[CALLS],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):

    @task
    def load(triggering_asset_events=None, triggering_dataset_events=None):
        # On Airflow 2.11 it is the second of the two that has them.
        for events in (triggering_asset_events or triggering_dataset_events or {}).values():
            for event in events:
                print(event.extra["uri"], event.extra["rows"], event.extra["window"])

    load()

# Three tasks where the waiting should be seen on its own.
with DAG(
    "example_talkdesk_three_tasks",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    submit = ContactCenterReportOperator(
        task_id="submit_user_status",
        report=talkdesk_report("user_status", **day_window()),
    )
    wait = ContactCenterReportSensor(
        task_id="wait_for_user_status", job=submit.output, deferrable=True, poke_interval=10
    )
    land = ContactCenterToS3Operator(
        task_id="user_status_to_s3",
        job=wait.output,
        s3_key=f"s3://{S3_BUCKET}/talkdesk/user_status/{DAY}.csv",
    )
