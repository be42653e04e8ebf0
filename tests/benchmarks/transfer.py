"""A CSV of awkward data (commas, quotes, quoted newlines, emoji) to the three cloud stores.

What is measured is a task's ``execute``: the whole life of a report, submitted, downloaded, counted, hashed,
uploaded. Against a store that throws bytes away the ratios are of this package's cost; against SeaweedFS and
Azurite they also hold theirs, which is more: both burn processor time on the same cores.

- ``HttpToS3Operator``, ``HttpToGCSOperator``: a plain GET of the same file behind its signed link; nothing is
  waited for, counted or proved. HttpToGCSOperator is also run with one attempt: as it comes, it uploads
  three times.
- ``upload alone``: S3Hook.load_file, and the SDK's upload_blob, of the same file on local disk.
- ``BlobWriter alone``: google-cloud-storage's writer in a loop over the same body, without a thread that
  reads ahead.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.racing import MIB, Figures, Line, Options, Race, Unmeasured, flat, in_turn, run, say
from tests.benchmarks.throwaway import throwaway
from tests.benchmarks.vendor import Sandbox, calls, context, sandbox

BUCKET = "contactcenter"
KEY = "calls.csv"
#: of Azure's client and of ours
BLOCK = 8 * MIB
#: of a paced body, what waits in a socket's buffers
SOCKET = 4 * MIB

Execute = Callable[[], Figures | None]


# --- sides --------------------------------------------------------------------------------------------------


def ours_s3(given: dict[str, Any]) -> Execute:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: F401 - imports are not measured

    from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

    return _landed(
        ContactCenterToS3Operator(
            task_id="calls", report=calls(), s3_key=f"s3://{BUCKET}/{KEY}", deferrable=False, **given
        )
    )


def ours_gcs(given: dict[str, Any]) -> Execute:
    from airflow.providers.google.cloud.hooks.gcs import GCSHook  # noqa: F401

    from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator

    return _landed(
        ContactCenterToGCSOperator(
            task_id="calls",
            report=calls(),
            bucket_name=BUCKET,
            object_name=KEY,
            deferrable=False,
            **given,
        )
    )


def ours_azure(given: dict[str, Any]) -> Execute:
    from airflow.providers.microsoft.azure.hooks.wasb import WasbHook  # noqa: F401

    from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
        ContactCenterToAzureBlobOperator,
    )

    return _landed(
        ContactCenterToAzureBlobOperator(
            task_id="calls",
            report=calls(),
            blob_name=KEY,
            deferrable=False,
            **{"container_name": BUCKET, **given},
        )
    )


def ours_sftp(given: dict[str, Any]) -> Execute:
    from airflow.providers.sftp.hooks.sftp import SFTPHook  # noqa: F401

    from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator

    return _landed(ContactCenterToSFTPOperator(task_id="calls", report=calls(), deferrable=False, **given))


def ours_file(given: dict[str, Any]) -> Execute:
    from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator

    return _landed(ContactCenterToFileOperator(task_id="calls", report=calls(), deferrable=False, **given))


def _landed(task: Any) -> Execute:
    from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
    from airflow_provider_contactcenter.vendors.talkdesk import vendor  # noqa: F401 - named by its hook only

    _as_in_a_task()
    TalkdeskHook()
    with suppress(ImportError):
        import numpy  # noqa: F401

    def execute() -> Figures:
        delivery = task.execute(context())
        assert delivery["complete"]
        return {"bytes": delivery["bytes"], "rows": delivery["rows"]}

    return execute


def http_to_s3(given: dict[str, Any]) -> Execute:
    from airflow.providers.amazon.aws.transfers.http_to_s3 import HttpToS3Operator

    task = HttpToS3Operator(task_id="calls", s3_bucket=BUCKET, s3_key=KEY, replace=True, **given)
    _as_in_a_task()
    return lambda: task.execute({})  # type: ignore[arg-type]


def http_to_gcs(given: dict[str, Any]) -> Execute:
    from airflow.providers.google.cloud.transfers.http_to_gcs import HttpToGCSOperator

    task = HttpToGCSOperator(task_id="calls", bucket_name=BUCKET, object_name=KEY, **given)
    _as_in_a_task()
    return lambda: task.execute({}) and None


def upload_alone_s3(given: dict[str, Any]) -> Execute:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    _as_in_a_task()
    hook = S3Hook("aws_default")
    return lambda: hook.load_file(given["file"], KEY, BUCKET, replace=True)


def upload_alone_azure(given: dict[str, Any]) -> Execute:
    from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
    from azure.storage.blob import BlobClient

    _as_in_a_task()
    service = WasbHook("wasb_default").get_conn()
    blob = BlobClient(
        service.url,
        given.get("container_name", BUCKET),
        KEY,
        credential=service.credential,
        max_block_size=BLOCK,
        max_single_put_size=BLOCK,
        api_version=service.api_version,
    )

    def execute() -> None:
        with Path(given["file"]).open("rb") as file:
            blob.upload_blob(file, overwrite=True, max_concurrency=4)

    return execute


def _as_in_a_task() -> None:
    """Let Airflow load every provider there is, as its task runner does before it executes anything.

    Else whoever first asks for hooks' lineage would pay for that: a second, and 55 MiB.
    """
    from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector

    get_hook_lineage_collector()


class Paced:
    """A body of so many bytes that comes at a vendor's pace; while nobody reads, the network holds little."""

    def __init__(self, size: int, rate: float) -> None:
        self._left = size
        self._rate = rate
        self._came = time.perf_counter()  # when the last byte that was read had come

    def read(self, size: int = -1) -> bytes:
        size = min(size, MIB, self._left)
        self._left -= size
        now = time.perf_counter()
        self._came = max(self._came, now - SOCKET / self._rate) + size / self._rate
        time.sleep(max(0.0, self._came - now))
        return bytes(size)


def paced_store(given: dict[str, Any]) -> Execute:
    from airflow_provider_contactcenter.stores.gcs import GCSStore

    store = GCSStore(BUCKET, KEY)
    store.check()  # the library is imported, its client made
    return lambda: store.put(Paced(**given), content_type="text/csv") and None


def paced_writer(given: dict[str, Any]) -> Execute:
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    blob = GCSHook().get_conn().bucket(BUCKET).blob(KEY)

    def execute() -> None:
        body = Paced(**given)
        with blob.open("wb", ignore_flush=True) as writer:
            while piece := body.read(MIB):
                writer.write(piece)

    return execute


# --- the run ------------------------------------------------------------------------------------------------


def measure(options: Options) -> Iterator[Line]:
    """Every line of the transfers."""
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder, sandbox() as vendor:
        for what, lines in (
            ("thrown away", _to_nowhere(options, vendor, Path(folder))),
            ("paced", _paced(options)),
            ("SeaweedFS", _to_seaweed(options, vendor, Path(folder))),
            ("Azurite", _to_azurite(options, vendor, Path(folder))),
        ):
            try:
                yield from lines
            except Unmeasured as why:
                yield Line(what, f"not measured: {why}")


def _to_nowhere(options: Options, vendor: Sandbox, folder: Path) -> Iterator[Line]:
    with throwaway() as store:
        environ = {**vendor.environ, **store}
        size = options.mib(1024)
        say(f"  {size} MiB to S3, thrown away")
        to_s3 = _race(vendor, environ, size, folder, options.turns(3), _S3)
        yield to_s3.speed(f"{size} MiB CSV → S3, thrown away", "upload alone", at_least=0.6)
        yield to_s3.cost("the same, processor time", "upload alone", at_most=2.0)
        yield to_s3.speed("the same", "HttpToS3Operator")
        size = options.mib(512)
        say(f"  {size} MiB to GCS, thrown away")
        to_gcs = _race(vendor, environ, size, folder, options.turns(3), _GCS)
        yield to_gcs.speed(f"{size} MiB CSV → GCS, thrown away", "HttpToGCSOperator", at_least=2.0)
        yield to_gcs.speed("the same", "HttpToGCSOperator, one attempt", at_least=1.0)
        say(f"  {size} MiB to Azure Blob, thrown away")
        to_azure = _race(vendor, environ, size, folder, options.turns(3), _AZURE)
        yield to_azure.speed(f"{size} MiB CSV → Azure Blob, thrown away", "upload_blob alone")
        yield from _flat(options, vendor, environ, folder)


def _flat(options: Options, vendor: Sandbox, environ: Mapping[str, str], folder: Path) -> Iterator[Line]:
    """The memory of a small and of a large file, for each store."""
    from tests.stores.servers import SFTPServer

    small, large = options.mib(64), options.mib(4096)
    with SFTPServer(folder) as server:
        for store, (what, most, given) in {
            "s3": ("S3", 96, {}),
            "gcs": ("GCS", 64, {}),
            "azure": ("Azure Blob", 64, {}),
            "sftp": ("SFTP", 64, {"remote_path": "/landed.csv"}),
            "file": ("a folder", 64, {"path": f"{folder}/landed.csv"}),
        }.items():
            found = []
            # How many parts meet is chance, and a small file has few that could: the most of three runs.
            for size, runs in ((small, 3), (large, 1)):
                vendor.set_options(bytes=size * MIB)
                environ_ = {**environ, **server.environ}
                several = [run("transfer", f"ours_{store}", environ_, given) for _ in range(runs)]
                found.append(max(several, key=itemgetter("memory")))
                say(f"    ours to {store}, {size} MiB: +{found[-1]['memory']:.0f} MiB")
            most_taken = max(each["memory"] for each in found)
            yield Line(
                f"{small} and {large} MiB CSV → {what}, memory",
                f"+{most_taken:.0f} MiB",
                limit=f"≤ +{most} MiB",
                met=most_taken <= most,
            )
            yield flat("the same, large against small", *found)


def _paced(options: Options) -> Iterator[Line]:
    """A vendor and a network of one speed: what reading ahead is for."""
    size = options.mib(256)
    say(f"  {size} MiB to GCS, 80 MB/s from the vendor and by connection, 60 ms a request")
    given = {"size": size * MIB, "rate": 80e6}
    sides = {"ours": "paced_store", "BlobWriter alone": "paced_writer"}
    race = Race("transfer", size * MIB / 1e6, "MB")
    with throwaway(rate=80, latency=0.06) as store:
        for turn in range(options.turns(2)):
            for name in in_turn([*sides], turn):
                race.side(name, sides[name], store, **given)
    yield race.speed(f"{size} MiB → GCS, vendor and connection at 80 MB/s", "BlobWriter alone", at_least=1.3)


def _to_seaweed(options: Options, vendor: Sandbox, folder: Path) -> Iterator[Line]:
    from airflow_provider_contactcenter.demo.stores import S3Server

    size = options.mib(512)
    say(f"  {size} MiB to SeaweedFS")
    race: Race | None = None
    for turn in range(options.turns(2)):
        # A new server each round: SeaweedFS doesn't give room back at once.
        with S3Server() as server:
            server.client().put_object(Bucket=BUCKET, Key="warm", Body=bytes(16 * MIB))
            environ = {**vendor.environ, **server.environ}
            race = _race(vendor, environ, size, folder, 1, _S3, race, turn)
    assert race is not None
    yield race.speed(f"{size} MiB CSV → S3 (SeaweedFS)", "upload alone", at_least=0.85)
    yield race.speed("the same", "HttpToS3Operator", at_least=1.2)


def _to_azurite(options: Options, vendor: Sandbox, folder: Path) -> Iterator[Line]:
    from tests.stores.servers import CONTAINER, azurite

    size = options.mib(256)
    say(f"  {size} MiB to Azurite")
    with _or_unmeasured(azurite) as server:
        environ = {**vendor.environ, **server.environ}
        sides = {name: (side, {"container_name": CONTAINER}) for name, (side, _) in _AZURE.items()}
        race = _race(vendor, environ, size, folder, options.turns(3), sides)
    yield race.speed(f"{size} MiB CSV → Azure Blob (Azurite)", "upload_blob alone", at_least=0.9)


@contextmanager
def _or_unmeasured(server: Callable[[], Any]) -> Iterator[Any]:
    """A server of the tests, which skip where it can't be had."""
    from _pytest.outcomes import Skipped

    try:
        with server() as running:
            yield running
    except Skipped as why:
        raise Unmeasured(str(why)) from None


#: name -> function, and what it is given
_S3: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("ours_s3", {}),
    "upload alone": ("upload_alone_s3", {}),
    "HttpToS3Operator": ("http_to_s3", {}),
}
_GCS: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("ours_gcs", {}),
    "HttpToGCSOperator": ("http_to_gcs", {}),
    "HttpToGCSOperator, one attempt": ("http_to_gcs", {"num_max_attempts": 1}),
}
_AZURE: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("ours_azure", {}),
    "upload_blob alone": ("upload_alone_azure", {}),
}


def _race(
    vendor: Sandbox,
    environ: Mapping[str, str],
    size: int,
    folder: Path,
    turns: int,
    sides: Mapping[str, tuple[str, dict[str, Any]]],
    race: Race | None = None,
    first: int = 0,
) -> Race:
    """Let the sides take turns with a file of ``size`` MiB; what lands is compared with what was served."""
    vendor.set_options(bytes=size * MIB)
    race = race or Race("transfer", size * MIB / 1e6, "MB")
    file = vendor.file(folder) if any("alone" in name for name in sides) else None
    for turn in range(first, first + turns):
        for name in in_turn([*sides], turn):
            function, given = sides[name]
            around = dict(environ)
            if function.startswith("http"):
                origin, _, path = vendor.link().removeprefix("http://").partition("/")
                given = {**given, "endpoint": f"/{path}"}
                around["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps(
                    {"conn_type": "http", "host": f"http://{origin}"}
                )
            elif "alone" in function:
                given = {**given, "file": str(file)}
            figures = race.side(name, function, around, **given)
            served = vendor.served()
            if name == "ours" and any(figures[fact] != served[fact] for fact in ("bytes", "rows")):
                raise SystemExit(f"{figures} landed of {served}")
            if (url := environ.get("STORAGE_EMULATOR_HOST")) and _size_at(url) != served["bytes"]:
                raise SystemExit(f"{name}: {_size_at(url)} bytes came to the store, not {served['bytes']}")
    return race


def _size_at(url: str) -> int:
    return int(requests.get(f"{url}/landed", timeout=60).text)
