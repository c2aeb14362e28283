"""`make torture RUNS=n SEED=s`: so many crashes, by the seed; or one again that was kept."""

import argparse
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from harness.server import BINARY
from torture.crash import Check, Crash, Manner, Replay, SecondCrash, choose
from torture.history import Finding, Verdict
from torture.recorder import TARGET
from torture.recording import Recording, make_plan, record

# Crashes of one recording, and recordings at a time.
CRASHES_EACH = 20
AT_ONCE = 2
# Findings of one crash that are told; all that was lost with a file is lost for one reason.
TOLD_MAX = 5


@dataclass
class Tally:
    """What came of some crashes."""

    crashes: int = 0
    manners: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    answered: int = 0
    held_up: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    findings: Counter[Verdict] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.crashes += other.crashes
        self.calls += other.calls
        self.answered += other.answered
        self.held_up += other.held_up
        self.manners += other.manners
        self.failed += other.failed
        self.findings += other.findings
        self.texts += other.texts


def torture_one(recording: Recording, crash: Crash, replay: Replay, place: Path, tally: Tally) -> list[Finding]:
    """The findings of one crash, in the empty folder `place`."""
    replay.leave(crash, place / "disk")
    findings = []
    if crash.manner in (Manner.TWO_POWER_CUTS, Manner.FAILING_START):
        second = SecondCrash(place, random.Random(crash.seed), failing=crash.manner is Manner.FAILING_START)
        second.run()
        findings += second.findings
        tally.failed += second.failed
    return findings + Check(recording, replay.position(crash), place).run()


def torture(seed: int, count: int) -> Tally:
    """Makes the recording of this seed and so many crashes of it."""
    tally = Tally()
    with scratch() as folder:
        place = Path(folder)
        (place / "recording").mkdir()
        recording = record(seed, make_plan(seed), place / "recording")
        tally.answered, tally.held_up = recording.answered(), recording.held_up
        entries = recording.entries()
        tally.calls = len(entries)
        tally.failed = Counter(entry.kind.name.lower() for entry in entries if entry.error)
        if recording.findings:
            tell(tally, recording, None, recording.findings)
        replay = Replay(recording)
        for crash in sorted(choose(recording, count, random.Random(seed)), key=lambda crash: crash.after):
            shutil.rmtree(place / "crash", ignore_errors=True)
            (place / "crash").mkdir()
            findings = torture_one(recording, crash, replay, place / "crash", tally)
            tally.crashes += 1
            tally.manners[crash.manner.value] += 1
            if findings:
                tell(tally, recording, crash, findings)
    return tally


def tell(tally: Tally, recording: Recording, crash: Crash | None, findings: list[Finding]) -> None:
    """Counts what was found, and keeps the recording so that it can be looked at again."""
    # One crash that loses much is one loss.
    tally.findings.update({finding.verdict for finding in findings})
    name = f"recording-{recording.seed}" + (f"-call-{crash.after}-{crash.seed}" if crash else "")
    kept = TARGET / "kept" / name
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "kept.pickle").write_bytes(pickle.dumps((recording, crash)))
    text = [f"seed {recording.seed}: {crash or 'while it was recorded'}"]
    text += [f"  {finding.verdict.value}: {finding.text}" for finding in findings[:TOLD_MAX]]
    text += [f"  … {len(findings) - TOLD_MAX} more"] if len(findings) > TOLD_MAX else []
    text += [f"  again: make torture AGAIN={kept}"]
    (kept / "findings").write_text("\n".join(text) + "\n")
    tally.texts.append("\n".join(text))


def again(kept: Path) -> Tally:
    """One crash again, of a recording that was kept. The folder stays as the crash left it, and as the service did."""
    kept = kept.absolute()
    recording, crash = pickle.loads((kept / "kept.pickle").read_bytes())
    tally = Tally(crashes=1)
    if crash is None:
        tally.findings.update({finding.verdict for finding in recording.findings})
        tally.texts.append((kept / "findings").read_text())
        return tally
    for name in ("before", "after"):
        shutil.rmtree(kept / name, ignore_errors=True)
        (kept / name).mkdir()
    Replay(recording).leave(crash, kept / "before" / "disk")
    findings = torture_one(recording, crash, Replay(recording), kept / "after", tally)
    if findings:
        tell(tally, recording, crash, findings)
    tally.texts += [f"  before the start: {kept}/before/disk", f"  behind it: {kept}/after/disk"]
    return tally


def run(seed: int, runs: int, each: int = CRASHES_EACH) -> Tally:
    """So many crashes, `each` of one recording, two recordings at a time."""
    total, began = Tally(), time.monotonic()
    with ProcessPoolExecutor(AT_ONCE) as processes:
        jobs = [processes.submit(torture, one, count) for one, count in parts(seed, runs, each)]
        for job in as_completed(jobs):
            tally = job.result()
            total.add(tally)
            for text in tally.texts:
                print(text, flush=True)
            print(f"{total.crashes}/{runs} crashes, {time.monotonic() - began:.0f} s", flush=True)
    return total


def parts(seed: int, runs: int, each: int) -> Iterator[tuple[int, int]]:
    """Seeds of recordings, with the number of crashes of each. A seed always begins with the same ones."""
    luck = random.Random(seed)
    while runs > 0:
        count = min(runs, each)
        yield luck.randrange(1 << 32), count
        runs -= count


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: which writes are safe is up to the model, not to a disk."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    return tempfile.TemporaryDirectory(prefix="keywright-torture-", dir=memory if usable else None)


def summary(tally: Tally) -> str:
    """What was done, and in the last line what was found."""
    manners = ", ".join(f"{count} by {manner}" for manner, count in sorted(tally.manners.items()))
    failed = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.failed.items())) or "none"
    lost, torn, unexplained = (tally.findings[verdict] for verdict in Verdict)
    return (
        f"{manners}; {tally.calls} changing system calls recorded, made to fail: {failed}; "
        f"{tally.held_up} made to wait; "
        f"{tally.answered} calls of clients answered\n"
        f"torture: {tally.crashes} crashes, {lost} lost, {torn} torn, {unexplained} unexplained"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how many crashes")
    parser.add_argument("--seed", type=int, default=1, help="decides everything that the machine does not")
    parser.add_argument("--again", type=Path, help="the folder of a crash that was kept")
    arguments = parser.parse_args()
    if not BINARY.exists():
        parser.error(f"no binary at {BINARY}: build it, or name another one in KEYWRIGHT_BINARY")
    tally = again(arguments.again) if arguments.again else run(arguments.seed, arguments.runs)
    told = summary(tally).splitlines()
    # Of one crash there is nothing to count.
    print("\n".join([*tally.texts, told[-1]] if arguments.again else told))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
