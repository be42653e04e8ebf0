"""The cause of a connection error in words: the same sentence from both drivers, with a cure of its own."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_provider_contactcenter.hooks.refusals import error_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Asked, Wire, reply, talkdesk

from .conftest import Client, Connect
from .test_drivers import get, refused
from .test_tls import certificate, server_side


def cured(client: Client, refusal: Refusal) -> str:
    """The whole message; no cure is that of a whole kind where the cause is known."""
    message = str(error_of(client.hook.vendor, refusal, "wire", None))
    assert "check host, proxy and network" not in message
    assert "sentinel" not in message
    return message


def ask(client: Client) -> Refusal:
    return refused(client, get("/thing?token=sentinel-token-7", signed=False), attempts=1)


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def raw(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one answer per connection that needn't be HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


# -- before anything is sent -------------------------------------------------------------------------------


def test_a_name_that_is_not_known_is_said_to_be(connect: Connect) -> None:
    client = connect("http://api.invalid")
    refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "unreachable",
        "no connection to http://api.invalid/thing: the name is not known here",
    )
    assert "correct the host" in cured(client, refusal)


def test_a_port_on_which_nobody_listens_refuses(connect: Connect, closed: int) -> None:
    client = connect(f"http://127.0.0.1:{closed}")
    refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "unreachable",
        f"no connection to http://127.0.0.1:{closed}/thing: the connection was refused",
    )
    assert "firewall" in cured(client, refusal)


def test_a_host_that_takes_no_connection_times_out(connect: Connect) -> None:
    with socket.socket() as full:
        # A queue of none, filled: the kernel answers nobody else.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        client = connect(f"http://127.0.0.1:{full.getsockname()[1]}", timeout=0.3)
        refusal = ask(client)
        for each in waiting:
            each.close()
    assert refusal.kind == "unreachable"
    assert refusal.words.endswith("/thing: nobody took the connection within 0.3 s")
    assert "Nothing was sent" in cured(client, refusal)


# -- TLS ---------------------------------------------------------------------------------------------------


def certified(connect: Connect, file: Path, words: str, cure: str, **extra: object) -> None:
    with Wire(talkdesk(reply(200, {})), tls=server_side(file)) as server:
        client = connect(server.origin, **extra)
        refusal = ask(client)
        assert (refusal.kind, refusal.words) == (
            "invalid",
            f"the certificate of {server.origin}/thing can't be verified: {words}",
        )
        assert server.asked == []
    assert cure in cured(client, refusal)


def test_a_self_signed_certificate_is_called_so(connect: Connect, tmp_path: Path) -> None:
    certified(connect, certificate(tmp_path), "it is self-signed", "in the connection's 'verify'")


def test_an_expired_certificate_is_called_so(connect: Connect, tmp_path: Path) -> None:
    file = certificate(tmp_path, valid=(-dt.timedelta(days=9), -dt.timedelta(days=1)))
    certified(connect, file, "it has expired", "renewed", verify=str(file))


def test_a_certificate_of_tomorrow_is_called_so(connect: Connect, tmp_path: Path) -> None:
    file = certificate(tmp_path, valid=(dt.timedelta(days=1), dt.timedelta(days=9)))
    certified(connect, file, "it is not valid yet", "clock", verify=str(file))


def test_a_certificate_for_another_name_is_called_so(connect: Connect, tmp_path: Path) -> None:
    file = certificate(tmp_path, "other.example")
    certified(connect, file, "it is for another name", "Correct the host", verify=str(file))


def test_a_certificate_of_an_unknown_issuer_is_called_so(connect: Connect, tmp_path: Path) -> None:
    file = certificate(tmp_path, issuer="somebody")
    certified(connect, file, "its issuer is not known here", "CA bundle with its issuer")


def test_http_on_the_port_of_https_and_the_other_way_round_are_told(connect: Connect) -> None:
    def greet(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with raw(greet) as port:
        client = connect(f"https://127.0.0.1:{port}")
        refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "unreachable",
        f"no connection to https://127.0.0.1:{port}/thing: it speaks no TLS",
    )
    assert "the port for http." in cured(client, refusal)

    def alert(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    with raw(alert) as port:
        client = connect(f"http://127.0.0.1:{port}")
        refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "unreachable",
        f"no connection to http://127.0.0.1:{port}/thing: it speaks TLS",
    )
    assert "the port for https." in cured(client, refusal)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_of_old_tls_is_called_so(connect: Connect, tmp_path: Path) -> None:
    file = certificate(tmp_path)
    old = server_side(file)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with Wire(talkdesk(reply(200)), tls=old) as server:
        client = connect(server.origin, verify=str(file))
        refusal = ask(client)
    assert refusal.words.endswith(": it speaks no TLS 1.2 or newer")
    assert "updated" in cured(client, refusal)


# -- after it was sent -------------------------------------------------------------------------------------


def reset(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection: socket.socket) -> None:
    connection.recv(1000)


def chatter(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"220 mail.example ESMTP\r\n\r\n")


def silence(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.settimeout(2)
    connection.recv(1000)


def half(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsentinel")


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        (reset, "the connection was reset"),
        (close, "the connection was closed without an answer"),
        (silence, "nothing came for 0.3 s"),
        (chatter, "what it says is no HTTP"),
        (half, "the answer broke off"),
    ],
)
def test_an_answer_that_never_came_is_lost_for_a_reason(
    connect: Connect, serve: Callable[[socket.socket], None], words: str
) -> None:
    with raw(serve) as port:
        client = connect(f"http://127.0.0.1:{port}", timeout=0.3)
        refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "lost",
        f"http://127.0.0.1:{port}/thing did not answer: {words}",
    )
    cured(client, refusal)


# -- proxies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named_without_its_password(
    connect: Connect, closed: int, scheme: str
) -> None:
    client = connect(f"{scheme}://api.invalid", proxy=f"http://me:sentinel-pw@127.0.0.1:{closed}")
    refusal = ask(client)
    assert (refusal.kind, refusal.words) == (
        "unreachable",
        f"no connection to the proxy http://127.0.0.1:{closed}: the connection was refused",
    )
    assert "no_proxy" in cured(client, refusal)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [407, 403])
def test_what_a_proxy_says_in_place_of_the_server_is_said_to_be_the_proxys(
    connect: Connect, scheme: str, status: int
) -> None:
    def answer(asked: Asked) -> bytes:
        return reply(status, b"who are you, sentinel?")

    with Wire(answer) as proxy:
        origin = proxy.origin
        client = connect(f"{scheme}://api.invalid", proxy=origin.replace("//", "//me:sentinel-pw@"))
        refusal = ask(client)
    if status == 407:
        assert (refusal.kind, refusal.words) == (
            "authentication",
            f"the proxy {origin} takes no request with these credentials (HTTP 407)",
        )
        assert "the proxy's URL" in cured(client, refusal)
    elif scheme == "https":
        assert (refusal.kind, refusal.words) == (
            "unreachable",
            f"the proxy {origin} makes no connection (HTTP 403)",
        )
        cured(client, refusal)
    else:
        assert refusal.kind == "permission", "nobody can tell it from the server's own"
