"""What every store promises, on a real server of each kind."""

from __future__ import annotations

import os
import threading

import pytest

from airflow_provider_contactcenter.stores.base import ObjectExists
from tests.stores.conftest import MAKERS, Body, Gone, Place

MIB = 1 << 20
CSV = "text/csv; charset=utf-8"

#: several parts, chunks or pieces and a rest: they have 8 MiB at S3 and Azure, 12 at GCS, 1 elsewhere
LARGE = {kind: (37 if kind in ("s3", "gcs", "azure") else 5) * MIB + 5 for kind in MAKERS}


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest) -> int:
    """Less than one of a store's parts, and more than three."""
    places = {"place", "conditional_place"} & set(request.fixturenames)
    return LARGE[request.getfixturevalue(*places).kind] if request.param == "large" else 5


def test_a_body_lands_whole(place: Place, name: str, size: int) -> None:
    data = os.urandom(size)
    store = place.store(name)
    assert not store.exists()
    store.check()
    assert not store.exists()
    stored = store.put(Body(data), content_type=CSV)
    assert place.content(name) == data
    assert b"".join(store.read()) == data
    assert store.exists()
    assert set(stored) <= {"etag", "version_id", "generation", "checksum"}
    store.delete()
    assert place.content(name) is None
    store.delete()


def test_an_empty_body_lands_as_an_empty_object(place: Place, name: str) -> None:
    place.store(name).put(Body(b""), content_type=CSV)
    assert place.content(name) == b""
    assert list(filter(None, place.store(name).read())) == []


@pytest.mark.parametrize("old", [None, b"what was there"], ids=["nothing there", "over an old object"])
def test_a_body_that_raises_leaves_what_was_there(
    place: Place, name: str, size: int, old: bytes | None
) -> None:
    if old is not None:
        place.put(name, old)
    with pytest.raises(Gone):
        place.store(name).put(Body(os.urandom(size), fails_at=size), content_type=CSV)
    assert place.content(name) == old
    assert [thread.name for thread in threading.enumerate() if "ahead" in thread.name] == []


def test_an_old_object_is_replaced(place: Place, name: str, size: int) -> None:
    place.put(name, b"what was there")
    data = os.urandom(size)
    store = place.store(name)
    store.check()
    assert place.content(name) == b"what was there"
    store.put(Body(data), content_type=CSV)
    assert place.content(name) == data


def test_the_store_itself_keeps_an_object_that_is_not_to_be_replaced(
    conditional_place: Place, name: str, size: int
) -> None:
    place = conditional_place
    place.put(name, b"what was there")
    with pytest.raises(ObjectExists):
        place.store(name).put(Body(os.urandom(size)), content_type=CSV, replace=False)
    assert place.content(name) == b"what was there"


def test_of_two_writers_at_once_exactly_one_wins(conditional_place: Place, name: str, size: int) -> None:
    place = conditional_place
    bodies = [os.urandom(size), os.urandom(size)]
    together = threading.Barrier(2, timeout=30)
    ended: list[object] = [None, None]

    def write(number: int) -> None:
        def wait(at: int) -> None:
            if at == size and not waited[number]:  # all is read; what is left is to let it appear
                waited[number] = True
                together.wait()

        try:
            place.store(name).put(Body(bodies[number], before_read=wait), content_type=CSV, replace=False)
            ended[number] = "stored"
        except Exception as error:
            ended[number] = error

    waited = [False, False]
    writers = [threading.Thread(target=write, args=(number,)) for number in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert ended.count("stored") == 1, ended
    winner = ended.index("stored")
    assert isinstance(ended[1 - winner], ObjectExists), ended
    assert place.content(name) == bodies[winner]


@pytest.mark.parametrize(
    "odd",
    ["a?b=1", "a#b", "50%", "%3F", "a b+c", "ümläut-漢字-😀", "a.b.", "a&b;c", "d=2024-05-01/e:f", "'a'\"b"],
)
def test_names_are_taken_as_they_are(place: Place, name: str, odd: str) -> None:
    odd = f"{name.partition('.')[0][-8:]}{odd}/x.csv" if "/" in odd else f"{name[-12:]}-{odd}"
    if place.kind in FOLDERS and "/" in odd:
        pytest.skip("a folder that isn't there is refused")
    store = place.store(odd)
    store.check()
    store.put(Body(b"data"), content_type=CSV)
    assert place.content(odd) == b"data"
    assert store.exists()
    assert store.uri.endswith(odd)
    assert store.dataset[1].endswith(odd)
    store.delete()
    assert place.content(odd) is None


FOLDERS = ("sftp", "file")


def test_another_name_of_the_same_store(place: Place, name: str) -> None:
    store = place.store(name)
    sibling = store.at(sibling_of(store, name))
    sibling.put(Body(b"{}"), content_type="application/json")
    assert place.content(name + ".json") == b"{}"
    assert sibling.uri == store.uri + ".json"


def sibling_of(store: object, name: str) -> str:
    """The name beside a store's own, as ``at`` takes it: a key, or a whole path."""
    path = getattr(store, "path", None)
    return f"{path or name}.json"


def test_what_is_missing_shows_before_anything_is_put(place: Place) -> None:
    with pytest.raises(Exception) as caught:
        place.nowhere().check()
    assert not isinstance(caught.value, ObjectExists)
