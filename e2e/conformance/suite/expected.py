"""Cases that are known to fail against Keywright, each with its reason."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from suite.cases import CaseFileError
from suite.files import EXPECTED_FAILURES
from suite.runner import Verdict
from suite.tables import CASES, read


@dataclass(frozen=True)
class Expected:
    """A pattern for the ids of cases (`*` for any text), and why they fail."""

    cases: str
    reason: str

    def names(self, verdict: Verdict) -> bool:
        return fnmatch.fnmatchcase(verdict.case.id, self.cases)


def read_all(path: Path = CASES / EXPECTED_FAILURES) -> list[Expected]:
    """The list of expected failures."""
    found = [Expected(table["cases"], table["reason"]) for table in read(path).get("expected", [])]
    if any(not one.reason for one in found):
        raise CaseFileError(f"{path.name}: an expected failure has a reason")
    return found


def surprises(verdicts: list[Verdict], expected: list[Expected]) -> list[str]:
    """What is not as the list says: failures that it lacks, passes that it does not admit, patterns of no case."""
    nameless = [one for one in expected if not any(one.names(verdict) for verdict in verdicts)]
    told = [f"{EXPECTED_FAILURES} names no case: {one.cases}" for one in nameless]
    return surprises_among(verdicts, expected) + told


def surprises_among(verdicts: list[Verdict], expected: list[Expected]) -> list[str]:
    """As `surprises`, of a part of the cases."""
    found = []
    for verdict in verdicts:
        listed = any(one.names(verdict) for one in expected)
        if verdict.passed and listed:
            found.append(f"passes, but is listed in {EXPECTED_FAILURES}: {verdict.case.id}")
        elif not verdict.passed and not listed:
            found.append(f"{verdict.case.id}\n    {'; '.join(verdict.complaints)}\n    source: {verdict.case.source}")
    return found
