"""What one run wrote, the next run reads; keys above the keys can be changed without touching a ciphertext."""

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import AMERICA, EUROPE, ONE, SEEDED_KEY
from harness.server import EXIT_ROOT, Server, StartFailed, run_tool

PASSPHRASE, NEW_PASSPHRASE = "correct horse battery staple", "another horse, another battery"


def build_up(kms: Any) -> dict[str, Any]:
    """A key with everything that a key can have; what must be found again."""
    arn = kms.create_key(Description="to be found again", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["Arn"]
    alias = f"alias/{uuid.uuid4()}"
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    policy = json.loads(kms.get_key_policy(KeyId=arn)["Policy"]) | {"Id": "changed"}
    kms.put_key_policy(KeyId=arn, Policy=json.dumps(policy))
    kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=100)
    blobs = []
    for number in range(3):
        blobs.append(
            kms.encrypt(KeyId=alias, Plaintext=b"%d" % number, EncryptionContext={"n": str(number)})["CiphertextBlob"]
        )
        kms.rotate_key_on_demand(KeyId=arn)
    disabled = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=disabled)
    scheduled = kms.create_key()["KeyMetadata"]["Arn"]
    kms.schedule_key_deletion(KeyId=scheduled, PendingWindowInDays=9)
    return {"arn": arn, "alias": alias, "blobs": blobs, "all": [arn, disabled, scheduled]}


def picture(kms: Any, built: dict[str, Any]) -> Any:
    """All that can be read about the keys."""

    def bare(answer: Any) -> Any:
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    return [
        [
            bare(kms.describe_key(KeyId=arn)),
            bare(kms.get_key_policy(KeyId=arn)),
            bare(kms.list_resource_tags(KeyId=arn)),
            bare(kms.list_aliases(KeyId=arn)),
            bare(kms.get_key_rotation_status(KeyId=arn)),
            bare(kms.list_key_rotations(KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL")),
        ]
        for arn in built["all"]
    ]


def assert_decrypts(kms: Any, built: dict[str, Any]) -> None:
    for number, blob in enumerate(built["blobs"]):
        decrypted = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"n": str(number)})
        assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"%d" % number, built["arn"])


def test_run_two_finds_what_run_one_wrote(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    built = build_up(kms)
    before = picture(kms, built)
    user = clients.sts(fresh_server).get_caller_identity()["UserId"]
    for _ in range(2):
        kms = clients.kms(fresh_server.restart())
        assert picture(kms, built) == before
        assert_decrypts(kms, built)
        assert clients.sts(fresh_server).get_caller_identity()["UserId"] == user


def test_a_marker_of_run_one_works_in_run_two(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    for _ in range(4):
        kms.create_key()
    first = kms.list_keys(Limit=2)
    kms = clients.kms(fresh_server.restart())
    rest = kms.list_keys(Marker=first["NextMarker"])
    assert len({entry["KeyId"] for entry in first["Keys"] + rest["Keys"]}) == 5


@pytest.fixture
def guarded(tmp_path: Path) -> Server:
    """A server whose root is a passphrase, not started."""
    return Server(tmp_path, environment={"KEYWRIGHT_PASSPHRASE": PASSPHRASE})


def test_a_passphrase_guards_the_data(guarded: Server) -> None:
    built = build_up(clients.kms(guarded.start()))
    guarded.stop()
    for path in guarded.data.rglob("*"):
        if path.is_file():
            assert PASSPHRASE.encode() not in path.read_bytes()
    for environment in ({"KEYWRIGHT_PASSPHRASE": "wrong"}, {}):
        with pytest.raises(StartFailed) as failure:
            Server(guarded.folder, environment=environment).start()
        assert failure.value.exit_code == EXIT_ROOT, failure.value
    assert_decrypts(clients.kms(guarded.start()), built)
    guarded.stop()


def test_a_changed_passphrase(guarded: Server) -> None:
    built = build_up(clients.kms(guarded.start()))
    guarded.stop()
    old_file, new_file = guarded.folder / "old", guarded.folder / "new"
    for file, text in ((old_file, PASSPHRASE), (new_file, NEW_PASSPHRASE)):
        file.write_text(text)
        file.chmod(0o600)
    changed = run_tool(
        "root", "change-passphrase", "--data-dir", str(guarded.data), "--new-passphrase-file", str(new_file),
        folder=guarded.folder, environment={"KEYWRIGHT_PASSPHRASE": PASSPHRASE},
    )  # fmt: skip
    assert changed.returncode == 0, changed
    assert NEW_PASSPHRASE not in changed.stdout + changed.stderr
    with pytest.raises(StartFailed) as failure:
        guarded.start()
    assert failure.value.exit_code == EXIT_ROOT, failure.value
    guarded.environment = {"KEYWRIGHT_PASSPHRASE": NEW_PASSPHRASE}
    assert_decrypts(clients.kms(guarded.start()), built)
    guarded.stop()


def test_a_rotated_domain_key(guarded: Server) -> None:
    built = build_up(clients.kms(guarded.start()))
    guarded.stop()
    for _ in range(2):
        rotated = run_tool(
            "domain-key", "rotate", "--region", EUROPE, "--data-dir", str(guarded.data), folder=guarded.folder,
            environment=guarded.environment,
        )  # fmt: skip
        assert rotated.returncode == 0, rotated
    kms = clients.kms(guarded.start())
    assert_decrypts(kms, built)
    assert kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["KeyId"] == ONE.key_arn(SEEDED_KEY)
    later = build_up(kms)
    assert_decrypts(clients.kms(guarded.restart()), later)
    guarded.stop()


def test_a_key_that_nobody_can_open_any_more_is_opened_by_its_operator(guarded: Server) -> None:
    kms = clients.kms(guarded.start())
    built = build_up(kms)
    statement = {"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Action": "kms:Encrypt", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    kms.put_key_policy(KeyId=SEEDED_KEY, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException"):
        kms.put_key_policy(KeyId=SEEDED_KEY, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    guarded.stop()

    def reset(key: str) -> subprocess.CompletedProcess[str]:
        return run_tool(
            "key-policy", "reset", "--key", key, "--data-dir", str(guarded.data), folder=guarded.folder,
            environment=guarded.environment,
        )  # fmt: skip

    for other in (ONE.key_arn(SEEDED_KEY, AMERICA), SEEDED_KEY):
        failed = reset(other)
        assert (failed.returncode, failed.stdout) == (2, ""), failed
    done = reset(ONE.key_arn(SEEDED_KEY))
    assert done.returncode == 0, done
    kms = clients.kms(guarded.start())
    assert "key-default-1" in kms.get_key_policy(KeyId=SEEDED_KEY)["Policy"]
    assert_decrypts(kms, built)
    guarded.stop()


def test_nothing_readable_lies_in_the_folder(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    plaintext = b"plaintext that must not lie about on the disk"
    kms.encrypt(KeyId=SEEDED_KEY, Plaintext=plaintext)
    data_key = kms.generate_data_key(KeyId=SEEDED_KEY, NumberOfBytes=64)["Plaintext"]
    fresh_server.stop()
    for path in fresh_server.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert plaintext not in content
            assert data_key not in content
            assert path.name == "aws-profile" or ONE.secret_access_key.encode() not in content, path


def is_closed_in_order(server: Server) -> bool:
    """What the header of redb's file says: nine bytes of magic, then flags, of which 2 asks for a recovery."""
    return not (server.data / "keywright.redb").read_bytes()[9] & 2


def test_a_stop_closes_the_store_in_order_so_that_no_start_has_to_verify_all_of_it(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    try:
        key = clients.kms(server).create_key()["KeyMetadata"]["Arn"]
        for _ in range(3):
            assert not is_closed_in_order(server)
            server.stop()
            assert is_closed_in_order(server)
            server.start()
        server.kill()
        assert not is_closed_in_order(server)
        server.start()
        assert clients.kms(server).describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    finally:
        server.close()
