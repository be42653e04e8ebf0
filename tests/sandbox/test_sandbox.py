from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sandbox.registry import VENDORS

from .conftest import Talkdesk


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{sandbox.url}/_sandbox{path}", json=body)


def test_environ_holds_every_default_connection_as_airflow_reads_it(sandbox: Sandbox) -> None:
    assert {f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in sandbox.connections} == set(sandbox.environ)
    for connection in map(json.loads, sandbox.environ.values()):
        assert sorted(connection) == ["conn_type", "extra", "host", "login", "password"]
        assert connection["host"].startswith(sandbox.url)
    assert json.loads(sandbox.environ["AIRFLOW_CONN_TALKDESK_DEFAULT"]) == {
        "conn_type": "talkdesk",
        "host": f"{sandbox.url}/talkdesk",
        "login": "sandbox-client-id",
        "password": "sandbox-client-secret",
        "extra": {"account": "sandbox", "auth_url": f"{sandbox.url}/talkdesk/talkdeskid/oauth/token"},
    }


def test_vendors_have_names_and_defaults_that_their_own_options_allow() -> None:
    assert len({vendor.name for vendor in VENDORS}) == len(VENDORS)
    for vendor in VENDORS:
        assert vendor.checked({name: option.default for name, option in vendor.all_options.items()})


@pytest.mark.parametrize(
    ("vendor", "options", "says"),
    [
        ("acme", {}, "There is no vendor 'acme'"),
        ("talkdesk", {"color": 1}, "talkdesk has no option 'color'"),
        ("talkdesk", {"done_as": "303"}, "talkdesk.done_as must be one of 303, 300"),
        ("talkdesk", {"expires_in": True}, "talkdesk.expires_in must be a number"),
        ("talkdesk", {"ladder": [["created", "soon", 1]]}, "talkdesk.ladder must be a list of"),
    ],
)
def test_bad_options_get_a_sentence_at_the_start_and_later(
    sandbox: Sandbox, vendor: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match="^" + says.split("[")[0]), Sandbox(options={vendor: options}):
        pass
    with pytest.raises(ValueError, match="^" + says.split("[")[0]):
        sandbox.set_options(vendor, **options)
    answer = control(sandbox, "POST", "/options", {"vendor": vendor, **options})
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_port_that_is_taken_raises_and_a_second_sandbox_takes_others(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), Sandbox(port=port):
        pass
    with Sandbox() as second:
        assert len({sandbox.url, sandbox.storage_url, second.url, second.storage_url}) == 4


def test_nothing_listens_any_more_after_the_block() -> None:
    with Sandbox() as sandbox:
        url = sandbox.url
        assert requests.get(f"{url}/_sandbox").status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/_sandbox")


def test_another_process_can_do_all_of_it_over_http(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    overview = control(sandbox, "GET", "").json()
    assert overview["connections"] == sandbox.connections
    assert overview["storage_url"] == sandbox.storage_url
    assert overview["vendors"]["talkdesk"]["options"]["max_running"] == 15
    options = {"rows": 3, "ladder": [["processing", 0, 1]]}
    assert control(sandbox, "POST", "/options", {"vendor": "talkdesk", **options}).json()["rows"] == 3
    job_id = talkdesk.submitted()
    held = control(sandbox, "POST", f"/jobs/{job_id}", {"state": "processing"})
    assert held.json() == {"id": job_id, "state": "processing"}
    assert talkdesk.poll(job_id).json()["job"]["status"] == "processing"
    assert control(sandbox, "GET", "/jobs?vendor=talkdesk").json()[0]["polls"] == 1
    control(sandbox, "POST", f"/jobs/{job_id}", {"state": None})
    talkdesk.content(job_id)
    assert control(sandbox, "GET", "/served").json() == sandbox.served()
    assert sandbox.served()[0]["rows"] == 3
    polls = control(sandbox, "GET", "/journal?vendor=talkdesk&operation=poll").json()
    assert [entry["job"] for entry in polls] == [job_id]
    assert control(sandbox, "DELETE", f"/jobs/{job_id}").status_code == 204
    assert talkdesk.poll(job_id).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/journal?status=fine", None, 400),
        ("POST", "/jobs/none", {"state": "done"}, 400),
        ("POST", "/jobs/none", {"word": "done"}, 400),
        ("POST", "/options", {"rows": 1}, 400),
        ("POST", "/options", [], 400),
        ("GET", "/journal?colour=green", None, 400),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/faults", {}, 404),
    ],
)
def test_control_requests_that_make_no_sense_get_a_sentence(
    sandbox: Sandbox, method: str, path: str, body: Any, status: int
) -> None:
    answer = control(sandbox, method, path, body)
    assert answer.status_code == status
    assert answer.json()["error"].endswith((".", "}."))


def test_reset_forgets_everything_but_the_options_of_the_start(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    link = talkdesk.file(talkdesk.submitted()).headers["Location"]
    first = requests.get(link).content
    sandbox.set_options("talkdesk", done_as=200)
    sandbox.add_fault(fault="html", count=None)
    sandbox.reset()
    assert (sandbox.journal(), sandbox.jobs(), sandbox.served()) == ([], [], [])
    assert talkdesk.create().status_code == 401
    assert requests.get(link).status_code == 403
    again = Talkdesk(sandbox)
    job_id = again.submitted()
    assert again.poll(job_id).status_code == 303
    assert again.content(job_id) == first


def test_the_journal_keeps_what_was_asked_word_for_word(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    path = "/talkdesk/data/reports/calls/jobs/a%2Fb%20c"
    requests.get(f"{sandbox.url}{path}?x=%2B&y=a+b", headers={**talkdesk.headers, "X-Twice": "1"})
    entry = sandbox.journal()[-1]
    assert entry["target"] == f"{path}?x=%2B&y=a+b"
    assert (entry["origin"], entry["vendor"], entry["operation"]) == ("api", "talkdesk", "poll")
    assert (entry["method"], entry["status"], entry["fault"]) == ("GET", 404, None)
    assert ["X-Twice", "1"] in entry["headers"]
    assert ["Authorization", talkdesk.headers["Authorization"]] in entry["headers"]
    assert entry["time"].endswith("+00:00")


def test_the_journal_knows_requests_that_are_nobodys(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/nowhere").status_code == 404
    assert requests.delete(sandbox.connections["talkdesk_default"]["extra"]["auth_url"]).status_code == 404
    assert [(entry["vendor"], entry["operation"]) for entry in sandbox.journal()] == [
        (None, "unknown"),
        ("talkdesk", "unknown"),
    ]


def test_another_process_may_filter_the_journal_by_numbers(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    assert talkdesk.poll("nobodys").status_code == 404
    found = control(sandbox, "GET", "/journal?status=404").json()
    assert [entry["operation"] for entry in found] == ["poll"]
    assert control(sandbox, "GET", f"/journal?number={found[0]['number']}").json() == found
    assert control(sandbox, "GET", "/journal?status=404&operation=token").json() == []


def test_changing_a_journal_entry_does_not_change_the_journal(sandbox: Sandbox) -> None:
    requests.get(f"{sandbox.url}/nowhere")
    sandbox.journal()[0]["headers"].clear()
    assert sandbox.journal()[0]["headers"]


def test_many_threads_may_use_it_at_once(talkdesk: Talkdesk, sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", max_running=1000)

    def work() -> None:
        for _ in range(5):
            job_id = talkdesk.submitted()
            sandbox.hold(job_id, "failed")
            assert talkdesk.poll(job_id).json()["job"]["status"] == "failed"
            sandbox.journal(job=job_id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    jobs = sandbox.jobs("talkdesk")
    assert [job["state"] for job in jobs] == ["failed"] * 40
    assert [job["polls"] for job in jobs] == [1] * 40


def test_the_sandbox_shares_no_code_with_the_client_it_judges() -> None:
    program = """
import sys
from airflow_provider_contactcenter.sandbox import Sandbox, pytest_plugin
with Sandbox():
    ours = [name for name in sys.modules if name.startswith("airflow_provider_contactcenter")]
print([name for name in ours if not name.startswith("airflow_provider_contactcenter.sandbox")])
print([name for name in sys.modules if name.partition(".")[0] in ("airflow", "requests", "boto3")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['airflow_provider_contactcenter']", "[]"]


def test_the_pytest_plugin_imports_no_server_until_a_test_asks_for_it() -> None:
    program = """
import sys
import airflow_provider_contactcenter.sandbox.pytest_plugin
print([name for name in ("aiohttp", "asyncio", "requests", "airflow") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
