"""Who may call: token, address, scope, permission, rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..model import Reply, Request, json_reply
from ..state import VendorState
from .errors import Refused, correlation_id, refusal, with_headers
from .pool import DIVISIONS

CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
SCOPES = ("analytics", "analytics:readonly")
CONVERSATIONS, AGENTS = "analytics:conversationDetail:view", "analytics:agentConversationDetail:view"
USERS, LIMITS = "analytics:userDetail:view", "limits:organization:view"


def token(state: VendorState, request: Request) -> Reply:
    """``POST /oauth/token``; id and secret come in the Basic header or as form fields."""
    given = request.form
    client, secret = request.basic() or (given.get("client_id"), given.get("client_secret"))
    if client != CLIENT_ID or state.options["region"] == "other":
        return _token_error(400, "invalid_client", "client not found")
    if secret != (state.secret or CLIENT_SECRET):
        return _token_error(state.options["wrong_secret_status"], "invalid_client", "authentication failed")
    if given.get("grant_type") != "client_credentials":
        return _token_error(
            400, "unsupported_grant_type", f"grant type {given.get('grant_type')} not supported"
        )
    lifetime = state.options["expires_in"]
    issued = state.tokens.issue(state.now(), lifetime)
    return json_reply(
        {
            "access_token": issued.value,
            "token_type": state.options["token_type"],
            "expires_in": lifetime,
        },
        headers={"Cache-Control": "no-store"},
    )


def _token_error(status: int, error: str, description: str) -> Reply:
    return json_reply({"error": error, "description": description, "error_description": description}, status)


# What every call goes through.


@dataclass(frozen=True)
class Call:
    """A call that was let in."""

    state: VendorState
    request: Request
    subject: str

    @property
    def options(self) -> Mapping[str, Any]:
        """The options as they are now."""
        return self.state.options


Permissions = Callable[[str], tuple[str, ...]]


def details(subject: str) -> tuple[str, ...]:
    """The permissions of which one opens the jobs of a subject."""
    return (CONVERSATIONS, AGENTS) if subject == "conversations" else (USERS,)


def watermark_permission(subject: str) -> tuple[str, ...]:
    """The permission that opens its watermark; the agents' variant isn't enough (specification)."""
    return (CONVERSATIONS,) if subject == "conversations" else (USERS,)


def guarded(handler: Callable[[Call], Reply], permissions: Permissions = details) -> Any:
    """`handler` behind token, scope, permission and rate; refusals become replies, all get the headers."""

    def guard(state: VendorState, request: Request) -> Reply:
        correlation = correlation_id(state)
        call = Call(state, request, request.segments.get("subject", ""))
        headers: dict[str, str] = {}
        try:
            bearer = _authenticated(state, request)
            headers = _counted(state, bearer)
            _permitted(state, permissions(call.subject))
            reply = handler(call)
        except Refused as refused:
            reply = refusal(state, refused, correlation)
        return with_headers(reply, correlation, headers)

    return guard


def _authenticated(state: VendorState, request: Request) -> str:
    bearer, now = request.bearer(), state.now()
    if bearer is None:
        raise Refused("authentication.required")
    used = state.memory.setdefault("used", {})
    found = state.tokens.find(bearer, now)
    idle = state.options["idle_seconds"]
    if found is not None and idle is not None:
        issued = found.expires - timedelta(seconds=state.options["expires_in"])
        if now - used.get(bearer, issued) >= timedelta(seconds=idle):
            found = None
    if found is None:
        raise Refused("bad.credentials")
    if not state.options["ip_allowed"]:
        raise Refused("ip.not.authorized", address="127.0.0.1")
    used[bearer] = now
    return bearer


def _counted(state: VendorState, bearer: str) -> dict[str, str]:
    """The headers that count a token's requests down; beyond the limit a refusal."""
    rates, now = state.memory.setdefault("rates", {}), state.now()
    since, count = rates.get(bearer, (now, 0))
    if now - since >= timedelta(seconds=60):
        since, count = now, 0
    rates[bearer] = (since, count + 1)
    allowed = state.options["requests_per_minute"]
    left = max(1, 60 - int((now - since).total_seconds()))
    if count >= allowed:
        raise Refused(
            "too.many.requests.retry.after",
            limit={
                "key": "client.credentials.token.rate.per.minute",
                "namespace": "platform.api",
                "value": allowed,
            },
            seconds=str(left),
        )
    return {
        "inin-ratelimit-count": str(count + 1),
        "inin-ratelimit-allowed": str(allowed),
        "inin-ratelimit-reset": str(left),
    }


def _permitted(state: VendorState, any_of: tuple[str, ...]) -> None:
    if any_of != (LIMITS,) and not set(SCOPES) & set(state.options["scopes"]):
        raise Refused("app.not.authorized.for.scope", scopes=", ".join(SCOPES))
    if not set(any_of) & set(state.options["permissions"]):
        code = "missing.permissions" if len(any_of) == 1 else "missing.any.permissions"
        raise Refused(code, permissions=", ".join(any_of))
    if state.options["divisions"] == "refused":
        raise Refused("missing.division.permission", permissions=any_of[0], divisionId=DIVISIONS[1])
