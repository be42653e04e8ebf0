"""The vendors that this package has, and those that other distributions bring."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypedDict

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

#: a report's ``vendor`` -> the module with its ``VENDOR``
OURS = {
    "talkdesk": "airflow_provider_contactcenter.vendors.talkdesk",
    "khoros_care": "airflow_provider_contactcenter.vendors.khoros_care",
    "vspark": "airflow_provider_contactcenter.vendors.vspark",
    "eight_by_eight_cc": "airflow_provider_contactcenter.vendors.eight_by_eight_cc",
    "eight_by_eight_work": "airflow_provider_contactcenter.vendors.eight_by_eight_work",
}

#: the entry point group of other distributions: name = "module:VENDOR"
GROUP = "airflow_provider_contactcenter.vendors"


@functools.cache
def _theirs() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # slow, and few have such a vendor

    return {found.name: found for found in entry_points(group=GROUP) if found.name not in OURS}


def names() -> list[str]:
    """What a report's ``vendor`` may be; loads no vendor."""
    return [*OURS, *_theirs()]


@functools.cache
def vendor(name: str) -> Vendor:
    """The description of a vendor.

    :raises InvalidValue: no vendor has this name, or what its distribution names is no description of it.
    """
    if name in OURS:
        found: Vendor = importlib.import_module(OURS[name]).VENDOR
        return found
    if name in _theirs():
        return _load(_theirs()[name])
    raise InvalidValue(f"vendor={name!r} is not known: there are {', '.join(names())}.")


def _load(theirs: EntryPoint) -> Vendor:
    from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

    try:
        found = theirs.load()
    except Exception as error:
        raise InvalidValue(
            f"vendor={theirs.name!r} can't be loaded: {theirs.value} ({type(error).__name__}: {error})."
        ) from error
    if not isinstance(found, Vendor) or found.name != theirs.name:
        raise InvalidValue(
            f"vendor={theirs.name!r} can't be used: {theirs.value} has to be a Vendor whose name is that."
        )
    return found


def kinds(name: str) -> Mapping[str, Kind]:
    """The kinds of report that a vendor has.

    Of ours, this loads the builders alone, which is little while a DAG file is parsed.

    :raises InvalidValue: see :func:`vendor`.
    """
    if name in OURS:
        found: Mapping[str, Kind] = importlib.import_module(f"{OURS[name]}.reports").KINDS
        return found
    return vendor(name).kinds


def kind_of(noun: Report | Job) -> Kind:
    """The kind of a report or job that has been checked."""
    return kinds(noun["vendor"])[noun["kind"]]


class Description(TypedDict):
    """What the rows of a report are, as far as documents say it; None where none does."""

    grain: str | None
    key: list[str] | None
    version: str | None
    duplicates: str | None


def describe(report: Report) -> Description:
    """What the rows of a report are, for the load behind it.

    ``describe(eight_by_eight_call_legs(...))["key"]`` is ``["pbxId", "callId", "legId"]``.

    :param report: a report, as its builder makes it; its window may be templates.
    :return: ``grain``: what one row is, in words; ``key``: the columns that identify a row, by the vendor's
        names; ``version``: the column that tells the newer of two rows with the same key; ``duplicates``:
        why the same row may come twice, in words. Each is None where no document says it.
    """
    rows = kind_of(report).rows(report["params"])
    return Description(
        grain=rows.grain,
        key=None if rows.key is None else list(rows.key),
        version=rows.version,
        duplicates=rows.duplicates,
    )


def builders() -> dict[tuple[str, str], Callable[..., Report]]:
    """(vendor, kind) -> the builder whose arguments a report's ``params`` holds, of all vendors."""
    return {(name, kind): found.builder for name in names() for kind, found in kinds(name).items()}
