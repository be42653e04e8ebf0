"""What only GCS has: refusals in the midst of an upload, a thread that reads ahead, what the store says."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests.auth import HTTPBasicAuth

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.demo.stores import GCSServer
from airflow_provider_contactcenter.stores.base import ObjectExists
from airflow_provider_contactcenter.stores.gcs import GCSStore, _File, ahead
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from tests.stores.conftest import BUCKET, Body, Gone, gcs_place
from tests.transfers.conftest import calls

CHUNK = 256 * 1024
CSV = "text/csv; charset=utf-8"


class Refuser(BaseHTTPRequestHandler):
    """Google Cloud Storage as far as a resumable upload goes; it holds conditions against an upload.

    fake-gcs-server takes ``ifGenerationMatch=0`` over an existing object without a word.
    """

    protocol_version = "HTTP/1.1"
    server: Any

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"{}") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(("POST", self.path))
        self.server.credentials.append(self.headers.get("Authorization"))
        refused = self.server.refuses == "start" and "ifGenerationMatch=0" in self.path
        if self.server.refuses == "policy":
            reason = {"reason": "orgPolicyConstraintFailed", "message": "no CMEK"}
            self.answer(412, body=json.dumps({"error": {"code": 412, "errors": [reason]}}).encode())
            return
        self.answer(412 if refused else 200, {"Location": f"{self.server.url}/session?upload_id=sentinel"})

    def do_PUT(self) -> None:
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append(("PUT", self.headers["Content-Range"]))
        self.server.credentials.append(self.headers.get("Authorization"))
        if self.headers["Content-Range"].endswith("/*"):
            end = self.headers["Content-Range"].partition("-")[2].partition("/")[0]
            self.answer(308, {"Range": f"bytes=0-{end}"})
            return
        said = {"etag": "CJ", "generation": 1717, "crc32c": "wlPpYA==", "size": size}
        if self.server.losses:
            self.server.losses -= 1
            self.server.refuses = "end"
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.answer(412 if self.server.refuses == "end" else 200, body=json.dumps(said).encode())

    def do_GET(self) -> None:  # the object; the client asks for itself, too
        found = self.server.found
        self.answer(403 if found is None else 200, body=json.dumps(found or {}).encode())

    def do_DELETE(self) -> None:
        self.server.heard.append(("DELETE", self.path))
        self.answer(499)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def refuser(monkeypatch: pytest.MonkeyPatch, gcs_server: GCSServer) -> Iterator[SimpleNamespace]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Refuser)
    server.url, server.refuses, server.heard = f"http://127.0.0.1:{server.server_port}", None, []
    #: answers to an upload's end that get lost, and what is under the name then
    server.losses, server.found = 0, None
    #: of each request of an upload
    server.credentials = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {**gcs_server.environ, "STORAGE_EMULATOR_HOST": server.url}.items():
        monkeypatch.setenv(name, value)
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("refuses", ["start", "end"])
@pytest.mark.parametrize("size", [5, 3 * CHUNK + 5], ids=["one chunk", "four chunks"])
def test_an_object_that_is_not_to_be_replaced(refuser: Any, refuses: str, size: int) -> None:
    refuser.refuses = refuses
    with pytest.raises(ObjectExists) as caught:
        GCSStore(BUCKET, "a.csv", chunk_size=CHUNK).put(Body(bytes(size)), content_type=CSV, replace=False)
    assert "sentinel" not in str(caught.value)
    assert "ifGenerationMatch=0" in refuser.heard[0][1]
    assert not ahead_threads()


#: 512 KiB of zeros
ZEROS = {"size": str(2 * CHUNK), "crc32c": "wlPpYA==", "etag": "CJ", "generation": "1717"}


def put_zeros() -> Any:
    store = GCSStore(BUCKET, "a.csv", chunk_size=CHUNK)
    return store.put(Body(bytes(2 * CHUNK)), content_type=CSV, replace=False)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library doesn't wait before it asks again."""
    impatient = SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic)
    monkeypatch.setattr("google.api_core.retry.retry_unary.time", impatient)


def test_an_object_whose_last_answer_was_lost_is_its_own(refuser: Any, unhurried: None) -> None:
    refuser.losses, refuser.found = 1, ZEROS
    assert put_zeros() == {
        "etag": "CJ",
        "generation": "1717",
        "checksum": {"type": "CRC32C/FULL_OBJECT", "value": "wlPpYA=="},
    }


@pytest.mark.parametrize(
    "found",
    [{**ZEROS, "crc32c": "AAAAAA=="}, {**ZEROS, "size": "5"}, None],
    ids=["other bytes", "another length", "not to be looked at"],
)
def test_another_writers_object_behind_a_lost_answer(
    refuser: Any, unhurried: None, found: dict[str, str] | None
) -> None:
    refuser.losses, refuser.found = 1, found
    with pytest.raises(ObjectExists):
        put_zeros()


def test_the_same_bytes_of_another_writer_are_not_its_own(refuser: Any) -> None:
    refuser.refuses, refuser.found = "end", ZEROS
    with pytest.raises(ObjectExists):
        put_zeros()


def test_a_check_with_replace_false_finds_an_object_too(refuser: Any) -> None:
    refuser.refuses = "start"
    with pytest.raises(ObjectExists):
        GCSStore(BUCKET, "a.csv").check(replace=False)
    GCSStore(BUCKET, "a.csv").check()


@pytest.mark.parametrize("replace", [True, False])
def test_a_policys_refusal_is_no_object(refuser: Any, replace: bool) -> None:
    refuser.refuses = "policy"
    store = GCSStore(BUCKET, "a.csv", chunk_size=CHUNK)
    for do in (
        lambda: store.check(replace=replace),
        lambda: store.put(Body(b"new"), content_type=CSV, replace=replace),
    ):
        with pytest.raises(Exception, match="412") as caught:
            do()
        assert not isinstance(caught.value, ObjectExists)


def test_a_check_takes_its_session_back(refuser: Any) -> None:
    GCSStore(BUCKET, "a.csv").check()
    assert [method for method, _ in refuser.heard] == ["POST", "DELETE"]


def test_a_body_that_raises_gives_the_session_up(refuser: Any) -> None:
    with pytest.raises(Gone):
        GCSStore(BUCKET, "a.csv", chunk_size=CHUNK).put(
            Body(bytes(9 * CHUNK), fails_at=9 * CHUNK), content_type=CSV
        )
    assert refuser.heard[-1][0] == "DELETE"
    # Nothing ends the upload: every chunk left its total open.
    assert all(heard.endswith("/*") for method, heard in refuser.heard if method == "PUT")


def test_what_the_store_says_is_kept(refuser: Any) -> None:
    # The library compares the checksum: it is that of 512 KiB of zeros.
    stored = GCSStore(BUCKET, "a.csv", chunk_size=CHUNK).put(Body(bytes(2 * CHUNK)), content_type=CSV)
    assert stored == {
        "etag": "CJ",
        "generation": "1717",
        "checksum": {"type": "CRC32C/FULL_OBJECT", "value": "wlPpYA=="},
    }


def test_metadata_and_content_type_are_the_objects(
    gcs_server: GCSServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = gcs_place(gcs_server)
    for variable, value in place.environ.items():
        monkeypatch.setenv(variable, value)
    place.store(name, metadata={"team": "cc"}).put(Body(b"a"), content_type=CSV)
    blob = gcs_server.client().bucket(BUCKET).get_blob(name)
    assert (blob.content_type, blob.metadata) == (CSV, {"team": "cc"})


def test_the_key_and_who_pays_are_in_the_requests_that_begin_an_object(refuser: Any, name: str) -> None:
    key = "projects/acme/locations/eu/keyRings/lake/cryptoKeys/calls"
    operator = ContactCenterToGCSOperator(
        task_id="calls",
        report=calls(),
        bucket_name=BUCKET,
        object_name=name,
        kms_key_name=key,
        user_project="payer",
    )
    store = operator.store()
    store.check()
    for each in (store, store.at("manifest.json")):
        each.put(Body(bytes(2 * CHUNK)), content_type=CSV)
    began = [parse_qs(urlsplit(path).query) for method, path in refuser.heard if method == "POST"]
    assert len(began) == 3, "the check, the upload, the manifest"
    for query in began:
        assert (query["kmsKeyName"], query["userProject"]) == ([key], ["payer"])


def by_hand(request: Any) -> Any:
    request.headers["Authorization"] = "Basic bWU6cGFzcw=="
    return request


@pytest.mark.parametrize("auth", [("me", "pass"), HTTPBasicAuth("me", "pass"), by_hand])
def test_the_sessions_own_authentication_goes_along(refuser: Any, auth: Any) -> None:
    store = GCSStore(BUCKET, "a.csv", chunk_size=CHUNK)
    session = store._hook.get_conn()._http
    session.auth = auth
    store.put(Body(bytes(2 * CHUNK)), content_type=CSV)
    assert set(refuser.credentials) == {"Basic bWU6cGFzcw=="}
    assert session.auth == auth


def test_whom_to_impersonate_is_said_to_the_hook(refuser: Any) -> None:
    chain = ["lander@acme.iam.gserviceaccount.com"]
    operator = ContactCenterToGCSOperator(
        task_id="calls", report=calls(), bucket_name=BUCKET, object_name="a.csv", impersonation_chain=chain
    )
    assert operator.store()._hook.impersonation_chain == chain


@pytest.mark.parametrize("size", [0, -CHUNK, 1000, "256", 1.5 * CHUNK])
def test_chunks_are_multiples_of_googles_unit(size: Any) -> None:
    with pytest.raises(InvalidValue, match="256 KiB"):
        GCSStore(BUCKET, "a.csv", chunk_size=size)


def test_names_that_cannot_be_used() -> None:
    with pytest.raises(InvalidValue, match="bucket_name='gs://lake' is not allowed"):
        GCSStore("gs://lake", "a.csv")
    with pytest.raises(InvalidValue, match="object_name=None is not allowed"):
        GCSStore("lake", None)  # type: ignore[arg-type]


def test_no_more_than_a_chunk_is_read_ahead() -> None:
    body = Body(bytes(63 << 20))
    with ahead(body, 4 << 20) as chunks:
        first = next(chunks)
        reached = -1
        while reached != body.at:  # the reader waits to be asked
            reached = body.at
            threading.Event().wait(0.1)
        assert body.at == 8 << 20
        rest = [len(next(chunks)) for _ in range(17)]
    assert [len(first), *rest] == [*[4 << 20] * 15, 3 << 20, 0, 0]
    assert not ahead_threads()


def test_a_body_that_raised_never_comes_to_its_end() -> None:
    with ahead(Body(bytes(9 * CHUNK), fails_at=5 * CHUNK), 4 * CHUNK) as chunks:
        file = _File(chunks)
        assert len(file.read(4 * CHUNK)) == 4 * CHUNK
        with pytest.raises(Gone):
            file.read(4 * CHUNK)
        with pytest.raises(StopIteration):
            file.read(4 * CHUNK)


def test_a_reader_that_nobody_listens_to_ends() -> None:
    with pytest.raises(KeyboardInterrupt), ahead(Body(os.urandom(64 << 20)), 1 << 20):
        raise KeyboardInterrupt
    assert not ahead_threads()


def ahead_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "ahead" in thread.name]
