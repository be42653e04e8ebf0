from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

from .conftest import MAY_DAY, Talkdesk

DAY = "2024-05-01T00:00:00Z"


def in_steps(sandbox: Sandbox, *words: str, polls: int = 1, **options: Any) -> None:
    """Let each word be answered to so many polls."""
    sandbox.set_options("talkdesk", ladder=[[word, 0, polls] for word in words], **options)


def test_create_answers_202_with_the_job_where_docs_and_clients_have_it(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    in_steps(sandbox, "created")
    answer = talkdesk.create(name="nightly", timezone="Europe/Berlin", format="json")
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert job.pop("id") == sandbox.jobs("talkdesk")[0]["id"]
    assert job.pop("created_at")
    assert job == {
        "name": "nightly",
        "type": "calls",
        "timezone": "Europe/Berlin",
        "status": "created",
        "format": "json",
        "timespan": MAY_DAY,
    }
    assert set(answer.json()["_links"]) == {"self", "files"}
    # The documented schema has the same at the top level.
    assert {name: answer.json()[name] for name in job} == job
    assert answer.json()["id"] == answer.json()["job"]["id"]


@pytest.mark.parametrize(
    ("form", "wrapped", "flat"),
    [("wrapped", True, False), ("flat", False, True), ("both", True, True)],
)
def test_create_body_is_wrapped_or_flat(
    talkdesk: Talkdesk, sandbox: Sandbox, form: str, wrapped: bool, flat: bool
) -> None:
    sandbox.set_options("talkdesk", create_body=form)
    body = talkdesk.create().json()
    assert ("job" in body, "id" in body) == (wrapped, flat)


@pytest.mark.parametrize(
    ("timespan", "body", "field"),
    [
        (None, {}, "timespan"),
        ({"from": DAY}, {}, "timespan.to"),
        ({"to": DAY}, {}, "timespan.from"),
        ({"from": "2024-05-01 00:00:00", "to": DAY}, {}, "timespan.from"),
        ({"from": "2024-05-01", "to": DAY}, {}, "timespan.from"),
        ({"from": "yesterdayT", "to": DAY}, {}, "timespan.from"),
        ({"from": DAY, "to": 1714608000}, {}, "timespan.to"),
        ({"from": DAY, "to": DAY}, {}, "timespan.to"),
        ({"from": DAY, "to": "2024-04-30T00:00:00Z"}, {}, "timespan.to"),
        ({"from": DAY, "to": "2024-06-01T00:00:01Z"}, {}, "timespan.to"),
        (MAY_DAY, {"timezone": "Mars/Olympus"}, "timezone"),
        (MAY_DAY, {"timezone": ["UTC"]}, "timezone"),
        (MAY_DAY, {"format": "xlsx"}, "format"),
        (MAY_DAY, {"name": "n" * 257}, "name"),
    ],
)
def test_create_refuses_bad_input_and_names_the_field(
    talkdesk: Talkdesk, sandbox: Sandbox, timespan: Any, body: dict[str, Any], field: str
) -> None:
    answer = talkdesk.create(timespan, **body)
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["fields"]] == [field]
    assert sandbox.jobs() == []


def test_31_days_to_the_second_and_256_characters_are_allowed(talkdesk: Talkdesk) -> None:
    month = {"from": DAY, "to": "2024-06-01T00:00:00Z"}
    assert talkdesk.create(month, name="n" * 256).status_code == 202


def test_create_refuses_a_window_that_ends_in_the_future(talkdesk: Talkdesk) -> None:
    now = datetime.now(UTC)
    window = {"from": f"{now - timedelta(hours=1):%FT%TZ}", "to": f"{now + timedelta(minutes=1):%FT%TZ}"}
    answer = talkdesk.create(window)
    assert answer.status_code == 400
    assert "future" in answer.json()["message"]


def test_a_body_that_is_no_json_object_is_malformed(talkdesk: Talkdesk) -> None:
    headers = talkdesk.headers | {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[]", b"null"):
        answer = requests.post(talkdesk.jobs_url, data=body, headers=headers)
        assert (answer.status_code, "body" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data; boundary=x", "application/jsonx"])
def test_a_body_that_does_not_say_that_it_is_json_is_refused(talkdesk: Talkdesk, kind: str | None) -> None:
    body = json.dumps({"timespan": MAY_DAY}).encode()
    headers = talkdesk.headers | ({"Content-Type": kind} if kind else {})
    answer = requests.post(talkdesk.jobs_url, data=body, headers=headers)
    assert (answer.status_code, "Content-Type" in answer.json()["message"]) == (400, True)
    headers["Content-Type"] = "application/json; charset=utf-8"
    assert requests.post(talkdesk.jobs_url, data=body, headers=headers).status_code == 202


def test_unknown_keys_are_ignored_in_the_timespan_too(talkdesk: Talkdesk) -> None:
    answer = talkdesk.create({**MAY_DAY, "timezone": "America/Sao_Paulo"}, colour="green")
    assert answer.status_code == 202
    assert answer.json()["job"]["timezone"] == "UTC"


@pytest.mark.parametrize(
    "times",
    [
        ("2024-05-01T00:00:00", "2024-05-02T00:00:00"),
        ("2024-05-01T00:00:00.000Z", "2024-05-02T00:00:00.000Z"),
    ],
)
def test_times_may_lack_a_zone_or_have_milliseconds(talkdesk: Talkdesk, times: tuple[str, str]) -> None:
    timespan = dict(zip(("from", "to"), times, strict=True))
    answer = talkdesk.create(timespan)
    assert answer.status_code == 202
    assert answer.json()["job"]["timespan"] == timespan


def test_a_time_without_a_zone_counts_in_the_zone_of_the_report(talkdesk: Talkdesk) -> None:
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    soon = {"from": f"{now - timedelta(hours=1):%FT%T}", "to": f"{now + timedelta(hours=1):%FT%T}"}
    assert talkdesk.create(soon, timezone="UTC").status_code == 400
    # The same wall-clock time was reached long ago in the far east.
    assert talkdesk.create(soon, timezone="Pacific/Kiritimati").status_code == 202


def test_the_sixteenth_simultaneous_report_gets_429_until_one_is_done(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    in_steps(sandbox, "processing", hold="processing", quota_retry_after=7)
    jobs = [talkdesk.submitted() for _ in range(15)]
    refused = talkdesk.create()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "7"
    sandbox.hold(jobs[0], "done")
    assert talkdesk.create().status_code == 202


def test_the_429_says_nothing_about_when_unless_asked_to(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", max_running=0)
    refused = talkdesk.create()
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers


def test_an_unknown_report_type_is_invalid_on_create_and_on_poll(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    sandbox.set_options("talkdesk", report_types=["user_status"])
    assert talkdesk.create().status_code == 400
    assert talkdesk.poll("any").status_code == 400
    assert Talkdesk(sandbox, "user_status").create().status_code == 202


def test_an_encoded_slash_is_no_path_separator(sandbox: Sandbox) -> None:
    answer = Talkdesk(sandbox, "calls%2Fjobs").create()
    assert answer.status_code == 400
    assert sandbox.journal(operation="create")[0]["target"] == "/talkdesk/data/reports/calls%2Fjobs/jobs"


def test_a_poll_walks_through_the_words_and_ends_with_a_redirect(
    talkdesk: Talkdesk, sandbox: Sandbox
) -> None:
    in_steps(sandbox, "created", "processing", "uploading")
    job_id = talkdesk.submitted()
    words = [talkdesk.poll(job_id).json()["job"]["status"] for _ in range(3)]
    assert words == ["created", "processing", "uploading"]
    done = talkdesk.poll(job_id)
    assert (done.status_code, done.json()["job"]["status"]) == (303, "done")
    assert done.headers["Location"] == f"/talkdesk/data/reports/calls/files/{job_id}"


def test_words_may_also_last_for_seconds(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", ladder=[["created", 0, 0], ["processing", 3600, 0]])
    job_id = talkdesk.submitted()
    assert talkdesk.poll(job_id).json()["job"]["status"] == "processing"
    sandbox.clock.advance(3590)
    talkdesk.renew()
    assert talkdesk.poll(job_id).json()["job"]["status"] == "processing"
    sandbox.clock.advance(10)
    assert talkdesk.poll(job_id).status_code == 303


@pytest.mark.parametrize("status", [300, 302, 303, 307])
@pytest.mark.parametrize("location", ["relative", "absolute"])
def test_done_is_told_by_any_redirect_that_leads_to_the_file(
    talkdesk: Talkdesk, sandbox: Sandbox, status: int, location: str
) -> None:
    sandbox.set_options("talkdesk", done_as=status, location=location)
    job_id = talkdesk.submitted()
    done = talkdesk.poll(job_id)
    assert done.status_code == status
    assert done.headers["Location"].startswith("http") == (location == "absolute")
    assert urljoin(done.url, done.headers["Location"]) == f"{talkdesk.files_url}/{job_id}"


def test_the_location_may_be_the_documented_path(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", ladder=[], location="documented")
    job_id = talkdesk.submitted()
    location = talkdesk.poll(job_id).headers["Location"]
    assert location == f"/data/reports/calls/files/{job_id}"
    behind_the_base = talkdesk.connection["host"] + location
    answer = requests.get(behind_the_base, headers=talkdesk.headers, allow_redirects=False)
    assert answer.status_code == 303


def test_what_is_not_there_is_refused_in_the_shape_of_errors(talkdesk: Talkdesk) -> None:
    place = f"{talkdesk.connection['host']}/data/reports/calls"
    for method, path in (("PUT", "/jobs"), ("GET", ""), ("GET", "/nowhere/1")):
        answer = requests.request(method, place + path, headers=talkdesk.headers)
        assert answer.status_code == 404
        assert set(answer.json()) == {"code", "message", "description"}


def test_the_location_may_be_missing(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", location="missing")
    done = talkdesk.poll(talkdesk.submitted())
    assert (done.status_code, "Location" in done.headers) == (303, False)


def test_done_may_be_a_plain_200(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", done_as=200)
    done = talkdesk.poll(talkdesk.submitted())
    assert (done.status_code, done.json()["job"]["status"]) == (200, "done")


@pytest.mark.parametrize("word", ["failed", "canceled", "deleted", "archived"])
def test_a_job_may_end_badly_or_in_a_word_nobody_knows(
    talkdesk: Talkdesk, sandbox: Sandbox, word: str
) -> None:
    sandbox.set_options("talkdesk", end=word)
    job_id = talkdesk.submitted()
    over = talkdesk.poll(job_id)
    assert (over.status_code, over.json()["job"]["status"]) == (200, word)
    assert talkdesk.file(job_id).status_code == 404


def test_words_may_be_upper_case_and_bodies_flat(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", status_case="upper", poll_body="flat")
    assert talkdesk.poll(talkdesk.submitted()).json()["status"] == "DONE"


@pytest.mark.parametrize(("form", "status"), [("204", 204), ("empty", 200)])
def test_a_waiting_job_may_have_an_empty_answer(
    talkdesk: Talkdesk, sandbox: Sandbox, form: str, status: int
) -> None:
    in_steps(sandbox, "processing", waiting_as=form)
    job_id = talkdesk.submitted()
    waiting = talkdesk.poll(job_id)
    assert (waiting.status_code, waiting.content) == (status, b"")
    assert talkdesk.poll(job_id).status_code == 303


def test_hold_keeps_every_job_where_it_is_until_released(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    in_steps(sandbox, "created", "processing", "uploading", polls=0, hold="processing")
    job_id = talkdesk.submitted()
    assert [talkdesk.poll(job_id).json()["job"]["status"] for _ in range(3)] == ["processing"] * 3
    sandbox.set_options("talkdesk", hold=None)
    assert talkdesk.poll(job_id).status_code == 303


def test_one_job_can_be_held_and_released(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", ladder=[["created", 1, 0], ["uploading", 1, 0]])
    held, free = talkdesk.submitted(), talkdesk.submitted()
    sandbox.hold(held, "uploading")
    sandbox.clock.advance(10)
    assert talkdesk.poll(held).json()["job"]["status"] == "uploading"
    assert talkdesk.poll(free).status_code == 303
    sandbox.release(held)
    assert talkdesk.poll(held).status_code == 303


def test_a_hold_that_comes_late_brings_no_job_back(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", ladder=[["created", 5, 0], ["processing", 5, 0]])
    over = talkdesk.submitted()
    sandbox.clock.advance(6)
    far = talkdesk.submitted()
    sandbox.clock.advance(6)
    near = talkdesk.submitted()
    # Nobody has asked for them so far, and still the first is done and the second is being processed.
    sandbox.set_options("talkdesk", hold="created")
    sandbox.clock.advance(60)
    assert talkdesk.poll(over).status_code == talkdesk.poll(far).status_code == 303
    assert talkdesk.poll(near).json()["job"]["status"] == "created"
    with pytest.raises(ValueError, match=r"is over \(done\); it can't be 'processing' again\.$"):
        sandbox.hold(over, "processing")
    sandbox.hold(over, "deleted")
    assert talkdesk.poll(over).json()["job"]["status"] == "deleted"


def test_a_job_that_is_gone_or_of_another_type_is_not_found(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    assert Talkdesk(sandbox, "contacts").poll(job_id).status_code == 404
    sandbox.forget(job_id)
    assert talkdesk.poll(job_id).status_code == 404


def test_errors_have_a_message_or_a_description(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    assert sorted(talkdesk.poll("gone").json()) == ["code", "message"]
    sandbox.set_options("talkdesk", error_shape="description")
    assert sorted(talkdesk.poll("gone").json()) == ["code", "description"]


def test_links_may_name_a_host_that_nobody_should_trust(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    assert talkdesk.create().json()["_links"]["self"]["href"].startswith(talkdesk.jobs_url)
    sandbox.set_options("talkdesk", links_host="docs")
    assert talkdesk.create().json()["_links"]["self"]["href"].startswith("http://api-docs.talkdesk.org/")


def test_the_list_is_newest_first_and_its_last_page_has_no_next(talkdesk: Talkdesk) -> None:
    submitted = [talkdesk.submitted() for _ in range(3)]
    pages, url = [], f"{talkdesk.jobs_url}?per_page=2"
    while url:
        page = requests.get(url, headers=talkdesk.headers).json()
        pages.append([job["id"] for job in page["_embedded"]["jobs"]])
        assert page["total"] == 3
        url = page["_links"].get("next", {}).get("href")
    assert pages == [[submitted[2], submitted[1]], [submitted[0]]]


@pytest.mark.parametrize("query", ["page=0", "per_page=201", "per_page=x"])
def test_the_list_refuses_pages_out_of_bounds(talkdesk: Talkdesk, query: str) -> None:
    assert requests.get(f"{talkdesk.jobs_url}?{query}", headers=talkdesk.headers).status_code == 400
