"""What the faults are tried on: one report of each vendor in each way in which its data come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_detailed_report,
    eight_by_eight_summary_report,
    genesys_conversations,
    khoros_care_report,
    talkdesk_report,
    vspark_stats,
)

WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


@dataclass(frozen=True)
class Subject:
    """One report, and what the sandbox calls its steps.

    ``roles`` maps the steps that faults speak of to the sandbox's operations: ``token``, ``submit``,
    ``poll``, ``fetch`` (what leads to the file), ``body`` (the file itself), ``page``.
    A step that a vendor doesn't have is missing, and so are the cells of the faults that hit it.
    """

    name: str
    vendor: str
    title: str
    file_format: str
    report: Callable[[], Any]
    roles: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    #: options that make the report empty, and large
    empty: Mapping[str, Any] = field(default_factory=lambda: {"rows": 0})
    large: Mapping[str, Any] = field(default_factory=lambda: {"bytes": 11_000_000})
    #: what a shape keeps out of it: columns, or paths into its rows; one column is hashed
    drop: tuple[Any, ...] = ()
    hash: tuple[str, ...] = ()
    #: a column that is no number
    text: str = ""
    #: state -> the vendor's word for it
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def conn_id(self) -> str:
        """The default connection."""
        return f"{self.vendor}_default"

    @property
    def paged(self) -> bool:
        """Whether the rows come in pages, so that what lands is made of them."""
        return "page" in self.roles

    @property
    def with_storage(self) -> bool:
        """Whether the file lies on another origin, behind a signed link."""
        return self.roles.get("body") == "storage"


TALKDESK = Subject(
    name="Talkdesk",
    vendor="talkdesk",
    title="Talkdesk Explore",
    file_format="csv",
    report=lambda: talkdesk_report("calls", **WINDOW),
    roles={"token": "token", "submit": "create", "poll": "poll", "fetch": "file", "body": "storage"},
    options={"ladder": [["processing", 0, 2]], "rows": 40},
    drop=("talkdesk_phone_number", "contact_phone_number", "user_email"),
    hash=("handling_user_email",),
    text="user_name",
    words={"failed": "failed", "cancelled": "canceled", "expired": "deleted"},
)
KHOROS = Subject(
    name="Khoros Care",
    vendor="khoros_care",
    title="Khoros Care Analytics Reports",
    file_format="csv",
    report=lambda: khoros_care_report("conversation", **WINDOW),
    roles={"submit": "submit", "poll": "status", "fetch": "download", "body": "storage"},
    options={"ladder": [["RUNNING", 0, 2]], "rows": 40},
    drop=("ASSIGNED_AGENT_NAME",),
    hash=("ASSIGNED_AGENT_DISPLAY_ID",),
    text="WORK_QUEUE_NAME",
    words={"failed": "CLOSED/FAILED", "cancelled": "CLOSED/CANCELED", "expired": "CLOSED/TIMED_OUT"},
)
SUMMARY = Subject(
    name="8x8 Contact Center, summary file",
    vendor="eight_by_eight_cc",
    title="8x8 Contact Center",
    file_format="csv",
    report=lambda: eight_by_eight_summary_report(
        "queue-interactions-summary", granularity="hour", group_by="media-and-channel-and-queue", **WINDOW
    ),
    roles={"token": "token", "submit": "create", "poll": "status", "body": "download"},
    options={"ladder": [["IN_PROGRESS", 0, 2]], "rows": 40},
    drop=("Queue",),
    hash=("Channel",),
    text="Media",
    words={"failed": "FAILED"},
)
DETAILED = Subject(
    name="8x8 Contact Center, detailed pages",
    vendor="eight_by_eight_cc",
    title="8x8 Contact Center",
    file_format="jsonl",
    report=lambda: eight_by_eight_detailed_report("detailed-reports-interaction-details", **WINDOW),
    roles={"token": "token", "submit": "create_detailed", "poll": "status", "page": "detailed_data"},
    options={"detailed_ladder": [["IN_PROGRESS", 0, 2]], "rows": 120},
    large={"rows": 700},
    drop=("customerPhone", "origination", "destination"),
    hash=("interactionId",),
    text="direction",
    words={"failed": "FAILED"},
)
CALL_LEGS = Subject(
    name="8x8 Work, call legs",
    vendor="eight_by_eight_work",
    title="8x8 Work Analytics",
    file_format="jsonl",
    report=lambda: eight_by_eight_call_legs(pbx_id="acmecorp", page_size=50, **WINDOW),
    roles={"token": "token", "page": "call_legs"},
    options={"rows": 120, "retention_years": 100},
    large={"rows": 700},
    drop=("callee", "callerId", "dnis", "lra"),
    hash=("caller",),
    text="direction",
)
STATS = Subject(
    name="V-Spark",
    vendor="vspark",
    title="V-Spark",
    file_format="json",
    report=lambda: vspark_stats(company="DocTestCo", organization="DocTestCo-DocTesting", **WINDOW),
    roles={"body": "stats"},
    drop=("agents",),
    hash=("folder",),
    text="avgduration",
)
GENESYS = Subject(
    name="Genesys Cloud",
    vendor="genesys_cloud",
    title="Genesys Cloud",
    file_format="jsonl",
    report=lambda: genesys_conversations(page_size=50, **WINDOW),
    roles={
        "token": "token",
        "watermark": "availability",
        "submit": "create",
        "poll": "poll",
        "page": "results",
        "cancel": "cancel",
    },
    options={"ladder": [["PENDING", 0, 2]], "rows": 120},
    large={"rows": 700},
    drop=(["participants", "[]", "participantId"],),
    hash=("conversationId",),
    text="originatingDirection",
    words={"failed": "FAILED", "cancelled": "CANCELLED", "expired": "EXPIRED"},
)

SUBJECTS = (TALKDESK, KHOROS, SUMMARY, DETAILED, CALL_LEGS, STATS, GENESYS)

#: what the sandbox starts with
OPTIONS: dict[str, dict[str, Any]] = {}
for _subject in SUBJECTS:
    OPTIONS.setdefault(_subject.vendor, {}).update(_subject.options)
OPTIONS["eight_by_eight_cc"].pop("rows")
