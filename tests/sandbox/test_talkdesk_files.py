from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .conftest import MAY_DAY, Talkdesk


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_file_comes_from_the_storage_by_a_signed_link(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    hop = talkdesk.file(job_id)
    assert (hop.status_code, hop.json()["job"]["id"]) == (303, job_id)
    assert hop.headers["Location"].startswith(sandbox.storage_url)
    assert requests.get(hop.headers["Location"]).headers["Content-Type"] == "text/csv"


def test_what_was_served_is_known_by_rows_bytes_and_digest(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    content = talkdesk.content(job_id)
    (served,) = sandbox.served()
    assert served["job"] == job_id
    assert (served["format"], served["rows"], served["complete"]) == ("csv", 100, True)
    assert served["bytes"] == served["sent"] == len(content)
    assert served["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(records(content)) == 100


def test_the_formats_hold_the_same_rows(talkdesk: Talkdesk) -> None:
    files = {name: talkdesk.content(talkdesk.submitted(format=name)) for name in ("csv", "json", "json_bulk")}
    document = json.loads(files["json"])
    assert {name: document[name] for name in ("type", "version", "total")} == {
        "type": "calls",
        "version": "v1",
        "total": 100,
    }
    assert [json.loads(line) for line in files["json_bulk"].splitlines()] == document["entries"]
    rows = records(files["csv"])
    assert [row["call_id"] for row in rows] == [entry["call_id"] for entry in document["entries"]]
    assert [row["notes"] for row in rows] == [entry["notes"] or "" for entry in document["entries"]]


def test_only_some_types_name_themselves_in_json(sandbox: Sandbox) -> None:
    talkdesk = Talkdesk(sandbox, "ring_attempts")
    document = json.loads(talkdesk.content(talkdesk.submitted(format="json")))
    assert list(document) == ["entries", "total"]
    sandbox.set_options("talkdesk", json_order="total_first")
    assert list(json.loads(talkdesk.content(talkdesk.submitted(format="json")))) == ["total", "entries"]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("json_total", "wrong", {"type", "version", "entries", "total"}),
        ("json_total", "missing", {"type", "version", "entries"}),
        ("json_entries", "missing", {"type", "version", "total"}),
    ],
)
def test_json_can_be_wrong_about_itself(
    talkdesk: Talkdesk, sandbox: Sandbox, option: str, value: str, expected: set[str]
) -> None:
    sandbox.set_options("talkdesk", **{option: value})
    document: dict[str, Any] = json.loads(talkdesk.content(talkdesk.submitted(format="json")))
    assert set(document) == expected
    if value == "wrong":
        assert document["total"] != len(document["entries"])


def test_an_empty_report_is_a_header_or_an_empty_list(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", rows=0)
    assert records(talkdesk.content(talkdesk.submitted())) == []
    assert talkdesk.content(talkdesk.submitted()).startswith(b"call_id,")
    document = json.loads(talkdesk.content(talkdesk.submitted(format="json")))
    assert (document["entries"], document["total"]) == ([], 0)
    assert talkdesk.content(talkdesk.submitted(format="json_bulk")) == b""
    assert [served["complete"] for served in sandbox.served()] == [True] * 4


def test_rows_come_up_to_five_minutes_late_and_none_changes_its_place() -> None:
    half_a_minute_later = datetime(2024, 5, 2, 0, 0, 30, tzinfo=UTC)
    options = {"talkdesk": {"ladder": [], "rows": 1440}}
    with Sandbox(clock=Clock(half_a_minute_later), options=options) as sandbox:
        talkdesk = Talkdesk(sandbox)
        early = records(talkdesk.content(talkdesk.submitted()))
        sandbox.set_options("talkdesk", late_seconds=0)
        punctual = records(talkdesk.content(talkdesk.submitted()))
        sandbox.set_options("talkdesk", late_seconds=300)
        sandbox.clock.advance(270)
        whole = records(talkdesk.content(talkdesk.submitted()))
    assert len(whole) == 1440
    assert [row for row in whole if row["start_at"] <= "2024-05-01 23:55:30"] == early
    assert 1430 < len(early) < 1440
    assert punctual == whole


def test_a_report_of_what_is_younger_than_any_row_is_empty(sandbox: Sandbox, talkdesk: Talkdesk) -> None:
    sandbox.set_options("talkdesk", late_seconds=1_000_000_000)
    for size in (None, 1_000_000):
        sandbox.set_options("talkdesk", bytes=size)
        assert records(talkdesk.content(talkdesk.submitted())) == []


def test_columns_are_those_that_clients_rely_on(sandbox: Sandbox) -> None:
    counts = {
        "calls": 38,
        "contacts": 42,
        "ring_attempts": 11,
        "studio_flow_execution": 13,
        "user_status": 10,
    }
    for report, count in counts.items():
        talkdesk = Talkdesk(sandbox, report)
        assert len(records(talkdesk.content(talkdesk.submitted()))[0]) == count


def test_other_reports_have_awkward_column_names(sandbox: Sandbox) -> None:
    talkdesk = Talkdesk(sandbox, "audit_logs")
    columns = records(talkdesk.content(talkdesk.submitted()))[0]
    assert {"in_business_hours?", "wrap-up_duration", "flow.step_name"} <= set(columns)


def test_a_file_of_a_given_size_ends_within_a_row_of_it(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", bytes=5_000_000)
    for name in ("csv", "json", "json_bulk"):
        content = talkdesk.content(talkdesk.submitted(format=name))
        assert 0 <= len(content) - 5_000_000 < 2_000
        served = sandbox.served()[-1]
        assert served["sha256"] == hashlib.sha256(content).hexdigest()
        if name == "json":
            assert len(json.loads(content)["entries"]) == json.loads(content)["total"] == served["rows"]
        if name == "csv":
            assert len(records(content)) == served["rows"]


@pytest.mark.parametrize("rows", [1, 1_999, 2_000, 2_001, 4_000, 4_003])
def test_rows_are_counted_right_where_the_file_repeats_itself(
    talkdesk: Talkdesk, sandbox: Sandbox, rows: int
) -> None:
    sandbox.set_options("talkdesk", rows=rows)
    assert len(records(talkdesk.content(talkdesk.submitted()))) == rows
    document = json.loads(talkdesk.content(talkdesk.submitted(format="json")))
    assert len(document["entries"]) == document["total"] == rows


def test_the_files_endpoint_may_send_the_file_itself(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    by_storage = talkdesk.content(job_id)
    sandbox.set_options("talkdesk", download="direct")
    direct = talkdesk.file(job_id)
    assert (direct.status_code, direct.content) == (200, by_storage)
    sandbox.set_options("talkdesk", gzip=True)
    packed = talkdesk.file(job_id)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == by_storage


def test_the_files_endpoint_may_send_the_job_instead(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", download="job")
    job_id = talkdesk.submitted()
    answer = talkdesk.file(job_id)
    assert (answer.status_code, answer.json()["job"]["id"]) == (200, job_id)


def test_csv_may_have_a_byte_order_mark_and_bare_newlines(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    assert talkdesk.content(talkdesk.submitted()).endswith(b"\r\n")
    sandbox.set_options("talkdesk", csv_bom=True, csv_line_end="\n")
    content = talkdesk.content(talkdesk.submitted())
    assert content.startswith(b"\xef\xbb\xbfcall_id,")
    assert content.endswith(b"\n")
    assert not content.endswith(b"\r\n")


def test_a_file_is_deleted_once_and_its_job_says_so(talkdesk: Talkdesk) -> None:
    job_id = talkdesk.submitted()
    url = f"{talkdesk.files_url}/{job_id}"
    statuses = [requests.delete(url, headers=talkdesk.headers).status_code for _ in range(2)]
    assert statuses == [204, 403]
    assert talkdesk.poll(job_id).json()["job"]["status"] == "deleted"
    assert talkdesk.file(job_id).status_code == 404


def test_a_file_that_was_kept_long_enough_is_gone(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    job_id = talkdesk.submitted()
    assert talkdesk.poll(job_id).status_code == 303
    sandbox.clock.advance(30 * 86_400 + 1)
    talkdesk.renew()
    assert talkdesk.poll(job_id).json()["job"]["status"] == "deleted"
    assert talkdesk.file(job_id).status_code == 404


def test_there_is_no_file_before_the_job_is_done(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", ladder=[["processing", 0, 0]], hold="processing")
    assert talkdesk.file(talkdesk.submitted()).status_code == 404


def test_local_times_repeat_the_hour_that_a_25_hour_day_repeats(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", rows=500)
    autumn = {"from": "2024-10-26T22:00:00Z", "to": "2024-10-27T23:00:00Z"}
    rows = records(talkdesk.content(talkdesk.submitted(autumn, timezone="Europe/Berlin")))
    starts = [row["start_at"] for row in rows]
    assert starts != sorted(starts)
    utc = records(talkdesk.content(talkdesk.submitted(autumn)))
    assert [row["start_at"] for row in utc] == sorted(row["start_at"] for row in utc)


class TestThirdPartyClients:
    """What public clients do, each in its own way, ends with the file."""

    def test_one_reads_job_id_and_lets_its_library_follow_redirects(self, talkdesk: Talkdesk) -> None:
        job_id = talkdesk.create(format="json").json()["job"]["id"]
        answer = requests.get(f"{talkdesk.jobs_url}/{job_id}", headers=talkdesk.headers)
        assert len(answer.history) == 2
        assert len(answer.json()["entries"]) == 100

    def test_one_reads_the_id_at_the_top_level(self, talkdesk: Talkdesk, sandbox: Sandbox) -> None:
        sandbox.set_options("talkdesk", create_body="flat")
        job_id = talkdesk.create().json()["id"]
        assert talkdesk.poll(job_id).status_code == 303

    def test_both_of_them_work_without_any_option(self, talkdesk: Talkdesk) -> None:
        body = talkdesk.create().json()
        assert body["id"] == body["job"]["id"]

    def test_one_follows_redirects_and_polls_until_the_answer_is_the_file(
        self, talkdesk: Talkdesk, sandbox: Sandbox
    ) -> None:
        sandbox.set_options("talkdesk", ladder=[["created", 0, 1], ["processing", 0, 2]])
        job_id = talkdesk.create(format="json").json()["job"]["id"]
        seen = []
        for _ in range(10):
            body = requests.get(f"{talkdesk.jobs_url}/{job_id}", headers=talkdesk.headers).json()
            seen.append("entries" in body)
            if seen[-1]:
                break
        assert seen == [False, False, False, True]
        assert len(body["entries"]) == body["total"] == 100

    def test_one_waits_for_the_first_answer_that_has_a_length(
        self, talkdesk: Talkdesk, sandbox: Sandbox
    ) -> None:
        sandbox.set_options("talkdesk", ladder=[["created", 0, 1], ["processing", 0, 1]])
        job_id = talkdesk.submitted()
        for _ in range(10):
            answer = requests.get(f"{talkdesk.jobs_url}/{job_id}", headers=talkdesk.headers)
            if "Content-Length" in answer.headers:
                break
        assert len(records(answer.content)) == 100

    def test_the_answers_to_polls_may_have_a_length_all_the_same(
        self, talkdesk: Talkdesk, sandbox: Sandbox
    ) -> None:
        job_id = talkdesk.submitted()
        assert talkdesk.poll(job_id).headers["Transfer-Encoding"] == "chunked"
        sandbox.set_options("talkdesk", job_framing="length")
        polled = talkdesk.poll(job_id)
        assert "Transfer-Encoding" not in polled.headers
        assert int(polled.headers["Content-Length"]) == len(polled.content)

    def test_one_has_the_grant_in_the_query_and_an_empty_body_and_sends_times_without_a_zone(
        self, talkdesk: Talkdesk, sandbox: Sandbox
    ) -> None:
        connection = talkdesk.connection
        granted = requests.post(
            f"{connection['extra']['auth_url']}?grant_type=client_credentials",
            auth=(connection["login"], connection["password"]),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "0"},
        ).json()
        assert granted["token_type"] == "Bearer"
        talkdesk.headers = {"Authorization": f"Bearer {granted['access_token']}"}
        timespan = {
            "from": "2024-05-01T00:00:00",
            "to": "2024-05-02T00:00:00",
            "timezone": "America/Sao_Paulo",
        }
        job_id = talkdesk.submitted(timespan, format="csv")
        assert len(records(talkdesk.content(job_id))) == 100
        # Where a zone is nested in the timespan nobody looks at it.
        assert sandbox.jobs("talkdesk")[0]["id"] == job_id
        assert talkdesk.poll(job_id).json()["job"]["timezone"] == "UTC"

    def test_one_sends_its_credentials_as_form_fields_and_reads_until_the_word_is_done(
        self, talkdesk: Talkdesk, sandbox: Sandbox
    ) -> None:
        connection = talkdesk.connection
        form = {
            "grant_type": "client_credentials",
            "client_id": connection["login"],
            "client_secret": connection["password"],
        }
        granted = requests.post(connection["extra"]["auth_url"], data=form).json()
        talkdesk.headers = {"Authorization": f"Bearer {granted['access_token']}"}
        job_id = talkdesk.submitted(format="json")
        done = talkdesk.poll(job_id)
        assert done.json()["job"]["status"] == "done"
        # It fetches the file without credentials, as what it was redirected to is signed.
        file = talkdesk.file(job_id)
        assert len(requests.get(file.headers["Location"]).json()["entries"]) == 100

    def test_one_writes_null_for_what_it_does_not_set(self, talkdesk: Talkdesk) -> None:
        job = talkdesk.create(name=None, timezone=None, format=None).json()["job"]
        assert (job["name"], job["timezone"], job["format"]) == ("", "UTC", "csv")

    def test_one_finds_its_job_again_in_the_list(self, talkdesk: Talkdesk) -> None:
        job_id = talkdesk.submitted(name="nightly")
        talkdesk.submitted(name="another")
        listed = requests.get(
            talkdesk.jobs_url, params={"page": 1, "per_page": 200}, headers=talkdesk.headers
        ).json()
        [found] = [job for job in listed["_embedded"]["jobs"] if job["name"] == "nightly"]
        assert (found["id"], found["status"]) == (job_id, "done")
        assert "next" not in listed["_links"]
        assert len(records(talkdesk.content(found["id"]))) == 100


def test_two_sandboxes_with_one_seed_serve_the_same_bytes_and_other_seeds_do_not() -> None:
    contents = []
    for seed in (1, 1, 2):
        with Sandbox(seed=seed, options={"talkdesk": {"ladder": []}}) as sandbox:
            talkdesk = Talkdesk(sandbox)
            contents.append(talkdesk.content(talkdesk.submitted(MAY_DAY)))
    assert contents[0] == contents[1] != contents[2]
