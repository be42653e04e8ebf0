"""The files of 8x8's Contact Center reports: csv and xlsx.

Sources: *seed* is the summary guide (no cap, the first row names the columns); *guide* is the page on script
paths (their columns).

Invented, because no document says so: how csv is quoted and ends its lines; that total rows stand in files
too; the sheet of an xlsx; how lists and objects of a detailed report become cells; the numbers of script
paths.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from .. import data
from ..data import Content, Layout
from . import detailed
from .detailed import DetailedPlan
from .rows import MOST_ROWS, Plan, table
from .tables import label

CSV, XLSX = "csv", "xlsx"

CSV_HEADERS: Mapping[str, Callable[[str], str]] = {"label": label, "key": lambda key: key}


class Style(NamedTuple):
    """How a csv file is written."""

    header: str
    line_end: str
    bom: bool

    def layout(self, names: Iterable[str]) -> Layout:
        """A file with this head."""
        bom = b"\xef\xbb\xbf" if self.bom else b""
        return Layout(head=bom + data.csv_line(map(CSV_HEADERS[self.header], names), self.line_end))


def summary_csv(plan: Plan, style: Style, size: int | None) -> Content:
    """A summary report as csv: of any length, without a cap (seed)."""
    found = table(plan)
    lines = [data.csv_line(line.cells, style.line_end) for line in found.lines]
    return _file(lines, style.layout(found.keys), found.elements, size)


def detailed_csv(plan: DetailedPlan, style: Style, size: int | None) -> Content:
    """A detailed report as csv."""
    templates = [
        detailed.template(data.csv_line(map(_cell, unit.values()), style.line_end).decode())
        for unit in detailed.units(plan)
    ]
    clock = detailed.clock(plan.timezone)
    lines = [
        detailed.filled(templates[index % len(templates)], clock, plan.at(index), index)
        for index in range(min(plan.count, MOST_ROWS))
    ]
    return _file(lines, style.layout(_columns(plan)), plan.count, size)


def script_paths_csv(count: int, style: Style, size: int | None) -> Content:
    """Paths through scripts: columns as the v8 guide lists them, whatever the style says about headers."""
    lines = [data.csv_line(_path(index), style.line_end) for index in range(min(count, MOST_ROWS))]
    return _file(lines, style._replace(header="key").layout(SCRIPT_PATH_COLUMNS), count, size)


SCRIPT_PATH_COLUMNS = (
    "Path ID",
    "Parent Path ID",
    "Script ID",
    "Script Name",
    "Node Type",
    "Node Label",
    "Depth",
    "Count",
    "Terminal",
)


def _path(index: int) -> tuple[Any, ...]:
    depth = index % 5
    return (
        f"path-{index}",
        f"path-{index - 1}" if depth else None,
        f"{501 + index // 5}",
        data.QUEUES[index // 5 % len(data.QUEUES)],
        ("Entry", "Menu", "Say", "ForwardToQueue", "HangUp")[depth],
        data.AWKWARD[index % len(data.AWKWARD)],
        depth,
        1_000 // (depth + 1),
        depth == 4,
    )


def _file(lines: Sequence[bytes], layout: Layout, count: int, size: int | None) -> Content:
    if not lines:
        return Content(((layout.head, 1),), "text/csv", CSV, 0)
    return data.fill(lines, layout, count, size, "text/csv", CSV)


def _columns(plan: DetailedPlan) -> list[str]:
    return [*plan.metrics, *(["participants"] if plan.participants else [])]


def _cell(value: Any) -> Any:
    """A detailed value as one cell of a file."""
    if isinstance(value, dict):
        return value["value"]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value


@lru_cache(maxsize=4)
def summary_xlsx(plan: Plan, header: str) -> Content:
    """A summary report as xlsx."""
    found = table(plan)
    rows = (found.lines[index % len(found.lines)].cells for index in range(found.elements))
    return _workbook(map(CSV_HEADERS[header], found.keys), rows, found.elements)


@lru_cache(maxsize=4)
def detailed_xlsx(plan: DetailedPlan, header: str) -> Content:
    """A detailed report as xlsx."""
    units, clock = detailed.units(plan), detailed.clock(plan.timezone)

    def written(value: Any, index: int) -> Any:
        cell = _cell(value)
        if not isinstance(cell, str | list):
            return cell
        text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
        return detailed.filled(detailed.template(text), clock, plan.at(index), index).decode()

    rows = (
        [written(value, index) for value in units[index % len(units)].values()] for index in range(plan.count)
    )
    return _workbook(map(CSV_HEADERS[header], _columns(plan)), rows, plan.count)


#: the first instant that a zip archive can name
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def _workbook(head: Iterable[str], rows: Iterable[Sequence[Any]], count: int) -> Content:
    """A real xlsx, the same bytes for the same rows."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Report")

    def literal(value: Any) -> Any:
        if not (isinstance(value, str) and value.startswith("=")):
            return value
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"  # text, not a formula
        return cell

    sheet.append(list(head))
    for row in rows:
        sheet.append([literal(value) for value in row])
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)
    raw = io.BytesIO()
    book.save(raw)
    return Content(((_without_times(raw), 1),), "text/xlsx", XLSX, count)


def _without_times(raw: io.BytesIO) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(raw) as given, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as written:
        for name in given.namelist():
            body = given.read(name)
            if name == "docProps/core.xml":  # openpyxl writes the time of saving
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", body)
            written.writestr(zipfile.ZipInfo(name, _NO_TIME), body, zipfile.ZIP_DEFLATED)
    return result.getvalue()
