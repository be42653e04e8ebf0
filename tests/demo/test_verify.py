from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
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
    stored: bytes, served: list[bytes], file_format: str, compression: str | None = None, **told: Any
) -> str:
    delivery = {
        "uri": "s3://lake/a/b?c.csv",
        "sha256": hashlib.sha256(stored).hexdigest(),
        "bytes": len(stored),
        "compression": compression,
        "job": {"report": {"params": {"file_format": file_format}}},
        **told,
    }
    return complaint(delivery, {"s3": Bucket(stored)}, [File(content) for content in served])


@pytest.mark.parametrize(
    ("stored", "served", "file_format", "compression"),
    [
        (CSV, [CSV], "csv", None),
        (CSV, [b"an earlier try", CSV], "csv", None),
        (gzip.compress(CSV), [CSV], "csv", "gzip"),
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


def test_what_cannot_be_read_is_told() -> None:
    assert verdict(b'{"id": \n', [JSON], "jsonl").startswith("the stored jsonl cannot be read: ")
    assert verdict(CSV, [CSV], "csv", "gzip").startswith("the stored csv cannot be read: ")


def test_a_task_that_tells_of_another_object_is_not_believed() -> None:
    assert verdict(CSV, [CSV], "csv", bytes=1) == "the stored object is not the one that the task tells of"
