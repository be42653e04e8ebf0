"""One thin hook per vendor API. This table is the registry; hooks are imported when they are needed."""

from __future__ import annotations

import functools
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
    return _hook(noun["vendor"], noun["conn_id"])


def shared_hook_for(noun: Report | Job) -> ContactCenterHook:
    """The same for triggers: one for all on a connection, of which they use what keeps nothing."""
    return _shared_hook(noun["vendor"], noun["conn_id"])


def _hook(vendor: str, conn_id: str) -> ContactCenterHook:
    if vendor not in HOOKS:
        from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError

        raise ContactCenterInvalidReportError(
            f"vendor={vendor!r} is not known: this release has {', '.join(HOOKS)}."
        )
    module_name, class_name = HOOKS[vendor].rsplit(".", 1)
    hook_class: type[ContactCenterHook] = getattr(importlib.import_module(module_name), class_name)
    return hook_class(conn_id)


_shared_hook = functools.cache(_hook)
