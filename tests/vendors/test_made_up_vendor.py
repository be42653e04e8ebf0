"""A vendor of another distribution runs through the same parts, without a change in the package."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_contactcenter import exceptions
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.hooks import form, hook_class, hook_for
from airflow_provider_contactcenter.hooks.base import ContactCenterHook
from airflow_provider_contactcenter.nouns import window_of
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.intake import check_early, check_report
from tests.third_party_vendor.acme_contactcenter.reports import acme_agents, acme_calls
from tests.third_party_vendor.acme_contactcenter.vendor import VENDOR
from tests.wire import Asked, Wire, reply

DAY = {"start": "2024-05-01T00:00:00+00:00", "end": "2024-05-02T00:00:00+00:00"}
SECRET = "fake-signing-secret"
MODULE = VENDOR.submit.__module__


def forget_vendors() -> None:
    for cached in (registry._theirs, registry.vendor, hook_class):
        cached.cache_clear()


def bring(folder: Path, monkeypatch: pytest.MonkeyPatch, entry_points: str) -> None:
    """Put a distribution on the path, as an installation would."""
    metadata = folder / "acme_reports-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-reports\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entry_points}\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    forget_vendors()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    bring(tmp_path, monkeypatch, f"acme = {MODULE}:VENDOR")
    yield
    monkeypatch.undo()
    forget_vendors()


class Acme:
    """The vendor's servers: one for the API, one for the files."""

    def __init__(self) -> None:
        self.looks = 0
        self.word = "FINISHED"
        self.api = Wire(self.answer)
        self.files = Wire(self.file)

    def answer(self, asked: Asked) -> bytes:
        method, path, _ = asked.line.split()
        if method == "GET" and path == "/echo":
            return reply(400, {"message": f"you signed with {SECRET}"})
        if not self.signed(asked):
            return reply(401, {"message": "no such signature"})
        if path == "/watermark":
            return reply(200, {"until": "2024-05-02T03:00:00+00:00"})
        if method == "POST":
            return reply(200, {"order": "o/1"})
        if method == "DELETE":
            return reply(204)
        self.looks += 1
        files = [f"{self.files.origin}/o1/{number}.json" for number in range(2)]
        return reply(200, {"state": "WORKING" if self.looks == 1 else self.word, "files": files})

    def file(self, asked: Asked) -> bytes:
        if not self.signed(asked):
            return reply(403)
        return reply(200, [{"id": 1}, {"id": 2}] if asked.target.endswith("/0.json") else [{"id": 3}])

    @staticmethod
    def signed(asked: Asked) -> bool:
        made = hmac.new(SECRET.encode(), asked.body or asked.target.encode(), hashlib.sha256).hexdigest()
        return asked.headers.get("x-acme-signature") == made


@pytest.fixture
def acme(installed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acme]:
    servers = Acme()
    with servers.api, servers.files:
        extra = {"files": servers.files.origin, "signing": SECRET}
        values = {"conn_type": "acme", "host": servers.api.origin, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_ACME_DEFAULT", json.dumps(values))
        yield servers


def test_a_report_is_submitted_looked_at_and_streamed_by_a_hook_made_of_the_description(acme: Acme) -> None:
    hook = hook_for(acme_calls(**DAY))
    assert type(hook).__name__ == "AcmeHook"
    assert isinstance(hook, ContactCenterHook)
    assert (hook.conn_type, hook.default_conn_name, hook.hook_name) == ("acme", "acme_default", "Acme Calls")
    job = hook.submit(acme_calls(**DAY, team="billing"))
    assert job["job_id"] == "o/1"
    assert json.loads(acme.api.asked[0].body) == {
        "kind": "calls",
        "label": None,
        "from": 1714521600.0,
        "to": 1714608000.0,
        "team": "billing",
    }
    assert [hook.get_status(job)["state"] for _ in range(2)] == ["running", "ready"]
    stream = hook.stream(job)
    assert b"".join(stream) == b'{"id":1}\n{"id":2}\n{"id":3}\n'
    assert (stream.rows, stream.complete) == (3, True)
    assert acme.files.targets == ["GET /o1/0.json", "GET /o1/1.json"]


def test_a_report_may_have_no_window(acme: Acme) -> None:
    report = acme_agents()
    assert window_of(report) is None
    assert check_report(report, now=datetime.now(UTC)) == report
    job = hook_for(report).submit(report)
    assert json.loads(acme.api.asked[-1].body) == {"kind": "agents", "label": None}
    assert job["report"] == report


def test_a_report_that_was_made_only_in_part_has_failed(acme: Acme) -> None:
    acme.word, acme.looks = "SHORT", 1
    hook = hook_for(acme_agents())
    status = hook.get_status(hook.submit(acme_agents()))
    assert (status["state"], status["vendor_status"]) == ("failed", "SHORT")
    assert status["reason"] == "the report was made only in part"


def test_cancel_and_watermark_are_operations_like_any_other(acme: Acme) -> None:
    hook = hook_for(acme_calls(**DAY))
    job = hook.submit(acme_calls(**DAY))
    assert VENDOR.cancel is not None
    assert VENDOR.available_until is not None
    assert hook.driver.run(VENDOR.cancel(job)) is True
    assert hook.driver.run(VENDOR.available_until(job["report"])) == datetime(2024, 5, 2, 3, tzinfo=UTC)


def test_a_refusal_is_in_the_vendors_words_and_without_the_secret_that_it_declares(acme: Acme) -> None:
    from airflow_provider_contactcenter.vendors.protocol.messages import Request

    hook = hook_for(acme_agents())

    def echo() -> Any:
        yield Request("GET", "/echo")

    try:
        hook.driver.run(echo())
    except Exception as refusal:
        error = hook.error(refusal, hook.submit(acme_agents()))  # type: ignore[arg-type]
    assert "Acme Calls (connection acme_default, order o/1): HTTP 400: you signed with ***" in str(error)
    assert SECRET not in str(error)
    assert hook.test_connection() == (True, f"Acme at {acme.api.origin} takes the signature")


def test_an_empty_field_is_named_as_the_form_shows_it(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"conn_type": "acme", "host": acme.api.origin, "extra": {"files": "http://127.0.0.1:9"}}
    monkeypatch.setenv("AIRFLOW_CONN_ACME_DEFAULT", json.dumps(values))
    with pytest.raises(exceptions.ContactCenterAuthenticationError, match="signing is empty"):
        hook_for(acme_agents()).submit(acme_agents())


@pytest.mark.usefixtures("installed")
def test_its_reports_are_checked_like_ours() -> None:
    assert "acme" in registry.names()
    assert registry.builders()["acme", "calls"] is acme_calls
    with pytest.raises(InvalidValue, match="team="):
        check_early({**acme_calls(**DAY), "params": {**DAY, "team": 5.5}})
    with pytest.raises(InvalidValue, match="at most 7 days in one report"):
        acme_calls(start=DAY["start"], end="2024-05-09T00:00:00Z")
    with pytest.raises(InvalidValue, match="kind='chats' is not known: the kinds of vendor='acme' are calls"):
        check_report({**acme_calls(**DAY), "kind": "chats"})


@pytest.mark.usefixtures("installed")
def test_its_form_is_made_of_its_description() -> None:
    declared = form.connection_type(VENDOR, "acme.hooks.AcmeHook")
    assert declared["connection-type"] == "acme"
    assert declared["ui-field-behaviour"]["hidden-fields"] == ["schema", "login", "password", "port"]
    assert declared["conn-fields"]["signing"]["schema"]["format"] == "password"
    assert declared["conn-fields"].keys() == {"files", "signing", "timeout", "verify", "cert", "proxy"}


@pytest.mark.parametrize(
    ("entry_point", "words"),
    [
        (
            "acme = tests.vendors.no_such_module:VENDOR",
            "can't be loaded: tests.vendors.no_such",
        ),
        (
            f"acme = {MODULE}:FORM",
            "has to be a Vendor whose name is that",
        ),
        (
            f"other = {MODULE}:VENDOR",
            "is not known: there are talkdesk",
        ),
    ],
)
def test_a_distribution_that_brings_no_vendor_is_named(
    entry_point: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        bring(tmp_path, patched, entry_point)
        with pytest.raises(InvalidValue, match=rf"^vendor='acme' .*{words}"):
            registry.vendor("acme")
    forget_vendors()


def test_ours_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        bring(tmp_path, patched, f"talkdesk = {MODULE}:VENDOR")
        assert registry.vendor("talkdesk").title == "Talkdesk Explore"
        assert registry.names().count("talkdesk") == 1
    forget_vendors()
