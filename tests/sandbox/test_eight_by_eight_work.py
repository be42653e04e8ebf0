"""8x8 Work Analytics over real HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .eight_by_eight import Work

WORK = "eight_by_eight_work"
#: the seed's sample request; its year is out of retention by now
SEED = {
    "pbxId": "acmecorppbx",
    "startTime": "2022-02-03 00:00:00",
    "endTime": "2022-02-03 10:00:00",
    "timeZone": "America/New_York",
    "pageSize": "50",
    "isSimplified": "false",
    "isConnectTime": "false",
}
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
DAY = {
    "pbxId": "allpbxes",
    "startTime": f"{YESTERDAY:%Y-%m-%d} 00:00:00",
    "endTime": f"{YESTERDAY:%Y-%m-%d} 12:00:00",
    "timeZone": "UTC",
    "pageSize": "7000",
}
PAGED = ("/v2/call-legs", "/v2/call-records", "/v1/cdr")
SUMMARIES = ("/v1/compsum", "/v1/extsum", "/v2/extsum", "/v2/rgsum-groups", "/v2/rgsum-members", "/v2/rgsum")

#: the first leg of the seed's sample
LEG: dict[str, Any] = {
    "callId": "1635571048351",
    "legId": "1",
    "startTimeUTC": 1643898447499,
    "startTime": "2022-02-03T09:27:27.499-0500",
    "connectTimeUTC": 1643898447539,
    "connectTime": "2022-02-03T09:27:27.539-0500",
    "disconnectedTimeUTC": 1643898472253,
    "disconnectedTime": "2022-02-03T09:27:52.253-0500",
    "talkTimeMS": 0,
    "talkTime": "00:00:00",
    "caller": "+15555551220",
    "callerName": "MARK SMITH",
    "callee": "120088",
    "calleeName": "Jane Li",
    "lra": "120088",
    "direction": "Incoming",
    "parentCallId": None,
    "transferToCallId": None,
    "dnis": "12025555720",
    "status": "Completed",
    "callerDeviceId": None,
    "calleeDeviceId": None,
    "callerDeviceModel": "",
    "calleeDeviceModel": "",
    "callerId": "MARK SMITH,+15555551220",
    "missed": "Missed",
    "abandoned": "-",
    "answered": "-",
    "cause": "Ring No Answer",
    "callerSvcName": None,
    "callerSvcType": None,
    "calleeSvcName": "VMadvanced",
    "calleeSvcType": "Custom",
    "lraType": 1,
    "calleeHoldDurationMS": 0,
    "calleeHoldDuration": "00:00:00",
    "calleeDisconnectOnHold": "",
    "callerDisconnectOnHold": "",
    "pbxId": "acmecorppbx",
    "sipCallId": "user@example.com",
    "departments": ["Sales Engineering"],
    "branches": ["Central"],
    "recordServiceOn": "",
    "bargeServiceOn": "",
    "masterSlaveExts": "",
    "propsLastPartyDisp": "Voicemail",
    "accountCode": "",
    "aaPath": "",
    "callTime": 24754,
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Work:
    return Work(sandbox)


def key(row: dict[str, Any]) -> tuple[str, ...]:
    return row["pbxId"], row["callId"], row.get("legId", "")


# Token and refusals.


def test_the_token_is_bearer_for_1800_seconds(api: Work) -> None:
    body = api.token().json()
    assert sorted(body) == ["access_token", "expires_in", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)


def test_a_client_can_read_the_tokens_end_in_it(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, expires_in=60)
    tokens = [api.token().json()["access_token"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    head, claims, _ = tokens[0].split(".")
    assert head == "eyJhbGciOiJSUzI1NiJ9"  # the head of the seed's sample
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert told["exp"] - told["iat"] == 60
    assert abs(told["iat"] - time.time()) < 60


@pytest.mark.parametrize("headers", [{}, {"8x8-apikey": "wrong"}])
def test_a_wrong_key_is_a_bad_request_at_the_token_and_at_the_data(
    api: Work, headers: dict[str, str]
) -> None:
    refused = api.token(headers)
    assert (refused.status_code, refused.json()["message"]) == (400, "Invalid 8x8-apikey")
    assert refused.json()["code"] == "SHA001"
    detail = refused.json()["details"][0]
    assert (detail["type"], detail["location"], detail["path"]) == ("invalidValue", "header", ["8x8-apikey"])
    api.headers = {"Authorization": api.headers["Authorization"], **headers}
    assert api.get("/v2/call-legs", **DAY).json()["code"] == "SHA001"


@pytest.mark.parametrize("form", [{"username": "nobody"}, {"password": "wrong"}])
def test_a_wrong_user_is_a_bad_request_too(api: Work, form: dict[str, str]) -> None:
    refused = api.token(**form)
    assert refused.status_code == 400
    assert refused.json() == {"error_description": "USER_NOTFOUND_ERROR", "error": "invalid_grant"}


def test_the_password_has_to_be_encoded(api: Work) -> None:
    raw = f"username={api.connection['login']}&password={api.connection['password']}"
    headers = {**api.key, "Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(api.connection["extra"]["auth_url"], data=raw, headers=headers)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", [None, "application/json"])
def test_a_token_is_for_a_form_that_says_that_it_is_one(api: Work, kind: str | None) -> None:
    given = {"username": api.connection["login"], "password": api.connection["password"]}
    headers = api.key | ({"Content-Type": kind} if kind else {})
    for body in (urlencode(given), json.dumps(given)):
        url = api.connection["extra"]["auth_url"]
        refused = requests.post(url, data=body.encode(), headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_user_who_never_opened_analytics_gets_no_token(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, opened_analytics=False)
    assert api.token().status_code == 400


def test_a_dead_token_is_401_even_in_mid_scroll(api: Work, sandbox: Sandbox) -> None:
    query = DAY | {"pageSize": "30"}
    scroll = api.get("/v2/call-legs", **query).json()["meta"]["scrollId"]
    sandbox.add_fault(vendor=WORK, operation="call_legs", fault="revoke_token")
    refused = api.get("/v2/call-legs", scrollId=scroll, **query)
    assert refused.status_code == 401
    assert refused.json() == {
        "error": "invalid_token",
        "error_description": "Cannot convert access token to JSON",
    }
    again = Work(sandbox).get("/v2/call-legs", scrollId=scroll, **query)
    assert len(again.json()["data"]) == 30


@pytest.mark.parametrize("pbx", ["elsewhere", "acmecorp,acmecorp2", "allpbxes"])
def test_a_pbx_without_access_is_403(api: Work, sandbox: Sandbox, pbx: str) -> None:
    sandbox.set_options(WORK, forbidden_pbxes=["acmecorp2"])
    refused = api.get("/v2/call-legs", **DAY | {"pbxId": pbx})
    body = refused.json()
    assert (refused.status_code, body["status"], body["error"]) == (403, 403, "Access Denied")
    assert body["message"] == body["exception"]
    assert "does not have access to pbxId(" in body["message"]
    assert body["path"] == "/api/analytics/report/external/v2/call-legs"
    assert api.get("/v2/call-legs", **DAY | {"pbxId": "acmecorp"}).status_code == 200


def test_a_pbx_without_access_may_be_400(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, forbidden_as="400")
    refused = api.get("/v2/call-legs", **DAY | {"pbxId": "elsewhere"})
    assert (refused.status_code, refused.json()["code"]) == (400, "105-400-038")
    assert "does not have access to api category(CDR)" in refused.json()["message"]


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in DAY),
        ("startTime", "2025-06-02T00:00:00"),
        ("startTime", "2025-06-02 00:00:00.000"),
        ("endTime", "2025-13-02 00:00:00"),
        ("endTime", "2000-01-01 00:00:00"),
        ("timeZone", "Mars/Olympus"),
        ("pageSize", "7001"),
        ("pageSize", "0"),
        ("pageSize", "many"),
        ("isConnectTime", "perhaps"),
        ("caller", ",".join(str(number) for number in range(126))),
        ("scrollId", "No Data"),
        ("scrollId", "bm9uc2Vuc2U"),
    ],
)
def test_missing_and_malformed_parameters(api: Work, path: str, name: str, value: str | None) -> None:
    query: dict[str, Any] = DAY | {name: value}
    assert api.get(path, **query).status_code == 400


def test_caller_or_callee_excludes_the_other_two(api: Work) -> None:
    assert api.get("/v2/call-legs", callerOrCallee="2001", caller="2001", **DAY).status_code == 400


# Scrolling.


def test_the_seeds_81_legs_come_as_50_and_31_and_then_no_data(sandbox: Sandbox, api: Work) -> None:
    sandbox.set_options(WORK, rows=81, retention_years=100)
    first = api.get("/v2/call-legs", **SEED).json()
    second = api.get("/v2/call-legs", scrollId=first["meta"]["scrollId"], **SEED).json()
    third = api.get("/v2/call-legs", scrollId=second["meta"]["scrollId"], **SEED).json()
    assert [len(page["data"]) for page in (first, second)] == [50, 31]
    assert [page["meta"]["totalRecordCount"] for page in (first, second)] == [81, 81]
    assert first["meta"]["scrollId"] != second["meta"]["scrollId"]
    assert third == {"meta": {"totalRecordCount": 0, "scrollId": "No Data"}, "data": []}
    rows = first["data"] + second["data"]
    assert len({key(row) for row in rows}) == 81
    starts = [row["startTimeUTC"] for row in rows]
    assert starts == sorted(starts, reverse=True)


def test_a_cursor_decodes_like_the_seeds(api: Work) -> None:
    page = api.get("/v2/call-legs", **DAY | {"pageSize": "10"}).json()
    last = page["data"][-1]
    scroll = page["meta"]["scrollId"]
    assert base64.b64decode(scroll + "=" * (-len(scroll) % 4)).decode() == (
        f"{last['pbxId']}_{last['callId']}_{last['legId']}_{last['startTimeUTC']}"
    )
    assert "=" not in scroll


def test_the_seed_also_calls_the_size_page_key_on_later_pages(api: Work, sandbox: Sandbox) -> None:
    query = DAY | {"pageSize": "60"}
    scroll = api.get("/v2/call-legs", **query).json()["meta"]["scrollId"]
    del query["pageSize"]
    assert len(api.get("/v2/call-legs", pageKey="60", scrollId=scroll, **query).json()["data"]) == 40
    assert api.get("/v2/call-legs", pageKey="60", **query).status_code == 400
    sandbox.set_options(WORK, page_key=False)
    assert api.get("/v2/call-legs", pageKey="60", scrollId=scroll, **query).status_code == 400


def test_a_scroll_that_does_not_repeat_its_parameters_is_refused(api: Work) -> None:
    scroll = api.get("/v2/call-legs", **DAY | {"pageSize": "60"}).json()["meta"]["scrollId"]
    assert api.get("/v2/call-legs", scrollId=scroll, pageSize="60").status_code == 400


@pytest.mark.parametrize(
    ("end", "meta"),
    [
        ("null", {"totalRecordCount": 0, "scrollId": None}),
        ("missing", {"totalRecordCount": 0}),
        ("empty", {"totalRecordCount": 100, "scrollId": "{scroll}"}),
    ],
)
def test_other_ends_of_a_scroll(api: Work, sandbox: Sandbox, end: str, meta: dict[str, Any]) -> None:
    sandbox.set_options(WORK, scroll_end=end)
    scroll = api.get("/v2/call-legs", **DAY).json()["meta"]["scrollId"]
    last = api.get("/v2/call-legs", scrollId=scroll, **DAY).json()
    expected = {name: scroll if value == "{scroll}" else value for name, value in meta.items()}
    assert last == {"meta": expected, "data": []}


def test_the_last_page_may_be_the_end_itself(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, scroll_end="last_page")
    page = api.get("/v2/call-legs", **DAY).json()
    assert (len(page["data"]), page["meta"]) == (100, {"totalRecordCount": 100, "scrollId": "No Data"})


def test_a_cursor_may_come_back_for_ever(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, scroll="repeated")
    query = DAY | {"pageSize": "30"}
    scroll = api.get("/v2/call-legs", **query).json()["meta"]["scrollId"]
    again = api.get("/v2/call-legs", scrollId=scroll, **query).json()
    assert again["meta"]["scrollId"] == scroll
    assert len(again["data"]) == 30


def test_a_fault_can_refuse_the_second_page(api: Work, sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor=WORK, operation="call_legs", fault="status", status=400, skip=1)
    query = DAY | {"pageSize": "60"}
    scroll = api.get("/v2/call-legs", **query).json()["meta"]["scrollId"]
    assert api.get("/v2/call-legs", scrollId=scroll, **query).status_code == 400
    assert len(api.get("/v2/call-legs", scrollId=scroll, **query).json()["data"]) == 40


def test_a_count_may_be_wrong(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, total_count="wrong")
    assert api.get("/v2/call-legs", **DAY).json()["meta"]["totalRecordCount"] == 107


@pytest.mark.parametrize("path", PAGED)
def test_no_rows_at_all_are_no_data_at_once(api: Work, sandbox: Sandbox, path: str) -> None:
    sandbox.set_options(WORK, rows=0)
    assert api.get(path, **DAY).json() == {
        "meta": {"totalRecordCount": 0, "scrollId": "No Data"},
        "data": [],
    }


# Rows.


def test_legs_have_the_seeds_fields_in_its_order_and_its_sample_is_among_them(
    api: Work, sandbox: Sandbox
) -> None:
    sandbox.set_options(WORK, rows=500, retention_years=100)
    rows = api.scroll("/v2/call-legs", **SEED)
    assert all(list(row) == list(LEG) for row in rows)
    same = [name for name in LEG if (name != "callId" and "Time" not in name) or name == "callTime"]
    assert any(all(row[name] == LEG[name] for name in same) for row in rows)
    for row in rows:
        assert row["callTime"] == row["disconnectedTimeUTC"] - row["startTimeUTC"]
        for name in ("start", "connect", "disconnected"):
            moment = datetime.fromisoformat(row[f"{name}Time"])
            assert row[f"{name}Time"].endswith("-0500")
            assert round(moment.timestamp() * 1000) == row[f"{name}TimeUTC"]
    assert {row["missed"] for row in rows} == {"-", "Missed"}


RECORD = [
    *("dnis", "aaDestination", "callId", "startTimeUTC", "startTime", "connectTimeUTC", "connectTime"),
    *("disconnectedTimeUTC", "disconnectedTime", "talkTimeMS", "talkTime", "caller", "callerName"),
    *("callee", "calleeName", "direction", "callerId", "missed", "abandoned", "answered", "answeredTime"),
    *("calleeDisconnectOnHold", "callerDisconnectOnHold", "pbxId", "sipCallId", "lastLegDisposition"),
    *("callLegCount", "callTime", "ringDuration", "abandonedTime", "calleeHoldDurationMS"),
    *("calleeHoldDuration", "waitTimeMS", "waitTime", "departments", "branches"),
]


def test_records_have_their_own_fields_and_no_connect_time_when_unanswered(
    api: Work, sandbox: Sandbox
) -> None:
    rows = api.scroll("/v2/call-records", **DAY)
    assert all(list(row) == RECORD for row in rows)
    assert len({key(row) for row in rows}) == 100
    unanswered = {(row["connectTimeUTC"], row["connectTime"]) for row in rows if row["answered"] == "-"}
    assert unanswered == {(0, "0")}
    assert {type(row["callLegCount"]) for row in rows} == {str}
    sandbox.set_options(WORK, leg_count="integer")
    assert {type(row["callLegCount"]) for row in api.scroll("/v2/call-records", **DAY)} == {int}


def test_the_deprecated_endpoint_is_legs_or_records(api: Work) -> None:
    assert api.scroll("/v1/cdr", **DAY) == api.scroll("/v2/call-legs", **DAY)
    records = api.scroll("/v1/cdr", isCallRecord="true", **DAY)
    assert records == api.scroll("/v2/call-records", **DAY)


def test_simplified_leaves_out_child_calls(api: Work) -> None:
    rows, simplified = (api.scroll("/v2/call-legs", isSimplified=flag, **DAY) for flag in ("false", "true"))
    assert simplified == [row for row in rows if row["parentCallId"] is None]
    assert 0 < len(simplified) < len(rows)


def test_extensions_are_compared_exactly(api: Work) -> None:
    rows = api.scroll("/v2/call-legs", **DAY)
    caller = next(row["caller"] for row in rows if row["direction"] == "Internal")
    found = api.scroll("/v2/call-legs", caller=caller, **DAY)
    assert found == [row for row in rows if row["caller"] == caller]
    either = api.scroll("/v2/call-legs", callerOrCallee=f"{caller},9999", **DAY)
    assert either == [row for row in rows if caller in (row["caller"], row["callee"])]
    assert api.scroll("/v2/call-legs", caller=caller[:-1], **DAY) == []


@pytest.mark.parametrize("pbx", ["acmecorp", "acmecorp,acmecorp2", "allpbxes"])
def test_rows_are_of_the_pbxes_asked_for(api: Work, pbx: str) -> None:
    known = ["acmecorppbx", "acmecorp", "acmecorp2"] if pbx == "allpbxes" else pbx.split(",")
    assert {row["pbxId"] for row in api.scroll("/v2/call-legs", **DAY | {"pbxId": pbx})} == set(known)


# Windows.


@pytest.mark.parametrize("by", ["disconnected", "connect"])
def test_windows_on_the_grid_tile_by_the_time_that_was_chosen(api: Work, sandbox: Sandbox, by: str) -> None:
    sandbox.set_options(WORK, every=30, bounds="[)")
    query = DAY | {"isConnectTime": str(by == "connect").lower()}
    noon = f"{YESTERDAY:%Y-%m-%d} 06:00:00"
    whole = api.scroll("/v2/call-legs", **query)
    early = api.scroll("/v2/call-legs", **query | {"endTime": noon})
    late = api.scroll("/v2/call-legs", **query | {"startTime": noon})
    assert {key(row) for row in late} & {key(row) for row in early} == set()
    assert sorted(map(key, late + early)) == sorted(map(key, whole))
    bound = datetime.fromisoformat(f"{noon}+00:00").timestamp() * 1000
    assert all(row[f"{by}TimeUTC"] >= bound for row in late)
    assert all(row[f"{by}TimeUTC"] < bound for row in early)
    assert abs(len(whole) - 12 * 120) < 60


@pytest.mark.parametrize(("bounds", "count"), [("[]", 13), ("[)", 12), ("(]", 12), ("()", 11)])
def test_which_bounds_belong_to_the_window(api: Work, sandbox: Sandbox, bounds: str, count: int) -> None:
    sandbox.set_options(WORK, every=3600, bounds=bounds)
    assert len(api.scroll("/v2/call-legs", **DAY)) == count


@pytest.mark.parametrize("day", [(2025, 3, 9, 23), (2024, 11, 3, 25), (2025, 11, 2, 25)])
def test_wall_clock_days_have_23_or_25_hours(
    api: Work, sandbox: Sandbox, day: tuple[int, int, int, int]
) -> None:
    year, month, number, hours = day
    first = datetime(year, month, number)
    query = DAY | {
        "startTime": f"{first:%Y-%m-%d} 00:00:00",
        "endTime": f"{first + timedelta(days=1):%Y-%m-%d} 00:00:00",
        "timeZone": "America/New_York",
    }
    sandbox.set_options(WORK, every=3600, bounds="[)", retention_years=100)
    assert len(api.scroll("/v2/call-legs", **query)) == hours


@pytest.mark.parametrize(("hour", "count"), [("first", 2), ("second", 1)])
def test_a_repeated_hour_means_one_of_the_two(api: Work, sandbox: Sandbox, hour: str, count: int) -> None:
    sandbox.set_options(WORK, every=3600, bounds="[)", retention_years=100, repeated_hour=hour)
    query = DAY | {
        "startTime": "2024-11-03 01:00:00",
        "endTime": "2024-11-03 02:00:00",
        "timeZone": "America/New_York",
    }
    assert len(api.scroll("/v2/call-legs", **query)) == count


def test_what_is_older_than_two_years_is_not_there(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, every=86_400)
    today = datetime.now(UTC)
    long_ago = {"startTime": f"{today.year - 4}-01-01 00:00:00"}
    gone = api.scroll("/v2/call-legs", **DAY | long_ago | {"endTime": f"{today.year - 3}-01-01 00:00:00"})
    assert gone == []
    rest = api.scroll("/v2/call-legs", **DAY | long_ago)
    oldest = min(row["disconnectedTimeUTC"] for row in rest) / 1000
    assert timedelta(days=729) < today - datetime.fromtimestamp(oldest, UTC) < timedelta(days=733)
    assert len(rest) in (730, 731)
    sandbox.set_options(WORK, every=None)
    assert api.get("/v2/call-legs", **DAY | long_ago).json()["meta"]["totalRecordCount"] == 100


@pytest.mark.parametrize("every", [None, 3600])
def test_what_is_yet_to_come_is_not_there(every: int | None) -> None:
    options = {WORK: {"every": every, "rows": 24}}
    with Sandbox(clock=Clock(datetime(2025, 5, 6, 12, tzinfo=UTC)), options=options) as sandbox:
        api = Work(sandbox)
        today = {"startTime": "2025-05-06 00:00:00", "endTime": "2025-05-06 23:59:59"}
        tomorrow = {"startTime": "2025-05-07 00:00:00", "endTime": "2025-05-07 23:59:59"}
        legs = api.scroll("/v2/call-legs", **DAY | today | {"pageSize": 5})
        assert len(legs) in (12, 13)
        for path in ("call-legs", "call-records"):
            assert api.scroll(f"/v2/{path}", **DAY | tomorrow) == []
        assert api.get("/v2/extsum", **DAY | tomorrow).json() == []
        sandbox.clock.advance(43_200)
        api = Work(sandbox)
        whole = api.scroll("/v2/call-legs", **DAY | today)
        assert len(whole) == 24
        assert whole[-len(legs) :] == legs


def test_the_same_query_finds_the_same_rows_in_another_sandbox(api: Work) -> None:
    with Sandbox() as again:
        assert Work(again).scroll("/v2/call-legs", **DAY) == api.scroll("/v2/call-legs", **DAY)


def test_a_scroll_of_twenty_thousand_rows_ends_with_each_once(api: Work, sandbox: Sandbox) -> None:
    sandbox.set_options(WORK, rows=20_000)
    rows = api.scroll("/v2/call-legs", **DAY)
    assert len({key(row) for row in rows}) == 20_000
    assert sum(entry["rows"] for entry in sandbox.served(operation="call_legs")) == 20_000


# Summaries.


@pytest.mark.parametrize("path", SUMMARIES)
def test_summaries_are_arrays_without_pages(api: Work, path: str) -> None:
    rows = api.get(path, extId="5001", **DAY).json()
    assert isinstance(rows, list)
    assert len(rows) == (3 if path == "/v1/compsum" else 100)


@pytest.mark.parametrize("path", ["call-legs", "call-records"])
def test_both_versions_of_the_seed_answer(api: Work, path: str) -> None:
    newer, older = (api.get(f"/{version}/{path}", **DAY) for version in ("v2", "v1"))
    assert older.status_code == 200
    assert older.json() == newer.json()
    assert api.get(f"/v3/{path}", **DAY).status_code == 404


def test_summaries_have_the_spelling_of_their_documents(api: Work) -> None:
    company = api.get("/v1/compsum", **DAY).json()[0]
    assert {"pbxId", "externalInboundMissed", "percentExternalInboundAnswered", "totalExtToExt"} < set(
        company
    )
    percent = [value for name, value in company.items() if name.startswith("percent")]
    assert [type(value) for value in percent] == [int, int]
    assert all(0 <= value <= 100 for value in percent)
    extensions = api.get("/v2/extsum", **DAY).json()
    assert list(extensions[0])[:4] == ["PbxId", "Extension", "ServiceType", "FirstName"]
    assert "N/A" in {row["Email"] for row in extensions}
    member = api.get("/v2/rgsum-members", extId="5001", **DAY).json()[0]
    assert (member["ringGroupExtension"], "offered" in member) == ("5001", True)


def test_a_ring_group_has_one_name(api: Work, sandbox: Sandbox) -> None:
    groups = {row["extension"]: row["name"] for row in api.get("/v2/rgsum-groups", **DAY).json()}
    for path in ("/v2/rgsum-members", "/v2/rgsum"):
        members = api.get(path, extId="5003", **DAY).json()
        assert {(row["ringGroupExtension"], row["ringGroupName"]) for row in members} == {
            ("5003", groups["5003"])
        }
    sandbox.set_options(WORK, ext_id="optional")
    everyone = api.get("/v2/rgsum-members", **DAY).json()
    assert {row["ringGroupExtension"]: row["ringGroupName"] for row in everyone} == groups


def test_members_need_a_ring_group(api: Work, sandbox: Sandbox) -> None:
    assert api.get("/v2/rgsum-members", **DAY).status_code == 400
    sandbox.set_options(WORK, ext_id="optional")
    assert api.get("/v2/rgsum-members", **DAY).status_code == 200


def test_intraday_times_of_group_summaries_are_checked(api: Work) -> None:
    assert api.get("/v2/rgsum-groups", intraStartTime="08:30", intraEndTime="17:00", **DAY).ok
    assert api.get("/v2/rgsum-groups", intraStartTime="8 am", **DAY).status_code == 400


def test_the_connection_names_host_key_and_token_endpoint(api: Work, sandbox: Sandbox) -> None:
    assert api.connection["host"] == f"{sandbox.url}/8x8"
    assert api.connection["extra"]["auth_url"] == f"{sandbox.url}/8x8/analytics/work/v1/oauth/token"
    assert api.connection["conn_type"] == "eight_by_eight_work"
