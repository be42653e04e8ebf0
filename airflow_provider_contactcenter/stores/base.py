"""What a store has to offer: one object, put all or nothing."""

from __future__ import annotations

from typing import BinaryIO, Protocol, TypedDict


class Stored(TypedDict, total=False):
    """What a store says of the object it has just taken, as far as it says anything."""

    etag: str
    version_id: str
    generation: str
    #: ``{"type": "CRC32/FULL_OBJECT", "value": "..."}``
    checksum: dict[str, str]


class ObjectExists(Exception):
    """There is an object under the name already, and it was not to be replaced."""


class Store(Protocol):
    """One destination in one store. Made once per execution; nothing is sent before a method is called.

    What the store's own library raises leaves these methods as it is; whoever calls them words it.
    """

    @property
    def uri(self) -> str:
        """The object's URI, such as ``s3://bucket/key``."""

    @property
    def dataset(self) -> tuple[str, str]:
        """Namespace and name of the object in OpenLineage."""

    def check(self) -> None:
        """See that the object could be written, and leave nothing behind."""

    def exists(self) -> bool:
        """Whether there is an object under the name."""

    def put(self, body: BinaryIO, *, content_type: str, replace: bool = True) -> Stored:
        """Read ``body`` to its end into the object, which appears whole or not at all.

        What ``body.read`` raises leaves this method (perhaps wrapped by the store's library), nothing new is
        under the name then, and what was there before still is.

        :raises ObjectExists: with ``replace=False``, the store itself found another object under the name.
        """

    def delete(self) -> None:
        """Remove the object; nothing happens where there is none."""

    def at(self, name: str) -> Store:
        """The same store under another name: the manifest's."""
