"""8x8's summary reports over real HTTP."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .eight_by_eight import OVERNIGHT, WEEK, WEEKLY, ContactCenter

CC = "eight_by_eight_cc"
MULTITENANT = {"tenants": ["sandboxtenant01", "sandboxtenant02"]}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(options={CC: {"ladder": []}}) as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> ContactCenter:
    return ContactCenter(sandbox)


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


# Token.


def test_the_token_host_has_no_region_and_its_numbers_are_strings(api: ContactCenter) -> None:
    answer = api.token()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["refresh_count"]) == ("BearerToken", "1799", "0")
    assert isinstance(body["issued_at"], str)
    assert abs(int(body["issued_at"]) / 1000 - time.time()) < 60
    assert body["api_product_list"] == "[analytics realtime-api]"
    assert body["api_product_list_json"] == ["analytics realtime-api"]


def test_the_token_body_of_openapi_has_a_list_of_products(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, token_body="openapi", expires_in=3600)
    body = api.token().json()
    assert (body["api_product_list"], body["expires_in"]) == (["analytics realtime-api"], "3600")
    assert "organization_name" in body


def test_errors_of_the_token_are_problems_with_capitalised_keys(api: ContactCenter) -> None:
    wrong = api.token(grant_type="password")
    assert wrong.status_code == 400
    assert wrong.headers["Content-Type"] == "application/problem+json"
    assert wrong.json() == {
        "ErrorCode": "invalid_request",
        "Error": "Unsupported grant type : password",
    }
    api.connection["password"] = "wrong"
    assert api.token().status_code == 401
    assert sorted(api.token().json()) == ["Error", "ErrorCode"]


@pytest.mark.parametrize(
    ("form", "body"), [("message", b'{"message": "Unauthorized"}'), ("empty", b""), ("html", b"<html>")]
)
def test_no_token_or_a_dead_one_is_401(api: ContactCenter, sandbox: Sandbox, form: str, body: bytes) -> None:
    sandbox.set_options(CC, unauthorized_body=form)
    sandbox.add_fault(vendor=CC, fault="revoke_token")
    answer = api.get("/report-types")
    assert answer.status_code == 401
    assert answer.content.startswith(body)


def test_a_key_without_the_product_is_forbidden(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, api_products=["analytics product"])
    assert ContactCenter(sandbox).get("/report-types").status_code == 403


# Regions, versions, tenants.


@pytest.mark.parametrize("region", ["", "/eu", "/au", "/ca"])
@pytest.mark.parametrize("version", ["v1", "v7", "v8"])
def test_every_region_and_version_answers(sandbox: Sandbox, region: str, version: str) -> None:
    api = ContactCenter(sandbox, version, region)
    assert api.get("/report-types").status_code == 200
    report_id = api.submitted(WEEK)
    assert f"{region}/analytics/cc/{version}/" in api.get(f"/{report_id}/status").headers["Link"]


def test_other_versions_and_another_region_do_not(sandbox: Sandbox) -> None:
    assert ContactCenter(sandbox, "v9").get("/report-types").status_code == 404
    sandbox.set_options(CC, region="eu")
    assert ContactCenter(sandbox).get("/report-types").status_code == 404
    assert ContactCenter(sandbox, region="/eu").get("/report-types").status_code == 200


@pytest.mark.parametrize(
    ("tenant", "message"),
    [
        (None, "Bad request: X-Tenant-Info header is missing."),
        ("elsewhere", "Bad request: Invalid value for X-Tenant-Info header."),
    ],
)
def test_a_multitenant_customer_has_to_name_the_tenant_on_every_call(
    api: ContactCenter, sandbox: Sandbox, tenant: str | None, message: str
) -> None:
    report_id = api.submitted(WEEK)
    sandbox.set_options(CC, **MULTITENANT)
    if tenant:
        api.headers["X-Tenant-Info"] = tenant
    answers = [
        api.create(WEEK),
        api.create({}, "/detailed-reports"),
        *(
            api.get(path)
            for path in (
                "/report-types",
                "/report-types/agent-interactions-summary",
                f"/{report_id}",
                f"/{report_id}/status",
                f"/{report_id}/data",
                f"/{report_id}/download",
                f"/{report_id}/links",
                f"/detailed-reports/{report_id}/data",
            )
        ),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(400, {"message": message})] * 10
    api.headers["X-Tenant-Info"] = "sandboxtenant02"
    assert api.create(WEEK).status_code == 200


def test_a_single_tenant_customer_may_name_one_too(api: ContactCenter) -> None:
    api.headers["X-Tenant-Info"] = "sandboxtenant01"
    assert api.create(WEEK).status_code == 200


# Report types.


def _filters(name: str) -> list[str]:
    return sorted(part for part in name.split("-and-") if part != "channel")


#: the seed's sample, its regular parts abbreviated
AGENT_SUMMARY = {
    "type": "agent-interactions-summary",
    "groupBy": [
        {"name": name, "filters": _filters(name)}
        for name in [
            "agent",
            "agent-and-media",
            "agent-and-media-and-channel",
            "agent-and-media-and-channel-and-queue",
            "agent-and-media-and-queue",
            "group",
            "group-and-agent",
            "group-and-agent-and-media",
            "group-and-agent-and-media-and-channel",
            "group-and-agent-and-media-and-channel-and-queue",
            "group-and-agent-and-media-and-queue",
            "group-and-media",
            "group-and-media-and-channel",
            "group-and-media-and-channel-and-queue",
            "group-and-media-and-queue",
        ]
    ],
    "metrics": [
        "abandoned",
        "abandonedPercentage",
        "accepted",
        "acceptedPercentage",
        "alerting",
        "avgBusyTime",
        "avgHandlingTime",
        "avgHoldTime",
        "avgSpeedToAnswer",
        "avgWrapUpTime",
        "blindTransferToAgent",
        "blindTransferToQueue",
        "blindTransfersInitiated",
        "blindTransfersReceived",
        "busyTime",
        "handlingTime",
        "hold",
        "holdTime",
        "longestHoldTime",
        "longestOfferingTime",
        "offeringTime",
        "presented",
        "rejectTimeout",
        "rejected",
        "rejectedPercentage",
        "transfersInitiated",
        "transfersInitiatedPercentage",
        "transfersReceived",
        "warmTransfersCompleted",
        "warmTransfersReceived",
        "wrapUpTime",
    ],
}


def test_one_definition_is_the_seeds_sample(api: ContactCenter) -> None:
    answer = api.get("/report-types/agent-interactions-summary")
    assert answer.json() == AGENT_SUMMARY
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert api.get("/report-types/no-such").status_code == 404


def test_definitions_may_call_the_metrics_value(api: ContactCenter, sandbox: Sandbox) -> None:
    usual = api.get("/report-types").json()
    sandbox.set_options(CC, metrics_key="value")
    renamed = api.get("/report-types").json()
    assert not any("metrics" in definition for definition in renamed)
    assert [definition.get("value") for definition in renamed] == [
        definition.get("metrics") for definition in usual
    ]


def test_the_list_has_summary_and_detailed_types_of_the_version(sandbox: Sandbox) -> None:
    listed = {
        version: {item["type"]: item for item in ContactCenter(sandbox, version).get("/report-types").json()}
        for version in ("v2", "v7", "v8")
    }
    assert listed["v7"]["agent-interactions-summary"] == AGENT_SUMMARY
    detailed = listed["v7"]["detailed-reports-interaction-details"]
    assert sorted(detailed) == ["metrics", "searchQuery", "type"]
    assert sorted(detailed["searchQuery"]) == ["fields", "operators"]
    assert all(isinstance(item["metrics"], list) for types in listed.values() for item in types.values())
    assert "detailed-reports-interaction-details" not in listed["v2"]
    assert [("script-paths" in listed[version]) for version in ("v7", "v8")] == [False, True]
    parked = [
        "parked" in listed[version]["queue-interactions-summary"]["metrics"] for version in ("v7", "v8")
    ]
    assert parked == [False, True]


# Create.


def test_the_seeds_weekly_report_is_created_with_the_seeds_id_and_link(
    api: ContactCenter, sandbox: Sandbox
) -> None:
    sandbox.set_options(CC, ladder=[["IN_PROGRESS", 0, 1]])
    answer = api.create(WEEKLY)
    assert answer.status_code == 200
    assert answer.json() == {"id": 2710192, "status": "IN_PROGRESS"}
    assert answer.headers["Link"] == f'<{api.base}/2710192/status; rel="status">'


def test_the_path_may_end_with_a_slash(api: ContactCenter) -> None:
    assert api.create(WEEK, "/").status_code == 200


@pytest.mark.parametrize("version", ["v6", "v7", "v8"])
def test_the_seeds_overnight_range_is_fine_from_v6(sandbox: Sandbox, version: str) -> None:
    api = ContactCenter(sandbox, version)
    report_id = api.submitted(WEEK | OVERNIGHT | {"granularity": "hour"})
    hours = {row["items"][0]["value"][11:13] for row in api.rows(report_id)}
    assert hours == {f"{hour:02d}" for hour in (20, 21, 22, 23, 0, 1, 2, 3, 4, 5)}


def test_before_v6_an_intraday_range_ends_after_it_starts(sandbox: Sandbox) -> None:
    assert ContactCenter(sandbox, "v5").create(WEEK | OVERNIGHT).status_code == 400


@pytest.mark.parametrize(
    "name", ["type", "title", "dateRange", "granularity", "groupBy", "dateRange.start", "dateRange.end"]
)
def test_what_the_guide_requires_is_required(api: ContactCenter, name: str) -> None:
    outer, _, inner = name.partition(".")
    body = without(WEEK, outer) | ({outer: without(WEEK[outer], inner)} if inner else {})
    answer = api.create(body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Bad request: Field '{name}")


def test_openapi_requires_less(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, required="openapi")
    assert api.create({"type": "queue-interactions-summary", "title": "T", "granularity": "hour"}).ok
    assert api.create({"type": "queue-interactions-summary", "title": "T"}).status_code == 400


BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "no-such"}, "no-such"),
    ({"type": ["x"]}, "type"),
    ({"type": "script-paths"}, "script-paths"),
    *(({"title": f"a{sign}b"}, "title") for sign in ':/,+&"ä'),
    ({"title": ""}, "title"),
    ({"title": 5}, "title"),
    ({"dateRange": {**WEEK["dateRange"], "start": "2024-05-06"}}, "dateRange.start"),
    ({"dateRange": {**WEEK["dateRange"], "start": "2024-05-06T00:00:00Z"}}, "dateRange.start"),
    ({"dateRange": {**WEEK["dateRange"], "start": "2024-05-06T00:00:00.000+02:00"}}, "dateRange.start"),
    ({"dateRange": {**WEEK["dateRange"], "end": "2024-05-05T00:00:00.000Z"}}, "dateRange.end"),
    ({"dateRange": {**WEEK["dateRange"], "end": "2024-13-05T00:00:00.000Z"}}, "dateRange.end"),
    ({"granularity": "minute"}, "granularity"),
    ({"granularity": "week"}, "15m, 30m, hour, day, none"),
    ({"groupBy": {"name": "agent"}}, "agent"),
    ({"groupBy": {"name": "queue", "filters": [{"name": "media", "values": ["Phone"]}]}}, "media"),
    ({"groupBy": {"name": "queue", "filters": [{"name": "queue", "values": "103"}]}}, "queue"),
    ({"groupBy": {"name": "queue", "filters": [{"name": "queue", "values": [103]}]}}, "queue"),
    (
        {
            "groupBy": {
                "name": "media-and-channel",
                "filters": [{"name": "channel", "values": ["web-main"]}],
            }
        },
        "channel",
    ),
    ({"metrics": ["accepted", "parked"]}, "parked"),
    ({"metrics": "accepted"}, "metrics"),
    ({"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
    ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
    ({"intraDayTimeRange": {"start": "08:00:00", "end": "08:14:59"}}, "15 minutes"),
    ({"intraDayTimeRange": {"start": "23:55:00", "end": "00:05:00"}}, "15 minutes"),
    ({"intraDayTimeRange": {"start": "08:00:00", "end": "08:00:00"}}, "15 minutes"),
    ({"intraDayTimeRange": {"start": "08:00", "end": "09:00:00"}}, "intraDayTimeRange.start"),
    ({"intraDayTimeRange": {"start": "08:00:00"}}, "intraDayTimeRange.end"),
    ({"includeSubTotal": "yes"}, "includeSubTotal"),
    ({"includeGrandTotal": 1}, "includeGrandTotal"),
]


@pytest.mark.parametrize(("change", "says"), BAD)
def test_bad_input_is_a_bad_request(
    api: ContactCenter, sandbox: Sandbox, change: dict[str, Any], says: str
) -> None:
    answer = api.create(WEEK | change)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Bad request: ")
    assert says in answer.json()["message"]
    assert sandbox.jobs(CC) == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": "aZ09 !-_.*'()"},
        {"metrics": []},
        {"groupBy": {"name": "queue", "filters": []}},
        {"includeSubTotal": "true", "includeGrandTotal": "false"},
        {"intraDayTimeRange": {"start": "08:00:00.000", "end": "08:15:00.000"}},
        {"timezone": "Europe/Helsinki"},
    ],
)
def test_what_the_seed_allows_is_allowed(api: ContactCenter, change: dict[str, Any]) -> None:
    assert api.create(WEEK | change).status_code == 200


def test_no_body_or_no_object_is_a_bad_request(api: ContactCenter) -> None:
    headers = api.headers | {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[]", b'"x"'):
        answer = requests.post(api.base, data=body, headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize("path", ["", "/detailed-reports"])
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_does_not_say_that_it_is_json_is_a_bad_request(
    api: ContactCenter, path: str, kind: str | None
) -> None:
    body = json.dumps(WEEK | ({"type": "detailed-reports-interaction-details"} if path else {})).encode()
    headers = api.headers | ({"Content-Type": kind} if kind else {})
    refused = requests.post(api.base + path, data=body, headers=headers)
    assert (refused.status_code, "Content-Type" in refused.json()["message"]) == (400, True)
    headers["Content-Type"] = "application/json;charset=UTF-8"
    assert requests.post(api.base + path, data=body, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", [None, "application/json"])
def test_a_token_is_for_a_form_that_says_that_it_is_one(api: ContactCenter, kind: str | None) -> None:
    auth = (api.connection["login"], api.connection["password"])
    headers = {"Content-Type": kind} if kind else {}
    for body in (b"grant_type=client_credentials", b'{"grant_type": "client_credentials"}'):
        refused = requests.post(api.connection["extra"]["auth_url"], auth=auth, data=body, headers=headers)
        assert (refused.status_code, refused.json()["ErrorCode"]) == (400, "invalid_request")


#: days -> the row, or rows, of the seed's table
TABLE = {
    1: "15m 30m hour day none",
    7: "15m 30m hour day none",
    8: "none hour day week",
    28: "none hour day week",
    30: "none hour day week month year",
    32: "none month year",
    400: "none month year",
}


@pytest.mark.parametrize("days", TABLE)
def test_granularity_depends_on_the_length_of_the_range(api: ContactCenter, days: int) -> None:
    words = ("15m", "30m", "hour", "day", "week", "month", "year", "none")
    start = "2023-03-01T00:00:00.000Z"
    end = str(_day("2023-03-01", days)) + "T00:00:00.000Z"
    made = [
        word
        for word in words
        if api.create(WEEK | {"dateRange": {"start": start, "end": end}, "granularity": word}).ok
    ]
    assert sorted(made) == sorted(TABLE[days].split())


def _day(first: str, days: int) -> Any:
    from datetime import date, timedelta

    return date.fromisoformat(first) + timedelta(days=days)


@pytest.mark.parametrize(
    ("month", "end", "weekly"),
    [
        ("calendar", "2023-03-01", True),
        ("calendar", "2023-03-02", False),
        ("30", "2023-03-03", True),
        ("30", "2023-03-04", False),
        ("31", "2023-03-04", True),
        ("31", "2023-03-05", False),
    ],
)
def test_how_long_a_month_is_can_be_chosen(
    api: ContactCenter, sandbox: Sandbox, month: str, end: str, weekly: bool
) -> None:
    sandbox.set_options(CC, month=month)
    period = {"start": "2023-02-01T00:00:00.000Z", "end": f"{end}T00:00:00.000Z"}
    assert api.create(WEEK | {"dateRange": period, "granularity": "week"}).ok is weekly
    assert api.create(WEEK | {"dateRange": period, "granularity": "month"}).ok is not weekly


def test_a_wrap_up_filter_is_a_pair(api: ContactCenter) -> None:
    body = WEEK | {"type": "agent-interactions-by-wrap-up-code"}

    def grouping(value: str) -> dict[str, Any]:
        filters = [{"name": "wrap-up-code", "values": [value]}]
        return {"groupBy": {"name": "agent-and-wrap-up-code", "filters": filters}}

    assert api.create(body | grouping("1201")).status_code == 400
    rows = api.rows(api.submitted(body | grouping("170-1201")))
    pairs = {tuple(item["value"] for item in row["items"] if "CodeId" in item["key"]) for row in rows}
    assert pairs == {("1201",)}
    assert len(rows) == 100


# Status and links.


def test_the_link_header_comes_with_done_and_not_before(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, ladder=[["QUEUED", 0, 1], ["IN_PROGRESS", 0, 2]])
    report_id = api.submitted(WEEK)
    answers = [api.get(f"/{report_id}/status") for _ in range(4)]
    words = [answer.json()["status"] for answer in answers]
    assert words == ["QUEUED", "IN_PROGRESS", "IN_PROGRESS", "DONE"]
    assert ["Link" in answer.headers for answer in answers] == [False, False, False, True]
    place = f"{api.base}/{report_id}"
    assert (
        answers[-1].headers["Link"]
        == f'<{place}/data?page=0&size=100>; rel="data", <{place}/download>; rel="download"'
    )


@pytest.mark.parametrize(
    ("form", "link"),
    [
        ("standard", '<{place}/status>; rel="status"'),
        ("broken", '<{place}/status; rel="status">'),
        ("markdown", '[{place}/status]({place}/status)>; rel="status"`'),
        ("missing", None),
    ],
)
def test_forms_of_the_link_header(api: ContactCenter, sandbox: Sandbox, form: str, link: str | None) -> None:
    sandbox.set_options(CC, link_form=form)
    answer = api.create(WEEK)
    place = f"{api.base}/{answer.json()['id']}"
    assert answer.headers.get("Link") == (link and link.format(place=place))


def test_links_may_name_the_vendors_own_host(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, link_host="vendor")
    assert api.create(WEEK).headers["Link"].startswith("<https://api.8x8.com/analytics/cc/v7/")


def test_a_failed_report_may_say_why(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, end="FAILED")
    report_id = api.submitted(WEEK)
    assert api.get(f"/{report_id}/status").json() == {"id": report_id, "status": "FAILED"}
    sandbox.set_options(CC, reason="Too much")
    assert api.get(f"/{report_id}/status").json()["reason"] == "Too much"
    assert "Link" not in api.get(f"/{report_id}/status").headers


def test_links_are_status_always_and_the_others_when_done(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, hold="IN_PROGRESS", ladder=[["IN_PROGRESS", 0, 0]])
    report_id = api.submitted(WEEK)
    place = f"{api.base}/{report_id}"
    status = {"relation": "status", "link": f"{place}/status"}
    assert api.get(f"/{report_id}/links").json() == [status]
    sandbox.set_options(CC, hold=None)
    assert api.get(f"/{report_id}/links").json() == [
        status,
        {"relation": "data", "link": f"{place}/data?page=0&size=100"},
        {"relation": "download", "link": f"{place}/download"},
    ]


def test_the_definition_has_a_string_as_its_id(api: ContactCenter) -> None:
    report_id = api.submitted(WEEKLY)
    assert api.get(f"/{report_id}").json() == {"id": str(report_id), **WEEKLY, "status": "DONE"}


def test_an_unknown_id_is_not_found(api: ContactCenter) -> None:
    for path in ("/1", "/1/status", "/1/data", "/1/download", "/1/links", "/detailed-reports/1/data"):
        assert api.get(path, "*/*").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", "/2710192"),
        ("POST", "/2710192/status"),
        ("PUT", "/report-types"),
        ("HEAD", "/2710192/status"),
        ("OPTIONS", "/2710192/data"),
    ],
)
def test_a_wrong_method_is_not_allowed(api: ContactCenter, method: str, path: str) -> None:
    assert requests.request(method, api.base + path, headers=api.headers).status_code == 405


# Data.


@pytest.mark.parametrize(("option", "status"), [({}, 400), ({"not_ready_status": 409}, 409)])
def test_data_and_file_before_the_end(
    api: ContactCenter, sandbox: Sandbox, option: dict[str, Any], status: int
) -> None:
    sandbox.set_options(CC, hold="IN_PROGRESS", ladder=[["IN_PROGRESS", 0, 0]], **option)
    report_id = api.submitted(WEEK)
    assert api.get(f"/{report_id}/data").status_code == status
    assert api.get(f"/{report_id}/download", "text/csv").status_code == status


def test_pages_have_a_hundred_rows_unless_told_otherwise(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=250)
    report_id = api.submitted(WEEK)
    first, last = api.get(f"/{report_id}/data"), api.get(f"/{report_id}/data", page=2)
    expected = {"X-Page": "0", "X-Page-Size": "100", "X-Total-Pages": "3", "X-Total-Elements": "250"}
    assert {name: first.headers[name] for name in expected} == expected
    assert first.headers["Link"] == f'<{api.base}/{report_id}/data?page=1&size=100>; rel="next"'
    assert (len(first.json()), len(last.json())) == (100, 50)
    assert "Link" not in last.headers


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"size": 1001}, "Field 'size' must be less than or equal to 1000"),
        (
            {"page": 1},
            "Field 'page' must be greater than or equal to 0 and less than the total number of pages, "
            "which is 1 for this request",
        ),
        ({"page": -1}, "Field 'page' must be greater than or equal to 0"),
        ({"size": 0}, "Field 'size' must be greater than or equal to 1"),
        ({"size": -1}, "Field 'size' must be greater than or equal to 1"),
        ({"size": "many"}, "Field 'size'"),
    ],
)
def test_pages_out_of_bounds(api: ContactCenter, query: dict[str, Any], message: str) -> None:
    answer = api.get(f"/{api.submitted(WEEK)}/data", **query)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Bad request: {message}")


def test_page_and_size_without_a_value_have_their_defaults(api: ContactCenter) -> None:
    answer = api.get(f"/{api.submitted(WEEK)}/data", page="", size="")
    assert (answer.headers["X-Page"], answer.headers["X-Page-Size"]) == ("0", "100")


def test_an_empty_report_has_one_empty_page(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=0)
    report_id = api.submitted(WEEK)
    answer = api.get(f"/{report_id}/data")
    assert (answer.json(), answer.headers["X-Total-Pages"]) == ([], "1")
    assert answer.headers["X-Total-Elements"] == "0"
    assert len(api.get(f"/{report_id}/download", "text/csv").text.splitlines()) == 1
    sandbox.set_options(CC, empty_pages=0)
    assert api.get(f"/{report_id}/data").headers["X-Total-Pages"] == "0"


def test_the_weekly_report_is_filtered_grouped_and_totalled_as_asked(api: ContactCenter) -> None:
    rows = api.rows(api.submitted(WEEKLY))
    keys = ["startTime", "endTime", "media", "channel", "queue", "queueId", *WEEKLY["metrics"]]
    assert all([item["key"] for item in row["items"]] == keys for row in rows)
    assert all(sorted(item) == ["key", "label", "value"] for row in rows for item in row["items"])
    plain = [{item["key"]: item["value"] for item in row["items"]} for row in rows if row["total"] is None]
    assert {row["queueId"] for row in plain} == {"103", "330"}
    assert {row["media"] for row in plain} == {"Phone", "Chat"}
    assert {type(value) for row in plain for value in row.values()} == {str}
    # The seed's last week: from Monday to Monday, not clipped to the range, without seconds.
    assert (plain[-1]["startTime"], plain[-1]["endTime"]) == (
        "2022-08-29T00:00-04:00",
        "2022-09-05T00:00-04:00",
    )
    subtotals = [row for row in rows if (row["total"] or {}).get("type") == "subtotal"]
    assert subtotals
    for row in subtotals:
        values = {item["key"]: item["value"] for item in row["items"]}
        assert values["startTime"] and values["media"]
        assert [values[name] for name in ("channel", "queue", "queueId")] == [None] * 3
        covered = rows[row["total"]["startIndex"] : row["total"]["endIndex"] + 1]
        accepted = [
            int(item["value"]) for one in covered for item in one["items"] if item["key"] == "accepted"
        ]
        assert int(values["accepted"]) == sum(accepted)
    assert rows[-1]["total"] == {"type": "grandtotal", "startIndex": None, "endIndex": None}
    assert [item["value"] for item in rows[-1]["items"][:6]] == [None] * 6
    assert len(plain) == 100


def test_a_grouping_of_one_dimension_has_a_subtotal_for_each_interval(api: ContactCenter) -> None:
    rows = api.rows(api.submitted(WEEK | {"includeSubTotal": True}))
    subtotals = [row for row in rows if row["total"]]
    assert len(subtotals) == 7
    assert all([item["value"] for item in row["items"][2:4]] == [None, None] for row in subtotals)
    assert len({row["items"][0]["value"] for row in subtotals}) == 7


@pytest.mark.parametrize(("media", "shown"), [("InboundPhone", "Phone"), ("OutboundPhone", "Phone")])
def test_a_media_filter_may_name_the_direction(api: ContactCenter, media: str, shown: str) -> None:
    grouping = {"name": "media-and-queue", "filters": [{"name": "media", "values": [media]}]}
    rows = api.rows(api.submitted(WEEK | {"groupBy": grouping}))
    assert {row["items"][2]["value"] for row in rows} == {shown}


def test_an_unknown_id_in_a_filter_finds_nothing(api: ContactCenter) -> None:
    grouping = {"name": "queue", "filters": [{"name": "queue", "values": ["no queue"]}]}
    assert api.rows(api.submitted(WEEK | {"groupBy": grouping})) == []


def test_items_may_be_an_object_of_typed_values_in_plain_rows(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, items="object", total_key="totals")
    rows = api.rows(api.submitted(WEEKLY))
    plain = [row for row in rows if row["totals"] is None]
    assert all(isinstance(row["items"], dict) for row in plain)
    assert isinstance(plain[0]["items"]["accepted"], int)
    assert all(isinstance(row["items"], list) for row in rows if row["totals"])
    sandbox.set_options(CC, items="mixed")
    kinds = {type(row["items"]) for row in api.rows(api.submitted(WEEK))}
    assert kinds == {list, dict}


def test_plain_rows_may_lack_the_total_where_none_was_asked_for(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, total_when="requested")
    assert "total" not in api.rows(api.submitted(WEEK))[0]
    assert "total" in api.rows(api.submitted(WEEKLY))[0]


def test_times_are_optional_with_granularity_none(api: ContactCenter, sandbox: Sandbox) -> None:
    body = WEEK | {"granularity": "none"}
    assert api.rows(api.submitted(body))[0]["items"][0]["key"] == "queue"
    sandbox.set_options(CC, none_times=True)
    assert api.rows(api.submitted(body))[0]["items"][0]["key"] == "startTime"


def test_a_day_of_25_hours_has_25_buckets(api: ContactCenter, sandbox: Sandbox) -> None:
    day = {"start": "2024-11-03T04:00:00.000Z", "end": "2024-11-04T04:59:59.999Z"}
    body = WEEK | {"dateRange": day, "timezone": "America/New_York"}
    hours = [row["items"][0]["value"] for row in api.rows(api.submitted(body | {"granularity": "hour"}))]
    assert len(set(hours)) == 25
    assert {"2024-11-03T01:00-04:00", "2024-11-03T01:00-05:00"} <= set(hours)
    (start,) = {row["items"][0]["value"] for row in api.rows(api.submitted(body))}
    assert start == "2024-11-03T00:00-04:00"


def test_both_ends_of_the_range_are_in_it(api: ContactCenter) -> None:
    inclusive = {"start": "2024-05-06T00:00:00.000Z", "end": "2024-05-07T00:00:00.000Z"}
    days = {row["items"][0]["value"] for row in api.rows(api.submitted(WEEK | {"dateRange": inclusive}))}
    assert days == {"2024-05-06T00:00+00:00", "2024-05-07T00:00+00:00"}


def test_what_has_not_begun_has_no_rows() -> None:
    options = {CC: {"ladder": []}}
    with Sandbox(clock=Clock(datetime(2024, 5, 8, 12, tzinfo=UTC)), options=options) as sandbox:
        api = ContactCenter(sandbox)
        days = [row["items"][0]["value"] for row in api.rows(api.submitted(WEEK))]
        assert (min(days), max(days)) == ("2024-05-06T00:00+00:00", "2024-05-08T00:00+00:00")
        tomorrow = {"start": "2024-05-09T00:00:00.000Z", "end": "2024-05-09T23:59:59.999Z"}
        for granularity in ("hour", "day", "none"):
            report = WEEK | {"dateRange": tomorrow, "granularity": granularity}
            assert api.rows(api.submitted(report)) == []


def test_ten_thousand_rows_come_as_json_and_all_of_them_as_csv(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=12_345)
    report_id = api.submitted(WEEK | {"metrics": ["accepted"]})
    last = api.get(f"/{report_id}/data", page=9, size=1000)
    assert (len(last.json()), last.headers["X-Total-Elements"]) == (1000, "12345")
    assert "Link" not in last.headers
    beyond = api.get(f"/{report_id}/data", page=10, size=1000)
    assert beyond.status_code == 400
    assert len(api.get(f"/{report_id}/data", page=33, size=300).json()) == 100
    sandbox.set_options(CC, total_elements="capped", past_cap="empty")
    capped = api.get(f"/{report_id}/data", page=10, size=1000)
    assert (capped.json(), capped.headers["X-Total-Elements"]) == ([], "10000")
    file = api.get(f"/{report_id}/download", "text/csv").content.decode()
    assert len(list(csv.reader(io.StringIO(file, newline="")))) == 12_346
    assert sandbox.served(operation="download")[0]["rows"] == 12_345


# Files.


def table(answer: requests.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_file_is_named_after_the_title(api: ContactCenter) -> None:
    report_id = api.submitted(WEEKLY)
    answer = api.get(f"/{report_id}/download", "text/xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Weeky Queue Report for OPS.xlsx"'
    assert answer.headers["Content-Type"] == "text/xlsx"
    answer = api.get(f"/{report_id}/download", "text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Weeky Queue Report for OPS.csv"'


def test_csv_xlsx_and_json_have_the_same_rows(api: ContactCenter) -> None:
    report_id = api.submitted(WEEKLY)
    rows = api.rows(report_id)
    lines = table(api.get(f"/{report_id}/download", "text/csv"))
    assert lines[0] == [item["label"] for item in rows[0]["items"]]
    assert lines[1:] == [[item["value"] or "" for item in row["items"]] for row in rows]
    answer = api.get(f"/{report_id}/download", "text/xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    cells = [["" if cell is None else str(cell) for cell in line] for line in sheet.values]
    assert cells == lines
    assert api.get(f"/{report_id}/download", "text/xlsx").content == answer.content


def test_an_xlsx_is_the_same_bytes_in_another_sandbox(api: ContactCenter) -> None:
    first = api.get(f"/{api.submitted(WEEK)}/download", "text/xlsx").content
    with zipfile.ZipFile(io.BytesIO(first)) as book:
        # Nothing in it tells when it was written, and so nothing differs a day later either.
        assert {member.date_time for member in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert f"{datetime.now(UTC):%Y-%m-%d}".encode() not in book.read("docProps/core.xml")
    with Sandbox(options={CC: {"ladder": []}}) as again:
        other = ContactCenter(again)
        assert other.get(f"/{other.submitted(WEEK)}/download", "text/xlsx").content == first


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text\\xlsx", "text/html"])
def test_a_file_has_to_be_asked_for_by_its_type(api: ContactCenter, sandbox: Sandbox, accept: str) -> None:
    report_id = api.submitted(WEEK)
    assert api.get(f"/{report_id}/download", accept).status_code == 406
    sandbox.set_options(CC, download_without_accept="csv")
    assert api.get(f"/{report_id}/download", accept).headers["Content-Type"] == "text/csv"


def test_a_file_of_any_size(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, rows=100_000)
    report_id = api.submitted(WEEK | {"metrics": ["accepted"]})
    lines = table(api.get(f"/{report_id}/download", "text/csv"))
    assert len(lines) == 100_001
    assert api.get(f"/{report_id}/data").headers["X-Total-Elements"] == "100000"


def test_csv_may_begin_with_a_mark_and_name_keys(api: ContactCenter, sandbox: Sandbox) -> None:
    sandbox.set_options(CC, csv_bom=True, csv_header="key", csv_line_end="\n")
    content = api.get(f"/{api.submitted(WEEK)}/download", "text/csv").content
    assert content.startswith(b"\xef\xbb\xbfstartTime,endTime,queue,queueId,accepted,")
    assert b"\r\n" not in content


# XML and media types.


def test_xml_is_there_for_who_asks_for_it(api: ContactCenter) -> None:
    report_id = api.submitted(WEEKLY)
    status = api.get(f"/{report_id}/status", "application/xml")
    assert status.headers["Content-Type"] == "application/xml;charset=UTF-8"
    root = ElementTree.fromstring(status.content)
    assert (root.tag, root.findtext("id"), root.findtext("status")) == (
        "ResourceOfStatusResponse",
        str(report_id),
        "DONE",
    )
    rows = ElementTree.fromstring(api.get(f"/{report_id}/data", "application/xml").content)
    assert (rows.tag, len(rows)) == ("List", 100)
    link = ElementTree.fromstring(api.get(f"/{report_id}/links", "application/xml").content)[0]
    assert link.attrib == {"relation": "status", "link": f"{api.base}/{report_id}/status"}
    types = api.get("/report-types/agent-interactions-summary", "application/xml")
    assert ElementTree.fromstring(types.content).tag == "ApiReportTypeResponse"


def test_other_media_types_are_not_acceptable(api: ContactCenter) -> None:
    detailed = WEEK | {"type": "detailed-reports-agent-status-change"}
    data = f"/detailed-reports/{api.submitted(detailed, '/detailed-reports')}/data"
    for path in ("/report-types", f"/{api.submitted(WEEK)}/data", data):
        assert api.get(path, "text/csv").status_code == 406
        assert api.get(path, "application/json;q=0").status_code == 406
        assert api.get(path, "text/html, application/json;q=0.5").status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "json"),  # no wish is no refusal
        ("application/json;charset=UTF-8", "json"),  # the seed's own
        ("application/xml;q=0.5, application/json", "json"),
        ("application/json;q=.5, application/xml;q=0.9", "xml"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "xml"),
    ],
)
def test_the_weightiest_media_type_wins(api: ContactCenter, accept: str, kind: str) -> None:
    content_type = api.get("/report-types", accept).headers["Content-Type"]
    assert content_type == f"application/{kind};charset=UTF-8"
