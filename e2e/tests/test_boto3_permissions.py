"""What IAM policies let a user do with keys and with IAM itself, through boto3.

Sources: AWS KMS developer guide, "Using IAM policies with AWS KMS"; IAM user guide, "Policy evaluation logic" and
"Permissions boundaries for IAM entities".
"""

import json
import re
import uuid
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import ONE, Account
from harness.server import Server


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


def deny(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource} | more


explicit = re.compile(".* with an explicit deny in an identity-based policy")


class User:
    """A new user without any policy, and its clients."""

    def __init__(self, server: Server, iam: Any) -> None:
        self.iam, self.name = iam, f"user-{uuid.uuid4()}"
        iam.create_user(UserName=self.name)
        made = iam.create_access_key(UserName=self.name)["AccessKey"]
        account = Account(ONE.id, made["AccessKeyId"], made["SecretAccessKey"], self.name)
        self.arn = account.user_arn
        self.kms = clients.kms(server, account)
        self.own_iam = clients.iam(server, account)

    def put(self, text: str) -> None:
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=text)


@pytest.fixture
def iam(server: Server) -> Any:
    return clients.iam(server)


@pytest.fixture
def user(server: Server, iam: Any) -> User:
    return User(server, iam)


def no_identity_policy(action: str) -> re.Pattern[str]:
    return re.compile(f".* is not authorized to perform: {action} on resource: .* because no identity-based policy "
                      f"allows the {action} action")  # fmt: skip


def test_a_user_may_do_what_its_policies_say(user: User, key: str) -> None:
    with refused("AccessDeniedException", no_identity_policy("kms:Encrypt")):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")
    user.put(document(allow("kms:Encrypt", resource=key)))
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException", no_identity_policy("kms:DisableKey")):
        user.kms.disable_key(KeyId=key)
    with refused("AccessDeniedException"):
        user.kms.create_key()
    user.iam.delete_user_policy(UserName=user.name, PolicyName="p")
    with refused("AccessDeniedException"):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_policy_names_keys_by_their_arn(user: User, key: str, new_key: Any) -> None:
    user.put(document(allow("kms:Encrypt", resource=new_key())))
    with refused("AccessDeniedException", no_identity_policy("kms:Encrypt")):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_deny_counts_more_than_an_allow(user: User, key: str) -> None:
    of_tests = deny("kms:Encrypt", Condition={"StringEquals": {"kms:EncryptionContext:stage": "test"}})
    user.put(document(allow("kms:*"), of_tests))
    user.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"stage": "production"})
    with refused("AccessDeniedException", explicit):
        user.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"stage": "test"})


def test_groups_managed_policies_and_boundaries_count(user: User, iam: Any, key: str) -> None:
    group, policy = f"group-{uuid.uuid4()}", f"policy-{uuid.uuid4()}"
    iam.create_group(GroupName=group)
    arn = iam.create_policy(PolicyName=policy, PolicyDocument=document(allow("kms:*")))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    with refused("AccessDeniedException"):
        user.kms.describe_key(KeyId=key)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    user.kms.describe_key(KeyId=key)
    bound = iam.create_policy(PolicyName=f"{policy}-b", PolicyDocument=document(allow("kms:Encrypt")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=bound)
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException", re.compile(".* because no permissions boundary allows the .*")):
        user.kms.describe_key(KeyId=key)


def test_awss_policy_that_denies_everything_locks_a_user_out(user: User, iam: Any, kms: Any, key: str) -> None:
    deny_all = "arn:aws:iam::aws:policy/AWSDenyAll"
    user.put(document(allow("kms:*")))
    kms.create_grant(KeyId=key, GranteePrincipal=user.arn, Operations=["Encrypt"])
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    iam.attach_user_policy(UserName=user.name, PolicyArn=deny_all)
    with refused("AccessDeniedException", explicit):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")
    iam.detach_user_policy(UserName=user.name, PolicyArn=deny_all)
    user.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_user_gives_itself_nothing(user: User) -> None:
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    with refused("AccessDenied", no_identity_policy("iam:AttachUserPolicy"), status=403):
        user.own_iam.attach_user_policy(UserName=user.name, PolicyArn=everything)
    user.put(document(allow("iam:GetUser", resource=user.arn)))
    assert user.own_iam.get_user(UserName=user.name)["User"]["UserName"] == user.name
    with refused("AccessDenied", status=403):
        user.own_iam.get_user(UserName=ONE.user)


def test_a_grant_or_a_key_policy_needs_no_identity_policy(user: User, kms: Any, key: str) -> None:
    kms.create_grant(KeyId=key, GranteePrincipal=user.arn, Operations=["Encrypt"])
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        user.kms.describe_key(KeyId=key)


def test_duties_are_separate(server: Server, iam: Any, key: str, kms: Any) -> None:
    """The security team administers, the application encrypts; neither can do the other's part."""
    security, application = User(server, iam), User(server, iam)
    security.put(document(allow("kms:*")))
    application.put(document(allow("kms:*")))
    administer = ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DisableKey", "kms:EnableKey", "kms:ScheduleKeyDeletion"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            allow(*administer) | {"Principal": {"AWS": [security.arn, ONE.user_arn]}},
            allow("kms:Encrypt", "kms:Decrypt") | {"Principal": {"AWS": application.arn}},
        ],
    }
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    blob = application.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert application.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    # IAM allows everything; the key policy does not.
    no_resource_policy = re.compile(".* because no resource-based policy allows the kms:[A-Za-z]+ action")
    with refused("AccessDeniedException", no_resource_policy):
        application.kms.disable_key(KeyId=key)
    with refused("AccessDeniedException", no_resource_policy):
        application.kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    with refused("AccessDeniedException", no_resource_policy):
        security.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        security.kms.decrypt(CiphertextBlob=blob)
    security.kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        application.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_aliases_of_a_key_are_a_condition(user: User, kms: Any, key: str) -> None:
    alias = f"alias/{uuid.uuid4()}"
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    user.put(document(allow("kms:Encrypt", Condition=condition)))
    with refused("AccessDeniedException"):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.delete_alias(AliasName=alias)
    with refused("AccessDeniedException"):
        user.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_deny_of_a_policy_is_about_that_policy_alone(user: User) -> None:
    everything, little = (f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "IAMReadOnlyAccess"))
    condition = {"ArnEquals": {"iam:PolicyARN": everything}}
    user.put(document(allow("iam:*"), deny("iam:AttachUserPolicy", Condition=condition)))
    with refused("AccessDenied", explicit, status=403):
        user.own_iam.attach_user_policy(UserName=user.name, PolicyArn=everything)
    user.own_iam.attach_user_policy(UserName=user.name, PolicyArn=little)


def test_a_delegated_administrator_cannot_give_more_than_the_boundary(user: User, iam: Any) -> None:
    new, name = f"new-{uuid.uuid4()}", f"bound-{uuid.uuid4()}"
    bound = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("kms:*")))["Policy"]["Arn"]
    unless = {"StringNotEquals": {"iam:PermissionsBoundary": bound}}
    changes = ["iam:CreateUser", "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary"]
    user.put(
        document(allow("iam:*"), deny(*changes, Condition=unless), deny("iam:DeleteUserPermissionsBoundary"))
    )
    own = user.own_iam
    with refused("AccessDenied", explicit, status=403):
        own.create_user(UserName=new)
    own.create_user(UserName=new, PermissionsBoundary=bound)
    own.put_user_policy(UserName=new, PolicyName="p", PolicyDocument=document(allow("*")))
    with refused("AccessDenied", explicit, status=403):
        own.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(allow("*")))
    with refused("AccessDenied", explicit, status=403):
        own.put_user_permissions_boundary(
            UserName=new, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"
        )
    own.put_user_permissions_boundary(UserName=new, PermissionsBoundary=bound)
    with refused("AccessDenied", explicit, status=403):
        own.delete_user_permissions_boundary(UserName=new)


def test_tags_of_users_and_of_requests_are_conditions(user: User, iam: Any) -> None:
    """ABAC: who leads a team administers whoever has its tag, and makes nobody else."""
    other, new = f"other-{uuid.uuid4()}", f"new-{uuid.uuid4()}"
    iam.create_user(UserName=other)
    iam.tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "red"}])
    red, blue = ([{"Key": "team", "Value": value}] for value in ("red", "blue"))
    user.put(
        document(
            allow("iam:ListAccessKeys", Condition={"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}}),
            allow("iam:CreateUser", "iam:TagUser", Condition={"StringEquals": {"aws:RequestTag/team": "red"}}),
        )
    )
    own = user.own_iam
    own.list_access_keys(UserName=user.name)
    with refused("AccessDenied", no_identity_policy("iam:ListAccessKeys"), status=403):
        own.list_access_keys(UserName=other)
    iam.tag_user(UserName=other, Tags=red)
    own.list_access_keys(UserName=other)
    for tags in ({}, {"Tags": blue}):
        with refused("AccessDenied", no_identity_policy("iam:CreateUser"), status=403):
            own.create_user(UserName=new, **tags)
    own.create_user(UserName=new, Tags=red)
    own.list_access_keys(UserName=new)


def test_a_new_user_with_tags_takes_leave_to_tag(user: User) -> None:
    new, tags = f"new-{uuid.uuid4()}", [{"Key": "a", "Value": "b"}]
    user.put(document(allow("iam:CreateUser")))
    with refused("AccessDenied", no_identity_policy("iam:TagUser"), status=403):
        user.own_iam.create_user(UserName=new, Tags=tags)
    user.own_iam.create_user(UserName=new)


@pytest.mark.parametrize("secure", [True, False])
def test_whether_a_call_came_over_tls_is_a_condition(user: User, key: str, secure: bool) -> None:
    condition = {"Bool": {"aws:SecureTransport": str(secure).lower()}}
    user.put(document(allow("kms:Encrypt", "iam:GetUser", Condition=condition)))
    if secure:
        with refused("AccessDeniedException"):
            user.kms.encrypt(KeyId=key, Plaintext=b"x")
        with refused("AccessDenied", status=403):
            user.own_iam.get_user()
    else:
        user.kms.encrypt(KeyId=key, Plaintext=b"x")
        user.own_iam.get_user()
