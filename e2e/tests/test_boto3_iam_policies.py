"""Managed and inline policies, attachments and boundaries through boto3.

Source: IAM API Reference (CreatePolicy, CreatePolicyVersion, AttachUserPolicy, PutUserPolicy, …); IAM user guide,
"IAM and AWS STS quotas"; AWS Managed Policy Reference.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.iam import ALLOW, TRUST, fresh, sized, text
from harness.seed import ONE, TWO
from harness.server import Server

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
POWER_USER = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"


@pytest.fixture
def policy(iam: Any) -> str:
    """The ARN of a policy that nobody else uses."""
    return iam.create_policy(PolicyName=fresh("Policy"), PolicyDocument=text(ALLOW))["Policy"]["Arn"]


class Holder:
    """A user, group or role, and the calls about its policies."""

    def __init__(self, iam: Any, kind: str) -> None:
        self.iam, self.kind = iam, kind
        parameters = {"AssumeRolePolicyDocument": text(TRUST)} if kind == "role" else {}
        self.name = fresh(kind)
        self.argument = {f"{kind.capitalize()}Name": self.name}
        getattr(iam, f"create_{kind}")(**self.argument, **parameters)

    def call(self, operation: str, **parameters: Any) -> Any:
        return getattr(self.iam, operation.replace("HOLDER", self.kind))(**self.argument, **parameters)

    def attached(self) -> set[str]:
        listed = self.call("list_attached_HOLDER_policies")["AttachedPolicies"]
        assert all(entry["PolicyArn"].endswith("/" + entry["PolicyName"]) for entry in listed)
        return {entry["PolicyArn"] for entry in listed}


@pytest.fixture(params=["user", "group", "role"])
def holder(iam: Any, request: pytest.FixtureRequest) -> Holder:
    return Holder(iam, request.param)


def count(iam: Any, arn: str) -> tuple[int, int]:
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    return policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]


def test_a_policy_is_made_and_read(iam: Any) -> None:
    name = fresh("Mine")
    document = '{ "Version" : "2012-10-17",\n\t"Statement":{"Effect":"Deny","NotAction":"kms:*","Resource":"*"} }'
    made = iam.create_policy(
        PolicyName=name, Path="/a/b/", PolicyDocument=document, Description="é", Tags=[{"Key": "k", "Value": "v"}]
    )["Policy"]
    assert made["Arn"] == f"arn:aws:iam::{ONE.id}:policy/a/b/{name}"
    assert made["PolicyId"].startswith("ANPA")
    assert (made["DefaultVersionId"], made["AttachmentCount"], made["IsAttachable"]) == ("v1", 0, True)
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"] == made
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(document)
    with refused("EntityAlreadyExists", f"A policy called {name.upper()} already exists. Duplicate names are not allowed.", 409):
        iam.create_policy(PolicyName=name.upper(), PolicyDocument=text(ALLOW))
    with refused("NoSuchEntity", f"Policy arn:aws:iam::{ONE.id}:policy/{name} was not found.", 404):
        iam.get_policy(PolicyArn=f"arn:aws:iam::{ONE.id}:policy/{name}")


def test_documents_come_back_byte_for_byte(server: Server, iam: Any, policy: str) -> None:
    document = '{"Statement" :\r\n [{"Effect":"Allow","Action":["kms:*"],"Resource":"arn:aws:s3:::é+%/&<"}]}'
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document)
    raw: list[str] = []
    plain = clients.iam(server, user_agent_extra="raw")
    plain.meta.events.register("after-call.iam.GetPolicyVersion", lambda http_response, **_: raw.append(http_response.text))
    plain.get_policy_version(PolicyArn=policy, VersionId="v2")
    encoded = raw[0].split("<Document>")[1].split("</Document>")[0]
    assert "%20%3A%0D%0A%20" in encoded and "%C3%A9" in encoded, "RFC 3986"


def test_versions(iam: Any, policy: str) -> None:
    other = json.loads(text(ALLOW)) | {"Statement": []} | {"Statement": ALLOW["Statement"] * 2}
    for number in range(2, 6):
        made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(other))["PolicyVersion"]
        assert (made["VersionId"], made["IsDefaultVersion"]) == (f"v{number}", False)
    listed = iam.list_policy_versions(PolicyArn=policy)["Versions"]
    assert [version["VersionId"] for version in listed] == ["v5", "v4", "v3", "v2", "v1"]
    limit = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version."
    )
    with refused("LimitExceeded", limit, 409):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(ALLOW))
    with refused("DeleteConflict", "Cannot delete the default version of a policy.", 409):
        iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.delete_policy_version(PolicyArn=policy, VersionId="v5")
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(other), SetAsDefault=True)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v6", True), "numbers are not used again"
    assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v6"
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v1"
    missing = f"Policy {policy} version v5 does not exist or is not attachable."
    with refused("NoSuchEntity", missing, 404):
        iam.get_policy_version(PolicyArn=policy, VersionId="v5")
    with refused("NoSuchEntity", missing, 404):
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v5")


def test_a_policy_in_use_or_with_versions_cannot_be_deleted(iam: Any, policy: str) -> None:
    holder = Holder(iam, "user")
    holder.call("attach_HOLDER_policy", PolicyArn=policy)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409):
        iam.delete_policy(PolicyArn=policy)
    holder.call("detach_HOLDER_policy", PolicyArn=policy)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(ALLOW))
    with refused("DeleteConflict", status=409):
        iam.delete_policy(PolicyArn=policy)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    iam.delete_policy(PolicyArn=policy)
    with refused("NoSuchEntity", f"Policy {policy} was not found.", 404):
        iam.get_policy(PolicyArn=policy)


@pytest.mark.parametrize(
    "document",
    ["x", "{}", "[]", '{"Statement":[]}', '{"Version":"2011-01-01","Statement":[]}', text(TRUST),
     text(ALLOW).replace("Allow", "Permit")],
    ids=["text", "empty", "list", "no statement", "version", "principal", "effect"],
)  # fmt: skip
def test_what_is_no_policy_is_refused(iam: Any, holder: Holder, policy: str, document: str) -> None:
    with refused("MalformedPolicyDocument"):
        iam.create_policy(PolicyName=fresh("bad"), PolicyDocument=document)
    with refused("MalformedPolicyDocument"):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=document)
    with refused("MalformedPolicyDocument"):
        holder.call("put_HOLDER_policy", PolicyName="p", PolicyDocument=document)
    assert holder.call("list_HOLDER_policies")["PolicyNames"] == []


def test_sizes_count_without_white_space(iam: Any) -> None:
    iam.create_policy(PolicyName=fresh("large"), PolicyDocument=sized(6_144) + " " * 1_000)
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409):
        iam.create_policy(PolicyName=fresh("large"), PolicyDocument=sized(6_145))


def test_attaching(iam: Any, holder: Holder, policy: str) -> None:
    for arn in (policy, ADMINISTRATOR):
        before, _ = count(iam, arn)
        holder.call("attach_HOLDER_policy", PolicyArn=arn)
        holder.call("attach_HOLDER_policy", PolicyArn=arn)
        assert count(iam, arn)[0] == before + 1
    assert holder.attached() == {policy, ADMINISTRATOR}
    assert holder.call("list_attached_HOLDER_policies", PathPrefix="/x/")["AttachedPolicies"] == []
    entities = iam.list_entities_for_policy(PolicyArn=policy)
    (found,) = entities[f"Policy{holder.kind.capitalize()}s"]
    assert found[f"{holder.kind.capitalize()}Name"] == holder.name
    assert sum(len(entities[f"Policy{kind}s"]) for kind in ("User", "Group", "Role")) == 1
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409):
        holder.call("delete_HOLDER")
    for arn in (policy, ADMINISTRATOR):
        before, _ = count(iam, arn)
        holder.call("detach_HOLDER_policy", PolicyArn=arn)
        assert count(iam, arn)[0] == before - 1
    with refused("NoSuchEntity", f"Policy {policy} was not found.", 404):
        holder.call("detach_HOLDER_policy", PolicyArn=policy)
    holder.call("delete_HOLDER")


def test_what_cannot_be_attached(iam: Any, holder: Holder) -> None:
    for arn in [f"arn:aws:iam::{ONE.id}:policy/nothing", "arn:aws:iam::aws:policy/Nothing",
                f"arn:aws:iam::{TWO.id}:policy/other"]:  # fmt: skip
        with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404):
            holder.call("attach_HOLDER_policy", PolicyArn=arn)
    with refused("InvalidInput", f"ARN {ONE.user_arn} is not valid."):
        holder.call("attach_HOLDER_policy", PolicyArn=ONE.user_arn)
    assert holder.attached() == set()


def test_ten_policies_at_most(iam: Any, holder: Holder) -> None:
    for _ in range(10):
        arn = iam.create_policy(PolicyName=fresh("of-ten"), PolicyDocument=text(ALLOW))["Policy"]["Arn"]
        holder.call("attach_HOLDER_policy", PolicyArn=arn)
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{holder.kind.capitalize()}: 10", 409):
        holder.call("attach_HOLDER_policy", PolicyArn=ADMINISTRATOR)


def test_inline_policies(iam: Any, holder: Holder) -> None:
    holder.call("put_HOLDER_policy", PolicyName="b", PolicyDocument=text(ALLOW))
    holder.call("put_HOLDER_policy", PolicyName="a", PolicyDocument=text(ALLOW))
    changed = json.loads(text(ALLOW)) | {"Id": "changed"}
    holder.call("put_HOLDER_policy", PolicyName="b", PolicyDocument=text(changed))
    assert holder.call("list_HOLDER_policies")["PolicyNames"] == ["a", "b"]
    first = holder.call("list_HOLDER_policies", MaxItems=1)
    assert (first["PolicyNames"], first["IsTruncated"]) == (["a"], True)
    assert holder.call("list_HOLDER_policies", Marker=first["Marker"])["PolicyNames"] == ["b"]
    got = holder.call("get_HOLDER_policy", PolicyName="b")
    assert (got["PolicyName"], got["PolicyDocument"]) == ("b", changed)
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first.", 409):
        holder.call("delete_HOLDER")
    for name in ("a", "b"):
        holder.call("delete_HOLDER_policy", PolicyName=name)
    missing = f"The {holder.kind} policy with name b cannot be found."
    with refused("NoSuchEntity", missing, 404):
        holder.call("get_HOLDER_policy", PolicyName="b")
    with refused("NoSuchEntity", missing, 404):
        holder.call("delete_HOLDER_policy", PolicyName="b")
    holder.call("delete_HOLDER")


def test_inline_policies_have_a_size_together(iam: Any, holder: Holder) -> None:
    size = {"user": 2_048, "group": 5_120, "role": 10_240}[holder.kind]
    holder.call("put_HOLDER_policy", PolicyName="a", PolicyDocument=sized(1_000))
    holder.call("put_HOLDER_policy", PolicyName="b", PolicyDocument=sized(size - 1_000))
    text_of_limit = f"Maximum policy size of {size} bytes exceeded for {holder.kind} {holder.name}"
    with refused("LimitExceeded", text_of_limit, 409):
        holder.call("put_HOLDER_policy", PolicyName="b", PolicyDocument=sized(size - 999))


@pytest.mark.parametrize("kind", ["user", "role"])
def test_boundaries(iam: Any, policy: str, kind: str) -> None:
    holder = Holder(iam, kind)

    def boundary() -> str | None:
        bounded = holder.call("get_HOLDER")[kind.capitalize()]
        return bounded.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")

    assert boundary() is None
    holder.call("put_HOLDER_permissions_boundary", PermissionsBoundary=policy)
    assert (boundary(), count(iam, policy)) == (policy, (0, 1))
    listed = iam.list_entities_for_policy(PolicyArn=policy, PolicyUsageFilter="PermissionsBoundary")
    assert len(listed[f"Policy{kind.capitalize()}s"]) == 1
    assert not iam.list_entities_for_policy(PolicyArn=policy, PolicyUsageFilter="PermissionsPolicy")["PolicyUsers"]
    with refused("DeleteConflict", status=409):
        iam.delete_policy(PolicyArn=policy)
    holder.call("put_HOLDER_permissions_boundary", PermissionsBoundary=POWER_USER)
    assert (boundary(), count(iam, policy)) == (POWER_USER, (0, 0))
    holder.call("delete_HOLDER_permissions_boundary")
    assert boundary() is None
    with refused("NoSuchEntity", status=404):
        holder.call("put_HOLDER_permissions_boundary", PermissionsBoundary="arn:aws:iam::aws:policy/Nothing")


def test_a_bounded_user_goes_with_the_boundarys_count(iam: Any, policy: str) -> None:
    name = fresh("bounded")
    made = iam.create_user(UserName=name, PermissionsBoundary=policy)["User"]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    assert count(iam, policy) == (0, 1)
    iam.delete_user(UserName=name)
    assert count(iam, policy) == (0, 0)


def test_awss_policies_are_read_and_never_changed(iam: Any) -> None:
    policy = iam.get_policy(PolicyArn=POWER_USER)["Policy"]
    assert (policy["PolicyId"], policy["DefaultVersionId"]) == ("ANPAJNPP7PPPPMJRV2SA4", "v2")
    document = iam.get_policy_version(PolicyArn=POWER_USER, VersionId="v2")["PolicyVersion"]["Document"]
    assert "kms:CreateKey" in document["Statement"][0]["Action"]
    administrator = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId="v1")["PolicyVersion"]["Document"]
    assert administrator["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    for call in (
        lambda: iam.create_policy_version(PolicyArn=ADMINISTRATOR, PolicyDocument=text(ALLOW)),
        lambda: iam.delete_policy(PolicyArn=ADMINISTRATOR),
        lambda: iam.tag_policy(PolicyArn=ADMINISTRATOR, Tags=[{"Key": "k", "Value": "v"}]),
    ):
        with refused("AccessDenied", status=403):
            call()


def test_policies_of_other_accounts_are_out_of_reach(server: Server, policy: str) -> None:
    with refused("AccessDenied", status=403):
        clients.iam(server, TWO).get_policy(PolicyArn=policy)


def test_policies_are_listed_by_scope_and_page(iam: Any, policy: str) -> None:
    def names(**parameters: Any) -> list[str]:
        pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 2}, **parameters)
        return [entry["Arn"] for page in pages for entry in page["Policies"]]

    awss, own, both = names(Scope="AWS"), names(Scope="Local"), names()
    assert ADMINISTRATOR in awss and policy not in awss
    assert policy in own and not set(awss) & set(own)
    assert both == awss + own and len(set(both)) == len(both)
    assert policy not in names(Scope="Local", OnlyAttached=True)
    assert ADMINISTRATOR in names(OnlyAttached=True)
    assert names(PathPrefix="/nowhere/") == []


def test_policies_have_tags(iam: Any, policy: str) -> None:
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "Stage", "Value": "1"}])
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "stage", "Value": "2"}])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == [{"Key": "stage", "Value": "2"}]
    iam.untag_policy(PolicyArn=policy, TagKeys=["STAGE"])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == []


def test_entities_are_paged(iam: Any, policy: str, new_holder: Callable[[str], Holder]) -> None:
    holders = [new_holder(kind) for kind in ("user", "user", "role", "group", "group")]
    for holder in holders:
        holder.call("attach_HOLDER_policy", PolicyArn=policy)
    pages = list(
        iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy, PaginationConfig={"PageSize": 2})
    )
    found = [
        entity[f"{kind}Name"] for page in pages for kind in ("User", "Role", "Group") for entity in page[f"Policy{kind}s"]
    ]
    assert found == [holder.name for holder in holders]
    users = iam.list_entities_for_policy(PolicyArn=policy, EntityFilter="User")
    assert len(users["PolicyUsers"]) == 2 and not users["PolicyRoles"]


@pytest.fixture
def new_holder(iam: Any) -> Callable[[str], Holder]:
    return lambda kind: Holder(iam, kind)
