"""Users and their access keys through boto3.

Source: IAM API Reference (CreateUser, UpdateUser, DeleteUser, CreateAccessKey, UpdateAccessKey, …); IAM user guide,
"IAM identifiers" and "IAM and AWS STS quotas".
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from harness import clients
from harness.expect import CONSTRAINT, refused
from harness.iam import ALLOW, fresh, text
from harness.seed import AMERICA, EUROPE, ONE, TWO, Account
from harness.server import Server


@pytest.fixture
def user(iam: Any) -> str:
    """The name of a user whom nobody else uses."""
    return iam.create_user(UserName=fresh("user"))["User"]["UserName"]


def keys_of(iam: Any, user: str) -> dict[str, str]:
    return {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}


def account_of(key: dict[str, Any]) -> Account:
    return Account(ONE.id, key["AccessKeyId"], key["SecretAccessKey"], key["UserName"])


def test_a_user_is_made_and_read(iam: Any) -> None:
    name = fresh("Alice")
    made = iam.create_user(UserName=name, Path="/ops/eu/", Tags=[{"Key": "Team", "Value": "a b"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ONE.id}:user/ops/eu/{name}"
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", made["UserId"])
    assert made["Tags"] == [{"Key": "Team", "Value": "a b"}]
    assert made == iam.get_user(UserName=name)["User"] == iam.get_user(UserName=name.lower())["User"]
    iam.delete_user(UserName=name)
    with refused("NoSuchEntity", f"The user with name {name} cannot be found.", 404):
        iam.get_user(UserName=name)


@pytest.mark.parametrize("region", [EUROPE, AMERICA])
def test_the_caller_is_the_default(server: Server, region: str) -> None:
    assert clients.iam(server, region=region).get_user()["User"]["Arn"] == ONE.user_arn
    assert clients.iam(server, TWO, region).get_user()["User"]["Arn"] == TWO.user_arn


def test_names_differ_by_more_than_case(iam: Any, user: str) -> None:
    with refused("EntityAlreadyExists", f"User with name {user.upper()} already exists.", 409):
        iam.create_user(UserName=user.upper(), Path="/elsewhere/")


def test_made_again_is_somebody_else(iam: Any, user: str) -> None:
    before = iam.get_user(UserName=user)["User"]["UserId"]
    iam.delete_user(UserName=user)
    assert iam.create_user(UserName=user)["User"]["UserId"] != before


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"UserName": "a b"}, "Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular "
         r"expression pattern: [\w+=,.@-]+"),
        ({"UserName": "n" * 65}, f"Value '{'n' * 65}' at 'userName' failed to satisfy constraint: Member must have "
         "length less than or equal to 64"),
        ({"UserName": "a", "Path": "ops"}, "Value 'ops' at 'path' failed to satisfy constraint: Member must satisfy "
         r"regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F)"),
    ],
    ids=["form", "length", "path"],
)  # fmt: skip
def test_constraints_of_the_model(server: Server, parameters: dict[str, str], text: str) -> None:
    with refused("ValidationError", CONSTRAINT + text):
        clients.iam(server, parameter_validation=False).create_user(**parameters)


def test_a_user_gets_another_name_and_path(server: Server, iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text(ALLOW))
    before = iam.get_user(UserName=user)["User"]
    name = fresh("renamed")
    iam.update_user(UserName=user, NewUserName=name, NewPath="/x/")
    after = iam.get_user(UserName=name)["User"]
    assert (after["UserId"], after["CreateDate"]) == (before["UserId"], before["CreateDate"])
    assert after["Arn"] == f"arn:aws:iam::{ONE.id}:user/x/{name}"
    # The access key and the policies are still the user's, under the new name.
    assert clients.sts(server, account_of(key)).get_caller_identity()["Arn"] == after["Arn"]
    assert iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["UserName"] == name
    assert iam.get_user_policy(UserName=name, PolicyName="p")["PolicyDocument"] == ALLOW
    with refused("NoSuchEntity", status=404):
        iam.get_user(UserName=user)
    with refused("EntityAlreadyExists", f"User with name {ONE.user} already exists.", 409):
        iam.update_user(UserName=name, NewUserName=ONE.user)


def test_a_user_who_has_something_left_cannot_be_deleted(iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    group = iam.create_group(GroupName=fresh("group"))["Group"]["GroupName"]
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text(ALLOW))
    for needed, amend in [
        ("must delete access keys", lambda: iam.delete_access_key(UserName=user, AccessKeyId=key)),
        ("must remove users from group", lambda: iam.remove_user_from_group(GroupName=group, UserName=user)),
        ("must detach all policies", lambda: iam.detach_user_policy(
            UserName=user, PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")),
        ("must delete policies", lambda: iam.delete_user_policy(UserName=user, PolicyName="p")),
    ]:  # fmt: skip
        with refused("DeleteConflict", f"Cannot delete entity, {needed} first.", 409):
            iam.delete_user(UserName=user)
        amend()
    iam.delete_user(UserName=user)


def test_tags_keep_their_case_and_differ_by_more(iam: Any, user: str) -> None:
    iam.tag_user(UserName=user, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])
    iam.tag_user(UserName=user, Tags=[{"Key": "B", "Value": "3"}])
    assert iam.list_user_tags(UserName=user)["Tags"] == [{"Key": "B", "Value": "3"}, {"Key": "a", "Value": "1"}]
    with refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
        iam.tag_user(UserName=user, Tags=[{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}])
    iam.untag_user(UserName=user, TagKeys=["A", "never there"])
    assert iam.list_user_tags(UserName=user)["Tags"] == [{"Key": "B", "Value": "3"}]
    assert iam.get_user(UserName=user)["User"]["Tags"] == [{"Key": "B", "Value": "3"}]


def test_lists_are_paged_and_filtered(iam: Any) -> None:
    path = f"/{fresh('list')}/"
    names = [iam.create_user(UserName=fresh("Listed"), Path=path)["User"]["UserName"] for _ in range(5)]
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    users = [user for page in pages for user in page["Users"]]
    assert sorted(user["UserName"] for user in users) == sorted(names)
    assert all("Tags" not in user for user in users)
    first = iam.list_users(PathPrefix=path, MaxItems=2)
    assert first["IsTruncated"]
    with refused("ValidationError", "Invalid Marker."):
        iam.list_users(Marker=first["Marker"])
    assert iam.list_users(PathPrefix="/nobody/")["Users"] == []


@pytest.fixture
def keyed(iam: Any, user: str) -> Iterator[Account]:
    """A user with an access key."""
    yield account_of(iam.create_access_key(UserName=user)["AccessKey"])


def test_an_access_key_works_at_once_until_it_is_inactive_or_gone(server: Server, iam: Any, keyed: Account) -> None:
    iam.attach_user_policy(UserName=keyed.user, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    sts = clients.sts(server, keyed)
    kms = clients.kms(server, keyed)
    assert sts.get_caller_identity()["Arn"] == keyed.user_arn
    kms.list_keys()
    iam.update_access_key(UserName=keyed.user, AccessKeyId=keyed.access_key_id, Status="Inactive")
    assert keys_of(iam, keyed.user) == {keyed.access_key_id: "Inactive"}
    with refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403):
        sts.get_caller_identity()
    with refused("UnrecognizedClientException"):
        kms.list_keys()
    iam.update_access_key(UserName=keyed.user, AccessKeyId=keyed.access_key_id, Status="Active")
    assert sts.get_caller_identity()["Arn"] == keyed.user_arn
    iam.delete_access_key(UserName=keyed.user, AccessKeyId=keyed.access_key_id)
    with refused("InvalidClientTokenId", status=403):
        sts.get_caller_identity()


def test_access_keys_have_awss_form_and_there_are_two_at_most(iam: Any, user: str) -> None:
    keys = [iam.create_access_key(UserName=user)["AccessKey"] for _ in range(2)]
    for key in keys:
        assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"])
        assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key["SecretAccessKey"])
        assert (key["UserName"], key["Status"]) == (user, "Active")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
        iam.create_access_key(UserName=user)
    assert set(keys_of(iam, user)) == {key["AccessKeyId"] for key in keys}


def test_access_keys_are_the_callers_by_default(server: Server, iam: Any, keyed: Account) -> None:
    iam.attach_user_policy(UserName=keyed.user, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    own = clients.iam(server, keyed)
    second = own.create_access_key()["AccessKey"]
    assert second["UserName"] == keyed.user
    assert {key["AccessKeyId"] for key in own.list_access_keys()["AccessKeyMetadata"]} == {
        keyed.access_key_id,
        second["AccessKeyId"],
    }
    own.delete_access_key(AccessKeyId=second["AccessKeyId"])
    missing = f"The Access Key with id {second['AccessKeyId']} cannot be found."
    with refused("NoSuchEntity", missing, 404):
        own.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Active")
    with refused("NoSuchEntity", f"The Access Key with id {ONE.access_key_id} cannot be found.", 404):
        own.delete_access_key(AccessKeyId=ONE.access_key_id)


def test_whose_access_key_it_is(server: Server, iam: Any, keyed: Account) -> None:
    answer = iam.get_access_key_last_used(AccessKeyId=keyed.access_key_id)
    assert answer["UserName"] == keyed.user
    assert answer["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    with refused("NoSuchEntity", status=404):
        clients.iam(server, TWO).get_access_key_last_used(AccessKeyId=keyed.access_key_id)


def test_what_there_is_none_of(iam: Any, user: str) -> None:
    assert iam.list_mfa_devices(UserName=user)["MFADevices"] == []
    assert iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName=user)["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    with refused("NoSuchEntity", f"Login Profile for User {user} cannot be found.", 404):
        iam.get_login_profile(UserName=user)
    with refused("NoSuchEntity", "The user with name nobody cannot be found.", 404):
        iam.list_mfa_devices(UserName="nobody")


def test_accounts_do_not_see_one_another(server: Server, user: str) -> None:
    other = clients.iam(server, TWO)
    with refused("NoSuchEntity", status=404):
        other.get_user(UserName=user)
    assert user not in {listed["UserName"] for listed in other.list_users()["Users"]}


def test_everything_is_there_after_a_restart(fresh_server: Server) -> None:
    iam = clients.iam(fresh_server)
    iam.create_user(UserName="bob", Tags=[{"Key": "k", "Value": "v"}])
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="bob")
    iam.put_group_policy(GroupName="team", PolicyName="p", PolicyDocument=text(ALLOW))
    before = iam.get_user(UserName="bob")["User"]
    fresh_server.restart()
    iam = clients.iam(fresh_server)
    assert iam.get_user(UserName="bob")["User"] == before
    assert [user["UserName"] for user in iam.get_group(GroupName="team")["Users"]] == ["bob"]
    assert iam.get_group_policy(GroupName="team", PolicyName="p")["PolicyDocument"] == ALLOW
    assert clients.sts(fresh_server, account_of(key)).get_caller_identity()["UserId"] == before["UserId"]
