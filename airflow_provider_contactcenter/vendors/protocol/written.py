"""JSON that is read the slow way, because something in it is odd, with its numbers as they were written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import msgspec


class Number(str):
    """A number in the digits in which it was written."""

    __slots__ = ()


def read(body: bytes) -> Any:
    """JSON whose numbers are :class:`Number`; takes a byte order mark and halves of surrogate pairs.

    :raises ValueError: it is not JSON, or holds NaN or Infinity, which would land as null.
    """
    return json.loads(body, parse_float=Number, parse_int=Number, parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which JSON does not have")


def raw(value: Any) -> msgspec.Raw:
    """What :func:`read` gave, as JSON on one line."""
    import msgspec  # loaded where there are rows

    return msgspec.Raw(_text(value).encode())


def _text(value: Any) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_string(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)


def _string(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
