"""One report on its way into one object: the goal of a transfer.

The store's own uploader reads the body; whatever proves the report incomplete is raised while it reads, so
the upload is given up before anything appears under the final key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from airflow_provider_contactcenter.exceptions import (
    ContactCenterEmptyError,
    ContactCenterObjectExistsError,
    ContactCenterStoreError,
)
from airflow_provider_contactcenter.nouns import Delivery, Job, window_of
from airflow_provider_contactcenter.pipeline.formats import content_type
from airflow_provider_contactcenter.stores.base import ObjectExists, wording
from airflow_provider_contactcenter.transfers import events
from airflow_provider_contactcenter.transfers.base import Body, OnEmpty

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.life.run import Run
    from airflow_provider_contactcenter.stores.base import Store


@dataclass(kw_only=True)
class Landing:
    """What a transfer's parameters ask for, and the body that is under way."""

    store: Store
    compression: str | None
    on_empty: OnEmpty
    replace: bool
    outlets: Sequence[Any]
    context: Context
    log: Logger
    waits: bool = True
    _body: Body | None = None

    def check(self, run: Run) -> None:
        """An object that mustn't be replaced, or a store that can't be written, costs no report."""
        with self._storing(run, "Nothing was submitted; see to the store, and let the task run again."):
            self._refuse_existing()
            self.store.check(replace=self.replace)

    def reach(self, run: Run, job: Job) -> Delivery:
        """Stream the report into the store; return what landed."""
        stream = run.hook.stream(job)
        file_type = content_type(stream.file_format, self.compression)
        self._body = body = Body(stream, self.compression, lambda: self._refuse_empty(run))
        if run.killed:
            self.stop()
        try:
            with self._storing(
                run, "Nothing new is under the key; a retry of the task uploads the report again."
            ):
                self._refuse_existing()  # once more: hours may have passed since the report was submitted
                self.store.put(body, content_type=file_type, replace=self.replace)
        except Exception:
            # An uploader may wrap what was raised while it read.
            if body.error is not None:
                raise body.error from None
            raise
        finally:
            body.close()
        delivery = Delivery(
            uri=self.store.uri,
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
        events.tell(delivery, self.outlets, self.context, self.log)
        return delivery

    def stop(self) -> None:
        """Let the upload give up."""
        if self._body is not None:
            self._body.stop()

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
    def _storing(self, run: Run, advice: str) -> Iterator[None]:
        """Within the block, what the store's own libraries raise becomes one typed error."""
        try:
            yield
        except AirflowException:
            raise  # says what it is: ours, a connection that is missing, an extra that isn't installed
        except ObjectExists:
            raise ContactCenterObjectExistsError(
                run.message(
                    f"there is an object at {self.store.uri}, and replace=False",
                    "Remove the object, or take another key.",
                )
            ) from None
        except Exception as error:
            # Not chained: a traceback would show the query of an upload, which lets its reader write.
            raise ContactCenterStoreError(
                run.message(f"{self.store.uri} could not be written ({wording(error)})", advice)
            ) from None
