"""The vocabulary a vendor module is written in: requests, replies, routes, options, vendors."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .data import Content

#: connection id -> {"conn_type", "host", "login", "password", "extra"}
Connections = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """What a client asked. `target` is path and query as they stood on the wire, `path` is raw too."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    path: str = ""
    """What follows the vendor's prefix."""
    segments: Mapping[str, str] = field(default_factory=dict)
    """The named groups of the route's pattern, decoded."""

    @property
    def raw_path(self) -> str:
        """The whole path as it stood on the wire."""
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query as it stood on the wire."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query, repeated keys and empty values kept."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def media_type(self) -> str:
        """What the Content-Type header names, parameters aside; empty where there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body; nothing where its Content-Type says that it isn't one."""
        if self.media_type != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The JSON body; raises ValueError where it isn't any."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def basic(self) -> tuple[str, str] | None:
        """User and password of the Basic header."""
        word, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if word.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:  # neither base64 nor UTF-8, nor ASCII at all
            return None
        return user, password

    def bearer(self) -> str | None:
        """The token of the Bearer header."""
        word, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if word.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True)
class Reply:
    """What the vendor answers; `job` names the report job it is about, for the journal.

    Of a body that is a `Content` only the bytes of `span` are sent, where there is one.
    """

    status: int = 200
    body: bytes | Content = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None
    span: tuple[int, int] | None = None


def json_reply(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, job: str | None = None
) -> Reply:
    """`value` as a JSON body."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})}, job)


#: what a vendor remembers (:class:`.state.VendorState`, which knows this module) and a request -> the answer
Handler = Callable[[Any, Request], Reply]


@dataclass(frozen=True)
class Route:
    """One operation of an API: its name, its method and its raw path after the vendor's prefix."""

    operation: str
    method: str
    pattern: str
    handler: Handler

    def match(self, path: str) -> re.Match[str] | None:
        """The match of the whole raw path."""
        return re.fullmatch(self.pattern, path)


@dataclass(frozen=True)
class Option:
    """One selectable variant of an API: its default, and what else it may be, as a test and as a phrase."""

    default: Any
    allowed: str
    holds: Callable[[Any], bool]


def choice(*values: Any) -> Option:
    """One of the given values, the first being the default."""
    # An equal value of another type is another value: True == 1.
    return Option(
        values[0],
        "one of " + ", ".join(json.dumps(value) for value in values),
        lambda given: any(given == value and type(given) is type(value) for value in values),
    )


def flag(default: bool) -> Option:
    """True or false."""
    return Option(default, "true or false", lambda given: isinstance(given, bool))


def number(default: float | None, least: float = 0) -> Option:
    """A number no smaller than `least`; null too where null is the default."""
    return Option(
        default,
        f"a number, {least} or more" + (", or null" if default is None else ""),
        lambda given: (given is None and default is None) or (is_number(given) and given >= least),
    )


def text(default: str | None) -> Option:
    """A string; null too where null is the default."""
    return Option(
        default,
        "a string" + (", or null" if default is None else ""),
        lambda given: (given is None and default is None) or isinstance(given, str),
    )


def texts(default: Sequence[str] | None) -> Option:
    """A list of strings; null too where null is the default."""
    return Option(
        default,
        "a list of strings" + (", or null" if default is None else ""),
        lambda given: (
            (given is None and default is None)
            or (isinstance(given, list | tuple) and all(isinstance(item, str) for item in given))
        ),
    )


def ladder(*steps: tuple[str, float, int]) -> Option:
    """The words a job goes through before its last one: a list of ``[word, seconds, polls]``."""
    return Option(
        [list(step) for step in steps],
        "a list of [word, seconds, polls]",
        lambda given: isinstance(given, list | tuple) and all(is_step(item) for item in given),
    )


def is_number(value: Any) -> bool:
    """Whether `value` is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_step(value: Any) -> bool:
    """Whether `value` is one ``[word, seconds, polls]``."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and isinstance(value[0], str)
        and is_number(value[1])
        and isinstance(value[2], int)
        and not isinstance(value[2], bool)
    )


#: what every vendor has, beside its own options
COMMON_OPTIONS: Mapping[str, Option] = {
    "rows": number(None),  # rows of a file; null: what the sandbox was started with
    "bytes": number(None),  # size of a file, to within one row; null: `rows` decides
    "hold": text(None),  # a status word that no job gets past until this is null again
    "link_seconds": number(60),  # how long a signed link to the storage lives
    "ranges": flag(True),  # the storage serves parts of a file, as S3 does
}


@dataclass(frozen=True)
class Vendor:
    """One API, as the sandbox plays it."""

    name: str
    prefix: str
    routes: Sequence[Route]
    connections: Callable[[str], Connections]
    """From the vendor's base URL (origin and prefix) to its default connections."""
    options: Mapping[str, Option] = field(default_factory=dict)
    private_headers: Sequence[str] = ()
    """Headers beside Authorization and Cookie that must never reach the storage."""
    refusals: Mapping[str, Handler] = field(default_factory=dict)
    """What the fault `refusal` can say: code -> the answer in the vendor's own shape."""
    not_found: Reply = field(default_factory=lambda: json_reply({"message": "Not Found"}, 404))
    """The answer under the prefix where no route matches."""

    @property
    def all_options(self) -> Mapping[str, Option]:
        """The vendor's own options and those that all have."""
        return {**COMMON_OPTIONS, **self.options}

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`given`, or a ValueError with one sentence about the first option that is wrong."""
        known = self.all_options
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"{self.name} has no option {name!r}; it has {', '.join(sorted(known))}.")
            if not known[name].holds(value):
                raise ValueError(f"{self.name}.{name} must be {known[name].allowed}, not {value!r}.")
        return dict(given)
