"""Tokens, one per process and set of resolved credentials.

Who asks for one first fetches it, the others wait for it (single flight); a token is renewed before it
expires. What is kept dies with the process: tokens are never stored.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


_leases: dict[str, _Lease] = {}
_failures: dict[str, _Failure] = {}
_thread_locks: dict[str, threading.Lock] = {}
_loop_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


def _cached(key: str, stale: Token | None) -> Token | None:
    lease = _leases.get(key)
    if lease is None or lease.token is stale or time.monotonic() >= lease.renew_at:
        return None
    return lease.token


def _share_failure(key: str, waiting_since: float) -> None:
    """Who waited while the token was refused to another is refused too, instead of asking in turn."""
    failure = _failures.get(key)
    if failure is not None and failure.at >= waiting_since:
        raise failure.refusal.but()


def _keep(key: str, token: Token, asked_at: float) -> Token:
    lead = min(LEAD, token.expires_in / 2)
    _leases[key] = _Lease(token, asked_at + token.expires_in - lead)
    return token


def token(settings: Settings, stale: Token | None, fetch: Callable[[], Token]) -> Token:
    """A token other than ``stale``, fetched if there is none; for threads."""
    key, waiting_since = settings.key, time.monotonic()
    with _thread_locks.setdefault(key, threading.Lock()):
        if cached := _cached(key, stale):
            return cached
        _share_failure(key, waiting_since)
        asked_at = time.monotonic()
        try:
            return _keep(key, fetch(), asked_at)
        except Refusal as refusal:
            # A copy has no traceback, which would keep its frames alive.
            _failures[key] = _Failure(refusal.but(), time.monotonic())
            raise


async def token_async(
    settings: Settings, stale: Token | None, fetch: Callable[[], Awaitable[Token]]
) -> Token:
    """A token other than ``stale``, fetched if there is none; for an event loop."""
    key, waiting_since = settings.key, time.monotonic()
    if cached := _cached(key, stale):
        return cached
    locks = _loop_locks.setdefault(asyncio.get_running_loop(), {})
    async with locks.setdefault(key, asyncio.Lock()):
        if cached := _cached(key, stale):
            return cached
        _share_failure(key, waiting_since)
        asked_at = time.monotonic()
        try:
            return _keep(key, await fetch(), asked_at)
        except Refusal as refusal:
            # A copy has no traceback, which would keep its frames alive.
            _failures[key] = _Failure(refusal.but(), time.monotonic())
            raise


def forget() -> None:
    """Drop every token, as a new process would."""
    _leases.clear()
    _failures.clear()
