"""What polling costs in a triggerer: so many jobs every five seconds, in one event loop.

The sandbox never lets a job become ready. All sides start their jobs spread over the first five seconds.

- ``HttpSensorTrigger`` of the http provider, with the token in its headers. A 404 is its "not yet", so it
  asks for a path that isn't there.
- ``bare``: a coroutine per job around one shared aiohttp session, reading the status out of the JSON.

The first ten seconds are the start: a thousand hooks are asked for, a thousand log lines written. What a poll
costs is measured after them. A step is what the loop does without looking up; the passes of Python's garbage
collector are told apart from it, and a full pass before the first job is made shows how much of them is what
was loaded before.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.benchmarks.racing import Figures, Line, Options, Race, in_turn, say
from tests.benchmarks.vendor import sandbox

EVERY = 5.0
#: seconds of the start
START = 10.0
#: the loop looks at the clock so often; what it comes late is what others blocked it for
TICK = 0.005
SIDES = {"ours": "ours", "HttpSensorTrigger": "http_sensor_trigger", "bare": "bare"}

Poll = Callable[[], Awaitable[None]]


# --- sides --------------------------------------------------------------------------------------------------


def ours(given: dict[str, Any]) -> Callable[[], Figures]:
    from airflow_provider_contactcenter.hooks import talkdesk  # noqa: F401 - imports are not measured
    from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger

    def make() -> Poll:
        trigger = ContactCenterReportTrigger(given["job"], poll_interval=EVERY, max_poll_interval=EVERY)

        async def run() -> None:
            async for _ in trigger.run():
                pass

        return run

    return lambda: asyncio.run(_polled(given, make))


def http_sensor_trigger(given: dict[str, Any]) -> Callable[[], Figures]:
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    def make() -> Poll:
        trigger = HttpSensorTrigger(
            endpoint="/data/reports/calls/nothing/1", headers=given["headers"], poke_interval=EVERY
        )

        async def run() -> None:
            await asyncio.sleep(random.uniform(0, EVERY))
            async for _ in trigger.run():
                pass

        return run

    return lambda: asyncio.run(_polled(given, make))


def bare(given: dict[str, Any]) -> Callable[[], Figures]:
    import aiohttp

    async def all_of_them() -> Figures:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8)) as session:

            async def run() -> None:
                await asyncio.sleep(random.uniform(0, EVERY))
                while True:
                    async with session.get(given["url"], headers=given["headers"]) as response:
                        assert json.loads(await response.read())["job"]["status"] != "done"
                    await asyncio.sleep(EVERY)

            return await _polled(given, lambda: run)

    return lambda: asyncio.run(all_of_them())


class Watch:
    """How long the loop was blocked at the longest, by its own steps and by the garbage collector."""

    def __init__(self) -> None:
        self.step = self.collected = 0.0
        self._began = self._in_tick = 0.0

    def collects(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        took = time.perf_counter() - self._began
        self.collected = max(self.collected, took)
        self._in_tick += took

    async def look(self) -> None:
        while True:
            self._in_tick = 0.0
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            self.step = max(self.step, time.perf_counter() - due - self._in_tick)


async def _polled(given: dict[str, Any], make: Callable[[], Poll]) -> Figures:
    import aiohttp

    opened = sent = 0
    connect, request = aiohttp.TCPConnector._create_connection, aiohttp.ClientSession._request

    async def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal opened
        opened += 1
        return await connect(self, *arguments, **options)

    async def asked(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        return await request(self, *arguments, **options)

    aiohttp.TCPConnector._create_connection = counted  # type: ignore[method-assign]
    aiohttp.ClientSession._request = asked  # type: ignore[method-assign]
    watch = Watch()
    began = time.perf_counter()
    gc.collect()
    before = time.perf_counter() - began
    gc.callbacks.append(watch.collects)
    cpu = time.process_time()
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(watch.look())]
    for _ in range(given["jobs"]):
        tasks.append(asyncio.ensure_future(make()()))
        await asyncio.sleep(0)  # a triggerer starts them one by one, too
    await asyncio.sleep(START)
    start, sent, cpu = time.process_time() - cpu, 0, time.process_time()
    await asyncio.sleep(given["seconds"] - START)
    found = {
        "connections": opened,
        "step": watch.step * 1000,
        "collected": watch.collected * 1000,
        "before": before * 1000,
        "start": start,
        "each": (time.process_time() - cpu) * 1000 / max(1, sent),
    }
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


# --- the run ------------------------------------------------------------------------------------------------


def measure(options: Options) -> Iterator[Line]:
    """The lines of polling."""
    jobs, seconds = max(50, round(1000 * options.scale)), max(2 * START, 40 * options.scale)
    say(f"  {jobs} jobs, every {EVERY:g} s, for {seconds:g} s")
    race = Race("polling", jobs * seconds / EVERY, "polls")
    with sandbox() as vendor:
        vendor.set_options(ladder=[["processing", 1e6, 0]], expires_in=7200)
        job, headers, url = vendor.submit()
        given = {"job": job, "headers": headers, "url": url, "jobs": jobs, "seconds": seconds}
        http = {"conn_type": "http", "host": vendor.connection["host"]}
        environ = {**vendor.environ, "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps(http)}
        for turn in range(options.turns(1)):
            for name in in_turn([*SIDES], turn):
                vendor.forget()
                figures = race.side(name, SIDES[name], environ, **given)
                asked = [entry["operation"] for entry in vendor.asked()]
                figures["tokens"] = asked.count("token")

    def line(what: str, figure: str, most: float, unit: str = "") -> Line:
        own = race.median("ours", figure)
        others = [f"{name}: {race.median(name, figure):.3g}" for name in list(SIDES)[1:]]
        spread = sorted(each[figure] for each in race.found["ours"])
        return Line(
            what,
            f"{own:.3g}{unit}",
            "; ".join(others),
            spread=f"{spread[0]:.3g} to {spread[-1]:.3g}",
            limit=f"≤ {most:g}{unit}",
            met=own <= most,
        )

    yield line(f"{jobs} jobs polled every {EVERY:g} s, processor time a poll", "each", 0.75, " ms")
    for name in list(SIDES)[1:]:
        ratio = race.median("ours", "each") / race.median(name, "each")
        yield Line("the same", "", name, f"{ratio:.2f} x")
    yield line("the same, connections opened", "connections", 8)
    yield line("the same, tokens fetched", "tokens", 1)
    yield line("the same, longest step of the loop", "step", 50, " ms")

    def told(what: str, figure: str, unit: str) -> Line:
        others = [f"{name}: {race.median(name, figure):.3g}" for name in list(SIDES)[1:]]
        return Line(what, f"{race.median('ours', figure):.3g} {unit}", "; ".join(others))

    yield told("the same, the start, processor time", "start", "s")
    yield told("the same, longest pass of the garbage collector", "collected", "ms")
    yield told("a full pass of it before the first job", "before", "ms")
    grown = race.median("ours", "memory")
    yield Line("the same, memory", f"+{grown:.0f} MiB", f"{grown * 1024 / jobs:.0f} KiB a job")
