"""Events that are sent on: to standard output, a syslog server and an OpenTelemetry collector.

Sources: RFC 5424; OTLP 1.x over HTTP in its JSON encoding (https://opentelemetry.io/docs/specs/otlp/).
"""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from harness import clients, trail
from harness.polling import eventually
from harness.server import Server


class Collector(HTTPServer):
    """Takes what is sent to `/v1/logs`, or refuses it while it is ill."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.is_ill = False

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                is_taken = handler.path == "/v1/logs" and not self.is_ill
                if is_taken:
                    self.bodies.append(json.loads(body))
                handler.send_response(200 if is_taken else 503)
                handler.send_header("Content-Length", "2")
                handler.end_headers()
                handler.wfile.write(b"{}")

            def log_message(handler, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def events(self) -> list[dict[str, Any]]:
        scopes = [scope for body in self.bodies for of in body["resourceLogs"] for scope in of["scopeLogs"]]
        return [json.loads(one["body"]["stringValue"]) for scope in scopes for one in scope["logRecords"]]


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventID"] for event in events]


def test_events_are_sent_on_everywhere_each_once_and_in_order(tmp_path: Path) -> None:
    syslog = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    syslog.bind(("127.0.0.1", 0))
    syslog.settimeout(10)
    collector = Collector()
    server = Server(
        tmp_path,
        environment={
            "KEYWRIGHT_TRAIL_EXPORT_STANDARD_OUTPUT": "true",
            "KEYWRIGHT_TRAIL_EXPORT_SYSLOG": f"udp://127.0.0.1:{syslog.getsockname()[1]}",
            "KEYWRIGHT_TRAIL_EXPORT_OTLP": f"http://127.0.0.1:{collector.server_port}",
        },
    )
    server.start()
    kms = clients.kms(server)
    for _ in range(5):
        kms.list_keys()
    logged = trail.events(server, eventName="ListKeys")
    assert len(logged) == 5

    def printed() -> list[str]:
        lines = (tmp_path / "stdout-1").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith('{"eventVersion"')]
        return ids([event for event in found if event["eventName"] == "ListKeys"])

    eventually(lambda: printed() == ids(logged), "events on standard output")
    eventually(lambda: ids([e for e in collector.events() if e["eventName"] == "ListKeys"]) == ids(logged), "OTLP")
    received = []
    while len(received) < 5:
        message = syslog.recv(65_536).decode()
        priority, time, host, program, process, name, data, text = message.split(" ", 7)
        assert (priority, host, program, process, data) == ("<110>1", "-", "keywright", "-", "-")
        event = json.loads(text)
        assert (event["eventName"], event["eventTime"]) == (name, time)
        received += [event] if name == "ListKeys" else []
    assert ids(received) == ids(logged)

    # What cannot be sent is no trouble for callers, and is sent later, also after a restart.
    collector.is_ill = True
    kms.list_aliases()
    [missed] = trail.events(server, eventName="ListAliases")
    server.stop()
    collector.is_ill = False
    server.start()
    eventually(lambda: missed["eventID"] in ids(collector.events()), "what was missed")
    assert len(ids(collector.events())) == len(set(ids(collector.events())))
    server.close()
    collector.shutdown()
