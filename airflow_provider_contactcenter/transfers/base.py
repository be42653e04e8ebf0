"""From a ready job to an object in a store, all or nothing: what the transfer operators share."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from airflow.providers.common.compat.sdk import conf

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.links import LandedObjectLink, VendorDocsLink
from airflow_provider_contactcenter.nouns import Delivery, Job, Report
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator
from airflow_provider_contactcenter.shapes import Shape, check_shape
from airflow_provider_contactcenter.transfers.choices import OnEmpty, OnExists

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.stores.base import Store
    from airflow_provider_contactcenter.transfers.landing import Landing


#: templated by every transfer
NOUNS = ("report", "job")
COMMON = ("shape", "manifest", "partition_key")


class ContactCenterTransferOperator(ContactCenterBaseOperator):
    """Lands a report as one object; a subclass is the parameters of its store, and the store made of them.

    A subclass's ``__init__`` names its own parameters alone; its signature shows the common ones too.

    :param shape: which columns land, under which names, in which format: what
        :func:`airflow_provider_contactcenter.shapes.shape` returns (templated). None: the report's own
        ``shape``, else the vendor's file as it came.
    :param compression: None or ``"gzip"``. The key stays as given, the content type becomes
        ``application/gzip``, and the same input gives the same bytes. Not with Parquet, which is compressed
        inside.
    :param on_empty: what a report without rows does: ``publish`` lands the empty file, ``skip`` skips the
        task, ``fail`` fails it.
    :param replace: overwrite an object that is there already.
    :param on_exists: what an object that is there already does with ``replace=False``: ``fail`` fails the
        task, ``skip`` skips it; in either case nothing is submitted.
    :param manifest: key of a small JSON file in the same store, which says what landed (templated). The old
        one is removed before the upload, and the new one written after it; one that can't be written fails
        the task.
    :param partition_key: key of the events of the task's asset outlets, at most 250 characters (templated);
        the run's own unless given. Needs Airflow 3.3. An event with a key starts no consumer that isn't
        partitioned.
    """

    operator_extra_links = (LandedObjectLink(), VendorDocsLink())

    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        shape: Shape | None = None,
        compression: Literal["gzip"] | None = None,
        on_empty: OnEmpty = "publish",
        replace: bool = True,
        on_exists: OnExists = "fail",
        manifest: str | None = None,
        partition_key: str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
        cancel_on_kill: bool = True,
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
            cancel_on_kill=cancel_on_kill,
            **kwargs,
        )
        self.shape = shape
        self.replace = replace
        self.on_exists: OnExists = checks.one_of(("fail", "skip"))("on_exists", on_exists)
        if replace and on_exists == "skip":
            raise InvalidValue(
                "on_exists='skip' is not allowed with replace=True, which overwrites what is there: give "
                "replace=False."
            )
        self.manifest = manifest
        self.partition_key = partition_key
        self.compression = checks.optional(checks.one_of(("gzip",)))("compression", compression)
        if shape is not None and not checks.pending(shape):
            check_compression(self.compression, check_shape(shape))
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

    def _beside(self, store: Store) -> Store:
        """The manifest's place in the same store."""
        try:
            return store.at(cast("str", self.manifest))
        except InvalidValue as error:  # which names the parameter of the object itself
            why = str(error).partition(" is not allowed: ")[2] or str(error)
            raise InvalidValue(f"manifest={self.manifest!r} is not allowed: {why}") from None

    def goal(self, context: Context) -> Landing:
        """The object in the store."""
        from airflow_provider_contactcenter.transfers.events import check_partition_key
        from airflow_provider_contactcenter.transfers.landing import Landing, shape_of

        refuse_one_key_for_all(self, context)
        store, outlets = self.store(), self.outlets or ()
        manifest = None if self.manifest is None else self._beside(store)
        if manifest is not None and manifest.uri == store.uri:
            raise InvalidValue(f"manifest={self.manifest!r} is not allowed: the report itself lands there.")
        report = self.report if self.report is not None else cast("Job", self.job)["report"]
        shape = shape_of(self.shape, report)
        check_compression(self.compression, shape)
        return Landing(
            store=store,
            shape=shape,
            compression=self.compression,
            on_empty=self.on_empty,
            replace=self.replace,
            on_exists=self.on_exists,
            manifest=manifest,
            partition_key=check_partition_key(self.partition_key, outlets),
            outlets=outlets,
            context=context,
            log=self.log,
        )

    def lineage_outputs(self, delivery: Delivery | None) -> list[Any]:
        """The assets of the task's outlets, or the object where there is none."""
        from airflow_provider_contactcenter.transfers import lineage

        run, outlets = self.current.run, self.outlets or ()
        if delivery is None or run is None:
            return lineage.outputs(self.store(), outlets, None)
        landing = cast("Landing", run.goal)
        report = run.hook.dataset(run.known["report"])
        return lineage.outputs(
            landing.store,
            outlets,
            delivery,
            report=report,
            shaped=landing.shaped,
            created=not landing.replace,
        )


def check_compression(compression: str | None, shape: Shape | None) -> None:
    """Refuse to pack Parquet, which is packed inside: no loader reads it, and it gets no smaller.

    :raises InvalidValue: names the parameter and its value.
    """
    if compression is not None and shape is not None and shape["file_format"] == "parquet":
        raise InvalidValue(
            f"compression={compression!r} is not allowed with Parquet, which is compressed inside, and which "
            "no loader reads in another wrapping: leave it out."
        )


def refuse_one_key_for_all(task: ContactCenterTransferOperator, context: Context) -> None:
    """Refuse a mapped task a key that all of them have: each would replace what the one before it landed.

    The first one lands; only from the second on is it known that there are several.

    :raises InvalidValue: names the parameter and its value.
    """
    if (getattr(context["ti"], "map_index", None) or 0) < 1 or "dag" not in context:
        return
    mapped = context["dag"].get_task(task.task_id)
    if not hasattr(mapped, "partial_kwargs"):
        return  # a plain task of a mapped group: its templates are rendered, and nobody knows what they were
    own = [name for name in task.template_fields if name not in (*NOUNS, *COMMON)]
    # What ``partial`` took, as it stands in the DAG file; the task itself is rendered by now.
    same = {name: mapped.partial_kwargs[name] for name in own if name in mapped.partial_kwargs}
    if not checks.pending(same) and _differing(mapped, context).isdisjoint(own):
        noun = "report" if task.report is not None else "job['report']"
        given = ", ".join(f"{name}={value!r}" for name, value in same.items() if isinstance(value, str))
        raise InvalidValue(
            f"{given} is not allowed in mapped tasks, which would replace each other's object: use a "
            f"template that differs between them, such as {{{{ task.{noun}['params']['start'] }}}}."
        )


def _differing(mapped: Any, context: Context) -> set[str]:
    """The parameters that a mapped task's ``expand`` or ``expand_kwargs`` gives to at least one of them."""
    value = mapped.expand_input.value
    if isinstance(value, Mapping):
        return set(value)
    # What expand_kwargs took: dicts, or what upstream tasks return, as a whole or one by one.
    dicts = value if isinstance(value, Sequence) else value.resolve(context)
    return {name for each in dicts for name in (each if isinstance(each, Mapping) else each.resolve(context))}


def show_common_parameters(init: Any) -> None:
    """Let the signature of a transfer's ``__init__`` show what it passes on: noun first, own, common."""
    common = dict(inspect.signature(ContactCenterTransferOperator.__init__).parameters)
    own = dict(inspect.signature(init).parameters)
    me, rest = own.pop("self"), own.pop("kwargs")
    for name in ("self", "kwargs"):
        common.pop(name)
    nouns = [common.pop(name) for name in NOUNS]
    parameters = [me, *nouns, *own.values(), *common.values(), rest]
    init.__signature__ = inspect.Signature(parameters)


def template_fields(*own: str) -> Sequence[str]:
    """The nouns come first: the key's template may use the report."""
    return (*NOUNS, *own, *COMMON)
