"""The types that a column may be declared to have: what fits, and what JSON makes of it.

Nothing is ever inferred, and nothing changes silently: a value that doesn't fit fails the task. Pure, and
used for every format; Parquet converts with Arrow, which refuses the same.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,400}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Some versions of Python take an hour of 24, and Arrow takes none.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ](?!24)\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)
_INSTANT = re.compile(_TIME.pattern + r"(Z|[+-]\d\d(:?[0-5]\d)?)", re.ASCII)


def precision(type_: str) -> tuple[int, int]:
    """The digits of a ``decimal(p,s)``, in all and after the point."""
    first, second = type_.removeprefix("decimal(").removesuffix(")").split(",")
    return int(first), int(second)


def fits(type_: str, text: str) -> bool:
    """Whether a value that isn't empty can be said in the type without loss."""
    match type_:
        case "string":
            return True
        case "int64":
            return bool(_WHOLE.fullmatch(text)) and -(2**63) <= int(text) < 2**63
        case "float64":
            return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))
        case "boolean":
            return text.lower() in {"true", "false", "1", "0"}
        case "date":
            return bool(_DATE.fullmatch(text)) and _parses(date.fromisoformat, text)
        case "timestamp[us, UTC]":
            return bool(_INSTANT.fullmatch(text)) and _parses(_instant, text)
    return bool(_NUMBER.fullmatch(text)) and _decimal(type_, text) is not None


def _parses(read: object, text: str) -> bool:
    try:
        read(text)  # type: ignore[operator]
    except (ValueError, OverflowError):
        return False
    return True


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)  # whose years are from 1 to 9999, too


def _decimal(type_: str, text: str) -> Decimal | None:
    digits, scale = precision(type_)
    try:
        return Decimal(text).quantize(
            Decimal(1).scaleb(-scale), context=Context(prec=digits, traps=[Inexact, InvalidOperation])
        )
    except (Inexact, InvalidOperation):
        return None


def kind(text: str) -> str:
    """What a value looks like, for a sentence that must not show it."""
    if _WHOLE.fullmatch(text):
        return "a whole number"
    if _NUMBER.fullmatch(text):
        return "a number with a fraction or an exponent"
    if _DATE.fullmatch(text):
        return "a date"
    if _INSTANT.fullmatch(text):
        return "a date and time with an offset"
    if _TIME.fullmatch(text):
        return "a date and time without an offset"
    return "text" if text.strip() else "white space"


def misfit(name: str, type_: str, text: str | None, row: int) -> ContactCenterShapeError:
    """The error for a value that doesn't fit; it says what kind of value it is, and never which."""
    what = f"is {kind(text)}, which doesn't fit" if text is not None else "doesn't fit"
    return ContactCenterShapeError(
        f"Column {name!r} is declared {type_}, and its value in row {row} {what}: declare another type, or "
        "leave it text."
    )


def as_json(type_: str, text: str) -> bytes:
    """A value that fits, as JSON says it: a number keeps its digits where JSON allows them."""
    if type_ == "boolean":
        return b"true" if text.lower() in {"true", "1"} else b"false"
    if _JSON_NUMBER.fullmatch(text):
        return text.encode()
    if type_ == "int64":
        return str(int(text)).encode()
    if type_ == "float64":
        return repr(float(text)).encode()
    return f"{_decimal(type_, text):f}".encode()


#: the types that JSON has something else for than a string
NOT_TEXT = ("int64", "float64", "boolean", "decimal")
