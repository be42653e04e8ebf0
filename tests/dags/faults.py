"""Dags that ``tests/faults`` break: reports with jobs, deferred and not, and reports in pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_contactcenter.reports import eight_by_eight_call_legs, talkdesk_report
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

START = datetime(2024, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
#: 8x8 keeps two years
YESTERDAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
CALLS = talkdesk_report("calls", start=START, end=START + DAY)
LEGS = eight_by_eight_call_legs(pbx_id="acmecorp", page_size=20, start=YESTERDAY, end=YESTERDAY + DAY)

for name, report, deferrable in (
    ("break_waiting", CALLS, True),
    ("break_working", CALLS, False),
    ("break_pages", LEGS, True),
):
    with DAG(name, schedule=None):
        ContactCenterToS3Operator(
            task_id="land",
            report=report,
            s3_key="s3://contactcenter/faults/{{ run_id }}",
            deferrable=deferrable,
            poll_interval=1,
            retries=2,
            retry_delay=timedelta(seconds=0),
        )

with DAG("break_scale", schedule=None, max_active_tasks=400):
    ContactCenterToS3Operator.partial(
        task_id="land",
        s3_key="s3://contactcenter/faults/{{ run_id }}/{{ ti.map_index }}",
        deferrable=True,
        poll_interval=5,
    ).expand(
        report=[
            talkdesk_report(
                "calls", start=START + n * timedelta(hours=1), end=START + (n + 1) * timedelta(hours=1)
            )
            for n in range(300)
        ]
    )
