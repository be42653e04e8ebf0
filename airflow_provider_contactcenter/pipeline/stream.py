"""A report's bytes on their way out of the vendor: counted, proved, and fetched again where a link dies."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterator

from airflow_provider_contactcenter.pipeline.formats import (
    Incomplete,
    JsonLines,
    Meter,
    json_lines,
    meter_for,
)
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.on_requests import RequestsDriver
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: how often a file whose link died or whose body broke off is asked for again
REOPENINGS = 4


class ReportStream(Iterator[bytes]):
    """The bytes of one report, as they land. Iterate it to the end; only then are its numbers known.

    :ivar file_format: what lands; pages land as ``jsonl``.
    :ivar rows: data rows, None where nobody can know them.
    :ivar vendor_total: how many rows the vendor says there are, None if it doesn't.
    :ivar complete: True (proved) or None (nothing to prove it by); what is proved incomplete raises.
    :ivar hash: SHA-256 of the bytes so far.
    """

    def __init__(
        self,
        content: File | Pages,
        driver: RequestsDriver,
        on_refusal: Callable[[Refusal], Exception],
        note: Callable[[str], None],
    ) -> None:
        self.file_format = "jsonl" if isinstance(content, Pages) else content.file_format
        self.rows: int | None = None
        self.vendor_total: int | None = None
        self.complete: bool | None = None
        self.hash = hashlib.sha256()
        self._driver = driver
        self._on_refusal = on_refusal
        self._note = note
        self._failed: Refusal | None = None
        self._pieces = self._pages(content) if isinstance(content, Pages) else self._file(content)

    def __next__(self) -> bytes:
        if self._failed is not None:
            # A generator that raised would say next that it has ended; the report has not.
            raise self._on_refusal(self._failed)
        try:
            return next(self._pieces)
        except Incomplete as incomplete:
            # It quotes the start of what came in place of the file.
            words = policy.redact(str(incomplete), self._driver.settings.secrets)
            self._failed = Refusal("incomplete", words)
        except Refusal as refusal:
            self._failed = refusal
        raise self._on_refusal(self._failed)

    def close(self) -> None:
        """Let go of the connection to the vendor."""
        self._pieces.close()  # type: ignore[attr-defined]

    def _file(self, file: File) -> Iterator[bytes]:
        lines = JsonLines(file.lines_from or None) if file.lines_from is not None else None
        meter = None if lines else meter_for(file.file_format, rows_at=file.rows_at)
        body = _Body(file, self._driver, self._note)
        if not lines:
            self.hash = body.hash  # the same bytes: hashed once
        blank = True
        for piece in body:
            blank = blank and not piece.strip()
            if lines:
                if made := lines.feed(piece):
                    self.hash.update(made)
                    yield made
            else:
                meter.feed(piece)  # type: ignore[union-attr]
                yield piece
        if blank and file.blank and body.framed:
            self.rows = 0
            self._heed(file.blank)
            return
        if lines:
            if made := lines.finish():
                self.hash.update(made)
                yield made
            self.complete = True
        else:
            self.complete = meter.finish(framed=body.framed)  # type: ignore[union-attr]
        counted: JsonLines | Meter = lines or meter  # type: ignore[assignment]
        self.rows, self.vendor_total = counted.rows, counted.vendor_total
        self._heed(file.caveat)

    def _pages(self, pages: Pages) -> Iterator[bytes]:
        rows, cursor, seen = 0, None, set[int]()
        while True:
            page = self._page(pages, cursor)
            if self.vendor_total is None:
                self.vendor_total = page.total
            rows, cursor = rows + len(page.rows), page.cursor
            lines = json_lines(page.rows)
            del page  # thousands of rows, which would be held until the next page is there
            if lines:
                self.hash.update(lines)
                yield lines
            del lines
            if cursor is None:
                break
            if hash(cursor) in seen:
                raise Incomplete(f"the vendor gave the same cursor twice after {rows} rows")
            seen.add(hash(cursor))
        if self.vendor_total is not None and self.vendor_total != rows:
            raise Incomplete(f"the vendor's total says {self.vendor_total} rows, its pages hold {rows}")
        self.rows, self.complete = rows, True
        self._heed(pages.caveat)

    def _page(self, pages: Pages, cursor: Hashable | None) -> Page:
        """The page behind a cursor; one that can't be read is asked for again: hours may lie before it."""
        for again in range(1, REOPENINGS + 1):
            try:
                return self._driver.run(pages.page(cursor))
            except Refusal as refusal:
                if not refusal.unreadable:
                    raise
                self._note(f"a page is asked for again: {refusal.words}")
                time.sleep(policy.pause(refusal, again))
        return self._driver.run(pages.page(cursor))

    def _heed(self, caveat: str | None) -> None:
        if caveat:
            self._note(caveat)
            self.complete = None


class _Body:
    """A file's bytes; where the body breaks off it is asked for again and what came already is passed over.

    The part that came already must be the same again, or the pieces would not belong together.
    """

    def __init__(self, file: File, driver: RequestsDriver, note: Callable[[str], None]) -> None:
        self._file = file
        self._driver = driver
        self._note = note
        self.framed = True
        #: SHA-256 of what was passed on
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        passed_on = 0
        for reopening in range(REOPENINGS + 1):
            before = passed_on
            try:
                for piece in self._fresh(self._open(), passed_on):
                    self.hash.update(piece)
                    passed_on += len(piece)
                    yield piece
                return
            except Refusal as refusal:
                longer = (refusal.retry_after or 0) > policy.LONGEST_INLINE_WAIT
                if not refusal.passing or longer or reopening == REOPENINGS:
                    raise
                self._note(f"the file is asked for again after {passed_on} bytes: {refusal.words}")
                if reopening and passed_on == before:
                    # Not a link that died; give the vendor some time.
                    time.sleep(policy.pause(refusal, reopening))

    def _open(self) -> Answer:
        answer = self._driver.run(self._file.open())
        if answer.chunks is None:
            # A redirect that isn't followed, a 202, a 204: nothing that has a file's bytes.
            raise Refusal(
                "unavailable", f"HTTP {answer.status} came in place of the file", status=answer.status
            )
        self.framed = answer.framed
        return answer

    def _fresh(self, answer: Answer, known: int) -> Iterator[bytes]:
        """The body behind its first ``known`` bytes."""
        again, left = hashlib.sha256(), known
        for piece in answer.chunks or ():
            old = piece[:left]
            left -= len(old)
            again.update(old)
            if old and not left and again.digest() != self.hash.digest():
                raise Incomplete(f"the file changed between two requests, within its first {known} bytes")
            if len(piece) > len(old):
                yield piece[len(old) :] if old else piece
        if left:
            raise Incomplete(
                f"the file became shorter between two requests: {known - left} bytes, not {known}"
            )
