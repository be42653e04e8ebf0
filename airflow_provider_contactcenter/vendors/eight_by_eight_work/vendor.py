"""The description of 8x8 Work Analytics."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.eight_by_eight_work import api
from airflow_provider_contactcenter.vendors.eight_by_eight_work.form import FORM
from airflow_provider_contactcenter.vendors.eight_by_eight_work.reports import KINDS
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

VENDOR = Vendor(
    name="eight_by_eight_work",
    title=api.TITLE,
    docs="https://developer.8x8.com/analytics/docs/work-analytics-call-legs",
    hook="airflow_provider_contactcenter.hooks.eight_by_eight_work.EightByEightWorkHook",
    form=FORM,
    kinds=KINDS,
    settings=api.settings,
    authenticate=api.authenticate,
    sign=api.sign,
    submit=api.submit,
    status=api.status,
    content=api.content,
    probe=api.probe,
)
