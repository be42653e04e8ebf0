from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from airflow_provider_contactcenter.sandbox.registry import VENDORS

# The command as the console script runs it, without the other sub-commands.
PROGRAM = """
import argparse, sys
from airflow_provider_contactcenter.cli import sandbox as command
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


def test_a_shell_can_source_what_it_prints_and_goes_on_while_it_serves(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    script = f"""
        source <({sys.executable} {program} --port 0 --export)
        pid=$!
        env -0 | grep -z ^AIRFLOW_CONN_ | grep -zv AWS
        kill $pid
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    connections = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
    assert len(connections) == len(VENDORS)
    told = json.loads(connections["AIRFLOW_CONN_TALKDESK_DEFAULT"])
    assert (told["conn_type"], told["login"]) == ("talkdesk", "sandbox-client-id")


def test_an_s3_beside_the_vendors_takes_an_object_and_ends_with_them() -> None:
    with started("--port", "0", "--with-s3") as process:
        assert process.stdout is not None
        printed = dict(line.rstrip("\n").split("=", 1) for line in process.stdout)
        aws = json.loads(printed["AIRFLOW_CONN_AWS_DEFAULT"])
        client = boto3.client(
            "s3",
            endpoint_url=aws["extra"]["endpoint_url"],
            region_name=aws["extra"]["region_name"],
            aws_access_key_id=aws["login"],
            aws_secret_access_key=aws["password"],
        )
        client.put_object(Bucket="contactcenter", Key="a.csv", Body=b"a")
        assert len(printed) == len(VENDORS) + 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(aws["extra"]["endpoint_url"])


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
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (status, "")
    assert says in stderr
    assert "Traceback" not in stderr


def test_a_port_that_is_taken_ends_it_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--port", port) as process:
            stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    assert port in stderr
    assert "Traceback" not in stderr
