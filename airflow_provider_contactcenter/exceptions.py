"""What a task fails with: one class per cause, each message complete in itself.

A message says vendor, connection id, job id, what the vendor said and what to do next. Errors that a
retry can't mend are also :class:`AirflowFailException`, so Airflow doesn't retry them; all others obey
the task's ``retries``. Airflow 3.3's ``ExceptionRetryPolicy`` can tell them apart by class.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException


class ContactCenterError(AirflowException):
    """Base of all errors of this package."""


class ContactCenterAuthenticationError(ContactCenterError, AirflowFailException):
    """The vendor refused the credentials (401, or the token endpoint's refusal). Not retried."""


class ContactCenterPermissionError(ContactCenterError, AirflowFailException):
    """The credentials are right but lack a scope or a licence (403). Not retried."""


class ContactCenterInvalidReportError(ContactCenterError, AirflowFailException, ValueError):
    """A parameter can't be used, by this package's checks or by the vendor's (400). Not retried."""


class ContactCenterNotFoundError(ContactCenterError, AirflowFailException):
    """The vendor knows no such report or job (404, 410). Not retried: clear the task instead."""


class ContactCenterQuotaError(ContactCenterError):
    """The vendor takes no more reports for now (429).

    :ivar retry_after: seconds that the vendor asked to wait, None if it did not say.
    """

    retry_after: float | None = None


class ContactCenterUnavailableError(ContactCenterError):
    """The vendor could not be reached or did not answer properly, several times over."""


class ContactCenterSubmitLostError(ContactCenterError):
    """A report was submitted and the answer never came: it may exist at the vendor."""


class ContactCenterReportFailedError(ContactCenterError):
    """The vendor says that the report failed or was cancelled."""


class ContactCenterExpiredError(ContactCenterError):
    """The report's file is gone: deleted, or kept no longer (404, 410 for a job that is ready)."""


class ContactCenterTimeoutError(ContactCenterError):
    """The report was not ready before the deadline; it runs on at the vendor."""


class ContactCenterIncompleteError(ContactCenterError):
    """What came is proved not to be the whole report; nothing was published."""


class ContactCenterCappedError(ContactCenterIncompleteError, AirflowFailException):
    """The vendor cuts reports of this length in this format; nothing was published. Not retried."""


class ContactCenterObjectExistsError(ContactCenterError, AirflowFailException):
    """``replace=False`` and there is an object under the key already. Not retried."""


class ContactCenterStoreError(ContactCenterError):
    """The store refused the object or broke off; nothing was published. A retry fetches the report again."""


class ContactCenterEmptyError(ContactCenterError):
    """The report holds no rows, and ``on_empty="fail"``."""


class ContactCenterShapeError(ContactCenterError, AirflowFailException):
    """The file can't be brought into the shape: a column isn't there, a value doesn't fit. Not retried.

    Its message names columns and rows, never a value; nothing was published.
    """
