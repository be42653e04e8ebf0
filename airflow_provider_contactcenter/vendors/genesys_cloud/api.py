"""Genesys Cloud analytics jobs: submit a job, poll it, walk its pages, cancel it, ask for the watermark.

Sources: the vendor's specification of the analytics API and its SDKs (paths, bodies, states, error codes),
its pages "conversation details job" and "why can my data change"; what is known from working clients only is
said where it is used. Both subjects, conversations and users, share one protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from airflow_provider_contactcenter.nouns import (
    Job,
    Report,
    State,
    Status,
    in_milliseconds,
    new_job,
    span_of,
)
from airflow_provider_contactcenter.vendors.genesys_cloud.regions import REGIONS, domain_of
from airflow_provider_contactcenter.vendors.genesys_cloud.reports import CONVERSATION_FILTERS, USER_FILTERS
from airflow_provider_contactcenter.vendors.protocol.connection import (
    ConnectionFields,
    Settings,
    Token,
)
from airflow_provider_contactcenter.vendors.protocol.content import Page, Pages
from airflow_provider_contactcenter.vendors.protocol.messages import (
    LONGEST_WORDS,
    Answer,
    Operation,
    Request,
    quoted,
    words_of,
)
from airflow_provider_contactcenter.vendors.protocol.oauth import (
    bearer,
    client_credentials,
    granted,
    token_of,
)
from airflow_provider_contactcenter.vendors.protocol.refusals import TOO_LONG, Refusal, RefusalKind
from airflow_provider_contactcenter.vendors.protocol.vendor import status_of
from airflow_provider_contactcenter.vendors.protocol.written import raw

TITLE = "Genesys Cloud"

#: How long to wait where a client may not see the watermark, which lags by hours to a day (fact sheet, 5.3).
SETTLE_DELAY = timedelta(hours=24)

#: seconds that a token lives where the answer doesn't say: the vendor's default for a client
TOKEN_LIFETIME = 86_400.0

#: ``AsyncQueryStatus.state``; the vendor's SDKs expect new words, which count as running
STATES: Mapping[str, State] = {
    "queued": "queued",
    "pending": "running",
    "fulfilled": "ready",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}

#: kind of report -> (the subject in the path, the key of a page's rows, parameters that are filters)
_SUBJECTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "conversations": ("conversations", "conversations", CONVERSATION_FILTERS),
    "users": ("users", "userDetails", USER_FILTERS),
}
#: code of a refusal -> what it means, where that isn't what its status means
_KINDS: Mapping[str, RefusalKind] = {
    # 401: a second token won't help where the address is refused.
    "ip.not.authorized": "permission",
    # 400: the request's end never came, over a poor network, so nothing of it was carried out.
    "client.failed.request": "unavailable",
}
_JSON = {"Accept": "application/json"}


def settings(fields: ConnectionFields) -> Settings:
    """Resolve a connection: API base and token host of its region, or as host and auth_url give them.

    A customer's gateway may put a path before ``/api/v2`` and ``/oauth/token``, on one host (the SDK).
    """
    region = fields.optional("region") or "us_east_1"
    domain = domain_of(region)
    if domain is None:
        raise Refusal(
            "invalid",
            f"the connection's region {region!r} is not known: it is one of {', '.join(REGIONS)}, or a "
            "domain such as mypurecloud.de; for a newer region give host and auth_url",
        )
    base = fields.url(default=f"https://api.{domain}")
    return Settings(
        vendor="genesys_cloud",
        conn_id=fields.conn_id,
        base_url=re.sub(r"/api/v2$", "", base),
        auth_url=fields.auth_url(default=_token_endpoint(base)),
        login=fields.need("login", "the OAuth client's id"),
        password=fields.need("password", "the OAuth client's secret"),
        **fields.transport(),
    )


def _token_endpoint(base: str) -> str:
    """``login.`` where the API's host says ``api.``, as the vendor's SDK finds it; else the same host."""
    parts = urlsplit(re.sub(r"/api/v2$", "", base))
    host = re.sub(r"^api\.", "login.", parts.netloc)
    return parts._replace(netloc=host, path=f"{parts.path}/oauth/token").geturl()


def authenticate(settings: Settings) -> Operation[Token]:
    """Client credentials: Basic header, form body. There is no refresh token, so ask again each time."""
    try:
        answer = yield client_credentials(settings)
    except Refusal as refusal:
        # The token endpoint says 400 where others say 401. Who may not ask from this address is known there.
        if refusal.passing or not refusal.answered or refusal.kind == "permission":
            raise
        advice = "A client is known in its organization's own region only: see the connection's region"
        raise refusal.advised(advice, "authentication") from None
    return token_of(granted(answer), TOKEN_LIFETIME)


def sign(request: Request, settings: Settings, token: Token | None) -> Request:
    """Add the bearer token."""
    return replace(request, headers={**request.headers, **bearer(token)})


def refused(refusal: Refusal, answer: Answer) -> Refusal:
    """What a refusal means here: its code, the seconds in its words, and the id that support asks for."""
    words = ": ".join([refusal.words, *(said for said in _further(answer) if said not in refusal.words)])
    retry_after = refusal.retry_after
    if refusal.status == 429 and retry_after is None and (found := re.search(r"\[(\d+)\] seconds", words)):
        retry_after = float(found[1])
    kind = next((kind for code, kind in _KINDS.items() if code in words), refusal.kind)
    words = _correlated(words, answer)
    return Refusal(kind, words, status=refusal.status, retry_after=retry_after, advice=refusal.advice)


def _correlated(words: str, answer: Answer) -> str:
    """Words with the id that support asks for: it stands in a header, and in the body as ``contextId``."""
    for said in (answer.headers.get("inin-correlation-id"), _object(answer).get("contextId")):
        correlation = said.strip() if isinstance(said, str) else ""
        if re.fullmatch(r"[\w.-]{1,100}", correlation, re.ASCII):
            return words if correlation in words else f"{words.rstrip('.')} (correlation id {correlation})"
    return words


def _object(answer: Answer) -> Mapping[str, Any]:
    """The answer's JSON object; an empty one where it holds none."""
    try:
        body = answer.json()
    except Refusal:
        return {}
    return body if isinstance(body, Mapping) else {}


def _further(answer: Answer) -> Iterator[str]:
    """What ``ErrorBody`` says beside its own code and message: fields, the limit met, errors within it."""
    body = _object(answer)
    within = body.get("errors")
    for error in [body, *(within if isinstance(within, list) else [])]:
        if not isinstance(error, Mapping):
            continue
        if error is not body:
            yield from (str(error[key])[:LONGEST_WORDS] for key in ("code", "message") if error.get(key))
        details = error.get("details")
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, Mapping):
                said = [str(detail[key]) for key in ("fieldName", "errorCode") if detail.get(key)]
                yield " ".join(said)[:LONGEST_WORDS]
        limit = error.get("limit")
        if isinstance(limit, Mapping) and limit.get("key"):
            yield f"the limit {limit['key']} is {limit.get('value')}"[:LONGEST_WORDS]


def interval(report: Report) -> str:
    """``start/end`` in UTC with milliseconds. Nobody says whether the bounds are included."""
    span = in_milliseconds(span_of(report))
    bounds = (bound.astimezone(UTC).replace(tzinfo=None) for bound in (span.start, span.end))
    return "/".join(f"{bound.isoformat(timespec='milliseconds')}Z" for bound in bounds)


def submit(report: Report, label: str | None) -> Operation[Job]:
    """Submit a job: 202 with its id. It takes no name, and no call lists jobs: a lost one can't be found."""
    _, _, filters = _SUBJECTS[report["kind"]]
    params = report["params"]
    names = {**filters, "order": "order", "order_by": "orderBy"}
    body = {
        "interval": interval(report),
        **{key: params[name] for name, key in names.items() if params.get(name) is not None},
        **(params["extra_body"] or {}),
    }
    answer = yield Request("POST", _jobs(report["kind"]), headers=_JSON, json=body, idempotent=False)
    job_id = _object(answer).get("jobId")
    if not isinstance(job_id, str) or not job_id.strip():
        words = f"the report was accepted (HTTP {answer.status}), but the answer holds no jobId"
        raise Refusal("lost", _correlated(words, answer), status=answer.status)
    return new_job(report, job_id)


def _jobs(kind: str) -> str:
    return f"/api/v2/analytics/{_SUBJECTS[kind][0]}/details/jobs"


def _path(job: Job) -> str:
    if not job["job_id"]:
        raise Refusal("invalid", "the job has no job_id, which every Genesys Cloud job has")
    return f"{_jobs(job['kind'])}/{quoted(job['job_id'])}"


def status(job: Job) -> Operation[Status]:
    """Poll. The state decides, not the code: 200 and 202 carry the same body."""
    answer = yield Request("GET", _path(job), headers=_JSON)
    body = answer.json()
    if not isinstance(body, Mapping):
        raise Refusal("unavailable", "the job's status is not a JSON object", status=answer.status)
    word, reason = (str(body[key]) if body.get(key) else None for key in ("state", "errorMessage"))
    return status_of(STATES, word, reason)


def cancel(job: Job) -> Operation[bool]:
    """Cancel a job: 204. One that is over (409) or gone (404) needs none."""
    try:
        yield Request("DELETE", _path(job), headers=_JSON)
    except Refusal as refusal:
        if refusal.kind != "missing" and refusal.status != 409:
            raise
    return True


def available_until(report: Report) -> Operation[datetime | None]:
    """The watermark: all rows before this instant are in the data lake that jobs read.

    :raises Refusal: (permission) the client may submit the report and not ask this, as one that has
        ``analytics:agentConversationDetail:view`` only.
    """
    answer = yield Request("GET", f"{_jobs(report['kind'])}/availability", headers=_JSON)
    body = answer.json()
    return _instant(body.get("dataAvailabilityDate")) if isinstance(body, Mapping) else None


def _instant(value: Any) -> datetime | None:
    """An instant in the vendor's notation; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def content(job: Job) -> Pages:
    """The job's pages, as JSON lines: one conversation, or one part of a user's history, per line."""
    return Pages(page=partial(_page, job))


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins."""

    after: str
    #: rows to ask for, fewer once a page was too large
    size: int = field(compare=False)
    #: the lowest watermark that the pages before named
    watermark: datetime | None = field(compare=False)


class _Body(msgspec.Struct, gc=False):
    """A page of either subject; only its own rows are there."""

    conversations: list[msgspec.Raw] | None = None
    userDetails: list[msgspec.Raw] | None = None
    cursor: str | None = None
    dataAvailabilityDate: str | None = None


_DECODER = msgspec.json.Decoder(_Body)

#: how the vendor says that its answer is too large (no field of ``ErrorBody`` is required, its code neither),
#: and how the transport does
_TOO_LARGE = ("response.entity.too.large", "response is over the size limit", TOO_LONG)
#: kind of refusal -> what it means behind a cursor: the cursor died, or the job did
_MIDWAY: Mapping[RefusalKind, RefusalKind] = {"invalid": "incomplete", "missing": "missing"}


def _page(job: Job, cursor: Cursor | None) -> Operation[Page]:
    """A page by the cursor of the one before; the last has none. A short or an empty page isn't the end."""
    size = cursor.size if cursor else job["report"]["params"]["page_size"]
    answer, size = yield from _asked(job, cursor, size)
    rows, after, date = _read(job["kind"], answer)
    known = [moment for moment in (cursor and cursor.watermark, _instant(date)) if moment]
    watermark = min(known, default=None)
    if after:
        return Page(rows, Cursor(after, size, watermark))
    behind = watermark is not None and watermark < span_of(job["report"]).end
    return Page(rows, None, caveat=_caveat(job, watermark), provisional=behind)


def _caveat(job: Job, watermark: datetime | None) -> str | None:
    """Beyond its watermark a job is fulfilled without a word, and its tail is missing."""
    end = job["report"]["params"]["end"]
    if watermark is None:
        # What was told before the job was submitted is all there is; a job of another's making tells nothing.
        told = job.get("provisional")
        if told is None:
            return "The vendor doesn't say how far its data is complete: rows may still come."
        behind = "The vendor's data didn't reach the window's end at the submit: rows may still come."
        return behind if told else None
    if watermark >= datetime.fromisoformat(end):
        return None
    return (
        f"The vendor's data is complete until {watermark.isoformat()} only, and the window ends at {end}: "
        "rows may still come."
    )


def _asked(job: Job, cursor: Cursor | None, size: int) -> Operation[tuple[Answer, int]]:
    """Ask for a page; half as many rows where the answer is too large for the vendor or here."""
    while True:
        params = [("pageSize", str(size)), *([("cursor", cursor.after)] if cursor else [])]
        try:
            answer = yield Request("GET", f"{_path(job)}/results", params=params, headers=_JSON)
        except Refusal as refusal:
            if size > 1 and any(said in refusal.words for said in _TOO_LARGE):
                size //= 2
                continue
            if cursor and refusal.answered and refusal.kind in _MIDWAY:
                # Once rows have come it isn't the report that is refused.
                words = f"the pages broke off: {refusal.words}"
                raise refusal.but(_MIDWAY[refusal.kind], words) from None
            raise
        return answer, size


def _read(kind: str, answer: Answer) -> tuple[list[Any], str | None, str | None]:
    """Rows as the vendor wrote them, the next page's cursor, and the watermark."""
    name = _SUBJECTS[kind][1]
    page = answer.decoded(_DECODER) if answer.status == 200 else None
    if page is not None and (rows := page.conversations if kind == "conversations" else page.userDetails):
        return rows, page.cursor or None, page.dataAvailabilityDate
    body = answer.written()
    # No field is required, so {} is an empty page. Another answer in its place would end the report early.
    others = {each for _, each, _ in _SUBJECTS.values()} - {name}
    if answer.status == 200 and isinstance(body, Mapping) and not body.keys() & others:
        found, after = body.get(name), body.get("cursor")
        named = not body or body.keys() & {name, "cursor", "dataAvailabilityDate"}
        if named and isinstance(found, list | None) and isinstance(after, str | None):
            return [raw(row) for row in found or ()], after or None, body.get("dataAvailabilityDate")
    raise Refusal(
        "unavailable",
        f"the answer (HTTP {answer.status}) holds no list of {name}; it says: {words_of(answer)}",
        status=answer.status,
    )


def probe(settings: Settings) -> Operation[str]:
    """Ask for both watermarks, which shows what the client's roles allow."""
    found, refusal = [], None
    for kind in _SUBJECTS:
        try:
            answer = yield Request("GET", f"{_jobs(kind)}/availability", headers=_JSON)
        except Refusal as refused:
            if refused.kind != "permission":
                raise
            refusal = refused
        else:
            body = answer.json()
            date = body.get("dataAvailabilityDate") if isinstance(body, Mapping) else None
            found.append(f"{kind} are complete until {date or 'an instant that it does not name'}")
    if not found and refusal is not None:
        raise refusal
    return f"{TITLE} answers at {settings.base_url}: {', '.join(found)}"
