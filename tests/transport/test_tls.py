"""TLS: which certificates are trusted, which versions are spoken, and that https never becomes http."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from tests.wire import Wire, reply, talkdesk

from .conftest import Connect
from .test_drivers import get, post, refused

HOUR = dt.timedelta(hours=1)


def certificate(
    folder: Path,
    name: str = "127.0.0.1",
    valid: tuple[dt.timedelta, dt.timedelta] = (-HOUR, HOUR),
    issuer: str | None = None,
) -> Path:
    """A certificate and its key in one file; self-signed, but for what it says where it names an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test of the provider")])
    address: x509.GeneralName
    try:
        address = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        address = x509.DNSName(name)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def server_side(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


def test_a_self_signed_server_is_trusted_where_verify_names_its_certificate(
    connect: Connect, pem: Path
) -> None:
    with Wire(talkdesk(reply(200, {})), tls=server_side(pem)) as server:
        assert connect(server.origin, verify=str(pem)).run(get())[0].status == 200


def test_the_environments_bundle_counts_where_the_connection_names_none(
    connect: Connect, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with Wire(talkdesk(reply(200, {})), tls=server_side(pem)) as server:
        assert connect(server.origin).run(get())[0].status == 200


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("verify", [False, "False"])
def test_nothing_is_verified_where_verify_is_false(connect: Connect, pem: Path, verify: Any) -> None:
    with Wire(talkdesk(reply(200, {})), tls=server_side(pem)) as server:
        assert connect(server.origin, verify=verify).run(get())[0].status == 200


@pytest.mark.parametrize("trusted", [None, "other"])
def test_a_server_that_nobody_vouches_for_gets_nothing_and_is_not_asked_again(
    connect: Connect, pem: Path, tmp_path: Path, trusted: str | None
) -> None:
    extra = {"verify": str(certificate(tmp_path, "other.example"))} if trusted else {}
    with Wire(talkdesk(reply(200, {})), tls=server_side(pem)) as server:
        refusal = refused(connect(server.origin, **extra), post())
    assert refusal.kind == "invalid"
    assert "can't be verified: it is self-signed" in refusal.words
    assert (server.asked, server.connections) == ([], 1)


def test_a_certificate_for_another_name_is_refused(connect: Connect, tmp_path: Path) -> None:
    other = certificate(tmp_path, "other.example")
    with Wire(talkdesk(reply(200, {})), tls=server_side(other)) as server:
        refusal = refused(connect(server.origin, verify=str(other)), get())
    assert (refusal.kind, server.asked) == ("invalid", [])


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_not_spoken(connect: Connect, pem: Path) -> None:
    old = server_side(pem)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with Wire(talkdesk(reply(200, {})), tls=old) as server:
        assert refused(connect(server.origin, verify=str(pem)), get(), attempts=1).passing
    assert server.asked == []


def test_tls_1_2_is_spoken(connect: Connect, pem: Path) -> None:
    old = server_side(pem)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with Wire(talkdesk(reply(200, {})), tls=old) as server:
        assert connect(server.origin, verify=str(pem)).run(get())[0].status == 200


def test_a_server_that_speaks_no_tls_was_sent_nothing(connect: Connect, pem: Path) -> None:
    with Wire(talkdesk(reply(200, {}))) as server:
        base = server.origin.replace("http:", "https:")
        refusal = refused(connect(base, verify=str(pem), timeout=0.3), post(), attempts=1)
    assert refusal.kind in {"unreachable", "unavailable"}


def test_an_order_whose_tls_connection_ends_without_an_answer_is_lost_and_not_repeated(
    connect: Connect, pem: Path
) -> None:
    with Wire(talkdesk(b""), tls=server_side(pem)) as server:
        refusal = refused(connect(server.origin, verify=str(pem)), post())
    assert refusal.kind == "lost"
    assert [asked.line for asked in server.asked[1:]] == ["POST /order HTTP/1.1"]


def test_https_never_becomes_http(connect: Connect, pem: Path) -> None:
    with Wire(lambda asked: reply(200, b"file")) as plain:
        link = f"{plain.origin}/f?X-Amz-Signature=sentinel-signature-1"
        with Wire(talkdesk(reply(303, b"", Location=link)), tls=server_side(pem)) as server:
            client = connect(server.origin, verify=str(pem))
            for operation in (get(redirects="followed"), get(link, redirects="followed")):
                refusal = refused(client, operation)
                assert refusal.kind == "invalid"
                assert "was not followed: that is not https" in refusal.words
                assert "sentinel" not in refusal.words
    assert plain.asked == []


def test_a_client_certificate_is_shown_where_the_connection_has_one(connect: Connect, pem: Path) -> None:
    strict = server_side(pem)
    strict.verify_mode = ssl.CERT_REQUIRED
    strict.load_verify_locations(pem)
    with Wire(talkdesk(reply(200, {})), tls=strict) as server:
        client = connect(server.origin, verify=str(pem), cert=str(pem))
        assert client.run(get())[0].status == 200
        assert refused(connect(server.origin, verify=str(pem)), get(), attempts=1).passing


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            {"verify": "/nowhere/ca.pem"},
            "'verify' or REQUESTS_CA_BUNDLE can't be used: /nowhere/ca.pem: No such",
        ),
        ({"verify": __file__}, "can't be used: .*test_tls.py: no PEM file"),
        ({"cert": "/nowhere/c.pem"}, "'cert' can't be used: /nowhere/c.pem: No such file"),
        ({"cert": [__file__, __file__]}, "'cert' can't be used: .*: no PEM file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(
    connect: Connect, extra: dict[str, Any], words: str
) -> None:
    # The worker's hook says it as the task's error, the triggerer's as what ends the wait.
    with pytest.raises((ContactCenterInvalidReportError, Refusal), match=words):
        connect("https://api.invalid", **extra).run(get())
