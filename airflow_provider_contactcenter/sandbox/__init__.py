"""A local server that speaks the vendors' APIs, written from their documents and not from our client.

It shares no code with the client: both sides would share one misunderstanding and every test would pass.
It runs as a command (``contactcenter sandbox``), as a context manager and as a pytest fixture::

    with Sandbox(seed=1, rows=100, options={"talkdesk": {"done_as": 200}}) as sandbox:
        os.environ.update(sandbox.environ)
        sandbox.add_fault(vendor="talkdesk", operation="poll", fault="status", status=503, count=2)
        ...
        sandbox.clock.advance(3600)
        assert sandbox.journal(vendor="talkdesk", status=503) == []

**One API costs one package and one line.** A package exports its API as ``VENDOR``, a `model.Vendor`: its
name, the path prefix it answers under, its options (each documented variant of the API is one), its routes
and its default connections; `registry` lists the packages. Two of them may share a prefix (``/8x8``).

A route is ``Route(operation, method, pattern, handler)``. The pattern is a regular expression for the *raw*
path after the prefix, so a percent-encoded slash inside an id stays inside it; named groups arrive decoded in
``request.segments``. The operation's name is what faults and the journal are filtered by.

A handler is a plain function ``handler(state, request) -> Reply``; nothing in it is asynchronous and nothing
in it knows the web framework. ``state`` (`state.VendorState`) is what one sandbox remembers for one vendor:
``options``, ``tokens``, ``jobs``, ``memory``, the clock, ids, and signed links to the storage origin. A body
is bytes, or a `data.Content`, which is streamed, counted and listed in ``served()``. Faults are laid around
handlers by the server; a handler has to do one thing for them: take a job's word from ``state.word(job)``.

`model` is the vocabulary, `state` the memory, `clock` the time that everything ages by, `data` makes the
rows, `instants` writes the times in 8x8's, `storage` plays the object storage on the second origin, `faults`
and `journal` are what tests script and read, `world` is all that without sockets, and `server` puts it behind
HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import Clock

if TYPE_CHECKING:
    from .local import Sandbox

__all__ = ["Clock", "Sandbox"]


def __getattr__(name: str) -> Any:
    # Imported on demand: pytest imports this package in every session, with or without a sandbox in it.
    if name == "Sandbox":
        from .local import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
