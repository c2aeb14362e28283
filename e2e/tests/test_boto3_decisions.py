"""Who may do what to a key, through boto3: key policies and grants decide, also across accounts.

Sources: AWS KMS developer guide, "Troubleshooting AWS KMS permissions", "Allowing users in other accounts to use a KMS
key", "Grants in AWS KMS", "AWS KMS condition keys".
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import ONE, TWO
from harness.server import Server

OUT_OF_REACH = re.compile(
    f"User: {TWO.user_arn} is not authorized to perform: kms:[A-Za-z]+ on this resource because the resource does not "
    "exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
)


def allow(principal: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), "Resource": "*"} | more


@pytest.fixture
def stranger(server: Server) -> Any:
    """boto3 KMS of account two."""
    return clients.kms(server, TWO)


@pytest.fixture
def key_with(kms: Any) -> Callable[..., str]:
    """A new key that its creator administers and that nobody uses but by the given statements."""

    def make(*statements: dict[str, Any]) -> str:
        administer = allow(
            ONE.user_arn, "kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:CreateGrant", "kms:RevokeGrant", "kms:DisableKey"
        )
        policy = {"Version": "2012-10-17", "Statement": [administer, *statements]}
        arn: str = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
        return arn

    return make


def test_who_administers_a_key_need_not_be_able_to_use_it(kms: Any, key_with: Callable[..., str]) -> None:
    key = key_with(allow(TWO.user_arn, "kms:Encrypt"))
    with refused(
        "AccessDeniedException",
        f"User: {ONE.user_arn} is not authorized to perform: kms:Encrypt on resource: {key} because no resource-based "
        "policy allows the kms:Encrypt action",
    ):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.disable_key(KeyId=key)


def test_another_account_uses_what_is_opened_to_it_and_no_more(
    kms: Any, stranger: Any, key_with: Callable[..., str]
) -> None:
    key = key_with(allow(f"arn:aws:iam::{TWO.id}:root", "kms:Encrypt", "kms:GenerateDataKey*", "kms:DisableKey"))
    blob = stranger.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert stranger.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")["KeyId"] == key
    with refused("AccessDeniedException", OUT_OF_REACH):
        stranger.describe_key(KeyId=key)
    # DisableKey is for the key's own account, whatever its policy says.
    with refused("AccessDeniedException"):
        stranger.disable_key(KeyId=key)
    with refused("AccessDeniedException"):
        stranger.decrypt(CiphertextBlob=blob)


def test_a_deny_under_a_condition(kms: Any, key_with: Callable[..., str]) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}},
    }
    key = key_with(allow(ONE.user_arn, "kms:*"), deny)
    blobs = {
        tenant: kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": tenant})["CiphertextBlob"]
        for tenant in ("a", "b")
    }
    assert kms.decrypt(KeyId=key, CiphertextBlob=blobs["a"], EncryptionContext={"tenant": "a"})["Plaintext"] == b"x"
    with refused("AccessDeniedException", re.compile(".* with an explicit deny in a resource-based policy")):
        kms.decrypt(KeyId=key, CiphertextBlob=blobs["b"], EncryptionContext={"tenant": "b"})


def test_a_grant_lets_another_account_in_until_it_is_revoked(
    kms: Any, stranger: Any, key_with: Callable[..., str]
) -> None:
    key = key_with()
    made = kms.create_grant(
        KeyId=key,
        GranteePrincipal=TWO.user_arn,
        Operations=["Encrypt", "Decrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
    )
    token, context = [made["GrantToken"]], {"tenant": "a", "purpose": "test"}
    blob = stranger.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context, GrantTokens=token)["CiphertextBlob"]
    assert stranger.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"x"
    with refused("AccessDeniedException", OUT_OF_REACH):
        stranger.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "b"})
    with refused("AccessDeniedException", OUT_OF_REACH):
        stranger.describe_key(KeyId=key)
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    with refused("AccessDeniedException", OUT_OF_REACH):
        stranger.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)


def test_a_policy_that_is_put_decides_at_once(kms: Any, stranger: Any, key_with: Callable[..., str]) -> None:
    key = key_with(allow(TWO.user_arn, "kms:DescribeKey"))
    stranger.describe_key(KeyId=key)
    closed = {"Version": "2012-10-17", "Statement": [allow(ONE.user_arn, "kms:*")]}
    kms.put_key_policy(KeyId=key, Policy=json.dumps(closed))
    with refused("AccessDeniedException", OUT_OF_REACH):
        stranger.describe_key(KeyId=key)
