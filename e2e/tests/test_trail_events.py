"""The event of every operation, as soon as its answer is there.

`corpus/events/` has an example for each operation of each service, of what it shows of request and response, and for
refusals. Sources: AWS KMS developer guide, "Logging AWS KMS API calls with AWS CloudTrail" and the pages of the
operations below it; CloudTrail user guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
"""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients, trail
from harness.callers import new_user
from harness.events import CALLS
from harness.events.examples import CORPUS, examples, expected, shown
from harness.events.scene import Scene, answered
from harness.iam import allow, document
from harness.matrix.keys import MESSAGE
from harness.seed import AMERICA, EUROPE, ONE, SEEDED_KEY_TWO, TWO
from harness.server import Server
from harness.services import services

ALL = [(service, name) for service in CALLS for name in examples(service)]


@pytest.mark.parametrize(("service", "name"), ALL, ids=[f"{service}: {name}" for service, name in ALL])
def test_the_event_is_as_the_example_says(scenes: dict[str, Scene], service: str, name: str) -> None:
    made = scenes[service].made[name]
    assert shown(made) == expected(examples(service)[name], made)


def test_every_operation_has_an_example_and_every_example_a_call(scenes: dict[str, Scene]) -> None:
    assert {path.stem for path in CORPUS.glob("*.json")} == CALLS.keys() == services().keys()
    for service, scene in scenes.items():
        assert scene.made.keys() == examples(service).keys()
        assert {made.operation for made in scene.made.values()} == set(services()[service].operations)
        for name, example in examples(service).items():
            assert example["eventName"] == name.split(" ")[0]


def test_every_event_has_its_frame(scenes: dict[str, Scene]) -> None:
    for service, scene in scenes.items():
        for name, made in scene.made.items():
            event, request = made.event, made.answer["ResponseMetadata"]
            assert event["eventVersion"] == "1.11"
            assert event["eventType"] == "AwsApiCall"
            assert (event["managementEvent"], event["eventCategory"]) == (True, "Management")
            assert event["requestID"] == request["RequestId"]
            assert str(uuid.UUID(event["eventID"])) == event["eventID"]
            assert event["recipientAccountId"] == ONE.id
            assert event["sourceIPAddress"] == "127.0.0.1"
            assert event["userAgent"].startswith("Boto3/" if service != "keywright" else "")
            assert abs(moment(event) - datetime.now(UTC)) < timedelta(minutes=10)
            assert "tlsDetails" not in event, "plain HTTP"
            assert event["userIdentity"]["type"] == identity_type(name)


def moment(event: dict[str, Any]) -> datetime:
    return datetime.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def identity_type(name: str) -> str:
    if name.endswith("of a session"):
        return "AssumedRole"
    return "WebIdentityUser" if name.startswith("AssumeRoleWithWebIdentity") else "IAMUser"


def test_no_two_events_have_the_same_id(scenes: dict[str, Scene]) -> None:
    for scene in scenes.values():
        ids = Counter(event["eventID"] for event in trail.events(scene.server))
        assert len(ids) > len(scene.made) and set(ids.values()) == {1}


@pytest.mark.parametrize("service", ["iam", "kms"])
def test_who_has_no_leave_leaves_the_event_of_a_refusal(scenes: dict[str, Scene], service: str) -> None:
    """Every call once more, by a user without any permission."""
    server = scenes[service].server
    client = getattr(clients, service)(server, new_user(server, "without-leave").account)
    for name, made in scenes[service].made.items():
        answer = answered(client, made.operation, made.parameters)
        event, error = trail.event_of(server, answer), answer["Error"]
        code = "AccessDenied" if error["Code"] == "AccessDeniedException" else error["Code"]
        assert event["errorCode"] == code, name
        assert (event["eventName"], event["readOnly"]) == (made.operation, made.event["readOnly"])
        assert (event["requestParameters"], event["responseElements"]) == (made.event["requestParameters"], None), name
        assert (event["userIdentity"]["userName"], event["recipientAccountId"]) == ("without-leave", ONE.id)


def test_changes_of_the_other_region_are_told_there(scenes: dict[str, Scene]) -> None:
    """Differs from AWS, which calls them AwsApiCall: here the service did them by itself."""
    scene = scenes["kms"]
    replica = scene.values["related"].replace(EUROPE, AMERICA)
    found = [
        event for event in trail.events(scene.server, awsRegion=AMERICA, eventType="AwsServiceEvent")
        if [resource["ARN"] for resource in event.get("resources", [])] == [replica]
    ]  # fmt: skip
    assert [event["eventName"] for event in found] == ["CreateKey", "UpdatePrimaryRegion"]
    for event in found:
        assert event["userIdentity"] == {"accountId": ONE.id, "invokedBy": "AWS Internal"}
        assert (event["sourceIPAddress"], event["userAgent"]) == ("AWS Internal", "AWS Internal")
        assert (event["requestParameters"], event["responseElements"]) == (None, None)
        assert "requestID" not in event


@pytest.fixture
def shared_key(fresh_server: Server) -> str:
    """The ARN of a key of account two, which account one may use and look at."""
    kms_of_two = clients.kms(fresh_server, TWO)
    everybody = allow("kms:*") | {"Principal": {"AWS": [f"arn:aws:iam::{one.id}:root" for one in (ONE, TWO)]}}
    kms_of_two.put_key_policy(KeyId=SEEDED_KEY_TWO, Policy=document(everybody))
    return TWO.key_arn(SEEDED_KEY_TWO)


def test_the_owner_of_a_foreign_key_gets_a_copy(fresh_server: Server, shared_key: str) -> None:
    answer = clients.kms(fresh_server).encrypt(KeyId=shared_key, Plaintext=MESSAGE)
    own, copy = trail.events(fresh_server, requestID=answer["ResponseMetadata"]["RequestId"])
    assert (own["recipientAccountId"], copy["recipientAccountId"]) == (ONE.id, TWO.id)
    assert own["sharedEventID"] == copy["sharedEventID"]
    assert len({own["eventID"], copy["eventID"], own["sharedEventID"]}) == 3
    assert own["userIdentity"]["arn"] == ONE.user_arn
    user = clients.iam(fresh_server).get_user()["User"]
    assert copy["userIdentity"] == {"type": "AWSAccount", "principalId": user["UserId"], "accountId": ONE.id}
    differs = {"recipientAccountId", "eventID", "userIdentity"}
    assert {name: own[name] for name in own if name not in differs} == {
        name: copy[name] for name in copy if name not in differs
    }
    assert own["resources"] == [{"accountId": TWO.id, "type": "AWS::KMS::Key", "ARN": shared_key}]


def test_a_denied_call_is_told_to_the_caller_alone(fresh_server: Server, shared_key: str) -> None:
    powerless = clients.kms(fresh_server, new_user(fresh_server, "powerless").account)
    with pytest.raises(ClientError) as refused:
        powerless.encrypt(KeyId=shared_key, Plaintext=MESSAGE)
    request = refused.value.response["ResponseMetadata"]["RequestId"]
    [event] = trail.events(fresh_server, requestID=request)
    assert event["recipientAccountId"] == ONE.id
    assert "sharedEventID" not in event


def test_a_key_of_each_of_two_accounts_leaves_two_events(fresh_server: Server, shared_key: str) -> None:
    kms_of_one = clients.kms(fresh_server)
    key = kms_of_one.create_key()["KeyMetadata"]["Arn"]
    blob = kms_of_one.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    answer = kms_of_one.re_encrypt(CiphertextBlob=blob, DestinationKeyId=shared_key)
    both = trail.events(fresh_server, requestID=answer["ResponseMetadata"]["RequestId"])
    assert [event["recipientAccountId"] for event in both] == [ONE.id, TWO.id]
    assert all([resource["ARN"] for resource in event["resources"]] == [key, shared_key] for event in both)


def test_a_session_is_told_with_its_role(scenes: dict[str, Scene]) -> None:
    server = scenes["sts"].server
    credentials = scenes["sts"].made["AssumeRole with everything"].answer["Credentials"]
    with pytest.raises(ClientError) as refused:
        clients.with_session(server, "kms", credentials).list_keys()
    identity = trail.event_of(server, refused.value.response)["userIdentity"]
    assert (identity["type"], identity["accessKeyId"]) == ("AssumedRole", credentials["AccessKeyId"])
    assert identity["arn"] == f"arn:aws:sts::{ONE.id}:assumed-role/role/session"
    context = identity["sessionContext"]
    assert (context["sessionIssuer"]["arn"], context["sourceIdentity"]) == (scenes["sts"].values["role"], "alice")
