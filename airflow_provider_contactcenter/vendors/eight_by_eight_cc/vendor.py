"""The description of 8x8 Contact Center Historical Analytics."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.eight_by_eight_cc import api
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.form import FORM
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.reports import KINDS
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

VENDOR = Vendor(
    name="eight_by_eight_cc",
    title=api.TITLE,
    docs="https://developer.8x8.com/analytics/docs/cc-historical-analytics-summary-report",
    hook="airflow_provider_contactcenter.hooks.eight_by_eight_cc.EightByEightContactCenterHook",
    form=FORM,
    kinds=KINDS,
    states=api.STATES,
    settings=api.settings,
    authenticate=api.authenticate,
    sign=api.sign,
    submit=api.submit,
    status=api.status,
    content=api.content,
    probe=api.probe,
)
