"""The product of the tables: each operation on each kind of key in each state, origin and role."""

from typing import Any

from suite.cases import Case, Outcome, Step, Success
from suite.tables import OK, Action, KeyName, Tables

ELSEWHERE = "elsewhere"
GROUP = "key states"


def cases(tables: Tables) -> list[Case]:
    """One case for each row of the table of key states and each key."""
    return [
        made
        for name in tables.key_names
        for row in tables.states.rows
        if (made := _case(tables, tables.actions[row], name)) is not None
    ]


def _case(tables: Tables, action: Action, name: KeyName) -> Case | None:
    said = answers(tables, action.name, name)
    if ELSEWHERE in said:
        return None
    return on_key(tables, action, name, GROUP, str(name), action.request, outcomes(tables, action, name))


def answers(tables: Tables, row: str, name: KeyName) -> list[str]:
    """The words of the tables that refuse this; none if nothing does."""
    kind = tables.kinds[name.kind]
    column = "PendingDeletion" if name.state == "PendingReplicaDeletion" else name.state
    said = [
        tables.states.answer(row, column),
        tables.usages.answer(row, kind.family),
        tables.origins.answer(row, name.origin),
        tables.roles.answer(row, name.role),
    ]
    return [word for word in said if word != OK]


def outcomes(tables: Tables, action: Action, name: KeyName) -> tuple[Outcome, ...]:
    """What may be answered: a refusal of any table that refuses, or success."""
    said = answers(tables, action.name, name)
    if said:
        return tuple(tables.refusals[word] for word in said)
    return (Success(result(tables, action.name, name)),)


def result(tables: Tables, action: str, name: KeyName) -> dict[str, Any]:
    """What the result of an action on this key must have."""
    kind = tables.kinds[name.kind]
    facts = {
        "families": kind.family,
        "usages": kind.usage,
        "origins": name.origin,
        "roles": name.role,
        "states": name.state,
        "kinds": kind.name,
    }
    members: dict[str, Any] = {}
    for row in tables.results:
        applies = all(facts[filter_] in row[filter_] for filter_ in facts if filter_ in row)
        if applies and action in row["actions"]:
            members |= row["members"]
    return members


def on_key(
    tables: Tables,
    action: Action,
    name: KeyName,
    group: str,
    title: str,
    request: dict[str, Any],
    expected: tuple[Outcome, ...],
) -> Case:
    """A case of one action on one key."""
    side = "" if action.name == action.operation else f"{action.name.removeprefix(action.operation).strip()} "
    return Case(
        operation=action.operation,
        group=group,
        name=f"{side}{title}",
        source=tables.states.source,
        steps=(Step(action.operation, request, expected),),
        key=str(name),
        variables={"verb": action.operation},
        changes_key=action.changes,
    )
