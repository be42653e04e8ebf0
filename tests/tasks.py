"""Tasks run in this process as Airflow runs them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred

from tests.transfers.conftest import context


def run(make: Any, task_context: dict[str, Any] | None = None) -> Any:
    """Run a task as Airflow does: each deferral through its trigger, then on a new operator."""
    task_context = task_context or context()
    try:
        return make().execute(task_context)
    except TaskDeferred as deferral:
        deferred = deferral
    while True:
        _, arguments = deferred.trigger.serialize()
        trigger = type(deferred.trigger)(**json.loads(json.dumps(arguments)))

        async def first_event(trigger: Any = trigger) -> Any:
            return await anext(trigger.run())

        event = json.loads(json.dumps(asyncio.run(first_event()).payload))
        try:
            return getattr(make(), deferred.method_name)(task_context, event=event, **deferred.kwargs)
        except TaskDeferred as deferral:
            deferred = deferral
