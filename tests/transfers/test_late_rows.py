"""Rows that come after their window is over: the wait that gets them, against a vendor that has them late."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter.sandbox import Clock
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.clocks import Skipping, skip_waits
from tests.sandboxes import connected
from tests.tasks import run
from tests.transfers.conftest import calls

ROWS = 1440
HOUR, MINUTES = timedelta(hours=1), timedelta(minutes=1)


class Shared(Clock):
    """The sandbox's clock, which is the task's: what a task waits, passes at the vendor too."""

    def __init__(self, clock: Skipping) -> None:
        super().__init__()
        self.now = clock.now  # type: ignore[method-assign]


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    ("report_type", "late", "settle_delay", "all_rows"),
    [
        ("calls", 5 * MINUTES, None, True),
        ("calls", 5 * MINUTES, timedelta(0), False),
        ("calls", 10 * MINUTES, None, False),
        ("calls", 10 * MINUTES, 10 * MINUTES, True),
        ("audit_logs", HOUR, None, True),
        ("audit_logs", HOUR, 5 * MINUTES, False),
    ],
)
def test_talkdesks_late_rows_land_where_the_wait_is_as_long_as_they_are_late(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    deferrable: bool,
    report_type: str,
    late: timedelta,
    settle_delay: timedelta | None,
    all_rows: bool,
) -> None:
    clock = skip_waits(monkeypatch)
    options = {"talkdesk": {"ladder": [], "late_seconds": late.total_seconds()}}
    end = datetime.now(UTC)

    def task() -> Any:
        report = calls(report_type=report_type, start=(end - HOUR).isoformat(), end=end.isoformat())
        return ContactCenterToFileOperator(
            task_id="calls",
            report=report,
            path=str(tmp_path / "calls.csv"),
            deferrable=deferrable,
            settle_delay=settle_delay,
        )

    with connected(monkeypatch, clock=Shared(clock), rows=ROWS, options=options):
        delivery = run(task)
    assert (delivery["rows"] == ROWS) is all_rows
    with (tmp_path / "calls.csv").open(newline="", encoding="utf-8") as file:
        assert sum(1 for _ in csv.DictReader(file)) == delivery["rows"] > 0
