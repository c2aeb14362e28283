"""Symmetric encryption: what was encrypted is decrypted again, whatever became of its key meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization

from harness.callers import Caller
from harness.seed import AMERICA, EUROPE
from soak.asking import Asking
from soak.clients.client import Client, World

KEYS_MAX = 5
# So many ciphertexts are kept; when there are more, any of them goes.
KEPT_MAX = 400
# RotateKeyOnDemand: "a maximum of 25 times for each KMS key".
ROTATIONS_MAX = 25
PAIRS = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519")
REFUSALS = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


@dataclass
class Key:
    """A key as its only client knows it."""

    arn: str
    state: str = "Enabled"
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    rotations: int = 0
    period: int | None = None
    is_replicated: bool = False

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def refusal(self) -> str | None:
        """The code that cryptography with this key is refused with."""
        return REFUSALS.get(self.state)


@dataclass(frozen=True)
class Kept:
    """A ciphertext and what is in it."""

    key: Key
    blob: bytes
    plaintext: bytes
    context: dict[str, str]


class EncryptionClient(Client):
    """A client with keys of its own."""

    def __init__(self, name: str, seed: int, world: World, me: Caller, asking: Asking | None = None):
        super().__init__(name, seed, world, me, asking)
        self.keys: list[Key] = []
        self.kept: list[Kept] = []

    def step(self) -> None:
        if len(self.keys) < 2 or (len(self.keys) < KEYS_MAX and self.luck.random() < 0.01):
            self._create()
        key = self.luck.choice(self.keys)
        if self.luck.random() < 0.85:
            self._use(key)
        else:
            self._change(key)

    def _use(self, key: Key) -> None:
        uses = [
            self._encrypt, self._encrypt, self._decrypt, self._decrypt, self._decrypt, self._decrypt_wrongly,
            self._re_encrypt, self._data_key, self._data_key_without_plaintext, self._random,
        ]  # fmt: skip
        rare = [self._data_key_pair, self._describe, self._settings, self._decrypt_in_america]
        self.luck.choice(uses if self.luck.random() < 0.9 else rare)(key)

    def _change(self, key: Key) -> None:
        changes: dict[str, list[Callable[[Key], None]]] = {
            "Enabled": [
                self._disable, self._rotate, self._rotate, self._alias, self._tag, self._describe_anew,
                self._rotate_by_itself, self._replicate, self._schedule,
            ],
            "Disabled": [self._enable, self._enable, self._tag, self._schedule],
            "PendingDeletion": [self._cancel, self._abandon],
        }  # fmt: skip
        self.luck.choice(changes[key.state])(key)

    @contextmanager
    def _changing(self, key: Key) -> Iterator[None]:
        """Around a change: if it comes to no end, nobody knows the key any more."""
        self.keys.remove(key)
        kept, self.kept = self.kept, [one for one in self.kept if one.key is not key]
        yield
        self.keys.append(key)
        self.kept = kept

    # What makes keys and changes them.

    def _create(self) -> None:
        tags = {"soak": self.new_name()}
        is_multi_region = self.luck.random() < 0.4
        made = self.done(
            "CreateKey", Description="made", Tags=_tags(tags), MultiRegion=is_multi_region
        )["KeyMetadata"]
        self.is_told("new key", [made[name] for name in ("KeyState", "KeySpec", "MultiRegion", "AWSAccountId")],
                     ["Enabled", "SYMMETRIC_DEFAULT", is_multi_region, self.account])  # fmt: skip
        self.keys.append(Key(made["Arn"], description="made", tags=tags))

    def _disable(self, key: Key) -> None:
        with self._changing(key):
            self.done("DisableKey", KeyId=key.id)
            key.state = "Disabled"

    def _enable(self, key: Key) -> None:
        with self._changing(key):
            self.done("EnableKey", KeyId=key.arn)
            key.state = "Enabled"

    def _schedule(self, key: Key) -> None:
        if self.luck.random() < 0.5 or key.is_replicated:
            return
        with self._changing(key):
            told = self.done("ScheduleKeyDeletion", KeyId=key.arn, PendingWindowInDays=self.luck.randint(7, 30))
            self.is_told("key to be deleted", (told["KeyId"], told["KeyState"]), (key.arn, "PendingDeletion"))
            key.state = "PendingDeletion"

    def _cancel(self, key: Key) -> None:
        with self._changing(key):
            self.is_told("key", self.done("CancelKeyDeletion", KeyId=key.id)["KeyId"], key.arn)
            key.state = "Disabled"

    def _abandon(self, key: Key) -> None:
        """It stays to be deleted; what was encrypted under it is lost."""
        for one in self.kept:
            if one.key is key:
                asked = {"CiphertextBlob": one.blob, "EncryptionContext": one.context}
                self.refused("KMSInvalidStateException", "Decrypt", **asked)
                break
        self.refused("KMSInvalidStateException", "EnableKey", KeyId=key.arn)
        self.keys.remove(key)
        self.kept = [one for one in self.kept if one.key is not key]

    def _rotate(self, key: Key) -> None:
        if key.rotations >= ROTATIONS_MAX:
            self.refused("LimitExceededException", "RotateKeyOnDemand", KeyId=key.arn)
            return
        with self._changing(key):
            self.is_told("key", self.done("RotateKeyOnDemand", KeyId=key.arn)["KeyId"], key.arn)
            key.rotations += 1

    def _rotate_by_itself(self, key: Key) -> None:
        with self._changing(key):
            if key.period is None:
                period = self.luck.randint(90, 2_560)
                self.done("EnableKeyRotation", KeyId=key.id, RotationPeriodInDays=period)
                key.period = period
            else:
                self.done("DisableKeyRotation", KeyId=key.id)
                key.period = None

    def _alias(self, key: Key) -> None:
        name = f"alias/{self.new_name()}"
        with self._changing(key):
            if len(key.aliases) < 3:
                self.done("CreateAlias", AliasName=name, TargetKeyId=key.id)
                key.aliases.append(name)
            else:
                gone = self.luck.choice(key.aliases)
                self.done("DeleteAlias", AliasName=gone)
                key.aliases.remove(gone)
                self.refused("NotFoundException", "Encrypt", KeyId=gone, Plaintext=b"x")

    def _tag(self, key: Key) -> None:
        name, value = f"tag {self.luck.randrange(4)}", self.new_name()
        with self._changing(key):
            if name in key.tags and self.luck.random() < 0.5:
                self.done("UntagResource", KeyId=key.id, TagKeys=[name])
                del key.tags[name]
            else:
                self.done("TagResource", KeyId=key.id, Tags=_tags({name: value}))
                key.tags[name] = value

    def _describe_anew(self, key: Key) -> None:
        text = self.new_name()
        with self._changing(key):
            self.done("UpdateKeyDescription", KeyId=key.id, Description=text)
            key.description = text

    def _replicate(self, key: Key) -> None:
        if "mrk-" not in key.id or self.luck.random() < 0.5:
            return
        if key.is_replicated:
            self.refused("AlreadyExistsException", "ReplicateKey", KeyId=key.id, ReplicaRegion=AMERICA)
            return
        with self._changing(key):
            made = self.done("ReplicateKey", KeyId=key.id, ReplicaRegion=AMERICA)["ReplicaKeyMetadata"]
            self.is_told("replica", made["Arn"], key.arn.replace(EUROPE, AMERICA))
            key.is_replicated = True

    # What is read of them.

    def _describe(self, key: Key) -> None:
        told = self.done("DescribeKey", KeyId=self._named(key))["KeyMetadata"]
        expected = (key.arn, key.state, key.state == "Enabled", key.description)
        self.is_told("key", (told["Arn"], told["KeyState"], told["Enabled"], told["Description"]), expected)

    def _settings(self, key: Key) -> None:
        tags = self.done("ListResourceTags", KeyId=key.id)["Tags"]
        self.is_told("tags", {tag["TagKey"]: tag["TagValue"] for tag in tags}, key.tags)
        aliases = self.done("ListAliases", KeyId=key.id)["Aliases"]
        self.is_told("aliases", sorted(alias["AliasName"] for alias in aliases), sorted(key.aliases))
        if key.state == "PendingDeletion":
            return
        rotations = self.done("ListKeyRotations", KeyId=key.id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        self.is_told("materials", len(rotations), key.rotations + 1)
        status = self.done("GetKeyRotationStatus", KeyId=key.id)
        self.is_told("rotation", (status["KeyRotationEnabled"], status.get("RotationPeriodInDays")),
                     (key.period is not None, key.period))  # fmt: skip

    # What is done with them.

    def _named(self, key: Key) -> str:
        """Any of its names."""
        aliases = [*key.aliases, *(f"{key.arn.partition(':key/')[0]}:{alias}" for alias in key.aliases)]
        return self.luck.choice([key.id, key.arn, *aliases])

    def _context(self) -> dict[str, str]:
        return {f"name {number}": self.new_name() for number in range(self.luck.choice((0, 0, 1, 3)))}

    def _keep(self, *kept: Any) -> None:
        self.kept.append(Kept(*kept))
        if len(self.kept) > KEPT_MAX:
            self.kept.pop(self.luck.randrange(KEPT_MAX))

    def _encrypt(self, key: Key) -> None:
        plaintext, context = self.luck.randbytes(self.luck.choice((1, 16, 300, 4_096))), self._context()
        asked = {"KeyId": self._named(key), "Plaintext": plaintext, "EncryptionContext": context}
        if key.refusal:
            self.refused(key.refusal, "Encrypt", **asked)
            return
        told = self.done("Encrypt", **asked)
        self.is_told("key", (told["KeyId"], told["EncryptionAlgorithm"]), (key.arn, "SYMMETRIC_DEFAULT"))
        self._keep(key, told["CiphertextBlob"], plaintext, context)

    def _any_kept(self) -> Kept | None:
        return self.luck.choice(self.kept) if self.kept else None

    def _decrypt(self, _: Key) -> None:
        one = self._any_kept()
        if one is None:
            return
        asked: dict[str, Any] = {"CiphertextBlob": one.blob, "EncryptionContext": one.context}
        if self.luck.random() < 0.5:
            asked["KeyId"] = self._named(one.key)
        self._opens(one, asked)

    def _opens(self, one: Kept, asked: dict[str, Any], region: str = EUROPE) -> None:
        refusal = one.key.refusal if region == EUROPE else None
        if refusal:
            self.refused(refusal, "Decrypt", region=region, **asked)
            return
        told = self.done("Decrypt", region=region, **asked)
        arn = one.key.arn.replace(EUROPE, region)
        self.is_told("plaintext and key", (told["Plaintext"], told["KeyId"]), (one.plaintext, arn))

    def _decrypt_in_america(self, _: Key) -> None:
        kept = [one for one in self.kept if one.key.is_replicated]
        if kept:
            one = self.luck.choice(kept)
            self._opens(one, {"CiphertextBlob": one.blob, "EncryptionContext": one.context}, AMERICA)

    def _decrypt_wrongly(self, _: Key) -> None:
        one = self._any_kept()
        if one is None or one.key.refusal:
            return
        at = self.luck.randrange(1, len(one.blob)) if self.luck.random() < 0.5 else None
        if at is None:
            blob, context = one.blob, one.context | {"another": "name"}
        else:
            # Behind what says which key it is.
            at = len(one.blob) - 1 - at % 16
            blob, context = one.blob[:at] + bytes([one.blob[at] ^ 1]) + one.blob[at + 1 :], one.context
        self.refused("InvalidCiphertextException", "Decrypt", CiphertextBlob=blob, EncryptionContext=context)
        others = [key for key in self.keys if key is not one.key and key.state == "Enabled"]
        if others:
            asked = {"CiphertextBlob": one.blob, "EncryptionContext": one.context, "KeyId": self._named(others[0])}
            self.refused("IncorrectKeyException", "Decrypt", **asked)

    def _re_encrypt(self, key: Key) -> None:
        one, context = self._any_kept(), self._context()
        if one is None:
            return
        asked = {
            "CiphertextBlob": one.blob, "SourceEncryptionContext": one.context, "DestinationKeyId": self._named(key),
            "DestinationEncryptionContext": context,
        }  # fmt: skip
        if one.key.refusal and key.refusal and one.key.refusal != key.refusal:
            # Which of both is looked at first is nobody's promise.
            return
        if one.key.refusal or key.refusal:
            self.refused(one.key.refusal or key.refusal, "ReEncrypt", **asked)
            return
        told = self.done("ReEncrypt", **asked)
        self.is_told("keys", (told["SourceKeyId"], told["KeyId"]), (one.key.arn, key.arn))
        self._keep(key, told["CiphertextBlob"], one.plaintext, context)

    def _data_key(self, key: Key) -> None:
        context = self._context()
        asked = {"KeyId": self._named(key), "NumberOfBytes": self.luck.randint(1, 1_024), "EncryptionContext": context}
        if key.refusal:
            self.refused(key.refusal, "GenerateDataKey", **asked)
            return
        told = self.done("GenerateDataKey", **asked)
        self.is_told("length and key", (len(told["Plaintext"]), told["KeyId"]), (asked["NumberOfBytes"], key.arn))
        self._keep(key, told["CiphertextBlob"], told["Plaintext"], context)

    def _data_key_without_plaintext(self, key: Key) -> None:
        asked = {"KeyId": self._named(key), "KeySpec": "AES_128"}
        if key.refusal:
            self.refused(key.refusal, "GenerateDataKeyWithoutPlaintext", **asked)
            return
        told = self.done("GenerateDataKeyWithoutPlaintext", **asked)
        self.is_told("answer", ("Plaintext" in told, told["KeyId"]), (False, key.arn))
        opened = self.done("Decrypt", CiphertextBlob=told["CiphertextBlob"])
        self.is_told("length", len(opened["Plaintext"]), 16)
        self._keep(key, told["CiphertextBlob"], opened["Plaintext"], {})

    def _data_key_pair(self, key: Key) -> None:
        asked = {"KeyId": self._named(key), "KeyPairSpec": self.luck.choice(PAIRS)}
        if key.refusal:
            self.refused(key.refusal, "GenerateDataKeyPair", **asked)
            return
        told = self.done("GenerateDataKeyPair", **asked)
        private = serialization.load_der_private_key(told["PrivateKeyPlaintext"], None)
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.is_told("public half", told["PublicKey"], public)
        self._keep(key, told["PrivateKeyCiphertextBlob"], told["PrivateKeyPlaintext"], {})

    def _random(self, _: Key) -> None:
        length = self.luck.randint(8, 1_024)
        told = self.done("GenerateRandom", NumberOfBytes=length)["Plaintext"]
        # Eight bytes that are all the same do not happen.
        self.is_told("random bytes", (len(told), len(set(told)) > 1), (length, True))


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
