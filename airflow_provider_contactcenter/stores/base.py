"""What a store has to offer: one object, put all or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Protocol, TypedDict

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue

_HALF = re.compile("[\ud800-\udfff]")


class Stored(TypedDict, total=False):
    """What a store says of the object it has just taken, as far as it says anything."""

    etag: str
    version_id: str
    generation: str
    #: ``{"type": "CRC32/FULL_OBJECT", "value": "..."}``
    checksum: dict[str, str]


class ObjectExists(Exception):
    """There is an object under the name already, and it was not to be replaced."""


class Readable(Protocol):
    """A file that is read once, from its start to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next ``size`` bytes at most, and ``b""`` at the end and from then on."""


class Store(Protocol):
    """One destination in one store. Made once per execution; nothing is sent before a method is called.

    What the store's own library raises leaves these methods as it is; whoever calls them words it
    (:func:`wording`).

    :raises InvalidValue: when it is made, for names that can't be used.
    :raises AirflowOptionalProviderFeatureException: when it is made, the extra is not installed.
    """

    @property
    def uri(self) -> str:
        """The object's URI, such as ``s3://bucket/key``: names as they are, nothing percent-encoded."""

    @property
    def dataset(self) -> tuple[str, str]:
        """Namespace and name of the object in OpenLineage."""

    @property
    def console(self) -> str | None:
        """The object's page in the store's web console; None where it has none that can be known."""

    def check(self, *, replace: bool = True) -> None:
        """See that the object could be written, and leave nothing behind.

        Raises what ``put`` with this ``replace`` would raise for a missing bucket, a refused credential or a
        name that the store doesn't take; perhaps ObjectExists, too (``exists`` is sure).
        """

    def exists(self) -> bool:
        """Whether there is an object under the name."""

    def read(self) -> Iterator[bytes]:
        """The object under the name, piece by piece: to be told from another writer's."""

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Read ``body`` to its end into the object, which appears whole or not at all.

        What ``body.read`` raises leaves this method (perhaps wrapped by the store's library), nothing new is
        under the name then, and what was there before still is. ``body`` may be read in another thread, but
        no thread reads on once this method is left.

        :raises ObjectExists: with ``replace=False``, the store itself found another object under the name.
        """

    def delete(self) -> None:
        """Remove the object; nothing happens where there is none."""

    def at(self, name: str) -> Store:
        """The same store under another name: the manifest's."""


def name_of(parameter: str, value: Any) -> str:
    """A bucket's or an object's name as it is used; native rendering makes a number of ``20240501``.

    :raises InvalidValue: it is empty, a URL, or a template that nobody rendered.
    """
    if checks.pending(value):
        raise InvalidValue(
            f"{parameter}={value!r} is not allowed: it holds a template that was never rendered; Airflow "
            "renders templates in an operator's arguments, but not in values that come out of XCom: write "
            "them already rendered."
        )
    name = checks.text(parameter, value)
    if "://" in name:
        raise InvalidValue(f"{parameter}={value!r} is not allowed: give the name alone, without '://'.")
    return name


def object_name_of(parameter: str, value: Any) -> str:
    """An object's name in a bucket or container, taken as it is.

    Clients resolve the steps ``.`` and ``..``, some before and some after they sign, so such a name leads
    elsewhere; and what ends in a slash is a folder to many a store, which keeps nothing of its content.

    :raises InvalidValue: as :func:`name_of`; it ends in a slash, has such a step, or isn't Unicode.
    """
    name = name_of(parameter, value)
    steps = name.split("/")
    if not steps[-1] or not {".", ".."}.isdisjoint(steps) or _HALF.search(name):
        raise InvalidValue(
            f"{parameter}={value!r} is not allowed: give the name of an object, such as 'calls/2024.csv', "
            "without a slash at its end, without '.' and '..' between slashes, in Unicode."
        )
    return name


def provider_class(module: str, name: str, *, extra: str, title: str) -> Any:
    """A class of another Airflow provider, which is imported only now.

    :param extra: the extra of this package that installs the provider.
    :param title: what people call the provider.
    :raises AirflowOptionalProviderFeatureException: it is not installed.
    """
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

        raise AirflowOptionalProviderFeatureException(
            f"Storing a report there needs the {title} provider: "
            f"pip install 'airflow-provider-contactcenter[{extra}]'."
        ) from error


def wording(error: BaseException) -> str:
    """What a store's library said, in one line, without the query of any address.

    Whoever knows the query of an upload under way, or of a signed URL, may write to it. An error that is
    worded like this isn't to be chained: the traceback would show what the wording hides.
    """
    said = str(error)
    if code := getattr(error, "error_code", None):
        # Azure's: after the first line come ids, and for a refused credential what was signed with it.
        said = f"{getattr(code, 'value', code)}: {said.partition(chr(10))[0]}"
    said = " ".join(f"{type(error).__name__}: {said}".split())
    return re.sub(r"\?[^\s'\"()<>]+", "?***", said)


def whole(body: Readable, size: int) -> bytes:
    """Exactly the next ``size`` bytes of a body, fewer only at its end: parts must not come out short."""
    data = body.read(size)
    if not data or len(data) == size:
        return data
    pieces, left = [data], size - len(data)
    while left and (piece := body.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
