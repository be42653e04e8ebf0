"""A shape in the whole pipeline, for each kind of source, with gzip and without."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_contactcenter.pipeline.assemble import assemble
from airflow_provider_contactcenter.pipeline.source import FileSource, PageSource, ReportStream
from airflow_provider_contactcenter.pipeline.transform import transform
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages


class Fetched:
    framed = True
    content_type = ""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.hash = hashlib.sha256(data)

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._data), 5):
            yield self._data[at : at + 5]


def never() -> Any:
    raise AssertionError


ROWS = [{"a": "1", "caller": "+49"}, {"a": "2", "caller": ""}]
DOCUMENT = b'{"entries":[{"a":"1","caller":"+49"},{"a":"2","caller":""}],"total":2}'


def source(kind: str) -> Any:
    if kind == "pages":
        pages = {None: Page(rows=ROWS[:1], cursor="x"), "x": Page(rows=ROWS[1:], cursor=None)}
        return PageSource(Pages(page=never), lambda cursor: pages[cursor])  # type: ignore[index]
    data = {
        "csv": b"a,caller\r\n1,+49\r\n2,\r\n",
        "json": DOCUMENT,
        "jsonl": b'{"a":"1","caller":"+49"}\n{"a":"2","caller":""}\n',
    }[kind]
    return FileSource(File(open=never, file_format=kind), Fetched(data))


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "pages"])
def test_a_shape_takes_each_kind_of_source_to_parquet(kind: str, compression: str | None) -> None:
    stream = ReportStream(source(kind), lambda failure: failure, lambda note: None)
    wanted = shape(file_format="parquet", drop=["caller"])
    body = assemble(stream, transform=lambda came: transform(wanted, came), compression=compression)
    made = body.read()
    table = pq.read_table(pa.BufferReader(gzip.decompress(made) if compression else made))
    assert table.to_pylist() == [{"a": "1"}, {"a": "2"}]
    assert stream.rows == 2
