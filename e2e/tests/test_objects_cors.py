"""CORS of buckets: what is taken, what a preflight is answered, and what browsers are told with all other answers.

Source: S3 User Guide, "Using cross-origin resource sharing"; API_PutBucketCors; RESTOPTIONSobject. Texts and headers as the
service answers, as recorded by LocalStack's validated tests; patterns of origins as in Ceph's s3-tests.
"""

from pathlib import Path
from typing import Any

import pytest
import requests

from harness import clients
from harness.buckets import new_bucket
from harness.expect import refused
from harness.raw import Request, exchange, kms_request, sign
from harness.s3_by_hand import raw
from harness.seed import TWO
from harness.server import Server
from harness.trail import event_of

PAGE = "https://page.example.com"
STRANGER = "http://page.example.com"
CONSOLE = "https://console.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."
RULE = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [PAGE], "AllowedHeaders": ["*"], "MaxAgeSeconds": 3000}


def rule(*methods: str, origins: tuple[str, ...] = (PAGE,), **more: Any) -> dict[str, Any]:
    return {"AllowedMethods": list(methods), "AllowedOrigins": list(origins)} | more


def set_rules(s3: Any, bucket: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def options(server: Server, path: str, **headers: str | None) -> requests.Response:
    """OPTIONS, signed by nobody."""
    named = {
        "Origin": headers.get("origin"),
        "Access-Control-Request-Method": headers.get("method"),
        "Access-Control-Request-Headers": headers.get("names"),
        "Host": headers.get("host"),
    }
    sent = {name: value for name, value in named.items() if value is not None}
    return requests.options(server.endpoint + path, headers=sent, timeout=30)


def told(answer: requests.Response) -> dict[str, str]:
    """What a browser is told."""
    return {
        name.lower().removeprefix("access-control-"): value
        for name, value in answer.headers.items()
        if name.lower() == "vary" or name.lower().startswith("access-control-")
    }


def code_and_text(answer: requests.Response) -> tuple[str, str]:
    parts = [answer.text.partition(f"<{name}>")[2].partition(f"</{name}>")[0] for name in ("Code", "Message")]
    return parts[0], parts[1].replace("&apos;", "'")


def assert_forbidden(answer: requests.Response, text: str, method: str, kind: str) -> None:
    assert answer.status_code == 403
    assert code_and_text(answer) == ("AccessForbidden", text)
    assert f"<Method>{method}</Method><ResourceType>{kind}</ResourceType>" in answer.text
    assert told(answer) == {}


def test_rules_are_told_as_they_were_put_and_go(server: Server, s3: Any, bucket: str) -> None:
    with refused("NoSuchCORSConfiguration", "The CORS configuration does not exist", status=404):
        s3.get_bucket_cors(Bucket=bucket)
    most = rule("POST", "DELETE", "HEAD", origins=("http://*.a:80", ""), ID="a & b", ExposeHeaders=["ETag"])
    rules = [RULE | {"AllowedHeaders": ["X-Amz-*", "content-type"]}, most, rule("GET", origins=("*",))]
    put = set_rules(s3, bucket, *rules)
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    event = event_of(server, put)
    assert (event["eventName"], event["requestParameters"]["bucketName"]) == ("PutBucketCors", bucket)
    assert event["requestParameters"]["CORSConfiguration"]["CORSRule"][2] == {
        "AllowedMethod": ["GET"],
        "AllowedOrigin": ["*"],
    }
    for _ in range(2):
        s3.delete_bucket_cors(Bucket=bucket)
        with refused("NoSuchCORSConfiguration", status=404):
            s3.get_bucket_cors(Bucket=bucket)


def test_elements_of_a_rule_come_in_any_order(server: Server, s3: Any, bucket: str) -> None:
    elements = "<AllowedOrigin>*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedOrigin>b</AllowedOrigin>"
    xml = f"<CORSConfiguration><CORSRule>{elements}</CORSRule></CORSConfiguration>"
    raw(server, "PUT", f"/{bucket}?cors", data=xml.encode())
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule("GET", origins=("*.a", "b"))]
    with refused("MalformedXML"):
        raw(server, "PUT", f"/{bucket}?cors", data=xml.replace("AllowedMethod>", "Method>").encode())


@pytest.mark.parametrize(
    ("rules", "code", "text"),
    [
        ([], "MalformedXML", None),
        ([rule("GET", origins=())], "MalformedXML", None),
        ([rule()], "MalformedXML", None),
        ([rule("GET", MaxAgeSeconds=-1)], "MalformedXML", None),
        (
            [rule("GET"), rule("GET", "PATCH")],
            "InvalidRequest",
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
        ),
        (
            [rule("GET", origins=("*example*.com",))],
            "InvalidRequest",
            'AllowedOrigin "*example*.com" can not have more than one wildcard.',
        ),
        (
            [rule("GET", AllowedHeaders=["x-*-*"])],
            "InvalidRequest",
            'AllowedHeader "x-*-*" can not have more than one wildcard.',
        ),
        (
            [rule("GET", ExposeHeaders=["x-*"])],
            "InvalidRequest",
            'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
        ),
        ([rule("GET", ID="i" * 256)], "InvalidRequest", None),
        ([rule("GET")] * 101, "InvalidRequest", None),
        ([rule("GET", ExposeHeaders=["x" * 700])] * 100, "MaxMessageLengthExceeded", None),
    ],
)
def test_what_is_no_configuration_is_refused(
    s3: Any, bucket: str, rules: list[dict[str, Any]], code: str, text: str | None
) -> None:
    set_rules(s3, bucket, *[rule("GET", ID="i" * 255)] * 100)
    with refused(code, text):
        set_rules(s3, bucket, *rules)
    assert len(s3.get_bucket_cors(Bucket=bucket)["CORSRules"]) == 100


def test_a_preflight_is_answered_by_a_rule_that_allows_it(server: Server, s3: Any, bucket: str) -> None:
    set_rules(s3, bucket, RULE)
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    allowed = {
        "allow-origin": PAGE,
        "allow-methods": "GET, PUT",
        "max-age": "3000",
        "allow-credentials": "true",
        "vary": VARY,
    }
    # Whether there is an object does not matter.
    for path in (f"/{bucket}", f"/{bucket}/", f"/{bucket}/k", f"/{bucket}/a/b?X-Amz-Signature=0&partNumber=1"):
        answer = options(server, path, origin=PAGE, method="PUT")
        assert (answer.status_code, answer.content) == (200, b""), path
        assert told(answer) == allowed
        assert "x-amz-request-id" in answer.headers
    asked = options(server, f"/{bucket}/k", origin=PAGE, method="PUT", names="Content-Type,X-AMZ-Date")
    assert told(asked) == allowed | {"allow-headers": "content-type, x-amz-date"}
    for origin, method in ((STRANGER, "PUT"), (PAGE + "/", "PUT"), (PAGE, "DELETE"), (PAGE, "put"), ("null", "GET")):
        assert_forbidden(options(server, f"/{bucket}/k", origin=origin, method=method), NOT_ALLOWED, method, "OBJECT")
        assert_forbidden(options(server, f"/{bucket}", origin=origin, method=method), NOT_ALLOWED, method, "BUCKET")


def test_a_preflight_says_where_the_page_comes_from_and_what_it_asks_for(server: Server, s3: Any, bucket: str) -> None:
    absent = "absent-bucket"
    for path in (f"/{bucket}", f"/{bucket}/k", f"/{absent}/k"):
        for method in (None, "GET"):
            answer = options(server, path, method=method)
            assert answer.status_code == 400
            assert code_and_text(answer) == ("BadRequest", "Insufficient information. Origin request header needed.")
    assert_forbidden(options(server, f"/{bucket}/k", origin=PAGE, method="PUT"), NOT_ENABLED, "PUT", "BUCKET")
    assert_forbidden(options(server, f"/{bucket}/k", origin=PAGE), NOT_ENABLED, "OPTIONS", "BUCKET")
    for name in (absent, "no"):
        answer = options(server, f"/{name}/k", origin=PAGE, method="GET")
        assert_forbidden(answer, "CORSResponse: Bucket not found", "GET", "BUCKET")
    set_rules(s3, bucket, RULE)
    answer = options(server, f"/{bucket}/k", origin=PAGE)
    assert answer.status_code == 400
    assert code_and_text(answer) == ("BadRequest", "Invalid Access-Control-Request-Method: null")
    s3.delete_bucket_cors(Bucket=bucket)
    assert_forbidden(options(server, f"/{bucket}/k", origin=PAGE, method="PUT"), NOT_ENABLED, "PUT", "BUCKET")


def test_headers_are_asked_for_by_name(server: Server, s3: Any, bucket: str) -> None:
    def names(text: str) -> str | None:
        answer = options(server, f"/{bucket}/k", origin=PAGE, method="PUT", names=text)
        assert answer.status_code == (200 if told(answer) else 403)
        return told(answer).get("allow-headers")

    set_rules(s3, bucket, rule("PUT", AllowedHeaders=["x-amz-meta-*", "X-AMZ-Server-Side-Encryption"]))
    assert names("x-AMZ-server-side-ENCRYPTION, x-amz-meta-a") == "x-amz-server-side-encryption, x-amz-meta-a"
    assert names("x-amz-meta-") == "x-amz-meta-"
    for text in ("x-amz-date", "x-amz-meta-a,x-amz-date", "x-amz-meta", "x-amz-server-side-encryption-aws"):
        assert names(text) is None, text
    set_rules(s3, bucket, rule("PUT"))
    assert names("x-amz-date") is None
    assert options(server, f"/{bucket}/k", origin=PAGE, method="PUT").status_code == 200


def test_a_pattern_stands_for_the_whole_origin(server: Server, s3: Any, bucket: str) -> None:
    patterns = [rule("GET", origins=(origin,)) for origin in ("*suffix", "start*end", "prefix*")]
    set_rules(s3, bucket, *patterns, rule("PUT", origins=("*.put",)))
    for origin in ("foo.suffix", "startend", "start1end", "start12end", "prefix", "prefix.suffix"):
        answer = options(server, f"/{bucket}", origin=origin, method="GET")
        assert (told(answer)["allow-origin"], told(answer)["allow-methods"]) == (origin, "GET")
    assert told(options(server, f"/{bucket}", origin="foo.put", method="PUT"))["allow-methods"] == "PUT"
    for origin in ("foo.bar", "foo.suffix.get", "0start12end", "bla.prefix", "foo.put"):
        answer = options(server, f"/{bucket}", origin=origin, method="GET")
        assert_forbidden(answer, NOT_ALLOWED, "GET", "BUCKET")


def test_a_rule_for_everybody_gives_no_credentials(server: Server, s3: Any, bucket: str) -> None:
    set_rules(s3, bucket, rule("GET", origins=("*",), ExposeHeaders=["ETag", "x-amz-id-2"]))
    everybody = {"allow-origin": "*", "allow-methods": "GET", "expose-headers": "ETag, x-amz-id-2", "vary": VARY}
    assert told(options(server, f"/{bucket}/k", origin="http://random:1234", method="GET")) == everybody
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert told(requests.get(url, headers={"Origin": STRANGER}, timeout=30)) == everybody


def test_a_page_that_a_rule_names_may_see_what_is_answered(server: Server, s3: Any, bucket: str) -> None:
    set_rules(s3, bucket, rule("GET", "PUT", "HEAD", ExposeHeaders=["ETag"]))
    body = bytes(300_000)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    allowed = {
        "allow-origin": PAGE,
        "allow-methods": "GET, PUT, HEAD",
        "expose-headers": "ETag",
        "allow-credentials": "true",
        "vary": VARY,
    }
    page, stranger = {"Origin": PAGE}, {"Origin": STRANGER}
    assert told(requests.put(put, data=body, headers=page, timeout=30)) == allowed
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    head = s3.generate_presigned_url("head_object", Params={"Bucket": bucket, "Key": "k"})
    absent = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "absent"})
    remove = s3.generate_presigned_url("delete_object", Params={"Bucket": bucket, "Key": "absent"})
    for method, asked, status in (
        ("GET", url, 200),
        ("HEAD", head, 200),
        ("GET", absent, 404),
        ("GET", url.replace("/k?", "/other?"), 403),
    ):
        seen = requests.request(method, asked, headers=page, timeout=30)
        assert (seen.status_code, told(seen)) == (status, allowed), asked
        hidden = requests.request(method, asked, headers=stranger, timeout=30)
        assert (hidden.status_code, told(hidden)) == (status, {}), asked
        assert told(requests.request(method, asked, timeout=30)) == {}
    assert requests.get(url, headers=page, timeout=30).content == body
    # No rule has the method: it is carried out all the same, but no page learns of it.
    deleted = requests.delete(remove, headers=page, timeout=30)
    assert (deleted.status_code, told(deleted)) == (204, {})
    # What a preflight would ask for counts, if the request says so.
    for name, value in (("Access-Control-Request-Method", "DELETE"), ("Access-Control-Request-Headers", "x-amz-a")):
        strange = requests.get(url, headers=page | {name: value}, timeout=30)
        assert (strange.status_code, told(strange)) == (200, {})
    assert told(requests.get(url, headers=page | {"x-amz-request-payer": "requester"}, timeout=30)) == allowed


def test_a_form_of_a_page_is_answered_to_it(s3: Any, bucket: str) -> None:
    set_rules(s3, bucket, rule("POST", origins=("https://*",)))
    form = s3.generate_presigned_post(bucket, "k")

    def post(origin: str, **fields: str) -> requests.Response:
        sent = {"data": form["fields"] | fields, "files": {"file": b"x"}, "headers": {"Origin": origin}}
        return requests.post(form["url"], timeout=30, **sent)

    for fields, status in (({}, 204), ({"key": "other"}, 403)):
        assert (post(PAGE, **fields).status_code, told(post(PAGE, **fields))["allow-origin"]) == (status, PAGE)
        assert (post(STRANGER, **fields).status_code, told(post(STRANGER, **fields))) == (status, {})


def test_a_bucket_that_the_host_names_has_its_rules(server: Server, s3: Any, bucket: str) -> None:
    set_rules(s3, bucket, RULE)
    host = f"{bucket}.s3.localhost:{server.port}"
    for path in ("/", "/k", "/a/b", "/livez"):
        assert told(options(server, path, origin=PAGE, method="PUT", host=host))["allow-origin"] == PAGE
    kind = "OBJECT"
    assert_forbidden(options(server, "/k", origin=STRANGER, method="PUT", host=host), NOT_ALLOWED, "PUT", kind)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for origin, is_told in ((PAGE, True), (STRANGER, False)):
        answer = raw(server, "GET", "/k", headers={"host": host, "origin": origin})
        assert bool(told(answer)) == is_told


def test_rules_of_one_bucket_say_nothing_of_another(server: Server, s3: Any, bucket: str) -> None:
    set_rules(s3, new_bucket(s3), RULE)
    assert_forbidden(options(server, f"/{bucket}/k", origin=PAGE, method="PUT"), NOT_ENABLED, "PUT", "BUCKET")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert told(raw(server, "GET", f"/{bucket}/k", headers={"origin": PAGE})) == {}
    assert told(raw(server, "GET", "/", headers={"origin": PAGE})) == {}
    with refused("AccessDenied", status=403):
        set_rules(clients.s3(server, TWO), bucket, RULE)
    # A preflight opens nothing.
    set_rules(s3, bucket, rule("GET", origins=("*",)))
    assert requests.get(f"{server.endpoint}/{bucket}/k", headers={"Origin": PAGE}, timeout=30).status_code >= 400


def test_paths_of_the_service_are_no_buckets(server: Server) -> None:
    assert options(server, "/livez", origin=PAGE, method="GET").status_code == 405
    assert "CORSResponse" not in options(server, "/", origin=PAGE, method="GET").text


def test_origins_of_the_operator_are_let_in_where_a_bucket_refuses(tmp_path: Path) -> None:
    (tmp_path / "keywright.toml").write_text(f'[cors]\norigins = ["{CONSOLE}"]\n')
    server = Server(tmp_path, arguments=("--config", str(tmp_path / "keywright.toml"))).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    set_rules(s3, bucket, rule("GET", origins=(PAGE, CONSOLE)))
    for origin in (PAGE, CONSOLE):
        own = options(server, f"/{bucket}/k", origin=origin, method="GET")
        assert (own.status_code, told(own)["allow-origin"], told(own)["vary"]) == (200, origin, VARY)
    operators = options(server, f"/{bucket}/k", origin=CONSOLE, method="POST")
    assert (operators.status_code, told(operators)["allow-origin"]) == (204, CONSOLE)
    assert_forbidden(options(server, f"/{bucket}/k", origin=PAGE, method="POST"), NOT_ALLOWED, "POST", "OBJECT")
    of_kms = options(server, "/", origin=CONSOLE, method="POST")
    assert (of_kms.status_code, told(of_kms)["allow-origin"]) == (204, CONSOLE)
    assert "allow-origin" not in told(options(server, "/", origin=PAGE, method="POST"))
    server.stop()
    server.start()
    clients.s3(server).put_object(Bucket=bucket, Key="k", Body=b"x")
    seen = raw(server, "GET", f"/{bucket}/k", headers={"origin": CONSOLE})
    assert (told(seen)["allow-origin"], told(seen)["vary"]) == (CONSOLE, VARY)
    assert told(raw(server, "GET", "/", headers={"origin": CONSOLE}))["allow-origin"] == CONSOLE
    for request in (sign(server, kms_request("ListKeys", Origin=CONSOLE)), kms_request("ListKeys", Origin=CONSOLE)):
        assert exchange(server, request).headers["access-control-allow-origin"] == CONSOLE
    stranger = exchange(server, Request("POST", "/", {"Origin": PAGE}, b""))
    assert "access-control-allow-origin" not in stranger.headers
    server.stop()
