"""Talkdesk's reports: their columns, and the files in three formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .. import data
from ..data import Content, Layout
from ..state import Job, VendorState

FORMATS = ("csv", "json", "json_bulk")
CONTENT_TYPES = {"csv": "text/csv", "json": "application/json", "json_bulk": "application/x-ndjson"}

#: Report type -> columns, each with its kind of `data.KINDS`; the names are those that clients rely on.
REPORTS = {
    "calls": """
        call_id:id callsid:id type:word start_at:local end_at:local_end talkdesk_phone_number:phone
        talkdesk_phone_display_name:queue contact_phone_number:phone user_id:id user_name:name
        user_email:email? total_time:seconds talk_time:seconds wait_time:day_fraction hold_time:seconds?
        abandon_time:seconds? total_ringing_time:seconds disposition_code:word? notes:notes
        user_voice_rating:number? ring_groups:list ivr_options:list is_in_business_hours:flag
        is_callback_from_queue:flag is_call_forwarding:flag is_if_no_answer:flag is_transfer:TRUE
        is_external_transfer:Yes handling_user_name:name? handling_user_id:id?
        handling_user_email:email? recording_url:url? csat_score:number? csat_survey_time:local?
        mood:word? is_mood_prompted:flag team_id:id? team_name:queue?""",
    "contacts": """
        interaction_id:id contact_id:uuid company_number:phone phone_display_name:queue
        contact_person_number:phone external_phone_number:phone? direction:word contact_type:word
        started_at:utc wait_time:day_fraction time_to_missed:day_fraction? abandon_time:day_fraction?
        short_abandon_time:day_fraction? time_to_voicemail:day_fraction? ring_time:day_fraction
        connect_time:day_fraction? answered_at:utc? connected_at:utc? talk_time:day_fraction
        hard_hold_time:day_fraction? soft_hold_time:day_fraction? hold_time:day_fraction?
        after_call_work_time:day_fraction finished_at:utc_end duration:days_text handle_time:days_text
        inside_business_hours:Yes inside_service_level:Yes within_service_level_threshold:Yes
        transfer_out:flag transfer_out_type:word? transfer_in:flag transfer_in_type:word? callback:flag
        ring_groups:list user_name:name direct_assignment_user:name? team_name:queue? user_id:id
        direct_assignment_ids:list team_id:id? handling_ring_groups:list""",
    "ring_attempts": """
        interaction_id:id contact_id:uuid batch_ring_id:uuid ring_attempt_id:uuid attempt_type:word
        ring_started_at_time:utc ring_finished_at_time:utc_end ring_attempt_duration:day_fraction
        user_name:name user_email:email team_name:queue?""",
    "studio_flow_execution": """
        call_sid:id interaction_id:id destination_number:phone origin_number:phone flow_name:queue
        flow_id:id component_title:word step_name:notes exit:word? time_in_step:day_fraction
        timestamp:utc studio_flow_executions_aggregated.flow_execution_finished_time:utc_end
        step_execution_order:index""",
    "user_status": """
        user_id:id user_name:name user_email:email status_label:notes status_start_at:local
        status_end_at:local_end status_time:day_fraction is_user_active:flag team_id:id?
        team_name:queue?""",
}
#: for all other types: the awkward names and values that the docs' samples of several reports show
OTHER_REPORT = """
    record_id:uuid started_at:utc finished_at:local_end agent_name:name? in_business_hours?:Yes
    wrap-up_duration:days_text flow.step_name:notes ratio:day_fraction ip_addresses:array"""
#: docs: the json of these names its type and version
NAMED_JSON = ("calls", "user_status")


def file_of(state: VendorState, job: Job) -> Content:
    """The file of a job."""
    kept = job.details
    rows, size = kept["size"]
    wanted = min(rows, data.UNIT_ROWS) if size is None else data.UNIT_ROWS
    details = (kept["type"], kept["start"], kept["end"], kept["timezone"])
    lines = _lines(state.seed, *details, wanted, min(kept["until"], kept["end"]))
    if len(lines) < wanted:
        rows = rows * len(lines) // wanted
        size = size if lines else None
    return WRITERS[kept["format"]](state.options, kept["type"], lines, rows, size)


@lru_cache(maxsize=16)
def _lines(
    seed: int, report: str, start: datetime, end: datetime, timezone: str, count: int, until: datetime
) -> tuple[dict[str, Any], ...]:
    key = f"{seed}|talkdesk|{report}|{start.astimezone(UTC)}|{end.astimezone(UTC)}"
    return tuple(data.rows(key, columns(report), count, start, end, timezone, until))


def columns(report: str) -> dict[str, str]:
    """The columns of a report type, in order, each with its kind."""
    pairs = (word.rpartition(":") for word in REPORTS.get(report, OTHER_REPORT).split())
    return {name: kind for name, _, kind in pairs}


Rows = tuple[dict[str, Any], ...]


def _csv(options: Mapping[str, Any], report: str, rows: Rows, count: int, size: int | None) -> Content:
    line_end = options["csv_line_end"]
    bom = b"\xef\xbb\xbf" if options["csv_bom"] else b""
    layout = Layout(head=bom + data.csv_line(columns(report), line_end))
    lines = [data.csv_line(row.values(), line_end) for row in rows]
    return data.fill(lines, layout, count, size, CONTENT_TYPES["csv"], "csv")


def _json(options: Mapping[str, Any], report: str, rows: Rows, count: int, size: int | None) -> Content:
    lines = [data.json_line(row) for row in rows]
    bare = data.fill(lines, Layout(separator=b","), count, size, CONTENT_TYPES["json"], "json")
    total = bare.rows or 0
    if options["json_total"] == "wrong":
        total += 7
    members = {
        "entries": ((b'"entries":[', 1), *bare.pieces, (b"]", 1)),
        "total": ((f'"total":{total}'.encode(), 1),),
    }
    if options["json_entries"] == "missing":
        del members["entries"]
    if options["json_total"] == "missing":
        del members["total"]
    order = sorted(members, reverse=options["json_order"] == "total_first")
    pieces: list[tuple[bytes, int]] = [(b"{", 1)]
    if report in NAMED_JSON:
        pieces.append((f'"type":"{report}","version":"v1"'.encode(), 1))
    for name in order:
        separator = [(b",", 1)] if len(pieces) > 1 else []
        pieces += [*separator, *members[name]]
    pieces.append((b"}", 1))
    return Content(tuple(pieces), bare.content_type, bare.file_format, bare.rows)


def _json_bulk(options: Mapping[str, Any], report: str, rows: Rows, count: int, size: int | None) -> Content:
    lines = [data.json_line(row) + b"\n" for row in rows]
    return data.fill(lines, Layout(), count, size, CONTENT_TYPES["json_bulk"], "json_bulk")


WRITERS: Mapping[str, Callable[[Mapping[str, Any], str, Rows, int, int | None], Content]] = {
    "csv": _csv,
    "json": _json,
    "json_bulk": _json_bulk,
}
