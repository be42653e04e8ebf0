"""The description of Khoros Care Analytics Reports."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.khoros_care import api
from airflow_provider_contactcenter.vendors.khoros_care.form import FORM
from airflow_provider_contactcenter.vendors.khoros_care.reports import KINDS
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

VENDOR = Vendor(
    name="khoros_care",
    title=api.TITLE,
    docs="https://developer.khoros.com/khoroscaredevdocs/docs/",
    hook="airflow_provider_contactcenter.hooks.khoros_care.KhorosCareHook",
    form=FORM,
    kinds=KINDS,
    noun="workflow",
    advice={
        "missing": "Check the report's export_id and path; if the workflow is gone, clear the task that "
        "submitted it.",
    },
    states=api.STATES,
    settings=api.settings,
    sign=api.sign,
    submit=api.submit,
    status=api.status,
    content=api.content,
    probe=api.probe,
)
