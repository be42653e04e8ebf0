"""What polling costs in a triggerer: so many jobs every five seconds, in one event loop.

The sandbox never lets a job become ready. All sides start their jobs spread over the first five seconds.

- ``HttpSensorTrigger`` of the http provider, with the token in its headers. A 404 is its "not yet", so it
  asks for a path that isn't there.
- ``bare``: a coroutine per job around one shared aiohttp session, reading the status out of the JSON.

A step is what the loop does without looking up; the passes of Python's garbage collector, which walk through
all that Airflow has loaded, are told apart from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.benchmarks.racing import Figures, Line, Options, Race, in_turn, say
from tests.benchmarks.vendor import sandbox

EVERY = 5.0
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

    opened = 0
    connect = aiohttp.TCPConnector._create_connection

    async def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal opened
        opened += 1
        return await connect(self, *arguments, **options)

    aiohttp.TCPConnector._create_connection = counted  # type: ignore[method-assign]
    watch = Watch()
    gc.callbacks.append(watch.collects)
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(watch.look())]
    for _ in range(given["jobs"]):
        tasks.append(asyncio.ensure_future(make()()))
        await asyncio.sleep(0)  # a triggerer starts them one by one, too
    await asyncio.sleep(given["seconds"])
    found = {"connections": opened, "step": watch.step * 1000, "collected": watch.collected * 1000}
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


# --- the run ------------------------------------------------------------------------------------------------


def measure(options: Options) -> Iterator[Line]:
    """The lines of polling."""
    jobs, seconds = max(50, round(1000 * options.scale)), max(12.0, 30 * options.scale)
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
                figures["polls"] = len(asked) - figures["tokens"]
                figures["each"] = figures["cpu"] * 1000 / max(1, figures["polls"])

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
    yield line("the same, connections opened", "connections", 8)
    yield line("the same, tokens fetched", "tokens", 1)
    yield line("the same, longest step of the loop", "step", 50, " ms")
    longest = statistics.median(each["collected"] for each in race.found["ours"])
    yield Line(
        "the same, longest pass of the garbage collector",
        f"{longest:.0f} ms",
        "; ".join(f"{name}: {race.median(name, 'collected'):.0f}" for name in list(SIDES)[1:]),
    )
    grown = race.median("ours", "memory")
    yield Line("the same, memory", f"+{grown:.0f} MiB", f"{grown * 1024 / jobs:.0f} KiB a job")
