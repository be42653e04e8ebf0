"""What 8x8's Contact Center Historical Analytics has to report: types, groupings, metrics, fields.

Sources: *seed* is the guide "CC Historical Analytics Summary Report", which has authority; *glossary* is the
vendor's glossary of v8. A name may carry the version it came with: ``voicemailsLeft@7``.

Invented, because no document lists them: the groupings of all types but ``agent-interactions-summary``,
``media-and-channel-and-queue`` of the queue types, ``group-and-agent`` of the calls and the filter
``wrap-up-code``; metrics and fields of the three survey types; the order of the types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

SCRIPT_PATHS = "script-paths"

#: summary type -> metrics (glossary). The glossary dates `processingTime` of the agents' summary to v7, but
#: the seed's v7 sample lacks it and has authority.
SUMMARY_METRICS: Mapping[str, str] = {
    "agent-status-by-status-code": """
        loggedInTime@7 statusCodeCount statusCodeTime timePercentage@7""",
    "agent-status-logged-in": """
        loggedInTime""",
    "agent-status-time-on-status": """
        availableTime availableTimePercentage busyTime busyTimePercentage handlingTime
        handlingTimePercentage loggedInTime offeringTime@7 offeringTimePercent@7 onBreakTime
        onBreakTimePercentage workingOfflineTime workingOfflineTimePercentage wrapUpTime
        wrapUpTimePercentage""",
    "queue-interactions-summary": """
        accepted acceptedInSla acceptedInSlaPercentage acceptedPercentage@2 avgAbandonTime@2 avgBusyTime
        avgHandlingTime avgProcessingTime avgWaitBeforeAcceptedTime avgWaitTime avgWrapUpTime busyTime
        diverted entered handlingTime longestAbandonTime@2 longestWaitBeforeAcceptTime@7 longestWaitTime
        newInQueue@4 parked@8 processingTime slaPercentage totalAbandonTime@2 totalAbandoned
        totalAbandonedPercentage@2 voicemailsLeft@7 waitingInQueue waitingInQueueTime@2 wrapUpTime""",
    "queue-interactions-accepted-offline": """
        accepted accepted.lowerThan30m accepted.30m-1h accepted.1h-1h30m accepted.1h30m-2h accepted.2h-3h
        accepted.greaterThan3h acceptedPercentage.lowerThan30m acceptedPercentage.30m-1h
        acceptedPercentage.1h-1h30m acceptedPercentage.1h30m-2h acceptedPercentage.2h-3h
        acceptedPercentage.greaterThan3h""",
    "queue-interactions-accepted-online": """
        accepted accepted.lowerThan5s accepted.5s-10s accepted.10s-20s accepted.20s-30s accepted.30s-45s
        accepted.45s-1m accepted.1m-2m accepted.2m-5m accepted.5m-10m accepted.greaterThan10m
        acceptedPercentage.lowerThan5s acceptedPercentage.5s-10s acceptedPercentage.10s-20s
        acceptedPercentage.20s-30s acceptedPercentage.30s-45s acceptedPercentage.45s-1m
        acceptedPercentage.1m-2m acceptedPercentage.2m-5m acceptedPercentage.5m-10m
        acceptedPercentage.greaterThan10m""",
    "queue-interactions-abandoned": """
        abandon.lowerThan5s abandon.5s-10s abandon.10s-20s abandon.20s-30s abandon.30s-45s abandon.45s-1m
        abandon.1m-2m abandon.2m-5m abandon.5m-10m abandon.greaterThan10m abandonPercentage.lowerThan5s
        abandonPercentage.5s-10s abandonPercentage.10s-20s abandonPercentage.20s-30s
        abandonPercentage.30s-45s abandonPercentage.45s-1m abandonPercentage.1m-2m abandonPercentage.2m-5m
        abandonPercentage.5m-10m abandonPercentage.greaterThan10m abandoned abandonedPercentage accepted
        acceptedPercentage@2 avgAbandonTime@2 diverted divertedPercentage entered longestAbandonTime
        newInQueue@4 offering offeringPercentage shortAbandoned shortAbandonedPercentage
        totalAbandonTime@2 totalAbandoned totalAbandonedPercentage voicemailsLeft@7 waitingInQueue
        waitingInQueueTime@2""",
    "agent-interactions-by-wrap-up-code": """
        transactionCodeCount transactionCodeTime""",
    "agent-interactions-call-summary": """
        avgDirectInboundTime avgDirectOutboundTime avgHoldTime@2 blindTransferToAgent blindTransferToQueue
        blindTransfersInitiated blindTransfersReceived conferenceTime conferences conferencesEstablished
        conferencesEstablishedTime conferencesReceived conferencesReceivedTime consultationsEstablished
        directInbound directInboundTime directOutbound directOutboundTime hold holdTime internalCalls
        internalCallsInitiated internalCallsReceived internalCallsTime longestHoldTime transfersInitiated
        transfersReceived warmTransfersCompleted warmTransfersReceived""",
    "agent-interactions-handling-and-wrap-up": """
        avgBusyTime avgHandlingTime avgOfferingTime avgProcessingTime avgWrapUpTime busyTime handlingTime
        offeringTime processingTime wrapUpTime""",
    "agent-interactions-summary": """
        abandoned abandonedPercentage accepted acceptedPercentage alerting assignedInteractions@8
        avgBusyTime avgFocusTime@8 avgHandlingTime avgHoldTime@2 avgSpeedToAnswer avgWrapUpTime
        blindTransferToAgent blindTransferToQueue blindTransfersInitiated blindTransfersReceived busyTime
        focusTime@8 handlingTime hold holdTime longestHoldTime longestOfferingTime offeringTime parked@8
        presented processingTime@8 rejectTimeout rejected rejectedPercentage transfersInitiated
        transfersInitiatedPercentage@2 transfersReceived warmTransfersCompleted warmTransfersReceived
        wrapUpTime""",
    "digital-channels-summary": """
        avgSpeedToAnswer countOfInteractions handlingDuration numberOfRepliedEmails offeringDuration
        parkDuration@8 queueWaitDuration scriptTreatmentDuration totalInteractionsDuration wrapUpDuration""",
    "surveys-summary": """
        surveysOffered@7 surveysAccepted@7 surveysCompleted@7 avgScore@7""",
    "survey-questions-summary": """
        questionsAsked@7 questionsAnswered@7 avgScore@7""",
}

#: detailed type -> fields, each with its kind of value (glossary; `number` and `duration` compare, `time`
#: can't be filtered)
DETAILED_FIELDS: Mapping[str, str] = {
    "detailed-reports-interaction-details": """
        agentNotes:text blindTransferToAgent:number blindTransferToQueue:number campaignId:text
        campaignName:text caseFollowUp:text caseNumber:text channelId:text channelName:text@7
        chatType:text@6 conferencesEstablished:number consultationsEstablished:number creationTime:time
        customerEmail:text@8 customerJourneyDuration:duration customerName:text customerPhone:text@8
        destination:text destinationQueueId:text@8 destinationQueueName:text@8 direction:text
        dispositionAction:text externalTransactionData:text facebookId:text@7 finishedTime:time
        interactionDuration:duration interactionId:text interactionLabels:text interactionType:text
        ivrTreatmentDuration:duration journeyId:text@8 mediaType:text originalInteractionId:text
        originalTransactionId:text origination:text outboundPhoneCode:text outboundPhoneCodeId:text
        outboundPhoneCodeList:text outboundPhoneCodeListId:text outboundPhoneCodeText:text
        outboundPhoneShortCode:text outcome:text participantAssignNumber:number
        participantAssignReason:text@8 participantAssignTime:time@8 participantBusyDuration:duration
        participantComments:text@8 participantFocus:number@8 participantFocusDuration:duration@8
        participantGroupId:text participantGroupName:text participantHandlingDuration:duration
        participantHandlingEndTime:time participantHandlingOutcome:text@8 participantHold:number
        participantHoldDuration:duration participantId:text participantLongestHoldDuration:duration
        participantLongestFocusDuration:duration@8 participantLongestMuteDuration:duration
        participantMute:number participantMuteDuration:duration participantName:text
        participantOfferAction:text participantOfferActionTime:time participantOfferDuration:duration
        participantOfferTime:time participantParkDuration:duration@8 participantPark:number@8
        participantProcessingDuration:duration participantType:text participantWrapUpDuration:duration
        participantWrapUpEndTime:time queueId:text queueName:text queueTime:time
        queueWaitDuration:duration recordId:text recordingFileNames:text scheduleHours:text state:text
        subject:text@8 terminatedBy:text time:time timeToAbandon:number transactionId:text transfers:text
        twitterId:text@7 warmTransfersCompleted:number wrapUpCode:text wrapUpCodeId:text
        wrapUpCodeList:text wrapUpCodeListId:text wrapUpCodeText:text wrapUpShortCode:text""",
    "detailed-reports-agent-status-change": """
        agent:text agentGroup:text agentGroupId:text agentId:text interactionId:text status:text
        statusCode:text statusCodeId:text statusCodeList:text statusCodeListId:text
        statusCodeShortCode:text statusCodeText:text time:time transactionId:text""",
    "detailed-reports-survey": """
        surveyId:text@7 surveyName:text@7 interactionId:text@7 queueName:text@7 question:text@7
        answer:text@7 score:number@7 time:time@7""",
}
DETAILED_SINCE = {
    "detailed-reports-interaction-details": 3,
    "detailed-reports-agent-status-change": 4,
    "detailed-reports-survey": 7,
}

#: field -> the values it takes, as filters spell them (glossary)
_PREDEFINED: Mapping[str, str] = {
    "chatType": """
        chatApi webChat facebook twitter rcs sms whatsApp viber""",
    "direction": """
        inbound outbound""",
    "dispositionAction": """
        noCode tryAgain scheduleCallback doNotCall""",
    "interactionLabels": """
        Queued Dequeued Abandoned TransferredToAgent Rejected OfferingTimeout Handled TransferredToQueue
        Deleted ForwardedToQueue ForwardedToVoicemail ForwardedToCallback EndedInIvr
        ConsultationEstablished UnknownOutcome Canceled ForwardedToExternalNumber OutboundSmsSent
        VideoSmsSent RepliedToEmail PostCallSurveyCallback PostCallSurveyStayOnCall ForwardedToExternalIvr
        ForwardedToAgentIndividualVoicemail BlindTransfer TransferToAnotherNumber DirectAgentAccess
        DirectAgentRouting ConferenceEstablished""",
    "interactionType": """
        OutboundCall Callback VerificationCall InternalCall ConsultationCall Campaign
        PostCallSurveyCallback""",
    "mediaType": """
        phone chat email voiceMail""",
    "participantAssignReason": """
        Initiated Offered Parked Unparked ConferenceJoined TransferReceived""",
    "participantHandlingOutcome": """
        WrapUp Finished Parked UnknownOutcome""",
    "participantOfferAction": """
        accepted rejected offerTimeout abandoned customerHangUp""",
    "participantType": """
        agent externalNumber""",
    "scheduleHours": """
        Open Closed""",
    "state": """
        InScript WaitingInQueue WaitingForInitiator DelayedCallback Handling TransferredToExternalNumber
        InWrapUp Finished""",
    "transfers": """
        BlindTransfer TransferToAnotherNumber TransferToAgent TransferToQueue""",
    "status": """
        onBreak available workingOffline offered initiated accepted rejected timeout stopNew resumeStopNew
        wrapUp loggedIn loggedOut handling putOnHold holdResumed muted unmuted""",
}

PREDEFINED = {**_PREDEFINED, "outcome": _PREDEFINED["interactionLabels"]}

# Filters of one grouping never name a channel (seed: agent-and-media-and-channel has agent and media).
AGENTS = ("agent", "group", "group agent")
QUEUES = ("media", "media channel", "media channel queue", "media queue", "queue", "queue media")


def _each(prefixes: Sequence[str], suffixes: Sequence[str]) -> str:
    return ",".join(f"{prefix} {suffix}".strip() for prefix in prefixes for suffix in suffixes)


_AGENT_SUMMARY = (
    _each(AGENTS, ("", "media", "media channel", "media channel queue", "media queue"))
    # The seed's fifteen names, and no other.
)
_STATUS = ",".join(AGENTS)
_QUEUE = ",".join(QUEUES)

#: summary type -> groupings, each a list of dimensions
GROUPINGS: Mapping[str, str] = {
    "agent-interactions-summary": _AGENT_SUMMARY,
    "agent-interactions-call-summary": _each(AGENTS, ("", "queue")),
    "agent-interactions-handling-and-wrap-up": _AGENT_SUMMARY,
    "agent-interactions-by-wrap-up-code": _each((*AGENTS, "media", "queue"), ("wrap-up-code",)),
    "agent-status-by-status-code": _each(AGENTS, ("status-code",)),
    "agent-status-logged-in": _STATUS,
    "agent-status-time-on-status": _STATUS,
    "queue-interactions-summary": _QUEUE,
    "queue-interactions-accepted-offline": _QUEUE,
    "queue-interactions-accepted-online": _QUEUE,
    "queue-interactions-abandoned": _QUEUE,
    "digital-channels-summary": _each(("media",), ("", "channel", "channel queue", "queue")),
    "surveys-summary": "queue,agent",
    "survey-questions-summary": "queue,agent",
}

STRING_OPERATORS = ("in", "not-in", "contains", "is-empty", "is-not-empty")
NUMBER_OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "is-empty", "is-not-empty")
OPERATORS = ("=", "!=", ">", ">=", "<=", "<", "contains", "not-in", "in", "is-empty", "is-not-empty")
#: of a field by its kind (glossary); the guide's prose allows strings less and its samples more
KIND_OPERATORS: Mapping[str, Sequence[str]] = {
    "text": STRING_OPERATORS,
    "number": NUMBER_OPERATORS,
    "duration": NUMBER_OPERATORS,
    "time": (),
}


def _since(words: str, version: int) -> list[str]:
    """The words that `version` has."""
    pairs = (word.partition("@") for word in words.split())
    return [name for name, _, since in pairs if int(since or 1) <= version]


@lru_cache
def metrics(report: str, version: int) -> tuple[str, ...]:
    """The metrics of a summary type."""
    return tuple(_since(SUMMARY_METRICS[report], version))


@lru_cache
def fields(report: str, version: int) -> Mapping[str, str]:
    """The fields of a detailed type, each with its kind."""
    if version < DETAILED_SINCE[report]:
        return {}
    return dict(word.split(":") for word in _since(DETAILED_FIELDS[report], version))


@lru_cache
def groupings(report: str) -> Mapping[str, tuple[str, ...]]:
    """The groupings of a summary type, in alphabetical order as in the seed: name -> dimensions."""
    found = {"-and-".join(words.split()): tuple(words.split()) for words in GROUPINGS[report].split(",")}
    return dict(sorted(found.items()))


def filters(dimensions: Sequence[str]) -> list[str]:
    """What a grouping can be filtered by."""
    return sorted(set(dimensions) - {"channel"})


@lru_cache
def definitions(version: int, search_fields: str) -> Mapping[str, dict[str, Any]]:
    """All definitions that a version lists, by type."""
    found: dict[str, dict[str, Any]] = {}
    for report in SUMMARY_METRICS:
        names = metrics(report, version)
        if names:
            found[report] = {
                "type": report,
                "groupBy": [
                    {"name": name, "filters": filters(dimensions)}
                    for name, dimensions in groupings(report).items()
                ],
                "metrics": list(names),
            }
    for report in DETAILED_FIELDS:
        known = fields(report, version)
        if known:
            searched = [name for name in known if search_fields == "all" or known[name] != "time"]
            found[report] = {
                "type": report,
                "metrics": list(known),
                "searchQuery": {"fields": searched, "operators": list(OPERATORS)},
            }
    if version >= 8:
        found[SCRIPT_PATHS] = {
            "type": SCRIPT_PATHS,
            "metrics": [],  # every definition has the member (seed)
            "searchQuery": {"fields": ["script", "queue", "agent", "channel"], "operators": ["in"]},
        }
    return found


def label(key: str) -> str:
    """The human-friendly name of a key: ``queueId`` is ``Queue Id`` (seed)."""
    name, dot, band = key.partition(".")
    if band.startswith(("lowerThan", "greaterThan")):
        band = label(band).replace("Than", "Than ")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words[:1].upper() + words[1:] + (f" {band}" if dot else "")
