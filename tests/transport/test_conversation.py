"""Second tries, pauses and renewals as the pure conversation asks for them: nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.conversation import Pause, TokenWanted, converse
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

BASE = "https://api.example"
VENDOR = registry.vendor("talkdesk")
#: what the network does to one request, given how many seconds have passed
Network = Callable[[Request, float], Answer | Refusal]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    return Answer(
        status, {name.replace("_", "-").lower(): value for name, value in headers.items()}, body, BASE
    )


def settings() -> Settings:
    fields = ConnectionFields("wire", BASE, None, None, "client-1", "sentinel-secret-1", {"account": "acme"})
    return VENDOR.settings(fields)


def get(**how: Any) -> Operation[Answer]:
    return (yield Request("GET", "/thing", **how))


class Played:
    """Does what a driver does, without a network and without waiting."""

    def __init__(
        self,
        network: Network,
        operation: Operation[Any] | None = None,
        vendor: Vendor = VENDOR,
        attempts: int = policy.ATTEMPTS,
        takes: float = 0.0,
    ) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.sent: list[Request] = []
        self.tokens: list[Token | None] = []
        self.result: Any = None
        self.refusal: Refusal | None = None
        talk = converse(vendor, settings(), operation or get(), attempts, lambda: self.now)
        step: Callable[[], Any] = lambda: next(talk)  # noqa: E731
        try:
            while True:
                wanted = step()
                given: Any = None
                if isinstance(wanted, Pause):
                    self.pauses.append(wanted.seconds)
                    self.now += wanted.seconds
                elif isinstance(wanted, TokenWanted):
                    self.tokens.append(wanted.stale)
                    given = Token(f"sentinel-token-{len(self.tokens)}", 600)
                else:
                    self.sent.append(wanted)
                    given = network(wanted, self.now)
                    self.now += takes
                step = (
                    (lambda given=given: talk.throw(given))  # type: ignore[misc]
                    if isinstance(given, Refusal)
                    else (lambda given=given: talk.send(given))  # type: ignore[misc]
                )
        except StopIteration as stop:
            self.result = stop.value
        except Refusal as refusal:
            self.refusal = refusal


@pytest.mark.parametrize(
    "said", [answer(503), Refusal("unreachable", "no"), Refusal("lost", "no")], ids=["503", "refused", "lost"]
)
def test_an_outage_is_bounded_by_time(said: Any) -> None:
    played = Played(lambda request, now: said if now < 250 else answer())
    assert played.result is not None
    played = Played(lambda request, now: said)
    assert played.refusal is not None and played.refusal.passing
    assert 280 < sum(played.pauses) <= 300


def test_what_each_try_takes_counts_as_well() -> None:
    played = Played(lambda request, now: Refusal("lost", "no"), takes=60)
    assert played.now <= policy.OUTAGE + 2 * 60
    assert len(played.sent) <= 7


def test_the_pauses_grow_and_heed_what_the_vendor_asks_for() -> None:
    played = Played(lambda request, now: answer(503))
    assert all(
        0.8 * grown <= pause <= 1.2 * grown
        for pause, grown in zip(played.pauses, (0.5, 1, 2, 4), strict=False)
    )
    assert max(played.pauses) <= 18
    assert Played(lambda request, now: answer(429, retry_after="40") if now < 40 else answer()).pauses == [40]
    assert Played(lambda request, now: answer(429, retry_after="61")).pauses == []


@pytest.mark.parametrize("header", ["inin_ratelimit_reset", "x_ratelimit_reset", "ratelimit_reset"])
def test_a_limit_that_was_met_is_waited_for_as_the_vendors_own_header_says(header: str) -> None:
    met = {header: "40"}
    assert Played(lambda request, now: answer(429, **met) if now < 40 else answer()).pauses == [40]
    # Every answer of the vendor's has it: it says nothing about an outage.
    assert Played(lambda request, now: answer(503, **met) if now < 0.1 else answer()).pauses[0] < 1
    assert Played(
        lambda request, now: answer(429, retry_after="20", **met) if now < 20 else answer()
    ).pauses == [20]
    at = str(int(datetime.now(UTC).timestamp()) + 50)
    [pause] = Played(lambda request, now: answer(429, **{header: at}) if now < 30 else answer()).pauses
    assert 45 < pause <= 50


def test_a_poll_is_sent_once() -> None:
    played = Played(lambda request, now: answer(503), attempts=1)
    assert (len(played.sent), played.pauses) == (1, [])


def test_an_answer_that_makes_no_sense_is_bounded_by_count() -> None:
    played = Played(lambda request, now: Refusal("lost", "it is no sound gzip stream", status=200))
    assert len(played.sent) == 1 + policy.REOPENINGS


@pytest.mark.parametrize(
    ("said", "sent", "kind"),
    [
        (answer(500), 1, "lost"),
        (answer(503), 1, "unavailable"),
        (Refusal("lost", "no"), 1, "lost"),
        (answer(503, retry_after="5"), 30, "unavailable"),
        (Refusal("unreachable", "no"), 26, "unreachable"),
    ],
)
def test_what_may_not_be_done_twice_keeps_its_rule(said: Any, sent: int, kind: str) -> None:
    played = Played(lambda request, now: said, get(idempotent=False))
    assert played.refusal is not None and played.refusal.kind == kind
    assert sent == 1 == len(played.sent) or 20 <= len(played.sent) <= sent


def test_a_401_renews_the_token_once() -> None:
    played = Played(lambda request, now: answer(401))
    assert [token and token.value for token in played.tokens] == [None, "sentinel-token-1"]
    assert played.refusal is not None and played.refusal.kind == "authentication"
    assert played.pauses == []


def test_a_refusal_has_the_meaning_that_the_vendor_gives_it() -> None:
    def refused(refusal: Refusal, given: Answer) -> Refusal:
        code = given.headers["x-code"]
        kind = "permission" if code == "ip" else refusal.kind
        return Refusal(kind, f"{refusal.words} ({code}) sentinel-secret-1", retry_after=30)

    vendor = replace(VENDOR, refused=refused)
    played = Played(lambda request, now: answer(401, x_code="ip"), vendor=vendor)
    assert played.refusal is not None
    assert (played.refusal.kind, played.refusal.status) == ("permission", 401)
    assert played.refusal.words == "HTTP 401: {} (ip) ***"
    assert len(played.tokens) == 1, "another token would not help"
    played = Played(lambda request, now: answer(429, x_code="a") if now < 30 else answer(), vendor=vendor)
    assert played.pauses == [30], "the seconds are the vendor's as well"
