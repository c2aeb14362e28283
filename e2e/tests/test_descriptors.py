"""Few descriptors, and none: connections never take those that files need, and what fails for want of one says so.

Source: getrlimit(2), RLIMIT_NOFILE; accept(2), EMFILE.
"""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.buckets import new_bucket
from harness.polling import eventually
from harness.raw import Line, Request, as_bytes, connect, get, kms_request, sign
from harness.seed import SEEDED_KEY
from harness.server import Server

FILES = 128
# More than so many files let in.
SILENT = 300


@pytest.fixture(autouse=True)
def _looks_into_processes() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root sees what a process that is not dumpable has open")


class Narrow(Server):
    """A server that may have few files open."""

    def command(self, port: int) -> list[str]:
        return ["prlimit", f"--nofile={FILES}:{FILES}", *super().command(port)]


@contextmanager
def silent(server: Server, count: int) -> Iterator[list[socket.socket]]:
    """Clients that connect and say nothing."""
    connections = [connect(server) for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.pid}/fd"))


@contextmanager
def no_descriptors(server: Server) -> Iterator[None]:
    """The process may open nothing more. What it has open stays open."""
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    # The least number that is free is the limit; one that is freed meanwhile is below it.
    numbers = {int(name) for name in os.listdir(f"/proc/{server.pid}/fd")}
    least = next(number for number in range(len(numbers) + 1) if number not in numbers)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (least, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)


def everything_works(kms: Any, s3: Any, bucket: str) -> None:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    s3.put_object(Bucket=bucket, Key=key, Body=b"contents")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"contents"


def test_connections_leave_files_to_the_store_the_log_and_objects(tmp_path: Path) -> None:
    server = Narrow(tmp_path).start()
    kms, s3 = clients.kms(server), clients.s3(server)
    bucket = new_bucket(s3)
    everything_works(kms, s3, bucket)
    with silent(server, SILENT) as connections:
        for _ in range(5):
            # On connections that are there, while others wait for a place.
            everything_works(kms, s3, bucket)
            assert descriptors(server) < FILES
        late = Line(server)
        assert late.exchange(sign(server, kms_request("ListKeys"))).status == 200, "who comes late gets a place"
        connections[-1].sendall(as_bytes(sign(server, kms_request("ListKeys"))))
        assert connections[-1].recv(65_536).startswith(b"HTTP/1.1 200"), "so does who waited in silence"
    assert Line(server).exchange(sign(server, kms_request("ListKeys"))).status == 200
    assert "no connection can be accepted" not in server.output
    server.stop()
    trail.assert_chain(server)


def test_without_any_descriptor_it_goes_on_with_what_is_open(fresh_server: Server) -> None:
    kms, s3, line = clients.kms(fresh_server), clients.s3(fresh_server), Line(fresh_server)
    bucket = new_bucket(s3)
    everything_works(kms, s3, bucket)
    assert line.exchange(sign(fresh_server, kms_request("ListKeys"))).status == 200
    [kept] = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    answers = []
    with no_descriptors(fresh_server):
        waiting = connect(fresh_server)
        waiting.sendall(as_bytes(Request("GET", "/healthz", {"host": "localhost"}, b"")))
        eventually(lambda: "no connection can be accepted at the moment" in fresh_server.output, "it tells of it")
        # Store and log are open.
        for _ in range(20):
            answers.append(kms.create_key())
            answers.append(kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x"))
        # The second is refused ahead of its body, which closes its connection and frees a descriptor.
        for call, parameters in ((s3.get_object, {}), (s3.put_object, {"Body": b"overwritten"})):
            with pytest.raises(ClientError) as refused:
                call(Bucket=bucket, Key=kept, **parameters)
            error = refused.value.response
            told = (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
            assert told == ("InternalError", 500), error
        assert "Too many open files" in fresh_server.output
        assert line.exchange(sign(fresh_server, kms_request("ListKeys"))).status == 200
    assert waiting.recv(20).startswith(b"HTTP/1.1 200"), "who waited is answered"
    everything_works(kms, s3, bucket)
    assert s3.get_object(Bucket=bucket, Key=kept)["Body"].read() == b"contents"
    assert get(fresh_server, "/healthz").status == 200
    fresh_server.restart()
    assert not list((fresh_server.data / "objects/new").iterdir())
    for answer in answers:
        assert trail.event_of(fresh_server, answer)
    for answer in answers[::2]:
        assert clients.kms(fresh_server).describe_key(KeyId=answer["KeyMetadata"]["KeyId"])["KeyMetadata"]["Enabled"]
    trail.assert_chain(fresh_server)
