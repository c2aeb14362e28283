"""Roles and OpenID Connect providers through boto3, and the calls of tools that keep them in step with a description.

Source: IAM API Reference (CreateRole, UpdateAssumeRolePolicy, CreateOpenIDConnectProvider, …); IAM user guide, "IAM and
AWS STS quotas".
"""

import json
from typing import Any

import pytest

from harness import clients
from harness.expect import CONSTRAINT, refused
from harness.iam import ALLOW, TRUST, fresh, text
from harness.seed import ONE
from harness.server import Server

THUMBPRINT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def role(iam: Any) -> str:
    return iam.create_role(RoleName=fresh("role"), AssumeRolePolicyDocument=text(TRUST))["Role"]["RoleName"]


def test_a_role_is_made_and_read(iam: Any) -> None:
    name = fresh("App")
    made = iam.create_role(
        RoleName=name,
        Path="/svc/",
        AssumeRolePolicyDocument=text(TRUST),
        Description="runs é",
        MaxSessionDuration=7_200,
        Tags=[{"Key": "k", "Value": "v"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ONE.id}:role/svc/{name}"
    assert made["RoleId"].startswith("AROA")
    assert made["AssumeRolePolicyDocument"] == TRUST
    got = iam.get_role(RoleName=name)["Role"]
    assert got == made
    assert (got["MaxSessionDuration"], got["Description"]) == (7_200, "runs é")
    with refused("EntityAlreadyExists", f"Role with name {name.upper()} already exists.", 409):
        iam.create_role(RoleName=name.upper(), AssumeRolePolicyDocument=text(TRUST))
    (listed,) = iam.list_roles(PathPrefix="/svc/")["Roles"]
    assert listed["AssumeRolePolicyDocument"] == TRUST and "Tags" not in listed
    iam.delete_role(RoleName=name)
    with refused("NoSuchEntity", f"The role with name {name} cannot be found.", 404):
        iam.get_role(RoleName=name)


def test_a_role_changes(server: Server, iam: Any, role: str) -> None:
    assert iam.get_role(RoleName=role)["Role"]["MaxSessionDuration"] == 3_600
    iam.update_role(RoleName=role, Description="one")
    iam.update_role(RoleName=role, MaxSessionDuration=43_200)
    got = iam.get_role(RoleName=role)["Role"]
    assert (got["Description"], got["MaxSessionDuration"]) == ("one", 43_200)
    assert iam.update_role_description(RoleName=role, Description="two")["Role"]["Description"] == "two"
    other = json.loads(text(TRUST))
    other["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=text(other))
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == other
    with refused("ValidationError", f"{CONSTRAINT}Value '3599' at 'maxSessionDuration' failed to satisfy constraint: "
                 "Member must have value greater than or equal to 3600"):  # fmt: skip
        clients.iam(server, parameter_validation=False).update_role(RoleName=role, MaxSessionDuration=3_599)


@pytest.mark.parametrize("document", ["x", text(ALLOW), text(TRUST).replace("Principal", "NotPrincipal")])
def test_what_is_no_trust_policy_is_refused(iam: Any, role: str, document: str) -> None:
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName=fresh("bad"), AssumeRolePolicyDocument=document)
    with refused("MalformedPolicyDocument"):
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == TRUST


def test_roles_have_tags(iam: Any, role: str) -> None:
    iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_role(RoleName=role, Tags=[{"Key": "A", "Value": "2"}])
    assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "A", "Value": "2"}]
    iam.untag_role(RoleName=role, TagKeys=["a"])
    assert iam.list_role_tags(RoleName=role)["Tags"] == []


def test_what_tools_ask_of_a_role(iam: Any, role: str) -> None:
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    assert iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"] == []
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    with refused("NoSuchEntity", "Instance Profile x cannot be found.", 404):
        iam.get_instance_profile(InstanceProfileName="x")
    with refused("NoSuchEntity", status=404):
        iam.list_instance_profiles_for_role(RoleName="nothing")


def test_a_provider_of_web_identities(iam: Any) -> None:
    url = f"https://{fresh('oidc')}.example/path"
    made = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["one"], ThumbprintList=[THUMBPRINT], Tags=[{"Key": "k", "Value": "v"}]
    )
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ONE.id}:oidc-provider/{url.removeprefix('https://')}"
    with refused("EntityAlreadyExists", f"Provider with url {url} already exists.", 409):
        iam.create_open_id_connect_provider(Url=url)
    named = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="one")
    iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=[THUMBPRINT[::-1]])
    iam.tag_open_id_connect_provider(**named, Tags=[{"Key": "K", "Value": "w"}])
    got = iam.get_open_id_connect_provider(**named)
    assert (got["Url"], got["ClientIDList"]) == (url.removeprefix("https://"), ["two"])
    assert got["ThumbprintList"] == [THUMBPRINT[::-1]]
    assert iam.list_open_id_connect_provider_tags(**named)["Tags"] == [{"Key": "K", "Value": "w"}]
    iam.untag_open_id_connect_provider(**named, TagKeys=["k"])
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(**named)
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404):
        iam.get_open_id_connect_provider(**named)


@pytest.mark.parametrize("url", ["http://a.example", "https://a.example:0", "https://a.example/?q=1"])
def test_other_urls_are_no_provider(iam: Any, url: str) -> None:
    with refused("InvalidInput", "Invalid Open ID Connect Provider URL"):
        iam.create_open_id_connect_provider(Url=url)
