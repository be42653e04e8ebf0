"""Each cell of the matrix: the whole object and one job, or a typed error and nothing new in the bucket."""

from __future__ import annotations

import json
import os
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.demo import verify
from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.stores import GCSServer, S3Server
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import policy
from tests.faults import running, shaping, table
from tests.faults.cells import CELLS, ENDED, LANDS, LOOKS, NEW_SECRET, SKIPS, Cell, sample
from tests.faults.conftest import Clock, connect, landing
from tests.faults.relay import UPLOADS, Harm, Relay
from tests.faults.subjects import TALKDESK
from tests.transfers.conftest import Store, context
from tests.wire import Wire, reply

SAMPLE = sample()
#: what lay under the key before
OLD = b"last night's"

HARMS = {
    "403": Harm(status=403),
    "500": Harm(status=500),
    "500 twice": Harm(to=UPLOADS, status=500, times=2),
    "slow": Harm(to=UPLOADS, pause=0.003),
    "dies once": Harm(to=UPLOADS, dies_after=300_000, times=1),
    "dies": Harm(to=UPLOADS, dies_after=300_000),
    "gone": Harm(),
}


@pytest.fixture
def elsewhere() -> Iterator[Wire]:
    """Another host, which answers anything with a page."""
    with Wire(lambda asked: reply(200, b"<html>Another host</html>", Content_Type="text/html")) as wire:
        yield wire


@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, marks=() if cell.name in SAMPLE else pytest.mark.slow) for cell in CELLS],
    ids=lambda cell: cell.name,
)
def test_a_cell_ends_with_the_whole_object_or_with_nothing_new(
    cell: Cell,
    sandbox: Sandbox,
    stores: dict[str, S3Server | GCSServer],
    clock: Clock,
    elsewhere: Wire,
    measured: list[table.Measured],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    fault, subject = cell.fault, cell.subject
    options = {**(subject.large if fault.large else {}), **fault.options(subject)}
    sandbox.set_options(subject.vendor, **{**subject.options, **options})
    if fault.connection:
        connect(monkeypatch, sandbox, subject.conn_id, **fault.connection)
    if fault.front:
        front: Relay = request.getfixturevalue("tls_front")
        pem: Path = request.getfixturevalue("certificate")
        written = json.dumps(sandbox.connections[subject.conn_id]).replace(sandbox.url, front.url)
        connection = json.loads(written)
        connection["extra"]["verify"] = str(pem)
        monkeypatch.setenv(f"AIRFLOW_CONN_{subject.conn_id.upper()}", json.dumps(connection))
    for script in cell.script:
        if script.get("to") == "elsewhere":
            script["to"] = f"{elsewhere.origin}/file"
        sandbox.add_fault(**script)

    if fault.longest_look is not None:
        monkeypatch.setattr(policy, "LONGEST_LOOK", fault.longest_look)
    if fault.new_password:
        polled = subject.roles["poll"]

        def changed() -> None:
            if len(sandbox.journal(vendor=subject.vendor, operation=polled)) == LOOKS:
                connect(monkeypatch, sandbox, subject.conn_id, password=fault.new_password)

        clock.meanwhile = changed

    store = landing(cell.store, stores, request, monkeypatch)
    server = stores.get(cell.store) or store
    key = f"faults/{os.urandom(6).hex()}.{subject.file_format}"
    store.put(key, OLD)
    seen, since = running.Seen(), [0]
    with ExitStack() as opened:
        if fault.store in HARMS:
            relay = opened.enter_context(Relay(server.url))
            relay.harm = replace(HARMS[fault.store], raw=cell.store == "SFTP")
            _use(monkeypatch, server, relay)
            if fault.store == "gone":
                relay.stop()
        if fault.store == "full":
            opened.enter_context(small_files())
        task = {**fault.task}
        if "report_timeout" in task:
            task["report_timeout"] = timedelta(seconds=task["report_timeout"])
        if cell.store == "GCS":
            task.setdefault("chunk_size", 1024 * 1024)

        if fault.shape:
            for name, value in shaping.CONNECTION.items():
                monkeypatch.setenv(name, value)
            task |= {"shape": shaping.of(subject, **fault.shape), "manifest": store.beside(key)}

        made: list[Any] = []

        def make() -> Any:
            made.append(
                store.operator(
                    key,
                    report=subject.report(),
                    deferrable=cell.mode == "deferred",
                    poll_interval=0.05,
                    **task,
                )
            )
            return made[-1]

        kill = fault.step == "cancel"
        if kill and cell.mode == "sync":

            def end() -> None:
                clock.meanwhile = lambda: None
                made[-1].on_kill()

            clock.meanwhile = end

        def between(number: int) -> None:
            since.append(running.served_count(sandbox))

        written = opened.enter_context(shaping.writes())
        began = time.monotonic()
        tried = running.tries(make, len(cell.ends.tries), seen, between, kill)
        took = time.monotonic() - began
        if fault.store in HARMS:
            # An uploader that was left open must not go on when it is collected, now that the store is well.
            relay.harm = Harm(times=0)
            running.release(tried)

    # What happened, in one line, before it is judged.
    landed = store.object(key)
    ended = ", ".join(one.ended for one in tried)
    asked = Counter(entry["operation"] for entry in sandbox.journal(vendor=subject.vendor))
    jobs = len(sandbox.jobs(subject.vendor))
    bucket = "the object before" if landed == OLD else f"{len(landed)} bytes"
    requests = ", ".join(f"{many} {operation}" for operation, many in sorted(asked.items()))
    measured.append(table.Measured(cell, ended, requests, jobs, bucket))
    last = tried[-1]

    assert tuple(one.ended for one in tried) == cell.ends.tries, (
        f"{cell.name}: {[str(one.error) for one in tried]}"
    )
    assert jobs == cell.jobs
    # A hidden file stays where the connection that could remove it is cut: see docs/stores.md.
    assert len(store.dangling()) <= (cell.store == "SFTP" and fault.store == "dies")
    if fault.shape:
        keeps_out(sandbox, cell, store, key, last, seen, written)
    elif last.delivery is not None:
        assert running.is_whole(sandbox, subject, landed, since[-1])
        assert last.delivery["bytes"] == len(landed)
    else:
        assert landed == OLD
    for one in tried:
        if one.ended not in {LANDS, SKIPS, ENDED}:
            assert isinstance(one.error, exceptions.ContactCenterError)
    first = str(tried[0].error or "")
    if tried[0].error is not None and fault.step not in {"store", "report", "cancel"}:
        assert first.startswith(f"{subject.title} (connection {subject.conn_id}")
    assert re.search(cell.ends.words, first)
    assert re.search(cell.ends.says, seen.log)
    assert max(clock.asked, default=0.0) >= fault.pause
    assert fault.longest_look is None or took < 20, "what drips in takes forty seconds"
    # Nobody is hammered: between any two looks, and between any two tries of a request, there is a pause.
    # One turn is a poll, the files endpoint, storage and up to five redirects; then comes a pause.
    assert sum(asked.values()) <= 8 * len(clock.asked) + 45
    found = [secret for secret in running.secrets(sandbox, subject) if secret in seen.everything]
    assert found == []
    assert "sentinel-wrong-password" not in seen.everything
    assert NEW_SECRET not in seen.everything
    # The query of an upload under way lets anybody write to it.
    assert "uploadType=" not in "".join(running.texts(last.error) if last.error else ())
    abroad = "\n".join(f"{asked.line} {asked.headers} {asked.body!r}" for asked in elsewhere.asked)
    assert [secret for secret in running.secrets(sandbox, subject) if secret in abroad] == []


@contextmanager
def small_files(most: int = 400_000) -> Iterator[None]:
    """The kernel lets no file of this process, the SFTP server's included, grow longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def keeps_out(
    sandbox: Sandbox,
    cell: Cell,
    store: Any,
    key: str,
    last: running.Try,
    seen: running.Seen,
    written: list[str],
) -> None:
    """Whole or not at all in its shape; what is dropped and hashed, and the key, stand nowhere else."""
    subject, landed = cell.subject, store.object(key)
    rows = shaping.served(sandbox)
    manifest = store.object(f"{key}.json") if last.delivery else b""
    if last.delivery is None:
        assert landed == OLD
        landed = b""
    else:
        assert shaping.is_whole(subject, landed, last.delivery, rows)
        assert json.loads(manifest)["sha256"] == last.delivery["sha256"]
    read = str(verify.table(landed, cell.fault.shape["file_format"])) if landed else ""
    texts = "\n".join([seen.everything, read, manifest.decode()])
    raw = shaping.kept_out(subject, rows)
    assert raw
    assert [value for value in {*raw, shaping.HASH_KEY} if value in texts] == []
    # Files of the object's own name become the object or are gone (see ``dangling``); a check's are empty.
    assert [path for path in written if not re.search(rf"^$|{Path(key).name}|/\.check\.", path)] == []


def _use(monkeypatch: pytest.MonkeyPatch, server: Any, relay: Relay) -> None:
    """Lead the uploader through the relay; the test itself goes to the server directly."""
    for name, value in server.environ.items():
        there, here = (f'"port": {urlsplit(url).port}' for url in (server.url, relay.url))
        monkeypatch.setenv(name, value.replace(server.url, relay.url).replace(there, here))


def test_the_page_in_the_docs_lists_every_cell_as_it_is_tested() -> None:
    assert table.PAGE.read_text() == table.page(), "run: python -m tests.faults.table"
    assert {cell.fault.step for cell in CELLS} == set(table.HEADINGS)
    assert len({cell.name for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize("kind", ["S3", "GCS"])
def test_a_task_that_is_ended_in_mid_upload_publishes_nothing(
    sandbox: Sandbox, stores: dict[str, S3Server | GCSServer], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow 3 calls ``on_kill`` and lets ``execute`` go on, for seconds in which much can be uploaded."""
    sandbox.set_options("talkdesk", ladder=[], bytes=40_000_000)
    store = Store(stores[kind])
    key = f"faults/{os.urandom(6).hex()}.csv"
    with Relay(stores[kind].url) as relay:
        _use(monkeypatch, stores[kind], relay)
        # Little is read ahead: a report that is read to its end is about to land anyway.
        small = {"multipart_chunksize": 5 * 1024 * 1024, "max_concurrency": 1}
        sizes = {"S3": {"transfer_config_args": small}, "GCS": {"chunk_size": 1024 * 1024}}
        task = store.operator(key, report=TALKDESK.report(), **sizes[kind])
        passed = relay.passed

        def end() -> None:
            wait_for(lambda: relay.passed - passed > 2_000_000, 20, "nothing was uploaded")
            task.on_kill()

        with ThreadPoolExecutor(1) as user:
            ended = user.submit(end)
            relay.harm = Harm(to=UPLOADS, pause=0.005)
            with pytest.raises(exceptions.ContactCenterError, match="was ended"):
                task.execute(context())
            ended.result()
    assert not store.exists(key)
    assert store.dangling() == []
