"""Child processes that are ended with everything they started, and by nothing but the ids we know."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

#: The one address everything here listens on.
LOOPBACK = "127.0.0.1"


class DemoError(RuntimeError):
    """Something the demo needs is missing or did not come up; the text is one sentence for the user."""


class InterruptedDemo(Exception):
    """The user asked to stop, by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Stopped by {signal.Signals(number).name}.")
        #: what a shell expects of a program that a signal ended: 130 for Ctrl-C
        self.exit_status = 128 + number


#: The signals that asked to stop. A flag that every wait looks at, rather than an exception out of the signal
#: handler: that could come between starting a process and noting its id, or in the midst of the cleaning up.
_asked_to_stop: list[int] = []


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Within the block, SIGINT, SIGTERM and SIGHUP end the current wait with :class:`InterruptedDemo`."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    _asked_to_stop.clear()
    before = {
        number: signal.signal(number, lambda given, frame: _asked_to_stop.append(given)) for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _asked_to_stop.clear()


def pause(seconds: float) -> None:
    """Sleep, or raise :class:`InterruptedDemo` if the user asked to stop."""
    if not _asked_to_stop:
        time.sleep(seconds)
    if _asked_to_stop:
        raise InterruptedDemo(_asked_to_stop[0])


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(condition: Callable[[], bool], timeout: float, what: str, *, interval: float = 0.1) -> None:
    """Wait until ``condition()`` is true; past ``timeout`` seconds say what did not happen."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"{what} within {timeout:.0f} s")
        pause(interval)


class Process:
    """A command in a session of its own, its output in a file.

    The session is what makes a clean end possible: Airflow puts each task into a process group of its
    own, so ending the component's group would leave them; its session holds them all.
    """

    def __init__(
        self, name: str, command: Sequence[str | Path], *, folder: Path, environ: Mapping[str, str]
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.folder = folder
        self.environ = dict(environ)
        self.log_path = folder / f"{name}.log"
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process, once it was started."""
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Start the command; output is appended to the log of an earlier start."""
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603  (our own command, no shell)
                self.command,
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise, with the end of its output, if the process has ended by itself."""
        if self._popen is not None and self._popen.poll() is not None:
            raise DemoError(
                f"{self.name} ended with status {self._popen.returncode}; its last words:\n{self.log_tail()}"
            )

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of what the process wrote."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def wait(self, timeout: float) -> int:
        """Wait until the process has ended by itself and return its exit status."""
        popen = self._popen
        if popen is None:
            raise DemoError(f"{self.name} was not started")
        wait_for(lambda: popen.poll() is not None, timeout, f"{self.name} did not end", interval=0.05)
        status: int = popen.returncode
        return status

    def terminate(self) -> None:
        """Ask the process and its helpers to end, without waiting: what Ctrl-C in a terminal does."""
        if self._popen is not None and self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGTERM)

    def stop(self, grace: float = 10.0) -> None:
        """Ask the process to end, then end whatever is left in its session."""
        self.terminate()
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End the process and everything in its session at once (SIGKILL)."""
        if self._popen is None:
            return
        # A member may fork while the list is read, so look until there is nobody left.
        while members := session_members(self._popen.pid):
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self._popen.poll() is None:
                self._popen.wait()
            time.sleep(0.02)
        self._popen.wait()
        self._popen = None


@contextlib.contextmanager
def cleared_away(process: Process, leftovers: Sequence[Path]) -> Iterator[None]:
    """End `process` and remove `leftovers` should this program end without leaving the block.

    A signal that nobody handles, and SIGKILL always, leaves no time for it. So a shell waits at the other end
    of a pipe, which the system closes whatever this program dies of.
    """
    script = 'while read -r _; do :; done; kill -9 "-$1"; shift; rm -rf -- "$@"'
    command = ["/bin/sh", "-c", script, "sh", str(process.pid), *map(str, leftovers)]
    watcher = subprocess.Popen(  # noqa: S603  (our own command, fixed arguments)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.communicate()


def session_members(session: int) -> list[int]:
    """Return the ids of the living processes of a session."""
    import psutil  # type: ignore[import-untyped, unused-ignore]  # comes with Airflow

    def belongs(pid: int) -> bool:
        try:
            # A zombie has ended; only its parent can clear it away.
            return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return False

    return [pid for pid in psutil.pids() if belongs(pid)]
