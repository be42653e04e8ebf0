"""Jobs: the watermark, what a job finds when it is submitted, status, cancel."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from ..model import Reply, json_reply
from ..state import Job, VendorState
from . import conversations, users
from .access import Call
from .errors import Refused
from .pool import DIVISIONS, Style, since_epoch
from .query import Query, read

# Watermark and limits.


def watermark(state: VendorState, subject: str) -> datetime:
    """Everything before this instant is in the data lake."""
    fixed = state.options[f"{subject}_watermark"]
    if fixed is not None:
        return datetime.fromisoformat(fixed)
    return state.now() - timedelta(seconds=state.options[f"{subject}_lag"])


def availability(call: Call) -> Reply:
    """``GET …/jobs/availability``."""
    asked = call.state.memory["asked"] = call.state.memory.get("asked", 0) + 1
    back = call.options["watermark_steps_back"] if asked % 2 == 0 else 0
    at = watermark(call.state, call.subject) - timedelta(seconds=back)
    return json_reply({"dataAvailabilityDate": Style().at(since_epoch(at))})


def limits(call: Call) -> Reply:
    """``GET /api/v2/organizations/limits/namespaces/analytics``."""
    values = {
        "details.jobs.concurrent.access.max": call.options["max_running"],
        "details.jobs.rate.per.second": call.options["jobs_per_second"],
    }
    return json_reply(
        {
            "entities": [
                {"key": key, "namespace": "analytics", "value": value}
                for key, value in values.items()
                if value is not None
            ]
        }
    )


# Submit.


class Keys(list[Any]):
    """Which rows a job has; their list is no text for anybody."""

    def __str__(self) -> str:
        return f"{len(self)} rows"


def create(call: Call) -> Reply:
    """``POST …/jobs``: 202 with the id of the job."""
    state, request = call.state, call.request
    size, most = len(request.body), call.options["max_body_bytes"]
    if size > most:
        raise Refused("request.entity.too.large", most=str(most), size=str(size))
    if request.media_type != "application/json":
        raise Refused("unsupported.media.type")
    try:
        body = request.json()
    except ValueError:
        raise Refused("bad.request") from None
    query = read(state, call.subject, body)
    _check_limits(state)
    job = state.add_job(call.subject, {}, call.options["end"])
    written = {name: call.options[name] for name in ("milliseconds", "ongoing", "novelties", "huge")}
    style = Style(**written, clipped=call.options["begun_before"] == "clipped")
    until = watermark(state, call.subject)
    job.details |= {"query": query, "style": style, "until": until, "pages": 0}
    job.details["keys"] = Keys(_keys(state, query, style, since_epoch(until)))
    forms = {"job": {"jobId": job.id}, "no_id": {}}
    form = call.options["create_body"]
    if form == "empty":
        return Reply(call.options["create_status"], b"", job=job.id)
    return json_reply(forms[form], call.options["create_status"], job=job.id)


def _check_limits(state: VendorState) -> None:
    second = state.now() - timedelta(seconds=1)
    counts = {
        "details.jobs.concurrent.access.max": (state.running(), state.options["max_running"]),
        "details.jobs.rate.per.second": (
            sum(job.created > second for job in state.jobs.values()),
            state.options["jobs_per_second"],
        ),
    }
    for key, (count, most) in counts.items():
        if most is not None and count >= most:
            limit = {"key": key, "namespace": "analytics", "value": most}
            raise Refused("too.many.requests.retry.after", limit=limit, seconds="5")


def _keys(state: VendorState, query: Query, style: Style, until: int) -> list[Any]:
    """The rows of a job as they are when it is submitted, in their order."""
    options, (per_day, _) = state.options, state.size
    # What comes after the watermark isn't known, and so can't put anything into the window.
    start, end = since_epoch(query.start), min(since_epoch(query.end), until)
    found: list[Any]
    if query.subject == "conversations":
        found = list(
            conversations.touching(state.seed, start, end, per_day, options["threads"], options["match"])
        )
    else:
        found = list(
            users.touching(state.seed, start, end, per_day, options["begun_before"], options["multi_day"])
        )
    if options["retention_days"] is not None:
        oldest = since_epoch(state.now() - timedelta(days=options["retention_days"]))
        found = [key for key in found if key.end >= oldest]
    if query.start_of_day:
        midnight = since_epoch(query.start.replace(hour=0, minute=0, second=0, microsecond=0))
        found = [key for key in found if key.start >= midnight]
    if options["divisions"] == "hidden" and query.subject == "conversations":
        found = [key for key in found if conversations.division(key) == DIVISIONS[0]]
    if query.filters:
        found = [key for key in found if query.lets_through(row_of(state, query, key, style, until))]
    _sort(query, found)
    return _disturbed(state, query, found)[: query.limit]


def _sort(query: Query, found: list[Any]) -> None:
    if query.order == "unordered":
        random.Random(query.interval).shuffle(found)  # noqa: S311
        return
    by_end = query.order_by in ("conversationEnd", "segmentEnd")
    found.sort(key=lambda key: key.end if by_end else key.start, reverse=query.order == "desc")


def _disturbed(state: VendorState, query: Query, found: list[Any]) -> list[Any]:
    """What came late, was deleted, comes twice."""
    before = state.memory.setdefault("intervals", set())
    late = state.options["late"] if (query.subject, query.interval) in before else "none"
    before.add((query.subject, query.interval))
    if found and late == "deleted":
        found = found[1:]
    elif found and late != "none":
        found = [found[0]._replace(changed=late), *found[1:]]
    again = {"equal": 1, "different": 2}.get(state.options["duplicates"])
    return [found[0], found[0]._replace(again=again), *found[1:]] if found and again else found


def row_of(state: VendorState, query: Query, key: Any, style: Style, until: int) -> dict[str, Any]:
    """A row as it is known at the watermark."""
    if query.subject == "conversations":
        return conversations.row(state.seed, key, style, until)
    window = (since_epoch(query.start), since_epoch(query.end)) if style.clipped else None
    return users.row(state.seed, key, style, until, window)


# Status and cancel.


def job_of(call: Call) -> Job:
    """The job of a call, or a refusal."""
    job = call.state.jobs.get(call.request.segments["id"])
    if job is None or job.kind != call.subject:
        raise Refused("not.found")
    return job


def aged(state: VendorState, job: Job, word: str) -> str:
    """A job whose results are gone is EXPIRED."""
    most = state.options["expire_after_pages"]
    over = state.now() >= _expiration(state, job) or (most is not None and job.details["pages"] >= most)
    return "EXPIRED" if word == "FULFILLED" and over else word


def _expiration(state: VendorState, job: Job) -> datetime:
    return job.over_since() + timedelta(seconds=state.options["results_seconds"])


def poll(call: Call) -> Reply:
    """``GET …/jobs/{id}``: 200 or 202, with the same body."""
    state, job = call.state, job_of(call)
    waiting = {step.word for step in job.steps} - {job.end}
    word = aged(state, job, state.poll(job))
    at = Style().at
    body: dict[str, Any] = {"state": word.lower() if call.options["state_as"] == "lower" else word}
    if call.options["state_as"] == "missing":
        del body["state"]
    if word == "FAILED" and call.options["error_message"]:
        body["errorMessage"] = call.options["error_message"]
    body["submissionDate"] = at(since_epoch(job.created))
    if word not in waiting:
        body["completionDate"] = at(since_epoch(job.over_since()))
        told = {"full": True, "no_expiration": False}.get(call.options["dates"], word == "EXPIRED")
        if told:
            body["expirationDate"] = at(since_epoch(_expiration(state, job)))
    codes = {"200": 200, "202": 202, "mixed": 202 if word in waiting else 200}
    return json_reply(body, codes[call.options["poll_code"]], job=job.id)


def cancel(call: Call) -> Reply:
    """``DELETE …/jobs/{id}``: 204."""
    state, job = call.state, job_of(call)
    waiting = {step.word for step in job.steps} - {job.end}
    how = call.options["cancel_done"]
    if state.word(job) in waiting or how == "dropped":
        job.held = "CANCELLED"
    elif how != "kept":
        raise Refused({"409": "request.conflict", "404": "not.found"}[how])
    return Reply(204, job=job.id)
