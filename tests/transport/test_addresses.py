"""Which bytes an address is sent as, and by which proxy it is asked; the same in both drivers."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.connection import Settings
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Wire, connection, reply, talkdesk

from .conftest import Connect
from .test_drivers import get, orders

# -- redirects ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/a%2fb?X-Amz-Signature=q%2f%3d&x=%C3%a9", "/a%2fb?X-Amz-Signature=q%2f%3d&x=%C3%a9"),
        ("/a/%7euser/x?y=%2F%2f~+", "/a/%7euser/x?y=%2F%2f~+"),
        ("/trailing/blanks?s=1  ", "/trailing/blanks?s=1"),
        ("/na\xc3\xafve %7e.csv?s=a b", "/na%C3%AFve%20%7e.csv?s=a%20b"),
        ("/not'so(odd)*!$,;:@?a=[b]|c^`{}", "/not'so(odd)*!$,;:@?a=[b]|c^`{}"),
    ],
)
def test_a_location_is_followed_byte_for_byte(connect: Connect, location: str, sent: str) -> None:
    with Wire(lambda asked: reply(200, b"file")) as storage:
        for origin in ("", storage.origin):
            with Wire(talkdesk(reply(302, b"", Location=origin + location), reply(200, b"file"))) as server:
                connect(server.origin).run(get("/first", redirects="followed"))
                followed = orders(server)[1:] if not origin else storage.targets
            assert followed == [f"GET {sent}"]


def test_a_location_is_followed_byte_for_byte_by_way_of_a_proxy(connect: Connect) -> None:
    link = "http://storage.invalid/a%2fb?s=%2f"
    with Wire(talkdesk(reply(302, b"", Location=link), reply(200, b"file"))) as proxy:
        connect("http://api.invalid", proxy=proxy.origin).run(get("/first", redirects="followed"))
    assert proxy.targets[-1] == f"GET {link}"


# -- who is asked without a proxy --------------------------------------------------------------------------

SETTINGS = Settings(vendor="talkdesk", conn_id="c", base_url="http://api.example")


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("10.0.0.0/8", "http://10.20.30.40/x", True),
        ("10.0.0.0/8", "http://11.0.0.1/x", False),
        ("192.168.0.0/16, 10.0.0.0/8", "https://10.1.1.1:8443/x", True),
        ("10.1.1.1", "http://10.1.1.1:8080/", True),
        ("10.1.1.1:8080", "http://10.1.1.1:8080/", True),
        ("10.1.1.1:8080", "http://10.1.1.1:9090/", False),
        ("api.example:8080", "http://api.example:8080/", True),
        ("api.example:8080", "http://api.example/", False),
        (".example", "http://api.example/", True),
        ("example", "http://api.example/", True),
        ("ample", "http://api.example/", False),
        ("API.Example", "http://api.example/", True),
        (" a.example , api.example ", "http://api.example/", True),
        ("*", "https://anything.example/", True),
        ("", "http://api.example/", False),
    ],
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy_counts_in_every_form_that_requests_knows(
    monkeypatch: pytest.MonkeyPatch, name: str, no_proxy: str, url: str, direct: bool
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    for scheme in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://proxy.example:3128")
    monkeypatch.setenv(name, no_proxy)
    assert policy.proxy_for(SETTINGS, url) == (None if direct else "http://proxy.example:3128")


def test_a_range_in_no_proxy_keeps_a_token_from_the_proxy(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(lambda asked: reply(200, {})) as proxy, Wire(talkdesk(reply(200, {}))) as server:
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        connect(server.origin).run(get())
    assert (len(proxy.asked), len(server.asked)) == (0, 2)


def test_a_proxy_of_the_environment_needs_no_scheme(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(talkdesk(reply(200, {}))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin.partition("//")[2])
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        connect("http://api.invalid").run(get())
    assert len(proxy.asked) == 2


# -- proxies that can't be used ----------------------------------------------------------------------------

UNUSABLE = [
    ("socks5://me:sentinel@p:1080", " socks5://p can't be used: only proxies for http and https can be used"),
    ("http://me:sentinel@p:port", " http://p can't be used: it is not a URL"),
    ("http://me:sentinel@p:0", " http://p can't be used: it is not a URL"),
    ("http://[sentinel", " can't be used: it is not a URL"),
    ("http://", " can't be used: it names no host"),
    ("our proxy, sentinel", " can't be used: it names no host"),
]


@pytest.mark.parametrize(("proxy", "words"), UNUSABLE)
@pytest.mark.parametrize("where", ["connection", "environment"])
async def test_a_proxy_that_cannot_be_used_is_named_when_the_connection_is_read(
    monkeypatch: pytest.MonkeyPatch, where: str, proxy: str, words: str
) -> None:
    extra: dict[str, Any] = {"proxy": proxy} if where == "connection" else {}
    if where == "environment":
        monkeypatch.setenv("https_proxy", proxy)
        for each in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection("https://api.invalid", **extra))
    with pytest.raises(ContactCenterInvalidReportError) as on_worker:
        TalkdeskHook("wire").settings  # noqa: B018 - resolving it is what refuses
    with pytest.raises(Refusal) as in_triggerer:
        async with TalkdeskHook("wire").polling():
            pass
    said = f"the {where}'s proxy{words}"
    assert in_triggerer.value.words == said
    assert said in str(on_worker.value)
    assert "sentinel" not in str(on_worker.value)
