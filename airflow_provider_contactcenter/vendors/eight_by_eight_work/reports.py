"""What users ask 8x8 Work Analytics for: call legs, call records, summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue, pending
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Rows
from airflow_provider_contactcenter.vendors.protocol.reports import make_report

#: years that the vendor keeps; it leaves out what is older without a word (seed 002)
RETENTION = 2
#: rows of a page at most (the vendor's OpenAPI; the seed's sentence is cut off)
LARGEST_PAGE = 7000
#: extensions in one filter at most (the vendor's OpenAPI)
_FILTER = 125


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


_EXTENSIONS = checks.optional(_names(_FILTER))
_CHECKS: dict[str, Check] = {
    "pbx_id": _pbxes,
    "start": checks.instant,
    "end": checks.instant,
    "timezone": checks.zone,
    "caller": _EXTENSIONS,
    "callee": _EXTENSIONS,
    "caller_or_callee": _EXTENSIONS,
    "page_size": checks.integer(1, LARGEST_PAGE),
    "by_connect_time": checks.flag,
    "simplified": checks.flag,
}


def _check_work(params: Mapping[str, Any]) -> None:
    checks.check_window(params)
    for name in ("start", "end"):
        if not pending(params[name]) and not pending(params["timezone"]):
            checks.wall_clock(name, checks.moment(params[name]), params["timezone"])
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
    page_size: int = LARGEST_PAGE,
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
    report = make_report("eight_by_eight_work", "call_legs", _CHECKS, locals())
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
    page_size: int = LARGEST_PAGE,
    conn_id: str = "eight_by_eight_work_default",
) -> Report:
    """Ask 8x8 Work Analytics for call records: one row per call, newest first, as jsonl.

    Parameters are those of :func:`eight_by_eight_call_legs`. A call is identified by ``pbxId`` and
    ``callId``; by which of its times the vendor filters is documented nowhere.

    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("eight_by_eight_work", "call_records", _CHECKS, locals())
    _check_work(report["params"])
    return report


_SUMMARY_CHECKS: dict[str, Check] = {
    **_CHECKS,
    "summary": checks.one_of(("company", "extension", "ring-group", "ring-group-member")),
    "extension": checks.optional(checks.text),
    "intraday": checks.optional(checks.clock_range(timedelta(seconds=1))),
}


#: parameter -> the summary that takes it
_ONE_SUMMARY_ONLY = {"extension": "ring-group-member", "intraday": "ring-group"}


def eight_by_eight_work_summary(
    summary: str,
    *,
    pbx_id: str | Sequence[str],
    start: datetime | str,
    end: datetime | str,
    timezone: str = "UTC",
    extension: str | None = None,
    intraday: Mapping[str, str] | None = None,
    conn_id: str = "eight_by_eight_work_default",
) -> Report:
    """Ask 8x8 Work Analytics for a summary, as jsonl; durations are milliseconds.

    Source: the vendor's Work Analytics guides and OpenAPI; the common parameters: seed 002.

    :param summary: ``company`` (a row per PBX), ``extension``, ``ring-group`` or ``ring-group-member``.
    :param pbx_id: PBX name or names, or ``allpbxes``.
    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the end of the window; see :func:`eight_by_eight_call_legs`, as for ``timezone``.
    :param timezone: IANA zone in which the bounds are sent, as wall-clock time.
    :param extension: for ``ring-group-member``, an extension: of a ring group, says the vendor's guide; of a
        member, and optional, says its OpenAPI. It is sent as given, and the vendor decides.
    :param intraday: for ``ring-group``, ``{"start": "08:30:00", "end": "17:00:00"}``: only these hours of
        each day (the vendor's OpenAPI, ``intraStartTime`` and ``intraEndTime``, which says no more of them).
    :param conn_id: a connection of type ``eight_by_eight_work``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("eight_by_eight_work", "summary", _SUMMARY_CHECKS, locals())
    params = report["params"]
    _check_work(params)
    if pending(params["summary"]):
        return report
    for name, only in _ONE_SUMMARY_ONLY.items():
        if params[name] is not None and params["summary"] != only:
            raise InvalidValue(
                f"{name}={params[name]!r} is not allowed with summary={params['summary']!r}: only "
                f"{only!r} takes it."
            )
    return report


def kept_since(now: datetime) -> datetime:
    """The instant before which the vendor has dropped its rows."""
    leap_day = (now.month, now.day) == (2, 29)
    return now.replace(year=now.year - RETENTION, day=28 if leap_day else now.day)


_AT_THE_BOUNDS = (
    "The vendor doesn't say whether it includes a window's bounds: a row at that very instant may come in "
    "two neighbouring windows. One that arrives while pages are fetched may come twice."
)
#: seed 002, "Call Legs Explained": a leg is its leg's and its call's id; scroll ids hold the PBX too
CALL_LEGS = Rows(
    grain="one leg of a call",
    key=("pbxId", "callId", "legId"),
    duplicates=f"{_AT_THE_BOUNDS} A leg whose status is In Progress changes later.",
)
CALL_RECORDS = Rows(grain="one call", key=("pbxId", "callId"), duplicates=_AT_THE_BOUNDS)
#: summary -> its rows, all over the whole window (the vendor's Work Analytics guides and OpenAPI)
SUMMARIES = {
    "company": Rows(grain="one PBX, over the whole window", key=("pbxId",)),
    "extension": Rows(grain="one extension of a PBX, over the whole window"),
    "ring-group": Rows(grain="one ring group of a PBX, over the whole window"),
    "ring-group-member": Rows(grain="one member of a ring group, over the whole window"),
}


KINDS = {
    "call_legs": Kind(builder=eight_by_eight_call_legs, kept_since=kept_since, rows=lambda params: CALL_LEGS),
    "call_records": Kind(
        builder=eight_by_eight_call_records, kept_since=kept_since, rows=lambda params: CALL_RECORDS
    ),
    "summary": Kind(
        builder=eight_by_eight_work_summary,
        kept_since=kept_since,
        rows=lambda params: SUMMARIES.get(params["summary"], Rows()),
    ),
}
