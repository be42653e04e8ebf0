"""The sandbox as a test's process finds it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.sandbox import Sandbox


@contextlib.contextmanager
def connected(monkeypatch: pytest.MonkeyPatch, **how: Any) -> Iterator[Sandbox]:
    """A sandbox, its connections in the environment.

    :param how: what ``Sandbox`` takes
    """
    with Sandbox(**how) as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox
