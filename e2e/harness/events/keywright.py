"""Every operation of Keywright's own service."""

from typing import Any

from botocore.exceptions import ClientError

from harness import clients, trail
from harness.callers import Caller, new_user
from harness.events.scene import Made, Scene
from harness.raw import Line
from harness.seed import ONE, SEEDED_KEY
from harness.services import services


def make_calls(scene: Scene) -> None:
    """No AWS client knows this service: requests are made by its model."""
    server = scene.server
    key = ONE.key_arn(SEEDED_KEY)
    denied = new_user(server, "denied")
    scene.know(key=key, request=_denied_request(scene, denied))
    administrator = Caller("admin", ONE.user_arn, ONE)
    line = Line(server)

    def call(name: str, caller: Caller, **members: Any) -> None:
        request = services()["keywright"].request(name.split(" ")[0], members)
        answered = line.exchange(caller.sign(server, request, "keywright"))
        answer: dict[str, Any] = {"ResponseMetadata": {"RequestId": answered.request_id}}
        if answered.status != 200:
            answer["Error"] = {"Message": answered.json["message"]}
        event = trail.event_of(server, answer)
        scene.made[name] = Made(name.split(" ")[0], members, answer, event, dict(scene.values))

    call("CreateBackup", administrator)
    call("ExplainRequest", administrator, RequestId=scene.values["request"])
    call("ListKeyAccess", administrator, KeyId=key)
    call("ListKeyAccess denied", denied, KeyId=key)
    call("ListKeyUsage", administrator, KeyId=key)
    line.close()


def _denied_request(scene: Scene, caller: Caller) -> str:
    try:
        clients.kms(scene.server, caller.account).list_keys()
    except ClientError as refused:
        return str(refused.response["ResponseMetadata"]["RequestId"])
    raise AssertionError("was not denied")
