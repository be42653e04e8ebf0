"""What the core promises to vendor modules, with vendors made up for the purpose."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sandbox.clock import Clock
from airflow_provider_contactcenter.sandbox.data import content_of
from airflow_provider_contactcenter.sandbox.model import Reply, Request, Route, Vendor, json_reply
from airflow_provider_contactcenter.sandbox.registry import VENDORS
from airflow_provider_contactcenter.sandbox.state import VendorState
from airflow_provider_contactcenter.sandbox.world import World


def echo(state: VendorState, request: Request) -> Reply:
    return json_reply({"vendor": state.vendor.name, "path": request.path, **request.segments})


def page(state: VendorState, request: Request) -> Reply:
    return Reply(200, content_of(b"[]", "text/html", "json"), {"Content-Type": "text/html"})


def vendor(name: str, prefix: str, *routes: Route) -> Vendor:
    return Vendor(name, prefix, routes, lambda url: {f"{name}_default": {"host": url}})


WORLD = World(
    [
        vendor("first", "/shared", Route("one", "GET", "/one", echo)),
        vendor(
            "second",
            "/shared",
            Route("status", "GET", "/(?P<workflow>[^/]+)/(?P<run>[^/]+)/status", echo),
            Route("page", "GET", "/page", page),
            Route("root", "POST", "/?", echo),
        ),
        vendor("third", "/sharedtoo", Route("one", "GET", "/one", echo)),
    ],
    "http://api",
    "http://storage",
    seed=1,
    rows=1,
    options={},
    clock=Clock(),
)


def asked(method: str, target: str) -> tuple[str | None, str, Any]:
    request = Request(method, target, {})
    found = WORLD.find("api", request)
    reply = WORLD.answer(request, found, None)
    return found.state.vendor.name if found.state else None, found.operation, reply


def test_two_vendors_may_share_a_prefix_and_a_prefix_ends_at_a_slash() -> None:
    assert asked("GET", "/shared/one")[:2] == ("first", "one")
    assert asked("GET", "/shared/page")[:2] == ("second", "page")
    assert asked("GET", "/sharedtoo/one")[:2] == ("third", "one")
    assert asked("GET", "/sharedtoothree/one")[:2] == (None, "unknown")
    assert asked("POST", "/shared")[:2] == asked("POST", "/shared/?x=1")[:2] == ("second", "root")


def test_a_slash_inside_an_id_does_not_split_it_and_a_plus_stays_one() -> None:
    vendor_name, operation, reply = asked("GET", "/shared/w1/23Ab%2BCd%2FEf+%3D/status?companyKey=k")
    assert (vendor_name, operation) == ("second", "status")
    assert b'"run": "23Ab+Cd/Ef+="' in reply.body
    assert b'"path": "/w1/23Ab%2BCd%2FEf+%3D/status"' in reply.body


def test_a_path_that_only_begins_or_ends_like_a_route_is_not_found() -> None:
    for target in ("/shared/one/", "/shared/one/two", "/shared/x/one"):
        _, operation, reply = asked("GET", target)
        assert (operation, reply.status) == ("unknown", 404)


def test_json_that_no_parser_gets_to_the_end_of_is_not_json() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        Request("POST", "/", {}, b'{"a":' * 100_000).json()


@pytest.mark.parametrize("encoded", ["not base64", "\xe9", "\ufffd", "/w=="])
def test_a_basic_header_that_cannot_be_read_names_nobody(encoded: str) -> None:
    assert Request("GET", "/", {"Authorization": f"Basic {encoded}"}).basic() is None


def test_every_vendor_gets_its_own_base_url_for_its_connections() -> None:
    assert WORLD.connections == {
        "first_default": {"host": "http://api/shared"},
        "second_default": {"host": "http://api/shared"},
        "third_default": {"host": "http://api/sharedtoo"},
    }


def test_a_vendor_from_elsewhere_is_played_alone_or_beside_others() -> None:
    elsewhere = vendor("elsewhere", "/elsewhere", Route("one", "GET", "/one", echo))
    with Sandbox(vendors=[*VENDORS, elsewhere], options={"elsewhere": {"rows": 1}}) as sandbox:
        assert requests.get(f"{sandbox.url}/elsewhere/one").json()["vendor"] == "elsewhere"
        assert {"elsewhere_default", "talkdesk_default"} <= set(sandbox.connections)
        assert sandbox.journal(vendor="elsewhere", operation="one")[0]["status"] == 200
    with Sandbox(vendors=[elsewhere]) as sandbox:
        assert list(sandbox.connections) == ["elsewhere_default"]


def test_pages_count_as_served_too() -> None:
    request = Request("GET", "/shared/page", {})
    target = WORLD.find("api", request)
    served = WORLD.serve(target, WORLD.answer(request, target, None))
    assert served is not None
    assert (served.as_dict()["bytes"], served.as_dict()["content_type"]) == (2, "text/html")
