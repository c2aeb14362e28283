"""Many clients who begin at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def at_once(many: list[Any], work: Callable[[Any, int], Any]) -> list[Any]:
    """`work(client, number)` by all clients, begun at the same moment; their results in order."""
    gate = threading.Barrier(len(many), timeout=60)

    def one(number: int) -> Any:
        gate.wait()
        return work(many[number], number)

    with ThreadPoolExecutor(len(many)) as pool:
        return list(pool.map(one, range(len(many))))
