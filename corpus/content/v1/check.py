"""Checks the cases in this folder with an implementation of its own. Needs `cryptography` 45 or newer."""

import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

HERE = pathlib.Path(__file__).parent
CHUNK = 65536


def part_key(content_key, nonce):
    derivation = KBKDFHMAC(
        algorithm=SHA256(), mode=Mode.CounterMode, length=32, rlen=4, llen=4,
        location=CounterLocation.BeforeFixed, label=b"keywright content v1", context=nonce, fixed=None,
    )
    return AESGCM(derivation.derive(content_key))


def seal(key, owner, number, plaintext):
    bound = b"\x01" + owner + number.to_bytes(4, "big")
    pieces = [plaintext[at : at + CHUNK] for at in range(0, len(plaintext), CHUNK)] or [b""]
    last = len(pieces) - 1
    return b"".join(
        key.encrypt(bytes(7) + index.to_bytes(4, "big") + bytes([index == last]), piece, bound)
        for index, piece in enumerate(pieces)
    )


def sealed(case):
    plaintext = bytes(7 * at % 251 for at in range(case["length"]))
    key = part_key(bytes.fromhex(case["key"]), bytes.fromhex(case["nonce"]))
    return seal(key, bytes.fromhex(case["owner"]), case["number"], plaintext)


def holds(case):
    part = sealed(case)
    return hashlib.sha256(part).hexdigest() == case["sealed"] and case.get("bytes", part.hex()) == part.hex()


def main():
    cases = json.loads((HERE / "parts.json").read_text())
    failed = [case["name"] for case in cases if not holds(case)]
    print("\n".join([*failed, f"{len(cases) - len(failed)} of {len(cases)} cases hold"]))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
