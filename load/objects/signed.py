"""Requests to S3 over one kept connection, signed with as little work as Signature Version 4 takes."""

import hashlib
import hmac
import http.client
import re
from collections.abc import Iterable
from datetime import UTC, datetime

REGION = "us-east-1"
ACCESS_KEY, SECRET = "test", "test"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()
BLOCK = 1 << 20


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, text: str):
        super().__init__(f"{status}: {text}")
        self.status = status
        self.code = text.partition("<Code>")[2].partition("</Code>")[0]


class Client:
    """One client, whose requests follow one another."""

    def __init__(self, port: int):
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._days: dict[str, bytes] = {}

    def head_of(self, method: str, path: str, headers: dict[str, str], payload: str) -> dict[str, str]:
        """The headers with their signature. The path has no query but one that is in order."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": payload, "x-amz-date": moment}
        signed |= {name: value for name, value in headers.items() if name.startswith("x-amz-")}
        names = sorted(signed)
        place, _, query = path.partition("?")
        query = "&".join(sorted(one if "=" in one else f"{one}=" for one in query.split("&") if one))
        listed = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = "\n".join([method, place, query, listed, ";".join(names), payload])
        scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key(scope), text.encode(), "sha256").hex()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return headers | signed | {"authorization": authorization}

    def _key(self, scope: str) -> bytes:
        if scope not in self._days:
            key = b"AWS4" + SECRET.encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._days[scope] = key
        return self._days[scope]

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        *,
        length: int | None = None,
        payload: str = UNSIGNED,
    ) -> http.client.HTTPResponse:
        """Sends a request and gives the answer, of which the body is still to be read."""
        size = len(body) if isinstance(body, bytes) else length
        head = self.head_of(method, path, headers or {}, payload) | {"content-length": str(size)}
        self._connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in head.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        for block in [body] if isinstance(body, bytes) else body:
            self._connection.sock.sendall(block)
        answer = self._connection.getresponse()
        if answer.status >= 300:
            raise Refused(answer.status, answer.read().decode(errors="replace"))
        return answer

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """A whole exchange, of a body that is short."""
        return self.send(method, path, body, headers).read()

    def receive(self, path: str, headers: dict[str, str] | None = None) -> Iterable[memoryview]:
        """The body of a GET, block by block in the same memory."""
        answer = self.send("GET", path, headers=headers)
        memory = memoryview(bytearray(BLOCK))
        while count := answer.readinto(memory):
            yield memory[:count]

    def close(self) -> None:
        self._connection.close()


def upload_id(document: bytes) -> str:
    found = re.search(rb"<UploadId>(.*?)</UploadId>", document)
    assert found, document
    return found[1].decode()
