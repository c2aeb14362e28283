"""GetCallerIdentity through boto3, the AWS CLI and a pre-signed URL.

Source: AWS STS API Reference, GetCallerIdentity and "Common errors"; the Query protocol.
"""

import json
import re
import urllib.request
from pathlib import Path

import pytest

from harness import clients
from harness.clients import account_environment, run
from harness.expect import refused
from harness.raw import Request, exchange, sign
from harness.seed import AMERICA, DEVELOPMENT, EUROPE, ONE, TWO, Account
from harness.server import Server

FORM = "application/x-www-form-urlencoded; charset=utf-8"
QUERY = b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.parametrize("account", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("region", [EUROPE, AMERICA])
def test_who_calls(server: Server, account: Account, region: str) -> None:
    identity = clients.sts(server, account, region).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (account.id, account.user_arn)
    assert re.fullmatch(r"AIDA[A-Z0-9]{16,}", identity["UserId"])
    assert identity["ResponseMetadata"]["RequestId"]


def test_the_development_account(dev_server: Server) -> None:
    identity = clients.sts(dev_server, DEVELOPMENT).get_caller_identity()
    assert identity["Account"] == "000000000000"


def test_the_user_id_stays(server: Server) -> None:
    first, second = (clients.sts(server).get_caller_identity()["UserId"] for _ in range(2))
    assert first == second != clients.sts(server, TWO).get_caller_identity()["UserId"]


def test_the_cli(server: Server, tmp_path: Path) -> None:
    finished = run(["aws", "sts", "get-caller-identity", "--output", "json"], tmp_path, account_environment(server))
    assert finished.returncode == 0, finished
    assert json.loads(finished.stdout)["Arn"] == ONE.user_arn


def test_a_pre_signed_url(server: Server) -> None:
    # What Kubernetes and Vault use to prove an identity.
    url = clients.sts(server).generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.headers["content-type"].startswith("text/xml")
        assert f"<Arn>{ONE.user_arn}</Arn>" in response.read().decode()


def test_refusals_have_the_names_and_status_of_the_query_protocol(server: Server) -> None:
    wrong_secret = Account(ONE.id, ONE.access_key_id, "x" * 40)
    with refused(
        "SignatureDoesNotMatch", re.compile("The request signature we calculated does not match .*", re.DOTALL), 403
    ):
        clients.sts(server, wrong_secret).get_caller_identity()
    nobody = Account(ONE.id, "AKIAIOSFODNN7NOBODY0", ONE.secret_access_key)
    with refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403):
        clients.sts(server, nobody).get_caller_identity()


@pytest.mark.parametrize(
    "body",
    [b"", b"Action=Nothing&Version=2011-06-15", b"Version=2011-06-15", b"Action=getcalleridentity&Version=2011-06-15",
     b"Action=AssumeRole&Version=2011-06-15", b"Action=GetCallerIdentity&Version=1999-01-01", b"%zz=%zz&&&==", b"\xff\x00"],
)  # fmt: skip
def test_actions_that_are_not_there(server: Server, body: bytes) -> None:
    answer = exchange(server, sign(server, Request("POST", "/", {"Content-Type": FORM}, body), service="sts"))
    assert 400 <= answer.status < 500, answer
    assert b"<Code>" in answer.body
    assert answer.request_id


def test_the_answer_in_full(server: Server) -> None:
    answer = exchange(server, sign(server, Request("POST", "/", {"Content-Type": FORM}, QUERY), service="sts"))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    text = answer.body.decode()
    assert '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' in text
    assert f"<RequestId>{answer.request_id}</RequestId>" in text
