"""The table of `corpus/object-encryption/`: what is in it, and what its short names stand for."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[2] / "corpus/object-encryption/headers.txt"
PREFIX = "x-amz-server-side-encryption"
SOURCE = "x-amz-copy-source-server-side-encryption"
HEADERS = {
    "SSE": PREFIX,
    "KEYID": f"{PREFIX}-aws-kms-key-id",
    "CTX": f"{PREFIX}-context",
    "BK": f"{PREFIX}-bucket-key-enabled",
    "C-ALG": f"{PREFIX}-customer-algorithm",
    "C-KEY": f"{PREFIX}-customer-key",
    "C-MD5": f"{PREFIX}-customer-key-md5",
    "S-ALG": f"{SOURCE}-customer-algorithm",
    "S-KEY": f"{SOURCE}-customer-key",
    "S-MD5": f"{SOURCE}-customer-key-md5",
}
PAIRS = {"team": "blue"}
CUSTOMERS = {"own": bytes(range(32)), "other": bytes(range(1, 33)), "short": bytes(31), "long": bytes(44)}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


CONTEXTS = {
    "pairs": encoded(json.dumps(PAIRS).encode()),
    "no-base64": "{}",
    "no-json": encoded(b"{"),
    "list": encoded(b"[]"),
    "number": encoded(b'{"a": 1}'),
    "reserved": encoded(b'{"aws:s3:arn": "arn:aws:s3:::elsewhere"}'),
}


@dataclass(frozen=True)
class Refusal:
    """What the answer to a refused request is."""

    status: int
    code: str
    text: str | None
    argument: tuple[str, str | None] | None


@dataclass(frozen=True)
class Row:
    """One call and its outcome, with the short names of the table."""

    section: str
    operation: str
    where: str
    sent: dict[str, str]
    outcome: dict[str, str] | Refusal

    def __str__(self) -> str:
        words = "+".join(f"{name}={value}" for name, value in self.sent.items())
        return f"{self.section}-{self.operation}-{self.where}-{words or 'nothing'}"


@dataclass(frozen=True)
class Table:
    rows: list[Row]
    texts: dict[str, str]
    # What each operation tells.
    told: dict[str, set[str]]

    def of(self, *sections: str) -> list[Row]:
        return [row for row in self.rows if row.section in sections]


def read() -> Table:
    rows: list[Row] = []
    beside: dict[str, dict[str, str]] = {"answers": {}, "texts": {}}
    section, operations = "", []
    for line in TABLE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            name, _, words = line.partition("]")
            section, operations = name[1:], words.split()
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if section in beside:
            beside[section][cells[0]] = cells[1]
            continue
        where, sent, outcome = cells
        rows += [Row(section, one, where, _words(sent), _outcome(outcome)) for one in operations]
    told = {operation: set(names.split()) for operation, names in beside["answers"].items()}
    return Table(rows, beside["texts"], told)


def _words(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name in ("C", "S"):
            pairs |= {f"{name}-ALG": "AES256", f"{name}-KEY": value, f"{name}-MD5": value}
        else:
            assert name in HEADERS or name in ("KMS", "BUCKETKEY", "BODY"), word
            pairs[name] = value
    return pairs


def _outcome(text: str) -> dict[str, str] | Refusal:
    text = text.removesuffix("(ours)").strip()
    refusal = re.fullmatch(r"(\d{3}) (\S+)(?: ([a-z-]+))?(?: \[([A-Z0-9-]+)(?:=(.+))?\])?", text)
    if refusal is None:
        return _words(text)
    status, code, name, argument, value = refusal.groups()
    text = None if name in (None, "-") else name
    return Refusal(int(status), code, text, (HEADERS[argument], value) if argument else None)


def header(name: str, value: str, keys: dict[str, str]) -> tuple[str, str]:
    """The header that a word of the table stands for."""
    if name == "KEYID":
        value = keys.get(value, value)
    elif name == "CTX":
        value = CONTEXTS[value]
    elif name.endswith("-KEY"):
        value = encoded(CUSTOMERS[value]) if value in CUSTOMERS else value
    elif name.endswith("-MD5"):
        value = encoded(hashlib.md5(CUSTOMERS[value]).digest()) if value in CUSTOMERS else value
    return HEADERS[name], value


def headers(words: dict[str, str], keys: dict[str, str]) -> dict[str, str]:
    return dict(header(name, value, keys) for name, value in words.items() if name in HEADERS)


def told(answer: Any) -> dict[str, Any]:
    """What an answer tells of the encryption, under the short names; a context as its pairs."""
    short = {header: name for name, header in HEADERS.items()}
    found = {name.lower(): value for name, value in answer.headers.items() if PREFIX in name.lower()}
    return {short[name]: _shown(short[name], value) for name, value in found.items()}


def _shown(name: str, value: str) -> Any:
    return json.loads(base64.b64decode(value)) if name == "CTX" else value


def expected(words: dict[str, str], names: set[str], keys: dict[str, str]) -> dict[str, Any]:
    """What an answer that may tell these names tells of an encryption."""
    shown = {name: header(name, value, keys)[1] for name, value in words.items() if name in names}
    return {name: _shown(name, value) for name, value in shown.items()}
