"""Acme's description, and the pure functions behind it.

Acme signs each request over its body, names its files on a host of its own, hands out a report in several
files, has one kind of report without a window, and a word for reports that were made only in part.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_contactcenter.nouns import Job, Report, Status, new_job, span_of, window_of
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.content import Page, Pages
from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form
from airflow_provider_contactcenter.vendors.protocol.messages import Operation, Request, quoted
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor, status_of

from .reports import KINDS

FORM = Form(
    fields={"host": Field(label="API base URL", placeholder="https://acme.example", required=True)},
    extras={
        "files": Extra(label="Host of the files", description="Where files are fetched from.", required=True),
        "signing": Extra(label="Signing secret", description="What signs.", required=True, secret=True),
    },
)


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection."""
    return Settings(
        vendor="acme",
        conn_id=fields.conn_id,
        base_url=fields.url(),
        origins=[fields.need("files", "the host of the files")],
        secret={"signing": fields.need("signing", "the secret that signs requests")},
        **fields.transport(),
    )


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Sign the bytes of the body, or the path where there is none."""
    target = request.target
    whole = target if "://" in target else settings.base_url + target  # a file's URL is whole already
    signed = request.body or urlsplit(whole).path.encode()
    signature = hmac.new(settings.secret["signing"].encode(), signed, hashlib.sha256).hexdigest()
    return replace(request, headers={**request.headers, "X-Acme-Signature": signature})


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Order a report."""
    body: dict[str, Any] = {"kind": report["kind"], "label": label}
    if window_of(report):
        span = span_of(report)
        body |= {"from": span.start.timestamp(), "to": span.end.timestamp(), "team": report["params"]["team"]}
    answer = yield Request("POST", "/orders", json=body, idempotent=False)
    return new_job(report, str(answer.json()["order"]))


def status(job: Job) -> Operation[Status]:
    """Ask how an order is doing."""
    answer = yield Request("GET", _path(job))
    return status_of(VENDOR.states, answer.json()["state"])


@dataclass(frozen=True)
class FileNumber:
    """Which of a report's files is next."""

    files: tuple[str, ...]
    number: int = 0


def content(job: Job) -> Pages:
    """Each file is an array of rows."""

    def page(cursor: FileNumber | None) -> Operation[Page]:
        if cursor is None:
            listed = (yield Request("GET", _path(job))).json()
            cursor = FileNumber(tuple(listed["files"]))
        answer = yield Request("GET", cursor.files[cursor.number])
        last = cursor.number + 1 == len(cursor.files)
        return Page(answer.json(), None if last else replace(cursor, number=cursor.number + 1))

    return Pages(page=page)


def cancel(job: Job) -> Operation[bool]:
    """Cancel an order."""
    answer = yield Request("DELETE", _path(job))
    return answer.status == 204


def available_until(report: Report) -> Operation[datetime | None]:
    """The instant up to which calls are there."""
    answer = yield Request("GET", "/watermark")
    return datetime.fromisoformat(answer.json()["until"])


def probe(settings: Settings) -> Operation[str]:
    """Ask for the watermark."""
    yield Request("GET", "/watermark")
    return f"Acme at {settings.base_url} takes the signature"


def _path(job: Job) -> str:
    return f"/orders/{quoted(str(job['job_id']))}"


VENDOR = Vendor(
    name="acme",
    title="Acme Calls",
    docs="https://acme.example/docs",
    form=FORM,
    kinds=KINDS,
    states={"working": "running", "finished": "ready", "short": "partly"},
    settings=settings,
    sign=sign,
    submit=submit,
    status=status,
    content=content,
    probe=probe,
    cancel=cancel,
    available_until=available_until,
    noun="order",
)
