"""Khoros Care over real HTTP, against the sandbox: the whole life of an export, and where credentials go."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks.khoros_care import KhorosCareHook
from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.reports import khoros_care_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger
from tests.sandboxes import connected
from tests.transport.test_secrets import everything_about
from tests.wire import Asked, Wire, in_turn, reply

PASSWORD, KEY = "sandbox:password", "sandbox-company-key"
SECRETS = (PASSWORD, KEY, base64.b64encode(f"sandbox@example.com:{PASSWORD}".encode()).decode())


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Exports are done as soon as they are submitted."""
    with connected(monkeypatch, rows=40, options={"khoros_care": {"ladder": []}}) as sandbox:
        yield sandbox


def conversations(**values: Any) -> Any:
    window = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    return khoros_care_report("conversation", **{**window, **values})


def land(hook: KhorosCareHook, **values: Any) -> tuple[Job, bytes, Any]:
    job = hook.submit(conversations(**values))
    stream = hook.stream(job)
    return job, b"".join(stream), stream


def query(entry: dict[str, Any]) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(entry["target"]).query, keep_blank_values=True)


def access_tokens(sandbox: Sandbox) -> set[str]:
    return {
        value for entry in sandbox.journal() for name, value in query(entry) if name == "analyticsAccessToken"
    }


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_file_comes_as_sent(sandbox: Sandbox, file_format: str) -> None:
    _, body, stream = land(KhorosCareHook(), file_format=file_format)
    [served] = sandbox.served()
    assert hashlib.sha256(body).hexdigest() == served["sha256"]
    assert (stream.rows, stream.complete) == (served["rows"], True) == (40, True)


def test_json_lines_are_the_arrays_elements(sandbox: Sandbox) -> None:
    hook = KhorosCareHook()
    _, lines, stream = land(hook, file_format="jsonl")
    _, document, _ = land(hook, file_format="json")
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(document)
    assert (stream.rows, stream.complete) == (40, True)


VARIANTS: list[dict[str, Any]] = [
    {"status_result": "object"},
    {"status_result": "list"},
    {"status_urls": "company_key", "submit_urls": "token"},
    {"download_url": "empty"},
    {"download_url": "late"},
    {"download": "direct"},
    {"download_status": 307, "hops": 2, "location": "relative"},
    {"counts": "numbers", "empty_detail": None},
    {"csv_bom": True, "csv_line_end": "\n", "content_type": "octet-stream"},
    {"hollow_polls": 2, "hollow": "null"},
    {"run_id": "every_character", "exact_encoding": True},
    {"basic": "unless_token"},
    {"urls_host": "vendor"},
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: ",".join(options))
def test_every_variant_of_the_documents_lands(sandbox: Sandbox, options: dict[str, Any]) -> None:
    sandbox.set_options("khoros_care", **options)
    _, body, stream = land(KhorosCareHook())
    assert hashlib.sha256(body).hexdigest() == sandbox.served()[-1]["sha256"]
    assert stream.rows == 40


@pytest.mark.parametrize("path", ["report", "report/report", "report/marketing", "marketing"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_paths_and_methods(sandbox: Sandbox, path: str, method: str) -> None:
    sandbox.set_options("khoros_care", methods=method, paths=[path])
    _, _, stream = land(KhorosCareHook(), path=path, method=method)
    assert stream.rows == 40
    [submitted] = sandbox.journal(operation="submit")
    assert submitted["method"] == method
    assert urlsplit(submitted["target"]).path.endswith(f"/api/public/reports/{path}/conversation")


def test_the_query_holds_milliseconds_repeated_keys_and_the_company_key_once(sandbox: Sandbox) -> None:
    land(KhorosCareHook(), metrics=["STATUS", "CONVERSATION_ID"], filters={"queue": ["a b", "ü&=+"]})
    [submitted] = sandbox.journal(operation="submit")
    assert query(submitted) == [
        ("reportFormat", "csv"),
        ("locale", "en_US"),
        ("startTime", "1714521600000"),
        ("endTime", "1714608000000"),
        ("reportMetrics", "STATUS"),
        ("reportMetrics", "CONVERSATION_ID"),
        ("queue", "a b"),
        ("queue", "ü&=+"),
        ("companyKey", KEY),
    ]
    for entry in sandbox.journal(origin="api", vendor="khoros_care"):
        names = [name for name, _ in query(entry)]
        assert names.count("companyKey") + names.count("analyticsAccessToken") == 1


def test_a_run_id_of_every_base64_character_stands_unharmed_in_each_raw_request_line(
    sandbox: Sandbox,
) -> None:
    sandbox.set_options("khoros_care", run_id="every_character", exact_encoding=True)
    hook = KhorosCareHook()
    job, _, _ = land(hook)
    workflow_id, run_id = job["job_id"].split("/", 1)
    assert {"+", "/", "="} < set(run_id)
    encoded = run_id.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    for operation, resource in (("status", "status"), ("download", "download")):
        entries = sandbox.journal(operation=operation)
        assert entries
        for entry in entries:
            assert entry["target"].split("?")[0].endswith(f"/report/{workflow_id}/{encoded}/{resource}")

    async def poll() -> Any:
        async with hook.polling() as look:
            return await look(job)

    before = len(sandbox.journal(operation="status"))
    assert asyncio.run(poll())["state"] == "ready"
    [polled] = sandbox.journal(operation="status")[before:]
    assert polled["target"].split("?")[0].endswith(f"/report/{workflow_id}/{encoded}/status")


@pytest.mark.parametrize("host", ["storage", "vendor"])
def test_urls_that_name_another_host_are_never_called(sandbox: Sandbox, host: str) -> None:
    sandbox.set_options("khoros_care", urls_host=host, download="direct")
    _, _, stream = land(KhorosCareHook())
    assert stream.rows == 40
    assert sandbox.journal(origin="storage") == []


def test_the_storage_behind_the_redirect_gets_no_credential(sandbox: Sandbox) -> None:
    land(KhorosCareHook())
    [fetched] = sandbox.journal(origin="storage")
    names = {name.lower() for name, _ in fetched["headers"]}
    assert not names & {"authorization", "cookie"}
    shown = json.dumps(fetched)
    assert not any(secret in shown for secret in SECRETS)
    assert "companyKey" not in shown and "analyticsAccessToken" not in shown


@pytest.mark.parametrize("location", ["relative", "absolute"])
@pytest.mark.parametrize("hops", [0, 1, 2, 4])
@pytest.mark.parametrize("status_urls", ["token", "company_key"])
def test_however_many_redirects_lead_to_the_storage_only_the_own_host_gets_credentials(
    sandbox: Sandbox, location: str, hops: int, status_urls: str
) -> None:
    sandbox.set_options("khoros_care", hops=hops, location=location, status_urls=status_urls)
    _, _, stream = land(KhorosCareHook())
    assert stream.rows == 40
    asked = sandbox.journal(operation="download")
    assert len(asked) == hops + 1
    for entry in asked:
        names = [name for name, _ in query(entry) if name != "hop"]
        assert names == ["analyticsAccessToken" if status_urls == "token" else "companyKey"]
        assert "Authorization" in dict(entry["headers"])
    [fetched] = sandbox.journal(origin="storage")
    shown = json.dumps(fetched)
    assert not any(secret in shown for secret in (*SECRETS, *access_tokens(sandbox)))
    assert "authorization" not in shown.lower()


def test_an_access_token_that_died_is_no_end(sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", access_token_seconds=0)
    _, _, stream = land(KhorosCareHook())
    assert stream.rows == 40
    assert [entry["status"] for entry in sandbox.journal(operation="download")] == [403, 403, 302]
    for entry in sandbox.journal(operation="download"):
        names = [name for name, _ in query(entry)]
        assert len(names) == 1


@pytest.mark.parametrize(("expired_as", "error_http"), [(403, "code"), (404, "code"), (403, "200")])
def test_a_token_that_died_before_its_download_is_replaced_by_a_newer_one(
    sandbox: Sandbox, expired_as: int, error_http: str
) -> None:
    sandbox.set_options("khoros_care", expired_as=expired_as, error_http=error_http)
    sandbox.add_fault(vendor="khoros_care", operation="download", fault="revoke_token")
    _, _, stream = land(KhorosCareHook())
    assert stream.rows == 40
    asked = [query(entry) for entry in sandbox.journal(operation="download")]
    assert [[name for name, _ in each] for each in asked] == [["analyticsAccessToken"]] * 2
    assert asked[0] != asked[1]


def test_a_storage_link_that_died_is_asked_for_again(sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor="khoros_care", operation="storage", fault="expired_link")
    _, _, stream = land(KhorosCareHook())
    assert stream.rows == 40


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"end": "CLOSED/FAILED", "reason": "too much"}, "failed"),
        ({"end": "CLOSED/FAILED", "status_result": "object"}, "failed"),
        ({"end": "CLOSED/TIMED_OUT"}, "failed"),
        ({"end": "CLOSED"}, "failed"),
        ({"ladder": [["RUNNING", 60, 99]]}, "running"),
        ({"end": "SUSPENDED"}, "running"),
    ],
)
def test_states(sandbox: Sandbox, options: dict[str, Any], state: str) -> None:
    sandbox.set_options("khoros_care", **options)
    hook = KhorosCareHook()
    found = hook.get_status(hook.submit(conversations()))
    assert found["state"] == state
    assert found["reason"] == options.get("reason")


def test_a_failed_export_has_no_file_and_says_why(sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", end="CLOSED/FAILED", reason="too much")
    with pytest.raises(exceptions.ContactCenterReportFailedError, match=r"CLOSED FAILED \(too much\)"):
        land(KhorosCareHook())


@pytest.mark.parametrize(
    ("error_http", "error"),
    [
        ("code", exceptions.ContactCenterNotFoundError),
        ("200", exceptions.ContactCenterInvalidReportError),
    ],
)
def test_an_envelope_that_is_not_pass_is_a_failure_at_any_http_status(
    sandbox: Sandbox, error_http: str, error: type[Exception]
) -> None:
    sandbox.set_options("khoros_care", exports=["author"], error_http=error_http)
    with pytest.raises(error):
        KhorosCareHook().submit(conversations())
    assert len(sandbox.journal(operation="submit")) == 1


@pytest.mark.parametrize(("served", "file_format"), [("json", "csv"), ("csv", "json"), ("csv", "jsonl")])
def test_another_format_than_asked_for_never_lands(sandbox: Sandbox, served: str, file_format: str) -> None:
    sandbox.set_options("khoros_care", served_format=served)
    with pytest.raises(exceptions.ContactCenterIncompleteError):
        land(KhorosCareHook(), file_format=file_format)


@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
@pytest.mark.parametrize("operation", ["download", "storage"])
def test_a_web_page_in_place_of_the_file_never_lands(
    sandbox: Sandbox, operation: str, file_format: str
) -> None:
    sandbox.add_fault(vendor="khoros_care", operation=operation, fault="html", count=None)
    with pytest.raises(exceptions.ContactCenterError):
        land(KhorosCareHook(), file_format=file_format)


def test_a_report_without_rows(sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", rows=0)
    for file_format in ("csv", "json", "jsonl"):
        _, _, stream = land(KhorosCareHook(), file_format=file_format)
        assert (stream.rows, stream.complete) == (0, True)


def hook_on(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, **fields: Any) -> KhorosCareHook:
    connection = {**sandbox.connections["khoros_care_default"], **fields}
    monkeypatch.setenv("AIRFLOW_CONN_KHOROS_CARE_DEFAULT", json.dumps(connection))
    return KhorosCareHook()


def test_the_connections_test(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KhorosCareHook().test_connection()[0] is True
    ok, said = hook_on(monkeypatch, sandbox, password="wrong-password").test_connection()
    assert not ok and "wrong-password" not in said
    ok, said = hook_on(monkeypatch, sandbox, extra={"company_api_key": "wrong-key"}).test_connection()
    assert not ok and "wrong-key" not in said


FAILURES: dict[str, dict[str, Any]] = {
    "success": {},
    "failed": {"end": "CLOSED/FAILED"},
    "refused": {"exports": ["author"]},
    "refused under 200": {"exports": ["author"], "error_http": "200"},
    "refused with a page": {"exports": ["author"], "error_shape": "html"},
    "wrong format": {"served_format": "json"},
}


@pytest.mark.parametrize("case", FAILURES)
def test_no_secret_is_ever_shown(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.set_options("khoros_care", **FAILURES[case])
    shown = []
    try:
        job, _, _ = land(KhorosCareHook())
        shown.append(json.dumps(job))
        shown.append(json.dumps(KhorosCareHook().get_status(job)))
        assert case == "success"
    except exceptions.ContactCenterError as error:
        assert case != "success"
        shown.append(repr(error))
    shown += [record.getMessage() for record in caplog.records]
    shown.append(capsys.readouterr().out)
    assert any("/khoros/api/public/reports/" in text for text in shown)  # the requests' own DEBUG lines
    tokens = access_tokens(sandbox)
    assert tokens or "refused" in case or case == "failed"
    for secret in (*SECRETS, *tokens):
        assert not any(secret in text for text in shown), secret


@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
@pytest.mark.parametrize("operation", ["submit", "status", "download"])
def test_a_vendor_that_quotes_the_requests_secrets_is_quoted_without_them(
    monkeypatch: pytest.MonkeyPatch, operation: str, status: int
) -> None:
    """Company key, Basic header and access token, raw and encoded, without the URL around them."""
    access_token = "oMqg+/7BikRH3ISPxlqIw=="

    def answered(asked: Asked) -> bytes:
        path, _, given = asked.target.partition("?")
        keys = ("analyticsAccessToken=", "companyKey=")
        values = [unquote(part.partition("=")[2]) for part in given.split("&") if part.startswith(keys)]
        if path.endswith(f"/{operation}") or (operation == "submit" and "/conversation" in path):
            words = " ".join(
                ["no:", *values, *(quote(value, safe="") for value in values), asked.headers["authorization"]]
            )
            return reply(status, {"status": "FAIL", "message": words})
        info = {"workflowId": "wf", "runId": "run", "statusUrl": ""}
        url = f"http://other.example{path.replace('/status', '/download')}?analyticsAccessToken="
        info["downloadUrl"] = url + quote(access_token, safe="")
        runner = {"runnerState": "CLOSED", "detail": "COMPLETED"}
        result = {"jobInfo": info, "result": runner} if path.endswith("/status") else info
        return reply(200, {"status": "PASS", "result": result})

    with Wire(answered) as server:
        values = {
            "conn_type": "khoros_care",
            "host": server.origin,
            "login": "jane",
            "password": "pass/word+",
        }
        extra = {"company_api_key": "company+key/1="}
        monkeypatch.setenv("AIRFLOW_CONN_KHOROS_CARE_DEFAULT", json.dumps({**values, "extra": extra}))
        with pytest.raises(exceptions.ContactCenterError) as caught:
            land(KhorosCareHook())
    said = everything_about(caught.value)
    assert "no:" in said
    for secret in ("pass/word+", "company+key/1=", access_token, "amFuZTpwYXNzL3dvcmQr"):
        assert secret not in said
        assert quote(secret, safe="") not in said


async def test_no_driver_ever_speaks_to_the_host_that_the_returned_urls_name(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(in_turn(b"")) as foreign:
        sandbox.set_options("khoros_care", urls_host=foreign.origin, ladder=[["RUNNING", 0, 3]])
        hook = KhorosCareHook()
        job = await asyncio.to_thread(hook.submit, conversations())
        trigger = ContactCenterReportTrigger(job, poll_interval=0.05, max_poll_interval=0.1)
        [fired] = [event.payload async for event in trigger.run()]
        assert fired["status"] == "ready"
        stream = await asyncio.to_thread(lambda: b"".join(hook.stream(job)))
        assert stream
        shown = json.dumps([fired, trigger.serialize(), job])
        assert foreign.connections == 0
        assert foreign.origin not in shown
    polls = sandbox.journal(operation="status")
    assert len(polls) >= 4
    agents = {dict(entry["headers"])["User-Agent"] for entry in polls}
    assert len(agents) == 2, "both drivers have polled"
    assert not any(secret in shown for secret in (*SECRETS, *access_tokens(sandbox)))


@pytest.mark.parametrize("case", ["failed", "refused", "refused under 200", "forbidden", "gone", "blip"])
async def test_a_triggers_event_and_log_hold_no_secret(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    caplog.set_level(logging.DEBUG)
    hook = KhorosCareHook()
    job = await asyncio.to_thread(hook.submit, conversations())
    echo = json.dumps({"status": "FAIL", "message": f"no: companyKey={KEY} {PASSWORD} {SECRETS[2]}"})
    codes = {"refused": 400, "refused under 200": 200, "forbidden": 403, "gone": 404, "blip": 503}
    if case == "failed":
        sandbox.hold(job["job_id"].partition("/")[0], "CLOSED/FAILED")
    else:
        fault = {"fault": "status", "status": codes[case], "body": echo}
        sandbox.add_fault(vendor="khoros_care", operation="status", **fault)
    trigger = ContactCenterReportTrigger(job, poll_interval=0.05, max_poll_interval=0.1)
    [fired] = [event.payload async for event in trigger.run()]
    ends = {"failed": "failed", "refused under 200": "failed", "blip": "ready"}
    assert fired["status"] == ends.get(case, "refused")
    shown = [json.dumps([fired, trigger.serialize()]), capsys.readouterr().out]
    shown += [record.getMessage() for record in caplog.records]
    assert case == "failed" or any("no: companyKey=***" in text for text in shown)
    for secret in SECRETS:
        assert not any(secret in text for text in shown), secret


def test_a_vendor_that_repeats_its_secrets_has_them_masked(sandbox: Sandbox) -> None:
    echo = {
        "status": "FAIL",
        "message": f"refused /x?analyticsAccessToken=abc%3D&companyKey={KEY} {PASSWORD}",
    }
    sandbox.add_fault(
        vendor="khoros_care", operation="status", fault="status", status=200, body=json.dumps(echo)
    )
    hook = KhorosCareHook()
    found = hook.get_status(hook.submit(conversations()))
    assert found["state"] == "failed"
    assert found["reason"] == "refused /x?analyticsAccessToken=***&companyKey=*** ***"
