"""One token per process and set of credentials, however many ask; renewed before it dies."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.transport.on_aiohttp import shared_driver
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import TOKEN, Asked, Wire, connection, reply, talkdesk

from .conftest import Client, Connect
from .test_drivers import get, refused


def issued(server: Wire) -> int:
    return sum("/oauth/token" in target for target in server.targets)


class Issuer:
    """Numbered tokens; ``good`` is the one that the API takes, None for any."""

    def __init__(self, expires_in: Any = 600, good: str | None = None, slow: float = 0.0) -> None:
        self.expires_in = expires_in
        self.good = good
        self.slow = slow
        self.count = 0

    def __call__(self, asked: Asked) -> bytes:
        if "/oauth/token" in asked.line:
            self.count += 1
            time.sleep(self.slow)
            return reply(200, {"access_token": f"sentinel-token-{self.count}", "expires_in": self.expires_in})
        if self.good and asked.headers.get("authorization") != f"Bearer {self.good}":
            return reply(401, {"message": "expired"})
        return reply(200, {})


def test_fifty_threads_ask_for_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(Issuer(slow=0.1)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        clients = [Client("requests", "wire") for _ in range(5)]  # hooks of their own, as tasks have
        start = threading.Barrier(50)

        def ask(client: Client) -> None:
            start.wait()
            client.run(get())

        threads = [threading.Thread(target=ask, args=(clients[n % 5],)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            client.hook.close()
    assert (issued(server), len(server.asked)) == (1, 51)


async def test_two_hundred_coroutines_ask_for_one_token_on_one_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Wire(Issuer(slow=0.1)) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        hook = TalkdeskHook("wire")
        settings = await asyncio.to_thread(lambda: hook.settings)
        sessions = set()

        async def ask() -> None:
            async with shared_driver(hook.vendor, settings) as driver:
                sessions.add(driver.session)
                await driver.run(get())

        await asyncio.gather(*[ask() for _ in range(200)])
    assert (issued(server), len(server.asked), len(sessions)) == (1, 201, 1)
    assert server.connections <= 8
    assert all(session.closed for session in sessions)


async def test_who_waits_while_the_token_is_refused_to_another_is_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A wrong secret in a connection of a thousand triggers must not become a thousand token requests.
    def slow_no(asked: Asked) -> bytes:
        time.sleep(0.1)
        return reply(401, {"error": "invalid_client"})

    with Wire(slow_no) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        hook = TalkdeskHook("wire")
        settings = await asyncio.to_thread(lambda: hook.settings)
        async with shared_driver(hook.vendor, settings) as driver:
            ended = await asyncio.gather(*[driver.run(get()) for _ in range(200)], return_exceptions=True)
            with pytest.raises(Refusal, match="invalid_client"):
                await driver.run(get())
    assert {(type(each), str(each)) for each in ended} == {(Refusal, "HTTP 401: invalid_client")}
    assert issued(server) == 2, "one for the two hundred, one for who came later"


def test_threads_that_wait_for_a_refusal_share_it_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_no(asked: Asked) -> bytes:
        time.sleep(0.3)
        return reply(401, {"error": "invalid_client"})

    with Wire(slow_no) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        client = Client("requests", "wire")
        assert client.hook.driver
        ended: list[str] = []
        start = threading.Barrier(20)

        def ask() -> None:
            start.wait()
            ended.append(refused(client, get()).words)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.hook.close()
    assert ended == ["HTTP 401: invalid_client"] * 20
    assert issued(server) == 1


def test_a_token_is_renewed_before_it_dies(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1e9]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock[0])
    with Wire(Issuer(expires_in=2)) as server:
        client = connect(server.origin)
        for _ in range(30):
            client.run(get())
            clock[0] += 0.2
    # Half its life is the lead of so short a token: 30 polls in 6 s need one a second.
    assert 5 <= issued(server) <= 7


def test_a_token_of_ten_minutes_is_renewed_a_minute_early(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock[0])
    with Wire(Issuer(expires_in="599")) as server:
        client = connect(server.origin)
        for clock[0] in (0, 538, 540, 541, 1000):
            client.run(get())
    assert issued(server) == 2


def test_a_token_that_the_vendor_revoked_is_renewed_once(connect: Connect) -> None:
    with Wire(Issuer(good="sentinel-token-2")) as server:
        [answer] = connect(server.origin).run(get())
    assert answer.status == 200
    assert issued(server) == 2


def test_a_401_that_stays_is_final_after_one_renewal(connect: Connect) -> None:
    with Wire(talkdesk(reply(401, {"message": "wrong region"}))) as server:
        refusal = refused(connect(server.origin), get())
    assert (refusal.kind, refusal.words) == ("authentication", "HTTP 401: wrong region")
    assert [target.split()[0] for target in server.targets] == ["POST", "GET", "POST", "GET"]


def test_credentials_of_two_connections_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(Issuer()) as server:
        for conn_id, scope in (("A", "x"), ("B", "y"), ("C", "y")):
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id}", connection(server.origin, scope=scope))
            client = Client("requests", conn_id.lower())
            client.run(get())
            client.hook.close()
    assert issued(server) == 2, "b and c are the same credentials under two names"


def test_a_token_endpoint_that_is_away_is_asked_again(connect: Connect, pauses: list[float]) -> None:
    with Wire(lambda asked: reply(503)) as server:
        assert refused(connect(server.origin), get()).passing
        assert 280 < sum(pauses) <= 300, "as long as any other request, and not once more for that one"
        server.asked.clear()
        refused(connect(server.origin), get(), attempts=1)
        assert issued(server) == 1


def test_a_token_is_kept_in_memory_only_and_shows_in_no_repr(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(get())
    assert tokens._accounts
    assert TOKEN["access_token"] not in str(tokens._accounts)
    tokens.forget()
    assert tokens._accounts == {}
