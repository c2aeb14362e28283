"""Clients that change things of their own, by calls that the seed chooses, and know what must come of it."""

from torture.workers.keys import ImportWorker, KeyWorker, ReplicaWorker
from torture.workers.objects import ObjectWorker
from torture.workers.users import UserWorker
from torture.workers.worker import Worker, owner

__all__ = ["Worker", "all_workers", "owner"]


def all_workers(seed: int) -> list[Worker]:
    """One of each kind, some of them twice."""
    return [
        KeyWorker("keys0", seed),
        KeyWorker("keys1", seed),
        ImportWorker("imports", seed),
        ReplicaWorker("replicas", seed),
        UserWorker("users", seed),
        ObjectWorker("plain", seed),
        ObjectWorker("versioned", seed, versioned=True),
    ]
