"""A contact-center report as an object in Amazon S3."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

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
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from airflow.providers.common.compat.sdk import Context

#: Parts of 8 MiB, ten thousand at the most: 78 GiB. Four at a time keep the network busy; more of them
#: only wait in memory.
TRANSFER_CONFIG = {"multipart_chunksize": 8 * 1024 * 1024, "max_concurrency": 4}


class ContactCenterToS3Operator(ContactCenterTransferOperator):
    """Lands a report in S3: ordered, waited for, streamed, complete, or nothing under the key.

    :param s3_key: the object's key, or a whole ``s3://bucket/key`` URL. Its template may use the report:
        ``{{ task.report['params']['start'] }}``.
    :param s3_bucket: the bucket, if the key is not a whole URL.
    :param aws_conn_id: the AWS connection.
    :param verify: verify the store's certificate; a path to a CA bundle, or False.
    :param encrypt: encrypt on the server's side (AES256).
    :param acl_policy: a canned ACL.
    :param s3_extra_args: S3Hook's ``extra_args``: KMS key, storage class, tags.
    :param transfer_config_args: S3Hook's ``transfer_config_args``: part size, concurrency.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`; ``replace``,
    ``compression`` and ``on_empty`` those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("s3_key", "s3_bucket", "aws_conn_id")

    # What the bases take is repeated so that editors, type checkers and signatures show it.
    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        s3_key: str,
        s3_bucket: str | None = None,
        aws_conn_id: str | None = "aws_default",
        verify: bool | str | None = None,
        encrypt: bool = False,
        acl_policy: str | None = None,
        s3_extra_args: dict[str, Any] | None = None,
        transfer_config_args: dict[str, Any] | None = None,
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
        self.s3_key = s3_key
        self.s3_bucket = s3_bucket
        self.aws_conn_id = aws_conn_id
        self.verify = verify
        self.encrypt = encrypt
        self.acl_policy = acl_policy
        self.s3_extra_args = s3_extra_args
        self.transfer_config_args = transfer_config_args

    @cached_property
    def s3_hook(self) -> S3Hook:
        """The AWS provider's hook."""
        return self._s3_hook(self.s3_extra_args or {})

    def _s3_hook(self, extra_args: dict[str, Any]) -> S3Hook:
        """A hook whose uploads take these arguments.

        :raises AirflowOptionalProviderFeatureException: the ``amazon`` extra is not installed.
        """
        try:
            from airflow.providers.amazon.aws.hooks.s3 import S3Hook
        except ImportError as error:
            from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

            raise AirflowOptionalProviderFeatureException(
                "ContactCenterToS3Operator needs the Amazon provider: "
                "pip install 'airflow-provider-contactcenter[amazon]'."
            ) from error
        hook = S3Hook(
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            extra_args=extra_args,
            transfer_config_args={**TRANSFER_CONFIG, **(self.transfer_config_args or {})},
        )
        # As many parts as are sent at a time, and the one being read. Ten is the default, and no argument.
        hook.transfer_config.max_in_memory_upload_chunks = hook.transfer_config.max_concurrency
        return hook

    def place(self) -> tuple[str, str]:
        """Bucket and key.

        :raises InvalidValue: they can't be used.
        """
        bucket, key = self.s3_bucket, self.s3_key
        if str(key).startswith("s3://"):
            bucket, key = self.s3_hook.parse_s3_url(key)
        bucket = bucket or self.s3_hook.service_config.get("bucket_name")
        if not bucket or not key:
            raise InvalidValue(
                f"s3_key={self.s3_key!r} with s3_bucket={self.s3_bucket!r} is not allowed: give a bucket and "
                "a key, or a whole URL such as 's3://bucket/key'."
            )
        return name_of("s3_bucket", bucket), name_of("s3_key", key)

    def before_submit(self, context: Context) -> None:
        """A key without a bucket, or a missing extra, shows before anything is ordered."""
        self.place()
        super().before_submit(context)

    def uri(self) -> str:
        """``s3://bucket/key``."""
        bucket, key = self.place()
        return f"s3://{bucket}/{key}"

    def refuse_existing(self) -> None:
        """Raise if there is an object under the key."""
        bucket, key = self.place()
        if self.s3_hook.check_for_key(key, bucket):
            raise self._exists()

    def upload(self, body: Body, content_type: str) -> None:
        """Multipart upload by boto3's transfer manager, which aborts it if reading the body raises."""
        bucket, key = self.place()
        self._s3_hook({"ContentType": content_type, **(self.s3_extra_args or {})}).load_file_obj(
            body,
            key=key,
            bucket_name=bucket,
            replace=True,
            encrypt=self.encrypt,
            acl_policy=self.acl_policy,
        )
