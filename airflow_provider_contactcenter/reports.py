"""What users write: builders of report dicts, one per kind of report.

A builder checks what is there when it is called (the DAG file fails to parse, with a sentence for each value)
and lets Jinja templates and XComArgs pass; everything is checked again when the task runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_contactcenter.vendors.eight_by_eight_cc.reports import (
        eight_by_eight_detailed_report,
        eight_by_eight_summary_report,
    )
    from airflow_provider_contactcenter.vendors.eight_by_eight_work.reports import (
        eight_by_eight_call_legs,
        eight_by_eight_call_records,
        eight_by_eight_work_summary,
    )
    from airflow_provider_contactcenter.vendors.genesys_cloud.reports import (
        genesys_conversations,
        genesys_users,
    )
    from airflow_provider_contactcenter.vendors.khoros_care.reports import khoros_care_report
    from airflow_provider_contactcenter.vendors.registry import describe
    from airflow_provider_contactcenter.vendors.talkdesk.reports import talkdesk_report
    from airflow_provider_contactcenter.vendors.vspark.reports import vspark_stats
    from airflow_provider_contactcenter.yaml_reports import load_reports

__all__ = [
    "describe",
    "eight_by_eight_call_legs",
    "eight_by_eight_call_records",
    "eight_by_eight_detailed_report",
    "eight_by_eight_summary_report",
    "eight_by_eight_work_summary",
    "genesys_conversations",
    "genesys_users",
    "khoros_care_report",
    "load_reports",
    "talkdesk_report",
    "vspark_stats",
]

#: name -> its module, loaded when the name is asked for: a DAG file pays for the vendors that it uses
_HOMES = {
    "describe": "vendors.registry",
    "eight_by_eight_call_legs": "vendors.eight_by_eight_work.reports",
    "eight_by_eight_call_records": "vendors.eight_by_eight_work.reports",
    "eight_by_eight_detailed_report": "vendors.eight_by_eight_cc.reports",
    "eight_by_eight_summary_report": "vendors.eight_by_eight_cc.reports",
    "eight_by_eight_work_summary": "vendors.eight_by_eight_work.reports",
    "genesys_conversations": "vendors.genesys_cloud.reports",
    "genesys_users": "vendors.genesys_cloud.reports",
    "khoros_care_report": "vendors.khoros_care.reports",
    "load_reports": "yaml_reports",
    "talkdesk_report": "vendors.talkdesk.reports",
    "vspark_stats": "vendors.vspark.reports",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"airflow_provider_contactcenter.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
