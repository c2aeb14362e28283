"""Events are delivered as CloudTrail delivers them, and AWS's own client finds every change.

Source: AWS CloudTrail User Guide, "CloudTrail log file name format", "Validating CloudTrail log files with the AWS CLI".
"""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness import dev_clock, seed
from harness import trail_delivery as trail
from harness.clients import run
from harness.polling import eventually
from harness.seed import DEVELOPMENT
from harness.server import BINARY, EXIT_OK, EXIT_TRAIL, EXIT_USAGE, Server, clean_environment

ONE, TWO = DEVELOPMENT.id, seed.TWO.id
PREFIX = "corp/audit"
LOG_FILE = re.compile(
    rf"{PREFIX}/AWSLogs/(\d{{12}})/CloudTrail/([a-z0-9-]+)/\d{{4}}/\d\d/\d\d/"
    r"\1_CloudTrail_\2_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz"
)


@dataclass
class Delivered:
    server: Server
    store: trail.Store
    events: list[str]
    start: datetime
    folder: Path

    def validate(self, account: str = ONE, region: str = "us-east-1") -> Any:
        caller = DEVELOPMENT if account == ONE else seed.TWO
        return trail.validate_logs(self.folder, self.store, self.server.endpoint, caller, region, self.start)


@pytest.fixture
def delivered(tmp_path: Path) -> Iterator[Delivered]:
    """Events of two accounts and two Regions, delivered into a bucket, with the digests of three hours."""
    start = trail.now() - timedelta(hours=1)
    events = [
        trail.event(account, region, start + timedelta(seconds=number))
        for number, (account, region) in enumerate(
            [(ONE, "us-east-1"), (TWO, "eu-central-1"), (ONE, "eu-central-1"), (ONE, "us-east-1")] * 3
        )
    ]
    with trail.s3_server() as store:
        secret = tmp_path / "secret"
        secret.write_text("store-secret\n")
        environment = {
            "KEYWRIGHT_TRAIL_DELIVERY_DESTINATION": f"s3://{trail.BUCKET}/{PREFIX}",
            "KEYWRIGHT_TRAIL_DELIVERY_S3_ENDPOINT": store.endpoint,
            "KEYWRIGHT_TRAIL_DELIVERY_S3_ACCESS_KEY_ID": "store",
            "KEYWRIGHT_TRAIL_DELIVERY_S3_SECRET_ACCESS_KEY_FILE": str(secret),
        }
        server = Server(tmp_path, development=True, environment=environment)
        trail.write_log(server.data, events)
        server.start()
        eventually(lambda: len(store.names("/CloudTrail/")) >= 3, "log files are delivered", 15)
        for _ in range(3):
            dev_clock.advance(server, timedelta(hours=1))
        try:
            yield Delivered(server, store, events, start, tmp_path)
        finally:
            server.close()


def test_files_have_the_names_and_the_form_of_cloudtrail(delivered: Delivered) -> None:
    found: list[str] = []
    for name in delivered.store.names("/CloudTrail/"):
        match = LOG_FILE.fullmatch(name)
        assert match, name
        file = delivered.store.read(name)
        assert (file["ContentType"], file["ContentEncoding"]) == ("application/json", "gzip")
        text = gzip.decompress(file["Body"].read()).decode()
        records = json.loads(text)["Records"]
        for record in records:
            assert (record["recipientAccountId"], record["awsRegion"]) == match.groups()
        ids = [record["eventID"] for record in records]
        mine = [event for event in delivered.events if json.loads(event)["eventID"] in ids]
        assert all(event in text for event in mine), "events are there byte for byte"
        found += ids
    for event in delivered.events:
        assert found.count(json.loads(event)["eventID"]) == 1


def test_the_aws_cli_finds_every_digest_and_file_valid(delivered: Delivered) -> None:
    for account, region in ((ONE, "us-east-1"), (ONE, "eu-central-1"), (TWO, "eu-central-1")):
        finished = delivered.validate(account, region)
        assert finished.returncode == 0, finished
        valid = re.findall(r"(\d+)/(\d+) (digest|log) files valid", finished.stdout)
        assert {kind for _, _, kind in valid} == {"digest", "log"}, finished.stdout
        assert all(good == total and int(good) > 0 for good, total, _ in valid), finished.stdout
    # Digests have come every hour for each Region with events.
    assert len(delivered.store.names(f"{ONE}/CloudTrail-Digest/us-east-1/")) == 3


def test_digests_carry_their_signature_as_metadata(delivered: Delivered) -> None:
    for name in delivered.store.names("/CloudTrail-Digest/"):
        metadata = delivered.store.read(name)["Metadata"]
        assert re.fullmatch(r"[0-9a-f]{512}", metadata["signature"])
        assert metadata["signature-algorithm"] == "SHA256withRSA"


def test_the_aws_cli_finds_what_was_changed_or_taken_away(delivered: Delivered) -> None:
    store = delivered.store
    log, digest = (store.names(f"{ONE}/{kind}/us-east-1/")[0] for kind in ("CloudTrail", "CloudTrail-Digest"))
    for name, found in ((log, "Log file"), (digest, "Digest file")):
        object = store.read(name)
        content = object["Body"].read()
        text = gzip.decompress(content)

        def put(body: bytes, name: str = name, metadata: Any = object["Metadata"]) -> None:
            store.client.put_object(Bucket=trail.BUCKET, Key=name, Body=body, Metadata=metadata)

        put(gzip.compress(text.replace(b"us-east-1", b"us-east-2", 1)))
        finished = delivered.validate()
        assert finished.returncode == 1, finished
        assert re.search(rf"{found}\s+s3://{trail.BUCKET}/{name}\s+INVALID", finished.stdout + finished.stderr)
        store.client.delete_object(Bucket=trail.BUCKET, Key=name)
        finished = delivered.validate()
        assert finished.returncode == 1, finished
        put(content)
        assert delivered.validate().returncode == 0


def test_a_bucket_that_is_away_holds_back_nobody_and_gets_everything_later(tmp_path: Path) -> None:
    events = [trail.event(ONE, "us-east-1", trail.now())]
    with trail.s3_server() as store:
        store.client.delete_bucket(Bucket=trail.BUCKET)
        environment = {
            "KEYWRIGHT_TRAIL_DELIVERY_DESTINATION": f"s3://{trail.BUCKET}",
            "KEYWRIGHT_TRAIL_DELIVERY_S3_ENDPOINT": store.endpoint,
            "KEYWRIGHT_TRAIL_DELIVERY_INTERVAL_SECONDS": "1",
            "AWS_ACCESS_KEY_ID": "store",
            "AWS_SECRET_ACCESS_KEY": "store-secret",
        }
        server = Server(tmp_path, seed=None, development=True, environment=environment)
        trail.write_log(server.data, events)
        server.start()
        eventually(lambda: "cannot be delivered to s3://trail" in server.output, "the log says so", 15)
        assert server._probe() == 200
        store.client.create_bucket(Bucket=trail.BUCKET)
        eventually(lambda: len(store.names("/CloudTrail/")) >= 1, "the file arrives", 15)
        assert server.output.count("cannot be delivered to s3://trail") == 1
        server.stop()


def verify(folder: Path, *arguments: str) -> Any:
    return run([str(BINARY), "trail", "verify", *arguments], folder, clean_environment(folder))


@pytest.fixture
def in_a_folder(tmp_path: Path) -> Iterator[Server]:
    """A server that has delivered into its own folder, with the digests of three hours."""
    server = Server(tmp_path, seed=None, development=True)
    trail.write_log(server.data, [trail.event(ONE, "us-east-1", trail.now()) for _ in range(20)])
    server.start()
    eventually(lambda: any(server.data.glob("trail/delivered/AWSLogs/*/CloudTrail/**/*.gz")), "it is delivered", 15)
    for _ in range(3):
        dev_clock.advance(server, timedelta(hours=1))
    yield server
    server.close()


def test_verify_says_that_all_is_as_written_while_the_service_runs_and_after(in_a_folder: Server) -> None:
    server, data = in_a_folder, str(in_a_folder.data)
    for is_running in (True, False):
        finished = verify(server.folder, "--data-dir", data)
        assert finished.returncode == EXIT_OK, finished
        assert ("service is running" in finished.stdout) == is_running
        assert re.search(r"Log: \d+ lines in \d+ segments, from line 1 on: as written", finished.stdout)
        delivered = r"Delivered: [1-9]\d* digests, [1-9]\d* files, \d+ files too new for a digest: as written"
        assert re.search(delivered, finished.stdout)
        if is_running:
            server.stop()


def test_verify_needs_nothing_but_the_files_and_the_keys(in_a_folder: Server, tmp_path: Path) -> None:
    copy, keys = tmp_path / "copy", tmp_path / "keys.json"
    shutil.copytree(in_a_folder.data / "trail/delivered", copy)
    shutil.copy(in_a_folder.data / "trail/public-keys.json", keys)
    nowhere = str(tmp_path / "nowhere")
    finished = verify(tmp_path, "--data-dir", nowhere, "--delivered", str(copy), "--public-keys", str(keys))
    assert finished.returncode == EXIT_OK, finished
    without = verify(tmp_path, "--data-dir", nowhere, "--delivered", str(copy))
    assert without.returncode == EXIT_USAGE and "public keys" in without.stderr
    assert verify(tmp_path, "--data-dir", nowhere).returncode == EXIT_USAGE


def test_verify_does_not_wait_for_the_first_digest(tmp_path: Path) -> None:
    server = Server(tmp_path, environment={"KEYWRIGHT_TRAIL_DELIVERY_INTERVAL_SECONDS": "1"}).start()
    eventually(lambda: list((server.data / "trail/delivered").rglob("*.json.gz")), "files are delivered")
    server.stop()
    finished = verify(server.folder, "--data-dir", str(server.data))
    assert finished.returncode == EXIT_OK, finished
    assert re.search(r"Delivered: 0 digests, 0 files, [1-9]\d* files too new for a digest: as written", finished.stdout)
    # A digest that nobody of this service signed is no evidence.
    forged = server.data / "trail/delivered/AWSLogs" / ONE / "CloudTrail-Digest/us-east-1/2026/01/01"
    forged.mkdir(parents=True)
    name = f"{ONE}_CloudTrail-Digest_us-east-1_keywright_us-east-1_20260101T000000Z.json.gz"
    (forged / name).write_bytes(gzip.compress(b"{}"))
    assert verify(server.folder, "--data-dir", str(server.data)).returncode == EXIT_TRAIL


@pytest.mark.parametrize("kind", ["log", "file", "digest", "signature", "newest digest"])
def test_verify_names_what_was_changed_or_taken_away(in_a_folder: Server, kind: str) -> None:
    server = in_a_folder
    server.stop()
    place = server.data / "trail"
    digests = sorted(place.glob("delivered/AWSLogs/*/CloudTrail-Digest/us-east-1/**/*.gz"))
    path = {
        "log": lambda: next(place.glob("log/*.jsonl")),
        "file": lambda: next(place.glob("delivered/AWSLogs/*/CloudTrail/us-east-1/**/*.gz")),
        "digest": lambda: digests[1],
        "signature": lambda: Path(f"{digests[1]}.metadata.json"),
        "newest digest": lambda: digests[-1],
    }[kind]()
    content = path.read_bytes()
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    for damage in (lambda: path.write_bytes(changed), lambda: path.write_bytes(content[:-20]), path.unlink):
        damage()
        finished = verify(server.folder, "--data-dir", str(server.data))
        assert finished.returncode == EXIT_TRAIL, finished
        shown = path.name.removesuffix(".metadata.json")
        assert shown in finished.stdout or (kind == "log" and "trail/log" in finished.stdout), finished.stdout
        path.write_bytes(content)
    assert verify(server.folder, "--data-dir", str(server.data)).returncode == EXIT_OK
