"""OAuth 2 as most vendors speak it: client credentials in, a bearer token out (RFC 6749, 4.4; 6750)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from airflow_provider_contactcenter.vendors.protocol.connection import Settings, Token, number
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


def client_credentials(settings: Settings, scope: str | None = None) -> Request:
    """Ask for a token: login and password as a Basic header, the grant as a form.

    :param scope: the scopes to ask for, separated by spaces; those that were granted if None.
    """
    credentials = b64encode(f"{settings.login}:{settings.password}".encode()).decode()
    return Request(
        "POST",
        str(settings.auth_url),
        headers={"Authorization": f"Basic {credentials}", "Accept": "application/json"},
        form={"grant_type": "client_credentials", **({"scope": scope} if scope else {})},
        signed=False,
    )


def granted(answer: Answer) -> Mapping[str, Any]:
    """What a token endpoint grants. Its answer is never quoted: it may hold the token.

    :raises Refusal: (unavailable) it holds none.
    """
    try:
        grant = answer.json()
    except Refusal:
        grant = None
    if not isinstance(grant, Mapping) or not grant.get("access_token"):
        raise Refusal("unavailable", "the token endpoint answered without an access_token")
    return grant


def token_of(grant: Mapping[str, Any], lifetime: float) -> Token:
    """The token of a grant.

    :param lifetime: seconds, where the grant has none.
    """
    return Token(str(grant["access_token"]), max(0.0, number(grant.get("expires_in")) or lifetime))


def bearer(token: Token | None) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token.value if token else ''}"}
