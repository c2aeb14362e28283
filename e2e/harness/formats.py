"""Data folders as releases wrote them: how one is made, and what must be true of a service that starts on a copy of it.

`corpus/formats/<release>/` holds `data.tar.gz`, a stopped service's data folder; `backup.age` and `identity.txt`, a backup of the
same; and `contents.json`, what is in them. A new one is made with `python -m harness.formats <release>` in this folder, by the
binary that KEYWRIGHT_BINARY names.
"""

import base64
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness import clients
from harness.backups import assert_trail, digests, new_keeper
from harness.buckets import new_bucket
from harness.polling import eventually
from harness.seed import ONE, SEEDED_KEY
from harness.server import EXIT_OK, Server, run_tool

FORMATS = Path(__file__).parents[2] / "corpus" / "formats"
PASSPHRASE = "the passphrase of every fixture"
CONTEXT = {"purpose": "fixture"}
PLAINTEXT = b"written by an earlier release"


def settings(folder: Path) -> tuple[str, ...]:
    """Digests are due at once, so that a fixture has some."""
    configuration = folder / "keywright.toml"
    configuration.write_text("[trail.delivery]\ninterval_seconds = 1\ndigest_interval_seconds = 1\n")
    return ("--config", str(configuration))


def open_server(folder: Path, **more: Any) -> Server:
    folder.mkdir(exist_ok=True)
    environment = {"KEYWRIGHT_PASSPHRASE": PASSPHRASE}
    return Server(folder, environment=environment, arguments=settings(folder), **more)


def text(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def fill(server: Server) -> dict[str, Any]:
    """Lets a service write something of every kind that it keeps."""
    kms = clients.kms(server)
    contents: dict[str, Any] = {"ciphertexts": [], "macs": [], "signatures": [], "objects": []}
    key = kms.create_key(Description="symmetric", MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/fixture", TargetKeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "kind", "TagValue": "fixture"}])
    kms.enable_key_rotation(KeyId=key)
    for name in (SEEDED_KEY, key):
        contents["ciphertexts"].append(_encrypted(kms, name))
    kms.rotate_key_on_demand(KeyId=key)
    eventually(lambda: len(kms.list_key_rotations(KeyId=key)["Rotations"]) > 0, "the key is rotated")
    contents["ciphertexts"].append(_encrypted(kms, key))
    kms.create_grant(KeyId=key, GranteePrincipal=ONE.user_arn, Operations=["Decrypt"])
    for spec, algorithm in [("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256"), ("ML_DSA_65", "ML_DSA_SHAKE_256")]:
        pair = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        signed = kms.sign(KeyId=pair, Message=PLAINTEXT, SigningAlgorithm=algorithm)["Signature"]
        contents["signatures"].append({"key": pair, "algorithm": algorithm, "signature": text(signed)})
    mac_key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    mac = kms.generate_mac(KeyId=mac_key, Message=PLAINTEXT, MacAlgorithm="HMAC_SHA_256")["Mac"]
    contents["macs"].append({"key": mac_key, "mac": text(mac)})
    disabled = kms.create_key(Description="disabled")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=disabled)
    iam = clients.iam(server)
    iam.create_user(UserName="fixture")
    contents |= {"symmetric": key, "disabled": disabled, "user": iam.get_user(UserName="fixture")["User"]["UserId"]}
    _fill_objects(server, contents, key)
    return contents


def _encrypted(kms: Any, key: str) -> dict[str, str]:
    blob = kms.encrypt(KeyId=key, Plaintext=PLAINTEXT, EncryptionContext=CONTEXT)["CiphertextBlob"]
    return {"key": key, "blob": text(blob)}


def _fill_objects(server: Server, contents: dict[str, Any], key: str) -> None:
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    for name, options in [
        ("sse-s3", {}),
        ("sse-kms", kms),
        ("bucket-key", kms | {"BucketKeyEnabled": True}),
        ("two-layers", kms | {"ServerSideEncryption": "aws:kms:dsse"}),
    ]:
        for state in ("first", "second"):
            body = f"{name}, {state}".encode()
            version = s3.put_object(Bucket=bucket, Key=name, Body=body, **options)["VersionId"]
            contents["objects"].append({"key": name, "version": version, "body": text(body)})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", **kms)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"in parts")
    done = s3.complete_multipart_upload(
        Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    contents["objects"].append({"key": "parts", "version": done["VersionId"], "body": text(b"in parts")})
    contents["bucket"] = bucket


def assert_contents(server: Server, contents: dict[str, Any]) -> None:
    """Everything that an earlier release wrote is there and right."""
    kms, s3 = clients.kms(server), clients.s3(server)
    for made in contents["ciphertexts"]:
        opened = kms.decrypt(CiphertextBlob=base64.b64decode(made["blob"]), EncryptionContext=CONTEXT)
        assert (opened["Plaintext"], opened["KeyId"].rsplit("/")[-1]) == (PLAINTEXT, made["key"])
    for made in contents["signatures"]:
        signature = base64.b64decode(made["signature"])
        assert kms.verify(
            KeyId=made["key"], Message=PLAINTEXT, SigningAlgorithm=made["algorithm"], Signature=signature
        )["SignatureValid"]
        assert kms.sign(KeyId=made["key"], Message=PLAINTEXT, SigningAlgorithm=made["algorithm"])["Signature"]
    for made in contents["macs"]:
        mac = base64.b64decode(made["mac"])
        assert kms.verify_mac(KeyId=made["key"], Message=PLAINTEXT, MacAlgorithm="HMAC_SHA_256", Mac=mac)["MacValid"]
    key = contents["symmetric"]
    assert kms.describe_key(KeyId="alias/fixture")["KeyMetadata"]["KeyId"] == key
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "kind", "TagValue": "fixture"}]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert len(kms.list_grants(KeyId=key)["Grants"]) == 1
    try:
        kms.encrypt(KeyId=contents["disabled"], Plaintext=b"x")
        raise AssertionError("a disabled key encrypts")
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "DisabledException"
    assert clients.iam(server).get_user(UserName="fixture")["User"]["UserId"] == contents["user"]
    for made in contents["objects"]:
        found = s3.get_object(Bucket=contents["bucket"], Key=made["key"], VersionId=made["version"])
        assert found["Body"].read() == base64.b64decode(made["body"]), made["key"]


def make(place: Path) -> None:
    """Makes a fixture of this binary."""
    place.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        server = open_server(Path(folder)).start()
        contents = fill(server)
        eventually(lambda: len(digests(server)) > 2, "digests are delivered", 60)
        server.stop()
        assert_trail(server)
        backup = ("backup", "--data-dir", str(server.data), "--recipient", new_keeper(place).recipient, "backup.age")
        assert run_tool(*backup, folder=place).returncode == EXIT_OK
        (server.data / "lock").unlink()
        with tarfile.open(place / "data.tar.gz", "w:gz") as archive:
            archive.add(server.data, "data")
        (place / "contents.json").write_text(json.dumps(contents, indent=1) + "\n")


if __name__ == "__main__":
    make(FORMATS / sys.argv[1])
