"""Feeds a vendor's operation by hand: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from airflow_provider_contactcenter.pipeline.source import json_lines
from airflow_provider_contactcenter.transport.policy import refusal_of
from airflow_provider_contactcenter.vendors.protocol.content import Page
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

T = TypeVar("T")


def answer(
    body: Any = b"",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    url: str = "https://vendor.example/",
) -> Answer:
    """An answer; what isn't bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, dict(headers or {}), raw, url, chunks=iter([raw]))


def play(operation: Operation[T], *said: Any) -> tuple[list[Request], T]:
    """Run an operation on what is said to it, which must be as much as it asks for.

    :param said: an Answer, a Refusal, or the body of an answer.
    """
    asked: list[Request] = []
    left = list(said)
    try:
        request = next(operation)
        while True:
            asked.append(request)
            assert left, f"no answer is left for {request.method} {request.target}"
            given = left.pop(0)
            if not isinstance(given, Answer | Refusal):
                given = answer(given)
            refusal = refusal_of(given) if isinstance(given, Answer) else given
            request = operation.throw(refusal) if refusal else operation.send(given)
    except StopIteration as stop:
        assert not left, f"{len(left)} answers were not asked for"
        return asked, stop.value


def lines_of(page: Page) -> bytes:
    """A page's rows, as they land."""
    return json_lines(page.rows)


def rows_of(page: Page) -> list[Any]:
    """A page's rows, as they are read."""
    return [json.loads(line) for line in lines_of(page).splitlines()]
