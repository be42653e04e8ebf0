"""Runs a task as Airflow would, in this process: its tries, each deferral through its trigger."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import json
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_contactcenter.demo import verify
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transport import tokens
from tests.faults.subjects import Subject
from tests.transfers.conftest import StateStore, context

#: seconds that one trigger may take
LONGEST_TRIGGER = 30.0


@dataclass
class Try:
    """One try of a task: what it returned, or what it failed with."""

    delivery: dict[str, Any] | None = None
    error: BaseException | None = None
    #: by a user
    killed: bool = False

    @property
    def ended(self) -> str:
        """``lands``, ``is ended``, or the error's class."""
        if self.killed:
            return "is ended"
        return "lands" if self.error is None else type(self.error).__name__


@dataclass
class Seen:
    """All that could be read by others: log records, triggers, events, task state, deliveries, errors."""

    lines: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """The log as text."""
        return "\n".join(self.lines)

    @property
    def everything(self) -> str:
        """All of it as text."""
        return "\n".join([*self.lines, *self.stored])


class _Handler(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@contextlib.contextmanager
def listening(lines: list[str]) -> Iterator[None]:
    """Every record of every logger, at DEBUG, structlog's included; but for the chatter of boto."""
    logging.getLogger("botocore").setLevel(logging.INFO)
    loggers = [logging.getLogger(), logging.getLogger("airflow.task")]
    levels = [logger.level for logger in loggers]
    handler = _Handler(lines)
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    wrapper = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    try:
        with structlog.testing.capture_logs() as entries:
            yield
    finally:
        structlog.configure(wrapper_class=wrapper)
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        lines += [str(entry) for entry in entries]


def attempt(make: Callable[[], Any], task_context: dict[str, Any], seen: Seen, kill: bool = False) -> Try:
    """One try: on a worker, through the triggers of its deferrals, and on a worker again.

    :param kill: a user ends the task while it is deferred; on a worker, somebody else sees to that.
    """
    method: Callable[[], Any] = lambda: make().execute(task_context)  # noqa: E731
    while True:
        tokens.forget()  # each worker is a process of its own
        try:
            delivery = method()
        except TaskDeferred as deferred:
            if kill:
                asyncio.run(_trigger(deferred, seen).on_kill())
                return Try(killed=True)
            event = _event(deferred, seen)
            method = lambda name=deferred.method_name, event=event, told=deferred.kwargs: (  # type: ignore[misc]  # noqa: E731
                getattr(make(), name)(task_context, event=event, **told)
            )
        except Exception as error:
            seen.stored += texts(error)
            return Try(error=error, killed=kill and "was ended" in str(error))
        else:
            seen.stored.append(json.dumps(delivery))
            return Try(delivery=json.loads(json.dumps(delivery)))
        finally:
            seen.stored.append(json.dumps(task_context["task_state_store"]))


def _trigger(deferred: TaskDeferred, seen: Seen) -> Any:
    """The trigger as a triggerer makes it, of what lies in the database."""
    path, arguments = deferred.trigger.serialize()
    written = json.dumps(arguments)
    seen.stored += [path, written, repr(deferred.kwargs)]
    tokens.forget()  # and so is the triggerer
    return type(deferred.trigger)(**json.loads(written))


def _event(deferred: TaskDeferred, seen: Seen) -> Any:
    trigger = _trigger(deferred, seen)

    async def first_event() -> Any:
        async with asyncio.timeout(LONGEST_TRIGGER):
            return await anext(trigger.run())

    payload = json.dumps(asyncio.run(first_event()).payload)
    seen.stored.append(payload)
    return json.loads(payload)


def texts(error: BaseException) -> list[str]:
    """The text of an exception and of all that a traceback would show beneath it."""
    texts: list[str] = []
    shown: BaseException | None = error
    while shown is not None:
        texts += [str(shown), repr(shown)]
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return texts


def tries(
    make: Callable[[], Any],
    count: int,
    seen: Seen,
    between: Callable[[int], None],
    kill: bool = False,
) -> list[Try]:
    """So many tries of one task, which ends with the first that lands; as retries they share a memory."""
    memory, ended = StateStore(), []
    with listening(seen.lines):
        for number in range(1, count + 1):
            between(number)
            task_context = context(memory, try_number=number, max_tries=count)
            task_context["ti"].xcom_push = lambda key, value: seen.stored.append(json.dumps([key, value]))
            ended.append(attempt(make, task_context, seen, kill))
            if ended[-1].error is None:
                break
    if ended[-1].delivery is not None and memory:
        raise AssertionError(f"a task that succeeded left {memory} behind")
    return ended


def release(ended: list[Try]) -> None:
    """Let go of all that the frames of errors hold, as the end of the process would."""
    for one in ended:
        shown = one.error
        while shown is not None:
            traceback.clear_frames(shown.__traceback__)
            shown.__traceback__ = None
            shown = shown.__cause__ or shown.__context__
    gc.collect()


# -- what the sandbox served --------------------------------------------------------------------------------


def served_count(sandbox: Sandbox) -> int:
    """How many files and pages went out so far."""
    return len(sandbox.served())


def is_whole(sandbox: Sandbox, subject: Subject, landed: bytes, since: int) -> bool:
    """Whether these bytes are what the sandbox served since, whole."""
    contents = sandbox._ask(lambda world: [(one.content, one.complete) for one in world.served[since:]])
    if not subject.paged:
        return hashlib.sha256(landed).hexdigest() in {content.sha256 for content, _ in contents}
    return verify.same_rows([landed], [_Page(content) for content, complete in contents if complete])


class _Page:
    """A page as ``demo.verify`` takes it."""

    def __init__(self, content: Any) -> None:
        self.sha256 = content.sha256
        self.file_format = content.file_format
        self.chunks = content.chunks


def secrets(sandbox: Sandbox, subject: Subject) -> set[str]:
    """Every secret of a vendor: what its connection holds, what it issued, what it signed."""
    fields = sandbox.connections[subject.conn_id]
    found = {str(fields["password"])}
    found |= {value for name, value in fields["extra"].items() if "key" in name}
    found |= sandbox._ask(lambda world: set(world.states[subject.vendor].tokens._tokens))
    for entry in sandbox.journal():
        if entry["origin"] == "storage" and "?" in entry["target"]:
            found.add(entry["target"].split("?", 1)[1])
        found |= set(_parameters(entry["target"]))
        found |= {
            value.rpartition(" ")[2] for name, value in entry["headers"] if name.lower() == "authorization"
        }
    return {secret for secret in found if len(secret) > 5}


def _parameters(target: str) -> Sequence[str]:
    query = target.partition("?")[2]
    pairs = [pair.partition("=") for pair in query.split("&")]
    return [
        value for name, _, value in pairs if any(word in name.lower() for word in ("token", "key", "sig"))
    ]
