"""Somebody with credentials of some kind, for requests made by hand."""

from dataclasses import dataclass
from typing import Any

from harness import clients
from harness.raw import Request, sign
from harness.seed import EUROPE, ONE, Account
from harness.server import Server


@dataclass(frozen=True)
class Caller:
    """Somebody with credentials, or nobody without any."""

    name: str
    arn: str
    account: Account
    token: str | None = None
    signs: bool = True

    def sign(self, server: Server, request: Request, service: str = "kms", region: str = EUROPE) -> Request:
        """The request as this caller sends it."""
        if not self.signs:
            return request
        return sign(server, request, account=self.account, service=service, region=region, token=self.token)


UNSIGNED = Caller("unsigned", "", ONE, signs=False)


def new_user(server: Server, name: str, account: Account = ONE, **parameters: Any) -> Caller:
    """A new user without any policy."""
    iam = clients.iam(server, account)
    iam.create_user(UserName=name, **parameters)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = Account(account.id, made["AccessKeyId"], made["SecretAccessKey"], name)
    return Caller(name, credentials.user_arn, credentials)


def with_session(name: str, arn: str, credentials: dict[str, Any]) -> Caller:
    """The holder of temporary credentials of account one, as STS answers them."""
    account = Account(ONE.id, credentials["AccessKeyId"], credentials["SecretAccessKey"], name)
    return Caller(name, arn, account, credentials["SessionToken"])
