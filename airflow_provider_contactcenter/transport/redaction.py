"""Secrets out of a text, in whatever dress it repeats them.

A refusal may echo a secret as HTML, JSON or a part of a URL, or as the base64 of a header. A list of dressed
secrets would never be whole (``%2f`` and ``%2F``, ``&#38;`` and ``&amp;``, and each mixed with the next), so
the text is undressed instead: it is read in every way that it may have been written, one way inside another
as well, and what turns out to be a secret is masked where it stood.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

MASK = "***"
#: characters; a shorter secret may be a part of any word, so it is masked where it is a whole one
SHORT = 4
#: first characters of a long secret that give it away: words are cut off, a secret at their end too
_BEGINNING = 12


class _View(NamedTuple):
    """A text as one reading has it, and for each character where it stood: from, to."""

    text: str
    spans: list[tuple[int, int]]


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced by :data:`MASK`."""
    wanted = {form for secret in secrets if secret.strip() for form in _forms(secret)}
    if not wanted or not text:
        return text
    found = sorted(span for view in _views(text) for secret in wanted for span in _found(secret, view))
    pieces, end = [], 0
    for start, stop in found:
        if start >= end:
            pieces += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def _forms(secret: str) -> Iterator[str]:
    yield secret
    # Excerpts stand on one line.
    yield " ".join(secret.split())
    if len(secret) >= SHORT:
        raw = secret.encode("utf-8", "surrogatepass")
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(raw).decode().rstrip("=")


def _found(secret: str, view: _View) -> Iterator[tuple[int, int]]:
    text, spans = view
    long = len(secret) > _BEGINNING + SHORT
    sought = secret[:_BEGINNING] if long else secret
    start = text.find(sought)
    while start >= 0:
        stop = start + len(sought)
        if long:
            while stop < len(text) and stop - start < len(secret) and text[stop] == secret[stop - start]:
                stop += 1
        if len(secret) >= SHORT or not _inside_a_word(text, start, stop):
            yield spans[start][0], spans[stop - 1][1]
        start = text.find(sought, start + 1)


def _inside_a_word(text: str, start: int, stop: int) -> bool:
    return text[start - 1 : start].isalnum() or text[stop : stop + 1].isalnum()


def _views(text: str) -> Iterator[_View]:
    """The text as it stands, and as each reading has it, and each reading of that."""
    plain = _View(text, [(at, at + 1) for at in range(len(text))])
    seen = {text}
    layer = [plain]
    yield plain
    for _ in range(2):
        below = []
        for view in layer:
            for pattern, read in _READINGS:
                another = _undressed(view, pattern, read)
                if another.text not in seen:
                    seen.add(another.text)
                    below.append(another)
        yield from below
        layer = below


def _undressed(view: _View, pattern: re.Pattern[str], read: Callable[[str], list[tuple[str, int]]]) -> _View:
    text: list[str] = []
    spans: list[tuple[int, int]] = []
    end = 0
    for match in pattern.finditer(view.text):
        text.append(view.text[end : match.start()])
        spans += view.spans[end : match.start()]
        at = match.start()
        for characters, length in read(match[0]):
            text.append(characters)
            spans += [(view.spans[at][0], view.spans[at + length - 1][1])] * len(characters)
            at += length
        end = match.end()
    text.append(view.text[end:])
    spans += view.spans[end:]
    return _View("".join(text), spans)


def _html(written: str) -> list[tuple[str, int]]:
    return [(html.unescape(written), len(written))]


def _escaped(written: str) -> list[tuple[str, int]]:
    if written[1] == "u":
        code = "".join(chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-fA-F]{4})", written))
        return [(code.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"), len(written))]
    if written[1] == "x":
        return [(chr(int(written[2:], 16)), len(written))]
    return [(json.loads(f'"{written}"') if written[1] in 'bfnrt"\\/' else written[1], len(written))]


def _percent(written: str) -> list[tuple[str, int]]:
    if written == "+":
        return [(" ", 1)]
    raw = bytes.fromhex(written.replace("%", ""))
    return [
        (character, 3 * len(character.encode("utf-8", "surrogateescape")))
        for character in raw.decode("utf-8", "surrogateescape")
    ]


#: what in a text may stand for something else -> that, each with the length of how it was written
_READINGS: tuple[tuple[re.Pattern[str], Callable[[str], list[tuple[str, int]]]], ...] = (
    (re.compile(r"&(?:#\d{1,8}|#[xX][0-9a-fA-F]{1,8}|\w{1,32});"), _html),
    # JSON's, and those of Python's repr
    (
        re.compile(
            r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
            r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[^ux]"
        ),
        _escaped,
    ),
    (re.compile(r"(?:%[0-9a-fA-F]{2})+"), _percent),
    (re.compile(r"(?:%[0-9a-fA-F]{2})+|\+"), _percent),
)
