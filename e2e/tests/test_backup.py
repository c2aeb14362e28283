"""`keywright backup` and `keywright restore`: what was there at a moment comes back, whatever went on, and nothing else does.

Backups are files in the format of age (https://age-encryption.org/v1) around an archive in the format of tar; pyrage, another
program for that format, opens and makes them here.
"""

import io
import itertools
import json
import os
import subprocess
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients, trail
from harness.backups import Keeper, assert_trail, back_up, blobs, credentials, digests, new_keeper, restore, restored, server_for
from harness.buckets import new_bucket
from harness.dev_clock import advance
from harness.iam import allow, document, fresh
from harness.polling import eventually
from harness.seed import DEVELOPMENT, ONE, SEEDED_KEY, Account
from harness.server import (
    BINARY,
    EXIT_BACKUP,
    EXIT_DATA_FOLDER,
    EXIT_OK,
    EXIT_ROOT,
    EXIT_UNEXPECTED,
    EXIT_USAGE,
    Server,
    StartFailed,
    clean_environment,
    run_tool,
)

MEBIBYTE = 1_048_576

# Deliveries and digests go on all the time.
BUSY_DELIVERY = "[trail.delivery]\ninterval_seconds = 1\ndigest_interval_seconds = 1\n"


@pytest.fixture
def kept(tmp_path: Path, keeper: Keeper) -> Iterator[Server]:
    server = server_for(tmp_path / "kept", keeper).start()
    yield server
    server.close()


# --- Under load -----------------------------------------------------------------------------------------------------


@dataclass
class Written:
    """What the server said is done, and since when."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What an object was, in order: contents, or None once it was deleted.
    objects: dict[str, list[bytes | None]] = field(default_factory=dict)
    #: What is under way.
    begun: dict[str, bytes | None] = field(default_factory=dict)
    calls: int = 0

    def moment(self) -> "Written":
        with self.lock:
            keys = {key: dict(facts) for key, facts in self.keys.items()}
            return Written(keys=keys, objects={key: list(was) for key, was in self.objects.items()}, calls=self.calls)


def write_keys(server: Server, written: Written, writer: int, stop: threading.Event) -> None:
    kms = clients.kms(server)
    for number in itertools.count():
        if stop.is_set():
            return
        description = f"confidential writer {writer} number {number}"
        key = kms.create_key(Description=description)["KeyMetadata"]["KeyId"]
        alias = f"alias/confidential-{uuid.uuid4()}"
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        blob = kms.encrypt(KeyId=alias, Plaintext=description.encode())["CiphertextBlob"]
        with written.lock:
            written.keys[key] = {"description": description, "alias": alias, "blob": blob}
            written.calls += 3


def write_objects(server: Server, bucket: str, written: Written, writer: int, stop: threading.Event) -> None:
    s3 = clients.s3(server)
    for number in itertools.count():
        if stop.is_set():
            return
        name = f"{writer}/{number % 7}"
        contents = f"object {name} in its state {number}. ".encode() * 2_000
        is_deletion = number % 5 == 4
        with written.lock:
            written.begun[name] = None if is_deletion else contents
        if is_deletion:
            s3.delete_object(Bucket=bucket, Key=name)
        else:
            s3.put_object(Bucket=bucket, Key=name, Body=contents)
        with written.lock:
            written.objects.setdefault(name, []).append(None if is_deletion else contents)
            del written.begun[name]
            written.calls += 1


def assert_keys(server: Server, before: Written) -> None:
    kms = clients.kms(server)
    for key, facts in before.keys.items():
        assert kms.describe_key(KeyId=facts["alias"])["KeyMetadata"]["KeyId"] == key
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == facts["description"]
        assert kms.decrypt(CiphertextBlob=facts["blob"])["Plaintext"].decode() == facts["description"]


def assert_objects(server: Server, bucket: str, before: Written, after: Written) -> None:
    """Each object is as it was acknowledged last before, or as something made it that went on meanwhile."""
    s3 = clients.s3(server)
    for name in after.objects.keys() | after.begun.keys():
        was = before.objects.get(name, [])
        later = after.objects.get(name, [])[len(was) :] + [after.begun.get(name)]
        possible = [was[-1] if was else None, *later]
        try:
            found = s3.get_object(Bucket=bucket, Key=name)["Body"].read()
        except s3.exceptions.NoSuchKey:
            found = None
        assert found in possible, f"{name} is in a state that it never had, or had before"


def assert_every_key_has_its_event(server: Server) -> None:
    told = json.dumps(trail.events(server, eventName="CreateKey"))
    pages = clients.kms(server).get_paginator("list_keys").paginate()
    found = {key["KeyId"] for page in pages for key in page["Keys"]}
    assert len(found) > 20
    assert not [key for key in found if key not in told]


def test_what_was_acknowledged_before_a_backup_under_load_is_back_and_nothing_is_half_there(
    keeper: Keeper, tmp_path: Path
) -> None:
    kept = server_for(tmp_path / "kept", keeper, BUSY_DELIVERY).start()
    bucket = new_bucket(clients.s3(kept))
    written, stop = Written(), threading.Event()
    writers = [threading.Thread(target=_unless_stopped, args=(write_keys, stop, kept, written, n)) for n in range(3)]
    writers += [
        threading.Thread(target=_unless_stopped, args=(write_objects, stop, kept, bucket, written, n)) for n in range(3)
    ]
    for writer in writers:
        writer.start()
    eventually(lambda: digests(kept), "a digest is delivered", 60)
    made = []
    for number in range(3):
        calls = written.calls
        eventually(lambda calls=calls: written.calls > calls + 100, "the writers write", 60)
        before = written.moment()
        backup = back_up(kept, f"{number}.age")
        made.append((before, backup))
    eventually(lambda calls=written.calls: written.calls > calls + 20, "the writers go on")
    stop.set()
    for writer in writers:
        writer.join(60)
    assert all(not hasattr(writer, "failure") for writer in writers)
    for before, backup in made:
        server = restored(backup, keeper, tmp_path / f"restored-{backup.stem}", BUSY_DELIVERY)
        delivered = len(digests(server))
        assert delivered
        server.start()
        assert_keys(server, before)
        assert_objects(server, bucket, before, written)
        assert_every_key_has_its_event(server)
        assert_trail_goes_on(server)
        eventually(lambda: len(digests(server)) > delivered + 1, "digests go on")
        server.stop()
        assert_trail(server)
    # What was deleted while backups were made is gone by now.
    alive = sum(was[-1] is not None for was in written.objects.values())
    eventually(lambda: len(blobs(kept)) == alive, "contents of deleted objects are removed")
    kept.stop()


def _unless_stopped(work: Callable[..., None], stop: threading.Event, *arguments: Any) -> None:
    try:
        work(*arguments, stop)
    except (ClientError, BotoCoreError, AssertionError) as failure:
        threading.current_thread().failure = failure  # type: ignore[attr-defined]
        raise


def assert_trail_goes_on(server: Server) -> None:
    last = trail.lines(server)[-1]["sequence"]
    answer = clients.kms(server).create_key(Description="after")
    event = trail.event_of(server, answer)
    assert event["eventName"] == "CreateKey"
    assert trail.lines(server)[-1]["sequence"] > last


def test_objects_that_are_overwritten_and_deleted_while_a_backup_is_made_are_in_it(
    kept: Server, keeper: Keeper, tmp_path: Path
) -> None:
    s3 = clients.s3(kept)
    bucket = new_bucket(s3)
    contents = {f"object-{number:02}": os.urandom(MEBIBYTE) for number in range(24)}
    for name, body in contents.items():
        s3.put_object(Bucket=bucket, Key=name, Body=body)
    with _backup_that_waits(kept) as making:
        beginning = making.stdout.read(100)  # from here on, what is in the backup is decided
        assert beginning.startswith(b"age-encryption.org/v1\n-> X25519 ")
        for number, name in enumerate(contents):
            if number % 2:
                s3.put_object(Bucket=bucket, Key=name, Body=b"overwritten")
            else:
                s3.delete_object(Bucket=bucket, Key=name)
        # There is one backup at a time.
        second = run_tool("backup", "second.age", folder=kept.folder, environment=credentials(kept))
        assert (second.returncode, "BackupInProgressException" in second.stderr) == (EXIT_UNEXPECTED, True)
        assert not (kept.folder / "second.age").exists()
        backup = tmp_path / "backup.age"
        backup.write_bytes(beginning + making.stdout.read())
        assert making.wait(60) == EXIT_OK
    server = restored(backup, keeper, tmp_path / "restored").start()
    found = clients.s3(server)
    for name, body in contents.items():
        assert found.get_object(Bucket=bucket, Key=name)["Body"].read() == body
    server.stop()
    eventually(lambda: len(blobs(kept)) == len(contents) // 2, "contents of deleted objects are removed")


def test_a_backup_that_nobody_takes_to_its_end_is_given_up(kept: Server, keeper: Keeper) -> None:
    s3 = clients.s3(kept)
    bucket = new_bucket(s3)
    for number in range(24):
        s3.put_object(Bucket=bucket, Key=str(number), Body=os.urandom(MEBIBYTE))
    with _backup_that_waits(kept) as making:
        making.stdout.read(100)
        s3.delete_object(Bucket=bucket, Key="0")
        assert len(blobs(kept)) == 24
        making.kill()
    eventually(lambda: len(blobs(kept)) == 23, "what was kept for the backup is removed")
    back_up(kept)


def test_who_stops_reading_a_backup_is_cut_off(tmp_path: Path, keeper: Keeper) -> None:
    server = server_for(tmp_path / "impatient", keeper, "[limits]\nidle_timeout_seconds = 1\n").start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    for number in range(24):
        s3.put_object(Bucket=bucket, Key=str(number), Body=os.urandom(MEBIBYTE))
    with _backup_that_waits(server) as making:
        making.stdout.read(100)
        s3.delete_object(Bucket=bucket, Key="0")
        eventually(lambda: len(blobs(server)) == 23, "what was kept for the backup is removed", 60)
        making.stdout.read()
        assert making.wait(60) == EXIT_UNEXPECTED
    back_up(server)
    server.stop()


def test_a_backup_that_cannot_be_completed_leaves_no_file(kept: Server, keeper: Keeper) -> None:
    s3 = clients.s3(kept)
    bucket = new_bucket(s3)
    for name in ("lost", "there"):
        s3.put_object(Bucket=bucket, Key=name, Body=os.urandom(MEBIBYTE))
    lost = next((kept.data / "objects").glob("??/*"))
    lost.rename(kept.folder / "away")
    cut_off = run_tool("backup", "b.age", folder=kept.folder, environment=credentials(kept))
    assert (cut_off.returncode, "cut off by the service" in cut_off.stderr) == (EXIT_UNEXPECTED, True), cut_off.stderr
    assert f"contents of an object are missing in the data folder ({lost.name})" in kept.output
    kept.stop()
    stopped = ("--data-dir", str(kept.data), "--recipient", keeper.recipient)
    failed = run_tool("backup", *stopped, "b.age", folder=kept.folder)
    assert (failed.returncode, "no backup was made" in failed.stderr) == (EXIT_UNEXPECTED, True), failed.stderr
    assert not list(kept.folder.glob("b.age*"))
    (kept.folder / "away").rename(lost)
    assert run_tool("backup", *stopped, "b.age", folder=kept.folder).returncode == EXIT_OK


def _backup_that_waits(server: Server) -> "subprocess.Popen[bytes]":
    """A backup to a pipe: once that is full it waits for whoever reads."""
    return subprocess.Popen(
        [str(BINARY), "backup", "-"],
        stdout=subprocess.PIPE,
        env=clean_environment(server.folder) | credentials(server),
        cwd=server.folder,
    )


# --- What is in a backup --------------------------------------------------------------------------------------------


def test_nobody_but_the_keeper_reads_anything_of_a_backup(kept: Server, keeper: Keeper, tmp_path: Path) -> None:
    kms, s3 = clients.kms(kept), clients.s3(kept)
    key = kms.create_key(Description="confidential")["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="confidential-name", Body=b"contents")
    backup = back_up(kept)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert keeper.identity.stat().st_mode & 0o777 == 0o600
    bytes_ = backup.read_bytes()
    for text in ("confidential", key, bucket, ONE.id, ONE.access_key_id, "kms:", "root.json", "keywright"):
        assert text.encode() not in bytes_, text
    # Its keeper opens it with any program for age and for tar, and has a data folder.
    place = tmp_path / "unpacked"
    place.mkdir()
    with tarfile.open(fileobj=io.BytesIO(keeper.opened(backup))) as archive:
        names = archive.getnames()
        archive.extractall(place / "data", filter="data")
    assert (names[0], names[-1]) == ("keywright-backup.json", "format")
    assert "root.json" in names and "keywright.redb" in names
    for absent in ("lock", "aws-profile"):
        assert absent not in names
    assert not [name for name in names if name.endswith(".index") or name.startswith("objects-uploads")]
    server = Server(place).start()
    assert clients.kms(server).decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    assert clients.s3(server).get_object(Bucket=bucket, Key="confidential-name")["Body"].read() == b"contents"
    server.stop()


def test_the_root_stays_sealed_under_its_passphrase(tmp_path: Path, keeper: Keeper) -> None:
    passphrase = {"KEYWRIGHT_PASSPHRASE": "correct horse battery staple"}
    original = server_for(tmp_path / "original", keeper, environment=passphrase).start()
    blob = clients.kms(original).encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    backup = back_up(original)
    original.stop()
    server = restored(backup, keeper, tmp_path / "restored")
    assert (server.data / "root.json").read_bytes() == (original.data / "root.json").read_bytes()
    with pytest.raises(StartFailed) as failure:
        server.start()
    assert failure.value.exit_code == EXIT_ROOT
    server.environment = passphrase
    assert clients.kms(server.start()).decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    server.stop()


def test_delivered_files_and_their_digests_go_on_after_a_restore(tmp_path: Path, keeper: Keeper) -> None:
    original = server_for(tmp_path / "original", keeper, seed=None, development=True).start()
    kms = clients.kms(original, DEVELOPMENT)
    for _ in range(3):
        kms.create_key()
        advance(original, timedelta(hours=2))
    backup = back_up(original, account=DEVELOPMENT)
    for _ in range(2):
        kms.create_key()
        advance(original, timedelta(hours=2))
    original.stop()
    server = restored(backup, keeper, tmp_path / "restored", seed=None, development=True)
    delivered = {path.name for path in (server.data / "trail/delivered").rglob("*.json.gz")}
    assert delivered and delivered < {path.name for path in (original.data / "trail/delivered").rglob("*.json.gz")}
    server.start()
    advance(server, timedelta(hours=9))
    clients.kms(server, DEVELOPMENT).create_key()
    advance(server, timedelta(hours=2))
    server.stop()
    assert_trail(server)
    assert len(digests(server)) > len(delivered & {path.name for path in digests(original)})


def test_a_stopped_service_is_backed_up_from_its_folder(tmp_path: Path, keeper: Keeper) -> None:
    (tmp_path / "original").mkdir()
    original = Server(tmp_path / "original").start()
    blob = clients.kms(original).encrypt(KeyId=SEEDED_KEY, Plaintext=b"kept")["CiphertextBlob"]
    s3 = clients.s3(original)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="name", Body=b"contents")

    def offline(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_tool("backup", "--data-dir", str(original.data), *arguments, folder=tmp_path)

    running = offline("--recipient", keeper.recipient, "b.age")
    assert (running.returncode, "in use" in running.stderr) == (EXIT_DATA_FOLDER, True), running.stderr
    original.kill()
    for arguments, words in [
        ((), "--recipient"),
        (("--recipient", "age1nobody"), "age recipient"),
        (("--recipients-file", str(keeper.identity)), "no age recipient"),
    ]:
        refused = offline(*arguments, "b.age")
        assert (refused.returncode, words in refused.stderr) == (EXIT_USAGE, True), refused.stderr
    assert not (tmp_path / "b.age").exists()
    assert offline("--recipient", keeper.recipient, "b.age").returncode == EXIT_OK
    again = offline("--recipient", keeper.recipient, "b.age")
    assert (again.returncode, "is there already" in again.stderr) == (EXIT_USAGE, True), again.stderr
    assert [path.name for path in tmp_path.glob("b.age*")] == ["b.age"]
    server = restored(tmp_path / "b.age", keeper, tmp_path / "restored").start()
    assert clients.kms(server).decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    assert clients.s3(server).get_object(Bucket=bucket, Key="name")["Body"].read() == b"contents"
    server.stop()


# --- Who may --------------------------------------------------------------------------------------------------------


def test_policies_decide_who_makes_a_backup_and_the_trail_tells_of_it(kept: Server, keeper: Keeper) -> None:
    iam = clients.iam(kept)
    name = fresh("backup")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Account(ONE.id, key["AccessKeyId"], key["SecretAccessKey"], name)

    def put(*actions: str) -> None:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow(*actions)))

    put("kms:*", "keywright:ListKeyUsage")
    refused = run_tool("backup", "b.age", folder=kept.folder, environment=credentials(kept, user))
    assert (refused.returncode, "AccessDenied" in refused.stderr) == (EXIT_UNEXPECTED, True), refused.stderr
    assert not list(kept.folder.glob("b.age*"))
    put("keywright:CreateBackup")
    back_up(kept, "b.age", user)
    denied, allowed = trail.events(kept, eventName="CreateBackup")
    assert (denied["errorCode"], allowed.get("errorCode")) == ("AccessDeniedException", None)
    assert allowed["userIdentity"]["userName"] == name and allowed["readOnly"] is False
    assert allowed["responseElements"] == {"recipients": [keeper.recipient]}


def test_a_running_service_encrypts_to_nobody_whom_its_operator_did_not_name(tmp_path: Path, keeper: Keeper) -> None:
    server = server_for(tmp_path / "unconfigured", None).start()
    for arguments, code, words in [
        ((), EXIT_UNEXPECTED, "NoRecipientsException"),
        (("--recipient", keeper.recipient), EXIT_USAGE, "backup.recipients"),
    ]:
        refused = run_tool("backup", *arguments, "b.age", folder=server.folder, environment=credentials(server))
        assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
    server.stop()
    assert not list(server.folder.glob("b.age*"))
    # Nor does the command that opens the folder, if others are configured.
    other = new_keeper(tmp_path, "other.txt")
    configured = server_for(tmp_path / "configured", keeper).start()
    configured.stop()
    place = ("--config", str(configured.folder / "keywright.toml"), "--data-dir", str(configured.data))
    refused = run_tool("backup", *place, "--recipient", other.recipient, "b.age", folder=tmp_path)
    assert (refused.returncode, "backup.recipients" in refused.stderr) == (EXIT_USAGE, True), refused.stderr
    assert run_tool("backup", *place, "b.age", folder=tmp_path).returncode == EXIT_OK
    assert restore(tmp_path / "b.age", other, tmp_path / "new").returncode == EXIT_BACKUP
    assert restore(tmp_path / "b.age", keeper, tmp_path / "new").returncode == EXIT_OK
