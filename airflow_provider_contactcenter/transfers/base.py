"""From a ready job to an object in a store, all or nothing: what the transfer operators share."""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import conf

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.exceptions import ContactCenterError
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.pipeline.stream import ReportStream
    from airflow_provider_contactcenter.stores.base import Store
    from airflow_provider_contactcenter.transfers.landing import Landing

OnEmpty = Literal["publish", "skip", "fail"]


class Body(io.RawIOBase):
    """A report as a file to read once, from its start to its end.

    Counts and hashes what is read. The end is only reported after the report is proved whole; what stands
    in the way is raised from ``read`` and kept in ``error``, for an uploader that wraps it.

    :param on_no_rows: called at the end of a report without rows; may raise.
    """

    def __init__(self, stream: ReportStream, compression: str | None, on_no_rows: Callable[[], None]) -> None:
        super().__init__()
        self.bytes = 0
        self.error: BaseException | None = None
        self._stream = stream
        self._on_no_rows = on_no_rows
        self._compressed_hash: Any = None
        self._pieces = self._compressed() if compression else iter(stream)
        self._left = memoryview(b"")

    @property
    def sha256(self) -> str:
        """Hex digest of the whole, once it was read to its end."""
        return (self._compressed_hash or self._stream.hash).hexdigest()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, size: int | None = -1) -> bytes:
        """Exactly ``size`` bytes unless the end is near, as an uploader's part needs them."""
        wanted = size if size is not None and size >= 0 else None
        data = io.BytesIO()
        while wanted is None or data.tell() < wanted:
            if not self._left:
                piece = self._next()
                if not piece:
                    break
                self._left = memoryview(piece)
            part = self._left if wanted is None else self._left[: wanted - data.tell()]
            self._left = self._left[len(part) :]
            data.write(part)
        self.bytes += data.tell()
        return data.getvalue()

    def stop(self) -> None:
        """Let nobody read on, so that the uploader aborts."""
        self.error = ContactCenterError("The task was ended while the report came; nothing was published.")

    def close(self) -> None:
        """Let go of the vendor's connection."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _next(self) -> bytes:
        if self.error is not None:
            raise self.error
        try:
            for piece in self._pieces:
                if piece:
                    return piece
            if self._stream.rows == 0:
                self._on_no_rows()
        except BaseException as error:
            self.error = error
            raise
        return b""

    def _compressed(self) -> Iterator[bytes]:
        from airflow_provider_contactcenter.pipeline.formats import Gzip

        gzip, packed_hash = Gzip(), hashlib.sha256()
        self._compressed_hash = packed_hash
        for piece in self._stream:
            packed = gzip.feed(piece)
            packed_hash.update(packed)
            yield packed
        packed = gzip.finish()
        packed_hash.update(packed)
        yield packed


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
