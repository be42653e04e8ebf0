"""Speed and memory of the transfers, side by side with their peers, in one run.

``python tests/benchmarks/bench_transfer.py [--mib 256] [--runs 3] [--memory 64 1024] [--chunks]``

A CSV of awkward data (commas, quotes, quoted newlines, emoji) goes from the sandbox, which is a process of
its own, to an S3 server (SeaweedFS) and a GCS server (fake-gcs-server) on loopback. Every contender runs in a
fresh process; what is measured is the task's ``execute``, without imports. The contenders take turns, in
another order each round, and the medians are compared. Temporary files go where TMPDIR says: on a slow disk
the S3 server is what is measured.

- ``ours``: the operator of this package, the whole life of a report: ordered, downloaded, counted, hashed.
- ``peer``: HttpToS3Operator or HttpToGCSOperator, a plain GET of the same file behind its signed link.
- ``peer, one attempt`` (GCS): the same with ``num_max_attempts=1``; as it comes, it uploads three times.
- ``upload alone`` (S3): S3Hook.load_file of the same file on local disk; nothing is fetched or counted.

Memory is the peak of the process above what it held before ``execute``; the clients that a task makes for
itself (boto3's takes 20 to 30 MiB) are part of it.

fake-gcs-server keeps a resumable upload as one growing piece, so each chunk costs as much as all before it:
small chunks get slower with the size of the file. The real GCS doesn't; ``--chunks`` shows the effect.
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
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

MIB = 1 << 20
BUCKET = "contactcenter"
KEY = "calls.csv"
WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


# --- one contender, in a process of its own -----------------------------------------------------------------


def ours_s3(given: dict[str, Any]) -> Callable[[], Any]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: F401 - imports are not measured

    from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

    task = ContactCenterToS3Operator(
        task_id="calls", report=_report(), s3_key=f"s3://{BUCKET}/{KEY}", deferrable=False, **given["options"]
    )
    return lambda: task.execute(_context())


def ours_gcs(given: dict[str, Any]) -> Callable[[], Any]:
    from airflow.providers.google.cloud.hooks.gcs import GCSHook  # noqa: F401

    from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator

    task = ContactCenterToGCSOperator(
        task_id="calls",
        report=_report(),
        bucket_name=BUCKET,
        object_name=KEY,
        deferrable=False,
        **given["options"],
    )
    return lambda: task.execute(_context())


def peer_s3(given: dict[str, Any]) -> Callable[[], Any]:
    from airflow.providers.amazon.aws.transfers.http_to_s3 import HttpToS3Operator

    task = HttpToS3Operator(
        task_id="calls", endpoint=given["path"], s3_bucket=BUCKET, s3_key=KEY, replace=True
    )
    return lambda: task.execute({})


def peer_gcs(given: dict[str, Any]) -> Callable[[], Any]:
    from airflow.providers.google.cloud.transfers.http_to_gcs import HttpToGCSOperator

    task = HttpToGCSOperator(
        task_id="calls", endpoint=given["path"], bucket_name=BUCKET, object_name=KEY, **given["options"]
    )
    return lambda: task.execute({})


def upload_alone(given: dict[str, Any]) -> Callable[[], Any]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook("aws_default")
    return lambda: hook.load_file(given["file"], KEY, BUCKET, replace=True)


def _report() -> Any:
    from airflow_provider_contactcenter.reports import talkdesk_report

    return talkdesk_report("calls", **WINDOW)


def _context() -> Any:
    ti = SimpleNamespace(
        dag_id="nightly",
        task_id="calls",
        run_id="manual",
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
    )
    return {"ti": ti, "outlet_events": {}}


def contend(given: dict[str, Any]) -> None:
    """Run one contender in this process and print what it took."""
    execute = globals()[given["contender"]](given)
    before, peak_before = _memory("VmRSS"), _memory("VmHWM")
    began, cpu = time.perf_counter(), time.process_time()
    result = execute()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = _memory("VmHWM")
    found = {
        "seconds": seconds,
        "cpu": cpu,
        # If the import's peak was never reached again, the task took less than that.
        "memory": max(peak, peak_before) - before,
        "delivery": {name: result[name] for name in ("bytes", "rows")} if isinstance(result, dict) else None,
    }
    print(json.dumps(found))


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


class Vendor:
    """The sandbox in a process of its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.connection = json.loads(environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
        self.url = self.connection["host"].removesuffix("/talkdesk")

    def resize(self, mib: int) -> None:
        self.set_options(bytes=mib * MIB)

    def set_options(self, **options: Any) -> None:
        body = {"vendor": "talkdesk", **options}
        requests.post(f"{self.url}/_sandbox/options", json=body, timeout=60).raise_for_status()

    def served(self) -> list[dict[str, Any]]:
        """What went out since the last time."""
        answer = requests.get(f"{self.url}/_sandbox/served", timeout=60)
        found: list[dict[str, Any]] = answer.json()
        return found

    def link(self) -> str:
        """Order the report by hand and return the signed link to its file."""
        _, headers, url = self.order()
        answer = requests.get(
            url.replace("/jobs/", "/files/"), headers=headers, allow_redirects=False, timeout=60
        )
        return str(answer.headers["Location"])

    def order(self) -> tuple[dict[str, Any], dict[str, str], str]:
        """Order the report by hand: the job as this package knows it, a token's header, where to poll."""
        from airflow_provider_contactcenter.nouns import new_job

        connection, extra = self.connection, self.connection["extra"]
        grant = requests.post(
            (extra if isinstance(extra, dict) else json.loads(extra))["auth_url"],
            data={"grant_type": "client_credentials"},
            auth=(connection["login"], connection["password"]),
            timeout=60,
        ).json()
        headers = {"Authorization": f"Bearer {grant['access_token']}"}
        timespan = {"from": WINDOW["start"], "to": WINDOW["end"]}
        body = {"timezone": "UTC", "format": "csv", "timespan": timespan}
        jobs = f"{connection['host']}/data/reports/calls/jobs"
        job_id = requests.post(jobs, json=body, headers=headers, timeout=60).json()["job"]["id"]
        return dict(new_job(_report(), job_id)), headers, f"{jobs}/{job_id}"


@contextmanager
def sandbox() -> Iterator[Vendor]:
    """Start it; jobs are done as soon as they are submitted."""
    options = {"ladder": "[]", "link_seconds": "3600", "max_running": "100000"}
    flags = [flag for name, value in options.items() for flag in ("--option", f"talkdesk.{name}={value}")]
    command = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "sandbox", "--port", "0", *flags], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        yield Vendor(dict(line.split("=", 1) for line in lines))
    finally:
        process.terminate()
        process.wait()


class Race:
    """Contenders for one store, their numbers by name."""

    def __init__(self, vendor: Vendor, store: str, mib: int, folder: Path) -> None:
        self.vendor = vendor
        self.store = store
        self.mib = mib
        self.folder = folder
        self.found: dict[str, list[dict[str, Any]]] = {}

    def run(self, contenders: dict[str, dict[str, Any]], runs: int) -> None:
        from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server

        self.vendor.resize(self.mib)
        names = list(contenders)
        for turn in range(runs):
            with ExitStack() as stack:
                # A new server each round: SeaweedFS doesn't give room back at once.
                server = stack.enter_context(S3Server() if self.store == "s3" else GCSServer())
                self._warm(server)
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    found = self._one(server, contenders[name])
                    self.found.setdefault(name, []).append(found)
                    speed, memory = self.mib * MIB / 1e6 / found["seconds"], found["memory"]
                    print(
                        f"    {name}: {speed:.0f} MB/s, CPU {found['cpu']:.1f} s, +{memory:.0f} MiB",
                        file=sys.stderr,
                    )

    def _warm(self, server: Any) -> None:
        if self.store == "s3":
            server.client().put_object(Bucket=BUCKET, Key="warm", Body=bytes(16 * MIB))

    def _one(self, server: Any, contender: dict[str, Any]) -> dict[str, Any]:
        given = {"options": {}, **contender, "file": str(self.folder / f"{self.mib}.csv")}
        environ = {**os.environ, **self.vendor.environ, **server.environ, "AIRFLOW_HOME": str(self.folder)}
        environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        if given["contender"].startswith("peer"):
            origin, _, path = self.vendor.link().removeprefix("http://").partition("/")
            given["path"] = "/" + path
            environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps(
                {"conn_type": "http", "host": f"http://{origin}"}
            )
        if given["contender"] == "upload_alone":
            self._fetch(Path(given["file"]))
        process = subprocess.run(
            [sys.executable, __file__, "--contender", json.dumps(given)],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
        if found["delivery"]:
            served = self.vendor.served()[-1]
            if any(found["delivery"][name] != served[name] for name in ("bytes", "rows")):
                raise SystemExit(f"{found['delivery']} landed of {served}")
        if self.store == "s3":
            server.client().delete_object(Bucket=BUCKET, Key=KEY)
        else:
            server.client().bucket(BUCKET).blob(KEY).delete()
        return found

    def _fetch(self, file: Path) -> None:
        """Have the same bytes on local disk, in the page cache."""
        if not file.exists():
            with requests.get(self.vendor.link(), stream=True, timeout=60) as answer, file.open("wb") as out:
                for piece in answer.iter_content(MIB):
                    out.write(piece)

    def median(self, name: str, number: str) -> float:
        return statistics.median(found[number] for found in self.found[name])

    def table(self) -> None:
        print(f"\n{self.mib} MiB to {self.store}, median of {len(next(iter(self.found.values())))}")
        print(f"  {'':24}{'MB/s':>8}{'from':>7}{'to':>7}{'CPU s':>8}{'memory, MiB':>14}")
        for name in self.found:
            speeds = sorted(self.mib * MIB / 1e6 / found["seconds"] for found in self.found[name])
            peak = max(found["memory"] for found in self.found[name])
            print(
                f"  {name:24}{statistics.median(speeds):8.0f}{speeds[0]:7.0f}{speeds[-1]:7.0f}"
                f"{self.median(name, 'cpu'):8.1f}{'+' + format(peak, '.0f'):>14}"
            )
        for name in list(self.found)[1:]:
            # Round by round: what else the machine does in a round, it does to both.
            pairs = zip(self.found[name], self.found["ours"], strict=True)
            ratio = statistics.median(theirs["seconds"] / own["seconds"] for theirs, own in pairs)
            cpu = self.median("ours", "cpu") / self.median(name, "cpu")
            print(f"  ours is {ratio:.2f} x as fast as {name}, and takes {cpu:.2f} x the CPU time")


CONTENDERS: dict[str, dict[str, dict[str, Any]]] = {
    "s3": {
        "ours": {"contender": "ours_s3"},
        "peer": {"contender": "peer_s3"},
        "upload alone": {"contender": "upload_alone"},
    },
    "gcs": {
        "ours": {"contender": "ours_gcs"},
        "peer": {"contender": "peer_gcs"},
        "peer, one attempt": {"contender": "peer_gcs", "options": {"num_max_attempts": 1}},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=256, help="size of the file (256)")
    parser.add_argument("--runs", type=int, default=3, help="rounds, of which the median is taken (3)")
    parser.add_argument("--stores", nargs="+", choices=("s3", "gcs"), default=["s3", "gcs"])
    parser.add_argument(
        "--memory", nargs="*", type=int, default=[], metavar="MIB", help="also these sizes, ours"
    )
    parser.add_argument("--chunks", action="store_true", help="also other chunk and part sizes, ours")
    parser.add_argument("--only", nargs="+", help="these contenders only")
    parser.add_argument("--contender", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        contend(arguments.contender)
        return
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder, sandbox() as vendor:
        for store in arguments.stores:
            race = Race(vendor, store, arguments.mib, Path(folder))
            contenders = CONTENDERS[store]
            if arguments.only:
                contenders = {name: each for name, each in contenders.items() if name in arguments.only}
            race.run(contenders, arguments.runs)
            race.table()
            for mib in arguments.memory:
                race = Race(vendor, store, mib, Path(folder))
                race.run({"ours": CONTENDERS[store]["ours"]}, 1)
                race.table()
            if arguments.chunks:
                race = Race(vendor, store, arguments.mib, Path(folder))
                race.run(_sizes(store), arguments.runs)
                race.table()


def _sizes(store: str) -> dict[str, dict[str, Any]]:
    ours = CONTENDERS[store]["ours"]
    sizes = {"ours": ours}
    for mib in (8, 16, 32):
        size = mib * MIB
        options = (
            {"transfer_config_args": {"multipart_chunksize": size}} if store == "s3" else {"chunk_size": size}
        )
        sizes[f"ours, {mib} MiB a part"] = {**ours, "options": options}
    return sizes


if __name__ == "__main__":
    main()
