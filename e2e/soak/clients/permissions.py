"""Who may do what: grants for another account, and users, roles and sessions whose policies change between calls.

Each client plays all parts, one call after the other, so that it knows of every call whether it is allowed.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from harness.callers import Caller
from harness.iam import allow, document
from harness.seed import Account
from soak.clients.client import Client, World

DENIED = "AccessDeniedException"
# Uses of a key, as grants and policies name them.
OPERATIONS = ("Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey")
# AssumeRole: "the value can range from 900 seconds".
SESSION_SECONDS = 900
# Around the end of a session the service's clock may be on either side.
CLOSE_SECONDS = 3.0


@dataclass
class Grant:
    """A grant as its maker knows it."""

    token: str
    operations: frozenset[str]
    equals: dict[str, str] | None
    subset: dict[str, str] | None

    def allows(self, operation: str, context: dict[str, str]) -> bool:
        """Whether it allows a use with this encryption context. Constraints are not about DescribeKey."""
        if operation not in self.operations:
            return False
        if operation == "DescribeKey":
            return True
        if self.equals is not None and context != self.equals:
            return False
        return self.subset is None or self.subset.items() <= context.items()


class GrantClient(Client):
    """A key that another account uses by grants alone."""

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.other = next(other for other in world.accounts if other.account.id != me.account.id)
        self.key = ""
        self.grants: dict[str, Grant] = {}
        self.ended: list[str] = []

    def forget(self) -> None:
        self.key = ""

    def step(self) -> None:
        if not self.key or self.luck.random() < 0.003:
            self._create()
        choice = self.luck.random()
        if choice < 0.15 and len(self.grants) < 8:
            self._grant()
        elif choice < 0.28 and self.grants:
            self._end(self.luck.choice(list(self.grants)))
        elif choice < 0.33:
            self._list()
        elif choice < 0.37 and self.ended:
            gone = self.luck.choice(self.ended)
            self.refused("NotFoundException", "RevokeGrant", KeyId=self.key, GrantId=gone)
        else:
            self._use(self.luck.choice(OPERATIONS))

    def _create(self) -> None:
        self.grants, self.ended = {}, []
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.blobs = [
            (context, self.done("Encrypt", KeyId=self.key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"])
            for context in CONTEXTS
        ]

    def _grant(self) -> None:
        operations = frozenset(self.luck.sample(OPERATIONS, self.luck.randint(1, 3)))
        kind, context = self.luck.choice((None, "equals", "subset")), self.luck.choice(CONTEXTS[1:])
        constraints = {} if kind is None else {"Constraints": {f"EncryptionContext{kind.title()}": context}}
        made = self.done(
            "CreateGrant", KeyId=self.key, GranteePrincipal=self.other.arn, RetiringPrincipal=self.other.arn,
            Operations=sorted(operations), **constraints,
        )  # fmt: skip
        equals, subset = (context if kind == one else None for one in ("equals", "subset"))
        self.grants[made["GrantId"]] = Grant(made["GrantToken"], operations, equals, subset)

    def _end(self, grant: str) -> None:
        how = self.luck.choice(("revoke", "retire", "token"))
        if how == "revoke":
            self.done("RevokeGrant", KeyId=self.key, GrantId=grant)
        elif how == "retire":
            self.done("RetireGrant", caller=self.other, KeyId=self.key, GrantId=grant)
        else:
            self.done("RetireGrant", caller=self.other, GrantToken=self.grants[grant].token)
        del self.grants[grant]
        self.ended.append(grant)

    def _list(self) -> None:
        told = self.done("ListGrants", KeyId=self.key)["Grants"]
        found = {one["GrantId"]: frozenset(one["Operations"]) for one in told}
        self.is_told("grants", found, {name: grant.operations for name, grant in self.grants.items()})

    def _use(self, operation: str) -> None:
        context, blob = self.luck.choice(self.blobs)
        asked: dict[str, Any] = {"KeyId": self.key}
        if operation != "DescribeKey":
            asked["EncryptionContext"] = context
        asked |= {
            "Encrypt": {"Plaintext": b"x"}, "Decrypt": {"CiphertextBlob": blob},
            "GenerateDataKey": {"KeySpec": "AES_256"}, "DescribeKey": {},
        }[operation]  # fmt: skip
        is_allowed = any(grant.allows(operation, context) for grant in self.grants.values())
        self.either(None if is_allowed else DENIED, operation, caller=self.other, **asked)


CONTEXTS: list[dict[str, str]] = [{}, {"team": "blue"}, {"team": "red"}, {"team": "blue", "stage": "test"}]


@dataclass
class Rights:
    """What policies say of the uses of one key."""

    allowed: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)

    def document(self, key: str) -> str:
        """The policy that says so. It always allows something that nobody asks for, since no policy is empty."""
        statements = [allow("kms:ListKeys"), *(allow(f"kms:{one}", resource=key) for one in sorted(self.allowed))]
        denials = [allow(f"kms:{one}", resource=key) | {"Effect": "Deny"} for one in sorted(self.denied)]
        return document(*statements, *denials)


USES = ("Encrypt", "GenerateDataKey", "DescribeKey", "GetKeyPolicy")


class UserClient(Client):
    """A user of the account and all that can allow and deny: inline policies, a managed one, a group, a boundary, a
    condition on the key's tags, and whether the access key is active."""

    SOURCES = ("inline", "other", "managed", "group")

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.user: Caller | None = None

    def forget(self) -> None:
        self.user = None

    def step(self) -> None:
        if self.user is None or self.luck.random() < 0.003:
            self._create()
        if self.luck.random() < 0.25:
            self.luck.choice((self._put, self._put, self._put, self._bound, self._tag, self._switch))()
        else:
            self._use(self.luck.choice(USES))

    def _iam(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.done(operation, service="iam", **parameters)

    def _create(self) -> None:
        self._remove()
        name = self.new_name()
        self.key = self.done("CreateKey", Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["Arn"]
        self.tag = "blue"
        self._iam("CreateUser", UserName=name)
        self._iam("CreateGroup", GroupName=name)
        self._iam("AddUserToGroup", GroupName=name, UserName=name)
        policy = self._iam("CreatePolicy", PolicyName=name, PolicyDocument=Rights().document(self.key))["Policy"]
        self.managed: str = policy["Arn"]
        self._iam("AttachUserPolicy", UserName=name, PolicyArn=self.managed)
        by_tag = allow("kms:Encrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}})
        self._iam("PutUserPolicy", UserName=name, PolicyName="by-tag", PolicyDocument=document(by_tag))
        made = self._iam("CreateAccessKey", UserName=name)["AccessKey"]
        self.rights = {source: Rights() for source in self.SOURCES}
        self.boundary: Rights | None = None
        self.boundary_arn = ""
        self.is_active = True
        self.user = user_of(self.me, name, made)

    def _remove(self) -> None:
        """Deletes the user before, whose access key is no good any more."""
        if self.user is None:
            return
        name, gone, self.user = self.user.name, self.user, None
        self._iam("RemoveUserFromGroup", GroupName=name, UserName=name)
        self._iam("DetachUserPolicy", UserName=name, PolicyArn=self.managed)
        for policy in self._iam("ListUserPolicies", UserName=name)["PolicyNames"]:
            self._iam("DeleteUserPolicy", UserName=name, PolicyName=policy)
        self._iam("DeleteAccessKey", UserName=name, AccessKeyId=gone.account.access_key_id)
        self._iam("DeleteUser", UserName=name)
        self.refused("UnrecognizedClientException", "ListKeys", caller=gone)
        self.refused("NoSuchEntity", "GetUser", service="iam", UserName=name)

    def _put(self) -> None:
        source = self.luck.choice(self.SOURCES)
        name = self.user.name
        rights = Rights(
            {one for one in USES if self.luck.random() < 0.3}, {one for one in USES if self.luck.random() < 0.1}
        )
        text = rights.document(self.key)
        if source == "managed":
            for version in self._iam("ListPolicyVersions", PolicyArn=self.managed)["Versions"]:
                if not version["IsDefaultVersion"]:
                    self._iam("DeletePolicyVersion", PolicyArn=self.managed, VersionId=version["VersionId"])
            self._iam("CreatePolicyVersion", PolicyArn=self.managed, PolicyDocument=text, SetAsDefault=True)
        elif source == "group":
            self._iam("PutGroupPolicy", GroupName=name, PolicyName="only", PolicyDocument=text)
        else:
            self._iam("PutUserPolicy", UserName=name, PolicyName=source, PolicyDocument=text)
        self.rights[source] = rights

    def _bound(self) -> None:
        if self.boundary is not None:
            self._iam("DeleteUserPermissionsBoundary", UserName=self.user.name)
            self.boundary = None
            return
        rights = Rights({one for one in USES if self.luck.random() < 0.6})
        made = self._iam("CreatePolicy", PolicyName=self.new_name(), PolicyDocument=rights.document(self.key))["Policy"]
        self._iam("PutUserPermissionsBoundary", UserName=self.user.name, PermissionsBoundary=made["Arn"])
        self.boundary = rights

    def _tag(self) -> None:
        value = self.luck.choice(("blue", "red"))
        self.done("TagResource", KeyId=self.key, Tags=[{"TagKey": "team", "TagValue": value}])
        self.tag = value

    def _switch(self) -> None:
        status = "Inactive" if self.is_active else "Active"
        named = {"UserName": self.user.name, "AccessKeyId": self.user.account.access_key_id}
        self._iam("UpdateAccessKey", Status=status, **named)
        self.is_active = not self.is_active

    def _may(self, operation: str) -> bool:
        rights = self.rights.values()
        is_allowed = any(operation in one.allowed for one in rights) or (operation == "Encrypt" and self.tag == "blue")
        is_bound = self.boundary is not None and operation not in self.boundary.allowed
        return is_allowed and not is_bound and not any(operation in one.denied for one in rights)

    def _use(self, operation: str) -> None:
        refusal = None if self._may(operation) else DENIED
        if not self.is_active:
            refusal = "UnrecognizedClientException"
        self.either(refusal, operation, caller=self.user, KeyId=self.key, **_needed(operation))


def _needed(operation: str) -> dict[str, Any]:
    """The parameters that this operation needs beside the key."""
    return {"Encrypt": {"Plaintext": b"x"}, "GenerateDataKey": {"KeySpec": "AES_256"}}.get(operation, {})


@dataclass
class Session:
    """A session of a role, with what its own policy allows."""

    caller: Caller
    allowed: frozenset[str] | None
    end: float


class RoleClient(Client):
    """A role whose trust and rights change, and its sessions, which live up to their end and through restarts."""

    SESSIONS_MAX = 12

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.role = ""
        self.sessions: list[Session] = []

    def forget(self) -> None:
        self.role = ""

    def step(self) -> None:
        if not self.role or self.luck.random() < 0.001:
            self._create()
        choice = self.luck.random()
        if choice < 0.08:
            self._trust()
        elif choice < 0.2:
            self._assume()
        elif choice < 0.3:
            self._put()
        elif self.sessions:
            self._use(self.luck.choice(self.sessions), self.luck.choice(USES))

    def _iam(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.done(operation, service="iam", RoleName=self.role, **parameters)

    def _create(self) -> None:
        self._remove()
        name, self.sessions = self.new_name(), []
        self.key = self.done("CreateKey")["KeyMetadata"]["Arn"]
        made = self.done("CreateRole", service="iam", RoleName=name, AssumeRolePolicyDocument=self._document(True))
        self.arn, self.is_trusting, self.allowed = made["Role"]["Arn"], True, set[str]()
        self.role = name

    def _remove(self) -> None:
        """Deletes the role before; its sessions end with it."""
        if not self.role:
            return
        for policy in self._iam("ListRolePolicies")["PolicyNames"]:
            self._iam("DeleteRolePolicy", PolicyName=policy)
        self._iam("DeleteRole")
        self.role = ""
        for session in self.sessions[:2]:
            self._ended(session, "UnrecognizedClientException")

    def _document(self, is_trusting: bool) -> str:
        account = {"AWS": f"arn:aws:iam::{self.account}:root"}
        whom = account if is_trusting else {"Service": "ec2.amazonaws.com"}
        return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": whom})

    def _trust(self) -> None:
        text = self._document(not self.is_trusting)
        self._iam("UpdateAssumeRolePolicy", PolicyDocument=text)
        self.is_trusting = not self.is_trusting

    def _put(self) -> None:
        rights = Rights({one for one in USES if self.luck.random() < 0.5})
        self._iam("PutRolePolicy", PolicyName="only", PolicyDocument=rights.document(self.key))
        self.allowed = rights.allowed

    def _assume(self) -> None:
        allowed = {one for one in USES if self.luck.random() < 0.5} if self.luck.random() < 0.5 else None
        asked: dict[str, Any] = {
            "RoleArn": self.arn, "RoleSessionName": self.new_name()[-60:], "DurationSeconds": SESSION_SECONDS,
        }  # fmt: skip
        if allowed is not None:
            asked["Policy"] = Rights(allowed).document(self.key)
        if not self.is_trusting:
            self.refused("AccessDenied", "AssumeRole", service="sts", **asked)
            return
        end = time.time() + SESSION_SECONDS
        told = self.done("AssumeRole", service="sts", **asked)
        made, arn = told["Credentials"], told["AssumedRoleUser"]["Arn"]
        account = Account(self.account, made["AccessKeyId"], made["SecretAccessKey"], arn)
        own = None if allowed is None else frozenset(allowed)
        session = Session(Caller(arn, arn, account, made["SessionToken"]), own, end)
        who = self.done("GetCallerIdentity", service="sts", caller=session.caller)
        self.is_told("who a session is", (who["Arn"], who["Account"]), (arn, self.account))
        self.sessions.append(session)
        if len(self.sessions) > self.SESSIONS_MAX:
            # The oldest stay, so that some come to their end.
            self.sessions.pop(self.luck.randrange(self.SESSIONS_MAX // 2, self.SESSIONS_MAX))

    def _use(self, session: Session, operation: str) -> None:
        left = session.end - time.time()
        if abs(left) < CLOSE_SECONDS:
            return
        if left < 0:
            self._ended(session, "ExpiredTokenException")
            self.sessions.remove(session)
            return
        is_allowed = operation in self.allowed and (session.allowed is None or operation in session.allowed)
        asked = {"KeyId": self.key, **_needed(operation)}
        self.either(None if is_allowed else DENIED, operation, caller=session.caller, **asked)

    def _ended(self, session: Session, code: str) -> None:
        left = session.end - time.time()
        if abs(left) >= CLOSE_SECONDS:
            code = "ExpiredTokenException" if left < 0 else code
            self.refused(code, "DescribeKey", caller=session.caller, KeyId=self.key)


def user_of(owner: Caller, name: str, made: dict[str, Any]) -> Caller:
    """The user of a new access key in the account of this one."""
    account = Account(owner.account.id, made["AccessKeyId"], made["SecretAccessKey"], name)
    return Caller(name, account.user_arn, account)
