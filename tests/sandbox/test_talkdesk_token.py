from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox

from .conftest import Talkdesk

BASIC = ("sandbox-client-id", "sandbox-client-secret")


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    found: str = sandbox.connections["talkdesk_default"]["extra"]["auth_url"]
    return found


def test_token_answer_has_the_four_required_members_and_no_refresh_token(talkdesk: Talkdesk) -> None:
    answer = talkdesk.token()
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access_token", "expires_in", "scope", "token_type"]
    assert answer.json()["expires_in"] == 599
    assert answer.json()["scope"] == "data-reports:read data-reports:write"


def test_tokens_are_issued_on_the_accounts_host_alone(sandbox: Sandbox, url: str) -> None:
    form = {"grant_type": "client_credentials"}
    host = sandbox.connections["talkdesk_default"]["host"]
    assert requests.post(url, auth=BASIC, data=form).status_code == 200
    assert requests.post(f"{host}/oauth/token", auth=BASIC, data=form).status_code == 404


def test_grant_type_may_stand_in_the_query_with_an_empty_body(sandbox: Sandbox, url: str) -> None:
    answer = requests.post(url + "?grant_type=client_credentials", auth=BASIC)
    assert answer.status_code == 200
    assert sandbox.journal(operation="token")[0]["body"] == ""


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain"])
def test_a_form_that_does_not_say_that_it_is_one_has_no_fields(url: str, kind: str | None) -> None:
    for body in (b"grant_type=client_credentials", b'{"grant_type": "client_credentials"}'):
        headers = {"Content-Type": kind} if kind else {}
        answer = requests.post(url, auth=BASIC, data=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = requests.post(url, auth=BASIC, data=b"grant_type=client_credentials", headers=form)
    assert answer.status_code == 200


def test_credentials_may_be_form_fields(url: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": BASIC[0], "client_secret": BASIC[1]}
    assert requests.post(url, data=form).status_code == 200


def assertion(head: dict[str, Any] | None = None, **claims: Any) -> dict[str, str]:
    """A form with a JWT as a client of the vendor's signs one, but for the signature."""
    usual = {
        "iss": BASIC[0],
        "sub": BASIC[0],
        "aud": "https://sandbox.talkdeskid.com/oauth/token",
        "jti": "1",
        "iat": 1_700_000_000,
        "exp": 4_000_000_000,
    }
    parts = ({"alg": "ES256", "kid": "sandbox-key"} if head is None else head, usual | claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ".".join([*encoded, "unsigned"]),
    }


def test_credentials_may_be_an_assertion(url: str) -> None:
    answer = requests.post(url, data=assertion())
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "data-reports:read data-reports:write"


@pytest.mark.parametrize(
    "form",
    [
        assertion({"alg": "none", "kid": "sandbox-key"}),
        assertion({"alg": "ES256"}),
        assertion(iss="another"),
        assertion(sub="another"),
        assertion(aud="https://sandbox.talkdeskid.com/"),
        assertion(exp=1),
        assertion(exp="soon"),
        assertion() | {"client_assertion": "no.jwt.here"},
        assertion() | {"client_assertion": ""},
    ],
)
def test_an_assertion_of_another_or_of_yesterday_is_no_credential(url: str, form: dict[str, str]) -> None:
    answer = requests.post(url, data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("auth", "form", "status", "error"),
    [
        (("sandbox-client-id", "wrong"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (None, {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (BASIC, {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (BASIC, {}, 400, "invalid_request"),
        (BASIC, {"grant_type": "client_credentials", "scope": "x"}, 400, "invalid_scope"),
    ],
)
def test_refusals_have_the_shape_of_oauth(
    url: str, auth: tuple[str, str] | None, form: dict[str, str], status: int, error: str
) -> None:
    answer = requests.post(url, auth=auth, data=form)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_a_narrow_token_is_forbidden_to_create_but_may_list(talkdesk: Talkdesk) -> None:
    token = talkdesk.token(scope="data-reports:read").json()
    assert token["scope"] == "data-reports:read"
    talkdesk.headers = {"Authorization": f"Bearer {token['access_token']}"}
    refused = talkdesk.create()
    assert refused.status_code == 403
    assert "data-reports:write" in refused.json()["message"]
    assert requests.get(talkdesk.jobs_url, headers=talkdesk.headers).status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer"}])
def test_no_token_or_a_wrong_one_is_unauthorized(talkdesk: Talkdesk, header: dict[str, str]) -> None:
    talkdesk.headers = header
    refused = talkdesk.create()
    assert refused.status_code == 401
    assert sorted(refused.json()) == ["code", "message"]


def test_a_token_without_the_word_bearer_is_unauthorized(talkdesk: Talkdesk) -> None:
    talkdesk.headers = {"Authorization": talkdesk.headers["Authorization"].removeprefix("Bearer ")}
    assert talkdesk.create().status_code == 401


def test_a_token_dies_when_its_time_is_over(sandbox: Sandbox) -> None:
    sandbox.set_options("talkdesk", expires_in=60)
    talkdesk = Talkdesk(sandbox)
    assert talkdesk.create().status_code == 202
    sandbox.clock.advance(60)
    assert talkdesk.create().status_code == 401
