"""Token, jobs, pages, watermark, refusals and limits, as the fact sheet has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

from .genesys_cloud import DAY, NOW, VENDOR, Genesys, day, error, sandbox_with


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


# Token.


def test_the_token_has_three_fields(api: Genesys) -> None:
    body = api.token().json()
    assert sorted(body) == ["access_token", "expires_in", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 86_399)


def test_id_and_secret_may_come_as_form_fields(api: Genesys) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": api.connection["login"],
        "client_secret": api.connection["password"],
    }
    answer = requests.post(api.connection["extra"]["auth_url"], data=form)
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", [None, "application/json"])
def test_a_token_is_for_a_form_that_says_that_it_is_one(api: Genesys, kind: str | None) -> None:
    auth = (api.connection["login"], api.connection["password"])
    headers = {"Content-Type": kind} if kind else {}
    for body in (b"grant_type=client_credentials", b'{"grant_type": "client_credentials"}'):
        refused = requests.post(api.connection["extra"]["auth_url"], auth=auth, data=body, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


def test_who_is_wrong_at_the_token_endpoint_is_told_in_its_own_shape(api: Genesys, sandbox: Sandbox) -> None:
    unknown, wrong = api.token(login="nobody"), api.token(password="wrong")
    assert (unknown.status_code, wrong.status_code) == (400, 401)
    assert unknown.json() == {
        "error": "invalid_client",
        "description": "client not found",
        "error_description": "client not found",
    }
    assert wrong.json()["error_description"] == "authentication failed"
    sandbox.set_options(VENDOR, wrong_secret_status=400)
    assert api.token(password="wrong").status_code == 400


def test_a_client_of_another_region_is_not_found(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, region="other")
    answer = api.token()
    assert (answer.status_code, answer.json()["description"]) == (400, "client not found")


def test_login_and_api_answer_with_a_gateways_prefixes_and_without(api: Genesys, sandbox: Sandbox) -> None:
    base = f"{sandbox.url}/genesys"
    assert api.connection["host"] == f"{base}/platform"
    assert api.connection["extra"]["auth_url"] == f"{base}/login/oauth/token"
    auth = (api.connection["login"], api.connection["password"])
    form = {"grant_type": "client_credentials"}
    assert requests.post(f"{base}/oauth/token", auth=auth, data=form).status_code == 200
    path = "api/v2/analytics/users/details/jobs/availability"
    assert requests.get(f"{base}/{path}", headers=api.headers).status_code == 200
    assert requests.get(f"{base}/elsewhere/{path}", headers=api.headers).status_code == 404


def test_a_token_dies_when_its_time_is_over_or_when_nobody_uses_it(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, expires_in=300)
    api = Genesys(sandbox)
    sandbox.clock.advance(299)
    assert api.availability().status_code == 200
    sandbox.clock.advance(1)
    assert error(api.availability()) == (401, "bad.credentials")
    sandbox.set_options(VENDOR, expires_in=86_399, idle_seconds=300)
    api.renew()
    for _ in range(3):
        sandbox.clock.advance(299)
        assert api.availability().status_code == 200
    sandbox.clock.advance(300)
    assert error(api.availability()) == (401, "bad.credentials")


def test_a_token_may_be_revoked_between_two_pages(api: Genesys, sandbox: Sandbox) -> None:
    job_id = api.submitted()
    first = api.page(job_id, pageSize=10).json()
    sandbox.add_fault(vendor=VENDOR, operation="results", fault="revoke_token")
    assert error(api.page(job_id, pageSize=10, cursor=first["cursor"])) == (401, "bad.credentials")
    api.renew()
    assert api.page(job_id, pageSize=10, cursor=first["cursor"]).status_code == 200


# Permissions.


def test_no_token_is_another_refusal_than_a_wrong_one(api: Genesys) -> None:
    api.headers = {}
    assert error(api.availability()) == (401, "authentication.required")
    api.headers = {"Authorization": "Bearer wrong"}
    assert error(api.availability()) == (401, "bad.credentials")


def test_an_address_that_is_not_allowed_is_refused_with_a_fresh_token_too(
    api: Genesys, sandbox: Sandbox
) -> None:
    sandbox.set_options(VENDOR, ip_allowed=False)
    assert api.token().status_code == 200
    for _ in range(2):
        assert error(api.create()) == (401, "ip.not.authorized")
        api.renew()


@pytest.mark.parametrize(
    ("subject", "options", "code", "names"),
    [
        ("conversations", {"scopes": ["users"]}, "app.not.authorized.for.scope", "analytics:readonly"),
        ("users", {"permissions": []}, "missing.permissions", "analytics:userDetail:view"),
        (
            "conversations",
            {"permissions": []},
            "missing.any.permissions",
            "analytics:conversationDetail:view, analytics:agentConversationDetail:view",
        ),
        ("users", {"divisions": "refused"}, "missing.division.permission", "analytics:userDetail:view"),
    ],
)
def test_what_is_missing_is_named_in_words_and_parameters(
    sandbox: Sandbox, subject: str, options: dict[str, Any], code: str, names: str
) -> None:
    api = Genesys(sandbox, subject)
    sandbox.set_options(VENDOR, **options)
    answer = api.create()
    assert error(answer) == (403, code)
    body = answer.json()
    assert names in body["message"]
    assert names in " ".join(body["messageParams"].values())
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]


def test_who_may_see_agents_conversations_alone_may_submit_but_not_see_the_watermark(
    api: Genesys, sandbox: Sandbox
) -> None:
    sandbox.set_options(VENDOR, permissions=["analytics:agentConversationDetail:view"])
    assert api.create().status_code == 202
    answer = api.availability()
    assert error(answer) == (403, "missing.permissions")
    assert answer.json()["messageParams"] == {"permissions": "analytics:conversationDetail:view"}


def test_rows_of_a_division_that_is_not_granted_are_left_out_silently(api: Genesys, sandbox: Sandbox) -> None:
    everything = api.rows()
    sandbox.set_options(VENDOR, divisions="hidden")
    shown = api.rows()
    assert len({row["divisionIds"][0] for row in everything}) == 2
    assert shown == [row for row in everything if row["divisionIds"] == shown[0]["divisionIds"]]


# Submit.


@pytest.mark.parametrize("status", [202, 200, 201])
def test_a_job_is_taken_with_any_of_three_codes(api: Genesys, sandbox: Sandbox, status: int) -> None:
    sandbox.set_options(VENDOR, create_status=status)
    answer = api.create()
    assert answer.status_code == status
    assert list(answer.json()) == ["jobId"]


def test_a_job_that_was_taken_may_come_back_without_its_id(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, create_body="no_id")
    assert api.create().json() == {}
    sandbox.set_options(VENDOR, create_body="empty")
    assert api.create().content == b""
    assert len(sandbox.jobs(VENDOR)) == 2


def test_an_order_may_be_lost_on_its_way_back(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor=VENDOR, operation="create", fault="lost_answer")
    with pytest.raises(requests.ConnectionError):
        api.create()
    sandbox.add_fault(vendor=VENDOR, operation="create", fault="status", status=504, when="after")
    assert api.create().status_code == 504
    sandbox.add_fault(vendor=VENDOR, operation="create", fault="status", status=504)
    assert api.create().status_code == 504
    assert len(sandbox.jobs(VENDOR)) == 2


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        (None, "constraint.validation"),
        ("", "invalid.date"),
        ("2026-05-06", "invalid.date"),
        ("2026-05-06/2026-05-07", "invalid.date"),
        ("2026-05-06T00:00:00Z", "invalid.date"),
        ("2026-05-06T00:00Z/2026-05-07T00:00Z", "invalid.date"),
        ("2026-05-06T00:00:00Z/2026-05-07T00:00Z", "invalid.date"),
        ("2026-05-06T00:00:00 CET/2026-05-07T00:00:00 CET", "invalid.date"),
        ("2026-05-06T00:00:00Z/2026-05-32T00:00:00Z", "invalid.date"),
        ("2026-05-07T00:00:00Z/2026-05-06T00:00:00Z", "constraint.validation"),
        ("2026-05-06T00:00:00Z/2026-05-06T00:00:00Z", "constraint.validation"),
        ("2026-05-14T00:00:00Z/2026-05-14T12:00:01Z", "constraint.validation"),
        (7, "invalid.date"),
    ],
)
def test_an_interval_that_is_none_is_refused(api: Genesys, interval: Any, code: str) -> None:
    assert error(api.create_raw({"interval": interval})) == (400, code)


@pytest.mark.parametrize(
    "interval",
    [
        "2026-05-06T00:00:00/2026-05-07T00:00:00",
        "2026-05-06T00:00:00Z/2026-05-07T00:00:00Z",
        "2026-05-06T02:00:00+02:00/2026-05-07T02:00:00+02:00",
    ],
)
def test_an_interval_may_lack_a_zone_or_milliseconds_or_have_an_offset(api: Genesys, interval: str) -> None:
    assert api.ids(interval) == api.ids(DAY)


def test_the_longest_interval_is_named_where_there_is_one(api: Genesys, sandbox: Sandbox) -> None:
    year = "2025-05-01T00:00:00Z/2026-05-01T00:00:00Z"
    sandbox.set_options(VENDOR, rows=1)
    assert api.create(year).status_code == 202
    sandbox.set_options(VENDOR, max_interval_days=31)
    answer = api.create(year)
    assert error(answer) == (400, "constraint.validation")
    assert "31 days" in answer.json()["message"]


def _filtered(kind: str, **predicate: Any) -> dict[str, Any]:
    return {kind: [{"type": "and", "predicates": [predicate]}]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"order": "up"}, "invalid.value"),
        ({"orderBy": "conversationId"}, "invalid.value"),
        ({"limit": 0}, "invalid.value"),
        ({"limit": True}, "invalid.value"),
        ({"startOfDayIntervalMatching": "yes"}, "invalid.value"),
        ({"segmentFilters": {}}, "invalid.value"),
        ({"segmentFilters": [{"predicates": []}]}, "invalid.value"),
        (
            {"segmentFilters": [{"type": "and", "predicates": [{"dimension": "colour", "value": "x"}]}]},
            "invalid.property",
        ),
        (
            {"segmentFilters": [{"type": "and", "predicates": [{"dimension": "queueId"}]}]},
            "constraint.validation",
        ),
        ({"segmentFilters": [{"type": "and", "predicates": [{"value": "x"}]}]}, "constraint.validation"),
        (_filtered("segmentFilters", metric="oTotalScore", range={"gt": 1}), "invalid.property"),
        (_filtered("conversationFilters", property="tier", value="gold"), "invalid.property"),
        (_filtered("resolutionFilters", dimension="userId", value="x"), "invalid.property"),
        (_filtered("segmentFilters", type="attribute", dimension="ani", value="x"), "invalid.value"),
        (
            _filtered("segmentFilters", property="tier", propertyType="money", value="x"),
            "invalid.value",
        ),
        (
            _filtered("segmentFilters", metric="tSegmentDuration", range={"over": 1}),
            "invalid.value",
        ),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(api: Genesys, body: dict[str, Any], code: str) -> None:
    assert error(api.create(**body)) == (400, code)


@pytest.mark.parametrize(
    "body",
    [
        _filtered("segmentFilters", dimension="participantName", value="Ana"),
        _filtered("segmentFilters", type="dimension", dimension="skillExpressionId", operator="exists"),
        _filtered("segmentFilters", property="tier", propertyType="string", value="gold"),
        _filtered("conversationFilters", metric="tTalk", range={"gt": 1000, "lte": 9000}),
        _filtered("resolutionFilters", metric="nNextContactAvoided", range={"gte": 1}),
    ],
    ids=lambda body: next(iter(body)),
)
def test_a_filter_may_name_whatever_the_vendors_models_know(api: Genesys, body: dict[str, Any]) -> None:
    assert api.create(**body).status_code == 202


def test_users_are_filtered_by_dimensions_alone(users: Genesys) -> None:
    for predicate in ({"metric": "tTalk", "range": {"gt": 1}}, {"property": "tier", "value": "x"}):
        assert error(users.create(**_filtered("userFilters", **predicate))) == (400, "invalid.property")
    assert users.create(**_filtered("userFilters", dimension="userId", operator="exists")).status_code == 202


def test_a_body_has_to_be_a_json_object_of_its_type_and_not_too_long(api: Genesys) -> None:
    assert error(api.create_raw([])) == (400, "bad.request")
    headers = {**api.headers, "Content-Type": "application/json"}
    assert error(requests.post(api.url, data=b"{", headers=headers)) == (400, "bad.request")
    for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonx"}):
        answer = requests.post(api.url, data=b"{}", headers=api.headers | kind)
        assert error(answer) == (415, "unsupported.media.type")
    answer = api.create(comment="x" * 512_000)
    assert error(answer) == (413, "request.entity.too.large")
    assert "512000" in answer.json()["message"]


# Status and cancel.


def test_a_job_climbs_to_fulfilled_with_its_dates(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, ladder=[["QUEUED", 5, 0], ["PENDING", 10, 0]])
    job_id = api.submitted()
    answers = [api.poll(job_id)]
    for seconds in (5, 10):
        sandbox.clock.advance(seconds)
        answers.append(api.poll(job_id))
    assert [answer.status_code for answer in answers] == [202, 202, 200]
    assert [answer.json()["state"] for answer in answers] == ["QUEUED", "PENDING", "FULFILLED"]
    assert answers[0].json() == {"state": "QUEUED", "submissionDate": "2026-05-14T12:00:00.000Z"}
    assert answers[2].json() == {
        "state": "FULFILLED",
        "submissionDate": "2026-05-14T12:00:00.000Z",
        "completionDate": "2026-05-14T12:00:15.000Z",
        "expirationDate": "2026-05-15T12:00:15.000Z",
    }


@pytest.mark.parametrize(
    ("code", "statuses"), [("200", [200, 200]), ("202", [202, 202]), ("mixed", [202, 200])]
)
def test_the_code_of_a_poll_may_tell_nothing(
    api: Genesys, sandbox: Sandbox, code: str, statuses: list[int]
) -> None:
    sandbox.set_options(VENDOR, poll_code=code, ladder=[["PENDING", 0, 1]])
    job_id = api.submitted()
    assert [api.poll(job_id).status_code for _ in range(2)] == statuses


def test_a_failure_has_words_or_none(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, end="FAILED")
    assert api.poll(api.submitted()).json()["errorMessage"] == "The query could not be executed."
    sandbox.set_options(VENDOR, error_message="")
    assert "errorMessage" not in api.poll(api.submitted()).json()


def test_states_may_be_strange(api: Genesys, sandbox: Sandbox) -> None:
    job_id = api.submitted()
    sandbox.add_fault(vendor=VENDOR, operation="poll", fault="unknown_status", word="PONDERING")
    assert api.state(job_id) == "PONDERING"
    sandbox.set_options(VENDOR, state_as="lower")
    assert api.state(job_id) == "fulfilled"
    sandbox.set_options(VENDOR, state_as="missing")
    assert api.state(job_id) is None
    sandbox.set_options(VENDOR, state_as="upper", ladder=[["QUEUED", 0, 0]], hold="QUEUED")
    never = api.submitted()
    sandbox.clock.advance(86_000)
    assert api.state(never) == "QUEUED"


def test_the_expiration_date_may_come_only_once_the_job_has_expired(api: Genesys, sandbox: Sandbox) -> None:
    job_id = api.submitted()
    sandbox.set_options(VENDOR, dates="no_expiration")
    assert "expirationDate" not in api.poll(job_id).json()
    sandbox.set_options(VENDOR, dates="expiration_when_expired", results_seconds=3_600)
    assert "expirationDate" not in api.poll(job_id).json()
    sandbox.clock.advance(3_600)
    told = api.poll(job_id).json()
    assert (told["state"], told["expirationDate"]) == ("EXPIRED", "2026-05-14T13:00:00.000Z")


@pytest.mark.parametrize("status", [404, 410])
def test_a_job_may_expire_between_two_pages(api: Genesys, sandbox: Sandbox, status: int) -> None:
    sandbox.set_options(VENDOR, expire_after_pages=1, expired_as=status)
    job_id = api.submitted()
    first = api.page(job_id, pageSize=10).json()
    assert error(api.page(job_id, pageSize=10, cursor=first["cursor"])) == (status, "not.found")
    assert api.state(job_id) == "EXPIRED"


def test_a_cancelled_job_has_no_results(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, ladder=[["PENDING", 60, 0]])
    job_id = api.submitted()
    assert error(api.page(job_id)) == (400, "bad.request")
    answer = api.cancel(job_id)
    assert (answer.status_code, answer.content) == (204, b"")
    sandbox.clock.advance(60)
    assert api.state(job_id) == "CANCELLED"
    assert error(api.page(job_id)) == (404, "not.found")
    assert error(api.cancel("unknown")) == (404, "not.found")


@pytest.mark.parametrize(
    ("option", "cancelled", "then"),
    [("kept", 204, 200), ("dropped", 204, 404), ("409", 409, 200), ("404", 404, 200)],
)
def test_a_job_that_is_over_may_be_cancelled_or_not(
    api: Genesys, sandbox: Sandbox, option: str, cancelled: int, then: int
) -> None:
    sandbox.set_options(VENDOR, cancel_done=option)
    job_id = api.submitted()
    assert api.cancel(job_id).status_code == cancelled
    assert api.page(job_id).status_code == then


def test_a_job_of_users_is_unknown_among_conversations(api: Genesys, users: Genesys) -> None:
    job_id = users.submitted()
    assert users.state(job_id) == "FULFILLED"
    for answer in (api.poll(job_id), api.page(job_id), api.cancel(job_id)):
        assert error(answer) == (404, "not.found")


# Pages.


def test_pages_tile_the_rows_and_the_last_has_no_cursor(api: Genesys, sandbox: Sandbox) -> None:
    whole = api.rows()
    pages = api.pages(api.submitted(), 30)
    assert [row for page in pages for row in page["conversations"]] == whole
    assert {len(page["conversations"]) for page in pages[:-1]} == {30}
    assert "cursor" not in pages[-1]
    assert len({page["cursor"] for page in pages[:-1]}) == len(pages) - 1
    served = sandbox.served(vendor=VENDOR, operation="results")
    assert sum(entry["rows"] for entry in served[1:]) == len(whole)


@pytest.mark.parametrize(("last", "ends"), [("missing", ...), ("null", None), ("empty", "")])
def test_the_end_is_told_in_three_ways(api: Genesys, sandbox: Sandbox, last: str, ends: Any) -> None:
    sandbox.set_options(VENDOR, last_cursor=last)
    assert api.page(api.submitted(), pageSize=1_000).json().get("cursor", ...) == ends


def test_pages_may_be_empty_or_short_before_the_end(api: Genesys, sandbox: Sandbox) -> None:
    whole = api.rows()

    def sizes(**options: str) -> list[int]:
        sandbox.set_options(VENDOR, middle_page="full", last_page="full")
        sandbox.set_options(VENDOR, **options)
        pages = api.pages(api.submitted(), 40)
        assert [row for page in pages for row in page["conversations"]] == whole
        return [len(page["conversations"]) for page in pages]

    assert sizes()[:2] == [40, 40]
    assert sizes(middle_page="empty")[:3] == [40, 0, 40]
    assert sizes(middle_page="short")[:2] == [40, 20]
    assert sizes(last_page="empty") == [*sizes(), 0]


@pytest.mark.parametrize(("form", "least"), [("awkward", 20), ("long", 2_000)])
def test_a_cursor_has_to_be_encoded_on_its_way_back(
    api: Genesys, sandbox: Sandbox, form: str, least: int
) -> None:
    sandbox.set_options(VENDOR, cursor_form=form)
    job_id = api.submitted()
    cursor = api.page(job_id, pageSize=10).json()["cursor"]
    assert len(cursor) >= least
    assert set("+/=%") <= set(cursor)
    assert api.page(job_id, pageSize=10, cursor=cursor).status_code == 200
    url = f"{api.url}/{job_id}/results?pageSize=10&cursor={cursor}"
    assert error(requests.get(url, headers=api.headers)) == (400, "invalid.query.param.value")


def test_a_cursor_may_repeat_expire_or_belong_to_another_job(api: Genesys, sandbox: Sandbox) -> None:
    job_id, other = api.submitted(), api.submitted()
    cursor = api.page(job_id, pageSize=10).json()["cursor"]
    assert error(api.page(other, cursor=cursor)) == (400, "invalid.query.param.value")
    sandbox.set_options(VENDOR, cursor="repeated")
    assert api.page(job_id, pageSize=10, cursor=cursor).json()["cursor"] == cursor
    sandbox.set_options(VENDOR, cursor="next", cursor_seconds=60)
    sandbox.clock.advance(59)
    assert api.page(job_id, pageSize=10, cursor=cursor).status_code == 200
    sandbox.clock.advance(1)
    assert error(api.page(job_id, pageSize=10, cursor=cursor)) == (400, "invalid.query.param.value")


def test_page_sizes_are_small_clamped_or_refused(api: Genesys, sandbox: Sandbox) -> None:
    def rows(**query: Any) -> int:
        return len(api.page(api.submitted(), **query).json()["conversations"])

    sandbox.set_options(VENDOR, default_page_size=25, max_page_size=50)
    assert (rows(), rows(pageSize=40), rows(pageSize=1_000)) == (25, 40, 50)
    sandbox.set_options(VENDOR, past_max_page_size="400")
    job_id = api.submitted()
    for size in (51, 0, "x", -1):
        assert error(api.page(job_id, pageSize=size)) == (400, "invalid.query.param.value")
    sandbox.set_options(VENDOR, max_page_rows=30)
    assert error(api.page(job_id, pageSize=40)) == (400, "response.entity.too.large")
    assert api.page(job_id, pageSize=30).status_code == 200


@pytest.mark.parametrize(("form", "rows"), [("list", []), ("null", None), ("missing", ...)])
def test_a_job_without_rows_says_so_in_three_ways(
    api: Genesys, sandbox: Sandbox, form: str, rows: Any
) -> None:
    sandbox.set_options(VENDOR, no_rows=form, rows=0, threads=0)
    page = api.page(api.submitted()).json()
    assert page.get("conversations", ...) == rows
    assert "cursor" not in page


def test_a_limit_cuts_the_rows_and_tells_nobody(api: Genesys) -> None:
    whole = api.rows()
    [page] = api.pages(api.submitted(limit=7))
    assert page["conversations"] == whole[:7]


# Watermark.


def moment(answer: requests.Response) -> datetime:
    return datetime.fromisoformat(answer.json()["dataAvailabilityDate"])


def test_each_subject_has_a_watermark_that_moves_with_time(
    api: Genesys, users: Genesys, sandbox: Sandbox
) -> None:
    assert moment(api.availability()) == NOW - timedelta(seconds=60)
    assert moment(users.availability()) == NOW - timedelta(seconds=90)
    sandbox.clock.advance(600)
    assert moment(api.availability()) == NOW + timedelta(seconds=540)
    sandbox.set_options(VENDOR, conversations_lag=86_400, users_watermark="2026-05-06T10:00:00+02:00")
    assert moment(api.availability()) == NOW + timedelta(seconds=600 - 86_400)
    assert users.availability().json() == {"dataAvailabilityDate": "2026-05-06T08:00:00.000Z"}
    with pytest.raises(ValueError, match="with an offset"):
        sandbox.set_options(VENDOR, users_watermark="2026-05-06T10:00:00")


def test_the_watermark_may_step_back(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, watermark_steps_back=300)
    seen = [moment(api.availability()) for _ in range(3)]
    assert seen[0] == seen[2] == seen[1] + timedelta(seconds=300)


def test_pages_repeat_the_watermark_that_the_job_saw_or_less_or_nothing(
    api: Genesys, sandbox: Sandbox
) -> None:
    job_id = api.submitted()
    sandbox.clock.advance(600)
    assert moment(api.page(job_id)) == NOW - timedelta(seconds=60)
    sandbox.set_options(VENDOR, page_lag=3_600)
    assert moment(api.page(job_id)) == NOW - timedelta(seconds=3_660)
    for form, value in (("missing", ...), ("null", None)):
        sandbox.set_options(VENDOR, page_watermark=form)
        assert api.page(job_id).json().get("dataAvailabilityDate", ...) == value


def test_beyond_the_watermark_the_tail_is_missing_without_a_word_and_comes_later(
    api: Genesys, sandbox: Sandbox
) -> None:
    whole = api.ids(day(13))
    sandbox.set_options(VENDOR, conversations_watermark="2026-05-13T18:00:00Z")
    job_id = api.submitted(day(13))
    assert api.state(job_id) == "FULFILLED"
    cut = api.rows(day(13))
    assert 0 < len(cut) < len(whole)
    assert [row["conversationId"] for row in cut] == whole[: len(cut)]
    assert all(row["conversationStart"] < "2026-05-13T18:00" for row in cut)
    sandbox.set_options(
        VENDOR, conversations_watermark="2026-05-12T18:00:00Z", users_watermark="2026-05-12T18:00:00Z"
    )
    assert api.rows(day(13)) == []
    assert Genesys(sandbox, "users").rows(day(13)) == []
    sandbox.set_options(VENDOR, conversations_watermark=None)
    assert api.ids(day(13)) == whole


def test_a_message_after_the_watermark_puts_its_thread_into_no_window(api: Genesys, sandbox: Sandbox) -> None:
    def threads() -> list[str]:
        return [row["conversationStart"] for row in api.rows(day(11)) if "email" in str(row)]

    sandbox.set_options(VENDOR, conversations_watermark="2026-05-11T08:59:00Z")
    assert threads() == []
    sandbox.set_options(VENDOR, conversations_watermark="2026-05-11T09:01:00Z")
    assert threads() == ["2026-05-07T09:00:00.000Z"]


# Limits and refusals.


def test_a_429_tells_the_seconds_in_header_and_words_or_not_at_all(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, requests_per_minute=0, retry_after=7_200)

    def told(shape: str) -> tuple[str, str | None, str]:
        sandbox.set_options(VENDOR, limited_as=shape)
        answer = api.availability()
        assert answer.status_code == 429
        return answer.json()["code"], answer.headers.get("Retry-After"), answer.json()["message"]

    words = "Rate limit exceeded the maximum. Retry the request in [7200] seconds"
    assert told("header") == ("too.many.requests.retry.after", "7200", words)
    assert told("words") == ("too.many.requests.retry.after", None, words)
    assert told("no_seconds")[:2] == ("too.many.requests", None)
    date = told("date")[1]
    assert parsedate_to_datetime(date or "") == NOW + timedelta(seconds=7_200)


def test_requests_are_counted_down_for_each_token_and_minute(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, requests_per_minute=3)
    counts = [api.availability().headers["inin-ratelimit-count"] for _ in range(3)]
    assert counts == ["1", "2", "3"]
    sandbox.clock.advance(18)
    answer = api.availability()
    assert error(answer) == (429, "too.many.requests.retry.after")
    assert answer.headers["Retry-After"] == "42"
    assert answer.json()["limit"]["key"] == "client.credentials.token.rate.per.minute"
    old = api.headers
    api.renew()
    fresh = api.availability()
    assert (fresh.status_code, fresh.headers["inin-ratelimit-allowed"]) == (200, "3")
    api.headers = old
    sandbox.clock.advance(42)
    assert api.availability().status_code == 200


def test_jobs_at_a_time_and_a_second_are_limited_by_name(api: Genesys, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, ladder=[["PENDING", 60, 0]], max_running=2)
    jobs = [api.submitted() for _ in range(2)]
    answer = api.create()
    assert error(answer) == (429, "too.many.requests.retry.after")
    key = "details.jobs.concurrent.access.max"
    assert answer.json()["limit"] == {"key": key, "namespace": "analytics", "value": 2}
    api.cancel(jobs[0])
    sandbox.set_options(VENDOR, jobs_per_second=2)
    assert api.create().json()["limit"]["key"] == "details.jobs.rate.per.second"
    sandbox.clock.advance(1)
    assert api.create().status_code == 202


def test_the_organization_tells_its_limits_to_who_may_see_them(api: Genesys, sandbox: Sandbox) -> None:
    url = f"{api.connection['host']}/api/v2/organizations/limits/namespaces/analytics"
    sandbox.set_options(VENDOR, jobs_per_second=4)
    entities = requests.get(url, headers=api.headers).json()["entities"]
    assert {entity["key"]: entity["value"] for entity in entities} == {
        "details.jobs.concurrent.access.max": 20,
        "details.jobs.rate.per.second": 4,
    }
    sandbox.set_options(VENDOR, permissions=[])
    assert error(requests.get(url, headers=api.headers)) == (403, "missing.permissions")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("response.entity.too.large", 400),
        ("client.timeout", 408),
        ("request.conflict", 409),
        ("too.many.requests.retry.after", 429),
        ("internal.server.error", 500),
        ("service.unavailable", 503),
        ("authentication.request.timeout", 504),
        ("authz.policy.denied", 403),
    ],
)
def test_any_code_of_the_vendors_can_be_asked_for_by_name(
    api: Genesys, sandbox: Sandbox, code: str, status: int
) -> None:
    sandbox.add_fault(vendor=VENDOR, operation="poll", fault="refusal", code=code)
    job_id = api.submitted()
    answer = api.poll(job_id)
    assert error(answer) == (status, code)
    assert "{" not in answer.json()["message"]
    assert answer.headers["ININ-Correlation-Id"] == answer.json()["contextId"]
    assert api.state(job_id) == "FULFILLED"


def test_a_refusal_is_for_a_vendor_that_has_such_codes(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match=r"^'code' must be one of bad.request, .*, not 'nonsense'\.$"):
        sandbox.add_fault(vendor=VENDOR, fault="refusal", code="nonsense")
    for vendor in (None, "talkdesk"):
        with pytest.raises(ValueError, match="that has codes: genesys_cloud"):
            sandbox.add_fault(vendor=vendor, fault="refusal", code="not.found")


def test_error_bodies_come_in_five_shapes(api: Genesys, sandbox: Sandbox) -> None:
    def refused(shape: str) -> requests.Response:
        sandbox.set_options(VENDOR, error_shape=shape)
        answer = api.poll("unknown")
        assert answer.status_code == 404
        return answer

    full = refused("full").json()
    assert sorted(full) == ["code", "contextId", "details", "errors", "message", "status"]
    assert refused("message").json() == {"message": full["message"]}
    assert refused("nested").json()["errors"][0]["code"] == "not.found"
    assert refused("empty").content == b""
    plain = refused("text")
    assert (plain.headers["Content-Type"], plain.text) == ("text/plain", full["message"])


def test_a_cdn_may_answer_in_html_and_a_page_may_break_off(api: Genesys, sandbox: Sandbox) -> None:
    job_id = api.submitted()
    for status in (503, 200):
        sandbox.add_fault(vendor=VENDOR, operation="results", fault="html", status=status)
        answer = api.page(job_id)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    sandbox.add_fault(vendor=VENDOR, operation="results", fault="cut", framing="chunked")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.page(job_id)


def test_every_answer_has_a_correlation_id_and_jobs_have_the_same_ids_whatever_was_asked_before() -> None:
    jobs = []
    for calls in (0, 3):
        with sandbox_with() as sandbox:
            api = Genesys(sandbox)
            answers = [api.availability() for _ in range(calls)]
            assert len({answer.headers["ININ-Correlation-Id"] for answer in answers}) == calls
            created = api.create()
            assert created.headers["Transfer-Encoding"] == "chunked"
            jobs.append(created.json()["jobId"])
    assert jobs[0] == jobs[1]
