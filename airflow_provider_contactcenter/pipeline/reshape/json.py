"""JSON rows into a shape: rules for what is named at any depth; all else stays as the vendor wrote it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline import rows as cut
from airflow_provider_contactcenter.pipeline.encode.base import Column, Encoder
from airflow_provider_contactcenter.pipeline.encode.types import NOT_TEXT, as_json, fits, misfit
from airflow_provider_contactcenter.pipeline.reshape.base import HASHED, Transform, named_paths
from airflow_provider_contactcenter.pipeline.reshape.hashing import Hasher
from airflow_provider_contactcenter.shapes import EACH, Shape, parts, shown
from airflow_provider_contactcenter.vendors.protocol import written


class _Rule:
    """What is done to one value of JSON rows, and to those within it.

    :ivar only: just what is named within it stays.
    """

    def __init__(self, path: tuple[str, ...] = (), *, only: bool = False) -> None:
        self.path = path
        self.action: str | None = None
        self.only = only
        self.within: dict[str, _Rule] = {}
        self.found = False
        self.missed = False

    def add(self, path: tuple[str, ...], action: str) -> None:
        rule = self
        for step in path:
            if step not in rule.within:
                rule.within[step] = _Rule((*rule.path, step), only=action == "keep")
            rule = rule.within[step]
        rule.action = action
        rule.only = False

    def all(self) -> Iterable[_Rule]:
        for rule in self.within.values():
            yield rule
            yield from rule.all()


_KINDS = {
    b'"': "a text",
    b"{": "an object",
    b"[": "an array",
    b"t": "a boolean",
    b"f": "a boolean",
    b"n": "null",
}


def _json_kind(raw: bytes) -> str:
    return _KINDS.get(raw[:1], "a number")


def _odd(raw: bytes) -> Any:
    """An object or array that msgspec doesn't take, as it holds half a surrogate pair; None if it is none."""
    with suppress(ValueError, RecursionError):
        made = written.read(raw)
        if isinstance(made, list):
            return [written.raw(item) for item in made]
        if isinstance(made, dict):
            "".join(made).encode()  # raises: a name has to be Unicode
            return {name: written.raw(value) for name, value in made.items()}
    return None


_NOWHERE = "no row of the report has it"


class FromJson(Transform):
    """A report that comes as JSON lines."""

    def __init__(self, shape: Shape, file_format: str, hasher: Hasher | None) -> None:
        import msgspec

        super().__init__(shape, file_format, hasher)
        self._blocks = cut.Blocks(cut.last_line)
        self._raw = msgspec.Raw
        self._unreadable = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
        self._objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self._arrays = msgspec.json.Decoder(list[msgspec.Raw])
        self._strings = msgspec.json.Decoder(str)
        self._encoded = msgspec.json.Encoder()
        self._rules = _Rule(only=shape["select"] is not None)
        for action, paths in (("keep", shape["select"]), ("drop", shape["drop"]), ("hash", shape["hash"])):
            for path in paths or ():
                self._rules.add(parts(path), action)
        self._plain = not self._rules.within and shape["rename"] is None and not self._types
        self._keys: set[tuple[str, ...]] = set()
        self._names: dict[str, str] = {}  # vendor's names that came, with those they land under
        self._seen: set[str] = set()
        self._first = True
        self._to: Encoder | None = None

    def _feed(self, piece: bytes) -> bytes:
        return b"".join(map(self._block, self._blocks.feed(piece)))

    def _finish(self) -> bytes:
        made = self._block(self._blocks.finish())
        if self.rows:
            for name in self._named - self._seen:
                self._missing(name, _NOWHERE, self._seen)
            for rule in self._rules.all():
                if rule.missed and not rule.found:
                    self._missing(list(rule.path), _NOWHERE, ())
        if self.file_format == "jsonl":
            self._check_columns()
            return made
        if self._to is None:
            self._fix()
        assert self._to is not None  # noqa: S101
        return made + self._end(self._to)

    def _block(self, block: bytes) -> bytes:
        if self._first and block:
            self._first = False
            block = block.removeprefix(codecs.BOM_UTF8)
        lines = [line for line in block.split(b"\n") if line and not line.isspace()]
        before, objects = self.rows, []
        for row, line in enumerate(lines, before + 1):
            objects.append(self._object(line, row))
        for each in objects:
            if (names := tuple(each)) not in self._keys:
                self._new_keys(names)
        self.rows += len(lines)
        if self.file_format == "jsonl":
            if self._plain:
                return b"".join(line.removesuffix(b"\r") + b"\n" for line in lines)
            landed = []
            for number, found in enumerate(objects, before + 1):
                shaped = self._shaped(found, number)
                for name in self._types:
                    if name in shaped:
                        shaped[name] = self._typed(name, shaped[name], number)
                landed.append({self._names[name]: value for name, value in shaped.items()})
            return self._encoded.encode_lines(landed)
        if not lines:
            return b""
        if self._to is None:
            self._fix()
        assert self._to is not None  # noqa: S101
        sources = [column.source for column in self._columns]
        texts = []
        for number, found in enumerate(objects, before + 1):
            shaped = self._shaped(found, number)
            texts.append(
                [self._text(shaped[name], number, name) if name in shaped else None for name in sources]
            )
        return self._to.rows(texts, before)

    def _object(self, line: bytes, row: int) -> dict[str, Any]:
        made = None
        with suppress(*self._unreadable):  # their words may show the line
            made = self._objects.decode(line)
        if made is None and isinstance(odd := _odd(line), dict):
            made = odd
        if made is None:
            kind = _json_kind(line.strip())
            what = "can't be read as JSON" if kind == "an object" else f"is {kind}, not an object"
            raise ContactCenterShapeError(f"Row {row} {what}: such a report can't be reshaped.")
        return made

    def _new_keys(self, names: tuple[str, ...]) -> None:
        """Look once at each set of names that rows have."""
        if len(self._keys) >= Hasher.REMEMBERED:
            self._keys.clear()
        self._keys.add(names)
        new = [name for name in names if name not in self._seen]
        self._seen.update(new)
        self._meet(new)
        for name in new:
            if not self._lands(name):
                continue
            if self._to is not None:
                if any(column.source == name for column in self._columns):
                    continue
                raise ContactCenterShapeError(
                    f"Column {name!r} first appears in a row after {self.rows}, when the columns of the "
                    f"{self.file_format} file stand already: name all columns in select, or leave it out "
                    "with drop."
                )
            self._add(name)
        self._check_names()

    def _lands(self, name: str) -> bool:
        rule = self._rules.within.get(name)
        return rule.action != "drop" if rule else not self._rules.only

    def _add(self, name: str) -> None:
        if name in self._names:
            return
        rule = self._rules.within.get(name)
        treatment = None
        if rule:
            actions = {each.action for each in (rule, *rule.all())}
            treatment = HASHED if rule.action == "hash" else None
            if not treatment and rule.within:
                treatment = f"partly {HASHED}" if "hash" in actions else "partly dropped"
        untyped = "json" if self.file_format == "jsonl" and treatment != HASHED else "string"
        self._names[name] = self._renamed(name)
        self._columns.append(Column(name, self._names[name], self._types.get(name, untyped), treatment))
        if self._rules.only:
            order = list(self._rules.within)
            self._columns.sort(key=lambda column: order.index(column.source))

    def _fix(self) -> None:
        """Settle the columns of a file that can't have more of them later."""
        for path in named_paths(self._shape):
            if self._lands(parts(path)[0]):
                self._add(parts(path)[0])
        self._check_names()
        self._check_columns()
        self._to = self._encoder()

    def _check_columns(self) -> None:
        """Refuse rows that land without a single column, unless that is how they came."""
        if not self.rows or self._columns:
            return
        if self._seen:
            raise ContactCenterShapeError(
                "The shape drops every column of the report: nothing is left to land."
            )
        if self.file_format != "jsonl":
            raise ContactCenterShapeError(
                f"The first {self.rows} rows of the report are empty objects ({{}}), so nothing says which "
                f"columns the {self.file_format} file is to have: name them in select, or take jsonl."
            )

    def _shaped(self, row: dict[str, Any], number: int) -> dict[str, Any]:
        rules = self._rules
        if rules.only:
            return {
                name: self._apply(rule, row[name], number)
                for name, rule in rules.within.items()
                if name in row
            }
        for name, rule in rules.within.items():
            if name in row:
                if rule.action == "drop":
                    del row[name]
                else:
                    row[name] = self._apply(rule, row[name], number)
        return row

    def _apply(self, rule: _Rule, value: Any, number: int) -> Any:
        raw = bytes(value)
        if rule.action == "hash":
            return self._hash(rule, raw, number)
        if not rule.within or raw[:1] == b"n":
            return value
        names = {step: child for step, child in rule.within.items() if step != EACH}
        if raw[:1] == b"[" and EACH in rule.within:
            each = rule.within[EACH]
            return self._raw(
                self._encoded.encode(
                    [self._apply(each, item, number) for item in self._inner(self._arrays, raw, rule, number)]
                )
            )
        if raw[:1] != b"{" or not names:
            raise ContactCenterShapeError(
                f"{shown(list(rule.path))} is {_json_kind(raw)} in row {number}, and the shape names "
                "something within it: nothing lands, since it would land as it is."
            )
        found = self._inner(self._objects, raw, rule, number)
        made = {} if rule.only else found
        for step, child in names.items():
            if step not in found:
                child.missed = True
                continue
            child.found = True
            if child.action == "drop":
                del made[step]
            else:
                made[step] = self._apply(child, found[step], number)
        return self._raw(self._encoded.encode(made))

    def _inner(self, decoder: Any, raw: bytes, rule: _Rule, number: int) -> Any:
        made = None
        with suppress(*self._unreadable):
            made = decoder.decode(raw)
        if made is None:
            made = _odd(raw)
        if made is None:
            raise ContactCenterShapeError(f"{shown(list(rule.path))} can't be read in row {number}.")
        return made

    def _hash(self, rule: _Rule, raw: bytes, number: int) -> Any:
        if raw[:1] in (b"{", b"["):
            raise ContactCenterShapeError(
                f"{shown(list(rule.path))} is {_json_kind(raw)} in row {number}, and only a single value "
                "can be hashed: give the path to what is within it."
            )
        text = self._text(raw, number, ".".join(rule.path))
        if not text or not self._hasher:
            return self._raw(raw)
        return self._raw(b'"' + self._hasher.text(text).encode() + b'"')

    def _text(self, value: Any, number: int, name: str) -> str | None:
        """A value's text: a string's own, a number as written, JSON of what has parts; None of null."""
        raw = bytes(value)
        if raw[:1] == b"n":
            return None
        made = None
        with suppress(*self._unreadable):
            made = self._strings.decode(raw) if raw[:1] == b'"' else raw.decode()
        if made is None:
            raise ContactCenterShapeError(
                f"Column {name!r} holds a text in row {number} that isn't Unicode (half of a surrogate "
                "pair, or bytes that aren't UTF-8): leave the column out with select or drop."
            )
        return made

    def _typed(self, name: str, value: Any, number: int) -> Any:
        """A value as what it is declared to be; a number that is one keeps its digits."""
        text, type_ = self._text(value, number, name), self._types[name]
        if type_ == "string":
            return text
        if not text:
            return None
        if not fits(type_, text):
            raise misfit(name, type_, text, number)
        return self._raw(as_json(type_, text)) if type_.startswith(NOT_TEXT) else text
