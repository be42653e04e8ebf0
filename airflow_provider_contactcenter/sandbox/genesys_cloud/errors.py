"""What Genesys Cloud says when it says no: codes, words, the shape of the body, headers of every answer.

Codes, statuses and the body are those of the vendor's specification; the words are its own for missing
permissions, for 429 and for the token endpoint, and invented elsewhere.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from ..model import Reply, Request
from ..state import VendorState

JSON = {"Content-Type": "application/json"}
#: the headers of every answer, as one was printed on the vendor's blog
USUAL = {
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Via": "1.1 sandbox.cloudfront.net (CloudFront)",
    "X-Amz-Cf-Id": "c2FuZGJveA==",
    "Transfer-Encoding": "chunked",
}

#: code -> status and words, with names of parameters in braces
CODES: Mapping[str, tuple[int, str]] = {
    "bad.request": (400, "The request could not be understood by the server due to malformed syntax."),
    "invalid.date": (
        400,
        "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ",
    ),
    "invalid.value": (400, "Value [{value}] is not valid for field type [{field}]."),
    "invalid.property": (400, "Value [{value}] is not a valid property for object [{object}]."),
    "invalid.query.param.value": (400, "Value [{value}] is not valid for parameter [{name}]."),
    "constraint.validation": (400, "{field} {problem}"),
    "client.failed.request": (400, "The client failed the request."),
    "response.entity.too.large": (
        400,
        "The response is over the size limit. Reduce pageSize or interval to reduce response size if "
        "possible",
    ),
    "authentication.required": (401, "No authentication bearer token specified in authorization header."),
    "bad.credentials": (401, "Invalid login credentials."),
    "ip.not.authorized": (401, "This IP address ({address}) is not authorized for this organization."),
    "missing.permissions": (
        403,
        "Unable to perform the requested action. You are missing the following permission(s): {permissions}",
    ),
    "missing.any.permissions": (
        403,
        "Unable to perform the requested action. You must have at least one of the following permissions "
        "assigned: {permissions}",
    ),
    "missing.division.permission": (
        403,
        "Unable to perform the requested action. You are missing the following permission(s): {permissions} "
        "in the division {divisionId}",
    ),
    "missing.any.division.permissions": (
        403,
        "Unable to perform the requested action. You must have at least one of the following permissions "
        "assigned: {permissions} in the division {divisionId}",
    ),
    "app.not.authorized.for.scope": (
        403,
        "This application is not authorized for the requested scope; one of these is needed: {scopes}",
    ),
    "not.authorized": (403, "You are not authorized to perform the requested action."),
    "authz.policy.denied": (403, "A policy denies the requested action."),
    "not.found": (404, "The requested resource was not found."),
    "client.timeout": (408, "The client did not produce a request within the server timeout limit."),
    "request.conflict": (409, "The request conflicts with the state of the resource."),
    "request.entity.too.large": (
        413,
        "The request is over the size limit. Maximum bytes: {most}, bytes sent: {size}",
    ),
    "unsupported.media.type": (415, "Unsupported Media Type - an unsupported Content-Type was sent."),
    "too.many.requests.retry.after": (
        429,
        "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
    ),
    "too.many.requests": (
        429,
        "Rate limit exceeded the maximum [{maximum}] requests within [{window}] seconds",
    ),
    "internal.server.error": (500, "The server encountered an unexpected condition."),
    "service.unavailable": (503, "Service Unavailable - the server is overloaded or down for maintenance."),
    "request.timeout": (504, "The request timed out."),
    "authentication.request.timeout": (504, "Authentication service request timed out."),
}
#: what a code's parameters are where it is said for no reason, by the fault `refusal`
EXAMPLES: Mapping[str, str] = {
    "value": "x",
    "field": "interval",
    "object": "query",
    "name": "pageSize",
    "problem": "must not be null",
    "address": "192.0.2.1",
    "permissions": "analytics:conversationDetail:view",
    "divisionId": "8d1f0a52-0000-4000-8000-5f4f4a1c0001",
    "scopes": "analytics, analytics:readonly",
    "most": "512000",
    "size": "512001",
}
LIMITED = {"too.many.requests.retry.after", "too.many.requests"}


class Refused(Exception):
    """The API says no, in one of its codes."""

    def __init__(
        self,
        code: str,
        limit: Mapping[str, Any] | None = None,
        status: int | None = None,
        **parameters: str,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.limit = limit
        self.parameters = parameters


def correlation_id(state: VendorState) -> str:
    """An id of one exchange; ids of jobs are drawn elsewhere, and are the same whatever was asked before."""
    draw = state.memory.setdefault("correlation", random.Random(f"{state.seed}|correlation"))  # noqa: S311
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def refusal(state: VendorState, refused: Refused, correlation: str) -> Reply:
    """The answer to a request that is refused, in the shape that the options choose."""
    code, parameters = refused.code, dict(refused.parameters)
    headers: dict[str, str] = {}
    if code in LIMITED:
        code, parameters, headers = _wait(state, parameters)
    status, words = CODES[code]
    status = refused.status or status
    message = words.format(**parameters)
    body: dict[str, Any] = {
        "message": message,
        "code": code,
        "status": status,
        **({"messageWithParams": words, "messageParams": parameters} if parameters else {}),
        "contextId": correlation,
        "details": [],
        "errors": [],
        **({"limit": refused.limit} if refused.limit else {}),
    }
    return _shaped(state.options["error_shape"], status, body, headers)


def _shaped(shape: str, status: int, body: dict[str, Any], headers: dict[str, str]) -> Reply:
    if shape == "empty":
        return Reply(status, b"", headers)
    if shape == "text":
        return Reply(status, body["message"].encode(), {"Content-Type": "text/plain", **headers})
    if shape == "message":
        body = {"message": body["message"]}
    if shape == "nested":
        body = {"message": "Several errors occurred.", "status": status, "details": [], "errors": [body]}
    return Reply(status, json.dumps(body).encode(), {**JSON, **headers})


def _wait(state: VendorState, parameters: dict[str, str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """Code, parameters and headers of a 429."""
    given = state.options["retry_after"]
    seconds = str(int(parameters.pop("seconds", 42) if given is None else given))
    shape = state.options["limited_as"]
    if shape == "no_seconds":
        maximum = str(int(state.options["requests_per_minute"]))
        return "too.many.requests", {"maximum": maximum, "window": "60"}, {}
    date = format_datetime(state.now() + timedelta(seconds=int(seconds)), usegmt=True)
    header = {"words": {}, "date": {"Retry-After": date}}.get(shape, {"Retry-After": seconds})
    return "too.many.requests.retry.after", {"seconds": seconds}, header


def _example(code: str) -> Callable[[VendorState, Request], Reply]:
    def reply(state: VendorState, request: Request) -> Reply:
        correlation = correlation_id(state)
        words = CODES[code][1]
        refused = Refused(code)
        refused.parameters = {name: value for name, value in EXAMPLES.items() if f"{{{name}}}" in words}
        answer = refusal(state, refused, correlation)
        return with_headers(answer, correlation)

    return reply


def with_headers(reply: Reply, correlation: str, more: Mapping[str, str] | None = None) -> Reply:
    """The answer with the headers that every one has."""
    return replace(
        reply, headers={**USUAL, "ININ-Correlation-Id": correlation, **(more or {}), **reply.headers}
    )


#: what the fault `refusal` can say
REFUSALS = {code: _example(code) for code in CODES}
