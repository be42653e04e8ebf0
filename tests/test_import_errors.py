"""What Airflow shows of a DAG file that can't be imported: the last two frames, and the error."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

HEAD = """
from datetime import timedelta
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.windows import day_window

DAY = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
"""


@pytest.mark.parametrize(
    "line",
    [
        'talkdesk_report("calls", **DAY, file_format="pdf")',
        'shape(file_format="xml")',
        'day_window("Mars/Olympus")',
        'ContactCenterReportOperator(task_id="calls", report=None)',
        'ContactCenterReportOperator(task_id="a", report=talkdesk_report("calls", **DAY), poll_interval=0)',
    ],
)
def test_an_import_error_ends_in_the_users_own_line(tmp_path: Path, line: str) -> None:
    dag_file = tmp_path / "calls.py"
    dag_file.write_text(HEAD + line + "\n")
    try:
        exec(compile(dag_file.read_text(), dag_file, "exec"), {"__name__": "unusual_prefix_calls"})
    except ValueError:
        shown = traceback.format_exc(limit=-2)
    assert "is not allowed" in shown or "give exactly one" in shown
    number = HEAD.count("\n") + 1
    assert shown.splitlines()[-1] == f"{dag_file}, line {number}: {line}"
