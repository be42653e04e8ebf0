"""A sandbox, and a Talkdesk client that is nothing but requests: this package's own client stays out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

MAY_DAY = {"from": "2024-05-01T00:00:00Z", "to": "2024-05-02T00:00:00Z"}


class Talkdesk:
    """The calls of the API, redirects left to the test."""

    def __init__(self, sandbox: Sandbox, report: str = "calls") -> None:
        self.connection = sandbox.connections["talkdesk_default"]
        self.jobs_url = f"{self.connection['host']}/data/reports/{report}/jobs"
        self.files_url = f"{self.connection['host']}/data/reports/{report}/files"
        self.renew()

    def renew(self) -> None:
        """Ask for another token."""
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def token(self, **form: str) -> requests.Response:
        login, password = self.connection["login"], self.connection["password"]
        url = self.connection["extra"]["auth_url"]
        return requests.post(url, auth=(login, password), data={"grant_type": "client_credentials", **form})

    def create(self, timespan: Any = MAY_DAY, **body: Any) -> requests.Response:
        return requests.post(self.jobs_url, json={"timespan": timespan, **body}, headers=self.headers)

    def submitted(self, timespan: Any = MAY_DAY, **body: Any) -> str:
        """The id of a new job."""
        job_id: str = self.create(timespan, **body).json()["job"]["id"]
        return job_id

    def poll(self, job_id: str) -> requests.Response:
        return requests.get(f"{self.jobs_url}/{job_id}", headers=self.headers, allow_redirects=False)

    def file(self, job_id: str) -> requests.Response:
        return requests.get(f"{self.files_url}/{job_id}", headers=self.headers, allow_redirects=False)

    def content(self, job_id: str) -> bytes:
        """The file, by way of the storage."""
        return requests.get(self.file(job_id).headers["Location"]).content


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Jobs are done as soon as they are submitted."""
    with Sandbox(options={"talkdesk": {"ladder": []}}) as sandbox:
        yield sandbox


@pytest.fixture
def talkdesk(sandbox: Sandbox) -> Talkdesk:
    return Talkdesk(sandbox)
