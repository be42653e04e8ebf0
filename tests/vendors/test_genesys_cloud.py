"""Genesys Cloud's module, fed by hand: what its documents say and what they leave open, without a socket."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import new_job
from airflow_provider_contactcenter.reports import genesys_conversations, genesys_users
from airflow_provider_contactcenter.vendors.genesys_cloud import api
from airflow_provider_contactcenter.vendors.genesys_cloud.regions import REGIONS
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.vendors.play import answer, lines_of, play, rows_of

WINDOW = {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
CONVERSATIONS = genesys_conversations(**WINDOW)
USERS = genesys_users(**WINDOW)
JOB = new_job(CONVERSATIONS, "a/b+c")
JOBS = "/api/v2/analytics/conversations/details/jobs"
LATER = "2026-05-03T02:14:07.000Z"


def error(status: int, code: str, message: str = "no", **headers: str) -> Any:
    return answer({"message": message, "code": code, "status": status}, status, headers)


# -- connection --------------------------------------------------------------------------------------------


def fields(**changes: Any) -> ConnectionFields:
    values = {"login": "client-1", "password": "sentinel-secret-1", **changes}
    return ConnectionFields(conn_id="genesys_cloud_default", **values)


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        *REGIONS.items(),
        ("eu-central-1", "mypurecloud.de"),
        (" EU_WEST_2 ", "euw2.pure.cloud"),
        ("mypurecloud.jp", "mypurecloud.jp"),
        ("", "mypurecloud.com"),
    ],
)
def test_a_region_has_its_api_and_its_token_host(region: str, domain: str) -> None:
    found = api.settings(fields(extra={"region": region}))
    assert (found.base_url, found.auth_url) == (
        f"https://api.{domain}",
        f"https://login.{domain}/oauth/token",
    )


@pytest.mark.parametrize(
    ("host", "base", "token"),
    [
        ("api.new.pure.cloud", "https://api.new.pure.cloud", "https://login.new.pure.cloud/oauth/token"),
        ("https://gate.example/g", "https://gate.example/g", "https://gate.example/g/oauth/token"),
        ("https://gate.example/g/api/v2/", "https://gate.example/g", "https://gate.example/g/oauth/token"),
    ],
)
def test_a_host_of_ones_own_keeps_its_path(host: str, base: str, token: str) -> None:
    found = api.settings(fields(host=host))
    assert (found.base_url, found.auth_url) == (base, token)


def test_an_unknown_region_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refusal, match="region 'eu' is not known: it is one of us_east_1, "):
        api.settings(fields(extra={"region": "eu"}))


def test_a_token_is_asked_for_with_the_clients_credentials() -> None:
    asked, token = play(
        api.authenticate(api.settings(fields())), answer({"access_token": "t-1", "expires_in": 300})
    )
    assert (
        asked[0].headers["Authorization"]
        == "Basic " + base64.b64encode(b"client-1:sentinel-secret-1").decode()
    )
    assert asked[0].form == {"grant_type": "client_credentials"}
    assert token == Token("t-1", 300.0)


def test_an_unknown_client_is_told_of_regions() -> None:
    body = {
        "error": "invalid_client",
        "description": "client not found",
        "error_description": "client not found",
    }
    with pytest.raises(Refusal, match="client not found") as caught:
        play(api.authenticate(api.settings(fields())), answer(body, 400))
    assert "its organization's own region only" in str(caught.value.advice)
    assert caught.value.kind == "authentication"


def test_an_address_that_may_not_ask_for_a_token_is_not_sent_to_another_region() -> None:
    refusal = heard(error(401, "ip.not.authorized"))
    with pytest.raises(Refusal) as caught:
        play(api.authenticate(api.settings(fields())), refusal)
    assert (caught.value.kind, caught.value.advice) == ("permission", None)


# -- reports -----------------------------------------------------------------------------------------------


def _about(dimension: str) -> dict[str, Any]:
    return {"type": "and", "predicates": [{"dimension": dimension, "value": "c0de"}]}


QUEUE = _about("queueId")


def test_filters_and_order_stand_in_the_body_under_the_vendors_names() -> None:
    report = genesys_conversations(
        **WINDOW,
        segment_filters=[QUEUE],
        order="desc",
        order_by="conversationEnd",
        extra_body={"startOfDayIntervalMatching": True},
    )
    asked, job = play(api.submit(report, "label"), answer({"jobId": "j-1"}, 202))
    assert (asked[0].method, asked[0].target, asked[0].idempotent) == ("POST", JOBS, False)
    assert asked[0].json == {
        "interval": "2026-05-01T00:00:00.000Z/2026-05-02T00:00:00.000Z",
        "segmentFilters": [QUEUE],
        "order": "desc",
        "orderBy": "conversationEnd",
        "startOfDayIntervalMatching": True,
    }
    assert job["job_id"] == "j-1"


def test_a_days_last_microsecond_ends_it_where_the_next_day_begins() -> None:
    asked, _ = play(
        api.submit(genesys_conversations(**{**WINDOW, "end": "2026-05-01T23:59:59.999999Z"}), None),
        answer({"jobId": "j-1"}, 202),
    )
    assert asked[0].json["interval"] == "2026-05-01T00:00:00.000Z/2026-05-02T00:00:00.000Z"


def test_users_have_paths_and_filters_of_their_own() -> None:
    presence = {"type": "or", "predicates": [{"dimension": "systemPresence", "value": "MEAL"}]}
    asked, _ = play(
        api.submit(genesys_users(**WINDOW, presence_filters=[presence]), None), answer({"jobId": "j"}, 202)
    )
    assert asked[0].target == "/api/v2/analytics/users/details/jobs"
    assert asked[0].json["presenceFilters"] == [presence]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"conversation_filters": [QUEUE]}, "'queueId' is not allowed: it is a dimension of segments"),
        (
            {"conversation_filters": [_about("participantName")]},
            "it is a dimension of segments.*give it in segment_filters",
        ),
        (
            {"segment_filters": [_about("conversationId")]},
            "it is a dimension of conversations.*give it in conversation_filters",
        ),
        ({"segment_filters": [{"predicates": []}]}, "'type', which is 'and' or 'or'"),
        ({"segment_filters": [{"type": "and"}]}, "it holds no predicates"),
        ({"segment_filters": []}, "give a list of filters"),
        (
            {"segment_filters": [{"type": "and", "predicates": [{"value": "x"}]}]},
            "one dimension or one metric",
        ),
        (
            {"segment_filters": [{"type": "and", "predicates": [{"dimension": "ani", "operator": "like"}]}]},
            "give one of 'matches', 'exists', 'notExists'",
        ),
        (
            {"segment_filters": [{"type": "and", "predicates": [{"dimension": "ani"}]}]},
            "give 'value' or 'range'",
        ),
        (
            {"segment_filters": [{"type": "and", "predicates": [{"metric": "m", "range": {"above": 1}}]}]},
            "give numbers under one or two of gt, gte, lt, lte",
        ),
        (
            {"segment_filters": [{"type": "and", "predicates": [{"dimension": "ani", "valeu": "x"}]}]},
            r"\['valeu'\] is not allowed",
        ),
        (
            {"conversation_filters": [{"type": "and", "predicates": [{"dimension": ["ani"], "value": "x"}]}]},
            r"\['dimension'\]=\['ani'\] is not allowed: give a name",
        ),
        ({"order": "random"}, "give one of 'asc', 'desc', 'unordered'"),
        ({"extra_body": {"limit": 5}}, r"extra_body\['limit'\] is not allowed: give a shorter window"),
        ({"page_size": 0}, "a whole number from 1 to 10000"),
    ],
)
def test_what_the_vendor_would_ignore_or_refuse_is_refused_first(parameters: Any, sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        genesys_conversations(**WINDOW, **parameters)


def test_null_counts_as_left_out_of_a_filter_as_the_vendors_models_have_it() -> None:
    nulls = {"type": None, "metric": None, "property": None, "propertyType": None, "operator": None}
    predicate = {**nulls, "dimension": "queueId", "value": "c0de", "range": None}
    given = [{"type": "or", "clauses": None, "predicates": [predicate]}]
    assert genesys_conversations(**WINDOW, segment_filters=given)["params"]["segment_filters"] == given


def test_a_dimension_of_a_later_release_passes_at_either_level() -> None:
    new = [_about("moonPhase")]
    params = genesys_conversations(**WINDOW, conversation_filters=new, segment_filters=new)["params"]
    assert params["conversation_filters"] == params["segment_filters"] == new


def test_users_are_filtered_by_their_own_dimensions_only() -> None:
    with pytest.raises(InvalidValue, match="'queueId' is not allowed: give one of 'userId'"):
        genesys_users(**WINDOW, user_filters=[QUEUE])


@pytest.mark.parametrize("body", [b"", {}, {"jobId": ""}, {"jobId": None}, b"<html>"])
def test_an_order_without_a_job_id_is_lost(body: Any) -> None:
    with pytest.raises(Refusal, match="holds no jobId") as caught:
        play(api.submit(CONVERSATIONS, None), answer(body, 202))
    assert caught.value.kind == "lost"


# -- status ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [200, 202])
@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("QUEUED", "queued"),
        ("PENDING", "running"),
        ("FULFILLED", "ready"),
        ("FAILED", "failed"),
        ("CANCELLED", "cancelled"),
        ("EXPIRED", "expired"),
        ("OUTDATED_SDK_VERSION", "running"),
    ],
)
def test_the_state_decides_and_not_the_code(word: str, state: str, code: int) -> None:
    asked, status = play(api.status(JOB), answer({"state": word, "errorMessage": "why"}, code))
    assert asked[0].target == f"{JOBS}/a%2Fb%2Bc"
    assert (status["state"], status["vendor_status"], status["reason"]) == (state, word, "why")


def test_a_job_is_cancelled_and_one_that_is_over_or_gone_needs_no_more() -> None:
    asked, taken = play(api.cancel(JOB), answer(status=204))
    assert (asked[0].method, asked[0].target, taken) == ("DELETE", f"{JOBS}/a%2Fb%2Bc", True)
    assert play(api.cancel(JOB), error(404, "not.found"))[1] is True
    assert play(api.cancel(JOB), error(409, "request.conflict"))[1] is True


# -- watermark ---------------------------------------------------------------------------------------------


def test_the_watermark_is_asked_for_by_subject() -> None:
    asked, until = play(api.available_until(USERS), answer({"dataAvailabilityDate": LATER}))
    assert asked[0].target == "/api/v2/analytics/users/details/jobs/availability"
    assert until == datetime(2026, 5, 3, 2, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize("body", [{}, {"dataAvailabilityDate": None}, {"dataAvailabilityDate": "soon"}, []])
def test_a_watermark_that_cannot_be_read_is_none(body: Any) -> None:
    assert play(api.available_until(USERS), answer(body))[1] is None


@pytest.mark.parametrize(
    ("dates", "caveat"),
    [
        ([LATER], None),
        (["2026-05-02T00:00:00.000Z"], None),
        (["2026-05-01T23:59:59.999Z"], "complete until 2026-05-01T23:59:59.999000+00:00 only"),
        (["2026-05-01T20:00:00Z", LATER], "complete until 2026-05-01T20:00:00+00:00 only"),
        ([None], "doesn't say how far its data is complete"),
    ],
)
def test_pages_behind_their_watermark_carry_a_caveat(dates: list[str | None], caveat: str | None) -> None:
    pages, cursor = api.content(JOB), None
    for index, date in enumerate(dates):
        body = {"conversations": [{"n": index}], "dataAvailabilityDate": date}
        if index + 1 < len(dates):
            body["cursor"] = f"c{index}"
        _, page = play(pages.page(cursor), answer(body))
        cursor = page.cursor
    assert cursor is None
    assert page.caveat is None if caveat is None else caveat in str(page.caveat)
    assert page.provisional == (caveat is not None and dates != [None])


def test_a_watermark_that_nobody_tells_is_a_caveat_too() -> None:
    behind, untold = "didn't reach the window's end", "doesn't say how far its data is complete"
    for told, caveat in ((False, None), (True, behind), (None, untold)):
        job = {**JOB, "provisional": told}
        _, page = play(api.content(job).page(None), answer({"conversations": [{"n": 1}]}))
        assert page.caveat is None if caveat is None else caveat in str(page.caveat)


# -- pages -------------------------------------------------------------------------------------------------


def test_a_page_is_asked_for_by_the_cursor_of_the_one_before() -> None:
    pages = api.content(JOB)
    asked, first = play(pages.page(None), answer({"conversations": [{"a": 1}], "cursor": "x+/="}))
    assert asked[0].params == [("pageSize", "1000")]
    asked, last = play(pages.page(first.cursor), answer({"conversations": []}))
    assert asked[0].params == [("pageSize", "1000"), ("cursor", "x+/=")]
    assert (rows_of(first), rows_of(last), last.cursor) == ([{"a": 1}], [], None)


@pytest.mark.parametrize("cursor", [{"cursor": None}, {"cursor": ""}, {}])
@pytest.mark.parametrize("rows", [{"conversations": []}, {"conversations": None}, {}])
def test_an_empty_page_without_a_cursor_is_the_end(cursor: Any, rows: Any) -> None:
    _, page = play(api.content(JOB).page(None), answer({**rows, **cursor}))
    assert (list(page.rows), page.cursor) == ([], None)


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    _, page = play(api.content(JOB).page(None), answer({"conversations": [], "cursor": "on"}))
    assert page.cursor is not None


def test_the_same_cursor_twice_is_the_same_whatever_the_size_of_the_page() -> None:
    assert api.Cursor("c", 1000, None) == api.Cursor("c", 500, datetime.now(UTC))


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_values_stay_as_the_vendor_wrote_them(bom: bytes) -> None:
    written = b'{"conversationId":"1","mos":4.640,"big":12345678901234567890123,"exp":1E+2}'
    _, page = play(
        api.content(JOB).page(None), answer(bom + b'{"conversations":[' + written + b'],"cursor":null}')
    )
    assert lines_of(page) == written + b"\n"


def test_a_page_that_is_too_large_is_asked_for_with_half_the_rows() -> None:
    too_large = error(400, "response.entity.too.large")
    asked, page = play(
        api.content(JOB).page(None), too_large, too_large, answer({"conversations": [], "cursor": "c"})
    )
    assert [dict(request.params)["pageSize"] for request in asked] == ["1000", "500", "250"]
    assert page.cursor.size == 250


def test_a_page_may_be_called_too_large_in_words_alone() -> None:
    words = "The response is over the size limit. Reduce pageSize or interval."
    asked, _ = play(api.content(JOB).page(None), answer({"message": words}, 400), {"conversations": []})
    assert [dict(request.params)["pageSize"] for request in asked] == ["1000", "500"]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (error(400, "invalid.query.param.value", "cursor"), "incomplete"),
        (error(404, "not.found", "no cursor"), "missing"),
        (error(410, "not.found", "no cursor"), "missing"),
    ],
    ids=["cursor refused", "job gone", "job gone for good"],
)
def test_a_cursor_that_died_leaves_the_report_incomplete_and_a_job_that_died_is_gone(
    refusal: Any, kind: str
) -> None:
    with pytest.raises(Refusal, match=r"the pages broke off: .*cursor") as caught:
        play(api.content(JOB).page(api.Cursor("c", 1000, None)), refusal)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "given",
    [
        answer([1]),
        answer({"message": "try again"}),
        answer({"userDetails": [{"userId": "1"}]}),
        answer({"userDetails": [{"userId": "1"}], "dataAvailabilityDate": LATER}),
        answer({"conversations": [{"n": 1}], "cursor": {"after": 1}}),
        answer({"conversations": [{"n": 1}], "cursor": True}),
        answer({"conversations": [], "cursor": False}),
        answer({"conversations": {}}),
        answer({"conversations": ""}),
        answer({}, 202),
        answer({"conversations": [{"n": 1}]}, 202),
    ],
    ids=lambda given: f"{given.status} {given.body.decode()}",
)
def test_what_is_no_page_is_no_page(given: Any) -> None:
    with pytest.raises(Refusal, match="no list of conversations") as caught:
        play(api.content(JOB).page(api.Cursor("c", 1000, None)), given)
    assert caught.value.passing


# -- refusals ----------------------------------------------------------------------------------------------


def heard(given: Any) -> Refusal:
    from airflow_provider_contactcenter.transport.policy import refusal_of

    refusal = refusal_of(given)
    assert refusal is not None
    return api.refused(refusal, given)


def test_an_address_that_is_not_authorized_is_no_question_of_the_token() -> None:
    assert heard(error(401, "ip.not.authorized")).kind == "permission"
    assert heard(error(401, "bad.credentials")).kind == "authentication"


def test_a_request_whose_end_never_came_is_no_fault_of_the_reports() -> None:
    assert heard(error(400, "client.failed.request")).kind == "unavailable"
    assert heard(error(400, "bad.request")).kind == "invalid"


def test_the_seconds_to_wait_stand_in_the_header_or_in_the_words() -> None:
    words = "Rate limit exceeded the maximum. Retry the request in [42] seconds"
    assert heard(error(429, "too.many.requests.retry.after", words)).retry_after == 42
    assert heard(error(429, "too.many.requests.retry.after", words, **{"retry-after": "7"})).retry_after == 7


def test_a_refusal_carries_the_id_that_support_asks_for() -> None:
    given = error(
        403, "missing.permissions", "analytics:userDetail:view", **{"inin-correlation-id": "5d0c-1"}
    )
    assert heard(given).words.endswith("(correlation id 5d0c-1)")
    assert "analytics:userDetail:view" in heard(given).words


def test_the_id_stands_in_the_body_where_a_gateway_took_the_header() -> None:
    given = answer({"message": "no", "code": "not.authorized", "contextId": "5d0c-2"}, 403)
    assert heard(given).words == "HTTP 403: not.authorized: no (correlation id 5d0c-2)"


def test_a_lost_job_carries_the_id_that_support_asks_for() -> None:
    with pytest.raises(Refusal, match=r"holds no jobId \(correlation id 5d0c-3\)"):
        play(api.submit(CONVERSATIONS, None), answer({}, 202, {"inin-correlation-id": "5d0c-3"}))


def test_a_refusal_names_the_fields_that_it_is_about() -> None:
    details = [{"errorCode": "too.long", "fieldName": "interval"}, {}, "odd"]
    body = {"message": "Invalid", "code": "constraint.validation", "details": details}
    assert heard(answer(body, 400)).words == "HTTP 400: constraint.validation: Invalid: interval too.long"
    assert heard(answer({"message": "Several", "errors": [body]}, 400)).words.endswith("interval too.long")


# -- test of a connection ----------------------------------------------------------------------------------


def test_a_connection_that_sees_one_watermark_is_good() -> None:
    settings: Settings = api.settings(fields())
    asked, sentence = play(
        api.probe(settings), error(403, "missing.permissions"), answer({"dataAvailabilityDate": LATER})
    )
    assert [request.target.split("/")[4] for request in asked] == ["conversations", "users"]
    assert (
        sentence == f"Genesys Cloud answers at https://api.mypurecloud.com: users are complete until {LATER}"
    )


def test_a_connection_that_sees_none_is_not() -> None:
    with pytest.raises(Refusal, match=r"missing\.permissions"):
        play(api.probe(api.settings(fields())), *[error(403, "missing.permissions")] * 2)
