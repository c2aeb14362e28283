"""Carries cases out. Cases on one key follow one another; keys are worked on side by side."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from suite.cases import Case, Step
from suite.checks import complaints, member
from suite.endpoint import Answer, Endpoint, NoAnswer
from suite.keys import LOOK_AGAIN_SECONDS, Keys
from suite.protocol import violations
from suite.scope import Scope, Unprepared, at_path
from suite.tables import Tables

WORKERS = 4
MOST_PAGES = 2000
# One of them is neither Region of the run.
REGIONS = ("eu-west-1", "us-west-2", "ap-south-1")
OPEN_POLICY = (
    '{{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions","Effect":"Allow",'
    '"Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}]}}'
)


@dataclass(frozen=True)
class Verdict:
    """How a case went."""

    case: Case
    complaints: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.complaints


class Run:
    """One run against one endpoint."""

    def __init__(self, endpoint: Endpoint, tables: Tables):
        self._endpoint = endpoint
        self.values = _run_values(endpoint)
        self._keys = Keys(endpoint, tables, self.values)

    def verdicts(self, cases: Iterable[Case]) -> list[Verdict]:
        """Carries all cases out, and gives their verdicts in their order."""
        lanes: dict[str, list[Case]] = {}
        ordered = list(cases)
        for number, case in enumerate(ordered):
            lanes.setdefault(case.key or f"alone {number}", []).append(case)

        with ThreadPoolExecutor(WORKERS) as pool:
            done = pool.map(lambda lane: [self.verdict(case) for case in lane], lanes.values())
            found = {verdict.case.id: verdict for verdicts in done for verdict in verdicts}
        return [found[case.id] for case in ordered]

    def verdict(self, case: Case) -> Verdict:
        """Carries one case out."""
        try:
            return Verdict(case, tuple(self._complaints(case)))
        except Unprepared as reason:
            return Verdict(case, (f"not prepared: {reason}",))
        except NoAnswer as reason:
            return Verdict(case, (f"no answer: {reason}",))

    def _complaints(self, case: Case) -> list[str]:
        key = None if case.key is None else self._keys.get(case.key)
        scope = Scope({}, case.variables, {} if key is None else key.values, self.values)
        region = self.values["region"] if key is None else key.region
        try:
            for name, template in case.values.items():
                scope.keep(name, scope.resolve(template))
            for step in case.steps:
                wrong = self._step(step, scope, region)
                if wrong:
                    return wrong
            return []
        finally:
            if key is not None and case.changes_key:
                key.restore()

    def _step(self, step: Step, scope: Scope, region: str) -> list[str]:
        region = region if step.region is None else scope.resolve(step.region)
        request = scope.resolve(step.request)
        answer = self._answer(step, request, region, scope)
        wrong = violations(answer, self._endpoint.model) + complaints(answer, step.outcomes, scope)
        if answer.succeeded and step.pages:
            wrong += self._all_pages(step, request, region, answer)
        for name, path in step.keep.items():
            if answer.succeeded and not wrong:
                scope.keep(name, at_path(answer.members, path.split(".") if path else [], path))
        return [text if text.startswith(step.operation) else f"{step.operation}: {text}" for text in wrong]

    def _answer(self, step: Step, request: dict[str, Any], region: str, scope: Scope) -> Answer:
        if not step.pages:
            return self._waited(step, request, region, scope)
        pages = list(self._pages(step, request, region))
        if not pages[-1].succeeded:
            return pages[-1]
        items = [item for page in pages for item in page.members.get(step.pages, [])]
        return Answer(**(vars(pages[0]) | {"members": pages[0].members | {step.pages: items}}))

    def _pages(self, step: Step, request: dict[str, Any], region: str) -> Iterable[Answer]:
        for _ in range(MOST_PAGES):
            answer = self._endpoint.call(step.operation, request, region)
            yield answer
            if not answer.succeeded or "NextMarker" not in answer.members:
                return
            request = request | {"Marker": answer.members["NextMarker"]}
        raise NoAnswer(f"{step.operation} has more than {MOST_PAGES} pages")

    def _all_pages(self, step: Step, request: dict[str, Any], region: str, first: Answer) -> list[str]:
        """The rules of pages: Truncated always, NextMarker if and only if there is more, no page above its limit."""
        wrong = []
        for number, page in enumerate(self._pages(step, request, region)):
            truncated, marked = page.members.get("Truncated"), "NextMarker" in page.members
            if truncated is None or truncated != marked:
                there = "there" if marked else "absent"
                wrong.append(f"page {number}: Truncated is {truncated}, NextMarker is {there}")
            if len(page.members.get(step.pages or "", [])) > request.get("Limit", 1000):
                wrong.append(f"page {number} has more than {request['Limit']} items")
        return wrong

    def _waited(self, step: Step, request: dict[str, Any], region: str, scope: Scope) -> Answer:
        deadline = time.monotonic() + self._endpoint.target.patience
        while True:
            answer = self._endpoint.call(step.operation, request, region)
            if step.wait_for is None or answer.is_final or time.monotonic() > deadline:
                return answer
            checks = step.wait_for.items()
            if answer.succeeded and not any(member(answer.members, path, check, scope) for path, check in checks):
                return answer
            time.sleep(LOOK_AGAIN_SECONDS)


def _run_values(endpoint: Endpoint) -> dict[str, Any]:
    """What placeholders stand for in every case."""
    caller = endpoint.caller
    target, run = endpoint.target, secrets.token_hex(4)
    partition = caller["arn"].split(":")[1]
    place = f"arn:{partition}:kms:{target.region}:{caller['account']}"
    counter = itertools.count(1)
    values: dict[str, Any] = {
        "region": target.region,
        "second_region": target.second_region,
        "third_region": next(region for region in REGIONS if region not in (target.region, target.second_region)),
        "partition": partition,
        "account": caller["account"],
        "caller_arn": caller["arn"],
        "place": place,
        "run": run,
        "unique": lambda: f"{run}-{next(counter)}",
        "description": f"conformance {run}",
        "message": b"conformance",
        "unknown_id": "00000000-1111-4222-8333-444444444444",
        "open_policy": OPEN_POLICY.format(partition=partition, account=caller["account"]),
    }
    values["in_second_region"] = _others(endpoint, values, target.second_region)
    return values | _others(endpoint, values, target.region)


def _others(endpoint: Endpoint, values: dict[str, Any], region: str) -> dict[str, Callable[[], Any]]:
    """Another symmetric key in a Region, and a ciphertext of it."""

    def make() -> Any:
        request = {"Description": values["description"]}
        return at_path(_must(endpoint, "CreateKey", request, region), ["KeyMetadata", "Arn"], "KeyMetadata.Arn")

    key = _once(make)

    def ciphertext() -> Any:
        request = {"KeyId": key(), "Plaintext": values["message"]}
        return at_path(_must(endpoint, "Encrypt", request, region), ["CiphertextBlob"], "CiphertextBlob")

    return {"other_key": key, "other_ciphertext": _once(ciphertext)}


def _must(endpoint: Endpoint, operation: str, request: dict[str, Any], region: str) -> dict[str, Any]:
    answer = endpoint.call(operation, request, region)
    if not answer.succeeded:
        raise Unprepared(str(answer))
    return answer.members


def _once(make: Callable[[], Any]) -> Callable[[], Any]:
    """The value is made when it is first asked for."""
    made: list[Any] = []
    lock = threading.Lock()

    def get() -> Any:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
