"""Clients of S3 beside boto3: the AWS CLI, the AWS SDK for JavaScript with its transfer manager, the Amazon S3 Encryption
Client, and rclone and s3fs where they are installed.

Source: AWS CLI Command Reference, `aws s3` and `aws s3api`; documentation of the clients.
"""

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring

from harness import clients
from harness.clients import account_environment, run
from harness.polling import eventually
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import Server

FOLDER = Path(__file__).parents[1]
KEY_ARN = ONE.key_arn(SEEDED_KEY)
KMS = ["--sse", "aws:kms", "--sse-kms-key-id", KEY_ARN]
# Larger than what the CLI sends in one.
LARGE = 18_000_001

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def aws(server: Server, tmp_path: Path) -> Run:
    """Runs `aws …`, which must succeed, unless `fails` says what it tells otherwise."""
    environment = account_environment(server)

    def call(*arguments: str, fails: str | None = None) -> subprocess.CompletedProcess[str]:
        finished = run(["aws", *arguments], tmp_path, environment)
        if fails is None:
            assert finished.returncode == 0, finished
        else:
            assert finished.returncode != 0 and fails in finished.stderr, finished
        return finished

    return call


def test_the_cli_moves_files(aws: Run, s3: Any, tmp_path: Path) -> None:
    bucket = f"cli-{uuid.uuid4()}"
    aws("s3", "mb", f"s3://{bucket}")
    files = {"small.txt": b"small", "folder/large.bin": os.urandom(LARGE)}
    for name, body in files.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_bytes(body)
    aws("s3", "sync", "source", f"s3://{bucket}/all", *KMS)
    for name, body in files.items():
        head = s3.head_object(Bucket=bucket, Key=f"all/{name}")
        assert (head["ContentLength"], head["SSEKMSKeyId"]) == (len(body), KEY_ARN)
    assert s3.head_object(Bucket=bucket, Key="all/folder/large.bin")["ETag"].endswith('-3"')
    aws("s3", "cp", f"s3://{bucket}/all/folder/large.bin", f"s3://{bucket}/copy.bin")
    aws("s3", "sync", f"s3://{bucket}", "target")
    for name, body in files.items():
        assert (tmp_path / "target/all" / name).read_bytes() == body
    assert (tmp_path / "target/copy.bin").read_bytes() == files["folder/large.bin"]
    # Nothing is left to do.
    assert aws("s3", "sync", f"s3://{bucket}", "target").stdout == ""
    listed = aws("s3", "ls", "--recursive", f"s3://{bucket}").stdout.split("\n")
    assert [line.split()[-1] for line in listed if line] == ["all/folder/large.bin", "all/small.txt", "copy.bin"]
    url = aws("s3", "presign", f"s3://{bucket}/all/small.txt").stdout.strip()
    assert requests.get(url, timeout=30).content == b"small"
    assert requests.get(url.replace("small.txt", "other.txt"), timeout=30).status_code == 403
    aws("s3", "cp", f"s3://{bucket}/absent", "absent", fails="(404)")
    aws("s3", "rb", f"s3://{bucket}", fails="BucketNotEmpty")
    aws("s3", "rb", "--force", f"s3://{bucket}")
    aws("s3", "ls", f"s3://{bucket}", fails="NoSuchBucket")


def test_the_cli_without_a_signature(aws: Run, s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="open/k", Body=b"open")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"closed")
    place, unsigned = f"s3://{bucket}", "--no-sign-request"
    aws("s3", "cp", unsigned, f"{place}/open/k", "got", fails="(403)")
    s3.delete_public_access_block(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"]}
    resource = {"Resource": f"arn:aws:s3:::{bucket}/open/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement | resource}))
    aws("s3", "cp", unsigned, f"{place}/open/k", "got")
    assert (tmp_path / "got").read_bytes() == b"open"
    aws("s3", "cp", unsigned, "got", f"{place}/open/put")
    assert s3.get_object(Bucket=bucket, Key="open/put")["Body"].read() == b"open"
    aws("s3", "cp", unsigned, f"{place}/closed", "got", fails="(403)")
    aws("s3", "cp", unsigned, "got", f"{place}/closed", fails="AccessDenied")
    aws("s3", "ls", unsigned, place, fails="AccessDenied")
    (tmp_path / "large").write_bytes(os.urandom(LARGE))
    aws("s3", "cp", unsigned, "large", f"{place}/open/large", fails="Anonymous users cannot initiate multipart uploads")


def test_the_cli_asks_for_single_operations(aws: Run, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"by the CLI")
    place = ["--bucket", bucket, "--key", "a b/ü"]
    put = json.loads(aws("s3api", "put-object", *place, "--body", "file", "--metadata", "colour=blue").stdout)
    told = json.loads(aws("s3api", "head-object", *place).stdout)
    assert (told["ETag"], told["Metadata"]) == (put["ETag"], {"colour": "blue"})
    aws("s3api", "get-object", *place, "--range", "bytes=3-5", "out")
    assert (tmp_path / "out").read_bytes() == b"the"
    attributes = aws("s3api", "get-object-attributes", *place, "--object-attributes", "ETag", "ObjectSize")
    assert json.loads(attributes.stdout)["ObjectSize"] == 10
    aws("s3api", "get-object", *place, "--part-number", "2", "out", fails="(InvalidPartNumber)")
    aws("s3api", "get-object", *place, "--if-match", "other", "out", fails="(PreconditionFailed)")


def test_the_sdk_for_javascript(server: Server) -> None:
    environment = account_environment(server) | {"KEYWRIGHT_KEY_ARN": KEY_ARN}
    finished = run(["node", "--test", "--test-reporter=tap", "javascript/s3.mjs"], FOLDER, environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"^# pass 6$", finished.stdout, re.MULTILINE), finished.stdout


def test_the_encryption_client(server: Server, s3: Any, bucket: str) -> None:
    keyring = KmsKeyring(clients.kms(server), KEY_ARN)
    # It changes the client that it is given.
    client = S3EncryptionClient(clients.s3(server), S3EncryptionClientConfig(keyring=keyring))
    body = os.urandom(100_000)
    client.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"colour": "blue"})
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    # Without it the object is there, and nothing of the plaintext.
    stored = s3.get_object(Bucket=bucket, Key="k")
    assert stored["Metadata"]["colour"] == "blue"
    damaged = bytearray(stored["Body"].read())
    assert body[:16] not in damaged
    damaged[0] ^= 1
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(damaged), Metadata=stored["Metadata"])
    with pytest.raises(S3EncryptionClientError):
        client.get_object(Bucket=bucket, Key="k")["Body"].read()


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed")
def test_rclone(server: Server, s3: Any, tmp_path: Path) -> None:
    bucket = f"rclone-{uuid.uuid4()}"
    environment = account_environment(server) | {
        "RCLONE_CONFIG_HERE_TYPE": "s3",
        "RCLONE_CONFIG_HERE_PROVIDER": "Other",
        "RCLONE_CONFIG_HERE_ENV_AUTH": "true",
        "RCLONE_CONFIG_HERE_ENDPOINT": server.endpoint,
        "RCLONE_CONFIG_HERE_REGION": EUROPE,
        "RCLONE_CONFIG_HERE_LOCATION_CONSTRAINT": EUROPE,
        "RCLONE_CONFIG_HERE_SERVER_SIDE_ENCRYPTION": "aws:kms",
        "RCLONE_CONFIG_HERE_SSE_KMS_KEY_ID": KEY_ARN,
        "RCLONE_S3_UPLOAD_CUTOFF": "6M",
        "RCLONE_S3_CHUNK_SIZE": "5M",
    }

    def rclone(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(["rclone", "--config", "none", *arguments], tmp_path, environment)

    files = {"small.txt": b"small", "a folder/ü.bin": os.urandom(LARGE)}
    for name, body in files.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_bytes(body)
    for arguments in (
        ("mkdir", f"here:{bucket}"),
        ("sync", "source", f"here:{bucket}/all"),
        # Small objects under a key of KMS have no MD5 digest as their tag.
        ("check", "--download", "source", f"here:{bucket}/all"),
        ("copy", f"here:{bucket}/all", "target"),
    ):
        finished = rclone(*arguments)
        assert finished.returncode == 0, finished
    assert {name: (tmp_path / "target" / name).read_bytes() for name in files} == files
    assert s3.head_object(Bucket=bucket, Key="all/a folder/ü.bin")["SSEKMSKeyId"] == KEY_ARN
    (tmp_path / "target/small.txt").write_bytes(b"other")
    assert rclone("check", "--download", "target", f"here:{bucket}/all").returncode != 0
    assert rclone("purge", f"here:{bucket}").returncode == 0
    assert rclone("lsf", f"here:{bucket}").returncode != 0


@pytest.fixture
def mounted(server: Server, s3: Any, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A bucket whose objects are under a key of KMS, and the folder as which s3fs shows it."""
    bucket, folder = f"s3fs-{uuid.uuid4()}", tmp_path / "mounted"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    # Its own option for that, `use_sse`, is not sent with uploads in parts.
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN}
    rules = [{"ApplyServerSideEncryptionByDefault": by_default}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    folder.mkdir()
    account = account_environment(server)
    environment = account | {
        "AWSACCESSKEYID": account["AWS_ACCESS_KEY_ID"],
        "AWSSECRETACCESSKEY": account["AWS_SECRET_ACCESS_KEY"],
    }
    options = f"url={server.endpoint},endpoint={EUROPE},use_path_request_style"
    with (tmp_path / "s3fs.log").open("wb") as log:
        command = ["s3fs", bucket, str(folder), "-f", "-o", options]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(folder.is_mount, f"s3fs has mounted the bucket: {(tmp_path / 's3fs.log').read_text()}")
        yield bucket, folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)
        process.wait(30)


@pytest.mark.skipif(
    shutil.which("s3fs") is None or not os.access("/dev/fuse", os.W_OK) or os.geteuid() != 0,
    reason="s3fs is not installed, or nothing can be mounted",
)
def test_s3fs(s3: Any, mounted: tuple[str, Path]) -> None:
    bucket, folder = mounted
    (folder / "small").write_bytes(b"small")
    (folder / "a folder").mkdir()
    (folder / "small").rename(folder / "a folder/moved")
    assert (folder / "a folder/moved").read_bytes() == b"small"
    assert not (folder / "small").exists()
    large = os.urandom(25 << 20)
    (folder / "large").write_bytes(large)
    with (folder / "large").open("ab") as file:
        file.write(b"and more")
    (folder / "large").chmod(0o600)
    (folder / "link").symlink_to("large")
    assert (folder / "link").read_bytes() == large + b"and more"
    assert sorted(entry.name for entry in folder.iterdir()) == ["a folder", "large", "link"]
    stored = s3.get_object(Bucket=bucket, Key="large")
    assert (stored["SSEKMSKeyId"], stored["Metadata"]["mode"]) == (KEY_ARN, str(0o100600))
    assert stored["Body"].read() == large + b"and more"
    (folder / "large").unlink()
    assert "large" not in [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
