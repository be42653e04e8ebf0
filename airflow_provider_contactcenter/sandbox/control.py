"""``/_sandbox/...``: how another process scripts the sandbox and reads what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .model import Reply, Request, is_number, json_reply
from .world import World

PREFIX = "/_sandbox"


def _object(request: Request) -> dict[str, Any]:
    value = request.json()
    if not isinstance(value, dict):
        raise ValueError("The body must be a JSON object.")
    return value


def _overview(world: World, request: Request, name: str) -> Any:
    vendors = {
        state.vendor.name: {"url": state.base_url, "options": state.options}
        for state in world.states.values()
    }
    return {"storage_url": world.storage.url, "connections": world.connections, "vendors": vendors}


def _add_faults(world: World, request: Request, name: str) -> Any:
    given = request.json()
    return [world.faults.add(fault).as_dict() for fault in (given if isinstance(given, list) else [given])]


def _set_options(world: World, request: Request, name: str) -> Any:
    given = _object(request)
    vendor = given.pop("vendor", None)
    if not isinstance(vendor, str):
        raise ValueError('Name the "vendor" beside the options.')
    world.set_options(vendor, given)
    return world.states[vendor].options


def _journal(world: World, request: Request, name: str) -> Any:
    return world.journal.asked(dict(request.query))


def _jobs(world: World, request: Request, name: str) -> Any:
    return world.jobs(dict(request.query).get("vendor"))


def _advance(world: World, request: Request, name: str) -> Any:
    given = _object(request)
    if set(given) != {"advance"} or not is_number(given["advance"]):
        raise ValueError('The body must be {"advance": seconds}.')
    world.clock.advance(given["advance"])
    return {"now": world.clock.now().isoformat()}


def _hold(world: World, request: Request, name: str) -> Any:
    given = _object(request)
    if set(given) != {"state"} or not isinstance(given["state"], str | None):
        raise ValueError('The body must be {"state": a status word, or null to let the job go on}.')
    world.hold(name, given["state"])
    return {"id": name, "state": given["state"]}


#: (method, path after the prefix) -> what it does; "*" is one name, and what returns None answers 204
ROUTES: dict[tuple[str, str], Callable[[World, Request, str], Any]] = {
    ("GET", ""): _overview,
    ("GET", "/faults"): lambda world, request, name: world.faults.entries(),
    ("POST", "/faults"): _add_faults,
    ("DELETE", "/faults"): lambda world, request, name: world.faults.clear(),
    ("GET", "/journal"): _journal,
    ("DELETE", "/journal"): lambda world, request, name: world.journal.clear(),
    ("POST", "/options"): _set_options,
    ("POST", "/clock"): _advance,
    ("GET", "/served"): lambda world, request, name: [served.as_dict() for served in world.served],
    ("GET", "/jobs"): _jobs,
    ("POST", "/jobs/*"): _hold,
    ("DELETE", "/jobs/*"): lambda world, request, name: world.forget(name),
    ("POST", "/reset"): lambda world, request, name: world.reset(),
}


def answer(world: World, request: Request) -> Reply:
    """The answer to a control request; 400 with a sentence where it makes no sense."""
    path = request.raw_path.removeprefix(PREFIX).rstrip("/")
    named = re.fullmatch(r"(/jobs/)(.+)", path)
    pattern, name = (named[1] + "*", unquote(named[2])) if named else (path, "")
    act = ROUTES.get((request.method, pattern))
    if act is None:
        return json_reply({"error": f"The sandbox has no control route {request.method} {path}."}, 404)
    try:
        result = act(world, request, name)
    except ValueError as error:
        return json_reply({"error": str(error)}, 400)
    return Reply(204) if result is None else json_reply(result)
