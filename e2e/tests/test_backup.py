"""`keywright backup` and `keywright restore`: what was there at a moment comes back, whatever went on, and nothing else does.

Backups are files in the format of age (https://age-encryption.org/v1) around an archive in the format of tar; pyrage, another
program for that format, opens and makes them here.
"""

import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients, trail
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


@dataclass
class Keeper:
    """Who can open backups."""

    identity: Path
    recipient: str

    def opened(self, backup: Path) -> bytes:
        """The archive in a backup."""
        text = self.identity.read_text().splitlines()[-1]
        return pyrage.decrypt(backup.read_bytes(), [pyrage.x25519.Identity.from_str(text)])

    def closed(self, archive: bytes, place: Path) -> Path:
        """A file for this keeper with whatever in it."""
        place.write_bytes(pyrage.encrypt(archive, [pyrage.x25519.Recipient.from_str(self.recipient)]))
        return place


def new_keeper(folder: Path, name: str = "identity.txt") -> Keeper:
    made = run_tool("backup", "new-identity", name, folder=folder)
    assert made.returncode == EXIT_OK, made.stderr
    label, recipient = made.stdout.split()[:2], made.stdout.split()[-1]
    assert label == ["Public", "key:"]
    return Keeper(folder / name, recipient)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return new_keeper(tmp_path)


# Deliveries and digests go on all the time.
BUSY_DELIVERY = "[trail.delivery]\ninterval_seconds = 1\ndigest_interval_seconds = 1\n"


def server_for(place: Path, keeper: Keeper | None, settings: str = "", **more: Any) -> Server:
    """A server whose operator has said whom backups are for."""
    place.mkdir(exist_ok=True)
    configuration = place / "keywright.toml"
    recipients = f'"{keeper.recipient}"' if keeper else ""
    configuration.write_text(f"[backup]\nrecipients = [{recipients}]\n{settings}")
    return Server(place, arguments=("--config", str(configuration)), **more)


@pytest.fixture
def kept(tmp_path: Path, keeper: Keeper) -> Iterator[Server]:
    server = server_for(tmp_path / "kept", keeper).start()
    yield server
    server.close()


def credentials(server: Server, account: Account = ONE) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
    }


def back_up(server: Server, file: str = "backup.age", account: Account = ONE) -> Path:
    """A backup of a running server."""
    made = run_tool("backup", file, folder=server.folder, environment=credentials(server, account))
    assert made.returncode == EXIT_OK, made.stderr
    return server.folder / file


def restore(backup: Path, keeper: Keeper, data: Path) -> subprocess.CompletedProcess[str]:
    arguments = ("restore", "--data-dir", str(data), "--identity", str(keeper.identity), str(backup))
    return run_tool(*arguments, folder=backup.parent)


def restored(backup: Path, keeper: Keeper, place: Path, settings: str = "", **more: Any) -> Server:
    """A server, not started, on what a backup gives; its trail holds."""
    server = server_for(place, keeper, settings, **more)
    done = restore(backup, keeper, server.data)
    assert done.returncode == EXIT_OK, done.stderr
    assert_trail(server)
    return server


def assert_trail(server: Server) -> None:
    verified = run_tool("trail", "verify", "--data-dir", str(server.data), folder=server.folder)
    assert verified.returncode == EXIT_OK, verified.stdout + verified.stderr


def digests(server: Server) -> list[Path]:
    return list((server.data / "trail/delivered").rglob("*Digest*.json.gz"))


def blobs(server: Server) -> set[str]:
    return {path.name for path in (server.data / "objects").glob("??/*")}


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


# --- What is refused ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keeper]:
    """A backup of a stopped service with some contents, and its keeper."""
    folder = tmp_path_factory.mktemp("sample")
    keeper = new_keeper(folder)
    server = Server(folder).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="name", Body=os.urandom(300_000))
    server.stop()
    place = ("--data-dir", str(server.data), "--recipient", keeper.recipient)
    assert run_tool("backup", *place, "backup.age", folder=folder).returncode == EXIT_OK
    return folder / "backup.age", keeper


def assert_refused(backup: Path, keeper: Keeper, data: Path, words: str, code: int = EXIT_BACKUP) -> None:
    """The backup is refused in one sentence, and nothing is left of it."""
    was_there = data.exists()
    refused = restore(backup, keeper, data)
    assert refused.returncode == code, refused.stdout + refused.stderr
    assert words in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert data.exists() == was_there and not (was_there and list(data.iterdir()))


def test_a_file_that_was_cut_off_or_changed_is_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    whole = backup.read_bytes()
    assert len(whole) > 10 * 65_552
    header = whole.index(b"\n---") + 49 + 16
    copy, data = tmp_path / "copy.age", tmp_path / "data"
    at_chunks = [header + number * 65_552 for number in (1, 3, (len(whole) - header) // 65_552)]
    for length in [0, 10, header - 70, header - 1, header, *at_chunks, len(whole) // 2, len(whole) - 1]:
        copy.write_bytes(whole[:length])
        assert_refused(copy, keeper, data, "nothing was restored")
    for place in [5, 30, 70, header - 40, header - 3, header + 9, len(whole) // 3, len(whole) - 1]:
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert_refused(copy, keeper, data, "nothing was restored")
    copy.write_bytes(whole + b"\0")
    assert_refused(copy, keeper, data, "damaged")
    data.mkdir()  # an empty folder stays one
    copy.write_bytes(whole[: len(whole) // 2])
    assert_refused(copy, keeper, data, "damaged")
    assert restore(backup, keeper, data).returncode == EXIT_OK


def test_a_file_whose_archive_ends_before_the_cut_is_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    """Zeros may follow an archive; only the end of the file proves that nothing else did."""
    backup, keeper = sample
    archive = keeper.opened(backup) + bytes(200_000)
    padded = keeper.closed(archive, tmp_path / "padded.age")
    assert restore(padded, keeper, tmp_path / "whole").returncode == EXIT_OK
    whole = padded.read_bytes()
    header = whole.index(b"\n---") + 49 + 16
    padded.write_bytes(whole[: header + (len(whole) - header) // 65_552 * 65_552])
    assert_refused(padded, keeper, tmp_path / "data", "damaged")


def test_a_backup_is_opened_by_its_keeper_alone(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    other = new_keeper(tmp_path)
    assert_refused(backup, other, tmp_path / "data", "not for the identity")
    for text, words in [("", "holds no identity"), ("# x\nAGE-SECRET-KEY-1X\n", "line 2"), (keeper.recipient, "line 1")]:
        other.identity.write_text(text)
        assert_refused(backup, other, tmp_path / "data", words, EXIT_USAGE)
    other.identity.unlink()
    assert_refused(backup, other, tmp_path / "data", "cannot be read", EXIT_USAGE)


def archive_of(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def contents_of(archive: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return [(member.name, opened.extractfile(member).read()) for member in opened]  # type: ignore[union-attr]


HEAD = (
    "keywright-backup.json",
    b'{"format": 1, "keywright": "0.1.0", "time": "2026-01-31T12:00:00Z", "objects_upstream": false}',
)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"something else", "does not begin with keywright-backup.json"),
        (b"", "does not begin with keywright-backup.json"),
        (archive_of(("notes.txt", b"x")), "does not begin with keywright-backup.json"),
        (archive_of(("keywright-backup.json", b"{}")), "not understood"),
        (archive_of(("keywright-backup.json", b'{"format": 2, "of": "later"}')), "written by a newer Keywright"),
        (archive_of(HEAD, ("../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("/tmp/outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("trail/../../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("objects/../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("aws-profile", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("complete", b"")), "its format is missing"),
        (archive_of(HEAD, ("format", b"1 production\n")), "its root.json is missing"),
    ],
)
def test_what_is_no_backup_is_refused(
    archive: bytes, words: str, keeper: Keeper, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    backup = keeper.closed(archive, tmp_path / "foreign.age")
    assert_refused(backup, keeper, tmp_path / "data", words)
    assert set(tmp_path.iterdir()) == before | {backup}
    assert not (tmp_path.parent / "outside").exists() and not Path("/tmp/outside").exists()
    plain = tmp_path / "plain.tar"
    plain.write_bytes(archive)
    assert_refused(plain, keeper, tmp_path / "data", "no file in the format age-encryption.org/v1")


def test_links_and_what_does_not_belong_together_are_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    files = contents_of(keeper.opened(backup))
    made = keeper.closed(archive_of(*files), tmp_path / "again.age")
    assert restore(made, keeper, tmp_path / "whole").returncode == EXIT_OK

    def without(*parts: str) -> list[tuple[str, bytes]]:
        return [file for file in files if not file[0].startswith(parts)]

    damaged = [(name, b"damaged" if name == "keywright.redb" else content) for name, content in files]
    twice = [*files[:-1], ("root.json", b"x"), files[-1]]
    newer = [(name, b"9 production\n" if name == "format" else content) for name, content in files]
    for changed, words, code in [
        (without("root.json"), "root.json is missing", EXIT_BACKUP),
        (without("keywright.redb"), "keywright.redb is missing", EXIT_BACKUP),
        (without("objects/"), "contents of an object are missing", EXIT_BACKUP),
        (damaged, "damaged", EXIT_BACKUP),
        (twice, "root.json", EXIT_DATA_FOLDER),
        (newer, "newer Keywright", EXIT_DATA_FOLDER),
    ]:
        made = keeper.closed(archive_of(*changed), tmp_path / "changed.age")
        assert_refused(made, keeper, tmp_path / "data", words, code)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        head = tarfile.TarInfo(HEAD[0])
        head.size = len(HEAD[1])
        archive.addfile(head, io.BytesIO(HEAD[1]))
        link = tarfile.TarInfo("trail/log")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
    made = keeper.closed(out.getvalue(), tmp_path / "link.age")
    assert_refused(made, keeper, tmp_path / "data", "no place in a data folder")


def test_a_folder_that_is_not_empty_is_left_as_it_is(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    data = tmp_path / "data"
    data.mkdir()
    (data / "mine").write_text("x")
    refused = restore(backup, keeper, data)
    assert (refused.returncode, "not empty" in refused.stderr) == (EXIT_DATA_FOLDER, True), refused.stderr
    assert [path.name for path in data.iterdir()] == ["mine"]
    (tmp_path / "file").write_text("x")
    refused = restore(backup, keeper, tmp_path / "file")
    assert (refused.returncode, "not a folder" in refused.stderr) == (EXIT_DATA_FOLDER, True), refused.stderr


def test_a_restore_that_was_killed_leaves_a_folder_that_nobody_starts_on(
    sample: tuple[Path, Keeper], tmp_path: Path
) -> None:
    backup, keeper = sample
    whole = backup.read_bytes()
    server = Server(tmp_path)
    for part in (0.2, 0.6, 0.98):
        arguments = ["restore", "--data-dir", str(server.data), "--identity", str(keeper.identity), "-"]
        restoring = subprocess.Popen(
            [str(BINARY), *arguments], stdin=subprocess.PIPE, env=clean_environment(tmp_path), cwd=tmp_path
        )
        assert restoring.stdin is not None
        restoring.stdin.write(whole[: int(len(whole) * part)])
        restoring.stdin.flush()
        eventually(lambda: (server.data / "root.json").exists(), "files are unpacked")
        restoring.send_signal(signal.SIGKILL)
        restoring.wait(10)
        for attempt in (server.start, lambda: restored_again(backup, keeper, server)):
            with pytest.raises(StartFailed) as failure:
                attempt()
            assert failure.value.exit_code == EXIT_DATA_FOLDER
            assert "did not come to its end; remove the folder" in failure.value.log
        shutil.rmtree(server.data)
    assert restore(backup, keeper, server.data).returncode == EXIT_OK
    server.start()
    server.stop()


def restored_again(backup: Path, keeper: Keeper, server: Server) -> None:
    done = restore(backup, keeper, server.data)
    raise StartFailed(done.returncode, done.stderr)
