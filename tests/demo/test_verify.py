from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_contactcenter.demo.verify import complaint

CSV = b'id,note\r\n1,"a, ""b""\nc"\r\n'
JSON = '{"total": 2, "entries": [{"id": 1.10, "note": "a\u2028b"}, {"id": 2, "note": null}]}'.encode()
JSONL = '{"id": 1.10, "note": "a\u2028b"}\n{"note": null, "id": 2}\n'.encode()


@dataclass(frozen=True)
class File:
    content: bytes
    file_format: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def chunks(self) -> Iterator[memoryview]:
        yield memoryview(self.content)


class Bucket:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, bucket: str, key: str) -> Iterator[bytes]:
        assert (bucket, key) == ("lake", "a/b?c.csv")
        yield from (self.content[:5], self.content[5:])


def verdict(
    stored: bytes,
    served: list[bytes],
    file_format: str,
    compression: str | None = None,
    *,
    shaped: dict[str, Any] | None = None,
    **told: Any,
) -> str:
    delivery = {
        "uri": "s3://lake/a/b?c.csv",
        "sha256": hashlib.sha256(stored).hexdigest(),
        "bytes": len(stored),
        "compression": compression,
        "job": {"report": {"params": {"file_format": file_format}}},
        **told,
        **(shaped or {}),
    }
    files = [File(content) for content in served]
    return complaint(delivery, {"s3": Bucket(stored)}, files, shaped=shaped is not None)


@pytest.mark.parametrize(
    ("stored", "served", "file_format", "compression"),
    [
        (CSV, [CSV], "csv", None),
        (CSV, [b"an earlier try", CSV], "csv", None),
        (gzip.compress(CSV, mtime=0), [CSV], "csv", "gzip"),
        (JSON, [JSON], "json", None),
        (JSONL, [JSON], "jsonl", None),
        (JSONL, [b'[{"id": 1.1, "note": "a\xe2\x80\xa8b"}]', b'[{"id": 2, "note": null}]'], "jsonl", None),
        (JSONL, [b'[{"id": 3}]', JSON], "jsonl", None),
        (b"", [b'{"entries": []}'], "jsonl", None),
    ],
)
def test_what_landed_as_served_is_fine(
    stored: bytes, served: list[bytes], file_format: str, compression: str | None
) -> None:
    assert verdict(stored, served, file_format, compression) == ""


ITEMS = b"""[
    {"total": null, "items": [{"key": "queue", "label": "Queue", "value": "Sales"}]},
    {"totals": {"type": "grandtotal"}, "items": {"queue": null}}
]"""


@pytest.mark.parametrize("mark", [b'"_total": null, ', b""])
def test_items_of_key_label_and_value_land_as_flat_objects(mark: bytes) -> None:
    flat = b"{" + mark + b'"queue": "Sales"}\n{"_total": {"type": "grandtotal"}, "queue": null}\n'
    assert verdict(flat, [ITEMS], "jsonl") == ""
    assert verdict(flat.replace(b"Sales", b"Sale"), [ITEMS], "jsonl") != ""
    assert verdict(flat.replace(b"grandtotal", b"subtotal"), [ITEMS], "jsonl") != ""


@pytest.mark.parametrize(
    ("stored", "served", "file_format"),
    [
        (CSV[:-2], [CSV], "csv"),
        (CSV, [], "csv"),
        (JSONL[:-1], [JSON], "jsonl"),
        (JSONL.split(b"\n")[0] + b"\n", [JSON], "jsonl"),
        (JSONL.replace(b"1.10", b"1.11"), [JSON], "jsonl"),
    ],
)
def test_what_landed_otherwise_is_told(stored: bytes, served: list[bytes], file_format: str) -> None:
    assert verdict(stored, served, file_format) == f"the stored {file_format} is not what the sandbox served"


def test_nothing_landed_is_not_taken_for_the_empty_page_behind_the_last_one() -> None:
    page, last = b'[{"id": 1}]', b"[]"
    assert verdict(b"", [page, last], "jsonl") == "the stored jsonl is not what the sandbox served"
    assert verdict(b'{"id": 1}\n', [page, last], "jsonl") == ""
    assert verdict(b"", [last], "jsonl") == "", "a report without rows"


def test_what_cannot_be_read_is_told() -> None:
    assert verdict(b'{"id": \n', [JSON], "jsonl").startswith("the stored jsonl cannot be read: ")
    assert verdict(CSV, [CSV], "csv", "gzip").startswith("the stored csv cannot be read: ")


def test_a_task_that_tells_of_another_object_is_not_believed() -> None:
    assert verdict(CSV, [CSV], "csv", bytes=1) == "the stored object is not the one that the task tells of"


SHAPED = {"file_format": "csv", "columns": ["id", "Call_Start"], "rows": 1}
SOURCE = b"\xef\xbb\xbfid,callStart,secret\r\n007,2024-05-01 00:57:34,x\r\n"


@pytest.mark.parametrize(
    ("stored", "same"),
    [
        (b"id,Call_Start\r\n007,2024-05-01 00:57:34\r\n", True),
        (b"id,Call_Start\r\n7,2024-05-01 00:57:34\r\n", False),
        (b"id,Call_Start\r\n", False),
        (b"id,Call_Start,secret\r\n007,2024-05-01 00:57:34,x\r\n", False),
    ],
)
def test_what_landed_in_a_shape_is_compared_cell_by_cell(stored: bytes, same: bool) -> None:
    assert (verdict(stored, [SOURCE], "csv", shaped=SHAPED) == "") is same


def test_parquet_is_compared_cell_by_cell() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    moment = datetime(2024, 5, 1, 0, 57, 34, tzinfo=UTC)
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"id": ["007"], "Call_Start": [moment]}), file)
    told = SHAPED | {"file_format": "parquet"}
    assert verdict(file.getvalue(), [SOURCE], "csv", shaped=told) == ""
    other = SOURCE.replace(b"57:34", b"57:35")
    assert verdict(file.getvalue(), [other], "csv", shaped=told) != ""


def test_rows_of_pages_are_compared_as_csv() -> None:
    told = {"file_format": "csv", "columns": ["id", "note"], "rows": 2}
    pages = [b'[{"id": 1.10, "note": "a", "more": [1]}]', b'[{"id": true, "note": null}]']
    assert verdict(b"id,note\r\n1.10,a\r\ntrue,\r\n", pages, "jsonl", shaped=told) == ""
    assert verdict(b"id,note\r\n1.1,a\r\ntrue,\r\n", pages, "jsonl", shaped=told) != ""
