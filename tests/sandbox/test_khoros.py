"""Khoros Care over real HTTP. The samples are those of the vendor's Quick Start, as printed there."""

from __future__ import annotations

import csv
import io
import json
import re
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import UUID

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

PATHS = ("report", "report/report", "report/marketing", "marketing")
WINDOW = {"startTime": "1551441600000", "endTime": "1556712000000"}

SUBMITTED = """{ "status":"PASS", "request":null, "message":null, "result":{ "workflowId":"cc645bd3-9def-3d5c-bf05-20efeb11f453", "runId":"23IS1+Anp9mm9Bl+C2VZV3UY2T6g4H6eoODJUFQPVpvlI=", "downloadUrl":"", "statusUrl":"https://analytics-api.app.lithium.com/api/public/reports/report/cc645bd3-9def-3d5c-bf05-20efeb11f453/23IS1%2BAnp9mm9Bl%2BC2VZV3UY2T6g4H6eoODJUFQPVpvlI%3D/status?companyKey=[COMPANY_KEY]" } }"""  # noqa: E501
COMPLETED = """{ "status": "PASS", "request": null, "message": null, "result": { "jobInfo": { "workflowId": "f71ccb0c-afdc-32c6-8bfd-443f8eabae87", "runId": "23nUak09Gc3t5K65L3GMQ3Y1onNYtvSsfUSuqEO0+pkHA=", "downloadUrl": "https://analytics-api.app.lithium.com/api/public/reports/report/f71ccb0c-afdc-32c6-8bfd-443f8eabae87/23nUak09Gc3t5K65L3GMQ3Y1onNYtvSsfUSuqEO0%2BpkHA%3D/download?analyticsAccessToken=oMqgB5T7BikRH3ISPxlqIw%3D%3D", "statusUrl": "https://analytics-api.app.lithium.com/api/public/reports/report/f71ccb0c-afdc-32c6-8bfd-443f8eabae87/23nUak09Gc3t5K65L3GMQ3Y1onNYtvSsfUSuqEO0%2BpkHA%3D/status?analyticsAccessToken=oMqgB5T7BikRH3ISPxlqIw%3D%3D" }, "result": { "runnerState": "CLOSED", "reason": null, "detail": "COMPLETED", "currentCount": null, "totalCount": null, "lastAcknowledgeTime": null } } }"""  # noqa: E501
RUNNING = """{ "status": "PASS", "request": null, "message": null, "result": [ { "jobInfo": { "workflowId": "57113d95-0745-320b-9269-00de3a9a3128", "runId": "23g+OxKtvHZugyyn1PN+0y5u7EFFtnRDBbyRjEeXWSRcQ=", "downloadUrl": "", "statusUrl": "https://analytics-api.app.lithium.com/api/public/reports/report/57113d95-0745-320b-9269-00de3a9a3128/23g%2BOxKtvHZugyyn1PN%2B0y5u7EFFtnRDBbyRjEeXWSRcQ%3D/status?analyticsAccessToken=53u6j8zjSLAe6e%2F8s80LtA%3D%3D" }, "result": { "runnerState": "RUNNING", "reason": null, "detail": "", "currentCount": null, "totalCount": null, "lastAcknowledgeTime": null } } ] }"""  # noqa: E501
FAILED = """{ "status": "PASS", "request": null, "message": null, "result": [ { "jobInfo": { "workflowId": "57113d95-0745-320b-9269-00de3a9a3128", "runId": "23g+OxKtvHZugyyn1PN+0y5u7EFFtnRDBbyRjEeXWSRcQ=", "downloadUrl": "", "statusUrl": "https://analytics-api.app.lithium.com/api/public/reports/report/57113d95-0745-320b-9269-00de3a9a3128/23g%2BOxKtvHZugyyn1PN%2B0y5u7EFFtnRDBbyRjEeXWSRcQ%3D/status?analyticsAccessToken=53u6j8zjSLAe6e%2F8s80LtA%3D%3D" }, "result": { "runnerState": "CLOSED", "reason": null, "detail": "FAILED", "currentCount": null, "totalCount": null, "lastAcknowledgeTime": null } } ] }"""  # noqa: E501


class Khoros:
    """The calls of the API, redirects left to the test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.connection = sandbox.connections["khoros_care_default"]
        self.base = f"{self.connection['host']}/api/public/reports"
        self.auth = (self.connection["login"], self.connection["password"])
        self.key = {"companyKey": self.connection["extra"]["company_api_key"]}

    def get(self, url: str, **arguments: Any) -> requests.Response:
        return requests.get(url, **{"auth": self.auth, "allow_redirects": False, **arguments})

    def submit(self, export: str = "conversation", **query: Any) -> requests.Response:
        return self.get(
            f"{self.base}/report/{export}", params={**self.key, "locale": "en_US", **WINDOW, **query}
        )

    def submitted(self, **query: Any) -> dict[str, str]:
        result: dict[str, str] = self.submit(**query).json()["result"]
        return result

    def status(self, job: dict[str, str]) -> Any:
        return self.get(job["statusUrl"]).json()["result"]

    def download_url(self, job: dict[str, str]) -> str:
        url: str = self.status(job)["jobInfo"]["downloadUrl"]
        return url

    def file(self, **query: Any) -> bytes:
        return requests.get(self.download_url(self.submitted(**query)), auth=self.auth).content

    def run_url(self, job: dict[str, str], run_id: str, verb: str = "status") -> str:
        return f"{self.base}/report/{job['workflowId']}/{run_id}/{verb}?companyKey={self.key['companyKey']}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Jobs are done as soon as they are submitted."""
    with Sandbox(options={"khoros_care": {"ladder": []}}) as sandbox:
        yield sandbox


@pytest.fixture
def khoros(sandbox: Sandbox) -> Khoros:
    return Khoros(sandbox)


def shape(value: Any) -> Any:
    """Keys in their order, and of each value what doesn't change from job to job."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [shape(member) for member in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"^(https://analytics-api.app.lithium.com|http://127.0.0.1:\d+/khoros)", "HOST", value)
    value = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "WORKFLOW", value)
    value = re.sub(r"23([\w+/]|%2B|%2F){43}(=|%3D)", r"RUN\2", value)
    value = re.sub(r"analyticsAccessToken=([\w]|%2B|%2F){22}%3D%3D$", "TOKEN", value)
    return re.sub(r"companyKey=.*", "KEY", value)


def test_the_answer_to_a_submit_is_the_quick_starts(khoros: Khoros) -> None:
    answer = khoros.submit(reportFormat="csv")
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(json.loads(SUBMITTED))
    result = answer.json()["result"]
    assert result["statusUrl"] == khoros.run_url(result, quote(result["runId"], safe=""))


@pytest.mark.parametrize(
    ("options", "sample"),
    [
        ({}, COMPLETED),
        ({"ladder": [["RUNNING", 0, 1]]}, RUNNING),
        ({"end": "CLOSED/FAILED"}, FAILED),
    ],
)
def test_the_answers_to_a_status_are_the_quick_starts(
    khoros: Khoros, sandbox: Sandbox, options: dict[str, Any], sample: str
) -> None:
    sandbox.set_options("khoros_care", **options)
    answer = khoros.get(khoros.submitted()["statusUrl"])
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(json.loads(sample))


def test_the_quick_starts_own_requests_work_as_curl_sends_them(khoros: Khoros) -> None:
    key = f"companyKey={khoros.key['companyKey']}"
    times = "startTime=1551441600000&endTime=1556712000000"
    first = khoros.get(f"{khoros.base}/report/conversation?reportFormat=csv&locale=en_US&{key}&{times}")
    metrics = "reportMetrics=CONVERSATION_ID&reportMetrics=STATUS&reportMetrics=ASSIGNED_AGENT_DISPLAY_ID"
    second = khoros.get(f"{khoros.base}/report/conversation?locale=en_US&{key}&{times}&{metrics}")
    for answer in (first, second):
        job = answer.json()["result"]
        run = quote(job["runId"], safe="")
        assert khoros.get(khoros.run_url(job, run)).json()["status"] == "PASS"
        assert requests.get(khoros.run_url(job, run, "download"), auth=khoros.auth).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_export_is_submitted_by_get_or_post_on_four_paths(
    khoros: Khoros, sandbox: Sandbox, path: str, method: str
) -> None:
    url = f"{khoros.base}/{path}/raw_agent_states"
    answer = requests.request(method, url, params={**khoros.key, **WINDOW}, auth=khoros.auth)
    assert answer.json()["status"] == "PASS"
    assert sandbox.jobs("khoros_care")[0]["kind"] == "raw_agent_states"
    sandbox.set_options("khoros_care", paths=[known for known in PATHS if known != path])
    again = requests.request(method, url, params={**khoros.key, **WINDOW}, auth=khoros.auth)
    assert again.status_code == 404


@pytest.mark.parametrize("form", ["data", "json"])
def test_a_post_may_have_its_parameters_in_the_body(khoros: Khoros, sandbox: Sandbox, form: str) -> None:
    body: Any = {**WINDOW, "reportFormat": "csv", "reportMetrics": ["STATUS", "PRIORITY"]}

    def post() -> requests.Response:
        url = f"{khoros.base}/report/conversation"
        return requests.post(url, params=khoros.key, auth=khoros.auth, **{form: body})

    url = khoros.download_url(post().json()["result"])
    assert requests.get(url, auth=khoros.auth).text.splitlines()[0] == "STATUS,PRIORITY"
    sandbox.set_options("khoros_care", post_parameters="query")
    assert post().status_code == 400


def test_one_method_may_be_all_there_is(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", methods="POST")
    refused = khoros.submit()
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("auth", [None, ("sandbox@example.com", "wrong"), ("who", "sandbox:password")])
def test_bad_basic_gets_401_on_every_call_even_with_an_access_token(khoros: Khoros, auth: Any) -> None:
    job = khoros.submitted()
    info = khoros.status(job)["jobInfo"]
    for url in (
        f"{khoros.base}/report/conversation",
        job["statusUrl"],
        info["statusUrl"],
        info["downloadUrl"],
    ):
        answer = khoros.get(url, auth=auth, params={**khoros.key, **WINDOW})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_access_token_may_be_enough(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", basic="unless_token")
    job = khoros.submitted()
    info = khoros.status(job)["jobInfo"]
    assert khoros.get(info["statusUrl"], auth=None).status_code == 200
    assert khoros.get(job["statusUrl"], auth=None).status_code == 401


@pytest.mark.parametrize("query", ["", "?companyKey=wrong", "?company_key=sandbox-company-key"])
def test_a_missing_or_wrong_company_key_gets_403_on_every_call(khoros: Khoros, query: str) -> None:
    job = khoros.submitted()
    status, download = (
        khoros.run_url(job, quote(job["runId"], safe=""), verb).partition("?")[0]
        for verb in ("status", "download")
    )
    for url in (f"{khoros.base}/report/conversation", status, download):
        assert khoros.get(url + query).status_code == 403


def test_an_access_token_opens_its_own_job_and_no_other_call(khoros: Khoros) -> None:
    job, other = khoros.submitted(), khoros.submitted()
    token = urlsplit(khoros.status(job)["jobInfo"]["statusUrl"]).query
    plain = other["statusUrl"].partition("?")[0]
    assert khoros.get(f"{plain}?{token}").status_code == 403
    assert khoros.get(f"{khoros.base}/report/conversation?{token}", params=WINDOW).status_code == 403
    assert khoros.get(f"{job['statusUrl'].partition('?')[0]}?{token}").status_code == 200


def test_a_token_with_its_plus_unencoded_is_wrong(khoros: Khoros) -> None:
    url = khoros.status(khoros.submitted())["jobInfo"]["statusUrl"]
    place, _, query = url.partition("?")
    value = parse_qs(query)["analyticsAccessToken"][0]
    assert set("+/=") <= set(value)
    assert khoros.get(url).status_code == 200
    assert khoros.get(f"{place}?analyticsAccessToken={value}").status_code == 403


@pytest.mark.parametrize("code", [403, 404])
def test_an_access_token_runs_out_and_the_company_key_does_not(
    khoros: Khoros, sandbox: Sandbox, code: int
) -> None:
    sandbox.set_options("khoros_care", access_token_seconds=60, expired_as=code)
    job = khoros.submitted()
    url = khoros.download_url(job)
    assert khoros.get(url).status_code == 302
    sandbox.clock.advance(60)
    assert khoros.get(url).status_code == code
    assert khoros.get(khoros.download_url(job)).status_code == 302


def test_faults_kill_the_tokens_that_were_or_will_be_handed_out(khoros: Khoros, sandbox: Sandbox) -> None:
    job = khoros.submitted()
    url = khoros.download_url(job)
    sandbox.add_fault(vendor="khoros_care", operation="download", fault="revoke_token")
    assert khoros.get(url).status_code == 403
    sandbox.add_fault(vendor="khoros_care", operation="status", fault="expired_link")
    assert khoros.get(khoros.download_url(job)).status_code == 403


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"startTime": None}, "'startTime' is not present"),
        ({"endTime": None}, "'endTime' is not present"),
        ({"startTime": "1551441600000.0"}, "'startTime' must be the epoch time in milliseconds"),
        ({"endTime": "2019-05-01T12:00:00Z"}, "'endTime' must be"),
        ({"endTime": ""}, "'endTime' must be"),
        ({"endTime": "9" * 17}, "'endTime' is out of range"),
        ({"locale": "en"}, "'locale' must be a locale such as en_US"),
        ({"locale": "english"}, "'locale'"),
        ({"reportFormat": "xlsx"}, "'reportFormat' must be csv or json"),
        ({"timezoneOffset": "-5h"}, "'timezoneOffset' must be a whole number"),
    ],
)
def test_bad_parameters_get_400_and_an_envelope_that_is_not_pass(
    khoros: Khoros, sandbox: Sandbox, query: dict[str, Any], says: str
) -> None:
    answer = khoros.submit(**query)
    assert answer.status_code == 400
    body = answer.json()
    assert list(body) == ["status", "request", "message", "result"]
    assert (body["status"], body["request"], body["result"]) == ("FAIL", None, None)
    assert says in body["message"]
    assert sandbox.jobs() == []


@pytest.mark.parametrize(
    ("option", "query"),
    [
        ({"require_locale": True}, {"locale": None}),
        ({"known_metrics_only": True}, {"reportMetrics": ["STATUS", "COLOUR"]}),
        ({"check_window": True}, {"startTime": WINDOW["endTime"], "endTime": WINDOW["startTime"]}),
    ],
)
def test_what_the_documents_leave_open_passes_unless_told_otherwise(
    khoros: Khoros, sandbox: Sandbox, option: dict[str, bool], query: dict[str, Any]
) -> None:
    assert khoros.submit(**query).status_code == 200
    sandbox.set_options("khoros_care", **option)
    assert khoros.submit(**query).status_code == 400


def test_an_error_may_come_with_200_as_html_or_with_nothing(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", error_http="200", error_word="ERROR")
    answer = khoros.submit(locale="x")
    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")
    sandbox.set_options("khoros_care", error_shape="html", error_http="code")
    assert khoros.submit(locale="x").headers["Content-Type"] == "text/html"
    sandbox.set_options("khoros_care", error_shape="empty")
    assert (khoros.submit(locale="x").status_code, khoros.submit(locale="x").content) == (400, b"")


def test_an_export_may_be_unknown(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", exports=["conversation"])
    assert (khoros.submit().status_code, khoros.submit("author").status_code) == (200, 404)


def test_a_workflow_id_is_a_uuid_made_from_a_name(khoros: Khoros) -> None:
    samples = re.findall('"workflowId": ?"([^"]+)"', SUBMITTED + COMPLETED + RUNNING + FAILED)
    ids = [khoros.submitted()["workflowId"] for _ in range(3)]
    assert {UUID(text).version for text in samples + ids} == {3}
    assert len(set(ids)) == 3


def test_a_run_id_holds_plus_slash_and_equals_every_time(khoros: Khoros) -> None:
    for _ in range(20):
        run_id = khoros.submitted()["runId"]
        assert re.fullmatch(r"23[A-Za-z0-9+/]{43}=", run_id)
        assert {"+", "/"} <= set(run_id)


def test_a_run_id_of_every_base64_character_survives_when_it_is_encoded_once(
    khoros: Khoros, sandbox: Sandbox
) -> None:
    sandbox.set_options("khoros_care", run_id="every_character", exact_encoding=True)
    job = khoros.submitted()
    assert set(string.ascii_letters + string.digits + "+/=") == set(job["runId"])
    url = khoros.download_url(job)
    assert requests.get(url, auth=khoros.auth).status_code == 200
    encoded = f"/khoros/api/public/reports/report/{job['workflowId']}/{quote(job['runId'], safe='')}"
    for operation, verb in (("status", "/status"), ("download", "/download")):
        (entry,) = sandbox.journal(operation=operation)
        assert entry["target"].partition("?")[0] == encoded + verb


@pytest.mark.parametrize("verb", ["status", "download"])
def test_ids_that_were_encoded_wrongly_are_not_found(khoros: Khoros, verb: str) -> None:
    job = khoros.submitted()
    once = quote(job["runId"], safe="")
    wrong = [
        quote(once, safe=""),  # twice
        job["runId"],  # not at all: the slash splits it
        once.replace("%2B", "%20"),  # a plus that became a space
        once[2:],
        unquote(once).replace("/", ""),
    ]
    for run_id in wrong:
        assert khoros.get(khoros.run_url(job, run_id, verb)).status_code == 404
    assert khoros.get(khoros.run_url(job, once, verb)).status_code in (200, 302)
    other = khoros.submitted()
    assert khoros.get(khoros.run_url(other, once, verb)).status_code == 404


def test_a_plus_or_equals_that_stands_for_itself_is_allowed_unless_told_otherwise(
    khoros: Khoros, sandbox: Sandbox
) -> None:
    job = khoros.submitted()
    lenient = khoros.run_url(job, quote(job["runId"], safe="+="))
    assert khoros.get(lenient).status_code == 200
    sandbox.set_options("khoros_care", exact_encoding=True)
    assert khoros.get(lenient).status_code == 404
    assert khoros.get(job["statusUrl"]).status_code == 200


def test_the_result_is_an_object_or_a_list_of_one(khoros: Khoros, sandbox: Sandbox) -> None:
    job = khoros.submitted()
    sandbox.set_options("khoros_care", status_result="list")
    (element,) = khoros.status(job)
    assert element["result"]["detail"] == "COMPLETED"
    sandbox.set_options("khoros_care", status_result="object", ladder=[["RUNNING", 0, 1]])
    job = khoros.submitted()
    assert khoros.status(job)["result"]["runnerState"] == "RUNNING"


@pytest.mark.parametrize(("form", "result"), [("empty_list", []), ("null", None)])
def test_the_first_answers_may_be_hollow(khoros: Khoros, sandbox: Sandbox, form: str, result: Any) -> None:
    sandbox.set_options("khoros_care", hollow=form, hollow_polls=2)
    job = khoros.submitted()
    assert [khoros.status(job) for _ in range(2)] == [result, result]
    assert khoros.status(job)["result"]["runnerState"] == "CLOSED"


@pytest.mark.parametrize(
    ("word", "state", "detail"),
    [
        ("CLOSED", "CLOSED", ""),
        ("CLOSED/TIMED_OUT", "CLOSED", "TIMED_OUT"),
        ("CLOSED/CONTINUED_AS_NEW", "CLOSED", "CONTINUED_AS_NEW"),
        ("OPEN/COMPLETED", "OPEN", "COMPLETED"),
        ("PAUSED", "PAUSED", ""),
    ],
)
def test_only_closed_and_completed_has_a_file(
    khoros: Khoros, sandbox: Sandbox, word: str, state: str, detail: str
) -> None:
    sandbox.set_options("khoros_care", end=word)
    job = khoros.submitted()
    (element,) = khoros.status(job)
    assert (element["result"]["runnerState"], element["result"]["detail"]) == (state, detail)
    assert element["jobInfo"]["downloadUrl"] == ""
    assert khoros.get(khoros.run_url(job, quote(job["runId"], safe=""), "download")).status_code == 404


def test_an_unheard_of_state_is_a_fault_away(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="status", fault="unknown_status", word="DREAMING/OF_SHEEP")
    job = khoros.submitted()
    (element,) = khoros.status(job)
    assert (element["result"]["runnerState"], element["result"]["detail"]) == ("DREAMING", "OF_SHEEP")
    assert khoros.status(job)["result"]["detail"] == "COMPLETED"


def test_reason_counts_and_an_empty_detail_may_be_otherwise(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options(
        "khoros_care", ladder=[["RUNNING", 0, 1]], end="CLOSED/FAILED", reason="Out of memory"
    )
    sandbox.set_options("khoros_care", counts="numbers", empty_detail=None)
    job = khoros.submitted()
    running, failed = (khoros.status(job)[0]["result"] for _ in range(2))
    assert (running["detail"], running["reason"]) == (None, None)
    assert (running["currentCount"], running["totalCount"]) == (50, 100)
    assert isinstance(running["lastAcknowledgeTime"], int)
    assert (failed["detail"], failed["reason"]) == ("FAILED", "Out of memory")


@pytest.mark.parametrize(("form", "seen"), [("late", [False, True]), ("empty", [False, False])])
def test_the_download_url_may_be_empty_although_completed(
    khoros: Khoros, sandbox: Sandbox, form: str, seen: list[bool]
) -> None:
    sandbox.set_options("khoros_care", download_url=form)
    job = khoros.submitted()
    answers = [khoros.status(job) for _ in range(2)]
    assert {answer["result"]["detail"] for answer in answers} == {"COMPLETED"}
    assert [bool(answer["jobInfo"]["downloadUrl"]) for answer in answers] == seen
    built = khoros.run_url(job, quote(job["runId"], safe=""), "download")
    assert requests.get(built, auth=khoros.auth).status_code == 200


def test_urls_carry_the_key_or_a_token(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", submit_urls="token", status_urls="company_key")
    job = khoros.submitted()
    assert list(parse_qs(urlsplit(job["statusUrl"]).query)) == ["analyticsAccessToken"]
    assert khoros.download_url(job).endswith("/download?companyKey=sandbox-company-key")


def test_urls_may_name_a_host_that_must_not_get_the_password(khoros: Khoros, sandbox: Sandbox) -> None:
    for host, begins in (
        ("vendor", "https://analytics-api.app.lithium.com/api/public/reports/report/"),
        ("storage", f"{sandbox.storage_url}/khoros/api/public/reports/report/"),
        ("https://evil.example.com/", "https://evil.example.com/api/public/reports/report/"),
    ):
        sandbox.set_options("khoros_care", urls_host=host)
        assert khoros.submitted()["statusUrl"].startswith(begins)
    sandbox.set_options("khoros_care", urls_host="storage")
    khoros.get(khoros.submitted()["statusUrl"])
    (leak,) = sandbox.journal(origin="storage")
    assert leak["status"] == 400
    assert "Authorization" in dict(leak["headers"])


def test_a_download_leads_to_the_storage_which_takes_no_credentials(khoros: Khoros, sandbox: Sandbox) -> None:
    hop = khoros.get(khoros.download_url(khoros.submitted()))
    assert (hop.status_code, hop.content) == (302, b"")
    link = hop.headers["Location"]
    assert link.startswith(sandbox.storage_url)
    assert khoros.get(link).status_code == 400
    assert requests.get(link).status_code == 200
    (served,) = sandbox.served()
    assert (served["kind"], served["format"], served["rows"]) == ("conversation", "json", 100)


@pytest.mark.parametrize("location", ["relative", "absolute"])
@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_several_hops_may_come_before_the_file(
    khoros: Khoros, sandbox: Sandbox, location: str, status: int
) -> None:
    options = {"hops": 2, "location": location, "download_status": status, "download": "direct"}
    sandbox.set_options("khoros_care", **options)
    url = khoros.download_url(khoros.submitted())
    first = khoros.get(url).headers["Location"]
    assert first.startswith("/khoros/" if location == "relative" else sandbox.url)
    answer = requests.get(url, auth=khoros.auth)
    assert [hop.status_code for hop in answer.history] == [status, status]
    assert len(answer.json()) == 100
    sandbox.set_options("khoros_care", download="redirect")
    assert len(requests.get(url, auth=khoros.auth).history) == 3


def test_a_link_to_the_storage_runs_out(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", link_seconds=0)
    assert requests.get(khoros.download_url(khoros.submitted()), auth=khoros.auth).status_code == 403


def test_csv_and_json_hold_the_same_rows(khoros: Khoros) -> None:
    document = json.loads(khoros.file())
    records = list(csv.DictReader(io.StringIO(khoros.file(reportFormat="csv").decode(), newline="")))
    assert len(document) == len(records) == 100
    assert [list(row) for row in document] == [list(row) for row in records]
    assert list(records[0])[:3] == ["CONVERSATION_ID", "STATUS", "ASSIGNED_AGENT_DISPLAY_ID"]
    assert [row["CONVERSATION_ID"] for row in document] == [row["CONVERSATION_ID"] for row in records]
    assert [row["NOTES"] or "" for row in document] == [row["NOTES"] for row in records]
    starts = [row["CREATED_TIME"] for row in document]
    assert sorted(starts) == starts
    assert int(WINDOW["startTime"]) <= starts[0] <= starts[-1] < int(WINDOW["endTime"])


def test_chosen_metrics_are_the_columns_in_their_order(khoros: Khoros) -> None:
    metrics = ["STATUS", "ASSIGNED_AGENT_DISPLAY_ID", "CONVERSATION_ID", "SLA_BREACHED?"]
    rows = json.loads(khoros.file(reportMetrics=metrics))
    assert rows
    for row in rows:
        assert list(row) == metrics
    head = khoros.file(reportMetrics=metrics, reportFormat="csv").splitlines()[0]
    assert head.decode() == ",".join(metrics)


def test_other_parameters_are_filters_and_change_what_comes(khoros: Khoros) -> None:
    plain, filtered = khoros.file(), khoros.file(agentId=["7", "8"], conversationReportType="OPEN_AT_END")
    assert plain == khoros.file() != filtered
    assert len(json.loads(filtered)) == 100


def test_an_empty_file_is_an_empty_array_or_a_header(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", rows=0)
    assert khoros.file() == b"[]"
    head = khoros.file(reportFormat="csv", reportMetrics="STATUS")
    assert head == b"STATUS\r\n"


@pytest.mark.parametrize(
    "window",
    [
        {"startTime": "1551441600", "endTime": "1556712000"},  # seconds
        {"startTime": WINDOW["endTime"], "endTime": WINDOW["startTime"]},
        {"startTime": "32503680000000", "endTime": "32503690000000"},  # the year 3000
        {"startTime": WINDOW["startTime"], "endTime": WINDOW["startTime"]},
    ],
)
def test_a_window_that_holds_nothing_passes_and_gives_an_empty_file(
    khoros: Khoros, sandbox: Sandbox, window: dict[str, str]
) -> None:
    assert khoros.file(**window) == b"[]"
    sandbox.set_options("khoros_care", bytes=100_000)
    assert khoros.file(**window) == b"[]"


def test_a_file_of_any_size_is_streamed_and_counted(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", bytes=5_000_000)
    content = khoros.file()
    assert len(content) == pytest.approx(5_000_000, rel=0.01)
    assert len(json.loads(content)) == sandbox.served()[-1]["rows"]
    sandbox.set_options("khoros_care", bytes=None, rows=4321)
    assert len(json.loads(khoros.file())) == 4321


def test_local_times_repeat_an_hour_in_autumn(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options("khoros_care", rows=500)
    rows = json.loads(khoros.file(startTime="1730610000000", endTime="1730635200000"))  # 2024-11-03
    local = [row["CREATED_AT"] for row in rows]
    assert local != sorted(local)


def test_the_wrong_format_or_content_type_may_come(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.set_options(
        "khoros_care", download="direct", served_format="csv", content_type="octet-stream", csv_bom=True
    )
    answer = khoros.get(khoros.download_url(khoros.submitted(reportFormat="json")))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.content.startswith(b"\xef\xbb\xbfCONVERSATION_ID,STATUS,")


def test_a_job_that_was_forgotten_is_not_found(khoros: Khoros, sandbox: Sandbox) -> None:
    job = khoros.submitted()
    sandbox.forget(job["workflowId"])
    answer = khoros.get(job["statusUrl"])
    assert (answer.status_code, answer.json()["status"]) == (404, "FAIL")


def test_every_submit_starts_another_workflow(khoros: Khoros, sandbox: Sandbox) -> None:
    sandbox.add_fault(operation="submit", fault="lost_answer")
    with pytest.raises(requests.ConnectionError):
        khoros.submit()
    khoros.submit()
    assert len({job["id"] for job in sandbox.jobs("khoros_care")}) == 2
