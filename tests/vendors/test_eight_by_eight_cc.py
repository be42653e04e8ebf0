"""8x8 Contact Center, without a socket: what is asked, and what is made of the answers."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Job, Report, Span, new_job
from airflow_provider_contactcenter.reports import (
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
)
from airflow_provider_contactcenter.vendors.eight_by_eight_cc import api as vendor
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.offer import report_types
from airflow_provider_contactcenter.vendors.intake import check_report
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Token
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.sandbox.eight_by_eight import WEEKLY
from tests.vendors.play import answer, lines_of, play, rows_of

QUEUES = {
    "type": "queue-interactions-summary",
    "groupBy": [
        {"name": "media-and-channel-and-queue", "filters": ["media", "queue"]},
        {"name": "queue", "filters": ["queue"]},
    ],
    "metrics": WEEKLY["metrics"],
}
DETAILS = {
    "type": "detailed-reports-interaction-details",
    "metrics": ["time", "queueName", "interactionDuration"],
    "searchQuery": {"fields": ["queueName", "interactionDuration"], "operators": ["in", ">", "is-empty"]},
}


def summary(**changed: Any) -> Report:
    wanted: dict[str, Any] = {
        "start": "2024-05-01T00:00:00Z",
        "end": "2024-05-02T00:00:00Z",
        "granularity": "day",
        "group_by": "queue",
        **changed,
    }
    return eight_by_eight_summary_report(wanted.pop("report_type", "queue-interactions-summary"), **wanted)


def detailed(**changed: Any) -> Report:
    wanted: dict[str, Any] = {
        "start": "2024-05-01T00:00:00Z",
        "end": "2024-05-02T00:00:00Z",
        **changed,
    }
    return eight_by_eight_detailed_report(
        wanted.pop("report_type", "detailed-reports-interaction-details"), **wanted
    )


def row(total: Any = None, **values: Any) -> dict[str, Any]:
    return {
        "total": total,
        "items": [{"key": key, "label": key.title(), "value": value} for key, value in values.items()],
    }


def page_headers(total: int, pages: int, page: int) -> dict[str, str]:
    following = f'<https://elsewhere.example/data?page={page + 1}&size=1000>; rel="next"'
    return {
        "x-page": str(page),
        "x-page-size": "1000",
        "x-total-pages": str(pages),
        "x-total-elements": str(total),
        **({"link": following} if page + 1 < pages else {}),
    }


def fetch(report: Report, *answers: Any) -> tuple[list[Request], list[dict[str, Any]]]:
    """Walk the pages of a ready job, as the stream does."""
    content = vendor.content(new_job(report, "4410077"))
    assert isinstance(content, Pages)
    asked: list[Request] = []
    rows: list[Any] = []
    cursor: Any = None
    for number, given_answer in enumerate(answers):
        assert (number == 0) == (cursor is None), f"the walk ended before answer {number}"
        requests, page = play(content.page(cursor), given_answer)
        asked += requests
        rows += rows_of(page)
        cursor = page.cursor
    assert cursor is None, f"the cursor {cursor} is left"
    return asked, rows


# --- connection ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "base"),
    [
        ({}, "https://api.8x8.com/analytics/cc/v8/historical-metrics"),
        ({"region": "us", "api_version": "v7"}, "https://api.8x8.com/analytics/cc/v7/historical-metrics"),
        ({"region": "eu"}, "https://api.8x8.com/eu/analytics/cc/v8/historical-metrics"),
        ({"region": "AU", "api_version": 6}, "https://api.8x8.com/au/analytics/cc/v6/historical-metrics"),
        ({"region": "ca"}, "https://api.8x8.com/ca/analytics/cc/v8/historical-metrics"),
    ],
)
def test_region_and_version_stand_in_the_path_but_not_in_the_token_url(
    extra: dict[str, Any], base: str
) -> None:
    settings = vendor.settings(ConnectionFields("c", login="key", password="secret", extra=extra))
    assert settings.base_url == base
    assert settings.auth_url == "https://api.8x8.com/oauth/v2/token"


def test_a_proxy_may_stand_in_with_a_path_of_its_own() -> None:
    settings = vendor.settings(
        ConnectionFields(
            "c", host="http://127.0.0.1:8900/8x8/", login="k", password="s", extra={"region": "eu"}
        )
    )
    assert settings.base_url == "http://127.0.0.1:8900/8x8/eu/analytics/cc/v8/historical-metrics"
    assert settings.auth_url == "http://127.0.0.1:8900/8x8/oauth/v2/token"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"extra": {"region": "uk"}}, "region 'uk' is not known"),
        ({"extra": {"api_version": "latest"}}, "api_version 'latest' is no version"),
        ({"host": "api.8x8.com/analytics/cc/v7/historical-metrics/"}, "holds the API's path"),
        ({"login": None}, "the connection's login is empty"),
    ],
)
def test_a_connection_that_cannot_work_is_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        vendor.settings(ConnectionFields(**{"conn_id": "c", "login": "k", "password": "s", **changed}))


def test_the_token_lives_as_long_as_the_string_says() -> None:
    settings = vendor.settings(ConnectionFields("c", login="key", password="secret"))
    asked, token = play(
        vendor.authenticate(settings), answer({"access_token": "t", "expires_in": "1799", "scope": ""})
    )
    assert (token.value, token.expires_in) == ("t", 1799.0)
    assert asked[0].form == {"grant_type": "client_credentials"}
    assert not asked[0].signed


def test_any_refusal_of_the_token_endpoint_is_one_of_credentials() -> None:
    settings = vendor.settings(ConnectionFields("c", login="key", password="secret"))
    body = {"ErrorCode": "invalid_client", "Error": "no such client"}
    with pytest.raises(Refusal, match="no such client") as refused:
        play(vendor.authenticate(settings), answer(body, 400))
    assert refused.value.kind == "authentication"
    assert "needs the product 'analytics realtime-api'" in str(refused.value.advice)


def test_every_data_call_names_the_tenant_of_the_connection() -> None:
    settings = vendor.settings(
        ConnectionFields("c", login="k", password="s", extra={"tenant_id": "northwind01"})
    )
    signed = vendor.sign(Request("GET", "/report-types"), settings, Token("t", 60))
    assert signed.headers == {"Authorization": "Bearer t", "X-Tenant-Info": "northwind01"}
    single = vendor.settings(ConnectionFields("c", login="k", password="s"))
    assert "X-Tenant-Info" not in vendor.sign(Request("GET", "/"), single, Token("t", 60)).headers


@pytest.mark.parametrize(
    ("status", "message", "kind", "advice"),
    [
        (400, "Bad request: X-Tenant-Info header is missing.", "invalid", "extra 'tenant_id'"),
        (400, "Bad request: Invalid value for X-Tenant-Info header.", "invalid", "extra 'tenant_id'"),
        (401, "expired", "authentication", "analytics realtime-api"),
        (403, "no such product", "permission", "analytics realtime-api"),
        (400, "Bad request: timezone Asia/Tokyo", "invalid", "configured optional zones"),
    ],
)
def test_a_refusal_keeps_the_vendors_words_and_says_what_to_do(
    status: int, message: str, kind: str, advice: str
) -> None:
    with pytest.raises(Refusal) as refused:
        play(report_types(), answer({"message": message}, status))
    assert refused.value.kind == kind
    assert message in refused.value.words
    assert advice in str(refused.value.advice)
    assert not refused.value.passing


# --- submitting ---------------------------------------------------------------------------------------------


def submitted(report: Report, *answers: Any, label: str | None = None) -> tuple[list[Request], Job]:
    return play(vendor.submit(report, label), *answers)


def test_the_seeds_weekly_queue_report_is_asked_for_as_the_seed_asks() -> None:
    report = eight_by_eight_summary_report(
        "queue-interactions-summary",
        title="Weeky Queue Report for OPS",
        start="2022-08-03T00:00:00Z",
        end="2022-09-02T00:00:00.001Z",  # half-open, so that the vendor's inclusive end is the seed's
        granularity="week",
        group_by="media-and-channel-and-queue",
        filters={"queue": ["103", "330"], "media": ["Phone", "Chat"]},
        timezone="America/New_York",
        intraday={"start": "08:30:00", "end": "17:00:00"},
        metrics=WEEKLY["metrics"],
        include_subtotals=True,
        include_grand_total=True,
    )
    asked, job = submitted(report, answer(QUEUES), answer({"id": 2710192, "status": "IN_PROGRESS"}))
    assert [(request.method, request.target) for request in asked] == [
        ("GET", "/report-types/queue-interactions-summary"),
        ("POST", ""),
    ]
    assert asked[1].json == WEEKLY
    assert asked[1].idempotent is False
    assert all(request.headers["Accept"] == "application/json" for request in asked)
    assert job["job_id"] == "2710192"


def test_the_seeds_overnight_range_crosses_midnight() -> None:
    report = summary(
        start="2022-08-05T00:00:00Z",
        end="2022-08-11T00:00:00.001Z",
        intraday={"start": "20:00:00", "end": "06:00:00"},
    )
    body = vendor.body_of(report, None)
    assert body["dateRange"] == {"start": "2022-08-05T00:00:00.000Z", "end": "2022-08-11T00:00:00.000Z"}
    assert body["intraDayTimeRange"] == {"start": "20:00:00", "end": "06:00:00"}


def test_what_is_not_asked_for_is_not_sent() -> None:
    body = vendor.body_of(summary(metrics=[], filters={}), "daily queues")
    assert body == {
        "type": "queue-interactions-summary",
        "title": "daily queues",
        "dateRange": {"start": "2024-05-01T00:00:00.000Z", "end": "2024-05-01T23:59:59.999Z"},
        "granularity": "day",
        "groupBy": {"name": "queue", "filters": []},
        "includeSubTotal": False,
        "includeGrandTotal": False,
    }


def test_native_rendering_and_templates_lead_to_the_same_body() -> None:
    plain = summary(filters={"queue": ["103", "330"]}, include_subtotals=True)
    rendered = summary(filters="{'queue': [103, '330']}", include_subtotals="True")
    assert rendered == plain
    assert summary(filters={"queue": "['103', '330']"}, include_subtotals=True) == plain


@given(st.text(max_size=300))
def test_any_label_makes_a_title_that_the_vendor_allows(label: str) -> None:
    title = vendor.title_of(summary()["params"], label)
    assert re.fullmatch(r"[A-Za-z0-9\s!\-_.*'()]+", title, re.ASCII)
    assert title.strip()


def test_a_run_id_loses_the_characters_that_the_vendor_forbids() -> None:
    label = "calls queues scheduled__2024-05-01T00:00:00+00:00 -1"
    assert (
        vendor.title_of(summary()["params"], label) == "calls queues scheduled__2024-05-01T00-00-00-00-00 -1"
    )
    assert vendor.title_of(summary(title="Weekly (OPS)!")["params"], label) == "Weekly (OPS)!"


moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(
    moments,
    st.timedeltas(timedelta(milliseconds=2), timedelta(days=40)),
    st.timedeltas(timedelta(milliseconds=2), timedelta(days=40)),
)
def test_neighbouring_windows_share_no_millisecond_and_miss_none(
    start: datetime, first: timedelta, second: timedelta
) -> None:
    middle, end = start + first, start + first + second
    one = vendor.date_range(Span(start, middle))
    two = vendor.date_range(Span(middle, end))
    gap = datetime.fromisoformat(two["start"]) - datetime.fromisoformat(one["end"])
    assert gap == timedelta(milliseconds=1)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", bound) for bound in one.values())


def test_a_days_last_microsecond_takes_its_last_millisecond_along() -> None:
    day = Span(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC) - timedelta(microseconds=1))
    assert vendor.date_range(day)["end"] == "2024-05-01T23:59:59.999Z"


@pytest.mark.parametrize(
    ("body", "job_id"),
    [
        ({"id": 5, "status": "DONE"}, "5"),
        ([{"id": 5, "status": "IN_PROGRESS", "reason": None}], "5"),
        ({"id": "5"}, "5"),
        ({"id": 0}, "0"),
    ],
)
def test_the_new_report_is_an_object_or_a_list_of_one(body: Any, job_id: str) -> None:
    _, job = submitted(summary(), answer(QUEUES), answer(body))
    assert job["job_id"] == job_id


def test_a_report_that_fails_at_once_fails_with_its_reason() -> None:
    failed = {"id": 5, "status": "FAILED", "reason": "too much data"}
    with pytest.raises(Refusal, match="too much data") as refused:
        submitted(summary(), answer(QUEUES), answer(failed))
    assert refused.value.kind == "failed"
    with pytest.raises(Refusal, match="the report is FAILED: too much data") as refused:
        submitted(summary(), answer(QUEUES), answer({**failed, "id": None}))
    assert refused.value.kind == "failed"


@pytest.mark.parametrize("body", [b"<html>", {}, [], {"status": "IN_PROGRESS"}])
def test_a_report_that_was_taken_without_an_id_counts_as_lost(body: Any) -> None:
    with pytest.raises(Refusal, match="holds no id") as refused:
        submitted(summary(), answer(QUEUES), answer(body))
    assert refused.value.kind == "lost"


@pytest.mark.parametrize(
    "wants",
    [
        answer({"message": "no"}, 404),
        answer(b"", 405),
        answer(b"", 307, {"location": "https://vendor.example/base/"}),
    ],
)
def test_the_address_of_summary_reports_gets_the_slash_of_the_openapi_where_it_wants_it(
    wants: Answer,
) -> None:
    asked, job = submitted(
        summary(), answer(QUEUES), replace(wants, url="https://vendor.example/base"), answer({"id": 5})
    )
    assert [(request.method, request.target) for request in asked[1:]] == [("POST", ""), ("POST", "/")]
    assert job["job_id"] == "5"


def test_a_report_that_is_redirected_was_not_taken() -> None:
    away = answer(b"", 303, {"location": "https://login.example/"})
    with pytest.raises(Refusal, match="redirects") as refused:
        submitted(summary(), answer(QUEUES), away)
    assert refused.value.kind == "invalid"


# --- discovery ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "definition", "sentence"),
    [
        (
            summary(group_by="agent"),
            QUEUES,
            "group_by='agent' is not offered .* media-and-channel-and-queue, queue",
        ),
        (
            summary(filters={"media": "Phone"}),
            QUEUES,
            "with group_by='queue' the filter='media' is not offered to this tenant, which has queue",
        ),
        (
            summary(metrics=["accepted", "parked"]),
            QUEUES,
            "metrics='parked' is not offered .* totalAbandoned",
        ),
        (
            detailed(search=[{"field": "agent", "operator": "in", "value": "x"}]),
            DETAILS,
            "search field='agent' is not offered .* queueName, interactionDuration",
        ),
        (
            detailed(search=[{"field": "queueName", "operator": "contains", "value": "x"}]),
            DETAILS,
            "search operator='contains' is not offered .* in, >, is-empty",
        ),
        (detailed(metrics="subject"), DETAILS, "metrics='subject' is not offered .* time, queueName"),
        (
            detailed(),
            {**QUEUES, "type": DETAILS["type"]},
            "ask for it with eight_by_eight_summary_report",
        ),
        (summary(), {**DETAILS, "type": QUEUES["type"]}, "ask for it with eight_by_eight_detailed_report"),
    ],
)
def test_what_the_tenant_does_not_offer_is_named_before_a_report_is_created(
    report: Report, definition: Any, sentence: str
) -> None:
    with pytest.raises(Refusal, match=sentence) as refused:
        submitted(report, answer(definition))
    assert refused.value.kind == "invalid"


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_type_is_refused_with_the_types_there_are(status: int) -> None:
    with pytest.raises(
        Refusal, match=r"report_type='calls' is not offered .* queue-interactions-summary, det"
    ):
        submitted(summary(report_type="calls"), answer({}, status), answer([QUEUES, DETAILS]))


@pytest.mark.parametrize("nothing", [None, []])
def test_an_unknown_type_may_be_answered_with_nothing(nothing: Any) -> None:
    with pytest.raises(Refusal, match=r"report_type='calls' is not offered .* queue-interactions-summary"):
        submitted(summary(report_type="calls"), answer(nothing), answer([QUEUES]))


def test_a_missing_tenant_is_told_by_the_first_refusal() -> None:
    body = {"message": "Bad request: X-Tenant-Info header is missing."}
    with pytest.raises(Refusal, match=r"X-Tenant-Info header is missing\.") as refused:
        submitted(summary(), answer(body, 400))
    assert "'tenant_id'" in str(refused.value.advice)
    assert refused.value.kind == "invalid"


def test_a_definition_that_leaves_something_out_forbids_nothing() -> None:
    bare = {"type": QUEUES["type"], "groupBy": [{"name": "queue"}]}
    submitted(summary(filters={"queue": "103"}), answer(bare), answer({"id": 1}))
    submitted(summary(), answer({"type": QUEUES["type"], "groupBy": ["queue"]}), answer({"id": 1}))
    submitted(detailed(), answer({"type": DETAILS["type"], "searchQuery": [], "more": 1}), answer({"id": 1}))
    submitted(summary(metrics=["any"]), answer({"type": QUEUES["type"]}), answer({"id": 1}))
    submitted(summary(), answer({"type": QUEUES["type"], "value": ["accepted"]}), answer({"id": 1}))


def test_what_is_offered_may_be_objects_with_a_name_as_groupings_are() -> None:
    grouping = {"name": "queue", "filters": [{"name": "queue"}]}
    named = {"type": QUEUES["type"], "groupBy": [grouping], "metrics": [{"name": "accepted"}]}
    asked = summary(group_by="queue", filters={"queue": "103"}, metrics="accepted")
    submitted(asked, answer(named), answer({"id": 1}))
    with pytest.raises(Refusal, match=r"metrics='parked' is not offered to this tenant, which has accepted$"):
        submitted(summary(group_by="queue", metrics="parked"), answer(named))


def test_the_seeds_prose_name_of_the_metrics_counts_too() -> None:
    definition = {"type": QUEUES["type"], "value": ["accepted"]}
    with pytest.raises(Refusal, match="metrics='parked' is not offered"):
        submitted(summary(metrics="parked"), answer(definition))


# --- status -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("IN_PROGRESS", "running"),
        ("QUEUED", "queued"),
        ("done", "ready"),
        ("FAILED", "failed"),
        ("ARCHIVING", "running"),
    ],
)
def test_status_words_in_any_case(word: str, state: str) -> None:
    asked, status = play(
        vendor.status(new_job(summary(), "7")), answer({"id": 7, "status": word, "reason": "r"})
    )
    assert asked[0].target == "/7/status"
    assert (status["state"], status["vendor_status"], status["reason"]) == (state, word, "r")


def test_a_status_without_a_word_is_asked_for_again() -> None:
    with pytest.raises(Refusal) as refused:
        play(vendor.status(new_job(summary(), "7")), answer({"id": 7}))
    assert refused.value.passing


def test_a_synchronous_report_without_a_status_page_is_ready_if_its_data_are_there() -> None:
    asked, status = play(vendor.status(new_job(detailed(), "7")), answer({}, 404), answer([]))
    assert [request.target for request in asked] == ["/7/status", "/detailed-reports/7/data"]
    assert status["state"] == "ready"
    with pytest.raises(Refusal) as refused:
        play(vendor.status(new_job(detailed(), "7")), answer({}, 404), answer({}, 404))
    assert refused.value.kind == "expired", "a retry submits it again"


# --- summary pages ------------------------------------------------------------------------------------------


def test_pages_are_walked_to_the_end_in_pages_of_a_thousand() -> None:
    asked, rows = fetch(
        summary(file_format="jsonl"),
        answer([row(accepted=str(n)) for n in range(1000)], headers=page_headers(1500, 2, 0)),
        answer([row(accepted=str(n)) for n in range(500)], headers=page_headers(1500, 2, 1)),
    )
    assert [request.target for request in asked] == ["/4410077/data"] * 2
    assert [request.params for request in asked] == [
        (("page", "0"), ("size", "1000")),
        (("page", "1"), ("size", "1000")),
    ]
    assert len(rows) == 1500
    assert rows[1] == {"accepted": "1"}


def test_an_empty_report_is_one_page() -> None:
    _, rows = fetch(summary(file_format="jsonl"), answer([], headers=page_headers(0, 0, 0)))
    assert rows == []


@pytest.mark.parametrize(
    ("headers", "sizes"),
    [
        ([{}, {}], [1000, 3]),
        ([{"x-total-elements": "1003"}, {"x-total-elements": "1003"}], [1000, 3]),
        ([{"x-total-pages": "2"}, {"x-total-pages": "2"}], [1000, 3]),
        ([{"link": '<u?page=1; rel="next">'}, {}], [2, 3]),
        ([{"link": '<u?page=1>; rel="next"'}, {}], [1000, 999]),
        # A full page proves nothing: the link may have gone missing.
        ([{"link": '<u?page=1>; rel="next"'}, {}, {}], [1000, 1000, 0]),
        ([{"link": '<u?page=1>; rel="next"'}, {"x-total-pages": "3"}, {}], [1000, 1000, 3]),
        ([{"x-total-elements": "1003"}, {"x-total-elements": "1003"}], [700, 303]),
        ([{"x-page-size": "100"}, {"x-page-size": "100"}], [100, 3]),
        ([{"x-page-size": "100"}, {"x-page-size": "100"}], [100, 0]),
    ],
)
def test_whatever_sign_there_is_of_further_pages_is_followed(
    headers: list[dict[str, str]], sizes: list[int]
) -> None:
    answers = [answer([row(n="1")] * size, headers=sent) for size, sent in zip(sizes, headers, strict=True)]
    _, rows = fetch(summary(file_format="jsonl"), *answers)
    assert len(rows) == sum(sizes)


@pytest.mark.parametrize("announced", [10_000, 12_345])
def test_a_report_that_reaches_the_cap_fails_on_its_first_page(announced: int) -> None:
    with pytest.raises(Refusal, match=r'10,000 rows.*file_format="csv"') as refused:
        fetch(
            summary(file_format="jsonl"),
            answer([row(n="1")] * 1000, headers=page_headers(announced, 10, 0)),
        )
    assert refused.value.kind == "capped"


def test_the_cap_is_noticed_without_any_header() -> None:
    with pytest.raises(Refusal, match='file_format="csv"'):
        fetch(summary(file_format="jsonl"), *[answer([row(n="1")] * 1000)] * 10)


def test_9_999_rows_are_no_cap() -> None:
    sizes = [1000] * 9 + [999]
    answers = [
        answer([row(n="1")] * size, headers=page_headers(9999, 10, page)) for page, size in enumerate(sizes)
    ]
    assert len(fetch(summary(file_format="jsonl"), *answers)[1]) == 9999


def test_a_page_other_than_the_one_asked_for_is_incomplete() -> None:
    headers = page_headers(1500, 2, 0)
    with pytest.raises(Refusal, match="page 1 was asked for, page 0 came"):
        fetch(summary(file_format="jsonl"), *[answer([row(n="1")] * 1000, headers=headers)] * 2)


def test_an_empty_page_before_the_end_is_incomplete() -> None:
    with pytest.raises(Refusal, match="page 1 is empty") as refused:
        fetch(
            summary(file_format="jsonl"),
            answer([row(n="1")] * 1000, headers=page_headers(1500, 2, 0)),
            answer([], headers=page_headers(1500, 2, 1)),
        )
    assert refused.value.kind == "incomplete"


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_between_two_pages_is_incomplete_and_not_a_wrong_parameter(status: int) -> None:
    page = answer([row(n="1")] * 1000, headers=page_headers(1500, 2, 0))
    with pytest.raises(Refusal, match=r"the pages broke off: HTTP 4.*of pages") as refused:
        fetch(summary(file_format="jsonl"), page, answer({"message": "number of pages"}, status))
    assert refused.value.kind == "incomplete"
    page = answer([row(n="1")], headers={"last-document-id": CURSOR})
    with pytest.raises(Refusal, match="the pages broke off") as refused:
        fetch(detailed(), page, answer({"message": "cursor"}, status))
    assert refused.value.kind == "incomplete"


@pytest.mark.parametrize("counted", [1500, 1502])
def test_rows_that_sum_up_others_may_or_may_not_be_among_the_elements(counted: int) -> None:
    pages = _last_page_of(
        summary(file_format="jsonl", include_subtotals=True),
        answer([row(n="1")] * 999 + [row({"type": "subtotal"})], headers=page_headers(counted, 2, 0)),
        answer([row(n="1")] * 501 + [row({"type": "grandtotal"})], headers=page_headers(counted, 2, 1)),
    )
    assert pages.total == 1502


@pytest.mark.parametrize("counted", [1501, 1503])
def test_any_other_number_of_elements_stays_as_the_first_page_said_it(counted: int) -> None:
    last = _last_page_of(
        summary(file_format="jsonl", include_subtotals=True),
        answer([row(n="1")] * 999 + [row({"type": "subtotal"})], headers=page_headers(counted, 2, 0)),
        answer([row(n="1")] * 501 + [row({"type": "grandtotal"})], headers=page_headers(1500, 2, 1)),
    )
    assert last.total == counted


def _last_page_of(report: Report, *answers: Any) -> Page:
    content = vendor.content(new_job(report, "4410077"))
    assert isinstance(content, Pages)
    cursor = None
    for sent in answers:
        _, page = play(content.page(cursor), sent)
        cursor = page.cursor
    assert cursor is None
    return page


@pytest.mark.parametrize(
    "body",
    [
        {"message": "?"},
        [{"values": []}],
        [{"items": [{"key": "a", "val": "1"}]}],
        [{"items": [{"key": None, "value": "1"}]}],
        [{"items": [{"key": True, "value": "1"}]}],
        [[]],
    ],
)
def test_a_page_of_another_shape_is_no_page(body: Any) -> None:
    with pytest.raises(Refusal) as refused:
        fetch(summary(file_format="jsonl"), answer(body))
    assert refused.value.passing


# --- rows ---------------------------------------------------------------------------------------------------


def flat(*rows: Any) -> list[dict[str, Any]]:
    """What becomes of a page, which is the same where it has to be read value by value."""
    as_usual = fetch(summary(file_format="jsonl"), answer(list(rows)))[1]
    oddly = fetch(summary(file_format="jsonl"), answer(codecs.BOM_UTF8 + json.dumps(rows).encode()))[1]
    assert oddly == as_usual
    return as_usual


def items(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "label": key.title(), "value": value} for key, value in pairs]


def test_both_item_shapes_become_one_flat_object() -> None:
    values = {"name1": "value1", "name2": 3, "name3": "2022-09-02T00:00:00.000Z"}
    assert flat({"total": None, "items": values}) == [values]
    assert flat(row(queueId="330", queue=None)) == [{"queueId": "330", "queue": None}]
    assert flat({"total": None, "items": None}, {"items": []}) == [{}, {}]


@pytest.mark.parametrize("name", ["total", "totals"])
def test_rows_that_sum_up_others_keep_their_mark(name: str) -> None:
    total = {"type": "subtotal", "startIndex": 0, "endIndex": 1}
    assert flat({name: total, "items": items(("queueId", None))}) == [{"_total": total, "queueId": None}]
    grand = {"type": "grandtotal", "startIndex": None, "endIndex": None}
    assert flat({name: grand, "items": []}) == [{"_total": grand}]


def test_where_totals_were_asked_for_every_row_says_whether_it_is_one() -> None:
    _, rows = fetch(
        summary(file_format="jsonl", include_subtotals=True),
        answer([row(n="1"), row({"type": "subtotal"}, n="1")]),
    )
    assert rows == [{"_total": None, "n": "1"}, {"_total": {"type": "subtotal"}, "n": "1"}]
    assert fetch(summary(file_format="jsonl"), answer([row(n="1")]))[1] == [{"n": "1"}]


def test_a_value_that_was_left_out_is_null() -> None:
    assert flat({"items": [{"key": "queue", "label": "Queue"}, {"key": "n", "value": "1"}]}) == [
        {"queue": None, "n": "1"}
    ]


def test_a_value_beside_members_that_no_document_names_is_kept() -> None:
    assert flat({"items": [{"key": "n", "value": "1", "unit": "s"}], "new": 1}) == [{"n": "1"}]


def test_no_value_is_lost_where_a_key_comes_twice() -> None:
    same = items(("queueName", "Sales")) * 2
    assert flat({"items": same}) == [{"queueName": "Sales"}]
    other = [*same, *items(("queueName", "Billing"))]
    assert flat({"items": other}) == [{"queueName": "Sales", "queueName#2": "Billing"}]
    clash = {"total": {"type": "subtotal"}, "items": items(("_total", "9"))}
    assert flat(clash) == [{"_total": {"type": "subtotal"}, "_total#2": "9"}]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(rows=st.lists(st.lists(st.tuples(st.text(), json_values), max_size=5), max_size=4))
def test_a_row_holds_every_value_as_it_was_sent(rows: list[list[tuple[str, Any]]]) -> None:
    unique = [dict(pairs) for pairs in rows]
    assert flat(*({"items": items(*pairs.items())} for pairs in unique)) == unique


def test_values_stay_as_the_vendor_wrote_them() -> None:
    written = b'[{"items": [{"key": "n", "value": 1.50}, {"key": "big", "value": 123456789012345678901234}]}]'
    content = vendor.content(new_job(summary(file_format="jsonl"), "4410077"))
    assert isinstance(content, Pages)
    _, page = play(content.page(None), answer(written))
    assert lines_of(page) == b'{"n":1.50,"big":123456789012345678901234}\n'


ODD = {
    "a byte order mark": codecs.BOM_UTF8 + b'[{"items": [{"key": "n", "value": %s}]}]',
    "half an emoji in a value": b'[{"items": [{"key": "n", "value": %s}, {"key": "s", "value": "\\ud83d"}]}]',
    "half an emoji in a key": b'[{"items": [{"key": "n", "value": %s}, {"key": "\\ud83d", "value": 1}]}]',
    "an item without value": b'[{"items": [{"key": "n", "value": %s}, {"key": "q", "label": "Q"}]}]',
    "items as an object, with half an emoji": b'[{"items": {"n": %s, "s": "\\ud83d"}}]',
}
DIGITS = ["1.50", "0.1000000000000000055511151231257827", "123456789012345678901234", "1E400", "-0", "-0.0"]


@pytest.mark.parametrize("written", [*DIGITS, '[1.50,{"ms":2.0}]', '{"value":1e2,"ongoing":false}'])
@pytest.mark.parametrize("page", ODD.values(), ids=ODD)
def test_an_odd_page_keeps_the_digits_of_its_numbers(page: bytes, written: str) -> None:
    content = vendor.content(new_job(summary(file_format="jsonl"), "4410077"))
    assert isinstance(content, Pages)
    _, got = play(content.page(None), answer(page % written.encode()))
    assert lines_of(got).startswith(b'{"n":' + written.encode())
    json.loads(lines_of(got))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "[NaN]"])
@pytest.mark.parametrize("page", [b'[{"items": [{"key": "n", "value": %s}]}]', *ODD.values()])
def test_what_json_does_not_have_is_refused_and_never_becomes_null(page: bytes, word: str) -> None:
    for report in (summary(file_format="jsonl"), detailed()):
        with pytest.raises(Refusal, match=r"it holds -?(NaN|Infinity)") as refused:
            fetch(report, answer(page % word.encode()))
        assert refused.value.passing


@pytest.mark.parametrize("odd", ['"\\ud83d"', '"line\\nend"', "1e3", "[\n1,\r\n2]"])
def test_a_row_is_one_line_whatever_its_values_are(odd: str) -> None:
    written = '[{"items": [{"key": "n",\n "value": ' + odd + "}]}]"
    content = vendor.content(new_job(summary(file_format="jsonl"), "4410077"))
    assert isinstance(content, Pages)
    _, page = play(content.page(None), answer(written.encode()))
    [line] = lines_of(page).splitlines()
    assert json.loads(line) == {"n": json.loads(odd)}


def test_a_page_that_is_not_utf_8_is_no_page() -> None:
    with pytest.raises(Refusal, match="not JSON") as refused:
        fetch(summary(file_format="jsonl"), answer(b'[{"items": [{"key": "n", "value": "M\xfcller"}]}]'))
    assert refused.value.passing


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("file_format", "accept"), [("csv", "text/csv"), ("xlsx", "text/xlsx")])
def test_files_are_downloaded_with_the_accept_of_their_format(file_format: str, accept: str) -> None:
    for report in (summary(file_format=file_format), detailed(file_format=file_format)):
        content = vendor.content(new_job(report, "7"))
        assert isinstance(content, File)
        assert content.file_format == file_format
        asked, _ = play(content.open(), answer(b'"Start Time",[x]\n'))
        assert (asked[0].target, asked[0].headers["Accept"], asked[0].stream) == ("/7/download", accept, True)


def test_a_workbook_is_asked_for_by_the_openapis_name_where_the_guides_is_not_acceptable() -> None:
    content = vendor.content(new_job(summary(file_format="xlsx"), "7"))
    assert isinstance(content, File)
    asked, _ = play(content.open(), answer(b"", 406), answer(b"PK"))
    assert [request.headers["Accept"] for request in asked] == ["text/xlsx", "application/vnd.ms-excel"]
    with pytest.raises(Refusal, match="HTTP 406"):
        play(content.open(), answer(b"", 406), answer(b"", 406))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "Bad request: not yet"}', "Bad request: not yet"),
        (b"[]", r"\[\]"),
        (b' [{"a": 1}]', '"a": 1'),
        (b"{}", "{}"),
    ],
)
def test_json_in_place_of_the_file_is_no_file(body: bytes, words: str) -> None:
    content = vendor.content(new_job(summary(), "7"))
    assert isinstance(content, File)
    with pytest.raises(Refusal, match=f"JSON instead of the file: .*{words}"):
        play(content.open(), answer(body))


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_an_empty_body_is_no_file_for_its_first_row_names_the_columns(file_format: str) -> None:
    content = vendor.content(new_job(summary(file_format=file_format), "7"))
    assert isinstance(content, File)
    with pytest.raises(Refusal, match="the download is empty") as refused:
        play(content.open(), replace(answer(), chunks=iter(())))
    assert refused.value.passing


# --- detailed reports ---------------------------------------------------------------------------------------

CURSOR = "eyJzZWFyY2hBZnRlciI6WzE2NDQ0NzA0MzQ5NzIsOTQ1MDExNzMwMjhdfQ=="


def test_a_detailed_report_as_jsonl_is_made_at_once_and_takes_no_granularity() -> None:
    report = detailed(
        metrics=["time", "queueName"],
        search=[{"field": "queueName", "operator": "in", "value": ["Sales", "Billing"]}],
        include_participants=True,
        show_ongoing=True,
        show_state_in_time=True,
        title="All calls",
    )
    asked, job = submitted(report, answer(DETAILS), answer({"id": 5120334, "status": "DONE"}))
    assert asked[1].target == "/detailed-reports"
    assert asked[1].json == {
        "type": "detailed-reports-interaction-details",
        "title": "All calls",
        "dateRange": {"start": "2024-05-01T00:00:00.000Z", "end": "2024-05-01T23:59:59.999Z"},
        "metrics": ["time", "queueName"],
        "searchQuery": [{"field": "queueName", "operator": "in", "value": ["Sales", "Billing"]}],
        "includeParticipants": True,
        "reportSettings": {"showOngoingInteractions": True, "showInteractionsStateInTime": True},
    }
    assert job["job_id"] == "5120334"


def test_a_detailed_report_as_a_file_goes_through_the_ordinary_create() -> None:
    asked, _ = submitted(detailed(file_format="csv"), answer(DETAILS), answer({"id": 1, "status": "QUEUED"}))
    assert asked[1].target == ""
    assert asked[1].json["granularity"] == "none"
    assert "groupBy" not in asked[1].json


def test_extra_body_adds_what_no_parameter_says() -> None:
    report = detailed(file_format="csv", extra_body={"granularity": None, "groupBy": {"name": "x"}})
    body = vendor.body_of(report, None)
    assert "granularity" not in body
    assert body["groupBy"] == {"name": "x"}


def test_script_paths_holds_none_of_the_keys_that_it_refuses() -> None:
    report = detailed(
        report_type="script-paths",
        file_format="csv",
        timezone="Europe/Helsinki",
        search=[{"field": "queue", "operator": "in", "value": ["103"]}],
    )
    assert vendor.body_of(report, "paths") == {
        "type": "script-paths",
        "title": "paths",
        "dateRange": {"start": "2024-05-01T00:00:00.000Z", "end": "2024-05-01T23:59:59.999Z"},
        "timezone": "Europe/Helsinki",
        "searchQuery": [{"field": "queue", "operator": "in", "value": ["103"]}],
    }


def test_cursors_lead_from_page_to_page_until_one_has_none() -> None:
    asked, rows = fetch(
        detailed(),
        answer([row(n="1")] * 1000, headers={"last-document-id": CURSOR, "x-total-elements": "1001"}),
        answer([row(n="2")], headers={"x-total-elements": "1001"}),
    )
    assert [request.target for request in asked] == ["/detailed-reports/4410077/data"] * 2
    assert [list(request.params) for request in asked] == [
        [("size", "1000")],
        [("size", "1000"), ("lastDocumentId", CURSOR)],
    ]
    assert len(rows) == 1001


@pytest.mark.parametrize(
    "headers",
    [
        {"last-document-id": CURSOR.replace("=", "%3D")},
        {"link": f'<https://x.example/data?lastDocumentId={CURSOR.replace("=", "%3D")}>; rel="next"'},
    ],
)
def test_a_cursor_may_come_encoded_or_in_the_link(headers: dict[str, str]) -> None:
    asked, _ = fetch(detailed(), answer([row(n="1")], headers=headers), answer([row(n="2")]))
    assert asked[1].params[-1] == ("lastDocumentId", CURSOR)


@pytest.mark.parametrize(
    ("rows", "link"),
    [([], f"lastDocumentId={CURSOR}"), ([row(n="1")], "size=1000")],
)
def test_a_next_page_that_cannot_be_reached_is_no_end(rows: Any, link: str) -> None:
    headers = {"link": f'<https://x.example/data?{link}>; rel="next"'}
    with pytest.raises(Refusal, match="names a next page") as refused:
        fetch(detailed(), answer(rows, headers=headers))
    assert refused.value.kind == "incomplete"


def test_an_empty_page_without_a_next_one_is_the_end() -> None:
    last = {"last-document-id": CURSOR}
    assert len(fetch(detailed(), answer([row(n="1")], headers=last), answer([], headers=last))[1]) == 1


def test_a_full_page_without_a_cursor_proves_nothing() -> None:
    full = [row(n="1")] * 1000
    with pytest.raises(Refusal, match="without Last-Document-Id and X-Total-Elements") as refused:
        fetch(detailed(), answer(full))
    assert refused.value.kind == "incomplete"
    with pytest.raises(Refusal, match="without Last-Document-Id"):
        fetch(detailed(), answer(full[:100], headers={"x-page-size": "100"}))
    # Where the total says so, a full page may be the last.
    assert len(fetch(detailed(), answer(full, headers={"x-total-elements": "1000"}))[1]) == 1000
    assert len(fetch(detailed(), answer(full[:999]))[1]) == 999


def test_values_of_every_documented_kind_stay_as_they_are() -> None:
    values: dict[str, Any] = {
        "time": "2025-06-03T09:12:44.310+02:00",
        "caseNumber": None,
        "interactionLabels": ["Queued", "Handled"],
        "finishedTime": {"value": "2025-06-03T09:17:02.118+02:00", "ongoing": False},
        "interactionDuration": {"value": 257808, "ongoing": False},
        "wrapUpDuration": "0:00:41",
        "participants": [{"participantHoldDuration": 0, "participantName": ["Iris"]}],
    }
    assert fetch(detailed(), answer([row(**values)]))[1] == [values]


# --- what a builder refuses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "granularity"),
    [
        ("2024-05-08T00:00:00Z", "15m"),
        ("2024-05-08T00:00:00Z", "none"),
        ("2024-05-08T01:00:00Z", "15m"),  # a week in a zone where clocks go back has an hour more
        ("2024-05-08T01:00:00Z", "week"),
        ("2024-05-09T00:00:00Z", "week"),
        ("2024-05-29T00:00:00Z", "day"),
        ("2024-05-31T00:00:00Z", "week"),  # nobody says whether the vendor's month has 28 days or 31
        ("2024-05-31T00:00:00Z", "month"),
        ("2024-06-01T00:00:00Z", "day"),
        ("2025-05-01T00:00:00Z", "year"),
    ],
)
def test_granularities_that_the_range_allows(end: str, granularity: str) -> None:
    summary(end=end, granularity=granularity)


@pytest.mark.parametrize(
    ("end", "granularity", "row_of_the_table"),
    [
        ("2024-05-02T00:00:00Z", "week", "of at most a week, 15m, 30m, hour, day, none"),
        ("2024-05-02T00:00:00Z", "month", "of at most a week, 15m, 30m, hour, day, none"),
        ("2024-05-08T01:00:01Z", "15m", "longer than a week and of at most a month, none, hour, day, week"),
        ("2024-05-29T00:00:00Z", "month", "longer than a week and of at most a month, none, hour, day, week"),
        ("2024-06-01T01:00:01Z", "week", "longer than a month, none, month, year"),
        ("2025-05-01T00:00:00Z", "day", "longer than a month, none, month, year"),
    ],
)
def test_a_granularity_that_the_range_forbids_is_refused_with_the_tables_row(
    end: str, granularity: str, row_of_the_table: str
) -> None:
    with pytest.raises(InvalidValue, match=f"granularity=.{granularity}. .* days?.*{row_of_the_table}"):
        summary(end=end, granularity=granularity)


@pytest.mark.parametrize(
    ("build", "changed", "sentence"),
    [
        (summary, {"granularity": "weekly"}, "granularity='weekly' is not allowed: give one of '15m'"),
        (summary, {"title": "Calls: May"}, "title='Calls: May' .* ! - _"),
        (summary, {"title": "Calls\nMay"}, "letters A to Z"),
        (summary, {"timezone": "EST5"}, "timezone='EST5'"),
        (summary, {"filters": ["queue"]}, "filters=.* give a dict"),
        (summary, {"filters": {"queue": []}}, r"filters\['queue'\]=\[\] is not allowed: give at least 1"),
        (summary, {"filters": {"wrap-up-code": "1201"}}, "'wrap-up-code'.='1201' .* such as '170-1201'"),
        (summary, {"intraday": {"start": "08:00:00", "end": "08:14:59"}}, "at least 15 minutes after"),
        (summary, {"intraday": {"start": "08:00:00", "end": "08:00:00"}}, "at least 15 minutes after"),
        (summary, {"intraday": {"start": "23:50:00", "end": "00:04:59"}}, "at least 15 minutes after"),
        (summary, {"intraday": {"start": "8:00", "end": "09:00"}}, "time of day as hh:mm:ss"),
        (summary, {"intraday": {"from": "08:00:00", "end": "09:00:00"}}, "'start' and 'end'"),
        (detailed, {"intraday": {"start": "08:00:00", "end": "08:04:59"}}, "at least 5 minutes after"),
        (summary, {"file_format": "json"}, "'csv', 'xlsx', 'jsonl'"),
        (summary, {"include_subtotals": "yes"}, "include_subtotals='yes' .* True or False"),
        (summary, {"extra_body": {"timezone": "UTC"}}, r"extra_body\['timezone'\] .* give timezone instead"),
        (summary, {"extra_body": {"groupBy": {}}}, "give group_by and filters instead"),
        (detailed, {"extra_body": {"reportSettings": {}}}, "give show_ongoing and show_state_in_time"),
        (detailed, {"search": "queueName"}, "give a list of dicts"),
        (detailed, {"search": [{"field": "a", "op": "in"}]}, "'field', 'operator' and 'value'"),
        (detailed, {"search": [{"field": "a", "operator": "like", "value": "b"}]}, "'is-not-empty'"),
        (detailed, {"search": [{"field": "a", "operator": "=", "value": ["b"]}]}, "takes one string"),
        (detailed, {"search": [{"field": "a", "operator": "in"}]}, "value.*give a non-empty string"),
        (detailed, {"search": [{"field": "a", "operator": "is-empty", "value": "b"}]}, "takes none"),
        (detailed, {"show_state_in_time": True}, "goes with show_ongoing=True"),
        (
            detailed,
            {"report_type": "detailed-reports-survey", "include_participants": True},
            "only report_type='detailed-reports-interaction-details'",
        ),
        (detailed, {"report_type": "script-paths"}, "file_format='jsonl' .* give 'csv'"),
        (detailed, {"report_type": "script-paths", "file_format": "csv"}, "timezone=None"),
        (
            detailed,
            {"report_type": "script-paths", "file_format": "csv", "timezone": "UTC", "metrics": ["a"]},
            "metrics=.'a'. is not allowed with report_type='script-paths'",
        ),
        (
            detailed,
            {
                "report_type": "script-paths",
                "file_format": "csv",
                "timezone": "UTC",
                "extra_body": {"includeSubTotal": True},
            },
            r"extra_body\['includeSubTotal'\] is not allowed with report_type='script-paths'",
        ),
        (
            detailed,
            {
                "report_type": "script-paths",
                "file_format": "csv",
                "timezone": "UTC",
                "search": [{"field": "queueName", "operator": "in", "value": "a"}],
            },
            "one of the fields script, queue, agent, channel",
        ),
        (summary, {"end": "2024-05-01T00:00:00Z"}, "equals end"),
    ],
)
def test_bad_input_gets_a_sentence_before_anything_is_sent(
    build: Any, changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        build(**changed)


@pytest.mark.parametrize("build", [summary, detailed])
def test_templates_pass_and_are_checked_when_the_task_runs(build: Any) -> None:
    report = build(start="{{ data_interval_start }}", timezone="{{ params.zone }}", metrics=["{{ x }}"])
    with pytest.raises(InvalidValue, match="never rendered"):
        check_report(report)
    report["params"] |= {"start": "2024-05-01 00:00:00+00:00", "timezone": "UTC", "metrics": "['accepted']"}
    assert check_report(report)["params"]["metrics"] == ["accepted"]
