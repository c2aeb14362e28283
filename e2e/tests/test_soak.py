"""A short run of `make soak`, and that each kind of check tells of an answer that is wrong.

Sources: those of the tests of each operation; CONTRIBUTING.md, "Soak", on what is checked.
"""

import json
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import trail
from harness.histories import UNANSWERED, Call, is_linearizable
from harness.models import grants, key_state, register
from harness.server import Server
from soak.__main__ import Outcome, soak, summary
from soak.asking import Answer, Asking, Unanswered, judged, no_answer
from soak.clients.client import Client, World, administrator
from soak.clients.encryption import EncryptionClient
from soak.clients.events import EventClient
from soak.clients.imports import ImportClient
from soak.clients.key_pairs import KeyPairClient
from soak.clients.objects import ObjectClient
from soak.clients.permissions import GrantClient, RoleClient, UserClient
from soak.clients.rememberers import Rememberer
from soak.clients.shared import (
    SharedAlias, SharedClient, SharedDescription, SharedGrants, SharedObject, SharedPolicy, SharedState, SharedTags,
    SharedUser,
)  # fmt: skip
from soak.endpoint import Endpoint
from soak.ledger import Answered, Ledger, Wrong, answers
from soak.service import ACCOUNTS, MEMORY_MAX_KIB, SEED_FORM, Sample, Service, too_much
from soak.trail import Others, differences, verified
from torture.workers import KeyWorker

SEED = 20_261_128
SECONDS = 20
# A lie is found within so many steps.
STEPS_MAX = 600


@pytest.mark.timeout(300)
def test_a_short_soak_finds_nothing_wrong(tmp_path: Path, report: Callable[[str], None]) -> None:
    outcome = soak(SEED, SECONDS, tmp_path)
    assert outcome.wrong == []
    assert len(outcome.ends) >= 3 and outcome.backups
    services = {name.partition(":")[0] for name in outcome.calls}
    assert services == {"kms", "iam", "sts", "s3", "cloudtrail"}
    report(summary(outcome).splitlines()[-1])


# A service, and clients that are lied to.


class Lying:
    """Asks another, and changes the answers of one operation."""

    def __init__(self, asking: Asking, operation: str, lie: Callable[[Answer], Answer]):
        self._asking, self._operation, self._lie = asking, operation, lie

    def ask(self, caller: Any, service: str, operation: str, parameters: dict[str, Any], region: str) -> Answer:
        answer = self._asking.ask(caller, service, operation, parameters, region)
        return self._lie(answer) if operation == self._operation else answer


def tells(name: str, change: Callable[[Any], Any]) -> Callable[[Answer], Answer]:
    """A lie about one member of answers that succeeded."""

    def lie(answer: Answer) -> Answer:
        if answer.code is not None or name not in answer.told:
            return answer
        return replace(answer, told=answer.told | {name: change(answer.told[name])})

    return lie


def refuses(code: str) -> Callable[[Answer], Answer]:
    """A refusal in the place of success."""
    return lambda answer: replace(answer, code=code) if answer.code is None else answer


def instead(old: str, new: str | None) -> Callable[[Answer], Answer]:
    """Another code, or success, in the place of a refusal."""
    return lambda answer: replace(answer, code=new) if answer.code == old else answer


def other(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:] if content else b"x"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("soak")
    server = Server(folder, seed=SEED_FORM, arguments=("--tls-development",), scheme="https").start()
    endpoint = Endpoint(server.port, "https")
    endpoint.up.set()
    ledger = Ledger(folder, "0")
    yield World(endpoint, ledger, tuple(administrator(account) for account in ACCOUNTS))
    ledger.close()
    server.close()


NUMBERS = iter(range(1_000))


def made(kind: Callable[..., Client], world: World) -> Client:
    """A client of this kind with names of its own. The one before it, which may have looked up events, has another
    account."""
    number = next(NUMBERS)
    return kind(f"c{number}", SEED, world, world.accounts[1 + number % 3])


LIES: list[tuple[Callable[..., Client], str, Callable[[Answer], Answer]]] = [
    (EncryptionClient, "Decrypt", tells("Plaintext", other)),
    (EncryptionClient, "Decrypt", tells("KeyId", lambda arn: arn[:-1] + "x")),
    (EncryptionClient, "Decrypt", instead("InvalidCiphertextException", "IncorrectKeyException")),
    (EncryptionClient, "Encrypt", instead("DisabledException", None)),
    (EncryptionClient, "Encrypt", refuses("ThrottlingException")),
    (EncryptionClient, "ReEncrypt", tells("SourceKeyId", lambda _: "another")),
    (EncryptionClient, "GenerateDataKey", tells("Plaintext", lambda key: key + b"x")),
    (EncryptionClient, "GenerateDataKeyPair", tells("PublicKey", other)),
    (EncryptionClient, "ListKeyRotations", tells("Rotations", lambda rotations: rotations[1:])),
    (EncryptionClient, "ListResourceTags", tells("Tags", lambda tags: tags[1:])),
    (EncryptionClient, "DescribeKey", tells("KeyMetadata", lambda key: key | {"Description": "another"})),
    (KeyPairClient, "Sign", tells("Signature", lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]))),
    (KeyPairClient, "Verify", instead("KMSInvalidSignatureException", None)),
    (KeyPairClient, "DeriveSharedSecret", tells("SharedSecret", other)),
    (KeyPairClient, "GenerateMac", tells("Mac", lambda mac: mac[1:])),
    (KeyPairClient, "Decapsulate", tells("SharedSecret", other)),
    (ImportClient, "GenerateMac", tells("Mac", other)),
    (ImportClient, "ImportKeyMaterial", instead("IncorrectKeyMaterialException", None)),
    (ImportClient, "DescribeKey", tells("KeyMetadata", lambda key: key | {"KeyState": "Disabled"})),
    (GrantClient, "Encrypt", instead("AccessDeniedException", None)),
    (GrantClient, "ListGrants", tells("Grants", lambda grants: grants[1:])),
    (UserClient, "Encrypt", instead("AccessDeniedException", None)),
    (UserClient, "GenerateDataKey", refuses("AccessDeniedException")),
    (RoleClient, "AssumeRole", instead("AccessDenied", None)),
    (RoleClient, "Encrypt", instead("AccessDeniedException", None)),
    (RoleClient, "GetCallerIdentity", tells("Arn", lambda _: "another")),
    (ObjectClient, "GetObject", tells("Body", other)),
    (ObjectClient, "GetObject", instead("KMS.DisabledException", None)),
    (ObjectClient, "GetObject", tells("ServerSideEncryption", lambda _: None)),
    (ObjectClient, "ListObjectVersions", tells("Versions", lambda versions: versions[1:])),
    (EventClient, "LookupEvents", tells("Events", lambda events: events[:-1])),
    (EventClient, "LookupEvents", tells("Events", lambda events: events[::-1])),
]


@pytest.mark.parametrize(("kind", "operation", "lie"), LIES, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_client_tells_of_a_lie(
    world: World, kind: Callable[..., Client], operation: str, lie: Callable[[Answer], Answer]
) -> None:
    client = made(kind, world)
    client.asking = Lying(client.asking, operation, lie)
    with pytest.raises(Wrong):
        for _ in range(STEPS_MAX):
            client.step()


@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in LIES}, key=lambda kind: kind.__name__))
def test_a_client_that_is_not_lied_to_tells_of_nothing(world: World, kind: Callable[..., Client]) -> None:
    client = made(kind, world)
    for _ in range(60):
        client.step()


SHARED_LIES: list[tuple[type[SharedClient], str, Callable[[Answer], Answer]]] = [
    (SharedState, "DescribeKey", tells("KeyMetadata", lambda key: key | {"KeyState": "Enabled"})),
    (SharedAlias, "Encrypt", tells("KeyId", lambda _: "another")),
    (SharedPolicy, "Encrypt", instead("AccessDeniedException", None)),
    (SharedDescription, "DescribeKey", tells("KeyMetadata", lambda key: key | {"Description": "first"})),
    (SharedTags, "ListResourceTags", tells("Tags", lambda tags: tags[1:])),
    (SharedGrants, "ListGrants", tells("Grants", lambda grants: grants[1:])),
    (SharedObject, "GetObject", tells("Body", other)),
    (SharedUser, "Encrypt", instead("AccessDeniedException", None)),
]


@pytest.mark.parametrize(("kind", "operation", "lie"), SHARED_LIES, ids=lambda one: getattr(one, "__name__", "lie"))
def test_a_window_in_which_one_client_is_lied_to_is_told(
    world: World, kind: type[SharedClient], operation: str, lie: Callable[[Answer], Answer]
) -> None:
    shared = made(kind, world)
    assert isinstance(shared, SharedClient)
    for _ in range(2):
        shared.step()
    # Where most calls overlap changes, only what is seen between windows must be one thing.
    victim = shared if kind is SharedUser else shared.group[0]
    victim.asking = Lying(victim.asking, operation, lie)
    with pytest.raises(Wrong, match="linearizable"):
        for _ in range(20):
            shared.step()


def test_what_was_not_answered_is_done_or_not() -> None:
    cut_off = Call(0, 2.5, ("switch", "Disable"), UNANSWERED)
    for state, is_possible in (("Enabled", True), ("Disabled", True), ("PendingDeletion", False)):
        calls = [cut_off, Call(1, 2, ("get", None), state)]
        assert is_linearizable(calls, key_state, "Enabled") is is_possible
    seen = [Call(1, 2, ("get", None), "Disabled"), Call(3, 4, ("get", None), "Enabled")]
    assert not is_linearizable([cut_off, *seen], key_state, "Enabled"), "it is not undone"
    late = [Call(3, 4, ("get", None), "Enabled"), Call(5, 6, ("get", None), "Disabled")]
    assert not is_linearizable([cut_off, *late], key_state, "Enabled"), "nor is it done after its end"


def test_knowing_what_only_reads_changes_no_verdict() -> None:
    luck, verdicts = random.Random(SEED), set()
    for _ in range(300):
        calls = []
        for _ in range(7):
            begin = luck.random()
            asked = luck.choice((("put", luck.choice("xy")), ("get", None)))
            answered = "done" if asked[0] == "put" else luck.choice("xy")
            calls.append(Call(begin, begin + luck.random() / 2, asked, answered))
        plain = is_linearizable(calls, register, "x")
        assert is_linearizable(calls, register, "x", lambda asked: asked[0] == "get") is plain
        verdicts.add(plain)
    assert verdicts == {True, False}
    assert grants(frozenset(), ("revoke", "g"), "done") is None


def test_a_look_that_finds_something_else_is_told(world: World) -> None:
    worker = KeyWorker("looked", SEED)
    client = Rememberer("looked", SEED, world, world.accounts[0], worker)
    for _ in range(100):
        client.step()
    worker.look = lambda server, prefix: {("key", "looked-1", "state"): "Gone"}
    with pytest.raises(Wrong, match="a look at all that it has"):
        for _ in range(60):
            client.step()


# Answers that nobody may get, and none at all.


def test_no_answer_is_wrong_but_while_the_service_is_away(tmp_path: Path) -> None:
    endpoint, ledger = Endpoint(1, "http"), Ledger(tmp_path, "0")
    endpoint.is_back()
    assert isinstance(no_answer(endpoint, ledger, 0.0, "kms:Encrypt", TimeoutError()), Wrong)
    error = {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"RequestId": "r"}}
    with pytest.raises(Wrong, match="no 5xx"):
        judged(endpoint, ledger, 0.0, "kms", "Encrypt", 500, error)
    with pytest.raises(Wrong, match="request id"):
        judged(endpoint, ledger, 0.0, "kms", "Encrypt", 200, {"ResponseMetadata": {}})
    endpoint.goes_away()
    assert isinstance(no_answer(endpoint, ledger, 0.0, "kms:Encrypt", ConnectionError()), Unanswered)
    with pytest.raises(Unanswered):
        judged(endpoint, ledger, 0.0, "kms", "Encrypt", 503, error)
    assert (ledger.unanswered, ledger.counted["kms:Encrypt"]) == (2, 2)


# The service and what it leaves.


@pytest.fixture
def ended(fresh_server: Server) -> tuple[Server, list[Answered]]:
    """A server that has ended, and what was answered before."""
    ledger = Ledger(fresh_server.folder, "0")
    endpoint = Endpoint(fresh_server.port, "http")
    endpoint.up.set()
    world = World(endpoint, ledger, tuple(administrator(account) for account in ACCOUNTS[:2]))
    client = EncryptionClient("trail", SEED, world, world.accounts[0])
    for _ in range(30):
        client.step()
    ledger.close()
    fresh_server.stop()
    return fresh_server, answers(fresh_server.folder)


def test_a_trail_that_does_not_tell_what_clients_were_told_is_told(ended: tuple[Server, list[Answered]]) -> None:
    server, told = ended
    nobody = Others(0, {})
    assert differences(server, told, nobody) == [] == verified(server)
    made_up = Answered("made-up", "kms", "Encrypt", None)
    [missing] = differences(server, [*told, made_up], nobody)
    assert "has no event" in missing
    [otherwise] = differences(server, [replace(told[0], code="DisabledException"), *told[1:]], nobody)
    assert "tells otherwise" in otherwise
    [stray] = differences(server, told[1:], nobody)
    assert "nobody was answered" in stray
    assert differences(server, told[1:], Others(1, {})) == []
    assert differences(server, told[1:], Others(0, {told[0].operation: 1})) == []
    [less] = differences(server, told, Others(0, {"CreateBackup": 1}))
    assert "0 events of CreateBackup, 1 expected" in less
    [segment] = trail.segments(server)
    segment.write_bytes(segment.read_bytes().replace(b'"eventVersion":"1.11"', b'"eventVersion":"1.12"', 1))
    assert verified(server)


def test_an_event_that_is_there_twice_is_told(ended: tuple[Server, list[Answered]]) -> None:
    server, told = ended
    [segment] = trail.segments(server)
    content = segment.read_bytes()
    twice = next(line for line in content.splitlines(keepends=True) if told[0].request.encode() in line)
    segment.write_bytes(content + twice)
    [found] = differences(server, told, Others(0, {}))
    assert "has several events" in found
    assert json.loads(twice)["event"]["requestID"] == told[0].request


def test_too_much_memory_is_told() -> None:
    assert too_much([Sample(0, MEMORY_MAX_KIB)]) == []
    assert len(too_much([Sample(0, 1), Sample(1, MEMORY_MAX_KIB + 1), Sample(2, MEMORY_MAX_KIB + 2)])) == 1


def test_a_service_that_ends_otherwise_is_told(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.begin()
    service.back_up()
    assert len(service.backups) == 1 and service.wrong == []
    service.server.process.kill()
    service.server.process.wait()
    service.run(10, random.Random(SEED))
    assert [text.splitlines()[0] for text in service.wrong] == ["the service ended by itself"]
    service.server.take_process()
    service.start()
    service.end_with(signal.SIGTERM, 3)
    assert service.wrong[1].startswith("exit code 0 after SIGTERM, 3 was expected")
    service._blob = service._blob[:-1] + bytes([service._blob[-1] ^ 1])
    service.finish()
    assert "does not decrypt" in service.wrong[2]
    service.backups[0][0].write_bytes(b"none")
    service.finish()
    assert "cannot be restored" in service.wrong[3]


def test_the_last_line_counts_what_is_wrong() -> None:
    outcome = Outcome(7, 20)
    outcome.calls["kms:Encrypt"] = 3
    assert summary(outcome).splitlines()[-1] == "soak: 3 calls in 20 s, 0 wrong"
    outcome.wrong.append("Encrypt: asked x, answered y, expected z")
    lines = summary(outcome).splitlines()
    assert lines[-1] == "soak: 3 calls in 20 s, 1 wrong"
    assert "wrong: Encrypt: asked x, answered y, expected z" in lines
    assert "again: make soak SECONDS=20 SEED=7" in lines


