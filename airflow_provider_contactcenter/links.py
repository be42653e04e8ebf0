"""Links on a task in Airflow's UI: the object that landed, and the vendor's documentation.

Airflow 3 asks for them on the worker at the end of every run, where the operator itself knows: an XCom that
isn't there would be an error in the log of a green task. The webserver of 2.11 asks with a serialised
operator, which has run nothing, so XCom tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.vendors import registry

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey

#: the XCom with the landed object's address in its console
OBJECT = "object_link"
#: the XCom with the id of the job, as soon as there is one
JOB_ID = "job_id"


class LandedObjectLink(BaseOperatorLink):
    """The landed object in its store's console; nothing before it has landed, or where there is none.

    The worker writes the address down when the object has landed, for it alone knows the store's endpoint.
    """

    name = "Landed object"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The console's URL, or an empty string."""
        current = getattr(operator, "current", None)
        if current is None:
            return str(XCom.get_value(ti_key=ti_key, key=OBJECT) or "")
        return getattr(current.run and current.run.goal, "console", None) or ""


class VendorDocsLink(BaseOperatorLink):
    """The vendor's documentation of the API that the task's report comes from."""

    name = "Vendor's documentation"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The page's URL, or an empty string where nobody knows the vendor."""
        for noun in _nouns(operator, ti_key):
            named = noun.get("job", noun) if isinstance(noun, Mapping) else {}
            try:
                return registry.vendor(str(named["vendor"])).docs
            except (InvalidValue, KeyError, TypeError):
                continue
        return ""


def _nouns(operator: BaseOperator, ti_key: TaskInstanceKey) -> Iterator[Any]:
    """What may name the vendor; XCom is asked only if the operator doesn't."""
    yield getattr(operator, "report", None)
    yield getattr(operator, "job", None)
    yield XCom.get_value(ti_key=ti_key, key="return_value")
