"""Acme, as the sandbox plays it. It shares no code with the client, so that each can show the other wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow_provider_contactcenter.sandbox.model import (
    Connections,
    Handler,
    Reply,
    Request,
    Route,
    Vendor,
    json_reply,
    ladder,
)
from airflow_provider_contactcenter.sandbox.state import Job, VendorState

SECRET = "sandbox-acme-signing-secret"
#: rows of one file
ROWS = 100


def connections(base_url: str) -> Connections:
    """The default connection: API and files on one origin here."""
    origin = "/".join(base_url.split("/")[:3])
    return {
        "acme_default": {
            "conn_type": "acme",
            "host": base_url,
            "extra": {"files": origin, "signing": SECRET},
        }
    }


def signed(handler: Handler) -> Handler:
    """Refuse what isn't signed: over the body, or the path where there is none."""

    def answer(state: VendorState, request: Request) -> Reply:
        over = request.body or request.raw_path.encode()
        expected = hmac.new(SECRET.encode(), over, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get("X-Acme-Signature", ""), expected):
            return json_reply({"message": "no such signature"}, 401)
        return handler(state, request)

    return answer


def of_order(handler: Callable[[VendorState, Request, Job], Reply]) -> Handler:
    """Find the order that the path names."""

    def answer(state: VendorState, request: Request) -> Reply:
        job = state.jobs.get(request.segments["order"])
        return handler(state, request, job) if job else json_reply({"message": "no such order"}, 404)

    return signed(answer)


def submit(state: VendorState, request: Request) -> Reply:
    """``POST /orders``."""
    asked = json.loads(request.body)
    if asked["kind"] == "calls" and asked["to"] - asked["from"] > timedelta(days=7).total_seconds():
        return json_reply({"message": "seven days at most"}, 400)
    job = state.add_job(asked["kind"], {"asked": asked, "rows": state.size[0]}, "FINISHED")
    return json_reply({"order": job.id}, job=job.id)


def status(state: VendorState, request: Request, job: Job) -> Reply:
    """``GET /orders/{order}``: its files are named once it is over."""
    word = state.poll(job)
    count = max(1, -(-job.details["rows"] // ROWS))
    files = [f"{state.base_url}/files/{job.id}/{number}.json" for number in range(count)]
    return json_reply({"state": word, "files": files if word == "FINISHED" else []}, job=job.id)


def cancel(state: VendorState, request: Request, job: Job) -> Reply:
    """``DELETE /orders/{order}``."""
    state.hold(job, "CANCELLED")
    return Reply(204, job=job.id)


def file(state: VendorState, request: Request, job: Job) -> Reply:
    """``GET /files/{order}/{number}.json``."""
    start = int(request.segments["number"]) * ROWS
    rows: list[dict[str, Any]] = [
        {"id": number, "agent": f"Ann {number % 7}"}
        for number in range(start, min(start + ROWS, job.details["rows"]))
    ]
    return json_reply(rows, job=job.id)


def watermark(state: VendorState, request: Request) -> Reply:
    """``GET /watermark``: what happened more than ten minutes ago is there."""
    return json_reply({"until": (state.now() - timedelta(minutes=10)).isoformat()})


ORDER = "(?P<order>[^/]+)"

VENDOR = Vendor(
    name="acme",
    prefix="/acme",
    routes=(
        Route("submit", "POST", "/orders", signed(submit)),
        Route("status", "GET", f"/orders/{ORDER}", of_order(status)),
        Route("cancel", "DELETE", f"/orders/{ORDER}", of_order(cancel)),
        Route("file", "GET", f"/files/{ORDER}/(?P<number>[0-9]+).json", of_order(file)),
        Route("watermark", "GET", "/watermark", signed(watermark)),
    ),
    connections=connections,
    options={"ladder": ladder(("WORKING", 0.0, 1))},
)
