from __future__ import annotations

import hashlib
import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.cli.conftest import Command, started
from tests.sandboxes import connected

DAY = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
CALLS = ("talkdesk_report", "report_type=calls", *(f"{name}={value}" for name, value in DAY.items()))


def delivered(line: str) -> dict[str, Any]:
    delivery: dict[str, Any] = json.loads(line)
    return delivery


def test_a_builders_report_lands_whole_and_the_delivery_is_the_last_line(
    sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    path = tmp_path / "calls.csv"
    done = contactcenter("fetch", *CALLS, "--output", str(path))
    assert done.status == 0, done.err
    [line] = done.out.splitlines()
    delivery = delivered(line)
    content = path.read_bytes()
    assert delivery["uri"] == f"file://{path}"
    assert (delivery["rows"], delivery["bytes"], delivery["complete"]) == (7, len(content), True)
    assert delivery["sha256"] == hashlib.sha256(content).hexdigest()
    assert "Submitted" in done.err
    assert [each.name for each in tmp_path.iterdir()] == ["calls.csv"]


def test_standard_output_gets_the_report_and_nothing_else(
    sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    contactcenter("fetch", *CALLS, "--output", str(tmp_path / "calls.csv"))
    done = contactcenter("fetch", *CALLS, "--output", "-")
    assert done.status == 0, done.err
    delivery = delivered(done.err.splitlines()[-1])
    assert done.out.encode() == (tmp_path / "calls.csv").read_bytes()
    assert delivery["rows"] == 7


@pytest.mark.parametrize("given", ['{"select": ["call_id"]}', "file"])
def test_it_lands_in_a_shape(given: str, sandbox: Sandbox, contactcenter: Command, tmp_path: Path) -> None:
    if given == "file":
        given = str(tmp_path / "shape.yaml")
        Path(given).write_text("select: [call_id]\n")
    path = tmp_path / "calls.csv"
    done = contactcenter("fetch", *CALLS, "--output", str(path), "--shape", given)
    assert done.status == 0, done.err
    assert path.read_text().splitlines()[0] == "call_id"
    assert delivered(done.out)["columns"] == ["call_id"]


def test_a_yaml_file_holds_several_reports_and_the_command_line_wins(
    sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    file = tmp_path / "reports.yaml"
    file.write_text(
        "reports:\n"
        "  calls: {builder: talkdesk_report, report_type: calls, file_format: jsonl}\n"
        "  contacts: {builder: talkdesk_report, report_type: contacts}\n"
    )
    window = [f"{name}={value}" for name, value in DAY.items()]
    output = ["--output", str(tmp_path / "landed")]
    done = contactcenter("fetch", str(file), *window, *output)
    assert done.status == 2
    assert done.err == "--report is missing: give one of calls, contacts.\n"
    done = contactcenter("fetch", str(file), *window, "file_format=csv", "--report", "calls", *output)
    assert done.status == 0, done.err
    params = delivered(done.out)["job"]["report"]["params"]
    assert (params["report_type"], params["file_format"]) == ("calls", "csv")


def test_a_value_of_the_command_line_may_be_called_path(
    sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    file = tmp_path / "reports.yaml"
    file.write_text("reports: {calls: {builder: talkdesk_report, report_type: calls}}")
    done = contactcenter("fetch", str(file), "path=/in", "--output", str(tmp_path / "landed"))
    assert done.status == 2
    assert "path='/in' is not allowed among the defaults: no report's builder takes it." in done.err


def test_a_reports_own_shape_counts(sandbox: Sandbox, contactcenter: Command, tmp_path: Path) -> None:
    file, path = tmp_path / "report.json", tmp_path / "calls.csv"
    file.write_text(json.dumps({**talkdesk_report("calls", **DAY), "shape": {"select": ["call_id"]}}))
    done = contactcenter("fetch", str(file), "--output", str(path))
    assert done.status == 0, done.err
    assert path.read_text().splitlines()[0] == "call_id"


def test_a_report_may_be_a_json_file(sandbox: Sandbox, contactcenter: Command, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(talkdesk_report("contacts", start="{{ start }}", end="{{ end }}")))
    window = [f"{name}={value}" for name, value in DAY.items()]
    done = contactcenter("fetch", str(file), *window, "--output", str(tmp_path / "contacts.csv"))
    assert done.status == 0, done.err
    assert delivered(done.out)["window"]["start"] == "2024-05-01T00:00:00+00:00"
    done = contactcenter("fetch", str(file), "--output", str(tmp_path / "again.csv"))
    assert done.status == 2
    assert "this template was never rendered" in done.err


NOW = datetime.now(UTC)
TODAY = [f"start={NOW.isoformat()}", f"end={(NOW + timedelta(days=1)).isoformat()}"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("talkdesk_reports",),
            "talkdesk_reports is neither a file nor a builder: give a file, or one of talk",
        ),
        (("talkdesk_report", "report_type=calls"), "start, end missing"),
        ((*CALLS, "tz=UTC"), "tz is not allowed: talkdesk_report takes report_type, "),
        ((*CALLS[:2], *TODAY), "lies in the future"),
        (("nowhere.yaml",), "the file can't be read"),
        (("nowhere.json",), "nowhere.json can't be read as JSON"),
        ((*CALLS, "--shape", "{"), "--shape { can't be read"),
        ((*CALLS, "--shape", '{"colour": "red"}'), "--shape"),
        ((*CALLS, "--shape", '{"file_format": "tsv"}'), "file_format='tsv' is not allowed"),
        ((*CALLS, "--report", "calls"), "it picks a report of a YAML file"),
    ],
)
def test_a_bad_argument_is_one_sentence_and_nothing_is_submitted(
    arguments: tuple[str, ...], words: str, sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    done = contactcenter("fetch", *arguments, "--output", str(tmp_path / "landed"))
    assert done.status == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert done.out == ""
    assert not sandbox.journal()


def test_nothing_is_at_the_path_if_it_fails(sandbox: Sandbox, contactcenter: Command, tmp_path: Path) -> None:
    done = contactcenter(
        "fetch", *CALLS, "--output", str(tmp_path / "calls.csv"), "--shape", '{"select": ["no such column"]}'
    )
    assert done.status == 1
    assert "no such column" in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_costs_no_report(
    sandbox: Sandbox, contactcenter: Command, tmp_path: Path
) -> None:
    done = contactcenter("fetch", *CALLS, "--output", str(tmp_path / "no" / "calls.csv"))
    assert done.status == 1
    assert "there is no folder" in done.err
    assert "Nothing was submitted" in done.err
    assert not sandbox.journal()


def test_ctrl_c_says_what_runs_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with connected(monkeypatch, options={"talkdesk": {"ladder": [["created", 600, 1]]}}):
        process = started("fetch", *CALLS, "--output", str(tmp_path / "calls.csv"))
        assert process.stderr is not None
        assert process.stdout is not None
        try:
            while b"Submitted" not in (line := process.stderr.readline()):
                assert line, "it ended"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130
    said = err.decode()
    assert said.splitlines()[-1].startswith("Interrupted; job ")
    assert said.splitlines()[-1].endswith(" runs on at Talkdesk Explore.")
    assert out == b""
    assert list(tmp_path.iterdir()) == []
