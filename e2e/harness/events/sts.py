"""Every operation of STS."""

from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from harness import clients
from harness.callers import new_user
from harness.events.scene import Scene
from harness.iam import allow, document
from harness.seed import EUROPE, ONE
from harness.server import Server
from harness.web_identity import Provider

PROVIDER = Provider()
TAGS = [{"Key": "team", "Value": "blue"}]


def new_server(folder: Path) -> Server:
    """A server that believes the provider of web identity tokens, and logs all that it can."""
    keys, config = folder / "keys.json", folder / "keywright.toml"
    keys.write_text(PROVIDER.key_set())
    provider = f'[[web_identity.provider]]\nurl = "{PROVIDER.issuer}"\nkey_set_file = "{keys}"\n'
    config.write_text(f'{provider}[log]\nlevel = "debug"\n')
    return Server(folder, arguments=("--config", str(config)))


def make_calls(scene: Scene) -> None:
    """Calls everything."""
    server = scene.server
    sts, role = clients.sts(server), _role(scene)
    session_policy = document(allow("kms:ListKeys"))
    scene.know(session_policy=session_policy)
    answer = scene.call(sts, "AssumeRole", RoleArn=role, RoleSessionName="session")
    session = clients.with_session(server, "sts", answer["Credentials"])
    scene.call(session, "GetCallerIdentity of a session")
    scene.call(
        sts, "AssumeRole with everything", RoleArn=role, RoleSessionName="session", DurationSeconds=900,
        ExternalId="external", Policy=session_policy, SourceIdentity="alice", Tags=TAGS, TransitiveTagKeys=["team"],
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/PowerUserAccess"}],
    )  # fmt: skip
    powerless = new_user(server, "powerless")
    denied = clients.sts(server, powerless.account)
    scene.call(denied, "AssumeRole denied", RoleArn=role, RoleSessionName="session")
    scene.call(denied, "GetFederationToken denied", Name="federated")
    token = PROVIDER.token()
    unsigned = _unsigned(server)
    wanted: dict[str, Any] = {"RoleArn": role, "RoleSessionName": "app", "WebIdentityToken": token}
    scene.call(unsigned, "AssumeRoleWithWebIdentity", **wanted)
    absent = f"arn:aws:iam::{ONE.id}:role/absent"
    scene.call(unsigned, "AssumeRoleWithWebIdentity denied", **wanted | {"RoleArn": absent})
    scene.call(sts, "DecodeAuthorizationMessage", EncodedMessage="planted-message")
    scene.call(sts, "GetAccessKeyInfo", AccessKeyId=ONE.access_key_id)
    scene.call(sts, "GetCallerIdentity")
    scene.call(sts, "GetFederationToken", Name="federated", Policy=session_policy, DurationSeconds=900, Tags=TAGS)
    scene.call(sts, "GetSessionToken", DurationSeconds=900)


def _role(scene: Scene) -> str:
    """A role that the account and the provider's tokens get sessions of."""
    iam, actions = clients.iam(scene.server), ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    made = iam.create_open_id_connect_provider(Url=PROVIDER.issuer, ClientIDList=["sts.amazonaws.com"])
    provider = made["OpenIDConnectProviderArn"]
    subject = {"StringEquals": {f"{PROVIDER.url}:sub": PROVIDER.claims()["sub"]}}
    trust = document(
        {"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Action": actions},
        {
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": subject,
        },
    )  # fmt: skip
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]
    scene.know(role=role["Arn"])
    return role["Arn"]


def _unsigned(server: Server) -> Any:
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("sts", endpoint_url=server.endpoint, region_name=EUROPE, config=config)
