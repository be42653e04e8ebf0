"""What reshaping shares whatever a report comes as: names, columns, and a failure that stays one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline.encode.base import Column, Encoder
from airflow_provider_contactcenter.pipeline.encode.csv import CsvEncoder
from airflow_provider_contactcenter.pipeline.encode.json_lines import JsonLinesEncoder
from airflow_provider_contactcenter.pipeline.encode.parquet import ParquetEncoder
from airflow_provider_contactcenter.pipeline.reshape.hashing import Hasher
from airflow_provider_contactcenter.shapes import Shape, collision, parts, shown, snake

#: what was done to a hashed column
HASHED = "hmac-sha256"


def named_paths(shape: Shape) -> list[Any]:
    """Every column or path that a shape names."""
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
        self._named = {parts(path)[0] for path in named_paths(shape)}
        self._columns: list[Column] = []
        self._broken = False
        #: whether the report's names are known to be names: the first row of a CSV may be data, and is shown
        #: only where the shape names one of them
        self._named_there = True

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
                which = f"Column {name!r}" if self._named_there else "A column"
                cure = "rename by a dict" if name else "leave it out, by naming in select what is to land"
                raise ContactCenterShapeError(f"{which} has no name left with rename='snake': {cure}.")
            return made
        return rename.get(name, name) if isinstance(rename, dict) else name

    def _check_names(self) -> None:
        if (name := collision(column.name for column in self._columns)) is not None:
            same = [column for column in self._columns if column.name.casefold() == name.casefold()]
            shared = f"one name, {name!r}" if self._named_there else "one name"
            # Of two columns that have one name already, none can be named.
            told_apart = len({column.source for column in same}) == len(same)
            cure = "rename or drop one of them" if told_apart else "name in select what is to land"
            raise ContactCenterShapeError(
                f"Columns {' and '.join(map(self._called, same))} get {shared} (case counts for "
                f"nothing, as in most warehouses): {cure}."
            )

    def _called(self, column: Column) -> str:
        """A column's name in the report, or its place where that may be a value."""
        return repr(column.source) if self._named_there else str(column.at + 1)

    def _meet(self, names: Iterable[str]) -> None:
        """Heed ``on_new`` for columns that are seen for the first time."""
        new = [name for name in names if name not in self._named]
        if not new or self._shape["on_new"] == "ignore":
            return
        sentence = f"The report has columns that the shape doesn't name: {', '.join(map(repr, new))}"
        if not self._named_there:
            sentence = f"The report has {len(new)} columns, and the shape names none"
        if self._shape["on_new"] == "fail":
            raise ContactCenterShapeError(f"{sentence} (on_new='fail'): name them in select or drop.")
        self.caveats.append(f"{sentence}.")

    def _missing(self, path: Any, place: str, names: Iterable[str]) -> NoReturn:
        near = get_close_matches(str(path), list(names), n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        if not self._named_there:  # a value must not be shown
            meant = " Its first row, which names none of the shape's columns, isn't shown: is it a header?"
        raise ContactCenterShapeError(
            f"The shape names the column {shown(path)}, and {place}.{meant} Nothing lands: a renamed column "
            "would land as it is."
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
