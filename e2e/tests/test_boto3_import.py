"""Imported key material through boto3; the other side wraps, signs and verifies with `cryptography`.

Source: AWS KMS API Reference (GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial) and the developer
guide "Importing key material for AWS KMS keys" with the pages below it. Texts are recorded answers.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from harness import clients
from harness.dev_clock import advance, now
from harness.expect import NO_TEXT, pending_deletion, refused
from harness.imports import import_material, wrap, wrapped
from harness.polling import eventually
from harness.seed import EUROPE, ONE
from harness.server import Server

DAY = timedelta(days=1)
DIRECT = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
HYBRID = ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
WRAPPING_KEYS = ["RSA_2048", "RSA_3072", "RSA_4096"]
FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def external(kms: Any) -> Callable[..., str]:
    """Makes a key without material and returns its ARN."""
    return lambda **more: kms.create_key(Origin="EXTERNAL", **more)["KeyMetadata"]["Arn"]


@pytest.fixture
def dev_external(dev_kms: Any) -> str:
    return dev_kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]


def describe(kms: Any, key: str) -> dict[str, Any]:
    return kms.describe_key(KeyId=key)["KeyMetadata"]


def state(kms: Any, key: str) -> str:
    return describe(kms, key)["KeyState"]


def materials(kms: Any, key: str) -> list[dict[str, Any]]:
    answer = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert not answer["Truncated"]
    return answer["Rotations"]


def pkcs8(private_key: Any) -> bytes:
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(private_key: Any) -> bytes:
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_without_material_waits_for_it(kms: Any, external: Callable[..., str]) -> None:
    found = describe(kms, external())
    assert (found["KeyState"], found["Enabled"], found["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & set(found)


def test_what_a_key_without_material_refuses(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    pending = ("KMSInvalidStateException", f"{key} is pending import.")
    origin = ("UnsupportedOperationException", f"{key} origin is EXTERNAL which is not valid for this operation.")
    answers: list[tuple[Callable[[], Any], tuple[str, str]]] = [
        (lambda: kms.encrypt(KeyId=key, Plaintext=b"x"), pending),
        (lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"), pending),
        (lambda: kms.enable_key(KeyId=key), pending),
        (lambda: kms.disable_key(KeyId=key), pending),
        (lambda: kms.rotate_key_on_demand(KeyId=key), pending),
        (lambda: kms.enable_key_rotation(KeyId=key), origin),
        (lambda: kms.disable_key_rotation(KeyId=key), origin),
        (lambda: kms.get_key_rotation_status(KeyId=key), origin),
    ]
    for call, (code, text) in answers:
        with refused(code, text):
            call()
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.update_key_description(KeyId=key, Description="waits")


@pytest.mark.parametrize("algorithm", DIRECT)
@pytest.mark.parametrize("wrapping_key", WRAPPING_KEYS)
def test_symmetric_material_is_imported(
    kms: Any, external: Callable[..., str], algorithm: str, wrapping_key: str
) -> None:
    key = external()
    answer = kms.import_key_material(**wrapped(kms, key, os.urandom(32), algorithm, wrapping_key), **FOREVER)
    assert (answer["KeyId"], len(answer["KeyMaterialId"])) == (key, 64)
    found = describe(kms, key)
    assert (found["KeyState"], found["Enabled"]) == ("Enabled", True)
    assert found["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE" and "ValidTo" not in found
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", answer["KeyMaterialId"])


def test_parameters_are_valid_for_a_day(dev_kms: Any, dev_external: str) -> None:
    answer = dev_kms.get_parameters_for_import(
        KeyId=dev_external, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_4096"
    )
    assert answer["KeyId"] == dev_external
    assert abs(answer["ParametersValidTo"] - now(dev_kms) - DAY) < timedelta(minutes=1)
    assert len(answer["ImportToken"]) <= 6144
    key = serialization.load_der_public_key(answer["PublicKey"])
    assert isinstance(key, rsa.RSAPublicKey) and key.key_size == 4096


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_an_imported_hmac_key_makes_the_macs_of_its_material(
    kms: Any, external: Callable[..., str], bits: int
) -> None:
    key = external(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    material = os.urandom(bits // 8)
    assert "KeyMaterialId" not in import_material(kms, key, material)
    mac = kms.generate_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{bits}", Message=b"message")["Mac"]
    assert mac == hmac.digest(material, b"message", f"sha{bits}")
    for wrong in (material[1:], material + b"x"):
        with refused("IncorrectKeyMaterialException"):
            import_material(kms, key, wrong)


@pytest.mark.parametrize("algorithm", HYBRID)
@pytest.mark.parametrize("bits", [2048, 4096])
def test_an_imported_rsa_key_signs(kms: Any, external: Callable[..., str], bits: int, algorithm: str) -> None:
    private_key = rsa.generate_private_key(65537, bits)
    key = external(KeySpec=f"RSA_{bits}", KeyUsage="SIGN_VERIFY")
    kms.import_key_material(**wrapped(kms, key, pkcs8(private_key), algorithm), **FOREVER)
    assert kms.get_public_key(KeyId=key)["PublicKey"] == spki(private_key)
    signature = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    private_key.public_key().verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
    assert signature == private_key.sign(b"message", padding.PKCS1v15(), hashes.SHA256())


def test_an_imported_rsa_key_decrypts(kms: Any, external: Callable[..., str]) -> None:
    private_key = rsa.generate_private_key(65537, 3072)
    key = external(KeySpec="RSA_3072", KeyUsage="ENCRYPT_DECRYPT")
    kms.import_key_material(**wrapped(kms, key, pkcs8(private_key), HYBRID[1], "RSA_3072"), **FOREVER)
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    opened = kms.decrypt(
        KeyId=key,
        CiphertextBlob=private_key.public_key().encrypt(b"secret", oaep),
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    assert opened["Plaintext"] == b"secret"


CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1(), "ECDSA_SHA_256", hashes.SHA256()),
    "ECC_NIST_P384": (ec.SECP384R1(), "ECDSA_SHA_384", hashes.SHA384()),
    "ECC_NIST_P521": (ec.SECP521R1(), "ECDSA_SHA_512", hashes.SHA512()),
    "ECC_SECG_P256K1": (ec.SECP256K1(), "ECDSA_SHA_256", hashes.SHA256()),
}


@pytest.mark.parametrize("spec", CURVES)
@pytest.mark.parametrize("algorithm", [DIRECT[1], HYBRID[1]])
def test_an_imported_curve_key_signs(kms: Any, external: Callable[..., str], spec: str, algorithm: str) -> None:
    curve, signing, digest = CURVES[spec]
    private_key = ec.generate_private_key(curve)
    key = external(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    kms.import_key_material(**wrapped(kms, key, pkcs8(private_key), algorithm, "RSA_3072"), **FOREVER)
    signature = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm=signing)["Signature"]
    private_key.public_key().verify(signature, b"message", ec.ECDSA(digest))


def test_an_imported_ed25519_key_signs(kms: Any, external: Callable[..., str]) -> None:
    private_key = ed25519.Ed25519PrivateKey.generate()
    key = external(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    kms.import_key_material(**wrapped(kms, key, pkcs8(private_key)), **FOREVER)
    signature = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm="ED25519_SHA_512")["Signature"]
    assert signature == private_key.sign(b"message")


def test_a_public_key_outlasts_its_private_key(kms: Any, external: Callable[..., str]) -> None:
    key = external(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.get_public_key(KeyId=key)
    private_key, peer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    import_material(kms, key, pkcs8(private_key))
    derived = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer))
    assert derived["SharedSecret"] == private_key.exchange(ec.ECDH(), peer.public_key())
    assert derived["KeyOrigin"] == "EXTERNAL"
    answer = kms.delete_imported_key_material(KeyId=key)
    assert (answer["KeyId"], "KeyMaterialId" in answer) == (key, False)
    assert kms.get_public_key(KeyId=key)["PublicKey"] == spki(private_key)
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer))
    with refused("IncorrectKeyMaterialException"):
        import_material(kms, key, pkcs8(peer))
    import_material(kms, key, pkcs8(private_key))
    assert state(kms, key) == "Enabled"


def test_what_cannot_be_imported_that_way_is_refused(kms: Any, external: Callable[..., str]) -> None:
    symmetric, p521 = external(), external(KeySpec="ECC_NIST_P521", KeyUsage="SIGN_VERIFY")
    big = external(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    wrong = [(symmetric, HYBRID[0], "RSA_2048"), (symmetric, "RSAES_PKCS1_V1_5", "RSA_2048"),
             (symmetric, "SM2PKE", "SM2"), (p521, DIRECT[1], "RSA_2048"), (big, DIRECT[1], "RSA_4096")]  # fmt: skip
    for key, algorithm, spec in wrong:
        with refused("UnsupportedOperationException"):
            kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)
    for spec, usage in [("ML_DSA_44", "SIGN_VERIFY"), ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")]:
        with refused("UnsupportedOperationException"):
            external(KeySpec=spec, KeyUsage=usage)


def test_keys_whose_material_is_made_here_take_none(kms: Any, key: str, external: Callable[..., str]) -> None:
    text = f"{key} origin is AWS_KMS which is not valid for this operation."
    parameters = wrapped(kms, external(), os.urandom(32))
    calls: list[Callable[[], Any]] = [
        lambda: kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=DIRECT[0], WrappingKeySpec="RSA_2048"),
        lambda: kms.import_key_material(**(parameters | {"KeyId": key}), **FOREVER),
        lambda: kms.delete_imported_key_material(KeyId=key),
    ]
    for call in calls:
        with refused("UnsupportedOperationException", text):
            call()
    kms.disable_key(KeyId=key)
    for call in calls:
        with refused("UnsupportedOperationException", text):
            call()


def test_a_token_is_good_for_one_key_and_one_wrapping_key(
    server: Server, kms: Any, external: Callable[..., str]
) -> None:
    key, other = external(), external()
    mine, theirs = wrapped(kms, key, os.urandom(32)), wrapped(kms, other, os.urandom(32))
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**(mine | {"ImportToken": theirs["ImportToken"]}), **FOREVER)
    again = wrapped(kms, key, os.urandom(32))
    with refused("InvalidCiphertextException", NO_TEXT):
        kms.import_key_material(**(mine | {"ImportToken": again["ImportToken"]}), **FOREVER)
    elsewhere = clients.kms(server, ONE, "us-east-1")
    far = elsewhere.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with refused("InvalidImportTokenException"):
        elsewhere.import_key_material(**(mine | {"KeyId": far}), **FOREVER)
    for key_left in (key, other):
        assert state(kms, key_left) == "PendingImport"


def test_forged_tokens_and_changed_wrappings_import_nothing(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    mine = wrapped(kms, key, os.urandom(32))
    token = mine["ImportToken"]
    forged = [b"x", b"\x01", b"\x01{}", token[:-1], token + b" x", b"\x02" + token[1:],
              token.replace(b"SHA_256", b"SHA_1"), token.replace(b'"domain_key":1', b'"domain_key":9')]  # fmt: skip
    for wrong in forged:
        with refused("InvalidImportTokenException"):
            kms.import_key_material(**(mine | {"ImportToken": wrong}), **FOREVER)
    blob = mine["EncryptedKeyMaterial"]
    for wrong in (b"x", blob[:-1], blob + b"x", bytes([blob[0] ^ 1]) + blob[1:]):
        with refused("InvalidCiphertextException", NO_TEXT):
            kms.import_key_material(**(mine | {"EncryptedKeyMaterial": wrong}), **FOREVER)
    assert state(kms, key) == "PendingImport"


@pytest.mark.parametrize("length", [1, 16, 31, 33, 64])
def test_material_of_another_length_is_refused(kms: Any, external: Callable[..., str], length: int) -> None:
    key = external()
    with refused("IncorrectKeyMaterialException"):
        import_material(kms, key, os.urandom(length))
    assert state(kms, key) == "PendingImport"


def test_a_private_key_of_another_spec_is_refused(kms: Any, external: Callable[..., str]) -> None:
    key = external(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    p384 = pkcs8(ec.generate_private_key(ec.SECP384R1()))
    right = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    for wrong in (p384, os.urandom(32), right[:-1], right + b"\0"):
        with refused("IncorrectKeyMaterialException"):
            import_material(kms, key, wrong)
    assert state(kms, key) == "PendingImport"


def test_only_the_same_material_comes_back(kms: Any, external: Callable[..., str]) -> None:
    key, material = external(), os.urandom(32)
    first = import_material(kms, key, material)["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    deleted = kms.delete_imported_key_material(KeyId=key)
    assert (deleted["KeyId"], deleted["KeyMaterialId"]) == (key, first)
    found = describe(kms, key)
    assert (found["KeyState"], found["Enabled"], found["CurrentKeyMaterialId"]) == ("PendingImport", False, first)
    assert "ExpirationModel" not in found
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    with refused("IncorrectKeyMaterialException"):
        import_material(kms, key, os.urandom(32))
    with refused("IncorrectKeyMaterialException"):
        import_material(kms, key, material, ImportType="NEW_KEY_MATERIAL")
    with refused("IncorrectKeyMaterialException"):
        import_material(kms, key, material, KeyMaterialId="0" * 64)
    again = import_material(kms, key, material, ImportType="EXISTING_KEY_MATERIAL", KeyMaterialId=first)
    assert again["KeyMaterialId"] == first
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_deleting_what_is_not_there_changes_nothing(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    assert kms.delete_imported_key_material(KeyId=key)["KeyId"] == key
    import_material(kms, key, os.urandom(32))
    kms.delete_imported_key_material(KeyId=key)
    kms.delete_imported_key_material(KeyId=key)
    assert state(kms, key) == "PendingImport"
    with refused("NotFoundException"):
        kms.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)


def test_equal_material_under_two_keys_is_not_the_same(kms: Any, external: Callable[..., str]) -> None:
    material = os.urandom(32)
    one, two = external(), external()
    ids = {import_material(kms, key, material)["KeyMaterialId"] for key in (one, two)}
    assert len(ids) == 2
    blob = kms.encrypt(KeyId=one, Plaintext=b"secret")["CiphertextBlob"]
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=two)


def test_further_material_waits_for_its_rotation(kms: Any, external: Callable[..., str]) -> None:
    key, old, new = external(), os.urandom(32), os.urandom(32)
    first = import_material(kms, key, old)["KeyMaterialId"]
    with refused("KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."):
        kms.rotate_key_on_demand(KeyId=key)
    before = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    second = import_material(
        kms, key, new, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="from the second ceremony"
    )["KeyMaterialId"]
    assert describe(kms, key)["CurrentKeyMaterialId"] == first
    shown = [(entry["KeyMaterialId"], entry["KeyMaterialState"], entry["ImportState"]) for entry in materials(kms, key)]
    assert shown == [(first, "CURRENT", "IMPORTED"), (second, "PENDING_ROTATION", "IMPORTED")]
    third = os.urandom(32)
    with refused("KMSInvalidStateException") as _:
        import_material(kms, key, third, ImportType="NEW_KEY_MATERIAL")
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    kms.rotate_key_on_demand(KeyId=key)
    assert describe(kms, key)["CurrentKeyMaterialId"] == second
    [rotation] = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert (rotation["KeyMaterialId"], rotation["RotationType"]) == (second, "ON_DEMAND")
    assert rotation["KeyMaterialDescription"] == "from the second ceremony"
    states = {entry["KeyMaterialId"]: entry["KeyMaterialState"] for entry in materials(kms, key)}
    assert states == {first: "NON_CURRENT", second: "CURRENT"}
    after = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert [kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in (before, after)] == [first, second]
    # Without the old one the key is of no use at all.
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=first)
    assert state(kms, key) == "PendingImport"
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    import_material(kms, key, old)
    assert kms.decrypt(CiphertextBlob=before)["Plaintext"] == b"secret"


def test_the_refusal_of_a_second_waiting_material_names_both(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    import_material(kms, key, os.urandom(32))
    waiting = import_material(kms, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    with pytest.raises(kms.exceptions.KMSInvalidStateException) as caught:
        import_material(kms, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    text = caught.value.response["Error"]["Message"]
    assert text.startswith("New key material (id: ")
    assert text.endswith(
        f") cannot be imported into KMS key {key}, because another key material (id: {waiting}) is pending rotation."
    )
    # What only waits can be taken back freely.
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=waiting)
    assert (state(kms, key), len(materials(kms, key))) == ("Enabled", 1)


def test_a_description_stays_until_another_is_given(kms: Any, external: Callable[..., str]) -> None:
    key, material = external(), os.urandom(32)
    import_material(kms, key, material, KeyMaterialDescription="first")
    import_material(kms, key, material)
    assert materials(kms, key)[0]["KeyMaterialDescription"] == "first"
    import_material(kms, key, material, KeyMaterialDescription="second")
    assert materials(kms, key)[0]["KeyMaterialDescription"] == "second"


def test_a_page_that_is_full_leaves_what_waits_to_the_next(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    ids = [import_material(kms, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"] for _ in "ab"]
    pages = kms.get_paginator("list_key_rotations").paginate(
        KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL", PaginationConfig={"PageSize": 1}
    )
    assert [[entry["KeyMaterialId"] for entry in page["Rotations"]] for page in pages] == [[ids[0]], [ids[1]]]


def test_which_material_is_meant_is_said_of_symmetric_keys_only(kms: Any, external: Callable[..., str]) -> None:
    key = external(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    for parameter in ({"ImportType": "NEW_KEY_MATERIAL"}, {"KeyMaterialId": "0" * 64}, {"KeyMaterialDescription": "x"}):
        with refused("ValidationException"):
            import_material(kms, key, os.urandom(32), **parameter)
    with refused("ValidationException"):
        kms.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)
    symmetric = external()
    with refused("ValidationException"):
        import_material(kms, symmetric, os.urandom(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialId="0" * 64)


def test_the_end_of_material_must_be_said_and_near(kms: Any, external: Callable[..., str]) -> None:
    parameters = wrapped(kms, external(), os.urandom(32))
    text = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    for model in ({}, {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}):
        with refused("ValidationException", text):
            kms.import_key_material(**parameters, **model)
    today = now(kms)
    for wrong in (today - DAY, today + 366 * DAY):
        with refused("ValidationException"):
            kms.import_key_material(**parameters, ValidTo=wrong)
    with refused("ValidationException"):
        kms.import_key_material(**parameters, **FOREVER, ValidTo=today + DAY)
    kms.import_key_material(**parameters, ValidTo=today + 364 * DAY)


def test_expired_material_is_gone_and_comes_back(dev_server: Server, dev_kms: Any, dev_external: str) -> None:
    key, material, end = dev_external, os.urandom(32), now(dev_kms) + 30 * DAY
    identifier = import_material(dev_kms, key, material, ValidTo=end)["KeyMaterialId"]
    found = describe(dev_kms, key)
    assert found["ExpirationModel"] == "KEY_MATERIAL_EXPIRES" and abs(found["ValidTo"] - end) < timedelta(seconds=1)
    blob = dev_kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    # Another date needs the material again.
    import_material(dev_kms, key, material, ValidTo=end + 30 * DAY)
    advance(dev_server, 31 * DAY)
    assert state(dev_kms, key) == "Enabled"
    advance(dev_server, 30 * DAY)
    eventually(lambda: state(dev_kms, key) == "PendingImport", "the material has expired")
    [entry] = materials(dev_kms, key)
    assert (entry["KeyMaterialId"], entry["ImportState"]) == (identifier, "PENDING_IMPORT")
    assert not {"ValidTo", "ExpirationModel"} & set(entry) and "ValidTo" not in describe(dev_kms, key)
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        dev_kms.decrypt(CiphertextBlob=blob)
    import_material(dev_kms, key, material)
    advance(dev_server, 400 * DAY)
    assert dev_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_a_token_ends_after_a_day(dev_server: Server, dev_kms: Any, dev_external: str) -> None:
    parameters = wrapped(dev_kms, dev_external, os.urandom(32))
    advance(dev_server, timedelta(hours=23))
    dev_kms.import_key_material(**parameters, **FOREVER)
    dev_kms.delete_imported_key_material(KeyId=dev_external)
    advance(dev_server, timedelta(hours=2))
    with refused("ExpiredImportTokenException"):
        dev_kms.import_key_material(**parameters, **FOREVER)
    assert state(dev_kms, dev_external) == "PendingImport"


def test_a_key_pending_deletion_takes_no_material_and_can_lose_it(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    parameters = wrapped(kms, key, os.urandom(32))
    kms.import_key_material(**parameters, **FOREVER)
    kms.schedule_key_deletion(KeyId=key)
    with refused("KMSInvalidStateException", pending_deletion(key)):
        kms.import_key_material(**parameters, **FOREVER)
    with refused("KMSInvalidStateException", pending_deletion(key)):
        kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=DIRECT[0], WrappingKeySpec="RSA_2048")
    kms.delete_imported_key_material(KeyId=key)
    assert state(kms, key) == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=key)
    assert state(kms, key) == "PendingImport"
    kms.import_key_material(**parameters, **FOREVER)
    assert state(kms, key) == "Enabled"


def test_a_disabled_key_stays_disabled_while_it_has_its_material(kms: Any, external: Callable[..., str]) -> None:
    key, material = external(), os.urandom(32)
    import_material(kms, key, material)
    kms.disable_key(KeyId=key)
    import_material(kms, key, material)
    assert state(kms, key) == "Disabled"


def test_imported_material_rotates_by_itself_never(kms: Any, external: Callable[..., str]) -> None:
    key = external()
    import_material(kms, key, os.urandom(32))
    with refused(
        "UnsupportedOperationException", f"{key} origin is EXTERNAL which is not valid for this operation."
    ):
        kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_imported_material_survives_a_restart(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server, ONE, EUROPE)
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    parameters = wrapped(kms, key, hashlib.sha256(b"a ceremony").digest())
    fresh_server.restart()
    kms = clients.kms(fresh_server, ONE, EUROPE)
    kms.import_key_material(**parameters, **FOREVER)
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    fresh_server.restart()
    assert clients.kms(fresh_server, ONE, EUROPE).decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_the_wrapping_of_a_longer_text_is_refused_where_it_does_not_fit(kms: Any, external: Callable[..., str]) -> None:
    # A hybrid wrapping under a token that is for a direct one, and the other way round.
    key = external(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    material = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    for asked, used in [(DIRECT[1], HYBRID[1]), (HYBRID[1], DIRECT[1]), (DIRECT[0], DIRECT[1])]:
        answer = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=asked, WrappingKeySpec="RSA_2048")
        with refused("InvalidCiphertextException", NO_TEXT):
            kms.import_key_material(
                KeyId=key,
                ImportToken=answer["ImportToken"],
                EncryptedKeyMaterial=wrap(answer["PublicKey"], used, material),
                **FOREVER,
            )
