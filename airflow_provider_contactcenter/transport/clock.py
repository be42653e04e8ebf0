"""Seconds, as an object that is handed in, so that a test need not wait."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """A clock that only goes forward, and pauses by it."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait on a worker."""
        time.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        """Wait in an event loop."""
        await asyncio.sleep(seconds)
