"""No secret in any log line at DEBUG, nor in any exception's text, chained ones included."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import TOKEN, Wire, connection, reply, talkdesk

from .conftest import Client, Connect
from .test_drivers import get, post

BASIC = base64.b64encode(b"client-1:sentinel-secret-1").decode()
SIGNED = "/bucket/calls.csv?X-Amz-Signature=sentinel-signature-1&X-Amz-Credential=sentinel-credential-1"


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything that any logger says, DEBUG included, as a handler would write it."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name} {self.format(record)} {record.args!r}")

    keep, root = Keep(), logging.getLogger()
    names = [None, "urllib3", "urllib3.connectionpool", "aiohttp", "aiohttp.client", "asyncio", "requests"]
    before = {name: logging.getLogger(name).level for name in names}
    root.addHandler(keep)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield lambda: "\n".join(lines)
    root.removeHandler(keep)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def everything_about(error: BaseException) -> str:
    """The texts of an error and of all errors behind it, whether shown by a traceback or suppressed."""
    seen: list[str] = []
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or len(seen) > 50:
            continue
        seen += [str(each), repr(each), repr(each.args), repr(getattr(each, "words", ""))]
        left += [each.__cause__, each.__context__]
    return "\n".join([*seen, *traceback.format_exception(error)])


def clean(text: str) -> None:
    assert "sentinel" not in text
    assert BASIC not in text


STORAGE_ANSWERS: dict[str, Any] = {
    "whole": reply(200, b"a,b\r\n1,2\r\n"),
    "expired": reply(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
    "not found": reply(404, f"http://x.example{SIGNED} is not there".encode()),
    "broken": (reply(200, b"x" * 100)[:60], 0.0),
    "silent": (b"", 0.0),
    "garbage": (b"garbage\r\n\r\n", 0.0),
    "stall": (1.0,),
    "loop": reply(302, b"", Location=SIGNED),
    "elsewhere": reply(302, b"", Location="ftp://h" + SIGNED),
    "refused": None,
}


@pytest.mark.parametrize("how", STORAGE_ANSWERS)
def test_a_signed_link_shows_nowhere_however_its_fetching_ends(
    connect: Connect, logged: Callable[[], str], how: str
) -> None:
    with Wire(lambda asked: STORAGE_ANSWERS[how] or b"") as storage, Wire(talkdesk(b"")) as server:
        link = storage.origin + SIGNED
        server.answer = talkdesk(reply(303, f'see "{link}"'.encode(), Location=link))
        if how == "refused":
            storage.__exit__()
        client = connect(server.origin, timeout=0.1 if how == "stall" else 60)
        try:
            [answer] = client.run(get(redirects="followed"))
        except Refusal as refusal:
            assert how != "whole"
            clean(everything_about(refusal))
        else:
            assert how == "whole" and answer.body
    clean(logged())
    if client.kind == "requests" and how in {"whole", "expired", "not found"}:
        assert "/bucket/calls.csv?***" in logged(), "urllib3 logs requests at DEBUG"


@pytest.mark.parametrize(
    "written",
    [
        reply(401, {"message": "Bearer sentinel-token-1 is not valid"}),
        reply(400, b"secret=sentinel-secret-1"),
        reply(200, b"<html>sentinel-token-1 https://x.example/?a=sentinel-signature-1"),
    ],
)
def test_a_vendor_that_repeats_a_secret_is_quoted_without_it(
    connect: Connect, logged: Callable[[], str], written: bytes
) -> None:
    def parsed() -> Any:
        answer: Answer = yield from get("/x?api_key=sentinel-key-1")
        return answer.json()

    with Wire(talkdesk(written)) as server, pytest.raises(Refusal) as refused:
        connect(server.origin).run(parsed())
    text = everything_about(refused.value)
    assert "sentinel-secret-1" not in text
    assert "sentinel-signature-1" not in text
    assert "sentinel-token-1" not in text
    assert BASIC not in text
    if b"HTTP/1.1 401" in written:
        assert "*** is not valid" in text
    assert "sentinel" not in logged()


@pytest.mark.parametrize(
    "token",
    [
        reply(401, {"error": "invalid_client", "error_description": "sentinel-secret-1 is wrong"}),
        reply(400, f"Basic {BASIC}".encode()),
        reply(200, b"access_token=sentinel-token-9&expires_in=600"),
        reply(200, b'{"access_token": "sentinel-token-9", "expires_in"'),
        reply(200, {**TOKEN, "access_token": "sentinel-token-9\nx: y"}),
        b"",
        b"garbage\r\n\r\n",
    ],
)
def test_no_way_in_which_a_token_request_ends_shows_a_secret(
    connect: Connect, logged: Callable[[], str], token: bytes
) -> None:
    with Wire(talkdesk(reply(200), token=(token, 0.0))) as server, pytest.raises(Refusal) as refused:
        connect(server.origin).run(post())
    clean(everything_about(refused.value))
    clean(logged())


async def test_asyncios_own_debug_mode_shows_none_either(
    monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0  # every callback is slow, and so is logged
    from airflow_provider_contactcenter.transport.on_aiohttp import shared_driver

    with Wire(talkdesk(reply(303, b"", Location=SIGNED), reply(200, {}))) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        client = Client("aiohttp", "wire")
        async with shared_driver(client.hook.vendor, client.hook.settings) as driver:
            await driver.run(get(redirects="followed"))
    assert "took" in logged()
    clean(logged())


def test_a_url_is_shown_without_what_may_be_secret() -> None:
    assert policy.shown("https://u:p@h:8443/a/b?c=d#e") == "https://h:8443/a/b"
    assert policy.shown("http://h:bad/") == "an address that is none"
    assert policy.redact("see https://h/a?b=c and s", ["s"]) == "see https://h/a?*** and ***"
    assert policy.redact('x "https://h/a?b=c" y', []) == 'x "https://h/a?***" y'
