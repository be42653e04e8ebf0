"""The matrix as tables: what must happen, for the docs, and what a run has seen.

``python -m tests.faults.table`` writes ``docs/fault_matrix.md``.
"""

# ruff: noqa: E501 - a paragraph of the page is a line

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cells import CELLS, ENDED, LANDS, STEPS, Cell, Fault, shared
from tests.faults.subjects import SUBJECTS

PAGE = Path(__file__).parents[2] / "docs" / "fault_matrix.md"

HEAD = """# The fault matrix

What a task does when something breaks, for every vendor. The suite in `tests/faults` writes this page, and a test compares the two:

```
python -m pytest tests/faults                 # a sample: each fault once, as .ci/run has it
python -m pytest tests/faults -m 'not soak'   # every cell, and the processes of a real Airflow
python -m pytest tests/faults -m soak         # 300 reports, 1,000 triggers, 5,000 lifecycles: half an hour
python -m tests.faults.table                  # writes this page again
```

Each cell of the tables is a real transfer against the [sandbox](sandbox.md) and a real store, in which one thing breaks; the test looks at what is left. A task ends in one of two ways:

- **lands**: the whole object is under the key, byte for byte what the vendor served, with one job at the vendor;
- **an error**: its class names the cause, nothing new is under the key, what was there before is untouched, and no multipart upload is left behind.

Under *Cancel* a user ends the task while it waits, deferred or on a worker: it **is ended** whatever the vendor answers, nothing lands, and the log says whether the job runs on.

`A, then lands` means that the first try fails with `A` and that the retry lands. Where the vendor then has **2 jobs**, the first one had failed, or the answer to its submission had been lost, which the log says. In every cell the test searches the log (at DEBUG), the trigger's arguments, events, task state, delivery and exceptions for the vendor's secrets, and checks that a request is never repeated without a pause. With a shape, personal columns are dropped or hashed: the search then covers their values and the hash key, too, in the manifest and every file that is written as well.

Errors are those of `airflow_provider_contactcenter.exceptions`, without their prefix `ContactCenter`. A dash says that the vendor has no such step; *as the file's*, that both kinds of an API's report share it. Where several stores are named, Talkdesk's report goes to each of them and the other vendors' to one in turn; *any*: the cell doesn't depend on the store.
"""

#: step -> heading
HEADINGS = {
    "credentials": "Credentials",
    "token": "Token",
    "watermark": "Watermark",
    "submit": "Submit",
    "poll": "Wait",
    "fetch": "The link to the file",
    "body": "The file",
    "page": "Pages",
    "cancel": "Cancel",
    "report": "An empty report",
    "shape": "A shape",
    "store": "The store",
}

COLUMNS = {
    "Talkdesk": "Talkdesk",
    "Khoros Care": "Khoros Care",
    "8x8 Contact Center, summary file": "8x8 CC file",
    "8x8 Contact Center, detailed pages": "8x8 CC pages",
    "8x8 Work, call legs": "8x8 Work pages",
    "V-Spark": "V-Spark",
    "Genesys Cloud": "Genesys Cloud",
}


@dataclass(frozen=True)
class Measured:
    """What one cell's run has seen."""

    cell: Cell
    ended: str
    requests: str
    jobs: int
    bucket: str


def summary(rows: list[Measured]) -> str:
    """What a run has seen, cell by cell."""
    lines = [
        "cell | ended | requests | jobs | in the bucket",
        *(f"{row.cell.name} | {row.ended} | {row.requests} | {row.jobs} | {row.bucket}" for row in rows),
    ]
    counted = Counter(row.ended.rsplit(", ", 1)[-1] for row in rows)
    lines.append(f"{len(rows)} cells: " + ", ".join(f"{many} {end}" for end, many in counted.most_common()))
    return "\n".join(lines)


def page() -> str:
    """The docs' page: what must happen."""
    parts = [HEAD]
    for step, heading in HEADINGS.items():
        parts.append(f"\n## {heading}\n")
        parts.append("| " + " | ".join(["what happens", "store", *COLUMNS.values()]) + " |")
        parts.append("|---" * (2 + len(COLUMNS)) + "|")
        faults: dict[str, list[Cell]] = {}
        for cell in CELLS:
            if cell.fault.step == step:
                faults.setdefault(cell.fault.what, []).append(cell)
        parts += [_row(cells) for cells in faults.values()]
    return "\n".join(parts) + "\n" + TAIL


TAIL = """
## Processes

On a real Airflow, for Talkdesk (jobs) and 8x8 Work Analytics (pages): see `tests/faults/test_processes.py`.

| what happens | jobs at the vendor | ends |
|---|---|---|
| worker killed before the report was submitted | 1 | the retry submits and lands; it warns that there may be two |
| worker killed while the answer to the submission is on its way | 2 | the retry submits and lands; it warns that there may be two |
| worker killed after the submission | 1 | the retry takes the job up and lands |
| worker killed in mid-download | 1 | the retry takes the job up and lands |
| triggerer killed (SIGKILL) or ended (SIGTERM) while waiting | 1 | lands |
| scheduler killed while waiting | 1 | lands |
| user marks the task failed while it waits | 1 | nothing lands; the log says that the job runs on at the vendor |
| user clears the task while it waits | 2 | submitted again; lands |
| user clears the task after success | 2 | submitted again; the object is replaced |
| user clears the task while it runs on a worker | 2 | submitted again; lands |

## Two tasks at once

Two tasks with `replace=False` that read their reports to the end at the same moment, in each of the five stores: one lands, the other ends with `ObjectExistsError`, and the object is the winner's, whole. See `tests/transfers/test_every_store.py`.

## What no client can notice

A CSV file that comes without a length and without chunks, and is cut exactly between two records, looks like a whole one. It lands with a warning, and its delivery says `complete: null`.

## What nobody can clean up

A worker that is killed in mid-upload, or a store that is gone for good, leaves parts or a hidden file behind; nothing of it is under the key. What it is in each store, and how it goes: [Stores](stores.md#what-lingers).
"""


def _row(cells: list[Cell]) -> str:
    fault: Fault = cells[0].fault
    stores = ", ".join(dict.fromkeys(cell.store for cell in cells)) if fault.stores else "any"
    ends = {cell.subject.name: ending(cell) for cell in cells}

    def absent(name: str) -> str:
        subject = next(subject for subject in SUBJECTS if subject.name == name)
        return "as the file's" if shared(fault, subject) else "–"

    return (
        "| " + " | ".join([fault.what, stores, *(ends.get(name) or absent(name) for name in COLUMNS)]) + " |"
    )


def ending(cell: Cell) -> str:
    """How a cell ends, for a reader."""
    words = [
        end if end in {LANDS, ENDED} else f"`{end.removeprefix('ContactCenter')}`" for end in cell.ends.tries
    ]
    return ", then ".join(words) + (", 2 jobs" if cell.jobs == 2 else "")


assert list(COLUMNS) == [subject.name for subject in SUBJECTS]
assert set(STEPS) < set(HEADINGS)

if __name__ == "__main__":
    PAGE.write_text(page())
