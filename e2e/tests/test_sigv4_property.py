"""The signature check against botocore's signer, on many generated requests.

Each request is signed by botocore and must be accepted; each change of what was signed must be refused.
Source: AWS, "Create a signed AWS API request": canonical request, header trimming, query sorting, URI encoding.
"""

import string
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.raw import Request, exchange, kms_request, sign, sign_query
from harness.server import Server

CHECKED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SIGNATURE_CODES = {
    "InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}  # fmt: skip

header_names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20).map(
    lambda name: f"X-Test-{name}"
)
header_values = st.text(string.ascii_letters + string.digits + string.punctuation + " \t", max_size=60).map(str.strip)
headers = st.dictionaries(header_names, header_values, max_size=6).filter(
    lambda found: len({name.lower() for name in found}) == len(found)
)
queries = st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=5).map(
    lambda pairs: "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
)
contexts = st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=4)


def request(extra: dict[str, str], query: str, path: str = "/", body: Any = None) -> Request:
    made = kms_request("ListKeys", body or {"Limit": 1}, **extra)
    made.path = path + (f"?{query}" if query else "")
    return made


@CHECKED
@given(extra=headers, ignored=contexts)
def test_odd_headers_and_bodies_are_accepted(server: Server, extra: dict[str, str], ignored: dict[str, str]) -> None:
    answer = exchange(server, sign(server, request(extra, "", body={"Limit": 1, "Ignored": ignored})))
    assert answer.status == 200, answer


@CHECKED
@given(extra=headers, query=queries)
def test_odd_queries_are_accepted(server: Server, extra: dict[str, str], query: str) -> None:
    answer = exchange(server, sign(server, request(extra, query)))
    assert answer.status == 200, answer


path_parts = st.lists(
    st.one_of(
        st.sampled_from(["..", ".", "", "%2F", "%2e", "a b".replace(" ", "%20"), "~", "%7E", "+", "a=b", "ä"]),
        st.text(max_size=6),
    ),
    max_size=5,
).map(lambda parts: "/" + "/".join(quote(part, safe="-_.~%+=") for part in parts))


@CHECKED
@given(path=path_parts.filter(lambda path: path != "/"), query=queries)
def test_paths_that_no_service_has_are_refused(server: Server, path: str, query: str) -> None:
    answer = exchange(server, sign(server, request({}, query, path)))
    assert 400 <= answer.status < 500, answer
    assert answer.request_id


@CHECKED
@given(query=queries, extra=headers)
def test_signatures_in_the_query_are_accepted(server: Server, query: str, extra: dict[str, str]) -> None:
    answer = exchange(server, sign_query(server, request(extra, query)))
    assert answer.status == 200, answer


@CHECKED
@given(data=st.data(), extra=headers.filter(bool))
def test_a_changed_header_is_refused(server: Server, data: st.DataObject, extra: dict[str, str]) -> None:
    signed = sign(server, request(extra, ""))
    name = data.draw(st.sampled_from(sorted(extra)))
    signed.headers[name] = signed.headers[name] + "x"
    answer = exchange(server, signed)
    assert answer.code == "InvalidSignatureException", answer


@CHECKED
@given(data=st.data())
def test_a_changed_signature_is_refused(server: Server, data: st.DataObject) -> None:
    signed = sign(server, request({}, ""))
    head, _, signature = signed.headers["Authorization"].rpartition("=")
    position = data.draw(st.integers(0, len(signature) - 1))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789abcdefg" if digit != signature[position]]))
    signed.headers["Authorization"] = f"{head}={signature[:position]}{digit}{signature[position + 1 :]}"
    answer = exchange(server, signed)
    assert answer.code == "InvalidSignatureException", answer


@CHECKED
@given(query=queries, more=queries.filter(bool))
def test_a_changed_query_is_refused(server: Server, query: str, more: str) -> None:
    signed = sign(server, request({}, query))
    signed.path += ("&" if "?" in signed.path else "?") + more
    answer = exchange(server, signed)
    assert answer.status in (400, 404), answer
    assert answer.code in SIGNATURE_CODES, answer
