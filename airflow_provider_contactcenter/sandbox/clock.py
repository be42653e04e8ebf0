"""The sandbox's time, which a test may move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Real time, or a time that stands still; either can be moved forward.

    Jobs, tokens, links and everything else that ages in a sandbox goes by it, so a test needs no real wait::

        with Sandbox(clock=Clock(datetime(2026, 5, 4, tzinfo=UTC))) as sandbox:
            sandbox.clock.advance(3600)

    :param at: the instant at which it stands still; None: it runs with real time
    """

    def __init__(self, at: datetime | None = None) -> None:
        if at is not None and at.tzinfo is None:
            raise ValueError(f"at must have a time zone, not {at.isoformat()}.")
        self._at = at and at.astimezone(UTC)
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The time, in UTC."""
        return (self._at or datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        if seconds < 0:
            raise ValueError(f"The clock can't be moved back; seconds must be 0 or more, not {seconds:g}.")
        self._ahead += timedelta(seconds=seconds)
