"""Hook for 8x8 Work Analytics."""

from __future__ import annotations

from airflow_provider_contactcenter.hooks.base import ContactCenterHook


class EightByEightWorkHook(ContactCenterHook):
    """Fetches call legs, call records and summaries from 8x8 Work Analytics.

    There are no jobs at the vendor: a job is ready at once, and its ``job_id`` is None.

    :param conn_id: a connection of type ``eight_by_eight_work``: host the API base (``https://api.8x8.com``
        if empty), login and password those of a user with access to Work Analytics, extras ``api_key``,
        ``auth_url``.
    """

    vendor_name = "eight_by_eight_work"
    conn_type = "eight_by_eight_work"
    default_conn_name = "eight_by_eight_work_default"
    hook_name = "8x8 Work Analytics"
