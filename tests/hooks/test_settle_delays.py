"""How long after a window's end a vendor's last rows may arrive: what each vendor's page says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.reports import talkdesk_report
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


@pytest.mark.parametrize(("report_type", "minutes"), [("calls", 5), ("user_status", 5), ("audit_logs", 60)])
def test_a_talkdesk_report_waits_as_long_as_its_own_page_says_where_that_is_longer(
    report_type: str, minutes: int
) -> None:
    report = talkdesk_report(report_type, start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
    assert TalkdeskHook("talkdesk_default").settle_delay(report) == timedelta(minutes=minutes)
