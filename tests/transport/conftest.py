"""The two drivers behind one face, so that one test holds for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.on_aiohttp import shared_driver
from airflow_provider_contactcenter.vendors.protocol.messages import Operation
from tests.wire import connection


class Client:
    """Runs operations of one connection with one of the drivers."""

    def __init__(self, kind: str, conn_id: str) -> None:
        self.kind = kind
        self.hook = TalkdeskHook(conn_id)

    def run(self, *operations: Operation[Any], attempts: int = policy.ATTEMPTS) -> list[Any]:
        """Run operations one after the other, on one session."""
        if self.kind == "requests":
            return [self.hook.driver.run(operation, attempts) for operation in operations]

        async def all_of_them() -> list[Any]:
            async with shared_driver(self.hook.vendor, self.hook.settings) as driver:
                return [await driver.run(operation, attempts) for operation in operations]

        return asyncio.run(all_of_them())


Connect = Callable[..., Client]


@pytest.fixture(params=["requests", "aiohttp"])
def connect(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Connect]:
    """Makes a client of a base URL and extras, for the driver whose turn it is."""
    clients: list[Client] = []

    def make(base: str, **extra: Any) -> Client:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(base, **extra))
        clients.append(Client(request.param, "wire"))
        return clients[-1]

    yield make
    for client in clients:
        client.hook.close()
