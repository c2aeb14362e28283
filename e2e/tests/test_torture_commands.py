"""Commands that change a folder, cut off by a kill or a power cut after any of their calls: done or not, never half.

The recorder and the model of the disk are those of `make torture` (CONTRIBUTING.md, "Torture").
"""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.backups import Keeper, back_up, new_keeper, restore, server_for
from harness.buckets import new_bucket
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import EXIT_DATA_FOLDER, EXIT_OK, EXIT_ROOT, Server, StartFailed, run_tool
from torture.__main__ import scratch
from torture.disk import Disk
from torture.luck import Strict
from torture.recorder import Entry, Kind, Recorder, entries
from torture.recording import DiskServer

SEED = 20_141_104
# Crash points of one command: its begin, its end, and some between.
POINTS = 6
PASSPHRASE, NEW_PASSPHRASE = "correct horse battery staple", "another horse, another battery"
OLD, NEW = {"KEYWRIGHT_PASSPHRASE": PASSPHRASE}, {"KEYWRIGHT_PASSPHRASE": NEW_PASSPHRASE}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, with a folder `disk`."""
    with scratch() as folder:
        (Path(folder) / "disk").mkdir()
        yield Path(folder)


@dataclass
class Recorded:
    """A command that came to its end, and the disk before it."""

    disk: Disk
    calls: list[Entry]

    def crashes(self, place: Path) -> Iterator[tuple[Path, int]]:
        """What is left by kills and power cuts after so many calls, each in a place of its own."""
        luck = random.Random(SEED)
        count = len(self.calls)
        points = {0, count, *luck.sample(range(count + 1), min(POINTS - 2, count + 1))}
        done = 0
        for after in sorted(points):
            for call in self.calls[done:after]:
                self.disk.apply(call)
            done = after
            for manner in ("kill", "power cut"):
                left = place / "left"
                shutil.rmtree(left, ignore_errors=True)
                left.mkdir()
                if manner == "kill":
                    self.disk.after_kill(left / "disk", self.calls[after] if after < count else None, luck)
                else:
                    # What the command said is done must not need luck.
                    self.disk.after_power_cut(left / "disk", luck if after < count else Strict())
                yield left, after


def recorded(place: Path, *arguments: str, environment: dict[str, str] | None = None) -> Recorded:
    """Runs the command on the disk of this place."""
    disk = Disk.holding(place / "disk", SEED)
    recorder = Recorder(place / "disk", place)
    done = run_tool(*arguments, folder=place, environment=(environment or {}) | recorder.environment)
    assert done.returncode == EXIT_OK, done.stderr
    calls = list(entries(recorder.journal.read_bytes()))
    assert calls
    return Recorded(disk, calls)


def build_up(place: Path, environment: dict[str, str]) -> bytes:
    """A stopped service with a ciphertext."""
    server = DiskServer(place, environment).start()
    blob = clients.kms(server).encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    server.stop()
    return blob


def started(place: Path, environment: dict[str, str]) -> Server | None:
    """A server on the disk of this place, unless the root does not open."""
    server = DiskServer(place, environment)
    try:
        return server.start()
    except StartFailed as failure:
        server.process = None
        assert failure.exit_code == EXIT_ROOT, failure
        return None


def assert_works(server: Server | None, blob: bytes) -> None:
    """It opens what there was, takes more, ends well, and nothing unfinished is left."""
    assert server is not None
    kms = clients.kms(server)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    more = kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"more")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=more)["Plaintext"] == b"more"
    server.stop()
    assert not [path for path in server.data.rglob("*") if path.suffix == ".new" and path.is_file()]


def test_a_passphrase_is_the_old_or_the_new_one(place: Path) -> None:
    blob = build_up(place, OLD)
    file = place / "new-passphrase"
    file.write_text(NEW_PASSPHRASE)
    file.chmod(0o600)
    arguments = ("root", "change-passphrase", "--data-dir", str(place / "disk/data"))
    command = recorded(place, *arguments, "--new-passphrase-file", str(file), environment=OLD)
    changed = []
    for left, after in command.crashes(place):
        server = started(left, NEW)
        changed.append(server is not None)
        assert_works(server or started(left, OLD), blob)
        assert not changed[-1] or started(left, OLD) is None, f"two passphrases open it, after call {after}"
    assert changed[:2] == [False, False] and changed[-2:] == [True, True]


def test_a_domain_key_is_rotated_or_not(place: Path) -> None:
    blob = build_up(place, {})
    arguments = ("domain-key", "rotate", "--region", EUROPE, "--data-dir")
    command = recorded(place, *arguments, str(place / "disk/data"))
    numbers = []
    for left, _ in command.crashes(place):
        assert_works(started(left, {}), blob)
        # The next one has the next number.
        again = run_tool(*arguments, str(left / "disk/data"), folder=left)
        assert again.returncode == EXIT_OK, again.stderr
        numbers.append(int(again.stdout.split()[2]))
    assert numbers[:2] == [2, 2] and numbers[-2:] == [3, 3] and set(numbers) == {2, 3}


def test_a_key_policy_is_reset_or_not(place: Path) -> None:
    blob = build_up(place, {})
    server = DiskServer(place).start()
    default = policy_of(server)
    clients.kms(server).put_key_policy(KeyId=SEEDED_KEY, Policy=json.dumps(default | {"Id": "another"}))
    server.stop()
    arguments = ("key-policy", "reset", "--key", ONE.key_arn(SEEDED_KEY))
    command = recorded(place, *arguments, "--data-dir", str(place / "disk/data"))
    policies = []
    for left, _ in command.crashes(place):
        server = started(left, {})
        assert server is not None
        policies.append(policy_of(server))
        assert_works(server, blob)
    other = default | {"Id": "another"}
    assert policies[:2] == [other, other] and policies[-2:] == [default, default]
    assert all(policy in (default, other) for policy in policies)


def policy_of(server: Server) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(clients.kms(server).get_key_policy(KeyId=SEEDED_KEY)["Policy"])
    return policy


@pytest.fixture
def backup(place: Path) -> tuple[Path, Keeper, bytes]:
    """A backup, its keeper, and a ciphertext that a restored service opens."""
    keeper = new_keeper(place)
    server = server_for(place / "original", keeper).start()
    blob = clients.kms(server).encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    s3 = clients.s3(server)
    s3.put_object(Bucket=new_bucket(s3), Key="name", Body=bytes(300_000))
    made = back_up(server)
    server.stop()
    return made, keeper, blob


def with_syncfs(command: Recorded) -> Recorded:
    """With the syncfs(2) before the folder gets its mark: no call of the C library, it is not recorded."""
    created = [number for number, call in enumerate(command.calls) if call.kind is Kind.CREATE]
    [*_, last] = [number for number in created if command.calls[number].path.endswith("format.new")]
    # A folder is safe with its names, and a name needs its folder: whatever the order, all are synced.
    made = [call.inode for call in command.calls[:last] if call.kind in (Kind.CREATE, Kind.MAKE_FOLDER)]
    synced = [replace(command.calls[last], kind=Kind.SYNC, inode=inode, path="") for inode in (*made, 0)]
    return Recorded(command.disk, [*command.calls[:last], *synced, *command.calls[last:]])


def test_a_restore_makes_a_folder_that_starts_or_one_that_says_why_not(
    backup: tuple[Path, Keeper, bytes], place: Path
) -> None:
    file, keeper, blob = backup
    arguments = ("restore", "--data-dir", str(place / "disk/data"), "--identity", str(keeper.identity), str(file))
    command = with_syncfs(recorded(place, *arguments))
    outcomes = []
    for left, after in command.crashes(place):
        server = DiskServer(left)
        begun = {path.name for path in server.data.iterdir()} if server.data.exists() else set()
        if begun <= {"lock", "format.new"}:
            # Nothing of the backup, and nothing that says what it is.
            outcomes.append("nothing")
        elif is_whole(server):
            assert_works(server, blob)
            outcomes.append("whole")
        else:
            again = restore(file, keeper, server.data)
            assert again.returncode == EXIT_DATA_FOLDER, again
            outcomes.append("refused")
    assert outcomes[:2] == ["nothing", "nothing"] and outcomes[-2:] == ["whole", "whole"], outcomes
    assert "refused" in outcomes


def is_whole(server: DiskServer) -> bool:
    """Whether it starts on the folder, and goes on; if not, it says that the restore was cut off."""
    try:
        server.start()
    except StartFailed as failure:
        server.process = None
        assert failure.exit_code == EXIT_DATA_FOLDER, failure
        assert "did not come to its end; remove the folder" in failure.log, failure
        return False
    return True


def test_a_backup_has_its_name_only_when_it_is_whole(place: Path) -> None:
    keeper = new_keeper(place)
    (place / "service").mkdir()
    server = server_for(place / "service", keeper).start()
    server.stop()
    target = place / "disk/backup.age"
    arguments = ("backup", "--data-dir", str(server.data), "--recipient", keeper.recipient, str(target))
    command = recorded(place, *arguments)
    whole, seen = target.read_bytes(), set()
    for left, after in command.crashes(place):
        found = left / "disk/backup.age"
        assert not found.exists() or found.read_bytes() == whole, f"after call {after}"
        seen.add(found.exists())
        last = found.exists()
    assert seen == {False, True} and last, "what the command said is done is there"
