"""How an answer is read on a worker: past interim ones, not past its time, and only if it is sound.

What aiohttp's parser does of itself, so that worker and triggerer can't differ.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import errors
from http.client import HTTPResponse, parse_headers
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from airflow_provider_contactcenter.transport.codings import Malformed


class _Bound(threading.local):
    end: float | None = None


_bound = _Bound()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound all that this thread reads of answers meanwhile, not only each wait for the next bytes.

    A read beyond that raises TimeoutError.
    """
    _bound.end = time.monotonic() + seconds
    try:
        yield
    finally:
        _bound.end = None


class _Reading(io.RawIOBase):
    """The socket's file; no read of it waits beyond the bound."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        self._own = self._set = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds = self._own
        if _bound.end is not None:
            left = _bound.end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            seconds = left if seconds is None else min(seconds, left)
        if seconds != self._set:
            self._sock.settimeout(seconds)
            self._set = seconds
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Reading(self.fp.detach(), sock))

    def _read_status(self) -> tuple[str, int, str]:
        # http.client reads past 100 alone; 102 and 103 announce an answer as well.
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200 or status == 101:
                return version, status, reason
            parse_headers(self.fp)

    def begin(self) -> None:
        begun = self.headers is not None
        super().begin()
        if not begun:
            _check(self.headers)


#: what http.client's parser notes where it takes a line for the end of the headers, or drops it
_DEFECTS = (
    errors.MissingHeaderBodySeparatorDefect,
    errors.InvalidHeaderDefect,
    errors.FirstHeaderLineIsContinuationDefect,
)


def _check(headers: Any) -> None:
    """Refuse headers of which the rest may have been dropped, the length of the body with it."""
    if any(isinstance(defect, _DEFECTS) for defect in headers.defects) or not all(
        re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) for name in headers
    ):
        raise Malformed("one of them is no header")
    lengths = headers.get_all("Content-Length", [])
    if len(lengths) > 1:
        raise Malformed("they have more than one Content-Length")
    if lengths and not re.fullmatch(r"\d+", lengths[0].strip(), re.ASCII):
        raise Malformed("their Content-Length is not a number")


class Connection(HTTPConnection):
    """One that reads answers so."""

    response_class = _Response


class TlsConnection(HTTPSConnection):
    """The same, encrypted."""

    response_class = _Response
