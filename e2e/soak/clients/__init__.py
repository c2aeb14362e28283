"""The clients, by kind."""

from soak.clients.client import Client, World
from soak.clients.encryption import EncryptionClient
from soak.clients.events import EventClient
from soak.clients.imports import ImportClient
from soak.clients.key_pairs import KeyPairClient
from soak.clients.objects import ObjectClient
from soak.clients.permissions import GrantClient, RoleClient, UserClient
from soak.clients.rememberers import Rememberer
from soak.clients.shared import SHARED
from torture.workers import all_workers


def all_clients(seed: int, world: World) -> list[Client]:
    """All of them, always in the same order; those of a kind in different accounts."""
    one, *others = world.accounts
    made: list[Client] = []
    for number, account in enumerate((*others, *others)):
        made.append(EncryptionClient(f"encryption{number}", seed, world, account))
    made.append(EncryptionClient("encryption-boto", seed, world, others[0], world.boto()))
    made += [KeyPairClient(f"pairs{number}", seed, world, others[number]) for number in range(2)]
    made += [ImportClient(f"imports{number}", seed, world, others[number]) for number in range(2)]
    made += [EventClient(f"events{number}", seed, world, account) for number, account in enumerate(others)]
    made += [ObjectClient(f"objects{number}", seed, world, others[number]) for number in range(2)]
    for number, kind in enumerate((GrantClient, UserClient, RoleClient, GrantClient)):
        made.append(kind(f"{kind.__name__}{number}", seed, world, others[number % len(others)]))
    for number, kind in enumerate(SHARED):
        made.append(kind(f"{kind.__name__}", seed, world, others[number % len(others)]))
    made += [Rememberer(f"torture-{worker.name}", seed, world, one, worker) for worker in all_workers(seed)]
    return made
