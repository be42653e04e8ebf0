"""What bytes pass through on their way from the vendor to a store."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """Takes pieces of bytes of any length, and gives what it makes of them."""

    def feed(self, piece: bytes) -> bytes:
        """What can be passed on so far; may be empty."""

    def finish(self) -> bytes:
        """The rest, once the source has ended and is proved."""
