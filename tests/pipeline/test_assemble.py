"""What is known of a report at its end, and what its file says of what went wrong on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.pipeline.assemble import assemble
from airflow_provider_contactcenter.pipeline.incomplete import Incomplete
from airflow_provider_contactcenter.pipeline.source import UNPROVED, FileSource, PageSource, ReportStream
from airflow_provider_contactcenter.pipeline.transform import transform
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages

DOCUMENT = b'{"entries":[{"a":"1"},\n {"a":"2"}],"total":2}'


class Failed(Exception):
    pass


class Fetched:
    content_type = ""

    def __init__(self, *pieces: bytes | Exception, framed: bool = True) -> None:
        self._pieces, self.framed = pieces, framed
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            self.hash.update(piece)
            yield piece


def never(*_: Any) -> Any:
    raise AssertionError


def stream_of(source: Any, notes: list[str] | None = None) -> ReportStream:
    noted = [] if notes is None else notes
    return ReportStream(source, lambda why: Failed(str(why)), noted.append)


def file_of(file_format: str, *pieces: bytes | Exception, framed: bool = True, **known: Any) -> FileSource:
    return FileSource(File(open=never, file_format=file_format, **known), Fetched(*pieces, framed=framed))


def pages_of(*pages: Page, **known: Any) -> PageSource:
    return PageSource(Pages(page=never, **known), lambda cursor: pages[cursor or 0])  # type: ignore[call-overload]


class Short:
    """A stage that loses the last row."""

    columns = None

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.finished = False

    def feed(self, piece: bytes) -> bytes:
        return piece

    def finish(self) -> bytes:
        self.finished = True
        return b""


def test_the_facts_are_those_of_the_vendors_bytes_whatever_lands() -> None:
    stream = stream_of(file_of("json", DOCUMENT[:9], DOCUMENT[9:]))
    body = assemble(stream, transform=lambda came: transform(shape(rename={"a": "b"}), came))
    assert body.read() == b'{"b":"1"}\n{"b":"2"}\n'
    facts = stream.facts
    assert (facts.file_format, facts.size, facts.rows, facts.vendor_total) == ("json", len(DOCUMENT), 2, 2)
    assert facts.complete is True
    assert facts.sha256 != body.sha256


def test_a_json_document_is_split_only_when_it_is_shaped() -> None:
    assert assemble(stream_of(file_of("json", DOCUMENT))).read() == DOCUMENT
    asked = []

    def stage(came: str) -> Any:
        asked.append(came)
        return Short(2)

    body = assemble(stream_of(file_of("json", DOCUMENT, rows_at="entries")), transform=stage)
    assert body.read() == b'{"a":"1"}\n{"a":"2"}\n'
    assert asked == ["jsonl"]


@pytest.mark.parametrize(
    ("file_format", "came", "said"),
    [
        ("json", b'{"entries":[{"ani":"+48100200300"} {"ani":"+48100200301"}]}', "is not JSON"),
        ("json", b'{"entries":[{"a":"1","ani":"+48100200300"}]} "+48100200301"', "something follows"),
        ("csv", b"Phone Number\n+48100200300\n", "as a message would"),
    ],
)
def test_what_keeps_a_shaped_report_from_being_whole_is_said_without_its_values(
    file_format: str, came: bytes, said: str
) -> None:
    def tell(shaped: bool) -> str:
        notes: list[str] = []
        source = file_of(file_format, came)
        source._fetched.content_type = "text/plain"  # type: ignore[misc]
        body = assemble(stream_of(source, notes), transform=(lambda _: Short(1)) if shaped else None)
        try:
            body.read()
        except Failed as failed:
            notes.append(str(failed))
        return " ".join(notes)

    assert said in tell(shaped=False)
    assert "+48100200" in tell(shaped=False)
    assert said in tell(shaped=True)
    assert "+48100200" not in tell(shaped=True)


def test_a_report_that_nothing_proves_says_so_once() -> None:
    notes: list[str] = []
    stream = stream_of(file_of("csv", b"a,b\n1,2\n", framed=False), notes)
    assert b"".join(stream) == b"a,b\n1,2\n"
    assert next(stream, None) is None
    assert stream.complete is None
    assert list(stream.caveats) == notes == [UNPROVED]


def test_a_caveat_of_the_vendor_takes_the_proof_from_file_and_pages() -> None:
    rows = Page(rows=[{"a": 1}], cursor=None)
    for source in (file_of("csv", b"a,b\n1,2\n", caveat="Two years."), pages_of(rows, caveat="Two years.")):
        notes: list[str] = []
        stream = stream_of(source, notes)
        list(stream)
        assert (stream.complete, stream.rows, notes) == (None, 1, ["Two years."])


def test_a_blank_body_is_no_rows_only_where_the_vendor_means_it() -> None:
    stream = stream_of(file_of("csv", b" \n", blank="The vendor sent nothing."))
    list(stream)
    assert (stream.rows, stream.complete) == (0, None)
    assert list(stream.caveats) == ["The vendor sent nothing."]


def test_pages_that_hold_other_than_the_total_are_incomplete() -> None:
    stream = stream_of(pages_of(Page(rows=[{"a": 1}], cursor=1, total=3), Page(rows=[{"a": 2}], cursor=None)))
    with pytest.raises(Failed, match="total says 3 rows, its pages hold 2"):
        list(stream)


def test_a_stream_that_failed_never_ends_as_if_it_were_whole() -> None:
    stream = stream_of(file_of("csv", b"a,b\n1,2\n", Incomplete("cut")))
    assert next(stream) == b"a,b\n1,2\n"
    for _ in range(3):
        with pytest.raises(Failed, match="cut"):
            next(stream)


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_shape_that_writes_other_than_the_rows_that_came_is_incomplete(compression: str | None) -> None:
    stream = stream_of(file_of("csv", b"a,b\n1,2\n3,4\n"))
    body = assemble(stream, transform=lambda came: Short(1), compression=compression)
    with pytest.raises(Failed, match="holds 2 rows, 1 row came out of its shape"):
        body.read()


def test_nothing_behind_a_report_that_breaks_off_is_finished() -> None:
    stage = Short(1)
    stream = stream_of(file_of("csv", b"a,b\n1,2\n", Incomplete("cut")))
    body = assemble(stream, transform=lambda came: stage)
    with pytest.raises(Failed, match="cut"):
        body.read()
    assert not stage.finished


def test_the_error_of_a_body_is_kept_for_every_later_read() -> None:
    body = assemble(stream_of(file_of("csv", b"a,b\n1,2\n", Incomplete("cut"))))
    assert body.read(3) == b"a,b"
    with pytest.raises(Failed) as first:
        body.read()
    for size in (-1, 1):
        with pytest.raises(Failed) as later:
            body.read(size)
        assert later.value is first.value is body.error


def test_a_body_that_is_stopped_gives_the_error_to_whoever_reads_on() -> None:
    body = assemble(stream_of(file_of("csv", b"a", b",b\n1,2\n")))
    body.read(1)
    body.stop(Failed("the task was killed"))
    with pytest.raises(Failed, match="killed"):
        body.read()


def test_no_rows_are_told_at_the_end_and_may_fail_the_file() -> None:
    def refuse() -> None:
        raise Failed("no rows")

    with pytest.raises(Failed, match="no rows"):
        assemble(stream_of(file_of("csv", b"a,b\n")), on_no_rows=refuse).read()
    assert assemble(stream_of(file_of("csv", b"a,b\n1,2\n")), on_no_rows=refuse).read() == b"a,b\n1,2\n"


def test_room_is_not_made_for_a_part_that_is_larger_than_memory() -> None:
    assert assemble(stream_of(file_of("csv", b"a\n1\n"))).read(1 << 50) == b"a\n1\n"
