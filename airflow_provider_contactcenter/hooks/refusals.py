"""From a vendor's refusal to the error a task fails with: class, whole message, advice."""

from __future__ import annotations

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

SUBMIT_AGAIN = "A retry submits the report again; if another task submitted it, clear that one."

#: refusal -> (error class, what to do next)
ERRORS: dict[RefusalKind, tuple[type[exceptions.ContactCenterError], str]] = {
    "authentication": (
        exceptions.ContactCenterAuthenticationError,
        "Check the connection's credentials.",
    ),
    "permission": (
        exceptions.ContactCenterPermissionError,
        "Have the vendor's administrator grant what is missing.",
    ),
    "invalid": (
        exceptions.ContactCenterInvalidReportError,
        "Correct the report's parameters or the connection.",
    ),
    "missing": (
        exceptions.ContactCenterNotFoundError,
        "Check the report's type and the connection's account; if the job is gone, clear the task that "
        "submitted it.",
    ),
    "quota": (
        exceptions.ContactCenterQuotaError,
        "Let fewer reports run at a time, for instance with a pool that counts deferred tasks.",
    ),
    "unreachable": (
        exceptions.ContactCenterUnavailableError,
        "Nothing was sent; check host, proxy and network, or retry.",
    ),
    "unavailable": (exceptions.ContactCenterUnavailableError, "Retry later."),
    "lost": (
        exceptions.ContactCenterUnavailableError,
        "Retry later.",
    ),
    "failed": (exceptions.ContactCenterReportFailedError, SUBMIT_AGAIN),
    "expired": (exceptions.ContactCenterExpiredError, SUBMIT_AGAIN),
    "incomplete": (
        exceptions.ContactCenterIncompleteError,
        "Nothing was published; a retry of the task fetches the report again.",
    ),
    "undecodable": (
        exceptions.ContactCenterInvalidReportError,
        "Nothing was published; have the proxy or gateway on the way leave Accept-Encoding as it is.",
    ),
    "capped": (
        exceptions.ContactCenterCappedError,
        "Nothing was published, and a retry would meet the same limit.",
    ),
}


def error_of(
    vendor: Vendor, refusal: Refusal, conn_id: str, job_id: str | None
) -> exceptions.ContactCenterError:
    """The error for a refusal, its message complete: vendor, connection, job, the vendor's words, advice."""
    error_class, usual = ERRORS[refusal.kind]
    advice = vendor.advice.get(refusal.kind, usual) if refusal.advice is None else refusal.advice
    words, advice = vendor.form.labelled(refusal.words), vendor.form.labelled(advice)
    return error_class(message(vendor.title, conn_id, job_id, words, advice, vendor.noun))


def message(title: str, conn_id: str, job_id: str | None, words: str, advice: str, noun: str = "job") -> str:
    """What happened, and what to do on a line of its own: a log cuts a long line off at its end.

    :param noun: what the vendor calls a job.
    """
    job = f", {noun} {job_id}" if job_id else ""
    sentence = ended(words)
    return f"{title} (connection {conn_id}{job}): {sentence}\n{ended(advice)}".rstrip()


def ended(words: str) -> str:
    """Words as a sentence."""
    return words if not words or words.endswith(("?", "!")) else f"{words.rstrip('.')}."
