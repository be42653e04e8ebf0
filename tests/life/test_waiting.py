"""The waiting, as a pure state machine with a clock of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter.life.waiting import Event, Look, Sleep, wait
from airflow_provider_contactcenter.nouns import Status, new_job
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of
from airflow_provider_contactcenter.vendors.talkdesk import VENDOR

START = datetime(2024, 5, 2, tzinfo=UTC)
JOB = new_job(talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z"), "369f88a5")
RUNNING = Status(state="running", vendor_status="processing", reason=None)
READY = Status(state="ready", vendor_status="done", reason=None)

Found = Status | Refusal | None


class Clock:
    """A clock that moves when somebody sleeps; notes what was done and when."""

    def __init__(self, drift: float = 1.0) -> None:
        self.now = START
        self.drift = drift
        self.looks: list[datetime] = []
        self.sleeps: list[float] = []
        self.notes: list[str] = []

    def run(self, answers: Iterable[Found] | Callable[[], Found], most: int = 100_000, **how: Any) -> Event:
        """Wait to the end; an answer may take time itself."""
        stream: Iterator[Found] | None = None if callable(answers) else iter(answers)
        how = {
            "poll_interval": 30.0,
            "max_poll_interval": 300.0,
            "deadline": START + timedelta(hours=12),
            **how,
        }
        steps = wait(JOB, now=lambda: self.now, note=self.notes.append, **how)
        found: Found = None
        for _ in range(most):
            try:
                step = steps.send(found)
            except StopIteration as stop:
                ended: Event = stop.value
                return ended
            if isinstance(step, Sleep):
                assert math.isfinite(step.seconds)
                self.sleeps.append(step.seconds)
                self.now += timedelta(seconds=step.seconds * self.drift)
                found = None
            else:
                assert isinstance(step, Look)
                self.looks.append(self.now)
                found = answers() if stream is None else next(stream)  # type: ignore[operator]
        raise AssertionError(f"no end after {most} steps")

    @property
    def gaps(self) -> list[float]:
        return [(b - a).total_seconds() for a, b in zip(self.looks, self.looks[1:], strict=False)]


# -- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "ends_as"),
    [
        ("created", None),
        ("processing", None),
        ("uploading", None),
        ("sending", None),
        ("sandbox-unheard-of", None),
        ("completed", None),  # what a third-party client waits for, and no document lists
        ("done", "ready"),
        ("failed", "failed"),
        ("canceled", "cancelled"),
        ("cancelled", "cancelled"),
        ("deleted", "expired"),
    ],
)
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title, " {} ".format])
def test_each_word_ends_the_wait_or_does_not(
    word: str, ends_as: str | None, case: Callable[[str], str]
) -> None:
    said = case(word)
    status = status_of(VENDOR.states, said, "because")
    clock = Clock()
    ended = clock.run([status, READY])
    assert ended["status"] == (ends_as or "ready")
    assert len(clock.looks) == (1 if ends_as else 2)
    if ends_as:
        assert (ended["vendor_status"], ended["reason"]) == (said, "because")


def test_a_word_that_nobody_knows_is_bounded_by_the_deadline() -> None:
    unheard = status_of(VENDOR.states, "sandbox-unheard-of")
    ended = Clock().run(lambda: unheard)
    assert (ended["status"], ended["vendor_status"]) == ("timeout", "sandbox-unheard-of")


def test_no_word_at_all_counts_as_running() -> None:
    assert status_of(VENDOR.states, None)["state"] == "running"
    assert Clock().run([status_of({}, ""), READY])["status"] == "ready"


def test_only_changes_are_noted() -> None:
    clock = Clock()
    clock.run([RUNNING, RUNNING, RUNNING, READY])
    assert clock.notes == [
        "job 369f88a5 is running (the vendor says processing)",
        "job 369f88a5 is ready (the vendor says done)",
    ]


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unreachable", "unavailable", "lost", "quota"])
def test_a_blip_never_ends_the_wait_however_often_it_comes(kind: Any) -> None:
    clock = Clock()
    assert clock.run([*[Refusal(kind, "away")] * 40, READY])["status"] == "ready"
    assert len([line for line in clock.notes if "failed and will be repeated: away" in line]) == 40
    assert Clock().run(lambda: Refusal(kind, "away"))["status"] == "timeout"


@pytest.mark.parametrize(
    "kind", ["authentication", "permission", "invalid", "missing", "failed", "undecodable"]
)
def test_any_other_refusal_ends_it_at_once_with_the_vendors_words(kind: Any) -> None:
    clock = Clock()
    ended = clock.run([RUNNING, Refusal(kind, "HTTP 403: no", advice="Ask Ann.")])
    assert ended == {
        "version": 1,
        "status": "refused",
        "job": JOB,
        "vendor_status": "processing",
        "reason": "HTTP 403: no",
        "refusal": kind,
        "advice": "Ask Ann.",
    }
    assert len(clock.looks) == 2


def test_what_the_vendor_asks_to_wait_is_waited() -> None:
    clock = Clock()
    clock.run([Refusal("quota", "slow down", retry_after=4000), RUNNING, READY])
    assert clock.gaps[0] == 4000
    assert clock.gaps[1] < 100  # asked once, not for ever


def test_a_shorter_retry_after_does_not_hurry_the_looks() -> None:
    clock = Clock()
    clock.run([Refusal("unavailable", "503", retry_after=1), READY])
    assert clock.gaps[0] >= 27


# -- time --------------------------------------------------------------------------------------------------


def test_the_interval_grows_by_half_to_its_limit_ten_per_cent_more_or_less() -> None:
    clock = Clock()
    clock.run(lambda: RUNNING)
    wanted = [min(30 * 1.5**n, 300) for n in range(len(clock.gaps))]
    assert all(0.9 * w <= gap <= 1.1 * w for w, gap in zip(wanted[:-1], clock.gaps[:-1], strict=True))
    assert len({round(gap, 3) for gap in clock.gaps[7:20]}) > 5, "jitter keeps triggers apart"


def test_an_interval_above_the_limit_is_never_shortened() -> None:
    clock = Clock()
    clock.run(lambda: RUNNING, poll_interval=600.0)
    assert min(clock.gaps[:-1]) >= 540


def test_the_first_look_is_taken_at_once_or_when_it_is_due() -> None:
    clock = Clock()
    clock.run([READY])
    assert clock.sleeps == []
    clock = Clock()
    clock.run([READY], first_look=12.5)
    assert clock.sleeps == [12.5]


def test_the_deadline_is_an_instant_whoever_waits_and_however_often() -> None:
    clock = Clock()
    deadline = START + timedelta(hours=1)
    # Two waits in a row, as after a restart of the triggerer: the second keeps to the same instant.
    steps = wait(JOB, poll_interval=30, max_poll_interval=300, deadline=deadline, now=lambda: clock.now)
    assert isinstance(next(steps), Look)
    clock.now += timedelta(minutes=50)
    assert clock.run(lambda: RUNNING, deadline=deadline, first_look=5)["status"] == "timeout"
    assert timedelta(0) <= clock.now - deadline < timedelta(seconds=0.1)


def test_past_the_deadline_a_trigger_that_starts_late_does_not_wait_at_all() -> None:
    clock = Clock()
    ended = clock.run(lambda: RUNNING, deadline=START - timedelta(days=1), first_look=10)
    assert (ended["status"], clock.sleeps, clock.looks) == ("timeout", [], [])


def test_a_report_that_is_ready_at_the_last_look_is_not_thrown_away() -> None:
    clock = Clock()

    def slowly() -> Found:
        clock.now += timedelta(hours=13)
        return READY

    assert clock.run(slowly)["status"] == "ready"


@pytest.mark.parametrize("drift", [0.5, 0.999, 1.0, 1.5])
def test_a_wall_clock_that_runs_apart_from_the_sleeping_clock_does_no_harm(drift: float) -> None:
    clock = Clock(drift)
    assert clock.run(lambda: RUNNING)["status"] == "timeout"
    assert abs((clock.now - START).total_seconds() - 12 * 3600) < 300
    assert len(clock.looks) < 600


def test_a_step_of_the_wall_clock_moves_nothing_but_the_end() -> None:
    for step in (-1, 1):
        clock = Clock()
        jumps = iter([timedelta(hours=step)])

        def answer(clock: Clock = clock, jumps: Iterator[timedelta] = jumps) -> Found:
            clock.now += next(jumps, timedelta(0))
            return RUNNING

        assert clock.run(answer)["status"] == "timeout"
        assert min(gap for gap in clock.sleeps[:-1]) >= 27


# -- the property ------------------------------------------------------------------------------------------


def answer_of(status: int, retry_after: str | None) -> Found:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    refusal = policy.refusal_of(Answer(status, headers, b"<html>", "https://x/"), now=START)
    return refusal or RUNNING


seconds = st.floats(min_value=0, max_value=1000, allow_nan=False)


@given(
    status=st.integers(100, 599),
    retry_after=st.none()
    | st.sampled_from(["0", "-5", "0.0", "9" * 400, "soon", "Thu, 01 Jan 1970 00:00:00 GMT"]),
    poll_interval=seconds | st.sampled_from([math.nan, -1.0, math.inf]),
    max_poll_interval=seconds,
    minutes=st.integers(-10, 10),
)
@settings(deadline=None)  # ten minutes of the shortest pauses are thousands of steps
def test_no_path_lacks_a_sleep_and_the_looks_are_bounded_by_the_time(
    status: int,
    retry_after: str | None,
    poll_interval: float,
    max_poll_interval: float,
    minutes: int,
) -> None:
    clock = Clock()
    ended = clock.run(
        lambda: answer_of(status, retry_after),
        poll_interval=poll_interval,
        max_poll_interval=max_poll_interval,
        deadline=START + timedelta(minutes=minutes),
    )
    assert ended["status"] in {"timeout", "refused"}
    spent = (clock.now - START).total_seconds()
    both_count = poll_interval > 0 and max_poll_interval > 0
    shortest = max(0.9 * min(poll_interval, max_poll_interval) if both_count else 0.0, 0.05)
    assert len(clock.looks) <= spent / shortest + 2
    assert all(gap > 0 for gap in clock.gaps)
    assert clock.now <= max(START, START + timedelta(minutes=minutes)) + timedelta(seconds=0.06)


@given(
    st.lists(
        st.sampled_from([RUNNING, None, Refusal("unavailable", "x"), Refusal("quota", "y", retry_after=0)])
    )
)
def test_whatever_comes_before_the_end_the_end_is_told_once_and_is_json(answers: list[Found]) -> None:
    clock = Clock()
    ended = clock.run([*answers, READY])
    assert ended["status"] in {"ready", "timeout"}
    assert json.loads(json.dumps(ended)) == ended
    assert set(ended) == {"version", "status", "job", "vendor_status", "reason", "refusal", "advice"}


def test_a_state_that_lasts_is_said_again_now_and_then_with_elapsed_time_next_look_and_deadline() -> None:
    clock = Clock()
    job = {**JOB, "submitted_at": START.isoformat()}
    steps = wait(
        job,  # type: ignore[arg-type]
        poll_interval=30.0,
        max_poll_interval=30.0,
        deadline=START + timedelta(hours=1),
        now=lambda: clock.now,
        note=clock.notes.append,
    )
    step = next(steps)
    try:
        while True:
            if isinstance(step, Sleep):
                clock.now += timedelta(seconds=step.seconds)
                step = steps.send(None)
            else:
                step = steps.send(RUNNING)
    except StopIteration:
        pass
    first, *later = clock.notes
    assert first == "job 369f88a5 is running (the vendor says processing)"
    assert 4 <= len(later) <= 6  # in an hour
    assert later[0].startswith("job 369f88a5 is still running after 0:10:")
    assert "; next look in " in later[0]
    assert later[0].endswith("deadline 2024-05-02T01:00:00+00:00")
