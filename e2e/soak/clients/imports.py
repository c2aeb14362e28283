"""Keys whose material comes from outside: it expires in some seconds or never, is deleted, and comes back the same."""

import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.callers import Caller
from harness.imports import wrap
from soak.clients.client import Client, World

PENDING = "KMSInvalidStateException"
WRONG_MATERIAL = "IncorrectKeyMaterialException"
WRAPPINGS = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
# This one is for private keys.
UNFIT_WRAPPING = "RSA_AES_KEY_WRAP_SHA_256"
KEYS_MAX = 4
# Around its end, material may be there or not: due work is looked for once a second.
CLOSE_SECONDS = 4.0


@dataclass
class Imported:
    """A key and the material that it was given."""

    arn: str
    bits: int
    is_mac: bool
    material: bytes
    is_there: bool = False
    # In seconds since the epoch.
    end: float | None = None
    blob: bytes = b""


class ImportClient(Client):
    """A client that makes such keys, and computes MACs by itself."""

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.keys: list[Imported] = []
        self._changing: Imported | None = None

    def forget(self) -> None:
        if self._changing in self.keys:
            self.keys.remove(self._changing)
        self._changing = None

    def step(self) -> None:
        if len(self.keys) < KEYS_MAX or self.luck.random() < 0.01:
            self._create()
        key = self.luck.choice(self.keys)
        if key.end is not None and abs(time.time() - key.end) < CLOSE_SECONDS:
            return self._look(key, None)
        if key.end is not None and time.time() > key.end:
            key.is_there, key.end = False, None
        choice = self.luck.random()
        if choice < 0.1:
            self._import(key)
        elif choice < 0.15:
            self._import_wrongly(key)
        elif choice < 0.2 and key.is_there:
            self._delete(key)
        elif choice < 0.3:
            self._look(key, "Enabled" if key.is_there else "PendingImport")
        else:
            self._use(key)

    def _create(self) -> None:
        is_mac = self.luck.random() < 0.5
        bits = self.luck.choice((224, 256, 384, 512)) if is_mac else 256
        kind = {"KeySpec": f"HMAC_{bits}", "KeyUsage": "GENERATE_VERIFY_MAC"} if is_mac else {}
        made = self.done("CreateKey", Origin="EXTERNAL", **kind)["KeyMetadata"]
        self.is_told("new key", (made["KeyState"], made["Origin"]), ("PendingImport", "EXTERNAL"))
        self.keys.append(Imported(made["Arn"], bits, is_mac, self.luck.randbytes(bits // 8)))
        if len(self.keys) > KEYS_MAX:
            self.keys.pop(0)

    def _wrapped(self, key: Imported, material: bytes) -> dict[str, Any]:
        asked = {"KeyId": key.arn, "WrappingAlgorithm": UNFIT_WRAPPING, "WrappingKeySpec": "RSA_2048"}
        self.refused("UnsupportedOperationException", "GetParametersForImport", **asked)
        wrapping = self.luck.choice(WRAPPINGS)
        told = self.done("GetParametersForImport", **asked | {"WrappingAlgorithm": wrapping})
        blob = wrap(told["PublicKey"], wrapping, material)
        return {"KeyId": key.arn, "ImportToken": told["ImportToken"], "EncryptedKeyMaterial": blob}

    def _import(self, key: Imported) -> None:
        asked = self._wrapped(key, key.material)
        end = None
        if self.luck.random() < 0.6:
            end = float(int(time.time()) + self.luck.randint(10, 25))
            asked["ValidTo"] = datetime.fromtimestamp(end, UTC)
        else:
            asked["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
        self._changing = key
        self.done("ImportKeyMaterial", **asked)
        key.is_there, key.end, self._changing = True, end, None

    def _import_wrongly(self, key: Imported) -> None:
        # Until material was there, any of the right length is the right one.
        other = self.luck.randbytes(len(key.material)) if key.blob else key.material[1:]
        asked = self._wrapped(key, other)
        self.refused(WRONG_MATERIAL, "ImportKeyMaterial", ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **asked)

    def _delete(self, key: Imported) -> None:
        self._changing = key
        self.done("DeleteImportedKeyMaterial", KeyId=key.arn)
        key.is_there, key.end, self._changing = False, None, None

    def _look(self, key: Imported, state: str | None) -> None:
        """The state, where it is certain; else one of both."""
        found = self.done("DescribeKey", KeyId=key.arn)["KeyMetadata"]["KeyState"]
        self.is_told("state", found, state or (found if found in ("Enabled", "PendingImport") else "one of both"))

    def _use(self, key: Imported) -> None:
        if key.is_mac:
            message = self.luck.randbytes(40)
            algorithm = f"HMAC_SHA_{key.bits}"
            asked = {"KeyId": key.arn, "Message": message, "MacAlgorithm": algorithm}
            if not key.is_there:
                self.refused(PENDING, "GenerateMac", **asked)
                return
            mac = self.done("GenerateMac", **asked)["Mac"]
            self.is_told("MAC", mac, hmac.digest(key.material, message, f"sha{key.bits}"))
            key.blob = mac
        elif not key.is_there:
            self.refused(PENDING, "Encrypt", KeyId=key.arn, Plaintext=b"x")
            if key.blob:
                self.refused(PENDING, "Decrypt", CiphertextBlob=key.blob)
        else:
            plaintext = key.arn.encode()
            if key.blob:
                self.is_told("plaintext", self.done("Decrypt", CiphertextBlob=key.blob)["Plaintext"], plaintext)
            key.blob = self.done("Encrypt", KeyId=key.arn, Plaintext=plaintext)["CiphertextBlob"]
