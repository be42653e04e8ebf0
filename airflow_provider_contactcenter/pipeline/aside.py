"""Work on pieces that nobody waits for: done in a thread of its own while the next piece comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

__all__ = ["aside"]


@contextmanager
def aside(work: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """Give a function that has each piece worked on, in order; after the block all of it is done.

    Only one piece is on its way: more of them would take memory, and no time away. What ``work`` raises comes
    out with the next piece, or at the end of the block.
    """
    under_way: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="report-aside") as pool:

        def submit(piece: bytes) -> None:
            nonlocal under_way
            if under_way:
                under_way.result()
            under_way = pool.submit(work, piece)

        yield submit
        if under_way:
            under_way.result()
