"""What users ask Acme for. A DAG file imports this alone, so it imports little."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Limits, Rows
from airflow_provider_contactcenter.vendors.protocol.reports import make_report

WEEK = timedelta(days=7)

_CALLS: dict[str, checks.Check] = {
    "start": checks.instant,
    "end": checks.instant,
    "team": checks.optional(checks.text),
}


def acme_calls(
    *, start: datetime | str, end: datetime | str, team: str | None = None, conn_id: str = "acme_default"
) -> Report:
    """Ask Acme for calls.

    :param start: start of the window, included.
    :param end: end of the window, excluded; at most seven days behind the start.
    :param team: only this team's.
    :param conn_id: the connection.
    """
    report = make_report("acme", "calls", _CALLS, locals())
    checks.check_window(report["params"], WEEK)
    return report


def acme_agents(*, conn_id: str = "acme_default") -> Report:
    """Ask Acme for the agents that there are now."""
    return make_report("acme", "agents", {}, locals())


KINDS = {
    "calls": Kind(
        builder=acme_calls,
        limits=lambda params: Limits(longest=WEEK),
        rows=lambda params: Rows(grain="one call", key=["id"]),
    ),
    "agents": Kind(builder=acme_agents),
}
