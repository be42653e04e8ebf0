"""The hook on a worker, against the sandbox and servers that break off: whole files or typed errors."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions as ex
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.nouns import Job, new_job
from airflow_provider_contactcenter.reports import khoros_care_report, talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.wire import Wire, connection, reply, talkdesk

Start = Callable[..., tuple[Sandbox, TalkdeskHook]]


WINDOW: dict[str, Any] = {"start": "2024-05-01T00:00Z", "end": "2024-05-02T00:00Z"}


def report(**changes: Any) -> Any:
    return talkdesk_report(**{"report_type": "calls", **WINDOW, "conn_id": "wire", **changes})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """A sandbox whose jobs are done at once, and a hook on it."""
    opened: list[Any] = []

    def begin(rows: int = 50, timeout: float = 60, **options: Any) -> tuple[Sandbox, TalkdeskHook]:
        sandbox = Sandbox(rows=rows, options={"talkdesk": {"ladder": [], **options}})
        sandbox.__enter__()
        own = json.loads(sandbox.environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
        own["extra"]["timeout"] = timeout
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps(own))
        hook = TalkdeskHook("wire")
        opened[:0] = [sandbox, hook]
        return sandbox, hook

    yield begin
    for each in opened:
        each.close() if isinstance(each, TalkdeskHook) else each.__exit__(None, None, None)


def read(hook: TalkdeskHook, job: Job) -> tuple[bytes, Any]:
    stream = hook.stream(job)
    return b"".join(stream), stream


def complaint(error: BaseException, job: Job | None) -> str:
    """The message, checked for what each must hold: vendor, connection, job; advice on a line of its own."""
    text = str(error)
    assert text.startswith("Talkdesk Explore (connection wire")
    assert job is None or f"job {job['job_id']}" in text
    happened, advice = text.split("\n")
    assert happened.endswith((".", "?")) and advice
    assert "X-Amz" not in text and "sentinel" not in text
    assert text.endswith(".")
    return text


# -- the whole way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "json", "json_bulk"])
@pytest.mark.parametrize("rows", [0, 1, 50])
def test_a_file_lands_byte_for_byte(start: Start, file_format: str, rows: int) -> None:
    sandbox, hook = start(rows=rows)
    job = hook.submit(report(file_format=file_format))
    assert hook.get_status(job)["state"] == "ready"
    data, stream = read(hook, job)
    [served] = sandbox.served()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (served["bytes"], served["sha256"])
    # One object alone may be a row or a document around rows: json_bulk is described nowhere.
    assert stream.rows == (None if (file_format, rows) == ("json_bulk", 1) else rows)
    # Nor is it said what an empty one means.
    assert stream.complete is (None if (file_format, rows) == ("json_bulk", 0) else True)
    assert stream.vendor_total == (rows if file_format == "json" else None)


def test_jsonl_holds_the_entries_row_by_row(start: Start) -> None:
    _, hook = start()
    lines, stream = read(hook, hook.submit(report(file_format="jsonl")))
    document, _ = read(hook, hook.submit(report(file_format="json")))
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(document)["entries"]
    assert (stream.file_format, stream.rows, stream.complete) == ("jsonl", 50, True)


@pytest.mark.parametrize(
    "options",
    [
        {"create_body": "flat", "create_status": 201, "poll_body": "flat", "status_case": "upper"},
        {"done_as": 300},
        {"done_as": 302, "location": "absolute", "links_host": "docs"},
        {"done_as": 307, "location": "missing", "download_status": 302},
        {"done_as": 200, "download_status": 307},
        {"download": "direct"},
        {"download": "direct", "gzip": True},
        {"csv_bom": True, "csv_line_end": "\n"},
        {"expires_in": 1},
    ],
)
def test_every_variant_of_the_api_delivers_the_same_rows(start: Start, options: dict[str, Any]) -> None:
    sandbox, hook = start(**options)
    data, stream = read(hook, hook.submit(report()))
    assert hashlib.sha256(data).hexdigest() == sandbox.served()[-1]["sha256"]
    assert (stream.rows, stream.complete) == (50, True)
    for entry in sandbox.journal(operation="storage"):
        assert not {"authorization", "cookie"} & {name.lower() for name, _ in entry["headers"]}


def test_one_job_one_token_one_download(start: Start) -> None:
    sandbox, hook = start()
    read(hook, hook.submit(report()))
    assert [entry["operation"] for entry in sandbox.journal()] == [
        "token",
        "create",
        "poll",
        "file",
        "storage",
    ]


# -- faults in the download --------------------------------------------------------------------------------

MENDED: list[dict[str, Any]] = [
    {"operation": "storage", "fault": "cut", "framing": "length"},
    {"operation": "storage", "fault": "cut", "framing": "chunked"},
    {"operation": "storage", "fault": "reset", "when": "body"},
    {"operation": "storage", "fault": "reset"},
    {"operation": "storage", "fault": "stall", "when": "body"},
    {"operation": "storage", "fault": "status", "status": 503, "count": 2},
    {"operation": "storage", "fault": "expired_link", "count": 3},
    {"operation": "file", "fault": "expired_link"},
    {"operation": "file", "fault": "revoke_token"},
    {"operation": "file", "fault": "status", "status": 202},
    {"operation": "poll", "fault": "html"},
    {"operation": "poll", "fault": "redirect", "to": "self"},
    {"operation": "token", "fault": "reset"},
]


@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: "-".join(map(str, fault.values())))
def test_what_passes_is_asked_for_again_and_the_file_is_whole(start: Start, fault: dict[str, Any]) -> None:
    sandbox, hook = start(rows=2000, timeout=0.5 if fault["fault"] == "stall" else 60)
    job = hook.submit(report())
    if fault["operation"] == "token":
        sandbox.add_fault(vendor="talkdesk", operation="poll", fault="revoke_token")
    sandbox.add_fault(vendor="talkdesk", **fault)
    data, stream = read(hook, job)
    assert hashlib.sha256(data).hexdigest() == sandbox.served()[-1]["sha256"]
    assert (stream.rows, stream.complete) == (2000, True)
    assert [entry for entry in sandbox.journal() if entry["fault"]], "the fault was taken"
    assert len(sandbox.journal(operation="create")) == 1


DENIED = ex.ContactCenterAuthenticationError
GONE, MISSING = ex.ContactCenterUnavailableError, ex.ContactCenterIncompleteError
LASTING: list[tuple[dict[str, Any], Any, str]] = [
    ({"operation": "storage", "fault": "cut", "framing": "length"}, GONE, "broke off"),
    ({"operation": "storage", "fault": "cut", "framing": "chunked"}, GONE, "broke off"),
    ({"operation": "storage", "fault": "cut", "framing": "none"}, MISSING, "CSV ends in"),
    ({"operation": "storage", "fault": "reset", "when": "body"}, GONE, "broke off"),
    ({"operation": "storage", "fault": "stall", "when": "body"}, GONE, "broke off"),
    ({"operation": "storage", "fault": "html"}, MISSING, "HTML page"),
    ({"operation": "storage", "fault": "expired_link"}, GONE, "Request has expired"),
    ({"operation": "file", "fault": "redirect", "to": "self"}, GONE, "more than 5 times"),
    ({"operation": "file", "fault": "status", "status": 204}, GONE, "HTTP 204 came in place"),
    ({"operation": "file", "fault": "status", "status": 404}, ex.ContactCenterExpiredError, "gone: HTTP 404"),
    ({"operation": "file", "fault": "status", "status": 403}, ex.ContactCenterPermissionError, "HTTP 403"),
    ({"operation": "file", "fault": "revoke_token"}, ex.ContactCenterAuthenticationError, "HTTP 401"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "error", "words"), LASTING, ids=lambda part: str(part)[:60])
def test_what_lasts_is_a_typed_error_and_never_a_complete_file(
    start: Start, fault: dict[str, Any], error: Any, words: str
) -> None:
    sandbox, hook = start(rows=500, timeout=0.3 if fault["fault"] == "stall" else 60)
    job = hook.submit(report())
    sandbox.add_fault(vendor="talkdesk", count=None, **fault)
    stream = hook.stream(job)
    with pytest.raises(error, match=words) as raised:
        for _ in stream:
            pass
    complaint(raised.value, job)
    assert stream.complete is not True
    with pytest.raises(error):
        next(stream)  # not StopIteration: whoever goes on reading must not take it for the end


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"json_total": "wrong"}, "total says 57 rows, the document holds 50"),
        ({"json_entries": "missing"}, 'has no array "entries"'),
    ],
)
@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_a_document_that_contradicts_itself_is_incomplete(
    start: Start, options: dict[str, Any], words: str, file_format: str
) -> None:
    _, hook = start(**options)
    job = hook.submit(report(file_format=file_format))
    with pytest.raises(ex.ContactCenterIncompleteError, match=words) as raised:
        read(hook, job)
    complaint(raised.value, job)


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("failed", ex.ContactCenterReportFailedError),
        ("canceled", ex.ContactCenterReportFailedError),
        ("deleted", ex.ContactCenterExpiredError),
    ],
)
def test_a_job_that_ended_badly_has_no_file(start: Start, word: str, error: type[Exception]) -> None:
    _, hook = start(end=word)
    job = hook.submit(report())
    with pytest.raises(error, match=f"status is {word}, so it has no file") as raised:
        read(hook, job)
    complaint(raised.value, job)


def test_a_file_that_changed_between_two_requests_is_not_patched_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = reply(200, b"a,b\r\n" + b"1,2\r\n" * 500_000)[:-2000]
    answers = [reply(200, {"status": "done"}), (first, 0.0), reply(200, {"status": "done"})]
    with Wire(talkdesk(*answers, reply(200, b"a,b\r\n" + b"3,4\r\n" * 500_000))) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        hook = TalkdeskHook("wire")
        with pytest.raises(ex.ContactCenterIncompleteError, match="changed between two requests"):
            read(hook, new_job(report(), "1"))
        hook.close()


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        (reply(200, b"a\r\n1\r\n", framing="chunked", Transfer_Encoding="identity"), 1),
        (reply(200, b"a\r\n1\r\n", framing="none", version="HTTP/1.0"), 1),
        (reply(200, gzip.compress(b"a\r\n1\r\n", mtime=0), Content_Encoding="gzip"), 1),
        (reply(203, b"a\r\n1"), 1),
        (reply(200, b""), 0),
    ],
)  # fmt: skip
def test_a_file_that_comes_at_once_is_taken_however_it_is_framed(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, rows: int
) -> None:
    if b"identity" in answer:
        answer = answer.replace(b"Transfer-Encoding: identity\r\n", b"").replace(b": chunked", b": Chunked")
    with Wire(talkdesk(reply(200, {"status": "done"}), answer)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        hook = TalkdeskHook("wire")
        _, stream = read(hook, new_job(report(), "1"))
        hook.close()
    assert stream.rows == rows
    assert stream.complete is (None if b"HTTP/1.0" in answer or not rows else True)


def test_eighty_megabytes_pass_through_bounded_memory(start: Start) -> None:
    sandbox, hook = start(bytes=80_000_000)
    job = hook.submit(report(file_format="csv"))
    digest, most = hashlib.sha256(), 0
    gc.collect()
    tracemalloc.start()
    for piece in hook.stream(job):
        digest.update(piece)
        most = max(most, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= 1024 * 1024
    assert peak < 32 * 1024 * 1024
    assert digest.hexdigest() == sandbox.served()[-1]["sha256"]


# -- submitting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"fault": "lost_answer"}, ex.ContactCenterSubmitLostError, "may have been submitted all the same"),
        ({"fault": "status", "status": 502}, ex.ContactCenterSubmitLostError, "HTTP 502"),
        ({"fault": "status", "status": 202}, ex.ContactCenterSubmitLostError, "holds no job id"),
        ({"fault": "html"}, ex.ContactCenterSubmitLostError, "holds no job id"),
        ({"fault": "status", "status": 503}, ex.ContactCenterUnavailableError, "HTTP 503"),
        ({"fault": "status", "status": 429, "retry_after": 90}, ex.ContactCenterQuotaError, "HTTP 429"),
        ({"fault": "status", "status": 403}, ex.ContactCenterPermissionError, "HTTP 403"),
        ({"fault": "status", "status": 400}, ex.ContactCenterInvalidReportError, "HTTP 400"),
    ],
)  # fmt: skip
def test_an_order_that_fails_is_a_typed_error_and_was_sent_once(
    start: Start, fault: dict[str, Any], error: Any, words: str
) -> None:
    sandbox, hook = start()
    sandbox.add_fault(vendor="talkdesk", operation="create", **fault)
    with pytest.raises(error, match=words) as raised:
        hook.submit(report())
    complaint(raised.value, None)
    assert len(sandbox.journal(operation="create")) == 1
    if fault.get("retry_after"):
        assert raised.value.retry_after == 90


def test_a_lost_token_request_is_no_lost_order(start: Start) -> None:
    sandbox, hook = start()
    sandbox.add_fault(vendor="talkdesk", operation="token", fault="reset", count=None)
    with pytest.raises(ex.ContactCenterUnavailableError, match="did not answer"):
        hook.submit(report())
    assert sandbox.journal(operation="create") == []


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "calls",
        {**report(), "params": {}},
        report(start="{{ ds }}"),
        report(start="2999-01-01T00:00Z", end="2999-01-02T00:00Z"),
    ],
)
def test_a_report_that_cannot_be_used_is_refused_before_anything_is_sent(start: Start, bad: Any) -> None:
    sandbox, hook = start()
    with pytest.raises(ex.ContactCenterInvalidReportError):
        hook.submit(bad)
    assert sandbox.journal() == []


@pytest.mark.parametrize("bad", [None, "job-1", {}, {"job_id": "1"}])
def test_what_is_no_job_is_refused_before_anything_is_sent(start: Start, bad: Any) -> None:
    sandbox, hook = start()
    for use in (hook.get_status, hook.stream):
        with pytest.raises(ex.ContactCenterInvalidReportError, match=r"^job="):
            use(bad)
    assert sandbox.journal() == []


def test_a_job_that_is_gone_says_so_in_the_vendors_words(start: Start) -> None:
    _, hook = start()
    job = new_job(report(), "gone")
    with pytest.raises(ex.ContactCenterNotFoundError, match="The report job was not found") as raised:
        hook.get_status(job)
    complaint(raised.value, job)


# -- connection --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"password": "sentinel-wrong-1"}, DENIED, "Client authentication failed"),
        ({"password": ""}, DENIED, "connection's password (Client secret in the form) is empty"),
        ({"extra": {}, "host": ""}, DENIED, "the connection's account is empty"),
        ({"extra": {"account": "a", "region": "apac"}}, ex.ContactCenterInvalidReportError, "region 'apac'"),
        ({"host": "api:port"}, ex.ContactCenterInvalidReportError, "not an http or https URL"),
        ({"extra": {"account": "a", "verify": "/nowhere"}}, ex.ContactCenterInvalidReportError, "/nowhere"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used_is_one_typed_sentence(
    start: Start, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], error: Any, words: str
) -> None:
    sandbox, _ = start()
    own = json.loads(sandbox.environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps({**own, **changes}))
    with pytest.raises(error, match=re.escape(words)) as raised:
        TalkdeskHook("wire").submit(report())
    complaint(raised.value, None)
    working, said = TalkdeskHook("wire").test_connection()
    assert not working and (words in said)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (
            khoros_care_report("c", **WINDOW, conn_id="wire"),
            "vendor='khoros_care' is not allowed: TalkdeskHook",
        ),
        (report(conn_id="north"), "conn_id='north' is not allowed: this hook is on connection 'wire'"),
    ],
)
def test_what_belongs_to_another_hook_is_refused_before_anything_is_sent(
    start: Start, other: Any, sentence: str
) -> None:
    sandbox, hook = start()
    job = new_job(other, "369f88a5")
    for use in (lambda: hook.submit(other), lambda: hook.get_status(job), lambda: hook.stream(job)):
        with pytest.raises(ex.ContactCenterInvalidReportError, match=f"^{sentence}"):
            use()
    assert sandbox.journal() == []


def test_a_connection_that_is_not_there_is_told_and_not_raised() -> None:
    working, said = TalkdeskHook("nowhere").test_connection()
    assert not working and "nowhere" in said


def test_a_connection_that_works_says_so(start: Start) -> None:
    _, hook = start()
    assert hook.test_connection()[0] is True


def test_a_missing_scope_is_named(start: Start) -> None:
    _, hook = start(granted_scopes=["data-reports:read"])
    working, said = hook.test_connection()
    assert not working and "lacks the scope data-reports:write" in said


def test_a_vendor_that_this_release_does_not_know_is_named() -> None:
    with pytest.raises(ex.ContactCenterInvalidReportError, match="vendor='genesys' is not known"):
        hook_for({**report(), "vendor": "genesys"})


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_nothing_stays_open(start: Start) -> None:
    _, hook = start(rows=2000)
    stream = hook.stream(hook.submit(report()))
    next(stream)
    stream.close()
    hook.close()
    del stream
    gc.collect()
