"""Parameters that many operations have: DryRun and GrantTokens."""

from suite.cases import Case, Refusal
from suite.homes import home
from suite.matrix import on_key, outcomes
from suite.model import Model
from suite.tables import Action, KeyName, Tables

# A grant can be retired or revoked once: these have their cases in grants.toml.
OWN_CASES = {"RetireGrant", "RevokeGrant"}
SUCCEEDED = Refusal(
    ("DryRunOperationException",), ("The request would have succeeded, but the DryRun option is set.",)
)
BAD_TOKEN = Refusal(("InvalidGrantTokenException",))


def cases(tables: Tables) -> list[Case]:
    """The cases of each operation whose request has these members."""
    model = Model()
    found = []
    for action in tables.actions.values():
        shape = model.request(action.operation)
        members = set() if shape is None else set(shape["members"])
        if "DryRun" in members and action.name not in OWN_CASES:
            found += _dry_runs(tables, action)
        if "GrantTokens" in members and "InvalidGrantTokenException" in model.errors(action.operation):
            found.append(_bad_token(tables, action))
    return found


def _dry_runs(tables: Tables, action: Action) -> list[Case]:
    """What succeeds says so; what is refused is refused as ever."""
    name = home(tables, action)
    request = action.request | {"DryRun": True}
    found = [on_key(tables, action, name, "dry run", str(name), request, (SUCCEEDED,))]
    for other in (KeyName(name.kind, state="Disabled"), KeyName(name.kind, state="PendingDeletion"), _other_kind(name)):
        expected = outcomes(tables, action, other)
        if isinstance(expected[0], Refusal):
            found.append(on_key(tables, action, other, "dry run", str(other), request, expected))
    return found


def _other_kind(name: KeyName) -> KeyName:
    return KeyName("SYMMETRIC_DEFAULT" if name.kind.startswith("HMAC") else "HMAC_256")


def _bad_token(tables: Tables, action: Action) -> Case:
    name = home(tables, action)
    request = action.request | {"GrantTokens": ["bm8gdG9rZW4"]}
    return on_key(tables, action, name, "grant tokens", "a token of no grant", request, (BAD_TOKEN,))
