"""When a key was last used, through boto3.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import clients, dev_clock, trail
from harness.expect import refused
from harness.seed import DEVELOPMENT, SEEDED_KEY
from harness.server import Server


def last_use(kms: Any, key: str) -> dict[str, Any]:
    return kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]


def test_a_new_key_was_never_used(kms: Any) -> None:
    created = kms.create_key()["KeyMetadata"]
    answer = kms.get_key_last_usage(KeyId=created["Arn"])
    assert answer["KeyId"] == created["KeyId"]
    assert answer["KeyLastUsage"] == {}
    assert answer["KeyCreationDate"] == answer["TrackingStartDate"] == created["CreationDate"]


def test_the_last_successful_use_is_told_with_its_request(server: Server, kms: Any, key: str) -> None:
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")
    assert last_use(kms, key)["Operation"] == "Encrypt"
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
    told = last_use(kms, key)
    assert told["Operation"] == "Decrypt"
    assert told["KmsRequestId"] == opened["ResponseMetadata"]["RequestId"]
    assert told["CloudTrailEventId"] == trail.event_of(server, opened)["eventID"]
    assert abs(told["Timestamp"] - datetime.now(UTC)) < timedelta(minutes=1)
    with refused("DryRunOperationException"):
        kms.encrypt(KeyId=key, Plaintext=b"secret", DryRun=True)
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert last_use(kms, key) == told


def test_re_encrypt_uses_both_keys(server: Server, kms: Any, key: str) -> None:
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    again = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    for used in (key, other):
        assert last_use(kms, used)["Operation"] == "ReEncrypt"
        assert last_use(kms, used)["KmsRequestId"] == again["ResponseMetadata"]["RequestId"]
        assert last_use(kms, used)["CloudTrailEventId"] == trail.event_of(server, again)["eventID"]


def test_the_last_use_survives_a_restart(tmp_path: Path) -> None:
    server = Server(tmp_path)
    kms = clients.kms(server.start())
    sealed = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"secret")
    told = kms.get_key_last_usage(KeyId=SEEDED_KEY)
    server.stop()
    kms = clients.kms(server.start())
    again = kms.get_key_last_usage(KeyId=SEEDED_KEY)
    server.stop()
    for answer in (told, again):
        del answer["ResponseMetadata"]
    assert again == told
    assert again["KeyLastUsage"]["Operation"] == "Encrypt"
    assert again["KeyLastUsage"]["CloudTrailEventId"] == trail.event_of(server, sealed)["eventID"]


def test_a_kill_forgets_only_what_was_used_in_the_last_minutes(tmp_path: Path) -> None:
    server = Server(tmp_path, development=True)
    kms = clients.kms(server.start())
    kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"secret")
    told = last_use(kms, SEEDED_KEY)
    # Five minutes pass. What has waited for so long is written before the clock answers.
    dev_clock.advance(server, timedelta(minutes=5))
    kms.generate_data_key(KeyId=SEEDED_KEY, KeySpec="AES_256")
    assert last_use(kms, SEEDED_KEY)["Operation"] == "GenerateDataKey"
    server.kill()
    kms = clients.kms(server.start())
    assert last_use(kms, SEEDED_KEY) == told
    server.stop()


def test_a_key_policy_keeps_keys_that_were_used_lately(dev_server: Server, dev_kms: Any) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html (kms:TrailingDaysWithoutKeyUsage)"""
    root = {"AWS": f"arn:aws:iam::{DEVELOPMENT.id}:root"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
                "Resource": "*",
                "Condition": {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "90"}},
            },
        ],
    }
    key = dev_kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["KeyId"]
    dev_kms.encrypt(KeyId=key, Plaintext=b"secret")
    dev_clock.advance(dev_server, timedelta(days=89))
    with refused("AccessDeniedException"):
        dev_kms.disable_key(KeyId=key)
    with refused("AccessDeniedException"):
        dev_kms.schedule_key_deletion(KeyId=key)
    dev_clock.advance(dev_server, timedelta(days=1))
    dev_kms.disable_key(KeyId=key)
    dev_kms.schedule_key_deletion(KeyId=key)
