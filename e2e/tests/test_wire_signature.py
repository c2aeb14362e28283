"""Signature Version 4 as the server checks it, with requests signed by botocore's signer and then spoiled.

Source: "AWS Signature Version 4 for API requests", "Troubleshoot Signature Version 4 signing"; the texts are those that
other AWS services and public reimplementations of AWS's checks give. KMS's own codes carry the suffix Exception.
"""

import re
from datetime import timedelta

import pytest

from harness.raw import Answer, Request, call, exchange, kms_request, sign, sign_query
from harness.seed import AMERICA, ONE, Account
from harness.server import Server

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
UNKNOWN = "The security token included in the request is invalid."


def signed(server: Server, **options: object) -> Request:
    return sign(server, kms_request("ListKeys"), **options)  # type: ignore[arg-type]


def assert_refused(answer: Answer, code: str, text: str | re.Pattern[str] | None = None) -> None:
    assert (answer.status, answer.code) == (400, code), answer
    if isinstance(text, re.Pattern):
        assert answer.text is not None and text.search(answer.text), answer
    elif text is not None:
        assert answer.text == text
    assert answer.request_id


def change_authorization(server: Server, pattern: str, replacement: str) -> Answer:
    request = signed(server)
    request.headers["Authorization"], number = re.subn(pattern, replacement, request.headers["Authorization"])
    assert number == 1
    return exchange(server, request)


def test_a_good_signature(server: Server) -> None:
    assert exchange(server, signed(server)).status == 200


def test_no_signature(server: Server) -> None:
    answer = exchange(server, kms_request("ListKeys"))
    assert_refused(
        answer,
        "MissingAuthenticationTokenException",
        re.compile("Missing Authentication Token|missing Authentication Token"),
    )


@pytest.mark.parametrize(
    "value", ["", "x", "Basic dXNlcjpwYXNz", "Bearer token", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 x"]
)
def test_an_authorization_header_that_is_none_of_ours(server: Server, value: str) -> None:
    request = signed(server)
    request.headers["Authorization"] = value
    answer = exchange(server, request)
    assert answer.status == 400, answer
    assert answer.code in ("IncompleteSignatureException", "MissingAuthenticationTokenException"), answer


@pytest.mark.parametrize("parameter", ["Credential", "SignedHeaders", "Signature"])
def test_an_authorization_header_that_lacks_a_part(server: Server, parameter: str) -> None:
    request = signed(server)
    parts = request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    rest = ", ".join(part for part in parts if not part.startswith(parameter + "="))
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 {rest}"
    text = f"Authorization header requires '{parameter}' parameter."
    assert_refused(
        exchange(server, request), "IncompleteSignatureException", re.compile("^" + re.escape(text) + " Authorization=")
    )


def test_no_date(server: Server) -> None:
    request = signed(server)
    del request.headers["X-Amz-Date"]
    text = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    assert_refused(exchange(server, request), "IncompleteSignatureException", re.compile("^" + re.escape(text)))


@pytest.mark.parametrize("date", ["2026-11-22T00:00:00Z", "20261122", "20261332T000000Z", "x", "20261122T000000"])
def test_a_date_in_another_form(server: Server, date: str) -> None:
    request = signed(server)
    request.headers["X-Amz-Date"] = date
    assert_refused(
        exchange(server, request),
        "IncompleteSignatureException",
        f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601",
    )


def test_another_algorithm(server: Server) -> None:
    answer = change_authorization(server, "^AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")
    assert_refused(
        answer, "IncompleteSignatureException", re.compile("^Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'")
    )


def test_a_credential_that_has_not_five_parts(server: Server) -> None:
    answer = change_authorization(server, "/kms/aws4_request", "/aws4_request")
    assert_refused(
        answer,
        "IncompleteSignatureException",
        re.compile(
            "^Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"
        ),
    )


def test_a_scope_with_another_date(server: Server) -> None:
    answer = change_authorization(server, r"/20\d{6}/", "/20010101/")
    assert_refused(
        answer,
        "InvalidSignatureException",
        re.compile(r"^Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20010101' != '\d{8}', from '\d{8}T\d{6}Z'\.$"),
    )  # fmt: skip


def test_a_scope_for_another_service(server: Server) -> None:
    answer = exchange(server, signed(server, service="s3"))
    assert 400 <= answer.status < 500, answer
    answer = exchange(server, signed(server, service="nothing"))
    assert 400 <= answer.status < 500, answer


def test_a_scope_with_another_region_does_not_fit_the_signature(server: Server) -> None:
    assert_refused(
        change_authorization(server, "/eu-central-1/", f"/{AMERICA}/"), "InvalidSignatureException", MISMATCH
    )


@pytest.mark.parametrize("region", ["nowhere", "EU-CENTRAL-1", "eu_central_1"])
def test_a_scope_with_a_region_that_cannot_be(server: Server, region: str) -> None:
    answer = exchange(server, signed(server, region=region))
    assert_refused(answer, "InvalidSignatureException", re.compile("^Credential should be scoped to a valid region"))


def test_the_host_must_be_signed(server: Server) -> None:
    answer = change_authorization(server, "content-type;host;", "content-type;")
    assert_refused(
        answer, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    )


def test_a_wrong_secret(server: Server) -> None:
    answer = exchange(server, signed(server, account=Account(ONE.id, ONE.access_key_id, "x" * 40)))
    assert answer.code == "InvalidSignatureException"
    assert answer.text is not None and answer.text.startswith(MISMATCH)


def test_an_unknown_access_key(server: Server) -> None:
    answer = exchange(server, signed(server, account=Account(ONE.id, "AKIAIOSFODNN7NOBODY0", ONE.secret_access_key)))
    assert_refused(answer, "UnrecognizedClientException", UNKNOWN)


def test_a_session_token_that_belongs_to_nothing(server: Server) -> None:
    answer = exchange(server, signed(server, token="FwoGZXIvYXdzEXAMPLE"))
    assert_refused(answer, "UnrecognizedClientException", UNKNOWN)


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (timedelta(minutes=-6), r"^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$"),
        (timedelta(days=-400), r"^Signature expired: "),
        (timedelta(minutes=6), r"^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$"),
        (timedelta(days=400), r"^Signature not yet current: "),
    ],
)  # fmt: skip
def test_outside_the_clock_window(server: Server, offset: timedelta, text: str) -> None:
    assert_refused(exchange(server, signed(server, offset=offset)), "InvalidSignatureException", re.compile(text))


@pytest.mark.parametrize("offset", [timedelta(minutes=-4), timedelta(minutes=4)])
def test_inside_the_clock_window(server: Server, offset: timedelta) -> None:
    assert exchange(server, signed(server, offset=offset)).status == 200


def test_any_other_content(server: Server) -> None:
    request = signed(server)
    for change in (
        {"body": b"{} "},
        {"path": "/?x=1"},
        {"headers": request.headers | {"X-Amz-Target": "TrentService.CreateKey"}},
        {"headers": request.headers | {"Host": "kms.eu-central-1.amazonaws.com"}},
    ):
        spoiled = Request(
            **(
                {"method": request.method, "path": request.path, "headers": request.headers, "body": request.body}
                | change
            )
        )
        answer = exchange(server, spoiled)
        assert answer.code == "InvalidSignatureException", (change, answer)
        assert answer.text is not None and answer.text.startswith(MISMATCH)


def test_a_signed_header_that_was_not_sent(server: Server) -> None:
    request = sign(server, kms_request("ListKeys", **{"X-Extra": "1"}))
    del request.headers["X-Extra"]
    assert_refused(exchange(server, request), "InvalidSignatureException")


def test_headers_outside_the_signature_may_be_added(server: Server) -> None:
    request = signed(server)
    request.headers |= {"Via": "1.1 proxy", "X-Forwarded-For": "192.0.2.1", "User-Agent": "x"}
    assert exchange(server, request).status == 200


def test_the_host_counts_as_it_was_sent(server: Server) -> None:
    # Clients exist that send the host without its port, and proxies that keep the name of AWS's endpoint.
    for host in ("127.0.0.1", "localhost:1234", "kms.eu-central-1.amazonaws.com"):
        assert exchange(server, sign(server, kms_request("ListKeys"), host=host)).status == 200


def test_the_payload_hash_header_must_be_right_when_it_is_there(server: Server) -> None:
    right = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # SHA-256 of {}
    assert exchange(server, sign(server, kms_request("ListKeys", **{"X-Amz-Content-SHA256": right}))).status == 200
    wrong = "0" * 64
    answer = exchange(server, sign(server, kms_request("ListKeys", **{"X-Amz-Content-SHA256": wrong})))
    assert answer.status == 400, answer
    assert answer.code in ("InvalidSignatureException", "XAmzContentSHA256Mismatch")


def test_a_signature_in_the_query(server: Server) -> None:
    assert exchange(server, sign_query(server, kms_request("ListKeys"))).status == 200


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [("X-Amz-Signature=.", "X-Amz-Signature=g"), ("X-Amz-Expires=60", "X-Amz-Expires=61"), ("$", "&added=1")],
)
def test_a_spoiled_signature_in_the_query(server: Server, pattern: str, replacement: str) -> None:
    request = sign_query(server, kms_request("ListKeys"))
    spoiled = Request(request.method, re.sub(pattern, replacement, request.path), request.headers, request.body)
    assert spoiled.path != request.path
    assert_refused(exchange(server, spoiled), "InvalidSignatureException")


def test_a_signature_in_the_query_ends_with_its_time(server: Server) -> None:
    fresh = sign_query(server, kms_request("ListKeys"), expires=3600, offset=timedelta(minutes=-30))
    assert exchange(server, fresh).status == 200
    late = sign_query(server, kms_request("ListKeys"), expires=60, offset=timedelta(minutes=-30))
    assert exchange(server, late).status == 400


@pytest.mark.parametrize(
    "name", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"]
)
def test_a_query_signature_that_lacks_a_part(server: Server, name: str) -> None:
    request = sign_query(server, kms_request("ListKeys"))
    path, _, query = request.path.partition("?")
    rest = "&".join(pair for pair in query.split("&") if not pair.startswith(name + "="))
    answer = exchange(server, Request(request.method, f"{path}?{rest}", request.headers, request.body))
    assert answer.status == 400, answer
    assert answer.code in ("IncompleteSignatureException", "MissingAuthenticationTokenException"), answer


def test_both_forms_at_once(server: Server) -> None:
    query = sign_query(server, kms_request("ListKeys"))
    both = Request(
        query.method, query.path, query.headers | {"Authorization": signed(server).headers["Authorization"]}, query.body
    )
    assert exchange(server, both).status == 400


def test_nothing_secret_is_logged(server: Server) -> None:
    request = signed(server)
    assert exchange(server, request).status == 200
    request.body = b"{} "
    assert exchange(server, request).status == 400
    call(server, "Encrypt", {"KeyId": "alias/app", "Plaintext": "dG9wIHNlY3JldA=="})
    signature = request.headers["Authorization"].rpartition("Signature=")[2]
    for secret in (ONE.secret_access_key, signature, "dG9wIHNlY3JldA", "top secret"):
        assert secret not in server.output
