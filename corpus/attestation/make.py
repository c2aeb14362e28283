#!/usr/bin/env python3
"""Makes documents.json anew: attestation documents as the black-box tests make them, at a time that stands still.

    PYTHONPATH=e2e e2e/.venv/bin/python corpus/attestation/make.py

All keys in the file are its own and open nothing anywhere.
"""

import base64
import datetime
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.attestation import Enclave, Holder, cbor, certify, sign1

BEGINS = datetime.datetime(2023, 11, 14, 22, tzinfo=datetime.timezone.utc)
VERIFIED_AT = "2023-11-14T22:13:20Z"
HOUR, YEAR = datetime.timedelta(hours=1), datetime.timedelta(days=365)
TIMESTAMP = int(BEGINS.timestamp() * 1000)


def authority(name: str, issuer: Holder | None = None) -> Holder:
    return certify(name, issuer, begins=BEGINS - YEAR, ends=BEGINS + YEAR)


def enclave(chain: list[Holder], begins: datetime.datetime = BEGINS, **more: Any) -> Enclave:
    leaf = certify("i-0123-enc4567", chain[-1], authority=False, begins=begins, ends=begins + 3 * HOUR)
    return Enclave(chain, leaf, **more)


def main() -> None:
    root = authority("corpus.nitro-enclaves")
    region = authority("region.corpus.nitro-enclaves", root)
    one = enclave([root, region])
    payload = cbor(one.fields(timestamp=TIMESTAMP))
    good = sign1(payload, one.holder.key)
    small = rsa.generate_private_key(65537, 1024).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo

    def document(**changes: Any) -> bytes:
        return one.document(timestamp=TIMESTAMP, **changes)

    def of(chain: list[Holder], begins: datetime.datetime = BEGINS) -> bytes:
        return enclave(chain, begins, private_key=one.private_key).document(timestamp=TIMESTAMP)

    cases = [
        ("without a tag", good, "verified"),
        ("with a tag", b"\xd2" + good, "verified"),
        ("of indefinite length", sign1(b"\xbf" + payload[1:] + b"\xff", one.holder.key), "verified"),
        ("of a NitroTPM", document(pcrs=..., nitrotpm_pcrs={4: bytes(48), 7: bytes(48)}), "verified"),
        ("with user data and nonce", document(user_data=b"data", nonce=bytes(32)), "verified"),
        ("no CBOR", b"no document", "malformed"),
        ("with a byte more", good + b"\0", "malformed"),
        ("with a field that is unknown", document(surprise=1), "malformed"),
        ("without registers", document(pcrs=...), "malformed"),
        ("under another algorithm", sign1(payload, one.holder.key, {1: -7}), "malformed"),
        ("signed with another key", sign1(payload, region.key), "untrusted"),
        ("changed after it was signed", good.replace(b"i-0123456789abcdef0", b"i-0123456789abcdef1"), "untrusted"),
        ("under another root of the same name", of([authority("corpus.nitro-enclaves")]), "untrusted"),
        ("with a gap in its chain", document(cabundle=[root.der]), "untrusted"),
        ("of a certificate that has expired", of([root, region], BEGINS - 4 * HOUR), "not valid now"),
        ("of a certificate that is not valid yet", of([root, region], BEGINS + HOUR), "not valid now"),
        ("without a public key", document(public_key=None), "public key"),
        (
            "with an RSA key of 1024 bits",
            document(public_key=small.public_bytes(serialization.Encoding.DER, form)),
            "public key",
        ),
    ]
    private_key = one.private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    corpus = {
        "root": root.pem,
        "verified_at": VERIFIED_AT,
        "private_key": base64.b64encode(private_key).decode(),
        "cases": [
            {"name": name, "document": base64.b64encode(made).decode(), "outcome": outcome}
            for name, made, outcome in cases
        ],
    }
    Path(__file__).with_name("documents.json").write_text(json.dumps(corpus, indent=1) + "\n")


if __name__ == "__main__":
    main()
