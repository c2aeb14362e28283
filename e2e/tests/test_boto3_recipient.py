"""Recipient: answers that only an attested enclave can read, through boto3.

Source: AWS KMS API Reference of the five operations and "Cryptographic attestation support in AWS KMS" of the developer
guide; for what a document must be, the attestation process of AWS Nitro Enclaves. The texts are ours.
"""

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness import clients, trail
from harness.attestation import ES384_HEADER, Enclave, cbor, certify, recipient, sign1
from harness.dev_clock import advance
from harness.expect import CONSTRAINT, refused
from harness.seed import DEVELOPMENT, ONE, SEEDED_KEY
from harness.server import Server

MALFORMED = "Recipient is not accepted: the attestation document is malformed."
UNTRUSTED = "Recipient is not accepted: the attestation document is not signed under a root that is trusted."
NOT_VALID_NOW = "Recipient is not accepted: a certificate of the attestation document is not valid at this time."
PUBLIC_KEY = "Recipient is not accepted: the attestation document has no RSA public key of 2048 to 4096 bits."
DRY_RUN_TEXT = "The request would have succeeded, but the DryRun option is set."

NOW = datetime.datetime.now(datetime.timezone.utc)
MINUTE, HOUR, YEAR = (datetime.timedelta(minutes=minutes) for minutes in (1, 60, 365 * 24 * 60))

ROOT = certify("test.nitro-enclaves", ends=NOW + YEAR)
REGION = certify("eu-central-1.test.nitro-enclaves", ROOT, ends=NOW + YEAR)
ZONE = certify("zonal.eu-central-1.test.nitro-enclaves", REGION, ends=NOW + YEAR)
CHAIN = [ROOT, REGION, ZONE]


@pytest.fixture(scope="module")
def enclave() -> Enclave:
    return Enclave(CHAIN, certify("i-0123-enc4567", ZONE, authority=False))


@pytest.fixture(scope="module")
def attesting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that trusts the root of these tests, and another one."""
    folder = tmp_path_factory.mktemp("attesting")
    server = Server(folder, environment=trusting(folder)).start()
    yield server
    server.close()


def trusting(folder: Path) -> dict[str, str]:
    (folder / "other.pem").write_text(certify("other.nitro-enclaves").pem)
    (folder / "root.pem").write_text(ROOT.pem)
    return {"KEYWRIGHT_ATTESTATION_ROOTS": f"{folder}/other.pem, {folder}/root.pem"}


@pytest.fixture
def kms(attesting_server: Server) -> Any:
    return clients.kms(attesting_server)


def members(answer: dict[str, Any]) -> set[str]:
    return set(answer) - {"ResponseMetadata"}


def spki(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("length", [1, 15, 16, 4096])
def test_decrypt(kms: Any, enclave: Enclave, length: int) -> None:
    plaintext = bytes(number % 251 for number in range(length))
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=plaintext)["CiphertextBlob"]
    answer = kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient())
    assert members(answer) == {"KeyId", "EncryptionAlgorithm", "CiphertextForRecipient"}
    assert len(answer["CiphertextForRecipient"]) <= 6144
    assert plaintext not in answer["CiphertextForRecipient"] or length == 1
    assert enclave.open(answer["CiphertextForRecipient"]) == plaintext


def test_the_event_tells_to_whom_the_answer_went(attesting_server: Server, kms: Any, enclave: Enclave) -> None:
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"secret")["CiphertextBlob"]
    recipient = {
        "attestationDocumentModuleId": enclave.fields()["module_id"],
        "attestationDocumentEnclaveImageDigest": enclave.fields()["pcrs"][0].hex(),
    }
    for answer in (
        kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient()),
        kms.generate_data_key(KeyId=SEEDED_KEY, KeySpec="AES_256", Recipient=enclave.recipient()),
        kms.generate_random(NumberOfBytes=32, Recipient=enclave.recipient()),
    ):
        event = trail.event_of(attesting_server, answer)
        assert event["additionalEventData"]["recipient"] == recipient
        assert "recipient" not in (event["requestParameters"] or {})
    without = trail.event_of(attesting_server, kms.decrypt(CiphertextBlob=blob))
    assert "recipient" not in without["additionalEventData"]


def test_decrypt_with_an_rsa_key(kms: Any, enclave: Enclave) -> None:
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    algorithm = "RSAES_OAEP_SHA_256"
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    answer = kms.decrypt(
        KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm=algorithm, Recipient=enclave.recipient()
    )
    assert members(answer) == {"KeyId", "EncryptionAlgorithm", "CiphertextForRecipient"}
    assert enclave.open(answer["CiphertextForRecipient"]) == b"secret"


def test_derive_shared_secret(kms: Any, enclave: Enclave) -> None:
    key = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    peer = ec.generate_private_key(ec.SECP384R1())
    answer = kms.derive_shared_secret(
        KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer.public_key()), Recipient=enclave.recipient()
    )
    assert members(answer) == {"KeyId", "KeyAgreementAlgorithm", "KeyOrigin", "CiphertextForRecipient"}
    own = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert enclave.open(answer["CiphertextForRecipient"]) == peer.exchange(ec.ECDH(), own)


@pytest.mark.parametrize("size", [{"KeySpec": "AES_256"}, {"NumberOfBytes": 1024}])
def test_generate_data_key(kms: Any, enclave: Enclave, size: dict[str, Any]) -> None:
    answer = kms.generate_data_key(KeyId=SEEDED_KEY, Recipient=enclave.recipient(), **size)
    assert members(answer) == {"KeyId", "CiphertextBlob", "CiphertextForRecipient"}
    opened = enclave.open(answer["CiphertextForRecipient"])
    assert opened == kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]


@pytest.mark.parametrize("spec", ["RSA_4096", "ECC_NIST_P256"])
def test_generate_data_key_pair(kms: Any, enclave: Enclave, spec: str) -> None:
    answer = kms.generate_data_key_pair(KeyId=SEEDED_KEY, KeyPairSpec=spec, Recipient=enclave.recipient())
    expected = {"KeyId", "KeyPairSpec", "PrivateKeyCiphertextBlob", "PublicKey", "CiphertextForRecipient"}
    assert members(answer) == expected | {"KeyMaterialId"}
    assert len(answer["CiphertextForRecipient"]) <= 6144
    opened = enclave.open(answer["CiphertextForRecipient"])
    assert opened == kms.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert spki(serialization.load_der_private_key(opened, None).public_key()) == answer["PublicKey"]


def test_generate_random(kms: Any, enclave: Enclave) -> None:
    answers = [kms.generate_random(NumberOfBytes=32, Recipient=enclave.recipient()) for _ in range(2)]
    assert [members(answer) for answer in answers] == [{"CiphertextForRecipient"}] * 2
    first, second = (enclave.open(answer["CiphertextForRecipient"]) for answer in answers)
    assert len(first) == len(second) == 32 and first != second


def test_without_recipient_the_answers_are_as_ever(kms: Any) -> None:
    assert members(kms.generate_random(NumberOfBytes=8)) == {"Plaintext"}
    answer = kms.generate_data_key(KeyId=SEEDED_KEY, KeySpec="AES_128")
    assert members(answer) == {"KeyId", "CiphertextBlob", "Plaintext", "KeyMaterialId"}


def test_another_key_does_not_open_the_answer(kms: Any, enclave: Enclave) -> None:
    other = Enclave(enclave.authorities, enclave.holder)
    answer = kms.generate_random(NumberOfBytes=8, Recipient=enclave.recipient())
    with pytest.raises(ValueError):
        other.open(answer["CiphertextForRecipient"])


@pytest.mark.parametrize("bits", [3072, 4096])
def test_larger_keys_are_attested_too(kms: Any, enclave: Enclave, bits: int) -> None:
    larger = Enclave(enclave.authorities, enclave.holder, rsa.generate_private_key(65537, bits))
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=bytes(4096))["CiphertextBlob"]
    answer = kms.decrypt(CiphertextBlob=blob, Recipient=larger.recipient())["CiphertextForRecipient"]
    assert len(answer) <= 6144 and larger.open(answer) == bytes(4096)


def test_documents_that_are_unusual_and_right(kms: Any, enclave: Enclave) -> None:
    tagged = b"\xd2" + enclave.document()
    nitro_tpm = enclave.document(pcrs=..., nitrotpm_pcrs={4: bytes(48), 23: bytes(48)})
    indefinite = sign1(b"\xbf" + cbor(enclave.fields())[1:] + b"\xff", enclave.holder.key)
    bare = enclave.document(user_data=..., nonce=..., cabundle=[REGION.der, ZONE.der])
    full = enclave.document(user_data=bytes(512), nonce=bytes(512))
    for document in (tagged, nitro_tpm, indefinite, bare, full):
        answer = kms.generate_random(NumberOfBytes=8, Recipient=recipient(document))
        assert len(enclave.open(answer["CiphertextForRecipient"])) == 8


def wrong_documents(enclave: Enclave) -> Iterator[tuple[str, bytes, str]]:
    """Documents that prove nothing, with the reason that is told."""
    good = enclave.document()
    yield "no CBOR", b"no document", MALFORMED
    yield "cut off", good[:-1], MALFORMED
    yield "one byte more", good + b"\x00", MALFORMED
    yield "another tag", b"\xd1" + good, MALFORMED
    yield "deeply nested", b"\x81" * 262_144, MALFORMED
    yield "a length that is not there", b"\x9b" + b"\xff" * 8, MALFORMED
    payload, key = cbor(enclave.fields()), enclave.holder.key
    yield "another algorithm", sign1(payload, key, ES384_HEADER | {1: -7}), MALFORMED
    yield "signature of another key", sign1(payload, ZONE.key), UNTRUSTED
    yield "changed signature", good[:-1] + bytes([good[-1] ^ 1]), UNTRUSTED
    yield "long payload", sign1(cbor(enclave.fields(user_data=bytes(17_000))), key), MALFORMED
    for name, value in (
        ("module_id", ""),
        ("digest", "SHA256"),
        ("timestamp", 0),
        ("timestamp", ...),
        ("pcrs", {}),
        ("pcrs", {32: bytes(48)}),
        ("pcrs", {0: bytes(20)}),
        ("cabundle", []),
        ("cabundle", [bytes(1025)]),
        ("certificate", ...),
        ("user_data", bytes(1025)),
        ("nonce", "text"),
        ("surprise", 1),
    ):
        yield f"{name} {value!r:.20}", enclave.document(**{name: value}), MALFORMED
    yield "no public key", enclave.document(public_key=...), PUBLIC_KEY
    yield "null public key", enclave.document(public_key=None), PUBLIC_KEY
    small = rsa.generate_private_key(65537, 1024).public_key()
    yield "RSA of 1024 bits", enclave.document(public_key=spki(small)), PUBLIC_KEY
    curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    yield "no RSA key", enclave.document(public_key=spki(curve)), PUBLIC_KEY
    yield "trailing bytes", enclave.document(public_key=enclave.public_key + b"\0"), PUBLIC_KEY

    def by(chain: list[Any], **claims: Any) -> bytes:
        claims = {"authority": False} | claims
        return Enclave(chain, certify("i-4567-enc", chain[-1], **claims), enclave.private_key).document()

    yield "expired", by(CHAIN, begins=NOW - HOUR, ends=NOW - MINUTE), NOT_VALID_NOW
    yield "not yet valid", by(CHAIN, begins=NOW + HOUR), NOT_VALID_NOW
    expired = certify("zone", REGION, begins=NOW - HOUR, ends=NOW - MINUTE)
    yield "expired authority", by([ROOT, REGION, expired]), NOT_VALID_NOW
    yield "signed by an authority", by(CHAIN, authority=True), UNTRUSTED
    yield "issued by no authority", by([*CHAIN, certify("i-1", ZONE, authority=False)]), UNTRUSTED
    yield "a gap in the chain", enclave.document(cabundle=[ROOT.der, ZONE.der]), UNTRUSTED
    foreign = certify("test.nitro-enclaves")
    yield "a root of the same name", by([foreign]), UNTRUSTED
    yield "its own root", by([certify("own.nitro-enclaves")]), UNTRUSTED


def test_documents_that_prove_nothing(kms: Any, enclave: Enclave) -> None:
    for name, document, text in wrong_documents(enclave):
        try:
            with refused("ValidationException", text):
                kms.generate_random(NumberOfBytes=8, Recipient=recipient(document))
        except (AssertionError, pytest.fail.Exception) as failure:
            raise AssertionError(name) from failure


def calls(kms: Any) -> dict[str, Callable[..., Any]]:
    """The five operations, each with all it needs but Recipient."""
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"secret")["CiphertextBlob"]
    agreement = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    peer = spki(ec.generate_private_key(ec.SECP256R1()).public_key())
    return {
        "Decrypt": lambda **more: kms.decrypt(CiphertextBlob=blob, **more),
        "DeriveSharedSecret": lambda **more: kms.derive_shared_secret(
            KeyId=agreement, KeyAgreementAlgorithm="ECDH", PublicKey=peer, **more
        ),
        "GenerateDataKey": lambda **more: kms.generate_data_key(KeyId=SEEDED_KEY, KeySpec="AES_256", **more),
        "GenerateDataKeyPair": lambda **more: kms.generate_data_key_pair(
            KeyId=SEEDED_KEY, KeyPairSpec="ECC_NIST_P256", **more
        ),
        "GenerateRandom": lambda **more: kms.generate_random(NumberOfBytes=8, **more),
    }


def test_every_operation_refuses_what_is_not_trusted(kms: Any) -> None:
    own = certify("own.nitro-enclaves")
    impostor = Enclave([own], certify("i-666", own, authority=False))
    for call in calls(kms).values():
        with refused("ValidationException", UNTRUSTED):
            call(Recipient=impostor.recipient())


def test_the_document_is_looked_at_before_any_key(kms: Any) -> None:
    with refused("ValidationException", MALFORMED):
        kms.generate_data_key(KeyId="alias/none", KeySpec="AES_256", Recipient=recipient(b"no document"))


def test_a_dry_run_verifies_the_document_and_gives_nothing(kms: Any, enclave: Enclave) -> None:
    for name, call in calls(kms).items():
        if name == "GenerateRandom":  # it has no dry run
            continue
        with refused("DryRunOperationException", DRY_RUN_TEXT):
            call(Recipient=enclave.recipient(), DryRun=True)
        with refused("ValidationException", PUBLIC_KEY):
            call(Recipient=enclave.recipient(public_key=...), DryRun=True)


def test_both_members_of_a_recipient_are_needed(kms: Any, enclave: Enclave, attesting_server: Server) -> None:
    unchecked = clients.kms(attesting_server, parameter_validation=False)
    text = "Value null at 'recipient.{}' failed to satisfy constraint: Member must not be null"
    for member in ("keyEncryptionAlgorithm", "attestationDocument"):
        half = enclave.recipient()
        del half[member[0].upper() + member[1:]]
        with refused("ValidationException", CONSTRAINT + text.format(member)):
            kms.generate_random(NumberOfBytes=8, Recipient=half)
    with refused("ValidationException"):
        unchecked.generate_random(
            NumberOfBytes=8, Recipient=enclave.recipient() | {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
        )
    for length in (0, 262_145):
        with refused("ValidationException"):
            unchecked.generate_random(NumberOfBytes=8, Recipient=recipient(bytes(length)))


def test_without_roots_every_recipient_is_refused(server: Server, enclave: Enclave) -> None:
    text = (
        "Recipient cannot be used: no root of trust for attestation documents is configured "
        "(setting attestation_roots)."
    )
    for call in calls(clients.kms(server)).values():
        with refused("ValidationException", text):
            call(Recipient=enclave.recipient())


def test_certificates_expire_by_the_clock_of_the_service(tmp_path: Path, enclave: Enclave) -> None:
    server = Server(tmp_path, seed=None, development=True, environment=trusting(tmp_path)).start()
    kms = clients.kms(server, DEVELOPMENT)
    answer = kms.generate_random(NumberOfBytes=8, Recipient=enclave.recipient())
    assert len(enclave.open(answer["CiphertextForRecipient"])) == 8
    advance(server, 3 * HOUR)
    with refused("ValidationException", NOT_VALID_NOW):
        kms.generate_random(NumberOfBytes=8, Recipient=enclave.recipient())
    server.stop()


def test_conditions_name_the_images_that_may_decrypt(kms: Any, enclave: Enclave) -> None:
    """KMS developer guide, "Condition keys for AWS Nitro Enclaves and NitroTPM"."""
    image, other = "ab" * 48, "cd" * 48

    def key_for(effect: str, operator: str, name: str, value: str) -> str:
        condition = {operator: {f"kms:RecipientAttestation:{name}": value}}
        own = {"Effect": "Allow", "Principal": {"AWS": ONE.user_arn}, "Resource": "*"}
        statements = [own | {"Action": ["kms:PutKeyPolicy", "kms:Encrypt"]}]
        if effect == "Allow":
            statements.append(own | {"Action": "kms:Decrypt", "Condition": condition})
        else:
            statements.append(own | {"Action": "kms:Decrypt"})
            deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition}
            statements.append(deny)
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        return str(kms.create_key(Policy=policy)["KeyMetadata"]["Arn"])

    def decrypts(key: str, **pcrs: Any) -> bool:
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        recipient = {"Recipient": enclave.recipient(**pcrs)} if pcrs else {}
        try:
            kms.decrypt(CiphertextBlob=blob, **recipient)
        except kms.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            return False
        return True

    measured = {"pcrs": {0: bytes.fromhex(image), 8: bytes.fromhex(other)}}
    for name, value in (("ImageSha384", image.upper()), ("PCR0", image), ("PCR8", other)):
        key = key_for("Allow", "StringEqualsIgnoreCase", name, value)
        assert decrypts(key, **measured), name
        assert not decrypts(key, pcrs={0: bytes(48), 8: bytes(48)}), name
        assert not decrypts(key), name
    denied = key_for("Deny", "StringEqualsIgnoreCase", "PCR0", image)
    assert not decrypts(denied, **measured)
    assert decrypts(denied, pcrs={0: bytes(48)})
    tpm = key_for("Allow", "StringEqualsIgnoreCase", "NitroTPMPCR4", other)
    assert decrypts(tpm, pcrs=..., nitrotpm_pcrs={4: bytes.fromhex(other)})
    assert not decrypts(tpm, **measured)
