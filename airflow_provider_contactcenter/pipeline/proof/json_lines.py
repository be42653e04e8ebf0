"""JSON lines: a row a line."""

from __future__ import annotations

import re

from airflow_provider_contactcenter.pipeline.array import Document
from airflow_provider_contactcenter.pipeline.incomplete import Head, Incomplete, counted
from airflow_provider_contactcenter.pipeline.proof.meter import Meter

_LONGEST_KEPT = 1 << 20  # bytes of a line that are looked at
_CONSTANT = re.compile(rb"NaN|Infinity")  # what Python and JavaScript write, and JSON doesn't have


class JsonLinesMeter(Meter):
    """Counts the lines of a JSON lines file that aren't blank.

    A last line without a line end is a row if it is a whole JSON object or array, and otherwise proves that
    the file was cut. Line ends alone prove nothing: an unframed file is None even where it ends on one.
    """

    def __init__(self) -> None:
        self._head = Head()
        self._count = 0  # ended lines that aren't blank
        self._objects = 0  # those of them that look like {...}
        self._line: list[bytes] = []  # the line that has no end yet, its first MiBs at least
        self._size = 0  # its whole length
        self._error = ""

    def feed(self, piece: bytes) -> None:
        self._head.feed(piece)
        first, *others = piece.split(b"\n")
        self._extend(first)
        if others:
            *ended, last = others
            cut = b"".join(self._line)
            if _CONSTANT.search(cut) or _CONSTANT.search(piece):
                self._refuse_constants([cut, *ended])
            for line in (cut, *ended):
                if line := line.strip():
                    self._count += 1
                    self._objects += line[:1] == b"{" and line[-1:] == b"}"
            self._line, self._size = [], 0
            self._extend(last)

    def _refuse_constants(self, lines: list[bytes]) -> None:
        for at, line in enumerate(lines):
            if self._error or not _CONSTANT.search(line):
                continue
            document = Document(None, lines=False)
            document.feed(b"[" + line + b"]")  # a line may be any value
            if "contains" in document.error:
                self._error = f"line {self._count + at + 1} is not JSON: {document.error}"

    def _extend(self, piece: bytes) -> None:
        # A line of any length is counted, but no more of it is kept than can be looked at.
        if self._size < _LONGEST_KEPT:
            self._line.append(piece)
        self._size += len(piece)

    def are_objects(self) -> bool:
        """Whether there are several lines and all look like JSON objects, as far as they have come."""
        rest = b"".join(self._line).strip()
        several = self._count + bool(rest) > 1
        return several and self._objects == self._count and rest[:1] in (b"", b"{")

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        self._head.refuse_page("JSON lines")
        if self._error:
            raise Incomplete(self._error)
        line = b"".join(self._line)
        if len(line) == self._size and line.strip():
            _check_last_line(line, self._count)
        self.rows = self._count + bool(line.strip())
        return True if framed else None


def _check_last_line(line: bytes, before: int) -> None:
    document = Document(None, lines=False)
    document.feed(line)
    try:
        document.finish()
    except Incomplete as error:
        raise Incomplete(f"the last line, after {counted(before)}, has no end: {error}") from None
