"""The body of a submission: interval, order, limit, filters; and which rows a filter lets through.

Filters are two levels deep: ``{type, clauses: [{type, predicates}], predicates}``. A dimension of another
level is silently ignored, as a client met it; one that no list of the vendor's has is refused. That several
filters of one kind are all to hold is an inference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ..model import is_number
from ..state import VendorState
from .errors import Refused

ORDERS = ("asc", "desc", "unordered")
ORDER_BY = ("conversationStart", "conversationEnd", "segmentStart", "segmentEnd")
OPERATORS = ("matches", "exists", "notExists")
MAX_LIMIT = 2**31 - 1

#: kind of filter -> its dimensions (SDK 269.0.0)
DIMENSIONS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "conversationFilters": """
            accessAttribute conversationEnd conversationId conversationInitiator conversationStart
            customerParticipation divisionId externalTag mediaStatsMinConversationMos originatingDirection
            originatingSocialMediaPublic""",
        "segmentFilters": """
            addressFrom addressTo agentAssistantId agentOwned ani authenticated bargedParticipantId
            callbackNumber callbackScheduledTime canonicalExternalContactId cleared coachedParticipantId
            conference deliveryPushed deliveryStatus destinationAddress destinationConversationId
            detectedSpeechEnd detectedSpeechStart direction disconnectType dnis edgeId engagementSource
            errorCode exitReason extendedDeliveryStatus externalContactId externalOrganizationId
            flaggedReason flowId flowName flowOutType flowOutcome flowOutcomeId flowOutcomeValue flowVersion
            groupId journeyActionId journeyActionMapId journeyCustomerId journeyCustomerIdType
            journeyCustomerSessionId mediaCount mediaType messageType monitoredParticipantId
            outboundCampaignId outboundContactId outboundContactListId participantName protocolCallId
            provider purpose queueId recording remote remoteNameDisplayable requestedLanguageId
            requestedRouting requestedRoutingSkillId scoredAgentId screenMonitoredUserId screenRecording
            scriptId segmentEnd segmentType sessionDnis sipResponseCode skillExpressionId snippetRecording
            subject teamId transferTargetAddress transferTargetName transferType usedRouting userId
            wrapUpCode wrapUpNote""",
        "evaluationFilters": """
            assigneeApplicable assigneeId calibrationId contextId deleted evaluationId evaluationStatus
            evaluatorId eventTime formId formName queueId released rescored systemSubmitted userId""",
        "surveyFilters": """
            eventTime queueId surveyCompletedDate surveyFormContextId surveyFormId surveyId
            surveyPartialResponse surveyPromoterScore surveyStatus surveyType userId""",
        "resolutionFilters": "",
        "userFilters": "userId",
        "presenceFilters": "organizationPresenceId systemPresence",
        "routingStatusFilters": "routingStatus",
    }.items()
}
FILTERS = {
    "conversations": (
        "conversationFilters",
        "segmentFilters",
        "evaluationFilters",
        "surveyFilters",
        "resolutionFilters",
    ),
    "users": ("userFilters", "presenceFilters", "routingStatusFilters"),
}
ANY = frozenset().union(*DIMENSIONS.values())
#: kind of filter -> its metrics, where they are few (SDK); those of conversations are 86
METRICS: Mapping[str, tuple[str, ...]] = {
    "segmentFilters": ("tSegmentDuration",),
    "evaluationFilters": ("oTotalCriticalScore", "oTotalScore"),
    "surveyFilters": ("oSurveyTotalScore",),
    "resolutionFilters": ("nNextContactAvoided",),
}
#: kind of filter -> what a predicate may name there (SDK), where that isn't either of dimension and metric
NAMED: Mapping[str, tuple[str, ...]] = {
    "segmentFilters": ("dimension", "metric", "property"),
    "resolutionFilters": ("metric",),
    "userFilters": ("dimension",),
    "presenceFilters": ("dimension",),
    "routingStatusFilters": ("dimension",),
}
PROPERTY_TYPES = ("bool", "integer", "real", "date", "string", "uuid")
#: a field whose name isn't the dimension's
FIELDS = {
    "divisionId": "divisionIds",
    "accessAttribute": "accessAttributes",
    "requestedRouting": "requestedRoutings",
    "requestedRoutingSkillId": "requestedRoutingSkillIds",
}

#: the specification has no fraction and no zone, the words of its refusal both
BOUND = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """What was asked for."""

    subject: str
    interval: str
    start: datetime
    end: datetime
    order: str = "asc"
    order_by: str = "conversationStart"
    limit: int | None = None
    start_of_day: bool = False
    filters: Mapping[str, list[Any]] = field(default_factory=dict)

    def lets_through(self, row: Row) -> bool:
        """Whether all filters do."""
        return all(_filter(given, kind, row) for kind, filters in self.filters.items() for given in filters)


def read(state: VendorState, subject: str, body: Any) -> Query:
    """The query in a body, or a refusal."""
    if not isinstance(body, dict):
        raise Refused("bad.request")
    # Null counts as left out; fields that nobody knows are passed over.
    body = {name: value for name, value in body.items() if value is not None}
    if "interval" not in body:
        raise Refused("constraint.validation", field="interval", problem="must not be null")
    start, end = _interval(state, body["interval"])
    order = body.get("order", "asc")
    order_by = body.get("orderBy", "conversationStart")
    limit = body.get("limit")
    flag = body.get("startOfDayIntervalMatching", False)
    _one_of("order", order, ORDERS)
    if subject == "conversations":
        _one_of("orderBy", order_by, ORDER_BY)
    if limit is not None and not (type(limit) is int and 1 <= limit <= MAX_LIMIT):
        raise Refused("invalid.value", value=str(limit), field="limit")
    if not isinstance(flag, bool):
        raise Refused("invalid.value", value=str(flag), field="startOfDayIntervalMatching")
    filters = {kind: body[kind] for kind in FILTERS[subject] if kind in body}
    for kind, given in filters.items():
        _check_filters(kind, given)
    conversations = subject == "conversations"
    return Query(
        subject, body["interval"], start, end, order, order_by, limit, flag and conversations, filters
    )


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Refused("invalid.value", value=str(value), field=name)


def _interval(state: VendorState, given: Any) -> tuple[datetime, datetime]:
    """Both bounds, with seconds (specification). Without a zone they are UTC, which is an inference."""
    bounds = given.split("/") if isinstance(given, str) else []
    if len(bounds) != 2 or not all(re.fullmatch(BOUND, bound, re.ASCII) for bound in bounds):
        raise Refused("invalid.date")
    try:
        start, end = (datetime.fromisoformat(bound) for bound in bounds)
    except ValueError:
        raise Refused("invalid.date") from None
    start, end = (bound.replace(tzinfo=bound.tzinfo or UTC).astimezone(UTC) for bound in (start, end))
    if start >= end:
        raise Refused("constraint.validation", field="interval", problem="must end after it starts")
    if end > state.now() and state.options["future_end"] == "400":
        raise Refused("constraint.validation", field="interval", problem="must not end in the future")
    longest = state.options["max_interval_days"]
    if longest is not None and end - start > timedelta(days=longest):
        raise Refused("constraint.validation", field="interval", problem=f"must be {longest:g} days or less")
    return start, end


# Structure.


def _check_filters(kind: str, given: Any) -> None:
    if not isinstance(given, list):
        raise Refused("invalid.value", value=str(given), field=kind)
    for each in given:
        _check_filter(kind, kind, each)
        clauses = each.get("clauses") or []
        if not isinstance(clauses, list):
            raise Refused("invalid.value", value=str(clauses), field=f"{kind}.clauses")
        for clause in clauses:
            _check_filter(kind, f"{kind}.clauses", clause)


def _check_filter(kind: str, place: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise Refused("invalid.value", value=str(given), field=place)
    _one_of(f"{place}.type", given.get("type"), ("and", "or"))
    predicates = given.get("predicates") or []
    if not isinstance(predicates, list):
        raise Refused("invalid.value", value=str(predicates), field=f"{place}.predicates")
    for predicate in predicates:
        _check_predicate(kind, f"{place}.predicates", predicate)


def _check_predicate(kind: str, place: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise Refused("invalid.value", value=str(given), field=place)
    _one_of(f"{place}.type", given.get("type") or "dimension", ("dimension", "metric", "property"))
    named = [name for name in ("dimension", "metric", "property") if given.get(name)]
    if len(named) != 1:
        raise Refused(
            "constraint.validation", field=place, problem="must name one dimension, metric or property"
        )
    (subject,) = named
    value, metrics = str(given[subject]), METRICS.get(kind)
    known = {"dimension": value in ANY, "metric": metrics is None or value in metrics, "property": True}
    if subject not in NAMED.get(kind, ("dimension", "metric")) or not known[subject]:
        raise Refused("invalid.property", value=value, object=place)
    _one_of(f"{place}.propertyType", given.get("propertyType") or "string", PROPERTY_TYPES)
    operator = given.get("operator") or "matches"
    _one_of(f"{place}.operator", operator, OPERATORS)
    bounds = given.get("range")
    if bounds is not None and not (
        isinstance(bounds, dict)
        and bounds
        and all(name in COMPARE and is_number(bound) for name, bound in bounds.items())
    ):
        raise Refused("invalid.value", value=str(bounds), field=f"{place}.range")
    if operator == "matches" and given.get("value") is None and bounds is None:
        raise Refused("constraint.validation", field=place, problem="must have a value or a range")


# Which rows pass.


COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def _filter(given: Mapping[str, Any], kind: str, row: Row) -> bool:
    together = all if given["type"] == "and" else any
    results = [_filter({**clause, "clauses": []}, kind, row) for clause in given.get("clauses") or []]
    results += [
        _predicate(predicate, kind, row)
        for predicate in given.get("predicates") or []
        if not predicate.get("dimension") or predicate["dimension"] in DIMENSIONS[kind]
    ]
    return not results or together(results)


def _predicate(given: Mapping[str, Any], kind: str, row: Row) -> bool:
    values = list(_values(given, kind, row))
    operator = given.get("operator") or "matches"
    if operator != "matches":
        return bool(values) == (operator == "exists")
    bounds = given.get("range")
    if bounds:
        return any(
            is_number(value) and all(COMPARE[name](value, bound) for name, bound in bounds.items())
            for value in values
        )
    wanted = str(given["value"])
    return any(_matches(given.get("dimension") or "", value, wanted) for value in values)


def _matches(dimension: str, value: Any, wanted: str) -> bool:
    text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    # Unlike queries, jobs match parts of e-mail addresses.
    return wanted in text if dimension in ("addressFrom", "addressTo") else text == wanted


def _values(given: Mapping[str, Any], kind: str, row: Row) -> Iterator[Any]:
    metric = given.get("metric")
    dimension = given.get("dimension") or ""
    name = FIELDS.get(dimension, dimension)
    for place in _places(kind, row):
        if metric:
            yield from (each["value"] for each in place.get("metrics", ()) if each["name"] == metric)
        if metric == "tSegmentDuration" and place.get("segmentEnd"):
            first, last = (datetime.fromisoformat(place[name]) for name in ("segmentStart", "segmentEnd"))
            yield round((last - first).total_seconds() * 1000)
        value = place.get(name)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def _places(kind: str, row: Row) -> Iterator[Row]:
    """The objects of a row that a kind of filter looks at."""
    if kind in ("conversationFilters", "userFilters"):
        yield row
    inside = {
        "conversationFilters": "participants",
        "segmentFilters": "participants",
        "evaluationFilters": "evaluations",
        "surveyFilters": "surveys",
        "resolutionFilters": "resolutions",
        "presenceFilters": "primaryPresence",
        "routingStatusFilters": "routingStatus",
    }
    for each in row.get(inside.get(kind, ""), ()):
        if kind == "conversationFilters":  # its metrics are those of its sessions
            yield from ({"metrics": session.get("metrics", ())} for session in each.get("sessions", ()))
            continue
        yield each
        for session in each.get("sessions", ()):
            yield session
            yield session.get("flow", {})
            yield from session.get("segments", ())
