"""Key material made on this side: what is imported, what peers hold, and how it is wrapped."""

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
RAW_LENGTHS = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


@lru_cache(maxsize=64)
def material(spec: str, another: bool = False) -> bytes:
    """Importable key material for a key spec: raw bytes, or PKCS#8 DER. The same for the whole run.

    <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html>
    """
    if spec in RAW_LENGTHS:
        return os.urandom(RAW_LENGTHS[spec])
    if spec.startswith("RSA_"):
        return _pkcs8(rsa.generate_private_key(65537, int(spec.removeprefix("RSA_"))))
    return _pkcs8(_pair(spec, "another" if another else "imported"))


@lru_cache(maxsize=16)
def _pair(spec: str, purpose: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(CURVES[spec])


def _pkcs8(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def peer_key(spec: str) -> bytes:
    """The public key of somebody to agree with, on this spec's curve."""
    public = _pair(spec, "peer").public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def shared_secret(spec: str, public_key: bytes) -> bytes:
    """What the peer gets out of ECDH with this public key (SP 800-56A: the x coordinate, no derivation)."""
    theirs = serialization.load_der_public_key(public_key)
    assert isinstance(theirs, ec.EllipticCurvePublicKey)
    return _pair(spec, "peer").exchange(ec.ECDH(), theirs)


def wrapped(algorithm: str, public_key: bytes, plain: bytes) -> bytes:
    """Key material as ImportKeyMaterial wants it: RSAES_OAEP_… alone, or RSA_AES_KEY_WRAP_… with AES-KWP (RFC 5649)."""
    hash_algorithm = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(hash_algorithm), hash_algorithm, None)
    key = serialization.load_der_public_key(public_key)
    assert isinstance(key, rsa.RSAPublicKey)
    if algorithm.startswith("RSAES_OAEP"):
        return key.encrypt(plain, oaep)
    wrapping_key = os.urandom(32)
    return key.encrypt(wrapping_key, oaep) + aes_key_wrap_with_padding(wrapping_key, plain)


def tag(name: str, key: bytes, message: bytes) -> bytes:
    """The HMAC of RFC 2104."""
    return hmac.new(key, message, name.lower()).digest()


def representative(public_key: bytes, message: bytes) -> bytes:
    """The 64-byte message representative of FIPS 204, section 6.2, with an empty context: SHAKE256 over the hash of the
    public key and the message."""
    raw = _raw_public_key(public_key)
    tr = hashlib.shake_256(raw).digest(64)
    return hashlib.shake_256(tr + b"\x00\x00" + message).digest(64)


def _raw_public_key(spki: bytes) -> bytes:
    """The key octets at the end of an ML-DSA SubjectPublicKeyInfo; their length tells the spec."""
    length = {1334: 1312, 1974: 1952, 2614: 2592}[len(spki)]
    return spki[-length:]
