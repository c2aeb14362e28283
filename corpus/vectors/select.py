"""Selects the vectors of this folder from the PyPI package `cryptography_vectors`, unpacked.

    pip download --no-deps cryptography_vectors && unzip cryptography_vectors-*.whl
    python3 select.py cryptography_vectors

Nothing is computed: what NIST published is copied, in another form.
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
PER_KIND = 4
SIGNATURES = 32


def write(name, cases):
    (HERE / name).write_text(json.dumps(cases, indent=1) + "\n")


def derivations(text):
    """Counter mode, HMAC-SHA-256, 32-bit counter before the fixed input; every case."""
    section, case, cases = {}, {}, []
    for line in text.splitlines():
        if heading := re.fullmatch(r"\[(\w+)=(\w+)\]", line):
            section[heading[1]] = heading[2]
        elif field := re.fullmatch(r"(L|KI|FixedInputData|KO) = (\w+)", line):
            case[field[1]] = field[2]
        if "KO" in case:
            if section == {"PRF": "HMAC_SHA256", "CTRLOCATION": "BEFORE_FIXED", "RLEN": "32_BITS"}:
                cases.append({
                    "bits": int(case["L"]),
                    "key": case["KI"],
                    "fixed_input": case["FixedInputData"],
                    "output": case["KO"],
                })
            case = {}
    return cases


def wrappings(text):
    """The first cases of each length that open and the first that must not."""
    cases, seen, length = [], {}, None
    for line in text.splitlines():
        if heading := re.fullmatch(r"\[PLAINTEXT LENGTH = (\d+)\]", line):
            length = heading[1]
        elif field := re.fullmatch(r"([KCP]) = (\w+)", line):
            if field[1] == "K":
                case = {}
            case[field[1]] = field[2]
        if line == "FAIL" or line.startswith("P = "):
            kind = (length, line == "FAIL")
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] <= PER_KIND:
                cases.append({"key": case["K"], "wrapped": case["C"], "material": case.get("P")})
    return cases


def signatures(text):
    """The first cases: messages of 0, 1, 2 … bytes. A line is seed and key, key, message, signature and message."""
    cases = []
    for line in text.splitlines()[:SIGNATURES]:
        secret, public_key, message, signed, _ = line.split(":")
        cases.append({
            "seed": secret[:64],
            "public_key": public_key,
            "message": message,
            "signature": signed[:128],
        })
    return cases


source = pathlib.Path(sys.argv[1])
write(
    "sp800-108-counter-hmac-sha256.json",
    derivations((source / "KDF/nist-800-108-KBKDF-CTR.txt").read_text()),
)
write(
    "sp800-38f-kwp-aes256.json",
    wrappings((source / "keywrap/kwtestvectors/KWP_AD_256.txt").read_text()),
)
write(
    "ed25519-signatures.json",
    signatures((source / "asymmetric/Ed25519/sign.input").read_text()),
)
