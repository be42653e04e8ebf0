"""What the DAGs of example_dags do beside landing; ``test_docs_days`` lands what they land."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

EXAMPLES = Path(__file__).parents[1] / "example_dags"
LANDED = {"uri": "s3://lake/talkdesk/calls/2024-05-01.parquet", "rows": 40, "window": {"start": "2024-05-01"}}


def dags(name: str) -> dict[str, Any]:
    """The DAGs of an example, by their ids."""
    found: dict[str, Any] = {}
    enter = DAG.__enter__
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DAG, "__enter__", lambda dag: [found.update({dag.dag_id: dag}), enter(dag)][1])
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
    return found


@pytest.fixture(scope="module")
def load() -> Any:
    """The function of the task that an asset starts."""
    return dags("example_talkdesk")["example_talkdesk_asset"].get_task("load").python_callable


@pytest.mark.parametrize("given", ["triggering_asset_events", "triggering_dataset_events"])
def test_the_task_that_an_asset_starts_is_told_what_has_landed_on_airflow_2_too(
    load: Any, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # By asset on Airflow 3, by URI on 2.11.
    load(**{given: {"s3://lake/talkdesk/calls": [SimpleNamespace(extra=LANDED)]}})
    assert capsys.readouterr().out.startswith("s3://lake/talkdesk/calls/2024-05-01.parquet 40 ")


def test_started_by_hand_it_has_no_events_to_read(load: Any) -> None:
    load(triggering_asset_events={})
    load(triggering_dataset_events={})


def test_a_day_of_genesys_cloud_is_waited_for_as_long_as_its_data_lags_behind() -> None:
    # Hours to a day, and the example starts at the day's end.
    for task in dags("example_genesys_cloud")["example_genesys_cloud"].tasks:
        assert task.report_timeout > timedelta(hours=24) and task.deferrable, task.task_id
