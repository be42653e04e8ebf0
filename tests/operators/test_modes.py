"""Sync and deferrable mode: the same vendor, the same ending."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    TaskDeferred,
)
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.life.waiting import RUNS_ON
from airflow_provider_contactcenter.nouns import new_job
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator, Submitted
from airflow_provider_contactcenter.reports import vspark_stats
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.clocks import Skipping, skip_waits
from tests.sandboxes import connected
from tests.tasks import run
from tests.transfers.conftest import StateStore, calls, context

try:
    from airflow.sdk.exceptions import TaskDeferralError
except ImportError:
    from airflow.exceptions import TaskDeferralError

#: the vendor's word -> what a task that waits for the job ends with
ENDINGS: dict[str, type[Exception] | None] = {
    "created": exceptions.ContactCenterTimeoutError,
    "processing": exceptions.ContactCenterTimeoutError,
    "uploading": exceptions.ContactCenterTimeoutError,
    "done": None,
    "DONE": None,
    "failed": exceptions.ContactCenterReportFailedError,
    "FAILED": exceptions.ContactCenterReportFailedError,
    "canceled": exceptions.ContactCenterReportFailedError,
    "deleted": exceptions.ContactCenterExpiredError,
    "pondering": exceptions.ContactCenterTimeoutError,  # invented: counts as running
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Nothing waits."""
    return skip_waits(monkeypatch)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Jobs run until a test says otherwise; deferrals need not keep the scheduler's safety distance."""
    monkeypatch.setattr("airflow_provider_contactcenter.triggers.deferral.SHORTEST_DEFERRAL", timedelta(0))
    options = {"ladder": [["processing", 0, 0]], "hold": "processing"}
    with connected(monkeypatch, options={"talkdesk": options}) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("map_index", "name"),
    [
        (-1, "nightly calls scheduled__2024-05-02T00:00:00+00:00"),
        (0, "nightly calls scheduled__2024-05-02T00:00:00+00:00 0"),
    ],
)
def test_a_job_is_named_after_its_task_with_an_index_only_where_it_is_mapped(
    sandbox: Sandbox, map_index: int, name: str
) -> None:
    task_context = context()
    task_context["ti"].map_index = map_index
    ContactCenterReportOperator(task_id="calls", report=calls()).execute(task_context)
    [created] = sandbox.journal(operation="create")
    assert json.loads(created["body"])["name"] == name


def waiting_report(deferrable: bool, seconds: float = 60) -> Any:
    return lambda: ContactCenterReportOperator(
        task_id="calls",
        report=calls(),
        wait_for_completion=True,
        deferrable=deferrable,
        poll_interval=0.05,
        report_timeout=timedelta(seconds=seconds),
    )


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
@pytest.mark.parametrize("word", ENDINGS)
def test_each_status_word_ends_a_task_the_same_way_in_both_modes(
    sandbox: Sandbox, word: str, deferrable: bool
) -> None:
    first_polls = 2
    sandbox.add_fault(
        vendor="talkdesk", operation="poll", fault="unknown_status", word=word, skip=first_polls, count=None
    )
    ending = ENDINGS[word]
    if ending is None:
        sandbox.clear_faults()
        sandbox.set_options("talkdesk", hold=None, status_case="upper" if word.isupper() else "lower")
        job = run(waiting_report(deferrable))
        assert job["job_id"] == sandbox.jobs("talkdesk")[0]["id"]
        return
    seconds = 1.5 if ending is exceptions.ContactCenterTimeoutError else 60
    with pytest.raises(ending) as failure:
        run(waiting_report(deferrable, seconds))
    assert "Talkdesk Explore (connection talkdesk_default, job " in str(failure.value)
    assert word in str(failure.value) or word in {"created", "uploading"}
    assert len(sandbox.journal(operation="create")) == 1


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
def test_blips_do_not_end_the_wait(sandbox: Sandbox, deferrable: bool) -> None:
    sandbox.set_options("talkdesk", hold=None)
    for fault in (
        {"fault": "reset"},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 429, "retry_after": 0},
        {"fault": "unreadable"},
        {"fault": "html", "status": 200},
    ):
        sandbox.add_fault(vendor="talkdesk", operation="poll", **fault)
    job = run(waiting_report(deferrable))
    assert job["job_id"]
    assert len(sandbox.journal(operation="poll")) == 6


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
def test_a_vendor_that_is_full_is_asked_again_until_it_takes_the_report(
    sandbox: Sandbox, deferrable: bool, clock: Skipping
) -> None:
    sandbox.set_options("talkdesk", hold=None)
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=429, count=3)
    job = run(lambda: ContactCenterReportOperator(task_id="calls", report=calls(), deferrable=deferrable))
    assert job["job_id"]
    assert [entry["status"] for entry in sandbox.journal(operation="create")] == [429, 429, 429, 202]
    assert [round(pause / 60) for pause in clock.slept] == [1, 2, 4]


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
def test_a_vendor_that_is_full_is_asked_no_sooner_than_it_wants(
    sandbox: Sandbox, deferrable: bool, clock: Skipping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    sandbox.set_options("talkdesk", hold=None)
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=429, retry_after=400)
    run(lambda: ContactCenterReportOperator(task_id="calls", report=calls(), deferrable=deferrable))
    # Deferred, some of it passes before the trigger begins.
    assert sum(clock.slept) >= 399


def test_a_vendor_that_stays_full_fails_the_task_in_the_end(sandbox: Sandbox, clock: Skipping) -> None:
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=429, count=None)
    with pytest.raises(exceptions.ContactCenterQuotaError):
        run(
            lambda: ContactCenterReportOperator(
                task_id="calls", report=calls(), deferrable=False, report_timeout=timedelta(hours=1)
            )
        )
    assert 2000 < sum(clock.slept) < 3600


def test_a_full_vendor_is_not_waited_for_beyond_the_deadline_by_chance(
    sandbox: Sandbox, clock: Skipping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=429, count=None)
    task = ContactCenterReportOperator(
        task_id="calls", report=calls(), deferrable=False, report_timeout=timedelta(seconds=64)
    )
    with pytest.raises(exceptions.ContactCenterQuotaError):
        task.execute(context())
    assert sum(clock.slept) < 64


def test_a_report_is_submitted_no_earlier_than_its_window_has_settled(
    sandbox: Sandbox, clock: Skipping
) -> None:
    end = datetime.now(UTC)
    report = calls(start=(end - timedelta(hours=1)).isoformat(), end=end.isoformat())

    def order(settle_delay: timedelta) -> Any:
        return lambda: ContactCenterReportOperator(
            task_id="calls", report=report, deferrable=True, settle_delay=settle_delay
        )

    with pytest.raises(TaskDeferred) as deferral:
        order(timedelta(minutes=5))().execute(context())
    assert sandbox.journal(operation="create") == []
    moment = datetime.fromisoformat(deferral.value.trigger.serialize()[1]["moment"])
    assert moment - end == timedelta(minutes=5)
    run(order(timedelta(minutes=5)))
    assert len(sandbox.journal(operation="create")) == 1
    assert sum(clock.slept) == pytest.approx(300, abs=20)


def test_a_window_that_ends_in_the_future_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    report = calls(start="2024-05-01T00:00:00Z", end="2024-05-20T00:00:00Z")
    report["params"]["start"], report["params"]["end"] = "2998-05-01T00:00:00Z", "2998-05-02T00:00:00Z"
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match="lies in the future"):
        ContactCenterReportOperator(task_id="calls", report=report).execute(context())
    assert sandbox.journal() == []


JOB = new_job(calls(), "369f88a5")


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        [],
        {"status": "success"},
        {"status": "success", "job": JOB},
        {"status": "ready", "job": None},
    ],
)
def test_an_event_that_says_nothing_fails_the_task(sandbox: Sandbox, event: Any) -> None:
    for task in (waiting_report(True)(), sensor(JOB, True)()):
        with pytest.raises(exceptions.ContactCenterError, match="does not say how the waiting ended"):
            task.execute_complete(context(), event)


def test_an_event_of_another_release_is_understood(sandbox: Sandbox) -> None:
    later = {"version": 9, "status": "refused", "refusal": "bankrupt", "reason": "closed", "job": JOB}
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match="closed"):
        waiting_report(True)().execute_complete(context(), later)
    assert waiting_report(True)().execute_complete(context(), {"status": "ready", "job": JOB}) == JOB


def test_an_event_may_say_what_to_do(sandbox: Sandbox) -> None:
    told = {"status": "refused", "refusal": "permission", "reason": "closed", "job": JOB}
    for event, cure in (
        ({**told, "advice": "Open it."}, r"closed\.\s+Open it\.$"),
        ({**told, "advice": None}, r"closed\.\s+Have the vendor's administrator grant what is missing\.$"),
        (told, r"closed\.\s+Have the vendor's administrator grant what is missing\.$"),
    ):
        with pytest.raises(exceptions.ContactCenterPermissionError, match=cure):
            waiting_report(True)().execute_complete(context(), event)


def test_a_timer_without_a_payload_is_understood(sandbox: Sandbox) -> None:
    operator = ContactCenterReportOperator(task_id="calls", report=calls())
    assert operator.execute_again(context(), None)["job_id"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vendor": "talkdesc"}, "vendor='talkdesc' is not known"),
        ({"kind": "calls"}, "kind='calls' is not known"),
        ({"params": {}}, "missing a required argument"),
        ({"params": "calls"}, "it needs the keys"),
    ],
)
def test_a_dict_that_is_no_report_is_refused_when_the_dag_is_parsed(
    changes: dict[str, Any], sentence: str
) -> None:
    wrong: Any = {**calls(), **changes}
    with pytest.raises(InvalidValue, match=re.escape(sentence)):
        ContactCenterReportOperator(task_id="calls", report=wrong)
    # A mapped task is made when it runs: what it was given is refused then, and not tried again.
    task = ContactCenterReportOperator.partial(task_id="calls").expand(report=[wrong])
    made = task.unmap({"report": wrong})
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match=re.escape(sentence)):
        made.execute(context())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"report_timeout": 3600}, "report_timeout=3600 is not allowed: give a timedelta above 0"),
        ({"report_timeout": timedelta(0)}, "is not allowed: give a timedelta above 0"),
        ({"settle_delay": 300}, "settle_delay=300 is not allowed: give a timedelta of at least nothing"),
        ({"settle_delay": timedelta(-1)}, "is not allowed: give a timedelta of at least nothing"),
        ({"poll_interval": float("inf")}, "poll_interval=inf is not allowed: give a number of seconds"),
        ({"max_poll_interval": 0}, "max_poll_interval=0 is not allowed: give a number of seconds above 0"),
    ],
)
def test_a_waiting_parameter_that_cannot_be_used_is_refused_when_the_dag_is_parsed(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidValue, match=re.escape(sentence)):
        ContactCenterReportOperator(task_id="calls", report=calls(), **values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"poke_interval": 0}, "poke_interval=0"),
        ({"max_poll_interval": 0}, "max_poll_interval=0 is not allowed: give a number of seconds above 0"),
        ({"never_fail": True}, "never_fail=True is not allowed: a report that failed fails the sensor"),
        ({"job": None}, "job=None is not allowed: give what ContactCenterReportOperator returned"),
        ({"job": "4711"}, "job='4711' is not allowed: give what ContactCenterReportOperator returned"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_the_sensor_names_what_it_does_not_take(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{re.escape(sentence)}"):
        ContactCenterReportSensor(**{"task_id": "wait", "job": JOB, **values})


@pytest.mark.parametrize("task_class", [ContactCenterReportSensor, ContactCenterReportOperator])
def test_a_job_that_came_out_as_none_is_named(sandbox: Sandbox, task_class: Any) -> None:
    """As the XCom of a task that was skipped does."""
    noun = "job" if task_class is ContactCenterReportSensor else "report"
    task = task_class(task_id="wait", **{noun: f"{{{{ ti.xcom_pull('{noun}') }}}}"})
    setattr(task, noun, None)
    with pytest.raises(exceptions.ContactCenterInvalidReportError, match=r"^Task wait: .*job"):
        task.execute(context())
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("values", "longest"),
    [({}, 300), ({"max_wait": timedelta(seconds=40)}, 40), ({"max_poll_interval": 30}, 30)],
    ids=["neither", "max_wait", "max_poll_interval"],
)
def test_max_wait_bounds_the_sensors_interval_while_deferred(
    sandbox: Sandbox, values: dict[str, Any], longest: float
) -> None:
    job = TalkdeskHook().submit(calls())
    task = ContactCenterReportSensor(task_id="wait", job=job, deferrable=True, poke_interval=20, **values)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    assert deferred.value.trigger.serialize()[1]["max_poll_interval"] == longest
    assert deferred.value.trigger.serialize()[1]["poll_interval"] == 20


def test_execution_timeout_counts_while_deferred(sandbox: Sandbox) -> None:
    operator = ContactCenterReportOperator(
        task_id="calls",
        report=calls(),
        wait_for_completion=True,
        deferrable=True,
        execution_timeout=timedelta(minutes=7),
    )
    task_context = context()
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(task_context)
    deadline = deferral.value.trigger.serialize()[1]["deadline"]
    assert deadline == (task_context["ti"].start_date + timedelta(minutes=7)).isoformat()


def test_a_timeout_without_an_end_is_one_that_airflow_can_reckon_with(sandbox: Sandbox) -> None:
    task = ContactCenterReportOperator(
        task_id="calls",
        report=calls(),
        wait_for_completion=True,
        deferrable=True,
        report_timeout=timedelta.max,
        execution_timeout=timedelta.max,
    )
    with pytest.raises(TaskDeferred) as deferral:
        task.execute(context())
    assert deferral.value.timeout is not None
    assert datetime.now(UTC) + deferral.value.timeout


def test_nothing_is_submitted_that_execution_timeout_would_not_let_land(sandbox: Sandbox) -> None:
    end = datetime.now(UTC)
    operator = ContactCenterReportOperator(
        task_id="calls",
        report=calls(start=(end - timedelta(hours=1)).isoformat(), end=end.isoformat()),
        deferrable=True,
        execution_timeout=timedelta(minutes=4),
    )
    with pytest.raises(exceptions.ContactCenterTimeoutError, match=r"execution_timeout.*lower settle_delay"):
        operator.execute(context())
    assert sandbox.journal() == []


def test_a_full_vendor_is_not_waited_for_beyond_execution_timeout(sandbox: Sandbox) -> None:
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=429, retry_after=300)
    operator = ContactCenterReportOperator(
        task_id="calls", report=calls(), deferrable=True, execution_timeout=timedelta(minutes=4)
    )
    with pytest.raises(exceptions.ContactCenterQuotaError):
        operator.execute(context())


class TestRetries:
    """A try that died is continued by the next one; a clear starts over."""

    @staticmethod
    def first_try(store: StateStore) -> str:
        with pytest.raises(TaskDeferred):
            waiting_report(True)().execute(context(store))
        return str(store["contactcenter_job"]["job"]["job_id"])

    def test_a_retry_takes_up_the_job(self, sandbox: Sandbox) -> None:
        store = StateStore()
        job_id = self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        job = run(waiting_report(True), context(store, try_number=2))
        assert job["job_id"] == job_id
        assert len(sandbox.journal(operation="create")) == 1
        assert store == {}

    def test_a_clear_submits_again(self, sandbox: Sandbox) -> None:
        store = StateStore()
        job_id = self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        job = run(waiting_report(True), context(store, try_number=2, max_tries=4))
        assert job["job_id"] != job_id
        assert len(sandbox.journal(operation="create")) == 2

    def test_changed_parameters_are_submitted_again(self, sandbox: Sandbox) -> None:
        store = StateStore()
        self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        run(
            lambda: ContactCenterReportOperator(task_id="calls", report=calls(file_format="json")),
            context(store, try_number=2),
        )
        assert len(sandbox.journal(operation="create")) == 2

    def test_a_retry_that_gets_the_event_of_the_first_try_starts_over(self, sandbox: Sandbox) -> None:
        """Airflow 3.0 and 3.1.0 don't clear what a deferral left behind (apache/airflow#56704)."""
        first, told = context(), {"deferred_by": 1}
        first["ti"].start_date -= timedelta(hours=9)  # of which a retry learns no other
        failed = {"status": "failed", "vendor_status": "failed", "job": JOB}
        with pytest.raises(exceptions.ContactCenterReportFailedError):
            waiting_report(True)().execute_complete(first, failed, **told)
        first["ti"].try_number = 2
        sandbox.set_options("talkdesk", hold=None)

        def task() -> ContactCenterReportOperator:
            return ContactCenterReportOperator(
                task_id="calls", report=calls(), deferrable=True, execution_timeout=timedelta(hours=8)
            )

        assert task().execute_complete(first, failed, **told)["job_id"] != JOB["job_id"]
        assert task().execute_again(first, {"payload": {}}, **told)["job_id"] != JOB["job_id"]

    def test_a_sensors_retry_looks_again_at_what_the_first_try_was_refused(self, sandbox: Sandbox) -> None:
        job = TalkdeskHook().submit(calls())
        refused = {"status": "refused", "refusal": "permission", "reason": "no", "job": job}
        sandbox.set_options("talkdesk", hold=None)
        task = sensor(job, True)()
        with pytest.raises(exceptions.ContactCenterPermissionError):
            task.execute_complete(context(), refused, deferred_by=1)
        assert task.execute_complete(context(try_number=2), refused, deferred_by=1) == job

    def test_a_deferral_says_which_try_it_was(self, sandbox: Sandbox) -> None:
        for task in (waiting_report(True)(), sensor(TalkdeskHook().submit(calls()), True)()):
            with pytest.raises(TaskDeferred) as deferral:
                task.execute(context(try_number=3))
            assert deferral.value.kwargs == {"deferred_by": 3}

    @pytest.mark.parametrize("word", ["failed", "canceled", "deleted"])
    def test_a_job_that_is_no_longer_good_is_submitted_again(self, sandbox: Sandbox, word: str) -> None:
        store = StateStore()
        job_id = self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        sandbox.hold(job_id, word)
        assert run(waiting_report(True), context(store, try_number=2))["job_id"] != job_id

    def test_a_job_that_the_vendor_no_longer_knows_is_submitted_again(self, sandbox: Sandbox) -> None:
        store = StateStore()
        job_id = self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        sandbox.forget(job_id)
        assert run(waiting_report(True), context(store, try_number=2))["job_id"] != job_id

    @pytest.mark.parametrize("why", ["a certificate", "a coding", "a redirect"])
    def test_a_job_is_kept_where_the_vendor_said_nothing_about_it(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, why: str
    ) -> None:
        store = StateStore()
        job_id = self.first_try(store)
        sandbox.set_options("talkdesk", hold=None)
        with monkeypatch.context() as patched:
            if why == "a coding":
                sandbox.add_fault(vendor="talkdesk", operation="poll", fault="packed", coding="br")
            else:
                refusal = Refusal("invalid", why, status=302 if why == "a redirect" else None)
                patched.setattr(TalkdeskHook, "look", Mock(side_effect=refusal))
            with pytest.raises(exceptions.ContactCenterInvalidReportError):
                run(waiting_report(True), context(store, try_number=2))
        assert run(waiting_report(True), context(store, try_number=3))["job_id"] == job_id
        assert len(sandbox.jobs("talkdesk")) == 1

    def test_a_lost_answer_is_not_repeated_and_the_next_try_says_so(
        self, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = StateStore()
        sandbox.set_options("talkdesk", hold=None)
        sandbox.add_fault(vendor="talkdesk", operation="create", fault="lost_answer")
        with pytest.raises(exceptions.ContactCenterSubmitLostError, match="submitted all the same"):
            run(waiting_report(True), context(store))
        assert len(sandbox.jobs("talkdesk")) == 1
        capsys.readouterr()
        waiting_report(False)().execute(context(store, try_number=2))
        assert "may have been submitted twice" in capsys.readouterr().out
        assert len(sandbox.jobs("talkdesk")) == 2

    def test_without_durable_nothing_is_remembered(self, sandbox: Sandbox) -> None:
        store = StateStore()
        operator = waiting_report(True)()
        operator.durable = False
        with pytest.raises(TaskDeferred):
            operator.execute(context(store))
        assert store == {}


def sensor(job: dict[str, Any], deferrable: bool, **values: Any) -> Any:
    return lambda: ContactCenterReportSensor(
        task_id="wait", job=job, deferrable=deferrable, poke_interval=0.05, timeout=1, **values
    )


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
class TestSensor:
    """Any sensor's endings, the same in both modes."""

    @pytest.fixture(autouse=True)
    def sensors_clock(self, clock: Skipping, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a worker BaseSensorOperator sleeps by itself."""
        own = SimpleNamespace(sleep=clock.sleep, monotonic=lambda: clock.now().timestamp())
        monkeypatch.setattr(sys.modules[BaseSensorOperator.__module__], "time", own)

    @staticmethod
    def submitted() -> dict[str, Any]:
        return dict(ContactCenterReportOperator(task_id="submit", report=calls()).execute(context()))

    def test_returns_the_job_when_it_is_ready(self, sandbox: Sandbox, deferrable: bool) -> None:
        job = self.submitted()
        sandbox.add_fault(vendor="talkdesk", operation="poll", fault="reset")
        sandbox.set_options("talkdesk", hold=None)
        assert run(sensor(job, deferrable))["job_id"] == job["job_id"]

    def test_times_out_as_a_sensor_does(self, sandbox: Sandbox, deferrable: bool) -> None:
        with pytest.raises(AirflowSensorTimeout):
            run(sensor(self.submitted(), deferrable))

    def test_says_of_which_job_it_has_waited_too_long(self, sandbox: Sandbox, deferrable: bool) -> None:
        job = self.submitted()
        with pytest.raises(AirflowSensorTimeout) as failure:
            run(sensor(job, deferrable))
        assert f"(connection talkdesk_default, job {job['job_id']})" in str(failure.value)
        assert "it last said processing" in str(failure.value)
        assert "raise timeout or execution_timeout" in str(failure.value)

    def test_its_log_says_what_it_waits_for_and_while_a_state_lasts(
        self, sandbox: Sandbox, deferrable: bool, capsys: pytest.CaptureFixture[str]
    ) -> None:
        job = self.submitted()
        capsys.readouterr()
        with pytest.raises(AirflowSensorTimeout):
            run(
                lambda: ContactCenterReportSensor(
                    task_id="wait", job=job, deferrable=deferrable, poke_interval=60, timeout=1800
                )
            )
        said = capsys.readouterr()
        log, named = said.out + said.err, f"job {job['job_id']}"
        window = "from 2024-05-01 to 2024-05-02"
        assert f"Waiting for {named}: report/calls {window}, over connection talkdesk_default." in log
        assert f"{named} is running (the vendor says processing)" in log
        still = re.findall(
            rf"{named} is still running after 0:\d\d:\d\d; next look in \d+ s, deadline 20", log
        )
        assert 1 <= len(still) <= 3

    def test_its_log_says_when_it_really_looks_again(
        self, sandbox: Sandbox, deferrable: bool, capsys: pytest.CaptureFixture[str], clock: Skipping
    ) -> None:
        job = self.submitted()
        capsys.readouterr()
        with pytest.raises(AirflowSensorTimeout):
            run(
                lambda: ContactCenterReportSensor(
                    task_id="wait",
                    job=job,
                    deferrable=deferrable,
                    poke_interval=60,
                    exponential_backoff=True,
                    max_wait=timedelta(minutes=20),
                    timeout=7200,
                )
            )
        said = capsys.readouterr()
        told = re.findall(r"is still running after .*; next look in (\d+) s", said.out + said.err)
        assert len(told) >= 3
        slept = [round(seconds) for seconds in clock.slept]
        for seconds in map(int, told):
            assert any(abs(seconds - each) <= 1 for each in slept)
            assert seconds != 60

    def test_soft_fail_skips_on_a_timeout(self, sandbox: Sandbox, deferrable: bool) -> None:
        with pytest.raises(AirflowSkipException):
            run(sensor(self.submitted(), deferrable, soft_fail=True))

    @pytest.mark.parametrize("soft_fail", [False, True])
    def test_a_failed_report_fails_it_soft_fail_or_not(
        self, sandbox: Sandbox, deferrable: bool, soft_fail: bool
    ) -> None:
        job = self.submitted()
        sandbox.hold(job["job_id"], "failed")
        with pytest.raises(exceptions.ContactCenterReportFailedError):
            run(sensor(job, deferrable, soft_fail=soft_fail))

    @pytest.mark.parametrize("soft_fail", [False, True])
    def test_a_refusal_fails_it_soft_fail_or_not(
        self, sandbox: Sandbox, deferrable: bool, soft_fail: bool
    ) -> None:
        job = self.submitted()
        sandbox.forget(job["job_id"])
        with pytest.raises(exceptions.ContactCenterNotFoundError):
            run(sensor(job, deferrable, soft_fail=soft_fail))

    def test_a_connection_that_cannot_be_used_fails_it_soft_fail_or_not(
        self, sandbox: Sandbox, deferrable: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = self.submitted()
        monkeypatch.setenv(
            "AIRFLOW_CONN_TALKDESK_DEFAULT",
            json.dumps({**sandbox.connections["talkdesk_default"], "password": ""}),
        )
        with pytest.raises(
            exceptions.ContactCenterAuthenticationError,
            match=r"password \(Client secret in the form\) is empty",
        ):
            run(sensor(job, deferrable, soft_fail=True))


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 2.11 finds earlier looks in its database")
class TestReschedulingSensor:
    """``mode="reschedule"``: each look is an execution of its own."""

    @staticmethod
    def look(job: dict[str, Any], since: datetime | None = None, **values: Any) -> Any:
        """One execution; the first one was at ``since``."""
        task_context = context()
        task_context["ti"].get_first_reschedule_date = lambda _: since
        task = ContactCenterReportSensor(
            task_id="wait", job=job, mode="reschedule", poke_interval=600, timeout=1800, **values
        )
        return task.execute(task_context)

    def test_gives_its_worker_back_between_looks(self, sandbox: Sandbox, clock: Skipping) -> None:
        job, now = TestSensor.submitted(), datetime.now(UTC)
        from airflow.sdk.exceptions import AirflowRescheduleException

        with pytest.raises(AirflowRescheduleException) as given:
            self.look(job)
        assert timedelta(seconds=600) <= given.value.reschedule_date - now < timedelta(seconds=700)
        assert clock.slept == []
        sandbox.set_options("talkdesk", hold=None)
        assert self.look(job, now)["job_id"] == job["job_id"]

    def test_says_at_each_look_how_long_it_waits_and_until_when(
        self, sandbox: Sandbox, clock: Skipping, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from airflow.sdk.exceptions import AirflowRescheduleException

        job, since = TestSensor.submitted(), datetime.now(UTC) - timedelta(seconds=900)
        deadline = (since + timedelta(seconds=1800)).isoformat(timespec="seconds")
        with pytest.raises(AirflowRescheduleException):
            self.look(job, since, execution_timeout=timedelta(seconds=60))
        assert f"next look in 600 s, deadline {deadline}" in capsys.readouterr().out

    def test_its_timeout_counts_from_the_first_look(self, sandbox: Sandbox) -> None:
        job, since = TestSensor.submitted(), datetime.now(UTC) - timedelta(seconds=1801)
        with pytest.raises(AirflowSensorTimeout, match=job["job_id"]):
            self.look(job, since)
        with pytest.raises(AirflowSkipException):
            self.look(job, since, soft_fail=True)

    def test_outlasts_a_connection_that_cannot_be_read_after_its_first_look(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow.sdk.exceptions import AirflowRescheduleException

        job = TestSensor.submitted()
        monkeypatch.delenv("AIRFLOW_CONN_TALKDESK_DEFAULT")
        with pytest.raises(exceptions.ContactCenterUnavailableError, match="there is no connection"):
            self.look(job)
        with pytest.raises(AirflowRescheduleException):
            self.look(job, datetime.now(UTC))

    def test_a_failed_report_fails_it(self, sandbox: Sandbox) -> None:
        job = TestSensor.submitted()
        sandbox.hold(job["job_id"], "failed")
        with pytest.raises(exceptions.ContactCenterReportFailedError):
            self.look(job, datetime.now(UTC), soft_fail=True)


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"conn_type": "khoros_care"}, "Nothing was sent: give the report a connection of that type"),
        ({"extra": {"proxies": "socks9://proxy"}}, r"can't be used: .*\sCorrect its URL\."),
        ({"password": "wrong"}, "Check the connection's credentials."),
    ],
    ids=["type", "proxy", "password"],
)
def test_what_to_do_about_a_refusal_is_the_same_in_both_modes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], cure: str
) -> None:
    job, known = TalkdeskHook().submit(calls()), sandbox.connections["talkdesk_default"]
    changed = {**known, **change, "extra": {**known["extra"], **change.get("extra", {})}}
    monkeypatch.setenv("AIRFLOW_CONN_TALKDESK_DEFAULT", json.dumps(changed))
    tokens.forget()
    with pytest.raises(exceptions.ContactCenterError, match=cure) as on_worker:
        TalkdeskHook().get_status(job)

    async def first_event() -> Any:
        return await anext(ContactCenterReportTrigger(job, poll_interval=0.1).run())

    event = json.loads(json.dumps(asyncio.run(first_event()).payload))
    with pytest.raises(type(on_worker.value)) as deferred:
        waiting_report(True)().execute_complete(context(), event)
    assert str(deferred.value).partition("): ")[2] == str(on_worker.value).partition("): ")[2]


@pytest.mark.parametrize(
    ("error", "ending"),
    [("Trigger timeout", AirflowSkipException), ("Trigger failure", TaskDeferralError)],
)
def test_a_trigger_that_crashed_is_no_timeout(sandbox: Sandbox, error: str, ending: type[Exception]) -> None:
    task = sensor(JOB, True, soft_fail=True)()
    with pytest.raises(ending):
        task.resume_execution("__fail__", {"error": error}, context())


@pytest.mark.parametrize("kind", ["operator", "sensor"])
def test_ending_a_task_says_that_the_report_runs_on(
    sandbox: Sandbox, kind: str, clock: Skipping, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Mock()
    job = ContactCenterReportOperator(task_id="submit", report=calls()).execute(context())
    task: Any = waiting_report(False)() if kind == "operator" else sensor(job, False)()
    monkeypatch.setattr(type(task), "log", log)
    # Airflow calls on_kill in the midst of execute.
    if kind == "operator":
        clock.meanwhile = task.on_kill
        with pytest.raises(exceptions.ContactCenterError, match="The task was ended while it waited"):
            task.execute(context())
        job = {"job_id": sandbox.jobs("talkdesk")[-1]["id"]}
    else:
        assert task.poke(context()) is False
        task.on_kill()
    assert log.warning.call_args.args == (RUNS_ON, job["job_id"])


def test_a_report_that_is_no_job_is_not_remembered(sandbox: Sandbox) -> None:
    report = vspark_stats(
        company="DocTestCo",
        organization="DocTestCo-DocTesting",
        start="2024-05-01T00:00:00Z",
        end="2024-05-02T00:00:00Z",
    )
    store = StateStore()
    kept = []
    task = ContactCenterReportOperator(task_id="stats", report=report, wait_for_completion=True)
    store.set = lambda key, value: kept.append(value["job"])  # type: ignore[method-assign]
    assert task.execute(context(store))["job_id"] is None
    assert kept == [None]
    assert store == {}


def test_a_task_that_is_ended_before_it_submits_submits_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    task: Any = waiting_report(False)()
    monkeypatch.setattr(Submitted, "check", lambda goal, run: task.on_kill())
    with pytest.raises(exceptions.ContactCenterError, match="The task was ended: nothing was submitted"):
        task.execute(context())
    assert sandbox.jobs("talkdesk") == []


def test_a_job_that_is_submitted_while_its_task_is_ended_is_not_left_without_a_word(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, store = Mock(), StateStore()
    task: Any = waiting_report(False)()
    monkeypatch.setattr(type(task), "log", log)
    submit = TalkdeskHook.submit_checked

    def ended_meanwhile(*given: Any) -> Any:
        task.on_kill()
        return submit(*given)

    monkeypatch.setattr(TalkdeskHook, "submit_checked", ended_meanwhile)
    with pytest.raises(exceptions.ContactCenterError, match="The task was ended"):
        task.execute(context(store))
    [job] = sandbox.jobs("talkdesk")
    assert log.warning.call_args.args == (RUNS_ON, job["id"])
    # What runs on is taken up by a retry, if there is one.
    assert store["contactcenter_job"]["job"]["job_id"] == job["id"]


def test_a_task_that_was_ended_before_it_began_has_nothing_to_say(sandbox: Sandbox) -> None:
    for task in (waiting_report(False)(), sensor(JOB, False)()):
        task.on_kill()
    assert sandbox.journal() == []


def test_a_copy_of_a_task_in_mid_run_knows_no_run(sandbox: Sandbox) -> None:
    task = waiting_report(True)()
    with pytest.raises(TaskDeferred):
        task.execute(context())
    assert task.current.run is not None
    assert copy.deepcopy(task).current.run is None
    assert pickle.loads(pickle.dumps(task.current)).run is None
    assert task.report == calls()
    assert task.job is None


def test_the_sensors_execution_timeout_counts_while_deferred(sandbox: Sandbox) -> None:
    job = ContactCenterReportOperator(task_id="submit", report=calls()).execute(context())
    task = sensor(job, True, soft_fail=True, execution_timeout=timedelta(seconds=0.5))
    task_context = context()
    with pytest.raises(TaskDeferred) as deferral:
        task().execute(task_context)
    deadline = deferral.value.trigger.serialize()[1]["deadline"]
    assert deadline == (task_context["ti"].start_date + timedelta(seconds=0.5)).isoformat()
    # It is no timeout of the sensor's own: retried, and never skipped.
    with pytest.raises(exceptions.ContactCenterTimeoutError):
        run(task)
