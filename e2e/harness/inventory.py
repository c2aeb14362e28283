"""Everything that an account has, as its administrator sees it: to tell whether somebody changed it."""

from typing import Any

from harness import clients
from harness.seed import Account
from harness.server import Server

# What is told of each user, role, group and policy, and of each key.
OF_IDENTITIES: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("list_users", "Users", "UserName"): (
        "get_user", "list_access_keys", "list_attached_user_policies", "list_user_policies", "list_groups_for_user",
        "list_user_tags",
    ),
    ("list_roles", "Roles", "RoleName"): (
        "get_role", "list_attached_role_policies", "list_role_policies", "list_role_tags",
    ),
    ("list_groups", "Groups", "GroupName"): ("get_group", "list_attached_group_policies", "list_group_policies"),
    ("list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"): (),
}  # fmt: skip
OF_POLICIES = ("get_policy", "list_policy_versions", "list_entities_for_policy", "list_policy_tags")
OF_KEYS = (
    "describe_key", "get_key_policy", "get_key_rotation_status", "list_aliases", "list_grants", "list_key_rotations",
    "list_resource_tags",
)  # fmt: skip


def inventory(server: Server, account: Account, *regions: str) -> list[Any]:
    """All of it, in an order of its own."""
    found = _identities(clients.iam(server, account))
    for region in regions:
        kms = clients.kms(server, account, region)
        found.append(_answer(kms, "list_aliases"))
        found += _trails(clients.cloudtrail(server, account, region))
        for key in _listed(kms, "list_keys", "Keys"):
            found += [_answer(kms, operation, KeyId=key["KeyId"]) for operation in OF_KEYS]
    return found


def _identities(iam: Any) -> list[Any]:
    found = [_answer(iam, "get_account_summary"), _answer(iam, "list_account_aliases")]
    for (operation, member, name), details in OF_IDENTITIES.items():
        for entry in _listed(iam, operation, member):
            found.append(entry)
            found += [_answer(iam, detail, **{name: entry[name]}) for detail in details]
            found += _inline_policies(iam, name, entry[name])
    for policy in _listed(iam, "list_policies", "Policies", Scope="Local"):
        found += [_answer(iam, detail, PolicyArn=policy["Arn"]) for detail in OF_POLICIES]
    for provider in _listed(iam, "list_open_id_connect_providers", "OpenIDConnectProviderList"):
        found.append(_answer(iam, "get_open_id_connect_provider", OpenIDConnectProviderArn=provider["Arn"]))
    return found


def _trails(cloudtrail: Any) -> list[Any]:
    arns = [trail["TrailARN"] for trail in _answer(cloudtrail, "list_trails")["Trails"]]
    selectors = [_answer(cloudtrail, "get_event_selectors", TrailName=arn) for arn in arns]
    return [_answer(cloudtrail, "describe_trails"), _answer(cloudtrail, "list_tags", ResourceIdList=arns), *selectors]


def _inline_policies(iam: Any, name: str, value: str) -> list[Any]:
    kind = name.removesuffix("Name").lower()
    if kind not in ("user", "role", "group"):
        return []
    names = _answer(iam, f"list_{kind}_policies", **{name: value})["PolicyNames"]
    return [_answer(iam, f"get_{kind}_policy", **{name: value, "PolicyName": policy}) for policy in names]


def _listed(client: Any, operation: str, member: str, **parameters: Any) -> list[dict[str, Any]]:
    if not client.can_paginate(operation):
        return _answer(client, operation, **parameters)[member]
    pages = client.get_paginator(operation).paginate(**parameters)
    return [entry for page in pages for entry in page[member]]


def _answer(client: Any, operation: str, **parameters: Any) -> dict[str, Any]:
    answer = getattr(client, operation)(**parameters)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
