"""What the tests on a real Airflow share; ``local_airflow`` itself is in ``tests/conftest.py``."""

from __future__ import annotations

import pytest

from airflow_provider_contactcenter.sandbox import Sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The shared sandbox, with nothing left of the test before."""
    shared_sandbox.reset()
    return shared_sandbox
