"""Which conversations and users are in a job, and what their rows hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .genesys_cloud import DAY, NEXT_DAY, VENDOR, Genesys, Row, day, sandbox_with

WEEK = "2026-05-03T00:00:00.000Z/2026-05-10T00:00:00.000Z"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with sandbox_with() as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Genesys:
    return Genesys(sandbox)


@pytest.fixture
def users(sandbox: Sandbox) -> Genesys:
    return Genesys(sandbox, "users")


# The models of the fact sheet.

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
WORDS = {
    "purpose": """
        acd agent api botflow campaign customer dialer external fax group inbound ivr manual outbound station
        user voicemail voicesurveyflow workflow""",
    "mediaType": """
        callback chat cobrowse email internalmessage message screenmonitoring screenshare unknown video
        voice""",
    "segmentType": """
        alert barging callback coaching contacting converting delay dialing hold interact ivr monitoring
        parked scheduled screenmonitoring sharing system transmitting unknown uploading voicemail wrapup""",
    "disconnectType": """
        client conferenceTransfer consultTransfer dndEndpoint dndTransfer endpoint error forwardTransfer
        inactivity noAnswerTransfer notAvailableTransfer other peer sessionExpired spam system takeover
        timeout transfer transportFailure uncallable""",
    "systemPresence": "AVAILABLE AWAY BUSY OFFLINE IDLE ON_QUEUE MEAL TRAINING MEETING BREAK",
    "routingStatus": "OFF_QUEUE IDLE INTERACTING NOT_RESPONDING COMMUNICATING",
}


def word(name: str) -> dict[str, Any]:
    """One of the words that the specification has for a field."""
    return {"enum": WORDS[name].split()}


def record(required: str, **properties: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def many(items: Any, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least}


SEGMENT = record(
    "segmentType segmentStart conference",
    segmentType=word("segmentType"),
    conference={"type": "boolean"},
    segmentStart=TIME,
    segmentEnd=TIME,
    disconnectType=word("disconnectType"),
    queueId=TEXT,
    requestedRoutingSkillIds=many(TEXT),
    subject=TEXT,
    wrapUpCode=TEXT,
    wrapUpNote=TEXT,
)
ADDRESSES = (
    "ani",
    "dnis",
    "sessionDnis",
    "addressFrom",
    "addressTo",
    "provider",
    "edgeId",
    "protocolCallId",
)
SESSION = record(
    "sessionId mediaType direction segments",
    sessionId=TEXT,
    peerId=TEXT,
    mediaType=word("mediaType"),
    messageType=TEXT,
    direction={"enum": ["inbound", "outbound"]},
    **dict.fromkeys(ADDRESSES, TEXT),
    recording={"type": "boolean"},
    acwSkipped={"type": "boolean"},
    requestedRoutings=many(TEXT),
    usedRouting=TEXT,
    flow={"type": "object"},
    mediaEndpointStats=many({"type": "object"}),
    metrics=many(record("name value emitDate", name=TEXT, value=WHOLE, emitDate=TIME), 1),
    segments=many(SEGMENT, 1),
)
PARTICIPANT = record(
    "participantId purpose sessions",
    participantId=TEXT,
    participantName=TEXT,
    purpose=word("purpose"),
    userId=TEXT,
    attributes={"type": "object", "additionalProperties": {"type": "string", "maxLength": 1_024}},
    sessions=many(SESSION, 1),
)
CONVERSATION = record(
    "conversationId conversationStart participants divisionIds",
    conversationId=TEXT,
    conversationStart=TIME,
    conversationEnd=TIME,
    conversationInitiator=word("purpose"),
    customerParticipation={"type": "boolean"},
    originatingDirection={"enum": ["inbound", "outbound"]},
    divisionIds=many(TEXT, 1),
    selfServed={"type": "boolean"},
    mediaStatsMinConversationMos={"type": "number"},
    mediaStatsMinConversationRFactor={"type": "number"},
    evaluations=many({"type": "object"}, 1),
    surveys=many({"type": "object"}, 1),
    resolutions=many({"type": "object"}, 1),
    participants=many(PARTICIPANT, 1),
)
USER = record(
    "userId",
    userId=TEXT,
    primaryPresence=many(
        record(
            "startTime systemPresence organizationPresenceId",
            startTime=TIME,
            endTime=TIME,
            systemPresence=word("systemPresence"),
            organizationPresenceId=TEXT,
        ),
        1,
    ),
    routingStatus=many(
        record("startTime routingStatus", startTime=TIME, endTime=TIME, routingStatus=word("routingStatus")),
        1,
    ),
)


@pytest.mark.parametrize("until", [None, "2026-05-13T12:34:56.789Z"])
def test_conversations_have_the_fields_and_words_of_the_documents(
    api: Genesys, sandbox: Sandbox, until: str | None
) -> None:
    sandbox.set_options(VENDOR, conversations_watermark=until)
    rows = api.rows(day(13))
    assert len(rows) > 40
    jsonschema.validate(rows, many(CONVERSATION))


def test_users_have_the_fields_and_words_of_the_documents(users: Genesys) -> None:
    rows = users.rows(WEEK)
    assert len(rows) > 600
    jsonschema.validate(rows, many(USER))


def test_the_same_order_finds_the_same_rows_in_another_sandbox(api: Genesys, users: Genesys) -> None:
    with sandbox_with() as again:
        assert Genesys(again).rows() == api.rows()
        assert Genesys(again, "users").rows() == users.rows()


# Which conversations.


def test_a_conversation_over_midnight_is_in_both_days_and_one_that_ends_at_midnight_is_not(
    api: Genesys, sandbox: Sandbox
) -> None:
    sandbox.set_options(VENDOR, threads=0)
    first, second = (
        {row["conversationId"]: row for row in api.rows(interval)} for interval in (DAY, NEXT_DAY)
    )
    shared = set(first) & set(second)
    assert shared
    for name in shared:
        assert first[name] == second[name]
        assert first[name]["conversationStart"] < "2026-05-07" < first[name]["conversationEnd"]
    assert "2026-05-07T00:00:00.000Z" in {row["conversationEnd"] for row in first.values()} - {
        row["conversationEnd"] for row in second.values()
    }
    assert "2026-05-07T00:00:00.000Z" in {row["conversationStart"] for row in second.values()} - {
        row["conversationStart"] for row in first.values()
    }


def test_windows_that_tile_hold_every_conversation_of_the_whole(api: Genesys) -> None:
    whole = set(api.ids(WEEK))
    parts = [set(api.ids(day(number))) for number in range(3, 10)]
    assert set().union(*parts) == whole
    hours = [
        set(api.ids(f"2026-05-06T{hour:02d}:00:00Z/2026-05-06T{hour:02d}:59:59.999Z")) for hour in range(24)
    ]
    assert set().union(*hours) == parts[3]


@pytest.mark.parametrize(
    ("match", "days"),
    [
        # A message on days 0, 1, 4, 9, 16 and 29 of 30.
        ("activity", {0, 1, 4, 9, 16, 29}),
        ("lifetime", set(range(30))),
        ("start_or_end", {0, 29}),
    ],
)
def test_a_conversation_of_a_month_is_in_the_days_that_a_reading_of_the_documents_says(
    match: str, days: set[int]
) -> None:
    first = datetime(2026, 5, 7, tzinfo=UTC)
    options = {"ladder": [], "match": match, "rows": 2}
    with Sandbox(clock=Clock(first + timedelta(days=40)), options={VENDOR: options}) as sandbox:
        api = Genesys(sandbox)

        def there(number: int) -> bool:
            low, high = (first + timedelta(days=each) for each in (number, number + 1))
            rows = api.rows(f"{low:%Y-%m-%dT%H:%M:%SZ}/{high:%Y-%m-%dT%H:%M:%SZ}")
            return "2026-05-07T09:00:00.000Z" in {row["conversationStart"] for row in rows if emails(row)}

        assert {number for number in range(-1, 31) if there(number)} == days


def emails(row: Row) -> bool:
    """Whether a conversation is an exchange of e-mails."""
    return any(
        session["mediaType"] == "email" for each in row["participants"] for session in each["sessions"]
    )


def test_the_flag_leaves_out_what_started_before_the_day_in_utc_and_no_more(api: Genesys) -> None:
    everything = api.rows(DAY)
    flagged = api.rows(DAY, startOfDayIntervalMatching=True)
    assert [row for row in everything if row["conversationStart"] >= "2026-05-06"] == flagged
    assert len(flagged) < len(everything)
    local = api.rows("2026-05-06T04:00:00Z/2026-05-07T04:00:00Z", startOfDayIntervalMatching=True)
    assert (
        local
        == api.rows("2026-05-06T04:00:00Z/2026-05-07T04:00:00Z", startOfDayIntervalMatching=False)[
            -len(local) :
        ]
    )


@pytest.mark.parametrize("ongoing", ["missing", "null"])
def test_an_ongoing_conversation_has_no_end_and_a_thread_is_opened_again(
    api: Genesys, sandbox: Sandbox, ongoing: str
) -> None:
    sandbox.set_options(VENDOR, ongoing=ongoing, conversations_watermark="2026-05-06T12:00:00Z")
    rows = [row for row in api.rows() if not row.get("conversationEnd")]
    assert rows
    for row in rows:
        assert ("conversationEnd" in row) == (ongoing == "null")
        segments = [
            segment
            for each in row["participants"]
            for session in each["sessions"]
            for segment in session["segments"]
        ]
        assert any("segmentEnd" not in segment for segment in segments)
    sandbox.set_options(VENDOR, conversations_watermark=None)
    month = "2026-03-20T00:00:00Z/2026-05-10T00:00:00Z"
    ends = {}
    for until in ("2026-04-19T00:00:00Z", None):
        sandbox.set_options(VENDOR, rows=0, conversations_watermark=until)
        ends[until] = {row["conversationId"]: row["conversationEnd"] for row in api.rows(month)}
    earlier, later = ends.values()
    assert any(later[name] > end for name, end in earlier.items())


def test_a_second_job_for_a_window_may_find_changes(api: Genesys, sandbox: Sandbox) -> None:
    for number, late in enumerate(("wrap_up", "evaluation", "deleted")):
        sandbox.set_options(VENDOR, late=late)
        first, second = (api.rows(day(3 + number)) for _ in range(2))
        if late == "deleted":
            assert second == first[1:]
            continue
        assert second != first
        assert second[1:] == first[1:]
        assert second[0]["conversationId"] == first[0]["conversationId"]
        assert len(json.dumps(second[0])) > len(json.dumps(first[0]))


def test_a_conversation_may_come_twice_in_one_job(api: Genesys, sandbox: Sandbox) -> None:
    for duplicates, alike in (("equal", True), ("different", False)):
        sandbox.set_options(VENDOR, duplicates=duplicates)
        first, second, *rest = api.rows()
        assert first["conversationId"] == second["conversationId"]
        assert (first == second) == alike
        assert len({row["conversationId"] for row in rest}) == len(rest)


def test_what_is_older_than_the_retention_is_not_there(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, retention_days=7, threads=0)
    assert api.rows(day(6)) == []
    assert api.rows(day(8))


# Order and filters.


def test_rows_come_in_the_order_that_was_asked_for(api: Genesys) -> None:
    ascending = api.ids()
    assert api.ids(order="desc") == ascending[::-1]
    shuffled = api.ids(order="unordered")
    assert shuffled != ascending
    assert sorted(shuffled) == sorted(ascending)
    ends = [row["conversationEnd"] for row in api.rows(orderBy="conversationEnd")]
    assert ends == sorted(ends)


def one(dimension: str, value: Any, kind: str = "and") -> dict[str, Any]:
    return {"type": kind, "predicates": [{"type": "dimension", "dimension": dimension, "value": value}]}


def users_of(row: Row) -> set[str]:
    """The users that take part in a conversation."""
    return {each["userId"] for each in row["participants"] if "userId" in each}


def test_a_filter_of_segments_selects_whole_conversations(api: Genesys) -> None:
    everything = api.rows()
    user = next(iter(users_of(everything[0])))
    found = api.rows(segmentFilters=[one("userId", user)])
    assert found == [row for row in everything if user in users_of(row)]
    voice = api.rows(segmentFilters=[one("userId", user), one("mediaType", "voice")])
    assert 0 < len(voice) < len(found)
    both = {"type": "or", "clauses": [one("mediaType", "voice"), one("mediaType", "message")]}
    assert len(api.rows(segmentFilters=[both])) == len([row for row in everything if not emails(row)])


def test_filters_know_existence_metrics_and_parts_of_addresses(api: Genesys) -> None:
    everything = api.rows()
    exists = {"type": "and", "predicates": [{"dimension": "wrapUpCode", "operator": "exists"}]}
    missing = {"type": "and", "predicates": [{"dimension": "wrapUpCode", "operator": "notExists"}]}
    assert len(api.rows(segmentFilters=[exists])) + len(api.rows(segmentFilters=[missing])) == len(everything)
    long = {"type": "and", "predicates": [{"metric": "tTalk", "range": {"gte": 600_000}}]}
    assert 0 < len(api.rows(conversationFilters=[long])) < len(everything)
    span = {"type": "and", "predicates": [{"metric": "tSegmentDuration", "range": {"gt": 1_500_000}}]}
    assert 0 < len(api.rows(segmentFilters=[span])) < len(everything)
    thread = api.rows("2026-03-20T00:00:00Z/2026-05-10T00:00:00Z", segmentFilters=[one("addressTo", "help@")])
    assert thread
    assert all(emails(row) for row in thread)
    [row] = api.rows(conversationFilters=[one("conversationId", everything[3]["conversationId"])])
    assert row == everything[3]
    judged = api.rows(evaluationFilters=[one("formName", "Billing v3")])
    assert judged == [row for row in everything if "evaluations" in row]


def test_a_dimension_at_the_wrong_level_is_silently_ignored(api: Genesys) -> None:
    assert api.rows(conversationFilters=[one("queueId", "nothing has this")]) == api.rows()
    assert api.rows(segmentFilters=[one("queueId", "nothing has this")]) == []


# How rows are written.


def test_a_row_may_be_huge_and_hold_everything_that_is_hard_to_read(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, huge=True, threads=0)
    job_id = api.submitted(startOfDayIntervalMatching=True, limit=1)
    body = api.page(job_id).content
    assert 5_000_000 < len(body) < 7_000_000
    [row] = json.loads(body)["conversations"]
    assert len(row["participants"]) == 400
    assert row["participants"][-1]["attributes"]["half an emoji"] == "\ud83d"
    assert row["participants"][-1]["attributes"]["control"] == "\x00\x01\x1f\x7f"
    assert str(2**53 + 1).encode() in body


def test_times_may_lack_milliseconds(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, milliseconds=False)
    assert {len(row["conversationStart"]) for row in api.rows()} == {20}


def test_fields_and_words_may_be_new(api: Genesys, users: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, novelties=True)
    row = api.rows()[0]
    assert row["sandboxField"] == {"nested": [1, None]}
    assert row["participants"][0]["purpose"] not in WORDS["purpose"]
    assert users.rows()[0]["primaryPresence"][0]["systemPresence"] not in WORDS["systemPresence"]


# Users.


def spans(rows: list[Row], name: str = "primaryPresence") -> list[tuple[str, str, str]]:
    """(user, start, end) of each status."""
    return [
        (row["userId"], each["startTime"], each.get("endTime", ""))
        for row in rows
        for each in row.get(name, ())
    ]


def test_a_user_is_in_many_rows_and_on_many_pages(users: Genesys) -> None:
    pages = users.pages(users.submitted(DAY), 20)
    assert len(pages) > 4
    rows = [row for page in pages for row in page["userDetails"]]
    assert min(Counter(row["userId"] for row in rows).values()) > 5
    assert all(len({row["userId"] for row in page["userDetails"]}) > 1 for page in pages)


def test_a_users_presences_follow_each_other_without_a_gap(users: Genesys) -> None:
    rows = users.rows(DAY)
    for user in {row["userId"] for row in rows}:
        found = sorted(span for span in spans(rows) if span[0] == user)
        assert found[0][1] == "2026-05-06T00:00:00.000Z"
        assert found[-1][2] == "2026-05-07T00:00:00.000Z"
        assert [end for _, _, end in found[:-1]] == [start for _, start, _ in found[1:]]


def test_a_status_begun_before_the_interval_is_clipped_whole_or_left_out(
    users: Genesys, sandbox: Sandbox
) -> None:
    starts = {}
    for reading in ("clipped", "whole", "left_out"):
        sandbox.set_options(VENDOR, begun_before=reading)
        starts[reading] = [start for _, start, _ in spans(users.rows(DAY))]
    assert min(starts["clipped"]) == "2026-05-06T00:00:00.000Z"
    assert min(starts["whole"]) < "2026-05-06"
    assert min(starts["left_out"]) > "2026-05-06T00:00:00.000Z"
    assert len(starts["clipped"]) == len(starts["whole"]) > len(starts["left_out"])


def test_a_status_of_several_days_is_on_its_first_and_its_last_day(users: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, begun_before="whole")

    def offline(interval: str) -> list[tuple[str, str, str]]:
        rows = [
            row for row in users.rows(interval) if row["primaryPresence"][0]["systemPresence"] == "OFFLINE"
        ]
        return spans(rows)

    friday, saturday, sunday, monday = (offline(day(number)) for number in (8, 9, 10, 11))
    assert len(friday) == 1
    assert friday == monday
    assert saturday == sunday == []
    long = "2026-05-08T00:00:00Z/2026-05-12T00:00:00Z"
    assert offline(long) == friday * 2
    sandbox.set_options(VENDOR, multi_day="once")
    assert offline(long) == friday


def test_a_running_status_has_no_end(users: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, users_watermark="2026-05-06T12:00:00Z")
    rows = users.rows(DAY)
    assert len([end for _, _, end in spans(rows) if not end]) == len({row["userId"] for row in rows})
    assert max(start for _, start, _ in spans(rows)) < "2026-05-06T12"


def test_users_are_filtered_by_id_presence_and_status(users: Genesys) -> None:
    everything = users.rows()
    user = everything[0]["userId"]
    assert users.rows(userFilters=[one("userId", user)]) == [
        row for row in everything if row["userId"] == user
    ]
    meals = users.rows(presenceFilters=[one("systemPresence", "MEAL")])
    assert {row["primaryPresence"][0]["systemPresence"] for row in meals} == {"MEAL"}
    busy = users.rows(routingStatusFilters=[one("routingStatus", "INTERACTING")])
    assert busy == [
        row
        for row in everything
        if any(each["routingStatus"] == "INTERACTING" for each in row["routingStatus"])
    ]


def test_rows_tell_how_many_there_are_on_a_day(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, rows=2_500, threads=0)
    for subject in ("conversations", "users"):
        rows = Genesys(sandbox, subject).rows()
        started = [row for row in rows if subject == "users" or row["conversationStart"] >= "2026-05-06"]
        assert 2_500 <= len(started) <= 2_510
