"""The language in which vendor modules speak of HTTP without doing any.

A vendor operation is a generator: it yields a :class:`Request`, is sent the :class:`Answer` and returns
what it learned. ``transport`` drives it, with requests on a worker and with aiohttp in the triggerer, and
adds what every vendor needs: token, retries, redirects, redaction. A refusal is thrown into the
generator as :class:`Refusal`, so that ``try``/``except`` gives it the vendor's meaning.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from airflow_provider_contactcenter.nouns import Job, Report, State, Status
from airflow_provider_contactcenter.vendors.refusal import NO_FILE as NO_FILE
from airflow_provider_contactcenter.vendors.refusal import Refusal as Refusal
from airflow_provider_contactcenter.vendors.refusal import RefusalKind as RefusalKind

if TYPE_CHECKING:
    from msgspec.json import Decoder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    ``target`` is a path below the connection's base URL (``/data/reports/...``) or an absolute URL. It
    is percent-encoded already and is sent byte for byte.
    """

    method: str
    target: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    #: add the vendor's credentials (header, token, key)
    signed: bool = True
    #: follow redirects; otherwise a 3xx is handed to the operation
    follow: bool = False
    #: leave the body unread: it is the report
    stream: bool = False
    #: may be sent twice without doing it twice
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. Header names are lower-case.

    Of a streamed answer ``body`` is only the first piece, for a look at what came; ``chunks`` gives
    the whole body, that piece included. ``framed`` tells whether the transport knows where the body
    ends (a length or chunks), so that a short one can't pass unseen.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    chunks: Iterator[bytes] | None = None
    framed: bool = True

    @property
    def location(self) -> str | None:
        """Where a redirect leads, as the vendor wrote it; None if this is no redirect."""
        return self.headers.get("location") if 300 <= self.status < 400 else None

    @property
    def link(self) -> str | None:
        """The absolute URL that ``Location`` names, of whatever status; None if there is none to be used."""
        if not (location := self.headers.get("location")):
            return None
        try:
            url = urljoin(self.url, location)
            return url if urlsplit(url).hostname and (urlsplit(url).port or True) else None
        except ValueError:
            return None

    def json(self) -> Any:
        """The body as JSON, whatever its content type says.

        :raises Refusal: (unavailable) it isn't JSON, such as a gateway's HTML page.
        """
        try:
            # Takes what is odd but harmless, too: a lone surrogate, a byte order mark.
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refusal(
                "unavailable",
                f"the answer is not JSON, it starts with {excerpt(self.body)!r}",
                status=self.status,
            ) from None

    def decoded(self, decoder: Decoder[T]) -> T | None:
        """The body as a decoder reads it; None where it doesn't take it, then :meth:`json` has to.

        For pages of thousands of rows, whose values needn't be converted and back: what the decoder takes as
        ``msgspec.Raw`` stays as the vendor wrote it, and is valid JSON on one line.
        """
        import msgspec  # loaded where there is a page

        try:
            utf_8 = codecs.getincrementaldecoder("utf-8")()  # msgspec doesn't look into what it leaves raw
            for at in range(0, len(self.body), _LOOK):
                utf_8.decode(self.body[at : at + _LOOK], final=at + _LOOK >= len(self.body))
            body = self.body
            if b"\n" in body or b"\r" in body:
                body = msgspec.json.format(body, indent=-1)
            return decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


#: bytes that are decoded at a time: one character beyond ASCII makes a text four times as large
_LOOK = 1 << 16

Operation = Generator[Request, Answer, T]


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
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    #: the vendor's own extras
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
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
        parts = [
            getattr(self, name)
            for name in ("vendor", "base_url", "auth_url", "login", "password", "timeout", "verify", "cert")
        ]
        return json.dumps([parts, dict(self.extra), dict(self.proxies)], sort_keys=True, default=str)

    @cached_property
    def secrets(self) -> Sequence[str]:
        """Every value of this connection that must not be shown."""
        extras = [value for name, value in self.extra.items() if re.search("key|token|secret", name)]
        plain = [value for value in [self.password, *extras] if isinstance(value, str) and value]
        # Where a vendor repeats what it was asked, a secret may stand as it stood in the query.
        return list(dict.fromkeys([*plain, *(quote(value, safe="") for value in plain)]))


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

        :raises Refusal: (invalid) there is no host and no default, or it is no http(s) URL.
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

        :raises Refusal: (invalid) it is no http(s) URL.
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
                    f"the connection's timeout {timeout!r} is no number of seconds above 0, "
                    f"{LONGEST_TIMEOUT:g} at the most",
                )
            options["timeout"] = seconds
        verify = self.extra.get("verify", True)
        if isinstance(verify, str) and verify.strip().lower() in {"true", "false", ""}:
            verify = verify.strip().lower() != "false"
        options["verify"] = verify if isinstance(verify, str) else bool(verify)
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
        raise Refusal("invalid", f"the connection's {name} {shown!r} is no http or https URL")
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
    return {str(scheme): url if "://" in url else f"http://{url}" for scheme, url in given.items() if url}


@dataclass(frozen=True, slots=True)
class File:
    """A report that comes as one body; ``open`` ends with a streamed answer.

    ``lines_from`` is set where JSON lines are made of the vendor's JSON document: the key that holds
    the rows, or "" for the document itself; ``rows_at`` names the same key where JSON lands as it is, for
    counting (None: there is none). ``blank`` is set where an empty body isn't damage but the vendor's way to
    say that there are no rows, and says so, for the log. ``caveat`` says why rows may be missing that nobody
    can prove: it is logged, and the delivery isn't called complete.
    """

    open: Callable[[], Operation[Answer]]
    file_format: str
    lines_from: str | None = None
    rows_at: str | None = "entries"
    blank: str | None = None
    caveat: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the cursor of the next page (None: this was the last) and the vendor's own total.

    A row, or a value of a row, may be ``msgspec.Raw``: JSON as the vendor wrote it.
    """

    rows: Sequence[Any]
    cursor: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Pages:
    """A report that comes in pages; ``page`` asks for the one behind a cursor (None: the first).

    ``caveat`` is a :class:`File`'s.
    """

    page: Callable[[str | None], Operation[Page]]
    caveat: str | None = None


class Vendor(Protocol):
    """What a vendor module offers; all of it pure."""

    #: how the vendor calls its API
    TITLE: str
    #: the vendor's documented status words, in lower case; any other word counts as running
    STATES: Mapping[str, State]
    #: a report is submitted no earlier than the window's end plus this
    SETTLE_DELAY: timedelta

    def settings(self, fields: ConnectionFields) -> Settings:
        """Resolve a connection."""

    def authenticate(self, settings: Settings) -> Operation[Token] | None:
        """Ask for a token; None where requests carry the credentials themselves."""

    def sign(self, request: Request, settings: Settings, token: Token | None) -> Request:
        """Add the credentials to a request."""

    def submit(self, report: Report, label: str | None) -> Operation[Job]:
        """Order a report; ``label`` says for which task, where the vendor gives a report a name."""

    def status(self, job: Job) -> Operation[Status]:
        """Ask how a job is doing."""

    def content(self, job: Job) -> File | Pages:
        """Tell how the rows of a ready job are fetched."""

    def probe(self, settings: Settings) -> Operation[str]:
        """Test a connection; returns a sentence, raises Refusal."""


def status_of(words: Mapping[str, State], word: str | None, reason: str | None = None) -> Status:
    """Normalise a vendor's status word; one that no list holds counts as running."""
    state = words.get(word.strip().lower(), "running") if word else "running"
    return Status(state=state, vendor_status=word, reason=reason)


def token_in(answer: Answer, lifetime: float) -> Token:
    """The token that an OAuth endpoint grants. Its answer is never quoted: it may hold the token.

    :param lifetime: seconds, where the answer has none.
    """
    if answer.status >= 300:
        raise Refusal(
            "invalid",
            f"the token endpoint redirects (HTTP {answer.status}): correct the connection's auth_url",
        )
    try:
        grant = answer.json()
    except Refusal:
        grant = None
    if not isinstance(grant, Mapping) or not grant.get("access_token"):
        raise Refusal("unavailable", "the token endpoint answered without an access_token")
    return Token(str(grant["access_token"]), max(0.0, number(grant.get("expires_in")) or lifetime))


def quoted(value: str) -> str:
    """One path segment, percent-encoded."""
    return quote(value, safe="")


def is_json(head: bytes) -> bool:
    """Whether a file starts like a JSON document, as no CSV and no workbook does."""
    return re.match(rb'(?:\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*[{\]])', head) is not None


def excerpt(body: bytes, longest: int = 120) -> str:
    """The start of a body as one line of text, without the query of any URL: it may be signed."""
    return without_queries(" ".join(body[:4000].decode("utf-8", "replace").split()))[:longest]


def without_queries(text: str) -> str:
    """Text without the query of any URL in it."""
    return re.sub(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>]*", r"\1?***", text)


#: characters of a vendor's words that are passed on
LONGEST_WORDS = 1000

#: keys under which the vendors' error bodies hold their words, in the order in which they read best
_ERROR_KEYS = (
    *("code", "ErrorCode", "error", "Error", "title", "message", "description", "error_description"),
    *("detail", "faultstring", "reason"),
)


def words_of(answer: Answer) -> str:
    """What the vendor said in a refusal, in its own words, whatever shape the body has."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    said: list[str] = []
    if re.match(rb"\s*<(\?xml|error)\b", answer.body, re.IGNORECASE):
        # Object storage, whose other elements may repeat what was signed; 8x8 speaks XML as well.
        said = re.findall(r"(?i)<(?:code|message)>([^<]*)<", answer.body.decode("utf-8", "replace"))
    if isinstance(body, Mapping) and isinstance(body.get("fault"), Mapping):
        body = body["fault"]  # an API gateway's
    if isinstance(body, Mapping):
        said = [str(body[key]) for key in _ERROR_KEYS if body.get(key)]
        messages = body.get("messages")
        said += [item for item in messages if isinstance(item, str)] if isinstance(messages, list) else []
        items = body.get("fields") or body.get("details")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, Mapping):
                words = [str(item[key]) for key in ("name", "description", "hint") if item.get(key)]
                said.append(" ".join(words))
    return ": ".join(dict.fromkeys(said))[:LONGEST_WORDS] or excerpt(answer.body) or "no words"
