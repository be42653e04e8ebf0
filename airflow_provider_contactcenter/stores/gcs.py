"""An object in Google Cloud Storage.

google-cloud-storage's ``BlobWriter`` does the upload, one chunk after the other; the body is read ahead in a
thread meanwhile. The last chunk carries the checksum of the whole, so a damaged object never appears.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import (
    ObjectExists,
    Readable,
    Stored,
    name_of,
    provider_class,
    whole,
)

#: Google's resumable uploads take chunks of multiples of this.
CHUNK_UNIT = 256 * 1024
#: what is sent at a time; the writer holds it twice, and as much is read ahead
CHUNK_SIZE = 16 * 1024 * 1024
#: what is read at a time
PIECE = 1024 * 1024


class GCSStore:
    """One name in one bucket.

    :param bucket_name: the bucket.
    :param object_name: the object's name, taken as it is.
    :param gcp_conn_id: the Google Cloud connection.
    :param impersonation_chain: service account(s) to impersonate.
    :param chunk_size: bytes per upload request, a multiple of 256 KiB; 16 MiB unless given. Three such chunks
        are held in memory.
    :param kms_key_name: Cloud KMS key that encrypts the object.
    :param user_project: the project billed for requester-pays buckets.
    :param metadata: the object's custom metadata.
    """

    def __init__(
        self,
        bucket_name: str,
        object_name: str,
        *,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        chunk_size: int | None = None,
        kms_key_name: str | None = None,
        user_project: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self._hook_class = provider_class(
            "airflow.providers.google.cloud.hooks.gcs", "GCSHook", extra="google", title="Google"
        )
        self.bucket = name_of("bucket_name", bucket_name)
        self.name = name_of("object_name", object_name)
        self._options: dict[str, Any] = {
            "gcp_conn_id": gcp_conn_id,
            "impersonation_chain": impersonation_chain,
            "chunk_size": chunk_size_of(chunk_size),
            "kms_key_name": kms_key_name,
            "user_project": user_project,
            "metadata": metadata,
        }

    @property
    def uri(self) -> str:
        """``gs://bucket/name``."""
        return f"gs://{self.bucket}/{self.name}"

    @property
    def dataset(self) -> tuple[str, str]:
        """``gs://bucket`` and the object's name."""
        return f"gs://{self.bucket}", self.name

    @cached_property
    def _hook(self) -> Any:
        options = self._options
        return self._hook_class(
            gcp_conn_id=options["gcp_conn_id"], impersonation_chain=options["impersonation_chain"]
        )

    def _blob(self) -> Any:
        options = self._options
        bucket = self._hook.get_conn().bucket(self.bucket, user_project=options["user_project"])
        blob = bucket.blob(self.name, chunk_size=options["chunk_size"], kms_key_name=options["kms_key_name"])
        blob.metadata = options["metadata"]
        return blob

    @property
    def console(self) -> str | None:
        """The object in the Cloud console; None for an emulator or an endpoint of its own."""
        if urlsplit(str(self._hook.get_conn().api_endpoint)).hostname != "storage.googleapis.com":
            return None
        place = f"{quote(self.bucket, safe='')}/{quote(self.name)}"
        return f"https://console.cloud.google.com/storage/browser/_details/{place}"

    def check(self, *, replace: bool = True) -> None:
        """Begin a resumable upload and give it up: the same right as the upload itself, and no object."""
        blob = self._blob()
        with _existing_is(self.uri):
            session = blob.create_resumable_upload_session(
                content_type="application/octet-stream", **_condition(replace)
            )
        # Nobody sees a session; one that isn't taken back ends by itself after a week.
        with suppress(Exception):
            _transport(blob).delete(session)

    def exists(self) -> bool:
        """Whether there is an object under the name."""
        return bool(self._blob().exists())

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Upload by google-cloud-storage's writer, given up if reading the body raises."""
        blob, answers = self._blob(), _Answers()
        with (
            _existing_is(self.uri),
            answers.of(_transport(blob)),
            ahead(body, self._options["chunk_size"]) as pieces,
            all_or_nothing(
                blob.open("wb", content_type=content_type, ignore_flush=True, **_condition(replace))
            ) as writer,
        ):
            for piece in pieces:
                writer.write(piece)
        return answers.stored

    def delete(self) -> None:
        """Delete the object; on a versioned bucket it becomes an older generation."""
        from google.api_core.exceptions import NotFound

        with suppress(NotFound):
            self._blob().delete()

    def at(self, name: str) -> GCSStore:
        """Another name in the same bucket."""
        return GCSStore(self.bucket, name, **self._options)


def chunk_size_of(value: int | None) -> int:
    """The size of a chunk; 16 MiB unless given.

    :raises InvalidValue: Google takes no chunks of this size.
    """
    if value is None:
        return CHUNK_SIZE
    if not (isinstance(value, int) and value > 0 and value % CHUNK_UNIT == 0):
        raise InvalidValue(f"chunk_size={value!r} is not allowed: give a multiple of 256 KiB ({CHUNK_UNIT}).")
    return value


def _condition(replace: bool) -> dict[str, int]:
    # Generation 0 means "there must be none": another writer can't slip in between.
    return {} if replace else {"if_generation_match": 0}


def _transport(blob: Any) -> Any:
    """The session (of requests) that the client sends with; no public name leads there."""
    return blob.client._http


@contextmanager
def _existing_is(uri: str) -> Iterator[None]:
    """Within the block a 412, of the library's upload half or of its other half, means ObjectExists."""
    from google.api_core.exceptions import PreconditionFailed
    from google.cloud.storage.exceptions import InvalidResponse

    try:
        yield
    except PreconditionFailed:
        raise ObjectExists(uri) from None
    except InvalidResponse as error:
        if error.response.status_code == 412:
            raise ObjectExists(uri) from None
        raise


@contextmanager
def all_or_nothing(writer: Any) -> Iterator[Any]:
    """Within the block a writer is open; its upload ends with the block, or is given up for good.

    Google's own ``with`` leaves it open where closing fails, or where the store doesn't take the abort. Once
    it is garbage-collected it would be closed after all, and what stood in its buffer be the object's end.
    """
    try:
        yield writer
        writer.close()
    except BaseException:
        with suppress(Exception):  # the store is away; an upload that never ends never becomes an object
            writer.terminate()
        writer.close = lambda: None
        raise


@contextmanager
def ahead(body: Readable, limit: int) -> Iterator[Iterator[bytes]]:
    """The pieces of a body, of which a thread reads up to ``limit`` bytes ahead.

    What the body raises comes out where the piece would. After the block no thread reads on.
    """
    pieces: queue.Queue[bytes | BaseException] = queue.Queue(max(1, limit // PIECE))
    left = threading.Event()

    def read() -> None:
        try:
            while not left.is_set():
                piece = whole(body, PIECE)
                pieces.put(piece)
                if not piece:
                    return
        except BaseException as error:
            pieces.put(error)

    def taken() -> Iterator[bytes]:
        while piece := pieces.get():
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    reader = threading.Thread(target=copy_context().run, args=(read,), name="report-ahead", daemon=True)
    reader.start()
    try:
        yield taken()
    finally:
        left.set()
        while reader.is_alive():
            with suppress(queue.Empty):  # it may wait for room
                pieces.get_nowait()
            reader.join(0.05)


class _Answers:
    """Keeps what the store says of a finished upload; the writer itself throws it away."""

    def __init__(self) -> None:
        self.stored = Stored()

    @contextmanager
    def of(self, transport: Any) -> Iterator[None]:
        """Within the block the answers that pass through this session are heard."""
        heard = transport.hooks["response"]
        heard.append(self._hear)
        try:
            yield
        finally:
            heard.remove(self._hear)

    def _hear(self, response: Any, *_: Any, **__: Any) -> None:
        if response.request.method != "PUT" or response.status_code not in (200, 201):
            return
        with suppress(ValueError):
            said = response.json()
            self.stored = Stored()
            if etag := said.get("etag"):
                self.stored["etag"] = etag.strip('"')
            if generation := said.get("generation"):
                self.stored["generation"] = str(generation)
            if crc := said.get("crc32c"):
                self.stored["checksum"] = {"type": "CRC32C/FULL_OBJECT", "value": crc}
