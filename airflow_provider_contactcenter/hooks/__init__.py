"""One thin hook per vendor API. This table is the registry; hooks are imported when they are needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook
    from airflow_provider_contactcenter.nouns import Job, Report

#: a report's ``vendor`` -> where its hook class is
HOOKS = {
    "talkdesk": "airflow_provider_contactcenter.hooks.talkdesk.TalkdeskHook",
    "khoros_care": "airflow_provider_contactcenter.hooks.khoros_care.KhorosCareHook",
    "vspark": "airflow_provider_contactcenter.hooks.vspark.VSparkHook",
    "eight_by_eight_cc": (
        "airflow_provider_contactcenter.hooks.eight_by_eight_cc.EightByEightContactCenterHook"
    ),
    "eight_by_eight_work": "airflow_provider_contactcenter.hooks.eight_by_eight_work.EightByEightWorkHook",
}


def hook_for(noun: Report | Job) -> ContactCenterHook:
    """The hook that talks to the vendor of a report or job, on its connection."""
    if noun["vendor"] not in HOOKS:
        from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError

        raise ContactCenterInvalidReportError(
            f"vendor={noun['vendor']!r} is not known: this release has {', '.join(HOOKS)}."
        )
    module_name, class_name = HOOKS[noun["vendor"]].rsplit(".", 1)
    hook_class: type[ContactCenterHook] = getattr(importlib.import_module(module_name), class_name)
    return hook_class(noun["conn_id"])
