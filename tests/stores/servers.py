"""Azurite and an SFTP server, as real as a test needs them, and what an S3 server still holds."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncssh
import pytest

from airflow_provider_contactcenter.demo.processes import LOOPBACK, Process, free_ports, wait_for
from airflow_provider_contactcenter.demo.stores import S3Server

#: the newest that Node 20 runs
AZURITE = "3.35.0"
CONTAINER = "contactcenter"


def multipart_uploads(server: S3Server, bucket: str) -> list[str]:
    """The keys of the multipart uploads that were begun and neither completed nor aborted."""
    listing = server.client().list_multipart_uploads(Bucket=bucket)
    return [upload["Key"] for upload in listing.get("Uploads", [])]


def azurite_program() -> Path:
    """Install Azurite once, in the user's cache; skip the test where that can't be done."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "airflow-provider-contactcenter" / f"azurite-{AZURITE}"
    program = folder / "node_modules/azurite/dist/src/blob/main.js"
    if shutil.which("node") is None:
        pytest.skip("Azurite, Microsoft's own Azure emulator, needs Node.js 20 or newer")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            if shutil.which("npm") is None:
                pytest.skip("Azurite, Microsoft's own Azure emulator, is installed by npm")
            command = ["npm", "install", "--no-audit", "--no-fund", f"azurite@{AZURITE}"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            if done.returncode:
                pytest.skip("npm could not install Azurite, Microsoft's own Azure emulator")
    return program


class AzuriteServer:
    """Azurite's Blob service with one container."""

    def __init__(self, url: str, account: str, key: str) -> None:
        self.url, self.account, self.key = url, account, key
        self.environ = {"AIRFLOW_CONN_WASB_DEFAULT": json.dumps(self.connection())}

    def connection(self, **changes: Any) -> dict[str, Any]:
        """Airflow's connection; nothing is retried, so that tests don't wait."""
        extra = {"retry_total": 0}
        return {
            "conn_type": "wasb",
            "host": self.url,
            "login": self.account,
            "password": self.key,
            "extra": extra,
        } | changes

    def service(self) -> Any:
        """The SDK's client."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.url, credential=self.key, retry_total=0)


@contextmanager
def azurite() -> Iterator[AzuriteServer]:
    """Run Azurite for a while."""
    program = azurite_program()
    [port] = free_ports(1)
    account, key = "contactcenter", base64.b64encode(secrets.token_bytes(64)).decode()
    server = AzuriteServer(f"http://{LOOPBACK}:{port}/{account}", account, key)
    with tempfile.TemporaryDirectory(prefix="contactcenter-azurite-", ignore_cleanup_errors=True) as folder:
        options = ["--blobHost", LOOPBACK, "--blobPort", str(port), "--location", folder]
        options += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        process = Process(
            "azurite",
            [str(shutil.which("node")), str(program), *options],
            folder=Path(folder),
            environ={"HOME": folder, "PATH": os.environ["PATH"], "AZURITE_ACCOUNTS": f"{account}:{key}"},
        )
        process.start()
        try:
            container = server.service().get_container_client(CONTAINER)

            def ready() -> bool:
                process.check()
                try:
                    container.create_container()
                except Exception:
                    return False
                return True

            wait_for(ready, 60, "Azurite did not answer")
            yield server
        finally:
            process.kill()


class _Objects(BaseHTTPRequestHandler):
    """Google Cloud Storage as far as resumable uploads of a whole bucket go, with its condition."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        query, said = parse_qs(urlsplit(self.path).query), self._read()
        name = query["name"][0] if "name" in query else json.loads(said)["name"]
        new = query.get("ifGenerationMatch") == ["0"]
        if new and name in self.server.objects:
            self._answer(412)
        else:
            session = secrets.token_hex(8)
            self.server.sessions[session] = (name, new, bytearray())
            self._answer(200, {"Location": f"{self.server.url}/session/{session}"})

    def do_PUT(self) -> None:
        import google_crc32c

        name, new, content = self.server.sessions[self.path.rpartition("/")[2]]
        content += self._read()
        if self.headers["Content-Range"].endswith("/*"):
            self._answer(308, {"Range": f"bytes=0-{len(content) - 1}"})
            return
        with self.server.settling:
            taken = not (new and name in self.server.objects)
            if taken:
                self.server.objects[name] = bytes(content)
        crc32c = base64.b64encode(google_crc32c.Checksum(bytes(content)).digest()).decode()
        self._answer(200 if taken else 412, body={"generation": "1", "crc32c": crc32c})

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_GET(self) -> None:
        name = unquote(urlsplit(self.path).path.rpartition("/")[2])
        self._answer(200, body={"name": name}) if name in self.server.objects else self._answer(404)

    def do_DELETE(self) -> None:
        self._answer(499)

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: Any = None) -> None:
        written = json.dumps(body or {}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(written)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def conditional_gcs() -> Iterator[Any]:
    """A GCS that heeds ``ifGenerationMatch=0``, which fake-gcs-server doesn't; its ``objects`` are open."""
    server: Any = ThreadingHTTPServer((LOOPBACK, 0), _Objects)
    server.objects, server.sessions, server.settling = {}, {}, threading.Lock()
    server.url = f"http://{LOOPBACK}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class _OneUser(asyncssh.SSHServer):
    connected: set[Any]

    def connection_made(self, conn: Any) -> None:
        self.connected.add(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("lander", "right-password")


class Files(asyncssh.SFTPServer):
    """A server that shows one folder as its root."""

    folder: Path

    def __init__(self, channel: Any) -> None:
        super().__init__(channel, chroot=str(self.folder).encode())


class OldFiles(Files):
    """A server without OpenSSH's extension for renaming over a file."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("posix-rename is not supported")


class Overwriting(Files):
    """A server that renames over a file, as SFTPGo does, where the protocol has it refuse."""

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().posix_rename(oldpath, newpath)


class FullDisk(Files):
    """A server that keeps less than it is given, and says nothing."""

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        return len(data) if offset else super().write(file_obj, offset, data)


class SFTPServer:
    """asyncssh in a thread of its own."""

    def __init__(self, folder: Path, files: type[Files] = Files) -> None:
        self.folder = folder
        self._files = type("Shown", (files,), {"folder": folder})
        self._connected: set[Any] = set()
        self._user = type("User", (_OneUser,), {"connected": self._connected})
        self._loop = asyncio.new_event_loop()

    def die(self) -> None:
        """Cut every connection, and take no new one."""
        self._loop.call_soon_threadsafe(self._server.close)
        for connection in self._connected:
            self._loop.call_soon_threadsafe(connection.abort)

    def __enter__(self) -> SFTPServer:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        self.port = self._server.get_port()
        self.environ = {"AIRFLOW_CONN_SFTP_DEFAULT": json.dumps(self.connection())}
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_factory=self._user,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            sftp_factory=self._files,
        )

    def connection(self, **changes: Any) -> dict[str, Any]:
        """Airflow's connection."""
        return {
            "conn_type": "sftp",
            "host": LOOPBACK,
            "port": self.port,
            "login": "lander",
            "password": "right-password",
            "extra": {"no_host_key_check": "true", "conn_retry_attempts": 1, "look_for_keys": "false"},
        } | changes
