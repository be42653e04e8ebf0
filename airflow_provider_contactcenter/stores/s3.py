"""An object in Amazon S3, or in a store that speaks S3.

boto3's transfer manager does the upload: it reads ahead, sends parts side by side, and aborts what it began
if the body raises. What it has no argument for is said and heard through the events of its client:
``If-None-Match``, the checksum of the whole, and what the store answers. A client takes a quarter of
a second of processor time and 12 MiB to make, so one serves all that is asked of a key.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import (
    ObjectExists,
    Readable,
    Stored,
    name_of,
    object_name_of,
    provider_class,
    whole,
)

try:
    from isal.isal_zlib import crc32  # four times as fast
except ImportError:
    from zlib import crc32

#: Parts of 8 MiB, ten thousand at most: 78 GiB. Four at a time keep the network busy; more of them
#: only wait in memory.
TRANSFER_CONFIG = {"multipart_chunksize": 8 * 1024 * 1024, "max_concurrency": 4}

#: the two calls that make an object appear: of a body that fits in one part, and of a longer one
COMMITS = ("PutObject", "CompleteMultipartUpload")

#: and those that are told what the object is
DESCRIBED = ("PutObject", "CreateMultipartUpload")

#: what of a part is given to the network at a time
PIECE = 1024 * 1024

#: arguments of an upload that CreateMultipartUpload doesn't take: checksums of a whole that isn't known yet
NOT_TO_BEGIN_WITH = ("ChecksumType", "MpuObjectSize", "IfNoneMatch", "IfMatch")

#: arguments of an upload without which whoever asks for its object is refused, too, and those of them
#: that are no encryption
OF_OBJECT = (
    "RequestPayer",
    "ExpectedBucketOwner",
    "SSECustomerAlgorithm",
    "SSECustomerKey",
    "SSECustomerKeyMD5",
)
OF_BUCKET = OF_OBJECT[:2]

#: AWS partition -> where its console is
CONSOLES = {
    "aws": "https://console.aws.amazon.com",
    "aws-cn": "https://console.amazonaws.cn",
    "aws-us-gov": "https://console.amazonaws-us-gov.com",
}

log = logging.getLogger(__name__)


class S3Store:
    """One key of one bucket.

    :param s3_key: the object's key, taken as it is (a leading slash is part of it), or a whole
        ``s3://bucket/key``: what lies between the scheme and the next slash is the bucket, and all the rest
        the key, ``?``, ``#``, ``%`` and further slashes included.
    :param s3_bucket: the bucket, if the key is not a whole URL; else the connection's.
    :param aws_conn_id: the AWS connection.
    :param verify: verify the store's certificate; a path to a CA bundle, or False.
    :param encrypt: encrypt on the server's side (AES256).
    :param acl_policy: a canned ACL.
    :param s3_extra_args: S3Hook's ``extra_args``: KMS key, storage class, tags.
    :param transfer_config_args: S3Hook's ``transfer_config_args``: part size, concurrency.
    """

    def __init__(
        self,
        s3_key: str,
        s3_bucket: str | None = None,
        *,
        aws_conn_id: str | None = "aws_default",
        verify: bool | str | None = None,
        encrypt: bool = False,
        acl_policy: str | None = None,
        s3_extra_args: dict[str, Any] | None = None,
        transfer_config_args: dict[str, Any] | None = None,
    ) -> None:
        self._hook_class = provider_class(
            "airflow.providers.amazon.aws.hooks.s3", "S3Hook", extra="amazon", title="Amazon"
        )
        self._connection: dict[str, Any] = {"aws_conn_id": aws_conn_id, "verify": verify}
        self._arguments = dict(s3_extra_args or {})
        self._upload: dict[str, Any] = {"encrypt": encrypt, "acl_policy": acl_policy}
        self._transfer_config = {**TRANSFER_CONFIG, **(transfer_config_args or {})}
        self.bucket, self.key = self._place(s3_key, s3_bucket)

    def _place(self, given_key: str, given_bucket: str | None) -> tuple[str, str]:
        key, bucket = given_key, given_bucket
        if isinstance(key, str) and key.startswith("s3://"):
            named, _, rest = key.removeprefix("s3://").partition("/")
            if bucket and bucket != named:
                raise InvalidValue(
                    f"s3_bucket={bucket!r} is not allowed: s3_key={key!r} names another bucket; give it once."
                )
            key, bucket = rest, named
        else:
            bucket = bucket or self._hook.service_config.get("bucket_name")
        if not bucket or not key:
            raise InvalidValue(
                f"s3_key={given_key!r} with s3_bucket={given_bucket!r} is not allowed: give a bucket and "
                "a key, or a whole URL such as 's3://bucket/key'."
            )
        return name_of("s3_bucket", bucket), object_name_of("s3_key", key)

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def dataset(self) -> tuple[str, str]:
        """``s3://bucket`` and the key."""
        return f"s3://{self.bucket}", self.key

    @cached_property
    def _hook(self) -> Any:
        conn_id = self._connection["aws_conn_id"]
        if conn_id and conn_id != self._hook_class.default_conn_name:
            # The hook would go on without one that it doesn't find, with whatever credentials the worker has.
            self._hook_class.get_connection(conn_id)
        hook = self._hook_class(
            **self._connection, extra_args=self._arguments, transfer_config_args=self._transfer_config
        )
        # As many parts as are sent at a time, and the one being read. Ten is the default, and no argument.
        hook.transfer_config.max_in_memory_upload_chunks = hook.transfer_config.max_concurrency
        return hook

    @property
    def console(self) -> str | None:
        """The object in the AWS console; None for a store at an endpoint of its own."""
        meta = self._hook.get_conn().meta
        console = CONSOLES.get(meta.partition)
        host = str(urlsplit(meta.endpoint_url).hostname)
        if console is None or not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return None
        # "aws-global" is no place in the console.
        region = {} if "global" in str(meta.region_name) else {"region": meta.region_name}
        query = urlencode({**region, "prefix": self.key}, quote_via=quote, safe="")
        return f"{console}/s3/object/{quote(self.bucket, safe='')}?{query}"

    def check(self, *, replace: bool = True) -> None:
        """Begin a multipart upload and abort it: the same right as the upload itself, and no object."""
        from boto3.s3.transfer import S3Transfer

        if strange := sorted(self._arguments.keys() - set(S3Transfer.ALLOWED_UPLOAD_ARGS)):
            raise InvalidValue(
                f"s3_extra_args with {', '.join(map(repr, strange))} is not allowed: an upload takes "
                f"{', '.join(sorted(S3Transfer.ALLOWED_UPLOAD_ARGS))}."
            )
        arguments = {
            name: value
            for name, value in self._arguments.items()
            if name not in NOT_TO_BEGIN_WITH
            # The value of a checksum, but not the name of its algorithm.
            and (not name.startswith("Checksum") or name == "ChecksumAlgorithm")
        }
        if self._upload["encrypt"]:
            arguments["ServerSideEncryption"] = "AES256"
        if self._upload["acl_policy"]:
            arguments["ACL"] = self._upload["acl_policy"]
        client, place = self._hook.get_conn(), {"Bucket": self.bucket, "Key": self.key}
        upload = client.create_multipart_upload(**place, **arguments)["UploadId"]
        try:
            client.abort_multipart_upload(**place, UploadId=upload, **self._of(OF_BUCKET))
        except client.exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            log.warning(
                "%s refused to abort a multipart upload (%s): grant s3:AbortMultipartUpload, or uploads that "
                "break off stay in the bucket, unseen and paid for.",
                self.bucket,
                code,
            )

    def exists(self) -> bool:
        """Whether HEAD finds an object. Without s3:ListBucket a missing one is refused, not missed."""
        client = self._hook.get_conn()
        try:
            client.head_object(Bucket=self.bucket, Key=self.key, **self._of(OF_OBJECT))
        except client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def read(self) -> Iterator[bytes]:
        """The object."""
        found = self._hook.get_conn().get_object(Bucket=self.bucket, Key=self.key, **self._of(OF_OBJECT))
        yield from found["Body"].iter_chunks(PIECE)

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Upload by boto3's transfer manager, which aborts if reading the body raises."""
        client, talk = self._hook.get_conn(), _Talk(body, content_type, replace=replace)
        try:
            with talk.with_client(client):
                self._hook.load_file_obj(
                    talk, key=self.key, bucket_name=self.bucket, replace=True, **self._upload
                )
        except Exception as error:
            if talk.answer_lost(error) and (stored := self._ours(client, talk)):
                return stored
            if talk.code(error) == "PreconditionFailed" and not replace:
                raise ObjectExists(self.uri) from None
            raise
        return talk.stored

    def _ours(self, client: Any, talk: _Talk) -> Stored | None:
        """What the store says of the object under the key, if it is the one that was sent."""
        try:
            head = client.head_object(
                Bucket=self.bucket, Key=self.key, ChecksumMode="ENABLED", **self._of(OF_OBJECT)
            )
        except Exception:
            log.debug("%s could not be looked at", self.uri, exc_info=True)
            return None
        same = head["ContentLength"] == talk.size and head.get("ChecksumCRC32") == talk.checksum
        return _stored(head) if same else None

    def delete(self) -> None:
        """Delete the object; on a versioned bucket it becomes an older version."""
        self._hook.get_conn().delete_object(Bucket=self.bucket, Key=self.key, **self._of(OF_BUCKET))

    def _of(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: value for name, value in self._arguments.items() if name in names}

    def at(self, name: str) -> S3Store:
        """Another key of the same bucket, or a whole ``s3://`` URL."""
        whole_url = isinstance(name, str) and name.startswith("s3://")
        return S3Store(
            name,
            None if whole_url else self.bucket,
            **self._connection,
            **self._upload,
            s3_extra_args=self._arguments,
            transfer_config_args=self._transfer_config,
        )


class _Talk:
    """The body of one upload, and what is said beside it: to boto3 it is a file that can't seek."""

    def __init__(self, body: Readable, content_type: str, *, replace: bool) -> None:
        self._body = body
        self._content_type = content_type
        self._replace = replace
        self._crc = 0
        self._full = False
        self._commits = 0
        self.size = 0
        self.stored = Stored()

    @property
    def checksum(self) -> str:
        """CRC32 of what was read, as S3 writes it."""
        return _encoded(self._crc)

    def read(self, size: int = -1) -> bytes:
        """Read on; called by one thread."""
        data = whole(self._body, size) if size >= 0 else self._body.read()
        self._crc = crc32(data, self._crc)
        self.size += len(data)
        return data

    @contextmanager
    def with_client(self, client: Any) -> Iterator[None]:
        """Within the block take part in what this client says and hears."""
        # The events let go of a handler that returns something; these return nothing.
        handlers = [
            ("before-call.s3.CreateMultipartUpload", self._begin),
            ("before-call.s3.UploadPart", self._prove_part),
            ("before-send.s3.UploadPart", self._send),
            ("before-call.s3.CompleteMultipartUpload", self._complete),
            *((f"before-parameter-build.s3.{call}", self._describe) for call in DESCRIBED),
            *((f"before-call.s3.{call}", self._if_absent) for call in COMMITS if not self._replace),
            *((f"before-send.s3.{call}", self._sent) for call in COMMITS),
            *((f"after-call.s3.{call}", self._answered) for call in COMMITS),
        ]
        events = client.meta.events
        for event, handler in handlers:
            events.register(event, handler)
        try:
            yield
        finally:
            for event, handler in handlers:
                events.unregister(event, handler)

    def _describe(self, params: dict[str, Any], **_: Any) -> None:
        # An argument of the hook's, which doesn't know yet what it will be given.
        params.setdefault("ContentType", self._content_type)

    def _begin(self, params: dict[str, Any], **_: Any) -> None:
        # boto3 asks for a CRC32 of each part unless the connection says
        # request_checksum_calculation=when_required. Those prove the parts; a checksum of the whole proves
        # that they make our file.
        if params["headers"].get("x-amz-checksum-algorithm") == "CRC32":
            self._full = True
            params["headers"]["x-amz-checksum-type"] = "FULL_OBJECT"

    def _prove_part(self, params: dict[str, Any], **_: Any) -> None:
        # Over plain HTTP boto3 would do the same, slower; over TLS it does so while it sends.
        if self._full and params["url"].startswith("http://"):
            body = params["body"]
            start = body.tell()
            crc = crc32(body.read())  # all at once, which copies nothing
            body.seek(start)
            params["headers"]["x-amz-checksum-crc32"] = _encoded(crc)

    def _complete(self, params: dict[str, Any], **_: Any) -> None:
        if self._full:
            params["headers"]["x-amz-checksum-type"] = "FULL_OBJECT"
            params["headers"]["x-amz-checksum-crc32"] = self.checksum

    def _send(self, request: Any, **_: Any) -> None:
        request.body = _InLargePieces(request.body)

    def _if_absent(self, params: dict[str, Any], **_: Any) -> None:
        params["headers"]["If-None-Match"] = "*"

    def _sent(self, **_: Any) -> None:
        self._commits += 1

    def _answered(self, parsed: dict[str, Any], **_: Any) -> None:
        self.stored = _stored(parsed)

    def answer_lost(self, error: Exception) -> bool:
        """Whether the object may stand although its upload failed.

        boto3 repeats a commit that got no answer; the store refuses the second because of the first.
        """
        return self._commits > 1 or (self._commits == 1 and not self.code(error))

    @staticmethod
    def code(error: Exception) -> str | None:
        """S3's word for an error that it answered with."""
        response = getattr(error, "response", None)
        return response.get("Error", {}).get("Code") if isinstance(response, dict) else None


class _InLargePieces:
    """The body of one request, which urllib3 would send in 65,000 steps for each GiB."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.seek = body.seek  # to its start, before it is sent again

    def read(self, _: int) -> bytes:
        """The next piece, larger than what is asked for."""
        piece: bytes = self._body.read(PIECE)
        return piece


def _encoded(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def _stored(answer: dict[str, Any]) -> Stored:
    stored = Stored()
    if etag := answer.get("ETag"):
        stored["etag"] = etag.strip('"')
    if version := answer.get("VersionId"):
        stored["version_id"] = version
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        if value := answer.get(f"Checksum{algorithm}"):
            kind = answer.get("ChecksumType") or ("COMPOSITE" if "-" in value else "FULL_OBJECT")
            stored["checksum"] = {"type": f"{algorithm}/{kind}", "value": value}
    return stored
