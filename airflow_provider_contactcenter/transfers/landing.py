"""One report on its way into one object: the goal of a transfer.

The store's own uploader reads the body; whatever proves the report incomplete is raised while it reads, so
the upload is given up before anything appears under the final key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowNotFoundException,
    AirflowSkipException,
    BaseHook,
)

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import (
    ContactCenterEmptyError,
    ContactCenterError,
    ContactCenterInvalidReportError,
    ContactCenterObjectExistsError,
    ContactCenterShapeError,
    ContactCenterStoreError,
    ContactCenterUnavailableError,
)
from airflow_provider_contactcenter.links import OBJECT
from airflow_provider_contactcenter.nouns import Delivery, Job, Report, Source, window_of
from airflow_provider_contactcenter.pipeline.assemble import assemble
from airflow_provider_contactcenter.pipeline.formats import content_type
from airflow_provider_contactcenter.pipeline.incomplete import counted
from airflow_provider_contactcenter.pipeline.transform import schema_fingerprint, transform
from airflow_provider_contactcenter.shapes import Shape, check_shape
from airflow_provider_contactcenter.stores.base import ObjectExists, wording
from airflow_provider_contactcenter.transfers import events, manifest
from airflow_provider_contactcenter.transfers.choices import OnEmpty, OnExists

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.life.run import Run
    from airflow_provider_contactcenter.pipeline.body import Body
    from airflow_provider_contactcenter.pipeline.source import ReportStream
    from airflow_provider_contactcenter.pipeline.stage import Transform
    from airflow_provider_contactcenter.stores.base import Store


#: said on a retry that finds an object which it can't know to be this task's own
UNSURE = (
    " If an earlier try of this task landed it just before it ended, it has no event and perhaps no "
    "manifest: remove it and clear the task, which then lands it again."
)


class Landed(TypedDict):
    """What landed, in JSON: the delivery, and what else its manifest and its lineage say."""

    delivery: Delivery
    #: as a manifest has them; None where nobody looked
    columns: list[dict[str, Any]] | None
    key_fingerprint: str | None
    #: whether a shape made the columns
    reshaped: bool
    shape: dict[str, Any] | None


@dataclass(kw_only=True)
class Landing:
    """What a transfer's parameters ask for, and the body that is under way."""

    store: Store
    shape: Shape | None
    compression: str | None
    on_empty: OnEmpty
    replace: bool
    on_exists: OnExists
    #: the manifest's place
    manifest: Store | None
    partition_key: str | None
    outlets: Sequence[Any]
    context: Context
    log: Logger
    waits: bool = True
    #: the landed object's page in the store's console
    console: str | None = None
    #: the columns that a shape made, as a manifest has them; None where the report landed as it came
    shaped: Sequence[Mapping[str, Any]] | None = None
    _body: Body | None = None
    #: what an earlier try of this task landed before it ended
    _own: Landed | None = None

    def check(self, run: Run) -> Job | None:
        """An object that mustn't be replaced, or a store that can't be written, costs no report.

        :return: the job, if the object is what an earlier try of this task put there before it ended.
        """
        report = run.known["report"] if run.report is None else run.report
        if reshape := self._reshaping():
            # What comes as lines in the end, such as pages, is asked for by many names or by none.
            asked = report["params"].get("file_format")
            reshape(asked if asked in {"csv", "xlsx", "json_bulk"} else "jsonl")
        advice = "Nothing was submitted; check the store, and let the task run again."
        with self._storing(run, self.store, advice):
            there = not self.replace and self.store.exists()
        if there:
            self._own = self._landed_before(run, report)
        with self._storing(run, self.store, advice):
            if self._own is not None:
                return self._own["delivery"]["job"]
            if there:
                raise ObjectExists(self.store.uri)
            self.store.check(replace=self.replace)
        if self.manifest is not None:
            with self._storing(run, self.manifest, advice):
                self.manifest.check()
        return None

    def reach(self, run: Run, job: Job) -> Delivery:
        """Stream the report into the store; return what landed."""
        landed = self._land(run, job) if self._own is None else self._own
        delivery, columns = landed["delivery"], landed["columns"]
        if landed["reshaped"]:
            self.shaped = columns
        what = "an unknown number of rows" if delivery["rows"] is None else counted(delivery["rows"])
        self.log.info("Landed %s, %s bytes in %s.", what, delivery["bytes"], delivery["uri"])
        self._write_manifest(run, delivery, columns, landed["key_fingerprint"])
        self._link()
        self._tell_lineage(run, delivery)
        events.tell(delivery, self.outlets, self.partition_key, self.context, self.log)
        events.compare_columns(delivery, self.outlets, self.context, self.log)
        return delivery

    def _land(self, run: Run, job: Job) -> Landed:
        """Stream the report into the store."""
        stream = run.hook.stream(job)
        self._body = body = assemble(
            stream,
            transform=self._reshaping(),
            compression=self.compression,
            on_no_rows=lambda: self._refuse_empty(run),
        )
        if not self.replace:
            # From here on the object may stand although this try doesn't live to see it.
            body.on_end = lambda: run.memory.keep_landing(job, dict(self._landed(job, stream, body)))
        file_type = content_type(self._file_format(stream), self.compression)
        if run.killed:
            self.stop()
        advice = "Nothing new is under the key; a retry of the task uploads the report again."
        try:
            with self._storing(run, self.store, advice):
                self._refuse_existing()  # once more: hours may have passed since the report was submitted
                self._remove_manifest(run)
                try:
                    stored = self.store.put(body, content_type=file_type, replace=self.replace)
                except ObjectExists:
                    run.memory.keep_landing(job, None)  # another writer's, even if it is the same report
                    raise
            if not body.ended:
                raise body.error or ContactCenterStoreError(
                    run.message(
                        f"{self.store.uri} took {body.bytes} bytes and did not ask for the rest",
                        "What is under the key isn't the whole report: remove it, and have the store mended.",
                    )
                )
        except Exception:
            # An uploader may wrap what was raised while it read.
            if isinstance(body.error, ContactCenterShapeError):  # it knows column and row, not whose they are
                raise ContactCenterShapeError(
                    run.message(
                        f"the report doesn't fit its shape: {str(body.error).removesuffix('.')}",
                        "Nothing new is under the key.",
                    )
                ) from None
            if body.error is not None:
                raise body.error from None
            raise
        finally:
            body.close()
        for caveat in body.reshaped.caveats if body.reshaped is not None else ():
            self.log.warning("%s", caveat)
        landed = self._landed(job, stream, body)
        landed["delivery"]["store"] = dict(stored)
        return landed

    def _file_format(self, stream: ReportStream) -> str:
        return (self.shape and self.shape["file_format"]) or stream.file_format

    def _landed(self, job: Job, stream: ReportStream, body: Body) -> Landed:
        """What lands, once all of it was read."""
        columns: Sequence[Mapping[str, Any]] = [
            {"name": name, "type": "string", "from": name, "treatment": None} for name in stream.columns or ()
        ]
        rows, caveats, key_fingerprint = stream.rows, list(stream.caveats), None
        if body.reshaped is not None:
            key_fingerprint = body.reshaped.key_fingerprint
            columns, rows = body.reshaped.columns or (), body.reshaped.rows
            caveats += body.reshaped.caveats
        file_format = self._file_format(stream)
        delivery = Delivery(
            uri=self.store.uri,
            bytes=body.bytes,
            rows=rows,
            sha256=body.sha256,
            content_type=content_type(file_format, self.compression),
            compression=self.compression,
            job=job,
            window=window_of(job["report"]),
            vendor_total=stream.vendor_total,
            complete=stream.complete,
            file_format=file_format,
            columns=[each["name"] for each in columns] if columns else None,
            schema_fingerprint=schema_fingerprint(columns) if columns else None,
            source=Source(
                bytes=stream.facts.size,
                rows=stream.facts.rows,
                sha256=stream.facts.sha256,
                file_format=stream.facts.file_format,
            ),
            store={},
            # What the pages say is later than what was said when the report was submitted.
            provisional=True if stream.facts.provisional else job.get("provisional"),
            caveats=caveats,
            manifest=self.manifest.uri if self.manifest is not None else None,
        )
        return Landed(
            delivery=delivery,
            columns=[dict(each) for each in columns] or None,
            key_fingerprint=key_fingerprint,
            reshaped=body.reshaped is not None,
            shape=None if self.shape is None else dict(self.shape),
        )

    def _landed_before(self, run: Run, report: Report) -> Landed | None:
        """What an earlier try of this task landed before it ended, if that is what is under the key.

        It had come to the report's end, and the object holds the same bytes.
        """
        landed = cast("Landed | None", run.memory.landing(report))
        if landed is None:
            return None
        delivery = landed["delivery"]
        place = self.manifest.uri if self.manifest is not None else None
        told = (delivery["uri"], delivery["compression"], landed["shape"], delivery["manifest"])
        if told != (self.store.uri, self.compression, self.shape, place):
            return None  # the DAG has changed since
        advice = (
            "An earlier try of this task may have landed it before it ended; reading it would tell. Let the "
            "connection read it, or remove it; then let the task run again."
        )
        size, digest = 0, hashlib.sha256()
        with self._storing(run, self.store, advice, "read"):
            for piece in self.store.read():
                size += len(piece)
                digest.update(piece)
                if run.killed:
                    raise ContactCenterError("The task was ended while it looked at what is under the key.")
                if size > delivery["bytes"]:
                    return None
        if (size, digest.hexdigest()) != (delivery["bytes"], delivery["sha256"]):
            return None
        self.log.info("%s is what an earlier try of this task landed before it ended.", self.store.uri)
        return landed

    def _tell_lineage(self, run: Run, delivery: Delivery) -> None:
        """Name the object to whoever collects what hooks write: not every store's own hook does."""
        try:
            get_hook_lineage_collector().add_output_asset(context=run.hook, uri=delivery["uri"])
        except Exception as error:  # the object stands by now
            self.log.info("The object can't be named to lineage (%s).", type(error).__name__)

    def _link(self) -> None:
        """Write down where the store's console shows the object, for the link in the UI."""
        try:
            self.console = self.store.console
            if self.console:
                self.context["ti"].xcom_push(key=OBJECT, value=self.console)
        except Exception as error:  # the object stands by now
            self.log.info("The link to the object can't be written down (%s).", type(error).__name__)

    def stop(self) -> None:
        """Let the upload give up."""
        if self._body is not None:
            self._body.stop(
                ContactCenterError("The task was ended while the report came; nothing was published.")
            )

    def _remove_manifest(self, run: Run) -> None:
        """Whoever starts at a manifest never finds one without its data."""
        if self.manifest is not None:
            with self._storing(run, self.manifest, "Nothing new is under the key; let the task run again."):
                self.manifest.delete()

    def _write_manifest(
        self,
        run: Run,
        delivery: Delivery,
        columns: Sequence[Mapping[str, Any]] | None,
        key_fingerprint: str | None,
    ) -> None:
        if self.manifest is None:
            return
        said = manifest.contents(delivery, columns, key_fingerprint, self.context, run.clock.now())
        again = "a retry of the task lands both again"
        if not self.replace:
            again = "a retry of the task writes the manifest"
            if not run.memory.lasts:
                again = "replace=False keeps a retry from landing it again, so remove it first"
        advice = f"The report stands at {delivery['uri']}, but readers of manifests don't see it; {again}."
        with self._storing(run, self.manifest, advice):
            self.manifest.put(manifest.body(said), content_type=manifest.CONTENT_TYPE)

    def _reshaping(self) -> Callable[[str], Transform] | None:
        """What makes the stage, for the format that comes; None where the report lands as it is."""
        shape = self.shape
        if shape is None:
            return None
        key = hash_key(shape["hash_conn_id"]) if shape["hash"] else None
        return lambda source_format: transform(shape, source_format, key=key)

    def _refuse_existing(self) -> None:
        if not self.replace and self.store.exists():
            raise ObjectExists(self.store.uri)

    def _refuse_empty(self, run: Run) -> None:
        if self.on_empty == "publish":
            return
        sentence = run.message(
            f"the report holds no rows, and on_empty={self.on_empty!r}",
            "Nothing was published; on_empty='publish' would land the empty file.",
        )
        raise AirflowSkipException(sentence) if self.on_empty == "skip" else ContactCenterEmptyError(sentence)

    @contextmanager
    def _storing(self, run: Run, store: Store, advice: str, what: str = "written") -> Iterator[None]:
        """Within the block, what the store's own libraries raise becomes one typed error."""
        try:
            yield
        except AirflowException:
            raise  # says what it is: ours, a connection that is missing, an extra that isn't installed
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(
                run.message(str(invalid).removesuffix("."), advice)
            ) from None
        except ObjectExists:
            there = f"there is an object at {store.uri}, and replace=False"
            unsure = UNSURE if run.memory.may_have_lost else ""
            if self.on_exists == "skip":
                raise AirflowSkipException(
                    run.message(there, f"It stays as it is: on_exists='skip'.{unsure}")
                ) from None
            raise ContactCenterObjectExistsError(
                run.message(there, f"Remove the object, take another key, or give on_exists='skip'.{unsure}")
            ) from None
        except Exception as error:
            # Not chained: a traceback would show the query of an upload, which lets its reader write.
            raise ContactCenterStoreError(
                run.message(f"{store.uri} could not be {what} ({wording(error)})", advice)
            ) from None


def shape_of(own: Shape | None, report: Report) -> Shape | None:
    """The shape that counts: the transfer's own, else the report's.

    :raises InvalidValue: it can't be used.
    """
    shape = report.get("shape") if own is None else own
    return None if shape is None else check_shape(shape)


def hash_key(conn_id: str | None) -> bytes:
    """The key of a shape's keyed hash: the password of a connection.

    :raises ContactCenterUnavailableError: there is no such connection, or it can't be read for now.
    :raises ContactCenterShapeError: it has no password.
    """
    what = f"The connection {conn_id!r}, whose password is the key to hash with,"
    try:
        password = BaseHook.get_connection(str(conn_id)).password
    except (AirflowNotFoundException, PermissionError):
        # Airflow 3 says so, too, while its API server or a secrets backend is away.
        raise ContactCenterUnavailableError(
            f"{what} is missing, or can't be read for now: make it, or retry; nothing was landed."
        ) from None
    if not password:
        raise ContactCenterShapeError(f"{what} has none: set it; nothing was submitted or landed.")
    return str(password).encode()
