"""Settings: the example file, the layers (flags over environment over file), CORS, the log.

Source: keywright.example.toml, which doubles as the manual; the Fetch standard for CORS.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from harness import clients, dev_clock
from harness.expect import CONSTRAINT, refused
from harness.raw import Request, exchange, kms_request, sign
from harness.seed import SEEDED_KEY
from harness.server import Server

REPOSITORY = Path(__file__).parents[2]
CONSOLE = "https://console.example.com"
# What the AWS SDK for JavaScript sends from a browser.
SDK_HEADERS = (
    "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,x-amz-date,"
    "x-amz-security-token,x-amz-target,x-amz-user-agent"
)


def with_config(folder: Path, text: str, *arguments: str, **environment: str) -> Server:
    config = folder / "config.toml"
    config.write_text(text)
    return Server(folder, seed=None, arguments=("--config", str(config), *arguments), environment=environment)


def region_of(server: Server) -> str:
    """The Region of the profile that the first start writes."""
    server.start()
    profile = (server.data / "aws-profile").read_text()
    server.stop()
    (line,) = [line for line in profile.splitlines() if line.startswith("region = ")]
    return line.removeprefix("region = ")


def test_the_example_is_taken_as_it_is(tmp_path: Path) -> None:
    example = (REPOSITORY / "keywright.example.toml").read_text()
    assert region_of(with_config(tmp_path, example)) == "us-east-1"


FILE = 'default_region = "eu-west-1"'


@pytest.mark.parametrize(
    ("arguments", "environment", "region"),
    [
        ((), {}, "eu-west-1"),
        ((), {"KEYWRIGHT_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        (("--default-region", "eu-west-3"), {"KEYWRIGHT_DEFAULT_REGION": "eu-west-2"}, "eu-west-3"),
    ],
    ids=["file", "environment", "flag"],
)
def test_flags_stand_over_the_environment_over_the_file(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], region: str
) -> None:
    assert region_of(with_config(tmp_path, FILE, *arguments, **environment)) == region


def test_the_file_can_be_named_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text(FILE)
    server = Server(tmp_path, seed=None, environment={"KEYWRIGHT_CONFIG": str(tmp_path / "elsewhere.toml")})
    assert region_of(server) == "eu-west-1"


def test_cors_for_the_origins_that_are_named(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.arguments = with_config(tmp_path, f'[cors]\norigins = ["{CONSOLE}"]').arguments
    server.start()
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": SDK_HEADERS}
    preflight = exchange(server, Request("OPTIONS", "/", {"Origin": CONSOLE} | asked, b""))
    assert preflight.status in (200, 204)
    assert preflight.headers["access-control-allow-origin"] == CONSOLE
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
    assert allowed >= set(SDK_HEADERS.split(","))
    for request in (sign(server, kms_request("ListKeys")), kms_request("ListKeys")):  # refusals are readable, too
        request.headers["Origin"] = CONSOLE
        answer = exchange(server, request)
        assert answer.headers["access-control-allow-origin"] == CONSOLE
        assert "x-amzn-requestid" in answer.headers["access-control-expose-headers"].lower()
    for origin in ("https://evil.example.com", "null", CONSOLE + ".evil.example.com", CONSOLE.replace("https", "http")):
        stranger = exchange(server, Request("OPTIONS", "/", {"Origin": origin} | asked, b""))
        assert "access-control-allow-origin" not in stranger.headers
    server.stop()


RAISED = """
[limits]
body_max_bytes = 1463776
[kms]
encrypt_plaintext_max_bytes = 1048576
deletion_window_days = 8
aliases_per_key_max = 1
"""


def test_the_limits_of_operations_are_the_operators(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.arguments = with_config(tmp_path, RAISED).arguments
    kms = clients.kms(server.start())
    longest = bytes(1 << 20)
    blob = kms.encrypt(KeyId=SEEDED_KEY, Plaintext=longest)["CiphertextBlob"]
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    again = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=again)["Plaintext"] == longest
    too_long = f"{CONSTRAINT}Value at 'plaintext' failed to satisfy constraint: Member must have length less than or "
    with refused("ValidationException", f"{too_long}equal to 1048576"):
        kms.encrypt(KeyId=SEEDED_KEY, Plaintext=longest + b"1")
    kms.create_alias(AliasName="alias/one", TargetKeyId=other)
    with refused("LimitExceededException"):
        kms.create_alias(AliasName="alias/two", TargetKeyId=other)
    assert kms.schedule_key_deletion(KeyId=other)["PendingWindowInDays"] == 8
    server.stop()


QUOTAS = """
[request_quotas]
enabled = true
[request_quotas.per_second]
cryptographic_operations_symmetric = 2
"""


def test_request_quotas_throttle_as_aws_does(tmp_path: Path) -> None:
    server = Server(tmp_path, development=True)
    server.arguments = with_config(tmp_path, QUOTAS).arguments
    kms = clients.kms(server.start())
    throttled = refused(
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    )
    with throttled:
        for _ in range(1000):  # far more than two in a second, however slow the machine
            kms.generate_random(NumberOfBytes=1)
    assert kms.describe_key(KeyId=SEEDED_KEY)["KeyMetadata"]["Enabled"], "another quota"
    dev_clock.advance(server, timedelta(seconds=1))
    assert kms.encrypt(KeyId=SEEDED_KEY, Plaintext=b"x")["CiphertextBlob"]
    server.stop()


def test_a_log_of_json_lines(tmp_path: Path) -> None:
    server = Server(tmp_path, arguments=("--log-format", "json"))
    server.start()
    clients.kms(server).list_keys()
    server.stop()
    lines = [line for line in server.output.splitlines() if line.startswith("{")]
    assert lines
    for line in lines:
        json.loads(line)


def test_only_the_named_regions_are_served(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.arguments = with_config(tmp_path, 'regions = ["eu-central-1", "us-east-1"]').arguments
    server.start()
    assert exchange(server, sign(server, kms_request("ListKeys"))).status == 200
    answer = exchange(server, sign(server, kms_request("ListKeys"), region="eu-west-1"))
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    assert answer.text is not None and answer.text.startswith("Credential should be scoped to a valid region")
    server.stop()


def test_a_passphrase_from_a_file(tmp_path: Path) -> None:
    passphrase = "a passphrase from a file"
    (tmp_path / "passphrase").write_text(passphrase + "\n")
    (tmp_path / "passphrase").chmod(0o600)
    server = Server(tmp_path, arguments=("--passphrase-file", str(tmp_path / "passphrase"))).start()
    assert passphrase not in Path(f"/proc/{server.pid}/cmdline").read_text()
    assert passphrase not in server.output
    server.stop()
    (tmp_path / "passphrase").write_text(passphrase)  # the line's end does not count
    server.start()
    server.stop()
    assert os.stat(server.data / "root.json").st_mode & 0o077 == 0
