"""Hook for Genesys Cloud."""

from __future__ import annotations

from airflow_provider_contactcenter.hooks.base import ContactCenterHook


class GenesysCloudHook(ContactCenterHook):
    """Submits, polls, cancels and fetches Genesys Cloud analytics jobs.

    :param conn_id: a connection of type ``genesys_cloud``: login and password the id and secret of an OAuth
        client (client credentials), extra ``region`` (AWS name or domain), or host and ``auth_url``.
    """

    vendor_name = "genesys_cloud"
    conn_type = "genesys_cloud"
    default_conn_name = "genesys_cloud_default"
    hook_name = "Genesys Cloud"
