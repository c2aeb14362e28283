"""All cases: those of the tables and those of the files."""

from collections import Counter

from suite import constraints, files, identifiers, matrix, options
from suite.cases import Case, CaseFileError
from suite.tables import Tables


def cases(tables: Tables) -> list[Case]:
    """Every case, in the order in which they are carried out."""
    found = [
        *matrix.cases(tables),
        *identifiers.cases(tables),
        *options.cases(tables),
        *constraints.cases(tables),
        *files.cases(tables),
    ]
    twice = [name for name, count in Counter(case.id for case in found).items() if count > 1]
    if twice:
        raise CaseFileError(f"two cases are called {twice[0]}")
    return found
