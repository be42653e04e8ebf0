"""The triggerer's driver: runs conversations with aiohttp, on one session per event loop and credentials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.http import SERVER_SOFTWARE
from yarl import URL

from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.transport import causes, policy, tokens
from airflow_provider_contactcenter.transport.codings import ACCEPTED, Malformed, TooLong, Undecodable, Whole
from airflow_provider_contactcenter.transport.conversation import Reply, TokenWanted, Wanted, converse
from airflow_provider_contactcenter.transport.tls import tls_context
from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

T = TypeVar("T")

#: connections of one session; a poll is short, so a thousand triggers do with these
CONNECTIONS = 8


async def _nothing(secret: str) -> None:
    """Mask nothing."""


class AiohttpDriver:
    """Runs operations of one vendor with one set of credentials on an aiohttp session. It does not stream.

    :param on_secret: is told every token that is fetched, to mask it in logs.
    :param clock: by which it pauses.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        vendor: Vendor,
        settings: Settings,
        on_secret: Callable[[str], Awaitable[None]] = _nothing,
        clock: Clock | None = None,
    ) -> None:
        self.session = session
        self.vendor = vendor
        self.settings = settings
        self.on_secret = on_secret
        self.clock = clock or Clock()
        # Not left to the session: whoever waits there has used up the loop's time for a request already, and
        # a thousand may come at once.
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._proxies: dict[tuple[str, str | None, int | None], str | None] = {}

    async def run(self, operation: Operation[T], attempts: int = policy.ATTEMPTS) -> T:
        """Run an operation to its end, like :meth:`RequestsDriver.run`."""
        conversation = converse(self.vendor, self.settings, operation, attempts, self.clock.monotonic)
        step: Callable[[], Wanted] = lambda: next(conversation)  # noqa: E731
        while True:
            try:
                wanted = step()
            except StopIteration as stop:
                result: T = stop.value
                return result
            try:
                reply = await self._do(wanted, attempts)
            except Refusal as refusal:
                step = lambda refusal=refusal: conversation.throw(refusal)  # type: ignore[misc]  # noqa: E731
            else:
                step = lambda reply=reply: conversation.send(reply)  # type: ignore[misc]  # noqa: E731

    async def _do(self, wanted: Wanted, attempts: int) -> Reply:
        if isinstance(wanted, Request):
            async with self._turns:
                return await self._send(wanted)
        if isinstance(wanted, TokenWanted):
            return await self._token(wanted.stale, attempts)
        await self.clock.pause(wanted.seconds)
        return None

    async def _token(self, stale: Token | None, attempts: int) -> Token | None:
        operation = self.vendor.authenticate(self.settings)
        if operation is None:
            return None

        async def fetch() -> Token:
            token = await self.run(operation, attempts)
            await self.on_secret(token.value)
            return token

        return await tokens.token_async(self.settings, stale, fetch)

    async def _send(self, request: Request) -> Answer:
        url = policy.url_of(self.settings, request)
        proxy = None
        try:
            proxy = self._proxy_for(url)
            async with (
                asyncio.timeout(policy.LONGEST_LOOK),
                self.session.request(
                    request.method,
                    # Without encoded=True aiohttp decodes what a vendor encoded, such as %2F in a run id.
                    URL(url, encoded=True),
                    headers={"Accept-Encoding": ACCEPTED, **request.headers},
                    data=request.body,
                    allow_redirects=False,
                    proxy=proxy,
                ) as response,
            ):
                headers = {name.lower(): value for name, value in response.headers.items()}
                whole = Whole(response.status, headers, policy.LARGEST_ANSWER)
                async for piece in response.content.iter_any():
                    whole.feed(piece)
            if proxy is None or response.status != 407:
                return Answer(response.status, headers, whole.finish(), url)
            refusal = causes.by_proxy(response.status, proxy)
        except (Undecodable, TooLong) as why:
            refusal = policy.unread(request, url, why)
        except aiohttp.ClientHttpProxyError as error:
            refusal = causes.refusal(error, url, self.settings.timeout, proxy)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its parser's words; behind the first line stands what the answer said.
            said = error.message.partition("\n")[0] if isinstance(error, aiohttp.ClientResponseError) else ""
            if said and not said.startswith("Bad status line"):
                refusal = policy.unread(request, url, Malformed(said.rstrip(":")))
            else:
                refusal = causes.refusal(error, url, self.settings.timeout, proxy)
        # Outside the handler, so that the error, which may hold the whole URL, isn't even chained.
        raise refusal

    def _proxy_for(self, url: str) -> str | None:
        # The environment is read once for each origin: that takes a tenth of a poll's time.
        origin = policy.origin(url)
        if origin not in self._proxies:
            self._proxies[origin] = policy.proxy_for(self.settings, url)
        return self._proxies[origin]


@dataclass
class _Shared:
    users: int = 0
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    driver: AiohttpDriver | None = None


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_driver(
    vendor: Vendor, settings: Settings, on_secret: Callable[[str], Awaitable[None]] = _nothing
) -> AsyncIterator[AiohttpDriver]:
    """The driver that all triggers of this event loop share per set of credentials.

    The first one opens its session, the last one to leave closes it.

    :raises Refusal: (invalid) a certificate file of the connection can't be used.
    """
    drivers = _shared.setdefault(asyncio.get_running_loop(), {})
    key = settings.key
    shared = drivers.setdefault(key, _Shared())
    shared.users += 1
    try:
        async with shared.opening:
            if shared.driver is None:
                shared.driver = AiohttpDriver(await _session(settings), vendor, settings, on_secret)
        yield shared.driver
    finally:
        shared.users -= 1
        if not shared.users:
            del drivers[key]
            if shared.driver is not None:
                await shared.driver.session.close()


async def _session(settings: Settings) -> aiohttp.ClientSession:
    # Reading certificates takes tens of milliseconds; the loop has other triggers to serve.
    context = await asyncio.to_thread(tls_context, settings)
    return aiohttp.ClientSession(
        headers={"User-Agent": f"{policy.USER_AGENT} {SERVER_SOFTWARE}"},
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.timeout, sock_read=settings.timeout),
        auto_decompress=False,  # see codings
        cookie_jar=aiohttp.DummyCookieJar(),
        # As long a line as the worker's driver takes, so that the two can't differ.
        max_line_size=65536,
        max_field_size=65536,
    )
