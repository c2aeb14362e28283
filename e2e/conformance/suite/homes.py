"""On which key an action is at home: nothing refuses it there."""

from suite.matrix import ELSEWHERE, answers
from suite.tables import Action, KeyName, Tables

# Replicating and changing the primary have cases of their own: here they need a key on which nothing else refuses.
PRIMARY = KeyName("SYMMETRIC_DEFAULT", role="primary")


def home(tables: Tables, action: Action) -> KeyName:
    """The first key of the matrix on which the action succeeds."""
    if action.name not in tables.states.rows:
        return KeyName("SYMMETRIC_DEFAULT")
    for name in tables.key_names:
        if not answers(tables, action.name, name):
            return name
    return PRIMARY


def succeeds_at_home(tables: Tables, action: Action) -> bool:
    """Whether there is such a key."""
    return ELSEWHERE not in answers(tables, action.name, home(tables, action))
