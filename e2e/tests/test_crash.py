"""kill -9 at random moments of a write load: nothing acknowledged is lost, nothing is half there."""

import itertools
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.polling import eventually
from harness.server import Server

SEED = 20_141_101
ROUNDS = 6
WRITERS = 8


@dataclass
class Acknowledged:
    """What the server said is done. Each writer has its own keys, so nobody else changes them."""

    keys: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    lock: threading.Lock = field(default_factory=threading.Lock)
    calls: int = 0


def write(server: Server, acknowledged: Acknowledged, writer: int, stop: threading.Event) -> None:
    """Writes until the server goes away. What is under way when it dies may be there or not."""
    kms = clients.kms(server)

    def done(key: str, **facts: Any) -> None:
        with acknowledged.lock:
            acknowledged.keys[key].update(facts)
            acknowledged.calls += 1

    try:
        for number in itertools.count():
            if stop.is_set():
                return
            description = f"writer {writer} number {number}"
            tags = [{"TagKey": f"at creation {part}", "TagValue": description} for part in range(5)]
            key = kms.create_key(Description=description, Tags=tags)["KeyMetadata"]["KeyId"]
            done(key, description=description, tags={tag["TagKey"]: tag["TagValue"] for tag in tags})
            alias = f"alias/{uuid.uuid4()}"
            kms.create_alias(AliasName=alias, TargetKeyId=key)
            done(key, alias=alias)
            more = [{"TagKey": f"later {part}", "TagValue": description} for part in range(5)]
            kms.tag_resource(KeyId=key, Tags=more)
            done(key, later={tag["TagKey"]: tag["TagValue"] for tag in more})
            policy = kms.get_key_policy(KeyId=key)["Policy"].replace("key-default-1", description)
            kms.put_key_policy(KeyId=key, Policy=policy)
            done(key, policy=policy)
            blob = kms.encrypt(KeyId=key, Plaintext=description.encode())["CiphertextBlob"]
            done(key, blob=blob)
            kms.rotate_key_on_demand(KeyId=key)
            done(key, rotated=True)
            kms.disable_key(KeyId=key)
            done(key, disabled=True)
    except (ClientError, BotoCoreError) as failure:
        assert not isinstance(failure, ClientError), failure.response
        return


def assert_whole(kms: Any, key: str, facts: dict[str, Any]) -> None:
    """Everything acknowledged about a key is there, and what is there is whole."""
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["Description"] == facts["description"]
    tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}
    assert facts["tags"].items() <= tags.items()
    assert facts.get("later", {}).items() <= tags.items()
    assert len(tags) in (5, 10), f"half a TagResource on {key}"
    if "alias" in facts:
        assert kms.describe_key(KeyId=facts["alias"])["KeyMetadata"]["KeyId"] == key
    if "policy" in facts:
        assert kms.get_key_policy(KeyId=key)["Policy"] == facts["policy"]
    if "rotated" in facts:
        assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 1
    if "disabled" in facts:
        assert metadata["KeyState"] == "Disabled"
        kms.enable_key(KeyId=key)
    if "blob" in facts:
        if metadata["KeyState"] == "Disabled" and "disabled" not in facts:
            kms.enable_key(KeyId=key)  # the unacknowledged change was done all the same
        assert kms.decrypt(CiphertextBlob=facts["blob"])["Plaintext"] == facts["description"].encode()


def assert_consistent(kms: Any) -> None:
    """Whatever is listed can be read: no key without its parts, no alias without its key."""
    keys = {entry["KeyId"] for page in kms.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    for key in keys:
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
        assert len(kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]) in (1, 2)
    for page in kms.get_paginator("list_aliases").paginate():
        for entry in page["Aliases"]:
            # The aliases of AWS managed keys are listed before their keys exist.
            assert entry["AliasName"].startswith("alias/aws/") or entry["TargetKeyId"] in keys


def load(server: Server, acknowledged: Acknowledged, moment: float, end: Callable[[], None]) -> None:
    """Writers at work; `moment` seconds after the first of them made a key, the end."""
    stop = threading.Event()
    already = len(acknowledged.keys)
    writers = [
        threading.Thread(target=write, args=(server, acknowledged, number, stop), daemon=True)
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    eventually(lambda: len(acknowledged.keys) > already, "a first key")
    time.sleep(moment)  # the moment of the crash is the test's input, not a wait for something
    end()
    stop.set()
    for writer in writers:
        writer.join(timeout=30)
        assert not writer.is_alive()


@pytest.mark.timeout(240)
def test_what_was_acknowledged_survives(fresh_server: Server, report: Callable[[str], None]) -> None:
    randomness = random.Random(SEED)
    acknowledged = Acknowledged()
    for number in range(ROUNDS):
        already = len(acknowledged.keys)
        load(fresh_server, acknowledged, randomness.uniform(0.2, 2.5), fresh_server.kill)
        kms = clients.kms(fresh_server.start())
        for key, facts in acknowledged.keys.items():
            assert_whole(kms, key, facts)
        assert_consistent(kms)
        assert len(acknowledged.keys) > already, f"no key was made in round {number}"
        # What was looked at stays as the look left it.
        for facts in acknowledged.keys.values():
            facts.pop("disabled", None)
    report(f"{ROUNDS} crashes, {acknowledged.calls} acknowledged writes, {len(acknowledged.keys)} keys: all there")


def test_a_termination_under_load_ends_in_order(fresh_server: Server) -> None:
    acknowledged = Acknowledged()
    load(fresh_server, acknowledged, 0.5, fresh_server.stop)
    kms = clients.kms(fresh_server.start())
    for key, facts in acknowledged.keys.items():
        assert_whole(kms, key, facts)


def test_a_start_tells_whether_the_last_run_ended_in_order(fresh_server: Server) -> None:
    told = "the last run did not end in order"
    assert told not in fresh_server.output
    fresh_server.kill()
    assert told in fresh_server.start().output
    assert told not in fresh_server.restart().output


def test_a_crash_while_starting(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    fresh_server.stop()
    randomness = random.Random(SEED)
    for _ in range(10):
        fresh_server.launch(fresh_server.port)
        time.sleep(randomness.uniform(0.0, 0.1))  # as above
        fresh_server.kill()
    assert clients.kms(fresh_server.start()).decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_crash_during_the_first_start(tmp_path: Any) -> None:
    # Whatever a first start left behind, the next one makes a working server of it.
    randomness = random.Random(SEED)
    for number in range(15):
        folder = tmp_path / str(number)
        folder.mkdir()
        server = Server(folder)
        server.launch(port=0)
        time.sleep(randomness.uniform(0.0, 0.15))  # as above
        server.kill()
        assert clients.kms(server.start()).create_key()["KeyMetadata"]["Enabled"]
        server.stop()
