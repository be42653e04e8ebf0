"""What users ask Talkdesk Explore for."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Limits, Rows
from airflow_provider_contactcenter.vendors.protocol.reports import make_report

LONGEST_WINDOW = timedelta(days=31)
#: report type -> how late its rows may come, where its page has more than the five minutes of all (fact sheet
#: talkdesk.md, section 7)
SETTLE_DELAYS = {"audit_logs": timedelta(hours=1)}
_CHECKS: dict[str, Check] = {
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
    :param timezone: IANA zone, sent with the report. The window's bounds are written in it with their
        offset, so they mean the same instants whatever it is.
    :param name: the report's name at the vendor, at most 256 characters.
    :param conn_id: a connection of type ``talkdesk``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("talkdesk", "report", _CHECKS, locals())
    checks.check_window(report["params"], LONGEST_WINDOW)
    return report


#: report type -> its rows; the documents of the others say neither what a row is nor what identifies it
ROWS = {
    "user_status": Rows(
        duplicates="A status that goes on over the end of a month, or over a change of the user's team or "
        'campaign, comes as several rows (the vendor\'s page "User status Explore").',
    ),
}


KINDS = {
    "report": Kind(
        builder=talkdesk_report,
        limits=lambda params: Limits(longest=LONGEST_WINDOW),
        settle_delay=lambda params: SETTLE_DELAYS.get(params["report_type"]),
        rows=lambda params: ROWS.get(params["report_type"], Rows()),
    )
}
