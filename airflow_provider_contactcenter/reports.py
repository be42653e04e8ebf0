"""What users write: builders of report dicts, one per kind of report.

A builder checks what is there when it is called (the DAG file fails to parse, with one sentence) and
lets Jinja templates and XComArgs pass; :func:`rebuild` checks everything again when the task runs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue, pending
from airflow_provider_contactcenter.nouns import Job, Report


def _report(vendor: str, kind: str, table: Mapping[str, Check], arguments: Mapping[str, Any]) -> Report:
    """Make the report of a builder's arguments: its ``locals()`` before it has any other.

    Each value that is there is normalised by its check; what Airflow fills in later stays as it is.
    """
    table = {**table, "conn_id": checks.text}
    params = {
        name: value if pending(value) else table[name](name, value) for name, value in arguments.items()
    }
    return Report(vendor=vendor, kind=kind, conn_id=params.pop("conn_id"), params=params)


TALKDESK_LONGEST_WINDOW = timedelta(days=31)
_TALKDESK_CHECKS: dict[str, Check] = {
    "report_type": checks.segment,
    "start": checks.instant,
    "end": checks.instant,
    "file_format": checks.one_of(("csv", "json", "json_bulk", "jsonl")),
    "timezone": checks.zone,
    "name": checks.optional(checks.limited(checks.text, 256)),
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
    :param timezone: IANA zone, sent with the order. The window's bounds are written in it with their
        offset, so they mean the same instants whatever it is.
    :param name: the report's name at the vendor, at most 256 characters.
    :param conn_id: a connection of type ``talkdesk``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("talkdesk", "report", _TALKDESK_CHECKS, locals())
    checks.check_window(report["params"], TALKDESK_LONGEST_WINDOW)
    return report


#: what a title may hold (seed 000, "Body")
_EIGHT_BY_EIGHT_TITLE = checks.matching(
    r"[A-Za-z0-9 \t!\-_.*'()]+",
    "letters A to Z and a to z, digits, spaces and ! - _ . * ' ( ) only: the vendor makes it the file's name",
)
#: range, longer than, at most, granularities (seed 000, "granularity"). Nobody says how long the vendor's
#: month is, nor in which zone a week is measured (an hour more where clocks go back), so rows overlap there.
EIGHT_BY_EIGHT_GRANULARITIES = (
    ("of at most a week", timedelta(0), timedelta(days=7, hours=1), ("15m", "30m", "hour", "day", "none")),
    (
        "longer than a week and of at most a month",
        timedelta(days=7),
        timedelta(days=31, hours=1),
        ("none", "hour", "day", "week"),
    ),
    ("longer than a month", timedelta(days=28), timedelta.max, ("none", "month", "year")),
)


def _check_granularity(params: Mapping[str, Any]) -> None:
    if any(pending(params[name]) for name in ("start", "end", "granularity")):
        return
    span = checks.moment(params["end"]) - checks.moment(params["start"])
    rows = [row for row in EIGHT_BY_EIGHT_GRANULARITIES if row[1] < span <= row[2]]
    if any(params["granularity"] in granularities for *_, granularities in rows):
        return
    allowed = "; ".join(f"for a range {name}, {', '.join(words)}" for name, _, _, words in rows)
    raise InvalidValue(
        f"granularity={params['granularity']!r} is not allowed: the window spans {span}, and the vendor "
        f"takes, {allowed}."
    )


def _wrap_up_pairs(name: str, value: Any) -> dict[str, list[str]]:
    """Filters; wrap-up codes are named by list and item (seed 000, "filters")."""
    filters: dict[str, list[str]] = checks.named(checks.listed(checks.text, least=1))(name, value)
    for code in filters.get("wrap-up-code", ()):
        if not re.fullmatch(r"[^\s-]+-[^\s-]+", code):
            raise InvalidValue(
                f"{name}['wrap-up-code']={code!r} is not allowed: give "
                "'<wrap-up code list id>-<wrap-up code id>', such as '170-1201'."
            )
    return filters


def _extra_body(taken: Mapping[str, str]) -> Check:
    """A check for further keys of a request's body: none that the builder's own parameters write."""

    def extra_body_check(name: str, value: Any) -> dict[str, Any]:
        extra: dict[str, Any] = checks.named(checks.plain)(name, value)
        for key in extra.keys() & taken.keys():
            raise InvalidValue(f"{name}[{key!r}] is not allowed: give {taken[key]} instead.")
        return extra

    return extra_body_check


_EIGHT_BY_EIGHT_BODY = {
    "type": "report_type",
    "title": "title",
    "dateRange": "start and end",
    "timezone": "timezone",
    "intraDayTimeRange": "intraday",
    "metrics": "metrics",
}
_EIGHT_BY_EIGHT_CC_CHECKS: dict[str, Check] = {
    "report_type": checks.segment,
    "start": checks.instant,
    "end": checks.instant,
    "metrics": checks.optional(checks.listed(checks.text)),
    "timezone": checks.optional(checks.zone),
    "title": checks.optional(_EIGHT_BY_EIGHT_TITLE),
}
_EIGHT_BY_EIGHT_SUMMARY_CHECKS: dict[str, Check] = {
    **_EIGHT_BY_EIGHT_CC_CHECKS,
    "granularity": checks.one_of(("15m", "30m", "hour", "day", "week", "month", "year", "none")),
    "group_by": checks.text,
    "filters": checks.optional(_wrap_up_pairs),
    "intraday": checks.optional(checks.clock_range(timedelta(minutes=15))),
    "include_subtotals": checks.flag,
    "include_grand_total": checks.flag,
    "extra_body": checks.optional(
        _extra_body(
            {
                **_EIGHT_BY_EIGHT_BODY,
                "granularity": "granularity",
                "groupBy": "group_by and filters",
                "includeSubTotal": "include_subtotals",
                "includeGrandTotal": "include_grand_total",
            }
        )
    ),
    "file_format": checks.one_of(("csv", "xlsx", "jsonl")),
}


def eight_by_eight_summary_report(
    report_type: str,
    *,
    start: datetime | str,
    end: datetime | str,
    granularity: str,
    group_by: str,
    filters: Mapping[str, str | Sequence[str]] | None = None,
    metrics: Sequence[str] | None = None,
    timezone: str | None = None,
    intraday: Mapping[str, str] | None = None,
    include_subtotals: bool = False,
    include_grand_total: bool = False,
    title: str | None = None,
    extra_body: Mapping[str, Any] | None = None,
    file_format: str = "csv",
    conn_id: str = "eight_by_eight_cc_default",
) -> Report:
    """Ask 8x8 Contact Center for a summary report, such as ``queue-interactions-summary``.

    Source: seed 000 ("CC Historical Analytics Summary Report"), unless another is named. Before the report
    is ordered, type, grouping, filters and metrics are compared with what the tenant offers
    (``report-types``); ``EightByEightContactCenterHook.report_types()`` lists it.

    :param report_type: a type that ``report-types`` lists with groupings.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends. The vendor includes both its bounds, in
        milliseconds, so ``end`` is sent as ``end - 1 ms``.
    :param granularity: ``15m``, ``30m``, ``hour``, ``day``, ``week``, ``month``, ``year`` or ``none``; which
        ones depends on the window's length (:data:`EIGHT_BY_EIGHT_GRANULARITIES`).
    :param group_by: one of the type's groupings, such as ``media-and-channel-and-queue``.
    :param filters: filter name -> value or values, all strings: ``{"queue": ["103", "330"]}``. ``media``
        takes ``InboundPhone`` and ``OutboundPhone`` beside ``Phone``; ``wrap-up-code`` takes
        ``<list id>-<item id>``.
    :param metrics: the metrics to return; all of them if None or empty.
    :param timezone: IANA zone, the tenant's default or one of its configured ones; its default if None.
        The window doesn't depend on it.
    :param intraday: ``{"start": "20:00:00", "end": "06:00:00"}``: only these hours of each day, at least 15
        minutes; may cross midnight (API version 6 and later).
    :param include_subtotals: add rows that sum up others; in jsonl they are marked by ``_total``.
    :param include_grand_total: add a row that sums up all, marked likewise.
    :param title: the report's name at the vendor; made from DAG, task and run if None.
    :param extra_body: further keys of the request's body, none that the other parameters write.
    :param file_format: ``csv`` and ``xlsx`` land byte for byte; ``jsonl`` holds one flat object per row, and
        fails for 10,000 rows and more: there the vendor cuts its JSON.
    :param conn_id: a connection of type ``eight_by_eight_cc``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("eight_by_eight_cc", "summary", _EIGHT_BY_EIGHT_SUMMARY_CHECKS, locals())
    checks.check_window(report["params"])
    _check_granularity(report["params"])
    return report


#: operators of a search term, over all kinds of fields (the vendor's "CC Historical Analytics Detailed
#: Report" guide); which ones a field takes is the vendor's to say
_SEARCH_OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "contains", "not-in", "in", "is-empty", "is-not-empty")


def _search(name: str, value: Any) -> list[dict[str, Any]]:
    """Search terms, each ``{"field", "operator", "value"}``; values are strings, or lists of them."""
    terms = checks.unquoted(value)
    if not isinstance(terms, list | tuple):
        raise InvalidValue(f"{name}={value!r} is not allowed: give a list of dicts.")
    return [_search_term(f"{name}[{index}]", term) for index, term in enumerate(terms)]


def _search_term(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not {"field", "operator"} <= set(value) <= {
        "field",
        "operator",
        "value",
    }:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give a dict with 'field', 'operator' and 'value', such as "
            "{'field': 'queueName', 'operator': 'in', 'value': ['Sales']}."
        )
    term: dict[str, Any] = {
        "field": checks.text(f"{name}['field']", value["field"]),
        "operator": checks.one_of(_SEARCH_OPERATORS)(f"{name}['operator']", value["operator"]),
    }
    if term["operator"] in {"is-empty", "is-not-empty"}:
        if value.get("value") is not None:
            raise InvalidValue(
                f"{name}['value']={value['value']!r} is not allowed: the operator {term['operator']!r} takes "
                "none."
            )
        return term
    operand = checks.unquoted(value.get("value"))
    several = isinstance(operand, list | tuple)
    if several and term["operator"] not in {"in", "not-in"}:
        raise InvalidValue(
            f"{name}['value']={operand!r} is not allowed: the operator {term['operator']!r} takes one "
            "string; a list goes with 'in' and 'not-in'."
        )
    check = checks.listed(checks.text, least=1) if several else checks.text
    return {**term, "value": check(f"{name}['value']", operand)}


_EIGHT_BY_EIGHT_DETAILED_CHECKS: dict[str, Check] = {
    **_EIGHT_BY_EIGHT_CC_CHECKS,
    "search": checks.optional(_search),
    "intraday": checks.optional(checks.clock_range(timedelta(minutes=5))),
    "include_participants": checks.flag,
    "show_ongoing": checks.flag,
    "show_state_in_time": checks.flag,
    "extra_body": checks.optional(
        _extra_body(
            {
                **_EIGHT_BY_EIGHT_BODY,
                "searchQuery": "search",
                "includeParticipants": "include_participants",
                "reportSettings": "show_ongoing and show_state_in_time",
            }
        )
    ),
    "file_format": checks.one_of(("csv", "xlsx", "jsonl")),
}
#: the fields of script-paths' searches, in this spelling ("Script paths", the vendor's v8 guide)
_SCRIPT_PATH_FIELDS = ("script", "queue", "agent", "channel")


def eight_by_eight_detailed_report(
    report_type: str,
    *,
    start: datetime | str,
    end: datetime | str,
    metrics: Sequence[str] | None = None,
    search: Sequence[Mapping[str, Any]] | None = None,
    timezone: str | None = None,
    intraday: Mapping[str, str] | None = None,
    include_participants: bool = False,
    show_ongoing: bool = False,
    show_state_in_time: bool = False,
    title: str | None = None,
    extra_body: Mapping[str, Any] | None = None,
    file_format: str = "jsonl",
    conn_id: str = "eight_by_eight_cc_default",
) -> Report:
    """Ask 8x8 Contact Center for a detailed report, such as ``detailed-reports-interaction-details``.

    Source: the vendor's guide "CC Historical Analytics Detailed Report", and seed 000 for what both kinds of
    report share. ``script-paths`` (API version 8 and later, ``csv`` only, with ``timezone``) is asked for
    here too.

    :param report_type: a type that ``report-types`` lists without groupings.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends, sent as ``end - 1 ms``: the vendor includes it.
    :param metrics: the fields to return; all of them if None or empty.
    :param search: terms that must all be true:
        ``[{"field": "queueName", "operator": "in", "value": ["Sales"]}]``. Durations are written ``10s``,
        ``10m``, ``3h``, ``7d``.
    :param timezone: IANA zone, the tenant's default or one of its configured ones; its default if None.
    :param intraday: ``{"start": "08:30:00", "end": "17:00:00"}``: only these hours of each day, at least 5
        minutes; may cross midnight (API version 6 and later).
    :param include_participants: a list of participants in each row of
        ``detailed-reports-interaction-details``.
    :param show_ongoing: interactions that have not ended too; their rows change later.
    :param show_state_in_time: with ``show_ongoing``, each interaction as it stood at the window's end.
    :param title: the report's name at the vendor; made from DAG, task and run if None.
    :param extra_body: further keys of the request's body, none that the other parameters write. For ``csv``
        and ``xlsx``, ``granularity`` is sent as ``none`` unless it is here (None leaves it out): the
        documents don't say whether the vendor wants it there.
    :param file_format: ``jsonl`` holds one flat object per row, without any cap; ``csv`` and ``xlsx`` land
        byte for byte.
    :param conn_id: a connection of type ``eight_by_eight_cc``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("eight_by_eight_cc", "detailed", _EIGHT_BY_EIGHT_DETAILED_CHECKS, locals())
    checks.check_window(report["params"])
    _check_detailed(report["params"])
    return report


def _check_detailed(params: Mapping[str, Any]) -> None:
    given = {name: None if pending(value) else value for name, value in params.items()}
    report_type = given["report_type"]
    if given["show_state_in_time"] and given["show_ongoing"] is False:
        raise InvalidValue(
            "show_state_in_time=True is not allowed: it goes with show_ongoing=True, which is missing."
        )
    if report_type == "script-paths":
        _check_script_paths(params, given)
    elif given["include_participants"] and report_type not in (None, "detailed-reports-interaction-details"):
        raise InvalidValue(
            "include_participants=True is not allowed: only report_type="
            f"'detailed-reports-interaction-details' has participants, not {report_type!r}."
        )


def _check_script_paths(params: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    where = "with report_type='script-paths'"
    if given["file_format"] not in (None, "csv"):
        raise InvalidValue(f"file_format={given['file_format']!r} is not allowed {where}: give 'csv'.")
    if params["timezone"] is None:
        raise InvalidValue(f"timezone=None is not allowed {where}: give the name of an IANA time zone.")
    for name in ("metrics", "include_participants", "show_ongoing", "show_state_in_time"):
        if given[name]:
            raise InvalidValue(f"{name}={given[name]!r} is not allowed {where}: leave it out.")
    for key in ("granularity", "groupBy", "includeSubTotal", "includeGrandTotal"):
        if key in (given["extra_body"] or {}):
            raise InvalidValue(f"extra_body[{key!r}] is not allowed {where}: leave it out.")
    for index, term in enumerate(given["search"] or ()):
        if term["field"] not in _SCRIPT_PATH_FIELDS or term["operator"] != "in":
            raise InvalidValue(
                f"search[{index}]={term!r} is not allowed {where}: give one of the fields "
                f"{', '.join(_SCRIPT_PATH_FIELDS)} and the operator 'in'."
            )


#: query parameters of Khoros's reports, in lower case -> what decides on them
_KHOROS_TAKEN = {
    "starttime": "start",
    "endtime": "end",
    "reportformat": "file_format",
    "locale": "locale",
    "reportmetrics": "metrics",
    "companykey": "the connection's company_api_key",
    "analyticsaccesstoken": "the connection",
}
#: Khoros Care is younger; an instant before this was made of seconds taken for milliseconds.
_KHOROS_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_QUARTER_HOUR = 900_000  # milliseconds


def _khoros_instant(name: str, value: Any) -> str:
    if isinstance(value, int | float) or str(value).strip().lstrip("+-").replace(".", "").isdigit():
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give an aware datetime or an ISO 8601 string with an offset, "
            "such as '2024-05-01T00:00:00+00:00'; it is sent as epoch milliseconds, so give neither those "
            "nor seconds."
        )
    instant = checks.instant(name, value)
    if checks.moment(instant) < _KHOROS_EARLIEST:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it lies before {_KHOROS_EARLIEST:%Y-%m-%d}, like an instant "
            "that was made of seconds where milliseconds were meant; give a later one."
        )
    return instant


def _khoros_filters(name: str, value: Any) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = checks.named(checks.listed(checks.text, least=1))(name, value)
    for key, values in filters.items():
        if key.lower() in _KHOROS_TAKEN:
            raise InvalidValue(
                f"{name}[{key!r}] is not allowed: {_KHOROS_TAKEN[key.lower()]} decides on it; leave it out."
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


_KHOROS_CHECKS: dict[str, Check] = {
    "export_id": checks.segment,
    "start": _khoros_instant,
    "end": _khoros_instant,
    "file_format": checks.one_of(("csv", "json", "jsonl")),
    "locale": checks.matching("[a-z]{2,3}_[A-Z]{2}", "a language and a country, such as 'en_US'"),
    "metrics": checks.optional(checks.listed(checks.text)),
    "filters": checks.optional(_khoros_filters),
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
    report = _report("khoros_care", "report", _KHOROS_CHECKS, locals())
    checks.check_window(report["params"])
    return report


def _vspark_folder(name: str, value: Any) -> str:
    """A folder's name. People give it, so ``?`` and ``#`` pass: they are encoded like any other letter."""
    folder = checks.text(name, value)
    if folder in {".", ".."} or re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", folder):
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it becomes one path segment of a URL, so give a folder's name "
            "without '/', '\\' or control characters."
        )
    return folder


_VSPARK_CHECKS: dict[str, Check] = {
    "company": checks.segment,
    "organization": checks.segment,
    "folder": checks.optional(_vspark_folder),
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
    report = _report("vspark", "stats", _VSPARK_CHECKS, locals())
    params = report["params"]
    checks.check_window(params)
    for name in ("start", "end"):
        if not pending(params[name]) and not pending(params["timezone"]):
            checks.check_midnight(name, params[name], params["timezone"])
    return report


#: rows of a page at the most (the vendor's OpenAPI; the seed's sentence is cut off)
EIGHT_BY_EIGHT_WORK_PAGE = 7000
#: extensions in one filter at the most (the vendor's OpenAPI)
_EIGHT_BY_EIGHT_WORK_FILTER = 125


def _names(most: int | None = None) -> Check:
    """A check for one name or several, also separated by commas, as the vendor writes them."""

    def names_check(name: str, value: Any) -> list[str]:
        values = checks.listed(checks.text)(name, value)
        parts = [part.strip() for item in values for part in item.split(",")]
        checked: list[str] = checks.listed(checks.text, least=1, most=most)(name, parts)
        return checked

    return names_check


def _pbxes(name: str, value: Any) -> list[str]:
    names: list[str] = _names()(name, value)
    if "allpbxes" in names and len(names) > 1:
        raise InvalidValue(f"{name}={names!r} is not allowed: 'allpbxes' stands for all of them, alone.")
    return names


_EXTENSIONS = checks.optional(_names(_EIGHT_BY_EIGHT_WORK_FILTER))
_EIGHT_BY_EIGHT_WORK_CHECKS: dict[str, Check] = {
    "pbx_id": _pbxes,
    "start": checks.instant,
    "end": checks.instant,
    "timezone": checks.zone,
    "caller": _EXTENSIONS,
    "callee": _EXTENSIONS,
    "caller_or_callee": _EXTENSIONS,
    "page_size": checks.integer(1, EIGHT_BY_EIGHT_WORK_PAGE),
    "by_connect_time": checks.flag,
    "simplified": checks.flag,
}


def _check_work(params: Mapping[str, Any]) -> None:
    checks.check_window(params)
    for name in ("start", "end"):
        if not pending(params[name]) and not pending(params["timezone"]):
            checks.wall_clock(name, params[name], params["timezone"])
    if params.get("caller_or_callee") is not None:
        for name in ("caller", "callee"):
            if params[name] is not None:
                raise InvalidValue(
                    f"caller_or_callee={params['caller_or_callee']!r} is not allowed beside "
                    f"{name}={params[name]!r}: the vendor takes one or the other."
                )


def eight_by_eight_call_legs(
    *,
    pbx_id: str | Sequence[str],
    start: datetime | str,
    end: datetime | str,
    timezone: str = "UTC",
    by_connect_time: bool = False,
    simplified: bool = False,
    caller: str | Sequence[str] | None = None,
    callee: str | Sequence[str] | None = None,
    caller_or_callee: str | Sequence[str] | None = None,
    page_size: int = EIGHT_BY_EIGHT_WORK_PAGE,
    conn_id: str = "eight_by_eight_work_default",
) -> Report:
    """Ask 8x8 Work Analytics for call legs: one row per segment of a call, newest first, as jsonl.

    Source: seed 002 ("Call Legs"); page size and filters: the vendor's OpenAPI. A leg is identified by
    ``pbxId``, ``callId`` and ``legId``.

    :param pbx_id: PBX name or names, or ``allpbxes``.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset. The vendor
        keeps two years and leaves out what is older.
    :param end: the end of the window. The vendor doesn't say whether it includes its bounds; both are sent as
        given.
    :param timezone: IANA zone in which the bounds are sent, as wall-clock time, and in which the vendor
        writes local times. A bound in an hour that the zone repeats can't be sent: UTC has none.
    :param by_connect_time: filter by the time at which a leg was connected, instead of disconnected.
    :param simplified: without child calls and some legs, such as CallForking and CallRecording.
    :param caller: extensions, at most 125, exact.
    :param callee: extensions, at most 125, exact.
    :param caller_or_callee: extensions, at most 125, exact; not beside ``caller`` and ``callee``.
    :param page_size: rows of a page, 1 to 7,000; all pages are fetched whatever it is.
    :param conn_id: a connection of type ``eight_by_eight_work``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("eight_by_eight_work", "call_legs", _EIGHT_BY_EIGHT_WORK_CHECKS, locals())
    _check_work(report["params"])
    return report


def eight_by_eight_call_records(
    *,
    pbx_id: str | Sequence[str],
    start: datetime | str,
    end: datetime | str,
    timezone: str = "UTC",
    caller: str | Sequence[str] | None = None,
    callee: str | Sequence[str] | None = None,
    caller_or_callee: str | Sequence[str] | None = None,
    page_size: int = EIGHT_BY_EIGHT_WORK_PAGE,
    conn_id: str = "eight_by_eight_work_default",
) -> Report:
    """Ask 8x8 Work Analytics for call records: one row per call, newest first, as jsonl.

    Parameters are those of :func:`eight_by_eight_call_legs`. A call is identified by ``pbxId`` and
    ``callId``; by which of its times the vendor filters is documented nowhere.

    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("eight_by_eight_work", "call_records", _EIGHT_BY_EIGHT_WORK_CHECKS, locals())
    _check_work(report["params"])
    return report


_EIGHT_BY_EIGHT_WORK_SUMMARY_CHECKS: dict[str, Check] = {
    **_EIGHT_BY_EIGHT_WORK_CHECKS,
    "summary": checks.one_of(("company", "extension", "ring-group", "ring-group-member")),
    "extension": checks.optional(checks.text),
}


def eight_by_eight_work_summary(
    summary: str,
    *,
    pbx_id: str | Sequence[str],
    start: datetime | str,
    end: datetime | str,
    timezone: str = "UTC",
    extension: str | None = None,
    conn_id: str = "eight_by_eight_work_default",
) -> Report:
    """Ask 8x8 Work Analytics for a summary, as jsonl; durations are milliseconds.

    Source: the vendor's Work Analytics guides and OpenAPI; the common parameters: seed 002.

    :param summary: ``company`` (a row per PBX), ``extension``, ``ring-group`` or ``ring-group-member``.
    :param pbx_id: PBX name or names, or ``allpbxes``.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the end of the window; see :func:`eight_by_eight_call_legs`, as for ``timezone``.
    :param timezone: IANA zone in which the bounds are sent, as wall-clock time.
    :param extension: the extension of one ring group: ``ring-group-member`` wants it, the others take none.
    :param conn_id: a connection of type ``eight_by_eight_work``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = _report("eight_by_eight_work", "summary", _EIGHT_BY_EIGHT_WORK_SUMMARY_CHECKS, locals())
    params = report["params"]
    _check_work(params)
    if not pending(params["summary"]) and (params["summary"] == "ring-group-member") == (
        params["extension"] is None
    ):
        raise InvalidValue(
            f"extension={params['extension']!r} is not allowed with summary={params['summary']!r}: "
            "'ring-group-member' wants the extension of a ring group, the other summaries take none."
        )
    return report


#: (vendor, kind) -> the builder whose arguments ``params`` holds.
BUILDERS: dict[tuple[str, str], Callable[..., Report]] = {
    ("talkdesk", "report"): talkdesk_report,
    ("khoros_care", "report"): khoros_care_report,
    ("vspark", "stats"): vspark_stats,
    ("eight_by_eight_cc", "summary"): eight_by_eight_summary_report,
    ("eight_by_eight_cc", "detailed"): eight_by_eight_detailed_report,
    ("eight_by_eight_work", "call_legs"): eight_by_eight_call_legs,
    ("eight_by_eight_work", "call_records"): eight_by_eight_call_records,
    ("eight_by_eight_work", "summary"): eight_by_eight_work_summary,
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
    if path := checks.unrendered(report, "report"):
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
    builder = BUILDERS.get((str(report["vendor"]), str(report["kind"])))
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
    if now is not None and checks.moment(end) > now:
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
    if path := checks.unrendered(job, "job"):
        raise InvalidValue(
            f"{path} holds a template that was never rendered; give the dict that "
            "ContactCenterReportOperator returns."
        )
    report = rebuild(job["report"])
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
