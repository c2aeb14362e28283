"""What all clients of the workload have in common: one call at a time, noted with its place in the journal."""

import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.server import Server
from torture.history import Broken, Fact, Finding, Outcome, State, Step, Verdict, after
from torture.recorder import Recorder


@dataclass(frozen=True)
class Call:
    """A call to be made, and the facts that it sets."""

    name: str
    run: Callable[[Server], dict[str, Any]]
    change: dict[Fact, Any] = field(default_factory=dict)
    # Whether the trail tells of it: of reads and writes of objects it does not, unless somebody asks.
    is_logged: bool = True
    # Takes what later proves that the call had its effect, from the answer.
    keep: Callable[[dict[str, Any]], "Proof | None"] = lambda _: None


@dataclass(frozen=True)
class Proof:
    """Something that must work after the answer behind which it stands: a ciphertext, an access key."""

    kind: str
    of: str
    what: tuple[Any, ...]
    end: int = 0


class Worker(ABC):
    """One client. Its name begins the names of all that it makes, up to the first hyphen."""

    def __init__(self, name: str, seed: int):
        self.name = name
        self.luck = random.Random(f"{seed}/{name}")
        self.steps: list[Step] = []
        self.proofs: list[Proof] = []
        self.findings: list[Finding] = []
        self._made = 0
        # None while it is not known whether the last call was done.
        self.state: State | None = {}
        self._possible: list[State] = []

    @abstractmethod
    def next_call(self, state: State) -> Call:
        """What to do next."""

    @staticmethod
    @abstractmethod
    def look(server: Server, prefix: str) -> State:
        """The facts of everything whose name begins so."""

    def step(self, server: Server, recorder: Recorder, *, may_fail: bool) -> None:
        """One call, or a look where the outcome of the last one is not known."""
        if self.state is None:
            self._look_again(server, recorder, may_fail)
            return
        call = self.next_call(self.state)
        begin = recorder.position()
        outcome, request = Outcome.UNANSWERED, None
        try:
            answer = call.run(server)
            outcome, request = Outcome.DONE, answer["ResponseMetadata"]["RequestId"]
            proof = call.keep(answer)
            if proof is not None:
                self.proofs.append(Proof(proof.kind, proof.of, proof.what, recorder.position()))
        except ClientError as refused:
            outcome = Outcome.REFUSED
            self._judge_refusal(call, refused, may_fail)
        except BotoCoreError:
            pass
        end = recorder.position() if outcome is not Outcome.UNANSWERED else _NEVER
        change = tuple(call.change.items())
        self.steps.append(
            Step(self.name, call.name, begin, end, outcome, change, request if call.is_logged else None)
        )
        self._go_on(call, outcome)

    def forget(self) -> None:
        """The server is gone: what was under way may be done or not."""
        if self.state is not None:
            self._possible, self.state = [self.state], None

    def new_name(self) -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"{self.name}-{self._made}"

    def _go_on(self, call: Call, outcome: Outcome) -> None:
        assert self.state is not None
        done = after(self.state, call.change.items())
        if outcome is Outcome.DONE:
            self.state = done
        else:
            self._possible, self.state = [self.state, done], None

    def _look_again(self, server: Server, recorder: Recorder, may_fail: bool) -> None:
        begin = recorder.position()
        try:
            found = self.look(server, f"{self.name}-")
        except (ClientError, BotoCoreError):
            return
        if may_fail and any(isinstance(value, Broken) for value in found.values()):
            # It may be that reading failed.
            return
        if found not in self._possible:
            told = f"{self.name}: after a call without an answer there is {found!r}; possible was {self._possible!r}"
            self.findings.append(Finding(Verdict.TORN, told))
        self.steps.append(
            Step(self.name, "look", begin, recorder.position(), Outcome.SEEN, tuple(found.items()))
        )
        self.state = found

    def _judge_refusal(self, call: Call, refused: ClientError, may_fail: bool) -> None:
        error = refused.response["Error"]
        status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
        if not may_fail or status < 500 or not error.get("Message"):
            told = f"{self.name}: {call.name} was refused with {status} {error}"
            self.findings.append(Finding(Verdict.UNEXPLAINED, told))


# Behind every journal.
_NEVER = 1 << 62


def owner(fact: Fact) -> str:
    """The name of the worker whose fact it is."""
    return fact[1].removeprefix("alias/").split("-")[0]


def digest(content: bytes | str) -> str:
    """Short for a content, with its length."""
    data = content.encode() if isinstance(content, str) else content
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()[:12]}"
