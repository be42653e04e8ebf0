"""A vendor operation with token, redirects, refusals and second tries added; still without any I/O.

:func:`converse` yields what a driver has to do: send a request, provide a token, or pause. The two drivers
are the only places that touch a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class Pause:
    """The conversation goes on in so many seconds."""

    seconds: float


Wanted = Request | TokenWanted | Pause
Reply = Answer | Token | None
Conversation = Generator[Wanted, Reply, T]


def converse(
    vendor: Vendor,
    settings: Settings,
    operation: Operation[T],
    attempts: int,
    now: Callable[[], float],
) -> Conversation[T]:
    """Run an operation to its end; a refusal is thrown into it, for it to give a meaning to or let pass.

    :param attempts: how often one request is sent at most; 1 where something waits around it.
    :param now: seconds of a clock that only goes forward.
    """
    talk = _Talk(vendor, settings, attempts, now)
    try:
        request = next(operation)
        while True:
            try:
                answer = yield from talk.exchange(request)
            except Refusal as refusal:
                request = operation.throw(refusal)
            else:
                if misled := policy.misled(settings, request, answer):
                    # A wrong address. The operation isn't asked: it would take it for the vendor's word.
                    raise misled
                request = operation.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except Refusal as refusal:
        # Words that an operation took from an answer itself, not from a status of 400 and more.
        secrets = (secret for request in talk.sent for secret in policy.secrets_in(settings, request))
        refusal.words = policy.redact(refusal.words, [*settings.secrets, *secrets])
        # Neither its own text nor what it was made of may say more.
        refusal.args, refusal.__context__ = (refusal.words,), None
        raise


@dataclass
class _Talk:
    """One operation's requests, as they are sent."""

    vendor: Vendor
    settings: Settings
    attempts: int
    now: Callable[[], float]
    sent: list[Request] = field(default_factory=list)

    def exchange(self, request: Request) -> Conversation[Answer]:
        """The answer behind all redirects; a status of 400 and more is raised as a refusal."""
        settings = self.settings
        # Where the report itself is streamed from another origin, that is object storage behind a signed
        # link.
        abroad = request.stream and policy.is_storage(settings, request)
        answer, sent = yield from self._signed(request)
        hops = 0
        while request.redirects == "followed" and 300 <= answer.status < 400:
            hops += 1
            if hops > policy.LONGEST_REDIRECT_CHAIN:
                raise Refusal("unavailable", f"redirected more than {policy.LONGEST_REDIRECT_CHAIN} times")
            request = policy.redirected(replace(request, target=answer.url, params=()), answer)
            answer, sent = yield from self._signed(request)
            # Storage may lie behind the API's own origin; there a 401 is still about the credentials.
            abroad = answer.status != 401 or policy.is_storage(settings, request)
        refusal = self._refusal(answer, sent)
        if refusal is None:
            return answer
        if abroad and not refusal.passing:
            # Signed links die within minutes; a new one is to be had from the vendor.
            raise refusal.but("unavailable", f"the link to the file was refused: {refusal.words}")
        raise refusal

    def _signed(self, request: Request) -> Conversation[tuple[Answer, Request]]:
        """Send a request, to the connection's own origin with credentials; a 401 renews the token once.

        Returns the answer and the request as it was sent.
        """
        request = request.encoded()
        if not request.signed:
            return (yield from self._answered(request)), request
        url = policy.url_of(self.settings, request)
        if policy.is_storage(self.settings, request):
            policy.check_hop(self.settings.base_url, url)
            bare = replace(request, headers={}, params=())
            return (yield from self._answered(bare)), bare
        token = yield from _token()
        signed = self.vendor.sign(request, self.settings, token)
        answer = yield from self._answered(signed)
        refusal = self._refusal(answer, signed) if answer.status == 401 else None
        if token is not None and refusal is not None and refusal.kind == "authentication":
            token = yield from _token(stale=token)
            signed = self.vendor.sign(request, self.settings, token)
            answer = yield from self._answered(signed)
        return answer, signed

    def _answered(self, request: Request) -> Conversation[Answer]:
        """Send a request until it is answered for good, or its patience is at an end."""
        self.sent.append(request)
        patience = policy.Patience(self.now, self.attempts)
        while True:
            refusal: Refusal | None
            try:
                answer = yield request
                assert isinstance(answer, Answer)  # noqa: S101 - what a driver owes for a request
                refusal = self._refusal(answer, request)
                if refusal is None or not refusal.passing:
                    return answer
            except Refusal as said:
                refusal = said
            seconds = patience.pause(refusal, broken=refusal.unreadable)
            if seconds is None or not policy.may_repeat(request, refusal):
                break
            yield Pause(seconds)
        if request.idempotent or refusal.status not in policy.PERHAPS_DONE:
            raise refusal
        # A gateway that gave up, a server that stumbled: the submit may have been taken all the same.
        raise refusal.but("lost")

    def _refusal(self, answer: Answer, sent: Request) -> Refusal | None:
        if answer.status < 400:
            return None
        secrets = policy.secrets_in(self.settings, sent)
        return policy.refusal_of(answer, secrets, meaning=self.vendor.refused)


def _token(stale: Token | None = None) -> Conversation[Token | None]:
    try:
        token = yield TokenWanted(stale)
    except Refusal as refusal:
        if refusal.kind != "lost":
            raise
        # What was lost is a token, not the request that needed it: that one was never sent.
        raise refusal.but("unavailable") from None
    assert token is None or isinstance(token, Token)  # noqa: S101 - what a driver owes for a token
    return token
