"""CSV as RFC 4180 has it: a header, line feeds, and quotes only where they are needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_provider_contactcenter.pipeline.encode.base import Column, Row
from airflow_provider_contactcenter.pipeline.encode.types import fits, misfit

# A blank at an end is quoted, too: some loaders trim what isn't. So is a byte order mark: a file's first name
# would lose it.
_NEEDS_QUOTES = re.compile(r'[",\r\n]|^[\s\ufeff]|\s$')


def quoted(text: str) -> str:
    """A value as a field."""
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


class CsvEncoder:
    """Writes CSV in UTF-8; null and the empty text are both empty, as CSV has no other way."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._typed = [(at, column) for at, column in enumerate(columns) if column.type != "string"]
        # A line of nothing would be no record for many readers.
        self._alone = len(columns) == 1
        self._begun = self._line([column.name for column in columns]) if columns else ""

    def _line(self, row: Row) -> str:
        line = ",".join([quoted(text) if text else "" for text in row])
        return (line or '""') + "\n" if self._alone else line + "\n"

    def rows(self, rows: Sequence[Row], before: int) -> bytes:
        """The records of some rows."""
        for at, column in self._typed:
            for number, row in enumerate(rows, before + 1):
                if (text := row[at]) and not fits(column.type, text):
                    raise misfit(column.source, column.type, text, number)
        made = self._begun + "".join(map(self._line, rows))
        self._begun = ""
        return made.encode()

    def finish(self) -> bytes:
        """The header, if no row came."""
        return self.rows((), 0)
