"""The trigger in an event loop, against the sandbox: one event, whatever happens, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.nouns import Job, new_job
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import on_aiohttp, tokens
from airflow_provider_contactcenter.triggers import report as triggers
from airflow_provider_contactcenter.triggers.report import (
    ContactCenterReportTrigger,
    ContactCenterTimerTrigger,
)
from tests.clocks import skip_waits
from tests.wire import Wire, connection, talkdesk

FIXTURES = Path(__file__).parent / "fixtures"
REPORT = talkdesk_report("calls", start="2024-05-01T00:00Z", end="2024-05-02T00:00Z", conn_id="wire")
JOB = {**new_job(REPORT, "369f88a5"), "submitted_at": "2024-05-02T00:05:00+00:00"}


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def trigger(job: Any = JOB, **changes: Any) -> ContactCenterReportTrigger:
    how = {
        "poll_interval": 0.05,
        "max_poll_interval": 0.1,
        "deadline": at(20),
        "not_before": at(0),
        **changes,
    }
    return ContactCenterReportTrigger(job, **how)


async def fired(each: Any) -> dict[str, Any]:
    """The one event of a trigger."""
    events = [event.payload async for event in each.run()]
    assert len(events) == 1
    assert json.loads(json.dumps(events[0])) == events[0]
    payload: dict[str, Any] = events[0]
    return payload


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Sandbox, Job]]]:
    """A sandbox and a job submitted there."""
    opened: list[Sandbox] = []

    def begin(timeout: float = 60, **options: Any) -> tuple[Sandbox, Job]:
        sandbox = Sandbox(rows=3, options={"talkdesk": {"ladder": [], **options}})
        sandbox.__enter__()
        opened.append(sandbox)
        own = json.loads(sandbox.environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
        own["extra"]["timeout"] = timeout
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps(own))
        hook = TalkdeskHook("wire")
        job = hook.submit(REPORT)
        hook.close()
        return sandbox, job

    yield begin
    for sandbox in opened:
        sandbox.__exit__(None, None, None)


def load(serialised: Any) -> Any:
    path, arguments = json.loads(json.dumps(serialised))
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(**arguments)


# -- upgrades ----------------------------------------------------------------------------------------------


def test_a_trigger_survives_the_way_through_the_database() -> None:
    first = trigger(poll_interval=7, max_poll_interval=70, deadline=at(9), not_before=at(1))
    again = load(first.serialize())
    assert again.serialize() == first.serialize()
    timer = ContactCenterTimerTrigger(at(5), {"waits": 2})
    assert load(timer.serialize()).serialize() == timer.serialize()


def test_arguments_of_a_later_release_are_tolerated_and_missing_ones_have_defaults() -> None:
    path, arguments = trigger().serialize()
    assert load((path, {**arguments, "colour": "red", "nested": {"a": 1}})).serialize() == (path, arguments)
    assert load((path, {"job": JOB})).poll_interval == 30
    assert load((ContactCenterTimerTrigger(at(5)).serialize()[0], {"moment": at(5), "x": 1})).payload == {}


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*_trigger.json")), ids=lambda file: file.stem)
def test_triggers_of_every_release_load(file: Path) -> None:
    stored = json.loads(file.read_text())
    path, arguments = load(stored).serialize()
    assert path == stored[0]
    assert arguments.items() >= stored[1].items()


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*_event.json")), ids=lambda file: file.stem)
async def test_events_still_have_the_keys_they_had_in_every_release(
    file: Path, started: Callable[..., tuple[Sandbox, Job]]
) -> None:
    stored = json.loads(file.read_text())
    _, job = await asyncio.to_thread(started)
    fresh = await fired(trigger(job))
    assert fresh.keys() >= stored.keys()
    assert fresh["job"].keys() >= stored["job"].keys()
    assert {name: type(fresh[name]) for name in ("version", "status", "job")} == {
        name: type(stored[name]) for name in ("version", "status", "job")
    }


def test_a_trigger_holds_no_secret() -> None:
    assert set(trigger().serialize()[1]) == {
        "job", "poll_interval", "max_poll_interval", "deadline", "not_before", "cancel_on_kill",
    }  # fmt: skip


# -- outcomes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("done", "ready"),
        ("failed", "failed"),
        ("canceled", "cancelled"),
        ("deleted", "expired"),
        ("processing", "timeout"),
        ("sandbox-unheard-of", "timeout"),
    ],
)
async def test_each_outcome_fires_one_event(
    started: Callable[..., tuple[Sandbox, Job]], word: str, status: str
) -> None:
    _, job = await asyncio.to_thread(started, end=word)
    event = await fired(trigger(job, deadline=at(20 if status != "timeout" else 0.4)))
    assert (event["version"], event["status"], event["job"]) == (1, status, job)


async def test_blips_of_every_kind_are_waited_through(started: Callable[..., tuple[Sandbox, Job]]) -> None:
    sandbox, job = await asyncio.to_thread(started, timeout=0.3)
    for fault in (
        {"fault": "reset"},
        {"fault": "status", "status": 503, "count": 3},
        {"fault": "status", "status": 429, "retry_after": 0.2},
        {"fault": "unreadable"},
        {"fault": "html"},
        {"fault": "cut", "framing": "chunked"},
        {"fault": "stall"},
        {"fault": "revoke_token"},
    ):
        sandbox.add_fault(vendor="talkdesk", operation="poll", **fault)
    assert (await fired(trigger(job)))["status"] == "ready"
    assert len({entry["fault"] for entry in sandbox.journal(operation="poll")} - {None}) == 7


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ({"fault": "status", "status": 404, "body": '{"message": "gone"}'}, "missing"),
        ({"fault": "status", "status": 403, "body": '{"message": "gone"}'}, "permission"),
        ({"fault": "status", "status": 401, "body": '{"message": "gone"}', "count": 2}, "authentication"),
    ],
)
async def test_a_refusal_ends_the_wait_with_the_vendors_words(
    started: Callable[..., tuple[Sandbox, Job]], fault: dict[str, Any], refusal: str
) -> None:
    sandbox, job = await asyncio.to_thread(started)
    sandbox.add_fault(vendor="talkdesk", operation="poll", **fault)
    event = await fired(trigger(job))
    assert (event["status"], event["refusal"]) == ("refused", refusal)
    assert "gone" in event["reason"]
    assert len(sandbox.journal(operation="poll")) <= 2


@pytest.mark.parametrize(
    ("job", "conn", "words", "refusal"),
    [
        (JOB, {"password": ""}, "the connection's password is empty", "authentication"),
        (JOB, {"host": "api:port"}, "not an http or https URL", "invalid"),
        (JOB, {"extra": {"account": "a", "verify": "/nowhere"}}, "/nowhere", "invalid"),
        ({**JOB, "vendor": "genesys"}, {}, "vendor='genesys' is not known", "invalid"),
        ({**JOB, "job_id": None}, {}, "the job has no job_id", "invalid"),
    ],
)
async def test_what_can_never_work_is_an_event_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, job: Any, conn: dict[str, Any], words: str, refusal: str
) -> None:
    own = {**json.loads(connection("http://127.0.0.1:9")), **conn}
    monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps(own))
    event = await fired(trigger(job))
    assert (event["status"], event["refusal"]) == ("refused", refusal)
    assert words in event["reason"]


async def test_a_connection_that_cannot_be_read_for_now_is_a_blip(
    started: Callable[..., tuple[Sandbox, Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_contactcenter.hooks import connection

    _, job = await asyncio.to_thread(started)
    real, calls = connection.get_async_connection, []

    async def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) < 3:
            raise ConnectionError("the API server is away")
        return await real(*args, **kwargs)

    monkeypatch.setattr(connection, "get_async_connection", sometimes)
    assert (await fired(trigger(job)))["status"] == "ready"
    assert len(calls) == 3


async def test_triggers_that_start_together_look_their_connection_up_once(
    started: Callable[..., tuple[Sandbox, Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_contactcenter.hooks import connection

    _, job = await asyncio.to_thread(started)
    real, calls = connection.get_async_connection, []

    async def slow(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        await asyncio.sleep(0.5)
        return await real(*args, **kwargs)

    monkeypatch.setattr(connection, "get_async_connection", slow)
    first, *others = [asyncio.create_task(fired(trigger(job))) for _ in range(20)]
    while not calls:
        await asyncio.sleep(0.01)
    first.cancel()  # who asked for all of them may leave
    events = await asyncio.gather(*others)
    assert {event["status"] for event in events} == {"ready"}
    assert len(calls) == 1

    monkeypatch.setattr(connection, "SAME_LOOKUP", 0.0)
    assert (await fired(trigger(job)))["status"] == "ready"
    assert len(calls) == 2, "a connection that was changed has to be seen"


# -- time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deadline", [-100, 100, 2000])
async def test_no_event_and_no_look_come_before_their_time(
    started: Callable[..., tuple[Sandbox, Job]], monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    sandbox, job = await asyncio.to_thread(started)
    clock = skip_waits(monkeypatch)
    await fired(trigger(job, not_before=at(600), deadline=at(deadline)))
    assert sum(clock.slept) == pytest.approx(600, abs=20)
    assert len(sandbox.journal(operation="poll")) == (1 if deadline == 2000 else 0)


async def test_the_deadline_survives_any_number_of_restarts(
    started: Callable[..., tuple[Sandbox, Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job = await asyncio.to_thread(started, end="processing")
    clock = skip_waits(monkeypatch)
    first = trigger(job, poll_interval=30, max_poll_interval=60, deadline=at(600))
    for restart in range(1, 4):
        running = asyncio.create_task(fired(first))
        while len(clock.slept) < restart:
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        first = load(first.serialize())
    assert (await fired(first))["status"] == "timeout"
    assert sum(clock.slept) == pytest.approx(600, abs=20)


async def test_an_answer_that_trickles_in_cannot_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(triggers, "SHORTEST_LOOK", 0.1)
    trickle: list[bytes | float] = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"]
    for _ in range(100):
        trickle += [0.05, b" "]
    with Wire(talkdesk(trickle)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        began = time.monotonic()
        assert (await fired(trigger(deadline=at(0.5))))["status"] == "timeout"
        assert time.monotonic() - began < 2


async def test_a_timer_fires_at_its_instant_and_hands_its_payload_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = skip_waits(monkeypatch)
    assert await fired(ContactCenterTimerTrigger(at(300), {"waits": 2})) == {
        "version": 1,
        "payload": {"waits": 2},
    }
    assert sum(clock.slept) == pytest.approx(300, abs=20)
    assert (await fired(ContactCenterTimerTrigger(at(-99))))["payload"] == {}
    assert clock.slept[1:] == [0], "it is due already"


# -- sharing and leaving -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_cancelling_closes_what_was_opened(started: Callable[..., tuple[Sandbox, Job]]) -> None:
    sandbox, job = await asyncio.to_thread(started, end="processing")
    running = [asyncio.create_task(fired(trigger(job))) for _ in range(3)]
    while not sandbox.journal(operation="poll"):
        await asyncio.sleep(0.02)
    [shared] = on_aiohttp._shared[asyncio.get_running_loop()].values()
    session = shared.driver.session  # type: ignore[union-attr]
    running[0].cancel()
    await asyncio.gather(running[0], return_exceptions=True)
    assert not session.closed, "two triggers still need it"
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert session.closed
    assert on_aiohttp._shared[asyncio.get_running_loop()] == {}
    gc.collect()


@pytest.fixture
def callbacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, float]]]:
    """What each callback of the event loop took: this thread's processor time, and wall-clock time."""
    taken: list[tuple[float, float]] = []
    real = asyncio.Handle._run

    def run(handle: asyncio.Handle) -> None:
        cpu, wall = time.thread_time(), time.monotonic()
        real(handle)
        taken.append((time.thread_time() - cpu, time.monotonic() - wall))

    monkeypatch.setattr(asyncio.Handle, "_run", run)
    gc.collect()
    gc.disable()  # collecting what other tests left is not this loop's work
    yield taken
    gc.enable()


async def test_two_hundred_triggers_share_a_session_and_a_token_and_never_block_the_loop(
    started: Callable[..., tuple[Sandbox, Job]],
    monkeypatch: pytest.MonkeyPatch,
    callbacks: list[tuple[float, float]],
) -> None:
    monkeypatch.setenv("AIRFLOW_DISABLE_GREENBACK_PORTAL", "true")
    sandbox, job = await asyncio.to_thread(started, timeout=30)
    await fired(trigger(job))  # what Airflow itself imports at the first connection is not measured
    tokens.forget()  # the triggerer is another process than the one that submitted
    before = len(sandbox.journal(operation="token"))
    # A request that blocked would block for as long as the vendor takes to answer.
    sandbox.add_fault(vendor="talkdesk", operation="poll", fault="stall", seconds=2.0, count=5)
    callbacks.clear()
    asyncio.get_running_loop().set_debug(True)
    each = [trigger(job, poll_interval=1, max_poll_interval=1) for _ in range(200)]
    events = await asyncio.gather(*[fired(one) for one in each])
    assert {event["status"] for event in events} == {"ready"}
    assert len(sandbox.journal(operation="token")) - before == 1
    assert len(sandbox.journal(operation="poll")) == 201
    # The first one is this test's own. Other processes may take the processor away, so the wall clock gets a
    # wide margin.
    assert max(cpu for cpu, _ in callbacks[1:]) < 0.05
    assert max(wall for _, wall in callbacks[1:]) < 1.5


async def test_ending_the_task_says_that_the_report_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Mock()
    monkeypatch.setattr(ContactCenterReportTrigger, "log", log)
    await trigger().on_kill()
    assert "runs on at the vendor" in log.warning.call_args.args[0]
    assert JOB["job_id"] in log.warning.call_args.args


def test_the_fixtures_are_there() -> None:
    assert {file.name for file in FIXTURES.iterdir()} >= {
        "0.1_report_trigger.json",
        "0.1_timer_trigger.json",
        "0.1_report_event.json",
    }
