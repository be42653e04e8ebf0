"""A report brought into a shape: every value survives, what must not land doesn't, and it fails closed."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterShapeError
from airflow_provider_contactcenter.pipeline import rows
from airflow_provider_contactcenter.pipeline.reshape.base import Transform
from airflow_provider_contactcenter.pipeline.reshape.hashing import Hasher, key_fingerprint
from airflow_provider_contactcenter.pipeline.transform import schema_fingerprint, transform
from airflow_provider_contactcenter.shapes import check_shape, shape, snake

KEY = b"sentinel-key-7f3a"
FORMATS = ("csv", "jsonl", "parquet")

NAMES = ["call.id", "in_hours?", "Agent Name", "notes", "amount", "big", "caller"]
ROWS = [
    [
        "00123",
        "True",
        "Müller, Jürgen",
        'he said "hi",\nthen left 🙂',
        "1.50",
        "9007199254740993",
        "+4915100001",
    ],
    ["", "", "", "", "", "", ""],
    ["-0", "1", '"', "\r\n", "1E+2", "18446744073709551617", "+4915100002"],
    ["0x1F", "yes", " blanks ", "a\rb", ".5", "340282366920938463463374607431768211456", "+4915100001"],
    ["NULL", "nan", "null", "N/A", "NaN", "2024-05-01", "2024-05-01T00:00:00"],
]


def awkward_csv(rows: list[list[str]] = ROWS, *, end: str = "\r\n", bom: bool = True) -> bytes:
    made = io.StringIO(newline="")
    # With a line feed alone as line end, csv leaves a carriage return within a field unquoted.
    writer = csv.writer(made, lineterminator=end, quoting=csv.QUOTE_ALL if end == "\n" else csv.QUOTE_MINIMAL)
    writer.writerows([NAMES, *rows])
    return ("\ufeff" * bom + made.getvalue()).encode()


LINES = [
    '{"call.id":"00123","n":1.50,"agent":{"name":"M\\u00fcller","phones":[{"no":"+4915100001","type":"x"}]},"ok":true}',
    '{"call.id":"","n":18446744073709551617,"agent":null,"ok":null}',
    '{"call.id":"a \\"b\\",\\nc \\ud83d\\ude42","n":-0,"agent":{"name":"","phones":[]},"ok":false}',
    '{"call.id":"x","n":1E+2,"agent":{"phones":[{"no":null},{"no":"+4915100002"},{}]},"ok":"yes"}',
]
JSONL = "".join(line + "\n" for line in LINES).encode()
#: what a text column holds of them
TEXTS = [
    ["00123", "1.50", '{"name":"M\\u00fcller","phones":[{"no":"+4915100001","type":"x"}]}', "true"],
    ["", "18446744073709551617", None, None],
    ['a "b",\nc 🙂', "-0", '{"name":"","phones":[]}', "false"],
    ["x", "1E+2", '{"phones":[{"no":null},{"no":"+4915100002"},{}]}', "yes"],
]


def shaped(
    data: bytes, source: str, *, cuts: list[int] | None = None, **parameters: Any
) -> tuple[Transform, bytes]:
    """A report through a stage, in pieces."""
    if "hash" in parameters:
        parameters.setdefault("hash_conn_id", "hash_key")
    stage = transform(shape(**parameters), source, key=KEY if "hash" in parameters else None)
    made, at = b"", 0
    for size in cuts or [7] * (len(data) // 7):
        made += stage.feed(data[at : at + size])
        at += size
    made += stage.feed(data[at:])
    return stage, made + stage.finish()


def read(file_format: str, made: bytes, tmp_path: Path) -> tuple[list[str], list[list[Any]]]:
    """Names and rows as a reader of the format sees them."""
    if file_format == "csv":
        names, *found = csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))
        return names, found
    if file_format == "jsonl":
        objects = [json.loads(line, parse_float=str, parse_int=str) for line in made.splitlines()]
        return list(objects[0]), [list(each.values()) for each in objects]
    place = tmp_path / "made.parquet"
    place.write_bytes(made)
    table = pq.read_table(pa.BufferReader(made))
    seen = [list(row.values()) for row in table.to_pylist()]
    in_duckdb = duckdb.sql(f"select * from read_parquet('{place}')")
    assert in_duckdb.columns == table.column_names
    assert [list(row) for row in in_duckdb.fetchall()] == seen
    return table.column_names, seen


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_every_value_of_an_awkward_csv_is_the_vendors_text(
    file_format: str, end: str, tmp_path: Path
) -> None:
    stage, made = shaped(awkward_csv(end=end), "csv", file_format=file_format)
    assert read(file_format, made, tmp_path) == (NAMES, ROWS)
    assert stage.rows == len(ROWS)
    assert stage.columns == [
        {"name": name, "type": "string", "from": name, "treatment": None} for name in NAMES
    ]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_every_value_of_awkward_json_is_the_vendors_text(file_format: str, tmp_path: Path) -> None:
    stage, made = shaped(JSONL, "jsonl", file_format=file_format)
    empty = "" if file_format == "csv" else None  # CSV has no null
    expected = [[empty if text is None else text for text in row] for row in TEXTS]
    assert read(file_format, made, tmp_path) == (["call.id", "n", "agent", "ok"], expected)
    assert stage.rows == len(LINES)


def test_json_lines_of_json_lines_stay_as_written() -> None:
    assert shaped(JSONL, "jsonl", file_format="jsonl")[1] == JSONL
    _, made = shaped(JSONL, "jsonl", drop=["ok"])
    for line, row in zip(made.splitlines(), LINES, strict=True):
        assert line.decode() + "\n" == row[: row.index(',"ok"')] + "}\n"


def test_csv_of_csv_is_byte_for_byte_what_is_not_touched() -> None:
    data = b'\xef\xbb\xbf"a",b,"c"\r\n"1",2,"x ""y"""\r\n,"","3,\n4"\n'
    assert shaped(data, "csv")[1] == data
    assert shaped(data, "csv", drop=["b"])[1] == b'\xef\xbb\xbf"a","c"\r\n"1","x ""y"""\r\n,"3,\n4"\n'
    assert shaped(data, "csv", select=["c", "a"], rename={"c": "x,y"})[1] == (
        b'\xef\xbb\xbf"x,y","a"\r\n"x ""y""","1"\r\n"3,\n4",\n'
    )


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "a\rb", "00123", "1.50", "🙂", "", " "]
)


@given(
    found=st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=12),
    dialect=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    sizes=st.lists(st.integers(1, 40), max_size=30),
    block=st.integers(1, 60),
    target=st.sampled_from(FORMATS),
)
@settings(max_examples=100, deadline=None)
@example([["", "", ""]], ("\r\n", csv.QUOTE_MINIMAL), [1, 1, 1], 1, "parquet")
def test_any_csv_in_any_pieces_keeps_its_values(
    found: list[list[str]], dialect: tuple[str, Any], sizes: list[int], block: int, target: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=dialect[0], quoting=dialect[1]).writerows([["a", "b", "c"], *found])
    stage = transform(shape(file_format=target, select=["c", "a"]), "csv")
    stage._blocks = rows.Blocks(rows.last_record, block)  # type: ignore[attr-defined]
    data, made = out.getvalue().encode(), b""
    for size in sizes:
        made += stage.feed(data[:size])
        data = data[size:]
    made += stage.feed(data) + stage.finish()
    expected = [[row[2], row[0]] for row in found]
    assert stage.rows == len(found)
    if target == "csv":
        assert list(csv.reader(io.StringIO(made.decode(), newline="")))[1:] == expected
    elif target == "jsonl":
        assert [list(json.loads(line).values()) for line in made.split(b"\n") if line] == expected
    else:
        assert [list(row.values()) for row in pq.read_table(pa.BufferReader(made)).to_pylist()] == expected


@given(
    sizes=st.lists(st.integers(1, 300), max_size=20),
    source=st.sampled_from(["csv", "jsonl"]),
    target=st.sampled_from(FORMATS),
)
@settings(max_examples=60, deadline=None)
def test_the_bytes_do_not_depend_on_the_pieces(sizes: list[int], source: str, target: str) -> None:
    data = awkward_csv() if source == "csv" else JSONL
    once = shaped(data, source, cuts=[len(data)], file_format=target, hash=["call.id"])[1]
    assert shaped(data, source, cuts=sizes, file_format=target, hash=["call.id"])[1] == once


def test_the_blocks_do_not_depend_on_the_pieces() -> None:
    data = awkward_csv() * 40
    for size in (1, 13, len(data)):
        blocks = rows.Blocks(rows.last_record, 300)
        found = [block for at in range(0, len(data), size) for block in blocks.feed(data[at : at + size])]
        found.append(blocks.finish())
        if size == 1:
            first = found
        assert found == first
        assert b"".join(found) == data


# --- hash ---------------------------------------------------------------------------------------------------


def keyed(text: str) -> str:
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest() if text else text


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_hashed_column_is_the_hmac_of_its_decoded_text_and_empty_stays(
    file_format: str, tmp_path: Path
) -> None:
    stage, made = shaped(awkward_csv(), "csv", file_format=file_format, hash=["notes", "Agent Name"])
    _, found = read(file_format, made, tmp_path)
    expected = [[*row[:2], keyed(row[2]), keyed(row[3]), *row[4:]] for row in ROWS]
    assert found == expected
    assert [each["treatment"] for each in stage.columns].count("hmac-sha256") == 2


def test_a_path_into_json_rows_is_hashed_and_null_stays() -> None:
    _, made = shaped(JSONL, "jsonl", hash=[["agent", "phones", "[]", "no"], "n"])
    found = [json.loads(line) for line in made.splitlines()]
    assert found[0]["agent"]["phones"] == [{"no": keyed("+4915100001"), "type": "x"}]
    assert [item.get("no", "-") for item in found[3]["agent"]["phones"]] == [None, keyed("+4915100002"), "-"]
    assert [each["n"] for each in found] == [keyed(n) for n in ("1.50", "18446744073709551617", "-0", "1E+2")]


def test_a_long_key_and_more_values_than_are_remembered_hash_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Hasher, "REMEMBERED", 3)
    for key in (b"k" * 200, b"k"):
        hasher = Hasher(key)
        for text in [b"a", b"b", b"c", b"d", b"a"]:
            assert hasher(text) == hmac.new(key, text, hashlib.sha256).hexdigest()


def test_fingerprints_tell_schemas_and_keys_apart() -> None:
    columns = [{"name": "a", "type": "string", "from": "x", "treatment": None}]
    assert schema_fingerprint(columns) == "sha256:" + hashlib.sha256(b'[["a","string"]]').hexdigest()
    assert key_fingerprint(b"one") != key_fingerprint(b"two")
    assert key_fingerprint(b"one") not in (Hasher(b"one")(b"one"), hashlib.sha256(b"one").hexdigest())


# --- select, drop, rename -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("source", ["csv", "jsonl"])
def test_selected_columns_land_in_the_order_of_select(source: str, file_format: str, tmp_path: Path) -> None:
    data = b"a,b,c\n1,2,3\n" if source == "csv" else b'{"a":"1","b":"2","c":"3"}\n'
    stage, made = shaped(data, source, file_format=file_format, select=["c", "a"], rename={"a": "x"})
    assert read(file_format, made, tmp_path) == (["c", "x"], [["3", "1"]])
    assert [each["name"] for each in stage.columns] == ["c", "x"]


def test_paths_are_selected_and_dropped_within_json_rows() -> None:
    _, made = shaped(JSONL, "jsonl", select=[["agent", "phones", "[]", "type"], "ok"])
    assert made.splitlines()[0] == b'{"agent":{"phones":[{"type":"x"}]},"ok":true}'
    assert made.splitlines()[1] == b'{"agent":null,"ok":null}'
    _, made = shaped(JSONL, "jsonl", drop=[["agent", "phones"], "n"])
    assert made.splitlines()[0] == b'{"call.id":"00123","agent":{"name":"M\\u00fcller"},"ok":true}'


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Agent.Email", "agent_email"),
        ("in_business_hours?", "in_business_hours"),
        ("talkTime", "talk_time"),
        ("Größe (s)", "groe_s"),
        ("2nd", "_2nd"),
        ("?", ""),
    ],
)
def test_snake_names(name: str, made: str) -> None:
    assert snake(name) == made


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_byte_order_mark_that_begins_a_value_stays(
    file_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows.Blocks.__init__, "__defaults__", (4,))  # each record begins a block
    data = "\ufeffa,b\n\ufeff1,x\n\ufeff\ufeff2,y\n".encode()
    _, made = shaped(data, "csv", file_format=file_format)
    assert read(file_format, made, tmp_path) == (["a", "b"], [["\ufeff1", "x"], ["\ufeff\ufeff2", "y"]])
    _, made = shaped('{"\ufeffa":"\ufeff1"}\n'.encode(), "jsonl", file_format=file_format)
    assert read(file_format, made, tmp_path) == (["\ufeffa"], [["\ufeff1"]])


def test_a_field_of_many_doubled_quotes_takes_no_longer_than_its_bytes() -> None:
    record = b'a,"' + b'""' * 500_000 + b'",b'  # to join it piece by piece would take minutes
    assert rows.fields(record) == [b"a", record[2:-2], b"b"]


HALF = (
    b'{"id":1.50,"note":"cut \\ud83d","o":{"no":"+4915100001","x":["\\ude42",2]},"a":[{"no":1},"\\ud83d"]}\n'
)


def test_half_a_surrogate_pair_stays_as_it_is_where_its_column_is_not_text() -> None:
    assert shaped(HALF, "jsonl", drop=["id"])[1] == HALF.replace(b'"id":1.50,', b"")
    _, made = shaped(HALF, "jsonl", select=["id", ["o", "x"], "a"], file_format="csv")
    assert made.decode() == (
        'id,o,a\n1.50,"{""x"":[""\\ude42"",2]}","[{""no"":1},""\\ud83d""]"\n'  # JSON's text, escapes and all
    )
    _, made = shaped(HALF, "jsonl", select=[["o", "no"]], hash=[["o", "no"]])
    assert hmac.new(KEY, b"+4915100001", "sha256").hexdigest() in made.decode()


@pytest.mark.parametrize(
    "parameters", [{"file_format": "csv"}, {"file_format": "parquet"}, {"hash": ["note"]}]
)
def test_half_a_surrogate_pair_is_refused_where_it_would_be_text_and_the_rest_lands(
    parameters: dict[str, Any],
) -> None:
    with pytest.raises(ContactCenterShapeError, match=r"'note' .* row 1 .*: leave the column out") as raised:
        shaped(HALF, "jsonl", **parameters)
    assert "cut" not in str(raised.value)
    assert raised.value.__context__ is None
    parameters["hash"] = ["id"]
    assert shaped(HALF, "jsonl", **parameters, select=["id"])[0].rows == 1


def test_json_that_is_nested_too_deeply_is_refused_in_a_sentence() -> None:
    deep = 100_000  # Hypothesis raises the limit of recursion
    data = b'{"a":' + b"[" * deep + b"]" * deep + b"}\n"
    with pytest.raises(ContactCenterShapeError, match="Row 1 can't be read as JSON"):
        shaped(data, "jsonl", drop=["b"])


# --- types --------------------------------------------------------------------------------------------------

FITTING = {
    "int64": ["0", "-9223372036854775808", "9223372036854775807", "00123"],
    "float64": ["1.5", "1e5", ".5", "-0.0"],
    "boolean": ["true", "FALSE", "1", "0"],
    "decimal(18,2)": ["1.50", "1E+2", "-0.5", "9999999999999999.99"],
    "date": ["2024-05-01", "0001-01-01", "9999-12-31"],
    "timestamp[us, UTC]": [
        "2024-05-01T00:00:00Z",
        "2024-05-01 10:00:00.123456+02:00",
        "2024-05-01T10:00Z",
        "2024-05-01T10+0530",
        "0001-01-01T00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ],
}
MISFITTING = {
    "int64": ["1.0", "9223372036854775808", "0x1F", " 5", "+5", "secret"],
    "float64": ["nan", "inf", "1e400", "1,5", " 1.5", "secret"],
    "boolean": ["Yes", "t", "2"],
    "decimal(18,2)": ["1.505", "99999999999999999", "nan", "secret"],
    "date": ["2024-5-1", "2024-02-30", "2024-05-01T00:00:00", "20240501", "0000-01-01"],
    "timestamp[us, UTC]": [
        "2024-05-01T00:00:00",
        "2024-05-01",
        "2024-05-01T00:00:00.1234567Z",
        "2024-13-01T00:00Z",
        "2024-05-01T24:00Z",
        "2024-05-01T23:59:60Z",
        "2024-05-01T00:00+02:60",
        # in UTC there is no such year
        "0001-01-01T00:00+02:00",
        "9999-12-31T23:00-02:00",
    ],
}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    ("type_", "text"), [(type_, text) for type_, all_ in FITTING.items() for text in all_]
)
def test_a_value_that_fits_its_type_lands(type_: str, text: str, file_format: str, tmp_path: Path) -> None:
    for source, data in (
        ("csv", f"a,b\nx,{text}\ny,\n"),
        ("jsonl", f'{{"a":"x","b":"{text}"}}\n{{"a":"y","b":null}}\n'),
    ):
        stage, made = shaped(data.encode(), source, file_format=file_format, types={"b": type_})
        _, found = read(file_format, made, tmp_path)
        assert found[0][1] not in (None, "")
        assert found[1][1] == ("" if file_format == "csv" else None)
        assert [each["type"] for each in stage.columns][1] == type_


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    ("type_", "text"), [(type_, text) for type_, all_ in MISFITTING.items() for text in all_]
)
def test_a_value_that_does_not_fit_is_refused_by_column_row_and_kind(
    type_: str, text: str, file_format: str
) -> None:
    for source, data in (
        ("csv", f'a,b\nx,\ny,"{text}"\n'),
        ("jsonl", f'{{"a":"x","b":null}}\n{{"a":"y","b":"{text}"}}\n'),
    ):
        with pytest.raises(ContactCenterShapeError) as raised:
            shaped(data.encode(), source, file_format=file_format, types={"b": type_})
        said = str(raised.value)
        assert "'b'" in said
        assert f"declared {type_}" in said
        assert "row 2 is a" in said or "row 2 is text" in said
        assert len(text) < 3 or text not in said.replace(type_, "")
        assert raised.value.__context__ is None


def test_declared_numbers_of_csv_are_numbers_in_json_with_their_digits() -> None:
    types = {"n": "decimal(38,2)", "i": "int64", "b": "boolean", "t": "date"}
    _, made = shaped(b"n,i,b,t\n1.50,007,TRUE,2024-05-01\n,,,\n", "csv", file_format="jsonl", types=types)
    assert made == (b'{"n":1.50,"i":7,"b":true,"t":"2024-05-01"}\n{"n":null,"i":null,"b":null,"t":null}\n')


def test_declared_values_of_json_are_in_json_lines_what_they_are_declared_to_be() -> None:
    types = {"n": "decimal(38,2)", "i": "int64", "b": "boolean", "t": "date", "s": "string", "o": "string"}
    data = (
        b'{"n":"1.50","i":"007","b":1,"t":"2024-05-01","s":1.50,"o":{"x":[1.50]},"as_is":"007"}\n'
        b'{"n":1.50,"i":7,"b":"FALSE","t":"","s":"\\u00e9","o":null}\n'
        b'{"n":"","i":null,"b":"","as_is":1}\n'
    )
    _, made = shaped(data, "jsonl", types=types)
    assert made.decode() == (
        '{"n":1.50,"i":7,"b":true,"t":"2024-05-01","s":"1.50","o":"{\\"x\\":[1.50]}","as_is":"007"}\n'
        '{"n":1.50,"i":7,"b":false,"t":null,"s":"é","o":null}\n'
        '{"n":null,"i":null,"b":null,"as_is":1}\n'
    )


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("source", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"select": ["a", "gone"]},
        {"drop": ["gone"]},
        {"hash": ["gone"]},
        {"rename": {"gone": "b"}},
        {"types": {"gone": "int64"}},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_a_column_that_is_not_there_fails(source: str, file_format: str, parameters: dict[str, Any]) -> None:
    data = b"a,b\n1,2\n" if source == "csv" else b'{"a":1,"b":2}\n'
    with pytest.raises(ContactCenterShapeError, match="'gone'"):
        shaped(data, source, file_format=file_format, **parameters)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("source", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("names", "parameters"),
    [
        (("Call Id", "call_id"), {"rename": "snake"}),
        (("a", "b"), {"rename": {"a": "B"}}),
        (("a", "A"), {"on_new": "warn", "rename": {"a": "a"}}),
    ],
)
def test_two_columns_that_get_one_name_fail(
    names: tuple[str, str], parameters: dict[str, Any], source: str, file_format: str
) -> None:
    row = json.dumps(dict.fromkeys(names, "secret")) + "\n"
    data = f"{','.join(names)}\nsecret,secret\n" if source == "csv" else row
    called = [repr(name) for name in names]
    if source == "csv" and parameters["rename"] == "snake":  # perhaps its first row is data
        called = ["1", "2"]
    with pytest.raises(ContactCenterShapeError, match=f"{called[0]} and {called[1]} get one name") as said:
        shaped(data.encode(), source, file_format=file_format, **parameters)
    assert "secret" not in str(said.value)


@pytest.mark.parametrize("what", ["drop", "hash", "select"])
def test_a_path_that_is_in_no_row_fails_and_one_that_is_in_some_does_not(what: str) -> None:
    data = b'{"agent":null}\n{"agent":{"no":"1"}}\n{"agent":{}}\n'
    shaped(data, "jsonl", **{what: [["agent", "no"]]})
    with pytest.raises(ContactCenterShapeError, match="nr"):
        shaped(data, "jsonl", **{what: [["agent", "nr"]]})


@pytest.mark.parametrize("value", ['"+49"', "1", "true", '["+49"]', '[{"no":1}]'])
def test_a_path_through_something_else_than_expected_fails(value: str) -> None:
    with pytest.raises(ContactCenterShapeError, match="row 1") as raised:
        shaped(f'{{"agent":{value}}}\n'.encode(), "jsonl", drop=[["agent", "no"]])
    assert "+49" not in str(raised.value)
    with pytest.raises(ContactCenterShapeError, match="only a single value can be hashed"):
        shaped(b'{"agent":{"no":"+49"}}\n', "jsonl", hash=["agent"])


REFUSED_CSV = {
    "too few fields": (b"a,b\n1\n", "Row 1 of the CSV has 1 fields and its header 2"),
    "too many fields": (b"a,b\n1,2\n1,2,3\n", "Row 2 of the CSV has 3 fields"),
    "a blank line between": (b"a,b\n1,2\n\n1,2\n", "Row 2 of the CSV has 1 fields"),
    "a blank line between, CRLF": (b"a,b\r\n1,2\r\n\r\n1,2\r\n", "Row 2 of the CSV has 1 fields"),
    "a lone CR": (b"a,b\r1,2\r3,4\r", "carriage return"),
    "a lone CR that fits": (b"a,b\n1,2\r3\n", "carriage return"),
    "an undoubled quote": (b'a,b\n"5" screen",2\n', "quote"),
    "a bare quote": (b'a,b\n5" x,2 6"\n', "quote"),
    "a backslash quote": (b'a,b\n"x \\"y\\", z",2\n', "quote"),
    "an open quote": (b'a,b\n"1,2\n', "never closed"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "NUL"),
    "semicolons": (b"a;b\n1;2\n", "semicolon"),
    "two of one name": (b"a,A\n1,2\n", "get one name"),
}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("data", "said"), REFUSED_CSV.values(), ids=list(REFUSED_CSV))
def test_a_dialect_that_might_shift_columns_is_refused(data: bytes, said: str, file_format: str) -> None:
    with pytest.raises(ContactCenterShapeError, match=said):
        shaped(data, "csv", file_format=file_format)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_blank_line_is_refused_at_the_edge_of_a_block_too(end: bytes, file_format: str) -> None:
    lines = [b"a,b", *[b"1,2"] * 9]
    for at in range(1, len(lines)):
        stage = transform(shape(file_format=file_format), "csv")
        stage._blocks = rows.Blocks(rows.last_record, 9)  # type: ignore[attr-defined]
        with pytest.raises(ContactCenterShapeError, match=f"Row {at} of the CSV has 1 fields"):
            stage.feed(end.join([*lines[:at], b"", *lines[at:]]) + end)
            stage.finish()


def test_only_columns_that_repeat_their_values_get_a_dictionary_in_parquet() -> None:
    data = "a.b,id\n" + "".join(f"{at % 5},{at}\n" for at in range(20_000))
    group = pq.ParquetFile(pa.BufferReader(shaped(data.encode(), "csv", file_format="parquet")[1]))
    columns = [group.metadata.row_group(0).column(at) for at in range(2)]
    assert [column.has_dictionary_page for column in columns] == [True, False]
    assert all(column.is_stats_set for column in columns)


@pytest.mark.parametrize(
    ("named", "said"),
    [("Agnt", r"among its 2\. Did you mean 'Agent'\? Nothing"), ("zzz", r"among its 2\. Nothing")],
)
def test_a_misspelled_column_of_a_csv_is_refused_with_the_nearest_one(named: str, said: str) -> None:
    with pytest.raises(ContactCenterShapeError, match=said):
        shaped(b"Call Id,Agent\n1,2\n", "csv", file_format="csv", select=["Call Id", named])


@pytest.mark.parametrize(
    "parameters",
    [
        {"select": ["Anna Svensson"]},
        {"drop": ["caller"], "on_new": "fail"},
        {"rename": "snake", "on_new": "fail"},
        {"rename": "snake"},
    ],
)
def test_the_first_row_of_a_csv_is_not_shown_where_it_may_be_data(parameters: dict[str, Any]) -> None:
    data = b"Anna Svenson,Anna_Svenson,\xe2\x82\xac\n1,2,3\n"
    with pytest.raises(ContactCenterShapeError) as said:
        shaped(data, "csv", file_format="csv", **parameters)
    assert "svenson" not in str(said.value).lower()


def test_columns_that_a_shape_does_not_name_are_shown_beside_one_that_it_names() -> None:
    with pytest.raises(ContactCenterShapeError, match="doesn't name: 'Agent'"):
        shaped(b"Call Id,Agent\n1,2\n", "csv", file_format="csv", drop=["Call Id"], on_new="fail")


@pytest.mark.parametrize(
    ("named", "said"),
    [("agnt", r"no row of the report has it\. Did you mean 'agent'\? Nothing"), ("zzz", r"has it\. Nothing")],
)
def test_a_misspelled_name_of_json_rows_is_refused_with_the_nearest_one(named: str, said: str) -> None:
    with pytest.raises(ContactCenterShapeError, match=said):
        shaped(b'{"id": 1, "agent": 2}\n', "jsonl", file_format="jsonl", drop=[named])


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_bytes_that_are_no_utf_8_are_refused_where_text_is_needed(file_format: str) -> None:
    data = "a,b\n1,M\xfcller\n".encode("latin-1")
    with pytest.raises(ContactCenterShapeError, match="aren't UTF-8 in column 2 of row 1"):
        shaped(data, "csv", file_format=file_format)
    with pytest.raises(ContactCenterShapeError, match="aren't UTF-8 in column 'b' of row 1"):
        shaped(data, "csv", hash=["b"])
    assert shaped(data, "csv", select=["b"])[1] == "b\nM\xfcller\n".encode("latin-1")


@pytest.mark.parametrize(
    ("header", "parameters", "said"),
    [
        ("id,a,a", {"rename": {"id": "x"}}, "'a' and 'a' get one name, 'a'.*: name in select"),
        ("id,,", {"types": {"id": "int64"}}, "'' and '' get one name, ''.*: name in select"),
        ("id,x,", {"rename": "snake", "hash": ["id"]}, "Column '' has no name.*: leave it out, by naming"),
    ],
)
def test_a_name_that_a_shape_cannot_name_can_be_left_out(
    header: str, parameters: dict[str, Any], said: str
) -> None:
    data = f"{header}\n1,2,3\n".encode()
    with pytest.raises(ContactCenterShapeError, match=said):
        shaped(data, "csv", **parameters)
    assert shaped(data, "csv", **parameters, select=["id"])[0].rows == 1


@pytest.mark.parametrize("line", [b"[1]", b'"x"', b"1", b'{"a":', b"{'a':1}", b'{"a":1}{"a":2}'])
def test_rows_that_are_no_objects_are_refused(line: bytes) -> None:
    with pytest.raises(ContactCenterShapeError, match="Row 2 "):
        shaped(b'{"a":1}\n' + line + b"\n", "jsonl", drop=["a"])


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_json_column_that_comes_late_is_never_dropped_silently(
    file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = transform(shape(file_format=file_format), "jsonl")
    stage._blocks = rows.Blocks(rows.last_line, 10)  # type: ignore[attr-defined]
    stage.feed(b'{"a":"1"}\n' * 3)
    with pytest.raises(ContactCenterShapeError, match="'late' first appears"):
        stage.feed(b'{"a":"1","late":2}\n' * 2)
    with pytest.raises(ContactCenterShapeError):
        stage.finish()


def test_new_columns_warn_or_fail() -> None:
    for source, data in (("csv", b"a,b\n1,2\n"), ("jsonl", b'{"a":1}\n{"a":1,"b":2}\n')):
        assert shaped(data, source, drop=["a"])[0].caveats == []
        assert "'b'" in shaped(data, source, drop=["a"], on_new="warn")[0].caveats[0]
        assert "'b'" in shaped(data, source, select=["a"], on_new="warn")[0].caveats[0]
        with pytest.raises(ContactCenterShapeError, match="'b'"):
            shaped(data, source, drop=["a"], on_new="fail")


def test_new_columns_are_one_caveat_however_many_come_one_by_one() -> None:
    data = "".join(f'{{"a":1,"agent{number}":2}}\n' for number in range(60)).encode()
    [said] = shaped(data, "jsonl", drop=["a"], on_new="warn")[0].caveats
    assert "'agent0', 'agent1', " in said
    assert said.endswith("'agent49' and 10 more.")


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("source", "data"), [("csv", b"a,b\n1,2\n"), ("jsonl", b'{"a":1}\n{"b":2}\n')])
def test_a_shape_that_drops_every_column_is_refused(source: str, data: bytes, file_format: str) -> None:
    with pytest.raises(ContactCenterShapeError, match="drops every column of the"):
        shaped(data, source, file_format=file_format, drop=["a", "b"])


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_rows_without_a_single_name_are_not_blamed_on_the_shape(file_format: str) -> None:
    with pytest.raises(ContactCenterShapeError, match=r"first 2 rows .* are empty objects .* in select, or"):
        shaped(b"{}\n{}\n", "jsonl", file_format=file_format)
    assert shaped(b"{}\n{}\n", "jsonl", file_format="jsonl")[1] == b"{}\n{}\n"


@pytest.mark.parametrize("source", ["csv", "jsonl"])
def test_a_report_without_rows_lands_as_an_empty_file(source: str, tmp_path: Path) -> None:
    for file_format in FORMATS:
        stage, made = shaped(b"", source, file_format=file_format, select=["a", "b"])
        assert stage.rows == 0
        if file_format == "parquet":
            assert read("parquet", made, tmp_path) == (["a", "b"], [])
        if file_format == "csv":
            assert made == b"a,b\n"
    stage, made = shaped(b"", source, file_format="parquet")
    assert pq.read_table(pa.BufferReader(made)).num_rows == 0
    assert "no columns" in stage.caveats[0]
    _, made = shaped(b"a,b\n", "csv", file_format="parquet")
    assert read("parquet", made, tmp_path) == (["a", "b"], [])


def test_what_can_be_refused_without_the_file_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContactCenterShapeError, match="ask for csv"):
        transform(shape(drop=["a"]), "xlsx")
    with pytest.raises(ContactCenterShapeError, match="no password"):
        transform(shape(hash=["a"], hash_conn_id="k"), "csv", key=b"")
    with pytest.raises(ContactCenterShapeError, match="the report is CSV"):
        transform(shape(drop=[["a", "b"]]), "csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ContactCenterShapeError, match=r"airflow-provider-contactcenter\[parquet\]"):
        transform(shape(file_format="parquet"), "csv")


def test_a_failed_stage_writes_no_footer() -> None:
    stage = transform(shape(file_format="parquet"), "csv")
    stage._blocks = rows.Blocks(rows.last_record, 8)  # type: ignore[attr-defined]
    stage.feed(b"a,b\n1,2\n")
    with pytest.raises(ContactCenterShapeError):
        stage.feed(b"1,2,3,4,5\n1,2,3\n")
    with pytest.raises(ContactCenterShapeError, match="before"):
        stage.finish()


def test_rows_that_arrow_sees_otherwise_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "check_dialect", lambda *_: 7)
    with pytest.raises(ContactCenterShapeError, match="rows from 1 to 7"):
        shaped(b"a,b\n1,2\n", "csv", file_format="parquet")


# --- secrets ------------------------------------------------------------------------------------------------

SENTINEL = "+4930-SENTINEL"
BROKEN = {
    "csv": [
        f"a,caller\n1,{SENTINEL}\n1,2,{SENTINEL}\n",
        f'a,caller\n1,"{SENTINEL}\n',
        f"a,caller\n{SENTINEL},1\n",
        f"a,b\n1,{SENTINEL}\n",
        f'a,caller\n1,"x"{SENTINEL}\n',
    ],
    "jsonl": [
        f'{{"a":1,"caller":"{SENTINEL}"\n',
        f'{{"a":"{SENTINEL}","caller":"x"}}\n',
        f'{{"a":1,"caller":{{"x":"{SENTINEL}"}}}}\n',
        f'{{"a":1,"caller":"{SENTINEL}\\ud800"}}\n',
        f'"{SENTINEL}"\n',
    ],
}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("source", "text"), [(s, text) for s, texts in BROKEN.items() for text in texts])
def test_no_error_shows_a_value_or_the_key(
    source: str, text: str, file_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ContactCenterShapeError) as raised:
        shaped(text.encode(), source, file_format=file_format, hash=["caller"], types={"a": "int64"})
    said = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    error: BaseException | None = raised.value
    while error:  # also those that a formatter is asked not to show
        said += repr(error)
        error = error.__cause__ or error.__context__
    assert SENTINEL not in said
    assert KEY.decode() not in said


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("treatment", [{"hash": ["caller"]}, {"drop": ["caller"]}, {"select": ["call.id"]}])
def test_dropped_and_hashed_values_are_nowhere_in_what_lands(
    treatment: dict[str, Any], file_format: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found = [[str(n), "", "", "", "", "", f"{SENTINEL}{n % 7}"] for n in range(300)]
    as_json = "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in found)
    for source, data in (("csv", awkward_csv(found)), ("jsonl", as_json.encode())):
        stage, made = shaped(data, source, file_format=file_format, **treatment)
        assert SENTINEL.encode() not in made
        assert SENTINEL not in str(read(file_format, made, tmp_path))  # Parquet is compressed
        shown = repr(stage) + repr(stage.columns) + repr(stage.caveats) + caplog.text
        assert SENTINEL not in shown
        assert KEY.decode() not in shown


def test_writing_a_shape_loads_neither_pyarrow_nor_msgspec() -> None:
    program = (
        "import sys, airflow_provider_contactcenter.shapes as s; s.shape(file_format='parquet');"
        "assert not {'pyarrow', 'msgspec', 'airflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


_PLAIN = st.sampled_from(["", "x", "+49", "ä", "\1", "\2", "\1\2"])
_QUOTED = st.sampled_from(['""', '"x"', '"a,b"', '"a\nb"', '"a\r\nb"', '"say ""hi"""', '"ä\n"', '"\1,"'])


@given(
    st.lists(st.lists(_PLAIN | _QUOTED, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([{"drop": ["a"]}, {"select": ["b"]}, {"select": ["c", "a"]}, {"rename": {"a": "z"}}]),
    st.lists(st.sampled_from(["\n", "\r\n"]), min_size=1, max_size=2),
    st.booleans(),
)
@settings(deadline=None)
def test_the_quick_way_writes_what_the_careful_one_does(
    table: list[list[str]], wanted: dict[str, Any], ends: list[str], ended: bool
) -> None:
    data = "".join(",".join(row) + ends[at % len(ends)] for at, row in enumerate([["a", "b", "c"], *table]))
    written = (data if ended else data.rstrip("\r\n")).encode()
    made = []
    for quick in (True, False):
        stage = transform(
            shape(
                **wanted,
                hash=["b"] if "drop" in wanted else None,
                hash_conn_id="k" if "drop" in wanted else None,
            ),
            "csv",
            key=b"k",
        )
        if not quick:
            stage._quickly = lambda block: None  # type: ignore[attr-defined]
        try:
            made.append(stage.feed(written) + stage.finish())
        except ContactCenterShapeError as error:
            made.append(str(error).encode())
    assert made[0] == made[1]


def test_the_quick_way_fails_in_the_words_of_the_careful_one() -> None:
    for data in (b"a,b\n1,2\n3\n", b"a,b\n1,2\n3,\xff\n", b"a,b\n\n1,2\n"):
        said = []
        for quick in (True, False):
            stage = transform(shape(hash=["b"], hash_conn_id="k"), "csv", key=b"k")
            if not quick:
                stage._quickly = lambda block: None  # type: ignore[attr-defined]
            with pytest.raises(ContactCenterShapeError) as raised:
                stage.feed(data)
                stage.finish()
            said.append(str(raised.value))
        assert said[0] == said[1]


def test_a_template_that_was_never_rendered_is_named_by_its_place() -> None:
    with pytest.raises(
        InvalidValue, match=r"^shape\['select'\]\[1\]='{{ ds }}' is not allowed: .*never rendered"
    ):
        check_shape({"select": ["a", "{{ ds }}"]})
