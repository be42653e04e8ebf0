"""V-Spark without a socket: whole days, opaque JSON, and errors that come as text under any status."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import new_job, span_of
from airflow_provider_contactcenter.reports import vspark_stats
from airflow_provider_contactcenter.vendors.intake import check_report
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.vspark import api as vspark
from tests.vendors.play import play


def report(**values: Any) -> Any:
    return vspark_stats(
        **{
            "company": "DocTestCo",
            "organization": "DocTestCo-DocTesting",
            "start": "2024-05-01T00:00:00Z",
            "end": "2024-05-03T00:00:00Z",
            **values,
        }
    )


def settings(host: str = "vspark.example.com:3000") -> Settings:
    return vspark.settings(ConnectionFields("vspark_default", host=host, password="0123abcd"))


def opening(**values: Any) -> Generator[Request, Answer, Answer]:
    content = vspark.content(new_job(report(**values), None))
    assert isinstance(content, File)
    return content.open()


# -- the request ---------------------------------------------------------------------------------------------


def test_both_ends_of_the_range_are_sent_the_last_day_included() -> None:
    [request], _ = play(opening(), b"[]")
    assert (request.method, request.target) == ("GET", "/stats/DocTestCo/DocTestCo-DocTesting")
    assert list(request.params) == [("daterange", "20240501-20240502")]
    assert (request.redirects, request.stream) == ("refused", True)


def test_one_day_has_equal_ends() -> None:
    [request], _ = play(opening(end="2024-05-02T00:00:00Z"), b"[]")
    assert list(request.params) == [("daterange", "20240501-20240501")]


@given(st.text(min_size=1).filter(lambda name: name.strip() and not set(name) & set("/\\")))
@example("Q&A? #1 100%")
def test_any_other_folder_name_is_one_encoded_segment(name: str) -> None:
    try:
        opened = opening(folder=name)
    except InvalidValue:
        assert (
            any(ord(letter) < 32 or ord(letter) == 127 for letter in name)
            or name in {".", ".."}
            or "{" in name
        )
        return
    if "{{" in name or "{%" in name:
        return
    [request], _ = play(opened, b"[]")
    parts = request.target.split("/")
    assert len(parts) == 5 and request.target.isascii()
    assert unquote(parts[-1]) == name


def test_the_token_stands_in_the_query_only() -> None:
    signed = vspark.sign(Request("GET", "/list", params=[("a", "b")]), settings(), None)
    assert list(signed.params) == [("a", "b"), ("token", "0123abcd")]
    assert not signed.headers


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("vspark.example.com:3000", "http://vspark.example.com:3000"),
        ("https://vspark.example.com/api/", "https://vspark.example.com/api"),
    ],
)
def test_a_bare_host_speaks_http_as_the_manual_has_it(host: str, base: str) -> None:
    assert settings(host).base_url == base


@pytest.mark.parametrize("fields", [{"host": "v:3000"}, {"password": "x"}])
def test_a_connection_that_lacks_something_says_so(fields: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="is empty"):
        vspark.settings(ConnectionFields("c", **fields))


def test_a_report_is_a_job_from_the_start_and_ready_without_a_request() -> None:
    asked, job = play(vspark.submit(report(), None))
    assert (asked, job["job_id"]) == ([], None)
    asked, status = play(vspark.status(job))
    assert (asked, status["state"]) == ([], "ready")


# -- days ----------------------------------------------------------------------------------------------------

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"]


def midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@given(st.sampled_from(ZONES), st.dates(date(2012, 1, 1), date(2037, 1, 1)), st.integers(1, 400))
def test_the_range_holds_the_windows_days_in_its_zone_no_more_no_less(
    zone: str, day: date, days: int
) -> None:
    window = {"start": midnight(day, zone), "end": midnight(day + timedelta(days=days), zone)}
    made = report(timezone=zone, **window)
    sent = vspark.daterange(span_of(made), zone)
    last = day + timedelta(days=days - 1)
    assert sent == f"{day:%Y%m%d}-{last:%Y%m%d}"


@given(st.sampled_from(ZONES), st.datetimes(datetime(2012, 1, 1), datetime(2037, 1, 1)))
def test_only_the_first_instant_of_a_day_is_a_bound(zone: str, at: datetime) -> None:
    start = at.replace(tzinfo=UTC)
    day = start.astimezone(ZoneInfo(zone)).date()
    if start == midnight(day, zone):
        return
    with pytest.raises(InvalidValue, match="the vendor counts whole days"):
        report(timezone=zone, start=start, end=midnight(day + timedelta(days=2), zone))


@pytest.mark.parametrize(("zone", "hours"), [("America/New_York", 23), ("America/New_York", 25)])
def test_a_day_of_23_or_25_hours_is_one_day(zone: str, hours: int) -> None:
    day = date(2024, 3, 10) if hours == 23 else date(2024, 11, 3)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert end - start == timedelta(hours=hours)
    made = report(timezone=zone, start=start, end=end)
    assert vspark.daterange(span_of(made), zone) == f"{day:%Y%m%d}-{day:%Y%m%d}"


# -- what comes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"",
        b' \r\n[{"date": "20240501"}]',
        b'\xef\xbb\xbf[{"date": "20240501"}]',
        b'{"001": {"calls": 7}}',
        b'{"error": {"calls": 1}}',
        b'{"message": 3}',
        b'{"calls": 12, "message": null}',
        b'{"001": {"calls": 7}, "error": "a name"}',
    ],
)
def test_json_of_any_shape_passes_untouched(body: bytes) -> None:
    _, opened = play(opening(), body)
    assert b"".join(opened.chunks) == body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Invalid token was provided", "authentication"),
        (b'Missing "token" field\n', "authentication"),
        (b"Auth token doesn't match", "authentication"),
        (b"Company not found", "missing"),
        (b"Organization X not found", "missing"),
        (b"Something broke", "unavailable"),
        (b"<!DOCTYPE html><title>Log in for a token</title>", "unavailable"),
        (b'{"error": "Invalid token was provided"}', "authentication"),
        (b'{"status": 400, "error": "Invalid token was provided"}', "authentication"),
        (b'{"code": "X1", "message": "Company not found"}', "missing"),
        (b'{"error": "broken", "trace": [1]}', "unavailable"),
        (b'"a string"', "unavailable"),
        (b"null", "unavailable"),
    ],
)
def test_an_error_under_200_is_an_error_with_the_vendors_words(body: bytes, kind: str) -> None:
    with pytest.raises(Refusal) as caught:
        play(opening(), body)
    assert caught.value.kind == kind
    said = body.decode().strip()
    ends = (said, f'it starts with "{said}"')  # which may be no words at all
    assert caught.value.words.endswith(ends) or body.startswith(b"{")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("HTTP 400: Invalid token was provided", "authentication"),
        ("HTTP 400: Auth token doesn't match", "authentication"),
        ('HTTP 400: Missing "token" field', "authentication"),
        ("HTTP 400: Bad request", "invalid"),
    ],
)
def test_a_400_means_what_its_text_says(words: str, kind: str) -> None:
    with pytest.raises(Refusal) as caught:
        play(opening(), Refusal("invalid", words, status=400))
    assert (caught.value.kind, caught.value.words) == (kind, words)


def test_other_refusals_keep_their_meaning() -> None:
    refusal = Refusal("unavailable", "HTTP 503: token service down", status=503)
    with pytest.raises(Refusal) as caught:
        play(opening(), refusal)
    assert caught.value is refusal


# -- folders and the connection's test -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        ["Test01", "Agent Scorecard"],
        {"Co-Org": ["Test01", "Agent Scorecard"]},
        {"Co": {"Co-Org": ["Test01", "Agent Scorecard"]}},
    ],
)
def test_folders_are_found_at_any_depth_of_nesting(body: Any) -> None:
    [request], found = play(vspark.list_folders("Co", "Co-Org"), body)
    assert found == ["Test01", "Agent Scorecard"]
    assert request.target == "/list/Co/Co-Org/folders"


@pytest.mark.parametrize("body", [{"Other": []}, [1], b"Company not found", b"", "x"])
def test_what_is_no_list_of_folders_is_not_taken_for_an_empty_one(body: Any) -> None:
    with pytest.raises(Refusal):
        play(vspark.list_folders("Co", "Co-Org"), body)


def test_the_connections_test_names_the_companies_that_the_token_may_read() -> None:
    [request], said = play(vspark.probe(settings()), ["OtherCo", "DocTestCo"])
    assert said.endswith("takes the token, which may read DocTestCo, OtherCo")
    assert request.target == "/list" and "0123abcd" not in said


def test_a_bad_token_fails_the_connections_test_although_it_is_a_400() -> None:
    with pytest.raises(Refusal) as caught:
        play(vspark.probe(settings()), Refusal("invalid", "HTTP 400: Invalid token was provided", status=400))
    assert caught.value.kind == "authentication"


# -- the builder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"folder": "a/b"}, "folder='a/b' is not allowed: it becomes one path segment"),
        ({"folder": ""}, "folder='' is not allowed"),
        ({"company": ".."}, "company='..' is not allowed"),
        ({"organization": None}, "organization=None is not allowed"),
        ({"end": "2024-04-30T00:00:00Z"}, "it lies after end="),
        ({"end": "2024-05-01T00:00:00Z"}, "it equals end="),
        ({"start": "2024-05-01T06:00:00Z"}, "it is 2024-05-01 06:00:00 in timezone='UTC'"),
        ({"timezone": "America/New_York"}, "it is 2024-04-30 20:00:00 in timezone='America/New_York'"),
        ({"timezone": "EST5EDT6"}, "give the name of an IANA time zone"),
        ({"file_format": "csv"}, "give one of 'json', 'jsonl'"),
    ],
)
def test_a_value_that_can_not_be_used_gets_a_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        report(**values)


def test_rebuilding_changes_nothing_any_more() -> None:
    made = report(
        folder=2024, timezone="Asia/Kolkata", start="2024-04-30T18:30:00Z", end="2024-05-01T18:30:00Z"
    )
    assert made["params"]["folder"] == "2024"
    assert check_report(made) == made
    json.dumps(made)


def test_a_day_that_is_not_over_is_refused_when_the_task_runs() -> None:
    with pytest.raises(InvalidValue, match="lies in the future"):
        check_report(report(), now=datetime(2024, 5, 2, 23, tzinfo=UTC))
