"""Little memory, and none: under load it answers or refuses; an end for want of memory loses nothing that was answered.

Source: getrlimit(2), RLIMIT_DATA: what a process allocates counts, whether it uses it or not.
"""

import os
import resource
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients, trail
from harness.backups import assert_trail
from harness.buckets import new_bucket
from harness.seed import EUROPE, ONE, SEEDED_KEY
from harness.server import Server

MIB = 1_048_576
# A stack and hardly more.
THREAD = 2 * MIB + 8_192
CALLERS = 24
OBJECT = os.urandom(MIB)


@dataclass
class Answered:
    """What clients were told."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: list[dict[str, Any]] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0


def make_key(server: Server, answered: Answered, _: str) -> None:
    made = clients.kms(server).create_key()
    with answered.lock:
        answered.keys.append(made)


def make_pair(server: Server, _: Answered, __: str) -> None:
    clients.kms(server).generate_data_key_pair(KeyId=SEEDED_KEY, KeyPairSpec="RSA_2048")


def put(server: Server, answered: Answered, name: str) -> None:
    clients.client("s3", server.endpoint, ONE, EUROPE, ()).put_object(
        Bucket=name.split("/")[0], Key=name, Body=OBJECT
    )
    with answered.lock:
        answered.objects.append(name)


def load(server: Server, bucket: str, answered: Answered, calls: int, callers: int = CALLERS) -> None:
    """Keys, key pairs and objects at the same time, by so many callers."""

    def call(number: int, one: Callable[[Server, Answered, str], None]) -> None:
        try:
            one(server, answered, f"{bucket}/{len(answered.objects)}/{number}")
        except ClientError as refused:
            with answered.lock:
                answered.refusals[refused.response["Error"]["Code"]] += 1
        except BotoCoreError:
            with answered.lock:
                answered.unanswered += 1

    with ThreadPoolExecutor(callers) as threads:
        for number in range(calls):
            threads.submit(call, number, (make_key, make_pair, put)[number % 3])


def limit_to(server: Server, more: int) -> None:
    """The process may allocate so many bytes more than it has by now."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    # None of a process that has just ended.
    for kib in [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:")]:
        resource.prlimit(server.pid, resource.RLIMIT_DATA, (kib * 1_024 + more, resource.RLIM_INFINITY))


def assert_all_there(server: Server, bucket: str, answered: Answered) -> None:
    for made in answered.keys:
        assert clients.kms(server).describe_key(KeyId=made["KeyMetadata"]["KeyId"])["KeyMetadata"]["Enabled"]
        assert trail.event_of(server, made)["eventName"] == "CreateKey"
    s3 = clients.s3(server)
    listed = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}
    assert set(answered.objects) <= listed
    for name in listed:
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == OBJECT, "whole or not there"
    trail.assert_chain(server)


def test_a_load_within_a_limit_is_answered_or_told_to_come_again(fresh_server: Server) -> None:
    bucket, answered = new_bucket(clients.s3(fresh_server)), Answered()
    limit_to(fresh_server, 96 * MIB)
    load(fresh_server, bucket, answered, calls=3 * CALLERS)
    assert not fresh_server.has_ended() and answered.unanswered == 0
    assert set(answered.refusals) <= {"ThrottlingException"}, answered.refusals
    assert answered.keys and answered.objects
    assert_all_there(fresh_server, bucket, answered)


def test_a_service_that_ends_for_want_of_memory_has_lost_nothing(fresh_server: Server) -> None:
    bucket, answered = new_bucket(clients.s3(fresh_server)), Answered()
    load(fresh_server, bucket, answered, calls=6, callers=1)
    # For no more; for a thread that finds no room for its own; not even for that.
    for more in (0, THREAD, -MIB):
        limit_to(fresh_server, more)
        load(fresh_server, bucket, answered, calls=CALLERS // 2)
        if fresh_server.has_ended():
            break
    # As the system ends such a story, if the process has not come to it by itself.
    process = fresh_server.take_process()
    process.kill()
    process.wait()
    assert answered.keys and answered.objects
    fresh_server.start()
    assert "the last run did not end in order" in fresh_server.output
    assert_all_there(fresh_server, bucket, answered)
    fresh_server.stop()
    assert_trail(fresh_server)
