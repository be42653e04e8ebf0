"""Cuts a report's bytes into blocks of whole records, and these into records and fields.

CSV is RFC 4180 in UTF-8: a field that contains a quote is itself quoted, with its quotes doubled. What isn't
is refused rather than guessed at, since a field boundary that is seen in another place puts a phone number
into another column. All of this works on bytes, so that an untouched field stays as it was.

Blocks are cut at the same places however the bytes arrive, so equal input makes equal output.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline import glance

#: bytes of a block, about; Parquet is fastest with it and needs the least memory
BLOCK = 1 << 20
#: bytes of the longest record that is read
LONGEST = 64 << 20
#: a quote with something else beside it than the edge of a field or another quote
_ODD = re.compile(rb'"(?:[^",\r\n]|(?<=[^",\n]"))')
#: what may stand before a field and behind it
EDGES = b",\n", b",\r\n"
#: what a comma and a line feed inside quotes are masked by
_MASKS = b"\1\2"
_MASK = bytes.maketrans(b",\n", _MASKS)
_UNMASK = bytes.maketrans(_MASKS, b",\n")


def last_record(block: bytes) -> int:
    """Where the last whole record of CSV bytes that begin with a record ends; 0 if none does."""
    quotes, end = glance.quotes(block), len(block)
    while (at := block.rfind(b"\n", 0, end)) >= 0:
        quotes -= block.count(b'"', at, end)
        if not quotes & 1:
            return at + 1
        end = at
    return 0


def last_line(block: bytes) -> int:
    """Where the last whole line ends; 0 if none does."""
    return block.rfind(b"\n") + 1


class Blocks:
    """Cuts bytes into blocks of whole records: ``last`` says where the last one of a piece ends."""

    def __init__(self, last: Callable[[bytes], int], size: int = BLOCK) -> None:
        self._last = last
        self._size = size
        self._need = size
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take the next bytes, give the blocks that are whole now."""
        self._buffer += piece
        while len(self._buffer) >= self._need:
            head = bytes(memoryview(self._buffer)[: self._need])
            if end := self._last(head):
                del self._buffer[:end]
                self._need = self._size
                yield head[:end]
            elif self._need >= LONGEST:
                raise ContactCenterShapeError(
                    f"A record of the file is longer than {LONGEST >> 20} MiB, or a quote is never "
                    "closed: it can't be reshaped."
                )
            else:
                self._need += self._size

    def finish(self) -> bytes:
        """The last block, which may lack its line end."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def check_dialect(block: bytes, row: int, look: glance.Glance) -> int:
    """Refuse CSV that isn't what this module reads; return how many line ends stand outside quotes.

    ``row`` is the number of rows before the block, ``look`` one for :data:`EDGES`.
    """
    if b"\0" in block or block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ContactCenterShapeError(
            f"The CSV holds NUL bytes after row {row}, as UTF-16 does: only UTF-8 can be reshaped."
        )
    if (ends := look(block)) is not None:
        return ends
    outside = block
    if b'"' in block:
        parts = block.split(b'"')
        if not len(parts) & 1:
            raise ContactCenterShapeError(f"The CSV has a quote that is never closed after row {row}.")
        outside = b'"'.join(parts[::2])
        if _ODD.search(outside) and _ODD.search(b'"'.join(block.replace(b'""', b"").split(b'"')[::2])):
            # Two quotes in a row never change what is inside quotes and what isn't.
            raise ContactCenterShapeError(
                f"The CSV has a quote within a field that isn't doubled, after row {row} and at most "
                f"{_lines(outside)} rows later: such a file can't be reshaped."
            )
    if glance.BARE.search(outside):
        raise ContactCenterShapeError(
            f"The CSV has a carriage return without a line feed outside quotes, after row {row} and at most "
            f"{_lines(outside)} rows later: such a file can't be reshaped."
        )
    return outside.count(b"\n")


def _lines(outside: bytes) -> int:
    return outside.count(b"\n") + (not outside.endswith(b"\n"))


def records(block: bytes) -> list[bytes]:
    r"""The records of a block, each without its line feed; a ``\r`` before it is still there."""
    lines = _split(block, b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def fields(record: bytes) -> list[bytes]:
    """The fields of a record as they are written, quotes included."""
    return _split(record, b",")


def _split(text: bytes, separator: bytes) -> list[bytes]:
    """Split at the separators that stand outside quotes."""
    outside, *parts = text.split(b'"')
    *found, last = outside.split(separator)
    field = [last]  # joined once: a field may hold a million doubled quotes
    for inside, outside in zip(parts[::2], parts[1::2], strict=False):
        first, *more = outside.split(separator)
        field += (b'"', inside, b'"', first)
        if more:
            found += (b"".join(field), *more[:-1])
            field = [more[-1]]
    found.append(b"".join(field))
    return found


def masked(block: bytes) -> bytes | None:
    """A block that can be split at each comma and line feed, as those inside quotes are masked.

    None if it holds the masks themselves.
    """
    if b'"' not in block:
        return block
    if _MASKS[:1] in block or _MASKS[1:] in block:
        return None
    parts = block.split(b'"')
    parts[1::2] = b'"'.join(parts[1::2]).translate(_MASK).split(b'"')
    return b'"'.join(parts)


def unmasked(text: bytes) -> bytes:
    """What was masked, as it was."""
    return text.translate(_UNMASK)


def unquoted(field: bytes) -> bytes | None:
    """What a field says; None if its quotes aren't what they should be."""
    if b'"' not in field:
        return field
    inner = field[1:-1].replace(b'""', b"")
    if len(field) < 2 or field[:1] != b'"' or field[-1:] != b'"' or b'"' in inner:
        return None
    return field[1:-1].replace(b'""', b'"')
