"""What only Azure has: block lists, answers that get lost, an account's connection."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.azure_blob import AzureBlobStore
from airflow_provider_contactcenter.stores.base import ObjectExists, wording
from tests.faults.relay import Harm, Relay
from tests.stores.conftest import Body, Place, azure_place
from tests.stores.servers import CONTAINER, AzuriteServer

MIB = 1 << 20
CSV = "text/csv; charset=utf-8"


@pytest.fixture
def azure(azurite_server: AzuriteServer, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = azure_place(azurite_server)
    for variable, value in place.environ.items():
        monkeypatch.setenv(variable, value)
    yield place
    # Blocks staged over a blob are thrown away with it.
    blob = azurite_server.service().get_blob_client(CONTAINER, name)
    if blob.exists():
        blob.delete_blob()
    left = place.lingering()
    place.sweep()
    assert left == []


def connect(monkeypatch: pytest.MonkeyPatch, server: AzuriteServer, **changes: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WASB_DEFAULT", json.dumps(server.connection(**changes)))


@pytest.fixture
def relay(azure: Place, azurite_server: AzuriteServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setattr(RequestsTransport, "sleep", lambda self, seconds: None)  # between Azure's own tries
    with Relay(azure.url) as relay:
        connect(
            monkeypatch,
            azurite_server,
            host=f"{relay.url}/{azurite_server.account}",
            extra={"retry_total": 2, "initial_backoff": 0.1, "increment_base": 1.1},
        )
        yield relay


COMMIT = rb"PUT \S*comp=blocklist"
#: what is staged at a time in most of these tests
BLOCK = {"block_size": MIB}


@pytest.mark.parametrize("replace", [True, False])
def test_a_commit_whose_answer_was_lost_is_known_as_ours(
    azure: Place, relay: Relay, name: str, replace: bool
) -> None:
    data = os.urandom(2 * MIB + 5)
    relay.harm = Harm(to=COMMIT, mute=True, times=1)
    stored = azure.store(name, **BLOCK).put(Body(data), content_type=CSV, replace=replace)
    assert relay.harm.times == 0
    assert azure.content(name) == data
    assert stored["etag"]


def test_a_commit_of_which_no_answer_comes_through_is_known_as_ours(
    azure: Place, relay: Relay, name: str
) -> None:
    data = os.urandom(2 * MIB + 5)
    relay.harm = Harm(to=COMMIT, mute=True)
    azure.store(name, **BLOCK).put(Body(data), content_type=CSV)
    assert azure.content(name) == data


def test_after_a_lost_answer_another_writers_blob_is_told_from_ours(
    azure: Place, relay: Relay, name: str
) -> None:
    azure.put(name, b"what was there")
    relay.harm = Harm(to=COMMIT, mute=True, times=1)
    with pytest.raises(ObjectExists):
        azure.store(name, **BLOCK).put(Body(os.urandom(2 * MIB + 5)), content_type=CSV, replace=False)
    assert relay.harm.times == 0
    assert azure.content(name) == b"what was there"


def test_a_store_that_dies_midway_leaves_the_old_blob(azure: Place, relay: Relay, name: str) -> None:
    azure.put(name, b"what was there")

    def dies(at: int) -> None:
        if at >= 2 * MIB:
            relay.stop()

    with pytest.raises(Exception) as caught:
        azure.store(name, **BLOCK).put(Body(os.urandom(9 * MIB), before_read=dies), content_type=CSV)
    assert "?" not in wording(caught.value).replace("?***", "")
    assert azure.content(name) == b"what was there"


def test_two_writers_never_mix_their_blocks(azure: Place, name: str) -> None:
    """One commits while the other still stages: the service throws the other's blocks away."""
    mine, theirs = os.urandom(6 * MIB), os.urandom(6 * MIB)

    def overtaken(at: int) -> None:
        if at == 4 * MIB:
            azure.store(name, **BLOCK).put(Body(theirs), content_type=CSV)

    with pytest.raises(HttpResponseError, match=r"(?i)block ?list"):
        azure.store(name, **BLOCK).put(Body(mine, before_read=overtaken), content_type=CSV)
    assert azure.content(name) == theirs
    azure.store(name).delete()


def test_metadata_tags_tier_and_content_type_are_the_blobs(
    azure: Place, azurite_server: AzuriteServer, name: str
) -> None:
    store = azure.store(name, metadata={"team": "cc"}, tags={"kind": "calls"}, tier="Cool")
    store.check()
    store.put(Body(b"a"), content_type=CSV)
    blob = azurite_server.service().get_blob_client(CONTAINER, name)
    properties = blob.get_blob_properties()
    assert properties.content_settings.content_type == CSV
    assert (properties.metadata, properties.blob_tier) == ({"team": "cc"}, "Cool")
    assert blob.get_blob_tags() == {"kind": "calls"}


def test_a_check_leaves_a_blob_that_is_there_alone(azure: Place, name: str) -> None:
    azure.put(name, b"what was there")
    azure.store(name).check()
    with pytest.raises(ObjectExists):
        azure.store(name).check(replace=False)
    assert azure.content(name) == b"what was there"


def test_a_refused_credential_shows_before_anything_is_put(
    azure: Place, azurite_server: AzuriteServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "c2VudGluZWwtd3Jvbmctc2VjcmV0"
    connect(monkeypatch, azurite_server, password=wrong)
    with pytest.raises(HttpResponseError) as caught:
        azure.store(name).check()
    said = wording(caught.value)
    assert "AuthorizationFailure" in said or "AuthenticationFailed" in said
    assert wrong not in said
    assert "\n" not in said


def test_a_read_only_sas_shows_before_anything_is_put(
    azure: Place, azurite_server: AzuriteServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime, timedelta

    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    def sas(**rights: bool) -> str:
        return str(
            generate_container_sas(
                azurite_server.account,
                CONTAINER,
                azurite_server.key,
                permission=ContainerSasPermissions(**rights),
                expiry=datetime.now(UTC) + timedelta(hours=1),
            )
        )

    extra = {"retry_total": 0, "sas_token": sas(read=True, list=True)}
    connect(monkeypatch, azurite_server, login=azurite_server.account, password=None, extra=extra)
    with pytest.raises(HttpResponseError) as caught:
        azure.store(name).check()
    assert "sig=" not in wording(caught.value)
    connect(
        monkeypatch, azurite_server, password=None, extra={**extra, "sas_token": sas(write=True, create=True)}
    )
    azure.store(name).check()
    azure.store(name).put(Body(b"a"), content_type=CSV)
    assert azure.content(name) == b"a"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"container_name": "abfss://lake@account.dfs.core.windows.net"}, "container_name='abfss://"),
        ({"container_name": "https://account.blob.core.windows.net/lake"}, "container_name='https://"),
        ({"blob_name": ""}, "blob_name='' is not allowed"),
        ({"blob_name": "{{ ds }}.csv"}, "never rendered"),
        ({"block_size": 0}, "block_size=0 is not allowed"),
        ({"max_concurrency": True}, "max_concurrency=True is not allowed"),
        ({"tier": "Lukewarm"}, "tier='Lukewarm' is not allowed"),
    ],
)
def test_what_cannot_be_used(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue, match=sentence):
        AzureBlobStore(**{"container_name": "lake", "blob_name": "a.csv", **values})


def test_uri_and_dataset_name_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "wasb", "host": "acme", "login": "acme", "password": "c2VudGluZWw="}
    monkeypatch.setenv("AIRFLOW_CONN_WASB_DEFAULT", json.dumps(connection))
    store = AzureBlobStore("lake", "a?b.csv")
    assert store.dataset == ("abfss://lake@acme.dfs.core.windows.net", "a?b.csv")
    assert store.uri == "abfss://lake@acme.dfs.core.windows.net/a?b.csv"
