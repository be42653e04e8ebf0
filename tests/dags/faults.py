"""Dags that ``tests/faults`` break: reports with jobs, deferred and not, and reports in pages."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_contactcenter.reports import eight_by_eight_call_legs, talkdesk_report
from airflow_provider_contactcenter.stores.s3 import S3Store
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


def die_after_the_commit(context: Any) -> None:
    """The first try ends as the kernel ends it, when its first object stands: the manifest comes later."""
    put = S3Store.put

    def last_put(*args: Any, **kwargs: Any) -> None:
        put(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    if context["ti"].try_number == 1:
        S3Store.put = last_put  # type: ignore[assignment, method-assign]


with DAG("break_committed", schedule=None):
    ContactCenterToS3Operator(
        task_id="land",
        report=CALLS,
        s3_key="s3://contactcenter/faults/{{ run_id }}/calls.csv",
        manifest="s3://contactcenter/faults/{{ run_id }}/manifest.json",
        replace=False,
        deferrable=True,
        pre_execute=die_after_the_commit,
        poll_interval=1,
        retries=1,
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
