"""Is what landed what the vendor served? Answered from the stored bytes, not from what a task says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
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
    # The empty page behind the last one is no report.
    whole = [row for document in documents for row in document]
    return not after_the_last and rows in [*filter(None, documents), whole]


#: File format -> what makes the stored object the served one.
CHECKS: Mapping[str, Callable[[Iterable[bytes], Sequence[Served]], bool]] = {
    "csv": same_bytes,
    "xlsx": same_bytes,
    "json": same_bytes,
    "json_bulk": same_bytes,
    "jsonl": same_rows,
}


def complaint(
    delivery: Mapping[str, Any],
    stores: Mapping[str, Store],
    served: Sequence[Served],
    *,
    shaped: bool = False,
) -> str:
    """Return what is wrong with a delivery, or nothing.

    :param delivery: what the task returned
    :param stores: URI scheme -> the store
    :param served: what the sandbox served for the delivery's job
    :param shaped: the task has a shape, so that some of the columns landed, perhaps in another format
    """

    uri = delivery["uri"]
    try:
        found = digest(stored(uri, stores))
    except Exception as error:  # each store has its own
        return f"{uri} can't be read: {error}"
    if found != (delivery["sha256"], delivery["bytes"]):
        return "the stored object is not the one that the task tells of"
    # What only comes in pages has no such parameter.
    source_format = delivery["job"]["report"]["params"].get("file_format", "jsonl")
    file_format = delivery["file_format"] if shaped else source_format
    landed = gunzipped(stored(uri, stores)) if delivery["compression"] == "gzip" else stored(uri, stores)
    try:
        if shaped:
            same = same_cells(landed, file_format, served, source_format, delivery)
        else:
            same = CHECKS[file_format](landed, served)
    except (ValueError, LookupError, zlib.error) as error:
        return f"the stored {file_format} cannot be read: {error}"
    if not same:
        return f"the stored {file_format} is not what the sandbox served"
    if manifest := delivery.get("manifest"):
        told = _loads(b"".join(stored(manifest, stores)))
        if (told["uri"], told["sha256"], told["rows"]) != (uri, delivery["sha256"], delivery["rows"]):
            return "the manifest tells of another object"
    return ""


def stored(uri: str, stores: Mapping[str, Store]) -> Iterator[bytes]:
    """Yield an object of one of the stores, by scheme, in pieces."""
    address = urlsplit(uri)
    return stores[address.scheme].stream(address.netloc, uri.split("/", 3)[3])


def same_cells(
    landed: Iterable[bytes],
    file_format: str,
    served: Sequence[Served],
    source_format: str,
    delivery: Mapping[str, Any],
) -> bool:
    """Tell whether each cell of each row that landed in a shape is the served one.

    The shape may choose columns, rename them by spelling, and declare types; what it hashes isn't known here.
    """
    rows = table(b"".join(landed), file_format)
    files = [
        table(b"".join(file.chunks()), "json" if source_format == "jsonl" else source_format)
        for file in served
    ]
    return any(
        len(rows) == len(source) == delivery["rows"]
        and all(list(row) == delivery["columns"] for row in rows)
        and all(
            _same_cell(value, known[_letters(name)])
            for row, served_row in zip(rows, source, strict=True)
            for known in [{_letters(name): value for name, value in served_row.items()}]
            for name, value in row.items()
        )
        for source in [*filter(None, files), [row for file in files for row in file]]
    )


def table(content: bytes, file_format: str) -> list[dict[str, Any]]:
    """Return the rows of a file as name -> value."""
    match file_format:
        case "csv":
            return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        case "json":
            return [flat(row) for row in rows_of(_loads(content))]
        case "jsonl":
            return [_loads(line) for line in content.splitlines()]
        case "parquet":
            import pyarrow.parquet

            rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
            return rows
    raise ValueError(f"{file_format} has no rows here")


def _letters(name: str) -> str:
    """The name without what renaming to snake case changes."""
    return re.sub(r"[\W_]", "", name).lower()


def _same_cell(landed: Any, served: Any) -> bool:
    if isinstance(landed, date):  # and datetime
        return re.sub(r"\D", "", str(landed))[:14] == re.sub(r"\D", "", str(served))[:14]
    return _text(landed) == _text(served)


def _text(value: Any) -> str:
    """The value as CSV has it."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, default=str).strip('"')


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
