"""A real Airflow in a folder of its own: API server, scheduler, triggerer and Dag processor on SQLite.

Everything is configured by environment variables, every key is made at the start, every port was free, and
nothing is left when it ends: no process, no folder.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Self

import requests

from airflow_provider_contactcenter.demo.processes import LOOPBACK, DemoError, Process, free_ports, wait_for
from airflow_provider_contactcenter.demo.rest import RestClient

#: Component -> its command. Logs are read from the shared folder, so nobody needs to serve them.
COMPONENTS: dict[str, Sequence[str]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}

#: What differs from Airflow's defaults whatever the folder and the port: one machine, short waits.
SETTINGS = {
    "CORE__EXECUTOR": "LocalExecutor",
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__PARALLELISM": "4",
    "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
    "API__HOST": LOOPBACK,
    "API__MAXIMUM_PAGE_LIMIT": "1000",
    "LOGGING__COLORED_CONSOLE_LOG": "False",
    "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    "SCHEDULER__JOB_HEARTBEAT_SEC": "2",
    "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",
    # A task's end is seen when its supervisor next wakes up.
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # After a triggerer died, the next one takes its triggers over when this many seconds have passed.
    "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}

#: The user's variables that must not reach this Airflow: those of another Airflow, and of real clouds.
FOREIGN = ("AIRFLOW_", "AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "STORAGE_EMULATOR_HOST")

#: Airflow imports this file in every component. The LocalExecutor's workers are forked from the scheduler
#: and each task is forked from a worker: what the scheduler has imported no task imports again, which is
#: most of the processor time that a small task takes.
PRELOAD = """\
import importlib
import sys

if "scheduler" in sys.argv:
    for name in (
        "airflow.sdk.execution_time.task_runner",
        "airflow.providers.amazon.aws.hooks.s3",
        "airflow.providers.google.cloud.hooks.gcs",
        "airflow_provider_contactcenter.hooks.base",
        "airflow_provider_contactcenter.transfers.contact_center_to_s3",
        "airflow_provider_contactcenter.transfers.contact_center_to_gcs",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
"""

#: Seconds that all components together get to end in order. A triggerer may need ten more for nothing: it
#: waits that long for a helper that is gone already.
STOP_GRACE = 4.0

#: Seconds that a writer waits for another. SQLite's own five are short where all cores have work.
DATABASE_PATIENCE = 60

#: Health is asked of each component, and must be younger than its start.
_HEARTBEATS = {"scheduler": "scheduler", "triggerer": "triggerer", "dag-processor": "dag_processor"}


class LocalAirflow:
    """A real Airflow on loopback, for the length of a ``with`` block."""

    #: there once it is prepared
    rest: RestClient

    def __init__(self, dags_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """Prepare an Airflow that runs the Dags of a folder.

        :param dags_folder: folder of the Dag files
        :param environ: more environment for all of its processes: connections, variables that Dags read,
            and ``AIRFLOW__SECTION__KEY`` settings, which win over the ones made here
        """
        self.dags_folder = dags_folder.resolve()
        self.environ: dict[str, str] = {}
        self.url = ""
        self.folder = Path()
        self._extra_environ = dict(environ or {})
        self._components: dict[str, Process] = {}
        self._started: dict[str, datetime] = {}
        self._exits = contextlib.ExitStack()

    # -- life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def prepare(self) -> None:
        """Make the folder and begin to create the database, without waiting for it.

        That takes some seconds in which the caller can start something else; :meth:`start` goes on.
        """
        require_airflow_3()
        temporary = tempfile.TemporaryDirectory(prefix="contactcenter-airflow-")
        self._exits.enter_context(temporary)
        self._exits.callback(self._stop_components)
        self.folder = Path(temporary.name)
        (self.folder / "tmp").mkdir()
        (self.folder / "config").mkdir()
        (self.folder / "config" / "airflow_local_settings.py").write_text(PRELOAD)
        [port] = free_ports(1)
        self.url = f"http://{LOOPBACK}:{port}"
        self.rest = RestClient(self.url)
        self.environ = {**airflow_environ(self.folder, self.dags_folder, port), **self._extra_environ}
        self._components["db"] = self._process("db", ("db", "migrate"))
        self._components["db"].start()

    def start(self, environ: Mapping[str, str] | None = None, timeout: float = 120.0) -> None:
        """Start all components and wait until they are healthy; ``environ`` is added to their environment."""
        try:
            if not self._components:
                self.prepare()
            self.environ.update(environ or {})
            self._finish_migration(timeout)
            for name in COMPONENTS:
                self.start_component(name)
            self.wait_until_healthy(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all components and remove the folder."""
        self._exits.close()

    def _process(self, name: str, arguments: Sequence[str]) -> Process:
        command = [sys.executable, "-m", "airflow", *arguments]
        return Process(name, command, folder=self.folder, environ=self.environ)

    def _finish_migration(self, timeout: float) -> None:
        migration = self._components["db"]
        if migration.wait(timeout) != 0:
            raise DemoError(f"airflow db migrate failed; its last words:\n{migration.log_tail()}")
        del self._components["db"]

    def _stop_components(self) -> None:
        for process in self._components.values():
            process.terminate()
        deadline = time.monotonic() + STOP_GRACE
        for process in self._components.values():
            process.stop(max(0.0, deadline - time.monotonic()))
        self._components.clear()

    # -- components

    def start_component(self, name: str) -> None:
        """Start one of ``api-server``, ``scheduler``, ``triggerer``, ``dag-processor``."""
        self._components[name] = self._process(name, COMPONENTS[name])
        self._started[name] = datetime.now(UTC)
        self._components[name].start()

    def wait_until_healthy(self, timeout: float = 120.0) -> None:
        """Wait until every component has sent a heartbeat since it was started."""
        wait_for(self._healthy, timeout, "Airflow did not become healthy", interval=0.2)

    def _healthy(self) -> bool:
        for process in self._components.values():
            process.check()
        try:
            health = self.rest.health()
        except requests.RequestException:
            return False
        return health is not None and all(
            _since(health[key].get(f"latest_{key}_heartbeat"), self._started[name])
            for name, key in _HEARTBEATS.items()
        )


def airflow_environ(folder: Path, dags_folder: Path, port: int) -> dict[str, str]:
    """Return the environment of an Airflow that keeps to ``folder`` and ``port``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    settings = {
        **SETTINGS,
        "CORE__DAGS_FOLDER": str(dags_folder),
        "CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}?timeout={DATABASE_PATIENCE}",
        "LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        "API__PORT": str(port),
        "API__BASE_URL": f"http://{LOOPBACK}:{port}",
        "API__SECRET_KEY": secrets.token_urlsafe(32),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
    }
    no_proxy = ",".join(filter(None, [kept.get("no_proxy", kept.get("NO_PROXY")), LOOPBACK, "localhost"]))
    return {
        **kept,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "no_proxy": no_proxy,
        "NO_PROXY": no_proxy,
        # Relative entries would mean another folder in the components, which run in their own.
        **({"PYTHONPATH": _absolute(kept["PYTHONPATH"])} if kept.get("PYTHONPATH") else {}),
        **bytecode_environ(folder),
    }


def bytecode_environ(folder: Path) -> dict[str, str]:
    """Return what lets the components share compiled modules, where they would not be kept.

    uv compiles nothing when it installs, and many an image sets ``PYTHONDONTWRITEBYTECODE``: together they
    make each process, and each task, compile all of Airflow again, which doubles the time to start.
    """
    spec = importlib.util.find_spec("airflow")
    compiled = spec is not None and spec.cached is not None and Path(spec.cached).exists()
    if compiled or not sys.dont_write_bytecode:
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def airflow_version() -> str:
    """Return the version of the installed Airflow, without importing it (that would write to its home)."""
    for distribution in ("apache-airflow-core", "apache-airflow"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    raise DemoError("Airflow is not installed; run: pip install 'apache-airflow>=3.3'")


def require_airflow_3() -> None:
    """Say in one sentence that the harness cannot run an older Airflow."""
    version = airflow_version()
    if int(version.split(".")[0]) < 3:
        raise DemoError(f"The local Airflow needs Airflow 3, and Airflow {version} is installed")


def _since(heartbeat: str | None, start: datetime) -> bool:
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= start


def _absolute(search_path: str) -> str:
    return os.pathsep.join(str(Path(entry).resolve()) for entry in search_path.split(os.pathsep))
