from __future__ import annotations

import pytest

from airflow_provider_contactcenter import __version__
from airflow_provider_contactcenter.cli import COMMANDS
from tests.cli.conftest import Command


def test_alone_it_prints_its_help(contactcenter: Command) -> None:
    done = contactcenter()
    assert done.status == 0
    assert done.out.startswith("usage: contactcenter")
    assert all(f"\n    {name} " in done.out for name in COMMANDS)


def test_it_says_its_version(contactcenter: Command, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        contactcenter("--version")
    assert ended.value.code == 0
    assert capfd.readouterr().out == f"contactcenter {__version__}\n"
