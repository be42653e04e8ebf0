"""Fixtures for the whole suite: the two object stores and a sandbox, each started once and on demand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Keep Airflow, which writes to its home when it is imported, out of the user's."""
    home = tempfile.TemporaryDirectory(prefix="contactcenter-tests-")
    os.environ["AIRFLOW_HOME"] = home.name
    config.add_cleanup(home.cleanup)


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
def shared_sandbox() -> Iterator[Sandbox]:
    """The vendors' APIs, one for the whole session: what ``local_airflow`` has its connections to."""
    with Sandbox() as sandbox:
        yield sandbox
