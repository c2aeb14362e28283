"""The outcomes as text, to be read and compared."""

import re
from pathlib import Path

from harness.matrix.measure import Measured
from harness.matrix.rows import ON_KEYS, WITHOUT_KEY, Row

FOLDER = Path(__file__).parents[3] / "corpus" / "authorization"
NO_REQUEST = "-"
GAP = "  "


def files(measured: Measured) -> dict[str, str]:
    """The text of each file, by its name."""
    found = {
        f"{name}.txt": "\n".join(_on_keys(measured, row) for row in rows) for name, rows in ON_KEYS.items()
    }
    return found | {"without-key.txt": _without_key(measured)}


def differences(expected: str, found: str) -> list[str]:
    """What differs, cell by cell, or line by line where the tables have not the same lines and columns."""
    old, new = _cells(expected), _cells(found)
    changed = [
        f"{' / '.join(place)}: expected {old.get(place, 'no such cell')}, found {new.get(place, 'no such cell')}"
        for place in old | new
        if old.get(place) != new.get(place)
    ]
    return changed or ["the layout alone differs"]


def _on_keys(measured: Measured, row: Row) -> str:
    lines = {}
    for caller in measured.callers:
        outcomes = [measured.on_keys.get((row.name, kind, caller.name)) for kind in measured.kinds]
        lines[caller.name] = [NO_REQUEST if outcome is None else outcome.word(row.checked) for outcome in outcomes]
    return _table(row.name, measured.kinds, lines)


def _without_key(measured: Measured) -> str:
    lines = {
        name: [measured.without_key[name, caller.name].word(name.split(" ")[0]) for caller in measured.callers]
        for name in WITHOUT_KEY
    }
    return _table("without a key", [caller.name for caller in measured.callers], lines)


def _table(title: str, columns: list[str], lines: dict[str, list[str]]) -> str:
    """A table in which each column is as wide as its widest entry."""
    grid = [[title, *columns], *([name, *words] for name, words in lines.items())]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    padded = ([word.ljust(width) for word, width in zip(line, widths, strict=True)] for line in grid)
    return "".join(GAP.join(line).rstrip() + "\n" for line in padded)


def _cells(text: str) -> dict[tuple[str, ...], str]:
    """The cells by title of the table, line and column."""
    found: dict[tuple[str, ...], str] = {}
    for table in text.strip().split("\n\n"):
        (title, *columns), *lines = (re.split(r"\s{2,}", line.strip()) for line in table.splitlines())
        for name, *words in lines:
            found |= {(title, name, column): word for column, word in zip(columns, words, strict=False)}
    return found
