"""Backups, who opens them, and services that are restored from them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from harness.seed import ONE, Account
from harness.server import EXIT_OK, Server, run_tool


@dataclass
class Keeper:
    """Who can open backups."""

    identity: Path
    recipient: str

    def opened(self, backup: Path) -> bytes:
        """The archive in a backup."""
        text = self.identity.read_text().splitlines()[-1]
        return pyrage.decrypt(backup.read_bytes(), [pyrage.x25519.Identity.from_str(text)])

    def closed(self, archive: bytes, place: Path) -> Path:
        """A file for this keeper with whatever in it."""
        place.write_bytes(pyrage.encrypt(archive, [pyrage.x25519.Recipient.from_str(self.recipient)]))
        return place


def new_keeper(folder: Path, name: str = "identity.txt") -> Keeper:
    made = run_tool("backup", "new-identity", name, folder=folder)
    assert made.returncode == EXIT_OK, made.stderr
    label, recipient = made.stdout.split()[:2], made.stdout.split()[-1]
    assert label == ["Public", "key:"]
    return Keeper(folder / name, recipient)


def server_for(place: Path, keeper: Keeper | None, settings: str = "", **more: Any) -> Server:
    """A server whose operator has said whom backups are for."""
    place.mkdir(exist_ok=True)
    configuration = place / "keywright.toml"
    recipients = f'"{keeper.recipient}"' if keeper else ""
    configuration.write_text(f"[backup]\nrecipients = [{recipients}]\n{settings}")
    return Server(place, arguments=("--config", str(configuration)), **more)


def credentials(server: Server, account: Account = ONE) -> dict[str, str]:
    own_authority = {"AWS_CA_BUNDLE": str(server.data / "tls-development-ca.pem")} if server.scheme == "https" else {}
    return own_authority | {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
    }


def back_up(
    server: Server, file: str = "backup.age", account: Account = ONE, *, seconds: float = 60.0
) -> Path:
    """A backup of a running server."""
    environment = credentials(server, account)
    made = run_tool("backup", file, folder=server.folder, environment=environment, seconds=seconds)
    assert made.returncode == EXIT_OK, made.stderr
    return server.folder / file


def restore(backup: Path, keeper: Keeper, data: Path) -> subprocess.CompletedProcess[str]:
    arguments = ("restore", "--data-dir", str(data), "--identity", str(keeper.identity), str(backup))
    return run_tool(*arguments, folder=backup.parent)


def restored(backup: Path, keeper: Keeper, place: Path, settings: str = "", **more: Any) -> Server:
    """A server, not started, on what a backup gives; its trail holds."""
    server = server_for(place, keeper, settings, **more)
    done = restore(backup, keeper, server.data)
    assert done.returncode == EXIT_OK, done.stderr
    assert_trail(server)
    return server


def assert_trail(server: Server) -> None:
    verified = run_tool("trail", "verify", "--data-dir", str(server.data), folder=server.folder)
    assert verified.returncode == EXIT_OK, verified.stdout + verified.stderr


def digests(server: Server) -> list[Path]:
    return list((server.data / "trail/delivered").rglob("*Digest*.json.gz"))


def blobs(server: Server) -> set[str]:
    return {path.name for path in (server.data / "objects").glob("??/*")}
