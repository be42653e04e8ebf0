r"""CSV: records counted by the parity of quotes.

RFC 4180 with any line end (CRLF, LF, a lone CR) in UTF-8 or another superset of ASCII is counted. Whether a
line end stands inside quotes is a matter of parity: an odd number of quotes before it. ``""`` inside a quoted
field closes and opens it again, with nothing between, which leaves the parity right.

That holds only where quotes surround whole fields. A bare ``5" screen`` or a quote that is escaped by a
backslash shows by a quote that has neither a separator nor a line end beside it; then, and in UTF-16 or
UTF-32, nobody can say how many rows there are, and nothing is claimed. What is proved whole by its length is
whole all the same.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Final

from airflow_provider_contactcenter.pipeline.glance import BARE, Glance
from airflow_provider_contactcenter.pipeline.incomplete import Head, Incomplete, counted
from airflow_provider_contactcenter.pipeline.proof.meter import Meter

_ENDS: Final = b"\r\n"
_SEPARATORS: Final = (b",", b";", b"\t", b"|")
_EDGES: Final = b"".join(_SEPARATORS) + _ENDS
#: a quote with something else beside it than the edge of a field or another quote; that it begins with a
#: literal lets the search jump from quote to quote
_ODD: Final = re.compile(rb'"(?:[^",;\t|\r\n]|(?<=[^",;\t|\r\n]"))')
#: bytes that hold a whole header, or its names aren't told
_LONGEST_HEADER: Final = 1 << 16
#: bytes without a line end after which they are cut elsewhere
_LONGEST_HELD: Final = 1 << 20
#: bytes at the end of a piece in which the end of a record is looked for
_LONGEST_RECORD: Final = 1 << 15
#: bytes at the end of a piece in which such a place is looked for, or something else than line ends
_LOOK_BACK: Final = 256
#: UTF-32 first: its little-endian mark begins like that of UTF-16
_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
#: content types of an answer that is something else, if it doesn't look like CSV either
_NO_CSV: Final = ("text/plain", "text/html", "application/json", "application/xml", "text/xml")


class CsvMeter(Meter):
    """Counts the records of a CSV file after its header.

    Blank lines before the header and at the end of the file are no rows. A blank line between records is one,
    as it is for Python's csv module: it is how a single empty column is written.

    A file without even a header has no rows, but is never proved whole: no vendor documents one.
    """

    def __init__(self) -> None:
        self._head = Head()
        self._header = b""
        self._held: list[bytes] = []  # what came behind the last cut
        self._size = 0  # bytes held
        self._first = True
        self._started = False  # something else than a BOM and blank lines has been seen
        self._quoted = 0  # 1 inside a quoted field
        self._open_lines = False  # the field that is still open holds more than one line
        self._lf = self._cr = 0  # line ends outside quotes, CRLF as LF
        self._last_lf = self._last_cr = 0  # those of them with nothing but line ends after the first
        self._odd_quotes = False
        self._glance = Glance(_EDGES, _EDGES)

    def feed(self, piece: bytes) -> None:
        self._head.feed(piece)
        self._size += len(piece)
        if (at := _cut(piece, self._size)) is None:
            self._held.append(piece)
            return
        block = b"".join((*self._held, memoryview(piece)[:at]))
        rest = piece[at:]
        self._held, self._size = [rest], len(rest)
        self._count(block)

    def _count(self, block: bytes) -> None:
        """Take a block, which ends behind a line end or where no mark is near."""
        if self._first:
            self._first = False
            # All of it, or as much of it as there is at the end of a file that was cut.
            block = b"" if codecs.BOM_UTF8.startswith(block) else block.removeprefix(codecs.BOM_UTF8)
        if not self._started:
            block = block.lstrip(_ENDS)
            self._started = bool(block)
        if len(self._header) < _LONGEST_HEADER:
            self._header += block[: _LONGEST_HEADER - len(self._header)]
        if not block:
            return
        bare = False
        seen = None if self._quoted or self._odd_quotes else self._glance(block)
        if seen is None:
            bare = b"\r" in block and BARE.search(block) is not None
            lf, cr = self._closely(block, bare)
        else:
            lf, cr = seen, 0
        self._lf, self._cr = self._lf + lf, self._cr + cr
        if self._quoted:
            self._last_lf = self._last_cr = 0
        elif block[-1] in _ENDS:
            tail = block[-_LOOK_BACK:]
            if not tail.strip(_ENDS):
                tail = block
            body = len(tail.rstrip(_ENDS))
            lf, cr = _line_ends(tail[body:], bare)
            self._last_lf = lf + (0 if body else self._last_lf)
            self._last_cr = cr + (0 if body else self._last_cr)
        else:
            self._last_lf = self._last_cr = 0

    def _closely(self, block: bytes, bare: bool) -> tuple[int, int]:
        """The line ends outside quotes, LF and CR, and what quotes leave behind them."""
        if b'"' in block:
            parts = block.split(b'"')
            outside = b'"'.join(parts[self._quoted :: 2])
            was_quoted = self._quoted
            self._quoted ^= (len(parts) - 1) & 1
            if not self._odd_quotes:
                self._odd_quotes = not _at_edges(block, outside, was_quoted, self._quoted)
            if self._quoted:
                self._open_lines = self._stays_open(parts)
        elif self._quoted:
            self._open_lines = self._open_lines or bool(block.strip(_ENDS))
            outside = b""
        else:
            outside = block
        return _line_ends(outside, bare)

    def _stays_open(self, parts: list[bytes]) -> bool:
        """Whether the field that isn't ended by the end of a block holds more than one line."""
        at = len(parts) - 1
        while at > 1 and not parts[at - 1]:  # two quotes in a row are one that is said
            at -= 2
        text = b'"'.join(parts[at::2])
        return (self._open_lines or bool(text.strip(_ENDS))) if at <= 0 else _has_lines(text)

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        self._head.refuse_page("CSV")
        self._head.refuse_packed("CSV")
        if rest := b"".join(self._held):
            self._held = []
            self._count(rest)
        caveats: list[str] = []
        self.caveats = caveats
        if wide := self._wide():
            caveats.append(f"The CSV is in {wide}: its rows aren't counted.")
            return True if framed else None
        self.columns = None if self._odd_quotes or self._quoted else self._columns()
        rows = self._rows()
        # A lone CR at the end may be half a CRLF.
        ended = bool(self._last_lf or (self._last_cr and not self._lf and self._cr > self._last_cr))
        if self._odd_quotes:
            caveats.append(
                "The CSV holds quotes in the middle of fields, or quotes that aren't doubled:"
                " nobody can tell how many rows it has."
            )
        elif self._quoted and not self._open_lines:
            raise Incomplete(f"the CSV ends inside a quoted field after {counted(max(0, (rows or 0) - 1))}")
        elif self._quoted:
            caveats.append(
                "The CSV ends inside a quoted field of several lines: either a quote stands there by mistake,"
                " or the end is missing."
            )
        elif rows is None:
            caveats.append(
                "Some lines of the CSV end with a line feed and some with a carriage return alone:"
                " nobody can tell how many rows it has."
            )
        else:
            self.rows = rows
        if self._started and not framed and not ended:
            before = max(0, (rows or 0) - 1)
            raise Incomplete(
                f"the CSV ends in the middle of a line after {counted(before)},"
                " and the server declared no length that would show it to be the last one"
            )
        if not framed or not self._started or (self._quoted and not self._odd_quotes):
            return None
        return None if self._is_doubtful(content_type, caveats) else True

    def _rows(self) -> int | None:
        """The records behind the first; None where line ends are mixed."""
        lf, cr = self._lf - self._last_lf, self._cr - self._last_cr
        if not self._started:
            return 0
        if not cr:
            return lf
        return None if self._lf else cr

    def _wide(self) -> str | None:
        """The encoding whose characters have several bytes each, None if it isn't one."""
        for mark, name in _WIDE:
            if self._head.bytes.startswith(mark):
                return name
        return "UTF-16 or UTF-32 without a byte order mark" if b"\0" in self._head.bytes else None

    def _columns(self) -> tuple[str, ...] | None:
        cut = len(self._header) >= _LONGEST_HEADER
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(self._header, final=not cut)
            records = csv.reader(io.StringIO(text, newline=""), delimiter=self._separator() or ",")
            names = next(records, [])
            whole = not cut or next(records, None) is not None
        except (UnicodeDecodeError, csv.Error):
            return None
        return tuple(names) if names and whole else None

    def _separator(self) -> str | None:
        """What separates the names in the header, None for a single one."""
        line = re.split(rb"[\r\n]", re.sub(rb'"[^"]*"', b"", self._header), maxsplit=1)[0]
        most = max(_SEPARATORS, key=line.count)
        return most.decode() if most in line else None

    def _is_doubtful(self, content_type: str, caveats: list[str]) -> bool:
        """Whether words came in place of a table.

        :raises Incomplete: they certainly did.
        """
        kind = content_type.partition(";")[0].strip().lower()
        said = " ".join(self._header.decode("utf-8", "replace").split())
        if self._separator() is None:
            words = b" " in self._header.strip() and '"' not in said
            if self.rows == 0 and words and (kind in _NO_CSV or said.endswith((".", "!"))):
                raise Incomplete(f"the file is a sentence, not CSV: {self._head}")
            if self.rows == 0 or (words and kind in _NO_CSV):
                caveats.append(f"The CSV has a single column, as a message would: {self._head}.")
                return True
        elif self.rows == 0 and re.search(r"[,;] ", said) and said.endswith((".", "!")):
            caveats.append(f"The CSV has no rows, and its header reads like a sentence: {self._head}.")
            return True
        return False


def _cut(piece: bytes, held: int) -> int | None:
    """Where a piece may be cut so that no mark loses its neighbour; None if nowhere yet."""
    # Where records end with CRLF, a line feed alone stands in a field, and fields had better be whole.
    if (at := piece.rfind(b"\r\n", max(0, len(piece) - _LONGEST_RECORD))) >= 0:
        return at + 2
    if at := piece.rfind(b"\n") + 1:
        return at
    if at := piece.rfind(b"\r", 0, max(0, len(piece) - 1)) + 1:
        return at
    if held < _LONGEST_HELD:
        return None
    marks = b'"\r\n'
    for at in range(len(piece) - 1, max(0, len(piece) - _LOOK_BACK), -1):
        if piece[at] not in marks and piece[at - 1] not in marks:
            return at
    # Nothing but marks and single letters: a quote may pass unseen there, but half a CRLF would be a row.
    return len(piece) - piece.endswith(b"\r")


def _line_ends(text: bytes, bare: bool) -> tuple[int, int]:
    """LF (or CRLF), and CR alone."""
    return text.count(b"\n"), text.count(b"\r") - text.count(b"\r\n") if bare else 0


def _at_edges(block: bytes, outside: bytes, opened: int, opens: int) -> bool:
    """Whether each quoted field of a block has an edge at either side.

    :param outside: the block with a single quote in place of what is quoted.
    :param opened: a field that began before ends in the block.
    :param opens: a field that isn't ended begins in it.
    """
    if _ODD.search(b'"' * opened + outside + b'"' * opens) is None:
        return True
    # Two quotes in a row between letters look odd, too, and change nothing.
    parts = block.replace(b'""', b"").split(b'"')
    outside = b'"'.join(parts[opened::2])
    return _ODD.search(b'"' * opened + outside + b'"' * opens) is None


def _has_lines(text: bytes) -> bool:
    body = text.rstrip(_ENDS)
    return b"\n" in body or b"\r" in body
