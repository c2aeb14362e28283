"""Grants through boto3.

Source: AWS KMS API Reference (CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant) and the developer
guide on grants; the texts for a principal that does not exist and for CreateGrant alone are quoted by users of AWS.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from harness import clients
from harness.dev_clock import advance
from harness.expect import refused
from harness.seed import AMERICA, DEVELOPMENT, ONE, SEEDED_KEY, TWO
from harness.server import Server

ROOT = f"arn:aws:iam::{ONE.id}:root"
SERVICE = "rds.amazonaws.com"
SOURCE = f"arn:aws:rds:eu-central-1:{ONE.id}:db:orders"
UNKNOWN_GRANT = "0" * 64


@pytest.fixture
def stranger(server: Server) -> Any:
    """boto3 of account two."""
    return clients.kms(server, TWO)


@pytest.fixture
def grant(kms: Any) -> Callable[..., Any]:
    """Makes a grant on a key for the administrator of account one."""

    def create(key: str, **parameters: Any) -> Any:
        return kms.create_grant(
            **{"KeyId": key, "GranteePrincipal": ONE.user_arn, "Operations": ["Encrypt", "Decrypt"]} | parameters
        )

    return create


def grants(kms: Any, key: str, **filters: Any) -> list[dict[str, Any]]:
    pages = kms.get_paginator("list_grants").paginate(KeyId=key, **filters)
    return [entry for page in pages for entry in page["Grants"]]


def test_a_grant_is_listed_as_it_was_made(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    constraints = {"EncryptionContextEquals": {"Department": "IT"}, "SourceArn": SOURCE}
    made = grant(key, Name="orders", RetiringPrincipal=ROOT, Constraints=constraints)
    assert re.fullmatch("[0-9a-f]{64}", made["GrantId"])
    (entry,) = grants(kms, key)
    created = entry.pop("CreationDate")
    assert abs((created - kms.describe_key(KeyId=key)["KeyMetadata"]["CreationDate"]).total_seconds()) < 3600
    assert entry == {
        "KeyId": key,
        "GrantId": made["GrantId"],
        "Name": "orders",
        "GranteePrincipal": ONE.user_arn,
        "RetiringPrincipal": ROOT,
        "IssuingAccount": ROOT,
        "Operations": ["Decrypt", "Encrypt"],
        "Constraints": constraints,
    }


def test_a_grant_without_name_and_constraints(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    grant(key)
    (entry,) = grants(kms, key)
    assert entry["Name"] == "", "as AWS's examples show it"
    assert entry.keys().isdisjoint({"Constraints", "RetiringPrincipal", "GranteeServicePrincipal"})


def test_a_named_grant_is_made_once_and_its_tokens_are_new(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    first, again, other = grant(key, Name="n"), grant(key, Name="n"), grant(key, Name="n", Operations=["Encrypt"])
    assert first["GrantId"] == again["GrantId"] != other["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    assert len(grants(kms, key)) == 2
    unnamed = {grant(key)["GrantId"] for _ in range(2)}
    assert len(unnamed) == 2


def test_a_service_as_grantee(unchecked: Any, kms: Any, key: str) -> None:
    whole = {
        "KeyId": key, "GranteeServicePrincipal": SERVICE, "RetiringServicePrincipal": SERVICE,
        "Operations": ["Decrypt"], "Constraints": {"SourceArn": SOURCE},
    }  # fmt: skip
    kms.create_grant(**whole)
    (entry,) = grants(kms, key, GranteeServicePrincipal=SERVICE)
    assert (entry["GranteeServicePrincipal"], entry["RetiringServicePrincipal"]) == (SERVICE, SERVICE)
    assert "GranteePrincipal" not in entry
    for missing in ("Constraints", "RetiringServicePrincipal", "GranteeServicePrincipal"):
        with refused("ValidationException"):
            unchecked.create_grant(**{name: value for name, value in whole.items() if name != missing})


@pytest.mark.parametrize(
    "parameters",
    [
        {"GranteeServicePrincipal": SERVICE},
        {"RetiringPrincipal": ROOT, "RetiringServicePrincipal": SERVICE},
        {"Operations": []},
        {"Operations": ["Sign"]},
        {"Operations": ["RevokeGrant"]},
        {"Constraints": {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}},
        {"Constraints": {"EncryptionContextEquals": {str(number): "" for number in range(9)}}},
        {"Constraints": {"EncryptionContextSubset": {"a": "b" * 385}}},
        {"Constraints": {"SourceArn": "arn:aws:s3:::bucket-without-account"}},
        {"Name": "with blank"},
        {"Name": "x" * 257},
    ],
)
def test_what_a_grant_cannot_say(key: str, grant: Callable[..., Any], parameters: dict[str, Any]) -> None:
    with refused("ValidationException"):
        grant(key, **parameters)


def test_a_grant_that_only_makes_grants_is_refused(key: str, grant: Callable[..., Any]) -> None:
    with refused("ValidationException", "Grants must not contain only the CreateGrant operation."):
        grant(key, Operations=["CreateGrant"])
    grant(key, Operations=["CreateGrant", "Decrypt"])


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{ONE.id}:user/nobody",
        f"arn:aws:iam::{ONE.id}:role/none",
        "arn:aws:iam::111111111111:root",
        SERVICE,
    ],
)
def test_a_principal_that_does_not_exist_is_refused(key: str, grant: Callable[..., Any], principal: str) -> None:
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        with refused("InvalidArnException", f"ARN does not refer to a valid principal: {principal}"):
            grant(key, **{member: principal})


def test_context_constraints_are_for_symmetric_keys(new_key: Callable[..., str], grant: Callable[..., Any]) -> None:
    key = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    grant(key, Operations=["GenerateMac"], Constraints={"SourceArn": SOURCE})
    with refused("ValidationException"):
        grant(key, Operations=["GenerateMac"], Constraints={"EncryptionContextSubset": {"a": "b"}})


def test_a_token_passes_until_its_grant_is_gone(
    kms: Any, key: str, new_key: Callable[..., str], grant: Callable[..., Any]
) -> None:
    made = grant(key)
    tokens = [made["GrantToken"]]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=tokens)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, GrantTokens=tokens)["Plaintext"] == b"x"
    other = new_key()
    moved = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other, GrantTokens=tokens)["CiphertextBlob"]
    with refused("InvalidGrantTokenException"):
        kms.decrypt(CiphertextBlob=moved, GrantTokens=tokens)
    with refused("InvalidGrantTokenException"):
        grant(key, GrantTokens=[*tokens, "x"])
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    with refused("InvalidGrantTokenException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=tokens)
    # The model of DescribeKey has no error for tokens.
    assert kms.describe_key(KeyId=key, GrantTokens=tokens)["KeyMetadata"]["Enabled"]


def test_a_token_is_of_one_region(server: Server, kms: Any, key: str, grant: Callable[..., Any]) -> None:
    token = grant(key)["GrantToken"]
    with refused("InvalidGrantTokenException"):
        clients.kms(server, region=AMERICA).retire_grant(GrantToken=token)
    kms.retire_grant(GrantToken=token)


def test_revoking_and_retiring_end_a_grant_once(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    revoked, retired, by_token = grant(key)["GrantId"], grant(key)["GrantId"], grant(key)["GrantToken"]
    kms.revoke_grant(KeyId=key, GrantId=revoked)
    kms.retire_grant(KeyId=key, GrantId=retired)
    kms.retire_grant(GrantToken=by_token)
    assert grants(kms, key) == []
    for gone in (revoked, retired, UNKNOWN_GRANT):
        for end in (kms.revoke_grant, kms.retire_grant):
            with refused("NotFoundException", f"Grant ID {gone} not found"):
                end(KeyId=key, GrantId=gone)
    with refused("InvalidGrantTokenException"):
        kms.retire_grant(GrantToken=by_token)
    for end in (kms.revoke_grant, kms.retire_grant):
        with refused("InvalidGrantIdException"):
            end(KeyId=key, GrantId="no grant id")
    for incomplete in ({}, {"KeyId": key}, {"GrantId": revoked}):
        with refused("ValidationException"):
            kms.retire_grant(**incomplete)


def test_another_account_retires_what_names_it(
    kms: Any, stranger: Any, key: str, grant: Callable[..., Any]
) -> None:
    named, unnamed = grant(key, RetiringPrincipal=TWO.user_arn), grant(key, RetiringPrincipal=ONE.user_arn)
    listed = stranger.list_retirable_grants(RetiringPrincipal=TWO.user_arn)["Grants"]
    assert named["GrantId"] in {entry["GrantId"] for entry in listed if entry["KeyId"] == key}
    with refused("AccessDeniedException"):
        stranger.retire_grant(GrantToken=unnamed["GrantToken"])
    with refused("AccessDeniedException"):
        stranger.retire_grant(KeyId=key, GrantId=unnamed["GrantId"])
    stranger.retire_grant(KeyId=key, GrantId=named["GrantId"])
    assert [entry["GrantId"] for entry in grants(kms, key)] == [unnamed["GrantId"]]


def test_whose_retirable_grants_can_be_listed(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    made = grant(key, RetiringPrincipal=ROOT)["GrantId"]
    pages = kms.get_paginator("list_retirable_grants").paginate(RetiringPrincipal=ROOT)
    assert made in {entry["GrantId"] for page in pages for entry in page["Grants"]}
    for foreign in ({"RetiringPrincipal": TWO.user_arn}, {"RetiringServicePrincipal": SERVICE}):
        with refused("AccessDeniedException"):
            kms.list_retirable_grants(**foreign)
    for wrong in ({}, {"RetiringPrincipal": ROOT, "RetiringServicePrincipal": SERVICE}):
        with refused("ValidationException"):
            kms.list_retirable_grants(**wrong)


def test_filters(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    admins, roots = grant(key)["GrantId"], grant(key, GranteePrincipal=ROOT)["GrantId"]
    assert [entry["GrantId"] for entry in grants(kms, key, GranteePrincipal=ROOT)] == [roots]
    assert [entry["GrantId"] for entry in grants(kms, key, GrantId=admins)] == [admins]
    assert grants(kms, key, GrantId=admins, GranteePrincipal=ROOT) == []
    with refused("InvalidGrantIdException"):
        kms.list_grants(KeyId=key, GrantId="no grant id")


def test_dry_runs_change_nothing(kms: Any, key: str, grant: Callable[..., Any]) -> None:
    with refused("DryRunOperationException"):
        grant(key, DryRun=True)
    assert grants(kms, key) == []
    made = grant(key)["GrantId"]
    for end in (kms.revoke_grant, kms.retire_grant):
        with refused("DryRunOperationException"):
            end(KeyId=key, GrantId=made, DryRun=True)
        with refused("NotFoundException"):
            end(KeyId=key, GrantId=UNKNOWN_GRANT, DryRun=True)
    assert len(grants(kms, key)) == 1


def test_tokens_and_grants_outlive_a_restart(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    made = kms.create_grant(KeyId=SEEDED_KEY, GranteePrincipal=ONE.user_arn, Operations=["Decrypt"])
    fresh_server.restart()
    kms = clients.kms(fresh_server)
    assert [entry["GrantId"] for entry in grants(kms, SEEDED_KEY)] == [made["GrantId"]]
    kms.describe_key(KeyId=SEEDED_KEY, GrantTokens=[made["GrantToken"]])


def test_grants_go_with_their_key(dev_server: Server, dev_kms: Any, dev_key: str) -> None:
    root = f"arn:aws:iam::{DEVELOPMENT.id}:root"
    retirable = {"RetiringPrincipal": root}
    made = dev_kms.create_grant(KeyId=dev_key, GranteePrincipal=root, Operations=["Decrypt"], **retirable)
    assert made["GrantId"] in {entry["GrantId"] for entry in dev_kms.list_retirable_grants(**retirable)["Grants"]}
    dev_kms.schedule_key_deletion(KeyId=dev_key, PendingWindowInDays=7)
    assert len(grants(dev_kms, dev_key)) == 1, "it may still be cancelled"
    advance(dev_server, timedelta(days=8))
    with refused("NotFoundException"):
        dev_kms.list_grants(KeyId=dev_key)
    with refused("InvalidGrantTokenException"):
        dev_kms.retire_grant(GrantToken=made["GrantToken"])
    assert dev_kms.list_retirable_grants(**retirable)["Grants"] == []
