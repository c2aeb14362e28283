"""A short run of `make torture`, and that it finds what it is for: losses, torn states, answers that nothing explains.

Source: fsync(2), rename(2) and POSIX on what a sync promises; CONTRIBUTING.md, "Torture", on the model of the disk.
"""

import errno
import filecmp
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.polling import eventually
from harness.raw import get
from harness.seed import AMERICA
from torture.__main__ import run, scratch
from torture.crash import TOLD, Check, Crash, Manner, choose, remarks_due
from torture.disk import SECTOR, Disk
from torture.history import Broken, Outcome, State, Step, Verdict, judge
from torture.luck import Least, Strict
from torture.recorder import Entry, Fault, Kind, Recorder, Slowness, entries
from torture.recorder import Manner as FaultManner
from torture.recording import DiskServer, Life, Recording, record
from torture.workers.worker import Call, Worker

SEED = 20_141_103
CRASHES = 20
NAME = ("key", "k-1", "tags")


@pytest.fixture(scope="module")
def place() -> Path:
    """A folder in memory."""
    with scratch() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def recording(place: Path) -> Recording:
    """Two lives: one that is killed, and one that ends in order."""
    (place / "recording").mkdir()
    made = record(SEED, [Life(9, killed=True), Life(6, killed=False)], place / "recording")
    assert made.findings == []
    return made


@pytest.fixture
def end(recording: Recording) -> Crash:
    """A power cut behind everything, which leaves what is safe."""
    return Crash(len(recording.entries()), Manner.POWER_CUT, 0)


@pytest.fixture
def image(recording: Recording, end: Crash, place: Path) -> Path:
    """What is safe at the end, on a disk of its own."""
    shutil.rmtree(place / "image", ignore_errors=True)
    (place / "image").mkdir()
    after(recording, end.after).after_power_cut(place / "image" / "disk", Least())
    return place / "image"


def after(recording: Recording, calls: int, disk: Disk | None = None) -> Disk:
    """The disk after so many calls."""
    disk = disk or Disk(recording.root)
    for entry in recording.entries()[:calls]:
        disk.apply(entry)
    return disk


def verdicts(recording: Recording, place: Path, position: int | None = None) -> set[Verdict]:
    """What a check finds on the disk of this place."""
    position = len(recording.journal) if position is None else position
    return {finding.verdict for finding in Check(recording, position, place).run()}


@pytest.mark.timeout(240)
def test_crashes_lose_nothing_and_leave_nothing_half_done(report: Callable[[str], None]) -> None:
    tally = run(SEED, CRASHES, each=10)
    assert tally.texts == []
    assert tally.crashes == CRASHES and tally.manners.keys() == {manner.value for manner in Manner}
    report(f"{tally.crashes} crashes, {tally.answered} answered calls: all there")


@pytest.mark.parametrize("luck", [Least, Strict])
def test_what_is_safe_is_everything(luck: type[Least], recording: Recording, place: Path) -> None:
    """The worst that can be left when all was answered, with a journal of the file system and without one."""
    folder = place / luck.__name__
    folder.mkdir()
    after(recording, len(recording.entries())).after_power_cut(folder / "disk", luck())
    assert verdicts(recording, folder) == set()


def test_a_folder_rebuilt_from_the_journal_is_the_folder(recording: Recording, place: Path) -> None:
    after(recording, len(recording.entries())).as_seen(place / "rebuilt")
    compared = filecmp.dircmp(recording.root, place / "rebuilt", ignore=[])
    assert_equal(compared)
    assert (place / "rebuilt/data/keywright.redb").exists()


def assert_equal(compared: filecmp.dircmp) -> None:
    assert compared.left_only == compared.right_only == compared.funny_files == []
    _, different, unread = filecmp.cmpfiles(compared.left, compared.right, compared.common_files, shallow=False)
    assert different == unread == []
    for below in compared.subdirs.values():
        assert_equal(below)


def test_crashes_of_a_seed_are_the_same_each_time(recording: Recording) -> None:
    chosen = [list(choose(recording, 10, random.Random(seed))) for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


# What is planted is found.


class LyingDisk(Disk):
    """A disk that says that it has synced, and has not."""

    def __init__(self, root: Path, honest: int):
        super().__init__(root)
        self.honest = honest

    def _sync(self, entry: Entry) -> None:
        if entry.end <= self.honest:
            super()._sync(entry)


def test_a_lost_write_is_found(recording: Recording, place: Path) -> None:
    """Syncs of the last waves do nothing."""
    honest = next(stage.end for stage in recording.stages if stage.name == "life 0 wave 5")
    shutil.rmtree(place / "lying", ignore_errors=True)
    (place / "lying").mkdir()
    disk = after(recording, len(recording.entries()), LyingDisk(recording.root, honest))
    disk.after_power_cut(place / "lying" / "disk", Least())
    assert Verdict.LOST in verdicts(recording, place / "lying")


def test_an_answer_too_early_is_found(recording: Recording, place: Path) -> None:
    """The folder is that of some calls before the point for which it is checked."""
    early = next(stage.begin for stage in recording.stages if stage.name == "life 1 wave 2")
    calls = sum(entry.end <= early for entry in recording.entries())
    shutil.rmtree(place / "early", ignore_errors=True)
    (place / "early").mkdir()
    after(recording, calls).as_seen(place / "early" / "disk")
    assert Verdict.LOST in verdicts(recording, place / "early")
    shutil.rmtree(place / "early" / "disk")
    after(recording, calls).as_seen(place / "early" / "disk")
    assert verdicts(recording, place / "early", early) == set()


SLOW = Slowness(2, 100, frozenset({Kind.SYNC}), SEED)


def test_a_slow_disk_is_waited_for(place: Path) -> None:
    """Whatever is answered is safe, though every other sync takes long; who does not wait for them is found."""
    for name, settings, expected in (
        ("slow", {}, set()),
        ("hasty", {"KEYWRIGHT_TRAIL_SYNC_INTERVAL_MILLISECONDS": "2000"}, {Verdict.LOST}),
    ):
        (place / name).mkdir()
        made = record(SEED, [Life(6, killed=True, slowness=SLOW)], place / name, environment=settings)
        assert made.findings == [] and made.held_up > 20
        (place / f"{name}-left").mkdir()
        # Behind the last answer, while syncs are under way.
        answered = max(step.end for steps in made.steps.values() for step in steps if step.end <= len(made.journal))
        calls = sum(entry.end <= answered for entry in made.entries())
        after(made, calls).after_power_cut(place / f"{name}-left" / "disk", Least())
        assert verdicts(made, place / f"{name}-left", answered) == expected


def test_half_an_object_is_found(recording: Recording, image: Path) -> None:
    blobs = [path for path in (image / "disk/data/objects").rglob("*") if path.is_file()]
    blob = max(blobs, key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[: blob.stat().st_size // 2])
    assert verdicts(recording, image) == {Verdict.TORN}


def test_a_ciphertext_that_opens_as_something_else_is_found(recording: Recording, image: Path) -> None:
    wrong = [replace(proof, what=(proof.what[0], b"other")) for proof in recording.proofs if proof.kind == "ciphertext"]
    assert verdicts(replace(recording, proofs=wrong), image) == {Verdict.TORN}


def test_an_access_key_that_opens_no_door_is_found(recording: Recording, image: Path) -> None:
    keys = [proof for proof in recording.proofs if proof.kind == "access key"]
    wrong = [replace(proof, what=(proof.what[0], "x" * 40)) for proof in keys]
    assert wrong and verdicts(replace(recording, proofs=wrong), image) == {Verdict.LOST}


def test_what_nobody_did_is_found(recording: Recording, image: Path) -> None:
    others = {name: steps for name, steps in recording.steps.items() if name != "keys1"}
    assert verdicts(replace(recording, steps=others), image) == {Verdict.UNEXPLAINED}


def test_a_call_that_is_not_in_the_log_is_found(recording: Recording, image: Path) -> None:
    changed = dict(recording.steps)
    changed["users"] = [replace(step, request=step.request and "another") for step in changed["users"]]
    assert verdicts(replace(recording, steps=changed), image) == {Verdict.LOST}


def test_a_changed_log_is_found(recording: Recording, image: Path) -> None:
    [*_, log] = sorted((image / "disk/data/trail/log").glob("*.jsonl"))
    first, rest = log.read_bytes().split(b"\n", 1)
    log.write_bytes(first.replace(b'"eventVersion"', b'"eventversion"') + b"\n" + rest)
    assert Verdict.UNEXPLAINED in verdicts(recording, image)


def test_a_store_that_does_not_open_is_found(recording: Recording, image: Path) -> None:
    (image / "disk/data/keywright.redb").write_bytes(bytes(1_056_768))
    assert verdicts(recording, image) == {Verdict.UNEXPLAINED}


def test_what_is_left_behind_is_found_and_a_copy_of_the_root_is_removed(recording: Recording, image: Path) -> None:
    copy = image / "disk/data/.root-0123456789abcdef.new"
    shutil.copy(image / "disk/data/root.json", copy)
    assert verdicts(recording, image) == set()
    assert not copy.exists()


def test_something_unfinished_in_the_folder_is_found(recording: Recording, image: Path) -> None:
    (image / "disk/data/something.new").touch()
    assert verdicts(recording, image) == {Verdict.TORN}


def test_a_start_tells_what_a_crash_left_unfinished(recording: Recording, image: Path) -> None:
    data = image / "disk/data"
    (data / "in-use").touch(mode=0o600)
    (data / "objects/new" / ("0" * 32)).write_bytes(b"half")
    [*_, log] = sorted((data / "trail/log").glob("*.jsonl"))
    with log.open("ab") as file:
        file.write(b'{"sequence":')
    assert remarks_due(data) == ["contents of objects unfinished", "a line of the audit log unfinished"]
    check = Check(recording, len(recording.journal), image)
    assert check.run() == []
    for remark in (TOLD, "contents of objects unfinished", "a line of the audit log unfinished"):
        assert remark in check.server.output
    assert remarks_due(data) == []


class Refused(Worker):
    """A client whose only call is refused."""

    def __init__(self, status: int):
        super().__init__("refused", SEED)
        self.status = status

    def next_call(self, state: State) -> Call:
        return Call("Refuse", self.refuse, {NAME: "x"})

    def refuse(self, _: object) -> dict:
        error = {"Code": "KMSInternalException", "Message": "the audit trail cannot be written"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": self.status}}, "Refuse")

    @staticmethod
    def look(server: object, prefix: str) -> State:
        return {NAME: "half of it"}


@pytest.mark.parametrize(
    ("status", "may_fail", "verdicts"),
    [(500, True, []), (500, False, [Verdict.UNEXPLAINED]), (400, True, [Verdict.UNEXPLAINED])],
)
def test_a_refusal_needs_a_disk_that_fails(
    status: int, may_fail: bool, verdicts: list[Verdict], tmp_path: Path
) -> None:
    worker = Refused(status)
    worker.step(None, Recorder(tmp_path, tmp_path), may_fail=may_fail)
    assert [finding.verdict for finding in worker.findings] == verdicts
    assert worker.steps[0].outcome is Outcome.REFUSED


def test_half_of_a_refused_call_is_found(tmp_path: Path) -> None:
    worker, recorder = Refused(500), Recorder(tmp_path, tmp_path)
    for _ in range(2):
        worker.step(None, recorder, may_fail=True)
    assert [finding.verdict for finding in worker.findings] == [Verdict.TORN]


# What it has found.


@pytest.mark.parametrize("after", range(3))
def test_an_event_is_logged_once_whichever_sync_fails(after: int, place: Path) -> None:
    """A copy of a key has an event without a call of its own: the outbox is what it is logged from."""
    folder = place / f"outbox-{after}"
    (folder / "disk").mkdir(parents=True)
    recorder = Recorder(folder / "disk", folder)
    server = DiskServer(folder, recorder.environment).start()
    kms = clients.kms(server)
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion=AMERICA)
    # Within a second the log is written, the log is synced once more, and the store forgets the event.
    recorder.fail(Fault(after, 1, frozenset({Kind.SYNC})))
    eventually(lambda: recorder.still_to_fail() == 0, "the fault")
    eventually(lambda: get(server, "/healthz").status == 200, "health is good again")
    server.stop()
    ids = [event["eventID"] for event in trail.events(server)]
    assert len(set(ids)) == len(ids)
    assert trail.events(server, eventName="CreateKey", awsRegion=AMERICA)[-1]["resources"]


def test_a_folder_of_deliveries_that_a_kill_cut_off_is_made_safe(place: Path) -> None:
    """It is there when the next process looks, and would go with the next power cut, deliveries and all."""
    folder = place / "deliveries"
    (folder / "disk").mkdir(parents=True)
    recorder = Recorder(folder / "disk", folder)
    server = DiskServer(folder, recorder.environment).start()
    recorder.slow_down(replace(SLOW, one_in=1, milliseconds=500))
    clients.kms(server).create_key()

    def is_cut_off() -> bool:
        [*_, made] = [one for one in entries(recorder.journal.read_bytes()) if one.kind is Kind.MAKE_FOLDER]
        return made.path.endswith("/AWSLogs")

    eventually(is_cut_off, "a folder to be made for deliveries")
    server.kill()
    recorder.slow_down(None)
    server.start()
    eventually(lambda: list(server.data.glob("trail/delivered/**/*Digest*.gz")), "a digest")
    server.stop()
    disk = Disk(folder / "disk")
    for one in entries(recorder.journal.read_bytes()):
        disk.apply(one)
    disk.after_power_cut(folder / "left", Strict())
    there, left_there = (
        {path.relative_to(root) for path in root.glob("data/trail/delivered/**/*.gz")}
        for root in (folder / "disk", folder / "left")
    )
    assert there and left_there == there


def test_a_store_whose_sync_failed_is_read_from_the_disk(place: Path) -> None:
    """fsync(2), BUGS: the system may go on showing what is not on the disk."""
    folder = place / "forget"
    (folder / "disk").mkdir(parents=True)
    recorder = Recorder(folder / "disk", folder)
    server = DiskServer(folder, recorder.environment).start()
    kms = clients.kms(server)
    kms.create_key()

    def forgets() -> int:
        return sum(one.kind is Kind.FORGET for one in entries(recorder.journal.read_bytes()))

    before = forgets()
    kms.create_key()
    assert forgets() == before
    # One of them is the store's.
    recorder.fail(Fault(0, 2, frozenset({Kind.SYNC})))
    with pytest.raises(ClientError):
        kms.create_key()
    eventually(lambda: forgets() > before, "the system to be told")
    recorder.fail(None)
    server.stop()
    before = forgets()
    server.start()
    assert forgets() == before, "it was closed in order"
    server.kill()
    server.start()
    assert forgets() == before + 1, "it was not"
    server.stop()


# What the calls of a client allow.


def step(call: str, begin: int, end: int, value: object, outcome: Outcome = Outcome.DONE) -> Step:
    return Step("k", call, begin, end, outcome, ((NAME, value),))


HISTORY = [step("make", 0, 10, "one"), step("change", 20, 30, "two"), step("remove", 40, 50, None)]


@pytest.mark.parametrize(
    ("position", "allowed"),
    [
        (0, [None, "one"]),
        (10, ["one"]),
        (19, ["one"]),
        (20, ["one", "two"]),
        (30, ["two"]),
        (45, ["two", None]),
        (50, [None]),
    ],
)
def test_what_was_answered_is_there_and_what_was_under_way_may_be(position: int, allowed: list[str | None]) -> None:
    for value in (None, "one", "two"):
        found = {} if value is None else {NAME: value}
        assert (judge(HISTORY, position, found) == []) == (value in allowed)


@pytest.mark.parametrize(
    ("found", "position", "verdict"),
    [
        ({}, 30, Verdict.LOST),
        ({NAME: "one"}, 30, Verdict.LOST),
        ({NAME: "half of two"}, 25, Verdict.TORN),
        ({NAME: Broken("no such key")}, 30, Verdict.TORN),
        ({NAME: "two", ("key", "k-2", "tags"): "x"}, 30, Verdict.UNEXPLAINED),
    ],
)
def test_each_wrong_state_has_its_verdict(found: dict, position: int, verdict: Verdict) -> None:
    assert [finding.verdict for finding in judge(HISTORY, position, found)] == [verdict]


def test_half_of_a_call_is_torn() -> None:
    other = ("alias", "alias/k-1")
    both = Step("k", "both", 20, 30, Outcome.DONE, ((NAME, "two"), (other, "k-1")))
    assert [finding.verdict for finding in judge([HISTORY[0], both], 25, {NAME: "two"})] == [Verdict.TORN]
    assert judge([HISTORY[0], both], 25, {NAME: "one"}) == []


def test_a_refused_call_is_done_or_not_until_somebody_looks() -> None:
    refused = step("change", 20, 30, "two", Outcome.REFUSED)
    for value in ("one", "two"):
        assert judge([HISTORY[0], refused], 40, {NAME: value}) == []
    seen = step("look", 50, 60, "one", Outcome.SEEN)
    assert judge([HISTORY[0], refused, seen], 55, {NAME: "two"}) == []
    assert [one.verdict for one in judge([HISTORY[0], refused, seen], 60, {NAME: "two"})] == [Verdict.LOST]


# The disk and the recorder.


def entry(kind: Kind, inode: int, path: str = "", data: bytes = b"", **more: object) -> Entry:
    return Entry(kind, **{"error": 0, "offset": 0, "second": "", "end": 0} | more, inode=inode, path=path, data=data)


def left(disk: Disk, place: Path, luck: random.Random) -> dict[str, bytes]:
    """The files that a power cut leaves."""
    shutil.rmtree(place / "left", ignore_errors=True)
    disk.after_power_cut(place / "left", luck)
    files = [path for path in (place / "left").rglob("*") if path.is_file()]
    return {str(path.relative_to(place / "left")): path.read_bytes() for path in files}


FILE, FOLDER, ROOT = 1, 2, 3
BEGIN = [
    entry(Kind.MAKE_FOLDER, FOLDER, "/d/f"),
    entry(Kind.CREATE, FILE, "/d/f/x"),
    entry(Kind.WRITE, FILE, data=b"abc"),
]


@pytest.mark.parametrize(
    ("synced", "there"),
    [
        ([], {}),
        ([FILE], {}),
        ([FILE, FOLDER], {}),
        ([FILE, ROOT], {}),
        ([FILE, FOLDER, ROOT], {"f/x": b"abc"}),
        ([FOLDER, ROOT], {"f/x": b""}),
    ],
)
def test_what_is_safe_was_synced_with_its_names(synced: list[int], there: dict[str, bytes], tmp_path: Path) -> None:
    disk = Disk(Path("/d"))
    for one in [*BEGIN, *(entry(Kind.SYNC, inode) for inode in synced)]:
        disk.apply(one)

    assert left(disk, tmp_path, Strict()) == there


def test_a_power_cut_leaves_any_part_of_what_is_not_safe(tmp_path: Path) -> None:
    disk = Disk(Path("/d"))
    for one in [*BEGIN[:2], *(entry(Kind.SYNC, inode) for inode in (FILE, FOLDER, ROOT))]:
        disk.apply(one)
    whole = b"".join(bytes([number]) * SECTOR for number in range(1, 5))
    disk.apply(entry(Kind.WRITE, FILE, data=whole))
    seen = {left(disk, tmp_path, random.Random(seed))["f/x"] for seed in range(300)}
    assert {b"", whole, bytes(len(whole)), whole[:SECTOR] + bytes(SECTOR) + whole[2 * SECTOR : 3 * SECTOR]} <= seen
    for content in seen:
        for at in range(0, len(content), SECTOR):
            assert content[at : at + SECTOR] in (bytes(SECTOR), whole[at : at + SECTOR])


def test_what_was_written_while_a_sync_was_under_way_is_not_safe(tmp_path: Path) -> None:
    disk = Disk(Path("/d"))
    synced = list(enumerate((FILE, FOLDER, ROOT), 1))
    begun = [entry(Kind.SYNC_BEGUN, inode, offset=number) for number, inode in synced]
    meanwhile = [entry(Kind.WRITE, FILE, data=b"later", offset=3), entry(Kind.CREATE, 4, "/d/f/y")]
    for one in [*BEGIN, *begun, *meanwhile, *(entry(Kind.SYNC, inode, offset=number) for number, inode in synced)]:
        disk.apply(one)
    assert left(disk, tmp_path, Strict()) == {"f/x": b"abc"}


def test_a_sync_that_fails_may_have_lost_what_was_there_when_it_began(tmp_path: Path) -> None:
    def content(seed: int) -> bytes:
        disk = Disk(Path("/d"), seed)
        failed = entry(Kind.SYNC, FILE, offset=1, error=errno.EIO)
        later = entry(Kind.WRITE, FILE, data=b"later", offset=3)
        whole = [entry(Kind.SYNC, inode) for inode in (FILE, FOLDER, ROOT)]
        for one in [*BEGIN, entry(Kind.SYNC_BEGUN, FILE, offset=1), later, failed, *whole]:
            disk.apply(one)
        return left(disk, tmp_path, Strict())["f/x"]

    assert {content(seed) for seed in range(20)} == {b"abclater", b"\0\0\0later"}


def test_a_sync_that_fails_may_have_lost_what_no_later_one_brings_back(tmp_path: Path) -> None:
    def content(seed: int) -> bytes:
        disk = Disk(Path("/d"), seed)
        failed = entry(Kind.SYNC, FILE, error=errno.EIO)
        for one in [*BEGIN, failed, *(entry(Kind.SYNC, inode) for inode in (FILE, FOLDER, ROOT))]:
            disk.apply(one)
        return left(disk, tmp_path, Least())["f/x"]

    assert {content(seed) for seed in range(20)} == {b"", b"abc"}


def test_a_file_that_is_forgotten_reads_as_the_disk_has_it(tmp_path: Path) -> None:
    def contents(seed: int) -> tuple[bytes, bytes]:
        disk, seen = Disk(Path("/d"), seed), []
        for one in [*BEGIN, entry(Kind.SYNC, FILE, error=errno.EIO), entry(Kind.FORGET, FILE)]:
            shutil.rmtree(tmp_path / "seen", ignore_errors=True)
            disk.as_seen(tmp_path / "seen")
            disk.apply(one)
        seen.append((tmp_path / "seen/f/x").read_bytes())
        shutil.rmtree(tmp_path / "seen")
        disk.as_seen(tmp_path / "seen")
        return seen[0], (tmp_path / "seen/f/x").read_bytes()

    assert {contents(seed) for seed in range(20)} == {(b"abc", b""), (b"abc", b"abc")}


def test_a_renamed_file_is_there_under_one_of_its_names(tmp_path: Path) -> None:
    disk = Disk(Path("/d"))
    for one in [*BEGIN, *(entry(Kind.SYNC, inode) for inode in (FILE, FOLDER, ROOT))]:
        disk.apply(one)
    disk.apply(entry(Kind.RENAME, 0, "/d/f/x", second="/d/y"))
    assert {tuple(left(disk, tmp_path, random.Random(seed))) for seed in range(50)} == {("f/x",), ("y",)}


WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
try:
    print(os.write(file, b"0123456789"))
    os.fsync(file)
    os.rename(sys.argv[1], sys.argv[1] + "2")
except OSError as failure:
    print(failure.errno)
"""


@pytest.mark.parametrize(
    ("fault", "said", "kept"),
    [
        (None, "10", {"x2": b"0123456789"}),
        (Fault(0, 1, frozenset({Kind.WRITE})), str(errno.EIO), {"x": b""}),
        (Fault(0, 1, frozenset({Kind.WRITE}), FaultManner.TORN, errno.ENOSPC), str(errno.ENOSPC), {"x": b"01234"}),
        (Fault(0, 1, frozenset({Kind.WRITE}), FaultManner.SHORT), "5", {"x2": b"01234"}),
        (Fault(1, 1, frozenset({Kind.WRITE, Kind.SYNC})), f"10\n{errno.EIO}", {"x": b"0123456789"}),
        (Fault(0, 1, frozenset({Kind.RENAME})), f"10\n{errno.EIO}", {"x": b"0123456789"}),
        (Fault(0, 1, frozenset({Kind.CREATE})), None, {}),
    ],
)
def test_calls_fail_as_they_are_told_to(
    fault: Fault | None, said: str | None, kept: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    recorder = Recorder(tmp_path / "disk", tmp_path)
    recorder.fail(fault)
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "disk/x")],
        env=recorder.environment,
        capture_output=True,
        text=True,
    )
    assert said is None or done.stdout.strip() == said
    assert {path.name: path.read_bytes() for path in (tmp_path / "disk").iterdir()} == kept
    recorded = list(entries(recorder.journal.read_bytes()))
    assert sum(one.error != 0 for one in recorded) == (fault is not None)
    assert recorder.still_to_fail() == 0
    disk = Disk(tmp_path / "disk")
    for one in recorded:
        disk.apply(one)
    disk.as_seen(tmp_path / "rebuilt")
    assert {path.name: path.read_bytes() for path in (tmp_path / "rebuilt").iterdir()} == kept


def test_calls_are_held_up_as_they_are_told_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    recorder = Recorder(tmp_path / "disk", tmp_path)

    def kinds(slowness: Slowness | None) -> list[Kind]:
        recorder.slow_down(slowness)
        before = recorder.position()
        command = [sys.executable, "-c", WRITER, str(tmp_path / "disk/x")]
        subprocess.run(command, env=recorder.environment, check=True)
        return [one.kind for one in entries(recorder.journal.read_bytes()[before:])]

    whole = [Kind.CREATE, Kind.WRITE, Kind.SYNC_BEGUN, Kind.SYNC, Kind.RENAME]
    quick = [kind for kind in whole if kind is not Kind.SYNC_BEGUN]
    assert kinds(None) == quick and recorder.held_up() == 0
    assert kinds(Slowness(1, 5, frozenset({Kind.SYNC, Kind.WRITE}), 1)) == whole and recorder.held_up() == 2
    assert kinds(Slowness(1, 5, frozenset({Kind.WRITE}), 1)) == quick and recorder.held_up() == 3
    drawn = [kinds(Slowness(3, 1, frozenset({Kind.SYNC}), seed)) == whole for seed in (*range(12), *range(12))]
    assert drawn[:12] == drawn[12:] and 0 < sum(drawn) < 24
