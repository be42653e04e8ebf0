from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
from datetime import UTC, datetime

import pytest

from airflow_provider_contactcenter.sandbox import data

START, END = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize("kind", data.KINDS)
def test_every_kind_of_column_is_the_same_for_the_same_key(kind: str) -> None:
    first, again, other = (
        list(data.rows(key, {"x": kind}, 50, START, END, "Europe/Berlin")) for key in ("a", "a", "b")
    )
    assert first == again
    if kind not in ("index", "notes", "null"):
        assert first != other


def test_nullable_columns_are_null_now_and_then() -> None:
    values = [row["x"] for row in data.rows("a", {"x": "id?"}, 500, START, END)]
    assert 10 < values.count(None) < 150


def test_times_lie_in_the_window_in_order() -> None:
    times = [row["x"] for row in data.rows("a", {"x": "milliseconds"}, 500, START, END)]
    assert times == sorted(times)
    assert times[0] >= START.timestamp() * 1000
    assert times[-1] < END.timestamp() * 1000


def test_notes_hold_everything_that_breaks_naive_readers() -> None:
    notes = [row["x"] or "" for row in data.rows("a", {"x": "notes"}, len(data.AWKWARD), START, END)]
    for piece in (",", '"', "\n", "\r\n", "😀", "\N{LINE SEPARATOR}"):
        assert any(piece in note for note in notes)
    assert any(note.startswith("=") for note in notes)
    text = b"".join(data.csv_line([note]) for note in notes).decode()
    assert [row[0] if row else "" for row in csv.reader(io.StringIO(text, newline=""))] == notes


def test_chunks_are_any_slice_of_the_whole() -> None:
    content = data.Content(((b"head", 1), (b"0123456789", 3), (b"tail", 1)))
    whole = b"head" + b"0123456789" * 3 + b"tail"
    assert content.length == len(whole)
    assert content.sha256 == hashlib.sha256(whole).hexdigest()
    for start in range(len(whole) + 1):
        for stop in range(start, len(whole) + 1):
            assert b"".join(content.chunks(start, stop)) == whole[start:stop]


def test_a_gigabyte_takes_a_few_megabytes_of_memory() -> None:
    tracemalloc.start()
    try:
        rows = [data.json_line(row) for row in data.rows("a", {"x": "notes", "y": "uuid"}, 2000, START, END)]
        content = data.fill(rows, data.Layout(b"[", b",", b"]"), 0, 1 << 30, "application/json", "json")
        written = sum(len(chunk) for chunk in content.chunks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written == content.length
    assert 0 <= written - (1 << 30) < 200
    assert peak < 16 << 20


def test_writes_are_bounded_however_large_a_piece_is() -> None:
    content = data.content_of(b"x" * (3 * data.CHUNK + 1))
    assert [len(chunk) for chunk in content.chunks()] == [data.CHUNK] * 3 + [1]
