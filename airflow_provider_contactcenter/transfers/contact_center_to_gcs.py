"""A contact-center report as an object in Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_contactcenter.stores.gcs import GCSStore, chunk_size_of
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields


class ContactCenterToGCSOperator(ContactCenterTransferOperator):
    """Lands a report in GCS: submitted, waited for, streamed, complete, or nothing under the name.

    :param bucket_name: the bucket (templated).
    :param object_name: the object's name (templated). Its template may use the report:
        ``{{ task.report['params']['start'] }}``.
    :param gcp_conn_id: the Google Cloud connection (templated).
    :param impersonation_chain: service account(s) to impersonate (templated).
    :param chunk_size: bytes per upload request, a multiple of 256 KiB; 10 MiB unless given. Two such chunks
        are held in memory.
    :param kms_key_name: Cloud KMS key that encrypts the object (templated).
    :param user_project: the project billed for requester-pays buckets (templated).
    :param metadata: the object's custom metadata (templated).

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`, the others those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields(
        "bucket_name",
        "object_name",
        "gcp_conn_id",
        "impersonation_chain",
        "kms_key_name",
        "user_project",
        "metadata",
    )

    def __init__(
        self,
        *,
        bucket_name: str,
        object_name: str,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        chunk_size: int | None = None,
        kms_key_name: str | None = None,
        user_project: str | None = None,
        metadata: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket_name = bucket_name
        self.object_name = object_name
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self.chunk_size = chunk_size
        self.kms_key_name = kms_key_name
        self.user_project = user_project
        self.metadata = metadata
        chunk_size_of(chunk_size)

    def store(self) -> GCSStore:
        """The name in its bucket."""
        return GCSStore(
            self.bucket_name,
            self.object_name,
            gcp_conn_id=self.gcp_conn_id,
            impersonation_chain=self.impersonation_chain,
            chunk_size=self.chunk_size,
            kms_key_name=self.kms_key_name,
            user_project=self.user_project,
            metadata=self.metadata,
        )
