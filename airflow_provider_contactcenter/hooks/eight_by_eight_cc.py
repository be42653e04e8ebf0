"""Hook for 8x8 Contact Center Historical Analytics."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.hooks.base import ContactCenterHook
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.offer import report_types
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


class EightByEightContactCenterHook(ContactCenterHook):
    """Submits, polls and fetches 8x8 Contact Center reports, summary and detailed.

    :param conn_id: a connection of type ``eight_by_eight_cc``: host the API base (``https://api.8x8.com`` if
        empty), login and password the API key and its secret, extras ``region``, ``api_version``,
        ``tenant_id``, ``auth_url``.
    """

    vendor_name = "eight_by_eight_cc"
    conn_type = "eight_by_eight_cc"
    default_conn_name = "eight_by_eight_cc_default"
    hook_name = "8x8 Contact Center"

    def report_types(self) -> list[dict[str, Any]]:
        """What the tenant offers: one definition per report type, as the vendor gives it.

        Summary types have ``type``, ``groupBy`` (a list of ``name`` and ``filters``) and ``metrics``,
        detailed ones ``type``, ``metrics`` and ``searchQuery`` (``fields`` and ``operators``).

        :raises ContactCenterError: the vendor's refusal, by its class.
        """
        try:
            return self.driver.run(report_types())
        except Refusal as refusal:
            raise self.error(refusal) from None
