"""Key policies through boto3.

Source: AWS KMS API Reference (GetKeyPolicy, PutKeyPolicy, ListKeyPolicies) and the developer guide on default key
policies; the default policy is a recorded one, the refusals' texts are quoted by users of AWS.
"""

import json
from typing import Any

import pytest

from harness.expect import refused
from harness.seed import ONE, TWO

DEFAULT = {
    "Version": "2012-10-17",
    "Id": "key-default-1",
    "Statement": [
        {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}

LOCKOUT_TEXT = "The new key policy will not allow you to update the key policy in the future."
PRINCIPAL_TEXT = "Policy contains a statement with one or more invalid principals."


def policy(**changes: Any) -> str:
    """The default policy with members of its statement changed."""
    return json.dumps(DEFAULT | {"Statement": [DEFAULT["Statement"][0] | changes]})  # type: ignore[index]


def test_the_default_policy(kms: Any, key: str) -> None:
    answer = kms.get_key_policy(KeyId=key)
    assert json.loads(answer["Policy"]) == DEFAULT
    assert list(json.loads(answer["Policy"])) == ["Version", "Id", "Statement"]
    assert answer["PolicyName"] == "default"


def test_a_policy_comes_back_byte_for_byte(kms: Any, key: str) -> None:
    text = (
        '{\r\n\t"Version" : "2012-10-17",  "Id":"Übersicht",\n"Statement": '
        + json.dumps(DEFAULT["Statement"])
        + "\n }\n"
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == text


def test_a_key_is_made_with_its_policy(kms: Any) -> None:
    text = policy(Sid="mine")
    key = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    assert kms.get_key_policy(KeyId=key)["Policy"] == text


def test_there_is_one_policy_and_it_is_called_default(kms: Any, key: str) -> None:
    answer = kms.list_key_policies(KeyId=key)
    assert (answer["PolicyNames"], answer["Truncated"]) == (["default"], False)
    with refused("NotFoundException", "No such policy exists"):
        kms.get_key_policy(KeyId=key, PolicyName="other")
    with pytest.raises(kms.exceptions.ClientError):
        kms.put_key_policy(KeyId=key, PolicyName="other", Policy=policy())


@pytest.mark.parametrize("text", ["{", "no policy", "[]", "1", '{"Version": "2012-10-17"', '{"Statement": "x"}'])
def test_what_is_not_a_policy(kms: Any, key: str, text: str) -> None:
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=text)
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=text)
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == DEFAULT


LOCKOUTS = {
    "another account": policy(Principal={"AWS": f"arn:aws:iam::{TWO.id}:root"}),
    "another action": policy(Action="kms:Encrypt"),
    "a denial": policy(Effect="Deny"),
}


@pytest.mark.parametrize("text", LOCKOUTS.values(), ids=LOCKOUTS)
def test_a_policy_that_locks_its_author_out(kms: Any, key: str, text: str) -> None:
    with refused("MalformedPolicyDocumentException", LOCKOUT_TEXT):
        kms.put_key_policy(KeyId=key, Policy=text)
    with refused("MalformedPolicyDocumentException", LOCKOUT_TEXT):
        kms.create_key(Policy=text)


def test_the_lockout_check_can_be_bypassed(kms: Any) -> None:
    text = policy(Action="kms:Describe*")
    kms.create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)


def test_a_principal_that_does_not_exist(kms: Any, key: str) -> None:
    for principal in (f"arn:aws:iam::{ONE.id}:user/nobody", "not a principal"):
        with refused("MalformedPolicyDocumentException", PRINCIPAL_TEXT):
            kms.put_key_policy(KeyId=key, Policy=policy(Principal={"AWS": [f"arn:aws:iam::{ONE.id}:root", principal]}))


def test_the_longest_policy_and_its_characters(unchecked: Any, key: str) -> None:
    # Constraints of the service model.
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key, Policy=policy() + " " * 131072)
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key, Policy=policy().replace("Enable", "\u0100"))
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key, Policy="")
    assert json.loads(unchecked.get_key_policy(KeyId=key)["Policy"]) == DEFAULT
