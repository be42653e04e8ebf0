"""8x8 Work Analytics, without a socket: what is asked, and what is made of the answers."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Job, Report, Span, new_job
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_call_records,
    eight_by_eight_work_summary,
)
from airflow_provider_contactcenter.vendors.eight_by_eight_work import api as vendor
from airflow_provider_contactcenter.vendors.intake import check_report
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.vendors.play import answer, lines_of, play, rows_of

WINDOW = {"start": "2022-02-03T05:00:00Z", "end": "2022-02-03T15:00:00Z"}
#: the cursors that the seed shows ("Pagination Example")
FIRST = "c3VwZXJ0ZW5hbnRjc21fMTYzNTU3MTA0ODQ4Nl8xXzE2NDM5MTIzNTI0NDE"
SECOND = "c3VwZXJ0ZW5hbnRjc21fMTYzNTU3MTA0ODM0NV8xXzE2NDM4OTc0OTI5MDM"


def legs(**changed: Any) -> Report:
    return eight_by_eight_call_legs(**{"pbx_id": "acmecorp", **WINDOW, **changed})


def records(**changed: Any) -> Report:
    return eight_by_eight_call_records(**{"pbx_id": "acmecorp", **WINDOW, **changed})


def summary(kind: str = "company", **changed: Any) -> Report:
    return eight_by_eight_work_summary(kind, **{"pbx_id": "acmecorp", **WINDOW, **changed})


def job_of(report: Report, submitted_at: str = "2022-03-01T00:00:00+00:00") -> Job:
    return {**new_job(report, None), "submitted_at": submitted_at}


def connection() -> Settings:
    return vendor.settings(
        ConnectionFields("c", login="someuser@acme.fakeco", password="a^b&c", extra={"api_key": "eght_x"})
    )


def page_of(total: int | None, cursor: str | None, rows: int) -> dict[str, Any]:
    data = [{"callId": str(n), "legId": "1"} for n in range(rows)]
    return {"meta": {"totalRecordCount": total, "scrollId": cursor}, "data": data}


def behind(scroll_id: str, total: int | None = 81) -> vendor.Scrolled:
    return vendor.Scrolled(scroll_id, total)


def scroll(report: Report, cursor: Any, body: Any, status: int = 200) -> tuple[Request, Page]:
    content = vendor.content(job_of(report))
    assert isinstance(content, Pages)
    asked, page = play(content.page(cursor), answer(body, status))
    return asked[0], page


# --- connection ---------------------------------------------------------------------------------------------


def test_all_regions_share_one_host() -> None:
    assert connection().base_url == "https://api.8x8.com/analytics/work"
    assert connection().auth_url == "https://api.8x8.com/analytics/work/v1/oauth/token"
    proxied = ConnectionFields("c", host="http://h:1/8x8", login="u", password="p", extra={"api_key": "k"})
    assert vendor.settings(proxied).base_url == "http://h:1/8x8/analytics/work"


@pytest.mark.parametrize("missing", ["login", "password", "api_key"])
def test_user_password_and_key_are_all_needed(missing: str) -> None:
    given_fields: dict[str, Any] = {"login": "u", "password": "p", "extra": {"api_key": "k"}}
    if missing == "api_key":
        given_fields["extra"] = {}
    else:
        given_fields[missing] = None
    with pytest.raises(Refusal, match=f"the connection's {missing} is empty") as refused:
        vendor.settings(ConnectionFields("c", **given_fields))
    assert refused.value.kind == "authentication"


def test_the_token_is_asked_for_with_key_user_and_password_and_nothing_else() -> None:
    asked, token = play(
        vendor.authenticate(connection()),
        answer({"access_token": "t", "token_type": "bearer", "expires_in": 1800}),
    )
    assert asked[0].form == {"username": "someuser@acme.fakeco", "password": "a^b&c"}
    assert asked[0].headers["8x8-apikey"] == "eght_x"
    assert "Authorization" not in asked[0].headers
    assert (token.value, token.expires_in) == ("t", 1800.0)


def test_every_call_carries_the_token_and_the_key() -> None:
    signed = vendor.sign(Request("GET", "/v2/call-legs"), connection(), Token("t", 60))
    assert signed.headers == {"Authorization": "Bearer t", "8x8-apikey": "eght_x"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error_description": "USER_NOTFOUND_ERROR", "error": "invalid_grant"},
            "in a browser at least once",
        ),
        (
            {"status": 400, "message": "Invalid 8x8-apikey", "code": "SHA001", "details": []},
            "SHA001: Invalid 8x8-apikey. The connection's extra 'api_key'",
        ),
        ({"message": "First login is missing"}, "First login is missing. .*in a browser at least once"),
        (b"", "no words. .*in a browser at least once"),
    ],
)
def test_bad_credentials_come_as_400(body: Any, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        play(vendor.authenticate(connection()), answer(body, 400))
    assert re.search(words, f"{refused.value.words.rstrip('.')}. {refused.value.advice}")
    assert refused.value.kind == "authentication"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"status": 400, "message": "Invalid 8x8-apikey", "code": "SHA001"}, "authentication"),
        (
            403,
            {"error": "Access Denied", "message": "user(U) does not have access to pbxId(P) to make this"},
            "permission",
        ),
        (400, {"message": "user(u) does not have access to api category(CDR) for pbxId([p])"}, "permission"),
        (400, {"message": "timeZone is unknown"}, "invalid"),
        (403, {"message": "no API access"}, "permission"),
    ],
)
def test_a_refusal_of_data_is_told_apart_by_its_words(status: int, body: Any, kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        scroll(legs(), None, body, status)
    assert refused.value.kind == kind
    assert body["message"] in refused.value.words
    if kind == "permission":
        assert "needs a licence for Work Analytics" in str(refused.value.advice)


# --- a report without a job ---------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [legs(), records(), summary()])
def test_a_report_is_a_job_from_the_start_and_costs_no_request(report: Report) -> None:
    _, job = play(vendor.submit(report, "label"))
    assert job["job_id"] is None
    _, status = play(vendor.status(job))
    assert status == {"state": "ready", "vendor_status": None, "reason": None}


# --- scroll pages -------------------------------------------------------------------------------------------


def test_the_seeds_two_pages_of_50_and_31_end_at_no_data() -> None:
    report = legs(timezone="America/New_York", page_size=50)
    first, one = scroll(report, None, page_of(81, FIRST, 50))
    second, two = scroll(report, one.cursor, page_of(81, SECOND, 31))
    third, three = scroll(report, two.cursor, page_of(0, "No Data", 0))
    assert [len(page.rows) for page in (one, two, three)] == [50, 31, 0]
    assert [page.cursor for page in (one, two, three)] == [behind(FIRST), behind(SECOND), None]
    assert one.total == 81
    # seed 002, "Call Legs Request": from midnight to ten in New York
    assert first.target == "/v2/call-legs"
    assert list(first.params) == [
        ("pbxId", "acmecorp"),
        ("startTime", "2022-02-03 00:00:00"),
        ("endTime", "2022-02-03 10:00:00"),
        ("timeZone", "America/New_York"),
        ("pageSize", "50"),
        ("isConnectTime", "false"),
        ("isSimplified", "false"),
    ]
    assert list(second.params) == [*first.params, ("scrollId", FIRST)]
    assert list(third.params) == [*first.params, ("scrollId", SECOND)]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (page_of(0, "No Data", 0), 0),
        (page_of(2, " no data ", 2), 2),
        (page_of(2, None, 2), 2),
        ({"meta": {"totalRecordCount": 2}, "data": [{}, {}]}, 2),
        (page_of(2, "", 2), 2),
        (page_of(None, "abc", 0), 0),
        ({"meta": {"totalRecordCount": 0, "scrollId": "No Data"}, "data": None}, 0),
    ],
)
def test_every_form_of_the_end(body: Any, rows: int) -> None:
    _, page = scroll(legs(), None, body)
    assert (page.cursor, len(page.rows)) == (None, rows)


def test_a_short_page_is_not_the_end() -> None:
    assert scroll(legs(page_size=50), None, page_of(81, FIRST, 49))[1].cursor == behind(FIRST)


def test_a_full_page_without_a_cursor_proves_nothing() -> None:
    for total in (None, 0, "0"):
        with pytest.raises(Refusal, match="without scrollId and total") as refused:
            scroll(legs(page_size=50), None, page_of(total, None, 50))
        assert refused.value.kind == "incomplete"
    # A total that a later page names was held against no rows before it.
    with pytest.raises(Refusal, match="without scrollId and total"):
        scroll(legs(page_size=50), behind(FIRST, None), page_of(300, None, 50))
    # Where the total says so, or the page is short, it may be the last.
    assert scroll(legs(page_size=50), None, page_of(50, None, 50))[1].total == 50
    assert scroll(legs(page_size=50), None, page_of(None, None, 49))[1].cursor is None
    assert scroll(legs(page_size=50), None, page_of(None, "No Data", 50))[1].cursor is None


@pytest.mark.parametrize(
    ("cursor", "body", "doubted"),
    [
        (behind(FIRST, None), page_of(None, None, 49), True),
        (behind(FIRST, None), page_of(None, SECOND, 0), True),
        (None, page_of(None, SECOND, 0), True),
        (behind(FIRST, None), page_of(0, "No Data", 0), False),
        (behind(FIRST, 81), page_of(0, None, 0), False),
        (None, page_of(0, None, 0), False),
        (None, page_of(None, SECOND, 50), False),
    ],
)
def test_an_end_that_nothing_proves_is_said(cursor: Any, body: Any, doubted: bool) -> None:
    caveat = scroll(legs(page_size=50), cursor, body)[1].caveat
    assert caveat == (vendor.NO_END if doubted else None)


@pytest.mark.parametrize("odd", [codecs.BOM_UTF8 + b"%s", b"%s"], ids=["BOM", "no BOM"])
@pytest.mark.parametrize("digits", ["1.50", "0.1000000000000000055511151231257827", "-0", "1E400", "[2.0]"])
def test_an_odd_page_keeps_the_digits_of_its_numbers(odd: bytes, digits: str) -> None:
    row = b'{"callTime":' + digits.encode() + b"}"
    name = b'{"callerName":"\\ud83d"}'
    page = scroll(legs(), None, odd % (b'{"meta":{"scrollId":"x"},"data":[' + row + b"," + name + b"]}"))[1]
    assert lines_of(page) == row + b"\n" + name + b"\n"
    page = scroll(summary(), None, odd % (b"[" + row + b"," + name + b"]"))[1]
    assert lines_of(page) == row + b"\n" + name + b"\n"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_have_is_refused_and_never_becomes_null(word: str) -> None:
    row = b'{"callTime":' + word.encode() + b"}"
    for report, body in (
        (legs(), b'{"meta":{"scrollId":"x"},"data":[' + row + b"]}"),
        (summary(), b"[" + row + b"]"),
    ):
        with pytest.raises(Refusal, match=f"it holds {word}") as refused:
            scroll(report, None, body)
        assert refused.value.passing


@pytest.mark.parametrize(
    ("total", "rows", "known"),
    [(81, 50, 81), ("81", 50, 81), (0, 0, 0), (None, 50, None), (0, 50, None), ("many", 50, None)],
)
def test_the_total_counts_where_it_says_something(total: Any, rows: int, known: int | None) -> None:
    assert scroll(legs(), None, page_of(total, "abc", rows))[1].total == known


@pytest.mark.parametrize("known", [81, None])
def test_the_total_of_the_first_page_holds_for_all(known: int | None) -> None:
    assert scroll(legs(), behind(FIRST, known), page_of(0, "No Data", 0))[1].total == known
    assert scroll(legs(), behind(FIRST, known), page_of(99, SECOND, 31))[1].total == known


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_in_mid_scroll_is_no_end(status: int) -> None:
    with pytest.raises(Refusal, match="the scroll broke off: HTTP") as refused:
        scroll(legs(), behind(FIRST), {"message": "scrollId expired"}, status)
    assert refused.value.kind == "incomplete"


def test_a_permission_that_is_lost_in_mid_scroll_is_named_as_such() -> None:
    with pytest.raises(Refusal) as refused:
        scroll(legs(), behind(FIRST), {"message": "user(u) does not have access to pbxId(p)"}, 403)
    assert refused.value.kind == "permission"


@pytest.mark.parametrize(
    "body", [[], {"data": []}, {"meta": {}, "data": {}}, page_of(1, "x", 0) | {"data": [1]}]
)
def test_an_answer_of_another_shape_is_no_page(body: Any) -> None:
    with pytest.raises(Refusal) as refused:
        scroll(legs(), None, body)
    assert refused.value.passing


def test_rows_stay_as_the_vendor_sent_them() -> None:
    row = {"callId": "1635571048351", "legId": "1", "missed": "-", "departments": ["Sales"], "dnis": None}
    body = {"meta": {"totalRecordCount": 1, "scrollId": "x"}, "data": [row]}
    assert rows_of(scroll(legs(), None, body)[1]) == [row]


def test_a_row_is_one_line_and_its_numbers_keep_their_digits() -> None:
    written = b'{"meta": {"scrollId": "x"}, "data": [{"callTime":\n 1.50}, {"callId": 98765432109876543210}]}'
    page = scroll(legs(), None, written)[1]
    assert lines_of(page) == b'{"callTime":1.50}\n{"callId":98765432109876543210}\n'
    page = scroll(summary(), None, b'[{"averageTalkTime":\n 1.50}]')[1]
    assert lines_of(page) == b'{"averageTalkTime":1.50}\n'


@pytest.mark.parametrize("odd", [codecs.BOM_UTF8, b""])
def test_half_an_emoji_is_passed_on(odd: bytes) -> None:
    written = b'{"meta": {"scrollId": "x"}, "data": [{"callerName": "\\ud83d"}]}'
    page = scroll(legs(), None, odd + written)[1]
    assert lines_of(page) == b'{"callerName":"\\ud83d"}\n'


# --- what is asked ------------------------------------------------------------------------------------------


def query(report: Report) -> dict[str, str]:
    return dict(vendor.parameters(report))


def test_flags_of_legs_are_sent_with_legs_only() -> None:
    asked = query(legs(by_connect_time=True, simplified="true"))
    assert (asked["isConnectTime"], asked["isSimplified"]) == ("true", "true")
    assert not {"isConnectTime", "isSimplified"} & query(records()).keys()
    assert "pageSize" not in query(summary())


@pytest.mark.parametrize(
    "pbx_id", [["acmecorp", "acmecorp2"], "acmecorp, acmecorp2", "['acmecorp','acmecorp2']"]
)
def test_several_pbxes_are_joined_by_commas(pbx_id: Any) -> None:
    assert query(legs(pbx_id=pbx_id))["pbxId"] == "acmecorp,acmecorp2"
    assert query(legs(pbx_id="allpbxes"))["pbxId"] == "allpbxes"


def test_callers_and_callees_are_lists_of_extensions() -> None:
    asked = query(records(caller=[2043, "+14155550142"], callee="2044"))
    assert (asked["caller"], asked["callee"]) == ("2043,+14155550142", "2044")
    assert query(legs(caller_or_callee=["1", "2"]))["callerOrCallee"] == "1,2"


def test_pages_are_as_large_as_the_vendor_allows_unless_told_otherwise() -> None:
    assert query(legs())["pageSize"] == "7000"
    assert query(records(page_size="500"))["pageSize"] == "500"


@pytest.mark.parametrize(
    ("kind", "path", "extra"),
    [
        ("company", "/v1/compsum", {}),
        ("extension", "/v2/extsum", {}),
        ("ring-group", "/v2/rgsum-groups", {}),
        ("ring-group-member", "/v2/rgsum-members", {"extension": "5001"}),
    ],
)
def test_each_summary_is_one_array(kind: str, path: str, extra: dict[str, str]) -> None:
    rows = [{"pbxId": "acmecorp", "totalCalls": 3}, {"pbxId": "acmecorp2", "totalCalls": 0}]
    request, page = scroll(summary(kind, **extra), None, rows)
    assert request.target == path
    assert dict(request.params).get("extId") == extra.get("extension")
    assert (rows_of(page), page.cursor) == (rows, None)


def test_members_of_ring_groups_may_be_asked_for_without_an_extension() -> None:
    assert "extId" not in query(summary("ring-group-member"))


def test_ring_groups_may_be_summed_up_over_hours_of_the_day() -> None:
    asked = query(summary("ring-group", intraday={"start": "08:30", "end": "17:00:00"}))
    assert (asked["intraStartTime"], asked["intraEndTime"]) == ("08:30:00", "17:00:00")
    assert not {"intraStartTime", "intraEndTime"} & query(summary("ring-group")).keys()


def test_a_summary_may_be_a_single_record() -> None:
    assert rows_of(scroll(summary(), None, {"pbxId": "acmecorp"})[1]) == [{"pbxId": "acmecorp"}]


@pytest.mark.parametrize(
    "body",
    ["text", [1], None, {}, {"status": 400, "message": "try later"}, {"meta": {}, "data": [{"pbxId": "a"}]}],
)
def test_a_summary_of_another_shape_is_none(body: Any) -> None:
    with pytest.raises(Refusal, match="no array of rows, it starts with") as refused:
        scroll(summary(), None, body)
    assert refused.value.passing


def test_only_the_companys_summary_is_said_to_be_a_single_record() -> None:
    with pytest.raises(Refusal, match="no array of rows"):
        scroll(summary("extension"), None, {"pbxId": "acmecorp"})


# --- two years ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "now", "said"),
    [
        ("2022-03-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00", False),
        ("2022-02-28T23:59:59+00:00", "2024-03-01T00:00:00+00:00", True),
        ("2022-02-28T12:00:00+00:00", "2024-02-29T12:00:00+00:00", False),
        ("2022-02-28T11:00:00+00:00", "2024-02-29T12:00:00+00:00", True),
        ("1999-01-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00", True),
    ],
)
def test_a_window_that_starts_before_the_vendors_two_years_is_said(start: str, now: str, said: bool) -> None:
    for report in (build(start=start, end="2024-01-01T00:00:00Z") for build in (legs, summary)):
        caveat = vendor.content(job_of(report, now)).caveat
        assert (caveat is not None) is said
        if caveat:
            assert "keeps 2 years" in caveat
            assert start in caveat


# --- wall-clock windows -------------------------------------------------------------------------------------

ZONES = ("UTC", "America/New_York", "Europe/London")
FORMAT = "%Y-%m-%d %H:%M:%S"


def instants(wall_clock: str, zone: str) -> set[datetime]:
    """Every instant at which the clocks of the zone show this."""
    local = datetime.strptime(wall_clock, FORMAT).replace(tzinfo=ZoneInfo(zone))
    found = {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return {moment for moment in found if f"{moment.astimezone(ZoneInfo(zone)):{FORMAT}}" == wall_clock}


def daily(first: date, hour: int, made_in: str, days: int) -> list[tuple[datetime, datetime]]:
    """Daily windows that start at this hour on the clocks of a zone."""
    cuts = [
        datetime(first.year, first.month, first.day, hour, tzinfo=ZoneInfo(made_in)) + timedelta(days=day)
        for day in range(days + 1)
    ]
    return [(cut.astimezone(UTC), after.astimezone(UTC)) for cut, after in pairwise(cuts)]


#: three days before each change of the clocks in 2023 to 2025, in both zones
CHANGES = [
    *(date(2023, 3, 9), date(2023, 3, 23), date(2023, 10, 26), date(2023, 11, 2)),
    *(date(2024, 3, 7), date(2024, 3, 28), date(2024, 10, 24), date(2024, 10, 31)),
    *(date(2025, 3, 6), date(2025, 3, 27), date(2025, 10, 23), date(2025, 10, 30)),
]


@given(
    first=st.sampled_from(CHANGES),
    hour=st.integers(0, 23),
    made_in=st.sampled_from(ZONES),
    sent_in=st.sampled_from(ZONES),
)
@example(first=date(2024, 10, 31), hour=1, made_in="America/New_York", sent_in="America/New_York")
@example(first=date(2024, 10, 31), hour=5, made_in="UTC", sent_in="America/New_York")
@example(first=date(2024, 10, 31), hour=6, made_in="UTC", sent_in="America/New_York")
@example(first=date(2024, 10, 24), hour=1, made_in="UTC", sent_in="Europe/London")
@example(first=date(2024, 3, 7), hour=2, made_in="America/New_York", sent_in="America/New_York")
@example(first=date(2024, 3, 28), hour=1, made_in="Europe/London", sent_in="Europe/London")
def test_daily_windows_over_a_change_of_the_clocks_tile_or_are_refused(
    first: date, hour: int, made_in: str, sent_in: str
) -> None:
    windows = daily(first, hour, made_in, days=6)
    spans: list[tuple[datetime, datetime] | None] = []
    for start, end in windows:
        try:
            report = legs(start=start, end=end, timezone=sent_in)
        except InvalidValue as refused:
            assert "twice" in str(refused)
            assert "timezone='UTC'" in str(refused)
            spans.append(None)
            continue
        asked = query(report)
        (said_start,), (said_end,) = (instants(asked[name], sent_in) for name in ("startTime", "endTime"))
        spans.append((said_start, said_end))
    # What was said means what was meant, so neighbours meet; only what the zone can't say was refused.
    for meant, said in zip(windows, spans, strict=True):
        ambiguous = any(
            len(instants(f"{bound.astimezone(ZoneInfo(sent_in)):{FORMAT}}", sent_in)) > 1 for bound in meant
        )
        assert (said is None) is ambiguous
        assert said in (None, meant)
    if sent_in == "UTC":
        assert None not in spans


def test_a_bound_with_a_fraction_of_a_second_is_refused() -> None:
    with pytest.raises(InvalidValue, match="whole seconds"):
        legs(end="2022-02-03T15:00:00.5Z")


def test_bounds_are_sent_as_they_are() -> None:
    span = Span(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC))
    assert vendor.wall_clock_bounds(span, "Asia/Kolkata") == {
        "startTime": "2024-05-01 05:30:00",
        "endTime": "2024-05-02 05:30:00",
    }


# --- what a builder refuses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "changed", "sentence"),
    [
        (legs, {"page_size": 7001}, "page_size=7001 is not allowed: give a whole number from 1 to 7000"),
        (records, {"page_size": 0}, "page_size=0"),
        (legs, {"pbx_id": []}, r"pbx_id=\[\] is not allowed: give at least 1"),
        (legs, {"pbx_id": "a,,b"}, r"pbx_id\[1\]='' is not allowed: give a non-empty string"),
        (legs, {"pbx_id": ["allpbxes", "acmecorp"]}, "'allpbxes' stands for all"),
        (legs, {"caller": [str(n) for n in range(126)]}, "caller='0' and 125 more .* give at most 125"),
        (records, {"callee": ",".join("x" * 126)}, "give at most 125"),
        (legs, {"caller": []}, "give at least 1"),
        (legs, {"caller_or_callee": "1", "caller": "2"}, r"caller_or_callee=\['1'\] is not allowed beside"),
        (records, {"caller_or_callee": "1", "callee": "2"}, r"beside callee=\['2'\]"),
        (legs, {"timezone": "EST5"}, "timezone='EST5'"),
        (legs, {"by_connect_time": "maybe"}, "by_connect_time='maybe'"),
        (legs, {"end": WINDOW["start"]}, "CronDataIntervalTimetable"),
        (summary, {"kind": "agents"}, "'company', 'extension', 'ring-group', 'ring-group-member'"),
        (summary, {"kind": "company", "extension": "5001"}, "extension='5001' .* only 'ring-group-member'"),
        (
            summary,
            {"kind": "company", "intraday": {"start": "08:30", "end": "17:00"}},
            "intraday=.* is not allowed with summary='company': only 'ring-group' takes it",
        ),
        (
            summary,
            {"kind": "ring-group", "intraday": {"start": "08:30", "end": "08:30"}},
            "at least 1 second after its start",
        ),
    ],
)
def test_bad_input_gets_a_sentence_before_anything_is_sent(
    build: Any, changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        build(**changed)


def test_125_callers_are_not_too_many() -> None:
    assert query(legs(caller=["1"] * 125))["caller"].count(",") == 124


def test_a_bound_that_the_zone_repeats_is_refused_when_the_task_runs_at_the_latest() -> None:
    report = legs(start="{{ data_interval_start }}", timezone="America/New_York", end="2024-11-03T09:00:00Z")
    report["params"]["start"] = "2024-11-03 05:30:00+00:00"
    with pytest.raises(InvalidValue, match="01:30:00 twice"):
        check_report(report)
