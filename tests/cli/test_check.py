from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from airflow_provider_contactcenter.sandbox import Sandbox
from tests.cli.conftest import Command


@pytest.fixture
def database() -> Iterator[str]:
    """A connection in Airflow's metadata database, under a name that no environment has."""
    from airflow import settings
    from airflow.models import Connection
    from airflow.utils.session import create_session

    settings.configure_orm()
    tables = [Connection.__table__, *(key.column.table for key in Connection.__table__.foreign_keys)]
    Connection.metadata.create_all(settings.engine, tables)
    with create_session() as session:
        session.add(
            Connection(
                conn_id="talkdesk_stored", conn_type="talkdesk", host="http://127.0.0.1:9", login="someone"
            )
        )
        session.add(Connection(conn_id="a_store", conn_type="aws"))
    yield "talkdesk_stored"
    Connection.metadata.drop_all(settings.engine, tables)


def secrets_of(sandbox: Sandbox) -> list[str]:
    return [each["password"] for each in sandbox.connections.values() if each.get("password")]


def test_a_database_that_nobody_migrated_yet_is_named_with_its_cure(
    sandbox: Sandbox, contactcenter: Command
) -> None:
    done = contactcenter("check")
    assert done.status == 0
    assert "has no tables yet" in done.err
    assert "run 'airflow db migrate'" in done.err
    done = contactcenter("check", "nowhere")
    assert done.status == 1
    assert done.out.endswith("run 'airflow db migrate'.\n")


def test_each_connection_that_can_be_listed_gets_a_line_in_its_vendors_words(
    sandbox: Sandbox, contactcenter: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_A_STORE", json.dumps({"conn_type": "aws", "login": "someone"}))
    done = contactcenter("check")
    assert done.status == 0
    lines = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert lines.keys() == sandbox.connections.keys()
    assert lines["talkdesk_default"].startswith("ok: Talkdesk Explore issued a token for http://127.0.0.1")
    assert all(line.startswith("ok: ") for line in lines.values())
    assert not any(secret in done.out + done.err for secret in secrets_of(sandbox))


def test_a_misspelled_extra_is_named_beside_what_it_may_have_meant(
    sandbox: Sandbox, contactcenter: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = sandbox.connections["talkdesk_default"]
    extra = {**known["extra"], "timout": "sentinel-value"}
    monkeypatch.setenv("AIRFLOW_CONN_TALKDESK_TYPO", json.dumps({**known, "extra": extra}))
    monkeypatch.setenv(
        "AIRFLOW_CONN_ACOUNT", json.dumps({"conn_type": "talkdesk", "extra": {"acount": "acme"}})
    )
    works, fails = contactcenter("check", "talkdesk_typo", "acount").out.splitlines()
    assert works.startswith("talkdesk_typo: ok: ")
    assert works.endswith(
        " The extra 'timout' is ignored: the type talkdesk does not know it. Did you mean 'timeout'?"
    )
    assert fails.startswith("acount: FAILED: ")
    assert fails.endswith(
        " The extra 'acount' is ignored: the type talkdesk does not know it. Did you mean 'account'?"
    )
    assert "sentinel-value" not in works


def test_one_that_fails_makes_the_exit_status_1_and_shows_no_secret(
    sandbox: Sandbox, contactcenter: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**sandbox.connections["talkdesk_default"], "password": "sentinel-wrong-secret"}
    monkeypatch.setenv("AIRFLOW_CONN_TALKDESK_WRONG", json.dumps(wrong))
    done = contactcenter("check", "talkdesk_default", "talkdesk_wrong")
    assert done.status == 1
    good, bad = done.out.splitlines()
    assert good.startswith("talkdesk_default: ok: ")
    assert bad.startswith("talkdesk_wrong: FAILED: Talkdesk Explore (connection talkdesk_wrong): ")
    assert "sentinel-wrong-secret" not in done.out + done.err


def test_the_metadata_database_is_asked_too(contactcenter: Command, database: str) -> None:
    done = contactcenter("check")
    assert done.status == 1
    [line] = done.out.splitlines()  # and not the store's connection
    assert line.startswith(f"{database}: FAILED: Talkdesk Explore (connection {database}): ")
    assert "no such connection" not in line


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "there is no such connection"),
        ({"conn_type": "aws"}, "its type is 'aws'; this package's are talkdesk, "),
        ({"conn_type": "talkdesk"}, "the connection's "),
    ],
)
def test_what_cannot_be_tested_is_said_in_a_sentence(
    values: dict[str, str] | None, words: str, contactcenter: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if values is not None:
        monkeypatch.setenv("AIRFLOW_CONN_MINE", json.dumps(values))
    done = contactcenter("check", "mine")
    assert done.status == 1
    assert done.out.startswith("mine: FAILED: ")
    assert words in done.out


def test_where_there_is_none_it_says_so(contactcenter: Command) -> None:
    done = contactcenter("check")
    assert done.status == 1
    assert "There is no connection to test" in done.err
