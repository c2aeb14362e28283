"""Every operation of IAM."""

from typing import Any
from urllib.parse import quote

from harness import clients
from harness.callers import new_user
from harness.events.scene import Scene
from harness.iam import TRUST, allow, document
from harness.seed import ONE

POLICY, OTHER_POLICY = document(allow("kms:ListKeys")), document(allow("kms:ListAliases"))
TRUSTING = document(*TRUST["Statement"])
TAGS = [{"Key": "team", "Value": "blue"}]
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
USER, ROLE, GROUP = {"UserName": "alice"}, {"RoleName": "app"}, {"GroupName": "team"}
INLINE = {"PolicyName": "inline"}


def make_calls(scene: Scene) -> None:
    """Makes one of everything, looks at it, changes it and takes it away."""
    iam = clients.iam(scene.server)
    scene.know(policy=POLICY, other_policy=OTHER_POLICY, trust=TRUSTING, encoded_trust=quote(TRUSTING))
    _make(scene, iam)
    _attach(scene, iam)
    _read_entities(scene, iam)
    _read_policies(scene, iam)
    _read_account(scene, iam)
    _change(scene, iam)
    _refuse(scene, iam)
    _detach(scene, iam)
    _delete(scene, iam)


def _make(scene: Scene, iam: Any) -> None:
    user = scene.call(iam, "CreateUser", Path="/ops/", Tags=TAGS, PermissionsBoundary=BOUNDARY, **USER)
    scene.know(user=user["User"]["Arn"])
    role = scene.call(
        iam, "CreateRole", Path="/ops/", AssumeRolePolicyDocument=TRUSTING, Description="a role", Tags=TAGS,
        MaxSessionDuration=7_200, PermissionsBoundary=BOUNDARY, **ROLE,
    )  # fmt: skip
    scene.know(role=role["Role"]["Arn"])
    group = scene.call(iam, "CreateGroup", Path="/ops/", **GROUP)
    scene.know(group=group["Group"]["Arn"])
    policy = scene.call(
        iam, "CreatePolicy", PolicyName="managed", Path="/ops/", PolicyDocument=POLICY, Description="a policy",
        Tags=TAGS,
    )  # fmt: skip
    scene.know(managed=policy["Policy"]["Arn"])
    scene.call(iam, "CreatePolicyVersion", PolicyArn=scene.values["managed"], PolicyDocument=OTHER_POLICY)
    scene.call(iam, "SetDefaultPolicyVersion", PolicyArn=scene.values["managed"], VersionId="v2")
    made = scene.call(iam, "CreateAccessKey", **USER)["AccessKey"]
    scene.know(access_key=made["AccessKeyId"])
    scene.call(iam, "CreateAccountAlias", AccountAlias="keywright-example")
    provider = scene.call(
        iam, "CreateOpenIDConnectProvider", Url="https://oidc.example/events", ClientIDList=["one"], Tags=TAGS,
        ThumbprintList=["a" * 40],
    )  # fmt: skip
    scene.know(provider=provider["OpenIDConnectProviderArn"])


def _attach(scene: Scene, iam: Any) -> None:
    managed = {"PolicyArn": scene.values["managed"]}
    scene.call(iam, "AddUserToGroup", **USER, **GROUP)
    for kind, named in (("User", USER), ("Role", ROLE), ("Group", GROUP)):
        scene.call(iam, f"Attach{kind}Policy", **named, **managed)
        scene.call(iam, f"Put{kind}Policy", **named, **INLINE, PolicyDocument=POLICY)
    for kind, named in (("User", USER), ("Role", ROLE)):
        scene.call(iam, f"Put{kind}PermissionsBoundary", PermissionsBoundary=BOUNDARY, **named)


def _read_entities(scene: Scene, iam: Any) -> None:
    scene.call(iam, "GetUser", **USER)
    scene.call(iam, "GetUser of the caller")
    scene.call(iam, "GetRole", **ROLE)
    scene.call(iam, "GetGroup", **GROUP)
    for kind, named in (("User", USER), ("Role", ROLE), ("Group", GROUP)):
        scene.call(iam, f"Get{kind}Policy", **named, **INLINE)
        scene.call(iam, f"List{kind}Policies", **named)
        scene.call(iam, f"ListAttached{kind}Policies", **named)
        scene.call(iam, f"List{kind}s", PathPrefix="/ops/", MaxItems=1)
    for kind, named in (("User", USER), ("Role", ROLE)):
        scene.call(iam, f"List{kind}Tags", **named)
    scene.call(iam, "ListGroupsForUser", **USER)
    scene.call(iam, "ListAccessKeys", **USER)
    scene.call(iam, "GetAccessKeyLastUsed", AccessKeyId=scene.values["access_key"])
    scene.call(iam, "GetLoginProfile", **USER)
    for what in ("MFADevices", "SSHPublicKeys", "ServiceSpecificCredentials", "SigningCertificates"):
        scene.call(iam, f"List{what}", **USER)
    scene.call(iam, "ListInstanceProfilesForRole", **ROLE)
    scene.call(iam, "GetInstanceProfile", InstanceProfileName="profile")


def _read_policies(scene: Scene, iam: Any) -> None:
    managed = {"PolicyArn": scene.values["managed"]}
    scene.call(iam, "GetPolicy", **managed)
    scene.call(iam, "GetPolicyVersion", VersionId="v1", **managed)
    scene.call(iam, "ListPolicies", Scope="Local", OnlyAttached=True)
    scene.call(iam, "ListPolicyVersions", **managed)
    scene.call(iam, "ListPolicyTags", **managed)
    scene.call(iam, "ListEntitiesForPolicy", EntityFilter="User", **managed)
    scene.call(iam, "GetContextKeysForCustomPolicy", PolicyInputList=[POLICY])
    scene.call(iam, "GetContextKeysForPrincipalPolicy", PolicySourceArn=scene.values["user"])
    simulated: dict[str, Any] = {"ActionNames": ["kms:ListKeys"]}
    scene.call(iam, "SimulateCustomPolicy", PolicyInputList=[POLICY], **simulated)
    scene.call(iam, "SimulatePrincipalPolicy", PolicySourceArn=scene.values["user"], **simulated)


def _read_account(scene: Scene, iam: Any) -> None:
    provider = {"OpenIDConnectProviderArn": scene.values["provider"]}
    scene.call(iam, "GetOpenIDConnectProvider", **provider)
    scene.call(iam, "ListOpenIDConnectProviderTags", **provider)
    for operation in (
        "GetAccountPasswordPolicy", "GetAccountSummary", "ListAccountAliases", "ListInstanceProfiles",
        "ListOpenIDConnectProviders", "ListVirtualMFADevices",
    ):  # fmt: skip
        scene.call(iam, operation)


def _change(scene: Scene, iam: Any) -> None:
    managed, provider = {"PolicyArn": scene.values["managed"]}, {"OpenIDConnectProviderArn": scene.values["provider"]}
    for kind, named in (("User", USER), ("Role", ROLE), ("Policy", managed), ("OpenIDConnectProvider", provider)):
        scene.call(iam, f"Tag{kind}", **named, Tags=[{"Key": "colour", "Value": "red"}])
        scene.call(iam, f"Untag{kind}", **named, TagKeys=["colour"])
    scene.call(iam, "UpdateAccessKey", **USER, AccessKeyId=scene.values["access_key"], Status="Inactive")
    scene.call(iam, "UpdateAssumeRolePolicy", **ROLE, PolicyDocument=TRUSTING)
    scene.call(iam, "UpdateRole", **ROLE, Description="an app", MaxSessionDuration=3_600)
    scene.call(iam, "UpdateRoleDescription", **ROLE, Description="the app")
    scene.call(iam, "UpdateOpenIDConnectProviderThumbprint", **provider, ThumbprintList=["b" * 40])
    scene.call(iam, "AddClientIDToOpenIDConnectProvider", **provider, ClientID="two")
    scene.call(iam, "RemoveClientIDFromOpenIDConnectProvider", **provider, ClientID="two")
    # Renamed and back: the rest is about who was made.
    for kind, named in (("User", USER), ("Group", GROUP)):
        name = f"{kind}Name"
        scene.call(iam, f"Update{kind}", **named, **{f"New{name}": "renamed"})
        getattr(iam, f"update_{kind.lower()}")(**{name: "renamed", f"New{name}": named[name]})


def _refuse(scene: Scene, iam: Any) -> None:
    powerless = clients.iam(scene.server, new_user(scene.server, "powerless").account)
    scene.call(powerless, "CreateUser denied", UserName="bob")
    scene.call(powerless, "GetUser denied", UserName="admin")
    scene.call(iam, "CreateUser who is there", **USER)
    scene.call(iam, "GetRole that is absent", RoleName="absent")
    scene.call(iam, "PutUserPolicy that is malformed", **USER, **INLINE, PolicyDocument="{}")
    scene.call(iam, "AddUserToGroup again", **USER, **GROUP)


def _detach(scene: Scene, iam: Any) -> None:
    managed = {"PolicyArn": scene.values["managed"]}
    scene.call(iam, "RemoveUserFromGroup", **USER, **GROUP)
    for kind, named in (("User", USER), ("Role", ROLE), ("Group", GROUP)):
        scene.call(iam, f"Detach{kind}Policy", **named, **managed)
        scene.call(iam, f"Delete{kind}Policy", **named, **INLINE)
    for kind, named in (("User", USER), ("Role", ROLE)):
        scene.call(iam, f"Delete{kind}PermissionsBoundary", **named)


def _delete(scene: Scene, iam: Any) -> None:
    managed = {"PolicyArn": scene.values["managed"]}
    scene.call(iam, "DeletePolicyVersion", VersionId="v1", **managed)
    scene.call(iam, "DeletePolicy", **managed)
    scene.call(iam, "DeleteAccessKey", **USER, AccessKeyId=scene.values["access_key"])
    for kind, named in (("User", USER), ("Role", ROLE), ("Group", GROUP)):
        scene.call(iam, f"Delete{kind}", **named)
    scene.call(iam, "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=scene.values["provider"])
    scene.call(iam, "DeleteAccountAlias", AccountAlias="keywright-example")
    assert scene.values["user"].startswith(f"arn:aws:iam::{ONE.id}:user/ops/")
