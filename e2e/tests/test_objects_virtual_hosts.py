"""Buckets that the host names.

Source: Amazon S3 User Guide, "Virtual hosting of general purpose buckets".
"""

import hashlib
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness import clients
from harness.expect import refused
from harness.raw import Request, connect, sign
from harness.s3_by_hand import raw
from harness.seed import AMERICA, EUROPE, ONE
from harness.server import Server
from tests.test_wire_transport import http2

BASES = ["localhost", "s3.localhost"]


@pytest.fixture(autouse=True)
def _names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every machine knows that names below localhost are its own (RFC 6761)."""
    look_up = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **options: Any) -> Any:
        is_ours = isinstance(host, str) and host.endswith(("localhost", ".example.org"))
        return look_up("127.0.0.1" if is_ours else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)


def virtual(server: Server, base: str, region: str = EUROPE) -> Any:
    """boto3 with the bucket in the host's name."""
    s3 = clients.s3(server, ONE, region, endpoint=f"{server.scheme}://{base}:{server.port}", style="virtual")
    sent: list[str] = []
    s3.meta.events.register("before-send.s3", lambda request, **_: sent.append(request.url))
    s3.sent = sent
    return s3


@pytest.mark.parametrize("base", BASES)
def test_boto3_with_buckets_in_the_host(server: Server, base: str) -> None:
    s3, name = virtual(server, base), f"bucket-{uuid.uuid4()}"
    made = s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    host = f"{name}.{base}:{server.port}"
    assert made["Location"] == f"http://{host}/"
    body = os.urandom(100_000)
    for key in ("k", "a/b c+ü", "..//x", "healthz"):
        s3.put_object(Bucket=name, Key=key, Body=body)
        assert s3.get_object(Bucket=name, Key=key)["Body"].read() == body
    assert sorted(one["Key"] for one in s3.list_objects_v2(Bucket=name)["Contents"]) == ["..//x", "a/b c+ü", "healthz", "k"]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "k"})
    assert requests.get(url, timeout=30).content == body
    assert requests.get(url.replace("/k?", "/other?"), timeout=30).status_code == 403
    upload = s3.create_multipart_upload(Bucket=name, Key="a/m")["UploadId"]
    part = s3.upload_part(Bucket=name, Key="a/m", UploadId=upload, PartNumber=1, Body=body)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = s3.complete_multipart_upload(Bucket=name, Key="a/m", UploadId=upload, MultipartUpload=parts)
    assert done["Location"] == f"http://{host}/a%2Fm"
    # The same object by its path.
    assert clients.s3(server).get_object(Bucket=name, Key="a/m")["Body"].read() == body
    assert name in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    keys = [{"Key": one["Key"]} for one in s3.list_objects_v2(Bucket=name)["Contents"]]
    s3.delete_objects(Bucket=name, Delete={"Objects": keys})
    s3.delete_bucket(Bucket=name)
    assert all(host in url for url in s3.sent if "/?" not in url and not url.endswith(f"{base}:{server.port}/"))


def test_a_location_by_path_is_a_url_with_the_bucket_in_it(server: Server, bucket: str, s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a/m")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="a/m", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = s3.complete_multipart_upload(Bucket=bucket, Key="a/m", UploadId=upload, MultipartUpload=parts)
    assert done["Location"] == f"{server.endpoint}/{bucket}/a%2Fm"


def test_an_error_names_the_bucket_that_the_host_names(server: Server, bucket: str) -> None:
    host = f"{bucket}.localhost:{server.port}"
    for path, code in (("/a/b", "NoSuchKey"), ("/?acl", "NotImplemented")):
        with pytest.raises(ClientError) as caught:
            raw(server, "GET", path, headers={"host": host})
        text = caught.value.response["Error"]["Message"]
        assert f"<Code>{code}</Code>" in text
        assert f"<Resource>/{bucket}{path.partition('?')[0]}</Resource>" in text
    with refused("NoSuchBucket", status=404):
        raw(server, "GET", "/k", headers={"host": f"absent-{uuid.uuid4()}.s3.localhost"})
    # The signature is over the path as it was sent, without the bucket.
    with refused("SignatureDoesNotMatch", status=403):
        raw(server, "GET", "/k", headers={"host": host}, sent_path=f"/{bucket}/k")


def test_a_bucket_with_dots_and_hosts_in_capitals(server: Server) -> None:
    america, name = clients.s3(server, ONE, AMERICA), f"my.bucket.{uuid.uuid4()}"
    america.create_bucket(Bucket=name)
    america.put_object(Bucket=name, Key="k", Body=b"dots")
    for host in (f"{name}.s3.localhost:{server.port}", f"{name}.localhost", f"{name.upper()}.S3.Localhost"):
        assert raw(server, "GET", "/k", headers={"host": host}, region=AMERICA).content == b"dots"


def test_other_hosts_name_no_bucket(server: Server, bucket: str, s3: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"by path")
    for host in ("localhost", "s3.localhost:80", f"{bucket}.example.org", f"127.0.0.1:{server.port}", "[::1]:80"):
        assert raw(server, "GET", f"/{bucket}/k", headers={"host": host}).content == b"by path"
        with refused("NoSuchBucket", status=404):
            raw(server, "GET", "/k", headers={"host": host})


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a name of its own."""
    folder = tmp_path_factory.mktemp("configured")
    settings = Path(folder / "keywright.toml")
    settings.write_text('[objects]\nhost_names = ["s3.example.org"]\n')
    server = Server(folder, arguments=("--config", str(settings))).start()
    yield server
    server.close()


def test_names_are_configured(configured: Server) -> None:
    s3, name = virtual(configured, "s3.example.org"), f"bucket-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(Bucket=name, Key="k", Body=b"configured")
    assert s3.sent[-1] == f"http://{name}.s3.example.org:{configured.port}/k"
    assert clients.s3(configured).get_object(Bucket=name, Key="k")["Body"].read() == b"configured"
    with refused("NoSuchBucket", status=404):
        raw(configured, "GET", "/k", headers={"host": f"{name}.localhost"})


def test_http_2_has_the_bucket_in_its_authority(server: Server, bucket: str, s3: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"by HTTP/2")
    request = Request("GET", "/k", {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}, b"")
    hosts = (f"{bucket}.localhost:{server.port}", f"absent-{uuid.uuid4()}.localhost")
    with connect(server) as connection:
        found, absent = http2(connection, [sign(server, request, service="s3", host=host) for host in hosts])
    assert found == ("200", b"by HTTP/2")
    assert absent[0] == "404" and b"NoSuchBucket" in absent[1]


def test_certificates_of_development_are_good_for_buckets(tls_server: Server) -> None:
    s3 = virtual(tls_server, "s3.localhost")
    name = f"bucket-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(Bucket=name, Key="k", Body=b"tls")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "k"})
    authority = str(tls_server.data / "tls-development-ca.pem")
    assert requests.get(url, timeout=30, verify=authority).content == b"tls"
