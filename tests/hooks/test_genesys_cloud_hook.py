"""Genesys Cloud over real HTTP, against the sandbox: whole reports, or typed errors in the vendor's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions as ex
from airflow_provider_contactcenter.hooks.genesys_cloud import GenesysCloudHook
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.reports import genesys_conversations, genesys_users
from airflow_provider_contactcenter.sandbox import Clock, Sandbox
from airflow_provider_contactcenter.transport import policy
from tests.sandbox.genesys_cloud import DAY, NOW, VENDOR, Genesys

WINDOW: dict[str, Any] = {"start": "2026-05-06T00:00:00Z", "end": "2026-05-07T00:00:00Z"}
CONVERSATIONS = genesys_conversations(page_size=20, **WINDOW)
USERS = genesys_users(page_size=20, **WINDOW)
REPORTS = pytest.mark.parametrize("report", [CONVERSATIONS, USERS], ids=["conversations", "users"])
ID = r"\(correlation id [0-9a-f-]{36}\)"


@pytest.fixture(scope="module")
def one_sandbox() -> Iterator[Sandbox]:
    options = {VENDOR: {"ladder": [], "rows": 70, "requests_per_minute": 10_000}}
    with Sandbox(clock=Clock(NOW), options=options) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    one_sandbox.reset()
    monkeypatch.setenv(
        "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(one_sandbox.connections["genesys_cloud_default"])
    )
    return one_sandbox


@pytest.fixture
def hook(sandbox: Sandbox) -> Iterator[GenesysCloudHook]:
    with closing(GenesysCloudHook()) as hook:
        yield hook


def served(sandbox: Sandbox, report: Report) -> list[dict[str, Any]]:
    """The rows of the window, as a client of nothing but requests reads them."""
    return Genesys(sandbox, report["kind"]).rows(DAY)


def read(hook: GenesysCloudHook, job: Job) -> tuple[list[dict[str, Any]], Any]:
    stream = hook.stream(job)
    return [json.loads(line) for line in b"".join(stream).splitlines()], stream


def asked(sandbox: Sandbox, operation: str | None = None) -> list[str]:
    entries = sandbox.journal(vendor=VENDOR, **({"operation": operation} if operation else {}))
    return [entry["operation"] for entry in entries]


def fault(sandbox: Sandbox, operation: str, kind: str, **how: Any) -> None:
    sandbox.add_fault(vendor=VENDOR, operation=operation, fault=kind, **how)


def complaint(error: BaseException, job: Job | None = None) -> str:
    """The message, checked for what each must hold: vendor, connection and job; advice on its own line."""
    text = str(error)
    assert text.startswith("Genesys Cloud (connection genesys_cloud_default")
    assert job is None or f"job {job['job_id']}" in text
    assert text.count("\n") == 1 and "sandbox-client-secret" not in text
    assert text.endswith(".")
    return text


# -- the whole way -----------------------------------------------------------------------------------------


@REPORTS
def test_a_report_is_submitted_polled_and_fetched_page_by_page(
    sandbox: Sandbox, hook: GenesysCloudHook, report: Report
) -> None:
    sandbox.set_options(VENDOR, ladder=[["QUEUED", 0, 1], ["PENDING", 0, 1]])
    job = hook.submit(report)
    states = [hook.get_status(job)["state"] for _ in range(3)]
    assert states == ["queued", "running", "ready"]
    rows, stream = read(hook, job)
    operations = asked(sandbox)
    client = Genesys(sandbox, report["kind"])
    assert rows == [row for page in client.pages(str(job["job_id"])) for row in page[client.rows_name]]
    assert (stream.rows, stream.complete, stream.file_format) == (len(rows), True, "jsonl")
    pages = -(-len(rows) // 20)
    assert pages > 3
    assert operations == ["token", "create", *["poll"] * 3, *["results"] * pages]


@pytest.mark.parametrize(
    "options",
    [
        {"create_status": 200},
        {"create_status": 201, "poll_code": "200"},
        {"poll_code": "202", "state_as": "lower", "dates": "expiration_when_expired"},
        {"last_cursor": "null"},
        {"last_cursor": "empty", "last_page": "empty"},
        {"middle_page": "empty"},
        {"middle_page": "short", "cursor_form": "long"},
        {"max_page_size": 7},
        {"max_page_rows": 6},
        {"max_page_rows": 6, "error_shape": "message"},
        {"page_watermark": "missing"},
        {"token_type": "Bearer", "expires_in": 300},
        {"novelties": True, "ongoing": "null", "milliseconds": False},
        {"huge": True},
    ],
    ids=lambda options: "-".join(options),
)
@REPORTS
def test_every_variant_of_the_api_delivers_the_same_rows(
    sandbox: Sandbox, hook: GenesysCloudHook, report: Report, options: dict[str, Any]
) -> None:
    sandbox.set_options(VENDOR, **{name: options[name] for name in STYLES if name in options})
    expected = served(sandbox, report)
    sandbox.set_options(VENDOR, **options)
    rows, stream = read(hook, {**hook.submit(report), "provisional": False})  # as who saw the watermark
    assert rows == expected
    assert (stream.rows, stream.complete) == (len(expected), True)


#: options that change what is in a row
STYLES = ("novelties", "ongoing", "milliseconds", "huge")


@pytest.mark.parametrize("no_rows", ["list", "null", "missing"])
@REPORTS
def test_a_window_without_rows_is_empty_and_complete(
    sandbox: Sandbox, hook: GenesysCloudHook, report: Report, no_rows: str
) -> None:
    sandbox.set_options(VENDOR, no_rows=no_rows, rows=0, threads=0)
    rows, stream = read(hook, hook.submit(report))
    assert (rows, stream.rows, stream.complete) == ([], 0, True)


@pytest.mark.parametrize("match", ["activity", "lifetime", "start_or_end"])
def test_a_conversation_is_in_each_window_that_the_vendor_counts_it_to(
    sandbox: Sandbox, hook: GenesysCloudHook, match: str
) -> None:
    sandbox.set_options(VENDOR, match=match, rows=2)
    windows: dict[str, int] = {}
    # The sandbox's block of thirty days, in which an e-mail thread has messages on six.
    days = [datetime(2026, 3, 8, tzinfo=UTC) + timedelta(days=n) for n in range(30)]
    for start in days:
        end = start + timedelta(days=1)
        rows, _ = read(hook, hook.submit(genesys_conversations(start=start, end=end)))
        for row in rows:
            assert datetime.fromisoformat(row["conversationStart"]) < end
            assert datetime.fromisoformat(row["conversationEnd"]) > start
            windows[row["conversationId"]] = windows.get(row["conversationId"], 0) + 1
    # Of each day's two one goes over midnight, into the next window; one comes from the day before the first.
    thread = {"activity": 6, "lifetime": 30, "start_or_end": 2}[match]
    assert sorted(windows.values()) == sorted([*[1] * 30, *[2] * 29, 1, 1, thread])


def test_a_gateway_may_put_a_path_before_both_addresses(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sandbox.connections["genesys_cloud_default"]
    for host in (f"{sandbox.url}/genesys", f"{sandbox.url}/genesys/platform/api/v2"):
        connection["host"] = host
        monkeypatch.setenv("AIRFLOW_CONN_GATEWAY", json.dumps(connection))
        with closing(GenesysCloudHook("gateway")) as hook:
            assert hook.test_connection()[0]


# -- what passes -------------------------------------------------------------------------------------------

MENDED: list[tuple[str, str, dict[str, Any]]] = [
    ("create", "revoke_token", {}),
    ("poll", "html", {"status": 503}),
    ("poll", "revoke_token", {}),
    ("results", "revoke_token", {"skip": 1}),
    ("results", "html", {"status": 503, "skip": 1}),
    ("results", "html", {"skip": 1}),
    ("results", "cut", {"framing": "chunked", "skip": 2}),
    ("results", "reset", {"when": "body", "skip": 1}),
    ("results", "refusal", {"code": "request.timeout", "skip": 1}),
    ("results", "refusal", {"code": "authentication.request.timeout"}),
    ("token", "reset", {}),
]


@pytest.mark.parametrize(("operation", "kind", "how"), MENDED, ids=str)
def test_what_passes_is_asked_for_again_and_the_rows_are_whole(
    sandbox: Sandbox, hook: GenesysCloudHook, operation: str, kind: str, how: dict[str, Any]
) -> None:
    expected = served(sandbox, CONVERSATIONS)
    submitted = len(asked(sandbox, "create"))
    fault(sandbox, operation, kind, **how)
    job = hook.submit(CONVERSATIONS)
    assert hook.get_status(job)["state"] == "ready"
    rows, stream = read(hook, job)
    assert (rows, stream.complete) == (expected, True)
    assert [entry for entry in sandbox.journal() if entry["fault"]], "the fault was taken"
    assert len(sandbox.jobs(VENDOR)) == submitted + 1


def test_a_token_that_dies_early_for_lack_of_use_is_renewed_once(
    sandbox: Sandbox, hook: GenesysCloudHook
) -> None:
    sandbox.set_options(VENDOR, idle_seconds=300)
    job = hook.submit(CONVERSATIONS)
    sandbox.clock.advance(301)
    assert hook.get_status(job)["state"] == "ready"
    assert asked(sandbox) == ["token", "create", "poll", "token", "poll"]


# -- what is refused ---------------------------------------------------------------------------------------

FORBIDDEN, INVALID = ex.ContactCenterPermissionError, ex.ContactCenterInvalidReportError
DENIED: list[tuple[dict[str, Any], type[ex.ContactCenterError], str]] = [
    ({"ip_allowed": False}, FORBIDDEN, r"ip\.not\.authorized: This IP address"),
    (
        {"permissions": ["analytics:userDetail:view"]},
        FORBIDDEN,
        r"missing\.any\.permissions: .*analytics:agentConversationDetail:view",
    ),
    ({"divisions": "refused"}, FORBIDDEN, r"missing\.division\.permission: .* division"),
    ({"scopes": []}, FORBIDDEN, r"app\.not\.authorized\.for\.scope: .*analytics:readonly"),
    ({"max_body_bytes": 20}, INVALID, r"request\.entity\.too\.large: .*Maximum bytes: 20"),
    ({"max_interval_days": 0.5}, INVALID, r"HTTP 400: "),
]


@pytest.mark.parametrize("shape", ["full", "nested"])
@pytest.mark.parametrize(
    ("options", "error", "words"), DENIED, ids=[next(iter(options)) for options, _, _ in DENIED]
)
def test_a_refusal_is_final_at_once_with_the_vendors_words_and_the_correlation_id(
    sandbox: Sandbox, hook: GenesysCloudHook, options: dict[str, Any], error: Any, words: str, shape: str
) -> None:
    sandbox.set_options(VENDOR, error_shape=shape, **options)
    with pytest.raises(error, match=words) as raised:
        hook.submit(CONVERSATIONS)
    assert re.search(ID, complaint(raised.value))
    # No second token, no second try.
    assert asked(sandbox) == ["token", "create"]
    assert sandbox.jobs(VENDOR) == []


def test_a_submit_that_broke_off_on_its_way_there_is_not_lost_and_a_retry_helps(
    sandbox: Sandbox, hook: GenesysCloudHook
) -> None:
    fault(sandbox, "create", "refusal", code="client.failed.request")
    with pytest.raises(ex.ContactCenterUnavailableError, match=r"client\.failed\.request") as raised:
        hook.submit(CONVERSATIONS)
    assert not isinstance(raised.value, ex.ContactCenterSubmitLostError)
    assert asked(sandbox) == ["token", "create"]
    assert hook.submit(CONVERSATIONS)["job_id"]


@pytest.mark.parametrize("shape", ["message", "text", "empty"])
def test_a_refusal_of_few_words_still_has_its_id(
    sandbox: Sandbox, hook: GenesysCloudHook, shape: str
) -> None:
    sandbox.set_options(VENDOR, error_shape=shape, permissions=[])
    with pytest.raises(ex.ContactCenterPermissionError, match=ID) as raised:
        hook.submit(USERS)
    assert ("analytics:userDetail:view" in complaint(raised.value)) == (shape != "empty")


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"login": "wrong"}], ids=["secret", "client"])
def test_wrong_credentials_are_told_from_the_wrong_region(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int, wrong: dict[str, str]
) -> None:
    sandbox.set_options(VENDOR, wrong_secret_status=status)
    connection = {**sandbox.connections["genesys_cloud_default"], **wrong}
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", json.dumps(connection))
    words = "authentication failed" if "password" in wrong else "client not found"
    with (
        closing(GenesysCloudHook("wrong")) as hook,
        pytest.raises(ex.ContactCenterAuthenticationError, match=f"(?s){words}.*region"),
    ):
        hook.submit({**CONVERSATIONS, "conn_id": "wrong"})
    assert asked(sandbox) == ["token"]


@pytest.mark.parametrize("operation", ["availability", "create", "poll", "results", "cancel"])
@pytest.mark.parametrize("to", ["self", "https://login.example/sso"])
def test_a_redirect_ends_every_operation_at_its_first_request(
    sandbox: Sandbox, hook: GenesysCloudHook, operation: str, to: str
) -> None:
    job = hook.submit(CONVERSATIONS)
    before = len(asked(sandbox, operation))
    fault(sandbox, operation, "redirect", to=to, count=None)
    calls: dict[str, Any] = {
        "availability": lambda: hook.available_until(CONVERSATIONS),
        "create": lambda: hook.submit(CONVERSATIONS),
        "poll": lambda: hook.get_status(job),
        "results": lambda: read(hook, job),
        "cancel": lambda: hook.cancel(job),
    }
    with pytest.raises(
        ex.ContactCenterInvalidReportError, match=r"redirects to .*\nCorrect the connection's"
    ):
        calls[operation]()
    assert len(asked(sandbox, operation)) == before + 1


# -- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["full", "nested"])
@pytest.mark.parametrize("limited_as", ["header", "words"])
@pytest.mark.parametrize("operation", ["create", "poll", "results"])
def test_the_vendors_seconds_are_waited_for_wherever_it_says_them(
    sandbox: Sandbox,
    hook: GenesysCloudHook,
    pauses: list[float],
    operation: str,
    limited_as: str,
    shape: str,
) -> None:
    sandbox.set_options(VENDOR, limited_as=limited_as, retry_after=42, error_shape=shape)
    fault(sandbox, operation, "refusal", code="too.many.requests.retry.after")
    job = hook.submit(CONVERSATIONS)
    hook.get_status(job)
    rows, _ = read(hook, job)
    assert rows
    assert max(pauses) == 42
    assert len(sandbox.jobs(VENDOR)) == 1


@pytest.mark.parametrize(("seconds", "times"), [(61, 1), (120, 7), (900, 1)])
def test_minutes_to_wait_between_two_pages_cost_no_page_that_came(
    sandbox: Sandbox, hook: GenesysCloudHook, pauses: list[float], seconds: int, times: int
) -> None:
    sandbox.set_options(VENDOR, retry_after=seconds)
    fault(sandbox, "results", "refusal", code="too.many.requests.retry.after", skip=2, count=times)
    rows, stream = read(hook, hook.submit(CONVERSATIONS))
    pages = sandbox.journal(vendor=VENDOR, operation="results")
    assert sum("cursor=" not in page["target"] for page in pages) == 1
    assert (rows, stream.complete) == (served(sandbox, CONVERSATIONS), True)
    assert pauses == [seconds] * times


@pytest.mark.parametrize("seconds", [120, 901])
def test_a_quarter_of_an_hour_between_two_pages_is_enough(
    sandbox: Sandbox, hook: GenesysCloudHook, pauses: list[float], seconds: int
) -> None:
    sandbox.set_options(VENDOR, retry_after=seconds)
    fault(sandbox, "results", "refusal", code="too.many.requests.retry.after", skip=2, count=None)
    with pytest.raises(ex.ContactCenterQuotaError):
        read(hook, hook.submit(CONVERSATIONS))
    assert sum(pauses) <= 900


@pytest.mark.parametrize("operation", ["create", "results"])
def test_hours_to_wait_are_left_to_the_task(
    sandbox: Sandbox, hook: GenesysCloudHook, pauses: list[float], operation: str
) -> None:
    sandbox.set_options(VENDOR, retry_after=7200)
    job = hook.submit(CONVERSATIONS)
    fault(sandbox, operation, "refusal", code="too.many.requests.retry.after", count=None)
    with pytest.raises(ex.ContactCenterQuotaError, match=r"\[7200\] seconds") as raised:
        read(hook, job) if operation == "results" else hook.submit(CONVERSATIONS)
    complaint(raised.value)
    if operation == "create":
        assert raised.value.retry_after == 7200
    assert pauses == []


def test_a_429_that_names_its_window_alone_is_waited_for_as_long(
    sandbox: Sandbox, hook: GenesysCloudHook, pauses: list[float]
) -> None:
    sandbox.set_options(VENDOR, limited_as="no_seconds")
    fault(sandbox, "create", "refusal", code="too.many.requests", count=2)
    hook.submit(CONVERSATIONS)
    assert pauses == [60, 60]


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"max_running": 1}, r"details\.jobs\.concurrent\.access\.max is 1"),
        ({"jobs_per_second": 1}, r"details\.jobs\.rate\.per\.second is 1"),
    ],
    ids=["at a time", "a second"],
)
def test_the_limit_of_jobs_is_named(
    sandbox: Sandbox, hook: GenesysCloudHook, options: dict[str, Any], limit: str
) -> None:
    sandbox.set_options(VENDOR, ladder=[["PENDING", 1000, 0]], retry_after=600, **options)
    hook.submit(CONVERSATIONS)
    with pytest.raises(ex.ContactCenterQuotaError, match=limit) as raised:
        hook.submit(USERS)
    assert re.search(ID, complaint(raised.value))
    assert raised.value.retry_after == 600


# -- states ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "state", "word", "reason"),
    [
        ({"end": "FAILED"}, "failed", "FAILED", "The query could not be executed."),
        ({"end": "FAILED", "error_message": ""}, "failed", "FAILED", None),
        ({"end": "CANCELLED"}, "cancelled", "CANCELLED", None),
        ({"end": "EXPIRED"}, "expired", "EXPIRED", None),
        ({"end": "ARCHIVED"}, "running", "ARCHIVED", None),
        ({"state_as": "missing"}, "running", None, None),
        ({"results_seconds": 0}, "expired", "EXPIRED", None),
    ],
)
def test_states_are_told_apart_and_an_unheard_of_one_is_running(
    sandbox: Sandbox,
    hook: GenesysCloudHook,
    options: dict[str, Any],
    state: str,
    word: str | None,
    reason: str | None,
) -> None:
    sandbox.set_options(VENDOR, **options)
    status = hook.get_status(hook.submit(CONVERSATIONS))
    assert (status["state"], status["vendor_status"], status["reason"]) == (state, word, reason)


def test_a_job_of_the_other_subject_is_unknown(sandbox: Sandbox, hook: GenesysCloudHook) -> None:
    job = hook.submit(USERS)
    foreign: Job = {**hook.submit(CONVERSATIONS), "job_id": job["job_id"]}
    with pytest.raises(ex.ContactCenterNotFoundError, match=r"not\.found") as raised:
        hook.get_status(foreign)
    complaint(raised.value, foreign)


@pytest.mark.parametrize("create_body", ["no_id", "empty"])
def test_a_job_without_an_id_is_lost_and_nothing_is_submitted_again(
    sandbox: Sandbox, hook: GenesysCloudHook, create_body: str
) -> None:
    sandbox.set_options(VENDOR, create_body=create_body)
    with pytest.raises(ex.ContactCenterSubmitLostError, match="no jobId"):
        hook.submit(CONVERSATIONS)
    assert asked(sandbox, "create") == ["create"]


# -- pages that break off ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"cursor_seconds": 0}, ex.ContactCenterIncompleteError, "pages broke off: HTTP 400: .*cursor"),
        ({"cursor": "repeated"}, ex.ContactCenterIncompleteError, "same cursor twice"),
        (
            {"expire_after_pages": 2},
            ex.ContactCenterExpiredError,
            "report is gone: the pages broke off: HTTP 404",
        ),
        (
            {"expire_after_pages": 2, "expired_as": 410},
            ex.ContactCenterExpiredError,
            "report is gone: the pages broke off: HTTP 410",
        ),
        ({"expire_after_pages": 0}, ex.ContactCenterExpiredError, "report is gone: HTTP 404"),
        (
            {"expire_after_pages": 0, "expired_as": 410},
            ex.ContactCenterExpiredError,
            "report is gone: HTTP 410",
        ),
        (
            {"max_page_size": 5, "past_max_page_size": "400"},
            ex.ContactCenterInvalidReportError,
            r"invalid\.query\.param\.value.*pageSize",
        ),
    ],
    ids=lambda part: str(part)[:50],
)
def test_pages_that_break_off_are_never_complete(
    sandbox: Sandbox, hook: GenesysCloudHook, options: dict[str, Any], error: Any, words: str
) -> None:
    sandbox.set_options(VENDOR, **options)
    job = hook.submit(CONVERSATIONS)
    stream = hook.stream(job)
    with pytest.raises(error, match=words) as raised:
        for _ in stream:
            pass
    complaint(raised.value, job)
    assert stream.complete is not True
    with pytest.raises(error):
        next(stream)


@REPORTS
def test_a_page_that_is_larger_than_what_is_read_is_asked_for_with_fewer_rows(
    sandbox: Sandbox, hook: GenesysCloudHook, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = served(sandbox, report)
    whole = {**report, "params": {**report["params"], "page_size": 10_000}}
    job = hook.submit(whole)
    monkeypatch.setattr(policy, "LARGEST_ANSWER", 3 * len(json.dumps(expected)) // 5)
    rows, stream = read(hook, job)
    assert (rows, stream.complete) == (expected, True)
    assert 3 < len(asked(sandbox, "results")) < 20


@pytest.mark.parametrize("page_lag", [0, 3600])
def test_pages_that_name_an_earlier_watermark_than_the_windows_end_carry_a_caveat(
    sandbox: Sandbox, hook: GenesysCloudHook, page_lag: int
) -> None:
    sandbox.set_options(VENDOR, conversations_watermark="2026-05-07T00:00:00Z", page_lag=page_lag)
    _, stream = read(hook, hook.submit(CONVERSATIONS))
    assert bool(stream.caveats) == bool(page_lag)
    assert stream.complete is (None if page_lag else True)
    assert "complete until 2026-05-06T23:00:00" in "".join(stream.caveats) or not page_lag


# -- watermark ---------------------------------------------------------------------------------------------


def test_each_subject_has_its_own_watermark(sandbox: Sandbox, hook: GenesysCloudHook) -> None:
    marks = {"conversations": "2026-05-07T01:00:00+00:00", "users": "2026-05-06T23:00:00+00:00"}
    sandbox.set_options(VENDOR, **{f"{subject}_watermark": mark for subject, mark in marks.items()})
    for report in (CONVERSATIONS, USERS):
        assert hook.available_until(report) == datetime.fromisoformat(marks[report["kind"]])


def test_who_sees_agents_alone_may_submit_and_not_see_the_watermark(
    sandbox: Sandbox, hook: GenesysCloudHook
) -> None:
    sandbox.set_options(VENDOR, permissions=["analytics:agentConversationDetail:view"])
    with pytest.raises(
        ex.ContactCenterPermissionError, match=r"missing\.permissions: .*analytics:conversationDetail:view"
    ) as raised:
        hook.available_until(CONVERSATIONS)
    assert re.search(ID, complaint(raised.value))
    assert hook.settle_delay(CONVERSATIONS) == timedelta(hours=24)
    rows, _ = read(hook, hook.submit(CONVERSATIONS))
    assert rows


# -- cancel ------------------------------------------------------------------------------------------------


def test_a_running_job_is_cancelled(sandbox: Sandbox, hook: GenesysCloudHook) -> None:
    sandbox.set_options(VENDOR, ladder=[["PENDING", 1000, 0]])
    job = hook.submit(CONVERSATIONS)
    assert hook.cancel(job) is True
    assert hook.get_status(job)["state"] == "cancelled"


@pytest.mark.parametrize("cancel_done", ["kept", "dropped", "409", "404"])
def test_a_job_that_is_over_needs_no_cancelling(
    sandbox: Sandbox, hook: GenesysCloudHook, cancel_done: str
) -> None:
    sandbox.set_options(VENDOR, cancel_done=cancel_done)
    assert hook.cancel(hook.submit(CONVERSATIONS)) is True


def test_a_refused_cancellation_is_an_error_in_the_vendors_words(
    sandbox: Sandbox, hook: GenesysCloudHook
) -> None:
    job = hook.submit(CONVERSATIONS)
    fault(sandbox, "cancel", "refusal", code="missing.any.permissions", count=None)
    with pytest.raises(ex.ContactCenterPermissionError, match=r"missing\.any\.permissions") as raised:
        hook.cancel(job)
    assert re.search(ID, complaint(raised.value, job))


# -- the connection's test ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "good", "words"),
    [
        ({}, True, r"conversations are complete until .*, users are complete until"),
        ({"permissions": ["analytics:userDetail:view"]}, True, r": users are complete until"),
        ({"permissions": []}, False, r"missing\.permissions"),
        ({"ip_allowed": False}, False, r"ip\.not\.authorized"),
        ({"region": "other"}, False, r"(?s)client not found.*region"),
    ],
    ids=["all", "users only", "nothing", "address", "region"],
)
def test_the_connections_test_says_what_the_client_sees(
    sandbox: Sandbox, hook: GenesysCloudHook, options: dict[str, Any], good: bool, words: str
) -> None:
    sandbox.set_options(VENDOR, **options)
    said = hook.test_connection()
    assert said[0] is good
    assert re.search(words, said[1])
