"""What only Genesys Cloud has: a watermark that is waited for, and jobs that are cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.hooks.genesys_cloud import GenesysCloudHook
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.reports import genesys_conversations, talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.clocks import Skipping, skip_waits
from tests.operators.test_modes import run
from tests.sandboxes import connected
from tests.transfers.conftest import StateStore, context

#: yesterday, by the machine's clock: the package compares windows with it
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WINDOW = {"start": TODAY - timedelta(days=1), "end": TODAY}
REPORT = genesys_conversations(**WINDOW)
MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Nothing waits."""
    return skip_waits(monkeypatch)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr("airflow_provider_contactcenter.triggers.deferral.SHORTEST_DEFERRAL", timedelta(0))
    options = {"ladder": [], "rows": 5, "conversations_watermark": TODAY.isoformat()}
    with connected(monkeypatch, options={"genesys_cloud": options}) as sandbox:
        yield sandbox


def landing(path: Path, deferrable: bool, **changes: Any) -> Any:
    return lambda: ContactCenterToFileOperator(
        task_id="land", report=REPORT, path=str(path / "day.jsonl"), deferrable=deferrable, **changes
    )


def asked(sandbox: Sandbox, operation: str) -> list[Any]:
    return list(sandbox.journal(vendor="genesys_cloud", operation=operation))


def submits(sandbox: Sandbox) -> int:
    return len(asked(sandbox, "create"))


@MODES
def test_a_window_before_the_watermark_lands_settled(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool
) -> None:
    delivery = run(landing(tmp_path, deferrable))
    assert (delivery["provisional"], delivery["complete"]) == (False, True)
    landed = [json.loads(line) for line in (tmp_path / "day.jsonl").read_text().splitlines()]
    assert len(landed) == delivery["rows"] > 0
    assert len({row["conversationId"] for row in landed}) == len(landed)


@MODES
def test_a_report_waits_for_the_watermark(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool, clock: Skipping
) -> None:
    early = (TODAY - timedelta(hours=3)).isoformat()
    sandbox.set_options("genesys_cloud", conversations_watermark=early)
    submitted_before: list[int] = []
    asked_at: list[int] = []

    def pass_on() -> None:
        submitted_before.append(submits(sandbox))
        asked_at.append(len(clock.slept))
        if len(asked_at) == 3:
            sandbox.set_options("genesys_cloud", conversations_watermark=TODAY.isoformat())

    clock.meanwhile = pass_on
    pause = clock.pause

    async def pause_and_pass(seconds: float) -> None:
        await pause(seconds)
        pass_on()

    clock.pause = pause_and_pass  # type: ignore[method-assign]
    delivery = run(landing(tmp_path, deferrable))
    assert delivery["provisional"] is False
    assert submitted_before[:3] == [0, 0, 0]
    # 60, 120, 240 seconds, give or take a tenth
    assert [round(seconds / 60) for seconds in clock.slept[:3]] == [1, 2, 4]


@MODES
def test_no_longer_than_report_timeout(sandbox: Sandbox, tmp_path: Path, deferrable: bool) -> None:
    sandbox.set_options("genesys_cloud", conversations_watermark=(TODAY - timedelta(hours=3)).isoformat())
    with pytest.raises(
        exceptions.ContactCenterTimeoutError, match=r"complete until .*\nNothing was submitted"
    ):
        run(landing(tmp_path, deferrable, report_timeout=timedelta(minutes=30)))
    assert submits(sandbox) == 0


@MODES
def test_settle_delay_of_nothing_takes_what_is_there(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool
) -> None:
    sandbox.set_options("genesys_cloud", conversations_watermark=(TODAY - timedelta(hours=3)).isoformat())
    delivery = run(landing(tmp_path, deferrable, settle_delay=timedelta(0)))
    assert (delivery["provisional"], delivery["complete"]) == (True, None)
    assert "rows may still come" in delivery["caveats"][0]


def test_pages_whose_watermark_stepped_back_make_the_delivery_provisional(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_options("genesys_cloud", conversations_watermark=(TODAY - timedelta(hours=3)).isoformat())
    job = {**GenesysCloudHook().submit(REPORT), "provisional": False}
    path = str(tmp_path / "day.jsonl")
    delivery = run(lambda: ContactCenterToFileOperator(task_id="land", job=job, path=path, deferrable=False))
    assert (delivery["provisional"], delivery["complete"]) == (True, None)


def test_a_client_that_may_not_see_the_watermark_is_told_and_waits_a_day(
    sandbox: Sandbox, tmp_path: Path, clock: Skipping, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.set_options("genesys_cloud", permissions=["analytics:agentConversationDetail:view"])
    delivery = run(landing(tmp_path, deferrable=False))
    assert delivery["provisional"] is None
    said = capsys.readouterr().out
    assert "missing.permissions: " in said
    assert "is submitted when settle_delay has passed since the window's end" in said
    # The window ended today at midnight.
    assert datetime.now(UTC) - TODAY + timedelta(seconds=sum(clock.slept)) >= timedelta(hours=24)


def test_a_job_whose_results_are_gone_is_submitted_again_by_a_retry(sandbox: Sandbox, tmp_path: Path) -> None:
    store, land = StateStore(), landing(tmp_path, deferrable=False)
    sandbox.add_fault(vendor="genesys_cloud", operation="results", fault="status", status=404)
    with pytest.raises(exceptions.ContactCenterExpiredError, match="A retry submits the report again"):
        run(land, context(store))
    assert run(land, context(store, try_number=2))["complete"]
    assert submits(sandbox) == 2


@MODES
def test_a_vendor_that_is_full_after_the_window_has_settled_is_asked_again(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool
) -> None:
    sandbox.set_options("genesys_cloud", permissions=["analytics:agentConversationDetail:view"])
    sandbox.add_fault(vendor="genesys_cloud", operation="create", fault="status", status=429)
    assert run(landing(tmp_path, deferrable, report_timeout=timedelta(minutes=30)))["complete"]
    assert submits(sandbox) == 2


@MODES
def test_a_vendor_that_is_full_when_it_is_asked_for_the_watermark_is_asked_again(
    sandbox: Sandbox, tmp_path: Path, deferrable: bool
) -> None:
    sandbox.add_fault(
        vendor="genesys_cloud",
        operation="availability",
        fault="status",
        status=429,
        retry_after=600,
    )
    assert run(landing(tmp_path, deferrable, report_timeout=timedelta(minutes=30)))["provisional"] is False
    sandbox.add_fault(
        vendor="genesys_cloud",
        operation="availability",
        fault="status",
        status=429,
        retry_after=3600,
    )
    with pytest.raises(exceptions.ContactCenterQuotaError):
        run(landing(tmp_path, deferrable, report_timeout=timedelta(minutes=30)))


def test_a_job_says_whether_it_is_provisional_and_other_vendors_jobs_say_nothing(sandbox: Sandbox) -> None:
    task = ContactCenterReportOperator(task_id="submit", report=REPORT)
    assert task.execute(context())["provisional"] is False
    other = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
    assert "provisional" not in ContactCenterReportOperator(task_id="submit", report=other).execute(context())


# -- cancel ------------------------------------------------------------------------------------------------


def deferred(sandbox: Sandbox, **changes: Any) -> Any:
    """The trigger of a task that waits for a job on its way."""
    sandbox.set_options("genesys_cloud", ladder=[["PENDING", 1000, 0]])
    task = ContactCenterReportOperator(
        task_id="submit", report=REPORT, wait_for_completion=True, deferrable=True, **changes
    )
    with pytest.raises(TaskDeferred) as caught:
        task.execute(context())
    trigger = caught.value.trigger
    return type(trigger)(**json.loads(json.dumps(trigger.serialize()[1])))


def test_a_user_who_ends_a_deferred_task_cancels_its_job(sandbox: Sandbox) -> None:
    trigger = deferred(sandbox)
    asyncio.run(trigger.on_kill())
    [cancelled] = asked(sandbox, "cancel")
    assert trigger.job["job_id"] in json.dumps(cancelled)


def test_a_job_is_left_alone_where_the_task_says_so(sandbox: Sandbox) -> None:
    asyncio.run(deferred(sandbox, cancel_on_kill=False).on_kill())
    assert asked(sandbox, "cancel") == []


def test_a_trigger_that_moves_to_another_triggerer_cancels_nothing(sandbox: Sandbox) -> None:
    trigger = deferred(sandbox)

    async def move() -> None:
        waiting = asyncio.create_task(anext(trigger.run()))
        async with asyncio.timeout(30):
            while not asked(sandbox, "poll"):
                await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(move())
    assert asked(sandbox, "cancel") == []


def test_a_user_who_ends_a_task_on_a_worker_cancels_its_job(sandbox: Sandbox, clock: Skipping) -> None:
    sandbox.set_options("genesys_cloud", ladder=[["PENDING", 1000, 0]])
    task = ContactCenterReportOperator(task_id="submit", report=REPORT, wait_for_completion=True)
    clock.meanwhile = task.on_kill
    with pytest.raises(exceptions.ContactCenterError, match="was ended"):
        task.execute(context())
    assert len(asked(sandbox, "cancel")) == 1


def test_a_job_that_is_over_is_not_cancelled(sandbox: Sandbox, tmp_path: Path) -> None:
    task = landing(tmp_path, deferrable=False)()
    task.execute(context())
    task.on_kill()
    assert asked(sandbox, "cancel") == []


def test_a_vendor_without_a_way_to_cancel_is_not_asked(sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", hold="processing")
    other = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
    task = ContactCenterReportOperator(task_id="submit", report=other)
    task.execute(context())
    before = len(sandbox.journal(vendor="talkdesk"))
    task.on_kill()
    assert len(sandbox.journal(vendor="talkdesk")) == before
