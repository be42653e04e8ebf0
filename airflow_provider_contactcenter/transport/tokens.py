"""Tokens, one per process and set of resolved credentials.

Who asks for one first fetches it, the others wait for it (single flight); a token is renewed before it
expires. What is kept dies with the process: tokens are never stored.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: seconds before its end at which a token is renewed; half its life if that is shorter
LEAD = 60.0


@dataclass(frozen=True, slots=True)
class _Lease:
    token: Token
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    refusal: Refusal
    at: float


@dataclass(slots=True)
class _Account:
    """What this process has of one set of credentials, and whose turn it is to ask for more."""

    lease: _Lease | None = None
    failure: _Failure | None = None
    thread_lock: threading.Lock = field(default_factory=threading.Lock)
    loop_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = field(
        default_factory=WeakKeyDictionary
    )

    def cached(self, stale: Token | None) -> Token | None:
        lease = self.lease
        if lease is None or lease.token is stale or time.monotonic() >= lease.renew_at:
            return None
        return lease.token

    def share_failure(self, waiting_since: float) -> None:
        """Who waited while the token was refused to another is refused too, instead of asking in turn."""
        failure = self.failure
        if failure is not None and failure.at >= waiting_since:
            raise failure.refusal.but()

    def keep(self, token: Token, asked_at: float) -> Token:
        lead = min(LEAD, token.expires_in / 2)
        self.lease = _Lease(token, asked_at + token.expires_in - lead)
        return token

    def fail(self, refusal: Refusal) -> None:
        # A copy has no traceback, which would keep its frames alive.
        self.failure = _Failure(refusal.but(), time.monotonic())


#: by the key of their settings
_accounts: dict[str, _Account] = {}


def token(settings: Settings, stale: Token | None, fetch: Callable[[], Token]) -> Token:
    """A token other than ``stale``, fetched if there is none; for threads."""
    account, waiting_since = _accounts.setdefault(settings.key, _Account()), time.monotonic()
    with account.thread_lock:
        if cached := account.cached(stale):
            return cached
        account.share_failure(waiting_since)
        asked_at = time.monotonic()
        try:
            return account.keep(fetch(), asked_at)
        except Refusal as refusal:
            account.fail(refusal)
            raise


async def token_async(
    settings: Settings, stale: Token | None, fetch: Callable[[], Awaitable[Token]]
) -> Token:
    """A token other than ``stale``, fetched if there is none; for an event loop."""
    account, waiting_since = _accounts.setdefault(settings.key, _Account()), time.monotonic()
    if cached := account.cached(stale):
        return cached
    async with account.loop_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        if cached := account.cached(stale):
            return cached
        account.share_failure(waiting_since)
        asked_at = time.monotonic()
        try:
            return account.keep(await fetch(), asked_at)
        except Refusal as refusal:
            account.fail(refusal)
            raise


def forget() -> None:
    """Drop every token, as a new process would."""
    _accounts.clear()
