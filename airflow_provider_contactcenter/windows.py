"""Which window a run's report covers, and under which day it lands.

:func:`day_window` and :func:`day_key` make templates for one day; :func:`plan_windows` cuts a long range
into reports; :func:`look_back` lands the days before again, because vendors correct their figures.
"""

from __future__ import annotations

from typing import Literal

from airflow_provider_contactcenter import checks

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
