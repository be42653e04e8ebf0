"""A contact-center report as an object in Google Cloud Storage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import get_hook_lineage_collector

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.transfers.base import (
    Body,
    ContactCenterTransferOperator,
    OnEmpty,
    name_of,
    template_fields,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

#: Google's resumable uploads take chunks of multiples of this.
CHUNK_UNIT = 256 * 1024
#: what is sent at a time; the writer holds it twice
CHUNK_SIZE = 40 * 1024 * 1024
#: what is handed to the writer at a time
PIECE = 1024 * 1024


class ContactCenterToGCSOperator(ContactCenterTransferOperator):
    """Lands a report in GCS: ordered, waited for, streamed, complete, or nothing under the name.

    :param bucket_name: the bucket.
    :param object_name: the object's name. Its template may use the report:
        ``{{ task.report['params']['start'] }}``.
    :param gcp_conn_id: the Google Cloud connection.
    :param impersonation_chain: service account(s) to impersonate.
    :param chunk_size: bytes per upload request, a multiple of 256 KiB; 40 MiB unless given. Two such chunks
        are held in memory.
    :param kms_key_name: Cloud KMS key that encrypts the object.
    :param user_project: the project billed for requester-pays buckets.
    :param metadata: the object's custom metadata.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`; ``replace``,
    ``compression`` and ``on_empty`` those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("bucket_name", "object_name", "gcp_conn_id", "impersonation_chain")

    # What the bases take is repeated so that editors, type checkers and signatures show it.
    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        bucket_name: str,
        object_name: str,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        chunk_size: int | None = None,
        kms_key_name: str | None = None,
        user_project: str | None = None,
        metadata: dict[str, str] | None = None,
        replace: bool = True,
        compression: Literal["gzip"] | None = None,
        on_empty: OnEmpty = "publish",
        deferrable: bool | None = None,
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            report=report,
            job=job,
            replace=replace,
            compression=compression,
            on_empty=on_empty,
            deferrable=deferrable,
            poll_interval=poll_interval,
            max_poll_interval=max_poll_interval,
            report_timeout=report_timeout,
            settle_delay=settle_delay,
            durable=durable,
            **kwargs,
        )
        if chunk_size is not None and not (
            isinstance(chunk_size, int) and chunk_size > 0 and chunk_size % CHUNK_UNIT == 0
        ):
            raise InvalidValue(
                f"chunk_size={chunk_size!r} is not allowed: give a multiple of 256 KiB ({CHUNK_UNIT})."
            )
        self.bucket_name = bucket_name
        self.object_name = object_name
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self.chunk_size = chunk_size
        self.kms_key_name = kms_key_name
        self.user_project = user_project
        self.metadata = metadata

    @cached_property
    def gcs_hook(self) -> GCSHook:
        """The Google provider's hook.

        :raises AirflowOptionalProviderFeatureException: the ``google`` extra is not installed.
        """
        try:
            from airflow.providers.google.cloud.hooks.gcs import GCSHook
        except ImportError as error:
            from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

            raise AirflowOptionalProviderFeatureException(
                "ContactCenterToGCSOperator needs the Google provider: "
                "pip install 'airflow-provider-contactcenter[google]'."
            ) from error
        return GCSHook(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)

    def before_submit(self, context: Context) -> None:
        """A name that can't be used, a missing connection or extra show before anything is ordered."""
        self.place()
        _ = self.gcs_hook
        super().before_submit(context)

    def place(self) -> tuple[str, str]:
        """Bucket and name.

        :raises InvalidValue: they can't be used.
        """
        return name_of("bucket_name", self.bucket_name), name_of("object_name", self.object_name)

    def uri(self) -> str:
        """``gs://bucket/name``."""
        bucket, name = self.place()
        return f"gs://{bucket}/{name}"

    def refuse_existing(self) -> None:
        """Raise if there is an object under the name."""
        if self._blob().exists():
            raise self._exists()

    def upload(self, body: Body, content_type: str) -> None:
        """Resumable upload by google-cloud-storage's writer, given up if reading the body raises."""
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob()
        blob.metadata = self.metadata
        # Generation 0 means "there must be none": with replace=False another writer can't slip in between.
        options = {} if self.replace else {"if_generation_match": 0}
        try:
            opened = blob.open("wb", content_type=content_type, ignore_flush=True, **options)
            with all_or_nothing(opened) as writer:
                shutil.copyfileobj(body, writer, PIECE)
        except PreconditionFailed:
            raise self._exists() from None
        # S3Hook does this by itself; here the hook is passed by.
        bucket, name = self.place()
        get_hook_lineage_collector().add_output_asset(
            context=self.gcs_hook, scheme="gs", asset_kwargs={"bucket": bucket, "key": name}
        )

    def _blob(self) -> Any:
        bucket_name, name = self.place()
        bucket = self.gcs_hook.get_conn().bucket(bucket_name, user_project=self.user_project)
        return bucket.blob(name, chunk_size=self.chunk_size or CHUNK_SIZE, kms_key_name=self.kms_key_name)


@contextmanager
def all_or_nothing(writer: Any) -> Iterator[Any]:
    """Within the block a writer is open; its upload ends with the block, or is given up for good.

    Google's own ``with`` leaves it open where closing fails, or where the store doesn't take the abort. Once
    it is garbage-collected it would be closed after all, and what stood in its buffer be the object's end.
    """
    try:
        yield writer
        writer.close()
    except BaseException:
        with suppress(Exception):  # the store is away; an upload that never ends never becomes an object
            writer.terminate()
        writer.close = lambda: None
        raise
