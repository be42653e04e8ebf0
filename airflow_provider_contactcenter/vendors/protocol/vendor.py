"""What a vendor offers the rest of the package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from airflow_provider_contactcenter.nouns import Job, Report, State, Status
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import File, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Operation, Request


class Vendor(Protocol):
    """What a vendor module offers; all of it pure."""

    #: how the vendor calls its API
    TITLE: str
    #: the vendor's documented status words, in lower case; any other word counts as running
    STATES: Mapping[str, State]
    #: a report is submitted no earlier than the window's end plus this
    SETTLE_DELAY: timedelta

    def settings(self, fields: ConnectionFields) -> Settings:
        """Resolve a connection."""

    def authenticate(self, settings: Settings) -> Operation[Token] | None:
        """Ask for a token; None where requests carry the credentials themselves."""

    def sign(self, request: Request, settings: Settings, token: Token | None) -> Request:
        """Add the credentials to a request."""

    def submit(self, report: Report, label: str | None) -> Operation[Job]:
        """Order a report; ``label`` says for which task, where the vendor gives a report a name."""

    def status(self, job: Job) -> Operation[Status]:
        """Ask how a job is doing."""

    def content(self, job: Job) -> File | Pages:
        """Tell how the rows of a ready job are fetched."""

    def probe(self, settings: Settings) -> Operation[str]:
        """Test a connection; returns a sentence, raises Refusal."""


def status_of(words: Mapping[str, State], word: str | None, reason: str | None = None) -> Status:
    """Normalise a vendor's status word; one that no list holds counts as running."""
    state = words.get(word.strip().lower(), "running") if word else "running"
    return Status(state=state, vendor_status=word, reason=reason)
