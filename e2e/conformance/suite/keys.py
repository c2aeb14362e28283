"""The keys of a run: each made once, prepared while it is enabled, then brought into its state."""

import threading
import time
from collections.abc import Callable
from typing import Any

from suite import material
from suite.endpoint import Answer, Endpoint
from suite.scope import Scope, Unprepared, at_path
from suite.tables import KeyName, Kind, Tables

LOOK_AGAIN_SECONDS = 0.02


class Keys:
    """Makes keys when they are first asked for. What a key cannot have, it raises `Unprepared` for each time."""

    def __init__(self, endpoint: Endpoint, tables: Tables, run: dict[str, Any]):
        self._endpoint = endpoint
        self._tables = tables
        self._run = run
        self._keys: dict[str, Key | Unprepared] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, text: str) -> "Key":
        """The key of this name."""
        name = KeyName.parse(text)
        with self._lock:
            lock = self._locks.setdefault(str(name), threading.Lock())
        with lock:
            if str(name) not in self._keys:
                try:
                    self._keys[str(name)] = Key(self._endpoint, self._tables, self._run, name)
                except Unprepared as reason:
                    self._keys[str(name)] = reason
        found = self._keys[str(name)]
        if isinstance(found, Unprepared):
            raise Unprepared(f"no key {name}: {found}")
        return found


class Key:
    """One key, and the values that its cases use."""

    def __init__(self, endpoint: Endpoint, tables: Tables, run: dict[str, Any], name: KeyName):
        self.name = name
        self.values: dict[str, Any] = {}
        self._endpoint = endpoint
        self._tables = tables
        self._kind: Kind = tables.kinds[name.kind]
        self._scope = Scope(self.values, run)
        self.region = run["region"]
        if name.role == "replica":
            self.region = run["second_region"]
            self.values |= run["in_second_region"]
        self._create()
        self._prepare()
        self.restore()

    def restore(self) -> None:
        """Brings the key into the state of its name."""
        for _ in range(4):
            state = self._state()
            if state == self.name.state:
                return
            self._towards(state)
        raise Unprepared(f"the key stays in the state {self._state()}")

    def _towards(self, state: str) -> None:
        wanted = self.name.state
        if state == "PendingImport":
            self._import()
        elif state in ("PendingDeletion", "PendingReplicaDeletion"):
            self._must("CancelKeyDeletion", {"KeyId": self.arn})
        elif wanted in ("PendingDeletion", "PendingReplicaDeletion"):
            self._must("ScheduleKeyDeletion", {"KeyId": self.arn, "PendingWindowInDays": 7})
        elif wanted == "PendingImport":
            self._must("DeleteImportedKeyMaterial", {"KeyId": self.arn})
        else:
            self._must("DisableKey" if wanted == "Disabled" else "EnableKey", {"KeyId": self.arn})
        self._wait_while("Creating", "Updating")

    @property
    def arn(self) -> str:
        return str(self.values["key"])

    def _create(self) -> None:
        kind = self._kind
        request: dict[str, Any] = {
            "KeySpec": kind.spec,
            "KeyUsage": kind.usage,
            "Description": self._scope.value("description"),
        }
        if self.name.origin != "AWS_KMS":
            request["Origin"] = self.name.origin
        if self.name.role != "single":
            request["MultiRegion"] = True
        first = self._scope.value("region")
        metadata = self._part("KeyMetadata", "CreateKey", request, first)
        self._describe(metadata)
        if self.name.role != "single":
            self._replicate(self.arn, first)
        if self.name.origin == "EXTERNAL":
            self._import()

    def _describe(self, metadata: dict[str, Any]) -> None:
        kind = self._kind
        arn, key_id = (at_path(metadata, [name], name) for name in ("Arn", "KeyId"))
        self.values |= {"key": arn, "key_id": key_id, "usage": kind.usage, "spec": kind.spec}
        self.values |= {"algorithms": kind.algorithms, "origin": self.name.origin, "state": self.name.state}
        algorithm = {
            "ENCRYPT_DECRYPT": "encryption_algorithm",
            "SIGN_VERIFY": "signing_algorithm",
            "GENERATE_VERIFY_MAC": "mac_algorithm",
        }.get(kind.usage)
        if algorithm:
            self.values[algorithm] = kind.algorithms[0]
        if kind.usage == "KEY_AGREEMENT":
            self.values["peer_public_key"] = material.peer_key(kind.spec)

    def _replicate(self, primary: str, first: str) -> None:
        second = self._scope.value("second_region")
        request = {"KeyId": primary, "ReplicaRegion": second}
        self.values["primary"] = primary
        self.values["replica"] = self._part("ReplicaKeyMetadata.Arn", "ReplicateKey", request, first)
        self._wait_while("Creating", region=second, key=self.values["replica"])
        if self.name.role == "replica":
            self.values["key"] = self.values["replica"]

    def _import(self) -> None:
        raw = self._kind.spec in material.RAW_LENGTHS
        algorithm = "RSAES_OAEP_SHA_256" if raw else "RSA_AES_KEY_WRAP_SHA_256"
        request = {"KeyId": self.arn, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"}
        if "import_token" not in self.values:
            parameters = self._part("", "GetParametersForImport", request)
            public_key = at_path(parameters, ["PublicKey"], "PublicKey")
            plain = material.material(self._kind.spec)
            self.values |= {
                "import_token": at_path(parameters, ["ImportToken"], "ImportToken"),
                "wrapped_material": material.wrapped(algorithm, public_key, plain),
                "wrapping_algorithm": algorithm,
            }
        self._must(
            "ImportKeyMaterial",
            {
                "KeyId": self.arn,
                "ImportToken": self.values["import_token"],
                "EncryptedKeyMaterial": self.values["wrapped_material"],
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            },
        )

    def _prepare(self) -> None:
        """What cases need of the key and can only be had while it is enabled."""
        for template in self._tables.keys["prepared"]:
            if self._kind.usage in template.get("usages", [self._kind.usage]):
                self.values[template["name"]] = self._attempt(template["action"], template["member"])
        for name in ("alias", "deletable_alias"):
            self.values[name] = self._alias()
        for name, otherwise in self._tables.keys["otherwise"].items():
            self.values.setdefault(name, self._lazily(otherwise))

    def _lazily(self, template: Any) -> Callable[[], Any]:
        return lambda: self._scope.resolve(template)

    def _attempt(self, action: str, member: str) -> Any:
        """A member of the answer, or a function that says why there is none."""
        found = self._tables.actions[action]
        try:
            return self._part(member, found.operation, self._scope.resolve(found.request))
        except Unprepared as reason:
            return _raiser(str(reason))

    def _alias(self) -> Any:
        name = self._scope.resolve("alias/conformance-{unique}")
        try:
            self._must("CreateAlias", {"AliasName": name, "TargetKeyId": self.arn})
        except Unprepared as reason:
            return _raiser(str(reason))
        return name

    def _state(self) -> str:
        return str(self._part("KeyMetadata.KeyState", "DescribeKey", {"KeyId": self.arn}))

    def _wait_while(self, *states: str, region: str | None = None, key: str | None = None) -> None:
        deadline = time.monotonic() + self._endpoint.target.patience
        while True:
            answer = self._endpoint.call("DescribeKey", {"KeyId": key or self.arn}, region or self.region)
            # A key that was made a moment ago need not be known everywhere yet.
            if answer.succeeded and answer.members.get("KeyMetadata", {}).get("KeyState") not in states:
                return
            if time.monotonic() > deadline:
                raise Unprepared(f"the key stays as it is: {answer}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _part(self, path: str, operation: str, request: dict[str, Any], region: str | None = None) -> Any:
        """What lies at a path in the result of a call that has to succeed."""
        answer = self._must(operation, request, region)
        return at_path(answer.members, path.split(".") if path else [], f"{operation}: {path}")

    def _must(self, operation: str, request: dict[str, Any], region: str | None = None) -> Answer:
        answer = self._endpoint.call(operation, request, region or self.region)
        if not answer.succeeded:
            raise Unprepared(str(answer))
        return answer


def _raiser(reason: str) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise Unprepared(reason)

    return raise_it
