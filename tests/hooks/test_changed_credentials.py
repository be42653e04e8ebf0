"""Credentials that change while a task waits, and a connection that is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.exceptions import ContactCenterAuthenticationError
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


def use(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, **changes: Any) -> None:
    """Change the connection, and end the life of every token."""
    monkeypatch.setenv(VARIABLE, json.dumps({**sandbox.connections["talkdesk_default"], **changes}))
    tokens.forget()


def test_a_hook_on_a_worker_reads_its_connection_again_when_it_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sandbox, password="sentinel-old-secret")
    hook = TalkdeskHook()
    assert hook.settings.password == "sentinel-old-secret"
    use(monkeypatch, sandbox)
    assert hook.get_status(hook.submit(REPORT))["state"] == "ready"


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


def test_a_connection_that_is_missing_is_the_same_final_error_in_both_modes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    hook = TalkdeskHook("nowhere")
    with pytest.raises(ContactCenterAuthenticationError, match="there is no connection 'nowhere'"):
        _ = hook.settings

    async def wait() -> None:
        async with hook.polling():
            pass

    with pytest.raises(Refusal, match="there is no connection 'nowhere'") as refused:
        asyncio.run(wait())
    assert type(hook.error(refused.value)) is ContactCenterAuthenticationError
