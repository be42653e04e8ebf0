"""The stores that need no bucket, as the matrix takes them."""

from __future__ import annotations

from typing import Any

from tests.stores.conftest import Place


class Landing:
    """An Azure container, an SFTP server or a folder, and the operator that lands there."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # Azurite's has the account behind it.
        self.url, self.environ = "/".join(place.url.split("/")[:3]), place.environ

    def operator(self, key: str, **values: Any) -> Any:
        """The transfer operator of the store."""
        return self._place.operator(_flat(key), **values)

    def beside(self, key: str) -> str:
        """The name of a manifest, as the operator takes it."""
        store = self._place.store(_flat(key))
        return f"{getattr(store, 'path', _flat(key))}.json"

    def object(self, key: str) -> bytes:
        """What is stored."""
        return self._place.content(_flat(key)) or b""

    def put(self, key: str, content: bytes) -> None:
        """Store bytes by the server's own means."""
        self._place.put(_flat(key), content)

    def dangling(self) -> list[str]:
        """What an upload left beside the object."""
        left = self._place.lingering()
        self._place.sweep()
        return left


def _flat(key: str) -> str:
    return key.replace("/", "-")
