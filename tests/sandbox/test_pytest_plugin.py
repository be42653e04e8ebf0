from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

NAME = "AIRFLOW_CONN_TALKDESK_DEFAULT"


@pytest.fixture(autouse=True)
def environment_afterwards() -> Iterator[None]:
    before = os.environ.get(NAME)
    yield
    assert os.environ.get(NAME) == before


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_gets_a_fresh_sandbox_with_its_connections_in_the_environment(
    contactcenter_sandbox: Sandbox,
    time: int,
) -> None:
    assert contactcenter_sandbox.journal() == []
    connection = json.loads(os.environ[NAME])
    assert connection == contactcenter_sandbox.connections["talkdesk_default"]
    assert requests.post(connection["extra"]["auth_url"]).status_code == 401
    assert len(contactcenter_sandbox.journal(operation="token")) == 1
