"""How the bytes of a report are fetched: asked for again where a link dies, within one bound for all.

A vendor that can't be reached is waited for, :data:`OUTAGE` seconds behind the last byte or page that came.
One that answers and gives something unreadable, or breaks off at the same place, is asked
:data:`REOPENINGS` times more.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from airflow_provider_contactcenter.pipeline.incomplete import Incomplete
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.on_requests import RequestsDriver
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: how often what came broken is asked for again without any progress
REOPENINGS = 4
#: seconds without any progress after which a vendor that can't be reached is given up
OUTAGE = 300.0
#: tries within them, at the most
TRIES = 30

T = TypeVar("T")


class Patience:
    """Decides whether to ask again, and waits before it."""

    def __init__(
        self,
        note: Callable[[str], None],
        clock: Callable[[], float] = lambda: time.monotonic(),
        sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds),
    ) -> None:
        self._note = note
        self._clock = clock
        self._sleep = sleep
        self.progress()

    def progress(self) -> None:
        """Something came: an outage that follows is another one."""
        self._tries = 0
        self._broken = 0
        self._since: float | None = None

    def bear(self, refusal: Refusal, what: str, *, broken: bool) -> None:
        """Wait, or raise the refusal.

        :param broken: an answer came, and can't be used.
        """
        now = self._clock()
        self._since = now if self._since is None else self._since
        self._tries += 1
        self._broken += broken
        pause = policy.pause(refusal, self._tries)
        longer = (refusal.retry_after or 0) > policy.LONGEST_INLINE_WAIT
        over = now + pause > self._since + OUTAGE or self._tries > TRIES or self._broken > REOPENINGS
        if not refusal.passing or longer or over:
            raise refusal
        self._note(f"{what} asked for again: {refusal.words}")
        # A link that died once is no outage.
        if self._tries > 1 or not broken:
            self._sleep(pause)


class FetchedFile:
    """A file's bytes; where the body breaks off it is asked for again and what came already is passed over.

    The part that came already must be the same again, or the pieces would not belong together.
    """

    def __init__(
        self,
        file: File,
        driver: RequestsDriver,
        note: Callable[[str], None],
        patience: Patience | None = None,
    ) -> None:
        self._file = file
        self._driver = driver
        self._patience = patience or Patience(note)
        self.framed = True
        self.content_type = ""
        self._hash = hashlib.sha256()  # of what was passed on

    def __iter__(self) -> Iterator[bytes]:
        passed_on = 0
        while True:
            opened = False
            try:
                answer = self._open()
                opened = True
                for piece in self._fresh(answer, passed_on):
                    self._patience.progress()
                    self._hash.update(piece)
                    passed_on += len(piece)
                    yield piece
                return
            except Refusal as refusal:
                self._patience.bear(refusal, f"the file is, after {passed_on} bytes,", broken=opened)

    def _open(self) -> Answer:
        answer = self._driver.run(self._file.open(), 1)
        if answer.chunks is None:
            # A redirect that isn't followed, a 202, a 204: nothing that has a file's bytes.
            raise Refusal(
                "unavailable", f"HTTP {answer.status} came in place of the file", status=answer.status
            )
        self.framed = answer.framed
        self.content_type = answer.headers.get("content-type", "")
        return answer

    def _fresh(self, answer: Answer, known: int) -> Iterator[bytes]:
        """The body behind its first ``known`` bytes."""
        again, left = hashlib.sha256(), known
        for piece in answer.chunks or ():
            old = piece[:left]
            left -= len(old)
            again.update(old)
            if old and not left and again.digest() != self._hash.digest():
                raise Incomplete(f"the file changed between two requests, within its first {known} bytes")
            if len(piece) > len(old):
                yield piece[len(old) :] if old else piece
        if left:
            raise Incomplete(
                f"the file became shorter between two requests: {known - left} bytes, not {known}"
            )


def asked(
    pages: Pages, driver: RequestsDriver, note: Callable[[str], None], patience: Patience | None = None
) -> Callable[[Hashable | None], Page]:
    """A function that fetches the page behind a cursor; hours may lie before it, so it bears an outage."""
    waits = patience or Patience(note)

    def ask(cursor: Hashable | None) -> Page:
        waits.progress()
        while True:
            try:
                return driver.run(pages.page(cursor), 1)
            except Refusal as refusal:
                waits.bear(refusal, "a page is", broken=refusal.unreadable)

    return ask
