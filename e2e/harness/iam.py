"""Names that no other test uses, and policy documents, for the tests of IAM."""

import itertools
import json
from typing import Any

_numbers = itertools.count(1)

ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
}
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    ],
}


def document(*statements: dict[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows these actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


def fresh(kind: str) -> str:
    """A name of the kind that was not given before."""
    return f"{kind}-{next(_numbers)}"


def text(document: dict[str, Any]) -> str:
    """The document as a client would write it down."""
    return json.dumps(document, indent=1)


def sized(size: int) -> str:
    """An identity policy of this many characters that are not white space."""
    document = json.loads(json.dumps(ALLOW))
    document["Statement"][0]["Sid"] = "x"
    missing = size - len(json.dumps(document).replace(" ", ""))
    document["Statement"][0]["Sid"] = "x" * (1 + missing)
    return json.dumps(document)
