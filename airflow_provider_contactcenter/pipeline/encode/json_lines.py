"""JSON lines: one object per row, all of them with all columns."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_contactcenter.pipeline.encode.base import Column, Row
from airflow_provider_contactcenter.pipeline.encode.types import NOT_TEXT, as_json, fits, misfit


class JsonLinesEncoder:
    """Writes texts as strings; declared numbers and booleans become those, and their empty values null."""

    def __init__(self, columns: Sequence[Column]) -> None:
        import msgspec

        self._raw = msgspec.Raw
        self._encode = msgspec.json.Encoder().encode_lines
        self._names = [column.name for column in columns]
        self._typed = [(at, column) for at, column in enumerate(columns) if column.type != "string"]

    def rows(self, rows: Sequence[Row], before: int) -> bytes:
        """The lines of some rows."""
        names = self._names
        objects = [dict(zip(names, row, strict=True)) for row in rows]
        for at, column in self._typed:
            for number, made in enumerate(objects, before + 1):
                text = rows[number - before - 1][at]
                if text and not fits(column.type, text):
                    raise misfit(column.source, column.type, text, number)
                if not text:
                    made[column.name] = None
                elif column.type.startswith(NOT_TEXT):
                    made[column.name] = self._raw(as_json(column.type, text))  # type: ignore[assignment]
        return self._encode(objects)

    def finish(self) -> bytes:
        """Nothing: a line ends with itself."""
        return b""
