"""What Talkdesk calls ``json_bulk``, which no document describes."""

from __future__ import annotations

from airflow_provider_contactcenter.pipeline.array import Document
from airflow_provider_contactcenter.pipeline.incomplete import Head, Incomplete
from airflow_provider_contactcenter.pipeline.proof.json_lines import JsonLinesMeter
from airflow_provider_contactcenter.pipeline.proof.meter import Meter


class JsonBulkMeter(Meter):
    """Looks at a ``json_bulk`` file, which no document describes, and claims only what is certain.

    A JSON document with an array of rows, or several lines that are objects, are counted and checked like
    those formats. Anything else has unknown rows, and is whole if the transport says so.
    """

    def __init__(self, rows_at: str | None) -> None:
        self._head = Head()
        self._document = Document(rows_at, lines=False)
        self._lines = JsonLinesMeter()

    def feed(self, piece: bytes) -> None:
        self._head.feed(piece)
        self._document.feed(piece)
        self._lines.feed(piece)

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        self._head.refuse_page("JSON")
        if not self._head.bytes:
            self.rows = 0
            self.caveats = ("The json_bulk file is empty, and no document says that this means no rows.",)
            return None
        if self._is_document():
            self.rows, self.vendor_total = self._document.rows, self._document.vendor_total
            return True
        if self._lines.are_objects():
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
