"""All benchmarks, or some: ``python -m tests.benchmarks [GROUP ...] [--scale 0.1] [--rounds 1] [--write]``.

Starts its own sandbox and stores on loopback, runs every side in a process of its own, lets the sides take
turns, and prints what was measured beside its peer and its limit. ``--write`` puts the table, with machine
and versions, into docs/benchmarks.md. Take the ratios: figures belong to a machine and an hour.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmarks.racing import Line, Options, Unmeasured, say

GROUPS = ("transfer", "polling", "pages", "formats", "imports", "night")
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
#: whose versions say what was measured
PACKAGES = (
    *("apache-airflow-core", "apache-airflow-providers-amazon", "apache-airflow-providers-google"),
    *("apache-airflow-providers-microsoft-azure", "apache-airflow-providers-http", "boto3"),
    *(
        "google-cloud-storage",
        "azure-storage-blob",
        "pyarrow",
        "msgspec",
        "isal",
        "numpy",
        "dlt",
        "fastparquet",
    ),
)
HEADS = ("what", "ours", "beside", "ratio", "spread", "CPU (ours; peer)", "memory", "limit", "met")


def cells(line: Line) -> list[str]:
    met = "" if line.met is None else ("yes" if line.met else "**no**")
    figures = [line.what, line.ours, line.peer, line.ratio, line.spread, line.cpu, line.memory]
    return [*figures, line.limit, met]


def table(lines: Sequence[Line]) -> str:
    rows = [HEADS, ["---"] * len(HEADS), *map(cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def machine() -> str:
    """This machine and what is installed, in one sentence each."""
    name = "a processor of unknown name"
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        name = found[1] if found else name
        total = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
        memory = f", {int(total[1]) / 1024 / 1024:.0f} GiB of memory" if total else ""
    except OSError:
        memory = ""
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    load = f", load {os.getloadavg()[0]:.1f} at the start"
    return (
        f"{time.strftime('%Y-%m-%d')}; {platform.system()}, {os.cpu_count()} cores of {name}{memory}{load}.\n"
        f"{', '.join(versions)}."
    )


def measured(groups: Sequence[str], options: Options) -> Iterator[Line]:
    for group in groups:
        say(group)
        began = time.perf_counter()
        lines = import_module(f"tests.benchmarks.{group}").measure(options)
        try:
            yield from lines
        except Unmeasured as why:
            yield Line(group, f"not measured: {why}")
        say(f"{group}: {time.perf_counter() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"some of {', '.join(GROUPS)} (all)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes: 0.1 is a tenth (1)")
    parser.add_argument("--rounds", type=int, default=3, help="at the most, of each race (3)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    arguments = parser.parse_args()
    groups = arguments.groups or GROUPS
    if unknown := [group for group in groups if group not in GROUPS]:
        parser.error(f"there is no group {unknown[0]!r}: give some of {', '.join(GROUPS)}")
    options = Options(arguments.scale, arguments.rounds)
    about, began = machine(), time.perf_counter()
    lines = []
    for line in measured(groups, options):
        lines.append(line)
        say(f"  {' | '.join(cell for cell in cells(line) if cell)}")
    minutes = (time.perf_counter() - began) / 60
    scaled = "" if options.scale == 1 else f" Sizes are {options.scale:g} of the whole ones."
    text = f"{about}\n{minutes:.0f} minutes, at most {options.rounds} rounds.{scaled}\n\n{table(lines)}\n"
    print(text)
    if arguments.write:
        page = PAGE.read_text()
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{rest.partition(END)[2]}")
    missed = [line.what for line in lines if line.met is False]
    say(f"{len(missed)} of {sum(line.met is not None for line in lines)} limits missed")


if __name__ == "__main__":
    main()
