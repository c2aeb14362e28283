"""How each operation lets a key be named: the forms of identifiers that it takes, and what it says of others."""

from typing import Any

from suite.cases import Case, refusal
from suite.homes import home, succeeds_at_home
from suite.matrix import on_key, outcomes
from suite.tables import Action, Tables, read

GROUP = "identifiers"
TABLE = "identifiers.toml"


def cases(tables: Tables) -> list[Case]:
    """Every form of identifier for every action that names a key."""
    table = read(tables.folder / TABLE)
    found = []
    for names in table["forms"].values():
        unknown = set(names["actions"]) - set(tables.actions)
        assert not unknown, unknown
        for action in [tables.actions[name] for name in names["actions"]]:
            found += [_taken(tables, action, form) for form in names["taken"] if succeeds_at_home(tables, action)]
            found += [_refused(tables, action, form) for form in names["refused"]]
            found += [_refused(tables, action, form) for form in table["malformed"]]
    return found


def _taken(tables: Tables, action: Action, form: dict[str, Any]) -> Case:
    name = home(tables, action)
    title = f"by {form['title']}"
    request = action.request | {action.key_member: form["value"]}
    return on_key(tables, action, name, GROUP, title, request, outcomes(tables, action, name))


def _refused(tables: Tables, action: Action, form: dict[str, Any]) -> Case:
    name = home(tables, action)
    request = action.request | {action.key_member: form["value"]}
    expected = refusal({part: form[part] for part in ("code", "text", "pattern") if part in form})
    return on_key(tables, action, name, GROUP, form["title"], request, (expected,))
