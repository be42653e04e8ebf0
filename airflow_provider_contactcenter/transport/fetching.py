"""How the bytes of a report are fetched: asked for again where a link dies, within one bound for all.

The bound is :class:`.policy.Patience`, kept here and not below: a request of the driver's is sent once, so
that no wait is waited twice. Every byte and page that comes is progress.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.on_requests import RequestsDriver
from airflow_provider_contactcenter.transport.resuming import Resumable, resumable
from airflow_provider_contactcenter.vendors.protocol.content import File, Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Answer
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: seconds of a pause that is worth a word
LONG = 10.0


class _Waiting:
    """Waits before something is asked for again, or raises why it isn't."""

    def __init__(self, driver: RequestsDriver, note: Callable[[str], None]) -> None:
        self._clock = driver.clock
        self._note = note
        self._patience = policy.Patience(self._clock.monotonic, longest=policy.LONGEST_WAIT_MIDWAY)
        self.progress()

    def progress(self) -> None:
        """Something came."""
        self._patience.progress()
        self._first = True

    def bear(self, refusal: Refusal, what: str, *, broken: bool) -> None:
        """Wait, or raise the refusal.

        :param broken: an answer came, and can't be used.
        """
        seconds = self._patience.pause(refusal, broken=broken)
        if seconds is None:
            raise refusal
        later = f" in {seconds:.0f} s" if seconds >= LONG else ""
        self._note(f"{what} asked for again{later}: {refusal.words}")
        # A link that died once is no outage.
        if not (self._first and broken):
            self._clock.sleep(seconds)
        self._first = False


class FetchedFile:
    """A file's bytes; where the body breaks off its rest is asked for, if its server takes ranges.

    Else it is asked for as a whole and what came already is passed over. That part must be the same again, or
    the pieces would not belong together.

    :ivar hash: a SHA-256 of what was passed on.
    """

    def __init__(
        self,
        file: File,
        driver: RequestsDriver,
        note: Callable[[str], None],
    ) -> None:
        self._file = file
        self._driver = driver
        self._waiting = _Waiting(driver, note)
        self.framed = True
        self.content_type = ""
        self.hash = hashlib.sha256()
        self._resumable: Resumable | None = None

    def __iter__(self) -> Iterator[bytes]:
        passed_on = 0
        while True:
            opened = False
            try:
                answer = self._open(passed_on)
                opened = True
                for piece in self._fresh(answer, passed_on):
                    self._waiting.progress()
                    self.hash.update(piece)
                    passed_on += len(piece)
                    yield piece
                return
            except Refusal as refusal:
                if not opened and refusal.status is not None and 400 <= refusal.status < 500:
                    self._resumable = None  # perhaps it is the range that was refused
                self._waiting.bear(refusal, f"the file is, after {passed_on} bytes,", broken=opened)

    def _open(self, passed_on: int) -> Answer:
        rest = self._resumable.rest(passed_on) if self._resumable else None
        answer = self._driver.run(self._file.open(), attempts=1, rest=rest)
        # A 202, a 204: nothing that has a file's bytes, unless none are an answer.
        if answer.chunks is None and not (answer.status == 204 and self._file.blank):
            raise Refusal(
                "unavailable", f"HTTP {answer.status} came in place of the file", status=answer.status
            )
        if not answer.start:
            self._resumable = resumable(answer)
        self.framed = answer.framed
        self.content_type = answer.headers.get("content-type", "")
        return answer

    def _fresh(self, answer: Answer, known: int) -> Iterator[bytes]:
        """The body behind its first ``known`` bytes."""
        again, left = hashlib.sha256(), known - answer.start
        for piece in answer.chunks or ():
            old = piece[:left]
            left -= len(old)
            again.update(old)
            if old and not left and again.digest() != self.hash.digest():
                raise Refusal(
                    "incomplete", f"the file changed between two requests, within its first {known} bytes"
                )
            if len(piece) > len(old):
                yield piece[len(old) :] if old else piece
        if left:
            raise Refusal(
                "incomplete",
                f"the file became shorter between two requests: {known - left} bytes, not {known}",
            )


def asked(
    pages: Pages, driver: RequestsDriver, note: Callable[[str], None]
) -> Callable[[Hashable | None], Page]:
    """A function that fetches the page behind a cursor; hours may lie before it, so it bears an outage."""
    waits = _Waiting(driver, note)

    def ask(cursor: Hashable | None) -> Page:
        waits.progress()
        while True:
            try:
                return driver.run(pages.page(cursor), attempts=1)
            except Refusal as refusal:
                waits.bear(refusal, "a page is", broken=refusal.unreadable)

    return ask
