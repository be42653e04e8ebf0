"""The table of all vendors."""

from __future__ import annotations

from typing import cast

from airflow_provider_contactcenter.vendors.eight_by_eight_cc import api as eight_by_eight_cc
from airflow_provider_contactcenter.vendors.eight_by_eight_work import api as eight_by_eight_work
from airflow_provider_contactcenter.vendors.khoros_care import api as khoros_care
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor
from airflow_provider_contactcenter.vendors.talkdesk import api as talkdesk
from airflow_provider_contactcenter.vendors.vspark import api as vspark

#: a report's ``vendor`` -> its module
VENDORS: dict[str, Vendor] = {
    "talkdesk": cast("Vendor", talkdesk),
    "khoros_care": cast("Vendor", khoros_care),
    "vspark": cast("Vendor", vspark),
    "eight_by_eight_cc": cast("Vendor", eight_by_eight_cc),
    "eight_by_eight_work": cast("Vendor", eight_by_eight_work),
}
