"""``Content-Encoding``: what a packed body is unpacked with, and whether it had ended when no more came.

Neither HTTP library asks the decoder whether its stream was over, so a packed body that a cache cut short
would pass for a whole one: its length is that of what is left. Both drivers read bodies as they come and
unpack them here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

from airflow_provider_contactcenter.vendors.protocol.refusals import TOO_LONG

#: what is asked for: nothing that can't be undone
ACCEPTED = "gzip, deflate"
#: bytes that are unpacked at a time, however much a few packed bytes grow
PIECE = 256 * 1024


class Undecodable(ValueError):
    """A body can't be unpacked, or ended before its coding did; the text says of "it" why.

    :ivar foreign: it is packed in a way that nothing here undoes, and would be the next time.
    """

    foreign = False


class _Foreign(Undecodable):
    foreign = True


class Malformed(ValueError):
    """The headers of an answer are none: where one ends and what the body is, is anyone's guess."""


class TooLong(ValueError):
    """A body that is read whole has no end; the text says at how many bytes that was noticed."""


class _Packed:
    """One coding of the zlib family."""

    def __init__(self, name: str, wbits: Callable[[bytes], int], members: bool) -> None:
        self._name = name
        self._wbits = wbits
        self._members = members
        self._inflate: zlib._Decompress | None = None
        self._waiting = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        data = self._waiting + piece
        self._waiting = b""
        while data:
            if self._inflate is None or (self._inflate.eof and self._members):
                data = data.lstrip(b"\0") if self._inflate else data  # gzip pads between and behind members
                if len(data) < 2:
                    self._waiting = data
                    return
                self._inflate = zlib.decompressobj(self._wbits(data))
            if self._inflate.eof:
                raise Undecodable(f"something follows the end of its {self._name} stream")
            try:
                made = self._inflate.decompress(data, PIECE)
            except zlib.error:
                raise Undecodable(f"it is no sound {self._name} stream") from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            if made:
                yield made

    def finish(self) -> None:
        """Raise unless the stream has ended where the body did."""
        if self._waiting or self._inflate is None or not self._inflate.eof:
            raise Undecodable(f"it ended before its {self._name} stream did")


def _zlib_or_raw(head: bytes) -> int:
    """Deflate as RFC 9110 has it, in a zlib wrapping, or bare, as some servers send it."""
    wrapped = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS


_CODINGS: dict[str, Callable[[], _Packed]] = {
    "gzip": lambda: _Packed("gzip", lambda head: 16 + zlib.MAX_WBITS, members=True),
    "deflate": lambda: _Packed("deflate", _zlib_or_raw, members=False),
}
_CODINGS["x-gzip"] = _CODINGS["gzip"]
#: registered codings that nothing here undoes; any other word (``utf-8``, ``aws-chunked``) is no coding
_FOREIGN = frozenset(
    {"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"}
)


class Decoder:
    """Unpacks a body, piece by piece.

    :param coding: the value of ``Content-Encoding``, which names codings in the order they were applied.
    :raises Undecodable: it names one that can't be undone.
    """

    def __init__(self, coding: str | None) -> None:
        names = [name.strip().lower() for name in (coding or "").split(",")]
        if foreign := [name for name in names if name in _FOREIGN]:
            raise _Foreign(
                f"it is packed as {foreign[0]!r}, which nothing here unpacks and nobody asked for "
                f"(asked for: {ACCEPTED})"
            )
        self._stages = [_CODINGS[name]() for name in reversed(names) if name in _CODINGS]

    @property
    def packed(self) -> bool:
        """Whether there is a coding, which has an end of its own: :meth:`finish` refuses a body before it."""
        return bool(self._stages)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The text of a piece, in pieces of at most :data:`PIECE` bytes if it was packed."""
        pieces = iter((piece,))
        for stage in self._stages:
            pieces = _through(stage, pieces)
        return pieces

    def finish(self) -> None:
        """Tell that the body has ended.

        :raises Undecodable: a coding had not.
        """
        for stage in self._stages:
            stage.finish()


class Whole:
    """A body that is read whole: a poll's, a token's, a page's.

    An error's body only has words: where it can't be unpacked, that is what it says.

    :param longest: bytes, unpacked.
    """

    def __init__(self, status: int, headers: Mapping[str, str], longest: int) -> None:
        self._of_error = status >= 400
        self._longest = longest
        self._body = bytearray()
        self._fed = False
        self._unreadable: Undecodable | None = None
        try:
            self._decoder = Decoder(headers.get("content-encoding"))
        except Undecodable as why:
            self._fail(why)

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came.

        :raises Undecodable: it can't be unpacked.
        :raises TooLong: there is too much of it.
        """
        if self._unreadable:
            return
        self._fed = self._fed or bool(piece)
        try:
            for text in self._decoder.feed(piece):
                self._body += text
                if len(self._body) > self._longest:
                    raise TooLong(f"{TOO_LONG} {self._longest} bytes")
        except Undecodable as why:
            self._fail(why)

    def finish(self) -> bytes:
        """The body; an empty one passes, whatever it is said to be packed in.

        :raises Undecodable: its coding had not ended.
        """
        if self._unreadable is None and self._fed:
            try:
                self._decoder.finish()
            except Undecodable as why:
                self._fail(why)
        return (
            f"(its body can't be read: {self._unreadable})".encode()
            if self._unreadable
            else bytes(self._body)
        )

    def _fail(self, why: Undecodable) -> None:
        if not self._of_error:
            raise why
        self._unreadable = why


def _through(stage: _Packed, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from stage.feed(piece)
