#!/usr/bin/env python3
"""Writes header.json and query.json: requests signed by botocore, and the same requests spoiled.

    python3 -m venv venv && venv/bin/pip install botocore==1.44.5
    venv/bin/python corpus/signatures/make.py

The same input gives the same files: randomness and times are seeded. Every text in the files that stands for bytes
(header values, bodies) has one character per byte, U+0000 to U+00FF.

A case holds the request as it goes over the wire, the secret and scope that the server has, the server's time, and what
must come out: `code` is null for a request that must be accepted, else the awsJson code of the refusal.
"""

import copy
import datetime
import hashlib
import hmac
import json
import pathlib
import random
import string
from unittest import mock
from urllib.parse import quote, urlsplit

import botocore.auth
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = pathlib.Path(__file__).parent
INVALID = "InvalidSignatureException"
INCOMPLETE = "IncompleteSignatureException"
MISSING = "MissingAuthenticationTokenException"
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-4", "us-gov-west-1", "cn-north-1"]
SERVICES = ["kms", "kms", "kms", "sts", "iam", "secretsmanager", "s3"]
WINDOW = 300
rng = random.Random(20260301)


class RawBytes:
    """botocore signs header values as UTF-8. For bytes that are no UTF-8, characters U+F780 to U+F7FF stand in."""

    def string_to_sign(self, request, canonical_request):
        digest = hashlib.sha256(wire_bytes(canonical_request)).hexdigest()
        return "\n".join(
            ["AWS4-HMAC-SHA256", request.context["timestamp"], self.credential_scope(request), digest]
        )


class HeaderSigner(RawBytes, SigV4Auth):
    pass


class S3HeaderSigner(RawBytes, S3SigV4Auth):
    pass


class QuerySigner(RawBytes, SigV4QueryAuth):
    pass


def wire_bytes(text):
    return b"".join(bytes([ord(c) - 0xF700]) if 0xF780 <= ord(c) <= 0xF7FF else c.encode() for c in text)


def as_bytes(value):
    """One character for each byte."""
    return wire_bytes(str(value)).decode("latin-1")


def token(alphabet, length):
    return "".join(rng.choices(alphabet, k=length))


def random_text(length):
    """Words of printable ASCII, some UTF-8, with white space between them and around."""
    words = []
    for _ in range(rng.randrange(length)):
        words.append(
            token(
                string.ascii_letters + string.digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\äß→€𝄞",
                rng.randrange(1, 9),
            )
        )
    return (
        rng.choice(["", "", " ", "  \t"])
        + rng.choice([" ", " ", "  ", "\t", " \t   "]).join(words)
        + rng.choice(["", "", " ", "\t "])
    )


def random_path():
    segments = []
    for _ in range(rng.randrange(5)):
        plain = token(string.ascii_letters + string.digits + "-_~ :@&=+$,;!'()*é€", rng.randrange(1, 8))
        segments.append(
            rng.choice([quote(plain, safe=""), quote(plain, safe="-_.~:@&=+$,;!'()*"), ".", "..", ""])
        )
    return "/" + "/".join(segments)


def random_parameters():
    names = ["Action", "Version", "a", "A", "a-", "a.", "é", "x y", "x+y", "", "member.1", "z~"]
    pairs = [(rng.choice(names), random_text(3).replace("\t", " ")) for _ in range(rng.randrange(6))]
    if pairs and rng.random() < 0.4:
        pairs.append((pairs[0][0], random_text(3)))
    return pairs


def wire_query(pairs):
    """As SDKs write it, or, as an HTML form does, with + for spaces. Both mean the same."""
    plus = rng.random() < 0.3
    parts = []
    for name, value in pairs:
        name, value = quote(name, safe="-_.~"), quote(value, safe="-_.~")
        bare = value == "" and rng.random() < 0.5 and name != ""
        parts.append(name if bare else f"{name}={value}")
    text = "&".join(parts)
    return text.replace("%20", "+") if plus else text


def random_headers(service):
    headers = []
    if rng.random() < 0.7:
        headers.append(
            ("Content-Type", rng.choice(["application/x-amz-json-1.1", "application/x-www-form-urlencoded"]))
        )
    if service == "kms":
        headers.append(
            ("X-Amz-Target", "TrentService." + rng.choice(["Encrypt", "Decrypt", "GenerateDataKey"]))
        )
    if rng.random() < 0.5:
        # What the SDK for JavaScript adds and signs.
        headers.append(("x-amz-user-agent", "aws-sdk-js/3.1162.0 os/linux  lang/js"))
        headers.append(("amz-sdk-invocation-id", "0c2d1f6e-2c0e-4b0e-9d0b-6f0e5a3b8c11"))
        headers.append(("amz-sdk-request", "attempt=1; max=3"))
    for _ in range(rng.randrange(4)):
        name = rng.choice(["X-Amz-Meta-Note", "X-Note", "x-note-2", "Accept", "Cache-Control"])
        headers.append((name, random_text(5)))
    if rng.random() < 0.15:
        headers.append(("X-Raw", "caf\uf7e9 \uf7ff"))
    rng.shuffle(headers)
    return headers


def random_body():
    kind = rng.random()
    if kind < 0.2:
        return b""
    if kind < 0.8:
        return json.dumps(
            {
                "KeyId": "alias/" + token(string.ascii_lowercase, 6),
                "Plaintext": token(string.ascii_letters, 12),
            }
        ).encode()
    return rng.randbytes(rng.randrange(1, 200))


def random_scene(name):
    """Everything about a request but its signature."""
    service = rng.choice(SERVICES)
    moment = datetime.datetime(2015, 1, 1) + datetime.timedelta(seconds=rng.randrange(12 * 365 * 86400))
    plain = rng.random() < 0.4
    return {
        "name": name,
        "method": "POST" if plain else rng.choice(["POST", "GET", "PUT", "DELETE"]),
        "scheme": rng.choice(["https", "http"]),
        "host": rng.choice(
            [
                f"{service}.{{region}}.amazonaws.com",
                "localhost:4599",
                "127.0.0.1:4599",
                "[::1]:8080",
                "keys.example.com",
            ]
        ),
        "path": "/" if plain else random_path(),
        "parameters": [] if plain else random_parameters(),
        "headers": random_headers(service),
        "body": random_body(),
        "access_key_id": "AKIA" + token("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 9) + "EXAMPLE",
        "secret": token(string.ascii_letters + string.digits + "+/", 30) + "EXAMPLEKEY",
        "session_token": (
            token(string.ascii_letters + string.digits + "+/=", rng.randrange(40, 400))
            if rng.random() < 0.35
            else None
        ),
        "region": rng.choice(REGIONS),
        "service": service,
        "moment": moment,
        "expires": None,
        "date_header": rng.random() < 0.1,
    }


def sign(scene, presigned=False):
    """The case: the request as botocore signs it, ready for the wire."""
    host = scene["host"].format(region=scene["region"])
    query = wire_query(scene["parameters"])
    # botocore signs the canonical form of `params`, and copies a query string in the URL as it stands.
    request = AWSRequest(
        method=scene["method"], url=f"{scene['scheme']}://{host}{scene['path']}", data=scene["body"]
    )
    for header, value in scene["headers"]:
        request.headers[header] = value
    credentials = Credentials(scene["access_key_id"], scene["secret"], scene["session_token"])
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: scene["moment"]):
        if presigned:
            # In this form botocore puts the parameters into the URL itself and empties `data`; signing a body too is
            # what a client does that sends one with a presigned URL.
            request.data = b""
            request.params = {name: value for name, value in scene["parameters"]}
            signer = QuerySigner(credentials, scene["service"], scene["region"], expires=scene["expires"])
            signer.payload = lambda _: hashlib.sha256(scene["body"]).hexdigest()
            signer.add_auth(request)
            query = urlsplit(request.url).query
        else:
            request.params = scene["parameters"]
            if scene["date_header"]:
                request.headers["Date"] = "soon"
            signer = S3HeaderSigner if scene["service"] == "s3" else HeaderSigner
            signer(credentials, scene["service"], scene["region"]).add_auth(request)
    headers = [[name.lower(), as_bytes(value)] for name, value in request.headers.items()]
    if not any(name == "host" for name, _ in headers):
        headers.append(["host", host])
    headers += [
        ["user-agent", "anything/1.0"],
        ["accept-encoding", "identity"],
        ["x-amzn-trace-id", "Root=1"],
    ]
    shuffle_keeping_repeats(headers)
    now = scene["moment"] + datetime.timedelta(
        seconds=(
            rng.randint(-WINDOW, WINDOW)
            if scene["expires"] is None
            else rng.choice([-WINDOW, 0, scene["expires"]])
        )
    )
    return {
        "name": scene["name"],
        "method": scene["method"],
        "path": scene["path"],
        "query": query,
        "headers": headers,
        "body": scene["body"].decode("latin-1"),
        "secret": scene["secret"],
        "access_key_id": scene["access_key_id"],
        "session_token": scene["session_token"],
        "region": scene["region"],
        "service": scene["service"],
        "signed_at": iso(scene["moment"]),
        "now": iso(now),
        "code": None,
    }


def shuffle_keeping_repeats(headers):
    """Another order on the wire, in which headers of one name keep theirs."""
    order = {}
    for name, _ in headers:
        order.setdefault(name, rng.random())
    headers.sort(key=lambda header: order[header[0]])


def iso(moment):
    return moment.strftime("%Y%m%dT%H%M%SZ")


# Ways to spoil a request. Each gets a copy, changes it and gives the code; None if it does not fit.


def value_of(case, name):
    return next((value for other, value in case["headers"] if other == name), None)


def replace_header(case, name, change):
    case["headers"] = [[other, change(value) if other == name else value] for other, value in case["headers"]]


def signed_names(case):
    authorization = value_of(case, "authorization")
    if authorization:
        return authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    return case["query"].split("X-Amz-SignedHeaders=")[1].split("&")[0].replace("%3B", ";").split(";")


def other_byte(character):
    """A character that differs in its lowest bit: the smallest change there is."""
    return chr(ord(character) ^ 1)


def flip_body(case):
    if not case["body"]:
        case["body"] = "x"
        return INVALID
    at = rng.randrange(len(case["body"]))
    case["body"] = case["body"][:at] + other_byte(case["body"][at]) + case["body"][at + 1 :]
    return INVALID


def cut_body(case):
    if not case["body"]:
        return None
    case["body"] = case["body"][:-1]
    return INVALID


def flip_header(case):
    names = [
        n for n in signed_names(case) if n not in ("x-amz-date", "date") and (value_of(case, n) or "").strip()
    ]
    if not names:
        return None
    name = rng.choice(names)
    value = value_of(case, name)
    letters = [at for at, c in enumerate(value) if c.isascii() and c.isalnum()]
    if not letters:
        return None
    at = rng.choice(letters)
    done = []

    def once(old):
        if done or old != value:
            return old
        done.append(True)
        return value[:at] + other_byte(value[at]) + value[at + 1 :]

    replace_header(case, name, once)
    return INVALID


def flip_signature(case):
    digits = "0123456789abcdef"

    def flip(text):
        at = rng.randrange(64)
        return text[:at] + rng.choice([d for d in digits if d != text[at]]) + text[at + 1 :]

    return edit_signature(case, flip)


def edit_signature(case, change):
    authorization = value_of(case, "authorization")
    if authorization:
        head, _, signature = authorization.partition("Signature=")
        replace_header(case, "authorization", lambda _: head + "Signature=" + change(signature))
    else:
        head, _, signature = case["query"].partition("X-Amz-Signature=")
        case["query"] = head + "X-Amz-Signature=" + change(signature)
    return INVALID


def cut_signature(case):
    return edit_signature(case, lambda text: text[:-1])


def upper_signature(case):
    edit_signature(case, str.upper)
    return "accepted"


def change_method(case):
    case["method"] = "PATCH"
    return INVALID


def change_path(case):
    case["path"] = case["path"] + ("extra" if case["path"].endswith("/") else "x")
    return INVALID


def change_query(case):
    case["query"] = case["query"] + "&added=1" if case["query"] else "added=1"
    return INVALID


def wrong_secret(case):
    case["secret"] = other_byte(case["secret"][0]) + case["secret"][1:]
    return INVALID


def wrong_region(case):
    case["region"] = "eu-west-9"
    return INVALID


def wrong_service(case):
    case["service"] = "sqs"
    return INVALID


def remove_header(case):
    names = [n for n in signed_names(case) if n not in ("x-amz-date", "date")]
    name = rng.choice(names)
    case["headers"] = [header for header in case["headers"] if header[0] != name]
    return INVALID


def remove_date(case):
    case["headers"] = [header for header in case["headers"] if header[0] not in ("x-amz-date", "date")]
    return INCOMPLETE if value_of(case, "authorization") else None


def remove_authorization(case):
    if not value_of(case, "authorization"):
        return None
    case["headers"] = [header for header in case["headers"] if header[0] != "authorization"]
    return MISSING


def add_unsigned(case):
    case["headers"].append(["x-amz-added", "value"])
    return INVALID


def repeat_host(case):
    case["headers"].append(["host", value_of(case, "host")])
    return INCOMPLETE


def repeat_authorization(case):
    if not value_of(case, "authorization"):
        return None
    case["headers"].append(["authorization", value_of(case, "authorization")])
    return INCOMPLETE


def both_forms(case):
    if value_of(case, "authorization"):
        case["query"] = "X-Amz-Algorithm=AWS4-HMAC-SHA256&" + case["query"]
    else:
        case["headers"].append(
            [
                "authorization",
                "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00",
            ]
        )
    return INVALID


def move_scope(case):
    """The scope names a Region that the signature was not made for; the server serves both."""
    old, new = f"/{case['region']}/", "/sa-east-1/"
    replace_header(case, "authorization", lambda value: value.replace(old, new))
    case["query"] = case["query"].replace(old.replace("/", "%2F"), new.replace("/", "%2F"))
    case["region"] = "sa-east-1"
    return INVALID


def unsorted_headers(case):
    names = signed_names(case)
    if len(names) < 2:
        return None
    text, turned = ";".join(names), ";".join(reversed(names))
    replace_header(case, "authorization", lambda value: value.replace(text, turned))
    case["query"] = case["query"].replace(quote(text, safe=""), quote(turned, safe=""))
    return INCOMPLETE


def host_unsigned(case):
    replace_header(case, "authorization", lambda value: value.replace(";host", "").replace("=host;", "="))
    case["query"] = (
        case["query"]
        .replace("%3Bhost", "")
        .replace("X-Amz-SignedHeaders=host%3B", "X-Amz-SignedHeaders=")
        .replace("X-Amz-SignedHeaders=host&", "X-Amz-SignedHeaders=&")
    )
    return INVALID if "host" not in signed_names(case) else None


def too_old(case):
    expires = WINDOW
    if "X-Amz-Expires=" in case["query"] and not value_of(case, "authorization"):
        expires = int(case["query"].split("X-Amz-Expires=")[1].split("&")[0])
    moment = datetime.datetime.strptime(case["signed_at"], "%Y%m%dT%H%M%SZ")
    case["now"] = iso(moment + datetime.timedelta(seconds=expires + 1))
    return INVALID


def too_new(case):
    moment = datetime.datetime.strptime(case["signed_at"], "%Y%m%dT%H%M%SZ")
    case["now"] = iso(moment - datetime.timedelta(seconds=WINDOW + 1))
    return INVALID


SPOILERS = [
    flip_body, cut_body, flip_header, flip_signature, cut_signature, upper_signature, change_method, change_path,
    change_query, wrong_secret, wrong_region, wrong_service, remove_header, remove_date, remove_authorization,
    add_unsigned, repeat_host, repeat_authorization, both_forms, move_scope, unsorted_headers, host_unsigned, too_old,
    too_new,
]  # fmt: skip


def spoiled(cases):
    """For each case, one spoiled twin; the ways take turns."""
    twins = []
    for at, case in enumerate(cases):
        for offset in range(len(SPOILERS)):
            spoil = SPOILERS[(at + offset) % len(SPOILERS)]
            twin = copy.deepcopy(case)
            code = spoil(twin)
            if code is not None:
                break
        twin["name"] = f"{case['name']}, {spoil.__name__.replace('_', ' ')}"
        twin["code"] = None if code == "accepted" else code
        assert twin != {**case, "name": twin["name"], "code": twin["code"]}, twin["name"]
        twins.append(twin)
    return twins


# Signatures that AWS has published, so that the signer used here is held to them as well.

SUITE = {
    # name: (method, path, query, headers, body, session token, signature)
    # AWS Signature Version 4 test suite (github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4).
    "get-vanilla": ("GET", "/", "", [], "", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-vanilla-empty-query-key": ("GET", "/", "Param1=value1", [], "", None, "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    "get-vanilla-query-order-key-case": ("GET", "/", "Param2=value2&Param1=value1", [], "", None, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    "get-header-key-duplicate": ("GET", "/", "", [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], "", None, "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    "get-header-value-trim": ("GET", "/", "", [("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')], "", None, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    "get-unreserved": ("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", [], "", None, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    "get-utf8": ("GET", "/\u1234", "", [], "", None, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    "get-vanilla-with-session-token": ("GET", "/", "", [], "", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
    "get-relative-normalized": ("GET", "/example/..", "", [], "", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-slashes-normalized": ("GET", "//example//", "", [], "", None, "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
    "get-slash-dot-slash-normalized": ("GET", "/./", "", [], "", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "post-vanilla": ("POST", "/", "", [], "", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-vanilla-query": ("POST", "/", "Param1=value1", [], "", None, "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    "post-header-key-case": ("POST", "/", "", [], "", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-header-value-case": ("POST", "/", "", [("My-Header1", "VALUE1")], "", None, "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    "post-x-www-form-urlencoded": ("POST", "/", "", [("Content-Type", "application/x-www-form-urlencoded")], "Param1=value1", None, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
}  # fmt: skip


def published():
    cases = []
    for name, (method, path, query, headers, body, session_token, signature) in SUITE.items():
        cases.append(
            published_case(
                name,
                method,
                "example.amazonaws.com",
                path,
                query,
                headers,
                body,
                session_token,
                "service",
                signature,
            )
        )
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html and its predecessors in the AWS General
    # Reference: the IAM ListUsers example.
    cases.append(
        published_case(
            "iam-list-users", "GET", "iam.amazonaws.com", "/", "Action=ListUsers&Version=2010-05-08",
            [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], "", None, "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        )
    )  # fmt: skip
    return cases


def published_case(name, method, host, path, query, headers, body, session_token, service, signature):
    scene = {
        "name": f"published {name}", "method": method, "scheme": "https", "host": host, "path": path, "parameters": [],
        "headers": headers, "body": body.encode(), "access_key_id": "AKIDEXAMPLE",
        "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session_token": session_token, "region": "us-east-1",
        "service": service, "moment": datetime.datetime(2015, 8, 30, 12, 36), "expires": None, "date_header": False,
    }  # fmt: skip
    scene["parameters"] = [tuple(pair.split("=")) for pair in query.split("&")] if query else []
    case = sign(scene)
    case["query"] = query
    assert value_of(case, "authorization").endswith(signature), (name, value_of(case, "authorization"))
    return case


def dump(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")
    accepted = sum(case["code"] is None for case in cases)
    print(f"{name}: {accepted} to accept, {len(cases) - accepted} to refuse")


def main():
    header_cases = published() + [sign(random_scene(f"header {at}")) for at in range(200)]
    dump("header.json", header_cases + spoiled(header_cases))
    query_cases = []
    for at in range(100):
        scene = random_scene(f"query {at}")
        scene["service"] = "kms" if scene["service"] == "s3" else scene["service"]
        # One value for each name: botocore's signer for this form drops the others.
        scene["parameters"] = list(dict(scene["parameters"]).items())
        scene["expires"] = rng.choice([1, 60, 900, 3600, 604800])
        query_cases.append(sign(scene, presigned=True))
    dump("query.json", query_cases + spoiled(query_cases))


if __name__ == "__main__":
    main()
