"""Who may what: each KMS operation, called by each kind of caller, on each kind of key.

The outcomes stand in `corpus/authorization/`, which also says who the callers are. The rules here come from AWS's pages
and know nothing of those files.

Sources: KMS developer guide, "Policy evaluation", "AWS KMS permissions" (which operations work across accounts),
"Grants in AWS KMS", "AWS managed keys"; IAM user guide, "Policy evaluation logic", "Permissions boundaries for IAM
entities".
"""

import os
from collections.abc import Iterator

import pytest

from harness.matrix.keys import FOR_EVERY_KEY, GRANTABLE, USAGES
from harness.matrix.measure import DENIED, NOT_SIGNED, Measured, Outcome, measure
from harness.matrix.rows import ON_KEYS, WITHOUT_KEY, Row
from harness.matrix.snapshot import FOLDER, differences, files
from harness.server import Server
from harness.services import services

# Ten thousand calls; most of the time is spent on the first test.
pytestmark = pytest.mark.timeout(300)

ROWS = {row.name: row for rows in ON_KEYS.values() for row in rows}
ALIASES = {"CreateAlias", "UpdateAlias", "DeleteAlias", "ListAliases"}
CROSS_ACCOUNT = {
    "CreateGrant", "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt",
    "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext",
    "GenerateMac", "GetKeyRotationStatus", "GetPublicKey", "ListGrants", "ReEncrypt", "RetireGrant", "RevokeGrant",
    "Sign", "Verify", "VerifyMac",
}  # fmt: skip
# Keys whose policy delegates to the account and names the callers that are let in.
OPENED = ("open", "signing", "hmac", "agreement", "encapsulation", "imported", "primary", "disabled", "deletion")
# Root users need none.
WITH_IDENTITY_POLICY = ("root", "administrator", "role", "federated")
# Why each of these is refused where the account's policies decide.
REFUSED_BY = {
    "powerless": "identity", "elsewhere": "identity", "bounded": "boundary", "narrowed": "session",
    "denied": "explicit",
}  # fmt: skip
FOREIGN = ("outsider", "guest", "idle-guest")
UNKNOWN_RETIRED = "RetireGrant of an unknown id"
# A name that is reserved, or a grant that is not there, is told before anybody is asked for leave.
TOLD_TO_EVERYBODY = {("UpdateAlias", "managed"), ("DeleteAlias", "managed"), ("RetireGrant", "managed")}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """All outcomes, from a server of their own."""
    server = Server(tmp_path_factory.mktemp("matrix")).start()
    yield measure(server)
    server.close()


def test_the_outcomes_are_those_in_the_corpus(measured: Measured) -> None:
    # KEYWRIGHT_WRITE_MATRIX=1 e2e/run tests/test_authorization_matrix.py
    found = files(measured)
    if os.environ.get("KEYWRIGHT_WRITE_MATRIX"):
        for name, text in found.items():
            (FOLDER / name).write_text(text)
    wrong = []
    for name, text in found.items():
        expected = (FOLDER / name).read_text()
        wrong += [f"{name}: {difference}" for difference in differences(expected, text) if expected != text]
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:100]])


def test_no_operation_is_left_out(measured: Measured) -> None:
    called = {row.operation for row in ROWS.values()} | {name.split(" ")[0] for name in WITHOUT_KEY}
    assert called == set(services()["kms"].operations)


def test_no_key_is_otherwise_than_before(measured: Measured) -> None:
    before, after = measured.states
    assert after == before


def test_nothing_goes_unsigned(measured: Measured) -> None:
    unsigned = [outcome for _, _, outcome in cells(measured, "unsigned")]
    unsigned += [outcome for _, outcome in without_key(measured, "unsigned")]
    assert {outcome.code for outcome in unsigned} == {NOT_SIGNED}


def test_a_refusal_names_its_caller_and_an_action_of_the_operation(measured: Measured) -> None:
    for caller in measured.callers:
        for row, kind, outcome in cells(measured, caller.name):
            if outcome.is_denied:
                assert outcome.caller == caller.arn, (row, kind)
                actions = {"ReEncrypt": {"ReEncryptFrom", "ReEncryptTo"}, "ReplicateKey": {"ReplicateKey", "CreateKey"}}
                assert outcome.action in actions.get(row.operation, {row.operation}), (row, kind)


@pytest.mark.parametrize("caller", [*REFUSED_BY, "idle-guest"])
def test_who_has_no_leave_gets_past_nothing(measured: Measured, caller: str) -> None:
    for row, kind, outcome in cells(measured, caller):
        if not outcome.is_denied:
            is_told = kind == "absent" or (row.operation, kind) in TOLD_TO_EVERYBODY or row.name == UNKNOWN_RETIRED
            assert outcome.code == "NotFoundException" and is_told, (row.name, kind, outcome)
    assert all(outcome.is_denied for _, outcome in without_key(measured, caller))


@pytest.mark.parametrize("caller", REFUSED_BY)
def test_what_refuses_is_named(measured: Measured, caller: str) -> None:
    """On keys that leave it to the account's policies, and without a key."""
    found = {
        outcome.reason
        for row, kind, outcome in cells(measured, caller)
        if kind in ("default", *OPENED) and row.name != UNKNOWN_RETIRED
    }
    assert found | {outcome.reason for _, outcome in without_key(measured, caller)} == {REFUSED_BY[caller]}


def test_an_identity_policy_for_one_key_is_nothing_on_others(measured: Measured) -> None:
    powerless, elsewhere = (
        {(row.name, kind): (outcome.code, outcome.reason) for row, kind, outcome in cells(measured, caller)}
        for caller in ("powerless", "elsewhere")
    )
    assert powerless == elsewhere


@pytest.mark.parametrize("caller", WITH_IDENTITY_POLICY)
def test_a_key_that_delegates_is_open_to_whom_identity_policies_allow(measured: Measured, caller: str) -> None:
    for row, kind, outcome in cells(measured, caller):
        if kind in ("default", *OPENED):
            by_other_key = row.name == "UpdateAlias of closed"
            assert outcome.reason == ("key policy" if by_other_key else ""), (row.name, kind)
    assert not any(outcome.is_denied for _, outcome in without_key(measured, caller))


@pytest.mark.parametrize("caller", [*WITH_IDENTITY_POLICY, "powerless", "elsewhere", "bounded"])
def test_a_key_that_does_not_delegate_knows_no_identity_policies(measured: Measured, caller: str) -> None:
    """It refuses whom it does not name, and says so. An alias takes leave on its name first."""
    for row, kind, outcome in cells(measured, caller):
        if kind == "closed" and row.operation not in ("ListAliases", "RetireGrant"):
            by_name = row.operation in ALIASES and caller in REFUSED_BY
            assert outcome.reason == (REFUSED_BY[caller] if by_name else "key policy"), (row.name, outcome)


def test_identity_policies_alone_list_aliases(measured: Measured) -> None:
    for caller in (*WITH_IDENTITY_POLICY, *REFUSED_BY, "named", "grantee"):
        for row, kind, outcome in cells(measured, caller):
            if row.operation == "ListAliases" and kind != "absent":
                allowed = caller in WITH_IDENTITY_POLICY
                expected = (None, "") if allowed else (DENIED, REFUSED_BY.get(caller, "identity"))
                assert (outcome.code, outcome.reason) == expected, (caller, kind)


def test_whom_a_key_policy_names_needs_no_identity_policy(measured: Measured) -> None:
    for row, kind, outcome in cells(measured, "named"):
        by_identity = row.operation in (*ALIASES, "RetireGrant") or (row.name, kind) == ("ReplicateKey", "primary")
        if kind in ("closed", *OPENED) and row.name != UNKNOWN_RETIRED:
            assert outcome.is_past_authorization != by_identity, (row.name, kind, outcome)
        elif kind == "default" and row.name != UNKNOWN_RETIRED:
            assert outcome.reason == "identity", (row.name, outcome)


def test_a_grant_opens_what_it_says_and_nothing_else(measured: Measured) -> None:
    for row, kind, outcome in cells(measured, "grantee"):
        if kind in USAGES and row.name != UNKNOWN_RETIRED:
            granted = row.checked in (*GRANTABLE[USAGES[kind]], *FOR_EVERY_KEY)
            assert outcome.is_past_authorization == granted, (row.name, kind, outcome)


def test_an_aws_managed_key_is_looked_at_and_nothing_else(measured: Measured) -> None:
    for caller in WITH_IDENTITY_POLICY:
        for row, kind, outcome in cells(measured, caller):
            if kind == "managed" and (row.operation, kind) not in TOLD_TO_EVERYBODY:
                looks = row.operation.startswith(("Describe", "Get", "List"))
                assert outcome.reason == ("" if looks else "key policy"), (row.name, outcome)
    for caller in (*FOREIGN, *REFUSED_BY, "named", "grantee"):
        for row, kind, outcome in cells(measured, caller):
            if kind == "managed" and (row.operation, kind) not in TOLD_TO_EVERYBODY:
                assert outcome.is_denied, (row.name, caller, outcome)


@pytest.mark.parametrize("caller", FOREIGN)
def test_a_foreigner_does_not_learn_whether_a_key_is_there(measured: Measured, caller: str) -> None:
    """To whom a key's account does not open it, it is as one that is not there. Who knows a grant's id learns of it."""
    seen = {(row.name, kind): outcome for row, kind, outcome in cells(measured, caller)}
    for (name, kind), outcome in seen.items():
        is_closed = caller == "outsider" or kind in ("default", "managed")
        is_told = (ROWS[name].operation, kind) in TOLD_TO_EVERYBODY
        if is_closed and not is_told and name != "RetireGrant":
            assert outcome == seen[name, "absent"], (name, kind)


@pytest.mark.parametrize("caller", FOREIGN)
def test_what_is_not_for_other_accounts_never_is(measured: Measured, caller: str) -> None:
    for row, kind, outcome in cells(measured, caller):
        if row.operation not in CROSS_ACCOUNT:
            # A foreigner's alias names are its own account's.
            own_alias = row.operation in ALIASES and outcome.code == "NotFoundException"
            assert outcome.is_denied or own_alias, (row.name, kind, outcome)


def test_both_accounts_must_let_a_foreigner_in(measured: Measured) -> None:
    for row, kind, outcome in cells(measured, "guest"):
        if kind in ("closed", *OPENED) and row.operation in CROSS_ACCOUNT - {"RetireGrant"}:
            assert outcome.is_past_authorization, (row.name, kind)
    for row, kind, outcome in cells(measured, "idle-guest"):
        if kind in ("closed", *OPENED) and row.operation in CROSS_ACCOUNT - {"RetireGrant"}:
            assert outcome.reason == "identity", (row.name, kind)


def test_neither_kind_nor_state_of_a_key_changes_who_is_let_in(measured: Measured) -> None:
    for caller in measured.callers:
        seen = {(row.name, kind): outcome for row, kind, outcome in cells(measured, caller.name)}
        for (name, kind), outcome in seen.items():
            alone = caller.name == "grantee" or (caller.name, name, kind) == ("named", "ReplicateKey", "primary")
            if kind in OPENED and not alone:
                like = seen[name, "open"]
                same = (outcome.is_denied, outcome.reason) == (like.is_denied, like.reason)
                assert same, (caller.name, name, kind)


@pytest.mark.parametrize("caller", [*WITH_IDENTITY_POLICY, *REFUSED_BY, "named", "grantee"])
def test_a_key_that_is_not_there_is_named_as_such_in_its_own_account(measured: Measured, caller: str) -> None:
    """Unless only a ciphertext names it, or something that is looked at first is refused: an alias, another key."""
    for row, kind, outcome in cells(measured, caller):
        if kind == "absent" and row.name == "Decrypt by ciphertext":
            assert outcome.reason == "out of reach"
        elif kind == "absent":
            is_refused = row.operation in ALIASES and caller not in WITH_IDENTITY_POLICY
            is_refused |= (row.name, caller) == ("ReEncrypt to", "denied")
            assert outcome.code == (DENIED if is_refused else "NotFoundException"), (row.name, outcome)


def test_reserved_names_and_unknown_grants_are_told_to_everybody(measured: Measured) -> None:
    for caller in measured.callers:
        for row, kind, outcome in cells(measured, caller.name):
            is_told = (row.operation, kind) in TOLD_TO_EVERYBODY or row.name == UNKNOWN_RETIRED
            if is_told and caller.name != "unsigned":
                assert outcome.code == "NotFoundException", (caller.name, row.name, kind)


def cells(measured: Measured, caller: str) -> Iterator[tuple[Row, str, Outcome]]:
    """The outcomes of one caller, with row and kind of key."""
    for (name, kind, who), outcome in measured.on_keys.items():
        if who == caller:
            yield ROWS[name], kind, outcome


def without_key(measured: Measured, caller: str) -> Iterator[tuple[str, Outcome]]:
    """The outcomes of one caller's calls that name no key."""
    for (name, who), outcome in measured.without_key.items():
        if who == caller:
            yield name, outcome
