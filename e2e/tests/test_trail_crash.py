"""kill -9 in the middle of calls: whatever a client was told is in the log, and so is every change, once."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients, trail
from harness.callers import new_user
from harness.iam import allow, document
from harness.polling import eventually
from harness.seed import ONE, SEEDED_KEY, Account
from harness.server import Server

SEED = 20_141_102
ROUNDS = 4
WORKERS_OF_A_KIND = 2
KINDS = {
    ("Encrypt", None), ("Encrypt", "AccessDeniedException"), ("CreateKey", None), ("PutKeyPolicy", None),
    ("CreateUser", None),
}  # fmt: skip


@dataclass
class Told:
    """What clients were told: the operation and the error's code of each request."""

    answers: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, answer: dict[str, Any]) -> None:
        code = answer["Error"]["Code"] if "Error" in answer else None
        with self.lock:
            self.answers[answer["ResponseMetadata"]["RequestId"]] = (operation, code)


@dataclass(frozen=True)
class Load:
    """Calls of every kind, without end."""

    server: Server
    powerless: Account
    told: Told

    def kinds(self) -> list[Callable[[int], tuple[str, dict[str, Any]]]]:
        return [self.use, self.create, self.put_policy, self.be_denied, self.create_user]

    def use(self, _: int) -> tuple[str, dict[str, Any]]:
        return "Encrypt", clients.kms(self.server).encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")

    def create(self, number: int) -> tuple[str, dict[str, Any]]:
        return "CreateKey", clients.kms(self.server).create_key(Description=f"number {number}")

    def put_policy(self, _: int) -> tuple[str, dict[str, Any]]:
        return "PutKeyPolicy", clients.kms(self.server).put_key_policy(KeyId=SEEDED_KEY, Policy=unique_policy())

    def be_denied(self, _: int) -> tuple[str, dict[str, Any]]:
        with pytest.raises(ClientError) as denied:
            clients.kms(self.server, self.powerless).encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")
        return "Encrypt", denied.value.response

    def create_user(self, _: int) -> tuple[str, dict[str, Any]]:
        return "CreateUser", clients.iam(self.server).create_user(UserName=f"user-{next(NUMBERS)}")

    def work(self, call: Callable[[int], tuple[str, dict[str, Any]]]) -> None:
        """Calls until the server is gone."""
        for number in itertools.count():
            try:
                self.told.note(*call(number))
            except BotoCoreError:
                return

    def until(self, moment: float) -> None:
        """All at work at once; `moment` seconds after this round's first answers of every kind, the end."""
        already = len(self.told.answers)
        calls = [call for call in self.kinds() for _ in range(WORKERS_OF_A_KIND)]
        workers = [threading.Thread(target=self.work, args=(call,), daemon=True) for call in calls]
        for worker in workers:
            worker.start()
        eventually(lambda: set(list(self.told.answers.values())[already:]) >= KINDS, "answers of every kind")
        time.sleep(moment)  # the moment of the crash is the test's input, not a wait for something
        self.server.kill()
        for worker in workers:
            worker.join(timeout=30)
            assert not worker.is_alive()


NUMBERS = itertools.count()


def unique_policy() -> str:
    statement = allow("kms:*", Sid=f"Number{next(NUMBERS)}")
    return document(statement | {"Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"}})


@pytest.mark.timeout(120)
def test_what_a_client_was_told_is_in_the_log(fresh_server: Server, report: Callable[[str], None]) -> None:
    randomness, told = random.Random(SEED), Told()
    powerless = new_user(fresh_server, "powerless").account
    for _ in range(ROUNDS):
        Load(fresh_server, powerless, told).until(randomness.uniform(0.1, 0.8))
        fresh_server.start()
        # What the crash left in the outbox is logged within a second.
        eventually(lambda: not untold(fresh_server), "the events of all that is there")
        assert_told(fresh_server, told)
        assert_changes(fresh_server)
        trail.assert_chain(fresh_server)
    report(f"{ROUNDS} crashes, {len(told.answers)} answers: all in the log")


def assert_told(server: Server, told: Told) -> None:
    logged = {event["requestID"]: event for event in trail.events(server) if "requestID" in event}
    for request, (operation, code) in told.answers.items():
        assert request in logged, f"{operation} was answered with {code or 'success'} and is not in the log"
        expected = None if code is None else code.removesuffix("Exception")
        assert (logged[request]["eventName"], logged[request].get("errorCode")) == (operation, expected)


def made(server: Server) -> Counter[tuple[str, str]]:
    """How many events tell that each thing was made."""
    return Counter(
        (event["eventName"], resource["ARN"])
        for event in trail.events(server) for resource in event.get("resources", [])
        if event["eventName"] in ("CreateKey", "CreateUser") and "errorCode" not in event
    )  # fmt: skip


def there(server: Server) -> set[tuple[str, str]]:
    """What is there, with the event that it must have."""
    kms, iam = clients.kms(server).get_paginator("list_keys"), clients.iam(server).get_paginator("list_users")
    keys = {("CreateKey", key["KeyArn"]) for page in kms.paginate() for key in page["Keys"]}
    return keys | {("CreateUser", user["Arn"]) for page in iam.paginate() for user in page["Users"]}


def untold(server: Server) -> set[tuple[str, str]]:
    return there(server) - made(server).keys()


def assert_changes(server: Server) -> None:
    """Each thing that is there has the one event that made it, whether or not a client was told."""
    ids = Counter(event["eventID"] for event in trail.events(server))
    assert set(ids.values()) == {1}, "an event is there twice"
    counts = made(server)
    assert {what: counts[what] for what in there(server)} == dict.fromkeys(there(server), 1)
    policy = clients.kms(server).get_key_policy(KeyId=SEEDED_KEY)["Policy"]
    if "Number" in policy:
        put = [event["requestParameters"]["policy"] for event in trail.events(server, eventName="PutKeyPolicy")]
        assert [json.loads(text) for text in put].count(json.loads(policy)) == 1
