"""Yesterday's Khoros Care conversations in S3 and in GCS, in three file formats; one with chosen columns."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.reports import khoros_care_report
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()


# On Airflow 3 a plain "@daily" has an empty data interval, so the timetable is named.
with DAG(
    "example_khoros_care",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for file_format in ("csv", "json", "jsonl"):
        conversations = khoros_care_report(
            "conversation",
            **day_window(),
            file_format=file_format,
        )
        ContactCenterToS3Operator(
            task_id=f"conversations_{file_format}_to_s3",
            report=conversations,
            s3_key=f"s3://{S3_BUCKET}/khoros_care/conversations/{DAY}.{file_format}",
            deferrable=True,
        )
        ContactCenterToGCSOperator(
            task_id=f"conversations_{file_format}_to_gcs",
            report=conversations,
            bucket_name=GCS_BUCKET,
            object_name=f"khoros_care/conversations/{DAY}.{file_format}",
            deferrable=True,
        )

    ContactCenterToS3Operator(
        task_id="open_conversations_to_s3",
        report=khoros_care_report(
            "conversation",
            **day_window(),
            metrics=["CONVERSATION_ID", "STATUS", "ASSIGNED_AGENT_DISPLAY_ID"],
            filters={"conversationReportType": "OPEN_AT_END"},
        ),
        s3_key=f"s3://{S3_BUCKET}/khoros_care/open/{DAY}.csv.gz",
        compression="gzip",
        deferrable=True,
    )
