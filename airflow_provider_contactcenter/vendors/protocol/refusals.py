"""What it means when a vendor, or the way to it, says no.

A module of its own because operators and triggers need it where a DAG file is parsed, and nothing else of
the vendors'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_contactcenter.nouns import State

RefusalKind = Literal[
    "authentication",  # wrong credentials
    "permission",  # right credentials, not allowed
    "invalid",  # the vendor does not accept what was asked
    "missing",  # no such thing, or no longer
    "quota",  # too many at a time: wait and ask again
    "unreachable",  # no connection was made, so nothing was sent
    "unavailable",  # a blip: ask again
    "lost",  # sent, but the answer never came: it may have been carried out
    "failed",  # the vendor says that the report failed
    "expired",  # the report was there, and its file no longer is
    "incomplete",  # rows are missing
    "undecodable",  # an answer came in a coding that nothing here undoes, as the next one will
    "capped",  # rows are missing, and will be each time: the vendor cuts what was asked for
]


#: how the words of a refusal begin where an answer has more bytes than are read of one
TOO_LONG = "the answer is longer than"


class Refusal(Exception):
    """A vendor (or the way to it) said no. ``words`` are its own, without any secret.

    :param advice: what to do about this very one, where more is known than its kind.
    """

    def __init__(
        self,
        kind: RefusalKind,
        words: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(words)
        self.kind: RefusalKind = kind
        self.words = words
        self.status = status
        #: seconds that the vendor asked to wait, if it did
        self.retry_after = retry_after
        self.advice = advice

    def but(self, kind: RefusalKind | None = None, words: str | None = None) -> Refusal:
        """The same refusal, of another kind or in other words; all else stays, what to do about it too."""
        return Refusal(
            kind or self.kind,
            self.words if words is None else words,
            status=self.status,
            retry_after=self.retry_after,
            advice=self.advice,
        )

    def advised(self, advice: str, kind: RefusalKind | None = None) -> Refusal:
        """The same refusal with what to do about it, unless that is known already."""
        told = self.but(kind)
        told.advice = self.advice or advice
        return told

    @property
    def answered(self) -> bool:
        """Whether the vendor said it, by a status: not a certificate, a redirect, a good answer's coding."""
        return self.status is not None and self.status >= 400

    @property
    def gone(self) -> bool:
        """Whether what was asked for isn't there: at the API, or behind each new link to object storage."""
        return self.status in {404, 410} and self.kind in {"missing", "unavailable"}

    @property
    def passing(self) -> bool:
        """Whether asking again later may help without anything being changed."""
        return self.kind in {"unreachable", "unavailable", "lost", "quota"}

    @property
    def unreadable(self) -> bool:
        """Whether an answer came with a good status and made no sense: a gateway's page, half a body."""
        return self.passing and self.status is not None and self.status < 300


#: state of a job that has no file -> the refusal that this is
NO_FILE: Mapping[State, RefusalKind] = {
    "queued": "unavailable",
    "running": "unavailable",
    "failed": "failed",
    "cancelled": "failed",
    "expired": "expired",
}
