"""A disk that takes long, and one that hangs: calls that come together wait together, waiting is bounded, nothing is lost."""

import http.client
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.polling import eventually
from harness.seed import SEEDED_KEY
from harness.server import Server

CALLERS = 32


class SlowDisk:
    """A server on a disk whose syncs of the audit log take as long as is said."""

    def __init__(self, folder: Path, library: Path):
        self.delay = folder / "delay"
        self.take(0)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            figures = f"127.0.0.1:{probe.getsockname()[1]}"
        self.figures = f"http://{figures}/metrics"
        self.server = Server(
            folder,
            environment={
                "LD_PRELOAD": str(library),
                "SLOW_DISK": str(self.delay),
                "KEYWRIGHT_TRAIL_WAIT_MAX_SECONDS": "1",
                "KEYWRIGHT_METRICS_LISTEN": figures,
            },
        ).start()

    def take(self, milliseconds: int) -> None:
        fresh = self.delay.with_suffix(".new")
        fresh.write_text(str(milliseconds))
        fresh.rename(self.delay)

    def syncs(self) -> float:
        with urlopen(self.figures, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("keywright_audit_log_syncs_total "))

    def health(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowDisk]:
    source = Path(__file__).parents[1] / "harness/slow_disk.c"
    library = tmp_path / "slow_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    disk = SlowDisk(tmp_path, library)
    yield disk
    disk.take(0)
    disk.server.close()


def test_calls_that_come_together_wait_together(slow: SlowDisk) -> None:
    kms = clients.kms(slow.server)
    slow.take(100)
    before = slow.syncs()
    with ThreadPoolExecutor(CALLERS) as callers:
        calls = [callers.submit(kms.encrypt, KeyId=SEEDED_KEY, Plaintext=b"x") for _ in range(4 * CALLERS)]
        answers = [call.result() for call in calls]
    # One sync for each call would be as many as there are calls.
    assert slow.syncs() - before < len(answers) / 2
    for answer in answers:
        assert trail.event_of(slow.server, answer)["eventName"] == "Encrypt"
    trail.assert_chain(slow.server)


def test_a_disk_that_hangs_is_waited_for_so_long_and_no_longer(slow: SlowDisk) -> None:
    kms = clients.kms(slow.server)
    answers = [kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")]
    slow.take(1_000_000)
    for call, parameters in ((kms.encrypt, {"KeyId": SEEDED_KEY, "Plaintext": b"x"}), (kms.list_keys, {})):
        with pytest.raises(ClientError) as refused:
            call(**parameters)
        assert refused.value.response["Error"]["Code"] == "KMSInternalException"
        assert "audit trail" in refused.value.response["Error"]["Message"]
    eventually(lambda: slow.health() == 503, "health is bad")
    assert "the disk of the audit log does not answer" in slow.server.output
    slow.take(0)
    eventually(lambda: slow.health() == 200, "health is good again")
    answers.append(kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x"))
    slow.server.restart()
    for answer in answers:
        assert trail.event_of(slow.server, answer)["eventName"] == "Encrypt"
    trail.assert_chain(slow.server)
