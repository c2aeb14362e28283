"""What happens when the trail cannot be written: calls fail and change nothing, health is bad, and it mends by itself.

The trail's folder is a file system of its own, a small one in memory. Where none can be mounted the tests are skipped.
"""

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.polling import eventually
from harness.seed import SEEDED_KEY
from harness.server import EXIT_DATA_FOLDER, Server, StartFailed

UNRECORDED = "audit trail"


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The trail's own file system, of a mebibyte."""
    folder = tmp_path / "data" / "trail"
    folder.parent.mkdir(mode=0o700)
    folder.mkdir(mode=0o700)
    mount("-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_server(disk: Path, tmp_path: Path) -> Iterator[Server]:
    # The disk is always nearly full: that alone is not to make the service ill.
    server = Server(tmp_path, environment={"KEYWRIGHT_TRAIL_FREE_MIN_MEBIBYTES": "0"}).start()
    yield server
    server.close()


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """No byte is free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    yield
    ballast.unlink()


def health(server: Server) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def refusal(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response


def fill_last_page(kms: Any) -> None:
    """The log has room made ahead that is not the file system's any more: calls until one fails."""
    for _ in range(1_024):
        try:
            kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")
        except ClientError:
            return
    raise AssertionError("calls go on working on a full disk")


def test_nothing_is_done_that_cannot_be_recorded(small_server: Server, disk: Path) -> None:
    kms, iam = clients.kms(small_server), clients.iam(small_server)
    before = kms.list_keys()["Keys"], kms.get_key_policy(KeyId=SEEDED_KEY)["Policy"], iam.list_users()["Users"]
    with full(disk):
        fill_last_page(kms)
        for call, parameters in (
            (kms.create_key, {}),
            (kms.put_key_policy, {"KeyId": SEEDED_KEY, "Policy": before[1], "BypassPolicyLockoutSafetyCheck": True}),
            (kms.disable_key, {"KeyId": SEEDED_KEY}),
            (kms.encrypt, {"KeyId": SEEDED_KEY, "Plaintext": b"x"}),
            (kms.list_keys, {}),
            (kms.describe_key, {"KeyId": "alias/absent"}),
        ):
            answer = refusal(call, **parameters)
            assert answer["Error"]["Code"] == "KMSInternalException", answer
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert UNRECORDED in answer["Error"]["Message"]
        answer = refusal(iam.create_user, UserName="bob")
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceFailure", 500)
        assert health(small_server) == 503
        assert "the audit log cannot be written" in small_server.output
    eventually(lambda: health(small_server) == 200, "health is good again")
    after = kms.list_keys()["Keys"], kms.get_key_policy(KeyId=SEEDED_KEY)["Policy"], iam.list_users()["Users"]
    assert after == before
    assert kms.describe_key(KeyId=SEEDED_KEY)["KeyMetadata"]["Enabled"]
    made = kms.create_key()
    assert trail.event_of(small_server, made)["eventName"] == "CreateKey"
    trail.assert_chain(small_server)


def test_whatever_was_answered_before_and_after_is_in_the_log(small_server: Server, disk: Path) -> None:
    kms = clients.kms(small_server)
    answers = [kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")]
    with full(disk):
        fill_last_page(kms)
    # Without any call.
    eventually(lambda: health(small_server) == 200, "health is good again")
    answers.append(kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x"))
    for answer in answers:
        assert trail.event_of(small_server, answer)["eventName"] == "Encrypt"
    small_server.stop()
    small_server.start()
    for answer in answers:
        assert trail.event_of(small_server, answer)["eventName"] == "Encrypt"
    trail.assert_chain(small_server)


def test_changes_that_fill_the_disk_keep_their_events(small_server: Server, disk: Path) -> None:
    """The change that finds the disk full is made, its event beside it; the ones behind it are refused."""
    kms = clients.kms(small_server)
    made = []
    with full(disk):
        for _ in range(1_024):
            try:
                made.append(kms.create_key())
            except ClientError as refused:
                assert UNRECORDED in refused.response["Error"]["Message"]
                break
        else:
            raise AssertionError("changes go on being made on a full disk")
    keys = {answer["KeyMetadata"]["Arn"] for answer in made}
    pages = kms.get_paginator("list_keys").paginate()
    there = {key["KeyArn"] for page in pages for key in page["Keys"]}
    assert keys <= there and len(there - keys) == 1, "only the seeded key beside those that were answered"
    eventually(lambda: health(small_server) == 200, "health is good again")
    last = made[-1]["ResponseMetadata"]["RequestId"]
    eventually(lambda: trail.events(small_server, requestID=last), "the event that waited is logged")
    for answer in made:
        event = trail.event_of(small_server, answer)
        assert [resource["ARN"] for resource in event["resources"]] == [answer["KeyMetadata"]["Arn"]]
    trail.assert_chain(small_server)


def test_a_start_without_a_log_to_write_fails(small_server: Server, disk: Path) -> None:
    kms = clients.kms(small_server)
    answer = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")
    small_server.stop()
    mount("-o", "remount,ro", str(disk))
    with pytest.raises(StartFailed) as failed:
        small_server.start()
    small_server.process = None
    assert failed.value.exit_code == EXIT_DATA_FOLDER
    assert "the audit log cannot be written" in failed.value.log
    mount("-o", "remount,rw", str(disk))
    small_server.start()
    assert trail.event_of(small_server, answer)["eventName"] == "Encrypt"


def gone(log: Path) -> None:
    log.unlink()


def replaced(log: Path) -> None:
    log.rename(log.with_suffix(".moved"))
    log.write_bytes(b"")


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-10])


@pytest.mark.parametrize("harm", [gone, replaced, cut])
def test_a_log_that_somebody_touched_is_noticed(fresh_server: Server, harm: Any) -> None:
    kms = clients.kms(fresh_server)
    kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")
    assert health(fresh_server) == 200
    harm(trail.segments(fresh_server)[-1])
    answer = kms.create_key()
    assert health(fresh_server) == 503
    assert "somebody moved, replaced or changed the audit log's file" in fresh_server.output
    [line] = [one for one in trail.segments(fresh_server)[-1].read_text().splitlines() if "CreateKey" in one]
    assert answer["ResponseMetadata"]["RequestId"] in line
