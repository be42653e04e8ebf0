"""CSV that isn't quite CSV, JSON by both ways of reading it, and what is said of either."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter.pipeline import array
from airflow_provider_contactcenter.pipeline.array import JsonLines
from airflow_provider_contactcenter.pipeline.incomplete import Incomplete
from airflow_provider_contactcenter.pipeline.proof import Meter, meter_for
from airflow_provider_contactcenter.pipeline.proof import csv as proof


def csv_of(data: bytes, size: int = 7) -> Meter:
    meter = meter_for("csv")
    for at in range(0, len(data), size):
        meter.feed(data[at : at + size])
    return meter


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\r1,2\r3,4\r", 2),
        (b"a,b\r1,2\r3,4", 2),
        (b'a,b\r1,"x\ry"\r', 1),
        (b"a,b\r1,2\n3,4\n", None),  # mixed: nobody knows
        ("a,b\r\n1,2\r\n".encode("utf-16"), None),
        ("a,b\r\n1,2\r\n".encode("utf-32"), None),
        ("a,b\r\n1,2\r\n".encode("utf-16-le"), None),
        ("a,b\n1,2\n".encode("utf-16"), None),  # not even mixed line ends give it away
        ("a,b\n1,2\n".encode("utf-32"), None),
        ('a,b\n1,"x"\n'.encode("utf-16-be"), None),
        (b'a,b\n1,5" screen\n2,x\n', None),
        (b'a,b\n1,5" and 6" screens\n2,x\n', None),
        (b'a,b\n1,"T\\"WO"\n2,"x"\n', None),
        (b'a,b\n1, "x"\n', None),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_doubt_over_the_dialect_is_no_failure_and_no_claim(
    data: bytes, rows: int | None, size: int
) -> None:
    meter = csv_of(data, size)
    assert meter.finish(framed=True) is True
    assert meter.rows == rows
    assert len(meter.caveats) == (rows is None)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'a,b\n1,5"\n2,6"\n', None),  # as if "\n2,6" were one field
        (b'a,b\n5","x\n3,4\n', None),
        (b'a,b\n"x"y,1\n', None),
        (b'a,b\ny"x",1\n', None),
        (b'a,b\n1,"say ""hi"""\n"""",""\n', 2),
        (b'a,b\n1,5"" screen\n', 1),  # strange, and the parity is right
        (b'a;b\n"1";"x\n"\n', 1),
        (b'a\tb\r\n"1"\t"x"\r\n', 1),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_each_quoted_field_has_an_edge_at_either_side(data: bytes, rows: int | None, size: int) -> None:
    meter = csv_of(data, size)
    meter.finish(framed=True)
    assert meter.rows == rows


@given(
    st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a", "bc"]), max_size=40),
    st.integers(1, 9),
)
def test_what_is_said_of_any_csv_is_the_same_however_its_bytes_arrive(tokens: list[str], size: int) -> None:
    data = ("a,b\n1,2\n" + "".join(tokens) + "\n").encode()
    said = []
    for pieces in (size, len(data)):
        meter = csv_of(data, pieces)
        try:
            said.append((meter.finish(framed=True), meter.rows, meter.caveats))
        except Incomplete as error:
            said.append((None, None, [str(error)]))
    assert said[0] == said[1]


@pytest.mark.parametrize("text", [b"x", b'"a","b",', b'"', b'"a""b"', b"\r"])
@pytest.mark.parametrize("size", [1, 4096])
def test_a_csv_without_any_line_end_is_not_held_in_memory(
    text: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_LONGEST_HELD", 2000)
    meter = meter_for("csv")
    meter.feed(b"a,b\n")
    data = text * (40_000 // len(text))
    most = 0
    for at in range(0, len(data), size):
        meter.feed(data[at : at + size])
        most = max(most, meter._size)  # type: ignore[attr-defined]
    assert most <= 2000 + size


def test_a_quote_that_is_never_closed_over_many_lines_proves_nothing_and_fails_nothing() -> None:
    meter = csv_of(b'a,b\n1,"inch\n2,x\n3,y\n')
    assert meter.finish(framed=True) is None
    assert meter.rows is None
    assert "inside a quoted field" in meter.caveats[0]


def test_the_names_of_columns_are_those_of_the_header() -> None:
    for data, names in (
        (b'\xef\xbb\xbf"Agent, name";b\r\n1;2\r\n', ("Agent, name", "b")),
        (b'a,"b\nc"\n1,2\n', ("a", "b\nc")),
        ("é\tb\r1\t2\r".encode(), ("é", "b")),
        (b"a,b\xff\n", None),
    ):
        meter = csv_of(data)
        meter.finish(framed=True)
        assert meter.columns == names


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b"Report not found", "text/plain"), (b"The report isn't ready yet.\n", "text/csv")],
)
def test_a_sentence_is_no_csv(data: bytes, content_type: str) -> None:
    with pytest.raises(Incomplete, match="is a sentence"):
        csv_of(data).finish(framed=True, content_type=content_type)


@pytest.mark.parametrize("data", [b"Unauthorized", b"Sorry, try later.", b"Agent name\n"])
def test_what_may_be_a_message_is_not_proved(data: bytes) -> None:
    meter = csv_of(data)
    assert meter.finish(framed=True, content_type="text/csv") is None
    assert meter.caveats


@pytest.mark.parametrize("data", [b"a,b\n", b"In Hours?,Avg.\n", b"name\nEve\n"])
def test_a_header_alone_is_an_empty_report(data: bytes) -> None:
    assert csv_of(data).finish(framed=True, content_type="text/plain") is True


def test_an_object_without_rows_whose_total_is_none_is_an_empty_report() -> None:
    for data in (b'{"total": 0, "entries": null}', b'{"entries":null,"total":"0"}'):
        meter = meter_for("json")
        meter.feed(data)
        assert meter.finish(framed=True) is True
        lines = JsonLines()
        assert lines.feed(data) + lines.finish() == b""
        assert (meter.rows, lines.rows) == (0, 0)
    meter = meter_for("json")
    meter.feed(b'{"total": 3, "entries": null}')
    with pytest.raises(Incomplete, match="its total says 3 rows"):
        meter.finish(framed=True)


@pytest.mark.parametrize("file_format", ["jsonl", "json_bulk"])
@pytest.mark.parametrize("value", [b"NaN", b"-Infinity"])
def test_what_json_does_not_have_is_refused_in_lines_too(file_format: str, value: bytes) -> None:
    data = b'{"a":"NaN"}\n{"a":' + value + b'}\n{"a":1}\n'
    for size in (1, 5, 100):
        meter = meter_for(file_format)
        for at in range(0, len(data), size):
            meter.feed(data[at : at + size])
        with pytest.raises(Incomplete, match="line 2 is not JSON"):
            meter.finish(framed=True)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.text(st.sampled_from('},{[]":\\'), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
rows_ = st.lists(
    st.dictionaries(st.text(st.sampled_from('ab},{"'), max_size=3), values, max_size=4) | values, max_size=30
)


def read(data: bytes, sizes: int, *, leaps: bool) -> tuple[bytes, int | None, str]:
    lines, meter = JsonLines(), meter_for("json")
    least = array._LEAP_LEAST
    array._LEAP_LEAST = 1 if leaps else 1 << 40
    made, said = [], ""
    try:
        for at in range(0, len(data), sizes):
            made.append(lines.feed(data[at : at + sizes]))
            meter.feed(data[at : at + sizes])
        try:
            made.append(lines.finish())
        except Incomplete as error:
            said = str(error)
        try:
            meter.finish(framed=True)
        except Incomplete as error:
            assert said == str(error)
    finally:
        array._LEAP_LEAST = least
    assert (meter.rows or 0) == lines.rows
    return b"".join(made), meter.rows, said


@given(
    rows_,
    st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 2}, {"ensure_ascii": False}]),
    st.integers(1, 200),
    st.sampled_from(["", "}", "{", ",", '"', "\\ud800", "NaN", "01", "x"]),
    st.integers(0, 10**6),
)
@settings(max_examples=200, deadline=None)
def test_leaping_gives_the_bytes_and_the_verdict_of_reading_row_by_row(
    rows: list[object], layout: dict[str, object], size: int, harm: str, where: int
) -> None:
    text = json.dumps({"entries": rows, "total": len(rows)}, **layout)
    at = where % (len(text) + 1)
    data = (text[:at] + harm + text[at:]).encode("utf-8", "surrogatepass")
    slow = read(data, size, leaps=False)
    fast = read(data, size, leaps=True)
    assert fast[0] == slow[0]
    assert fast[1:] == slow[1:]
