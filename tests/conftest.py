"""Fixtures for the whole suite: object stores, a sandbox, an Airflow, each started once and on demand."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from airflow_provider_contactcenter.demo.airflow import require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.driving import DrivenAirflow

if TYPE_CHECKING:
    from tests.stores.servers import AzuriteServer, SFTPServer

DAGS = Path(__file__).parent / "dags"

#: a distribution of its own, which a test installs
collect_ignore = ["third_party_vendor"]


#: Airflow writes to its home when it is imported: not to the user's. Set here and not in a hook, for the
#: conftest of a folder that is named on the command line imports Airflow before any hook is called.
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="contactcenter-tests-")
os.environ["AIRFLOW_HOME"] = AIRFLOW_HOME.name


# No test is about how long an example takes on a machine that has other work.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_configure(config: pytest.Config) -> None:
    """Leave nothing of Airflow's home behind."""
    config.add_cleanup(AIRFLOW_HOME.cleanup)


@pytest.fixture(autouse=True)
def pauses() -> Iterator[list[float]]:
    """The pauses of every driver that is made: noted, not slept."""
    from airflow_provider_contactcenter.transport import on_aiohttp, on_requests
    from tests.clocks import Skipping

    clock = Skipping()
    # Not the test's own monkeypatch, which would then be undone only after all of its other fixtures.
    with pytest.MonkeyPatch.context() as patch:
        for module in (on_requests, on_aiohttp):
            patch.setattr(module, "Clock", lambda: clock)
        yield clock.slept


@pytest.fixture(scope="session", autouse=True)
def models_are_read_once() -> Iterator[None]:
    """Each session of botocore's parses its models anew, which takes longer than most tests with S3."""
    try:
        from botocore.loaders import JSONFileLoader
    except ImportError:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        load = JSONFileLoader().load_file
        patch.setattr(JSONFileLoader, "load_file", staticmethod(cache(load)))
        yield


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """No token of another test, and none of its secrets in Airflow's masker, which each one slows down."""
    from airflow_provider_contactcenter.transport import tokens

    tokens.forget()
    yield
    tokens.forget()
    for name, module in list(sys.modules.items()):
        if name.endswith(".secrets_masker"):
            with contextlib.suppress(RuntimeError):  # Airflow 2.11, where no logging has been set up
                masker = module._secrets_masker()
                masker.patterns, masker.replacer = set(), None


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 server with the bucket ``contactcenter``."""
    with S3Server() as server:
        yield server


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[GCSServer]:
    """A GCS server with the bucket ``contactcenter``."""
    with GCSServer() as server:
        yield server


@pytest.fixture(scope="session")
def azurite_server() -> Iterator[AzuriteServer]:
    """Azurite, if there is a Node to run it."""
    from tests.stores.servers import azurite

    with azurite() as server:
        yield server


@pytest.fixture(scope="session")
def sftp_server() -> Iterator[SFTPServer]:
    """An SFTP server in this process."""
    from tests.stores.servers import SFTPServer

    with (
        tempfile.TemporaryDirectory(prefix="contactcenter-sftp-") as folder,
        SFTPServer(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def conditional_gcs_server() -> Iterator[Any]:
    """A GCS that heeds conditions."""
    from tests.stores.servers import conditional_gcs

    with conditional_gcs() as server:
        yield server


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """The vendors' APIs, one for the whole session: what ``local_airflow`` has its connections to."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def local_airflow(
    s3_server: S3Server, gcs_server: GCSServer, shared_sandbox: Sandbox
) -> Iterator[DrivenAirflow]:
    """A real Airflow, fresh for each module, with the Dags of ``tests/dags``, the sandbox and both stores."""
    try:
        require_airflow_3()
    except DemoError as reason:
        pytest.skip(str(reason))
    connection = {**shared_sandbox.connections["talkdesk_default"], "password": "sentinel-wrong-secret"}
    environ = {
        **s3_server.environ,
        **gcs_server.environ,
        **shared_sandbox.environ,
        "AIRFLOW_CONN_TALKDESK_WRONG_SECRET": json.dumps(connection),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
    }
    with DrivenAirflow(DAGS, environ) as airflow:
        yield airflow
