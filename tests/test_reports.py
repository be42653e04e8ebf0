"""What users write: builders, what they normalise, what they refuse, and the second look when a task runs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue, pending, spelled, unrendered
from airflow_provider_contactcenter.life.memory import fingerprint
from airflow_provider_contactcenter.nouns import new_job, window_of
from airflow_provider_contactcenter.reports import eight_by_eight_summary_report, talkdesk_report
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.intake import check_early, check_job, check_report

DAY = {"start": "2024-05-01T00:00:00+00:00", "end": "2024-05-02T00:00:00+00:00"}
NOW = dt.datetime(2024, 5, 3, tzinfo=dt.UTC)


def report(**changes: Any) -> Any:
    return talkdesk_report(**{"report_type": "calls", **DAY, **changes})


# -- bad input, when the DAG is parsed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("file_format", "parquet", "'csv', 'json', 'json_bulk', 'jsonl'"),
        ("file_format", None, "'csv', 'json', 'json_bulk', 'jsonl'"),
        ("file_format", ["csv"], "'csv', 'json', 'json_bulk', 'jsonl'"),
        ("report_type", "calls/../users", "one path segment"),
        ("report_type", "..", "one path segment"),
        ("report_type", "calls?x=1", "one path segment"),
        ("report_type", "calls\n", "one path segment"),
        ("report_type", "\ud800", "one path segment"),
        ("report_type", "  ", "a non-empty string"),
        ("report_type", None, "a non-empty string"),
        ("report_type", True, "a non-empty string"),
        ("start", "yesterday", "an aware datetime or an ISO 8601 string with an offset"),
        ("start", "2024-05-01T00:00:00", "it has no time zone"),
        ("start", dt.datetime(2024, 5, 1), "it has no time zone"),
        ("start", dt.date(2024, 5, 1), "an aware datetime"),
        ("start", 1714521600, "an aware datetime"),
        ("start", None, "an aware datetime"),
        ("start", "0001-01-01T00:00:00+05:00", "the years 1 to 9999"),
        ("end", "9999-12-31T23:59:59-05:00", "the years 1 to 9999"),
        ("timezone", "Mars/Olympus", "IANA time zone"),
        ("timezone", "../../etc/passwd", "IANA time zone"),
        ("timezone", "America", "IANA time zone"),
        ("timezone", "", "a non-empty string"),
        ("name", "x" * 257, "at most 256"),
        ("conn_id", "", "a non-empty string"),
        ("conn_id", None, "a non-empty string"),
    ],
)
def test_a_value_that_cannot_be_used_gets_one_sentence_with_its_name_its_value_and_what_is_allowed(
    parameter: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        report(**{parameter: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"{parameter}={value!r} is not allowed: ")
    assert allowed in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_an_empty_window_names_the_cron_timetable_as_its_usual_cause() -> None:
    with pytest.raises(InvalidValue, match=r"CronDataIntervalTimetable.*create_cron_data_intervals"):
        report(end=DAY["start"])
    with pytest.raises(InvalidValue, match=r"CronDataIntervalTimetable"):
        report(start="2024-05-01T02:00:00+02:00", end="2024-05-01T00:00:00Z")


def test_a_window_that_runs_backwards_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"start='2024-05-02T00:00:00.00:00'.*start < end"):
        report(start=DAY["end"], end=DAY["start"])


def test_thirty_one_days_are_one_report_and_a_microsecond_more_is_not() -> None:
    assert report(start="2024-05-01T00:00Z", end="2024-06-01T00:00Z")
    with pytest.raises(InvalidValue, match=r"31 days and 1 microsecond, .* at most 31 days in one report"):
        report(start="2024-05-01T00:00Z", end="2024-06-01T00:00:00.000001Z")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (dt.timedelta(days=31), "31 days"),
        (dt.timedelta(days=1, hours=1), "1 day and 1 hour"),
        (dt.timedelta(days=1000, hours=2, seconds=1), "1,000 days, 2 hours and 1 second"),
        (dt.timedelta(minutes=15), "15 minutes"),
        (dt.timedelta(0), "no time"),
        (-dt.timedelta(hours=2), "2 hours"),
    ],
)
def test_a_length_of_time_is_spelled_in_words(span: dt.timedelta, words: str) -> None:
    assert spelled(span) == words


def test_all_that_is_wrong_with_a_report_is_said_at_once() -> None:
    with pytest.raises(InvalidValue) as refused:
        report(report_type="a/b", file_format="pdf", timezone="Mars/Olympus", end="{{ data_interval_end }}")
    assert [complaint.partition("=")[0] for complaint in refused.value.complaints] == [
        "report_type",
        "file_format",
        "timezone",
    ]
    assert str(refused.value) == " ".join(refused.value.complaints)


def test_a_path_is_no_template() -> None:
    assert not pending(Path("/lake/calls.csv"))
    with pytest.raises(InvalidValue, match=r"^report_type=.*Path.* is not allowed"):
        report(report_type=Path("calls"))


@pytest.mark.parametrize(
    "given_report",
    [
        {},
        {"vendor": "talkdesk"},
        {**report(), "vendor": "talkdesc"},
        {**report(), "kind": "calls"},
        {**report(), "params": {"report_type": "calls", **DAY, "format": "csv"}},
        {**report(), "params": {"report_type": "calls", **DAY, "file_format": "pdf"}},
        {**report(), "params": [], "conn_id": "{{ conn }}"},
        "calls",
        None,
    ],
)
def test_what_will_never_be_a_report_is_refused_when_the_dag_is_parsed(given_report: object) -> None:
    with pytest.raises(InvalidValue):
        check_early(given_report)


def test_what_airflow_fills_in_later_passes_when_the_dag_is_parsed() -> None:
    with DAG("d", schedule=None, start_date=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)):
        output = BaseOperator(task_id="upstream").output
    waiting: list[Any] = [
        report(),
        report(start="{{ data_interval_start }}", end=output),
        output,
        "{{ ti.xcom_pull('reports') }}",
        {**report(), "vendor": "{{ params.vendor }}"},
        {**report(), "params": output},
    ]
    for each in waiting:
        check_early(each)


def test_the_builders_arguments_are_keywords() -> None:
    with pytest.raises(TypeError):
        talkdesk_report("calls", DAY["start"], DAY["end"])  # type: ignore[misc]


def summary(extra_body: Any) -> Any:
    return eight_by_eight_summary_report(
        "queues", **DAY, granularity="day", group_by="queue", extra_body=extra_body
    )


@pytest.mark.parametrize("value", [dt.datetime(2024, 5, 1, tzinfo=dt.UTC), {1}, float("nan"), b"x", object()])
def test_extra_body_holds_what_json_can_hold_so_that_a_report_stays_plain(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^extra_body\['x'\]=.* is not allowed: give what JSON can hold"):
        summary({"x": value})
    with pytest.raises(InvalidValue, match=r"^extra_body\['x'\]="):
        summary({"x": [{"y": value}]})


def test_extra_body_is_the_same_after_a_way_through_xcom() -> None:
    built = summary({"x": {"y": (1, None, "z")}})
    assert built == json.loads(json.dumps(built)) == check_report(built)


def test_a_time_of_day_that_yaml_made_a_number_of_is_told_to_be_quoted() -> None:
    with pytest.raises(InvalidValue, match=r"^intraday\['start'\]=72000 is not allowed: .* in quotes"):
        eight_by_eight_summary_report(
            "queues",
            **DAY,
            granularity="day",
            group_by="queue",
            intraday={"start": 72000, "end": "06:00:00"},  # type: ignore[dict-item]
        )


# -- normalisation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-01T00:00:00+00:00",
        "2024-05-01 00:00:00+00:00",  # what {{ data_interval_start }} renders to
        "2024-05-01T00:00:00Z",
        "2024-05-01T02:00:00.000+02:00",
        " 2024-05-01T00:00Z ",
        dt.datetime(2024, 5, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 4, 30, 20, tzinfo=dt.timezone(dt.timedelta(hours=-4))),
    ],
)
def test_an_instant_has_one_normal_form(written: Any) -> None:
    assert report(start=written)["params"]["start"] == "2024-05-01T00:00:00+00:00"


def test_native_rendering_does_not_change_a_report() -> None:
    # It makes a number of "103" and a datetime of a time.
    native = report(report_type=103, name=5, start=dt.datetime(2024, 5, 1, tzinfo=dt.UTC))
    assert native == report(report_type="103", name="5")
    assert fingerprint(native) == fingerprint(report(report_type="103", name="5"))


def test_params_hold_the_builders_argument_names() -> None:
    assert report() == {
        "vendor": "talkdesk",
        "kind": "report",
        "conn_id": "talkdesk_default",
        "params": {"report_type": "calls", **DAY, "file_format": "csv", "timezone": "UTC", "name": None},
    }
    assert window_of(report()) == DAY


def test_the_fingerprint_tells_reports_apart_and_survives_a_release() -> None:
    # A changed value would make every running task order its report again after an upgrade.
    assert fingerprint(report()) == "ee700e93509aee96d55e65cf4249319d53344bb68878cc398c15ec394d142547"
    assert fingerprint(dict(reversed(report().items()))) == fingerprint(report())  # type: ignore[arg-type]
    others = [report(conn_id="other"), report(file_format="json"), report(end="2024-05-01T12:00Z")]
    assert len({fingerprint(each) for each in [report(), *others]}) == 4


# -- what Airflow fills in later ---------------------------------------------------------------------------


def test_templates_pass_at_parse_time_untouched() -> None:
    written = "{{ data_interval_start }}"
    built = report(
        report_type="{{ params.kind }}",
        start=written,
        file_format="{{ var.value.form }}",
        name="{% if x %}a{% endif %}",
        timezone="{{ tz }}",
        conn_id="{{ conn }}",
    )
    assert built["params"]["start"] == written
    assert built["conn_id"] == "{{ conn }}"


def test_what_is_there_is_checked_although_the_rest_is_a_template() -> None:
    with pytest.raises(InvalidValue, match=r"file_format='pdf'"):
        report(start="{{ data_interval_start }}", file_format="pdf")


def test_xcom_args_pass_at_parse_time() -> None:
    with DAG("d", schedule=None, start_date=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)):
        output = BaseOperator(task_id="upstream").output
    assert pending(output)
    assert report(start=output)["params"]["start"] is output


# -- when the task runs ------------------------------------------------------------------------------------


def test_a_rendered_report_is_checked_and_normalised_again() -> None:
    rendered = report(start="{{ start }}")
    rendered["params"]["start"] = "2024-05-01 02:00:00+02:00"
    assert check_report(rendered, now=NOW) == report()


def test_rebuilding_is_idempotent() -> None:
    assert check_report(check_report(report())) == report()


def test_a_window_that_ends_in_the_future_is_refused_when_the_task_runs_and_not_before() -> None:
    future = report(end="2024-05-03T00:00:01Z")
    assert check_report(future) == future
    with pytest.raises(InvalidValue, match=r"end='2024-05-03T00:00:01.00:00'.*lies in the future"):
        check_report(future, now=NOW)
    assert check_report(report(end="2024-05-03T00:00:00Z"), now=NOW)


@pytest.mark.parametrize("given_report", [None, "{'vendor': 'talkdesk'}", 5, [], ["calls"]])
def test_a_report_that_is_no_dict_is_refused_in_one_sentence(given_report: object) -> None:
    with pytest.raises(InvalidValue, match=r"^report=.* is not allowed: give the dict that a builder in"):
        check_report(given_report)


@pytest.mark.parametrize("key", ["vendor", "kind", "conn_id", "params"])
def test_a_report_without_one_of_its_keys_is_refused(key: str) -> None:
    broken = {name: value for name, value in report().items() if name != key}
    with pytest.raises(InvalidValue, match=r"it needs the keys vendor, kind, conn_id and params"):
        check_report(broken)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"vendor": "genesys"},
            "vendor='genesys' is not known: there are talkdesk, ",
        ),
        ({"vendor": ["talkdesk"]}, "is not known"),
        ({"kind": {}}, "is not known"),
        ({"params": "calls"}, "params .a dict."),
        ({"params": {**DAY}}, "missing a required argument: 'report_type'"),
        (
            {"params": {**DAY, "report_type": "calls", "colour": "red"}},
            "unexpected keyword argument 'colour'",
        ),
        ({"params": {**DAY, "report_type": "calls", 5: 6}}, "params"),
        ({"params": {**DAY, "report_type": "calls", "conn_id": "x"}}, "params"),
    ],
)
def test_a_report_that_no_builder_made_is_refused_in_one_sentence(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidValue, match=words):
        check_report({**report(), **changes})


def test_a_template_that_nobody_rendered_is_found_with_its_path() -> None:
    # A report that came out of XCom is not rendered by Airflow.
    with pytest.raises(
        InvalidValue,
        match=r"^report\['params'\]\['start'\]='{{ data_interval_start }}' is not .* never rendered.*XCom",
    ):
        check_report(report(start="{{ data_interval_start }}"))
    assert unrendered({"a": [1, {"b": "{% raw %}"}]}, "x") == ("x['a'][1]['b']", "{% raw %}")
    assert unrendered({"a": [1, {"b": "}}"}]}, "x") is None


def test_an_argument_that_nobody_resolved_is_found_with_its_path() -> None:
    with DAG("d", schedule=None, start_date=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)):
        output = BaseOperator(task_id="upstream").output
    with pytest.raises(InvalidValue, match=r"^report\['params'\]\['end'\]"):
        check_report(report(end=output))


def test_every_registered_builder_is_found_by_what_it_makes() -> None:
    builders = registry.builders()
    assert builders["talkdesk", "report"] is talkdesk_report
    for (vendor, kind), builder in builders.items():
        assert registry.kinds(vendor)[kind].builder is builder


# -- jobs --------------------------------------------------------------------------------------------------


def job(**changes: Any) -> Any:
    return {**new_job(report(), "job-1"), "submitted_at": "2024-05-02T00:05:00+00:00", **changes}


def test_a_job_passes_with_its_report_in_normal_form() -> None:
    loose = {**report(), "params": {**report()["params"], "start": "2024-05-01 02:00:00+02:00"}}
    assert check_job(job(report=loose)) == job()


def test_what_native_rendering_does_to_a_job_is_undone() -> None:
    assert check_job(job(job_id=103, submitted_at=dt.datetime(2024, 5, 2, 0, 5, tzinfo=dt.UTC))) == job(
        job_id="103"
    )


@pytest.mark.parametrize("given_job", [None, "job-1", [], 7, report()])
def test_a_job_that_is_no_job_is_refused_in_one_sentence(given_job: object) -> None:
    with pytest.raises(InvalidValue, match=r"^job=.* is not allowed: give the dict that ContactCenterReport"):
        check_job(given_job)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"job_id": "{{ ti.xcom_pull() }}"},
            r"^job\['job_id'\]='{{ ti.xcom_pull\(\) }}' is not allowed: this template was never rendered",
        ),
        ({"job_id": {"id": 1}}, r"job\['job_id'\]=.*a non-empty string"),
        ({"job_id": ""}, r"job\['job_id'\]='' is not allowed"),
        ({"submitted_at": "yesterday"}, r"job\['submitted_at'\]='yesterday'"),
        ({"report": None}, "^report=None is not allowed"),
        ({"vendor": "khoros_care"}, r"^job\['vendor'\]='khoros_care' is not allowed"),
        ({"conn_id": "other"}, r"^job\['conn_id'\]='other' is not allowed"),
    ],
)
def test_a_job_that_does_not_hang_together_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        check_job(job(**changes))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(values, st.sampled_from(["report_type", "start", "end", "file_format", "timezone", "name", "conn_id"]))
def test_whatever_is_given_for_a_parameter_a_builder_takes_it_or_says_one_sentence(
    value: object, name: str
) -> None:
    try:
        built = report(**{name: value})
    except InvalidValue as refused:
        assert str(refused).endswith(".") and "\n" not in str(refused)
    else:
        assert built["vendor"] == "talkdesk"


@given(values | st.fixed_dictionaries(dict.fromkeys(job(), values)), st.booleans())
def test_nothing_made_up_is_a_job_or_a_report(value: object, as_job: bool) -> None:
    with pytest.raises(InvalidValue):
        check_job(value) if as_job else check_report(value)
