"""The disk that a backup is written to fills up, or is read-only; the service's own is slow: no half file, no harm.

Small disks are file systems of their own in memory. Where none can be mounted, writes are made to fail with ENOSPC.
"""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.backups import Keeper, assert_trail, back_up, blobs, credentials, restore, restored, server_for
from harness.buckets import new_bucket
from harness.polling import eventually
from harness.raw import get
from harness.server import EXIT_DATA_FOLDER, EXIT_OK, EXIT_UNEXPECTED, EXIT_USAGE, Server, run_tool
from torture.recorder import Fault, Kind, Recorder

MEBIBYTE = 1_048_576
CONTENTS = os.urandom(6 * MEBIBYTE)


@pytest.fixture
def kept(tmp_path: Path, keeper: Keeper) -> Iterator[Server]:
    """A server with contents that are longer than the small disk."""
    server = server_for(tmp_path / "kept", keeper).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="first", Body=CONTENTS)
    s3.put_object(Bucket=bucket, Key="second", Body=b"x")
    yield server
    server.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A disk of four mebibytes for backups."""
    place = tmp_path / "target"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def assert_untouched(server: Server, keeper: Keeper, tmp_path: Path) -> None:
    """The service does all that it did, lets go what it kept for the backup, and makes another one."""
    assert get(server, "/healthz").status == 200
    assert "internal fault" not in server.output
    s3 = clients.s3(server)
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.delete_object(Bucket=bucket, Key="second")
    eventually(lambda: len(blobs(server)) == 1, "what was kept for the backup is removed")
    back_up(server, "again.age")
    again = restored(server.folder / "again.age", keeper, tmp_path / "restored").start()
    assert clients.s3(again).get_object(Bucket=bucket, Key="first")["Body"].read() == CONTENTS
    again.stop()


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_full_disk_is_told_and_keeps_no_half_of_a_backup(
    running: bool, kept: Server, keeper: Keeper, target: Path, tmp_path: Path
) -> None:
    arguments: tuple[str, ...] = ()
    if not running:
        kept.stop()
        arguments = ("--data-dir", str(kept.data), "--recipient", keeper.recipient)
    file = target / "backup.age"
    full = run_tool("backup", *arguments, str(file), folder=kept.folder, environment=credentials(kept))
    assert full.returncode == EXIT_UNEXPECTED, full
    assert "No space left on device" in full.stderr and full.stderr.count("\n") == 1, full.stderr
    assert str(file) in full.stderr, full.stderr
    assert list(target.iterdir()) == []
    if not running:
        kept.start()
    assert_untouched(kept, keeper, tmp_path)


def test_a_read_only_disk_is_told_and_the_service_is_not_asked_for_long(
    kept: Server, keeper: Keeper, target: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(target)], check=True)
    refused = run_tool("backup", str(target / "b.age"), folder=kept.folder, environment=credentials(kept))
    assert (refused.returncode, "Read-only file system" in refused.stderr) == (EXIT_USAGE, True), refused
    assert_untouched(kept, keeper, tmp_path)


def test_a_full_disk_is_told_by_a_restore_which_leaves_nothing_that_starts(
    kept: Server, keeper: Keeper, target: Path
) -> None:
    backup = back_up(kept)
    refused = restore(backup, keeper, target / "data")
    assert (refused.returncode, "the disk is full" in refused.stderr) == (EXIT_DATA_FOLDER, True), refused
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert not (target / "data").exists()


def test_half_an_identity_is_not_left_in_the_way_of_a_whole_one(target: Path) -> None:
    ballast = target / "ballast"
    with ballast.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(bytes(4_096)):
                pass
    refused = run_tool("backup", "new-identity", str(target / "identity"), folder=target)
    assert (refused.returncode, "No space left on device" in refused.stderr) == (EXIT_UNEXPECTED, True), refused
    assert list(target.iterdir()) == [ballast]
    ballast.unlink()
    assert run_tool("backup", "new-identity", str(target / "identity"), folder=target).returncode == EXIT_OK


@pytest.mark.parametrize(
    "fault",
    [
        Fault(3, 1, frozenset({Kind.WRITE}), error=errno.ENOSPC),
        Fault(0, 1, frozenset({Kind.SYNC}), error=errno.EIO),
        Fault(0, 1, frozenset({Kind.RENAME}), error=errno.EIO),
    ],
    ids=str,
)
def test_whichever_call_fails_a_backup_has_its_name_only_when_it_is_whole(
    fault: Fault, kept: Server, tmp_path: Path
) -> None:
    place = tmp_path / "target"
    place.mkdir()
    recorder = Recorder(place, tmp_path)
    environment = credentials(kept) | recorder.environment
    for failing, code, names in ((fault, EXIT_UNEXPECTED, []), (None, EXIT_OK, ["b.age"])):
        recorder.fail(failing)
        made = run_tool("backup", str(place / "b.age"), folder=kept.folder, environment=environment)
        assert made.returncode == code, made
        assert sorted(path.name for path in place.iterdir()) == names
        assert made.stderr == "" if failing is None else os.strerror(fault.error) in made.stderr, made.stderr


def test_a_backup_may_take_longer_to_begin_than_other_answers(tmp_path: Path, keeper: Keeper) -> None:
    """Its deadline is its own: the store is copied before the first byte."""
    library, delay = tmp_path / "slow_disk.so", tmp_path / "delay"
    source = Path(__file__).parents[1] / "harness/slow_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    delay.write_text("0")
    settings = "[limits]\nrequest_deadline_seconds = 1\n[trail]\nwait_max_seconds = 60\n"
    slow = {"LD_PRELOAD": str(library), "SLOW_DISK": str(delay)}
    server = server_for(tmp_path / "slow", keeper, settings, environment=slow).start()
    delay.write_text("2500")
    with pytest.raises(ClientError) as overdue:
        clients.kms(server).create_key()
    assert overdue.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    back_up(server)
    delay.write_text("0")
    server.stop()
    assert trail.events(server, eventName="CreateBackup")
    assert_trail(server)
