"""Guardrails of an organisation: service and resource control policies out of the configuration, through boto3.

Sources: AWS Organizations user guide, "Service control policies", "Resource control policies"; IAM user guide, "Policy
evaluation logic"; KMS developer guide, "Resource control policies in AWS KMS".
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import Account, EUROPE, ONE, ROOT, TWO
from harness.server import Server, StartFailed

ORGANIZATION = """
[organization]
id = "o-a1b2c3d4e5"
root = "r-f6g7"

[[organization.unit]]
id = "ou-f6g7-workloads"

[[organization.unit]]
id = "ou-f6g7-shop"
parent = "ou-f6g7-workloads"
service_control_policies = ["{folder}/no-deletion.json"]

[[organization.account]]
id = "{one}"
unit = "ou-f6g7-shop"
resource_control_policies = ["{folder}/perimeter.json"]

[[organization.account]]
id = "{two}"
full_aws_access = false
service_control_policies = ["{folder}/only-reading.json"]
"""

DENY_DELETION = {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
ONLY_READING = {"Effect": "Allow", "Action": ["kms:DescribeKey", "kms:List*", "sts:*"], "Resource": "*"}
PERIMETER = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["kms:Decrypt", "s3:GetObject"],
    "Resource": "*",
    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgPaths": "x"}, "Bool": {"aws:SecureTransport": "false"}},
}


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def configured(folder: Path, text: str = ORGANIZATION) -> Path:
    (folder / "no-deletion.json").write_text(document(DENY_DELETION))
    (folder / "only-reading.json").write_text(document(ONLY_READING))
    (folder / "perimeter.json").write_text(document(PERIMETER))
    config = folder / "keywright.toml"
    config.write_text(text.format(folder=folder, one=ONE.id, two=TWO.id))
    return config


@pytest.fixture(scope="module")
def organized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("organization")
    server = Server(folder, arguments=("--config", str(configured(folder))))
    server.start()
    yield server
    server.close()


def test_a_deny_of_a_unit_above_holds_for_administrators_and_root(organized: Server) -> None:
    kms = clients.kms(organized)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    text = re.compile(r".*kms:ScheduleKeyDeletion on resource: .* with an explicit deny in a service control policy")
    for caller in (kms, clients.kms(organized, ROOT)):
        with refused("AccessDeniedException", text):
            caller.schedule_key_deletion(KeyId=key)
    clients.kms(organized, ROOT).disable_key(KeyId=key)


def test_a_simulation_reckons_with_the_organisation(organized: Server) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html"""
    iam = clients.iam(organized)
    asked = iam.simulate_principal_policy(
        PolicySourceArn=ONE.user_arn, ActionNames=["kms:ScheduleKeyDeletion", "kms:DisableKey"]
    )["EvaluationResults"]
    told = [(one["EvalDecision"], one["OrganizationsDecisionDetail"]["AllowedByOrganizations"]) for one in asked]
    assert told == [("explicitDeny", False), ("allowed", True)]


def test_what_no_policy_of_a_level_allows_is_refused(organized: Server) -> None:
    kms = clients.kms(organized, TWO)
    kms.list_keys()
    with refused("AccessDeniedException", re.compile(".* because no service control policy allows the kms:CreateKey action")):
        kms.create_key()
    iam = clients.iam(organized, TWO)
    with refused("AccessDenied", re.compile(".*no service control policy allows the iam:ListUsers action"), status=403):
        iam.list_users()


def test_a_resource_control_policy_guards_the_keys_of_its_account(organized: Server) -> None:
    kms = clients.kms(organized)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException", re.compile(".* with an explicit deny in a resource control policy")):
        kms.decrypt(CiphertextBlob=blob)


def test_a_resource_control_policy_guards_the_objects_of_its_account(organized: Server) -> None:
    s3 = clients.s3(organized)
    s3.create_bucket(Bucket="guarded", CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.put_object(Bucket="guarded", Key="k", Body=b"x")
    text = re.compile(".* with an explicit deny in a resource control policy")
    with refused("AccessDenied", text, status=403):
        s3.get_object(Bucket="guarded", Key="k")
    # A bucket policy cannot open what the organisation closes.
    opened = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::guarded/*"}
    s3.delete_public_access_block(Bucket="guarded")
    s3.put_bucket_policy(Bucket="guarded", Policy=document(opened))
    with refused("AccessDenied", text, status=403):
        s3.get_object(Bucket="guarded", Key="k")
    s3.head_bucket(Bucket="guarded")


def test_the_organization_is_a_condition(organized: Server) -> None:
    iam, kms = clients.iam(organized), clients.kms(organized)
    condition = {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "o-a1b2c3d4e5"},
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-f6g7/ou-f6g7-workloads/*"},
    }
    own = {"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Action": "kms:*", "Resource": "*"}
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*", "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, anybody]})
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    iam.create_user(UserName="member")
    made = iam.create_access_key(UserName="member")["AccessKey"]
    member = clients.kms(organized, Account(ONE.id, made["AccessKeyId"], made["SecretAccessKey"], "member"))
    member.describe_key(KeyId=key)
    with refused("AccessDeniedException"):
        member.get_key_policy(KeyId=key)
    with refused("AccessDeniedException"):
        clients.kms(organized, TWO).describe_key(KeyId=key)  # of the organisation, but not of that unit


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("o-a1b2c3d4e5", "a1"), "organization.id"),
        (('root = "r-f6g7"', 'root = "root"'), "organization.root"),
        (('parent = "ou-f6g7-workloads"', 'parent = "ou-f6g7-shop"'), "ou-f6g7-shop"),
        (('unit = "ou-f6g7-shop"', 'unit = "ou-none"'), "ou-none"),
        (('id = "{two}"', 'id = "{one}"'), "twice"),
        (("no-deletion.json", "none.json"), "none.json"),
        (("no-deletion.json", "perimeter.json"), "Principal"),
        (("full_aws_access = false", "full_access = false"), "full_access"),
    ],
)
def test_a_mistake_stops_the_start(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    config = configured(tmp_path, ORGANIZATION.replace(*change))
    with pytest.raises(StartFailed) as failed:
        Server(tmp_path, arguments=("--config", str(config))).start()
    assert failed.value.exit_code == 2 and words in failed.value.log, failed.value.log
