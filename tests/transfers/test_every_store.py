"""The most awkward report there is, in each of five stores: what a reader reads is what the vendor wrote."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

from airflow_provider_contactcenter.exceptions import ContactCenterObjectExistsError
from airflow_provider_contactcenter.pipeline.body import Body
from airflow_provider_contactcenter.reports import eight_by_eight_call_legs, talkdesk_report
from airflow_provider_contactcenter.shapes import shape
from tests.stores.conftest import Place
from tests.transfers.conftest import context
from tests.wire import Asked, Wire, connection, reply, talkdesk

#: yesterday: of an old window 8x8 Work Analytics may leave something out
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WINDOW = {"start": TODAY - timedelta(days=1), "end": TODAY}

NAMES = ["call.id", "in_hours?", "Agent Name", "notes", "amount", "big", "a?.b"]
ROWS = [
    ["00123", "True", "Müller, Jürgen", 'said "hi",\nthen left 🙂', "1.50", "9007199254740993", ""],
    ["", "", "", "", "", "", ""],
    ["-0", "1", '"', "\r\n", "1E+2", "18446744073709551617", "🇩🇪"],
    [
        "0x1F",
        "yes",
        " blanks ",
        "a\rb",
        ".5",
        "340282366920938463463374607431768211456",
        "\N{LINE SEPARATOR}",
    ],
    ["NULL", "nan", "null", "N/A", "NaN", "2024-05-01", "2024-05-01T00:00:00"],
]

#: rows as a vendor writes them in JSON, and what a text column holds of each value
LINES = [
    '{"call.id": "00123", "in_hours?": true, "n": 1.50, "big": 9007199254740993, "a": {"x":[1.0,"ü"]}}',
    '{"call.id": "", "in_hours?": null, "n": -0, "big": 18446744073709551617, "a": null}',
    '{"call.id": "a \\"b\\",\\r\\nc \\ud83d\\ude42", "in_hours?": false, "n": 1E+2, "big": 0, "a": []}',
    '{"call.id": "🙂 Müller,", "in_hours?": "yes", "n": 0.10, "big": -9223372036854775809, "a": "null"}',
]
TEXTS = [
    ["00123", "true", "1.50", "9007199254740993", '{"x":[1.0,"ü"]}'],
    ["", None, "-0", "18446744073709551617", None],
    ['a "b",\r\nc 🙂', "false", "1E+2", "0", "[]"],
    ["🙂 Müller,", "yes", "0.10", "-9223372036854775809", "null"],
]
FIELDS = ["call.id", "in_hours?", "n", "big", "a"]


def written_csv() -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\r\n").writerows([NAMES, *ROWS])
    return b"\xef\xbb\xbf" + made.getvalue().encode()


def talkdesk_answers(body: bytes) -> Callable[[Asked], Any]:
    job = {"job": {"id": "j-1", "status": "created"}}
    done = reply(200, {"job": {"id": "j-1", "status": "done"}})
    return talkdesk(reply(202, job), done, done, reply(200, body))


def pages(*bodies: str) -> Callable[[Asked], Any]:
    """Two rows a page, each but the last with a cursor; behind them the page that says so."""
    said = [
        f'{{"meta": {{"totalRecordCount": 4, "scrollId": "s{number}"}}, "data": [{rows}]}}'
        for number, rows in enumerate(bodies)
    ]
    end = '{"meta": {"totalRecordCount": 0, "scrollId": "No Data"}, "data": []}'
    return talkdesk(*(reply(200, body.encode(), Content_Type="application/json") for body in [*said, end]))


@dataclass(frozen=True)
class Source:
    """One vendor's awkward report: how it is asked for and answered, and what has to be read."""

    report: Callable[[], Any]
    answers: Callable[[Asked], Any]
    names: list[str]
    rows: list[list[Any]]


DOCUMENT = '\ufeff{"entries": [\r\n' + ",\r\n".join(LINES) + '\r\n], "total": 4}\r\n'

SOURCES = {
    "csv": Source(
        lambda: talkdesk_report("calls", **WINDOW, conn_id="wire"),
        lambda: talkdesk_answers(written_csv()),
        NAMES,
        ROWS,
    ),
    "jsonl": Source(
        lambda: talkdesk_report("calls", file_format="jsonl", **WINDOW, conn_id="wire"),
        lambda: talkdesk_answers(DOCUMENT.encode()),
        FIELDS,
        TEXTS,
    ),
    "pages": Source(
        lambda: eight_by_eight_call_legs(pbx_id="acme", page_size=50, **WINDOW, conn_id="wire"),
        lambda: pages(",".join(LINES[:2]), ",".join(LINES[2:])),
        FIELDS,
        TEXTS,
    ),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """Each report in turn, behind the connection ``wire``."""
    source = SOURCES[request.param]
    with Wire(source.answers()) as server:
        values = json.loads(connection(server.origin))
        if request.param == "pages":
            values["conn_type"] = "eight_by_eight_work"
            values["extra"]["api_key"] = "sentinel-api-key"
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps(values))
        yield source


def landed(place: Place, source: Source, name: str, **values: Any) -> tuple[Any, bytes]:
    operator = place.operator(name, report=source.report(), deferrable=False, poll_interval=0.05, **values)
    delivery = operator.execute(context())
    content = place.content(name)
    assert content is not None
    assert delivery["sha256"] == hashlib.sha256(content).hexdigest()
    assert delivery["bytes"] == len(content)
    assert delivery["rows"] == delivery["source"]["rows"] == len(source.rows)
    assert delivery["complete"] is True
    return delivery, content


def test_each_value_of_the_report_as_it_came_is_the_vendors_text(
    place: Place,
    source: Source,
    key: Callable[[str], str],
    tmp_path: Path,
) -> None:
    suffix = "csv" if source.names is NAMES else "jsonl"
    delivery, content = landed(place, source, key(suffix))
    assert delivery["file_format"] == suffix
    file = tmp_path / f"read.{suffix}"
    file.write_bytes(content)
    if suffix == "csv":
        assert content == written_csv()
        names, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        assert (names, rows) == (NAMES, ROWS)
        found = duckdb.read_csv(
            str(file), all_varchar=True, header=True, delimiter=",", quotechar='"', escapechar='"',
            na_values="\\N",
        )  # fmt: skip
        assert found.columns == NAMES
        assert [list(row) for row in found.fetchall()] == ROWS
    else:
        rows = [json.loads(line, parse_int=str, parse_float=str) for line in content.splitlines()]
        assert rows == [json.loads(line, parse_int=str, parse_float=str) for line in LINES]


def test_each_value_of_the_report_as_parquet_is_the_vendors_text(
    place: Place,
    source: Source,
    key: Callable[[str], str],
    tmp_path: Path,
) -> None:
    delivery, content = landed(place, source, key("parquet"), shape=shape(file_format="parquet"))
    assert delivery["columns"] == source.names
    assert delivery["file_format"] == "parquet"
    table = pq.read_table(io.BytesIO(content))
    assert table.column_names == source.names
    assert [list(row.values()) for row in table.to_pylist()] == source.rows
    file = tmp_path / "read.parquet"
    file.write_bytes(content)
    found = duckdb.read_parquet(str(file))
    assert found.columns == source.names
    assert [list(row) for row in found.fetchall()] == source.rows


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 2.11 lets a task run in the main thread only")
def test_of_two_tasks_at_once_exactly_one_lands(
    conditional_place: Place,
    key: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, ended = key("csv"), dict[str, Any]()
    both_have_read = threading.Barrier(2, timeout=60)
    read = Body.read

    def read_together(body: Body, size: int | None = -1) -> bytes:
        at = body.bytes
        piece = read(body, size)
        if at < len(written_csv()) <= body.bytes:
            both_have_read.wait()
        return piece

    monkeypatch.setattr(Body, "read", read_together)

    def task(number: str) -> None:
        report = talkdesk_report("calls", **WINDOW, conn_id=f"wire_{number}")
        operator = conditional_place.operator(
            name, report=report, replace=False, deferrable=False, poll_interval=0.05
        )
        try:
            ended[number] = operator.execute(context())["sha256"]
        except Exception as error:
            ended[number] = error

    with Wire(talkdesk_answers(written_csv())) as one, Wire(talkdesk_answers(written_csv())) as other:
        for number, server in (("one", one), ("other", other)):
            monkeypatch.setenv(f"AIRFLOW_CONN_WIRE_{number.upper()}", connection(server.origin))
        tasks = [threading.Thread(target=task, args=(number,)) for number in ("one", "other")]
        for each in tasks:
            each.start()
        for each in tasks:
            each.join(120)
    lands = [how for how in ended.values() if not isinstance(how, Exception)]
    assert len(lands) == 1, ended
    [refused] = [how for how in ended.values() if isinstance(how, Exception)]
    assert isinstance(refused, ContactCenterObjectExistsError), refused
    assert "replace=False" in str(refused)
    assert lands == [hashlib.sha256(conditional_place.content(name) or b"").hexdigest()]
