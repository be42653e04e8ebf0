"""What enters is checked here: reports and jobs, when a DAG file makes an operator and when a task runs.

Behind this a report is in its normal form: its params are what its builder makes of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue, pending
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.vendors import registry

_BUILDERS = "a builder in airflow_provider_contactcenter.reports"


def check_report(report: object, *, now: datetime | None = None) -> Report:
    """Check a report when the task runs, and return it in its normal form.

    :param now: the instant that a window must not end after; None leaves that unchecked.
    :raises InvalidValue: the report is not a report, holds a template that nobody rendered, holds a value
        that can't be used, or its window ends in the future.
    """
    if isinstance(report, Mapping) and (found := checks.unrendered(report, "report")):
        path, written = found
        raise InvalidValue(
            f"{path}={written!r} is not allowed: this template was never rendered. Airflow renders "
            "templates in an operator's arguments, but not in what comes out of XCom: give that rendered."
        )
    checked = _built(report)
    end = checked["params"].get("end")
    if now is not None and end is not None and checks.moment(end) > now:
        raise InvalidValue(
            f"end={end!r} is not allowed: it lies in the future (it is {now.astimezone(UTC).isoformat()} "
            "now), and what has not happened yet would be missing; let the task run after the window's end."
        )
    return checked


def check_early(report: object) -> None:
    """Check what is known of a report when the DAG is parsed; what Airflow fills in later passes.

    :raises InvalidValue: it will never be a report that can be used.
    """
    if isinstance(report, Mapping):
        params = report.get("params")
        later = [report.get("vendor"), report.get("kind"), None if isinstance(params, Mapping) else params]
    else:
        later = [report]
    if not pending(later):
        _built(report)


def _built(report: object) -> Report:
    """The report that its builder makes of its params."""
    if not isinstance(report, Mapping):
        raise InvalidValue(f"report={report!r} is not allowed: give the dict that {_BUILDERS} returns.")
    missing = Report.__required_keys__ - report.keys()
    if missing or not isinstance(report["params"], Mapping):
        raise InvalidValue(
            f"report={dict(report)!r} is not allowed: it needs the keys vendor, kind, conn_id and params (a "
            f"dict), as {_BUILDERS} makes them."
        )
    kinds = registry.kinds(str(report["vendor"]))
    kind = kinds.get(str(report["kind"]))
    if kind is None:
        raise InvalidValue(
            f"kind={report['kind']!r} is not known: the kinds of vendor={report['vendor']!r} are "
            f"{', '.join(kinds)}."
        )
    params: dict[str, Any] = dict(report["params"])
    try:
        inspect.signature(kind.builder).bind(**params, conn_id=report["conn_id"])
    except TypeError as error:
        name = getattr(kind.builder, "__name__", "the builder")
        raise InvalidValue(f"report['params'] is not allowed: {name} says {error}.") from None
    built = kind.builder(**params, conn_id=report["conn_id"])
    if "shape" in report:
        built["shape"] = report["shape"]
    return built


def check_job(job: object) -> Job:
    """Check a job when the task runs: a dict with all of a job's keys and a sound report.

    :raises InvalidValue: it isn't one, in one sentence.
    """
    if not isinstance(job, Mapping) or Job.__required_keys__ - job.keys():
        raise InvalidValue(
            f"job={job!r} is not allowed: give the dict that ContactCenterReportOperator returns, with the "
            "keys vendor, kind, conn_id, job_id, report and submitted_at."
        )
    if found := checks.unrendered(job, "job"):
        path, written = found
        raise InvalidValue(
            f"{path}={written!r} is not allowed: this template was never rendered; give the dict that "
            "ContactCenterReportOperator returns."
        )
    report = check_report(job["report"])
    for name in ("vendor", "kind", "conn_id"):
        if job[name] != job["report"][name]:
            raise InvalidValue(
                f"job[{name!r}]={job[name]!r} is not allowed: its report says {job['report'][name]!r}."
            )
    return cast(
        "Job",
        {
            **job,
            "job_id": checks.optional(checks.text)("job['job_id']", job["job_id"]),
            "submitted_at": checks.instant("job['submitted_at']", job["submitted_at"]),
            "report": report,
        },
    )
