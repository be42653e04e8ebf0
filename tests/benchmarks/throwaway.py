"""A store that throws bytes away: what the three cloud stores' writers need to hear, and nothing kept.

``python -m tests.benchmarks.throwaway [--rate MB/s] [--latency SECONDS]``

Real stores, and the emulators even more, burn processor time of their own beside the writer that is to be
measured. This one reads what comes into one buffer and answers as S3, Google Cloud Storage and Azure Blob
would. It checks no signature, no checksum and no condition, and never has an object. ``GET /landed`` tells
how many bytes the last one had.

``--rate`` limits what one connection takes, ``--latency`` is waited before each answer.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

#: bytes that are read at a time
BUFFER = 256 * 1024
#: bodies up to this size are looked at: block lists, and the ends of uploads
KEPT = 64 * 1024
ACCOUNT = "throwaway"


class Heard:
    """One request: its line, headers and size, and its body if that is short."""

    def __init__(self, method: str, target: str, headers: dict[str, str]) -> None:
        self.method = method
        self.path = unquote(urlsplit(target).path)
        self.query = {
            name: values[0]
            for name, values in parse_qs(urlsplit(target).query, keep_blank_values=True).items()
        }
        self.headers = headers
        self.size = int(headers.get("content-length", 0))
        self.body = b""


Said = tuple[int, dict[str, str], bytes]


class Store:
    """The three protocols, as far as the writers go."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._landed = 0
        self._parts: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()

    def answer(self, heard: Heard) -> Said:
        with self._lock:
            if heard.path == "/landed":
                return 200, {}, str(self._landed).encode()
            if heard.path.startswith(("/upload/storage/", "/storage/", "/session/")):
                return self._google(heard)
            return self._azure(heard) if heard.path.startswith(f"/{ACCOUNT}/") else self._amazon(heard)

    def _amazon(self, heard: Heard) -> Said:
        if heard.method in ("HEAD", "GET"):
            return 404, {}, b""
        if heard.method == "DELETE":
            self._parts.pop(heard.query.get("uploadId", ""), None)
            return 204, {}, b""
        if heard.method == "POST" and "uploads" in heard.query:
            upload = f"u{len(self._parts) + time.monotonic_ns()}"
            self._parts[upload] = {}
            return 200, {}, _xml("InitiateMultipartUploadResult", UploadId=upload)
        if heard.method == "POST":
            self._landed = sum(self._parts.pop(heard.query["uploadId"]).values())
            return 200, {}, _xml("CompleteMultipartUploadResult", ETag='"thrown-away-2"')
        if upload := heard.query.get("uploadId"):
            self._parts[upload][heard.query["partNumber"]] = heard.size
        else:
            self._landed = heard.size
        return 200, {"ETag": '"thrown-away"'}, b""

    def _google(self, heard: Heard) -> Said:
        if heard.method == "POST":
            name = heard.query.get("name") or json.loads(heard.body or b"{}").get("name", "object")
            return 200, {"Location": f"{self.url}/session/{name}"}, b"{}"
        if heard.method == "DELETE":
            return 204, {}, b""
        if heard.method == "GET":
            return 404, {}, b"{}"
        *_, last, total = re.findall(r"\d+|\*", heard.headers["content-range"])
        # "0-9/*" and "0-9/20" are followed by more; "*/10" says that "0-9/*" was all.
        if total == "*" or (last != "*" and int(last) + 1 < int(total)):
            return 308, {"Range": f"bytes=0-{last}"}, b""
        self._landed = int(total)
        # The client says what the whole should be, and compares it with the answer.
        sums = dict(
            part.strip().split("=", 1)
            for part in heard.headers.get("x-goog-hash", "").split(",")
            if "=" in part
        )
        said: dict[str, Any] = {"name": "object", "size": total, "generation": "1", "etag": "thrown-away"}
        return (
            200,
            {},
            json.dumps({**said, "crc32c": sums.get("crc32c"), "md5Hash": sums.get("md5")}).encode(),
        )

    def _azure(self, heard: Heard) -> Said:
        headers = {"x-ms-version": "2025-11-05", "ETag": '"thrown-away"', "x-ms-request-id": "1"}
        headers["Last-Modified"] = "Wed, 01 May 2024 00:00:00 GMT"
        if heard.method in ("HEAD", "GET"):
            return (404, {**headers, "x-ms-error-code": "BlobNotFound"}, b"")
        if heard.method == "DELETE":
            return 202, headers, b""
        staged = self._parts.setdefault(heard.path, {})
        if heard.query.get("comp") == "block":
            staged[heard.query["blockid"]] = heard.size
            return 201, headers, b""
        if heard.query.get("comp") == "blocklist":
            named = [each.decode() for each in re.findall(rb"<(?:Latest|Uncommitted)>([^<]*)<", heard.body)]
            if not set(named) <= staged.keys():
                headers |= {"x-ms-error-code": "InvalidBlockList", "Content-Type": "application/xml"}
                return 400, headers, b"<Error><Code>InvalidBlockList</Code><Message>No.</Message></Error>"
            self._landed = sum(staged[each] for each in named)
            staged.clear()
        else:
            self._landed = heard.size
        return 201, headers, b""


def _xml(name: str, **values: str) -> bytes:
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in values.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{inner}</{name}>'.encode()


class Connection:
    """One client's connection: requests one after the other, until it leaves."""

    def __init__(self, connection: socket.socket, store: Store, rate: float, latency: float) -> None:
        self._connection = connection
        self._store = store
        self._rate = rate
        self._latency = latency
        self._buffer = memoryview(bytearray(BUFFER))
        self._rest = b""

    def serve(self) -> None:
        with self._connection:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (heard := self._request()) is not None:
                time.sleep(self._latency)
                status, headers, body = self._store.answer(heard)
                lines = [f"HTTP/1.1 {status} Thrown-Away"]
                if status != 204:
                    headers["Content-Length"] = str(len(body))
                lines += [f"{name}: {value}" for name, value in headers.items()]
                self._connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _request(self) -> Heard | None:
        head = self._rest
        while b"\r\n\r\n" not in head:
            if not (came := self._connection.recv(KEPT)):
                return None
            head += came
        head, _, self._rest = head.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        method, target, _ = line.split()
        heard = Heard(method, target, headers)
        if "100-continue" in headers.get("expect", "").lower() and not self._rest:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._throw_away(heard)
        return heard

    def _throw_away(self, heard: Heard) -> None:
        began, taken = time.perf_counter(), min(len(self._rest), heard.size)
        kept, self._rest = bytearray(self._rest[:taken]), self._rest[taken:]
        while taken < heard.size:
            count = self._connection.recv_into(self._buffer, min(BUFFER, heard.size - taken))
            if not count:
                raise ConnectionError
            if heard.size <= KEPT:
                kept += self._buffer[:count]
            taken += count
            if self._rate and (early := taken / self._rate - (time.perf_counter() - began)) > 0:
                time.sleep(early)
        heard.body = bytes(kept)


def serve(listener: socket.socket, rate: float, latency: float) -> None:
    """Answer whoever connects, for ever.

    :param rate: bytes a second that one connection takes; 0 for no limit.
    :param latency: seconds before each answer.
    """
    store = Store(listener.getsockname()[1])

    def one(connection: socket.socket) -> None:
        try:
            Connection(connection, store, rate, latency).serve()
        except ConnectionError:
            return

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(connection,), daemon=True).start()


@contextmanager
def throwaway(rate: float = 0, latency: float = 0) -> Iterator[dict[str, str]]:
    """Run the store in a process of its own.

    :param rate: MB (10^6) a second and connection.
    :return: the environment that holds the connections ``aws_default``, ``google_cloud_default`` and
        ``wasb_default`` to it.
    """
    command = [sys.executable, "-m", "tests.benchmarks.throwaway"]
    limits = ["--rate", str(rate), "--latency", str(latency)]
    with subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield connections(process.stdout.readline().strip())
        finally:
            process.kill()


def connections(url: str) -> dict[str, str]:
    """Airflow's environment for a store at this address."""
    amazon = {
        "conn_type": "aws",
        "login": "throwaway",
        "password": "throwaway",
        "extra": {"endpoint_url": url, "region_name": "us-east-1"},
    }
    google = {"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True, "project": "throwaway"}}
    key = b64encode(b"throwaway").decode()
    azure = {"conn_type": "wasb", "host": f"{url}/{ACCOUNT}", "login": ACCOUNT, "password": key}
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(amazon),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(google),
        "AIRFLOW_CONN_WASB_DEFAULT": json.dumps(azure),
        "STORAGE_EMULATOR_HOST": url,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=0.0, help="MB/s and connection; 0: no limit (0)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer (0)")
    arguments = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    serve(listener, arguments.rate * 1e6, arguments.latency)


if __name__ == "__main__":
    main()
