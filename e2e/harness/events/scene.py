"""Calls made with boto3, each with its event, which is in the log when the answer is."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from harness import trail
from harness.server import Server


@dataclass(frozen=True)
class Made:
    """A call: what came back, what the log had by then, and what was known of the things that it was about."""

    operation: str
    parameters: dict[str, Any]
    answer: dict[str, Any]
    event: dict[str, Any]
    values: dict[str, str]


@dataclass
class Scene:
    """A server, what is known of what it has, and the calls that were made, by the names of their examples."""

    server: Server
    values: dict[str, str] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)

    def call(self, client: Any, name: str, **parameters: Any) -> dict[str, Any]:
        """Calls the operation with which the name begins; a refusal is an answer, too."""
        operation = name.split(" ")[0]
        answer = answered(client, operation, parameters)
        event = trail.event_of(self.server, answer)
        assert name not in self.made, f"{name} was called before"
        self.made[name] = Made(operation, parameters, answer, event, dict(self.values))
        return answer

    def know(self, **values: str) -> None:
        """Gives names to values that events show."""
        self.values |= values


def answered(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What an operation answers, be it a refusal."""
    methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    try:
        return getattr(client, methods[operation])(**parameters)
    except ClientError as refusal:
        return refusal.response
