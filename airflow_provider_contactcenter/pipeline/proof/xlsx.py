"""Workbooks: whole if the directory that closes every zip file is there."""

from __future__ import annotations

import struct
from typing import Final

from airflow_provider_contactcenter.pipeline.incomplete import Head, Incomplete
from airflow_provider_contactcenter.pipeline.proof.meter import Meter

_END_RECORD: Final = struct.Struct("<4s8xLLH")  # signature; directory's size and offset; comment's length
_END_SIGNATURE: Final = b"PK\5\6"
_TAIL: Final = _END_RECORD.size + 0xFFFF  # the longest comment


class XlsxMeter(Meter):
    """Proves that a workbook is whole by the record that ends every zip file; its rows aren't counted."""

    def __init__(self) -> None:
        self._head = Head()
        self._tail = b""
        self._size = 0

    def feed(self, piece: bytes) -> None:
        self._head.feed(piece)
        self._size += len(piece)
        self._tail = (self._tail + piece[-_TAIL:])[-_TAIL:]

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        self._head.refuse_page("a workbook")
        if not self._head.bytes.startswith(b"PK"):
            raise Incomplete(f"the file is not an XLSX workbook: it starts with {self._head}")
        at = len(self._tail)
        while (at := self._tail.rfind(_END_SIGNATURE, 0, at)) >= 0:
            if self._closes(at):
                return True
        raise Incomplete(f"the XLSX workbook has no closing directory, it ends after {self._size} bytes")

    def _closes(self, at: int) -> bool:
        """Whether the end record stands here, reaches the end of the file, and its directory before it."""
        if len(self._tail) - at < _END_RECORD.size:
            return False
        _, size, offset, comment = _END_RECORD.unpack_from(self._tail, at)
        before = self._size - len(self._tail) + at
        zip64 = 0xFFFFFFFF in (size, offset)
        return at + _END_RECORD.size + comment == len(self._tail) and (zip64 or size + offset <= before)
