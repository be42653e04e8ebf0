"""Dags that the tests in ``tests/real_airflow`` run. What varies comes with the run's conf."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

START = datetime(2024, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)

for mode, deferrable in (("deferred", True), ("sync", False)):
    with DAG(f"land_{mode}", schedule=None):
        ContactCenterToS3Operator(
            task_id="land",
            report=talkdesk_report(
                "{{ dag_run.conf.get('report_type', 'calls') }}",
                start=START,
                end=START + DAY,
                conn_id="{{ dag_run.conf.get('conn_id', 'talkdesk_default') }}",
            ),
            s3_key="s3://contactcenter/real/{{ dag.dag_id }}/{{ task.report['params']['report_type'] }}.csv",
            deferrable=deferrable,
            poll_interval=1,
            retries=1,
            retry_delay=timedelta(seconds=1),
        )

with DAG("three_tasks_mapped", schedule=None):
    order = ContactCenterReportOperator.partial(task_id="order").expand(
        report=[talkdesk_report("calls", start=START + n * DAY, end=START + (n + 1) * DAY) for n in range(5)]
    )
    wait = ContactCenterReportSensor.partial(task_id="wait", deferrable=True, poke_interval=1).expand(
        job=order.output
    )
    ContactCenterToS3Operator.partial(
        task_id="land", s3_key="s3://contactcenter/real/mapped/{{ ti.map_index }}.csv", deferrable=True
    ).expand(job=wait.output)

# On Airflow 3 this is a trigger timetable: start and end of its data interval are the same.
with DAG(
    "plain_cron",
    schedule="@hourly",
    start_date=datetime.now(UTC) - timedelta(hours=2),
    catchup=True,
    max_active_runs=1,
):
    ContactCenterToS3Operator(
        task_id="land",
        report=talkdesk_report("calls", start="{{ data_interval_start }}", end="{{ data_interval_end }}"),
        s3_key="s3://contactcenter/real/plain_cron.csv",
        deferrable=True,
    )
