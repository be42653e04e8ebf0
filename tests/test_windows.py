"""Windows and names of days: templates are rendered as Airflow does it, with what its timetables give."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.operators.look_back import LookBackOperator
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
    khoros_care_report,
    talkdesk_report,
    vspark_stats,
)
from airflow_provider_contactcenter.windows import day_key, day_window, look_back, plan_windows

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


# --- long ranges --------------------------------------------------------------------------------------------


def windows(reports: list[Report]) -> list[tuple[datetime, datetime]]:
    return [
        (checks.moment(report["params"]["start"]), checks.moment(report["params"]["end"]))
        for report in reports
    ]


def tile(found: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> bool:
    """No gap, no overlap, nothing left over."""
    edges = [start, *(edge for window in found for edge in window), end]
    return edges[::2] == edges[1::2] and all(first < last for first, last in found)


RUN: dict[str, Any] = day_window()
REPORTS: dict[str, Report] = {
    "talkdesk": talkdesk_report("calls", **RUN),
    "khoros": khoros_care_report("conversation", **RUN),
    "detailed": eight_by_eight_detailed_report("detailed-reports-interaction-details", **RUN),
    **{
        granularity: eight_by_eight_summary_report(
            "queue-interactions-summary", **RUN, granularity=granularity, group_by="queue"
        )
        for granularity in ("15m", "hour", "day", "week", "month", "none")
    },
}
EVERY = st.one_of(
    st.sampled_from([None, "day", "week", "month"]),
    st.timedeltas(min_value=timedelta(hours=5), max_value=timedelta(days=90)),
)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(REPORTS)),
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2001, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
    span=st.timedeltas(timedelta(minutes=1), timedelta(days=800)),
    every=EVERY,
    at_midnight=st.booleans(),
)
def test_the_windows_of_a_plan_tile_its_range(
    name: str, zone: str, start: datetime, span: timedelta, every: Any, at_midnight: bool
) -> None:
    """In all zones and years, at every vendor's limits. Each was taken by its builder, which made it."""
    if at_midnight:
        start, span = midnight(start.date(), zone), timedelta(days=max(span.days, 1))
    end = start + span
    try:
        found = windows(plan_windows(REPORTS[name], start=start, end=end, every=every, timezone=zone))
    except InvalidValue as refused:
        # Weeks and months have a shortest window, too: a shorter step or range can't be asked for.
        assert str(refused).startswith("granularity=")
        assume(False)
    assert tile(found, start, end)
    limit = timedelta.max if every is None else every if isinstance(every, timedelta) else None
    for first, last in found:
        if limit:
            assert last - first <= limit
        elif last != end:
            assert last == midnight(last.astimezone(ZoneInfo(zone)).date(), zone)


@pytest.mark.parametrize("name", ["week", "month"])
@pytest.mark.parametrize("days", range(29, 140))
def test_no_window_of_a_plan_is_too_short_for_its_granularity(name: str, days: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    assert tile(
        windows(plan_windows(REPORTS[name], start=start, end=start + timedelta(days=days))),
        start,
        start + timedelta(days=days),
    )


def test_two_years_are_cut_at_the_vendors_own_limit() -> None:
    planned = windows(
        plan_windows(REPORTS["talkdesk"], start="2023-01-01T00:00:00Z", end="2025-01-01T00:00:00Z")
    )
    assert len(planned) == 24
    assert {last - first for first, last in planned[:-1]} == {timedelta(days=31)}


@pytest.mark.parametrize("zone", ZONES)
def test_calendar_steps_follow_the_clocks_of_the_zone(zone: str) -> None:
    start, end = midnight(date(2023, 12, 31), zone), midnight(date(2025, 1, 2), zone)
    for every, begins in (
        ("day", lambda day: True),
        ("week", lambda day: day.weekday() == 0),
        ("month", lambda day: day.day == 1),
    ):
        planned = windows(plan_windows(REPORTS["khoros"], start=start, end=end, every=every, timezone=zone))
        inner = [first for first, _ in planned[1:]]
        days = [first.astimezone(ZoneInfo(zone)).date() for first in inner]
        assert inner == [midnight(day, zone) for day in days]
        all_days = [date(2024, 1, 1) + timedelta(days=n) for n in range(367)]
        assert days == [day for day in all_days if begins(day)]


def test_a_step_that_is_longer_than_the_vendor_takes_is_cut_again() -> None:
    zone = ZoneInfo("Europe/Berlin")
    october = {"start": datetime(2024, 10, 1, tzinfo=zone), "end": datetime(2024, 11, 1, tzinfo=zone)}
    planned = windows(plan_windows(REPORTS["talkdesk"], **october, every="month", timezone="Europe/Berlin"))
    assert [last.astimezone(zone).isoformat() for _, last in planned] == [
        "2024-10-31T00:00:00+01:00",
        "2024-11-01T00:00:00+01:00",
    ]
    assert (
        len(plan_windows(REPORTS["khoros"], **october, every="month")) == 2
    )  # in UTC it begins in September


def test_days_of_a_zone_are_taken_by_a_vendor_who_counts_whole_days() -> None:
    for zone in ZONES:
        report = vspark_stats(company="A", organization="B", timezone=zone, **day_window(zone))
        start, end = midnight(date(2024, 1, 1), zone), midnight(date(2025, 1, 1), zone)
        planned = windows(plan_windows(report, start=start, end=end, every="day"))
        assert tile(planned, start, end)
        assert len(planned) == 366


def test_a_timedelta_is_elapsed_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start, end = datetime(2024, 3, 30, tzinfo=zone), datetime(2024, 4, 1, tzinfo=zone)
    planned = windows(plan_windows(REPORTS["talkdesk"], start=start, end=end, every=timedelta(days=1)))
    assert [last - first for first, last in planned] == [timedelta(hours=24), timedelta(hours=23)]


def test_a_report_without_templates_is_cut_by_its_own_window() -> None:
    report = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-08T00:00:00Z", name="n")
    planned = plan_windows(report, every="day")
    assert len(planned) == 7
    assert {each["params"]["name"] for each in planned} == {"n"}
    assert plan_windows(report) == [report]


def test_what_the_vendor_keeps_no_longer_is_refused() -> None:
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    legs = eight_by_eight_call_legs(pbx_id="allpbxes", **RUN)
    with pytest.raises(InvalidValue, match=r"^start='.* eight_by_eight_work keeps no rows from before "):
        plan_windows(legs, start=now - timedelta(days=800), end=now)
    assert tile(
        windows(plan_windows(legs, start=now - timedelta(days=700), end=now, every="month")),
        now - timedelta(days=700),
        now,
    )


@pytest.mark.parametrize(
    ("values", "begins"),
    [
        ({}, 'start="{% set local'),
        ({"start": "2024-05-01T00:00:00Z"}, 'end="{% set local'),
        ({"start": "2024-05-01", "end": "2024-05-02T00:00:00Z"}, "start='2024-05-01' is not allowed: it has"),
        ({"start": "2024-05-02T00:00:00Z", "end": "2024-05-01T00:00:00Z"}, "start="),
        ({"every": "year"}, "every='year' is not allowed: give 'day', 'week', 'month' or a timedelta"),
        ({"every": timedelta(0)}, "every=datetime.timedelta(0) is not allowed"),
        ({"timezone": "Mars"}, "timezone='Mars' is not allowed"),
    ],
)
def test_a_range_that_cannot_be_cut_is_refused_in_a_sentence(values: dict[str, Any], begins: str) -> None:
    if not {"start", "end"} & values.keys() and values:
        values = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-03T00:00:00Z", **values}
    with pytest.raises(InvalidValue) as refused:
        plan_windows(REPORTS["talkdesk"], **values)
    assert str(refused.value).startswith(begins)


# --- the days before ----------------------------------------------------------------------------------------


def looked_back(report: Report, days: int, zone: str, run_type: str = "scheduled") -> list[Report]:
    task = LookBackOperator(task_id="look_back", report=report, days=days, timezone=zone)
    return task.execute({"dag_run": SimpleNamespace(run_type=run_type)})  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", ZONES)
def test_each_of_the_days_before_is_a_whole_day(zone: str) -> None:
    for day in DAYS:
        report = talkdesk_report(
            "calls", start=midnight(day, zone), end=midnight(day + timedelta(days=1), zone)
        )
        found = windows(looked_back(report, 3, zone))
        assert found == [
            (midnight(day - timedelta(days=n), zone), midnight(day - timedelta(days=n - 1), zone))
            for n in range(4)
        ]


def test_a_window_at_another_time_of_day_keeps_it() -> None:
    zone = ZoneInfo("Europe/Berlin")
    report = talkdesk_report(
        "calls", start=datetime(2024, 4, 1, 6, tzinfo=zone), end=datetime(2024, 4, 2, 6, tzinfo=zone)
    )
    starts = [first.astimezone(zone).isoformat() for first, _ in windows(looked_back(report, 2, zone.key))]
    assert starts == [
        "2024-04-01T06:00:00+02:00",
        "2024-03-31T06:00:00+02:00",
        "2024-03-30T06:00:00+01:00",
    ]


@pytest.mark.parametrize("run_type", ["manual", "backfill", "asset_triggered"])
def test_only_a_scheduled_run_looks_back(run_type: str) -> None:
    report = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
    assert looked_back(report, 3, "UTC", run_type) == [report]


def test_a_day_that_the_vendor_has_in_part_only_is_left_out(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    oldest = today - timedelta(days=730)
    report = eight_by_eight_call_legs(
        pbx_id="allpbxes", start=oldest + timedelta(days=2), end=oldest + timedelta(days=3)
    )
    starts = [first for first, _ in windows(looked_back(report, 7, "UTC"))]
    assert starts[0] == oldest + timedelta(days=2)
    assert len(starts) < 8
    # Airflow 2.11 logs the standard way, 3.x writes its own
    assert "so that nothing overwrites what has landed of them" in caplog.text + capsys.readouterr().out


def test_the_days_before_keep_everything_but_the_window() -> None:
    report = talkdesk_report(
        "calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z", name="n", conn_id="talkdesk_north"
    )
    for each in looked_back(report, 2, "UTC"):
        assert each["conn_id"] == "talkdesk_north"
        assert {**each["params"], "start": "", "end": ""} == {**report["params"], "start": "", "end": ""}


def test_looking_back_is_a_task_that_a_transfer_maps_over() -> None:
    with DAG("nightly", schedule=None) as dag:
        given = look_back(talkdesk_report("calls", **RUN), days=3)
        ContactCenterReportOperator.partial(task_id="calls").expand(report=given)
    assert dag.get_task("calls").upstream_task_ids == {"look_back"}
    assert dag.get_task("look_back").template_fields == ("report",)


@pytest.mark.parametrize(
    ("values", "begins"),
    [({"days": -1}, "days=-1 is not allowed"), ({"days": 1, "timezone": "Mars"}, "timezone='Mars'")],
)
def test_a_look_back_that_cannot_be_is_refused(values: dict[str, Any], begins: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        look_back(talkdesk_report("calls", **RUN), **values)
    assert str(refused.value).startswith(begins)
