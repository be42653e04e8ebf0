"""Yesterday's 8x8 Contact Center queues (a summary) and interactions (detailed), in S3 and in GCS."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.reports import (
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
)
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()


def queues(file_format: str) -> dict:
    return eight_by_eight_summary_report(
        "queue-interactions-summary",
        **day_window(),
        granularity="hour",
        group_by="media-and-channel-and-queue",
        filters={"media": ["Phone", "Chat"]},
        include_grand_total=True,
        file_format=file_format,
    )


def interactions(file_format: str) -> dict:
    return eight_by_eight_detailed_report(
        "detailed-reports-interaction-details",
        **day_window(),
        file_format=file_format,
    )


# On Airflow 3 a plain "@daily" has an empty data interval, so the timetable is named.
with DAG(
    "example_eight_by_eight_cc",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for name, report in (("queues", queues), ("interactions", interactions)):
        for file_format in ("csv", "xlsx", "jsonl"):
            ContactCenterToS3Operator(
                task_id=f"{name}_{file_format}_to_s3",
                report=report(file_format),
                s3_key=f"s3://{S3_BUCKET}/eight_by_eight_cc/{name}/{DAY}.{file_format}",
                deferrable=True,
                poll_interval=10,
            )
            ContactCenterToGCSOperator(
                task_id=f"{name}_{file_format}_to_gcs",
                report=report(file_format),
                bucket_name=GCS_BUCKET,
                object_name=f"eight_by_eight_cc/{name}/{DAY}.{file_format}",
                deferrable=True,
                poll_interval=10,
            )
