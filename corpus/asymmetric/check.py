#!/usr/bin/env python3
"""Key pairs and what they compute, checked against OpenSSL.

    python3 -m venv venv && venv/bin/pip install cryptography==50.0.2
    venv/bin/python corpus/asymmetric/check.py            checks written-here.json
    venv/bin/python corpus/asymmetric/check.py --write    writes written-elsewhere.json

written-here.json comes from this project (`cargo test -p crypto --test asymmetric -- --ignored`), written-elsewhere.json
from OpenSSL; the tests of the crate `crypto` read both. Bytes are hexadecimal. All private keys in here are public.
Ed25519ph, which OpenSSL's Python interface lacks, is computed here from RFC 8032.
"""

import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

HERE = pathlib.Path(__file__).parent
OURS = HERE / "written-here.json"
THEIRS = HERE / "written-elsewhere.json"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
RSA = [f"RSASSA_{scheme}_SHA_{size}" for scheme in ("PKCS1_V1_5", "PSS") for size in HASHES]
ALGORITHMS = {
    "RSA_2048": RSA,
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    "ECC_NIST_EDWARDS25519": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    "ML_DSA_44": ["ML_DSA_SHAKE_256"],
    "ML_DSA_65": ["ML_DSA_SHAKE_256"],
    "ML_DSA_87": ["ML_DSA_SHAKE_256"],
}
OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}


# Ed25519 and Ed25519ph, RFC 8032 section 5.1, slowly.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
PREFIX = b"SigEd25519 no Ed25519 collisions\x01\x00"


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P) % P)


def multiply(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square:
        raise InvalidSignature
    return (P - x if x & 1 != sign else x, y)


def compress(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def challenge(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def ed25519_sign(seed, message, prefix):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = compress(multiply(scalar, BASE))
    nonce = challenge(prefix, digest[32:], message)
    point = compress(multiply(nonce, BASE))
    return point + ((nonce + challenge(prefix, point, public, message) * scalar) % ORDER).to_bytes(32, "little")


def ed25519_verify(public, message, signature, prefix):
    point, s = decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    expected = add(point, multiply(challenge(prefix, signature[:32], public, message), decompress(public)))
    if len(signature) != 64 or s >= ORDER or multiply(s, BASE) != expected:
        raise InvalidSignature


# The algorithms by their AWS names.


def raw_public(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def rsa_padding(algorithm, digest):
    return padding.PSS(padding.MGF1(digest), digest.digest_size) if "PSS" in algorithm else padding.PKCS1v15()


def oaep(algorithm):
    digest = OAEP[algorithm]
    return padding.OAEP(padding.MGF1(digest), digest, None)


def verify(key, algorithm, kind, message, signature):
    digest = HASHES.get(algorithm[-3:])
    used = Prehashed(digest) if kind == "digest" else digest
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, rsa_padding(algorithm, digest), used)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(used))
    elif algorithm == "ED25519_SHA_512":
        key.verify(signature, message)
        ed25519_verify(raw_public(key), message, signature, b"")
    elif algorithm == "ED25519_PH_SHA_512":
        ed25519_verify(raw_public(key), hashlib.sha512(message).digest(), signature, PREFIX)
    elif kind == "external_mu":
        key.verify_mu(signature, message)
    else:
        key.verify(signature, message)


def sign(key, algorithm, kind, message):
    digest = HASHES.get(algorithm[-3:])
    used = Prehashed(digest) if kind == "digest" else digest
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, rsa_padding(algorithm, digest), used)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(used))
    if algorithm == "ED25519_PH_SHA_512":
        return ed25519_sign(key.private_bytes_raw(), hashlib.sha512(message).digest(), PREFIX)
    return key.sign_mu(message) if kind == "external_mu" else key.sign(message)


def public_document(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def check(pair):
    public = serialization.load_der_public_key(bytes.fromhex(pair["public"]))
    assert public_document(public).hex() == pair["public"], "the public key is in the canonical form"
    private = None
    if not pair["spec"].startswith("ML_KEM"):
        private = serialization.load_der_private_key(bytes.fromhex(pair["private"]), None)
        assert public_document(private.public_key()).hex() == pair["public"], "both halves belong together"
    for case in pair["signatures"]:
        message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
        verify(public, case["algorithm"], case["kind"], message, signature)
        try:
            verify(public, case["algorithm"], case["kind"], bytes([message[0] ^ 1]) + message[1:], signature)
            raise AssertionError("another message verifies")
        except InvalidSignature:
            pass
    for case in pair["ciphertexts"]:
        plaintext = private.decrypt(bytes.fromhex(case["ciphertext"]), oaep(case["algorithm"]))
        assert plaintext.hex() == case["plaintext"]
    for case in pair["agreements"]:
        peer = serialization.load_der_public_key(bytes.fromhex(case["peer"]))
        assert private.exchange(ec.ECDH(), peer).hex() == case["secret"]
    for case in pair["encapsulations"]:
        assert len(bytes.fromhex(case["secret"])) == 32


def generate(spec):
    if spec in CURVES:
        return ec.generate_private_key(CURVES[spec])
    if spec == "RSA_2048":
        return rsa.generate_private_key(65537, 2048)
    if spec == "ECC_NIST_EDWARDS25519":
        return ed25519.Ed25519PrivateKey.generate()
    return getattr(mldsa, spec.replace("ML_DSA_", "MLDSA") + "PrivateKey").generate()


def kinds(algorithm):
    if algorithm == "ML_DSA_SHAKE_256":
        return ["raw", "external_mu"]
    return {"ED25519_SHA_512": ["raw"], "ED25519_PH_SHA_512": ["digest"]}.get(algorithm, ["raw", "digest"])


def write_pair(spec):
    key = generate(spec)
    signatures = []
    for algorithm in ALGORITHMS[spec]:
        for kind in kinds(algorithm):
            length = 64 if kind == "external_mu" else int(algorithm[-3:]) // 8
            message = b"made by OpenSSL" if kind == "raw" else bytes(range(length))
            signature = sign(key, algorithm, kind, message)
            verify(key.public_key(), algorithm, kind, message, signature)
            signatures.append(
                {"algorithm": algorithm, "kind": kind, "message": message.hex(), "signature": signature.hex()}
            )
    ciphertexts = []
    for algorithm in OAEP if spec == "RSA_2048" else []:
        ciphertext = key.public_key().encrypt(b"made by OpenSSL", oaep(algorithm))
        plaintext = b"made by OpenSSL".hex()
        ciphertexts.append({"algorithm": algorithm, "plaintext": plaintext, "ciphertext": ciphertext.hex()})
    agreements = []
    if spec.startswith("ECC_NIST_P"):
        peer = generate(spec)
        secret = key.exchange(ec.ECDH(), peer.public_key())
        agreements.append({"peer": public_document(peer.public_key()).hex(), "secret": secret.hex()})
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "spec": spec,
        "private": private.hex(),
        "public": public_document(key.public_key()).hex(),
        "signatures": signatures,
        "ciphertexts": ciphertexts,
        "agreements": agreements,
        "encapsulations": [],
    }


def write_encapsulation(pair):
    """OpenSSL encapsulates for a key of ours. It offers ML-KEM-768 and ML-KEM-1024 to Python."""
    secret, ciphertext = serialization.load_der_public_key(bytes.fromhex(pair["public"])).encapsulate()
    assert len(secret) == 32
    return pair | {"encapsulations": [{"secret": secret.hex(), "ciphertext": ciphertext.hex()}]}


def main():
    ours = json.loads(OURS.read_text())
    for pair in ours:
        if pair["spec"] != "ML_KEM_512":
            check(pair)
    print(f"{OURS.name}: {len(ours)} key pairs, {sum(len(pair['signatures']) for pair in ours)} signatures are right")
    if sys.argv[1:] == ["--write"]:
        theirs = [write_pair(spec) for spec in ALGORITHMS]
        theirs += [write_encapsulation(pair) for pair in ours if pair["spec"] in ("ML_KEM_768", "ML_KEM_1024")]
        THEIRS.write_text(json.dumps(theirs, indent=1) + "\n")


if __name__ == "__main__":
    main()
