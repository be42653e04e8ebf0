"""The language in which vendor modules speak of HTTP without doing any.

A vendor operation is a generator: it yields a :class:`Request`, is sent the :class:`Answer` and returns
what it learned. ``transport`` drives it, with requests on a worker and with aiohttp in the triggerer, and
adds what every vendor needs: token, retries, redirects, redaction. A refusal is thrown into the
generator as :class:`Refusal`, so that ``try``/``except`` gives it the vendor's meaning.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.written import read

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
    #: what is sent; made of json or form by :meth:`encoded`
    body: bytes | None = None
    #: add the vendor's credentials (header, token, key)
    signed: bool = True
    #: what a 3xx means: a wrong address, which ends the operation; a way to go; or an answer as any other
    redirects: Literal["refused", "followed", "told"] = "refused"
    #: leave the body unread: it is the report
    stream: bool = False
    #: may be sent twice without doing it twice
    idempotent: bool = True

    def encoded(self) -> Request:
        """The same with its body in bytes: what is signed may be the very bytes that are sent."""
        if self.json is not None:
            media, body = "application/json", json.dumps(self.json, allow_nan=False).encode()
        elif self.form is not None:
            media, body = "application/x-www-form-urlencoded", urlencode(self.form).encode()
        else:
            return self
        return replace(self, headers={"Content-Type": media, **self.headers}, json=None, form=None, body=body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. Header names are lower-case.

    Of a streamed answer ``body`` is only the first piece, for a look at what came; ``chunks`` gives
    the whole body, that piece included. ``framed`` tells whether the transport knows where the body
    ends (a length or chunks), so that a short one can't pass unseen. Where a file broke off and its rest
    is asked for, ``start`` counts the bytes before the first of ``chunks``, and all else is as it was the
    first time.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    chunks: Iterator[bytes] | None = None
    framed: bool = True
    start: int = 0

    @property
    def location(self) -> str | None:
        """Where a redirect leads, as the vendor wrote it; None if this is no redirect."""
        return self.headers.get("location", "").strip() or None if 300 <= self.status < 400 else None

    @property
    def link(self) -> str | None:
        """The absolute URL that ``Location`` names, of whatever status; None if there is none to be used."""
        # What surrounds a header's value is no part of it, and would be sent as %20.
        if not (location := self.headers.get("location", "").strip()):
            return None
        try:
            url = urljoin(self.url, _encoded(location))
            return url if urlsplit(url).hostname and (urlsplit(url).port or True) else None
        except ValueError:
            return None

    def json(self) -> Any:
        """The body as JSON, whatever its content type says.

        :raises Refusal: (unavailable) it isn't JSON, such as a gateway's HTML page.
        """
        return self._read(json.loads)

    def written(self) -> Any:
        """The body as JSON whose numbers are :class:`.written.Number`: rows that :meth:`decoded` won't take.

        :raises Refusal: (unavailable) it isn't JSON.
        """
        return self._read(read)

    def _read(self, how: Callable[[bytes], Any]) -> Any:
        try:
            # Takes what is odd but harmless, too: half a surrogate pair, a byte order mark.
            return how(self.body)
        except (ValueError, RecursionError) as error:
            said = str(error)
            odd = said if said.startswith("it holds") else starting(self.body)
            raise Refusal("unavailable", f"the answer is not JSON, {odd}", status=self.status) from None

    def decoded(self, decoder: Decoder[T]) -> T | None:
        """The body as a decoder reads it; None where it doesn't take it, then :meth:`written` has to.

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


def _encoded(location: str) -> str:
    """A ``Location`` with blanks and letters beyond ASCII percent-encoded, as browsers do; all else stays.

    One client reads a header's bytes as Latin-1, the other as UTF-8.
    """
    try:
        sent = location.encode("latin-1")
        sent.decode()
    except UnicodeError:
        sent = location.encode("utf-8", "surrogateescape")
    return quote(sent, safe=_VISIBLE)


_VISIBLE = bytes(range(0x21, 0x7F)).decode()

#: bytes that are decoded at a time: one character beyond ASCII makes a text four times as large
_LOOK = 1 << 16

Operation = Generator[Request, Answer, T]


def quoted(value: str) -> str:
    """One path segment, percent-encoded."""
    return quote(value, safe="")


def is_json(head: bytes) -> bool:
    """Whether a file starts like a JSON document, as no CSV and no workbook does."""
    return re.match(rb'(?:\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*[{\]])', head) is not None


def excerpt(body: bytes, longest: int = 120) -> str:
    """The start of a body as one line of text, without the query of any URL: it may be signed."""
    return without_queries(" ".join(body[:4000].decode("utf-8", "replace").split()))[:longest]


def starting(body: bytes) -> str:
    """What a wrong body starts with, in words that can be told from a vendor's own."""
    return f'it starts with "{excerpt(body)}"'


def without_start(words: str) -> str:
    """Words without what they quote of a body, which may be a row of the report."""
    return re.sub('it starts with ".*"', "its start isn't shown, as the report has a shape", words)


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
                said += [" ".join(words)] if words else []
    return ": ".join(dict.fromkeys(said))[:LONGEST_WORDS] or excerpt(answer.body) or "no words"
