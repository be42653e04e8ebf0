"""The description of Genesys Cloud."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.genesys_cloud import api
from airflow_provider_contactcenter.vendors.genesys_cloud.form import FORM
from airflow_provider_contactcenter.vendors.genesys_cloud.reports import KINDS
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

VENDOR = Vendor(
    name="genesys_cloud",
    title=api.TITLE,
    docs="https://developer.genesys.cloud/analyticsdatamanagement/analytics/jobs/",
    hook="airflow_provider_contactcenter.hooks.genesys_cloud.GenesysCloudHook",
    form=FORM,
    kinds=KINDS,
    states=api.STATES,
    settle_delay=api.SETTLE_DELAY,
    settings=api.settings,
    authenticate=api.authenticate,
    sign=api.sign,
    submit=api.submit,
    status=api.status,
    content=api.content,
    probe=api.probe,
    cancel=api.cancel,
    available_until=api.available_until,
    refused=api.refused,
)
