"""Starts that cannot go well: one clear sentence, the right exit code, nothing harmed."""

import contextlib
import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import clients
from harness.attestation import certify
from harness.polling import eventually
from harness.seed import SEEDED_KEY
from harness.server import EXIT_DATA_FOLDER, EXIT_LISTENER, EXIT_USAGE, Server, StartFailed, free_port, run_tool


def assert_one_sentence(failure: StartFailed, exit_code: int, *words: str) -> None:
    """The exit code, and one short message for a person, without a panic or a dump."""
    assert failure.exit_code == exit_code, failure
    assert "panicked" not in failure.log and "RUST_BACKTRACE" not in failure.log, failure
    complaint = failure.log.strip().splitlines()[-1]
    assert 20 < len(complaint) < 600, failure
    for word in words:
        assert word.lower() in failure.log.lower(), failure


def refused(server: Server, exit_code: int, *words: str) -> None:
    with pytest.raises(StartFailed) as failure:
        server.start()
    assert_one_sentence(failure.value, exit_code, *words)


def contents(folder: Path) -> dict[str, str]:
    """Each file of a folder with its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"  # names the process
    }


@pytest.fixture
def stopped(fresh_server: Server) -> tuple[Server, bytes]:
    """A stopped server and a ciphertext that it made."""
    blob = clients.kms(fresh_server).encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    fresh_server.stop()
    return fresh_server, blob


def assert_unharmed(server: Server, blob: bytes) -> None:
    assert clients.kms(server.start()).decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    server.stop()


def second(server: Server, **changes: object) -> Server:
    """Another server on the same data folder, with its own place for its output."""
    place = server.folder / f"second-{len(list(server.folder.glob('second-*')))}"
    place.mkdir()
    other = Server(place, **changes)  # type: ignore[arg-type]
    other.data = server.data
    return other


def test_a_second_process_on_the_folder(fresh_server: Server) -> None:
    refused(second(fresh_server), EXIT_DATA_FOLDER, str(fresh_server.data), "in use")
    assert clients.kms(fresh_server).list_keys()["Keys"]


def test_a_port_in_use(stopped: tuple[Server, bytes]) -> None:
    server, blob = stopped
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server.launch(port)
        eventually(server.has_ended, "the server gives up")
        with pytest.raises(StartFailed) as failure:
            server.wait_until_ready()
    assert_one_sentence(failure.value, EXIT_LISTENER, str(port), "in use")
    assert_unharmed(server, blob)


@pytest.mark.parametrize("name", ["keywright.redb", "root.json"])
@pytest.mark.parametrize("damage", ["emptied", "cut in half", "zeroes in front", "other bytes", "missing"])
def test_a_damaged_file(stopped: tuple[Server, bytes], name: str, damage: str) -> None:
    server, blob = stopped
    file = server.data / name
    good = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes({
            "emptied": b"",
            # The store's file ends in room that nothing uses yet.
            "cut in half": good[: len(good.rstrip(b"\0")) // 2],
            "zeroes in front": bytes(min(len(good), 4096)) + good[4096:],
            "other bytes": b"this is something else entirely, " * 40,
        }[damage])  # fmt: skip
    before = contents(server.data)
    with pytest.raises(StartFailed) as failure:
        server.start()
    assert failure.value.exit_code in (3, 4), failure.value
    assert_one_sentence(failure.value, failure.value.exit_code)
    after = contents(server.data)
    assert {path: digest for path, digest in after.items() if path in before} == before, "nothing was overwritten"
    file.write_bytes(good)
    file.chmod(0o600)
    assert_unharmed(server, blob)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.data.write_text("a file")
    refused(server, EXIT_DATA_FOLDER, str(server.data))


def test_a_folder_with_something_elses_data(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.data.mkdir()
    (server.data / "keywright.redb").write_text("not ours")
    refused(server, EXIT_DATA_FOLDER)
    assert (server.data / "keywright.redb").read_text() == "not ours"


def test_development_and_production_never_mix(tmp_path: Path, stopped: tuple[Server, bytes]) -> None:
    server, blob = stopped
    refused(second(server, development=True), EXIT_DATA_FOLDER, "--dev")
    assert_unharmed(server, blob)
    folder = tmp_path / "tests-only"
    folder.mkdir()
    development = Server(folder, seed=None, development=True).start()
    development.stop()
    refused(second(development, seed=None), EXIT_DATA_FOLDER, "--dev")


def test_a_root_of_trust_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    server = Server(tmp_path, environment={"KEYWRIGHT_ATTESTATION_ROOTS": str(file)})
    refused(server, EXIT_USAGE, str(file), "attestation_roots", "cannot be read")
    file.write_text("no certificate")
    refused(server, EXIT_USAGE, str(file), "attestation_roots", "no certificate")
    assert not server.data.exists()
    file.write_text(certify("enclave", authority=False).pem)
    refused(server, EXIT_USAGE, str(file), "not that of a certificate authority")
    file.write_text(certify("root").pem)
    server.start().stop()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lisen = "127.0.0.1:1"', ["lisen", "config.toml"]),
        ("[tls]\nunknown = 1", ["unknown"]),
        ("default_region = 5", ["default_region"]),
        ("listen =", ["config.toml"]),
        ('default_region = "nowhere at all"', ["default_region"]),
        ("[limits]\nbody_max_bytes = -1", ["body_max_bytes"]),
        ("[kms]\nencrypt_plaintext_max_bytes = 1048577", ["kms.encrypt_plaintext_max_bytes", "1048576"]),
        ("[kms]\nencrypt_plaintext_max_bytes = 1048576", ["limits.body_max_bytes", "1463776"]),
        ("[request_quotas.per_second]\ncreate_keys = 5", ["request_quotas.per_second.create_keys"]),
        ("[kms]\ndeletion_window_days = 31", ["kms.deletion_window_days", "from 7 to 30"]),
        ("[kms]\naliases_per_key_max = 51", ["kms.aliases_per_key_max", "from 1 to 50"]),
    ],
)
def test_a_wrong_setting(tmp_path: Path, text: str, words: list[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    server = Server(tmp_path, arguments=("--config", str(config)))
    refused(server, EXIT_USAGE, *words)
    assert not server.data.exists(), "nothing was made"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--unknown",),
        ("--config", "/nowhere/keywright.toml"),
        ("--listen", "not an address"),
        ("--log-level", "loud"),
        ("serve",),
    ],
    ids=str,
)
def test_a_wrong_command_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    if arguments[0] == "--listen":
        finished = run_tool("serve", *arguments, "--data-dir", str(tmp_path / "data"), folder=tmp_path)
    else:
        finished = run_tool("serve", "--data-dir", str(tmp_path / "data"), *arguments, folder=tmp_path)
    assert finished.returncode == EXIT_USAGE, finished
    assert finished.stderr.strip()
    assert "panicked" not in finished.stderr


def test_an_unknown_environment_variable(tmp_path: Path) -> None:
    refused(Server(tmp_path, environment={"KEYWRIGHT_LISEN": "x"}), EXIT_USAGE, "KEYWRIGHT_LISEN")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB. Mounting needs rights that not every machine gives."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True)
    if os.geteuid() != 0 or mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_at_the_start(tmp_path: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes((8 << 20) - 8192))
    server = Server(tmp_path)
    server.data = small_disk / "data"
    with pytest.raises(StartFailed) as failure:
        server.start()
    assert_one_sentence(failure.value, EXIT_DATA_FOLDER)
    (small_disk / "filler").unlink()
    assert clients.kms(server.start()).list_keys()["Keys"], "with space again it starts on what was left"
    server.stop()


def test_a_disk_that_fills_up(tmp_path: Path, small_disk: Path) -> None:
    server = Server(tmp_path)
    server.data = small_disk / "data"
    kms = clients.kms(server.start())
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    acknowledged = []
    failure = None
    for number in range(5000):
        try:
            made = kms.create_key(Description="x" * 8192)["KeyMetadata"]["KeyId"]
        except kms.exceptions.ClientError as error:
            failure = error.response
            break
        acknowledged.append(made)
        if number == 0:
            free = os.statvfs(small_disk)
            (small_disk / "filler").write_bytes(bytes(max(0, free.f_bavail * free.f_bsize - (1 << 20))))
    assert failure is not None, "the disk never filled up"
    assert failure["ResponseMetadata"]["HTTPStatusCode"] == 500, failure
    assert failure["Error"]["Code"] in ("KMSInternalException", "DependencyTimeoutException"), failure
    # No answer leaves without its event, and the trail is on the same disk.
    with contextlib.suppress(kms.exceptions.KMSInternalException):
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    server.assert_sound_log()
    (small_disk / "filler").unlink()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept", "reading goes on without a restart"
    server.kill()
    kms = clients.kms(server.start())
    for made in acknowledged:
        assert kms.describe_key(KeyId=made)["KeyMetadata"]["Enabled"]
    assert kms.create_key()["KeyMetadata"]["Enabled"]
    server.stop()


def test_help_and_version_work_without_anything(tmp_path: Path) -> None:
    for arguments in (("--help",), ("serve", "--help"), ("--version",)):
        finished = run_tool(*arguments, folder=tmp_path)
        assert finished.returncode == 0, finished
        assert finished.stdout.strip()
    assert list(tmp_path.iterdir()) == []


def test_commands_on_a_folder_that_is_not_there(tmp_path: Path) -> None:
    finished = run_tool(
        "domain-key", "rotate", "--region", "eu-central-1", "--data-dir", str(tmp_path / "none"), folder=tmp_path
    )
    assert finished.returncode == EXIT_DATA_FOLDER, finished
    assert not (tmp_path / "none").exists()


def test_the_clock_of_a_server_that_is_not_there(tmp_path: Path) -> None:
    finished = run_tool("clock", "advance", "1d", "--endpoint", f"http://127.0.0.1:{free_port()}", folder=tmp_path)
    assert finished.returncode == 1, finished
    assert "panicked" not in finished.stderr
