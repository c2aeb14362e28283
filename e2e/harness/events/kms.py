"""Every operation of KMS, as the tables of the guide have its events."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from harness import clients
from harness.callers import new_user
from harness.events.examples import in_words
from harness.events.scene import Scene
from harness.iam import document
from harness.imports import wrapped
from harness.matrix.callers import Callers
from harness.matrix.keys import Keys
from harness.seed import AMERICA, ONE, SEEDED_KEY

MESSAGE = b"a message that is in no event, planted"
CONTEXT = {"Department": "Finance", "purpose": "test"}
STORE = "cks-1234567890abcdef0"
PROXY_CREDENTIAL = {"AccessKeyId": "ABCDE23456723EXAMPLE", "RawSecretAccessKey": "Planted" * 6 + "P"}
CONSTRAINTS = {"EncryptionContextSubset": CONTEXT}
TAGS = [{"TagKey": "colour", "TagValue": "red"}]


def make_calls(scene: Scene) -> None:
    """Calls everything on keys of the authorization matrix."""
    keys = Keys(scene.server, Callers(scene.server, ONE.key_arn(SEEDED_KEY)))
    for key in keys.all:
        scene.know(**{key.kind: key.arn, f"{key.kind}_id": key.id})
        if key.usage == "ENCRYPT_DECRYPT" and key is not keys.absent:
            scene.know(**{f"{key.kind}_material": material(keys.kms, key.arn)})
    scene.know(policy=keys.open_policy)
    _use(scene, keys)
    _use_key_pairs(scene, keys)
    _read(scene, keys)
    _refuse(scene, keys)
    _change(scene, keys)
    _alias_and_grant(scene, keys)
    _turn_and_delete(scene, keys)
    _import(scene, keys)
    _spread(scene, keys)
    _custom_key_stores(scene, keys.kms)


def material(kms: Any, key: str) -> str:
    """The id of the current key material."""
    answer = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return next(one["KeyMaterialId"] for one in answer["Rotations"] if one["KeyMaterialState"] == "CURRENT")


def _use(scene: Scene, keys: Keys) -> None:
    kms, key, other = keys.kms, keys.default.arn, keys.open.arn
    sealed = scene.call(kms, "Encrypt", KeyId=key, Plaintext=MESSAGE, EncryptionContext=CONTEXT)
    blob = sealed["CiphertextBlob"]
    scene.call(kms, "Encrypt by alias", KeyId=keys.default.alias, Plaintext=MESSAGE)
    scene.call(kms, "Decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)
    scene.call(kms, "Decrypt with key", CiphertextBlob=blob, EncryptionContext=CONTEXT, KeyId=keys.default.id)
    scene.call(kms, "GenerateDataKey", KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    scene.call(kms, "GenerateDataKey of a size", KeyId=key, NumberOfBytes=64)
    scene.call(kms, "GenerateDataKeyWithoutPlaintext", KeyId=key, KeySpec="AES_128", EncryptionContext=CONTEXT)
    scene.call(kms, "GenerateDataKeyPair", KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext=CONTEXT)
    scene.call(kms, "GenerateDataKeyPairWithoutPlaintext", KeyId=key, KeyPairSpec="ECC_NIST_P256")
    scene.call(
        kms, "ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, SourceKeyId=key, DestinationKeyId=other,
        DestinationEncryptionContext={"purpose": "other"},
    )  # fmt: skip
    scene.call(
        kms, "ReEncrypt without source", CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=other
    )
    scene.call(kms, "GenerateRandom", NumberOfBytes=16)


def _use_key_pairs(scene: Scene, keys: Keys) -> None:
    kms, agreement = keys.kms, "ECDH"
    rsa = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    scene.know(rsa=rsa)
    way = {"KeyId": rsa, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = scene.call(kms, "Encrypt under a key pair", Plaintext=MESSAGE, **way)["CiphertextBlob"]
    scene.call(kms, "Decrypt under a key pair", CiphertextBlob=blob, **way)
    signed = {"KeyId": keys.signing.arn, "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = scene.call(kms, "Sign", **signed)["Signature"]
    scene.call(kms, "Verify", Signature=signature, MessageType="RAW", **signed)
    scene.call(kms, "Verify what was not signed", **signed | {"Message": MESSAGE[1:]}, Signature=signature)
    mac = {"KeyId": keys.hmac.arn, "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
    scene.call(kms, "VerifyMac", Mac=scene.call(kms, "GenerateMac", **mac)["Mac"], **mac)
    scene.call(
        kms, "DeriveSharedSecret", KeyId=keys.agreement.arn, KeyAgreementAlgorithm=agreement, PublicKey=keys.public_key
    )
    scene.call(kms, "Encapsulate", KeyId=keys.encapsulation.arn, EncapsulationAlgorithm="ML_KEM")
    scene.call(
        kms, "Decapsulate", KeyId=keys.encapsulation.arn, EncapsulationAlgorithm="ML_KEM",
        SharedSecretCiphertextBlob=keys.encapsulated,
    )  # fmt: skip
    scene.call(kms, "GetPublicKey", KeyId=keys.signing.arn)


def _read(scene: Scene, keys: Keys) -> None:
    kms, key = keys.kms, keys.default.arn
    scene.call(kms, "DescribeKey", KeyId=keys.default.alias)
    scene.call(kms, "GetKeyLastUsage", KeyId=key)
    scene.call(kms, "GetKeyPolicy", KeyId=key, PolicyName="default")
    scene.call(kms, "GetKeyRotationStatus", KeyId=keys.default.id)
    imported = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    scene.call(kms, "GetParametersForImport", KeyId=keys.imported.arn, **imported)
    scene.call(kms, "ListAliases", Limit=1)
    scene.call(kms, "ListAliases of a key", KeyId=key)
    scene.call(kms, "ListGrants", KeyId=key, Limit=10)
    scene.call(kms, "ListKeyPolicies", KeyId=key)
    scene.call(kms, "ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    marker = scene.call(kms, "ListKeys", Limit=1)["NextMarker"]
    scene.know(marker=marker)
    scene.call(kms, "ListKeys from a marker", Limit=1, Marker=marker)
    scene.call(kms, "ListResourceTags", KeyId=key)
    scene.call(kms, "ListRetirableGrants", RetiringPrincipal=ONE.user_arn, Limit=10)


def _refuse(scene: Scene, keys: Keys) -> None:
    kms = keys.kms
    powerless = clients.kms(scene.server, new_user(scene.server, "event-powerless").account)
    scene.call(powerless, "Encrypt denied", KeyId=keys.default.arn, Plaintext=MESSAGE, EncryptionContext=CONTEXT)
    scene.call(powerless, "PutKeyPolicy denied", KeyId=keys.default.arn, Policy=keys.open_policy)
    scene.call(kms, "Encrypt as a dry run", KeyId=keys.default.arn, Plaintext=MESSAGE, DryRun=True)
    scene.call(kms, "Encrypt under a disabled key", KeyId=keys.disabled.arn, Plaintext=MESSAGE)
    scene.call(kms, "Encrypt under an absent key", KeyId=keys.absent.arn, Plaintext=MESSAGE)
    scene.call(kms, "Decrypt with the wrong key", KeyId=keys.open.arn, CiphertextBlob=keys.default.ciphertext)
    signing = {"Message": MESSAGE, "SigningAlgorithm": "ED25519_SHA_512"}
    scene.call(kms, "Sign with the wrong usage", KeyId=keys.default.arn, **signing)


def _change(scene: Scene, keys: Keys) -> None:
    kms, key = keys.kms, keys.default.arn
    scene.call(kms, "CreateKey")
    scene.call(
        kms, "CreateKey with everything", Description="a key", KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256",
        Origin="AWS_KMS", MultiRegion=True, BypassPolicyLockoutSafetyCheck=True, Policy=keys.open_policy, Tags=TAGS,
    )  # fmt: skip
    scene.call(kms, "PutKeyPolicy", KeyId=key, PolicyName="default", Policy=keys.open_policy)
    scene.call(
        kms, "PutKeyPolicy without check", KeyId=keys.default.id, Policy=keys.open_policy,
        BypassPolicyLockoutSafetyCheck=True,
    )  # fmt: skip
    scene.call(kms, "TagResource", KeyId=key, Tags=TAGS)
    scene.call(kms, "UntagResource", KeyId=key, TagKeys=["colour"])
    scene.call(kms, "UpdateKeyDescription", KeyId=keys.default.id, Description="described")
    scene.call(kms, "DisableKey", KeyId=keys.default.id)
    scene.call(kms, "EnableKey", KeyId=key)


def _alias_and_grant(scene: Scene, keys: Keys) -> None:
    kms, key = keys.kms, keys.default
    scene.call(kms, "CreateAlias", AliasName="alias/event", TargetKeyId=key.id)
    scene.call(kms, "UpdateAlias", AliasName="alias/event", TargetKeyId=keys.open.id)
    scene.call(kms, "DeleteAlias", AliasName="alias/event")
    grantee = keys.callers.grantee.arn
    scene.know(grantee=grantee)
    wanted: dict[str, Any] = {"KeyId": key.arn, "GranteePrincipal": grantee, "Operations": ["Encrypt", "Decrypt"]}
    one = scene.call(
        kms, "CreateGrant", Constraints=CONSTRAINTS, Name="by-name", RetiringPrincipal=ONE.user_arn, **wanted
    )
    other, third = (kms.create_grant(**wanted | {"RetiringPrincipal": ONE.user_arn}) for _ in range(2))
    scene.know(grant=one["GrantId"], other_grant=other["GrantId"], third_grant=third["GrantId"])
    scene.call(kms, "DescribeKey with a grant token", KeyId=key.id, GrantTokens=[other["GrantToken"]])
    scene.call(kms, "RevokeGrant", KeyId=key.arn, GrantId=one["GrantId"])
    scene.call(kms, "RetireGrant", KeyId=key.arn, GrantId=other["GrantId"])
    scene.call(kms, "RetireGrant by token", GrantToken=third["GrantToken"])


def _turn_and_delete(scene: Scene, keys: Keys) -> None:
    kms, key = keys.kms, keys.default
    scene.call(kms, "EnableKeyRotation", KeyId=key.id, RotationPeriodInDays=180)
    scene.call(kms, "EnableKeyRotation by default", KeyId=key.id)
    scene.call(kms, "DisableKeyRotation", KeyId=key.id)
    scene.call(kms, "RotateKeyOnDemand", KeyId=key.id)
    scene.call(kms, "ScheduleKeyDeletion", KeyId=key.id, PendingWindowInDays=7)
    scene.call(kms, "CancelKeyDeletion", KeyId=key.id)
    scene.call(kms, "ScheduleKeyDeletion by default", KeyId=key.arn)


def _import(scene: Scene, keys: Keys) -> None:
    kms = keys.kms
    key = kms.create_key(Origin="EXTERNAL", Policy=keys.open_policy)["KeyMetadata"]["Arn"]
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    scene.know(external=key, end=in_words(end))
    scene.call(
        kms, "ImportKeyMaterial", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=end, ImportType="NEW_KEY_MATERIAL",
        KeyMaterialDescription="from our safe", **wrapped(kms, key, os.urandom(32)),
    )  # fmt: skip
    scene.know(external_material=material(kms, key))
    scene.call(kms, "DeleteImportedKeyMaterial", KeyId=key)
    refused = wrapped(kms, key, os.urandom(32)) | {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    scene.call(kms, "ImportKeyMaterial of other material", **refused)


def _spread(scene: Scene, keys: Keys) -> None:
    key = keys.kms.create_key(MultiRegion=True, Policy=keys.open_policy)["KeyMetadata"]["Arn"]
    scene.know(related=key, related_id=key.rsplit("/", 1)[1])
    scene.call(
        keys.kms, "ReplicateKey", KeyId=key, ReplicaRegion=AMERICA, Description="a replica", Policy=keys.open_policy,
        Tags=TAGS,
    )  # fmt: skip
    scene.call(keys.kms, "UpdatePrimaryRegion", KeyId=key, PrimaryRegion=AMERICA)


def _custom_key_stores(scene: Scene, kms: Any) -> None:
    """There are none: refusals."""
    scene.call(
        kms, "CreateCustomKeyStore", CustomKeyStoreName="store", CloudHsmClusterId="cluster-2a34b5cdefg",
        KeyStorePassword="planted-password", TrustAnchorCertificate="-----BEGIN CERTIFICATE-----",
    )  # fmt: skip
    scene.call(
        kms, "CreateCustomKeyStore behind a proxy", CustomKeyStoreName="store", CustomKeyStoreType="EXTERNAL_KEY_STORE",
        XksProxyConnectivity="PUBLIC_ENDPOINT", XksProxyUriEndpoint="https://myproxy.xks.example.com",
        XksProxyUriPath="/kms/xks/v1", XksProxyAuthenticationCredential=PROXY_CREDENTIAL,
    )  # fmt: skip
    scene.call(kms, "DescribeCustomKeyStores")
    scene.call(kms, "DescribeCustomKeyStores of one", CustomKeyStoreId=STORE)
    for operation in ("Connect", "Disconnect", "Delete"):
        scene.call(kms, f"{operation}CustomKeyStore", CustomKeyStoreId=STORE)
    scene.call(
        kms, "UpdateCustomKeyStore", CustomKeyStoreId=STORE, NewCustomKeyStoreName="other",
        KeyStorePassword="planted-password", XksProxyAuthenticationCredential=PROXY_CREDENTIAL,
    )  # fmt: skip
