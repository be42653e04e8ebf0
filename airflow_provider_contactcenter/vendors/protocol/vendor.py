"""The description of a vendor: all that the rest of the package needs to know of one API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from airflow_provider_contactcenter.nouns import Job, Report, State, Status
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import File, Pages
from airflow_provider_contactcenter.vendors.protocol.form import Form
from airflow_provider_contactcenter.vendors.protocol.kind import Kind
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind

#: a word for a report that is over and lacks rows: never ready, whatever the vendor would hand out
Partly = Literal["partly"]


def no_token(settings: Settings) -> None:
    """There is no token to ask for: requests carry the connection's credentials themselves."""
    return


def as_read(refusal: Refusal, answer: Answer) -> Refusal:
    """A refusal means what its status and the usual shapes of a body say."""
    return refusal


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One API: data and pure functions, no I/O.

    An operation is a generator that yields requests and is sent answers; a refusal is thrown into it.
    """

    #: a report's ``vendor``, and the connection type
    name: str
    #: how the vendor calls its API
    title: str
    #: the page of the vendor's documentation to begin with
    docs: str
    #: the connection form
    form: Form
    #: a report's ``kind`` -> its builder, limits and rows
    kinds: Mapping[str, Kind]
    #: resolves a connection
    settings: Callable[[ConnectionFields], Settings]
    #: adds the credentials to a request
    sign: Callable[[Request, Settings, Token | None], Request]
    #: submits a report; the label says for which task, where the vendor gives a report a name
    submit: Callable[[Report, str | None], Operation[Job]]
    #: asks how a job is doing
    status: Callable[[Job], Operation[Status]]
    #: tells how the rows of a ready job are fetched
    content: Callable[[Job], File | Pages]
    #: tests a connection; returns a sentence, raises Refusal
    probe: Callable[[Settings], Operation[str]]
    #: asks for a token
    authenticate: Callable[[Settings], Operation[Token] | None] = no_token
    #: cancels a job; returns whether it runs no more. None: the vendor has no way to
    cancel: Callable[[Job], Operation[bool]] | None = None
    #: the instant up to which a report's rows are all there. None: the vendor doesn't say
    available_until: Callable[[Report], Operation[datetime | None]] | None = None
    #: gives a refusal the meaning that its answer has at this API: kind, seconds to wait, words
    refused: Callable[[Refusal, Answer], Refusal] = as_read
    #: the vendor's documented status words, in lower case; any other word counts as running
    states: Mapping[str, State | Partly] = field(default_factory=dict)
    #: a report is submitted no earlier than the window's end plus this, unless its kind says otherwise
    settle_delay: timedelta = timedelta(0)
    #: ``module.Class`` of the hook; None: one is made of this description
    hook: str | None = None
    #: what the vendor calls a job
    noun: str = "job"
    #: kind of refusal -> what to do about it, where the usual advice doesn't fit this API
    advice: Mapping[RefusalKind, str] = field(default_factory=dict)


def status_of(words: Mapping[str, State | Partly], word: str | None, reason: str | None = None) -> Status:
    """Normalise a vendor's status word; one that no list holds counts as running."""
    state = words.get(word.strip().lower(), "running") if word else "running"
    if state == "partly":
        part = "the report was made only in part"
        return Status(state="failed", vendor_status=word, reason=f"{part}: {reason}" if reason else part)
    return Status(state=state, vendor_status=word, reason=reason)
