"""One TLS context for both drivers, so that ``verify`` and ``cert`` mean the same in both."""

from __future__ import annotations

import os
import ssl

from airflow_provider_contactcenter.vendors.protocol.connection import Settings
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


def ca_bundle(settings: Settings) -> str:
    """File or folder of the certificates to trust."""
    import certifi

    bundle = settings.verify if isinstance(settings.verify, str) else None
    bundle = bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return bundle or certifi.where()


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the CA bundle is the connection's, else the environment's, else certifi's.

    :raises Refusal: (invalid) a file that it needs can't be used.
    """
    location = ca_bundle(settings)
    folder = os.path.isdir(location)  # noqa: PTH112 - the very test that requests makes
    try:
        # Naming a place keeps the system's own certificates out: a bundle of one CA means this one CA.
        context = ssl.create_default_context(
            cafile=None if folder else location, capath=location if folder else None
        )
    except OSError as error:
        raise _unusable("'verify' or REQUESTS_CA_BUNDLE", location, error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert:
        certificate, key = (settings.cert, None) if isinstance(settings.cert, str) else settings.cert
        try:
            # Without a password OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(certificate, key, password="")
        except OSError as error:
            raise _unusable("'cert'", certificate, error) from None
    return context


def _unusable(name: str, location: str, error: OSError) -> Refusal:
    reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no PEM file"
    return Refusal("invalid", f"the connection's {name} can't be used: {location}: {reason}")
