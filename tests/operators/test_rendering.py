"""What is written in a DAG file arrives as it was written, and what can't be rendered says so once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, XComArg, task_group
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS
from jinja2 import StrictUndefined

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.nouns import Report, new_job
from airflow_provider_contactcenter.operators.look_back import LookBackOperator
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import eight_by_eight_call_legs, talkdesk_report, vspark_stats
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transfers.base import refuse_one_key_for_all
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_window

WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


def dag(native: bool = True) -> DAG:
    return DAG(
        "nightly",
        schedule=None,
        start_date=datetime(2024, 5, 1, tzinfo=UTC),
        render_template_as_native_obj=native,
        template_undefined=StrictUndefined,
    )


def rendered(task: Any, **names: Any) -> Any:
    task.render_template_fields({"task": task, **names})
    return task


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "written", ["+48100200300", "123_456", "2024_05", "1e5", "0x10", "'quoted'", "[1, 2]", "None", "ends\n"]
)
def test_a_value_without_a_template_stays_as_it_is(written: str, native: bool) -> None:
    with dag(native):
        task = ContactCenterToS3Operator(
            task_id="legs",
            report=eight_by_eight_call_legs(pbx_id="acme", **WINDOW),
            s3_key=written,
            s3_extra_args={"Tagging": [written]},
        )
    rendered(task)
    assert task.s3_key == written
    assert task.s3_extra_args == {"Tagging": [written]}


@pytest.mark.parametrize(
    "value", ["+48100200300", "123_456", "2024_05", "1e5", "0x10", "'quoted'", "1,2", "1_0.0"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_template_that_becomes_something_else_is_refused(value: str, nested: bool) -> None:
    template: Any = "{{ params_value }}"
    with dag():
        task = ContactCenterToS3Operator(
            task_id="legs",
            report=eight_by_eight_call_legs(pbx_id="acme", **WINDOW),
            s3_key="x" if nested else template,
            s3_extra_args={"Metadata": {"a": [template]}} if nested else None,
        )
    with pytest.raises(
        ContactCenterInvalidReportError, match="render_template_as_native_obj turns into"
    ) as failure:
        rendered(task, params_value=value)
    assert repr(value) in str(failure.value)
    with dag(native=False):
        task = ContactCenterToS3Operator(task_id="legs", report=task.report, s3_key=template)
    assert rendered(task, params_value=value).s3_key == value


@pytest.mark.parametrize(
    ("template", "value", "made"),
    [
        ("{{ value }}", "103", 103),
        ("{{ value }}", ["a", "b"], ["a", "b"]),
        ("{{ value | tojson }}", ["a", "b"], ["a", "b"]),
        ("{{ value | tojson }}", "+48100200300", "+48100200300"),
        ("{{ value }}", 7.5, 7.5),
        ("{{ value }}", None, None),
        ("calls/{{ value }}.csv", "2024-05-01", "calls/2024-05-01.csv"),
        ("{{ value }}", datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)),
    ],
)
def test_what_native_rendering_is_for_works(template: str, value: Any, made: Any) -> None:
    with dag():
        task = ContactCenterToS3Operator(
            task_id="a", report=talkdesk_report("calls", **WINDOW), s3_key=template
        )
    assert rendered(task, value=value).s3_key == made


@pytest.mark.parametrize("native", [False, True])
def test_a_run_without_a_window_ends_in_one_final_sentence(native: bool) -> None:
    with dag(native):
        task = ContactCenterReportOperator(task_id="calls", report=talkdesk_report("calls", **day_window()))
    with pytest.raises(
        ContactCenterInvalidReportError, match=r"^Task calls: .*data_interval_start.*day_window\(\)"
    ):
        rendered(task)


def mapped(operator: Any, **partial: Any) -> Any:
    with dag():
        return operator.partial(task_id="calls", **partial)


def run_mapped(task: Any, native_context: dict[str, Any]) -> Any:
    """Render a mapped task as the task runner does."""
    names = {
        "ti": SimpleNamespace(map_index=0),
        "task": task,
        "dag": task.dag,
        "dag_run": SimpleNamespace(conf={}),
        "expanded_ti_count": 1,
        **native_context,
    }
    task.render_template_fields(names)
    return names


needs_no_database = pytest.mark.skipif(
    not AIRFLOW_V_3_0_PLUS, reason="Airflow 2.11 looks a mapped task's values up in its database"
)


@needs_no_database
def test_mapped_tasks_are_rendered_by_the_same_rules() -> None:
    report = talkdesk_report("calls", start="{{ begin }}", end=WINDOW["end"])
    task = mapped(ContactCenterReportOperator).expand(report=[report])
    with pytest.raises(ContactCenterInvalidReportError, match="'begin' is undefined"):
        run_mapped(task, {"run_id": "x", "map_index_template": None})
    with pytest.raises(ContactCenterInvalidReportError, match="turns into 2024"):
        run_mapped(task, {"begin": "20_24", "map_index_template": None})


@needs_no_database
@pytest.mark.parametrize(
    ("report", "name"),
    [
        (talkdesk_report("calls", **WINDOW), "talkdesk_default report/calls 2024-05-01 to 2024-05-02"),
        (
            talkdesk_report("calls", start="2024-05-01 00:00:00+02:00", end="2024-05-02T00:00:30+02:00"),
            "talkdesk_default report/calls 2024-04-30T22:00Z to 2024-05-01T22:00:30+00:00",
        ),
        (
            vspark_stats(company="Acme", organization="Acme-Care", folder="Sales", **WINDOW),
            "vspark_default stats/Acme-Care/Sales 2024-05-01 to 2024-05-02",
        ),
        (
            eight_by_eight_call_legs(pbx_id=["north", "south"], **WINDOW),
            "eight_by_eight_work_default call_legs/north,south 2024-05-01 to 2024-05-02",
        ),
    ],
)
def test_a_mapped_task_is_called_by_what_its_report_differs_in(report: Report, name: str) -> None:
    task = mapped(ContactCenterReportOperator).expand(report=[report])
    assert run_mapped(task, {"map_index_template": None})["map_index_template"] == name


@needs_no_database
def test_a_mapped_task_is_called_as_the_dag_says() -> None:
    task = mapped(ContactCenterReportOperator).expand(report=[talkdesk_report("calls", **WINDOW)])
    assert run_mapped(task, {"map_index_template": "{{ run_id }}"})["map_index_template"] == "{{ run_id }}"


@needs_no_database
@pytest.mark.parametrize(
    ("partial", "expand", "refused"),
    [
        ({"path": "/lake/calls.csv"}, {}, True),
        ({"path": "/lake/{{ task.report['params']['start'] }}.csv"}, {}, False),
        ({}, {"path": ["/lake/a.csv", "/lake/b.csv"]}, False),
    ],
)
def test_mapped_tasks_that_would_replace_each_others_object_are_refused(
    partial: dict[str, Any], expand: dict[str, Any], refused: bool
) -> None:
    reports = [talkdesk_report("calls", **WINDOW), talkdesk_report("contacts", **WINDOW)]
    task = mapped(ContactCenterToFileOperator, **partial).expand(report=reports, **expand)
    names = {"ti": SimpleNamespace(map_index=1), "dag": task.dag}
    made = ContactCenterToFileOperator(task_id="calls", report=reports[1], path="/lake/calls.csv")
    with (
        pytest.raises(InvalidValue, match=r"^path='/lake/calls.csv' is not .*{{ task.report\['params")
        if refused
        else nullcontext()
    ):
        refuse_one_key_for_all(made, names)  # type: ignore[arg-type]
    refuse_one_key_for_all(made, {**names, "ti": SimpleNamespace(map_index=0)})  # type: ignore[arg-type]


class Upstream(XComArg):
    """What another task returned."""

    def __init__(self, returned: Any) -> None:
        self.returned = returned

    def iter_references(self) -> Iterator[Any]:
        return iter(())

    def resolve(self, *context: Any, **options: Any) -> Any:
        return self.returned


@needs_no_database
@pytest.mark.parametrize("given", ["dicts", "an upstream's list", "upstreams' dicts"])
@pytest.mark.parametrize("own", [{}, {"path": "/lake/other.csv"}])
def test_tasks_of_expand_kwargs_that_would_replace_each_others_object_are_refused(
    given: str, own: dict[str, Any]
) -> None:
    jobs = [new_job(talkdesk_report(kind, **WINDOW), kind) for kind in ("calls", "contacts")]
    dicts: Any = [{"job": jobs[0], **own}, {"job": jobs[1]}]
    if given == "an upstream's list":
        dicts = Upstream(dicts)
    elif given == "upstreams' dicts":
        dicts = [Upstream(each) for each in dicts]
    task = mapped(ContactCenterToFileOperator, path="/lake/calls.csv").expand_kwargs(dicts)
    names = {"ti": SimpleNamespace(map_index=1), "dag": task.dag}
    made = ContactCenterToFileOperator(task_id="calls", job=jobs[1], path="/lake/calls.csv")
    with (
        nullcontext()
        if own
        else pytest.raises(InvalidValue, match=r"^path='/lake/calls.csv' .*{{ task.job\['report'\]\['params")
    ):
        refuse_one_key_for_all(made, names)  # type: ignore[arg-type]


@needs_no_database
def test_a_task_in_a_mapped_group_is_not_mapped_itself() -> None:
    report = talkdesk_report("calls", **WINDOW)
    with dag() as days:

        @task_group
        def one(day: dict[str, Any]) -> None:
            ContactCenterToFileOperator(task_id="calls", report=day, path="/lake/calls.csv")  # type: ignore[arg-type]

        one.expand(day=[report, report])
    task = days.get_task("one.calls")
    names = {"ti": SimpleNamespace(map_index=1), "dag": days}
    refuse_one_key_for_all(task, names)  # type: ignore[arg-type]


@pytest.mark.parametrize("native", [False, True])
def test_a_look_back_renders_by_the_same_rules(native: bool) -> None:
    report = talkdesk_report("2024_05", **WINDOW)
    with dag(native):
        task = LookBackOperator(task_id="days", report=report, days=3)
    assert rendered(task).report["params"]["report_type"] == "2024_05"
    report["params"]["report_type"] = "{{ kind }}"
    with dag(native):
        task = LookBackOperator(task_id="days", report=report, days=3)
    if native:
        with pytest.raises(ContactCenterInvalidReportError, match="turns into 202405"):
            rendered(task, kind="2024_05")
    else:
        assert rendered(task, kind="2024_05").report["params"]["report_type"] == "2024_05"


def test_the_sensor_renders_by_the_same_rules() -> None:
    with dag():
        task = ContactCenterReportSensor(task_id="wait", job="{{ job }}")
    job = {"job_id": "2024_05", "vendor": "talkdesk"}
    assert rendered(task, job=job).job == job
    with pytest.raises(ContactCenterInvalidReportError, match="turns into"):
        rendered(ContactCenterReportSensor(task_id="w", job="{{ job }}", dag=task.dag), job="1_0")
    assert json.loads(json.dumps(task.job)) == job
