"""What a task remembers across its retries: the job it submitted, so that no retry submits it again, and
what it was about to land under a key that it mustn't replace, so that a retry knows its own object.

Airflow 3.3's task state store survives retries and a worker's death. It also survives a clear, which
must submit again: a clear changes ``max_tries``, a retry doesn't. Below 3.3 nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_contactcenter.exceptions import ContactCenterError, ContactCenterSubmitLostError
from airflow_provider_contactcenter.nouns import Job, Report

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import Context

#: the key under which the record lies; never rename it
KEY = "contactcenter_job"


def fingerprint(report: Report) -> str:
    """Tells one report (in its normal form) from another; in which shape it lands doesn't matter."""
    asked = {name: value for name, value in report.items() if name != "shape"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Memory:
    """One task's record: fingerprint of the report, ``max_tries`` of the task, the job once it is known.

    Behind the last byte of a report that mustn't replace anything stands in it, too, what is landing.
    """

    def __init__(self, context: Context, durable: bool, log: Logger) -> None:
        self._store: Any = context.get("task_state_store") if durable else None
        self._ti: Any = context["ti"]
        self._durable = durable
        self._log = log

    def recall(self, report: Report) -> Job | None:
        """The job of an earlier try of this run of the task, submitted for the same report."""
        if self._store is None:
            if self._durable and getattr(self._ti, "try_number", 1) > 1:
                self._log.info(
                    "This Airflow has no task state store (3.3 brings it), so this retry submits the "
                    "report again; ContactCenterReportOperator with a transfer behind it avoids that."
                )
            return None
        record = self._store.get(KEY)
        if not isinstance(record, dict):
            return None
        if record.get("max_tries") != self._ti.max_tries or record.get("fingerprint") != fingerprint(report):
            self._log.info(
                "Job %s of an earlier run is not taken up: the task was cleared or its report changed.",
                (record.get("job") or {}).get("job_id"),
            )
            self.forget()
            return None
        if record.get("job") is None:
            self._log.warning(
                "An earlier try set out to submit this report and never learned its job id: the report may "
                "have been submitted twice."
            )
            return None
        job = cast("Job", record["job"])
        return None if job["job_id"] is None else job  # the vendor knows no jobs: nothing to take up

    def landing(self, report: Report) -> dict[str, Any] | None:
        """What an earlier try of this run of the task was about to land, for the same report."""
        record = None if self._store is None else self._store.get(KEY)
        if not isinstance(record, dict) or record.get("max_tries") != self._ti.max_tries:
            return None
        found = record.get("landing")
        return found if isinstance(found, dict) and record.get("fingerprint") == fingerprint(report) else None

    @property
    def lasts(self) -> bool:
        """Whether anything is remembered."""
        return self._store is not None

    @property
    def may_have_lost(self) -> bool:
        """Whether an earlier try may have landed something that nobody remembers."""
        return int(getattr(self._ti, "try_number", 1)) > 1

    def intend(self, report: Report) -> None:
        """Write down that the report is about to be submitted."""
        self._write(report, None)

    def keep(self, report: Report, job: Job) -> None:
        """Write down the job. It is submitted by now, so a store that fails must not fail the task."""
        if job["job_id"] is None:  # the vendor knows no jobs: there is nothing that a retry could take up
            self.forget()
            return
        try:
            self._write(report, job)
        except Exception:
            self._log.exception(
                "Job %s could not be remembered; a retry would submit it again.", job["job_id"]
            )

    def keep_landing(self, job: Job, landing: dict[str, Any] | None) -> None:
        """Write down what the store is about to publish, or (None) that it won't."""
        try:
            self._write(job["report"], job, landing)
        except Exception:
            self._log.exception(
                "What lands could not be remembered; a retry would take it for another writer's object."
            )

    def failed(self, error: ContactCenterError) -> None:
        """The report was refused, so nothing is owed; where the answer was lost the intent stays."""
        if not isinstance(error, ContactCenterSubmitLostError):
            self.forget()

    def forget(self) -> None:
        """Leave nothing behind."""
        if self._store is not None:
            try:
                self._store.delete(KEY)
            except Exception:
                # What it says is checked before it is used, so a record too many does no harm.
                self._log.exception("The record of this task's job could not be removed.")

    def _write(self, report: Report, job: Job | None, landing: dict[str, Any] | None = None) -> None:
        if self._store is not None:
            record = {"fingerprint": fingerprint(report), "max_tries": self._ti.max_tries, "job": job}
            self._store.set(KEY, record if landing is None else {**record, "landing": landing})
