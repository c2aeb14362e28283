"""Which operation a request is for, and what its body may be, with requests made by hand.

Source: AWS JSON 1.1 protocol and the common errors of AWS KMS; what the documentation leaves open was measured on a
sibling service that speaks the same protocol.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from harness.expect import CONSTRAINT
from harness.raw import JSON, Answer, Request, call, exchange, kms_request, sign
from harness.seed import ONE, SEEDED_KEY
from harness.server import Server

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

MODEL = set(boto3.client("kms", region_name="us-east-1").meta.service_model.operation_names)


def assert_bare(answer: Answer, code: str) -> None:
    """A refusal without a text: only `__type`."""
    assert (answer.status, answer.json) == (400, {"__type": code}), answer
    assert answer.headers["content-type"] == JSON
    assert UUID.fullmatch(answer.request_id)


def test_the_model_has_the_operations_that_are_known_of() -> None:
    assert len(MODEL) == 56


@pytest.mark.parametrize("operation", sorted(MODEL))
def test_every_operation_of_the_model_is_known(server: Server, operation: str) -> None:
    answer = call(server, operation, {"KeyId": 1, "Limit": "x", "Description": 1, "AliasName": 1,
                                      "NumberOfBytes": "x", "CiphertextBlob": 1, "CustomKeyStoreId": 1,
                                      "CustomKeyStoreName": 1, "GrantToken": 1})  # fmt: skip
    assert answer.code == "SerializationException"


@pytest.mark.parametrize(
    "target",
    ["TrentService.Nothing", "ListKeys", "trentservice.ListKeys", "TrentService.listkeys", "TrentService.", "",
     "Other.ListKeys", "TrentService.ListKeys.x", "TrentService ListKeys", "TrentService.ListKeys,TrentService.ListKeys"],
)  # fmt: skip
def test_other_targets_are_unknown(server: Server, target: str) -> None:
    request = kms_request("x")
    request.headers["X-Amz-Target"] = target
    assert_bare(exchange(server, sign(server, request)), "UnknownOperationException")


def test_no_target_is_unknown(server: Server) -> None:
    request = kms_request("x")
    del request.headers["X-Amz-Target"]
    assert_bare(exchange(server, sign(server, request)), "UnknownOperationException")


@pytest.mark.parametrize("content_type", [None, "application/x-amz-json-1.0"])
def test_another_content_type_is_unknown_in_xml(server: Server, content_type: str | None) -> None:
    request = kms_request("ListKeys")
    del request.headers["Content-Type"]
    if content_type:
        request.headers["Content-Type"] = content_type
    answer = exchange(server, sign(server, request))
    assert answer.status == 404, answer
    assert b"<UnknownOperationException/>" in answer.body
    assert UUID.fullmatch(answer.request_id)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "x"])
def test_a_content_type_that_is_not_worth_imitating_is_unknown(server: Server, content_type: str) -> None:
    answer = exchange(server, sign(server, kms_request("ListKeys", **{"Content-Type": content_type})))
    assert answer.status in (400, 404), answer
    assert b"UnknownOperationException" in answer.body


@pytest.mark.parametrize("content_type", ["application/x-amz-json-1.1; charset=utf-8", "Application/X-Amz-Json-1.1"])
def test_the_content_type_in_its_other_spellings(server: Server, content_type: str) -> None:
    # RFC 9110, 8.3.1: type names are case-insensitive and may carry parameters.
    assert exchange(server, sign(server, kms_request("ListKeys", **{"Content-Type": content_type}))).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'"x"', b'{"Limit": 1,}', b"{}x", b"{'Limit': 1}", b"\xff", b'{"Limit": 01}', b"{}{}",
     b'{"Marker": "\xc3\x28"}', b'{"Marker": "\\ud800"}', b"\xef\xbb\xbf{}", b"true", b"12", b"{" * 10_000,
     b'{"a":' * 10_000],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
def test_bodies_that_are_no_json_object(server: Server, body: bytes) -> None:
    assert_bare(call(server, "ListKeys", body), "SerializationException")


def test_deep_arrays_end_in_a_refusal(server: Server) -> None:
    for depth in (b"[" * 100_000, b'{"KeyId": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        answer = call(server, "DescribeKey", depth)
        assert (answer.status, answer.code) == (400, "SerializationException")
    # In a member that nobody knows, depth is as unimportant as the rest of it.
    assert call(server, "ListKeys", b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}").status == 200


LIST, MAP = "Start of list found where not expected", "Start of structure or map found where not expected."


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        ("ListKeys", [], LIST),
        ("ListKeys", {"Limit": []}, LIST),
        ("DescribeKey", {"KeyId": ["x"]}, LIST),
        ("ListKeys", {"Limit": {}}, MAP),
        ("DescribeKey", {"KeyId": {"a": "b"}}, MAP),
        ("ListKeys", {"Limit": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ("DescribeKey", {"KeyId": 1}, "NUMBER_VALUE can not be converted to a String"),
        ("DescribeKey", {"KeyId": 1.5}, "NUMBER_VALUE can not be converted to a String"),
        ("ListKeys", {"Limit": True}, "TRUE_VALUE can not be converted to an Integer"),
        ("ListKeys", {"Limit": False}, "FALSE_VALUE can not be converted to an Integer"),
        ("DescribeKey", {"KeyId": True}, "TRUE_VALUE can not be converted to a String"),
        ("TagResource", {"KeyId": "x", "Tags": "x"}, "Expected list or null"),
        ("TagResource", {"KeyId": "x", "Tags": ["x"]}, "Expected null"),
    ],
)
def test_types_that_do_not_fit(server: Server, operation: str, body: Any, text: str) -> None:
    answer = call(server, operation, body)
    assert (answer.status, answer.code, answer.text) == (400, "SerializationException", text)


@pytest.mark.parametrize("value", ["%%%", "YQ", "YQ=", "YWI=YWI=", "Y Q==", "_-8=", "YR=="])
def test_blobs_are_base64_with_padding(server: Server, value: str) -> None:
    answer = call(server, "Encrypt", {"KeyId": SEEDED_KEY, "Plaintext": value})
    assert (answer.status, answer.code) == (400, "SerializationException"), answer


def test_what_json_allows_is_taken(server: Server) -> None:
    # A null counts as absent; unknown members are ignored; a fraction for an integer is cut off.
    for body in (
        {"Limit": None, "Marker": None},
        {"Limit": 1.9},
        {"Unknown": {"deep": [1, {"x": None}]}, "limit": "lower case is another name"},
        b' \r\n\t{ "Limit" : 1e0 } \n',
        b'{"\\u004cimit": 1}',
    ):
        answer = call(server, "ListKeys", body)
        assert answer.status == 200, (body, answer)
    assert len(call(server, "ListKeys", {"Limit": 1.9}).json["Keys"]) == 1


def test_required_members_that_are_missing_or_null(server: Server) -> None:
    text = f"{CONSTRAINT}Value null at 'keyId' failed to satisfy constraint: Member must not be null"
    for body in ({}, {"KeyId": None}):
        answer = call(server, "DescribeKey", body)
        assert (answer.status, answer.code, answer.text) == (400, "ValidationException", text)


def test_all_violations_come_in_one_answer(server: Server) -> None:
    answer = call(server, "Encrypt", {"EncryptionAlgorithm": "NONE"})
    assert answer.code == "ValidationException"
    assert answer.text is not None
    head, _, tail = answer.text.partition(": ")
    assert head == "3 validation errors detected"
    for part in (
        "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        "Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
        "Value 'NONE' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [",
    ):
        assert part in tail
    assert tail.count("; ") == 2


def test_integers_beyond_32_bits_meet_the_constraint(server: Server) -> None:
    for number in (2**31, 2**63, 2**70):
        answer = call(server, "ListKeys", {"Limit": number})
        assert answer.code == "ValidationException", answer
        assert answer.text is not None
        assert answer.text.endswith(
            "at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000"
        )


def test_types_are_checked_before_constraints(server: Server) -> None:
    assert call(server, "ListKeys", {"Limit": 0, "Marker": 1}).code == "SerializationException"


def test_a_sensitive_value_is_not_echoed(server: Server) -> None:
    answer = call(server, "Encrypt", {"KeyId": SEEDED_KEY, "Plaintext": "c2VjcmV0" * 1000})
    assert answer.code == "ValidationException"
    assert b"c2VjcmV0" not in answer.body
    assert "secret" not in server.output
    assert "c2VjcmV0" not in server.output


def test_the_members_of_a_success_and_its_headers(server: Server) -> None:
    answer = call(server, "ListKeys", {"Limit": 1})
    assert answer.headers["content-type"] == JSON
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "date" in answer.headers
    assert "transfer-encoding" not in answer.headers
    assert UUID.fullmatch(answer.request_id)


EMPTY = [
    ("EnableKey", {}), ("DisableKey", {}), ("EnableKey", {}), ("EnableKeyRotation", {}), ("DisableKeyRotation", {}),
    ("UpdateKeyDescription", {"Description": ""}), ("TagResource", {"Tags": [{"TagKey": "a", "TagValue": ""}]}),
    ("UntagResource", {"TagKeys": ["a"]}),
]  # fmt: skip


def new_grant(server: Server, key: str) -> str:
    body = {"KeyId": key, "GranteePrincipal": ONE.user_arn, "Operations": ["Decrypt"]}
    return str(call(server, "CreateGrant", body).json["GrantId"])


def test_operations_without_output_answer_with_an_empty_body(server: Server) -> None:
    key = call(server, "CreateKey").json["KeyMetadata"]["KeyId"]
    policy = call(server, "GetKeyPolicy", {"KeyId": key}).json["Policy"]
    calls = [(operation, {"KeyId": key} | more) for operation, more in EMPTY] + [
        ("PutKeyPolicy", {"KeyId": key, "Policy": policy}),
        ("CreateAlias", {"AliasName": f"alias/{key}", "TargetKeyId": key}),
        ("UpdateAlias", {"AliasName": f"alias/{key}", "TargetKeyId": key}),
        ("DeleteAlias", {"AliasName": f"alias/{key}"}),
        ("RetireGrant", {"KeyId": key, "GrantId": new_grant(server, key)}),
        ("RevokeGrant", {"KeyId": key, "GrantId": new_grant(server, key)}),
    ]
    for operation, body in calls:
        answer = call(server, operation, body)
        assert (answer.status, answer.body) == (200, b""), (operation, answer)
        assert answer.headers["content-length"] == "0"


def test_timestamps_are_numbers_and_nothing_is_null(server: Server) -> None:
    answer = call(server, "DescribeKey", {"KeyId": SEEDED_KEY})
    assert isinstance(answer.json["KeyMetadata"]["CreationDate"], int | float)
    assert b"null" not in answer.body


def test_each_answer_has_its_own_request_id(server: Server) -> None:
    answers = [call(server, "ListKeys"), call(server, "DescribeKey"), exchange(server, Request(body=b"x"))]
    assert len({answer.request_id for answer in answers}) == len(answers)


def test_the_largest_legitimate_request_passes(server: Server) -> None:
    # A context has no limit in the model; 1 MiB is the cap of a body.
    context = {"k": "v" * 300_000}
    answer = call(server, "Encrypt", {"KeyId": SEEDED_KEY, "Plaintext": "eA==", "EncryptionContext": context})
    assert answer.status in (200, 400), answer
    assert answer.code in (None, "ValidationException")


def test_a_body_above_the_cap(server: Server) -> None:
    answer = call(server, "ListKeys", b'{"x": "' + b"y" * (2 << 20) + b'"}')
    assert answer.status == 413, answer.status
    assert answer.code == "RequestEntityTooLargeException"
    assert UUID.fullmatch(answer.request_id)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    answer = exchange(
        server,
        sign(server, Request(method, "/", {"Content-Type": JSON, "X-Amz-Target": "TrentService.ListKeys"}, b"{}")),
    )
    assert 400 <= answer.status < 500, answer
    assert UUID.fullmatch(answer.request_id)
    assert "access-control-allow-origin" not in answer.headers


def test_paths_that_nobody_serves(server: Server) -> None:
    for path in ("/nothing", "/_dev/clock", "/healthz/x", "/%00", "/../etc/passwd", "//"):
        answer = exchange(server, Request("GET", path, {}, b""))
        assert 400 <= answer.status < 500, (path, answer)
        # To S3 a path is a bucket, which is not there.
        assert UUID.fullmatch(answer.headers.get("x-amz-request-id") or answer.request_id)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_needs_no_credentials(server: Server, path: str) -> None:
    answer = exchange(server, Request("GET", path, {}, b""))
    assert answer.status == 200
    assert ONE.id.encode() not in answer.body


def test_cross_origin_requests_get_no_permission_unless_configured(server: Server) -> None:
    request = kms_request("ListKeys", Origin="https://console.example.com")
    answer = exchange(server, sign(server, request))
    assert answer.status == 200
    preflight = Request(
        "OPTIONS", "/", {"Origin": "https://console.example.com", "Access-Control-Request-Method": "POST"}, b""
    )
    for headers in (answer.headers, exchange(server, preflight).headers):
        assert not [name for name in headers if name.startswith("access-control-")]


def test_one_hundred_requests_at_once_keep_their_answers_apart(server: Server) -> None:
    def marked(number: int) -> None:
        answer = call(server, "DescribeKey", {"KeyId": f"alias/nobody-{number}"})
        assert answer.text == f"Alias {ONE.alias_arn(f'alias/nobody-{number}')} is not found."

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(marked, range(100)))


def test_json_with_members_twice_takes_no_part_of_both(server: Server) -> None:
    # Which of the two counts is not documented; what counts is that the answer is one of a well-formed request.
    answer = call(server, "ListKeys", b'{"Limit": 1, "Limit": 2}')
    assert answer.status == 200 or answer.code == "SerializationException"
    if answer.status == 200:
        assert len(json.loads(answer.body)["Keys"]) <= 2
