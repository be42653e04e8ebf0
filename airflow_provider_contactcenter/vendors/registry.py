"""The table of all vendors."""

from __future__ import annotations

from typing import cast

from airflow_provider_contactcenter.vendors import (
    eight_by_eight_cc,
    eight_by_eight_work,
    khoros_care,
    talkdesk,
    vspark,
)
from airflow_provider_contactcenter.vendors.protocol import Vendor

#: a report's ``vendor`` -> its module
VENDORS: dict[str, Vendor] = {
    "talkdesk": cast("Vendor", talkdesk),
    "khoros_care": cast("Vendor", khoros_care),
    "vspark": cast("Vendor", vspark),
    "eight_by_eight_cc": cast("Vendor", eight_by_eight_cc),
    "eight_by_eight_work": cast("Vendor", eight_by_eight_work),
}
