"""One sandbox without its sockets: which vendor and operation a request is for, and what is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from .clock import Clock
from .data import Content
from .faults import BEFOREHAND, INSTEAD, Fault, Faults
from .journal import Journal
from .model import Connections, Reply, Request, Route, Vendor, json_reply
from .state import Job, VendorState
from .storage import Link, Storage

STORAGE = "storage"


class Target(NamedTuple):
    """What a request is for."""

    state: VendorState | None
    operation: str
    route: Route | None = None
    match: re.Match[str] | None = None
    link: Link | None = None


@dataclass
class Served:
    """A file or page that was on its way to a client, wholly or in part."""

    vendor: str
    operation: str
    job: str | None
    kind: str | None
    content: Content
    span: tuple[int, int]
    sent: int = 0
    complete: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The facts about it; `bytes`, `rows` and `sha256` are those of the whole, whatever was asked for."""
        return {
            "vendor": self.vendor,
            "operation": self.operation,
            "kind": self.kind,
            "job": self.job,
            "format": self.content.file_format,
            "content_type": self.content.content_type,
            "rows": self.content.rows,
            "bytes": self.content.length,
            "sha256": self.content.sha256,
            "start": self.span[0],
            "sent": self.sent,
            "complete": self.complete,
        }


class World:
    """All that a sandbox knows. Used by one thread only, that of the server's event loop."""

    def __init__(
        self,
        vendors: Sequence[Vendor],
        api_url: str,
        storage_url: str,
        seed: int,
        rows: int,
        options: Mapping[str, Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        self.clock = clock
        self.storage = Storage(storage_url)
        self.journal = Journal()
        self.served: list[Served] = []
        check_vendors(vendors, options)
        self.states = {
            vendor.name: VendorState(
                vendor,
                api_url + vendor.prefix,
                self.storage,
                clock,
                seed,
                rows,
                options.get(vendor.name, {}),
            )
            for vendor in vendors
        }
        self.faults = Faults(
            {
                vendor.name: frozenset({STORAGE, *(route.operation for route in vendor.routes)})
                for vendor in vendors
            },
            {vendor.name: tuple(vendor.refusals) for vendor in vendors},
        )
        self._private_headers = tuple({name for vendor in vendors for name in vendor.private_headers})

    @property
    def connections(self) -> Connections:
        """The default connections of all vendors."""
        return {
            conn_id: connection
            for state in self.states.values()
            for conn_id, connection in state.vendor.connections(state.base_url).items()
        }

    def find(self, origin: str, request: Request) -> Target:
        """The vendor and operation that a request is for."""
        path = request.raw_path
        if origin == STORAGE:
            link = self.storage.find(request)
            return Target(self.states[link.owner.name] if link else None, STORAGE, link=link)
        owner = None
        for state in self.states.values():
            prefix = state.vendor.prefix
            if path == prefix or path.startswith(prefix + "/"):
                owner = owner or state
                for route in state.vendor.routes:
                    match = route.match(path.removeprefix(prefix))
                    if match and route.method == request.method:
                        return Target(state, route.operation, route, match)
        return Target(owner, "unknown")

    def answer(self, request: Request, target: Target, fault: Fault | None) -> Reply:
        """The answer, as it is before the connection is tampered with."""
        state = target.state
        if fault and fault.kind in INSTEAD:
            if fault.parameters.get("when") == "after":
                self._plain_answer(request, target)
            return INSTEAD[fault.kind](fault, request, self.clock.now())
        if fault and state and fault.kind == "refusal":
            return state.vendor.refusals[fault["code"]](state, request)
        if fault and state and fault.kind in BEFOREHAND:
            BEFOREHAND[fault.kind](fault, state)
        try:
            return self._plain_answer(request, target)
        finally:
            if state:
                state.settle()

    def _plain_answer(self, request: Request, target: Target) -> Reply:
        if target.operation == STORAGE:
            return self.storage.answer(request, target.link, self._private_headers)
        if target.state is None:
            return json_reply({"error": "No vendor answers here."}, 404)
        if target.route is None or target.match is None:
            return target.state.vendor.not_found
        named = target.match.groupdict()
        segments = {name: unquote(value) for name, value in named.items() if value is not None}
        asked = replace(request, path=target.match.string, segments=segments)
        return target.route.handler(target.state, asked)

    def serve(self, target: Target, reply: Reply) -> Served | None:
        """Take note of a file or page that is about to leave."""
        if not isinstance(reply.body, Content) or target.state is None:
            return None
        job = target.state.jobs.get(reply.job or "")
        served = Served(
            target.state.vendor.name,
            target.operation,
            reply.job,
            job.kind if job else None,
            reply.body,
            reply.span or (0, reply.body.length),
        )
        self.served.append(served)
        return served

    def set_options(self, vendor: str, options: Mapping[str, Any]) -> None:
        """Change options of one vendor; what was submitted before keeps its course."""
        check_vendors([state.vendor for state in self.states.values()], {vendor: options})
        self.states[vendor].set_options(options)

    def jobs(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """The jobs, oldest first."""
        return [
            {
                "vendor": state.vendor.name,
                "id": job.id,
                "kind": job.kind,
                "state": state.word(job),
                "polls": job.polls,
                "created": job.created.isoformat(),
                "details": {name: str(value) for name, value in job.details.items()},
            }
            for state in self.states.values()
            if vendor in (None, state.vendor.name)
            for job in state.jobs.values()
        ]

    def find_job(self, job_id: str) -> tuple[VendorState, Job]:
        """A job by its id, whoever's it is."""
        for state in self.states.values():
            if job_id in state.jobs:
                return state, state.jobs[job_id]
        raise ValueError(f"There is no job {job_id!r}.")

    def hold(self, job_id: str, word: str | None) -> None:
        """Make a job answer `word` until further notice; with None it goes its own way again."""
        state, job = self.find_job(job_id)
        state.hold(job, word)

    def forget(self, job_id: str) -> None:
        """Drop a job, as if it had never been submitted."""
        del self.find_job(job_id)[0].jobs[job_id]

    def reset(self) -> None:
        """Back to the start: no journal, faults, jobs, tokens, links; options as at the start."""
        self.journal.clear()
        self.faults.clear()
        self.storage.clear()
        self.served.clear()
        for state in self.states.values():
            state.reset()


def check_vendors(vendors: Sequence[Vendor], options: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError, in one sentence, for an unknown vendor, option or value."""
    known = {vendor.name: vendor for vendor in vendors}
    for name, given in options.items():
        if name not in known:
            raise ValueError(f"There is no vendor {name!r}; there is {', '.join(known)}.")
        known[name].checked(given)
