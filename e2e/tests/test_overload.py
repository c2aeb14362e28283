"""More than the service can carry: it stays small, goes on with what is cheap, says when to come again, and recovers at once."""

import os
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import clients
from harness.at_once import at_once
from harness.polling import eventually
from harness.raw import Answer, Line, as_bytes, connect, exchange, kms_request, sign
from harness.seed import SEEDED_KEY
from harness.server import Server

IDLE = 10_000
MIB = 1_024

# Thirty-two clients, who wait for each answer, keep all processors busy. These are ten times as many, and each sends
# its requests without waiting: what is sent is far more than what is answered meanwhile.
FLOODING = 320
REQUESTS_EACH = 50


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Server]:
    """A server that lets very many in and gives them time."""
    limits = {
        "KEYWRIGHT_LIMITS_CONNECTIONS_MAX": str(IDLE + 100),
        "KEYWRIGHT_LIMITS_HEADER_READ_TIMEOUT_SECONDS": "600",
        "KEYWRIGHT_LIMITS_IDLE_TIMEOUT_SECONDS": "600",
    }
    server = Server(tmp_path, environment=limits).start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def many_files() -> Iterator[None]:
    """Leave to open so many connections, here and in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 1_000:
        pytest.skip(f"at most {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def call(server: Server) -> Answer:
    """A cheap call on a connection of its own."""
    return exchange(server, sign(server, kms_request("DescribeKey", {"KeyId": SEEDED_KEY})))


def test_ten_thousand_who_say_nothing_cost_little(many_files: None, crowded: Server) -> None:
    assert call(crowded).status == 200
    before = crowded.resident_kib()
    idle: list[socket.socket] = []
    try:
        for number in range(IDLE):
            idle.append(connect(crowded))
            if number % 1_000 == 0:
                assert call(crowded).status == 200, f"beside {number} idle connections"
        for connection in idle[::2]:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: half a head")
        assert call(crowded).status == 200
        assert crowded.resident_kib() - before < 256 * MIB
        idle[1].sendall(as_bytes(sign(crowded, kms_request("ListKeys"))))
        assert idle[1].recv(65_536).startswith(b"HTTP/1.1 200 OK"), "who was silent is heard, too"
    finally:
        for connection in idle:
            connection.close()
    assert call(crowded).status == 200


def test_a_flood_is_worked_off_in_little_memory_beside_others(fresh_server: Server) -> None:
    body = {"KeyId": SEEDED_KEY, "Plaintext": "cGxhaW4="}
    request = as_bytes(sign(fresh_server, kms_request("Encrypt", body)))
    last = as_bytes(sign(fresh_server, kms_request("Encrypt", body, Connection="close")))
    before = fresh_server.resident_kib()
    flood = [connect(fresh_server, 120) for _ in range(FLOODING)]
    sent = request * (REQUESTS_EACH - 1) + last
    for connection in flood:
        connection.sendall(sent)
    beside = [call(fresh_server).status for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        answers = sum(pool.map(answered, flood), Counter())
    assert beside == [200] * 20
    assert answers == {b"200": FLOODING * REQUESTS_EACH}
    assert fresh_server.resident_kib() - before < 192 * MIB
    assert call(fresh_server).status == 200


def answered(connection: socket.socket) -> Counter[bytes]:
    """How often each status was answered until the end."""
    with connection:
        received = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    return Counter(part[:3] for part in received.split(b"HTTP/1.1 ")[1:])


def test_a_storm_of_key_pairs_is_refused_beyond_what_can_wait(fresh_server: Server) -> None:
    # Half as many are made at a time as there are processors, and 16 wait for each of those.
    storm = 17 * ((len(os.sched_getaffinity(0)) + 1) // 2) + 32
    pair = kms_request("GenerateDataKeyPair", {"KeyId": SEEDED_KEY, "KeyPairSpec": "RSA_2048"})
    lines = [Line(fresh_server) for _ in range(storm)]
    with ThreadPoolExecutor(1) as beside:
        cheap = beside.submit(lambda: [call(fresh_server).status for _ in range(50)])
        answers = at_once(lines, lambda line, _: line.exchange(sign(fresh_server, pair)))
        assert cheap.result() == [200] * 50
    codes = Counter(answer.code for answer in answers)
    assert set(codes) == {None, "ThrottlingException"}
    assert codes[None] >= 16
    assert {answer.headers.get("retry-after") for answer in answers if answer.code} == {"1"}
    assert not any("retry-after" in answer.headers for answer in answers if answer.code is None)
    assert lines[0].exchange(sign(fresh_server, pair)).status == 200, "it is over at once"


def test_bodies_that_come_slowly_take_a_bounded_share(tmp_path: Path) -> None:
    length, share = 1_000_000, 8 * MIB
    server = Server(tmp_path, environment={"KEYWRIGHT_LIMITS_BODY_MEMORY_MAX_BYTES": str(share * 1_024)}).start()
    long = kms_request("ListKeys", b'{"x": "' + b"y" * length + b'"}')
    assert exchange(server, long).code == "MissingAuthenticationTokenException"
    before = server.resident_kib()
    slow = [connect(server) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(as_bytes(long)[:-1])
        turned_away = eventually(lambda: throttled(exchange(server, long)), "a long body to be turned away")
        assert turned_away.headers["retry-after"] == "1"
        assert call(server).status == 200, "short ones have a share of their own"
        assert server.resident_kib() - before < share + 64 * MIB
    finally:
        for connection in slow:
            connection.close()
    eventually(lambda: not throttled(exchange(server, long)), "there to be room again", 5)
    server.close()


def throttled(answer: Answer) -> Answer | None:
    return answer if answer.code == "ThrottlingException" else None
