"""A real Airflow that runs the Dags of ``tests/dags`` against the shared sandbox and the two stores."""

from __future__ import annotations

import json
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
    connection = {**shared_sandbox.connections["talkdesk_default"], "password": "sentinel-wrong-secret"}
    environ = {
        **s3_server.environ,
        **gcs_server.environ,
        **shared_sandbox.environ,
        "AIRFLOW_CONN_TALKDESK_WRONG_SECRET": json.dumps(connection),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
    }
    with LocalAirflow(DAGS, environ) as airflow:
        yield airflow


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The shared sandbox, with nothing left of the test before."""
    shared_sandbox.reset()
    return shared_sandbox
