from __future__ import annotations

import socket
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from airflow_provider_contactcenter.sandbox import Sandbox

from .conftest import Talkdesk


def scripted(sandbox: Sandbox, *faults: dict[str, Any]) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/faults", json=list(faults))


def test_a_fault_takes_the_requests_it_names_as_often_as_it_says(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    sandbox.add_fault(vendor="talkdesk", operation="poll", fault="status", status=503, skip=1, count=2)
    job_id = talkdesk.submitted()
    assert [talkdesk.poll(job_id).status_code for _ in range(4)] == [303, 503, 503, 303]
    assert [entry["fault"] for entry in sandbox.journal(operation="poll")] == [None, "status", "status", None]


def test_without_a_count_limit_it_lasts_until_it_is_cleared(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="create", fault="status", status=500, count=None)
    assert {talkdesk.create().status_code for _ in range(5)} == {500}
    assert sandbox.jobs() == []
    assert requests.delete(f"{sandbox.url}/_sandbox/faults").status_code == 204
    assert talkdesk.create().status_code == 202


def test_several_faults_take_turns_in_the_order_they_were_scripted(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    job_id = talkdesk.submitted()
    answer = scripted(sandbox, {"fault": "status", "status": 500}, {"fault": "status", "status": 502})
    assert [fault["status"] for fault in answer.json()] == [500, 502]
    assert [talkdesk.poll(job_id).status_code for _ in range(3)] == [500, 502, 303]
    assert requests.get(f"{sandbox.url}/_sandbox/faults").json() == []


def test_retry_after_comes_in_seconds_or_as_a_date(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(fault="status", status=429, retry_after=30)
    assert talkdesk.create().headers["Retry-After"] == "30"
    sandbox.add_fault(fault="status", status=503, retry_after=30, retry_after_form="date")
    date = parsedate_to_datetime(talkdesk.create().headers["Retry-After"])
    assert 25 < (date - sandbox.clock.now()).total_seconds() <= 30


def test_body_and_headers_of_a_status_can_be_given(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(
        fault="status", status=418, body="short", content_type="text/plain", headers={"X-Teapot": "1"}
    )
    answer = talkdesk.create()
    assert (answer.status_code, answer.text, answer.headers["X-Teapot"]) == (418, "short", "1")
    assert answer.headers["Content-Type"] == "text/plain"


def test_html_and_garbage_stand_where_json_should(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="poll", fault="html")
    sandbox.add_fault(operation="poll", fault="unreadable", status=502)
    job_id = talkdesk.submitted()
    page, garbage = talkdesk.poll(job_id), talkdesk.poll(job_id)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert garbage.status_code == 502
    with pytest.raises(requests.JSONDecodeError):
        garbage.json()


def test_a_reset_leaves_the_request_undone(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="create", fault="reset")
    with pytest.raises(ConnectionError):
        talkdesk.create()
    assert sandbox.jobs() == []
    assert sandbox.journal(operation="create")[0]["status"] is None


def test_a_lost_answer_leaves_the_request_done(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="create", fault="lost_answer")
    with pytest.raises(ConnectionError):
        talkdesk.create()
    assert len(sandbox.jobs("talkdesk")) == 1


@pytest.mark.parametrize(("framing", "noticed"), [("length", True), ("chunked", True), ("none", False)])
def test_a_body_is_cut_in_three_framings(
    talkdesk: Talkdesk, sandbox: Sandbox, framing: str, noticed: bool
) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    sandbox.add_fault(vendor="talkdesk", operation="storage", fault="cut", framing=framing, after=1000)
    with requests.get(link, stream=True) as answer:
        assert answer.status_code == 200
        assert ("Content-Length" in answer.headers) == (framing == "length")
        assert ("Transfer-Encoding" in answer.headers) == (framing == "chunked")
        if noticed:
            with pytest.raises(ChunkedEncodingError):
                answer.content  # noqa: B018
        else:
            assert len(answer.content) == 1000
    served = sandbox.served()[-1]
    assert (served["sent"], served["complete"]) == (1000, False)


def test_a_fraction_of_the_body_can_be_cut(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    sandbox.add_fault(operation="storage", fault="cut", framing="none", after=0.25)
    assert len(requests.get(link).content) == sandbox.served()[-1]["bytes"] // 4


def test_the_connection_is_reset_while_the_body_is_on_its_way(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    sandbox.add_fault(operation="storage", fault="reset", when="body")
    with pytest.raises(ChunkedEncodingError, match="reset"):
        requests.get(link)


def test_a_stall_comes_before_the_answer_or_in_the_body(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    whole = requests.get(link).content
    for when in ("before", "body"):
        sandbox.add_fault(operation="storage", fault="stall", when=when, seconds=0.1)
        started = time.monotonic()
        assert requests.get(link).content == whole
        assert time.monotonic() - started >= 0.1


def test_a_client_that_gives_up_on_a_stall_does_not_keep_the_sandbox_from_stopping() -> None:
    with Sandbox() as sandbox:
        sandbox.add_fault(operation="token", fault="stall", seconds=60)
        with pytest.raises(ReadTimeout):
            requests.post(sandbox.connections["talkdesk_default"]["extra"]["auth_url"], timeout=0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_an_expired_link_is_refused_and_the_next_one_is_good(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    sandbox.add_fault(operation="file", fault="expired_link")
    first, second = (talkdesk.file(job_id).headers["Location"] for _ in range(2))
    expired = requests.get(first)
    assert (expired.status_code, expired.headers["Content-Type"]) == (403, "application/xml")
    assert "Request has expired" in expired.text
    assert requests.get(second).status_code == 200


def test_expiry_can_also_be_scripted_at_the_storage(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    sandbox.add_fault(operation="storage", fault="expired_link")
    assert [requests.get(link).status_code for _ in range(2)] == [403, 200]


def test_all_tokens_can_be_revoked_in_the_middle(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    sandbox.add_fault(operation="poll", fault="revoke_token")
    assert [talkdesk.poll(job_id).status_code for _ in range(2)] == [401, 401]
    assert Talkdesk(sandbox).poll(job_id).status_code == 303


def test_a_status_word_nobody_heard_of_comes_and_goes(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    sandbox.add_fault(operation="poll", fault="unknown_status", word="sending")
    assert talkdesk.poll(job_id).json()["job"]["status"] == "sending"
    assert talkdesk.poll(job_id).json()["job"]["status"] == "done"


def test_redirects_lead_elsewhere_or_in_a_circle(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    sandbox.add_fault(operation="file", fault="redirect", to="http://other.example/", status=307)
    elsewhere = talkdesk.file(job_id)
    assert (elsewhere.status_code, elsewhere.headers["Location"]) == (307, "http://other.example/")
    sandbox.add_fault(operation="file", fault="redirect", to="self", count=None)
    with pytest.raises(requests.TooManyRedirects):
        requests.get(f"{talkdesk.files_url}/{job_id}", headers=talkdesk.headers)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ([1], "JSON object"),
        ({}, "'fault' is missing"),
        ({"fault": "explode"}, "'fault' must be one of status, refusal, html"),
        ({"fault": "status"}, "'status' is missing"),
        ({"fault": "status", "status": 42}, "'status' must be an HTTP status"),
        ({"fault": "html", "seconds": 1}, "not 'seconds'"),
        ({"fault": "html", "count": 0}, "'count' must be a whole number from 1"),
        ({"fault": "html", "vendor": "acme"}, "'vendor' must be one of"),
        ({"fault": "html", "operation": "levitate"}, "'operation' must be one of"),
        ({"fault": "cut", "after": 1.5}, "'after' must be"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(
    sandbox: Sandbox, fault: dict[str, Any], says: str
) -> None:
    answer = scripted(sandbox, fault)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_an_answer_can_drip_in(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job = talkdesk.submitted()
    whole = talkdesk.poll(job).content
    sandbox.add_fault(operation="poll", fault="drip", seconds=0.001)
    started = time.monotonic()
    assert len(talkdesk.poll(job).content) == len(whole)
    assert time.monotonic() - started >= 0.001 * len(whole)


def test_early_hints_stand_before_the_answer(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job = talkdesk.submitted()
    sandbox.add_fault(operation="poll", fault="early_hints")
    url = urlsplit(sandbox.connections["talkdesk_default"]["host"])
    with socket.create_connection((url.hostname, url.port), timeout=5) as raw:
        path = f"{url.path}/data/reports/calls/jobs/{job}"
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: raw.recv(4096), b""))
    assert said.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert said.count(b"HTTP/1.1 ") == 2


def test_a_new_secret_ends_the_old_one_and_its_tokens(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job = talkdesk.submitted()
    sandbox.add_fault(vendor="talkdesk", operation="poll", fault="new_secret", secret="sandbox-new-secret")
    assert talkdesk.poll(job).status_code == 401
    url = sandbox.connections["talkdesk_default"]["extra"]["auth_url"]
    grant = {"grant_type": "client_credentials"}
    login = sandbox.connections["talkdesk_default"]["login"]
    old = sandbox.connections["talkdesk_default"]["password"]
    assert requests.post(url, data=grant, auth=(login, old)).status_code == 401
    assert requests.post(url, data=grant, auth=(login, "sandbox-new-secret")).status_code == 200
    sandbox.reset()
    assert requests.post(url, data=grant, auth=(login, old)).status_code == 200
