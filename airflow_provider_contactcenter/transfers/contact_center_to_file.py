"""A contact-center report as a file in a local or mounted folder."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.stores.file import FileStore
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields


class ContactCenterToFileOperator(ContactCenterTransferOperator):
    """Lands a report in a local or mounted folder: complete, or nothing under the path.

    :param path: the absolute path on the worker; its folder must be there (templated). Its template may use
        the report: ``{{ task.report['params']['start'] }}``.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`, the others those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("path")

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path

    def store(self) -> FileStore:
        """The file."""
        return FileStore(self.path)
