"""What only S3 has: conditions and checksums that boto3 has no argument for, answers that get lost."""

from __future__ import annotations

import base64
import json
import os
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from botocore.exceptions import ClientError

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.demo.stores import S3Server
from airflow_provider_contactcenter.stores import s3 as module
from airflow_provider_contactcenter.stores.base import ObjectExists
from airflow_provider_contactcenter.stores.s3 import S3Store
from tests.faults.relay import Harm, Relay
from tests.stores.conftest import Body, Place, s3_place
from tests.transfers.conftest import calls

MIB = 1 << 20
CSV = "text/csv; charset=utf-8"
SIZES = pytest.mark.parametrize("size", [5, 20 * MIB], ids=["one part", "three parts"])
#: the calls that make an object appear: of one part, and of several
COMMIT = rb"(PUT /contactcenter/[^?]* HTTP|POST \S*uploadId=)"


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = s3_place(s3_server)
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    yield place
    assert place.lingering() == []


@pytest.fixture
def relay(s3: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """The server behind a relay."""
    with Relay(s3.url) as relay:
        connect(monkeypatch, s3, endpoint_url=relay.url)
        yield relay


def connect(monkeypatch: pytest.MonkeyPatch, place: Place, **extra: Any) -> None:
    connection = json.loads(place.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    connection["extra"] |= extra
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@SIZES
def test_the_store_proves_the_whole_object_by_its_checksum(s3: Place, name: str, size: int) -> None:
    data = os.urandom(size)
    stored = s3.store(name).put(Body(data), content_type=CSV)
    assert stored["checksum"] == {"type": "CRC32/FULL_OBJECT", "value": crc32(data)}
    assert stored["etag"].endswith("-3") == (size > 8 * MIB)


def test_an_object_of_parts_in_a_wrong_order_is_refused(
    s3: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each part is proved by its own checksum: only that of the whole can tell.
    monkeypatch.setattr(module._Talk, "checksum", crc32(b"another order"))
    with pytest.raises(ClientError, match="BadDigest"):
        s3.store(name).put(Body(os.urandom(20 * MIB)), content_type=CSV)
    assert s3.content(name) is None


@SIZES
def test_a_store_that_knows_no_checksums_is_sent_none(
    s3: Place, name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, s3, config_kwargs={"request_checksum_calculation": "when_required"})
    sent: list[bytes] = []
    with Relay(s3.url) as relay:
        connect(
            monkeypatch,
            s3,
            endpoint_url=relay.url,
            config_kwargs={"request_checksum_calculation": "when_required"},
        )
        takes = Harm.takes
        monkeypatch.setattr(Harm, "takes", lambda harm, piece: sent.append(piece) or takes(harm, piece))
        s3.store(name).put(Body(os.urandom(size)), content_type=CSV, replace=False)
    heads = b"".join(piece.partition(b"\r\n\r\n")[0].lower() for piece in sent)
    assert b"x-amz-checksum" not in heads
    assert b"if-none-match: *" in heads


@SIZES
@pytest.mark.parametrize("replace", [True, False])
def test_a_commit_whose_answer_was_lost_is_known_as_ours(
    s3: Place, relay: Relay, name: str, size: int, replace: bool
) -> None:
    data = os.urandom(size)
    relay.harm = Harm(to=COMMIT, mute=True, times=1)
    stored = s3.store(name).put(Body(data), content_type=CSV, replace=replace)
    assert relay.harm.times == 0
    assert s3.content(name) == data
    assert stored["checksum"]["value"] == crc32(data)


@SIZES
def test_after_a_lost_answer_another_writers_object_is_told_from_ours(
    s3: Place, relay: Relay, name: str, size: int
) -> None:
    s3.put(name, b"what was there")
    relay.harm = Harm(to=COMMIT, mute=True, times=1)
    with pytest.raises(ObjectExists):
        s3.store(name).put(Body(os.urandom(size)), content_type=CSV, replace=False)
    assert relay.harm.times == 0
    assert s3.content(name) == b"what was there"


@SIZES
def test_a_store_that_dies_midway_leaves_the_old_object(
    s3: Place, relay: Relay, name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put(name, b"what was there")
    connect(monkeypatch, s3, endpoint_url=relay.url, config_kwargs={"retries": {"total_max_attempts": 1}})

    def dies(at: int) -> None:
        if at >= min(size, 16 * MIB):
            relay.stop()

    with pytest.raises(Exception, match=r"(?i)connect"):
        s3.store(name).put(Body(os.urandom(size), before_read=dies), content_type=CSV)
    assert s3.content(name) == b"what was there"
    s3.sweep()  # the abort didn't arrive either


def test_a_part_that_breaks_off_is_sent_again_from_its_start(s3: Place, relay: Relay, name: str) -> None:
    data = os.urandom(20 * MIB)
    relay.harm = Harm(to=rb"PUT \S*partNumber=2", dies_after=3 * MIB, times=1)
    s3.store(name).put(Body(data), content_type=CSV)
    assert relay.harm.times == 0
    assert s3.content(name) == data


@SIZES
def test_what_was_asked_of_one_upload_is_not_asked_of_the_next(
    s3: Place, s3_server: S3Server, name: str, size: int
) -> None:
    store = s3.store(name)
    store.put(Body(os.urandom(size)), content_type=CSV, replace=False)
    store.put(Body(os.urandom(size)), content_type="application/gzip")
    head = s3_server.client().head_object(Bucket="contactcenter", Key=name)
    assert head["ContentType"] == "application/gzip"


def test_a_refused_credential_shows_before_anything_is_put(
    s3: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = json.loads(s3.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**connection, "password": "sentinel-wrong-secret"})
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch") as caught:
        s3.store(name).check()
    assert "sentinel" not in str(caught.value)


def test_an_upload_that_may_not_be_aborted_is_warned_of(
    s3: Place, relay: Relay, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    relay.harm = Harm(to=rb"DELETE \S*uploadId=", status=403)
    s3.store(name).check()
    assert "grant s3:AbortMultipartUpload" in caplog.text
    s3.sweep()


def test_arguments_of_the_upload_are_the_checks_too(s3: Place, name: str) -> None:
    store = s3.store(
        name,
        acl_policy="private",
        s3_extra_args={"StorageClass": "STANDARD", "Metadata": {"team": "cc"}, "ChecksumAlgorithm": "SHA256"},
    )
    store.check()
    stored = store.put(Body(os.urandom(20 * MIB)), content_type=CSV)
    assert stored["checksum"]["type"] == "SHA256/COMPOSITE"


KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/lake"}
ARGUMENTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "AES256": ({"encrypt": True}, {"x-amz-server-side-encryption": "AES256"}),
    "KMS": (
        {"s3_extra_args": KMS},
        {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "alias/lake",
        },
    ),
    "ACL": ({"acl_policy": "bucket-owner-full-control"}, {"x-amz-acl": "bucket-owner-full-control"}),
    "class and tags": (
        {"s3_extra_args": {"StorageClass": "STANDARD_IA", "Tagging": "source=talkdesk"}},
        {"x-amz-storage-class": "STANDARD_IA", "x-amz-tagging": "source=talkdesk"},
    ),
}


class Recorder(BaseHTTPRequestHandler):
    """S3 as far as an upload goes, which takes whatever it is told about keys and classes."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_PUT(self) -> None:
        self.answer(self.headers["Content-Length"])

    def do_POST(self) -> None:
        said = "<UploadId>1</UploadId><ETag>a</ETag>"
        self.answer(self.headers["Content-Length"], f"<Result>{said}</Result>".encode())

    def do_DELETE(self) -> None:
        self.answer("0")

    do_HEAD = do_GET = do_DELETE

    def answer(self, size: str, body: bytes = b"") -> None:
        self.rfile.read(int(size))
        self.server.heard.append((f"{self.command} {urlsplit(self.path).query}", dict(self.headers.items())))
        self.send_response(200)
        self.send_header("ETag", '"a"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def recorder(s3: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.heard = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connect(
        monkeypatch,
        s3,
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config_kwargs={"request_checksum_calculation": "when_required"},  # a body without chunks
    )
    yield server
    server.shutdown()
    server.server_close()


@SIZES
@pytest.mark.parametrize(("given", "headers"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_what_the_operator_is_given_is_in_the_request_that_begins_the_object(
    s3: Place, recorder: Any, name: str, size: int, given: Any, headers: dict[str, str]
) -> None:
    store = s3.operator(name, report=calls(), **given).store()
    store.check()
    store.put(Body(bytes(size)), content_type=CSV)
    store.at("manifest.json").put(Body(b"{}"), content_type="application/json")
    began = [told for request, told in recorder.heard if request in ("PUT ", "POST uploads")]
    assert len(began) == 3, "the check, the upload in one part or several, the manifest"
    for told in began:
        assert {key.lower(): value for key, value in told.items()}.items() >= headers.items()


def test_who_pays_and_whose_bucket_it_is_goes_with_every_request(s3: Place, recorder: Any, name: str) -> None:
    store = s3.store(
        name,
        s3_extra_args={
            "RequestPayer": "requester",
            "ExpectedBucketOwner": "111122223333",
            "SSECustomerAlgorithm": "AES256",
            "SSECustomerKey": "0" * 32,
        },
    )
    store.check()
    store.put(Body(b"a,b"), content_type=CSV)
    assert store.exists()
    assert list(store.read()) == []
    store.delete()
    methods = [request.split()[0] for request, _ in recorder.heard]
    assert methods == ["POST", "DELETE", "PUT", "HEAD", "GET", "DELETE"]
    for method, told in zip(methods, (headers for _, headers in recorder.heard), strict=True):
        said = {key.lower(): value for key, value in told.items()}
        assert (said["x-amz-request-payer"], said["x-amz-expected-bucket-owner"]) == (
            "requester",
            "111122223333",
        )
        assert ("x-amz-server-side-encryption-customer-key" in said) == (method != "DELETE")


def test_an_argument_that_boto3_does_not_take_is_refused_by_the_check(s3: Place, name: str) -> None:
    store = s3.store(name, s3_extra_args={"StorageClas": "STANDARD", "ContentType": CSV})
    with pytest.raises(
        InvalidValue, match=r"s3_extra_args with 'StorageClas' is not .*, StorageClass, "
    ) as caught:
        store.check()
    assert CSV not in str(caught.value)


def test_a_connection_that_is_not_there_is_not_replaced_by_the_workers_credentials(name: str) -> None:
    with pytest.raises(AirflowNotFoundException, match="aws_lake"):
        S3Store(f"s3://lake/{name}", aws_conn_id="aws_lake").check()


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://lake/a?b=1.csv", "lake", "a?b=1.csv"),
        ("s3://lake/a#b.csv", "lake", "a#b.csv"),
        ("s3://lake/50%25 off.csv", "lake", "50%25 off.csv"),
        ("s3://lake//a//b.csv", "lake", "/a//b.csv"),
    ],
)
def test_bucket_and_key_part_at_the_first_slash(s3: Place, url: str, bucket: str, key: str) -> None:
    store = S3Store(url)
    assert (store.bucket, store.key, store.uri) == (bucket, key, url)
    assert store.dataset == (f"s3://{bucket}", key)


def test_a_key_without_a_bucket_takes_the_connections(s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, s3, service_config={"s3": {"bucket_name": "lake"}})
    assert S3Store("a.csv").uri == "s3://lake/a.csv"
    assert S3Store("a.csv", "other").uri == "s3://other/a.csv"


@pytest.mark.parametrize(
    ("key", "bucket", "sentence"),
    [
        ("a.csv", None, "give a bucket and a key"),
        ("s3://lake", None, "give a bucket and a key"),
        ("s3://lake/", None, "give a bucket and a key"),
        ("s3:///a.csv", None, "give a bucket and a key"),
        ("s3://lake/a.csv", "pond", "names another bucket"),
        ("https://lake/a.csv", "lake", "without '://'"),
        ("s3://lake/{{ ds }}.csv", None, "never rendered"),
    ],
)
def test_names_that_cannot_be_used(s3: Place, key: str, bucket: str | None, sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        S3Store(key, bucket)
