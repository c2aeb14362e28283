"""What clients see who change one thing at the same time can be told as one call after the other."""

import json
import random
import uuid
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.at_once import at_once
from harness.histories import Call, Model, Recorder, is_linearizable
from harness.models import alias_target, grants, key_state, register
from harness.seed import EUROPE, ONE
from harness.server import Server

CLIENTS = 8
CALLS = 40
MISSING = "NotFoundException"
GET, USE, DISABLE = ("get", None), ("use", "Encrypt"), ("switch", "Disable")


def code_or(ask: Callable[[], Hashable]) -> Hashable:
    try:
        return ask()
    except ClientError as error:
        return error.response["Error"]["Code"]


# What is asked, and how.
Question = tuple[Hashable, Callable[[], Hashable]]


def history(server: Server, calls_of: Callable[[Any, random.Random], Question]) -> list[Call]:
    """What clients saw who made calls by chance, the same in each run but for their order."""
    recorder = Recorder()
    many = [
        clients.client("kms", server.endpoint, ONE, EUROPE, (("user_agent_extra", f"history-{number}"),))
        for number in range(CLIENTS)
    ]

    def work(kms: Any, number: int) -> None:
        chance = random.Random(number)
        for _ in range(CALLS):
            asked, ask = calls_of(kms, chance)
            recorder.call(asked, lambda ask=ask: code_or(ask))

    at_once(many, work)
    return recorder.calls


def test_the_state_of_a_key(server: Server, key: str) -> None:
    def calls_of(kms: Any, chance: random.Random) -> Question:
        questions: list[Question] = [
            (("switch", "Enable"), lambda: "done" if kms.enable_key(KeyId=key) else ""),
            (("switch", "Disable"), lambda: "done" if kms.disable_key(KeyId=key) else ""),
            (("get", None), lambda: str(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])),
            (("use", "Encrypt"), lambda: "done" if kms.encrypt(KeyId=key, Plaintext=b"x") else ""),
        ]
        return chance.choice(questions)

    calls = history(server, calls_of)
    assert {call.answered for call in calls} >= {"done", "DisabledException", "Enabled", "Disabled"}
    assert is_linearizable(calls, key_state, "Enabled")


def test_the_target_of_an_alias(server: Server, new_key: Callable[..., str]) -> None:
    keys, alias = [new_key() for _ in range(3)], f"alias/{uuid.uuid4()}"

    def calls_of(kms: Any, chance: random.Random) -> Question:
        def target() -> Hashable:
            found = code_or(lambda: kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
            return "none" if found == MISSING else found

        key = chance.choice(keys)
        calls = {
            "create": lambda: "done" if kms.create_alias(AliasName=alias, TargetKeyId=key) else "",
            "update": lambda: "done" if kms.update_alias(AliasName=alias, TargetKeyId=key) else "",
            "delete": lambda: "done" if kms.delete_alias(AliasName=alias) else "",
            "get": target,
        }
        operation, ask = chance.choice(list(calls.items()))
        return (operation, key if operation in ("create", "update") else None), ask

    calls = history(server, calls_of)
    assert {call.answered for call in calls} >= {"done", MISSING, "AlreadyExistsException", "none"}
    assert is_linearizable(calls, alias_target, "none")


def test_the_policy_of_a_key(server: Server, kms: Any, key: str) -> None:
    first = kms.get_key_policy(KeyId=key)["Policy"]
    policies = [json.dumps(json.loads(first) | {"Id": f"policy-{number}"}) for number in range(4)]

    def calls_of(kms: Any, chance: random.Random) -> Question:
        if chance.random() < 0.4:
            policy = chance.choice(policies)
            return ("put", policy), lambda: "done" if kms.put_key_policy(KeyId=key, Policy=policy) else ""
        return ("get", None), lambda: kms.get_key_policy(KeyId=key)["Policy"]

    assert is_linearizable(history(server, calls_of), register, first)


def test_the_grants_of_a_key(server: Server, key: str) -> None:
    ids: dict[str, str] = {}
    grantee = f"arn:aws:iam::{ONE.id}:root"

    def calls_of(kms: Any, chance: random.Random) -> Question:
        def create(name: str) -> str:
            made = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"], Name=name)
            ids[name] = made["GrantId"]
            return "done"

        def listed() -> frozenset[str]:
            return frozenset(grant["Name"] for grant in kms.list_grants(KeyId=key)["Grants"])

        known = list(ids)
        if known and chance.random() < 0.4:
            name = chance.choice(known)
            return ("revoke", name), lambda: "done" if kms.revoke_grant(KeyId=key, GrantId=ids[name]) else ""
        name = str(uuid.uuid4())
        return (("create", name), lambda: create(name)) if chance.random() < 0.4 else (("get", None), listed)

    assert is_linearizable(history(server, calls_of), grants, frozenset())


def sequence(*parts: tuple[int, int, Hashable, Hashable]) -> list[Call]:
    return [Call(*part) for part in parts]


@pytest.mark.parametrize(
    ("model", "state", "calls", "expected"),
    [
        # Who asks after a change has ended sees it; who asks meanwhile may see either.
        (key_state, "Enabled", sequence((0, 1, DISABLE, "done"), (2, 3, USE, "DisabledException")), True),
        (key_state, "Enabled", sequence((0, 1, DISABLE, "done"), (2, 3, USE, "done")), False),
        (key_state, "Enabled", sequence((0, 5, DISABLE, "done"), (2, 3, USE, "done")), True),
        # What has been seen once is not unseen.
        (
            key_state,
            "Enabled",
            sequence((0, 9, DISABLE, "done"), (1, 2, GET, "Disabled"), (3, 4, GET, "Enabled")),
            False,
        ),
        # One of two who create the same gets it.
        (
            alias_target,
            "none",
            sequence((0, 5, ("create", "a"), "done"), (1, 4, ("create", "b"), "done")),
            False,
        ),
        (
            alias_target,
            "none",
            sequence((0, 5, ("create", "a"), "done"), (1, 4, ("create", "b"), "AlreadyExistsException")),
            True,
        ),
        # A write that others have read cannot be lost.
        (
            register,
            "x",
            sequence((0, 1, ("put", "y"), "done"), (2, 3, GET, "y"), (4, 5, GET, "x")),
            False,
        ),
        (grants, frozenset(), sequence((0, 1, ("create", "g"), "done"), (2, 3, GET, frozenset())), False),
        (grants, frozenset(), sequence((0, 3, ("create", "g"), "done"), (2, 3, GET, frozenset())), True),
    ],
)
def test_the_checker_tells_what_cannot_be(model: Model, state: Hashable, calls: list[Call], expected: bool) -> None:
    assert is_linearizable(calls, model, state) is expected
