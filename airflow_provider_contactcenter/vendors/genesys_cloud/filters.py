"""The structure of a filter (the vendor's specification, ``ConversationDetailQueryFilter`` and its kin).

The names of dimensions and metrics grow with the vendor's releases, so they pass as they are; what would be
ignored without a word is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import Check, InvalidValue

#: Dimensions that users look for among the other ones, where they aren't known: one client found the vendor
#: to ignore them. Both lists are its SDK's (269.0.0), and grow.
DIMENSIONS = {
    "conversations": frozenset(
        (
            *("accessAttribute", "conversationEnd", "conversationId", "conversationInitiator"),
            *("conversationStart", "customerParticipation", "divisionId", "externalTag"),
            *("mediaStatsMinConversationMos", "originatingDirection", "originatingSocialMediaPublic"),
        )
    ),
    "segments": frozenset(
        (
            *("addressFrom", "addressTo", "agentAssistantId", "agentOwned", "ani", "authenticated"),
            *("bargedParticipantId", "callbackNumber", "callbackScheduledTime"),
            *("canonicalExternalContactId", "cleared", "coachedParticipantId", "conference"),
            *("deliveryPushed", "deliveryStatus", "destinationAddress", "destinationConversationId"),
            *("detectedSpeechEnd", "detectedSpeechStart", "direction", "disconnectType", "dnis", "edgeId"),
            *("engagementSource", "errorCode", "exitReason", "extendedDeliveryStatus", "externalContactId"),
            *("externalOrganizationId", "flaggedReason", "flowId", "flowName", "flowOutType"),
            *("flowOutcome", "flowOutcomeId", "flowOutcomeValue", "flowVersion", "groupId"),
            *("journeyActionId", "journeyActionMapId", "journeyCustomerId", "journeyCustomerIdType"),
            *("journeyCustomerSessionId", "mediaCount", "mediaType", "messageType"),
            *("monitoredParticipantId", "outboundCampaignId", "outboundContactId", "outboundContactListId"),
            *("participantName", "protocolCallId", "provider", "purpose", "queueId", "recording", "remote"),
            *("remoteNameDisplayable", "requestedLanguageId", "requestedRouting"),
            *("requestedRoutingSkillId", "scoredAgentId", "screenMonitoredUserId", "screenRecording"),
            *("scriptId", "segmentEnd", "segmentType", "sessionDnis", "sipResponseCode"),
            *("skillExpressionId", "snippetRecording", "subject", "teamId", "transferTargetAddress"),
            *("transferTargetName", "transferType", "usedRouting", "userId", "wrapUpCode", "wrapUpNote"),
        )
    ),
}
_OPERATORS = ("matches", "exists", "notExists")
_BOUNDS = ("gt", "gte", "lt", "lte")


def filters(*subjects: str, beside: str | None = None, dimensions: Collection[str] | None = None) -> Check:
    """A check for a list of filters.

    :param subjects: what a predicate may be about: ``dimension``, ``metric``, ``property``.
    :param beside: whose dimensions belong in the other filters: ``segments`` or ``conversations``.
    :param dimensions: the only dimensions there are, where the list is closed.
    """

    def filters_check(name: str, value: Any) -> list[dict[str, Any]]:
        found = checks.plain(name, checks.unquoted(value))
        found = [found] if isinstance(found, dict) else found
        if not isinstance(found, list) or not found:
            raise InvalidValue(f"{name}={value!r} is not allowed: give a list of filters, each a dict.")
        for index, item in enumerate(found):
            _filter(f"{name}[{index}]", item)
        return found

    def _filter(name: str, item: Any) -> None:
        _group(name, item, ("type", "clauses", "predicates"))
        clauses = _list(name, item, "clauses")
        for index, clause in enumerate(clauses):
            place = f"{name}['clauses'][{index}]"
            _group(place, clause, ("type", "predicates"))
            _predicates(place, clause, needed=True)
        _predicates(name, item, needed=not clauses)

    def _predicates(name: str, item: Mapping[str, Any], *, needed: bool) -> None:
        predicates = _list(name, item, "predicates")
        if needed and not predicates:
            raise InvalidValue(f"{name}={item!r} is not allowed: it holds no predicates.")
        for index, predicate in enumerate(predicates):
            _predicate(f"{name}['predicates'][{index}]", predicate)

    def _predicate(name: str, item: Any) -> None:
        about = [subject for subject in subjects if isinstance(item, Mapping) and item.get(subject)]
        if len(about) != 1:
            raise InvalidValue(
                f"{name}={item!r} is not allowed: give a dict that names one {' or one '.join(subjects)}."
            )
        subject = about[0]
        item = {key: value for key, value in item.items() if value is not None}
        if not isinstance(item[subject], str):
            raise InvalidValue(f"{name}[{subject!r}]={item[subject]!r} is not allowed: give a name.")
        keys = {"type", subject, "operator", "value", "range"}
        _known(name, item, (*keys, "propertyType") if subject == "property" else keys)
        if item.get("type", subject) != subject:
            raise InvalidValue(f"{name}['type']={item['type']!r} is not allowed: it is about a {subject}.")
        operator = checks.one_of(_OPERATORS)(f"{name}['operator']", item.get("operator", "matches"))
        given = [key for key in ("value", "range") if key in item]
        if len(given) != (operator == "matches"):
            wants = "'value' or 'range'" if operator == "matches" else "neither 'value' nor 'range'"
            raise InvalidValue(f"{name}={item!r} is not allowed: with operator {operator!r} give {wants}.")
        if given == ["value"] and not isinstance(item["value"], str):
            raise InvalidValue(f"{name}['value']={item['value']!r} is not allowed: give a string.")
        if given == ["range"]:
            _range(f"{name}['range']", item["range"])
        if subject == "dimension":
            _dimension(f"{name}['dimension']", item["dimension"])

    def _dimension(name: str, dimension: str) -> None:
        if beside and dimension in DIMENSIONS[beside]:
            raise InvalidValue(
                f"{name}={dimension!r} is not allowed: it is a dimension of {beside}, which the vendor may "
                f"ignore here; give it in {beside.removesuffix('s')}_filters."
            )
        if dimensions is not None:
            checks.one_of(dimensions)(name, dimension)

    return filters_check


def _group(name: str, item: Any, keys: Collection[str]) -> None:
    if not isinstance(item, Mapping) or item.get("type") not in ("and", "or"):
        raise InvalidValue(
            f"{name}={item!r} is not allowed: give a dict with 'type', which is 'and' or 'or'."
        )
    _known(name, item, keys)


def _known(name: str, item: Mapping[str, Any], keys: Collection[str]) -> None:
    for key in item.keys() - set(keys):
        raise InvalidValue(f"{name}[{key!r}] is not allowed: the vendor knows {', '.join(sorted(keys))}.")


def _list(name: str, item: Mapping[str, Any], key: str) -> list[Any]:
    found = item.get(key) or []
    if not isinstance(found, list):
        raise InvalidValue(f"{name}[{key!r}]={found!r} is not allowed: give a list.")
    return found


def _range(name: str, value: Any) -> None:
    numbers = isinstance(value, Mapping) and all(
        key in _BOUNDS and isinstance(bound, int | float) and not isinstance(bound, bool)
        for key, bound in value.items()
    )
    if not value or not numbers:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give numbers under one or two of {', '.join(_BOUNDS)}."
        )
