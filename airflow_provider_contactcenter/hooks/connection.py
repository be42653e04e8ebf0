"""From a connection of Airflow's to the settings that a vendor's operations need."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind

if TYPE_CHECKING:
    from logging import Logger

    from airflow.providers.common.compat.sdk import BaseHook

    from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor


#: A connection isn't there, says Airflow, which says the same while what keeps its connections is away; or
#: (Airflow 3.3) the task may not read it.
NOT_THERE = (AirflowNotFoundException, PermissionError)


@dataclass(frozen=True)
class ConnectionReader:
    """Reads one connection as it is now, each time it is asked.

    :param hook_class: whose connection it is; looks it up.
    :param conn_type: the type that the connection has to be of.
    """

    hook_class: type[BaseHook]
    conn_id: str
    conn_type: str
    vendor: Vendor
    log: Logger

    def read(self, *, again: bool = False) -> Settings:
        """The connection, resolved.

        :param again: it was there before.
        :raises Refusal: there is none, or it can't be used.
        """
        try:
            connection = self.hook_class.get_connection(self.conn_id)
        except NOT_THERE:
            raise self._missing("authentication" if again else "unavailable") from None
        return self._resolve(connection, connection.extra_dejson)

    def _missing(self, kind: RefusalKind) -> Refusal:
        return Refusal(
            kind,
            f"there is no connection {self.conn_id!r} that can be read here and now",
            advice="Nothing was sent: make the connection, where the triggerer reads it too, or correct the "
            "report's conn_id. If it is there, the API server or the secrets backend was away or denied it: "
            "retry, or let the task read it.",
        )

    async def read_async(self, *, fresh: bool = False) -> Settings:
        """The connection, resolved; looked up once for all that ask within :data:`SAME_LOOKUP` seconds.

        Thousands of triggers start at once where a triggerer is restarted.

        :param fresh: what was looked up before is no longer good.
        :raises Refusal: there is none, it can't be used, or it can't be read for now.
        """
        loop = asyncio.get_running_loop()
        lookups, key = _lookups.setdefault(loop, {}), (self.hook_class, self.conn_id)
        lookup, since = lookups.get(key, (None, 0.0))
        if lookup is None or loop.time() > since + SAME_LOOKUP or (fresh and lookup.done()):
            lookup = loop.create_task(self._look_up())
            lookups[key] = lookup, loop.time()
        found = await asyncio.shield(lookup)  # who leaves doesn't take it from the others
        missing, now = _missed.setdefault(loop, {}), loop.time()
        if found is None:
            lookups.pop(key, None)
            first, last = missing.get(key, (now, now))
            if now - last > LONGEST_MISSING:  # nobody has looked since: another time that it is missing
                first = now
            missing[key] = first, now
            over = now - first >= LONGEST_MISSING
            raise self._missing("authentication" if fresh or over else "unavailable")
        missing.pop(key, None)
        if isinstance(found, Refusal):
            lookups.pop(key, None)
            # A new one: each that is raised collects the frames it passes through.
            raise found.but()
        return found

    async def _look_up(self) -> Settings | Refusal | None:
        try:
            connection = await get_async_connection(self.conn_id, hook=self.hook_class)
            return self._resolve(connection, await get_async_extra_dejson(connection))
        except Refusal as refusal:
            return refusal
        except NOT_THERE:
            return None
        except Exception as error:
            # The API server or the secrets backend is away: a blip like any other.
            return Refusal("unavailable", f"the connection can't be read ({type(error).__name__})")

    def _resolve(self, connection: Any, extra: Any) -> Settings:
        self._check_type(connection.conn_type)
        fields = ConnectionFields(
            conn_id=self.conn_id,
            host=connection.host,
            schema=connection.schema,
            port=connection.port,
            login=connection.login,
            password=connection.password,
            extra=extra if isinstance(extra, dict) else {},
        )
        try:
            settings = self.vendor.settings(fields)
            for url in filter(None, (settings.base_url, settings.auth_url)):
                policy.proxy_for(settings, url)  # refused here, before anything is sent, if it can't be used
        except Refusal as refusal:
            raise refusal.advised("Nothing was sent: correct the connection.") from None
        self._warn_of_unknown(extra)
        base = urlsplit(settings.base_url)
        loopback = base.hostname in {"localhost", "::1"} or str(base.hostname).startswith("127.")
        if base.scheme == "http" and not loopback and settings.base_url not in _unencrypted:
            _unencrypted.add(settings.base_url)
            self.log.warning(
                "Credentials and reports of connection %s travel unencrypted: %s is not https.",
                self.conn_id,
                policy.shown(settings.base_url),
            )
        return settings

    def _check_type(self, conn_type: str | None) -> None:
        """Refuse another vendor's connection: its credentials would be sent to this one's token endpoint."""
        found = (conn_type or "").strip().lower().replace("-", "_")
        if found not in {"", "generic", self.conn_type}:
            raise Refusal(
                "invalid",
                f"connection {self.conn_id} is of type {found}; this report needs {self.conn_type}",
                advice="Nothing was sent: give the report a connection of that type (conn_id).",
            )

    def _warn_of_unknown(self, extra: Any) -> None:
        """Say which extras mean nothing here: a misspelled one would be passed over in silence."""
        for name, near in self.vendor.form.unknown(extra if isinstance(extra, dict) else ()).items():
            if (self.conn_id, name) not in _unknown:
                _unknown.add((self.conn_id, name))
                meant = f" Did you mean {near!r}?" if near else ""
                self.log.warning(
                    "Connection %s has the extra %r, which its type %s does not know; it is ignored.%s",
                    self.conn_id,
                    name,
                    self.conn_type,
                    meant,
                )


#: seconds for which the triggers of an event loop share one look-up of a connection
SAME_LOOKUP = 10.0
#: seconds for which a trigger takes a connection that isn't there for one that can't be read for now
LONGEST_MISSING = 900.0
_Lookup = asyncio.Task[Settings | Refusal | None]
_lookups: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[type, str], tuple[_Lookup, float]]] = (
    WeakKeyDictionary()
)

#: when connections were missed first, and last
_missed: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[type, str], tuple[float, float]]] = (
    WeakKeyDictionary()
)

#: base URLs without encryption that this process has warned of already
_unencrypted: set[str] = set()

#: (connection, extra) that this process has warned of already
_unknown: set[tuple[str, str]] = set()
