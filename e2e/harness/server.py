"""The built binary, started, watched and stopped."""

import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from harness.polling import eventually
from harness.seed import TWO_ACCOUNTS

BINARY = Path(os.environ.get("KEYWRIGHT_BINARY", Path(__file__).parents[2] / "target/release/keywright"))

# What the binary promises to exit with.
EXIT_OK, EXIT_UNEXPECTED, EXIT_USAGE, EXIT_DATA_FOLDER, EXIT_ROOT, EXIT_LISTENER, EXIT_POLICY, EXIT_TRAIL, EXIT_BACKUP = (
    range(9)
)

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class StartFailed(Exception):
    """The server ended before it was ready."""

    def __init__(self, exit_code: int, log: str):
        super().__init__(f"exit code {exit_code}\n{log}")
        self.exit_code = exit_code
        self.log = log


class Server:
    """One server on one data folder. It can be stopped and started again."""

    running: ClassVar[set["Server"]] = set()

    def __init__(
        self,
        folder: Path,
        *,
        seed: str | None = TWO_ACCOUNTS,
        development: bool = False,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        scheme: str = "http",
        user: int | None = None,
    ):
        self.folder = folder
        self.data = folder / "data"
        self.development = development
        self.arguments = arguments
        self.environment = environment or {}
        self.scheme = scheme
        self.user = user
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.seed = None
        self.starts = 0
        if seed is not None:
            self.seed = folder / "seed.toml"
            self.seed.write_text(seed)
            self.seed.chmod(0o600)

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Everything the latest start has written, to standard output and standard error."""
        return self._stdout.read_text() + self._stderr.read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def command(self, port: int) -> list[str]:
        parts = [str(BINARY), "serve", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{port}"]
        if self.development:
            parts.append("--dev")
        if self.seed is not None:
            parts += ["--seed", str(self.seed)]
        return parts + list(self.arguments)

    def start(self) -> "Server":
        """Starts on a free port and returns once `/readyz` says so."""
        for _ in range(5):
            self.launch(free_port())
            try:
                self.wait_until_ready()
                return self
            except StartFailed as failure:
                if failure.exit_code != EXIT_LISTENER or "in use" not in failure.log:
                    raise
        raise AssertionError("no free port found in five tries")

    def launch(self, port: int) -> None:
        """Starts the process and returns at once."""
        assert self.process is None, "already running"
        self.port = port
        self.starts += 1
        self._stdout = self.folder / f"stdout-{self.starts}"
        self._stderr = self.folder / f"stderr-{self.starts}"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                self.command(port),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=clean_environment(self.folder) | self.environment,
                cwd=self.folder,
                user=self.user,
            )
        Server.running.add(self)

    def has_ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def wait_until_ready(self) -> None:
        eventually(self._ready, "the server answers /readyz", START_SECONDS)

    def _ready(self) -> bool:
        if self.has_ended():
            raise StartFailed(self.take_process().returncode, self.output)
        try:
            return self._probe() == 200
        except (OSError, http.client.HTTPException):
            return False

    def _probe(self) -> int:
        if self.scheme == "https":
            import ssl

            context = ssl._create_unverified_context()  # only a liveness question: test_tls.py verifies
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        finally:
            connection.close()

    def stop(self) -> None:
        """Asks for the end with SIGTERM; the server must end well and must not have panicked."""
        exit_code = self.end_with(signal.SIGTERM)
        assert exit_code == EXIT_OK, f"exit code {exit_code} after SIGTERM\n{self.output}"
        self.assert_sound_log()

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self.end_with(signal.SIGKILL)
        self.assert_sound_log()

    def end_with(self, number: signal.Signals) -> int:
        process = self.take_process()
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"no end within {STOP_SECONDS} s of {number.name}\n{self.output}") from None

    def take_process(self) -> subprocess.Popen[bytes]:
        """The process, which from now on is the caller's to end."""
        assert self.process is not None, "not running"
        process, self.process = self.process, None
        Server.running.discard(self)
        return process

    def restart(self) -> "Server":
        self.stop()
        return self.start()

    def close(self) -> None:
        """For fixtures: stops whatever still runs."""
        if self.process is not None:
            self.stop()

    def assert_sound_log(self) -> None:
        assert "panicked at" not in self.output, self.output

    def resident_kib(self) -> int:
        """The process's resident memory, in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS line")


def clean_environment(home: Path) -> dict[str, str]:
    """An environment without the machine's own AWS or Keywright settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_tool(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None, stdin: str = "", seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Runs a command of the binary other than a server that stays, to its end."""
    return subprocess.run(
        [str(BINARY), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=clean_environment(folder) | (environment or {}),
        cwd=folder,
    )


def start_to_first_answer(server: Server) -> float:
    """Seconds from starting the process to its first answer on `/readyz`."""
    port = free_port()
    began = time.perf_counter()
    server.launch(port)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                if connection.recv(15).startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - began
        except OSError:
            pass
        assert not server.has_ended(), server.output
        assert time.perf_counter() - began < START_SECONDS, server.output
        time.sleep(0.001)
