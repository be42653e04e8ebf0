"""Yesterday's Genesys Cloud conversations and users in S3 and GCS; and a slim CSV of the conversations."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.reports import genesys_conversations, genesys_users
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()
#: the vendor's data is complete hours to a day after a day's end
PATIENCE = timedelta(hours=36)

with DAG(
    "example_genesys_cloud",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for name, report in (
        ("conversations", genesys_conversations(**day_window())),
        ("users", genesys_users(**day_window())),
    ):
        ContactCenterToS3Operator(
            task_id=f"{name}_to_s3",
            report=report,
            s3_key=f"s3://{S3_BUCKET}/genesys/{name}/{DAY}.jsonl",
            deferrable=True,
            poll_interval=10,
            report_timeout=PATIENCE,
        )
        ContactCenterToGCSOperator(
            task_id=f"{name}_to_gcs",
            report=report,
            bucket_name=GCS_BUCKET,
            object_name=f"genesys/{name}/{DAY}.jsonl",
            deferrable=True,
            poll_interval=10,
            report_timeout=PATIENCE,
        )

    ContactCenterToGCSOperator(
        task_id="conversations_csv_to_gcs",
        report=genesys_conversations(**day_window()),
        shape=shape(
            file_format="csv",
            select=["conversationId", "conversationStart", "conversationEnd", "originatingDirection"],
            rename="snake",
        ),
        bucket_name=GCS_BUCKET,
        object_name=f"genesys/conversations/{DAY}.csv",
        deferrable=True,
        poll_interval=10,
        report_timeout=PATIENCE,
    )
