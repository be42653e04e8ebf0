"""A distribution that brings a vendor is built, installed into a folder, and runs its own tests there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "third_party_vendor"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed, beside the provider."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("installed")
    wheels = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=SOURCE, check=True, capture_output=True)
    [wheel] = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:  # all that an installer does with pure Python
        archive.extractall(folder)
    return folder


def ran(target: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=target,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(target), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_runs_end_to_end_without_a_change_in_the_provider(target: Path) -> None:
    tests = str(SOURCE / "tests")
    done = ran(
        target, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tests, tests
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_command_finds_nothing_missing(target: Path) -> None:
    program = "import sys; from airflow_provider_contactcenter.cli import main; sys.exit(main())"
    done = ran(target, "-c", program, "conform", "acme_contactcenter.vendor:VENDOR")
    assert done.stdout == "acme_contactcenter.vendor:VENDOR is complete.\n", done.stderr
    assert done.returncode == 0
