"""The sandbox in a process of its own: where every benchmark's reports come from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

from airflow_provider_contactcenter.sandbox.registry import VENDORS

MIB = 1 << 20
WINDOW = {"start": "2025-05-01T00:00:00Z", "end": "2025-05-02T00:00:00Z"}
#: jobs are done as soon as they are submitted, links outlive a run
OPTIONS = {
    "talkdesk.ladder": "[]",
    "talkdesk.link_seconds": "3600",
    "talkdesk.max_running": "100000",
    "eight_by_eight_work.retention_years": "100",
}


class Sandbox:
    """What a benchmark asks of the sandbox.

    :ivar environ: the environment that holds the connections to it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.connection = json.loads(environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
        self.url = self.connection["host"].removesuffix("/talkdesk")

    def set_options(self, vendor: str = "talkdesk", **options: Any) -> None:
        body = {"vendor": vendor, **options}
        requests.post(f"{self.url}/_sandbox/options", json=body, timeout=60).raise_for_status()

    def served(self) -> dict[str, Any]:
        """The last file that went out."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/_sandbox/served", timeout=60).json()
        return found[-1]

    def asked(self) -> list[dict[str, Any]]:
        """The requests since ``forget``."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/_sandbox/journal", timeout=60).json()
        return found

    def forget(self) -> None:
        """Begin a new journal."""
        requests.delete(f"{self.url}/_sandbox/journal", timeout=60).raise_for_status()

    def submit(self) -> tuple[dict[str, Any], dict[str, str], str]:
        """Submit a report by hand: the job as this package knows it, a token's header, where to poll."""
        from airflow_provider_contactcenter.nouns import new_job

        connection, extra = self.connection, self.connection["extra"]
        grant = requests.post(
            (extra if isinstance(extra, dict) else json.loads(extra))["auth_url"],
            data={"grant_type": "client_credentials"},
            auth=(connection["login"], connection["password"]),
            timeout=60,
        ).json()
        headers = {"Authorization": f"Bearer {grant['access_token']}"}
        timespan = {"from": WINDOW["start"], "to": WINDOW["end"]}
        body = {"timezone": "UTC", "format": "csv", "timespan": timespan}
        jobs = f"{connection['host']}/data/reports/calls/jobs"
        job_id = requests.post(jobs, json=body, headers=headers, timeout=60).json()["job"]["id"]
        return dict(new_job(calls(), job_id)), headers, f"{jobs}/{job_id}"

    def link(self) -> str:
        """Submit the report by hand and return the signed link to its file."""
        _, headers, url = self.submit()
        answer = requests.get(
            url.replace("/jobs/", "/files/"), headers=headers, allow_redirects=False, timeout=60
        )
        return str(answer.headers["Location"])

    def file(self, folder: Path) -> Path:
        """The report's file on local disk, in the page cache."""
        path = folder / "calls.csv"
        with requests.get(self.link(), stream=True, timeout=60) as answer, path.open("wb") as out:
            for piece in answer.iter_content(MIB):
                out.write(piece)
        return path


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Run one."""
    flags = [flag for name, value in OPTIONS.items() for flag in ("--option", f"{name}={value}")]
    command = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", command, "sandbox", "--port", "0", *flags], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in VENDORS]  # a connection each
            yield Sandbox(dict(line.split("=", 1) for line in lines))
        finally:
            process.terminate()


def calls(**values: Any) -> Any:
    """The report of a day of calls."""
    from airflow_provider_contactcenter.reports import talkdesk_report

    return talkdesk_report("calls", **WINDOW, **values)


def context() -> Any:
    """The context of a task's only try."""
    ti = SimpleNamespace(
        dag_id="nightly",
        task_id="calls",
        run_id="manual",
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
    )
    return {"ti": ti, "outlet_events": {}}
