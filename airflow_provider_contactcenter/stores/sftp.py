"""A file on an SFTP server.

``SFTPHook.store_file`` writes under the final name from the first byte on. Here the file is written beside
its place under a hidden name, its size is compared, and the server renames it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import PurePosixPath
from stat import S_ISDIR
from typing import Any

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import ObjectExists, Readable, Stored, provider_class, whole
from airflow_provider_contactcenter.stores.file import hidden, path_of

#: what is read at a time; the client cuts it into packets
PIECE = 1024 * 1024
#: of 32 KiB each, on their way while a file is read: not every server takes one for all of it at once
REQUESTS = 64
#: seconds that the server may leave a request unanswered
SILENCE = 300.0


class SFTPStore:
    """One file on one server.

    :param remote_path: the absolute path on the server.
    :param sftp_conn_id: the SFTP connection.
    :param create_directories: make the folders of the path that aren't there.
    """

    def __init__(
        self, remote_path: str, *, sftp_conn_id: str = "sftp_default", create_directories: bool = False
    ) -> None:
        self._hook_class = provider_class(
            "airflow.providers.sftp.hooks.sftp", "SFTPHook", extra="sftp", title="SFTP"
        )
        self.path = path_of("remote_path", remote_path)
        self._options: dict[str, Any] = {
            "sftp_conn_id": sftp_conn_id,
            "create_directories": create_directories,
        }

    @cached_property
    def _hook(self) -> Any:
        from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException

        conn_id = self._options["sftp_conn_id"]
        try:
            return self._hook_class(ssh_conn_id=conn_id)
        except AirflowNotFoundException:
            raise
        except AirflowException as error:
            raise InvalidValue(
                f"sftp_conn_id={conn_id!r} is not allowed: the connection is incomplete ({error})."
            ) from None

    @property
    def uri(self) -> str:
        """``sftp://host/path``; the port is shown unless it is 22."""
        port = f":{self._hook.port}" if self._hook.port not in (None, 22) else ""
        return f"sftp://{self._hook.remote_host}{port}{self.path}"

    @property
    def dataset(self) -> tuple[str, str]:
        """``file://host`` and the absolute path."""
        return f"file://{self._hook.remote_host}", self.path

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self._hook.get_managed_conn() as client:
            client.get_channel().settimeout(SILENCE)
            yield client

    @property
    def console(self) -> None:
        """None: a server has no web console."""

    def check(self, *, replace: bool = True) -> None:
        """Write an empty file under a hidden name, rename it in the way of ``put``, and remove it.

        With ``replace=False`` a second one is to be renamed to the same name, which the server has to refuse:
        not every server keeps to the protocol there.

        With ``create_directories`` that is done in the nearest folder that is there.
        """
        with self._connected() as client:
            folder = PurePosixPath(self.path).parent
            while (
                self._options["create_directories"] and len(folder.parts) > 1 and not _there(client, folder)
            ):
                folder = folder.parent
            if _is_folder(client, self.path):
                raise IsADirectoryError(f"{self.path} is a folder: give the path of a file.")
            first, second = (hidden(str(folder / "check")) for _ in range(2))
            try:
                self._write(client, first, None)
                self._settle(client, first, second, replace)
                if not replace:
                    self._write(client, first, None)
                    with suppress(ObjectExists):
                        self._settle(client, first, second, replace)
                        raise OSError(
                            f"{self._hook.remote_host} replaces a file that is there where it should refuse "
                            "to rename, so replace=False can't be kept: use replace=True, or another server."
                        )
            finally:
                for path in (first, second):
                    with suppress(Exception):
                        client.remove(path)

    def exists(self) -> bool:
        """Whether there is anything under the path."""
        with self._connected() as client:
            return _there(client, self.path)

    def read(self) -> Iterator[bytes]:
        """The file."""
        with self._connected() as client, client.open(self.path, "rb") as file:
            file.prefetch(max_concurrent_requests=REQUESTS)
            yield from iter(lambda: file.read(PIECE), b"")

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Write the body beside its place, and rename it. ``content_type`` has no place in a file."""
        temporary = hidden(self.path)
        with self._connected() as client:
            if self._options["create_directories"]:
                _make(client, PurePosixPath(self.path).parent)
            try:
                self._write(client, temporary, body)
                self._settle(client, temporary, self.path, replace)
            except BaseException:
                with suppress(Exception):  # the server is away: the hidden file stays
                    client.remove(temporary)
                raise
        return Stored()

    def _write(self, client: Any, path: str, body: Readable | None) -> None:
        size = 0
        try:
            file = client.file(path, "wbx")  # "xb" would open it for reading
        except FileNotFoundError:
            raise FileNotFoundError(
                f"there is no folder {PurePosixPath(self.path).parent} on {self._hook.remote_host}: make it, "
                "or set create_directories=True."
            ) from None
        with file:
            # What is written isn't waited for, and what the server refuses of it isn't heard: hence the size.
            file.set_pipelined(True)
            while body and (piece := whole(body, PIECE)):
                file.write(piece)
                size += len(piece)
        if (there := client.stat(path).st_size) != size:
            raise OSError(
                f"{self._hook.remote_host} kept {there} of {size} bytes: is its disk full, or a quota "
                "reached?"
            )

    def _settle(self, client: Any, temporary: str, path: str, replace: bool) -> None:
        if not replace:
            try:
                client.rename(temporary, path)  # the protocol has it fail where there is something already
            except OSError:
                if _there(client, path):
                    raise ObjectExists(self.uri) from None
                raise
            return
        try:
            client.posix_rename(temporary, path)
        except OSError as error:
            # The client tells no other sign of SSH_FX_OP_UNSUPPORTED than the server's words.
            if "support" in str(error).lower():
                raise OSError(
                    f"{self._hook.remote_host} can't replace a file in one step (its SFTP server has no "
                    "posix-rename@openssh.com): use replace=False and a path that is new for each run."
                ) from None
            raise

    def delete(self) -> None:
        """Delete the file."""
        with self._connected() as client, suppress(FileNotFoundError):
            client.remove(self.path)

    def at(self, name: str) -> SFTPStore:
        """Another path on the same server."""
        return SFTPStore(name, **self._options)


def _there(client: Any, path: object) -> bool:
    try:
        client.lstat(str(path))
    except FileNotFoundError:
        return False
    return True


def _is_folder(client: Any, path: str) -> bool:
    try:
        return S_ISDIR(client.stat(path).st_mode or 0)
    except FileNotFoundError:
        return False


def _make(client: Any, folder: PurePosixPath) -> None:
    if _there(client, folder) or len(folder.parts) <= 1:
        return
    _make(client, folder.parent)
    try:
        client.mkdir(str(folder))
    except OSError:
        if not _there(client, folder):  # another task may have made it meanwhile
            raise
