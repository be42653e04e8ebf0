from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

# The command as the console script runs it, without the other sub-commands.
PROGRAM = """
import argparse, sys
from airflow_provider_contactcenter.sandbox import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args()))
"""


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_connections_and_nothing_else_then_serves_until_told_to_stop(
    number: signal.Signals,
) -> None:
    with started("--port", "0", "--rows", "7", "--option", "talkdesk.done_as=200") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = urlsplit(json.loads(first.partition("=")[2])["host"])
        overview = requests.get(f"{url.scheme}://{url.netloc}/_sandbox").json()
        assert overview["vendors"]["talkdesk"]["options"]["done_as"] == 200
        process.send_signal(number)
        rest = process.stdout.read()  # communicate() would lose the lines that are in its buffer already
        assert process.wait(timeout=10) == 0
    printed = dict(line.split("=", 1) for line in (first + rest).splitlines())
    assert {name: json.loads(value) for name, value in printed.items()} == {
        f"AIRFLOW_CONN_{conn_id.upper()}": connection
        for conn_id, connection in overview["connections"].items()
    }


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--option", "talkdesk.done_as=now"], 2, "talkdesk.done_as must be one of"),
        (["--option", "talkdesk"], 2, "VENDOR.NAME=VALUE"),
        (["--option", "acme.x=1"], 2, "no vendor 'acme'"),
    ],
)
def test_bad_options_end_it_with_a_sentence(arguments: list[str], status: int, says: str) -> None:
    with started("--port", "0", *arguments) as process:
        stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stdout) == (status, "")
    assert says in stderr
    assert "Traceback" not in stderr


def test_a_port_that_is_taken_ends_it_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--port", port) as process:
            stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stdout) == (1, "")
    assert port in stderr
    assert "Traceback" not in stderr
