"""Brings a report into a shape while its bytes pass: select, drop, rename, hash, and another format.

It fails closed. A column or path that the shape names and the file doesn't have fails the task, or else a
renamed column would land in the clear. No error, caveat or number that leaves this room holds a value of the
report, and no error has another one behind it that does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline.encode.parquet import load_pyarrow
from airflow_provider_contactcenter.pipeline.reshape.base import Transform, named_paths
from airflow_provider_contactcenter.pipeline.reshape.csv import FromCsv
from airflow_provider_contactcenter.pipeline.reshape.hashing import Hasher
from airflow_provider_contactcenter.pipeline.reshape.json import FromJson
from airflow_provider_contactcenter.shapes import Shape, shown


def transform(shape: Shape, source_format: str, *, key: bytes | None = None) -> Transform:
    """The stage that brings a report of ``source_format`` (``csv`` or ``jsonl``) into a shape.

    JSON documents, arrays and pages are split into lines before. What can be refused without the file is
    refused here, so making one before a report is submitted checks the shape.

    :param key: of the keyed hash; the password of the shape's ``hash_conn_id``.
    :raises ContactCenterShapeError: the shape can't be had of such a file.
    """
    if source_format not in {"csv", "jsonl"}:
        ask = "csv" if source_format == "xlsx" else "csv or JSON"
        raise ContactCenterShapeError(
            f"A report in {source_format} can't be reshaped: ask for {ask} (file_format of the report), or "
            "leave the shape out."
        )
    if shape["hash"] and not key:
        raise ContactCenterShapeError(
            f"The connection {shape['hash_conn_id']!r} has no password, the key to hash with: set it."
        )
    if source_format == "csv":
        for path in named_paths(shape):
            if not isinstance(path, str):
                raise ContactCenterShapeError(
                    f"The shape names the path {shown(path)}, and the report is CSV, which has columns only."
                )
    target = shape["file_format"] or source_format
    if target == "parquet":
        load_pyarrow()
    return (FromCsv if source_format == "csv" else FromJson)(shape, target, Hasher(key) if key else None)


def schema_fingerprint(columns: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of the names and types of columns, in order, after renaming."""
    schema = [[column["name"], column["type"]] for column in columns]
    compact = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(compact.encode("utf-8", "surrogatepass")).hexdigest()
