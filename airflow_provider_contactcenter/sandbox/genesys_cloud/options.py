"""The variants of the API that can be chosen: what documents leave open, and what goes wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..model import Option, choice, flag, ladder, number, text, texts
from .access import AGENTS, CONVERSATIONS, LIMITS, USERS


def _whole(default: int | None, least: int = 0) -> Option:
    return Option(
        default,
        f"a whole number, {least} or more" + (", or null" if default is None else ""),
        lambda given: (given is None and default is None) or (type(given) is int and given >= least),
    )


def _moment(value: Any) -> bool:
    try:
        return value is None or datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_INSTANT = Option(None, "an ISO 8601 date-time with an offset, or null", _moment)


OPTIONS = {
    # token
    "expires_in": number(86_399),  # life of a token in seconds; the vendor has 300 to 172,800
    "idle_seconds": number(None),  # a token that isn't used for so long dies earlier
    "token_type": choice("bearer", "Bearer"),
    "wrong_secret_status": choice(401, 400),  # authentication failed; an unknown client is always 400
    "region": choice("own", "other"),  # other: the login host is another region's, the client unknown
    # what the client may do
    "ip_allowed": flag(True),  # false: 401 ip.not.authorized with any token
    "scopes": texts(["analytics:readonly"]),  # the scopes of the OAuth client
    "permissions": texts([CONVERSATIONS, AGENTS, USERS, LIMITS]),  # those of its roles
    "divisions": choice("all", "hidden", "refused"),  # the second division: granted, left out, 403
    # limits
    "requests_per_minute": _whole(300),  # for each token, beyond it 429
    "max_running": _whole(20),  # jobs at a time, beyond it 429 with a limit
    "jobs_per_second": _whole(None),  # jobs submitted within a second, beyond it 429 with a limit
    "limited_as": choice("header", "words", "date", "no_seconds"),  # how a 429 tells for how long
    "retry_after": number(None),  # seconds in a 429; null: what is left of the minute, or 5
    "max_body_bytes": _whole(512_000),  # beyond it 413
    # submit
    "create_status": choice(202, 200, 201),
    "create_body": choice("job", "no_id", "empty"),
    "future_end": choice("400", "accepted"),  # an interval that ends in the future
    "max_interval_days": number(None),  # beyond it 400
    "retention_days": number(None),  # what is older isn't there, and nothing says so
    # status
    "ladder": ladder(("QUEUED", 0.2, 0), ("PENDING", 0.8, 0)),  # the way to `end`
    "end": text("FULFILLED"),  # FULFILLED, FAILED, CANCELLED, EXPIRED, or any other
    "error_message": text("The query could not be executed."),  # of FAILED; empty: none
    "poll_code": choice("mixed", "200", "202"),  # mixed: 202 on the way, then 200
    "state_as": choice("upper", "lower", "missing"),
    "dates": choice("full", "no_expiration", "expiration_when_expired"),
    "results_seconds": number(86_400),  # so long after its end a job is EXPIRED
    "expire_after_pages": _whole(None),  # so many pages are given out, then the job is EXPIRED
    "expired_as": choice(404, 410),  # the answer to results of such a job
    "cancel_done": choice("kept", "dropped", "409", "404"),  # DELETE of a job that is over
    # pages
    "default_page_size": _whole(100, 1),  # where pageSize is left out
    "max_page_size": _whole(10_000, 1),
    "past_max_page_size": choice("clamped", "400"),
    "max_page_rows": _whole(None, 1),  # a page with more is refused: response.entity.too.large
    "last_cursor": choice("missing", "null", "empty"),
    "last_page": choice("full", "empty"),  # empty: a page without rows comes last
    "middle_page": choice("full", "empty", "short"),  # of the second page, if there is a third
    "cursor": choice("next", "repeated"),  # repeated: the cursor that was sent comes back
    "cursor_form": choice("awkward", "long"),  # with + / = % in it; 2,000 characters
    "cursor_seconds": number(None),  # so long a cursor lives; then 400
    "no_rows": choice("list", "null", "missing"),  # of a job without rows
    # watermark
    "conversations_lag": number(60),  # the watermark is so many seconds behind the clock
    "users_lag": number(90),
    "conversations_watermark": _INSTANT,  # where it stands; null: the lag decides
    "users_watermark": _INSTANT,  # where it stands; null: the lag decides
    "watermark_steps_back": number(0),  # every second answer is so many seconds earlier
    "page_watermark": choice("present", "missing", "null"),
    "page_lag": number(0),  # so many seconds behind the watermark that the job saw
    # which rows
    "match": choice("activity", "lifetime", "start_or_end"),  # specification; page; a client
    "threads": _whole(1),  # e-mail conversations of 30 days that begin in every 30 days
    "begun_before": choice("clipped", "whole", "left_out"),  # a status that began before the interval
    "multi_day": choice("twice", "once"),  # a status that is kept on its first and its last day
    "late": choice("none", "wrap_up", "evaluation", "deleted"),  # what a second job for a window finds
    "duplicates": choice("none", "equal", "different"),  # the first row comes twice
    # how they are written
    "ongoing": choice("missing", "null"),  # conversationEnd of one that hasn't ended
    "milliseconds": flag(True),
    "novelties": flag(False),  # fields and words that no document has
    "huge": flag(False),  # the first conversation of a day has 5 MB
    "error_shape": choice("full", "message", "nested", "empty", "text"),
}
