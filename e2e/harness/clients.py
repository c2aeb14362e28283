"""Real AWS clients, pointed at a server."""

import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from harness.seed import EUROPE, ONE, Account
from harness.server import Server, clean_environment

TOOLS = Path(sys.executable).parent


def kms(server: Server, account: Account = ONE, region: str = EUROPE, **options: Any) -> Any:
    """A boto3 KMS client that never retries, so that a fault shows."""
    return client("kms", server.endpoint, account, region, tuple(sorted(options.items())))


def sts(server: Server, account: Account = ONE, region: str = EUROPE) -> Any:
    """A boto3 STS client that never retries."""
    return client("sts", server.endpoint, account, region, ())


def iam(server: Server, account: Account = ONE, region: str = EUROPE, **options: Any) -> Any:
    """A boto3 IAM client that never retries."""
    return client("iam", server.endpoint, account, region, tuple(sorted(options.items())))


def s3(
    server: Server,
    account: Account = ONE,
    region: str = EUROPE,
    *,
    endpoint: str | None = None,
    style: str = "path",
    **options: Any,
) -> Any:
    """A boto3 S3 client that never retries. The certificate is not checked: test_tls.py does that."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or server.endpoint,
        region_name=region,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        verify=False if server.scheme == "https" else None,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            signature_version="s3v4",
            s3={"addressing_style": style},
            **options,
        ),
    )


def anonymous_s3(server: Server, *, endpoint: str | None = None, style: str = "path") -> Any:
    """A boto3 S3 client that signs nothing and never retries."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or server.endpoint,
        region_name=EUROPE,
        verify=False if server.scheme == "https" else None,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            signature_version=UNSIGNED,
            s3={"addressing_style": style},
        ),
    )


def cloudtrail(server: Server, account: Account = ONE, region: str = EUROPE, **options: Any) -> Any:
    """A boto3 CloudTrail client that waits when it looks events up more often than it may."""
    patient = {"retries": {"total_max_attempts": 12, "mode": "standard"}} | options
    return fresh_client("cloudtrail", server.endpoint, account, region, **patient)


@lru_cache(maxsize=64)
def client(service: str, endpoint: str, account: Account, region: str, options: tuple[tuple[str, Any], ...]) -> Any:
    return fresh_client(service, endpoint, account, region, None, max_pool_connections=64, **dict(options))


def fresh_client(
    service: str, endpoint: str, account: Account, region: str, token: str | None = None, **options: Any
) -> Any:
    """A boto3 client that nobody else has; with a token, that of a session. It never retries unless options say so."""
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        aws_session_token=token,
        # The certificate is not checked: test_tls.py does that.
        verify=False if endpoint.startswith("https:") else None,
        config=Config(**{"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 30} | options),
    )


def account_environment(server: Server, account: Account = ONE, region: str = EUROPE) -> dict[str, str]:
    """The environment variables that every AWS client understands."""
    return {
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def tool_environment(folder: Path, additions: dict[str, str]) -> dict[str, str]:
    """A clean environment in which the installed client programs are found first."""
    environment = clean_environment(folder)
    environment["PATH"] = f"{TOOLS}:{environment['PATH']}"
    return environment | additions


def run(
    command: list[str], folder: Path, additions: dict[str, str], *, stdin: str | None = None, seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Runs a client program to its end."""
    return subprocess.run(
        command,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=folder,
        env=tool_environment(folder, additions),
    )


def with_session(server: Server, service: str, credentials: dict[str, Any], region: str = EUROPE) -> Any:
    """A boto3 client with temporary credentials, as STS answers them."""
    return boto3.session.Session().client(
        service,
        endpoint_url=server.endpoint,
        region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
    )
