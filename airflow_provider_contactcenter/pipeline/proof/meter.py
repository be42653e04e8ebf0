"""What every proof of a file is."""

from __future__ import annotations

from collections.abc import Sequence


class Meter:
    """Counts the rows of one file and judges whether it is whole; gets every byte, in order.

    :ivar rows: data rows, without a header; known after :meth:`finish`, None where nobody can know them.
    :ivar vendor_total: the number of rows that the file itself declares, else None.
    :ivar columns: the names in the file's header, None where it has none or they can't be told.
    :ivar caveats: sentences: what stands in the way of a count or of a proof.
    """

    rows: int | None = None
    vendor_total: int | None = None
    columns: tuple[str, ...] | None = None
    caveats: Sequence[str] = ()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Never raises, so that a broken connection is told first."""
        raise NotImplementedError

    def finish(self, *, framed: bool, content_type: str = "") -> bool | None:
        """Judge the file: True where it is proved whole, None where there is nothing to prove it by.

        :param framed: the transport proved that it delivered the whole body (the declared length was met,
            or the terminator of a chunked body was seen).
        :param content_type: what the answer said it was.
        :raises Incomplete: the file is proved not to be whole, or not to be what was asked for.
        """
        raise NotImplementedError
