"""Any other endpoint: ``hook.run`` and ``hook.get_conn`` carry the credentials home, and nowhere else."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks import hook_class
from airflow_provider_contactcenter.hooks.base import ContactCenterHook
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from tests.wire import Asked, Wire, Written, reply

#: vendor -> an endpoint that no operation of a report asks for in this way, and the status it has
ENDPOINTS = {
    "vspark": ("/list", 200),
    "khoros_care": ("/api/public/reports/report/00000000-0000-0000-0000-000000000000/0/status", 404),
    "talkdesk": ("data/reports/calls/jobs", 200),
    "eight_by_eight_cc": ("/report-types", 200),
    "eight_by_eight_work": ("/v2/rgsum-groups", 400),
    "genesys_cloud": ("/api/v2/analytics/users/details/jobs/availability", 200),
}
RENEWED = [name for name in ENDPOINTS if name not in {"vspark", "khoros_care"}]
SECRET, TOKEN = "sentinel-secret", "sentinel-token"
BASIC = base64.b64encode(f"me:{SECRET}".encode()).decode()
#: vendor -> what a request for home has in its first line or a header
CREDENTIALS = {
    "vspark": [f"token={SECRET}"],
    "khoros_care": ["companyKey=sentinel-key", f"Basic {BASIC}"],
    "talkdesk": [f"Bearer {TOKEN}"],
    "eight_by_eight_cc": [f"Bearer {TOKEN}", "sentinel-tenant"],
    "eight_by_eight_work": [f"Bearer {TOKEN}", "sentinel-key"],
    "genesys_cloud": [f"Bearer {TOKEN}"],
}
EXTRA = {
    "khoros_care": {"company_api_key": "sentinel-key"},
    "talkdesk": {"account": "acme"},
    "eight_by_eight_cc": {"tenant_id": "sentinel-tenant"},
    "eight_by_eight_work": {"api_key": "sentinel-key"},
}
every_vendor = pytest.mark.parametrize("vendor", ENDPOINTS)


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    server.reset()
    yield server


Connect = Callable[..., ContactCenterHook]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    def connect(vendor: str, host: str, **extra: Any) -> ContactCenterHook:
        connection = {
            "conn_type": vendor,
            "host": host,
            "login": "me",
            "password": SECRET,
            "extra": {"auth_url": f"{host}/token", **EXTRA.get(vendor, {}), **extra},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{vendor.upper()}_DEFAULT", json.dumps(connection))
        return hook_class(vendor)(method="GET")

    return connect


def home(answer: Callable[[Asked], Written]) -> Wire:
    """A vendor that grants a token, and gives ``answer`` to all else."""
    granted = reply(body={"access_token": TOKEN, "expires_in": 1799})
    return Wire(lambda asked: granted if asked.target == "/token" else answer(asked))


def received(asked: Asked) -> str:
    return "\n".join([asked.line, *(f"{name}: {value}" for name, value in asked.headers.items())])


@every_vendor
def test_the_vendor_takes_the_credentials_of_a_call(sandbox: Sandbox, vendor: str) -> None:
    endpoint, status = ENDPOINTS[vendor]
    hook = hook_class(vendor)(method="GET")
    response = hook.run(endpoint, extra_options={"check_response": False})
    assert response.status_code == status, response.text
    url = hook.url_from_endpoint(endpoint)
    texts = [response.text, hook.get_conn().get(url).text, requests.get(url, timeout=5).text]
    with_them, too, without = (re.sub(r"\d", "", text) for text in texts)  # instants differ
    assert with_them == too != without


@pytest.mark.parametrize("vendor", RENEWED)
def test_a_token_that_is_refused_is_renewed_once(sandbox: Sandbox, vendor: str) -> None:
    endpoint, status = ENDPOINTS[vendor]
    hook = hook_class(vendor)(method="GET")
    hook.run(endpoint, extra_options={"check_response": False})
    sandbox.add_fault(vendor=vendor, fault="revoke_token", count=1)
    again = hook.run(endpoint, extra_options={"check_response": False})
    assert again.status_code == status
    assert len(sandbox.journal(vendor=vendor, operation="token")) == 2
    sandbox.add_fault(vendor=vendor, fault="status", status=401, body="no", skip=0, count=2)
    with pytest.raises(exceptions.ContactCenterAuthenticationError):
        hook.run(endpoint)


@every_vendor
def test_a_call_at_home_is_signed_and_shows_nothing_of_it(connect: Connect, vendor: str) -> None:
    with home(lambda asked: reply(body={"a": 1})) as vendors:
        hook = connect(vendor, vendors.origin)
        below = hook.run("/things", {"page": "2"}, headers={"X-Mine": "yes"})
        absolute = hook.run(f"{vendors.origin}/other?page=3")
        for response, wanted in ((below, "page=2"), (absolute, "page=3")):
            assert response.json() == {"a": 1}
            asked = received(next(asked for asked in vendors.asked if wanted in asked.line))
            assert all(credential in asked for credential in CREDENTIALS[vendor])
            shown = f"{response.url} {response.request.url} {response.request.headers}"
            assert "sentinel" not in shown and BASIC not in shown
        assert below.request.headers["X-Mine"] == "yes"


@every_vendor
@pytest.mark.parametrize("how", ["absolute", "redirect"])
def test_another_origin_gets_no_credentials(connect: Connect, vendor: str, how: str) -> None:
    with Wire(lambda asked: reply(body=b"there")) as other:
        away = f"{other.origin}/away?page=1"
        with home(lambda asked: reply(302, Location=away)) as vendors:
            hook = connect(vendor, vendors.origin)
            response = hook.run(away if how == "absolute" else "/leads/away")
            assert response.text == "there"
            assert hook.get_conn().get(away).text == "there"
        assert len(vendors.asked) == 0 if how == "absolute" else any("leads" in a.line for a in vendors.asked)
    for asked in other.asked:
        assert "sentinel" not in received(asked) and BASIC not in received(asked)
        assert "authorization" not in {name.lower() for name in asked.headers}
        assert asked.target == "/away?page=1"


@every_vendor
def test_a_refusal_is_the_vendors_words_without_a_secret(connect: Connect, vendor: str) -> None:
    with home(lambda asked: reply(404, {"message": f"no such thing: {received(asked)}"})) as vendors:
        hook = connect(vendor, vendors.origin)
        with pytest.raises(exceptions.ContactCenterNotFoundError) as caught:
            hook.run("/things", {"page": "2"})
        said = str(caught.value)
        assert f"GET {hook.settings.base_url}/things: HTTP 404: no such thing" in said
        assert "sentinel-secret" not in said and TOKEN not in said and "sentinel-key" not in said
        assert "clear the task" not in said and "report" not in said.partition("HTTP 404")[2]
        assert hook.run("/things", extra_options={"check_response": False}).status_code == 404


@every_vendor
def test_no_answer_is_requests_own_error_without_a_secret(
    connect: Connect, vendor: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with home(lambda asked: b"") as vendors:
        hook = connect(vendor, vendors.origin)
        with pytest.raises(requests.ConnectionError) as caught:
            hook.run("/things", {"page": "2"})
    error: BaseException | None = caught.value
    while error is not None:
        assert "sentinel" not in f"{error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert "sentinel" not in caplog.text


def test_a_body_that_cannot_be_sent_again_is_sent_once(connect: Connect) -> None:
    with home(lambda asked: reply(401, {"message": "no"})) as vendors:
        hook = connect("talkdesk", vendors.origin)
        hook.method = "POST"
        with pytest.raises(exceptions.ContactCenterAuthenticationError):
            hook.run("/things", data=io.BytesIO(b"ab"))  # type: ignore[arg-type]
        assert vendors.targets == ["POST /token", "POST /things"]
        with pytest.raises(exceptions.ContactCenterAuthenticationError):
            hook.run("/things", json={"a": 1})
        assert vendors.targets[2:] == ["POST /things", "POST /token", "POST /things"]
        assert [asked.body for asked in vendors.asked[2:]][::2] == [b'{"a": 1}'] * 2


def test_no_token_is_the_error_of_any_other_call(connect: Connect) -> None:
    with Wire(lambda asked: reply(401, {"error": "invalid_client"})) as vendors:
        hook = connect("talkdesk", vendors.origin)
        for call in (lambda: hook.run("/things"), lambda: hook.get_conn().get(f"{vendors.origin}/things")):
            with pytest.raises(exceptions.ContactCenterAuthenticationError, match="invalid_client"):
                call()
        assert set(vendors.targets) == {"POST /token"}


def test_a_parameter_of_the_callers_own_stays(connect: Connect) -> None:
    with home(lambda asked: reply(body={})) as vendors:
        connect("vspark", vendors.origin).run("/list", {"token": "mine"})
        assert vendors.targets == ["GET /list?token=mine"]


def test_an_answer_may_be_streamed(connect: Connect) -> None:
    with home(lambda asked: reply(body=b"x" * 1000)) as vendors:
        response = connect("genesys_cloud", vendors.origin).run("/things", extra_options={"stream": True})
        assert sum(map(len, response.iter_content(100))) == 1000


def test_of_a_streamed_answer_the_check_reads_no_more_than_the_status(connect: Connect) -> None:
    more = threading.Event()

    def slowly() -> Iterator[bytes]:
        head, _, body = reply(body=b"x" * 1000).partition(b"\r\n\r\n")
        yield head + b"\r\n\r\n" + body[:10]
        if more.wait(30):
            yield body[10:]

    with home(lambda asked: slowly()) as vendors:
        hook = connect("vspark", vendors.origin)
        response = hook.run("/things", extra_options={"stream": True, "timeout": 2})
        assert response.raw.tell() == 0
        more.set()
        assert len(response.content) == 1000


def test_of_a_streamed_refusal_the_words_are_read(connect: Connect) -> None:
    with home(lambda asked: reply(404, {"message": "no such thing"})) as vendors:
        hook = connect("vspark", vendors.origin)
        with pytest.raises(exceptions.ContactCenterNotFoundError, match="no such thing"):
            hook.run("/things", stream=True)


def test_calls_share_the_tokens_of_the_process(sandbox: Sandbox) -> None:
    hook = hook_class("talkdesk")(method="GET")
    hook.run("data/reports/calls/jobs")
    hook.get_conn().get(hook.url_from_endpoint("data/reports/calls/jobs"))
    hook_class("talkdesk")(method="GET").run("data/reports/calls/jobs")
    assert len(sandbox.journal(operation="token")) == 1
    tokens.forget()
    hook.run("data/reports/calls/jobs")
    assert len(sandbox.journal(operation="token")) == 2
