"""What users ask V-Spark for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue, pending
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Limits
from airflow_provider_contactcenter.vendors.protocol.reports import make_report


def _folder(name: str, value: Any) -> str:
    """A folder's name. People give it, so ``?`` and ``#`` pass: they are encoded like any other letter."""
    folder = checks.text(name, value)
    if folder in {".", ".."} or re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", folder):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it becomes one path segment of a URL, so give a folder's name "
            "without '/', '\\' or control characters."
        )
    return folder


_CHECKS: dict[str, Check] = {
    "company": checks.segment,
    "organization": checks.segment,
    "folder": checks.optional(_folder),
    "start": checks.instant,
    "end": checks.instant,
    "timezone": checks.zone,
    "file_format": checks.one_of(("json", "jsonl")),
}


def vspark_stats(
    *,
    company: str,
    organization: str,
    folder: str | None = None,
    start: datetime | str,
    end: datetime | str,
    timezone: str = "UTC",
    file_format: str = "json",
    conn_id: str = "vspark_default",
) -> Report:
    """Ask V-Spark for the daily statistics of one folder, or of all folders of an organization.

    :param company: the company's short name (seed 003).
    :param organization: the organization's short name (seed 003).
    :param folder: the folder's name; all of the organization's if left out (seed 003).
    :param start: midnight in ``timezone`` at which the first day begins: aware datetime or ISO 8601 string
        with an offset.
    :param end: midnight in ``timezone`` at which the last day is over, not in the future when the task runs.
        V-Spark counts whole days and includes the last one, so the day before ``end`` is sent.
    :param timezone: IANA zone whose days are meant; the organization's own (Medallia's manual), which the
        API can't be asked for.
    :param file_format: ``json`` lands byte for byte; ``jsonl`` has one line for each element of the array
        (or, of a top-level object, a ``{"key": ..., "value": ...}`` for each member). No document says more.
    :param conn_id: a connection of type ``vspark``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("vspark", "stats", _CHECKS, locals())
    params = report["params"]
    checks.check_window(params)
    for name in ("start", "end"):
        if not pending(params[name]) and not pending(params["timezone"]):
            checks.check_midnight(name, params[name], params["timezone"])
    return report


KINDS = {
    "stats": Kind(builder=vspark_stats, limits=lambda params: Limits(whole_days_in=params["timezone"])),
}
