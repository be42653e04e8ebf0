"""One TLS context for both drivers, so that ``verify`` and ``cert`` mean the same in both."""

from __future__ import annotations

import os
import ssl

from airflow_provider_contactcenter.vendors.protocol import Settings


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the CA bundle is the connection's, else the environment's, else certifi's."""
    import certifi

    bundle = settings.verify if isinstance(settings.verify, str) else None
    bundle = bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    location = bundle or certifi.where()
    if os.path.isdir(location):  # noqa: PTH112 - the very test that requests makes
        context.load_verify_locations(capath=location)
    else:
        context.load_verify_locations(cafile=location)
    if settings.verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert:
        files = (settings.cert,) if isinstance(settings.cert, str) else settings.cert
        context.load_cert_chain(*files)
    return context
