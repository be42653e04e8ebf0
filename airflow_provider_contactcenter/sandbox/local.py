"""`Sandbox`: the server in a background thread of this process."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from .clock import Clock
from .model import Connections, Vendor
from .registry import VENDORS
from .server import serving
from .world import World

T = TypeVar("T")


class Sandbox:
    """The vendors' APIs on loopback, for the length of a ``with`` block. Any thread may call any method.

    :param seed: what data, ids and tokens are made from
    :param rows: rows of a file, where the vendor's option ``rows`` doesn't say otherwise
    :param options: vendor name -> option name -> value
    :param port: the API's port; 0 takes any free one
    :param vendors: the APIs to play, those of this package unless given; a distribution that brings a vendor
        of its own brings its `sandbox.model.Vendor` too
    :param clock: the time that everything in it goes by; None: real time, which `clock.advance` moves on
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        rows: int = 100,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        port: int = 0,
        vendors: Sequence[Vendor] = VENDORS,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._serving = serving(
            vendors, port=port, seed=seed, rows=rows, options=options or {}, clock=self.clock
        )
        self._started: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._world: World
        self.url = ""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="contactcenter-sandbox", daemon=True
        )
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        try:
            async with self._serving as (self._world, self.url):
                self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
                self._started.set_result(None)
                await self._stop.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    def _ask(self, question: Callable[[World], T]) -> T:
        """Run `question` where the world lives: it belongs to the server's thread."""

        async def run() -> T:
            return question(self._world)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    @property
    def storage_url(self) -> str:
        """The second origin, where signed links lead to."""
        return self._ask(lambda world: world.storage.url)

    @property
    def connections(self) -> Connections:
        """Connection id -> the default connection to this sandbox."""
        return self._ask(lambda world: world.connections)

    @property
    def environ(self) -> dict[str, str]:
        """The default connections as Airflow's environment variables."""
        return environ(self.connections)

    def journal(self, **filters: Any) -> list[dict[str, Any]]:
        """The requests so far, oldest first, whose fields equal `filters`."""
        return self._ask(lambda world: world.journal.entries(**filters))

    def add_fault(self, **fault: Any) -> None:
        """Script a fault: ``add_fault(vendor="talkdesk", operation="poll", fault="reset", count=2)``."""
        self._ask(lambda world: world.faults.add(fault))

    def clear_faults(self) -> None:
        """Drop the faults that are left."""
        self._ask(lambda world: world.faults.clear())

    def set_options(self, vendor: str, **options: Any) -> None:
        """Change options of a vendor; jobs that were submitted before keep their course."""
        self._ask(lambda world: world.set_options(vendor, options))

    def served(self, **filters: Any) -> list[dict[str, Any]]:
        """The files and pages so far, oldest first, with the digest of each as a whole."""
        # The digests are worked out in the caller's thread, not in the server's.
        entries = [served.as_dict() for served in self._ask(lambda world: list(world.served))]
        return [entry for entry in entries if all(entry[name] == value for name, value in filters.items())]

    def jobs(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """The jobs so far, oldest first."""
        return self._ask(lambda world: world.jobs(vendor))

    def hold(self, job_id: str, state: str) -> None:
        """Make a job answer `state` until `release`; one that is over can't be brought back to life."""
        self._ask(lambda world: world.hold(job_id, state))

    def release(self, job_id: str) -> None:
        """Let a job that was held go its own way."""
        self._ask(lambda world: world.hold(job_id, None))

    def forget(self, job_id: str) -> None:
        """Drop a job, as if it had never been submitted."""
        self._ask(lambda world: world.forget(job_id))

    def reset(self) -> None:
        """Back to the start, with the options of the start."""
        self._ask(lambda world: world.reset())


def environ(connections: Connections) -> dict[str, str]:
    """Connections as Airflow's environment variables: name -> JSON."""
    return {
        f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(connection, separators=(",", ":"))
        for conn_id, connection in connections.items()
    }
