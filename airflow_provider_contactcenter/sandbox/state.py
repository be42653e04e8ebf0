"""What one sandbox remembers for one vendor: options, tokens, jobs, ids."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from .clock import Clock
from .data import Content

if TYPE_CHECKING:
    from .model import Vendor
    from .storage import Storage


class Step(NamedTuple):
    """A status word, and what ends it: both the seconds have passed and the polls were answered."""

    word: str
    seconds: float
    polls: int


@dataclass
class Job:
    """One report job. `details` is the vendor module's own."""

    id: str
    kind: str
    created: datetime
    steps: Sequence[Step]
    end: str
    details: dict[str, Any] = field(default_factory=dict)
    polls: int = 0
    held: str | None = None
    reached: int = 0
    """The step that it has got to; no hold that comes later brings it back."""

    def word(self, now: datetime, hold: str | None = None) -> str:
        """The status at `now`; a job goes no further than the word `hold` on its way."""
        if self.held is not None:
            return self.held
        seconds, polls = 0.0, 0
        for place, step in enumerate(self.steps):
            seconds += step.seconds
            polls += step.polls
            waiting = (now - self.created).total_seconds() < seconds or self.polls < polls
            if place >= self.reached and (waiting or step.word == hold):
                self.reached = place
                return step.word
        self.reached = len(self.steps)
        return self.end

    def over_since(self) -> datetime:
        """The earliest instant at which the job can have reached its last word."""
        return self.created + timedelta(seconds=sum(step.seconds for step in self.steps))


@dataclass(frozen=True)
class Token:
    """An access token and what it may do."""

    value: str
    scopes: frozenset[str]
    expires: datetime


class Tokens:
    """The access tokens of one vendor."""

    def __init__(self, vendor: str, randomness: random.Random) -> None:
        self._vendor = vendor
        self._random = randomness
        self._tokens: dict[str, Token] = {}

    def issue(
        self, now: datetime, seconds: float, scopes: Sequence[str] = (), value: str | None = None
    ) -> Token:
        """A new token; where the vendor's don't look like anything, it is easy to find: ``sandbox-...``."""
        if value is None:
            drawn = self._random.getrandbits(64)
            value = f"sandbox-{self._vendor}-token-{len(self._tokens) + 1}-{drawn:016x}"
        token = Token(value, frozenset(scopes), now + timedelta(seconds=seconds))
        self._tokens[value] = token
        return token

    def find(self, value: str | None, now: datetime) -> Token | None:
        """The token, if it was issued here and is still alive."""
        token = self._tokens.get(value or "")
        return token if token and now < token.expires else None

    def revoke(self) -> None:
        """End the life of all tokens issued so far."""
        for value, token in self._tokens.items():
            self._tokens[value] = Token(value, token.scopes, datetime.min.replace(tzinfo=UTC))


class VendorState:
    """One vendor in one sandbox."""

    def __init__(
        self,
        vendor: Vendor,
        base_url: str,
        storage: Storage,
        clock: Clock,
        seed: int,
        rows: int,
        options: Mapping[str, Any],
    ) -> None:
        self.vendor = vendor
        self.base_url = base_url
        self.storage = storage
        self.clock = clock
        self.seed = seed
        self._default_rows = rows
        self._initial_options = vendor.checked(options)
        self.reset()

    def reset(self) -> None:
        """Forget everything but what the sandbox was started with."""
        self.options: dict[str, Any] = {
            name: option.default for name, option in self.vendor.all_options.items()
        } | self._initial_options
        # Predictable on purpose: ids and tokens here open nothing.
        self.random = random.Random(f"{self.seed}|{self.vendor.name}")  # noqa: S311
        self.tokens = Tokens(self.vendor.name, self.random)
        self.jobs: dict[str, Job] = {}
        self.memory: dict[str, Any] = {}
        #: the only secret or password that counts, once it was changed
        self.secret: str | None = None
        self.settle()

    def settle(self) -> None:
        """End what a fault laid over one request."""
        self.status_override: str | None = None
        self.links_dead = False

    @property
    def name(self) -> str:
        """The vendor's name."""
        return self.vendor.name

    def now(self) -> datetime:
        """The sandbox's clock, in UTC."""
        return self.clock.now()

    def new_id(self, version: int = 4) -> str:
        """A UUID, the same in every sandbox with this seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=version))

    def add_job(self, kind: str, details: dict[str, Any], end: str, job_id: str | None = None) -> Job:
        """Enqueue a job that climbs the vendor's `ladder` option and ends with the word `end`."""
        steps = [Step(*step) for step in self.options["ladder"]]
        job = Job(job_id or self.new_id(), kind, self.now(), steps, end, details)
        self.jobs[job.id] = job
        return job

    def word(self, job: Job) -> str:
        """The status word of a job, faults included. Asking doesn't count as a poll: see `poll`."""
        return self.status_override or job.word(self.now(), self.options["hold"])

    def hold(self, job: Job, word: str | None) -> None:
        """Make a job answer `word` until further notice; with None it goes its own way again.

        A job that is over may be held at another end, but not brought back to life.
        """
        usual = self.vendor.options.get("ladder")
        waiting = {step.word for step in job.steps} | {step[0] for step in (usual.default if usual else ())}
        if word in waiting - {job.end} and job.held is None and self.word(job) == job.end:
            raise ValueError(f"The job {job.id!r} is over ({job.end}); it can't be {word!r} again.")
        job.held = word

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Change options; what was submitted before keeps its course."""
        for job in self.jobs.values():  # it gets to where it is by now, whatever `hold` will be
            self.word(job)
        self.options |= options

    def poll(self, job: Job) -> str:
        """The status word for a client that polls, which may be what moves the job on."""
        word = self.word(job)
        job.polls += 1
        return word

    def running(self) -> int:
        """How many jobs are on their way."""
        now, hold = self.now(), self.options["hold"]
        return sum(
            job.word(now, hold) in {step.word for step in job.steps} - {job.end} for job in self.jobs.values()
        )

    @property
    def size(self) -> tuple[int, int | None]:
        """Rows and target size in bytes of a file."""
        rows, size = self.options["rows"], self.options["bytes"]
        return int(self._default_rows if rows is None else rows), None if size is None else int(size)

    def link(self, content: Content, name: str, job: Job | None = None) -> str:
        """A signed, short-lived link to `content` on the storage origin."""
        seconds = 0 if self.links_dead else self.options["link_seconds"]
        return self.storage.sign(self, content, name, seconds, job.id if job else None)
