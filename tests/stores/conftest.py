"""Real servers, and what a test wants to know of each: what is stored, and what lingers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.stores.base import Store
from airflow_provider_contactcenter.stores.gcs import GCSStore
from airflow_provider_contactcenter.stores.s3 import S3Store

BUCKET = "contactcenter"


class Gone(Exception):
    """What a body raises."""


@dataclass
class Body:
    """A body that is read once: so many bytes, then perhaps an error."""

    content: bytes
    fails_at: int | None = None
    before_read: Callable[[int], None] = lambda _: None
    at: int = 0
    largest: int = field(default=0)

    def read(self, size: int = -1) -> bytes:
        self.before_read(self.at)
        end = len(self.content) if size < 0 else self.at + size
        if self.fails_at is not None and end > self.fails_at:
            raise Gone("the vendor broke off")
        piece = self.content[self.at : end]
        self.at += len(piece)
        return piece


@dataclass
class Place:
    """One store of one kind on a real server."""

    kind: str
    #: a store for a name
    store: Callable[..., Store]
    #: what is stored under a name, None if there is nothing
    content: Callable[[str], bytes | None]
    #: puts bytes under a name by the server's own means
    put: Callable[[str, bytes], Any]
    #: what an upload left behind that isn't the object
    lingering: Callable[[], list[str]]
    environ: dict[str, str]
    #: a store where there is no bucket, container or folder
    nowhere: Callable[[], Store]
    #: the server's address
    url: str = ""


def s3_place(server: S3Server) -> Place:
    from botocore.exceptions import ClientError

    client = server.client()

    def content(name: str) -> bytes | None:
        try:
            return bytes(client.get_object(Bucket=BUCKET, Key=name)["Body"].read())
        except ClientError:
            return None

    return Place(
        "s3",
        lambda name, **options: S3Store(f"s3://{BUCKET}/{name}", **options),
        content,
        lambda name, data: client.put_object(Bucket=BUCKET, Key=name, Body=data),
        lambda: server.multipart_uploads(BUCKET),
        server.environ,
        # SeaweedFS makes a bucket that isn't there; this one can't be.
        lambda: S3Store("s3://no such bucket/calls.csv"),
        server.url,
    )


def gcs_place(server: GCSServer) -> Place:
    from google.api_core.exceptions import NotFound

    bucket = server.client().bucket(BUCKET)

    def content(name: str) -> bytes | None:
        try:
            return bytes(bucket.blob(name).download_as_bytes())
        except NotFound:
            return None

    return Place(
        "gcs",
        lambda name, **options: GCSStore(BUCKET, name, **options),
        content,
        lambda name, data: bucket.blob(name).upload_from_string(data),
        list,
        server.environ,
        lambda: GCSStore("no-such-bucket", "calls.csv"),
        server.url,
    )


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "s3": lambda request: s3_place(request.getfixturevalue("s3_server")),
    "gcs": lambda request: gcs_place(request.getfixturevalue("gcs_server")),
}


@pytest.fixture(params=MAKERS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Each store in turn, with its connection in the environment."""
    place = MAKERS[request.param](request)
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    before = place.lingering()
    yield place
    assert place.lingering() == before


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own."""
    test = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:60]
    return f"{test}-{os.urandom(4).hex()}.csv"
