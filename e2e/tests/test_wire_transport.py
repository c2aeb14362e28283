"""Connections and bytes: garbage, halves, HTTP/1.1 and HTTP/2.

Source: RFC 9112 (HTTP/1.1), RFC 9113 (HTTP/2); the server's own promise that any bytes end in a clear answer or a
closed connection, and that the server lives on.
"""

import random
import socket
from concurrent.futures import ThreadPoolExecutor

import h2.config
import h2.connection
import h2.events
import pytest

from harness.raw import Request, as_bytes, call, connect, exchange, exchange_bytes, kms_request, sign
from harness.server import Server

SEED = 20_141_101


def assert_alive(server: Server) -> None:
    assert call(server, "ListKeys").status == 200


GARBAGE = {
    "nothing": b"",
    "a line": b"hello\r\n\r\n",
    "zeroes": bytes(4096),
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "no version": b"GET /\r\n\r\n",
    "version 3": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
    "header without a colon": b"POST / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "header with a zero": b"POST / HTTP/1.1\r\nHost: x\r\na: \x00\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length that is no number": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "huge length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "half a request": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    "endless header": b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"x" * 1_000_000,
    "a thousand headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(1000)) + b"\r\n",
    "long path": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/2 preface and then nonsense": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200,
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_in_a_refusal_or_a_closed_connection(server: Server, sent: bytes) -> None:
    received = exchange_bytes(server, sent, ended=True)
    if received.startswith(b"HTTP/1.1 "):
        assert received.split(b" ")[1][:1] == b"4", received[:200]
    assert_alive(server)


def test_random_bytes(server: Server) -> None:
    randomness = random.Random(SEED)
    for _ in range(50):
        sent = randomness.randbytes(randomness.randrange(1, 2000))
        received = exchange_bytes(server, sent, ended=True)
        assert not received.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), (sent, received)
    assert_alive(server)


def test_a_good_request_with_bytes_changed(server: Server) -> None:
    randomness = random.Random(SEED)
    good = as_bytes(sign(server, kms_request("ListKeys", {"Limit": 1}, Connection="close")))
    assert exchange_bytes(server, good, ended=False).startswith(b"HTTP/1.1 200")
    for _ in range(200):
        spoiled = bytearray(good)
        spoiled[randomness.randrange(len(spoiled))] = randomness.randrange(256)
        received = exchange_bytes(server, bytes(spoiled), ended=True)
        assert not received.startswith(b"HTTP/1.1 5"), (bytes(spoiled), received)
    assert_alive(server)


def test_a_request_cut_off_anywhere(server: Server) -> None:
    good = as_bytes(sign(server, kms_request("ListKeys", {"Limit": 1})))
    for length in range(0, len(good) - 1, 17):
        received = exchange_bytes(server, good[:length], ended=True)
        assert not received.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), (good[:length], received)
    assert_alive(server)


def test_a_chunked_body(server: Server) -> None:
    request = sign(server, kms_request("ListKeys", b'{"Limit": 1}', Connection="close"))
    head = as_bytes(Request(request.method, request.path, request.headers, b""), framing="Transfer-Encoding: chunked")
    received = exchange_bytes(server, head + b'5\r\n{"Lim\r\n7\r\nit": 1}\r\n0\r\n\r\n', ended=False)
    assert received.startswith(b"HTTP/1.1 200"), received


def test_expect_continue(server: Server) -> None:
    request = sign(server, kms_request("ListKeys", {"Limit": 1}, Connection="close"))
    sent = as_bytes(Request(request.method, request.path, request.headers | {"Expect": "100-continue"}, request.body))
    received = exchange_bytes(server, sent, ended=False)
    assert b"HTTP/1.1 200" in received, received


def test_many_requests_on_one_connection(server: Server) -> None:
    with connect(server) as connection:
        for number in range(100):
            connection.sendall(as_bytes(sign(server, kms_request("DescribeKey", {"KeyId": f"alias/none-{number}"}))))
            received = bytearray()
            while f"none-{number} is not found".encode() not in received:
                chunk = connection.recv(65536)
                assert chunk, received
                received += chunk


def test_two_requests_in_one_write(server: Server) -> None:
    first = as_bytes(sign(server, kms_request("ListKeys", {"Limit": 1})))
    second = as_bytes(sign(server, kms_request("ListKeys", {"Limit": 1}, Connection="close")))
    assert exchange_bytes(server, first + second, ended=False).count(b"HTTP/1.1 200") == 2


def test_idle_and_half_open_connections_do_not_keep_others_out(server: Server) -> None:
    connections = [connect(server) for _ in range(200)]
    try:
        for connection in connections[::2]:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        assert_alive(server)
    finally:
        for connection in connections:
            connection.close()
    assert_alive(server)


def test_memory_does_not_grow_with_refused_requests(server: Server) -> None:
    big = kms_request("ListKeys", b'{"x": "' + b"y" * 500_000 + b'"}')  # unsigned

    def burst() -> None:
        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(lambda _: exchange(server, big), range(200)):
                assert answer.status == 400

    burst()
    before = server.resident_kib()
    for _ in range(3):
        burst()
    assert server.resident_kib() - before < 32 * 1024, "KiB"


def http2(connection: socket.socket, requests: list[Request]) -> list[tuple[str, bytes]]:
    """Sends the requests on streams of one HTTP/2 connection; (status, body) of each in order."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    state.initiate_connection()
    streams: dict[int, tuple[str, bytes]] = {}
    for request in requests:
        stream = state.get_next_available_stream_id()
        headers = {name.lower(): value for name, value in request.headers.items()}
        authority = headers.pop("host")
        pseudo = [(":method", request.method), (":scheme", "http"), (":authority", authority), (":path", request.path)]
        state.send_headers(stream, pseudo + list(headers.items()))
        state.send_data(stream, request.body, end_stream=True)
        streams[stream] = ("", b"")
    waiting = set(streams)
    while waiting:
        connection.sendall(state.data_to_send())
        chunk = connection.recv(65536)
        assert chunk, "closed before all answers came"
        for event in state.receive_data(chunk):
            if isinstance(event, h2.events.ResponseReceived):
                assert {"x-amzn-requestid", "x-amz-request-id"} & set(dict(event.headers))
                streams[event.stream_id] = (dict(event.headers)[":status"], b"")
            elif isinstance(event, h2.events.DataReceived):
                status, body = streams[event.stream_id]
                streams[event.stream_id] = (status, body + event.data)
                state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                waiting.discard(event.stream_id)
            else:
                assert not isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated), event
    return list(streams.values())


def test_http_2_with_prior_knowledge(server: Server) -> None:
    # In HTTP/2 the signed "host" is what stands in :authority.
    good = [sign(server, kms_request("DescribeKey", {"KeyId": f"alias/none-{number}"})) for number in range(20)]
    spoiled = sign(server, kms_request("ListKeys"))
    spoiled.body = b"{} "
    with connect(server) as connection:
        answers = http2(connection, [*good, spoiled])
    for number, (status, body) in enumerate(answers[:-1]):
        assert status == "400"
        assert f"none-{number} is not found".encode() in body
    assert b"InvalidSignatureException" in answers[-1][1]


def test_http_2_success(server: Server) -> None:
    with connect(server) as connection:
        ((status, body),) = http2(connection, [sign(server, kms_request("ListKeys", {"Limit": 1}))])
    assert status == "200"
    assert b'"Keys"' in body
