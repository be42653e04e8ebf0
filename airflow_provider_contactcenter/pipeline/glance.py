"""What is seen of CSV at a glance: how many of its line feeds stand outside quotes.

Of whole records nothing else is left to be known, where every quote stands at an edge of its field, every
field is closed and no carriage return stands alone. That is nearly every block of nearly every file; what is
rare or wrong is left to whoever asks.

numpy sees it twice as fast as Python's own regular expressions, and lets other threads run meanwhile; it is
used where it is installed (extra ``fast``) and the file is long enough to be worth its import.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import Any, Final

__all__ = ["BARE", "Glance", "quotes"]

#: bytes after which numpy is imported: that takes as long as it saves on so many
_WORTH_AN_IMPORT: Final = 256 << 20
#: a CR that is a line end of its own
BARE: Final = re.compile(rb"\r(?!\n)")
#: all but quotes
_NO_QUOTES: Final = bytes(set(range(256)) - set(b'"'))
#: all but quotes and line feeds
_OTHERS: Final = bytes(set(range(256)) - set(b'"\n'))


class Glance:
    """Looks at one file's blocks.

    :param before: bytes that may stand before a field; of a doubled quote it is the other one.
    :param behind: bytes that may stand behind one.
    """

    def __init__(self, before: bytes, behind: bytes) -> None:
        self._edges = before + b'"', behind + b'"'
        self._well_quoted = re.compile(
            rb'[^"]*+(?:(?<![^%b])"[^"]*+"(?![^%b])[^"]*+)*+' % tuple(map(re.escape, self._edges))
        )
        self._bytes = 0
        self._tables: list[Any] = []
        self._hits: Any = None

    def __call__(self, block: bytes) -> int | None:
        """The line feeds outside quotes of a block of whole records; None where that takes a closer look."""
        self._bytes += len(block)
        np = _numpy(self._bytes)
        return self._by_expression(block) if np is None else self._by_numpy(np, block)

    def _by_expression(self, block: bytes) -> int | None:
        if b"\r" in block and BARE.search(block):
            return None
        if b'"' not in block:
            return block.count(b"\n")
        if not self._well_quoted.fullmatch(block):
            return None
        # There are few quotes between the line ends.
        marks = block.translate(None, _OTHERS).replace(b'""', b"")
        return b"".join(marks.split(b'"')[::2]).count(b"\n")

    def _by_numpy(self, np: Any, block: bytes) -> int | None:
        if not self._tables:
            self._tables = [np.isin(np.arange(256), list(edges)) for edges in self._edges]
        before, behind = self._tables
        at = np.frombuffer(block, np.uint8)
        if self._hits is None or len(self._hits) < len(at):
            # One for all: memory that is asked for each time comes from the system, page by page.
            self._hits = np.empty(len(at), bool)
        hits = self._hits[: len(at)]
        controls = np.flatnonzero(np.less_equal(at, ord("\r"), out=hits))  # line ends, and tabs
        found = at[controls]
        feeds, returns = controls[found == ord("\n")], np.count_nonzero(found == ord("\r"))
        # Beyond either end of the block lies what is clipped to: the quote or the line feed itself.
        if returns and returns != np.count_nonzero(at.take(feeds - 1, mode="clip") == ord("\r")):
            return None
        marks = np.flatnonzero(np.equal(at, ord('"'), out=hits))
        if not len(marks):
            return len(feeds)
        if (
            len(marks) & 1
            or not before[at.take(marks[::2] - 1, mode="clip")].all()
            or not behind[at.take(marks[1::2] + 1, mode="clip")].all()
        ):
            return None
        return len(feeds) - int(np.count_nonzero(marks.searchsorted(feeds) & 1))


def quotes(block: bytes) -> int:
    """How many quotes there are."""
    np = _numpy()
    if np is None:
        # To delete all else is faster than to count them, where there are many.
        return len(block.translate(None, _NO_QUOTES))
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord('"')))


def _numpy(size: int = 0) -> Any:
    """numpy, if it is installed and loaded or worth it for a file of this size."""
    if size < _WORTH_AN_IMPORT and "numpy" not in sys.modules:
        return None
    return _loaded()


@functools.cache
def _loaded() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy
