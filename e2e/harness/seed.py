"""The accounts, users and keys that the tests start with.

The credentials are the examples of AWS's own documentation and open nothing anywhere.
"""

from dataclasses import dataclass

EUROPE = "eu-central-1"
AMERICA = "us-east-1"


@dataclass(frozen=True)
class Account:
    """An account and the access key of its administrator."""

    id: str
    access_key_id: str
    secret_access_key: str
    user: str = "admin"

    def key_arn(self, key_id: str, region: str = EUROPE) -> str:
        return f"arn:aws:kms:{region}:{self.id}:key/{key_id}"

    def alias_arn(self, alias: str, region: str = EUROPE) -> str:
        return f"arn:aws:kms:{region}:{self.id}:{alias}"

    @property
    def user_arn(self) -> str:
        return f"arn:aws:iam::{self.id}:user/{self.user}"


ONE = Account("123456789012", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
TWO = Account("210987654321", "AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY")
ROOT = Account(ONE.id, "AKIAROOTUSERSEXAMPLE", "c2VlZGVkIHNlY3JldCBvZiB0aGUgcm9vdCB1c2Vy", "root")
DEVELOPMENT = Account("000000000000", "test", "test", "test")

SEEDED_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
SEEDED_KEY_AMERICA = "0987dcba-09fe-87dc-65ba-ab0987654321"
SEEDED_KEY_TWO = "11111111-2222-4333-8444-555555555555"
SEEDED_ALIAS = "alias/app"

_ACCOUNT = """
[[account]]
id = "{account.id}"
[[account.user]]
name = "{account.user}"
managed_policies = ["arn:aws:iam::aws:policy/AdministratorAccess"]
[[account.user.access_key]]
id = "{account.access_key_id}"
secret = "{account.secret_access_key}"
"""

_ROOT = """
[[account.root_access_key]]
id = "{account.access_key_id}"
secret = "{account.secret_access_key}"
"""

_KEY = """
[[account.key]]
region = "{region}"
id = "{key_id}"
aliases = ["{alias}"]
"""


def account_form(account: Account) -> str:
    """The seed form of an account with its administrator."""
    return _ACCOUNT.format(account=account)


def root_form(account: Account) -> str:
    """The seed form of a root user's access key; it belongs to the account written before it."""
    return _ROOT.format(account=account)


def key_form(region: str, key_id: str, alias: str) -> str:
    """The seed form of a key with one alias; it belongs to the account written before it."""
    return _KEY.format(region=region, key_id=key_id, alias=alias)


TWO_ACCOUNTS = (
    account_form(ONE)
    + root_form(ROOT)
    + key_form(EUROPE, SEEDED_KEY, SEEDED_ALIAS)
    + key_form(AMERICA, SEEDED_KEY_AMERICA, SEEDED_ALIAS)
    + account_form(TWO)
    + key_form(EUROPE, SEEDED_KEY_TWO, SEEDED_ALIAS)
)
