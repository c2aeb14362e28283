"""Key pairs, HMAC keys and post-quantum keys, held against a second implementation (`cryptography`)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from harness.callers import Caller
from soak.asking import Asking
from soak.clients.client import Client, World
from soak.ledger import Wrong, shown

CURVES = {"ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1()}
ECDSA = {
    "ECC_NIST_P256": "256", "ECC_NIST_P384": "384", "ECC_NIST_P521": "512", "ECC_SECG_P256K1": "256",
}  # fmt: skip
HASHES = {"1": hashes.SHA1(), "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
MAC_LENGTHS = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
USAGES = {
    "SIGN_VERIFY": (
        "RSA_2048", "RSA_3072", "RSA_4096", *ECDSA, "ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
    ),
    "ENCRYPT_DECRYPT": ("RSA_2048", "RSA_3072"),
    "KEY_AGREEMENT": tuple(CURVES),
    "GENERATE_VERIFY_MAC": tuple(MAC_LENGTHS),
    "ENCAPSULATE_DECAPSULATE": ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
}  # fmt: skip
SPECS = [(spec, usage) for usage, specs in USAGES.items() for spec in specs]


@dataclass
class Pair:
    """A key and its public half, if it has one that `cryptography` knows."""

    arn: str
    spec: str
    usage: str
    public: Any
    is_enabled: bool = True


class KeyPairClient(Client):
    """A client with a key of every spec, after a while."""

    def __init__(self, name: str, seed: int, world: World, me: Caller, asking: Asking | None = None):
        super().__init__(name, seed, world, me, asking)
        self.pairs: dict[tuple[str, str], Pair] = {}
        # Signatures that verify for ever, with what they are of.
        self.signed: list[tuple[Pair, dict[str, Any]]] = []
        self._changing: Pair | None = None

    def forget(self) -> None:
        if self._changing is not None:
            self._drop(self._changing)

    def step(self) -> None:
        which = self.luck.choice(SPECS)
        if which not in self.pairs or self.luck.random() < 0.002:
            self._create(*which)
        pair = self.pairs[which]
        if self.luck.random() < 0.04:
            self._switch(pair)
            return
        use: dict[str, Callable[[Pair], None]] = {
            "SIGN_VERIFY": self._sign,
            "ENCRYPT_DECRYPT": self._encrypt,
            "KEY_AGREEMENT": self._agree,
            "GENERATE_VERIFY_MAC": self._mac,
            "ENCAPSULATE_DECAPSULATE": self._encapsulate,
        }
        use[pair.usage](pair)
        if self.signed and self.luck.random() < 0.3:
            old, asked = self.luck.choice(self.signed)
            self.either(None if old.is_enabled else "DisabledException", "Verify", **asked)

    def _create(self, spec: str, usage: str) -> None:
        old = self.pairs.get((spec, usage))
        if old is not None:
            self._drop(old)
            self.done("ScheduleKeyDeletion", KeyId=old.arn, PendingWindowInDays=7)
            self.refused("KMSInvalidStateException", "EnableKey", KeyId=old.arn)
        made = self.done("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
        self.is_told("new key", (made["KeySpec"], made["KeyUsage"], made["KeyState"]), (spec, usage, "Enabled"))
        public = None
        if usage != "GENERATE_VERIFY_MAC" and spec != "ML_KEM_512":
            told = self.done("GetPublicKey", KeyId=made["Arn"])
            self.is_told("key", (told["KeyId"], told["KeySpec"]), (made["Arn"], spec))
            public = serialization.load_der_public_key(told["PublicKey"])
        self.pairs[(spec, usage)] = Pair(made["Arn"], spec, usage, public)

    def _drop(self, pair: Pair) -> None:
        self.pairs.pop((pair.spec, pair.usage), None)
        self.signed = [one for one in self.signed if one[0] is not pair]
        self._changing = None

    def _switch(self, pair: Pair) -> None:
        self._changing = pair
        self.done("DisableKey" if pair.is_enabled else "EnableKey", KeyId=pair.arn)
        pair.is_enabled = not pair.is_enabled
        self._changing = None

    def _asked(self, pair: Pair, operation: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None if the key is disabled and that was said."""
        if not pair.is_enabled:
            self.refused("DisabledException", operation, **asked)
            return None
        return self.done(operation, **asked)

    # Signatures.

    def _sign(self, pair: Pair) -> None:
        message = self.luck.randbytes(self.luck.choice((1, 50, 4_000)))
        algorithm = self._signing_algorithm(pair)
        asked = {"KeyId": pair.arn, "Message": message, "SigningAlgorithm": algorithm}
        told = self._asked(pair, "Sign", asked)
        if told is None:
            return
        self.is_told("key and algorithm", (told["KeyId"], told["SigningAlgorithm"]), (pair.arn, algorithm))
        self._verified(pair, algorithm, told["Signature"], message)
        proof = asked | {"Signature": told["Signature"]}
        self.is_told("verified", self.done("Verify", **proof)["SignatureValid"], True)
        self.refused("KMSInvalidSignatureException", "Verify", **proof | {"Message": message + b"!"})
        self.signed.append((pair, proof))
        if len(self.signed) > 100:
            self.signed.pop(self.luck.randrange(100))

    def _signing_algorithm(self, pair: Pair) -> str:
        if pair.spec.startswith("RSA"):
            scheme, bits = self.luck.choice(("PKCS1_V1_5", "PSS")), self.luck.choice(("256", "384", "512"))
            return f"RSASSA_{scheme}_SHA_{bits}"
        if pair.spec in ECDSA:
            return f"ECDSA_SHA_{ECDSA[pair.spec]}"
        return "ML_DSA_SHAKE_256" if pair.spec.startswith("ML_DSA") else "ED25519_SHA_512"

    def _verified(self, pair: Pair, algorithm: str, signature: bytes, message: bytes) -> None:
        digest = HASHES.get(algorithm.rpartition("_")[2])
        try:
            if pair.spec.startswith("RSA"):
                is_pss = "PSS" in algorithm
                scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if is_pss else padding.PKCS1v15()
                pair.public.verify(signature, message, scheme, digest)
            elif pair.spec in ECDSA:
                pair.public.verify(signature, message, ec.ECDSA(digest))
            else:
                pair.public.verify(signature, message)
        except InvalidSignature:
            asked = f"Sign {pair.arn} {algorithm} {shown(message)}"
            raise Wrong(asked, shown(signature), "a valid signature") from None

    # The others.

    def _encrypt(self, pair: Pair) -> None:
        bits = self.luck.choice(("1", "256"))
        asked = {"KeyId": pair.arn, "EncryptionAlgorithm": f"RSAES_OAEP_SHA_{bits}"}
        plaintext = self.luck.randbytes(self.luck.randint(1, 190))
        told = self._asked(pair, "Encrypt", asked | {"Plaintext": plaintext})
        if told is None:
            return
        assert isinstance(pair.public, rsa.RSAPublicKey)
        oaep = padding.OAEP(padding.MGF1(HASHES[bits]), HASHES[bits], None)
        for blob in (told["CiphertextBlob"], pair.public.encrypt(plaintext, oaep)):
            opened = self.done("Decrypt", CiphertextBlob=blob, **asked)
            self.is_told("plaintext and key", (opened["Plaintext"], opened["KeyId"]), (plaintext, pair.arn))
        self.refused("InvalidCiphertextException", "Decrypt", CiphertextBlob=told["CiphertextBlob"][::-1], **asked)

    def _agree(self, pair: Pair) -> None:
        peer = ec.generate_private_key(CURVES[pair.spec])
        der = peer.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        asked = {"KeyId": pair.arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": der}
        told = self._asked(pair, "DeriveSharedSecret", asked)
        if told is not None:
            self.is_told("secret", told["SharedSecret"], peer.exchange(ec.ECDH(), pair.public))

    def _mac(self, pair: Pair) -> None:
        message = self.luck.randbytes(self.luck.randint(1, 4_096))
        asked = {"KeyId": pair.arn, "Message": message, "MacAlgorithm": pair.spec.replace("_", "_SHA_")}
        told = self._asked(pair, "GenerateMac", asked)
        if told is None:
            return
        mac = told["Mac"]
        self.is_told("length and key", (len(mac), told["KeyId"]), (MAC_LENGTHS[pair.spec], pair.arn))
        self.is_told("same again", self.done("GenerateMac", **asked)["Mac"], mac)
        self.is_told("verified", self.done("VerifyMac", Mac=mac, **asked)["MacValid"], True)
        other = hashlib.sha512(mac).digest()[: len(mac)]
        self.refused("KMSInvalidMacException", "VerifyMac", Mac=other, **asked)

    def _encapsulate(self, pair: Pair) -> None:
        asked = {"KeyId": pair.arn, "EncapsulationAlgorithm": "ML_KEM"}
        told = self._asked(pair, "Encapsulate", asked)
        if told is None:
            return
        secret, blob = told["SharedSecret"], told["SharedSecretCiphertextBlob"]
        opened = self.done("Decapsulate", SharedSecretCiphertextBlob=blob, **asked)
        self.is_told("secret", opened["SharedSecret"], secret)
        if pair.public is not None:
            # What others encapsulate, it opens, too.
            secret, blob = pair.public.encapsulate()
            opened = self.done("Decapsulate", SharedSecretCiphertextBlob=blob, **asked)
            self.is_told("secret of another library", opened["SharedSecret"], secret)
