"""One kind of report: its builder, what the vendor takes in one report, and what a row of it is.

Imports little: a DAG file loads it with the builders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_contactcenter.nouns import Report


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The windows that a vendor takes in one report."""

    #: the longest window, elapsed time; None: no document names one
    longest: timedelta | None = None
    #: a window has to be longer than this
    longer_than: timedelta = timedelta(0)
    #: the zone in which both bounds have to be midnight, where the vendor counts whole days
    whole_days_in: str | None = None
    #: the same at the narrowest reading of the documents, where they can be read in more ways than one
    narrowest: Limits | None = None


def no_limits(params: Mapping[str, Any]) -> Limits:
    """Any window is taken."""
    return Limits()


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the rows of a report are, for the load behind it: what documents say, None where none does."""

    #: what one row is, in words
    grain: str | None = None
    #: the columns that identify a row, by the vendor's names; no other row of the table has the same
    key: Sequence[str] | None = None
    #: the column that tells the newer of two rows with the same key
    version: str | None = None
    #: why the same row may come twice, in words
    duplicates: str | None = None


def unknown_rows(params: Mapping[str, Any]) -> Rows:
    """No document says what the rows are."""
    return Rows()


def as_the_vendor(params: Mapping[str, Any]) -> None:
    """Rows are as late as the vendor's usually are."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of report of one vendor."""

    #: returns a report of this kind; ``params`` holds its arguments
    builder: Callable[..., Report]
    #: a report's params -> the windows that the vendor takes with them
    limits: Callable[[Mapping[str, Any]], Limits] = no_limits
    #: now -> the instant before which the vendor keeps no rows; None: no document names one
    kept_since: Callable[[datetime], datetime] | None = None
    #: a report's params -> how long after its window's end it is submitted at the earliest, where its rows
    #: are later than others of the vendor's; None: the vendor's own ``settle_delay``
    settle_delay: Callable[[Mapping[str, Any]], timedelta | None] = as_the_vendor
    #: a report's params -> what its rows are
    rows: Callable[[Mapping[str, Any]], Rows] = unknown_rows
