"""A vendor operation with token, redirects and refusals added; still without any I/O.

:func:`converse` yields what a driver has to do: send a request, or provide a token. The two drivers are
the only places that touch a socket.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

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
    sent: list[Request] = []
    try:
        request = next(operation)
        while True:
            try:
                answer = yield from _exchange(vendor, settings, request, sent)
            except Refusal as refusal:
                request = operation.throw(refusal)
            else:
                request = operation.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except Refusal as refusal:
        # Words that an operation took from an answer itself, not from a status of 400 and more.
        secrets = (secret for request in sent for secret in policy.secrets_in(settings, request))
        refusal.words = policy.redact(refusal.words, [*settings.secrets, *secrets])
        # Neither its own text nor what it was made of may say more.
        refusal.args, refusal.__context__ = (refusal.words,), None
        raise


def _exchange(
    vendor: Vendor, settings: Settings, request: Request, all_sent: list[Request]
) -> Conversation[Answer]:
    # Where the report itself is streamed from another origin, that is object storage behind a signed link.
    abroad = request.stream and not policy.at_home(settings, policy.url_of(settings, request))
    answer, sent = yield from _signed(vendor, settings, request)
    all_sent.append(sent)
    hops = 0
    while request.follow and 300 <= answer.status < 400:
        hops += 1
        if hops > policy.LONGEST_REDIRECT_CHAIN:
            raise Refusal("unavailable", f"redirected more than {policy.LONGEST_REDIRECT_CHAIN} times")
        request = policy.redirected(replace(request, target=answer.url, params=()), answer)
        abroad = not policy.at_home(settings, request.target)
        answer, sent = yield from _signed(vendor, settings, request)
        all_sent.append(sent)
    if answer.status < 400:
        return answer
    refusal = policy.refusal_of(answer, policy.secrets_in(settings, sent))
    if refusal is None:
        return answer
    if abroad and not refusal.passing:
        # Signed links die within minutes; a new one is to be had from the vendor.
        raise Refusal(
            "unavailable", f"the link to the file was refused: {refusal.words}", status=answer.status
        )
    raise refusal


def _signed(vendor: Vendor, settings: Settings, request: Request) -> Conversation[tuple[Answer, Request]]:
    """Send a request, to the connection's own origin with credentials; a 401 renews the token once.

    Returns the answer and the request as it was sent.
    """
    request = request.encoded()
    if not request.signed:
        return (yield from _sent(request)), request
    url = policy.url_of(settings, request)
    if not policy.at_home(settings, url):
        policy.check_hop(settings.base_url, url)
        bare = replace(request, headers={}, params=())
        return (yield from _sent(bare)), bare
    token = yield from _token()
    signed = vendor.sign(request, settings, token)
    answer = yield from _sent(signed)
    if answer.status == 401 and token is not None:
        token = yield from _token(stale=token)
        signed = vendor.sign(request, settings, token)
        answer = yield from _sent(signed)
    return answer, signed


def _sent(request: Request) -> Conversation[Answer]:
    try:
        answer = yield request
    except Refusal as refusal:
        if request.idempotent or refusal.status not in policy.PERHAPS_DONE:
            raise
        # A gateway that gave up, a server that stumbled: the order may have been taken all the same.
        raise Refusal("lost", refusal.words, status=refusal.status) from None
    assert isinstance(answer, Answer)  # noqa: S101 - what a driver owes for a request
    return answer


def _token(stale: Token | None = None) -> Conversation[Token | None]:
    try:
        token = yield TokenWanted(stale)
    except Refusal as refusal:
        if refusal.kind != "lost":
            raise
        # What was lost is a token, not the request that needed it: that one was never sent.
        raise Refusal(
            "unavailable",
            refusal.words,
            status=refusal.status,
            retry_after=refusal.retry_after,
            advice=refusal.advice,
        ) from None
    assert token is None or isinstance(token, Token)  # noqa: S101 - what a driver owes for a token
    return token
