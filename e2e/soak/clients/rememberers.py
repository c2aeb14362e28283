"""The clients of `make torture`, who change things of their own and look now and then whether all is as it should."""

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.callers import Caller
from harness.seed import AMERICA, EUROPE, ONE
from soak.clients.client import Client, World
from soak.ledger import Answered, Wrong
from torture.workers import Worker

# Looks cost many calls.
CALLS_BETWEEN_LOOKS = 60


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

    def step(self) -> None:
        self._calls += 1
        if self._calls % CALLS_BETWEEN_LOOKS == 0:
            self._look()
            return
        self.worker.step(self.world.endpoint, _Moments(), may_fail=False)
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
        kind.meta.events.register("after-call-error", lambda **_: world.ledger.not_answered())


def _note(world: World, service: str) -> Any:
    def note(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code") if http_response.status_code >= 300 else None
        request = parsed["ResponseMetadata"].get("RequestId", "")
        world.ledger.answered(Answered(request, service, model.name, code))

    return note


