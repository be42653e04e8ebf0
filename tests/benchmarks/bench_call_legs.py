"""Rows per second and memory of pages landing as JSON lines, side by side with their peers, in one run.

``python tests/benchmarks/bench_call_legs.py [--rows 210000] [--runs 3] [--memory 70000 420000] [--detailed]``

Call legs of 8x8 Work in pages of 7,000 (with ``--detailed``: interactions of 8x8 Contact Center in pages of
1,000) come from the sandbox, which is a process of its own. Every contender runs in a fresh process; what is
measured doesn't hold the imports. The contenders take turns, in another order each round.

- ``ours``: the operator of this package, to an S3 server (SeaweedFS) on loopback: counted, hashed, proved.
- ``dlt``: dlt's REST source, which writes JSON lines to local disk (its filesystem destination). Lists inside
  a row stay there (``max_table_nesting=0``); by default dlt makes tables of them, which takes longer.
- ``bare_json``, ``bare_orjson``: a loop over the pages with requests, which writes each row to local disk,
  with the standard json module and with orjson. Nothing is counted, retried or proved.

Memory is the peak of the process above what it held before. ``--memory`` runs ours with other numbers of
rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

MIB = 1 << 20
BUCKET = "contactcenter"
PAGE = 7000
PARAMS = {
    "pbxId": "acmecorp",
    "startTime": "2025-05-01 00:00:00",
    "endTime": "2025-05-02 00:00:00",
    "timeZone": "UTC",
    "pageSize": str(PAGE),
}
WINDOW = {"start": "2025-05-01T00:00:00Z", "end": "2025-05-02T00:00:00Z"}


# --- one contender, in a process of its own -----------------------------------------------------------------


def ours(given: dict[str, Any]) -> Callable[[], int]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: F401 - imports are not measured

    from airflow_provider_contactcenter import reports
    from airflow_provider_contactcenter.hooks import eight_by_eight_cc, eight_by_eight_work  # noqa: F401
    from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

    if given["detailed"]:
        report = reports.eight_by_eight_detailed_report("detailed-reports-interaction-details", **WINDOW)
    else:
        report = reports.eight_by_eight_call_legs(pbx_id="acmecorp", page_size=PAGE, **WINDOW)
    task = ContactCenterToS3Operator(
        task_id="rows", report=report, s3_key=f"s3://{BUCKET}/rows.jsonl", deferrable=False
    )
    ti = SimpleNamespace(
        dag_id="nightly",
        task_id="rows",
        run_id="manual",
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
    )

    def execute() -> int:
        delivery = task.execute({"ti": ti, "outlet_events": {}})
        assert delivery["complete"] is not False
        return int(delivery["rows"])

    return execute


def dlt(given: dict[str, Any]) -> Callable[[], int]:
    import dlt as tool
    from dlt.sources.helpers.rest_client.paginators import HeaderCursorPaginator, JSONResponseCursorPaginator
    from dlt.sources.rest_api import rest_api_source

    class Scroll(JSONResponseCursorPaginator):
        """The cursor behind the last page is two words."""

        def update_state(self, response: requests.Response, data: Any = None) -> None:
            super().update_state(response, data)
            if self._next_reference == "No Data":
                self._next_reference = None
                self._has_next_page = False

    folder = Path(given["folder"]) / f"dlt-{os.getpid()}"
    pipeline = tool.pipeline(
        pipeline_name=f"legs{os.getpid()}",
        pipelines_dir=str(folder / "state"),
        destination=tool.destinations.filesystem(bucket_url=(folder / "out").as_uri()),
        dataset_name="work",
    )

    def execute() -> int:
        resource: dict[str, Any] = {"name": "rows", "max_table_nesting": 0}
        if given["detailed"]:
            url, headers = _interactions()
            resource["endpoint"] = {
                "path": "data",
                "params": {"size": "1000"},
                "data_selector": "$",
                "paginator": HeaderCursorPaginator("Last-Document-Id", "lastDocumentId"),
            }
            resource["processing_steps"] = [
                {"map": lambda row: {item["key"]: item["value"] for item in row["items"]}}
            ]
        else:
            url, headers = _token(given)
            resource["endpoint"] = {
                "path": "v2/call-legs",
                "params": PARAMS,
                "data_selector": "data",
                "paginator": Scroll(cursor_path="meta.scrollId", cursor_param="scrollId"),
            }
        source = rest_api_source({"client": {"base_url": url, "headers": headers}, "resources": [resource]})
        pipeline.run(source, loader_file_format="jsonl")
        counts: dict[str, int] = pipeline.last_trace.last_normalize_info.row_counts
        return counts["rows"]

    return execute


def bare_json(given: dict[str, Any]) -> Callable[[], int]:
    return lambda: _loop(given, json.loads, lambda row: json.dumps(row).encode() + b"\n")


def bare_orjson(given: dict[str, Any]) -> Callable[[], int]:
    import orjson

    option = orjson.OPT_APPEND_NEWLINE
    return lambda: _loop(given, orjson.loads, lambda row: orjson.dumps(row, option=option))


def _loop(given: dict[str, Any], load: Callable[[bytes], Any], dump: Callable[[Any], bytes]) -> int:
    url, headers = _token(given)
    rows, cursor = 0, None
    with requests.Session() as http, (Path(given["folder"]) / "rows.jsonl").open("wb") as out:
        http.headers.update(headers)
        while cursor != "No Data":
            params = {**PARAMS, "scrollId": cursor} if cursor else PARAMS
            page = load(http.get(f"{url}/v2/call-legs", params=params, timeout=60).content)
            cursor = page["meta"]["scrollId"]
            rows += len(page["data"])
            for row in page["data"]:
                out.write(dump(row))
    return rows


def _token(given: dict[str, Any]) -> tuple[str, dict[str, str]]:
    connection = json.loads(os.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT"])
    extra = connection["extra"]
    key = {"8x8-apikey": extra["api_key"]}
    form = {"username": connection["login"], "password": connection["password"]}
    token = requests.post(extra["auth_url"], data=form, headers=key, timeout=60).json()["access_token"]
    return f"{connection['host']}/analytics/work", {**key, "Authorization": f"Bearer {token}"}


def _interactions() -> tuple[str, dict[str, str]]:
    """Order a detailed report by hand; returns its address."""
    connection = json.loads(os.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_CC_DEFAULT"])
    token = requests.post(
        connection["extra"]["auth_url"],
        data={"grant_type": "client_credentials"},
        auth=(connection["login"], connection["password"]),
        timeout=60,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    url = f"{connection['host']}/analytics/cc/v8/historical-metrics/detailed-reports"
    body = {
        "type": "detailed-reports-interaction-details",
        "title": "bench",
        "dateRange": {"start": "2025-05-01T00:00:00.000Z", "end": "2025-05-01T23:59:59.999Z"},
    }
    return f"{url}/{requests.post(url, json=body, headers=headers, timeout=60).json()['id']}", headers


def contend(given: dict[str, Any]) -> None:
    """Run one contender in this process and print what it took."""
    execute = globals()[given["contender"]](given)
    before, peak_before = _memory("VmRSS"), _memory("VmHWM")
    began, cpu = time.perf_counter(), time.process_time()
    rows = execute()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    # If the import's peak was never reached again, the work took less than that.
    memory = max(_memory("VmHWM"), peak_before) - before
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "memory": memory}))


def _memory(field: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at most so far."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # no Linux: the peak serves for both
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            MIB if sys.platform == "darwin" else 1024
        )
    return int(status.split(field + ":")[1].split()[0]) / 1024


# --- the run ------------------------------------------------------------------------------------------------


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """Start it in a process of its own; yields the environment that holds its connections."""
    flags = ["--option", "eight_by_eight_work.retention_years=100"]
    command = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "sandbox", "--port", "0", *flags], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        yield dict(line.split("=", 1) for line in lines)
    finally:
        process.terminate()
        process.wait()


def resize(environ: dict[str, str], rows: int) -> None:
    host = json.loads(environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT"])["host"].removesuffix("/8x8")
    for vendor in ("eight_by_eight_work", "eight_by_eight_cc"):
        body = {"vendor": vendor, "rows": rows}
        requests.post(f"{host}/_sandbox/options", json=body, timeout=60).raise_for_status()


def run(environ: dict[str, str], rows: int, **given: Any) -> dict[str, Any]:
    resize(environ, rows)
    process = subprocess.run(
        [sys.executable, __file__, "--contender", json.dumps(given)],
        env={**os.environ, **environ, "AIRFLOW_HOME": given["folder"], "RUNTIME__DLTHUB_TELEMETRY": "false"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    assert found["rows"] == rows, f"{given['contender']} took {found['rows']} rows of {rows}"
    speed = rows / found["seconds"]
    print(
        f"  {given['contender']}, {rows:,} rows: {speed:,.0f} rows/s, CPU {found['cpu']:.1f} s, "
        f"+{found['memory']:.0f} MiB",
        file=sys.stderr,
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=210_000)
    parser.add_argument("--runs", type=int, default=3, help="rounds, of which the median is taken (3)")
    parser.add_argument("--memory", nargs="*", type=int, default=[], metavar="ROWS", help="also these, ours")
    parser.add_argument("--detailed", action="store_true", help="detailed reports instead of legs")
    parser.add_argument("--contender", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        contend(arguments.contender)
        return
    from airflow_provider_contactcenter.demo.stores import S3Server

    names = ["ours", "dlt"] if arguments.detailed else ["ours", "dlt", "bare_json", "bare_orjson"]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with (
        tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder,
        sandbox() as vendor,
        S3Server() as s3,
    ):
        environ = {**vendor, **s3.environ, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        given = {"folder": folder, "detailed": arguments.detailed}
        for turn in range(arguments.runs):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                found[name].append(run(environ, arguments.rows, contender=name, **given))
        others = {rows: run(environ, rows, contender="ours", **given) for rows in arguments.memory}
    print(f"\n{arguments.rows:,} rows, median of {arguments.runs}")
    print(f"  {'':14}{'rows/s':>9}{'CPU s':>8}{'memory, MiB':>14}")
    for name, runs in found.items():
        speed = arguments.rows / statistics.median(each["seconds"] for each in runs)
        cpu = statistics.median(each["cpu"] for each in runs)
        peak = max(each["memory"] for each in runs)
        print(f"  {name:14}{speed:9,.0f}{cpu:8.1f}{'+' + format(peak, '.0f'):>14}")
    for name in names[1:]:
        # Round by round: what else the machine does in a round, it does to both.
        pairs = zip(found[name], found["ours"], strict=True)
        ratio = statistics.median(theirs["seconds"] / own["seconds"] for theirs, own in pairs)
        print(f"  ours is {ratio:.2f} x as fast as {name}")
    for rows, each in others.items():
        print(f"  ours with {rows:,} rows: +{each['memory']:.0f} MiB")


if __name__ == "__main__":
    main()
