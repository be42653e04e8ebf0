"""urllib3's connection pools, sending a target byte for byte.

urllib3 writes ``%2f`` as ``%2F`` before it sends. A signature counts the bytes that were signed, so the
target that was asked for is put back where the request goes out.
"""

from __future__ import annotations

import threading
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool


class _Verbatim:
    """One thread asks for one target at a time; a pool may serve several threads."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._asked = threading.local()
        super().__init__(*args, **options)

    def urlopen(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        self._asked.url = url
        return super().urlopen(method, url, *args, **options)  # type: ignore[misc]

    def _make_request(self, conn: Any, method: str, url: str, **options: Any) -> Any:
        return super()._make_request(conn, method, self._asked.url, **options)  # type: ignore[misc]


class _Plain(_Verbatim, HTTPConnectionPool):  # type: ignore[misc]
    pass


class _Encrypted(_Verbatim, HTTPSConnectionPool):  # type: ignore[misc]
    pass


#: for a pool manager's ``pool_classes_by_scheme``
POOLS = {"http": _Plain, "https": _Encrypted}
