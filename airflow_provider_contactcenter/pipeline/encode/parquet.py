"""Parquet through pyarrow: zstd, row groups of 16 MiB, closed only when the source is proved.

pyarrow is imported where the conversion begins: it takes 0.4 s and 56 MiB.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline.encode.base import Column, Row
from airflow_provider_contactcenter.pipeline.encode.types import fits, misfit, precision

#: bytes in Arrow's memory of a row group; twice as much makes a file 6 % smaller and takes 30 MiB more
ROW_GROUP = 16 << 20
#: rows by which a column is known to repeat its values
_SAMPLE = 4096


def load_pyarrow() -> Any:
    """pyarrow, or one sentence that says what to install."""
    problem = ""
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        # A numpy older than 2 beside it makes pyarrow refuse to import; its own words say so.
        problem = str(error).partition("\n")[0]
    if problem:
        raise ContactCenterShapeError(
            "file_format='parquet' needs pyarrow, which can't be imported "
            f"({problem}): install airflow-provider-contactcenter[parquet]."
        )
    return pa


class _Sink:
    """Takes what the Parquet writer writes, until it is passed on."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class ParquetEncoder:
    """Writes a Parquet file of texts and of what is declared.

    It is no context manager on purpose: left by an exception it must not write a footer, which would make a
    valid file of half the rows.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._pa = pa = load_pyarrow()
        self._columns = columns
        self._types = [_arrow_type(pa, column.type) for column in columns]
        self._schema = pa.schema(
            [(column.name, type_) for column, type_ in zip(columns, self._types, strict=True)]
        )
        self._sink = _Sink()
        self._writer: Any = None
        self._tables: list[Any] = []
        self._held = 0
        self._read: Any = None
        self.count = 0

    def rows(self, rows: Sequence[Row], before: int) -> bytes:
        """Take some rows; gives the bytes of the row groups that are full."""
        pa = self._pa
        arrays = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
        return self._add(arrays, len(rows), before)

    def csv(
        self, block: bytes, width: int, count: int, before: int, hashed: Callable[[str], str] | None
    ) -> bytes | None:
        """Take a block of ``count`` CSV records, without header; None if Arrow doesn't see so many in it."""
        pa = self._pa
        if self._read is None:
            names = [str(at) for at in range(width)]
            self._read = pa.csv.ReadOptions(column_names=names, use_threads=False)
            # A blank line is a row of a single column only; where it is none, the count of rows shows it.
            # Newlines in values concern who cuts blocks: here each is whole, and looked through once less.
            self._parse = pa.csv.ParseOptions(newlines_in_values=False, ignore_empty_lines=width > 1)
            self._convert = pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[str(column.at) for column in self._columns],
                strings_can_be_null=False,
            )
        if block.startswith(codecs.BOM_UTF8):
            block = codecs.BOM_UTF8 + block  # Arrow takes one off each block, which here begins a value
        self._read.block_size = len(block)  # all of it at once, however long a record is
        self._convert.check_utf8 = not block.isascii()  # which takes Arrow longer than all of this look
        try:
            table = pa.csv.read_csv(
                pa.py_buffer(block),
                read_options=self._read,
                parse_options=self._parse,
                convert_options=self._convert,
            )
        except pa.ArrowInvalid:  # its words show the record
            return None
        if table.num_rows != count:
            return None
        arrays = [column.chunk(0) for column in table.columns]  # one block, one chunk
        for at, column in enumerate(self._columns):
            if column.treatment and hashed:
                # Only what is distinct is hashed.
                encoded = arrays[at].dictionary_encode()
                values = [hashed(value) for value in encoded.dictionary.to_pylist()]
                arrays[at] = pa.array(values, pa.string()).take(encoded.indices)
        return self._add(arrays, count, before)

    def _add(self, arrays: list[Any], count: int, before: int) -> bytes:
        typed = [
            self._typed(column, type_, array, before)
            for column, type_, array in zip(self._columns, self._types, arrays, strict=True)
        ]
        table = self._pa.table(typed, schema=self._schema)
        self.count += count
        self._tables.append(table)
        self._held += table.nbytes
        if self._held >= ROW_GROUP:
            self._write()
        return self._sink.take()

    def _typed(self, column: Column, type_: Any, array: Any, before: int) -> Any:
        """A column of texts as declared; empty becomes null, except for text."""
        pc = self._pa.compute
        if column.type == "string":
            return array
        array = pc.if_else(pc.equal(array, ""), None, array)
        made = None
        with suppress(self._pa.ArrowInvalid):  # its words show the value
            made = pc.cast(array, type_)
        strange = made is None
        # What Arrow takes and others don't: hexadecimal digits, numbers beyond the largest float, and years
        # beyond those from 1 to 9999, which few readers can say.
        if made is not None and column.type == "int64":
            strange = pc.any(pc.match_substring(array, "x", ignore_case=True)).as_py()
        if made is not None and column.type == "float64":
            strange = pc.any(pc.invert(pc.is_finite(made))).as_py()
        if made is not None and column.type.startswith(("date", "timestamp")):
            first, last = (pc.year(end).as_py() for end in pc.min_max(made).values())
            strange = first is not None and not 1 <= first <= last <= 9999
        if not strange:
            return made
        for row, text in enumerate(array.to_pylist(), before + 1):
            if text is not None and not fits(column.type, text):
                raise misfit(column.source, column.type, text, row)
        raise misfit(column.source, column.type, None, before + 1)

    def _write(self) -> None:
        table = self._pa.concat_tables(self._tables or [self._schema.empty_table()])
        self._tables, self._held = [], 0
        if self._writer is None:
            self._writer = self._pa.parquet.ParquetWriter(
                self._sink, self._schema, compression="zstd", use_dictionary=self._repeating(table)
            )
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def _repeating(self, table: Any) -> list[str]:
        """The columns that a dictionary makes smaller; of the others it would only cost time."""
        sample = table.slice(0, _SAMPLE)
        distinct = [self._pa.compute.count_distinct(column).as_py() for column in sample.columns]
        return [
            name
            for name, count in zip(table.column_names, distinct, strict=True)
            if 2 * count <= sample.num_rows
        ]

    def finish(self) -> bytes:
        """The last row group and the footer, without which no reader takes the file."""
        if self._tables or self._writer is None:
            self._write()
        self._writer.close()
        return self._sink.take()


def _arrow_type(pa: Any, type_: str) -> Any:
    match type_:
        case "int64":
            return pa.int64()
        case "float64":
            return pa.float64()
        case "boolean":
            return pa.bool_()
        case "date":
            return pa.date32()
        case "timestamp[us, UTC]":
            return pa.timestamp("us", "UTC")
        case "string":
            return pa.string()
    return pa.decimal128(*precision(type_))
