"""The service under load: it is started, ended now and then, backed up, and its memory is watched."""

import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.backups import back_up, new_keeper, restored
from harness.seed import ONE, TWO, Account, account_form, key_form, EUROPE, SEEDED_ALIAS, SEEDED_KEY
from harness.server import EXIT_OK, Server, StartFailed, free_port
from soak.endpoint import Endpoint

THREE = Account("111122223333", "AKIASOAKTHREEEXAMPLE", "dGhyZWUgZm9yIGEgc29hayBvZiBrZXl3cmlnaHQh")
FOUR = Account("444455556666", "AKIASOAKFOUREXAMPLE4", "Zm91ciBmb3IgYSBzb2FrIG9mIGtleXdyaWdodCEh")
ACCOUNTS = (ONE, TWO, THREE, FOUR)
SEED_FORM = account_form(ONE) + key_form(EUROPE, SEEDED_KEY, SEEDED_ALIAS) + "".join(map(account_form, ACCOUNTS[1:]))

# Within so many seconds a backup is made.
BACKUP_SECONDS = 300.0
# The process never has more memory than this.
MEMORY_MAX_KIB = 1 << 20
# After so many seconds it is told how things stand.
TOLD_EVERY_SECONDS = 60.0
# What is encrypted before everything else, and must be opened by what is restored at the end.
SECRET = b"from before the load"


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
        # Their files, and how many seconds they took.
        self.backups: list[tuple[Path, float]] = []
        self._begun = time.monotonic()
        self._blob = b""

    def begin(self) -> None:
        """Starts it for the first time."""
        self.start()
        for account in ACCOUNTS:
            self._log_objects(account)
        self._blob = clients.kms(self.server).encrypt(KeyId=SEEDED_KEY, Plaintext=SECRET)["CiphertextBlob"]

    def _log_objects(self, account: Account) -> None:
        """Has the trail tell of reads and writes of objects, too."""
        cloudtrail = clients.cloudtrail(self.server, account)
        # Into one folder with the trail that is there from the first; a file without a digest would be a finding there.
        cloudtrail.create_trail(
            Name="soak", S3BucketName="keywright-trail", IsMultiRegionTrail=True, EnableLogFileValidation=True
        )
        resources = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}
        cloudtrail.put_event_selectors(TrailName="soak", EventSelectors=[selector])
        cloudtrail.start_logging(Name="soak")

    @property
    def calls(self) -> dict[str, int]:
        """How many calls of each operation it made itself."""
        once = ("CreateTrail", "PutEventSelectors", "StartLogging")
        return {"CreateBackup": len(self.backups), "Encrypt": 1} | dict.fromkeys(once, len(ACCOUNTS))

    def start(self) -> None:
        self.server.launch(self.port)
        self.server.wait_until_ready()
        self.endpoint.is_back()

    def run(self, seconds: float, luck: random.Random) -> None:
        """Lives for so long, while others are at work: ends and backups come by luck, ends in the first half alone,
        so that the memory of the last life tells of half of the time."""
        plan, told = make_plan(seconds, luck), 0.0
        self._begun = time.monotonic()
        while (elapsed := time.monotonic() - self._begun) < seconds:
            while plan and plan[0][0] <= elapsed:
                getattr(self, plan.pop(0)[1])()
            if self.server.has_ended():
                self._tell("the service ended by itself")
                return
            self.samples.append(Sample(elapsed, self.server.resident_kib()))
            if elapsed - told > TOLD_EVERY_SECONDS:
                told = elapsed
                print(f"{elapsed:.0f} s, {self.samples[-1].kib // 1024} MiB, ended {len(self.ends)} times", flush=True)
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

    def finish(self) -> None:
        """Ends it for good, and looks at what it leaves."""
        if self.server.process is not None and not self.server.has_ended():
            self.end_with(signal.SIGTERM, EXIT_OK)
        self.wrong += too_much(self.samples)
        if self.backups:
            self.wrong += self._restored(*self.backups[-1])

    def _restored(self, backup: Path, _: float) -> list[str]:
        """What is wrong with a service that is restored from this backup."""
        try:
            server = restored(backup, self.keeper, self.server.folder / "restored", seed=None).start()
        except (AssertionError, StartFailed, subprocess.TimeoutExpired) as failure:
            return [f"the backup {backup.name} cannot be restored: {failure}"]
        try:
            opened = clients.kms(server).decrypt(CiphertextBlob=self._blob)["Plaintext"]
            return [] if opened == SECRET else [f"what was restored decrypts {opened!r} instead of {SECRET!r}"]
        except (ClientError, BotoCoreError) as failure:
            return [f"what was restored does not decrypt: {failure}"]
        finally:
            server.stop()

    def _tell(self, what: str) -> None:
        self.wrong.append(f"{what}\n{self.server.output[-3_000:]}")

    def back_up(self) -> None:
        """A backup while clients are at work."""
        begin = time.monotonic()
        try:
            file = back_up(self.server, f"backup-{len(self.backups)}.age", seconds=BACKUP_SECONDS)
            self.backups.append((file, time.monotonic() - begin))
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            self.wrong.append(f"no backup: {failure}")


def too_much(samples: list[Sample]) -> list[str]:
    """What is wrong with so much memory."""
    return [
        f"{one.kib} KiB of memory after {one.seconds:.0f} s, {MEMORY_MAX_KIB} KiB at most were expected"
        for one in samples if one.kib > MEMORY_MAX_KIB
    ][:1]  # fmt: skip


def make_plan(seconds: float, luck: random.Random) -> list[tuple[float, str]]:
    """What is done to the service, and when: an end for every quarter of an hour, two at least; as many backups."""
    count = max(2, round(seconds / 450))
    ends = [(seconds * luck.uniform(0.1, 0.5), ("kill", "terminate")[number % 2]) for number in range(count)]
    return sorted(ends + [(seconds * luck.uniform(0.2, 0.9), "back_up") for _ in range(max(1, count // 2))])


