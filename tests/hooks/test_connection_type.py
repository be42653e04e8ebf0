"""A connection of another vendor's is refused before anything is sent to anybody."""

from __future__ import annotations

import json

import pytest

from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.hooks.khoros_care import KhorosCareHook
from airflow_provider_contactcenter.hooks.vspark import VSparkHook
from airflow_provider_contactcenter.nouns import Job, new_job
from airflow_provider_contactcenter.reports import khoros_care_report
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Wire, reply

REPORT = khoros_care_report(
    "conversation", start="2024-05-01T00:00:00+00:00", end="2024-05-02T00:00:00+00:00", conn_id="x"
)
SENTENCE = "connection x is of type talkdesk; this report needs khoros_care"
JOB: Job = new_job(REPORT, "12/ab")


def connection(host: str, conn_type: str | None) -> str:
    named = {} if conn_type is None else {"conn_type": conn_type}
    secrets = {"login": "me", "password": "fake-password", "extra": {"company_api_key": "fake-key"}}
    return json.dumps({**named, "host": host, **secrets})


def test_a_worker_sends_nothing_over_another_vendors_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(lambda asked: reply(200, {})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_X", connection(server.origin, "talkdesk"))
        with pytest.raises(ContactCenterInvalidReportError) as refused:
            KhorosCareHook("x").submit(REPORT)
        works, said = KhorosCareHook("x").test_connection()
    assert "connection x is of type talkdesk; this report needs khoros_care.\nNothing was sent" in str(
        refused.value
    )
    assert (works, said) == (False, str(refused.value))
    assert server.connections == 0


async def test_a_trigger_sends_nothing_over_another_vendors_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Wire(lambda asked: reply(200, {})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_X", connection(server.origin, "talkdesk"))
        hook = KhorosCareHook("x")
        with pytest.raises(Refusal) as refused:
            async with hook.polling() as look:
                await look(JOB)
    assert refused.value.kind == "invalid" and not refused.value.passing
    assert refused.value.words == SENTENCE
    assert isinstance(hook.error(refused.value, JOB), ContactCenterInvalidReportError)
    assert server.connections == 0


@pytest.mark.parametrize("conn_type", [None, "", "generic", "khoros_care", "khoros-care"])
def test_a_connection_without_a_type_of_its_own_is_taken(
    monkeypatch: pytest.MonkeyPatch, conn_type: str | None
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_X", connection("https://khoros.example.com", conn_type))
    assert KhorosCareHook("x").settings.base_url == "https://khoros.example.com"


def test_a_type_reads_the_same_in_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "khoros-care://me:fake-password@khoros.example.com/?company_api_key=fake-key"
    monkeypatch.setenv("AIRFLOW_CONN_X", uri)
    assert KhorosCareHook("x").settings.login == "me"
    with pytest.raises(ContactCenterInvalidReportError, match="khoros_care; this report needs vspark"):
        VSparkHook("x").settings  # noqa: B018 - resolving it is what refuses
