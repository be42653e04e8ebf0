"""Each DAG of README, docs and examples lands the rows of a day under the name of that day.

Its tasks run in this process, against the sandbox and real stores, in the kinds of run that know a day: by
schedule, in a backfill, by hand with a date, as a partitioned DAG's. Each kind dates a run in another way.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from tests.test_docs import IMPORTS, PAGES, ROOT, blocks
from tests.transfers.conftest import context as task_context

pytestmark = pytest.mark.slow

ZONES = ("Europe/Berlin", "America/Santiago", "Asia/Kolkata")
BUCKET = "lake"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NAMED_ZONE = re.compile(r"\"(America|Asia|Europe)/\w+\"")


class Source(NamedTuple):
    """A DAG file, or a part of a page that would be one."""

    place: str
    code: str


def sources() -> Iterator[Source]:
    for path in sorted((ROOT / "example_dags").glob("*.py")):
        if "task_group" not in path.read_text():  # a test of its own runs that one
            yield Source(path.name, path.read_text())
    for path in PAGES:
        for block in blocks(path):
            if block.language == "python" and IMPORTS.search(block.code) and "ContactCenterTo" in block.code:
                yield Source(block.place, block.code)


def in_each_zone() -> Iterator[Any]:
    """As it is printed, and in other zones where it names one."""
    for source in sources():
        yield pytest.param(source, id=source.place)
        if NAMED_ZONE.search(source.code) and "plan_windows" not in source.code:
            for zone in ZONES:
                if "eight_by_eight_summary_report" in source.code and zone == "America/Santiago":
                    continue  # the sandbox's tenant doesn't have it
                code = NAMED_ZONE.sub(f'"{zone}"', source.code).replace("'America/New_York'", f"'{zone}'")
                yield pytest.param(Source(source.place, code), id=f"{source.place}-{zone}")


def dags(source: Source) -> list[DAG]:
    """The DAGs of a source; tasks outside of any are those of a daily one."""
    loose = DAG("loose", schedule=CronDataIntervalTimetable("@daily", timezone="UTC"), start_date=LONG_AGO)
    namespace: dict[str, Any] = {"__name__": "example", "__file__": str(ROOT / "example_dags" / source.place)}
    code = compile(source.code, source.place, "exec")
    try:
        if "with DAG(" in source.code:
            found: list[DAG] = []
            enter = DAG.__enter__
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(DAG, "__enter__", lambda dag: [found.append(dag), enter(dag)][1])
                exec(code, namespace)
            return found
        with loose:
            exec(code, namespace)
    except ImportError as error:
        if not str(error.name or "").startswith("airflow.sdk"):
            raise
        pytest.skip(f"this Airflow is older than the example: {error}")
    return [loose]


# --- kinds of run -------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """How Airflow dates a run."""

    run_type: str
    logical_date: datetime
    interval: DataInterval


class Partition(NamedTuple):
    """A run without a data interval; one without a partition either, if the date is None."""

    run_type: str
    date: Any


def scheduled(timetable: Any, day: date, run_type: str = "scheduled") -> Run:
    """The run whose interval begins on a day or before it."""
    begin = datetime.combine(day, time(12), UTC) - timedelta(days=9)
    last, found = None, None
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last,
            restriction=TimeRestriction(pendulum.instance(begin), None, True),
        )
        last = info.data_interval
        if last.start.date() > day:
            break
        found = last
    assert found is not None
    return Run(run_type, found.start, found)


def backfilled(timetable: Any, day: date) -> Run:
    return scheduled(timetable, day, "backfill")


def by_hand(timetable: Any, day: date) -> Run:
    """Through the UI or REST: the interval is the last whole one before the date that is given."""
    given = pendulum.instance(datetime.combine(day, time(15, 30), UTC)).add(days=1)
    return Run("manual", given, timetable.infer_manual_data_interval(run_after=given))


def by_command(timetable: Any, day: date) -> Run:
    """``airflow dags trigger -l``: the interval is the last whole one before now, whatever date is given."""
    given = pendulum.instance(datetime.combine(day, time(), UTC)).subtract(days=40)
    now = pendulum.instance(datetime.combine(day, time(15, 30), UTC)).add(days=1)
    return Run("manual", given, timetable.infer_manual_data_interval(run_after=now))


KINDS: tuple[Callable[[Any, date], Run], ...] = (scheduled, backfilled, by_hand, by_command)


def days(zone: str) -> list[date]:
    """An ordinary day of the last year, and the last on which the clocks of a zone went forward or back."""
    today = datetime.now(UTC).date()
    changes = [
        day
        for day in (today - timedelta(days=n) for n in range(12, 380))
        if datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset()
        != datetime.combine(day - timedelta(days=1), time(12), ZoneInfo(zone)).utcoffset()
    ]
    return [today - timedelta(days=11), *changes[:2]]


def runs_of(source: Source, timetable: Any) -> tuple[str, list[tuple[str, Run | Partition]]]:
    """The zone of a DAG's days, and runs of each kind."""
    if isinstance(timetable, CronDataIntervalTimetable):
        zone = timetable.serialize()["timezone"]
        chosen = days(zone) if NAMED_ZONE.search(source.code) else days(zone)[:1]
        found = [(kind.__name__, kind(timetable, day)) for kind in KINDS for day in chosen]
        # By hand, on a day whose midnight the clocks skipped, it is empty, and is refused.
        with_interval = [(name, run) for name, run in found if run.interval.start != run.interval.end]
        daily = all(run.interval.end - run.interval.start < timedelta(days=2) for _, run in with_interval)
        return zone, [*with_interval, *(partitions(chosen, zone) if daily else [])]
    named = NAMED_ZONE.search(source.code)
    assert named
    zone = named[0].strip('"')
    if "Partition" not in type(timetable).__name__:
        return zone, [("by hand without a date", Partition("manual", None))]
    return zone, partitions(days(zone), zone)


def partitions(days: list[date], zone: str) -> list[tuple[str, Run | Partition]]:
    """The runs of a partitioned DAG, which may have the same tasks as a daily one."""
    ticks = [datetime.combine(day, time(12), ZoneInfo(zone)) for day in days]
    return [("partition", Partition("scheduled", pendulum.instance(tick))) for tick in ticks]


# --- one run ------------------------------------------------------------------------------------------------


def variables(run: Run | Partition, dag: DAG) -> dict[str, Any]:
    """What Airflow gives a task's templates."""
    base = {
        **task_context(),
        "outlet_events": defaultdict(lambda: SimpleNamespace(extra={})),
        "dag": dag,
        "dag_run": SimpleNamespace(run_type=run.run_type, conf={}),
    }
    if isinstance(run, Partition):
        shared = {"partition_date": run.date, "partition_key": run.date and "any"}
        return {**base, **shared}
    return {
        **base,
        "run_id": "run",
        "params": {},
        "logical_date": run.logical_date,
        "ds": run.logical_date.in_timezone("UTC").strftime("%Y-%m-%d"),  # type: ignore[attr-defined]
        "data_interval_start": run.interval.start,
        "data_interval_end": run.interval.end,
    }


def landed(dag: DAG, run: Run | Partition, known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The deliveries of a DAG's tasks, which run one after the other.

    :param known: what a task returned, by what its templates became: the same isn't landed twice.
    """
    results: dict[str, Any] = {}

    def value(given: Any) -> Any:
        return results[given.operator.task_id] if hasattr(given, "operator") else given

    for task in dag.topological_sort():
        shared = variables(run, dag)
        if hasattr(task, "python_callable"):
            wanted = task.python_callable.__code__
            names = wanted.co_varnames[: wanted.co_argcount]
            given = task.render_template(task.op_kwargs, shared)
            results[task.task_id] = task.python_callable(
                **{name: given[name] if name in given else shared[name] for name in names}
            )
            continue
        if hasattr(task, "expand_input"):
            [(name, values)] = task.expand_input.value.items()
            given = list(value(values))
            given = given[:3] + given[3:][-3:]  # a half year would take long
            copies = [task.unmap({name: each}) for each in given]
        else:
            copies = [task.prepare_for_execution()]
        for copy in map(in_gcs, copies):
            for name in ("report", "job"):
                if hasattr(getattr(copy, name, None), "operator"):
                    setattr(copy, name, value(getattr(copy, name)))
            copy.deferrable, copy.poll_interval = False, 0.05
            own = {**shared, "task": copy}
            copy.render_template_fields(own)
            if hasattr(copy, "s3_extra_args"):
                copy.s3_extra_args = None  # the store has no keys
            if hasattr(copy, "replace"):
                copy.replace = True  # other examples use the same bucket
            rendered = repr((task.task_id, [getattr(copy, name) for name in copy.template_fields]))
            if type(copy).__name__ == "LookBackOperator":
                rendered += run.run_type
            if rendered not in known:
                known[rendered] = copy.execute(own)
            result = known[rendered]
            results.setdefault(task.task_id, []).append(result)
            if isinstance(result, dict) and "uri" in result:
                yield result
        if not hasattr(task, "expand_input"):
            [results[task.task_id]] = results[task.task_id]


def in_gcs(task: Any) -> Any:
    """What lands elsewhere than in S3 or GCS lands in GCS: here it is the object's name that counts."""
    for name in ("blob_name", "remote_path", "path"):
        if hasattr(task, name):
            return ContactCenterToGCSOperator(
                task_id=task.task_id,
                report=task.report,
                bucket_name=BUCKET,
                object_name=getattr(task, name).lstrip("/"),
            )
    return task


@pytest.fixture(scope="module")
def stores() -> Iterator[dict[str, Any]]:
    environ = os.environ.copy()
    with S3Server([BUCKET]) as s3, GCSServer([BUCKET]) as gcs:
        yield {"s3": s3, "gs": gcs}
    os.environ.clear()
    os.environ.update(environ)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, stores: dict[str, Any]) -> Iterator[Sandbox]:
    at_once = {"talkdesk": {"ladder": []}, "khoros_care": {"ladder": []}, "eight_by_eight_cc": {"ladder": []}}
    with Sandbox(rows=12, options=at_once) as sandbox:
        environ = dict(sandbox.environ)
        for tenant in ("NORTH", "SOUTH"):
            environ[f"AIRFLOW_CONN_TALKDESK_{tenant}"] = environ["AIRFLOW_CONN_TALKDESK_DEFAULT"]
        for store in stores.values():
            environ |= store.environ
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


# --- what landed --------------------------------------------------------------------------------------------


def milliseconds(value: Any) -> datetime:
    return datetime.fromtimestamp(int(value) / 1000, UTC)


def moment(value: str) -> datetime:
    """A time with an offset, or one of UTC without."""
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


#: column -> the instant in it, for those that the sandbox chooses rows by
COLUMNS: dict[str, Callable[[str], datetime]] = {
    "start_at": moment,
    "status_start_at": moment,
    "started_at": moment,
    "CREATED_TIME": milliseconds,
    "disconnectedTimeUTC": milliseconds,
}


def instants(delivery: dict[str, Any], content: bytes) -> list[datetime]:
    """When the rows happened, where they say it; of a vendor's statistics, noon of their days in UTC."""
    if delivery["compression"]:
        content = gzip.decompress(content)
    text = content.decode("utf-8", "replace")
    rows: list[dict[str, Any]] = []
    if delivery["uri"].endswith((".csv", ".csv.gz")):
        rows = list(csv.DictReader(io.StringIO(text)))
    elif delivery["uri"].endswith(".jsonl"):
        rows = [json.loads(line) for line in text.split("\n") if line]
    params = delivery["job"]["report"]["params"]
    if delivery["job"]["vendor"] == "vspark":
        zone = ZoneInfo(params["timezone"])
        return [datetime.strptime(row["date"], "%Y%m%d").replace(hour=12, tzinfo=zone) for row in rows]
    return [
        read(row[column])
        for row in rows
        for column, read in COLUMNS.items()
        if column in row
        and row[column]
        and not (column.startswith("start") and params.get("timezone") != "UTC")
    ]


@pytest.mark.parametrize("source", list(in_each_zone()))
def test_a_dag_lands_the_rows_of_a_day_under_its_name(
    source: Source, sandbox: Sandbox, stores: dict[str, S3Server | GCSServer]
) -> None:
    seen = 0
    for dag in dags(source):
        timetable = dag.timetable
        if "schedule=[" in source.code and not isinstance(timetable, CronDataIntervalTimetable):
            continue  # what an asset starts has no window of its own
        known: dict[str, Any] = {}
        zone, runs = runs_of(source, timetable)
        for kind, run in runs:
            for delivery in landed(dag, run, known):
                seen += 1
                [name] = re.findall(r"\d{4}-\d{2}-\d{2}", delivery["uri"])
                window = {k: datetime.fromisoformat(v) for k, v in delivery["window"].items()}
                first = window["start"].astimezone(ZoneInfo(zone))
                assert name == first.date().isoformat(), (kind, delivery["window"])
                assert (window["start"] - timedelta(seconds=1)).astimezone(
                    ZoneInfo(zone)
                ).date() < first.date()
                scheme, _, place = delivery["uri"].partition("://")
                content = b"".join(stores[scheme].stream(*place.split("/", 1)))
                for instant in instants(delivery, content):
                    assert window["start"] <= instant < window["end"], (kind, name)
    assert seen


# --- by dag.test --------------------------------------------------------------------------------------------

YAML_TEST = """
from datetime import UTC, datetime

from dags.example_yaml import dag


def test_the_reports_of_the_file_land(contactcenter_sandbox, s3, airflow_db):
    contactcenter_sandbox.set_options("talkdesk", ladder=[])
    assert dag.test(logical_date=datetime(2024, 5, 2, tzinfo=UTC)).state == "success"
    landed = {key for key in s3.keys("lake") if key.startswith("yaml/")}
    assert landed == {
        f"yaml/talkdesk_default/{name}/2024-05-01.{suffix}"
        for name, suffix in (("calls", "csv"), ("contacts", "jsonl"), ("user_status", "csv"))
    }
"""


@pytest.mark.parametrize("which", ["calls", "yaml"])
def test_what_the_page_on_testing_prints_passes(which: str, tmp_path: Path) -> None:
    """A folder as the page has it, in a Python of its own; and the example with a mapped group in it."""
    printed = [block.code for block in blocks(ROOT / "docs" / "testing_your_dags.md")]
    [conftest] = [code for code in printed if "def airflow_db" in code]
    [test] = [code for code in printed if "dags.talkdesk_calls" in code]
    [tutorial] = [b.code for b in blocks(ROOT / "docs" / "tutorial.md") if '"talkdesk_calls"' in b.code]
    folder = tmp_path / "dags"
    folder.mkdir()
    (tmp_path / "conftest.py").write_text(conftest)
    if which == "calls":
        (folder / "talkdesk_calls.py").write_text(tutorial.replace("\n):\n", "\n) as dag:\n", 1))
        (tmp_path / "test_calls.py").write_text(test)
    else:
        example = (ROOT / "example_dags" / "example_yaml.py").read_text()
        (folder / "example_yaml.py").write_text(example.replace("\n):\n", "\n) as dag:\n", 1))
        shutil.copy(ROOT / "example_dags" / "reports.yaml", folder)
        (tmp_path / "test_yaml.py").write_text(YAML_TEST.replace("s3.keys(", "keys(s3, ") + KEYS)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-6000:]


KEYS = """

def keys(s3, bucket):
    return [found["Key"] for found in s3.client().list_objects_v2(Bucket=bucket)["Contents"]]
"""
