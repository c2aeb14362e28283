"""One process of clients: each in a thread of its own, until the time is over."""

import faulthandler
import json
import signal
import threading
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

from harness.callers import Caller
from soak.asking import Unanswered
from soak.clients import all_clients
from soak.clients.client import Client, World
from soak.clients.rememberers import note_answers
from soak.endpoint import Endpoint
from soak.ledger import Ledger, Wrong

# A client that was told so much that is wrong stops.
WRONG_MAX = 20


@dataclass(frozen=True)
class Share:
    """The part of the clients that one process runs."""

    number: int
    of: int


def trust_certificates() -> None:
    """Says nothing of certificates that are not checked: test_tls.py does that."""
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")


def work(share: Share, seed: int, endpoint: Endpoint, accounts: tuple[Caller, ...], folder: Path) -> None:
    """Runs this share of the clients until the endpoint says that it is over. To be called in a process of its own."""
    trust_certificates()
    # Where every client is, for when they do not come to an end.
    faulthandler.register(signal.SIGUSR1, (folder / f"stacks-{share.number}").open("w"))
    ledger = Ledger(folder, str(share.number))
    world = World(endpoint, ledger, accounts)
    note_answers(world)
    mine = all_clients(seed, world)[share.number :: share.of]
    threads = [threading.Thread(target=_live, args=(client, world), name=client.name) for client in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {"calls": dict(ledger.counted), "unanswered": ledger.unanswered}
    (folder / f"counts-{share.number}").write_text(json.dumps(told))
    ledger.close()


def _live(client: Client, world: World) -> None:
    wrong = 0
    while not world.endpoint.over.is_set() and wrong < WRONG_MAX:
        if not world.endpoint.up.wait(1.0):
            continue
        try:
            client.step()
        except Unanswered:
            client.forget()
        except Wrong as found:
            wrong += 1
            world.ledger.tell(client.name, found)
            client.forget()
        except Exception:
            # Whatever a client did not reckon with is an answer that nobody expected.
            wrong += 1
            told = traceback.format_exc()[-1_500:]
            world.ledger.tell(client.name, Wrong(f"a step of {client.name}", told, "no exception"))
            client.forget()


