"""32 clients at once, on one key and on 1,000 keys: no error, no lost update."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.at_once import at_once
from harness.expect import refused
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import Server

CLIENTS = 32


@pytest.fixture
def many(server: Server) -> list[Any]:
    """32 boto3 clients, each with its own connections."""
    return [
        clients.client("kms", server.endpoint, ONE, EUROPE, (("user_agent_extra", f"client-{n}"),))
        for n in range(CLIENTS)
    ]


def test_encryption_on_one_key(many: list[Any]) -> None:
    def work(kms: Any, number: int) -> None:
        for turn in range(20):
            plaintext = f"{number}/{turn}".encode()
            context = {"client": str(number)}
            blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
            assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext

    at_once(many, work)


@pytest.mark.timeout(240)
def test_a_thousand_keys(many: list[Any]) -> None:
    made = at_once(
        many, lambda kms, number: [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(1000 // CLIENTS + 1)]
    )
    keys = [key for part in made for key in part]
    assert len(set(keys)) == len(keys) >= 1000

    def work(kms: Any, number: int) -> None:
        for turn in range(40):
            key = keys[(number * 131 + turn * 977) % len(keys)]
            blob = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
            opened = kms.decrypt(KeyId=key, CiphertextBlob=blob["CiphertextBlob"])
            assert opened["Plaintext"] == blob["Plaintext"]

    at_once(many, work)
    listed = {entry["KeyId"] for page in many[0].get_paginator("list_keys").paginate() for entry in page["Keys"]}
    assert set(keys) <= listed


def test_no_tag_is_lost(many: list[Any], key: str) -> None:
    at_once(many, lambda kms, number: kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"tag {number}", "TagValue": "x"}]))
    page = many[0].list_resource_tags(KeyId=key)
    assert {entry["TagKey"] for entry in page["Tags"]} == {f"tag {number}" for number in range(CLIENTS)}
    at_once(many, lambda kms, number: kms.untag_resource(KeyId=key, TagKeys=[f"tag {number}"]))
    assert many[0].list_resource_tags(KeyId=key)["Tags"] == []


def test_changes_of_different_kinds_on_one_key_do_not_undo_each_other(many: list[Any], key: str) -> None:
    policy = many[0].get_key_policy(KeyId=key)["Policy"].replace("key-default-1", "changed")
    kinds: list[Callable[[Any, int], Any]] = [
        lambda kms, number: kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"tag {number}", "TagValue": "x"}]),
        lambda kms, number: kms.create_alias(AliasName=f"alias/{uuid.uuid4()}", TargetKeyId=key),
        lambda kms, number: kms.update_key_description(KeyId=key, Description="changed"),
        lambda kms, number: kms.put_key_policy(KeyId=key, Policy=policy),
        lambda kms, number: kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=123),
        lambda kms, number: kms.rotate_key_on_demand(KeyId=key),
        lambda kms, number: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda kms, number: kms.describe_key(KeyId=key),
    ]
    at_once(many, lambda kms, number: kinds[number % len(kinds)](kms, number))
    kms, each = many[0], CLIENTS // len(kinds)
    assert len(kms.list_resource_tags(KeyId=key)["Tags"]) == each
    assert len(kms.list_aliases(KeyId=key)["Aliases"]) == each
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "changed"
    assert kms.get_key_policy(KeyId=key)["Policy"] == policy
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 123
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == each


def test_one_of_many_gets_the_alias(many: list[Any], key: str) -> None:
    alias = f"alias/{uuid.uuid4()}"

    def work(kms: Any, number: int) -> bool:
        try:
            kms.create_alias(AliasName=alias, TargetKeyId=key)
            return True
        except kms.exceptions.AlreadyExistsException:
            return False

    assert at_once(many, work).count(True) == 1


def test_limits_hold_under_contention(many: list[Any], key: str) -> None:
    # 50 tags and 50 aliases a key, however many ask at the same time.
    def work(kms: Any, number: int) -> tuple[int, int]:
        tags = aliases = 0
        for turn in range(3):
            try:
                kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"{number}/{turn}", "TagValue": ""}])
                tags += 1
            except kms.exceptions.TagException:
                pass
            try:
                kms.create_alias(AliasName=f"alias/{uuid.uuid4()}", TargetKeyId=key)
                aliases += 1
            except kms.exceptions.LimitExceededException:
                pass
        return tags, aliases

    done = at_once(many, work)
    assert (sum(tags for tags, _ in done), sum(aliases for _, aliases in done)) == (50, 50)
    assert len(many[0].list_resource_tags(KeyId=key, Limit=50)["Tags"]) == 50
    assert len(many[0].list_aliases(KeyId=key, Limit=100)["Aliases"]) == 50


def test_what_a_call_returned_the_next_call_sees(many: list[Any], key: str) -> None:
    # Writes of one client are seen by another one at once.
    writer, reader = many[0], many[1]
    for number in range(50):
        writer.update_key_description(KeyId=key, Description=str(number))
        assert reader.describe_key(KeyId=key)["KeyMetadata"]["Description"] == str(number)
        writer.disable_key(KeyId=key)
        with refused("DisabledException", f"{key} is disabled."):
            reader.encrypt(KeyId=key, Plaintext=b"x")
        writer.enable_key(KeyId=key)
        reader.encrypt(KeyId=key, Plaintext=b"x")


def test_a_disabled_key_encrypts_for_nobody(many: list[Any], key: str) -> None:
    # While it is switched on and off each call succeeds or says that it is disabled; after the last one, none succeeds.
    def work(kms: Any, number: int) -> None:
        for _ in range(10):
            if number == 0:
                kms.enable_key(KeyId=key)
                kms.disable_key(KeyId=key)
            else:
                try:
                    kms.encrypt(KeyId=key, Plaintext=b"x")
                except kms.exceptions.DisabledException:
                    pass

    at_once(many, work)
    for kms in many:
        with refused("DisabledException", f"{key} is disabled."):
            kms.encrypt(KeyId=key, Plaintext=b"x")


def niceness_of_threads(pid: int, name: str) -> set[int]:
    """How far the threads of this name stand back, as proc(5) tells."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        if (thread / "comm").read_text().strip() == name:
            found.add(int((thread / "stat").read_text().rpartition(")")[2].split()[16]))
    return found


def test_key_pairs_are_made_on_threads_that_let_others_go_first(server: Server) -> None:
    key = clients.kms(server).create_key()["KeyMetadata"]["KeyId"]
    clients.kms(server).generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="RSA_2048")
    (usual,) = niceness_of_threads(server.pid, "tokio-rt-worker")
    assert niceness_of_threads(server.pid, "low-priority") == {min(usual + 10, 19)}
    assert usual < 19
