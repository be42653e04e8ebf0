"""V-Spark over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sandbox.vspark.api import ROOT_TOKEN, company_token

ORGANIZATION = "/DocTestCo/DocTestCo-DocTesting"
FOLDERS = ["Test01", "Agent Scorecard", "Prüfung – 日本"]
WEEK = "20240501-20240507"  # a Sunday in it, the fifth


class VSpark:
    """The calls of the API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.connection = sandbox.connections["vspark_default"]
        self.base = self.connection["host"]
        self.token: str | None = self.connection["password"]

    def get(self, path: str, **query: Any) -> requests.Response:
        return requests.get(self.base + path, params={"token": self.token, **query})

    def stats(self, daterange: str | None = WEEK, path: str = ORGANIZATION) -> requests.Response:
        return self.get(f"/stats{path}", daterange=daterange)

    def days(self, daterange: str | None) -> list[str]:
        """The days that an answer is about, each once."""
        answer = self.stats(daterange)
        assert answer.status_code == 200
        return sorted({record["date"] for record in json.loads(answer.content)})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def vspark(sandbox: Sandbox) -> VSpark:
    return VSpark(sandbox)


def today() -> date:
    return datetime.now(UTC).date()


def days_from(first: date, last: date) -> list[str]:
    return [f"{first + timedelta(days=number):%Y%m%d}" for number in range((last - first).days + 1)]


def test_statistics_are_json_that_calls_itself_html(vspark: VSpark, sandbox: Sandbox) -> None:
    answer = vspark.stats()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    records = json.loads(answer.content)
    assert {record["folder"] for record in records} == set(FOLDERS)
    for record in records:
        assert list(record)[:4] == ["date", "folder", "calls", "avgduration"]
        for figures in (record, *record.get("agents", {}).values()):
            assert figures["calls"] > 0
            assert re.fullmatch(r"\d:\d\d:\d\d", figures["avgduration"])
    (served,) = sandbox.served()
    assert (served["rows"], served["bytes"]) == (len(records), len(answer.content))


def test_days_without_calls_are_not_there(vspark: VSpark, sandbox: Sandbox) -> None:
    week = days_from(date(2024, 5, 1), date(2024, 5, 7))
    assert vspark.days(WEEK) == [day for day in week if day != "20240505"]
    assert vspark.stats("20240505-20240505").content == b"[]"
    sandbox.set_options("vspark", quiet_weekdays=[])
    assert vspark.days(WEEK) == week


def test_the_last_day_counts_and_the_same_day_gives_the_same_bytes(vspark: VSpark) -> None:
    assert vspark.days("20240501-20240502") == ["20240501", "20240502"]
    assert vspark.stats().content == vspark.stats().content
    days = [record for record in vspark.stats().json() if record["date"] == "20240503"]
    assert vspark.stats("20240503-20240503").json() == days


@pytest.mark.parametrize(
    ("manual", "daterange", "first", "last"),
    [
        ("seed", None, "today", "today"),
        ("seed", "", "today", "today"),
        ("seed", "-", "today", "today"),
        ("seed", "20240501", "20240501", "20240501"),
        ("seed", "20240501-", "20240501", "20240501"),
        ("seed", "-20991231", "today", "today"),
        ("newer", None, "today", "today"),
        ("newer", "20240501", "20240501", "20240501"),
        ("newer", "20240501-", "20240501", "today"),
        ("newer", "-20150103", "20150101", "20150103"),
        ("newer", "20240501000000-20240502235959", "20240501", "20240502"),
    ],
)
def test_a_missing_side_of_the_range_gets_the_default_of_its_manual(
    vspark: VSpark, sandbox: Sandbox, manual: str, daterange: str | None, first: str, last: str
) -> None:
    sandbox.set_options("vspark", manual=manual, quiet_weekdays=[])
    bounds = [today() if day == "today" else datetime.strptime(day, "%Y%m%d").date() for day in (first, last)]
    assert vspark.days(daterange) == days_from(bounds[0], bounds[1])


@pytest.mark.parametrize(
    "daterange",
    [
        "20240507-20240501",
        "-20240501",  # from today back to then
        "20240230-20240301",
        "2024-05-01",
        "2024-05-01-2024-05-02",
        "202405-202406",
        "20240501000000-20240502000000",
        "yesterday",
        "20240501-20240502-20240503",
        "20990101-20991231",
        "19000101-19991231",
    ],
)
def test_an_invalid_or_empty_range_gives_nothing_and_no_error(vspark: VSpark, daterange: str) -> None:
    answer = vspark.stats(daterange)
    assert (answer.status_code, answer.content) == (200, b"[]")


def test_today_is_that_of_the_zone(vspark: VSpark, sandbox: Sandbox) -> None:
    seen = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):  # 25 hours apart
        sandbox.set_options("vspark", timezone=zone, quiet_weekdays=[])
        seen |= set(vspark.days(None))
    assert len(seen) == 2


@pytest.mark.parametrize(
    "folder", ["Test01", "Agent%20Scorecard", "Pr%C3%BCfung%20%E2%80%93%20%E6%97%A5%E6%9C%AC"]
)
def test_a_folder_alone_gives_its_part_of_the_organizations(
    vspark: VSpark, sandbox: Sandbox, folder: str
) -> None:
    # Not answer.json(): requests takes text/html without a charset for Latin-1.
    whole = json.loads(vspark.stats().content)
    part = json.loads(vspark.stats(path=f"{ORGANIZATION}/{folder}").content)
    assert part == [record for record in whole if record["folder"] == unquote(folder)] != []
    assert sandbox.journal()[-1]["target"].startswith(f"/vspark/stats{ORGANIZATION}/{folder}?token=")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, 'Missing "token" field'),
        ("", 'Missing "token" field'),
        ("0" * 32, "Invalid token was provided"),
    ],
)
@pytest.mark.parametrize("path", [f"/stats{ORGANIZATION}", "/stats/No/Where", "/list", "/list/DocTestCo"])
def test_a_bad_token_gets_400_and_a_text(vspark: VSpark, token: str | None, words: str, path: str) -> None:
    vspark.token = token
    answer = vspark.get(path)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (400, "text/html", words)


@pytest.mark.parametrize("code", [401, 403])
def test_a_token_can_be_revoked_and_refused_with_another_code(
    vspark: VSpark, sandbox: Sandbox, code: int
) -> None:
    sandbox.set_options("vspark", revoked=True, bad_token=code)
    assert vspark.stats().status_code == code
    assert vspark.get("/list").status_code == code


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/NoCo/DocTestCo-DocTesting", "Company not found"),
        ("/DocTestCo/Nowhere", "Organization Nowhere not found"),
        ("/DocTestCo/OtherCo-Support", "Organization OtherCo-Support not found"),
        (f"{ORGANIZATION}/Attic", "Folder Attic not found"),
        (f"{ORGANIZATION}/Test01%2F", "Folder Test01/ not found"),
    ],
)
def test_a_wrong_name_gets_404_and_a_text_that_says_which(vspark: VSpark, path: str, words: str) -> None:
    answer = vspark.stats(path=path)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (404, "text/html", words)


def test_an_unknown_folder_may_just_be_empty(vspark: VSpark, sandbox: Sandbox) -> None:
    sandbox.set_options("vspark", unknown_folder="empty")
    assert vspark.stats(path=f"{ORGANIZATION}/Attic").content == b"[]"


@pytest.mark.parametrize("path", ["/stats/OtherCo/OtherCo-Support", "/list/OtherCo"])
def test_a_company_token_opens_its_company_and_the_root_token_all(
    vspark: VSpark, sandbox: Sandbox, path: str
) -> None:
    refused = vspark.get(path)
    assert (refused.status_code, refused.text) == (400, "Auth token doesn't match")
    sandbox.set_options("vspark", other_company=404)
    assert (vspark.get(path).status_code, vspark.get(path).text) == (404, "Company not found")
    for token in (ROOT_TOKEN, company_token(1)):
        assert re.fullmatch(r"[0-9a-f]{32}", token)
        vspark.token = token
        assert vspark.get(path).status_code == 200


def test_an_error_may_come_with_200_as_a_page_or_with_nothing(vspark: VSpark, sandbox: Sandbox) -> None:
    vspark.token = "wrong"
    sandbox.set_options("vspark", error_http="200", error_shape="page")
    answer = vspark.stats()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert "Invalid token was provided" in answer.text
    sandbox.set_options("vspark", error_shape="nothing", error_http="code")
    assert (vspark.stats().status_code, vspark.stats().content) == (400, b"")


def test_a_login_page_may_come_under_200(vspark: VSpark, sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor="vspark", operation="stats", fault="html")
    answer = vspark.stats()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.content.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, b"[]"),
        ({"body": "object"}, b"{}"),
        ({"empty_as": "{}"}, b"{}"),
        ({"empty_as": "[]", "body": "object"}, b"[]"),
        ({"empty_as": "nothing"}, b""),
    ],
)
def test_no_data_has_several_forms(
    vspark: VSpark, sandbox: Sandbox, options: dict[str, str], body: bytes
) -> None:
    sandbox.set_options("vspark", rows=0, **options)
    answer = vspark.stats()
    assert (answer.status_code, answer.content) == (200, body)
    assert sandbox.served()[0]["rows"] == 0


def test_an_organization_without_folders_has_no_statistics(vspark: VSpark) -> None:
    assert vspark.stats(path="/DocTestCo/DocTestCo-Empty").content == b"[]"


def test_the_body_may_be_an_object_by_day_and_folder(vspark: VSpark, sandbox: Sandbox) -> None:
    records = vspark.stats().json()
    sandbox.set_options("vspark", body="object")
    days = vspark.stats().json()
    assert list(days) == sorted({record["date"] for record in records})
    assert [
        {"date": day, "folder": folder, **figures}
        for day, folders in days.items()
        for folder, figures in folders.items()
    ] == records


@pytest.mark.parametrize(("agents", "seen"), [("some", {True, False}), ("all", {True}), ("none", {False})])
def test_agents_are_there_where_calls_name_them(
    vspark: VSpark, sandbox: Sandbox, agents: str, seen: set[bool]
) -> None:
    sandbox.set_options("vspark", agents=agents)
    assert {"agents" in record for record in vspark.stats("20240501-20240531").json()} == seen


def test_a_body_of_any_size_is_streamed_and_counted(vspark: VSpark, sandbox: Sandbox) -> None:
    sandbox.set_options("vspark", bytes=3_000_000)
    content = vspark.stats().content
    assert len(content) == pytest.approx(3_000_000, rel=0.01)
    assert len(json.loads(content)) == sandbox.served()[-1]["rows"]
    sandbox.set_options("vspark", bytes=None, rows=7)
    assert len(vspark.stats().json()) == 7


@pytest.mark.parametrize(
    ("path", "all_of_them", "own"),
    [
        ("/list", ["DocTestCo", "OtherCo"], ["DocTestCo"]),
        (
            "/list/orgs",
            {"DocTestCo": ["DocTestCo-DocTesting", "DocTestCo-Empty"], "OtherCo": ["OtherCo-Support"]},
            {"DocTestCo": ["DocTestCo-DocTesting", "DocTestCo-Empty"]},
        ),
        (
            "/list/folders",
            {
                "DocTestCo": {"DocTestCo-DocTesting": FOLDERS, "DocTestCo-Empty": []},
                "OtherCo": {"OtherCo-Support": ["Test01"]},
            },
            {"DocTestCo": {"DocTestCo-DocTesting": FOLDERS, "DocTestCo-Empty": []}},
        ),
        (
            "/list/users",
            {"DocTestCo": ["joe.user"], "OtherCo": ["joe.user"]},
            {"DocTestCo": ["joe.user"]},
        ),
        (
            "/list/apps",
            {
                "DocTestCo": {"DocTestCo-DocTesting": ["Manager App"], "DocTestCo-Empty": ["Manager App"]},
                "OtherCo": {"OtherCo-Support": ["Manager App"]},
            },
            {"DocTestCo": {"DocTestCo-DocTesting": ["Manager App"], "DocTestCo-Empty": ["Manager App"]}},
        ),
    ],
)
def test_the_lists_over_all_hold_what_the_token_opens(
    vspark: VSpark, path: str, all_of_them: Any, own: Any
) -> None:
    assert vspark.get(path).json() == own
    vspark.token = ROOT_TOKEN
    assert vspark.get(path).json() == all_of_them


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/list/DocTestCo", ["DocTestCo-DocTesting", "DocTestCo-Empty"]),
        ("/list/DocTestCo/orgs", ["DocTestCo-DocTesting", "DocTestCo-Empty"]),
        ("/list/DocTestCo/folders", {"DocTestCo-DocTesting": FOLDERS, "DocTestCo-Empty": []}),
        (f"/list{ORGANIZATION}", FOLDERS),
        (f"/list{ORGANIZATION}/folders", FOLDERS),
        ("/list/DocTestCo/DocTestCo-Empty", []),
        ("/list/DocTestCo/users", ["joe.user"]),
        ("/list/DocTestCo/apps", ["Manager App"]),
        (f"/list{ORGANIZATION}/apps", ["Manager App"]),
    ],
)
def test_a_list_gets_flatter_the_more_the_path_says(vspark: VSpark, path: str, value: Any) -> None:
    assert vspark.get(path).json() == value


def test_a_list_may_call_itself_html_and_errors_do(vspark: VSpark, sandbox: Sandbox) -> None:
    sandbox.set_options("vspark", list_content_type="text/html")
    answer = vspark.get(f"/list{ORGANIZATION}")
    assert (answer.headers["Content-Type"], json.loads(answer.content)) == ("text/html", FOLDERS)
    assert vspark.get("/list/DocTestCo/Nowhere").headers["Content-Type"] == "text/html"


def test_there_may_be_other_companies(sandbox: Sandbox) -> None:
    sandbox.set_options("vspark", companies={"A Co": {"A Co-Org": ["a b"]}}, quiet_weekdays=[])
    vspark = VSpark(sandbox)
    (record,) = vspark.stats("20240501-20240501", "/A%20Co/A%20Co-Org/a%20b").json()
    assert (record["date"], record["folder"]) == ("20240501", "a b")
    with pytest.raises(ValueError, match="company to organization to a list of folders"):
        sandbox.set_options("vspark", companies={"A Co": ["a b"]})
    with pytest.raises(ValueError, match="an IANA time zone"):
        sandbox.set_options("vspark", timezone="Mars/Olympus")


@pytest.mark.parametrize(("method", "path"), [("POST", f"/stats{ORGANIZATION}"), ("GET", "/summary/x/y")])
def test_what_is_not_there_is_not_found_in_text(vspark: VSpark, method: str, path: str) -> None:
    answer = requests.request(method, vspark.base + path, params={"token": vspark.token})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")
