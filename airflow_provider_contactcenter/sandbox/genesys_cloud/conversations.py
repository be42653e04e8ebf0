"""Conversations: when they are, and their rows.

A conversation is one of `per_day` that start on a UTC day, evenly spread: the first starts at midnight sharp,
the last but one ends at midnight sharp, the last goes over midnight. Beside them there are e-mail threads of
30 days. What a row holds hangs on the watermark: a conversation that hasn't begun by then is unknown, one
that hasn't ended has no end, and what comes later isn't in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .. import data
from .pool import DAY, DIVISIONS, QUEUES, SKILLS, USERS, WRAP_UP_CODES, Style, uuid

#: days of a thread on which there is a message, counted from its first
MESSAGE_DAYS = (0, 1, 4, 9, 16, 29)
THREAD_DAYS = 30
MINUTE = 60_000
#: no conversation of one day is longer
LONGEST = 40 * MINUTE
#: an evaluation comes so long after the end
EVALUATED_AFTER = 36 * 3_600_000


class Key(NamedTuple):
    """Which conversation: the day or the block of 30 days that it starts in, and its number there."""

    start: int
    end: int
    kind: str
    block: int
    place: int
    again: int = 0
    """1: it is in the job a second time, the same; 2: with something new."""
    changed: str = ""
    """What the vendor has changed since an earlier job."""

    @property
    def activity(self) -> Sequence[tuple[int, int]]:
        """The times in which something happens in it."""
        if self.kind == "day":
            return ((self.start, self.end),)
        return tuple(messages(self.start))


def messages(start: int) -> Iterator[tuple[int, int]]:
    """When the messages of a thread come and are answered."""
    for day in MESSAGE_DAYS:
        yield start + day * DAY, start + day * DAY + 20 * MINUTE


@lru_cache(maxsize=64)
def on_day(seed: int, day: int, count: int) -> tuple[Key, ...]:
    """The conversations that start on a day since the epoch."""
    draw = random.Random(f"{seed}|genesys conversations|{day}")  # noqa: S311
    midnight, step = day * DAY, DAY / max(count, 1)
    keys = []
    for index in range(count):
        start = midnight + int(step * (index + draw.random() * 0.9))
        end = start + draw.randrange(20_000, LONGEST)
        if index == 0:
            start = midnight
        elif index == count - 1:  # the fact sheet's example
            start, end = midnight + DAY - 167_882, midnight + DAY + 280_902
        elif index == count - 2:
            start, end = midnight + DAY - 15 * MINUTE, midnight + DAY
        keys.append(Key(start, max(end, start + 20_000), "day", day, index))
    return tuple(keys)


def threads(block: int, count: int) -> Iterator[Key]:
    """The threads that start in a block of 30 days."""
    for index in range(count):
        start = block * THREAD_DAYS * DAY + 9 * 3_600_000 + index * MINUTE
        *_, (_, end) = messages(start)
        yield Key(start, end, "thread", block, index)


def touching(seed: int, start: int, end: int, per_day: int, per_block: int, match: str) -> Iterator[Key]:
    """The conversations of a window, half-open, oldest start first."""
    found = [
        key
        for day in range((start - LONGEST) // DAY, -(-end // DAY))
        for key in on_day(seed, day, per_day)
        if key.start < end and key.end > start
    ]
    for block in range(start // DAY // THREAD_DAYS - 1, -(-end // DAY) // THREAD_DAYS + 1):
        found += [key for key in threads(block, per_block) if key.start < end and key.end > start]
    return (key for key in sorted(found) if MATCHES[match](key, start, end))


def division(key: Key) -> str:
    """The division that a conversation belongs to."""
    return DIVISIONS[key.place % 7 == 6]


MATCHES: Mapping[str, Callable[[Key, int, int], bool]] = {
    # specification: activity in the interval
    "activity": lambda key, start, end: any(low < end and high > start for low, high in key.activity),
    # vendor's page: its lifetime overlaps the interval
    "lifetime": lambda key, start, end: True,
    # a client: started or ended in it
    "start_or_end": lambda key, start, end: start <= key.start < end or start <= key.end < end,
}


# Rows.


class _Known:
    """Writes what is known at the watermark, and nothing later."""

    def __init__(self, style: Style, until: int) -> None:
        self.style = style
        self.until = until

    def span(self, first: str, last: str, start: int, end: int) -> dict[str, Any] | None:
        """Both ends of something, or its start, or None where it hasn't begun."""
        if start >= self.until:
            return None
        ended = {last: self.style.at(end)} if end <= self.until else {}
        return {first: self.style.at(start), **ended}

    def segment(self, kind: str, start: int, end: int, ending: str | None = None, **more: Any) -> Any:
        span = self.span("segmentStart", "segmentEnd", start, end)
        if span is None:
            return None
        over = {"disconnectType": ending} if ending and "segmentEnd" in span else {}
        return {"segmentType": kind, "conference": False, **more, **span, **over}

    def metric(self, name: str, value: int, at: int) -> Any:
        return {"name": name, "value": value, "emitDate": self.style.at(at)} if at <= self.until else None

    def session(self, session_id: str, media: str, direction: str, **more: Any) -> Any:
        """A session, if any of its segments has begun."""
        lists = {name: [each for each in more.pop(name, ()) if each] for name in ("metrics", "segments")}
        if not lists["segments"]:
            return None
        kept = {name: value for name, value in lists.items() if value}
        return {"sessionId": session_id, "mediaType": media, "direction": direction, **more, **kept}


def row(seed: int, key: Key, style: Style, until: int) -> dict[str, Any]:
    """The conversation as it is known at the watermark `until`."""
    draw = random.Random(f"{seed}|genesys conversation|{key.kind}|{key.block}|{key.place}")  # noqa: S311
    known = _Known(style, until)
    build = _thread if key.kind == "thread" else KINDS[key.place % len(KINDS)]
    initiator, direction, participants = build(draw, known, key)
    end = _end(known, key, style)
    whole = {
        "conversationId": uuid(draw),
        "conversationStart": style.at(key.start),
        **end,
        "conversationInitiator": initiator,
        "customerParticipation": True,
        "originatingDirection": direction,
        "divisionIds": [division(key)],
        "selfServed": False,
        "participants": [each for each in participants if each and each["sessions"]],
    }
    if build is _voice:
        mos = draw.randrange(380, 492) / 100
        whole |= {"mediaStatsMinConversationMos": mos, "mediaStatsMinConversationRFactor": round(mos * 19, 1)}
    _judged(draw, whole, key, style, until)
    _changed(whole, key, style)
    if style.novelties:
        _newer(whole)
    if style.huge and key.place == 0:
        _blown_up(whole)
    return whole


def _end(known: _Known, key: Key, style: Style) -> dict[str, Any]:
    # A thread rests between its messages, ended, until one opens it again.
    ends = [high for low, high in key.activity if low < known.until]
    if not ends or ends[-1] > known.until:
        return {"conversationEnd": None} if style.ongoing == "null" else {}
    return {"conversationEnd": style.at(ends[-1])}


def _participant(draw: random.Random, purpose: str, sessions: Sequence[Any], **more: Any) -> dict[str, Any]:
    return {
        "participantId": uuid(draw),
        "purpose": purpose,
        **more,
        "sessions": [each for each in sessions if each],
    }


def _attributes(draw: random.Random, index: int) -> dict[str, str]:
    note = data.AWKWARD[index % len(data.AWKWARD)]
    tier = draw.choice(("gold", "silver"))
    return {"account.tier": tier, **({"note": note} if note else {})}


def _wrap_up(draw: random.Random, index: int) -> dict[str, str]:
    note = data.AWKWARD[(index + 1) % len(data.AWKWARD)]
    return {"wrapUpCode": draw.choice(WRAP_UP_CODES), **({"wrapUpNote": note} if note else {})}


def _voice(draw: random.Random, known: _Known, key: Key) -> Any:
    """A call through the IVR and a queue to an agent, who wraps it up."""
    start, end, length = key.start, key.end, key.end - key.start
    routed, offered, alerted, answered, hung_up = (
        start + int(length * part) for part in (0.04, 0.041, 0.06, 0.07, 0.91)
    )
    queue, user = draw.randrange(len(QUEUES)), draw.choice(USERS)
    caller, called = f"tel:+1555010{draw.randrange(10_000):04d}", "tel:+15550199000"
    ours, ivr, acd, agent = (uuid(draw) for _ in range(4))
    metric, segment = known.metric, known.segment
    over = key.end <= known.until
    media = {
        "codecs": ["audio/opus"],
        "eventTime": known.style.at(end),
        "minMos": 4.64,
        "minRFactor": 88.2,
        "maxLatencyMs": draw.randrange(20, 200),
        "receivedPackets": draw.randrange(50_000),
        "discardedPackets": 3,
        "duplicatePackets": 0,
        "invalidPackets": 0,
        "overrunPackets": 1,
        "underrunPackets": 2,
    }
    outcome = uuid(draw)
    flow = {
        "flowId": uuid(draw),
        "flowName": "Main",
        "flowType": "INBOUNDCALL",
        "flowVersion": "14.0",
        "entryType": "dnis",
        "entryReason": called,
        "exitReason": "TRANSFER",
        "transferType": "ACD",
        "transferTargetName": data.QUEUES[queue],
        "outcomes": [
            {
                "flowOutcome": f"{outcome}:SUCCESS",
                "flowOutcomeId": outcome,
                "flowOutcomeValue": "SUCCESS",
                "flowOutcomeStartTimestamp": known.style.at(start),
            }
        ],
    }
    return (
        "customer",
        "inbound",
        [
            _participant(
                draw,
                "customer",
                [
                    known.session(
                        ours,
                        "voice",
                        "inbound",
                        ani=caller,
                        dnis=called,
                        sessionDnis=called,
                        provider="Edge",
                        edgeId=uuid(draw),
                        recording=True,
                        protocolCallId=f"{draw.getrandbits(32):08x}@192.0.2.10",
                        **({"mediaEndpointStats": [media]} if over else {}),
                        metrics=[metric("nConnected", 1, start), metric("tConnected", length, end)],
                        segments=[segment("interact", start, hung_up, "peer")],
                    )
                ],
                participantName="Mobile Caller",
                attributes=_attributes(draw, key.place),
            ),
            _participant(
                draw,
                "ivr",
                [
                    known.session(
                        ivr,
                        "voice",
                        "inbound",
                        peerId=ours,
                        flow=flow,
                        metrics=[metric("tIvr", routed - start, routed)],
                        segments=[segment("ivr", start, routed, "transfer")],
                    )
                ],
                participantName="Main IVR",
            ),
            _participant(
                draw,
                "acd",
                [
                    known.session(
                        acd,
                        "voice",
                        "inbound",
                        peerId=ours,
                        requestedRoutings=["Standard"],
                        usedRouting="Standard",
                        metrics=[metric("nOffered", 1, offered), metric("tAcd", alerted - offered, alerted)],
                        segments=[
                            segment(
                                "interact",
                                offered,
                                alerted,
                                "transfer",
                                queueId=QUEUES[queue],
                                requestedRoutingSkillIds=[draw.choice(SKILLS)],
                            )
                        ],
                    )
                ],
                participantName=data.QUEUES[queue],
            ),
            _agent(
                draw, known, (alerted, answered, hung_up, end), user, key.place, agent, ours, "voice", queue
            ),
        ],
    )


def _agent(
    draw: random.Random,
    known: _Known,
    times: tuple[int, int, int, int],
    user: str,
    index: int,
    session: str,
    peer: str,
    media: str,
    queue: int,
) -> dict[str, Any]:
    alerted, answered, hung_up, end = times
    metric, segment = known.metric, known.segment
    own = {"queueId": QUEUES[queue]}
    return _participant(
        draw,
        "agent",
        [
            known.session(
                session,
                media,
                "inbound",
                peerId=peer,
                acwSkipped=False,
                metrics=[
                    metric("tAlert", answered - alerted, answered),
                    metric("tAnswered", answered - alerted, answered),
                    metric("tTalk", hung_up - answered, hung_up),
                    metric("tAcw", end - hung_up, end),
                    metric("tHandle", end - answered, end),
                ],
                segments=[
                    segment("alert", alerted, answered, **own),
                    segment("interact", answered, hung_up, "client", **own),
                    segment("wrapup", hung_up, end, **own, **_wrap_up(draw, index)),
                ],
            )
        ],
        participantName=data.NAMES[USERS.index(user) % len(data.NAMES)],
        userId=user,
    )


def _message(draw: random.Random, known: _Known, key: Key) -> Any:
    """A chat, with a hold in it."""
    start, end, length = key.start, key.end, key.end - key.start
    answered, held, back = (start + int(length * part) for part in (0.1, 0.4, 0.5))
    ours, agent = uuid(draw), uuid(draw)
    user, queue = draw.choice(USERS), draw.randrange(len(QUEUES))
    metric, segment = known.metric, known.segment
    own = {"queueId": QUEUES[queue]}
    return (
        "customer",
        "inbound",
        [
            _participant(
                draw,
                "customer",
                [
                    known.session(
                        ours,
                        "message",
                        "inbound",
                        messageType="webmessaging",
                        addressFrom=uuid(draw),
                        metrics=[metric("nConnected", 1, start)],
                        segments=[segment("interact", start, end, "peer")],
                    )
                ],
                attributes=_attributes(draw, key.place),
            ),
            _participant(
                draw,
                "agent",
                [
                    known.session(
                        agent,
                        "message",
                        "inbound",
                        peerId=ours,
                        metrics=[
                            metric("tAnswered", answered - start, answered),
                            # The same metric more than once: each part of the talk counts.
                            metric("tTalk", held - answered, held),
                            metric("tHeld", back - held, back),
                            metric("tTalk", end - back, end),
                        ],
                        segments=[
                            segment("interact", answered, held, **own),
                            segment("hold", held, back, **own),
                            segment("interact", back, end, "endpoint", **own),
                        ],
                    )
                ],
                participantName=data.NAMES[USERS.index(user) % len(data.NAMES)],
                userId=user,
            ),
        ],
    )


def _outbound(draw: random.Random, known: _Known, key: Key) -> Any:
    """A call of an agent's that nobody takes."""
    start, end = key.start, key.end
    user, ours, agent = draw.choice(USERS), uuid(draw), uuid(draw)
    dnis = f"tel:+1555010{draw.randrange(10_000):04d}"
    metric, segment = known.metric, known.segment
    return (
        "agent",
        "outbound",
        [
            _participant(
                draw,
                "agent",
                [
                    known.session(
                        agent,
                        "voice",
                        "outbound",
                        dnis=dnis,
                        metrics=[metric("nOutbound", 1, start), metric("tDialing", end - start, end)],
                        segments=[segment("dialing", start, end, "client")],
                    )
                ],
                participantName=data.NAMES[USERS.index(user) % len(data.NAMES)],
                userId=user,
            ),
            _participant(
                draw,
                "customer",
                [
                    known.session(
                        ours,
                        "voice",
                        "outbound",
                        peerId=agent,
                        dnis=dnis,
                        segments=[segment("dialing", start, end, "peer")],
                    )
                ],
            ),
        ],
    )


KINDS = (_voice, _message, _outbound)


def _thread(draw: random.Random, known: _Known, key: Key) -> Any:
    """An exchange of e-mails over 30 days: one session of the customer's, one of an agent's for each."""
    ours, user = uuid(draw), draw.choice(USERS)
    received, answered = [], []
    for number, (start, end) in enumerate(key.activity):
        read = start + 5 * MINUTE
        subject = f"Re: order {key.block}" if number else f"Order {key.block}"
        received.append(known.segment("interact", start, read, "transfer", subject=subject))
        segments = [known.segment("interact", read, end, "client", queueId=QUEUES[0], subject=subject)]
        metrics = [known.metric("tHandle", end - read, end)]
        answered.append(
            known.session(uuid(draw), "email", "inbound", peerId=ours, metrics=metrics, segments=segments)
        )
    customer = known.session(
        ours,
        "email",
        "inbound",
        addressFrom="iris.vale@example.com",
        addressTo="help@example.com",
        metrics=[known.metric("nConnected", 1, key.start)],
        segments=received,
    )
    return (
        "customer",
        "inbound",
        [
            _participant(draw, "customer", [customer], participantName="Iris Vale"),
            _participant(draw, "agent", answered, participantName=data.NAMES[0], userId=user),
        ],
    )


def _judged(draw: random.Random, whole: dict[str, Any], key: Key, style: Style, until: int) -> None:
    """Evaluations, surveys and resolutions come long after the end."""
    at, user, queue = key.end + EVALUATED_AFTER, draw.choice(USERS), draw.choice(QUEUES)
    if at > until or key.place % 5:
        return
    shared = {"eventTime": style.at(at), "userId": user}
    whole["evaluations"] = [
        {
            "evaluationId": uuid(draw),
            "formId": uuid(draw),
            "formName": "Billing v3",
            "evaluationStatus": "Finished",
            **shared,
            "released": True,
            "oTotalScore": 91,
            "oTotalCriticalScore": 100,
        }
    ]
    whole["surveys"] = [
        {
            "surveyId": uuid(draw),
            "surveyFormId": uuid(draw),
            "surveyFormName": "Calls – 日本",
            "surveyStatus": "Finished",
            "surveyPromoterScore": 9,
            "queueId": queue,
            **shared,
            "oSurveyTotalScore": 80,
        }
    ]
    whole["resolutions"] = [{"queueId": queue, **shared, "nNextContactAvoided": 1}]


def _changed(whole: dict[str, Any], key: Key, style: Style) -> None:
    if key.changed == "evaluation":
        late = {"evaluationId": whole["conversationId"], "evaluationStatus": "Finished", "oTotalScore": 12}
        whole["evaluations"] = [*whole.get("evaluations", ()), late]
    if key.changed == "wrap_up" or key.again == 2:
        segment = {
            "segmentType": "wrapup",
            "conference": False,
            "segmentStart": style.at(key.end),
            "segmentEnd": style.at(key.end + MINUTE),
            "wrapUpCode": WRAP_UP_CODES[0],
        }
        session = whole["participants"][-1]["sessions"][-1]
        session["segments"] = [*session["segments"], segment]


def _newer(whole: dict[str, Any]) -> None:
    """Fields and words that no document has yet."""
    whole |= {"sandboxField": {"nested": [1, None]}, "conversationInitiator": "hologram"}
    for participant in whole["participants"]:
        participant |= {"sandboxField": "new", "purpose": "oracle"}
        for session in participant["sessions"]:
            session |= {"sandboxField": 1.5, "mediaType": "telepathy"}
            for segment in session["segments"]:
                segment |= {"sandboxField": None, "segmentType": "pondering"}


def _blown_up(whole: dict[str, Any]) -> None:
    """About 5 MB: 400 participants and everything that is hard to read."""
    awkward = {
        "control": "\x00\x01\x1f\x7f",
        "half an emoji": "\ud83d",
        "emoji": "😀" * 8,
        "long": "x" * 1_024,
        '"quoted"\n': "back\\slash",
    }
    first = whole["participants"][0]
    session = first["sessions"][0]
    session["metrics"] = [
        *session.get("metrics", ()),
        {"name": "nConnected", "value": 2**53 + 1, "emitDate": whole["conversationStart"]},
    ]
    numbered = {f"{number:03d}": "y" * 1_024 for number in range(11)}
    whole["participants"] += [
        {
            **first,
            "participantId": f"{number:08x}-0000-4000-8000-000000000000",
            "attributes": awkward | numbered,
        }
        for number in range(400 - len(whole["participants"]))
    ]
