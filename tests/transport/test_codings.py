"""Packed bodies: unpacked alike by both drivers, and never taken for whole before their coding has ended."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_contactcenter.transport.codings import PIECE, Decoder, Undecodable
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Wire, connection, reply, talkdesk

from .conftest import Client, Connect
from .test_drivers import get, orders, post, refused

TEXT = b"".join(b"%d,%d\r\n" % (n, n * n) for n in range(20_000))


def bare(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


def members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


PACKINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "several members": ("gzip", members),
    "padded members": ("gzip", lambda data: members(data) + b"\0" * 100),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
    "two codings": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    "two codings, the other way": ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    "a word that is no coding": ("utf-8", bytes),
    "two words, one of them a coding": ("aws-chunked, gzip", gzip.compress),
}
#: those whose end shows in the body itself; without padding, which may be missing
ENDING = [name for name in PACKINGS if name not in {"a word that is no coding", "padded members"}]


def unpacked(coding: str, packed: bytes, cut: int = 1000) -> bytes:
    decoder = Decoder(coding)
    text = b"".join(text for at in range(0, len(packed), cut) for text in decoder.feed(packed[at : at + cut]))
    decoder.finish()
    return text


@pytest.mark.parametrize("name", PACKINGS)
@settings(deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(1, 50))
def test_what_was_packed_is_unpacked_however_it_is_cut(name: str, data: bytes, cut: int) -> None:
    coding, pack = PACKINGS[name]
    assert unpacked(coding, pack(data), cut) == data


@pytest.mark.parametrize("name", ENDING)
@settings(deadline=None)
@given(data=st.binary(max_size=300), part=st.floats(0, 1, exclude_max=True))
def test_a_stream_that_ends_early_is_noticed_wherever_it_ends(name: str, data: bytes, part: float) -> None:
    coding, pack = PACKINGS[name]
    packed = pack(data)
    short = packed[: int(len(packed) * part)]
    if name == "several members" and short == gzip.compress(data[: len(data) // 2]):
        return  # the first member, whole: nothing in it says that another was to come
    with pytest.raises(Undecodable):
        unpacked(coding, short)


def test_what_a_few_bytes_grow_to_comes_in_pieces_of_bounded_size() -> None:
    decoder = Decoder("gzip")
    sizes = [len(piece) for piece in decoder.feed(gzip.compress(b"0" * 50_000_000))]
    assert sum(sizes) == 50_000_000 and max(sizes) <= PIECE


@pytest.mark.parametrize("behind", [b"x" * 50, gzip.compress(b"more", mtime=0)[:-5]])
def test_what_stands_behind_the_end_is_damage(behind: bytes) -> None:
    with pytest.raises(Undecodable):
        unpacked("gzip", gzip.compress(b"a") + behind)
    with pytest.raises(Undecodable, match="something follows the end of its deflate stream"):
        unpacked("deflate", zlib.compress(b"a") + behind)


@pytest.mark.parametrize("coding", [None, "", "identity", "utf-8", "aws-chunked", "UTF-8, identity"])
def test_words_that_are_no_coding_pass(coding: str | None) -> None:
    decoder = Decoder(coding)
    assert [*decoder.feed(b"as it is")] == [b"as it is"]
    decoder.finish()
    assert not decoder.packed


# -- the file ----------------------------------------------------------------------------------------------


def file_from(server: Wire, monkeypatch: pytest.MonkeyPatch) -> Answer:
    monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
    client = Client("requests", "wire")
    answer: Answer = client.run(get(stream=True))[0]
    return answer


@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
@pytest.mark.parametrize("name", PACKINGS)
def test_a_packed_file_is_whole_and_proved(name: str, framing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coding, pack = PACKINGS[name]
    packed = reply(200, pack(TEXT), framing=framing, Content_Encoding=coding)
    with Wire(talkdesk(packed)) as server:
        answer = file_from(server, monkeypatch)
        assert b"".join(answer.chunks or ()) == TEXT
    assert answer.framed == (framing != "none" or "gzip" in coding.lower() or "deflate" in coding), (
        "its own end proves a body without framing"
    )


#: each coding with each framing, and one coding in each place; how others end anywhere is shown above
ENDS = [(name, 0.6) for name in ENDING] + [("gzip", part) for part in (0.0, 0.0001, 0.9999)]


@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
@pytest.mark.parametrize(("name", "part"), ENDS)
def test_a_packed_file_that_ends_early_broke_off_however_it_is_framed(
    name: str, part: float, framing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    coding, pack = PACKINGS[name]
    packed = pack(TEXT)
    short = reply(200, packed[: int(len(packed) * part)], framing=framing, Content_Encoding=coding)
    with Wire(talkdesk(short)) as server:
        answer = file_from(server, monkeypatch)
        with pytest.raises(Refusal, match=r"broke off after \d+ bytes \(it ended before its") as broken:
            list(answer.chunks or ())
    assert broken.value.passing, "the file is asked for again"


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "x-compress", "gzip, br"])
def test_a_file_in_a_coding_that_nothing_undoes_is_refused_by_its_name(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Wire(talkdesk(reply(200, TEXT, Content_Encoding=coding))) as server,
        pytest.raises(Refusal) as refusal,
    ):
        file_from(server, monkeypatch)
    assert repr(coding.split()[-1]) in refusal.value.words
    assert refusal.value.kind == "undecodable" and not refusal.value.passing
    assert len(orders(server)) == 1


# -- everything else, on both drivers ----------------------------------------------------------------------


def test_only_what_can_be_undone_is_asked_for(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(get())
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"gzip, deflate"}


@pytest.mark.parametrize("name", PACKINGS)
def test_every_answer_is_unpacked(connect: Connect, name: str) -> None:
    coding, pack = PACKINGS[name]
    with Wire(talkdesk(reply(200, pack(b'{"a": 1}'), Content_Encoding=coding))) as server:
        assert connect(server.origin).run(get())[0].json() == {"a": 1}


@pytest.mark.parametrize("name", ENDING)
def test_an_answer_that_ends_early_is_asked_for_again(connect: Connect, name: str) -> None:
    coding, pack = PACKINGS[name]
    whole = pack(b'{"a": 1}')
    short = reply(200, whole[:-3], Content_Encoding=coding)
    with Wire(talkdesk(short, reply(200, whole, Content_Encoding=coding))) as server:
        assert connect(server.origin).run(get())[0].json() == {"a": 1}
    assert len(orders(server)) == 2


@pytest.mark.parametrize("coding", ["br", "zstd", "compress"])
@pytest.mark.parametrize("of", ["an answer", "a token"])
def test_a_coding_that_nothing_undoes_is_named(connect: Connect, coding: str, of: str) -> None:
    packed = reply(200, b"\x1b\x00", Content_Encoding=coding)
    answers: dict[str, Any] = {"token": packed} if of == "a token" else {}
    with Wire(talkdesk(packed, **answers)) as server:
        refusal = refused(connect(server.origin), get())
    assert f"packed as {coding!r}" in refusal.words
    assert refusal.kind == "undecodable", "not a word about credentials, where it is a token's"
    assert not refusal.passing and len(server.asked) <= 2


def test_an_order_whose_answer_cannot_be_read_is_lost(connect: Connect) -> None:
    with Wire(talkdesk(reply(202, b"\x1b\x00", Content_Encoding="br"))) as server:
        assert refused(connect(server.origin), post()).kind == "lost"
    assert len(orders(server)) == 1


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_an_error_keeps_its_status_where_its_words_cannot_be_read(connect: Connect, coding: str) -> None:
    with Wire(talkdesk(reply(403, b"\x1b\x00", Content_Encoding=coding))) as server:
        refusal = refused(connect(server.origin), get())
    assert (refusal.kind, refusal.status) == ("permission", 403)
    assert refusal.words.startswith("HTTP 403: (its body can't be read: it ")


@pytest.mark.parametrize("status", [202, 204, 303, 304])
def test_an_empty_answer_may_be_said_to_be_packed(connect: Connect, status: int) -> None:
    framing = "none" if status in {204, 304} else "length"
    empty = reply(status, b"", framing=framing, Content_Encoding="gzip")
    with Wire(talkdesk(empty)) as server:
        assert connect(server.origin).run(get(redirects="told"))[0].body == b""
