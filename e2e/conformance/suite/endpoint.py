"""The service under test: one endpoint, called in two Regions with the credentials of the usual AWS chain."""

import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MOST_CONNECTIONS = 32


@dataclass(frozen=True)
class Target:
    """Where the service is. Without an endpoint: AWS itself."""

    endpoint_url: str | None
    region: str
    second_region: str
    profile: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    attempts: int = 1
    patience: float = 5.0
    """Seconds to wait for a change of state that AWS makes in the background."""


@dataclass(frozen=True)
class Answer:
    """What came back from one call."""

    operation: str
    status: int
    members: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    request_id: str | None = None
    code: str | None = None
    text: str = ""

    @property
    def succeeded(self) -> bool:
        return self.code is None

    @property
    def is_final(self) -> bool:
        """Whether no waiting will give another answer. What was made a moment ago need not be known everywhere yet."""
        return self.code not in (None, "NotFoundException")

    def __str__(self) -> str:
        if self.succeeded:
            return f"{self.operation} succeeded with {self.members}"[:400]
        return f"{self.operation} was refused with {self.code} ({self.status}) {self.text!r}"[:600]


class NoAnswer(Exception):
    """The endpoint cannot be reached, or what it sends is no answer of the protocol."""


class Endpoint:
    """Makes calls and remembers the keys and aliases that they made, so that these can be removed."""

    def __init__(self, target: Target):
        self.target = target
        self.model = self._client("kms", target.region).meta.service_model
        self._clients = {region: self._kms(region) for region in (target.region, target.second_region)}
        self._made: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()

    def call(self, operation: str, request: dict[str, Any], region: str | None = None) -> Answer:
        """One call. The request is sent as it is: boto3 checks nothing beforehand."""
        region = region or self.target.region
        try:
            parsed = self._clients[region]._make_api_call(operation, request)
        except ClientError as refusal:
            return _refusal(operation, refusal)
        except (BotoCoreError, ValueError) as failure:
            raise NoAnswer(f"{operation}: {failure}") from failure
        answer = _success(operation, parsed)
        self._remember(region, request, answer)
        return answer

    @cached_property
    def caller(self) -> dict[str, str]:
        """Account and ARN behind the credentials."""
        try:
            identity = self._client("sts", self.target.region).get_caller_identity()
        except (BotoCoreError, ClientError) as failure:
            raise NoAnswer(f"GetCallerIdentity: {failure}") from failure
        return {"account": identity["Account"], "arn": identity["Arn"]}

    def remove_everything(self) -> int:
        """Schedules the deletion of each key that was made, and deletes each alias. Gives how many there were."""
        for region, kind, name in reversed(self._made):
            if kind == "alias":
                self.call("DeleteAlias", {"AliasName": name}, region)
            else:
                self.call("ScheduleKeyDeletion", {"KeyId": name, "PendingWindowInDays": 7}, region)
        return len(self._made)

    def _remember(self, region: str, request: dict[str, Any], answer: Answer) -> None:
        if answer.operation == "CreateAlias":
            made = (region, "alias", request["AliasName"])
        elif answer.operation == "CreateKey":
            made = (region, "key", answer.members.get("KeyMetadata", {}).get("KeyId"))
        elif answer.operation == "ReplicateKey":
            made = (request["ReplicaRegion"], "key", answer.members.get("ReplicaKeyMetadata", {}).get("KeyId"))
        else:
            return
        if made[2]:
            with self._lock:
                self._made.append(made)

    def _kms(self, region: str) -> Any:
        client = self._client("kms", region)
        client.meta.events.register("after-call.kms", _keep_the_body)
        return client

    def _client(self, service: str, region: str) -> Any:
        target = self.target
        session = boto3.session.Session(
            aws_access_key_id=target.access_key_id,
            aws_secret_access_key=target.secret_access_key,
            profile_name=target.profile,
        )
        config = Config(
            retries={"total_max_attempts": target.attempts, "mode": "adaptive" if target.attempts > 1 else "standard"},
            parameter_validation=False,
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=MOST_CONNECTIONS,
        )
        return session.client(service, region_name=region, endpoint_url=target.endpoint_url, config=config)


def _keep_the_body(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
    """boto3 shows only what its model knows: the cases look at the bytes too."""
    parsed.setdefault("ResponseMetadata", {})["Body"] = http_response.content


def _success(operation: str, parsed: dict[str, Any]) -> Answer:
    metadata = parsed.pop("ResponseMetadata")
    return Answer(operation, metadata["HTTPStatusCode"], parsed, metadata["Body"], metadata.get("RequestId"))


def _refusal(operation: str, refusal: ClientError) -> Answer:
    response = refusal.response
    metadata, error = response["ResponseMetadata"], response["Error"]
    return Answer(
        operation,
        metadata["HTTPStatusCode"],
        body=metadata.get("Body", b""),
        request_id=metadata.get("RequestId"),
        code=error.get("Code", ""),
        text=_text(metadata.get("Body", b""), error.get("Message", "")),
    )


def _text(body: bytes, parsed: str) -> str:
    """The answer's text, or nothing where it has none: botocore would put the code in its place."""
    try:
        answer = json.loads(body)
    except ValueError:
        return parsed
    if not isinstance(answer, dict):
        return parsed
    return answer.get("message") or answer.get("Message") or ""
