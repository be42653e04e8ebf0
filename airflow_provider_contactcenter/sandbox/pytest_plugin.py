"""The fixture ``contactcenter_sandbox``, for this package's tests and for those of its users' DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .local import Sandbox


@pytest.fixture
def contactcenter_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The vendors' APIs on loopback, fresh for one test, with the default connections in the environment."""
    # Not at the top: every pytest session of every user imports this module.
    from .local import Sandbox

    with Sandbox() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox
