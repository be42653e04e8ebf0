"""A file in a local or mounted folder."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import ObjectExists, Readable, Stored, name_of, whole

#: what is read and written at a time
PIECE = 1024 * 1024


class FileStore:
    """One file. It is written beside its place under a hidden name, and then put there in one step.

    That holds on a local disk and on NFS. A bucket that is mounted as a folder (FUSE) copies where it should
    rename, and promises nothing.

    :param path: the absolute path. Its folder must be there: a mount that is missing would otherwise be
        written under.
    """

    def __init__(self, path: str) -> None:
        self.path = path_of("path", path)
        self._place = Path(self.path)

    @property
    def uri(self) -> str:
        """``file:///folder/name``."""
        return f"file://{self.path}"

    @property
    def dataset(self) -> tuple[str, str]:
        """``file`` and the absolute path."""
        return "file", self.path

    @property
    def console(self) -> None:
        """None: a folder has no web console."""

    def check(self, *, replace: bool = True) -> None:
        """Write an empty file under a hidden name, give it another one in the way of ``put``, remove it."""
        if self._place.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder: give the path of a file.")
        first, second = (Path(hidden(self.path)) for _ in range(2))
        try:
            self._write(first, _Empty())
            _settle(first, second, replace)
        finally:
            first.unlink(missing_ok=True)
            second.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether there is anything under the path."""
        return self._place.exists() or self._place.is_symlink()

    def read(self) -> Iterator[bytes]:
        """The file."""
        with self._place.open("rb", buffering=0) as file:
            yield from iter(lambda: file.read(PIECE), b"")

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Write the body beside its place, and put it there. ``content_type`` has no place in a file."""
        temporary = Path(hidden(self.path))
        try:
            self._write(temporary, body)
            try:
                _settle(temporary, self._place, replace)
            except FileExistsError:
                raise ObjectExists(self.uri) from None
        finally:
            temporary.unlink(missing_ok=True)
        with suppress(OSError):  # the file stands; a folder may not be ours to read, or know nothing of this
            folder = os.open(self._place.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return Stored()

    def _write(self, path: Path, body: Readable) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {path.parent} on this worker: make it, or mount it.")
        with path.open("xb", buffering=0) as file:
            while piece := whole(body, PIECE):
                left = memoryview(piece)
                while left:
                    left = left[file.write(left) :]
            os.fsync(file.fileno())

    def delete(self) -> None:
        """Delete the file."""
        self._place.unlink(missing_ok=True)

    def at(self, name: str) -> FileStore:
        """Another path."""
        return FileStore(name)


class _Empty:
    def read(self, size: int = -1, /) -> bytes:
        """Nothing."""
        return b""


def _settle(temporary: Path, path: Path, replace: bool) -> None:
    """Give a file its name in one step: over what is there, or (FileExistsError) only if there is nothing."""
    if replace:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise OSError(
                f"the file system of {path.parent} has no hard links, and replace=False needs them "
                "to refuse a second writer: use replace=True, or another folder."
            ) from None
        raise


def path_of(parameter: str, value: Any) -> str:
    """An absolute path of a file, in one spelling: without empty steps and ``.``, which lead nowhere.

    :raises InvalidValue: it is relative, a folder, a URL, or a template that nobody rendered.
    """
    path = name_of(parameter, os.fspath(value) if isinstance(value, os.PathLike) else value)
    last = path.rpartition("/")[2]
    if not path.startswith("/") or last in ("", ".", "..") or "\0" in path:
        raise InvalidValue(
            f"{parameter}={value!r} is not allowed: give the absolute path of a file, such as "
            "'/data/calls.csv'."
        )
    return "/" + "/".join(step for step in path.split("/") if step not in ("", "."))


def hidden(path: str) -> str:
    """A name of its own for what isn't whole yet: in the same folder, and none that loaders read."""
    place = PurePosixPath(path)
    # A name has 255 bytes at most.
    stem = place.name.encode(errors="surrogateescape")[:200].decode(errors="ignore")
    return str(place.parent / f".{stem}.{secrets.token_hex(8)}")
