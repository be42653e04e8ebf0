"""Hook for V-Spark."""

from __future__ import annotations

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.hooks.base import ContactCenterHook
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.vspark import api as vspark


class VSparkHook(ContactCenterHook):
    """Fetches the daily statistics of V-Spark folders.

    :param conn_id: a connection of type ``vspark``: host the API base with its port, password the root token
        or a company's token.
    """

    vendor_name = "vspark"
    conn_type = "vspark"
    default_conn_name = "vspark_default"
    hook_name = "V-Spark"

    def list_folders(self, company: str, organization: str) -> list[str]:
        """The names of an organization's folders, for a DAG that maps over them.

        :param company: the company's short name.
        :param organization: the organization's short name.
        :raises ContactCenterError: the vendor's refusal, by its class.
        """
        try:
            names = checks.segment("company", company), checks.segment("organization", organization)
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(str(invalid)) from None
        try:
            return self.driver.run(vspark.list_folders(*names))
        except Refusal as refusal:
            raise self.error(refusal) from None
