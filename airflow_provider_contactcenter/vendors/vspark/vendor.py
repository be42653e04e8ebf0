"""The description of Voci V-Spark."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor
from airflow_provider_contactcenter.vendors.vspark import api
from airflow_provider_contactcenter.vendors.vspark.form import FORM
from airflow_provider_contactcenter.vendors.vspark.reports import KINDS

VENDOR = Vendor(
    name="vspark",
    title=api.TITLE,
    docs="https://docs.vocitec.com/V-Spark/en/reference-for-the--stats-api.html",
    hook="airflow_provider_contactcenter.hooks.vspark.VSparkHook",
    form=FORM,
    kinds=KINDS,
    advice={
        "authentication": "Check the token, which the connection's password holds.",
        "missing": "Check the report's company, organization and folder.",
    },
    settings=api.settings,
    sign=api.sign,
    submit=api.submit,
    status=api.status,
    content=api.content,
    probe=api.probe,
)
