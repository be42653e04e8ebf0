"""How long after a window's end a vendor's last rows may arrive: what each vendor's page says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_contactcenter.vendors import registry


@pytest.mark.parametrize(
    ("vendor", "minutes"),
    [
        ("talkdesk", 5),
        ("eight_by_eight_cc", 0),
        ("eight_by_eight_work", 0),
        ("khoros_care", 0),
        ("vspark", 0),
    ],
)
def test_a_report_waits_as_long_as_its_vendors_page_says(vendor: str, minutes: int) -> None:
    assert registry.vendor(vendor).settle_delay == timedelta(minutes=minutes)
