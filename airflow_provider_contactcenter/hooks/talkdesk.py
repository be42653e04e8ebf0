"""Hook for Talkdesk Explore."""

from __future__ import annotations

from airflow_provider_contactcenter.hooks.base import ContactCenterHook


class TalkdeskHook(ContactCenterHook):
    """Submits, polls and fetches Talkdesk Explore data reports.

    :param conn_id: a connection of type ``talkdesk``: host the API base (from ``region`` if empty), login
        and password the OAuth client's id and secret, extras ``account``, ``region``, ``auth_url``,
        ``scope``.
    """

    vendor_name = "talkdesk"
    conn_type = "talkdesk"
    default_conn_name = "talkdesk_default"
    hook_name = "Talkdesk Explore"
