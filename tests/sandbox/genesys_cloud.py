"""A Genesys Cloud client that is nothing but requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

VENDOR = "genesys_cloud"
NOW = datetime(2026, 5, 14, 12, tzinfo=UTC)
DAY = "2026-05-06T00:00:00.000Z/2026-05-07T00:00:00.000Z"
NEXT_DAY = "2026-05-07T00:00:00.000Z/2026-05-08T00:00:00.000Z"
Row = dict[str, Any]


def day(number: int, month: int = 5) -> str:
    """The interval of a day in 2026."""
    first = f"2026-{month:02d}-{number:02d}T00:00:00.000Z"
    return f"{first}/2026-{month:02d}-{number + 1:02d}T00:00:00.000Z"


def sandbox_with(**options: Any) -> Sandbox:
    """A sandbox whose clock stands still and whose jobs are over at once."""
    return Sandbox(clock=Clock(NOW), options={VENDOR: {"ladder": [], **options}})


class Genesys:
    """The calls of the API for one subject."""

    def __init__(self, sandbox: Sandbox, subject: str = "conversations") -> None:
        self.connection = sandbox.connections["genesys_cloud_default"]
        self.subject = subject
        self.rows_name = {"conversations": "conversations", "users": "userDetails"}[subject]
        self.url = f"{self.connection['host']}/api/v2/analytics/{subject}/details/jobs"
        self.renew()

    def token(self, login: str | None = None, password: str | None = None) -> requests.Response:
        auth = (login or self.connection["login"], password or self.connection["password"])
        form = {"grant_type": "client_credentials"}
        return requests.post(self.connection["extra"]["auth_url"], auth=auth, data=form)

    def renew(self) -> None:
        """Ask for another token."""
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def availability(self) -> requests.Response:
        return requests.get(f"{self.url}/availability", headers=self.headers)

    def create(self, interval: str = DAY, **body: Any) -> requests.Response:
        return self.create_raw({"interval": interval, **body})

    def create_raw(self, body: Any) -> requests.Response:
        return requests.post(self.url, json=body, headers=self.headers)

    def submitted(self, interval: str = DAY, **body: Any) -> str:
        """The id of a new job."""
        job_id: str = self.create(interval, **body).json()["jobId"]
        return job_id

    def poll(self, job_id: str) -> requests.Response:
        return requests.get(f"{self.url}/{job_id}", headers=self.headers)

    def state(self, job_id: str) -> Any:
        return self.poll(job_id).json().get("state")

    def cancel(self, job_id: str) -> requests.Response:
        return requests.delete(f"{self.url}/{job_id}", headers=self.headers)

    def page(self, job_id: str, **query: Any) -> requests.Response:
        return requests.get(f"{self.url}/{job_id}/results", headers=self.headers, params=query)

    def pages(self, job_id: str, size: int = 1_000) -> list[Row]:
        """All pages, by their cursors."""
        pages: list[Row] = [self.page(job_id, pageSize=size).json()]
        while pages[-1].get("cursor"):
            pages.append(self.page(job_id, pageSize=size, cursor=pages[-1]["cursor"]).json())
        return pages

    def rows(self, interval: str = DAY, size: int = 1_000, **body: Any) -> list[Row]:
        """All rows of a new job."""
        job_id = self.submitted(interval, **body)
        return [row for page in self.pages(job_id, size) for row in page.get(self.rows_name) or ()]

    def ids(self, interval: str = DAY, **body: Any) -> list[str]:
        """The ids of a new job's conversations."""
        return [row["conversationId"] for row in self.rows(interval, **body)]


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    body = json.loads(answer.content)
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]
