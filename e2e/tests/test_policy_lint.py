"""`keywright policy lint`: what it says of a policy is what the service then does.

Sources: docs/policy-lint.md; AWS KMS developer guide, "Default key policy", "Using IAM policies with AWS KMS" and
"Condition keys for AWS KMS".
"""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import ONE, Account
from harness.server import EXIT_OK, EXIT_POLICY, EXIT_USAGE, Server, run_tool

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"}, "Action": "kms:*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def lint(folder: Path, policy: str, *options: str) -> tuple[int, list[str]]:
    """The exit code and the rules that found something, in the order of the text."""
    (folder / "policy.json").write_text(policy)
    finished = run_tool("policy", "lint", "policy.json", "--format", "json", *options, folder=folder)
    report = json.loads(finished.stdout)
    return finished.returncode, [finding["rule"] for finding in report["findings"]]


def test_the_default_key_policy_is_in_order(kms: Any, key: str, tmp_path: Path) -> None:
    policy = kms.get_key_policy(KeyId=key)["Policy"]
    assert lint(tmp_path, policy, "--key", key) == (EXIT_OK, [])


LOCKOUTS = {
    "key-policy-lockout": document(ROOT | {"Action": ["kms:Encrypt", "kms:GetKeyPolicy"]}),
    "deny-locks-everybody-out": document(
        ROOT, {"Effect": "Deny", "Principal": "*", "Action": "kms:Put*", "Resource": "*"}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "policy"), LOCKOUTS.items(), ids=LOCKOUTS)
def test_a_lockout_is_told_and_is_one(kms: Any, key: str, tmp_path: Path, rule: str, policy: str) -> None:
    assert lint(tmp_path, policy, "--account", ONE.id) == (EXIT_POLICY, [rule])
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=policy)
    kms.put_key_policy(KeyId=key, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException"):
        kms.put_key_policy(KeyId=key, Policy=document(ROOT))


class User:
    """A new user, who may do what the policy says."""

    def __init__(self, server: Server, iam: Any, policy: str) -> None:
        name = f"user-{uuid.uuid4()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self.kms = clients.kms(server, Account(ONE.id, made["AccessKeyId"], made["SecretAccessKey"], name))


def test_what_is_said_to_match_nothing_allows_nothing(
    server: Server, kms: Any, iam: Any, key: str, tmp_path: Path
) -> None:
    alias = f"alias/{uuid.uuid4()}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    allow = {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:DescribeKey"]}
    by_alias = document(allow | {"Resource": ONE.alias_arn(alias)})
    assert lint(tmp_path, by_alias) == (EXIT_POLICY, ["alias-as-resource"])
    user = User(server, iam, by_alias)
    with refused("AccessDeniedException"):
        user.kms.encrypt(KeyId=alias, Plaintext=b"x")

    context = {"StringEquals": {"kms:EncryptionContext:app": "web"}}
    by_context = document(allow | {"Resource": key, "Condition": context})
    assert lint(tmp_path, by_context) == (EXIT_POLICY, ["encryption-context-without-context"])
    user = User(server, iam, by_context)
    user.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"app": "web"})
    with refused("AccessDeniedException"):
        user.kms.describe_key(KeyId=key)


def test_the_remedy_helps(server: Server, kms: Any, iam: Any, key: str, tmp_path: Path) -> None:
    alias = f"alias/{uuid.uuid4()}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    keys = f"arn:aws:kms:*:{ONE.id}:key/*"
    policy = document({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": keys, "Condition": condition})
    assert lint(tmp_path, policy) == (EXIT_OK, [])
    User(server, iam, policy).kms.encrypt(KeyId=alias, Plaintext=b"x")


def test_for_people_each_finding_is_three_sentences(tmp_path: Path) -> None:
    policy = document(ROOT, {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": "*"})
    finished = run_tool("policy", "lint", "-", folder=tmp_path, stdin=policy)
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("standard input: looked at as a key policy")
    assert lines[1] == "standard input:12:5: error [public-access] statement 2 (Open): It allows kms:Sign to everybody."
    assert all(line.startswith("    ") and line.endswith(".") for line in lines[2:4])
    assert lines[4:] == ["1 error, 0 warnings, 0 notes"]
    assert finished.returncode == EXIT_POLICY
    assert finished.stderr == "keywright: standard input has 1 error, 0 warnings\n"


def test_what_is_no_policy_is_a_wrong_command_line(tmp_path: Path) -> None:
    for text in ["", "{", '{"Statement": []}', "no policy"]:
        finished = run_tool("policy", "lint", "-", folder=tmp_path, stdin=text)
        assert (finished.returncode, finished.stdout) == (EXIT_USAGE, ""), finished
        assert finished.stderr.startswith("keywright: standard input is not "), finished
