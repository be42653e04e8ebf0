"""The matrix' surroundings: one sandbox, both stores, a clock that doesn't wait, and the table at the end."""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.loaders import Loader

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from airflow_provider_contactcenter.transport.tls import tls_context
from airflow_provider_contactcenter.vendors.protocol.connection import Settings
from tests.faults import table
from tests.faults.places import Landing
from tests.faults.relay import Relay
from tests.faults.subjects import OPTIONS
from tests.stores.conftest import MAKERS
from tests.transfers.conftest import Store

#: seconds that a pause really takes
SHORTEST = 0.002

LOADER = Loader()


@pytest.fixture(scope="session")
def matrix_sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=3, options=OPTIONS) as sandbox:
        yield sandbox


@dataclass
class Clock:
    """Pauses are noted instead of slept."""

    asked: list[float] = field(default_factory=list)
    #: called before each pause
    meanwhile: Callable[[], None] = lambda: None
    _sleep: Any = time.sleep

    def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.meanwhile()
        self._sleep(min(seconds, SHORTEST))

    async def async_sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.meanwhile()
        await asyncio.sleep(min(seconds, SHORTEST))


@pytest.fixture(autouse=True)
def pauses() -> None:
    """Not skipped as elsewhere: the sandbox needs its moments. See ``clock``."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.sleep)
    # Not asyncio's own: the sandbox stalls with that.
    monkeypatch.setattr(
        "airflow_provider_contactcenter.clock.asyncio",
        SimpleNamespace(**{**vars(asyncio), "sleep": clock.async_sleep}),
    )
    monkeypatch.setattr("airflow_provider_contactcenter.triggers.deferral.SHORTEST_DEFERRAL", timedelta(0))
    _hurry_google(monkeypatch, clock)
    return clock


def _hurry_google(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Google's retries end after two minutes: let their clock run by what they would have slept."""
    skipped = [0.0]

    def sleep(seconds: float) -> None:
        skipped[0] += seconds
        clock.sleep(seconds)

    from google.api_core.retry import retry_base, retry_unary

    later = {"sleep": sleep, "monotonic": lambda: time.monotonic() + skipped[0]}
    for module in (retry_base, retry_unary):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **later}))


@pytest.fixture
def sandbox(matrix_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """As at the start, its connections in the environment."""
    matrix_sandbox.reset()
    tokens.forget()
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_work.reports.RETENTION", 100)
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_cc.pages.PAGE_SIZE", 50)
    for name, value in matrix_sandbox.environ.items():
        monkeypatch.setenv(name, value)
    # Reading the world's certificates takes longer than many a cell.
    for module in ("transport.session", "transport.on_aiohttp"):
        monkeypatch.setattr(f"airflow_provider_contactcenter.{module}.tls_context", _tls_context)
    return matrix_sandbox


CONTEXTS: dict[object, ssl.SSLContext] = {}


def _tls_context(settings: Settings) -> ssl.SSLContext:
    if settings.verify not in CONTEXTS:
        CONTEXTS[settings.verify] = tls_context(settings)
    return CONTEXTS[settings.verify]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.transport.test_tls import certificate

    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tls_front(matrix_sandbox: Sandbox, certificate: Path) -> Iterator[Relay]:
    """The sandbox behind https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Relay(matrix_sandbox.url, tls=context) as relay:
        yield relay


@pytest.fixture(scope="session")
def servers(s3_server: S3Server, gcs_server: GCSServer) -> dict[str, S3Server | GCSServer]:
    """Both stores, each with one client for all cells."""
    for server in (s3_server, gcs_server):
        server.client = functools.cache(server.client)  # type: ignore[method-assign]
    return {"S3": s3_server, "GCS": gcs_server}


@pytest.fixture
def stores(
    servers: dict[str, S3Server | GCSServer], monkeypatch: pytest.MonkeyPatch
) -> dict[str, S3Server | GCSServer]:
    """Both stores, for the tasks too; boto3 reads its models once, and names no caller."""
    for server in servers.values():
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.loaders.create_loader", lambda path=None: LOADER)
    # It looks through the whole stack for the operator's name, for each client.
    monkeypatch.setattr(
        AwsGenericHook, "_generate_user_agent_extra_field", lambda self, existing_user_agent_extra: ""
    )
    return servers


#: column of the table -> the name in tests/stores
FURTHER = {"Azure": "azure", "SFTP": "sftp", "folder": "file"}


def landing(
    kind: str,
    stores: dict[str, S3Server | GCSServer],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Store | Landing:
    """The store of a cell; what only a few cells need is started by the first of them."""
    if kind in stores:
        return Store(stores[kind])
    place = MAKERS[FURTHER[kind]](request)
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    return Landing(place)


def connect(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, conn_id: str, **changes: Any) -> None:
    """Change the default connection: its fields, and for all other names its extras."""
    connection = dict(sandbox.connections[conn_id])
    extra = dict(connection["extra"])
    for name, value in changes.items():
        if name in {"conn_type", "host", "login", "password"}:
            connection[name] = value
        else:
            extra[name] = value
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({**connection, "extra": extra}))


# -- the table ----------------------------------------------------------------------------------------------

MEASURED = pytest.StashKey[list[table.Measured]]()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> list[table.Measured]:
    """Where each cell leaves what it saw."""
    return request.config.stash.setdefault(MEASURED, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash.get(MEASURED, [])
    if rows:
        terminalreporter.section("fault matrix")
        terminalreporter.write_line(table.summary(rows))
