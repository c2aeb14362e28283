"""What is called: each operation with a request that does no harm, or one that is undone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.callers import Caller
from harness.matrix.keys import MESSAGE, UNKNOWN_GRANT, Key, Keys
from harness.seed import AMERICA, EUROPE, ONE

# Each caller who may replicate does so into a Region of its own.
REGIONS = (
    "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "me-south-1", "sa-east-1",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A caller and a key, and the keys beside it."""

    keys: Keys
    key: Key
    caller: Caller
    place: int


@dataclass(frozen=True)
class Row:
    """An operation on a key. `undo` brings the key back if the call was carried out."""

    name: str
    request: Callable[[Cell], dict[str, Any] | None]
    undo: Callable[[Cell], None] | None = None
    action: str | None = None

    @property
    def operation(self) -> str:
        return self.name.split(" ")[0]

    @property
    def checked(self) -> str:
        """The action that authorization is asked about, without `kms:`."""
        return self.action or self.operation


def on_key(name: str, undo: Callable[[Cell], None] | None = None, **members: Any) -> Row:
    """An operation that names its key in KeyId."""
    return Row(name, lambda cell: {"KeyId": cell.key.arn} | members, undo)


def _decrypt_by_ciphertext(cell: Cell) -> dict[str, Any] | None:
    if cell.key.kind == "absent":
        return {"CiphertextBlob": cell.keys.ciphertext_elsewhere}
    return {"CiphertextBlob": cell.key.ciphertext} if cell.key.ciphertext else None


def _of_key(cell: Cell) -> bytes:
    return cell.key.ciphertext or cell.keys.ciphertext


USING = [
    on_key("Encrypt", Plaintext=MESSAGE),
    Row("Decrypt", lambda cell: {"KeyId": cell.key.arn, "CiphertextBlob": _of_key(cell)}),
    Row("Decrypt by ciphertext", _decrypt_by_ciphertext),
    Row(
        "ReEncrypt from",
        lambda cell: {
            "SourceKeyId": cell.key.arn, "CiphertextBlob": _of_key(cell), "DestinationKeyId": cell.keys.for_everybody
        },
        action="ReEncryptFrom",
    ),
    Row(
        "ReEncrypt to",
        lambda cell: {"CiphertextBlob": cell.keys.ciphertext, "DestinationKeyId": cell.key.arn},
        action="ReEncryptTo",
    ),
    on_key("GenerateDataKey", KeySpec="AES_256"),
    on_key("GenerateDataKeyWithoutPlaintext", KeySpec="AES_256"),
    on_key("GenerateDataKeyPair", KeyPairSpec="ECC_NIST_P256"),
    on_key("GenerateDataKeyPairWithoutPlaintext", KeyPairSpec="ECC_NIST_P256"),
    on_key("Sign", Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256"),
    Row(
        "Verify",
        lambda cell: {
            "KeyId": cell.key.arn, "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256",
            "Signature": cell.keys.signature,
        },
    ),
    on_key("GenerateMac", Message=MESSAGE, MacAlgorithm="HMAC_SHA_256"),
    Row(
        "VerifyMac",
        lambda cell: {
            "KeyId": cell.key.arn, "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256", "Mac": cell.keys.mac
        },
    ),
    Row(
        "DeriveSharedSecret",
        lambda cell: {"KeyId": cell.key.arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": cell.keys.public_key},
    ),
    on_key("Encapsulate", EncapsulationAlgorithm="ML_KEM"),
    Row(
        "Decapsulate",
        lambda cell: {
            "KeyId": cell.key.arn, "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": cell.keys.encapsulated,
        },
    ),
    on_key("GetPublicKey"),
]  # fmt: skip


def _enable(cell: Cell) -> None:
    cell.keys.kms.enable_key(KeyId=cell.key.arn)


def _disable(cell: Cell) -> None:
    if cell.key.kind == "disabled":
        cell.keys.kms.disable_key(KeyId=cell.key.arn)


def _cancel_deletion(cell: Cell) -> None:
    cell.keys.kms.cancel_key_deletion(KeyId=cell.key.arn)
    if cell.key.kind != "disabled":
        _enable(cell)


def _enable_again(cell: Cell) -> None:
    if cell.key.kind != "disabled":
        _enable(cell)


def _schedule_deletion(cell: Cell) -> None:
    cell.keys.kms.schedule_key_deletion(KeyId=cell.key.arn)


def _import_again(cell: Cell) -> None:
    if cell.key.import_request:
        cell.keys.kms.import_key_material(**cell.key.import_request)


def _be_primary_again(cell: Cell) -> None:
    key = cell.key.arn.replace(EUROPE, AMERICA)
    cell.keys.america.update_primary_region(KeyId=key, PrimaryRegion=EUROPE)


def _import(cell: Cell) -> dict[str, Any]:
    return (cell.key.import_request or cell.keys.imported.import_request) | {"KeyId": cell.key.arn}


MANAGING = [
    on_key("DescribeKey"),
    on_key("GetKeyLastUsage"),
    on_key("GetKeyPolicy"),
    Row("PutKeyPolicy", lambda cell: {"KeyId": cell.key.arn, "Policy": cell.key.policy or cell.keys.open_policy}),
    on_key("ListKeyPolicies"),
    on_key("ListResourceTags"),
    on_key("TagResource", Tags=[{"TagKey": "colour", "TagValue": "red"}]),
    on_key("UntagResource", TagKeys=["colour"]),
    on_key("UpdateKeyDescription", Description="a key of the matrix"),
    on_key("DisableKey", _enable_again),
    on_key("EnableKey", _disable),
    on_key("ScheduleKeyDeletion", _cancel_deletion),
    on_key("CancelKeyDeletion", _schedule_deletion),
    on_key("EnableKeyRotation"),
    on_key("GetKeyRotationStatus"),
    on_key("ListKeyRotations"),
    on_key("RotateKeyOnDemand"),
    on_key("DisableKeyRotation"),
    on_key("GetParametersForImport", WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"),
    Row("ImportKeyMaterial", _import),
    on_key("DeleteImportedKeyMaterial", _import_again),
    Row("ReplicateKey", lambda cell: {"KeyId": cell.key.arn, "ReplicaRegion": REGIONS[cell.place]}),
    on_key("UpdatePrimaryRegion", _be_primary_again, PrimaryRegion=AMERICA),
]


def _new_alias(cell: Cell) -> str:
    return f"alias/{cell.key.kind}-{cell.caller.name}"


def _delete_new_alias(cell: Cell) -> None:
    cell.keys.kms.delete_alias(AliasName=_new_alias(cell))


def _create_alias_again(cell: Cell) -> None:
    kms, key = cell.keys.kms, cell.key
    if key.kind == "deletion":  # such a key gets no aliases
        kms.cancel_key_deletion(KeyId=key.arn)
    kms.create_alias(AliasName=key.alias_to_delete, TargetKeyId=key.id)
    if key.kind == "deletion":
        _schedule_deletion(cell)


def _alias_of_closed(cell: Cell) -> dict[str, Any] | None:
    """The key that an alias leaves has a say, too: this one lets nobody in who may change aliases."""
    if cell.key.kind not in ("default", "open", "closed", "absent"):
        return None
    return {"AliasName": cell.keys.closed.alias, "TargetKeyId": cell.key.arn}


GRANTS_AND_ALIASES = [
    Row(
        "CreateGrant",
        lambda cell: {
            "KeyId": cell.key.arn, "GranteePrincipal": cell.keys.callers.grantee.arn, "Operations": ["DescribeKey"]
        },
    ),
    on_key("ListGrants"),
    Row("RevokeGrant", lambda cell: {"KeyId": cell.key.arn, "GrantId": cell.key.grant}),
    on_key("RevokeGrant of an unknown id", GrantId=UNKNOWN_GRANT),
    Row("RetireGrant", lambda cell: {"KeyId": cell.key.arn, "GrantId": cell.key.grant}),
    on_key("RetireGrant of an unknown id", GrantId=UNKNOWN_GRANT),
    Row(
        "CreateAlias",
        lambda cell: {"AliasName": _new_alias(cell), "TargetKeyId": cell.key.arn},
        _delete_new_alias,
    ),
    Row("UpdateAlias", lambda cell: {"AliasName": cell.key.alias, "TargetKeyId": cell.key.arn}),
    Row("UpdateAlias of closed", _alias_of_closed),
    Row("DeleteAlias", lambda cell: {"AliasName": cell.key.alias_to_delete}, _create_alias_again),
    on_key("ListAliases of a key"),
]  # fmt: skip

ON_KEYS = {"using-keys": USING, "managing-keys": MANAGING, "grants-and-aliases": GRANTS_AND_ALIASES}

_STORE = "cks-0123456789abcdef0"


def _root_of(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


WITHOUT_KEY: dict[str, Callable[[Caller], dict[str, Any]]] = {
    "CreateKey": lambda caller: {},
    "CreateKey with tags": lambda caller: {"Tags": [{"TagKey": "colour", "TagValue": "red"}]},
    "GenerateRandom": lambda caller: {"NumberOfBytes": 8},
    "ListKeys": lambda caller: {},
    "ListAliases": lambda caller: {},
    "ListRetirableGrants of the own account": lambda caller: {"RetiringPrincipal": _root_of(caller.account.id)},
    "ListRetirableGrants of account one": lambda caller: {"RetiringPrincipal": _root_of(ONE.id)},
    "CreateCustomKeyStore": lambda caller: {
        "CustomKeyStoreName": "store", "CloudHsmClusterId": "cluster-2a34b5cdefg", "KeyStorePassword": "kmsPswd",
        "TrustAnchorCertificate": "none",
    },
    "DescribeCustomKeyStores": lambda caller: {},
    "ConnectCustomKeyStore": lambda caller: {"CustomKeyStoreId": _STORE},
    "DisconnectCustomKeyStore": lambda caller: {"CustomKeyStoreId": _STORE},
    "UpdateCustomKeyStore": lambda caller: {"CustomKeyStoreId": _STORE, "NewCustomKeyStoreName": "other"},
    "DeleteCustomKeyStore": lambda caller: {"CustomKeyStoreId": _STORE},
}  # fmt: skip
