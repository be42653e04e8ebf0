"""A night of reports, scaled down: all submitted, all waited for in one event loop, all landed.

One process plays worker and triggerer: it submits every report and defers it, waits for all of them at once,
as a triggerer does, and lands them one after the other in an S3 store that throws bytes away. A job takes 20
seconds here and is looked at every two; what a look costs doesn't depend on how long the pause is. What
Airflow adds to each task, a process of its own and the scheduler's work, isn't in it.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.racing import MIB, Figures, Line, Options, run, say
from tests.benchmarks.throwaway import throwaway
from tests.benchmarks.vendor import calls, context, sandbox

BUCKET = "contactcenter"
#: seconds that a job takes, and between two looks
TAKES, EVERY = 20.0, 2.0


def a_night(given: dict[str, Any]) -> Callable[[], Figures]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: F401 - imports are not measured
    from airflow.providers.common.compat.sdk import TaskDeferred

    from airflow_provider_contactcenter.hooks import talkdesk  # noqa: F401
    from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

    def task(number: int) -> Any:
        # Each time another, as each of a task's two processes has its own.
        return ContactCenterToS3Operator(
            task_id=f"report_{number}",
            report=calls(),
            s3_key=f"s3://{BUCKET}/{number}.csv",
            deferrable=True,
            poll_interval=EVERY,
            max_poll_interval=EVERY,
        )

    def submitted(number: int) -> Any:
        try:
            task(number).execute(context())
        except TaskDeferred as deferred:
            return deferred.with_traceback(None)
        raise AssertionError("the report was ready at once")

    async def event_of(trigger: Any) -> Any:
        events = trigger.run()
        try:
            return (await anext(events)).payload
        finally:
            await events.aclose()

    async def all_events(waiting: list[Any]) -> list[Any]:
        return await asyncio.gather(*(event_of(deferred.trigger) for deferred in waiting))

    def execute() -> Figures:
        clocks = [time.process_time()]
        waiting = [submitted(number) for number in range(given["reports"])]
        clocks.append(time.process_time())
        events = asyncio.run(all_events(waiting))
        clocks.append(time.process_time())
        landed = []
        for number, (deferred, event) in enumerate(zip(waiting, events, strict=True)):
            method = getattr(task(number), deferred.method_name)
            delivery = method(context(), event=event, **(deferred.kwargs or {}))
            assert delivery["complete"]
            landed.append(delivery["bytes"])
        clocks.append(time.process_time())
        submit, wait, land = (after - before for before, after in itertools.pairwise(clocks))
        return {"submit": submit, "wait": wait, "land": land, "bytes": sum(landed), "reports": len(landed)}

    return execute


def measure(options: Options) -> Iterator[Line]:
    """The lines of the night."""
    reports, size = max(5, round(60 * options.scale)), 2
    say(f"  {reports} reports of {size} MiB")
    with sandbox() as vendor, throwaway() as store:
        # One that takes its time, whoever looks.
        vendor.set_options(ladder=[["processing", TAKES, 0]], bytes=size * MIB, expires_in=7200)
        vendor.forget()
        night = run("night", "a_night", {**vendor.environ, **store}, {"reports": reports})
        asked = Counter(entry["operation"] for entry in vendor.asked())
    what = f"a night of {reports} reports of {size} MiB"
    landed = f"{night['bytes'] / 1e6:,.0f} MB in {night['seconds']:.0f} s"
    yield Line(what, landed, cpu=f"{night['cpu']:.1f} s", memory=f"+{night['memory']:.0f} MiB")
    once = asked["create"] == asked["storage"] == reports == night["reports"]
    yield Line(
        "reports submitted; files fetched; landed",
        f"{asked['create']}; {asked['storage']}; {night['reports']}",
        limit="each once",
        met=once,
    )
    looks = asked["poll"]
    for part, count, unit in (
        ("submit", reports, "report"),
        ("wait", looks, "look"),
        ("land", reports, "report"),
    ):
        each = night[part] * 1000 / max(1, count)
        yield Line(f"processor time to {part}", f"{each:.3g} ms a {unit}", f"{count:,} {unit}s")
