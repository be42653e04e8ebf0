from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
import requests

from airflow_provider_contactcenter.demo import airflow as harness
from airflow_provider_contactcenter.demo.airflow import require_airflow_3
from airflow_provider_contactcenter.demo.processes import DemoError, wait_for
from airflow_provider_contactcenter.demo.rest import RestClient
from tests.driving import DrivenAirflow

pytestmark = pytest.mark.slow

DAGS = Path(__file__).parent / "dags"


@pytest.fixture(scope="module")
def airflow() -> Iterator[DrivenAirflow]:
    try:
        require_airflow_3()
    except DemoError as reason:
        pytest.skip(str(reason))
    with DrivenAirflow(DAGS, {"SENTINEL_OF_THIS_TEST": "1"}) as local:
        yield local
        folder, url = local.folder, local.url
        pids = processes_of(local)
        assert len(pids) >= 4
    assert not folder.exists()
    # What was killed goes when it is waited for, by whoever has adopted it.
    wait_for(lambda: all(map(gone, pids)), 10, "a process is left")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def processes_of(local: DrivenAirflow) -> list[int]:
    """Every process that has this Airflow's folder in its environment, whoever its parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == str(local.folder):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_unpausing_a_daily_dag_runs_yesterday(airflow: DrivenAirflow) -> None:
    assert airflow.rest.wait_for_dag_files(DAGS) == ["by_hand", "daily", "deferred"]
    airflow.rest.unpause("daily")
    wait_for(lambda: bool(airflow.rest.dag_runs("daily")), 20, "no run appeared")
    [run] = airflow.rest.dag_runs("daily")
    assert airflow.wait_for_run("daily", run["dag_run_id"]) == "success"
    assert airflow.task_states("daily", run["dag_run_id"]) == {
        "window": "success",
        "double[0]": "success",
        "double[1]": "success",
    }
    interval = airflow.rest.xcom("daily", run["dag_run_id"], "window")
    start = datetime.fromisoformat(interval["start"])
    assert datetime.fromisoformat(interval["end"]) - start == timedelta(days=1)
    assert start.date() == datetime.now(UTC).date() - timedelta(days=1)
    assert airflow.rest.xcom("daily", run["dag_run_id"], "double", map_index=1) == 4


def test_a_run_by_hand_takes_an_interval_and_conf_and_its_failure_is_seen(airflow: DrivenAirflow) -> None:
    start, end = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)
    run = airflow.trigger_dag("by_hand", run_id="one", data_interval=(start, end), conf={"word": "given"})
    assert airflow.wait_for_run("by_hand", run) == "failed"
    assert airflow.task_states("by_hand", run) == {"window": "success", "fail": "failed"}
    assert airflow.rest.xcom("by_hand", run, "window") == {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "word": "given",
    }
    assert airflow.rest.xcom("by_hand", run, "fail") is None
    assert "ValueError: this one fails" in airflow.rest.task_log("by_hand", run, "fail")


def test_a_deferred_task_holds_no_slot_and_survives_the_triggerers_death(airflow: DrivenAirflow) -> None:
    run = airflow.trigger_dag("deferred")
    assert airflow.wait_for_task("deferred", run, "wait", {"deferred"}) == "deferred"
    assert airflow.pool()["occupied_slots"] == 0
    assert airflow.pool()["deferred_slots"] == 1
    [trigger] = airflow.query("select classpath from trigger")
    assert "airflow.providers.standard.triggers" in trigger["classpath"]
    airflow.restart_component("triggerer", kill=True)
    assert airflow.wait_for_run("deferred", run) == "success"


def test_the_environment_is_the_given_one_and_the_users_airflow_stays_out(
    airflow: DrivenAirflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert airflow.environ["SENTINEL_OF_THIS_TEST"] == "1"
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "NobodysExecutor")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["one", "/two"]))
    environ = harness.airflow_environ(tmp_path, DAGS, 1)
    assert environ["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AWS_PROFILE" not in environ
    assert environ["no_proxy"] == "intranet,127.0.0.1,localhost"
    assert environ["PYTHONPATH"] == os.pathsep.join([str(Path("one").resolve()), "/two"])


def test_an_older_airflow_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "airflow_version", lambda: "2.11.2")
    with pytest.raises(DemoError, match=r"needs Airflow 3, and Airflow 2\.11\.2 is installed"):
        DrivenAirflow(DAGS).start()


def test_a_dag_file_with_an_error_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    # No Airflow is started for this: the answer of its API is enough.
    rest = RestClient("http://127.0.0.1:9")
    rest.import_errors = lambda: {"broken.py": "SyntaxError: oops"}  # type: ignore[method-assign]
    with pytest.raises(DemoError, match=r"broken\.py:\nSyntaxError: oops"):
        rest.wait_for_dag_files(tmp_path)
