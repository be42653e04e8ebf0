"""8x8 Work Analytics over real HTTP, against the sandbox: scrolls that end complete or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks.eight_by_eight_work import EightByEightWorkHook
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.pipeline.source import ReportStream
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_call_records,
    eight_by_eight_work_summary,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from tests.sandboxes import connected
from tests.wire import Wire, reply

VENDOR = "eight_by_eight_work"
WINDOW = {"start": "2025-05-01T00:00:00Z", "end": "2025-05-02T00:00:00Z"}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A hundred years of retention, so that no test grows old."""
    with connected(monkeypatch, rows=81, options={VENDOR: {"retention_years": 100}}) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def long_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's two years, likewise; the test of the retention takes them back."""
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_work.reports.RETENTION", 100)


def connect(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, **changed: Any) -> None:
    fields = json.loads(sandbox.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT"])
    fields["extra"] |= changed.pop("extra", {})
    monkeypatch.setenv("AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT", json.dumps(fields | changed))


def legs(**values: Any) -> Report:
    return eight_by_eight_call_legs(**{"pbx_id": "acmecorp", **WINDOW, "page_size": 50, **values})


def records(**values: Any) -> Report:
    return eight_by_eight_call_records(**{"pbx_id": "acmecorp", **WINDOW, "page_size": 50, **values})


def land(report: Report) -> tuple[list[dict[str, Any]], ReportStream]:
    hook = EightByEightWorkHook()
    job = hook.submit(report)
    assert hook.get_status(job)["state"] == "ready"
    stream = hook.stream(job)
    rows = [json.loads(line) for line in b"".join(stream).splitlines()]
    hook.close()
    return rows, stream


def queries(sandbox: Sandbox, operation: str = "call_legs") -> list[dict[str, str]]:
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(entry["target"]).query).items()}
        for entry in sandbox.journal(vendor=VENDOR, operation=operation)
    ]


# --- every kind ---------------------------------------------------------------------------------------------


def test_the_seeds_81_legs_come_in_pages_of_50_and_31(sandbox: Sandbox) -> None:
    rows, stream = land(legs(timezone="America/New_York"))
    assert [page["rows"] for page in sandbox.served(vendor=VENDOR)] == [50, 31, 0]
    assert (len(rows), stream.rows, stream.vendor_total, stream.complete) == (81, 81, 81, True)
    assert len({(row["pbxId"], row["callId"], row["legId"]) for row in rows}) == 81
    first, *later = queries(sandbox)
    assert "scrollId" not in first
    assert all({**query, "scrollId": None} == {**first, "scrollId": None} for query in later)
    assert (first["startTime"], first["timeZone"]) == ("2025-04-30 20:00:00", "America/New_York")


@pytest.mark.parametrize("rows", [0, 1, 50, 100])
@pytest.mark.parametrize("make", [legs, records])
def test_every_row_lands_once_however_the_pages_are_filled(sandbox: Sandbox, make: Any, rows: int) -> None:
    sandbox.set_options(VENDOR, rows=rows)
    landed, stream = land(make())
    identity = [(row["pbxId"], row["callId"], row.get("legId")) for row in landed]
    assert len(identity) == len(set(identity)) == stream.rows == rows
    assert stream.complete is True


@pytest.mark.parametrize(
    ("summary", "extension", "operation"),
    [
        ("company", None, "compsum"),
        ("extension", None, "extsum"),
        ("ring-group", None, "rgsum_groups"),
        ("ring-group-member", "5001", "rgsum_members"),
    ],
)
def test_a_summary_lands_as_one_row_per_element(
    sandbox: Sandbox, summary: str, extension: str | None, operation: str
) -> None:
    rows, stream = land(
        eight_by_eight_work_summary(summary, pbx_id=["acmecorp", "acmecorp2"], extension=extension, **WINDOW)
    )
    [served] = sandbox.served(vendor=VENDOR, operation=operation)
    assert (len(rows), stream.rows, stream.complete) == (served["rows"], served["rows"], True)


@pytest.mark.parametrize("end", ["no_data", "null", "missing", "empty", "last_page"])
@pytest.mark.parametrize("make", [legs, records])
def test_every_end_that_was_seen_is_an_end(sandbox: Sandbox, make: Any, end: str) -> None:
    sandbox.set_options(VENDOR, scroll_end=end)
    assert (land(make())[1].rows, land(make())[1].complete) == (81, True)


def test_flags_and_filters_reach_the_vendor(sandbox: Sandbox) -> None:
    every, _ = land(legs(pbx_id="allpbxes"))
    simple, _ = land(legs(pbx_id="allpbxes", simplified=True, by_connect_time=True))
    assert len(simple) < len(every)
    assert queries(sandbox)[-1]["isSimplified"] == queries(sandbox)[-1]["isConnectTime"] == "true"
    callee = every[0]["callee"]
    some, _ = land(legs(pbx_id=["acmecorp", "acmecorp2"], callee=[callee, "none"]))
    assert {row["callee"] for row in some} == {callee}
    assert queries(sandbox)[-1]["callee"] == f"{callee},none"


def test_consecutive_windows_hold_what_one_window_holds(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, every=97, bounds="[)")
    whole, _ = land(legs(start="2025-11-01T12:00:00Z", end="2025-11-03T12:00:00Z", page_size=7000))
    for zone in ("UTC", "America/New_York", "Europe/London"):
        parts = [
            row
            for day in (1, 2)
            for row in land(
                legs(
                    start=f"2025-11-0{day}T12:00:00Z",
                    end=f"2025-11-0{day + 1}T12:00:00Z",
                    timezone=zone,
                    page_size=7000,
                )
            )[0]
        ]
        identity = [(row["callId"], row["legId"]) for row in parts]
        assert len(identity) == len(set(identity))
        assert set(identity) == {(row["callId"], row["legId"]) for row in whole}


# --- what may go wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip", [1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "revoke_token"},
        {"fault": "status", "status": 429, "retry_after": 0, "count": 2},
        {"fault": "status", "status": 429, "count": 2},
        {"fault": "status", "status": 503, "count": 3},
        {"fault": "reset", "when": "before"},
        {"fault": "reset", "when": "body"},
        {"fault": "cut", "framing": "chunked"},
        {"fault": "lost_answer"},
    ],
    ids=str,
)
def test_a_scroll_that_is_disturbed_ends_complete(sandbox: Sandbox, skip: int, fault: Any) -> None:
    sandbox.add_fault(vendor=VENDOR, operation="call_legs", skip=skip, **fault)
    rows, stream = land(legs())
    assert (len(rows), stream.complete) == (81, True)
    assert [entry for entry in sandbox.journal() if entry["fault"]]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 400, "body": '{"message": "scroll"}'}, "ContactCenterIncompleteError"),
        ({"fault": "status", "status": 429, "count": None}, "ContactCenterQuotaError"),
        ({"fault": "status", "status": 503, "count": None}, "ContactCenterUnavailableError"),
        ({"fault": "html", "count": None}, "ContactCenterUnavailableError"),
    ],
    ids=str,
)
def test_a_scroll_that_breaks_off_fails(sandbox: Sandbox, fault: Any, error: str) -> None:
    sandbox.add_fault(vendor=VENDOR, operation="call_legs", skip=1, **fault)
    with pytest.raises(getattr(exceptions, error)):
        land(legs())


def test_a_cursor_that_comes_again_fails(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, scroll="repeated", rows=200)
    with pytest.raises(exceptions.ContactCenterIncompleteError, match="the same cursor twice"):
        land(legs())


def test_rows_that_are_missing_from_the_total_fail(sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, total_count="wrong")
    with pytest.raises(exceptions.ContactCenterIncompleteError, match="says 88 rows, its pages hold 81"):
        land(legs())


@pytest.mark.parametrize(
    ("options", "changed", "error", "words"),
    [
        (
            {},
            {"extra": {"api_key": "eght_wrong-key"}},
            "ContactCenterAuthenticationError",
            "Invalid 8x8-apikey",
        ),
        ({}, {"login": "nobody"}, "ContactCenterAuthenticationError", "USER_NOTFOUND_ERROR"),
        ({"opened_analytics": False}, {}, "ContactCenterAuthenticationError", "in a browser at least once"),
        ({"forbidden_pbxes": ["acmecorp"]}, {}, "ContactCenterPermissionError", "does not have access"),
        (
            {"forbidden_pbxes": ["acmecorp"], "forbidden_as": "400"},
            {},
            "ContactCenterPermissionError",
            "needs a licence for Work Analytics",
        ),
    ],
)
def test_credentials_and_permissions_fail_with_the_vendors_words_and_advice(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, options: Any, changed: Any, error: str, words: str
) -> None:
    sandbox.set_options(VENDOR, **options)
    connect(monkeypatch, sandbox, **changed)
    with pytest.raises(getattr(exceptions, error), match=words):
        land(legs())
    assert len(sandbox.journal(vendor=VENDOR)) <= 2  # a token and a page: nothing is tried again


def test_a_refused_token_is_a_matter_of_credentials_and_explained_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens.forget()
    with Wire(lambda _: reply(403, {"message": "No access to Analytics."})) as server:
        own = {"conn_type": VENDOR, "host": server.origin, "login": "user-1", "password": "sentinel-password"}
        monkeypatch.setenv(
            "AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT",
            json.dumps({**own, "extra": {"api_key": "sentinel-key"}}),
        )
        with pytest.raises(
            exceptions.ContactCenterAuthenticationError, match=r"No access to Analytics\.\n"
        ) as refused:
            land(legs())
    assert str(refused.value).count("needs a licence for Work Analytics") == 1


def test_one_token_serves_all_pages(sandbox: Sandbox) -> None:
    land(legs(page_size=9))
    land(records())
    assert len(sandbox.journal(vendor=VENDOR, operation="token")) == 1
    for entry in sandbox.journal(vendor=VENDOR):
        headers = {name.lower(): value for name, value in entry["headers"]}
        assert headers["8x8-apikey"] == "eght_sandbox-work-key"
        assert ("authorization" in headers) is (entry["operation"] != "token")


def test_a_window_beyond_two_years_lands_with_a_warning_and_is_not_called_complete(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_work.reports.RETENTION", 2)
    sandbox.set_options(VENDOR, retention_years=2)
    rows, stream = land(legs(start="2015-05-01T00:00:00Z", end="2015-05-02T00:00:00Z"))
    assert (rows, stream.rows, stream.complete) == ([], 0, None)
    assert "keeps 2 years" in "".join(capfd.readouterr())  # where Airflow's own logger writes to


def test_the_password_arrives_as_it_is_and_is_shown_nowhere(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert EightByEightWorkHook().test_connection()[0] is True
        land(legs())
    [told, *_] = sandbox.journal(vendor=VENDOR, operation="token")
    assert parse_qs(told["body"])["password"] == ["sandbox-pass^&+%=word"]
    shown = caplog.text + "".join(capfd.readouterr())
    assert "/analytics/work/v2/call-legs" in shown
    for secret in ("sandbox-pass^&+%=word", "eght_sandbox-work-key"):
        assert secret not in shown
