"""Objects whose contents lie upstream, in a store that speaks the S3 protocol: a second server of ours, and moto's."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.backups import Keeper
from harness.buckets import new_bucket, take_customer_keys
from harness.expect import refused
from harness.polling import eventually
from harness.seed import EUROPE, ONE, SEEDED_KEY, Account
from harness.server import EXIT_OK, EXIT_USAGE, Server, StartFailed, run_tool
from harness.trail_delivery import BUCKET as MOTO_BUCKET
from harness.trail_delivery import s3_server

BUCKET = "contents"
PREFIX = "gate/way"
# A blob of more than 8 MiB goes upstream in parts.
LONG = (20 << 20) + 12_345
WORDS = b"nobody upstream may read this "


class Upstream:
    """A bucket that keeps contents, and the settings that lead to it."""

    def __init__(self, client: Any, bucket: str, endpoint: str, account: Account, prefix: str = PREFIX):
        self.client, self.bucket, self.endpoint, self.prefix = client, bucket, endpoint, prefix
        self.account = account

    def settings(self, folder: Path) -> dict[str, str]:
        secret = folder / "upstream-secret"
        secret.write_text(self.account.secret_access_key + "\n")
        secret.chmod(0o600)
        settings = {
            "BUCKET": self.bucket,
            "PREFIX": self.prefix,
            "ENDPOINT": self.endpoint,
            "REGION": EUROPE,
            "ACCESS_KEY_ID": self.account.access_key_id,
            "SECRET_ACCESS_KEY_FILE": str(secret),
        }
        return {f"KEYWRIGHT_OBJECTS_UPSTREAM_{name}": value for name, value in settings.items()}

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def uploads(self) -> list[str]:
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def read(self, name: str) -> bytes:
        return self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()


def gateway(folder: Path, upstream: Upstream, **options: Any) -> Server:
    folder.mkdir(exist_ok=True)
    return Server(folder, environment=upstream.settings(folder), **options)


def ours(server: Server, prefix: str = PREFIX) -> Upstream:
    client = clients.s3(server)
    try:
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    except client.exceptions.BucketAlreadyOwnedByYou:
        pass
    return Upstream(client, BUCKET, server.endpoint, ONE, prefix)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Upstream]]:
    """A server whose objects lie upstream, in another one."""
    below = Server(tmp_path_factory.mktemp("upstream")).start()
    upstream = ours(below)
    above = gateway(tmp_path_factory.mktemp("gateway"), upstream).start()
    yield above, upstream
    above.close()
    below.close()


@pytest.fixture
def own_pair(tmp_path: Path) -> Iterator[tuple[Server, Server, Upstream]]:
    """Such two of this test's own, which it may stop."""
    below_folder = tmp_path / "below"
    below_folder.mkdir()
    below = Server(below_folder).start()
    upstream = ours(below)
    above = gateway(tmp_path / "above", upstream).start()
    yield above, below, upstream
    above.close()
    below.close()


def start_again(server: Server) -> None:
    """At the same address."""
    server.launch(server.port)
    server.wait_until_ready()


def read(s3: Any, bucket: str, key: str, **options: Any) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def long_body() -> bytes:
    return (WORDS * (LONG // len(WORDS) + 1))[:LONG]


def check_everything(s3: Any, folder: Path) -> dict[str, bytes]:
    """Puts objects of all kinds, reads them, and gives what they have to be."""
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    short, long = WORDS * 10, long_body()
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SEEDED_KEY}
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    s3.put_object(Bucket=bucket, Key="short", Body=short, Metadata={"told": "secret-metadata"})
    s3.put_object(Bucket=bucket, Key="kms", Body=long, **kms)
    s3.put_object(Bucket=bucket, Key="two-layers", Body=short, **kms | {"ServerSideEncryption": "aws:kms:dsse"})
    s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": "kms"})
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=9 << 20)
    (folder / "long").write_bytes(long)
    s3.upload_file(str(folder / "long"), bucket, "parts", Config=config, ExtraArgs=kms)
    expected = {"empty": b"", "short": short, "kms": long, "two-layers": short, "copied": long, "parts": long}
    for key, body in expected.items():
        assert read(s3, bucket, key) == body, key
    for key in ("kms", "parts", "copied"):
        for first, last in ((0, 0), (65_535, 65_536), (9 << 20, (9 << 20) + 1), (LONG - 1, LONG - 1), (7, 18 << 20)):
            assert read(s3, bucket, key, Range=f"bytes={first}-{last}") == long[first : last + 1], (key, first)
    s3.delete_object(Bucket=bucket, Key="copied")
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="copied")
    return {f"{bucket}/{key}": body for key, body in expected.items() if key != "copied"}


def check_nothing_is_told(upstream: Upstream, expected: dict[str, bytes]) -> None:
    """What the upstream has is as much as there should be, and tells nothing."""
    told = [WORDS, b"secret-metadata"]
    for place, body in expected.items():
        bucket, _, key = place.partition("/")
        told.append(bucket.encode())
        assert not any(f"/{key}" in name for name in upstream.names())
        if not body:
            # Digests of nothing are everywhere, as those of requests without a body.
            continue
        md5, sha256 = hashlib.md5(body), hashlib.sha256(body)
        told += [digest.hexdigest().encode() for digest in (md5, sha256)]
        told += [base64.b64encode(digest.digest()) for digest in (md5, sha256)]
    for name in upstream.names():
        head = upstream.client.head_object(Bucket=upstream.bucket, Key=name, ChecksumMode="ENABLED")
        assert head["Metadata"] == {}, head
        seen = upstream.read(name) + name.encode() + repr(head).encode()
        assert not [words for words in told if words in seen], (name, head)


def test_objects_of_all_kinds_come_back_and_upstream_knows_nothing_of_them(
    pair: tuple[Server, Upstream], tmp_path: Path
) -> None:
    server, upstream = pair
    before = len(upstream.names())
    expected = check_everything(clients.s3(server), tmp_path)
    names = upstream.names()
    # Of the object in parts each part is a blob of its own.
    assert len(names) - before == len(expected) - 1 + 3
    assert all(name.startswith(f"{PREFIX}/") for name in names)
    check_nothing_is_told(upstream, expected)
    assert upstream.uploads() == []
    assert not (server.data / "objects").exists()
    bucket = next(iter(expected)).partition("/")[0]
    for place in expected:
        clients.s3(server).delete_object(Bucket=bucket, Key=place.partition("/")[2])
    assert len(upstream.names()) == before


def test_customer_keys(tmp_path: Path) -> None:
    below_folder = tmp_path / "below"
    below_folder.mkdir()
    below = Server(below_folder).start()
    upstream = ours(below)
    above = gateway(tmp_path / "above", upstream, arguments=("--tls-development",), scheme="https").start()
    s3 = clients.s3(above)
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS, **key)
    assert read(s3, bucket, "k", **key) == WORDS
    with refused("AccessDenied", status=403):
        s3.get_object(Bucket=bucket, Key="k", **key | {"SSECustomerKey": os.urandom(32)})
    seen = b"".join(upstream.read(name) for name in upstream.names())
    assert WORDS not in seen and key["SSECustomerKey"] not in seen
    above.close()
    below.close()


def test_an_upstream_that_is_not_ours(tmp_path: Path) -> None:
    with s3_server() as store:
        account = Account("000000000000", "store", "store-secret")
        upstream = Upstream(store.client, MOTO_BUCKET, store.endpoint, account)
        server = gateway(tmp_path / "above", upstream).start()
        expected = check_everything(clients.s3(server), tmp_path)
        check_nothing_is_told(upstream, expected)
        assert upstream.uploads() == []
        server.close()


def test_what_is_changed_upstream_is_not_taken_for_what_was_written(pair: tuple[Server, Upstream]) -> None:
    server, upstream = pair
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    before = set(upstream.names())
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS * 10_000)
    [name] = set(upstream.names()) - before
    whole = upstream.read(name)
    for changed in (whole[:70_000] + bytes([whole[70_000] ^ 1]) + whole[70_001:], whole[:-1]):
        upstream.client.put_object(Bucket=upstream.bucket, Key=name, Body=changed)
        with pytest.raises((BotoCoreError, ClientError)):
            read(s3, bucket, "k")
    # Where nothing was changed, nothing is wrong.
    upstream.client.put_object(Bucket=upstream.bucket, Key=name, Body=whole[:-1] + bytes([whole[-1] ^ 1]))
    assert read(s3, bucket, "k", Range="bytes=0-9") == WORDS[:10]
    upstream.client.put_object(Bucket=upstream.bucket, Key=name, Body=whole)
    assert read(s3, bucket, "k") == WORDS * 10_000
    upstream.client.delete_object(Bucket=upstream.bucket, Key=name)
    with refused("InternalError", status=500):
        read(s3, bucket, "k")


def begin_put(server: Server, bucket: str, key: str, length: int, sent: int) -> HTTPConnection:
    """Sends the beginning of an object and leaves it at that."""
    url = clients.s3(server).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key})
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("PUT", url.partition(f":{server.port}")[2])
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    connection.send(bytes(sent))
    return connection


def test_nothing_is_left_upstream_of_an_upload_that_ends_early(pair: tuple[Server, Upstream]) -> None:
    server, upstream = pair
    bucket = new_bucket(clients.s3(server))
    before = upstream.names()
    connection = begin_put(server, bucket, "k", 100 << 20, 30 << 20)
    eventually(upstream.uploads, "the upload is under way upstream")
    connection.close()
    eventually(lambda: not upstream.uploads(), "the upload is taken back")
    # A body that is not what was announced.
    with refused("BadDigest"):
        body, checksum = bytes(20 << 20), base64.b64encode(bytes(16)).decode()
        clients.s3(server).put_object(Bucket=bucket, Key="k", Body=body, ContentMD5=checksum)
    eventually(lambda: not upstream.uploads(), "the upload is taken back")
    assert upstream.names() == before
    eventually(lambda: not list((server.data / "objects-uploads").iterdir()), "its note is gone, too")


def test_what_a_killed_process_leaves_upstream_is_removed(own_pair: tuple[Server, Server, Upstream]) -> None:
    above, _, upstream = own_pair
    s3 = clients.s3(above)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="kept", Body=WORDS)
    [kept] = upstream.names()
    # A blob whose record did not come: under our names, and in no record.
    folder = kept.rpartition("/")[0].rpartition("/")[0]
    upstream.client.put_object(Bucket=BUCKET, Key=f"{folder}/00/{'0' * 32}", Body=b"left")
    others = [f"{PREFIX}/{'1' * 32}/00/{'0' * 32}", "00/something", f"{folder}/00/notes"]
    for other in others:
        upstream.client.put_object(Bucket=BUCKET, Key=other, Body=b"not ours")
    connection = begin_put(above, bucket, "cut", 100 << 20, 30 << 20)
    eventually(upstream.uploads, "the upload is under way upstream")
    eventually(lambda: list((above.data / "objects-uploads").iterdir()), "it is noted")
    above.kill()
    connection.close()
    assert upstream.uploads()
    above.start()
    eventually(lambda: not upstream.uploads(), "the upload is taken back")
    eventually(lambda: sorted(upstream.names()) == sorted([kept, *others]), "the blob without a record is removed")
    assert read(clients.s3(above), bucket, "kept") == WORDS


def test_two_gateways_share_a_bucket(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    below = Server(tmp_path / "below").start()
    upstream = ours(below)
    one, two = (gateway(tmp_path / name, upstream).start() for name in ("one", "two"))
    buckets = {server: new_bucket(clients.s3(server)) for server in (one, two)}
    for server, bucket in buckets.items():
        clients.s3(server).put_object(Bucket=bucket, Key="k", Body=bucket.encode())
    names = sorted(upstream.names())
    for server in buckets:
        # The sweep after the start has come and gone once a blob of its own that nobody has is removed.
        mine = next(name for name in names if name.split("/")[2] == folder_id(server, upstream, buckets[server]))
        orphan = "/".join(mine.split("/")[:3]) + f"/ff/{'f' * 32}"
        upstream.client.put_object(Bucket=BUCKET, Key=orphan, Body=b"left")
        server.restart()
        eventually(lambda: sorted(upstream.names()) == names, "the sweep has come and gone")
    for server, bucket in buckets.items():
        assert read(clients.s3(server), bucket, "k") == bucket.encode()
        server.close()
    below.close()


def folder_id(server: Server, upstream: Upstream, bucket: str) -> str:
    """The id under which a server's blobs lie, told by what it adds."""
    before = set(upstream.names())
    clients.s3(server).put_object(Bucket=bucket, Key="probe", Body=b"")
    [added] = set(upstream.names()) - before
    clients.s3(server).delete_object(Bucket=bucket, Key="probe")
    return added.split("/")[2]


def test_an_upstream_that_goes_away_and_comes_back(own_pair: tuple[Server, Server, Upstream]) -> None:
    above, below, _ = own_pair
    s3, kms = clients.s3(above), clients.kms(above)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS)
    s3.put_object(Bucket=bucket, Key="deleted", Body=WORDS)
    below.stop()
    for body in (WORDS, bytes(20 << 20)):
        with refused("ServiceUnavailable", "Service is unable to handle request.", status=503):
            s3.put_object(Bucket=bucket, Key="new", Body=body)
    with refused("ServiceUnavailable", status=503):
        s3.get_object(Bucket=bucket, Key="k")
    # What needs no contents works, and so do keys.
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(WORDS)
    s3.delete_object(Bucket=bucket, Key="deleted")
    assert kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"])["Plaintext"] == b"x"
    assert requests.get(f"{above.endpoint}/readyz", timeout=5).status_code == 200
    assert above.output.count("the upstream of objects fails") == 1
    start_again(below)
    assert read(s3, bucket, "k") == WORDS
    s3.put_object(Bucket=bucket, Key="new", Body=WORDS)
    assert read(s3, bucket, "new") == WORDS
    assert "the upstream of objects answers again" in above.output
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k", "new"]


def test_a_start_while_the_upstream_is_away(own_pair: tuple[Server, Server, Upstream]) -> None:
    above, below, upstream = own_pair
    s3 = clients.s3(above)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS)
    [kept] = upstream.names()
    folder = kept.rpartition("/")[0].rpartition("/")[0]
    upstream.client.put_object(Bucket=BUCKET, Key=f"{folder}/00/{'0' * 32}", Body=b"left")
    above.stop()
    below.stop()
    above.start()
    eventually(lambda: "it is tried again" in above.output, "a warning")
    kms = clients.kms(above)
    assert kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    with refused("ServiceUnavailable", status=503):
        clients.s3(above).get_object(Bucket=bucket, Key="k")
    start_again(below)
    s3 = clients.s3(above)
    assert read(s3, bucket, "k") == WORDS
    s3.put_object(Bucket=bucket, Key="new", Body=WORDS)
    eventually(lambda: len(upstream.names()) == 2, "what was left is removed all the same", 40.0)
    assert read(s3, bucket, "k") == read(s3, bucket, "new") == WORDS


def test_an_upstream_cannot_be_taken_up_or_given_up_while_there_are_contents(
    own_pair: tuple[Server, Server, Upstream], tmp_path: Path
) -> None:
    above, _, upstream = own_pair
    s3 = clients.s3(above)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS)
    above.stop()
    settings, above.environment = above.environment, {}
    with pytest.raises(StartFailed, match=r"the contents of objects lie upstream") as failed:
        above.start()
    assert failed.value.exit_code == EXIT_USAGE
    above.environment = settings
    s3 = clients.s3(above.start())
    s3.delete_object(Bucket=bucket, Key="k")
    above.stop()
    above.environment = {}
    s3 = clients.s3(above.start())
    s3.put_object(Bucket=bucket, Key="k", Body=WORDS)
    assert read(clients.s3(above.restart()), bucket, "k") == WORDS
    assert upstream.names() == []
    above.stop()
    above.environment = settings
    with pytest.raises(StartFailed, match=r"the data folder has contents of objects") as failed:
        above.start()
    assert failed.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("BUCKET", "Not_A_Bucket", "`objects.upstream.bucket` names the bucket"),
        ("ENDPOINT", "http://192.0.2.1", "on another machine and not encrypted"),
        ("SECRET_ACCESS_KEY_FILE", "/nowhere/secret", "objects.upstream: the file /nowhere/secret cannot be used"),
        ("CERTIFICATE_AUTHORITY_FILE", "/nowhere/pem", "objects.upstream: the file /nowhere/pem cannot be used"),
        ("ACCESS_KEY_ID", "", "must both be set, or none"),
    ],
)
def test_an_upstream_that_cannot_be_used_is_told_at_the_start(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    upstream = Upstream(None, BUCKET, "http://127.0.0.1:9", ONE)
    server = gateway(tmp_path / "above", upstream)
    server.environment[f"KEYWRIGHT_OBJECTS_UPSTREAM_{setting}"] = value
    with pytest.raises(StartFailed) as failed:
        server.start()
    assert failed.value.exit_code == EXIT_USAGE and words in failed.value.log
    assert ONE.secret_access_key not in failed.value.log


def test_a_transfer_holds_a_few_parts(pair: tuple[Server, Upstream], report: Callable[[str], None]) -> None:
    server, _ = pair
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="warm", Body=bytes(20 << 20))
    before = server.resident_kib()
    # From here on the peak counts anew. <https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html>
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    body = os.urandom(200 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert read(s3, bucket, "k") == body
    status = Path(f"/proc/{server.pid}/status").read_text()
    grown = int(status.partition("VmHWM:")[2].split()[0]) - before
    report(f"200 MiB through to upstream and back: {grown} KiB more at the peak")
    assert grown < 64 << 10


def test_a_backup_leaves_contents_upstream_and_whoever_restores_it_says_that_they_take_over(
    own_pair: tuple[Server, Server, Upstream], keeper: Keeper, tmp_path: Path
) -> None:
    above, _, upstream = own_pair
    s3 = clients.s3(above)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="before", Body=WORDS)
    above.stop()
    place = ("--data-dir", str(above.data), "--recipient", keeper.recipient)
    assert run_tool("backup", *place, "backup.age", folder=tmp_path).returncode == EXIT_OK
    clients.s3(above.start()).put_object(Bucket=bucket, Key="after", Body=WORDS)
    above.stop()
    there = sorted(upstream.names())
    again = gateway(tmp_path / "again", upstream)
    restoring = ("restore", "--identity", str(keeper.identity), "--data-dir", str(again.data), "backup.age")
    refused_ = run_tool(*restoring, folder=tmp_path)
    assert (refused_.returncode, "--take-over-upstream" in refused_.stderr) == (EXIT_USAGE, True), refused_.stderr
    assert not again.data.exists()
    assert run_tool(*restoring, "--take-over-upstream", folder=tmp_path).returncode == EXIT_OK
    assert sorted(upstream.names()) == there
    found = clients.s3(again.start())
    assert read(found, bucket, "before") == WORDS
    with refused("NoSuchKey", status=404):
        read(found, bucket, "after")
    # What nobody knows any more goes: that is why only one of the two may run.
    eventually(lambda: len(upstream.names()) == 1, "what was written since the backup is swept")
    again.stop()
