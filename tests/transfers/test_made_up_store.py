"""A store of somebody's own, written outside this package: a protocol and an operator of some lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.shapes import shape
from airflow_provider_contactcenter.stores.base import ObjectExists, Readable, Store, Stored
from airflow_provider_contactcenter.transfers.base import ContactCenterTransferOperator, template_fields
from tests.transfers.conftest import calls, context


class ShelfStore:
    """Objects on a shelf, which is a dict."""

    shelf: ClassVar[dict[str, bytes]] = {}
    console = None

    def __init__(self, name: str, *, hasty: bool = False) -> None:
        self.name = name
        self.hasty = hasty

    @property
    def uri(self) -> str:
        return f"shelf://{self.name}"

    @property
    def dataset(self) -> tuple[str, str]:
        return "shelf", self.name

    def check(self, *, replace: bool = True) -> None:
        if self.name.startswith("locked/"):
            raise PermissionError("the shelf is locked")

    def exists(self) -> bool:
        return self.name in self.shelf

    def read(self) -> Iterator[bytes]:
        yield self.shelf[self.name]

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        whole = body.read(1000) if self.hasty else body.read()
        if not replace and self.exists():
            raise ObjectExists(self.uri)
        self.shelf[self.name] = whole
        return Stored(etag=str(len(whole)))

    def delete(self) -> None:
        self.shelf.pop(self.name, None)

    def at(self, name: str) -> ShelfStore:
        return ShelfStore(name)


class ContactCenterToShelfOperator(ContactCenterTransferOperator):
    """Lands a report on the shelf."""

    template_fields = template_fields("name")

    def __init__(self, *, name: str, hasty: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.hasty = hasty

    def store(self) -> Store:
        return ShelfStore(self.name, hasty=self.hasty)


def landed(name: str, **values: Any) -> Any:
    values = {"report": calls(), "deferrable": False, "poll_interval": 0.05, **values}
    return ContactCenterToShelfOperator(task_id="calls", name=name, **values).execute(context())


@pytest.fixture(autouse=True)
def empty_shelf() -> None:
    ShelfStore.shelf.clear()


def test_a_report_lands_in_a_made_up_store_with_all_that_a_transfer_offers(sandbox: Sandbox) -> None:
    delivery = landed("calls.csv.gz", compression="gzip", shape=shape(rename="snake"), manifest="calls.json")
    assert (delivery["uri"], delivery["rows"]) == ("shelf://calls.csv.gz", 40)
    assert delivery["store"] == {"etag": str(delivery["bytes"])}
    said = json.loads(ShelfStore.shelf["calls.json"])
    assert (said["uri"], said["sha256"]) == (delivery["uri"], delivery["sha256"])


def test_an_incomplete_report_leaves_a_made_up_store_as_it_was(sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", json_total="wrong")
    with pytest.raises(exceptions.ContactCenterIncompleteError):
        landed("calls.json", report=calls(file_format="json"))
    assert ShelfStore.shelf == {}


@pytest.mark.parametrize(
    ("on_exists", "ending"),
    [("fail", exceptions.ContactCenterObjectExistsError), ("skip", AirflowSkipException)],
)
def test_what_stands_in_a_made_up_store_is_not_replaced(
    sandbox: Sandbox, on_exists: Any, ending: type[Exception]
) -> None:
    ShelfStore.shelf["calls.csv"] = b"old"
    with pytest.raises(ending, match=r"there is an object at shelf://calls\.csv"):
        landed("calls.csv", replace=False, on_exists=on_exists)
    assert ShelfStore.shelf == {"calls.csv": b"old"}
    assert sandbox.journal() == []


def test_what_a_made_up_store_refuses_costs_no_report(sandbox: Sandbox) -> None:
    with pytest.raises(exceptions.ContactCenterStoreError, match=r"is locked\)\.\sNothing was submitted"):
        landed("locked/calls.csv")
    assert sandbox.journal() == []


def test_a_store_that_does_not_read_to_the_end_fails_the_task(sandbox: Sandbox) -> None:
    with pytest.raises(exceptions.ContactCenterStoreError, match="1000 bytes and did not ask for the rest"):
        landed("calls.csv", hasty=True)
