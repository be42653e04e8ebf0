"""A contact-center report as an object in Amazon S3."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.stores.s3 import S3Store
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields


class ContactCenterToS3Operator(ContactCenterTransferOperator):
    """Lands a report in S3: submitted, waited for, streamed, complete, or nothing under the key.

    :param s3_key: the object's key, or a whole ``s3://bucket/key`` URL (templated). Its template may use
        the report: ``{{ task.report['params']['start'] }}``.
    :param s3_bucket: the bucket, if the key is not a whole URL (templated).
    :param aws_conn_id: the AWS connection (templated).
    :param verify: verify the store's certificate; a path to a CA bundle, or False.
    :param encrypt: encrypt on the server's side (AES256).
    :param acl_policy: a canned ACL.
    :param s3_extra_args: S3Hook's ``extra_args``: KMS key, storage class, tags (templated).
    :param transfer_config_args: S3Hook's ``transfer_config_args``: part size, concurrency.

    ``report``, ``job`` and the waiting parameters are those of
    :class:`airflow_provider_contactcenter.operators.base.ContactCenterBaseOperator`, the others those of
    :class:`airflow_provider_contactcenter.transfers.base.ContactCenterTransferOperator`.
    """

    template_fields = template_fields("s3_key", "s3_bucket", "aws_conn_id", "s3_extra_args")

    def __init__(
        self,
        *,
        s3_key: str,
        s3_bucket: str | None = None,
        aws_conn_id: str | None = "aws_default",
        verify: bool | str | None = None,
        encrypt: bool = False,
        acl_policy: str | None = None,
        s3_extra_args: dict[str, Any] | None = None,
        transfer_config_args: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.s3_key = s3_key
        self.s3_bucket = s3_bucket
        self.aws_conn_id = aws_conn_id
        self.verify = verify
        self.encrypt = encrypt
        self.acl_policy = acl_policy
        self.s3_extra_args = s3_extra_args
        self.transfer_config_args = transfer_config_args

    def store(self) -> S3Store:
        """The key in its bucket."""
        return S3Store(
            self.s3_key,
            self.s3_bucket,
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            encrypt=self.encrypt,
            acl_policy=self.acl_policy,
            s3_extra_args=self.s3_extra_args,
            transfer_config_args=self.transfer_config_args,
        )
