"""Which window a run's report covers, and under which day it lands.

:func:`day_window` and :func:`day_key` make templates for one day; :func:`plan_windows` cuts a long range
into reports; :func:`look_back` lands the days before again, because vendors correct their figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue, pending
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.protocol.kind import Limits

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import XComArg

# ``default(none)`` is for Airflow before 3.3, which doesn't know the name.
_PARTITION = "(partition_date | default(none))"
_LOCAL = f"({_PARTITION} or data_interval_start).in_timezone('%s')"
# Where the clocks skip midnight, the offset before the gap makes it the day's first instant (pendulum's
# start_of('day') is on the day before there); where they repeat it, the first of the two is meant.
_MIDNIGHT = "local.naive().add(days=%d).at(0).replace(fold=0)"
_INSTANT = "{{ day - local.tzinfo.utcoffset(day) }}+00:00"
_ONE_DAY = f"{_PARTITION} or local.naive().add(days=1).date() == data_interval_end.in_timezone('%s').date()"
_NOT_ONE_DAY = (
    "{% elif data_interval_start == data_interval_end %}{{ data_interval_start }}"
    "{% else %}{{ data_interval_start }} to {{ data_interval_end }}, which is not one day in %s,{% endif %}"
)


def day_window(timezone: str = "UTC") -> dict[str, str]:
    """Templates for the window of a run's day, in every kind of run.

    ``talkdesk_report("calls", **day_window("Europe/Berlin"))``. The day is the one in which the run's
    partition or data interval begins on the clocks of ``timezone``; it is over when the clocks there begin
    the next one, 23, 24 or 25 hours later. A run whose data interval isn't one day there (an hourly or a
    weekly timetable) fails with a sentence: give such a report ``{{ data_interval_start }}`` and
    ``{{ data_interval_end }}``.

    :param timezone: IANA zone whose days are meant, best the timetable's own.
    :return: ``{"start": template, "end": template}``; both render to ISO 8601 in UTC.
    :raises InvalidValue: an unknown zone.
    """
    zone = checks.zone("timezone", timezone)

    def bound(days: int) -> str:
        return (
            f"{{% set local = {_LOCAL % zone} %}}{{% set day = {_MIDNIGHT % days} %}}"
            f"{{% if {_ONE_DAY % zone} %}}{_INSTANT}{_NOT_ONE_DAY.replace('%s', zone)}"
        )

    return {"start": bound(0), "end": bound(1)}


def day_key(timezone: str = "UTC", *, of: Literal["run", "report"] = "run") -> str:
    """A template for a day's name, ``YYYY-MM-DD``, to use in the key of an object.

    :param timezone: IANA zone whose days are meant: the one given to :func:`day_window`.
    :param of: ``run``: the day of the run, as in :func:`day_window`. ``report``: the day in which the
        task's own report (or its job's) begins, for mapped tasks, which have a day each.
    :raises InvalidValue: an unknown zone, or another word than these two.
    """
    zone = checks.zone("timezone", timezone)
    if checks.one_of(("run", "report"))("of", of) == "report":
        return f"{{{{ task.report_day('{zone}') }}}}"
    return f"{{{{ {_LOCAL % zone}.strftime('%Y-%m-%d') }}}}"


def look_back(report: Report, *, days: int, timezone: str = "UTC", task_id: str = "look_back") -> XComArg:
    """A task that gives the run's report and those of the days before, because vendors correct their figures.

    Mapped over it, a transfer lands each day again under its own key::

        ContactCenterToS3Operator.partial(
            task_id="calls",
            s3_key=f"s3://lake/calls/{day_key(ZONE, of='report')}.csv",
        ).expand(report=look_back(talkdesk_report("calls", **day_window(ZONE)), days=3, timezone=ZONE))

    Only a scheduled run looks back: one of a backfill or by hand gives its own report alone. A day that the
    vendor no longer has in full is left out, so that nothing overwrites the whole one; the task's log says
    so.

    :param report: the run's report (templated).
    :param days: how many days before are given too, 0 to 366.
    :param timezone: IANA zone in which the days are counted: the one given to :func:`day_window`.
    :param task_id: the task's name.
    :return: an XComArg of a list of reports, the newest first.
    :raises InvalidValue: a value that can't be used.
    """
    from airflow_provider_contactcenter.operators.look_back import LookBackOperator  # imports much of Airflow

    output: XComArg = LookBackOperator(task_id=task_id, report=report, days=days, timezone=timezone).output
    return output


#: calendar step -> the day on which the next one begins
_NEXT = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=7 - day.weekday()),
    "month": lambda day: (day.replace(day=1) + timedelta(days=32)).replace(day=1),
}
_SHORTEST_STEP = timedelta(minutes=1)


def plan_windows(
    report: Report,
    *,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    every: str | timedelta | None = None,
    timezone: str | None = None,
) -> list[Report]:
    """Cut a long range into reports whose windows tile it: no gap, no overlap, each taken by the vendor.

    For ``.expand(report=plan_windows(...))``. A window that is longer than the vendor takes in one report is
    cut into the fewest that begin and end at midnight in ``timezone``.

    ``plan_windows(talkdesk_report("calls", **day_window()), start="2023-01-01T00:00:00Z",
    end="2025-01-01T00:00:00Z", every="month")``

    :param report: the report whose window is replaced; its ``start`` and ``end`` may be templates if both
        are given here.
    :param start: first instant of the range: aware datetime or ISO 8601 string with an offset; the report's
        own if None.
    :param end: the instant before which the range ends, likewise.
    :param every: ``day``, ``week`` (from Monday) or ``month`` of ``timezone``, of which the first and the
        last may be cut short by the range; or a timedelta, elapsed time from ``start``. None: windows as
        long as the vendor takes them, however its documents are read.
    :param timezone: IANA zone; the report's own if None, or UTC if it has none.
    :return: reports in order, oldest first.
    :raises InvalidValue: a value that can't be used, or a range that begins before what the vendor keeps.
    """
    if not isinstance(report, dict) or pending([report.get("vendor"), report.get("kind")]):
        raise InvalidValue(
            f"report={report!r} is not allowed: give the dict that a builder in "
            "airflow_provider_contactcenter.reports returns."
        )
    given = {
        name: report["params"].get(name) if value is None else value
        for name, value in (("start", start), ("end", end))
    }
    for name, value in given.items():
        if pending(value):
            raise InvalidValue(
                f"{name}={value!r} is not allowed: a range is cut before templates are rendered; give "
                f"plan_windows the {name} as an aware datetime or an ISO 8601 string with an offset."
            )
    window = {name: checks.instant(name, value) for name, value in given.items()}
    checks.check_window(window)
    zone = checks.zone("timezone", timezone or report["params"].get("timezone") or "UTC")
    kind = registry.kind_of(report)
    begin, over = (checks.moment(window[name]) for name in ("start", "end"))
    if kind.kept_since is not None and begin < (kept := kind.kept_since(datetime.now(UTC))):
        raise InvalidValue(
            f"start={window['start']!r} is not allowed: {report['vendor']} keeps no rows from before "
            f"{kept.isoformat(timespec='seconds')}, and would leave them out without a word; give a later "
            "start."
        )
    limits = kind.limits(report["params"])
    if every is None:  # nobody wants them longer than is taken for sure
        limits = limits.narrowest or limits

    def between(first: datetime, last: datetime) -> Report:
        params: dict[str, Any] = {**report["params"], "start": first, "end": last}
        return {**report, **kind.builder(**params, conn_id=report["conn_id"])}

    return [
        between(*bounds)
        for step in _steps(begin, over, every, zone)
        for bounds in _within(*step, limits, zone)
    ]


Bounds = tuple[datetime, datetime]


def _local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _steps(start: datetime, end: datetime, every: str | timedelta | None, zone: str) -> Iterator[Bounds]:
    """The range in the steps that the user wants."""
    if every is None:
        yield start, end
    elif isinstance(every, timedelta) and every >= _SHORTEST_STEP:
        while start < end:
            yield start, min(end, start + every)
            start += every
    elif isinstance(every, str) and every in _NEXT:
        while start < end:
            following = checks.first_instant(_NEXT[every](_local_date(start, zone)), zone)
            yield start, min(end, following)
            start = following
    else:
        raise InvalidValue(
            f"every={every!r} is not allowed: give 'day', 'week', 'month' or a timedelta of at least "
            f"{_SHORTEST_STEP}."
        )


def _within(start: datetime, end: datetime, limits: Limits, zone: str) -> Iterator[Bounds]:
    """One step, cut again where it is longer than the vendor takes."""
    longest = limits.longest
    while longest is not None and end - start > longest:
        latest = start + longest
        if end - latest <= limits.longer_than:  # what is left would be too short
            latest = end - limits.longer_than - timedelta(microseconds=1)
        midnight = checks.first_instant(_local_date(latest, zone), zone)
        cut = midnight if midnight > start + limits.longer_than else latest
        yield start, cut
        start = cut
    yield start, end
