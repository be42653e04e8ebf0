"""A contact-center report as a blob in Azure Blob Storage."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.stores.azure_blob import AzureBlobStore
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields


class ContactCenterToAzureBlobOperator(ContactCenterTransferOperator):
    """Lands a report in Azure Blob Storage: complete, or nothing under the name.

    :param container_name: the container (templated).
    :param blob_name: the blob's name (templated). Its template may use the report:
        ``{{ task.report['params']['start'] }}``.
    :param wasb_conn_id: the Azure Blob Storage connection (templated).
    :param block_size: bytes per block.
    :param max_concurrency: blocks that are sent at a time; as many are held in memory.
    :param metadata: the blob's metadata (templated).
    :param tags: the blob's index tags (templated).
    :param tier: the blob's access tier: ``Hot``, ``Cool``, ``Cold`` or ``Archive``.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`, the others those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("container_name", "blob_name", "wasb_conn_id", "metadata", "tags")

    def __init__(
        self,
        *,
        container_name: str,
        blob_name: str,
        wasb_conn_id: str = "wasb_default",
        block_size: int = 8 * 1024 * 1024,
        max_concurrency: int = 4,
        metadata: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        tier: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.container_name = container_name
        self.blob_name = blob_name
        self.wasb_conn_id = wasb_conn_id
        self.block_size = block_size
        self.max_concurrency = max_concurrency
        self.metadata = metadata
        self.tags = tags
        self.tier = tier

    def store(self) -> AzureBlobStore:
        """The blob in its container."""
        return AzureBlobStore(
            self.container_name,
            self.blob_name,
            wasb_conn_id=self.wasb_conn_id,
            block_size=self.block_size,
            max_concurrency=self.max_concurrency,
            metadata=self.metadata,
            tags=self.tags,
            tier=self.tier,
        )
