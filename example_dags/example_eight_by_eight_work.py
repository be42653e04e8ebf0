"""Yesterday's 8x8 Work calls: legs, records and summaries as JSON lines, in S3 and in GCS."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_call_records,
    eight_by_eight_work_summary,
)
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
GCS_BUCKET = os.environ.get("CONTACTCENTER_GCS_BUCKET", "lake")
#: the day of the rows; the name of an object is made of it, and not of the date that a run was given
DAY = day_key()

ASKED = {
    "pbx_id": "allpbxes",
    **day_window(),
}
REPORTS = {
    "call_legs": eight_by_eight_call_legs(**ASKED),
    "call_records": eight_by_eight_call_records(**ASKED),
    "company": eight_by_eight_work_summary("company", **ASKED),
    "extensions": eight_by_eight_work_summary("extension", **ASKED),
    "ring_groups": eight_by_eight_work_summary("ring-group", **ASKED),
    "ring_group_members": eight_by_eight_work_summary("ring-group-member", extension="5001", **ASKED),
}

# On Airflow 3 a plain "@daily" has an empty data interval, so the timetable is named.
with DAG(
    "example_eight_by_eight_work",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):
    for name, report in REPORTS.items():
        ContactCenterToS3Operator(
            task_id=f"{name}_to_s3",
            report=report,
            s3_key=f"s3://{S3_BUCKET}/eight_by_eight_work/{name}/{DAY}.jsonl",
            deferrable=True,
        )
        ContactCenterToGCSOperator(
            task_id=f"{name}_to_gcs",
            report=report,
            bucket_name=GCS_BUCKET,
            object_name=f"eight_by_eight_work/{name}/{DAY}.jsonl",
            deferrable=True,
        )
