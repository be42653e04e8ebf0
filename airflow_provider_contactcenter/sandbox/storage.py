"""The second origin: the object storage that the vendors' signed links lead to.

The vendors don't describe their storage beyond "a pre-signed, short-lived link"; the answers here are those
of S3, which Talkdesk's documents name. Refusing every private header is stricter than S3: it shows a leak.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from .data import Content
from .model import Reply, Request

#: headers that no client may carry over to another origin, whatever the vendor
PRIVATE_HEADERS = ("Authorization", "Cookie")
SIGNING_KEY = b"sandbox-storage-signing-key"


class Owner(Protocol):
    """The vendor whose links these are."""

    links_dead: bool

    @property
    def options(self) -> Mapping[str, Any]:
        """The vendor's options, as they are now."""

    @property
    def name(self) -> str:
        """Names the bucket."""

    def now(self) -> datetime:
        """The sandbox's clock, in UTC."""


@dataclass(frozen=True)
class Link:
    """What one signed link leads to."""

    owner: Owner
    content: Content
    path: str
    query: frozenset[tuple[str, str]]
    """Parameters, of which none may be missing, changed or added; S3 signs them in an order of its own."""
    expires: datetime
    job: str | None


class Storage:
    """The objects behind signed links."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._links: dict[str, Link] = {}

    def clear(self) -> None:
        """Forget all links."""
        self._links.clear()

    def sign(self, owner: Owner, content: Content, name: str, seconds: float, job: str | None) -> str:
        """A link to `content` under `name` that is good for `seconds`."""
        now = owner.now()
        path = f"/{owner.name.replace('_', '-')}-reports/{quote(name)}"
        # The counter makes two links to one object two signatures.
        text = f"{path}\n{now.isoformat()}\n{len(self._links)}".encode()
        signature = hmac.new(SIGNING_KEY, text, hashlib.sha256).hexdigest()
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SANDBOX/{now:%Y%m%d}/us-east-1/s3/aws4_request",
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": f"{seconds:g}",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": signature,
        }
        expires = now + timedelta(seconds=seconds)
        self._links[signature] = Link(owner, content, path, frozenset(query.items()), expires, job)
        return f"{self.url}{path}?{urlencode(query)}"

    def find(self, request: Request) -> Link | None:
        """The link whose signature a request bears; whether it signs this request is for `answer` to say."""
        return self._links.get(dict(request.query).get("X-Amz-Signature", ""))

    def answer(self, request: Request, link: Link | None, private_headers: tuple[str, ...]) -> Reply:
        """The object, or S3's refusal."""
        leaked = [name for name in (*PRIVATE_HEADERS, *private_headers) if name in request.headers]
        if leaked:
            return _refusal(
                400, "InvalidArgument", f"Only one auth mechanism allowed; {leaked[0]} was sent too"
            )
        if link is None or not _signed(link, request):
            return _refusal(403, "SignatureDoesNotMatch", "The request signature does not match")
        if link.owner.links_dead or link.owner.now() >= link.expires:
            return _refusal(403, "AccessDenied", "Request has expired")
        return _object(request, link)


def _signed(link: Link, request: Request) -> bool:
    """Whether the link's signature is this request's: S3 signs the method, the path and the whole query."""
    given = request.query
    whole = len(given) == len(link.query) and set(given) == link.query
    return whole and (request.method, request.raw_path) == ("GET", link.path)


def _object(request: Request, link: Link) -> Reply:
    """The whole, or the part that was asked for: one range, and with If-Range only of the same object."""
    content = link.content
    headers = {"Content-Type": content.content_type, "Server": "AmazonS3"}
    if not link.owner.options["ranges"]:
        return Reply(200, content, headers, link.job)
    headers |= {"ETag": content.etag, "Accept-Ranges": "bytes"}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""), re.ASCII)
    same = request.headers.get("If-Range", content.etag) == content.etag
    if not (wanted and any(wanted.groups()) and same):
        return Reply(200, content, headers, link.job)
    first, last = wanted.groups()
    start = int(first) if first else max(content.length - int(last), 0)
    stop = min(int(last) + 1, content.length) if first and last else content.length
    if start >= stop:
        return _refusal(416, "InvalidRange", "The requested range is not satisfiable")
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.length}"
    return Reply(206, content, headers, link.job, (start, stop))


def _refusal(status: int, code: str, message: str) -> Reply:
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>SANDBOX</RequestId></Error>"
    )
    return Reply(status, xml.encode(), {"Content-Type": "application/xml", "Server": "AmazonS3"})
