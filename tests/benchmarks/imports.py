"""What the imports of a DAG file cost.

Every figure is the median of fresh interpreters, each of which imports BaseOperator and BaseTrigger first and
then, timed, what the side names. ``HttpHook`` of the http provider is what a transfer of the other kind
starts from.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.racing import Line, Options, say

BASE = """
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger
"""

IMPORTS = {
    "ours": """
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.windows import day_key, day_window
""",
    "HttpHook": "from airflow.providers.http.hooks.http import HttpHook",
}

#: not to be loaded while a DAG file is parsed
HEAVY = ("requests", "aiohttp", "boto3", "google.cloud.storage", "pandas", "pyarrow", "msgspec", "tenacity")

MEASURE = """
import json, sys, time
{base}
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
{imports}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
new = set(sys.modules) - before
heavy = [name for name in {heavy!r} if name in new]
print(json.dumps({{"wall": wall * 1000, "cpu": cpu * 1000, "modules": len(new), "heavy": heavy}}))
"""


def measure(options: Options) -> Iterator[Line]:
    """The line of the imports."""
    runs = 7 if options.scale >= 1 else 2
    say(f"  {runs} fresh interpreters for each")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in IMPORTS}
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder:
        environ = {**os.environ, "AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        # What pip installs is compiled. A checkout may not be, and would be compiled again each time.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        environ["PYTHONPYCACHEPREFIX"] = f"{folder}/compiled"
        for turn in range(runs + 1):
            for name, imports in IMPORTS.items():
                code = MEASURE.format(base=BASE, imports=imports, heavy=HEAVY)
                output = subprocess.run(
                    [sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, check=True
                ).stdout
                if turn:  # the first one compiles
                    found[name].append(json.loads(output.splitlines()[-1]))
    times = {name: sorted(each["cpu"] for each in runs_) for name, runs_ in found.items()}
    own, peer = (statistics.median(times[name]) for name in IMPORTS)
    yield Line(
        "imports of a DAG file, over BaseOperator and BaseTrigger",
        f"{own:.0f} ms CPU",
        f"HttpHook: {peer:.0f}",
        f"{own / peer:.2f} x",
        f"{times['ours'][0]:.0f} to {times['ours'][-1]:.0f} ms",
        limit="≤ 40 ms",
        met=own <= 40,
    )
    heavy = found["ours"][0]["heavy"]
    yield Line(
        "heavy modules among them",
        ", ".join(heavy) or "none",
        f"HttpHook: {', '.join(found['HttpHook'][0]['heavy']) or 'none'}",
        limit="none",
        met=not heavy,
    )
