"""What all clients have in common: luck by the seed, a way to ask, and answers held against what is expected."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from harness.callers import Caller
from harness.seed import EUROPE, Account
from soak.asking import Answer, Asking, Boto, Line
from soak.endpoint import Endpoint
from soak.ledger import Ledger, Wrong, shown


@dataclass(frozen=True)
class World:
    """What the clients of one process share, and the accounts that they can work in."""

    endpoint: Endpoint
    ledger: Ledger
    accounts: tuple[Caller, ...]

    def line(self) -> Asking:
        return Line(self.endpoint, self.ledger)

    def boto(self) -> Asking:
        return Boto(self.endpoint, self.ledger)


class Client(ABC):
    """One client, for one thread. What it makes has its name in its own name."""

    def __init__(self, name: str, seed: int, world: World, me: Caller, asking: Asking | None = None):
        self.name, self.world, self.me = name, world, me
        self.luck = random.Random(f"{seed}/{name}")
        self.asking = asking or world.line()
        self._made = 0

    @abstractmethod
    def step(self) -> None:
        """Some calls. Raises `Wrong` or `Unanswered`."""

    def forget(self) -> None:
        """The last step came to no end: what it was about is not known any more."""

    @property
    def account(self) -> str:
        return self.me.account.id

    def new_name(self) -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"{self.name}-{self._made}"

    def ask(
        self,
        operation: str,
        *,
        service: str = "kms",
        caller: Caller | None = None,
        region: str = EUROPE,
        **parameters: Any,
    ) -> Answer:
        """One call."""
        return self.asking.ask(caller or self.me, service, operation, parameters, region)

    def done(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A call that must succeed."""
        answer = self.ask(operation, **parameters)
        if answer.code is not None:
            raise Wrong(said(operation, parameters), f"{answer.code} {answer.text}", "success")
        return answer.told

    def refused(self, code: str, operation: str, **parameters: Any) -> None:
        """A call that must be refused with this code."""
        answer = self.ask(operation, **parameters)
        if answer.code != code:
            told = f"{answer.code} {answer.text}" if answer.code else f"success {shown(answer.told)}"
            raise Wrong(said(operation, parameters), told, code)

    def either(self, code: str | None, operation: str, **parameters: Any) -> None:
        """A call that must be refused with this code, or succeed if there is none."""
        if code is None:
            self.done(operation, **parameters)
        else:
            self.refused(code, operation, **parameters)

    def is_told(self, what: str, found: Any, expected: Any) -> None:
        """A part of an answer that must be as expected."""
        if found != expected:
            raise Wrong(f"{self.name}: {what}", shown(found), shown(expected))


def said(operation: str, parameters: dict[str, Any]) -> str:
    """A call as a finding tells it."""
    told = {name: value.name if isinstance(value, Caller) else value for name, value in parameters.items()}
    return f"{operation} {told}"


def administrator(account: Account) -> Caller:
    """The administrator that the seed gave to an account."""
    return Caller(f"{account.user} of {account.id}", account.user_arn, account)
