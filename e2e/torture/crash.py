"""One crash: the folder that it leaves, and whether the service makes of it what it must.

The binary starts on the folder. Over its API everything is looked at and held against what clients were told;
ciphertexts and access keys are used; the trail is verified and has what was answered; and the folder takes another
write of each kind.
"""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients, trail
from harness.polling import eventually
from harness.raw import Request, exchange, sign
from harness.seed import EUROPE, ONE, SEEDED_ALIAS, SEEDED_KEY, Account
from harness.server import EXIT_OK, StartFailed, run_tool
from torture.disk import Disk
from torture.history import Finding, State, Step, Verdict, judge
from torture.recorder import Entry, Recorder, entries
from torture.recording import DiskServer, Recording, is_sound_refusal, make_fault
from torture.workers import owner
from torture.workers.keys import ReplicaWorker, key_id, names
from torture.workers.objects import ObjectWorker, s3
from torture.workers.users import UserWorker
from torture.workers.worker import Proof
WHO_AM_I = Request(
    headers={"Content-Type": "application/x-www-form-urlencoded"},
    body=b"Action=GetCallerIdentity&Version=2011-06-15",
)
# About as many calls change the disk while a service starts for the first time.
CALLS_OF_A_START = 150
# What a start says if the run before it did not end in order.
TOLD = "the last run did not end in order"


class Manner(Enum):
    """How it ends."""

    KILL = "kill"
    POWER_CUT = "power cut"
    # A power cut, and another one while the service starts on what the first has left.
    TWO_POWER_CUTS = "two power cuts"
    # A power cut, and a start on a disk that fails; then a kill or another power cut.
    FAILING_START = "power cut and failing start"


@dataclass(frozen=True)
class Crash:
    """A crash of a recording: after so many of its calls. The seed decides what is left."""

    after: int
    manner: Manner
    seed: int

    def __str__(self) -> str:
        return f"{self.manner.value} after call {self.after}, seed {self.seed}"


def choose(recording: Recording, count: int, luck: random.Random) -> Iterator[Crash]:
    """So many crashes, spread over starts, waves and ends: each stage has its share, whatever it writes."""
    calls = recording.entries()
    ends = [0, *(entry.end for entry in calls)]
    stages = [stage for stage in recording.stages if stage.end > stage.begin]
    weights = [6 if " wave " not in stage.name else 1 for stage in stages]
    for stage in luck.choices(stages, weights, k=count):
        # By a share, so that a recording with some calls more or less gets the same crashes.
        share = luck.random()
        within = [number for number, end in enumerate(ends) if stage.begin <= end <= stage.end]
        manner = luck.choices(tuple(Manner), (3, 4, 2, 2))[0]
        yield Crash(within[int(share * len(within))], manner, luck.randrange(1 << 32))


class Replay:
    """The disk of a recording, brought to one point after the other."""

    def __init__(self, recording: Recording):
        self._calls = recording.entries()
        self._disk = Disk(recording.root, recording.seed)
        self._done = 0

    def position(self, crash: Crash) -> int:
        """How long the journal was at the crash."""
        return self._calls[crash.after - 1].end if crash.after else 0

    def leave(self, crash: Crash, target: Path) -> None:
        """Writes what the crash leaves. Crashes must come in the order of their points."""
        assert crash.after >= self._done
        for entry in self._calls[self._done : crash.after]:
            self._disk.apply(entry)
        self._done = crash.after
        luck = random.Random(crash.seed)
        if crash.manner is Manner.KILL:
            self._disk.after_kill(target, self._next(), luck)
        else:
            self._disk.after_power_cut(target, luck)

    def _next(self) -> Entry | None:
        return self._calls[self._done] if self._done < len(self._calls) else None


class SecondCrash:
    """The service starts on the disk of this place, which may fail, and ends on the way or soon after."""

    def __init__(self, place: Path, luck: random.Random, *, failing: bool):
        self._place = place
        self._luck = luck
        self._failing = failing
        self.findings: list[Finding] = []
        # The calls that were made to fail, by kind.
        self.failed: Counter[str] = Counter()

    def run(self) -> None:
        """Leaves on the disk what the crash does."""
        disk = Disk.holding(self._place / "disk", self._luck.randrange(1 << 32))
        recorder = Recorder(self._place / "disk", self._place)
        if self._failing:
            recorder.fail(make_fault(self._luck, CALLS_OF_A_START))
        self._start(DiskServer(self._place, recorder.environment))
        calls = list(entries(recorder.journal.read_bytes()))
        self.failed.update(call.kind.name.lower() for call in calls if call.error)
        if self._failing and self._luck.random() < 0.5:
            # A kill: what is there stays.
            return
        # A start that failed ends with the power as well, and one that did not is cut off anywhere.
        for entry in calls[: len(calls) if self._failing else self._luck.randint(0, len(calls))]:
            disk.apply(entry)
        shutil.rmtree(self._place / "disk")
        disk.after_power_cut(self._place / "disk", self._luck)

    def _start(self, server: DiskServer) -> None:
        try:
            server.start()
            server.kill()
        except StartFailed as failure:
            server.process = None
            if not (self._failing and is_sound_refusal(failure)):
                self.findings.append(Finding(Verdict.UNEXPLAINED, f"the first start behind the crash: {failure}"))


class Check:
    """What is found on a folder after a crash, held against a recording up to this position of its journal."""

    def __init__(self, recording: Recording, position: int, place: Path):
        self.recording = recording
        self.position = position
        self.server = DiskServer(place)
        self.findings: list[Finding] = []

    def run(self) -> list[Finding]:
        """Everything that is wrong."""
        was_in_use, remarks = (self.server.data / "in-use").exists(), remarks_due(self.server.data)
        try:
            self.server.start()
        except (StartFailed, AssertionError) as failure:
            self._end_forcibly()
            return [Finding(Verdict.UNEXPLAINED, f"it does not start: {failure}")]
        if was_in_use != (TOLD in self.server.output):
            self._find(Verdict.UNEXPLAINED, f"it does not tell of the crash, or tells of none: {self.server.output}")
        for remark in remarks:
            if remark not in self.server.output:
                self._find(Verdict.UNEXPLAINED, f"it does not tell that {remark}: {self.server.output}")
        try:
            self._look()
        except (ClientError, BotoCoreError) as failure:
            self._find(Verdict.UNEXPLAINED, f"a call failed: {failure!r}")
        finally:
            self._stop()
        self._verify_trail()
        self._look_for_remains()
        return self.findings

    def _look(self) -> None:
        found = look_at_everything(self.server)
        by_owner: dict[str, State] = {}
        for fact, value in found.items():
            by_owner.setdefault(owner(fact), {})[fact] = value
        for name in self.recording.steps.keys() | by_owner.keys():
            self.findings += judge(self.recording.steps.get(name, []), self.position, by_owner.get(name, {}))
        self._check_seed()
        self._check_events_of_keys(found)
        self._use(found)
        self._write()

    def _check_seed(self) -> None:
        alias = clients.kms(self.server).describe_key(KeyId=SEEDED_ALIAS)["KeyMetadata"]
        if alias["KeyId"] != SEEDED_KEY:
            self._find(Verdict.UNEXPLAINED, f"the seeded alias means {alias['KeyId']}")

    def _check_events_of_keys(self, found: State) -> None:
        """A key that is there has the event that made it, though nobody was told of it: once, and soon."""
        arns = {ONE.key_arn(key_id(self.server, name)) for name in names(found)}

        def missing() -> set[str]:
            made = [event for event in trail.events(self.server, eventName="CreateKey") if "errorCode" not in event]
            return arns - {resource["ARN"] for event in made for resource in event["resources"]}

        try:
            eventually(lambda: not missing(), "each key has its event", 5)
        except AssertionError:
            self._find(Verdict.LOST, f"no event tells that these keys were made: {missing()}")

    def _use(self, found: State) -> None:
        """What answers gave works: ciphertexts open, access keys open the door."""
        for proof in self._proofs():
            if proof.kind == "access key":
                self._use_access_key(proof)
            elif ("key", proof.of, "state") in found:
                self._decrypt(proof, found)

    def _proofs(self) -> Iterator[Proof]:
        return (proof for proof in self.recording.proofs if proof.end <= self.position)

    def _use_access_key(self, proof: Proof) -> None:
        access_key, secret = proof.what
        account = Account(ONE.id, access_key, secret, proof.of)
        # By hand: a client of its own for each would take longer than everything else.
        answer = exchange(self.server, sign(self.server, WHO_AM_I, account=account, service="sts"))
        if answer.status != 200 or account.user_arn.encode() not in answer.body:
            self._find(Verdict.LOST, f"the access key {access_key} of {proof.of} is refused: {answer}")

    def _decrypt(self, proof: Proof, found: State) -> None:
        """Keys that are not in use are made usable first: this is a write, too."""
        kms, state = clients.kms(self.server), found[("key", proof.of, "state")]
        key = key_id(self.server, proof.of)
        if state == "PendingImport":
            return
        if state == "PendingDeletion":
            kms.cancel_key_deletion(KeyId=key)
        if state != "Enabled":
            kms.enable_key(KeyId=key)
            found[("key", proof.of, "state")] = "Enabled"
        blob, plaintext = proof.what
        try:
            opened = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
        except ClientError as refused:
            self._find(Verdict.TORN, f"a ciphertext of {proof.of} does not open: {refused}")
            return
        if opened != plaintext:
            self._find(Verdict.TORN, f"a ciphertext of {proof.of} opens as {opened!r} in place of {plaintext!r}")

    def _write(self) -> None:
        """The folder goes on taking writes."""
        kms = clients.kms(self.server)
        key = kms.create_key(Description="after the crash")["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=key, Plaintext=b"after")["CiphertextBlob"]
        if kms.decrypt(CiphertextBlob=blob)["Plaintext"] != b"after":
            self._find(Verdict.UNEXPLAINED, "a new key does not open what it has encrypted")
        clients.iam(self.server).create_user(UserName="after-the-crash")
        place = {"LocationConstraint": EUROPE}
        s3(self.server).create_bucket(Bucket="after-the-crash", CreateBucketConfiguration=place)
        s3(self.server).put_object(Bucket="after-the-crash", Key="k", Body=b"after")
        if s3(self.server).get_object(Bucket="after-the-crash", Key="k")["Body"].read() != b"after":
            self._find(Verdict.UNEXPLAINED, "a new object is not what was put")

    def _stop(self) -> None:
        try:
            self.server.stop()
        except AssertionError as failure:
            self._find(Verdict.UNEXPLAINED, f"it does not end well: {failure}")

    def _end_forcibly(self) -> None:
        if self.server.process is not None:
            self.server.take_process().kill()

    def _verify_trail(self) -> None:
        done = run_tool("trail", "verify", "--data-dir", str(self.server.data), folder=self.server.folder)
        if done.returncode != EXIT_OK:
            self._find(Verdict.UNEXPLAINED, f"trail verify: {done.returncode} {done.stdout} {done.stderr}")
        events = trail.events(self.server)
        ids = [event["eventID"] for event in events]
        if len(set(ids)) < len(ids):
            self._find(Verdict.UNEXPLAINED, "an event is in the log twice")
        logged = {event.get("requestID") for event in events}
        for step in self._logged_steps():
            if step.request not in logged:
                self._find(Verdict.LOST, f"{step.call} was answered and is not in the log: {step.request}")

    def _look_for_remains(self) -> None:
        """Nothing half written stays for good, least of all a copy of the root."""
        remains = [path for path in self.server.data.rglob("*") if path.suffix == ".new" or path.name == "in-use"]
        if remains:
            self._find(Verdict.TORN, f"left behind: {', '.join(map(str, remains))}")

    def _logged_steps(self) -> Iterator[Step]:
        for steps in self.recording.steps.values():
            yield from (step for step in steps if step.request is not None and step.end <= self.position)

    def _find(self, verdict: Verdict, text: str) -> None:
        self.findings.append(Finding(verdict, text))


def remarks_due(data: Path) -> list[str]:
    """What a start must say of that which a crash left unfinished in this folder."""
    remarks = []
    if any((data / "objects/new").glob("*")):
        remarks.append("contents of objects unfinished")
    segments = sorted((data / "trail/log").glob("*.jsonl"))
    written, zero, behind = segments[-1].read_bytes().partition(b"\0") if segments else (b"", b"", b"")
    begun = written.rpartition(b"\n")[2]
    if b"\n" in behind:
        remarks.append("the audit log goes on before lines")
    elif begun:
        remarks.append("a line of the audit log unfinished")
    return remarks


def look_at_everything(server: DiskServer) -> State:
    """The facts of everything that workers have made."""
    found: State = {}
    for look in (ReplicaWorker.look, UserWorker.look, ObjectWorker.look):
        found |= look(server, "")
    return found


