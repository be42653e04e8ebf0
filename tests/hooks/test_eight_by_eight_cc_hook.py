"""8x8 Contact Center over real HTTP, against the sandbox: every documented variant, the cap, the tenant."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks.eight_by_eight_cc import EightByEightContactCenterHook
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.pipeline.source import ReportStream
from airflow_provider_contactcenter.reports import (
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.windows import plan_windows
from tests.sandbox.eight_by_eight import WEEKLY
from tests.sandboxes import connected
from tests.wire import Wire, reply

SECRET = "sandbox-8x8-secret"
VENDOR = "eight_by_eight_cc"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Reports are done as soon as they are submitted."""
    with connected(monkeypatch, rows=40, options={VENDOR: {"ladder": []}}) as sandbox:
        yield sandbox


@pytest.fixture
def connection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Changes the default connection's extras."""

    def change(login: str | None = None, password: str | None = None, **extra: Any) -> None:
        fields = json.loads(sandbox.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_CC_DEFAULT"])
        fields["extra"] |= extra
        fields["login"] = login or fields["login"]
        fields["password"] = password or fields["password"]
        monkeypatch.setenv("AIRFLOW_CONN_EIGHT_BY_EIGHT_CC_DEFAULT", json.dumps(fields))

    return change


def queues(**values: Any) -> Report:
    return eight_by_eight_summary_report(
        values.pop("report_type", "queue-interactions-summary"),
        **{
            "start": "2024-05-01T00:00:00Z",
            "end": "2024-05-02T00:00:00Z",
            "granularity": "hour",
            "group_by": "media-and-channel-and-queue",
            **values,
        },
    )


def interactions(**values: Any) -> Report:
    return eight_by_eight_detailed_report(
        values.pop("report_type", "detailed-reports-interaction-details"),
        **{"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z", **values},
    )


def land(report: Report) -> tuple[Job, bytes, ReportStream]:
    hook = EightByEightContactCenterHook()
    job = hook.submit(report, "queues hourly scheduled__2024-05-02T00:00:00+00:00 -1")
    for _ in range(50):
        if (status := hook.get_status(job))["state"] not in {"queued", "running"}:
            break
        time.sleep(0.1)
    assert status["state"] == "ready"
    stream = hook.stream(job)
    body = b"".join(stream)
    hook.close()
    return job, body, stream


def rows_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def asked(sandbox: Sandbox, **filters: Any) -> list[dict[str, Any]]:
    return sandbox.journal(vendor=VENDOR, **filters)


# --- every format -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [queues, interactions])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_files_land_byte_for_byte(sandbox: Sandbox, make: Any, file_format: str) -> None:
    _, body, stream = land(make(file_format=file_format))
    [served] = sandbox.served(vendor=VENDOR)
    assert hashlib.sha256(body).hexdigest() == served["sha256"]
    assert stream.complete is True
    if file_format == "csv":
        assert stream.rows == served["rows"] == 40
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
        assert sum(1 for _ in sheet.rows) == 41


def test_script_paths_come_as_csv(sandbox: Sandbox) -> None:
    _, body, stream = land(interactions(report_type="script-paths", file_format="csv", timezone="UTC"))
    assert body.startswith(b"Path ID,Parent Path ID,")
    assert stream.rows == sandbox.served(vendor=VENDOR)[0]["rows"]


@pytest.mark.parametrize("rows", [0, 40, 1000, 2500])
@pytest.mark.parametrize("make", [queues, interactions])
def test_json_lines_hold_every_row(sandbox: Sandbox, make: Any, rows: int) -> None:
    sandbox.set_options(VENDOR, rows=rows)
    _, body, stream = land(make(file_format="jsonl"))
    assert (len(rows_of(body)), stream.rows, stream.vendor_total, stream.complete) == (rows, rows, rows, True)
    assert sum(page["rows"] for page in sandbox.served(vendor=VENDOR)) == rows


VARIANTS: list[dict[str, Any]] = [
    {"items": "object"},
    {"items": "mixed"},
    {"total_key": "totals"},
    {"total_when": "requested"},
    {"link_form": "standard"},
    {"link_form": "broken"},
    {"link_form": "markdown"},
    {"link_form": "missing"},
    {"link_host": "vendor"},
    {"token_body": "openapi"},
    {"metrics_key": "value"},
    {"detailed_create": "array"},
    {"detailed_create": "array", "detailed_ladder": [["IN_PROGRESS", 0.3, 1]]},
    {"ladder": [["QUEUED", 0, 1], ["IN_PROGRESS", 0, 1], ["ARCHIVING", 0, 1]]},
    {"cursor_form": "encoded"},
    {"durations": "text"},
    {"empty_pages": 0, "rows": 0},
]


@pytest.mark.parametrize("make", [queues, interactions])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_documented_variant_lands_the_same_rows(
    sandbox: Sandbox, make: Any, variant: dict[str, Any]
) -> None:
    sandbox.set_options(VENDOR, **{"rows": 1200, **variant})
    _, body, stream = land(make(file_format="jsonl"))
    assert (stream.rows, stream.complete) == (variant.get("rows", 1200), True)
    assert all("time" in row or "startTime" in row for row in rows_of(body))


@pytest.mark.parametrize("make", [queues, interactions])
@pytest.mark.parametrize(
    "variant",
    [
        {"csv_bom": True, "csv_line_end": "\n"},
        {"detailed_granularity": "required"},
        {"date_format": "lenient", "required": "openapi"},
        {"xlsx_type": "application/vnd.ms-excel"},
    ],
    ids=str,
)
def test_every_variant_of_files_lands(sandbox: Sandbox, make: Any, variant: dict[str, Any]) -> None:
    sandbox.set_options(VENDOR, **variant)
    for file_format in ("csv", "xlsx"):
        assert land(make(file_format=file_format))[2].complete is True


# --- the seed's own requests --------------------------------------------------------------------------------


def test_the_seeds_weekly_queue_report(sandbox: Sandbox) -> None:
    report = queues(
        start="2022-08-03T00:00:00Z",
        end="2022-09-02T00:00:00.001Z",
        granularity="week",
        filters={"queue": ["103", "330"], "media": ["Phone", "Chat"]},
        timezone="America/New_York",
        intraday={"start": "08:30:00", "end": "17:00:00"},
        metrics=WEEKLY["metrics"],
        include_subtotals=True,
        include_grand_total=True,
        title="Weeky Queue Report for OPS",
        file_format="jsonl",
    )
    job, body, stream = land(report)
    rows = rows_of(body)
    totals = [row["_total"]["type"] for row in rows if row["_total"]]
    assert stream.rows == stream.vendor_total == len(rows)
    assert totals.count("grandtotal") == 1
    assert "subtotal" in totals
    plain = [row for row in rows if row["_total"] is None]
    assert {row["queueId"] for row in plain} <= {"103", "330"}
    assert {row["media"] for row in plain} <= {"Phone", "Chat"}
    assert job["job_id"] == "2710192"  # the sample's id, where the sandbox begins to count


def test_the_seeds_overnight_range(sandbox: Sandbox) -> None:
    intraday = {"start": "20:00:00", "end": "06:00:00"}
    report = queues(start="2022-08-05T00:00:00Z", end="2022-08-11T00:00:00.001Z", intraday=intraday)
    _, _, stream = land(report)
    [order] = asked(sandbox, operation="create")
    assert json.loads(order["body"])["intraDayTimeRange"] == intraday
    assert stream.rows == sandbox.served(vendor=VENDOR)[0]["rows"]


def test_phone_directions_and_wrap_up_pairs_are_filters_like_any_other(sandbox: Sandbox) -> None:
    land(queues(filters={"media": ["InboundPhone", "OutboundPhone"]}))
    types = EightByEightContactCenterHook().report_types()
    [codes] = [found for found in types if found["type"] == "agent-interactions-by-wrap-up-code"]
    grouping = next(group for group in codes["groupBy"] if "wrap-up-code" in group["filters"])
    land(queues(report_type=codes["type"], group_by=grouping["name"], filters={"wrap-up-code": ["170-1201"]}))
    bodies = [json.loads(each["body"]) for each in asked(sandbox, operation="create")]
    assert [body["groupBy"]["filters"] for body in bodies] == [
        [{"name": "media", "values": ["InboundPhone", "OutboundPhone"]}],
        [{"name": "wrap-up-code", "values": ["170-1201"]}],
    ]


# --- the cap ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counted", ["all", "capped"])
def test_12_345_rows_never_land_as_json_but_do_as_csv(sandbox: Sandbox, counted: str) -> None:
    sandbox.set_options(VENDOR, rows=12_345, total_elements=counted)
    words = r'file_format="csv", which has no cap'
    with pytest.raises(exceptions.ContactCenterCappedError, match=words) as cut:
        land(queues(file_format="jsonl"))
    assert isinstance(cut.value, AirflowFailException)  # a retry can't help
    assert isinstance(cut.value, exceptions.ContactCenterIncompleteError)
    assert len(asked(sandbox, operation="data")) == 1  # told from the first page
    _, _, stream = land(queues(file_format="csv"))
    assert (stream.rows, stream.complete) == (12_345, True)


def test_detailed_reports_have_no_cap(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, rows=12_345)
    _, _, stream = land(interactions())
    assert (stream.rows, stream.vendor_total, stream.complete) == (12_345, 12_345, True)
    first, *later = asked(sandbox, operation="detailed_data")
    assert "lastDocumentId" not in first["target"]
    assert all("lastDocumentId=" in entry["target"] for entry in later)


def test_a_cursor_that_comes_again_is_incomplete(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, rows=3500, cursor="repeated")
    with pytest.raises(exceptions.ContactCenterIncompleteError, match="the same cursor twice"):
        land(interactions())


# --- what may go wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["data", "detailed_data"])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "revoke_token"},
        {"fault": "status", "status": 429, "retry_after": 0},
        {"fault": "status", "status": 503, "count": 2},
        {"fault": "reset", "when": "body"},
        {"fault": "cut", "framing": "length"},
    ],
    ids=str,
)
def test_a_blip_between_two_pages_loses_nothing(sandbox: Sandbox, operation: str, fault: Any) -> None:
    sandbox.set_options(VENDOR, rows=2500)
    sandbox.add_fault(vendor=VENDOR, operation=operation, skip=1, **fault)
    make = queues if operation == "data" else interactions
    _, body, stream = land(make(file_format="jsonl"))
    assert (len(rows_of(body)), stream.complete) == (2500, True)


def test_a_missing_or_wrong_tenant_is_named_word_for_word_with_what_to_do(
    sandbox: Sandbox, connection: Any
) -> None:
    sandbox.set_options(VENDOR, tenants=["northwind01"])
    for extra, words in (
        ({}, r"Bad request: X-Tenant-Info header is missing\."),
        ({"tenant_id": "elsewhere01"}, r"Bad request: Invalid value for X-Tenant-Info header\."),
    ):
        connection(**extra)
        with pytest.raises(exceptions.ContactCenterInvalidReportError, match=words) as refused:
            land(queues())
        assert "extra 'tenant_id'" in str(refused.value)
    assert not asked(sandbox, operation="create")
    assert len(asked(sandbox, operation="report_type")) == 2
    assert not asked(sandbox, operation="report_types")  # told by the first refusal, twice
    connection(tenant_id="northwind01")
    land(queues(file_format="jsonl"))
    told = [dict(map(tuple, entry["headers"])) for entry in asked(sandbox) if entry["status"] == 200]
    names = [{name.lower(): value for name, value in headers.items()} for headers in told]
    assert {
        headers.get("x-tenant-info") for headers in names if "basic" not in headers["authorization"].lower()
    } == {"northwind01"}


def test_a_refused_token_is_explained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens.forget()
    with Wire(lambda _: reply(401, {"ErrorCode": "invalid_client", "Error": "Unknown."})) as server:
        own = {"conn_type": VENDOR, "host": server.origin, "login": "key-1", "password": "sentinel-secret"}
        monkeypatch.setenv("AIRFLOW_CONN_EIGHT_BY_EIGHT_CC_DEFAULT", json.dumps(own))
        with pytest.raises(
            exceptions.ContactCenterAuthenticationError, match=r"invalid_client: Unknown\.\n"
        ) as refused:
            EightByEightContactCenterHook().submit(queues())
    assert str(refused.value).count("analytics realtime-api") == 1
    assert "Check the connection's credentials" not in str(refused.value)  # more is known


def test_a_key_without_the_product_is_a_matter_of_permission(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, api_products=["analytics product"])
    with pytest.raises(
        exceptions.ContactCenterPermissionError, match="needs the product 'analytics realtime-api'"
    ):
        land(queues())
    assert EightByEightContactCenterHook().test_connection()[0] is False


@pytest.mark.parametrize("region", ["us", "eu", "au", "ca"])
def test_the_region_is_in_the_path_of_all_but_the_token(
    sandbox: Sandbox, connection: Any, region: str
) -> None:
    sandbox.set_options(VENDOR, region=region)
    connection(region=region, api_version="v7")
    land(queues())
    for entry in asked(sandbox):
        place = "" if region == "us" else f"/{region}"
        expected = "/8x8/oauth/" if entry["operation"] == "token" else f"/8x8{place}/analytics/cc/v7/"
        assert entry["target"].startswith(expected)


def test_what_the_tenant_lacks_is_named_before_anything_is_submitted(sandbox: Sandbox) -> None:
    for report, words in (
        (queues(report_type="calls-summary"), "report_type='calls-summary' is not offered"),
        (queues(group_by="weather"), "group_by='weather' is not offered"),
        (queues(filters={"weather": "rain"}), "the filter='weather' is not offered"),
        (queues(metrics=["accepted", "rain"]), "metrics='rain' is not offered"),
        (interactions(metrics=["rain"]), "metrics='rain' is not offered"),
    ):
        with pytest.raises(exceptions.ContactCenterInvalidReportError, match=words):
            land(report)
    assert not asked(sandbox, operation="create")
    assert not asked(sandbox, operation="create_detailed")


def test_a_zone_that_the_tenant_has_not_configured_is_the_vendors_to_refuse(sandbox: Sandbox) -> None:
    with pytest.raises(
        exceptions.ContactCenterInvalidReportError, match="one of its configured optional zones"
    ):
        land(queues(timezone="Pacific/Auckland"))


@pytest.mark.parametrize("month", ["either", "calendar", "30", "31"])
@pytest.mark.parametrize("granularity", ["15m", "day", "week"])
def test_a_plan_has_no_window_that_another_length_of_month_or_week_forbids(
    sandbox: Sandbox, granularity: str, month: str
) -> None:
    """Half a year of New York, with both changes of its clocks."""
    sandbox.set_options(VENDOR, month=month)
    report = queues(
        granularity=granularity, timezone="America/New_York", start="{{ later }}", end="{{ later }}"
    )
    planned = plan_windows(report, start="2024-09-30T04:00:00Z", end="2025-04-07T04:00:00Z")
    hook = EightByEightContactCenterHook()
    for report in planned:
        hook.submit(report)
    hook.close()
    assert len(planned) < (40 if granularity == "15m" else 9)


def test_report_types_are_listed_as_the_vendor_defines_them(sandbox: Sandbox) -> None:
    types = {found["type"]: found for found in EightByEightContactCenterHook().report_types()}
    assert {"queue-interactions-summary", "detailed-reports-interaction-details"} <= types.keys()
    assert types["queue-interactions-summary"]["groupBy"]
    assert types["detailed-reports-interaction-details"]["searchQuery"]["fields"]


def test_a_failed_report_fails_with_its_reason(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, end="FAILED", reason="the data are gone", ladder=[["IN_PROGRESS", 0, 1]])
    hook = EightByEightContactCenterHook()
    job = hook.submit(queues())
    hook.get_status(job)
    status = hook.get_status(job)
    assert (status["state"], status["reason"]) == ("failed", "the data are gone")


def test_a_title_made_of_a_run_is_one_that_the_vendor_takes(sandbox: Sandbox) -> None:
    land(queues())
    [order] = asked(sandbox, operation="create")
    assert json.loads(order["body"])["title"] == "queues hourly scheduled__2024-05-02T00-00-00-00-00 -1"


def test_one_token_serves_the_worker_and_the_triggerer_polls_alike(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, ladder=[["IN_PROGRESS", 60, 0]])
    hook = EightByEightContactCenterHook()
    job = hook.submit(queues())

    async def polled() -> Any:
        async with hook.polling() as look:
            return await look(job)

    assert asyncio.run(polled()) == hook.get_status(job)
    assert hook.get_status(job)["vendor_status"] == "IN_PROGRESS"
    assert len(asked(sandbox, operation="token")) == 1


def test_every_call_asks_for_what_it_can_read(sandbox: Sandbox) -> None:
    land(queues(file_format="csv"))
    land(queues(file_format="xlsx"))
    land(interactions())
    accepted = {"csv": "text/csv", "xlsx": "text/xlsx"}
    wanted = list(accepted.values())
    for entry in asked(sandbox):
        accept = {name.lower(): value for name, value in entry["headers"]}["accept"]
        assert accept == (wanted.pop(0) if entry["operation"] == "download" else "application/json")


def test_no_secret_is_shown(
    sandbox: Sandbox,
    connection: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        land(queues(file_format="jsonl"))
        connection(password="wrong-secret-0815")
        tokens.forget()
        with pytest.raises(exceptions.ContactCenterAuthenticationError) as refused:
            land(queues())
    token = [
        value
        for entry in asked(sandbox)
        for name, value in entry["headers"]
        if name.lower() == "authorization"
    ]
    shown = caplog.text + str(refused.value) + "".join(capfd.readouterr())
    assert "/historical-metrics/report-types" in shown
    for secret in (SECRET, "wrong-secret-0815", *(value.split()[1] for value in token)):
        assert secret not in shown
