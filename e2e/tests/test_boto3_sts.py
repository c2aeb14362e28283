"""Temporary credentials through boto3 and the AWS CLI: sessions of roles and users, and what they may do with keys.

Sources: STS API reference; IAM user guide, "Temporary security credentials in IAM", "Session policies", "Pass session
tags in AWS STS", "The confused deputy problem".
"""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness import clients, dev_clock
from harness.expect import refused
from harness.iam import fresh
from harness.seed import DEVELOPMENT, ONE, TWO, Account
from harness.server import Server


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


def trusting(principal: Any, *actions: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions or ("sts:AssumeRole",))}
    return document(statement | more)


@pytest.fixture
def sts(server: Server) -> Any:
    return clients.sts(server)


class Role:
    """A new role of account one that the administrator may assume."""

    def __init__(self, server: Server, trust: str | None = None, policy: str | None = None, **more: Any) -> None:
        self.server, self.iam = server, clients.iam(server)
        self.name = fresh("role")
        every = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
        trust = trust or trusting({"AWS": ONE.user_arn}, *every)
        made = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust, **more)["Role"]
        self.arn = made["Arn"]
        if policy:
            self.put(policy)

    def put(self, policy: str) -> None:
        self.iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=policy)

    def assume(self, sts: Any = None, name: str = "session", **more: Any) -> dict[str, Any]:
        sts = sts or clients.sts(self.server)
        return sts.assume_role(RoleArn=self.arn, RoleSessionName=name, **more)["Credentials"]

    def client(self, service: str = "kms", **more: Any) -> Any:
        return clients.with_session(self.server, service, self.assume(**more))


def test_a_session_of_a_role_does_what_the_role_may(server: Server, key: str) -> None:
    role = Role(server, policy=document(allow("kms:Encrypt", resource=key)))
    kms = role.client()
    kms.encrypt(KeyId=key, Plaintext=b"x")
    denied = f"User: arn:aws:sts::{ONE.id}:assumed-role/{role.name}/session is not authorized to perform: kms:Decrypt"
    blob = clients.kms(server).encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException", re.compile(re.escape(denied) + ".*no identity-based policy allows.*")):
        kms.decrypt(CiphertextBlob=blob)
    # The role's policy counts for sessions that are there already, on the next call.
    role.put(document(allow("kms:Decrypt", resource=key)))
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("AccessDeniedException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")


def test_who_a_session_is(server: Server) -> None:
    role = Role(server, Path="/service/")
    told = role.client("sts").get_caller_identity()
    assert told["Arn"] == f"arn:aws:sts::{ONE.id}:assumed-role/{role.name}/session"
    role_id = role.iam.get_role(RoleName=role.name)["Role"]["RoleId"]
    assert (told["Account"], told["UserId"]) == (ONE.id, f"{role_id}:session")


def test_a_session_ends_with_its_role(server: Server, key: str) -> None:
    role = Role(server)
    kms = role.client()
    with refused("AccessDeniedException"):
        kms.describe_key(KeyId=key)
    role.iam.delete_role(RoleName=role.name)
    with refused("UnrecognizedClientException", "The security token included in the request is invalid."):
        kms.describe_key(KeyId=key)


def test_a_session_ends_when_its_time_is_over(dev_server: Server, dev_key: str) -> None:
    token = clients.sts(dev_server, DEVELOPMENT).get_session_token(DurationSeconds=900)["Credentials"]
    remaining = token["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert remaining < datetime.timedelta(days=400)
    kms, sts = (clients.with_session(dev_server, service, token) for service in ("kms", "sts"))
    kms.describe_key(KeyId=dev_key)
    dev_clock.advance(dev_server, datetime.timedelta(seconds=901))
    with refused("ExpiredTokenException", "The security token included in the request is expired"):
        kms.describe_key(KeyId=dev_key)
    with refused("ExpiredToken", status=403):
        sts.get_caller_identity()


@pytest.mark.parametrize("change", ["token", "none", "other"])
def test_no_other_token_goes_with_a_session(server: Server, change: str) -> None:
    role = Role(server)
    credentials, other = role.assume(), role.assume()
    token = credentials["SessionToken"]
    credentials["SessionToken"] = {"token": f"{token[:-8]}AAAAAAA=", "none": None, "other": other["SessionToken"]}[change]
    with refused("InvalidClientTokenId", status=403):
        clients.with_session(server, "sts", credentials).get_caller_identity()


def test_session_policies_and_boundaries_bound_a_role_that_a_key_policy_names(server: Server, kms: Any) -> None:
    role = Role(server)
    named = allow("kms:Encrypt", "kms:DescribeKey") | {"Principal": {"AWS": role.arn}}
    own = allow("kms:*") | {"Principal": {"AWS": ONE.user_arn}}
    key = kms.create_key(Policy=document(named, own))["KeyMetadata"]["Arn"]
    role.client().encrypt(KeyId=key, Plaintext=b"x")
    narrow = role.client(Policy=document(allow("kms:DescribeKey")))
    narrow.describe_key(KeyId=key)
    with refused("AccessDeniedException", re.compile(".* because no session policy allows the kms:Encrypt action")):
        narrow.encrypt(KeyId=key, Plaintext=b"x")
    bound = role.iam.create_policy(PolicyName=fresh("bound"), PolicyDocument=document(allow("kms:DescribeKey")))
    role.iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=bound["Policy"]["Arn"])
    with refused("AccessDeniedException", re.compile(".* because no permissions boundary allows the kms:Encrypt action")):
        role.client().encrypt(KeyId=key, Plaintext=b"x")
    # The session itself named: neither counts.
    session = f"arn:aws:sts::{ONE.id}:assumed-role/{role.name}/one"
    key = kms.create_key(Policy=document(named | {"Principal": {"AWS": session}}, own))["KeyMetadata"]["Arn"]
    role.client(name="one", Policy=document(allow("kms:DescribeKey"))).encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        role.client(name="two").encrypt(KeyId=key, Plaintext=b"x")


def test_session_tags_open_the_keys_of_a_team(server: Server, kms: Any) -> None:
    """Attribute-based access: a session may use the keys that carry the team of its session tag."""
    own_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    role = Role(server, policy=document(allow("kms:Encrypt", Condition=own_team)))
    red, blue = (
        kms.create_key(Tags=[{"TagKey": "team", "TagValue": team}])["KeyMetadata"]["Arn"] for team in ("red", "blue")
    )
    tags = [{"Key": "team", "Value": "red"}]
    client = role.client(Tags=tags)
    client.encrypt(KeyId=red, Plaintext=b"x")
    with refused("AccessDeniedException"):
        client.encrypt(KeyId=blue, Plaintext=b"x")
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=red, Plaintext=b"x")
    # A tag of the role does as well, and a session tag takes its place.
    role.iam.tag_role(RoleName=role.name, Tags=[{"Key": "Team", "Value": "blue"}])
    role.client().encrypt(KeyId=blue, Plaintext=b"x")
    with refused("AccessDeniedException"):
        role.client(Tags=tags).encrypt(KeyId=blue, Plaintext=b"x")


def test_transitive_tags_and_the_source_identity_go_along_a_chain(server: Server, kms: Any) -> None:
    first = Role(server, policy=document(allow("sts:*")))
    every = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    condition = {"StringEquals": {"aws:SourceIdentity": "alice", "aws:PrincipalTag/team": "red"}}
    second = Role(
        server, trusting({"AWS": first.arn}, *every), document(allow("kms:CreateKey", Condition=condition))
    )
    chain = {"Tags": [{"Key": "team", "Value": "red"}], "TransitiveTagKeys": ["team"], "SourceIdentity": "alice"}
    sts = first.client("sts", **chain)
    answer = sts.assume_role(RoleArn=second.arn, RoleSessionName="second")
    assert answer["SourceIdentity"] == "alice"
    clients.with_session(server, "kms", answer["Credentials"]).create_key()
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=second.arn, RoleSessionName="second", SourceIdentity="mallory")
    plain = first.client("sts").assume_role(RoleArn=second.arn, RoleSessionName="second")
    with refused("AccessDeniedException"):
        clients.with_session(server, "kms", plain["Credentials"]).create_key()


def test_another_account_assumes_a_role_if_both_sides_say_so(server: Server, key: str) -> None:
    external = {"StringEquals": {"sts:ExternalId": "contract-7"}}
    role = Role(server, trusting({"AWS": TWO.id}, Condition=external), document(allow("kms:DescribeKey")))
    stranger = clients.sts(server, TWO)
    with refused("AccessDenied", status=403):
        role.assume(stranger)
    credentials = role.assume(stranger, ExternalId="contract-7")
    clients.with_session(server, "kms", credentials).describe_key(KeyId=key)
    # A user of that account whom its own policies allow nothing.
    iam, name = clients.iam(server, TWO), fresh("user")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    user = clients.sts(server, Account(TWO.id, made["AccessKeyId"], made["SecretAccessKey"], name))
    text = f"User: arn:aws:iam::{TWO.id}:user/{name} is not authorized to perform: sts:AssumeRole on resource: {role.arn}"
    with refused("AccessDenied", re.compile(re.escape(text) + ".*"), status=403):
        role.assume(user, ExternalId="contract-7")


def test_a_role_is_a_grantee(server: Server, kms: Any) -> None:
    role = Role(server)
    own = allow("kms:*") | {"Principal": {"AWS": ONE.user_arn}}
    key = kms.create_key(Policy=document(own))["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=key, Plaintext=b"x")
    grant = kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Encrypt"], RetiringPrincipal=role.arn)
    role.client().encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        role.client(Policy=document(allow("kms:Decrypt"))).encrypt(KeyId=key, Plaintext=b"x")
    role.client().retire_grant(KeyId=key, GrantId=grant["GrantId"])
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=key, Plaintext=b"x")


def test_a_role_that_is_made_again_gets_nothing_from_a_key_policy(server: Server, kms: Any) -> None:
    role = Role(server)
    named = allow("kms:DescribeKey") | {"Principal": {"AWS": role.arn}}
    own = allow("kms:*") | {"Principal": {"AWS": ONE.user_arn}}
    policy = document(named, own)
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    role.client().describe_key(KeyId=key)
    role_id = role.iam.get_role(RoleName=role.name)["Role"]["RoleId"]
    role.iam.delete_role(RoleName=role.name)
    shown = kms.get_key_policy(KeyId=key)["Policy"]
    assert shown == policy.replace(role.arn, role_id)
    role.iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trusting({"AWS": ONE.user_arn}))
    with refused("AccessDeniedException"):
        role.client().describe_key(KeyId=key)
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=shown)
    kms.put_key_policy(KeyId=key, Policy=policy)
    role.client().describe_key(KeyId=key)


def test_a_trust_policy_names_who_is_there(server: Server) -> None:
    for nobody in ("arn:aws:iam::123456789012:user/nobody", "arn:aws:iam::999999999999:root", "AIDAEXAMPLE"):
        expected = f'Invalid principal in policy: "AWS":"{nobody}"'
        with refused("MalformedPolicyDocument", expected):
            Role(server, trusting({"AWS": nobody}))


def test_federated_users_do_what_user_and_session_policies_both_allow(server: Server, sts: Any, key: str) -> None:
    def kms(**more: Any) -> Any:
        return clients.with_session(server, "kms", sts.get_federation_token(Name="bob", **more)["Credentials"])

    kms(Policy=document(allow("kms:DescribeKey"))).describe_key(KeyId=key)
    for client in (kms(), kms(Policy=document(allow("kms:Encrypt")))):
        with refused("AccessDeniedException", re.compile(".* because no session policy allows the kms:DescribeKey action")):
            client.describe_key(KeyId=key)


def test_a_users_own_session_is_the_user(server: Server, sts: Any, key: str) -> None:
    credentials = sts.get_session_token()["Credentials"]
    clients.with_session(server, "kms", credentials).describe_key(KeyId=key)
    assert clients.with_session(server, "sts", credentials).get_caller_identity()["Arn"] == ONE.user_arn
    with refused("InvalidClientTokenId", status=403):
        clients.with_session(server, "iam", credentials).list_users()
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials", status=403):
        clients.with_session(server, "sts", credentials).get_session_token()


def test_sessions_outlive_a_restart(fresh_server: Server) -> None:
    role = Role(fresh_server, policy=document(allow("kms:ListKeys")))
    credentials = role.assume()
    fresh_server.stop()
    fresh_server.start()
    clients.with_session(fresh_server, "kms", credentials).list_keys()


def test_the_cli_assumes_a_role_by_a_profile(server: Server, tmp_path: Path) -> None:
    """A profile with role_arn, as people write it: the CLI fetches the session by itself."""
    role = Role(server, policy=document(allow("kms:ListKeys")))
    config = tmp_path / "config"
    config.write_text(
        f"[profile base]\naws_access_key_id={ONE.access_key_id}\naws_secret_access_key={ONE.secret_access_key}\n"
        f"[profile app]\nrole_arn={role.arn}\nsource_profile=base\nrole_session_name=cli\nduration_seconds=900\n"
    )
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_PROFILE": "app",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": server.endpoint,
        "HOME": str(tmp_path),
    }
    done = clients.run(["aws", "sts", "get-caller-identity", "--output", "json"], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"] == f"arn:aws:sts::{ONE.id}:assumed-role/{role.name}/cli"
    assert clients.run(["aws", "kms", "list-keys"], tmp_path, environment).returncode == 0
    denied = clients.run(["aws", "kms", "create-key"], tmp_path, environment)
    assert denied.returncode != 0 and "AccessDeniedException" in denied.stderr
