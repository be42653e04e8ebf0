"""Transfers run in this process, as a task would run them: real HTTP to the sandbox, real object stores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from tests.sandboxes import connected
from tests.stores.conftest import conditional_place, place  # noqa: F401 - fixtures
from tests.stores.servers import multipart_uploads

BUCKET = "contactcenter"


class StateStore(dict[str, Any]):
    """Airflow's task state store, as far as it is used."""

    def set(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self.pop(key, None)


def context(store: StateStore | None = None, *, try_number: int = 1, max_tries: int = 2) -> dict[str, Any]:
    """The context of one try of a task."""
    ti = SimpleNamespace(
        dag_id="nightly",
        task_id="calls",
        run_id="scheduled__2024-05-02T00:00:00+00:00",
        map_index=-1,
        try_number=try_number,
        max_tries=max_tries,
        start_date=datetime.now(UTC),
    )
    return {"ti": ti, "task_state_store": store if store is not None else StateStore(), "outlet_events": {}}


def calls(**values: Any) -> dict[str, Any]:
    """A report of one day of calls."""
    window = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    return dict(talkdesk_report(**{"report_type": "calls", **window, **values}))


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Jobs are done as soon as they are submitted; connections stand in the environment."""
    with connected(monkeypatch, rows=40, options={"talkdesk": {"ladder": []}}) as sandbox:
        yield sandbox


class Store:
    """One of the two stores, and the operator that lands there."""

    def __init__(self, server: S3Server | GCSServer) -> None:
        self.server = server
        self.scheme = "s3" if isinstance(server, S3Server) else "gs"

    def operator(self, key: str, **values: Any) -> ContactCenterToS3Operator | ContactCenterToGCSOperator:
        values.setdefault("deferrable", False)
        values.setdefault("poll_interval", 0.05)
        if self.scheme == "s3":
            return ContactCenterToS3Operator(task_id="calls", s3_key=f"s3://{BUCKET}/{key}", **values)
        return ContactCenterToGCSOperator(task_id="calls", bucket_name=BUCKET, object_name=key, **values)

    def beside(self, key: str) -> str:
        """The name of a manifest, as the operator takes it."""
        return f"{key}.json"

    def object(self, key: str) -> bytes:
        return b"".join(self.server.stream(BUCKET, key))

    def put(self, key: str, content: bytes) -> None:
        if isinstance(self.server, S3Server):
            self.server.client().put_object(Bucket=BUCKET, Key=key, Body=content)
        else:
            self.server.client().bucket(BUCKET).blob(key).upload_from_string(content)

    def content_type(self, key: str) -> str:
        if isinstance(self.server, S3Server):
            head = self.server.client().head_object(Bucket=BUCKET, Key=key)
            return str(head["ContentType"])
        return str(self.server.client().bucket(BUCKET).get_blob(key).content_type)

    def exists(self, key: str) -> bool:
        if isinstance(self.server, S3Server):
            listed = self.server.client().list_objects_v2(Bucket=BUCKET, Prefix=key)
            return bool(listed.get("Contents"))
        return bool(self.server.client().bucket(BUCKET).blob(key).exists())

    def dangling(self) -> list[str]:
        """Multipart uploads that were begun and neither completed nor aborted."""
        return multipart_uploads(self.server, BUCKET) if isinstance(self.server, S3Server) else []


@pytest.fixture(params=["s3", "gcs"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Store:
    """S3, then GCS."""
    server = request.getfixturevalue(f"{request.param}_server")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return Store(server)


@pytest.fixture
def key(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A key of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return lambda suffix: f"{name}-{os.urandom(4).hex()}.{suffix}"
