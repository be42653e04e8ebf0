"""What the imports of a DAG file cost: ``python tests/benchmarks/bench_imports.py [--runs 21]``.

Every line is the median of many fresh interpreters, each of which imports BaseOperator and BaseTrigger first
and then, timed, what the line names. The lines take turns.

- ``ours``: what a DAG file imports of this package: builders, operator, sensor and both transfers.
- ``peer``: HttpHook of the http provider, what a transfer of the other kind starts from.
- ``nothing``: the floor of the measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

BASE = """
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger
"""

IMPORTS = {
    "nothing": "",
    "ours": """
from airflow_provider_contactcenter.reports import talkdesk_report
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
""",
    "peer": "from airflow.providers.http.hooks.http import HttpHook",
}

#: not to be loaded while a DAG file is parsed
HEAVY = ("requests", "aiohttp", "boto3", "botocore", "google.cloud.storage", "pandas", "msgspec", "tenacity")

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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=21, help="fresh interpreters per line (21)")
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, object]]] = {name: [] for name in IMPORTS}
    with tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder:
        environ = {**os.environ, "AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        for turn in range(arguments.runs + 1):
            for name, imports in IMPORTS.items():
                code = MEASURE.format(base=BASE, imports=imports, heavy=HEAVY)
                output = subprocess.run(
                    [sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, check=True
                ).stdout
                if turn:  # the first one compiles
                    found[name].append(json.loads(output.splitlines()[-1]))
    print(f"{'':10}{'ms':>8}{'CPU ms':>8}{'modules':>9}  heavy ones among them")
    medians = {}
    for name, each in found.items():
        wall, medians[name] = (
            statistics.median(float(str(one[key])) for one in each) for key in ("wall", "cpu")
        )
        heavy = ", ".join(each[0]["heavy"]) or "none"  # type: ignore[call-overload]
        print(f"{name:10}{wall:8.1f}{medians[name]:8.1f}{each[0]['modules']:>9}  {heavy}")
    ratio = medians["ours"] / medians["peer"]
    print(f"ours takes {ratio:.2f} x the CPU time of the peer; budget: 40 ms, none of the heavy")


if __name__ == "__main__":
    main()
