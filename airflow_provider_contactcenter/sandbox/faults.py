"""Scripted faults: what goes wrong, for which requests, how often.

A fault is a JSON object: `fault` names its kind, `vendor` and `operation` what it is for (any, where they
are left out), `skip` lets so many matching requests through first, `count` ends it (null: never). What else a
kind takes stands in `KINDS`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from .model import Option, Reply, Request, choice, number, text

if TYPE_CHECKING:
    from .state import VendorState

HTML = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>We are back soon.</body></html>"
UNREADABLE = b'{"job": {"id": "369f88a5", "status": "proc'

_HEADERS = Option(
    {},
    "an object of strings",
    lambda given: isinstance(given, dict) and all(isinstance(value, str) for value in given.values()),
)
_STATUS = Option(
    None, "an HTTP status from 200 to 599", lambda given: type(given) is int and 200 <= given <= 599
)
_REQUIRED = object()


def _required(option: Option) -> Option:
    return Option(_REQUIRED, option.allowed, option.holds)


def _with_default(option: Option, default: Any) -> Option:
    return Option(default, option.allowed, option.holds)


_AFTER = Option(
    0.5,
    "a number of bytes, or a fraction of the body between 0 and 1",
    lambda given: (isinstance(given, float) and 0 <= given < 1) or (type(given) is int and given >= 0),
)

#: kind -> its parameters; what has no default has to be given
KINDS: Mapping[str, Mapping[str, Option]] = {
    # Another answer in the vendor's place; the vendor never sees the request.
    "status": {
        "status": _required(_STATUS),
        "body": text(""),
        "content_type": text("application/json"),
        "headers": _HEADERS,
        "retry_after": number(None),
        "retry_after_form": choice("seconds", "date"),
        "when": choice("before", "after"),
    },
    # The vendor's own refusal, in its own shape.
    "refusal": {"code": _required(text(""))},
    "html": {"status": _with_default(_STATUS, 200)},
    "unreadable": {"status": _with_default(_STATUS, 200)},
    "redirect": {"to": _required(text("")), "status": _with_default(_STATUS, 302)},
    # The connection.
    "reset": {"when": choice("before", "body"), "after": _AFTER},
    "stall": {"when": choice("before", "body"), "seconds": number(3600), "after": _AFTER},
    "cut": {"framing": choice("length", "chunked", "none"), "after": _AFTER},
    # The body comes packed, and ends early in a framing that is right for what is left of it.
    "packed": {"coding": text("gzip"), "after": _AFTER},
    # The answer is right, and comes byte by byte.
    "drip": {"seconds": number(0.05)},
    # An interim answer stands before the right one.
    "early_hints": {},
    "lost_answer": {},
    # The vendor's own memory.
    "expired_link": {},
    "revoke_token": {},
    "new_secret": {"secret": _required(text(""))},
    "unknown_status": {"word": text("sandbox-unheard-of")},
}
_COMMON: Mapping[str, Option] = {
    "fault": Option(_REQUIRED, "one of " + ", ".join(KINDS), lambda given: given in KINDS),
    "vendor": text(None),
    "operation": text(None),
    "skip": Option(0, "a whole number", lambda given: type(given) is int and given >= 0),
    "count": Option(
        1,
        "a whole number from 1, or null: forever",
        lambda given: given is None or (type(given) is int and given >= 1),
    ),
}


@dataclass
class Fault:
    """One fault and how much of it is left."""

    kind: str
    vendor: str | None
    operation: str | None
    skip: int
    count: int | None
    parameters: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def takes(self, vendor: str | None, operation: str) -> bool:
        """Whether this request gets the fault; counts it."""
        if self.count == 0 or self.vendor not in (None, vendor) or self.operation not in (None, operation):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The fault as it stands now."""
        return {
            "fault": self.kind,
            "vendor": self.vendor,
            "operation": self.operation,
            "skip": self.skip,
            "count": self.count,
            **self.parameters,
        }


class Faults:
    """The faults of one sandbox; where several match a request, the oldest is taken."""

    def __init__(
        self,
        operations: Mapping[str, frozenset[str]],
        refusals: Mapping[str, Collection[str]],
    ) -> None:
        self._operations = operations
        self._refusals = refusals
        self._faults: list[Fault] = []

    def add(self, given: Any) -> Fault:
        """Take a fault on; a ValueError with one sentence says what is wrong with it."""
        if not isinstance(given, dict):
            raise ValueError("A fault must be a JSON object.")
        known = {**_COMMON, **KINDS.get(str(given.get("fault")), {})}
        values = {name: option.default for name, option in known.items()}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"A fault takes {', '.join(known)} here, not {name!r}.")
            if not known[name].holds(value):
                raise ValueError(f"{name!r} must be {known[name].allowed}, not {value!r}.")
            values[name] = value
        for name, value in values.items():
            if value is _REQUIRED:
                raise ValueError(f"{name!r} is missing: {known[name].allowed}.")
        self._check_target(values["vendor"], values["operation"])
        if values["fault"] == "refusal":
            self._check_refusal(values["vendor"], values["code"])
        common = {name: values.pop(name) for name in _COMMON}
        common["kind"] = common.pop("fault")
        fault = Fault(**common, parameters=values)
        self._faults.append(fault)
        return fault

    def _check_target(self, vendor: str | None, operation: str | None) -> None:
        if vendor is not None and vendor not in self._operations:
            raise ValueError(f"'vendor' must be one of {', '.join(self._operations)}, not {vendor!r}.")
        known = set().union(*([self._operations[vendor]] if vendor else self._operations.values()))
        if operation is not None and operation not in known:
            raise ValueError(f"'operation' must be one of {', '.join(sorted(known))}, not {operation!r}.")

    def _check_refusal(self, vendor: str | None, code: str) -> None:
        known = self._refusals.get(vendor or "", ())
        if not known:
            able = ", ".join(name for name, codes in self._refusals.items() if codes)
            raise ValueError(f"The fault 'refusal' needs a 'vendor' that has codes: {able}.")
        if code not in known:
            raise ValueError(f"'code' must be one of {', '.join(known)}, not {code!r}.")

    def take(self, vendor: str | None, operation: str) -> Fault | None:
        """The fault for this request, if there is one."""
        return next((fault for fault in self._faults if fault.takes(vendor, operation)), None)

    def entries(self) -> list[dict[str, Any]]:
        """The faults that have something left."""
        return [fault.as_dict() for fault in self._faults if fault.count != 0]

    def clear(self) -> None:
        """Drop all faults."""
        self._faults.clear()


def _status(fault: Fault, request: Request, now: datetime) -> Reply:
    headers = {"Content-Type": fault["content_type"], **fault["headers"]}
    seconds = fault["retry_after"]
    if seconds is not None:
        date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
        headers["Retry-After"] = date if fault["retry_after_form"] == "date" else f"{seconds:g}"
    return Reply(fault["status"], fault["body"].encode(), headers)


def _redirect(fault: Fault, request: Request, now: datetime) -> Reply:
    # "self" is the loop: the client is sent back to what it asked for.
    to = request.target if fault["to"] == "self" else fault["to"]
    return Reply(fault["status"], b"", {"Location": to})


#: kinds that answer in the vendor's place
INSTEAD: Mapping[str, Callable[[Fault, Request, datetime], Reply]] = {
    "status": _status,
    "html": lambda fault, request, now: Reply(fault["status"], HTML, {"Content-Type": "text/html"}),
    "unreadable": lambda fault, request, now: Reply(
        fault["status"], UNREADABLE, {"Content-Type": "application/json"}
    ),
    "redirect": _redirect,
}


def _override_status(fault: Fault, state: VendorState) -> None:
    state.status_override = fault["word"]


def _change_secret(fault: Fault, state: VendorState) -> None:
    state.secret = fault["secret"]
    state.tokens.revoke()


def _kill_links(fault: Fault, state: VendorState) -> None:
    state.links_dead = True


#: kinds that change what the vendor remembers before it answers
BEFOREHAND: Mapping[str, Callable[[Fault, VendorState], None]] = {
    "expired_link": _kill_links,
    "revoke_token": lambda fault, state: state.tokens.revoke(),
    "new_secret": _change_secret,
    "unknown_status": _override_status,
}


@dataclass(frozen=True)
class Damage:
    """What happens to an answer on its way out: after `at` bytes the connection ends, or pauses.

    From there on it comes byte by byte where there is a `drip`, seconds between two bytes.
    """

    at: int
    framing: str = "length"
    reset: bool = False
    pause: float | None = None
    drip: float | None = None


def packed(fault: Fault, body: bytes) -> bytes:
    """What the fault `packed` sends of a body: gzip and deflate are packed and cut, others are just named."""
    windows = {"gzip": 31, "deflate": 15}
    if fault["coding"] not in windows:
        return body
    packer = zlib.compressobj(wbits=windows[fault["coding"]])
    whole, after = packer.compress(body) + packer.flush(), fault["after"]
    return whole[: int(len(whole) * after) if isinstance(after, float) else after]


def damage(fault: Fault | None, length: int) -> Damage | None:
    """The damage that a fault does to a body of `length` bytes."""
    if fault is None:
        return None
    if fault.kind == "lost_answer":
        return Damage(-1, reset=True)
    if fault.kind == "drip":
        return Damage(0, drip=fault["seconds"])
    if fault.kind not in ("reset", "stall", "cut") or fault.parameters.get("when") == "before":
        return None
    after = fault["after"]
    at = min(int(length * after) if isinstance(after, float) else after, length)
    if fault.kind == "stall":
        return Damage(at, pause=fault["seconds"])
    return Damage(at, fault.parameters.get("framing", "length"), reset=fault.kind == "reset")
