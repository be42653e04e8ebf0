"""One JSON document: whole if it closes."""

from __future__ import annotations

from airflow_provider_contactcenter.pipeline.array import Document
from airflow_provider_contactcenter.pipeline.proof.meter import Meter


class JsonMeter(Meter):
    """Reads a JSON document to its end; the rows are in the top-level array or in the array ``rows_at``.

    A document that closes is whole, however the transport framed it. An object without such an array is taken
    as it is, with rows unknown, unless it declares a ``total`` of them.
    """

    def __init__(self, rows_at: str | None) -> None:
        self._document = Document(rows_at, lines=False)

    def feed(self, piece: bytes) -> None:
        self._document.feed(piece)

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        try:
            self._document.finish()
        finally:
            self.rows, self.vendor_total = self._document.rows, self._document.vendor_total
        return True
