"""The command in this process or in one of its own, and a sandbox in whose environment it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from airflow_provider_contactcenter.cli import main
from airflow_provider_contactcenter.sandbox import Sandbox
from tests.sandboxes import connected

#: the command as the console script runs it
PROGRAM = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"


@dataclass
class Done:
    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def contactcenter(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command in this process."""

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        status = main(arguments)
        printed = capfd.readouterr()
        return Done(status, printed.out, printed.err)

    return run


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
        # Whoever runs the tests in the background of a script has told all that follows to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Talkdesk's jobs are done as soon as they are submitted; connections stand in the environment."""
    with connected(monkeypatch, rows=7, options={"talkdesk": {"ladder": []}}) as sandbox:
        yield sandbox
