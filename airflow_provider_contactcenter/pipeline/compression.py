"""Compression: the same input gives the same bytes, however it was cut.

``isal`` packs ten times as fast as zlib, for a few percent more bytes; it is used where it is installed
(extra ``fast``). So "the same bytes" holds for one library of one version.
"""

from __future__ import annotations

import zlib
from typing import Final, Protocol

__all__ = ["Gzip"]

_BLOCK: Final = 1 << 17  # bytes; what isal makes of its input depends on how it is cut
_WITH_HEADER: Final = 31  # window bits: the largest window, in a gzip member without name and time


class _Packer(Protocol):
    def compress(self, data: bytes | memoryview, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _packer() -> _Packer:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(6, zlib.DEFLATED, _WITH_HEADER)
    packer: _Packer = isal_zlib.compressobj(2, isal_zlib.DEFLATED, _WITH_HEADER)
    return packer


class Gzip:
    """Compresses to one gzip member."""

    def __init__(self) -> None:
        self._packer = _packer()
        self._rest = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes, return what is compressed of them, which may be b""."""
        self._rest += piece
        whole = len(self._rest) - len(self._rest) % _BLOCK
        with memoryview(self._rest) as view:
            packed = b"".join(self._packer.compress(view[at : at + _BLOCK]) for at in range(0, whole, _BLOCK))
        del self._rest[:whole]
        return packed

    def finish(self) -> bytes:
        """Return the rest and the trailer."""
        return self._packer.compress(bytes(self._rest)) + self._packer.flush()
