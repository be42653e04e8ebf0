from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

from .conftest import Talkdesk


@pytest.fixture
def link(talkdesk: Talkdesk) -> str:
    return talkdesk.file(talkdesk.submitted()).headers["Location"]


def test_storage_is_another_origin(sandbox: Sandbox, link: str) -> None:
    assert sandbox.storage_url != sandbox.url
    assert link.startswith(sandbox.storage_url + "/")


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
def test_a_leaked_header_is_refused_and_stands_in_the_journal(
    sandbox: Sandbox, link: str, header: str
) -> None:
    answer = requests.get(link, headers={header: "Bearer leaked-secret"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/xml")
    (entry,) = sandbox.journal(origin="storage")
    assert [header, "Bearer leaked-secret"] in entry["headers"]
    assert sandbox.served() == []


def test_a_client_that_follows_redirects_leaks_nothing(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    assert requests.get(f"{talkdesk.jobs_url}/{job_id}", headers=talkdesk.headers).status_code == 200
    (entry,) = sandbox.journal(operation="storage")
    assert entry["status"] == 200
    assert "Authorization" not in dict(entry["headers"])
    assert (entry["vendor"], entry["job"]) == ("talkdesk", job_id)


def test_a_link_can_be_used_again_until_its_time_is_over(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    assert [requests.get(link).status_code for _ in range(2)] == [200, 200]
    sandbox.clock.advance(60)
    expired = requests.get(link)
    assert expired.status_code == 403
    assert "<Code>AccessDenied</Code>" in expired.text


def test_a_link_without_its_signature_or_with_another_path_is_worth_nothing(link: str) -> None:
    assert requests.get(link.partition("?")[0]).status_code == 403
    assert requests.get(link.replace("/calls/", "/contacts/")).status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_link_is_signed_for_get_alone(sandbox: Sandbox, link: str, method: str) -> None:
    refused = requests.request(method, link)
    assert refused.status_code == 403
    assert method == "HEAD" or "<Code>SignatureDoesNotMatch</Code>" in refused.text
    assert sandbox.served() == []
    assert requests.get(link).status_code == 200


NAMES = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")


@pytest.mark.parametrize("name", [f"X-Amz-{word}" for word in NAMES])
def test_a_link_is_signed_with_its_whole_query(sandbox: Sandbox, link: str, name: str) -> None:
    path, _, query = link.partition("?")
    pairs = parse_qsl(query)
    assert sorted(key for key, _ in pairs) == sorted(f"X-Amz-{word}" for word in NAMES)
    others = [pair for pair in pairs if pair[0] != name]
    value = dict(pairs)[name]
    for changed in (
        others,  # missing
        [*others, (name, value + "0")],
        [*pairs, (name, value)],  # twice
        [*others, (name.lower(), value)],
    ):
        refused = requests.get(f"{path}?{urlencode(changed)}")
        assert (refused.status_code, "<Code>SignatureDoesNotMatch</Code>" in refused.text) == (403, True)
    assert sandbox.served() == []


@pytest.mark.parametrize("added", ["&x=1", "&response-content-type=text%2Fplain", "&x-id=GetObject", "&x"])
def test_a_link_with_a_parameter_more_is_worth_nothing(link: str, added: str) -> None:
    refused = requests.get(link + added)
    assert (refused.status_code, "<Code>SignatureDoesNotMatch</Code>" in refused.text) == (403, True)


def test_the_order_of_a_query_and_how_it_is_encoded_are_not_signed(link: str) -> None:
    path, _, query = link.partition("?")
    assert requests.get(f"{path}?{'&'.join(reversed(query.split('&')))}").status_code == 200
    assert requests.get(link.replace("%2F", "/")).status_code == 200


def test_a_changed_link_stands_in_the_journal_with_the_vendor_it_came_from(
    sandbox: Sandbox, link: str
) -> None:
    requests.get(link + "&x=1")
    (entry,) = sandbox.journal(origin="storage")
    assert (entry["vendor"], entry["status"]) == ("talkdesk", 403)


def test_a_part_is_served_as_s3_does(talkdesk: Talkdesk, sandbox: Sandbox, link: str) -> None:
    whole = requests.get(link)
    size, etag = len(whole.content), whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, start, stop in (("10-", 10, size), ("10-19", 10, 20), ("-5", size - 5, size)):
        part = requests.get(link, headers={"Range": f"bytes={asked}", "If-Range": etag})
        assert (part.status_code, part.content) == (206, whole.content[start:stop])
        assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    assert requests.get(link, headers={"Range": f"bytes={size}-"}).status_code == 416
    changed = requests.get(link, headers={"Range": "bytes=10-", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    assert {file["sha256"] for file in sandbox.served()} == {sandbox.served()[0]["sha256"]}


def test_storage_without_ranges_serves_the_whole(talkdesk: Talkdesk, sandbox: Sandbox, link: str) -> None:
    sandbox.set_options("talkdesk", ranges=False)
    answer = requests.get(link, headers={"Range": "bytes=10-"})
    assert (answer.status_code, "ETag" in answer.headers) == (200, False)
