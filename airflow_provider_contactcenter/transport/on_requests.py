"""The worker's driver: runs conversations with requests, and streams."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError

from airflow_provider_contactcenter.clock import Clock
from airflow_provider_contactcenter.transport import causes, policy, tokens
from airflow_provider_contactcenter.transport.codings import (
    ACCEPTED,
    Decoder,
    Malformed,
    TooLong,
    Undecodable,
    Whole,
)
from airflow_provider_contactcenter.transport.connections import within
from airflow_provider_contactcenter.transport.conversation import Reply, TokenWanted, Wanted, converse
from airflow_provider_contactcenter.transport.resuming import Rest
from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

T = TypeVar("T")

#: bytes read at a time: few enough to stay in a processor's cache, enough to repay what each piece costs
PIECE = 1024 * 1024
#: bytes of a stream that a vendor module may look at, if it has so many
HEAD = 1024
#: statuses of a streamed answer that carry a whole file (203: a proxy touched it)
_WITH_FILE = (200, 203)
#: what requests raises, and what it lets through from below
_FAILURES = (exceptions.RequestException, HTTPError, OSError, ValueError)


class _QueryFilter(logging.Filter):
    """Keeps queries (signed links, keys) of this package's requests out of urllib3's DEBUG lines."""

    def __init__(self) -> None:
        super().__init__()
        self.active = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(self.active, "yes", False) and isinstance(record.args, tuple):
            record.args = tuple(
                arg.split("?", 1)[0] + "?***" if isinstance(arg, str) and "?" in arg else arg
                for arg in record.args
            )
        return True


_query_filter = _QueryFilter()
logging.getLogger("urllib3.connectionpool").addFilter(_query_filter)


@contextmanager
def queries_hidden() -> Iterator[None]:
    """Keep the queries of what this thread sends meanwhile out of urllib3's DEBUG lines."""
    _query_filter.active.yes = True
    try:
        yield
    finally:
        _query_filter.active.yes = False


class RequestsDriver:
    """Runs operations of one vendor with one set of credentials on a requests session.

    :param on_secret: is told every token that is fetched, to mask it in logs.
    :param clock: by which it pauses.
    """

    def __init__(
        self,
        session: requests.Session,
        vendor: Vendor,
        settings: Settings,
        on_secret: Callable[[str], None] = lambda secret: None,
        clock: Clock | None = None,
    ) -> None:
        self.session = session
        self.vendor = vendor
        self.settings = settings
        self.on_secret = on_secret
        self.clock = clock or Clock()

    def run(self, operation: Operation[T], attempts: int = policy.ATTEMPTS, rest: Rest | None = None) -> T:
        """Run an operation to its end.

        :param attempts: how often one request is sent at most; 1 where something waits around it.
        :param rest: the part that is wanted of the file which the operation streams; the answer says by its
            ``start`` whether that came, or the whole.
        :raises Refusal: what the vendor refused for good.
        """
        conversation = converse(self.vendor, self.settings, operation, attempts, self.clock.monotonic)
        step: Callable[[], Wanted] = lambda: next(conversation)  # noqa: E731
        while True:
            try:
                wanted = step()
            except StopIteration as stop:
                result: T = stop.value
                return result
            try:
                reply = self._do(wanted, attempts, rest)
            except Refusal as refusal:
                step = lambda refusal=refusal: conversation.throw(refusal)  # type: ignore[misc]  # noqa: E731
            else:
                step = lambda reply=reply: conversation.send(reply)  # type: ignore[misc]  # noqa: E731

    def _do(self, wanted: Wanted, attempts: int, rest: Rest | None) -> Reply:
        if isinstance(wanted, Request):
            return self._send(wanted, rest if wanted.stream else None)
        if isinstance(wanted, TokenWanted):
            return self.token(wanted.stale, attempts)
        self.clock.sleep(wanted.seconds)
        return None

    def token(self, stale: Token | None, attempts: int = policy.ATTEMPTS) -> Token | None:
        """A token other than ``stale``; None where the vendor knows none.

        :raises Refusal: the vendor issues none.
        """
        operation = self.vendor.authenticate(self.settings)
        if operation is None:
            return None

        def fetch() -> Token:
            token = self.run(operation, attempts)
            self.on_secret(token.value)
            return token

        return tokens.token(self.settings, stale, fetch)

    def _send(self, request: Request, rest: Rest | None) -> Answer:
        url = policy.url_of(self.settings, request)
        proxy = None
        try:
            proxy = policy.proxy_for(self.settings, url)
            # The body of a stream is read later, and may take as long as it comes.
            with queries_hidden(), within(policy.LONGEST_LOOK):
                answer = self._asked(request, url, proxy, rest)
            if proxy is None or answer.status != 407:
                return answer
            refusal = causes.by_proxy(answer.status, proxy)
        except (Malformed, Undecodable, TooLong) as why:
            refusal = policy.unread(request, url, why)
        except _FAILURES as error:
            refusal = causes.refusal(error, url, self.settings.timeout, proxy)
        # Outside the handler, so that the error, which may hold the whole URL, isn't even chained.
        raise refusal

    def _asked(self, request: Request, url: str, proxy: str | None, rest: Rest | None) -> Answer:
        """The answer; where a part is asked for and anything else comes than that or the whole, the whole."""
        wanted = rest.headers(url) if rest else {}
        response = self._response(request, url, proxy, wanted)
        if rest and wanted and response.status_code in (206, 416):
            if response.status_code == 206 and rest.is_in(_headers(response)):
                return replace(
                    rest.file.first, url=url, chunks=_pieces(response, Decoder(None), url), start=rest.start
                )
            response.close()
            response = self._response(request, url, proxy)
        return self._answer(request, response, url)

    def _response(
        self, request: Request, url: str, proxy: str | None, extra: Mapping[str, str] | None = None
    ) -> requests.Response:
        try:
            prepared = self.session.prepare_request(
                requests.Request(
                    request.method,
                    url,
                    headers={"Accept-Encoding": ACCEPTED, **request.headers, **(extra or {})},
                    data=request.body,
                )
            )
        except ValueError as error:
            raise exceptions.InvalidURL(type(error).__name__) from None
        if re.fullmatch(r"[!-~]+", url):
            # requests would decode %7E and drop dot segments: a signature may not survive that.
            prepared.url = url
        # Not by session.send: even told not to follow a redirect, it reads the redirect's whole body and
        # fails on a Location that is not a URL.
        return self.session.get_adapter(url).send(
            prepared,
            stream=True,
            timeout=self.settings.timeout,
            verify=self.session.verify or False,
            cert=self.session.cert,
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )

    def _answer(self, request: Request, response: requests.Response, url: str) -> Answer:
        headers = _headers(response)
        status = response.status_code
        if not (request.stream and status in _WITH_FILE):
            with response:
                whole = Whole(status, headers, policy.LARGEST_ANSWER)
                for piece in _raw(response):
                    whole.feed(piece)
            return Answer(status, headers, whole.finish(), url)
        try:
            decoder = Decoder(headers.get("content-encoding"))
        except Undecodable:
            response.close()
            raise
        framed = "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
        pieces = _pieces(response, decoder, url)
        head = b""
        try:
            while len(head) < HEAD and (piece := next(pieces, b"")):
                head += piece
        except Refusal as broken:
            # Left to whoever reads the body and asks for the whole file again: two who do would multiply.
            pieces = _broken(broken)
        return Answer(
            status,
            headers,
            head,
            url,
            chunks=_joined(head, pieces),
            # A coding has an end of its own, behind which nothing may be missing.
            framed=framed or decoder.packed,
        )


def _headers(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _raw(response: requests.Response) -> Iterator[bytes]:
    """The body as it came: packed, if it was."""
    pieces: Iterator[bytes] = response.raw.stream(PIECE, decode_content=False)
    return pieces


def _pieces(response: requests.Response, decoder: Decoder, url: str) -> Iterator[bytes]:
    """The unpacked body, piece by piece; the connection is closed however the reading ends."""
    received = 0
    with response:
        try:
            for packed in _raw(response):
                for piece in decoder.feed(packed):
                    received += len(piece)
                    yield piece
            decoder.finish()
            return
        except Undecodable as why:
            reason = str(why)
        except _FAILURES as error:
            reason = type(error).__name__
    raise Refusal(
        "unavailable", f"the body from {policy.shown(url)} broke off after {received} bytes ({reason})"
    )


def _broken(refusal: Refusal) -> Iterator[bytes]:
    raise refusal
    yield b""


def _joined(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from pieces
