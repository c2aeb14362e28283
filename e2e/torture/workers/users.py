"""A client that makes users and changes what they have."""

import json
from typing import Any

from harness import clients
from harness.iam import ALLOW
from harness.seed import ONE
from harness.server import Server
from torture.history import State
from torture.workers.worker import Call, Proof, Worker, digest

USERS_MAX = 3
MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"


class UserWorker(Worker):
    """Users with policies, tags and access keys; sometimes one is deleted."""

    def next_call(self, state: State) -> Call:
        users = sorted({fact[1] for fact in state})
        if not users or (len(users) < USERS_MAX and self.luck.random() < 0.15):
            return self._create()
        user = self.luck.choice(users)
        return self.luck.choice([_put_policy, _delete_policy, _attach, _tag, _access_key])(state, user, self)

    def _create(self) -> Call:
        name = self.new_name()
        tags = {f"at creation {number}": name for number in range(3)}
        facts: State = {
            ("user", name, "tags"): tuple(sorted(tags.items())),
            ("user", name, "policies"): (),
            ("user", name, "attached"): (),
            ("user", name, "access keys"): 0,
        }
        return _call("create_user", name, facts, Tags=_tags(tags))

    @staticmethod
    def look(server: Server, prefix: str) -> State:
        iam = clients.iam(server)
        found: State = {}
        for page in iam.get_paginator("list_users").paginate():
            for user in page["Users"]:
                if user["UserName"].startswith(prefix) and user["UserName"] != ONE.user:
                    found |= _look_at_user(iam, user["UserName"])
        return found


def _look_at_user(iam: Any, name: str) -> State:
    tags = {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName=name)["Tags"]}
    policies = {
        policy: digest(json.dumps(iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]))
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]
    }
    attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
    return {
        ("user", name, "tags"): tuple(sorted(tags.items())),
        ("user", name, "policies"): tuple(sorted(policies.items())),
        ("user", name, "attached"): tuple(sorted(policy["PolicyArn"] for policy in attached)),
        ("user", name, "access keys"): len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]),
    }


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _call(operation: str, user: str, change: State, **parameters: Any) -> Call:
    def run(server: Server) -> dict[str, Any]:
        return getattr(clients.iam(server), operation)(UserName=user, **parameters)

    return Call(f"{operation} {user}", run, change)


def _put_policy(state: State, user: str, worker: Worker) -> Call:
    name, number = f"policy{worker.luck.randrange(3)}", worker.luck.randrange(1_000_000)
    document = json.loads(json.dumps(ALLOW))
    document["Statement"][0]["Sid"] = f"Number{number}"
    policies = dict(state[("user", user, "policies")]) | {name: digest(json.dumps(document))}
    change = {("user", user, "policies"): tuple(sorted(policies.items()))}
    return _call("put_user_policy", user, change, PolicyName=name, PolicyDocument=json.dumps(document))


def _delete_policy(state: State, user: str, worker: Worker) -> Call:
    policies = state[("user", user, "policies")]
    if not policies:
        return _put_policy(state, user, worker)
    gone = worker.luck.choice(policies)
    left = tuple(policy for policy in policies if policy != gone)
    return _call("delete_user_policy", user, {("user", user, "policies"): left}, PolicyName=gone[0])


def _attach(state: State, user: str, _: Worker) -> Call:
    if state[("user", user, "attached")]:
        return _call("detach_user_policy", user, {("user", user, "attached"): ()}, PolicyArn=MANAGED)
    return _call("attach_user_policy", user, {("user", user, "attached"): (MANAGED,)}, PolicyArn=MANAGED)


def _tag(state: State, user: str, worker: Worker) -> Call:
    value = str(worker.luck.randrange(1_000_000))
    fresh = {f"later {number}": value for number in range(3)}
    tags = dict(state[("user", user, "tags")]) | fresh
    return _call("tag_user", user, {("user", user, "tags"): tuple(sorted(tags.items()))}, Tags=_tags(fresh))


def _access_key(state: State, user: str, worker: Worker) -> Call:
    count = state[("user", user, "access keys")]
    if count >= 2:
        return _tag(state, user, worker)

    def keep(answer: dict[str, Any]) -> Proof:
        made = answer["AccessKey"]
        return Proof("access key", user, (made["AccessKeyId"], made["SecretAccessKey"]))

    call = _call("create_access_key", user, {("user", user, "access keys"): count + 1})
    return Call(call.name, call.run, call.change, keep=keep)
