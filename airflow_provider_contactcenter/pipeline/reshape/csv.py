"""CSV into a shape: what isn't named stays as it is written, byte for byte, where CSV lands."""

from __future__ import annotations

import codecs
import re
from operator import itemgetter
from typing import NoReturn

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline import rows as cut
from airflow_provider_contactcenter.pipeline.encode.base import Column, Encoder
from airflow_provider_contactcenter.pipeline.encode.csv import quoted
from airflow_provider_contactcenter.pipeline.encode.parquet import ParquetEncoder
from airflow_provider_contactcenter.pipeline.encode.types import fits, misfit
from airflow_provider_contactcenter.pipeline.glance import Glance
from airflow_provider_contactcenter.pipeline.reshape.base import HASHED, Transform, named_paths
from airflow_provider_contactcenter.pipeline.reshape.hashing import Hasher
from airflow_provider_contactcenter.shapes import Shape, shown


class FromCsv(Transform):
    """A report that comes as CSV."""

    def __init__(self, shape: Shape, file_format: str, hasher: Hasher | None) -> None:
        super().__init__(shape, file_format, hasher)
        self._blocks = cut.Blocks(cut.last_record)
        self._glance = Glance(*cut.EDGES)
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
            self._to = self._encoder() if self._columns or not self._bytes else None
        return made + (self._end(self._to) if self._to else b"")

    def _block(self, block: bytes) -> bytes:
        start = b""
        if self._first and block:
            self._first = False
            if block.startswith(codecs.BOM_UTF8):
                start, block = (codecs.BOM_UTF8 if self._bytes else b""), block[3:]
        ends = cut.check_dialect(block, self.rows, self._glance)
        if not self._width:
            block = block.lstrip(b"\r\n")
            if not block:
                return start
            header = cut.records(block)[0]
            block = block[len(header) + 1 :] if len(header) < len(block) else b""
            start += self._begin(header)
            ends = cut.check_dialect(block, self.rows, self._glance) if block else 0
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

    def _begin(self, header: bytes) -> bytes:
        end = b"\r" if header.endswith(b"\r") else b""
        raw = cut.fields(header.removesuffix(b"\r"))
        names = [self._text(field, 0) for field in raw]
        if len(names) == 1 and re.search("[;\t|]", names[0]):
            raise ContactCenterShapeError(
                "The CSV's header is one field with a semicolon, tab or bar in it: only commas separate "
                "columns that can be reshaped."
            )
        self._width = len(names)
        self._named_there = not self._named.isdisjoint(names)
        for path in named_paths(self._shape):
            if path not in names:
                self._missing(path, f"the file has no such column among its {len(names)}", names)
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
            hashed = self._hasher.text if self._hasher else None
            written = self._to.csv(block, self._width, count, before, hashed)
            return self._find_fault(block, before) if written is None else written
        if self._bytes:
            quick = self._quickly(block)
            return self._as_written(block, before) if quick is None else quick
        fields = [self._fields(record, row) for row, record in enumerate(cut.records(block), before + 1)]
        texts = []
        for row, found in enumerate(fields, before + 1):
            made = []
            for column in self._columns:
                text = self._text(found[column.at], row, column)
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

    def _text(self, field: bytes, row: int, column: Column | None = None) -> str:
        text = None
        if (plain := cut.unquoted(field)) is not None:
            try:
                text = plain.decode()
            except UnicodeDecodeError:
                plain = b""
        if text is not None:
            return text
        place = f"in column {self._called(column)} of row {row}" if column is not None else "in its header"
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
        width, pick, same, typed = self._width, self._pick, self._same, self._typed
        hash_, returns, last = self._hasher, b"\r" in block, not block.endswith(b"\n")
        hashed = [column for column in self._columns if column.treatment]
        made = []
        for row, record in enumerate(cut.records(block), before + 1):
            end = b""
            if returns and record[-1:] == b"\r":
                record, end = record[:-1], b"\r"
            found = cut.fields(record)
            if len(found) != width:
                self._fields(record, row)
            for column in hashed:
                field = found[column.at]
                if field and hash_:
                    plain = cut.unquoted(field)
                    if plain is None or not plain.isascii():
                        plain = self._text(field, row, column).encode()
                    found[column.at] = hash_(plain).encode() if plain else field
            for column in typed:
                text = self._text(found[column.at], row, column)
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
                self._text(found[column.at], row, column)
        raise ContactCenterShapeError(
            f"The CSV could not be read within the rows from {before + 1} to {self.rows}: it isn't UTF-8 "
            "with commas and doubled quotes."
        )
