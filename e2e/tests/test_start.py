"""How long a start takes and how much memory an idle server holds. Both are printed; only nonsense fails."""

import statistics
from collections.abc import Callable

from harness import clients
from harness.server import Server, start_to_first_answer

STARTS = 7


def test_a_start_on_an_existing_store(fresh_server: Server, report: Callable[[str], None]) -> None:
    kms = clients.kms(fresh_server)
    for number in range(200):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=key)
    fresh_server.stop()
    taken = []
    for _ in range(STARTS):
        taken.append(start_to_first_answer(fresh_server))
        fresh_server.stop()
    milliseconds = sorted(1000 * seconds for seconds in taken)
    report(
        f"start to first answer: median {statistics.median(milliseconds):.0f} ms, "
        f"from {milliseconds[0]:.0f} to {milliseconds[-1]:.0f} ms (goal: below 100 ms)"
    )
    assert milliseconds[0] < 2000


def test_idle_memory(fresh_server: Server, report: Callable[[str], None]) -> None:
    clients.kms(fresh_server).list_keys()
    mebibytes = fresh_server.resident_kib() / 1024
    report(f"idle resident memory: {mebibytes:.1f} MiB (goal: below 40 MB)")
    assert mebibytes < 200
