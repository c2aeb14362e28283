"""What no event shows: the secrets and bytes of all calls are searched for in the trail and in the server's log.

Source: AWS KMS developer guide, "Logging AWS KMS API calls with AWS CloudTrail": plaintexts, data keys, ciphertexts,
signatures, key material and tokens are never in an entry.
"""

import base64
from collections.abc import Iterator
from typing import Any

from harness.events import kms
from harness.events.scene import Scene
from harness.seed import ONE
from harness.server import Server

# Texts that are secret, by the members that hold them; of all other members bytes are.
SECRET = {
    "EncodedMessage", "GrantToken", "GrantTokens", "KeyStorePassword", "RawSecretAccessKey", "SecretAccessKey",
    "SessionToken", "WebIdentityToken",
}  # fmt: skip
# Fewer bytes stand somewhere by chance.
LEAST = 8
# So much out of the middle of a longer value is searched for as well; divisible by three, so that base64 has it, too.
PIECE = 24


def secrets(value: Any, member: str = "") -> Iterator[bytes]:
    """All of them in a request or answer."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from secrets(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from secrets(part, member)
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, str) and member in SECRET:
        yield value.encode()


def planted(scene: Scene) -> dict[bytes, str]:
    """The secrets of all calls, with the names of the calls."""
    found = {}
    for name, made in scene.made.items():
        for value in (*secrets(made.parameters), *secrets(made.answer)):
            if len(value) >= LEAST:
                found[value] = name
    return found


def forms(value: bytes) -> set[bytes]:
    """How a value, or a piece of it, could be written down."""
    start = len(value) // 6 * 3
    pieces = [value, value[start : start + PIECE]] if len(value) > 2 * PIECE else [value]
    return {form for piece in pieces for form in written(piece)}


def written(value: bytes) -> Iterator[bytes]:
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield base64.b64encode(value).rstrip(b"=")
    yield base64.urlsafe_b64encode(value).rstrip(b"=")


def trail_of(server: Server) -> bytes:
    files = sorted(path for path in (server.data / "trail").rglob("*") if path.is_file())
    assert files
    return b"".join(path.read_bytes() for path in files)


def test_no_secret_is_in_the_trail_or_in_the_log(scenes: dict[str, Scene]) -> None:
    for scene in scenes.values():
        places = {"trail": trail_of(scene.server), "log": scene.server.output.encode()}
        for value, name in planted(scene).items():
            for form in forms(value):
                for place, text in places.items():
                    assert form not in text, f"{name}: {value[:PIECE]!r} is in the {place} as {form!r}"
        for account_secret in forms(ONE.secret_access_key.encode()):
            assert not any(account_secret in text for text in places.values())


def test_every_kind_of_secret_was_searched_for(scenes: dict[str, Scene]) -> None:
    seen = {member for scene in scenes.values() for made in scene.made.values() for member in members(made)}
    assert seen >= SECRET | {
        "CiphertextBlob", "EncryptedKeyMaterial", "ImportToken", "Mac", "Message", "Plaintext",
        "PrivateKeyCiphertextBlob", "PrivateKeyPlaintext", "PublicKey", "SharedSecret", "Signature",
    }  # fmt: skip


def members(made: Any) -> Iterator[str]:
    for value in (made.parameters, made.answer):
        yield from _members(value)


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _members(part)
    elif isinstance(value, list):
        for part in value:
            yield from _members(part)


def test_what_events_show_is_found(scenes: dict[str, Scene]) -> None:
    """The twin: the search finds what stands there."""
    text = trail_of(scenes["kms"].server)
    for shown in (*kms.CONTEXT.values(), "from our safe", "described", "by-name", "AES_256"):
        assert any(form in text for form in forms(shown.encode())), shown
    policy = scenes["kms"].values["policy"]
    assert policy.encode().replace(b'"', b'\\"') in text
    assert b"DEBUG" in scenes["kms"].server.output.encode()


def test_the_search_knows_every_form() -> None:
    value = bytes(range(100, 180))
    for text in (value, value.hex().encode(), value.hex().upper().encode(), base64.b64encode(value)):
        assert any(form in b"before" + text + b"after" for form in forms(value))
    assert not any(form in base64.b64encode(bytes(200)) for form in forms(value))
