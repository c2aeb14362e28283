"""Wrapping key material for import, as AWS's guide tells a customer to."""

import os
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

HASHES = {"SHA_1": hashes.SHA1, "SHA_256": hashes.SHA256}


def wrap(public_key: bytes, algorithm: str, material: bytes) -> bytes:
    """The material, encrypted to a wrapping key (SubjectPublicKeyInfo DER) with a `WrappingAlgorithm`."""
    key = serialization.load_der_public_key(public_key)
    assert isinstance(key, rsa.RSAPublicKey)
    digest = HASHES[algorithm.removeprefix("RSAES_OAEP_").removeprefix("RSA_AES_KEY_WRAP_")]
    oaep = padding.OAEP(mgf=padding.MGF1(digest()), algorithm=digest(), label=None)
    if algorithm.startswith("RSAES_OAEP_"):
        return key.encrypt(material, oaep)
    aes_key = os.urandom(32)
    return key.encrypt(aes_key, oaep) + aes_key_wrap_with_padding(aes_key, material)


def wrapped(
    kms: Any, key: str, material: bytes, algorithm: str = "RSAES_OAEP_SHA_256", spec: str = "RSA_2048"
) -> dict[str, Any]:
    """The parameters of ImportKeyMaterial that carry this material."""
    answer = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)
    blob = wrap(answer["PublicKey"], algorithm, material)
    return {"KeyId": key, "ImportToken": answer["ImportToken"], "EncryptedKeyMaterial": blob}


def import_material(kms: Any, key: str, material: bytes, **parameters: Any) -> dict[str, Any]:
    """Imports material that does not expire, unless the parameters say otherwise."""
    if "ValidTo" not in parameters:
        parameters.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return kms.import_key_material(**wrapped(kms, key, material), **parameters)
