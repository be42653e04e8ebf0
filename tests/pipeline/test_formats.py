"""Formats: rows counted and completeness proved while bytes pass through, whatever the chunks are."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tracemalloc
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter.pipeline.array import JsonLines
from airflow_provider_contactcenter.pipeline.compression import Gzip
from airflow_provider_contactcenter.pipeline.formats import content_type
from airflow_provider_contactcenter.pipeline.incomplete import Incomplete
from airflow_provider_contactcenter.pipeline.proof import Meter, meter_for

FORMATS = ("csv", "xlsx", "json", "jsonl", "json_bulk")


def chunks(data: bytes, seed: int | None = None, size: int | None = None) -> list[bytes]:
    """The data in chunks: of random sizes (some empty), of one size, or in one piece."""
    if size:
        return [data[i : i + size] for i in range(0, len(data), size)]
    if seed is None:
        return [data]
    rng, pieces = random.Random(seed), []
    while data:
        length = rng.choice([0, 1, 1, 2, 3, 5, 17, 100])
        pieces.append(data[:length])
        data = data[length:]
    return pieces


def measured(file_format: str, data: bytes, seed: int | None = None, **options: Any) -> Meter:
    meter = meter_for(file_format, **options)
    for chunk in chunks(data, seed):
        meter.feed(chunk)
    return meter


def verdict(file_format: str, data: bytes, framed: bool = True, seed: int | None = None) -> bool | str | None:
    """True, None, or the sentence of what is missing."""
    try:
        return measured(file_format, data, seed).finish(framed=framed)
    except Incomplete as error:
        return str(error)


def rows_of(file_format: str, data: bytes, seed: int | None = None) -> int | None:
    meter = measured(file_format, data, seed)
    assert meter.finish(framed=True) is True
    return meter.rows


def jsonl(data: bytes, seed: int | None = None, **options: Any) -> bytes:
    lines = JsonLines(**options)
    return b"".join(lines.feed(chunk) for chunk in chunks(data, seed)) + lines.finish()


seeds = st.integers(0, 2**32)


# --- CSV ----------------------------------------------------------------------------------------------------

cells = st.one_of(
    st.text(st.sampled_from(list('a,"\r\n é🙂')), max_size=8),
    st.sampled_from(["", '"', '""', "\n\n", "\r\n\r\n"]),
)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12)
)


@given(
    tables,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.booleans(),
    seeds,
)
@settings(max_examples=400)
def test_csv_rows_are_those_of_the_csv_module_however_chunked(
    table: list[list[str]], line_end: str, quoting: Any, encoding: str, last_line_end: bool, seed: int
) -> None:
    if quoting == csv.QUOTE_MINIMAL and line_end == "\n":  # then Python < 3.13 doesn't quote a CR
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows(table)
    written = text.getvalue() if last_line_end else text.getvalue().removesuffix(line_end)
    assert len(list(csv.reader(io.StringIO(written, newline="")))) == len(table)
    meter = measured("csv", written.encode(encoding), seed)
    # A single name without rows might be a message as well.
    assert meter.finish(framed=True) is (None if len(table) == len(table[0]) == 1 else True)
    assert meter.rows == len(table) - 1


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"\xef\xbb\xbf", 0),
        (b"a,b", 0),
        (b"a,b\n", 0),
        (b"a,b\n1,2", 1),
        (b"a,b\r\n1,2\r\n", 1),
        (b"\xef\xbb\xbf\na,b\n1,2\n", 1),
        (b"\r\n\na,b\n1,2\n", 1),
        (b"a,b\n1,2\n\n\r\n\n", 1),
        (b"a,b\n1,2\r\n\r", 1),
        (b"\n\n", 0),
        (b'a,b\n1,"x\n\ny"\n', 1),
        (b'a,b\n1,"x\ry"\n', 1),
        (b'a,b\n1,"x\n\n"\n\n', 1),
        (b'a,b\n1,"he said ""no\n"""\n2,""\n', 2),
        (b'"a\nb",c\n1,2\n', 1),
        (b'a\n""\n\n1\n', 3),
        (b"a,b\n1,2" + b"\n" * 600, 1),
        (b"a,b\r\n1,2" + b"\r\n" * 300, 1),
        (b"a,b\r1,2" + b"\r" * 600, 1),
        (b"a\n" + b"\n" * 600 + b"1\n", 601),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_csv_rows_at_the_edges(data: bytes, rows: int, size: int) -> None:
    meter = meter_for("csv")
    for chunk in chunks(data, size=size):
        meter.feed(chunk)
    # The header proves that this is the file; without one, nothing does.
    assert meter.finish(framed=True) is (True if data.strip(b"\xef\xbb\xbf\r\n") else None)
    assert meter.rows == rows


@pytest.mark.parametrize("data", [b"PK\3\4rest\n", b"\x1f\x8b\x08rest\n"])
@pytest.mark.parametrize("framed", [True, False])
def test_what_is_packed_is_no_csv(data: bytes, framed: bool) -> None:
    assert "is packed (a workbook, zip or gzip), not CSV" in str(verdict("csv", data, framed))


@pytest.mark.parametrize("framed", [True, False])
def test_csv_that_ends_inside_quotes_is_incomplete_even_if_framed(framed: bool) -> None:
    said = verdict("csv", b'a,b\n1,2\n3,"x\n', framed)
    assert said == "the CSV ends inside a quoted field after 1 row"
    assert verdict("csv", b'a,b\n1,2\n3,"x\n\n\n', framed) == said


def test_csv_without_length_must_end_on_a_line_end_and_then_is_unproved() -> None:
    assert verdict("csv", b"a,b\n1,2\n", framed=False) is None
    assert verdict("csv", b"", framed=False) is None
    said = verdict("csv", b"a,b\n1,2\n3", framed=False)
    assert isinstance(said, str)
    assert said.startswith("the CSV ends in the middle of a line after 1 row,")
    assert isinstance(verdict("csv", b"a,b\r\n1,2\r", framed=False), str)  # cut inside CRLF


def test_csv_cut_at_any_byte_never_passes_for_proved_without_a_length() -> None:
    data = b'\xef\xbb\xbfa,b\r\n1,"x ""y""\r\nz"\r\n2,\r\n'
    for end in range(len(data)):
        expected = data[:end].endswith(b"\n") and data[:end].count(b'"') % 2 == 0
        said = verdict("csv", data[:end], framed=False, seed=end)
        nothing_yet = end <= 3  # as little as an empty body
        assert said is None if expected or nothing_yet else isinstance(said, str), data[:end]


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html>\n<html>",
        b"\n <HTML><body>no",
        b"<?xml version='1.0'?><Error/>",
        b"<error>\n<message>no",
    ],
)
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_web_page_is_no_report_and_is_quoted(file_format: str, page: bytes) -> None:
    said = verdict(file_format, page + b"x" * 500, seed=1)
    assert isinstance(said, str)
    assert page.strip()[:5].decode() in said
    assert len(said) < 200
    assert "\n" not in said


# --- JSON ---------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.text(st.sampled_from(list('"\\{}[],: \n\té🙂\u2028')), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
layouts = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 2}, {"separators": (" , ", " : ")}, {"ensure_ascii": False}]
)


def dumped(document: Any, layout: dict[str, Any]) -> bytes:
    return json.dumps(document, **layout).encode()


@given(st.lists(values, max_size=8), layouts, st.sampled_from(["top", "before", "after"]), seeds)
@settings(max_examples=400, deadline=None)
def test_json_and_jsonl_hold_the_rows_of_the_document_however_chunked(
    rows: list[Any], layout: dict[str, Any], shape: str, seed: int
) -> None:
    document = {
        "top": rows,
        "before": {"total": len(rows), "type": "calls", "more": {"entries": [1]}, "entries": rows},
        "after": {"version": "v1", "entries": rows, "total": len(rows), "_links": [{"total": -1}]},
    }[shape]
    data = dumped(document, layout)
    meter = measured("json", data, seed)
    assert meter.finish(framed=False) is True
    assert (meter.rows, meter.vendor_total) == (len(rows), None if shape == "top" else len(rows))

    lines = JsonLines()
    out = b"".join(map(lines.feed, chunks(data, seed))) + lines.finish()
    assert (lines.rows, lines.vendor_total) == (meter.rows, meter.vendor_total)
    ascii_only = layout.get("ensure_ascii", True)
    expected = [json.dumps(row, ensure_ascii=ascii_only, separators=(",", ":")) + "\n" for row in rows]
    assert out.decode() == "".join(expected)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_jsonl_keeps_every_value_as_written(seed: int | None) -> None:
    rows = [
        '{"n":[0.1234567890123456789012,1.6087963E-6,12345678901234567890123,-0,-0.0,1e400,1E+2]}',
        '{"lone":"\\ud800","pair":"\\ud83d\\ude42","plain":"\U0001f642 é","tab":"\\t","u":"\\u00e9\\/"}',
        '{"z":1,"a":2,"z":3}',
        '{"quote":"\\" , {\\\\","b":true,"c":null,"deep":[[],{},[{"x":[]}]]}',
        "[]",
        '"text, with: [marks]"',
        "12",
        "null",
    ]
    document = '{"entries" : [ ' + " ,\n".join(rows) + ' ] , "total" : 8 }'
    out = jsonl(document.encode(), seed)
    assert out.decode() == "\n".join(rows) + "\n"
    assert json.loads(out.split(b"\n")[0], parse_float=Decimal)["n"][0] == Decimal("0.1234567890123456789012")


def test_jsonl_of_an_object_whose_keys_are_data_has_a_line_for_each_member() -> None:
    data = b'{"001": {"calls": 3}, "0\\u0032":[1, 2], "total": 9, "entries": [1]}'
    expected = b'{"key":"001","value":{"calls":3}}\n{"key":"0\\u0032","value":[1,2]}\n'
    expected += b'{"key":"total","value":9}\n{"key":"entries","value":[1]}\n'
    for seed in range(5):
        assert jsonl(data, seed, rows_at=None) == expected
    assert jsonl(b"{}", rows_at=None) == b""
    assert jsonl(b"[]", rows_at=None) == b""
    assert jsonl(b'[{"a": 1}]', rows_at=None) == b'{"a":1}\n'


def test_json_rows_may_be_at_another_member() -> None:
    data = b'{"items":[1,2],"entries":[1],"total":2}'
    assert jsonl(data, rows_at="items") == b"1\n2\n"
    meter = measured("json", data, rows_at="items")
    assert meter.finish(framed=True) is True
    assert meter.rows == 2


@pytest.mark.parametrize(
    "data", [b"{}", b'{"a":{"entries":[1]}}', b'{"entries":null}', b'{"total":1.5,"x":[]}']
)
def test_json_object_without_rows_is_kept_with_rows_unknown_but_gives_no_lines(data: bytes) -> None:
    assert rows_of("json", data) is None
    with pytest.raises(Incomplete, match='no array "entries"'):
        jsonl(data)


def test_json_with_opaque_keys_has_no_total() -> None:
    meter = measured("json", b'{"total": 3, "agents": 1}', rows_at=None)
    assert meter.finish(framed=True) is True
    assert (meter.rows, meter.vendor_total) == (None, None)


def test_json_with_opaque_keys_and_none_of_them_has_no_rows() -> None:
    meter = measured("json", b" { } ", rows_at=None)
    assert meter.finish(framed=True) is True
    assert meter.rows == 0


@pytest.mark.parametrize(
    "data",
    [
        b'{"total":12345,"entries":[1,2]}',
        b'{"entries":[1,2],"total":12345}',
        b'{"entries":[1,2],"total":"12345"}',
    ],
)
def test_json_total_must_equal_the_rows(data: bytes) -> None:
    sentence = "the vendor's total says 12345 rows, the document holds 2"
    assert verdict("json", data) == verdict("json_bulk", data) == sentence
    with pytest.raises(Incomplete, match=sentence):
        jsonl(data)


def test_json_total_without_rows_is_named() -> None:
    said = verdict("json", b'{"total":3,"rows":[]}')
    assert said == (
        'the JSON document has no array "entries", though its total says 3 rows:'
        ' it starts with "{"total":3,"rows":[]}"'
    )


@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize(
    "document",
    [
        '{"entries":[{"a":"é🙂\\u00e9","b":[1,{"c":-1.5e+3}]},{"d":[true,false,null]}, 12],"total":3} \n',
        '[{"a":"\\"}"} , 1 ]',
        '{"001":{"calls":3},"x":true}',
    ],
)
def test_json_cut_at_any_byte_is_incomplete(document: str, framed: bool) -> None:
    data = document.encode()
    whole = len(data.rstrip())
    for end in range(len(data) + 1):
        said = verdict("json", data[:end], framed, seed=end)
        if end >= whole:
            assert said is True
        else:
            assert isinstance(said, str)
            assert "breaks off" in said or not end
        for rows_at in ("entries", None):
            if end < whole:
                with pytest.raises(Incomplete):
                    jsonl(data[:end], end, rows_at=rows_at)


@pytest.mark.parametrize(
    "data",
    [
        b"12", b'"text"', b"null", b"  ", b"[1][2]", b"[1] x", b"[1]]", b"[1,]", b"[,1]", b"[1 2]", b"[01]",
        b"[1.]", b"[+1]", b"[NaN]", b"[-Infinity]", b"['a']", b'["a\nb"]', b'["\\x"]', b"[tru]", b'{"a" 1}',
        b'{"a":}', b'{"a":1,}',
        b"{1:2}", b'{"a":1 "b":2}', b'{,"a":1}', b'["\xff"]', b'[1]\xc3', b"[1}", b'{"a":1]', b"[1]\0",
        b"[" * 100_000,
        b'{"entries":[1,' + b" " * 50 + b"]}", b'{"entries":[{"a":1,' + b" " * 50 + b'}],"total":1}',
    ],
)  # fmt: skip
def test_json_that_is_not_one_valid_document_is_incomplete(data: bytes) -> None:
    for seed in (None, 1, 2):
        for framed in (True, False):
            said = verdict("json", data, framed, seed)
            assert isinstance(said, str), data
            assert len(said) < 300
        with pytest.raises(Incomplete):
            jsonl(data, seed)


def test_json_error_shows_the_start_of_the_document_however_chunked() -> None:
    data = b'Error: "no such\tfolder"\r\n' + b"x" * 500
    said = verdict("json", data)
    assert isinstance(said, str)
    assert 'it starts with "Error: "no such folder" xxx' in said
    assert verdict("json", data, seed=3) == said


def test_json_may_start_with_a_byte_order_mark_which_jsonl_drops() -> None:
    data = b"\xef\xbb\xbf" + b'[{"a":"\xef\xbb\xbf"}]'
    for seed in (None, 1, 2):
        assert rows_of("json", data, seed) == 1
        assert jsonl(data, seed) == b'{"a":"\xef\xbb\xbf"}\n'


def test_json_empty_body_is_incomplete() -> None:
    assert verdict("json", b"") == "the body is empty, which is not a JSON document"


@pytest.mark.parametrize("shape", [(b'{"entries":[', b"]}"), (b'{"other":{"deeper":[', b"]}}")])
def test_json_memory_does_not_grow_with_the_document(shape: tuple[bytes, bytes]) -> None:
    row = json.dumps({"name": "x" * 5000, "list": list(range(50))}).encode()
    chunk = (row + b",") * 50
    peaks = []
    for size in (8 << 20, 32 << 20):
        meter = meter_for("json")
        tracemalloc.start()
        meter.feed(shape[0])
        for _ in range(size // len(chunk)):
            meter.feed(chunk)
        meter.feed(row + shape[1])
        assert meter.finish(framed=False) is True
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < min(8 << 20, 1.2 * peaks[0])


def test_jsonl_memory_does_not_grow_with_members_that_are_no_rows() -> None:
    lines = JsonLines()
    tracemalloc.start()
    lines.feed(b'{"other":[')
    for _ in range(200):
        lines.feed(b'"' + b"x" * 100_000 + b'",')
    assert lines.feed(b'1],"entries":[{}]}') + lines.finish() == b"{}\n"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20


def test_json_row_longer_than_many_chunks_is_read_in_linear_time_and_whole() -> None:
    row = {"text": "y" * 3_000_000, "numbers": list(range(100_000))}
    data = json.dumps([row, row]).encode()
    lines = JsonLines()
    out = b"".join(lines.feed(chunk) for chunk in chunks(data, size=1000)) + lines.finish()
    assert [json.loads(line) for line in out.splitlines()] == [row, row]


# --- JSON lines and json_bulk -------------------------------------------------------------------------------


@given(st.lists(st.dictionaries(st.text(max_size=4), values, max_size=3), max_size=6), st.booleans(), seeds)
@settings(deadline=None)
def test_jsonl_rows_are_the_lines_that_are_not_blank(rows: list[Any], last_line_end: bool, seed: int) -> None:
    data = "\n\r\n".join(json.dumps(row) for row in rows).encode() + b"\n" * last_line_end
    assert rows_of("jsonl", data, seed) == len(rows)
    assert verdict("jsonl", data, framed=False, seed=seed) is None


@pytest.mark.parametrize("framed", [True, False])
def test_jsonl_cut_inside_a_line_is_incomplete(framed: bool) -> None:
    data = b'{"a":1}\n{"b":[2]}\n'
    for end in range(len(data) + 1):
        said = verdict("jsonl", data[:end], framed, seed=end)
        if data[:end].endswith((b"\n", b"]}", b"1}")) or not end:
            assert said is (True if framed else None)
        else:
            assert isinstance(said, str)
            assert said.startswith("the last line, after ")


def test_jsonl_line_of_any_length_is_counted() -> None:
    meter = meter_for("jsonl")
    for _ in range(6):
        meter.feed(b'"' + b"x" * (1 << 20))
    meter.feed(b"\n{}\n")
    assert meter.finish(framed=True) is True
    assert meter.rows == 2


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'{"entries":[{"a":1},{"a":2}],"total":2}', 2),
        (b'[{"a":1},{"a":2}]', 2),
        (b'{"a":1}\n{"a":2}\n', 2),
        (b'{"a":1}\n{"a":2}', 2),
        (b'{"total":5}\n{"total":6}\n', 2),
        (b'{"a":1}\n', None),  # a document or a line
        (b'{"total":5}', None),
        (b"[1]\n[2]\n", None),
        (b"a,b\n1,2\n", None),
        (b"PK\3\4\xff\xfe", None),
    ],
)
@pytest.mark.parametrize("seed", [None, 1])
def test_json_bulk_rows_only_where_they_are_certain(data: bytes, rows: int | None, seed: int | None) -> None:
    assert rows_of("json_bulk", data, seed) == rows
    proved = (data[:1] == b"[" and rows is not None) or b"entries" in data
    assert verdict("json_bulk", data, framed=False, seed=seed) is (True if proved else None)


def test_an_empty_json_bulk_is_proved_by_nothing() -> None:
    meter = meter_for("json_bulk")
    assert meter.finish(framed=True) is None
    assert (meter.rows, len(meter.caveats)) == (0, 1)


@pytest.mark.parametrize("data", [b'{"entries":[{"a":1},{"a"', b'[{"a":1}', b'{"a":1}\n{"a":', b'{"a":"'])
@pytest.mark.parametrize("framed", [True, False])
def test_json_bulk_that_breaks_off_is_incomplete(data: bytes, framed: bool) -> None:
    assert "breaks off" in str(verdict("json_bulk", data, framed, seed=2))


# --- XLSX ---------------------------------------------------------------------------------------------------


def workbook(comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<row/>" * 50)
        archive.comment = comment
    return file.getvalue()


@pytest.mark.parametrize("comment", [b"", b"made by a vendor", b"x" * 65535, b"PK\5\6" * 10])
def test_xlsx_is_proved_by_its_closing_directory(comment: bytes) -> None:
    data = workbook(comment)
    for seed in (None, 1):
        meter = measured("xlsx", data, seed)
        assert meter.finish(framed=False) is True
        assert meter.rows is None


@pytest.mark.parametrize("framed", [True, False])
def test_xlsx_cut_at_any_byte_is_incomplete(framed: bool) -> None:
    data = workbook(b"note")
    for end in range(len(data)):
        assert isinstance(verdict("xlsx", data[:end], framed), str)


def test_xlsx_with_a_hole_is_incomplete() -> None:
    data = workbook()
    assert "closing directory" in str(verdict("xlsx", data[:40] + data[60:]))


def test_xlsx_that_is_something_else_is_quoted() -> None:
    assert verdict("xlsx", b"a,b\n1,2\n") == 'the file is not an XLSX workbook: it starts with "a,b 1,2"'


# --- gzip ---------------------------------------------------------------------------------------------------


def gzipped(pieces: list[bytes]) -> bytes:
    packer = Gzip()
    return b"".join(packer.feed(piece) for piece in pieces) + packer.finish()


@given(st.binary(max_size=500), seeds)
def test_gzip_gives_the_same_bytes_however_chunked(data: bytes, seed: int) -> None:
    assert gzipped(chunks(data, seed)) == gzipped([data])
    assert gzip.decompress(gzipped([data])) == data


def test_gzip_of_much_data_gives_the_same_bytes_however_chunked() -> None:
    rng = random.Random(1)
    data = b"".join(b"row %d,%d\n" % (rng.randrange(10**6), i) for i in range(100_000))
    packed = gzipped([data])
    assert gzip.decompress(packed) == data
    assert packed[:8] == b"\x1f\x8b\x08\0\0\0\0\0"  # no time, no name
    for size in (1000, 65536, 131072, 131073, 1_000_000):
        assert gzipped(chunks(data, size=size)) == packed


# --- all ----------------------------------------------------------------------------------------------------


def test_feed_never_raises_so_that_a_broken_connection_is_told_first() -> None:
    for file_format in FORMATS:
        meter = measured(file_format, b"<html>\xff\0", seed=1)
        meter.feed(b"more")
        with pytest.raises(Incomplete):
            meter.finish(framed=True)


@pytest.mark.parametrize(
    ("file_format", "compression", "expected"),
    [
        ("csv", None, "text/csv"),
        ("json", None, "application/json"),
        ("jsonl", None, "application/x-ndjson"),
        ("json_bulk", None, "application/octet-stream"),
        ("xlsx", None, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("csv", "gzip", "application/gzip"),
    ],
)
def test_content_types(file_format: str, compression: str | None, expected: str) -> None:
    assert content_type(file_format, compression) == expected


def test_unknown_names_are_refused_with_what_is_allowed() -> None:
    sentence = r"file_format must be one of csv, xlsx, json, jsonl, json_bulk.*, not 'orc'"
    with pytest.raises(ValueError, match=sentence):
        meter_for("orc")
    with pytest.raises(ValueError, match=sentence):
        content_type("orc", None)
    with pytest.raises(ValueError, match="compression must be None or 'gzip', not 'zip'"):
        content_type("csv", "zip")
