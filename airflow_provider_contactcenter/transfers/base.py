"""From a ready job to an object in a store, all or nothing: what the transfer operators share."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import conf

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.stores.base import Store
    from airflow_provider_contactcenter.transfers.landing import Landing

OnEmpty = Literal["publish", "skip", "fail"]


class ContactCenterTransferOperator(ContactCenterBaseOperator):
    """Lands a report as one object; a subclass is the parameters of its store, and the store made of them.

    A subclass's ``__init__`` names its own parameters alone; its signature shows the common ones too.

    :param compression: None or ``"gzip"``. The key stays as given, the content type becomes
        ``application/gzip``, and the same input gives the same bytes.
    :param on_empty: what a report without rows does: ``publish`` lands the empty file, ``skip`` skips the
        task, ``fail`` fails it.
    :param replace: overwrite an object that is there already; otherwise it fails the task before anything
        is submitted.
    """

    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        compression: Literal["gzip"] | None = None,
        on_empty: OnEmpty = "publish",
        replace: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
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
            deferrable=deferrable,
            poll_interval=poll_interval,
            max_poll_interval=max_poll_interval,
            report_timeout=report_timeout,
            settle_delay=settle_delay,
            durable=durable,
            **kwargs,
        )
        self.replace = replace
        self.compression = checks.optional(checks.one_of(("gzip",)))("compression", compression)
        self.on_empty: OnEmpty = checks.one_of(("publish", "skip", "fail"))("on_empty", on_empty)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            show_common_parameters(vars(cls)["__init__"])

    def store(self) -> Store:
        """The object's place; made once per execution.

        :raises InvalidValue: there can't be such a place.
        :raises AirflowOptionalProviderFeatureException: the store's extra is not installed.
        """
        raise NotImplementedError

    def goal(self, context: Context) -> Landing:
        """The object in the store."""
        from airflow_provider_contactcenter.transfers.landing import Landing

        return Landing(
            store=self.store(),
            compression=self.compression,
            on_empty=self.on_empty,
            replace=self.replace,
            outlets=self.outlets or (),
            context=context,
            log=self.log,
        )

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """For the OpenLineage provider: the report as input, the object as output, with rows and bytes."""
        from airflow_provider_contactcenter.transfers import lineage

        run = self.current.run
        return lineage.on_complete(run)


def show_common_parameters(init: Any) -> None:
    """Let the signature of a transfer's ``__init__`` show what it passes on: noun first, own, common."""
    common = dict(inspect.signature(ContactCenterTransferOperator.__init__).parameters)
    own = dict(inspect.signature(init).parameters)
    me, rest = own.pop("self"), own.pop("kwargs")
    for name in ("self", "kwargs"):
        common.pop(name)
    nouns = [common.pop(name) for name in ("report", "job")]
    parameters = [me, *nouns, *own.values(), *common.values(), rest]
    init.__signature__ = inspect.Signature(parameters)


def template_fields(*own: str) -> Sequence[str]:
    """``report`` and ``job`` come first: the key's template may use the report."""
    return ("report", "job", *own)
