"""Many objects in one bucket: what a page, a look at one and a start take, with few and with many."""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

from contestant import Contestant, running
from rates import spread
from signed import Client

BUCKET = "/many"
KMS = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-bucket-key-enabled": "true"}
CONNECTIONS = 32
FEW = 1_000
TIMES = 50


def measure(binary: Path, folder: Path, count: int) -> list[str]:
    """The lines of the table."""
    with running("many", binary, folder) as server:
        server.client().call("PUT", BUCKET)
        columns = []
        for first, last in ((0, FEW), (FEW, count)):
            rate = fill(server, first, last)
            columns.append({"objects": f"{last:,}", f"put, objects a second, {CONNECTIONS} connections": f"{rate:.0f}"})
            columns[-1] |= figures(server, last)
    few, many = columns
    lines = [f"| | {few.pop('objects')} objects | {many.pop('objects')} objects |", "|---|---|---|"]
    return lines + [f"| {name} | {few[name]} | {many[name]} |" for name in few]


def fill(server: Contestant, first: int, last: int) -> float:
    """Puts objects of a few bytes, and gives how many a second."""
    began = time.perf_counter()
    failures: list[BaseException] = []

    def put(offset: int) -> None:
        client = server.client()
        try:
            for number in range(first + offset, last, CONNECTIONS):
                client.call("PUT", path_of(number), str(number).encode(), KMS)
        except BaseException as error:  # told by the thread that waits
            failures.append(error)
        client.close()

    threads = [threading.Thread(target=put, args=(offset,), daemon=True) for offset in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return (last - first) / (time.perf_counter() - began)


def path_of(number: int) -> str:
    """Neighbours in time are not neighbours in the listing."""
    return f"{BUCKET}/{number * 7_919 % 1_000_003:07d}"


def figures(server: Contestant, count: int) -> dict[str, str]:
    starts = []
    for _ in range(5):
        server.stop()
        starts.append(server.start())
    client = server.client()
    half = "0500000"
    found = {
        "the first page of 1,000 keys, ms": timed(lambda _: page(client, "", count)),
        "a page from the middle on, ms": timed(lambda _: page(client, f"&start-after={half}", count // 3)),
        "HEAD, ms": timed(lambda turn: client.call("HEAD", path_of(turn * count // TIMES))),
        "GET, ms": timed(lambda turn: read(client, turn * count // TIMES)),
        "start to the first answer, ms": spread([start * 1e3 for start in starts], ".0f"),
        "resident memory after that, MiB": f"{server.forget_peak() / 2**20:.0f}",
        "data folder, MB": f"{server.disk_bytes() / 1e6:.0f}",
    }
    client.close()
    return found


def timed(call: Callable[[int], object]) -> str:
    taken = []
    for turn in range(TIMES):
        began = time.perf_counter()
        call(turn)
        taken.append((time.perf_counter() - began) * 1e3)
    return f"{statistics.median(taken):.2f} ({min(taken):.2f} to {max(taken):.2f})"


def page(client: Client, more: str, least: int) -> None:
    listed = client.call("GET", f"{BUCKET}?list-type=2&max-keys=1000{more}")
    assert listed.count(b"<Key>") >= min(1_000, least)


def read(client: Client, number: int) -> None:
    assert client.call("GET", path_of(number)) == str(number).encode()
