"""V-Spark over real HTTP, against the sandbox: opaque JSON as it is, and other text never lands."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks import connection
from airflow_provider_contactcenter.hooks.vspark import VSparkHook
from airflow_provider_contactcenter.reports import vspark_stats
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.sandboxes import connected
from tests.wire import Wire, in_turn, reply

TOKEN = "c0ffee00c0ffee00c0ffee00c0ffee00"
ROOT = "0facade00facade00facade00facade0"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with connected(monkeypatch) as sandbox:
        yield sandbox


def stats(**values: Any) -> Any:
    return vspark_stats(
        **{
            "company": "DocTestCo",
            "organization": "DocTestCo-DocTesting",
            "folder": "Test01",
            "start": "2024-05-01T00:00:00Z",  # a Wednesday
            "end": "2024-05-04T00:00:00Z",
            **values,
        }
    )


def land(**values: Any) -> tuple[bytes, Any]:
    hook = VSparkHook()
    job = hook.submit(stats(**values))
    assert job["job_id"] is None
    assert hook.get_status(job)["state"] == "ready"
    stream = hook.stream(job)
    return b"".join(stream), stream


@pytest.mark.parametrize("body", ["array", "object"])
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
def test_the_answer_lands_byte_for_byte(sandbox: Sandbox, body: str, content_type: str) -> None:
    sandbox.set_options("vspark", body=body, content_type=content_type)
    landed, stream = land()
    [served] = sandbox.served()
    assert hashlib.sha256(landed).hexdigest() == served["sha256"]
    assert stream.complete is True
    assert stream.rows == (3 if body == "array" else None)


def test_json_lines_have_a_line_for_each_element_or_member(sandbox: Sandbox) -> None:
    lines, stream = land(file_format="jsonl", folder=None)
    document, _ = land(folder=None)
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(document)
    assert stream.rows == len(json.loads(document)) == 9  # three days, three folders
    sandbox.set_options("vspark", body="object")
    lines, stream = land(file_format="jsonl", folder=None)
    document, _ = land(folder=None)
    made = [json.loads(line) for line in lines.splitlines()]
    assert {line["key"]: line["value"] for line in made} == json.loads(document)
    assert stream.rows == 3


def test_one_request_with_both_ends_and_the_token_in_the_query(sandbox: Sandbox) -> None:
    land(folder="Prüfung – 日本")
    [asked] = sandbox.journal(vendor="vspark")
    parts = urlsplit(asked["target"])
    assert parts.path.endswith(
        "/stats/DocTestCo/DocTestCo-DocTesting/Pr%C3%BCfung%20%E2%80%93%20%E6%97%A5%E6%9C%AC"
    )
    assert parse_qsl(parts.query) == [("daterange", "20240501-20240503"), ("token", TOKEN)]


@pytest.mark.parametrize("folder", ["Q&A? #1", "100%", "a+b=c;d", "José\u2028", "x y"])
def test_a_folders_name_is_found_in_the_list_and_arrives_as_it_is(sandbox: Sandbox, folder: str) -> None:
    sandbox.set_options("vspark", companies={"DocTestCo": {"DocTestCo-DocTesting": ["Test01", folder]}})
    assert folder in VSparkHook().list_folders("DocTestCo", "DocTestCo-DocTesting")
    landed, _ = land(folder=folder)
    assert {row["folder"] for row in json.loads(landed)} == {folder}


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_redirect_takes_the_token_to_another_host(sandbox: Sandbox, status: int) -> None:
    with Wire(in_turn(reply(200, b"[]"))) as foreign:
        for operation in ("stats", "list"):
            fault = {"fault": "redirect", "to": f"{foreign.origin}/stats", "status": status}
            sandbox.add_fault(vendor="vspark", operation=operation, count=None, **fault)
        with pytest.raises(exceptions.ContactCenterInvalidReportError, match=f"HTTP {status}"):
            land()
        with pytest.raises(exceptions.ContactCenterInvalidReportError):
            VSparkHook().list_folders("DocTestCo", "DocTestCo-DocTesting")
        assert VSparkHook().test_connection()[0] is False
        assert foreign.connections == 0


def test_a_range_in_no_proxy_keeps_the_token_from_the_proxy(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V-Spark's stands in the query, where a proxy would log it."""
    with Wire(in_turn(reply(502))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        works, said = VSparkHook().test_connection()
        landed, _ = land()
    assert works, said
    assert landed
    assert proxy.connections == 0


@pytest.mark.parametrize("manual", ["seed", "newer"])
def test_a_day_is_a_day_under_both_manuals(sandbox: Sandbox, manual: str) -> None:
    sandbox.set_options("vspark", manual=manual)
    landed, stream = land(end="2024-05-02T00:00:00Z")
    assert [row["date"] for row in json.loads(landed)] == ["20240501"]
    assert stream.rows == 1


@pytest.mark.parametrize("empty_as", ["[]", "{}", "nothing"])
@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_days_without_calls_are_no_rows(sandbox: Sandbox, empty_as: str, file_format: str) -> None:
    sandbox.set_options("vspark", empty_as=empty_as)
    landed, stream = land(start="2024-05-05T00:00:00Z", end="2024-05-06T00:00:00Z", file_format=file_format)
    assert stream.rows == 0
    assert landed == (b"" if file_format == "jsonl" or empty_as == "nothing" else empty_as.encode())
    # An empty body may mean anything; the others close.
    assert stream.complete is (None if empty_as == "nothing" else True)
    assert bool(stream.caveats) == (empty_as == "nothing")


@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_no_content_is_the_empty_body_by_another_name(sandbox: Sandbox, file_format: str) -> None:
    sandbox.add_fault(vendor="vspark", operation="stats", fault="status", status=204)
    landed, stream = land(file_format=file_format)
    assert (landed, stream.rows, stream.complete) == (b"", 0, None)
    assert "no calls in the whole window" in stream.caveats[0]


@pytest.mark.parametrize("error_http", ["code", "200"])
@pytest.mark.parametrize("error_shape", ["text", "page"])
def test_a_bad_token_fails_with_the_vendors_words(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error_http: str, error_shape: str
) -> None:
    sandbox.set_options("vspark", error_http=error_http, error_shape=error_shape)
    connect(monkeypatch, sandbox, "0123456789abcdef0123456789abcdef")
    text = error_shape == "text" or error_http == "code"
    expected = (
        exceptions.ContactCenterAuthenticationError if text else exceptions.ContactCenterUnavailableError
    )
    with pytest.raises(expected, match="token"):
        land()


def test_another_companys_token_and_unknown_names(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, sandbox, ROOT)
    for values in ({"company": "NoCo"}, {"organization": "NoOrg"}, {"folder": "Nowhere"}):
        with pytest.raises(exceptions.ContactCenterNotFoundError, match="not found"):
            land(**values)
    connect(monkeypatch, sandbox, TOKEN)
    with pytest.raises(exceptions.ContactCenterAuthenticationError):
        land(company="OtherCo", organization="OtherCo-Main")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html", exceptions.ContactCenterUnavailableError),
        ("unreadable", exceptions.ContactCenterIncompleteError),
        ("redirect", exceptions.ContactCenterInvalidReportError),
        ("cut", exceptions.ContactCenterIncompleteError),
    ],
)
@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_what_is_not_the_whole_answer_never_lands(
    sandbox: Sandbox, fault: str, error: type[Exception], file_format: str
) -> None:
    more = {"redirect": {"to": "self"}, "cut": {"framing": "none"}}.get(fault, {})
    sandbox.add_fault(vendor="vspark", operation="stats", fault=fault, count=None, **more)
    with pytest.raises(error):
        land(file_format=file_format)


def test_a_blip_is_no_end(sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor="vspark", operation="stats", fault="status", status=503)
    _, stream = land()
    assert stream.rows == 3


@pytest.mark.parametrize("list_content_type", ["application/json", "text/html"])
def test_folders(sandbox: Sandbox, list_content_type: str) -> None:
    sandbox.set_options("vspark", list_content_type=list_content_type)
    hook = VSparkHook()
    assert set(hook.list_folders("DocTestCo", "DocTestCo-DocTesting")) == {
        "Test01",
        "Agent Scorecard",
        "Prüfung – 日本",
    }
    assert hook.list_folders("DocTestCo", "DocTestCo-Empty") == []
    with pytest.raises(exceptions.ContactCenterNotFoundError):
        hook.list_folders("DocTestCo", "Nowhere")
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match="organization='a/b'"):
        hook.list_folders("DocTestCo", "a/b")


@pytest.mark.parametrize("bad_token", [400, 401, 403])
def test_the_connections_test_tells_a_bad_token_from_a_good_one_without_the_company_sought(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, bad_token: int
) -> None:
    sandbox.set_options("vspark", bad_token=bad_token)
    host = sandbox.connections["vspark_default"]["host"]
    assert VSparkHook().test_connection() == (
        True,
        f"V-Spark at {host} takes the token, which may read DocTestCo",
    )
    connect(monkeypatch, sandbox, "0123456789abcdef0123456789abcdef")
    ok, said = VSparkHook().test_connection()
    assert not ok and "token" in said and "0123456789abcdef" not in said


@pytest.mark.parametrize("case", ["success", "unknown folder", "page under 200", "blip"])
def test_the_token_is_never_shown(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = "Nowhere" if case == "unknown folder" else "Test01"
    if case == "page under 200":
        body = f"<html>You asked for /stats?token={TOKEN} and {TOKEN}"
        sandbox.add_fault(
            vendor="vspark", operation="stats", fault="status", status=200, body=body, count=None
        )
    if case == "blip":
        sandbox.add_fault(vendor="vspark", operation="stats", fault="reset")
    shown = []
    try:
        _, stream = land(folder=folder)
        assert stream.rows == 3
    except exceptions.ContactCenterError as error:
        assert case in ("unknown folder", "page under 200")
        shown.append(repr(error))
    shown += [record.getMessage() for record in caplog.records]
    shown.append(capsys.readouterr().out)
    assert any("GET /vspark/stats/" in text for text in shown)  # the request's own DEBUG line is among them
    assert not any(TOKEN in text for text in shown)


def test_an_unencrypted_connection_to_another_machine_is_warned_of_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "_unencrypted", set())
    hosts = ["vspark.example.com:3000", "vspark.example.com:3000", "https://vspark.example.com", None]
    for host in hosts:
        connect(monkeypatch, sandbox, TOKEN, host)
        assert VSparkHook().settings.password == TOKEN
    warned = [line for line in capsys.readouterr().out.splitlines() if "unencrypted" in line]
    assert len(warned) == 1 and "http://vspark.example.com:3000" in warned[0]


def connect(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, token: str, host: str | None = None) -> None:
    fields = {**sandbox.connections["vspark_default"], "password": token}
    fields["host"] = host or fields["host"]
    monkeypatch.setenv("AIRFLOW_CONN_VSPARK_DEFAULT", json.dumps(fields))
