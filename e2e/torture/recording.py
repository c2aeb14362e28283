"""A recording: workers at work on a server under the recorder, which starts, works and ends several times."""

import errno
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.polling import eventually
from harness.server import EXIT_LISTENER, EXIT_OK, EXIT_UNEXPECTED, Server, StartFailed, free_port
from torture.history import Finding, Step, Verdict
from torture.disk import Disk
from torture.recorder import NAMES, Entry, Fault, Kind, Manner, Recorder, Slowness, entries
from torture.workers import Worker, all_workers
from torture.workers.worker import Proof


@dataclass(frozen=True)
class Life:
    """One run of the server: so many waves of calls, each worker one call in each; then its end."""

    waves: int
    # Killed in the middle of the last wave, or asked to end.
    killed: bool
    fault: Fault | None = None
    # The wave before which the fault is armed; -1 is the start, and the number of waves is the end.
    armed: int = -1
    # A disk that is slow in this life, beside what it fails at.
    slowness: Slowness | None = None


@dataclass(frozen=True)
class Stage:
    """A stretch of the journal: a start, a wave, an end."""

    name: str
    begin: int
    end: int


@dataclass
class Recording:
    """What was recorded. It can be kept and read again."""

    seed: int
    # Where the disk was, as the journal names it.
    root: Path
    journal: bytes = b""
    stages: list[Stage] = field(default_factory=list)
    steps: dict[str, list[Step]] = field(default_factory=dict)
    proofs: list[Proof] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    # Calls of the server that a slow disk made wait.
    held_up: int = 0

    def entries(self) -> list[Entry]:
        return list(entries(self.journal))

    def answered(self) -> int:
        return sum(step.end <= len(self.journal) for steps in self.steps.values() for step in steps)


# Events are delivered, and digests signed, all the time.
BUSY_DELIVERY = {
    "KEYWRIGHT_TRAIL_DELIVERY_INTERVAL_SECONDS": "1",
    "KEYWRIGHT_TRAIL_DELIVERY_DIGEST_INTERVAL_SECONDS": "1",
}


def record(
    seed: int,
    lives: list[Life],
    place: Path,
    *,
    workers: list[Worker] | None = None,
    environment: dict[str, str] | None = None,
) -> Recording:
    """Records these lives of a server whose disk is the folder `disk` of `place`."""
    (place / "disk").mkdir()
    return _Session(seed, place, workers or all_workers(seed), environment or {}).run(lives)


class DiskServer(Server):
    """A server whose data folder is on the disk of its place. All of a process have one port, for the same clients."""

    port_of_all = 0

    def __init__(self, place: Path, environment: dict[str, str] | None = None):
        super().__init__(place, environment=BUSY_DELIVERY | (environment or {}))
        self.data = place / "disk" / "data"

    def start(self) -> "DiskServer":
        for _ in range(5):
            DiskServer.port_of_all = DiskServer.port_of_all or free_port()
            self.launch(DiskServer.port_of_all)
            try:
                self.wait_until_ready()
                return self
            except StartFailed as failure:
                if failure.exit_code != EXIT_LISTENER:
                    raise
                DiskServer.port_of_all = 0
        raise AssertionError("no free port found in five tries")


def make_plan(seed: int) -> list[Life]:
    """Lives by the seed: with kills and ends in order, on a disk that is well, slow or fails; at last it fails no more."""
    luck = random.Random(f"{seed}/plan")
    lives = [_make_life(luck) for _ in range(luck.randint(1, 3))]
    lives.append(Life(luck.randint(2, 8), luck.random() < 0.5))
    luck = random.Random(f"{seed}/slowness")
    return [replace(life, slowness=_make_slowness(luck)) if luck.random() < 0.4 else life for life in lives]


def _make_slowness(luck: random.Random) -> Slowness:
    """Many syncs that take tens of milliseconds, or few that take hundreds; sometimes writes as well."""
    kinds = luck.choice((frozenset({Kind.SYNC}), frozenset({Kind.SYNC, Kind.WRITE})))
    one_in, milliseconds = luck.choice(((3, 40), (8, 150), (20, 700)))
    return Slowness(one_in, milliseconds, kinds, luck.randrange(1 << 32))


def _make_life(luck: random.Random) -> Life:
    waves, killed = luck.randint(2, 10), luck.random() < 0.5
    if luck.random() < 0.3:
        return Life(waves, killed)
    armed = luck.choice((-1, luck.randint(0, waves - 1), luck.randint(0, waves - 1), waves))
    return Life(waves, killed and armed < waves, make_fault(luck, 180 if armed < 0 else 60), armed)


# Which calls a fault is about, and how many of all calls these are.
_KINDS = (
    (frozenset(Kind), 1.0),
    (frozenset({Kind.SYNC}), 0.2),
    (frozenset({Kind.SYNC, Kind.TRUNCATE}), 0.2),
    (frozenset({Kind.WRITE}), 0.7),
    (NAMES, 0.1),
)


def make_fault(luck: random.Random, among: int) -> Fault:
    """A fault of some of so many calls that come next: of any kind, or of a rarer one."""
    kinds, share = luck.choice(_KINDS)
    after = luck.randint(0, round(among * share))
    times = luck.choice((1, 1, 1, 2, 5, 40))
    manner = luck.choice((Manner.REFUSED, Manner.REFUSED, Manner.TORN, Manner.SHORT))
    return Fault(after, times, kinds, manner, luck.choice((errno.EIO, errno.ENOSPC)))


def is_sound_refusal(failure: StartFailed) -> bool:
    """Whether a start that failed says why, and with an exit code that is for it."""
    return failure.exit_code not in (EXIT_OK, EXIT_UNEXPECTED) and "panicked" not in failure.log and bool(failure.log)


class _Session:
    """The recording that is being made."""

    def __init__(self, seed: int, place: Path, workers: list[Worker], environment: dict[str, str]):
        self.luck = random.Random(f"{seed}/session")
        self.recording = Recording(seed, place / "disk")
        self.recorder = Recorder(place / "disk", place)
        self.server = DiskServer(place, environment | self.recorder.environment)
        self.workers = workers
        # Whether the server may refuse: its disk fails, or has failed in this life.
        self.may_fail = False

    def run(self, lives: list[Life]) -> Recording:
        with ThreadPoolExecutor(len(self.workers)) as threads:
            for number, life in enumerate(lives):
                self._live(f"life {number}", life, threads)
        recording = self.recording
        recording.journal = self.recorder.journal.read_bytes()
        recording.held_up = self.recorder.held_up()
        for worker in self.workers:
            recording.steps[worker.name] = worker.steps
            recording.proofs += worker.proofs
            recording.findings += worker.findings
        return recording

    def _live(self, name: str, life: Life, threads: ThreadPoolExecutor) -> None:
        self.may_fail = life.fault is not None
        self.recorder.slow_down(life.slowness)
        self._arm(life, -1)
        if not self._stage(f"{name} start", self._start):
            return
        for wave in range(life.waves - life.killed):
            self._arm(life, wave)
            self._stage(f"{name} wave {wave}", lambda: wait(self._send_wave(threads)))
            if self._has_ended():
                return
        self._arm(life, life.waves)
        end = self._kill if life.killed else self._stop
        self._stage(f"{name} end", lambda: end(threads))
        self.recorder.fail(None)
        for worker in self.workers:
            worker.forget()

    def _stage(self, name: str, do: Callable[[], object]) -> object:
        begin = self.recorder.position()
        done = do()
        self.recording.stages.append(Stage(name, begin, self.recorder.position()))
        return done

    def _arm(self, life: Life, wave: int) -> None:
        if life.fault is not None and life.armed == wave:
            self.recorder.fail(life.fault)

    def _forget(self) -> None:
        """Brings files to what the disk has of them, where the next process will have the system forget the rest."""
        disk = Disk(self.recording.root, self.recording.seed)
        for entry in entries(self.recorder.journal.read_bytes()):
            disk.apply(entry)
        contents = disk.before_a_start()
        for path in self.recording.root.rglob("*") if contents else ():
            if path.stat().st_ino in contents:
                path.write_bytes(contents[path.stat().st_ino])

    def _start(self) -> bool:
        self._forget()
        try:
            self.server.start()
            return True
        except StartFailed as failure:
            self.server.process = None
            self.recorder.fail(None)
            if not (self.may_fail and is_sound_refusal(failure)):
                self._find(f"the start ended: {failure}")
            return False

    def _send_wave(self, threads: ThreadPoolExecutor):
        return [
            threads.submit(worker.step, self.server, self.recorder, may_fail=self.may_fail)
            for worker in self.workers
        ]

    def _has_ended(self) -> bool:
        if not self.server.has_ended():
            return False
        self._find(f"the server ended by itself: {self.server.output}")
        self.server.take_process()
        for worker in self.workers:
            worker.forget()
        return True

    def _kill(self, threads: ThreadPoolExecutor) -> None:
        """A kill at a moment that the seed chooses, by how much the journal has grown since the wave was sent."""
        until = self.recorder.position() + self.luck.randint(0, 150_000)
        calls = self._send_wave(threads)
        eventually(lambda: self.recorder.position() >= until or all(call.done() for call in calls), "a moment to kill")
        self.server.kill()
        wait(calls)

    def _stop(self, _: ThreadPoolExecutor) -> None:
        exit_code = self.server.end_with(signal.SIGTERM)
        self.server.assert_sound_log()
        if exit_code != EXIT_OK and not self.may_fail:
            self._find(f"exit code {exit_code} after SIGTERM: {self.server.output}")

    def _find(self, text: str) -> None:
        self.recording.findings.append(Finding(Verdict.UNEXPLAINED, text))


