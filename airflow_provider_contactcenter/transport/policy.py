"""The one HTTP policy, pure: what an answer means, when to ask again, where a redirect may lead.

Both drivers follow it, so worker and triggerer can't differ.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from requests.utils import select_proxy, should_bypass_proxies

import airflow_provider_contactcenter
from airflow_provider_contactcenter.transport.codings import Malformed, TooLong, Undecodable
from airflow_provider_contactcenter.transport.redaction import masked
from airflow_provider_contactcenter.vendors.protocol.connection import Settings, proxy_url
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request, words_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind
from airflow_provider_contactcenter.vendors.protocol.vendor import as_read

#: whose a request is, before the library that sends it
USER_AGENT = f"airflow-provider-contactcenter/{airflow_provider_contactcenter.__version__}"
#: tries of one request, at most, where nothing else waits around it: an outage ends them sooner
ATTEMPTS = 30
#: seconds without any progress after which a vendor that can't be reached is given up
OUTAGE = 300.0
#: how often an answer that can't be used is asked for again without any progress
REOPENINGS = 4
#: seconds that an answer which is read whole may take, from the request to its last byte
LONGEST_LOOK = 300.0
#: seconds; a longer Retry-After is left to whoever waits around the request
LONGEST_INLINE_WAIT = 60.0
#: the same between two pages, or for a file: giving up there costs all that came, and as many requests again
LONGEST_WAIT_MIDWAY = 900.0
#: statuses after which nobody knows whether the request was carried out
PERHAPS_DONE = frozenset({408, 500, 502, 504})
#: seconds; what is asked for beyond that is taken for a mistake
LONGEST_RETRY_AFTER = 7 * 86400.0
#: redirects followed for one download
LONGEST_REDIRECT_CHAIN = 5
#: bytes of an answer that is read whole (a page of 7,000 call legs has about 10 MiB)
LARGEST_ANSWER = 256 * 1024 * 1024

_KINDS: Mapping[int, RefusalKind] = {
    401: "authentication",
    403: "permission",
    404: "missing",
    408: "unavailable",
    410: "missing",
    425: "unavailable",
    429: "quota",
}


def refusal_of(
    answer: Answer,
    secrets: Iterable[str] = (),
    now: datetime | None = None,
    meaning: Callable[[Refusal, Answer], Refusal] = as_read,
) -> Refusal | None:
    """What an HTTP status means, with the vendor's own words; None if it is no refusal.

    :param meaning: a vendor's ``refused``, which reads its own words before anything is hidden in them.
    """
    if answer.status < 400:
        return None
    kind: RefusalKind = _KINDS.get(answer.status, "unavailable" if answer.status >= 500 else "invalid")
    said = Refusal(
        kind,
        f"HTTP {answer.status}: {words_of(answer)}",
        status=answer.status,
        retry_after=retry_after(answer.headers, now or datetime.now(UTC)),
    )
    meant = meaning(said, answer)
    wait = meant.retry_after
    if wait is None and answer.status == 429:
        wait = _reset(answer.headers, now or datetime.now(UTC))
    return Refusal(
        meant.kind,
        redact(meant.words, secrets),
        status=answer.status,
        retry_after=None if wait is None else min(max(0.0, wait), LONGEST_RETRY_AFTER),
        advice=meant.advice,
    )


def unread(request: Request, url: str, why: ValueError) -> Refusal:
    """What it means that a good answer, or its body, can't be read; ``status`` tells that one came."""
    if isinstance(why, TooLong):
        return Refusal("unavailable", str(why), status=200)
    if isinstance(why, Malformed):
        return Refusal(
            "lost", f"the headers of the answer from {shown(url)} can't be read: {why}", status=200
        )
    # The submit was taken, whatever its answer says. A coding that nothing undoes comes again each time.
    final = isinstance(why, Undecodable) and why.foreign and request.idempotent
    return Refusal(
        "undecodable" if final else "lost",
        f"the body of the answer from {shown(url)} can't be read: {why}",
        status=200,
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header, which holds seconds or an HTTP date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, (date - now).total_seconds()), LONGEST_RETRY_AFTER)


#: headers that say when a limit is over: Genesys Cloud's, 8x8's, and that of a draft of the IETF's
_RESETS = ("inin-ratelimit-reset", "x-ratelimit-reset", "ratelimit-reset")
#: an instant in epoch seconds, where any span of seconds is shorter
_EPOCH = 1e9


def _reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a limit is over that was met; all answers have them and mean nothing by it."""
    for name in _RESETS:
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,10}(\.\d+)?", value, re.ASCII):
            seconds = float(value) - (now.timestamp() if float(value) >= _EPOCH else 0)
            return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
    return None


def may_repeat(request: Request, refusal: Refusal) -> bool:
    """Tell whether a request may be sent again at once.

    What is not idempotent (submitting a report) is repeated only where nothing was sent, or where the vendor
    itself says when to come again.
    """
    if not refusal.passing or (refusal.retry_after or 0) > LONGEST_INLINE_WAIT:
        return False
    if request.idempotent or refusal.kind == "unreachable":
        return True
    return refusal.status in {429, 503} and refusal.retry_after is not None


def pause(refusal: BaseException | None, attempt: int) -> float:
    """Seconds before the next attempt: growing, jittered, never less than the vendor asked for."""
    asked = refusal.retry_after if isinstance(refusal, Refusal) else None
    grown: float = min(15.0, 0.5 * 2 ** (attempt - 1)) * random.uniform(0.8, 1.2)  # noqa: S311
    return max(grown, asked or 0.0)


class Patience:
    """Decides how long to wait before asking again, or not to; it waits itself for nothing.

    A vendor that can't be reached is waited for, :data:`OUTAGE` seconds behind the last progress. One that
    answers and gives something unusable is asked :data:`REOPENINGS` times more.

    :param now: seconds of a clock that only goes forward.
    :param tries: at most, the first one included.
    :param longest: seconds that are waited for at the vendor's own word.
    """

    def __init__(
        self, now: Callable[[], float], tries: int = ATTEMPTS, longest: float = LONGEST_INLINE_WAIT
    ) -> None:
        self._now = now
        self._most = tries
        self._longest = longest
        self.progress()

    def progress(self) -> None:
        """Something came: an outage that follows is another one."""
        self._tries = 0
        self._broken = 0
        self._since: float | None = None

    def pause(self, refusal: Refusal, *, broken: bool = False) -> float | None:
        """Seconds before the next try; None: there is none.

        :param broken: an answer came, and can't be used.
        """
        now = self._now()
        self._since = now if self._since is None else self._since
        self._tries += 1
        self._broken += broken
        told = refusal.retry_after or 0.0
        if not refusal.passing or told > self._longest:
            return None
        if self._tries >= self._most or self._broken > REOPENINGS:
            return None
        seconds = pause(refusal, self._tries)
        # Who says when to come again isn't out of reach.
        most = max(OUTAGE, self._longest) if told else OUTAGE
        return seconds if now + seconds <= self._since + most else None


def url_of(settings: Settings, request: Request) -> str:
    """The whole URL of a request, percent-encoded once, so that both drivers send the same bytes."""
    url = request.target if "://" in request.target else settings.base_url + request.target
    if not request.params:
        return url
    query = urlencode(list(request.params), quote_via=quote, safe="")
    return f"{url}{'&' if '?' in url else '?'}{query}"


@lru_cache(maxsize=4096)  # each poll asks three times
def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def at_home(settings: Settings, url: str) -> bool:
    """Tell whether a URL is of the connection's own origin, or of another that gets its credentials too."""
    return origin(url) in {origin(settings.base_url), *map(origin, settings.origins)}


def is_storage(settings: Settings, request: Request) -> bool:
    """Tell whether a request goes to object storage, which gets no credentials: abroad, or by a signed link.

    Behind a gateway storage may share the API's origin. Beside a link's signature it takes nothing else.
    """
    if "://" not in request.target:
        return False
    return not at_home(settings, request.target) or _PRESIGNED.search(request.target) is not None


#: how the links of S3 (both versions), GCS, CloudFront and Azure are signed
_PRESIGNED = re.compile(r"[?&](?:X-(?:Amz|Goog)-Signature|Signature|sig)=", re.IGNORECASE)


def redirected(request: Request, answer: Answer) -> Request:
    """The request that follows a redirect, stripped of everything if it leads to another origin.

    :raises Refusal: the redirect names no place, leads from https to http, or is not an http(s) URL.
    """
    url = answer.link
    if url is None:
        raise Refusal("unavailable", f"HTTP {answer.status} without a Location", status=answer.status)
    check_hop(answer.url, url)
    if origin(url) == origin(answer.url):
        return replace(request, target=url, params=())
    return Request("GET", url, signed=False, redirects=request.redirects, stream=request.stream)


def misled(settings: Settings, request: Request, answer: Answer) -> Refusal | None:
    """What it means that an answer redirects, where nothing in the vendor's API does; None if it doesn't."""
    if request.redirects == "told" or not 300 <= answer.status < 400:
        return None
    there = f" to {shown(answer.link)}" if answer.link else ""
    wrong = "auth_url" if request.target == settings.auth_url else "host"
    return Refusal(
        "invalid",
        f"{shown(url_of(settings, request))} redirects{there} (HTTP {answer.status})",
        status=answer.status,
        advice=f"Correct the connection's {wrong}.",
    )


def check_hop(here: str, there: str) -> None:
    """Refuse a link that leads from https to something else, or to no web server at all.

    :raises Refusal: (invalid) it does.
    """
    scheme = urlsplit(there).scheme
    if scheme not in {"http", "https"} or (urlsplit(here).scheme == "https" and scheme == "http"):
        raise Refusal(
            "invalid", f"the link from {shown(here)} to {shown(there)} was not followed: that is not https"
        )


def secrets_in(settings: Settings, request: Request) -> Iterator[str]:
    """Every value that must not be shown of a connection and of a request that was signed for it."""
    yield from settings.secrets
    for name, value in request.headers.items():
        if secret := _SECRET.search(name) and str(value).rpartition(" ")[2]:
            yield secret
    for parameter in urlsplit(url_of(settings, request)).query.split("&"):
        name, _, value = parameter.partition("=")
        # A vendor that refuses a token may name it, without the URL that it stood in. Short values are words.
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            yield value
            yield unquote(value)


#: names of headers and of query parameters that hold a secret
_SECRET = re.compile("authorization|cookie|key|token|secret|signature", re.IGNORECASE)
#: characters of a query parameter that is taken for one
_SHORTEST_SECRET = 8


def shown(url: str) -> str:
    """A URL as it may be shown: without query, user and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def redact(text: str, secrets: Iterable[str]) -> str:
    """Text without secrets, without the query of any URL and without ``...token=...`` and its like."""
    text = masked(text, secrets)
    text = re.sub(r"(?i)([\w.-]*(?:token|key|secret|signature)=)[^&\s'\"<>]+", r"\1***", text)
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", r"\1?***", text)


def proxy_for(settings: Settings, url: str) -> str | None:
    """The proxy for a URL: the connection's, else the environment's (``no_proxy`` heeded as requests does).

    :raises Refusal: (invalid) it can't be used.
    """
    if settings.proxies:
        return select_proxy(url, dict(settings.proxies))
    # requests knows ranges; urllib knows ports behind an address.
    if should_bypass_proxies(url, no_proxy=None) or proxy_bypass(urlsplit(url).netloc):
        return None
    proxy = select_proxy(url, getproxies())
    return proxy_url(proxy, "the environment's proxy") if proxy else None
