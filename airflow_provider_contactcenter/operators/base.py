"""The life of a report in one task: checked, ordered once, waited for, finished.

Subclasses say what finishing means. The waiting itself is
:func:`airflow_provider_contactcenter.life.waiting.wait`, here as in the trigger.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator, conf

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import (
    ContactCenterError,
    ContactCenterInvalidReportError,
    ContactCenterQuotaError,
    ContactCenterTimeoutError,
)
from airflow_provider_contactcenter.life.memory import Memory
from airflow_provider_contactcenter.life.waiting import (
    RUNS_ON,
    SHORTEST_DEFERRAL,
    Event,
    Sleep,
    event,
    jittered,
    utcnow,
    wait,
)
from airflow_provider_contactcenter.nouns import Job, Report
from airflow_provider_contactcenter.triggers.report import (
    ContactCenterReportTrigger,
    ContactCenterTimerTrigger,
)
from airflow_provider_contactcenter.vendors.intake import check_job, check_report
from airflow_provider_contactcenter.vendors.protocol.refusals import NO_FILE, Refusal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_contactcenter.hooks.base import ContactCenterHook

#: Airflow's own timeout of a deferral comes this much after the deadline, for when no trigger runs at all.
BACKSTOP = timedelta(minutes=30)
#: the deadline of a task that has none
NEVER = datetime.max.replace(tzinfo=UTC)
#: how a waiting may end, by its event
ENDINGS = ("ready", "timeout", "refused", *NO_FILE)
#: seconds between two tries to order a report at a vendor that is full; doubled each time
QUOTA_PAUSE, LONGEST_QUOTA_PAUSE = 60.0, 900.0


def default_deferrable() -> bool:
    """What ``[operators] default_deferrable`` says."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


class ContactCenterBaseOperator(BaseOperator):
    """Orders a report (or takes a job) and waits for it.

    :param report: what to ask; the dict that a builder in ``reports`` returns.
    :param job: a job that was ordered by another task. Exactly one of ``report`` and ``job`` is given.
    :param deferrable: wait in the triggerer instead of on a worker; ``[operators] default_deferrable``
        unless given.
    :param poll_interval: seconds between the first looks; grows by half with each look.
    :param max_poll_interval: seconds between looks at the most; a ``poll_interval`` above it stays as it is.
    :param report_timeout: how long after its submission a report may take (after the start of this try if
        the job was ordered before it). ``execution_timeout`` counts too, deferred or not.
    :param settle_delay: the report is ordered no earlier than the window's end plus this; the vendor's own
        unless given (five minutes for Talkdesk, nothing for the others).
    :param durable: remember the job across retries (Airflow 3.3 and newer), so that no retry orders the
        report a second time.
    """

    template_fields: Sequence[str] = ("report", "job")
    template_fields_renderers: ClassVar[dict[str, str]] = {"report": "json", "job": "json"}
    ui_color = "#e3f1f5"

    def __init__(
        self,
        *,
        report: Report | None = None,
        job: Job | None = None,
        deferrable: bool | None = None,
        poll_interval: float = 30.0,
        max_poll_interval: float = 300.0,
        report_timeout: timedelta = timedelta(hours=12),
        settle_delay: timedelta | None = None,
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report = report
        self.job = job
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.poll_interval = poll_interval
        self.max_poll_interval = max_poll_interval
        self.report_timeout = report_timeout
        self.settle_delay = settle_delay
        self.durable = durable
        check_waiting(poll_interval, max_poll_interval)
        check_span("report_timeout", report_timeout, timedelta(microseconds=1))
        if settle_delay is not None:
            check_span("settle_delay", settle_delay, timedelta(0))
        if (report is None) == (job is None):
            raise InvalidValue(
                f"{'neither' if report is None else 'both'} of report and job given to task "
                f"{self.task_id!r}: give exactly one of them."
            )
        for name, value in (("report", report), ("job", job)):
            if value is not None and not isinstance(value, dict) and not checks.pending(value):
                raise InvalidValue(f"{name}={value!r} is not allowed: give a dict.")

    def report_day(self, timezone: str = "UTC") -> str:
        """The day in which the report (or the job's) begins, for templates: see :func:`.windows.day_key`."""
        try:
            report = self.report if self.report is not None else cast("Job", self.job)["report"]
            start = checks.instant("start", report["params"]["start"])
            return checks.day_of(start, checks.zone("timezone", timezone)).isoformat()
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None

    # -- what subclasses say ---------------------------------------------------------------------------

    #: whether the task waits until the job is ready
    waits: bool = True

    def before_submit(self, context: Context) -> None:
        """Refuse what can be refused before anything is ordered.

        :raises InvalidValue: in one sentence.
        """

    def finish(self, job: Job, context: Context) -> Any:
        """Make the task's result of a job that is ready (or just ordered, if the task doesn't wait)."""
        raise NotImplementedError

    # -- entry points ----------------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Order, wait, finish; may defer."""
        return self._start(context, waited_since=None, waits=0)

    def execute_again(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Resume after a timer: the window has settled, or the vendor may take the report now."""
        payload = (event or {}).get("payload") or {}
        since = payload.get("waited_since")
        return self._start(
            context,
            waited_since=datetime.fromisoformat(since) if since else None,
            waits=int(payload.get("waits", 0)),
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Resume after the trigger's event; an event that isn't one fails the task."""
        job = self._conclude(ending(event), Memory(context, self.durable, self.log))
        return self._finish(job, context)

    def on_kill(self) -> None:
        """Let go of what is local; the report runs on, for no vendor here documents a way to cancel one.

        Airflow 3 calls this in the midst of ``execute``, which then goes on for some seconds: it must order
        and publish nothing any more.
        """
        self._killed = True
        job = getattr(self, "_job", None)
        if job is None:
            return
        if job["job_id"] is not None:
            self.log.warning(RUNS_ON, job["job_id"])
        self._hook(job).close()

    # -- the steps -------------------------------------------------------------------------------------

    def _start(self, context: Context, waited_since: datetime | None, waits: int) -> Any:
        try:
            report = check_report(self.report, now=utcnow()) if self.job is None else None
            job = check_job(self.job) if self.job is not None else None
            self.report, self.job = report, job
            self.before_submit(context)
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None
        memory = Memory(context, self.durable, self.log)
        started = utcnow()
        ti = context["ti"]
        self._label = f"{ti.dag_id} {ti.task_id} {ti.run_id} {ti.map_index}"
        if report is not None:
            job = self._remembered(report, memory)
            if job is None:
                over = execution_deadline(self, context)
                self._settle(report, over)
                job = self._submit(report, memory, waited_since or started, waits, over)
                started = datetime.fromisoformat(job["submitted_at"])
        assert job is not None  # noqa: S101 - exactly one of report and job is given
        self._job = job
        if self.waits:
            job = self._wait(job, self._deadline(started, context), memory)
        return self._finish(job, context)

    def _remembered(self, report: Report, memory: Memory) -> Job | None:
        """The job that an earlier try of this task ordered for the same report, if it is still good."""
        job = memory.recall(report)
        if job is None:
            return None
        try:
            status = self._hook(job).look(job)
        except Refusal as refusal:
            if refusal.kind not in {"missing", "invalid", "expired"} and not refusal.passing:
                raise self._hook(job).error(refusal, job) from None
            gone = not refusal.passing
            said = refusal.words
        else:
            gone = status["state"] not in {"queued", "running", "ready"}
            said = str(status["vendor_status"])
        if gone:
            self.log.info("Job %s of an earlier try is no longer good (%s).", job["job_id"], said)
            memory.forget()
            return None
        self.log.info("Taking up job %s, which an earlier try of this task ordered.", job["job_id"])
        return job

    def _settle(self, report: Report, over: datetime) -> None:
        delay = self._hook(report).settle_delay if self.settle_delay is None else self.settle_delay
        settled = datetime.fromisoformat(report["params"]["end"]) + delay
        left = (settled - utcnow()).total_seconds()
        if left <= 0:
            return
        if settled > over:
            raise ContactCenterTimeoutError(
                f"Task {self.task_id}: the window settles at {settled.isoformat()}, and execution_timeout "
                f"ends the task at {over.isoformat()}. Nothing was ordered; raise execution_timeout, or "
                "lower settle_delay."
            )
        self.log.info("Waiting until %s, when the window's last rows have arrived.", settled.isoformat())
        if self.deferrable:
            self._defer_until(settled)
        self._sleep(left)

    def _submit(
        self, report: Report, memory: Memory, waited_since: datetime, waits: int, over: datetime
    ) -> Job:
        """Order the report; while the vendor is full, wait and ask again, but no longer than the timeouts."""
        hook = self._hook(report)
        last_try = min(waited_since + self.report_timeout, over)
        while True:
            memory.intend(report)
            try:
                job = hook.submit(report, self._label)
            except ContactCenterQuotaError as full:
                memory.forget()
                pause = max(
                    min(QUOTA_PAUSE * 2 ** min(waits, 9), LONGEST_QUOTA_PAUSE), full.retry_after or 0.0
                )
                if utcnow() + timedelta(seconds=pause) > last_try:
                    raise
                self.log.info("%s Asking again in %.0f s.", full, pause)
                waits += 1
                if self.deferrable:
                    self._defer_until(
                        utcnow() + timedelta(seconds=jittered(pause)),
                        {"waited_since": waited_since.isoformat(), "waits": waits},
                    )
                self._sleep(jittered(pause))
            except ContactCenterError as error:
                memory.failed(error)
                raise
            else:
                memory.keep(report, job)
                if job["job_id"] is not None:
                    self.log.info("Ordered job %s.", job["job_id"])
                return job

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        if getattr(self, "_killed", False):
            raise ContactCenterError("The task was ended while it waited.")

    def _deadline(self, started: datetime, context: Context) -> datetime:
        return min(started + self.report_timeout, execution_deadline(self, context))

    def _wait(self, job: Job, deadline: datetime, memory: Memory) -> Job:
        """Look once on the worker, then wait: deferred, or here."""
        steps = wait(
            job,
            poll_interval=self.poll_interval,
            max_poll_interval=self.max_poll_interval,
            deadline=deadline,
            note=self.log.info,
        )
        found: Any = None
        while True:
            try:
                step = steps.send(found)
            except StopIteration as stop:
                return self._conclude(stop.value, memory)
            found = None
            if isinstance(step, Sleep):
                if self.deferrable:
                    self._defer(job, deadline)
                self._sleep(step.seconds)
                continue
            try:
                found = self._hook(job).look(job)
            except Refusal as refusal:
                found = refusal

    def _defer(self, job: Job, deadline: datetime) -> None:
        pause = timedelta(seconds=jittered(self.poll_interval))
        self.defer(
            trigger=ContactCenterReportTrigger(
                job=job,
                poll_interval=self.poll_interval,
                max_poll_interval=self.max_poll_interval,
                deadline=deadline.isoformat(),
                not_before=(utcnow() + max(pause, SHORTEST_DEFERRAL)).isoformat(),
            ),
            method_name="execute_complete",
            timeout=max(deadline - utcnow(), timedelta(0)) + BACKSTOP,
        )

    def _defer_until(self, moment: datetime, payload: dict[str, Any] | None = None) -> None:
        moment = max(moment, utcnow() + SHORTEST_DEFERRAL)
        self.defer(
            trigger=ContactCenterTimerTrigger(moment=moment.isoformat(), payload=payload),
            method_name="execute_again",
            timeout=moment - utcnow() + BACKSTOP,
        )

    def _conclude(self, ended: Event, memory: Memory) -> Job:
        """The job if it is ready; otherwise the error that the waiting ended with."""
        job = ended["job"]
        self._job = job
        if ended["status"] == "ready":
            return job
        error = conclusion(self._hook(job), ended)
        if ended["status"] in {"failed", "cancelled", "expired"}:
            memory.forget()
        raise error

    def _finish(self, job: Job, context: Context) -> Any:
        memory = Memory(context, self.durable, self.log)
        try:
            result = self.finish(job, context)
        except AirflowSkipException:
            memory.forget()  # a task that is skipped is finished too
            raise
        finally:
            self._hook(job).close()
        memory.forget()
        return result

    def _message(self, words: str, advice: str) -> str:
        """What is whole in itself: vendor, connection, job if there is one, what happened, what to do."""
        from airflow_provider_contactcenter.hooks.refusals import message

        job: Job | None = getattr(self, "_job", None) or self.job
        noun = cast("Report | Job", job or self.report)
        hook = self._hook(noun)
        job_id = job["job_id"] if job else None
        return message(hook.vendor.title, hook.conn_id, job_id, words, advice, hook.vendor.noun)

    def _hook(self, noun: Report | Job) -> ContactCenterHook:
        """The vendor's hook, one per task so that its session lives as long as the task."""
        from airflow_provider_contactcenter.hooks import hook_for

        hooks: dict[tuple[str, str], ContactCenterHook] = self.__dict__.setdefault("_hooks", {})
        key = noun["vendor"], noun["conn_id"]
        if key not in hooks:
            hooks[key] = hook_for(noun)
        return hooks[key]


def ending(fired: dict[str, Any] | None) -> Event:
    """A trigger's event as it came back; keys that a later release added are passed over.

    :raises ContactCenterError: it doesn't say how the waiting ended, so the task can't go on.
    """
    try:
        if not isinstance(fired, Mapping) or fired.get("status") not in ENDINGS:
            raise InvalidValue("no known status")
        return event(
            check_job(fired.get("job")),
            fired["status"],
            *(fired.get(name) for name in ("vendor_status", "reason", "refusal")),
        )
    except InvalidValue:
        raise ContactCenterError(
            f"The trigger's event {fired!r} does not say how the waiting ended. Let worker and triggerer run "
            "the same release; a retry waits again."
        ) from None


def conclusion(
    hook: ContactCenterHook, ended: Event, limits: str = "report_timeout or execution_timeout"
) -> ContactCenterError:
    """The error that a waiting which did not end in ``ready`` stands for.

    :param limits: the parameters that may have ended it.
    """
    from airflow_provider_contactcenter.hooks.refusals import ERRORS, message

    job, words = ended["job"], ended["reason"] or "the vendor gives no reason"
    if ended["status"] == "refused":
        # Another release's triggerer may tell more kinds apart.
        return hook.error(Refusal(ended["refusal"] if ended["refusal"] in ERRORS else "invalid", words), job)
    if ended["status"] != "timeout":
        return hook.error(
            Refusal(NO_FILE[ended["status"]], f"the vendor says {ended['vendor_status']}: {words}"), job
        )
    said = f"it last said {ended['vendor_status']}" if ended["vendor_status"] else "it said nothing yet"
    if ended["reason"]:
        said += f"; the last look failed: {ended['reason']}"
    return ContactCenterTimeoutError(
        message(
            hook.vendor.title,
            hook.conn_id,
            job["job_id"],
            f"the report ordered at {job['submitted_at']} was not ready before the deadline; {said}",
            f"The report runs on at the vendor, which has no way to cancel it; raise {limits} if such "
            "reports take longer.",
        )
    )


def execution_deadline(task: BaseOperator, context: Context) -> datetime:
    """When ``execution_timeout`` is over, which Airflow 3 doesn't look at while a task is deferred."""
    allowed: timedelta | None = task.execution_timeout
    began: datetime = getattr(context["ti"], "start_date", None) or utcnow()
    return NEVER if allowed is None else began + allowed


def check_waiting(poll_interval: float, max_poll_interval: float) -> None:
    """Refuse intervals that would hammer the vendor or never grow."""
    for name, value in (("poll_interval", poll_interval), ("max_poll_interval", max_poll_interval)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise InvalidValue(f"{name}={value!r} is not allowed: give a number of seconds above 0.")


def check_span(name: str, value: timedelta, least: timedelta) -> None:
    """Refuse what is no timedelta, or too short a one."""
    if not isinstance(value, timedelta) or value < least:
        allowed = "of at least nothing" if not least else "above 0"
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give a timedelta {allowed}, such as timedelta(hours=1)."
        )
