"""The table of the demo's reports, live on a terminal and one line per change elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.demo.airflow import FINISHED, LocalAirflow, task_label
from airflow_provider_contactcenter.demo.processes import DemoError, pause

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Operators whose tasks are reports that land.
TRANSFERS = "ContactCenterTo"

#: State -> its colour; what is not here has none.
COLOURS = {
    "running": "cyan",
    "deferred": "magenta",
    "success": "green",
    "failed": "red",
    "upstream_failed": "red",
    "up_for_retry": "yellow",
    "skipped": "yellow",
}


@dataclass
class Row:
    """One report: a task that lands it, and what became of it."""

    dag_id: str
    run_id: str
    task: Mapping[str, Any]
    delivery: Mapping[str, Any] | None = None
    check: str = ""

    @property
    def name(self) -> str:
        """``dag/task``."""
        return f"{self.dag_id}/{task_label(self.task)}"

    @property
    def state(self) -> str:
        """The task's state; before Airflow gave it one, ``waiting``."""
        return self.task["state"] or "waiting"

    @property
    def verified(self) -> bool:
        """It landed and is what the vendor served."""
        return self.check == "verified"


class Progress:
    """What the runs of some Dags have come to."""

    def __init__(self, airflow: LocalAirflow, dag_ids: Sequence[str]) -> None:
        self.airflow = airflow
        self.dag_ids = dag_ids
        self.runs: dict[str, str] = {}
        self.tasks: list[dict[str, Any]] = []
        self.rows: list[Row] = []
        self._deliveries: dict[tuple[str, str], Any] = {}

    @property
    def finished(self) -> bool:
        """Each Dag has run, and every run has ended."""
        return set(self.runs) >= set(self.dag_ids) and set(self.runs.values()) <= FINISHED

    def refresh(self) -> None:
        """Ask Airflow."""
        wanted = set(self.dag_ids)
        self.runs = {
            run["dag_id"]: run["state"] for run in self.airflow.dag_runs("~") if run["dag_id"] in wanted
        }
        self.tasks = [task for task in self.airflow.task_instances("~", "~") if task["dag_id"] in wanted]
        self.rows = [
            Row(task["dag_id"], task["dag_run_id"], task, self._delivery(task))
            for task in sorted(self.tasks, key=lambda task: (task["dag_id"], task_label(task)))
            if (task["operator"] or "").startswith(TRANSFERS)
        ]

    def _delivery(self, task: Mapping[str, Any]) -> Any:
        key = (task["id"], task["state"])
        if task["state"] == "success" and key not in self._deliveries:
            self._deliveries[key] = self.airflow.xcom(
                task["dag_id"], task["dag_run_id"], task["task_id"], map_index=task["map_index"]
            )
        return self._deliveries.get(key)


def follow(progress: Progress, console: Console, timeout: float) -> None:
    """Show the runs until all of them have ended."""
    deadline = time.monotonic() + timeout
    with _showing(progress, console) as show:
        while not progress.finished:
            if time.monotonic() > deadline:
                late = sorted(d for d in progress.dag_ids if progress.runs.get(d) not in FINISHED)
                raise DemoError(f"Not finished within {timeout:.0f} s: {', '.join(late)}")
            pause(0.5)
            progress.refresh()
            show()


@contextlib.contextmanager
def _showing(progress: Progress, console: Console) -> Iterator[Any]:
    if console.is_terminal:
        from rich.live import Live

        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda: live.update(table(progress.rows, console.width), refresh=True)
        return

    start, last = time.monotonic(), dict[str, str]()

    def print_changes() -> None:
        for row in progress.rows:
            if last.get(row.name) != row.state:
                last[row.name] = row.state
                console.print(f"{time.monotonic() - start:6.1f} s  {row.name}: {row.state}", highlight=False)

    yield print_changes


#: columns of a terminal from which the table shows where a report landed
WIDE = 120


def table(rows: Sequence[Row], width: int = WIDE) -> Table:
    """Return the table of reports, one line for each in a terminal of 100 columns."""
    from rich.table import Table

    result = Table(title="Reports")
    for heading in ("Report", "State"):
        result.add_column(heading)
    for heading in ("Rows", "Bytes"):
        result.add_column(heading, justify="right")
    if width >= WIDE:
        result.add_column("URI", overflow="fold")
    result.add_column("Check", overflow="fold")
    for row in rows:
        delivery = row.delivery or {}
        colour = COLOURS.get(row.state, "default")
        result.add_row(
            row.name,
            f"[{colour}]{row.state}[/]",
            _number(delivery.get("rows")),
            _number(delivery.get("bytes")),
            *([delivery.get("uri", "")] if width >= WIDE else []),
            row.check,
        )
    return result


def columns(rows: Sequence[Row]) -> list[str]:
    """Return a line for each report with a manifest: its columns, and where the manifest is."""
    return [
        f"{row.name} has the columns {', '.join(row.delivery['columns'] or ['(unknown)'])}; "
        f"manifest: {row.delivery['manifest']}"
        for row in rows
        if row.delivery and row.delivery.get("manifest")
    ]


def total(rows: Sequence[Row], seconds: float) -> str:
    """Return the line below the table."""
    good = [row.delivery for row in rows if row.verified and row.delivery]
    landed_rows, landed_bytes = (sum(delivery[key] or 0 for delivery in good) for key in ("rows", "bytes"))
    return (
        f"{len(good)} of {len(rows)} reports landed and verified: "
        f"{landed_rows:,} rows, {landed_bytes:,} bytes, in {seconds:.0f} s."
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
