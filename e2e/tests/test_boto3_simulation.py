"""The policy simulator, through boto3: what it says is what happens.

Sources: AWS IAM API reference, SimulateCustomPolicy, SimulatePrincipalPolicy, GetContextKeysForCustomPolicy,
GetContextKeysForPrincipalPolicy; AWS KMS developer guide, "Key policies in AWS KMS".
"""

import json
import uuid
from typing import Any

import pytest

from harness import clients
from harness.expect import refused
from harness.seed import ONE, Account
from harness.server import Server


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


def deny(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource} | more


def entry(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": list(values)}


@pytest.fixture
def name(iam: Any) -> str:
    """A new user without policies."""
    name = f"user-{uuid.uuid4()}"
    iam.create_user(UserName=name)
    return name


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ONE.id}:user/{name}"


def simulate(iam: Any, name: str, *actions: str, **more: Any) -> list[dict[str, Any]]:
    answer = iam.simulate_principal_policy(PolicySourceArn=arn_of(name), ActionNames=list(actions), **more)
    return answer["EvaluationResults"]


def decisions(results: list[dict[str, Any]]) -> dict[str, str]:
    return {result["EvalActionName"]: result["EvalDecision"] for result in results}


def client(server: Server, iam: Any, name: str) -> Any:
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return clients.kms(server, Account(ONE.id, made["AccessKeyId"], made["SecretAccessKey"], name))


def test_a_user_is_simulated_with_all_its_policies(iam: Any, name: str) -> None:
    group = f"group-{uuid.uuid4()}"
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=name)
    iam.put_group_policy(GroupName=group, PolicyName="g", PolicyDocument=document(allow("kms:Decrypt")))
    iam.put_user_policy(UserName=name, PolicyName="u", PolicyDocument=document(deny("kms:Sign")))
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    decrypt, sign, other = simulate(iam, name, "kms:Decrypt", "kms:Sign", "s3:GetObject")
    assert decisions([decrypt, sign, other]) == {
        "kms:Decrypt": "allowed",
        "kms:Sign": "explicitDeny",
        "s3:GetObject": "allowed",
    }
    assert {matched["SourcePolicyId"] for matched in decrypt["MatchedStatements"]} == {
        "AdministratorAccess",
        f"group_{group}_g",
    }
    # What denies is all that is told.
    assert [matched["SourcePolicyId"] for matched in sign["MatchedStatements"]] == [f"user_{name}_u"]
    assert other["MatchedStatements"] == [
        {
            "SourcePolicyId": "AdministratorAccess",
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 3, "Column": 17},
            "EndPosition": {"Line": 8, "Column": 6},
        }
    ]


def test_iam_allows_and_the_key_policy_does_not(server: Server, iam: Any, kms: Any, name: str, key: str) -> None:
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("kms:*", resource=key)))
    own = client(server, iam, name)
    administrator = allow("kms:*") | {"Principal": {"AWS": ONE.user_arn}}
    delegated = allow("kms:Encrypt") | {"Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"}}
    for key_policy, decided in [
        (document(administrator), "implicitDeny"),
        (document(administrator, delegated), "allowed"),
        (document(administrator, delegated, deny("kms:Encrypt") | {"Principal": {"AWS": arn_of(name)}}), "explicitDeny"),
    ]:
        kms.put_key_policy(KeyId=key, Policy=key_policy)
        stored = kms.get_key_policy(KeyId=key)["Policy"]
        result = simulate(iam, name, "kms:Encrypt", ResourceArns=[key], ResourcePolicy=stored)[0]
        assert result["EvalDecision"] == decided
        assert result["ResourceSpecificResults"][0]["EvalResourceDecision"] == decided
        assert result["EvalDecisionDetails"] == {}
        # And so it is.
        if decided == "allowed":
            own.encrypt(KeyId=key, Plaintext=b"x")
            kinds = [matched["SourcePolicyType"] for matched in result["MatchedStatements"]]
            assert kinds == ["IAM Policy", "Resource Policy"]
        else:
            with refused("AccessDeniedException"):
                own.encrypt(KeyId=key, Plaintext=b"x")


def test_a_key_of_another_account_takes_both(iam: Any) -> None:
    key = "arn:aws:kms:eu-central-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    caller = arn_of("whoever")
    opened = document(allow("kms:Decrypt") | {"Principal": {"AWS": ONE.id}})
    for policy, decided, of_identity in [
        (document(allow("kms:*")), "allowed", "allowed"),
        (document(allow("s3:*")), "implicitDeny", "implicitDeny"),
    ]:
        result = iam.simulate_custom_policy(
            PolicyInputList=[policy],
            ActionNames=["kms:Decrypt"],
            ResourceArns=[key],
            ResourcePolicy=opened,
            CallerArn=caller,
        )["EvaluationResults"][0]
        assert result["EvalDecision"] == decided
        assert result["EvalDecisionDetails"] == {"IAM Policy": of_identity, "Resource Policy": "allowed"}


def test_a_boundary_bounds(iam: Any, name: str) -> None:
    policy = f"bound-{uuid.uuid4()}"
    bound = iam.create_policy(PolicyName=policy, PolicyDocument=document(allow("kms:Encrypt")))["Policy"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("kms:*")))
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=bound)
    encrypt, decrypt = simulate(iam, name, "kms:Encrypt", "kms:Decrypt")
    assert (encrypt["EvalDecision"], decrypt["EvalDecision"]) == ("allowed", "implicitDeny")
    detail = "PermissionsBoundaryDecisionDetail"
    assert encrypt[detail] == {"AllowedByPermissionsBoundary": True}
    assert decrypt[detail] == {"AllowedByPermissionsBoundary": False}
    without = simulate(iam, name, "kms:Decrypt", PolicyExclusionList=[{"PolicyType": "permission-boundary"}])[0]
    assert without["EvalDecision"] == "allowed" and detail not in without
    other = simulate(iam, name, "kms:Decrypt", PermissionsBoundaryPolicyInputList=[document(allow("*"))])[0]
    assert other["EvalDecision"] == "allowed"


def test_what_a_policy_asks_about_must_be_stated(iam: Any, name: str) -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:App": "x"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    iam.put_user_policy(
        UserName=name, PolicyName="p", PolicyDocument=document(allow("kms:Encrypt", Condition=condition))
    )
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn_of(name))["ContextKeyNames"]
    assert sorted(keys) == ["aws:SourceIp", "kms:EncryptionContext:App"]
    missing = simulate(iam, name, "kms:Encrypt")[0]
    assert missing["EvalDecision"] == "implicitDeny" and sorted(missing["MissingContextValues"]) == sorted(keys)
    app, address = entry("kms:EncryptionContext:App", "string", "x"), entry("aws:SourceIp", "ip", "192.0.2.7")
    partly = simulate(iam, name, "kms:Encrypt", ContextEntries=[app])[0]
    assert partly["EvalDecision"] == "implicitDeny" and partly["MissingContextValues"] == ["aws:SourceIp"]
    stated = simulate(iam, name, "kms:Encrypt", ContextEntries=[app, address])[0]
    assert stated["EvalDecision"] == "allowed" and stated["MissingContextValues"] == []
    elsewhere = entry("aws:SourceIp", "ip", "198.51.100.7")
    assert simulate(iam, name, "kms:Encrypt", ContextEntries=[app, elsewhere])[0]["EvalDecision"] == "implicitDeny"


def test_policies_that_nobody_has_are_simulated(iam: Any) -> None:
    policy = document(
        allow("kms:*", resource="arn:aws:kms:*:*:key/${aws:username}"),
        deny("kms:Sign", Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["secret"]}}),
    )
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert keys == ["aws:username", "aws:TagKeys"]
    key = f"arn:aws:kms:eu-central-1:{ONE.id}:key/alice"
    for entries, decided in [([], "allowed"), ([entry("aws:TagKeys", "stringList", "a", "secret")], "explicitDeny")]:
        result = iam.simulate_custom_policy(
            PolicyInputList=[policy],
            ActionNames=["kms:Sign"],
            ResourceArns=[key],
            CallerArn=arn_of("alice"),
            ContextEntries=entries,
        )["EvaluationResults"][0]
        assert result["EvalDecision"] == decided
        assert result["EvalResourceName"] == key
    organisation = [
        {"ServiceControlPolicyInputList": [document(allow("*"))]},
        {"ServiceControlPolicyInputList": [document(allow("s3:*"))]},
    ]
    result = iam.simulate_custom_policy(
        PolicyInputList=[policy], ActionNames=["kms:Sign"], OrderedOrganizationPolicyInputList=organisation
    )["EvaluationResults"][0]
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_results_come_in_pages(iam: Any) -> None:
    actions = [f"kms:Action{number}" for number in range(250)]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[document(allow("*"))], ActionNames=actions
    )
    sizes, told = [], []
    for page in pages:
        sizes.append(len(page["EvaluationResults"]))
        told += [result["EvalActionName"] for result in page["EvaluationResults"]]
    assert (sizes, told) == ([100, 100, 50], actions)


def test_who_may_simulate(server: Server, iam: Any, name: str) -> None:
    made = iam.create_access_key(UserName=name)["AccessKey"]
    own = clients.iam(server, Account(ONE.id, made["AccessKeyId"], made["SecretAccessKey"], name))
    policies = {"PolicyInputList": [document(allow("*"))], "ActionNames": ["kms:Sign"]}
    with refused("AccessDenied", status=403):
        own.simulate_custom_policy(**policies)
    with refused("AccessDenied", status=403):
        simulate(own, name, "kms:Sign")
    iam.put_user_policy(
        UserName=name,
        PolicyName="p",
        PolicyDocument=document(
            allow("iam:SimulateCustomPolicy"), allow("iam:SimulatePrincipalPolicy", resource=arn_of(name))
        ),
    )
    assert own.simulate_custom_policy(**policies)["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert decisions(simulate(own, name, "kms:Sign")) == {"kms:Sign": "implicitDeny"}
    with refused("AccessDenied", status=403):
        simulate(own, ONE.user, "kms:Sign")


def test_what_has_no_meaning_is_refused(iam: Any) -> None:
    policies = {"PolicyInputList": [document(allow("*"))], "ActionNames": ["kms:Sign"]}
    with refused("InvalidInput"):
        iam.simulate_custom_policy(**policies | {"ActionNames": ["kms:*"]})
    with refused("InvalidInput"):
        iam.simulate_custom_policy(**policies | {"PolicyInputList": ["{}"]})
    with refused("InvalidInput"):
        iam.simulate_custom_policy(**policies, ResourceArns=["key/1234"])
    with refused("InvalidInput"):
        iam.simulate_custom_policy(**policies, ContextEntries=[entry("aws:SourceIp", "ip", "nowhere")])
    with refused("NoSuchEntity", status=404):
        simulate(iam, "nobody-of-this-name", "kms:Sign")
