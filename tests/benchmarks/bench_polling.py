"""What polling costs in a triggerer.

``python tests/benchmarks/bench_polling.py [--jobs 1000] [--seconds 60]``

So many jobs are polled every five seconds in one event loop. The sandbox is a process of its own and never
lets a job become ready. Every contender runs in a fresh process, and the contenders take turns.

- ``ours``: ContactCenterReportTrigger.
- ``peer``: HttpSensorTrigger of the http provider, with the token in its headers. A 404 is its "not yet", so
  it asks for a path that isn't there.
- ``bare``: a loop of its own per job around one shared aiohttp session, reading the status out of the JSON.

Reported are the CPU time per poll, the TCP connections that were opened, the longest time the loop was
blocked and the requests for a token. All three start their jobs spread over the first five seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

try:
    from tests.benchmarks.bench_transfer import WINDOW, sandbox
except ImportError:  # run as a file
    from bench_transfer import WINDOW, sandbox

import requests

EVERY = 5.0
#: the loop looks at the clock so often; what it comes late is what others blocked it for
TICK = 0.005


async def ours(given: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    from airflow_provider_contactcenter.hooks import talkdesk  # noqa: F401 - imports are not measured
    from airflow_provider_contactcenter.triggers.report import ContactCenterReportTrigger

    trigger = ContactCenterReportTrigger(given["job"], poll_interval=EVERY, max_poll_interval=EVERY)

    async def run() -> None:
        async for _ in trigger.run():
            pass

    return run


async def peer(given: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    trigger = HttpSensorTrigger(
        endpoint="/data/reports/calls/nothing/1", headers=given["headers"], poke_interval=EVERY
    )

    async def run() -> None:
        await asyncio.sleep(random.uniform(0, EVERY))
        async for _ in trigger.run():
            pass

    return run


_session: list[Any] = []


async def bare(given: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    import aiohttp

    if not _session:
        _session.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8)))

    async def run() -> None:
        await asyncio.sleep(random.uniform(0, EVERY))
        while True:
            async with _session[0].get(given["url"], headers=given["headers"]) as response:
                status = json.loads(await response.read())["job"]["status"]
                assert status != "done"
            await asyncio.sleep(EVERY)

    return run


async def _blocked(longest: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        longest.append(time.perf_counter() - due)


async def _contend(given: dict[str, Any]) -> None:
    import aiohttp

    opened = 0
    connect = aiohttp.TCPConnector._create_connection

    async def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal opened
        opened += 1
        return await connect(self, *arguments, **options)

    aiohttp.TCPConnector._create_connection = counted  # type: ignore[method-assign]
    make = {"ours": ours, "peer": peer, "bare": bare}[given["contender"]]
    jobs = [await make(given) for _ in range(given["jobs"])]
    lags: list[float] = []
    cpu = time.process_time()
    tasks = [asyncio.create_task(_blocked(lags)), *(asyncio.create_task(job()) for job in jobs)]
    await asyncio.sleep(given["seconds"])
    cpu = time.process_time() - cpu
    print(json.dumps({"cpu": cpu, "connections": opened, "blocked": max(lags) * 1000}))
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    for session in _session:
        await session.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=1, help="rounds, of which the median is taken (1)")
    parser.add_argument("--contender", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        asyncio.run(_contend(arguments.contender))
        return
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder, sandbox() as vendor:
        vendor.set_options(ladder=[["processing", 1e6, 0]], expires_in=3600)
        job, headers, url = vendor.order()
        given = {"job": job, "headers": headers, "url": url, "jobs": arguments.jobs}
        given |= {"seconds": arguments.seconds}
        environ = {**os.environ, **vendor.environ, "AIRFLOW_HOME": folder}
        environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        http = {"conn_type": "http", "host": vendor.connection["host"]}
        environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps(http)
        for _ in range(arguments.runs):
            for name, each in found.items():
                requests.delete(f"{vendor.url}/_sandbox/journal", timeout=60).raise_for_status()
                output = subprocess.run(
                    [sys.executable, __file__, "--contender", json.dumps({**given, "contender": name})],
                    env=environ,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    check=True,
                ).stdout
                journal = requests.get(f"{vendor.url}/_sandbox/journal", timeout=60).json()
                tokens = sum(entry["operation"] == "token" for entry in journal)
                one = {**json.loads(output.splitlines()[-1]), "tokens": tokens}
                one["polls"] = len(journal) - tokens
                one["per_poll"] = one["cpu"] * 1000 / max(1, one["polls"])
                each.append(one)
    print(f"{arguments.jobs} jobs, every {EVERY:g} s, for {arguments.seconds:g} s; {WINDOW['start']}")
    print(f"{'':8}{'polls':>8}{'CPU ms/poll':>13}{'connections':>13}{'blocked ms':>12}{'tokens':>8}")
    for name, each in found.items():
        middle = {number: statistics.median(one[number] for one in each) for number in each[0]}
        print(
            f"{name:8}{middle['polls']:8.0f}{middle['per_poll']:13.2f}{middle['connections']:13.0f}"
            f"{middle['blocked']:12.0f}{middle['tokens']:8.0f}"
        )
    own = statistics.median(one["per_poll"] for one in found["ours"])
    for name in ("peer", "bare"):
        theirs = statistics.median(one["per_poll"] for one in found[name])
        print(f"ours takes {own / theirs:.2f} x the CPU time of {name}")
    print("budget: 0.75 ms a poll, 8 connections, 50 ms blocked, 1 token")


if __name__ == "__main__":
    main()
