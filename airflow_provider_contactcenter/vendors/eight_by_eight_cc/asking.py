"""What all requests to 8x8 Contact Center share, and what to do about their refusals."""

from __future__ import annotations

import re

from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request, quoted
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal

#: The vendor also speaks XML.
JSON = {"Accept": "application/json"}

PRODUCT = (
    "The API key needs the product 'analytics realtime-api' (8x8 Admin Console, API keys), and a new key "
    "works after some minutes"
)
#: words of a refusal, or its status -> what to do about it
_ADVICE = (
    (
        "x-tenant-info",
        "The connection's extra 'tenant_id' (sent as X-Tenant-Info) has to hold the id of the tenant",
    ),
    (
        "time ?zone",
        "The report's timezone has to be the tenant's default zone or one of its configured optional zones",
    ),
    ("^http (401|403)", PRODUCT),
)


def ask(request: Request) -> Operation[Answer]:
    """Send a request; a refusal gets what to do about it."""
    try:
        answer = yield request
    except Refusal as refusal:
        advice = [text for words, text in _ADVICE if re.search(words, refusal.words, re.IGNORECASE)]
        if refusal.passing or not advice:
            raise
        raise refusal.advised(advice[0]) from None
    return answer


def path_of(job: Job) -> str:
    """Where a job is, below the API's base."""
    return f"/{quoted(str(job['job_id']))}"
