"""One caller of each kind that the rules of authorization tell apart."""

from functools import partial
from typing import Any

from harness import clients
from harness.callers import UNSIGNED, Caller, new_user, with_session
from harness.iam import allow, document
from harness.seed import ONE, ROOT, TWO
from harness.server import Server

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
EVERYTHING_OF_KMS = document(allow("kms:*"))
NOTHING_OF_KMS = document(allow("sts:*"))


class Callers:
    """All of them, with what they have. corpus/authorization/README.md says it in words."""

    def __init__(self, server: Server, other_key: str) -> None:
        self._server = server
        self._iam = clients.iam(server)
        new = partial(new_user, server)
        self.root = Caller("root", f"arn:aws:iam::{ONE.id}:root", ROOT)
        self.administrator = self._attached(new("administrator"), ADMINISTRATOR_ACCESS)
        self.role = self._session("role")
        self.federated = self._federated()
        self.powerless = new("powerless")
        self.elsewhere = self._put(new("elsewhere"), document(allow("kms:*", resource=other_key)))
        self.named = new("named")
        self.grantee = new("grantee")
        self.bounded = self._attached(new("bounded", PermissionsBoundary=self._boundary()), ADMINISTRATOR_ACCESS)
        self.narrowed = self._session("narrowed", Policy=NOTHING_OF_KMS)
        self.denied = self._attached(new("denied"), ADMINISTRATOR_ACCESS, DENY_ALL)
        self.outsider = Caller("outsider", TWO.user_arn, TWO)
        self.guest = self._put(new("guest", TWO), EVERYTHING_OF_KMS)
        self.idle_guest = new("idle-guest", TWO)

    @property
    def all(self) -> list[Caller]:
        """In the order of the snapshot's lines."""
        return [
            self.root, self.administrator, self.role, self.federated, self.powerless, self.elsewhere, self.named,
            self.grantee, self.bounded, self.narrowed, self.denied, self.outsider, self.guest, self.idle_guest, UNSIGNED,
        ]  # fmt: skip

    @property
    def let_in(self) -> list[str]:
        """Whom the key policies name that name anybody but the account."""
        role = f"arn:aws:iam::{ONE.id}:role/{self.narrowed.name}"
        return [self.named.arn, role, self.denied.arn, self.guest.arn, self.idle_guest.arn]

    def _attached(self, caller: Caller, *policies: str) -> Caller:
        for policy in policies:
            self._iam.attach_user_policy(UserName=caller.name, PolicyArn=policy)
        return caller

    def _put(self, caller: Caller, policy: str) -> Caller:
        administrator = {account.id: account for account in (ONE, TWO)}[caller.account.id]
        iam = clients.iam(self._server, administrator)
        iam.put_user_policy(UserName=caller.name, PolicyName="p", PolicyDocument=policy)
        return caller

    def _boundary(self) -> str:
        made = self._iam.create_policy(PolicyName="nothing-of-kms", PolicyDocument=NOTHING_OF_KMS)
        return made["Policy"]["Arn"]

    def _session(self, name: str, **parameters: Any) -> Caller:
        """A session of a new role that has AdministratorAccess."""
        trust = document({"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Action": "sts:AssumeRole"})
        arn = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self._iam.attach_role_policy(RoleName=name, PolicyArn=ADMINISTRATOR_ACCESS)
        answer = clients.sts(self._server).assume_role(RoleArn=arn, RoleSessionName="session", **parameters)
        return with_session(name, answer["AssumedRoleUser"]["Arn"], answer["Credentials"])

    def _federated(self) -> Caller:
        """A federated user of the administrator, whom no key policy names."""
        sts = clients.sts(self._server, self.administrator.account)
        answer = sts.get_federation_token(Name="federated", Policy=EVERYTHING_OF_KMS)
        return with_session("federated", answer["FederatedUser"]["Arn"], answer["Credentials"])
