"""A real Airflow in a folder of its own: API server, scheduler, triggerer and Dag processor on SQLite.

Everything is configured by environment variables, every key is made at the start, every port was free, and
nothing is left when it ends: no process, no folder.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import requests

from airflow_provider_contactcenter.demo.processes import LOOPBACK, DemoError, Process, free_ports, wait_for

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

#: States in which a run, or a task, has ended.
FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})

#: Seconds that all components together get to end in order. A triggerer may need ten more for nothing: it
#: waits that long for a helper that is gone already.
STOP_GRACE = 4.0

#: Seconds that a writer waits for another. SQLite's own five are short where all cores have work.
DATABASE_PATIENCE = 60

#: Health is asked of each component, and must be younger than its start.
_HEARTBEATS = {"scheduler": "scheduler", "triggerer": "triggerer", "dag-processor": "dag_processor"}


class LocalAirflow:
    """A real Airflow on loopback, for the length of a ``with`` block."""

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
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy on the way to loopback
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

    def stop_component(self, name: str, *, kill: bool = False) -> None:
        """End one component in order, or with ``kill`` by SIGKILL, together with all it started."""
        process = self._components[name]
        if kill:
            process.kill()
        else:
            process.stop(grace=20.0)

    def restart_component(self, name: str, *, kill: bool = False, timeout: float = 60.0) -> None:
        """End one component (see :meth:`stop_component`), start it again and wait until it is healthy."""
        self.stop_component(name, kill=kill)
        self.start_component(name)
        self.wait_until_healthy(timeout)

    def wait_until_healthy(self, timeout: float = 120.0) -> None:
        """Wait until every component has sent a heartbeat since it was started."""
        wait_for(self._healthy, timeout, "Airflow did not become healthy", interval=0.2)

    def _healthy(self) -> bool:
        for process in self._components.values():
            process.check()
        try:
            health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=10)
        except requests.RequestException:
            return False
        return health.ok and all(
            _since(health.json()[key].get(f"latest_{key}_heartbeat"), self._started[name])
            for name, key in _HEARTBEATS.items()
        )

    # -- REST API

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Call the REST API (``path`` is what follows ``/api/v2/``) and return the decoded answer."""
        headers = {"Accept": "application/json"}
        renew = "Authorization" not in self._http.headers
        for attempt in range(4):
            if renew:
                token = self._http.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
                self._http.headers["Authorization"] = f"Bearer {token}"
            answer = self._http.request(
                method, f"{self.url}/api/v2/{path}", headers=headers, timeout=60, **options
            )
            renew = answer.status_code == requests.codes.unauthorized
            if "Database error" in answer.text and not answer.ok:
                time.sleep(attempt + 1)  # SQLite has one writer at a time; what was begun is rolled back
            elif not renew:
                break
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text}", response=answer)
        return answer.json() if answer.content else None

    def add_connections(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Make connections that the UI shows and the user can change; each by its id, as Airflow's JSON."""
        entities = [
            {**fields, "connection_id": name, "extra": json.dumps(fields.get("extra") or {})}
            for name, fields in connections.items()
        ]
        action = {"action": "create", "action_on_existence": "overwrite", "entities": entities}
        done = self.request("PATCH", "connections", json={"actions": [action]})
        if errors := done["create"]["errors"]:
            raise DemoError(f"Airflow took no connections: {errors}")

    def import_errors(self) -> dict[str, str]:
        """Return file name -> traceback of the Dag files that could not be imported."""
        errors = self.request("GET", "importErrors", params={"limit": 1000})["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def dag_ids(self) -> list[str]:
        """Return the ids of all Dags known so far."""
        return sorted(dag["dag_id"] for dag in self._dags())

    def _dags(self) -> list[dict[str, Any]]:
        dags: list[dict[str, Any]] = self.request("GET", "dags", params={"limit": 1000})["dags"]
        return dags

    def _check_imports(self) -> None:
        if errors := self.import_errors():
            raise DemoError("\n".join(f"{name}:\n{trace}" for name, trace in errors.items()))

    def wait_for_dag_files(self, timeout: float = 60.0) -> list[str]:
        """Wait until every Python file in the Dags folder has been read, and return the ids of all Dags.

        :raises DemoError: a file could not be imported, or holds no Dag.
        """
        expected = {str(path) for path in self.dags_folder.rglob("*.py") if path.name != "__init__.py"}
        missing: set[str] = expected

        def read() -> bool:
            nonlocal missing
            self._check_imports()
            missing = expected - {dag["fileloc"] for dag in self._dags()}
            return not missing

        try:
            wait_for(read, timeout, "Airflow did not read all Dag files", interval=0.3)
        except DemoError as error:
            raise DemoError(f"{error}: {', '.join(sorted(missing))}") from None
        return self.dag_ids()

    def wait_for_dags(self, dag_ids: Collection[str], timeout: float = 60.0) -> None:
        """Wait until all these Dags have been read; a Dag file with an error ends the wait."""

        def known() -> bool:
            self._check_imports()
            return set(dag_ids) <= set(self.dag_ids())

        wait_for(known, timeout, f"Airflow did not read the Dags {', '.join(sorted(dag_ids))}", interval=0.3)

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run this Dag: with ``catchup=False`` that makes the run of the last interval."""
        self.request("PATCH", f"dags/{_id(dag_id)}", json={"is_paused": False})

    def trigger_dag(
        self,
        dag_id: str,
        *,
        run_id: str | None = None,
        logical_date: datetime | None = None,
        data_interval: tuple[datetime, datetime] | None = None,
        conf: Mapping[str, Any] | None = None,
        timeout: float = 60.0,
    ) -> str:
        """Run a Dag now and return the run's id; waits until the Dag is known, and unpauses it.

        A data interval needs a logical date: its start is taken if none is given. Without either, the run
        has an empty interval, as a run started by hand in the UI.
        """
        self.wait_for_dags([dag_id], timeout)
        self.unpause(dag_id)
        if data_interval and logical_date is None:
            logical_date = data_interval[0]
        body: dict[str, Any] = {
            "logical_date": (logical_date or datetime.now(UTC)).isoformat(),
            "conf": dict(conf or {}),
        }
        if run_id:
            body["dag_run_id"] = run_id
        if data_interval:
            body["data_interval_start"], body["data_interval_end"] = (
                day.isoformat() for day in data_interval
            )
        run: str = self.request("POST", f"dags/{_id(dag_id)}/dagRuns", json=body)["dag_run_id"]
        return run

    def dag_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a Dag, oldest first; the id ``~`` stands for all Dags."""
        runs: list[dict[str, Any]] = self.request(
            "GET", f"dags/{_id(dag_id)}/dagRuns", params={"limit": 1000, "order_by": "id"}
        )["dag_runs"]
        return runs

    def dag_run_state(self, dag_id: str, run_id: str) -> str:
        """Return ``queued``, ``running``, ``success`` or ``failed``."""
        state: str = self.request("GET", _run_path(dag_id, run_id))["state"]
        return state

    def wait_for_run(self, dag_id: str, run_id: str, timeout: float = 120.0) -> str:
        """Wait until a run has ended and return its state."""
        wait_for(
            lambda: self.dag_run_state(dag_id, run_id) in FINISHED,
            timeout,
            f"The run {run_id} of {dag_id} did not end",
            interval=0.3,
        )
        return self.dag_run_state(dag_id, run_id)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run as the REST API gives them; ``~`` stands for all."""
        tasks: list[dict[str, Any]] = self.request(
            "GET", f"{_run_path(dag_id, run_id)}/taskInstances", params={"limit": 1000}
        )["task_instances"]
        return tasks

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Return task id -> state; a mapped task has one entry per index, ``task[0]``."""
        return {task_label(task): task["state"] for task in self.task_instances(dag_id, run_id)}

    def wait_for_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        states: Collection[str] = FINISHED,
        *,
        map_index: int = -1,
        timeout: float = 60.0,
    ) -> str:
        """Wait until a task is in one of ``states`` and return it; another final state ends the wait too."""
        ending = FINISHED | set(states)

        def state() -> str | None:
            task = self.request("GET", _task_path(dag_id, run_id, task_id, map_index))
            value: str | None = task["state"]
            return value

        wait_for(
            lambda: state() in ending, timeout, f"{task_id} did not become {' or '.join(sorted(states))}"
        )
        return state() or ""

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any:
        """Return what a task left under ``key``; ``None`` if it left nothing."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{_id(key)}"
        try:
            return self.request("GET", path, params={"map_index": map_index})["value"]
        except requests.HTTPError as error:
            if error.response.status_code == requests.codes.not_found:
                return None
            raise

    def task_log(
        self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1
    ) -> str:
        """Return the log of one try as text, as the UI shows it."""
        path = f"{_task_path(dag_id, run_id, task_id)}/logs/{try_number}"
        log = self.request("GET", path, params={"full_content": True, "map_index": map_index})
        return "\n".join(_log_line(entry) for entry in log["content"])

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int = -1) -> None:
        """Mark a task as ``success``, ``failed`` or ``skipped``, as a user does in the UI."""
        self.request("PATCH", _task_path(dag_id, run_id, task_id, map_index), json={"new_state": state})

    def clear_task(self, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> None:
        """Clear a task, as a user does in the UI, so that it runs again."""
        body = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": run_id,
            "task_ids": [task_id if map_index is None else [task_id, map_index]],
        }
        self.request("POST", f"dags/{_id(dag_id)}/clearTaskInstances", json=body)

    def pool(self, name: str = "default_pool") -> dict[str, Any]:
        """Return a pool: ``slots``, ``occupied_slots``, ``deferred_slots`` and so on."""
        pool: dict[str, Any] = self.request("GET", f"pools/{_id(name)}")
        return pool

    # -- database

    @property
    def database(self) -> Path:
        """The SQLite file, for tests that look into what is stored."""
        return self.folder / "airflow.db"

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a read-only SQL statement on the database and return its rows."""
        address = f"file:{quote(str(self.database))}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, parameters)]


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


def task_label(task: Mapping[str, Any]) -> str:
    """Return the name of a task instance: ``task``, or ``task[0]`` if it is mapped."""
    suffix = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
    return f"{task['task_id']}{suffix}"


def _id(value: str) -> str:
    return quote(value, safe="")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"dags/{_id(dag_id)}/dagRuns/{_id(run_id)}"


def _task_path(dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
    suffix = f"/{map_index}" if map_index >= 0 else ""
    return f"{_run_path(dag_id, run_id)}/taskInstances/{_id(task_id)}{suffix}"


def _since(heartbeat: str | None, start: datetime) -> bool:
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= start


def _absolute(search_path: str) -> str:
    return os.pathsep.join(str(Path(entry).resolve()) for entry in search_path.split(os.pathsep))


def _log_line(entry: Mapping[str, Any] | str) -> str:
    if isinstance(entry, str):
        return entry
    head = " ".join(str(entry[key]) for key in ("timestamp", "level", "event") if entry.get(key))
    causes = [f"{cause['exc_type']}: {cause['exc_value']}" for cause in entry.get("error_detail") or ()]
    return "\n".join([head, *causes])
