"""The score: how many cases of each operation pass."""

from collections.abc import Iterable
from pathlib import Path

from suite.runner import Verdict

BEGIN = "<!-- conformance: begin. Written by e2e/conformance/run --write-table, not by hand. -->"
END = "<!-- conformance: end -->"
TOTAL = "all operations"


class NoTable(Exception):
    """The document has no place for the table."""


def counts(verdicts: Iterable[Verdict]) -> dict[str, tuple[int, int]]:
    """Passed and all cases, by operation, and of all operations."""
    found: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        for name in (verdict.case.operation, TOTAL):
            passed, all_ = found.get(name, (0, 0))
            found[name] = (passed + verdict.passed, all_ + 1)
    return dict(sorted(found.items()))


def as_text(verdicts: Iterable[Verdict]) -> str:
    """For the terminal."""
    rows = counts(verdicts)
    width = max((len(name) for name in rows), default=0)
    return "\n".join(
        f"{name:{width}}  {passed:5d} / {all_:5d}{'' if passed == all_ else f'  {all_ - passed} wrong'}"
        for name, (passed, all_) in rows.items()
    )


def as_markdown(verdicts: Iterable[Verdict]) -> str:
    """For the documentation."""
    rows = [f"| {name} | {passed} | {all_} |" for name, (passed, all_) in counts(verdicts).items()]
    return "\n".join(["| operation | cases that pass | cases |", "|---|---|---|", *rows])


def write(document: Path, table: str) -> None:
    """Puts the table between its marks in a document."""
    document.write_text(with_table(document.read_text(), table))


def with_table(text: str, table: str) -> str:
    """The document with this table in the place of the one it has."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoTable(f"the document lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
