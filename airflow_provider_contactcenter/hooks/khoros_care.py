"""Hook for Khoros Care Analytics Reports."""

from __future__ import annotations

from airflow_provider_contactcenter.hooks.base import ContactCenterHook


class KhorosCareHook(ContactCenterHook):
    """Submits, polls and fetches Khoros Care (formerly Lithium) analytics exports.

    :param conn_id: a connection of type ``khoros_care``: host the API base, login and password those of an
        account that may use the API, extra ``company_api_key`` the company key.
    """

    vendor_name = "khoros_care"
    conn_type = "khoros_care"
    default_conn_name = "khoros_care_default"
    hook_name = "Khoros Care Analytics Reports"
