"""What bytes pass through on their way from the vendor to a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Stage(Protocol):
    """Takes pieces of bytes of any length, and gives what it makes of them."""

    def feed(self, piece: bytes) -> bytes:
        """What can be passed on so far; may be empty."""

    def finish(self) -> bytes:
        """The rest, once the source has ended and is proved."""


class Transform(Stage, Protocol):
    """A stage that makes other rows of rows; knows how many, and of which columns, once it is finished."""

    @property
    def rows(self) -> int | None:
        """Rows that were written."""

    @property
    def columns(self) -> Sequence[Any] | None:
        """The columns that were written, None where rows have no columns."""

    @property
    def caveats(self) -> Sequence[str]:
        """Sentences about what was met on the way."""

    @property
    def key_fingerprint(self) -> str | None:
        """Tells whether two files were hashed with one key; None where nothing is hashed."""
