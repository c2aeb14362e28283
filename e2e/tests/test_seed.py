"""Seed files: what they can say, that they never overwrite, and the conversion of local-kms's files.

Source: docs on the seed file; https://github.com/nsmithuk/local-kms, README, "Seeding file format".
"""

import base64
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import DEVELOPMENT, EUROPE, ONE, account_form, key_form
from harness.server import EXIT_USAGE, Server, StartFailed, run_tool

KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
POLICY = json.dumps({
    "Version": "2012-10-17",
    "Id": "from the seed",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
})  # fmt: skip
FULL = (
    account_form(ONE)
    + f"""
[[account.key]]
region = "{EUROPE}"
id = "{KEY}"
spec = "SYMMETRIC_DEFAULT"
usage = "ENCRYPT_DECRYPT"
description = "from the seed"
policy = '{POLICY}'
tags = {{ stage = "test", "Cost Center" = "" }}
aliases = ["alias/one", "alias/deep/two"]
"""
)
MATERIAL = base64.b64encode(bytes(range(32))).decode()


def start(folder: Path, seed: str, **options: Any) -> Server:
    return Server(folder, seed=seed, **options).start()


def test_everything_a_seed_can_say(tmp_path: Path) -> None:
    server = start(tmp_path, FULL)
    kms = clients.kms(server)
    metadata = kms.describe_key(KeyId="alias/deep/two")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Description"], metadata["KeyState"]) == (KEY, "from the seed", "Enabled")
    assert metadata["Origin"] == "AWS_KMS"
    assert kms.get_key_policy(KeyId=KEY)["Policy"] == POLICY
    tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=KEY)["Tags"]}
    assert tags == {"stage": "test", "Cost Center": ""}
    assert {entry["AliasName"] for entry in kms.list_aliases(KeyId=KEY)["Aliases"]} == {"alias/one", "alias/deep/two"}
    server.stop()


def test_the_second_start_overwrites_nothing(tmp_path: Path) -> None:
    server = start(tmp_path, FULL)
    kms = clients.kms(server)
    blob = kms.encrypt(KeyId=KEY, Plaintext=b"x")["CiphertextBlob"]
    kms.update_key_description(KeyId=KEY, Description="changed by hand")
    kms.put_key_policy(KeyId=KEY, Policy=POLICY.replace("from the seed", "by hand"))
    kms.tag_resource(KeyId=KEY, Tags=[{"TagKey": "stage", "TagValue": "live"}])
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/one", TargetKeyId=other)

    kms = clients.kms(server.restart())
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["Description"] == "changed by hand"
    assert json.loads(kms.get_key_policy(KeyId=KEY)["Policy"])["Id"] == "by hand"
    assert {"TagKey": "stage", "TagValue": "live"} in kms.list_resource_tags(KeyId=KEY)["Tags"]
    assert kms.describe_key(KeyId="alias/one")["KeyMetadata"]["KeyId"] == other
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    server.stop()


def test_a_longer_seed_adds_what_is_new(tmp_path: Path) -> None:
    server = start(tmp_path, FULL)
    user = clients.sts(server).get_caller_identity()["UserId"]
    server.stop()
    second = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    assert server.seed is not None
    server.seed.write_text(FULL + key_form(EUROPE, second, "alias/second"))
    kms = clients.kms(server.start())
    assert kms.describe_key(KeyId="alias/second")["KeyMetadata"]["KeyId"] == second
    assert clients.sts(server).get_caller_identity()["UserId"] == user
    server.stop()


def test_given_material_makes_ciphertexts_outlive_the_store(tmp_path: Path) -> None:
    seed = f'[[account]]\nid = "{DEVELOPMENT.id}"\n' + key_form(EUROPE, KEY, "alias/app") + f'material = "{MATERIAL}"\n'
    blobs, materials = [], []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        server = start(folder, seed, development=True)
        kms = clients.kms(server, DEVELOPMENT)
        for blob in blobs:
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        blobs.append(kms.encrypt(KeyId="alias/app", Plaintext=b"x")["CiphertextBlob"])
        materials.append(kms.describe_key(KeyId=KEY)["KeyMetadata"]["CurrentKeyMaterialId"])
        server.stop()
    assert materials[0] == materials[1]


def test_material_needs_dev(tmp_path: Path) -> None:
    seed = account_form(ONE) + key_form(EUROPE, KEY, "alias/app") + f'material = "{MATERIAL}"\n'
    with pytest.raises(StartFailed) as failure:
        start(tmp_path, seed)
    assert failure.value.exit_code == EXIT_USAGE, failure.value
    assert "--dev" in failure.value.log
    assert MATERIAL not in failure.value.log


WRONG = {
    "no TOML": "[[account",
    "unknown name": FULL.replace("description", "desciption"),
    "account of 11 digits": FULL.replace(ONE.id, ONE.id[:11], 1),
    "key id that is none": FULL.replace(KEY, "my-key"),
    "alias without prefix": FULL.replace("alias/one", "one"),
    "reserved alias": FULL.replace("alias/one", "alias/aws/one"),
    "spec that is not there yet": FULL.replace("SYMMETRIC_DEFAULT", "RSA_2048"),
    "policy that is none": FULL.replace('"Version"', "Version"),
    "reserved tag": FULL.replace("stage", '"aws:stage"'),
    "region that is none": FULL.replace(EUROPE, "nowhere"),
}


@pytest.mark.parametrize("seed", WRONG.values(), ids=WRONG)
def test_a_wrong_seed_is_told_with_its_place_and_applies_nothing(tmp_path: Path, seed: str) -> None:
    with pytest.raises(StartFailed) as failure:
        start(tmp_path, seed)
    assert failure.value.exit_code == EXIT_USAGE, failure.value
    assert "seed.toml" in failure.value.log
    assert "panicked" not in failure.value.log
    assert ONE.secret_access_key not in failure.value.log


def test_a_seed_that_is_not_there(tmp_path: Path) -> None:
    finished = run_tool(
        "serve",
        "--data-dir",
        str(tmp_path / "data"),
        "--seed",
        str(tmp_path / "none.toml"),
        "--listen",
        "127.0.0.1:0",
        folder=tmp_path,
    )
    assert finished.returncode == EXIT_USAGE, finished
    assert "none.toml" in finished.stderr


def test_several_users_share_an_account(tmp_path: Path) -> None:
    more = """
[[account.user]]
name = "second"
[[account.user.access_key]]
id = "AKIAI44QH8DHBEXAMPLE"
secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
"""
    server = start(tmp_path, account_form(ONE) + more + key_form(EUROPE, KEY, "alias/app"))
    second = clients.client(
        "sts",
        server.endpoint,
        type(ONE)(ONE.id, "AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
        EUROPE,
        (),
    )
    assert second.get_caller_identity()["Arn"] == f"arn:aws:iam::{ONE.id}:user/second"
    assert clients.sts(server).get_caller_identity()["Arn"] == ONE.user_arn
    server.stop()


LOCAL_KMS = """
Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
          Description: "rotated once"
        BackingKeys:
          - 34743777217A25432A46294A404E635266556A586E3272357538782F413F4428
          - 614E645267556B58703273357638792F423F4528472B4B6250655368566D5971
      - Metadata:
          KeyId: 49c5492b-b1bc-42a8-9a5c-b2015e810c1c
        BackingKeys:
          - 5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9
  Asymmetric:
    Ecc:
      - Metadata:
          KeyId: 800d5768-3fd7-4edd-a4b8-4c81c3e4c147
          KeyUsage: SIGN_VERIFY
        PrivateKeyPem: |
          -----BEGIN EC PRIVATE KEY-----
          MHcCAQEEIMnOrUrXr8rwne7d8f01cfwmpS/w+K7jcyWmmeLDgWKaoAoGCCqGSM49
          -----END EC PRIVATE KEY-----
Aliases:
  - AliasName: alias/dev
    TargetKeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
  - AliasName: alias/test
    TargetKeyId: 49c5492b-b1bc-42a8-9a5c-b2015e810c1c
"""


def convert(folder: Path, yaml: str, *options: str) -> Any:
    (folder / "seed.yaml").write_text(yaml)
    return run_tool("seed", "convert", str(folder / "seed.yaml"), *options, folder=folder)


def test_a_seed_of_local_kms_is_converted_and_works(tmp_path: Path) -> None:
    converted = convert(tmp_path, LOCAL_KMS, "--account", DEVELOPMENT.id, "--region", EUROPE)
    assert converted.returncode == 0, converted
    tomllib.loads(converted.stdout)
    assert "800d5768-3fd7-4edd-a4b8-4c81c3e4c147" in converted.stderr, "what is left out is told"
    server = start(tmp_path, converted.stdout, development=True)
    kms = clients.kms(server, DEVELOPMENT)
    metadata = kms.describe_key(KeyId="alias/dev")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Description"]) == ("bc436485-5092-42b8-92a3-0aa8b93536dc", "rotated once")
    both = kms.list_key_rotations(KeyId=metadata["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert len(both) == 2, "both backing keys"
    blob = kms.encrypt(KeyId="alias/test", Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"].endswith("49c5492b-b1bc-42a8-9a5c-b2015e810c1c")
    with refused("NotFoundException"):
        kms.describe_key(KeyId="800d5768-3fd7-4edd-a4b8-4c81c3e4c147")
    server.stop()


@pytest.mark.parametrize("yaml", ["", "Keys: [", "Keys: 5", "- a", "Aliases: []", "a: &a [*a, *a]", "\x00"])
def test_what_is_no_seed_of_local_kms(tmp_path: Path, yaml: str) -> None:
    converted = convert(tmp_path, yaml)
    assert converted.returncode not in (0, 101), converted
    assert converted.stdout == ""
    assert converted.stderr.strip()
