"""One key of each kind, with what requests on it take: ciphertexts, signatures, a grant, aliases."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import clients
from harness.iam import allow, document
from harness.imports import wrapped
from harness.matrix.callers import Callers
from harness.seed import AMERICA, ONE
from harness.server import Server

MESSAGE = b"message"
UNKNOWN_GRANT = "0" * 64
ABSENT = "00000000-1111-4222-8333-444444444444"
PERMANENT = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}

SYMMETRIC = (
    "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
)  # fmt: skip
# What a grant on a key of each usage can open, of the guide's table "Grant operations"; the rest is for every key.
GRANTABLE = {
    "ENCRYPT_DECRYPT": SYMMETRIC,
    "SIGN_VERIFY": ("Sign", "Verify", "GetPublicKey"),
    "GENERATE_VERIFY_MAC": ("GenerateMac", "VerifyMac"),
    "KEY_AGREEMENT": ("DeriveSharedSecret", "GetPublicKey"),
    "ENCAPSULATE_DECAPSULATE": ("Encapsulate", "Decapsulate", "GetPublicKey"),
}
# Of the kinds of keys on which there are grants.
USAGES = dict.fromkeys(
    ("default", "open", "closed", "imported", "primary", "disabled", "deletion"), "ENCRYPT_DECRYPT"
) | {
    "signing": "SIGN_VERIFY", "hmac": "GENERATE_VERIFY_MAC", "agreement": "KEY_AGREEMENT",
    "encapsulation": "ENCAPSULATE_DECAPSULATE",
}  # fmt: skip
FOR_EVERY_KEY = ("DescribeKey", "CreateGrant", "RetireGrant")


@dataclass
class Key:
    """A key of the matrix. What a kind of key cannot have is another key's, so that every request is well formed."""

    kind: str
    arn: str
    usage: str = "ENCRYPT_DECRYPT"
    policy: str = ""
    ciphertext: bytes | None = None
    import_request: dict[str, Any] = field(default_factory=dict)
    grant: str = UNKNOWN_GRANT
    granted: tuple[str, ...] = ()
    alias: str = "alias/none"
    alias_to_delete: str = "alias/none"

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[1]


class Keys:
    """All of them, and what requests take that is no key's in particular."""

    def __init__(self, server: Server, callers: Callers) -> None:
        self.kms = clients.kms(server)
        self.america = clients.kms(server, region=AMERICA)
        self.callers = callers
        self.open_policy = document(
            self._letting_in(f"arn:aws:iam::{ONE.id}:root"), self._letting_in(callers.let_in)
        )
        self.closed_policy = document(self._letting_in([*callers.let_in, ONE.user_arn]))
        self.for_everybody = self._create(Policy=document(self._letting_in("*")))
        self.ciphertext = self._encrypted(self.for_everybody)
        self.ciphertext_elsewhere = self._encrypted_in_america()
        self.public_key = _public_key()
        self._make()

    @property
    def all(self) -> list[Key]:
        """In the order of the snapshot's columns."""
        return [
            self.default, self.open, self.closed, self.managed, self.signing, self.hmac, self.agreement,
            self.encapsulation, self.imported, self.primary, self.disabled, self.deletion, self.absent,
        ]  # fmt: skip

    def state(self) -> list[Any]:
        """What calls could have changed and must not have."""
        return [self._state(key) for key in self.all if key is not self.absent]

    def _state(self, key: Key) -> Any:
        metadata = self.kms.describe_key(KeyId=key.arn)["KeyMetadata"]
        # The rotations and replicas of the keys that may have them stay; they change no other outcome.
        kept = {name: metadata[name] for name in ("KeyState", "KeyManager", "Origin", "KeySpec", "MultiRegion")}
        grants = self.kms.list_grants(KeyId=key.arn)["Grants"]
        aliases = self.kms.list_aliases(KeyId=key.arn)["Aliases"]
        return (
            key.kind, kept, json.loads(self.kms.get_key_policy(KeyId=key.arn)["Policy"]),
            sorted(grant["GrantId"] for grant in grants), sorted(alias["AliasName"] for alias in aliases),
        )  # fmt: skip

    def _make(self) -> None:
        self.default = self._furnished(Key("default", self._create()))
        self.open = self._opened("open")
        self.closed = self._furnished(Key("closed", self._create(Policy=self.closed_policy)))
        managed = self.kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
        self.managed = Key("managed", managed, alias="alias/aws/s3", alias_to_delete="alias/aws/s3")
        self.signing = self._opened("signing", "SIGN_VERIFY", KeySpec="ECC_NIST_P256")
        self.hmac = self._opened("hmac", "GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
        self.agreement = self._opened("agreement", "KEY_AGREEMENT", KeySpec="ECC_NIST_P256")
        self.encapsulation = self._opened("encapsulation", "ENCAPSULATE_DECAPSULATE", KeySpec="ML_KEM_768")
        self.imported = self._with_import()
        self.primary = self._opened("primary", MultiRegion=True)
        self.kms.replicate_key(KeyId=self.primary.arn, ReplicaRegion=AMERICA, Policy=self.open_policy)
        self.disabled = self._opened("disabled")
        self.kms.disable_key(KeyId=self.disabled.arn)
        self.deletion = self._opened("deletion")
        self.kms.schedule_key_deletion(KeyId=self.deletion.arn)
        self.absent = Key("absent", ONE.key_arn(ABSENT))
        signed = self.kms.sign(KeyId=self.signing.arn, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
        self.signature = signed["Signature"]
        self.mac = self.kms.generate_mac(KeyId=self.hmac.arn, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
        shared = self.kms.encapsulate(KeyId=self.encapsulation.arn, EncapsulationAlgorithm="ML_KEM")
        self.encapsulated = shared["SharedSecretCiphertextBlob"]

    def _opened(self, kind: str, usage: str = "ENCRYPT_DECRYPT", **parameters: Any) -> Key:
        arn = self._create(KeyUsage=usage, Policy=self.open_policy, **parameters)
        return self._furnished(Key(kind, arn, usage))

    def _with_import(self) -> Key:
        arn = self._create(Origin="EXTERNAL", Policy=self.open_policy)
        request = wrapped(self.kms, arn, os.urandom(32)) | PERMANENT
        self.kms.import_key_material(**request)
        return self._furnished(Key("imported", arn, import_request=request))

    def _furnished(self, key: Key) -> Key:
        key.policy = self.kms.get_key_policy(KeyId=key.arn)["Policy"]
        key.granted = GRANTABLE[key.usage] + FOR_EVERY_KEY
        made = self.kms.create_grant(
            KeyId=key.arn, GranteePrincipal=self.callers.grantee.arn, Operations=list(key.granted)
        )
        key.grant = made["GrantId"]
        key.alias, key.alias_to_delete = f"alias/{key.kind}", f"alias/{key.kind}-to-delete"
        for alias in (key.alias, key.alias_to_delete):
            self.kms.create_alias(AliasName=alias, TargetKeyId=key.id)
        if key.usage == "ENCRYPT_DECRYPT":
            key.ciphertext = self._encrypted(key.arn)
        return key

    def _create(self, **parameters: Any) -> str:
        return self.kms.create_key(**parameters)["KeyMetadata"]["Arn"]

    def _encrypted(self, key: str) -> bytes:
        return self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]

    def _encrypted_in_america(self) -> bytes:
        key = self.america.create_key()["KeyMetadata"]["Arn"]
        return self.america.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]

    @staticmethod
    def _letting_in(principals: str | list[str]) -> dict[str, Any]:
        return allow("kms:*") | {"Principal": {"AWS": principals}}


def _public_key() -> bytes:
    pair = ec.generate_private_key(ec.SECP256R1())
    return pair.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
