"""The format code alone, beside its peers: MB (10^6) of input a second of processor time.

Both sides of a shape write what they make to a temporary file; of all else nothing is kept.

The input is made before. A run over a few bytes comes first, so that imports count for nobody.

- ``csv.reader``, ``csv and hmac``: the same with Python's csv module (and hmac).
- ``fastparquet``: pandas reads the CSV in blocks of 50,000 records, fastparquet appends them.
- ``json``: json.load of the whole, json.dumps of each row.
"""

from __future__ import annotations

import csv
import functools
import hmac
import io
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.racing import Figures, Line, Options, Race, Unmeasured, flat, in_turn, run, say

CHUNK = 256 * 1024
KEY = b"benchmark"
MB = 1_000_000

Execute = Callable[[], Figures | None]


# --- inputs -------------------------------------------------------------------------------------------------


@functools.cache
def block() -> bytes:
    """20,000 records of awkward CSV: 23 columns, some quoted, 50,000 callers."""
    rng = random.Random(1)
    made = []
    for _ in range(20_000):
        row = [f"value{rng.randrange(10**9)}" for _ in range(18)]
        row += [f"+49151{rng.randrange(50_000):05}", f'"Smith, John {rng.randrange(500)}"', "00123", "1.50"]
        made.append(",".join([*row, '"said ""hi"",\nleft"' if rng.random() < 0.1 else ""]) + "\r\n")
    return "".join(made).encode()


def blocks(size: int) -> Iterator[bytes]:
    """The header, and the same records again and again, about ``size`` bytes."""
    yield (",".join(f"column_{at}" for at in range(23)) + "\r\n").encode()
    for _ in range(max(1, size // len(block()))):
        yield from (block()[at : at + CHUNK] for at in range(0, len(block()), CHUNK))


@functools.cache
def quoted(share: float, newlines: float, every: bool) -> bytes:
    """10,000 records of CSV: shares of fields with a comma, and with quotes and a line end inside."""
    rng = random.Random(1)

    def field() -> str:
        kind = rng.random()
        if kind < newlines:
            return '"he said ""hi"", then\nleft"'
        if kind < newlines + share:
            return f'"Smith, John {rng.randrange(10**6)}"'
        return f'"value{rng.randrange(10**9)}"' if every else f"value{rng.randrange(10**9)}"

    return "".join(",".join(field() for _ in range(20)) + "\r\n" for _ in range(10_000)).encode()


#: how awkward a CSV is: the arguments of :func:`quoted`
AWKWARD = {"plain": (0.0, 0.0, False), "awkward": (0.2, 0.1, False), "every field quoted": (0.2, 0.1, True)}


@functools.cache
def entries() -> bytes:
    """2,000 elements of a JSON array, in the shape of a Talkdesk report."""
    rng = random.Random(1)
    rows = [
        {
            **{f"some_column_{i}": f"value {rng.randrange(10**9)}" for i in range(18)},
            "talk_time": rng.random() / 10**5,
            "wait_time": rng.randrange(1000),
            "start_at": "2024-05-01 10:00:00",
            "in_business_hours?": True,
            "notes": 'he said "hi", then\nleft 🙂',
            "ring_groups": ["a", "b"],
        }
        for _ in range(2_000)
    ]
    return json.dumps(rows, ensure_ascii=False).encode()[1:-1]


def document(size: int) -> Iterator[bytes]:
    """A JSON document with those elements again and again, about ``size`` bytes."""
    yield b'{"type": "calls", "entries": ['
    for at in range(max(1, size // len(entries()))):
        if at:
            yield b", "
        yield from _chunks(entries())
    yield b"]}"


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


# --- sides --------------------------------------------------------------------------------------------------


def _of(work: Callable[[int], None], given: dict[str, Any]) -> Execute:
    work(1)
    return lambda: work(given["size"])


def _shaped(given: dict[str, Any], **parameters: Any) -> Execute:
    from airflow_provider_contactcenter.pipeline.transform import transform
    from airflow_provider_contactcenter.shapes import shape

    def work(size: int) -> None:
        stage = transform(shape(**parameters), "csv", key=KEY)
        with tempfile.TemporaryFile() as landed:
            for piece in blocks(size):
                landed.write(stage.feed(piece))
            landed.write(stage.finish())

    return _of(work, given)


def to_parquet(given: dict[str, Any]) -> Execute:
    return _shaped(given, file_format="parquet")


def dropped_and_hashed(given: dict[str, Any]) -> Execute:
    hashed = ["column_18", "column_19"]
    return _shaped(given, drop=["column_0", "column_1"], hash=hashed, hash_conn_id="hash_key")


def csv_and_hmac(given: dict[str, Any]) -> Execute:
    def work(size: int) -> None:
        lines = io.TextIOWrapper(io.BufferedReader(_Pieces(size), CHUNK), "utf-8", newline="")
        with tempfile.TemporaryFile("w", encoding="utf-8", newline="") as landed:
            out = csv.writer(landed)
            for row in csv.reader(lines):
                for at in (18, 19):
                    row[at] = hmac.digest(KEY, row[at].encode(), "sha256").hex()
                out.writerow(row[2:])

    return _of(work, given)


def fastparquet(given: dict[str, Any]) -> Execute:
    import pandas
    from fastparquet import write  # type: ignore[import-not-found, unused-ignore]

    def work(size: int) -> None:
        reader = pandas.read_csv(_Pieces(size), dtype=str, keep_default_na=False, chunksize=50_000)
        place = f"{tempfile.gettempdir()}/bench_formats.{os.getpid()}.parquet"
        # The level that Arrow takes.
        zstd = {"_default": {"type": "ZSTD", "args": {"level": 1}}}
        for number, frame in enumerate(reader):
            write(place, frame, compression=zstd, append=number > 0)
        Path(place).unlink()

    return _of(work, given)


def metered(given: dict[str, Any]) -> Execute:
    """The CSV meter, on one of the kinds of AWKWARD."""
    from airflow_provider_contactcenter.pipeline.proof import meter_for

    data = quoted(*AWKWARD[given["kind"]])
    pieces = [*_chunks(data)]

    def work(size: int) -> None:
        meter = meter_for("csv")
        for _ in range(max(1, size // len(data))):
            for piece in pieces:
                meter.feed(piece)
        assert meter.finish(framed=True)

    return _of(work, given)


def csv_reader(given: dict[str, Any]) -> Execute:
    data = quoted(*AWKWARD[given["kind"]])

    def work(size: int) -> None:
        for _ in range(max(1, size // len(data))):
            for _ in csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")):
                pass

    return _of(work, given)


def array_to_lines(given: dict[str, Any]) -> Execute:
    from airflow_provider_contactcenter.pipeline.array import JsonLines

    def work(size: int) -> None:
        lines = JsonLines("entries")
        for piece in document(size):
            lines.feed(piece)
        lines.finish()

    return _of(work, given)


def json_module(given: dict[str, Any]) -> Execute:
    def work(size: int) -> None:
        for row in json.loads(b"".join(document(size)))["entries"]:
            json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    return _of(work, given)


def zipped(given: dict[str, Any]) -> Execute:
    from airflow_provider_contactcenter.pipeline.compression import Gzip

    def work(size: int) -> None:
        packer = Gzip()
        for piece in blocks(size):
            packer.feed(piece)
        packer.finish()

    return _of(work, given)


class _Pieces(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._pieces, self._rest = blocks(size), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


# --- the run ------------------------------------------------------------------------------------------------


def measure(options: Options) -> Iterator[Line]:
    """The lines of the formats."""
    for kind, least in (("plain", 400), ("awkward", None), ("every field quoted", None)):
        what = f"CSV counted and proved, {kind}"
        yield from _raced(options, what, "metered", {"csv.reader": "csv_reader"}, least, kind=kind)
    shaped = "CSV with two columns dropped, two hashed"
    yield from _raced(options, shaped, "dropped_and_hashed", {"csv and hmac": "csv_and_hmac"}, 40)
    yield from _raced(options, "CSV → Parquet", "to_parquet", {"fastparquet": "fastparquet"}, 100, ratio=2.0)
    yield from _raced(options, "JSON array → JSON lines", "array_to_lines", {"json": "json_module"}, 150)
    yield from _raced(options, "gzip", "zipped", {}, 250)
    for what, function, most in (
        ("CSV → Parquet", "to_parquet", 128),
        ("JSON array → JSON lines", "array_to_lines", 64),
    ):
        yield from _flat(options, what, function, most)


def _raced(
    options: Options,
    what: str,
    function: str,
    peers: dict[str, str],
    at_least: float | None,
    ratio: float | None = None,
    **given: Any,
) -> Iterator[Line]:
    size = max(8, round(128 * options.scale))
    say(f"  {size} MB, {what}")
    race = Race("formats", size, "MB")
    names = {"ours": function, **peers}
    missing: dict[str, Line] = {}
    for turn in range(options.turns(3)):
        for name in in_turn([*names], turn):
            try:
                race.side(name, names[name], {}, size=size * MB, **given)
            except Unmeasured as why:
                missing[name] = Line(what, "", f"{name}: not measured, {why}")
    yield race.rate(what, at_least, next(iter(peers), None), ratio)
    yield from missing.values()


def _flat(options: Options, what: str, function: str, at_most: float) -> Iterator[Line]:
    sizes = [options.mib(64), options.mib(4096 if function == "to_parquet" else 1024)]
    small, large = (run("formats", function, {}, {"size": size << 20}) for size in sizes)
    most = max(small["memory"], large["memory"])
    yield Line(
        f"{sizes[0]} and {sizes[1]} MiB, {what}, memory",
        f"+{most:.0f} MiB",
        limit=f"≤ +{at_most:g} MiB",
        met=most <= at_most,
    )
    yield flat("the same, large against small", small, large)
