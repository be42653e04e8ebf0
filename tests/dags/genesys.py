"""Dags of Genesys Cloud for ``tests/real_airflow``: windows into both stores, and jobs to be ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_contactcenter.reports import genesys_conversations, genesys_users
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

DAY = timedelta(days=1)
#: The sandbox's block of thirty days: an e-mail thread begins, with messages on this day and the next.
FIRST = datetime(2024, 4, 17, tzinfo=UTC)
#: days in UTC; a day in New York, which has midnight in UTC in its midst; and a day without a message
WINDOWS = [
    (FIRST, FIRST + DAY),
    (FIRST + DAY, FIRST + 2 * DAY),
    (FIRST + timedelta(hours=4), FIRST + timedelta(hours=28)),
    (FIRST + 2 * DAY, FIRST + 3 * DAY),
]

with DAG("genesys_windows", schedule=None):
    for builder in (genesys_conversations, genesys_users):
        name = builder.__name__
        reports = [builder(start=start, end=end, page_size=10) for start, end in WINDOWS]
        ContactCenterToS3Operator.partial(
            task_id=f"{name}_to_s3",
            s3_key=f"s3://contactcenter/real/{name}/{{{{ ti.map_index }}}}.jsonl",
            deferrable=True,
            poll_interval=1,
        ).expand(report=reports)
        ContactCenterToGCSOperator.partial(
            task_id=f"{name}_to_gcs",
            bucket_name="contactcenter",
            object_name=f"real/{name}/{{{{ ti.map_index }}}}.jsonl",
            deferrable=True,
            poll_interval=1,
        ).expand(report=reports)

for mode, deferrable in (("deferred", True), ("sync", False)):
    with DAG(f"genesys_end_{mode}", schedule=None):
        ContactCenterToS3Operator(
            task_id="land",
            report=genesys_conversations(start=FIRST, end=FIRST + DAY),
            s3_key="s3://contactcenter/real/genesys_end/{{ run_id }}.jsonl",
            deferrable=deferrable,
            poll_interval=1,
            max_poll_interval=1,
            retries=1,
            retry_delay=timedelta(seconds=0),
        )
