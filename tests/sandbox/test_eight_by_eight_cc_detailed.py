"""8x8's detailed reports and script paths over real HTTP."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import openpyxl
import pytest
import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .eight_by_eight import WEEK, ContactCenter

CC = "eight_by_eight_cc"
DETAILED = "/detailed-reports"
REPORT: dict[str, Any] = {
    "type": "detailed-reports-interaction-details",
    "title": "Interactions of a week",
    "dateRange": WEEK["dateRange"],
    "timezone": "Europe/Helsinki",
}
PATHS: dict[str, Any] = {
    "type": "script-paths",
    "title": "Paths",
    "dateRange": WEEK["dateRange"],
    "timezone": "UTC",
    "searchQuery": [{"field": "queue", "operator": "in", "value": ["103"]}],
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(options={CC: {"ladder": []}}) as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> ContactCenter:
    return ContactCenter(sandbox)


def scroll(api: ContactCenter, report_id: int, size: int = 1000) -> list[Any]:
    rows: list[Any] = []
    query: dict[str, Any] = {"size": size}
    while True:
        answer = api.get(f"{DETAILED}/{report_id}/data", **query)
        assert answer.status_code == 200, answer.text
        rows += answer.json()
        if "Last-Document-Id" not in answer.headers:
            return rows
        query["lastDocumentId"] = answer.headers["Last-Document-Id"]


def values(row: Any) -> dict[str, Any]:
    return {item["key"]: item["value"] for item in row["items"]}


def columns(api: ContactCenter, **changes: Any) -> list[dict[str, Any]]:
    return [values(row) for row in scroll(api, api.submitted(REPORT | changes, DETAILED))]


# Create.


def test_a_detailed_report_is_done_at_once(api: ContactCenter) -> None:
    answer = api.create(REPORT, DETAILED)
    report_id = answer.json()["id"]
    assert answer.json() == {"id": report_id, "status": "DONE"}
    place = f"{api.base}{DETAILED}/{report_id}/data?size=100"
    assert answer.headers["Link"] == f'<{place}>; rel="data"'
    assert api.get(f"/{report_id}/status").json() == answer.json()


def test_the_answer_may_be_a_list_and_the_report_on_its_way(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, detailed_create="array", detailed_ladder=[["IN_PROGRESS", 0, 1]])
    answer = api.create(REPORT, DETAILED)
    (created,) = answer.json()
    assert created["status"] == "IN_PROGRESS"
    assert "Link" not in answer.headers
    assert api.get(f"{DETAILED}/{created['id']}/data").status_code == 400
    words = [api.get(f"/{created['id']}/status").json()["status"] for _ in range(2)]
    assert words == ["IN_PROGRESS", "DONE"]


def searched(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"searchQuery": [{"field": field, "operator": operator, "value": value}]}


@pytest.mark.parametrize(
    "change",
    [
        {"type": "queue-interactions-summary"},
        {"type": None},
        {"title": "a:b"},
        {"dateRange": None},
        {"timezone": "Asia/Tokyo"},
        {"metrics": ["no-such"]},
        {"metrics": ["journeyId"]},  # of v8
        {"intraDayTimeRange": {"start": "08:00:00", "end": "08:04:59"}},
        {"includeParticipants": "perhaps"},
        {"type": "detailed-reports-agent-status-change", "includeParticipants": True},
        {"reportSettings": {"showOngoingInteractions": "perhaps"}},
        {"reportSettings": True},
        {"searchQuery": {"field": "queueName"}},
        {"searchQuery": ["queueName"]},
        searched("no-such", "in", ["x"]),
        searched("time", "=", "1"),
        searched("queueName", "=", "Billing"),
        searched("queueName", "like", "Billing"),
        searched("queueName", "in"),
        searched("queueName", "in", []),
        searched("queueName", "contains", ["x"]),
        searched("interactionDuration", "in", ["10s"]),
        searched("interactionDuration", ">", "10 s"),
        searched("interactionDuration", ">", 10),
        searched("interactionDuration", ">", "9999999999d"),
    ],
)
def test_bad_input_is_a_bad_request(api: ContactCenter, sandbox: Sandbox, change: dict[str, Any]) -> None:
    answer = api.create(REPORT | change, DETAILED)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Bad request: ")
    assert sandbox.jobs(CC) == []


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": ["queueName", "time", "queueName"]},  # the guide's sample names one twice
        {"metrics": []},
        {"searchQuery": []},
        {"intraDayTimeRange": {"start": "23:00:00", "end": "23:05:00"}},
        {"intraDayTimeRange": {"start": "20:00:00", "end": "06:00:00"}},
        {"reportSettings": {"showOngoingInteractions": True, "showInteractionsStateInTime": True}},
        searched("queueName", "in", ["Sales", "Billing"]),
        searched("queueName", "not-in", "Sales"),
        searched("queueName", "contains", "Sal"),
        searched("queueName", "is-not-empty"),
        searched("interactionDuration", ">=", "10m"),
        searched("participantHold", "=", "1"),
    ],
)
def test_what_the_guide_allows_is_allowed(api: ContactCenter, change: dict[str, Any]) -> None:
    assert api.create(REPORT | change, DETAILED).status_code == 200


def test_the_prose_allows_strings_fewer_operators(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, string_operators="prose")
    assert api.create(REPORT | searched("queueName", "in", ["x"]), DETAILED).status_code == 400
    assert api.create(REPORT | searched("queueName", "contains", "x"), DETAILED).status_code == 200


# Data.


def test_cursors_lead_to_the_end_and_there_is_none_on_the_last_page(
    api: ContactCenter, sandbox: Sandbox
) -> None:
    sandbox.set_options(CC, rows=250)
    report_id = api.submitted(REPORT, DETAILED)
    place = f"{DETAILED}/{report_id}/data"
    first = api.get(place, size=100)
    expected = {"X-Page-Size": "100", "X-Total-Pages": "3", "X-Total-Elements": "250"}
    assert {name: first.headers[name] for name in expected} == expected
    cursor = first.headers["Last-Document-Id"]
    decoded = json.loads(base64.b64decode(cursor))
    assert list(decoded) == ["searchAfter"]
    at = datetime.fromisoformat(values(first.json()[-1])["time"])
    assert round(at.timestamp() * 1000) == decoded["searchAfter"][0]
    encoded = cursor.replace("=", "%3D")
    link = f'<{api.base}{place}?size=100&lastDocumentId={encoded}>; rel="next"'
    assert first.headers["Link"] == link
    # What the link says is the second page.
    second = requests.get(link[1:].partition(">")[0], headers=api.headers)
    last = api.get(place, size=100, lastDocumentId=second.headers["Last-Document-Id"])
    assert len(last.json()) == 50
    assert [name in last.headers for name in ("Link", "Last-Document-Id")] == [False, False]
    pages = (first, second, last)
    ids = [values(row)["interactionId"] for page in pages for row in page.json()]
    assert len(set(ids)) == 250
    assert scroll(api, report_id, 90) == [row for page in pages for row in page.json()]


def test_the_first_and_the_last_row_lie_on_the_ends_of_the_range(
    api: ContactCenter, sandbox: Sandbox
) -> None:
    times = [row["creationTime"] for row in columns(api, timezone="UTC", metrics=["creationTime"])]
    assert (times[0], times[-1]) == ("2024-05-06T00:00:00.000+00:00", "2024-05-12T23:59:59.999+00:00")
    sandbox.set_options(CC, rows=1)
    [only] = columns(api, timezone="UTC", metrics=["creationTime"])
    assert only["creationTime"] == times[0]


def test_what_is_yet_to_come_has_no_rows() -> None:
    with Sandbox(clock=Clock(datetime(2024, 5, 9, 12, tzinfo=UTC))) as sandbox:
        shown: dict[str, Any] = {"timezone": "UTC", "metrics": ["creationTime"]}
        half = columns(ContactCenter(sandbox), **shown)
        assert len(half) == 50
        assert max(row["creationTime"] for row in half) < "2024-05-09T12:00:00"
        sandbox.clock.advance(86_400 * 4)
        api = ContactCenter(sandbox)
        whole = columns(api, **shown)
        assert (len(whole), whole[:50]) == (100, half)
        tomorrow = {"start": "2024-05-14T00:00:00.000Z", "end": "2024-05-14T23:59:59.999Z"}
        assert columns(api, dateRange=tomorrow) == []


def test_there_is_no_cap(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=12_345)
    rows = scroll(api, api.submitted(REPORT | {"metrics": ["interactionId", "time"]}, DETAILED))
    assert len(rows) == 12_345
    times = [values(row)["time"] for row in rows]
    assert times == sorted(times)


def test_a_page_that_is_just_full_is_the_last_one(api: ContactCenter) -> None:
    answer = api.get(f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data")
    assert len(answer.json()) == 100
    assert "Last-Document-Id" not in answer.headers


def test_an_empty_report_is_an_empty_page(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=0)
    answer = api.get(f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data")
    assert (answer.json(), answer.headers["X-Total-Elements"]) == ([], "0")


def test_a_cursor_may_come_encoded_and_must_not_be_encoded_again(
    api: ContactCenter, sandbox: Sandbox
) -> None:
    sandbox.set_options(CC, cursor_form="encoded")
    place = f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data"
    cursor = api.get(place, size=40).headers["Last-Document-Id"]
    assert cursor.endswith("%3D")
    assert api.get(place, size=40, lastDocumentId=cursor).status_code == 400
    assert api.get(place, size=40, lastDocumentId=unquote(cursor)).status_code == 200


def test_a_cursor_may_come_back_for_ever(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, cursor="repeated")
    place = f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data"
    cursor = api.get(place, size=10).headers["Last-Document-Id"]
    again = api.get(place, size=10, lastDocumentId=cursor)
    assert again.headers["Last-Document-Id"] == cursor


@pytest.mark.parametrize("query", [{"size": 1001}, {"lastDocumentId": ""}, {"lastDocumentId": "x=="}])
def test_bad_pages(api: ContactCenter, query: dict[str, Any]) -> None:
    place = f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data"
    assert api.get(place, **query).status_code == 400


def test_summary_and_detailed_data_have_their_own_addresses(api: ContactCenter) -> None:
    detailed, summary = api.submitted(REPORT, DETAILED), api.submitted(WEEK)
    assert api.get(f"{DETAILED}/{summary}/data").status_code == 404
    assert api.get(f"/{detailed}/data").status_code == 400
    assert api.get(f"/{detailed}/download", "text/csv").status_code == 404


# Values.


def test_every_kind_of_value_is_there(api: ContactCenter) -> None:
    rows = columns(api, includeParticipants=True)
    row = rows[0]
    assert row["time"].endswith("+03:00")
    assert len(row["time"]) == len("2023-07-03T16:02:59.857+03:00")
    assert sorted(row["finishedTime"]) == ["ongoing", "value"]
    assert datetime.fromisoformat(row["finishedTime"]["value"]) > datetime.fromisoformat(row["time"])
    assert {type(one["interactionDuration"]["value"]) for one in rows} == {int}
    assert {one["interactionDuration"]["ongoing"] for one in rows} == {False}
    assert {type(one["interactionLabels"]) for one in rows} == {list}
    assert {type(one["caseNumber"]) for one in rows} == {str, type(None)}
    assert {one["direction"] for one in rows} == {"InboundDir", "OutboundDir", None}
    participants = next(one["participants"] for one in rows if one["participants"])
    assert participants[0]["participantHoldDuration"] == 0
    assert sorted(participants[0]["participantHandlingDuration"]) == ["ongoing", "value"]
    assert isinstance(participants[0]["wrapUpCode"], list)


def test_durations_may_be_text(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, durations="text")
    row = columns(api)[0]
    assert row["interactionDuration"].count(":") == 2
    assert datetime.fromisoformat(row["finishedTime"])


def test_ongoing_interactions_are_there_when_asked_for(api: ContactCenter) -> None:
    rows = columns(api, reportSettings={"showOngoingInteractions": True})
    ongoing = [row for row in rows if row["finishedTime"]["ongoing"]]
    assert 0 < len(ongoing) < len(rows)
    assert {row["finishedTime"]["value"] for row in ongoing} == {None}


def test_metrics_are_the_ones_asked_for_and_values_do_not_depend_on_them(api: ContactCenter) -> None:
    whole = columns(api)
    narrow = columns(api, metrics=["queueName", "interactionId", "queueName"])
    assert list(narrow[0]) == ["queueName", "interactionId"]
    assert narrow == [{name: row[name] for name in narrow[0]} for row in whole]


def ongoing_free(value: Any) -> Any:
    """A duration without the object around it."""
    return value["value"] if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("queueName", "in", ["A", "B"], lambda held: held in ("A", "B")),
        ("queueName", "not-in", ["Sales", "Billing"], lambda held: held not in ("Sales", "Billing")),
        ("queueName", "contains", "ill", lambda held: "ill" in held),
        ("queueName", "is-not-empty", None, bool),
        ("agentNotes", "is-empty", None, lambda held: held is None),
        ("agentNotes", "is-not-empty", "", bool),
        ("mediaType", "in", ["phone"], lambda held: held == "Phone"),
        ("mediaType", "not-in", "phone", lambda held: held != "Phone"),
        ("direction", "not-in", ["inbound"], lambda held: held != "InboundDir"),
        ("interactionLabels", "not-in", ["Queued"], lambda held: "Queued" not in held),
        ("interactionLabels", "is-not-empty", None, bool),
        ("interactionLabels", "contains", "IVR", lambda held: held == ["IVR"]),
        ("participantHold", "=", "2", lambda held: held == "2"),
        ("participantHold", "!=", "2", lambda held: held != "2"),
        ("participantHold", ">", "2", lambda held: int(held) > 2),
        ("participantHold", "<=", "0", lambda held: held == "0"),
        ("queueWaitDuration", ">", "5m", lambda held: held > 300_000),
        ("queueWaitDuration", "<", "10s", lambda held: held < 10_000),
        ("queueWaitDuration", ">=", "3h", lambda held: held >= 10_800_000),
        ("queueWaitDuration", "<=", "1m", lambda held: held <= 60_000),
        ("queueWaitDuration", ">", "7d", lambda held: held > 604_800_000),
    ],
)
def test_every_row_of_a_search_passes_it(
    api: ContactCenter, field: str, operator: str, value: Any, holds: Callable[[Any], bool]
) -> None:
    plain = [ongoing_free(row[field]) for row in columns(api)]
    assert not all(holds(held) for held in plain)
    found = [ongoing_free(row[field]) for row in columns(api, **searched(field, operator, value))]
    assert len(found) == len(plain)
    assert [held for held in found if not holds(held)] == []


def test_searches_of_one_field_are_joined_by_and(api: ContactCenter) -> None:
    searches = [
        {"field": "queueName", "operator": "in", "value": ["A", "AB", "B"]},
        {"field": "queueName", "operator": "contains", "value": "A"},
        {"field": "queueName", "operator": "not-in", "value": ["A"]},
        {"field": "queueWaitDuration", "operator": ">", "value": "10s"},
        {"field": "queueWaitDuration", "operator": "<", "value": "1m"},
    ]
    rows = columns(api, searchQuery=searches)
    assert {row["queueName"] for row in rows} == {"AB"}
    assert all(10_000 < row["queueWaitDuration"]["value"] < 60_000 for row in rows)


def test_an_interaction_that_a_search_made_long_ends_accordingly(api: ContactCenter) -> None:
    rows = columns(api, **searched("interactionDuration", "=", "3h"))
    assert rows
    for row in rows:
        start, end = (datetime.fromisoformat(text) for text in (row["time"], row["finishedTime"]["value"]))
        assert (end - start).total_seconds() == 10_800


@pytest.mark.parametrize("durations", ["object", "text"])
@pytest.mark.parametrize("length", ["0s", "999999999d"])
def test_no_length_of_an_interaction_breaks_its_rows(
    api: ContactCenter, sandbox: Sandbox, durations: str, length: str
) -> None:
    sandbox.set_options(CC, durations=durations)
    searches = [
        {"field": field, "operator": "=", "value": length}
        for field in ("interactionDuration", "queueWaitDuration")
    ]
    assert len(columns(api, searchQuery=searches, includeParticipants=True)) == 100


def test_status_changes_have_their_fourteen_fields(api: ContactCenter) -> None:
    report_id = api.submitted(REPORT | {"type": "detailed-reports-agent-status-change"}, DETAILED)
    assert len(values(scroll(api, report_id)[0])) == 14


def test_detailed_rows_as_xml(api: ContactCenter) -> None:
    answer = api.get(f"{DETAILED}/{api.submitted(REPORT, DETAILED)}/data", "application/xml")
    root = ElementTree.fromstring(answer.content)
    assert (root.tag, len(root)) == ("List", 100)


# Files, through the ordinary create.


def test_a_detailed_type_can_be_ordered_as_a_file(api: ContactCenter, sandbox: Sandbox) -> None:
    report_id = api.submitted(REPORT)
    assert api.get(f"/{report_id}/status").headers["Link"].endswith('/download>; rel="download"')
    csv_answer = api.get(f"/{report_id}/download", "text/csv")
    lines = list(csv.reader(io.StringIO(csv_answer.content.decode(), newline="")))
    assert len(lines) == 101
    json_rows = [values(row) for row in scroll(api, api.submitted(REPORT, DETAILED))]
    place = list(json_rows[0]).index("interactionId")
    assert [line[place] for line in lines[1:]] == [row["interactionId"] for row in json_rows]
    answer = api.get(f"/{report_id}/download", "text/xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    cells = [["" if cell is None else str(cell) for cell in line] for line in sheet.values]
    assert [line[place] for line in cells] == [line[place] for line in lines]
    assert len(cells) == 101
    assert api.get(f"/{report_id}/data").status_code == 400


def test_such_a_file_may_need_a_granularity(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, detailed_granularity="required")
    assert api.create(REPORT).status_code == 400
    assert api.create(REPORT | {"granularity": "none"}).status_code == 200
    assert api.create(REPORT | {"granularity": "minute"}).status_code == 400


# Script paths.


@pytest.fixture
def v8(sandbox: Sandbox) -> ContactCenter:
    return ContactCenter(sandbox, "v8")


def test_script_paths_are_csv_and_nothing_else(v8: ContactCenter, sandbox: Sandbox) -> None:
    report_id = v8.submitted(PATHS)
    assert v8.get(f"/{report_id}/data").status_code == 400
    assert v8.get(f"/{report_id}/download", "text/xlsx").status_code == 406
    links = v8.get(f"/{report_id}/links").json()
    assert [link["relation"] for link in links] == ["download"]
    sandbox.set_options(CC, script_paths_links="status")
    links = v8.get(f"/{report_id}/links").json()
    assert [link["relation"] for link in links] == ["status", "download"]
    answer = v8.get(f"/{report_id}/download", "text/csv")
    lines = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    assert lines[0] == [
        *("Path ID", "Parent Path ID", "Script ID", "Script Name", "Node Type", "Node Label"),
        *("Depth", "Count", "Terminal"),
    ]
    assert len(lines) == 101


@pytest.mark.parametrize(
    "change",
    [
        {"groupBy": {"name": "queue"}},
        {"granularity": "none"},
        {"metrics": []},
        {"includeSubTotal": False},
        {"includeGrandTotal": False},
        {"includeParticipants": False},
        {"searchQuery": [{"field": "Queue", "operator": "in", "value": ["103"]}]},
        {"searchQuery": [{"field": "queue", "operator": "contains", "value": "103"}]},
        {"dateRange": None},
    ],
)
def test_script_paths_reject_what_is_not_theirs(v8: ContactCenter, change: dict[str, Any]) -> None:
    assert v8.create(PATHS | change).status_code == 400


def test_script_paths_may_do_without_a_time_zone(v8: ContactCenter, sandbox: Sandbox) -> None:
    body = {name: value for name, value in PATHS.items() if name != "timezone"}
    assert v8.create(body).status_code == 400
    sandbox.set_options(CC, script_paths_timezone="optional")
    assert v8.create(body).status_code == 200
