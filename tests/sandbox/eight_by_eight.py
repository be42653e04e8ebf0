"""8x8 clients that are nothing but requests, and the seeds' own samples."""

from __future__ import annotations

from typing import Any

import requests

from airflow_provider_contactcenter.sandbox import Sandbox

#: the create request of the summary guide, as printed there
WEEKLY: dict[str, Any] = {
    "type": "queue-interactions-summary",
    "title": "Weeky Queue Report for OPS",
    "dateRange": {"start": "2022-08-03T00:00:00.000Z", "end": "2022-09-02T00:00:00.000Z"},
    "granularity": "week",
    "groupBy": {
        "name": "media-and-channel-and-queue",
        "filters": [
            {"name": "queue", "values": ["103", "330"]},
            {"name": "media", "values": ["Phone", "Chat"]},
        ],
    },
    "timezone": "America/New_York",
    "intraDayTimeRange": {"start": "08:30:00", "end": "17:00:00"},
    "metrics": [
        "accepted",
        "acceptedInSla",
        "acceptedInSlaPercentage",
        "acceptedPercentage",
        "totalAbandoned",
        "totalAbandonedPercentage",
    ],
    "includeGrandTotal": True,
    "includeSubTotal": True,
}
#: its overnight range, with two digits of a fraction
OVERNIGHT: dict[str, Any] = {
    "dateRange": {"start": "2022-08-05T00:00:00.00Z", "end": "2022-08-11T00:00:00.00Z"},
    "intraDayTimeRange": {"start": "20:00:00", "end": "06:00:00"},
}
WEEK: dict[str, Any] = {
    "type": "queue-interactions-summary",
    "title": "A week",
    "dateRange": {"start": "2024-05-06T00:00:00.000Z", "end": "2024-05-12T23:59:59.999Z"},
    "granularity": "day",
    "groupBy": {"name": "queue"},
    "timezone": "UTC",
}


class ContactCenter:
    """The calls of Contact Center Historical Analytics."""

    def __init__(self, sandbox: Sandbox, version: str = "v7", region: str = "") -> None:
        self.connection = sandbox.connections["eight_by_eight_cc_default"]
        self.base = f"{self.connection['host']}{region}/analytics/cc/{version}/historical-metrics"
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def token(self, **form: str) -> requests.Response:
        login, password = self.connection["login"], self.connection["password"]
        url = self.connection["extra"]["auth_url"]
        return requests.post(url, auth=(login, password), data=form or {"grant_type": "client_credentials"})

    def get(self, path: str, accept: str = "application/json", **query: Any) -> requests.Response:
        headers = {**self.headers, "Accept": accept}
        return requests.get(f"{self.base}{path}", params=query, headers=headers)

    def create(self, body: Any, path: str = "") -> requests.Response:
        return requests.post(f"{self.base}{path}", json=body, headers=self.headers)

    def submitted(self, body: Any, path: str = "") -> int:
        """The id of a new report."""
        answer = self.create(body, path)
        assert answer.status_code == 200, answer.text
        report_id: int = answer.json()["id"]
        return report_id

    def rows(self, report_id: int, size: int = 1000) -> list[Any]:
        """All rows, page by page."""
        rows: list[Any] = []
        while True:
            answer = self.get(f"/{report_id}/data", page=len(rows) // size, size=size)
            rows += answer.json()
            if "Link" not in answer.headers:
                return rows


class Work:
    """The calls of Work Analytics."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.connection = sandbox.connections["eight_by_eight_work_default"]
        self.base = f"{self.connection['host']}/analytics/work"
        self.key = {"8x8-apikey": self.connection["extra"]["api_key"]}
        self.headers = {**self.key, "Authorization": f"Bearer {self.token().json()['access_token']}"}

    def token(self, headers: Any = None, **form: str) -> requests.Response:
        given = {"username": self.connection["login"], "password": self.connection["password"], **form}
        url = self.connection["extra"]["auth_url"]
        return requests.post(url, headers=self.key if headers is None else headers, data=given)

    def get(self, path: str, **query: Any) -> requests.Response:
        return requests.get(f"{self.base}{path}", params=query, headers=self.headers)

    def scroll(self, path: str, **query: Any) -> list[Any]:
        """All rows, page by page."""
        rows: list[Any] = []
        while True:
            answer = self.get(path, **query)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            if not body["data"]:
                return rows
            rows += body["data"]
            query["scrollId"] = body["meta"]["scrollId"]
