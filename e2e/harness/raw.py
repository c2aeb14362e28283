"""Requests made by hand, signed by botocore's signer or not at all."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.seed import EUROPE, ONE, Account
from harness.server import Server

JSON = "application/x-amz-json-1.1"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The error's code, or None for a success."""
        return None if self.status == 200 else self.json["__type"]

    @property
    def text(self) -> str | None:
        """The error's text, or None where the answer has none."""
        return self.json.get("message")

    @property
    def request_id(self) -> str:
        return self.headers["x-amzn-requestid"]


@dataclass
class Request:
    """A request before it is signed and sent."""

    method: str = "POST"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


def kms_request(operation: str, body: Any = None, **headers: str) -> Request:
    """A well-formed KMS request; a `body` of bytes is sent as it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    return Request(
        headers={"Content-Type": JSON, "X-Amz-Target": f"TrentService.{operation}"} | headers,
        body=raw,
    )


class _HeaderSigner(SigV4Auth):
    """botocore's signer with a settable time."""

    def __init__(self, credentials: Credentials, service: str, region: str, time: datetime):
        super().__init__(credentials, service, region)
        self.time = time

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self.time.strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        canonical = self.canonical_request(request)
        self._inject_signature_to_request(request, self.signature(self.string_to_sign(request, canonical), request))


class _QuerySigner(_HeaderSigner, SigV4QueryAuth):
    """botocore's pre-signing, with a settable time."""

    def __init__(self, credentials: Credentials, service: str, region: str, time: datetime, expires: int):
        SigV4QueryAuth.__init__(self, credentials, service, region, expires=expires)
        self.time = time

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        # botocore would move the members of a body into the query; a request of ours keeps its body.
        body, request.data = request.data, b""
        super()._modify_request_before_signing(request)
        request.data = body


def sign(
    server: Server,
    request: Request,
    *,
    account: Account = ONE,
    service: str = "kms",
    region: str = EUROPE,
    token: str | None = None,
    offset: timedelta = timedelta(),
    host: str | None = None,
) -> Request:
    """The request with an Authorization header, signed `offset` away from now."""
    signable = _signable(server, request, host)
    _HeaderSigner(_credentials(account, token), service, region, _now() + offset).add_auth(signable)
    return Request(request.method, request.path, dict(signable.headers.items()), request.body)


def sign_query(
    server: Server,
    request: Request,
    *,
    account: Account = ONE,
    service: str = "kms",
    region: str = EUROPE,
    expires: int = 60,
    offset: timedelta = timedelta(),
) -> Request:
    """The request with its signature in the query string."""
    signable = _signable(server, request, None)
    _QuerySigner(_credentials(account, None), service, region, _now() + offset, expires).add_auth(signable)
    parts = urlsplit(signable.url)
    headers = dict(signable.headers.items()) | {"Host": _host(server)}
    return Request(request.method, f"{parts.path or '/'}?{parts.query}", headers, request.body)


def _signable(server: Server, request: Request, host: str | None) -> AWSRequest:
    headers = {"Host": host or _host(server)} | request.headers
    return AWSRequest(request.method, f"{server.endpoint}{request.path}", headers, request.body)


def _credentials(account: Account, token: str | None) -> Credentials:
    return Credentials(account.access_key_id, account.secret_access_key, token)


def _host(server: Server) -> str:
    return f"127.0.0.1:{server.port}"


def _now() -> datetime:
    return datetime.now(UTC)


def as_bytes(request: Request, *, framing: str | None = None) -> bytes:
    """The request as it goes over HTTP/1.1, with its length or another framing."""
    head = [f"{request.method} {request.path} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    head.append(framing if framing is not None else f"Content-Length: {len(request.body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + request.body


def connect(server: Server, seconds: float = 20.0) -> socket.socket:
    """A bare connection; with TLS where the server speaks it, unverified."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=seconds)
    if server.scheme == "http":
        return plain
    return ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")


def exchange(server: Server, request: Request) -> Answer:
    """Sends exactly the request's headers (and Content-Length) and reads the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.sock = connect(server)
    try:
        return _exchange(server, connection, request)
    finally:
        connection.close()


class Line:
    """A connection that is kept open from one request to the next. It is for one thread."""

    def __init__(self, server: Server) -> None:
        assert server.scheme == "http"
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def exchange(self, request: Request) -> Answer:
        return _exchange(self.server, self._connection, request)

    def close(self) -> None:
        self._connection.close()


def _exchange(server: Server, connection: http.client.HTTPConnection, request: Request) -> Answer:
    connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
    headers = dict(request.headers)
    names = {name.lower() for name in headers}
    if "host" not in names:
        headers["Host"] = _host(server)
    if "content-length" not in names and "transfer-encoding" not in names:
        headers["Content-Length"] = str(len(request.body))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(request.body)
    return _read(connection.getresponse())


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def call(
    server: Server, operation: str, body: Any = None, *, account: Account = ONE, region: str = EUROPE, **headers: str
) -> Answer:
    """One signed KMS call."""
    return exchange(server, sign(server, kms_request(operation, body, **headers), account=account, region=region))


def get(server: Server, path: str) -> Answer:
    """An unsigned GET."""
    return exchange(server, Request("GET", path, {}, b""))


def exchange_bytes(server: Server, sent: bytes, *, ended: bool) -> bytes:
    """Writes bytes and reads until the server closes; `ended` says at once that no more will come."""
    with connect(server) as connection:
        received = bytearray()
        try:
            connection.sendall(sent)
            if ended:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass  # closed by the server, perhaps before all was written
        return bytes(received)
