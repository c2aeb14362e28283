"""Clients that make keys and change them."""

import json
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from harness import clients
from harness.imports import import_material
from harness.seed import AMERICA, EUROPE, ONE, SEEDED_ALIAS
from harness.server import Server
from torture.history import Broken, State
from torture.workers.worker import Call, Proof, Worker, digest

KEYS_MAX = 3
# The tag that says which key it is.
NAME = "torture"


class KeyWorker(Worker):
    """Keys of which everything changes that can, with aliases, tags, policies, grants and rotations."""

    def next_call(self, state: State) -> Call:
        keys = names(state)
        if not keys or (len(keys) < KEYS_MAX and self.luck.random() < 0.15):
            return self._create()
        key = self.luck.choice(keys)
        choose: dict[str, list[Callable[[State, str], Call]]] = {
            "Enabled": [*_ANYTIME, *_IN_USE, *_IN_USE, *([] if state[("key", key, "rotation")] else [_schedule])],
            "Disabled": [*_ANYTIME, _enable, _enable, _schedule] if not state[("key", key, "rotation")] else [_enable],
            "PendingDeletion": [_cancel],
        }
        return self.luck.choice(choose[state[("key", key, "state")]])(state, key, self)

    def _create(self) -> Call:
        name = self.new_name()
        tags = {f"at creation {number}": name for number in range(4)}
        parameters = {"Description": f"made as {name}", "Tags": _tags({NAME: name} | tags)}
        return Call(
            f"CreateKey {name}",
            lambda server: clients.kms(server).create_key(**parameters),
            facts_of_new_key(name, parameters["Description"], tags),
        )

    @staticmethod
    def look(server: Server, prefix: str) -> State:
        return look_at_keys(server, prefix)


class ImportWorker(Worker):
    """Keys whose material is imported, taken away and imported again."""

    def next_call(self, state: State) -> Call:
        keys = names(state)
        if not keys or (len(keys) < 2 and self.luck.random() < 0.1):
            name = self.new_name()
            parameters = {"Origin": "EXTERNAL", "Tags": _tags({NAME: name})}
            facts = facts_of_new_key(name, "", {}) | {("key", name, "state"): "PendingImport"}
            del facts[("key", name, "materials")], facts[("key", name, "rotation")]
            return Call(f"CreateKey {name}", lambda server: clients.kms(server).create_key(**parameters), facts)
        key = self.luck.choice(keys)
        if state[("key", key, "state")] == "PendingImport":
            material = digest(key).encode().ljust(32, b"0")[:32]
            return Call(
                f"ImportKeyMaterial {key}",
                lambda server: import_material(clients.kms(server), key_id(server, key), material),
                {("key", key, "state"): "Enabled"},
            )
        return self.luck.choice([_encrypt, _encrypt, _describe, _delete_material])(state, key, self)

    @staticmethod
    def look(server: Server, prefix: str) -> State:
        return look_at_keys(server, prefix)


class ReplicaWorker(Worker):
    """Multi-Region keys and their replicas, which become primary keys in turn."""

    def next_call(self, state: State) -> Call:
        replicated = [name for name in names(state) if ("replica", name) in state]
        if replicated and self.luck.random() < 0.25:
            return _move_primary(state, self.luck.choice(replicated))
        keys = [name for name in names(state) if ("replica", name) not in state]
        if not keys:
            name = self.new_name()
            parameters = {"MultiRegion": True, "Tags": _tags({NAME: name})}
            return Call(
                f"CreateKey {name}",
                lambda server: clients.kms(server).create_key(**parameters),
                facts_of_new_key(name, "", {}),
            )
        key = self.luck.choice(keys)
        choice = self.luck.random()
        if choice < 0.3 and state[("key", key, "materials")] < 3:
            return _rotate(state, key, self)
        if choice < 0.6 or len(names(state)) >= KEYS_MAX:
            return _encrypt(state, key, self)
        return Call(
            f"ReplicateKey {key}",
            lambda server: clients.kms(server).replicate_key(
                KeyId=key_id(server, key), ReplicaRegion=AMERICA, Description=key
            ),
            {("replica", key): f"Enabled {state[('key', key, 'materials')]}", ("primary", key): EUROPE},
        )

    @staticmethod
    def look(server: Server, prefix: str) -> State:
        return look_at_keys(server, prefix) | look_at_replicas(server, prefix)


def names(state: State) -> list[str]:
    """The names of the keys in this state."""
    return sorted(fact[1] for fact in state if fact[0] == "key" and fact[2] == "state")


def facts_of_new_key(name: str, description: str, tags: dict[str, str]) -> State:
    """What is to be found of a key that was just made."""
    return {
        ("key", name, "state"): "Enabled",
        ("key", name, "description"): description,
        ("key", name, "tags"): tuple(sorted(tags.items())),
        ("key", name, "policy"): "default",
        ("key", name, "rotation"): False,
        ("key", name, "materials"): 1,
        ("key", name, "grants"): (),
    }


# What is found.


def look_at_keys(server: Server, prefix: str) -> State:
    """The facts of all keys in Europe whose names begin so, and of the aliases that do."""
    kms = clients.kms(server)
    found: State = {}
    ids = {}
    for page in kms.get_paginator("list_keys").paginate():
        for entry in page["Keys"]:
            tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=entry["KeyId"])["Tags"]}
            name = ids[entry["KeyId"]] = tags.pop(NAME, None)
            if name is not None and name.startswith(prefix):
                found |= _look_at_key(kms, entry["KeyId"], name, tags)
    for page in kms.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"].removeprefix("alias/").startswith(prefix) and not _is_ours(alias["AliasName"]):
                target = alias.get("TargetKeyId")
                found[("alias", alias["AliasName"])] = ids.get(target) or Broken(f"alias of {target}, no such key")
    return found


def _is_ours(alias: str) -> bool:
    return alias == SEEDED_ALIAS or alias.startswith("alias/aws/")


def _look_at_key(kms: Any, key: str, name: str, tags: dict[str, str]) -> State:
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    policy = kms.get_key_policy(KeyId=key)["Policy"]
    facts: State = {
        ("key", name, "state"): metadata["KeyState"],
        ("key", name, "description"): metadata["Description"],
        ("key", name, "tags"): tuple(sorted(tags.items())),
        ("key", name, "policy"): "default" if "key-default-1" in policy else json.loads(policy)["Id"],
        ("key", name, "grants"): tuple(sorted(grant["Name"] for grant in kms.list_grants(KeyId=key)["Grants"])),
    }
    if metadata["Origin"] == "AWS_KMS":
        facts[("key", name, "rotation")] = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
        facts[("key", name, "materials")] = _materials(kms, key)
    return facts


def _materials(kms: Any, key: str) -> int:
    return len(kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"])


def look_at_replicas(server: Server, prefix: str) -> State:
    """The replicas in America: state and number of materials, by the description that they were given."""
    kms = clients.kms(server, region=AMERICA)
    found: State = {}
    for page in kms.get_paginator("list_keys").paginate():
        for entry in page["Keys"]:
            metadata = kms.describe_key(KeyId=entry["KeyId"])["KeyMetadata"]
            if metadata["Description"].startswith(prefix) and metadata["MultiRegion"]:
                materials, key = _materials(kms, entry["KeyId"]), metadata["Description"]
                found[("replica", key)] = f"{metadata['KeyState']} {materials}"
                found[("primary", key)] = _primary(server, metadata)
    return found


def _primary(server: Server, replica: dict[str, Any]) -> str | Broken:
    """The Region of the primary key, about which all related keys agree."""
    related = clients.kms(server).describe_key(KeyId=replica["KeyId"])["KeyMetadata"]
    first, other = related["MultiRegionConfiguration"], replica["MultiRegionConfiguration"]
    if first["PrimaryKey"] != other["PrimaryKey"] or first["ReplicaKeys"] != other["ReplicaKeys"]:
        return Broken(f"two related keys tell different things: {first} and {other}")
    types = {EUROPE: first["MultiRegionKeyType"], AMERICA: other["MultiRegionKeyType"]}
    primary = first["PrimaryKey"]["Region"]
    is_so = all((kind == "PRIMARY") == (region == primary) for region, kind in types.items())
    return primary if is_so else Broken(f"the primary key is in {primary}, and the keys are {types}")


def key_id(server: Server, name: str) -> str:
    """The id of the key with this name. Ids are not in the state: of a call without an answer nobody knows any."""
    known = _ids.setdefault(server, {})
    if name not in known:
        kms = clients.kms(server)
        for page in kms.get_paginator("list_keys").paginate():
            for entry in page["Keys"]:
                for tag in kms.list_resource_tags(KeyId=entry["KeyId"])["Tags"]:
                    if tag["TagKey"] == NAME:
                        known[tag["TagValue"]] = entry["KeyId"]
    return known[name]


_ids: WeakKeyDictionary[Server, dict[str, str]] = WeakKeyDictionary()


# The calls: each gets the state, the name of the key and the worker, for luck and names.


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _on_key(operation: str, key: str, change: State, **parameters: Any) -> Call:
    def run(server: Server) -> dict[str, Any]:
        return getattr(clients.kms(server), operation)(KeyId=key_id(server, key), **parameters)

    return Call(f"{operation} {key}", run, change)


def _describe(_: State, key: str, worker: Worker) -> Call:
    text = f"described {worker.luck.randrange(1_000_000)}"
    return _on_key("update_key_description", key, {("key", key, "description"): text}, Description=text)


def _tag(state: State, key: str, worker: Worker) -> Call:
    value = str(worker.luck.randrange(1_000_000))
    fresh = {f"later {number}": value for number in range(4)}
    tags = dict(state[("key", key, "tags")]) | fresh
    return _on_key("tag_resource", key, {("key", key, "tags"): tuple(sorted(tags.items()))}, Tags=_tags(fresh))


def _untag(state: State, key: str, worker: Worker) -> Call:
    tags = state[("key", key, "tags")]
    gone = [name for name, _ in worker.luck.sample(tags, min(3, len(tags)))]
    if not gone:
        return _tag(state, key, worker)
    left = tuple((name, value) for name, value in tags if name not in gone)
    return _on_key("untag_resource", key, {("key", key, "tags"): left}, TagKeys=gone)


def _put_policy(_: State, key: str, worker: Worker) -> Call:
    name = f"policy {worker.luck.randrange(1_000_000)}"
    everything = {
        "Sid": "All",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ONE.id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Id": name, "Statement": [everything]})
    return _on_key("put_key_policy", key, {("key", key, "policy"): name}, Policy=policy)


def _alias(state: State, key: str, worker: Worker) -> Call:
    aliases = [fact[1] for fact in state if fact[0] == "alias"]
    if len(aliases) < 4:
        alias = f"alias/{worker.new_name()}"
        operation, change = "create_alias", {("alias", alias): key}
    else:
        alias = worker.luck.choice(sorted(aliases))
        if worker.luck.random() < 0.5:
            return Call(
                f"DeleteAlias {alias}",
                lambda server: clients.kms(server).delete_alias(AliasName=alias),
                {("alias", alias): None},
            )
        operation, change = "update_alias", {("alias", alias): key}

    def run(server: Server) -> dict[str, Any]:
        return getattr(clients.kms(server), operation)(AliasName=alias, TargetKeyId=key_id(server, key))

    return Call(f"{operation} {alias} {key}", run, change)


def _grant(state: State, key: str, worker: Worker) -> Call:
    grants = state[("key", key, "grants")]
    if len(grants) >= 3:
        return _revoke(state, key, worker)
    name = worker.new_name()
    return _on_key(
        "create_grant",
        key,
        {("key", key, "grants"): tuple(sorted((*grants, name)))},
        Name=name,
        GranteePrincipal=ONE.user_arn,
        Operations=["Encrypt"],
    )


def _revoke(state: State, key: str, worker: Worker) -> Call:
    grants = state[("key", key, "grants")]
    name = worker.luck.choice(grants)

    def run(server: Server) -> dict[str, Any]:
        kms, identity = clients.kms(server), key_id(server, key)
        [grant] = [grant for grant in kms.list_grants(KeyId=identity)["Grants"] if grant["Name"] == name]
        return kms.revoke_grant(KeyId=identity, GrantId=grant["GrantId"])

    left = tuple(grant for grant in grants if grant != name)
    return Call(f"revoke_grant {key} {name}", run, {("key", key, "grants"): left})


def _rotate(state: State, key: str, worker: Worker) -> Call:
    materials = state[("key", key, "materials")]
    if materials >= 8:
        return _describe(state, key, worker)
    return _on_key("rotate_key_on_demand", key, {("key", key, "materials"): materials + 1})


def _move_primary(state: State, key: str) -> Call:
    primary = state[("primary", key)]
    target = AMERICA if primary == EUROPE else EUROPE

    def run(server: Server) -> dict[str, Any]:
        return clients.kms(server, region=primary).update_primary_region(
            KeyId=key_id(server, key), PrimaryRegion=target
        )

    return Call(f"UpdatePrimaryRegion {key} {target}", run, {("primary", key): target})


def _rotation(state: State, key: str, _: Worker) -> Call:
    enabled = state[("key", key, "rotation")]
    operation = "disable_key_rotation" if enabled else "enable_key_rotation"
    return _on_key(operation, key, {("key", key, "rotation"): not enabled})


def _disable(_: State, key: str, __: Worker) -> Call:
    return _on_key("disable_key", key, {("key", key, "state"): "Disabled"})


def _enable(_: State, key: str, __: Worker) -> Call:
    return _on_key("enable_key", key, {("key", key, "state"): "Enabled"})


def _schedule(_: State, key: str, __: Worker) -> Call:
    return _on_key(
        "schedule_key_deletion", key, {("key", key, "state"): "PendingDeletion"}, PendingWindowInDays=7
    )


def _cancel(_: State, key: str, __: Worker) -> Call:
    return _on_key("cancel_key_deletion", key, {("key", key, "state"): "Disabled"})


def _delete_material(_: State, key: str, __: Worker) -> Call:
    return _on_key("delete_imported_key_material", key, {("key", key, "state"): "PendingImport"})


def _encrypt(_: State, key: str, worker: Worker) -> Call:
    plaintext = f"{key} {worker.luck.randrange(1_000_000)}".encode()

    def keep(answer: dict[str, Any]) -> Proof:
        return Proof("ciphertext", key, (answer["CiphertextBlob"], plaintext))

    call = _on_key("encrypt", key, {}, Plaintext=plaintext)
    return Call(call.name, call.run, {}, keep=keep)


_ANYTIME = [_describe, _tag, _untag, _put_policy, _alias]
_IN_USE = [_encrypt, _encrypt, _grant, _rotate, _rotation, _disable]

