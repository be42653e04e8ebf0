"""What vendors make of refusals that are none of theirs, and that advice survives their own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_contactcenter.nouns import Report, new_job
from airflow_provider_contactcenter.reports import (
    eight_by_eight_call_legs,
    eight_by_eight_detailed_report,
    genesys_conversations,
    vspark_stats,
)
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.eight_by_eight_work.api import Scrolled
from airflow_provider_contactcenter.vendors.genesys_cloud.api import Cursor
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings
from airflow_provider_contactcenter.vendors.protocol.messages import Operation
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
#: none of them is the vendor's own
FOREIGN = {
    "a certificate": Refusal("invalid", "the certificate can't be verified", advice="Trust it."),
    "a coding": Refusal("undecodable", "it is packed as 'br'", status=200, advice="Trust it."),
}
WITH_TOKEN = ("talkdesk", "eight_by_eight_cc", "eight_by_eight_work", "genesys_cloud")


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, Settings]]:
    """vendor -> its connection to the sandbox."""
    with Sandbox() as sandbox:
        made = {}
        for conn_id, known in sandbox.connections.items():
            fields = ConnectionFields(
                conn_id=conn_id,
                host=known["host"],
                schema=None,
                port=None,
                login=known.get("login"),
                password=known.get("password"),
                extra=known["extra"],
            )
            made[known["conn_type"]] = registry.vendor(known["conn_type"]).settings(fields)
        yield made


def told(operation: Operation[Any], refusal: Refusal) -> Refusal:
    """What an operation makes of a refusal of its first request."""
    next(operation)
    with pytest.raises(Refusal) as made:
        operation.throw(refusal.but())
    return made.value


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("vendor", WITH_TOKEN)
def test_what_the_token_endpoint_did_not_say_is_no_question_of_credentials(
    settings: dict[str, Settings], vendor: str, what: str
) -> None:
    operation = registry.vendor(vendor).authenticate(settings[vendor])
    assert operation is not None
    refusal = told(operation, FOREIGN[what])
    assert (refusal.kind, refusal.words, refusal.advice) == (
        FOREIGN[what].kind, FOREIGN[what].words, "Trust it.",
    )  # fmt: skip


@pytest.mark.parametrize("vendor", WITH_TOKEN)
def test_advice_survives_what_a_vendor_makes_of_a_refused_token(
    settings: dict[str, Settings], vendor: str
) -> None:
    operation = registry.vendor(vendor).authenticate(settings[vendor])
    assert operation is not None
    refusal = told(operation, Refusal("invalid", "HTTP 400: no", status=400, advice="Ask Ann."))
    assert (refusal.kind, refusal.status, refusal.advice) == ("authentication", 400, "Ask Ann.")


#: a report, and the cursor of its second page
SCROLLS: dict[str, tuple[Report, Any]] = {
    "eight_by_eight_cc": (
        eight_by_eight_detailed_report("detailed-reports-interaction-details", **WINDOW),
        "last-document",
    ),
    "eight_by_eight_work": (eight_by_eight_call_legs(pbx_id="acmecorp", **WINDOW), Scrolled("scroll-id", 2)),
    "genesys_cloud": (genesys_conversations(**WINDOW), Cursor("c", 1000, None)),
}


def second_page(vendor: str) -> Operation[Any]:
    report, cursor = SCROLLS[vendor]
    job = new_job(report, "4711")
    page: Operation[Any] = registry.vendor(vendor).content(job).page(cursor)  # type: ignore[union-attr]
    return page


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("vendor", SCROLLS)
def test_in_mid_scroll_a_refusal_that_is_not_the_vendors_stays_what_it_is(vendor: str, what: str) -> None:
    refusal = told(second_page(vendor), FOREIGN[what])
    assert (refusal.kind, refusal.advice) == (FOREIGN[what].kind, "Trust it.")


@pytest.mark.parametrize("vendor", SCROLLS)
def test_advice_survives_a_scroll_that_breaks_off(vendor: str) -> None:
    refusal = told(second_page(vendor), Refusal("missing", "HTTP 404: no", status=404, advice="Ask Ann."))
    # Where a cursor is of a job, a 404 is the job's end.
    kind = "missing" if vendor == "genesys_cloud" else "incomplete"
    assert (refusal.kind, refusal.status, refusal.advice) == (kind, 404, "Ask Ann.")
    assert "broke off: HTTP 404: no" in refusal.words


def test_advice_survives_what_vspark_means_by_400() -> None:
    report = vspark_stats(company="A", organization="A-B", **WINDOW)
    content = registry.vendor("vspark").content(new_job(report, None))
    said = Refusal("invalid", "HTTP 400: Invalid token was provided", status=400, advice="Ask Ann.")
    refusal = told(content.open(), said)  # type: ignore[union-attr]
    assert (refusal.kind, refusal.advice) == ("authentication", "Ask Ann.")
    unsaid = Refusal("invalid", "the certificate names no such organization; token", advice="Trust it.")
    assert told(content.open(), unsaid).kind == "invalid"  # type: ignore[union-attr]
