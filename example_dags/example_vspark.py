"""Yesterday's V-Spark statistics in S3 and in GCS: one organization whole, and each of its folders."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.reports import vspark_stats
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()
COMPANY, ORGANIZATION = "DocTestCo", "DocTestCo-DocTesting"

# V-Spark counts whole days on the organization's clocks: where they aren't UTC, give their zone to the
# timetable, to day_window(), to day_key() and to vspark_stats(timezone=...).
with DAG(
    "example_vspark",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for file_format in ("json", "jsonl"):
        stats = vspark_stats(
            company=COMPANY,
            organization=ORGANIZATION,
            **day_window(),
            file_format=file_format,
        )
        ContactCenterToS3Operator(
            task_id=f"stats_{file_format}_to_s3",
            report=stats,
            s3_key=f"s3://{S3_BUCKET}/vspark/stats/{DAY}.{file_format}",
            deferrable=True,
        )
        ContactCenterToGCSOperator(
            task_id=f"stats_{file_format}_to_gcs",
            report=stats,
            bucket_name=GCS_BUCKET,
            object_name=f"vspark/stats/{DAY}.{file_format}",
            deferrable=True,
        )

    @task
    def folder_reports(start: str, end: str) -> list[dict]:
        """One report for each folder there is today."""
        from airflow_provider_contactcenter.hooks.vspark import VSparkHook

        return [
            vspark_stats(
                company=COMPANY,
                organization=ORGANIZATION,
                folder=folder,
                start=start,
                end=end,
                file_format="jsonl",
            )
            for folder in VSparkHook().list_folders(COMPANY, ORGANIZATION)
        ]

    ContactCenterToS3Operator.partial(
        task_id="folder_to_s3",
        s3_key=(f"s3://{S3_BUCKET}/vspark/folders/{DAY}/{{{{ task.report['params']['folder'] }}}}.jsonl"),
        deferrable=True,
    ).expand(report=folder_reports(**day_window()))
