"""Is what landed what the vendor served? Answered from the stored bytes, not from what a task says."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit


class Served(Protocol):
    """A file or page that the sandbox served."""

    @property
    def sha256(self) -> str:
        """Digest of the whole."""

    @property
    def file_format(self) -> str:
        """``csv``, ``json`` and so on."""

    def chunks(self) -> Iterator[memoryview]:
        """The bytes."""


class Store(Protocol):
    """Where objects landed."""

    def stream(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the stored object in pieces."""


def same_bytes(landed: Iterable[bytes], served: Sequence[Served]) -> bool:
    """Tell whether the digest is that of a file the sandbox served."""
    return digest(landed)[0] in {file.sha256 for file in served}


def same_rows(landed: Iterable[bytes], served: Sequence[Served]) -> bool:
    """Tell whether the lines are the rows of the served JSON, one by one: of all pages or one document."""
    *lines, after_the_last = b"".join(landed).split(b"\n")
    documents = [[flat(row) for row in rows_of(_loads(b"".join(file.chunks())))] for file in served]
    rows = [_unmarked(_loads(line)) for line in lines]
    return not after_the_last and rows in [*documents, [row for document in documents for row in document]]


#: File format -> what makes the stored object the served one.
CHECKS: Mapping[str, Callable[[Iterable[bytes], Sequence[Served]], bool]] = {
    "csv": same_bytes,
    "xlsx": same_bytes,
    "json": same_bytes,
    "json_bulk": same_bytes,
    "jsonl": same_rows,
}


def complaint(delivery: Mapping[str, Any], stores: Mapping[str, Store], served: Sequence[Served]) -> str:
    """Return what is wrong with a delivery, or nothing.

    :param delivery: what the task returned
    :param stores: URI scheme -> the store
    :param served: what the sandbox served for the delivery's job
    """
    address = urlsplit(delivery["uri"])
    bucket, key = address.netloc, delivery["uri"].split("/", 3)[3]

    def stored() -> Iterator[bytes]:
        return stores[address.scheme].stream(bucket, key)

    if digest(stored()) != (delivery["sha256"], delivery["bytes"]):
        return "the stored object is not the one that the task tells of"
    # What only comes in pages has no such parameter.
    file_format = delivery["job"]["report"]["params"].get("file_format", "jsonl")
    landed = gunzipped(stored()) if delivery["compression"] == "gzip" else stored()
    try:
        same = CHECKS[file_format](landed, served)
    except (ValueError, zlib.error) as error:
        return f"the stored {file_format} cannot be read: {error}"
    return "" if same else f"the stored {file_format} is not what the sandbox served"


def digest(pieces: Iterable[bytes]) -> tuple[str, int]:
    """Return SHA-256 and length."""
    hasher, length = hashlib.sha256(), 0
    for piece in pieces:
        hasher.update(piece)
        length += len(piece)
    return hasher.hexdigest(), length


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip."""
    decompressor = zlib.decompressobj(wbits=31)
    for piece in pieces:
        yield decompressor.decompress(piece)
    yield decompressor.flush()


def rows_of(document: Any) -> list[Any]:
    """Return the rows of a vendor's JSON: the document itself, or the one list in it."""
    if isinstance(document, list):
        return document
    [rows] = [value for value in document.values() if isinstance(value, list)]
    return list(rows)


def flat(row: Any) -> Any:
    """Return a row of 8x8's items as one object, a total under ``_total``; any other row as it is."""
    if not isinstance(row, dict) or "items" not in row:
        return row
    items = row["items"]
    values = items if isinstance(items, dict) else {item["key"]: item["value"] for item in items}
    return _unmarked({"_total": row.get("total", row.get("totals")), **values})


def _unmarked(row: Any) -> Any:
    """Return the row without a mark that says that it is no total."""
    if not isinstance(row, dict) or row.get("_total", "") is not None:
        return row
    return {key: value for key, value in row.items() if key != "_total"}


def _loads(text: str | bytes) -> Any:
    # Decimal keeps every digit that a float would lose on both sides alike.
    return json.loads(text, parse_float=Decimal)
