"""Work that is done aside: all of it, in order, and nothing that goes wrong is lost."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_contactcenter.pipeline.aside import aside


def test_all_pieces_are_worked_on_in_order_when_the_block_is_left():
    done: list[bytes] = []
    with aside(done.append) as feed:
        for number in range(100):
            feed(b"%d" % number)
    assert done == [b"%d" % number for number in range(100)]


def test_the_work_is_done_in_another_thread_while_the_next_piece_comes():
    came = threading.Event()

    def work(_: bytes) -> None:
        assert came.wait(60)

    with aside(work) as feed:
        feed(b"first")  # would wait for ever if this thread did the work
        came.set()


@pytest.mark.parametrize("more", [0, 1], ids=["at the last piece", "before the last piece"])
def test_what_goes_wrong_comes_out(more: int):
    def work(piece: bytes) -> None:
        if piece == b"bad":
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"), aside(work) as feed:
        feed(b"good")
        feed(b"bad")
        for _ in range(more):
            feed(b"good")


def test_no_thread_is_left_behind_by_a_block_that_an_error_ends():
    before = threading.active_count()
    with pytest.raises(KeyError), aside(lambda _: None) as feed:
        feed(b"piece")
        raise KeyError
    assert threading.active_count() == before
