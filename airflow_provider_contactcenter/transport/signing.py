"""A requests session's credentials, for calls that no operation makes: they go home, and nowhere else.

An adapter signs, not the session: it sees each hop of a redirect, and what it adds is in the bytes that are
sent alone, not in the response's ``url``, in its ``request`` or in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.on_requests import queries_hidden
from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor


class SigningAdapter(BaseAdapter):
    """Sends through another adapter; what goes to the connection's own origin gets its credentials first.

    :param plain: sends.
    :param token: gives a token other than the one it is given; None where the vendor knows none.
    :param failure: the error for what was refused before anything was sent.
    """

    def __init__(
        self,
        plain: BaseAdapter,
        vendor: Vendor,
        settings: Settings,
        token: Callable[[Token | None], Token | None],
        failure: Callable[[Refusal], Exception],
    ) -> None:
        super().__init__()
        self._plain = plain
        self._vendor = vendor
        self._settings = settings
        self._token = token
        self._failure = failure
        self._base = str(requests.Request("GET", settings.base_url).prepare().url).rstrip("/")
        self._added: set[str] = set()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; at home with the vendor's credentials, and a 401 renews the token once."""
        url = str(request.url)
        refused: Refusal | None = None
        try:
            if not proxies:
                proxy = policy.proxy_for(self._settings, url)
                proxies = {"http": proxy, "https": proxy} if proxy else {}
            options = {
                "stream": stream,
                "timeout": timeout or self._settings.timeout,
                "verify": verify,
                "cert": cert,
                "proxies": proxies,
            }
            if not policy.at_home(self._settings, url):
                return self._sent(request, request, options)
            token = self._token(None)
            response = self._sent(request, self._signed(request, token), options)
            again = request.body is None or isinstance(request.body, str | bytes)
            if token is not None and again and self._is_stale(response):
                token = self._token(token)
                response = self._sent(request, self._signed(request, token), options)
            return response
        except Refusal as said:
            refused = said
        raise self._failure(refused)

    def close(self) -> None:
        """Close the adapter that sends."""
        self._plain.close()

    def refusal(self, response: requests.Response) -> Refusal | None:
        """What a response of 400 and more means, in the vendor's words and without any secret.

        The body of any other is left unread: the caller may want to stream it.
        """
        if response.status_code < 400:
            return None
        said = policy.refusal_of(
            _answer(response), [*self._settings.secrets, *self._added], meaning=self._vendor.refused
        )
        if said is not None:
            said.words = f"{response.request.method} {policy.shown(response.url)}: {said.words}"
        return said

    def _is_stale(self, response: requests.Response) -> bool:
        refusal = self.refusal(response) if response.status_code == 401 else None
        return refusal is not None and refusal.kind == "authentication"

    def _signed(self, request: requests.PreparedRequest, token: Token | None) -> requests.PreparedRequest:
        """A copy with the credentials; what its query has already is left as it is."""
        url, body = str(request.url), request.body
        below = url[len(self._base) :] if url.startswith(self._base) else ""
        asked = Request(
            str(request.method),
            below if below.startswith("/") else url,
            headers=dict(request.headers),
            body=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None,
        )
        signed = self._vendor.sign(asked, self._settings, token)
        there = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        added = [(name, value) for name, value in signed.params if name not in there]
        copy = request.copy()
        copy.headers.update(signed.headers)
        copy.url = policy.url_of(self._settings, Request("GET", url, params=added))
        self._added.update(policy.secrets_in(self._settings, signed))
        return copy

    def _sent(
        self, request: requests.PreparedRequest, signed: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        try:
            with queries_hidden():
                response = self._plain.send(signed, **options)
        except requests.RequestException as error:
            text = policy.redact(str(error), [*self._settings.secrets, *self._added])
            failed: requests.RequestException = type(error)(text, request=request)
        else:
            response.request, response.url = request, str(request.url)
            return response
        # Outside the handler: what the error was made of holds the whole URL.
        raise failed


def _answer(response: requests.Response) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content, response.url)
