"""Brings a report into a shape while its bytes pass: select, drop, rename, hash, and another format.

It fails closed. A column or path that the shape names and the file doesn't have fails the task, or else a
renamed column would land in the clear. No error, caveat or number that leaves this module holds a value of
the report, and no error has another one behind it that does.
"""

from __future__ import annotations

import codecs
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, NoReturn

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline import rows as cut
from airflow_provider_contactcenter.pipeline.encode.base import Column, Encoder
from airflow_provider_contactcenter.pipeline.encode.csv import CsvEncoder, quoted
from airflow_provider_contactcenter.pipeline.encode.json_lines import JsonLinesEncoder
from airflow_provider_contactcenter.pipeline.encode.parquet import ParquetEncoder, load_pyarrow
from airflow_provider_contactcenter.pipeline.encode.types import fits, misfit
from airflow_provider_contactcenter.shapes import EACH, Shape, collision, parts, shown

HASHED = "hmac-sha256"
_BLANK_LINE = re.compile(rb"\n\r?\n")


def transform(shape: Shape, source_format: str, *, key: bytes | None = None) -> Transform:
    """The stage that brings a report of ``source_format`` (``csv`` or ``jsonl``) into a shape.

    JSON documents, arrays and pages are split into lines before. What can be refused without the file is
    refused here, so making one before a report is submitted checks the shape.

    :param key: of the keyed hash; the password of the shape's ``hash_conn_id``.
    :raises ContactCenterShapeError: the shape can't be had of such a file.
    """
    if source_format not in {"csv", "jsonl"}:
        ask = "csv" if source_format == "xlsx" else "csv or JSON"
        raise ContactCenterShapeError(
            f"A report in {source_format} can't be reshaped: ask for {ask} (file_format of the report), or "
            "leave the shape out."
        )
    if shape["hash"] and not key:
        raise ContactCenterShapeError(
            f"The connection {shape['hash_conn_id']!r} has no password, the key to hash with: set it."
        )
    if source_format == "csv":
        for path in _paths(shape):
            if not isinstance(path, str):
                raise ContactCenterShapeError(
                    f"The shape names the path {shown(path)}, and the report is CSV, which has columns only."
                )
    target = shape["file_format"] or source_format
    if target == "parquet":
        load_pyarrow()
    return (_FromCsv if source_format == "csv" else _FromJson)(shape, target, Hasher(key) if key else None)


def schema_fingerprint(columns: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of the names and types of columns, in order, after renaming."""
    schema = [[column["name"], column["type"]] for column in columns]
    compact = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(compact.encode("utf-8", "surrogatepass")).hexdigest()


def key_fingerprint(key: bytes) -> str:
    """Tells whether two files were hashed with one key: an HMAC of a fixed label, cut to 64 bits."""
    return hmac.digest(key, b"airflow-provider-contactcenter: fingerprint of a hash key", "sha256").hex()[:16]


def snake(name: str) -> str:
    """A name of ``a-z``, ``0-9`` and ``_``; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    plain = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return f"_{plain}" if plain[:1].isdigit() else plain


class Hasher:
    """Hex HMAC-SHA256, which every other system can compute the same."""

    #: values remembered; a column of agents or queues has fewer, and they halve the time
    REMEMBERED = 50_000

    def __init__(self, key: bytes) -> None:
        self.fingerprint = key_fingerprint(key)
        # The two states of RFC 2104, to be copied: a third of the time of hmac.digest.
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._known: dict[bytes, str] = {}

    def __call__(self, text: bytes) -> str:
        """The hash of a text; empty stays empty."""
        if not text:
            return ""
        made = self._known.get(text)
        if made is None:
            inner, outer = self._inner.copy(), self._outer.copy()
            inner.update(text)
            outer.update(inner.digest())
            made = outer.hexdigest()
            if len(self._known) >= self.REMEMBERED:
                self._known.clear()
            self._known[text] = made
        return made

    def text(self, text: str) -> str:
        """The same of a decoded text."""
        return self(text.encode("utf-8", "surrogatepass"))


def _paths(shape: Shape) -> list[Any]:
    rename = shape["rename"] if isinstance(shape["rename"], dict) else {}
    named = (shape["select"], shape["drop"], shape["hash"], rename, shape["types"])
    return [path for paths in named for path in paths or ()]


class Transform:
    """One report on its way into a shape; a :class:`~.stage.Stage`.

    :ivar file_format: what comes out.
    :ivar rows: rows so far; all of them after ``finish``.
    :ivar columns: ``{"name", "type", "from", "treatment"}`` of each column that lands, in order.
    :ivar caveats: sentences about what the shape doesn't name.
    """

    def __init__(self, shape: Shape, file_format: str, hasher: Hasher | None) -> None:
        self.file_format = file_format
        self.rows = 0
        self.caveats: list[str] = []
        self._shape = shape
        self._hasher = hasher
        self._types = shape["types"] or {}
        self._named = {parts(path)[0] for path in _paths(shape)}
        self._columns: list[Column] = []
        self._broken = False

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns that land."""
        return [
            {"name": each.name, "type": each.type, "from": each.source, "treatment": each.treatment}
            for each in self._columns
        ]

    @property
    def key_fingerprint(self) -> str | None:
        """The key's, so that its rotation shows; None where nothing is hashed."""
        return self._hasher.fingerprint if self._hasher else None

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the report."""
        return self._guarded(self._feed, piece)

    def finish(self) -> bytes:
        """The rest of the file; to be called when the source is proved, as only then a footer is written."""
        return self._guarded(self._finish)

    def _guarded(self, step: Callable[..., bytes], *given: bytes) -> bytes:
        """A step that once failed must not be followed by one that ends the file as if it were whole."""
        if self._broken:
            raise ContactCenterShapeError(
                "The file could not be brought into the shape: see the error before."
            )
        self._broken = True
        made = step(*given)
        self._broken = False
        return made

    def _feed(self, piece: bytes) -> bytes:
        raise NotImplementedError

    def _finish(self) -> bytes:
        raise NotImplementedError

    def _renamed(self, name: str) -> str:
        rename = self._shape["rename"]
        if rename == "snake":
            if not (made := snake(name)):
                raise ContactCenterShapeError(
                    f"Column {name!r} has no name left with rename='snake': name it in a dict."
                )
            return made
        return rename.get(name, name) if isinstance(rename, dict) else name

    def _check_names(self) -> None:
        if (name := collision(column.name for column in self._columns)) is not None:
            sources = [column.source for column in self._columns if column.name.casefold() == name.casefold()]
            raise ContactCenterShapeError(
                f"Columns {' and '.join(map(repr, sources))} get one name, {name!r} (case counts for "
                "nothing, as in most warehouses): rename or drop one of them."
            )

    def _meet(self, names: Iterable[str]) -> None:
        """Heed ``on_new`` for columns that are seen for the first time."""
        new = [name for name in names if name not in self._named]
        if not new or self._shape["on_new"] == "ignore":
            return
        sentence = f"The report has columns that the shape doesn't name: {', '.join(map(repr, new))}"
        if self._shape["on_new"] == "fail":
            raise ContactCenterShapeError(f"{sentence} (on_new='fail'): name them in select or drop.")
        self.caveats.append(f"{sentence}.")

    def _missing(self, path: Any) -> NoReturn:
        raise ContactCenterShapeError(
            f"The shape names {shown(path)}, and no row of the report has it: nothing lands, since what was "
            "renamed there would land as it is."
        )

    def _encoder(self) -> Encoder:
        encoders: dict[str, Callable[[Sequence[Column]], Encoder]] = {
            "csv": CsvEncoder,
            "jsonl": JsonLinesEncoder,
            "parquet": ParquetEncoder,
        }
        return encoders[self.file_format](self._columns)

    def _end(self, encoder: Encoder) -> bytes:
        made = encoder.finish()
        if isinstance(encoder, ParquetEncoder) and encoder.count != self.rows:
            raise ContactCenterShapeError(
                f"The report has {self.rows} rows and the Parquet file {encoder.count}: nothing lands."
            )
        if self.file_format == "parquet" and not self._columns:
            self.caveats.append(
                "The report has neither rows nor names, so the Parquet file has no columns, which some "
                "readers refuse: name them in select, or use on_empty='skip'."
            )
        return made


# --- CSV ----------------------------------------------------------------------------------------------------


class _FromCsv(Transform):
    def __init__(self, shape: Shape, file_format: str, hasher: Hasher | None) -> None:
        super().__init__(shape, file_format, hasher)
        self._blocks = cut.Blocks(cut.last_record)
        self._blank = b""  # blank lines, which are rows only if more comes and there is one column
        self._first = True
        self._width = 0  # fields of the header; 0 until it came
        self._bytes = file_format == "csv"  # its fields are passed on as they are written
        self._to: Encoder | None = None
        #: masked fields and their hashes. A field that holds masks has quotes, so it can't be another's.
        self._known: dict[bytes, bytes] = {}

    def _feed(self, piece: bytes) -> bytes:
        return b"".join(map(self._block, self._blocks.feed(piece)))

    def _finish(self) -> bytes:
        made = self._block(self._blocks.finish())
        if not self._width:
            # Not even a header: there is nothing that could land under a wrong name.
            self._columns = [self._column(path, 0) for path in map(str, self._shape["select"] or ())]
            self._check_names()
            self._to = None if self._bytes else self._encoder()
        return made + (self._end(self._to) if self._to else b"")

    def _block(self, block: bytes) -> bytes:
        start = b""
        if self._first and block:
            self._first = False
            if block.startswith(codecs.BOM_UTF8):
                start, block = (codecs.BOM_UTF8 if self._bytes else b""), block[3:]
        ends = cut.check_dialect(block, self.rows)
        if not self._width:
            block = block.lstrip(b"\r\n")
            if not block:
                return start
            header = cut.records(block)[0]
            block = block[len(header) + 1 :] if len(header) < len(block) else b""
            start += self._begin(header, ended=True)
            ends = cut.check_dialect(block, self.rows) if block else 0
        core = len(block.rstrip(b"\r\n"))
        if not core:
            self._blank += block
            return start
        # The last record keeps its line end, blank lines behind it wait.
        end = block.find(b"\n", core) + 1 or len(block)
        after = block[end:]
        ends -= after.count(b"\n")
        block, ends = self._blank + block[:end], ends + self._blank.count(b"\n")
        self._blank = after
        return start + self._records(block, ends + (not block.endswith(b"\n")))

    def _column(self, name: str, at: int) -> Column:
        hashed = name in (self._shape["hash"] or ())
        return Column(
            name, self._renamed(name), self._types.get(name, "string"), HASHED if hashed else None, at
        )

    def _begin(self, header: bytes, *, ended: bool) -> bytes:
        end = b"\r" if header.endswith(b"\r") else b""
        raw = cut.fields(header.removesuffix(b"\r"))
        names = [self._text(field, 0) for field in raw]
        if len(names) == 1 and re.search("[;\t|]", names[0]):
            raise ContactCenterShapeError(
                "The CSV's header is one field with a semicolon, tab or bar in it: only commas separate "
                "columns that can be reshaped."
            )
        self._width = len(names)
        for path in _paths(self._shape):
            if path not in names:
                raise ContactCenterShapeError(
                    f"The shape names the column {shown(path)}, and the file has no such column among its "
                    f"{len(names)}: nothing lands, since what was renamed there would land as it is."
                )
            if names.count(path) > 1:
                raise ContactCenterShapeError(
                    f"The file has several columns {shown(path)}: no one knows which is meant."
                )
        self._meet(names)
        keep = self._shape["select"] or [name for name in names if name not in (self._shape["drop"] or ())]
        places = {name: at for at, name in enumerate(names)}
        if self._shape["select"]:
            self._columns = [self._column(str(name), places[str(name)]) for name in keep]
        else:
            self._columns = [self._column(name, at) for at, name in enumerate(names) if name in set(keep)]
        if not self._columns:
            raise ContactCenterShapeError(
                "The shape drops every column of the file: nothing is left to land."
            )
        self._check_names()
        if not self._bytes:
            self._to = self._encoder()
            return b""
        order = [column.at for column in self._columns]
        self._pick = itemgetter(*order) if len(order) > 1 else None
        self._same = order == list(range(self._width))
        self._hashed = [column.at for column in self._columns if column.treatment]
        self._typed = [column for column in self._columns if column.type != "string"]
        fields = [
            raw[column.at] if column.name == column.source else quoted(column.name).encode()
            for column in self._columns
        ]
        return b",".join(fields) + end + b"\n"

    def _records(self, block: bytes, count: int) -> bytes:
        before = self.rows
        self.rows += count
        if isinstance(self._to, ParquetEncoder):
            if self._width > 1 and (block[:1] in b"\r\n" or _BLANK_LINE.search(block)):
                # Arrow takes a blank line for a row of empty values.
                for row, record in enumerate(cut.records(block), before + 1):
                    self._fields(record, row)
            hashed = self._hasher.text if self._hasher else None
            if self._to.csv(block, self._width, before, hashed) != count:
                self._find_fault(block, before)
            return self._to.take()
        if self._bytes:
            quick = self._quickly(block)
            return self._as_written(block, before) if quick is None else quick
        fields = [self._fields(record, row) for row, record in enumerate(cut.records(block), before + 1)]
        texts = []
        for row, found in enumerate(fields, before + 1):
            made = []
            for column in self._columns:
                text = self._text(found[column.at], row, column.source)
                made.append(self._hasher.text(text) if column.treatment and self._hasher else text)
            texts.append(made)
        return self._to.rows(texts, before) if self._to else b""

    def _fields(self, record: bytes, row: int) -> list[bytes]:
        found = cut.fields(record[:-1] if record.endswith(b"\r") else record)
        if len(found) != self._width:
            raise ContactCenterShapeError(
                f"Row {row} of the CSV has {len(found)} fields and its header {self._width}: nothing "
                "lands, since its values would stand in wrong columns."
            )
        return found

    def _text(self, field: bytes, row: int, column: str | None = None) -> str:
        text = None
        if (plain := cut.unquoted(field)) is not None:
            try:
                text = plain.decode()
            except UnicodeDecodeError:
                plain = b""
        if text is not None:
            return text
        place = f"in column {column!r} of row {row}" if column is not None else "in its header"
        what = "quotes that aren't doubled" if plain is None else "bytes that aren't UTF-8"
        raise ContactCenterShapeError(f"The CSV has {what} {place}: such a file can't be reshaped.")

    def _quickly(self, block: bytes) -> bytes | None:
        """The same as :meth:`_as_written`, which is left what is rare or wrong: then None."""
        text = cut.masked(block)
        if text is None or self._typed:
            return None
        quotes, end, returns = b'"' in block, b"\n", text.count(b"\r\n")
        if returns:
            if returns != text.count(b"\n"):
                return None
            end = b"\r\n"
        lines = text.split(end)
        last = lines.pop()
        if last:
            lines.append(last)
        width, pick, same, hashed, known = self._width, self._pick, self._same, self._hashed, self._known
        made = []
        for line in lines:
            found = line.split(b",")
            if len(found) != width:
                return None
            for at in hashed:
                if field := found[at]:
                    if (hash_ := known.get(field)) is None:
                        if (hash_ := self._hash(cut.unmasked(field) if quotes else field)) is None:
                            return None
                        if len(known) >= Hasher.REMEMBERED:
                            known.clear()
                        known[field] = hash_
                    found[at] = hash_
            if same:
                made.append(b",".join(found))
            elif pick:
                made.append(b",".join(pick(found)))
            else:
                # A line of nothing would be no record for many readers.
                made.append(found[self._columns[0].at] or b'""')
        if not last:
            made.append(b"")
        written = end.join(made)
        return cut.unmasked(written) if quotes else written

    def _hash(self, field: bytes) -> bytes | None:
        """The hash of a field, or itself if it says nothing; None if it isn't what it should be."""
        plain = cut.unquoted(field)
        if plain is None or self._hasher is None:
            return None
        if not plain.isascii():
            try:
                plain.decode()
            except UnicodeDecodeError:
                return None
        return self._hasher(plain).encode() if plain else field

    def _as_written(self, block: bytes, before: int) -> bytes:
        """CSV of CSV: what isn't hashed stays as it is written, byte for byte."""
        width, pick, same, hashed, typed = self._width, self._pick, self._same, self._hashed, self._typed
        hash_, returns, last = self._hasher, b"\r" in block, not block.endswith(b"\n")
        made = []
        for row, record in enumerate(cut.records(block), before + 1):
            end = b""
            if returns and record[-1:] == b"\r":
                record, end = record[:-1], b"\r"
            found = cut.fields(record)
            if len(found) != width:
                self._fields(record, row)
            for at in hashed:
                field = found[at]
                if field and hash_:
                    plain = cut.unquoted(field)
                    if plain is None or not plain.isascii():
                        plain = self._text(field, row).encode()
                    found[at] = hash_(plain).encode() if plain else field
            for column in typed:
                text = self._text(found[column.at], row, column.source)
                if text and not fits(column.type, text):
                    raise misfit(column.source, column.type, text, row)
            if same:
                made.append(b",".join(found) + end)
            elif pick:
                made.append(b",".join(pick(found)) + end)
            else:
                # A line of nothing would be no record for many readers.
                made.append((found[self._columns[0].at] or b'""') + end)
        return b"\n".join(made) + (b"" if last else b"\n")

    def _find_fault(self, block: bytes, before: int) -> NoReturn:
        """Say what Arrow didn't like, in a sentence without the record."""
        for row, record in enumerate(cut.records(block), before + 1):
            found = self._fields(record, row)
            for column in self._columns:
                self._text(found[column.at], row, column.source)
        raise ContactCenterShapeError(
            f"The CSV could not be read within the rows from {before + 1} to {self.rows}: it isn't UTF-8 "
            "with commas and doubled quotes."
        )


# --- JSON rows ----------------------------------------------------------------------------------------------


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


class _FromJson(Transform):
    def __init__(self, shape: Shape, file_format: str, hasher: Hasher | None) -> None:
        import msgspec

        super().__init__(shape, file_format, hasher)
        self._blocks = cut.Blocks(cut.last_line)
        self._raw = msgspec.Raw
        self._unreadable = (msgspec.DecodeError, UnicodeDecodeError)
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
                self._missing(name)
            for rule in self._rules.all():
                if rule.missed and not rule.found:
                    self._missing(list(rule.path))
        if self.file_format == "jsonl":
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
                    if name in found:
                        self._typed(name, shaped[name], number)
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
        for path in _paths(self._shape):
            if self._lands(parts(path)[0]):
                self._add(parts(path)[0])
        self._check_names()
        if self.rows and not self._columns:
            raise ContactCenterShapeError(
                "The shape drops every column of the report: nothing is left to land."
            )
        self._to = self._encoder()

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
                "pair): it can't be reshaped."
            )
        return made

    def _typed(self, name: str, value: Any, number: int) -> None:
        text = self._text(value, number, name)
        if text and not fits(self._types[name], text):
            raise misfit(name, self._types[name], text, number)
