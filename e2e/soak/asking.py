"""How clients ask: by hand where speed matters, or with boto3. Both give the same answers and note them in the ledger.

An answer within the deadline is all that is allowed, but while the service is away; no answer is a 500.
"""

import hashlib
import hmac
import http.client
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import botocore.session
from botocore import xform_name
from botocore.awsrequest import HeadersDict
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.callers import Caller
from harness.seed import EUROPE
from soak.endpoint import Endpoint
from soak.ledger import Answered, Ledger, Wrong, shown

# Within so many seconds everything is answered.
DEADLINE_SECONDS = 30.0
# A connection that was idle for longer is not used again, since the service may close it.
IDLE_SECONDS = 10.0


class Unanswered(Exception):
    """The service went away during the call, which may be done or not."""


@dataclass(frozen=True)
class Answer:
    """What was told, or the code of the refusal."""

    code: str | None
    told: dict[str, Any]
    request: str
    text: str = ""


class Asking(Protocol):
    """Somebody who can be asked, by one thread at a time."""

    def ask(self, caller: Caller, service: str, operation: str, parameters: dict[str, Any], region: str) -> Answer:
        """Raises `Unanswered` if the service went away, `Wrong` if there is no answer for no reason, or a 500."""



class Line:
    """Requests made by hand out of botocore's serialisers and parsers, on one connection that is kept open."""

    def __init__(self, endpoint: Endpoint, ledger: Ledger):
        self._endpoint, self._ledger = endpoint, ledger
        self._connection: http.client.HTTPConnection | None = None
        self._life, self._used = -1, 0.0

    def ask(
        self, caller: Caller, service: str, operation: str, parameters: dict[str, Any], region: str = EUROPE
    ) -> Answer:
        form = _form(service)
        body, headers = form.request(operation, parameters)
        headers["Host"] = f"127.0.0.1:{self._endpoint.port}"
        sign(caller, service, region, headers, body)
        begin = time.monotonic()
        try:
            status, told, content = self._exchange(headers, body)
        except (OSError, http.client.HTTPException) as failure:
            self._drop()
            raise no_answer(self._endpoint, self._ledger, begin, f"{service}:{operation}", failure) from None
        read = form.read(operation, status, told, content)
        return judged(self._endpoint, self._ledger, begin, service, operation, status, read)

    def _exchange(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = self._open()
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        content = response.read()
        self._used = time.monotonic()
        return response.status, dict(response.getheaders()), content

    def _open(self) -> http.client.HTTPConnection:
        if self._life != self._endpoint.life or time.monotonic() - self._used > IDLE_SECONDS:
            self._drop()
        if self._connection is None:
            self._life = self._endpoint.life
            self._connection = _connection(self._endpoint)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connection(endpoint: Endpoint) -> http.client.HTTPConnection:
    if endpoint.scheme == "http":
        return http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=DEADLINE_SECONDS)
    # test_tls.py looks at certificates.
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection("127.0.0.1", endpoint.port, timeout=DEADLINE_SECONDS, context=context)


class Boto:
    """boto3, that never tries again."""

    def __init__(self, endpoint: Endpoint, ledger: Ledger):
        self._endpoint, self._ledger = endpoint, ledger
        self._clients: dict[tuple[Any, ...], Any] = {}

    def ask(
        self, caller: Caller, service: str, operation: str, parameters: dict[str, Any], region: str = EUROPE
    ) -> Answer:
        begin, status = time.monotonic(), 200
        try:
            told = getattr(self._client(caller, service, region), xform_name(operation))(**parameters)
            if hasattr(told.get("Body"), "read"):
                told["Body"] = told["Body"].read()
        except ClientError as refused:
            told = refused.response
            status = told["ResponseMetadata"]["HTTPStatusCode"]
        except (BotoCoreError, OSError) as failure:
            raise no_answer(self._endpoint, self._ledger, begin, f"{service}:{operation}", failure) from None
        return judged(self._endpoint, self._ledger, begin, service, operation, status, told)

    def _client(self, caller: Caller, service: str, region: str) -> Any:
        which = (caller.account.access_key_id, service, region)
        if which not in self._clients:
            self._clients[which] = clients.fresh_client(
                service, self._endpoint.endpoint, caller.account, region, caller.token
            )
        return self._clients[which]


def no_answer(endpoint: Endpoint, ledger: Ledger, begin: float, asked: str, failure: Exception) -> Exception:
    """What to raise: it is only allowed while the service was away."""
    if endpoint.was_away(begin, time.monotonic()):
        ledger.not_answered()
        return Unanswered()
    told = f"nothing within {time.monotonic() - begin:.1f} s: {type(failure).__name__} {failure}"
    return Wrong(asked, told, f"an answer within {DEADLINE_SECONDS:.0f} s")


def judged(
    endpoint: Endpoint, ledger: Ledger, begin: float, service: str, operation: str, status: int, told: dict[str, Any]
) -> Answer:
    """The answer, noted, unless it is one that nobody may get."""
    error, metadata = told.get("Error", {}), told["ResponseMetadata"]
    code = error.get("Code", str(status)) if status >= 300 else None
    if status >= 500 and endpoint.was_away(begin, time.monotonic()):
        ledger.not_answered()
        raise Unanswered
    ledger.answered(Answered(metadata.get("RequestId", ""), service, operation, code))
    if status >= 500 or not metadata.get("RequestId"):
        raise Wrong(f"{service}:{operation}", f"{status} {shown(told)}", "an answer with a request id that is no 5xx")
    return Answer(code, told, metadata["RequestId"], error.get("Message") or "")


class _Form:
    """How requests and answers of a service look. S3 is not among them, for its requests are of many forms."""

    def __init__(self, service: str):
        self._model = botocore.session.get_session().get_service_model(service)
        protocol = self._model.metadata["protocol"]
        self._serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        self._parser = botocore.parsers.create_parser(protocol)

    def request(self, operation: str, parameters: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        made = self._serializer.serialize_to_request(parameters, self._model.operation_model(operation))
        body = urlencode(made["body"]) if isinstance(made["body"], dict) else made["body"]
        return body if isinstance(body, bytes) else body.encode(), dict(made["headers"])

    def read(self, operation: str, status: int, headers: dict[str, str], content: bytes) -> dict[str, Any]:
        shape = self._model.operation_model(operation).output_shape
        answer = {"status_code": status, "headers": HeadersDict(headers), "body": content}
        return self._parser.parse(answer, shape)


@lru_cache
def _form(service: str) -> _Form:
    return _Form(service)


# <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, for requests without a
# path and a query. botocore's signer takes several times longer.


def sign(caller: Caller, service: str, region: str, headers: dict[str, str], body: bytes) -> None:
    """Adds what makes a signed request of these headers."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers["X-Amz-Date"] = moment
    if caller.token:
        headers["X-Amz-Security-Token"] = caller.token
    signed = sorted((name.lower(), value) for name, value in headers.items())
    names = ";".join(name for name, _ in signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed)
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(caller.account.secret_access_key, scope)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{caller.account.access_key_id}/{scope}"
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )


@lru_cache(maxsize=1_024)
def _signing_key(secret: str, scope: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
