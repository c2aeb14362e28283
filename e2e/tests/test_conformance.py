"""Keywright against the conformance suite: each case is as `conformance/cases/expected-failures.toml` says.

Source: each case names its own; `e2e/conformance/run --case …` shows one.
"""

import pytest
from suite import collect, expected, score
from suite.command import DOCUMENT, keywright
from suite.endpoint import Endpoint
from suite.runner import Run, Verdict
from suite.tables import Tables

from harness.seed import AMERICA, EUROPE


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """The verdicts of all cases on a server of their own."""
    tables = Tables()
    with keywright(tmp_path_factory.mktemp("conformance"), EUROPE, AMERICA) as target:
        return Run(Endpoint(target), tables).verdicts(collect.cases(tables))


@pytest.mark.timeout(600)
def test_every_case_is_as_expected(verdicts: list[Verdict]) -> None:
    found = expected.surprises(verdicts, expected.read_all())
    assert not found, "\n".join([f"{len(found)} surprises", *found[:50]])


def test_the_table_in_the_documents_is_what_is_measured(verdicts: list[Verdict]) -> None:
    # `e2e/conformance/run --write-table` writes it.
    text = DOCUMENT.read_text()
    assert text == score.with_table(text, score.as_markdown(verdicts))
