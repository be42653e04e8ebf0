"""The names of file formats, and what a store is told of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["CONTENT_TYPES", "content_type", "unknown_format"]

CONTENT_TYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    # Named by Talkdesk and nowhere described: no claim is better than a wrong one.
    "json_bulk": "application/octet-stream",
    "parquet": "application/vnd.apache.parquet",
}


def content_type(file_format: str, compression: str | None = None) -> str:
    """The Content-Type to store such a file under; ValueError for unknown values."""
    if file_format not in CONTENT_TYPES:
        raise unknown_format(file_format, CONTENT_TYPES)
    if compression is None:
        return CONTENT_TYPES[file_format]
    if compression == "gzip":
        return "application/gzip"
    raise ValueError(f"compression must be None or 'gzip', not {compression!r}")


def unknown_format(file_format: str, known: Iterable[str]) -> ValueError:
    """The error that says which formats there are."""
    return ValueError(f"file_format must be one of {', '.join(known)}, not {file_format!r}")
