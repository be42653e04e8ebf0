"""Yesterday's reports of a YAML file in S3: a mapped task group that submits, waits for and lands each."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG, task, task_group
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import load_reports
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window

S3_BUCKET = os.environ.get("CONTACTCENTER_S3_BUCKET", "lake")
REPORTS = load_reports(Path(__file__).with_name("reports.yaml"), **day_window())
PARAMS = "task.job['report']['params']"

# On Airflow 3 a plain "@daily" has an empty data interval, so the timetable is named.
with DAG(
    "example_yaml",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["contactcenter"],
):

    @task
    def reports_of_this_run(reports):
        """Airflow renders templates in a task's arguments, but not in what a group is mapped over."""
        return reports

    @task_group
    def report_of_the_file(report):
        submit = ContactCenterReportOperator(task_id="submit", report=report)
        wait = ContactCenterReportSensor(task_id="wait", job=submit.output, deferrable=True, poke_interval=10)
        ContactCenterToS3Operator(
            task_id="land",
            job=wait.output,
            s3_key=(
                f"s3://{S3_BUCKET}/yaml/{{{{ task.job['conn_id'] }}}}/{{{{ {PARAMS}['report_type'] }}}}/"
                f"{day_key()}.{{{{ {PARAMS}['file_format'] }}}}"
            ),
        )

    report_of_the_file.expand(report=reports_of_this_run(list(REPORTS.values())))
