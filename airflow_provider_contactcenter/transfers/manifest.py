"""The manifest: one small JSON that says what a delivery put where, written after the object.

Redshift reads its ``entries`` as they are. It holds no parameter of the report, because filters may be
personal data (a caller's number): a fingerprint tells reports apart instead.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import airflow_provider_contactcenter
from airflow_provider_contactcenter.life.memory import fingerprint
from airflow_provider_contactcenter.nouns import Delivery

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

VERSION = 1
CONTENT_TYPE = "application/json"


def contents(
    delivery: Delivery,
    columns: Sequence[Mapping[str, Any]] | None,
    key_fingerprint: str | None,
    context: Context,
    landed_at: datetime,
) -> dict[str, Any]:
    """What a delivery's manifest says.

    :param columns: name, type, origin and treatment of each column, None where nobody looked.
    :param key_fingerprint: of the key that columns were hashed with, so that its rotation shows.
    """
    job, ti = delivery["job"], context["ti"]
    report, source = job["report"], delivery["source"]
    return {
        "manifest_version": VERSION,
        "entries": [
            {
                "url": delivery["uri"],
                "mandatory": True,
                "meta": {"content_length": delivery["bytes"], "record_count": delivery["rows"]},
            }
        ],
        "uri": delivery["uri"],
        "bytes": delivery["bytes"],
        "rows": delivery["rows"],
        "sha256": delivery["sha256"],
        "store": delivery["store"],
        "format": delivery["file_format"],
        "compression": delivery["compression"],
        "content_type": delivery["content_type"],
        "source": {
            "format": source["file_format"],
            "bytes": source["bytes"],
            "rows": source["rows"],
            "sha256": source["sha256"],
        },
        "vendor_total": delivery["vendor_total"],
        "complete": delivery["complete"],
        "window": delivery["window"],
        "provisional": delivery["provisional"],
        "caveats": delivery["caveats"],
        "columns": columns,
        "schema_fingerprint": delivery["schema_fingerprint"],
        "key_fingerprint": key_fingerprint,
        "report": {
            "vendor": report["vendor"],
            "kind": report["kind"],
            "fingerprint": f"sha256:{fingerprint(report)}",
        },
        "job_id": job["job_id"],
        "submitted_at": job["submitted_at"],
        "landed_at": landed_at.isoformat(),
        "dag_id": ti.dag_id,
        "task_id": ti.task_id,
        "run_id": ti.run_id,
        "map_index": ti.map_index,
        "try_number": ti.try_number,
        "package_version": airflow_provider_contactcenter.__version__,
    }


def body(said: dict[str, Any]) -> io.BytesIO:
    """A manifest as a file to read."""
    return io.BytesIO(json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n")
