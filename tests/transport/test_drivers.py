"""What goes over the wire and what comes of it; each test holds for requests and for aiohttp."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from airflow_provider_contactcenter import __version__
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import TOKEN, Asked, Wire, reply, talkdesk

from .conftest import Connect


def get(target: str = "/thing", **how: Any) -> Operation[Answer]:
    return (yield Request("GET", target, **how))


def post(target: str = "/order") -> Operation[Answer]:
    return (yield Request("POST", target, json={"a": 1}, idempotent=False))


def refused(client: Any, operation: Operation[Any], **how: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        client.run(operation, **how)
    return caught.value


def orders(server: Wire) -> list[str]:
    return [target for target in server.targets if "/oauth/token" not in target]


# -- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/runs/a%2Fb%2Bc%3Dd",
        "/q?sig=a%2Fb%2Bc%3D%3D&x=%20y",
        "/unreserved/%7Euser/%41%2D",
        "/dots/../kept/./as/they/are",
        "/plus+and~tilde?a=b+c&d=~",
        "/double//slash?q=?&&r",
    ],
)
def test_a_target_arrives_byte_for_byte(connect: Connect, path: str) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(get(path), get(server.origin + path))
    assert orders(server) == [f"GET {path}"] * 2


def test_parameters_are_encoded_once(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(get("/p", params=[("a", "b/c +&é"), ("a", "2")]))
    assert orders(server) == ["GET /p?a=b%2Fc%20%2B%26%C3%A9&a=2"]


def test_a_prefix_of_the_host_stands_before_every_path(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin + "/talkdesk").run(get("/thing"))
    assert server.targets == ["POST /talkdesk/oauth/token", "GET /talkdesk/thing"]


def test_a_request_carries_the_token_and_no_extra_of_the_connection(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}, Set_Cookie="a=sentinel-cookie-1"))) as server:
        connect(server.origin, account="acme", scope="s", **{"X-Odd": "odd"}).run(get(), get())
    for asked in server.asked[1:]:
        assert asked.headers["authorization"] == "Bearer sentinel-token-1"
        assert "cookie" not in asked.headers
        assert set(asked.headers) <= {
            "host",
            "authorization",
            "accept",
            "accept-encoding",
            "user-agent",
            "connection",
        }


def test_every_request_says_whose_it_is(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        client = connect(server.origin)
        client.run(get())
    ours, _, library = server.asked[-1].headers["user-agent"].partition(" ")
    assert ours == f"airflow-provider-contactcenter/{__version__}"
    assert f"{client.kind}/" in library
    assert len({asked.headers["user-agent"] for asked in server.asked}) == 1


def test_connections_are_kept_and_used_again(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(*[get() for _ in range(10)])
    assert (len(server.asked), server.connections) == (11, 1)


# -- what is understood ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "framing"),
    [
        ("HTTP/1.1", "length"),
        ("HTTP/1.1", "chunked"),
        ("HTTP/1.1", "none"),
        ("HTTP/1.0", "length"),
        ("HTTP/1.0", "none"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_body_is_read_however_it_is_framed(
    connect: Connect, version: str, framing: str, zipped: bool
) -> None:
    raw = json.dumps({"a": "é" * 5000}).encode()
    headers = {"Content_Encoding": "gzip"} if zipped else {}
    body = gzip.compress(raw) if zipped else raw
    with Wire(talkdesk(reply(200, body, framing=framing, version=version, **headers))) as server:
        [answer] = connect(server.origin).run(get())
    assert answer.json() == {"a": "é" * 5000}


def test_a_signed_link_of_twenty_kilobytes_fits_into_a_header(connect: Connect) -> None:
    link = "https://bucket.example/f?X-Amz-Security-Token=" + "s" * 20_000
    with Wire(talkdesk(reply(303, b"", Location=link))) as server:
        [answer] = connect(server.origin).run(get(redirects="told"))
    assert answer.location == link


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (403, "permission"),
        (404, "missing"),
        (410, "missing"),
        (422, "invalid"),
    ],
)
def test_a_refusal_is_final_and_in_the_vendors_words(connect: Connect, status: int, kind: str) -> None:
    with Wire(talkdesk(reply(status, {"code": "17", "message": "No such type"}))) as server:
        refusal = refused(connect(server.origin), get())
    assert (refusal.kind, refusal.words) == (kind, f"HTTP {status}: 17: No such type")
    assert len(orders(server)) == 1


# -- asking again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_an_outage_is_borne_for_five_minutes(connect: Connect, status: int, pauses: list[float]) -> None:
    with Wire(talkdesk(reply(status, b"<html>"))) as server:
        refusal = refused(connect(server.origin), get())
    assert refusal.passing
    assert policy.OUTAGE - 20 < sum(pauses) <= policy.OUTAGE == 300
    assert 0.4 <= pauses[0] <= 0.6 and pauses[3] > 3, "the pauses grow"
    assert len(orders(server)) == len(pauses) + 1 <= policy.ATTEMPTS


def test_an_outage_of_four_minutes_is_survived(connect: Connect, pauses: list[float]) -> None:
    def answer(asked: Asked) -> bytes:
        away = sum(pauses) < 240
        return reply(503) if away else reply(200, TOKEN if "/oauth/token" in asked.line else {"a": 1})

    with Wire(answer) as server:
        [answered] = connect(server.origin).run(get())
    assert answered.json() == {"a": 1}


def test_an_answer_that_cant_be_read_is_asked_for_four_times_more(connect: Connect) -> None:
    broken = reply(200, gzip.compress(b"{}" * 500)[:-9], Content_Encoding="gzip")
    with Wire(talkdesk(broken)) as server:
        refused(connect(server.origin), get())
    assert len(orders(server)) == policy.REOPENINGS + 1 == 5


def test_where_something_waits_around_it_a_request_is_sent_once(connect: Connect) -> None:
    with Wire(talkdesk(reply(503))) as server:
        refused(connect(server.origin), get(), attempts=1)
    assert len(orders(server)) == 1


@pytest.mark.parametrize("written", [b"", b"garbage\r\n\r\n", reply(200, b"{}" * 50)[:-30]])
def test_a_connection_that_breaks_is_a_blip(connect: Connect, written: bytes) -> None:
    with Wire(talkdesk((written, 0.0), reply(200, {"a": 1}))) as server:
        [answer] = connect(server.origin).run(get())
    assert answer.json() == {"a": 1}


def test_a_server_that_never_answers_is_given_up_after_the_connections_timeout(connect: Connect) -> None:
    with Wire(talkdesk((reply(200, b"x" * 100)[:50], 3.0))) as server:
        refusal = refused(connect(server.origin, timeout=0.2), get(), attempts=1)
    assert refusal.kind == "lost"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_heeded_in_both_forms(connect: Connect, form: str, pauses: list[float]) -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    value, least = ("30", 30) if form == "seconds" else (format_datetime(later, usegmt=True), 15)
    with Wire(talkdesk(reply(503, Retry_After=value), reply(200, {}))) as server:
        connect(server.origin).run(get())
    [pause] = pauses
    assert least <= pause <= 30, "a date is as far away as it is when it is read"


def test_a_long_retry_after_is_left_to_whoever_waits_around_the_request(connect: Connect) -> None:
    with Wire(talkdesk(reply(429, Retry_After="3600"))) as server:
        refusal = refused(connect(server.origin), get())
    assert (refusal.kind, refusal.retry_after) == ("quota", 3600)
    assert len(orders(server)) == 1


@pytest.mark.parametrize("value", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_retry_after_is_cut(connect: Connect, value: str) -> None:
    with Wire(talkdesk(reply(429, Retry_After=value))) as server:
        assert refused(connect(server.origin), get()).retry_after == policy.LONGEST_RETRY_AFTER


# -- answers that are a little off -------------------------------------------------------------------------


@pytest.mark.parametrize("interim", [103, 102, 100])
def test_interim_answers_are_read_past(connect: Connect, interim: int) -> None:
    early = b"HTTP/1.1 %d Early\r\nLink: </a>; rel=preload\r\n\r\n" % interim
    with Wire(talkdesk(early * 3 + reply(202, {"id": "1"}))) as server:
        [answer] = connect(server.origin).run(post())
    assert (answer.status, answer.json()) == (202, {"id": "1"})
    assert "link" not in answer.headers
    assert orders(server) == ["POST /order"]


@pytest.mark.parametrize(
    "line",
    ["X-Cluster : 3", "X-Cluster", "X(A): 3", ": 3", "Content-Length: 2", "Content-Length: 7"],
)
def test_headers_that_are_none_are_refused_in_words(connect: Connect, line: str) -> None:
    written = reply(200, b"{}").replace(b"\r\n", b"\r\n%s\r\n" % line.encode(), 1)
    with Wire(talkdesk(written)) as server:
        place = f"the headers of the answer from {server.origin}/thing can't be read: "
        refusal = refused(connect(server.origin), get(), attempts=1)
    assert (refusal.kind, refusal.unreadable) == ("lost", True)
    assert refusal.words.startswith(place)
    assert "ontent-" in refusal.words.removeprefix(place) if "Length" in line else "header" in refusal.words
    assert "\n" not in refusal.words


def test_headers_on_two_lines_and_bare_line_feeds_are_taken(connect: Connect) -> None:
    written = b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}"
    with Wire(talkdesk(written, written.replace(b"\r\n", b"\n"))) as server:
        assert [answer.body for answer in connect(server.origin).run(get(), get())] == [b"{}", b"{}"]


# -- how long an answer may take ---------------------------------------------------------------------------


def dripped(part: str) -> list[bytes | float]:
    """An answer of which one part never ends."""
    head = b"HTTP/1.1 200 OK\r\n"
    begun = {"status": [], "headers": [head], "body": [head + b"Content-Length: 99\r\n\r\n"]}[part]
    drop = {"status": b"HTTP/1.1 103 E\r\n\r\n", "headers": b"X", "body": b" "}[part]
    drops: list[bytes | float] = [drop, 0.05]
    return [*begun, *(drops * 80)]


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_an_answer_that_drips_in_has_an_end(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    with Wire(talkdesk(dripped(part))) as server:
        client = connect(server.origin)
        monkeypatch.setattr(policy, "LONGEST_LOOK", 0.5)
        began = time.monotonic()
        refusal = refused(client, get(), attempts=1)
    assert refusal.kind == "lost"
    assert time.monotonic() - began < 3, "all of it takes four seconds"


# -- submitting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ((b"",), "lost"),  # read, then closed without a word
        ((b"HTTP/1.1 20",), "lost"),
        ((3.0,), "lost"),  # read, and no answer in time
        (reply(500, {"message": "stumbled"}), "lost"),
        (reply(502, b"<html>Bad Gateway"), "lost"),
        (reply(504), "lost"),
        (reply(503, {"message": "unable to audit operation"}), "unavailable"),
        (reply(429, {"message": "too many"}), "quota"),
        (reply(400, {"message": "bad"}), "invalid"),
    ],
)
def test_an_order_is_never_sent_twice_on_suspicion(connect: Connect, written: Any, kind: str) -> None:
    with Wire(talkdesk(written)) as server:
        refusal = refused(connect(server.origin, timeout=0.3), post())
    assert refusal.kind == kind
    assert orders(server) == ["POST /order"]


@pytest.mark.parametrize("status", [429, 503])
def test_an_order_is_sent_again_where_the_vendor_says_when(
    connect: Connect, status: int, pauses: list[float]
) -> None:
    with Wire(talkdesk(reply(status, Retry_After="5"), reply(202, {"id": "1"}))) as server:
        connect(server.origin).run(post())
    assert orders(server) == ["POST /order"] * 2
    assert pauses == [5.0]


def test_an_order_is_sent_again_where_no_connection_was_made(connect: Connect, pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Wire(lambda asked: reply(200, TOKEN)) as auth:
        client = connect(f"http://127.0.0.1:{port}", auth_url=f"{auth.origin}/oauth/token")
        refusal = refused(client, post())
    assert refusal.kind == "unreachable"
    assert len(pauses) >= 4


def test_a_token_that_got_lost_is_no_lost_order(connect: Connect) -> None:
    with Wire(lambda asked: b"") as server:
        refusal = refused(connect(server.origin), post())
    assert refusal.kind == "unavailable"
    assert orders(server) == []


# -- redirects ---------------------------------------------------------------------------------------------


def test_a_redirect_to_another_origin_carries_nothing_of_the_vendors(connect: Connect) -> None:
    with Wire(lambda asked: reply(200, b"file")) as storage:
        link = f"{storage.origin}/key%2B?X-Amz-Signature=a%2Fb%3D"
        with Wire(talkdesk(reply(302, b"", Location="/second"), reply(303, b"", Location=link))) as server:
            operation = get("/first", headers={"X-Tenant-Info": "t", "8x8-apikey": "k"}, redirects="followed")
            [answer] = connect(server.origin).run(operation)
    assert answer.body == b"file"
    assert orders(server) == ["GET /first", "GET /second"]
    assert all(asked.headers["x-tenant-info"] == "t" for asked in server.asked[1:])
    [asked] = storage.asked
    assert asked.target == "/key%2B?X-Amz-Signature=a%2Fb%3D"
    assert not {"authorization", "cookie", "x-tenant-info", "8x8-apikey"} & set(asked.headers)


@pytest.mark.parametrize("signature", ["X-Amz-Signature", "X-Goog-Signature", "Signature", "sig"])
def test_storage_behind_the_apis_own_origin_gets_its_links_signature_and_nothing_else(
    connect: Connect, signature: str
) -> None:
    link = f"/bucket/calls.csv?a=1&{signature}=a%2Fb%3D"
    with Wire(talkdesk(reply(302, b"", Location=link), reply(200, b"file"))) as server:
        connect(server.origin).run(get("/first", redirects="followed"))
    assert orders(server) == ["GET /first", f"GET {link}"]
    assert "authorization" not in server.asked[-1].headers


def test_a_parameter_of_the_apis_own_that_is_called_signature_signs_nothing(connect: Connect) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        connect(server.origin).run(get("/thing", params=[("signature", "x")]))
    assert server.targets[-1] == "GET /thing?signature=x"
    assert "authorization" in server.asked[-1].headers


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "unavailable"), (403, "unavailable"), (401, "authentication")]
)
def test_a_link_that_died_is_a_blip_behind_the_apis_own_origin_too(
    connect: Connect, status: int, kind: str
) -> None:
    with Wire(talkdesk(reply(302, b"", Location="/bucket/calls.csv"), reply(status))) as server:
        assert refused(connect(server.origin), get("/first", redirects="followed")).kind == kind


def test_the_way_back_home_carries_nothing_either(connect: Connect) -> None:
    with (
        Wire(lambda asked: b"") as home,
        Wire(lambda asked: reply(302, b"", Location=f"{home.origin}/back")) as away,
    ):
        home.answer = lambda asked: (
            reply(200, TOKEN)
            if "token" in asked.line
            else reply(200, b"x")
            if "/back" in asked.line
            else reply(302, b"", Location=f"{away.origin}/a")
        )
        connect(home.origin).run(get("/first", redirects="followed"))
    assert home.targets[-1] == "GET /back"
    assert "authorization" not in home.asked[-1].headers


def test_an_absolute_target_abroad_gets_no_credentials(connect: Connect) -> None:
    with Wire(talkdesk(reply(200))) as server, Wire(lambda asked: reply(200)) as storage:
        connect(server.origin).run(get(f"{storage.origin}/x?y", headers={"X-Tenant-Info": "t"}))
    assert not {"authorization", "x-tenant-info"} & set(storage.asked[0].headers)
    assert server.asked == [], "not even a token was needed"


def test_five_redirects_are_followed_and_no_sixth(connect: Connect) -> None:
    def chain(hops: int) -> Any:
        redirects = [reply(302, b"", Location=f"/{n}") for n in range(hops)]
        return talkdesk(*redirects, reply(200, b"end"))

    with Wire(chain(5)) as server:
        assert connect(server.origin).run(get(redirects="followed"))[0].body == b"end"
    with Wire(chain(6)) as server:
        assert (
            "redirected more than 5 times" in refused(connect(server.origin), get(redirects="followed")).words
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [300, 302, 308])
def test_a_redirect_where_the_api_has_none_is_a_wrong_address_at_once(
    connect: Connect, method: str, status: int
) -> None:
    with Wire(talkdesk(reply(status, b"", Location="https://login.example/sso?ticket=t-1"))) as server:

        def ask() -> Operation[Answer]:
            try:
                return (yield Request(method, "/jobs?page=1", idempotent=method == "GET"))
            except Refusal as refusal:
                raise Refusal("authentication", refusal.words) from None

        origin = server.origin
        refusal = refused(connect(origin), ask())
    assert (refusal.kind, refusal.status) == ("invalid", status)
    assert refusal.words == (f"{origin}/jobs redirects to https://login.example/sso (HTTP {status})")
    assert orders(server) == [f"{method} /jobs?page=1"]


def test_a_token_endpoint_that_redirects_is_a_wrong_auth_url(connect: Connect) -> None:
    with Wire(lambda asked: reply(302, b"", Location="/login")) as server:
        refusal = refused(connect(server.origin), get())
    assert refusal.kind == "invalid"
    assert re.search(r" redirects to .*/login .HTTP 302.$", refusal.words)
    assert refusal.advice == "Correct the connection's auth_url."


@pytest.mark.parametrize("location", [None, "", "http://[bad", "http://h:99999/", "http://h:x/"])
def test_a_redirect_to_nowhere_is_refused(connect: Connect, location: str | None) -> None:
    headers = {} if location is None else {"Location": location}
    with Wire(talkdesk(reply(302, b"", **headers))) as server:
        assert (
            refused(connect(server.origin), get(redirects="followed")).words == "HTTP 302 without a Location"
        )


@pytest.mark.parametrize("location", ["ftp://h/x", "file:///etc/passwd", "javascript:alert(1)"])
def test_only_web_servers_are_followed_to(connect: Connect, location: str) -> None:
    with Wire(talkdesk(reply(302, b"", Location=location))) as server:
        refusal = refused(connect(server.origin), get(redirects="followed"))
    assert refusal.kind in {"invalid", "unavailable"}


def test_a_dead_link_is_one_to_ask_for_again(connect: Connect) -> None:
    expired = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>expired</Message></Error>"
    with Wire(lambda asked: reply(403, expired)) as storage, Wire(talkdesk(b"")) as server:
        server.answer = talkdesk(reply(303, b"", Location=f"{storage.origin}/f?X-Amz-Signature=s"))
        refusal = refused(connect(server.origin), get(redirects="followed"))
    assert refusal.passing
    assert refusal.words == "the link to the file was refused: HTTP 403: AccessDenied: expired"


# -- what can't be asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["http://a b/", "http://127.0.0.1:bad/", "http:///x"])
def test_a_url_that_no_client_takes_is_a_typed_refusal(connect: Connect, target: str) -> None:
    with Wire(talkdesk(reply(200))) as server:
        refusal = refused(connect(server.origin), get(target, signed=False))
    assert refusal.kind in {"invalid", "unreachable", "lost"}


def test_a_token_that_no_header_can_hold_is_a_typed_refusal(connect: Connect) -> None:
    with Wire(talkdesk(reply(200), token=reply(200, {**TOKEN, "access_token": "a\nb: c"}))) as server:
        refusal = refused(connect(server.origin), get())
    assert refusal.kind == "invalid"
    assert orders(server) == []


def test_a_body_without_end_is_cut_off(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "LARGEST_ANSWER", 1000)
    with Wire(talkdesk(reply(200, b"x" * 5000))) as server:
        assert "longer than 1000 bytes" in refused(connect(server.origin), get(), attempts=1).words


# -- proxies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proxy", ["{origin}", "{host}", "http://user:sentinel-secret-2@{host}"])
def test_requests_go_by_the_connections_proxy(connect: Connect, proxy: str) -> None:
    with Wire(talkdesk(reply(200, {"by": "proxy"}))) as server:
        address = proxy.format(origin=server.origin, host=server.origin.partition("//")[2])
        [answer] = connect("http://api.invalid/base", proxy=address).run(get("/thing"))
    assert answer.json() == {"by": "proxy"}
    assert server.targets == ["POST http://api.invalid/base/oauth/token", "GET http://api.invalid/base/thing"]
    assert ("proxy-authorization" in server.asked[1].headers) == ("@" in proxy)


def test_requests_go_by_the_environments_proxy_but_not_to_its_exceptions(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        monkeypatch.setenv("http_proxy", server.origin)
        connect("http://api.invalid").run(get("/thing"))
        assert len(server.asked) == 2
        monkeypatch.setenv("no_proxy", "api.invalid")
        assert refused(connect("http://api.invalid"), get("/thing"), attempts=1).kind == "unreachable"
        assert len(server.asked) == 2


def test_a_proxy_that_is_away_means_that_nothing_was_sent(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for base in ("http://api.invalid", "https://api.invalid"):
        client = connect(base, proxy=f"http://127.0.0.1:{port}")
        assert refused(client, post(), attempts=1).kind == "unreachable"


# -- the sandbox: the same outcome by the same requests ----------------------------------------------------

FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "status 503 twice": [{"fault": "status", "status": 503, "count": 2}],
    "status 429, come again": [{"fault": "status", "status": 429, "retry_after": 3}],
    "status 403": [{"fault": "status", "status": 403, "body": '{"code": "1", "message": "scope"}'}],
    "unreadable": [{"fault": "unreadable"}],
    "html": [{"fault": "html"}],
    "html 502": [{"fault": "html", "status": 502}],
    "reset": [{"fault": "reset"}],
    "reset in the body": [{"fault": "reset", "when": "body"}],
    "lost answer": [{"fault": "lost_answer"}],
    "stall": [{"fault": "stall"}],
    "stall in the body": [{"fault": "stall", "when": "body"}],
    "cut by length": [{"fault": "cut", "framing": "length"}],
    "cut chunks": [{"fault": "cut", "framing": "chunked"}],
    "cut unseen": [{"fault": "cut", "framing": "none"}],
    "revoked once": [{"fault": "revoke_token"}],
    "revoked for ever": [{"fault": "revoke_token", "count": None}],
    "unknown word": [{"fault": "unknown_status"}],
    "redirect to itself": [{"fault": "redirect", "to": "self"}],
}


def outcome_and_requests(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from .conftest import Client

    with Sandbox(rows=3, options={"talkdesk": {"hold": "created"}}) as sandbox:
        own = json.loads(sandbox.environ["AIRFLOW_CONN_TALKDESK_DEFAULT"])
        own["extra"]["timeout"] = 0.3
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", json.dumps(own))
        from airflow_provider_contactcenter.reports import talkdesk_report

        report = talkdesk_report("calls", start="2024-05-01T00:00Z", end="2024-05-02T00:00Z", conn_id="wire")
        client = Client(kind, "wire")
        job = client.hook.submit(report)
        for fault in FAULTS[name]:
            sandbox.add_fault(vendor="talkdesk", operation="poll", **fault)
        try:
            ended: Any = client.run(client.hook.vendor.status(job))
        except Refusal as refusal:
            ended = (refusal.kind, refusal.status, refusal.words)
        client.hook.close()
        entries = sandbox.journal(vendor="talkdesk")[2:]
        return ended, [(entry["operation"], entry["status"]) for entry in entries]


@pytest.mark.parametrize("name", FAULTS)
def test_both_drivers_end_alike_after_the_same_requests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, asked = outcome_and_requests("requests", name, monkeypatch)
    ended_too, asked_too = outcome_and_requests("aiohttp", name, monkeypatch)

    def nameless(outcome: Any) -> Any:
        # Ids differ between sandboxes, and the libraries' names of an error differ.
        return outcome[:2] if isinstance(outcome, tuple) else outcome

    assert nameless(ended) == nameless(ended_too)
    assert asked == asked_too


def test_many_threads_share_one_session_without_mixing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from .conftest import Client, connection

    def echo(asked: Asked) -> bytes:
        return reply(200, TOKEN if "token" in asked.line else {"target": asked.target})

    with Wire(echo) as server:
        monkeypatch.setenv("AIRFLOW_CONN_WIRE", connection(server.origin))
        client = Client("requests", "wire")
        found: dict[int, Any] = {}

        def ask(number: int) -> None:
            found[number] = client.run(get(f"/{number}"))[0].json()["target"]

        client.run(get())
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.hook.close()
    assert found == {number: f"/{number}" for number in range(20)}
