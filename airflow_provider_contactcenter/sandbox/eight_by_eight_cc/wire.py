"""What all operations of 8x8's Contact Center API share: who may ask, and how answers are written.

Sources and inventions: see `eight_by_eight_cc`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from ..data import Content
from ..model import Handler, Reply, Request, json_reply
from ..state import VendorState

#: the API product that a key needs (guide)
PRODUCT = "analytics realtime-api"
VERSIONS = range(1, 9)


class Refused(Exception):
    """The data API says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def bad(message: str) -> Refused:
    """A bad request."""
    return Refused(400, f"Bad request: {message}")


UNAUTHORIZED: Mapping[str, Reply] = {
    "message": json_reply({"message": "Unauthorized"}, 401),
    "empty": Reply(401),
    "html": Reply(401, b"<html><body><h1>401 Unauthorized</h1></body></html>", {"Content-Type": "text/html"}),
}


def guarded(handler: Handler) -> Handler:
    """`handler` behind version, region, token, API product and tenant; refusals turned into replies."""

    def guard(state: VendorState, request: Request) -> Reply:
        options = state.options
        try:
            region = options["region"]
            if version_of(request) not in VERSIONS or region not in (
                None,
                request.segments.get("region", "us"),
            ):
                raise Refused(404, "Not found")
            found = state.tokens.find(request.bearer(), state.now())
            if found is None:
                return UNAUTHORIZED[options["unauthorized_body"]]
            if PRODUCT not in found.scopes:
                raise Refused(403, "Forbidden")
            _check_tenant(options["tenants"], request)
            return handler(state, request)
        except Refused as refused:
            return json_reply({"message": str(refused)}, refused.status)

    return guard


def version_of(request: Request) -> int:
    """The version in the path."""
    return int(request.segments["version"][1:])


def _check_tenant(tenants: Sequence[str], request: Request) -> None:
    """The seed's two sentences, word for word; a single-tenant customer's header isn't looked at."""
    if not tenants:
        return
    tenant = request.headers.get("X-Tenant-Info")
    if tenant is None:
        raise bad("X-Tenant-Info header is missing.")
    if tenant not in tenants:
        raise bad("Invalid value for X-Tenant-Info header.")


def accepted(request: Request) -> list[str]:
    """The media types of the Accept header, the most wanted first; an empty header wants nothing special."""
    given = request.headers.get("Accept", "").strip() or "*/*"
    kinds = [part.partition(";") for part in given.lower().split(",")]
    weighted = [(_weight(parameters), name.strip()) for name, _, parameters in kinds]
    return [name for weight, name in sorted(weighted, key=lambda pair: -pair[0]) if weight]


def _weight(parameters: str) -> float:
    found = re.search(r"\bq\s*=\s*([01]?\.?\d*)", parameters)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 1.0


_JSON = {"application/json", "application/*", "*/*"}
_XML = {"application/xml"}


def wanted(request: Request) -> str:
    """Whether JSON or XML is asked for (seed)."""
    kind = next((kind for kind in accepted(request) if kind in _JSON | _XML), None)
    if kind is None:
        raise Refused(406, "Not acceptable")
    return "xml" if kind in _XML else "json"


def rendered(
    request: Request, value: Any, root: str, headers: Mapping[str, str] | None = None, job: str | None = None
) -> Reply:
    """`value` as JSON or as XML."""
    name = wanted(request)
    body = xml(root, value) if name == "xml" else json.dumps(value, ensure_ascii=False).encode()
    content = Content(
        ((body, 1),), f"application/{name}", name, len(value) if isinstance(value, list) else None
    )
    fixed = {"Content-Type": f"application/{name};charset=UTF-8"}
    return Reply(200, content if root in ROWS else body, {**fixed, **(headers or {})}, job)


REPORT_ROWS, DETAILED_ROWS = "ResourceOfApiReportResponse", "ResourceOfDetailedApiReportResponse"
ROWS = (REPORT_ROWS, DETAILED_ROWS)


def xml(root: str, value: Any) -> bytes:
    """`value` as XML: an object's members are elements, a list is wrapped in ``List`` (openapi)."""
    element = _xml_element("List" if isinstance(value, list) else root, value)
    return bytes(ElementTree.tostring(element, encoding="utf-8", xml_declaration=True))


def _xml_element(name: str, value: Any) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(value, dict) and set(value) == {"relation", "link"}:
        element.attrib.update(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            element.append(_xml_element(key, member))
    elif isinstance(value, list):
        for item in value:
            element.append(_xml_element("item", item))
    elif value is not None:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)
    return element
