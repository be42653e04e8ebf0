"""A connection as a vendor module sees it: what the form holds, what it resolves to, and a token."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the seconds it lives."""

    value: str = field(repr=False)
    expires_in: float


@dataclass(frozen=True)
class Settings:
    """A connection, resolved: all that is needed to talk to one vendor with one set of credentials."""

    vendor: str
    conn_id: str = field(compare=False)
    base_url: str
    auth_url: str | None = None
    #: other origins of the vendor's that get the credentials as that of ``base_url`` does
    origins: Sequence[str] = ()
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    #: the vendor's own extras that are no secret
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: those that are one, and what else must not be shown
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: seconds to wait for a connection and for each read
    timeout: float = 60.0
    #: True, False, or the path of a CA bundle
    verify: bool | str = True
    #: client certificate: one file, or certificate and key
    cert: str | tuple[str, str] | None = None
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)

    # Both are needed for each request.
    @cached_property
    def key(self) -> str:
        """What tells one set of resolved credentials from another; holds secrets, never show it."""
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        return json.dumps(parts, sort_keys=True, default=str)

    @cached_property
    def secrets(self) -> Sequence[str]:
        """Every value of this connection that must not be shown."""
        plain = [value for value in [self.password, *self.secret.values()] if value]
        pairs = [(self.login or "", value) for value in plain]
        for proxy in map(urlsplit, self.proxies.values()):
            if proxy.password:
                plain.append(unquote(proxy.password))
                pairs.append((unquote(proxy.username or ""), plain[-1]))
        return list(dict.fromkeys([*plain, *(text for pair in pairs for text in basic(*pair))]))


def basic(user: str, password: str) -> tuple[str, ...]:
    """What a Basic header makes of user and password, in both alphabets, without padding."""
    pair = f"{user}:{password}".encode()
    return tuple(encode(pair).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode))


@dataclass(frozen=True, slots=True)
class ConnectionFields:
    """What a connection form holds, before a vendor module makes :class:`Settings` of it."""

    conn_id: str
    host: str | None = None
    schema: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def need(self, name: str, meaning: str) -> str:
        """A field or extra that must be there.

        :raises Refusal: (authentication) it is empty.
        """
        value = getattr(self, name, None) if name in {"host", "login", "password"} else self.extra.get(name)
        if value is None or not str(value).strip():
            raise Refusal("authentication", f"the connection's {name} is empty: it holds {meaning}")
        return str(value).strip()

    def url(self, default: str | None = None, scheme: str = "https") -> str:
        """The API's base URL: ``host`` may be a bare name or a full URL with scheme, port and path prefix.

        :raises Refusal: (invalid) there is no host and no default, or it is not an http(s) URL.
        """
        host = (self.host or "").strip()
        if not host:
            if default is None:
                raise Refusal("invalid", "the connection's host is empty: it holds the API's base URL")
            return default
        url = http_url("host", host if "://" in host else f"{self.schema or scheme}://{host}")
        parts = urlsplit(url)
        if self.port and not parts.port:
            parts = parts._replace(netloc=f"{parts.netloc}:{self.port}")
        return parts._replace(query="", fragment="").geturl().rstrip("/")

    def auth_url(self, default: str | None = None) -> str | None:
        """The extra ``auth_url``: the whole URL of the token endpoint, https unless it says otherwise.

        :raises Refusal: (invalid) it is not an http(s) URL.
        """
        url = self.optional("auth_url")
        if url is None:
            return default
        return http_url("auth_url", url if "://" in url else f"https://{url}")

    def optional(self, name: str) -> str | None:
        """An extra that may be there; an empty one is None."""
        value = self.extra.get(name)
        return str(value).strip() or None if value is not None else None

    def transport(self) -> dict[str, Any]:
        """The extras that every connection type takes: timeout, verify, cert, proxy or proxies.

        :raises Refusal: (invalid) one of them can't be used.
        """
        options: dict[str, Any] = {}
        if (timeout := self.extra.get("timeout")) not in (None, ""):
            seconds = number(timeout)
            if seconds is None or isinstance(timeout, bool) or not 0 < seconds <= LONGEST_TIMEOUT:
                raise Refusal(
                    "invalid",
                    f"the connection's timeout {timeout!r} is not a number of seconds above 0, "
                    f"{LONGEST_TIMEOUT:g} at most",
                )
            options["timeout"] = seconds
        # Airflow's form saves a field that was left empty as null, which must not mean "false".
        verify = self.optional("verify") or True
        if isinstance(verify, str) and verify.lower() in {"true", "false"}:
            verify = verify.lower() == "true"
        options["verify"] = verify
        if cert := self.extra.get("cert"):
            if not isinstance(cert, str) and not (isinstance(cert, list | tuple) and len(cert) == 2):
                raise Refusal(
                    "invalid", "the connection's cert is neither one file nor a list of certificate and key"
                )
            options["cert"] = cert if isinstance(cert, str) else (str(cert[0]), str(cert[1]))
        if proxies := self.extra.get("proxies") or self.extra.get("proxy"):
            options["proxies"] = _proxies(proxies)
        return options


#: seconds; sockets take no more
LONGEST_TIMEOUT = 86400.0


def number(value: Any) -> float | None:
    """A finite number, also one that was sent as a string; None for anything else."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def http_url(name: str, url: str) -> str:
    """A whole http(s) URL from a connection.

    :raises Refusal: (invalid) it isn't one, or it holds credentials, which have fields of their own.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        sound = sound and not re.search(r"[\s\x00-\x1f\x7f\\]", url)
    except ValueError:
        sound = False
    if sound and "@" in parts.netloc:
        raise Refusal(
            "invalid", f"the connection's {name} holds credentials: they belong to login and password"
        )
    if not sound:
        shown = re.sub(r"//[^/]*@", "//***@", url)
        raise Refusal("invalid", f"the connection's {name} {shown!r} is not an http or https URL")
    return url


def _proxies(given: Any) -> dict[str, str]:
    """Scheme -> proxy; one proxy is that of both schemes."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            given = json.loads(given)
        except ValueError:
            given = None
    if isinstance(given, str):
        given = {"http": given, "https": given}
    if not isinstance(given, Mapping) or not all(isinstance(url, str) for url in given.values()):
        # The value may hold a proxy's password, so it isn't shown.
        raise Refusal("invalid", "the connection's proxies is neither a URL nor a dict of scheme and URL")
    return {str(scheme): proxy_url(url, "the connection's proxy") for scheme, url in given.items() if url}


def proxy_url(given: str, whose: str) -> str:
    """The whole URL of a proxy, which may be given without a scheme.

    :raises Refusal: (invalid) it can't be used; named without user and password.
    """
    url = given.strip() if "://" in given else f"http://{given.strip()}"
    scheme, host, why = "", "", "it is not a URL"
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
        if scheme not in {"http", "https"}:
            why = "only proxies for http and https can be used"
        elif not re.fullmatch(r"[\w.:%-]+", host):
            host, why = "", "it names no host"
        elif parts.port != 0:
            return url
    except ValueError:
        pass
    named = f" {scheme}://{host}" if host else ""
    raise Refusal("invalid", f"{whose}{named} can't be used: {why}", advice="Correct its URL.")
