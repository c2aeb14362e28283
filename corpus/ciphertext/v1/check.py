"""Checks the cases in this folder with an implementation of its own. Needs `cryptography` 45 or newer."""

import base64
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

HERE = pathlib.Path(__file__).parent


class Invalid(Exception):
    pass


def framed(data):
    return len(data).to_bytes(4, "big") + data


def one_time_key(secret, label, context):
    derivation = KBKDFHMAC(
        algorithm=SHA256(), mode=Mode.CounterMode, length=32, rlen=4, llen=4,
        location=CounterLocation.BeforeFixed, label=label, context=context, fixed=None,
    )
    return AESGCM(derivation.derive(secret))


def open_gcm(key, iv, sealed, header, bound):
    try:
        return key.decrypt(iv, sealed, framed(header) + bound)
    except InvalidTag:
        raise Invalid("tag") from None


def canonical_context(pairs):
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    return len(encoded).to_bytes(4, "big") + b"".join(framed(key) + framed(value) for key, value in encoded)


def identity(key_id):
    """Kind byte and sixteen bytes of a key id."""
    multi_region = key_id.startswith("mrk-")
    return bytes([multi_region]) + bytes.fromhex(key_id.removeprefix("mrk-").replace("-", ""))


def material_id(material, key_id):
    return hmac.digest(material, b"keywright key material id v1" + identity(key_id), "sha256")


def decrypt(case):
    blob, material = bytes.fromhex(case["ciphertext"]), bytes.fromhex(case["material"])
    if len(blob) < 104 or blob[:3] != b"\x01\x02\x01" or blob[3] > 1:
        raise Invalid("form")
    header, sealed = blob[:88], blob[88:]
    account, nonce, iv = int.from_bytes(header[4:12], "big"), header[60:76], header[76:]
    # What a service does: find key and material by what the blob names.
    if account != int(case["account"]) or header[3:4] + header[12:28] != identity(case["key_id"]):
        raise Invalid("another key")
    if header[28:60] != material_id(material, case["key_id"]):
        raise Invalid("other material")
    key = one_time_key(material, b"keywright ciphertext v1", nonce + identity(case["key_id"]))
    return open_gcm(key, iv, sealed, header, canonical_context(case["context"]))


def open_seal(secret, bound, sealed):
    header, rest = sealed[:29], sealed[29:]
    if len(sealed) < 45 or header[0] != 1:
        raise Invalid("form")
    key = one_time_key(secret, b"keywright seal v1", header[1:17])
    return open_gcm(key, header[17:], rest, header, bound)


def root_key(case):
    document = json.loads(case["file"])
    compact = json.dumps(document["kept"], separators=(",", ":"), ensure_ascii=False).encode()
    if document["version"] != 1 or base64.b64decode(document["checksum"]) != hashlib.sha256(compact).digest():
        raise Invalid("damaged")
    if case["passphrase"] is None:
        return base64.b64decode(document["kept"]["plain"]["root_key"])
    kept = document["kept"]["passphrase"]
    cost = kept["argon2id"]
    memory, passes, lanes = cost["memory_kib"], cost["passes"], cost["lanes"]
    salt = base64.b64decode(cost["salt"])
    secret = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(
        case["passphrase"].encode()
    )
    numbers = [number.to_bytes(4, "big") for number in (memory, passes, lanes)]
    bound = b"".join(framed(part) for part in [b"keywright root key", b"argon2id", *numbers, salt])
    return open_seal(secret, bound, base64.b64decode(kept["sealed_root_key"]))


def ok(case):
    material = bytes.fromhex(case["material"])
    same_id = material_id(material, case["key_id"]).hex() == case["material_id"]
    return same_id and decrypt(case).hex() == case["plaintext"]


def invalid(case):
    try:
        decrypt(case)
    except Invalid:
        return True
    return False


def seal(case):
    parts = [case["purpose"].encode(), *map(bytes.fromhex, case["parts"])]
    bound = b"".join(framed(part) for part in parts)
    return open_seal(bytes.fromhex(case["key"]), bound, base64.b64decode(case["sealed"])).hex() == case["secret"]


def root(case):
    return root_key(case).hex() == case["root_key"]


def holds(check, case):
    try:
        return check(case)
    except Invalid:
        return False


def main():
    failed, count = [], 0
    for check in (ok, invalid, seal, root):
        for case in json.loads((HERE / f"{check.__name__}.json").read_text()):
            count += 1
            if not holds(check, case):
                failed.append(f"{check.__name__}.json: {case['name']}")
    print("\n".join([*failed, f"{count - len(failed)} of {count} cases hold"]))
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
