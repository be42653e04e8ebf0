"""Rows and files: deterministic, awkward on purpose, of any size in bounded memory.

The same seed, vendor, report and window give the same rows. A file longer than `UNIT_ROWS` repeats its first
rows, so that a file of any size is a few MiB in memory and leaves at the speed of the socket; its length, row
count and digest are still known.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

#: so many rows differ; a longer file repeats them
UNIT_ROWS = 2_000
#: the most that is written at once
CHUNK = 1 << 20

#: what breaks naive readers, one after the other down a `notes` column
AWKWARD = (
    "plain",
    "commas, in, the, middle",
    'she said "call back", twice',
    "two\nlines",
    "CRLF\r\ninside",
    "emoji 😀 and 🇩🇪",
    "=1+2",
    "+49 30 5550142",
    "@SUM(A1)",
    " leading and trailing ",
    "tab\there",
    "naïve – 日本",
    "",
    None,
    "back\\slash and 'apostrophe'",
    "0042",
    '"',
    "line\N{LINE SEPARATOR}separator",
)
NAMES = (
    "Iris Vale",
    "Tom O'Koro",
    "José Nuñez",
    "Dr. Anna-Lena Groß",
    "Vale, Iris",
    "李小龍",
    'Al "Ace" Poe',
)
QUEUES = ("Sales", "Claims, EU", "Support – Tier 2", "VIP 🌟", "Billing")


@dataclass(frozen=True)
class Row:
    """What the cells of one row share."""

    index: int
    at: datetime
    seconds: float
    zone: ZoneInfo


#: kind of column -> its value in one row; a kind with "?" behind it is null now and then
KINDS: Mapping[str, Callable[[random.Random, Row], Any]] = {
    "id": lambda draw, row: f"{draw.getrandbits(96):024x}",
    "uuid": lambda draw, row: f"{draw.getrandbits(32):08x}-0000-4000-8000-{draw.getrandbits(48):012x}",
    "number": lambda draw, row: draw.randrange(0, 500),
    "ratio": lambda draw, row: round(draw.random(), 4),
    "flag": lambda draw, row: draw.random() < 0.5,
    "TRUE": lambda draw, row: "TRUE" if draw.random() < 0.5 else "FALSE",
    "Yes": lambda draw, row: "Yes" if draw.random() < 0.5 else "No",
    "utc": lambda draw, row: row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "utc_end": lambda draw, row: (row.at + timedelta(seconds=row.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    # Wall-clock time without a zone: where the window holds a repeated hour, so does the column.
    "local": lambda draw, row: row.at.astimezone(row.zone).strftime("%Y-%m-%d %H:%M:%S"),
    "local_end": lambda draw, row: (
        (row.at + timedelta(seconds=row.seconds)).astimezone(row.zone).strftime("%Y-%m-%d %H:%M:%S")
    ),
    "milliseconds": lambda draw, row: int(row.at.timestamp() * 1000),
    "seconds": lambda draw, row: draw.randrange(0, 3_600),
    # 6 seconds are 0.000069444446; tiny ones come with an exponent.
    "day_fraction": lambda draw, row: draw.choice((0.139, 1.0, 6.0, 61.0, row.seconds)) / 86_400,
    "clock": lambda draw, row: str(timedelta(seconds=draw.randrange(0, 90_000))),
    "days_text": lambda draw, row: f"0d {draw.randrange(24)}h {draw.randrange(60)}m {draw.randrange(60)}s",
    "phone": lambda draw, row: f"+1415555{draw.randrange(10_000):04d}",
    "name": lambda draw, row: draw.choice(NAMES),
    "email": lambda draw, row: f"agent{draw.randrange(100)}@example.com",
    "queue": lambda draw, row: draw.choice(QUEUES),
    "list": lambda draw, row: ",".join(str(draw.randrange(1, 9)) for _ in range(draw.randrange(4))),
    "array": lambda draw, row: [f"192.0.2.{draw.randrange(255)}" for _ in range(draw.randrange(3))],
    "url": lambda draw, row: f"https://recordings.example.com/{draw.getrandbits(64):016x}?a=1&b=2",
    "word": lambda draw, row: draw.choice(("inbound", "outbound", "missed", "abandoned", "voicemail")),
    "index": lambda draw, row: row.index,
    "notes": lambda draw, row: AWKWARD[row.index % len(AWKWARD)],
    "null": lambda draw, row: None,
}


def rows(
    key: str,
    columns: Mapping[str, str],
    count: int,
    start: datetime,
    end: datetime,
    zone: str = "UTC",
    until: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """`count` rows, in the order of their times, which lie in ``[start, end)``; those up to `until`."""
    draw = random.Random(key)  # noqa: S311
    local, span = ZoneInfo(zone), (end - start) / max(count, 1)
    cells = [(name, KINDS[kind.rstrip("?")], kind.endswith("?")) for name, kind in columns.items()]
    for index in range(count):
        at = start + span * (index + draw.random() * 0.9)
        if until is not None and at > until:
            return
        row = Row(index, at, draw.randrange(5, 1_800), local)
        yield {
            name: None if nullable and draw.random() < 0.1 else make(draw, row)
            for name, make, nullable in cells
        }


@dataclass(frozen=True)
class Content:
    """A file or a page: pieces with how often each is repeated."""

    pieces: tuple[tuple[bytes, int], ...]
    content_type: str = "application/octet-stream"
    file_format: str = ""
    rows: int | None = None

    @property
    def length(self) -> int:
        """Its size in bytes."""
        return sum(len(piece) * times for piece, times in self.pieces)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[memoryview]:
        """The bytes from `start` to `stop`, in writes of at most `CHUNK`."""
        stop = self.length if stop is None else stop
        position = 0
        for piece, times in self.pieces:
            view = memoryview(piece)
            for _ in range(times):
                if position >= stop:
                    return
                low, high = max(start - position, 0), min(stop - position, len(piece))
                for offset in range(low, high, CHUNK):
                    yield view[offset : min(offset + CHUNK, high)]
                position += len(piece)

    @cached_property
    def etag(self) -> str:
        """A strong validator, quoted: another file has another one. It looks like S3's of one part."""
        digest = hashlib.md5(repr(self.content_type).encode(), usedforsecurity=False)
        for piece, times in self.pieces:
            digest.update(b"%d %d " % (len(piece), times) + piece)
        return f'"{digest.hexdigest()}"'

    @cached_property
    def sha256(self) -> str:
        """The digest of the whole."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def content_of(body: bytes, content_type: str = "application/octet-stream", file_format: str = "") -> Content:
    """Bytes as they are."""
    return Content(((body, 1),), content_type, file_format)


class Layout(NamedTuple):
    """How lines become a file."""

    head: bytes = b""
    separator: bytes = b""
    tail: bytes = b""


def fill(
    lines: Sequence[bytes], layout: Layout, count: int, size: int | None, content_type: str, file_format: str
) -> Content:
    """A file of `count` rows, or of about `size` bytes, that goes through `lines` again and again."""
    unit = b"".join(line + layout.separator for line in lines)
    if size is not None:
        budget = max(size - len(layout.head) - len(layout.tail), 0)
        repeats, left = divmod(budget, len(unit))
        rest = 0
        while left > 0:
            left -= len(lines[rest]) + len(layout.separator)
            rest += 1
    else:
        repeats, rest = divmod(count, len(lines)) if lines else (0, 0)
    total = repeats * len(lines) + rest
    if repeats and not rest:  # the last line has no separator behind it
        repeats, rest = repeats - 1, len(lines)
    pieces = ((layout.head, 1), (unit, repeats), (layout.separator.join(lines[:rest]), 1), (layout.tail, 1))
    return Content(
        tuple(piece for piece in pieces if piece[0] and piece[1]), content_type, file_format, total
    )


def csv_line(cells: Iterable[Any], line_end: str = "\r\n") -> bytes:
    """One CSV record as RFC 4180 writes it: quoted where needed, null as nothing, true and false as words."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=line_end).writerow([_csv_cell(cell) for cell in cells])
    return buffer.getvalue().encode()


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return cell


def json_line(value: Any) -> bytes:
    """One JSON value on one line."""
    return json.dumps(value, ensure_ascii=False).encode()
