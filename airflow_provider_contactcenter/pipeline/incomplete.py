"""What is said of a file that isn't whole, or isn't what it should be."""

from __future__ import annotations

import codecs
import re
from typing import Final

__all__ = ["Head", "Incomplete", "counted", "start_of", "without_excerpt"]

_SHOWN: Final = 80  # characters of a wrong file that an error shows
#: how a workbook or another zip file starts, and a gzip file
_PACKED: Final = (b"PK\3\4", b"\x1f\x8b")


class Incomplete(Exception):
    """The file is proved not to be whole. ``str()`` is one sentence that says what is missing."""


def counted(rows: int) -> str:
    """A number of rows, in words."""
    return "1 row" if rows == 1 else f"{rows} rows"


def start_of(head: bytes | str) -> str:
    """The first characters of a file that isn't what it should be, in quotes and on one line."""
    text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    return '"' + " ".join("".join(c if c.isprintable() else " " for c in text[:_SHOWN]).split()) + '"'


def without_excerpt(sentence: str) -> str:
    """A sentence without what it quotes of a file, from the first quote to the last."""
    return re.sub('".*"', "what isn't shown, as the report has a shape", sentence, flags=re.DOTALL)


class Head:
    """Keeps the first bytes of a file, to recognise a web page and to quote it."""

    def __init__(self) -> None:
        self.bytes = b""

    def __str__(self) -> str:
        return start_of(self.bytes)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        if len(self.bytes) < 4 * _SHOWN:
            self.bytes += piece[: 4 * _SHOWN]

    def refuse_page(self, what: str) -> None:
        """Raise Incomplete if it is a web page or an XML error: what proxies and logins answer with."""
        first = self.bytes.removeprefix(codecs.BOM_UTF8).lstrip()[:9].lower()
        if first.startswith((b"<!doctype", b"<html", b"<?xml", b"<error")):
            raise Incomplete(f"the file is an HTML page or XML message, not {what}: {self}")

    def refuse_packed(self, what: str) -> None:
        """Raise Incomplete if it is a container of any kind."""
        if self.bytes.startswith(_PACKED):
            raise Incomplete(f"the file is packed (a workbook, zip or gzip), not {what}: {self}")
