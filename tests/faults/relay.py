"""A relay between a client and a real server that damages what passes, or puts TLS in front of it."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

PIECE = 64 * 1024

#: how a request starts that uploads bytes: a part, a whole object, a chunk of a resumable upload
UPLOADS = rb"(PUT|POST) \S*(/upload/|[?&]partNumber=| HTTP)"

REFUSAL = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>No</Message></Error>'


@dataclass
class Harm:
    """What the relay does to requests that start like ``to``; to as many connections as ``times`` says."""

    to: bytes = rb""
    #: answered with this status instead of being passed on
    status: int | None = None
    #: reset when so many of the request's bytes have been passed on
    dies_after: int | None = None
    #: seconds for each piece of it
    pause: float = 0.0
    #: passed on, and reset as soon as the answer comes
    mute: bool = False
    #: done to whole connections, whatever they speak
    raw: bool = False
    times: int | None = None

    def takes(self, piece: bytes) -> bool:
        """Whether a piece starts a request that this is for; counts it."""
        if self.times == 0 or not re.match(rb"[A-Z]+ \S+ HTTP/1", piece) or not re.match(self.to, piece):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Relay:
    """Listens on loopback and passes connections on to ``url``."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        target = urlsplit(url)
        self._target = (str(target.hostname), int(target.port or 80))
        self._tls = tls
        self._open: list[socket.socket] = []
        self.harm = Harm(times=0)
        self.passed = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop as a server does that is switched off: nothing listens, connections are reset."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            _hang_up(connection)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            server = socket.create_connection(self._target)
            self._open += [client, server]
            muted = threading.Event()
            threading.Thread(target=self._back, args=(server, client, muted), daemon=True).start()
            self._forth(client, server, muted)

    def _forth(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        harm = self.harm if self.harm.raw else None
        passed = 0  # bytes of the request
        while piece := client.recv(PIECE):
            if not self.harm.raw and re.match(rb"[A-Z]+ \S+ HTTP/1", piece):
                harm, passed = (self.harm if self.harm.takes(piece) else None), 0
                if harm and harm.mute:
                    muted.set()
            if harm and harm.status:
                _refuse(client, harm.status)
                break
            passed += len(piece)
            if harm and harm.dies_after is not None and passed > harm.dies_after:
                _reset(client)
                _reset(server)
                return
            if harm and harm.pause:
                time.sleep(harm.pause)
            server.sendall(piece)
            self.passed += len(piece)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _back(self, server: socket.socket, client: socket.socket, muted: threading.Event) -> None:
        # A session of a resumable upload names the server's own address; its port is as long as ours.
        there, here = (f"127.0.0.1:{port}".encode() for port in (self._target[1], self.port))
        with contextlib.suppress(OSError):
            while piece := server.recv(PIECE):
                if muted.is_set() and not piece.startswith(b"HTTP/1.1 100"):
                    _hang_up(client)
                    _hang_up(server)
                    return
                client.sendall(piece if self._tls else piece.replace(there, here))
            client.shutdown(socket.SHUT_RDWR)


def _refuse(client: socket.socket, status: int) -> None:
    code = b"AccessDenied" if status == 403 else b"InternalError"
    body = REFUSAL % code
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    client.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(2)
    while client.recv(PIECE):  # a reset would overtake the answer
        pass
    client.close()


def _hang_up(connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # else it lives on while another thread reads from it
    _reset(connection)


def _reset(connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
