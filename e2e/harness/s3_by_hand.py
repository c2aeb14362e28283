"""Requests to S3 that boto3 would not send."""

import hashlib
import hmac
from typing import Any

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness.seed import EUROPE, ONE
from harness.server import Server

CHUNK = 65_536


def raw(
    server: Server,
    method: str,
    path: str,
    *,
    data: bytes = b"",
    headers: dict[str, str] | None = None,
    region: str = EUROPE,
    payload: str | None = None,
    sent_path: str | None = None,
) -> requests.Response:
    """A request signed by botocore; a refusal is raised as boto3 raises it. `payload` is what is said of the body, and
    `sent_path` another path than the one that was signed."""
    request = AWSRequest(method, server.endpoint + path, data=data, headers=headers)
    _Signer(region, payload).add_auth(request)
    sent = dict(request.headers.items())
    answer = requests.request(method, server.endpoint + (sent_path or path), data=data, headers=sent, timeout=30)
    if answer.status_code >= 400:
        code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
        metadata = {"HTTPStatusCode": answer.status_code, "RequestId": answer.headers["x-amz-request-id"]}
        raise ClientError({"Error": {"Code": code, "Message": answer.text}, "ResponseMetadata": metadata}, method)
    return answer


class Line:
    """A connection that is kept open, to a server whose certificate is not checked. Refusals are answers like others."""

    def __init__(self, server: Server) -> None:
        self.session = requests.Session()
        # The machine's own proxies and certificates have nothing to do with it.
        self.session.trust_env, self.session.verify = False, False
        self._endpoint = server.endpoint

    def send(self, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> requests.Response:
        request = AWSRequest(method, self._endpoint + path, data=data, headers=headers)
        _Signer(EUROPE, None).add_auth(request)
        sent = dict(request.headers.items())
        return self.session.request(method, self._endpoint + path, data=data, headers=sent, timeout=30)

    def close(self) -> None:
        self.session.close()


class _Signer(S3SigV4Auth):
    """botocore's signer, which says of the body what it is told to say."""

    def __init__(self, region: str, payload: str | None) -> None:
        super().__init__(Credentials(ONE.access_key_id, ONE.secret_access_key), "s3", region)
        self._payload = payload

    def payload(self, request: Any) -> str:
        return self._payload or super().payload(request)


def put_in_signed_chunks(server: Server, path: str, body: bytes, tamper: str = "") -> requests.Response:
    """PUT with `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, which no client of today sends but old ones do."""
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(body))}
    request = AWSRequest("PUT", server.endpoint + path, headers=headers)
    _Signer(EUROPE, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD").add_auth(request)
    sent = dict(request.headers.items())
    chunks = _chunks(sent, body)
    if tamper == "data":
        chunks[1] = (bytes(len(chunks[1][0])), chunks[1][1])
    elif tamper == "signature":
        chunks[1] = (chunks[1][0], "0" * 64)
    elif tamper == "order":
        chunks[0], chunks[1] = chunks[1], chunks[0]
    elif tamper == "last":
        chunks.pop()
    framed = b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), mark.encode(), data) for data, mark in chunks)
    return requests.put(server.endpoint + path, data=framed, headers=sent, timeout=30)


def _chunks(headers: dict[str, str], body: bytes) -> list[tuple[bytes, str]]:
    """The chunks and their signatures. <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>"""
    moment = headers["X-Amz-Date"]
    scope = f"{moment[:8]}/{EUROPE}/s3/aws4_request"
    key = b"AWS4" + ONE.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    previous = headers["Authorization"].rpartition("Signature=")[2]
    chunks = []
    for data in [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)] + [b""]:
        digests = [hashlib.sha256(piece).hexdigest() for piece in (b"", data)]
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", moment, scope, previous, *digests])
        previous = hmac.digest(key, text.encode(), "sha256").hex()
        chunks.append((data, previous))
    return chunks
