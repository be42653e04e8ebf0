"""What an encoder is: texts in, a file's bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass
class Column:
    """One column that lands.

    :ivar source: the vendor's name.
    :ivar name: the name that lands.
    :ivar type: as declared; ``string`` where nothing is, ``json`` for a value that stays what JSON it was.
    :ivar treatment: what was done to its values, None if nothing.
    :ivar at: its place in the vendor's CSV.
    """

    source: str
    name: str
    type: str
    treatment: str | None = None
    at: int = 0


#: the texts of one row, in the order of the columns; None is null
Row = Sequence[str | None]


class Encoder(Protocol):
    """Writes one file; its columns are known when it is made."""

    def rows(self, rows: Sequence[Row], before: int) -> bytes:
        """The bytes of some rows, as far as they can be passed on; ``before`` rows came earlier."""

    def finish(self) -> bytes:
        """The rest of the file."""
