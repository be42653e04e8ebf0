"""Sides run in turn, each in a process of its own, and the lines of the table that come of them.

A side is a function of a benchmark's module: it is given what JSON can say, imports what it needs and returns
what is then measured. ``python -m tests.benchmarks.racing MODULE FUNCTION JSON`` is one run of one side.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 1 << 20
#: figures of one run: seconds, cpu (seconds), memory (MiB above the start), and what the side adds
Figures = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How much of everything: the whole sizes times ``scale``, so many rounds at the most."""

    scale: float = 1.0
    rounds: int = 3

    def mib(self, size: int) -> int:
        """A size in MiB, scaled."""
        return max(8, round(size * self.scale))

    def turns(self, most: int) -> int:
        """Rounds of a race that has ``most`` of them."""
        return min(most, self.rounds)


@dataclass(frozen=True)
class Line:
    """One line of the table: what was measured, beside what, and whether it keeps to its limit."""

    what: str
    ours: str
    peer: str = ""
    ratio: str = ""
    spread: str = ""
    cpu: str = ""
    memory: str = ""
    limit: str = ""
    met: bool | None = None


class Unmeasured(Exception):
    """A side can't be run here; the text says why."""


@dataclass
class Race:
    """Some sides, and the figures of each round.

    :param work: how much one run does, in ``unit``.
    """

    module: str
    work: float
    unit: str
    found: dict[str, list[Figures]] = field(default_factory=dict)

    def side(self, name: str, function: str, environ: Mapping[str, str], **given: Any) -> Figures:
        """Run a side once."""
        figures = run(self.module, function, environ, given)
        self.found.setdefault(name, []).append(figures)
        speed = self.work / figures["seconds"]
        say(
            f"    {name}: {speed:,.0f} {self.unit}/s, CPU {figures['cpu']:.2f} s, "
            f"+{figures['memory']:.0f} MiB"
        )
        return figures

    def median(self, name: str, figure: str) -> float:
        return float(statistics.median(each[figure] for each in self.found[name]))

    def _ratios(self, peer: str, figure: str, inverse: bool) -> list[float]:
        # Round by round: what else the machine does in a round, it does to both.
        pairs = zip(self.found["ours"], self.found[peer], strict=True)
        return sorted(
            theirs[figure] / own[figure] if inverse else own[figure] / theirs[figure] for own, theirs in pairs
        )

    def speed(self, what: str, peer: str, at_least: float | None = None) -> Line:
        """How fast ours is beside a peer."""
        ratios = self._ratios(peer, "seconds", inverse=True)
        speeds = {name: self.work / self.median(name, "seconds") for name in ("ours", peer)}
        return Line(
            what,
            f"{speeds['ours']:,.0f} {self.unit}/s",
            f"{peer}: {speeds[peer]:,.0f}",
            cpu=f"{self.median('ours', 'cpu'):.1f} s; {self.median(peer, 'cpu'):.1f}",
            memory=f"+{self._most('ours'):.0f} MiB; +{self._most(peer):.0f}",
            **_compared(ratios, at_least=at_least),
        )

    def cost(self, what: str, peer: str, at_most: float | None = None) -> Line:
        """How much processor time ours takes beside a peer."""
        ratios = self._ratios(peer, "cpu", inverse=False)
        return Line(
            what,
            f"{self.median('ours', 'cpu'):.2f} s CPU",
            f"{peer}: {self.median(peer, 'cpu'):.2f}",
            **_compared(ratios, at_most=at_most),
        )

    def rate(
        self, what: str, at_least: float | None, peer: str | None = None, ratio: float | None = None
    ) -> Line:
        """How much ours does in a second of processor time."""
        rates = sorted(self.work / each["cpu"] for each in self.found["ours"])
        middle = statistics.median(rates)
        limit, met = "", None
        if at_least is not None:
            limit, met = f"≥ {at_least:g} {self.unit}/s", middle >= at_least
        compared: dict[str, Any] = {}
        theirs = ""
        if peer and peer in self.found:
            compared = _compared(self._ratios(peer, "cpu", inverse=True), at_least=ratio)
            theirs = f"{peer}: {self.work / self.median(peer, 'cpu'):,.0f}"
            if ratio:
                limit, met = f"{limit}, {compared['limit']}", met and compared["met"]
        return Line(
            what,
            f"{middle:,.0f} {self.unit}/s of CPU",
            theirs,
            compared.get("ratio", ""),
            f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
            f"{self.median('ours', 'cpu'):.1f} s",
            f"+{self._most('ours'):.0f} MiB",
            limit,
            met,
        )

    def memory(self, what: str, at_most: float) -> Line:
        """The most memory that ours took above its start."""
        most = self._most("ours")
        return Line(what, f"+{most:.0f} MiB", limit=f"≤ +{at_most:g} MiB", met=most <= at_most)

    def _most(self, name: str) -> float:
        return float(max(each["memory"] for each in self.found[name]))


def _compared(
    ratios: Sequence[float], *, at_least: float | None = None, at_most: float | None = None
) -> dict[str, Any]:
    middle = statistics.median(ratios)
    found: dict[str, Any] = {"ratio": f"{middle:.2f} x", "spread": f"{ratios[0]:.2f} to {ratios[-1]:.2f}"}
    if at_least is not None:
        return {**found, "limit": f"≥ {at_least:g} x", "met": middle >= at_least}
    if at_most is not None:
        return {**found, "limit": f"≤ {at_most:g} x", "met": middle <= at_most}
    return found


def flat(what: str, small: Figures, large: Figures, at_most: float = 8.0) -> Line:
    """Whether a large file takes no more memory than a small one."""
    grown = large["memory"] - small["memory"]
    return Line(
        what,
        f"{grown:+.0f} MiB",
        memory=f"+{small['memory']:.0f} MiB; +{large['memory']:.0f}",
        limit=f"≤ +{at_most:g} MiB",
        met=grown <= at_most,
    )


def in_turn(names: Sequence[str], turn: int) -> list[str]:
    """The names in another order each round."""
    at = turn % len(names)
    return [*names[at:], *names[:at]]


def run(module: str, function: str, environ: Mapping[str, str], given: Mapping[str, Any]) -> Figures:
    """One run of one side, in a process of its own.

    :raises Unmeasured: what it needs isn't installed, or it failed.
    """
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as home:
        settings = {
            "AIRFLOW_HOME": home,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "CRITICAL",
        }
        process = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.racing", module, function, json.dumps(given)],
            env={**os.environ, **settings, **environ},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if process.returncode:
        raise Unmeasured(f"{module}.{function} failed")
    figures: Figures = json.loads(process.stdout.splitlines()[-1])
    if why := figures.get("unmeasured"):
        raise Unmeasured(why)
    return figures


def _memory(which: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at the most so far."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # no Linux: the peak serves for both
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            MIB if sys.platform == "darwin" else 1024
        )
    return int(status.split(which + ":")[1].split()[0]) / 1024


def say(words: str) -> None:
    """Progress, beside the table."""
    print(words, file=sys.stderr, flush=True)


def main(module: str, function: str, given: str) -> Figures:
    """What one run of a side takes, without its imports."""
    try:
        side: Callable[[dict[str, Any]], Callable[[], Figures | None]]
        side = getattr(importlib.import_module(f"tests.benchmarks.{module}"), function)
        execute = side(json.loads(given))
    except ImportError as error:
        return {"unmeasured": str(error)}
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the imports' peak is none of the work's
    before = _memory("VmRSS")
    began, cpu = time.perf_counter(), time.process_time()
    added = execute()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "memory": _memory("VmHWM") - before, **(added or {})}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
