"""What users ask 8x8 Contact Center for: summary and detailed reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue, pending
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Limits, Rows
from airflow_provider_contactcenter.vendors.protocol.reports import body_extra, make_report

#: what a title may hold (seed 000, "Body")
_TITLE = checks.matching(
    r"[A-Za-z0-9 \t!\-_.*'()]+",
    "letters A to Z and a to z, digits, spaces and ! - _ . * ' ( ) only: the vendor makes it the file's name",
)
#: range, longer than, at most, granularities (seed 000, "granularity"). Nobody says how long the vendor's
#: month is, nor in which zone a week is measured (an hour more where clocks go back), so rows overlap there.
GRANULARITIES = (
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
    rows = [row for row in GRANULARITIES if row[1] < span <= row[2]]
    if any(params["granularity"] in granularities for *_, granularities in rows):
        return
    allowed = "; ".join(f"for a range {name}, {', '.join(words)}" for name, _, _, words in rows)
    raise InvalidValue(
        f"granularity={params['granularity']!r} is not allowed: the window spans {checks.spelled(span)}, and "
        f"the vendor takes, {allowed}."
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


_BODY = {
    "type": "report_type",
    "title": "title",
    "dateRange": "start and end",
    "timezone": "timezone",
    "intraDayTimeRange": "intraday",
    "metrics": "metrics",
}
_COMMON_CHECKS: dict[str, Check] = {
    "report_type": checks.segment,
    "start": checks.instant,
    "end": checks.instant,
    "metrics": checks.optional(checks.listed(checks.text)),
    "timezone": checks.optional(checks.zone),
    "title": checks.optional(_TITLE),
}
_SUMMARY_CHECKS: dict[str, Check] = {
    **_COMMON_CHECKS,
    "granularity": checks.one_of(("15m", "30m", "hour", "day", "week", "month", "year", "none")),
    "group_by": checks.text,
    "filters": checks.optional(_wrap_up_pairs),
    "intraday": checks.optional(checks.clock_range(timedelta(minutes=15))),
    "include_subtotals": checks.flag,
    "include_grand_total": checks.flag,
    "extra_body": checks.optional(
        body_extra(
            {
                **_BODY,
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
    is submitted, type, grouping, filters and metrics are compared with what the tenant offers
    (``report-types``); ``EightByEightContactCenterHook.report_types()`` lists it.

    :param report_type: a type that ``report-types`` lists with groupings.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends. The vendor includes both its bounds, in
        milliseconds, so ``end`` is sent as ``end - 1 ms``.
    :param granularity: ``15m``, ``30m``, ``hour``, ``day``, ``week``, ``month``, ``year`` or ``none``; which
        ones depends on the window's length (:data:`GRANULARITIES`).
    :param group_by: one of the type's groupings, such as ``media-and-channel-and-queue``.
    :param filters: filter name -> value or values, all strings: ``{"queue": ["103", "330"]}``. ``media``
        takes ``InboundPhone`` and ``OutboundPhone`` beside ``Phone``; ``wrap-up-code`` takes
        ``<list id>-<item id>``.
    :param metrics: the metrics to return; all of them if None or empty.
    :param timezone: IANA zone, the tenant's default or one of its configured ones; its default if None.
        The window doesn't depend on it, but the steps of ``granularity`` do: a day, week, month or year that
        begins or ends outside the window comes in parts, in this report and in its neighbour.
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
    report = make_report("eight_by_eight_cc", "summary", _SUMMARY_CHECKS, locals())
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


_DETAILED_CHECKS: dict[str, Check] = {
    **_COMMON_CHECKS,
    "search": checks.optional(_search),
    "intraday": checks.optional(checks.clock_range(timedelta(minutes=5))),
    "include_participants": checks.flag,
    "show_ongoing": checks.flag,
    "show_state_in_time": checks.flag,
    "extra_body": checks.optional(
        body_extra(
            {
                **_BODY,
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
    report = make_report("eight_by_eight_cc", "detailed", _DETAILED_CHECKS, locals())
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


def _granularity_limits(params: Mapping[str, Any]) -> Limits:
    """The windows that go with a granularity, in all rows that have it."""
    if pending(params["granularity"]):
        raise InvalidValue(
            f"granularity={params['granularity']!r} is not allowed: the windows that the vendor takes depend "
            "on it; give it as it is, without a template."
        )
    places = [place for place, row in enumerate(GRANULARITIES) if params["granularity"] in row[3]]
    first, last = places[0], places[-1]
    longest = GRANULARITIES[last][2]
    if longest == timedelta.max:
        return Limits(longer_than=GRANULARITIES[first][1])
    # What two rows have in common may belong to either.
    narrowest = Limits(
        longest=GRANULARITIES[last + 1][1], longer_than=GRANULARITIES[first - 1][2] if first else timedelta(0)
    )
    return Limits(longest=longest, longer_than=GRANULARITIES[first][1], narrowest=narrowest)


def _summary_rows(params: Mapping[str, Any]) -> Rows:
    """Seed 000, "granularity", "groupBy" and "Grand total and subtotals"."""
    step = params["granularity"]
    each = "the whole window" if step == "none" else f"one step of granularity={step}"
    totals = params["include_subtotals"] or params["include_grand_total"]
    return Rows(
        grain=f"one group of group_by={params['group_by']}, in {each}",
        duplicates="Rows of subtotals and of the grand total sum up other rows." if totals else None,
    )


#: report type -> its rows. The vendor's guide "CC Historical Analytics Detailed Report" says of ongoing
#: interactions that their rows change; the fact sheet (section A11) what to replace them by.
DETAILED_ROWS = {
    "detailed-reports-interaction-details": Rows(
        grain="one interaction",
        key=("interactionId",),
        duplicates="With show_ongoing=True an interaction that goes on comes again in later windows, with "
        "other values; the newest delivery is right.",
    ),
}


def _detailed_rows(params: Mapping[str, Any]) -> Rows:
    """No document says whether a file names its columns by their keys or their labels."""
    rows = DETAILED_ROWS.get(params["report_type"], Rows())
    return rows if params["file_format"] == "jsonl" else replace(rows, key=None)


KINDS = {
    "summary": Kind(builder=eight_by_eight_summary_report, limits=_granularity_limits, rows=_summary_rows),
    "detailed": Kind(
        builder=eight_by_eight_detailed_report,
        rows=_detailed_rows,
    ),
}
