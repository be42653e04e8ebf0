"""Results, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from ..data import Content
from ..model import Reply
from ..state import Job
from .access import Call
from .errors import Refused
from .jobs import aged, job_of, row_of
from .pool import Style, since_epoch, written

LONG_CURSOR = 2_000


def results(call: Call) -> Reply:
    """``GET …/jobs/{id}/results``: a page, with a cursor if another follows."""
    state, job = call.state, job_of(call)
    word = aged(state, job, state.word(job))
    if word == "EXPIRED":
        raise Refused("not.found", status=call.options["expired_as"])
    if word == "CANCELLED":
        raise Refused("not.found")
    if word != "FULFILLED":
        raise Refused("bad.request")
    query = dict(call.request.query)
    size = _page_size(call, query.get("pageSize"))
    sent = query.get("cursor")
    place = _place(call, job, sent) if sent else {"at": 0}
    job.details["pages"] += 1
    return _page(call, job, place, size, sent)


def _page_size(call: Call, given: str | None) -> int:
    size, most = call.options["default_page_size"], call.options["max_page_size"]
    if given is not None:
        if not given.isdecimal() or not 1 <= int(given) < 2**31:
            raise Refused("invalid.query.param.value", value=given, name="pageSize")
        size = int(given)
    if size > most and call.options["past_max_page_size"] == "400":
        raise Refused("invalid.query.param.value", value=str(size), name="pageSize")
    return int(min(size, most))


def _cursor(call: Call, job: Job, at: int, gap: bool = False) -> str:
    place = {"job": job.id, "at": at, "gap": gap, "since": since_epoch(call.state.now())}
    # What isn't encoded on its way back doesn't arrive as it was.
    text = base64.b64encode(json.dumps(place).encode()).decode() + "+/=%2B"
    return text.ljust(LONG_CURSOR, "+") if call.options["cursor_form"] == "long" else text


def _place(call: Call, job: Job, cursor: str) -> dict[str, Any]:
    refused = Refused("invalid.query.param.value", value=cursor[:60], name="cursor")
    encoded, mark, rest = cursor.partition("+/=%2B")
    try:
        place: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error):
        raise refused from None
    if not mark or rest.strip("+") or place["job"] != job.id:
        raise refused
    life = call.options["cursor_seconds"]
    if life is not None and since_epoch(call.state.now()) - place["since"] >= life * 1000:
        raise refused
    return place


def _page(call: Call, job: Job, place: Mapping[str, Any], size: int, sent: str | None) -> Reply:
    keys, options = job.details["keys"], call.options
    at = place["at"]
    if place.get("gap"):
        size = 0
    elif at and options["middle_page"] == "short" and at + size < len(keys):
        size = max(1, size // 2)
    shown = keys[at : at + size]
    if options["max_page_rows"] is not None and len(shown) > options["max_page_rows"]:
        raise Refused("response.entity.too.large")
    following = at + len(shown)
    more = following < len(keys) or (options["last_page"] == "empty" and bool(shown))
    cursor: str | None = None
    if more:
        gap = at == 0 and options["middle_page"] == "empty" and following < len(keys)
        cursor = _cursor(call, job, following, gap)
        if sent and options["cursor"] == "repeated":
            cursor = sent
    body = _body(call, job, shown, cursor)
    return Reply(200, body, {"Content-Type": "application/json"}, job.id)


def _body(call: Call, job: Job, shown: list[Any], cursor: str | None) -> Content:
    state, details, options = call.state, job.details, call.options
    until = since_epoch(details["until"])
    name = {"conversations": "conversations", "users": "userDetails"}[job.kind]
    lines = [written(row_of(state, details["query"], key, details["style"], until)) for key in shown]
    members = []
    if lines or details["keys"] or options["no_rows"] == "list":
        members.append(b'"%b":[%b]' % (name.encode(), b",".join(lines)))
    elif options["no_rows"] == "null":
        members.append(b'"%b":null' % name.encode())
    if cursor is not None:
        members.append(b'"cursor":%b' % json.dumps(cursor).encode())
    elif options["last_cursor"] != "missing":
        members.append(b'"cursor":%b' % {"null": b"null", "empty": b'""'}[options["last_cursor"]])
    if options["page_watermark"] == "present":
        moment = Style().at(until - round(options["page_lag"] * 1000))
        members.append(b'"dataAvailabilityDate":"%b"' % moment.encode())
    elif options["page_watermark"] == "null":
        members.append(b'"dataAvailabilityDate":null')
    body = b"{%b}" % b",".join(members)
    return Content(((body, 1),), "application/json", "json", len(lines))
