"""LookupEvents and the trails of accounts, through boto3 and the AWS CLI, and `keywright trail` on the data folder.

Sources: CloudTrail API Reference; CloudTrail user guide, "Viewing event history"; AWS CLI Command Reference, `aws cloudtrail`.
"""

import datetime
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.callers import new_user
from harness.clients import account_environment, run
from harness.expect import refused
from harness.iam import allow, document, fresh
from harness.seed import AMERICA, EUROPE, ONE, TWO, Account
from harness.server import BINARY, EXIT_DATA_FOLDER, EXIT_OK, EXIT_USAGE, Server, clean_environment, run_tool

BUCKET = "keywright-trail"
LATER = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def cloudtrail(server: Server) -> Any:
    """boto3 CloudTrail of account one in eu-central-1, on the shared server."""
    return clients.cloudtrail(server)


@pytest.fixture
def aws(server: Server, tmp_path: Any) -> Callable[..., Any]:
    """Runs `aws cloudtrail …`, which must succeed, and returns what it printed."""

    def call(*arguments: str) -> Any:
        environment = account_environment(server) | {"AWS_MAX_ATTEMPTS": "10"}
        finished = run(["aws", "cloudtrail", *arguments, "--output", "json"], tmp_path, environment)
        assert finished.returncode == 0, finished
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    return call


@pytest.fixture
def trail(cloudtrail: Any) -> Iterator[str]:
    """The ARN of a trail of account one."""
    arn = cloudtrail.create_trail(Name=fresh("trail"), S3BucketName=BUCKET)["TrailARN"]
    yield arn
    cloudtrail.delete_trail(Name=arn)


def by(key: str, value: str) -> list[dict[str, str]]:
    return [{"AttributeKey": key, "AttributeValue": value}]


def found(cloudtrail: Any, key: str, value: str, **more: Any) -> list[dict[str, Any]]:
    return cloudtrail.lookup_events(LookupAttributes=by(key, value), **more)["Events"]


def record(event: dict[str, Any]) -> dict[str, Any]:
    return json.loads(event["CloudTrailEvent"])


def test_a_call_is_found_at_once_by_everything_that_is_said_of_it(cloudtrail: Any, kms: Any, key: str) -> None:
    answer = kms.encrypt(KeyId=key, Plaintext=b"x")
    [encrypt, create] = found(cloudtrail, "ResourceName", key)
    assert [encrypt["EventName"], create["EventName"]] == ["Encrypt", "CreateKey"]
    assert record(encrypt)["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert encrypt["EventSource"] == "kms.amazonaws.com"
    assert (encrypt["ReadOnly"], create["ReadOnly"]) == ("true", "false")
    assert (encrypt["Username"], encrypt["AccessKeyId"]) == (ONE.user, ONE.access_key_id)
    assert {"ResourceType": "AWS::KMS::Key", "ResourceName": key} in encrypt["Resources"]
    assert encrypt["EventTime"].isoformat().replace("+00:00", "Z") == record(encrypt)["eventTime"]
    for attribute, value in [
        ("EventId", encrypt["EventId"]),
        ("ResourceName", key.rsplit("/", 1)[1]),
        ("EventName", "Encrypt"),
        ("ReadOnly", "true"),
        ("Username", ONE.user),
        ("ResourceType", "AWS::KMS::Key"),
        ("EventSource", "kms.amazonaws.com"),
        ("AccessKeyId", ONE.access_key_id),
    ]:
        assert encrypt in found(cloudtrail, attribute, value), attribute
    assert found(cloudtrail, "EventId", encrypt["EventId"]) == [encrypt]
    assert found(cloudtrail, "ResourceName", key + "x") == []


def test_refused_calls_are_found_too(server: Server, cloudtrail: Any, kms: Any) -> None:
    user = new_user(server, fresh("nobody"))
    with refused("AccessDeniedException"):
        clients.kms(server, user.account).list_keys()
    [event] = found(cloudtrail, "AccessKeyId", user.account.access_key_id)
    assert record(event)["errorCode"] == "AccessDenied"


def test_each_account_and_region_has_its_own_events(server: Server, cloudtrail: Any, key: str) -> None:
    for account, region in ((TWO, EUROPE), (ONE, AMERICA)):
        assert found(clients.cloudtrail(server, account, region), "ResourceName", key) == []
    assert found(cloudtrail, "ResourceName", key)


def test_iam_events_are_looked_up_in_the_region_of_global_services(server: Server, iam: Any) -> None:
    name = fresh("found")
    iam.create_user(UserName=name)
    iam.delete_user(UserName=name)
    america = clients.cloudtrail(server, ONE, AMERICA)
    assert [event["EventName"] for event in found(america, "ResourceName", name)] == ["DeleteUser", "CreateUser"]


def test_pages_come_newest_first_and_complete(cloudtrail: Any, kms: Any, key: str) -> None:
    requests = [kms.describe_key(KeyId=key)["ResponseMetadata"]["RequestId"] for _ in range(11)]
    wanted = by("ResourceName", key)
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=wanted, PaginationConfig={"PageSize": 5}
    )
    listed = [page["Events"] for page in pages]
    assert [len(page) for page in listed] == [5, 5, 2]
    events = [event for page in listed for event in page]
    assert [record(event)["requestID"] for event in events[:-1]] == requests[::-1]


def test_a_token_is_good_for_the_same_parameters_alone(cloudtrail: Any, kms: Any, key: str) -> None:
    kms.describe_key(KeyId=key)
    wanted = by("ResourceName", key)
    first = cloudtrail.lookup_events(LookupAttributes=wanted, MaxResults=1)
    token = first["NextToken"]
    assert cloudtrail.lookup_events(LookupAttributes=wanted, MaxResults=1, NextToken=token)["Events"] != first["Events"]
    for others in (
        {"LookupAttributes": by("ResourceName", key + "x")},
        {"LookupAttributes": wanted, "EndTime": LATER},
        {},
    ):
        with refused("InvalidNextTokenException"):
            cloudtrail.lookup_events(NextToken=token, **others)
    with refused("InvalidNextTokenException"):
        cloudtrail.lookup_events(LookupAttributes=wanted, NextToken="x")


def test_times_bound_what_is_found(cloudtrail: Any, key: str) -> None:
    [created] = found(cloudtrail, "ResourceName", key)
    time_of_it = created["EventTime"]
    second = datetime.timedelta(seconds=1)
    for bounds, is_found in (
        ({"StartTime": time_of_it, "EndTime": time_of_it}, True),
        ({"StartTime": time_of_it + second}, False),
        ({"EndTime": time_of_it - second}, False),
        ({"StartTime": time_of_it - second, "EndTime": time_of_it + second}, True),
        ({"EndTime": datetime.datetime(1999, 1, 1, tzinfo=datetime.UTC)}, False),
    ):
        assert (found(cloudtrail, "ResourceName", key, **bounds) == [created]) == is_found, bounds
    with refused("InvalidTimeRangeException"):
        cloudtrail.lookup_events(StartTime=LATER, EndTime=LATER - second)


def test_what_cannot_be_asked_is_refused_by_name(server: Server) -> None:
    unchecked = clients.cloudtrail(server, parameter_validation=False)
    for parameters, code in (
        ({"LookupAttributes": by("EventName", "a") + by("EventId", "b")}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": by("Color", "a")}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": by("EventName", "a" * 2001)}, "InvalidLookupAttributesException"),
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"EventCategory": "data"}, "InvalidEventCategoryException"),
    ):
        with refused(code):
            unchecked.lookup_events(**parameters)
    assert unchecked.lookup_events(EventCategory="insight")["Events"] == []


def test_events_are_looked_up_twice_a_second(server: Server) -> None:
    hasty = clients.cloudtrail(server, TWO, retries={"total_max_attempts": 1})
    codes = set()
    for _ in range(20):
        try:
            hasty.lookup_events(MaxResults=1)
        except ClientError as error:
            codes.add(error.response["Error"]["Code"])
    assert codes == {"ThrottlingException"}


def test_only_who_may_looks_events_up(server: Server, iam: Any) -> None:
    user = new_user(server, fresh("auditor"))
    asking = clients.cloudtrail(server, user.account)
    with refused(
        "AccessDeniedException",
        f"User: {user.arn} is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows "
        "the cloudtrail:LookupEvents action",
    ):
        asking.lookup_events()
    name = user.arn.rsplit("/", 1)[1]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("cloudtrail:LookupEvents")))
    assert asking.lookup_events()["Events"]


def test_the_operators_trail_is_everybodys_and_nobody_changes_it(server: Server, cloudtrail: Any) -> None:
    [told] = clients.cloudtrail(server, TWO, AMERICA).describe_trails(trailNameList=["keywright"])["trailList"]
    arn = f"arn:aws:cloudtrail:{AMERICA}:{TWO.id}:trail/keywright"
    assert told["TrailARN"] == arn
    assert told["IsMultiRegionTrail"] and told["LogFileValidationEnabled"] and told["IncludeGlobalServiceEvents"]
    own = f"arn:aws:cloudtrail:{AMERICA}:{ONE.id}:trail/keywright"
    assert own in {trail["TrailARN"] for trail in cloudtrail.list_trails()["Trails"]}
    assert own in {trail["TrailARN"] for trail in cloudtrail.describe_trails()["trailList"]}
    shadows = cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]
    assert own not in {trail["TrailARN"] for trail in shadows}
    assert cloudtrail.get_trail_status(Name=own)["IsLogging"]
    home = clients.cloudtrail(server, ONE, AMERICA)
    for change in (home.stop_logging, home.start_logging, home.delete_trail, home.update_trail):
        with refused("OperationNotPermittedException"):
            change(Name="keywright")
    with refused("TrailAlreadyExistsException"):
        cloudtrail.create_trail(Name="keywright", S3BucketName=BUCKET)
    with refused("AccessDeniedException"):
        cloudtrail.get_trail(Name=arn)


def test_a_trail_from_its_making_to_its_end(cloudtrail: Any) -> None:
    name = fresh("made")
    made = cloudtrail.create_trail(
        Name=name, S3BucketName=BUCKET, S3KeyPrefix="a/b", TagsList=[{"Key": "stage", "Value": "test"}]
    )
    arn = f"arn:aws:cloudtrail:{EUROPE}:{ONE.id}:trail/{name}"
    assert (made["TrailARN"], made["S3KeyPrefix"], made["IsMultiRegionTrail"]) == (arn, "a/b", False)
    with refused("TrailAlreadyExistsException"):
        cloudtrail.create_trail(Name=name, S3BucketName=BUCKET)
    assert not cloudtrail.get_trail_status(Name=name)["IsLogging"]
    cloudtrail.start_logging(Name=name)
    status = cloudtrail.get_trail_status(Name=arn)
    assert status["IsLogging"] and status["StartLoggingTime"]
    cloudtrail.stop_logging(Name=arn)
    status = cloudtrail.get_trail_status(Name=arn)
    assert not status["IsLogging"] and status["StopLoggingTime"]
    updated = cloudtrail.update_trail(Name=name, IsMultiRegionTrail=True, EnableLogFileValidation=True)
    assert updated["IsMultiRegionTrail"] and updated["S3KeyPrefix"] == "a/b"
    told = cloudtrail.get_trail(Name=name)["Trail"]
    assert told["LogFileValidationEnabled"] and told["HomeRegion"] == EUROPE
    cloudtrail.add_tags(ResourceId=arn, TagsList=[{"Key": "owner", "Value": "me"}, {"Key": "stage", "Value": "2"}])
    cloudtrail.remove_tags(ResourceId=arn, TagsList=[{"Key": "owner"}])
    [tags] = cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    assert tags == {"ResourceId": arn, "TagsList": [{"Key": "stage", "Value": "2"}]}
    cloudtrail.delete_trail(Name=name)
    for gone in (name, arn):
        with refused("TrailNotFoundException"):
            cloudtrail.get_trail(Name=gone)
    names = [event["EventName"] for event in found(cloudtrail, "ResourceName", arn)]
    assert names[0] == "DeleteTrail" and names.count("CreateTrail") == 2 and "StopLogging" in names


def test_selectors_can_leave_out_the_key_service(cloudtrail: Any, trail: str) -> None:
    [selector] = cloudtrail.get_event_selectors(TrailName=trail)["EventSelectors"]
    assert selector["IncludeManagementEvents"] and selector["ExcludeManagementEventSources"] == []
    sources = ["kms.amazonaws.com"]
    cloudtrail.put_event_selectors(TrailName=trail, EventSelectors=[selector | {"ExcludeManagementEventSources": sources}])
    told = cloudtrail.get_event_selectors(TrailName=trail)
    assert told["TrailARN"] == trail
    assert told["EventSelectors"][0]["ExcludeManagementEventSources"] == sources
    assert cloudtrail.get_trail(Name=trail)["Trail"]["HasCustomEventSelectors"]
    advanced = [
        {
            "Name": "no keys",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "eventSource", "NotEquals": sources},
            ],
        }
    ]
    cloudtrail.put_event_selectors(TrailName=trail, AdvancedEventSelectors=advanced)
    assert cloudtrail.get_event_selectors(TrailName=trail)["AdvancedEventSelectors"] == advanced
    for wrong in ({"ReadWriteType": "ReadOnly"}, {"ExcludeManagementEventSources": ["s3.amazonaws.com"]}):
        with refused("InvalidEventSelectorsException"):
            cloudtrail.put_event_selectors(TrailName=trail, EventSelectors=[selector | wrong])


def test_trails_are_changed_in_their_home_region(server: Server, trail: str) -> None:
    america = clients.cloudtrail(server, ONE, AMERICA)
    with refused("InvalidHomeRegionException"):
        america.start_logging(Name=trail)
    with refused("TrailNotFoundException"):
        america.get_trail(Name=trail.rsplit("/", 1)[1])
    assert america.get_trail(Name=trail)["Trail"]["TrailARN"] == trail


def test_what_no_trail_can_be_is_refused(cloudtrail: Any) -> None:
    name = fresh("wrong")
    for parameters, code in (
        ({"Name": "a"}, "InvalidTrailNameException"),
        ({"Name": "a--b"}, "InvalidTrailNameException"),
        ({"S3BucketName": "another-bucket"}, "S3BucketDoesNotExistException"),
        ({"S3BucketName": "UPPER"}, "InvalidS3BucketNameException"),
        ({"S3KeyPrefix": "../x"}, "InvalidS3PrefixException"),
        ({"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}, "InvalidParameterCombinationException"),
        ({"KmsKeyId": "alias/x"}, "UnsupportedOperationException"),
        ({"IsOrganizationTrail": True}, "UnsupportedOperationException"),
        ({"TagsList": [{"Key": "aws:x"}]}, "InvalidTagParameterException"),
        ({"TagsList": [{"Key": str(number)} for number in range(51)]}, "TagsLimitExceededException"),
    ):
        with refused(code):
            cloudtrail.create_trail(**({"Name": name, "S3BucketName": BUCKET} | parameters))
    for arn in ("arn:aws:cloudtrail:x", f"arn:aws:kms:{EUROPE}:{ONE.id}:key/x"):
        with refused("CloudTrailARNInvalidException"):
            cloudtrail.get_trail(Name=arn)


def test_an_account_has_five_trails_in_a_region(server: Server) -> None:
    cloudtrail = clients.cloudtrail(server, TWO)
    arns = [cloudtrail.create_trail(Name=f"many-{n}", S3BucketName=BUCKET)["TrailARN"] for n in range(5)]
    with refused("MaximumNumberOfTrailsExceededException"):
        cloudtrail.create_trail(Name="many-5", S3BucketName=BUCKET)
    for arn in arns:
        cloudtrail.delete_trail(Name=arn)


def test_policies_decide_by_trail_and_tags(server: Server, iam: Any, trail: str) -> None:
    user = new_user(server, fresh("tagged"))
    asking = clients.cloudtrail(server, user.account)
    name = user.arn.rsplit("/", 1)[1]
    for statement, is_allowed in (
        (allow("cloudtrail:GetTrail", resource=trail), True),
        (allow("cloudtrail:GetTrail", resource=trail + "x"), False),
        (allow("cloudtrail:GetTrail", Condition={"StringEquals": {"aws:ResourceTag/stage": "x"}}), False),
        (allow("cloudtrail:GetTrailStatus", resource=trail), False),
    ):
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(statement))
        if is_allowed:
            assert asking.get_trail(Name=trail)["Trail"]["TrailARN"] == trail
        else:
            with refused("AccessDeniedException"):
                asking.get_trail(Name=trail)
    statement = allow("cloudtrail:AddTags", Condition={"StringEquals": {"aws:RequestTag/stage": "test"}})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(statement))
    asking.add_tags(ResourceId=trail, TagsList=[{"Key": "stage", "Value": "test"}])
    with refused("AccessDeniedException"):
        asking.add_tags(ResourceId=trail, TagsList=[{"Key": "stage", "Value": "other"}])


def test_public_keys_are_listed(cloudtrail: Any) -> None:
    assert isinstance(cloudtrail.list_public_keys()["PublicKeyList"], list)
    with refused("InvalidTimeRangeException"):
        cloudtrail.list_public_keys(StartTime=LATER, EndTime=LATER - datetime.timedelta(1))


def test_trails_outlive_a_restart(fresh_server: Server) -> None:
    cloudtrail = clients.cloudtrail(fresh_server)
    arn = cloudtrail.create_trail(Name="stays", S3BucketName=BUCKET)["TrailARN"]
    cloudtrail.start_logging(Name=arn)
    fresh_server.restart()
    cloudtrail = clients.cloudtrail(fresh_server)
    assert cloudtrail.get_trail_status(Name=arn)["IsLogging"]
    assert [event["EventName"] for event in found(cloudtrail, "EventName", "StartLogging")] == ["StartLogging"]


def test_segments_are_indexed_beside_the_log(tmp_path: Any) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[trail]\nsegment_mebibytes = 1\n")
    server = Server(tmp_path, arguments=("--config", str(config))).start()
    kms, cloudtrail = clients.kms(server), clients.cloudtrail(server)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    for _ in range(1_500):
        kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext={"padding": "x" * 1_000})
    log = server.data / "trail" / "log"
    segments = sorted(log.glob("*.jsonl"))
    assert len(segments) >= 2
    created = found(cloudtrail, "EventName", "CreateKey")
    assert arn in {resource["ResourceName"] for event in created for resource in event["Resources"]}
    assert len(found(cloudtrail, "ResourceName", arn)) == 50
    server.restart()
    indexes = sorted(log.glob("*.index"))
    assert [path.stem for path in indexes] == [path.stem for path in segments][:-1]
    # A damaged index is made anew and changes nothing.
    indexes[0].write_bytes(b"damaged")
    server.restart()
    cloudtrail = clients.cloudtrail(server)
    assert found(cloudtrail, "EventName", "CreateKey") == created
    assert indexes[0].read_bytes() != b"damaged"
    server.close()


def test_the_aws_cli_looks_up_and_tells_of_trails(aws: Callable[..., Any], kms: Any, key: str) -> None:
    attribute = f"AttributeKey=ResourceName,AttributeValue={key}"
    for _ in range(3):
        kms.describe_key(KeyId=key)
    looked_up = aws("lookup-events", "--lookup-attributes", attribute, "--max-items", "2", "--page-size", "2")
    assert [event["EventName"] for event in looked_up["Events"]] == ["DescribeKey", "DescribeKey"]
    rest = aws("lookup-events", "--lookup-attributes", attribute, "--starting-token", looked_up["NextToken"])
    assert [event["EventName"] for event in rest["Events"]] == ["DescribeKey", "CreateKey"]
    name = fresh("cli")
    aws("create-trail", "--name", name, "--s3-bucket-name", BUCKET, "--is-multi-region-trail")
    aws("start-logging", "--name", name)
    assert aws("get-trail-status", "--name", name)["IsLogging"]
    assert name in {trail["Name"] for trail in aws("describe-trails")["trailList"]}
    assert name in {trail["Name"] for trail in aws("list-trails")["Trails"]}
    aws("put-event-selectors", "--trail-name", name, "--event-selectors", '[{"ReadWriteType":"All"}]')
    aws("delete-trail", "--name", name)


def lines(server: Server, *arguments: str) -> list[str]:
    finished = run_tool("trail", "search", "--data-dir", str(server.data), *arguments, folder=server.folder)
    assert finished.returncode == EXIT_OK, finished
    return finished.stdout.splitlines()


def test_search_finds_the_same_running_or_stopped(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.describe_key(KeyId=key)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=ONE.key_arn("00000000-1111-4222-8333-444444444444"))
    searches = (
        ("--key", key),
        ("--key", key.rsplit("/", 1)[1], "--event", "CreateKey", "--region", EUROPE),
        ("--errors", "--user", ONE.user),
        ("--user", ONE.user_arn, "--account", ONE.id, "--from", "1h", "--format", "json"),
        ("--event", "CreateKey", "--to", "2020-01-01"),
        ("--limit", "1"),
    )
    running = [lines(fresh_server, *search) for search in searches]
    assert [len(found) for found in running] == [2, 1, 1, 3, 0, 1]
    assert f"{ONE.id}  {EUROPE}  kms:CreateKey  {ONE.user}  {key}  from 127.0.0.1" in running[1][0]
    assert running[2][0].endswith("REFUSED NotFoundException")
    assert [json.loads(line)["eventName"] for line in running[3]] == ["DescribeKey", "DescribeKey", "CreateKey"]
    fresh_server.stop()
    assert [lines(fresh_server, *search) for search in searches] == running


def test_tail_shows_what_happens(fresh_server: Server) -> None:
    kms = clients.kms(fresh_server)
    kms.create_key()
    command = [str(BINARY), "trail", "tail", "--data-dir", str(fresh_server.data), "--event", "ListAliases", "-n", "5"]
    environment = clean_environment(fresh_server.folder)
    kms.list_aliases()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert "kms:ListAliases" in process.stdout.readline()
            kms.list_keys()
            kms.list_aliases()
            before = time.monotonic()
            assert "kms:ListAliases" in process.stdout.readline()
            assert time.monotonic() - before < 5
        finally:
            process.kill()


def test_what_cannot_be_read_is_told(server: Server, tmp_path: Any) -> None:
    for command in ("tail", "search"):
        finished = run_tool("trail", command, "--data-dir", str(tmp_path / "none"), folder=tmp_path)
        assert finished.returncode == EXIT_DATA_FOLDER, finished
        assert "there is no audit log in" in finished.stderr
    finished = run_tool("trail", "search", "--data-dir", str(server.data), "--from", "soon", folder=tmp_path)
    assert finished.returncode == EXIT_USAGE and "`soon` is no moment" in finished.stderr
