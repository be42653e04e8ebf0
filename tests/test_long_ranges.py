"""Two years in windows, over the days on which clocks change: planned, landed, and every row there once."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_detailed_report,
    talkdesk_report,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.windows import day_key, day_window, plan_windows
from tests.sandboxes import connected
from tests.transfers.conftest import context

#: north, west and south of Greenwich; Santiago's clocks skip midnight
ZONES = ("Europe/Berlin", "America/New_York", "America/Santiago")
IN_EACH_ZONE = pytest.mark.parametrize(
    "zone", [ZONES[0], *(pytest.param(zone, marks=pytest.mark.slow) for zone in ZONES[1:])]
)
FIRST, LAST = date(2023, 12, 31), date(2026, 1, 1)
ROWS = 15
#: seconds between two call legs: no whole part of an hour, so that none lies on a window's bound
EVERY = 40_009


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Jobs are done as they are submitted; nothing is too old."""
    monkeypatch.setattr(policy, "pause", lambda refusal, attempt: 0.0)
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_work.reports.RETENTION", 100)
    options = {
        "talkdesk": {"ladder": []},
        "eight_by_eight_work": {"retention_years": 100, "every": EVERY},
    }
    with connected(monkeypatch, rows=ROWS, options=options) as sandbox:
        yield sandbox


def calls(zone: str) -> Report:
    return talkdesk_report("calls", timezone=zone, **day_window(zone))


def interactions(zone: str) -> Report:
    return eight_by_eight_detailed_report("detailed-reports-interaction-details", **day_window(zone))


def legs(zone: str) -> Report:
    return eight_by_eight_call_legs(pbx_id="allpbxes", timezone=zone, **day_window(zone))


def two_years(report: Report, zone: str) -> list[Report]:
    start, end = (checks.first_instant(day, zone) for day in (FIRST, LAST))
    reports = plan_windows(report, start=start, end=end, every="month", timezone=zone)
    bounds = [tuple(checks.moment(each["params"][name]) for name in ("start", "end")) for each in reports]
    assert bounds[0][0] == start
    assert bounds[-1][1] == end
    assert [earlier[1] for earlier in bounds[:-1]] == [later[0] for later in bounds[1:]]
    return reports


def transfer(folder: Path, report: Report, zone: str, **values: Any) -> Any:
    """The task for one window, with its key rendered as Airflow does it in a mapped task."""
    task = ContactCenterToFileOperator(
        task_id="rows",
        report=report,
        path=f"{folder}/{day_key(zone, of='report')}",
        deferrable=False,
        poll_interval=0.05,
        **values,
    )
    task.path = jinja2.Template(task.path).render(task=task)
    return task


def land(folder: Path, report: Report, zone: str, **values: Any) -> Any:
    return transfer(folder, report, zone, **values).execute(context())


def local_days(report: Report, zone: str) -> tuple[str, str]:
    """The first day of a window and the day after its last one."""
    start, end = (checks.instant(name, report["params"][name]) for name in ("start", "end"))
    return checks.day_of(start, zone).isoformat(), checks.day_of(end, zone).isoformat()


@IN_EACH_ZONE
def test_two_years_of_talkdesk_land_once(sandbox: Sandbox, tmp_path: Path, zone: str) -> None:
    reports, ids = two_years(calls(zone), zone), set()
    for report in reports:
        land(tmp_path, report, zone)
        first, after = local_days(report, zone)
        with (tmp_path / first).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == ROWS
        assert all(first <= row["start_at"][:10] < after for row in rows)
        ids |= {row["call_id"] for row in rows}
    assert len(ids) == ROWS * len(reports)
    landed = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert landed == {served["sha256"] for served in sandbox.served()}
    assert len(landed) == len(sandbox.served()) == len(reports)


@IN_EACH_ZONE
def test_two_years_of_8x8_detailed_rows_land_once(sandbox: Sandbox, tmp_path: Path, zone: str) -> None:
    reports, ids = two_years(interactions(zone), zone), set()
    for report in reports:
        land(tmp_path, report, zone)
        rows = [json.loads(line) for line in (tmp_path / local_days(report, zone)[0]).open()]
        start, end = (checks.moment(report["params"][name]) for name in ("start", "end"))
        for row in rows:  # the id holds the instant
            at = datetime.fromtimestamp(int(row["interactionId"].split("-")[1], 16) / 1000, UTC)
            assert start <= at < end
        ids |= {row["interactionId"] for row in rows}
    assert len(ids) == ROWS * len(reports) == sum(served["rows"] or 0 for served in sandbox.served())


@IN_EACH_ZONE
def test_two_years_of_call_legs_land_once(sandbox: Sandbox, tmp_path: Path, zone: str) -> None:
    def ids(path: Path) -> list[tuple[str, ...]]:
        rows = [json.loads(line) for line in path.open()]
        return [tuple(row[name] for name in ("pbxId", "callId", "legId")) for row in rows]

    (tmp_path / "whole").mkdir()
    (tmp_path / "windows").mkdir()
    reports = two_years(legs(zone), zone)
    for report in reports:
        land(tmp_path / "windows", report, zone)
    whole = {**reports[0], "params": {**reports[0]["params"], "end": reports[-1]["params"]["end"]}}
    land(tmp_path / "whole", whole, zone)  # type: ignore[arg-type]
    [path] = (tmp_path / "whole").iterdir()
    landed = [row for path in (tmp_path / "windows").iterdir() for row in ids(path)]
    assert len(landed) > 1_500
    assert sorted(landed) == sorted(ids(path))


@pytest.mark.parametrize(
    "report", [calls, *(pytest.param(other, marks=pytest.mark.slow) for other in (interactions, legs))]
)
def test_a_second_run_lands_what_is_missing_and_submits_nothing_else(
    sandbox: Sandbox, tmp_path: Path, report: Callable[[str], Report]
) -> None:
    zone = ZONES[0]
    reports = two_years(report(zone), zone)
    for done in reports[:-2]:
        land(tmp_path, done, zone)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(before) == len(reports) - 2
    asked = len(sandbox.journal())
    for done in reports[:-2]:
        with pytest.raises(AirflowSkipException, match="replace=False"):
            land(tmp_path, done, zone, replace=False, on_exists="skip")
    assert len(sandbox.journal()) == asked
    for missing in reports[-2:]:
        land(tmp_path, missing, zone, replace=False, on_exists="skip")
    assert len(list(tmp_path.iterdir())) == len(reports)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in before} == before
