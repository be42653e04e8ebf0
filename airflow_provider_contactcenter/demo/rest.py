"""What the demo asks of an Airflow's REST API."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from airflow_provider_contactcenter.demo.processes import DemoError, wait_for

#: States in which a run, or a task, has ended.
FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


class RestClient:
    """Asks one Airflow on loopback, as a user of its own who may do anything.

    :param url: where its API server listens
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy on the way to loopback

    def health(self) -> Any:
        """What every component says of itself; ``None`` if the API server isn't well."""
        health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=10)
        return health.json() if health.ok else None

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

    def check_imports(self) -> None:
        """Raise, with the tracebacks, if a Dag file could not be imported."""
        if errors := self.import_errors():
            raise DemoError("\n".join(f"{name}:\n{trace}" for name, trace in errors.items()))

    def wait_for_dag_files(self, folder: Path, timeout: float = 60.0) -> list[str]:
        """Wait until every Python file in a folder of Dags has been read, and return the ids of all Dags.

        :raises DemoError: a file could not be imported, or holds no Dag.
        """
        expected = {str(path) for path in folder.resolve().rglob("*.py") if path.name != "__init__.py"}
        missing: set[str] = expected

        def read() -> bool:
            nonlocal missing
            self.check_imports()
            missing = expected - {dag["fileloc"] for dag in self._dags()}
            return not missing

        try:
            wait_for(read, timeout, "Airflow did not read all Dag files", interval=0.3)
        except DemoError as error:
            raise DemoError(f"{error}: {', '.join(sorted(missing))}") from None
        return self.dag_ids()

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run this Dag: with ``catchup=False`` that makes the run of the last interval."""
        self.request("PATCH", f"dags/{_id(dag_id)}", json={"is_paused": False})

    def dag_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a Dag, oldest first; the id ``~`` stands for all Dags."""
        runs: list[dict[str, Any]] = self.request(
            "GET", f"dags/{_id(dag_id)}/dagRuns", params={"limit": 1000, "order_by": "id"}
        )["dag_runs"]
        return runs

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run as the REST API gives them; ``~`` stands for all."""
        tasks: list[dict[str, Any]] = self.request(
            "GET", f"{run_path(dag_id, run_id)}/taskInstances", params={"limit": 1000}
        )["task_instances"]
        return tasks

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any:
        """Return what a task left under ``key``; ``None`` if it left nothing."""
        path = f"{task_path(dag_id, run_id, task_id)}/xcomEntries/{_id(key)}"
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
        path = f"{task_path(dag_id, run_id, task_id)}/logs/{try_number}"
        log = self.request("GET", path, params={"full_content": True, "map_index": map_index})
        return "\n".join(_log_line(entry) for entry in log["content"])


def task_label(task: Mapping[str, Any]) -> str:
    """Return the name of a task instance: ``task``, or ``task[0]`` if it is mapped."""
    suffix = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
    return f"{task['task_id']}{suffix}"


def _id(value: str) -> str:
    return quote(value, safe="")


def run_path(dag_id: str, run_id: str) -> str:
    """Where a run is, below ``/api/v2/``."""
    return f"dags/{_id(dag_id)}/dagRuns/{_id(run_id)}"


def task_path(dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
    """Where a task instance is, below ``/api/v2/``."""
    suffix = f"/{map_index}" if map_index >= 0 else ""
    return f"{run_path(dag_id, run_id)}/taskInstances/{_id(task_id)}{suffix}"


def _log_line(entry: Mapping[str, Any] | str) -> str:
    if isinstance(entry, str):
        return entry
    head = " ".join(str(entry[key]) for key in ("timestamp", "level", "event") if entry.get(key))
    causes = [f"{cause['exc_type']}: {cause['exc_value']}" for cause in entry.get("error_detail") or ()]
    return "\n".join([head, *causes])
