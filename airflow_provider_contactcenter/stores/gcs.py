"""An object in Google Cloud Storage.

google-cloud-storage does the upload, one chunk after the other; the body is read ahead in a thread meanwhile.
The last chunk carries the checksum of the whole, so a damaged object never appears. Its ``BlobWriter``, which
is for this, holds each chunk twice, and ends an upload that was given up when it is garbage-collected.
"""

from __future__ import annotations

import base64
import io
import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
    object_name_of,
    provider_class,
)

log = logging.getLogger(__name__)

#: Google's resumable uploads take chunks of multiples of this.
CHUNK_UNIT = 256 * 1024
#: what is sent at a time; as much is read ahead
CHUNK_SIZE = 10 * 1024 * 1024
#: what is read at a time
PIECE = 1024 * 1024


class GCSStore:
    """One name in one bucket.

    :param bucket_name: the bucket.
    :param object_name: the object's name, taken as it is.
    :param gcp_conn_id: the Google Cloud connection.
    :param impersonation_chain: service account(s) to impersonate.
    :param chunk_size: bytes per upload request, a multiple of 256 KiB; 10 MiB unless given. Two such chunks
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
        self.name = object_name_of("object_name", object_name)
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
        with _existing_is(self.uri, replace):
            session = blob.create_resumable_upload_session(
                content_type="application/octet-stream", **_condition(replace)
            )
        # Nobody sees a session; one that isn't taken back ends by itself after a week.
        with suppress(Exception):
            _transport(blob).delete(session)

    def exists(self) -> bool:
        """Whether there is an object under the name."""
        return bool(self._blob().exists())

    def read(self) -> Iterator[bytes]:
        """The object, as it is stored."""
        with self._blob().open("rb", raw_download=True) as file:
            yield from iter(lambda: file.read(PIECE), b"")

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Upload by google-cloud-storage's writer, given up if reading the body raises."""
        blob, upload = self._blob(), _Upload()
        checksum = None if replace else _checksum()
        try:
            with (
                _existing_is(self.uri, replace),
                upload.through(_transport(blob)),
                ahead(body, self._options["chunk_size"]) as chunks,
            ):
                file = _File(chunks, checksum)
                blob.upload_from_file(file, content_type=content_type, **_condition(replace))
        except Exception:
            # Of an upload that may replace, a retry lands the same again.
            if checksum is None or not upload.answer_lost or not self._is(file.tell(), checksum, upload):
                raise
        return upload.stored

    def _is(self, size: int, checksum: Any, upload: _Upload) -> bool:
        """Whether the object under the name is the one that was sent; keeps what the store says of it."""
        blob = self._blob()
        try:
            blob.reload()
        except Exception:
            log.debug("%s could not be looked at", self.uri, exc_info=True)
            return False
        upload.keep({"etag": blob.etag, "generation": blob.generation, "crc32c": blob.crc32c})
        same: bool = (blob.size, blob.crc32c) == (size, base64.b64encode(checksum.digest()).decode())
        return same

    def delete(self) -> None:
        """Delete the object; on a versioned bucket it becomes an older generation."""
        from google.api_core.exceptions import NotFound

        with suppress(NotFound):
            self._blob().delete()

    def at(self, name: str) -> GCSStore:
        """Another name in the same bucket."""
        return GCSStore(self.bucket, name, **self._options)


def chunk_size_of(value: int | None) -> int:
    """The size of a chunk; 10 MiB unless given.

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


def _checksum() -> Any:
    from google_crc32c import Checksum  # what google-cloud-storage itself takes

    checksum: Any = Checksum
    return checksum()


def _transport(blob: Any) -> Any:
    """The session (of requests) that the client sends with; no public name leads there."""
    return blob.client._http


@contextmanager
def _existing_is(uri: str, replace: bool) -> Iterator[None]:
    """Within the block a 412 to our condition, by either half of the library, means ObjectExists.

    An organization's policy is enforced with a 412 as well: it says nothing about an object.
    """
    from google.api_core.exceptions import PreconditionFailed
    from google.cloud.storage.exceptions import InvalidResponse

    try:
        yield
    except (PreconditionFailed, InvalidResponse) as error:
        if not replace and _unmet(error.response):
            raise ObjectExists(uri) from None
        raise


def _unmet(response: Any) -> bool:
    """Whether a request was refused for its condition."""
    if response.status_code != 412:
        return False
    try:
        return bool(response.json()["error"]["errors"][0]["reason"] == "conditionNotMet")
    except (ValueError, KeyError, IndexError, TypeError):
        return True  # no reason is given


@contextmanager
def ahead(body: Readable, size: int) -> Iterator[Iterator[bytes]]:
    """The chunks of a body, each of ``size`` but the last, then empty ones; a thread reads one ahead.

    What the body raises comes out where its chunk would. After the block no thread reads on.
    """
    left = threading.Event()

    def read() -> bytes:
        chunk = io.BytesIO(bytes(size))  # room made at once, which otherwise grows, and moves
        while not left.is_set() and (piece := body.read(min(PIECE, size - chunk.tell()))):
            chunk.write(piece)
        chunk.truncate()
        return chunk.getvalue()

    def taken(waiting: Future[bytes]) -> Iterator[bytes]:
        while True:
            if chunk := waiting.result():
                waiting = pool.submit(context.run, read)
            yield chunk

    context = copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="report-ahead") as pool:
        try:
            yield taken(pool.submit(context.run, read))
        finally:
            left.set()


class _File:
    """Chunks as a file, for somebody who reads them one by one.

    :param checksum: is fed what is read.
    """

    def __init__(self, chunks: Iterator[bytes], checksum: Any = None) -> None:
        self._chunks = chunks
        self._checksum = checksum
        self._at = 0

    def tell(self) -> int:
        """How much was read."""
        return self._at

    def read(self, _: int) -> bytes:
        """The next chunk; after an error there is none, not even the empty one that would be the end."""
        chunk = next(self._chunks)
        self._at += len(chunk)
        if self._checksum is not None:
            self._checksum.update(chunk)
        return chunk


class _Upload:
    """One upload as its session goes: what the store says of it at its end, and how it is given up."""

    def __init__(self) -> None:
        self.stored = Stored()
        self._session: str | None = None
        #: how often the end was sent, and whether any of it was answered
        self._ends = 0
        self._end_answered = False

    @property
    def answer_lost(self) -> bool:
        """Whether the object may stand although its upload failed.

        The library repeats an end that got no answer; the store refuses the second because of the first.
        """
        return self._ends > 1 or (self._ends == 1 and not self._end_answered)

    @contextmanager
    def through(self, transport: Any) -> Iterator[None]:
        """Within the block this transport is listened to; an error takes the session back."""
        from requests.auth import HTTPBasicAuth

        heard, auth = transport.hooks["response"], transport.auth
        own = HTTPBasicAuth(*auth) if isinstance(auth, tuple) else auth

        def send(request: Any) -> Any:
            self._ends += _ends(request)
            return own(request) if own else request

        heard.append(self._hear)
        transport.auth = send  # what requests calls before it sends; its hooks hear answers alone
        try:
            yield
        except BaseException:
            if self._session:
                # The store may be away; an upload that never ends never becomes an object.
                with suppress(Exception):
                    transport.delete(self._session)
            raise
        finally:
            heard.remove(self._hear)
            transport.auth = auth

    def _hear(self, response: Any, *_: Any, **__: Any) -> None:
        response.request.body = None  # the library holds the last answer, which would hold a chunk
        self._end_answered |= _ends(response.request)
        if response.status_code not in (200, 201):
            return
        if response.request.method == "POST":
            self._session = response.headers.get("Location")
        elif response.request.method == "PUT":
            with suppress(ValueError):
                self.keep(response.json())

    def keep(self, said: dict[str, Any]) -> None:
        """Keep what the store says of the object."""
        self.stored = Stored()
        if etag := said.get("etag"):
            self.stored["etag"] = etag.strip('"')
        if generation := said.get("generation"):
            self.stored["generation"] = str(generation)
        if crc := said.get("crc32c"):
            self.stored["checksum"] = {"type": "CRC32C/FULL_OBJECT", "value": crc}


def _ends(request: Any) -> bool:
    """Whether a request is the last one of an upload: it names the whole's size."""
    return request.method == "PUT" and not request.headers.get("Content-Range", "/*").endswith("/*")
