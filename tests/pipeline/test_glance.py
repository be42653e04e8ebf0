"""What is seen of CSV at a glance: the same by numpy and without it, and never more than is sure."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator

import numpy
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_contactcenter.pipeline import glance, rows
from airflow_provider_contactcenter.pipeline.glance import Glance

ANY = b",;\t|\r\n"
EDGES = {"proof": (ANY, ANY), "shape": rows.EDGES}
#: bytes among which every way to be awkward is near
BLOCKS = st.lists(
    st.sampled_from([b'"', b'""', b",", b";", b"\n", b"\r\n", b"\r", b"a", b"x y"]), max_size=16
)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was found out about numpy."""
    glance._loaded.cache_clear()
    yield
    glance._loaded.cache_clear()


@pytest.mark.parametrize("edges", EDGES.values(), ids=EDGES)
@given(block=BLOCKS.map(b"".join))
@example(block=b'"')
@example(block=b'"a","b"')
@example(block=b'a""b\n')
@example(block=b'"a"b\n')
@example(block=b'a"b"\n')
@example(block=b'"a\r"\r\n')
def test_both_ways_see_the_same(edges: tuple[bytes, bytes], block: bytes) -> None:
    look = Glance(*edges)
    assert look._by_numpy(numpy, block) == look._by_expression(block)


@given(block=BLOCKS.map(b"".join))
def test_what_is_seen_is_what_the_csv_module_reads(block: bytes) -> None:
    block += b"\n"
    if (seen := Glance(*rows.EDGES)._by_numpy(numpy, block)) is not None:
        read = csv.reader(io.StringIO(block.decode(), newline=""), strict=True)
        assert len(list(read)) == seen


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b'5" screen,1\n', "a quote within a field"),
        (b'"a\nb', "a field that is still open"),
        (b'"said \\"hi\\"",1\n', "quotes behind backslashes"),
        (b"a,b\rc,d\n", "a carriage return alone"),
        (b'"a" ,b\n', "a blank behind a quoted field"),
    ],
)
def test_what_takes_a_closer_look_is_left_to_who_asks(block: bytes, why: str) -> None:
    look = Glance(ANY, ANY)
    assert look._by_numpy(numpy, block) is None, why
    assert look._by_expression(block) is None, why


def test_quotes_are_counted_with_numpy_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    block = b'a,"b ""c""",d\n' * 3
    assert glance.quotes(block) == 18
    monkeypatch.delitem(sys.modules, "numpy")
    assert glance.quotes(block) == 18


@pytest.mark.usefixtures("forgotten")
def test_numpy_is_not_imported_for_a_short_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numpy")
    look = Glance(ANY, ANY)
    assert look(b"a,b\n" * 1000) == 1000
    assert "numpy" not in sys.modules


@pytest.mark.usefixtures("forgotten")
def test_a_long_file_is_counted_without_numpy_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "_WORTH_AN_IMPORT", 1)
    monkeypatch.setitem(sys.modules, "numpy", None)  # as where it is not installed
    assert Glance(ANY, ANY)(b'a,"b\n"\n' * 3) == 3
