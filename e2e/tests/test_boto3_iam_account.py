"""The account itself, the protocol, and the AWS CLI.

Source: IAM API Reference (GetAccountSummary, CreateAccountAlias, "Common errors"); the Query protocol.
"""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from harness import clients, trail
from harness.clients import account_environment, run
from harness.expect import refused
from harness.iam import ALLOW, fresh, text
from harness.raw import Request, exchange, sign
from harness.seed import ONE, TWO
from harness.server import Server

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def post(server: Server, body: bytes) -> Any:
    return exchange(server, sign(server, Request("POST", "/", {"Content-Type": FORM}, body), service="iam"))


def test_the_summary_counts(fresh_server: Server) -> None:
    iam = clients.iam(fresh_server)
    before = iam.get_account_summary()["SummaryMap"]
    assert (before["Users"], before["UsersQuota"], before["VersionsPerPolicyQuota"]) == (1, 5_000, 5)
    iam.create_user(UserName="a")
    iam.create_group(GroupName="a")
    iam.create_policy(PolicyName="a", PolicyDocument=text(ALLOW))
    after = iam.get_account_summary()["SummaryMap"]
    assert [after[kind] - before[kind] for kind in ("Users", "Groups", "Policies", "Roles")] == [1, 1, 1, 0]
    iam.delete_user(UserName="a")
    assert iam.get_account_summary()["SummaryMap"]["Users"] == 1


def test_an_account_has_one_alias_and_an_alias_one_account(server: Server) -> None:
    one, two = clients.iam(server), clients.iam(server, TWO)
    one.create_account_alias(AccountAlias="one-first")
    one.create_account_alias(AccountAlias="one-second")
    assert one.list_account_aliases()["AccountAliases"] == ["one-second"]
    with refused("EntityAlreadyExists", "The account alias one-second already exists.", 409):
        two.create_account_alias(AccountAlias="one-second")
    two.create_account_alias(AccountAlias="one-first")
    with refused("NoSuchEntity", "The account alias with name one-first cannot be found.", 404):
        one.delete_account_alias(AccountAlias="one-first")
    one.delete_account_alias(AccountAlias="one-second")
    two.delete_account_alias(AccountAlias="one-first")
    assert one.list_account_aliases()["AccountAliases"] == two.list_account_aliases()["AccountAliases"] == []
    with refused("NoSuchEntity", status=404):
        one.get_account_password_policy()


def test_the_answer_in_full(server: Server) -> None:
    name = fresh("full")
    answer = post(server, f"Action=CreateGroup&Version=2010-05-08&GroupName={name}".encode())
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml")
    body = answer.body.decode()
    assert body.startswith('<CreateGroupResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateGroupResult>')
    assert f"<RequestId>{answer.request_id}</RequestId>" in body
    answer = post(server, f"Action=DeleteGroup&Version=2010-05-08&GroupName={name}".encode())
    assert b"Result>" not in answer.body
    answer = post(server, f"Action=GetGroup&Version=2010-05-08&GroupName={name}".encode())
    assert answer.status == 404
    assert answer.body.startswith(b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender')


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingAction"),
        (b"Version=2010-05-08", "MissingAction"),
        (b"Action=createuser&Version=2010-05-08", "InvalidAction"),
        (b"Action=CreateSAMLProvider&Version=2010-05-08", "InvalidAction"),
        (b"Action=GetUser&Version=2011-06-15", "InvalidAction"),
        (b"Action=GetUser", "InvalidAction"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=x", "MalformedInput"),
        (b"Action=CreateUser&Version=2010-05-08", "ValidationError"),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags=x", "MalformedInput"),
        (b"Action=\xff", "MalformedQueryString"),
    ],
)
def test_requests_that_are_none(server: Server, body: bytes, code: str) -> None:
    answer = post(server, body)
    assert answer.status in (400, 404), answer
    assert f"<Code>{code}</Code>".encode() in answer.body


def test_what_is_done_is_in_the_trail_at_once(fresh_server: Server) -> None:
    iam = clients.iam(fresh_server)
    iam.create_user(UserName="trailed")
    key = iam.create_access_key(UserName="trailed")["AccessKey"]
    iam.get_user(UserName="trailed")
    with refused("EntityAlreadyExists", status=409):
        iam.create_user(UserName="trailed")
    found = trail.events(fresh_server, eventType="AwsApiCall")
    assert not any(key["SecretAccessKey"] in json.dumps(event) for event in found)
    assert [event["eventName"] for event in found] == ["CreateUser", "CreateAccessKey", "GetUser", "CreateUser"]
    assert [event.get("errorCode") for event in found] == [None, None, None, "EntityAlreadyExists"]
    assert {(event["eventSource"], event["awsRegion"]) for event in found} == {("iam.amazonaws.com", "us-east-1")}
    assert found[0]["resources"][0]["ARN"] == f"arn:aws:iam::{ONE.id}:user/trailed"
    assert found[0]["userIdentity"]["arn"] == ONE.user_arn


def test_of_many_at_once_none_is_lost(server: Server) -> None:
    iam = clients.iam(server)
    group = iam.create_group(GroupName=fresh("crowd"))["Group"]["GroupName"]
    names = [fresh("crowd") for _ in range(16)]
    failures: list[Exception] = []

    def join(name: str) -> None:
        try:
            iam.create_user(UserName=name)
            iam.add_user_to_group(GroupName=group, UserName=name)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=join, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {user["UserName"] for user in iam.get_group(GroupName=group)["Users"]} == set(names)


def test_the_cli(server: Server, tmp_path: Path) -> None:
    def aws(*arguments: str) -> Any:
        finished = run(["aws", "iam", *arguments, "--output", "json"], tmp_path, account_environment(server))
        assert finished.returncode == 0, finished
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    user, policy = fresh("cli-user"), fresh("cli-policy")
    (tmp_path / "policy.json").write_text(text(ALLOW))
    made = aws("create-user", "--user-name", user, "--tags", "Key=team,Value=a b", "Key=x,Value=")
    assert made["User"]["Tags"] == [{"Key": "team", "Value": "a b"}, {"Key": "x", "Value": ""}]
    arn = aws("create-policy", "--policy-name", policy, "--policy-document", "file://policy.json")["Policy"]["Arn"]
    aws("attach-user-policy", "--user-name", user, "--policy-arn", arn)
    attached = aws("list-attached-user-policies", "--user-name", user)
    assert attached["AttachedPolicies"] == [{"PolicyName": policy, "PolicyArn": arn}]
    assert aws("get-policy-version", "--policy-arn", arn, "--version-id", "v1")["PolicyVersion"]["Document"] == ALLOW
    assert user in [entry["UserName"] for entry in aws("list-users", "--max-items", "1000")["Users"]]
    key = aws("create-access-key", "--user-name", user)["AccessKey"]
    environment = account_environment(server) | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    who = run(["aws", "sts", "get-caller-identity", "--output", "json"], tmp_path, environment)
    assert json.loads(who.stdout)["Arn"] == made["User"]["Arn"]
    missing = run(["aws", "iam", "get-user", "--user-name", "nobody"], tmp_path, account_environment(server))
    assert "(NoSuchEntity)" in missing.stderr and "The user with name nobody cannot be found." in missing.stderr
