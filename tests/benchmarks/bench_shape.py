"""Speed of shapes beside their peers, in one run: ``python tests/benchmarks/bench_shape.py [MB]``.

MB (10^6) of input per second of processor time, and how much memory came on top. Every line runs in a process
of its own, so that one's memory isn't the other's.
"""

from __future__ import annotations

import csv
import functools
import importlib
import io
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHUNK = 256 * 1024
KEY = b"benchmark"
RUNS = 3  # of which the median is shown


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


def shaped(size: int, **parameters: Any) -> None:
    from airflow_provider_contactcenter.pipeline.transform import transform
    from airflow_provider_contactcenter.shapes import shape

    stage = transform(shape(**parameters), "csv", key=KEY)
    for piece in blocks(size):
        stage.feed(piece)
    stage.finish()


def to_parquet(size: int) -> None:
    shaped(size, file_format="parquet")


def two_dropped_two_hashed(size: int) -> None:
    hashed = ["column_18", "column_19"]
    shaped(size, drop=["column_0", "column_1"], hash=hashed, hash_conn_id="hash_key")


def csv_module(size: int) -> None:
    """The same two dropped and two hashed, with the csv module and hmac."""
    import hmac

    lines = io.TextIOWrapper(io.BufferedReader(_Pieces(size), CHUNK), "utf-8", newline="")
    out = csv.writer(_Nowhere())
    for row in csv.reader(lines):
        for at in (18, 19):
            row[at] = hmac.digest(KEY, row[at].encode(), "sha256").hex()
        out.writerow(row[2:])


def fastparquet(size: int) -> None:
    import pandas
    from fastparquet import write  # type: ignore[import-not-found, unused-ignore]

    reader = pandas.read_csv(_Pieces(size), dtype=str, keep_default_na=False, chunksize=50_000)
    place = f"/tmp/bench_shape.{os.getpid()}.parquet"
    for number, frame in enumerate(reader):
        write(place, frame, compression="ZSTD", append=number > 0)
    Path(place).unlink()


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


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


def measure(work: Callable[[int], None], size: int) -> tuple[float, float]:
    """Processor seconds and MiB of a run in a child; the input is made before."""
    # What a task has loaded anyway, Airflow's configuration with it, counts for nobody.
    importlib.import_module("airflow_provider_contactcenter.pipeline.transform")
    block()
    out, into = os.pipe()
    if not (child := os.fork()):
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            work(1)  # imports are memory on top, and no speed
            start = time.process_time()
            work(size)
            seconds = time.process_time() - start
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            os.write(into, f"{seconds} {memory / 1024}".encode())
        except ImportError as error:
            os.write(into, str(error).encode())
        os._exit(0)
    os.close(into)
    os.waitpid(child, 0)
    said = os.read(out, 1000).decode()
    os.close(out)
    try:
        seconds, memory = map(float, said.split())
    except ValueError:
        raise ImportError(said) from None
    return seconds, memory


def main() -> None:
    size = int(sys.argv[1] if len(sys.argv) > 1 else 100) * 1_000_000
    speeds = {}
    for work in (to_parquet, fastparquet, two_dropped_two_hashed, csv_module):
        try:
            seconds, memory = sorted(measure(work, size) for _ in range(RUNS))[RUNS // 2]
        except ImportError as error:
            print(f"  {work.__name__:24} not measured: {error}")
            continue
        speeds[work] = size / 1e6 / seconds
        print(f"  {work.__name__:24} {speeds[work]:5.0f} MB/s   +{memory:.0f} MiB")
    for ours, peer in ((to_parquet, fastparquet), (two_dropped_two_hashed, csv_module)):
        if peer in speeds:
            print(f"  {ours.__name__} / {peer.__name__}: {speeds[ours] / speeds[peer]:.2f}")


if __name__ == "__main__":
    main()
