"""A call of every operation, with the event that it must leave: `corpus/events/`."""

from collections.abc import Callable

from harness.events import cloudtrail, iam, keywright, kms, sts
from harness.events.scene import Scene

CALLS: dict[str, Callable[[Scene], None]] = {
    "cloudtrail": cloudtrail.make_calls, "iam": iam.make_calls, "keywright": keywright.make_calls, "kms": kms.make_calls, "sts": sts.make_calls,
}  # fmt: skip
