"""The local Airflow, as tests drive it and look into it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_contactcenter.demo.airflow import LocalAirflow
from airflow_provider_contactcenter.demo.processes import wait_for
from airflow_provider_contactcenter.demo.rest import FINISHED, run_path, task_label, task_path


class DrivenAirflow(LocalAirflow):
    """With what a user does in the UI, what is waited for, and what is stored."""

    def restart_component(self, name: str, *, kill: bool = False) -> None:
        """End one component in order, or with ``kill`` by SIGKILL, together with all it started; start it
        again and wait until it is healthy.
        """
        process = self._components[name]
        if kill:
            process.kill()
        else:
            process.stop(grace=20.0)
        self.start_component(name)
        self.wait_until_healthy(60.0)

    def wait_for_dags(self, dag_ids: Collection[str], timeout: float = 60.0) -> None:
        """Wait until all these Dags have been read; a Dag file with an error ends the wait."""

        def known() -> bool:
            self.rest.check_imports()
            return set(dag_ids) <= set(self.rest.dag_ids())

        wait_for(known, timeout, f"Airflow did not read the Dags {', '.join(sorted(dag_ids))}", interval=0.3)

    def trigger_dag(
        self,
        dag_id: str,
        *,
        run_id: str | None = None,
        data_interval: tuple[datetime, datetime] | None = None,
        conf: Mapping[str, Any] | None = None,
        timeout: float = 60.0,
    ) -> str:
        """Run a Dag now and return the run's id; waits until the Dag is known, and unpauses it.

        A data interval's start is the logical date. Without one, the run has an empty interval, as a run
        started by hand in the UI.
        """
        self.wait_for_dags([dag_id], timeout)
        self.rest.unpause(dag_id)
        logical_date = data_interval[0] if data_interval else datetime.now(UTC)
        body: dict[str, Any] = {"logical_date": logical_date.isoformat(), "conf": dict(conf or {})}
        if run_id:
            body["dag_run_id"] = run_id
        if data_interval:
            body["data_interval_start"], body["data_interval_end"] = (
                day.isoformat() for day in data_interval
            )
        run: str = self.rest.request("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
        return run

    def dag_run_state(self, dag_id: str, run_id: str) -> str:
        """Return ``queued``, ``running``, ``success`` or ``failed``."""
        state: str = self.rest.request("GET", run_path(dag_id, run_id))["state"]
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

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Return task id -> state; a mapped task has one entry per index, ``task[0]``."""
        return {task_label(task): task["state"] for task in self.rest.task_instances(dag_id, run_id)}

    def wait_for_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        states: Collection[str] = FINISHED,
        *,
        timeout: float = 60.0,
    ) -> str:
        """Wait until a task is in one of ``states`` and return it; another final state ends the wait too."""
        ending = FINISHED | set(states)

        def state() -> str | None:
            task = self.rest.request("GET", task_path(dag_id, run_id, task_id))
            value: str | None = task["state"]
            return value

        wait_for(
            lambda: state() in ending, timeout, f"{task_id} did not become {' or '.join(sorted(states))}"
        )
        return state() or ""

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Mark a task as ``success``, ``failed`` or ``skipped``, as a user does in the UI."""
        self.rest.request("PATCH", task_path(dag_id, run_id, task_id), json={"new_state": state})

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task, as a user does in the UI, so that it runs again."""
        body = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": run_id,
            "task_ids": [task_id],
        }
        self.rest.request("POST", f"dags/{dag_id}/clearTaskInstances", json=body)

    def pool(self) -> dict[str, Any]:
        """Return the default pool: ``slots``, ``occupied_slots``, ``deferred_slots`` and so on."""
        pool: dict[str, Any] = self.rest.request("GET", "pools/default_pool")
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
