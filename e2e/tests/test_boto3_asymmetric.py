"""Asymmetric, HMAC and post-quantum keys through boto3, checked against a second implementation (`cryptography`).

Source: AWS KMS API Reference of the operations; the developer guide's pages on key specs and key states; texts are
recorded answers unless said otherwise.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from harness.expect import NO_TEXT, refused
from harness.seed import SEEDED_KEY

MESSAGE = b"attack at dawn"
CURVES = {"ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1()}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ECDSA = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
}
RSA_ALGORITHMS = [f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PKCS1_V1_5", "PSS") for bits in HASHES]
# Sizes of the SubjectPublicKeyInfo, from the standards.
SPKI_SIZES = {
    "RSA_2048": 294,
    "ECC_NIST_P256": 91,
    "ECC_NIST_P384": 120,
    "ECC_NIST_P521": 158,
    "ECC_SECG_P256K1": 88,
    "ECC_NIST_EDWARDS25519": 44,
    "ML_DSA_44": 1334,
    "ML_DSA_65": 1974,
    "ML_DSA_87": 2614,
}


def public_key(kms: Any, key: str) -> Any:
    return serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


def rsa_padding(algorithm: str, digest: hashes.HashAlgorithm) -> Any:
    if "PKCS1" in algorithm:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)


@pytest.fixture(scope="module")
def rsa_signer(server: Any) -> str:
    from harness import clients

    return clients.kms(server).create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def rsa_encrypter(server: Any) -> str:
    from harness import clients

    return clients.kms(server).create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]


@pytest.mark.parametrize("spec", SPKI_SIZES)
def test_metadata_and_public_key(kms: Any, spec: str) -> None:
    metadata = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"], metadata["KeyState"]) == (spec, "SIGN_VERIFY", "Enabled")
    assert "CurrentKeyMaterialId" not in metadata and "EncryptionAlgorithms" not in metadata
    answer = kms.get_public_key(KeyId=metadata["KeyId"])
    assert len(answer["PublicKey"]) == SPKI_SIZES[spec]
    assert answer["SigningAlgorithms"] == metadata["SigningAlgorithms"]
    assert (answer["KeyId"], answer["KeySpec"]) == (metadata["Arn"], spec)


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_rsa_signatures(kms: Any, rsa_signer: str, algorithm: str, message_type: str) -> None:
    digest = HASHES[algorithm[-3:]]
    message = MESSAGE if message_type == "RAW" else hashlib.new(digest.name, MESSAGE).digest()
    request = {"KeyId": rsa_signer, "MessageType": message_type, "SigningAlgorithm": algorithm}
    answer = kms.sign(Message=message, **request)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (rsa_signer, algorithm)
    signature = answer["Signature"]
    public_key(kms, rsa_signer).verify(signature, MESSAGE, rsa_padding(algorithm, digest), digest)
    assert kms.verify(Message=message, Signature=signature, **request)["SignatureValid"] is True
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=message[::-1], Signature=signature, **request)
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=message, Signature=signature[::-1], **request)


@pytest.mark.parametrize("spec", ECDSA)
def test_ecdsa_signatures(kms: Any, new_key: Callable[..., str], spec: str) -> None:
    key = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    digest = HASHES[ECDSA[spec][-3:]]
    request = {"KeyId": key, "SigningAlgorithm": ECDSA[spec]}
    signature = kms.sign(Message=MESSAGE, **request)["Signature"]
    public_key(kms, key).verify(signature, MESSAGE, ec.ECDSA(digest))
    hashed = hashlib.new(digest.name, MESSAGE).digest()
    assert kms.verify(Message=hashed, MessageType="DIGEST", Signature=signature, **request)["SignatureValid"]
    again = kms.sign(Message=hashed, MessageType="DIGEST", **request)["Signature"]
    public_key(kms, key).verify(again, hashed, ec.ECDSA(utils.Prehashed(digest)))
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=MESSAGE + b"!", Signature=signature, **request)


def test_ed25519_signatures(kms: Any, new_key: Callable[..., str]) -> None:
    key = new_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    request = {"KeyId": key, "SigningAlgorithm": "ED25519_SHA_512"}
    signature = kms.sign(Message=MESSAGE, **request)["Signature"]
    public = public_key(kms, key)
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        public.verify(signature, MESSAGE + b"!")
    assert kms.verify(Message=MESSAGE, Signature=signature, **request)["SignatureValid"]
    # Pure EdDSA takes the message itself.
    with refused("ValidationException"):
        kms.sign(Message=bytes(64), MessageType="DIGEST", **request)


@pytest.mark.parametrize(("spec", "length"), [("ML_DSA_44", 2420), ("ML_DSA_65", 3309), ("ML_DSA_87", 4627)])
def test_ml_dsa_signatures(kms: Any, new_key: Callable[..., str], spec: str, length: int) -> None:
    key = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    request = {"KeyId": key, "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    signature = kms.sign(Message=MESSAGE, **request)["Signature"]
    assert len(signature) == length
    assert kms.verify(Message=MESSAGE, Signature=signature, **request)["SignatureValid"]
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=MESSAGE + b"!", Signature=signature, **request)


def test_prehashed_ed25519_signatures(kms: Any, new_key: Callable[..., str]) -> None:
    key = new_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    request = {"KeyId": key, "SigningAlgorithm": "ED25519_PH_SHA_512"}
    digest = hashlib.sha512(MESSAGE).digest()
    signature = kms.sign(Message=digest, MessageType="DIGEST", **request)["Signature"]
    assert len(signature) == 64
    assert kms.verify(Message=digest, MessageType="DIGEST", Signature=signature, **request)["SignatureValid"]
    # Prehashed and pure signatures are different things.
    with pytest.raises(InvalidSignature):
        public_key(kms, key).verify(signature, digest)
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=digest[::-1], MessageType="DIGEST", Signature=signature, **request)
    with refused("ValidationException"):
        kms.sign(Message=MESSAGE, **request)
    with refused("ValidationException", "Digest is invalid length for algorithm ED25519_PH_SHA_512."):
        kms.sign(Message=digest[:-1], MessageType="DIGEST", **request)


@pytest.mark.parametrize(("spec", "length"), [("ML_DSA_44", 1312), ("ML_DSA_65", 1952), ("ML_DSA_87", 2592)])
def test_ml_dsa_with_a_message_representative_of_the_caller(
    kms: Any, new_key: Callable[..., str], spec: str, length: int
) -> None:
    key = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    # FIPS 204 section 6.2, with the empty context string.
    raw_public_key = kms.get_public_key(KeyId=key)["PublicKey"][-length:]
    hashed_key = hashlib.shake_256(raw_public_key).digest(64)
    representative = hashlib.shake_256(hashed_key + b"\x00\x00" + MESSAGE).digest(64)
    request = {"KeyId": key, "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    mu = {"Message": representative, "MessageType": "EXTERNAL_MU"}
    signature = kms.sign(**mu, **request)["Signature"]
    assert kms.verify(Message=MESSAGE, Signature=signature, **request)["SignatureValid"]
    raw = kms.sign(Message=MESSAGE, **request)["Signature"]
    assert kms.verify(Signature=raw, **mu, **request)["SignatureValid"]
    with refused("KMSInvalidSignatureException", NO_TEXT):
        kms.verify(Message=representative[::-1], MessageType="EXTERNAL_MU", Signature=signature, **request)
    with refused("ValidationException"):
        kms.sign(Message=representative, MessageType="DIGEST", **request)
    with refused("ValidationException"):
        kms.sign(Message=representative[:-1], MessageType="EXTERNAL_MU", **request)


@pytest.mark.parametrize(("algorithm", "limit"), [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)])
def test_rsa_encryption(kms: Any, rsa_encrypter: str, algorithm: str, limit: int) -> None:
    request = {"KeyId": rsa_encrypter, "EncryptionAlgorithm": algorithm}
    plaintext = bytes(range(limit))
    encrypted = kms.encrypt(Plaintext=plaintext, **request)
    assert (len(encrypted["CiphertextBlob"]), encrypted["KeyId"]) == (256, rsa_encrypter)
    decrypted = kms.decrypt(CiphertextBlob=encrypted["CiphertextBlob"], **request)
    assert decrypted["Plaintext"] == plaintext and "KeyMaterialId" not in decrypted
    digest = hashes.SHA1() if algorithm.endswith("_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    elsewhere = public_key(kms, rsa_encrypter).encrypt(MESSAGE, oaep)
    assert kms.decrypt(CiphertextBlob=elsewhere, **request)["Plaintext"] == MESSAGE
    text = f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes."
    with refused("ValidationException", text):
        kms.encrypt(Plaintext=bytes(limit + 1), **request)
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.decrypt(CiphertextBlob=elsewhere[::-1], **request)
    with refused("ValidationException"):
        kms.encrypt(Plaintext=MESSAGE, EncryptionContext={"a": "b"}, **request)


def test_re_encryption_between_kinds(kms: Any, rsa_encrypter: str) -> None:
    oaep = {"DestinationKeyId": rsa_encrypter, "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=MESSAGE, EncryptionContext={"a": "b"})["CiphertextBlob"]
    to_rsa = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "b"}, **oaep)
    assert "SourceKeyMaterialId" in to_rsa and "DestinationKeyMaterialId" not in to_rsa
    back = kms.re_encrypt(
        CiphertextBlob=to_rsa["CiphertextBlob"],
        SourceKeyId=rsa_encrypter,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        DestinationKeyId=SEEDED_KEY,
    )
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == MESSAGE


@pytest.mark.parametrize("spec", CURVES)
def test_key_agreement(kms: Any, new_key: Callable[..., str], spec: str) -> None:
    key = new_key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(CURVES[spec])
    der = peer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    answer = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=der)
    assert answer["SharedSecret"] == peer.exchange(ec.ECDH(), public_key(kms, key))
    assert (answer["KeyOrigin"], answer["KeyAgreementAlgorithm"]) == ("AWS_KMS", "ECDH")
    other = ec.generate_private_key(ec.SECP256K1()).public_key()
    foreign = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for wrong in (foreign, der[:-1], der[:-1] + bytes([der[-1] ^ 1]), b"x"):
        with refused("ValidationException", NO_TEXT):
            kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=wrong)


@pytest.mark.parametrize(("bits", "length"), [("224", 28), ("256", 32), ("384", 48), ("512", 64)])
def test_hmac(kms: Any, new_key: Callable[..., str], bits: str, length: int) -> None:
    key = new_key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{bits}", "Message": MESSAGE}
    mac = kms.generate_mac(**request)["Mac"]
    assert len(mac) == length and kms.generate_mac(**request)["Mac"] == mac
    assert kms.verify_mac(Mac=mac, **request)["MacValid"] is True
    for wrong in (mac[:-1], mac[:-1] + bytes([mac[-1] ^ 1]), hmac.digest(b"other key", MESSAGE, f"sha{bits}")):
        with refused("KMSInvalidMacException", NO_TEXT):
            kms.verify_mac(Mac=wrong, **request)
    other = "HMAC_SHA_256" if bits != "256" else "HMAC_SHA_224"
    with refused("InvalidKeyUsageException", f"Algorithm {other} is incompatible with key spec HMAC_{bits}."):
        kms.generate_mac(KeyId=key, MacAlgorithm=other, Message=MESSAGE)
    with refused("UnsupportedOperationException"):
        kms.get_public_key(KeyId=key)


@pytest.mark.parametrize(("spec", "length"), [("ML_KEM_512", 768), ("ML_KEM_768", 1088), ("ML_KEM_1024", 1568)])
def test_encapsulation(kms: Any, new_key: Callable[..., str], spec: str, length: int) -> None:
    key = new_key(KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")
    request = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
    made = kms.encapsulate(**request)
    blob = made["SharedSecretCiphertextBlob"]
    assert (len(made["SharedSecret"]), len(blob)) == (32, length)
    assert kms.decapsulate(SharedSecretCiphertextBlob=blob, **request)["SharedSecret"] == made["SharedSecret"]
    # Implicit rejection: another secret, no error.
    changed = bytes([blob[0] ^ 1]) + blob[1:]
    assert kms.decapsulate(SharedSecretCiphertextBlob=changed, **request)["SharedSecret"] != made["SharedSecret"]
    with refused("InvalidCiphertextException"):
        kms.decapsulate(SharedSecretCiphertextBlob=blob[:-1], **request)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_data_key_pairs(kms: Any, spec: str) -> None:
    context = {"purpose": "test"}
    pair = kms.generate_data_key_pair(KeyId=SEEDED_KEY, KeyPairSpec=spec, EncryptionContext=context)
    private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert der == pair["PublicKey"]
    if spec == "RSA_2048":
        assert isinstance(private, rsa.RSAPrivateKey) and private.key_size == 2048
    opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == pair["PrivateKeyPlaintext"]
    blind = kms.generate_data_key_pair_without_plaintext(KeyId=SEEDED_KEY, KeyPairSpec=spec)
    assert "PrivateKeyPlaintext" not in blind
    opened = kms.decrypt(CiphertextBlob=blind["PrivateKeyCiphertextBlob"])["Plaintext"]
    serialization.load_der_private_key(opened, None)


def test_usage_spec_and_digest_must_fit(kms: Any, rsa_signer: str, rsa_encrypter: str) -> None:
    with refused("InvalidKeyUsageException", f"{rsa_signer} key usage is SIGN_VERIFY which is not valid for Encrypt."):
        kms.encrypt(KeyId=rsa_signer, Plaintext=MESSAGE, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    text = f"{rsa_encrypter} key usage is ENCRYPT_DECRYPT which is not valid for Sign."
    with refused("InvalidKeyUsageException", text):
        kms.sign(KeyId=rsa_encrypter, Message=MESSAGE, SigningAlgorithm="RSASSA_PSS_SHA_256")
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=rsa_signer, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
    with refused("InvalidKeyUsageException"):
        kms.generate_data_key(KeyId=rsa_encrypter, KeySpec="AES_256")
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=rsa_encrypter, Plaintext=MESSAGE)
    text = "Digest is invalid length for algorithm RSASSA_PSS_SHA_256."
    request = {"KeyId": rsa_signer, "MessageType": "DIGEST", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    with refused("ValidationException", text):
        kms.sign(Message=bytes(31), **request)
    with refused("ValidationException", text):
        kms.verify(Message=bytes(31), Signature=bytes(256), **request)


def test_key_states(kms: Any, new_key: Callable[..., str]) -> None:
    key = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    request = {"KeyId": key, "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    kms.disable_key(KeyId=key)
    with refused("DisabledException", f"{key} is disabled."):
        kms.sign(**request)
    # The newest table of key states lets a disabled key show its public half.
    assert kms.get_public_key(KeyId=key)["KeyId"] == key
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for call in (lambda: kms.sign(**request), lambda: kms.get_public_key(KeyId=key)):
        with refused("KMSInvalidStateException"):
            call()


def test_one_material_for_ever(kms: Any, new_key: Callable[..., str]) -> None:
    for spec, usage in (("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")):
        key = new_key(KeySpec=spec, KeyUsage=usage)
        with refused("UnsupportedOperationException"):
            kms.enable_key_rotation(KeyId=key)
        with refused("UnsupportedOperationException", NO_TEXT):
            kms.rotate_key_on_demand(KeyId=key)
        assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
        assert kms.list_key_rotations(KeyId=key)["Rotations"] == []


def test_an_alias_stays_with_its_kind(kms: Any, new_key: Callable[..., str], rsa_signer: str) -> None:
    kms.create_alias(AliasName="alias/kind", TargetKeyId=rsa_signer)
    with refused("ValidationException"):
        kms.update_alias(AliasName="alias/kind", TargetKeyId=SEEDED_KEY)
    other = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms.update_alias(AliasName="alias/kind", TargetKeyId=other)


def test_create_key_checks_usage(kms: Any) -> None:
    text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    with refused("ValidationException", text):
        kms.create_key(KeySpec="RSA_2048")
    with refused("ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"):
        kms.create_key(KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT")
    with refused("UnsupportedOperationException"):
        kms.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")
