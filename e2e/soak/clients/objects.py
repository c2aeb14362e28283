"""Objects with versions in every kind of encryption, whole, in parts and copied, while their key comes and goes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.callers import Caller
from harness.seed import EUROPE
from soak.clients.client import Client, World

NAMES = ("a", "b", "long/name of/an object", "ünïcode")
SIZES = (0, 1, 700, 5_000, 70_000, 300_000)
# Parts but the last have five MiB at least.
PART = 5 << 20
VERSIONS_MAX = 5


@dataclass(frozen=True)
class Version:
    """A version of an object, or a delete marker if it has no body."""

    id: str
    body: bytes | None
    mode: str = ""
    customer_key: bytes = b""
    etag: str = ""


@dataclass
class Object:
    """An object as its only client knows it: all its versions, newest first."""

    name: str
    versions: list[Version] = field(default_factory=list)

    @property
    def newest(self) -> Version | None:
        """What is read without an id, or None if there is nothing or a marker."""
        found = self.versions[0] if self.versions else None
        return found if found is not None and found.body is not None else None


class ObjectClient(Client):
    """A client with a bucket of its own and two keys: one that it disables now and then, one for a bucket key."""

    MODES = ("service", "kms", "kms", "kms-bucket-key", "dsse", "customer")

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me, world.boto())
        self.bucket = ""
        self.objects: dict[str, Object] = {}

    def step(self) -> None:
        if not self.bucket:
            self._create()
        name = self.luck.choice(NAMES)
        thing = self.objects.setdefault(name, Object(f"{name}-{self.new_name()}"))
        choice = self.luck.random()
        if choice < 0.25:
            self._put(thing)
        elif choice < 0.27:
            self._upload(thing)
        elif choice < 0.35:
            self._copy(thing)
        elif choice < 0.45:
            self._delete(thing)
        elif choice < 0.5:
            self._list(thing)
        elif choice < 0.53:
            self._switch()
        elif choice < 0.6:
            self._read_wrongly(thing)
        else:
            self._read(thing)

    def _s3(self, operation: str, thing: Object, **parameters: Any) -> dict[str, Any]:
        return self.done(operation, service="s3", Bucket=self.bucket, Key=thing.name, **parameters)

    @contextmanager
    def _changing(self, thing: Object) -> Iterator[None]:
        """Around a change: if it comes to no end, nobody knows the object any more."""
        name = next(name for name, one in self.objects.items() if one is thing)
        del self.objects[name]
        yield
        self.objects[name] = thing

    def _create(self) -> None:
        bucket = f"soak-{self.new_name()}-{self.account}".lower()
        self.switched = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.steady = self.done("CreateKey")["KeyMetadata"]["Arn"]
        self.is_enabled = True
        place = {"LocationConstraint": EUROPE}
        self.done("CreateBucket", service="s3", Bucket=bucket, CreateBucketConfiguration=place)
        enabled = {"Status": "Enabled"}
        self.done("PutBucketVersioning", service="s3", Bucket=bucket, VersioningConfiguration=enabled)
        rule = {"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}
        configuration = {"Rules": [rule]}
        self.done("PutBucketEncryption", service="s3", Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
        self.bucket, self.objects = bucket, {}

    def _switch(self) -> None:
        key = self.switched
        # If this comes to no end, a new bucket has new keys.
        bucket, self.bucket = self.bucket, ""
        self.done("DisableKey" if self.is_enabled else "EnableKey", KeyId=key)
        self.is_enabled = not self.is_enabled
        self.bucket = bucket

    def _encryption(self, mode: str, customer_key: bytes) -> dict[str, Any]:
        """What a writer says of it."""
        match mode:
            case "service":
                return {}
            case "kms":
                return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.switched}
            case "kms-bucket-key":
                return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.steady, "BucketKeyEnabled": True}
            case "dsse":
                return {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": self.switched}
            case _:
                return customer(customer_key)

    def _refusal(self, mode: str) -> str | None:
        """The code that reading and writing is refused with now."""
        return "KMS.DisabledException" if mode in ("kms", "dsse") and not self.is_enabled else None

    def _chosen(self) -> tuple[str, bytes, dict[str, Any]]:
        mode, key = self.luck.choice(self.MODES), self.luck.randbytes(32)
        return mode, key, self._encryption(mode, key)

    def _put(self, thing: Object) -> None:
        body = self.luck.randbytes(self.luck.choice(SIZES))
        mode, key, how = self._chosen()
        refusal = self._refusal(mode)
        if refusal:
            where = {"service": "s3", "Bucket": self.bucket, "Key": thing.name}
            self.refused(refusal, "PutObject", Body=body, **where, **how)
            return
        with self._changing(thing):
            told = self._s3("PutObject", thing, Body=body, **how)
            self._told(mode, key, told)
            if mode == "service":
                self.is_told("ETag", told["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
            self._add(thing, Version(told["VersionId"], body, mode, key, told["ETag"]))

    def _told(self, mode: str, key: bytes, told: dict[str, Any]) -> None:
        """What answers to reads and writes tell of the encryption."""
        found = (told.get("ServerSideEncryption"), told.get("SSEKMSKeyId"), told.get("BucketKeyEnabled", False))
        expected = {
            "service": ("AES256", None, False), "kms": ("aws:kms", self.switched, False),
            "kms-bucket-key": ("aws:kms", self.steady, True), "dsse": ("aws:kms:dsse", self.switched, False),
            "customer": (None, None, False),
        }[mode]  # fmt: skip
        self.is_told(f"encryption, {mode}", found, expected)

    def _add(self, thing: Object, version: Version) -> None:
        """Puts it before the others; the oldest goes, so that they do not become many."""
        thing.versions.insert(0, version)
        if len(thing.versions) > VERSIONS_MAX:
            oldest = thing.versions.pop()
            self._s3("DeleteObject", thing, VersionId=oldest.id)

    def _upload(self, thing: Object) -> None:
        mode, key, how = self._chosen()
        if self._refusal(mode):
            return
        bodies = [self.luck.randbytes(self.luck.choice(SIZES[1:]))]
        if self.luck.random() < 0.1:
            bodies.insert(0, self.luck.randbytes(PART))
        again = customer(key) if mode == "customer" else {}
        with self._changing(thing):
            upload = self._s3("CreateMultipartUpload", thing, **how)["UploadId"]
            parts = []
            for number, body in enumerate(bodies, 1):
                told = self._s3("UploadPart", thing, UploadId=upload, PartNumber=number, Body=body, **again)
                parts.append({"PartNumber": number, "ETag": told["ETag"]})
            if self.luck.random() < 0.2:
                self._s3("AbortMultipartUpload", thing, UploadId=upload)
                where = {"service": "s3", "Bucket": self.bucket, "Key": thing.name}
                self.refused("NoSuchUpload", "ListParts", UploadId=upload, **where)
                return
            told = self._s3(
                "CompleteMultipartUpload", thing, UploadId=upload, MultipartUpload={"Parts": parts}, **again
            )
            self._add(thing, Version(told["VersionId"], b"".join(bodies), mode, key, told["ETag"]))

    def _copy(self, thing: Object) -> None:
        sources = [one for one in self.objects.values() if one.newest is not None]
        if not sources:
            return
        source = self.luck.choice(sources)
        old = source.newest
        mode, key, how = self._chosen()
        asked: dict[str, Any] = {"CopySource": {"Bucket": self.bucket, "Key": source.name, "VersionId": old.id}, **how}
        if old.mode == "customer":
            asked |= {f"CopySource{name}": value for name, value in customer(old.customer_key).items()}
        refusal = self._refusal(old.mode) or self._refusal(mode)
        if refusal:
            where = {"service": "s3", "Bucket": self.bucket, "Key": thing.name}
            self.refused(refusal, "CopyObject", **where, **asked)
            return
        with self._changing(thing):
            told = self._s3("CopyObject", thing, **asked)
            self._told(mode, key, told)
            self._add(thing, Version(told["VersionId"], old.body, mode, key, told["CopyObjectResult"]["ETag"]))

    def _delete(self, thing: Object) -> None:
        with self._changing(thing):
            if thing.versions and self.luck.random() < 0.5:
                gone = self.luck.choice(thing.versions)
                told = self._s3("DeleteObject", thing, VersionId=gone.id)
                self.is_told("marker", told.get("DeleteMarker", False), gone.body is None)
                thing.versions.remove(gone)
            else:
                told = self._s3("DeleteObject", thing)
                self.is_told("marker", told.get("DeleteMarker"), True)
                self._add(thing, Version(told["VersionId"], None))

    def _list(self, thing: Object) -> None:
        told = self.done("ListObjectVersions", service="s3", Bucket=self.bucket, Prefix=thing.name)
        found = {one["VersionId"]: (one["IsLatest"], one["Size"]) for one in told.get("Versions", [])}
        found |= {one["VersionId"]: (one["IsLatest"], None) for one in told.get("DeleteMarkers", [])}
        expected = {
            one.id: (number == 0, None if one.body is None else len(one.body))
            for number, one in enumerate(thing.versions)
        }
        self.is_told(f"versions of {thing.name}", found, expected)
        listed = self.done("ListObjectsV2", service="s3", Bucket=self.bucket, Prefix=thing.name).get("Contents", [])
        newest = [] if thing.newest is None else [(thing.name, thing.newest.etag, len(thing.newest.body))]
        self.is_told("listed", [(one["Key"], one["ETag"], one["Size"]) for one in listed], newest)

    def _read(self, thing: Object) -> None:
        where = {"service": "s3", "Bucket": self.bucket, "Key": thing.name}
        version, by_id = thing.newest, {}
        if thing.versions and self.luck.random() < 0.5:
            version = self.luck.choice(thing.versions)
            by_id = {"VersionId": version.id}
            if version.body is None:
                self.refused("MethodNotAllowed", "GetObject", **where, **by_id)
                return
        if version is None:
            self.refused("NoSuchKey", "GetObject", **where)
            return
        how = customer(version.customer_key) if version.mode == "customer" else {}
        refusal = self._refusal(version.mode)
        if refusal:
            self.refused(refusal, "GetObject", **where, **by_id, **how)
            return
        self._read_part(version, {**where, **by_id, **how})

    def _read_part(self, version: Version, asked: dict[str, Any]) -> None:
        length, expected = len(version.body), version.body
        if length and self.luck.random() < 0.4:
            begin = self.luck.randrange(length)
            end = self.luck.randrange(begin, length)
            asked["Range"], expected = f"bytes={begin}-{end}", version.body[begin : end + 1]
        told = self.done("GetObject", **asked)
        self.is_told("content", told["Body"], expected)
        self.is_told("version and ETag", (told["VersionId"], told["ETag"]), (version.id, version.etag))
        self._told(version.mode, version.customer_key, told)
        if self.luck.random() < 0.2:
            asked.pop("Range", None)
            self.is_told("length", self.done("HeadObject", **asked)["ContentLength"], length)

    def _read_wrongly(self, thing: Object) -> None:
        version = thing.newest
        if version is None:
            return
        where = {"service": "s3", "Bucket": self.bucket, "Key": thing.name}
        if version.mode == "customer":
            self.refused("InvalidRequest", "GetObject", **where)
            self.refused("AccessDenied", "GetObject", **where, **customer(self.luck.randbytes(32)))
        elif version.mode == "service":
            self.refused("InvalidRequest", "GetObject", **where, **customer(self.luck.randbytes(32)))
        self.refused("PreconditionFailed", "PutObject", Body=b"x", IfNoneMatch="*", **where)


def customer(key: bytes) -> dict[str, Any]:
    """SSE-C with this key."""
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
