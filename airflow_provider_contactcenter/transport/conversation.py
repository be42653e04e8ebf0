"""A vendor operation with token, redirects and refusals added; still without any I/O.

:func:`converse` yields what a driver has to do: send a request, or provide a token. The two drivers are
the only places that touch a socket.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol import (
    Answer,
    Operation,
    Refusal,
    Request,
    Settings,
    Token,
    Vendor,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """The conversation needs a token, another one than ``stale``."""

    stale: Token | None = None


Wanted = Request | TokenWanted
Reply = Answer | Token | None
Conversation = Generator[Wanted, Reply, T]


def converse(vendor: Vendor, settings: Settings, operation: Operation[T]) -> Conversation[T]:
    """Run an operation to its end; a refusal is thrown into it, for it to give a meaning to or let pass."""
    try:
        request = next(operation)
        while True:
            try:
                answer = yield from _exchange(vendor, settings, request)
            except Refusal as refusal:
                request = operation.throw(refusal)
            else:
                request = operation.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except Refusal as refusal:
        # Words that an operation took from an answer itself, not from a status of 400 and more.
        refusal.words = policy.redact(refusal.words, settings.secrets)
        raise


def _exchange(vendor: Vendor, settings: Settings, request: Request) -> Conversation[Answer]:
    # Where the report itself is streamed from another origin, that is object storage behind a signed link.
    abroad = request.stream and not policy.at_home(settings, policy.url_of(settings, request))
    answer = yield from _signed(vendor, settings, request)
    for _ in range(policy.LONGEST_REDIRECT_CHAIN):
        if not (request.follow and 300 <= answer.status < 400):
            break
        request = policy.redirected(replace(request, target=answer.url, params=()), answer)
        abroad = not policy.at_home(settings, request.target)
        answer = yield from _signed(vendor, settings, request)
    else:
        raise Refusal("unavailable", f"redirected more than {policy.LONGEST_REDIRECT_CHAIN} times")
    refusal = policy.refusal_of(answer, settings.secrets)
    if refusal is None:
        return answer
    if abroad and not refusal.passing:
        # Signed links die within minutes; a new one is to be had from the vendor.
        raise Refusal(
            "unavailable", f"the link to the file was refused: {refusal.words}", status=answer.status
        )
    raise refusal


def _signed(vendor: Vendor, settings: Settings, request: Request) -> Conversation[Answer]:
    """Send a request, to the connection's own origin with credentials; a 401 renews the token once."""
    if not request.signed:
        return (yield from _sent(request))
    if not policy.at_home(settings, policy.url_of(settings, request)):
        return (yield from _sent(replace(request, headers={}, params=())))
    token = yield from _token()
    answer = yield from _sent(vendor.sign(request, settings, token))
    if answer.status == 401 and token is not None:
        token = yield from _token(stale=token)
        answer = yield from _sent(vendor.sign(request, settings, token))
    return answer


def _sent(request: Request) -> Conversation[Answer]:
    answer = yield request
    assert isinstance(answer, Answer)  # noqa: S101 - what a driver owes for a request
    return answer


def _token(stale: Token | None = None) -> Conversation[Token | None]:
    token = yield TokenWanted(stale)
    assert token is None or isinstance(token, Token)  # noqa: S101 - what a driver owes for a token
    return token
