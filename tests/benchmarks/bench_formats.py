"""Speed of the format code on one core, in MB/s of input: ``python tests/benchmarks/bench_formats.py [MB]``.

Every line is the best of several runs, in CPU time, so that other work on the machine matters less.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import time
from collections.abc import Callable

from airflow_provider_contactcenter.pipeline.array import JsonLines
from airflow_provider_contactcenter.pipeline.compression import Gzip
from airflow_provider_contactcenter.pipeline.proof import meter_for

CHUNK = 256 * 1024
RUNS = 5


def awkward_csv(size: int, *, quoted: float, newlines: float, all_quoted: bool = False) -> bytes:
    """A CSV of about ``size`` bytes: shares of fields with a comma, and with quotes and a newline inside."""
    rng = random.Random(1)

    def field() -> str:
        kind = rng.random()
        if kind < newlines:
            return '"he said ""hi"", then\nleft"'
        if kind < newlines + quoted:
            return f'"Smith, John {rng.randrange(10**6)}"'
        return f'"value{rng.randrange(10**9)}"' if all_quoted else f"value{rng.randrange(10**9)}"

    block = "".join(",".join(field() for _ in range(20)) + "\r\n" for _ in range(10_000)).encode()
    return block * max(1, size // len(block))


def document(size: int, separators: tuple[str, str]) -> bytes:
    """A JSON document in the shape of a Talkdesk report, of about ``size`` bytes."""
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
    rows *= max(1, size // len(json.dumps(rows)))
    whole = {"type": "calls", "entries": rows, "total": len(rows)}
    return json.dumps(whole, ensure_ascii=False, separators=separators).encode()


def measure(name: str, data: bytes, work: Callable[[list[bytes]], object]) -> None:
    pieces = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        result = work(pieces)
        best = min(best, time.process_time() - start)
    print(f"  {name:34} {len(data) / 1e6 / best:7.0f} MB/s   {result}")


def metered(file_format: str) -> Callable[[list[bytes]], object]:
    def work(pieces: list[bytes]) -> object:
        meter = meter_for(file_format)
        for piece in pieces:
            meter.feed(piece)
        meter.finish(framed=True)
        return f"{meter.rows} rows"

    return work


def as_lines(pieces: list[bytes]) -> object:
    lines = JsonLines()
    size = sum(len(lines.feed(piece)) for piece in pieces) + len(lines.finish())
    return f"{lines.rows} rows, {size} bytes"


def with_json_module(pieces: list[bytes]) -> object:
    rows = json.load(io.BytesIO(b"".join(pieces)))["entries"]
    out = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()
    return f"{len(rows)} rows, {len(out)} bytes"


def newlines(pieces: list[bytes]) -> object:
    count = sum(piece.count(b"\n") for piece in pieces)
    return f"{count} newlines"


def with_csv_module(pieces: list[bytes]) -> object:
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(b"".join(pieces)), "utf-8", newline=""))
    return f"{sum(1 for _ in reader) - 1} rows"


def zipped(pieces: list[bytes]) -> object:
    packer = Gzip()
    return f"{sum(len(packer.feed(piece)) for piece in pieces) + len(packer.finish())} bytes"


def main() -> None:
    size = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 30_000_000
    files = {
        "CSV, no quotes": awkward_csv(size, quoted=0, newlines=0),
        "CSV, some quotes and newlines": awkward_csv(size, quoted=0.08, newlines=0.02),
        "CSV, awkward": awkward_csv(size, quoted=0.2, newlines=0.1),
        "CSV, awkward, every field quoted": awkward_csv(size, quoted=0.2, newlines=0.1, all_quoted=True),
    }
    for name, data in files.items():
        share = data.count(b'"') / len(data)
        print(f"{name} ({share:.1%} of the bytes are quotes)")
        measure("meter", data, metered("csv"))
        measure('chunk.count(b"\\n")', data, newlines)
        measure("csv.reader", data, with_csv_module)
    measure("gzip", files["CSV, awkward"], zipped)
    for name, separators in {"JSON, compact": (",", ":"), "JSON, spaced": (", ", ": ")}.items():
        data = document(size, separators)
        print(name)
        measure("meter", data, metered("json"))
        measure("JsonLines", data, as_lines)
        measure("json.load + json.dumps a row", data, with_json_module)


if __name__ == "__main__":
    main()
