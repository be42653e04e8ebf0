"""How a wait ended, and the error that a task fails with for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterError, ContactCenterTimeoutError
from airflow_provider_contactcenter.life.waiting import LIFE, Event, event
from airflow_provider_contactcenter.vendors.intake import check_job
from airflow_provider_contactcenter.vendors.protocol.refusals import NO_FILE, Refusal

if TYPE_CHECKING:
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook
    from airflow_provider_contactcenter.nouns import Job


def heard(fired: object) -> Event:
    """A trigger's event as it came back from the database; keys that a later release added are passed over.

    :raises ContactCenterError: it doesn't say how the wait ended, so the task can't go on.
    """
    try:
        if not isinstance(fired, Mapping) or fired.get("status") not in LIFE:
            raise InvalidValue("no known status")
        details: list[Any] = [fired.get(name) for name in ("vendor_status", "reason", "refusal", "advice")]
        return event(check_job(fired.get("job")), fired["status"], *details)
    except InvalidValue:
        raise ContactCenterError(
            f"The trigger's event {fired!r} does not say how the waiting ended. Let worker and triggerer run "
            "the same release; a retry waits again."
        ) from None


def error_of(ended: Event, hook: ContactCenterHook, limits: str) -> ContactCenterError:
    """The error that a wait stands for which did not end in ``ready``.

    :param limits: the parameters that may have ended it.
    """
    from airflow_provider_contactcenter.hooks.refusals import ERRORS

    job, words = ended["job"], ended["reason"] or "the vendor gives no reason"
    if ended["status"] == "refused":
        # Another release's triggerer may tell more kinds apart.
        kind = ended["refusal"] if ended["refusal"] in ERRORS else "invalid"
        return hook.error(Refusal(kind, words, advice=ended["advice"]), job)
    if ended["status"] != "timeout":
        return hook.error(
            Refusal(NO_FILE[ended["status"]], f"the vendor says {ended['vendor_status']}: {words}"), job
        )
    said = f"it last said {ended['vendor_status']}" if ended["vendor_status"] else "it said nothing yet"
    if ended["reason"]:
        said += f"; the last look failed: {ended['reason']}"
    return ContactCenterTimeoutError(
        message(
            hook,
            job,
            f"the report submitted at {job['submitted_at']} was not ready before the deadline; {said}",
            f"The report runs on at the vendor; raise {limits} if such reports take longer.",
        )
    )


def message(hook: ContactCenterHook, job: Job | None, words: str, advice: str) -> str:
    """What is whole in itself: vendor, connection, job if there is one, what happened, what to do."""
    from airflow_provider_contactcenter.hooks.refusals import message

    job_id = job["job_id"] if job else None
    return message(hook.vendor.title, hook.conn_id, job_id, words, advice, hook.vendor.noun)
