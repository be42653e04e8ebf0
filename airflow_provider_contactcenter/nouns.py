"""The four nouns that every part of the package shares: report, job, status, delivery.

Each is a plain JSON-able ``dict`` without a secret, a token or a signed link, so it can be templated,
mapped with ``.expand(...)``, read from YAML and stored in XCom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict

State = Literal["queued", "running", "ready", "failed", "cancelled", "expired"]


class _Asked(TypedDict):
    vendor: str
    kind: str
    conn_id: str
    params: dict[str, Any]


class Report(_Asked, total=False):
    """What to ask, of whom, for which window; ``params`` holds the builder's argument names.

    ``shape``, where it is there, says in which shape the report lands unless the operator does; it changes
    nothing of what the vendor is asked.
    """

    shape: dict[str, Any]


class _Submitted(TypedDict):
    """The keys that every job has."""

    vendor: str
    kind: str
    conn_id: str
    job_id: str | None
    report: Report
    submitted_at: str


class Job(_Submitted, total=False):
    """A report that has been submitted; ``submitted_at`` is ISO 8601 in UTC.

    ``job_id`` is None where the vendor knows no jobs: such a job is ready at once. ``provisional`` is there
    where the vendor has a watermark: whether it lay before the window's end when the report was submitted,
    None if the vendor didn't tell.
    """

    provisional: bool | None


class Status(TypedDict):
    """The vendor's answer: ``state`` normalised, ``vendor_status`` verbatim, ``reason`` if it gave one."""

    state: State
    vendor_status: str | None
    reason: str | None


class Window(TypedDict):
    """A half-open window ``[start, end)``, ISO 8601 in UTC."""

    start: str
    end: str


class Source(TypedDict):
    """The vendor's own bytes, of which what landed was made; the rows of pages count as JSON lines."""

    bytes: int
    rows: int | None
    sha256: str
    file_format: str


class Delivery(TypedDict):
    """What landed.

    ``bytes``, ``rows`` and ``sha256`` are the stored object's. ``rows`` and ``vendor_total`` are None where
    nobody can know them, ``window`` where the report has none. ``complete`` is True (proved), or None (the
    vendor gives nothing to prove it by); a delivery proved incomplete fails the task instead.
    """

    uri: str
    bytes: int
    rows: int | None
    sha256: str
    content_type: str
    compression: str | None
    job: Job
    window: Window | None
    vendor_total: int | None
    complete: bool | None
    #: of the object, before its compression
    file_format: str
    #: names in order, None where nobody looked
    columns: list[str] | None
    #: of the columns' names and types, None where nobody looked
    schema_fingerprint: str | None
    #: the vendor's own bytes, before any shape or compression
    source: Source
    #: what the store says of the object: ``etag``, ``version_id``, ``generation``, ``checksum``
    store: dict[str, Any]
    #: whether the vendor says that rows of this window may still come or change; None if it says nothing
    provisional: bool | None
    #: what stands in the way of trusting it, in sentences
    caveats: list[str]
    #: the manifest's URI
    manifest: str | None


def new_job(report: Report, job_id: str | None) -> Job:
    """Make the job of a report that has just been submitted."""
    return Job(
        vendor=report["vendor"],
        kind=report["kind"],
        conn_id=report["conn_id"],
        job_id=job_id,
        report=report,
        submitted_at=datetime.now(UTC).isoformat(),
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open window ``[start, end)`` of aware instants, in UTC."""

    start: datetime
    end: datetime


def in_milliseconds(span: Span) -> Span:
    """The same window for a vendor that counts milliseconds: both bounds are rounded up.

    An instant in whole milliseconds is in the one exactly if it is in the other. Cut off, an end such as
    23:59:59.999999 would leave out the day's last millisecond.
    """
    bounds = (bound + timedelta(microseconds=-bound.microsecond % 1000) for bound in (span.start, span.end))
    return Span(*bounds)


def span_of(report: Report) -> Span:
    """The window of a report that has been checked, read once."""
    params = report["params"]
    return Span(datetime.fromisoformat(params["start"]), datetime.fromisoformat(params["end"]))


def window_of(report: Report) -> Window | None:
    """The window a report covers, as deliveries show it; None for a kind of report that has none."""
    params = report["params"]
    if "start" not in params or "end" not in params:
        return None
    return Window(start=params["start"], end=params["end"])


#: what a vendor calls a report by beside its kind, from the wide to the narrow
NAMES = ("report_type", "export_id", "summary", "pbx_id", "organization", "folder")


def called(report: Report) -> str:
    """What a report is called: its kind, and the vendor's names for it where it has some."""
    named = (report["params"].get(name) for name in NAMES)
    return "/".join(
        [report["kind"], *(each if isinstance(each, str) else ",".join(each) for each in named if each)]
    )


def spoken(window: Window) -> str:
    """A window as a name or a log line has it, in UTC: midnight goes without saying, and so do seconds of 0.

    :raises ValueError: it isn't one.
    """
    instants = (datetime.fromisoformat(window[edge]).astimezone(UTC).isoformat() for edge in ("start", "end"))
    return " to ".join(
        instant.removesuffix("T00:00:00+00:00").replace(":00+00:00", "Z") for instant in instants
    )
