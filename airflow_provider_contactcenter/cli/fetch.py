"""Fetch one report without a DAG: submitted, waited for, streamed to a file, and proved.

REPORT is a builder's name, with its parameters as key=value:
  contactcenter fetch talkdesk_report report_type=calls start=2024-05-01T00:00:00Z end=2024-05-02T00:00:00Z
    --output calls.csv
or a YAML file as load_reports reads it, or one report as a JSON file; key=value then replace what stands
there.

The delivery is printed as JSON, on the last line of standard output; with --output - the report goes there,
and the delivery is the last line of standard error. Nothing is left at the path if it fails.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.cli.surroundings import own_output, resolve_as_server
from airflow_provider_contactcenter.clock import Clock

if TYPE_CHECKING:
    from airflow_provider_contactcenter.life.run import Run
    from airflow_provider_contactcenter.nouns import Report
    from airflow_provider_contactcenter.shapes import Shape
    from airflow_provider_contactcenter.stores.base import Readable, Store, Stored

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)
log.propagate = False  # Airflow would say the same once more

#: seconds between the first looks, and between looks at most
POLL_INTERVAL, MAX_POLL_INTERVAL = 5.0, 60.0
REPORT_TIMEOUT = timedelta(hours=12)
#: exit status after Ctrl-C, as shells have it
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("source", metavar="REPORT", help="a builder's name, a YAML file, or a JSON file")
    parser.add_argument(
        "values",
        nargs="*",
        type=_value,
        metavar="KEY=VALUE",
        help="a parameter of the builder; VALUE is JSON, or a plain string where it isn't",
    )
    parser.add_argument(
        "--output", required=True, metavar="PATH", help="where the report lands; - is standard output"
    )
    parser.add_argument("--report", metavar="NAME", help="which report of a YAML file")
    parser.add_argument("--shape", metavar="JSON|FILE", help="the parameters of shape(), as JSON or YAML")


def _value(argument: str) -> tuple[str, Any]:
    key, equals, value = argument.partition("=")
    if not (equals and key):
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, not {argument!r}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def run(arguments: argparse.Namespace) -> int:
    """Fetch; returns 0, 1 for a report that didn't land, 2 for a bad argument, 130 after Ctrl-C."""
    resolve_as_server()
    with own_output() as output:
        progress = Progress()
        log.addHandler(progress)
        try:
            return _fetch(arguments, output, progress)
        finally:
            progress.clear()
            log.removeHandler(progress)


def _fetch(arguments: argparse.Namespace, output: BinaryIO, progress: Progress) -> int:
    from airflow.providers.common.compat.sdk import AirflowException

    try:
        report = _report(arguments.source, dict(arguments.values), arguments.report)
        shape = None if arguments.shape is None else _shape(arguments.shape)
        run = _run(report, shape, _store(arguments.output, output), progress)
    except InvalidValue as invalid:
        progress.say(str(invalid))
        return 2
    try:
        delivery = run.start()
    except KeyboardInterrupt:
        progress.say(_runs_on(run))
        run.hook.close()
        return INTERRUPTED
    except (AirflowException, InvalidValue) as error:
        progress.say(str(error))
        return 1
    written = json.dumps(delivery)
    if arguments.output == "-":
        progress.say(written)
    else:
        output.write(f"{written}\n".encode())
    return 0


def _runs_on(run: Run) -> str:
    """What becomes of the report when the command is interrupted."""
    if run.job is None:
        return "Interrupted; no report was submitted, as far as the vendor has answered."
    if run.job["job_id"] is None:
        return "Interrupted; nothing runs on."
    vendor = run.hook.vendor
    return f"Interrupted; {vendor.noun} {run.job['job_id']} runs on at {vendor.title}."


# -- what is fetched ----------------------------------------------------------------------------------------


def _report(source: str, values: dict[str, Any], name: str | None) -> Report:
    """The report in its normal form, its window over."""
    from airflow_provider_contactcenter.vendors.intake import check_report

    path = Path(source)
    if path.suffix in {".yaml", ".yml"}:
        report = _overlaid(_of_yaml(path, values, name), values)
    elif path.suffix == ".json" or path.is_file():
        report = _overlaid(_of_json(path), values)
    else:
        report = _built(source, values)
    if name is not None and path.suffix not in {".yaml", ".yml"}:
        raise InvalidValue(f"--report {name} is not allowed: it picks a report of a YAML file.")
    return check_report(report, now=datetime.now(UTC))


def _of_yaml(path: Path, values: dict[str, Any], name: str | None) -> Report:
    from airflow_provider_contactcenter.yaml_reports import load_reports

    reports = load_reports(path, **values)
    if name is None and len(reports) == 1:
        return next(iter(reports.values()))
    if name not in reports:
        what = "--report is missing" if name is None else f"--report {name} is not allowed"
        raise InvalidValue(f"{what}: give one of {', '.join(reports)}.")
    return reports[name]


def _of_json(path: Path) -> Report:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{path} can't be read as JSON ({error}).") from None
    if not isinstance(report, dict) or not isinstance(report.get("params"), dict):
        raise InvalidValue(f"{path} holds no report: give the dict that a builder returns.")
    return cast("Report", report)


def _overlaid(report: Report, values: dict[str, Any]) -> Report:
    """The same, with the values of the command line in place of its own."""
    own = dict(values)
    conn_id = own.pop("conn_id", report.get("conn_id"))
    return cast("Report", {**report, "conn_id": conn_id, "params": {**report["params"], **own}})


def _built(name: str, values: dict[str, Any]) -> Report:
    from inspect import signature

    from airflow_provider_contactcenter.vendors import registry

    builders = {builder.__name__: builder for builder in registry.builders().values()}
    if name not in builders:
        known = ", ".join(builders)
        raise InvalidValue(f"{name} is neither a file nor a builder: give a file, or one of {known}.")
    parameters = signature(builders[name]).parameters
    unknown = [key for key in values if key not in parameters]
    missing = [key for key, each in parameters.items() if each.default is each.empty and key not in values]
    if unknown:
        raise InvalidValue(f"{unknown[0]} is not allowed: {name} takes {', '.join(parameters)}.")
    if missing:
        raise InvalidValue(f"{', '.join(missing)} missing: {name} needs it; give {missing[0]}=...")
    return builders[name](**values)


def _shape(given: str) -> Shape:
    """The shape that ``--shape`` asks for."""
    import yaml

    from airflow_provider_contactcenter.shapes import shape

    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8")
        parameters = yaml.safe_load(text)  # JSON is YAML
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise InvalidValue(f"--shape {given} can't be read ({why}).") from None
    if not isinstance(parameters, dict):
        raise InvalidValue(f"--shape {given} is not allowed: give the parameters of shape() as a mapping.")
    try:
        return shape(**parameters)
    except TypeError as error:
        raise InvalidValue(f"--shape {given} is not allowed: {error}.") from None


# -- where it lands, and how --------------------------------------------------------------------------------


def _store(path: str, output: BinaryIO) -> Store:
    from airflow_provider_contactcenter.stores.file import FileStore

    return StandardOutput(output) if path == "-" else FileStore(str(Path(path).absolute()))


class StandardOutput:
    """A store that is a pipe. What was written stays written, so that the exit status has to be looked at."""

    uri = "-"
    dataset = ("file", "-")
    console = None

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def check(self, *, replace: bool = True) -> None:
        """It is open."""

    def exists(self) -> bool:
        """There is nothing to replace."""
        return False

    def read(self) -> Iterator[bytes]:
        """There is nothing to read again."""
        return iter(())

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Write the body."""
        while piece := body.read(1024 * 1024):
            self._output.write(piece)
        self._output.flush()
        return {}

    def delete(self) -> None:
        """There is nothing to delete."""

    def at(self, name: str) -> StandardOutput:
        """There is one only."""
        return self


def _run(report: Report, shape: Shape | None, store: Store, progress: Progress) -> Run:
    """One execution, as that of a transfer's task."""
    from airflow_provider_contactcenter.life.memory import Memory
    from airflow_provider_contactcenter.life.run import Run, Terms
    from airflow_provider_contactcenter.transfers.landing import Landing, shape_of

    context: Any = {"ti": SimpleNamespace()}
    return Run(
        report=report,
        job=None,
        goal=Landing(
            store=store,
            shape=shape_of(shape, report),
            compression=None,
            on_empty="publish",
            replace=True,
            on_exists="fail",
            manifest=None,
            partition_key=None,
            outlets=(),
            context=context,
            log=log,
        ),
        terms=Terms(
            poll_interval=POLL_INTERVAL, max_poll_interval=MAX_POLL_INTERVAL, report_timeout=REPORT_TIMEOUT
        ),
        memory=Memory(context, durable=False, log=log),
        clock=progress,
        hand_over=None,
        label="contactcenter fetch",
        began=None,
        log=log,
    )


class Progress(logging.Handler, Clock):
    """Says on standard error how it goes: on a terminal in one line that counts, else a line per change."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._began = time.monotonic()
        self._last = "starting"
        self._counts = sys.stderr.isatty()

    def emit(self, record: logging.LogRecord) -> None:
        """What the package logs."""
        self._last = record.getMessage()
        if self._counts:
            self._draw(self._last)
        else:
            self.say(self._last)

    def sleep(self, seconds: float) -> None:
        """Wait, and count meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._counts:
                elapsed = timedelta(seconds=int(time.monotonic() - self._began))
                self._draw(f"{elapsed}  {self._last}  (next look in {left:.0f} s)")
            time.sleep(min(left, 1.0) if self._counts else left)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.clear()
        print(line, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the counting line away."""
        if self._counts:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self, line: str) -> None:
        print(
            f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True
        )
