"""Khoros Care's exports: their columns, and the files.

Csv has the metrics' names on top, json is one array of flat objects (client).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from .. import data
from ..data import Content, Layout
from ..state import Job, VendorState

CONTENT_TYPES = {"csv": "text/csv", "json": "application/json"}
_CONVERSATION = """
    CONVERSATION_ID:id STATUS:word ASSIGNED_AGENT_DISPLAY_ID:email? ASSIGNED_AGENT_NAME:name?
    WORK_QUEUE_NAME:queue PRIORITY:number TAGS:list? CREATED_TIME:milliseconds CREATED_AT:local
    CLOSED_AT:local_end? RESPONSE_TIME_SECONDS:seconds? HANDLE_TIME:clock IS_PRIVATE:flag NOTES:notes"""
#: export id (about) -> columns, each with its kind of `data.KINDS`
EXPORTS = {
    "conversation": _CONVERSATION,
    "conversation_actions": """
        CONVERSATION_ID:id ACTION_ID:uuid ACTION_TYPE:word ACTION_TIME:milliseconds ACTION_AT:local
        AGENT_DISPLAY_ID:email? AGENT_NAME:name? WORK_QUEUE_NAME:queue? ACTION_DETAIL:notes""",
    "conversation_history_action": """
        CONVERSATION_ID:id HISTORY_ID:uuid ACTION_TYPE:word FROM_VALUE:word? TO_VALUE:word?
        AGENT_DISPLAY_ID:email? ACTION_AT:local""",
    "author": """
        AUTHOR_ID:id AUTHOR_DISPLAY_NAME:name AUTHOR_URL:url? FOLLOWERS:number? IS_VERIFIED:flag
        FIRST_POST_AT:local BIO:notes""",
    "incoming_post": """
        POST_ID:id CONVERSATION_ID:id AUTHOR_ID:id CHANNEL:word POST_TEXT:notes POST_URL:url?
        POST_TIME:milliseconds POST_AT:local SENTIMENT_SCORE:ratio?""",
    "raw_agent_states": """
        AGENT_DISPLAY_ID:email AGENT_NAME:name STATE:word STATE_START:local STATE_END:local_end
        DURATION_SECONDS:seconds TEAM_NAME:queue?""",
    "raw_expert_help": """
        REQUEST_ID:uuid CONVERSATION_ID:id EXPERT_EMAIL:email REQUESTED_AT:local ANSWERED_AT:local_end?
        QUESTION:notes""",
}
#: for all other exports
OTHER_EXPORT = """
    RECORD_ID:uuid NAME:name? QUEUE:queue CREATED_TIME:milliseconds CREATED_AT:local TOTAL:number
    RATE:ratio? NOTES:notes"""
#: metrics of any export, for a chosen column that its own list doesn't have
METRICS = {
    name: kind
    for columns in (*EXPORTS.values(), OTHER_EXPORT)
    for name, _, kind in (word.rpartition(":") for word in columns.split())
}
#: the zone of columns with local times; invented
ZONE = "America/Los_Angeles"


def columns(export: str, metrics: list[str]) -> dict[str, str]:
    """The columns of a file, each with its kind: those that were chosen, as they were (seed), or all."""
    pairs = (word.rpartition(":") for word in EXPORTS.get(export, OTHER_EXPORT).split())
    own = {name: kind for name, _, kind in pairs}
    return {name: own.get(name) or METRICS.get(name, "word?") for name in metrics} or own


def file_of(state: VendorState, job: Job) -> Content:
    """The file of a job."""
    kept, options = job.details, state.options
    count, size = kept["size"]
    if kept["end"] <= kept["start"]:
        count, size = 0, None
    parts = (kept["export"], kept["columns"], kept["filters"], kept["start"], kept["end"])
    rows = _rows(state.seed, *parts, data.UNIT_ROWS if size is not None else min(count, data.UNIT_ROWS))
    file_format = kept["format"] if options["served_format"] == "asked" else options["served_format"]
    content_type = (
        CONTENT_TYPES[file_format] if options["content_type"] == "right" else "application/octet-stream"
    )
    lines, layout = WRITERS[file_format](options, [name for name, _ in kept["columns"]], rows)
    return data.fill(lines, layout, count, size, content_type, file_format)


Rows = tuple[dict[str, Any], ...]


@lru_cache(maxsize=16)
def _rows(
    seed: int,
    export: str,
    columns: tuple[tuple[str, str], ...],
    filters: tuple[tuple[str, str], ...],
    start: datetime,
    end: datetime,
    count: int,
) -> Rows:
    key = f"{seed}|khoros_care|{export}|{filters}|{start}|{end}"
    return tuple(data.rows(key, dict(columns), count, start, end, ZONE))


def _csv(options: Mapping[str, Any], columns: list[str], rows: Rows) -> tuple[list[bytes], Layout]:
    line_end = options["csv_line_end"]
    bom = b"\xef\xbb\xbf" if options["csv_bom"] else b""
    head = bom + data.csv_line(columns, line_end)
    return [data.csv_line(row.values(), line_end) for row in rows], Layout(head)


def _json(options: Mapping[str, Any], columns: list[str], rows: Rows) -> tuple[list[bytes], Layout]:
    return [data.json_line(row) for row in rows], Layout(b"[", b",", b"]")


WRITERS: Mapping[str, Callable[[Mapping[str, Any], list[str], Rows], tuple[list[bytes], Layout]]] = {
    "csv": _csv,
    "json": _json,
}

#: seed: both under report/; marketing/ alone is read out of its list of endpoints
