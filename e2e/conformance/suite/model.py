"""The pinned service model, stripped to what requests may look like."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[3] / "models" / "kms-2014-11-01.json"


class Model:
    """Operations and shapes of `models/`."""

    @cached_property
    def _document(self) -> dict[str, Any]:
        return json.loads(PATH.read_text())

    @property
    def shapes(self) -> dict[str, Any]:
        return self._document["shapes"]

    @property
    def operations(self) -> list[str]:
        """The names of all operations."""
        return sorted(self._document["operations"])

    def request(self, operation: str) -> dict[str, Any] | None:
        """The shape of an operation's request."""
        found = self._document["operations"][operation].get("input")
        return None if found is None else self.shapes[found["shape"]]

    def errors(self, operation: str) -> set[str]:
        """The codes that an operation may answer with."""
        return {error["shape"] for error in self._document["operations"][operation].get("errors", [])}
