"""The clients of `make torture`, who change things of their own and look now and then whether all is as it should."""

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.callers import Caller
from harness.seed import AMERICA, EUROPE, ONE
from soak.asking import Unanswered, judged, no_answer
from soak.clients.client import Client, World
from soak.ledger import Wrong
from torture.workers import Worker

# Looks cost many calls.
CALLS_BETWEEN_LOOKS = 60
# So often a worker may look, after a call without an answer, at something that cannot be read.
LOOKS_MAX = 20


class _Moments:
    """Takes the place of the journal, by which these workers note when things happened."""

    def position(self) -> int:
        return time.monotonic_ns()


class Rememberer(Client):
    """One of these workers. It works in the first account."""

    def __init__(self, name: str, seed: int, world: World, me: Caller, worker: Worker):
        super().__init__(name, seed, world, me)
        self.worker = worker
        self._calls = 0
        self._looks = 0

    def step(self) -> None:
        self._calls += 1
        if self._calls % CALLS_BETWEEN_LOOKS == 0:
            self._look()
            return
        begin = time.monotonic()
        # What it is answered while the service goes away is nobody's fault; what it is else, `note_answers` judges.
        self.worker.step(self.world.endpoint, _Moments(), may_fail=True)
        is_settled = self.worker.state is not None or self.world.endpoint.was_away(begin, time.monotonic())
        self._looks = 0 if is_settled else self._looks + 1
        if self._looks > LOOKS_MAX:
            raise Wrong(f"{self.name}: {LOOKS_MAX} looks", "something that cannot be read", "what its calls explain")
        found, self.worker.findings = self.worker.findings, []
        # What is done and seen needs no more to be judged: the state has it.
        self.worker.steps.clear()
        self.worker.proofs[:-50] = []
        for finding in found:
            raise Wrong(f"{self.name}: {finding.verdict.value}", finding.text, "an answer that its calls explain")

    def _look(self) -> None:
        """Whether everything is as the calls left it, once all have been answered."""
        if self.worker.state is None:
            return
        begin = time.monotonic()
        try:
            found = self.worker.look(self.world.endpoint, f"{self.worker.name}-")
        except (ClientError, BotoCoreError):
            if self.world.endpoint.was_away(begin, time.monotonic()):
                return
            raise
        if found != self.worker.state and not self.world.endpoint.was_away(begin, time.monotonic()):
            raise Wrong(f"{self.name}: a look at all that it has", found, self.worker.state)

    def forget(self) -> None:
        self.worker.forget()


def note_answers(world: World) -> None:
    """Has everything noted that these workers are told: they make their clients themselves, one of each kind."""
    endpoint = world.endpoint
    for kind in (clients.kms(endpoint), clients.kms(endpoint, region=AMERICA), clients.iam(endpoint),
                 clients.client("s3", endpoint.endpoint, ONE, EUROPE, ())):  # fmt: skip
        service = kind.meta.service_model.service_name
        kind.meta.events.register("after-call", _note(world, service))
        kind.meta.events.register("after-call-error", _note_none(world, service))


def _note(world: World, service: str) -> Any:
    def note(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        status, now = http_response.status_code, time.monotonic()
        # The workers have their own way to go on; what is wrong is told at once.
        try:
            judged(world.endpoint, world.ledger, now, service, model.name, status, parsed)
        except Wrong as wrong:
            world.ledger.tell("torture", wrong)
        except Unanswered:
            pass

    return note


def _note_none(world: World, service: str) -> Any:
    def note(exception: Exception, **_: Any) -> None:
        found = no_answer(world.endpoint, world.ledger, time.monotonic(), service, exception)
        if isinstance(found, Wrong):
            world.ledger.tell("torture", found)

    return note
