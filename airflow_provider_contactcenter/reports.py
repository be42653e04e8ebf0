"""What users write: builders of report dicts, one per kind of report.

A builder checks what is there when it is called (the DAG file fails to parse, with one sentence) and
lets Jinja templates and XComArgs pass; :func:`rebuild` checks everything again when the task runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from airflow_provider_contactcenter import fields
from airflow_provider_contactcenter.fields import Check, InvalidValue, pending
from airflow_provider_contactcenter.nouns import Job, Report


def _report(
    vendor: str, kind: str, conn_id: Any, checks: Mapping[str, Check], values: Mapping[str, Any]
) -> Report:
    """Normalise each value that is there by its check; what Airflow fills in later stays as it is."""
    params = {name: value if pending(value) else checks[name](name, value) for name, value in values.items()}
    if not pending(conn_id):
        conn_id = fields.text("conn_id", conn_id)
    return Report(vendor=vendor, kind=kind, conn_id=conn_id, params=params)


TALKDESK_LONGEST_WINDOW = timedelta(days=31)
_TALKDESK_CHECKS: dict[str, Check] = {
    "report_type": fields.segment,
    "start": fields.instant,
    "end": fields.instant,
    "file_format": fields.one_of(("csv", "json", "json_bulk", "jsonl")),
    "timezone": fields.zone,
    "name": fields.optional(fields.limited(fields.text, 256)),
}


def talkdesk_report(
    report_type: str,
    *,
    start: datetime | str,
    end: datetime | str,
    file_format: str = "csv",
    timezone: str = "UTC",
    name: str | None = None,
    conn_id: str = "talkdesk_default",
) -> Report:
    """Ask Talkdesk Explore for a data report, such as ``calls``, ``user_status`` or ``contacts``.

    :param report_type: the report's slug, one path segment; the vendor adds types, so no list is kept
        (fact sheet talkdesk.md, section 8).
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends; at most 31 days after ``start``, and not in the
        future when the task runs (docs.talkdesk.com, "execute a report").
    :param file_format: ``csv``, ``json`` and ``json_bulk`` land byte for byte; ``jsonl`` is made from
        json's ``entries``, one object per line.
    :param timezone: IANA zone in which Talkdesk writes the report; the window is sent in UTC whatever
        it is.
    :param name: the report's name at the vendor, at most 256 characters.
    :param conn_id: a connection of type ``talkdesk``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report(
        "talkdesk",
        "report",
        conn_id,
        _TALKDESK_CHECKS,
        {
            "report_type": report_type,
            "start": start,
            "end": end,
            "file_format": file_format,
            "timezone": timezone,
            "name": name,
        },
    )
    fields.check_window(report["params"], TALKDESK_LONGEST_WINDOW)
    return report


#: (vendor, kind) -> the builder whose arguments ``params`` holds.
BUILDERS: dict[tuple[str, str], Callable[..., Report]] = {
    ("talkdesk", "report"): talkdesk_report,
}


def rebuild(report: object, *, now: datetime | None = None) -> Report:
    """Check a report when the task runs, and return it in its normal form.

    :param now: the instant that a window must not end after; None leaves that unchecked.
    :raises InvalidValue: the report is not a report, holds a template that nobody rendered, holds a value
        that can't be used, or its window ends in the future.
    """
    if not isinstance(report, Mapping):
        raise InvalidValue(
            f"report={report!r} is not allowed: give the dict that a builder in "
            "airflow_provider_contactcenter.reports returns."
        )
    if path := fields.unrendered(report, "report"):
        raise InvalidValue(
            f"{path} holds a template that was never rendered; Airflow renders templates in an operator's "
            "arguments, but not in values that come out of XCom: write them already rendered."
        )
    missing = Report.__required_keys__ - report.keys()
    if missing or not isinstance(report["params"], Mapping):
        raise InvalidValue(
            f"report={dict(report)!r} is not allowed: it needs the keys vendor, kind, conn_id and params (a "
            "dict), as a builder in airflow_provider_contactcenter.reports makes them."
        )
    builder = BUILDERS.get((report["vendor"], report["kind"]))
    if builder is None:
        known = ", ".join(f"{vendor}/{kind}" for vendor, kind in BUILDERS)
        raise InvalidValue(
            f"report of vendor={report['vendor']!r} and kind={report['kind']!r} is not known: give one of "
            f"{known}."
        )
    params = dict(report["params"])
    try:
        inspect.signature(builder).bind(**params, conn_id=report["conn_id"])
    except TypeError as error:
        raise InvalidValue(f"report['params'] is not allowed: {builder.__name__} says {error}.") from None
    rebuilt = builder(**params, conn_id=report["conn_id"])
    end = rebuilt["params"]["end"]
    if now is not None and fields.moment(end) > now:
        raise InvalidValue(
            f"end={end!r} is not allowed: it lies in the future (it is {now.astimezone(UTC).isoformat()} "
            "now), and what has not happened yet would be missing; let the task run after the window's end."
        )
    return rebuilt


def check_job(job: object) -> Job:
    """Check a job when the task runs: a dict with all of a job's keys and a sound report.

    :raises InvalidValue: it isn't one, in one sentence.
    """
    if not isinstance(job, Mapping) or Job.__required_keys__ - job.keys():
        raise InvalidValue(
            f"job={job!r} is not allowed: give the dict that ContactCenterReportOperator returns, with the "
            "keys vendor, kind, conn_id, job_id, report and submitted_at."
        )
    if path := fields.unrendered(job, "job"):
        raise InvalidValue(
            f"{path} holds a template that was never rendered; give the dict that "
            "ContactCenterReportOperator returns."
        )
    return cast("Job", {**job, "report": rebuild(job["report"])})
