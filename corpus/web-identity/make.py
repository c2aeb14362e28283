#!/usr/bin/env python3
"""Makes tokens.json anew: key sets and tokens as another library makes them, and as somebody would who is not believed.

    e2e/.venv/bin/python corpus/web-identity/make.py

All keys in the file are its own and open nothing anywhere.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, ed448, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLAIMS = {
    "iss": "https://issuer.example",
    "sub": "repo:octo/one:ref:refs/heads/main",
    "aud": "sts.amazonaws.com",
    "exp": 1700003600,
    "iat": 1700000000,
    "nbf": 1700000000.5,
    "https://aws.amazon.com/tags": {"principal_tags": {"Team": ["one"]}, "transitive_tag_keys": ["Team"]},
}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1, "secp256k1": ec.SECP256K1}
# Points of small order (RFC 8032 section 5.1): the neutral one, and one of order 8.
WEAK = [b"\1" + bytes(31), bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, length: int | None = None) -> str:
    return text(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **more}
    if isinstance(public, ec.EllipticCurvePublicKey):
        curve = next(name for name, curve in CURVES.items() if isinstance(public.curve, curve))
        length = (public.curve.key_size + 7) // 8
        point = public.public_numbers()
        return {"kty": "EC", "crv": curve, "x": number(point.x, length), "y": number(point.y, length), **more}
    curve = "Ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "Ed448"
    return {"kty": "OKP", "crv": curve, "x": text(public.public_bytes_raw()), **more}


def signature(key: Any, algorithm: str, message: bytes) -> bytes:
    """What the algorithm makes of the key, whether or not the key is meant for it."""
    if isinstance(key, rsa.RSAPrivateKey):
        made = HASHES[algorithm[2:]]()
        pss = padding.PSS(padding.MGF1(made), made.digest_size)
        return key.sign(message, pss if algorithm.startswith("PS") else padding.PKCS1v15(), made)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        made = HASHES[algorithm[2:5]]()
        length = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(made)))
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")
    return key.sign(message)


def signed(header: Any, payload: Any, sign: Any) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    message = ".".join(text(part) for part in parts)
    return f"{message}.{text(sign(message.encode()))}"


def token(key: Any, algorithm: str, payload: Any = None, by: str | None = None, **header: Any) -> str:
    """A token whose header names `algorithm`, signed by the one of `by`, which is the same without."""
    payload = CLAIMS if payload is None else payload
    sign = lambda message: signature(key, by or algorithm, message)
    return signed({"alg": algorithm, **header}, payload, sign)


def changed(made: str, part: int, at: int = 0, bit: int = 1) -> str:
    """The token with one bit of one part turned over."""
    parts = made.split(".")
    data = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    data[at] ^= bit
    parts[part] = text(bytes(data))
    return ".".join(parts)


def cut(made: str) -> str:
    """The token with its signature a byte shorter."""
    message, _, end = made.rpartition(".")
    return f"{message}.{text(base64.urlsafe_b64decode(end + '==')[:-1])}"


def public_forms(key: Any) -> dict[str, bytes]:
    """The public key in the forms that somebody may take for a secret."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key()
    return {
        "DER": public.public_bytes(serialization.Encoding.DER, form),
        "PEM": public.public_bytes(serialization.Encoding.PEM, form),
        "modulus": base64.urlsafe_b64decode(jwk(key)["n"] + "=="),
        "JWK": json.dumps(jwk(key)).encode(),
    }


def main() -> None:
    keys: dict[str, Any] = {f"rsa-{bits}": rsa.generate_private_key(65537, bits) for bits in (2048, 8192)}
    keys |= {f"ec-{curve}": ec.generate_private_key(kind()) for curve, kind in CURVES.items()}
    keys["ed25519"] = ed25519.Ed25519PrivateKey.generate()
    stranger = rsa.generate_private_key(65537, 2048)
    all_keys = [jwk(key, kid=name) for name, key in keys.items()]
    sets: dict[str, Any] = {"every type": all_keys}
    cases: list[dict[str, Any]] = []

    def case(name: str, keys: str, token: str, outcome: str) -> None:
        cases.append({"name": name, "keys": keys, "token": token, "outcome": outcome})

    def alone(name: str, keys: list[dict[str, Any]], token: str, outcome: str) -> None:
        """A case with a key set of its own."""
        sets[name] = keys
        case(name, name, token, outcome)

    # Every algorithm, with and without a key id, and what is changed afterwards.
    names = [(f"{kind}{size}", "rsa-2048") for kind in ("RS", "PS") for size in HASHES]
    names += [("ES256", "ec-P-256"), ("ES384", "ec-P-384"), ("ES512", "ec-P-521")]
    names += [("EdDSA", "ed25519"), ("Ed25519", "ed25519")]
    for algorithm, name in names:
        made = token(keys[name], algorithm, kid=name, typ="JWT")
        case(algorithm, "every type", made, "verified")
        case(f"{algorithm} without a key id", "every type", token(keys[name], algorithm), "verified")
        case(f"{algorithm} with a bit of the claims changed", "every type", changed(made, 1, 12), "bad signature")
        case(f"{algorithm} with a bit of the header changed", "every type", changed(made, 0, -3, 32), "bad signature")
        case(f"{algorithm} with a bit of the signature changed", "every type", changed(made, 2, 20), "bad signature")
        case(f"{algorithm} with a shorter signature", "every type", cut(made), "bad signature")
        case(f"{algorithm} without a signature", "every type", made.rpartition(".")[0] + ".", "bad signature")
    made = token(keys["rsa-8192"], "RS512", kid="rsa-8192")
    case("RSA with 8192 bits", "every type", made, "verified")

    # Algorithms that no key of a provider has.
    for name in ("none", "None", "HS256", "HS384", "HS512", "rs256", "RS1", "ES256K", "RSA-OAEP", "dir", ""):
        case(f"algorithm '{name}'", "every type", signed({"alg": name, "kid": "rsa-2048"}, CLAIMS, lambda _: b""),
             "unsupported algorithm")
    for form, secret in public_forms(keys["rsa-2048"]).items():
        mac = lambda message, secret=secret: hmac.digest(secret, message, hashlib.sha256)
        header = {"alg": "HS256", "kid": "rsa-2048"}
        case(f"HS256 with the public key as secret, {form}", "every type", signed(header, CLAIMS, mac),
             "unsupported algorithm")
        case(f"RS256 with a MAC under the public key, {form}", "every type",
             signed({**header, "alg": "RS256"}, CLAIMS, mac), "bad signature")
    case("ES256K", "every type", token(keys["ec-secp256k1"], "ES256K", kid="ec-secp256k1"), "unsupported algorithm")

    # Another algorithm than the header says, or than the key is for.
    for says, by, name, outcome in [
        ("RS256", "PS256", "rsa-2048", "bad signature"),
        ("PS256", "RS256", "rsa-2048", "bad signature"),
        ("RS256", "RS384", "rsa-2048", "bad signature"),
        ("RS512", "RS256", "rsa-2048", "bad signature"),
        ("ES256", "ES384", "ec-P-256", "bad signature"),
        ("ES384", "ES256", "ec-P-256", "no such key"),
        ("ES256", "ES384", "ec-P-384", "no such key"),
        ("ES256", "ES256", "ec-P-384", "no such key"),
        ("ES512", "ES384", "ec-P-384", "no such key"),
        ("ES256", "ES256", "ec-secp256k1", "no such key"),
        ("ES256", "RS256", "rsa-2048", "no such key"),
        ("EdDSA", "ES256", "ec-P-256", "no such key"),
        ("RS256", "EdDSA", "ed25519", "no such key"),
    ]:
        case(f"{says} signed as {by}, key {name}", "every type", token(keys[name], says, by=by, kid=name), outcome)

    # Which key.
    case("a key id that is not in the set", "every type", token(keys["rsa-2048"], "RS256", kid="other"), "no such key")
    case("a key id in other letters", "every type", token(keys["rsa-2048"], "RS256", kid="RSA-2048"), "no such key")
    case("the id of another key", "every type", token(keys["rsa-2048"], "RS256", kid="rsa-8192"), "bad signature")
    case("the key of a stranger", "every type", token(stranger, "RS256", kid="rsa-2048"), "bad signature")
    case("the key of a stranger, without a key id", "every type", token(stranger, "RS256"), "bad signature")
    stranger_url = "https://stranger.example/keys"
    for member, value in [("jwk", jwk(stranger)), ("jku", stranger_url), ("x5u", stranger_url)]:
        made = token(stranger, "RS256", kid="rsa-2048", **{member: value})
        case(f"the key of a stranger, brought along as {member}", "every type", made, "bad signature")
    good = token(keys["rsa-2048"], "RS256", kid="one")
    ellipse = token(keys["ec-P-256"], "ES256", kid="one")
    rsa_one, ec_one = jwk(keys["rsa-2048"], kid="one"), jwk(keys["ec-P-256"], kid="one")
    alone("a key of another type under the same id", [ec_one], good, "no such key")
    alone("two types under the same id, RSA", [ec_one, rsa_one], good, "verified")
    alone("two types under the same id, EC", [rsa_one, ec_one], ellipse, "verified")
    alone("two keys under the same id", [jwk(stranger, kid="one"), rsa_one], good, "verified")
    alone("an id in the token, none in the set", [jwk(keys["rsa-2048"])], good, "no such key")
    nameless = token(keys["rsa-2048"], "RS256")
    alone("an id in the set, none in the token", [rsa_one], nameless, "verified")
    alone("no keys", [], good, "no such key")
    many = [jwk(ec.generate_private_key(ec.SECP256R1())) for _ in range(9)] + [ec_one]
    anywhere = token(keys["ec-P-256"], "ES256")
    alone("the tenth key without an id in the token", many, anywhere, "verified")
    alone("the eleventh key without an id in the token", [many[0], *many], anywhere, "no such key")
    alone("the eleventh key with an id in the token", [many[0], *many], ellipse, "verified")

    # Keys that say what they are for.
    for about, members, outcome in [
        ("for signatures", {"use": "sig"}, "verified"),
        ("to verify", {"key_ops": ["verify"]}, "verified"),
        ("of the same algorithm", {"alg": "RS256"}, "verified"),
        ("with members that only inform", {"x5t": "x", "exp": 1, "ext": True}, "verified"),
        ("for encryption", {"use": "enc"}, "no such key"),
        ("to wrap", {"key_ops": ["wrapKey"]}, "no such key"),
        ("for nothing", {"key_ops": []}, "no such key"),
        ("for a use that is no text", {"use": ["sig"]}, "no such key"),
        ("of another algorithm", {"alg": "RS384"}, "no such key"),
        ("of another padding", {"alg": "PS256"}, "no such key"),
        ("of an algorithm for encryption", {"alg": "RSA-OAEP"}, "no such key"),
        ("of an algorithm of another type", {"alg": "ES256"}, "no such key"),
        ("of a secret's algorithm", {"alg": "HS256"}, "no such key"),
        ("of an algorithm that is no text", {"alg": None}, "no such key"),
        ("with an id that is no text", {"kid": 1}, "no such key"),
        ("with its private half", {"d": number(keys["rsa-2048"].private_numbers().d)}, "no such key"),
        ("of another type", {"kty": "rsa"}, "no such key"),
        ("that is a secret", {"kty": "oct", "k": "AAAA"}, "no such key"),
    ]:
        alone(f"a key {about}", [{**rsa_one, **members}], good, outcome)
    alone("a key with an id that is no text, and none in the token", [{**rsa_one, "kid": 1}], nameless, "no such key")
    alone("a key of the older name of its algorithm", [jwk(keys["ed25519"], alg="EdDSA")],
          token(keys["ed25519"], "Ed25519"), "verified")
    alone("a key that is good beside some that are none", [1, "key", None, [], {}, {"kty": "RSA"}, rsa_one], good,
          "verified")

    # Keys that are too weak, or none.
    small = rsa.generate_private_key(65537, 1024)
    alone("RSA with 1024 bits", [jwk(small, kid="one")], token(small, "RS256", kid="one"), "no such key")
    below = rsa.generate_private_key(65537, 2040)
    alone("RSA with 2040 bits", [jwk(below, kid="one")], token(below, "RS256", kid="one"), "no such key")
    modulus = keys["rsa-2048"].public_key().public_numbers().n
    for about, members in [
        ("a modulus of 8193 bits", {"n": number(1 << 8192 | 1)}),
        ("a modulus with a leading zero", {"n": number(modulus, 257)}),
        ("an exponent with a leading zero", {"e": number(65537, 4)}),
        ("an exponent of 1", {"e": number(1)}),
        ("an even exponent", {"e": number(65536)}),
        ("an exponent as long as the modulus", {"e": rsa_one["n"]}),
        ("no exponent", {"e": ""}),
        ("a modulus with padding", {"n": rsa_one["n"] + "=="}),
        ("a modulus in base64", {"n": base64.b64encode(b"\xff" * 256).decode().rstrip("=")}),
        ("a modulus that is a number", {"n": 65537}),
    ]:
        alone(f"an RSA key with {about}", [{**rsa_one, **members}], good, "no such key")
    point = keys["ec-P-256"].public_key().public_numbers()
    for about, members in [
        ("a point off its curve", {"y": number(point.y ^ 1, 32)}),
        ("the point 0, 0", {"x": number(0, 32), "y": number(0, 32)}),
        ("a coordinate that is too long", {"x": number(point.x, 33)}),
        ("a coordinate that is too short", {"x": number(point.x, 32)[:-2]}),
        ("another curve", {"crv": "P-384"}),
        ("no curve", {"crv": None}),
        ("a coordinate missing", {"y": None}),
    ]:
        alone(f"an EC key with {about}", [{**ec_one, **members}], ellipse, "no such key")
    for order, weak in zip(("1", "8"), WEAK):
        forged = signed({"alg": "EdDSA"}, CLAIMS, lambda _: b"\1" + bytes(63))
        key = {"kty": "OKP", "crv": "Ed25519", "x": text(weak)}
        alone(f"an Ed25519 key of order {order}", [key], forged, "no such key")
    long = ed448.Ed448PrivateKey.generate()
    alone("an Ed448 key", [jwk(long)], token(long, "EdDSA"), "no such key")
    alone("an Ed25519 key of 31 bytes", [{**jwk(keys["ed25519"]), "x": text(bytes(31))}],
          token(keys["ed25519"], "EdDSA"), "no such key")

    # Headers and claims.
    sign = lambda message: signature(keys["rsa-2048"], "RS256", message)
    whole = json.dumps(CLAIMS).encode()
    for about, header, outcome in [
        ("with an extension that must be understood", {"alg": "RS256", "crit": ["exp"], "exp": 1}, "malformed"),
        ("with a payload that is not encoded", {"alg": "RS256", "crit": ["b64"], "b64": False}, "malformed"),
        ("with an empty list of extensions", {"alg": "RS256", "crit": []}, "malformed"),
        ("without an algorithm", {"kid": "rsa-2048"}, "malformed"),
        ("with an algorithm that is no text", {"alg": ["RS256"]}, "malformed"),
        ("with a key id that is no text", {"alg": "RS256", "kid": 1}, "malformed"),
        ("with an algorithm twice", b'{"alg":"RS256","alg":"RS256"}', "malformed"),
        ("with an algorithm twice, once escaped", b'{"alg":"none","\\u0061lg":"RS256"}', "malformed"),
        ("with an unknown member twice", b'{"alg":"RS256","a":1,"a":1}', "malformed"),
        ("that is an array", [], "malformed"),
        ("that is not JSON", b"RS256", "malformed"),
        ("that is empty", b"", "malformed"),
        ("with more behind it", b'{"alg":"RS256"} {}', "malformed"),
        ("of another type of token", {"alg": "RS256", "typ": "at+jwt", "cty": "x", "a": [{}]}, "verified"),
    ]:
        case(f"a header {about}", "every type", signed(header, CLAIMS, sign), outcome)
    for about, payload, outcome in [
        ("with a claim twice", whole[:-1] + b',"sub":"other"}', "unreadable claims"),
        ("with a claim twice in a claim", b'{"a":{"b":1,"b":1}}', "unreadable claims"),
        ("that are an array", [], "unreadable claims"),
        ("that are not JSON", b"claims", "unreadable claims"),
        ("that are empty", b"", "unreadable claims"),
        ("that are not UTF-8", b'{"sub":"\xff"}', "unreadable claims"),
        ("nested too deeply", b'{"a":' * 17 + b"1" + b"}" * 17, "unreadable claims"),
        ("with an end that is a text", {**CLAIMS, "exp": "1700003600"}, "unreadable claims"),
        ("with an end before 1970", {**CLAIMS, "exp": -1}, "unreadable claims"),
        ("with an audience that is a number", {**CLAIMS, "aud": 1}, "unreadable claims"),
        ("with an issuer that is null", {**CLAIMS, "iss": None}, "unreadable claims"),
        ("with two audiences", {**CLAIMS, "aud": ["one", "two"]}, "verified"),
        ("of which there are none", {}, "verified"),
    ]:
        case(f"claims {about}", "every type", signed({"alg": "RS256"}, payload, sign), outcome)

    # The form of a token.
    made = token(keys["rsa-2048"], "RS256", kid="rsa-2048")
    header, payload, end = made.split(".")
    for about, text_of in [
        ("nothing", ""),
        ("one part", header),
        ("two parts", f"{header}.{payload}"),
        ("two dots", ".."),
        ("four parts", f"{made}.{end}"),
        ("five parts, as if it were encrypted", f"{header}.{payload}.{payload}.{payload}.{end}"),
        ("padding", f"{made}=="),
        ("a space in front", f" {made}"),
        ("a line's end", f"{made}\n"),
        ("a space within", f"{header}.{payload[:8]} {payload[8:]}.{end}"),
        ("the alphabet of base64", f"{header}.{payload}.{end.replace('-', '+').replace('_', '/')}"),
        ("bits behind the last byte", f"{header}.{payload}.{end[:-1]}{chr(ord(end[-1]) + 1)}"),
        ("a part of one character", f"{header}.{payload}.A"),
        ("letters beyond ASCII", f"{header}.{payload}.é"),
        ("JSON serialization", json.dumps({"protected": header, "payload": payload, "signature": end})),
    ]:
        case(f"a token with {about}", "every type", text_of, "malformed")
    fill = lambda length: token(keys["rsa-2048"], "RS256", {"sub": "x" * length})
    at_most = next(made for length in range(14_600, 15_000) if 19_998 <= len(made := fill(length)) <= 20_000)
    case("a token as long as may be", "every type", at_most, "verified")
    case("a token that is too long", "every type", fill(14_750), "malformed")

    for made in cases:
        if made["outcome"] == "verified":
            payload = made["token"].split(".")[1]
            made["claims"] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    corpus = {"sets": {name: {"keys": keys} for name, keys in sets.items()}, "cases": cases}
    Path(__file__).with_name("tokens.json").write_text(json.dumps(corpus, indent=1) + "\n")


if __name__ == "__main__":
    main()
