"""What users ask Khoros Care Analytics Reports for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind
from airflow_provider_contactcenter.vendors.protocol.reports import make_report

#: query parameters of Khoros's reports, in lower case -> what decides on them
_TAKEN = {
    "starttime": "start",
    "endtime": "end",
    "reportformat": "file_format",
    "locale": "locale",
    "reportmetrics": "metrics",
    "companykey": "the connection's company_api_key",
    "analyticsaccesstoken": "the connection",
}
#: Khoros Care is younger; an instant before this was made of seconds taken for milliseconds.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_QUARTER_HOUR = 900_000  # milliseconds


def _instant(name: str, value: Any) -> str:
    if isinstance(value, int | float) or str(value).strip().lstrip("+-").replace(".", "").isdigit():
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give an aware datetime or an ISO 8601 string with an offset, "
            "such as '2024-05-01T00:00:00+00:00'; it is sent as epoch milliseconds, so give neither those "
            "nor seconds."
        )
    instant = checks.instant(name, value)
    if checks.moment(instant) < _EARLIEST:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it lies before {_EARLIEST:%Y-%m-%d}, like an instant "
            "that was made of seconds where milliseconds were meant; give a later one."
        )
    return instant


def _filters(name: str, value: Any) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = checks.named(checks.listed(checks.text, least=1))(name, value)
    for key, values in filters.items():
        if key.lower() in _TAKEN:
            raise InvalidValue(
                f"{name}[{key!r}] is not allowed: {_TAKEN[key.lower()]} decides on it; leave it out."
            )
        if key.lower() == "timezoneoffset":
            for item in values:
                number = int(item) if re.fullmatch(r"[+-]?[0-9]{1,9}", item) else None
                if number is None or abs(number) > 56 * _QUARTER_HOUR or number % _QUARTER_HOUR:
                    raise InvalidValue(
                        f"{name}[{key!r}]={item!r} is not allowed: give a time zone's offset from UTC in "
                        "milliseconds, such as '-18000000' for five hours west of it."
                    )
    return filters


_CHECKS: dict[str, Check] = {
    "export_id": checks.segment,
    "start": _instant,
    "end": _instant,
    "file_format": checks.one_of(("csv", "json", "jsonl")),
    "locale": checks.matching("[a-z]{2,3}_[A-Z]{2}", "a language and a country, such as 'en_US'"),
    "metrics": checks.optional(checks.listed(checks.text)),
    "filters": checks.optional(_filters),
    "method": checks.one_of(("GET", "POST")),
    "path": checks.matching(
        r"\w[\w.-]*(/\w[\w.-]*)*",
        "what stands between '/api/public/reports/' and the export id, as 'report' or 'report/marketing'",
    ),
}


def khoros_care_report(
    export_id: str,
    *,
    start: datetime | str,
    end: datetime | str,
    file_format: str = "csv",
    locale: str = "en_US",
    metrics: str | Sequence[str] | None = None,
    filters: Mapping[str, str | int | Sequence[str | int]] | None = None,
    method: str = "GET",
    path: str = "report",
    conn_id: str = "khoros_care_default",
) -> Report:
    """Ask Khoros Care Analytics Reports for an export, such as ``conversation`` or ``author``.

    :param export_id: the export, one path segment; the vendor has more than its pages list, so no list is
        kept (fact sheet khoros_care.md, section 3.1).
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant at which the window ends, not in the future when the task runs. Both bounds are
        sent as given, in epoch milliseconds (seed 001); whether the vendor includes ``endTime`` is
        documented nowhere, so a row at that very instant may come in two neighbouring windows.
    :param file_format: ``csv`` and ``json`` land byte for byte (seed 001); ``jsonl`` is made of json's array,
        one object per line.
    :param locale: language and country of the report's words, such as ``en_US`` (seed 001) or ``de_DE``.
    :param metrics: columns, such as ``CONVERSATION_ID``, sent as repeated ``reportMetrics`` (seed 001); all
        columns if left out or empty.
    :param filters: further query parameters, name -> value or list of values (sent as repeated keys), such
        as ``{"conversationReportType": "OPEN_AT_END"}`` or ``{"timezoneOffset": "-18000000"}``, which is in
        milliseconds (the vendor's page "development kit"). Names are the vendor's and aren't checked.
    :param method: ``GET`` (seed 001), or ``POST``, which the vendor's page "about" names for most exports.
        Where a POST carries its parameters is documented nowhere: they stay in the query.
    :param path: what stands between ``/api/public/reports/`` and the export id. The seed's commands have
        ``report``; its list has ``report/report`` for Care and ``report/marketing`` for Publishing exports.
    :param conn_id: a connection of type ``khoros_care``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("khoros_care", "report", _CHECKS, locals())
    checks.check_window(report["params"])
    return report


KINDS = {"report": Kind(builder=khoros_care_report)}
