"""Real servers, and what a test wants to know of each: what is stored, and what lingers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.stores.azure_blob import AzureBlobStore
from airflow_provider_contactcenter.stores.base import Store
from airflow_provider_contactcenter.stores.file import FileStore
from airflow_provider_contactcenter.stores.gcs import GCSStore
from airflow_provider_contactcenter.stores.s3 import S3Store
from airflow_provider_contactcenter.stores.sftp import SFTPStore
from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
    ContactCenterToAzureBlobOperator,
)
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator
from tests.stores.servers import CONTAINER, AzuriteServer, SFTPServer, multipart_uploads

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
    #: the transfer operator that lands under a name
    operator: Callable[..., Any]
    #: what is stored under a name, None if there is nothing
    content: Callable[[str], bytes | None]
    #: puts bytes under a name by the server's own means
    put: Callable[[str, bytes], Any]
    #: what uploads left behind that isn't the object
    lingering: Callable[[], list[str]]
    #: removes that
    sweep: Callable[[], Any]
    environ: dict[str, str]
    #: a store where there is no bucket, container or folder
    nowhere: Callable[[], Store]
    #: the server's address
    url: str = ""


def _transfer(operator_class: Any, place: Callable[[str], dict[str, Any]], name: str, **values: Any) -> Any:
    return operator_class(task_id="calls", **place(name), **values)


def s3_place(server: S3Server) -> Place:
    from botocore.exceptions import ClientError

    client = server.client()

    def content(name: str) -> bytes | None:
        try:
            return bytes(client.get_object(Bucket=BUCKET, Key=name)["Body"].read())
        except ClientError:
            return None

    def sweep() -> None:
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])

    return Place(
        "s3",
        lambda name, **options: S3Store(f"s3://{BUCKET}/{name}", **options),
        partial(_transfer, ContactCenterToS3Operator, lambda name: {"s3_key": f"s3://{BUCKET}/{name}"}),
        content,
        lambda name, data: client.put_object(Bucket=BUCKET, Key=name, Body=data),
        lambda: multipart_uploads(server, BUCKET),
        sweep,
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
        partial(
            _transfer,
            ContactCenterToGCSOperator,
            lambda name: {"bucket_name": BUCKET, "object_name": name},
        ),
        content,
        lambda name, data: bucket.blob(name).upload_from_string(data),
        list,
        lambda: None,
        server.environ,
        lambda: GCSStore("no-such-bucket", "calls.csv"),
        server.url,
    )


def azure_place(server: AzuriteServer) -> Place:
    from azure.core.exceptions import ResourceNotFoundError

    container = server.service().get_container_client(CONTAINER)

    def content(name: str) -> bytes | None:
        try:
            return bytes(container.download_blob(name).readall())
        except ResourceNotFoundError:
            return None

    def staged() -> list[str]:
        """Blobs of which there are only blocks."""
        return [blob.name for blob in container.list_blobs(include="uncommittedblobs") if not blob.etag]

    def sweep() -> None:
        # Blocks can't be aborted; a commit under the name throws them away.
        for name in staged():
            container.upload_blob(name, b"", overwrite=True)
            container.delete_blob(name)

    return Place(
        "azure",
        lambda name, **options: AzureBlobStore(CONTAINER, name, **options),
        partial(
            _transfer,
            ContactCenterToAzureBlobOperator,
            lambda name: {"container_name": CONTAINER, "blob_name": name},
        ),
        content,
        lambda name, data: container.upload_blob(name, data),
        staged,
        sweep,
        server.environ,
        lambda: AzureBlobStore("no-such-container", "calls.csv"),
        server.url,
    )


def folder_place(kind: str, folder: Path, environ: dict[str, str]) -> Place:
    """A folder of this machine, written to as it is or through a server that shows it."""
    store: Callable[..., Store] = SFTPStore if kind == "sftp" else FileStore
    root = "" if kind == "sftp" else str(folder)
    operator_class, parameter = {
        "sftp": (ContactCenterToSFTPOperator, "remote_path"),
        "file": (ContactCenterToFileOperator, "path"),
    }[kind]

    def content(name: str) -> bytes | None:
        file = folder / name
        return file.read_bytes() if file.exists() else None

    def hidden() -> list[str]:
        return [file.name for file in folder.iterdir() if file.name.startswith(".")]

    return Place(
        kind,
        lambda name, **options: store(f"{root}/{name}", **options),
        partial(_transfer, operator_class, lambda name: {parameter: f"{root}/{name}"}),
        content,
        lambda name, data: (folder / name).write_bytes(data),
        hidden,
        lambda: [(folder / name).unlink() for name in hidden()],
        environ,
        lambda: store(f"{root}/no/such/folder/calls.csv"),
    )


def sftp_place(server: SFTPServer) -> Place:
    place = folder_place("sftp", server.folder, server.environ)
    return replace(place, url=f"sftp://127.0.0.1:{server.port}")


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "s3": lambda request: s3_place(request.getfixturevalue("s3_server")),
    "gcs": lambda request: gcs_place(request.getfixturevalue("gcs_server")),
    "azure": lambda request: azure_place(request.getfixturevalue("azurite_server")),
    "sftp": lambda request: sftp_place(request.getfixturevalue("sftp_server")),
    "file": lambda request: folder_place("file", request.getfixturevalue("tmp_path"), {}),
}


def conditional_gcs_place(request: pytest.FixtureRequest) -> Place:
    server = request.getfixturevalue("conditional_gcs_server")
    gcs = request.getfixturevalue("gcs_server")
    return replace(
        gcs_place(gcs),
        content=server.objects.get,
        put=server.objects.__setitem__,
        environ={**gcs.environ, "STORAGE_EMULATOR_HOST": server.url},
        url=server.url,
    )


#: the same stores, where each heeds ``replace=False`` to the end
CONDITIONAL = {**MAKERS, "gcs": conditional_gcs_place}


@pytest.fixture(params=MAKERS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Each store in turn, with its connection in the environment."""
    yield from used(MAKERS[request.param](request), monkeypatch)


@pytest.fixture(params=CONDITIONAL)
def conditional_place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Each store in turn, where it heeds ``replace=False`` to the end."""
    yield from used(CONDITIONAL[request.param](request), monkeypatch)


def used(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The place with its connection in the environment, in which nothing lingers afterwards."""
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    yield place
    left = place.lingering()
    place.sweep()
    assert left == []


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own."""
    test = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:60]
    return f"{test}-{os.urandom(4).hex()}.csv"
