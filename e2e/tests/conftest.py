"""The servers that the tests talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import clients
from harness.backups import Keeper, new_keeper
from harness.buckets import new_bucket
from harness.callers import new_user
from harness.events import CALLS, sts
from harness.events.scene import Scene
from harness.iam import allow, document, fresh
from harness.seed import DEVELOPMENT, EUROPE
from harness.server import BINARY, Server


def pytest_sessionstart(session: pytest.Session) -> None:
    if not session.config.option.collectonly and not BINARY.exists():
        pytest.exit(f"no binary at {BINARY}: build it, or name another one in KEYWRIGHT_BINARY", returncode=2)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not mind each other: two accounts, keys in two Regions."""
    yield from _running(Server(tmp_path_factory.mktemp("server")))


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of this test's own, on an empty data folder, with the same seed."""
    yield from _running(Server(tmp_path))


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A `--dev` server per module, whose clock the module's tests may move."""
    yield from _running(Server(tmp_path_factory.mktemp("dev"), seed=None, development=True))


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    """Every operation called, of each service on a server of its own that logs all that it can."""
    made = {}
    for service, make_calls in CALLS.items():
        made[service] = Scene(sts.new_server(tmp_path_factory.mktemp(service)).start())
        make_calls(made[service])
    yield made
    for scene in made.values():
        scene.server.close()


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Ends the servers that a failed test left behind."""
    before = set(Server.running)
    yield
    for server in Server.running - before:
        server.take_process().kill()


def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """Who can open backups."""
    return new_keeper(tmp_path)


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Shows a measurement also when the test passes."""

    def show(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return show


@pytest.fixture
def kms(server: Server) -> Any:
    """boto3 KMS of account one in eu-central-1, on the shared server."""
    return clients.kms(server)


@pytest.fixture
def iam(server: Server) -> Any:
    """boto3 IAM of account one, on the shared server."""
    return clients.iam(server)


@pytest.fixture
def unchecked(server: Server) -> Any:
    """As `kms`, but boto3 sends what it is given instead of checking it first."""
    return clients.kms(server, parameter_validation=False)


@pytest.fixture
def new_key(kms: Any) -> Callable[..., str]:
    """Makes a key and returns its ARN."""
    return lambda **parameters: kms.create_key(**parameters)["KeyMetadata"]["Arn"]


@pytest.fixture
def key(new_key: Callable[..., str]) -> str:
    """The ARN of a key that nobody else uses."""
    return new_key()


@pytest.fixture
def dev_kms(dev_server: Server) -> Any:
    """boto3 KMS of the development account."""
    return clients.kms(dev_server, DEVELOPMENT, EUROPE)


@pytest.fixture
def dev_key(dev_kms: Any) -> str:
    """The ARN of a key on the development server."""
    return dev_kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a certificate that it has made itself."""
    yield from _running(Server(tmp_path_factory.mktemp("tls"), arguments=("--tls-development",), scheme="https"))


@pytest.fixture
def s3(server: Server) -> Any:
    """boto3 S3 of account one."""
    return clients.s3(server)


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of account one that nobody else uses."""
    return new_bucket(s3)


@pytest.fixture
def s3_user(server: Server) -> Callable[..., Any]:
    """Makes users of account one who may take some actions on one resource, and gives their S3 clients."""

    def make(action: str | list[str], resource: str, condition: dict[str, Any] | None = None) -> Any:
        actions = [action] if isinstance(action, str) else action
        statement = allow(*actions, resource=resource, **({"Condition": condition} if condition else {}))
        caller = new_user(server, fresh("user"))
        clients.iam(server).put_user_policy(
            UserName=caller.name, PolicyName="p", PolicyDocument=document(statement)
        )
        return clients.s3(server, caller.account)

    return make
