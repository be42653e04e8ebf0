"""A worker's requests session, as a connection wants it: TLS, keep-alive, and no credentials."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_user_agent
from requests_toolbelt.adapters.socket_options import TCPKeepAliveAdapter

from airflow_provider_contactcenter.transport.policy import USER_AGENT
from airflow_provider_contactcenter.transport.tls import ca_bundle, tls_context
from airflow_provider_contactcenter.transport.verbatim import POOLS
from airflow_provider_contactcenter.vendors.protocol.connection import Settings


class _TlsAdapter(TCPKeepAliveAdapter):
    """Keep-alive on idle connections, this package's TLS context, and targets byte for byte."""

    def __init__(self, context: Any, **options: Any) -> None:
        self._context = context
        super().__init__(**options)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        # Past the parent, which lets no further options through.
        HTTPAdapter.init_poolmanager(
            self,
            connections,
            maxsize,
            block,
            socket_options=self.socket_options,
            ssl_context=self._context,
            **options,
        )
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


def session_for(settings: Settings) -> requests.Session:
    """A session with the connection's TLS settings and no credentials: those are added per request.

    :raises Refusal: (invalid) a certificate file of the connection can't be used.
    """
    session = requests.Session()
    session.headers["User-Agent"] = f"{USER_AGENT} {default_user_agent()}"
    session.trust_env = False  # proxies come from the policy, which both drivers share; no .netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = settings.verify and ca_bundle(settings)
    session.cert = settings.cert
    adapter = _TlsAdapter(tls_context(settings))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
