"""What an uploader reads: a file that is only at its end once the report is proved."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_contactcenter.pipeline.stage import Transform

__all__ = ["Body"]

#: bytes for which room is made at once; what grows is moved each time
_ROOM = 64 << 20


class Body(io.RawIOBase):
    """A report as a file to read once, from its start to its end.

    Counts and hashes what is read. The end is only reported after the report is proved whole; what stands
    in the way is raised from ``read`` and kept in ``error``, for an uploader that wraps it. ``ended`` says
    whether somebody has read so far: what is left unread would be missing from the object. ``on_end`` is
    called once, when the report is proved and before its end is reported.

    :param pieces: the bytes.
    :param release: called when it is closed.
    :param digest: a SHA-256 of the same bytes, where one is taken of them already.
    :param reshaped: the stage that knows the rows and columns that land; None where the vendor's land.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        release: Callable[[], None] = lambda: None,
        digest: Any = None,
        reshaped: Transform | None = None,
    ) -> None:
        super().__init__()
        self.reshaped = reshaped
        self.bytes = 0
        self.error: BaseException | None = None
        self.ended = False
        self.on_end: Callable[[], None] = lambda: None
        self._told = False
        self._release = release
        self._own = hashlib.sha256() if digest is None else None
        self._digest = self._own or digest
        self._pieces = pieces
        self._left = memoryview(b"")

    @property
    def sha256(self) -> str:
        """Hex digest of the whole, once it was read to its end."""
        digest: str = self._digest.hexdigest()
        return digest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, size: int | None = -1) -> bytes:
        """Exactly ``size`` bytes unless the end is near, as an uploader's part needs them."""
        wanted = size if size is not None and size >= 0 else None
        data = io.BytesIO(bytes(wanted) if wanted and wanted <= _ROOM else b"")
        while wanted is None or data.tell() < wanted:
            if not self._left:
                piece = self._next()
                if not piece:
                    break
                self._left = memoryview(piece)
            part = self._left if wanted is None else self._left[: wanted - data.tell()]
            self._left = self._left[len(part) :]
            data.write(part)
        data.truncate()
        self.bytes += data.tell()
        if self.ended and not self._told:
            self._told = True
            self.on_end()
        return data.getvalue()

    def stop(self, error: BaseException) -> None:
        """Let nobody read on: the uploader, which may be in another thread, meets this error and aborts."""
        self.error = error

    def close(self) -> None:
        """Let go of the vendor's connection."""
        if not self.closed:
            self._release()
        super().close()

    def _next(self) -> bytes:
        if self.error is not None:
            raise self.error
        try:
            for piece in self._pieces:
                if piece:
                    if self._own is not None:
                        self._own.update(piece)
                    return piece
        except BaseException as error:
            self.error = error
            raise
        self.ended = True
        return b""
