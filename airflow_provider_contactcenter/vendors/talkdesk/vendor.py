"""The description of Talkdesk Explore."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor
from airflow_provider_contactcenter.vendors.talkdesk import api
from airflow_provider_contactcenter.vendors.talkdesk.form import FORM
from airflow_provider_contactcenter.vendors.talkdesk.reports import KINDS

VENDOR = Vendor(
    name="talkdesk",
    title=api.TITLE,
    docs="https://docs.talkdesk.com/reference/check-a-report-status",
    hook="airflow_provider_contactcenter.hooks.talkdesk.TalkdeskHook",
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
)
