"""The two listeners: HTTP in, `world.World` asked, HTTP out, faults laid over the connection.

aiohttp's low-level server is used without its router and its access log: routing happens on the raw path.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.http import StreamWriter

from . import control
from .clock import Clock
from .data import Content, content_of
from .faults import Damage, Fault, damage, packed
from .model import Reply, Request, Vendor
from .world import STORAGE, Served, World

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
API = "api"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
REASONS = {status.value: status.phrase for status in HTTPStatus}


@asynccontextmanager
async def serving(
    vendors: Sequence[Vendor],
    port: int,
    seed: int,
    rows: int,
    options: Mapping[str, Mapping[str, Any]],
    clock: Clock,
) -> AsyncIterator[tuple[World, str]]:
    """A world behind two open listeners on loopback, and the URL of the API's."""
    sockets = [_listen(port), _listen(0)]
    api_url, storage_url = (f"http://{HOST}:{listener.getsockname()[1]}" for listener in sockets)
    runners: list[web.ServerRunner] = []
    try:
        world = World(vendors, api_url, storage_url, seed, rows, options, clock)
        for origin, listener in zip((API, STORAGE), sockets, strict=True):
            # With handler_cancellation a stalled answer ends with the client that waited for it.
            server = web.Server(_Origin(world, origin).handle, access_log=None, handler_cancellation=True)
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            runners.append(runner)
            await runner.setup()
            await web.SockSite(runner, listener).start()
        yield world, api_url
    finally:
        for runner in runners:
            await runner.cleanup()
        for listener in sockets:
            listener.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


class _Origin:
    """One of the two listeners."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            return await self._handle(incoming)
        except ConnectionError:
            # The client is gone. The framework finds that it can't send this, and that is all it does.
            return web.Response()

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = Request(incoming.method, incoming.raw_path, incoming.headers, await incoming.read())
        if self._name == API and _is_control(request):
            return await _send(incoming, control.answer(self._world, request), None)
        entry = self._world.journal.open(
            self._world.clock.now(),
            self._name,
            request.method,
            request.target,
            incoming.headers.items(),
            request.body,
        )
        target = self._world.find(self._name, request)
        vendor = target.state.vendor.name if target.state else None
        fault = self._world.faults.take(vendor, target.operation)
        entry |= {"vendor": vendor, "operation": target.operation, "fault": fault and fault.kind}
        if fault and fault.kind == "reset" and fault["when"] == "before":
            # Unlike a lost answer, this leaves the request undone.
            await _damaged(incoming, Reply(), content_of(b""), Damage(-1, reset=True), None)
        reply = self._world.answer(request, target, fault)
        entry |= {"status": reply.status, "job": reply.job}
        if fault and fault.kind == "stall" and fault["when"] == "before":
            await asyncio.sleep(fault["seconds"])
        return await _send(incoming, reply, fault, self._world.serve(target, reply))


def _is_control(request: Request) -> bool:
    return f"{request.raw_path}/".startswith(control.PREFIX + "/")


async def _send(
    incoming: web.BaseRequest, reply: Reply, fault: Fault | None, served: Served | None = None
) -> web.StreamResponse:
    content = reply.body if isinstance(reply.body, Content) else content_of(reply.body)
    start, stop = reply.span or (0, content.length)
    if fault and fault.kind == "packed":
        body = packed(fault, b"".join(content.chunks(start, stop)))
        headers = {"Content-Type": content.content_type, **reply.headers, "Content-Encoding": fault["coding"]}
        headers.pop("Transfer-Encoding", None)
        answer = web.Response(status=reply.status, body=body, headers=headers)
        await answer.prepare(incoming)
        await answer.write_eof()
        return answer
    if fault and fault.kind == "early_hints":
        await StreamWriter(incoming.protocol, asyncio.get_running_loop()).write(EARLY_HINTS)
    harm = damage(fault, stop - start)
    if harm:
        await _damaged(incoming, reply, content, harm, served)
    headers = dict(reply.headers)
    encoding = headers.pop("Content-Encoding", None)
    chunked = headers.pop("Transfer-Encoding", None)
    response = web.StreamResponse(status=reply.status, headers=headers)
    if encoding:
        response.enable_compression(web.ContentCoding(encoding))
    elif not chunked:  # the framework's own choice where no length is set
        response.content_length = stop - start
    await response.prepare(incoming)
    if incoming.method != "HEAD":
        for chunk in content.chunks(start, stop):
            await response.write(chunk)
            _count(served, len(chunk))
        _count(served, 0)
    await response.write_eof()
    return response


def _count(served: Served | None, size: int) -> None:
    if served:
        served.sent += size
        served.complete = served.sent == served.span[1] - served.span[0]


async def _damaged(
    incoming: web.BaseRequest, reply: Reply, content: Content, harm: Damage, served: Served | None
) -> NoReturn:
    """Write by hand what the web framework rightly refuses to: an answer that isn't whole."""
    transport = incoming.transport
    if transport is None:
        raise ConnectionResetError
    writer = StreamWriter(incoming.protocol, asyncio.get_running_loop())
    start, stop = reply.span or (0, content.length)
    if harm.at >= 0:
        await writer.write(_head(reply, content.content_type, stop - start, harm.framing))
        await _write(writer, content, start, start + harm.at, harm.framing, served)
    if harm.pause is not None:
        await asyncio.sleep(harm.pause)
        await _write(writer, content, start + harm.at, stop, harm.framing, served)
    if harm.drip is not None:
        for at in range(start, stop):
            await _write(writer, content, at, at + 1, harm.framing, served)
            await asyncio.sleep(harm.drip)
    if harm.reset:
        await _flushed(transport)
        _reset(transport)
    else:
        transport.close()
    raise ConnectionResetError


def _head(reply: Reply, content_type: str, length: int, framing: str) -> bytes:
    reason = REASONS.get(reply.status, "Unknown")
    headers = {"Content-Type": content_type, **reply.headers, "Connection": "close"}
    headers.pop("Content-Encoding", None)  # what is written by hand isn't compressed
    headers.pop("Transfer-Encoding", None)  # the fault decides on the framing
    headers |= {
        "length": {"Content-Length": str(length)},
        "chunked": {"Transfer-Encoding": "chunked"},
    }.get(framing, {})
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _write(
    writer: StreamWriter, content: Content, start: int, stop: int, framing: str, served: Served | None
) -> None:
    for chunk in content.chunks(start, stop):
        await writer.write(b"%x\r\n%b\r\n" % (len(chunk), bytes(chunk)) if framing == "chunked" else chunk)
        _count(served, len(chunk))


async def _flushed(transport: asyncio.Transport) -> None:
    while not transport.is_closing() and transport.get_write_buffer_size():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    # A reset overtakes what the client hasn't read yet; on loopback a moment is enough for it.
    await asyncio.sleep(0.05)


def _reset(transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
