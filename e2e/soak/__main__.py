"""`make soak SECONDS=n SEED=s`: so long of mixed load, with every answer checked."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from harness.server import BINARY
from soak.clients.client import administrator
from soak.endpoint import CONTEXT
from soak.ledger import answers, wrongs
from soak.service import ACCOUNTS, Sample, Service
from soak.trail import Others, differences, verified
from soak.working import Share, trust_certificates, work

TARGET = Path(__file__).parents[2] / "target/soak"
PROCESSES = 3
# After the end of time, clients have so long for what they began.
LAST_SECONDS = 120.0
TOLD_MAX = 20


@dataclass
class Outcome:
    """What came of a run."""

    seed: int
    seconds: float
    calls: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    # How many seconds each took.
    backups: list[float] = field(default_factory=list)


def soak(seed: int, seconds: float, folder: Path, processes: int = PROCESSES) -> Outcome:
    """Runs everything, in this empty folder."""
    trust_certificates()
    outcome = Outcome(seed, seconds)
    service = Service(folder)
    service.begin()
    accounts = tuple(administrator(account) for account in ACCOUNTS)
    running = [
        CONTEXT.Process(target=work, args=(Share(number, processes), seed, service.endpoint, accounts, folder))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    try:
        service.run(seconds, random.Random(f"{seed}/service"))
    finally:
        service.endpoint.over.set()
    outcome.wrong += _joined(running)
    _count(outcome, folder)
    service.finish()
    outcome.wrong += service.wrong
    outcome.samples, outcome.ends = service.samples, service.ends
    outcome.backups = [seconds for _, seconds in service.backups]
    outcome.wrong += verified(service.server)
    others = Others(outcome.unanswered, service.calls)
    outcome.wrong += differences(service.server, answers(folder), others)
    return outcome


def _joined(running: list[BaseProcess]) -> list[str]:
    deadline = time.monotonic() + LAST_SECONDS
    wrong = []
    for process in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            os.kill(process.pid, signal.SIGUSR1)
            process.join(1.0)
            process.kill()
            wrong.append(f"clients did not end within {LAST_SECONDS:.0f} s; a file stacks-… tells where they are")
        elif process.exitcode != 0:
            wrong.append(f"clients ended with {process.exitcode}")
    return wrong


def _count(outcome: Outcome, folder: Path) -> None:
    for path in folder.glob("counts-*"):
        told = json.loads(path.read_text())
        outcome.calls.update(told["calls"])
        outcome.unanswered += told["unanswered"]
    outcome.wrong += [
        f"{one['client']}: asked {one['asked']}\n  answered {one['answered']}\n  expected {one['expected']}"
        for one in wrongs(folder)
    ]


def summary(outcome: Outcome) -> str:
    """What was done, and in the last line what was wrong."""
    lines = [f"{count:9} {operation}" for operation, count in sorted(outcome.calls.items())]
    if outcome.samples:
        third = [outcome.samples[at] for at in (0, len(outcome.samples) // 2, -1)]
        told = ", ".join(f"{one.kib // 1024} MiB after {one.seconds:.0f} s" for one in third)
        lines.append(f"resident memory: {told}; at most {max(one.kib for one in outcome.samples) // 1024} MiB")
    backups = ", ".join(f"{seconds:.1f} s" for seconds in outcome.backups)
    lines.append(f"backups while clients were at work: {backups or 'none'}")
    ends = ", ".join(outcome.ends)
    lines.append(f"ended {len(outcome.ends)} times ({ends}), {outcome.unanswered} calls cut off by that")
    lines += [f"wrong: {text}" for text in outcome.wrong[:TOLD_MAX]]
    if len(outcome.wrong) > TOLD_MAX:
        lines.append(f"… {len(outcome.wrong) - TOLD_MAX} more")
    if outcome.wrong:
        lines.append(f"again: make soak SECONDS={outcome.seconds:.0f} SEED={outcome.seed}")
    lines.append(f"soak: {sum(outcome.calls.values())} calls in {outcome.seconds:.0f} s, {len(outcome.wrong)} wrong")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3_600, help="how long clients are at work")
    parser.add_argument("--seed", type=int, default=1, help="decides everything that the machine does not")
    arguments = parser.parse_args()
    if not BINARY.exists():
        parser.error(f"no binary at {BINARY}: build it, or name another one in KEYWRIGHT_BINARY")
    TARGET.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{arguments.seed}-", dir=TARGET))
    outcome = soak(arguments.seed, arguments.seconds, folder)
    print(summary(outcome))
    if outcome.wrong:
        print(f"kept: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
