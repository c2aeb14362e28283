"""What stays in the memory of the process, and what of it may be swapped out."""

import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness import clients, memory
from harness.at_once import at_once
from harness.buckets import new_bucket, take_customer_keys
from harness.imports import import_material
from harness.polling import eventually
from harness.seed import ONE
from harness.server import BINARY, EXIT_USAGE, Server, clean_environment

# What no secret is, and the service keeps: who finds this searches rightly.
KEPT = {"access key id": ONE.access_key_id.encode()}

# So many at once use more memory than the few calls that follow.
CALLERS = 48

LOCKED = re.compile(r"^VmLck:\s+(\d+) kB$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _looks_into_processes() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root looks into the memory of a process that is not dumpable")


def forgotten(server: Server, planted: dict[str, bytes]) -> bool:
    """Whether nothing of it is left. Memory that is given back is wiped at once; what a thread had on its stack is
    overwritten by the calls that come next."""
    at_once([clients.kms(server)] * 8, lambda kms, _: kms.list_keys())
    return memory.find(server.pid, planted | KEPT) == set(KEPT)


def test_what_calls_brought_and_took_is_wiped(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    planted = {"plaintexts": secrets.token_bytes(48)}
    plaintexts = [planted["plaintexts"] + bytes([number]) * 3_000 for number in range(CALLERS)]
    encrypted = at_once([kms] * CALLERS, lambda kms, number: kms.encrypt(KeyId=key, Plaintext=plaintexts[number]))
    assert kms.decrypt(CiphertextBlob=encrypted[-1]["CiphertextBlob"])["Plaintext"] == plaintexts[-1]
    planted["data key"] = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    planted["random bytes"] = kms.generate_random(NumberOfBytes=1_024)["Plaintext"]
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_2048")["PrivateKeyPlaintext"]
    planted["half of a private key"] = pair[len(pair) // 2 :]
    user = clients.iam(fresh_server)
    user.create_user(UserName="planted")
    access_key = user.create_access_key(UserName="planted")["AccessKey"]
    planted["secret access key"] = access_key["SecretAccessKey"].encode()
    for client in (kms, user):
        client.close()
    eventually(lambda: forgotten(fresh_server, planted), "secrets of calls to be gone")


def test_material_that_was_deleted_is_wiped(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    planted = {"material": secrets.token_bytes(32)}
    import_material(kms, key, planted["material"])
    kms.encrypt(KeyId=key, Plaintext=b"brings the key into use")
    assert "material" in memory.find(fresh_server.pid, planted), "a key in use is in memory"
    kms.delete_imported_key_material(KeyId=key)
    kms.close()
    eventually(lambda: forgotten(fresh_server, planted), "deleted material to be gone")


def test_keys_and_objects_that_customers_sent_are_wiped(tls_server: Server) -> None:
    s3 = clients.s3(tls_server)
    bucket = new_bucket(s3)
    take_customer_keys(s3, bucket)
    planted = {"keys": secrets.token_bytes(30)}
    body = secrets.token_bytes(200_000)

    def put_and_get(s3: Any, number: int) -> None:
        key = planted["keys"] + number.to_bytes(2)
        customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
        name = str(number)
        s3.put_object(Bucket=bucket, Key=name, Body=body, **customer)
        assert s3.get_object(Bucket=bucket, Key=name, **customer)["Body"].read() == body

    at_once([s3] * CALLERS, put_and_get)
    s3.close()
    planted |= {f"object at {place}": body[place : place + 48] for place in range(0, len(body), 80_000)}
    eventually(lambda: forgotten(tls_server, planted), "customers' keys and an object to be gone")


def test_the_passphrase_is_wiped_after_the_start(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(secrets.token_hex(24))
    file.chmod(0o600)
    server = Server(tmp_path, arguments=("--passphrase-file", str(file))).start()
    try:
        assert forgotten(server, {"passphrase": file.read_bytes()})
    finally:
        server.close()


@pytest.mark.parametrize(("lock", "is_locked"), [("true", True), ("false", False)])
def test_memory_is_locked_where_that_is_asked_for(tmp_path: Path, lock: str, is_locked: bool) -> None:
    if not memory.may_lock():
        pytest.skip("this machine lets nobody lock memory")
    server = Server(tmp_path, environment={"KEYWRIGHT_PROCESS_LOCK_MEMORY": lock}).start()
    try:
        locked = LOCKED.search(Path(f"/proc/{server.pid}/status").read_text())
        assert locked is not None
        assert (int(locked[1]) > 0) == is_locked
        clients.kms(server).create_key()
    finally:
        server.close()


def test_a_start_that_may_not_lock_memory_fails_and_says_what_to_do(tmp_path: Path) -> None:
    # Without capabilities root is bound by limits like everybody.
    without = ["setpriv", "--bounding-set=-ipc_lock,-sys_resource", "bash", "-c"]
    command = f"ulimit -l 64; exec {BINARY} serve --data-dir {tmp_path / 'data'}"
    environment = clean_environment(tmp_path) | {"KEYWRIGHT_PROCESS_LOCK_MEMORY": "true"}
    ended = subprocess.run([*without, command], capture_output=True, text=True, env=environment)
    assert ended.returncode == EXIT_USAGE
    assert "memory cannot be locked" in ended.stderr
    assert "LimitMEMLOCK=infinity" in ended.stderr
    assert not (tmp_path / "data").exists()
