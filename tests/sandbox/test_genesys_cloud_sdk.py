"""The vendor's own SDK reads what the sandbox answers.

It is large (78 MiB) and slow to import, so it belongs to no extra: ``pip install PureCloudPlatformClientV2``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

from .genesys_cloud import DAY, VENDOR, Genesys, sandbox_with

SDK = "PureCloudPlatformClientV2"
#: what the models read a word as that they don't know
UNKNOWN_WORD = "outdated_sdk_version"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
BODY = {"interval": DAY, "order": "asc", "orderBy": "conversationStart"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec(SDK) is None,
        reason=f"the vendor's SDK isn't installed; run: pip install {SDK}",
    ),
]


@pytest.fixture(scope="module")
def sdk() -> Any:
    return importlib.import_module(SDK)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with sandbox_with() as sandbox:
        yield sandbox


@pytest.fixture
def client(sdk: Any, sandbox: Sandbox) -> Any:
    """The SDK's client behind a gateway, with a token that it asked for itself."""
    where = urlsplit(sandbox.url)
    client = sdk.api_client.ApiClient()
    client.set_gateway(where.hostname, where.scheme, where.port, "genesys/login", "genesys/platform")
    connection = sandbox.connections["genesys_cloud_default"]
    return client.get_client_credentials_token(connection["login"], connection["password"])


def read_by(client: Any, model: str, body: Any) -> Any:
    """What the SDK makes of a body, as JSON again."""
    read = client._ApiClient__deserialize(body, model)
    return client.sanitize_for_serialization(read)


def plain(value: Any) -> Any:
    """A value without the differences that mean nothing: nulls, and how an instant is written."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and INSTANT.match(value):
        return datetime.fromisoformat(value)
    return value


def test_the_models_read_every_field_of_every_page(client: Any, sandbox: Sandbox) -> None:
    models = {
        "conversations": "AnalyticsConversationAsyncQueryResponse",
        "users": "AnalyticsUserDetailsAsyncQueryResponse",
    }
    sandbox.set_options(VENDOR, conversations_watermark="2026-05-06T20:00:00Z")
    for subject, model in models.items():
        api = Genesys(sandbox, subject)
        pages = api.pages(api.submitted(), 40)
        assert len(pages) > 2
        for page in pages:
            read = read_by(client, model, page)
            assert UNKNOWN_WORD not in json.dumps(read)
            assert plain(read) == plain(page)


def test_the_models_read_status_watermark_job_and_refusal(client: Any, sandbox: Sandbox) -> None:
    api = Genesys(sandbox)
    job_id = api.submitted()
    refused = requests.get(f"{api.url}/{job_id}", headers={"Authorization": "Bearer wrong"})
    sandbox.set_options(VENDOR, max_running=0)
    for model, body in (
        ("AsyncQueryResponse", {"jobId": job_id}),
        ("AsyncQueryStatus", api.poll(job_id).json()),
        ("DataAvailabilityResponse", api.availability().json()),
        ("ErrorBody", refused.json()),
        ("ErrorBody", api.create().json()),
    ):
        read = read_by(client, model, body)
        assert UNKNOWN_WORD not in json.dumps(read)
        assert plain(read) == plain(body)


def test_the_models_would_complain_of_words_that_they_do_not_know(client: Any, sandbox: Sandbox) -> None:
    sandbox.set_options(VENDOR, novelties=True)
    api = Genesys(sandbox)
    page = api.page(api.submitted()).json()
    read = read_by(client, "AnalyticsConversationAsyncQueryResponse", page)
    assert UNKNOWN_WORD in json.dumps(read)
    assert plain(read) != plain(page)


@pytest.mark.parametrize("subject", ["conversations", "users"])
def test_the_client_submits_polls_reads_page_by_page_and_cancels(
    sdk: Any, client: Any, sandbox: Sandbox, subject: str
) -> None:
    calls = sdk.AnalyticsApi(client)
    jobs = f"analytics_{subject}_details_jobs"
    one = jobs[:-1]
    available = getattr(calls, f"get_{jobs}_availability")()
    assert available.data_availability_date.isoformat().startswith("2026-05-14T11:5")
    body = BODY if subject == "conversations" else {"interval": DAY}
    job_id = getattr(calls, f"post_{jobs}")(body).job_id
    status = getattr(calls, f"get_{one}")(job_id)
    assert (status.state, status.error_message) == ("FULFILLED", None)
    rows, cursor = 0, {}
    while True:
        page = getattr(calls, f"get_{one}_results")(job_id, page_size=40, **cursor)
        rows += len(page.conversations if subject == "conversations" else page.user_details)
        if page.cursor is None:
            break
        cursor = {"cursor": page.cursor}
    served = sandbox.served(vendor=VENDOR, operation="results")
    assert rows == sum(entry["rows"] for entry in served) > 40
    getattr(calls, f"delete_{one}")(job_id)
    assert sandbox.journal(operation="cancel")[-1]["status"] == 204
