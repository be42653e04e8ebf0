"""Reports in a YAML file: what they become, and what is said of a file that can't be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    load_reports,
    talkdesk_report,
    vspark_stats,
)
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.intake import check_report
from airflow_provider_contactcenter.windows import day_window

DAY = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reports.yaml"


def loaded(file: Path, text: str, **defaults: Any) -> dict[str, Any]:
    file.write_text(text, encoding="utf-8")
    return dict(load_reports(file, **defaults))


def complaints(file: Path, text: str, **defaults: Any) -> list[str]:
    with pytest.raises(InvalidValue) as refused:
        loaded(file, text, **defaults)
    return list(refused.value.complaints)


def test_each_report_is_what_its_builder_makes_of_its_values(file: Path) -> None:
    reports = loaded(
        file,
        """
        reports:
          calls:
            builder: talkdesk_report
            report_type: calls
            start: 2024-05-01T00:00:00+02:00
            end: 2024-05-02T00:00:00Z
          legs:
            builder: eight_by_eight_call_legs
            pbx_id: [north, south]
            page_size: 500
            start: "{{ data_interval_start }}"
            end: "{{ data_interval_end }}"
        """,
    )
    assert reports == {
        "calls": talkdesk_report("calls", start="2024-05-01T00:00:00+02:00", end="2024-05-02T00:00:00Z"),
        "legs": eight_by_eight_call_legs(
            pbx_id=["north", "south"],
            page_size=500,
            start="{{ data_interval_start }}",
            end="{{ data_interval_end }}",
        ),
    }
    assert list(reports) == ["calls", "legs"]


def test_a_reports_own_value_wins_over_the_callers_and_the_callers_over_the_files(file: Path) -> None:
    text = """
        defaults: {conn_id: files, file_format: json, name: files}
        reports:
          own: {builder: talkdesk_report, report_type: calls, name: own}
          callers: {builder: talkdesk_report, report_type: calls}
        """
    reports = loaded(file, text, **DAY, name="callers", file_format="jsonl")
    assert [reports[name]["params"]["name"] for name in reports] == ["own", "callers"]
    assert {report["params"]["file_format"] for report in reports.values()} == {"jsonl"}
    assert {report["conn_id"] for report in reports.values()} == {"files"}


def test_a_default_is_passed_over_where_a_builder_takes_none(file: Path) -> None:
    text = """
        defaults: {company: Acme, page_size: 100}
        reports:
          stats: {builder: vspark_stats, organization: North}
          legs: {builder: eight_by_eight_call_legs, pbx_id: allpbxes}
        """
    reports = loaded(file, text, **DAY)
    assert reports["stats"] == vspark_stats(company="Acme", organization="North", **DAY)
    assert reports["legs"]["params"]["page_size"] == 100


def test_windows_of_the_run_are_defaults_of_the_call(file: Path) -> None:
    window = day_window("Europe/Berlin")
    [report] = loaded(
        file, "reports: {calls: {builder: talkdesk_report, report_type: calls}}", **window
    ).values()
    assert {"start": report["params"]["start"], "end": report["params"]["end"]} == window


def test_a_shape_stands_beside_the_params_and_stays_there(file: Path) -> None:
    text = """
        defaults: {shape: {drop: [notes]}}
        reports:
          calls: {builder: talkdesk_report, report_type: calls, shape: {file_format: parquet}}
          more: {builder: talkdesk_report, report_type: calls}
        """
    reports = loaded(file, text, **DAY)
    assert reports["calls"]["shape"] == shape(file_format="parquet")
    assert reports["more"]["shape"] == shape(drop=["notes"])
    for report in reports.values():
        assert "shape" not in report["params"]
        assert check_report(report) == report


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "{colour: red}",
            "report 'calls': shape={'colour': 'red'} is not allowed: got an unexpected keyword",
        ),
        ("{file_format: xls}", "report 'calls': shape: file_format='xls' is not allowed"),
        ("[drop]", "report 'calls': shape=['drop'] is not allowed: give a mapping."),
    ],
)
def test_a_shape_that_cannot_be_is_a_complaint(file: Path, written: str, said: str) -> None:
    text = f"reports:\n  calls:\n    builder: talkdesk_report\n    report_type: calls\n    shape: {written}"
    [complaint] = complaints(file, text, **DAY)
    assert complaint.startswith(f"reports.yaml:5: {said}")


def test_anchors_and_merges_are_yamls_own(file: Path) -> None:
    text = """
        defaults: &all {report_type: calls}
        reports:
          calls: &calls {builder: talkdesk_report, name: first, <<: *all}
          again: {<<: *calls, name: second}
        """
    reports = loaded(file, text, **DAY)
    assert [report["params"]["name"] for report in reports.values()] == ["first", "second"]


def test_all_complaints_of_a_file_come_at_once_with_their_lines(file: Path) -> None:
    text = """\
defaults:
  conn_id: north
  colour: red
reports:
  calls:
    builder: talkdesk_report
    report_type: calls
    file_format: xls
    start: 2024-05-01
    name: [1]
  contacts:
    builder: talkdesk_report
    reprot_type: contacts
  nothing:
  typo:
    builder: talkdesk_reprot
  sales:
    builder: vspark_stats
    company: a/b
    organization: c
    shape: parquet
"""
    found = complaints(file, text, **DAY)
    assert len(found) == 9
    said = "\n".join(found)
    for part in (
        "reports.yaml:8: report 'calls': file_format='xls' is not allowed: give one of 'csv'",
        "reports.yaml:9: report 'calls': start=datetime.date(2024, 5, 1) is not allowed: give an aware",
        "reports.yaml:10: report 'calls': name=[1] is not allowed",
        "reports.yaml:13: report 'contacts': reprot_type='contacts' is not allowed: talkdesk_report takes no",
        "reports.yaml:11: report 'contacts': report_type is missing: talkdesk_report needs it.",
        "reports.yaml:14: report 'nothing' has no builder: give one of talkdesk_report, ",
        "reports.yaml:16: report 'typo': builder='talkdesk_reprot' is not allowed: give one of",
        "reports.yaml:19: report 'sales': company='a/b' is not allowed",
        "reports.yaml:21: report 'sales': shape='parquet' is not allowed: give a mapping.",
    ):
        assert part in said


def test_a_default_that_no_builder_takes_is_a_complaint(file: Path) -> None:
    text = "defaults:\n  colour: red\nreports: {calls: {builder: talkdesk_report, report_type: calls}}"
    assert complaints(file, text, **DAY, size=3) == [
        "reports.yaml:2: colour='red' is not allowed among the defaults: no report's builder takes it.",
        "reports.yaml: size=3 is not allowed among the defaults: no report's builder takes it.",
    ]


def test_a_complaint_about_a_default_names_the_defaults_line(file: Path) -> None:
    text = "defaults:\n  file_format: xls\nreports:\n  calls: {builder: talkdesk_report, report_type: calls}"
    [complaint] = complaints(file, text, **DAY)
    assert complaint.startswith("reports.yaml:2: report 'calls': file_format='xls'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "reports.yaml:1: there is no report: give at least one under 'reports'."),
        ("reports:\n", "there is no report"),
        ("- calls\n", "reports.yaml:1: the file is not allowed like this: give a mapping with 'reports'"),
        ("reports: [calls]\n", "reports.yaml:1: reports is not allowed like this: give a mapping of names"),
        ("reports:\n  calls: talkdesk\n", "reports.yaml:2: report 'calls' is not allowed like this"),
        (
            "\nreport: {}\n",
            "reports.yaml:2: 'report' is not allowed here: a file has 'defaults' and 'reports'",
        ),
        ("reports:\n  calls: {a: 1\n", "reports.yaml:3: this is not YAML ("),
        (
            "reports:\n  a: {b: !!python/name:os.system }\n",
            "reports.yaml:2: report 'a': b can't be read (could",
        ),
        ("reports:\n  a: {start: 2024-13-45}\n", "reports.yaml:2: report 'a': start can't be read (month"),
        ("reports:\n  a: {}\n  a: {}\n", "reports.yaml:3: 'a' stands there twice, and YAML takes the last"),
        (
            "reports:\n  a:\n    filters:\n      q: 1\n      q: 2\n",
            "reports.yaml:5: 'q' stands there twice, and YAML takes the last",
        ),
        ("reports: {a: &a {b: *a}}", "reports.yaml:1: report 'a'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_sentences(file: Path, text: str, said: str) -> None:
    assert said in "\n".join(complaints(file, text))


def test_a_parameter_may_be_called_path(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folder_report(*, path: str, conn_id: str = "folder_default") -> Any:
        return {"vendor": "folder", "kind": "files", "conn_id": conn_id, "params": {"path": path}}

    monkeypatch.setattr(registry, "builders", lambda: {"folder": folder_report})
    [report] = loaded(file, "reports: {files: {builder: folder_report}}", path="/in").values()
    assert report["params"] == {"path": "/in"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"^path='.*nowhere\.yaml' is not allowed: the file can't be read"):
        load_reports(tmp_path / "nowhere.yaml")


def test_nothing_but_text_is_made_of_a_tag(file: Path) -> None:
    with pytest.raises(InvalidValue):
        loaded(file, "reports: {a: !!python/object/apply:os.getcwd []}")
