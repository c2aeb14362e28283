"""TLS: an own certificate, and the generated one for development.

Source: AWS KMS Developer Guide, "Infrastructure security" (TLS 1.2 at least, 1.3 recommended); RFC 7301 (ALPN).
"""

import datetime
import ipaddress
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.raw import call, connect, kms_request, sign
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import EXIT_LISTENER, EXIT_USAGE, Server, StartFailed
from tests.test_wire_transport import http2

NOW = datetime.datetime.now(datetime.UTC)


def write_certificate(folder: Path, names: list[x509.GeneralName]) -> tuple[Path, Path]:
    """A self-signed certificate and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keywright test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(hours=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key_file.chmod(0o600)
    return certificate_file, key_file


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a certificate of ours for localhost and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate, key = write_certificate(folder, names)
    arguments = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    server = Server(folder, arguments=arguments, scheme="https").start()
    try:
        yield server
    finally:
        server.close()


def verified(server: Server, trust: Path) -> None:
    """boto3 over TLS, with the certificate checked."""
    kms = boto3.client(
        "kms",
        endpoint_url=f"https://localhost:{server.port}",
        region_name=EUROPE,
        aws_access_key_id=ONE.access_key_id,
        aws_secret_access_key=ONE.secret_access_key,
        verify=str(trust),
        config=Config(retries={"total_max_attempts": 1}),
    )
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"over TLS")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"over TLS"


def handshake(server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    return context.wrap_socket(plain, server_hostname="localhost")


def client_context(version: ssl.TLSVersion, alpn: list[str] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if version < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def test_an_own_certificate(tls_server: Server) -> None:
    verified(tls_server, tls_server.folder / "certificate.pem")


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")]
)
def test_versions_that_are_spoken(tls_server: Server, version: ssl.TLSVersion, name: str) -> None:
    with handshake(tls_server, client_context(version)) as connection:
        assert connection.version() == name
        cipher = connection.cipher()
        assert cipher is not None
        assert version == ssl.TLSVersion.TLSv1_3 or cipher[0].startswith("ECDHE"), "forward secrecy"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_not(tls_server: Server) -> None:
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(tls_server, client_context(ssl.TLSVersion.TLSv1_1))


def test_http_2_is_negotiated(tls_server: Server) -> None:
    with handshake(tls_server, client_context(ssl.TLSVersion.TLSv1_3, ["h2", "http/1.1"])) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        ((status, _),) = http2(connection, [sign(tls_server, kms_request("ListKeys"))])
        assert status == "200"
    with handshake(tls_server, client_context(ssl.TLSVersion.TLSv1_3, ["http/1.1"])) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_plain_http_on_the_tls_port_gets_no_service(tls_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", tls_server.port), timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"200" not in connection.recv(4096)
        except ConnectionResetError:
            pass
    assert call(tls_server, "ListKeys").status == 200


def test_connections_that_never_finish_the_handshake_keep_nobody_out(tls_server: Server) -> None:
    idle = [socket.create_connection(("127.0.0.1", tls_server.port), timeout=10) for _ in range(100)]
    try:
        with connect(tls_server) as connection:
            assert connection.fileno() > 0
        assert call(tls_server, "ListKeys").status == 200
    finally:
        for connection in idle:
            connection.close()


def test_the_generated_certificate(tmp_path: Path) -> None:
    server = Server(tmp_path, arguments=("--tls-development",), scheme="https").start()
    authority = server.data / "tls-development-ca.pem"
    verified(server, authority)
    before = authority.read_bytes()
    for path in server.data.rglob("*"):
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.restart()
    assert authority.read_bytes() == before, "the second start finds it"
    verified(server, authority)
    server.stop()


def test_files_that_are_no_certificate_and_key(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    certificate, key = write_certificate(tmp_path, [x509.DNSName("localhost")])
    wrong = [
        ("--tls-certificate", str(tmp_path / "x.pem"), "--tls-key", str(key)),
        ("--tls-certificate", str(certificate), "--tls-key", str(tmp_path / "x.pem")),
        ("--tls-certificate", str(tmp_path / "missing"), "--tls-key", str(key)),
        ("--tls-certificate", str(certificate)),
    ]
    for arguments in wrong:
        with pytest.raises(StartFailed) as failure:
            Server(tmp_path, arguments=arguments, scheme="https").start()
        assert failure.value.exit_code in (EXIT_LISTENER, EXIT_USAGE), failure.value
