"""Clocks that are handed in where a task would wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.operators.base import ContactCenterBaseOperator
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.triggers import report as triggers


class Skipping(Clock):
    """The machine's clock, put forward by what was slept; nobody really sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        #: called instead of each sleep on a worker
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.meanwhile()

    async def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def skip_waits(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Let operators, sensor and triggers wait by a clock of their own."""
    clock = Skipping()
    for waits in (
        ContactCenterBaseOperator,
        ContactCenterReportSensor,
        triggers.ContactCenterReportTrigger,
        triggers.ContactCenterTimerTrigger,
        triggers.ContactCenterWatermarkTrigger,
    ):
        monkeypatch.setattr(waits, "clock", clock)
    return clock
