"""The rest of a file that broke off, where its server takes ranges (RFC 9110, sections 13.1.5 and 14).

Asked for is the rest of the very same bytes: ``If-Range`` with a strong ETag makes a server whose file is
another one by now send the whole. Whatever comes that is not exactly this rest is no answer: then the whole
file is asked for, as if there were no ranges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.messages import Answer

_STRONG: Final = re.compile(r'"[\x21\x23-\x7e]*"')
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Resumable:
    """A file that began to come, and whose server names its bytes.

    :ivar first: the answer that began; its head is what a vendor's module looks at, whichever part comes.
    :ivar etag: names the bytes.
    :ivar size: bytes of the whole.
    """

    first: Answer
    etag: str
    size: int

    def rest(self, came: int) -> Rest | None:
        """What is behind the bytes that came; None where the whole has to be asked for."""
        return Rest(self, came) if len(self.first.body) <= came < self.size and came else None


@dataclass(frozen=True, slots=True)
class Rest:
    """The part of a file behind its first ``start`` bytes."""

    file: Resumable
    start: int

    def headers(self, url: str) -> Mapping[str, str]:
        """What asks for it at a URL: nothing unless the file's own server is there."""
        if policy.origin(url) != policy.origin(self.file.first.url):
            return {}
        return {"Range": f"bytes={self.start}-", "If-Range": self.file.etag}

    def is_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the answer with these headers, a 206, has this part and nothing else."""
        said = _RANGE.fullmatch(headers.get("content-range", "").strip())
        return (
            said is not None
            and tuple(map(int, said.groups())) == (self.start, self.file.size - 1, self.file.size)
            and headers.get("etag", "").strip() == self.file.etag
            and headers.get("content-length", "").strip() == str(self.file.size - self.start)
            and "content-encoding" not in headers
        )


def resumable(answer: Answer) -> Resumable | None:
    """What is needed to go on behind a break of a streamed answer; None where the server doesn't give it.

    A weak ETag names no bytes; a packed body's places are not those of the text.
    """
    headers = answer.headers
    etag, size = headers.get("etag", "").strip(), headers.get("content-length", "").strip()
    if answer.status != 200 or not _STRONG.fullmatch(etag) or not re.fullmatch(r"\d+", size, re.ASCII):
        return None
    if "content-encoding" in headers or headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    return Resumable(replace(answer, chunks=None), etag, int(size))
