"""The files of cases: `cases/*.toml`. README.md tells their form."""

import itertools
from pathlib import Path
from typing import Any

from suite.cases import Case, CaseFileError, Outcome, Refusal, Step, Success, refusal
from suite.scope import PLACEHOLDER
from suite.tables import CASES, KeyName, Tables, read

CASE_MEMBERS = {
    "operation", "name", "source", "key", "new_key", "values", "rows", "across", "not_in", "before", "request",
    "keep", "region", "pages", "wait_for", "result", "refused", "after", "changes",
}  # fmt: skip
STEP_MEMBERS = {"call", "request", "keep", "region", "pages", "wait_for", "result", "refused"}
EXPECTED_FAILURES = "expected-failures.toml"


def cases(tables: Tables, folder: Path = CASES) -> list[Case]:
    """Every case that is written out in a file."""
    paths = [path for path in sorted(folder.glob("*.toml")) if path.name != EXPECTED_FAILURES]
    return [case for path in paths for case in _file(path, tables)]


def _file(path: Path, tables: Tables) -> list[Case]:
    contents = read(path)
    reader = _Reader(path.stem.replace("-", " "), contents, tables)
    try:
        return [case for table in contents.get("case", []) for case in reader.expand(table)]
    except CaseFileError as error:
        raise CaseFileError(f"{path.name}: {error}") from None


class _Reader:
    def __init__(self, group: str, contents: dict[str, Any], tables: Tables):
        self._group = group
        self._source = contents.get("source")
        self._rows = contents.get("rows", {})
        self._steps = contents.get("steps", {})
        self._refusals = {name: refusal(table) for name, table in contents.get("refusals", {}).items()}
        self._tables = tables

    def expand(self, table: dict[str, Any]) -> list[Case]:
        unknown = set(table) - CASE_MEMBERS
        if unknown:
            raise CaseFileError(f"{table.get('name')}: nobody reads {sorted(unknown)}")
        return [self._case(table, row) for row in self._rows_of(table)]

    def _rows_of(self, table: dict[str, Any]) -> list[dict[str, Any]]:
        rows = self._named_rows(table["rows"]) if "rows" in table else [{}]
        across = table.get("across", {})
        products = [dict(zip(across, values, strict=True)) for values in itertools.product(*across.values())]
        without = [row for name in table.get("not_in", []) for row in self._rows[name]]
        found = [row | product for row in rows for product in products]
        return [row for row in found if not any(_agree(row, other) for other in without)]

    def _named_rows(self, rows: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._rows[rows] if isinstance(rows, str) else rows

    def _case(self, table: dict[str, Any], row: dict[str, Any]) -> Case:
        source = table.get("source", self._source)
        if not source:
            raise CaseFileError(f"{table['name']} has no source")
        key = _filled(table["key"], row) if "key" in table else None
        operation = _filled(table["operation"], row)
        main = {name: table[name] for name in STEP_MEMBERS & set(table)} | {"call": operation}
        return Case(
            operation=operation,
            group=self._group,
            name=_filled(table["name"], row),
            source=source,
            steps=(
                *self._new_key(table),
                *self._all_steps(table.get("before", []), row),
                self._step(main, row),
                *self._all_steps(table.get("after", []), row),
            ),
            key=None if key is None else str(KeyName.parse(key)),
            values=_expanded(table.get("values", {}), row),
            variables=row | {"verb": operation},
            changes_key=table.get("changes", False),
        )

    def _new_key(self, table: dict[str, Any]) -> list[Step]:
        if "new_key" not in table:
            return []
        request = {"Description": "{description}"} | table["new_key"]
        return [Step("CreateKey", request, (Success(),), {"key": "KeyMetadata.Arn", "key_id": "KeyMetadata.KeyId"})]

    def _all_steps(self, steps: list[Any], row: dict[str, Any]) -> list[Step]:
        """A step is a table, or the name of steps that several cases share."""
        found: list[Step] = []
        for step in steps:
            found += self._all_steps(self._steps[step], row) if isinstance(step, str) else [self._step(step, row)]
        return found

    def _step(self, template: dict[str, Any], row: dict[str, Any]) -> Step:
        table = _expanded(template, row)
        unknown = set(table) - STEP_MEMBERS
        if unknown:
            raise CaseFileError(f"{table['call']}: nobody reads {sorted(unknown)}")
        return Step(
            operation=table["call"],
            request=table.get("request", {}),
            outcomes=self._outcomes(table),
            keep=table.get("keep", {}),
            region=table.get("region"),
            wait_for=table.get("wait_for"),
            pages=table.get("pages"),
        )

    def _outcomes(self, table: dict[str, Any]) -> tuple[Outcome, ...]:
        """Without an expectation a step must succeed; with several, any of them is right."""
        refused = table.get("refused", [])
        listed = refused if isinstance(refused, list) else [refused]
        found: list[Outcome] = [self._refusal(one) for one in listed]
        if "result" in table or not found:
            found.append(Success(table.get("result", {})))
        return tuple(found)

    def _refusal(self, said: str | dict[str, Any]) -> Refusal:
        """A refusal is a table, or the name of one in the file or in refusals.toml."""
        if isinstance(said, dict):
            return refusal(said)
        return self._refusals[said] if said in self._refusals else self._tables.refusals[said]


def _agree(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two rows are equal in what both of them tell."""
    return all(other[name] == row[name] for name in other.keys() & row.keys())


def _expanded(template: Any, row: dict[str, Any]) -> Any:
    """The template with the placeholders replaced that name a value of the row, which may have placeholders too."""
    if isinstance(template, dict):
        return {name: _expanded(inner, row) for name, inner in template.items()}
    if isinstance(template, list):
        return [_expanded(inner, row) for inner in template]
    whole = PLACEHOLDER.fullmatch(template) if isinstance(template, str) else None
    return row[whole[1]] if whole and whole[1] in row else template


def _filled(text: str, row: dict[str, Any]) -> str:
    return PLACEHOLDER.sub(lambda found: str(row.get(found[1], found[0])), text)
