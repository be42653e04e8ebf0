"""One execution of a task: a report is submitted once, its job waited for, and the task's goal reached.

Retries, deferrals and clears make several executions of one task; what goes from one to the next lies in
:mod:`~airflow_provider_contactcenter.life.memory` (across tries) or in the trigger's event (across a
deferral).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_contactcenter.exceptions import (
    ContactCenterError,
    ContactCenterExpiredError,
    ContactCenterPermissionError,
    ContactCenterQuotaError,
    ContactCenterReportFailedError,
    ContactCenterTimeoutError,
)
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.life import ending
from airflow_provider_contactcenter.life.waiting import (
    CANCELLED,
    LIFE,
    LONGEST_WATERMARK_PAUSE,
    RUNS_ON,
    SILENCE,
    WATERMARK_PAUSE,
    Event,
    Sleep,
    jittered,
    outcome,
    seen_line,
    still_line,
    wait,
)
from airflow_provider_contactcenter.nouns import Job, Report, Status, called, spoken, window_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

if TYPE_CHECKING:
    from logging import Logger

    from airflow_provider_contactcenter.clock import Clock
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook
    from airflow_provider_contactcenter.life.memory import Memory

#: the deadline of a task that has none; a year before the calendar's end, for Airflow reckons on from there
NEVER = datetime(datetime.max.year, 1, 1, tzinfo=UTC)
#: seconds between two tries to submit a report at a vendor that is full; doubled each time
QUOTA_PAUSE, LONGEST_QUOTA_PAUSE = 60.0, 900.0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How long a task waits and how often it looks, as its parameters say."""

    poll_interval: float
    max_poll_interval: float
    report_timeout: timedelta
    execution_timeout: timedelta | None = None
    settle_delay: timedelta | None = None
    cancel_on_kill: bool = False
    #: the parameters that may end the wait, for its error
    limits: str = "report_timeout or execution_timeout"


@dataclass(frozen=True, kw_only=True)
class Waited:
    """What a task has waited for already before it could submit; goes through the timer's event."""

    since: datetime
    #: how often the vendor was full, or not yet so far
    waits: int = 0

    @property
    def payload(self) -> dict[str, Any]:
        """As JSON."""
        return {"waited_since": self.since.isoformat(), "waits": self.waits}

    @classmethod
    def of(cls, payload: Any, now: datetime) -> Waited:
        """What a timer gave back; a timer of another release may know less."""
        payload = payload if isinstance(payload, dict) else {}
        since = payload.get("waited_since")
        return cls(
            since=datetime.fromisoformat(since) if since else now,
            waits=int(payload.get("waits", 0)),
        )


class HandOver(Protocol):
    """Gives the wait to the triggerer; the execution ends there, so no method returns."""

    def watch(self, job: Job, terms: Terms, deadline: datetime) -> NoReturn:
        """Wait for the job."""

    def until(self, moment: datetime, payload: dict[str, Any] | None = None) -> NoReturn:
        """Wait for an instant."""

    def watermark(self, report: Report, deadline: datetime, payload: dict[str, Any]) -> NoReturn:
        """Wait until the vendor has all of the report's window."""


class Goal(Protocol):
    """What an execution is for."""

    #: whether the job has to be ready for it
    waits: bool

    def check(self, run: Run) -> Job | None:
        """Refuse what can be refused before anything is submitted.

        :return: the job, if an earlier try came so far that nothing is submitted or waited for any more.
        """

    def reach(self, run: Run, job: Job) -> Any:
        """Make the task's result of the job."""

    def stop(self) -> None:
        """The task was ended: publish nothing any more."""


class Run:
    """One execution. It knows report or job, hook, deadline, memory, clock, and whether it was killed.

    :param report: what to submit, checked; None if ``job`` was submitted by another task.
    :param job: the job, checked; None as long as nothing was submitted.
    :param label: says for which task, where the vendor gives a report a name.
    :param began: when this try began.
    :param announce: is given the job as soon as there is one.
    :param hand_over: None if the task waits on the worker.
    """

    def __init__(
        self,
        *,
        report: Report | None,
        job: Job | None,
        goal: Goal,
        terms: Terms,
        memory: Memory,
        clock: Clock,
        hand_over: HandOver | None,
        label: str,
        began: datetime | None,
        log: Logger,
        announce: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.report = report
        self.job = job
        self.goal = goal
        self.terms = terms
        self.memory = memory
        self.clock = clock
        self.killed = False
        #: whether rows of the window may still come, where the vendor tells
        self.provisional: bool | None = None
        #: what the goal made, for lineage
        self.result: Any = None
        #: how a sensor's wait ends if its last look was the last one, and what made looking impossible
        self.stand: Event | None = None
        self.unusable: ContactCenterError | None = None
        self._hand_over = hand_over
        self._label = label
        self._log = log
        self._announce = announce
        #: the job is over, as far as this execution knows
        self._over = False
        self._began = began or clock.now()
        #: of a sensor: the vendor's last word, the state it stands for, and when the log last had a line
        self._seen: str | None = None
        self._state: str | None = None
        self._said = self._began
        #: when ``execution_timeout`` is over, which Airflow 3 doesn't look at while a task is deferred
        self.cut_off = (
            NEVER if terms.execution_timeout is None else _after(self._began, terms.execution_timeout)
        )

    # -- what the task does ----------------------------------------------------------------------------

    def start(self, waited: Waited | None = None) -> Any:
        """Submit the report unless an earlier try did, wait, reach the goal; may hand over instead.

        :param waited: what this task has waited for already, if a timer resumes it.
        """
        try:
            done = self.goal.check(self)
        except AirflowSkipException:
            self.memory.forget()  # what an earlier try submitted is no longer wanted
            raise
        if done is not None:
            self.job, self._over = done, True
            self._announce(done)
            return self._reach()
        started = self.clock.now()
        if self.report is not None and self.job is None:
            self.job = self._remembered(self.report)
            if self.job is None:
                waited = waited or Waited(since=started)
                if self._settle(self.report, waited):
                    waited = Waited(since=self.clock.now())  # as behind the timer of a deferred wait
                self.job = self._submit(self.report, waited)
                started = datetime.fromisoformat(self.job["submitted_at"])
            self._announce(self.job)
        if self.goal.waits:
            self._wait(self.deadline(started))
        return self._reach()

    def resume(self, ended: Event) -> Any:
        """Go on behind the trigger's event."""
        self.conclude(ended)
        return self._reach()

    def kill(self) -> None:
        """Let go of what is local: from now on nothing is submitted or published.

        Airflow 3 calls this in the midst of ``execute``, which then goes on for some seconds.
        """
        self.killed = True
        self.goal.stop()
        if self.job is None:
            return
        if self.job["job_id"] is not None and not self._over:
            self._over = True  # to this execution, which speaks of it once
            self._log.warning(CANCELLED if self._cancel(self.job) else RUNS_ON, self.job["job_id"])
        self.hook.close()

    def _cancel(self, job: Job) -> bool:
        """Whether the vendor took it. The run's own hook may be in the midst of an answer."""
        if not self.terms.cancel_on_kill:
            return False
        hook = hook_for(job)
        try:
            return hook.cancel(job)
        except ContactCenterError as error:
            self._log.warning("Job %s could not be cancelled: %s", job["job_id"], error)
            return False
        finally:
            hook.close()

    # -- what it knows ---------------------------------------------------------------------------------

    @cached_property
    def hook(self) -> ContactCenterHook:
        """The vendor's hook; its session lives as long as the execution."""
        noun = self.job or self.report
        assert noun is not None  # noqa: S101 - one of the two is given
        return hook_for(noun)

    @property
    def known(self) -> Job:
        """The job, where there is one for sure."""
        assert self.job is not None  # noqa: S101 - every way to a wait or to the goal leads over a job
        return self.job

    def deadline(self, started: datetime) -> datetime:
        """When a wait ends that began at ``started``."""
        return min(_after(started, self.terms.report_timeout), self.cut_off)

    def message(self, words: str, advice: str) -> str:
        """What is whole in itself: vendor, connection, job if there is one, what happened, what to do."""
        return ending.message(self.hook, self.job, words, advice)

    def error(self, ended: Event) -> ContactCenterError:
        """The error for a wait that did not end in ``ready``."""
        return ending.error_of(ended, self.hook, self.terms.limits)

    # -- the steps -------------------------------------------------------------------------------------

    def _remembered(self, report: Report) -> Job | None:
        """The job that an earlier try of this task submitted for the same report, if it is still good."""
        job = self.memory.recall(report)
        if job is None:
            return None
        found = self.look(job)
        if isinstance(found, Refusal):
            # A certificate that can't be verified says nothing about the job.
            gone = found.kind in {"missing", "expired"} or (found.kind == "invalid" and found.answered)
            if not gone and not found.passing:
                raise self.hook.error(found, job)
            good, said = found.passing, found.words
        else:
            good, said = LIFE[found["state"]].kept, str(found["vendor_status"])
        if not good:
            self._log.info("Job %s of an earlier try is no longer good (%s).", job["job_id"], said)
            self.memory.forget()
            return None
        self._log.info("Taking up job %s, which an earlier try of this task submitted.", job["job_id"])
        return job

    def _settle(self, report: Report, waited: Waited) -> bool:
        """Wait until the window's last rows have arrived: the vendor says so, or some time has passed.

        Gives whether that time was waited for, which counts towards no timeout but the execution's.
        """
        window = window_of(report)
        if window is None:
            return False
        end, delay = datetime.fromisoformat(window["end"]), self.terms.settle_delay
        told = self._pass_watermark(report, end, waited)
        if delay is None:
            delay = timedelta(0) if told else self.hook.settle_delay(report)
        settled = _after(end, delay)
        left = (settled - self.clock.now()).total_seconds()
        if left <= 0:
            return False
        if settled > self.cut_off:
            raise ContactCenterTimeoutError(
                self.message(
                    f"the window settles at {settled.isoformat()}, and execution_timeout ends the task at "
                    f"{self.cut_off.isoformat()}",
                    "Nothing was submitted; raise execution_timeout, or lower settle_delay.",
                )
            )
        self._log.info("Waiting until %s, when the window's last rows have arrived.", settled.isoformat())
        if self._hand_over is not None:
            self._hand_over.until(settled)
        self._sleep(left)
        return True

    def _pass_watermark(self, report: Report, end: datetime, waited: Waited) -> bool:
        """Wait until the vendor has the whole window; whether it tells how far it has come.

        :raises ContactCenterTimeoutError: it was not so far before the deadline; nothing was submitted.
        """
        deadline, waits = self.deadline(waited.since), waited.waits
        while True:
            try:
                watermark = self.hook.available_until(report)
            except ContactCenterPermissionError as refused:
                self._log.warning(
                    "%s The report is submitted when settle_delay has passed since the window's end; nothing "
                    "proves that its last rows are there by then.",
                    refused,
                )
                return False
            except ContactCenterQuotaError as full:
                waits = self._stand_aside(full, Waited(since=waited.since, waits=waits))
                continue
            if watermark is None:
                return False
            self.provisional = watermark < end
            if not self.provisional or self.terms.settle_delay == timedelta(0):
                return True
            pause = min(WATERMARK_PAUSE * 2 ** min(waits, 9), LONGEST_WATERMARK_PAUSE)
            if self.clock.now() + timedelta(seconds=pause) > deadline:
                raise ContactCenterTimeoutError(
                    self.message(
                        f"the vendor's data is complete until {watermark.isoformat()} only, and the window "
                        f"ends at {end.isoformat()}",
                        f"Nothing was submitted; raise {self.terms.limits}, or give "
                        "settle_delay=timedelta(0) to take what is there.",
                    )
                )
            self._log.info(
                "Waiting until the vendor has the whole window: its data is complete until %s.",
                watermark.isoformat(),
            )
            if self._hand_over is not None:
                payload = Waited(since=waited.since, waits=waits + 1).payload
                self._hand_over.watermark(report, deadline, payload)
            self._sleep(jittered(pause))
            waits += 1

    def _submit(self, report: Report, waited: Waited) -> Job:
        """Submit; while the vendor is full, wait and ask again, but no longer than the timeouts."""
        waits = waited.waits
        while True:
            if self.killed:
                raise ContactCenterError("The task was ended: nothing was submitted.")
            self.memory.intend(report)
            try:
                job = self.job = self.hook.submit_checked(report, self._label)
                if self.hook.vendor.available_until is not None:
                    job["provisional"] = self.provisional
            except ContactCenterQuotaError as full:
                self.memory.forget()
                waits = self._stand_aside(full, Waited(since=waited.since, waits=waits))
            except ContactCenterError as error:
                self.memory.failed(error)
                raise
            else:
                self.memory.keep(report, job)
                self._log.info("%s", self._submitted(job))
                if self.killed:  # meanwhile, when there was no job to speak of or to cancel
                    self.kill()
                    raise ContactCenterError("The task was ended while its report was submitted.")
                return job

    def _stand_aside(self, full: ContactCenterQuotaError, waited: Waited) -> int:
        """Wait before a vendor that is full is asked again; may hand over instead. Gives the waits so far.

        :raises ContactCenterQuotaError: the deadline would pass meanwhile.
        """
        grown = min(QUOTA_PAUSE * 2 ** min(waited.waits, 9), LONGEST_QUOTA_PAUSE)
        pause = max(jittered(grown), full.retry_after or 0.0)
        if self.clock.now() + timedelta(seconds=pause) > self.deadline(waited.since):
            raise full
        self._log.info("%s Asking again in %.0f s.", full, pause)
        more = Waited(since=waited.since, waits=waited.waits + 1)
        if self._hand_over is not None:
            self._hand_over.until(self.clock.now() + timedelta(seconds=pause), more.payload)
        self._sleep(pause)
        return more.waits

    def _submitted(self, job: Job) -> str:
        """What was submitted, for which window, over which connection."""
        return self._told("Submitted", job)

    def awaited(self) -> str:
        """What a sensor waits for, in the same words."""
        return self._told("Waiting for", self.known)

    def _told(self, what: str, job: Job) -> str:
        report, window, noun = job["report"], window_of(job["report"]), self.hook.vendor.noun
        named = (
            f"{noun} {job['job_id']}" if job["job_id"] is not None else f"the report, which needs no {noun}"
        )
        span = f" from {spoken(window)}" if window else ""
        return f"{what} {named}: {called(report)}{span}, over connection {job['conn_id']}."

    def _wait(self, deadline: datetime) -> None:
        """Look once on the worker, then wait: in the triggerer, or here."""
        job = self.known
        steps = wait(
            job,
            poll_interval=self.terms.poll_interval,
            max_poll_interval=self.terms.max_poll_interval,
            deadline=deadline,
            note=self._log.info,
            now=self.clock.now,
        )
        found: Status | Refusal | None = None
        while True:
            try:
                step = steps.send(found)
            except StopIteration as stop:
                self.conclude(stop.value)
                return
            if not isinstance(step, Sleep):
                found = self.look(job)
                continue
            found = None
            if self._hand_over is not None:
                self._hand_over.watch(job, self.terms, deadline)
            self._sleep(step.seconds)

    def look(self, job: Job) -> Status | Refusal:
        """Ask the vendor once how the job is doing.

        :raises ContactCenterError: the connection can't be used.
        """
        try:
            return self.hook.look(job)
        except Refusal as refusal:
            return refusal

    def glance(self) -> bool:
        """Look once, for a sensor: whether the wait is over. ``stand`` says how it ends if it is.

        :raises ContactCenterError: the connection can't be used.
        """
        job, found, now = self.known, self.look(self.known), self.clock.now()
        self.stand = outcome(job, found)
        over = self.stand["status"] != "timeout"
        if isinstance(found, Refusal):
            if not over:
                self._log.info("a look at job %s failed and will be repeated: %s", job["job_id"], found.words)
        elif found["vendor_status"] != self._seen:
            self._seen, self._state, self._said = found["vendor_status"], found["state"], now
            self._log.info("%s", seen_line(job, found))
        return over

    def pausing(self, seconds: float, since: datetime | None = None) -> None:
        """Say now and then that a state lasts, before a sensor sleeps for so many seconds.

        :param since: when the wait began, where each look is an execution: then each says so, as none knows
            what the one before it said.
        """
        now = self.clock.now()
        if self._state is None:
            return
        if since is not None or (now - self._said).total_seconds() >= SILENCE:
            # execution_timeout is one look's then.
            deadline = (
                self.deadline(self._began) if since is None else _after(since, self.terms.report_timeout)
            )
            self._said = now
            self._log.info("%s", still_line(self.known, self._state, now, seconds, deadline))

    def conclude(self, ended: Event) -> Job:
        """The job if it is ready; otherwise the error that the wait ended with.

        :raises ContactCenterError: what stood in the way.
        """
        self.job, rule = ended["job"], LIFE[ended["status"]]
        self._over = ended["status"] not in {"timeout", "refused"} and rule.over
        if ended["status"] == "ready":
            return self.job
        error = self.error(ended)
        if not rule.kept:
            self.memory.forget()
        raise error

    def _reach(self) -> Any:
        try:
            self.result = self.goal.reach(self, self.known)
        except AirflowSkipException:
            self.memory.forget()  # a task that is skipped is finished too
            raise
        except (ContactCenterExpiredError, ContactCenterReportFailedError):
            # The vendor may go on calling this job ready, and each retry would meet the same.
            self.memory.forget()
            raise
        finally:
            self.hook.close()
        self.memory.forget()
        return self.result

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.killed:
            raise ContactCenterError("The task was ended while it waited.")


def _after(moment: datetime, span: timedelta) -> datetime:
    """So much later, as far as the calendar goes."""
    try:
        return min(moment + span, NEVER)
    except OverflowError:
        return NEVER


class Current:
    """The run of a task's current execution, for what Airflow calls beside ``execute``: a kill, lineage.

    An operator is copied, sent and used again; a copy is another task, and runs nothing yet.
    """

    def __init__(self) -> None:
        self.run: Run | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Current:
        return Current()

    def __reduce__(self) -> tuple[type[Current], tuple[()]]:
        return Current, ()
