"""What a command needs that runs outside a task: Airflow's secrets, and a standard output of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import BinaryIO


def resolve_as_server() -> None:
    """Let connections be looked up in the metadata database, too.

    Outside a task Airflow 3 asks the environment and the secrets backend alone, unless a process says that it
    may reach the database; ``airflow connections test`` says so in the same way.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


@contextmanager
def own_output() -> Iterator[BinaryIO]:
    """Standard output, for this command alone: what libraries print goes to standard error meanwhile."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "wb") as output, redirect_stdout(sys.stderr):
            yield output
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
