"""Khoros Care without a socket: the seed's own answers, the window, the ids, and what counts as failure."""

from __future__ import annotations

import json
import string
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Job, Span, Status, new_job
from airflow_provider_contactcenter.reports import khoros_care_report
from airflow_provider_contactcenter.vendors.intake import check_report
from airflow_provider_contactcenter.vendors.khoros_care import api as khoros_care
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.vendors.play import play

BASE = "https://analytics.example.com/prefix"
WORKFLOW = "cc645bd3-9def-3d5c-bf05-20efeb11f453"
RUN = "23IS1+Anp9mm9Bl+C2VZV3UY2T6g4H6eoODJUFQPVpvlI="
PATH = f"/api/public/reports/report/{WORKFLOW}/23IS1%2BAnp9mm9Bl%2BC2VZV3UY2T6g4H6eoODJUFQPVpvlI%3D"
#: the seed's host
HOST = "https://analytics-api.app.lithium.com"

#: seed 001, the answer to a submit
SUBMITTED = {
    "status": "PASS",
    "request": None,
    "message": None,
    "result": {
        "workflowId": WORKFLOW,
        "runId": RUN,
        "downloadUrl": "",
        "statusUrl": f"{HOST}{PATH}/status?companyKey=[COMPANY_KEY]",
    },
}


def entry(state: Any, detail: Any, url: str = "", **runner: Any) -> dict[str, Any]:
    """The part of a status answer that the seed has as an object and in a list."""
    return {
        "jobInfo": {
            "workflowId": WORKFLOW,
            "runId": RUN,
            "downloadUrl": url,
            "statusUrl": f"{HOST}{PATH}/status?analyticsAccessToken=53u6j8zjSLAe6e%2F8s80LtA%3D%3D",
        },
        "result": {
            "runnerState": state,
            "reason": None,
            "detail": detail,
            "currentCount": None,
            "totalCount": None,
            "lastAcknowledgeTime": None,
            **runner,
        },
    }


def passed(result: Any) -> dict[str, Any]:
    return {"status": "PASS", "request": None, "message": None, "result": result}


TOKEN_QUERY = "analyticsAccessToken=oMqgB5T7BikRH3ISPxlqIw%3D%3D"
#: seed 001: an object when completed, lists of one while running and when failed
COMPLETED = passed(entry("CLOSED", "COMPLETED", f"{HOST}{PATH}/download?{TOKEN_QUERY}"))
RUNNING = passed([entry("RUNNING", "")])
FAILED = passed([entry("CLOSED", "FAILED")])


def report(**values: Any) -> Any:
    window = {"start": "2019-03-01T12:00:00+00:00", "end": "2019-05-01T12:00:00+00:00"}
    return khoros_care_report("conversation", **{**window, **values})


def job(job_id: str = f"{WORKFLOW}/{RUN}", **values: Any) -> Job:
    return new_job(report(**values), job_id)


def settings() -> Settings:
    return khoros_care.settings(
        ConnectionFields(
            "khoros_care_default",
            host=BASE,
            login="jane@example.com",
            password="pä:ss",
            extra={"company_api_key": "key+/="},
        )
    )


# -- submit --------------------------------------------------------------------------------------------------


def test_submit_sends_the_seeds_query_and_keeps_both_ids_as_they_are() -> None:
    values = report(metrics=["CONVERSATION_ID", "STATUS", "ASSIGNED_AGENT_DISPLAY_ID"])
    [request], made = play(khoros_care.submit(values, "a label"), SUBMITTED)
    assert made["job_id"] == f"{WORKFLOW}/{RUN}"
    assert (request.method, request.target) == ("GET", "/api/public/reports/report/conversation")
    assert list(request.params) == [
        ("reportFormat", "csv"),
        ("locale", "en_US"),
        ("startTime", "1551441600000"),
        ("endTime", "1556712000000"),
        ("reportMetrics", "CONVERSATION_ID"),
        ("reportMetrics", "STATUS"),
        ("reportMetrics", "ASSIGNED_AGENT_DISPLAY_ID"),
    ]
    assert not request.idempotent


@pytest.mark.parametrize("path", ["report/report", "report/marketing", "marketing"])
def test_path_and_method_are_the_reports(path: str) -> None:
    [request], _ = play(khoros_care.submit(report(path=path, method="POST"), None), SUBMITTED)
    assert (request.method, request.target) == ("POST", f"/api/public/reports/{path}/conversation")
    assert request.json is None and request.form is None and request.params


def test_filters_become_repeated_keys_in_the_order_given() -> None:
    values = report(file_format="jsonl", filters={"queue": ["103", 330], "conversationReportType": "OPEN"})
    [request], _ = play(khoros_care.submit(values, None), SUBMITTED)
    assert ("reportFormat", "json") in request.params
    assert list(request.params)[4:] == [
        ("queue", "103"),
        ("queue", "330"),
        ("conversationReportType", "OPEN"),
    ]


def test_an_envelope_without_pass_is_the_vendors_no_and_final() -> None:
    refused = {"status": "FAIL", "message": "Unknown export", "result": None}
    with pytest.raises(Refusal, match="FAIL: Unknown export") as caught:
        play(khoros_care.submit(report(), None), refused)
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("wrap", [lambda made: made, lambda made: {"jobInfo": made, "result": None}])
@pytest.mark.parametrize("listed", [False, True])
def test_the_new_job_is_found_in_every_shape_that_a_job_has(wrap: Any, listed: bool) -> None:
    result = wrap({"workflowId": WORKFLOW, "runId": RUN, "downloadUrl": "", "statusUrl": "x"})
    _, made = play(khoros_care.submit(report(), None), passed([result] if listed else result))
    assert made["job_id"] == f"{WORKFLOW}/{RUN}"


@pytest.mark.parametrize(
    "body",
    [
        *(b"<html>login</html>", b"{", b"null", b"[]", b"{}"),
        *(passed(None), passed([]), passed([None]), passed({"runId": RUN}), passed({"jobInfo": {}})),
        passed([{"workflowId": WORKFLOW, "runId": run_id} for run_id in (RUN, "23other")]),
    ],
)
def test_an_answer_to_a_submit_that_names_no_job_counts_as_lost(body: Any) -> None:
    with pytest.raises(Refusal) as caught:
        play(khoros_care.submit(report(), None), body)
    assert caught.value.kind == "lost"


# -- the window ----------------------------------------------------------------------------------------------

INSTANTS = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(INSTANTS, st.timedeltas(timedelta(microseconds=1), timedelta(days=400)))
def test_bounds_are_whole_milliseconds_that_hold_the_whole_window(start: datetime, span: timedelta) -> None:
    end = start + span
    sent = khoros_care.bounds(Span(start, end))
    epoch, millisecond = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
    assert all(type(value) is int for value in sent.values())
    assert start - millisecond < epoch + sent["startTime"] * millisecond <= start
    assert end <= epoch + sent["endTime"] * millisecond < end + millisecond


def test_bounds_are_the_same_instant_whatever_offset_it_is_written_with() -> None:
    [first, second] = [
        report(start=start)["params"]["start"]
        for start in ("2019-03-01T12:00:00Z", "2019-03-01 13:00:00+01:00")
    ]
    assert first == second == "2019-03-01T12:00:00+00:00"


# -- status --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "state", "word"),
    [
        (COMPLETED, "ready", "CLOSED COMPLETED"),
        (RUNNING, "running", "RUNNING"),
        (FAILED, "failed", "CLOSED FAILED"),
        (passed(entry("RUNNING", None)), "running", "RUNNING"),
        (passed([entry("CLOSED", "COMPLETED")]), "ready", "CLOSED COMPLETED"),
        (passed(entry("closed", "completed")), "ready", "closed completed"),
        (passed(entry("CLOSED", "CANCELED")), "cancelled", "CLOSED CANCELED"),
        (passed(entry("CLOSED", "TIMED_OUT")), "failed", "CLOSED TIMED_OUT"),
        (passed(entry("CLOSED", "")), "failed", "CLOSED"),
        (passed(entry("CLOSED", None)), "failed", "CLOSED"),
        (passed(entry("OPENING", "")), "running", "OPENING"),
        (passed(entry("RUNNING", "COMPLETED")), "running", "RUNNING"),
        (passed(entry(None, "COMPLETED")), "running", None),
        (passed([]), "running", None),
        (passed(None), "running", None),
        (passed([{"jobInfo": None, "result": None}]), "running", None),
        ({"status": "FAIL", "message": "boom", "result": None}, "failed", "FAIL"),
    ],
)
def test_state_and_detail_together_say_how_a_job_does(body: Any, state: str, word: str | None) -> None:
    [request], found = play(khoros_care.status(job()), body)
    assert (found["state"], found["vendor_status"]) == (state, word)
    assert (request.method, request.target) == ("GET", f"{PATH}/status")


def test_a_download_url_alone_means_nothing() -> None:
    url = f"{HOST}{PATH}/download?{TOKEN_QUERY}"
    for state, detail, expected in (("CLOSED", "FAILED", "failed"), ("RUNNING", "", "running")):
        _, found = play(khoros_care.status(job()), passed(entry(state, detail, url)))
        assert found["state"] == expected


def test_the_reason_is_the_runners_or_the_envelopes_message() -> None:
    _, found = play(khoros_care.status(job()), passed(entry("CLOSED", "FAILED", reason="out of memory")))
    assert found["reason"] == "out of memory"
    _, found = play(khoros_care.status(job()), {**FAILED, "message": "the export was too large"})
    assert found == Status(state="failed", vendor_status="CLOSED FAILED", reason="the export was too large")
    _, found = play(khoros_care.status(job()), {"status": "ERROR", "message": "no such run"})
    assert found == Status(state="failed", vendor_status="ERROR", reason="no such run")


@pytest.mark.parametrize("body", [b"<html>", b"", b"{", b"[]", b"{}", b"null", b'"PASS"'])
def test_an_unreadable_status_is_a_blip(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        play(khoros_care.status(job()), body)
    assert caught.value.passing


def test_an_answer_without_a_status_passes_on_the_vendors_words() -> None:
    said = {"error": "run 23 was purged", "code": 7}
    with pytest.raises(Refusal, match=r"the answer has no status.*run 23 was purged"):
        play(khoros_care.status(job()), said)
    with pytest.raises(Refusal, match="run 23 was purged") as lost:
        play(khoros_care.submit(report(), None), said)
    assert lost.value.kind == "lost", "the export may have been started"


def test_of_several_jobs_in_one_answer_only_ones_own_counts() -> None:
    other = entry("CLOSED", "FAILED")
    other["jobInfo"] = {**other["jobInfo"], "runId": "23other"}
    _, found = play(khoros_care.status(job()), passed([other, entry("RUNNING", "")]))
    assert found["state"] == "running"
    with pytest.raises(Refusal, match="none of them this one"):
        play(khoros_care.status(job()), passed([other, other]))


# -- ids -----------------------------------------------------------------------------------------------------

BASE64 = string.ascii_letters + string.digits + "+/="


@given(st.text(BASE64, min_size=1))
def test_any_base64_run_id_stands_in_the_path_as_one_encoded_segment(run_id: str) -> None:
    _, made = play(khoros_care.submit(report(), None), passed({"workflowId": WORKFLOW, "runId": run_id}))
    [request], _ = play(khoros_care.status(made), RUNNING)
    segment = request.target.removeprefix(f"/api/public/reports/report/{WORKFLOW}/").removesuffix("/status")
    assert not set(segment) & set("+/=")
    replaced = segment.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    assert replaced == run_id and "%" not in replaced


@pytest.mark.parametrize("job_id", ["", "only-a-workflow", "/run", "workflow/"])
def test_a_job_id_of_another_make_is_refused(job_id: str) -> None:
    with pytest.raises(Refusal, match="<workflowId>/<runId>"):
        play(khoros_care.status(job(job_id)), RUNNING)


# -- credentials ---------------------------------------------------------------------------------------------


def test_each_request_carries_basic_in_utf8_and_the_company_key_once() -> None:
    signed = khoros_care.sign(Request("GET", "/x", params=[("a", "b")]), settings(), None)
    assert list(signed.params) == [("a", "b"), ("companyKey", "key+/=")]
    assert signed.headers["Authorization"] == "Basic amFuZUBleGFtcGxlLmNvbTpww6Q6c3M="


def test_whatever_repeats_the_basic_header_has_it_masked() -> None:
    assert "amFuZUBleGFtcGxlLmNvbTpww6Q6c3M=" in settings().secrets
    assert "amFuZUBleGFtcGxlLmNvbTpww6Q6c3M=" not in repr(settings())


def test_the_access_token_takes_the_company_keys_place() -> None:
    signed = khoros_care.sign(Request("GET", f"/x?{TOKEN_QUERY}"), settings(), None)
    assert list(signed.params) == [] and "Authorization" in signed.headers


def test_a_redirects_own_query_stays_as_it_is() -> None:
    signed = khoros_care.sign(Request("GET", f"{BASE}/file?signature=1"), settings(), None)
    assert list(signed.params) == []


@pytest.mark.parametrize("missing", ["login", "password", "company_api_key", "host"])
def test_a_connection_that_lacks_something_says_what(missing: str) -> None:
    values: dict[str, Any] = {"host": BASE, "login": "jane", "password": "pw"}
    extra = {"company_api_key": "key"}
    values.pop(missing, None)
    extra.pop(missing, None)
    with pytest.raises(Refusal, match=f"connection's {missing} is empty"):
        khoros_care.settings(ConnectionFields("c", **values, extra=extra))


# -- download ------------------------------------------------------------------------------------------------


def opening(file_format: str = "csv") -> Generator[Request, Answer, Answer]:
    content = khoros_care.content(job(file_format=file_format))
    assert isinstance(content, File)
    return content.open()


def test_the_newest_access_token_is_used_at_ones_own_base_never_the_url() -> None:
    [_, download], _ = play(opening(), COMPLETED, b"A,B\r\n1,2\r\n")
    assert download.target == f"{PATH}/download?{TOKEN_QUERY}"
    assert (download.redirects, download.stream) == ("followed", True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"{HOST}{PATH}/download?companyKey=abc",
        f"{HOST}{PATH}/download",
        f"https://evil.example.com/other/download?{TOKEN_QUERY}",
        f"{HOST}/api/public/reports/report/{WORKFLOW}/23other/download?{TOKEN_QUERY}",
        f"{HOST}{PATH}/download?{TOKEN_QUERY}#fragment",
        f"{HOST}{PATH}/download?{TOKEN_QUERY}\r\nX-Injected: 1",
    ],
)
def test_without_a_usable_download_url_the_company_key_does(url: str) -> None:
    [_, download], _ = play(opening(), passed([entry("CLOSED", "COMPLETED", url)]), b"A\r\n")
    assert download.target == f"{PATH}/download"


NEWER = passed(entry("CLOSED", "COMPLETED", f"{HOST}{PATH}/download?analyticsAccessToken=newer%3D%3D"))
EXPIRED = {"status": "FAIL", "message": "The token has expired", "result": None}


@pytest.mark.parametrize("kind", ["authentication", "permission", "missing", "invalid"])
def test_where_the_access_token_is_refused_a_newer_one_is_asked_for(kind: Any) -> None:
    [_, _, poll, second], _ = play(opening(), COMPLETED, Refusal(kind, "expired"), NEWER, b"A\r\n")
    assert poll.target == f"{PATH}/status"
    assert second.target == f"{PATH}/download?analyticsAccessToken=newer%3D%3D"


@pytest.mark.parametrize("refused", [Refusal("permission", "expired", status=403), EXPIRED])
def test_where_there_is_no_newer_access_token_the_company_key_is_tried_once(refused: Any) -> None:
    [*_, last], _ = play(opening(), COMPLETED, refused, COMPLETED, b"A\r\n")
    assert last.target == f"{PATH}/download"
    with pytest.raises(Refusal, match="also"):
        play(opening(), COMPLETED, refused, COMPLETED, Refusal("permission", "also"))


def test_no_more_than_two_access_tokens_are_tried() -> None:
    [*_, last], _ = play(opening(), COMPLETED, EXPIRED, NEWER, Refusal("missing", "gone"), b"A\r\n")
    assert last.target == f"{PATH}/download"


@pytest.mark.parametrize("kind", ["unavailable", "undecodable"])
def test_a_blip_at_the_download_is_no_reason_to_change_the_key(kind: Any) -> None:
    with pytest.raises(Refusal, match="busy"):
        play(opening(), COMPLETED, Refusal(kind, "busy"))


@pytest.mark.parametrize(("body", "kind"), [(RUNNING, "unavailable"), (FAILED, "failed")])
def test_a_job_that_is_not_ready_has_no_file(body: Any, kind: str) -> None:
    with pytest.raises(Refusal, match="so it has no file") as caught:
        play(opening(), body)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("file_format", "body", "kind", "words"),
    [
        ("csv", {"status": "FAIL", "message": "gone"}, "failed", "FAIL: gone"),
        ("json", {"status": "FAIL", "message": "gone"}, "failed", "FAIL: gone"),
        ("json", {"code": 7, "status": "FAIL", "message": "gone"}, "failed", "FAIL: gone"),
        ("csv", {"code": 7, "message": "gone", "status": "FAIL"}, "failed", "FAIL: gone"),
        ("jsonl", {"status": "FAIL", "message": "gone"}, "failed", "FAIL: gone"),
        ("csv", b'\xef\xbb\xbf {"message": "gone", "status": "FAIL"}', "failed", "FAIL: gone"),
        ("csv", RUNNING, "unavailable", "instead of its file"),
        ("csv", b'{"status": "FA', "unavailable", "not JSON"),
        ("csv", b'[{"CONVERSATION_ID": 1}]', "incomplete", "CSV was asked for and JSON came"),
        ("csv", b"[]", "incomplete", "CSV was asked for and JSON came"),
        ("jsonl", b'{"rows": []}', "incomplete", "no array of rows"),
    ],
)
def test_what_is_not_the_file_is_never_taken_for_it(
    file_format: str, body: Any, kind: str, words: str
) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        play(opening(file_format), passed(entry("CLOSED", "COMPLETED")), body)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("file_format", "body"),
    [
        ("csv", b"A,B\r\n"),
        ("csv", b""),
        ("json", b"[]"),
        ("jsonl", b'[{"a": 1}]'),
        ("json", b'{"rows": [{"status": "FAIL", "message": "x"}]}'),
    ],
)
def test_a_file_passes_untouched(file_format: str, body: bytes) -> None:
    _, opened = play(opening(file_format), COMPLETED, body)
    assert b"".join(opened.chunks) == body


def test_an_envelope_in_pieces_is_read_whole() -> None:
    pieces = [b'{"status": "FAIL", "mess', b'age": "late ', b'words"}']
    first = Answer(200, {}, pieces[0], BASE, chunks=iter(pieces))
    with pytest.raises(Refusal, match="late words"):
        play(opening(), passed(entry("CLOSED", "COMPLETED")), first)


# -- the connection's test -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Refusal("missing", "HTTP 404: no such run", status=404),
        Refusal("invalid", "HTTP 400: bad id", status=400),
        passed([]),
        {"status": "FAIL", "message": "no such run"},
    ],
)
def test_any_answer_about_a_job_that_does_not_exist_proves_the_credentials(reply: Any) -> None:
    [request], said = play(khoros_care.probe(settings()), reply)
    assert "takes the user and the password" in said
    assert request.method == "GET"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Refusal("authentication", "HTTP 401: no", status=401), "authentication"),
        (Refusal("permission", "HTTP 403: no", status=403), "permission"),
        (Refusal("unavailable", "HTTP 503: no", status=503), "unavailable"),
        (Refusal("missing", "HTTP 404: <html>nginx", status=404), None),
        ({"status": "FAIL", "message": "Invalid company key"}, "authentication"),
        (b"<html>welcome</html>", "unavailable"),
    ],
)
def test_what_speaks_against_a_connection_fails_its_test(reply: Any, kind: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        play(khoros_care.probe(settings()), reply)
    assert caught.value.kind == (kind or "invalid")


# -- the builder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"start": 1551441600}, "start=1551441600 is not allowed: give an aware datetime .* milliseconds"),
        ({"end": "1556712000000"}, "end='1556712000000' is not allowed: give an aware datetime"),
        (
            {"start": datetime.fromtimestamp(1551441.6, UTC)},
            "it lies before 2000-01-01, like an instant that was made of seconds where milliseconds",
        ),
        ({"start": "2019-03-01T00:00:00"}, "it has no time zone"),
        ({"start": "2019-06-01T00:00:00Z"}, "it lies after end="),
        ({"start": "2019-05-01T12:00:00Z"}, "it equals end="),
        ({"locale": "en-US"}, "locale='en-US' is not allowed: give a language and a country"),
        ({"locale": "english"}, "locale='english'"),
        ({"file_format": "xlsx"}, "give one of 'csv', 'json', 'jsonl'"),
        ({"method": "PUT"}, "give one of 'GET', 'POST'"),
        ({"path": "/report"}, "path='/report' is not allowed"),
        ({"path": "report/.."}, "is not allowed"),
        ({"path": ""}, "path='' is not allowed"),
        ({"filters": {"queue": []}}, r"filters\['queue'\]=\[\] is not allowed"),
        ({"filters": {"startTime": 1}}, r"filters\['startTime'\] is not allowed: start decides on it"),
        ({"filters": {"companykey": "x"}}, "the connection's company_api_key decides on it"),
        ({"filters": {"analyticsAccessToken": "x"}}, "the connection decides on it"),
        ({"filters": {"reportMetrics": "x"}}, "metrics decides on it"),
        ({"filters": {"timezoneOffset": -18000}}, "offset from UTC in milliseconds"),
        ({"filters": {"timezoneOffset": "five hours"}}, "offset from UTC in milliseconds"),
        ({"filters": ["queue"]}, "give a dict"),
    ],
)
def test_a_value_that_can_not_be_used_gets_a_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        report(**values)


@pytest.mark.parametrize("export_id", ["", "a/b", "..", 7.5, None])
def test_an_export_id_is_one_path_segment(export_id: Any) -> None:
    with pytest.raises(InvalidValue, match="export_id"):
        khoros_care_report(export_id, start="2019-03-01T00:00:00Z", end="2019-03-02T00:00:00Z")


@pytest.mark.parametrize("offset", [0, -18000000, "20700000", "+3600000"])
def test_offsets_that_a_time_zone_may_have_pass(offset: Any) -> None:
    assert report(filters={"timezoneOffset": offset})["params"]["filters"] == {
        "timezoneOffset": [str(offset)]
    }


def test_templates_pass_and_are_checked_when_the_task_runs() -> None:
    pending = khoros_care_report(
        "{{ params.export }}", start="{{ data_interval_start }}", end="{{ data_interval_end }}"
    )
    rendered = {
        **pending,
        "params": {**pending["params"], "export_id": "author", "start": "2019-03-01T00:00:00"},
    }
    with pytest.raises(InvalidValue, match="never rendered"):
        check_report(pending)
    rendered["params"]["end"] = "2019-03-02T00:00:00+00:00"
    with pytest.raises(InvalidValue, match="no time zone"):
        check_report(rendered)


def test_rebuilding_changes_nothing_any_more() -> None:
    made = report(metrics="STATUS", filters={"queue": 103, "team": ["a", "b"]})
    assert check_report(made) == check_report(check_report(made)) == made
    json.dumps(made)
