"""A report in a shape: what it keeps out is nowhere but at the vendor, and the rest is the vendor's."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_contactcenter.demo import verify
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from tests.faults.subjects import Subject

HASH_KEY = "sentinel-hash-key-4c1d"
CONNECTION = {
    "AIRFLOW_CONN_HASH_KEY": json.dumps({"conn_type": "generic", "password": HASH_KEY}),
}
#: shorter values stand by chance in a time or an id
SHORTEST = 6


def of(subject: Subject, file_format: str | None, *, missing: bool, misfit: bool) -> Mapping[str, Any]:
    """The subject's shape: its personal columns are dropped and hashed.

    :param missing: it also names a column that the report doesn't have
    :param misfit: it also takes a column of text for numbers
    """
    types = {"no such column": "string"} if missing else {subject.text: "int64"} if misfit else None
    return shape(
        file_format=file_format,
        drop=list(subject.drop),
        hash=list(subject.hash),
        hash_conn_id="hash_key",
        types=types,
    )


def served(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The rows of what was served, whole or in part."""
    contents = sandbox._ask(lambda world: [one.content for one in world.served])
    # A file that is asked for again is the same again.
    files = {b"".join(content.chunks()): content.file_format for content in contents}
    return [
        row for file, kind in files.items() for row in verify.table(file, "csv" if kind == "csv" else "json")
    ]


def kept_out(subject: Subject, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The values of the columns that are dropped or hashed."""
    found = {text for row in rows for path in (*subject.drop, *subject.hash) for text in _texts(row, path)}
    return {text for text in found if len(text) >= SHORTEST}


def _texts(value: Any, path: str | Sequence[str]) -> Iterator[str]:
    """Each text at a path, and below it."""
    first, *rest = [path] if isinstance(path, str) else path or [None]
    if first is not None:
        inner = value if first == "[]" else [value.get(first)] if isinstance(value, dict) else []
        for each in inner or ():
            yield from _texts(each, rest)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, ())
    elif value is not None:
        yield str(value)


def is_whole(
    subject: Subject, landed: bytes, delivery: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether each row landed, the hashed column as its keyed hash and every other one as it came."""
    found = verify.table(landed, delivery["file_format"])
    gone = [path for path in subject.drop if isinstance(path, str)]
    [hashed] = subject.hash
    whole = [path for path in (*subject.drop, *subject.hash) if not isinstance(path, str)]
    within = {path[0] for path in whole}  # of these columns a part is kept out
    return len(found) == len(rows) == delivery["rows"] and all(
        not set(gone) & set(row)
        and row[hashed] == hash_of(source[hashed])
        and all(
            _same(value, source.get(name))
            for name, value in row.items()
            if name != hashed and name not in within
        )
        for row, source in zip(found, rows, strict=True)
    )


def _same(landed: str | None, source: Any) -> bool:
    if source is None or isinstance(source, str):
        return (landed or "") == (source or "")
    return bool(verify._loads(landed or "") == source)


def hash_of(value: str | None) -> str | None:
    """What a shape makes of a value."""
    return hmac.new(HASH_KEY.encode(), value.encode(), hashlib.sha256).hexdigest() if value else value


WRITTEN: list[str] = []
_watching = [False]


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not (_watching[0] and event == "open"):
        return
    path, _, flags = arguments
    if isinstance(path, str) and path != os.devnull and (flags or 0) & (os.O_WRONLY | os.O_RDWR):
        WRITTEN.append(path)


@contextlib.contextmanager
def writes() -> Iterator[list[str]]:
    """The paths of the files that this process opens for writing, but for the null device."""
    if not WRITTEN:
        WRITTEN.append("")  # the hook is set once: it can't be removed
        sys.addaudithook(_hook)
    del WRITTEN[1:]
    _watching[0] = True
    try:
        yield WRITTEN
    finally:
        _watching[0] = False
