"""Genesys Cloud: token, and the analytics jobs for details of conversations and users.

Sources: *specification* is the vendor's Swagger; *SDK* its published clients; *page* its developer pages, as
far as they could be read; *clients* is what public third-party clients send and accept. No question that
these leave open is decided here: each reading is an option, and the default is what most of them bear out.

Invented, because no document that could be read describes it: the words of errors but for missing
permissions, 429 and the token endpoint; 400 for a window that is reversed, of no length or in the future; 400
for results that aren't there yet; which conversations and users there are; how a dimension finds its field;
the form of cursors; that a user's fragment is a slot of the day; the values of all limits but 300 requests a
minute and 512,000 bytes; the order of the checks of a request.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..data import Content
from ..model import (
    Connections,
    Option,
    Reply,
    Request,
    Route,
    Vendor,
    choice,
    flag,
    json_reply,
    ladder,
    number,
    text,
    texts,
)
from ..state import Job, VendorState
from . import conversations, users
from .errors import REFUSALS, Refused, correlation_id, refusal, with_headers
from .order import Order, read
from .pool import DIVISIONS, Style, since_epoch, written

CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
SCOPES = ("analytics", "analytics:readonly")
CONVERSATIONS, AGENTS = "analytics:conversationDetail:view", "analytics:agentConversationDetail:view"
USERS, LIMITS = "analytics:userDetail:view", "limits:organization:view"
LONG_CURSOR = 2_000


def _whole(default: int | None, least: int = 0, help: str = "") -> Option:
    return Option(
        default,
        f"a whole number, {least} or more" + (", or null" if default is None else ""),
        lambda given: (given is None and default is None) or (type(given) is int and given >= least),
        help,
    )


def _moment(value: Any) -> bool:
    try:
        return value is None or datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _instant(help: str) -> Option:
    return Option(None, "an ISO 8601 date-time with an offset, or null", _moment, help)


OPTIONS = {
    # token
    "expires_in": number(86_399, help="life of a token in seconds; the vendor has 300 to 172,800"),
    "idle_seconds": number(None, help="a token that isn't used for so long dies earlier"),
    "token_type": choice("bearer", "Bearer"),
    "wrong_secret_status": choice(401, 400, help="authentication failed; an unknown client is always 400"),
    "region": choice("own", "other", help="other: the login host is another region's, the client unknown"),
    # what the client may do
    "ip_allowed": flag(True, help="false: 401 ip.not.authorized with any token"),
    "scopes": texts(["analytics:readonly"], help="the scopes of the OAuth client"),
    "permissions": texts([CONVERSATIONS, AGENTS, USERS, LIMITS], help="those of its roles"),
    "divisions": choice("all", "hidden", "refused", help="the second division: granted, left out, 403"),
    # limits
    "requests_per_minute": _whole(300, help="for each token, beyond it 429"),
    "max_running": _whole(20, help="jobs at a time, beyond it 429 with a limit"),
    "jobs_per_second": _whole(None, help="orders within a second, beyond it 429 with a limit"),
    "limited_as": choice("header", "words", "date", "no_seconds", help="how a 429 tells for how long"),
    "retry_after": number(None, help="seconds in a 429; null: what is left of the minute, or 5"),
    "max_body_bytes": _whole(512_000, help="beyond it 413"),
    # submit
    "create_status": choice(202, 200, 201),
    "create_body": choice("job", "no_id", "empty"),
    "future_end": choice("400", "accepted", help="an interval that ends in the future"),
    "max_interval_days": number(None, help="beyond it 400"),
    "retention_days": number(None, help="what is older isn't there, and nothing says so"),
    # status
    "ladder": ladder(("QUEUED", 0.2, 0), ("PENDING", 0.8, 0), help="the way to `end`"),
    "end": text("FULFILLED", help="FULFILLED, FAILED, CANCELLED, EXPIRED, or any other"),
    "error_message": text("The query could not be executed.", help="of FAILED; empty: none"),
    "poll_code": choice("mixed", "200", "202", help="mixed: 202 on the way, then 200"),
    "state_as": choice("upper", "lower", "missing"),
    "dates": choice("full", "no_expiration", "expiration_when_expired"),
    "results_seconds": number(86_400, help="so long after its end a job is EXPIRED"),
    "expire_after_pages": _whole(None, help="so many pages are given out, then the job is EXPIRED"),
    "expired_as": choice(404, 410, help="the answer to results of such a job"),
    "cancel_done": choice("kept", "dropped", "409", "404", help="DELETE of a job that is over"),
    # pages
    "default_page_size": _whole(100, 1, help="where pageSize is left out"),
    "max_page_size": _whole(10_000, 1),
    "past_max_page_size": choice("clamped", "400"),
    "max_page_rows": _whole(None, 1, help="a page with more is refused: response.entity.too.large"),
    "last_cursor": choice("missing", "null", "empty"),
    "last_page": choice("full", "empty", help="empty: a page without rows comes last"),
    "middle_page": choice("full", "empty", "short", help="of the second page, if there is a third"),
    "cursor": choice("next", "repeated", help="repeated: the cursor that was sent comes back"),
    "cursor_form": choice("awkward", "long", help="with + / = % in it; 2,000 characters"),
    "cursor_seconds": number(None, help="so long a cursor lives; then 400"),
    "no_rows": choice("list", "null", "missing", help="of a job without rows"),
    # watermark
    "conversations_lag": number(60, help="the watermark is so many seconds behind the clock"),
    "users_lag": number(90),
    "conversations_watermark": _instant("where it stands; null: the lag decides"),
    "users_watermark": _instant("where it stands; null: the lag decides"),
    "watermark_steps_back": number(0, help="every second answer is so many seconds earlier"),
    "page_watermark": choice("present", "missing", "null"),
    "page_lag": number(0, help="so many seconds behind the watermark that the job saw"),
    # which rows
    "match": choice("activity", "lifetime", "start_or_end", help="specification; page; a client"),
    "threads": _whole(1, help="e-mail conversations of 30 days that begin in every 30 days"),
    "begun_before": choice("clipped", "whole", "left_out", help="a status that began before the interval"),
    "multi_day": choice("twice", "once", help="a status that is kept on its first and its last day"),
    "late": choice("none", "wrap_up", "evaluation", "deleted", help="what a second job for a window finds"),
    "duplicates": choice("none", "equal", "different", help="the first row comes twice"),
    # how they are written
    "ongoing": choice("missing", "null", help="conversationEnd of one that hasn't ended"),
    "milliseconds": flag(True),
    "novelties": flag(False, help="fields and words that no document has"),
    "huge": flag(False, help="the first conversation of a day has 5 MB"),
    "error_shape": choice("full", "message", "nested", "empty", "text"),
}


def connections(base_url: str) -> Connections:
    """The default connection: a gateway's, with one prefix for the API and one for the login."""
    return {
        "genesys_cloud_default": {
            "conn_type": "genesys_cloud",
            "host": f"{base_url}/platform",
            "login": CLIENT_ID,
            "password": CLIENT_SECRET,
            "extra": {"auth_url": f"{base_url}/login/oauth/token"},
        }
    }


# Token.


def token(state: VendorState, request: Request) -> Reply:
    """``POST /oauth/token``; id and secret come in the Basic header or as form fields."""
    given = request.form
    client, secret = request.basic() or (given.get("client_id"), given.get("client_secret"))
    if client != CLIENT_ID or state.options["region"] == "other":
        return _token_error(400, "invalid_client", "client not found")
    if secret != CLIENT_SECRET:
        return _token_error(state.options["wrong_secret_status"], "invalid_client", "authentication failed")
    if given.get("grant_type") != "client_credentials":
        return _token_error(
            400, "unsupported_grant_type", f"grant type {given.get('grant_type')} not supported"
        )
    lifetime = state.options["expires_in"]
    issued = state.tokens.issue(state.now(), lifetime)
    return json_reply(
        {
            "access_token": issued.value,
            "token_type": state.options["token_type"],
            "expires_in": lifetime,
        },
        headers={"Cache-Control": "no-store"},
    )


def _token_error(status: int, error: str, description: str) -> Reply:
    return json_reply({"error": error, "description": description, "error_description": description}, status)


# What every call goes through.


@dataclass(frozen=True)
class Call:
    """A call that was let in."""

    state: VendorState
    request: Request
    subject: str

    @property
    def options(self) -> Mapping[str, Any]:
        """The options as they are now."""
        return self.state.options


Permissions = Callable[[str], tuple[str, ...]]


def _details(subject: str) -> tuple[str, ...]:
    return (CONVERSATIONS, AGENTS) if subject == "conversations" else (USERS,)


def _watermark_permission(subject: str) -> tuple[str, ...]:
    # specification: the agents' variant isn't enough
    return (CONVERSATIONS,) if subject == "conversations" else (USERS,)


def guarded(handler: Callable[[Call], Reply], permissions: Permissions = _details) -> Any:
    """`handler` behind token, scope, permission and rate; refusals become replies, all get the headers."""

    def guard(state: VendorState, request: Request) -> Reply:
        correlation = correlation_id(state)
        call = Call(state, request, request.segments.get("subject", ""))
        headers: dict[str, str] = {}
        try:
            bearer = _authenticated(state, request)
            headers = _counted(state, bearer)
            _permitted(state, permissions(call.subject))
            reply = handler(call)
        except Refused as refused:
            reply = refusal(state, refused, correlation)
        return with_headers(reply, correlation, headers)

    return guard


def _authenticated(state: VendorState, request: Request) -> str:
    bearer, now = request.bearer(), state.now()
    if bearer is None:
        raise Refused("authentication.required")
    used = state.memory.setdefault("used", {})
    found = state.tokens.find(bearer, now)
    idle = state.options["idle_seconds"]
    if found is not None and idle is not None:
        issued = found.expires - timedelta(seconds=state.options["expires_in"])
        if now - used.get(bearer, issued) >= timedelta(seconds=idle):
            found = None
    if found is None:
        raise Refused("bad.credentials")
    if not state.options["ip_allowed"]:
        raise Refused("ip.not.authorized", address="127.0.0.1")
    used[bearer] = now
    return bearer


def _counted(state: VendorState, bearer: str) -> dict[str, str]:
    """The headers that count a token's requests down; beyond the limit a refusal."""
    rates, now = state.memory.setdefault("rates", {}), state.now()
    since, count = rates.get(bearer, (now, 0))
    if now - since >= timedelta(seconds=60):
        since, count = now, 0
    rates[bearer] = (since, count + 1)
    allowed = state.options["requests_per_minute"]
    left = max(1, 60 - int((now - since).total_seconds()))
    if count >= allowed:
        raise Refused(
            "too.many.requests.retry.after",
            limit={
                "key": "client.credentials.token.rate.per.minute",
                "namespace": "platform.api",
                "value": allowed,
            },
            seconds=str(left),
        )
    return {
        "inin-ratelimit-count": str(count + 1),
        "inin-ratelimit-allowed": str(allowed),
        "inin-ratelimit-reset": str(left),
    }


def _permitted(state: VendorState, any_of: tuple[str, ...]) -> None:
    if any_of != (LIMITS,) and not set(SCOPES) & set(state.options["scopes"]):
        raise Refused("app.not.authorized.for.scope", scopes=", ".join(SCOPES))
    if not set(any_of) & set(state.options["permissions"]):
        code = "missing.permissions" if len(any_of) == 1 else "missing.any.permissions"
        raise Refused(code, permissions=", ".join(any_of))
    if state.options["divisions"] == "refused":
        raise Refused("missing.division.permission", permissions=any_of[0], divisionId=DIVISIONS[1])


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
    if not request.headers.get("Content-Type", "").lower().startswith("application/json"):
        raise Refused("unsupported.media.type")
    try:
        body = request.json()
    except ValueError:
        raise Refused("bad.request") from None
    order = read(state, call.subject, body)
    _check_limits(state)
    job = state.add_job(call.subject, {}, call.options["end"])
    style = Style(*(call.options[name] for name in ("milliseconds", "ongoing", "novelties", "huge")))
    until = watermark(state, call.subject)
    job.details |= {"order": order, "style": style, "until": until, "pages": 0}
    job.details["keys"] = Keys(_keys(state, order, style, since_epoch(until)))
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


def _keys(state: VendorState, order: Order, style: Style, until: int) -> list[Any]:
    """The rows of a job as they are when it is submitted, in their order."""
    options, (per_day, _) = state.options, state.size
    start, end = since_epoch(order.start), since_epoch(order.end)
    found: list[Any]
    if order.subject == "conversations":
        found = list(
            conversations.touching(state.seed, start, end, per_day, options["threads"], options["match"])
        )
    else:
        found = list(
            users.touching(state.seed, start, end, per_day, options["begun_before"], options["multi_day"])
        )
    found = [key for key in found if key.start < until]
    if options["retention_days"] is not None:
        oldest = since_epoch(state.now() - timedelta(days=options["retention_days"]))
        found = [key for key in found if key.end >= oldest]
    if order.start_of_day:
        midnight = since_epoch(order.start.replace(hour=0, minute=0, second=0, microsecond=0))
        found = [key for key in found if key.start >= midnight]
    if options["divisions"] == "hidden" and order.subject == "conversations":
        found = [key for key in found if conversations.division(key) == DIVISIONS[0]]
    if order.filters:
        found = [key for key in found if order.lets_through(_row(state, order, key, style, until))]
    _sort(order, found)
    return _disturbed(state, order, found)[: order.limit]


def _sort(order: Order, found: list[Any]) -> None:
    if order.order == "unordered":
        random.Random(order.interval).shuffle(found)  # noqa: S311
        return
    by_end = order.order_by in ("conversationEnd", "segmentEnd")
    found.sort(key=lambda key: key.end if by_end else key.start, reverse=order.order == "desc")


def _disturbed(state: VendorState, order: Order, found: list[Any]) -> list[Any]:
    """What came late, was deleted, comes twice."""
    ordered = state.memory.setdefault("ordered", set())
    late = state.options["late"] if (order.subject, order.interval) in ordered else "none"
    ordered.add((order.subject, order.interval))
    if found and late == "deleted":
        found = found[1:]
    elif found and late != "none":
        found = [found[0]._replace(changed=late), *found[1:]]
    again = {"equal": 1, "different": 2}.get(state.options["duplicates"])
    return [found[0], found[0]._replace(again=again), *found[1:]] if found and again else found


def _row(state: VendorState, order: Order, key: Any, style: Style, until: int) -> dict[str, Any]:
    if order.subject == "conversations":
        return conversations.row(state.seed, key, style, until)
    clipped = state.options["begun_before"] == "clipped"
    window = (since_epoch(order.start), since_epoch(order.end)) if clipped else None
    return users.row(state.seed, key, style, until, window)


# Status and cancel.


def _job(call: Call) -> Job:
    job = call.state.jobs.get(call.request.segments["id"])
    if job is None or job.kind != call.subject:
        raise Refused("not.found")
    return job


def _aged(state: VendorState, job: Job, word: str) -> str:
    """A job whose results are gone is EXPIRED."""
    most = state.options["expire_after_pages"]
    over = state.now() >= _expiration(state, job) or (most is not None and job.details["pages"] >= most)
    return "EXPIRED" if word == "FULFILLED" and over else word


def _expiration(state: VendorState, job: Job) -> datetime:
    return job.over_since() + timedelta(seconds=state.options["results_seconds"])


def poll(call: Call) -> Reply:
    """``GET …/jobs/{id}``: 200 or 202, with the same body."""
    state, job = call.state, _job(call)
    waiting = {step.word for step in job.steps} - {job.end}
    word = _aged(state, job, state.poll(job))
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
    state, job = call.state, _job(call)
    waiting = {step.word for step in job.steps} - {job.end}
    how = call.options["cancel_done"]
    if state.word(job) in waiting or how == "dropped":
        job.held = "CANCELLED"
    elif how != "kept":
        raise Refused({"409": "request.conflict", "404": "not.found"}[how])
    return Reply(204, job=job.id)


# Results.


def results(call: Call) -> Reply:
    """``GET …/jobs/{id}/results``: a page, with a cursor if another follows."""
    state, job = call.state, _job(call)
    word = _aged(state, job, state.word(job))
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
    lines = [written(_row(state, details["order"], key, details["style"], until)) for key in shown]
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


#: a gateway's prefix may stand before the API's paths and before the login's
JOBS = r"(?:/platform)?/api/v2/analytics/(?P<subject>conversations|users)/details/jobs"
JOB = JOBS + r"/(?P<id>[^/]+)"
NAMESPACE = r"(?:/platform)?/api/v2/organizations/limits/namespaces/analytics"

VENDOR = Vendor(
    name="genesys_cloud",
    prefix="/genesys",
    routes=(
        Route("token", "POST", r"(?:/login)?/oauth/token", token),
        Route("availability", "GET", JOBS + "/availability", guarded(availability, _watermark_permission)),
        Route("create", "POST", JOBS, guarded(create)),
        Route("poll", "GET", JOB, guarded(poll)),
        Route("results", "GET", JOB + "/results", guarded(results)),
        Route("cancel", "DELETE", JOB, guarded(cancel)),
        Route("limits", "GET", NAMESPACE, guarded(limits, lambda subject: (LIMITS,))),
    ),
    connections=connections,
    options=OPTIONS,
    refusals=REFUSALS,
    not_found=json_reply(
        {"message": "HTTP 404 Not Found", "code": "not.found", "status": 404, "details": [], "errors": []},
        404,
    ),
)
