"""What the rows of a report are: said where a document says it, and nowhere else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider_contactcenter import reports
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.reports import describe
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.windows import day_window
from tests.sandboxes import connected

DAY: dict[str, Any] = {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
INTERACTIONS = "detailed-reports-interaction-details"
NOTHING = {"grain": None, "key": None, "version": None, "duplicates": None}
#: what the descriptions look at
PARAMS = {
    "report_type": INTERACTIONS,
    "file_format": "jsonl",
    "summary": "company",
    "granularity": "day",
    "group_by": "queue",
    "include_subtotals": True,
    "include_grand_total": True,
}
WITH_A_KEY: list[Report] = [
    reports.eight_by_eight_call_legs(pbx_id="allpbxes", **DAY),
    reports.eight_by_eight_call_records(pbx_id="allpbxes", **DAY),
    reports.eight_by_eight_work_summary("company", pbx_id="allpbxes", **DAY),
    reports.eight_by_eight_detailed_report(INTERACTIONS, **DAY),
]


def test_call_legs_are_described_by_their_documents() -> None:
    said = describe(reports.eight_by_eight_call_legs(pbx_id="allpbxes", **day_window()))
    assert said["grain"] == "one leg of a call"
    assert said["key"] == ["pbxId", "callId", "legId"]
    assert said["version"] is None
    assert "may come in two neighbouring windows" in str(said["duplicates"])


@pytest.mark.parametrize(
    "report",
    [
        reports.talkdesk_report("calls", **DAY),
        reports.talkdesk_report("{{ params.type }}", **DAY),
        reports.khoros_care_report("conversation", **DAY),
        reports.vspark_stats(company="A", organization="B", **DAY),
        reports.eight_by_eight_detailed_report("detailed-reports-survey", **DAY),
    ],
    ids=lambda report: f"{report['vendor']}-{report['kind']}",
)
def test_nothing_is_said_where_no_document_says_it(report: Report) -> None:
    assert describe(report) == NOTHING


def test_known_causes_of_duplicates_are_told() -> None:
    assert "end of a month" in str(describe(reports.talkdesk_report("user_status", **DAY))["duplicates"])


def test_a_summary_is_described_by_its_grouping_and_its_steps() -> None:
    def summary(**values: Any) -> Any:
        return describe(
            reports.eight_by_eight_summary_report("a", **DAY, group_by="media-and-queue", **values)
        )

    assert summary(granularity="hour") == {
        **NOTHING,
        "grain": "one group of group_by=media-and-queue, in one step of granularity=hour",
    }
    totals = summary(granularity="none", include_grand_total=True)
    assert totals["grain"] == "one group of group_by=media-and-queue, in the whole window"
    assert totals["duplicates"] == "Rows of subtotals and of the grand total sum up other rows."


@pytest.mark.parametrize("report", WITH_A_KEY, ids=lambda report: f"{report['vendor']}-{report['kind']}")
def test_a_key_identifies_each_row_that_the_sandbox_has(report: Report, monkeypatch: Any) -> None:
    """The sandbox is written from the same documents, by another hand."""
    with connected(monkeypatch, rows=300):
        hook = hook_for(report)
        lines = b"".join(hook.stream(hook.submit(report))).splitlines()
    key = describe(report)["key"]
    assert key is not None
    rows = [json.loads(line) for line in lines]
    assert rows
    assert len({tuple(row[column] for column in key) for row in rows}) == len(rows)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_no_document_says_how_a_file_of_8x8s_spells_its_columns(file_format: str) -> None:
    said = describe(reports.eight_by_eight_detailed_report(INTERACTIONS, **DAY, file_format=file_format))
    assert (said["grain"], said["key"]) == ("one interaction", None)


def test_what_is_said_is_sentences() -> None:
    for name in registry.names():
        for kind in registry.kinds(name).values():
            said = kind.rows(PARAMS)
            assert said.grain is None or not said.grain.endswith(".")
            assert said.duplicates is None or re.fullmatch(r"[A-Z].*\.", said.duplicates, re.DOTALL)
