"""Several clients who change one thing at the same time. Window by window, what they saw must be linearizable."""

from abc import abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from harness.at_once import at_once
from harness.callers import Caller
from harness.histories import UNANSWERED, Call, Model, Recorder, is_linearizable
from harness.iam import allow, document
from harness.models import alias_target, grants, key_state, members, register
from soak.asking import Answer, Unanswered
from soak.clients.client import Client, World
from soak.clients.permissions import user_of
from soak.ledger import Wrong

CLIENTS = 5
CALLS = 10
# How models call what changes nothing.
READS = frozenset({"get", "try", "use"})


class _Single(Client):
    """One of the clients, on its own line."""

    def step(self) -> None:
        raise AssertionError("it is told what to ask")


class SharedClient(Client):
    """A group that makes windows of calls, one after the other, on one thing; now and then it takes another one.

    Each window begins and ends with a look at the thing while nobody else is at work.
    """

    model: Model

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.group = [_Single(f"{name}_{number}", seed, world, me) for number in range(CLIENTS)]
        self._is_made = False

    @abstractmethod
    def make(self) -> None:
        """Makes the thing."""

    @abstractmethod
    def look(self) -> Hashable:
        """The state of the thing."""

    @abstractmethod
    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        """What this client asks next, and how; by its luck."""

    def forget(self) -> None:
        self._is_made = False

    def step(self) -> None:
        if not self._is_made or self.luck.random() < 0.02:
            self.make()
            self._is_made = True
        state, recorder = self.look(), Recorder()
        at_once(self.group, lambda client, _: self._work(client, recorder))
        self.world.endpoint.up.wait()
        recorder.call(self.final, self.look)
        self.judge(recorder.calls, state)

    # How the model calls a look.
    final: Hashable = ("get", None)

    def judge(self, calls: list[Call], state: Hashable) -> None:
        """Holds a window against the model."""
        model = type(self).model
        if is_linearizable(calls, model, state, lambda asked: asked[0] in READS):
            return
        begin = calls[0].begin
        told = [f"{call.begin - begin}–{call.end - begin} {call.asked} → {call.answered}" for call in calls]
        raise Wrong(f"{self.name}: a window that began with {state}", "\n".join(told), "a linearizable history")

    def _work(self, client: Client, recorder: Recorder) -> None:
        for _ in range(CALLS):
            asked, ask = self.question(client)
            recorder.call(asked, lambda ask=ask: self._unless_away(ask))

    def _unless_away(self, ask: Callable[[], Hashable]) -> Hashable:
        """What is not answered may be done until the service has ended: until it is there again."""
        try:
            return ask()
        except Unanswered:
            self.world.endpoint.up.wait()
            return UNANSWERED


def outcome(answer: Answer) -> Hashable:
    """The code, or "done"."""
    return answer.code or "done"


class SharedState(SharedClient):
    """A key that is enabled and disabled while others use it."""

    model = staticmethod(key_state)

    def make(self) -> None:
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.blob = self.done("Encrypt", KeyId=self.key, Plaintext=b"x")["CiphertextBlob"]

    def look(self) -> Hashable:
        return str(self.done("DescribeKey", KeyId=self.key)["KeyMetadata"]["KeyState"])

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        operation = client.luck.choice(("Enable", "Disable", "get", "Encrypt", "Decrypt", "GenerateDataKey"))
        if operation == "get":
            ask = lambda: str(client.done("DescribeKey", KeyId=self.key)["KeyMetadata"]["KeyState"])  # noqa: E731
            return ("get", None), ask
        if operation in ("Enable", "Disable"):
            return ("switch", operation), lambda: outcome(client.ask(f"{operation}Key", KeyId=self.key))
        more = {
            "Encrypt": {"KeyId": self.key, "Plaintext": b"x"},
            "Decrypt": {"CiphertextBlob": self.blob},
            "GenerateDataKey": {"KeyId": self.key, "KeySpec": "AES_256"},
        }[operation]
        return ("use", operation), lambda: outcome(client.ask(operation, **more))


class SharedAlias(SharedClient):
    """An alias that is made, moved and deleted while others encrypt by it."""

    model = staticmethod(alias_target)

    def make(self) -> None:
        self.keys = [self.done("CreateKey")["KeyMetadata"]["Arn"] for _ in range(3)]
        self.alias = f"alias/{self.new_name()}"

    def look(self) -> Hashable:
        return self._target(self)

    def _target(self, client: Client) -> Hashable:
        answer = client.ask("Encrypt", KeyId=self.alias, Plaintext=b"x")
        return "none" if answer.code == "NotFoundException" else answer.code or answer.told["KeyId"]

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        operation, key = client.luck.choice(("create", "update", "delete", "get", "get")), client.luck.choice(self.keys)
        calls: dict[str, Callable[[], Hashable]] = {
            "create": lambda: outcome(client.ask("CreateAlias", AliasName=self.alias, TargetKeyId=key)),
            "update": lambda: outcome(client.ask("UpdateAlias", AliasName=self.alias, TargetKeyId=key)),
            "delete": lambda: outcome(client.ask("DeleteAlias", AliasName=self.alias)),
            "get": lambda: self._target(client),
        }
        return (operation, key if operation in ("create", "update") else None), calls[operation]


class SharedPolicy(SharedClient):
    """A key policy that lets another account in or not, while that account tries."""

    model = staticmethod(register)

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.other = next(other for other in world.accounts if other.account.id != me.account.id)

    def make(self) -> None:
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.done("PutKeyPolicy", KeyId=self.key, Policy=self._policy("shut"))

    def _policy(self, name: str) -> str:
        everything = allow("kms:*") | {"Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}}
        other = allow("kms:Encrypt") | {"Principal": {"AWS": f"arn:aws:iam::{self.other.account.id}:root"}}
        return document(everything, other) if name == "open" else document(everything)

    def look(self) -> Hashable:
        return self._policy_now(self)

    def _policy_now(self, client: Client) -> Hashable:
        text = client.done("GetKeyPolicy", KeyId=self.key)["Policy"]
        return next((name for name in ("open", "shut") if self._policy(name) == text), text)

    def _tried(self, client: Client) -> Hashable:
        answer = client.ask("Encrypt", caller=self.other, KeyId=self.key, Plaintext=b"x")
        return {None: "open", "AccessDeniedException": "shut"}.get(answer.code, answer.code)

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        operation = client.luck.choice(("put", "get", "try", "try"))
        if operation == "put":
            name = client.luck.choice(("open", "shut"))
            put = lambda: outcome(client.ask("PutKeyPolicy", KeyId=self.key, Policy=self._policy(name)))  # noqa: E731
            return ("put", name), put
        return (operation, None), lambda: (self._tried if operation == "try" else self._policy_now)(client)


class SharedDescription(SharedClient):
    """A description that many write."""

    model = staticmethod(register)

    def make(self) -> None:
        self.key = self.done("CreateKey", Description="first")["KeyMetadata"]["Arn"]

    def look(self) -> Hashable:
        return self._now(self)

    def _now(self, client: Client) -> Hashable:
        return str(client.done("DescribeKey", KeyId=self.key)["KeyMetadata"]["Description"])

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        if client.luck.random() < 0.5:
            text = client.new_name()
            put = lambda: outcome(client.ask("UpdateKeyDescription", KeyId=self.key, Description=text))  # noqa: E731
            return ("put", text), put
        return ("get", None), lambda: self._now(client)


class SharedTags(SharedClient):
    """Tags that many add and take away: none is lost."""

    model = staticmethod(members)

    def make(self) -> None:
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]

    def look(self) -> Hashable:
        return self._now(self)

    def _now(self, client: Client) -> Hashable:
        return frozenset(tag["TagKey"] for tag in client.done("ListResourceTags", KeyId=self.key)["Tags"])

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        operation, tag = client.luck.choice(("add", "take", "get")), f"tag {client.luck.randrange(6)}"
        calls: dict[str, Callable[[], Hashable]] = {
            "add": lambda: outcome(client.ask("TagResource", KeyId=self.key, Tags=[{"TagKey": tag, "TagValue": "x"}])),
            "take": lambda: outcome(client.ask("UntagResource", KeyId=self.key, TagKeys=[tag])),
            "get": lambda: self._now(client),
        }
        return (operation, None if operation == "get" else tag), calls[operation]


class SharedGrants(SharedClient):
    """Grants that many make, revoke and list."""

    model = staticmethod(grants)

    def make(self) -> None:
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        # The ids of grants by their names, as far as they were told.
        self.ids: dict[str, str] = {}

    def look(self) -> Hashable:
        return self._now(self)

    def _now(self, client: Client) -> Hashable:
        return frozenset(grant["Name"] for grant in client.done("ListGrants", KeyId=self.key, Limit=100)["Grants"])

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        known = list(self.ids)
        if known and client.luck.random() < 0.5:
            name = client.luck.choice(known)
            revoke = lambda: outcome(client.ask("RevokeGrant", KeyId=self.key, GrantId=self.ids[name]))  # noqa: E731
            return ("revoke", name), revoke
        if len(known) < 90 and client.luck.random() < 0.5:
            name = client.new_name()
            return ("create", name), lambda: self._create(client, name)
        return ("get", None), lambda: self._now(client)

    def _create(self, client: Client, name: str) -> Hashable:
        answer = client.ask(
            "CreateGrant", KeyId=self.key, Name=name, GranteePrincipal=self.me.arn, Operations=["Encrypt"]
        )
        if answer.code is None:
            self.ids[name] = answer.told["GrantId"]
        return outcome(answer)

    def step(self) -> None:
        if self._is_made and len(self.ids) >= 90:
            self._is_made = False
        super().step()


@dataclass(frozen=True)
class Value:
    """Short for what an object holds."""

    size: int
    first: bytes


class SharedObject(SharedClient):
    """An object that many put and get: what was put last is got, whole."""

    model = staticmethod(register)

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        for client in self.group:
            client.asking = world.boto()
        self.asking = world.boto()
        self.bucket = ""

    def make(self) -> None:
        if not self.bucket:
            bucket = f"soak-{self.new_name()}-{self.account}".lower()
            self.done("CreateBucket", service="s3", Bucket=bucket, CreateBucketConfiguration=_HERE)
            self.bucket = bucket
        self.object = self.new_name()
        self.kms = self.luck.random() < 0.3

    def look(self) -> Hashable:
        return self._now(self)

    def _now(self, client: Client) -> Hashable:
        answer = client.ask("GetObject", service="s3", Bucket=self.bucket, Key=self.object)
        if answer.code is not None:
            return "none" if answer.code == "NoSuchKey" else answer.code
        body = answer.told["Body"]
        return Value(len(body), body[:8]) if body == _body(body[:8], len(body)) else "something else"

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        where = {"service": "s3", "Bucket": self.bucket, "Key": self.object}
        choice = client.luck.random()
        if choice < 0.4:
            value = Value(client.luck.choice((8, 700, 70_000, 200_000)), client.luck.randbytes(8))
            how = {"ServerSideEncryption": "aws:kms"} if self.kms else {}
            body = _body(value.first, value.size)
            return ("put", value), lambda: outcome(client.ask("PutObject", Body=body, **where, **how))
        if choice < 0.5:
            return ("put", "none"), lambda: outcome(client.ask("DeleteObject", **where))
        return ("get", None), lambda: self._now(client)


def _body(first: bytes, size: int) -> bytes:
    """A body of which each part tells of which body it is."""
    return (first * (size // 8 + 1))[:size]


_HERE = {"LocationConstraint": "eu-central-1"}


def user_may(state: str, asked: Any, answered: Hashable) -> str | None:
    """The model of a user's policy: "open" lets the user in. Deleting what is not there is refused."""
    operation, _ = asked
    match operation:
        case "put":
            return "open" if answered == "done" else None
        case "delete":
            return "shut" if answered == ("done" if state == "open" else "NoSuchEntity") else None
        case _:
            return state if answered == state else None


class SharedUser(SharedClient):
    """A user whose only policy is put and deleted while the user calls."""

    model = staticmethod(user_may)

    def make(self) -> None:
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.user = self.new_name()
        self.done("CreateUser", service="iam", UserName=self.user)
        made = self.done("CreateAccessKey", service="iam", UserName=self.user)["AccessKey"]
        self.caller = user_of(self.me, self.user, made)

    def look(self) -> Hashable:
        return self._tried(self)

    def _tried(self, client: Client) -> Hashable:
        answer = client.ask("Encrypt", caller=self.caller, KeyId=self.key, Plaintext=b"x")
        return {None: "open", "AccessDeniedException": "shut"}.get(answer.code, answer.code)

    def question(self, client: Client) -> tuple[Hashable, Callable[[], Hashable]]:
        named = {"service": "iam", "UserName": self.user, "PolicyName": "only"}
        policy = document(allow("kms:Encrypt", resource=self.key))
        calls: dict[str, Callable[[], Hashable]] = {
            "put": lambda: outcome(client.ask("PutUserPolicy", PolicyDocument=policy, **named)),
            "delete": lambda: outcome(client.ask("DeleteUserPolicy", **named)),
            "get": lambda: self._tried(client),
        }
        operation = client.luck.choice(("put", "delete", "get", "get"))
        return (operation, None), calls[operation]


SHARED = (
    SharedState, SharedAlias, SharedPolicy, SharedDescription, SharedTags, SharedGrants, SharedObject, SharedUser,
)  # fmt: skip

