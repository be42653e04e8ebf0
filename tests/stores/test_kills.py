"""A process that is killed in the midst of a write leaves the old object or the new one.

What lingers beside it stands in ``docs/stores.md``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from tests.stores.conftest import Body, Place

pytestmark = pytest.mark.slow

MIB = 1 << 20
OLD = b"what was there"
SIZE = 20 * MIB


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def wrapped(function: Callable[..., Any], when: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        result = function(*args, **kwargs)
        die()
        return result

    return call


#: kind -> the calls of its writer in which a process may be killed, beside the reading of the body
STEPS = {
    "s3": ["s3transfer.tasks:CompleteMultipartUploadTask._main"],
    "gcs": ["google.cloud.storage.blob:Blob.upload_from_file"],
    "azure": [
        "azure.storage.blob:BlobClient.stage_block",
        "azure.storage.blob:BlobClient.commit_block_list",
    ],
    "sftp": ["paramiko:SFTPClient.stat", "paramiko:SFTPClient.posix_rename", "paramiko:SFTPClient.rename"],
    "file": ["os:fsync", "pathlib:Path.replace", "pathlib:Path.hardlink_to", "pathlib:Path.unlink"],
}
#: what of a kind may linger
LINGERS = {"s3": 1, "gcs": 0, "azure": 1, "sftp": 1, "file": 1}

CASES = [
    *[(kind, "body", when) for kind in STEPS for when in ("start", "middle", "end")],
    *[(kind, step, when) for kind, steps in STEPS.items() for step in steps for when in ("before", "after")],
]


@pytest.mark.parametrize(("place", "step", "when"), CASES, indirect=["place"])
@pytest.mark.parametrize("old", [None, OLD], ids=["nothing there", "over an old object"])
def test_a_killed_writer_leaves_the_old_object_or_the_new_one(
    place: Place, name: str, step: str, when: str, old: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = step not in ("paramiko:SFTPClient.rename", "pathlib:Path.hardlink_to")
    if old and not replace:
        pytest.skip("an object that is there is refused")
    if old:
        place.put(name, old)
    new = os.urandom(SIZE)
    at = {"start": 0, "middle": 10 * MIB, "end": SIZE}.get(when, -1)
    body = Body(new, before_read=lambda read: die() if step == "body" and read >= at else None)
    if step != "body":
        module, _, path = step.partition(":")
        *owners, function = path.split(".")
        owner = import_module(module)
        for part in owners:
            owner = getattr(owner, part)
    child = os.fork()
    if not child:
        signal.alarm(60)  # ends it if it hangs
        try:
            if step != "body":
                setattr(owner, function, wrapped(getattr(owner, function), when))
            place.store(name).put(body, content_type="text/csv", replace=replace)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the step was never reached"
    appeared = step.rpartition(".")[2] in (
        "_main",
        "upload_from_file",
        "commit_block_list",
        "posix_rename",
        "rename",
        "replace",
        "hardlink_to",
    )
    expected = new if (appeared and when == "after") or step == "pathlib:Path.unlink" else old
    assert place.content(name) == expected
    wait_for_no_more(place)
    assert len(place.lingering()) <= LINGERS[place.kind]
    # A retry of the task lands it whatever lingers.
    place.store(name).put(Body(new), content_type="text/csv")
    assert place.content(name) == new
    place.sweep()


def wait_for_no_more(place: Place) -> None:
    """A server may still be at work on what was sent."""
    before, now = None, place.lingering()
    while before != now:
        time.sleep(0.1)
        before, now = now, place.lingering()
