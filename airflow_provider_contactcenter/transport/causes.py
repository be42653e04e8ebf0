"""Why there is no answer: one sentence and one cure for each cause, whichever client raised what.

requests, urllib3 and aiohttp wrap the same few errors of sockets and OpenSSL in classes of their own. Those
below are looked for, so that worker and triggerer say the same. No text of an exception is passed on: it may
hold the whole URL.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, RemoteDisconnected
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from requests import exceptions
from urllib3 import exceptions as urllib3

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


class _Cause(NamedTuple):
    words: str
    advice: str | None = None


#: OpenSSL's code of why a certificate is not taken
_CERTIFICATES = {
    9: _Cause("it is not valid yet", "Set the clock of this machine, or have the server's renewed."),
    10: _Cause("it has expired", "Have the server's certificate renewed; or set the clock of this machine."),
    18: _Cause("it is self-signed", "To trust it, name its file in the connection's 'verify'."),
    19: _Cause(
        "it is signed by a self-signed one that is not trusted here",
        "To trust that, as that of a proxy which reads along, name a CA bundle with it in the connection's "
        "'verify'.",
    ),
    20: _Cause(
        "its issuer is not known here", "Name a CA bundle with its issuer in the connection's 'verify'."
    ),
    62: _Cause("it is for another name", "Correct the host in the connection."),
    64: _Cause("it is for another name", "Correct the host in the connection."),
}
_CERTIFICATES[21] = _CERTIFICATES[20]
_CERTIFICATE = _Cause("it is not valid", "Have the server's corrected; or see the connection's 'verify'.")

#: OpenSSL's name of what can only go wrong before a request is sent
_HANDSHAKES: tuple[tuple[str, _Cause], ...] = (
    (
        "WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG",
        _Cause("it speaks no TLS", "Correct scheme or port: that is probably the port for http."),
    ),
    (
        "UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW",
        _Cause("it speaks no TLS 1.2 or newer", "Have the server updated."),
    ),
    (
        "CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED",
        _Cause(
            "it wants a client certificate, another than it was shown", "Correct the connection's 'cert'."
        ),
    ),
    (
        "HANDSHAKE|PROTOCOL|VERSION|HOSTNAME|CERTIFICATE|UNKNOWN_CA|NO_CIPHERS|UNRECOGNIZED_NAME",
        _Cause("the TLS handshake failed", "Check host and port, and what a proxy in between does to TLS."),
    ),
)

_UNKNOWN_NAME = _Cause(
    "the name is not known here", "Nothing was sent; correct the host, or check the name service (DNS)."
)
_REFUSED = _Cause(
    "the connection was refused",
    "Nothing was sent; check host and port, and whether a firewall lets this machine through, or retry.",
)
_NO_ROUTE = _Cause(
    "there is no route to it", "Nothing was sent; check the network and whether a proxy is needed, or retry."
)
_SLOW_TO_CONNECT = "Nothing was sent; check whether a firewall lets this machine through, or retry."
_SLOW = "Retry later; raise the connection's 'timeout' if it needs longer."
_PROXY = "Nothing was sent; correct the connection's 'proxy' or the environment's (https_proxy, no_proxy)."

_CLOSED = (RemoteDisconnected, aiohttp.ServerDisconnectedError, ssl.SSLEOFError, ssl.SSLZeroReturnError)

#: what is raised before a request is on its way
_UNSENT = (
    urllib3.ConnectTimeoutError,
    urllib3.NewConnectionError,
    urllib3.ProxyError,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)


def refusal(error: Exception, url: str, timeout: float, proxy: str | None = None) -> Refusal:
    """What it means that a request ended with an exception in place of an answer.

    :param timeout: seconds that the connection allows for connecting and for each read.
    :param proxy: the one that the request went by.
    """
    chain = list(_chain(error))
    place = policy.shown(url)
    if proxy and (status := _tunnel_status(chain)):
        return by_proxy(status, proxy)
    for each in chain:
        if isinstance(each, aiohttp.ClientConnectorError):
            continue  # one of OpenSSL's by its class, but for what it says: it wraps that
        if isinstance(each, ssl.SSLCertVerificationError):
            cause = _CERTIFICATES.get(each.verify_code, _CERTIFICATE)
            return Refusal(
                "invalid", f"the certificate of {place} can't be verified: {cause.words}", advice=cause.advice
            )
        if isinstance(each, ssl.SSLError) and (known := _handshake(each)):
            return Refusal("unreachable", f"no connection to {place}: {known.words}", advice=known.advice)
    if any(re.search(r"\x15\x03|\\x15\\x03", str(each)) for each in chain):
        # The start of a TLS alert: an https server that was spoken to in plain text understood nothing.
        return Refusal(
            "unreachable",
            f"no connection to {place}: it speaks TLS",
            advice="Correct scheme or port: that is the port for https.",
        )
    if any(isinstance(each, _UNSENT) for each in chain):
        cause = _unsent(chain, timeout)
        by_way = any(
            isinstance(each, urllib3.ProxyError | aiohttp.ClientProxyConnectionError) for each in chain
        )
        if proxy and (by_way or urlsplit(url).scheme != "https"):
            words, advice = f"no connection to the proxy {policy.shown(proxy)}", cause.advice and _PROXY
        else:
            words, advice = f"no connection to {place}", cause.advice
        return Refusal("unreachable", f"{words}{cause.words}", advice=advice)
    if isinstance(error, ValueError):
        return Refusal("invalid", f"no request can be made to {place} ({type(error).__name__})")
    cause = broken(error, timeout)
    return Refusal("lost", f"{place} did not answer: {cause.words}", advice=cause.advice)


def by_proxy(status: int, proxy: str) -> Refusal:
    """What it means that a proxy answers in place of the server."""
    words = f"the proxy {policy.shown(proxy)}"
    if status == 407:
        return Refusal(
            "authentication",
            f"{words} takes no request with these credentials (HTTP 407)",
            status=status,
            advice="Nothing was sent; correct the user and password in the proxy's URL.",
        )
    return Refusal("unreachable", f"{words} makes no connection (HTTP {status})", advice=_PROXY)


def broken(error: BaseException, timeout: float) -> _Cause:
    """Why what was begun didn't end."""
    for each in _chain(error):
        # The first is a ConnectionResetError, too.
        if isinstance(each, _CLOSED):
            return _Cause("the connection was closed without an answer")
        if isinstance(each, TimeoutError | urllib3.TimeoutError | exceptions.Timeout):
            return _Cause(f"nothing came for {timeout:g} s", _SLOW)
        if isinstance(each, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return _Cause("the connection was reset")
        if isinstance(each, urllib3.IncompleteRead | urllib3.InvalidChunkLength | aiohttp.ClientPayloadError):
            return _Cause("the answer broke off")
        if isinstance(each, HTTPException | aiohttp.ClientResponseError):
            return _Cause("what it says is no HTTP")
    return _Cause(f"the connection failed ({type(error).__name__})")


def _unsent(chain: list[BaseException], timeout: float) -> _Cause:
    """The cause with a colon before it; nothing but the error's name where it isn't known."""
    for each in chain:
        if isinstance(each, socket.gaierror | aiohttp.ClientConnectorDNSError):
            return _UNKNOWN_NAME._replace(words=f": {_UNKNOWN_NAME.words}")
        if isinstance(each, ConnectionRefusedError):
            return _REFUSED._replace(words=f": {_REFUSED.words}")
        if isinstance(each, OSError) and each.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
            return _NO_ROUTE._replace(words=f": {_NO_ROUTE.words}")
        if isinstance(each, TimeoutError):
            return _Cause(f": nobody took the connection within {timeout:g} s", _SLOW_TO_CONNECT)
        if isinstance(each, ConnectionResetError):
            return _Cause(": the connection was reset", _REFUSED.advice)
    return _Cause(f" ({type(chain[0]).__name__})")


def _handshake(error: ssl.SSLError) -> _Cause | None:
    name = f"{error.reason or ''} {error}"
    return next((cause for names, cause in _HANDSHAKES if re.search(names, name)), None)


def _tunnel_status(chain: list[BaseException]) -> int | None:
    """The status with which a proxy refused to connect."""
    for each in chain:
        if isinstance(each, aiohttp.ClientHttpProxyError):
            return each.status
        if isinstance(each, OSError) and (said := re.match(r"Tunnel connection failed: (\d{3})", str(each))):
            return int(said[1])
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all those that it was made of, the outermost first."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [
                each.__cause__,
                getattr(each, "reason", None),
                getattr(each, "os_error", None),
                *each.args,
            ]
