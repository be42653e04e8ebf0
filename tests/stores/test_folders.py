"""What only files have: names that hide what isn't whole yet, folders, servers that can't rename."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko import SFTPClient

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import ObjectExists
from airflow_provider_contactcenter.stores.file import FileStore
from airflow_provider_contactcenter.stores.sftp import SFTPStore
from tests.stores.conftest import Body, Gone
from tests.stores.servers import Files, FullDisk, OldFiles, Overwriting, SFTPServer

CSV = "text/csv; charset=utf-8"


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_is_not_whole_yet_has_a_hidden_name(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    body = Body(b"data", before_read=lambda _: seen.append(names(tmp_path)))
    FileStore(f"{tmp_path}/calls.csv").put(body, content_type=CSV)
    assert seen
    assert all(len(names) == 1 and names[0].startswith(".calls.csv.") for names in seen)
    assert names(tmp_path) == ["calls.csv"]


def test_a_file_has_the_mode_that_others_expect(tmp_path: Path) -> None:
    FileStore(f"{tmp_path}/calls.csv").put(Body(b"data"), content_type=CSV)
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "calls.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_longest_name_lands(tmp_path: Path) -> None:
    name = "ü" * 127
    FileStore(f"{tmp_path}/{name}").put(Body(b"data"), content_type=CSV)
    assert names(tmp_path) == [name]


def test_a_file_system_without_hard_links_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    store = FileStore(f"{tmp_path}/calls.csv")
    for do in (
        lambda: store.check(replace=False),
        lambda: store.put(Body(b""), content_type="", replace=False),
    ):
        with pytest.raises(OSError, match=r"has no hard links"):
            do()
    store.check()
    assert names(tmp_path) == []


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"there is no folder {tmp_path}/no on this worker"):
        FileStore(f"{tmp_path}/no/calls.csv").check()
    with pytest.raises(IsADirectoryError, match="give the path of a file"):
        FileStore(str(tmp_path)).check()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        FileStore(f"{tmp_path}/calls.csv").check()


@pytest.mark.parametrize(
    "path",
    ["calls.csv", "./calls.csv", "/data/", "/", "/data/..", "", "file:///data/a.csv", "/{{ ds }}", None],
)
def test_paths_that_cannot_be_used(path: str) -> None:
    with pytest.raises(InvalidValue, match=r"path=.* is not allowed"):
        FileStore(path)
    with pytest.raises(InvalidValue, match=r"remote_path=.* is not allowed"):
        SFTPStore(path)


def test_a_file_has_one_name_however_its_path_is_spelled(tmp_path: Path) -> None:
    for path in (f"/{tmp_path}//calls.csv", f"{tmp_path}/./calls.csv", f"{tmp_path}/calls.csv"):
        assert FileStore(path).uri == f"file://{tmp_path}/calls.csv"
        assert SFTPStore(path).path == f"{tmp_path}/calls.csv"


def test_a_folder_that_may_be_written_but_not_read_takes_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, *flags: Any, **options: Any) -> int:
        if Path(path) == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *flags, **options)

    monkeypatch.setattr(os, "open", refuse)  # root may read any folder
    FileStore(f"{tmp_path}/calls.csv").put(Body(b"whole"), content_type=CSV, replace=False)
    assert (tmp_path / "calls.csv").read_bytes() == b"whole"


@pytest.fixture
def sftp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[SFTPServer]:
    """A server of the kind that the test names."""
    with SFTPServer(tmp_path, getattr(request, "param", Files)) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.parametrize("sftp", [OldFiles], indirect=True)
def test_a_server_that_cannot_replace_in_one_step_is_refused(sftp: SFTPServer, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(b"what was there")
    store = SFTPStore("/calls.csv")
    for do in (store.check, lambda: store.put(Body(b"new"), content_type=CSV)):
        with pytest.raises(OSError, match=r"can't replace a file in one step"):
            do()
    assert (tmp_path / "calls.csv").read_bytes() == b"what was there"
    SFTPStore("/new.csv").check(replace=False)
    SFTPStore("/new.csv").put(Body(b"new"), content_type=CSV, replace=False)
    assert names(tmp_path) == ["calls.csv", "new.csv"]


@pytest.mark.parametrize("sftp", [Overwriting], indirect=True)
def test_a_server_that_renames_over_a_file_cannot_promise_not_to_replace(
    sftp: SFTPServer, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"replaces a file that is there where it should refuse"):
        SFTPStore("/calls.csv").check(replace=False)
    SFTPStore("/calls.csv").check()
    assert names(tmp_path) == []


def test_a_file_is_read_with_a_bounded_number_of_requests(
    sftp: SFTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some servers stall where one asks for all of a file at once."""
    send, waiting = SFTPClient._async_request, []

    def sent(client: Any, *request: Any) -> Any:
        waiting.append(len(client._expecting))
        return send(client, *request)

    monkeypatch.setattr(SFTPClient, "_async_request", sent)
    (tmp_path / "calls.csv").write_bytes(bytes(8 << 20))
    assert sum(map(len, SFTPStore("/calls.csv").read())) == 8 << 20
    assert len(waiting) > 256 and max(waiting) <= 64


@pytest.mark.parametrize("sftp", [FullDisk], indirect=True)
def test_a_server_that_kept_less_is_found_out(sftp: SFTPServer, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"kept 32768 of 200000 bytes"):
        SFTPStore("/calls.csv").put(Body(bytes(200_000)), content_type=CSV)
    assert names(tmp_path) == []


def test_folders_are_made_if_asked_for(sftp: SFTPServer, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"set create_directories=True"):
        SFTPStore("/a/b/calls.csv").check()
    store = SFTPStore("/a/b/calls.csv", create_directories=True)
    store.check()
    assert names(tmp_path) == []
    assert not store.exists()
    store.put(Body(b"data"), content_type=CSV)
    assert (tmp_path / "a/b/calls.csv").read_bytes() == b"data"
    with pytest.raises(IsADirectoryError):
        SFTPStore("/a/b").check()
    store.at("/a/c/manifest.json").put(Body(b"{}"), content_type="application/json")
    assert (tmp_path / "a/c/manifest.json").read_bytes() == b"{}"


def test_uri_and_dataset_name_the_server(sftp: SFTPServer) -> None:
    store = SFTPStore("/in/calls.csv")
    assert store.uri == f"sftp://127.0.0.1:{sftp.port}/in/calls.csv"
    assert store.dataset == ("file://127.0.0.1", "/in/calls.csv")


def test_a_refused_password_shows_before_anything_is_put(
    sftp: SFTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow's hook tries three times, three seconds and more apart.
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda seconds: None))
    connection = sftp.connection(password="sentinel-wrong-password")
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_DEFAULT", json.dumps(connection))
    with pytest.raises(Exception, match=r"(?i)auth") as caught:
        SFTPStore("/calls.csv").check()
    assert "sentinel" not in str(caught.value)


def test_a_server_that_dies_midway_leaves_the_old_file(sftp: SFTPServer, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(b"what was there")

    def dies(at: int) -> None:
        if at >= 4 << 20:
            sftp.die()

    with pytest.raises(Exception) as caught:
        SFTPStore("/calls.csv").put(Body(bytes(40 << 20), before_read=dies), content_type=CSV)
    assert not isinstance(caught.value, Gone | ObjectExists)
    assert (tmp_path / "calls.csv").read_bytes() == b"what was there"
    assert [name[:10] for name in names(tmp_path) if name != "calls.csv"] == [".calls.csv"]
