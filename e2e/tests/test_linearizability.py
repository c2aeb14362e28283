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
from harness.seed import EUROPE, ONE
from harness.server import Server

CLIENTS = 8
CALLS = 40
MISSING = "NotFoundException"


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


def key_state(state: str, asked: Hashable, answered: Hashable) -> str | None:
    match asked:
        case "enable" | "disable":
            return f"{asked}d" if answered == "done" else None
        case "describe":
            return state if answered == state else None
        case _:
            return state if answered == ("done" if state == "enabled" else "DisabledException") else None


def test_the_state_of_a_key(server: Server, key: str) -> None:
    def calls_of(kms: Any, chance: random.Random) -> Question:
        def describe() -> str:
            return str(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]).lower()

        def encrypt() -> str:
            return "done" if kms.encrypt(KeyId=key, Plaintext=b"x") else ""

        calls = {
            "enable": lambda: "done" if kms.enable_key(KeyId=key) else "",
            "disable": lambda: "done" if kms.disable_key(KeyId=key) else "",
            "describe": describe,
            "encrypt": encrypt,
        }
        return chance.choice(list(calls.items()))

    calls = history(server, calls_of)
    assert {call.answered for call in calls} >= {"done", "DisabledException", "enabled", "disabled"}
    assert is_linearizable(calls, key_state, "enabled")


def alias_target(target: str, asked: Any, answered: Hashable) -> str | None:
    operation, key = asked
    is_there = target != "none"
    match operation:
        case "create":
            right = "AlreadyExistsException" if is_there else "done"
            return (target if is_there else key) if answered == right else None
        case "update":
            return (key if is_there else target) if answered == ("done" if is_there else MISSING) else None
        case "delete":
            return "none" if answered == ("done" if is_there else MISSING) else None
        case _:
            return target if answered == (target if is_there else MISSING) else None


def test_the_target_of_an_alias(server: Server, new_key: Callable[..., str]) -> None:
    keys, alias = [new_key() for _ in range(3)], f"alias/{uuid.uuid4()}"

    def calls_of(kms: Any, chance: random.Random) -> Question:
        key = chance.choice(keys)
        calls = {
            "create": lambda: "done" if kms.create_alias(AliasName=alias, TargetKeyId=key) else "",
            "update": lambda: "done" if kms.update_alias(AliasName=alias, TargetKeyId=key) else "",
            "delete": lambda: "done" if kms.delete_alias(AliasName=alias) else "",
            "describe": lambda: kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"],
        }
        operation, ask = chance.choice(list(calls.items()))
        return (operation, key if operation in ("create", "update") else None), ask

    calls = history(server, calls_of)
    assert {call.answered for call in calls} >= {"done", MISSING, "AlreadyExistsException"}
    assert is_linearizable(calls, alias_target, "none")


def register(value: Hashable, asked: Any, answered: Hashable) -> Hashable:
    operation, written = asked
    if operation == "put":
        return written if answered == "done" else None
    return value if answered == value else None


def test_the_policy_of_a_key(server: Server, kms: Any, key: str) -> None:
    first = kms.get_key_policy(KeyId=key)["Policy"]
    policies = [json.dumps(json.loads(first) | {"Id": f"policy-{number}"}) for number in range(4)]

    def calls_of(kms: Any, chance: random.Random) -> Question:
        if chance.random() < 0.4:
            policy = chance.choice(policies)
            return ("put", policy), lambda: "done" if kms.put_key_policy(KeyId=key, Policy=policy) else ""
        return ("get", None), lambda: kms.get_key_policy(KeyId=key)["Policy"]

    assert is_linearizable(history(server, calls_of), register, first)


def grants(held: frozenset[str], asked: Any, answered: Any) -> frozenset[str] | None:
    operation, grant = asked
    match operation:
        case "create":
            return held | {answered} if answered not in held else None
        case "revoke":
            return held - {grant} if answered == ("done" if grant in held else MISSING) else None
        case _:
            return held if answered == held else None


def test_the_grants_of_a_key(server: Server, key: str) -> None:
    made: list[str] = []

    def calls_of(kms: Any, chance: random.Random) -> Question:
        def create() -> str:
            grantee = f"arn:aws:iam::{ONE.id}:root"
            grant = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])["GrantId"]
            made.append(grant)
            return str(grant)

        def listed() -> frozenset[str]:
            return frozenset(grant["GrantId"] for grant in kms.list_grants(KeyId=key)["Grants"])

        if made and chance.random() < 0.4:
            grant = chance.choice(made)
            return ("revoke", grant), lambda: "done" if kms.revoke_grant(KeyId=key, GrantId=grant) else ""
        return (("create", None), create) if chance.random() < 0.4 else (("list", None), listed)

    assert is_linearizable(history(server, calls_of), grants, frozenset())


def sequence(*parts: tuple[int, int, Hashable, Hashable]) -> list[Call]:
    return [Call(*part) for part in parts]


@pytest.mark.parametrize(
    ("model", "state", "calls", "expected"),
    [
        # Who asks after a change has ended sees it; who asks meanwhile may see either.
        (key_state, "enabled", sequence((0, 1, "disable", "done"), (2, 3, "encrypt", "DisabledException")), True),
        (key_state, "enabled", sequence((0, 1, "disable", "done"), (2, 3, "encrypt", "done")), False),
        (key_state, "enabled", sequence((0, 5, "disable", "done"), (2, 3, "encrypt", "done")), True),
        # What has been seen once is not unseen.
        (
            key_state,
            "enabled",
            sequence((0, 9, "disable", "done"), (1, 2, "describe", "disabled"), (3, 4, "describe", "enabled")),
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
            sequence((0, 1, ("put", "y"), "done"), (2, 3, ("get", None), "y"), (4, 5, ("get", None), "x")),
            False,
        ),
        (grants, frozenset(), sequence((0, 1, ("create", None), "g"), (2, 3, ("list", None), frozenset())), False),
        (grants, frozenset(), sequence((0, 3, ("create", None), "g"), (2, 3, ("list", None), frozenset())), True),
    ],
)
def test_the_checker_tells_what_cannot_be(model: Model, state: Hashable, calls: list[Call], expected: bool) -> None:
    assert is_linearizable(calls, model, state) is expected
