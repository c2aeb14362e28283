"""Groups and their members through boto3.

Source: IAM API Reference (CreateGroup, GetGroup, AddUserToGroup, …); IAM user guide, "IAM and AWS STS quotas".
"""

from typing import Any

import pytest

from harness.expect import refused
from harness.iam import fresh
from harness.seed import ONE


@pytest.fixture
def group(iam: Any) -> str:
    return iam.create_group(GroupName=fresh("group"))["Group"]["GroupName"]


@pytest.fixture
def user(iam: Any) -> str:
    return iam.create_user(UserName=fresh("member"))["User"]["UserName"]


def members(iam: Any, group: str) -> list[str]:
    pages = iam.get_paginator("get_group").paginate(GroupName=group)
    return [user["UserName"] for page in pages for user in page["Users"]]


def groups_of(iam: Any, user: str) -> list[str]:
    return [group["GroupName"] for group in iam.list_groups_for_user(UserName=user)["Groups"]]


def test_a_group_is_made_read_and_deleted(iam: Any) -> None:
    name = fresh("Team")
    made = iam.create_group(GroupName=name, Path="/x/")["Group"]
    assert made["Arn"] == f"arn:aws:iam::{ONE.id}:group/x/{name}"
    assert made["GroupId"].startswith("AGPA")
    assert iam.get_group(GroupName=name)["Group"] == made
    with refused("EntityAlreadyExists", f"Group with name {name.lower()} already exists.", 409):
        iam.create_group(GroupName=name.lower())
    assert made in iam.list_groups(PathPrefix="/x/")["Groups"]
    iam.delete_group(GroupName=name)
    with refused("NoSuchEntity", f"The group with name {name} cannot be found.", 404):
        iam.get_group(GroupName=name)


def test_members_come_and_go(iam: Any, group: str, user: str) -> None:
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.add_user_to_group(GroupName=group, UserName=user.upper())
    assert (members(iam, group), groups_of(iam, user)) == ([user], [group])
    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first.", 409):
        iam.delete_group(GroupName=group)
    iam.remove_user_from_group(GroupName=group, UserName=user)
    assert (members(iam, group), groups_of(iam, user)) == ([], [])
    with refused("NoSuchEntity", f"User {user} is not in group {group}.", 404):
        iam.remove_user_from_group(GroupName=group, UserName=user)
    iam.delete_group(GroupName=group)


def test_who_or_what_is_not_there(iam: Any, group: str, user: str) -> None:
    with refused("NoSuchEntity", "The user with name nobody cannot be found.", 404):
        iam.add_user_to_group(GroupName=group, UserName="nobody")
    with refused("NoSuchEntity", "The group with name nothing cannot be found.", 404):
        iam.add_user_to_group(GroupName="nothing", UserName=user)


def test_new_names_keep_members(iam: Any, group: str, user: str) -> None:
    iam.add_user_to_group(GroupName=group, UserName=user)
    renamed_group, renamed_user = fresh("other"), fresh("somebody")
    iam.update_group(GroupName=group, NewGroupName=renamed_group, NewPath="/y/")
    iam.update_user(UserName=user, NewUserName=renamed_user)
    assert (members(iam, renamed_group), groups_of(iam, renamed_user)) == ([renamed_user], [renamed_group])
    with refused("NoSuchEntity", status=404):
        iam.get_group(GroupName=group)
    iam.create_group(GroupName=group)
    assert members(iam, group) == [], "a group made again is another one"
    with refused("EntityAlreadyExists", status=409):
        iam.update_group(GroupName=renamed_group, NewGroupName=group)


def test_a_user_is_in_ten_groups_at_most(iam: Any, user: str) -> None:
    names = [iam.create_group(GroupName=fresh("of-eleven"))["Group"]["GroupName"] for _ in range(11)]
    for name in names[:10]:
        iam.add_user_to_group(GroupName=name, UserName=user)
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409):
        iam.add_user_to_group(GroupName=names[10], UserName=user)
    first = iam.list_groups_for_user(UserName=user, MaxItems=4)
    assert first["IsTruncated"] and len(first["Groups"]) == 4


def test_members_are_paged(iam: Any, group: str) -> None:
    names = [iam.create_user(UserName=fresh("paged"))["User"]["UserName"] for _ in range(5)]
    for name in names:
        iam.add_user_to_group(GroupName=group, UserName=name)
    pages = list(iam.get_paginator("get_group").paginate(GroupName=group, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert sorted(members(iam, group)) == sorted(names)
