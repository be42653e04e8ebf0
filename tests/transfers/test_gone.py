"""A file that is gone although its job is ready: the retry submits the report again, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.reports import (
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
    genesys_conversations,
    khoros_care_report,
    talkdesk_report,
    vspark_stats,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.clocks import Skipping, skip_waits
from tests.transfers.conftest import StateStore, context

WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
QUEUES = {"granularity": "hour", "group_by": "media-and-channel-and-queue"}

#: the report, what its vendor calls the call that gives its rows, and the call that submits it
REPORTS: dict[str, tuple[Any, str, str]] = {
    "talkdesk": (talkdesk_report("calls", **WINDOW), "file", "create"),
    "talkdesk storage": (talkdesk_report("calls", **WINDOW), "storage", "create"),
    "khoros": (khoros_care_report("conversation", **WINDOW), "download", "submit"),
    "8x8 file": (
        eight_by_eight_summary_report("queue-interactions-summary", file_format="csv", **QUEUES, **WINDOW),
        "download",
        "create",
    ),
    "8x8 pages": (
        eight_by_eight_summary_report("queue-interactions-summary", file_format="jsonl", **QUEUES, **WINDOW),
        "data",
        "create",
    ),
    "8x8 detailed": (
        eight_by_eight_detailed_report("detailed-reports-interaction-details", **WINDOW),
        "detailed_data",
        "create_detailed",
    ),
    "genesys": (genesys_conversations(**WINDOW), "results", "create"),
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Nothing waits."""
    return skip_waits(monkeypatch)


@pytest.fixture(scope="module")
def one_sandbox() -> Iterator[Sandbox]:
    vendors = ("khoros_care", "talkdesk", "genesys_cloud", "eight_by_eight_cc")
    with Sandbox(options={vendor: {"ladder": [], "rows": 5} for vendor in vendors}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    one_sandbox.reset()
    for name, value in one_sandbox.environ.items():
        monkeypatch.setenv(name, value)
    return one_sandbox


@pytest.mark.parametrize("case", REPORTS)
def test_a_retry_submits_again(sandbox: Sandbox, tmp_path: Path, case: str) -> None:
    report, operation, submit = REPORTS[case]
    status = 410 if "pages" in case or "storage" in case else 404
    where = {"vendor": report["vendor"], "operation": operation}
    store = StateStore()

    def land(try_number: int) -> Any:
        operator = ContactCenterToFileOperator(
            task_id="land", report=report, path=str(tmp_path / "day"), deferrable=False
        )
        return operator.execute(context(store, try_number=try_number))

    sandbox.add_fault(fault="status", status=status, count=None, **where)
    with pytest.raises(exceptions.ContactCenterExpiredError, match=f"gone.*HTTP {status}") as gone:
        land(1)
    assert "A retry submits the report again" in str(gone.value)
    assert not list(tmp_path.iterdir())
    assert len(sandbox.journal(vendor=report["vendor"], operation=submit)) == 1
    sandbox.clear_faults()
    assert land(2)["rows"]
    assert len(sandbox.journal(vendor=report["vendor"], operation=submit)) == 2


def test_where_nothing_was_submitted_nothing_is_gone(sandbox: Sandbox, tmp_path: Path) -> None:
    """V-Spark's 404 says that there is no such company, organization or folder."""
    report = vspark_stats(company="No", organization="No-Such", **WINDOW)
    operator = ContactCenterToFileOperator(task_id="land", report=report, path=str(tmp_path / "day"))
    with pytest.raises(exceptions.ContactCenterNotFoundError):
        operator.execute(context())
