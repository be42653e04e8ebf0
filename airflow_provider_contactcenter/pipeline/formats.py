"""What the package knows about file formats, while the bytes pass through.

Three things are done to a report file on its way from the vendor to the object store, each in one pass and in
memory that doesn't grow with the file:

- a :class:`Meter` counts its rows and proves that it is whole (:func:`meter_for`);
- :class:`JsonLines` turns a JSON document into JSON lines, :func:`json_lines` the rows of a page;
- :class:`Gzip` compresses, the same input always to the same bytes.

Nothing here does I/O. What is missing from a file is said by :class:`Incomplete`, only ever raised by
``finish``.
"""

from __future__ import annotations

import codecs
import json
import re
import struct
import zlib
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NoReturn, Protocol

__all__ = ["Gzip", "Incomplete", "JsonLines", "Meter", "content_type", "json_lines", "meter_for"]


class Incomplete(Exception):
    """The file is proved not to be whole. ``str()`` is one sentence that says what is missing."""


class Meter(Protocol):
    """Counts the rows of one file and judges whether it is whole; gets every byte, in order."""

    rows: int | None
    """Data rows, without a header; known after :meth:`finish`, None where nobody can know them."""
    vendor_total: int | None
    """The number of rows that the file itself declares, else None."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def finish(self, *, framed: bool) -> bool | None:
        """Judge the file: True where it is proved whole, None where there is nothing to prove it by.

        ``framed``: the transport proved that it delivered the whole body (the declared length was met, or the
        terminator of a chunked body was seen). Raises :class:`Incomplete` where the file is proved not to be
        whole.
        """


def meter_for(file_format: str, *, rows_at: str | None = "entries") -> Meter:
    """Return a new meter for a file of this format: ``csv``, ``xlsx``, ``json``, ``jsonl`` or ``json_bulk``.

    ``rows_at`` concerns the two JSON formats: the member of a top-level object that holds the array of rows;
    None where the vendor's objects have no such member. Raises ValueError for a format that isn't known.
    """
    match file_format:
        case "csv":
            return _CsvMeter()
        case "xlsx":
            return _XlsxMeter()
        case "json":
            return _JsonMeter(rows_at)
        case "jsonl":
            return _JsonLinesMeter()
        case "json_bulk":
            return _JsonBulkMeter(rows_at)
    raise _unknown_format(file_format)


_CONTENT_TYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    # Named by Talkdesk and nowhere described: no claim is better than a wrong one.
    "json_bulk": "application/octet-stream",
}


def content_type(file_format: str, compression: str | None = None) -> str:
    """Return the Content-Type to store such a file under; ValueError for unknown values."""
    if file_format not in _CONTENT_TYPES:
        raise _unknown_format(file_format)
    if compression is None:
        return _CONTENT_TYPES[file_format]
    if compression == "gzip":
        return "application/gzip"
    raise ValueError(f"compression must be None or 'gzip', not {compression!r}")


def _unknown_format(file_format: str) -> ValueError:
    return ValueError(f"file_format must be one of {', '.join(_CONTENT_TYPES)}, not {file_format!r}")


_SHOWN: Final = 80  # characters of a wrong file that an error shows


def _start(head: bytes | str) -> str:
    """The first characters of a file that isn't what it should be, in quotes and on one line."""
    text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    return '"' + " ".join("".join(c if c.isprintable() else " " for c in text[:_SHOWN]).split()) + '"'


def _is_page(head: bytes) -> bool:
    """Whether a file starts like a web page or an XML error: what proxies and logins answer with."""
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:9].lower()
    return first.startswith((b"<!doctype", b"<html", b"<?xml"))


#: how a workbook or another zip file starts, and a gzip file
_PACKED: Final = (b"PK\3\4", b"\x1f\x8b")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


class _Head:
    """Keeps the first bytes of a file, to recognise a web page and to quote it."""

    def __init__(self) -> None:
        self.bytes = b""

    def __str__(self) -> str:
        return _start(self.bytes)

    def feed(self, chunk: bytes) -> None:
        if len(self.bytes) < 4 * _SHOWN:
            self.bytes += chunk[: 4 * _SHOWN]

    def refuse_page(self, what: str) -> None:
        if _is_page(self.bytes):
            raise Incomplete(f"the file is an HTML page or XML message, not {what}: {self}")

    def refuse_packed(self, what: str) -> None:
        if self.bytes.startswith(_PACKED):
            raise Incomplete(f"the file is packed (a workbook, zip or gzip), not {what}: {self}")


# --- CSV ----------------------------------------------------------------------------------------------------

_ALL_BUT_QUOTE_AND_LF: Final = bytes(set(range(256)) - set(b'"\n'))


class _CsvMeter:
    r"""Counts the records of a CSV file (RFC 4180, UTF-8 or another superset of ASCII) after its header.

    A record ends at a line feed outside quotes, so CRLF ends one too; a carriage return alone doesn't.
    Whether a line feed stands inside quotes is a matter of parity: an odd number of quotes before it. ``""``
    inside a quoted field closes and opens it again, with nothing between, which leaves the parity right. The
    assumption is that a field which contains a quote is itself quoted, as the RFC demands and every CSV
    writer does; a bare ``5" screen`` would be taken for the start of a quoted field and, most likely, end as
    "inside a quoted field".

    Blank lines before the header and at the end of the file are no rows. A blank line between records is one,
    as it is for Python's csv module: it is how a single empty column is written.

    A file without even a header has no rows, but is never proved whole: no vendor documents one.
    """

    vendor_total: int | None = None

    def __init__(self) -> None:
        self.rows: int | None = None
        self._head = _Head()
        self._started = False  # something else than a BOM and blank lines has been seen
        self._start = b""  # the first bytes, as long as they may be part of a BOM
        self._quoted = 0  # 1 inside a quoted field
        self._records = 0  # line feeds outside quotes
        self._trailing = 0  # those of them with nothing but line ends after the first

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        if not self._started:
            chunk = self._begin(chunk)
        if not chunk:
            return
        if b'"' in chunk:
            # Only quotes and line feeds are left, then only those quotes that have a line feed beside them:
            # two quotes in a row never change the parity of what follows. This is all that makes it fast.
            marks = chunk.translate(None, _ALL_BUT_QUOTE_AND_LF).replace(b'""', b"")
            parts = marks.split(b'"')
            self._records += len(b"".join(parts[self._quoted :: 2]))
            self._quoted ^= (len(parts) - 1) & 1
        elif not self._quoted:
            self._records += chunk.count(b"\n")
        if self._quoted or chunk[-1] not in b"\r\n":
            self._trailing = 0
        else:
            body = len(chunk.rstrip(b"\r\n"))
            self._trailing = chunk.count(b"\n", body) + (0 if body else self._trailing)

    def _begin(self, chunk: bytes) -> bytes:
        """Return the chunk without a BOM and without blank lines, b"" as long as nothing else has come."""
        chunk = self._start + chunk
        if len(chunk) < len(codecs.BOM_UTF8) and codecs.BOM_UTF8.startswith(chunk):
            self._start = chunk
            return b""
        self._start = b""
        chunk = chunk.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
        self._started = bool(chunk)
        return chunk

    def finish(self, *, framed: bool) -> bool | None:
        self._head.refuse_page("CSV")
        self._head.refuse_packed("CSV")
        records = self._records - max(0, self._trailing - 1)
        unended = self._started and not self._trailing
        self.rows = max(0, records + unended - 1)
        if self._quoted:
            raise Incomplete(f"the CSV ends inside a quoted field after {_rows(max(0, records - 1))}")
        if framed:
            return True if self._started else None
        if unended:
            raise Incomplete(
                f"the CSV ends in the middle of a line after {_rows(max(0, records - 1))},"
                " and the server declared no length that would show it to be the last one"
            )
        return None


# --- JSON ---------------------------------------------------------------------------------------------------


def _refuse_constant(name: str) -> NoReturn:
    raise Incomplete(f"the document is not JSON: it contains {name}")


# The standard library's decoder says where a value ends, which orjson doesn't, and reads twice as fast as
# ijson. What it decodes is thrown away, so nothing is rounded; len is the cheapest thing to do with digits.
_DECODER: Final = json.JSONDecoder(parse_float=len, parse_int=len, parse_constant=_refuse_constant)
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_TOKEN: Final = 16  # characters: longer than any token that isn't a string and any escape
# The start of a token or escape at the end of a text, or nothing at all.
_STUB: Final = re.compile(r"-|t(ru?)?|f(a(ls?)?)?|n(ul?)?|\.|[eE][+-]?|\\?u[0-9a-fA-F]{0,4}|[ \t\n\r]*")
_DESCEND: Final = 1 << 20  # characters of one value above which it is read member by member

_Steps = Generator[None, None, None]


def _compact(value: str) -> str:
    """Drop the white space between the tokens of a valid JSON value, and with it every line end."""
    # A valid value holds no control characters but white space, so they can stand in for escapes and strings.
    masked = value
    if '\\"' in value:
        masked = value.replace("\\\\", "\1").replace('\\"', "\2")
    parts = masked.split('"')
    loose = "\0".join(parts[::2])  # all that is outside strings
    tight = "".join(loose.split())
    if len(tight) == len(loose):
        return value
    parts[::2] = tight.split("\0")
    return '"'.join(parts).replace("\2", '\\"').replace("\1", "\\\\")


class _Document:
    """Reads one JSON document in chunks; its rows are in the top-level array or in the member ``rows_at``.

    The parser is a generator that is resumed whenever there is more text. Memory holds one value at a time: a
    row, or a member of the top-level object; a value that is larger than a few MiB and needn't be kept is
    read piecewise. Values are validated and copied as they are written, never converted.
    """

    def __init__(self, rows_at: str | None, *, lines: bool) -> None:
        self.rows: int | None = None
        self.vendor_total: int | None = None
        self.error = ""  # what is wrong, in a sentence in which {start} stands for the start of the document
        self.missing = False  # the error proves that something is missing, not only that this isn't JSON
        self.lines: list[str] = []  # rows not yet taken, if they are asked for
        self._rows_at = rows_at
        self._keep = lines
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._head = _Head()
        self._text = ""
        self._at = 0
        self._final = False
        self._pending: list[str] = []
        self._size = 0  # characters pending
        self._need = 1  # characters that must be pending before another look is worth it
        self._parser = self._parse()

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        if not self.error:
            self._advance(chunk)

    def finish(self) -> None:
        """Read to the end; raises Incomplete."""
        self._final = True
        if not self.error:
            self._advance(b"")
        if self.error:
            raise Incomplete(self.error.replace("{start}", str(self._head)))

    def _advance(self, chunk: bytes) -> None:
        try:
            text = self._decoder.decode(chunk, self._final)
        except UnicodeDecodeError:
            if not self._final:
                self.error = "the document is not JSON in UTF-8: it starts with {start}"
                return
            text = "\N{REPLACEMENT CHARACTER}"  # cut inside a character
        self._pending.append(text)
        self._size += len(text)
        if self._size < self._need and not self._final:
            return
        self._text = self._text[self._at :] + "".join(self._pending)
        self._at, self._size, self._need = 0, 0, 1
        self._pending.clear()
        try:
            next(self._parser, None)
        except Incomplete as error:
            self.error = str(error)
        except RecursionError:
            self.error = "the JSON document is nested too deeply to be read"

    def _parse(self) -> _Steps:
        yield from self._skip_space()
        if self._at == len(self._text):
            self._fail("the body is empty, which is no JSON document")
        has_rows = False
        match self._text[self._at]:
            case "[":
                has_rows = True
                self.rows = 0
                yield from self._array(self._row)
            case "{" if self._rows_at is None and self._keep:
                has_rows = True
                self.rows = 0
                yield from self._object(self._member_row)
            case "{":
                self.rows = 0 if self._rows_at is None else None  # no members, no rows
                yield from self._object(self._member)
                has_rows = self.rows is not None
            case _:
                self._fail("the document is not JSON (no array, no object): it starts with {start}")
        yield from self._skip_space()
        if self._at < len(self._text):
            self._fail(f"something follows the JSON document: {_start(self._text[self._at :])}")
        if not has_rows and (self._keep or self.vendor_total is not None):
            total = "" if self.vendor_total is None else f", though its total says {_rows(self.vendor_total)}"
            self._fail(f'the JSON document has no array "{self._rows_at}"{total}: it starts with {{start}}')
        if self.vendor_total not in (None, self.rows):
            sentence = f"the vendor's total says {_rows(self.vendor_total)}, the document holds {self.rows}"
            self._fail(sentence, missing=True)

    def _array(self, element: Callable[[], _Steps]) -> _Steps:
        self._at += 1
        if (yield from self._peek()) == "]":
            self._at += 1
            return
        while True:
            yield from element()
            mark = yield from self._peek()
            if mark not in ",]":
                self._fail_here()
            self._at += 1
            if mark == "]":
                return
            yield from self._peek()

    def _object(self, member: Callable[[str], _Steps]) -> _Steps:
        self._at += 1
        mark = yield from self._peek()
        while mark != "}":
            if mark != '"':
                self._fail_here()
            name = yield from self._value()
            if (yield from self._peek()) != ":":
                self._fail_here()
            self._at += 1
            yield from self._peek()
            yield from member(name)
            mark = yield from self._peek()
            if mark == ",":
                self._at += 1
                mark = yield from self._peek()
                if mark == "}":
                    self._fail_here()
            elif mark != "}":
                self._fail_here()
        self._at += 1

    def _row(self) -> _Steps:
        if self._keep:
            self.lines.append(_compact((yield from self._value())))
        else:
            yield from self._skip()
        self.rows = (self.rows or 0) + 1

    def _member_row(self, name: str) -> _Steps:
        value = yield from self._value()
        self.lines.append(f'{{"key":{name},"value":{_compact(value)}}}')
        self.rows = (self.rows or 0) + 1

    def _member(self, name: str) -> _Steps:
        """A member of the top-level object: the rows, their declared number, or something else."""
        key = None if self._rows_at is None else json.loads(name)
        if key is None:
            self.rows = None
            yield from self._skip()
        elif key == self._rows_at and self._text[self._at] == "[":
            self.rows = self.rows or 0
            yield from self._array(self._row)
        elif key == "total" and self._text[self._at] in '"0123456789':
            value = (yield from self._value()).strip('"')  # numbers come as strings too
            self.vendor_total = int(value) if value.isdecimal() and len(value) < 20 else None
        else:
            yield from self._skip()

    def _skip(self, _name: str = "") -> _Steps:
        """Read over one value, whole or, where it is large, member by member."""
        while (end := self._end_of_value()) is None:
            if len(self._text) - self._at > _DESCEND and self._text[self._at] in "[{":
                yield from (self._array if self._text[self._at] == "[" else self._object)(self._skip)
                return
            yield
        self._at = end

    def _value(self) -> Generator[None, None, str]:
        """Read one value and return it as it is written."""
        while (end := self._end_of_value()) is None:
            yield
        value = self._text[self._at : end]
        self._at = end
        return value

    def _end_of_value(self) -> int | None:
        """Where the value ends that starts here; None if that needs more text, raises if no text can help."""
        text, rest = self._text, len(self._text) - self._at
        try:
            _, end = _DECODER.raw_decode(text, self._at)
        except json.JSONDecodeError as error:
            place, in_string = error.pos, error.msg.startswith("Unterminated string")
        else:
            # What looks like a whole number may go on: "12" as "123", "12.5" or "12e+3".
            if self._final or text[end - 1] in '"]}' or end + 2 < len(text):
                return end
            self._need = 1
            return None
        if self._final:
            self._at = place
            self._fail_here(cut=in_string or _STUB.fullmatch(text, place) is not None)
        if not in_string and len(text) - place >= _TOKEN:
            self._at = place
            self._fail_here()
        self._need = rest  # to look again only when there is twice as much keeps the work linear
        return None

    def _skip_space(self) -> _Steps:
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._final:
                return
            yield

    def _peek(self) -> Generator[None, None, str]:
        """Return the next character that isn't white space, without taking it."""
        if self._at == len(self._text) or self._text[self._at] <= " ":
            yield from self._skip_space()
            if self._at == len(self._text):
                self._fail_here(cut=True)
        return self._text[self._at]

    def _fail_here(self, *, cut: bool = False) -> NoReturn:
        after = "" if self.rows is None else f" after {_rows(self.rows)}"
        if cut:
            self._fail(f"the JSON document is not closed, it breaks off{after}", missing=True)
        self._fail(
            "the document is not JSON: it starts with {start}"
            f" and goes wrong{after} at {_start(self._text[self._at :])}"
        )

    def _fail(self, sentence: str, *, missing: bool = False) -> NoReturn:
        self.missing = missing
        raise Incomplete(sentence)


class _JsonMeter:
    """Reads a JSON document to its end; the rows are in the top-level array or in the array ``rows_at``.

    A document that closes is whole, however the transport framed it. An object without such an array is taken
    as it is, with rows unknown, unless it declares a ``total`` of them.
    """

    def __init__(self, rows_at: str | None) -> None:
        self.rows: int | None = None
        self.vendor_total: int | None = None
        self._document = _Document(rows_at, lines=False)

    def feed(self, chunk: bytes) -> None:
        self._document.feed(chunk)

    def finish(self, *, framed: bool) -> bool | None:
        try:
            self._document.finish()
        finally:
            self.rows, self.vendor_total = self._document.rows, self._document.vendor_total
        return True


class JsonLines:
    """Turns one JSON document into JSON lines: UTF-8, one row a line, no white space between tokens.

    With ``rows_at="entries"`` the rows are the elements of that array in the top-level object; an object
    without it raises Incomplete, and so does a ``total`` beside it that counts otherwise. With
    ``rows_at=None`` a top-level object is one whose keys are data (V-Spark has agents there): each member
    becomes a line ``{"key": <name>, "value": <value>}``. In both cases a top-level array gives a line for
    each element.

    Values stay as the vendor wrote them: digits of numbers, escapes (lone surrogates too), order of keys,
    repeated keys. One row must fit into memory, the document needn't.
    """

    def __init__(self, rows_at: str | None = "entries") -> None:
        self._document = _Document(rows_at, lines=True)

    @property
    def rows(self) -> int:
        """Rows found so far."""
        return self._document.rows or 0

    @property
    def vendor_total(self) -> int | None:
        """The document's own ``total``, if it has come by and is an integer."""
        return self._document.vendor_total

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the document, return the lines that they completed."""
        self._document.feed(chunk)
        return self._take()

    def finish(self) -> bytes:
        """Return the lines that are left; raises Incomplete where the document isn't whole."""
        self._document.finish()
        return self._take()

    def _take(self) -> bytes:
        lines = self._document.lines
        if not lines:
            return b""
        text = "\n".join(lines) + "\n"
        lines.clear()
        return text.encode()


def json_lines(rows: Sequence[Any]) -> bytes:
    """Write rows as JSON lines. A row or one of its values may be ``msgspec.Raw``, on one line."""
    import msgspec  # loaded where there are rows

    try:
        return msgspec.json.Encoder().encode_lines(rows)
    except UnicodeEncodeError:  # a lone surrogate
        return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


class _JsonLinesMeter:
    """Counts the lines of a JSON lines file that aren't blank.

    A last line without a line end is a row if it is a whole JSON object or array, and otherwise proves that
    the file was cut. Line ends alone prove nothing: an unframed file is None even where it ends on one.
    """

    vendor_total: int | None = None

    def __init__(self) -> None:
        self.rows: int | None = None
        self._head = _Head()
        self._count = 0  # ended lines that aren't blank
        self._objects = 0  # those of them that look like {...}
        self._line: list[bytes] = []  # the line that has no end yet, its first MiBs at least
        self._size = 0  # its whole length

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        first, *others = chunk.split(b"\n")
        self._extend(first)
        if others:
            *ended, last = others
            for line in (b"".join(self._line), *ended):
                if line := line.strip():
                    self._count += 1
                    self._objects += line[:1] == b"{" and line[-1:] == b"}"
            self._line, self._size = [], 0
            self._extend(last)

    def _extend(self, piece: bytes) -> None:
        # A line of any length is counted, but no more of it is kept than can be looked at.
        if self._size < _DESCEND:
            self._line.append(piece)
        self._size += len(piece)

    def are_objects(self) -> bool:
        """Whether there are several lines and all look like JSON objects, as far as they have come."""
        rest = b"".join(self._line).strip()
        several = self._count + bool(rest) > 1
        return several and self._objects == self._count and rest[:1] in (b"", b"{")

    def finish(self, *, framed: bool) -> bool | None:
        self._head.refuse_page("JSON lines")
        line = b"".join(self._line)
        if len(line) == self._size and line.strip():
            _check_last_line(line, self._count)
        self.rows = self._count + bool(line.strip())
        return True if framed else None


def _check_last_line(line: bytes, before: int) -> None:
    document = _Document(None, lines=False)
    document.feed(line)
    try:
        document.finish()
    except Incomplete as error:
        raise Incomplete(f"the last line, after {_rows(before)}, has no end: {error}") from None


class _JsonBulkMeter:
    """Looks at a ``json_bulk`` file, which no document describes, and claims only what is certain.

    A JSON document with an array of rows, or several lines that are objects, are counted and checked like
    those formats. Anything else has unknown rows, and is whole if the transport says so.
    """

    def __init__(self, rows_at: str | None) -> None:
        self.rows: int | None = None
        self.vendor_total: int | None = None
        self._head = _Head()
        self._document = _Document(rows_at, lines=False)
        self._lines = _JsonLinesMeter()

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        self._document.feed(chunk)
        self._lines.feed(chunk)

    def finish(self, *, framed: bool) -> bool | None:
        self._head.refuse_page("JSON")
        if not self._head.bytes:
            self.rows = 0
        elif self._is_document():
            self.rows, self.vendor_total = self._document.rows, self._document.vendor_total
            return True
        elif self._lines.are_objects():
            self._lines.finish(framed=framed)
            self.rows = self._lines.rows
        return True if framed else None

    def _is_document(self) -> bool:
        try:
            self._document.finish()
        except Incomplete:
            if self._document.missing:  # JSON that breaks off is broken in any shape
                raise
            return False
        return self._document.rows is not None


# --- XLSX ---------------------------------------------------------------------------------------------------

_END_RECORD: Final = struct.Struct("<4s8xLLH")  # signature; directory's size and offset; comment's length
_END_SIGNATURE: Final = b"PK\5\6"
_TAIL: Final = _END_RECORD.size + 0xFFFF  # the longest comment


class _XlsxMeter:
    """Proves that a workbook is whole by the record that ends every zip file; its rows aren't counted."""

    rows: int | None = None
    vendor_total: int | None = None

    def __init__(self) -> None:
        self._head = _Head()
        self._tail = b""
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        self._size += len(chunk)
        self._tail = (self._tail + chunk[-_TAIL:])[-_TAIL:]

    def finish(self, *, framed: bool) -> bool | None:
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


# --- gzip ---------------------------------------------------------------------------------------------------

_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate; no name, no time, unknown system
_GZIP_BLOCK: Final = 1 << 17  # bytes


class Gzip:
    """Compresses to one gzip member; equal input gives equal bytes, however it was cut into chunks."""

    def __init__(self, level: int = 6) -> None:
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._header = _GZIP_HEADER
        self._buffer = bytearray()
        self._crc = 0
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes, return what is compressed of them, which may be b""."""
        self._crc = zlib.crc32(chunk, self._crc)
        self._size += len(chunk)
        self._buffer += chunk
        # Blocks of one size: zlib itself doesn't care how its input arrives, but doesn't promise it either.
        whole = len(self._buffer) - len(self._buffer) % _GZIP_BLOCK
        if not whole:
            return b""
        blocks = (bytes(self._buffer[i : i + _GZIP_BLOCK]) for i in range(0, whole, _GZIP_BLOCK))
        packed = self._header + b"".join(map(self._deflate.compress, blocks))
        self._header = b""
        del self._buffer[:whole]
        return packed

    def finish(self) -> bytes:
        """Return the rest and the trailer."""
        rest = self._header + self._deflate.compress(bytes(self._buffer)) + self._deflate.flush()
        return rest + struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF)
