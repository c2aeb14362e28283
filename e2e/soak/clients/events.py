"""LookupEvents: what was done with a key is found at once, newest first, and nothing else."""

import json
import time
from typing import Any

from harness.callers import Caller
from soak.clients.client import Client, World

# "The rate of lookup requests is limited to two per second, per account, per Region": each account has one such client.
BETWEEN_SECONDS = 1.2


class EventClient(Client):
    """A client that does something with a key and looks its events up."""

    def __init__(self, name: str, seed: int, world: World, me: Caller):
        super().__init__(name, seed, world, me)
        self.key = ""
        self.done_with_it: list[tuple[str, str]] = []
        self._looked = 0.0

    def forget(self) -> None:
        self.key = ""

    def step(self) -> None:
        if not self.key:
            answer = self.ask("CreateKey")
            self.is_told("new key", answer.code, None)
            self.key = answer.told["KeyMetadata"]["Arn"]
            self.done_with_it = [("CreateKey", answer.request)]
        if len(self.done_with_it) < 12:
            self._use()
        elif time.monotonic() - self._looked > BETWEEN_SECONDS:
            self._look_up()
        else:
            self.done("GenerateRandom", NumberOfBytes=8)

    def _use(self) -> None:
        operation, more = self.luck.choice((
            ("Encrypt", {"Plaintext": b"x"}), ("DescribeKey", {}), ("GenerateDataKey", {"KeySpec": "AES_256"}),
            ("ListResourceTags", {}), ("UpdateKeyDescription", {"Description": "x"}), ("GetKeyPolicy", {}),
        ))  # fmt: skip
        answer = self.ask(operation, KeyId=self.key, **more)
        self.is_told(operation, answer.code, None)
        self.done_with_it.append((operation, answer.request))

    def _look_up(self) -> None:
        found: list[tuple[str, str]] = []
        asked: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": self.key}], "MaxResults": 50,
        }  # fmt: skip
        self._looked = time.monotonic()
        told = self.done("LookupEvents", service="cloudtrail", **asked)
        for event in told["Events"]:
            found.append((event["EventName"], json.loads(event["CloudTrailEvent"])["requestID"]))
        self.is_told(f"events of {self.key}", found, self.done_with_it[::-1])
        self.is_told("more events", told.get("NextToken"), None)
        if self.luck.random() < 0.5:
            self.key = ""
        else:
            # The next look finds one more.
            self._use()
