"""Many at a time: 300 reports on a real Airflow, 1,000 triggers in one loop, 5,000 lifecycles.

The whole sizes are marked ``soak`` and run by ``python -m pytest tests/faults -m soak``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from airflow_provider_contactcenter.demo import verify
from airflow_provider_contactcenter.demo.airflow import require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError, wait_for
from airflow_provider_contactcenter.demo.stores import S3Server
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger
from tests.driving import DrivenAirflow
from tests.stores.servers import multipart_uploads
from tests.transfers.conftest import BUCKET, calls

DAGS = Path(__file__).parents[1] / "dags"

#: seconds of CPU that one step of the loop may take
LONGEST_STEP = 0.05


class Elsewhere:
    """A sandbox in a process of its own, so that its work isn't the loop's."""

    def __init__(self, process: subprocess.Popen[str], environ: dict[str, str]) -> None:
        self.environ = environ
        host = urlsplit(json.loads(environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])["host"])
        self._control = f"{host.scheme}://{host.netloc}/_sandbox"

    def set_options(self, **options: Any) -> None:
        requests.post(
            f"{self._control}/options", json={"vendor": "talkdesk", **options}, timeout=30
        ).raise_for_status()

    def asked(self, operation: str) -> int:
        journal = requests.get(f"{self._control}/journal", params={"operation": operation}, timeout=60)
        body = journal.json()
        return len(body if isinstance(body, list) else body["entries"])


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    main = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", main, "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        environ = dict(line.split("=", 1) for line in lines)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        tokens.forget()
        try:
            yield Elsewhere(process, environ)
        finally:
            process.terminate()


def order(count: int) -> list[Job]:
    hook = TalkdeskHook()
    jobs = [hook.submit(calls()) for _ in range(count)]
    hook.close()
    tokens.forget()
    return jobs


async def event_of(job: Job, poll_interval: float) -> str:
    """One trigger's life, as the triggerer leads it."""
    events = ContactCenterReportTrigger(job=job, poll_interval=poll_interval).run()
    try:
        fired = await anext(events)
    finally:
        await events.aclose()  # type: ignore[attr-defined]
    return str(fired.payload["status"])


@contextmanager
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, str]]]:
    """Steps of the loop that took longer than they may.

    CPU time, for the machine has others to serve, and without the garbage collector's: with asyncio's debug
    mode on it walks through a traceback for each future.
    """
    slow: list[tuple[float, str]] = []
    run, collecting = asyncio.events.Handle._run, [0.0, 0.0]

    def collects(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            collecting[0] = time.thread_time()
        else:
            collecting[1] += time.thread_time() - collecting[0]

    def timed(handle: asyncio.Handle) -> None:
        collecting[1] = 0.0
        began = time.thread_time()
        run(handle)
        took = time.thread_time() - began - collecting[1]
        if took > LONGEST_STEP:
            slow.append((took, f"{handle!r} of {getattr(handle._callback, '__self__', None)!r}"))

    gc.callbacks.append(collects)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.events.Handle, "_run", timed)
            yield slow
    finally:
        gc.callbacks.remove(collects)


@pytest.mark.parametrize(
    "count", [pytest.param(100, marks=pytest.mark.slow), pytest.param(1000, marks=pytest.mark.soak)]
)
def test_triggers_of_one_loop_share_token_and_session_and_block_nobody(
    elsewhere: Elsewhere, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.set_options(max_running=2 * count, ladder=[["processing", 6, 2]], expires_in=7200)
    jobs = order(count)
    before = elsewhere.asked("token")
    me, most, over = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            most[0] = max(most[0], len(me.net_connections("tcp")))
            over.wait(0.5)

    async def all_of_them() -> list[str]:
        tasks = []
        for job in jobs:
            tasks.append(asyncio.create_task(event_of(job, 3)))
            await asyncio.sleep(0)  # a triggerer starts them one by one, too
        return await asyncio.gather(*tasks)

    connections = len(me.net_connections("tcp"))
    watching = threading.Thread(target=watch)
    watching.start()
    gc.collect()
    gc.freeze()  # what the tests before left isn't the loop's to walk through
    with stopwatch(monkeypatch) as slow:
        ended = asyncio.run(all_of_them(), debug=True)
    gc.unfreeze()
    over.set()
    watching.join()
    assert Counter(ended) == {"ready": count}
    assert elsewhere.asked("token") - before == 1
    assert most[0] - connections <= 8
    assert slow == []


@pytest.mark.parametrize(
    ("rounds", "each"),
    [pytest.param(6, 50, marks=pytest.mark.slow), pytest.param(20, 250, marks=pytest.mark.soak)],
)
def test_lifecycles_leave_nothing_open_and_nothing_in_memory(
    elsewhere: Elsewhere, rounds: int, each: int
) -> None:
    elsewhere.set_options(max_running=10 * each, ladder=[])
    jobs = order(each)
    me = psutil.Process()
    descriptors, memory = [], []

    async def lives() -> None:
        for _ in range(rounds):
            ended = await asyncio.gather(*(event_of(job, 0.05) for job in jobs))
            assert set(ended) == {"ready"}
            await asyncio.sleep(0.1)
            gc.collect()
            descriptors.append(me.num_fds())
            memory.append(me.memory_info().rss)

    # The client's lines of the log would be held by pytest.
    logging.disable()
    try:
        asyncio.run(lives())
    finally:
        logging.disable(logging.NOTSET)
    assert max(descriptors[1:]) <= descriptors[1] + 2
    # The first rounds fill pools and caches.
    third = len(memory) // 3
    assert memory[-1] - memory[third] < 4 * 1024 * 1024


@pytest.mark.soak
def test_300_mapped_reports_are_each_submitted_once_and_all_land(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        require_airflow_3()
    except DemoError as reason:
        pytest.skip(str(reason))
    options = {"max_running": 1000, "expires_in": 86400, "ladder": [["processing", 0.5, 0]]}
    with Sandbox(rows=20, options={"talkdesk": options}) as sandbox:
        airflow = DrivenAirflow(
            DAGS,
            {
                **s3_server.environ,
                **sandbox.environ,
                "AIRFLOW__CORE__PARALLELISM": "6",
                "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "400",
            },
        )
        airflow.prepare()
        database = airflow.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        try:
            # SQLite has one writer at a time, and here are ten processes.
            airflow.start({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"{database}?timeout=60"}, timeout=300)
            run = airflow.trigger_dag("break_scale", timeout=120)
            wait_for(lambda: len(sandbox.jobs()) >= 150, 1800, "150 reports were not submitted", interval=0.5)
            sandbox.set_options("talkdesk", ladder=[["processing", 40, 0]])
            assert airflow.wait_for_run("break_scale", run, timeout=2400) == "success"
            states = airflow.task_states("break_scale", run)
            tries = Counter(task["try_number"] for task in airflow.rest.task_instances("break_scale", run))
        finally:
            airflow.stop()
        assert (len(states), set(states.values())) == (300, {"success"})
        assert tries == {1: 300}
        windows = Counter(
            json.loads(entry["body"])["timespan"]["from"] for entry in sandbox.journal(operation="create")
        )
        assert (len(windows), set(windows.values())) == (300, {1})
        assert len(sandbox.jobs()) == 300
        by_triggerer = [
            entry
            for entry in sandbox.journal(operation="token")
            if any(name.lower() == "user-agent" and "aiohttp" in value for name, value in entry["headers"])
        ]
        assert len(by_triggerer) == 1
        served = Counter(file["sha256"] for file in sandbox.served())
        landed = Counter(
            verify.digest(s3_server.stream(BUCKET, f"faults/{run}/{index}"))[0] for index in range(300)
        )
        assert landed == served
    assert multipart_uploads(s3_server, BUCKET) == []
