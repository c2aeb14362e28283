"""The first minute: an empty folder, one command, a working AWS CLI.

Source: README, "One minute to the first success".
"""

import json
import re
import shlex
import stat
from pathlib import Path

import pytest

from harness import clients
from harness.clients import run
from harness.raw import get
from harness.server import Server


@pytest.fixture
def bare_server(tmp_path: Path) -> Server:
    """A server on an empty folder, without a seed, not started."""
    return Server(tmp_path, seed=None)


def printed_environment(output: str) -> dict[str, str]:
    """The `export NAME=value` lines that the server prints for pasting."""
    found = re.findall(r"export (AWS_\w+)=(\S+)", output)
    return {name: shlex.split(value)[0] for name, value in found}


def printed_call(output: str) -> str:
    """The first call that the server prints for pasting."""
    (call,) = re.findall(r"^\s*(?:\$ )?(aws \S.*)$", output, re.MULTILINE)[:1]
    return call


def secret_of(server: Server) -> str:
    found = re.search(
        r"^\s*aws_secret_access_key\s*=\s*(\S+)$", (server.data / "aws-profile").read_text(), re.MULTILINE
    )
    assert found
    return found[1]


def test_the_printed_lines_work_as_they_are(bare_server: Server) -> None:
    bare_server.start()
    environment = printed_environment(bare_server.output)
    assert environment["AWS_CONFIG_FILE"] == str(bare_server.data / "aws-profile")
    assert environment["AWS_PROFILE"]
    call = run(["bash", "-c", printed_call(bare_server.output)], bare_server.folder, environment)
    assert call.returncode == 0, call
    made = run(["aws", "kms", "create-key", "--output", "json"], bare_server.folder, environment)
    assert made.returncode == 0, made
    who = run(["aws", "sts", "get-caller-identity", "--output", "json"], bare_server.folder, environment)
    assert who.returncode == 0, who
    account = json.loads(made.stdout)["KeyMetadata"]["AWSAccountId"]
    assert re.fullmatch(r"\d{12}", account)
    assert json.loads(who.stdout)["Account"] == account
    bare_server.stop()


def test_the_profile_is_for_its_owner_only(bare_server: Server) -> None:
    bare_server.start()
    profile = bare_server.data / "aws-profile"
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    assert bare_server.endpoint in profile.read_text()
    for path in [bare_server.data, *bare_server.data.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} is open to others"
    bare_server.stop()


def test_the_second_start_finds_everything_and_prints_no_secret(bare_server: Server) -> None:
    bare_server.start()
    environment = printed_environment(bare_server.output)
    secret = secret_of(bare_server)
    assert bare_server.output.count(secret) == 1, "the secret is shown once"
    made = run(["aws", "kms", "create-key", "--output", "json"], bare_server.folder, environment)
    key = json.loads(made.stdout)["KeyMetadata"]
    first_port = bare_server.port
    bare_server.stop()

    bare_server.launch(first_port)  # the profile names the endpoint
    bare_server.wait_until_ready()
    assert secret not in bare_server.output
    described = run(
        ["aws", "kms", "describe-key", "--key-id", key["KeyId"], "--output", "json"], bare_server.folder, environment
    )
    assert described.returncode == 0, described
    assert json.loads(described.stdout)["KeyMetadata"] == key
    assert secret_of(bare_server) == secret
    bare_server.stop()


def test_the_log_names_the_address(bare_server: Server) -> None:
    bare_server.start()
    assert f"127.0.0.1:{bare_server.port}" in bare_server.output
    bare_server.stop()


def test_health(bare_server: Server) -> None:
    bare_server.start()
    for path in ("/livez", "/readyz", "/healthz"):
        assert get(bare_server, path).status == 200
    bare_server.stop()


def test_a_request_under_way_is_finished_before_the_end(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)]
    fresh_server.restart()
    kms = clients.kms(fresh_server)
    listed = {entry["KeyId"] for entry in kms.list_keys()["Keys"]}
    assert set(keys) <= listed


def test_the_development_server_says_what_it_is(dev_server: Server) -> None:
    # `--dev`: account 000000000000, test/test, loudly for tests only.
    assert "for tests only" in dev_server.output.lower(), dev_server.output
