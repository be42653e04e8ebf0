"""Both 8x8 APIs land in both stores: every format whole, what is cut or broken never."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_call_records,
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
    eight_by_eight_work_summary,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import policy
from tests.sandboxes import connected
from tests.transfers.conftest import StateStore, Store, context

Key = Callable[[str], str]
WINDOW = {"start": "2025-05-01T00:00:00Z", "end": "2025-05-02T00:00:00Z"}
CC, WORK = "eight_by_eight_cc", "eight_by_eight_work"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Reports are done as soon as they are submitted; nothing is too old."""
    monkeypatch.setattr(policy, "pause", lambda refusal, attempt: 0.0)
    monkeypatch.setattr("airflow_provider_contactcenter.vendors.eight_by_eight_work.reports.RETENTION", 100)
    options = {CC: {"ladder": []}, WORK: {"retention_years": 100}}
    with connected(monkeypatch, rows=120, options=options) as sandbox:
        yield sandbox


def queues(file_format: str = "jsonl") -> Any:
    return eight_by_eight_summary_report(
        "queue-interactions-summary",
        granularity="hour",
        group_by="media-and-channel-and-queue",
        file_format=file_format,
        **WINDOW,
    )


def interactions(file_format: str = "jsonl") -> Any:
    return eight_by_eight_detailed_report(
        "detailed-reports-interaction-details", file_format=file_format, **WINDOW
    )


def legs() -> Any:
    return eight_by_eight_call_legs(pbx_id="acmecorp", page_size=50, **WINDOW)


def records() -> Any:
    return eight_by_eight_call_records(pbx_id="acmecorp", page_size=50, **WINDOW)


def extensions() -> Any:
    return eight_by_eight_work_summary("extension", pbx_id="acmecorp", **WINDOW)


@pytest.mark.parametrize("report", [queues, interactions])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_file_lands_byte_for_byte(
    sandbox: Sandbox, store: Store, key: Key, report: Any, file_format: str
) -> None:
    name = key(file_format)
    delivery = store.operator(name, report=report(file_format)).execute(context())
    [served] = sandbox.served(vendor=CC)
    landed = store.object(name)
    assert hashlib.sha256(landed).hexdigest() == served["sha256"] == delivery["sha256"]
    assert delivery["rows"] == (120 if file_format == "csv" else None)
    assert delivery["complete"] is True
    assert store.content_type(name) == delivery["content_type"]
    json.dumps(delivery)


@pytest.mark.parametrize("report", [queues, interactions, legs, records, extensions])
def test_json_lines_are_as_many_as_the_vendor_served(
    sandbox: Sandbox, store: Store, key: Key, report: Any
) -> None:
    name = key("jsonl")
    sandbox.set_options(CC, rows=1200)  # two pages
    delivery = store.operator(name, report=report()).execute(context())
    rows = [json.loads(line) for line in store.object(name).splitlines()]
    assert len(rows) == delivery["rows"] == sum(page["rows"] for page in sandbox.served())
    assert delivery["complete"] is True
    assert delivery["content_type"] == store.content_type(name) == "application/x-ndjson"


CAPPED = exceptions.ContactCenterCappedError
INCOMPLETE = exceptions.ContactCenterIncompleteError
FAILED = exceptions.ContactCenterReportFailedError
UNAVAILABLE = exceptions.ContactCenterUnavailableError
QUOTA = exceptions.ContactCenterQuotaError
BROKEN: dict[str, tuple[type[Exception], Any, dict[str, Any], dict[str, Any]]] = {
    "cc reaches the cap": (CAPPED, queues, {"rows": 12_345}, {}),
    "cc reaches the cap and counts no further": (
        CAPPED,
        queues,
        {"rows": 12_345, "total_elements": "capped"},
        {},
    ),
    "cc repeats a cursor": (INCOMPLETE, interactions, {"rows": 2500, "cursor": "repeated"}, {}),
    "cc fails": (FAILED, queues, {"end": "FAILED"}, {}),
    "cc breaks off": (
        UNAVAILABLE,
        interactions,
        {"rows": 1200},
        {"operation": "detailed_data", "fault": "html", "skip": 1},
    ),
    "work repeats a cursor": (INCOMPLETE, legs, {"scroll": "repeated"}, {}),
    "work counts more than it sends": (INCOMPLETE, legs, {"total_count": "wrong"}, {}),
    "work stays full": (
        QUOTA,
        legs,
        {},
        {"operation": "call_legs", "fault": "status", "status": 429, "skip": 1},
    ),
    "work refuses mid-scroll": (
        INCOMPLETE,
        records,
        {},
        {"operation": "call_records", "fault": "status", "status": 400, "skip": 2},
    ),
    "work cuts a summary": (
        UNAVAILABLE,
        extensions,
        {},
        {"operation": "extsum", "fault": "cut", "framing": "none"},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_whole_leaves_under_the_key_what_was_there(
    sandbox: Sandbox, store: Store, key: Key, case: str
) -> None:
    error, report, options, fault = BROKEN[case]
    vendor = CC if case.startswith("cc") else WORK
    sandbox.set_options(vendor, **options)
    kept, fresh = key("jsonl"), key("jsonl")
    store.put(kept, b"yesterday's")
    for name in (kept, fresh):
        sandbox.clear_faults()
        if fault:
            sandbox.add_fault(vendor=vendor, count=None, **fault)
        with pytest.raises(error) as raised:
            store.operator(name, report=report()).execute(context())
        assert type(raised.value) is error
    assert store.object(kept) == b"yesterday's"
    assert not store.exists(fresh)
    assert store.dangling() == []


@pytest.mark.parametrize("report", [legs, extensions, interactions])
def test_what_has_no_job_phase_never_defers(sandbox: Sandbox, store: Store, key: Key, report: Any) -> None:
    memory = StateStore()
    delivery = store.operator(key("jsonl"), report=report(), deferrable=True).execute(context(memory))
    assert delivery["complete"] is True
    assert not memory
