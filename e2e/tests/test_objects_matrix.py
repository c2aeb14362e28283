"""Every encryption header on every operation that takes or refuses it, and what the answers tell.

The rows, their sources and what their words mean: `corpus/object-encryption/`.
"""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from harness import clients
from harness.buckets import new_bucket, take_customer_keys
from harness.object_encryption import Refusal, Row, expected, headers, read, told
from harness.s3_by_hand import Line
from harness.seed import (
    AMERICA,
    ONE,
    SEEDED_ALIAS,
    SEEDED_KEY,
    SEEDED_KEY_AMERICA,
    SEEDED_KEY_TWO,
    TWO,
)
from harness.server import Server

# test_tls.py checks certificates.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

TABLE = read()
BODY = b"contents of some length"
# What was written to be read: each of these modes under its name.
MODES = {
    "service": {"SSE": "AES256"},
    "kms": {"SSE": "aws:kms", "KEYID": "arn"},
    "shared": {"SSE": "aws:kms", "KEYID": "arn", "BK": "true"},
    "context": {"SSE": "aws:kms", "KEYID": "arn", "CTX": "pairs"},
    "dsse": {"SSE": "aws:kms:dsse", "KEYID": "arn"},
    "customer": {"C-ALG": "AES256", "C-KEY": "own", "C-MD5": "own"},
}
OWN_KEY = {"C-ALG": "AES256", "C-KEY": "own", "C-MD5": "own"}
OTHER_KEY = {"C-ALG": "AES256", "C-KEY": "other", "C-MD5": "other"}
DEFAULTS = {
    "kms": ("aws:kms", "arn", False),
    "managed": ("aws:kms", None, False),
    "shared": ("aws:kms", "arn", True),
    "dsse": ("aws:kms:dsse", "arn", False),
    "broken": ("aws:kms", "unknown", False),
}
WRITES = ("PutObject", "PostObject", "CreateMultipartUpload", "CopyObject")
READS = ("GetObject", "HeadObject", "GetObjectAttributes")


@dataclass
class Scene:
    """A server with keys, and buckets by their defaults. `sources` has an object of each mode."""

    s3: Any
    line: Line
    keys: dict[str, str]
    buckets: dict[str, str]

    @property
    def sources(self) -> str:
        return self.buckets["plain"]

    def headers(self, words: dict[str, str]) -> dict[str, str]:
        return headers(words, self.keys)

    def send(self, method: str, path: str, words: dict[str, str], data: bytes = b"", **more: str) -> requests.Response:
        beside = {name.replace("_", "-"): value for name, value in more.items()}
        return self.line.send(method, path, data, self.headers(words) | beside)

    # The operations, each on an object by its path.

    def put_object(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("PUT", path, words, BODY)

    def post_object(self, path: str, words: dict[str, str]) -> requests.Response:
        bucket, key = path[1:].split("/")
        fields = self.headers(words)
        conditions = [{name: value} for name, value in fields.items()]
        form = self.s3.generate_presigned_post(bucket, key, dict(fields), conditions)
        return self.line.session.post(form["url"], data=form["fields"], files={"file": BODY}, timeout=30)

    def copy_object(self, path: str, words: dict[str, str], source: str = "service") -> requests.Response:
        return self.send("PUT", path, words, x_amz_copy_source=f"/{self.sources}/{source}")

    def create_multipart_upload(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("POST", f"{path}?uploads", words)

    def upload_part(self, path: str, words: dict[str, str], upload: str) -> requests.Response:
        return self.send("PUT", f"{path}?partNumber=1&uploadId={upload}", words, BODY)

    def upload_part_copy(
        self, path: str, words: dict[str, str], upload: str, source: str = "service"
    ) -> requests.Response:
        path = f"{path}?partNumber=1&uploadId={upload}"
        return self.send("PUT", path, words, x_amz_copy_source=f"/{self.sources}/{source}")

    def complete_multipart_upload(self, path: str, words: dict[str, str], upload: str, tag: str) -> requests.Response:
        part = f"<Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
        return self.send("POST", f"{path}?uploadId={upload}", words, body)

    def list_parts(self, path: str, words: dict[str, str], upload: str) -> requests.Response:
        return self.send("GET", f"{path}?uploadId={upload}", words)

    def get_object(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("GET", path, words)

    def head_object(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("HEAD", path, words)

    def get_object_attributes(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("GET", f"{path}?attributes", words, x_amz_object_attributes="ETag,ObjectSize")

    def list_objects(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("GET", f"/{path.split('/')[1]}", words)

    def list_objects_v2(self, path: str, words: dict[str, str]) -> requests.Response:
        return self.send("GET", f"/{path.split('/')[1]}?list-type=2", words)

    def update_object_encryption(self, path: str, words: dict[str, str]) -> requests.Response:
        inner = {"nothing": ""}.get(words.get("BODY", "nothing"), f"<{words.get('BODY')}/>")
        if "KMS" in words:
            key = f"<KMSKeyArn>{self.keys[words['KMS']]}</KMSKeyArn>"
            flag = f"<BucketKeyEnabled>{words['BUCKETKEY']}</BucketKeyEnabled>" if "BUCKETKEY" in words else ""
            inner = f"<SSE-KMS>{key}{flag}</SSE-KMS>"
        return self.send("PUT", f"{path}?encryption", {}, f"<ObjectEncryption>{inner}</ObjectEncryption>".encode())

    def new_upload(self, path: str, mode: str) -> str:
        return upload_of(self.create_multipart_upload(path, MODES[mode]))

    # What is expected.

    def assert_answer(self, row: Row, answer: requests.Response) -> None:
        if isinstance(row.outcome, Refusal):
            self.assert_refused(row.outcome, row.sent, row.where, answer)
        else:
            self.assert_told(row.operation, row.outcome, answer)

    def assert_told(self, operation: str, mode: dict[str, str], answer: requests.Response) -> None:
        assert answer.status_code == (204 if operation == "PostObject" else 200), answer.text
        assert told(answer) == expected(mode, TABLE.told[operation], self.keys), answer.headers

    def assert_refused(
        self, refusal: Refusal, sent: dict[str, str], where: str, answer: requests.Response
    ) -> None:
        assert answer.status_code == refusal.status, answer.text
        assert told(answer) == {}, answer.headers
        if answer.request.method == "HEAD":
            assert answer.content == b""
            return
        error = {one.tag: one.text or "" for one in ElementTree.fromstring(answer.text)}
        assert error["Code"] == refusal.code, error
        if refusal.text is not None:
            assert error["Message"] == self.text(refusal.text, sent, where), error
        if refusal.argument is not None:
            name, value = refusal.argument
            assert error["ArgumentName"] == name, error
            if value is not None:
                assert error["ArgumentValue"] == self.keys.get(value, value), error

    def text(self, name: str, sent: dict[str, str], where: str) -> str:
        # The key of what is read or of the bucket, or the one that is asked for.
        key = {"broken": "unknown", "disabled": "disabled"}.get(where) or sent.get("KEYID") or sent.get("KMS", "")
        key = self.keys.get(key, key)
        return TABLE.texts[name].format(sent=key, key=ONE.key_arn(key.rpartition("/")[2]), user=ONE.user_arn)


def upload_of(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text.partition("<UploadId>")[2].partition("</UploadId>")[0]


def key_for(mode: dict[str, str]) -> dict[str, str]:
    """The headers without which nothing of this mode is read."""
    return mode | {"C-KEY": mode["C-MD5"]} if "C-MD5" in mode else {}


def new_keys(server: Server) -> dict[str, str]:
    kms = clients.kms(server)
    made = {
        "disabled": {}, "deleted": {}, "importing": {"Origin": "EXTERNAL"}, "other": {},
        "signing": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        "hmac": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    }  # fmt: skip
    keys = {name: kms.create_key(**parameters)["KeyMetadata"]["Arn"] for name, parameters in made.items()}
    kms.schedule_key_deletion(KeyId=keys["deleted"], PendingWindowInDays=7)
    unknown = str(uuid.uuid4())
    return keys | {
        "id": SEEDED_KEY, "arn": ONE.key_arn(SEEDED_KEY),
        "alias": SEEDED_ALIAS, "alias-arn": ONE.alias_arn(SEEDED_ALIAS),
        "unknown": unknown, "unknown-arn": ONE.key_arn(unknown), "nonsense": "no-key-of-ours",
        "of-america": SEEDED_KEY_AMERICA, "of-america-arn": ONE.key_arn(SEEDED_KEY_AMERICA, AMERICA),
        "foreign": TWO.key_arn(SEEDED_KEY_TWO),
    }  # fmt: skip


def new_scene(server: Server) -> Scene:
    s3, keys = clients.s3(server), new_keys(server)
    buckets = {name: new_bucket(s3) for name in ("plain", "blocked", *DEFAULTS)}
    for name, (algorithm, key, shared) in DEFAULTS.items():
        default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": keys[key]} if key else {})
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": shared}
        rules = {"Rules": [rule | {"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}]}
        s3.put_bucket_encryption(Bucket=buckets[name], ServerSideEncryptionConfiguration=rules)
    take_customer_keys(s3, buckets["plain"])
    return Scene(s3, Line(server), keys, buckets)


@pytest.fixture(scope="module")
def scene(tls_server: Server) -> Iterator[Scene]:
    scene = new_scene(tls_server)
    for name, words in [*MODES.items(), ("disabled", {"SSE": "aws:kms", "KEYID": "disabled"})]:
        assert scene.put_object(f"/{scene.sources}/{name}", words).status_code == 200
    kms = clients.kms(tls_server)
    kms.disable_key(KeyId=scene.keys["disabled"])
    scene.put_object(f"/{scene.sources}/managed", {"SSE": "aws:kms"})
    scene.keys["managed"] = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    yield scene
    scene.line.close()


@pytest.fixture(scope="module")
def in_clear(server: Server) -> Iterator[Scene]:
    scene = new_scene(server)
    assert scene.put_object(f"/{scene.sources}/service", {}).status_code == 200
    yield scene
    scene.line.close()


def call(scene: Scene, row: Row, path: str, *beside: str) -> requests.Response:
    """Sends what a row says."""
    method = {"ListObjectsV2": "list_objects_v2"}.get(row.operation)
    method = method or "".join(f"_{one.lower()}" if one.isupper() else one for one in row.operation).lstrip("_")
    return getattr(scene, method)(path, row.sent, *beside)


def assert_written(scene: Scene, path: str, mode: dict[str, str]) -> None:
    """What lies there is of this mode, and readable."""
    for operation, read_it in (("HeadObject", scene.head_object), ("GetObject", scene.get_object)):
        answer = read_it(path, key_for(mode))
        scene.assert_told(operation, mode, answer)
        assert answer.headers["content-length"] == str(len(BODY))
    assert answer.content == BODY


def rows(*sections: str) -> Any:
    found = TABLE.of(*sections)
    assert {row.section for row in found} == set(sections)
    return pytest.mark.parametrize("row", found, ids=str)


@rows("writes")
def test_what_is_written(scene: Scene, row: Row) -> None:
    path = f"/{scene.buckets[row.where]}/{uuid.uuid4()}"
    answer = call(scene, row, path)
    scene.assert_answer(row, answer)
    if isinstance(row.outcome, Refusal):
        # Nothing is there, however the object would be read.
        assert all(scene.head_object(path, words).status_code == 404 for words in ({}, OWN_KEY))
        return
    mode = row.outcome
    if row.operation == "CreateMultipartUpload":
        upload, of_part = upload_of(answer), key_for(mode)
        part = scene.upload_part(path, of_part, upload)
        scene.assert_told("UploadPart", mode, part)
        done = scene.complete_multipart_upload(path, {}, upload, part.headers["etag"])
        scene.assert_told("CompleteMultipartUpload", mode, done)
    else:
        tag = answer.headers.get("etag") or scene.head_object(path, key_for(mode)).headers["etag"]
        # Only of what the service encrypts under its own key is the tag a digest.
        assert (tag == f'"{hashlib.md5(BODY).hexdigest()}"') == (mode.get("SSE") == "AES256")
    assert_written(scene, path, mode)


@rows("itself")
def test_what_is_copied_onto_itself(scene: Scene, row: Row) -> None:
    path = f"/{scene.buckets[row.where]}/{uuid.uuid4()}"
    assert scene.put_object(path, {"SSE": "AES256"}).status_code == 200
    answer = scene.send("PUT", path, row.sent, x_amz_copy_source=path)
    scene.assert_answer(row, answer)
    assert_written(scene, path, {"SSE": "AES256"} if isinstance(row.outcome, Refusal) else row.outcome)


@rows("reads", "under-a-disabled-key", "beside-a-disabled-key", "attributes", "every-read")
def test_what_is_read(scene: Scene, row: Row) -> None:
    answer = call(scene, row, f"/{scene.sources}/{row.where}")
    scene.assert_answer(row, answer)
    if row.operation == "GetObject" and not isinstance(row.outcome, Refusal):
        assert answer.content == BODY
    if row.operation == "GetObjectAttributes" and not isinstance(row.outcome, Refusal):
        assert f"<ObjectSize>{len(BODY)}</ObjectSize>" in answer.text


@rows("lists")
def test_what_is_listed(scene: Scene, row: Row) -> None:
    path = f"/{scene.sources}/{uuid.uuid4()}"
    beside = (scene.new_upload(path, row.where),) if row.operation == "ListParts" else ()
    scene.assert_answer(row, call(scene, row, path, *beside))


@rows("parts")
def test_what_parts_say(scene: Scene, row: Row) -> None:
    path = f"/{scene.sources}/{uuid.uuid4()}"
    upload = scene.new_upload(path, row.where)
    scene.assert_answer(row, call(scene, row, path, upload))
    is_there = "<PartNumber>1</PartNumber>" in scene.list_parts(path, {}, upload).text
    assert is_there != isinstance(row.outcome, Refusal)


@rows("ends")
def test_how_uploads_end(scene: Scene, row: Row) -> None:
    path, of_part = f"/{scene.sources}/{uuid.uuid4()}", key_for(MODES[row.where])
    upload = scene.new_upload(path, row.where)
    part = scene.upload_part(path, of_part, upload)
    beside = () if row.operation == "ListParts" else (part.headers["etag"],)
    scene.assert_answer(row, call(scene, row, path, upload, *beside))
    if row.operation == "CompleteMultipartUpload":
        assert_written(scene, path, MODES[row.where])


@rows("sources", "both-ends")
def test_what_is_copied(scene: Scene, row: Row) -> None:
    path = f"/{scene.sources}/{uuid.uuid4()}"
    beside = (scene.new_upload(path, "service"),) if row.operation == "UploadPartCopy" else ()
    answer = call(scene, row, path, *beside, row.where)
    scene.assert_answer(row, answer)
    if isinstance(row.outcome, Refusal):
        assert all(scene.head_object(path, words).status_code == 404 for words in ({}, OWN_KEY, OTHER_KEY))
        return
    if row.operation == "UploadPartCopy":
        tag = answer.text.partition("<ETag>")[2].partition("</ETag>")[0]
        assert scene.complete_multipart_upload(path, {}, *beside, tag).status_code == 200
    assert_written(scene, path, row.outcome)


@rows("rewraps")
def test_what_comes_under_another_key(scene: Scene, row: Row) -> None:
    if row.where == "disabled":
        path, before = f"/{scene.sources}/disabled", None
    else:
        path, before = f"/{scene.sources}/{uuid.uuid4()}", MODES[row.where]
        assert scene.put_object(path, before).status_code == 200
    answer = call(scene, row, path)
    if isinstance(row.outcome, Refusal):
        scene.assert_answer(row, answer)
    else:
        scene.assert_told(row.operation, {}, answer)
    if before is not None:
        assert_written(scene, path, before if isinstance(row.outcome, Refusal) else row.outcome)


@rows("clear", "clear-sources")
def test_what_does_not_come_in_clear(in_clear: Scene, row: Row) -> None:
    path = f"/{in_clear.sources}/{uuid.uuid4()}"
    beside: tuple[str, ...] = ()
    if row.operation in READS:
        path = f"/{in_clear.sources}/service"
    elif row.operation in ("UploadPart", "UploadPartCopy"):
        beside = (in_clear.new_upload(path, "service"),)
    in_clear.assert_answer(row, call(in_clear, row, path, *beside))


def test_every_mode_meets_every_operation() -> None:
    """The table leaves no mode out of an operation that has to do with it."""
    about_modes = TABLE.of("reads", "attributes", "every-read", "parts", "ends", "sources")
    met = {(row.operation, row.where) for row in about_modes}
    for operation in (*READS, "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "CopyObject"):
        assert set(MODES) - {where for one, where in met if one == operation} <= {"context"}, operation
    written = {(row.operation, row.sent.get("SSE"), "C-ALG" in row.sent) for row in TABLE.of("writes")}
    for operation in WRITES:
        for method in (None, "AES256", "aws:kms", "aws:kms:dsse"):
            assert {(operation, method, False), (operation, method, True)} <= written, (operation, method)
    assert {row.where for row in TABLE.of("rewraps")} >= set(MODES)
    assert set(TABLE.told) >= {row.operation for row in TABLE.rows if not isinstance(row.outcome, Refusal)}
