"""Every listing, page by page, through boto3.

Source: AWS KMS API Reference: Limit, Marker, NextMarker, Truncated of the List operations; InvalidMarkerException.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness import clients
from harness.expect import CONSTRAINT, refused
from harness.seed import AMERICA, ONE
from harness.server import Server


@dataclass
class Listing:
    """A listing and the entries that it must show."""

    call: Callable[..., Any]
    member: str
    parameters: dict[str, Any] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    name: Callable[[Any], str] = str

    def page(self, **more: Any) -> Any:
        return self.call(**self.parameters, **more)

    def names(self, page: Any) -> list[str]:
        return [self.name(entry) for entry in page[self.member]]


NUMBER = 7


def list_keys(kms: Any) -> Listing:
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(NUMBER)}
    return Listing(kms.list_keys, "Keys", {}, made, lambda entry: entry["KeyId"])


def list_aliases(kms: Any) -> Listing:
    listing = list_aliases_of_a_key(kms)
    listing.parameters = {}
    return listing


def list_aliases_of_a_key(kms: Any) -> Listing:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    names = {f"alias/{uuid.uuid4()}" for _ in range(NUMBER)}
    for name in names:
        kms.create_alias(AliasName=name, TargetKeyId=key)
    return Listing(kms.list_aliases, "Aliases", {"KeyId": key}, names, lambda entry: entry["AliasName"])


def list_resource_tags(kms: Any) -> Listing:
    names = {f"tag {number}" for number in range(NUMBER)}
    key = kms.create_key(Tags=[{"TagKey": name, "TagValue": "v"} for name in names])["KeyMetadata"]["KeyId"]
    return Listing(kms.list_resource_tags, "Tags", {"KeyId": key}, names, lambda entry: entry["TagKey"])


def list_key_rotations(kms: Any) -> Listing:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(NUMBER):
        kms.rotate_key_on_demand(KeyId=key)
    found = kms.list_key_rotations(KeyId=key, Limit=1000)["Rotations"]
    materials = {entry["KeyMaterialId"] for entry in found}
    return Listing(kms.list_key_rotations, "Rotations", {"KeyId": key}, materials, lambda entry: entry["KeyMaterialId"])


def list_key_policies(kms: Any) -> Listing:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return Listing(kms.list_key_policies, "PolicyNames", {"KeyId": key}, {"default"})


def list_grants(kms: Any) -> Listing:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    grant = {"KeyId": key, "GranteePrincipal": ONE.user_arn, "RetiringPrincipal": ONE.user_arn}
    made = {kms.create_grant(**grant, Operations=["Decrypt"])["GrantId"] for _ in range(NUMBER)}
    return Listing(kms.list_grants, "Grants", {"KeyId": key}, made, lambda entry: entry["GrantId"])


def list_retirable_grants(kms: Any) -> Listing:
    listing = list_grants(kms)
    listing.call = kms.list_retirable_grants
    listing.parameters = {"RetiringPrincipal": ONE.user_arn}
    return listing


MAKERS = [
    list_keys, list_aliases, list_aliases_of_a_key, list_resource_tags, list_key_rotations, list_key_policies,
    list_grants, list_retirable_grants,
]  # fmt: skip
LONG_MAKERS = [maker for maker in MAKERS if maker is not list_key_policies]
EVERY_LISTING = pytest.mark.parametrize("make", MAKERS, ids=lambda maker: maker.__name__)
EVERY_LONG_LISTING = pytest.mark.parametrize("make", LONG_MAKERS, ids=lambda maker: maker.__name__)


@pytest.fixture(scope="module")
def paged(server: Server) -> Any:
    """boto3 in another Region than the other tests use, so that the lists stay short."""
    return clients.kms(server, region=AMERICA, parameter_validation=False)


@EVERY_LISTING
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_the_pages_together_are_the_whole_list(paged: Any, make: Callable[[Any], Listing], limit: int) -> None:
    listing = make(paged)
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = listing.page(Limit=limit, **marker)
        assert len(page[listing.member]) <= limit
        seen += listing.names(page)
        assert page["Truncated"] == ("NextMarker" in page)
        if not page["Truncated"]:
            break
        assert 1 <= len(page["NextMarker"]) <= 1024
        marker = {"Marker": page["NextMarker"]}
        assert len(seen) < 10_000, "the pages never end"
    assert len(seen) == len(set(seen)), "nothing twice"
    assert listing.expected <= set(seen)


@EVERY_LISTING
def test_the_paginator_of_boto3(paged: Any, make: Callable[[Any], Listing]) -> None:
    listing = make(paged)
    paginator = paged.get_paginator(make.__name__.removesuffix("_of_a_key"))
    pages = paginator.paginate(**listing.parameters, PaginationConfig={"PageSize": 2})
    seen = [name for page in pages for name in listing.names(page)]
    assert listing.expected <= set(seen)
    assert len(seen) == len(set(seen))


@EVERY_LONG_LISTING
def test_a_marker_can_be_used_again(paged: Any, make: Callable[[Any], Listing]) -> None:
    listing = make(paged)
    marker = listing.page(Limit=2)["NextMarker"]
    first, second = (listing.names(listing.page(Limit=2, Marker=marker)) for _ in range(2))
    assert first == second
    assert not set(first) & set(listing.names(listing.page(Limit=2)))


GARBAGE = ["x", "AAAA", "eyJrZXkiOiAiMSJ9", "{}", "0", " ", "~" * 1024, "1234abcd-12ab-34cd-56ef-1234567890ab", "ÿ"]


@EVERY_LISTING
@pytest.mark.parametrize("marker", GARBAGE, ids=lambda marker: repr(marker)[:12])
def test_a_marker_that_was_never_issued(paged: Any, make: Callable[[Any], Listing], marker: str) -> None:
    # ListKeyPolicies is the one listing whose model has no InvalidMarkerException.
    code = "ValidationException" if make is list_key_policies else "InvalidMarkerException"
    with refused(code):
        make(paged).page(Marker=marker)


@EVERY_LONG_LISTING
def test_a_marker_of_another_listing(paged: Any, make: Callable[[Any], Listing]) -> None:
    listing = make(paged)
    for other in LONG_MAKERS:
        if other is not make:
            with refused("InvalidMarkerException"):
                listing.page(Marker=other(paged).page(Limit=1)["NextMarker"])


@pytest.mark.parametrize("make", [list_aliases_of_a_key, list_resource_tags, list_key_rotations])
def test_a_marker_of_another_key(paged: Any, make: Callable[[Any], Listing]) -> None:
    with refused("InvalidMarkerException"):
        make(paged).page(Marker=make(paged).page(Limit=1)["NextMarker"])


@EVERY_LONG_LISTING
def test_an_altered_marker(paged: Any, make: Callable[[Any], Listing]) -> None:
    listing = make(paged)
    marker = listing.page(Limit=1)["NextMarker"]
    middle = len(marker) // 2
    other = "A" if marker[middle] != "A" else "B"
    for altered in (marker[:-1], marker + "A", marker[:middle] + other + marker[middle + 1 :]):
        with refused("InvalidMarkerException"):
            listing.page(Marker=altered)


@EVERY_LISTING
def test_limits_out_of_bounds(paged: Any, make: Callable[[Any], Listing]) -> None:
    listing = make(paged)
    for limit, bound in [
        (0, "greater than or equal to 1"),
        (-5, "greater than or equal to 1"),
        (1001, "less than or equal to 1000"),
    ]:
        text = f"{CONSTRAINT}Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}"
        with refused("ValidationException", text):
            listing.page(Limit=limit)
    with refused("ValidationException"):
        listing.page(Marker="")
    with refused("ValidationException"):
        listing.page(Marker="x" * 1025)


def test_what_is_deleted_and_added_meanwhile_disturbs_nothing(paged: Any) -> None:
    listing = list_aliases_of_a_key(paged)
    first = listing.page(Limit=3)
    shown = listing.names(first)
    paged.delete_alias(AliasName=shown[-1])
    late = f"alias/{uuid.uuid4()}"
    paged.create_alias(AliasName=late, TargetKeyId=listing.parameters["KeyId"])
    rest = listing.names(listing.page(Limit=100, Marker=first["NextMarker"]))
    assert not set(rest) & set(shown)
    assert listing.expected <= set(shown) | set(rest)
    assert set(rest) - listing.expected <= {late}


def test_the_default_page_lengths(fresh_server: Server) -> None:
    # 100 keys, 50 aliases a page when no Limit is given.
    kms = clients.kms(fresh_server)
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(110)]
    page = kms.list_keys()
    assert (len(page["Keys"]), page["Truncated"]) == (100, True)
    for number in range(60):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=keys[number])
    page = kms.list_aliases()
    assert (len(page["Aliases"]), page["Truncated"]) == (50, True)
    page = kms.list_keys(Limit=1000)
    assert (len(page["Keys"]), page["Truncated"]) == (111, False)
