"""Credentials that change while a task waits, and a connection that is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from airflow_provider_contactcenter.exceptions import (
    ContactCenterAuthenticationError,
    ContactCenterUnavailableError,
)
from airflow_provider_contactcenter.hooks import hook_class
from airflow_provider_contactcenter.hooks.talkdesk import TalkdeskHook
from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.sandboxes import connected

REPORT = talkdesk_report("calls", start="2024-05-01T00:00:00Z", end="2024-05-02T00:00:00Z")
VARIABLE = "AIRFLOW_CONN_TALKDESK_DEFAULT"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with connected(monkeypatch, options={"talkdesk": {"ladder": []}}) as sandbox:
        yield sandbox


#: vendor -> an endpoint that no operation of a report asks for: with a token, and without
ENDPOINTS = {"talkdesk": "data/reports/calls/jobs", "vspark": "/list"}


def changed(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, vendor: str, **changes: Any) -> None:
    """Change a connection, and end the life of every token."""
    connection = {**sandbox.connections[f"{vendor}_default"], **changes}
    monkeypatch.setenv(f"AIRFLOW_CONN_{vendor.upper()}_DEFAULT", json.dumps(connection))
    tokens.forget()


def use(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, **changes: Any) -> None:
    """Change Talkdesk's connection."""
    changed(monkeypatch, sandbox, "talkdesk", **changes)


def test_a_hook_on_a_worker_reads_its_connection_again_when_it_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sandbox, password="sentinel-old-secret")
    hook = TalkdeskHook()
    assert hook.settings.password == "sentinel-old-secret"
    use(monkeypatch, sandbox)
    assert hook.get_status(hook.submit(REPORT))["state"] == "ready"


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("vendor", ENDPOINTS)
def test_a_call_of_ones_own_reads_the_connection_again_when_it_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, vendor: str, check: bool
) -> None:
    sandbox.set_options("vspark", bad_token=401)
    changed(monkeypatch, sandbox, vendor, password="sentinel-old-secret")
    hook = hook_class(vendor)(f"{vendor}_default", method="GET")
    options = {"check_response": check}
    with pytest.raises(ContactCenterAuthenticationError):
        hook.run(ENDPOINTS[vendor])
    changed(monkeypatch, sandbox, vendor)
    assert hook.run(ENDPOINTS[vendor], extra_options=options).status_code == 200


def test_a_body_that_can_be_read_once_is_sent_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = TalkdeskHook(method="POST")
    assert hook.settings
    sandbox.add_fault(vendor="talkdesk", operation="create", fault="status", status=401, body="no")
    monkeypatch.setenv(VARIABLE, json.dumps({**sandbox.connections["talkdesk_default"], "login": "new"}))
    with pytest.raises(ContactCenterAuthenticationError):
        hook.run("data/reports/calls/jobs", data=iter([b"body"]))
    assert len(sandbox.journal(operation="create")) == 1


def test_a_connection_that_went_away_ends_a_call_of_ones_own(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sandbox, password="sentinel-old-secret")
    hook = TalkdeskHook(method="GET")
    assert hook.settings
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ContactCenterAuthenticationError, match="there is no connection"):
        hook.run("data/reports/calls/jobs")


def test_credentials_that_stay_wrong_are_refused_after_one_more_look(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sandbox, password="sentinel-old-secret")
    with pytest.raises(ContactCenterAuthenticationError):
        TalkdeskHook().submit(REPORT)
    assert len(sandbox.journal(operation="token")) == 1


def test_a_waiting_trigger_reads_its_connection_again_when_it_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: Job = TalkdeskHook().submit(REPORT)
    use(monkeypatch, sandbox, password="sentinel-old-secret")

    async def wait() -> str:
        async with TalkdeskHook().polling() as look:
            with pytest.raises(Refusal) as refused:
                await look(job)
            assert refused.value.kind == "authentication"
            use(monkeypatch, sandbox)
            return str((await look(job))["state"])

    assert asyncio.run(wait()) == "ready"


@pytest.mark.parametrize("denied", [False, True])
def test_a_connection_that_is_missing_may_be_there_for_a_retry(
    monkeypatch: pytest.MonkeyPatch, denied: bool
) -> None:
    """Airflow 3 says the same of a connection whose API server or secrets backend is away."""
    monkeypatch.delenv(VARIABLE, raising=False)
    if denied:
        monkeypatch.setattr(TalkdeskHook, "get_connection", Mock(side_effect=PermissionError("denied")))
    with pytest.raises(ContactCenterUnavailableError, match=r"there is no connection 'nowhere'[\s\S]*retry"):
        _ = TalkdeskHook("nowhere").settings


def test_a_waiting_trigger_outlasts_a_connection_that_cannot_be_read_but_not_one_that_is_missing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: Job = TalkdeskHook().submit(REPORT)
    monkeypatch.delenv(VARIABLE)

    async def look() -> str:
        async with TalkdeskHook().polling() as look:
            return str((await look(job))["state"])

    async def refused() -> str:
        with pytest.raises(Refusal, match="there is no connection 'talkdesk_default'") as refusal:
            await look()
        return refusal.value.kind

    async def wait() -> list[str]:
        loop, passed = asyncio.get_running_loop(), 0
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + passed)
        found = [await refused()]
        use(monkeypatch, sandbox)
        found.append(await look())
        monkeypatch.delenv(VARIABLE)
        # Again for a quarter of an hour, and once more hours later.
        for seconds in (600, 600, 600, 3600):
            passed += seconds
            found.append(await refused())
        return found

    missing = ["unavailable", "unavailable", "authentication", "unavailable"]
    assert asyncio.run(wait()) == ["unavailable", "ready", *missing]
