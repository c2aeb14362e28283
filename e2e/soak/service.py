"""The service under load: it is started, ended now and then, backed up, and its memory is watched."""

import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness.backups import back_up, new_keeper
from harness.seed import ONE, TWO, Account, account_form, key_form, EUROPE, SEEDED_ALIAS, SEEDED_KEY
from harness.server import EXIT_OK, Server, free_port
from soak.endpoint import Endpoint

THREE = Account("111122223333", "AKIASOAKTHREEEXAMPLE", "dGhyZWUgZm9yIGEgc29hayBvZiBrZXl3cmlnaHQh")
FOUR = Account("444455556666", "AKIASOAKFOUREXAMPLE4", "Zm91ciBmb3IgYSBzb2FrIG9mIGtleXdyaWdodCEh")
ACCOUNTS = (ONE, TWO, THREE, FOUR)
SEED_FORM = account_form(ONE) + key_form(EUROPE, SEEDED_KEY, SEEDED_ALIAS) + "".join(map(account_form, ACCOUNTS[1:]))

# Within so many seconds a backup is made.
BACKUP_SECONDS = 300.0


@dataclass(frozen=True)
class Sample:
    """How much memory the process had, so many seconds after the begin."""

    seconds: float
    kib: int


class Service:
    """The server of a run, in `folder`."""

    def __init__(self, folder: Path):
        self.keeper = new_keeper(folder)
        configuration = folder / "keywright.toml"
        configuration.write_text(f'[backup]\nrecipients = ["{self.keeper.recipient}"]\n')
        arguments = ("--config", str(configuration), "--tls-development")
        self.server = Server(folder, seed=SEED_FORM, arguments=arguments, scheme="https")
        self.port = free_port()
        self.endpoint = Endpoint(self.port, "https")
        self.samples: list[Sample] = []
        self.wrong: list[str] = []
        self.ends: list[str] = []
        self.backups: list[Path] = []
        self._begun = time.monotonic()

    def start(self) -> None:
        self.server.launch(self.port)
        self.server.wait_until_ready()
        self.endpoint.is_back()

    def run(self, seconds: float, luck: random.Random) -> None:
        """Lives for so long, while others are at work: ends and backups come by luck, ends in the first half alone,
        so that the memory of the last life tells of half of the time."""
        plan = make_plan(seconds, luck)
        self._begun = time.monotonic()
        while (elapsed := time.monotonic() - self._begun) < seconds:
            while plan and plan[0][0] <= elapsed:
                getattr(self, plan.pop(0)[1])()
            if not self.server.has_ended():
                self.samples.append(Sample(elapsed, self.server.resident_kib()))
            else:
                self._tell("the service ended by itself")
                return
            time.sleep(min(1.0, seconds / 20))

    def terminate(self) -> None:
        self._end(signal.SIGTERM, EXIT_OK)

    def kill(self) -> None:
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def _end(self, number: signal.Signals, expected: int) -> None:
        self.endpoint.goes_away()
        self.end_with(number, expected)
        self.start()

    def end_with(self, number: signal.Signals, expected: int) -> None:
        """Ends it, and sees that it ended as it should."""
        code = self.server.end_with(number)
        self.ends.append(number.name)
        if code != expected:
            self._tell(f"exit code {code} after {number.name}, {expected} was expected")
        if "panicked at" in self.server.output:
            self._tell("a panic")

    def _tell(self, what: str) -> None:
        self.wrong.append(f"{what}\n{self.server.output[-3_000:]}")

    def back_up(self) -> None:
        """A backup while clients are at work."""
        try:
            self.backups.append(back_up(self.server, f"backup-{len(self.backups)}.age", seconds=BACKUP_SECONDS))
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            self.wrong.append(f"no backup: {failure}")


def make_plan(seconds: float, luck: random.Random) -> list[tuple[float, str]]:
    """What is done to the service, and when: an end for every quarter of an hour, two at least; as many backups."""
    count = max(2, round(seconds / 450))
    ends = [(seconds * luck.uniform(0.1, 0.5), ("kill", "terminate")[number % 2]) for number in range(count)]
    return sorted(ends + [(seconds * luck.uniform(0.2, 0.9), "back_up") for _ in range(max(1, count // 2))])


