"""A JSON document read while it comes, and its array of rows cut into JSON lines.

:class:`Document` reads one document in pieces, in memory that doesn't grow with it; :class:`JsonLines` is the
stage that makes lines of its rows, and proves the document on the way: it reads the vendor's own bytes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Generator
from typing import Final, NoReturn

from airflow_provider_contactcenter.pipeline.incomplete import Head, Incomplete, counted, start_of

__all__ = ["Document", "JsonLines"]


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

_LEAP_LEAST: Final = 1 << 12  # characters below which rows are read one by one
_LEAP_MOST: Final = 1 << 18  # characters that msgspec is given at once
_LEAP_TRIES: Final = 64  # objects in arrays may look like the start of a row
_NEXT_ROW: Final = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))

_Steps = Generator[None, None, None]


def _last_start(text: bytes) -> tuple[int, int] | None:
    """Where the last row that is whole seems to end, and where the one behind it starts.

    The balance of brackets tells it from objects within rows.
    """
    marks = text.translate(None, _NO_BRACKETS)
    braces, brackets = marks.count(b"{") - marks.count(b"}"), marks.count(b"[") - marks.count(b"]")
    at = behind = len(text)
    for _ in range(_LEAP_TRIES):
        at = text.rfind(b"}", 0, at)
        if at < 0:
            return None
        if (found := _NEXT_ROW.match(text, at)) is None:
            continue
        place = found.end()
        # Of what lies behind the guess, only what wasn't counted for the one before.
        braces -= text.count(b"{", place, behind) - text.count(b"}", place, behind)
        brackets -= text.count(b"[", place, behind) - text.count(b"]", place, behind)
        behind = place
        if not braces and not brackets:
            return at + 1, place
    return None


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


class Document:
    """Reads one JSON document in pieces; its rows are in the top-level array or in the member ``rows_at``.

    The parser is a generator that is resumed whenever there is more text. Memory holds one value at a time: a
    row, or a member of the top-level object; a value that is larger than a few MiB and needn't be kept is
    read piecewise. Values are validated and copied as they are written, never converted.
    """

    def __init__(self, rows_at: str | None, *, lines: bool) -> None:
        self.rows: int | None = None
        self.vendor_total: int | None = None
        self.error = ""  # what is wrong, in a sentence in which {start} stands for the start of the document
        self.missing = False  # the error proves that something is missing, not only that this isn't JSON
        self.lines: list[bytes] = []  # rows not yet taken, with their line ends, if asked for
        self._rows_at = rows_at
        self._keep = lines
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._head = Head()
        self._text = ""
        self._at = 0
        self._final = False
        self._pending: list[str] = []
        self._size = 0  # characters pending
        self._need = 1  # characters that must be pending before another look is worth it
        self._may_leap = True  # until the text at hand turns out to be nothing for it
        self._null = False  # the rows are there, and null
        self._parser = self._parse()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; what is wrong with them is told by :meth:`finish`."""
        self._head.feed(piece)
        if not self.error:
            self._advance(piece)

    def finish(self) -> None:
        """Read to the end; raises Incomplete."""
        self._final = True
        if not self.error:
            self._advance(b"")
        if self.error:
            raise Incomplete(self.error.replace("{start}", str(self._head)))

    def _advance(self, piece: bytes) -> None:
        try:
            text = self._decoder.decode(piece, self._final)
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
        self._may_leap = True
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
            self._fail("the body is empty, which is not a JSON document")
        has_rows = False
        match self._text[self._at]:
            case "[":
                has_rows = True
                self.rows = 0
                yield from self._array(self._row, self._leap)
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
            self._fail(f"something follows the JSON document: {start_of(self._text[self._at :])}")
        if self._null and self.rows is None and self.vendor_total == 0:
            self.rows, has_rows = 0, True
        if not has_rows and (self._keep or self.vendor_total is not None):
            total = (
                "" if self.vendor_total is None else f", though its total says {counted(self.vendor_total)}"
            )
            self._fail(f'the JSON document has no array "{self._rows_at}"{total}: it starts with {{start}}')
        if self.vendor_total not in (None, self.rows):
            sentence = f"the vendor's total says {counted(self.vendor_total)}, the document holds {self.rows}"
            self._fail(sentence, missing=True)

    def _array(self, element: Callable[[], _Steps], leap: Callable[[], bool] = lambda: False) -> _Steps:
        self._at += 1
        if (yield from self._peek()) == "]":
            self._at += 1
            return
        while True:
            while leap():
                pass
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

    def _leap(self) -> bool:
        """Take many rows at once, up to the start of another; False where there is nothing to be gained.

        A guess finds the start of a row: a wrong one leaves something that is no list, which msgspec refuses.
        So it does what it doesn't know (half a surrogate pair), and all of that is read row by row.
        """
        if not self._may_leap or len(self._text) - self._at < _LEAP_LEAST:
            return False
        import msgspec  # loaded where there are rows

        text = self._text[self._at : self._at + _LEAP_MOST]
        data = text.encode()
        if (found := _last_start(data)) is None:
            self._may_leap = False
            return False
        end, start = found
        block = b"[%b]" % data[:end]
        try:
            if self._keep:
                block = msgspec.json.format(block, indent=-1)
            rows = msgspec.json.decode(block, type=list[msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            self._may_leap = False
            return False
        if self._keep:
            self.lines.append(msgspec.json.Encoder().encode_lines(rows))
        self.rows = (self.rows or 0) + len(rows)
        self._at += len(text) - len(data[start:].decode())
        return True

    def _row(self) -> _Steps:
        if self._keep:
            self.lines.append((_compact((yield from self._value())) + "\n").encode())
        else:
            yield from self._skip()
        self.rows = (self.rows or 0) + 1

    def _member_row(self, name: str) -> _Steps:
        value = yield from self._value()
        self.lines.append(f'{{"key":{name},"value":{_compact(value)}}}\n'.encode())
        self.rows = (self.rows or 0) + 1

    def _member(self, name: str) -> _Steps:
        """A member of the top-level object: the rows, their declared number, or something else."""
        key = None if self._rows_at is None else json.loads(name)
        if key is None:
            self.rows = None
            yield from self._skip()
        elif key == self._rows_at and self._text[self._at] == "[":
            self.rows = self.rows or 0
            yield from self._array(self._row, self._leap)
        elif key == self._rows_at and self._text[self._at] == "n":
            self._null = True
            yield from self._skip()
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
        rest = len(self._text) - self._at
        if self._at > rest:
            # The decoder's error counts the lines before it; what has been read needn't be among them.
            self._text, self._at = self._text[self._at :], 0
        text = self._text
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
        after = "" if self.rows is None else f" after {counted(self.rows)}"
        if cut:
            self._fail(f"the JSON document is not closed, it breaks off{after}", missing=True)
        self._fail(
            "the document is not JSON: it starts with {start}"
            f" and goes wrong{after} at {start_of(self._text[self._at :])}"
        )

    def _fail(self, sentence: str, *, missing: bool = False) -> NoReturn:
        self.missing = missing
        raise Incomplete(sentence)


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
        self._document = Document(rows_at, lines=True)

    @property
    def rows(self) -> int:
        """Rows found so far."""
        return self._document.rows or 0

    @property
    def vendor_total(self) -> int | None:
        """The document's own ``total``, if it has come by and is an integer."""
        return self._document.vendor_total

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the document, return the lines that they completed."""
        self._document.feed(piece)
        return self._take()

    def finish(self) -> bytes:
        """Return the lines that are left; raises Incomplete where the document isn't whole."""
        self._document.finish()
        return self._take()

    def _take(self) -> bytes:
        lines = self._document.lines
        if not lines:
            return b""
        made = b"".join(lines)
        lines.clear()
        return made
