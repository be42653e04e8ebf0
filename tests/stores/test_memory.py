"""However long a body is, a store holds no more of it than its parts in flight."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.stores.conftest import Place

pytestmark = pytest.mark.slow

MIB = 1 << 20
#: MiB over what the process had; the budgets of the transfers
BUDGET = {"s3": 96, "gcs": 64, "azure": 64, "sftp": 32, "file": 16}


class Long:
    """128 MiB that are made while they are read."""

    left = 128 * MIB

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return os.urandom(size)


def peak() -> int:
    """The most memory that this process has had, in MiB."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) // 1024


def test_memory_stays_flat(place: Place, name: str) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is read from /proc")
    reader, writer = os.pipe()
    child = os.fork()  # a process of its own: of this one nobody knows what it has kept
    if not child:
        try:
            store = place.store(name)
            store.check()  # the library is imported, its client made
            before = peak()
            store.put(Long(), content_type="text/csv")
            os.write(writer, str(peak() - before).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    grown = os.read(reader, 100).decode()
    os.close(reader)
    place.store(name).delete()
    assert grown, "the upload failed"
    assert int(grown) <= BUDGET[place.kind]
