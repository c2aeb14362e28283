"""AssumeRoleWithWebIdentity through boto3, as a pod in Kubernetes does it: no access key, a token in a file.

Sources: STS API reference, AssumeRoleWithWebIdentity; IAM user guide, "Create an OpenID Connect (OIDC) identity provider
in IAM"; the environment variables are those of Amazon EKS's "IAM roles for service accounts".
"""

import json
import re
import time
from datetime import timedelta
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import clients
from harness.dev_clock import advance
from harness.expect import refused
from harness.iam import fresh
from harness.raw import Request, exchange
from harness.seed import ONE
from harness.server import Server, StartFailed
from harness.web_identity import Provider, published

SUBJECT = "system:serviceaccount:shop:app"


def configuration(provider: Provider, **settings: str) -> str:
    lines = "\n".join(f'{name} = "{value}"' for name, value in settings.items())
    return f'[[web_identity.provider]]\nurl = "{provider.issuer}"\n{lines}\n'


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def cluster(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that believes the provider, whose keys are in a file."""
    folder = tmp_path_factory.mktemp("cluster")
    keys, config = folder / "keys.json", folder / "keywright.toml"
    keys.write_text(provider.key_set())
    config.write_text(configuration(provider, key_set_file=str(keys)))
    server = Server(folder, arguments=("--config", str(config)))
    server.start()
    clients.iam(server).create_open_id_connect_provider(Url=provider.issuer, ClientIDList=["sts.amazonaws.com"])
    yield server
    server.close()


def role(server: Server, provider: Provider, **conditions: Any) -> str:
    """A role that trusts the provider under these conditions; it may make keys."""
    arn = f"arn:aws:iam::{ONE.id}:oidc-provider/{provider.url}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": conditions or {"StringEquals": {f"{provider.url}:sub": SUBJECT}},
    }
    iam, name = clients.iam(server), fresh("role")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return str(made)


def unsigned(server: Server) -> Any:
    return boto3.client(
        "sts",
        endpoint_url=server.endpoint,
        region_name="eu-central-1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )


def assume(server: Server, arn: str, token: str, **more: Any) -> dict[str, Any]:
    answer = unsigned(server).assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="pod", WebIdentityToken=token, **more
    )
    return dict(answer)


def test_a_token_gives_a_session(cluster: Server, provider: Provider) -> None:
    arn = role(cluster, provider)
    answer = assume(cluster, arn, provider.token())
    name = arn.rsplit("/", 1)[1]
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ONE.id}:assumed-role/{name}/pod"
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == f"arn:aws:iam::{ONE.id}:oidc-provider/{provider.url}"
    clients.with_session(cluster, "kms", answer["Credentials"]).create_key()


def test_a_pod_needs_two_variables_and_a_file(cluster: Server, provider: Provider, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(provider.token())
    environment = {
        "AWS_ROLE_ARN": role(cluster, provider),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": cluster.endpoint,
        "HOME": str(tmp_path),
    }
    done = clients.run(["aws", "kms", "create-key", "--output", "json"], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["KeyMetadata"]["AWSAccountId"] == ONE.id


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"iss": "https://other.example"}, "InvalidIdentityToken", "No OpenIDConnect provider found"),
        ({"iss": "http://oidc.example/cluster"}, "InvalidIdentityToken", "No OpenIDConnect provider found"),
        ({"aud": ["other"]}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"azp": "other"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"aud": None}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"sub": None}, "InvalidIdentityToken", "`sub`"),
        ({"exp": None}, "InvalidIdentityToken", "`exp`"),
        ({"iat": None}, "InvalidIdentityToken", "`iat`"),
        ({"exp": 1_600_000_000}, "ExpiredTokenException", "must be before the expiration date/time 1600000000"),
        ({"iat": 4_000_000_000, "exp": 4_000_000_600}, "InvalidIdentityToken", "not valid yet"),
        ({"nbf": 4_000_000_000}, "InvalidIdentityToken", "not valid yet"),
        ({"sub": 7}, "InvalidIdentityToken", "not a valid JWT"),
    ],
)
def test_a_token_that_is_not_good_is_refused(
    cluster: Server, provider: Provider, changes: dict[str, Any], code: str, words: str
) -> None:
    arn = role(cluster, provider, StringLike={f"{provider.url}:sub": "*"})
    with refused(code, re.compile(f".*{re.escape(words)}.*")):
        assume(cluster, arn, provider.token(**changes))


def test_only_the_providers_key_signs(cluster: Server, provider: Provider) -> None:
    arn, good = role(cluster, provider), provider.token()
    head, claims, signature = good.split(".")
    other = Provider(provider.issuer)
    other.key_id = provider.key_id
    forged = [
        provider.token(header={"alg": "none"}),
        other.token(),
        f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{head}.{provider.token(sub='other').split('.')[1]}.{signature}",
        provider.token(header={"kid": "unknown"}),
        provider.token(header={"alg": "HS256"}),
        provider.token(header={"crit": ["exp"]}),
        "x" * 40,
        "a.b.c",
    ]
    for token in forged:
        # Whoever has no good token does not even learn which roles there are.
        for asked in (arn, f"arn:aws:iam::{ONE.id}:role/nobody"):
            with refused("InvalidIdentityToken"):
                assume(cluster, asked, token)
    assume(cluster, arn, good)


def test_who_has_no_good_token_learns_nothing_of_roles(cluster: Server, provider: Provider) -> None:
    told = set()
    for arn in (role(cluster, provider), f"arn:aws:iam::{ONE.id}:role/nobody", "arn:aws:iam::999999999999:role/nobody"):
        for token in ("x" * 40, provider.token(iss="https://other.example")):
            with pytest.raises(ClientError) as caught:
                assume(cluster, arn, token)
            told.add((token[:2], str(caught.value)))
    assert len(told) == 2, told


def test_the_trust_policy_decides(cluster: Server, provider: Provider) -> None:
    nobody = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    arn = role(cluster, provider)
    with refused("AccessDenied", nobody, status=403):
        assume(cluster, arn, provider.token(sub="system:serviceaccount:shop:other"))
    with refused("AccessDenied", nobody, status=403):
        assume(cluster, f"arn:aws:iam::{ONE.id}:role/nobody", provider.token())
    # An access key does not help, and the role of another provider trusts nobody else.
    iam, name = clients.iam(cluster), fresh("role")
    trust = {"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    with refused("AccessDenied", nobody, status=403):
        assume(cluster, made, provider.token())
    audience = role(cluster, provider, StringEquals={f"{provider.url}:aud": "sts.amazonaws.com"})
    assume(cluster, audience, provider.token())


def test_claims_tag_the_session_and_name_its_source(cluster: Server, provider: Provider) -> None:
    own = {"https://aws.amazon.com/source_identity": "alice"}
    tags = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}}
    arn = role(cluster, provider, StringEquals={"aws:RequestTag/team": "red", "sts:SourceIdentity": "alice"})
    answer = assume(cluster, arn, provider.token(**own, **tags))
    assert answer["SourceIdentity"] == "alice"
    with refused("AccessDenied", status=403):
        assume(cluster, arn, provider.token(**tags))
    malformed = {"https://aws.amazon.com/tags": {"principal_tags": {"team": "red"}}}
    with refused("InvalidIdentityToken"):
        assume(cluster, arn, provider.token(**malformed))


def test_what_the_token_said_stays_with_the_session(cluster: Server, provider: Provider) -> None:
    arn = role(cluster, provider)
    policy = {
        "Effect": "Allow",
        "Action": "kms:ListKeys",
        "Resource": "*",
        "Condition": {"StringEquals": {f"{provider.url}:sub": SUBJECT}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    clients.iam(cluster).put_role_policy(RoleName=arn.rsplit("/", 1)[1], PolicyName="q", PolicyDocument=document)
    credentials = assume(cluster, arn, provider.token())["Credentials"]
    clients.with_session(cluster, "kms", credentials).list_keys()


def test_only_this_operation_goes_unsigned(cluster: Server) -> None:
    for action in ("GetCallerIdentity", "AssumeRole", "GetSessionToken", "assumeRoleWithWebIdentity"):
        body = f"Action={action}&Version=2011-06-15".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = exchange(cluster, Request("POST", "/", headers, body))
        assert answer.status == 403 and b"MissingAuthenticationToken" in answer.body, action


def test_keys_are_fetched_by_discovery_and_again_when_they_turn(tmp_path: Path) -> None:
    provider = Provider()
    with published(provider, tmp_path) as authority:
        config = tmp_path / "keywright.toml"
        config.write_text(configuration(provider, certificate_authority_file=str(authority)))
        server = Server(tmp_path, development=True, arguments=("--config", str(config)))
        server.start()
        try:
            clients.iam(server).create_open_id_connect_provider(
                Url=provider.issuer, ClientIDList=["sts.amazonaws.com"]
            )
            arn = role(server, provider)
            assume(server, arn, provider.token())
            provider.turn_keys()
            deadline = time.monotonic() + 30
            while True:
                # A provider is not asked again for ten seconds.
                try:
                    assume(server, arn, provider.token())
                    break
                except unsigned(server).exceptions.InvalidIdentityTokenException:
                    assert time.monotonic() < deadline
                    advance(server, timedelta(seconds=10))
        finally:
            server.close()


def test_a_provider_that_the_operator_does_not_know_is_not_asked(server: Server) -> None:
    provider = Provider("https://169.254.169.254/latest")
    clients.iam(server).create_open_id_connect_provider(Url=provider.issuer, ClientIDList=["sts.amazonaws.com"])
    arn = role(server, provider)
    with refused("IDPCommunicationError"):
        assume(server, arn, provider.token())


def test_a_provider_whose_files_are_not_there_stops_the_start(tmp_path: Path) -> None:
    config = tmp_path / "keywright.toml"
    config.write_text(configuration(Provider(), key_set_file=str(tmp_path / "none.json")))
    with pytest.raises(StartFailed) as failed:
        Server(tmp_path, arguments=("--config", str(config))).start()
    assert failed.value.exit_code == 2 and "none.json" in failed.value.log
