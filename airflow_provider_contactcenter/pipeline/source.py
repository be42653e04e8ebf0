"""What a report's bytes come from: counted and proved on the vendor's own bytes, as they pass by.

A source knows nothing of HTTP. Who fetches a file gives its :class:`Pieces`, who fetches pages a function;
both ask again where a link dies (:mod:`airflow_provider_contactcenter.transport.fetching`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from airflow_provider_contactcenter.pipeline.array import JsonLines
from airflow_provider_contactcenter.pipeline.aside import aside
from airflow_provider_contactcenter.pipeline.incomplete import Incomplete, counted, without_excerpt
from airflow_provider_contactcenter.pipeline.proof import meter_for
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import without_start
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

__all__ = ["Facts", "FileSource", "PageSource", "Pieces", "ReportStream", "Source", "json_lines"]

#: what is said where nothing else explains why completeness is not proved
UNPROVED = "Nothing in the vendor's answer proves that the report is complete."


@dataclass(slots=True)
class Facts:
    """What is known of a vendor's own bytes; all of it once they have ended.

    ``complete`` is True (proved) or None (nothing to prove it by, ``caveats`` say why); what is proved
    incomplete raises. The rows of pages are counted and hashed as JSON lines.
    """

    file_format: str
    size: int = 0
    rows: int | None = None
    vendor_total: int | None = None
    complete: bool | None = None
    columns: tuple[str, ...] | None = None
    caveats: list[str] = field(default_factory=list)
    #: a page said that rows may still come
    provisional: bool = False
    hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes so far."""
        digest: str = self.hash.hexdigest()
        return digest

    def add(self, piece: bytes) -> None:
        """Count and hash the next bytes."""
        self.size += len(piece)
        self.hash.update(piece)

    def doubt(self, caveat: str | None) -> None:
        """Claim no proof, if there is something to be said against it."""
        if caveat:
            self.caveats.append(caveat)
            self.complete = None


class Source(Protocol):
    """Gives a report's bytes once; its facts are known at their end.

    :ivar file_format: of the bytes that it gives; ``facts.file_format`` is the vendor's.
    """

    file_format: str
    facts: Facts

    def as_lines(self) -> None:
        """Give JSON lines, where there are rows of JSON; to be said before the first byte."""

    def pieces(self) -> Generator[bytes, None, None]:
        """The bytes. Raises Incomplete, or the Refusal of whoever fetches."""


class Pieces(Protocol):
    """The bytes of one file, as they are fetched.

    :ivar framed: whether the transport saw where the body ends, so that a short one can't pass unseen.
    :ivar content_type: what the answer said that it was, "" if nothing.
    :ivar hash: a SHA-256 of the pieces that were given.
    """

    framed: bool
    content_type: str
    hash: Any

    def __iter__(self) -> Iterator[bytes]: ...


class FileSource:
    """A report that comes as one body; of JSON it gives lines, where the report wants them."""

    def __init__(self, file: File, fetched: Pieces) -> None:
        self.file_format = file.file_format
        self.facts = Facts(file.file_format if file.lines_from is None else "json", hash=fetched.hash)
        self._file = file
        self._fetched = fetched
        self._blank = True
        self._lines = file.lines_from is not None
        self._rows_at = (file.lines_from or None) if self._lines else file.rows_at

    def as_lines(self) -> None:
        """Give JSON lines even where the report lands as the document that it is."""
        if self.file_format == "json":
            self.file_format, self._lines = "jsonl", True

    def pieces(self) -> Generator[bytes, None, None]:
        """The bytes, or the lines that are made of them."""
        facts = self.facts
        if self._lines:
            lines = JsonLines(self._rows_at)
            for piece in self._read():
                yield lines.feed(piece)
            if self._says_none():
                return
            yield lines.finish()
            facts.rows, facts.vendor_total, facts.complete = lines.rows, lines.vendor_total, True
        else:
            meter = meter_for(self._file.file_format, rows_at=self._rows_at)
            with aside(meter.feed) as feed:
                for piece in self._read():
                    feed(piece)
                    yield piece
            if self._says_none():
                return
            facts.complete = meter.finish(
                framed=self._fetched.framed, content_type=self._fetched.content_type
            )
            facts.rows, facts.vendor_total, facts.columns = meter.rows, meter.vendor_total, meter.columns
            facts.caveats.extend(meter.caveats)
        facts.doubt(self._file.caveat)

    def _read(self) -> Iterator[bytes]:
        for piece in self._fetched:
            self.facts.size += len(piece)
            self._blank = self._blank and not piece.strip()
            yield piece

    def _says_none(self) -> bool:
        """Whether this is the empty body by which some vendors say that there are no rows."""
        if not (self._blank and self._file.blank and self._fetched.framed):
            return False
        self.facts.rows = 0
        self.facts.doubt(self._file.blank)
        return True


class PageSource:
    """A report that comes in pages, given as JSON lines.

    :param ask: fetches the page behind a cursor, the first behind None.
    """

    def __init__(self, pages: Pages, ask: Callable[[Hashable | None], Page]) -> None:
        self.file_format = "jsonl"
        self.facts = Facts("jsonl")
        self._ask = ask
        self._caveat = pages.caveat

    def as_lines(self) -> None:
        """It does."""

    def pieces(self) -> Generator[bytes, None, None]:
        """The rows as JSON lines, page by page."""
        facts = self.facts
        rows, cursor, seen = 0, None, set[int]()
        doubts = [self._caveat] if self._caveat else []
        while True:
            page = self._ask(cursor)
            if facts.vendor_total is None:
                facts.vendor_total = page.total
            if page.caveat and page.caveat not in doubts:
                doubts.append(page.caveat)
            rows, cursor = rows + len(page.rows), page.cursor
            facts.provisional = facts.provisional or page.provisional
            lines = json_lines(page.rows)
            del page  # thousands of rows, which would be held until the next page is there
            if lines:
                facts.add(lines)
                yield lines
            del lines
            if cursor is None:
                break
            if hash(cursor) in seen:
                raise Incomplete(f"the vendor gave the same cursor twice after {counted(rows)}")
            seen.add(hash(cursor))
        if facts.vendor_total is not None and facts.vendor_total != rows:
            raise Incomplete(f"the vendor's total says {facts.vendor_total} rows, its pages hold {rows}")
        facts.rows, facts.complete = rows, True
        for caveat in doubts:
            facts.doubt(caveat)


class ReportStream(Iterator[bytes]):
    """The bytes of one report, as they land. Iterate it to the end; only then are its numbers known.

    :ivar facts: what is known of the vendor's own bytes.
    """

    def __init__(
        self,
        source: Source,
        on_failure: Callable[[Incomplete | Refusal], Exception],
        note: Callable[[str], None],
    ) -> None:
        self._source = source
        self.facts = source.facts
        self._on_failure = on_failure
        self._note = note
        self._failed: Incomplete | Refusal | None = None
        self._pieces = source.pieces()
        self._ended = False
        self._quoting = True

    def __next__(self) -> bytes:
        if self._failed is not None:
            # A generator that raised would say next that it has ended; the report has not.
            raise self._on_failure(self._failed)
        try:
            return next(self._pieces)
        except Incomplete as failure:
            self._failed = failure if self._quoting else Incomplete(without_excerpt(str(failure)))
        except Refusal as failure:
            self._failed = failure.but(words=self.told(failure.words))
        except StopIteration:
            self._end()
            raise
        raise self._on_failure(self._failed)

    @property
    def file_format(self) -> str:
        """What lands; pages land as ``jsonl``."""
        return self._source.file_format

    @property
    def rows(self) -> int | None:
        """Data rows, None where nobody can know them."""
        return self.facts.rows

    @property
    def vendor_total(self) -> int | None:
        """How many rows the vendor says there are, None if it doesn't."""
        return self.facts.vendor_total

    @property
    def complete(self) -> bool | None:
        """True (proved) or None (nothing to prove it by); what is proved incomplete raises."""
        return self.facts.complete

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names in the header of a CSV, None where there is none."""
        return self.facts.columns

    @property
    def caveats(self) -> Sequence[str]:
        """Sentences: what stands in the way of a proof or of a count."""
        return tuple(self.facts.caveats)

    def as_lines(self) -> None:
        """Give JSON lines of a JSON document; to be said before the first byte is read."""
        self._source.as_lines()

    def quote_nothing(self) -> None:
        """Say what is wrong without the report's own text, which a shape may keep out of every log."""
        self._quoting = False

    def told(self, words: str) -> str:
        """What a vendor said in place of the report, as it may be shown."""
        return words if self._quoting else without_start(words)

    def failure(self, sentence: str) -> Exception:
        """The error of a report that turns out not to be whole further down the line."""
        return self._on_failure(Incomplete(sentence))

    def close(self) -> None:
        """Let go of the connection to the vendor."""
        self._pieces.close()

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self.facts.complete is None and not self.facts.caveats:
            self.facts.caveats.append(UNPROVED)
        if not self._quoting:
            self.facts.caveats[:] = map(without_excerpt, self.facts.caveats)
        for caveat in self.facts.caveats:
            self._note(caveat)


def json_lines(rows: Sequence[Any]) -> bytes:
    """Write rows as JSON lines. A row or one of its values may be ``msgspec.Raw``, on one line."""
    import msgspec  # loaded where there are rows

    return msgspec.json.Encoder().encode_lines(rows)
