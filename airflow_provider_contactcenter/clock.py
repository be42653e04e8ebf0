"""The time, as an object that is handed in, so that a test need not wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time in UTC: what deadlines are measured by, which processes on several machines share."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, never set back: what a pause is measured by, within one process."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait on a worker."""
        time.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        """Wait in an event loop."""
        await asyncio.sleep(seconds)
