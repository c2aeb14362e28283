"""What a case is: calls in their order, and what each must answer."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Success:
    """The call succeeds, and its result satisfies these checks by member path."""

    members: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """The call is refused. `texts` are whole texts, `pattern` a regular expression for the whole text; both may have
    placeholders. Neither: any text will do. An empty text says that there is none."""

    codes: tuple[str, ...]
    texts: tuple[str, ...] | None = None
    pattern: str | None = None


Outcome = Success | Refusal


@dataclass(frozen=True)
class Step:
    """One call. Any of `outcomes` is right. Parts of the answer are kept under names for later steps."""

    operation: str
    request: dict[str, Any]
    outcomes: tuple[Outcome, ...]
    keep: dict[str, str] = field(default_factory=dict)
    region: str | None = None
    """A placeholder for the Region; None is the Region of the case's key, or the first."""
    wait_for: dict[str, Any] | None = None
    """The call is made again until its result satisfies these checks: some changes of AWS take seconds."""
    pages: str | None = None
    """The member of the result whose items are collected over all pages."""


@dataclass(frozen=True)
class Case:
    """Something that an endpoint does right or wrong. The last step decides; the steps before prepare."""

    operation: str
    group: str
    name: str
    source: str
    steps: tuple[Step, ...]
    key: str | None = None
    """The key of keys.toml that it works on."""
    values: dict[str, Any] = field(default_factory=dict)
    """What is made before the first step: placeholders, evaluated once."""
    variables: dict[str, Any] = field(default_factory=dict)
    changes_key: bool = False
    """Afterwards the key is brought back into its state."""

    @property
    def id(self) -> str:
        return f"{self.operation} / {self.group} / {self.name}"


class CaseFileError(Exception):
    """A file of cases says something that is not understood."""


def refusal(table: dict[str, Any]) -> Refusal:
    """Reads `{ code = …, text = …, pattern = … }`; code and text may be lists of alternatives."""
    unknown = set(table) - {"code", "text", "pattern", "source"}
    if unknown or "code" not in table:
        raise CaseFileError(f"a refusal has code, text and pattern, not {sorted(table)}")
    texts = table.get("text")
    return Refusal(
        codes=tuple(_listed(table["code"])),
        texts=None if texts is None else tuple(_listed(texts)),
        pattern=table.get("pattern"),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
