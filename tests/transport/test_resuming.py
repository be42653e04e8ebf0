"""A file that breaks off: what is asked for then, and what is made of each answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.transport.fetching import FetchedFile
from airflow_provider_contactcenter.vendors.protocol.content import File
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Wire, connection, in_turn, reply, talkdesk

DATA = bytes(range(256)) * 64
SIZE, CUT = len(DATA), 9_000
ETAG = '"strong"'
Answers = tuple[Any, ...]


def cut(**headers: str) -> bytes:
    """The whole, of which CUT bytes come."""
    whole = reply(200, DATA, Connection="close", **headers)
    return whole[: len(whole) - SIZE + CUT]


def part(start: int = CUT, *, size: int = SIZE, **headers: str) -> bytes:
    named = {"Content_Range": f"bytes {start}-{SIZE - 1}/{size}", "ETag": ETAG, **headers}
    return reply(206, DATA[start:], Connection="close", **named)


WHOLE = reply(200, DATA, Connection="close", ETag=ETAG)


@pytest.fixture
def heads() -> list[bytes]:
    """What the vendor's module saw of each answer."""
    return []


def fetch(
    server: Wire, monkeypatch: pytest.MonkeyPatch, heads: list[bytes], where: str = "/file"
) -> tuple[bytes, str]:
    monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
    hook = TalkdeskHook("wire")

    def opened() -> Operation[Answer]:
        answer = yield Request("GET", where, stream=True, redirects="followed")
        heads.append(answer.body)
        return answer

    fetched = FetchedFile(File(open=opened, file_format="csv"), hook.driver, lambda note: None)
    try:
        data = b"".join(fetched)
    finally:
        hook.close()
    return data, fetched.hash.hexdigest()


def ranges(server: Wire) -> Iterator[tuple[str | None, str | None]]:
    for asked in server.asked:
        if "/file" in asked.target:
            yield asked.headers.get("range"), asked.headers.get("if-range")


RESUMED = (f"bytes={CUT}-", ETAG)
AGAIN = (None, None)


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ((cut(ETag=ETAG), part()), [AGAIN, RESUMED]),
        ((cut(ETag=ETAG, Accept_Ranges="bytes"), part()), [AGAIN, RESUMED]),
        # Nothing that names the bytes, or no ranges.
        ((cut(), WHOLE), [AGAIN, AGAIN]),
        ((cut(ETag='W/"weak"'), WHOLE), [AGAIN, AGAIN]),
        ((cut(ETag="bare"), WHOLE), [AGAIN, AGAIN]),
        ((cut(ETag=ETAG, Accept_Ranges="none"), WHOLE), [AGAIN, AGAIN]),
        ((cut(ETag=ETAG, Content_Encoding="utf-8"), WHOLE), [AGAIN, AGAIN]),
        # The whole, since the server doesn't resume.
        ((cut(ETag=ETAG), WHOLE), [AGAIN, RESUMED]),
        # Another part, or a part of something else: the whole is asked for at once.
        ((cut(ETag=ETAG), part(CUT - 1), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), part(CUT + 1), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), part(size=SIZE + 1), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), part(ETag='"other"'), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), part(Content_Range="bytes */16384"), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), part(Content_Encoding="gzip"), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), reply(206, DATA[CUT:], ETag=ETAG), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), reply(416, b"no"), WHOLE), [AGAIN, RESUMED, AGAIN]),
        # A refusal may be the range's; an outage isn't.
        ((cut(ETag=ETAG), reply(403, b"no"), WHOLE), [AGAIN, RESUMED, AGAIN]),
        ((cut(ETag=ETAG), reply(503, b"later"), part()), [AGAIN, RESUMED, RESUMED]),
    ],
)
def test_only_the_rest_of_the_same_bytes_is_taken(
    monkeypatch: pytest.MonkeyPatch, heads: list[bytes], answers: Answers, asked: list[Any]
) -> None:
    with Wire(in_turn(*answers)) as storage, Wire(talkdesk(reply())) as home:
        data, digest = fetch(home, monkeypatch, heads, f"{storage.origin}/file")
    assert data == DATA
    assert digest == hashlib.sha256(DATA).hexdigest()
    assert list(ranges(storage)) == asked
    assert {head[:1024] for head in heads} == {DATA[:1024]}


def test_a_rest_that_breaks_off_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, heads: list[bytes]) -> None:
    broken = part()[:-1000]
    with Wire(talkdesk(cut(ETag=ETAG), broken, part(SIZE - 1000))) as server:
        data, _ = fetch(server, monkeypatch, heads)
    assert data == DATA
    assert [asked for asked, _ in ranges(server)] == [None, f"bytes={CUT}-", f"bytes={SIZE - 1000}-"]


def test_a_file_that_is_another_one_by_now_is_no_rest(
    monkeypatch: pytest.MonkeyPatch, heads: list[bytes]
) -> None:
    other = reply(200, DATA[::-1], ETag='"other"')
    with (
        Wire(talkdesk(cut(ETag=ETAG), other)) as server,
        pytest.raises(Refusal, match="changed between two requests"),
    ):
        fetch(server, monkeypatch, heads)


def test_a_range_goes_to_the_server_that_named_the_bytes_and_to_no_other(
    monkeypatch: pytest.MonkeyPatch, heads: list[bytes]
) -> None:
    with Wire(lambda asked: cut(ETag=ETAG) if len(storage.asked) == 1 else part()) as storage:
        moved = reply(302, Location=f"{storage.origin}/file?signature=1")
        with Wire(talkdesk(moved)) as home:
            data, _ = fetch(home, monkeypatch, heads)
        assert data == DATA
        assert list(ranges(storage)) == [AGAIN, RESUMED]
        assert {*ranges(home)} == {AGAIN}


def test_what_breaks_off_each_time_without_a_byte_ends(
    monkeypatch: pytest.MonkeyPatch, heads: list[bytes]
) -> None:
    nothing = part()[: -(SIZE - CUT)]
    with Wire(talkdesk(cut(ETag=ETAG), nothing)) as server, pytest.raises(Refusal, match="broke off"):
        fetch(server, monkeypatch, heads)
