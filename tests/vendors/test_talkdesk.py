"""Talkdesk's module, fed by hand: each contradiction of its documents, without a socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_contactcenter.nouns import Job, Report, Span, new_job
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request, words_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.talkdesk import api as talkdesk
from tests.vendors.play import answer, play

BASE = "https://api.talkdeskapp.com/prefix"
ID = "369f88a5-0000-4000-8000-8aec4215553e"
FILES = f"/data/reports/calls/files/{ID}"
JOBS = f"/data/reports/calls/jobs/{ID}"
STORAGE = "https://bucket.s3.amazonaws.com/calls.csv?X-Amz-Signature=sentinel-signature-1"
REPORT = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
JOB = new_job(REPORT, ID)


def body(word: Any = "processing", **more: Any) -> dict[str, Any]:
    return {
        "job": {"id": ID, "status": word, **more},
        "_links": {"files": {"href": "http://api-docs.talkdesk.org/x"}},
    }


# -- connection --------------------------------------------------------------------------------------------


def fields(**changes: Any) -> ConnectionFields:
    extra = {"account": "acme", **changes.pop("extra", {})}
    values = {"login": "client-1", "password": "sentinel-secret-1", **changes}
    return ConnectionFields(conn_id="talkdesk_default", extra=extra, **values)


@pytest.mark.parametrize(
    ("region", "base", "auth"),
    [
        (None, "https://api.talkdeskapp.com", "https://acme.talkdeskid.com/oauth/token"),
        ("us", "https://api.talkdeskapp.com", "https://acme.talkdeskid.com/oauth/token"),
        ("EU", "https://api.talkdeskapp.eu", "https://acme.talkdeskid.eu/oauth/token"),
        (" ca ", "https://api.talkdeskappca.com", "https://acme.talkdeskidca.com/oauth/token"),
    ],
)
def test_a_region_names_the_api_and_the_token_host(region: str | None, base: str, auth: str) -> None:
    settings = talkdesk.settings(fields(extra={"region": region} if region else {}))
    assert (settings.base_url, settings.auth_url) == (base, auth)


@pytest.mark.parametrize(
    ("changes", "base"),
    [
        ({"host": "proxy.example"}, "https://proxy.example"),
        ({"host": "proxy.example/talkdesk/"}, "https://proxy.example/talkdesk"),
        ({"host": "proxy.example", "port": 8443}, "https://proxy.example:8443"),
        ({"host": "proxy.example", "schema": "http", "port": 80}, "http://proxy.example:80"),
        ({"host": "proxy.example:8443"}, "https://proxy.example:8443"),
        ({"host": "http://127.0.0.1:8900/talkdesk", "port": 1}, "http://127.0.0.1:8900/talkdesk"),
        ({"host": "HTTPS://Proxy.Example/a?b=c#d"}, "https://Proxy.Example/a"),
        ({"host": "http://[::1]:8900"}, "http://[::1]:8900"),
    ],
)
def test_a_host_may_be_a_name_or_a_url_with_scheme_port_and_prefix(
    changes: dict[str, Any], base: str
) -> None:
    settings = talkdesk.settings(fields(**changes, extra={"auth_url": "id.example:8443/token"}))
    assert (settings.base_url, settings.auth_url) == (base, "https://id.example:8443/token")


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": ""}, "authentication", "the connection's password is empty: it holds the OAuth client"),
        ({"password": None}, "authentication", "the connection's password is empty"),
        ({"login": " "}, "authentication", "the connection's login is empty"),
        ({"extra": {"account": None}}, "authentication", "the connection's account is empty"),
        ({"extra": {"account": "acme.talkdeskid.com"}}, "invalid", "'acme.talkdeskid.com' is no sub-domain"),
        ({"extra": {"account": "evil.example/#"}}, "invalid", "is no sub-domain"),
        ({"extra": {"region": "apac"}}, "invalid", "region 'apac' is not known: it is one of us, eu, ca"),
        ({"host": "ftp://x"}, "invalid", "host 'ftp://x' is not an http or https URL"),
        ({"host": "https://"}, "invalid", "is not an http or https URL"),
        ({"host": "api example"}, "invalid", "is not an http or https URL"),
        ({"host": "api.example:port"}, "invalid", "is not an http or https URL"),
        ({"host": "api.example:99999"}, "invalid", "is not an http or https URL"),
        ({"host": "https://[::1"}, "invalid", "is not an http or https URL"),
        ({"host": "https://u:sentinel-secret-2@api.example"}, "invalid", "host holds credentials"),
        ({"host": "ftp://u:sentinel-secret-2@api.example"}, "invalid", "is not an http or https URL"),
        (
            {"extra": {"auth_url": "file:///etc/passwd"}},
            "invalid",
            "auth_url 'file:///etc/passwd' is not an http",
        ),
        ({"extra": {"timeout": "soon"}}, "invalid", "timeout 'soon' is not a number of seconds"),
        ({"extra": {"timeout": 0}}, "invalid", "timeout 0 is not a number"),
        ({"extra": {"timeout": -1}}, "invalid", "timeout -1"),
        ({"extra": {"timeout": "nan"}}, "invalid", "timeout 'nan'"),
        ({"extra": {"timeout": 1e300}}, "invalid", "timeout 1e.300"),
        ({"extra": {"timeout": [5]}}, "invalid", "timeout"),
        ({"extra": {"cert": ["one"]}}, "invalid", "cert is neither"),
        ({"extra": {"proxies": "{broken"}}, "invalid", "proxies is neither a URL nor a dict"),
        ({"extra": {"proxies": ["http://u:sentinel-secret-2@p"]}}, "invalid", "proxies is neither"),
    ],
)
def test_a_connection_that_cannot_be_used_is_refused_in_one_sentence(
    changes: dict[str, Any], kind: str, words: str
) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        talkdesk.settings(fields(**changes))
    assert refused.value.kind == kind
    assert "sentinel" not in str(refused.value)


def test_what_every_connection_takes_is_taken() -> None:
    extra = {"timeout": "2.5", "verify": "False", "cert": ["c", "k"], "proxy": "proxy.example:3128"}
    settings = talkdesk.settings(fields(extra=extra))
    assert (settings.timeout, settings.verify, settings.cert) == (2.5, False, ("c", "k"))
    assert settings.proxies == {"http": "http://proxy.example:3128", "https": "http://proxy.example:3128"}
    named = talkdesk.settings(fields(extra={"verify": "/ca.pem", "proxies": '{"https": "http://p:1"}'}))
    assert (named.verify, named.proxies) == ("/ca.pem", {"https": "http://p:1"})
    assert talkdesk.settings(fields(extra={"verify": "", "timeout": ""})).verify is True


def test_settings_show_no_secret() -> None:
    settings = talkdesk.settings(fields(extra={"proxy": "http://u:sentinel-secret-2@p"}))
    assert "sentinel" not in repr(settings)


SETTINGS = talkdesk.settings(fields())

# -- token -------------------------------------------------------------------------------------------------


def test_the_token_is_asked_for_with_a_basic_header_and_a_form() -> None:
    [request], token = play(
        talkdesk.authenticate(SETTINGS), answer({"access_token": "t-1", "expires_in": 300})
    )
    assert (request.method, request.target) == ("POST", "https://acme.talkdeskid.com/oauth/token")
    assert request.form == {"grant_type": "client_credentials"}
    assert base64.b64decode(request.headers["Authorization"].split()[1]) == b"client-1:sentinel-secret-1"
    assert not request.signed
    assert token == Token("t-1", 300)


def test_a_scope_is_sent_where_the_connection_has_one() -> None:
    settings = talkdesk.settings(fields(extra={"scope": "data-reports:read"}))
    [request], _ = play(talkdesk.authenticate(settings), answer({"access_token": "t"}))
    assert request.form == {"grant_type": "client_credentials", "scope": "data-reports:read"}


@pytest.mark.parametrize(
    ("given_life", "seconds"),
    [
        ({}, 599),
        ({"expires_in": None}, 599),
        ({"expires_in": "120"}, 120),
        ({"expires_in": 120.5}, 120.5),
        ({"expires_in": "soon"}, 599),
        ({"expires_in": [1]}, 599),
        ({"expires_in": float("nan")}, 599),
        ({"expires_in": float("inf")}, 599),
        ({"expires_in": -5}, 0),
    ],
)
def test_a_tokens_life_is_read_however_it_is_written(given_life: dict[str, Any], seconds: float) -> None:
    _, token = play(talkdesk.authenticate(SETTINGS), answer({"access_token": "t", **given_life}))
    assert token.expires_in == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_the_token_endpoints_refusal_is_one_of_credentials_in_its_own_words(status: int) -> None:
    said = {"error": "invalid_client", "error_description": "Client authentication failed"}
    with pytest.raises(Refusal, match=f"HTTP {status}: invalid_client: Client authentication") as refused:
        play(talkdesk.authenticate(SETTINGS), answer(said, status))
    assert (refused.value.kind, refused.value.status) == ("authentication", status)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_token_endpoint_that_is_away_is_a_blip(status: int) -> None:
    with pytest.raises(Refusal) as refused:
        play(talkdesk.authenticate(SETTINGS), answer(status=status))
    assert refused.value.passing


@pytest.mark.parametrize(
    "said",
    [b"", b"<html>", b"[]", b"null", {}, {"access_token": ""}, b"access_token=sentinel-token-1&expires_in=5"],
)
def test_an_answer_without_a_token_is_never_quoted(said: Any) -> None:
    with pytest.raises(Refusal, match=r"^the token endpoint answered without an access_token$") as refused:
        play(talkdesk.authenticate(SETTINGS), answer(said))
    assert refused.value.passing


def test_a_request_is_signed_without_touching_its_other_headers() -> None:
    signed = talkdesk.sign(Request("GET", "/x", headers={"Accept": "*/*"}), SETTINGS, Token("t-1", 5))
    assert signed.headers == {"Accept": "*/*", "Authorization": "Bearer t-1"}


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        ({"scope": "data-reports:read data-reports:write other"}, "issued a token"),
        ({}, "issued a token"),
        ({"scope": "data-reports:read"}, "lacks the scope data-reports:write; it has data-reports:read"),
        ({"scope": "x"}, "lacks the scope data-reports:read and data-reports:write"),
    ],
)
def test_a_connection_is_tested_by_the_scopes_it_was_granted(granted: dict[str, str], words: str) -> None:
    try:
        _, sentence = play(talkdesk.probe(SETTINGS), answer({"access_token": "t", **granted}))
        assert words == "issued a token"
    except Refusal as refusal:
        assert refusal.kind == "permission"
        sentence = refusal.words
    assert words in sentence


# -- bounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timezone", "start", "sent"),
    [
        ("UTC", "2024-05-01T00:00:00+00:00", "2024-05-01T00:00:00Z"),
        ("UTC", "2024-05-01T00:00:00.250000+00:00", "2024-05-01T00:00:00.250Z"),
        ("Europe/London", "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z"),
        ("Europe/London", "2024-05-01T00:00:00+00:00", "2024-05-01T01:00:00+01:00"),
        ("America/Sao_Paulo", "2024-05-01T00:00:00+00:00", "2024-04-30T21:00:00-03:00"),
        ("Asia/Kathmandu", "2024-05-01T00:00:00+00:00", "2024-05-01T05:45:00+05:45"),
        # The hour that New York's clocks show twice: the offset tells which is meant.
        ("America/New_York", "2024-11-03T05:30:00+00:00", "2024-11-03T01:30:00-04:00"),
        ("America/New_York", "2024-11-03T06:30:00+00:00", "2024-11-03T01:30:00-05:00"),
        ("America/New_York", "2024-03-10T07:00:00+00:00", "2024-03-10T03:00:00-04:00"),
    ],
)
def test_a_bound_is_written_in_the_reports_zone_with_its_offset(timezone: str, start: str, sent: str) -> None:
    moment = datetime.fromisoformat(start)
    assert talkdesk.timespan(Span(moment, moment), timezone)["from"] == sent


def test_a_days_last_microsecond_ends_it_where_the_next_day_begins() -> None:
    day = Span(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC) - timedelta(microseconds=1))
    assert talkdesk.timespan(day, "UTC") == {"from": "2024-05-01T00:00:00Z", "to": "2024-05-02T00:00:00Z"}


zones = st.sampled_from(
    ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)


@given(zones, st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.integers(1, 31 * 24))
def test_what_is_sent_means_the_same_instants_whichever_of_offset_and_zone_the_vendor_heeds(
    timezone: str, naive: datetime, hours: int
) -> None:
    start = naive.replace(microsecond=0, tzinfo=UTC)
    span = talkdesk.timespan(Span(start, start + timedelta(hours=hours)), timezone)
    assert [datetime.fromisoformat(span[key]) for key in ("from", "to")] == [
        start,
        start + timedelta(hours=hours),
    ]
    for sent in span.values():
        aware = datetime.fromisoformat(sent)
        local = aware.replace(tzinfo=ZoneInfo(timezone))
        readings = {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        assert aware.astimezone(UTC) in readings


# -- create ------------------------------------------------------------------------------------------------


def test_the_order_carries_the_documented_fields_and_no_other() -> None:
    [request], _ = play(talkdesk.submit(REPORT, "calls of dag d"), answer({"id": ID}, 202))
    assert (request.method, request.target) == ("POST", "/data/reports/calls/jobs")
    assert request.json == {
        "timezone": "UTC",
        "format": "csv",
        "timespan": {"from": "2024-05-01T00:00:00Z", "to": "2024-05-02T00:00:00Z"},
        "name": "calls of dag d",
    }
    assert not request.idempotent


def test_a_reports_own_name_wins_and_a_label_is_cut_to_what_the_vendor_takes() -> None:
    named: Report = {**REPORT, "params": {**REPORT["params"], "name": "mine"}}
    assert play(talkdesk.submit(named, "label"), answer({"id": ID}, 202))[0][0].json["name"] == "mine"
    assert len(play(talkdesk.submit(REPORT, "x" * 300), answer({"id": ID}, 202))[0][0].json["name"]) == 256
    assert "name" not in play(talkdesk.submit(REPORT, None), answer({"id": ID}, 202))[0][0].json


def test_jsonl_is_made_of_the_vendors_json() -> None:
    lines: Report = {**REPORT, "params": {**REPORT["params"], "file_format": "jsonl"}}
    assert play(talkdesk.submit(lines, None), answer({"id": ID}, 202))[0][0].json["format"] == "json"
    assert talkdesk.content(new_job(lines, ID)).lines_from == "entries"
    assert talkdesk.content(JOB).lines_from is None


def test_a_report_type_stays_one_segment_of_the_path() -> None:
    odd: Report = {**REPORT, "params": {**REPORT["params"], "report_type": "a b%2Fc+é"}}
    [request], _ = play(talkdesk.submit(odd, None), answer({"id": ID}, 202))
    assert request.target == "/data/reports/a%20b%252Fc%2B%C3%A9/jobs"


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("said", "headers"),
    [
        ({"job": {"id": ID, "status": "created"}}, {}),
        ({"id": ID, "status": "created"}, {}),
        ({"job": None, "id": ID}, {}),
        ({"job": {"id": ID}, "id": "another"}, {}),
        (b"\xef\xbb\xbf" + json.dumps({"id": ID}).encode(), {}),
        (b"", {"location": JOBS}),
        (b"", {"location": f"https://api.talkdeskapp.com{JOBS}/"}),
        (b"<html>", {"location": JOBS}),
        ([], {"location": JOBS}),
        ({"status": "created"}, {"location": f"jobs/{ID}"}),
    ],
)
def test_the_new_jobs_id_is_found_wherever_it_stands(status: int, said: Any, headers: dict[str, str]) -> None:
    _, job = play(
        talkdesk.submit(REPORT, None),
        answer(said, status, url=f"{BASE}/data/reports/calls/jobs", headers=headers),
    )
    assert job["job_id"] == ID
    assert (job["report"], job["conn_id"]) == (REPORT, "talkdesk_default")


def test_a_number_or_an_odd_string_is_an_id_too() -> None:
    assert play(talkdesk.submit(REPORT, None), answer({"id": 17}, 202))[1]["job_id"] == "17"
    _, job = play(talkdesk.submit(REPORT, None), answer({"id": "a/b?c"}, 202))
    assert play(talkdesk.status(job), answer(body()))[0][0].target.endswith("/jobs/a%2Fb%3Fc")


@pytest.mark.parametrize("said", [b"", b"<html>", b"[]", b"{}", {"job": []}, {"id": None}, {"id": {}}, b"7"])
def test_an_order_that_was_taken_without_telling_its_id_is_lost_and_not_to_be_repeated(said: Any) -> None:
    with pytest.raises(Refusal, match=r"the report was accepted .HTTP 202., but") as refused:
        play(talkdesk.submit(REPORT, None), answer(said, 202))
    assert refused.value.kind == "lost"


def test_an_order_that_is_redirected_was_not_taken() -> None:
    with pytest.raises(Refusal, match=r"redirects .HTTP 307") as refused:
        play(
            talkdesk.submit(REPORT, None),
            answer(status=307, headers={"location": "https://elsewhere.example/"}),
        )
    assert refused.value.kind == "invalid"


# -- poll --------------------------------------------------------------------------------------------------


def polled(given_answer: Answer, job: Job = JOB) -> Mapping[str, Any]:
    [request], status = play(talkdesk.status(job), given_answer)
    assert (request.method, request.target, request.redirects) == ("GET", JOBS, "told")
    found: Mapping[str, Any] = status
    return found


@pytest.mark.parametrize("word", ["done", "DONE", "Done"])
@pytest.mark.parametrize("shape", [lambda b: b, lambda b: b["job"]])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 200])
@pytest.mark.parametrize("location", [FILES, f"https://api.talkdeskapp.com{FILES}", f"../files/{ID}", None])
def test_done_is_told_in_many_ways(word: str, shape: Any, status: int, location: str | None) -> None:
    headers = {"location": location} if location else {}
    assert polled(answer(shape(body(word)), status, headers=headers)) == {
        "state": "ready",
        "vendor_status": word,
        "reason": None,
    }


@pytest.mark.parametrize("said", [b"", b"<html>moved</html>", b"[]", body("processing"), body("created")])
@pytest.mark.parametrize("location", [FILES, STORAGE])
def test_a_redirect_to_the_file_means_done_whatever_its_body_says(said: Any, location: str) -> None:
    assert polled(answer(said, 303, headers={"location": location}))["state"] == "ready"


@pytest.mark.parametrize(
    ("word", "state"), [("failed", "failed"), ("CANCELED", "cancelled"), ("deleted", "expired")]
)
@pytest.mark.parametrize("status", [200, 303])
def test_a_bad_end_is_one_even_in_a_redirect(word: str, state: str, status: int) -> None:
    assert polled(answer(body(word), status, headers={"location": FILES}))["state"] == state


@pytest.mark.parametrize("location", [JOBS, BASE + JOBS, f"http://api.talkdeskapp.com{JOBS}/"])
def test_a_redirect_to_the_job_itself_says_nothing_about_it(location: str) -> None:
    assert polled(answer(status=307, headers={"location": location}))["state"] == "running"
    assert polled(answer(body("done"), 308, headers={"location": location}))["state"] == "ready"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (204, b""),
        (200, b""),
        (200, b"  \n"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"17"),
        (200, b'"done"'),
        (200, {"job": "done"}),
        (200, {"job": {"status": None}}),
        (200, body({"code": 1})),
        (202, body("processing")),
        (304, b""),
        (200, body("sandbox-unheard-of")),
    ],
)
def test_what_tells_nothing_counts_as_still_running(status: int, said: Any) -> None:
    assert polled(answer(said, status))["state"] in ("running", "queued")


@pytest.mark.parametrize("said", [b"<html>", b'{"job": {"status": "don', b"\xff\xfe\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_blip(said: bytes) -> None:
    with pytest.raises(Refusal, match=r"the answer is not JSON") as refused:
        polled(answer(said))
    assert refused.value.passing


def test_an_endpoint_that_answers_with_the_file_at_once_is_done() -> None:
    assert polled(answer({"entries": [], "total": 0}))["state"] == "ready"
    for media in ("Text/CSV; charset=utf-8", "application/csv", "binary/octet-stream"):
        typed = {"content-type": media}
        assert polled(answer(b"call_id,notes\r\n", headers=typed))["state"] == "ready"
        assert polled(answer(headers=typed))["state"] == "running"
        assert polled(answer(body("processing"), headers=typed))["state"] == "running"


@pytest.mark.parametrize("location", ["http://[bad", "https://h:99999/x", "https://h:x/", ""])
def test_a_location_that_is_no_url_counts_as_missing(location: str) -> None:
    assert polled(answer(body("done"), 303, headers={"location": location}))["state"] == "ready"
    asked, _ = play(
        talkdesk.content(JOB).open(),
        answer(status=303, headers={"location": location}),
        answer(b"a,b\r\n1,2\r\n"),
    )
    assert asked[1].target == FILES


def test_a_job_without_an_id_is_never_asked_for() -> None:
    with pytest.raises(Refusal, match=r"the job has no job_id"):
        play(talkdesk.status({**JOB, "job_id": None}))


# -- file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        None,
        FILES,
        FILES + "/",
        f"/talkdesk{FILES}",  # relative to a host whose prefix the connection doesn't have, or has
        f"https://api.talkdeskapp.com{FILES}",  # absolute, without the connection's prefix
        f"http://api-docs.talkdesk.org{FILES}",  # the documents' own host, and http
        f"https://other-region.example{FILES}?x=1",
        JOBS,  # the job itself, which is no file
    ],
)
def test_the_files_endpoint_is_asked_for_at_the_connections_own_base(location: str | None) -> None:
    headers = {"location": location} if location else {}
    asked, _ = play(
        talkdesk.content(JOB).open(), answer(body("done"), 303, headers=headers), answer(b"a\r\n")
    )
    assert asked[1] == Request("GET", FILES, headers={"Accept": "*/*"}, redirects="followed", stream=True)


def test_a_place_is_told_however_it_is_percent_encoded() -> None:
    job = new_job(REPORT, "a b:c(1)")
    files = "https://api-docs.talkdesk.org/data/reports/calls/files/a%20b:c(1)"
    asked, _ = play(
        talkdesk.content(job).open(), answer(body("done"), 303, headers={"location": files}), answer(b"a\r\n")
    )
    assert asked[1].target == "/data/reports/calls/files/a%20b%3Ac%281%29"
    itself = {"location": "/data/reports/calls/jobs/a%20b:c(1)"}
    assert play(talkdesk.status(job), answer(status=301, headers=itself))[1]["state"] == "running"


def test_anything_else_is_object_storage_and_is_fetched_where_it_is() -> None:
    asked, _ = play(
        talkdesk.content(JOB).open(),
        answer(body("done"), 303, headers={"location": STORAGE}),
        answer(b"a\r\n"),
    )
    assert asked[1].target == STORAGE


@pytest.mark.parametrize(
    ("word", "kind"),
    [("processing", "unavailable"), ("failed", "failed"), ("canceled", "failed"), ("deleted", "expired")],
)
def test_a_job_without_a_file_is_refused_by_its_word(word: str, kind: str) -> None:
    with pytest.raises(Refusal, match=f"status is {word}, so it has no file") as refused:
        play(talkdesk.content(JOB).open(), answer(body(word)))
    assert refused.value.kind == kind


#: the job as "execute a report" has it, at the top level
FLAT = {"id": ID, "name": "n", "timezone": "UTC", "status": "done", "format": "csv", "timespan": {}}


def job_as(file_format: str) -> Job:
    return new_job({**REPORT, "params": {**REPORT["params"], "file_format": file_format}}, ID)


@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl", "json_bulk"])
@pytest.mark.parametrize("said", [body("done"), {"_links": {}, "job": {}}, {"ok": True, "job": FLAT}, FLAT])
def test_a_job_in_place_of_the_file_is_asked_for_again(said: Any, file_format: str) -> None:
    with pytest.raises(Refusal, match=r"answered with the job instead of its file") as refused:
        play(talkdesk.content(job_as(file_format)).open(), answer(body("done")), answer(said))
    assert refused.value.passing


def test_json_in_place_of_csv_is_no_file_and_its_words_are_passed_on() -> None:
    said = {"code": "0001", "message": "The file is being restored"}
    with pytest.raises(Refusal, match="CSV was asked for and JSON came: 0001: The file is being") as refused:
        play(talkdesk.content(JOB).open(), answer(body("done")), answer(said))
    assert refused.value.passing


@pytest.mark.parametrize(
    ("file_format", "said"),
    [
        ("csv", b'"{""a"": 1}",b\r\n1,2\r\n'),
        ("json", {"entries": [FLAT], "id": 1, "status": "done", "timespan": {}}),
        ("jsonl", {"type": "calls", "entries": []}),
        ("json_bulk", b'{"id": 1, "status": "done"}\n'),
        ("json_bulk", b'{"id": 1}\n{"id": 2}\n'),
    ],
)
def test_a_file_that_resembles_a_job_passes_untouched(file_format: str, said: Any) -> None:
    _, got = play(talkdesk.content(job_as(file_format)).open(), answer(body("done")), answer(said))
    assert b"".join(got.chunks) == (said if isinstance(said, bytes) else json.dumps(said).encode())


# -- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"code": "0001001", "message": "Invalid timespan", "description": "to must be after from"},
            "0001001: Invalid timespan: to must be after from",
        ),
        ({"code": "0001001", "description": "Bad zone"}, "0001001: Bad zone"),
        (
            {"code": "1", "message": "Bad", "fields": [{"name": "timespan.to", "description": "is early"}]},
            "1: Bad: timespan.to is early",
        ),
        ({"error": "invalid_client", "error_description": "No"}, "invalid_client: No"),
        ({"status": 403, "messages": ["user(u) does not have access"]}, "user(u) does not have access"),
        ({"type": "about:blank", "title": "Bad", "detail": "No grant"}, "Bad: No grant"),
        (
            {"fault": {"faultstring": "Invalid token", "detail": {"errorcode": "oauth.v2"}}},
            "{'errorcode': 'oauth.v2'}: Invalid token",
        ),
        ({"message": "x", "messages": "y", "fields": 5}, "x"),
        ({"message": "x", "fields": {"name": "y"}}, "x"),
        ({"message": {"nested": 1}}, "{'nested': 1}"),
        ([1, 2], "[1, 2]"),
        (b"", "no words"),
        (b"<html><body>502 Bad Gateway</body>", "<html><body>502 Bad Gateway</body>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (
            b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>'
            b"<StringToSign>sentinel</StringToSign></Error>",
            "AccessDenied: Request has expired",
        ),
        (
            b"<Error><StringToSign>sentinel</StringToSign><Code>AccessDenied</Code></Error>",
            "AccessDenied",
        ),
        (b"<?xml version='1.0'?><error><message>Bad request: size</message></error>", "Bad request: size"),
        (b"see https://x.example/a?X-Amz-Signature=sentinel-1", "see https://x.example/a?***"),
    ],
)
def test_the_vendors_words_are_found_in_every_shape_of_an_error(said: Any, words: str) -> None:
    assert words_of(answer(said, 400)) == words


def test_the_vendors_words_are_not_passed_on_without_measure() -> None:
    assert len(words_of(answer({"message": "x" * 10_000_000}, 400))) <= 1000
    assert len(words_of(answer(b"x" * 10_000_000, 400))) <= 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["job", "id", "status", "entries", "code", "fields", "access_token", "expires_in", "scope"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
operations = {
    "token": lambda: talkdesk.authenticate(SETTINGS),
    "probe": lambda: talkdesk.probe(SETTINGS),
    "create": lambda: talkdesk.submit(REPORT, None),
    "poll": lambda: talkdesk.status(JOB),
    "file": lambda: talkdesk.content(JOB).open(),
}


@given(
    st.sampled_from(sorted(operations)),
    st.integers(200, 599),
    json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20),
    st.none() | st.text(max_size=10) | st.sampled_from([FILES, JOBS, STORAGE, "http://[", "//h:x/"]),
)
def test_whatever_a_server_answers_an_operation_ends_or_is_refused(
    name: str, status: int, said: bytes, location: str | None
) -> None:
    headers = {} if location is None else {"location": location}
    answers = [answer(said, status, headers=headers) for _ in range(2)]
    try:
        play(operations[name](), *answers)
    except (Refusal, AssertionError) as ended:
        if isinstance(ended, AssertionError):
            assert "not asked for" in str(ended)


def test_an_id_survives_the_way_through_a_path() -> None:
    odd = {**JOB, "job_id": "a/b %2F+é"}
    [request], _ = play(talkdesk.status(odd), answer(body()))  # type: ignore[arg-type]
    assert unquote(request.target.rpartition("/")[2]) == "a/b %2F+é"


def test_settings_of_two_accounts_are_two_keys() -> None:
    def key(**changes: Any) -> str:
        settings: Settings = talkdesk.settings(fields(**changes))
        return settings.key

    others = [
        key(),
        key(password="sentinel-secret-2"),
        key(extra={"account": "b"}),
        key(extra={"scope": "s"}),
        key(extra={"verify": False}),
    ]
    assert len(set(others)) == 5
