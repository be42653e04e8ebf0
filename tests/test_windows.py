"""Windows and names of days: templates are rendered as Airflow does it, with what its timetables give."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.windows import day_key, day_window

#: on both sides of UTC; the last three skip midnight when their clocks go forward, Havana repeats it
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Santiago",
    "Africa/Cairo",
    "America/Havana",
)
#: ordinary days, and all those in 2024 on which some of the zones' clocks change, with their neighbours
DAYS = sorted(
    {
        date.fromisoformat(day) + timedelta(days=near)
        for day in (
            *("2024-05-01", "2024-02-29", "2024-03-10", "2024-03-31", "2024-04-07", "2024-04-26"),
            *("2024-09-08", "2024-09-29", "2024-10-27", "2024-10-31", "2024-11-03", "2025-01-01"),
        )
        for near in (-1, 0, 1)
    }
)


@cache
def midnight(day: date, zone: str) -> datetime:
    """The first instant of a day, found without any formula: the first second whose local date it is."""
    at = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    step = timedelta(minutes=15)
    while at.astimezone(ZoneInfo(zone)).date() < day:
        at += step
    return at


@cache
def compiled(template: str) -> jinja2.Template:
    """As a DAG does, with its filters and without undefined names."""
    return DAG("any", schedule=None).get_template_env().from_string(template)


def render(template: str, **context: Any) -> str:
    return str(compiled(template).render(context))


def window(zone: str, **context: Any) -> tuple[datetime, datetime]:
    report = talkdesk_report("calls", **{k: render(v, **context) for k, v in day_window(zone).items()})
    return checks.moment(report["params"]["start"]), checks.moment(report["params"]["end"])


@cache
def scheduled(day: date, zone: str, cron: str = "@daily") -> DataInterval:
    """The interval that begins on a day, as the scheduler and a backfill make it."""
    start = pendulum.instance(midnight(day - timedelta(days=3), zone))
    timetable = CronDataIntervalTimetable(cron, timezone=zone)
    last = None
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(start, None, True)
        )
        assert info is not None
        last = info.data_interval
        if last.start.in_timezone(zone).date() >= day:
            return last


def by_hand(at: datetime, zone: str) -> DataInterval:
    """The interval of a run that is triggered by hand."""
    timetable = CronDataIntervalTimetable("@daily", timezone=zone)
    return timetable.infer_manual_data_interval(run_after=pendulum.instance(at))


def interval(found: DataInterval) -> dict[str, Any]:
    return {"data_interval_start": found.start, "data_interval_end": found.end}


@pytest.mark.parametrize("zone", ZONES)
def test_a_run_of_a_daily_timetable_lands_its_day_under_its_name(zone: str) -> None:
    for day in DAYS:
        context = interval(scheduled(day, zone))
        expected = (midnight(day, zone), midnight(day + timedelta(days=1), zone))
        assert window(zone, **context) == expected, day
        assert render(day_key(zone), **context) == day.isoformat()


@pytest.mark.parametrize("zone", ZONES)
def test_a_run_that_is_triggered_by_hand_lands_the_last_whole_day(zone: str) -> None:
    for day in DAYS:
        at = midnight(day + timedelta(days=1), zone) + timedelta(hours=13)
        context = interval(by_hand(at, zone))
        if context["data_interval_start"] == context["data_interval_end"]:
            # So Airflow dates it where the clocks have skipped this day's midnight. The task fails.
            assert midnight(day + timedelta(days=1), zone).astimezone(ZoneInfo(zone)).hour == 1
            continue
        assert window(zone, **context) == (midnight(day, zone), midnight(day + timedelta(days=1), zone))
        assert render(day_key(zone), **context) == day.isoformat()


@pytest.mark.parametrize("zone", ZONES)
def test_a_timetable_that_ticks_in_the_morning_lands_whole_days_too(zone: str) -> None:
    for day in DAYS:
        context = interval(scheduled(day, zone, "0 6 * * *"))
        assert window(zone, **context) == (midnight(day, zone), midnight(day + timedelta(days=1), zone))
        assert render(day_key(zone), **context) == day.isoformat()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 6])
def test_a_partition_lands_its_day_whenever_its_timetable_ticks(zone: str, hour: int) -> None:
    for day in DAYS:
        tick = midnight(day, zone) + timedelta(hours=hour)
        context = {"partition_date": pendulum.instance(tick), "partition_key": f"north|{day}"}
        assert window(zone, **context) == (midnight(day, zone), midnight(day + timedelta(days=1), zone))
        assert render(day_key(zone), **context) == day.isoformat()


def test_names_that_are_none_or_missing_are_passed_over() -> None:
    context = interval(scheduled(date(2024, 5, 1), "UTC"))
    for more in ({}, {"partition_key": None, "partition_date": None}):
        assert window("UTC", **context, **more)[0] == datetime(2024, 5, 1, tzinfo=UTC)
        assert render(day_key(), **context, **more) == "2024-05-01"


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_a_utc_timetable_tile_in_any_zone(zone: str) -> None:
    """A timetable in another zone than the days' gives days of that zone, each once."""
    end = None
    for number in range(366):
        start = pendulum.datetime(2024, 1, 1).add(days=number)
        bounds = window(zone, data_interval_start=start, data_interval_end=start.add(days=1))
        assert end is None or bounds[0] == end
        end = bounds[1]


def test_a_day_that_a_run_would_leave_out_or_land_twice_is_refused() -> None:
    # In the Azores midnight UTC is on the day before in winter only: no run of this timetable would have
    # the 31st of March, and two would have the 27th of October.
    for day in ("2024-03-31", "2024-10-27"):
        start = pendulum.parse(day)
        with pytest.raises(InvalidValue, match="which is not one day in Atlantic/Azores"):
            window("Atlantic/Azores", data_interval_start=start, data_interval_end=start.add(days=1))


@pytest.mark.parametrize("hours", [1, 6, 48, 7 * 24])
def test_an_interval_that_is_not_one_day_is_refused_in_a_sentence(hours: int) -> None:
    start = pendulum.datetime(2024, 5, 1)
    with pytest.raises(InvalidValue) as refused:
        window("UTC", data_interval_start=start, data_interval_end=start.add(hours=hours))
    assert str(refused.value).startswith("start='2024-05-01 00:00:00+00:00 to 2024-05-0")
    assert "is not one day in UTC" in str(refused.value)


def test_an_empty_interval_ends_in_the_sentence_about_empty_windows() -> None:
    tick = pendulum.datetime(2024, 5, 1, 9, 30)
    with pytest.raises(InvalidValue, match="an empty window usually means a plain cron schedule"):
        window("Europe/Berlin", data_interval_start=tick, data_interval_end=tick)


@pytest.mark.parametrize("template", [*day_window("Europe/Berlin").values(), day_key("Europe/Berlin")])
def test_a_run_without_interval_and_partition_leaves_a_name_undefined(template: str) -> None:
    for context in ({}, {"partition_key": None, "partition_date": None}, {"partition_key": "north"}):
        with pytest.raises(jinja2.UndefinedError, match="'data_interval_start' is undefined"):
            render(template, **context)


def test_native_rendering_gives_the_same_strings() -> None:
    env = DAG("native", schedule=None, render_template_as_native_obj=True).get_template_env()
    context = interval(scheduled(date(2024, 5, 1), "Europe/Berlin"))
    texts = {
        name: env.from_string(text).render(context) for name, text in day_window("Europe/Berlin").items()
    }
    assert texts == {"start": "2024-04-30 22:00:00+00:00", "end": "2024-05-01 22:00:00+00:00"}
    assert env.from_string(day_key("Europe/Berlin")).render(context) == "2024-05-01"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", None, "'); x"])
def test_an_unknown_zone_is_refused_in_a_sentence(zone: Any) -> None:
    for make in (day_window, day_key):
        with pytest.raises(InvalidValue, match=r"^timezone="):
            make(zone)


def test_a_key_is_of_the_run_or_of_the_report() -> None:
    with pytest.raises(InvalidValue, match=r"^of='task' is not allowed: give one of 'run', 'report'"):
        day_key(of="task")  # type: ignore[arg-type]
    assert inspect.signature(day_key).parameters["of"].default == "run"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("by", ["report", "job"])
def test_the_reports_own_day_is_the_one_in_which_it_begins(zone: str, by: str) -> None:
    for day in DAYS:
        report = talkdesk_report(
            "calls", start=midnight(day, zone), end=midnight(day + timedelta(days=1), zone)
        )
        noun: Any = report if by == "report" else {"report": report}
        task = ContactCenterReportOperator(task_id="calls", report=report)
        task.report, task.job = (noun, None) if by == "report" else (None, noun)
        assert render(day_key(zone, of="report"), task=task) == day.isoformat()
