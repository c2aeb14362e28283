"""`keywright explain` and `keywright access`, and the service behind them, through the command line and boto3.

What they tell is held against what the service does.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import clients
from harness.expect import refused
from harness.iam import fresh
from harness.seed import DEVELOPMENT, EUROPE, ONE, TWO, Account
from harness.server import EXIT_OK, EXIT_UNEXPECTED, EXIT_USAGE, Server, run_tool

MODEL = Path(__file__).parents[2] / "models" / "keywright-2026-11-27.json"
UNKNOWN_REQUEST = "1b4e28ba-2fa1-4d2c-883f-0016d3cca427"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service model, laid out as AWS's tools look for models."""
    folder = tmp_path_factory.mktemp("models")
    place = folder / "keywright" / "2026-11-27"
    place.mkdir(parents=True)
    shutil.copy(MODEL, place / "service-2.json")
    return folder


def keywright(models: Path, server: Server, account: Account = ONE) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        region_name=EUROPE,
    )
    session._loader.search_paths.append(str(models))
    return session.client(
        "keywright", endpoint_url=server.endpoint, config=Config(retries={"total_max_attempts": 1})
    )


@pytest.fixture
def told(models: Path, server: Server) -> Any:
    return keywright(models, server)


class User:
    """A new user of the first account."""

    def __init__(self, server: Server, iam: Any) -> None:
        self.iam = iam
        self.name = fresh("asker")
        self.arn = iam.create_user(UserName=self.name)["User"]["Arn"]
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.account = Account(ONE.id, key["AccessKeyId"], key["SecretAccessKey"], self.name)
        self.kms = clients.kms(server, self.account)

    def may(self, *statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=json.dumps(document))


@pytest.fixture
def user(server: Server, iam: Any) -> Iterator[User]:
    user = User(server, iam)
    yield user
    for policy in iam.list_user_policies(UserName=user.name)["PolicyNames"]:
        iam.delete_user_policy(UserName=user.name, PolicyName=policy)
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.account.access_key_id)
    iam.delete_user(UserName=user.name)


def denied(call: Any, **parameters: Any) -> str:
    """The id of a request that is denied."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException", caught.value
    return caught.value.response["ResponseMetadata"]["RequestId"]


def tool(server: Server, folder: Path, *arguments: str, account: Account = ONE) -> Any:
    return run_tool(*arguments, folder=folder, environment=clients.account_environment(server, account))


def test_a_denial_is_explained_and_the_remedy_works(
    server: Server, told: Any, user: User, key: str, tmp_path: Path
) -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:app": "payroll"}}
    user.may({"Sid": "App", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": condition})
    context = {"app": "games"}
    request = denied(user.kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context)

    [decision] = told.explain_request(RequestId=request)["Decisions"]
    assert (decision["Action"], decision["Resource"], decision["Principal"]) == ("kms:Encrypt", key, user.arn)
    assert (decision["Outcome"], decision["Cause"], decision["Layer"]) == ("DENIED", "IMPLICIT_DENY", "IDENTITY_POLICY")
    [mine] = [one for one in decision["Statements"] if one["Statement"].get("Sid") == "App"]
    assert mine["Conditions"] == [
        {
            "Operator": "StringEquals",
            "Key": "kms:EncryptionContext:app",
            "Wanted": ["payroll"],
            "Seen": "games",
            "Holds": False,
        }
    ]
    assert any("would allow it, but its condition does not hold" in change for change in decision["Changes"])

    printed = tool(server, tmp_path, "explain", request)
    assert printed.returncode == EXIT_OK, printed
    assert "DENIED kms:Encrypt" in printed.stdout and "wants payroll, the request has games" in printed.stdout
    as_json = json.loads(tool(server, tmp_path, "explain", request, "--format", "json").stdout)
    assert as_json["Decisions"][0]["Changes"] == decision["Changes"]

    user.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"app": "payroll"})


def test_every_service_is_explained(told: Any, server: Server, user: User) -> None:
    sts = clients.sts(server, user.account)
    iam = clients.iam(server, user.account)
    for call, parameters, action in [
        (iam.list_users, {}, "iam:ListUsers"),
        (sts.assume_role, {"RoleArn": f"arn:aws:iam::{ONE.id}:role/x", "RoleSessionName": "xx"}, "sts:AssumeRole"),
    ]:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        request = caught.value.response["ResponseMetadata"]["RequestId"]
        assert [one["Action"] for one in told.explain_request(RequestId=request)["Decisions"]] == [action]


def test_an_explicit_deny_is_named_by_its_sid(told: Any, user: User, key: str) -> None:
    user.may(
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
        {"Sid": "NotToday", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"},
    )
    blob = user.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    [decision] = told.explain_request(RequestId=denied(user.kms.decrypt, CiphertextBlob=blob))["Decisions"]
    assert decision["Cause"] == "EXPLICIT_DENY"
    assert decision["DecidedBy"] == [{"Layer": "IDENTITY_POLICY", "Policy": "user policy p", "Index": 2, "Sid": "NotToday"}]


def test_each_account_learns_of_its_own_side(models: Path, server: Server, told: Any, key: str) -> None:
    foreign = clients.kms(server, TWO)
    request = denied(foreign.encrypt, KeyId=key, Plaintext=b"x")
    [owner] = told.explain_request(RequestId=request)["Decisions"]
    assert owner["Cause"] == "OUT_OF_REACH" and owner["HiddenSide"] == "PRINCIPAL"
    assert owner["Statements"] and all(one["Statement"]["Layer"] == "RESOURCE_POLICY" for one in owner["Statements"])
    [caller] = keywright(models, server, TWO).explain_request(RequestId=request)["Decisions"]
    assert caller["Cause"] == "OTHER_ACCOUNT" and caller["HiddenSide"] == "RESOURCE"
    assert all(one["Statement"]["Layer"] == "IDENTITY_POLICY" for one in caller["Statements"])
    # A key that is not there cannot be told from one that is.
    nowhere = key[:-12] + "000000000000"
    absent = denied(foreign.encrypt, KeyId=nowhere, Plaintext=b"x")
    [other] = keywright(models, server, TWO).explain_request(RequestId=absent)["Decisions"]
    for decision in (caller, other):
        for member in ("Resource", "Statements"):
            decision.pop(member)
    assert other == caller


def test_who_may_not_is_not_told(
    models: Path, server: Server, told: Any, user: User, key: str, tmp_path: Path
) -> None:
    request = denied(user.kms.encrypt, KeyId=key, Plaintext=b"x")
    asker = keywright(models, server, user.account)
    arn = f"arn:aws:keywright:{EUROPE}:{ONE.id}:request/{request}"
    text = (
        f"User: {user.arn} is not authorized to perform: keywright:ExplainRequest on resource: {arn} because no "
        "identity-based policy allows the keywright:ExplainRequest action"
    )
    with refused("AccessDeniedException", text):
        asker.explain_request(RequestId=request)
    user.may({"Effect": "Allow", "Action": "keywright:ExplainRequest", "Resource": arn})
    assert asker.explain_request(RequestId=request)["Decisions"]
    # Who could not see the key's policy cannot see who has access.
    with refused("AccessDeniedException"):
        asker.list_key_access(KeyId=key)
    user.may({"Effect": "Allow", "Action": ["kms:GetKeyPolicy", "kms:ListGrants"], "Resource": "*"})
    with refused("AccessDeniedException"):
        asker.list_key_access(KeyId=key)
    allowed = ["kms:GetKeyPolicy", "kms:ListGrants", "keywright:ListKeyAccess"]
    user.may({"Effect": "Allow", "Action": allowed, "Resource": key})
    assert asker.list_key_access(KeyId=key)["Principals"]
    printed = tool(server, tmp_path, "explain", request, account=user.account)
    assert printed.returncode == EXIT_UNEXPECTED and "AccessDeniedException" in printed.stderr


def test_what_was_not_asked_for_is_no_denial(told: Any, server: Server, s3: Any, bucket: str, user: User) -> None:
    """The count of tags is told to who may read them; who may not is denied nothing."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")
    user.may({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
    reader = clients.s3(server, user.account)
    answer = reader.get_object(Bucket=bucket, Key="k")
    assert "TagCount" not in answer
    with refused("NotFoundException"):
        told.explain_request(RequestId=answer["ResponseMetadata"]["RequestId"])
    with pytest.raises(ClientError) as caught:
        reader.get_object_tagging(Bucket=bucket, Key="k")
    asked = caught.value.response["ResponseMetadata"]["RequestId"]
    [decision] = told.explain_request(RequestId=asked)["Decisions"]
    assert decision["Action"] == "s3:GetObjectTagging"


def test_what_is_not_known_is_refused(told: Any, models: Path, server: Server, user: User, key: str) -> None:
    with refused("NotFoundException"):
        told.explain_request(RequestId=UNKNOWN_REQUEST)
    request = denied(user.kms.encrypt, KeyId=key, Plaintext=b"x")
    with refused("NotFoundException"):
        keywright(models, server, TWO).explain_request(RequestId=request)
    with refused("ValidationException"):
        told.explain_request(RequestId="x" * 36)
    with refused("InvalidMarkerException"):
        told.list_key_access(KeyId=key, Marker="nonsense")
    with refused("NotFoundException"):
        told.list_key_access(KeyId="alias/nothing")


def test_calls_that_were_allowed_are_explained_where_policies_are_developed(
    models: Path, dev_server: Server, dev_kms: Any, dev_key: str
) -> None:
    request = dev_kms.encrypt(KeyId=dev_key, Plaintext=b"x")["ResponseMetadata"]["RequestId"]
    [decision] = keywright(models, dev_server, DEVELOPMENT).explain_request(RequestId=request)["Decisions"]
    assert decision["Outcome"] == "ALLOWED" and "Cause" not in decision
    assert [one["Layer"] for one in decision["DecidedBy"]] == ["RESOURCE_POLICY", "IDENTITY_POLICY"]


def test_explanations_outlive_the_process_and_each_side_sees_its_own(models: Path, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    user = User(server, clients.iam(server))
    user.may({"Sid": "App", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"})
    request = denied(user.kms.list_keys)
    guest = clients.kms(server, TWO)
    key = clients.kms(server).create_key()["KeyMetadata"]["Arn"]
    across = denied(guest.describe_key, KeyId=key)
    asked = [(ONE, request), (TWO, across), (ONE, across)]

    def explained() -> list[Any]:
        answers = (keywright(models, server, who).explain_request(RequestId=what) for who, what in asked)
        return [answer["Decisions"] for answer in answers]

    before = explained()
    server.stop()
    server.start()
    assert explained() == before
    assert [decisions[0].get("HiddenSide") for decisions in before] == [None, "RESOURCE", "PRINCIPAL"]
    with refused("NotFoundException"):
        keywright(models, server, TWO).explain_request(RequestId=request)
    server.stop()


def test_denials_can_carry_their_reasons(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html"""
    server = Server(tmp_path, environment={"KEYWRIGHT_EXPLANATIONS_IN_ANSWERS": "true"})
    server.start()
    iam, sts = clients.iam(server), clients.sts(server)
    user = User(server, iam)
    user.may({"Sid": "Never", "Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    with pytest.raises(ClientError) as caught:
        user.kms.list_keys()
    text, encoded = caught.value.response["Error"]["Message"].split(" Encoded authorization failure message: ")
    assert text.endswith("with an explicit deny in an identity-based policy")
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["explicitDeny"] and not decoded["allowed"]
    assert [one["statementId"] for one in decoded["matchedStatements"]["items"]] == ["Never"]
    assert (decoded["context"]["action"], decoded["context"]["principal"]["arn"]) == ("kms:ListKeys", user.arn)
    with refused("InvalidAuthorizationMessageException"):
        sts.decode_authorization_message(EncodedMessage=encoded[:-2])
    with refused("AccessDenied", status=403):
        clients.sts(server, user.account).decode_authorization_message(EncodedMessage=encoded)
    server.stop()


def test_who_can_do_what_is_what_happens(
    server: Server, told: Any, user: User, kms: Any, key: str, tmp_path: Path
) -> None:
    user.may({"Effect": "Allow", "Action": ["kms:Encrypt", "kms:DescribeKey"], "Resource": "*"})
    grant = kms.create_grant(
        KeyId=key,
        GranteePrincipal=user.arn,
        Operations=["Decrypt", "GenerateDataKey"],
        Constraints={"EncryptionContextSubset": {"app": "payroll"}},
    )["GrantId"]
    access = by_principal(told, key)
    assert access[user.arn] == {
        "ALWAYS": {"kms:Encrypt", "kms:DescribeKey"},
        "SOMETIMES": {"kms:Decrypt", "kms:GenerateDataKey"},
    }
    admin = clients.sts(server).get_caller_identity()["Arn"]
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= access[admin]["ALWAYS"]
    user.kms.encrypt(KeyId=key, Plaintext=b"x")
    user.kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"app": "payroll"})
    denied(user.kms.generate_data_key, KeyId=key, KeySpec="AES_256")
    denied(user.kms.get_key_policy, KeyId=key)

    printed = tool(server, tmp_path, "access", key)
    assert printed.returncode == EXIT_OK, printed
    assert f"{user.arn} (user)" in printed.stdout and f"if grant {grant} applies" in printed.stdout
    whole = json.loads(tool(server, tmp_path, "access", key, "--format", "json").stdout)
    assert whole["KeyId"] == key and user.arn in [one["Principal"] for one in whole["Principals"]]

    user.may({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert user.arn not in by_principal(told, key)


def test_what_policies_of_other_accounts_say_is_not_told(server: Server, told: Any, kms: Any, tmp_path: Path) -> None:
    iam, name = clients.iam(server, TWO), fresh("guest")
    guest = iam.create_user(UserName=name)["User"]["Arn"]
    condition = {"StringEquals": {"kms:EncryptionContext:project": "bluebird"}}
    secret = {"Sid": "Bluebird", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [secret]})
    iam.put_user_policy(UserName=name, PolicyName="bluebird", PolicyDocument=document)
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": guest}, "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    [of_guest] = [one for one in told.list_key_access(KeyId=key)["Principals"] if one["Principal"] == guest]
    assert of_guest["HiddenSide"] == "PRINCIPAL" and "luebird" not in json.dumps(of_guest)
    [access] = of_guest["Access"]
    assert (access["Extent"], set(access["Actions"])) == ("ALWAYS", {"kms:Decrypt", "kms:Encrypt"})
    printed = tool(server, tmp_path, "access", key).stdout
    assert f"{guest} (user, as far as that account lets it)" in printed and "luebird" not in printed


def by_principal(told: Any, key: str, limit: int = 3) -> dict[str, dict[str, set[str]]]:
    """What everybody can do, read page by page."""
    found: dict[str, dict[str, set[str]]] = {}
    marker: dict[str, str] = {}
    while True:
        page = told.list_key_access(KeyId=key, Limit=limit, **marker)
        for one in page["Principals"]:
            for access in one["Access"]:
                found.setdefault(one["Principal"], {}).setdefault(access["Extent"], set()).update(access["Actions"])
        if not page["Truncated"]:
            return found
        marker = {"Marker": page["NextMarker"]}


def test_the_command_says_what_is_wrong(server: Server, tmp_path: Path) -> None:
    nobody = run_tool("explain", UNKNOWN_REQUEST, folder=tmp_path, environment={"HOME": str(tmp_path)})
    assert nobody.returncode == EXIT_USAGE and "no credentials" in nobody.stderr
    unreachable = tool(server, tmp_path, "access", "alias/x", "--endpoint-url", "http://127.0.0.1:1")
    assert unreachable.returncode == EXIT_UNEXPECTED and "http://127.0.0.1:1 cannot be called" in unreachable.stderr
    unknown = tool(server, tmp_path, "explain", UNKNOWN_REQUEST)
    assert unknown.returncode == EXIT_UNEXPECTED and "No decision about request" in unknown.stderr
