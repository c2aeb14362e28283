"""Figures for Prometheus, on a port of their own.

Source: OpenMetrics 1.0, text format; Prometheus reads it (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.callers import new_user
from harness.polling import eventually
from harness.seed import ONE
from harness.server import EXIT_LISTENER, Server, StartFailed, free_port


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and where its figures are."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = Server(tmp_path_factory.mktemp("metrics"), environment={"KEYWRIGHT_METRICS_LISTEN": address})
    server.start()
    yield server, f"http://{address}/metrics"
    server.close()


def figures(address: str) -> dict[str, float]:
    """Every sample, by name and labels."""
    with urlopen(address, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        text = answer.read().decode()
    assert text.endswith("# EOF\n")
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def requests(operation: str, outcome: str, service: str = "kms") -> str:
    return f'keywright_requests_total{{service="{service}",operation="{operation}",outcome="{outcome}"}}'


def test_requests_are_counted_by_operation_and_outcome(measured: tuple[Server, str]) -> None:
    server, address = measured
    kms, nobody = clients.kms(server), new_user(server, "nobody")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    before = figures(address)
    for _ in range(3):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    for call in (
        lambda: clients.kms(server, nobody.account).encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.encrypt(KeyId="alias/absent", Plaintext=b"x"),
    ):
        with pytest.raises(ClientError):
            call()
    after = figures(address)
    for outcome, number in (("Success", 3), ("Denied", 1), ("ClientError", 1)):
        name = requests("Encrypt", outcome)
        assert after[name] - before.get(name, 0) == number, name
    durations = 'keywright_request_duration_seconds_count{service="kms",operation="Encrypt"}'
    assert after[durations] - before.get(durations, 0) == 5
    assert after["keywright_audit_log_events_total"] - before["keywright_audit_log_events_total"] == 5
    assert after['keywright_cache_hits_total{cache="keys"}'] > before['keywright_cache_hits_total{cache="keys"}']
    assert (after["keywright_audit_log_works"], after["keywright_healthy"]) == (1, 1)
    assert after["keywright_audit_log_free_bytes"] > 0


def test_every_service_is_counted(measured: tuple[Server, str]) -> None:
    server, address = measured
    before = figures(address)
    clients.cloudtrail(server).list_trails()
    clients.iam(server).list_users()
    clients.sts(server).get_caller_identity()
    after = figures(address)
    for service, operation in (("cloudtrail", "ListTrails"), ("iam", "ListUsers"), ("sts", "GetCallerIdentity")):
        name = requests(operation, "Success", service)
        assert after[name] - before.get(name, 0) == 1, name


def test_keys_are_counted_by_state(measured: tuple[Server, str]) -> None:
    _, address = measured
    found = eventually(lambda: figures(address).get('keywright_keys{state="Enabled"}'), "keys are counted")
    assert found >= 1


def test_nobody_and_nothing_is_named(measured: tuple[Server, str]) -> None:
    server, address = measured
    key = clients.kms(server).create_key()["KeyMetadata"]["KeyId"]
    clients.kms(server).describe_key(KeyId=key)
    with urlopen(address, timeout=5) as answer:
        text = answer.read().decode()
    for name in (key, ONE.id, ONE.access_key_id, ONE.user):
        assert not re.search(rf"\b{name}\b", text), name


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405), ("GET", "/metrics/x", 404)]
)
def test_nothing_else_is_there(measured: tuple[Server, str], method: str, path: str, status: int) -> None:
    _, address = measured
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(address.removesuffix("/metrics") + path, method=method), timeout=5)
    assert refused.value.code == status


def test_a_port_in_use_ends_the_start(tmp_path: Path, measured: tuple[Server, str]) -> None:
    _, address = measured
    taken = address.removeprefix("http://").removesuffix("/metrics")
    server = Server(tmp_path, environment={"KEYWRIGHT_METRICS_LISTEN": taken})
    server.launch(free_port())
    with pytest.raises(StartFailed, match=f"metrics cannot be read at {taken}") as failed:
        server.wait_until_ready()
    assert failed.value.exit_code == EXIT_LISTENER
    assert not (server.data / "store").exists(), "nothing is made"


def test_a_disk_that_is_nearly_full_makes_the_service_ill_before_calls_fail(tmp_path: Path) -> None:
    server = Server(tmp_path, environment={"KEYWRIGHT_TRAIL_FREE_MIN_MEBIBYTES": "1048576"})
    server.start()
    health = f"{server.endpoint}/healthz"

    def is_ill() -> bool:
        try:
            with urlopen(health, timeout=5):
                return False
        except HTTPError as answer:
            return answer.code == 503

    eventually(is_ill, "/healthz says so")
    clients.kms(server).create_key()
    assert "the disk is nearly full" in server.output
    server.stop()
