"""A contact-center report as a file on an SFTP server."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.stores.sftp import SFTPStore
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields


class ContactCenterToSFTPOperator(ContactCenterTransferOperator):
    """Lands a report on an SFTP server: complete, or nothing under the path.

    :param remote_path: the absolute path on the server (templated). Its template may use the report:
        ``{{ task.report['params']['start'] }}``.
    :param sftp_conn_id: the SFTP connection (templated).
    :param create_directories: make the folders that are missing.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`, the others those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("remote_path", "sftp_conn_id")

    def __init__(
        self,
        *,
        remote_path: str,
        sftp_conn_id: str = "sftp_default",
        create_directories: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.remote_path = remote_path
        self.sftp_conn_id = sftp_conn_id
        self.create_directories = create_directories

    def store(self) -> SFTPStore:
        """The file."""
        return SFTPStore(
            self.remote_path,
            sftp_conn_id=self.sftp_conn_id,
            create_directories=self.create_directories,
        )
