"""A server of a few lines, where a test writes each answer byte by byte and reads each request as it came."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

#: what an answer may be: its bytes, or its pieces; floats among them are seconds to wait
Written = bytes | Iterable[bytes | float]


def reply(
    status: int = 200,
    body: Any = b"",
    *,
    framing: str = "length",
    version: str = "HTTP/1.1",
    **headers: str,
) -> bytes:
    """One whole answer. ``framing`` is length, chunked or none (which closes the connection)."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{version} {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if framing == "length":
        lines.append(f"Content-Length: {len(raw)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        raw = b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw) if raw else b"0\r\n\r\n"
    else:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + raw


@dataclass
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split()[1]


@dataclass
class Wire:
    """Answers each request with what ``answer`` makes of it; b"" closes the connection without a word."""

    answer: Callable[[Asked], Written]
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def targets(self) -> list[str]:
        return [f"{asked.line.split()[0]} {asked.target}" for asked in self.asked]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            reader = connection.makefile("rb")
            while asked := self._read(reader):
                self.asked.append(asked)
                written = self.answer(asked)
                pieces = [written] if isinstance(written, bytes) else written
                closes = b"onnection: close" in written if isinstance(written, bytes) else True
                sent = b""
                for piece in pieces:
                    if isinstance(piece, float):
                        time.sleep(piece)
                    else:
                        connection.sendall(piece)
                        sent += piece[:1]
                if closes or not sent:
                    break
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    @staticmethod
    def _read(reader: Any) -> Asked | None:
        line = reader.readline().decode("latin-1").strip()
        if not line:
            return None
        headers: dict[str, str] = {}
        while header := reader.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        return Asked(line, headers, reader.read(int(headers.get("content-length", 0))))


def in_turn(*answers: Written) -> Callable[[Asked], Written]:
    """These answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def connection(base: str, **extra: Any) -> str:
    """A Talkdesk connection to a server, as an environment variable holds it."""
    extra = {"auth_url": f"{base}/oauth/token", "timeout": 2, **extra}
    values = {"conn_type": "talkdesk", "host": base, "login": "client-1", "password": "sentinel-secret-1"}
    return json.dumps({**values, "extra": extra})


TOKEN = {"access_token": "sentinel-token-1", "token_type": "Bearer", "expires_in": 600}


def talkdesk(*answers: Written, token: Any = None) -> Callable[[Asked], Written]:
    """A token for whoever asks, and these answers in turn for everything else."""
    others = in_turn(*answers)
    return lambda asked: (
        (reply(200, TOKEN) if token is None else token) if "/oauth/token" in asked.line else others(asked)
    )
