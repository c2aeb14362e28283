"""The tables in `cases/tables/`, read."""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from suite.cases import CaseFileError, Refusal, refusal

CASES = Path(__file__).parents[1] / "cases"
OK = "ok"


def read(path: Path) -> dict[str, Any]:
    """A TOML file."""
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise CaseFileError(f"{path}: {error}") from None


@dataclass(frozen=True)
class Kind:
    """A key spec with a key usage."""

    name: str
    spec: str
    family: str
    usage: str
    algorithms: list[str]
    importable: bool
    replicable: bool


@dataclass(frozen=True)
class KeyName:
    """Which key of keys.toml: `<kind>[/EXTERNAL][/primary|/replica][/<state>]`."""

    kind: str
    origin: str = "AWS_KMS"
    role: str = "single"
    state: str = "Enabled"

    @classmethod
    def parse(cls, text: str) -> "KeyName":
        kind, *parts = text.split("/")
        named = {"kind": kind}
        for part in parts:
            if part == "EXTERNAL":
                named["origin"] = part
            elif part in ("primary", "replica"):
                named["role"] = part
            else:
                named["state"] = part
        return cls(**named)

    def __str__(self) -> str:
        parts = [self.kind]
        parts += [self.origin] if self.origin != "AWS_KMS" else []
        parts += [self.role] if self.role != "single" else []
        return "/".join([*parts, self.state])


@dataclass(frozen=True)
class Action:
    """An operation, or one side of one, with the request that succeeds."""

    name: str
    operation: str
    request: dict[str, Any]
    key_member: str
    changes: bool


@dataclass(frozen=True)
class Grid:
    """A table of the documentation: what each column refuses of each row."""

    source: str
    columns: list[str]
    rows: dict[str, list[str]]

    def answer(self, row: str, column: str) -> str:
        if row not in self.rows:
            return OK
        return self.rows[row][self.columns.index(column)]


@dataclass
class Tables:
    """All of them."""

    folder: Path = field(default_factory=lambda: CASES / "tables")

    def grid(self, name: str) -> Grid:
        table = read(self.folder / f"{name}.toml")
        grid = Grid(table["source"], table["columns"], table["rows"])
        for row, answers in grid.rows.items():
            if len(answers) != len(grid.columns):
                raise CaseFileError(f"{name}.toml: {row} has {len(answers)} columns, expected {len(grid.columns)}")
        return grid

    @cached_property
    def states(self) -> Grid:
        return self.grid("states")

    @cached_property
    def usages(self) -> Grid:
        return self.grid("usages")

    @cached_property
    def origins(self) -> Grid:
        return self.grid("origins")

    @cached_property
    def roles(self) -> Grid:
        return self.grid("roles")

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        table = read(self.folder / "kinds.toml")
        named = table["algorithms"]
        kinds = {}
        for name, members in table["kinds"].items():
            algorithms = members.pop("algorithms")
            listed = named[algorithms] if isinstance(algorithms, str) else algorithms
            kinds[name] = Kind(name=name, spec=name.split(" ")[0], algorithms=listed, **members)
        return kinds

    @cached_property
    def keys(self) -> dict[str, Any]:
        return read(self.folder / "keys.toml")

    @cached_property
    def key_names(self) -> list[KeyName]:
        """Every key of the matrix."""
        return [
            KeyName(kind.name, group.get("origin", "AWS_KMS"), group.get("role", "single"), state)
            for group in self.keys["keys"]
            for kind in self._kinds_of(group["kinds"])
            for state in group["states"]
        ]

    def _kinds_of(self, which: str | list[str]) -> list[Kind]:
        if isinstance(which, list):
            return [self.kinds[name] for name in which]
        return [kind for kind in self.kinds.values() if which == "all" or getattr(kind, which)]

    @cached_property
    def actions(self) -> dict[str, Action]:
        return {
            name: Action(
                name,
                row.get("operation", name),
                row["request"],
                row.get("key", "KeyId"),
                row.get("changes", False),
            )
            for name, row in read(self.folder / "requests.toml").items()
        }

    @cached_property
    def refusals(self) -> dict[str, Refusal]:
        rows = read(self.folder / "refusals.toml")
        return {name: refusal(row) for name, row in rows.items() if isinstance(row, dict)}

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        return read(self.folder / "results.toml")["result"]
