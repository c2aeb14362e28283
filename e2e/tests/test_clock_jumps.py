"""The machine's wall clock jumps, forwards and backwards, by minutes and by days, while it runs and across a restart.

What is promised: nothing hangs and nothing fails; signatures and ends of sessions, tokens and keys are judged by the
clock as it is; what is due is done once, and not later than it should be once the clock is right again; the log holds
and is found. What became due by a clock that was ahead is done, and stays done.

Source: ADR 0007; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html on the window of
signatures.
"""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.backups import assert_trail, digests
from harness.clock_jumps import NONE, JumpingClock, server_with
from harness.imports import import_material
from harness.polling import eventually
from harness.raw import Line, Request, call, connect, exchange, get, kms_request, sign
from harness.seed import AMERICA, SEEDED_KEY, Account
from harness.server import Server

MINUTES, DAYS = timedelta(minutes=10), timedelta(days=3)
JUMPS = [MINUTES, -MINUTES, DAYS, -DAYS]
# A call takes milliseconds; whoever waits for a clock to come back waits for minutes.
PROMPT_SECONDS = 20

# Events are delivered, and digests signed, all the time; and who is silent has minutes, on a machine that is busy, too.
SETTINGS = {
    "KEYWRIGHT_LIMITS_HEADER_READ_TIMEOUT_SECONDS": "600",
    "KEYWRIGHT_LIMITS_IDLE_TIMEOUT_SECONDS": "600",
    "KEYWRIGHT_TRAIL_DELIVERY_INTERVAL_SECONDS": "1",
    "KEYWRIGHT_TRAIL_DELIVERY_DIGEST_INTERVAL_SECONDS": "1",
}


# One key in a second.
SMALL_QUOTAS = {
    "KEYWRIGHT_REQUEST_QUOTAS_ENABLED": "true",
    "KEYWRIGHT_REQUEST_QUOTAS_PER_SECOND_CREATE_KEY": "1",
}


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[JumpingClock]:
    clock = JumpingClock(tmp_path)
    with clock.followed_by_clients():
        yield clock


@pytest.fixture
def server(clock: JumpingClock, tmp_path: Path) -> Iterator[Server]:
    server = server_with(clock, tmp_path, SETTINGS).start()
    yield server
    server.close()


def state(kms: Any, key: str) -> str | None:
    """The key's state; None if there is no such key any more."""
    try:
        return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except kms.exceptions.NotFoundException:
        return None


def told(server: Server, name: str, key: str) -> list[dict[str, Any]]:
    """The events of this name about a key."""
    found = trail.events(server, eventName=name)
    return [event for event in found if any(key in one["ARN"] for one in event.get("resources", []))]


def time_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["eventTime"])


def turns(server: Server) -> Callable[[], bool]:
    """Whether chores have been done since now: they log what a copy of a key leaves in the outbox."""
    kms = clients.kms(server)
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion=AMERICA)
    return lambda: any(event["awsRegion"] == AMERICA for event in told(server, "CreateKey", key))


def after_a_turn(server: Server) -> None:
    # Two, for the first may have begun before the jump.
    for _ in range(2):
        eventually(turns(server), "chores go on", PROMPT_SECONDS)


@pytest.mark.parametrize(
    ("jump", "restarted"), [*((jump, False) for jump in JUMPS), (DAYS, True), (-DAYS, True)], ids=str
)
def test_signatures_are_judged_by_the_machines_clock(
    jump: timedelta, restarted: bool, clock: JumpingClock, server: Server
) -> None:
    before = call(server, "DescribeKey", {"KeyId": SEEDED_KEY})
    assert before.status == 200
    if restarted:
        server.stop()
    clock.jump(jump)
    if restarted:
        server.start()
    asked = kms_request("DescribeKey", {"KeyId": SEEDED_KEY})
    listed = Request("GET", "/", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"")
    for off, code, status in ((NONE, "InvalidSignatureException", 403), (jump, None, 200)):
        answer = exchange(server, sign(server, asked, offset=off))
        assert answer.code == code, answer
        assert (b"RequestTimeTooSkewed" in exchange(server, sign(server, listed, service="s3", offset=off)).body) == (
            status == 403
        )
    clock.jump(NONE)
    assert exchange(server, sign(server, asked)).status == 200
    assert exchange(server, sign(server, asked, offset=jump)).code == "InvalidSignatureException"


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=str)
def test_whatever_waits_goes_on(jump: timedelta, clock: JumpingClock, server: Server) -> None:
    """Connections, timeouts, pools, chores and deliveries run by the clock that only goes forwards."""
    line, silent = Line(server), connect(server)
    pair = kms_request("GenerateDataKeyPair", {"KeyId": SEEDED_KEY, "KeyPairSpec": "RSA_2048"})
    assert line.exchange(sign(server, pair)).status == 200
    asked = clock.asked()
    for off in (jump, NONE):
        clock.jump(off)
        began = time.monotonic()
        assert line.exchange(sign(server, pair, offset=off)).status == 200
        assert get(server, "/healthz").status == get(server, "/readyz").status == 200
        after_a_turn(server)
        assert time.monotonic() - began < PROMPT_SECONDS
    assert clock.asked() > asked, "the service asks this clock"
    silent.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert silent.recv(20).startswith(b"HTTP/1.1 200"), "who was silent through it all is answered"
    silent.close()


def is_delivered(server: Server, answer: dict[str, Any]) -> bool:
    files = (server.data / "trail/delivered").rglob("*_CloudTrail_*.json.gz")
    request = answer["ResponseMetadata"]["RequestId"].encode()
    return any(request in gzip.decompress(path.read_bytes()) for path in files)


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=str)
def test_deliveries_go_on(jump: timedelta, clock: JumpingClock, server: Server) -> None:
    kms = clients.kms(server)
    for off in (NONE, jump, NONE):
        clock.jump(off)
        # Two, for the first may come to a turn that has begun before the jump.
        for _ in range(2):
            made = kms.create_key()
            eventually(lambda made=made: is_delivered(server, made), "the event is delivered", PROMPT_SECONDS)
        assert get(server, "/healthz").status == 200
    eventually(lambda: digests(server), "a digest")
    server.stop()
    assert_trail(server)


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=str)
def test_the_log_holds_and_every_event_is_found(jump: timedelta, clock: JumpingClock, server: Server) -> None:
    kms, made = clients.kms(server), {}
    for number, off in enumerate((NONE, jump, NONE, jump / 2, -jump, NONE)):
        clock.jump(off)
        if number in (2, 4):
            kms = clients.kms(server.restart())
        for _ in range(3):
            began = clock.now() - timedelta(seconds=1)
            answer = kms.create_key()
            made[answer["KeyMetadata"]["Arn"]] = trail.event_of(server, answer)
            assert began <= time_of(made[answer["KeyMetadata"]["Arn"]]) <= clock.now()
            assert began <= answer["KeyMetadata"]["CreationDate"] <= clock.now()
    trail.assert_chain(server)
    cloudtrail = clients.cloudtrail(server)

    def found(**between: datetime) -> set[str]:
        attribute = [{"AttributeKey": "EventName", "AttributeValue": "CreateKey"}]
        pages = cloudtrail.get_paginator("lookup_events").paginate(LookupAttributes=attribute, **between)
        return {event["EventId"] for page in pages for event in page["Events"]}

    assert found(StartTime=clock.now() - 3 * DAYS, EndTime=clock.now() + 3 * DAYS) >= ids(made.values())
    for off in (jump, NONE, jump / 2, -jump):
        begin, end = clock.now() + off - DAYS / 6, clock.now() + off + DAYS / 6
        expected = ids(event for event in made.values() if begin <= time_of(event) <= end)
        assert found(StartTime=begin, EndTime=end) & ids(made.values()) == expected != set()
    server.stop()
    assert_trail(server)


def ids(events: Any) -> set[str]:
    return {event["eventID"] for event in events}


def test_what_becomes_due_by_a_clock_that_is_ahead_is_done_once_and_stays_done(
    clock: JumpingClock, server: Server
) -> None:
    kms = clients.kms(server)
    deleted, kept, rotated, imported = (
        kms.create_key(Origin=origin)["KeyMetadata"]["KeyId"]
        for origin in ("AWS_KMS", "AWS_KMS", "AWS_KMS", "EXTERNAL")
    )
    import_material(kms, imported, bytes(32), ValidTo=clock.now() + timedelta(days=2))
    kms.schedule_key_deletion(KeyId=deleted, PendingWindowInDays=7)
    kms.schedule_key_deletion(KeyId=kept, PendingWindowInDays=30)
    kms.enable_key_rotation(KeyId=rotated, RotationPeriodInDays=90)
    after_a_turn(server)
    assert [state(kms, key) for key in (deleted, kept, imported)] == ["PendingDeletion", "PendingDeletion", "Enabled"]
    clock.jump(timedelta(days=8))
    eventually(lambda: state(kms, deleted) is None, "the key to be deleted", PROMPT_SECONDS)
    eventually(lambda: state(kms, imported) == "PendingImport", "the material to expire", PROMPT_SECONDS)
    [event] = eventually(lambda: told(server, "DeleteKey", deleted), "its event", PROMPT_SECONDS)
    assert clock.now() - timedelta(minutes=1) < time_of(event) <= clock.now()
    for number, off in enumerate((NONE, timedelta(days=9), NONE)):
        clock.jump(off)
        if number == 1:
            kms = clients.kms(server.restart())
        after_a_turn(server)
        assert [state(kms, key) for key in (deleted, kept, imported)] == [None, "PendingDeletion", "PendingImport"]
        assert len(told(server, "DeleteKey", deleted)) == len(told(server, "DeleteExpiredKeyMaterial", imported)) == 1
        assert told(server, "DeleteKey", kept) == told(server, "RotateKey", rotated) == []
    import_material(kms, imported, bytes(32))
    assert state(kms, imported) == "Enabled", "the same material comes back"
    kms.cancel_key_deletion(KeyId=kept)


def rotations(kms: Any, key: str) -> int:
    return len(kms.list_key_rotations(KeyId=key)["Rotations"])


def test_a_rotation_is_made_once_in_its_period_by_whatever_clock(clock: JumpingClock, server: Server) -> None:
    kms = clients.kms(server)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    for days, expected in ((91, 1), (0, 1), (179, 1), (181, 2), (0, 2)):
        clock.jump(timedelta(days=days))
        if days == 0:
            kms = clients.kms(server.restart())
        if expected > rotations(kms, key):
            eventually(lambda expected=expected: rotations(kms, key) == expected, "a rotation", PROMPT_SECONDS)
        after_a_turn(server)
        assert rotations(kms, key) == len(told(server, "RotateKey", key)) == expected, f"{days} days ahead"
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "across a restart"])
def test_a_clock_that_was_behind_delays_no_deletion(restarted: bool, clock: JumpingClock, server: Server) -> None:
    kms = clients.kms(server)
    key, later = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    due = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["DeletionDate"]
    clock.jump(timedelta(days=-30))
    if restarted:
        kms = clients.kms(server.restart())
    after_a_turn(server)
    # By the clock as it is: it is due while the right clock is 23 days before the schedule.
    early = kms.schedule_key_deletion(KeyId=later, PendingWindowInDays=29)["DeletionDate"]
    assert abs(early - (clock.now() + timedelta(days=29))) < timedelta(days=1)
    clock.jump(NONE)
    after_a_turn(server)
    assert state(kms, key) == "PendingDeletion", "not before its time"
    eventually(lambda: state(kms, later) is None, "a date that has passed is taken as it was told", PROMPT_SECONDS)
    clock.jump(due - clock.now() - timedelta(minutes=1))
    after_a_turn(server)
    assert state(kms, key) == "PendingDeletion", "not before its time"
    clock.jump(clock.off + timedelta(minutes=2))
    eventually(lambda: state(kms, key) is None, "the deletion, when it is due", PROMPT_SECONDS)
    after_a_turn(server)
    assert len(told(server, "DeleteKey", key)) == 1


def test_sessions_and_tokens_end_by_the_clock_as_it_is(clock: JumpingClock, server: Server) -> None:
    made = clients.sts(server).get_session_token(DurationSeconds=900)["Credentials"]
    account = Account("", made["AccessKeyId"], made["SecretAccessKey"], "")
    kms = clients.kms(server)
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    import_token = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )

    def listed() -> str | None:
        asked = sign(server, kms_request("ListKeys"), account=account, token=made["SessionToken"], offset=clock.off)
        return exchange(server, asked).code

    def imports() -> str:
        with pytest.raises(ClientError) as caught:
            kms.import_key_material(
                KeyId=key,
                ImportToken=import_token["ImportToken"],
                EncryptedKeyMaterial=bytes(256),
                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
            )
        return caught.value.response["Error"]["Code"]

    for off, session, token in (
        (NONE, None, "InvalidCiphertextException"),
        (timedelta(minutes=20), "ExpiredTokenException", "InvalidCiphertextException"),
        (timedelta(hours=25), "ExpiredTokenException", "ExpiredImportTokenException"),
        (NONE, None, "InvalidCiphertextException"),
        (-DAYS, None, "InvalidCiphertextException"),
        (timedelta(minutes=14), None, "InvalidCiphertextException"),
        (timedelta(minutes=16), "ExpiredTokenException", "InvalidCiphertextException"),
    ):
        clock.jump(off)
        assert (listed(), imports()) == (session, token), f"{off} ahead"


def test_quotas_come_back_when_a_clock_is_taken_back(clock: JumpingClock, tmp_path: Path) -> None:
    """Of calls and of look-ups, which are counted by the second."""
    server = server_with(clock, tmp_path, SMALL_QUOTAS).start()
    kms, cloudtrail = clients.kms(server), clients.cloudtrail(server)
    for off in (NONE, DAYS, NONE, -DAYS, NONE):
        clock.jump(off)
        for _ in range(2):
            eventually(lambda: is_admitted(kms), "room in the quota", PROMPT_SECONDS)
            cloudtrail.lookup_events(MaxResults=1)
    server.stop()


def is_admitted(kms: Any) -> bool:
    try:
        kms.create_key()
        return True
    except kms.exceptions.ClientError as refusal:
        assert refusal.response["Error"]["Code"] == "ThrottlingException"
        return False
