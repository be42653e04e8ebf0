"""The docs page's shape, and what a loader reads of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from airflow_provider_contactcenter.pipeline.transform import transform

PAGE = (Path(__file__).parents[2] / "docs" / "shapes.md").read_text(encoding="utf-8")


def test_duckdb_reads_what_the_page_says(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(example, found)
    stage = transform(found["calls"], "csv", key=b"a key")
    made = stage.feed(
        b"Call Id,Agent,Queue,Started At,Talk Time,Caller\r\n1,Ann,q,2024-05-01T10:00:00Z,42,+491510000\r\n"
    )
    place = tmp_path / "calls.parquet"
    place.write_bytes(made + stage.finish())
    [query] = re.findall(r"`(select .*?)`", PAGE)
    assert duckdb.sql(query.replace("calls.parquet", str(place))).fetchall() == [(42,)]
    assert b"+491510000" not in str(duckdb.sql(f"select * from '{place}'").fetchall()).encode()
