"""A server under measurement: one of the two builds, on a data folder of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from signed import Client

READY_SECONDS = 600.0


class Contestant:
    """A build that is started with --dev, as the measuring one must be."""

    def __init__(self, name: str, binary: Path, folder: Path):
        self.name = name
        self._binary = binary
        self._folder = Path(tempfile.mkdtemp(prefix=f"keywright-{name}-", dir=folder))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> float:
        """Starts it and gives the seconds to its first answer."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [self._binary, "serve", "--dev", "--data-dir", self._folder / "data", "--log-level", "error"]
        began = time.perf_counter()
        with (self._folder / "log").open("ab") as log:
            command += ["--listen", f"127.0.0.1:{self.port}"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=clean_environment())
        while not self._is_ready():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.perf_counter() - began < READY_SECONDS, "it does not come up"
            time.sleep(0.0005)
        return time.perf_counter() - began

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                return connection.recv(15).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def client(self) -> Client:
        return Client(self.port)

    def says(self) -> str:
        """What it has logged."""
        return (self._folder / "log").read_text()

    def disk_bytes(self) -> int:
        """What its data folder takes up."""
        listed = subprocess.run(["du", "-s", "-B1", self._folder], capture_output=True, text=True, check=True)
        return int(listed.stdout.split()[0])

    # What the kernel counts of the process.

    def bytes_read(self) -> int:
        """Bytes that its read calls have given it since it started; sockets do not count."""
        return self._figure("io", "rchar:")

    def processor_seconds(self) -> float:
        """What it has had of the processors, in steps of a clock tick."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> int:
        """Makes the peak of resident memory the present one, and gives that, in bytes."""
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")
        return self._figure("status", "VmRSS:") * 1024

    def peak(self) -> int:
        """The most resident memory since then, in bytes."""
        return self._figure("status", "VmHWM:") * 1024

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _figure(self, file: str, name: str) -> int:
        for line in Path(f"/proc/{self._pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
        raise AssertionError(f"no {name} in {file}")


def clean_environment() -> dict[str, str]:
    """The environment without settings of Keywright."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KEYWRIGHT_")}


@contextlib.contextmanager
def running(name: str, binary: Path, folder: Path) -> Iterator[Contestant]:
    """One that goes with all that it wrote."""
    contestant = Contestant(name, binary, folder)
    try:
        contestant.start()
        yield contestant
    finally:
        contestant.remove()
