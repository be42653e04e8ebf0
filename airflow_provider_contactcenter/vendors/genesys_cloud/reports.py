"""What users ask Genesys Cloud for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors.genesys_cloud.filters import filters
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Rows
from airflow_provider_contactcenter.vendors.protocol.reports import body_extra, make_report

#: Rows of a page. The vendor declares neither a default nor a maximum; clients use 100 to 10,000.
PAGE_SIZE = 1000
LARGEST_PAGE = 10_000

#: keys of a request's body -> who writes them
_BODY = {
    "interval": "start and end",
    "order": "order",
    # A result that is cut is never complete.
    "limit": "a shorter window",
}
_CHECKS: dict[str, Check] = {
    "start": checks.instant,
    "end": checks.instant,
    "order": checks.optional(checks.one_of(("asc", "desc", "unordered"))),
    "page_size": checks.integer(1, LARGEST_PAGE),
}

#: parameter -> its key in the request's body
CONVERSATION_FILTERS = {
    "conversation_filters": "conversationFilters",
    "segment_filters": "segmentFilters",
    "evaluation_filters": "evaluationFilters",
    "survey_filters": "surveyFilters",
}
_CONVERSATION_CHECKS: dict[str, Check] = {
    **_CHECKS,
    "conversation_filters": checks.optional(filters("dimension", "metric", beside="segments")),
    "segment_filters": checks.optional(filters("dimension", "metric", "property", beside="conversations")),
    "evaluation_filters": checks.optional(filters("dimension", "metric")),
    "survey_filters": checks.optional(filters("dimension", "metric")),
    "order_by": checks.optional(
        checks.one_of(("conversationStart", "conversationEnd", "segmentStart", "segmentEnd"))
    ),
    "extra_body": checks.optional(
        body_extra(
            {**_BODY, "orderBy": "order_by", **{key: name for name, key in CONVERSATION_FILTERS.items()}}
        )
    ),
}


def genesys_conversations(
    *,
    start: datetime | str,
    end: datetime | str,
    conversation_filters: Sequence[Mapping[str, Any]] | None = None,
    segment_filters: Sequence[Mapping[str, Any]] | None = None,
    evaluation_filters: Sequence[Mapping[str, Any]] | None = None,
    survey_filters: Sequence[Mapping[str, Any]] | None = None,
    order: str | None = None,
    order_by: str | None = None,
    extra_body: Mapping[str, Any] | None = None,
    page_size: int = PAGE_SIZE,
    conn_id: str = "genesys_cloud_default",
) -> Report:
    """Ask Genesys Cloud for conversations, each whole with participants, sessions and segments, as jsonl.

    Source: the vendor's specification of the conversations details job (``AsyncConversationQuery``). A row is
    a conversation with activity in the window, as it was known when the job ran: one that crosses midnight is
    in both days, and one that goes on has no ``conversationEnd``. Load the newest delivery of a
    ``conversationId``.

    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends. The vendor documents no longest window; days are a
        good size.
    :param conversation_filters: filters on the conversation, each ``{"type": "and", "predicates": [...]}``. A
        predicate names one ``dimension`` or ``metric``, an ``operator`` (``matches`` unless given) and a
        ``value`` or ``range``. Queue, user, ani and direction belong in ``segment_filters``.
    :param segment_filters: filters on segments, which select whole conversations; also of a ``property``.
    :param evaluation_filters: filters on evaluations.
    :param survey_filters: filters on surveys.
    :param order: ``asc`` (the vendor's default), ``desc`` or ``unordered``.
    :param order_by: ``conversationStart`` (the vendor's default), ``conversationEnd``, ``segmentStart`` or
        ``segmentEnd``.
    :param extra_body: further keys of the request's body, such as ``{"startOfDayIntervalMatching": True}``
        (only conversations that started on the window's first day, in UTC, or later); none that the other
        parameters write, and no ``limit``.
    :param page_size: rows of a page, 1 to 10,000; all pages are fetched whatever it is.
    :param conn_id: a connection of type ``genesys_cloud``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("genesys_cloud", "conversations", _CONVERSATION_CHECKS, locals())
    checks.check_window(report["params"])
    return report


USER_FILTERS = {
    "user_filters": "userFilters",
    "presence_filters": "presenceFilters",
    "routing_status_filters": "routingStatusFilters",
}
_USER_CHECKS: dict[str, Check] = {
    **_CHECKS,
    "user_filters": checks.optional(filters("dimension", dimensions=("userId",))),
    "presence_filters": checks.optional(
        filters("dimension", dimensions=("organizationPresenceId", "systemPresence"))
    ),
    "routing_status_filters": checks.optional(filters("dimension", dimensions=("routingStatus",))),
    "extra_body": checks.optional(body_extra({**_BODY, **{key: name for name, key in USER_FILTERS.items()}})),
}


def genesys_users(
    *,
    start: datetime | str,
    end: datetime | str,
    user_filters: Sequence[Mapping[str, Any]] | None = None,
    presence_filters: Sequence[Mapping[str, Any]] | None = None,
    routing_status_filters: Sequence[Mapping[str, Any]] | None = None,
    order: str | None = None,
    extra_body: Mapping[str, Any] | None = None,
    page_size: int = PAGE_SIZE,
    conn_id: str = "genesys_cloud_default",
) -> Report:
    """Ask Genesys Cloud for presence and routing status of users, as jsonl.

    Source: the vendor's specification of the users details job (``AsyncUserDetailsQuery``). A row is a part
    of one user's history (``primaryPresence`` and ``routingStatus``); a user comes in many rows, over pages.
    No document says whether a status that began before the window is returned. A status that goes on has no
    ``endTime``.

    :param start: first instant of the window: aware datetime or ISO 8601 string with an offset.
    :param end: the instant before which the window ends.
    :param user_filters: filters of the dimension ``userId``, each ``{"type": "or", "predicates": [...]}``.
    :param presence_filters: filters of ``systemPresence`` and ``organizationPresenceId``.
    :param routing_status_filters: filters of ``routingStatus``.
    :param order: ``asc``, ``desc`` or ``unordered``.
    :param extra_body: further keys of the request's body; none that the other parameters write, and no
        ``limit``.
    :param page_size: rows of a page, 1 to 10,000; all pages are fetched whatever it is.
    :param conn_id: a connection of type ``genesys_cloud``.
    :raises InvalidValue: a value that can't be used, in one sentence.
    """
    report = make_report("genesys_cloud", "users", _USER_CHECKS, locals())
    checks.check_window(report["params"])
    return report


_CONVERSATIONS = Rows(
    grain="a conversation with activity in the window, whole, as it was known when the job ran",
    key=["conversationId"],
    duplicates="A conversation that crosses the end of a window is in the next one too, with what happened "
    "since; evaluations and surveys are attached whenever they happen. The newest delivery is right.",
)
_USERS = Rows(
    grain="a part of one user's presence and routing history; a user comes in many rows",
    duplicates="A status over several days is stored on its first and its last day. One entry of a list is "
    "identified by userId, the list and startTime.",
)

KINDS = {
    "conversations": Kind(builder=genesys_conversations, rows=lambda params: _CONVERSATIONS),
    "users": Kind(builder=genesys_users, rows=lambda params: _USERS),
}
