"""The time, as an object that is handed in, so that a test need not wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock. Deadlines are shared by processes on several machines, so it is the wall clock."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait on a worker."""
        time.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        """Wait in an event loop."""
        await asyncio.sleep(seconds)
