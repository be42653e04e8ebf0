"""How the rows of a ready job are fetched: as one body, or in pages."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation


@dataclass(frozen=True, slots=True)
class File:
    """A report that comes as one body; ``open`` ends with a streamed answer.

    ``lines_from`` is set where JSON lines are made of the vendor's JSON document: the key that holds
    the rows, or "" for the document itself; ``rows_at`` names the same key where JSON lands as it is, for
    counting (None: there is none). ``blank`` is set where an empty body isn't damage but the vendor's way to
    say that there are no rows, and says so, for the log. ``caveat`` says why rows may be missing that nobody
    can prove: it is logged, and the delivery isn't called complete.
    """

    open: Callable[[], Operation[Answer]]
    file_format: str
    lines_from: str | None = None
    rows_at: str | None = "entries"
    blank: str | None = None
    caveat: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the cursor of the next page (None: this was the last) and the vendor's own total.

    ``caveat`` is a :class:`File`'s, where a page is the first to know. ``provisional`` is set where the
    vendor itself says that rows of the window may still come.

    A cursor is whatever the vendor's functions need to ask for the next page; the same one twice is a loop.
    A row, or a value of a row, may be ``msgspec.Raw``: JSON as the vendor wrote it.
    """

    rows: Sequence[Any]
    cursor: Hashable | None
    total: int | None = None
    caveat: str | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """A report that comes in pages; ``page`` asks for the one behind a cursor (None: the first).

    Several files of rows are pages as well: their cursor says which file is next.

    ``caveat`` is a :class:`File`'s.
    """

    page: Callable[[Any], Operation[Page]]
    caveat: str | None = None
