"""From a ready job to an object in a store, all or nothing.

The store's own uploader reads a :class:`Body`; whatever proves the report incomplete is raised while it
reads, so the upload is aborted before anything appears under the final key.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import (
    ContactCenterEmptyError,
    ContactCenterError,
    ContactCenterObjectExistsError,
    ContactCenterStoreError,
)
from airflow_provider_contactcenter.nouns import Delivery, Job, Report, window_of
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.pipeline.stream import ReportStream

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
    """Lands a report as one object; subclasses know the store.

    :param replace: overwrite an object that is there already; otherwise it fails the task before anything
        is ordered.
    :param compression: None or ``"gzip"``. The key stays as given, the content type becomes
        ``application/gzip``, and the same input gives the same bytes.
    :param on_empty: what a report without rows does: ``publish`` lands the empty file, ``skip`` skips the
        task, ``fail`` fails it.
    """

    def __init__(
        self,
        *,
        replace: bool = True,
        compression: Literal["gzip"] | None = None,
        on_empty: OnEmpty = "publish",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replace = replace
        self.compression = checks.optional(checks.one_of(("gzip",)))("compression", compression)
        self.on_empty: OnEmpty = checks.one_of(("publish", "skip", "fail"))("on_empty", on_empty)

    # -- what subclasses say ---------------------------------------------------------------------------

    def uri(self) -> str:
        """The object's URI."""
        raise NotImplementedError

    def refuse_existing(self) -> None:
        """Raise ContactCenterObjectExistsError if there is an object under the key."""
        raise NotImplementedError

    def upload(self, body: Body, content_type: str) -> None:
        """Upload the body, or abort and leave what was there."""
        raise NotImplementedError

    # -- the rest of the life --------------------------------------------------------------------------

    def before_submit(self, context: Context) -> None:
        """``replace=False`` is checked before the vendor's quota is spent."""
        if not self.replace:
            with self._storing():
                self.refuse_existing()

    def finish(self, job: Job, context: Context) -> Delivery:
        """Stream the report into the store; return what landed."""
        from airflow_provider_contactcenter.pipeline.formats import content_type

        stream = self._hook(job).stream(job)
        file_type = content_type(stream.file_format, self.compression)
        self._body = body = Body(stream, self.compression, self._refuse_empty)
        try:
            with self._storing():
                if not self.replace:
                    self.refuse_existing()  # once more: hours may have passed since the report was ordered
                self.upload(body, file_type)
        except Exception:
            # An uploader may wrap what was raised while it read.
            if body.error is not None:
                raise body.error from None
            raise
        finally:
            body.close()
        delivery = Delivery(
            uri=self.uri(),
            bytes=body.bytes,
            rows=stream.rows,
            sha256=body.sha256,
            content_type=file_type,
            compression=self.compression,
            job=job,
            window=window_of(job["report"]),
            vendor_total=stream.vendor_total,
            complete=stream.complete,
        )
        if stream.complete is None:
            self.log.warning("Nothing in the vendor's answer proves that %s is complete.", delivery["uri"])
        self.log.info("Landed %s rows, %s bytes in %s.", stream.rows, body.bytes, delivery["uri"])
        self._tell_assets(delivery, context)
        self._delivery = delivery
        return delivery

    def on_kill(self) -> None:
        """Abort the upload, if there is one."""
        if (body := getattr(self, "_body", None)) is not None:
            body.stop()
        super().on_kill()

    def _refuse_empty(self) -> None:
        if self.on_empty == "publish":
            return
        sentence = self._message(
            f"the report holds no rows, and on_empty={self.on_empty!r}",
            "Nothing was published; on_empty='publish' would land the empty file.",
        )
        raise AirflowSkipException(sentence) if self.on_empty == "skip" else ContactCenterEmptyError(sentence)

    def _exists(self) -> ContactCenterObjectExistsError:
        return ContactCenterObjectExistsError(
            self._message(
                f"there is an object at {self.uri()}, and replace=False",
                "Remove the object, or take another key.",
            )
        )

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """Within the block, what the store's own libraries raise becomes one typed error."""
        try:
            yield
        except AirflowException:
            raise  # says what it is: ours, a connection that is missing, an extra that isn't installed
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            # Whoever knows the query of an upload under way may write to it: not shown, not chained either.
            said = re.sub(r"\?[^\s'\"()]+", "?***", said)
            raise ContactCenterStoreError(
                self._message(
                    f"{self.uri()} could not be written ({said})",
                    "Nothing new is under the key; a retry of the task uploads the report again.",
                )
            ) from None

    def _tell_assets(self, delivery: Delivery, context: Context) -> None:
        """Put the numbers into the events of the task's outlets, and the object into its lineage."""
        told = ("uri", "rows", "bytes", "sha256", "window", "complete")
        extra = {name: value for name, value in delivery.items() if name in told}
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra.update(extra)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """For the OpenLineage provider: the report as input, the object as output, with rows and bytes."""
        from airflow.providers.common.compat.openlineage.facet import (
            Dataset,
            OutputDataset,
            OutputStatisticsOutputDatasetFacet,
        )
        from airflow.providers.openlineage.extractors import OperatorLineage

        delivery: Delivery | None = getattr(self, "_delivery", None)
        if delivery is None:
            return OperatorLineage()
        report = delivery["job"]["report"]
        scheme, _, place = delivery["uri"].partition("://")
        bucket, _, key = place.partition("/")
        numbers = OutputStatisticsOutputDatasetFacet(rowCount=delivery["rows"], size=delivery["bytes"])
        return OperatorLineage(
            inputs=[Dataset(namespace=f"{report['vendor']}://{report['conn_id']}", name=_name(report))],
            outputs=[
                OutputDataset(
                    namespace=f"{scheme}://{bucket}", name=key, outputFacets={"outputStatistics": numbers}
                )
            ],
        )


def _name(report: Report) -> str:
    """What a report is called in lineage: its kind, and the vendor's name for it where it has one."""
    params = report["params"]
    named = [params[name] for name in ("report_type", "export_id", "summary") if params.get(name)]
    return "/".join([report["kind"], *named])


def name_of(parameter: str, value: Any) -> str:
    """A bucket's or an object's name as it is used; native rendering makes a number of ``20240501``.

    :raises InvalidValue: it is empty, a URL, or a template that nobody rendered.
    """
    if checks.pending(value):
        raise InvalidValue(
            f"{parameter}={value!r} is not allowed: it holds a template that was never rendered; Airflow "
            "renders templates in an operator's arguments, but not in values that come out of XCom: write "
            "them already rendered."
        )
    name = checks.text(parameter, value)
    if "://" in name:
        raise InvalidValue(f"{parameter}={value!r} is not allowed: give the name alone, without '://'.")
    return name


def template_fields(*own: str) -> Sequence[str]:
    """``report`` and ``job`` come first: the key's template may use the report."""
    return ("report", "job", *own)
