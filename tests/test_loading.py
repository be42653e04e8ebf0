"""The recipes of docs/loading.md, run: what the page says is what a table holds."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from tests.sandboxes import connected
from tests.transfers.conftest import context

PAGE = (Path(__file__).parents[1] / "docs" / "loading.md").read_text(encoding="utf-8")
DAYS = [date(2024, 4, 30) + timedelta(days=number) for number in range(4)]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def recipes() -> Mapping[str, Any]:
    """The functions of the page."""
    found: dict[str, Any] = {}
    for code in blocks("python")[1:]:
        exec(code, found)
    return found


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with connected(monkeypatch, rows=40, options={"talkdesk": {"ladder": []}}) as sandbox:
        yield sandbox


def land(folder: Path, day: date, **values: Any) -> dict[str, Any]:
    """A day of calls and its manifest in a folder."""
    (folder / "manifests").mkdir(exist_ok=True)
    task = ContactCenterToFileOperator(
        task_id="calls",
        report=talkdesk_report("calls", start=f"{day}T00:00:00Z", end=f"{day + timedelta(days=1)}T00:00:00Z"),
        path=str(folder / f"{day}.csv"),
        manifest=str(folder / "manifests" / f"{day}.json"),
        deferrable=False,
        poll_interval=0.05,
        **values,
    )
    delivery: dict[str, Any] = task.execute(context())
    return delivery


def rows_of(path: Path) -> list[dict[str, str | None]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def loaded(lake: Any, names: list[str]) -> list[dict[str, str | None]]:
    chosen = ", ".join(f"nullif(\"{name}\", '')" for name in names)
    found = lake.execute(f"SELECT {chosen} FROM calls ORDER BY window_start, rowid").fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def key(row: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(value or "" for value in row.values())


def test_duckdb_holds_what_landed_also_after_a_correction(
    sandbox: Sandbox, tmp_path: Path, recipes: Mapping[str, Any]
) -> None:
    lake, load = duckdb.connect(), recipes["load"]

    def check() -> None:
        lying = [row for day in DAYS for row in rows_of(tmp_path / f"{day}.csv")]
        assert sorted(map(key, loaded(lake, list(lying[0])))) == sorted(map(key, lying))

    for day in DAYS:
        land(tmp_path, day)
    assert load(lake, "calls", tmp_path / "manifests") == len(DAYS)
    check()
    assert load(lake, "calls", tmp_path / "manifests") == 0

    # Two days later the vendor has one more row of the second day, and other times.
    before = rows_of(tmp_path / f"{DAYS[1]}.csv")
    sandbox.set_options("talkdesk", rows=41)
    land(tmp_path, DAYS[1])
    after = rows_of(tmp_path / f"{DAYS[1]}.csv")
    assert len(after) == len(before) + 1
    assert [row["start_at"] for row in after[1:40]] != [row["start_at"] for row in before[1:40]]
    assert load(lake, "calls", tmp_path / "manifests") == 1
    check()

    # And then none.
    sandbox.set_options("talkdesk", rows=0)
    land(tmp_path, DAYS[2])
    load(lake, "calls", tmp_path / "manifests")
    check()
    assert lake.execute("SELECT count(*) FROM calls").fetchone() == (40 + 41 + 0 + 40,)


def test_duckdb_takes_a_column_that_came(
    sandbox: Sandbox, tmp_path: Path, recipes: Mapping[str, Any]
) -> None:
    lake, load = duckdb.connect(), recipes["load"]
    land(tmp_path, DAYS[0], shape=shape(select=["call_id"]))
    load(lake, "calls", tmp_path / "manifests")
    land(tmp_path, DAYS[1], shape=shape(select=["call_id", "mood"]))
    load(lake, "calls", tmp_path / "manifests")
    found = lake.execute("SELECT count(call_id), count(sha256), count(mood) > 0 FROM calls").fetchone()
    assert found == (80, 80, True)


def test_duckdb_keeps_the_old_rows_where_the_object_is_not_the_manifests(
    sandbox: Sandbox, tmp_path: Path, recipes: Mapping[str, Any]
) -> None:
    lake, load = duckdb.connect(), recipes["load"]
    delivery = land(tmp_path, DAYS[0])
    load(lake, "calls", tmp_path / "manifests")
    manifest = tmp_path / "manifests" / f"{DAYS[0]}.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "rows": 41, "sha256": "another"}))
    with pytest.raises(ValueError, match="has 41 rows, and 40 were loaded"):
        load(lake, "calls", tmp_path / "manifests")
    assert lake.execute("SELECT DISTINCT sha256 FROM calls").fetchall() == [(delivery["sha256"],)]


def test_the_sql_of_the_page_is_what_a_manifest_makes(
    sandbox: Sandbox, tmp_path: Path, recipes: Mapping[str, Any]
) -> None:
    land(tmp_path, date(2024, 5, 1), shape=shape(select=["call_id", "start_at", "total_time"]))
    text = (tmp_path / "manifests" / "2024-05-01.json").read_text()

    def manifest(root: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(text.replace(f"file://{tmp_path}", root))
        return said

    root = "s3://lake/talkdesk/calls"
    uri = "s3://lake/talkdesk/manifests/calls/2024-05-01.json"
    assert blocks("sql") == [
        recipes["redshift"](manifest(root), uri, "calls"),
        recipes["snowflake"](manifest(root), "@lake/talkdesk/calls/", "calls"),
        recipes["bigquery"](manifest("gs://lake/talkdesk/calls"), "lake.calls"),
    ]
