"""A real Airflow that runs the Dags of ``tests/dags`` against the shared sandbox and the two stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_contactcenter.demo.airflow import LocalAirflow, require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox

DAGS = Path(__file__).parents[1] / "dags"


@pytest.fixture(scope="session")
def local_airflow(
    s3_server: S3Server, gcs_server: GCSServer, shared_sandbox: Sandbox
) -> Iterator[LocalAirflow]:
    """Airflow, one for the whole session, with connections to the sandbox and to both stores."""
    try:
        require_airflow_3()
    except DemoError as reason:
        pytest.skip(str(reason))
    environ = {**s3_server.environ, **gcs_server.environ, **shared_sandbox.environ}
    with LocalAirflow(DAGS, environ) as airflow:
        yield airflow


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The shared sandbox, with nothing left of the test before."""
    shared_sandbox.reset()
    return shared_sandbox
