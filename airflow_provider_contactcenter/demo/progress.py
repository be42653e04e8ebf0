"""How the demo's reports are doing: a line per vendor on a terminal, a line per change elsewhere."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.demo.processes import DemoError, pause
from airflow_provider_contactcenter.demo.rest import FINISHED, RestClient, task_label
from airflow_provider_contactcenter.vendors import registry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Operators whose tasks are reports that land.
TRANSFERS = "ContactCenterTo"

#: State of a task -> what is going on, in the order in which it is told.
DOINGS = {
    "failed": "failed",
    "upstream_failed": "failed before",
    "up_for_retry": "to be tried again",
    "running": "running",
    "deferred": "with the vendor",
    "success": "landed",
}
#: what any other state comes to, and none
QUEUED = "queued"

#: rows of a landed file that are shown
FIRST_ROWS = 3


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
    def doing(self) -> str:
        """What is going on with it, or how it was found when it was compared with what the vendor served."""
        return self.check or DOINGS.get(self.task["state"], QUEUED)

    @property
    def verified(self) -> bool:
        """It landed and is what the vendor served."""
        return self.check == "verified"


class Progress:
    """What the runs of some Dags have come to."""

    def __init__(self, rest: RestClient, dag_ids: Sequence[str]) -> None:
        self.rest = rest
        self.dag_ids = dag_ids
        self.started = datetime.now(UTC)
        self.runs: dict[str, str] = {}
        self.tasks: list[dict[str, Any]] = []
        self.rows: list[Row] = []
        self._deliveries: dict[tuple[str, str], Any] = {}

    @property
    def finished(self) -> bool:
        """Each Dag has run, and every run has ended; after a failure, what waits for its asset never runs."""
        states = set(self.runs.values())
        begun = set(self.runs) >= set(self.dag_ids) or "failed" in states
        return bool(states) and begun and states <= FINISHED

    def refresh(self) -> None:
        """Ask Airflow."""
        wanted = set(self.dag_ids)
        self.runs = {
            run["dag_id"]: run["state"] for run in self.rest.dag_runs("~") if run["dag_id"] in wanted
        }
        self.tasks = [task for task in self.rest.task_instances("~", "~") if task["dag_id"] in wanted]
        self.rows = [
            Row(task["dag_id"], task["dag_run_id"], task, self._delivery(task))
            for task in sorted(self.tasks, key=lambda task: (task["dag_id"], task_label(task)))
            if (task["operator"] or "").startswith(TRANSFERS)
        ]

    def _delivery(self, task: Mapping[str, Any]) -> Any:
        key = (task["id"], task["state"])
        if task["state"] == "success" and key not in self._deliveries:
            self._deliveries[key] = self.rest.xcom(
                task["dag_id"], task["dag_run_id"], task["task_id"], map_index=task["map_index"]
            )
        return self._deliveries.get(key)


def follow(progress: Progress, console: Console, timeout: float) -> None:
    """Show the runs until all of them have ended."""
    with _showing(progress, console) as show:
        while not progress.finished:
            now = datetime.now(UTC)
            if (now - progress.started).total_seconds() > timeout:
                late = sorted(d for d in progress.dag_ids if progress.runs.get(d) not in FINISHED)
                raise DemoError(f"Not finished within {timeout:.0f} s: {', '.join(late)}")
            pause(0.5)
            progress.refresh()
            show(now)


@contextlib.contextmanager
def _showing(progress: Progress, console: Console) -> Iterator[Callable[[datetime], None]]:
    if console.is_terminal:
        from rich.live import Live

        # What stays is shown when all has been compared with what was served.
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda now: live.update(table(progress.rows, progress.started, now), refresh=True)
        return

    last: dict[str, str] = {}

    def print_changes(now: datetime) -> None:
        for row in progress.rows:
            if last.get(row.name, QUEUED) != row.doing:
                last[row.name] = row.doing
                elapsed = clock((now - progress.started).total_seconds())
                console.print(f"{elapsed}  {change(row)}", **PLAIN)

    yield print_changes


#: how rich prints a line as it is
PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}


def change(row: Row) -> str:
    """Return the line that tells where a report is now."""
    if row.delivery is None:
        return f"{row.name}: {row.doing}"
    numbers = [
        f"{row.delivery[unit]:,} {unit}" for unit in ("rows", "bytes") if row.delivery[unit] is not None
    ]
    return f"{row.name}: {', '.join([row.doing, *numbers])}, {row.delivery['uri']}"


def vendor_of(dag_id: str) -> str:
    """Return what the vendor of a Dag's reports is called; the Dag itself where its name doesn't tell."""
    found = [name for name in registry.names() if name in dag_id]
    return registry.vendor(found[0]).title if found else dag_id


def by_vendor(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the reports of each vendor."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(vendor_of(row.dag_id), []).append(row)
    return groups


def seconds_of(rows: Sequence[Row], started: datetime, now: datetime) -> float:
    """Return how long these reports have taken so far, or had taken when the last of them ended."""
    ends = [row.task.get("end_date") for row in rows]
    if rows and all(row.task["state"] in FINISHED for row in rows) and all(ends):
        now = max(datetime.fromisoformat(str(end)) for end in ends)
    return max(0.0, (now - started).total_seconds())


def clock(seconds: float) -> str:
    """Return minutes and seconds, ``1:05``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def doings(rows: Sequence[Row]) -> str:
    """Return what is going on with these reports in a few words, ``2 running, 4 with the vendor``."""
    counts = Counter(row.doing for row in rows)
    order = [*DOINGS.values(), QUEUED]
    told = sorted(counts, key=lambda doing: order.index(doing) if doing in order else -1)
    return (
        ", ".join(f"{counts[doing]} {doing}" for doing in told if doing != DOINGS["success"]) or "all landed"
    )


def table(rows: Sequence[Row], started: datetime, now: datetime) -> Table:
    """Return a line for each vendor, and one for all of them."""
    from rich.table import Table

    result = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("Vendor", "Landed", "Time", "Now"):
        result.add_column(
            heading,
            no_wrap=True,
            overflow="ellipsis",
            header_style="dim",
            justify="right" if heading in ("Landed", "Time") else "left",
        )
    for name, group in by_vendor(rows).items():
        result.add_row(*_cells(name, group, started, now))
    result.add_row(*_cells("All", rows, started, now), style="bold")
    return result


def _cells(name: str, rows: Sequence[Row], started: datetime, now: datetime) -> list[Any]:
    from rich.text import Text

    landed = sum(row.delivery is not None for row in rows)
    cells = [
        name,
        f"{landed} of {len(rows)}",
        clock(seconds_of(rows, started, now)),
        doings(rows) if rows else "starting",
    ]
    return [Text(cell) for cell in cells]


def sample(rows: Sequence[Row]) -> Row | None:
    """Return the report of which the first rows are shown: the Parquet that has a manifest."""
    for row in rows:
        if row.delivery and row.delivery.get("manifest") and row.delivery["file_format"] == "parquet":
            return row
    return None


def first_rows(delivery: Mapping[str, Any], content: bytes) -> list[Any]:
    """Return what is shown of a landed Parquet: where it is, its manifest, its columns, its first rows."""
    import pyarrow.parquet
    from rich.table import Table
    from rich.text import Text

    landed = pyarrow.parquet.read_table(io.BytesIO(content))
    columns = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for field in landed.schema:
        columns.add_column(f"{field.name}\n{field.type}", no_wrap=True, overflow="ellipsis")
    for row in landed.slice(0, FIRST_ROWS).to_pylist():
        columns.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    return [
        Text(delivery["uri"]),
        Text(f"{delivery['rows']:,} rows; manifest: {delivery['manifest']}"),
        columns,
    ]


def total(rows: Sequence[Row], seconds: float) -> str:
    """Return the last line about the reports."""
    good = [row.delivery for row in rows if row.verified and row.delivery]
    landed_rows, landed_bytes = (sum(delivery[key] or 0 for delivery in good) for key in ("rows", "bytes"))
    return (
        f"{len(good)} of {len(rows)} reports landed and verified: "
        f"{landed_rows:,} rows, {landed_bytes:,} bytes, in {seconds:.0f} s."
    )
